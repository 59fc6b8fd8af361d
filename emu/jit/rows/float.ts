/**
 * Scalar floating point: Power ISA 3.0B, I.4.6.4 to I.4.6.9.
 *
 * Results are computed in f64 and kept if they are normal numbers or exact zeros, rounding is to nearest and no inexact exception is
 * enabled; in all other cases the interpreter goes on. FPSCR's XX is sticky: once it is set nothing need be known about exactness, and
 * before that an operation is inlined only if it leaves no error. FPRF, FI and FR are found when somebody wants them; see `fp-status.ts`.
 */

import { RECORD_ARITHMETIC, RECORD_COMPARE, RECORD_CONVERT, recordWord } from "../fp-record.ts";
import { instructionNamed } from "../../isa/table.ts";
import type { Generator } from "../generator.ts";
import { Lazy } from "../state.ts";
import { F64, I32, I64, Op, Simd } from "../wasm.ts";
import { BF, type Emit, RA, RB, RC_, type Rows, RT, recorded } from "./row.ts";

const DOUBLE_LEAST = 2 ** -1022;
const SINGLE_LEAST = 2 ** -126;
const SINGLE_BEYOND = 2 ** 128;
const SPLITTER = 134217729;

/** Temporaries of type f64. */
const A = 0;
const B = 1;
const C = 2;
const R = 3;
/** The double result of an operation on singles, before it is rounded. */
const S = 4;
const T = 5;

const t = (g: Generator, n: number): number => g.temporary(F64, n);
/** Whether XX was set where the mode was last looked at. */
const inexactLocal = (g: Generator): number => g.temporary(I32, 8);

const operand = (g: Generator, register: number, into: number): void => {
  g.scalar(register);
  g.code.set(t(g, into));
};

/** Leaves unless FPSCR has rounding to nearest and no enabled inexact exception. */
const checkMode = (g: Generator): void => {
  if (g.state.modeChecked) return;
  const { code } = g;
  const status = inexactLocal(g);
  g.loadStatus();
  code.tee(status);
  code.i32Const(0x0b);
  code.op(Op.i32_and);
  g.leaveIf();
  code.get(status);
  code.i32Const(0x0200_0000);
  code.op(Op.i32_and);
  code.set(status);
  g.state.modeChecked = true;
};

/** Leaves where the result in R is not a normal number, unless it is a zero and `zero` says that this is the exact result. */
const checkRange = (g: Generator, single: boolean, zero: (() => void) | undefined) => {
  const { code } = g;
  const inside = (op: number, bound: number) => {
    code.get(t(g, R));
    code.op(Op.f64_abs);
    code.f64Const(bound);
    code.op(op);
  };
  inside(Op.f64_gt, single ? SINGLE_LEAST : DOUBLE_LEAST);
  inside(Op.f64_lt, single ? SINGLE_BEYOND : Number.POSITIVE_INFINITY);
  code.op(Op.i32_and);
  code.op(Op.i32_eqz);
  if (zero === undefined) return g.leaveIf();
  g.begin(Op.if);
  zero();
  code.op(Op.i32_eqz);
  g.leaveIf();
  g.end();
};
/** Pushes whether a temporary is zero. */
const isZero = (g: Generator, n: number): void => {
  g.code.get(t(g, n));
  g.code.f64Const(0);
  g.code.op(Op.f64_eq);
};

/** Leaves if XX is not set and what `error` pushes is not zero (or not a number). */
const checkExact = (g: Generator, error: () => void): void => {
  const { code } = g;
  code.get(inexactLocal(g));
  code.op(Op.i32_eqz);
  g.begin(Op.if);
  error();
  code.f64Const(0);
  code.op(Op.f64_ne);
  g.leaveIf();
  g.end();
};

/** Pushes x + y - sum: Knuth's two-sum of temporaries. */
const pushSumError = (g: Generator, x: number, y: number, sum: number): void => {
  const { code } = g;
  const part = t(g, T);
  code.get(t(g, sum));
  code.get(t(g, x));
  code.op(Op.f64_sub);
  code.set(part);
  code.get(t(g, x));
  code.get(t(g, sum));
  code.get(part);
  code.op(Op.f64_sub);
  code.op(Op.f64_sub);
  code.get(t(g, y));
  code.get(part);
  code.op(Op.f64_sub);
  code.op(Op.f64_add);
};

