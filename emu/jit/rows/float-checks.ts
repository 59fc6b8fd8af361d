/**
 * Whether a floating-point result may stand. The hot path looks for normal numbers alone, and goes on with them if FPSCR rounds to nearest,
 * enables no inexact exception and has XX, which is sticky: then nothing need be known about exactness. Everything else is asked of
 * functions of the module, of which there is one for each kind of operation: they pass exact zeros, and while XX is clear what leaves
 * no error, which error-free transformations tell.
 */
import { FPSCR } from "../../cpu/registers.ts";
import type { Generator } from "../generator.ts";
import { Code, F64, type FunctionBody, I32, I64, Op, Simd, V128, type ValueType } from "../wasm.ts";
import { upperWord } from "./row.ts";

export type LaneOp =
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "sqrt"
  | "abs"
  | "neg"
  | "min"
  | "max"
  | "nearest"
  | "trunc"
  | "ceil"
  | "floor"
  | "eq"
  | "lt"
  | "gt"
  | "ge"
  | "and"
  | "or";

/** The elements that an operation works on at once. Comparisons give masks, which for one element are 1 or 0. */
export interface Lanes {
  readonly type: ValueType;
  readonly count: 1 | 2 | 4;
  readonly ops: Readonly<Record<LaneOp, number>>;
  /** Makes singles of doubles, and doubles of them again. */
  readonly toSingle: readonly number[];
  /** Pops a mask of vectors: a bit for each element. */
  readonly bitmask: number;
  readonly madd: number;
  /** Bounds of normal numbers, exclusive; those of results that a single has. */
  readonly normal: Bounds;
  readonly singles: Bounds;
  /** Between these products have errors that are numbers of the format. */
  readonly moderate: Bounds;
  /** Halves the digits of a number when it is multiplied by this (T. Dekker 1971). */
  readonly splitter: number;
}
export type Bounds = readonly [least: number, beyond: number];

const DOUBLE_NORMAL: Bounds = [2 ** -1022, Number.POSITIVE_INFINITY];
const SINGLE_NORMAL: Bounds = [2 ** -126, 2 ** 128];
const DOUBLE_FORMAT = {
  normal: DOUBLE_NORMAL,
  singles: SINGLE_NORMAL,
  moderate: [2 ** -900, 2 ** 900],
  splitter: 2 ** 27 + 1,
} as const;

