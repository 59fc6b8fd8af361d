/**
 * Vector floating point: Power ISA 3.0B, I.7.6.3 (VSX) and I.6.10 (Altivec). Vectors leave FPRF, FI and FR alone, so that nothing is to be
 * noted of them; `float-checks.ts` decides whether results may stand. Lane 0 of a local is the last element of the register.
 */
import { vectorNumber } from "../../cpu/vector/frame.ts";
import type { Generator } from "../generator.ts";
import { CR_SLOT } from "../slots.ts";
import { I32, Op, Simd, V128 } from "../wasm.ts";
import {
  type Bounds,
  DOUBLES,
  DOUBLEWORDS,
  isInexact,
  judge,
  type LaneOp,
  type Lanes,
  laneConstant,
  laneOp,
  type Operation,
  pushFused,
  pushLimit,
  pushWithin,
  type Sign,
  SINGLES,
  WORDS,
} from "./float-checks.ts";
import { type Emit, RA, type Rows } from "./row.ts";

/** Temporaries of type v128: a result, and two values on the way to it. */
const RESULT = 10;
const FIRST = 11;
const SECOND = 12;
const temporary = (g: Generator, n: number): number => g.temporary(V128, n);

/** The local with the contents of a register operand. */
const contents = (g: Generator, word: number, name: string): number => g.vector(vectorNumber(name, word));
const setXt = (g: Generator, word: number): void => g.setVector(vectorNumber("XT", word));

const constant = (g: Generator, lanes: Lanes, value: number): void => laneConstant(g.code, lanes, value);
/** Pushes x, or the value of an operation on x, or on x and y. */
const push = (g: Generator, lanes: Lanes, name: LaneOp, x: number, y?: number): void => {
  g.code.get(x);
  if (y !== undefined) g.code.get(y);
  laneOp(g.code, lanes, name);
};
/** Pushes a word vector whose lanes are these of a local. */
const pushWords = (g: Generator, from: number, lanes: readonly number[]): void => {
  const { code } = g;
  code.get(from);
  code.get(from);
  code.simd(Simd.i8x16_shuffle);
  for (const lane of lanes) for (let byte = 0; byte < 4; byte++) code.op(4 * lane + byte);
};
/** The first words of the doublewords, as the lower two lanes; and back, each into both words of its doubleword. */
const FIRST_WORDS = [1, 3, 1, 3];
const SPREAD = [0, 0, 1, 1];

/** Pops a mask: pushes whether it is clear in some lane. */
const isNotAll = ({ code }: Generator, lanes: Lanes): void => {
  code.simd(lanes.bitmask);
  code.i32Const(2 ** lanes.count - 1);
  code.op(Op.i32_ne);
};
/** Pops a mask: leaves unless it is set in all lanes. */
const must = (g: Generator, lanes: Lanes): void => {
  isNotAll(g, lanes);
  g.leaveIf();
};
/** Leaves where one of the elements is a NaN. */
const checkOrdered = (g: Generator, lanes: Lanes, locals: readonly number[]): void => {
  locals.forEach((local, i) => {
    push(g, lanes, "eq", local, local);
    if (i > 0) laneOp(g.code, lanes, "and");
  });
  must(g, lanes);
};
/** Leaves where it makes a difference that a result is not quite what it was made of. */
const checkSame = (g: Generator, lanes: Lanes, x: number, y: number): void => {
  pushLimit(g);
  g.code.op(Op.i32_eqz);
  push(g, lanes, "eq", x, y);
  isNotAll(g, lanes);
  g.code.op(Op.i32_and);
  g.leaveIf();
};

// ---- VSX: arithmetic ---------------------------------------------------------------------------------------

