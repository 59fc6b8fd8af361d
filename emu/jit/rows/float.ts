/**
 * Scalar floating point: Power ISA 3.0B, I.4.6.4 to I.4.6.9.
 *
 * Results are computed in f64; `float-checks.ts` decides whether they may stand, and in all other cases the interpreter goes on. FPRF, FI and
 * FR are found when somebody wants them; see `fp-status.ts`.
 */
import { FPSCR } from "../../cpu/registers.ts";
import { instructionNamed } from "../../isa/table.ts";
import { SUM_OFFSET } from "../corner.ts";
import { directedSumFunction } from "../directed-sum.ts";
import { RECORD_ARITHMETIC, RECORD_COMPARE, RECORD_CONVERT, recordWord } from "../fp-record.ts";
import type { Generator } from "../generator.ts";
import { Lazy } from "../state.ts";
import { F32, F64, I32, I64, Op } from "../wasm.ts";
import {
  type Bounds,
  DOUBLE,
  DOUBLEWORDS,
  isInexact,
  judge,
  type Operation as FloatOperation,
  pushFused,
  pushLimit,
  pushNormal,
  pushWithin,
  WORDS,
} from "./float-checks.ts";
import { BF, type Emit, RA, RB, RC_, type Rows, RT, recorded, upperWord } from "./row.ts";
import { pushSingle } from "./storage.ts";

/** Temporaries of type f64: the contents of FRA, FRB and FRC or what stands for them, and a result. */
const A = 0;
const B = 1;
const C = 2;
const R = 3;
/** The double result of an operation on singles, before it is rounded. */
const S = 4;
/** An addend with the sign that it is added with. */
const ADDEND = 6;
const PRODUCT = 7;
type Operand = typeof A | typeof B | typeof C;

const t = (g: Generator, n: number): number => g.temporary(F64, n);
/** R as a single. */
const roundedLocal = (g: Generator): number => g.temporary(F32, 0);

/** Takes these operands into their temporaries. */
const take = (g: Generator, { a, b, c }: Operation, ...operands: Operand[]): void => {
  for (const n of operands) {
    g.scalar([a, b, c][n]);
    g.code.set(t(g, n));
  }
};

/** Leaves unless these operands, which are in their temporaries, are numbers of the single format: the last 29 bits are zero. */
const checkSingles = (g: Generator, { a, b, c }: Operation, ...operands: Operand[]): void => {
  const { code, state } = g;
  const registers = [a, b, c];
  const unknown = operands.filter((n) => !state.isSingle(registers[n]));
  if (unknown.length === 0) return;
  unknown.forEach((n, i) => {
    code.get(t(g, n));
    code.op(Op.i64_reinterpret_f64);
    if (i > 0) code.op(Op.i64_or);
  });
  code.i64Const(0x1fff_ffff, 0);
  code.op(Op.i64_and);
  code.i64Const(0, 0);
  code.op(Op.i64_ne);
  g.leaveIf();
  for (const n of unknown) state.noteSingle(registers[n]);
};

/** R <- the sum of two locals in a directed mode; leaves where that can't be told. */
const takeDirected = (g: Generator, operands: readonly number[], single: boolean): void => {
  const { code } = g;
  const at = SUM_OFFSET;
  for (const operand of operands) code.get(operand);
  g.helpers.call(code, `directed sum ${single}`, () => directedSumFunction(g.at(FPSCR), at, single));
  code.op(Op.i32_eqz);
  g.leaveIf();
  code.i32Const(0);
  code.access(Op.f64_load, at);
  code.set(t(g, R));
};

/** Pops a result; leaves unless it, rounded to single where it is `single`, may stand, which is then in R. */
const stand = (
  g: Generator,
  operation: FloatOperation,
  operands: readonly number[],
  single: boolean,
  also?: () => void,
): void => {
  const { code } = g;
  code.set(t(g, single ? S : R));
  if (single) {
    code.get(t(g, S));
    code.op(Op.f32_demote_f64);
    code.tee(roundedLocal(g));
    code.op(Op.f64_promote_f32);
    code.set(t(g, R));
  }
  const locals = operands.map((n) => t(g, n));
  const rescue = operation === "sum" ? () => takeDirected(g, locals, single) : undefined;
  judge(
    g,
    DOUBLE,
    operation,
    locals,
    t(g, single ? S : R),
    single ? roundedLocal(g) : undefined,
    also,
    rescue,
  );
};
/** Leaves where it makes a difference how R is rounded, or that it is: unless R is B, or the mode and XX are as they mostly are. */
const checkSame = (g: Generator): void => {
  const { code } = g;
  pushLimit(g);
  code.op(Op.i32_eqz);
  code.get(t(g, B));
  code.get(t(g, R));
  code.op(Op.f64_ne);
  code.op(Op.i32_and);
  g.leaveIf();
};

