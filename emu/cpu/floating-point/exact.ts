/**
 * Exact arithmetic on binary floating-point values, in integers: sums and products as they are, quotients and roots cut where
 * nothing that follows can change a rounding, and the one rounding of a significand that all formats and modes share.
 */

/** The value (-1)^sign * significand * 2^exponent. */
export interface Exact {
  readonly sign: bigint;
  readonly significand: bigint;
  readonly exponent: number;
}

/**
 * RN (Power ISA 3.0B, I.4.3.6: 0 to nearest, ties to even, 1 toward zero, 2 toward +infinity, 3 toward -infinity), and two that
 * instructions bring themselves: 4 to nearest with ties away from zero (frin), 5 to odd (xsaddqpo), 6 away from zero (xsrqpi).
 */
export type RoundingMode = 0 | 1 | 2 | 3 | 4 | 5 | 6;
export const TOWARD_ZERO = 1;
export const TOWARD_MINUS = 3;
export const NEAREST_AWAY = 4;
export const TO_ODD = 5;
export const AWAY = 6;

/** The number of bits of a non-negative integer. */
export function bitLength(value: bigint): number {
  if (value === 0n) return 0;
  const digits = value.toString(16);
  return 4 * digits.length - Math.clz32(Number.parseInt(digits[0], 16)) + 28;
}

/** How an integer was rounded. */
export type Rounded = "exact" | "down" | "up";

/** The significand divided by 2^shift and rounded to an integer; "up" is away from zero. */
export function roundShift(
  { sign, significand }: Exact,
  shift: number,
  mode: RoundingMode,
): { integer: bigint; rounded: Rounded } {
  if (shift <= 0) return { integer: significand << BigInt(-shift), rounded: "exact" };
  const integer = significand >> BigInt(shift);
  const rest = significand - (integer << BigInt(shift));
  if (rest === 0n) return { integer, rounded: "exact" };
  const half = 1n << BigInt(shift - 1);
  const isOdd = (integer & 1n) === 1n;
  const up =
    mode === 0
      ? rest > half || (rest === half && isOdd)
      : mode === NEAREST_AWAY
        ? rest >= half
        : mode === TO_ODD
          ? !isOdd
          : mode === AWAY || mode === (sign === 0n ? 2 : 3);
  return up ? { integer: integer + 1n, rounded: "up" } : { integer, rounded: "down" };
}

/** a * b. */
export const multiplyExact = (a: Exact, b: Exact): Exact => ({
  sign: a.sign ^ b.sign,
  significand: a.significand * b.significand,
  exponent: a.exponent + b.exponent,
});

/** a + b. Zeros of one sign keep it; another zero sum is positive, except toward -infinity: I.4.3.3. */
export function addExact(a: Exact, b: Exact, mode: RoundingMode): Exact {
  const exponent = Math.min(a.exponent, b.exponent);
  const aligned = ({ sign, significand, exponent: e }: Exact) =>
    (sign === 0n ? significand : -significand) << BigInt(e - exponent);
  const sum = aligned(a) + aligned(b);
  if (sum !== 0n) return { sign: sum < 0n ? 1n : 0n, significand: sum < 0n ? -sum : sum, exponent };
  const sign = a.sign === b.sign ? a.sign : mode === TOWARD_MINUS ? 1n : 0n;
  return { sign, significand: 0n, exponent };
}

/**
 * a / b of non-zero significands of at most `precision` bits, cut: the last bit also stands for all that follow, and comes well
 * after those that `precision` keeps.
 */
export function divideExact(a: Exact, b: Exact, precision: number): Exact {
  const shift = 2 * precision + 10;
  const dividend = a.significand << BigInt(shift);
  const quotient = dividend / b.significand;
  const sticky = quotient * b.significand === dividend ? 0n : 1n;
  return {
    sign: a.sign ^ b.sign,
    significand: quotient | sticky,
    exponent: a.exponent - b.exponent - shift,
  };
}

/** The square root of a positive value, cut in the same way. */
export function squareRootExact({ significand, exponent }: Exact, precision: number): Exact {
  const shift = 2 * precision + 14 + (exponent & 1);
  const radicand = significand << BigInt(shift);
  const root = integerSquareRoot(radicand);
  const sticky = root * root === radicand ? 0n : 1n;
  return { sign: 0n, significand: root | sticky, exponent: (exponent - shift) / 2 };
}

/** The greatest integer whose square is not above `value`: Newton's method from above. */
function integerSquareRoot(value: bigint): bigint {
  let root = 1n << BigInt((bitLength(value) + 1) >> 1);
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}
