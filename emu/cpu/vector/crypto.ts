/** Vector cryptography: Power ISA 3.0B, I.6.11. AES: FIPS 197; SHA-2: FIPS 180-4. */
import { lazily } from "../../lazily.ts";
import {
  and,
  B,
  bitSelect,
  type Code,
  D,
  getLocal,
  H,
  high,
  I32,
  i32,
  i32Op,
  i64Op,
  type Lanes,
  low,
  or,
  pair,
  repeat,
  setLocal,
  shuffle,
  swizzle,
  V128,
  v128,
  W,
  xor,
  ZERO,
} from "./expressions.ts";
import type { Frame, Row } from "./frame.ts";
import type { Family, ImmediateRow } from "./functions.ts";

// ---- AES --------------------------------------------------------------------------------------------------

/** x times y in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1. */
function product(x: number, y: number): number {
  let sum = 0;
  for (let a = x, b = y; b !== 0; b >>= 1) {
    if (b & 1) sum ^= a;
    a = (a << 1) ^ (a & 0x80 ? 0x11b : 0);
  }
  return sum;
}

/** SubBytes: the inverse (0 of 0), then an affine map. */
function substitution(): Uint8Array {
  const box = new Uint8Array(256);
  for (let x = 0; x < 256; x++) {
    let inverse = 0;
    for (let y = 1; y < 256 && inverse === 0; y++) if (product(x, y) === 1) inverse = y;
    let value = 0x63;
    for (let shift = 0; shift < 5; shift++) value ^= (inverse << shift) | (inverse >> (8 - shift));
    box[x] = value;
  }
  return box;
}
const subBytes = lazily(substitution);
const inverseSubBytes = lazily(() =>
  subBytes().reduce((inverse, value, x) => {
    inverse[value] = x;
    return inverse;
  }, new Uint8Array(256)),
);

/** Sixteen bytes, the first in lane 0. */
function lanesOf(bytes: Uint8Array): Code {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  return v128(view.getBigUint64(8, true), view.getBigUint64(0, true));
}
/** A table of 256 bytes applied to each byte: 16 swizzles, of which each knows 16 bytes and gives zero for others. */
const lookUp = (frame: Frame, table: Uint8Array, value: Code, body: (value: Code) => Code): Code =>
  frame.vector(value, (value) => {
    const part = (n: number): Code =>
      swizzle(lanesOf(table.subarray(16 * n, 16 * n + 16)), B.sub(value, B.splat(i32(16 * n))));
    const parts = Array.from({ length: 16 }, (_, n) => part(n));
    return frame.vector(
      parts.reduce((all, each) => or(all, each)),
      body,
    );
  });

/** The state is by columns: byte 4c + r is row r of column c. Row r moves left by r columns, or right. */
const shiftRows = (value: Code, by: 1 | -1): Code =>
  shuffle(
    value,
    value,
    Array.from({ length: 16 }, (_, at) => (at + by * 4 * (at % 4) + 16) % 16),
  );
/** The bytes of each column moved up by `rows`. */
const rotateColumns = (value: Code, rows: number): Code =>
  shuffle(
    value,
    value,
    Array.from({ length: 16 }, (_, at) => (at & ~3) + ((at + rows) & 3)),
  );
/** Each byte times x. */
const timesX = (value: Code): Code =>
  xor(B.shl(value, i32(1)), and(B.shrS(value, i32(7)), B.splat(i32(0x1b))));
/** Columns times 2, 3, 1, 1. */
const mixColumns = (frame: Frame, value: Code): Code =>
  frame.vector(value, (v) =>
    frame.vector(timesX(v), (doubled) =>
      xor(xor(doubled, rotateColumns(xor(doubled, v), 1)), xor(rotateColumns(v, 2), rotateColumns(v, 3))),
    ),
  );
/** Columns times 14, 11, 13, 9: MixColumns after a multiplication by 5 and 4. */
const inverseMixColumns = (frame: Frame, value: Code): Code =>
  frame.vector(value, (v) =>
    frame.vector(timesX(timesX(xor(v, rotateColumns(v, 2)))), (extra) => mixColumns(frame, xor(v, extra))),
  );

// ---- SHA-2 ------------------------------------------------------------------------------------------------

type Mixer = (value: Code) => Code;
/** The sum of two rotations right and a third rotation, or a shift. */
const sigma =
  (lanes: Lanes, first: number, second: number, third: number, isShift: boolean): Mixer =>
  (value) => {
    const shifted = (n: number): Code => lanes.shrU(value, i32(n));
    const rotated = (n: number): Code => or(shifted(n), lanes.shl(value, i32(lanes.bits - n)));
    return xor(xor(rotated(first), rotated(second)), isShift ? shifted(third) : rotated(third));
  };
