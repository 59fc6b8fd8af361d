/**
 * The floating-point arithmetic of Power ISA 3.0B, I.4.3 to I.4.6 and I.7.3 to I.7.6, in integers: exact intermediate results,
 * rounded once. It is what the handlers fall back to where f64 arithmetic does not tell the whole result.
 *
 * Operands and results are bits in the encoding of the format. `control` is the FPSCR: its RN, OE and UE bits count, and
 * where an instruction brings its own rounding mode, that is given besides. `flags` of a result are FPSCR bits: FI, FR and the
 * exceptions that occurred. What an enabled invalid operation or zero divide does to the target is the caller's matter.
 */
import {
  addExact,
  bitLength,
  divideExact,
  type Exact,
  multiplyExact,
  NEAREST_AWAY,
  type Rounded,
  type RoundingMode,
  roundShift,
  squareRootExact,
} from "./exact.ts";
import type { Encoding, Format } from "./formats.ts";
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

export interface Result {
  readonly bits: bigint;
  readonly flags: number;
}

const rn = (control: number) => (control & RN) as RoundingMode;

const ROUNDED_FLAGS: Record<Rounded, number> = { exact: 0, down: XX | FI, up: XX | FI | FR };

/** Rounds a non-zero value: I.4.3.6, with overflow and underflow as in I.4.4.3 and I.4.4.4. */
function round(value: Exact, format: Format, control: number, mode: RoundingMode): Result {
  const { encoding, precision, emin, emax, adjust } = format;
  const { sign } = value;
  const leading = bitLength(value.significand) - 1 + value.exponent;
  const tiny = leading < emin;
  const last = (tiny && !(control & UE) ? emin : leading) - (precision - 1);
  let { integer, rounded } = roundShift(value, last - value.exponent, mode);
  let flags = ROUNDED_FLAGS[rounded];
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
      if (mode === 0 || mode === NEAREST_AWAY || mode === (sign === 0n ? 2 : 3)) {
        return { bits: encoding.signed(sign, encoding.infinity), flags: flags | FR };
      }
      integer = (1n << BigInt(precision)) - 1n;
      exponent = emax - (precision - 1);
    }
  }
  return { bits: encoding.pack({ sign, significand: integer, exponent }), flags };
}

const finish = (value: Exact, format: Format, control: number, mode: RoundingMode): Result =>
  value.significand === 0n ? zero(value.sign, format) : round(value, format, control, mode);

/**
 * The result when an operand is a NaN: the first one, quieted (I.4.3.2), and cut to the format's precision, as recorded outputs
 * of POWER processors and qemu-user show it for fadds (the manual says so of frsp only). `operands` are FRA, FRB, FRC in this
 * order. Undefined when none is.
 */
function propagate(
  { encoding, precision }: Format,
  operands: readonly bigint[],
  flags = 0,
): Result | undefined {
  const first = operands.find((bits) => encoding.isNan(bits));
  if (first === undefined) return undefined;
  const signalling = operands.some((bits) => encoding.isSignalling(bits));
  const kept = -(1n << BigInt(encoding.precision - precision));
  return { bits: (first | encoding.quiet) & kept, flags: flags | (signalling ? VXSNAN : 0) };
}

const invalid = (flags: number, { encoding }: Format): Result => ({ bits: encoding.defaultNan, flags });
const infinity = (sign: bigint, { encoding }: Format, flags = 0): Result => ({
  bits: encoding.signed(sign, encoding.infinity),
  flags,
});
const zero = (sign: bigint, { encoding }: Format): Result => ({ bits: encoding.signed(sign, 0n), flags: 0 });

