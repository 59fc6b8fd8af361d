/**
 * Part of the build: leaves the command's code cache in dist/bin. The command runs a guest program once, in a process of its
 * own, so that the cache holds the functions that every run needs and not only the script's outermost code. Without the
 * translator, for which V8's flags are changed: V8 takes a cache only where the flags are those it was made with.
 */
import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CACHE, loadBundle } from "../cli/bundle.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = join(root, "dist", "bin");
const cache = join(folder, CACHE);

if (process.argv[2] === "run") {
  const { script, run } = loadBundle(folder);
  process.on("exit", () => writeFileSync(cache, script.createCachedData()));
  run();
} else {
  rmSync(cache, { force: true });
  const guest = join(root, "guest-bins", "built", "progress-ppc64");
  const args = [fileURLToPath(import.meta.url), "run", "--engine", "interp", guest, "1"];
  const { status } = spawnSync(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) throw new Error(`${guest} does not run: status ${status}`);
}
