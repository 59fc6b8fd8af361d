/**
 * Part of the build: leaves the code caches of the command's scripts in dist/bin. The command runs a guest program once for each, in a
 * process of its own, so that the caches hold the functions that such runs need and not only the scripts' outermost code. Only for the
 * translator's is anything translated: its part of the first script is what short runs do without.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { preparedFile } from "../cli/prepared.ts";
import { findModel } from "../emu/cpu/models.ts";
import { quickModule } from "../emu/jit/quick-code.ts";
import { nameOfQuick, quickTarget } from "../emu/jit/quick-kind.ts";
import { ABIS } from "../emu/linux/abi.ts";
import { CORNER_SIZE } from "../emu/memory/layout.ts";
import { Bundle, cacheFile, SCRIPTS, type ScriptName } from "../cli/bundle.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const bin = join(root, "dist", "bin");
const built = join(root, "guest-bins", "built");
/** The smallest program, for which the first script is to be enough. */
const smallest = join(built, "hello-ppc32");

/** Runs the command with `words`, and leaves the cache of a script as it is at its end. */
function record(script: ScriptName, words: readonly string[]): void {
  const args = [fileURLToPath(import.meta.url), script, ...words];
  const { status, stderr } = spawnSync(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
  if (status !== 0) throw new Error(`ppcr ${words.join(" ")}: status ${status}\n${stderr}`);
}

/** Makes the quick loop ready for the programs of each ABI on the model that they get by default. */
function prepareQuick(): void {
  for (const { name, is64, littleEndian } of Object.values(ABIS)) {
    const model = findModel(undefined, name)!;
    const size = 2 ** 32;
    const corner = littleEndian ? size - CORNER_SIZE : 0;
    const target = quickTarget({ is64, model }, { byteOrder: littleEndian ? "little" : "big", size, corner });
    writeFileSync(join(bin, preparedFile(nameOfQuick(target, model))), quickModule(target, model));
  }
}

function recordAll(): void {
  prepareQuick();
  for (const script of SCRIPTS) rmSync(join(bin, cacheFile(script)), { force: true });
  const run = ["run", "--engine", "interp"];
  const program = [join(built, "progress-ppc64"), "1"];
  const folder = mkdtempSync(join(tmpdir(), "ppcr-"));
  try {
    const image = join(folder, "image");
    record("main", ["run", smallest]);
    for (const script of ["main", "calls", "vectors"] as const) record(script, [...run, ...program]);
    record("translator", ["run", ...program]);
    record("options", [...run, ...program]);
    for (const script of ["rare", "seldom"] as const) {
      record(script, [...run, "--checkpoint-at", "1000", "-o", image, ...program]);
      record(script, ["restart", "--engine", "interp", image]);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Leaves the cache of a script at the end of a run of the command. */
function recordHere(script: ScriptName): void {
  const bundle = new Bundle(bin);
  bundle.load(script);
  for (const name of bundle.names)
    if (SCRIPTS.indexOf(name) > SCRIPTS.indexOf(script))
      throw new Error(`${script} can't be loaded without ${name}`);
  process.on("exit", () => {
    if (process.argv.at(-1) === smallest && bundle.names.length > 1) {
      // What is thrown in here would not change how the process ends.
      process.exitCode = 1;
      throw new Error(`the smallest program takes ${bundle.names.join(", ")}: see scripts/deferred.mjs`);
    }
    writeFileSync(join(bin, cacheFile(script)), bundle.cacheOf(script));
  });
  bundle.start();
}

const script = SCRIPTS.find((name) => name === process.argv[2]);
if (script === undefined) recordAll();
else {
  process.argv.splice(2, 1);
  recordHere(script);
}
