import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { VSCR, VSR } from "../../../emu/cpu/registers.ts";
import { computed, target, toIntegral } from "./expected.ts";
import { createFpMachine } from "./machine.ts";
import { randomOperands, Words } from "./operands.ts";
import { BINARY32, BINARY64, operand, reencode } from "./reference.ts";

const SIGN = 1n << 31n;
const QUIET = 1n << 22n;
const TARGET = target(0, BINARY32);
const ONE = 0x3f80_0000n;

const isNan = (bits: bigint) => operand(bits, BINARY32).kind === "nan";
/** Subnormal numbers as zeros. */
const flush = (bits: bigint) => ((bits >> 23n) % 256n === 0n ? bits & SIGN : bits);

type Element = (a: bigint, b: bigint, c: bigint) => { bits: bigint; tiny: boolean };
const arithmetic =
  (name: string): Element =>
  (a, b, c) => {
    const { bits } = computed(name, a, b, c, TARGET);
    // With underflow enabled the reference says of every tiny result that it is.
    const tiny = computed(name, a, b, c, target(0x20, BINARY32)).raised.includes("UX");
    return { bits, tiny };
  };
const rounding =
  (mode: number): Element =>
  (_a, b) => ({ bits: toIntegral(b, mode, false, TARGET).bits, tiny: false });
const mask = (relation: (a: number, b: number) => boolean): Element => {
  const value = (bits: bigint) => new Float32Array(new Uint32Array([Number(bits)]).buffer)[0];
  return (a, b) => ({ bits: relation(value(a), value(b)) ? 0xffff_ffffn : 0n, tiny: false });
};
const bounds: Element = (a, b, c) => ({
  bits:
    (mask((x, y) => x <= y)(a, b, c).bits === 0n ? SIGN : 0n) |
    (mask((x, y) => x >= -y)(a, b, c).bits === 0n ? 1n << 30n : 0n),
  tiny: false,
});

const ELEMENTS: Record<string, Element> = {
  vaddfp: arithmetic("add"),
  vsubfp: arithmetic("sub"),
  vmaddfp: arithmetic("madd"),
  vnmsubfp: arithmetic("nmsub"),
  vrefp: (_a, b, c) => arithmetic("div")(ONE, b, c),
  vrfim: rounding(3),
  vrfin: rounding(0),
  vrfip: rounding(2),
  vrfiz: rounding(1),
  vcmpeqfp: mask((a, b) => a === b),
  vcmpgefp: mask((a, b) => a >= b),
  vcmpgtfp: mask((a, b) => a > b),
  vcmpbfp: bounds,
};

