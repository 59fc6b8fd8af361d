/** The command's bundle and its code cache. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { Bundle, cacheFile, SCRIPTS, scriptFile, THREAD_SCRIPT } from "../../cli/bundle.ts";
import { addMachineOptions, Verb } from "../../cli/options.ts";
import { optimisedFile, preparedFile } from "../../cli/prepared.ts";
import { readSealed } from "../../cli/sealed.ts";
import { usualFlags } from "../../cli/usual.ts";
import { findModel } from "../../emu/cpu/models.ts";
import { deserialize } from "../../emu/host/node/kept-code.ts";
import { quickModule } from "../../emu/jit/quick-code.ts";
import { nameOfQuick, quickTarget } from "../../emu/jit/quick-kind.ts";
import { ABIS } from "../../emu/linux/abi.ts";
import { AddressSpace } from "../../emu/memory/address-space.ts";
import { inTemporaryDirectory } from "../support/guests.ts";
import { cli, ensureBuilt, root } from "../support/ppcr.ts";
import { runProcess } from "../support/process.ts";

const progress = join(root, "guest-bins", "built", "progress-ppc64");

describe("the compiled command", () => {
  it.each(SCRIPTS)("takes %s from V8's code cache", (name) => {
    ensureBuilt();
    expect(new Bundle(dirname(cli)).compile(name).cachedDataRejected).toBe(false);
  });

  it("takes the script of another thread from it too, with V8's flags as they are when one is begun", async () => {
    ensureBuilt();
    const [bundle, flags] = ["bundle", "engine-flags"].map((name) =>
      pathToFileURL(join(root, "dist", "cli", `${name}.js`)),
    );
    const script = `import { Bundle } from "${bundle}"; import { setEngineFlags } from "${flags}"; setEngineFlags();
      console.log(new Bundle(${JSON.stringify(dirname(cli))}).compile("${THREAD_SCRIPT}").cachedDataRejected);`;
    const { stdout } = await runProcess(process.execPath, { args: ["--input-type=module", "-e", script] });
    expect(stdout).toBe("false\n");
  });

  it.each([...SCRIPTS, THREAD_SCRIPT] as const)(
    "has %s in one scope: V8 can't rely on functions of modules that are wrapped",
    (name) => {
      ensureBuilt();
      expect(readFileSync(join(dirname(cli), scriptFile(name)), "latin1")).not.toContain("__esm");
    },
  );

  it("leaves what few runs do out of the script that all take", () => {
    ensureBuilt();
    const code = (name: (typeof SCRIPTS)[number]) =>
      readFileSync(join(dirname(cli), scriptFile(name)), "latin1");
    for (const [script, name] of [
      ["calls", "SIGNAL_SYSCALLS="],
      ["vectors", "quadHandlers="],
      ["translator", "function*producing("],
      ["rare", "SOCKET_SYSCALLS="],
      ["options", "function commandFor("],
      ["seldom", "function readImage("],
    ] as const) {
      expect(code("main")).not.toContain(name);
      expect(code(script)).toContain(name);
    }
  });

  it("loads nothing of threads for a short program", async () => {
    ensureBuilt();
    await inTemporaryDirectory(async (folder) => {
      const hook = join(folder, "hook.cjs");
      writeFileSync(hook, "process.on('exit', () => console.log(process.moduleLoadList.join('\\n')));");
      const { stdout } = await runProcess(process.execPath, {
        args: ["--require", hook, cli, progress, "1"],
      });
      expect(stdout).toContain("NativeModule fs");
      expect(stdout).not.toMatch(/worker_threads/);
    });
  });

  it("takes a run without options for one whose options are all as usual", () => {
    const { env, unsetEnv, ...shared } = usualFlags();
    expect(addMachineOptions(new Verb("run")).opts()).toEqual(shared);
    expect([env, unsetEnv]).toEqual([[], []]);
  });

  it.each(["ppc32", "ppc64", "ppc64le"] as const)("has the quick loop of %s ready", (abi) => {
    ensureBuilt();
    const { is64, littleEndian } = ABIS[abi];
    const model = findModel(undefined, abi)!;
    const space = new AddressSpace({ byteOrder: littleEndian ? "little" : "big" });
    const target = quickTarget({ is64, model }, space);
    const file = join(dirname(cli), preparedFile(nameOfQuick(target, model)));
    expect(Buffer.compare(readFileSync(file), quickModule(target, model))).toBe(0);
    // Where this V8 gives its code away.
    const code = readSealed(join(dirname(cli), optimisedFile(nameOfQuick(target, model))));
    const wire = new Uint8Array(readFileSync(file));
    if (code !== undefined)
      expect(deserialize(new Uint8Array(code), wire)).toBeInstanceOf(WebAssembly.Module);
  });

  it.each([
    ["no", () => undefined],
    ["another kind of", () => Buffer.from("no cache at all")],
    ["a shortened", (cache: Buffer) => cache.subarray(0, -8)],
    ["a damaged", (cache: Buffer) => cache.fill(0, cache.length >> 1, (cache.length >> 1) + 4096)],
  ])("runs with %s cache as well", async (_, change) => {
    ensureBuilt();
    await inTemporaryDirectory(async (folder) => {
      const bin = join(folder, "dist", "bin");
      mkdirSync(bin, { recursive: true });
      for (const name of ["ppcr.cjs", ...SCRIPTS.map(scriptFile)])
        copyFileSync(join(dirname(cli), name), join(bin, name));
      copyFileSync(join(root, "package.json"), join(folder, "package.json"));
      const prepared = readdirSync(dirname(cli)).filter((name) => /^quick-.*\.(wasm|native)$/.test(name));
      expect(prepared.length).toBeGreaterThanOrEqual(3);
      for (const name of [...SCRIPTS.map(cacheFile), ...prepared]) {
        const cache = change(readFileSync(join(dirname(cli), name)));
        if (cache !== undefined) writeFileSync(join(bin, name), cache);
      }
      const { status, stderr } = await runProcess(process.execPath, {
        args: [join(bin, "ppcr.cjs"), "run", progress, "1"],
      });
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    });
  });
});
