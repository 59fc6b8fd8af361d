/**
 * Error-free transformations: what a rounded f64 operation leaves over, exactly, as long as nothing overflows or becomes
 * subnormal on the way (T. J. Dekker 1971; D. E. Knuth, TAOCP 2, 4.2.2). Where a splitting overflows the answer is NaN.
 */

/** a + b - sum, where sum is the rounded a + b. */
export function sumError(a: number, b: number, sum: number): number {
  const part = sum - a;
  return a - (sum - part) + (b - part);
}

/** 2^27 + 1 splits a double into two halves of 26 bits. */
const SPLITTER = 134217729;

/** a * b - product, where product is the rounded a * b. */
export function productError(a: number, b: number, product: number): number {
  const wideA = SPLITTER * a;
  const highA = wideA - (wideA - a);
  const lowA = a - highA;
  const wideB = SPLITTER * b;
  const highB = wideB - (wideB - b);
  const lowB = b - highB;
  return highA * highB - product + highA * lowB + lowA * highB + lowA * lowB;
}

/** a / b minus the rounded quotient, but for a positive factor. */
export function quotientError(a: number, b: number, quotient: number): number {
  const product = quotient * b;
  const remainder = a - product - productError(quotient, b, product);
  return b < 0 ? -remainder : remainder;
}

/** Products and quotients between them have an error that is a normal number or zero. */
export const TINY = 2 ** -900;
export const HUGE = 2 ** 900;
export function isModerate(value: number): boolean {
  const magnitude = Math.abs(value);
  return magnitude > TINY && magnitude < HUGE;
}
