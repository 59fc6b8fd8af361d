/**
 * Floating multiply-add instructions, Power ISA 3.0B, I.4.6.6.2: a product and a sum with one rounding.
 *
 * The fast path is that of S. Boldo and G. Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms
 * using rounding to odd" (2008): the three parts of the exact value are summed so that the last addition alone rounds.
 */
import type { Handler, HandlerTable } from "../handler.ts";
import { cpu } from "../views.ts";
import { productError, sumError } from "./error-free.ts";
import { DOUBLE, SINGLE } from "./formats.ts";
import { RN } from "./fpscr.ts";
import {
  complete,
  deliver,
  ending,
  FPRS,
  factor,
  operandA,
  operandB,
  roundToOdd,
  STATUS,
  target,
  VSRS,
} from "./fpu.ts";
import { A, B, C, ERROR, ROUNDED, type Shape, SINGLES } from "./lanes.ts";
import { multiplyAdd } from "./soft-float.ts";

/** Factors and addend within these leave every part of the sum a normal number or zero. */
const TINY = 2 ** -400;
const HUGE = 2 ** 400;
const ADDEND_TINY = 2 ** -800;
const ADDEND_HUGE = 2 ** 800;

/**
 * Sets ROUNDED to a * c + b as the nearest double and ERROR to what that lacks (something of its sign, or zero), for the operands
 * in A, C and B at index i. An ERROR that is not a number says that this can't tell.
 */
function fusedSum(i: number): void {
  const a = A[i];
  const c = C[i];
  const b = B[i];
  ROUNDED[i] = a * c + b;
  ERROR[i] = Number.NaN;
  const bMagnitude = Math.abs(b);
  if (!((bMagnitude > ADDEND_TINY && bMagnitude < ADDEND_HUGE) || bMagnitude === 0)) return;
  const aMagnitude = Math.abs(a);
  const cMagnitude = Math.abs(c);
  const product = a * c;
  if (!(aMagnitude > TINY && aMagnitude < HUGE && cMagnitude > TINY && cMagnitude < HUGE)) {
    // A zero product is exact and so is the sum; infinity times zero is NaN and stays out.
    if (product !== 0 || (a !== 0 && c !== 0)) return;
    ERROR[i] = 0;
    return;
  }
  const productLow = productError(a, c, product);
  const low = b + productLow;
  const lowest = sumError(b, productLow, low);
  const high = product + low;
  const middle = sumError(product, low, high);
  let rest = middle + lowest;
  const lost = sumError(middle, lowest, rest);
  if (lost !== 0) rest = roundToOdd(rest, lost);
  const sum = high + rest;
  const error = sumError(high, rest, sum);
  if (error === 0 && lost !== 0) return;
  ROUNDED[i] = sum;
  ERROR[i] = error;
}

/** Sets ROUNDED and ERROR for all elements of A, C and B, where the addend and the result have these signs. */
type FusedSums = (addendSign: number, resultSign: number) => void;

const fusedDoubles: FusedSums = (addendSign, resultSign) => {
  for (let k = 0; k < 2; k++) {
    B[k] *= addendSign;
    fusedSum(k);
    ROUNDED[k] *= resultSign;
    ERROR[k] *= resultSign;
  }
};

/** The product of singles is exact as a double. */
export const fusedSingles: FusedSums = (addendSign, resultSign) => {
  for (let k = 0; k < 4; k++) {
    const product = A[k] * C[k];
    const addend = B[k] * addendSign;
    const sum = product + addend;
    ROUNDED[k] = sum * resultSign;
    ERROR[k] = sumError(product, addend, sum) * resultSign;
  }
};

export const fusedSumsOf = (shape: Shape): FusedSums => (shape === SINGLES ? fusedSingles : fusedDoubles);

/** Which operand is the addend: FRB; the target itself (Type-A of VSX); XB, where the target is a factor (Type-M). */
type Addend = "FRB" | "XT" | "XB";

const fused = (addend: Addend, subtract: boolean, negate: boolean, single: boolean): Handler => {
  const bank = addend === "FRB" ? FPRS : VSRS;
  const kind = { subtract, negate };
  const format = single ? SINGLE : DOUBLE;
  const addendSign = subtract ? -1 : 1;
  const resultSign = negate ? -1 : 1;

  return (word, cia) => {
    const to = target(word, bank);
    const a = operandA(word, bank);
    const c = addend === "XB" ? to : factor(word, bank);
    const b = addend === "XT" ? to : operandB(word, bank);
    // Directed rounding comes before the negation.
    if (!negate || (cpu.i32[STATUS] & RN) === 0) {
      A[0] = cpu.f64[a];
      C[0] = cpu.f64[c];
      B[0] = addendSign * cpu.f64[b];
      fusedSum(0);
      if (deliver(to, ending(word, bank), resultSign * ROUNDED[0], resultSign * ERROR[0], single)) return;
    }
    const result = multiplyAdd(cpu.u64[a], cpu.u64[c], cpu.u64[b], kind, format, cpu.i32[STATUS]);
    complete(to, ending(word, bank), cia, result);
  };
};

export const fusedHandlers = (): HandlerTable => ({
  fmadd: fused("FRB", false, false, false),
  xsmaddadp: fused("XT", false, false, false),
  xsmaddmdp: fused("XB", false, false, false),
  fmadds: fused("FRB", false, false, true),
  xsmaddasp: fused("XT", false, false, true),
  xsmaddmsp: fused("XB", false, false, true),
  fmsub: fused("FRB", true, false, false),
  xsmsubadp: fused("XT", true, false, false),
  xsmsubmdp: fused("XB", true, false, false),
  fmsubs: fused("FRB", true, false, true),
  xsmsubasp: fused("XT", true, false, true),
  xsmsubmsp: fused("XB", true, false, true),
  fnmadd: fused("FRB", false, true, false),
  xsnmaddadp: fused("XT", false, true, false),
  xsnmaddmdp: fused("XB", false, true, false),
  fnmadds: fused("FRB", false, true, true),
  xsnmaddasp: fused("XT", false, true, true),
  xsnmaddmsp: fused("XB", false, true, true),
  fnmsub: fused("FRB", true, true, false),
  xsnmsubadp: fused("XT", true, true, false),
  xsnmsubmdp: fused("XB", true, true, false),
  fnmsubs: fused("FRB", true, true, true),
  xsnmsubasp: fused("XT", true, true, true),
  xsnmsubmsp: fused("XB", true, true, true),
});
