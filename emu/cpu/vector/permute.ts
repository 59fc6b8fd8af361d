/**
 * Vector permute and formatting instructions: Power ISA 3.0B, I.6.8.1 to I.6.8.4 and I.6.8.7; the VSX forms: I.7.6.3. Byte elements are
 * numbered as in the manual throughout.
 */

import {
  and,
  anyTrue,
  B,
  bitSelect,
  type Code,
  D,
  elements,
  H,
  i32,
  i32Op,
  i64,
  i64Op,
  type Lanes,
  low,
  narrow,
  not,
  or,
  pair,
  run,
  shuffle,
  swizzle,
  v128,
  W,
  widen,
  xor,
  ZERO,
} from "./expressions.ts";
import type { Frame, Row } from "./frame.ts";
import type { Family, ImmediateRow } from "./functions.ts";

/** VRT <- these bytes of VRA || VRB. */
const bytes =
  (list: readonly number[]): Row =>
  ({ a, b }) =>
    shuffle(a, b, list);
/** VRT <- these bytes of VRB. */
const bytesOfB =
  (list: readonly number[]): Row =>
  ({ b }) =>
    shuffle(b, b, list);

/** Elements `first` and on of VRA and VRB by turns. */
const merge = (size: number, first: number): Row =>
  bytes(
    elements(
      size,
      run(first, 8 / size).flatMap((n) => [n, 16 / size + n]),
    ),
  );
/** The even or odd words of both by turns. */
const mergeEvery = (first: 0 | 1): Row => bytes(elements(4, [first, 4 + first, 2 + first, 6 + first]));

/** Element UIM in every place. */
const splat = (size: number, bits: readonly [number, number]): ImmediateRow => ({
  bits,
  row: ({ b }, n) => shuffle(b, b, elements(size, new Array<number>(16 / size).fill(n))),
});

/** 16 bytes of VRA || VRB from one of them on. */
const shiftBytes = (bits: readonly [number, number], unit: number): ImmediateRow => ({
  bits,
  row: ({ a, b }, n) => shuffle(a, b, run(n * unit, 16)),
});

// ---- permutations by a control vector -------------------------------------------------------------------

/** Bytes of `first` || `second` whose numbers from the *right*, modulo 32, are in `index`. */
const fromRight = (frame: Frame, first: Code, second: Code, index: Code): Code =>
  frame.vector(and(index, B.splat(i32(31))), (lane) =>
    or(swizzle(second, lane), swizzle(first, B.sub(lane, B.splat(i32(16))))),
  );
/** The same with their numbers from the left in `control`. */
export const permute = (frame: Frame, first: Code, second: Code, control: Code): Code =>
  fromRight(frame, first, second, not(control));

/** A nibble of each byte as an index from the right. */
const nibble = (value: Code): Code => and(not(value), B.splat(i32(15)));

// ---- pack and unpack --------------------------------------------------------------------------------------

/** The least significant halves of the elements of VRA || VRB. */
const packModulo = (size: number): Row =>
  bytes(
    elements(
      size / 2,
      run(0, 32 / size).map((n) => 2 * n + 1),
    ),
  );

/** Signed elements narrowed with saturation; SAT where widening the result does not give the elements back. */
const packSigned =
  (to: (low: Code, high: Code) => Code, highOf: (a: Code) => Code, lowOf: (a: Code) => Code): Row =>
  (frame) =>
    frame.vector(to(frame.b, frame.a), (result) => [
      ...frame.saturated(anyTrue(or(xor(highOf(result), frame.a), xor(lowOf(result), frame.b)))),
      ...result,
    ]);
/** The low or high elements of `size` bytes, extended with zeros. */
const zeros =
  (size: number, first: number) =>
  (a: Code): Code =>
    shuffle(
      a,
      ZERO,
      run(first, 8 / size).flatMap((n) => [...new Array<number>(size).fill(16), ...elements(size, [n])]),
    );

