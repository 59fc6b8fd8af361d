/** Vector count, parity, gather, mask and string instructions, and moves to and from VSRs: Power ISA 3.0B, I.6.9.7, I.6.12, I.3.3.16; 3.1. */
import { REGISTERS_OFFSET } from "../../memory/layout.ts";
import { VSCR } from "../registers.ts";
import {
  and,
  anyTrue,
  B,
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
  loadI32,
  low,
  not,
  pair,
  pairSumBytes,
  pairSumHalfwords,
  popcntBytes,
  select,
  storeI32,
  swizzle,
  v128,
  W,
  xor,
  ZERO,
} from "./expressions.ts";
import type { Frame, Row } from "./frame.ts";
import type { Family } from "./functions.ts";
import { LANES } from "./permute.ts";

const scalar = (lanes: Lanes) => (lanes.scalar === I32 ? i32Op : i64Op);
const constant = (lanes: Lanes, value: number | bigint): Code =>
  lanes.scalar === I32 ? i32(Number(value)) : i64(BigInt(value));

/** `op` of each element of VRB. */
const eachOfB =
  (lanes: Lanes, op: (x: Code) => Code): Row =>
  ({ b }) =>
    Array.from({ length: lanes.count }, (_, n) => n).reduce<Code>(
      (into, n) => lanes.replace(n, into, op(lanes.extractU(n, b))),
      ZERO,
    );
const leadingZeros = (lanes: Lanes): Row => {
  const op = scalar(lanes);
  const spare = lanes.scalar === I32 ? 32 - lanes.bits : 0;
  return eachOfB(lanes, (x) => op.sub(op.clz(x), constant(lanes, spare)));
};
const trailingZeros = (lanes: Lanes): Row => {
  const op = scalar(lanes);
  // A bit beyond the element ends the search.
  const end = lanes.bits < 32 ? 1 << lanes.bits : 0;
  return eachOfB(lanes, (x) => op.ctz(op.or(x, constant(lanes, end))));
};

const BYTE_ONES = v128(0x0101_0101_0101_0101n, 0x0101_0101_0101_0101n);
const ones = (lanes: Lanes): Code => lanes.splat(constant(lanes, 1));
/** The sum without carry of the bytes' least significant bits: the parity of how many of them are set. */
const parity =
  (lanes: Lanes): Row =>
  ({ b }) =>
    and(eachOfB(lanes, scalar(lanes).popcnt)({ b: and(b, BYTE_ONES) } as Frame), ones(lanes));
const parityOfAll: Row = ({ b }) => {
  const bits = (half: Code): Code => i64Op.popcnt(i64Op.and(half, i64(0x0101_0101_0101_0101n)));
  return pair(i64(0n), i64Op.and(i64Op.add(bits(high(b)), bits(low(b))), i64(1n)));
};

// ---- bits by bytes ------------------------------------------------------------------------------------------

/** Transposes the eight bytes of each doubleword as a matrix of bits: exchanges blocks of 4, 2 and 1. */
const transposeBits: Row = (frame) => {
  const exchange = (value: Code, shift: number, mask: bigint, next: (value: Code) => Code): Code =>
    frame.vector(value, (value) =>
      frame.vector(and(xor(value, D.shrU(value, i32(shift))), v128(mask, mask)), (moved) =>
        next(xor(xor(value, moved), D.shl(moved, i32(shift)))),
      ),
    );
  return exchange(frame.b, 7, 0x00aa_00aa_00aa_00aan, (first) =>
    exchange(first, 14, 0x0000_cccc_0000_ccccn, (second) =>
      exchange(second, 28, 0x0000_0000_f0f0_f0f0n, (third) => third),
    ),
  );
};

/** 0x80 >> (n & 7) for each byte n. */
const bitOfByte = (n: Code): Code => swizzle(v128(0n, 0x0102_0408_1020_4080n), and(n, B.splat(i32(7))));
/** One bit a byte of VRB: that of VRA which it names, counted from the left of the doubleword or quadword whose last byte is in lane `last`. */
const pickBits = (frame: Frame, last: Code, limit: number): Code => {
  const { a, b } = frame;
  const from = B.sub(last, B.shrU(b, i32(3)));
  const found = not(B.eq(and(swizzle(a, from), bitOfByte(b)), ZERO));
  return B.bitMask(limit < 256 ? and(found, B.gtU(B.splat(i32(limit)), b)) : found);
};
const permuteBitsQuad: Row = (frame) => pair(i64Op.extendU(pickBits(frame, B.splat(i32(15)), 128)), i64(0n));
const permuteBitsDouble: Row = (frame) =>
  frame.integer(pickBits(frame, v128(0x0f0f_0f0f_0f0f_0f0fn, 0x0707_0707_0707_0707n), 64), (bits) =>
    pair(i64Op.extendU(i32Op.shrU(bits, i32(8))), i64Op.extendU(i32Op.and(bits, i32(0xff)))),
  );

