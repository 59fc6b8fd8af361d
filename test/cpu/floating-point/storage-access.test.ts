import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GuestFault } from "../../../emu/cpu/fault.ts";
import { doubleHigh, doubleLow, single } from "../../../emu/cpu/floating-point/storage-access.ts";
import { PROT_READ, PROT_WRITE } from "../../../emu/memory/vma.ts";
import { createFpMachine } from "./machine.ts";

const view = new DataView(new ArrayBuffer(8));
const DATA = 0x10_0000;

const FRT_RA = (4 << 21) | (1 << 16);

/** A machine with two pages at DATA; RA = 1 has that address. */
function machineWithMemory(is64 = true) {
  const machine = createFpMachine("2.07", is64);
  machine.memory.map({ start: DATA, end: DATA + 0x2000, prot: PROT_READ | PROT_WRITE, offset: 0 });
  machine.cpu.registers.setGpr(1, BigInt(DATA));
  return machine;
}

describe("single and double formats in storage", () => {
  it("widens every class of single to the double of the same value and sign", () => {
    fc.assert(
      fc.property(fc.oneof(fc.integer(), fc.integer({ min: -0x80_0000, max: 0x80_0000 })), (word) => {
        view.setInt32(0, word);
        const value = view.getFloat32(0);
        view.setInt32(0, doubleHigh(word));
        view.setInt32(4, doubleLow(word));
        expect(view.getFloat64(0)).toBe(value);
      }),
      { numRuns: 5000 },
    );
  });

  it("keeps the payload of a signalling NaN both ways", () => {
    for (const word of [0x7f80_0001, 0xffa5_5aa5 | 0, 0x7fbf_ffff]) {
      expect(doubleHigh(word) & 0x8_0000).toBe(0);
      expect(single(doubleHigh(word), doubleLow(word))).toBe(word);
    }
  });

  it("gives back every single that was widened", () => {
    fc.assert(
      fc.property(fc.oneof(fc.integer(), fc.integer({ min: 0, max: 0x80_0000 })), (word) => {
        expect(single(doubleHigh(word), doubleLow(word))).toBe(word);
      }),
      { numRuns: 5000 },
    );
  });

  it("cuts, and does not round, what a single cannot hold", () => {
    expect(single(0x3fff_ffff, -1) >>> 0).toBe(0x3fff_ffff);
    // Half of the least subnormal single.
    expect(single(0x3690_0000, 0)).toBe(0);
    expect(single(0x8690_0000 | 0, 0) >>> 0).toBe(0x8000_0000);
  });
});

describe("floating-point loads and stores", () => {
  it("loads and stores doubles unaligned and across pages, bit for bit", () => {
    const { cpu, memory, execute } = machineWithMemory();
    for (const at of [0, 3, 0xffd]) {
      cpu.registers.setFpr(4, 0x7ff0_1234_5678_9abcn);
      execute("stfd", (54 << 26) | FRT_RA | at);
      expect(memory.load64(DATA + at)).toBe(0x7ff0_1234_5678_9abcn);
      cpu.registers.setFpr(4, 0n);
      execute("lfd", (50 << 26) | FRT_RA | at);
      expect(cpu.registers.fpr(4)).toBe(0x7ff0_1234_5678_9abcn);
    }
  });

  it("writes the address back only when the access succeeds", () => {
    const { cpu, execute } = machineWithMemory();
    const lfdu = (displacement: number) => (51 << 26) | FRT_RA | displacement;
    execute("lfdu", lfdu(16));
    expect(cpu.registers.gpr(1)).toBe(BigInt(DATA + 16));
    expect(() => execute("lfdu", lfdu(0x7000))).toThrow(GuestFault);
    expect(cpu.registers.gpr(1)).toBe(BigInt(DATA + 16));
  });

  it("takes the update forms with RA = 0 as illegal", () => {
    const { execute } = machineWithMemory();
    for (const [name, opcode] of Object.entries({ lfsu: 49, lfdu: 51, stfsu: 53, stfdu: 55 })) {
      expect(() => execute(name, (opcode << 26) | (4 << 21))).toThrow("illegal");
    }
  });

  it("faults at 64-bit addresses beyond the guest's memory", () => {
    const { cpu, execute } = machineWithMemory();
    cpu.registers.setGpr(1, 0x1_0010_0000n);
    expect(() => execute("lfs", (48 << 26) | FRT_RA)).toThrow("0x100100000");
  });

  it("loads pairs into the even and the odd register in storage order", () => {
    const { cpu, memory, execute } = machineWithMemory();
    memory.store64(DATA, 1n);
    memory.store64(DATA + 8, 2n);
    execute("lfdp", (57 << 26) | FRT_RA);
    expect([cpu.registers.fpr(4), cpu.registers.fpr(5)]).toEqual([1n, 2n]);
  });

  it("extends integer words by sign or with zeros and stores the lower word", () => {
    const { cpu, memory, execute } = machineWithMemory();
    memory.store32(DATA, -2);
    const x = (31 << 26) | FRT_RA | (2 << 11);
    cpu.registers.setGpr(2, 0n);
    execute("lfiwax", x | (855 << 1));
    expect(cpu.registers.fpr(4)).toBe(0xffff_ffff_ffff_fffen);
    execute("lfiwzx", x | (887 << 1));
    expect(cpu.registers.fpr(4)).toBe(0xffff_fffen);
    cpu.registers.setFpr(4, 0x1122_3344_5566_7788n);
    execute("stfiwx", x | (983 << 1));
    expect(memory.load32(DATA)).toBe(0x5566_7788);
  });
});
