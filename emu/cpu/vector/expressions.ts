/**
 * WebAssembly code as values: functions that take the code of operands and give the code of the whole, so that the rows of the
 * vector tables read as expressions. WebAssembly core specification, chapter 5; the SIMD opcodes are those of 5.4.8.
 */

/** Code that leaves one value (or, where its maker says so, none) on the stack. */
export type Code = readonly number[];

export const I32 = 0x7f;
export const I64 = 0x7e;
export const V128 = 0x7b;

/** An unsigned number as LEB128. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value >>> 0; ; rest >>>= 7) {
    if (rest < 0x80) return [...bytes, rest];
    bytes.push((rest & 0x7f) | 0x80);
  }
}

/** A signed number as LEB128. */
function signed(value: bigint): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    const byte = Number(rest & 0x7fn);
    if (rest >= -64n && rest < 64n) return [...bytes, byte];
    bytes.push(byte | 0x80);
  }
}

export const i32 = (value: number): Code => [0x41, ...signed(BigInt(value | 0))];
export const i64 = (value: bigint): Code => [0x42, ...signed(BigInt.asIntN(64, value))];

/** An instruction of one byte, with its operands before it. */
const plain =
  (opcode: number) =>
  (...operands: readonly Code[]): Code => [...operands.flat(), opcode];

export const i32Op = {
  eqz: plain(0x45),
  eq: plain(0x46),
  ne: plain(0x47),
  ltS: plain(0x48),
  ltU: plain(0x49),
  gtS: plain(0x4a),
  gtU: plain(0x4b),
  leS: plain(0x4c),
  leU: plain(0x4d),
  geU: plain(0x4f),
  clz: plain(0x67),
  ctz: plain(0x68),
  popcnt: plain(0x69),
  add: plain(0x6a),
  sub: plain(0x6b),
  mul: plain(0x6c),
  divS: plain(0x6d),
  divU: plain(0x6e),
  remS: plain(0x6f),
  remU: plain(0x70),
  and: plain(0x71),
  or: plain(0x72),
  xor: plain(0x73),
  shl: plain(0x74),
  shrS: plain(0x75),
  shrU: plain(0x76),
  rotl: plain(0x77),
  wrap: plain(0xa7),
} as const;

export const i64Op = {
  eqz: plain(0x50),
  eq: plain(0x51),
  ne: plain(0x52),
  ltS: plain(0x53),
  ltU: plain(0x54),
  gtS: plain(0x55),
  gtU: plain(0x56),
  clz: plain(0x79),
  ctz: plain(0x7a),
  popcnt: plain(0x7b),
  add: plain(0x7c),
  sub: plain(0x7d),
  mul: plain(0x7e),
  divS: plain(0x7f),
  divU: plain(0x80),
  remS: plain(0x81),
  remU: plain(0x82),
  and: plain(0x83),
  or: plain(0x84),
  xor: plain(0x85),
  shl: plain(0x86),
  shrS: plain(0x87),
  shrU: plain(0x88),
  rotl: plain(0x89),
  extendS: plain(0xac),
  extendU: plain(0xad),
  extend8S: plain(0xc2),
  extend16S: plain(0xc3),
} as const;

/** The bits of a double from those of a single that is no NaN. */
export const promote = (single: Code): Code => [...single, 0xbe, 0xbb, 0xbd];

/** `yes` where the i32 `condition` is not zero, else `no`; both are computed. */
export const select = (yes: Code, no: Code, condition: Code): Code => [...yes, ...no, ...condition, 0x1b];

const VOID = 0x40;
/** Code without a value, run where `condition` is not zero. */
export const when = (condition: Code, then: Code): Code => [...condition, 0x04, VOID, ...then, 0x0b];
/** A value of one type or the other; only the one that is wanted is computed. */
export const either = (type: number, condition: Code, then: Code, otherwise: Code): Code => [
  ...condition,
  0x04,
  type,
  ...then,
  0x05,
  ...otherwise,
  0x0b,
];
/** Repeats `body`, code without a value, while `condition`, asked after it, is not zero. */
export const repeat = (body: Code, condition: Code): Code => [
  0x03,
  VOID,
  ...body,
  ...condition,
  0x0d,
  0,
  0x0b,
];

export const getLocal = (index: number): Code => [0x20, ...unsigned(index)];
export const setLocal = (index: number, value: Code): Code => [...value, 0x21, ...unsigned(index)];
export const call = (index: number, ...operands: readonly Code[]): Code => [
  ...operands.flat(),
  0x10,
  ...unsigned(index),
];

/** A load or store at (i32) address plus constant offset; no alignment is promised. */
export const access =
  (...opcode: number[]) =>
  (offset: number, ...operands: readonly Code[]): Code => [
    ...operands.flat(),
    ...opcode,
    0,
    ...unsigned(offset),
  ];

const simd = (opcode: number): number[] => [0xfd, ...unsigned(opcode)];