/** a + b, or a - b where `subtract`: a NaN is propagated with its sign as it is. */
export function add(
  a: bigint,
  b: bigint,
  subtract: boolean,
  format: Format,
  control: number,
  mode = rn(control),
): Result {
  const { encoding } = format;
  const nan = propagate(format, [a, b]);
  if (nan !== undefined) return nan;
  if (subtract) b ^= encoding.sign;
  if (encoding.isInfinity(a)) {
    return encoding.isInfinity(b) && a !== b ? invalid(VXISI, format) : { bits: a, flags: 0 };
  }
  if (encoding.isInfinity(b)) return { bits: b, flags: 0 };
  return finish(addExact(encoding.unpack(a), encoding.unpack(b), mode), format, control, mode);
}

/** a * c. */
export function multiply(a: bigint, c: bigint, format: Format, control: number, mode = rn(control)): Result {
  const { encoding } = format;
  const nan = propagate(format, [a, c]);
  if (nan !== undefined) return nan;
  if (encoding.isInfinity(a) || encoding.isInfinity(c)) {
    if (encoding.isZero(a) || encoding.isZero(c)) return invalid(VXIMZ, format);
    return infinity(encoding.signOf(a ^ c), format);
  }
  return finish(multiplyExact(encoding.unpack(a), encoding.unpack(c)), format, control, mode);
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
  mode = rn(control),
): Result {
  const { encoding } = format;
  const noProduct =
    (encoding.isInfinity(a) && encoding.isZero(c)) || (encoding.isZero(a) && encoding.isInfinity(c));
  const nan = propagate(format, [a, b, c], noProduct ? VXIMZ : 0);
  if (nan !== undefined) return nan;
  if (noProduct) return invalid(VXIMZ, format);
  const sum = sumOfProduct(a, c, kind.subtract ? b ^ encoding.sign : b, format, control, mode);
  return kind.negate && !encoding.isNan(sum.bits)
    ? { bits: sum.bits ^ encoding.sign, flags: sum.flags }
    : sum;
}

function sumOfProduct(
  a: bigint,
  c: bigint,
  b: bigint,
  format: Format,
  control: number,
  mode: RoundingMode,
): Result {
  const { encoding } = format;
  const sign = encoding.signOf(a ^ c);
  if (encoding.isInfinity(a) || encoding.isInfinity(c)) {
    const opposed = encoding.isInfinity(b) && encoding.signOf(b) !== sign;
    return opposed ? invalid(VXISI, format) : infinity(sign, format);
  }
  if (encoding.isInfinity(b)) return { bits: b, flags: 0 };
  const product = multiplyExact(encoding.unpack(a), encoding.unpack(c));
  return finish(addExact(product, encoding.unpack(b), mode), format, control, mode);
}

/** a / b. */
export function divide(a: bigint, b: bigint, format: Format, control: number, mode = rn(control)): Result {
  const { encoding } = format;
  const nan = propagate(format, [a, b]);
  if (nan !== undefined) return nan;
  const sign = encoding.signOf(a ^ b);
  if (encoding.isInfinity(a)) return encoding.isInfinity(b) ? invalid(VXIDI, format) : infinity(sign, format);
  if (encoding.isInfinity(b)) return zero(sign, format);
  if (encoding.isZero(b)) return encoding.isZero(a) ? invalid(VXZDZ, format) : infinity(sign, format, ZX);
  if (encoding.isZero(a)) return zero(sign, format);
  const quotient = divideExact(encoding.unpack(a), encoding.unpack(b), encoding.precision);
  return round(quotient, format, control, mode);
}

/** The square root of b. */
export function squareRoot(b: bigint, format: Format, control: number, mode = rn(control)): Result {
  const { encoding } = format;
  const nan = propagate(format, [b]);
  if (nan !== undefined) return nan;
  if (encoding.isZero(b)) return { bits: b, flags: 0 };
  if (encoding.signOf(b) !== 0n) return invalid(VXSQRT, format);
  if (encoding.isInfinity(b)) return { bits: b, flags: 0 };
  return round(squareRootExact(encoding.unpack(b), encoding.precision), format, control, mode);
}

