/** Vector shift and rotate instructions: Power ISA 3.0B, I.6.8.6 and I.6.9.8. */

import {
  B,
  bitSelect,
  type Code,
  D,
  H,
  high,
  I32,
  i32,
  i32Op,
  i64,
  i64Op,
  type Lanes,
  low,
  pair,
  select,
  swizzle,
  W,
  ZERO,
} from "./expressions.ts";
import type { Frame, Row } from "./frame.ts";
import type { Family, ImmediateRow } from "./functions.ts";
import { type Quad, withQuad } from "./integer.ts";
import { LANES } from "./permute.ts";

/** Arithmetic on elements outside a vector, which are i32 or i64. */
const scalar = (lanes: Lanes) => (lanes.scalar === I32 ? i32Op : i64Op);
const constant = (lanes: Lanes, value: number | bigint): Code =>
  lanes.scalar === I32 ? i32(Number(value)) : i64(BigInt(value));

type Element = (x: Code, y: Code) => Code;

/** VRT <- `op` of each element of VRA (extended with its sign where `signed` says so) and VRB's. */
export const eachElement =
  (lanes: Lanes, op: Element, signed = false): Row =>
  ({ a, b }) =>
    Array.from({ length: lanes.count }, (_, n) => n).reduce<Code>((into, n) => {
      const extract = signed ? lanes.extractS : lanes.extractU;
      return lanes.replace(n, into, op(extract(n, a), extract(n, b)));
    }, ZERO);

/** Shifts each element by the low bits of the other one. */
const shift = (lanes: Lanes, name: "shl" | "shrS" | "shrU"): Row => {
  const op = scalar(lanes);
  const count = (y: Code): Code => op.and(y, constant(lanes, lanes.bits - 1));
  return eachElement(lanes, (x, y) => op[name](x, count(y)), name === "shrS");
};
const rotate = (lanes: Lanes): Row => {
  const op = scalar(lanes);
  if (lanes.bits >= 32) return eachElement(lanes, (x, y) => op.rotl(x, y));
  const copies = lanes.bits === 8 ? 0x0101_0101 : 0x0001_0001;
  return eachElement(lanes, (x, y) =>
    i32Op.rotl(i32Op.mul(x, i32(copies)), i32Op.and(y, i32(lanes.bits - 1))),
  );
};

/** MASK(mb, me) of the manual for fields of `bits` bits. */
function mask(lanes: Lanes, mb: Code, me: Code): Code {
  const op = scalar(lanes);
  const from = (first: Code): Code => op.shrU(constant(lanes, -1), first);
  const between = op.xor(from(mb), op.shrU(from(me), constant(lanes, 1)));
  const all = select(constant(lanes, -1), constant(lanes, 0), op.gtU(mb, me));
  return op.xor(between, all);
}

/** Rotates elements by the count in the lowest byte of VRB's, and keeps what lies under a mask between the bits that the two bytes before it name. */
const rotateMasked =
  (lanes: Lanes, insert: boolean): Row =>
  (frame) => {
    const op = scalar(lanes);
    const { a, b, t } = insert ? frame : { a: frame.a, b: frame.b, t: ZERO };
    const byte = (y: Code, position: number): Code =>
      op.and(op.shrU(y, constant(lanes, 8 * position)), constant(lanes, lanes.bits - 1));
    return Array.from({ length: lanes.count }, (_, n) => n).reduce<Code>((into, n) => {
      const y = lanes.extractU(n, b);
      const kept = frame.keep(lanes.scalar, mask(lanes, byte(y, 2), byte(y, 1)), (m) => {
        const rotated = op.and(op.rotl(lanes.extractU(n, a), y), m);
        if (!insert) return rotated;
        return op.or(rotated, op.and(lanes.extractU(n, t), op.xor(m, constant(lanes, -1))));
      });
      return lanes.replace(n, into, kept);
    }, ZERO);
  };

// ---- the whole register -----------------------------------------------------------------------------------

