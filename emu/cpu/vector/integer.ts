/** Vector integer add, subtract, average, maximum, minimum and sum across: Power ISA 3.0B, I.6.9.1 to I.6.9.4. */

import {
  and,
  andNot,
  anyTrue,
  averageUB,
  averageUH,
  B,
  bitSelect,
  type Code,
  D,
  H,
  high,
  i32,
  i32Op,
  i64,
  i64Op,
  type Lanes,
  low,
  ONES,
  or,
  pair,
  saturating,
  select,
  v128,
  W,
  xor,
  ZERO,
} from "./expressions.ts";
import type { Frame, Row } from "./frame.ts";
import type { Family } from "./functions.ts";

type Binary = (a: Code, b: Code) => Code;

/** VRT <- a op b. */
export const binary =
  (op: Binary): Row =>
  ({ a, b }) =>
    op(a, b);

const not = (a: Code): Code => xor(a, ONES);

/** A saturating operation: SAT is set where the result is not the modular one's. */
const sticking =
  (saturate: Binary, modulo: Binary): Row =>
  (frame) =>
    frame.vector(saturate(frame.a, frame.b), (result) => [
      ...frame.saturated(anyTrue(xor(result, modulo(frame.a, frame.b)))),
      ...result,
    ]);

const GREATEST_W = v128(0x7fff_ffff_7fff_ffffn, 0x7fff_ffff_7fff_ffffn);

/** The sum `sum` of signed words, or where it went wrong (`wrong` has its sign bit set) the end of the range on the side of `a`. */
const endOfRange = (a: Code, sum: Code, wrong: Code): Code =>
  bitSelect(xor(W.shrS(a, i32(31)), GREATEST_W), sum, W.shrS(wrong, i32(31)));
const addSW: Binary = (a, b) => endOfRange(a, W.add(a, b), andNot(xor(a, W.add(a, b)), xor(a, b)));
const subSW: Binary = (a, b) => endOfRange(a, W.sub(a, b), and(xor(a, W.sub(a, b)), xor(a, b)));
/** a + b wraps exactly where b > ~a; a - b where b > a. */
const addUW: Binary = (a, b) => W.add(a, W.minU(b, not(a)));
const subUW: Binary = (a, b) => W.sub(a, W.minU(a, b));

const ONE_W = v128(0x1_0000_0001n, 0x1_0000_0001n);

// ---- quadwords -------------------------------------------------------------------------------------------

/** A number of 128 bits as two i64. */
export interface Quad {
  readonly high: Code;
  readonly low: Code;
}

/** The sum of two quadwords and a carry-in (an i64, 0 or 1), and its carry-out. */
export function addQuads(
  frame: Frame,
  x: Quad,
  y: Quad,
  carry: Code,
  body: (sum: Quad, carryOut: Code) => Code,
): Code {
  const lowSum = i64Op.add(x.low, y.low);
  return frame.doubleword(lowSum, (partial) =>
    frame.doubleword(i64Op.add(partial, carry), (sum) =>
      frame.doubleword(
        i64Op.extendU(i32Op.or(i64Op.ltU(partial, x.low), i64Op.ltU(sum, partial))),
        (lowCarry) =>
          frame.doubleword(i64Op.add(x.high, y.high), (partialHigh) =>
            frame.doubleword(i64Op.add(partialHigh, lowCarry), (highSum) =>
              frame.doubleword(
                i64Op.extendU(i32Op.or(i64Op.ltU(partialHigh, x.high), i64Op.ltU(highSum, partialHigh))),
                (out) => body({ high: highSum, low: sum }, out),
              ),
            ),
          ),
      ),
    ),
  );
}

/** The two halves of a vector, kept. */
export const withQuad = (frame: Frame, value: Code, body: (quad: Quad) => Code): Code =>
  frame.doubleword(high(value), (upper) =>
    frame.doubleword(low(value), (lower) => body({ high: upper, low: lower })),
  );

