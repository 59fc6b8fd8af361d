import { describe, expect, it } from "vitest";
import { Interpreter } from "../emu/cpu/interpreter.ts";
import { modelFor } from "../emu/cpu/models.ts";
import { Debugger } from "../emu/debug.ts";
import { memoryDigest, registersDigest } from "../emu/digest.ts";
import { JitEngine } from "../emu/jit/engine.ts";
import { ABIS } from "../emu/linux/abi.ts";
import { freezeKernel } from "../emu/linux/freeze.ts";
import { Kernel } from "../emu/linux/kernel.ts";
import type { Abi } from "../emu/snapshot.ts";
import { Translations } from "../emu/jit/translations.ts";
import { memoryHost } from "./support/memory-host.ts";
import { tinyElf } from "./support/tiny-elf.ts";

/** Counts r3 up in memory at 64(r31), five times, and exits with it. */
const COUNT = [
  "lis 31,0x1001",
  "li 3,0",
  "li 4,5",
  "mtctr 4",
  "addi 3,3,1",
  "stw 3,64(31)",
  "bdnz -8",
  "lwz 3,64(31)",
  "li 0,1",
  "sc",
];
const AT_ONCE = {
  translateAfter: 0,
  threshold: 0,
  entryThreshold: 0,
  coldThreshold: 0,
  executedPerTranslated: 0,
};
const COUNTER = 0x1001_0040;

function start(abi: Abi, engine: "interp" | "jit" = "interp") {
  const kernel = new Kernel({
    host: memoryHost(),
    abi: ABIS[abi],
    cpuModel: modelFor(undefined, abi),
    mounts: [],
    seed: 1n,
    addressSpaceSize: 2 ** 30,
    engine: (cpu) =>
      engine === "jit" ? new JitEngine(cpu, new Translations(AT_ONCE)) : new Interpreter(cpu),
  });
  const process = kernel.start({ path: "/tiny", argv: [], env: [], bytes: tinyElf(abi, COUNT) });
  const entry = Number(process.leader!.registers.nia);
  return { kernel, process, entry, tid: process.pid, debug: new Debugger(kernel, process) };
}

function stateOf(kernel: Kernel) {
  const snapshot = freezeKernel(kernel);
  const { sha256 } = kernel.host;
  return [snapshot.instructions, registersDigest(snapshot, sha256), memoryDigest(snapshot, sha256)];
}

