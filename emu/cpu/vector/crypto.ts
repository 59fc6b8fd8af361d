/** Vector cryptography: Power ISA 3.0B, I.6.11. AES: FIPS 197; SHA-2: FIPS 180-4. */
import { AFFINE_CONSTANT, inverseSubBytes, type Substitution, subBytes } from "./aes-tables.ts";
import {
  and,
  B,
  bitSelect,
  type Code,
  D,
  elements,
  getLocal,
  H,
  high,
  I32,
  i32,
  i32Op,
  i64,
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
  widenProduct,
  xor,
  ZERO,
} from "./expressions.ts";
import type { Frame, Row } from "./frame.ts";
import type { Family, ImmediateRow } from "./functions.ts";

// ---- AES --------------------------------------------------------------------------------------------------

/** Sixteen bytes, the first in lane 0. */
function lanesOf(bytes: Uint8Array): Code {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  return v128(view.getBigUint64(8, true), view.getBigUint64(0, true));
}
/** The tables' substitution of each byte, without a constant to be added. */
const substitute = (frame: Frame, tables: Substitution, value: Code, body: (value: Code) => Code): Code => {
  const entry = (table: Uint8Array, at: Code): Code => swizzle(lanesOf(table), at);
  const lower = (value: Code): Code => and(value, B.splat(i32(15)));
  const upper = (value: Code): Code => B.shrU(value, i32(4));
  return frame.vector(value, (bytes) =>
    frame.vector(xor(entry(tables.fromLow, lower(bytes)), entry(tables.fromHigh, upper(bytes))), (codes) =>
      frame.vector(lower(codes), (k) =>
        frame.vector(upper(codes), (i) =>
          frame.vector(xor(i, k), (j) =>
            frame.vector(entry(tables.quotient, k), (shared) => {
              const quotient = (own: Code, other: Code): Code =>
                xor(entry(tables.inverse, xor(entry(tables.inverse, own), shared)), other);
              const first = entry(tables.first, quotient(i, j));
              return frame.vector(xor(first, entry(tables.second, quotient(j, i))), body);
            }),
          ),
        ),
      ),
    ),
  );
};
/** SubBytes. */
const substituteForward = (frame: Frame, value: Code, body: (value: Code) => Code): Code =>
  substitute(frame, subBytes(), value, (sum) => frame.vector(xor(sum, B.splat(i32(AFFINE_CONSTANT))), body));

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
    const chosen = [doubleword(0), doubleword(1)] as const;
    if (chosen.every((mask) => mask === 0n)) return zero(a);
    if (chosen.every((mask) => mask === (1n << 64n) - 1n)) return one(a);
    return bitSelect(one(a), zero(a), v128(...chosen));
  },
});

// ---- polynomials over GF(2) -----------------------------------------------------------------------------

/** The sum of the products of the even and the odd elements, bytes or halfwords, each of which is half of `wide`. */
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

type Multiply = (a: Code, b: Code) => Code;

/**
 * The products of some words of a and b, by integer multiplications: where three bits of four are zero, the carries of a sum of
 * eight partial products do not reach the next bit that counts (T. Pornin, BearSSL, "Constant-Time Mul"). Bits i modulo 4 of a times
 * bits j modulo 4 of b count in bits i + j. `multiplications` say which words, and into doublewords of what.
 */
