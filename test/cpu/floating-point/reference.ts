/**
 * A second opinion on floating-point results, which shares nothing with the machine: values are exact fractions of big integers, or
 * square roots of such, and rounding is a division that leaves one bit more than the format has.
 */

/** n / d * 2^e, the denominator positive. */
export interface Fraction {
  readonly n: bigint;
  readonly d: bigint;
  readonly e: number;
}

/** A positive real number. */
export interface Real {
  /** The greatest power of two that is not above it. */
  readonly exponent: number;
  /** How often 2^unit goes into it, and whether nothing is left then. */
  in(unit: number): { count: bigint; exact: boolean };
}

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

const times = (a: Fraction, b: Fraction): Fraction => ({ n: a.n * b.n, d: a.d * b.d, e: a.e + b.e });
const plus = (a: Fraction, b: Fraction): Fraction => {
  const e = Math.min(a.e, b.e);
  const [x, y] = [a, b].map((value) => value.n << BigInt(value.e - e));
  return { n: x * b.d + y * a.d, d: a.d * b.d, e };
};
const sign = (value: bigint) => (value > 0n ? 1 : value < 0n ? -1 : 0);

export const fractions = {
  times,
  plus,
  of: (integer: bigint): Fraction => ({ n: integer, d: 1n, e: 0 }),
  minus: (a: Fraction): Fraction => ({ ...a, n: -a.n }),
  over: (a: Fraction, b: Fraction): Fraction => {
    const [n, d] = b.n < 0n ? [-a.n, -b.n] : [a.n, b.n];
    return { n: n * b.d, d: a.d * d, e: a.e - b.e };
  },
};

/** n and d of a fraction in units of 2^unit. */
function scaled({ n, d, e }: Fraction, unit: number): { n: bigint; d: bigint } {
  const by = e - unit;
  return by >= 0 ? { n: n << BigInt(by), d } : { n, d: d << BigInt(-by) };
}

function bitLength(value: bigint): number {
  const digits = value.toString(16);
  return 4 * digits.length - Math.clz32(Number.parseInt(digits[0], 16)) + 28;
}

/** The greatest power of two that is not above a positive fraction. */
function exponentOf(value: Fraction): number {
  const guess = bitLength(value.n) - bitLength(value.d) + value.e;
  const { n, d } = scaled(value, guess);
  return n < d ? guess - 1 : guess;
}

/** The magnitude of a fraction as a real. */
export function magnitude(value: Fraction): Real {
  const positive = value.n < 0n ? fractions.minus(value) : value;
  return {
    exponent: exponentOf(positive),
    in: (unit) => {
      const { n, d } = scaled(positive, unit);
      const count = n / d;
      return { count, exact: count * d === n };
    },
  };
}

/** The greatest integer whose square is not above `value`, by Newton's method from above. */
function integerRoot(value: bigint): bigint {
  if (value === 0n) return 0n;
  let root = 1n << BigInt((bitLength(value) + 1) >> 1);
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** The square root of a positive fraction. */
export function rootOf(value: Fraction): Real {
  return {
    exponent: Math.floor(exponentOf(value) / 2),
    in: (unit) => {
      const { n, d } = scaled(value, 2 * unit);
      const count = integerRoot(n / d);
      return { count, exact: count * count * d === n };
    },
  };
}

/** The format's number of an index: they are counted from zero in ascending order, with exponents beyond emax too. */
function numberAt(index: bigint, { p, emin }: FormatUnderTest): Fraction {
  const hidden = 1n << BigInt(p - 1);
  const e = Number(index >> BigInt(p - 1));
  const fraction = index & (hidden - 1n);
  const integer = e === 0 ? fraction : fraction + hidden;
  return { n: integer, d: 1n, e: Math.max(e, 1) - 1 + emin - (p - 1) };
}

/** The index of what a real is rounded to. */
function choose(real: Real, negative: boolean, { p, emin }: FormatUnderTest, rn: number) {
  const exponent = Math.max(real.exponent, emin);
  const { count, exact } = real.in(exponent - p);
  const below = count >> 1n;
  const index = (BigInt(exponent - emin) << BigInt(p - 1)) + below;
  const half = (count & 1n) === 1n;
  if (exact && !half) return { index, inexact: false, up: false };
  const odd = (below & 1n) === 1n;
  const up =
    rn === 0
      ? half && (!exact || odd)
      : rn === NEAREST_AWAY
        ? half
        : rn === TO_ODD
          ? !odd
          : rn === 1
            ? false
            : (rn === 3) === negative;
  return { index: up ? index + 1n : index, inexact: true, up };
}

/**
 * Bits of a number of this magnitude, which is one of the format exactly. Beyond the greatest exponent, which only single results
 * with an enabled overflow of operands that are no singles have (undefined in the manual), the exponent wraps.
 */
export function encode(negative: boolean, value: Fraction, format: FormatUnderTest = BINARY64): bigint {
  const top = 1n << BigInt(format.width - 1);
  if (value.n === 0n) return negative ? top : 0n;
  const { index } = choose(magnitude(value), false, format, 1);
  return (index & (top - 1n)) | (negative ? top : 0n);
}

const infinityIndex = ({ emin, emax, p }: FormatUnderTest) => BigInt(emax - emin + 2) << BigInt(p - 1);

/** Bits in one format of a value that both have; of a NaN the upper fraction bits. */
export function reencode(bits: bigint, from: FormatUnderTest, to: FormatUnderTest): bigint {
  const value = operand(bits, from);
  const negative = bits >> BigInt(from.width - 1) === 1n;
  const top = negative ? 1n << BigInt(to.width - 1) : 0n;
  if (value.kind === "number") return encode(negative, value.value, to);
  if (value.kind === "infinity") return infinityIndex(to) | top;
  const fraction = bits & ((1n << BigInt(from.p - 1)) - 1n);
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
  const moved = (by: number): Real => ({
    exponent: real.exponent + by,
    in: (unit) => real.in(unit - by),
  });
  const wrapped = (by: number) => {
    // The precision is the format's, the exponent what it comes to.
    const unbounded = { ...format, emin: 4 * format.emin - 4000 };
    const { index, inexact, up } = choose(moved(by), negative, unbounded, rn);
    return { bits: encode(negative, numberAt(index, unbounded), encoding), inexact, roundedUp: up };
  };
  const tiny = real.exponent < format.emin;
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
  const index = bits & (top - 1n);
  const infinity = infinityIndex(format);
  if (index > infinity) {
    return { kind: "nan", signalling: (index & (1n << BigInt(format.p - 2))) === 0n };
  }
  if (index === infinity) return { kind: "infinity", negative };
  const value = numberAt(index, format);
  return { kind: "number", negative, value: negative ? fractions.minus(value) : value };
}

const floorDivide = (n: bigint, d: bigint) => (n >= 0n ? n / d : -((-n + d - 1n) / d));

/** The integer that a rounding mode gives for a fraction; mode 4 is to nearest, ties away from zero. */
export function roundToInteger(value: Fraction, mode: number): bigint {
  const { n, d } = scaled(value, 0);
  const floor = floorDivide(n, d);
  const rest = n - floor * d;
  if (rest === 0n) return floor;
  const ceiling = floor + 1n;
  const toZero = n < 0n ? ceiling : floor;
  const half = sign(2n * rest - d);
  if (mode === 1) return toZero;
  if (mode === 2) return ceiling;
  if (mode === 3) return floor;
  if (half !== 0) return half > 0 ? ceiling : floor;
  if (mode === 4) return toZero === floor ? ceiling : floor;
  return floor % 2n === 0n ? floor : ceiling;
}
