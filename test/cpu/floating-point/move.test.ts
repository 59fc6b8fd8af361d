import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFpMachine } from "./machine.ts";
import { fromBits, randomOperands, toBits, Words } from "./operands.ts";

const SIGN = 1n << 63n;
const SNAN = 0x7ff0_0000_0000_0001n;
const QNAN = 0x7ff8_0000_0000_0000n;

describe("floating-point moves and select", () => {
  const { cpu, run } = createFpMachine();
  const result = (name: string, a: bigint, b: bigint, c: bigint) => {
    cpu.registers.setFpr(1, a);
    cpu.registers.setFpr(2, b);
    cpu.registers.setFpr(3, c);
    run(name);
    return cpu.registers.fpr(4);
  };
  const HIGH = 0xffff_ffff_0000_0000n;

  it("change the sign bit alone, whatever the operand, and no FPSCR", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const [a, b, c] = randomOperands(new Words(seed));
        expect(result("fmr", a, b, c)).toBe(b);
        expect(result("fneg", a, b, c)).toBe(b ^ SIGN);
        expect(result("fabs", a, b, c)).toBe(b & ~SIGN);
        expect(result("fnabs", a, b, c)).toBe(b | SIGN);
        expect(result("fcpsgn", a, b, c)).toBe((b & ~SIGN) | (a & SIGN));
        expect(result("fmrgew", a, b, c)).toBe((a & HIGH) | (b >> 32n));
        expect(result("fmrgow", a, b, c)).toBe(((a << 32n) & HIGH) | (b & ~HIGH));
        expect(result("fsel", a, b, c)).toBe(fromBits(a) >= 0 ? c : b);
        expect(cpu.registers.fpscr).toBe(0);
      }),
      { numRuns: 1000 },
    );
  });

  it("select FRC for minus zero and FRB for a NaN", () => {
    expect(result("fsel", SIGN, 1n, 2n)).toBe(2n);
    expect(result("fsel", QNAN, 1n, 2n)).toBe(1n);
  });
});

describe("floating-point compares and tests", () => {
  const compare = (name: string, a: bigint, b: bigint, fpscr = 0) => {
    const { cpu, execute } = createFpMachine();
    cpu.registers.setFpr(1, a);
    cpu.registers.setFpr(2, b);
    cpu.registers.cr = 0xffff_ffff;
    cpu.registers.fpscr = fpscr;
    const xo = { fcmpu: 0, fcmpo: 32, ftdiv: 128, ftsqrt: 160 }[name]!;
    execute(name, (63 << 26) | (7 << 23) | (1 << 16) | (2 << 11) | (xo << 1));
    return [cpu.registers.cr & 15, cpu.registers.fpscr];
  };

  it("set CR and FPCC to less, greater, equal or unordered", () => {
    expect(compare("fcmpu", toBits(1), toBits(2), 0x1_f000)).toEqual([8, 0x1_8000]);
    expect(compare("fcmpu", toBits(2), toBits(1))).toEqual([4, 0x4000]);
    expect(compare("fcmpu", toBits(-0), toBits(0))).toEqual([2, 0x2000]);
    expect(compare("fcmpu", QNAN, toBits(0))).toEqual([1, 0x1000]);
  });

  it("raise VXSNAN for signalling NaNs, and VXVC in ordered compares of NaNs", () => {
    expect(compare("fcmpu", SNAN, 0n)).toEqual([1, 0xa100_1000]);
    expect(compare("fcmpo", SNAN, 0n)).toEqual([1, 0xa108_1000]);
    expect(compare("fcmpo", QNAN, 0n)).toEqual([1, 0xa008_1000]);
    // With VE set, VXVC is left to quiet NaNs.
    expect(compare("fcmpo", SNAN, 0n, 0x80)).toEqual([1, 0xe100_1080]);
  });

  it("say where a division or square root in software needs care", () => {
    expect(compare("ftdiv", toBits(1), toBits(3))[0]).toBe(8);
    expect(compare("ftdiv", toBits(1), 0n)[0]).toBe(14);
    expect(compare("ftdiv", toBits(1), 1n)[0]).toBe(14);
    expect(compare("ftdiv", QNAN, toBits(3))[0]).toBe(10);
    expect(compare("ftdiv", toBits(2 ** 600), toBits(2 ** -600))[0]).toBe(10);
    expect(compare("ftsqrt", 0n, toBits(2))[0]).toBe(8);
    expect(compare("ftsqrt", 0n, toBits(-2))[0]).toBe(10);
    expect(compare("ftsqrt", 0n, toBits(Infinity))[0]).toBe(14);
  });
});
