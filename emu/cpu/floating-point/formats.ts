/**
 * The binary floating-point formats: how a value lies in its bits (IEEE 754-2019, 3.4), and to which precision and range results
 * are rounded. The two differ for single results in FPRs, which lie there in the double format: Power ISA 3.0B, I.4.3.1 and I.4.3.5.
 */
import { bitLength, type Exact } from "./exact.ts";

/** An interchange format: sign, biased exponent, fraction. */
export class Encoding {
  readonly precision: number;
  readonly emin: number;
  readonly emax: number;
  /** The greatest biased exponent, and the bit where the exponent begins. */
  private readonly exponents: bigint;
  private readonly fractionBits: bigint;
  private readonly top: bigint;
  readonly sign: bigint;
  readonly infinity: bigint;
  /** The bit that tells a quiet NaN from a signalling one. */
  readonly quiet: bigint;
  readonly fraction: bigint;
  readonly defaultNan: bigint;

  constructor(width: number, precision: number) {
    this.precision = precision;
    this.emax = 2 ** (width - precision - 1) - 1;
    this.emin = 1 - this.emax;
    this.exponents = BigInt(2 * this.emax + 1);
    this.fractionBits = BigInt(precision - 1);
    this.top = BigInt(width - 1);
    this.sign = 1n << this.top;
    this.infinity = this.exponents << this.fractionBits;
    this.quiet = 1n << (this.fractionBits - 1n);
    this.fraction = (1n << this.fractionBits) - 1n;
    this.defaultNan = this.infinity | this.quiet;
  }

  isNan(bits: bigint): boolean {
    return (bits & ~this.sign) > this.infinity;
  }
  isSignalling(bits: bigint): boolean {
    return this.isNan(bits) && (bits & this.quiet) === 0n;
  }
  isInfinity(bits: bigint): boolean {
    return (bits & ~this.sign) === this.infinity;
  }
  isZero(bits: bigint): boolean {
    return (bits & ~this.sign) === 0n;
  }
  isSubnormal(bits: bigint): boolean {
    return (bits & this.infinity) === 0n && !this.isZero(bits);
  }
  /** 1n for a negative number. */
  signOf(bits: bigint): bigint {
    return bits >> this.top;
  }
  /** The biased exponent. */
  exponentOf(bits: bigint): number {
    return Number((bits & this.infinity) >> this.fractionBits);
  }
  signed(sign: bigint, magnitude: bigint): bigint {
    return (sign << this.top) | magnitude;
  }

  /** The value of a number. */
  unpack(bits: bigint): Exact {
    const biased = this.exponentOf(bits);
    const fraction = bits & this.fraction;
    return {
      sign: bits >> this.top,
      significand: biased === 0 ? fraction : fraction | (this.fraction + 1n),
      exponent: (biased === 0 ? 1 : biased) - this.emax - this.precision + 1,
    };
  }

  /** The number with this value, whose significand has no more bits than fit; the exponent wraps beyond the format's range. */
  pack({ sign, significand, exponent }: Exact): bigint {
    const length = bitLength(significand);
    const e = length - 1 + exponent;
    let magnitude = 0n;
    if (significand !== 0n && e < this.emin) {
      magnitude = significand << BigInt(exponent - this.emin + this.precision - 1);
    } else if (significand !== 0n) {
      const biased = BigInt(e + this.emax) & this.exponents;
      const fraction = (significand << BigInt(this.precision - length)) & this.fraction;
      magnitude = (biased << this.fractionBits) | fraction;
    }
    return (sign << this.top) | magnitude;
  }

  /** FPRF (five bits) of a result: I.4.2.2, figure 47. */
  resultFlags(bits: bigint): number {
    const negative = this.signOf(bits) !== 0n;
    if (this.isNan(bits)) return 0x11;
    if (this.isInfinity(bits)) return negative ? 0x09 : 0x05;
    if (this.isZero(bits)) return negative ? 0x12 : 0x02;
    return (this.isSubnormal(bits) ? 0x10 : 0) | (negative ? 0x08 : 0x04);
  }
}

export const BINARY16 = new Encoding(16, 11);
export const BINARY32 = new Encoding(32, 24);
export const BINARY64 = new Encoding(64, 53);
export const BINARY128 = new Encoding(128, 113);
/** bfloat16: the upper half of a single. */
export const BRAIN16 = new Encoding(16, 8);

/** What results are rounded to, and the encoding that operands and results have. */
export interface Format {
  readonly encoding: Encoding;
  readonly precision: number;
  readonly emin: number;
  readonly emax: number;
  /** Added to or subtracted from the exponent by enabled underflow and overflow: I.4.4.3, I.4.4.4. */
  readonly adjust: number;
}

/** The precision and range of `like` in the encoding `within`. */
const format = (like: Encoding, within = like, precision = like.precision): Format => ({
  encoding: within,
  precision,
  emin: like.emin,
  emax: like.emax,
  adjust: (3 * (like.emax + 1)) / 2,
});

export const DOUBLE = format(BINARY64);
/** Single results as FPRs hold them. */
export const SINGLE = format(BINARY32, BINARY64);
/** Singles in words of their own. */
export const SINGLE_WORD = format(BINARY32);
export const HALF = format(BINARY16);
export const BFLOAT16 = format(BRAIN16);
export const QUAD = format(BINARY128);
/** The double-extended precision of x87 in the quad format: xsrqpxp. */
export const EXTENDED = format(BINARY128, BINARY128, 64);