/** FRT <- R, and the operation is the one that FPSCR's result bits are about. */
const deliver = (
  g: Generator,
  o: Operation,
  operands: readonly (number | undefined)[],
  single = false,
  negate = false,
): void => {
  g.code.get(t(g, R));
  if (negate) g.code.op(Op.f64_neg);
  g.setScalar(o.t, o.clears);
  if (single) g.state.noteSingle(o.t);
  g.noteRecord(
    RECORD_ARITHMETIC,
    recordWord(o.as),
    operands.map((n) => (n === undefined ? undefined : t(g, n))),
  );
  g.dropRecord(RECORD_CONVERT);
  g.dropRecord(RECORD_COMPARE);
};

/** An instruction with its registers: VSRs 0 to 63, of which the first 32 are the FPRs. */
interface Operation {
  readonly word: number;
  /** The instruction on FPRs that sets FPSCR as this one does. */
  readonly as: number;
  readonly t: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
  /** Doubleword 1 of the target becomes zero. */
  readonly clears: boolean;
}
type EmitOperation = (g: Generator, o: Operation) => false | void;

/** An instruction on FPRs. */
const onFprs = (emit: EmitOperation): Emit => {
  return (g, word) => {
    if (recorded(word)) return false;
    return emit(g, { word, as: word, t: RT(word), a: RA(word), b: RB(word), c: RC_(word), clears: false });
  };
};
/** One on VSRs that does as `fprName` does on FPRs. XB is the factor of products; of multiply-adds, XT is the addend or a factor. */
const onVsrs = (emit: EmitOperation, fprName: string, addend?: "XT" | "XB"): Emit => {
  return (g, word) => {
    const t = RT(word) + ((word & 1) << 5);
    const a = RA(word) + ((word & 4) << 3);
    const b = RB(word) + ((word & 2) << 4);
    const as = instructionNamed(fprName)!.match;
    return emit(g, {
      word,
      as,
      t,
      a,
      b: addend === "XT" ? t : b,
      c: addend === "XB" ? t : b,
      clears: true,
    });
  };
};
/** The rows of both. */
const both = (fprName: string, vsrName: string, emit: EmitOperation): Rows => ({
  [fprName]: onFprs(emit),
  [vsrName]: onVsrs(emit, fprName),
});
/** Of a multiply-add, such as fmadd: also xsmaddadp and xsmaddmdp. */
const multiplyAdd = (fprName: string, emit: EmitOperation): Rows => {
  const single = fprName.endsWith("s");
  const stem = `x${fprName.replace(/^f/, "s").replace(/s$/, "")}`;
  const format = single ? "sp" : "dp";
  return {
    [fprName]: onFprs(emit),
    [`${stem}a${format}`]: onVsrs(emit, fprName, "XT"),
    [`${stem}m${format}`]: onVsrs(emit, fprName, "XB"),
  };
};

/** Pushes x op y. */
const operate = (g: Generator, op: number, x: number, y: number): void => {
  g.code.get(t(g, x));
  g.code.get(t(g, y));
  g.code.op(op);
};

const addition =
  (subtract: boolean, single: boolean): EmitOperation =>
  (g, o) => {
    take(g, o, A, B);
    if (single) checkSingles(g, o, A, B);
    signedAddend(g, subtract);
    operate(g, Op.f64_add, A, ADDEND);
    stand(g, "sum", [A, ADDEND], single);
    deliver(g, o, [A, B], single);
  };

const multiplication =
  (single: boolean): EmitOperation =>
  (g, o) => {
    take(g, o, A, C);
    if (single) checkSingles(g, o, A, C);
    operate(g, Op.f64_mul, A, C);
    stand(g, "product", [A, C], single);
    deliver(g, o, [A, undefined, C], single);
  };