/** Unsigned elements narrowed with saturation: at most `greatest` (as 16 bytes) is kept. */
const packUnsigned =
  (lanes: Lanes, greatest: Code): Row =>
  (frame) =>
    frame.vector(lanes.minU(frame.a, greatest), (a) =>
      frame.vector(lanes.minU(frame.b, greatest), (b) => [
        ...frame.saturated(anyTrue(or(xor(a, frame.a), xor(b, frame.b)))),
        ...shuffle(
          a,
          b,
          elements(
            lanes.bits / 16,
            run(0, 256 / lanes.bits).map((n) => 2 * n + 1),
          ),
        ),
      ]),
    );
/** Signed doublewords narrowed to words between `least` and `greatest`. */
const packDoublewords =
  (least: bigint, greatest: bigint): Row =>
  (frame) => {
    const clamp = (value: Code): Code => D.maxS(D.minS(value, v128(greatest, greatest)), v128(least, least));
    return frame.vector(clamp(frame.a), (a) =>
      frame.vector(clamp(frame.b), (b) => [
        ...frame.saturated(anyTrue(or(xor(a, frame.a), xor(b, frame.b)))),
        ...shuffle(a, b, elements(4, [1, 3, 5, 7])),
      ]),
    );
  };

const every = (word: number): Code => {
  const doubleword = (BigInt(word) << 32n) | BigInt(word);
  return v128(doubleword, doubleword);
};
/** Words of 8:8:8:8 to pixels of 1:5:5:5. */
const packPixel: Row = (frame) => {
  const pixel = (value: Code): Code =>
    or(
      or(and(W.shrU(value, i32(9)), every(0xfc00)), and(W.shrU(value, i32(6)), every(0x3e0))),
      and(W.shrU(value, i32(3)), every(0x1f)),
    );
  return shuffle(pixel(frame.a), pixel(frame.b), elements(2, [1, 3, 5, 7, 9, 11, 13, 15]));
};
/** Pixels of 1:5:5:5, as words with their sign, to words of 8:8:8:8. */
const unpackPixel =
  (widened: (b: Code) => Code): Row =>
  (frame) =>
    frame.vector(widened(frame.b), (pixel) =>
      or(
        or(and(pixel, every(0xff00_0000)), and(W.shl(pixel, i32(6)), every(0x1f_0000))),
        or(and(W.shl(pixel, i32(3)), every(0x1f00)), and(pixel, every(0x1f))),
      ),
    );

// ---- extract and insert -------------------------------------------------------------------------------------

/** The element of `size` bytes from byte UIM on (around the end), at the right of the doubleword or word that ends at byte 8. */
const extract = (size: number): ImmediateRow => ({
  bits: [12, 15],
  row: ({ b }, n) =>
    shuffle(
      b,
      ZERO,
      run(0, 16).map((at) => (at >= 8 - size && at < 8 ? (n + at - (8 - size)) & 15 : 16)),
    ),
});
/** The target with the element of `size` bytes that ends at byte 8 of `from` at byte UIM. */
const insert = (size: number): ImmediateRow => ({
  bits: [12, 15],
  row: ({ t, b }, n) =>
    shuffle(
      t,
      b,
      run(0, 16).map((at) => (at >= n && at < n + size ? 16 + 8 - size + (at - n) : at)),
    ),
});

/** Lane numbers. */
export const LANES = v128(0x0f0e_0d0c_0b0a_0908n, 0x0706_0504_0302_0100n);

/** The byte index in a GPR, as lanes that the element lies from the right. */
const lanesFromRight = (frame: Frame, size: number, fromLeft: boolean): Code => {
  const index = i32Op.and(i32Op.wrap(frame.gpr("RA")), i32(15));
  return fromLeft ? i32Op.sub(i32(16 - size), index) : index;
};

