/**
 * Floating multiply-add instructions, Power ISA 3.0B, I.4.6.6.2: a product and a sum with one rounding.
 *
 * The fast path is that of S. Boldo and G. Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms
 * using rounding to odd" (2008): the three parts of the exact value are summed so that the last addition alone rounds.
 */
import type { Handler, HandlerTable } from "../handler.ts";
import { productError, sumError } from "./error-free.ts";
import { RN } from "./fpscr.ts";
import { DOUBLE, SINGLE } from "./formats.ts";
import { deliver, complete, fra, frb, frc, STATUS, roundToOdd } from "./fpu.ts";
import { multiplyAdd } from "./soft-float.ts";
import { i32, u64, f64 } from "../views.ts";

/** Factors and addend within these leave every part of the sum a normal number or zero. */
const TINY = 2 ** -400;
const HUGE = 2 ** 400;
const ADDEND_TINY = 2 ** -800;
const ADDEND_HUGE = 2 ** 800;

const fused = (subtract: boolean, negate: boolean, single: boolean): Handler => {
  const kind = { subtract, negate };
  const format = single ? SINGLE : DOUBLE;
  const addendSign = subtract ? -1 : 1;
  const resultSign = negate ? -1 : 1;

  const fast = (word: number): boolean => {
    // Directed rounding comes before the negation.
    if (negate && (i32[STATUS] & RN) !== 0) return false;
    const a = f64[fra(word)];
    const c = f64[frc(word)];
    const b = addendSign * f64[frb(word)];
    const bMagnitude = Math.abs(b);
    if (!((bMagnitude > ADDEND_TINY && bMagnitude < ADDEND_HUGE) || bMagnitude === 0)) return false;
    const aMagnitude = Math.abs(a);
    const cMagnitude = Math.abs(c);
    const product = a * c;
    if (!(aMagnitude > TINY && aMagnitude < HUGE && cMagnitude > TINY && cMagnitude < HUGE)) {
      // A zero product is exact and so is the sum; infinity times zero is NaN and stays out.
      if (product !== 0 || (a !== 0 && c !== 0)) return false;
      return deliver(word, resultSign * (product + b), 0, single);
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
    if (error === 0 && lost !== 0) return false;
    return deliver(word, resultSign * sum, resultSign * error, single);
  };

  return (word, cia) => {
    if (fast(word)) return;
    const operands = [u64[fra(word)], u64[frc(word)], u64[frb(word)]] as const;
    complete(word, cia, multiplyAdd(...operands, kind, format, i32[STATUS]));
  };
};

export const fusedHandlers: HandlerTable = {
  fmadd: fused(false, false, false),
  fmadds: fused(false, false, true),
  fmsub: fused(true, false, false),
  fmsubs: fused(true, false, true),
  fnmadd: fused(false, true, false),
  fnmadds: fused(false, true, true),
  fnmsub: fused(true, true, false),
  fnmsubs: fused(true, true, true),
};
