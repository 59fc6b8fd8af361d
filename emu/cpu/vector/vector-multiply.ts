/** Vector integer multiply, multiply-sum and divide: Power ISA 3.0B, I.6.9.1, and 3.1. */

import {
  anyTrue,
  type Code,
  D,
  dotHalfwords,
  H,
  high,
  i32,
  i32Op,
  i64,
  i64Op,
  type Lanes,
  low,
  narrow,
  or,
  pair,
  pairSumHalfwords,
  pairSumSignedHalfwords,
  select,
  W,
  widen,
  widenProduct,
  xor,
  ZERO,
} from "./expressions.ts";
import type { Frame, Row } from "./frame.ts";
import type { Family } from "./functions.ts";
import { addQuads, extend, type Quad, total, withQuad, wordOf } from "./integer.ts";
import { eachElement } from "./shift.ts";

/** The even (from the left) elements, which are the upper halves of elements of twice the size, or the odd ones; extended to that size. */
const half =
  (wide: Lanes, even: boolean, signed: boolean) =>
  (value: Code): Code => {
    const count = i32(wide.bits / 2);
    const shr = signed ? wide.shrS : wide.shrU;
    return shr(even ? value : wide.shl(value, count), count);
  };
/** Products of the even or odd elements, of twice their size. */
const products =
  (wide: Lanes, even: boolean, signed: boolean): Row =>
  ({ a, b }) =>
    wide.mul(half(wide, even, signed)(a), half(wide, even, signed)(b));

/** The product of two i64, as a quadword. */
function wideProduct(frame: Frame, x: Code, y: Code, signed: boolean, body: (product: Quad) => Code): Code {
  const lower = (value: Code): Code => i64Op.and(value, i64(0xffff_ffffn));
  const upper = (value: Code): Code => i64Op.shrU(value, i64(32n));
  return frame.doubleword(i64Op.mul(lower(x), lower(y)), (ll) =>
    frame.doubleword(i64Op.add(i64Op.mul(upper(x), lower(y)), upper(ll)), (middle) =>
      frame.doubleword(i64Op.add(i64Op.mul(lower(x), upper(y)), lower(middle)), (cross) => {
        const top = i64Op.add(i64Op.add(i64Op.mul(upper(x), upper(y)), upper(middle)), upper(cross));
        const correction = (a: Code, b: Code): Code => i64Op.and(i64Op.shrS(a, i64(63n)), b);
        const exact = signed ? i64Op.sub(i64Op.sub(top, correction(x, y)), correction(y, x)) : top;
        return frame.doubleword(exact, (exact) => body({ high: exact, low: i64Op.mul(x, y) }));
      }),
    ),
  );
}
const doublewordProduct =
  (of: (value: Code) => Code, signed: boolean): Row =>
  (frame) =>
    wideProduct(frame, of(frame.a), of(frame.b), signed, (product) => pair(product.high, product.low));
const doublewordHigh =
  (signed: boolean): Row =>
  (frame) =>
    wideProduct(frame, high(frame.a), high(frame.b), signed, (upper) =>
      wideProduct(frame, low(frame.a), low(frame.b), signed, (lower) => pair(upper.high, lower.high)),
    );
/** The upper words of products of words. */
const wordHigh =
  (signed: boolean): Row =>
  (frame) => {
    const upper = (even: boolean): Code => D.shrU(products(D, even, signed)(frame), i32(32));
    return or(D.shl(upper(true), i32(32)), upper(false));
  };

// ---- multiply-add and multiply-sum -------------------------------------------------------------------------

/** (a * b + round) >> 15, plus c, of signed halfwords with saturation. */
const multiplyHighAdd =
  (round: number): Row =>
  (frame) => {
    const sum = (product: Code, addend: Code): Code =>
      W.add(W.shrS(W.add(product, W.splat(i32(round))), i32(15)), addend);
    const { a, b, c } = frame;
    return frame.vector(sum(widenProduct.lowSH(a, b), widen.lowSH(c)), (lower) =>
      frame.vector(sum(widenProduct.highSH(a, b), widen.highSH(c)), (upper) =>
        frame.vector(narrow.WtoSH(lower, upper), (result) => [
          ...frame.saturated(anyTrue(or(xor(widen.lowSH(result), lower), xor(widen.highSH(result), upper)))),
          ...result,
        ]),
      ),
    );
  };