/** ST chooses between the small and the large functions, SIX for each word (or doubleword: its even bits) between the first and the second. */
const sigmas = (
  lanes: Lanes,
  small: readonly [Mixer, Mixer],
  large: readonly [Mixer, Mixer],
): ImmediateRow => ({
  bits: [16, 20],
  row: ({ a }, n) => {
    const [zero, one] = n & 16 ? large : small;
    const doubleword = (word: 0 | 1): bigint => {
      const bit = (index: number): bigint => (n & (8 >> index) ? (1n << BigInt(lanes.bits)) - 1n : 0n);
      if (lanes === D) return bit(2 * word);
      return (bit(2 * word) << 32n) | bit(2 * word + 1);
    };
    return bitSelect(one(a), zero(a), v128(doubleword(0), doubleword(1)));
  },
});

// ---- polynomials over GF(2) -----------------------------------------------------------------------------

/** The sum of the products of the even and the odd elements, each of which is half of `wide`. */
const polynomialSums =
  (wide: Lanes): Row =>
  (frame) => {
    const bits = wide.bits / 2;
    const half = i32(bits);
    const odd = (value: Code): Code => wide.shrU(wide.shl(value, half), half);
    const even = (value: Code): Code => wide.shrU(value, half);
    const sum = frame.local(V128);
    const step = frame.local(I32);
    const at = getLocal(step);
    return frame.vector(odd(frame.a), (a1) =>
      frame.vector(odd(frame.b), (b1) =>
        frame.vector(even(frame.a), (a0) =>
          frame.vector(even(frame.b), (b0) => {
            const partial = (a: Code, b: Code): Code =>
              and(
                wide.shl(a, at),
                wide.shrS(wide.shl(b, i32Op.sub(i32(wide.bits - 1), at)), i32(wide.bits - 1)),
              );
            return [
              ...setLocal(sum, ZERO),
              ...setLocal(step, i32(0)),
              ...repeat(
                [
                  ...setLocal(sum, xor(getLocal(sum), xor(partial(a0, b0), partial(a1, b1)))),
                  ...setLocal(step, i32Op.add(at, i32(1))),
                ],
                i32Op.ltU(at, i32(bits)),
              ),
              ...getLocal(sum),
            ];
          }),
        ),
      ),
    );
  };
/** The same of doublewords: the lower and the upper halves of both products at once. */
const polynomialSumDoublewords: Row = (frame) => {
  const lower = frame.local(V128);
  const upper = frame.local(V128);
  const step = frame.local(I32);
  const at = getLocal(step);
  const chosen = (value: Code): Code => and(value, D.shrS(D.shl(frame.b, i32Op.sub(i32(63), at)), i32(63)));
  // a >> (64 - step), which is zero for step 0.
  const carried = D.shrU(D.shrU(frame.a, i32(1)), i32Op.sub(i32(63), at));
  const both = (value: Code): Code => i64Op.xor(high(value), low(value));
  return [
    ...setLocal(lower, ZERO),
    ...setLocal(upper, ZERO),
    ...setLocal(step, i32(0)),
    ...repeat(
      [
        ...setLocal(lower, xor(getLocal(lower), chosen(D.shl(frame.a, at)))),
        ...setLocal(upper, xor(getLocal(upper), chosen(carried))),
        ...setLocal(step, i32Op.add(at, i32(1))),
      ],
      i32Op.ltU(at, i32(64)),
    ),
    ...pair(both(getLocal(upper)), both(getLocal(lower))),
  ];
};

export const CRYPTO: Family = {
  vsbox: (frame) => lookUp(frame, subBytes(), frame.a, (value) => value),
  vcipher: (frame) =>
    lookUp(frame, subBytes(), shiftRows(frame.a, 1), (value) => xor(mixColumns(frame, value), frame.b)),
  vcipherlast: (frame) => lookUp(frame, subBytes(), shiftRows(frame.a, 1), (value) => xor(value, frame.b)),
  vncipher: (frame) =>
    lookUp(frame, inverseSubBytes(), shiftRows(frame.a, -1), (value) =>
      inverseMixColumns(frame, xor(value, frame.b)),
    ),
  vncipherlast: (frame) =>
    lookUp(frame, inverseSubBytes(), shiftRows(frame.a, -1), (value) => xor(value, frame.b)),
  vshasigmaw: sigmas(
    W,
    [sigma(W, 7, 18, 3, true), sigma(W, 17, 19, 10, true)],
    [sigma(W, 2, 13, 22, false), sigma(W, 6, 11, 25, false)],
  ),
  vshasigmad: sigmas(
    D,
    [sigma(D, 1, 8, 7, true), sigma(D, 19, 61, 6, true)],
    [sigma(D, 28, 34, 39, false), sigma(D, 14, 18, 41, false)],
  ),
  vpmsumb: polynomialSums(H),
  vpmsumh: polynomialSums(W),
  vpmsumw: polynomialSums(D),
  vpmsumd: polynomialSumDoublewords,
};