const division =
  (single: boolean): EmitOperation =>
  (g, o) => {
    take(g, o, A, B);
    if (single) checkSingles(g, o, A, B);
    operate(g, Op.f64_div, A, B);
    stand(g, "quotient", [A, B], single);
    deliver(g, o, [A, B], single);
  };
/** fre: 1 / FRB, as good as the format allows. */
const reciprocal: EmitOperation = (g, o) => {
  const { code } = g;
  take(g, o, B);
  code.f64Const(1);
  code.set(t(g, A));
  operate(g, Op.f64_div, A, B);
  stand(g, "quotient", [A, B], false);
  // Far from 1 the interpreter knows better.
  pushNormal(code, DOUBLE, t(g, B), DOUBLE.moderate);
  code.op(Op.i32_eqz);
  g.leaveIf();
  deliver(g, o, [undefined, B]);
};

const root =
  (single: boolean): EmitOperation =>
  (g, o) => {
    take(g, o, B);
    if (single) checkSingles(g, o, B);
    g.code.get(t(g, B));
    g.code.op(Op.f64_sqrt);
    stand(g, "root", [B], single);
    deliver(g, o, [undefined, B], single);
  };

/** a * c + b with one rounding, b's and the result's signs changed where asked for. */
const fused =
  (subtract: boolean, negate: boolean): EmitOperation =>
  (g, o) => {
    take(g, o, A, C, B);
    signedAddend(g, subtract);
    pushFused(
      g,
      DOUBLE,
      [A, C, ADDEND].map((n) => t(g, n)),
    );
    stand(g, "fused", [A, C, ADDEND], false);
    deliver(g, o, [A, B, C], false, negate);
  };
/** Temporary ADDEND <- B with its sign. */
const signedAddend = (g: Generator, subtract: boolean): void => {
  g.code.get(t(g, B));
  if (subtract) g.code.op(Op.f64_neg);
  g.code.set(t(g, ADDEND));
};

/**
 * The same of singles: the product is exact in f64, and rounding the sum twice goes wrong only where the first rounding has made a tie
 * of what was none.
 */
const fusedSingle =
  (subtract: boolean, negate: boolean): EmitOperation =>
  (g, o) => {
    const { code } = g;
    take(g, o, A, C, B);
    checkSingles(g, o, A, B, C);
    signedAddend(g, subtract);
    operate(g, Op.f64_mul, A, C);
    code.set(t(g, PRODUCT));
    operate(g, Op.f64_add, PRODUCT, ADDEND);
    stand(g, "fused", [A, C, ADDEND], true, () => {
      code.get(t(g, S));
      code.op(Op.i64_reinterpret_f64);
      code.op(Op.i32_wrap_i64);
      code.i32Const(0x1fff_ffff);
      code.op(Op.i32_and);
      code.i32Const(0x1000_0000);
      code.op(Op.i32_eq);
    });
    deliver(g, o, [A, B, C], true, negate);
  };

/** FRT <- FRB with its sign bit changed; no arithmetic, so that NaNs pass. */
const move =
  (...ops: number[]): EmitOperation =>
  (g, o) => {
    const isSingle = g.state.isSingle(o.b);
    g.scalar(o.b);
    for (const op of ops) g.code.op(op);
    g.setScalar(o.t, o.clears);
    if (isSingle) g.state.noteSingle(o.t);
  };
const copySign: EmitOperation = (g, o) => {
  g.scalar(o.b);
  g.scalar(o.a);
  g.code.op(Op.f64_copysign);
  g.setScalar(o.t, o.clears);
};

/** fcmpu and fcmpo, which differ for NaNs only: those leave. */
const compare: EmitOperation = (g, o) => {
  const { code } = g;
  take(g, o, A, B);
  checkOrdered(g);
  g.noteRecord(RECORD_COMPARE, recordWord(o.as), [t(g, A), t(g, B)]);
  code.get(t(g, A));
  code.get(t(g, B));
  g.compare(BF(o.word), Lazy.Float);
};