/** Sums of four byte products each, plus VRC's word. */
const byteSums =
  (signedA: boolean): Row =>
  ({ a, b, c }) => {
    const sums = signedA ? pairSumSignedHalfwords : pairSumHalfwords;
    const part = (even: boolean): Code => sums(H.mul(half(H, even, signedA)(a), half(H, even, false)(b)));
    return W.add(W.add(part(true), part(false)), c);
  };
const halfwordSums: Row = (frame) =>
  W.add(W.add(products(W, true, false)(frame), products(W, false, false)(frame)), frame.c);
const halfwordSumsSaturating =
  (signed: boolean): Row =>
  (frame) =>
    [0, 1, 2, 3].reduce<Code>((into, word) => {
      const product = (n: number): Code =>
        i64Op.mul(extend(H, signed, n, frame.a), extend(H, signed, n, frame.b));
      const sum = total([extend(W, signed, word, frame.c), product(2 * word), product(2 * word + 1)]);
      return W.replace(word, into, wordOf(frame, sum, signed));
    }, ZERO);

/** Both products of doublewords and VRC: their sum, or what is carried out of it. */
const doublewordSums =
  (wanted: "sum" | "carry"): Row =>
  (frame) => {
    const product = (of: (value: Code) => Code, body: (product: Quad) => Code): Code =>
      wideProduct(frame, of(frame.a), of(frame.b), false, body);
    return product(high, (first) =>
      product(low, (second) =>
        withQuad(frame, frame.c, (addend) =>
          addQuads(frame, first, second, i64(0n), (partial, carry) =>
            addQuads(frame, partial, addend, i64(0n), (sum, out) =>
              wanted === "sum" ? pair(sum.high, sum.low) : pair(i64(0n), i64Op.add(carry, out)),
            ),
          ),
        ),
      ),
    );
  };

// ---- division -------------------------------------------------------------------------------------------

/** Quotients or remainders. Where they are undefined, they are what a divisor of one gives: no trap, and what QEMU gives. */
const divide = (lanes: Lanes, name: "divS" | "divU" | "remS" | "remU"): Row => {
  const isWord = lanes.bits === 32;
  const op = isWord ? i32Op : i64Op;
  const constant = (value: bigint): Code => (isWord ? i32(Number(value)) : i64(value));
  return eachElement(lanes, (x, y) => {
    const zero = op.eq(y, constant(0n));
    const overflow = i32Op.and(op.eq(x, constant(-(1n << BigInt(lanes.bits - 1)))), op.eq(y, constant(-1n)));
    const undefined_ = name.endsWith("S") ? i32Op.or(zero, overflow) : zero;
    return op[name](x, select(constant(1n), y, undefined_));
  });
};

export const MULTIPLY = (): Family => ({
  vmulesb: products(H, true, true),
  vmulesh: products(W, true, true),
  vmulesw: products(D, true, true),
  vmuleub: products(H, true, false),
  vmuleuh: products(W, true, false),
  vmuleuw: products(D, true, false),
  vmulosb: products(H, false, true),
  vmulosh: products(W, false, true),
  vmulosw: products(D, false, true),
  vmuloub: products(H, false, false),
  vmulouh: products(W, false, false),
  vmulouw: products(D, false, false),
  vmuluwm: ({ a, b }) => W.mul(a, b),
  vmulesd: doublewordProduct(high, true),
  vmuleud: doublewordProduct(high, false),
  vmulosd: doublewordProduct(low, true),
  vmuloud: doublewordProduct(low, false),
  vmulhsw: wordHigh(true),
  vmulhuw: wordHigh(false),
  vmulhsd: doublewordHigh(true),
  vmulhud: doublewordHigh(false),
  vmulld: ({ a, b }) => D.mul(a, b),
  vmhaddshs: multiplyHighAdd(0),
  vmhraddshs: multiplyHighAdd(0x4000),
  vmladduhm: ({ a, b, c }) => H.add(H.mul(a, b), c),
  vmsumubm: byteSums(false),
  vmsummbm: byteSums(true),
  vmsumuhm: halfwordSums,
  vmsumuhs: halfwordSumsSaturating(false),
  vmsumshm: ({ a, b, c }) => W.add(dotHalfwords(a, b), c),
  vmsumshs: halfwordSumsSaturating(true),
  vmsumudm: doublewordSums("sum"),
  vmsumcud: doublewordSums("carry"),
  vdivsw: divide(W, "divS"),
  vdivuw: divide(W, "divU"),
  vdivsd: divide(D, "divS"),
  vdivud: divide(D, "divU"),
  vmodsw: divide(W, "remS"),
  vmoduw: divide(W, "remU"),
  vmodsd: divide(D, "remS"),
  vmodud: divide(D, "remU"),
});
