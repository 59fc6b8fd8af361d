/**
 * fres and frsqrte of the 750 family, whose tables have been read out of its processors: the first five bits of the fraction (of
 * frsqrte with the exponent's last) choose a straight line, the next ten or eleven a place on it. Zeros, infinities, NaNs and negative
 * roots are the caller's.
 */
import { bitLength } from "./exact.ts";

/** A straight line: its first value and what it falls by, in units of the result's last place (fres: by two steps). */
type Line = readonly [first: number, fall: number];

const lines = (text: string): readonly Line[] =>
  text.split(" ").map((line) => {
    const [first, fall] = line.split("-");
    return [Number.parseInt(first, 16), Number.parseInt(fall, 16)];
  });

/** Fractions of 23 bits. */
const RECIPROCALS = lines(
  "7ff800-3e1 783800-3a7 70ea00-371 6a0800-340 638800-313 5d6200-2ea 579000-2c4 520800-2a0 " +
    "4cc800-27f 47ca00-261 430800-245 3e8000-22a 3a2c00-212 360800-1fb 321400-1e5 2e4a00-1d1 " +
    "2aa800-1be 272c00-1ac 23d600-19b 209e00-18b 1d8800-17c 1a9000-16e 17ae00-15b 14f800-15b " +
    "124400-143 0fbe00-143 0d3800-12d 0ade00-12d 088400-11a 065000-11a 041c00-108 020c00-106",
);
/** Fractions of 26 bits; the first half is of even biased exponents. */
const ROOTS = lines(
  "1a7e800-568 17cb800-4f3 1552800-48d 130c000-435 10f2000-3e7 0eff000-3a2 0d2e000-365 0b7c000-32e " +
    "09e5000-2fc 0867000-2d0 06ff000-2a8 05ab800-283 046a000-261 0339800-243 0218800-226 0105800-20b " +
    "3ffa000-7a4 3c29000-700 38aa000-670 3572000-5f2 3279000-584 2fb7000-524 2d26000-4cc 2ac0000-47e " +
    "2881000-43a 2665000-3fa 2468000-3c2 2287000-38e 20c1000-35e 1f12000-332 1d79000-30a 1bf4000-2e6",
);

const SIGN = 1n << 63n;
const FRACTION = (1n << 52n) - 1n;
const GREATEST_SINGLE = 0x47ef_ffff_e000_0000n;

/** Of a double that is not zero, an infinity or a NaN: the estimate of its reciprocal, a single as a double. */
export function classicReciprocal(b: bigint): bigint {
  const sign = b & SIGN;
  const exponent = Number((b >> 52n) & 0x7ffn);
  // Reciprocals beyond the single format: the greatest single, or zero.
  if (exponent < 895) return sign | GREATEST_SINGLE;
  if (exponent >= 1149) return sign;
  const place = Number((b & FRACTION) >> 37n);
  const [first, fall] = RECIPROCALS[place >> 10];
  const fraction = first - ((fall * (place & 0x3ff) + 1) >> 1);
  return sign | (BigInt(0x7fd - exponent) << 52n) | (BigInt(fraction) << 29n);
}

/** Of a positive double that is not zero, an infinity or a NaN: the estimate of its root's reciprocal. */
export function classicReciprocalRoot(b: bigint): bigint {
  let exponent = Number(b >> 52n);
  let fraction = b & FRACTION;
  if (exponent === 0) {
    const shift = 53 - bitLength(fraction);
    fraction = (fraction << BigInt(shift)) & FRACTION;
    exponent = 1 - shift;
  }
  const place = ((exponent & 1) << 15) | Number(fraction >> 37n);
  const [first, fall] = ROOTS[place >> 11];
  const half = Math.ceil((exponent - 0x3fe) / 2);
  return (BigInt(0x3ff - half) << 52n) | (BigInt(first - fall * (place & 0x7ff)) << 26n);
}
