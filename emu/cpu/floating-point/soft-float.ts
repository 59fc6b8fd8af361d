/**
 * The floating-point arithmetic of Power ISA 3.0B, I.4.3 to I.4.6, in integers: exact intermediate results, rounded
 * once. It is the reference that the handlers' fast paths are tested against, and what they fall back to.
 *
 * Operands and results are the 64 bits of the double format, which holds single results as well. `control` is the FPSCR:
 * its RN, OE and UE bits count. `flags` of a result are FPSCR bits: FI, FR and the exceptions that occurred. What an
 * enabled invalid operation or zero divide does to the target is the caller's matter.
 */
import {
  FI,
  FR,
  OE,
  OX,
  RN,
  UE,
  UX,
  VXCVI,
  VXIDI,
  VXIMZ,
  VXISI,
  VXSNAN,
  VXSQRT,
  VXZDZ,
  XX,
  ZX,
} from "./fpscr.ts";

/** A format to round to; `adjust` is added to or subtracted from the exponent by enabled underflow and overflow. */
export interface Format {
  readonly precision: number;
  readonly emin: number;
  readonly emax: number;
  readonly adjust: number;
}
export const DOUBLE: Format = { precision: 53, emin: -1022, emax: 1023, adjust: 1536 };
export const SINGLE: Format = { precision: 24, emin: -126, emax: 127, adjust: 192 };

export interface Result {
  readonly bits: bigint;
  readonly flags: number;
}

/** RN, and 4 for to nearest with ties away from zero (frin). */
export type RoundingMode = 0 | 1 | 2 | 3 | 4;

const SIGN = 1n << 63n;
const INFINITY = 0x7ffn << 52n;
const QUIET = 1n << 51n;
const FRACTION = (1n << 52n) - 1n;
const DEFAULT_NAN = 0x7ff8_0000_0000_0000n;

/** The value (-1)^sign * significand * 2^exponent. */
interface Exact {
  readonly sign: bigint;
  readonly significand: bigint;
  readonly exponent: number;
}

export const isNan = (bits: bigint) => (bits & ~SIGN) > INFINITY;
const isSignalling = (bits: bigint) => isNan(bits) && (bits & QUIET) === 0n;
const isInfinity = (bits: bigint) => (bits & ~SIGN) === INFINITY;
const isZero = (bits: bigint) => (bits & ~SIGN) === 0n;

function unpack(bits: bigint): Exact {
  const biased = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & FRACTION;
  return {
    sign: bits >> 63n,
    significand: biased === 0 ? fraction : fraction | (1n << 52n),
    exponent: (biased === 0 ? 1 : biased) - 1075,
  };
}

const bitLength = (value: bigint) => (value === 0n ? 0 : value.toString(2).length);

/** The double with this value, whose significand has at most 53 bits; the exponent wraps beyond the format's range. */
function pack({ sign, significand, exponent }: Exact): bigint {
  const length = bitLength(significand);
  const e = length - 1 + exponent;
  const bits =
    significand === 0n
      ? 0n
      : e < -1022
        ? significand << BigInt(exponent + 1074)
        : (BigInt((e + 1023) & 0x7ff) << 52n) | ((significand << BigInt(53 - length)) & FRACTION);
  return (sign << 63n) | bits;
}

/** The significand divided by 2^shift and rounded to an integer. */
function roundShift(value: Exact, shift: number, mode: RoundingMode): { integer: bigint; flags: number } {
  if (shift <= 0) return { integer: value.significand << BigInt(-shift), flags: 0 };
  const integer = value.significand >> BigInt(shift);
  const rest = value.significand - (integer << BigInt(shift));
  if (rest === 0n) return { integer, flags: 0 };
  const half = 1n << BigInt(shift - 1);
  const up =
    mode === 0
      ? rest > half || (rest === half && (integer & 1n) === 1n)
      : mode === 4
        ? rest >= half
        : mode === (value.sign === 0n ? 2 : 3);
  return up ? { integer: integer + 1n, flags: XX | FI | FR } : { integer, flags: XX | FI };
}