/** Pops a result: XT <- it, if it may stand. */
const stand = (
  g: Generator,
  word: number,
  lanes: Lanes,
  operation: Operation,
  operands: readonly number[],
  negate = false,
): void => {
  const result = temporary(g, RESULT);
  g.code.set(result);
  judge(g, lanes, operation, operands, result);
  g.code.get(result);
  if (negate) laneOp(g.code, lanes, "neg");
  setXt(g, word);
};
/** A temporary with -x. */
const negative = (g: Generator, lanes: Lanes, x: number): number => {
  const result = temporary(g, FIRST);
  push(g, lanes, "neg", x);
  g.code.set(result);
  return result;
};
const binary = (lanes: Lanes, name: LaneOp, operation: Operation): Emit => {
  return (g, word) => {
    const [a, b] = [contents(g, word, "XA"), contents(g, word, "XB")];
    push(g, lanes, name, a, b);
    stand(g, word, lanes, operation, [a, b]);
  };
};
const difference = (lanes: Lanes): Emit => {
  return (g, word) => {
    const [a, b] = [contents(g, word, "XA"), contents(g, word, "XB")];
    const addend = negative(g, lanes, b);
    push(g, lanes, "add", a, addend);
    stand(g, word, lanes, "sum", [a, addend]);
  };
};
const root = (lanes: Lanes): Emit => {
  return (g, word) => {
    const b = contents(g, word, "XB");
    push(g, lanes, "sqrt", b);
    stand(g, word, lanes, "root", [b]);
  };
};
/** An estimate that is as good as the format allows. */
const reciprocal = (lanes: Lanes): Emit => {
  return (g, word) => {
    const b = contents(g, word, "XB");
    const ones = temporary(g, FIRST);
    constant(g, lanes, 1);
    g.code.set(ones);
    push(g, lanes, "div", ones, b);
    stand(g, word, lanes, "quotient", [ones, b]);
  };
};
/** `addend` is XT for Type-A and XB for Type-M instructions, where XT is a factor. */
const fused = (lanes: Lanes, addend: "XT" | "XB", subtract: boolean, negate: boolean): Emit => {
  return (g, word) => {
    if (lanes === SINGLES && !g.target.fused) return false;
    const a = contents(g, word, "XA");
    const c = contents(g, word, addend === "XT" ? "XB" : "XT");
    let b = contents(g, word, addend);
    if (subtract) b = negative(g, lanes, b);
    pushFused(g, lanes, [a, c, b]);
    stand(g, word, lanes, "fused", [a, c, b], negate);
  };
};

// ---- VSX: signs, comparisons -------------------------------------------------------------------------------

const moved = (lanes: Lanes, ...names: LaneOp[]): Emit => {
  return (g, word) => {
    g.code.get(contents(g, word, "XB"));
    for (const name of names) laneOp(g.code, lanes, name);
    setXt(g, word);
  };
};
const copySign = (lanes: Lanes): Emit => {
  return (g, word) => {
    const [a, b] = [contents(g, word, "XA"), contents(g, word, "XB")];
    pushWithSign(g, lanes, b, a);
    setXt(g, word);
  };
};
/** Pushes x with the signs of y. */
const pushWithSign = (g: Generator, lanes: Lanes, x: number, y: number): void => {
  g.code.get(y);
  g.code.get(x);
  constant(g, lanes, -0);
  g.code.simd(Simd.v128_bitselect);
};
/** The greater or lesser ones of numbers, +0 greater than -0. */
const extreme = (lanes: Lanes, name: "min" | "max"): Emit => {
  return (g, word) => {
    const [a, b] = [contents(g, word, "XA"), contents(g, word, "XB")];
    checkOrdered(g, lanes, [a, b]);
    push(g, lanes, name, a, b);
    setXt(g, word);
  };
};

