/**
 * The decimal floating-point formats, Power ISA 3.0B, I.5.3: short, long and extended, whose significands lie in declets of densely
 * packed decimal (DPD), three digits in ten bits.
 */

import { lazily } from "../../lazily.ts";

/** The three digits of a declet: I.5.3.1 and appendix B of Book I. */
function decodeDeclet(declet: number): number {
  const [p, q, r, s, t, u, v, w, x, y] = Array.from({ length: 10 }, (_, n) => (declet >> (9 - n)) & 1);
  const number = (a: number, b: number, c: number) => 4 * a + 2 * b + c;
  let digits: readonly number[];
  if (v === 0) digits = [number(p, q, r), number(s, t, u), number(w, x, y)];
  else if (w === 0) {
    digits = x === 0 ? [number(p, q, r), number(s, t, u), 8 + y] : [number(p, q, r), 8 + u, number(s, t, y)];
  } else if (x === 0) digits = [8 + r, number(s, t, u), number(p, q, y)];
  else {
    digits = [
      [8 + r, 8 + u, number(p, q, y)],
      [8 + r, number(p, q, u), 8 + y],
      [number(p, q, r), 8 + u, 8 + y],
      [8 + r, 8 + u, 8 + y],
    ][2 * s + t];
  }
  return 100 * digits[0] + 10 * digits[1] + digits[2];
}
/** The digits of each declet, and the declet of each three digits: of several that stand for the same the least is canonical. */
const declets = lazily(() => {
  const digitsOf = new Uint16Array(1024);
  const decletOf = new Uint16Array(1000);
  for (let declet = 1023; declet >= 0; declet--) {
    digitsOf[declet] = decodeDeclet(declet);
    decletOf[digitsOf[declet]] = declet;
  }
  return { digitsOf, decletOf };
});

export type Kind = "number" | "infinity" | "quiet NaN" | "signalling NaN";

/** (-1)^negative * coefficient * 10^exponent; of a NaN or infinity the coefficient is what its trailing significand holds. */
export interface Decimal {
  readonly kind: Kind;
  readonly negative: boolean;
  readonly coefficient: bigint;
  readonly exponent: number;
}

export const isNan = ({ kind }: Decimal): boolean => kind === "quiet NaN" || kind === "signalling NaN";
export const isZero = ({ kind, coefficient }: Decimal): boolean => kind === "number" && coefficient === 0n;

/** The number of decimal digits; zero has one. */
export const digitsOf = (value: bigint): number => value.toString().length;
export const power = (exponent: number): bigint => 10n ** BigInt(exponent);

/** One of the formats. */
export class DecimalFormat {
  readonly width: number;
  /** Digits of the significand. */
  readonly precision: number;
  /** Bits of the exponent after the two in the combination field. */
  private readonly continuation: number;
  readonly bias: number;
  /** The greatest and least exponents of the last digit. */
  readonly greatest: number;
  readonly least: number;
  /** The greatest exponent of the first digit. */
  readonly emax: number;
  /** What enabled overflow and underflow take from the exponent and add to it: I.5.5.10. */
  readonly adjust: number;
  /** 10^precision. */
  readonly limit: bigint;

  constructor(width: number, precision: number, continuation: number, adjust: number) {
    this.width = width;
    this.precision = precision;
    this.continuation = continuation;
    this.emax = 3 * 2 ** (continuation - 1);
    this.bias = this.emax + precision - 2;
    this.least = -this.bias;
    this.greatest = this.emax - precision + 1;
    this.adjust = adjust;
    this.limit = power(precision);
  }

  /** The greatest biased exponent. */
  get greatestBiased(): number {
    return this.greatest + this.bias;
  }

  /** The bits of the trailing significand. */
  trailingOf(bits: bigint): bigint {
    return BigInt.asUintN(this.width - 6 - this.continuation, bits);
  }

  decode(bits: bigint): Decimal {
    const { width, precision, continuation } = this;
    const negative = bits >> BigInt(width - 1) !== 0n;
    const combination = Number((bits >> BigInt(width - 6)) & 31n);
    const trailing = width - 6 - continuation;
    const exponentLow = Number((bits >> BigInt(trailing)) & ((1n << BigInt(continuation)) - 1n));
    let coefficient = 0n;
    const { digitsOf } = declets();
    for (let shift = trailing - 10; shift >= 0; shift -= 10) {
      coefficient = coefficient * 1000n + BigInt(digitsOf[Number((bits >> BigInt(shift)) & 1023n)]);
    }
    if (combination >= 30) {
      const signalling = exponentLow >> (continuation - 1) !== 0;
      const kind = combination === 30 ? "infinity" : signalling ? "signalling NaN" : "quiet NaN";
      return { kind, negative, coefficient, exponent: 0 };
    }
    const large = combination >= 24;
    const first = large ? 8 + (combination & 1) : combination & 7;
    const exponentHigh = large ? (combination >> 1) & 3 : combination >> 3;
    return {
      kind: "number",
      negative,
      coefficient: BigInt(first) * power(precision - 1) + coefficient,
      exponent: exponentHigh * 2 ** continuation + exponentLow - this.bias,
    };
  }

  /** The bits of a value of the format; what of a NaN's coefficient does not fit is cut off on the left. */
  encode({ kind, negative, coefficient, exponent }: Decimal): bigint {
    const { width, precision, continuation } = this;
    const trailing = width - 6 - continuation;
    const first = Number(coefficient / power(precision - 1));
    let rest = coefficient % power(precision - 1);
    let bits = 0n;
    const { decletOf } = declets();
    for (let shift = 0; shift < trailing; shift += 10) {
      bits |= BigInt(decletOf[Number(rest % 1000n)]) << BigInt(shift);
      rest /= 1000n;
    }
    let combination: number;
    let exponentLow = kind === "signalling NaN" ? 1 << (continuation - 1) : 0;
    if (kind === "number") {
      const biased = exponent + this.bias;
      const high = Math.floor(biased / 2 ** continuation);
      exponentLow = biased % 2 ** continuation;
      combination = first >= 8 ? 24 | (high << 1) | (first & 1) : (high << 3) | first;
    } else {
      combination = kind === "infinity" ? 30 : 31;
    }
    const upper = (BigInt(combination) << BigInt(continuation)) | BigInt(exponentLow);
    return ((negative ? 1n : 0n) << BigInt(width - 1)) | (upper << BigInt(trailing)) | bits;
  }

  /** A number whose first digit's exponent is below the format's range. */
  isSubnormal(value: Decimal): boolean {
    const { kind, coefficient, exponent } = value;
    return kind === "number" && coefficient !== 0n && exponent + digitsOf(coefficient) - 1 < 1 - this.emax;
  }

  /** FPRF (five bits) of a result: I.4.2.2, figure 47. */
  resultFlags(value: Decimal): number {
    if (isNan(value)) return 0x11;
    if (value.kind === "infinity") return value.negative ? 0x09 : 0x05;
    if (isZero(value)) return value.negative ? 0x12 : 0x02;
    return (this.isSubnormal(value) ? 0x10 : 0) | (value.negative ? 0x08 : 0x04);
  }
}

export const SHORT = new DecimalFormat(32, 7, 6, 192);
export const LONG = new DecimalFormat(64, 16, 8, 576);
export const EXTENDED = new DecimalFormat(128, 34, 12, 9216);