/** Rounds a non-zero value: Power ISA 3.0B, I.4.3.6, with overflow and underflow as in I.4.4.3 and I.4.4.4. */
function round(value: Exact, format: Format, control: number): Result {
  const { precision, emin, emax, adjust } = format;
  const mode = (control & RN) as RoundingMode;
  const { sign } = value;
  const leading = bitLength(value.significand) - 1 + value.exponent;
  const tiny = leading < emin;
  const last = (tiny && !(control & UE) ? emin : leading) - (precision - 1);
  let { integer, flags } = roundShift(value, last - value.exponent, mode);
  let exponent = last;
  if (tiny && control & UE) {
    flags |= UX;
    exponent += adjust;
  } else if (tiny && flags & XX) {
    flags |= UX;
  } else if (bitLength(integer) - 1 + last > emax) {
    flags |= OX;
    if (control & OE) {
      exponent -= adjust;
    } else {
      flags = OX | XX | FI;
      if (mode === 0 || mode === (sign === 0n ? 2 : 3)) {
        return { bits: (sign << 63n) | INFINITY, flags: flags | FR };
      }
      integer = (1n << BigInt(precision)) - 1n;
      exponent = emax - (precision - 1);
    }
  }
  return { bits: pack({ sign, significand: integer, exponent }), flags };
}

/**
 * The result when an operand is a NaN: the first one, quieted (Power ISA 3.0B, I.4.3.2). `operands` are FRA, FRB, FRC in this
 * order. Undefined when none is.
 */
function propagate(operands: readonly bigint[], flags = 0): Result | undefined {
  const first = operands.find(isNan);
  if (first === undefined) return undefined;
  return { bits: first | QUIET, flags: flags | (operands.some(isSignalling) ? VXSNAN : 0) };
}

const invalid = (flags: number): Result => ({ bits: DEFAULT_NAN, flags });
const infinity = (sign: bigint, flags = 0): Result => ({ bits: (sign << 63n) | INFINITY, flags });
const zero = (sign: bigint): Result => ({ bits: sign << 63n, flags: 0 });

const multiplyExact = (a: Exact, b: Exact): Exact => ({
  sign: a.sign ^ b.sign,
  significand: a.significand * b.significand,
  exponent: a.exponent + b.exponent,
});

function addExact(a: Exact, b: Exact, control: number): Exact {
  const exponent = Math.min(a.exponent, b.exponent);
  const aligned = ({ sign, significand, exponent: e }: Exact) =>
    (sign === 0n ? significand : -significand) << BigInt(e - exponent);
  const sum = aligned(a) + aligned(b);
  if (sum !== 0n) return { sign: sum < 0n ? 1n : 0n, significand: sum < 0n ? -sum : sum, exponent };
  // I.4.3.3: zeros of one sign keep it; otherwise a zero sum is positive except toward -infinity.
  const sign = a.sign === b.sign ? a.sign : (control & RN) === 3 ? 1n : 0n;
  return { sign, significand: 0n, exponent };
}

const finish = (value: Exact, format: Format, control: number): Result =>
  value.significand === 0n ? zero(value.sign) : round(value, format, control);

/** a + b, or a - b where `subtract`: a NaN is propagated with its sign as it is. */
export function add(a: bigint, b: bigint, subtract: boolean, format: Format, control: number): Result {
  const nan = propagate([a, b]);
  if (nan !== undefined) return nan;
  if (subtract) b ^= SIGN;
  if (isInfinity(a)) return isInfinity(b) && a !== b ? invalid(VXISI) : infinity(a >> 63n);
  if (isInfinity(b)) return infinity(b >> 63n);
  return finish(addExact(unpack(a), unpack(b), control), format, control);
}

/** a * c. */
export function multiply(a: bigint, c: bigint, format: Format, control: number): Result {
  const nan = propagate([a, c]);
  if (nan !== undefined) return nan;
  if (isInfinity(a) || isInfinity(c)) {
    return isZero(a) || isZero(c) ? invalid(VXIMZ) : infinity((a ^ c) >> 63n);
  }
  return finish(multiplyExact(unpack(a), unpack(c)), format, control);
}

/** Which member of the multiply-add family: the addend subtracted, the rounded result negated. */
export interface FusedKind {
  readonly subtract: boolean;
  readonly negate: boolean;
}

/** a * c + b with one rounding. */
export function multiplyAdd(
  a: bigint,
  c: bigint,
  b: bigint,
  kind: FusedKind,
  format: Format,
  control: number,
): Result {
  const noProduct = (isInfinity(a) && isZero(c)) || (isZero(a) && isInfinity(c));
  const nan = propagate([a, b, c], noProduct ? VXIMZ : 0);
  if (nan !== undefined) return nan;
  if (noProduct) return invalid(VXIMZ);
  if (kind.subtract) b ^= SIGN;
  const sum = sumOfProduct(a, c, b, format, control);
  return kind.negate && !isNan(sum.bits) ? { bits: sum.bits ^ SIGN, flags: sum.flags } : sum;
}

