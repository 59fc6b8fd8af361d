/**
 * Part of the build: leaves the code caches of the command's scripts in dist/bin. The command runs a guest program once for each, in a
 * process of its own, so that the caches hold the functions that such runs need and not only the scripts' outermost code: what every run
 * does, and for what is seldom done a freeze and a thaw. Nothing is translated, for which V8's flags are changed: V8 takes a cache only
 * where the flags are those it was made with. The translator's functions would make the cache a fifth longer, which short runs pay for.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Bundle, cacheFile, SCRIPTS, type ScriptName, sealed } from "../cli/bundle.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const bin = join(root, "dist", "bin");

/** Runs the command with `words`, and leaves the cache of a script as it is at its end. */
function record(script: ScriptName, words: readonly string[]): void {
  const args = [fileURLToPath(import.meta.url), script, ...words];
  const { status, stderr } = spawnSync(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
  if (status !== 0) throw new Error(`ppcr ${words.join(" ")}: status ${status}\n${stderr}`);
}

function recordAll(): void {
  for (const script of SCRIPTS) rmSync(join(bin, cacheFile(script)), { force: true });
  const run = ["run", "--engine", "interp"];
  const built = join(root, "guest-bins", "built");
  const program = [join(built, "progress-ppc64"), "1"];
  const folder = mkdtempSync(join(tmpdir(), "ppcr-"));
  try {
    const image = join(folder, "image");
    record("main", ["run", join(built, "hello-ppc32")]);
    record("main", [...run, ...program]);
    record("seldom", [...run, "--checkpoint-at", "1000", "-o", image, ...program]);
    record("seldom", ["restart", "--engine", "interp", image]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const script = SCRIPTS.find((name) => name === process.argv[2]);
if (script === undefined) recordAll();
else {
  process.argv.splice(2, 1);
  const bundle = new Bundle(bin);
  process.on("exit", () =>
    writeFileSync(join(bin, cacheFile(script)), sealed(bundle.load(script).script.createCachedData())),
  );
  bundle.load("main");
}
