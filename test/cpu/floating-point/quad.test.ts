import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MSR, VSR } from "../../../emu/cpu/registers.ts";
import {
  after,
  computed,
  fromInteger,
  type Outcome,
  target,
  toFormat,
  toInteger,
  toIntegral,
} from "./expected.ts";
import { createFpMachine } from "./machine.ts";
import { randomOperands, randomStatus, Words } from "./operands.ts";
import { BINARY64, BINARY128, EXTENDED, type FormatUnderTest, reencode, TO_ODD } from "./reference.ts";

type Operation = (a: bigint, b: bigint, t: bigint, fpscr: number) => Outcome;
interface Row {
  readonly operation: Operation;
  /** Bits of the operands VRB and of the result, from the left. */
  readonly from?: number;
  readonly to?: number;
  readonly class?: FormatUnderTest;
  readonly more?: number;
}

const rows = new Map<string, Row>();
for (const odd of [false, true]) {
  const o = odd ? "o" : "";
  const quad = (fpscr: number) => target(fpscr, BINARY128, BINARY128, odd ? TO_ODD : fpscr % 4);
  for (const name of ["add", "sub", "mul", "div", "sqrt"]) {
    rows.set(`xs${name}qp${o}`, { operation: (a, b, _t, fpscr) => computed(name, a, b, b, quad(fpscr)) });
  }
  for (const name of ["madd", "msub", "nmadd", "nmsub"]) {
    rows.set(`xs${name}qp${o}`, { operation: (a, b, t, fpscr) => computed(name, a, t, b, quad(fpscr)) });
  }
  rows.set(`xscvqpdp${o}`, {
    operation: (_a, b, _t, fpscr) =>
      toFormat(b, BINARY128, target(fpscr, BINARY64, BINARY64, odd ? TO_ODD : fpscr % 4)),
    to: 64,
    class: BINARY64,
  });
}
rows.set("xscvdpqp", {
  operation: (_a, b, _t, fpscr) => toFormat(b, BINARY64, target(fpscr, BINARY128)),
  from: 64,
});
for (const [name, width, signed] of [
  ["sd", 64, true],
  ["ud", 64, false],
  ["sw", 32, true],
  ["uw", 32, false],
  ["sq", 128, true],
  ["uq", 128, false],
] as const) {
  rows.set(`xscvqp${name}z`, {
    operation: (_a, b) => toInteger(b, BINARY128, width, signed, 1),
    to: Math.max(width, 64),
  });
  if (width === 32) continue;
  rows.set(`xscv${name}qp`, {
    operation: (_a, b, _t, fpscr) =>
      fromInteger(signed ? BigInt.asIntN(width, b) : b, target(fpscr, BINARY128)),
    from: width,
  });
}
// R || RMC: to nearest with ties away, as the FPSCR says, and the four of RN.
for (const [fields, mode] of [
  [0, 4],
  [3, -1],
  [4, 0],
  [5, 1],
  [6, 2],
  [7, 3],
]) {
  const more = ((fields >> 2) << 16) | ((fields & 3) << 9);
  const rn = (fpscr: number) => (mode < 0 ? fpscr % 4 : mode);
  for (const inexact of [false, true]) {
    rows.set(`xsrqpi${inexact ? "x" : ""} ${fields}`, {
      operation: (_a, b, _t, fpscr) => toIntegral(b, rn(fpscr), inexact, target(fpscr, BINARY128)),
      more,
    });
  }
  rows.set(`xsrqpxp ${fields}`, {
    operation: (_a, b, _t, fpscr) => toFormat(b, BINARY128, target(fpscr, EXTENDED, BINARY128, rn(fpscr))),
    more,
  });
}

/** A quad whose leading bits are those of a double that is worth trying, and which is close to a tie or not. */
function randomQuad(words: Words, double: bigint): bigint {
  const wide = reencode(double, BINARY64, BINARY128);
  const tail = words.pick([
    0n,
    0n,
    1n,
    (1n << 59n) - 1n,
    1n << 59n,
    (1n << 59n) + 1n,
    (1n << 60n) - 1n,
    words.bits() >> 4n,
  ]);
  // Now and then at the ends of the exponent's range.
  const exponent = words.pick([-1n, -1n, -1n, -1n, 0n, 1n, 2n, 112n, 0x7ffen, 0x7ffdn, 0x3fffn, 0x5fffn]);
  const moved = exponent < 0n ? wide : (wide & ~(0x7fffn << 112n)) | (exponent << 112n);
  return moved | tail;
}

