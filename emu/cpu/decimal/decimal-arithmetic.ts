/**
 * Decimal floating-point arithmetic: Power ISA 3.0B, I.5.5 and I.5.6. An operation has an exact value and an ideal exponent (I.5.5.4); the
 * result has that exponent where the value is a number of the format with it, else the nearest that serves.
 */
import {
  FI,
  FR,
  OE,
  OX,
  UE,
  UX,
  VXCVI,
  VXIDI,
  VXIMZ,
  VXISI,
  VXSNAN,
  VXZDZ,
  XX,
  ZX,
} from "../floating-point/fpscr.ts";
import { type Decimal, type DecimalFormat, digitsOf, isNan, isZero, power } from "./decimal-formats.ts";

/**
 * DRN (I.4.2.2): 0 to nearest, ties to even, 1 toward zero, 2 toward +infinity, 3 toward -infinity, 4 to nearest, ties away from
 * zero, 5 to nearest, ties toward zero, 6 away from zero, 7 to prepare for shorter precision.
 */
export type DecimalRounding = number;
const TOWARD_MINUS = 3;

export interface DecimalResult {
  readonly value: Decimal;
  readonly flags: number;
}

/** The FPSCR as arithmetic sees it: its low word, and DRN. */
export interface Control {
  readonly status: number;
  readonly mode: DecimalRounding;
}

const DEFAULT_NAN: Decimal = { kind: "quiet NaN", negative: false, coefficient: 0n, exponent: 0 };
export const invalid = (flags: number): DecimalResult => ({ value: DEFAULT_NAN, flags });
export const infinity = (negative: boolean, flags = 0): DecimalResult => ({
  value: { kind: "infinity", negative, coefficient: 0n, exponent: 0 },
  flags,
});
const number = (negative: boolean, coefficient: bigint, exponent: number): Decimal => ({
  kind: "number",
  negative,
  coefficient,
  exponent,
});

/** The result when an operand is a NaN: the first signalling one, quieted, else the first quiet one. Undefined when none is. */
export function propagate(format: DecimalFormat, ...operands: readonly Decimal[]): DecimalResult | undefined {
  const signalling = operands.find(({ kind }) => kind === "signalling NaN");
  const chosen = signalling ?? operands.find(isNan);
  if (chosen === undefined) return undefined;
  const coefficient = chosen.coefficient % power(format.precision - 1);
  return {
    value: { ...chosen, kind: "quiet NaN", coefficient },
    flags: signalling === undefined ? 0 : VXSNAN,
  };
}

/** The coefficient without its last `count` digits, rounded. */
function roundDigits(
  coefficient: bigint,
  count: number,
  negative: boolean,
  mode: DecimalRounding,
): { coefficient: bigint; flags: number } {
  if (count <= 0) return { coefficient: coefficient * power(-count), flags: 0 };
  const unit = power(count);
  const kept = coefficient / unit;
  const rest = coefficient - kept * unit;
  if (rest === 0n) return { coefficient: kept, flags: 0 };
  const half = unit / 2n;
  const up = [
    rest > half || (rest === half && kept % 2n === 1n),
    false,
    !negative,
    negative,
    rest >= half,
    rest > half,
    true,
    kept % 5n === 0n,
  ][mode];
  return up ? { coefficient: kept + 1n, flags: XX | FI | FR } : { coefficient: kept, flags: XX | FI };
}

/**
 * The number of the format nearest to an exact value: I.5.5.3, with overflow and underflow as in I.5.5.10. An exact value is not moved
 * from its exponent but where it must be.
 */
export function round(
  { negative, coefficient, exponent }: Decimal,
  format: DecimalFormat,
  { status, mode }: Control,
): DecimalResult {
  const { precision, emax, least, greatest, adjust } = format;
  if (coefficient === 0n) {
    return { value: number(negative, 0n, Math.max(least, Math.min(greatest, exponent))), flags: 0 };
  }
  const digits = digitsOf(coefficient);
  const tiny = exponent + digits - 1 < 1 - emax;
  const trapped = tiny && (status & UE) !== 0;
  const count = Math.max(digits - precision, trapped ? 0 : least - exponent, 0);
  let { coefficient: rounded, flags } = roundDigits(coefficient, count, negative, mode);
  let e = exponent + count;
  if (rounded === format.limit) {
    rounded /= 10n;
    e++;
  }
  if (trapped) {
    flags |= UX;
    e += adjust;
  } else if (tiny && (flags & XX) !== 0) {
    flags |= UX;
  } else if (e + digitsOf(rounded) - 1 > emax) {
    if ((status & OE) === 0) return overflow(negative, format, mode);
    flags |= OX;
    e -= adjust;
  }
  // A number of few digits may need zeros on the right to come within the greatest exponent.
  if (e > greatest) {
    rounded *= power(e - greatest);
    e = greatest;
  }
  return { value: number(negative, rounded, e), flags };
}

function overflow(negative: boolean, format: DecimalFormat, mode: DecimalRounding): DecimalResult {
  const flags = OX | XX | FI;
  const toInfinity = [true, false, !negative, negative, true, true, true, false][mode];
  if (toInfinity) return infinity(negative, flags | FR);
  return { value: number(negative, format.limit - 1n, format.greatest), flags };
}

const signed = ({ negative, coefficient }: Decimal): bigint => (negative ? -coefficient : coefficient);

