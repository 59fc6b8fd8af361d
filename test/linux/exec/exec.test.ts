import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { modelFor } from "../../../emu/cpu/models.ts";
import { HostError } from "../../../emu/host/host.ts";
import { ABIS } from "../../../emu/linux/abi.ts";
import { ElfError } from "../../../emu/linux/elf/error.ts";
import { SysError } from "../../../emu/linux/errno.ts";
import { type ExecContext, loadProgram } from "../../../emu/linux/exec.ts";
import { Kernel } from "../../../emu/linux/kernel.ts";
import { ordinaryUser } from "../../../emu/linux/credentials.ts";
import { AddressSpace } from "../../../emu/memory/address-space.ts";
import { readCString } from "../../../emu/memory/c-strings.ts";
import type { Abi } from "../../../emu/snapshot.ts";
import { memoryHost } from "../../support/memory-host.ts";
import {
  CODE,
  DATA,
  DATA_FILE,
  DATA_MEMORY,
  DATA_START,
  type TinyOptions,
  tinyElf,
} from "../../support/tiny-elf.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

function start(
  abi: Abi,
  bytes: Uint8Array,
  argv: string[] = ["tiny", "one"],
  env: string[] = ["A=1", "BC=22"],
) {
  const kernel = new Kernel({
    host: memoryHost(),
    abi: ABIS[abi],
    cpuModel: modelFor(undefined, abi),
    mounts: [],
    seed: 7n,
    addressSpaceSize: 2 ** 30,
  });
  const process = kernel.start({ path: "/bin/tiny", bytes, argv: argv.map(text), env: env.map(text) });
  return { kernel, process, memory: process.memory, registers: process.leader!.registers };
}

const tiny = (abi: Abi, options?: TinyOptions) => start(abi, tinyElf(abi, ["sc"], options));

describe.each(["ppc32", "ppc64", "ppc64le"] as const)("a %s program at its start", (abi) => {
  const { process, memory, registers } = tiny(abi, { data: text("data!") });
  const { is64, wordSize } = ABIS[abi];
  const word = (at: number): number => (is64 ? Number(memory.load64(at)) : memory.load32(at) >>> 0);
  const string = (at: number): string => Buffer.from(readCString(memory, at, 4096)!).toString();
  const sp = Number(registers.gpr(1));

  it("has its stack pointer aligned and argc, argv, envp and the auxiliary vector above it", () => {
    expect(sp % 16).toBe(0);
    expect(word(sp)).toBe(2);
    const pointers = Array.from({ length: 6 }, (_, i) => word(sp + wordSize * (1 + i)));
    expect([0, 1, 3, 4].map((i) => string(pointers[i]))).toEqual(["tiny", "one", "A=1", "BC=22"]);
    expect([pointers[2], pointers[5]]).toEqual([0, 0]);
    const auxv: [number, number][] = [];
    let at = sp + wordSize * 7;
    for (; word(at) !== 0; at += 2 * wordSize) auxv.push([word(at), word(at + wordSize)]);
    expect(word(at + wordSize)).toBe(0);
    expect(auxv.slice(0, 2)).toEqual([
      [22, 22],
      [22, 22],
    ]);
    const values = new Map(auxv);
    expect(values.get(6)).toBe(4096);
    expect(values.get(17)).toBe(100);
    expect(values.get(19)).toBe(modelFor(undefined, abi).cacheBlock);
    expect(values.get(3)).toBe(CODE + (is64 ? 64 : 52));
    expect(values.get(5)).toBe(3);
    expect(values.get(7)).toBe(0);
    expect([11, 12, 13, 14, 23].map((type) => values.get(type))).toEqual([1000, 1000, 1000, 1000, 0]);
    expect(string(values.get(31)!)).toBe("/bin/tiny");
    expect(memory.read(values.get(25)!, 16).some((byte) => byte !== 0)).toBe(true);
    expect(process.layout.auxv.map(({ type, value }) => [type, Number(value)])).toEqual(auxv);
  });

  it("has zero in every register but those the ABI names", () => {
    const named = is64 && abi === "ppc64" ? [1, 2] : is64 ? [1, 12] : [1];
    for (let n = 0; n < 32; n++) if (!named.includes(n)) expect(registers.gpr(n)).toBe(0n);
    expect(registers.msr >> 63n).toBe(is64 ? 1n : 0n);
    expect(registers.msr & 0x900n).toBe(is64 ? 0n : 0x900n);
    if (abi === "ppc64") expect(registers.gpr(2)).toBe(BigInt(DATA + 0x8000));
    expect(memory.load32(Number(registers.nia))).toBe(0x4400_0002);
  });

  it("has its data, and zeros behind it", () => {
    expect(string(DATA + DATA_START)).toBe("data!");
    expect(memory.read(DATA + DATA_FILE, DATA_MEMORY - DATA_FILE).every((byte) => byte === 0)).toBe(true);
    expect(process.layout.brk).toBe(DATA + 0x3000);
    expect(memory.areas.find(DATA)?.prot).toBe(3);
    expect(memory.areas.find(CODE)?.prot).toBe(5);
  });

  it("has a stack that grows down to RLIMIT_STACK", () => {
    const area = memory.areas.find(sp)!;
    expect(area).toMatchObject({ growsDown: true, name: "[stack]", prot: 3 });
    const lowest = area.end - 8 * 1024 * 1024;
    memory.store8(lowest, 1);
    expect(memory.areas.find(sp)!.start).toBe(lowest);
    expect(() => memory.store8(lowest - 1, 1)).toThrow(/unmapped/);
  });
});