describe.each([
  ["ppc32", "interp"],
  ["ppc64", "interp"],
  ["ppc32", "jit"],
  ["ppc64", "jit"],
] as const)("a debugger of a %s program on the engine %s", (abi, engine) => {
  it("stops before each execution of an instruction with a breakpoint", async () => {
    const { debug, entry, tid } = start(abi, engine);
    const address = entry + 5 * 4;
    debug.setBreakpoints([address]);
    for (let turn = 1; turn <= 5; turn++) {
      expect(await debug.continue()).toEqual({ reason: "breakpoint", tid, address: BigInt(address) });
      expect(debug.register(tid, "pc")).toBe(BigInt(address));
      expect(debug.register(tid, "r3")).toBe(BigInt(turn));
      expect(debug.readMemory(COUNTER, 4)).toEqual(Uint8Array.of(0, 0, 0, turn - 1));
    }
    expect(await debug.continue()).toEqual({ reason: "exit", status: 5 });
  });

  it("stops before accesses that a watchpoint matches, and no others", async () => {
    const { debug, entry, tid } = start(abi, engine);
    debug.setWatchpoints([{ start: COUNTER + 3, end: COUNTER + 4, loads: true, stores: false }]);
    const load = { reason: "watchpoint", tid, address: BigInt(entry + 7 * 4), data: COUNTER, isStore: false };
    expect(await debug.continue()).toEqual(load);
    expect(await debug.continue()).toEqual({ reason: "exit", status: 5 });
    const second = start(abi, engine);
    second.debug.setWatchpoints([{ start: COUNTER, end: COUNTER + 8, loads: false, stores: true }]);
    for (let turn = 0; turn < 5; turn++) {
      expect(await second.debug.continue()).toMatchObject({ reason: "watchpoint", isStore: true });
      expect(second.debug.readMemory(COUNTER, 4)).toEqual(Uint8Array.of(0, 0, 0, turn));
    }
    expect(await second.debug.continue()).toEqual({ reason: "exit", status: 5 });
  });

  it("steps over one instruction at a time, breakpoints or not", async () => {
    const { kernel, debug, entry, tid } = start(abi, engine);
    debug.setBreakpoints([entry + 4]);
    for (let n = 1; n <= 6; n++) {
      expect(await debug.step(tid)).toEqual({ reason: "limit" });
      expect(kernel.instructions).toBe(BigInt(n));
      expect(debug.register(tid, "pc")).toBe(BigInt(entry + 4 * n));
    }
  });

  it("leaves no trace in what the program does", async () => {
    const plain = start(abi, engine);
    await plain.kernel.run(15n);
    const { kernel, debug, entry } = start(abi, engine);
    debug.setBreakpoints([entry + 4 * 4, entry + 6 * 4]);
    debug.setWatchpoints([{ start: COUNTER, end: COUNTER + 1, loads: true, stores: true }]);
    let stops = 0;
    while (kernel.instructions < 15n) {
      const stop = await debug.continue(15n - kernel.instructions);
      if (stop.reason !== "limit") stops++;
    }
    expect(stops).toBe(11);
    expect(stateOf(kernel)).toEqual(stateOf(plain.kernel));
  });

  it("changes registers and memory", async () => {
    const { debug, entry, tid } = start(abi, engine);
    debug.setBreakpoints([entry + 7 * 4]);
    await debug.continue();
    debug.writeMemory(COUNTER, Uint8Array.of(0, 0, 0, 77));
    expect(await debug.continue()).toEqual({ reason: "exit", status: 77 });
    const second = start(abi, engine);
    second.debug.setBreakpoints([second.entry + 9 * 4]);
    await second.debug.continue();
    second.debug.setRegister(second.tid, "r3", 33n);
    expect(await second.debug.continue()).toEqual({ reason: "exit", status: 33 });
    expect(tid).toBe(second.tid);
  });
});

describe("a debugger's registers", () => {
  it("are all different places of the block, each as wide as it says", () => {
    for (const abi of ["ppc32", "ppc64"] as const) {
      const { debug, tid } = start(abi);
      // A floating-point register is the upper half of a vector-scalar register; CR fields and XER have no room for all bits.
      const names = debug.registers
        .map(({ name }) => name)
        .filter((name) => !/^f\d/.test(name) && name !== "xer");
      const values = names.map((_, i) => BigInt(i + 1) * 0x0101_0101_0101_0101_0101_0101_0101_0101n);
      const widths = names.map((name) => debug.registers.find((register) => register.name === name)!.bits);
      names.forEach((name, i) => {
        debug.setRegister(tid, name, BigInt.asUintN(widths[i], values[i]));
      });
      names.forEach((name, i) => {
        expect([name, debug.register(tid, name)]).toEqual([name, BigInt.asUintN(widths[i], values[i])]);
      });
      expect(debug.register(tid, "f5")).toBe(debug.register(tid, "vs5") >> 64n);
      expect(() => debug.register(tid, "r32")).toThrow("no register r32");
      expect(() => debug.register(tid + 1, "r3")).toThrow(`no thread ${tid + 1}`);
    }
  });

  it("and memory that is not there is not read", () => {
    const { debug } = start("ppc32");
    expect(debug.readMemory(0x1001_2ff0, 0x20)).toHaveLength(0x10);
    expect(debug.readMemory(0x2000_0000, 4)).toHaveLength(0);
    expect(() => debug.writeMemory(0x1000_0000, Uint8Array.of(1))).toThrow("data-protected");
  });
});
