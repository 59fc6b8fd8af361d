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
  /** Bits of the encoding. */
  readonly width: number;
  readonly p: number;
  readonly emin: number;
  readonly emax: number;
  readonly wrap: number;
}
const binary = (width: number, p: number): FormatUnderTest => {
  const emax = 2 ** (width - p - 1) - 1;
  return { width, p, emin: 1 - emax, emax, wrap: 1.5 * (emax + 1) };
};
export const BINARY16 = binary(16, 11);
export const BRAIN16 = binary(16, 8);
export const BINARY32 = binary(32, 24);
export const BINARY64 = binary(64, 53);
export const BINARY128 = binary(128, 113);
/** The x87 format's precision in the exponents of quadruple precision. */
export const EXTENDED: FormatUnderTest = { ...BINARY128, p: 64 };

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
  let high = BigInt(Math.max(8192, 4 * (format.emax - format.emin))) << BigInt(format.p - 1);
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
    rn === 0
      ? half > 0 || (half === 0 && low % 2n === 1n)
      : rn === NEAREST_AWAY
        ? half >= 0
        : rn === TO_ODD
          ? low % 2n === 0n
          : rn === 1
            ? false
            : (rn === 3) === negative;
  return { index: up ? low + 1n : low, inexact: true, up };
}

/**
 * Bits of a number of this magnitude, which is one of the format exactly. Beyond the greatest exponent, which only single results
 * with an enabled overflow of operands that are no singles have (undefined in the manual), the exponent wraps.
 */
export function encode(negative: boolean, value: Fraction, format: FormatUnderTest = BINARY64): bigint {
  const top = 1n << BigInt(format.width - 1);
  return (floorIndex(magnitude(value), format) % top) | (negative ? top : 0n);
}

const infinityIndex = ({ emin, emax, p }: FormatUnderTest) => BigInt(emax - emin + 2) << BigInt(p - 1);

/** Bits in one format of a value that both have; of a NaN the upper fraction bits. */
export function reencode(bits: bigint, from: FormatUnderTest, to: FormatUnderTest): bigint {
  const value = operand(bits, from);
  const negative = bits >> BigInt(from.width - 1) === 1n;
  const top = negative ? 1n << BigInt(to.width - 1) : 0n;
  if (value.kind === "number") return encode(negative, value.value, to);
  if (value.kind === "infinity") return infinityIndex(to) | top;
  const fraction = bits % (1n << BigInt(from.p - 1));
  const moved = to.p >= from.p ? fraction << BigInt(to.p - from.p) : fraction >> BigInt(from.p - to.p);
  return infinityIndex(to) | top | moved;
}

/** Rounding modes beside the four of RN. */
export const NEAREST_AWAY = 4;
export const TO_ODD = 5;

/** Rounds as Power ISA 3.0B, I.4.4.3 to I.4.4.5 say; oe and ue are the enables of overflow and underflow. */
export function roundReal(
  real: Real,
  negative: boolean,
  format: FormatUnderTest,
  rn: number,
  oe: boolean,
  ue: boolean,
  encoding: FormatUnderTest = BINARY64,
): Rounded {
  const scaled =
    (by: number): Real =>
    (candidate) =>
      real(times(candidate, power(-by)));
  const wrapped = (by: number) => {
    // The precision is the format's, the exponent what it comes to.
    const unbounded = { ...format, emin: 4 * format.emin - 4000 };
    const { index, inexact, up } = choose(scaled(by), negative, unbounded, rn);
    return { bits: encode(negative, numberAt(index, unbounded), encoding), inexact, roundedUp: up };
  };
  const tiny = real(power(format.emin)) < 0;
  if (tiny && ue) return { ...wrapped(format.wrap), overflow: false, underflow: true };
  const { index, inexact, up } = choose(real, negative, format, rn);
  const beyond = infinityIndex(format);
  if (index < beyond) {
    const bits = encode(negative, numberAt(index, format), encoding);
    return { bits, inexact, roundedUp: up, overflow: false, underflow: tiny && inexact };
  }
  if (oe) return { ...wrapped(-format.wrap), overflow: true, underflow: false };
  const toInfinity = rn === 0 || rn === NEAREST_AWAY || (rn === 2 && !negative) || (rn === 3 && negative);
  const infinity = infinityIndex(encoding) | (negative ? 1n << BigInt(encoding.width - 1) : 0n);
  const bits = toInfinity ? infinity : encode(negative, numberAt(beyond - 1n, format), encoding);
  return { bits, inexact: true, roundedUp: toInfinity, overflow: true, underflow: false };
}

export type Operand =
  | { kind: "number"; negative: boolean; value: Fraction }
  | { kind: "infinity"; negative: boolean }
  | { kind: "nan"; signalling: boolean };

/** What the bits of a number (a double unless said otherwise) stand for. */
export function operand(bits: bigint, format: FormatUnderTest = BINARY64): Operand {
  const top = 1n << BigInt(format.width - 1);
  const negative = bits >= top;
  const index = bits % top;
  const infinity = infinityIndex(format);
  if (index > infinity) {
    return { kind: "nan", signalling: index % (1n << BigInt(format.p - 1)) < 1n << BigInt(format.p - 2) };
  }
  if (index === infinity) return { kind: "infinity", negative };
  const value = numberAt(index, format);
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