/** The integers of a format: how one is made of a double, and which there are. */
interface IntegerFormat {
  readonly convert: number;
  readonly wide: boolean;
  readonly range: Bounds;
}
const SIGNED_WORD = { convert: Op.i32_trunc_f64_s, wide: false, range: WORDS.signed };
const UNSIGNED_WORD = { convert: Op.i32_trunc_f64_u, wide: false, range: WORDS.unsigned };
const SIGNED_DOUBLEWORD = { convert: Op.i64_trunc_f64_s, wide: true, range: DOUBLEWORDS.signed };
const UNSIGNED_DOUBLEWORD = { convert: Op.i64_trunc_f64_u, wide: true, range: DOUBLEWORDS.unsigned };

/** Conversions to integers within what they hold; FPRF stays. */
const toInteger =
  ({ convert, wide, range }: IntegerFormat, rounding: number): EmitOperation =>
  (g, o) => {
    const { code } = g;
    take(g, o, B);
    code.get(t(g, B));
    code.op(rounding);
    code.set(t(g, R));
    pushWithin(code, DOUBLE, t(g, R), range);
    code.op(Op.i32_eqz);
    g.leaveIf();
    checkSame(g);
    code.get(t(g, R));
    code.op(convert);
    if (!wide) {
      // Processors put a word into both words of the doubleword of a VSR; the manual leaves the first one undefined.
      code.op(o.clears || range[0] === 0 ? Op.i64_extend_i32_u : Op.i64_extend_i32_s);
      if (o.clears) pushTwice(g);
    }
    code.op(Op.f64_reinterpret_i64);
    g.setScalar(o.t, o.clears);
    g.noteRecord(RECORD_CONVERT, recordWord(o.as), [undefined, t(g, B)]);
  };
/** Pops a doubleword below 2^32: pushes one that has it as both words. */
const pushTwice = (g: Generator): void => {
  g.code.i64Const(1, 1);
  g.code.op(Op.i64_mul);
};

/** fcfid and its sisters. */
const fromInteger =
  (signed: boolean, single: boolean): EmitOperation =>
  (g, o) => {
    const { code } = g;
    const bits = g.temporary(I64, 1);
    take(g, o, B);
    code.get(t(g, B));
    code.op(Op.i64_reinterpret_f64);
    code.tee(bits);
    if (single) {
      code.op(signed ? Op.f32_convert_i64_s : Op.f32_convert_i64_u);
      code.op(Op.f64_promote_f32);
    } else code.op(signed ? Op.f64_convert_i64_s : Op.f64_convert_i64_u);
    code.set(t(g, R));
    pushLimit(g);
    code.op(Op.i32_eqz);
    code.get(bits);
    isInexact(code, single, signed);
    code.op(Op.i32_and);
    g.leaveIf();
    deliver(g, o, [undefined, B], single);
  };
/** frsp. */
const roundSingle: EmitOperation = (g, o) => {
  g.scalar(o.b);
  stand(g, "rounding", [], true);
  deliver(g, o, [undefined, S], true);
};
/** xscvdpsp: the single in both words of the doubleword; the manual leaves the second one undefined. */
const convertToSingle: EmitOperation = (g, o) => {
  const { code } = g;
  g.scalar(o.b);
  stand(g, "rounding", [], true);
  code.get(roundedLocal(g));
  code.op(Op.i32_reinterpret_f32);
  code.op(Op.i64_extend_i32_u);
  pushTwice(g);
  code.op(Op.f64_reinterpret_i64);
  code.set(t(g, R));
  deliver(g, o, [undefined, S]);
};
/** Pops a single in the upper word of a doubleword: R <- its double. Leaves for NaNs, which may be signalling ones. */
const widen = (g: Generator): void => {
  const { code } = g;
  code.op(Op.i64_reinterpret_f64);
  upperWord(code);
  code.op(Op.f32_reinterpret_i32);
  code.op(Op.f64_promote_f32);
  code.tee(t(g, R));
  code.get(t(g, R));
  code.op(Op.f64_ne);
  g.leaveIf();
};
/** xscvspdp. */
const convertFromSingle: EmitOperation = (g, o) => {
  g.scalar(o.b);
  widen(g);
  deliver(g, o, [undefined, R], true);
};
/** xscvspdpn, which leaves FPSCR alone. */
const widenSingle: EmitOperation = (g, o) => {
  g.scalar(o.b);
  widen(g);
  g.code.get(t(g, R));
  g.setScalar(o.t, o.clears);
  g.state.noteSingle(o.t);
};
/** xscvdpspn: the bits of a double that is a normal single, or zero. */
const narrowSingle: EmitOperation = (g, o) => {
  const { code } = g;
  const bits = g.temporary(I64, 1);
  const high = g.temporary(I32, 1);
  g.scalar(o.b);
  code.op(Op.i64_reinterpret_f64);
  code.tee(bits);
  upperWord(code);
  code.tee(high);
  code.i32Const(0x7fff_ffff);
  code.op(Op.i32_and);
  code.i32Const(897 << 20);
  code.op(Op.i32_lt_u);
  code.get(bits);
  code.i64Const(1, 0);
  code.op(Op.i64_shl);
  code.i64Const(0, 0);
  code.op(Op.i64_ne);
  code.op(Op.i32_and);
  g.leaveIf();
  pushSingle(g, bits, high);
  code.op(Op.i64_extend_i32_u);
  pushTwice(g);
  code.op(Op.f64_reinterpret_i64);
  g.setScalar(o.t, o.clears);
};

