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
import { setEngineFlags } from "../cli/engine-flags.ts";
import { optimisedFile, preparedFile } from "../cli/prepared.ts";
import { sealed } from "../cli/sealed.ts";
import { findModel } from "../emu/cpu/models.ts";
import { optimise, serialize } from "../emu/host/node/kept-code.ts";
import { quickModule } from "../emu/jit/quick-code.ts";
import { nameOfQuick, quickTarget } from "../emu/jit/quick-kind.ts";
import { ABIS } from "../emu/linux/abi.ts";
import { newMemory } from "../emu/memory/wasm-memory.ts";
import { setEngineFlag } from "../emu/host/node/v8-flags.ts";
import { nodeHost } from "../emu/host/node/index.ts";
import { defaultMounts, Machine } from "../emu/machine.ts";
import type * as Translating from "../translating.ts";
import { Bundle, cacheFile, cacheOf, SCRIPTS, type ScriptName, THREAD_SCRIPT } from "../cli/bundle.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const bin = join(root, "dist", "bin");
const built = join(root, "guest-bins", "built");
/** The smallest program, for which the first script is to be enough. */
const smallest = join(built, "hello-ppc32");

/** Runs the command with `words`, and leaves the cache of a script as it is at its end. */
function record(script: ScriptName | typeof THREAD_SCRIPT, words: readonly string[]): void {
  const args = [fileURLToPath(import.meta.url), script, ...words];
  const { status, stderr } = spawnSync(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
  if (status !== 0) throw new Error(`ppcr ${words.join(" ")}: status ${status}\n${stderr}`);
}

/**
 * What V8 makes of the loop when it is hot, without looking at every instruction whether somebody wants the thread for something else: it comes back by
 * itself soon. To V8's cache it is code like other code, for the flags are then as they were. Undefined where this V8
 * gives none.
 */
function optimised(module: WebAssembly.Module, pages: number): Uint8Array | undefined {
  const table = () => new WebAssembly.Table({ element: "anyfunc", initial: 0 });
  const imports = { m: { memory: newMemory(pages), step: () => 0, callees: table(), all: table() } };
  const run = new WebAssembly.Instance(module, imports).exports.run as (...numbers: number[]) => number;
  run(0, 0, 0);
  setEngineFlag("--no-wasm-stack-checks");
  optimise(run);
  setEngineFlag("--wasm-stack-checks");
  return serialize(module, run);
}

/** Makes the quick loop ready for the programs of each ABI on the model that they get by default. */
function prepareQuick(): void {
  for (const { name: abi, is64, littleEndian } of Object.values(ABIS)) {
    const model = findModel(undefined, abi)!;
    const size = 2 ** 32;
    const byteOrder = littleEndian ? "little" : "big";
    const target = quickTarget({ is64, model }, { byteOrder, size });
    const name = nameOfQuick(target, model);
    const wire = quickModule(target, model);
    writeFileSync(join(bin, preparedFile(name)), wire);
    const code = optimised(new WebAssembly.Module(wire), size / 65536);
    if (code !== undefined) writeFileSync(join(bin, optimisedFile(name)), sealed(Buffer.from(code)));
  }
}

function recordAll(): void {
  prepareQuick();
  for (const script of [...SCRIPTS, THREAD_SCRIPT] as const)
    rmSync(join(bin, cacheFile(script)), { force: true });
  const run = ["run", "--engine", "interp"];
  const program = [join(built, "progress-ppc64"), "1"];
  const folder = mkdtempSync(join(tmpdir(), "ppcr-"));
  try {
    const image = join(folder, "image");
    record("main", ["run", smallest]);
    for (const script of ["main", "calls", "vectors"] as const) record(script, [...run, ...program]);
    // What dynamic linkers and C libraries take at their start, with the quick loop.
    for (const script of ["main", "calls"] as const) {
      for (const abi of ["ppc32", "ppc64"]) record(script, ["run", join(built, `linking-${abi}`)]);
    }
    record("translator", ["run", ...program]);
    record(THREAD_SCRIPT, []);
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

/**
 * Leaves the cache of the script by which another thread translates, as it is when it has translated what some programs come to. The command
 * has set V8's flags when it begins that thread, and they are all threads'.
 */
async function recordThread(): Promise<void> {
  setEngineFlags();
  const { script, module } = new Bundle(bin).loadAlone(THREAD_SCRIPT);
  const { fulfil } = module.exports as typeof Translating;
  for (const name of ["progress-ppc32", "progress-ppc64"]) {
    const answers: unknown[] = [];
    const program = join(built, name);
    const machine = Machine.load({
      host: {
        ...nodeHost({ descriptors: [] }),
        translator: () => ({
          isReady: true,
          hasEnded: false,
          send: (request) => answers.push(fulfil(structuredClone(request))),
          receive: () => answers.shift(),
          end: () => undefined,
        }),
      },
      program,
      argv: [name, "20"],
      env: [],
      cwd: root,
      mounts: defaultMounts({ program, cwd: root }),
      tuning: { translateAfter: 0, threshold: 2, translatedFreely: 10_000, threadAfter: 0 },
    });
    await machine.run();
    if (machine.jitStatistics!.ordered < 50) throw new Error(`${name}: too little was translated`);
    machine.close();
  }
  writeFileSync(join(bin, cacheFile(THREAD_SCRIPT)), cacheOf(script));
}

const script = SCRIPTS.find((name) => name === process.argv[2]);
if (process.argv[2] === THREAD_SCRIPT) await recordThread();
else if (script === undefined) recordAll();
else {
  process.argv.splice(2, 1);
  recordHere(script);
}