function sumOfProduct(a: bigint, c: bigint, b: bigint, format: Format, control: number): Result {
  const sign = (a ^ c) >> 63n;
  if (isInfinity(a) || isInfinity(c)) {
    return isInfinity(b) && b >> 63n !== sign ? invalid(VXISI) : infinity(sign);
  }
  if (isInfinity(b)) return infinity(b >> 63n);
  return finish(addExact(multiplyExact(unpack(a), unpack(c)), unpack(b), control), format, control);
}

/** a / b. */
export function divide(a: bigint, b: bigint, format: Format, control: number): Result {
  const nan = propagate([a, b]);
  if (nan !== undefined) return nan;
  const sign = (a ^ b) >> 63n;
  if (isInfinity(a)) return isInfinity(b) ? invalid(VXIDI) : infinity(sign);
  if (isInfinity(b)) return zero(sign);
  if (isZero(b)) return isZero(a) ? invalid(VXZDZ) : infinity(sign, ZX);
  if (isZero(a)) return zero(sign);
  const x = unpack(a);
  const y = unpack(b);
  // At least 63 bits of quotient; the last one also stands for all that follow.
  const shift = 116;
  const dividend = x.significand << BigInt(shift);
  const quotient = dividend / y.significand;
  const sticky = quotient * y.significand === dividend ? 0n : 1n;
  const exponent = x.exponent - y.exponent - shift;
  return round({ sign, significand: quotient | sticky, exponent }, format, control);
}

/** The square root of b. */
export function squareRoot(b: bigint, format: Format, control: number): Result {
  const nan = propagate([b]);
  if (nan !== undefined) return nan;
  if (isZero(b)) return { bits: b, flags: 0 };
  if (b >> 63n !== 0n) return invalid(VXSQRT);
  if (isInfinity(b)) return { bits: b, flags: 0 };
  const { significand, exponent } = unpack(b);
  const shift = 120 + (exponent & 1);
  const radicand = significand << BigInt(shift);
  const root = integerSquareRoot(radicand);
  const sticky = root * root === radicand ? 0n : 1n;
  return round({ sign: 0n, significand: root | sticky, exponent: (exponent - shift) / 2 }, format, control);
}

function integerSquareRoot(value: bigint): bigint {
  let root = 1n << BigInt((bitLength(value) + 1) >> 1);
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** b rounded to the format (frsp): a NaN keeps only the fraction bits that the single format has. */
export function roundToFormat(b: bigint, format: Format, control: number): Result {
  const nan = propagate([b]);
  if (nan !== undefined) {
    return { bits: nan.bits & -(1n << BigInt(53 - format.precision)), flags: nan.flags };
  }
  if (isInfinity(b) || isZero(b)) return { bits: b, flags: 0 };
  return round(unpack(b), format, control);
}

/** b rounded to an integral value in the double format; exceptions are those of a signalling NaN only. */
export function roundToIntegral(b: bigint, mode: RoundingMode): Result {
  const nan = propagate([b]);
  if (nan !== undefined) return nan;
  const value = unpack(b);
  if (isInfinity(b) || value.exponent >= 0) return { bits: b, flags: 0 };
  const { integer } = roundShift(value, -value.exponent, mode);
  return { bits: pack({ sign: value.sign, significand: integer, exponent: 0 }), flags: 0 };
}

/** An integer that conversions go to or come from. */
export interface IntegerFormat {
  readonly width: 32 | 64;
  readonly signed: boolean;
}

/** b as an integer of the format, saturated; VXCVI where that does not hold the rounded value, or b is a NaN. */
export function toInteger(
  b: bigint,
  format: IntegerFormat,
  mode: RoundingMode,
): { value: bigint; flags: number } {
  const { width, signed } = format;
  const least = signed ? -(1n << BigInt(width - 1)) : 0n;
  const greatest = (1n << BigInt(signed ? width - 1 : width)) - 1n;
  if (isNan(b)) return { value: least, flags: VXCVI | (isSignalling(b) ? VXSNAN : 0) };
  const operand = unpack(b);
  const { integer, flags } = roundShift(operand, -operand.exponent, mode);
  const value = operand.sign === 0n ? integer : -integer;
  if (isInfinity(b) || value < least || value > greatest) {
    return { value: operand.sign === 0n ? greatest : least, flags: VXCVI };
  }
  return { value, flags };
}

/** The integer rounded to the format. */
export function fromInteger(value: bigint, format: Format, control: number): Result {
  if (value === 0n) return zero(0n);
  const sign = value < 0n ? 1n : 0n;
  return round({ sign, significand: sign === 0n ? value : -value, exponent: 0 }, format, control);
}
