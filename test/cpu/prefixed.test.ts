import { describe, expect, it } from "vitest";
import { GuestFault } from "../../emu/cpu/fault.ts";
import { Interpreter } from "../../emu/cpu/interpreter.ts";
import { modelFor } from "../../emu/cpu/models.ts";
import { INSTRUCTIONS, MSR_SF } from "../../emu/cpu/registers.ts";
import { AddressSpace } from "../../emu/memory/address-space.ts";
import { PAGE_SIZE } from "../../emu/memory/layout.ts";
import { PROT_EXEC, PROT_READ, PROT_WRITE } from "../../emu/memory/vma.ts";
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
});