export const loadI32 = access(0x28);
export const loadI64 = access(0x29);
export const loadF64 = access(0x2b);
export const loadU8 = access(0x2d);
export const loadU16 = access(0x2f);
export const storeI32 = access(0x36);
export const storeI64 = access(0x37);
export const storeF64 = access(0x39);
export const storeI8 = access(0x3a);
export const storeI16 = access(0x3b);
export const loadV128 = access(...simd(0));
export const storeV128 = access(...simd(11));

const v =
  (opcode: number) =>
  (...operands: readonly Code[]): Code => [...operands.flat(), ...simd(opcode)];

/** An instruction with a lane number. */
const lane =
  (opcode: number) =>
  (index: number, ...operands: readonly Code[]): Code => [...operands.flat(), ...simd(opcode), index];

export const not = v(77);
export const and = v(78);
/** and(a, not(b)). */
export const andNot = v(79);
export const or = v(80);
export const xor = v(81);
/** Bits of the first where the third has ones, else of the second. */
export const bitSelect = v(82);
export const anyTrue = v(83);
export const swizzle = v(14);
export const popcntBytes = v(98);
/** Unsigned sums of neighbouring bytes and halfwords. */
export const pairSumBytes = v(125);
export const pairSumHalfwords = v(127);
/** The same of signed halfwords. */
export const pairSumSignedHalfwords = v(126);

/** The 128-bit constant whose halves are these. */
export function v128(high: bigint, low: bigint): Code {
  const bytes = new DataView(new ArrayBuffer(16));
  bytes.setBigUint64(0, BigInt.asUintN(64, low), true);
  bytes.setBigUint64(8, BigInt.asUintN(64, high), true);
  return [...simd(12), ...new Uint8Array(bytes.buffer)];
}
export const ZERO = v128(0n, 0n);
export const ONES = v128(-1n, -1n);

/**
 * The byte elements of `a` and `b` that are listed: 0 to 15 are `a`'s, 16 to 31 `b`'s, numbered as in the manual from the most significant
 * byte, which is WebAssembly's last lane.
 */
export const shuffle = (a: Code, b: Code, elements: readonly number[]): Code => [
  ...a,
  ...b,
  ...simd(13),
  ...[...elements].reverse().map((element) => (element < 16 ? 15 - element : 47 - element)),
];

/** The numbers from `first` on. */
export const run = (first: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => first + i);
/** Bytes of elements of `size` bytes, by their numbers. */
export const elements = (size: number, numbers: readonly number[]): number[] =>
  numbers.flatMap((number) => run(number * size, size));

/** The instructions of one element size. */
export interface Lanes {
  /** Bits of an element. */
  readonly bits: 8 | 16 | 32 | 64;
  readonly count: number;
  /** Type of an element outside a vector. */
  readonly scalar: typeof I32 | typeof I64;
  readonly splat: (value: Code) => Code;
  /** One lane, extended with zeros or with its sign; lane 0 is the manual's last element. */
  readonly extractU: (index: number, from: Code) => Code;
  readonly extractS: (index: number, from: Code) => Code;
  readonly replace: (index: number, into: Code, value: Code) => Code;
  readonly add: (a: Code, b: Code) => Code;
  readonly sub: (a: Code, b: Code) => Code;
  readonly mul: (a: Code, b: Code) => Code;
  readonly neg: (a: Code) => Code;
  readonly abs: (a: Code) => Code;
  /** Shifts of all lanes by the same (i32) count, modulo their size. */
  readonly shl: (a: Code, count: Code) => Code;
  readonly shrS: (a: Code, count: Code) => Code;
  readonly shrU: (a: Code, count: Code) => Code;
  readonly eq: (a: Code, b: Code) => Code;
  readonly gtS: (a: Code, b: Code) => Code;
  readonly gtU: (a: Code, b: Code) => Code;
  readonly minS: (a: Code, b: Code) => Code;
  readonly minU: (a: Code, b: Code) => Code;
  readonly maxS: (a: Code, b: Code) => Code;
  readonly maxU: (a: Code, b: Code) => Code;
  readonly allTrue: (a: Code) => Code;
  readonly bitMask: (a: Code) => Code;
}

const shiftBy = (opcode: number) => (a: Code, count: Code) => v(opcode)(a, count);

export const B: Lanes = {
  bits: 8,
  count: 16,
  scalar: I32,
  splat: v(15),
  extractS: lane(21),
  extractU: lane(22),
  replace: lane(23),
  add: v(110),
  sub: v(113),
  // There is no byte multiplication: even and odd bytes as halfwords.
  mul: (a, b) =>
    or(
      and(H.mul(a, b), v128(0x00ff_00ff_00ff_00ffn, 0x00ff_00ff_00ff_00ffn)),
      H.shl(H.mul(H.shrU(a, i32(8)), H.shrU(b, i32(8))), i32(8)),
    ),
  neg: v(97),
  abs: v(96),
  shl: shiftBy(107),
  shrS: shiftBy(108),
  shrU: shiftBy(109),
  eq: v(35),
  gtS: v(39),
  gtU: v(40),
  minS: v(118),
  minU: v(119),
  maxS: v(120),
  maxU: v(121),
  allTrue: v(99),
  bitMask: v(100),
};

