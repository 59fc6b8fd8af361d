/**
 * What VSX comparisons, selections and tests do with single elements: Power ISA 3.0B, I.7.6.3. An element is its value, by which
 * numbers are compared, with the word of its bits that has sign and exponent.
 */
import { cpu } from "../views.ts";
import { FPCC, FPRF_SHIFT, VE, VXSNAN, VXVC } from "./fpscr.ts";
import { STATUS, setCr } from "./fpu.ts";
import { OUT, wordAt } from "./lanes.ts";

/** How elements of one size lie in a VSR. */
export interface Elements {
  readonly count: 2 | 4;
  /** 32-bit words of an element. */
  readonly words: 1 | 2;
  /** Fraction bits in the upper word, the greatest biased exponent, and the bias. */
  readonly fractionBits: number;
  readonly greatest: number;
  readonly bias: number;
  value(place: number, k: number): number;
}
export const DOUBLE_ELEMENTS: Elements = {
  count: 2,
  words: 2,
  fractionBits: 20,
  greatest: 0x7ff,
  bias: 1023,
  value: (place, k) => cpu.f64[place - k],
};
export const SINGLE_ELEMENTS: Elements = {
  count: 4,
  words: 1,
  fractionBits: 23,
  greatest: 0xff,
  bias: 127,
  value: (place, k) => cpu.f32[wordAt(place, k)],
};

/** The word of element k that has its sign. */
export const upperWord = ({ words }: Elements, place: number, k: number): number =>
  cpu.i32[wordAt(place, words * k)];
/** The word after it; 0 for singles. */
export const lowerWord = ({ words }: Elements, place: number, k: number): number =>
  words === 2 ? cpu.i32[wordAt(place, 2 * k + 1)] : 0;
export const exponentOf = ({ fractionBits, greatest }: Elements, upper: number): number =>
  (upper >>> fractionBits) & greatest;

const isSignalling = (elements: Elements, place: number, k: number): boolean =>
  Number.isNaN(elements.value(place, k)) &&
  (upperWord(elements, place, k) & (1 << (elements.fractionBits - 1))) === 0;
const isNegativeZero = (value: number): boolean => value === 0 && 1 / value < 0;

/** Copies element k of a VSR to OUT, quieted if it is a NaN and `quiet`. */
function putElement(elements: Elements, place: number, k: number, quiet: boolean): void {
  const { words, fractionBits } = elements;
  const at = wordAt(place, words * k);
  const isNan = quiet && Number.isNaN(elements.value(place, k));
  OUT[3 - words * k] = cpu.i32[at] | (isNan ? 1 << (fractionBits - 1) : 0);
  if (words === 2) OUT[2 - 2 * k] = cpu.i32[at - 1];
}

/** Puts a mask of ones or zeros into element k of OUT. */
export function putMask({ words }: Elements, k: number, mask: number): void {
  OUT[3 - words * k] = mask;
  if (words === 2) OUT[2 - 2 * k] = mask;
}

/** The greater (or lesser) of two numbers; of zeros the positive (or negative) one. */
const isFirst = (a: number, b: number, max: boolean): boolean =>
  a === b ? !(max ? isNegativeZero(a) : isNegativeZero(b)) : max ? a > b : a < b;

/**
 * xsmaxdp, xvmaxsp and so on: a number before a quiet NaN, a signalling one before both. Puts the element into OUT; the flags.
 */
export function selectExtreme(elements: Elements, max: boolean, a: number, b: number, k: number): number {
  const x = elements.value(a, k);
  const y = elements.value(b, k);
  let first: boolean;
  let flags = 0;
  if (Number.isNaN(x) || Number.isNaN(y)) {
    const signallingA = isSignalling(elements, a, k);
    const signallingB = isSignalling(elements, b, k);
    if (signallingA || signallingB) flags = VXSNAN;
    first = signallingA || (!signallingB && Number.isNaN(y));
    // Of two quiet NaNs the first; of a quiet NaN and a number the number.
    if (flags === 0 && !Number.isNaN(x)) first = true;
    if (flags === 0 && !Number.isNaN(y)) first = false;
  } else {
    first = isFirst(x, y, max);
  }
  putElement(elements, first ? a : b, k, true);
  return flags;
}

