/**
 * The elements of vectors on their way through an instruction. Operands and results lie in arrays, an element an index, because a
 * double that passes between functions which V8 does not inline is allocated each time; scalar instructions use index 0.
 *
 * A vector instruction writes its result to OUT, an image of the target, while flags are gathered over all elements; then
 * `completeVector` writes all of it, or nothing where an enabled exception occurred (Power ISA 3.0B, I.7.6.1).
 */
import { cpu } from "../views.ts";
import { DOUBLE, type Format, SINGLE } from "./formats.ts";
import { ENABLES, EXCEPTIONS, enabled, FI, FR, FX, RN, summarize, XX } from "./fpscr.ts";
import {
  DOUBLE_LEAST,
  DOUBLE_UNIT,
  directed,
  interrupt,
  roundToOdd,
  SINGLE_BEYOND,
  SINGLE_LEAST,
  SINGLE_UNIT,
  STATUS,
} from "./fpu.ts";
import type { Result } from "./soft-float.ts";
import { doubleHigh, doubleLow, single } from "./storage-access.ts";

export const A = new Float64Array(4);
export const B = new Float64Array(4);
export const C = new Float64Array(4);
/**
 * The nearest doubles to the exact results, and something of the sign of what these lack. An error that is not a number says
 * that this is not known, or that the result is infinite or a NaN.
 */
export const ROUNDED = new Float64Array(4);
export const ERROR = new Float64Array(4);

/** The result, word k at OUT[3 - k], doubleword k at OUT_F64[1 - k]. */
export const OUT = new Int32Array(4);
export const OUT_F32 = new Float32Array(OUT.buffer);
export const OUT_F64 = new Float64Array(OUT.buffer);
export const OUT_U64 = new BigUint64Array(OUT.buffer);

/** Word k and doubleword k of the VSR at a place: indices in the 32-bit views and the 64-bit ones. */
export const wordAt = (place: number, k: number): number => 2 * place + 1 - k;
const doublewordAt = (place: number, k: number): number => place - k;

/** The double of the single in a word, by its bits: no NaN is quieted. */
const widen = (word: number): bigint =>
  (BigInt(doubleHigh(word) >>> 0) << 32n) | BigInt(doubleLow(word) >>> 0);
/** The single of a double that is one, by its bits. */
const narrow = (bits: bigint): number =>
  single(Number(BigInt.asIntN(32, bits >> 32n)), Number(BigInt.asIntN(32, bits)));

/** What elements are: how many, how they are read and written, and what results are rounded to. */
export interface Shape {
  readonly count: 2 | 4;
  readonly format: Format;
  /** Sets `into` to the elements of the VSR at a place. */
  load(into: Float64Array, place: number): void;
  /** Element k in the double format, by its bits. */
  bits(place: number, k: number): bigint;
  /** Puts a result of soft-float into element k of OUT. */
  put(k: number, bits: bigint): void;
  /** Rounds result k of a fast path into OUT; the flags, or ASK. */
  settle(k: number, status: number): number;
  /** The same for all of them: the flags, and bit k where ASK. */
  settleAll(status: number): number;
}

/** No flags of an instruction: the fast path does not know the result. */
export const ASK = -1;

/** Bit k instead of ASK. */
const asked = (flags: number, k: number): number => (flags === ASK ? 1 << k : flags);

function settleDouble(k: number, status: number): number {
  const error = ERROR[k];
  if (error - error !== 0) return ASK;
  let result = ROUNDED[k];
  if (error !== 0 && (status & RN) !== 0) result = directed(result, error, status & RN, DOUBLE_UNIT);
  const magnitude = Math.abs(result);
  const isNormal = magnitude > DOUBLE_LEAST && magnitude < Infinity;
  if (!isNormal && (result !== 0 || error !== 0 || (status & RN) === 3)) return ASK;
  OUT_F64[1 - k] = result;
  return error === 0 ? 0 : XX;
}

function settleSingle(k: number, status: number): number {
  let error = ERROR[k];
  if (error - error !== 0) return ASK;
  const exact = error === 0 ? ROUNDED[k] : roundToOdd(ROUNDED[k], error);
  let result = Math.fround(exact);
  error = exact - result;
  if (error !== 0 && (status & RN) !== 0) result = directed(result, error, status & RN, SINGLE_UNIT);
  const magnitude = Math.abs(result);
  const isNormal = magnitude > SINGLE_LEAST && magnitude < SINGLE_BEYOND;
  if (!isNormal && (result !== 0 || error !== 0 || exact !== 0 || (status & RN) === 3)) return ASK;
  OUT_F32[3 - k] = result;
  return error === 0 ? 0 : XX;
}

export const DOUBLES: Shape = {
  count: 2,
  format: DOUBLE,
  load: (into, place) => {
    into[0] = cpu.f64[place];
    into[1] = cpu.f64[place - 1];
  },
  bits: (place, k) => cpu.u64[doublewordAt(place, k)],
  put: (k, bits) => {
    OUT_U64[1 - k] = bits;
  },
  settle: settleDouble,
  settleAll: (status) => {
    let flags = 0;
    for (let k = 0; k < 2; k++) flags |= asked(settleDouble(k, status), k);
    return flags;
  },
};

export const SINGLES: Shape = {
  count: 4,
  format: SINGLE,
  load: (into, place) => {
    const at = wordAt(place, 0);
    const { f32 } = cpu;
    into[0] = f32[at];
    into[1] = f32[at - 1];
    into[2] = f32[at - 2];
    into[3] = f32[at - 3];
  },
  bits: (place, k) => widen(cpu.i32[wordAt(place, k)]),
  put: (k, bits) => {
    OUT[3 - k] = narrow(bits);
  },
  settle: settleSingle,
  settleAll: (status) => {
    let flags = 0;
    for (let k = 0; k < 4; k++) flags |= asked(settleSingle(k, status), k);
    return flags;
  },
};

/** Puts result k of soft-float where the fast path has none; its flags. */
export function putResult(shape: Shape, k: number, { bits, flags }: Result): number {
  shape.put(k, bits);
  return flags;
}

/** Ends a vector instruction: adds flags to the FPSCR (FI and FR are of scalar instructions only), and writes OUT to the target. */
export function completeVector(to: number, cia: number, flags: number): void {
  if (raiseVector(cia, flags)) writeVector(to);
}

/** Adds flags to the FPSCR. False, if an exception among them is enabled: nothing is written then. */
export function raiseVector(cia: number, flags: number): boolean {
  const status = cpu.i32[STATUS];
  const raised = flags & EXCEPTIONS & ~(FI | FR);
  if ((raised & ~status) === 0 && (status & ENABLES) === 0) return true;
  cpu.i32[STATUS] = summarize(status | raised | ((raised & ~status) !== 0 ? FX : 0));
  if (enabled(status, raised) === 0) return true;
  interrupt(cia);
  return false;
}

/** Writes OUT to a VSR. */
export function writeVector(to: number): void {
  const at = 2 * to - 2;
  const { i32 } = cpu;
  i32[at] = OUT[0];
  i32[at + 1] = OUT[1];
  i32[at + 2] = OUT[2];
  i32[at + 3] = OUT[3];
}