/** Pushes x * y - product: Dekker's, exact for products between 2^-900 and 2^900, which are looked for first. */
const pushProductError = (g: Generator, x: number, y: number, product: number): void => {
  const { code } = g;
  const [highX, lowX, highY, lowY] = [8, 9, 10, 11].map((n) => t(g, n));
  for (const [from, high, low] of [
    [t(g, x), highX, lowX],
    [t(g, y), highY, lowY],
  ]) {
    code.get(from);
    code.f64Const(SPLITTER);
    code.op(Op.f64_mul);
    code.tee(high);
    code.get(high);
    code.get(from);
    code.op(Op.f64_sub);
    code.op(Op.f64_sub);
    code.set(high);
    code.get(from);
    code.get(high);
    code.op(Op.f64_sub);
    code.set(low);
  }
  const times = (p: number, q: number) => {
    code.get(p);
    code.get(q);
    code.op(Op.f64_mul);
  };
  times(highX, highY);
  code.get(t(g, product));
  code.op(Op.f64_sub);
  times(highX, lowY);
  code.op(Op.f64_add);
  times(lowX, highY);
  code.op(Op.f64_add);
  times(lowX, lowY);
  code.op(Op.f64_add);
};
/** Leaves unless a temporary's magnitude is between 2^-900 and 2^900. */
const checkModerate = (g: Generator, n: number): void => {
  const { code } = g;
  code.get(t(g, n));
  code.op(Op.f64_abs);
  code.f64Const(2 ** -900);
  code.op(Op.f64_gt);
  code.get(t(g, n));
  code.op(Op.f64_abs);
  code.f64Const(2 ** 900);
  code.op(Op.f64_lt);
  code.op(Op.i32_and);
  code.op(Op.i32_eqz);
  g.leaveIf();
};

/** Leaves unless all these temporaries are numbers of the single format: the last 29 bits are zero. */
const checkSingles = (g: Generator, operands: readonly number[]): void => {
  const { code } = g;
  operands.forEach((n, i) => {
    code.get(t(g, n));
    code.op(Op.i64_reinterpret_f64);
    if (i > 0) code.op(Op.i64_or);
  });
  code.i64Const(0x1fff_ffff, 0);
  code.op(Op.i64_and);
  code.i64Const(0, 0);
  code.op(Op.i64_ne);
  g.leaveIf();
};
/** R <- S rounded to single. */
const roundToSingle = (g: Generator): void => {
  const { code } = g;
  code.get(t(g, S));
  code.op(Op.f32_demote_f64);
  code.op(Op.f64_promote_f32);
  code.set(t(g, R));
};
/** Pushes the part of S that rounding to single has taken off. */
const pushSingleError = (g: Generator): void => {
  g.code.get(t(g, S));
  g.code.get(t(g, R));
  g.code.op(Op.f64_sub);
};