export const H: Lanes = {
  bits: 16,
  count: 8,
  scalar: I32,
  splat: v(16),
  extractS: lane(24),
  extractU: lane(25),
  replace: lane(26),
  add: v(142),
  sub: v(145),
  mul: v(149),
  neg: v(129),
  abs: v(128),
  shl: shiftBy(139),
  shrS: shiftBy(140),
  shrU: shiftBy(141),
  eq: v(45),
  gtS: v(49),
  gtU: v(50),
  minS: v(150),
  minU: v(151),
  maxS: v(152),
  maxU: v(153),
  allTrue: v(131),
  bitMask: v(132),
};

export const W: Lanes = {
  bits: 32,
  count: 4,
  scalar: I32,
  splat: v(17),
  extractS: lane(27),
  extractU: lane(27),
  replace: lane(28),
  add: v(174),
  sub: v(177),
  mul: v(181),
  neg: v(161),
  abs: v(160),
  shl: shiftBy(171),
  shrS: shiftBy(172),
  shrU: shiftBy(173),
  eq: v(55),
  gtS: v(59),
  gtU: v(60),
  minS: v(182),
  minU: v(183),
  maxS: v(184),
  maxU: v(185),
  allTrue: v(163),
  bitMask: v(164),
};

const SIGNS = v128(-(1n << 63n), -(1n << 63n));
const gtS64 = v(217);
/** Unsigned order is signed order with the sign bits flipped. */
const gtU64 = (a: Code, b: Code): Code => gtS64(xor(a, SIGNS), xor(b, SIGNS));

export const D: Lanes = {
  bits: 64,
  count: 2,
  scalar: I64,
  splat: v(18),
  extractS: lane(29),
  extractU: lane(29),
  replace: lane(30),
  add: v(206),
  sub: v(209),
  mul: v(213),
  neg: v(193),
  abs: v(192),
  shl: shiftBy(203),
  shrS: shiftBy(204),
  shrU: shiftBy(205),
  eq: v(214),
  gtS: gtS64,
  gtU: gtU64,
  minS: (a, b) => bitSelect(b, a, gtS64(a, b)),
  minU: (a, b) => bitSelect(b, a, gtU64(a, b)),
  maxS: (a, b) => bitSelect(a, b, gtS64(a, b)),
  maxU: (a, b) => bitSelect(a, b, gtU64(a, b)),
  allTrue: v(195),
  bitMask: v(196),
};

/** Floating point: singles, and doubles. */
export const singles = {
  abs: v(224),
  neg: v(225),
  eq: v(65),
  lt: v(67),
  gt: v(68),
  /** Two doubles rounded to the low lanes, zeros in the high ones. */
  demote: v(94),
} as const;
export const doubles = {
  neg: v(237),
  ne: v(72),
  add: v(240),
  sub: v(241),
  mul: v(242),
  /** The singles in the low lanes. */
  promote: v(95),
} as const;

/** Sums and differences of bytes and halfwords that stick at the ends of the range. */
export const saturating = {
  addSB: v(111),
  addUB: v(112),
  subSB: v(114),
  subUB: v(115),
  addSH: v(143),
  addUH: v(144),
  subSH: v(146),
  subUH: v(147),
} as const;

/** Averages of unsigned bytes and halfwords, rounded up. */
export const averageUB = v(123);
export const averageUH = v(155);

/** Two vectors (the first gives the low lanes) narrowed with saturation: signed elements to signed or unsigned ones. */
export const narrow = { HtoSB: v(101), HtoUB: v(102), WtoSH: v(133), WtoUH: v(134) } as const;

/** The low or high lanes, widened. */
export const widen = {
  lowSB: v(135),
  highSB: v(136),
  lowSH: v(167),
  highSH: v(168),
  lowSW: v(199),
  highSW: v(200),
} as const;

/** Products of the low or high signed halfwords, as words, and of the low or high unsigned words, as doublewords. */
export const widenProduct = { lowSH: v(188), highSH: v(189), lowUW: v(222), highUW: v(223) } as const;

/** Sums of products of neighbouring signed halfwords, as words modulo 2^32. */
export const dotHalfwords = v(186);

/** The two doublewords of a vector, the more significant first. */
export const high = (a: Code): Code => D.extractU(1, a);
export const low = (a: Code): Code => D.extractU(0, a);
/** The vector of two doublewords. */
export const pair = (upper: Code, lower: Code): Code => D.replace(1, D.splat(lower), upper);