const hex = (value: bigint | number) => `0x${value.toString(16)}`;

describe("quad-precision floating point", () => {
  const machine = createFpMachine("3.1");
  const { registers } = machine.cpu;
  const put = (n: number, value: bigint) => {
    registers.u64[VSR / 8 + 2 * n] = value;
    registers.u64[VSR / 8 + 2 * n + 1] = value >> 64n;
  };
  const get = (n: number) => (registers.u64[VSR / 8 + 2 * n + 1] << 64n) | registers.u64[VSR / 8 + 2 * n];

  for (const [key, row] of rows) {
    const name = key.split(" ")[0];
    it(`computes ${key}`, () => {
      fc.assert(
        fc.property(fc.integer(), (seed) => {
          const words = new Words(seed);
          const [a, b, t] = randomOperands(words).map((bits) => randomQuad(words, bits));
          const operand = words.below(4) === 0 ? (words.bits() << 64n) | words.bits() : b;
          // Quads are so much wider than doubles that an exponent adjusted by enabled overflow or underflow need not fit: undefined.
          const fpscr = row.class === undefined ? randomStatus(words) : (randomStatus(words) & ~0x60) >>> 0;
          put(33, a);
          put(34, operand);
          put(36, t);
          registers.u64[MSR / 8] = 0n;
          registers.fpscr = fpscr;
          const fields = (4 << 21) | (2 << 11);
          const hasA = /^xs(n?m?(add|sub)|mul|div)/.test(name) ? 1 << 16 : 0;
          machine.execute(name, machine.match(name) | fields | hasA | (row.more ?? 0));
          const from = row.from ?? 128;
          const to = BigInt(row.to ?? 128);
          const outcome = row.operation(a, operand >> BigInt(128 - from), t, fpscr);
          const want = after(outcome, -1n, fpscr, row.class ?? BINARY128, true);
          const result = want.frt === -1n ? t : BigInt.asUintN(128, want.frt << (128n - to));
          expect(
            `${hex(get(36))} ${hex(registers.fpscr)}`,
            `${key} a=${hex(a)} b=${hex(operand)} t=${hex(t)} fpscr=${hex(fpscr)}`,
          ).toBe(`${hex(result)} ${hex(want.fpscr)}`);
        }),
        { numRuns: Number(process.env.PPCR_FP_RUNS ?? 60) },
      );
    });
  }

  it("compares, selects and takes numbers apart", () => {
    const one = 0x3fffn << 112n;
    const nan = (0x7fffn << 112n) | 5n;
    const run = (name: string, a: bigint, b: bigint, more = 0) => {
      put(33, a);
      put(34, b);
      registers.fpscr = 0;
      machine.execute(name, machine.match(name) | (4 << 21) | (1 << 16) | (2 << 11) | more);
      return get(36);
    };
    const bf1 = (name: string, a: bigint, b: bigint) => {
      registers.cr = 0;
      run(name, a, b);
      return (registers.cr >>> 24) & 15;
    };
    const minus = one | (1n << 127n);
    expect(["xscmpoqp", "xscmpuqp"].map((name) => bf1(name, minus, one))).toEqual([8, 8]);
    expect(["xscmpoqp", "xscmpuqp"].map((name) => bf1(name, 0n, 1n << 127n))).toEqual([2, 2]);
    expect(bf1("xscmpoqp", one, nan)).toBe(1);
    expect(hex(registers.fpscr)).toBe("0xa1081000");
    expect(bf1("xscmpexpqp", minus, 1n)).toBe(4);
    expect(run("xsxexpqp", 0n, minus)).toBe(0x3fffn << 64n);
    expect(run("xsxsigqp", 0n, minus | 7n)).toBe((1n << 112n) | 7n);
    expect(run("xsiexpqp", minus | 3n, 5n << 64n)).toBe((0x8005n << 112n) | 3n);
    expect(run("xsabsqp", 0n, minus)).toBe(one);
    expect(run("xsnegqp", 0n, one)).toBe(minus);
    expect(run("xscpsgnqp", minus, 9n)).toBe((1n << 127n) | 9n);
    expect(run("xsmaxcqp", one, minus)).toBe(one);
    expect(run("xsmincqp", one, nan)).toBe(nan);
    expect(run("xscmpgeqp", one, one)).toBe((1n << 128n) - 1n);
    expect(run("xscmpgtqp", one, one)).toBe(0n);
  });
});