/** The octets of bits 121 to 124 of VRB. */
const octets = (b: Code): Code => i32Op.and(i32Op.shrU(B.extractU(0, b), i32(3)), i32(15));
const byOctets =
  (op: (a: Code, b: Code) => Code): Row =>
  ({ a, b }) =>
    swizzle(a, op(LANES, B.splat(octets(b))));

/** x << count for an i64 count from 0 to 127. */
function quadLeft(x: Quad, count: Code): Quad {
  const near = i64Op.ltU(count, i64(64n));
  const carried = i64Op.shrU(i64Op.shrU(x.low, i64(1n)), i64Op.xor(count, i64(63n)));
  const shifted = i64Op.shl(x.low, count);
  return {
    high: select(i64Op.or(i64Op.shl(x.high, count), carried), shifted, near),
    low: select(shifted, i64(0n), near),
  };
}
/** x >> count, with what `fill` (zero or the sign, an i64) has from the left. */
function quadRight(x: Quad, count: Code, fill: Code, shr: Element): Quad {
  const near = i64Op.ltU(count, i64(64n));
  const carried = i64Op.shl(i64Op.shl(x.high, i64(1n)), i64Op.xor(count, i64(63n)));
  const shifted = shr(x.high, count);
  return {
    high: select(shifted, fill, near),
    low: select(i64Op.or(i64Op.shrU(x.low, count), carried), shifted, near),
  };
}
/** x rotated left by count. */
function quadRotate(frame: Frame, x: Quad, count: Code, body: (rotated: Quad) => Code): Code {
  const far = i64Op.gtU(count, i64(63n));
  return frame.doubleword(select(x.low, x.high, far), (first) =>
    frame.doubleword(select(x.high, x.low, far), (second) =>
      body({
        high: i64Op.or(
          i64Op.shl(first, count),
          i64Op.shrU(i64Op.shrU(second, i64(1n)), i64Op.xor(i64Op.and(count, i64(63n)), i64(63n))),
        ),
        low: i64Op.or(
          i64Op.shl(second, count),
          i64Op.shrU(i64Op.shrU(first, i64(1n)), i64Op.xor(i64Op.and(count, i64(63n)), i64(63n))),
        ),
      }),
    ),
  );
}

/** Bits of VRB's doubleword 0, an i64 of 0 to 127. */
const quadCount = (b: Code, position = 0): Code =>
  i64Op.and(i64Op.shrU(high(b), i64(BigInt(position))), i64(127n));
/** Bits 125 to 127 of VRB. */
const bitCount = (b: Code): Code => i64Op.and(low(b), i64(7n));

const shiftQuad =
  (op: (x: Quad, count: Code) => Quad, countOf: (b: Code) => Code): Row =>
  (frame) =>
    withQuad(frame, frame.a, (x) =>
      frame.doubleword(countOf(frame.b), (count) => {
        const result = op(x, count);
        return pair(result.high, result.low);
      }),
    );
const rightLogical = (x: Quad, count: Code): Quad => quadRight(x, count, i64(0n), i64Op.shrU);
const rightAlgebraic = (x: Quad, count: Code): Quad =>
  quadRight(x, count, i64Op.shrS(x.high, i64(63n)), i64Op.shrS);

/** MASK(mb, me) of a quadword. */
function quadMask(frame: Frame, mb: Code, me: Code, body: (mask: Code) => Code): Code {
  const all: Quad = { high: i64(-1n), low: i64(-1n) };
  const from = rightLogical(all, mb);
  const beyond = rightLogical({ high: i64((1n << 63n) - 1n), low: i64(-1n) }, me);
  const wrapped = select(i64(-1n), i64(0n), i64Op.gtU(mb, me));
  return frame.vector(
    pair(
      i64Op.xor(i64Op.xor(from.high, beyond.high), wrapped),
      i64Op.xor(i64Op.xor(from.low, beyond.low), wrapped),
    ),
    body,
  );
}