/** RT <- the element of VRB at the byte index in RA. */
const extractTo =
  (size: number, fromLeft: boolean): Row =>
  (frame) => {
    const moved = swizzle(frame.b, B.add(LANES, B.splat(lanesFromRight(frame, size, fromLeft))));
    return i64Op.and(low(moved), i64((1n << BigInt(8 * size)) - 1n));
  };

/** The target with the low `size` bytes of `value` from lane `at` on, if all of them lie within. */
export function inserted(frame: Frame, size: number, at: Code, value: Code): Code {
  return frame.integer(at, (at) =>
    frame.vector(B.sub(LANES, B.splat(at)), (lane) =>
      bitSelect(
        swizzle(pair(i64(0n), value), lane),
        frame.t,
        and(B.gtU(B.splat(i32(size)), lane), W.splat(i32Op.sub(i32(0), i32Op.leU(at, i32(16 - size))))),
      ),
    ),
  );
}
/** VRT with an element of RB at the byte index in RA. */
const insertFrom =
  (size: number, fromLeft: boolean): Row =>
  (frame) =>
    inserted(frame, size, lanesFromRight(frame, size, fromLeft), frame.gpr("RB"));
/** The same with the element that ends in the middle of VRB. */
const insertVector =
  (size: number, fromLeft: boolean): Row =>
  (frame) =>
    inserted(frame, size, lanesFromRight(frame, size, fromLeft), D.extractU(1, frame.b));
/** VRT with an element of RB at byte UIM. */
const insertAt =
  (size: number): Row =>
  (frame) =>
    inserted(frame, size, i32Op.sub(i32(16 - size), frame.field(12, 15)), frame.gpr("RB"));

/** The element of VRA || VRB at the byte index in RC, in doubleword 0. */
const extractDouble =
  (size: number, fromLeft: boolean): Row =>
  (frame) => {
    const index = i32Op.and(i32Op.wrap(frame.gpr("RC")), i32(31));
    const start = fromLeft ? i32Op.sub(i32(32 - size), index) : index;
    // What lies beyond the ends reads as zero.
    const lane = B.add(LANES, B.splat(start));
    const moved = frame.vector(lane, (lane) =>
      or(swizzle(frame.b, lane), swizzle(frame.a, B.sub(lane, B.splat(i32(16))))),
    );
    return pair(i64Op.and(low(moved), i64((1n << BigInt(8 * size)) - 1n)), i64(0n));
  };

const reverseEach = (size: number): number[] =>
  run(0, 16 / size).flatMap((n) => elements(size, [n]).reverse());

/** Doubleword DM.0 of XA and DM.1 of XB. */
const permuteDoublewords: ImmediateRow = {
  bits: [22, 23],
  row: ({ a, b }, n) => shuffle(a, b, elements(8, [n >> 1, 2 + (n & 1)])),
};