const RC = 0x400;
/** Pops masks for register n. Rc: CR6 <- all || 0 || none || 0. */
const giveMasks = (g: Generator, lanes: Lanes, word: number, n: number): void => {
  const { code } = g;
  if ((word & RC) !== 0) {
    const masks = temporary(g, RESULT);
    const bits = g.temporary(I32, 1);
    code.tee(masks);
    code.simd(lanes.bitmask);
    code.tee(bits);
    code.i32Const(2 ** lanes.count - 1);
    code.op(Op.i32_eq);
    code.i32Const(3);
    code.op(Op.i32_shl);
    code.get(bits);
    code.op(Op.i32_eqz);
    code.i32Const(1);
    code.op(Op.i32_shl);
    code.op(Op.i32_or);
    g.set(CR_SLOT + 6);
    code.get(masks);
  }
  g.setVector(n);
};
const compare = (lanes: Lanes, name: "eq" | "gt" | "ge"): Emit => {
  return (g, word) => {
    const [a, b] = [contents(g, word, "XA"), contents(g, word, "XB")];
    checkOrdered(g, lanes, [a, b]);
    push(g, lanes, name, a, b);
    giveMasks(g, lanes, word, vectorNumber("XT", word));
  };
};

// ---- VSX: conversions --------------------------------------------------------------------------------------

/** To integral values; only the one that goes by FPSCR.RN `raises` inexact. */
const integral = (
  lanes: Lanes,
  round: (g: Generator, lanes: Lanes, b: number) => void,
  raises = false,
): Emit => {
  return (g, word) => {
    const b = contents(g, word, "XB");
    const result = temporary(g, RESULT);
    checkOrdered(g, lanes, [b]);
    round(g, lanes, b);
    g.code.set(result);
    if (raises) checkSame(g, lanes, result, b);
    g.code.get(result);
    setXt(g, word);
  };
};
const rounding = (name: LaneOp) => (g: Generator, lanes: Lanes, b: number) => push(g, lanes, name, b);
/** To the nearest integer, ties away from zero. */
const roundAway = (g: Generator, lanes: Lanes, b: number): void => {
  const { code } = g;
  const [whole, one, part] = [FIRST, SECOND, RESULT].map((n) => temporary(g, n));
  push(g, lanes, "trunc", b);
  code.set(whole);
  constant(g, lanes, 1);
  code.set(one);
  push(g, lanes, "sub", b, whole);
  laneOp(code, lanes, "abs");
  code.set(part);
  code.get(whole);
  pushWithSign(g, lanes, one, b);
  laneOp(code, lanes, "add");
  code.get(whole);
  code.get(part);
  constant(g, lanes, 0.5);
  laneOp(code, lanes, "ge");
  code.simd(Simd.v128_bitselect);
};

type Layout = "words" | "doublewords";

/** Leaves unless all elements truncated are such integers, and where it makes a difference that they are truncated. */
const checkIntegers = (g: Generator, lanes: Lanes, from: number, range: Bounds): void => {
  const { code } = g;
  const integers = temporary(g, RESULT);
  push(g, lanes, "trunc", from);
  code.set(integers);
  pushWithin(code, lanes, integers, range);
  must(g, lanes);
  checkSame(g, lanes, integers, from);
};
/** Pushes a vector of two doublewords, which `element` makes of the lanes of a local. */
const pushPair = (g: Generator, from: number, extract: number, element: (lane: number) => void): void => {
  const { code } = g;
  for (const lane of [0, 1]) {
    code.get(from);
    code.simd(extract);
    code.op(lane);
    element(lane);
    if (lane === 0) code.simd(Simd.i64x2_splat);
    else {
      code.simd(Simd.i64x2_replace_lane);
      code.op(1);
    }
  }
};
/** Doubles of the first singles of doublewords, in a temporary. */
const widened = (g: Generator, from: number): number => {
  const { code } = g;
  const doubles = temporary(g, FIRST);
  pushWords(g, from, FIRST_WORDS);
  code.simd(Simd.f64x2_promote_low_f32x4);
  code.set(doubles);
  return doubles;
};