/** FRT <- R, and the operation is the one that FPSCR's result bits are about. */
const deliver = (
  g: Generator,
  o: Operation,
  operands: readonly (number | undefined)[],
  negate = false,
): void => {
  g.code.get(t(g, R));
  if (negate) g.code.op(Op.f64_neg);
  g.setScalar(o.t, o.clears);
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

/** R (or S, for singles) <- x op y. */
const operate = (g: Generator, op: number, x: number, y: number, single: boolean): void => {
  g.code.get(t(g, x));
  g.code.get(t(g, y));
  g.code.op(op);
  g.code.set(t(g, single ? S : R));
  if (single) roundToSingle(g);
};

const addition =
  (op: number, single: boolean): EmitOperation =>
  (g, o) => {
    const { code } = g;
    operand(g, o.a, A);
    operand(g, o.b, B);
    checkMode(g);
    if (single) checkSingles(g, [A, B]);
    operate(g, op, A, B, single);
    // A sum is zero only if it is exactly that.
    checkRange(g, single, () => isZero(g, single ? S : R));
    checkExact(g, () => {
      if (op === Op.f64_sub) {
        code.get(t(g, B));
        code.op(Op.f64_neg);
        code.set(t(g, 6));
      }
      pushSumError(g, A, op === Op.f64_sub ? 6 : B, single ? S : R);
      if (!single) return;
      code.op(Op.f64_abs);
      pushSingleError(g);
      code.op(Op.f64_abs);
      code.op(Op.f64_add);
    });
    deliver(g, o, [A, B]);
  };

const multiplication =
  (single: boolean): EmitOperation =>
  (g, o) => {
    operand(g, o.a, A);
    operand(g, o.c, C);
    checkMode(g);
    if (single) checkSingles(g, [A, C]);
    operate(g, Op.f64_mul, A, C, single);
    checkRange(g, single, () => {
      isZero(g, R);
      isZero(g, A);
      isZero(g, C);
      g.code.op(Op.i32_or);
      g.code.op(Op.i32_and);
    });
    checkExact(g, () => {
      // The product of two singles is a double.
      if (single) return pushSingleError(g);
      pushExactProductError(g, A, C);
    });
    deliver(g, o, [A, undefined, C]);
  };
/** Pushes the error of the product in R, having left where it can't be told; a zero factor makes none. */
const pushExactProductError = (g: Generator, x: number, y: number): void => {
  const { code } = g;
  isZero(g, R);
  code.op(Op.i32_eqz);
  g.begin(Op.if);
  checkModerate(g, R);
  checkModerate(g, x);
  checkModerate(g, y);
  g.end();
  pushProductError(g, x, y, R);
};

const division =
  (single: boolean): EmitOperation =>
  (g, o) => {
    const { code } = g;
    operand(g, o.a, A);
    operand(g, o.b, B);
    checkMode(g);
    if (single) checkSingles(g, [A, B]);
    operate(g, Op.f64_div, A, B, single);
    checkRange(g, single, () => {
      isZero(g, R);
      isZero(g, A);
      code.op(Op.i32_and);
    });
    checkExact(g, () => {
      for (const n of [A, R]) {
        isZero(g, A);
        code.op(Op.i32_eqz);
        g.begin(Op.if);
        checkModerate(g, n);
        checkModerate(g, B);
        g.end();
      }
      remainder(g, A, R, B);
    });
    deliver(g, o, [A, B]);
  };
/** Pushes from - x * y. */
const remainder = (g: Generator, from: number, x: number, y: number): void => {
  const { code } = g;
  const product = 7;
  code.get(t(g, x));
  code.get(t(g, y));
  code.op(Op.f64_mul);
  code.set(t(g, product));
  pushProductError(g, x, y, product);
  code.set(t(g, T));
  code.get(t(g, from));
  code.get(t(g, product));
  code.op(Op.f64_sub);
  code.get(t(g, T));
  code.op(Op.f64_sub);
};

const root =
  (single: boolean): EmitOperation =>
  (g, o) => {
    const { code } = g;
    operand(g, o.b, B);
    checkMode(g);
    if (single) checkSingles(g, [B]);
    code.get(t(g, B));
    code.op(Op.f64_sqrt);
    code.set(t(g, single ? S : R));
    if (single) roundToSingle(g);
    checkRange(g, single, () => isZero(g, B));
    checkExact(g, () => {
      isZero(g, B);
      code.op(Op.i32_eqz);
      g.begin(Op.if);
      checkModerate(g, B);
      g.end();
      remainder(g, B, R, R);
    });
    deliver(g, o, [undefined, B]);
  };

/** a * c + b with one rounding, b's and the result's signs changed where asked for. */
const fused =
  (subtract: boolean, negate: boolean): EmitOperation =>
  (g, o) => {
    const { code } = g;
    operand(g, o.a, A);
    operand(g, o.c, C);
    operand(g, o.b, B);
    checkMode(g);
    signedAddend(g, subtract);
    for (const n of [A, C, 6]) {
      code.get(t(g, n));
      g.code.simd(Simd.f64x2_splat);
    }
    code.simd(Simd.f64x2_relaxed_madd);
    code.simd(Simd.f64x2_extract_lane);
    code.op(0);
    code.set(t(g, R));
    checkRange(g, false, () => {
      // Zero is exact if nothing was added to nothing, or if the addend is too great for anything to have got lost.
      isZero(g, R);
      isZero(g, A);
      isZero(g, C);
      code.op(Op.i32_or);
      isZero(g, B);
      code.op(Op.i32_and);
      code.get(t(g, B));
      code.op(Op.f64_abs);
      code.f64Const(2 ** -900);
      code.op(Op.f64_gt);
      code.op(Op.i32_or);
      code.op(Op.i32_and);
    });
    checkExact(g, () => {
      code.get(t(g, A));
      code.get(t(g, C));
      code.op(Op.f64_mul);
      code.set(t(g, S));
      isZero(g, S);
      code.op(Op.i32_eqz);
      g.begin(Op.if);
      for (const n of [A, C, S]) checkModerate(g, n);
      g.end();
      pushProductError(g, A, C, S);
      code.op(Op.f64_abs);
      pushSumError(g, S, 6, R);
      code.op(Op.f64_abs);
      code.op(Op.f64_add);
    });
    deliver(g, o, [A, B, C], negate);
  };
/** Temporary 6 <- the addend. */
const signedAddend = (g: Generator, subtract: boolean): void => {
  g.code.get(t(g, B));
  if (subtract) g.code.op(Op.f64_neg);
  g.code.set(t(g, 6));
};

/**
 * The same of singles: the product is exact in f64, and rounding the sum twice goes wrong only where the first rounding has made a tie
 * of what was none.
 */
const fusedSingle =
  (subtract: boolean, negate: boolean): EmitOperation =>
  (g, o) => {
    const { code } = g;
    operand(g, o.a, A);
    operand(g, o.c, C);
    operand(g, o.b, B);
    checkMode(g);
    checkSingles(g, [A, B, C]);
    signedAddend(g, subtract);
    const product = 7;
    code.get(t(g, A));
    code.get(t(g, C));
    code.op(Op.f64_mul);
    code.tee(t(g, product));
    code.get(t(g, 6));
    code.op(Op.f64_add);
    code.set(t(g, S));
    roundToSingle(g);
    checkRange(g, true, () => isZero(g, S));
    code.get(t(g, S));
    code.op(Op.i64_reinterpret_f64);
    code.i64Const(0x1fff_ffff, 0);
    code.op(Op.i64_and);
    code.i64Const(0x1000_0000, 0);
    code.op(Op.i64_eq);
    g.begin(Op.if);
    pushSumError(g, product, 6, S);
    code.f64Const(0);
    code.op(Op.f64_ne);
    g.leaveIf();
    g.end();
    checkExact(g, () => {
      pushSumError(g, product, 6, S);
      code.op(Op.f64_abs);
      pushSingleError(g);
      code.op(Op.f64_abs);
      code.op(Op.f64_add);
    });
    deliver(g, o, [A, B, C], negate);
  };
const needsFused =
  (emit: EmitOperation): EmitOperation =>
  (g, o) =>
    g.target.fused ? emit(g, o) : false;

/** FRT <- FRB with its sign bit changed; no arithmetic, so that NaNs pass. */
const move =
  (...ops: number[]): EmitOperation =>
  (g, o) => {
    g.scalar(o.b);
    for (const op of ops) g.code.op(op);
    g.setScalar(o.t, o.clears);
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
  operand(g, o.a, A);
  operand(g, o.b, B);
  for (const n of [A, B]) {
    code.get(t(g, n));
    code.get(t(g, n));
    code.op(Op.f64_ne);
  }
  code.op(Op.i32_or);
  g.leaveIf();
  g.noteRecord(RECORD_COMPARE, recordWord(o.as), [t(g, A), t(g, B)]);
  code.get(t(g, A));
  code.get(t(g, B));
  g.compare(BF(o.word), Lazy.Float);
};

/** Conversions to integers within what they hold; FPRF stays. */
const toInteger =
  (wide: boolean, rounding: number): EmitOperation =>
  (g, o) => {
    const { code } = g;
    operand(g, o.b, B);
    checkMode(g);
    code.get(t(g, B));
    code.op(rounding);
    code.set(t(g, R));
    code.get(t(g, R));
    code.f64Const(wide ? -(2 ** 63) : -(2 ** 31));
    code.op(Op.f64_ge);
    code.get(t(g, R));
    code.f64Const(wide ? 2 ** 63 : 2 ** 31);
    code.op(Op.f64_lt);
    code.op(Op.i32_and);
    code.op(Op.i32_eqz);
    g.leaveIf();
    checkExact(g, () => {
      code.get(t(g, B));
      code.get(t(g, R));
      code.op(Op.f64_sub);
    });
    code.get(t(g, R));
    if (wide) code.op(Op.i64_trunc_f64_s);
    else {
      code.op(Op.i32_trunc_f64_s);
      code.op(o.clears ? Op.i64_extend_i32_u : Op.i64_extend_i32_s);
      // Processors put a word into both words of the doubleword of a VSR; the manual leaves the first one undefined.
      if (o.clears) {
        code.i64Const(1, 1);
        code.op(Op.i64_mul);
      }
    }
    code.op(Op.f64_reinterpret_i64);
    g.setScalar(o.t, o.clears);
    g.noteRecord(RECORD_CONVERT, recordWord(o.as), [undefined, t(g, B)]);
  };

/** fcfid. */
const fromInteger: EmitOperation = (g, o) => {
  const { code } = g;
  const bits = g.temporary(I64, 1);
  operand(g, o.b, B);
  checkMode(g);
  code.get(t(g, B));
  code.op(Op.i64_reinterpret_f64);
  code.tee(bits);
  code.op(Op.f64_convert_i64_s);
  code.set(t(g, R));
  // Integers of up to 53 bits are doubles.
  code.get(inexactLocal(g));
  code.op(Op.i32_eqz);
  g.begin(Op.if);
  code.get(bits);
  code.i64Const(0, 0x20_0000);
  code.op(Op.i64_add);
  code.i64Const(0, 0x40_0000);
  code.op(Op.i64_gt_u);
  g.leaveIf();
  g.end();
  deliver(g, o, [undefined, B]);
};
/** frsp. */
const roundSingle: EmitOperation = (g, o) => {
  operand(g, o.b, S);
  checkMode(g);
  roundToSingle(g);
  checkRange(g, true, () => isZero(g, S));
  checkExact(g, () => pushSingleError(g));
  deliver(g, o, [undefined, S]);
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
  ...both("fadd", "xsadddp", addition(Op.f64_add, false)),
  ...both("fadds", "xsaddsp", addition(Op.f64_add, true)),
  ...both("fsub", "xssubdp", addition(Op.f64_sub, false)),
  ...both("fsubs", "xssubsp", addition(Op.f64_sub, true)),
  ...both("fmul", "xsmuldp", multiplication(false)),
  ...both("fmuls", "xsmulsp", multiplication(true)),
  ...both("fdiv", "xsdivdp", division(false)),
  ...both("fdivs", "xsdivsp", division(true)),
  ...both("fsqrt", "xssqrtdp", root(false)),
  ...both("fsqrts", "xssqrtsp", root(true)),
  ...multiplyAdd("fmadd", needsFused(fused(false, false))),
  ...multiplyAdd("fmsub", needsFused(fused(true, false))),
  ...multiplyAdd("fnmadd", needsFused(fused(false, true))),
  ...multiplyAdd("fnmsub", needsFused(fused(true, true))),
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
  ...both("fctiwz", "xscvdpsxws", toInteger(false, Op.f64_trunc)),
  ...both("fctidz", "xscvdpsxds", toInteger(true, Op.f64_trunc)),
  fctiw: onFprs(toInteger(false, Op.f64_nearest)),
  fctid: onFprs(toInteger(true, Op.f64_nearest)),
  ...both("fcfid", "xscvsxddp", fromInteger),
  ...both("frsp", "xsrsp", roundSingle),
};