/** a + b. */
export function add(a: Decimal, b: Decimal, format: DecimalFormat, control: Control): DecimalResult {
  const nan = propagate(format, a, b);
  if (nan !== undefined) return nan;
  if (a.kind === "infinity") {
    return b.kind === "infinity" && a.negative !== b.negative ? invalid(VXISI) : infinity(a.negative);
  }
  if (b.kind === "infinity") return infinity(b.negative);
  const exponent = Math.min(a.exponent, b.exponent);
  const sum = signed(a) * power(a.exponent - exponent) + signed(b) * power(b.exponent - exponent);
  const negative =
    sum !== 0n ? sum < 0n : a.negative === b.negative ? a.negative : control.mode === TOWARD_MINUS;
  return round(number(negative, sum < 0n ? -sum : sum, exponent), format, control);
}

/** a - b: a NaN keeps its sign. */
export const subtract = (a: Decimal, b: Decimal, format: DecimalFormat, control: Control): DecimalResult =>
  add(a, isNan(b) ? b : { ...b, negative: !b.negative }, format, control);

/** a * b. */
export function multiply(a: Decimal, b: Decimal, format: DecimalFormat, control: Control): DecimalResult {
  const nan = propagate(format, a, b);
  if (nan !== undefined) return nan;
  const negative = a.negative !== b.negative;
  if (a.kind === "infinity" || b.kind === "infinity") {
    return isZero(a) || isZero(b) ? invalid(VXIMZ) : infinity(negative);
  }
  return round(number(negative, a.coefficient * b.coefficient, a.exponent + b.exponent), format, control);
}

/** a / b. */
export function divide(a: Decimal, b: Decimal, format: DecimalFormat, control: Control): DecimalResult {
  const nan = propagate(format, a, b);
  if (nan !== undefined) return nan;
  const negative = a.negative !== b.negative;
  if (a.kind === "infinity") return b.kind === "infinity" ? invalid(VXIDI) : infinity(negative);
  if (b.kind === "infinity") return round(number(negative, 0n, format.least), format, control);
  if (isZero(b)) return isZero(a) ? invalid(VXZDZ) : infinity(negative, ZX);
  const ideal = a.exponent - b.exponent;
  if (isZero(a)) return round(number(negative, 0n, ideal), format, control);
  const scale = format.precision + 2 + Math.max(digitsOf(b.coefficient) - digitsOf(a.coefficient), 0);
  const dividend = a.coefficient * power(scale);
  let quotient = dividend / b.coefficient;
  let exponent = ideal - scale;
  if (quotient * b.coefficient === dividend) {
    while (exponent < ideal && quotient % 10n === 0n) {
      quotient /= 10n;
      exponent++;
    }
  } else {
    // One digit more stands for all that follow.
    quotient = quotient * 10n + 1n;
    exponent--;
  }
  return round(number(negative, quotient, exponent), format, control);
}

/** b with the exponent `exponent`, rounded: I.5.6.4. Invalid where that takes more digits than there are. */
export function quantize(
  b: Decimal,
  exponent: number,
  format: DecimalFormat,
  mode: DecimalRounding,
): DecimalResult {
  if (b.coefficient === 0n) return { value: { ...b, exponent }, flags: 0 };
  const count = exponent - b.exponent;
  if (digitsOf(b.coefficient) - count > format.precision) return invalid(VXCVI);
  const { coefficient, flags } = roundDigits(b.coefficient, count, b.negative, mode);
  if (coefficient >= format.limit) return invalid(VXCVI);
  return { value: number(b.negative, coefficient, exponent), flags };
}

/** b rounded to `count` significant digits, if it has more: I.5.6.4. */
export function reround(
  b: Decimal,
  count: number,
  format: DecimalFormat,
  mode: DecimalRounding,
): DecimalResult {
  const excess = digitsOf(b.coefficient) - count;
  if (count === 0 || excess <= 0) return { value: b, flags: 0 };
  let { coefficient, flags } = roundDigits(b.coefficient, excess, b.negative, mode);
  let exponent = b.exponent + excess;
  if (coefficient === power(count)) {
    coefficient /= 10n;
    exponent++;
  }
  return exponent > format.greatest
    ? invalid(VXCVI)
    : { value: number(b.negative, coefficient, exponent), flags };
}

/** b as an integer: I.5.6.4 (drintx) and I.5.6.5 (dctfix). */
export function toIntegral(b: Decimal, mode: DecimalRounding): DecimalResult {
  if (b.exponent >= 0) return { value: b, flags: 0 };
  const { coefficient, flags } = roundDigits(b.coefficient, -b.exponent, b.negative, mode);
  return { value: number(b.negative, coefficient, 0), flags };
}

export const fromInteger = (value: bigint, format: DecimalFormat, control: Control): DecimalResult =>
  round(number(value < 0n, value < 0n ? -value : value, 0), format, control);

/** Negative, zero or positive, as a is less than, equal to or greater than b, neither a NaN. */
export function order(a: Decimal, b: Decimal): number {
  const rank = (x: Decimal) => (x.kind === "infinity" ? (x.negative ? -1 : 1) : 0);
  if (rank(a) !== rank(b)) return rank(a) - rank(b);
  if (rank(a) !== 0) return 0;
  const exponent = Math.min(a.exponent, b.exponent);
  const difference = signed(a) * power(a.exponent - exponent) - signed(b) * power(b.exponent - exponent);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}