describe("placing programs", () => {
  it("puts position-independent ones at 0x20000000, the entry descriptor relocated", () => {
    const { process, registers, memory } = tiny("ppc64", { relocatable: true });
    expect(process.layout.startCode).toBe(0x2000_0000);
    expect(memory.load32(Number(registers.nia))).toBe(0x4400_0002);
    expect(registers.gpr(2)).toBe(0x2000_0000n + BigInt(DATA - CODE) + 0x8000n);
  });

  it("makes the stack executable where PT_GNU_STACK says so, or on ppc32 says nothing", () => {
    const stackOf = (abi: Abi, stack: number | null) => {
      const { memory, registers } = tiny(abi, { stack });
      return memory.areas.find(Number(registers.gpr(1)))!.prot;
    };
    expect(stackOf("ppc32", 7)).toBe(7);
    expect(stackOf("ppc32", null)).toBe(7);
    expect(stackOf("ppc64", null)).toBe(3);
  });

  it("wants the interpreter of a dynamic program", () => {
    expect(() => tiny("ppc64", { interpreter: "/lib64/ld64.so.1" })).toThrow(HostError);
  });

  it("refuses a program of another byte order", () => {
    expect(() => start("ppc64", tinyElf("ppc64le", ["sc"]))).toThrow("ENOEXEC");
  });

  it("refuses arguments that are too long", () => {
    const bytes = tinyElf("ppc32", ["sc"]);
    expect(() => start("ppc32", bytes, ["x".repeat(131072)])).toThrow(/E2BIG/);
    expect(() => start("ppc32", bytes, Array(300).fill("x".repeat(10000)))).toThrow(/E2BIG/);
  });
});

describe("damaged programs", () => {
  it.each(["ppc32", "ppc64"] as const)("a mutated %s program is loaded or refused clearly", (abi) => {
    const bytes = tinyElf(abi, ["sc"]);
    const memory = new AddressSpace({ byteOrder: "big", size: 2 ** 30 });
    const context: ExecContext = {
      abi: ABIS[abi],
      cpuModel: modelFor(undefined, abi),
      credentials: ordinaryUser(),
      isSecure: false,
      stackLimit: 8n << 20n,
      random: () => {},
      openProgram: (path) => {
        throw new HostError("ENOENT", path);
      },
    };
    const value = fc.oneof(fc.constantFrom(0, 0x7f, 0x80, 0xff), fc.nat({ max: 255 }));
    const mutation = fc.tuple(fc.nat({ max: 300 }), value);
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 6 }), (mutations) => {
        const copy = Uint8Array.from(bytes);
        for (const [at, byte] of mutations) copy[at] = byte;
        try {
          loadProgram(memory, context, {
            program: { path: "/x", bytes: copy },
            argv: [],
            env: [],
            execfn: text("x"),
          });
        } catch (error) {
          const clear = [ElfError, HostError, SysError].some((kind) => error instanceof kind);
          if (!clear) throw error;
        } finally {
          memory.unmap(0, memory.limit);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
