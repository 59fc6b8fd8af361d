/** WebAssembly expressions of doubles, beside those of `cpu/vector/expressions.ts`: for the functions that translated code calls. */
import {
  type Code as Expression,
  getLocal,
  i32,
  i32Op,
  i64,
  i64Op,
  setLocal,
  unsigned,
  when,
} from "../cpu/vector/expressions.ts";
import { Op, Simd } from "./wasm.ts";

const binary = (op: number) => (a: Expression, b: Expression) => [...a, ...b, op];
const unary = (op: number) => (a: Expression) => [...a, op];
export const f64 = (value: number): Expression => [0x44, ...new Uint8Array(Float64Array.of(value).buffer)];
export const add = binary(Op.f64_add);
export const sub = binary(Op.f64_sub);
export const mul = binary(Op.f64_mul);
export const div = binary(Op.f64_div);
export const sqrt = unary(Op.f64_sqrt);
export const abs = unary(Op.f64_abs);
export const neg = unary(Op.f64_neg);
export const lt = binary(Op.f64_lt);
export const gt = binary(Op.f64_gt);
export const eq = binary(Op.f64_eq);
export const ne = binary(Op.f64_ne);
const toSingle = (a: Expression) => [...a, Op.f32_demote_f64, Op.f64_promote_f32];
export const isNegative = (a: Expression) => i64Op.ltS([...a, Op.i64_reinterpret_f64], i64(0n));
/** a * b + c with one rounding. */
export const fused = (a: Expression, b: Expression, c: Expression): Expression => {
  const splat = [0xfd, ...unsigned(Simd.f64x2_splat)];
  const lane0 = [0xfd, ...unsigned(Simd.f64x2_extract_lane), 0];
  const madd = [0xfd, ...unsigned(Simd.f64x2_relaxed_madd)];
  return [...a, ...splat, ...b, ...splat, ...c, ...splat, ...madd, ...lane0];
};
export const all = (...conditions: readonly Expression[]) => conditions.reduce((a, b) => i32Op.and(a, b));
export const some = (...conditions: readonly Expression[]) => conditions.reduce((a, b) => i32Op.or(a, b));
export const within = (a: Expression, least: number, beyond: number) =>
  all(gt(abs(a), f64(least)), lt(abs(a), f64(beyond)));
/** into <- what the rounded `sum` lacks of p + q; `part` is a local to work with. */
export const sumError = (
  into: number,
  p: Expression,
  q: Expression,
  sum: Expression,
  part: number,
): Expression => {
  const step = getLocal(part);
  return [...setLocal(part, sub(sum, p)), ...setLocal(into, add(sub(p, sub(sum, step)), sub(q, step)))];
};
/** rounded <- what it is as a single; error <- something of the sign of what that lacks, if it has lost anything; `part` is a local to work with. */
export const roundToSingle = (rounded: number, error: number, part: number): Expression => {
  const [before, single] = [getLocal(rounded), getLocal(part)];
  return [
    ...setLocal(part, toSingle(before)),
    ...when(ne(single, before), setLocal(error, sub(before, single))),
    ...setLocal(rounded, single),
  ];
};
/** Whether a magnitude is greater than `nearest`'s where `error`, not zero, is what that lacks. */
export const isOutward = (nearest: Expression, error: Expression) =>
  i32Op.eq(gt(error, f64(0)), gt(nearest, f64(0)));
/** Whether a directed rounding mode takes the number on the other side of the exact value; to nearest none is taken. */
export const isWanted = (mode: Expression, nearest: Expression, error: Expression) => {
  const towardZero = i32Op.and(i32Op.eq(mode, i32(1)), i32Op.eqz(isOutward(nearest, error)));
  const up = i32Op.and(i32Op.eq(mode, i32(2)), gt(error, f64(0)));
  const down = i32Op.and(i32Op.eq(mode, i32(3)), lt(error, f64(0)));
  return some(towardZero, up, down);
};