const toDoublewords = (from: Layout, sign: Sign): Emit => {
  const convert = sign === "signed" ? Op.i64_trunc_f64_s : Op.i64_trunc_f64_u;
  return (g, word) => {
    const b = contents(g, word, "XB");
    const doubles = from === "words" ? widened(g, b) : b;
    checkIntegers(g, DOUBLES, doubles, DOUBLEWORDS[sign]);
    pushPair(g, doubles, Simd.f64x2_extract_lane, () => g.code.op(convert));
    setXt(g, word);
  };
};
/** Processors put a word into both words of a doubleword; the manual leaves the second one undefined. */
const doublesToWords = (sign: Sign): Emit => {
  const convert = sign === "signed" ? Simd.i32x4_trunc_sat_f64x2_s_zero : Simd.i32x4_trunc_sat_f64x2_u_zero;
  return (g, word) => {
    const b = contents(g, word, "XB");
    const words = temporary(g, FIRST);
    checkIntegers(g, DOUBLES, b, WORDS[sign]);
    g.code.get(b);
    g.code.simd(convert);
    g.code.set(words);
    pushWords(g, words, SPREAD);
    setXt(g, word);
  };
};
const singlesToWords = (sign: Sign): Emit => {
  const convert = sign === "signed" ? Simd.i32x4_trunc_sat_f32x4_s : Simd.i32x4_trunc_sat_f32x4_u;
  return (g, word) => {
    const b = contents(g, word, "XB");
    checkIntegers(g, SINGLES, b, WORDS[sign]);
    g.code.get(b);
    g.code.simd(convert);
    setXt(g, word);
  };
};

const doublewordsToDoubles = (sign: Sign): Emit => {
  const convert = sign === "signed" ? Op.f64_convert_i64_s : Op.f64_convert_i64_u;
  return (g, word) => {
    const { code } = g;
    const b = contents(g, word, "XB");
    pushLimit(g);
    code.op(Op.i32_eqz);
    g.begin(Op.if);
    for (const lane of [0, 1]) {
      code.get(b);
      code.simd(Simd.i64x2_extract_lane);
      code.op(lane);
      isInexact(code, false, sign === "signed");
    }
    code.op(Op.i32_or);
    g.leaveIf();
    g.end();
    pushPair(g, b, Simd.i64x2_extract_lane, () => {
      code.op(convert);
      code.op(Op.i64_reinterpret_f64);
    });
    setXt(g, word);
  };
};
const wordsToDoubles = (convert: number): Emit => {
  return (g, word) => {
    pushWords(g, contents(g, word, "XB"), FIRST_WORDS);
    g.code.simd(convert);
    setXt(g, word);
  };
};
/** Integers of 24 bits are singles. */
const wordsToSingles = (sign: Sign): Emit => {
  const [convert, offset] =
    sign === "signed" ? [Simd.f32x4_convert_i32x4_s, 2 ** 24] : [Simd.f32x4_convert_i32x4_u, 0];
  return (g, word) => {
    const { code } = g;
    const b = contents(g, word, "XB");
    const words = (value: number) => code.v128Const(new Int32Array(4).fill(value));
    pushLimit(g);
    code.op(Op.i32_eqz);
    code.get(b);
    words(offset);
    code.simd(Simd.i32x4_add);
    words(2 ** 24 + offset);
    code.simd(Simd.i32x4_gt_u);
    code.simd(Simd.v128_any_true);
    code.op(Op.i32_and);
    g.leaveIf();
    code.get(b);
    code.simd(convert);
    setXt(g, word);
  };
};
const singlesToDoubles: Emit = (g, word) => {
  const doubles = widened(g, contents(g, word, "XB"));
  checkOrdered(g, DOUBLES, [doubles]);
  g.code.get(doubles);
  setXt(g, word);
};
const doublesToSingles: Emit = (g, word) => {
  const { code } = g;
  const b = contents(g, word, "XB");
  const [singles, rounded] = [temporary(g, FIRST), temporary(g, SECOND)];
  code.get(b);
  code.simd(Simd.f32x4_demote_f64x2_zero);
  code.tee(singles);
  code.simd(Simd.f64x2_promote_low_f32x4);
  code.set(rounded);
  judge(g, DOUBLES, "rounding", [], b, rounded);
  pushWords(g, singles, SPREAD);
  setXt(g, word);
};

// ---- Altivec -----------------------------------------------------------------------------------------------

