/**
 * A second opinion on floating-point results, which shares nothing with the machine: values are fractions of big integers, or
 * square roots known by comparison only, and rounding is a binary search among the numbers of the format.
 */

/** numerator / denominator, the denominator positive. */
export interface Fraction {
  readonly n: bigint;
  readonly d: bigint;
}

/** A positive real number: the sign of itself minus a fraction. */
export type Real = (candidate: Fraction) => number;

export interface FormatUnderTest {
  readonly p: number;
  readonly emin: number;
  readonly emax: number;
  readonly wrap: number;
}
export const BINARY64: FormatUnderTest = { p: 53, emin: -1022, emax: 1023, wrap: 1536 };
export const BINARY32: FormatUnderTest = { p: 24, emin: -126, emax: 127, wrap: 192 };

export interface Rounded {
  bits: bigint;
  inexact: boolean;
  roundedUp: boolean;
  overflow: boolean;
  underflow: boolean;
}

const power = (e: number): Fraction =>
  e >= 0 ? { n: 1n << BigInt(e), d: 1n } : { n: 1n, d: 1n << BigInt(-e) };
const times = (a: Fraction, b: Fraction): Fraction => ({ n: a.n * b.n, d: a.d * b.d });
const plus = (a: Fraction, b: Fraction): Fraction => ({ n: a.n * b.d + b.n * a.d, d: a.d * b.d });
const sign = (value: bigint) => (value > 0n ? 1 : value < 0n ? -1 : 0);

export const fractions = {
  times,
  plus,
  minus: (a: Fraction): Fraction => ({ n: -a.n, d: a.d }),
  over: (a: Fraction, b: Fraction): Fraction =>
    b.n < 0n ? { n: -a.n * b.d, d: -(a.d * b.n) } : { n: a.n * b.d, d: a.d * b.n },
};

/** The magnitude of a fraction as a real. */
export function magnitude(value: Fraction): Real {
  const n = value.n < 0n ? -value.n : value.n;
  return (candidate) => sign(n * candidate.d - candidate.n * value.d);
}

/** The square root of a positive fraction. */
export function rootOf(value: Fraction): Real {
  return (c) => sign(value.n * c.d * c.d - c.n * c.n * value.d);
}

/** Number `index` of the format's non-negative numbers in ascending order, with exponents beyond emax allowed. */
function numberAt(index: bigint, { p, emin }: FormatUnderTest): Fraction {
  const hidden = 1n << BigInt(p - 1);
  const e = Number(index / hidden);
  const fraction = index % hidden;
  const integer = e === 0 ? fraction : fraction + hidden;
  return times({ n: integer, d: 1n }, power(Math.max(e, 1) - 1 + emin - (p - 1)));
}

/** Index of the greatest number of the format that is not above the real. */
function floorIndex(real: Real, format: FormatUnderTest): bigint {
  let low = 0n;
  let high = 8192n << BigInt(format.p - 1);
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (real(numberAt(middle, format)) >= 0) low = middle;
    else high = middle;
  }
  return low;
}

function choose(real: Real, negative: boolean, format: FormatUnderTest, rn: number) {
  const low = floorIndex(real, format);
  const below = numberAt(low, format);
  if (real(below) === 0) return { index: low, inexact: false, up: false };
  const above = numberAt(low + 1n, format);
  const half = real(times(plus(below, above), power(-1)));
  const up =
    rn === 0 ? half > 0 || (half === 0 && low % 2n === 1n) : rn === 1 ? false : (rn === 3) === negative;
  return { index: up ? low + 1n : low, inexact: true, up };
}

/**
 * Bits of a double of this magnitude, which is one exactly. Beyond the greatest exponent, which only single results with an
 * enabled overflow of operands that are no singles have (undefined in the manual), the exponent wraps.
 */
export function doubleBits(negative: boolean, value: Fraction): bigint {
  return (floorIndex(magnitude(value), BINARY64) % (1n << 63n)) | (negative ? 1n << 63n : 0n);
}

/** Rounds as Power ISA 3.0B, I.4.4.3 to I.4.4.5 say; oe and ue are the enables of overflow and underflow. */
export function roundReal(
  real: Real,
  negative: boolean,
  format: FormatUnderTest,
  rn: number,
  oe: boolean,
  ue: boolean,
): Rounded {
  const scaled =
    (by: number): Real =>
    (candidate) =>
      real(times(candidate, power(-by)));
  const wrapped = (by: number) => {
    // The precision is the format's, the exponent what it comes to.
    const unbounded = { ...format, emin: -4000 };
    const { index, inexact, up } = choose(scaled(by), negative, unbounded, rn);
    return { bits: doubleBits(negative, numberAt(index, unbounded)), inexact, roundedUp: up };
  };
  const tiny = real(power(format.emin)) < 0;
  if (tiny && ue) return { ...wrapped(format.wrap), overflow: false, underflow: true };
  const { index, inexact, up } = choose(real, negative, format, rn);
  const beyond = BigInt(format.emax - format.emin + 2) << BigInt(format.p - 1);
  if (index < beyond) {
    const bits = doubleBits(negative, numberAt(index, format));
    return { bits, inexact, roundedUp: up, overflow: false, underflow: tiny && inexact };
  }
  if (oe) return { ...wrapped(-format.wrap), overflow: true, underflow: false };
  const toInfinity = rn === 0 || (rn === 2 && !negative) || (rn === 3 && negative);
  const infinity = 0x7ff0_0000_0000_0000n | (negative ? 1n << 63n : 0n);
  const bits = toInfinity ? infinity : doubleBits(negative, numberAt(beyond - 1n, format));
  return { bits, inexact: true, roundedUp: toInfinity, overflow: true, underflow: false };
}

export type Operand =
  | { kind: "number"; negative: boolean; value: Fraction }
  | { kind: "infinity"; negative: boolean }
  | { kind: "nan"; signalling: boolean };

/** What the 64 bits of a double stand for. */
export function operand(bits: bigint): Operand {
  const negative = bits >= 1n << 63n;
  const index = bits % (1n << 63n);
  const infinity = 2047n * 2n ** 52n;
  if (index > infinity) return { kind: "nan", signalling: index % 2n ** 52n < 2n ** 51n };
  if (index === infinity) return { kind: "infinity", negative };
  const value = numberAt(index, BINARY64);
  return { kind: "number", negative, value: negative ? { n: -value.n, d: value.d } : value };
}

const floorDivide = (n: bigint, d: bigint) => (n >= 0n ? n / d : -((-n + d - 1n) / d));

/** The integer that a rounding mode gives for a fraction; mode 4 is to nearest, ties away from zero. */
export function roundToInteger(value: Fraction, mode: number): bigint {
  const floor = floorDivide(value.n, value.d);
  const rest = value.n - floor * value.d;
  if (rest === 0n) return floor;
  const ceiling = floor + 1n;
  const toZero = value.n < 0n ? ceiling : floor;
  const half = sign(2n * rest - value.d);
  if (mode === 1) return toZero;
  if (mode === 2) return ceiling;
  if (mode === 3) return floor;
  if (half !== 0) return half > 0 ? ceiling : floor;
  if (mode === 4) return toZero === floor ? ceiling : floor;
  return floor % 2n === 0n ? floor : ceiling;
}