export const PERMUTE = (): Family => ({
  vpkpx: packPixel,
  vpksdss: packDoublewords(-(1n << 31n), (1n << 31n) - 1n),
  vpksdus: packDoublewords(0n, (1n << 32n) - 1n),
  vpkshss: packSigned(narrow.HtoSB, widen.highSB, widen.lowSB),
  vpkshus: packSigned(narrow.HtoUB, zeros(1, 0), zeros(1, 8)),
  vpkswss: packSigned(narrow.WtoSH, widen.highSH, widen.lowSH),
  vpkswus: packSigned(narrow.WtoUH, zeros(2, 0), zeros(2, 4)),
  vpkudum: packModulo(8),
  vpkudus: packUnsigned(D, v128(0xffff_ffffn, 0xffff_ffffn)),
  vpkuhum: packModulo(2),
  vpkuhus: packUnsigned(H, every(0x00ff_00ff)),
  vpkuwum: packModulo(4),
  vpkuwus: packUnsigned(W, every(0x0000_ffff)),
  vupkhpx: unpackPixel(widen.highSH),
  vupkhsb: ({ b }) => widen.highSB(b),
  vupkhsh: ({ b }) => widen.highSH(b),
  vupkhsw: ({ b }) => widen.highSW(b),
  vupklpx: unpackPixel(widen.lowSH),
  vupklsb: ({ b }) => widen.lowSB(b),
  vupklsh: ({ b }) => widen.lowSH(b),
  vupklsw: ({ b }) => widen.lowSW(b),

  vmrghb: merge(1, 0),
  vmrghh: merge(2, 0),
  vmrghw: merge(4, 0),
  vmrglb: merge(1, 8),
  vmrglh: merge(2, 4),
  vmrglw: merge(4, 2),
  vmrgew: mergeEvery(0),
  vmrgow: mergeEvery(1),
  xxmrghw: merge(4, 0),
  xxmrglw: merge(4, 2),

  vspltb: splat(1, [12, 15]),
  vsplth: splat(2, [13, 15]),
  vspltw: splat(4, [14, 15]),
  xxspltw: splat(4, [14, 15]),
  vspltisb: (frame) => B.splat(frame.signedField(11, 15)),
  vspltish: (frame) => H.splat(frame.signedField(11, 15)),
  vspltisw: (frame) => W.splat(frame.signedField(11, 15)),
  xxspltib: (frame) => B.splat(frame.field(13, 20)),

  vperm: (frame) => permute(frame, frame.a, frame.b, frame.c),
  vpermr: (frame) => fromRight(frame, frame.a, frame.b, frame.c),
  xxperm: (frame) => permute(frame, frame.a, frame.t, frame.b),
  xxpermr: (frame) => fromRight(frame, frame.a, frame.t, frame.b),
  vpermxor: ({ a, b, c }) => xor(swizzle(a, nibble(B.shrU(c, i32(4)))), swizzle(b, nibble(c))),
  xxpermdi: permuteDoublewords,
  vsldoi: shiftBytes([22, 25], 1),
  xxsldwi: shiftBytes([22, 23], 4),

  xxbrh: bytesOfB(reverseEach(2)),
  xxbrw: bytesOfB(reverseEach(4)),
  xxbrd: bytesOfB(reverseEach(8)),
  xxbrq: bytesOfB(reverseEach(16)),

  vextractub: extract(1),
  vextractuh: extract(2),
  vextractuw: extract(4),
  vextractd: extract(8),
  xxextractuw: extract(4),
  vinsertb: insert(1),
  vinserth: insert(2),
  vinsertw: insert(4),
  vinsertd: insert(8),
  xxinsertw: insert(4),
  vextublx: extractTo(1, true),
  vextuhlx: extractTo(2, true),
  vextuwlx: extractTo(4, true),
  vextubrx: extractTo(1, false),
  vextuhrx: extractTo(2, false),
  vextuwrx: extractTo(4, false),
  vinsblx: insertFrom(1, true),
  vinshlx: insertFrom(2, true),
  vinswlx: insertFrom(4, true),
  vinsdlx: insertFrom(8, true),
  vinsbrx: insertFrom(1, false),
  vinshrx: insertFrom(2, false),
  vinswrx: insertFrom(4, false),
  vinsdrx: insertFrom(8, false),
  vinsbvlx: insertVector(1, true),
  vinshvlx: insertVector(2, true),
  vinswvlx: insertVector(4, true),
  vinsbvrx: insertVector(1, false),
  vinshvrx: insertVector(2, false),
  vinswvrx: insertVector(4, false),
  vinsw: insertAt(4),
  vinsd: insertAt(8),
  vextdubvlx: extractDouble(1, true),
  vextdubvrx: extractDouble(1, false),
  vextduhvlx: extractDouble(2, true),
  vextduhvrx: extractDouble(2, false),
  vextduwvlx: extractDouble(4, true),
  vextduwvrx: extractDouble(4, false),
  vextddvlx: extractDouble(8, true),
  vextddvrx: extractDouble(8, false),
});
