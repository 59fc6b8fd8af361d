/**
 * Sums in the directed rounding modes: C libraries without an instruction for it take the integer below a number by adding 2^52 in such a
 * mode. All other operations in these modes are the interpreter's.
 */
import { HUGE } from "../cpu/floating-point/error-free.ts";
import { RN, XE, XX } from "../cpu/floating-point/fpscr.ts";
import { DOUBLE_UNIT, SINGLE_UNIT } from "../cpu/floating-point/fpu.ts";
import {
  type Code as Expression,
  getLocal,
  i32,
  i32Op,
  i64,
  i64Op,
  loadI32,
  select,
  setLocal,
  storeF64,
  when,
} from "../cpu/vector/expressions.ts";
import { add, f64, isOutward, isWanted, ne, roundToSingle, sumError, within } from "./double-expressions.ts";
import { Code, F64, type FunctionBody, I32, Op } from "./wasm.ts";

/** Locals behind the parameters. */
const [STATUS, RAW, ERROR, X] = [2, 3, 4, 5];
const [a, b, status, raw, error] = Array.from({ length: 5 }, (_, n) => getLocal(n));

/**
 * The function (a, b) -> 1 if it has stored a + b, as FPSCR's mode rounds it, else 0: FPSCR would not stay as it is, or the sum is near the
 * bounds of the format.
 */
export function directedSumFunction(fpscr: number, result: number, single: boolean): FunctionBody {
  const giveUp: Expression = [...i32(0), Op.return];
  const unit = BigInt(single ? SINGLE_UNIT : DOUBLE_UNIT);
  const [least, beyond] = single ? [2 ** -125, 2 ** 127] : [2 ** -1021, HUGE];
  const bits = [...raw, Op.i64_reinterpret_f64];
  const neighbour = i64Op.add(bits, select(i64(unit), i64(-unit), isOutward(raw, error)));
  const mode = i32Op.and(status, i32(RN));
  const body = new Code();
  body.bytesOf([
    ...setLocal(STATUS, loadI32(fpscr, i32(0))),
    ...when(i32Op.eqz(mode), giveUp),
    ...when(i32Op.ne(i32Op.and(status, i32(XE | XX)), i32(XX)), giveUp),
    ...setLocal(RAW, add(a, b)),
    ...when(i32Op.eqz(within(raw, least, beyond)), giveUp),
    ...sumError(ERROR, a, b, raw, X),
    ...(single ? roundToSingle(RAW, ERROR, X) : []),
    ...when(ne(error, f64(0)), [
      ...when(isWanted(mode, raw, error), setLocal(RAW, [...neighbour, Op.f64_reinterpret_i64])),
    ]),
    ...storeF64(result, i32(0), raw),
    ...i32(1),
  ]);
  return {
    locals: [I32, F64, F64, F64],
    body,
    signature: { parameters: [F64, F64], results: [I32] },
  };
}