/** One double. */
export const DOUBLE: Lanes = {
  ...DOUBLE_FORMAT,
  type: F64,
  count: 1,
  ops: {
    add: Op.f64_add,
    sub: Op.f64_sub,
    mul: Op.f64_mul,
    div: Op.f64_div,
    sqrt: Op.f64_sqrt,
    abs: Op.f64_abs,
    neg: Op.f64_neg,
    min: Op.f64_min,
    max: Op.f64_max,
    nearest: Op.f64_nearest,
    trunc: Op.f64_trunc,
    ceil: Op.f64_ceil,
    floor: Op.f64_floor,
    eq: Op.f64_eq,
    lt: Op.f64_lt,
    gt: Op.f64_gt,
    ge: Op.f64_ge,
    and: Op.i32_and,
    or: Op.i32_or,
  },
  toSingle: [Op.f32_demote_f64, Op.f64_promote_f32],
  bitmask: 0,
  madd: Simd.f64x2_relaxed_madd,
};
/** The two doubles of a vector. */
export const DOUBLES: Lanes = {
  ...DOUBLE_FORMAT,
  type: V128,
  count: 2,
  ops: {
    add: Simd.f64x2_add,
    sub: Simd.f64x2_sub,
    mul: Simd.f64x2_mul,
    div: Simd.f64x2_div,
    sqrt: Simd.f64x2_sqrt,
    abs: Simd.f64x2_abs,
    neg: Simd.f64x2_neg,
    min: Simd.f64x2_min,
    max: Simd.f64x2_max,
    nearest: Simd.f64x2_nearest,
    trunc: Simd.f64x2_trunc,
    ceil: Simd.f64x2_ceil,
    floor: Simd.f64x2_floor,
    eq: Simd.f64x2_eq,
    lt: Simd.f64x2_lt,
    gt: Simd.f64x2_gt,
    ge: Simd.f64x2_ge,
    and: Simd.v128_and,
    or: Simd.v128_or,
  },
  toSingle: [Simd.f32x4_demote_f64x2_zero, Simd.f64x2_promote_low_f32x4],
  bitmask: Simd.i64x2_bitmask,
  madd: Simd.f64x2_relaxed_madd,
};
/** Its four singles, in their own format. */
export const SINGLES: Lanes = {
  type: V128,
  count: 4,
  ops: {
    add: Simd.f32x4_add,
    sub: Simd.f32x4_sub,
    mul: Simd.f32x4_mul,
    div: Simd.f32x4_div,
    sqrt: Simd.f32x4_sqrt,
    abs: Simd.f32x4_abs,
    neg: Simd.f32x4_neg,
    min: Simd.f32x4_min,
    max: Simd.f32x4_max,
    nearest: Simd.f32x4_nearest,
    trunc: Simd.f32x4_trunc,
    ceil: Simd.f32x4_ceil,
    floor: Simd.f32x4_floor,
    eq: Simd.f32x4_eq,
    lt: Simd.f32x4_lt,
    gt: Simd.f32x4_gt,
    ge: Simd.f32x4_ge,
    and: Simd.v128_and,
    or: Simd.v128_or,
  },
  toSingle: [],
  bitmask: Simd.i32x4_bitmask,
  madd: Simd.f32x4_relaxed_madd,
  normal: [2 ** -126, Number.POSITIVE_INFINITY],
  singles: [2 ** -126, Number.POSITIVE_INFINITY],
  moderate: [2 ** -60, 2 ** 60],
  splitter: 2 ** 12 + 1,
};

/** Emits an operation on lanes. */
export function laneOp(code: Code, lanes: Lanes, name: LaneOp): void {
  if (lanes.count === 1) code.op(lanes.ops[name]);
  else code.simd(lanes.ops[name]);
}
/** Pushes a constant in every lane. */
export function laneConstant(code: Code, { count }: Lanes, value: number): void {
  if (count === 1) code.f64Const(value);
  else code.v128Const(count === 2 ? Float64Array.of(value, value) : new Float32Array(4).fill(value));
}
/** Pops a mask: pushes whether it is set in all lanes. */
export function inAll(code: Code, lanes: Lanes): void {
  if (lanes.count === 1) return;
  code.simd(lanes.bitmask);
  code.i32Const(2 ** lanes.count - 1);
  code.op(Op.i32_eq);
}

// ---- the hot path ------------------------------------------------------------------------------------------

/** RN and XE. */
const CONTROL = 0x0b;
const XX = 0x0200_0000;
/** A distance that magnitudes of normal numbers have from the least one, by their upper words without sign; see `judge`. */
const DISTANCE = 0xfdff_fffe;

/** DISTANCE, or 0 while the mode or XX is such that there is more to be asked: a limit that nothing is below. */
const limit = (g: Generator): number => g.temporary(I32, 8);

/** Pushes whether nothing need be known about the exactness of results that are normal numbers. */
export function pushIsPlain(code: Code, fpscr: number): void {
  code.i32Const(0);
  code.access(Op.i32_load, fpscr);
  code.i32Const(XX | CONTROL);
  code.op(Op.i32_and);
  code.i32Const(XX);
  code.op(Op.i32_eq);
}
/** Finds the limit, which holds until something may have changed FPSCR. */
export function findLimit(g: Generator): void {
  if (g.state.modeChecked) return;
  const { code } = g;
  code.i32Const(DISTANCE);
  code.i32Const(0);
  pushIsPlain(code, g.block + FPSCR);
  code.op(Op.select);
  code.set(limit(g));
  g.state.modeChecked = true;
}
export function pushLimit(g: Generator): void {
  g.usesMode = true;
  findLimit(g);
  g.code.get(limit(g));
}

export type Operation = "sum" | "product" | "quotient" | "root" | "fused" | "rounding";
const OPERANDS: Readonly<Record<Operation, number>> = {
  sum: 2,
  product: 2,
  quotient: 2,
  root: 1,
  fused: 3,
  rounding: 0,
};