/** Bytes whose least significant bit is clear, from the left or from the right, before the first where it is set. */
const countBytes =
  (left: boolean): Row =>
  ({ b }) => {
    const set = B.bitMask(B.shl(b, i32(7)));
    const count = left
      ? i32Op.clz(i32Op.or(i32Op.shl(set, i32(16)), i32(0x8000)))
      : i32Op.ctz(i32Op.or(set, i32(0x1_0000)));
    return i64Op.extendU(count);
  };

// ---- masks ------------------------------------------------------------------------------------------------

/** One bit an element from its sign. */
const extractMask =
  (lanes: Lanes): Row =>
  ({ b }) =>
    i64Op.extendU(lanes.bitMask(b));
const extractQuadMask: Row = ({ b }) => i64Op.shrU(high(b), i64(63n));
const expandMask =
  (lanes: Lanes): Row =>
  ({ b }) =>
    lanes.shrS(b, i32(lanes.bits - 1));
const expandQuadMask: Row = ({ b }) => D.splat(i64Op.shrS(high(b), i64(63n)));

/** Elements whose sign is MP, counted into RT from its left end. */
const countMask =
  (lanes: Lanes): Row =>
  (frame) => {
    const set = i32Op.popcnt(lanes.bitMask(frame.b));
    const count = select(set, i32Op.sub(i32(lanes.count), set), frame.field(15, 15));
    return i64Op.shl(i64Op.extendU(count), i64(BigInt(56 + Math.log2(lanes.bits / 8))));
  };

const POWERS: ReadonlyMap<Lanes, Code> = new Map([
  [H, v128(0x0080_0040_0020_0010n, 0x0008_0004_0002_0001n)],
  [W, v128(0x0000_0008_0000_0004n, 0x0000_0002_0000_0001n)],
  [D, v128(2n, 1n)],
]);
/** Elements of all ones where the bit of their number, from the right, is set. */
const maskOf =
  (lanes: Lanes): Row =>
  (frame) => {
    const value = frame.gpr("RB");
    const spread = lanes.splat(lanes.scalar === I32 ? i32Op.wrap(value) : value);
    return not(lanes.eq(and(spread, POWERS.get(lanes)!), ZERO));
  };
/** The same of 16 bytes: two bytes of bits spread over eight lanes each. */
const byteMask = (bits: Code): Code => {
  const spread = swizzle(H.splat(bits), v128(0x0101_0101_0101_0101n, 0n));
  return not(B.eq(and(spread, v128(0x8040_2010_0804_0201n, 0x8040_2010_0804_0201n)), ZERO));
};
const quadMaskOf: Row = (frame) => D.splat(i64Op.sub(i64(0n), i64Op.and(frame.gpr("RB"), i64(1n))));
/** The immediate of the DX form: d0 || d1 || d2. */
const immediateMask: Row = (frame) =>
  byteMask(
    i32Op.or(
      i32Op.shl(frame.field(16, 25), i32(6)),
      i32Op.or(i32Op.shl(frame.field(11, 15), i32(1)), frame.field(31, 31)),
    ),
  );

// ---- strings ------------------------------------------------------------------------------------------------

/** Ones in the leftmost or rightmost `count` bytes. */
const edge = (count: Code, left: boolean): Code =>
  left ? B.gtS(LANES, B.splat(i32Op.sub(i32(15), count))) : B.gtU(B.splat(count), LANES);
/** Elements up to the first zero from one end; with Rc, CR6 says whether there is one. */
const isolate =
  (lanes: Lanes, left: boolean): Row =>
  (frame) => {
    const each = lanes.bits / 8;
    const index = frame.local(I32);
    const zeros = lanes.bitMask(lanes.eq(frame.b, ZERO));
    const count = left
      ? i32Op.clz(i32Op.or(i32Op.shl(zeros, i32(32 - lanes.count)), i32(2 ** (31 - lanes.count))))
      : i32Op.ctz(i32Op.or(zeros, i32(2 ** lanes.count)));
    const kept: Code = [0x20, index];
    frame.record = () => frame.setCr(i32(6), i32Op.shl(i32Op.ltU(kept, i32(lanes.count)), i32(1)));
    return [...count, 0x21, index, ...and(frame.b, edge(i32Op.mul(kept, i32(each)), left))];
  };
/** All but the leftmost or rightmost RB bytes of VRA become zero. */
const keepBytes =
  (left: boolean): Row =>
  (frame) =>
    frame.integer(
      i32Op.wrap(select(frame.gpr("RB"), i64(16n), i64Op.ltU(frame.gpr("RB"), i64(16n)))),
      (count) => and(frame.a, edge(count, left)),
    );