const carryIn = (frame: Frame): Code => i64Op.and(low(frame.c), i64(1n));

/** VRT <- the sum of VRA, VRB (or its complement) and a carry-in: the sum itself, or its carry-out. */
const quadSum =
  (subtract: boolean, carry: (frame: Frame) => Code, wanted: "sum" | "carry"): Row =>
  (frame) =>
    withQuad(frame, frame.a, (x) =>
      withQuad(frame, subtract ? not(frame.b) : frame.b, (y) =>
        addQuads(frame, x, y, carry(frame), (sum, out) =>
          wanted === "sum" ? pair(sum.high, sum.low) : pair(i64(0n), out),
        ),
      ),
    );
const noCarry = (): Code => i64(0n);
const oneCarry = (): Code => i64(1n);

// ---- sums across --------------------------------------------------------------------------------------------

/** An i64 sum cut to a word with saturation, as i32; SAT is set where that changes it. */
export function wordOf(frame: Frame, sum: Code, signed: boolean): Code {
  const least = signed ? -(1n << 31n) : 0n;
  const greatest = signed ? (1n << 31n) - 1n : (1n << 32n) - 1n;
  return frame.doubleword(sum, (sum) =>
    frame.doubleword(
      select(
        i64(least),
        select(i64(greatest), sum, i64Op.gtS(sum, i64(greatest))),
        i64Op.ltS(sum, i64(least)),
      ),
      (result) => [...frame.saturated(i64Op.ne(result, sum)), ...i32Op.wrap(result)],
    ),
  );
}

export const extend = (lanes: Lanes, signed: boolean, index: number, from: Code): Code =>
  signed ? i64Op.extendS(lanes.extractS(index, from)) : i64Op.extendU(lanes.extractU(index, from));

/** The sum of i64 values. */
export const total = (terms: readonly Code[]): Code => terms.reduce((sum, term) => i64Op.add(sum, term));

/** Each word of VRB plus the elements of VRA (or their products with VRB's) that lie in the same word. */
const sumAcross =
  (lanes: Lanes, signed: boolean): Row =>
  (frame) => {
    const each = lanes.count / 4;
    return [0, 1, 2, 3].reduce<Code>((into, word) => {
      const terms = Array.from({ length: each }, (_, i) => extend(lanes, signed, word * each + i, frame.a));
      const sum = total([extend(W, signed, word, frame.b), ...terms]);
      return W.replace(word, into, wordOf(frame, sum, signed));
    }, ZERO);
  };

/** Words of VRA summed, with the last word of VRB, into the last word of each group of `group` words. */
const sumWords =
  (group: 2 | 4): Row =>
  (frame) =>
    Array.from({ length: 4 / group }, (_, i) => i * group).reduce<Code>((into, last) => {
      const terms = Array.from({ length: group }, (_, i) => extend(W, true, last + i, frame.a));
      const sum = total([extend(W, true, last, frame.b), ...terms]);
      return W.replace(last, into, wordOf(frame, sum, true));
    }, ZERO);

/** The average (a + b + 1) / 2 of words: a + b = 2 (a | b) - (a ^ b). */
const averageW =
  (shift: Lanes["shrS"]): Row =>
  ({ a, b }) =>
    W.sub(or(a, b), shift(xor(a, b), i32(1)));
const SIGN_B = v128(0x8080_8080_8080_8080n, 0x8080_8080_8080_8080n);
const SIGN_H = v128(0x8000_8000_8000_8000n, 0x8000_8000_8000_8000n);
/** Signed elements averaged as unsigned ones with the sign bits flipped. */
const averageSigned =
  (average: Binary, signs: Code): Row =>
  ({ a, b }) =>
    xor(average(xor(a, signs), xor(b, signs)), signs);

const difference =
  (lanes: Lanes): Row =>
  ({ a, b }) =>
    lanes.sub(lanes.maxU(a, b), lanes.minU(a, b));