/** Leaves unless all elements are zeros or normal numbers (or infinite): others depend on VSCR.NJ, or are NaNs. */
const checkPlain = (g: Generator, locals: readonly number[]): void => {
  locals.forEach((local, i) => {
    push(g, SINGLES, "abs", local);
    constant(g, SINGLES, SINGLES.normal[0]);
    laneOp(g.code, SINGLES, "gt");
    g.code.get(local);
    constant(g, SINGLES, 0);
    laneOp(g.code, SINGLES, "eq");
    laneOp(g.code, SINGLES, "or");
    if (i > 0) laneOp(g.code, SINGLES, "and");
  });
  must(g, SINGLES);
};
const setVrt = (g: Generator, word: number): void => g.setVector(vectorNumber("VRT", word));

/** VRT <- a value of these registers, which `value` pushes. */
const plain = (
  names: readonly string[],
  value: (g: Generator, operands: readonly number[], word: number) => void,
): Emit => {
  return (g, word) => {
    const operands = names.map((name) => contents(g, word, name));
    const result = temporary(g, RESULT);
    value(g, operands, word);
    g.code.set(result);
    checkPlain(g, [...operands, result]);
    g.code.get(result);
    setVrt(g, word);
  };
};
const plainBinary = (name: LaneOp): Emit =>
  plain(["VRA", "VRB"], (g, [a, b]) => push(g, SINGLES, name, a, b));
const plainUnary = (name: LaneOp): Emit => plain(["VRB"], (g, [b]) => push(g, SINGLES, name, b));
/** VRA * VRC + VRB, or -(VRA * VRC - VRB). */
const plainFused = (negativeSubtract: boolean): Emit => {
  const emit = plain(["VRA", "VRC", "VRB"], (g, [a, c, b]) => {
    pushFused(g, SINGLES, [a, c, negativeSubtract ? negative(g, SINGLES, b) : b]);
    if (negativeSubtract) laneOp(g.code, SINGLES, "neg");
  });
  return (g, word) => (g.target.fused ? emit(g, word) : false);
};
const plainCompare = (name: "eq" | "gt" | "ge"): Emit => {
  return (g, word) => {
    const [a, b] = [contents(g, word, "VRA"), contents(g, word, "VRB")];
    checkPlain(g, [a, b]);
    push(g, SINGLES, name, a, b);
    giveMasks(g, SINGLES, word, vectorNumber("VRT", word));
  };
};
/** Integers divided by 2^UIM. */
const scaledFrom = (convert: number): Emit => {
  return (g, word) => {
    g.code.get(contents(g, word, "VRB"));
    g.code.simd(convert);
    constant(g, SINGLES, 2 ** -RA(word));
    laneOp(g.code, SINGLES, "mul");
    setVrt(g, word);
  };
};
/** Products with 2^UIM, truncated. */
const scaledTo = (convert: number, range: Bounds): Emit => {
  return (g, word) => {
    const { code } = g;
    const b = contents(g, word, "VRB");
    const scaled = temporary(g, FIRST);
    checkPlain(g, [b]);
    code.get(b);
    constant(g, SINGLES, 2 ** RA(word));
    laneOp(code, SINGLES, "mul");
    laneOp(code, SINGLES, "trunc");
    code.set(scaled);
    pushWithin(code, SINGLES, scaled, range);
    must(g, SINGLES);
    code.get(scaled);
    code.simd(convert);
    setVrt(g, word);
  };
};

/** The rows of both shapes: xvadddp and xvaddsp. */
const shapes = (stem: string, emit: (lanes: Lanes) => Emit): Rows => ({
  [`${stem}dp`]: emit(DOUBLES),
  [`${stem}sp`]: emit(SINGLES),
});
const multiplyAdd = (stem: string, subtract: boolean, negate: boolean): Rows => ({
  ...shapes(`${stem}a`, (lanes) => fused(lanes, "XT", subtract, negate)),
  ...shapes(`${stem}m`, (lanes) => fused(lanes, "XB", subtract, negate)),
});
/** xvrdpi and xvrspi, with what follows. */
const roundings = (suffix: string, emit: (lanes: Lanes) => Emit): Rows => ({
  [`xvrdpi${suffix}`]: emit(DOUBLES),
  [`xvrspi${suffix}`]: emit(SINGLES),
});