/** friz and its sisters: an integral value, without an exception. */
const integral =
  (round: (g: Generator) => void): EmitOperation =>
  (g, o) => {
    const { code } = g;
    take(g, o, B);
    code.get(t(g, B));
    code.op(Op.f64_abs);
    code.f64Const(Number.POSITIVE_INFINITY);
    code.op(Op.f64_lt);
    code.op(Op.i32_eqz);
    g.leaveIf();
    code.get(t(g, B));
    round(g);
    code.set(t(g, R));
    deliver(g, o, [undefined, B]);
  };
const rounding = (op: number) => (g: Generator) => g.code.op(op);
/** Pops B: to the nearest integer, ties away from zero. */
const roundAway = (g: Generator): void => {
  const { code } = g;
  const whole = t(g, PRODUCT);
  code.op(Op.f64_trunc);
  code.set(whole);
  code.get(whole);
  code.f64Const(1);
  code.get(t(g, B));
  code.op(Op.f64_copysign);
  code.op(Op.f64_add);
  code.get(whole);
  code.get(t(g, B));
  code.get(whole);
  code.op(Op.f64_sub);
  code.op(Op.f64_abs);
  code.f64Const(0.5);
  code.op(Op.f64_ge);
  code.op(Op.select);
};

/** Leaves where one of A and B is a NaN. */
const checkOrdered = (g: Generator): void => {
  const { code } = g;
  for (const n of [A, B]) {
    code.get(t(g, n));
    code.get(t(g, n));
    code.op(Op.f64_ne);
  }
  code.op(Op.i32_or);
  g.leaveIf();
};
/** xsmaxdp and so on, xscmpeqdp and so on: of numbers nothing but the result, which `combine` makes of A and B on the stack. */
const ofNumbers =
  (combine: (g: Generator) => void): EmitOperation =>
  (g, o) => {
    take(g, o, A, B);
    checkOrdered(g);
    for (const n of [A, B]) g.code.get(t(g, n));
    combine(g);
    g.setScalar(o.t, o.clears);
  };
/** C's a > b ? a : b, or a < b. */
const chosen = (op: number) => (g: Generator) => {
  for (const n of [A, B]) g.code.get(t(g, n));
  g.code.op(op);
  g.code.op(Op.select);
};
const mask = (op: number) => (g: Generator) => {
  g.code.op(op);
  g.code.op(Op.i64_extend_i32_u);
  g.code.i64Const(-1, -1);
  g.code.op(Op.i64_mul);
  g.code.op(Op.f64_reinterpret_i64);
};
const select: EmitOperation = (g, o) => {
  const { code } = g;
  g.scalar(o.c);
  g.scalar(o.b);
  g.scalar(o.a);
  code.f64Const(0);
  code.op(Op.f64_ge);
  code.op(Op.select);
  g.setScalar(o.t, o.clears);
};

