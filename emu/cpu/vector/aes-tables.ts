/**
 * SubBytes of AES (FIPS 197) and its inverse by tables of 16 entries, after M. Hamburg, "Accelerating AES with Vector Permute Instructions"
 * (2009). A byte is taken apart into i and k of GF(2^4): it is k + i*theta, where theta^2 + a*theta + a = 0. With j = i + k, its inverse follows
 * from two quotients, 1 / (1 / (1 / i + a / k) + j) and the same with i and j exchanged; 1 / 0 is a code for which tables give zero.
 */
import { lazily } from "../../lazily.ts";

/** x times y in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1. */
function product(x: number, y: number): number {
  let sum = 0;
  for (let a = x, b = y; b !== 0; b >>= 1) {
    if (b & 1) sum ^= a;
    a = (a << 1) ^ (a & 0x80 ? 0x11b : 0);
  }
  return sum;
}
function inverse(x: number): number {
  let y = 0;
  while (x !== 0 && product(x, y) !== 1) y++;
  return y;
}

/** The linear part of SubBytes' affine map. */
function affine(x: number): number {
  let value = 0;
  for (let shift = 0; shift < 5; shift++) value ^= (x << shift) | (x >> (8 - shift));
  return value & 0xff;
}
/** What is added to it. */
export const AFFINE_CONSTANT = 0x63;

/** Not below 16, whatever nibble is added to it: tables give zero. */
const INFINITE = 0x80;

export interface Substitution {
  /** Codes of i (upper half) and k (lower half), by the lower and the upper half of a byte; their sum counts. */
  readonly fromLow: Uint8Array;
  readonly fromHigh: Uint8Array;
  /** Of codes of GF(2^4): the inverse, and a times the inverse. */
  readonly inverse: Uint8Array;
  readonly quotient: Uint8Array;
  /** What the two quotients make of the result; their sum counts. */
  readonly first: Uint8Array;
  readonly second: Uint8Array;
}

const nibbles = (entry: (n: number) => number): Uint8Array =>
  Uint8Array.from({ length: 16 }, (_, n) => entry(n));

/** The tables for `before`, then the inverse in GF(2^8), then `after`; `before` is affine and `after` linear. */
function substitution(before: (x: number) => number, after: (x: number) => number): Substitution {
  const field = Array.from({ length: 256 }, (_, x) => x).filter((x) => {
    const square = product(x, x);
    const fourth = product(square, square);
    const eighth = product(fourth, fourth);
    return product(eighth, eighth) === x;
  });
  // A basis of GF(2^4): each of four elements is no sum of those before it.
  const elements = [0];
  for (const x of field) if (!elements.includes(x)) elements.push(...elements.map((sum) => sum ^ x));
  const codeOf = (x: number) => elements.indexOf(x);
  const isRoot = (theta: number, a: number) => (product(theta, theta) ^ product(a, theta) ^ a) === 0;
  const thetas = Array.from({ length: 256 }, (_, x) => x).filter((x) => !field.includes(x));
  const a = field.find((a) => thetas.some((theta) => isRoot(theta, a)))!;
  const theta = thetas.find((theta) => isRoot(theta, a))!;

  const codes = new Uint8Array(256);
  for (let i = 0; i < 16; i++) {
    for (let k = 0; k < 16; k++) codes[elements[k] ^ product(elements[i], theta)] = (i << 4) | k;
  }
  const constant = before(0);
  const reciprocals = nibbles((n) => (n === 0 ? INFINITE : codeOf(inverse(elements[n]))));
  // The inverse is p + theta * (p + (p + q) / a) / a, of the reciprocals p and q of the quotients.
  const part = (n: number, isFirst: boolean) => {
    const value = inverse(elements[n]);
    const byA = product(value, inverse(a));
    const ofTheta = product(isFirst ? value ^ byA : byA, inverse(a));
    return after((isFirst ? value : 0) ^ product(theta, ofTheta));
  };
  return {
    fromLow: nibbles((n) => codes[before(n)]),
    fromHigh: nibbles((n) => codes[before(n << 4) ^ constant]),
    inverse: reciprocals,
    quotient: nibbles((n) => (n === 0 ? INFINITE : codeOf(product(a, inverse(elements[n]))))),
    first: nibbles((n) => part(n, true)),
    second: nibbles((n) => part(n, false)),
  };
}

/** The inverse, then the affine map (its constant is left to be added). */
export const subBytes = lazily(() => substitution((x) => x, affine));
/** The inverse of the affine map, then the inverse. */
export const inverseSubBytes = lazily(() => {
  const linear = Uint8Array.from({ length: 256 }, (_, x) => affine(x));
  return substitution(
    (x) => linear.indexOf(x ^ AFFINE_CONSTANT),
    (x) => x,
  );
});