const polynomialProducts = (
  frame: Frame,
  a: Code,
  b: Code,
  multiplications: readonly Multiply[],
  body: (products: readonly Code[]) => Code,
): Code => {
  const every4th = (first: number): Code => {
    const bits = 0x1111_1111_1111_1111n << BigInt(first);
    return v128(bits, bits);
  };
  const parts = [0, 1, 2, 3];
  const chosen = frame.local(V128);
  const factors = parts.map(() => frame.local(V128));
  // By the bits that count, from those of the present i on.
  const sums = multiplications.map(() => parts.map(() => frame.local(V128)));
  const first = frame.local(V128);
  const step = frame.local(I32);
  return frame.vector(a, (a) =>
    frame.vector(b, (b) => [
      ...setLocal(chosen, every4th(0)),
      ...factors.flatMap((local, j) => setLocal(local, and(b, every4th(j)))),
      ...sums.flat().flatMap((local) => setLocal(local, ZERO)),
      ...setLocal(step, i32(4)),
      ...repeat(
        [
          ...frame.vector(and(a, getLocal(chosen)), (part) =>
            multiplications.flatMap((multiply, n) => {
              const sum = sums[n];
              const next = (j: number): Code => xor(getLocal(sum[j]), multiply(part, getLocal(factors[j])));
              return [
                ...setLocal(first, next(0)),
                ...[1, 2, 3].flatMap((j) => setLocal(sum[j - 1], next(j))),
                ...setLocal(sum[3], getLocal(first)),
              ];
            }),
          ),
          ...setLocal(chosen, D.shl(getLocal(chosen), i32(1))),
          ...setLocal(step, i32Op.sub(getLocal(step), i32(1))),
        ],
        getLocal(step),
      ),
      ...body(
        sums.map((sum) => parts.map((k) => and(getLocal(sum[k]), every4th(k))).reduce((x, y) => or(x, y))),
      ),
    ]),
  );
};
/** The sum of both doublewords. */
const bothHalves = (value: Code): Code => i64Op.xor(high(value), low(value));

const polynomialSumWords: Row = (frame) =>
  polynomialProducts(frame, frame.a, frame.b, [widenProduct.highUW, widenProduct.lowUW], ([upper, lower]) =>
    frame.vector(upper, (upper) =>
      frame.vector(lower, (lower) => pair(bothHalves(upper), bothHalves(lower))),
    ),
  );

/** Of words h and l: (h, l) times (h', l') from h * h', l * l' and (h + l) * (h' + l') (A. Karatsuba), the sum over both doublewords. */
const polynomialSumDoublewords: Row = (frame) => {
  const words = (value: Code, order: readonly number[]): Code => shuffle(value, value, elements(4, order));
  // h h l l of both doublewords, and h + l of both in the lower half.
  const sorted = (value: Code): Code => words(value, [0, 2, 1, 3]);
  const added = (value: Code): Code => xor(value, words(value, [2, 3, 0, 1]));
  const { highUW, lowUW } = widenProduct;
  return frame.vector(sorted(frame.a), (a) =>
    frame.vector(sorted(frame.b), (b) =>
      polynomialProducts(frame, a, b, [highUW, lowUW], ([upper, lower]) =>
        frame.vector(upper, (upper) =>
          frame.vector(lower, (lower) =>
            polynomialProducts(frame, added(a), added(b), [lowUW], ([middle]) =>
              frame.vector(middle, (middle) =>
                frame.doubleword(bothHalves(upper), (upper) =>
                  frame.doubleword(bothHalves(lower), (lower) =>
                    frame.doubleword(i64Op.xor(i64Op.xor(bothHalves(middle), upper), lower), (middle) =>
                      pair(
                        i64Op.xor(upper, i64Op.shrU(middle, i64(32n))),
                        i64Op.xor(lower, i64Op.shl(middle, i64(32n))),
                      ),
                    ),
                  ),
                ),
              ),
            ),
          ),
        ),
      ),
    ),
  );
};

export const CRYPTO = (): Family => ({
  vsbox: (frame) => substituteForward(frame, frame.a, (value) => value),
  vcipher: (frame) =>
    substituteForward(frame, shiftRows(frame.a, 1), (value) => xor(mixColumns(frame, value), frame.b)),
  vcipherlast: (frame) => substituteForward(frame, shiftRows(frame.a, 1), (value) => xor(value, frame.b)),
  vncipher: (frame) =>
    substitute(frame, inverseSubBytes(), shiftRows(frame.a, -1), (value) =>
      inverseMixColumns(frame, xor(value, frame.b)),
    ),
  vncipherlast: (frame) =>
    substitute(frame, inverseSubBytes(), shiftRows(frame.a, -1), (value) => xor(value, frame.b)),
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
  vpmsumw: polynomialSumWords,
  vpmsumd: polynomialSumDoublewords,
});