export const floatRows: Rows = {
  ...both("fadd", "xsadddp", addition(false, false)),
  ...both("fadds", "xsaddsp", addition(false, true)),
  ...both("fsub", "xssubdp", addition(true, false)),
  ...both("fsubs", "xssubsp", addition(true, true)),
  ...both("fmul", "xsmuldp", multiplication(false)),
  ...both("fmuls", "xsmulsp", multiplication(true)),
  ...both("fdiv", "xsdivdp", division(false)),
  ...both("fdivs", "xsdivsp", division(true)),
  ...both("fsqrt", "xssqrtdp", root(false)),
  ...both("fsqrts", "xssqrtsp", root(true)),
  ...both("fre", "xsredp", reciprocal),
  ...multiplyAdd("fmadd", fused(false, false)),
  ...multiplyAdd("fmsub", fused(true, false)),
  ...multiplyAdd("fnmadd", fused(false, true)),
  ...multiplyAdd("fnmsub", fused(true, true)),
  ...multiplyAdd("fmadds", fusedSingle(false, false)),
  ...multiplyAdd("fmsubs", fusedSingle(true, false)),
  ...multiplyAdd("fnmadds", fusedSingle(false, true)),
  ...multiplyAdd("fnmsubs", fusedSingle(true, true)),
  fmr: onFprs(move()),
  ...both("fneg", "xsnegdp", move(Op.f64_neg)),
  ...both("fabs", "xsabsdp", move(Op.f64_abs)),
  ...both("fnabs", "xsnabsdp", move(Op.f64_abs, Op.f64_neg)),
  ...both("fcpsgn", "xscpsgndp", copySign),
  fsel: onFprs(select),
  ...both("fcmpu", "xscmpudp", compare),
  ...both("fcmpo", "xscmpodp", compare),
  ...both("fctiwz", "xscvdpsxws", toInteger(SIGNED_WORD, Op.f64_trunc)),
  ...both("fctiwuz", "xscvdpuxws", toInteger(UNSIGNED_WORD, Op.f64_trunc)),
  ...both("fctidz", "xscvdpsxds", toInteger(SIGNED_DOUBLEWORD, Op.f64_trunc)),
  ...both("fctiduz", "xscvdpuxds", toInteger(UNSIGNED_DOUBLEWORD, Op.f64_trunc)),
  fctiw: onFprs(toInteger(SIGNED_WORD, Op.f64_nearest)),
  fctiwu: onFprs(toInteger(UNSIGNED_WORD, Op.f64_nearest)),
  fctid: onFprs(toInteger(SIGNED_DOUBLEWORD, Op.f64_nearest)),
  fctidu: onFprs(toInteger(UNSIGNED_DOUBLEWORD, Op.f64_nearest)),
  ...both("fcfid", "xscvsxddp", fromInteger(true, false)),
  ...both("fcfidu", "xscvuxddp", fromInteger(false, false)),
  ...both("fcfids", "xscvsxdsp", fromInteger(true, true)),
  ...both("fcfidus", "xscvuxdsp", fromInteger(false, true)),
  ...both("frsp", "xsrsp", roundSingle),
  xscvdpsp: onVsrs(convertToSingle, "frsp"),
  xscvspdp: onVsrs(convertFromSingle, "frsp"),
  xscvspdpn: onVsrs(widenSingle, "frsp"),
  xscvdpspn: onVsrs(narrowSingle, "frsp"),
  ...both("frin", "xsrdpi", integral(roundAway)),
  ...both("friz", "xsrdpiz", integral(rounding(Op.f64_trunc))),
  ...both("frip", "xsrdpip", integral(rounding(Op.f64_ceil))),
  ...both("frim", "xsrdpim", integral(rounding(Op.f64_floor))),
  xsmaxdp: onVsrs(ofNumbers(rounding(Op.f64_max)), "fadd"),
  xsmindp: onVsrs(ofNumbers(rounding(Op.f64_min)), "fadd"),
  xsmaxjdp: onVsrs(ofNumbers(rounding(Op.f64_max)), "fadd"),
  xsminjdp: onVsrs(ofNumbers(rounding(Op.f64_min)), "fadd"),
  xsmaxcdp: onVsrs(ofNumbers(chosen(Op.f64_gt)), "fadd"),
  xsmincdp: onVsrs(ofNumbers(chosen(Op.f64_lt)), "fadd"),
  xscmpeqdp: onVsrs(ofNumbers(mask(Op.f64_eq)), "fadd"),
  xscmpgedp: onVsrs(ofNumbers(mask(Op.f64_ge)), "fadd"),
  xscmpgtdp: onVsrs(ofNumbers(mask(Op.f64_gt)), "fadd"),
};