/** CR field: whether the least significant bits of all bytes are ones, and whether all are zeros. */
const testBytes: Row = ({ b }) => {
  const bits = and(b, BYTE_ONES);
  return i32Op.or(i32Op.shl(B.allTrue(bits), i32(3)), i32Op.shl(i32Op.eqz(anyTrue(bits)), i32(1)));
};

/** The special values of lxvkq: 1 to 7, infinity, a quiet NaN; -0, -1 to -7 and -infinity, by the upper 32 bits of the format. */
const QUADS: Readonly<Record<number, number>> = {
  1: 0x3fff_0000,
  2: 0x4000_0000,
  3: 0x4000_8000,
  4: 0x4001_0000,
  5: 0x4001_4000,
  6: 0x4001_8000,
  7: 0x4001_c000,
  8: 0x7fff_0000,
  9: 0x7fff_8000,
  16: 0x8000_0000,
  17: 0xbfff_0000,
  18: 0xc000_0000,
  19: 0xc000_8000,
  20: 0xc001_0000,
  21: 0xc001_4000,
  22: 0xc001_8000,
  23: 0xc001_c000,
  24: 0xffff_0000,
};

// ---- moves --------------------------------------------------------------------------------------------------

const VSCR_BITS = 0x0001_0001;

export const COUNT = (): Family => ({
  vprtybw: parity(W),
  vprtybd: parity(D),
  vprtybq: parityOfAll,
  vgbbd: transposeBits,
  vclzb: leadingZeros(B),
  vclzh: leadingZeros(H),
  vclzw: leadingZeros(W),
  vclzd: leadingZeros(D),
  vctzb: trailingZeros(B),
  vctzh: trailingZeros(H),
  vctzw: trailingZeros(W),
  vctzd: trailingZeros(D),
  vpopcntb: ({ b }) => popcntBytes(b),
  vpopcnth: ({ b }) => pairSumBytes(popcntBytes(b)),
  vpopcntw: ({ b }) => pairSumHalfwords(pairSumBytes(popcntBytes(b))),
  vpopcntd: eachOfB(D, i64Op.popcnt),
  vclzlsbb: countBytes(true),
  vctzlsbb: countBytes(false),
  vbpermq: permuteBitsQuad,
  vbpermd: permuteBitsDouble,
  vclrlb: keepBytes(false),
  vclrrb: keepBytes(true),
  vstribl: isolate(B, true),
  vstribr: isolate(B, false),
  vstrihl: isolate(H, true),
  vstrihr: isolate(H, false),
  mtvsrbmi: immediateMask,
  vcntmbb: countMask(B),
  vcntmbh: countMask(H),
  vcntmbw: countMask(W),
  vcntmbd: countMask(D),
  vexpandbm: expandMask(B),
  vexpandhm: expandMask(H),
  vexpandwm: expandMask(W),
  vexpanddm: expandMask(D),
  vexpandqm: expandQuadMask,
  vextractbm: extractMask(B),
  vextracthm: extractMask(H),
  vextractwm: extractMask(W),
  vextractdm: extractMask(D),
  vextractqm: extractQuadMask,
  mtvsrbm: (frame) => byteMask(i32Op.wrap(frame.gpr("RB"))),
  mtvsrhm: maskOf(H),
  mtvsrwm: maskOf(W),
  mtvsrdm: maskOf(D),
  mtvsrqm: quadMaskOf,
  xvtlsbb: testBytes,

  lxvkq: {
    bits: [16, 20],
    values: Object.keys(QUADS).map(Number),
    row: (_frame, n) => v128(BigInt(QUADS[n]) << 32n, 0n),
  },
  mfvsrd: ({ t }) => high(t),
  mfvsrld: ({ t }) => low(t),
  mfvsrwz: ({ t }) => i64Op.and(high(t), i64(0xffff_ffffn)),
  mtvsrd: (frame) => pair(frame.gpr("RA"), i64(0n)),
  mtvsrwa: (frame) => pair(i64Op.extendS(i32Op.wrap(frame.gpr("RA"))), i64(0n)),
  mtvsrwz: (frame) => pair(i64Op.extendU(i32Op.wrap(frame.gpr("RA"))), i64(0n)),
  mtvsrdd: (frame) => pair(frame.gpr("RA0"), frame.gpr("RB")),
  mtvsrws: (frame) => W.splat(i32Op.wrap(frame.gpr("RA"))),
  mfvscr: () => pair(i64(0n), i64Op.extendU(loadI32(REGISTERS_OFFSET + VSCR, i32(0)))),
  mtvscr: ({ b }) => storeI32(REGISTERS_OFFSET + VSCR, i32(0), i32Op.and(W.extractU(0, b), i32(VSCR_BITS))),
});