/**
 * Leaves unless a result may stand. `raw` is the local that has it, before it is rounded to single where there is a local `rounded` with that:
 * an F32 one, or one of doubles for vectors; `operands` are locals, those of a fused operation in the order A, C, B. `also` pushes
 * whether there is another reason to ask; `rescue` emits what is done instead of leaving.
 */
export function judge(
  g: Generator,
  lanes: Lanes,
  operation: Operation,
  operands: readonly number[],
  raw: number,
  rounded?: number,
  also?: () => void,
  rescue?: () => void,
): void {
  const { code } = g;
  const single = rounded !== undefined;
  if (lanes.count > 1) {
    // Not all lanes: a number below 0, which is above every limit.
    pushNormal(code, lanes, rounded ?? raw, single ? lanes.singles : lanes.normal);
    code.simd(lanes.bitmask);
    code.i32Const(2 ** lanes.count - 1);
  } else if (single) {
    code.get(rounded);
    code.op(Op.i32_reinterpret_f32);
    code.i32Const(1);
    code.op(Op.i32_shl);
    code.i32Const(0x0100_0002);
  } else {
    code.get(raw);
    code.op(Op.i64_reinterpret_f64);
    upperWord(code);
    code.i32Const(1);
    code.op(Op.i32_shl);
    code.i32Const(0x0020_0002);
  }
  code.op(Op.i32_sub);
  pushLimit(g);
  code.op(Op.i32_ge_u);
  if (also !== undefined) {
    also();
    code.op(Op.i32_or);
  }
  g.begin(Op.if);
  for (const operand of operands) code.get(operand);
  code.get(raw);
  askWhether(g, code, operation, lanes, single);
  if (rescue === undefined) g.leaveIf();
  else {
    g.begin(Op.if);
    rescue();
    g.end();
  }
  g.end();
}
/** Pops the operands of an operation and its result: pushes whether the interpreter has to execute the instruction. */
export function askWhether(
  g: Generator,
  code: Code,
  operation: Operation,
  lanes: Lanes,
  single: boolean,
): void {
  g.helpers.call(code, `${operation} ${lanes.count} ${single}`, () =>
    checkFunction(operation, lanes, single, g.block + FPSCR),
  );
}

/** Pushes a mask of the lanes whose magnitudes are within bounds. */
export function pushNormal(code: Code, lanes: Lanes, local: number, [least, beyond]: Bounds): void {
  code.get(local);
  laneOp(code, lanes, "abs");
  laneConstant(code, lanes, least);
  laneOp(code, lanes, "gt");
  code.get(local);
  laneOp(code, lanes, "abs");
  laneConstant(code, lanes, beyond);
  laneOp(code, lanes, "lt");
  laneOp(code, lanes, "and");
}

// ---- integers ----------------------------------------------------------------------------------------------

/** The integers of a format, by sign: the least one, and the one beyond. */
export type Sign = "signed" | "unsigned";
export const WORDS: Readonly<Record<Sign, Bounds>> = {
  signed: [-(2 ** 31), 2 ** 31],
  unsigned: [0, 2 ** 32],
};
export const DOUBLEWORDS: typeof WORDS = {
  signed: [-(2 ** 63), 2 ** 63],
  unsigned: [0, 2 ** 64],
};

/** Pushes a mask of the lanes in which there are numbers from the lesser bound up to, but without, the other. */
export function pushWithin(code: Code, lanes: Lanes, local: number, [least, beyond]: Bounds): void {
  code.get(local);
  laneConstant(code, lanes, least);
  laneOp(code, lanes, "ge");
  code.get(local);
  laneConstant(code, lanes, beyond);
  laneOp(code, lanes, "lt");
  laneOp(code, lanes, "and");
}
/** Pops a doubleword: pushes whether its magnitude is greater than 2^24, for singles, or 2^53, up to which all integers are numbers of the format. */
export function isInexact(code: Code, single: boolean, isSigned: boolean): void {
  const [low, high] = single ? [2 ** 24, 0] : [0, 2 ** 21];
  code.i64Const(low, high);
  if (isSigned) {
    code.op(Op.i64_add);
    code.i64Const(2 * low, 2 * high);
  }
  code.op(Op.i64_gt_u);
}

