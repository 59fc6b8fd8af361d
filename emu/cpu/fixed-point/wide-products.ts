/** Products wider than a JavaScript number, from 32-bit pieces. */

/** The high 32 bits, signed, of the unsigned product of two 32-bit numbers. */
export function multiplyHighUnsigned(a: number, b: number): number {
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  // Each sum is below 2^32: (2^16-1)^2 + 2 (2^16-1) = 2^32 - 1.
  const low = Math.imul(a0, b0) >>> 16;
  const middle = (Math.imul(a1, b0) + low) | 0;
  const other = (Math.imul(a0, b1) + (middle & 0xffff)) | 0;
  return (Math.imul(a1, b1) + (middle >>> 16) + (other >>> 16)) | 0;
}

/** The high 32 bits of the signed product of two signed 32-bit numbers. */
export const multiplyHigh = (a: number, b: number): number =>
  (multiplyHighUnsigned(a, b) - ((a >> 31) & b) - ((b >> 31) & a)) | 0;

/** The second doubleword, as [low, high], of the 128-bit unsigned product of two doublewords, by way of `put`. */
export function multiplyHighDoubleword(
  aLow: number,
  aHigh: number,
  bLow: number,
  bHigh: number,
  put: (low: number, high: number) => void,
): void {
  const cross = multiplyHighUnsigned(aLow, bHigh);
  const other = multiplyHighUnsigned(aHigh, bLow);
  // Column sums are below 2^34, exact as numbers.
  const second =
    (multiplyHighUnsigned(aLow, bLow) >>> 0) +
    (Math.imul(aLow, bHigh) >>> 0) +
    (Math.imul(aHigh, bLow) >>> 0);
  const third =
    (Math.imul(aHigh, bHigh) >>> 0) + (cross >>> 0) + (other >>> 0) + Math.floor(second / 0x1_0000_0000);
  const fourth = multiplyHighUnsigned(aHigh, bHigh) + Math.floor(third / 0x1_0000_0000);
  put(third | 0, fourth | 0);
}