/** "Type-C" (C's a > b ? a : b) and "Type-J" (Java's Math.max) of doubleword 0. NaNs are not quieted. */
export function selectLanguage(type: "C" | "J", max: boolean, a: number, b: number): number {
  const elements = DOUBLE_ELEMENTS;
  const x = cpu.f64[a];
  const y = cpu.f64[b];
  let flags = 0;
  let first: boolean;
  if (Number.isNaN(x) || Number.isNaN(y)) {
    first = type === "J" && Number.isNaN(x);
    if (type === "J") flags = isSignalling(elements, first ? a : b, 0) ? VXSNAN : 0;
    else if (isSignalling(elements, a, 0) || isSignalling(elements, b, 0)) flags = VXSNAN;
  } else if (type === "J" && x === 0 && y === 0) {
    first = isFirst(x, y, max);
  } else {
    first = max ? x > y : x < y;
  }
  putElement(elements, first ? a : b, 0, false);
  return flags;
}

/** Which relation a compare asks for. */
export type Relation = "eq" | "ge" | "gt";

/** -1 where it holds, else 0; `compareFlags` has the flags. */
export function relationMask(relation: Relation, x: number, y: number): number {
  return (relation === "eq" ? x === y : relation === "ge" ? x >= y : x > y) ? -1 : 0;
}

/** The exceptions of a comparison of elements k: NaNs are invalid in an ordered one, signalling ones in any. */
export function compareFlags(elements: Elements, ordered: boolean, a: number, b: number, k: number): number {
  if (isSignalling(elements, a, k) || isSignalling(elements, b, k)) {
    return ordered && (cpu.i32[STATUS] & VE) === 0 ? VXSNAN | VXVC : VXSNAN;
  }
  const unordered = Number.isNaN(elements.value(a, k)) || Number.isNaN(elements.value(b, k));
  return ordered && unordered ? VXVC : 0;
}

/** Sets CR field and FPCC. */
export function setCondition(field: number, condition: number): void {
  setCr(field, condition);
  cpu.i32[STATUS] = (cpu.i32[STATUS] & ~FPCC) | (condition << FPRF_SHIFT);
}

/** Bits of a data class mask: NaN, +infinity, -infinity, +0, -0, +subnormal, -subnormal from 64 to 1. */
export function isOfClass(elements: Elements, mask: number, upper: number, lower: number): boolean {
  const exponent = exponentOf(elements, upper);
  const isFractionZero = ((upper & ((1 << elements.fractionBits) - 1)) | lower) === 0;
  const ofSign = (positive: number) => (mask & (upper < 0 ? positive >> 1 : positive)) !== 0;
  if (exponent === elements.greatest) return isFractionZero ? ofSign(0x20) : (mask & 0x40) !== 0;
  if (exponent !== 0) return false;
  return isFractionZero ? ofSign(8) : ofSign(2);
}

/** What software division and square root must watch for: Power ISA 3.0B, I.4.6.6.1 (ftdiv, ftsqrt); 4 fg_flag, 2 fe_flag. */
export function testDivide(elements: Elements, a: number, b: number, k: number): number {
  const { bias } = elements;
  const x = elements.value(a, k);
  const y = elements.value(b, k);
  const ea = exponentOf(elements, upperWord(elements, a, k)) - bias;
  const eb = exponentOf(elements, upperWord(elements, b, k)) - bias;
  const special = Math.abs(x) === Infinity || Math.abs(y) === Infinity || y === 0;
  const tooSmall = ea <= fractionLimit(elements);
  const fe =
    special ||
    Number.isNaN(x) ||
    Number.isNaN(y) ||
    eb <= 1 - bias ||
    eb >= bias - 2 ||
    (x !== 0 && (ea - eb >= bias || ea - eb <= 2 - bias || tooSmall));
  return (special || (eb === -bias && y !== 0) ? 4 : 0) | (fe ? 2 : 0);
}
export function testRoot(elements: Elements, b: number, k: number): number {
  const y = elements.value(b, k);
  const upper = upperWord(elements, b, k);
  const eb = exponentOf(elements, upper) - elements.bias;
  const special = Math.abs(y) === Infinity || y === 0;
  const fe = special || Number.isNaN(y) || upper < 0 || eb <= fractionLimit(elements);
  return (special || (eb === -elements.bias && y !== 0) ? 4 : 0) | (fe ? 2 : 0);
}
/** Below this exponent a remainder could be subnormal: -970 and -103. */
const fractionLimit = ({ words, bias }: Elements): number => 1 - bias + (words === 2 ? 52 : 23);