// ---- beside it ---------------------------------------------------------------------------------------------

/** The function (operands, result) -> 1 if the interpreter has to execute the instruction, else 0. */
function checkFunction(operation: Operation, lanes: Lanes, single: boolean, fpscr: number): FunctionBody {
  const count = OPERANDS[operation];
  const f = new CheckBody(lanes, count + 1);
  const { code } = f;
  const raw = count;
  let result = raw;
  if (single) {
    result = f.local();
    code.get(raw);
    for (const op of lanes.toSingle) lanes.count === 1 ? code.op(op) : code.simd(op);
    code.set(result);
  }
  const status = (mask: number) => {
    code.i32Const(0);
    code.access(Op.i32_load, fpscr);
    code.i32Const(mask);
    code.op(Op.i32_and);
  };
  status(CONTROL);
  f.leave();
  f.must(() => {
    pushNormal(code, lanes, result, single ? lanes.singles : lanes.normal);
    f.zero(operation, result, raw, single);
    f.op("or");
  });
  if (operation === "fused" && single) f.notATie(raw);
  status(XX);
  code.op(Op.i32_eqz);
  code.block(Op.if);
  f.exact(operation, result, raw, single);
  code.end();
  code.i32Const(0);
  return {
    locals: f.locals,
    body: code,
    signature: { parameters: new Array(count + 1).fill(lanes.type), results: [I32] },
  };
}

/** Code of one of these functions. Operands are parameters from 0 on. */
class CheckBody {
  readonly code = new Code();
  readonly locals: ValueType[] = [];
  private readonly lanes: Lanes;
  private readonly parameters: number;

  constructor(lanes: Lanes, parameters: number) {
    this.lanes = lanes;
    this.parameters = parameters;
  }
  local(): number {
    return this.parameters + this.locals.push(this.lanes.type) - 1;
  }
  op(name: LaneOp): void {
    laneOp(this.code, this.lanes, name);
  }
  /** x op y, into a local of its own. */
  private compute(x: number, name: LaneOp, y: number): number {
    const into = this.local();
    this.binary(x, name, y);
    this.code.set(into);
    return into;
  }
  private binary(x: number, name: LaneOp, y: number): void {
    this.code.get(x);
    this.code.get(y);
    this.op(name);
  }
  /** Pops a condition: returns 1 if it is not zero. */
  leave(): void {
    const { code } = this;
    code.block(Op.if);
    code.i32Const(1);
    code.op(Op.return);
    code.end();
  }
  /** Returns 1 unless the mask that `push` leaves is set in all lanes. */
  must(push: () => void): void {
    push();
    inAll(this.code, this.lanes);
    this.code.op(Op.i32_eqz);
    this.leave();
  }
  private isZero(x: number): void {
    this.code.get(x);
    this.pushedIsZero();
  }
  private pushedIsZero(): void {
    laneConstant(this.code, this.lanes, 0);
    this.op("eq");
  }

  /** Pushes a mask of the lanes in which zero is the exact result. */
  zero(operation: Operation, result: number, raw: number, single: boolean): void {
    const { code, lanes } = this;
    switch (operation) {
      case "sum":
      case "rounding":
        // A sum is zero only if it is exactly that.
        this.isZero(raw);
        return;
      case "product":
        this.isZero(0);
        this.isZero(1);
        this.op("or");
        break;
      case "quotient":
      case "root":
        this.isZero(0);
        break;
      case "fused":
        if (single) {
          this.isZero(raw);
          return;
        }
        // If nothing was added to nothing, or if the addend is too great for anything to have got lost.
        this.isZero(0);
        this.isZero(1);
        this.op("or");
        this.isZero(2);
        this.op("and");
        code.get(2);
        this.op("abs");
        laneConstant(code, lanes, lanes.moderate[0]);
        this.op("gt");
        this.op("or");
    }
    this.isZero(result);
    this.op("and");
  }