export const floatVectorRows: Rows = {
  ...shapes("xvadd", (lanes) => binary(lanes, "add", "sum")),
  ...shapes("xvsub", difference),
  ...shapes("xvmul", (lanes) => binary(lanes, "mul", "product")),
  ...shapes("xvdiv", (lanes) => binary(lanes, "div", "quotient")),
  ...shapes("xvsqrt", root),
  ...shapes("xvre", reciprocal),
  ...multiplyAdd("xvmadd", false, false),
  ...multiplyAdd("xvmsub", true, false),
  ...multiplyAdd("xvnmadd", false, true),
  ...multiplyAdd("xvnmsub", true, true),
  ...shapes("xvabs", (lanes) => moved(lanes, "abs")),
  ...shapes("xvnabs", (lanes) => moved(lanes, "abs", "neg")),
  ...shapes("xvneg", (lanes) => moved(lanes, "neg")),
  ...shapes("xvcpsgn", copySign),
  ...shapes("xvmax", (lanes) => extreme(lanes, "max")),
  ...shapes("xvmin", (lanes) => extreme(lanes, "min")),
  ...shapes("xvcmpeq", (lanes) => compare(lanes, "eq")),
  ...shapes("xvcmpgt", (lanes) => compare(lanes, "gt")),
  ...shapes("xvcmpge", (lanes) => compare(lanes, "ge")),
  ...roundings("", (lanes) => integral(lanes, roundAway)),
  ...roundings("c", (lanes) => integral(lanes, rounding("nearest"), true)),
  ...roundings("z", (lanes) => integral(lanes, rounding("trunc"))),
  ...roundings("p", (lanes) => integral(lanes, rounding("ceil"))),
  ...roundings("m", (lanes) => integral(lanes, rounding("floor"))),
  xvcvdpsxds: toDoublewords("doublewords", "signed"),
  xvcvdpuxds: toDoublewords("doublewords", "unsigned"),
  xvcvspsxds: toDoublewords("words", "signed"),
  xvcvspuxds: toDoublewords("words", "unsigned"),
  xvcvdpsxws: doublesToWords("signed"),
  xvcvdpuxws: doublesToWords("unsigned"),
  xvcvspsxws: singlesToWords("signed"),
  xvcvspuxws: singlesToWords("unsigned"),
  xvcvsxddp: doublewordsToDoubles("signed"),
  xvcvuxddp: doublewordsToDoubles("unsigned"),
  xvcvsxwdp: wordsToDoubles(Simd.f64x2_convert_low_i32x4_s),
  xvcvuxwdp: wordsToDoubles(Simd.f64x2_convert_low_i32x4_u),
  xvcvsxwsp: wordsToSingles("signed"),
  xvcvuxwsp: wordsToSingles("unsigned"),
  xvcvspdp: singlesToDoubles,
  xvcvdpsp: doublesToSingles,

  vaddfp: plainBinary("add"),
  vsubfp: plainBinary("sub"),
  vmaxfp: plainBinary("max"),
  vminfp: plainBinary("min"),
  vmaddfp: plainFused(false),
  vnmsubfp: plainFused(true),
  vrfin: plainUnary("nearest"),
  vrfiz: plainUnary("trunc"),
  vrfip: plainUnary("ceil"),
  vrfim: plainUnary("floor"),
  vcmpeqfp: plainCompare("eq"),
  vcmpgefp: plainCompare("ge"),
  vcmpgtfp: plainCompare("gt"),
  vcfsx: scaledFrom(Simd.f32x4_convert_i32x4_s),
  vcfux: scaledFrom(Simd.f32x4_convert_i32x4_u),
  vctsxs: scaledTo(Simd.i32x4_trunc_sat_f32x4_s, WORDS.signed),
  vctuxs: scaledTo(Simd.i32x4_trunc_sat_f32x4_u, WORDS.unsigned),
};