const rotateQuad: Row = (frame) =>
  withQuad(frame, frame.a, (x) =>
    frame.doubleword(quadCount(frame.b), (count) =>
      quadRotate(frame, x, count, (rotated) => pair(rotated.high, rotated.low)),
    ),
  );
const rotateQuadMasked =
  (insert: boolean): Row =>
  (frame) => {
    const others = insert ? frame.t : ZERO;
    return withQuad(frame, frame.a, (x) =>
      frame.doubleword(quadCount(frame.b), (count) =>
        quadRotate(frame, x, count, (rotated) =>
          frame.doubleword(quadCount(frame.b, 16), (mb) =>
            frame.doubleword(quadCount(frame.b, 8), (me) =>
              quadMask(frame, mb, me, (mask) => bitSelect(pair(rotated.high, rotated.low), others, mask)),
            ),
          ),
        ),
      ),
    );
  };

/** Each byte with the bits that come in from its neighbour, shifted by the low three bits of VRB's byte. */
const shiftWithNeighbour =
  (left: boolean): Row =>
  ({ a, b }) =>
    Array.from({ length: 16 }, (_, n) => n).reduce<Code>((into, n) => {
      const count = i32Op.and(B.extractU(n, b), i32(7));
      const byte = (lane: number): Code => (lane < 0 || lane > 15 ? i32(0) : B.extractU(lane, a));
      const value = left
        ? i32Op.shrU(i32Op.shl(i32Op.or(i32Op.shl(byte(n), i32(8)), byte(n - 1)), count), i32(8))
        : i32Op.shrU(i32Op.or(i32Op.shl(byte(n + 1), i32(8)), byte(n)), count);
      return B.replace(n, into, value);
    }, ZERO);

/** VRA || VRB shifted by SH bits: the left or the right half of it. */
const shiftDouble = (left: boolean): ImmediateRow => ({
  bits: [23, 25],
  row: ({ a, b }, n) => {
    if (n === 0) return left ? a : b;
    const join = (upper: Code, lower: Code, count: number): Code =>
      i64Op.or(i64Op.shl(upper, i64(BigInt(count))), i64Op.shrU(lower, i64(BigInt(64 - count))));
    return left
      ? pair(join(high(a), low(a), n), join(low(a), high(b), n))
      : pair(join(low(a), high(b), 64 - n), join(high(b), low(b), 64 - n));
  },
});

export const SHIFT = (): Family => ({
  vsl: shiftQuad(quadLeft, bitCount),
  vslo: byOctets((lanes, count) => B.sub(lanes, count)),
  vslv: shiftWithNeighbour(true),
  vsr: shiftQuad(rightLogical, bitCount),
  vsro: byOctets((lanes, count) => B.add(lanes, count)),
  vsrv: shiftWithNeighbour(false),
  vsldbi: shiftDouble(true),
  vsrdbi: shiftDouble(false),

  vrlb: rotate(B),
  vrlh: rotate(H),
  vrlw: rotate(W),
  vrld: rotate(D),
  vrlwnm: rotateMasked(W, false),
  vrlwmi: rotateMasked(W, true),
  vrldnm: rotateMasked(D, false),
  vrldmi: rotateMasked(D, true),
  vrlq: rotateQuad,
  vrlqnm: rotateQuadMasked(false),
  vrlqmi: rotateQuadMasked(true),
  vslb: shift(B, "shl"),
  vslh: shift(H, "shl"),
  vslw: shift(W, "shl"),
  vsld: shift(D, "shl"),
  vslq: shiftQuad(quadLeft, quadCount),
  vsrb: shift(B, "shrU"),
  vsrh: shift(H, "shrU"),
  vsrw: shift(W, "shrU"),
  vsrd: shift(D, "shrU"),
  vsrq: shiftQuad(rightLogical, quadCount),
  vsrab: shift(B, "shrS"),
  vsrah: shift(H, "shrS"),
  vsraw: shift(W, "shrS"),
  vsrad: shift(D, "shrS"),
  vsraq: shiftQuad(rightAlgebraic, quadCount),
});