  /** Singles: rounding the sum twice goes wrong where the first rounding has made a tie of what was none. */
  notATie(raw: number): void {
    const { code } = this;
    code.get(raw);
    code.op(Op.i64_reinterpret_f64);
    code.i64Const(0x1fff_ffff, 0);
    code.op(Op.i64_and);
    code.i64Const(0x1000_0000, 0);
    code.op(Op.i64_eq);
    code.block(Op.if);
    this.must(() => {
      this.sumError(this.compute(0, "mul", 1), 2, raw);
      this.pushedIsZero();
    });
    code.end();
  }

  /** Returns 1 unless the result is exact in all lanes, or if that can't be told. */
  exact(operation: Operation, result: number, raw: number, single: boolean): void {
    switch (operation) {
      case "sum":
        this.mustBeNothing(() => this.sumError(0, 1, raw));
        break;
      case "product":
        // The product of two singles is a double.
        if (single) break;
        this.mustBeModerate(result, [result, 0, 1]);
        this.mustBeNothing(() => this.productError(0, 1, result));
        break;
      case "quotient":
        this.mustBeModerate(0, [0, 1, result]);
        this.mustBeNothing(() => this.remainder(0, result, 1));
        return;
      case "root":
        this.mustBeModerate(0, [0]);
        this.mustBeNothing(() => this.remainder(0, result, result));
        return;
      case "fused": {
        const product = this.compute(0, "mul", 1);
        if (!single) {
          this.mustBeModerate(product, [product, 0, 1]);
          this.mustBeNothing(() => this.productError(0, 1, product));
        }
        this.mustBeNothing(() => this.sumError(product, 2, raw));
      }
    }
    if (single) this.must(() => this.binary(raw, "eq", result));
  }
  private mustBeNothing(push: () => void): void {
    this.must(() => {
      push();
      this.pushedIsZero();
    });
  }
  /** Errors of products are known of these numbers, or `nothing` is zero and makes none. */
  private mustBeModerate(nothing: number, numbers: readonly number[]): void {
    const { code, lanes } = this;
    this.must(() => {
      numbers.forEach((x, i) => {
        pushNormal(code, lanes, x, lanes.moderate);
        if (i > 0) this.op("and");
      });
      this.isZero(nothing);
      this.op("or");
    });
  }

  /** Pushes x + y - sum (D. Knuth's two-sum). */
  private sumError(x: number, y: number, sum: number): void {
    const part = this.compute(sum, "sub", x);
    this.code.get(x);
    this.binary(sum, "sub", part);
    this.op("sub");
    this.binary(y, "sub", part);
    this.op("add");
  }
  /** Pushes x * y - product (T. Dekker's), exact of moderate numbers. */
  private productError(x: number, y: number, product: number): void {
    const [highX, lowX] = this.split(x);
    const [highY, lowY] = this.split(y);
    this.binary(highX, "mul", highY);
    this.code.get(product);
    this.op("sub");
    for (const [p, q] of [
      [highX, lowY],
      [lowX, highY],
      [lowX, lowY],
    ]) {
      this.binary(p, "mul", q);
      this.op("add");
    }
  }
  private split(x: number): [high: number, low: number] {
    const { code, lanes } = this;
    const high = this.local();
    code.get(x);
    laneConstant(code, lanes, lanes.splitter);
    this.op("mul");
    code.tee(high);
    code.get(high);
    code.get(x);
    this.op("sub");
    this.op("sub");
    code.set(high);
    return [high, this.compute(x, "sub", high)];
  }
  /** Pushes from - x * y. */
  private remainder(from: number, x: number, y: number): void {
    const product = this.compute(x, "mul", y);
    const error = this.local();
    this.productError(x, y, product);
    this.code.set(error);
    this.binary(from, "sub", product);
    this.code.get(error);
    this.op("sub");
  }

  // ---- a fused multiply-add in software ------------------------------------------------------------------

