import { describe, expect, it } from "vitest";
import { GuestFault } from "../../emu/cpu/fault.ts";
import { Interpreter } from "../../emu/cpu/interpreter.ts";
import { modelFor } from "../../emu/cpu/models.ts";
import { INSTRUCTIONS, MSR_SF, VSR } from "../../emu/cpu/registers.ts";
import { AddressSpace } from "../../emu/memory/address-space.ts";
import { PAGE_SIZE } from "../../emu/memory/layout.ts";
import { PROT_EXEC, PROT_READ, PROT_WRITE } from "../../emu/memory/vma.ts";
import { assemble } from "./driver.ts";
import { cpuOn } from "../support/cpu.ts";

const CODE = 0x10_0000;
/** paddi 3,4,0x12345678 and pld 5,8(0),1, which counts from the instruction. */
const PADDI = [0x0600_1234, 0x3864_5678];
const PLD = [0x0410_0000, 0xe4a0_0010];

function machine(byteOrder: "big" | "little", model = "power10") {
  const memory = new AddressSpace({ byteOrder, size: 0x80_0000 });
  memory.map({ start: CODE, end: CODE + PAGE_SIZE, prot: PROT_READ | PROT_WRITE | PROT_EXEC, offset: 0 });
  const { registers } = memory;
  const abi = byteOrder === "big" ? "ppc64" : "ppc64le";
  const cpu = cpuOn(memory, modelFor(model, abi));
  registers.msr = MSR_SF;
  return { memory, registers, interpreter: new Interpreter(cpu) };
}

function put(memory: AddressSpace, at: number, words: readonly number[]): void {
  for (const [i, word] of words.entries()) memory.store32(at + 4 * i, word);
}

describe.each(["big", "little"] as const)("prefixed instructions of a %s-endian program", (byteOrder) => {
  it("are one instruction each", () => {
    const { memory, registers, interpreter } = machine(byteOrder);
    put(memory, CODE, [...PADDI, ...PLD, 0x0700_0000, 0]);
    memory.store64(CODE + 8 + 16, 0x1122_3344_5566_7788n);
    registers.setGpr(4, 1n);
    registers.nia = BigInt(CODE);
    interpreter.run(1);
    expect(registers.nia).toBe(BigInt(CODE + 8));
    expect(registers.gpr(3)).toBe(0x1234_5679n);
    interpreter.run(1);
    expect(registers.gpr(5)).toBe(0x1122_3344_5566_7788n);
    expect(registers.u64[INSTRUCTIONS / 8]).toBe(2n);
  });

  it("raise the alignment interrupt across a boundary of 64 bytes", () => {
    const { memory, registers, interpreter } = machine(byteOrder);
    put(memory, CODE + 60, PADDI);
    registers.nia = BigInt(CODE + 60);
    expect(() => interpreter.run(1)).toThrow(expect.objectContaining({ kind: "alignment" }));
    expect(registers.u64[INSTRUCTIONS / 8]).toBe(0n);
  });

  it("are illegal on a processor before ISA 3.1, and with RA where they count from themselves", () => {
    const { memory, registers, interpreter } = machine(byteOrder, "power9");
    put(memory, CODE, PADDI);
    registers.nia = BigInt(CODE);
    expect(() => interpreter.run(1)).toThrow(GuestFault);
    const later = machine(byteOrder);
    put(later.memory, CODE, [PLD[0], PLD[1] | (4 << 16)]);
    later.registers.nia = BigInt(CODE);
    expect(() => later.interpreter.run(1)).toThrow(expect.objectContaining({ kind: "illegal" }));
  });

  it("are illegal with pairs that are odd or overwrite their base, and with sources in the accumulator", () => {
    const plq = (rt: number, ra: number) => [0x0400_0000, ((56 << 26) | (rt << 21) | (ra << 16)) >>> 0];
    const cases = [plq(31, 4), plq(6, 6), [0x0400_0000, 0xf3e4_0000], [0x0790_00ff, 0xec80_28d8]];
    for (const words of cases) {
      const { memory, registers, interpreter } = machine(byteOrder);
      put(memory, CODE, words);
      registers.nia = BigInt(CODE);
      registers.setGpr(4, BigInt(CODE));
      expect(() => interpreter.run(1)).toThrow(expect.objectContaining({ kind: "illegal" }));
    }
  });
});

describe("doubleword 1 of the VSR of an FPR that is written", () => {
  it.each([
    ["power9", 0x1234n],
    ["power10", 0n],
  ])("is on %s what it should be", (model, after) => {
    const { memory, registers, interpreter } = machine("big", model);
    put(memory, CODE, [...assemble("fadd 1,2,3"), ...assemble("lfd 4,0(5)"), ...assemble("fmr 6,2")]);
    registers.nia = BigInt(CODE);
    registers.setGpr(5, BigInt(CODE));
    for (const n of [1, 4, 6]) registers.u64[(VSR + 16 * n) / 8] = 0x1234n;
    interpreter.run(3);
    expect([1, 4, 6].map((n) => registers.u64[(VSR + 16 * n) / 8])).toEqual([after, after, after]);
  });
});
