import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MSR_FE0, MSR_FE1 } from "../../../emu/cpu/registers.ts";
import { createFpMachine } from "./machine.ts";
import { toBits } from "./operands.ts";

const FX = 0x8000_0000;
const FEX = 0x4000_0000;
const VX = 0x2000_0000;
const ZX = 0x0400_0000;
const XX = 0x0200_0000;
const VXSNAN = 0x0100_0000;
const VE = 0x80;
const ZE = 0x10;
const XE = 0x08;

const u = (value: number) => value >>> 0;
const bt = (n: number) => n << 21;
const field = (n: number) => n << 23;

describe("instructions on the FPSCR", () => {
  it("sets FX where mtfsb1 sets an exception bit, and derives VX and FEX", () => {
    const { cpu, execute } = createFpMachine();
    cpu.registers.fpscr = VE;
    execute("mtfsb1", (63 << 26) | bt(7) | (38 << 1));
    expect(cpu.registers.fpscr).toBe(u(FX | FEX | VX | VXSNAN | VE));
  });

  it("does not set FEX or VX by name", () => {
    const { cpu, execute } = createFpMachine();
    for (const n of [1, 2, 20]) execute("mtfsb1", (63 << 26) | bt(n) | (38 << 1));
    expect(cpu.registers.fpscr).toBe(0);
    cpu.registers.fpscr = u(FX | FEX | VX | VXSNAN | VE);
    for (const n of [1, 2]) execute("mtfsb0", (63 << 26) | bt(n) | (70 << 1));
    expect(cpu.registers.fpscr).toBe(u(FX | FEX | VX | VXSNAN | VE));
    execute("mtfsb0", (63 << 26) | bt(7) | (70 << 1));
    expect(cpu.registers.fpscr).toBe(u(FX | VE));
  });

  it("copies a field to CR and clears its exception bits with mcrfs", () => {
    const { cpu, execute } = createFpMachine();
    cpu.registers.cr = 0;
    cpu.registers.fpscr = u(FX | VX | XX | VXSNAN | 0x1000);
    execute("mcrfs", (63 << 26) | field(6) | (1 << 18) | (64 << 1));
    expect(cpu.registers.cr).toBe(0x30);
    expect(cpu.registers.fpscr).toBe(u(FX | 0x1000));
    // FPCC is no exception.
    execute("mcrfs", (63 << 26) | field(6) | (4 << 18) | (64 << 1));
    expect(cpu.registers.cr).toBe(0x10);
    expect(cpu.registers.fpscr).toBe(u(FX | 0x1000));
  });

  it("moves the fields that FLM names, FX as it is in FRB", () => {
    fc.assert(
      fc.property(fc.nat(255), fc.nat(0xffff_ffff), fc.nat(0xffff_ffff), (flm, before, source) => {
        const { cpu, execute } = createFpMachine();
        const plain = ~(FEX | VX | 0x800);
        cpu.registers.fpscr = u(before & plain & 0xf00f_f007);
        const start = cpu.registers.fpscr;
        cpu.registers.setFpr(2, BigInt(source));
        execute("mtfsf", (63 << 26) | (flm << 17) | (2 << 11) | (711 << 1));
        let mask = 0;
        for (let n = 0; n < 8; n++) if ((flm >> (7 - n)) & 1) mask |= 15 << (28 - 4 * n);
        const want = (start & ~mask) | (source & mask);
        expect(u(cpu.registers.fpscr & plain)).toBe(u(want & plain));
      }),
    );
  });

  it("moves an immediate to a field, and to DRN with W set from 2.05 on", () => {
    const word = (n: number, value: number, w: number) =>
      (63 << 26) | field(n) | (w << 16) | (value << 12) | (134 << 1);
    for (const [version, upper, low] of [
      ["2.05", 5, 0],
      ["2.03", 0, 1],
    ] as const) {
      const { cpu, execute } = createFpMachine(version);
      execute("mtfsfi", word(7, 5, 1));
      execute("mffs", (63 << 26) | (4 << 21) | (583 << 1));
      expect(cpu.registers.fpr(4)).toBe((BigInt(upper) << 32n) | BigInt(low === 1 ? 5 : 0));
    }
  });

  const sister = (kind: number) => (63 << 26) | (4 << 21) | (kind << 16) | (2 << 11) | (583 << 1);

  it("reads and changes the control bits with the light forms of mffs from 3.0 on", () => {
    const { cpu, execute } = createFpMachine("3.0");
    const all = u(FX | XX | 0x7_f000 | VE | XE | FEX | 2);
    cpu.registers.fpscr = all;
    execute("mffsl", sister(24));
    expect(cpu.registers.fpr(4)).toBe(BigInt(0x7_f000 | VE | XE | 2));
    cpu.registers.setFpr(2, 3n);
    execute("mffscrn", sister(22));
    expect(cpu.registers.fpr(4)).toBe(BigInt(VE | XE | 2));
    expect(cpu.registers.fpscr & 3).toBe(3);
    execute("mffscrni", (sister(23) & ~(31 << 11)) | (1 << 11));
    expect(cpu.registers.fpscr & 3).toBe(1);
    execute("mffsce", sister(1));
    expect(cpu.registers.fpscr).toBe(u(FX | XX | 0x7_f000 | 1));
  });

  it("takes the light forms for mffs before 3.0, as the C library counts on", () => {
    const { cpu, execute } = createFpMachine("2.03");
    cpu.registers.fpscr = u(FX | XX | 2);
    cpu.registers.setFpr(2, 3n);
    for (const [name, kind] of Object.entries({ mffsl: 24, mffscrn: 22, mffscrni: 23, mffsce: 1 })) {
      cpu.registers.setFpr(4, 0n);
      execute(name, sister(kind));
      expect(cpu.registers.fpr(4)).toBe(BigInt(u(FX | XX | 2)));
      expect(cpu.registers.fpscr).toBe(u(FX | XX | 2));
    }
  });
});