  /**
   * Pushes a * c + b of parameters 0, 1 and 2 with one rounding (S. Boldo, G. Melquiond, "Emulation of FMA and correctly rounded sums: proved
   * algorithms using rounding to odd", 2008); a NaN where these are not moderate, of which the caller knows nothing either.
   */
  fusedSum(): void {
    const { code } = this;
    const product = this.compute(0, "mul", 1);
    this.isZero(0);
    this.isZero(1);
    this.op("or");
    code.block(Op.if);
    this.binary(product, "add", 2);
    code.op(Op.return);
    code.end();
    const isModerate = (x: number) => pushNormal(code, this.lanes, x, this.lanes.moderate);
    for (const x of [0, 1, product]) isModerate(x);
    this.op("and");
    this.op("and");
    isModerate(2);
    this.isZero(2);
    this.op("or");
    this.op("and");
    code.op(Op.i32_eqz);
    code.block(Op.if);
    code.f64Const(Number.NaN);
    code.op(Op.return);
    code.end();
    const low = this.local();
    this.productError(0, 1, product);
    code.set(low);
    const upper = this.compute(2, "add", low);
    const lost = this.local();
    this.sumError(2, low, upper);
    code.set(lost);
    const sum = this.compute(product, "add", upper);
    const rest = this.local();
    this.sumError(product, upper, sum);
    code.set(rest);
    // What is left to add, rounded to odd: its last bit then says to which side of a tie it lies.
    const tail = this.compute(lost, "add", rest);
    const error = this.local();
    this.sumError(lost, rest, tail);
    code.set(error);
    const bits = this.parameters + this.locals.push(I64) - 1;
    code.get(tail);
    code.op(Op.i64_reinterpret_f64);
    code.tee(bits);
    code.get(bits);
    code.i64Const(-1, -1);
    code.op(Op.i64_xor);
    code.i64Const(1, 0);
    code.op(Op.i64_and);
    code.i64Const(0, 0);
    this.isZero(error);
    code.op(Op.i32_eqz);
    code.op(Op.select);
    // One further from zero, or where the error has the other sign one nearer.
    code.i64Const(1, 0);
    code.i64Const(-1, -1);
    code.get(error);
    code.f64Const(0);
    code.op(Op.f64_gt);
    code.get(tail);
    code.f64Const(0);
    code.op(Op.f64_gt);
    code.op(Op.i32_eq);
    code.op(Op.select);
    code.op(Op.i64_mul);
    code.op(Op.i64_add);
    code.op(Op.f64_reinterpret_i64);
    code.get(sum);
    code.op(Op.f64_add);
  }
}

/** The function (a, c, b) -> a * c + b for hosts whose processors have none. */
function fusedFunction(): FunctionBody {
  const f = new CheckBody(DOUBLE, 3);
  f.fusedSum();
  return { locals: f.locals, body: f.code, signature: { parameters: [F64, F64, F64], results: [F64] } };
}

/** Pushes a * c + b of these locals with one rounding, or something that `judge` does not let pass. */
export function pushFused(g: Generator, lanes: Lanes, operands: readonly number[]): void {
  const { code } = g;
  if (lanes.count > 1 && g.target.fused) {
    for (const operand of operands) code.get(operand);
    code.simd(lanes.madd);
    return;
  }
  const soft = () => g.helpers.call(code, "fused", fusedFunction);
  if (lanes.count > 1) {
    // One after the other.
    const [first, second] = [g.temporary(F64, 13), g.temporary(F64, 14)];
    for (const [lane, into] of [first, second].entries()) {
      for (const operand of operands) {
        code.get(operand);
        code.simd(Simd.f64x2_extract_lane);
        code.op(lane);
      }
      soft();
      code.set(into);
    }
    code.get(first);
    code.simd(Simd.f64x2_splat);
    code.get(second);
    code.simd(Simd.f64x2_replace_lane);
    code.op(1);
    return;
  }
  for (const operand of operands) {
    code.get(operand);
    if (g.target.fused) code.simd(Simd.f64x2_splat);
  }
  if (!g.target.fused) {
    soft();
    return;
  }
  code.simd(Simd.f64x2_relaxed_madd);
  code.simd(Simd.f64x2_extract_lane);
  code.op(0);
}