/** The least significant `bits` of each element with their sign. */
const signExtend =
  (lanes: Lanes, bits: number): Row =>
  ({ b }) => {
    const count = i32(lanes.bits - bits);
    return lanes.shrS(lanes.shl(b, count), count);
  };

/** Rows of I.6.9.1 to I.6.9.4, but multiplications and divisions. */
export const INTEGER = (): Family => ({
  vaddcuw: ({ a, b }) => and(W.gtU(b, not(a)), ONE_W),
  vaddsbs: sticking(saturating.addSB, B.add),
  vaddshs: sticking(saturating.addSH, H.add),
  vaddsws: sticking(addSW, W.add),
  vaddubm: binary(B.add),
  vaddudm: binary(D.add),
  vadduhm: binary(H.add),
  vadduwm: binary(W.add),
  vaddubs: sticking(saturating.addUB, B.add),
  vadduhs: sticking(saturating.addUH, H.add),
  vadduws: sticking(addUW, W.add),
  vadduqm: quadSum(false, noCarry, "sum"),
  vaddcuq: quadSum(false, noCarry, "carry"),
  vaddeuqm: quadSum(false, carryIn, "sum"),
  vaddecuq: quadSum(false, carryIn, "carry"),
  vsubcuw: ({ a, b }) => andNot(ONE_W, W.gtU(b, a)),
  vsubsbs: sticking(saturating.subSB, B.sub),
  vsubshs: sticking(saturating.subSH, H.sub),
  vsubsws: sticking(subSW, W.sub),
  vsububm: binary(B.sub),
  vsubudm: binary(D.sub),
  vsubuhm: binary(H.sub),
  vsubuwm: binary(W.sub),
  vsububs: sticking(saturating.subUB, B.sub),
  vsubuhs: sticking(saturating.subUH, H.sub),
  vsubuws: sticking(subUW, W.sub),
  vsubuqm: quadSum(true, oneCarry, "sum"),
  vsubcuq: quadSum(true, oneCarry, "carry"),
  vsubeuqm: quadSum(true, carryIn, "sum"),
  vsubecuq: quadSum(true, carryIn, "carry"),
  vsumsws: sumWords(4),
  vsum2sws: sumWords(2),
  vsum4sbs: sumAcross(B, true),
  vsum4shs: sumAcross(H, true),
  vsum4ubs: sumAcross(B, false),

  vnegw: ({ b }) => W.neg(b),
  vnegd: ({ b }) => D.neg(b),
  vextsb2w: signExtend(W, 8),
  vextsh2w: signExtend(W, 16),
  vextsb2d: signExtend(D, 8),
  vextsh2d: signExtend(D, 16),
  vextsw2d: signExtend(D, 32),
  vextsd2q: (frame) => pair(i64Op.shrS(low(frame.b), i64(63n)), low(frame.b)),

  vavgsb: averageSigned(averageUB, SIGN_B),
  vavgsh: averageSigned(averageUH, SIGN_H),
  vavgsw: averageW(W.shrS),
  vavgub: binary(averageUB),
  vavguh: binary(averageUH),
  vavguw: averageW(W.shrU),
  vabsdub: difference(B),
  vabsduh: difference(H),
  vabsduw: difference(W),
  vmaxsb: binary(B.maxS),
  vmaxsh: binary(H.maxS),
  vmaxsw: binary(W.maxS),
  vmaxsd: binary(D.maxS),
  vmaxub: binary(B.maxU),
  vmaxuh: binary(H.maxU),
  vmaxuw: binary(W.maxU),
  vmaxud: binary(D.maxU),
  vminsb: binary(B.minS),
  vminsh: binary(H.minS),
  vminsw: binary(W.minS),
  vminsd: binary(D.minS),
  vminub: binary(B.minU),
  vminuh: binary(H.minU),
  vminuw: binary(W.minU),
  vminud: binary(D.minU),
});