describe("enabled floating-point exceptions", () => {
  const divideByZero = (enables: number, msr: bigint) => {
    const machine = createFpMachine();
    const { registers } = machine.cpu;
    registers.fpscr = enables;
    registers.msr = msr;
    registers.setFpr(1, toBits(1));
    registers.setFpr(2, 0n);
    registers.setFpr(4, 42n);
    return { registers, run: () => machine.run("fdiv") };
  };

  it("interrupt with the FPSCR set and the target unchanged when FE0 or FE1 is set", () => {
    for (const msr of [MSR_FE0, MSR_FE1, MSR_FE0 | MSR_FE1]) {
      const { registers, run } = divideByZero(ZE, msr);
      expect(run).toThrow("floating-point at 0x10000000");
      expect(registers.fpscr).toBe(u(FX | FEX | ZX | ZE));
      expect(registers.fpr(4)).toBe(42n);
    }
  });

  it("do not interrupt with FE0 and FE1 clear, and leave the target as well", () => {
    const { registers, run } = divideByZero(ZE, 0n);
    run();
    expect(registers.fpscr).toBe(u(FX | FEX | ZX | ZE));
    expect(registers.fpr(4)).toBe(42n);
  });

  it("write the target first when it is inexact that is enabled", () => {
    const { registers, run } = divideByZero(XE, MSR_FE0);
    registers.setFpr(2, toBits(3));
    expect(run).toThrow("floating-point");
    expect(registers.fpr(4)).toBe(toBits(1 / 3));
  });

  it("interrupt where mtfsf enables an exception that is pending", () => {
    const { cpu, execute } = createFpMachine();
    cpu.registers.fpscr = u(FX | ZX);
    cpu.registers.msr = MSR_FE0;
    cpu.registers.setFpr(2, BigInt(ZE));
    expect(() => execute("mtfsf", (63 << 26) | (2 << 17) | (2 << 11) | (711 << 1))).toThrow("floating-point");
    expect(cpu.registers.fpscr).toBe(u(FX | FEX | ZX | ZE));
  });
});