describe("Altivec floating point", () => {
  const machine = createFpMachine("2.07");
  const { registers } = machine.cpu;
  const put = (n: number, words: readonly bigint[]) => {
    registers.u64[VSR / 8 + 2 * n + 1] = (words[0] << 32n) | words[1];
    registers.u64[VSR / 8 + 2 * n] = (words[2] << 32n) | words[3];
  };
  const get = (n: number) =>
    [1, 0].flatMap((d) => [32n, 0n].map((s) => (registers.u64[VSR / 8 + 2 * n + d] >> s) & 0xffff_ffffn));
  /** Executes a row on VRs 1 (A), 2 (B), 3 (C) and gives VR 4. */
  const run = (name: string, more: number, a: bigint[], b: bigint[], c = a, nonJava = false) => {
    put(33, a);
    put(34, b);
    put(35, c);
    registers.u32[VSCR / 4] = nonJava ? 0x1_0000 : 0;
    const fieldA = /^v(r|ct|cf|log|exp)/.test(name) ? 0 : 1 << 16;
    machine.execute(name, machine.match(name) | (4 << 21) | fieldA | (2 << 11) | more);
    return get(36);
  };

  for (const [name, element] of Object.entries(ELEMENTS)) {
    const isFused = name === "vmaddfp" || name === "vnmsubfp";
    const more = isFused ? 3 << 6 : 0;
    it(`computes ${name} element by element, in Java mode and without`, () => {
      fc.assert(
        fc.property(fc.integer(), fc.boolean(), (seed, nonJava) => {
          const words = new Words(seed);
          const lanes = Array.from({ length: 4 }, () =>
            randomOperands(words).map((bits) => reencode((bits >> 29n) << 29n, BINARY64, BINARY32)),
          );
          const [a, b, c] = [0, 1, 2].map((i) => lanes.map((lane) => lane[i]));
          const got = run(name, more, a, b, c, nonJava);
          const want = lanes.map((lane) => {
            const [x, y, z] = nonJava ? lane.map((bits) => (isNan(bits) ? bits : flush(bits))) : lane;
            const { bits, tiny } = element(x, y, z);
            return nonJava && (tiny || flush(bits) !== bits) && !isNan(bits) ? bits & SIGN : bits;
          });
          expect(
            got.map(String),
            `${name} ${lanes.map((l) => l.map((v) => v.toString(16)))} ${nonJava}`,
          ).toEqual(want.map(String));
        }),
        { numRuns: Number(process.env.PPCR_FP_RUNS ?? 100) },
      );
    });
  }

  it("keeps the first NaN of A, B and C, quieted", () => {
    const nan = (n: bigint) => 0x7f80_0000n | n;
    expect(
      run(
        "vmaddfp",
        3 << 6,
        [nan(1n), ONE, ONE, ONE],
        [nan(2n), nan(2n), ONE, ONE],
        [nan(3n), nan(3n), nan(3n), 0n],
      ),
    ).toEqual([nan(1n) | QUIET, nan(2n) | QUIET, nan(3n) | QUIET, ONE]);
  });
  it("takes the greater of zeros of both signs as positive", () => {
    expect(run("vmaxfp", 0, [0n, SIGN, SIGN, ONE], [SIGN, 0n, SIGN, 0n])).toEqual([0n, 0n, SIGN, ONE]);
    expect(run("vminfp", 0, [0n, SIGN, SIGN, ONE], [SIGN, 0n, SIGN, 0n])).toEqual([SIGN, SIGN, SIGN, 0n]);
  });
  it("saturates conversions to integers and says so in SAT; NaNs are zero", () => {
    const values = [0x4f00_0000n, 0xcf80_0000n, 0x7fc0_0000n, 0xbfc0_0000n];
    expect(run("vctsxs", 0, values, values)).toEqual([0x7fff_ffffn, 0x8000_0000n, 0n, 0xffff_ffffn]);
    expect(run("vctuxs", 0, values, values)).toEqual([0x8000_0000n, 0n, 0n, 0n]);
    expect(registers.u32[VSCR / 4]).toBe(1);
    const scaled = machine.match("vctsxs") | (4 << 21) | (3 << 16) | (2 << 11);
    put(34, [ONE, ONE, ONE, 0n]);
    registers.u32[VSCR / 4] = 0;
    machine.execute("vctsxs", scaled);
    expect(get(36)).toEqual([8n, 8n, 8n, 0n]);
    expect(registers.u32[VSCR / 4]).toBe(0);
  });
  it("converts integers with a scale, rounded once", () => {
    const integers = [0xffff_ffffn, 0x7fff_ffffn, 1n, 0n];
    put(34, integers);
    machine.execute("vcfsx", machine.match("vcfsx") | (4 << 21) | (1 << 16) | (2 << 11));
    expect(get(36)).toEqual([0xbf00_0000n, 0x4e80_0000n, 0x3f00_0000n, 0n]);
    machine.execute("vcfux", machine.match("vcfux") | (4 << 21) | (2 << 11));
    expect(get(36)).toEqual([0x4f80_0000n, 0x4f00_0000n, ONE, 0n]);
  });
  it("sets CR6 where compares record", () => {
    run("vcmpeqfp", 0x400, [ONE, ONE, ONE, ONE], [ONE, ONE, ONE, ONE]);
    expect((registers.cr >>> 4) & 15).toBe(8);
    run("vcmpgtfp", 0x400, [ONE, ONE, ONE, ONE], [ONE, ONE, ONE, ONE]);
    expect((registers.cr >>> 4) & 15).toBe(2);
    run("vcmpbfp", 0x400, [ONE, 0n, 0n, 0n], [ONE, ONE, ONE, ONE]);
    expect((registers.cr >>> 4) & 15).toBe(2);
  });
  it("estimates roots, logarithms and powers within the manual's bounds", () => {
    const four = [0x4080_0000n, 0x3e80_0000n, 0x0080_0000n, 0x3f80_0000n];
    expect(run("vrsqrtefp", 0, four, four).slice(0, 2)).toEqual([0x3f00_0000n, 0x4000_0000n]);
    expect(run("vlogefp", 0, four, four)).toEqual([0x4000_0000n, 0xc000_0000n, 0xc2fc_0000n, 0n]);
    expect(run("vexptefp", 0, four, four)[0]).toBe(0x4180_0000n);
  });
});