/** 1 / sqrt(b) with one rounding. */
export function reciprocalSquareRoot(b: bigint, format: Format, control: number, mode: RoundingMode): Result {
  const { encoding } = format;
  if (encoding.isZero(b)) return infinity(encoding.signOf(b), format, ZX);
  if (b === encoding.infinity) return zero(0n, format);
  if (encoding.isNan(b) || encoding.signOf(b) !== 0n) return squareRoot(b, format, control, mode);
  // Twice the bits, so that the root's own cut changes nothing.
  const precision = 4 * encoding.precision;
  const root = squareRootExact(encoding.unpack(b), precision);
  const one = { sign: 0n, significand: 1n, exponent: 0 };
  return round(divideExact(one, root, 2 * precision), format, control, mode);
}

/** b, a number of the encoding `from`, rounded to the format; of a NaN the upper fraction bits that the format has are kept. */
export function convert(
  b: bigint,
  from: Encoding,
  format: Format,
  control: number,
  mode = rn(control),
): Result {
  const { encoding, precision } = format;
  const sign = from.signOf(b);
  if (from.isNan(b)) {
    const kept = b & from.fraction & -(1n << BigInt(Math.max(from.precision - precision, 0)));
    const shift = BigInt(encoding.precision - from.precision);
    const payload = shift < 0n ? kept >> -shift : kept << shift;
    const flags = from.isSignalling(b) ? VXSNAN : 0;
    return { bits: encoding.signed(sign, encoding.defaultNan | payload), flags };
  }
  if (from.isInfinity(b)) return infinity(sign, format);
  return finish(from.unpack(b), format, control, mode);
}

/** b rounded to an integral value; exceptions are that of a signalling NaN, and those of rounding for who asks for them. */
export function roundToIntegral(b: bigint, format: Format, mode: RoundingMode): Result {
  const { encoding } = format;
  const nan = propagate(format, [b]);
  if (nan !== undefined) return nan;
  const value = encoding.unpack(b);
  if (encoding.isInfinity(b) || value.exponent >= 0) return { bits: b, flags: 0 };
  const { integer, rounded } = roundShift(value, -value.exponent, mode);
  const bits = encoding.pack({ sign: value.sign, significand: integer, exponent: 0 });
  return { bits, flags: ROUNDED_FLAGS[rounded] };
}

/** An integer that conversions go to or come from. */
export interface IntegerFormat {
  readonly width: 32 | 64 | 128;
  readonly signed: boolean;
}

/** b as an integer of the format, saturated; VXCVI where that does not hold the rounded value, or b is a NaN. */
export function toInteger(
  b: bigint,
  from: Encoding,
  { width, signed }: IntegerFormat,
  mode: RoundingMode,
): { value: bigint; flags: number } {
  const least = signed ? -(1n << BigInt(width - 1)) : 0n;
  const greatest = (1n << BigInt(signed ? width - 1 : width)) - 1n;
  if (from.isNan(b)) return { value: least, flags: VXCVI | (from.isSignalling(b) ? VXSNAN : 0) };
  const negative = from.signOf(b) !== 0n;
  const saturated = { value: negative ? least : greatest, flags: VXCVI };
  const operand = from.unpack(b);
  // Beyond any integer: no power of two of that size is made.
  if (operand.exponent > 128) return saturated;
  const { integer, rounded } = roundShift(operand, -operand.exponent, mode);
  const value = negative ? -integer : integer;
  if (from.isInfinity(b) || value < least || value > greatest) return saturated;
  return { value, flags: ROUNDED_FLAGS[rounded] };
}

/** The integer rounded to the format. */
export function fromInteger(value: bigint, format: Format, control: number, mode = rn(control)): Result {
  if (value === 0n) return zero(0n, format);
  const sign = value < 0n ? 1n : 0n;
  return round({ sign, significand: sign === 0n ? value : -value, exponent: 0 }, format, control, mode);
}
