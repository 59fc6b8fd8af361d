/** Decimal integer instructions: Power ISA 3.0B, I.6.17. A signed packed decimal number has 31 digits of four bits and a sign code. */

import type { Handler, HandlerTable } from "../handler.ts";
import { CR } from "../registers.ts";
import { cpu } from "../views.ts";
import { elementsOf, fromElements, quad, setQuad, vra, vrb, vrt } from "./vector-registers.ts";

const LT = 8;
const GT = 4;
const EQ = 2;
const SO = 1;

const DIGITS = 31;
const TEN = 10n;
const LIMIT = TEN ** BigInt(DIGITS);
const ALL_ONES = (1n << 128n) - 1n;

const PLUS = 0xcn;
const PLUS_PS = 0xfn;
const MINUS = 0xdn;
const isPlus = (code: bigint): boolean => code === 0xan || code === PLUS || code === 0xen || code === PLUS_PS;
const isMinus = (code: bigint): boolean => code === 0xbn || code === MINUS;

/** PS, which chooses the code for plus. */
const ps = (word: number): boolean => (word & 0x200) !== 0;
const signCode = (negative: boolean, word: number): bigint => (negative ? MINUS : ps(word) ? PLUS_PS : PLUS);

/** The number of decimal digits given as nibbles; undefined where one of them is none. */
function numberOf(nibbles: readonly bigint[]): bigint | undefined {
  if (nibbles.some((nibble) => nibble > 9n)) return undefined;
  return nibbles.reduce((value, digit) => value * TEN + digit, 0n);
}
/** The last `count` decimal digits of a number, as nibbles. */
function nibblesOf(value: bigint, count: number): bigint[] {
  const nibbles = new Array<bigint>(count);
  for (let i = count - 1, rest = value; i >= 0; i--, rest /= TEN) nibbles[i] = rest % TEN;
  return nibbles;
}

/** A decimal operand: its magnitude and sign. */
interface Decimal {
  readonly magnitude: bigint;
  readonly negative: boolean;
}

/** Undefined where a digit is none; with `isValid` false where only the sign code is none, which then counts as plus. */
function readDigits(n: number): (Decimal & { readonly isValid: boolean }) | undefined {
  const nibbles = elementsOf(quad(n), 4);
  const code = nibbles[DIGITS];
  const magnitude = numberOf(nibbles.slice(0, DIGITS));
  if (magnitude === undefined) return undefined;
  return { magnitude, negative: isMinus(code), isValid: isPlus(code) || isMinus(code) };
}
function readPacked(n: number): Decimal | undefined {
  const value = readDigits(n);
  return value?.isValid ? value : undefined;
}
const packed = (magnitude: bigint, code: bigint): bigint =>
  fromElements([...nibblesOf(magnitude, DIGITS), code], 4);

/** How a number compares with zero: the whole one, before digits that don't fit are cut off. */
const compared = ({ magnitude, negative }: Decimal): number => (magnitude === 0n ? EQ : negative ? LT : GT);

const setCr6 = (value: number): void => {
  cpu.bytes[CR + 6] = value;
};
/** VRT <- `value`, CR6 <- `cr`. */
function give(word: number, value: bigint, cr: number): void {
  setQuad(vrt(word), value);
  setCr6(cr);
}
/** An operand that is no number: SO. The result is undefined; all ones, as QEMU has it. */
const giveInvalid = (word: number): void => give(word, ALL_ONES, SO);

/** A row that makes a signed packed number of another; `work` says what CR6 has and what of the number is kept. */
const ofPacked =
  (work: (word: number, value: Decimal) => void): Handler =>
  (word) => {
    const value = readPacked(vrb(word));
    if (value === undefined) giveInvalid(word);
    else work(word, value);
  };

/** VRT <- VRA plus or minus VRB; the digits of operands without a sign are added all the same, as recorded on POWER8. */
const add =
  (subtract: boolean): Handler =>
  (word) => {
    const a = readDigits(vra(word));
    const b = readDigits(vrb(word));
    if (a === undefined || b === undefined) return giveInvalid(word);
    const signed = ({ magnitude, negative }: Decimal): bigint => (negative ? -magnitude : magnitude);
    const sum = signed(a) + (subtract ? -signed(b) : signed(b));
    const negative = sum < 0n;
    const magnitude = negative ? -sum : sum;
    const cr = compared({ magnitude, negative }) | (magnitude >= LIMIT ? SO : 0);
    give(word, packed(magnitude % LIMIT, signCode(negative, word)), a.isValid && b.isValid ? cr : SO);
  };

// ---- other formats ------------------------------------------------------------------------------------------

const NATIONAL_PLUS = 0x2bn;
const NATIONAL_MINUS = 0x2dn;

/** Seven characters of 16 bits and a sign. */
const fromNational: Handler = (word) => {
  const characters = elementsOf(quad(vrb(word)), 16);
  const sign = characters[7];
  const digits = characters.slice(0, 7);
  const magnitude = digits.every((each) => each >> 4n === 3n)
    ? numberOf(digits.map((each) => each & 15n))
    : undefined;
  if (magnitude === undefined || (sign !== NATIONAL_PLUS && sign !== NATIONAL_MINUS))
    return giveInvalid(word);
  const value = { magnitude, negative: sign === NATIONAL_MINUS };
  give(word, packed(magnitude, signCode(value.negative, word)), compared(value));
};
const toNational = ofPacked((word, value) => {
  const digits = nibblesOf(value.magnitude, 7).map((digit) => digit + 0x30n);
  const sign = value.negative ? NATIONAL_MINUS : NATIONAL_PLUS;
  const overflow = value.magnitude >= TEN ** 7n ? SO : 0;
  give(word, fromElements([...digits, sign], 16), compared(value) | overflow);
});

/** 16 digits with a zone in front of each; the last zone is the sign. PS = 0: zones 3, PS = 1: zones F. */
const fromZoned: Handler = (word) => {
  const characters = elementsOf(quad(vrb(word)), 8);
  const zones = characters.map((each) => each >> 4n);
  const magnitude = numberOf(characters.map((each) => each & 15n));
  const sign = zones[15];
  const zone = ps(word) ? 0xfn : 0x3n;
  const valid = zones.slice(0, 15).every((each) => each === zone) && (!ps(word) || sign > 9n);
  if (magnitude === undefined || !valid) return giveInvalid(word);
  const value = { magnitude, negative: ps(word) ? isMinus(sign) : (sign & 4n) !== 0n };
  give(word, packed(magnitude, value.negative ? MINUS : PLUS), compared(value));
};
const toZoned = ofPacked((word, value) => {
  const zone = ps(word) ? 0xf0n : 0x30n;
  const characters = nibblesOf(value.magnitude, 16).map((digit) => digit + zone);
  const sign = ps(word) ? (value.negative ? 0xd0n : 0xc0n) : value.negative ? 0x70n : 0x30n;
  characters[15] = (characters[15] & 15n) | sign;
  const overflow = value.magnitude >= TEN ** 16n ? SO : 0;
  give(word, fromElements(characters, 8), compared(value) | overflow);
});

const fromSigned: Handler = (word) => {
  const number = BigInt.asIntN(128, quad(vrb(word)));
  const magnitude = number < 0n ? -number : number;
  const value = { magnitude, negative: number < 0n };
  const overflow = magnitude >= LIMIT ? SO : 0;
  give(word, packed(magnitude % LIMIT, signCode(value.negative, word)), compared(value) | overflow);
};
const toSigned = ofPacked((word, value) => {
  give(word, value.negative ? -value.magnitude : value.magnitude, compared(value));
});

// ---- signs, shifts and truncation ---------------------------------------------------------------------------

const setSign = ofPacked((word, value) => {
  give(word, packed(value.magnitude, signCode(value.negative, word)), compared(value));
});
/** The digits of VRA with the sign code of VRB. */
const copySign: Handler = (word) => {
  const a = readPacked(vra(word));
  const b = readPacked(vrb(word));
  if (a === undefined || b === undefined) return giveInvalid(word);
  const value = { magnitude: a.magnitude, negative: b.negative };
  give(word, packed(a.magnitude, quad(vrb(word)) & 15n), compared(value));
};

/** Byte 7 of VRA: digits to the left, or where negative to the right, 31 (or 32 of an unsigned number) at most. */
function shiftCount(word: number, most: number): number {
  const count = Number(BigInt.asIntN(8, quad(vra(word)) >> 64n));
  return Math.max(-most, Math.min(most, count));
}
/** A magnitude moved by some digits: what is kept, whether digits were lost on the left, and the last one lost on the right. */
function shifted(magnitude: bigint, count: number, limit: bigint) {
  if (count >= 0) {
    const whole = magnitude * TEN ** BigInt(count);
    return { kept: whole % limit, lost: whole >= limit, next: 0n };
  }
  const next = (magnitude / TEN ** BigInt(-count - 1)) % TEN;
  return { kept: magnitude / TEN ** BigInt(-count), lost: false, next };
}
const shift = (round: boolean): Handler =>
  ofPacked((word, { magnitude, negative }) => {
    const { kept, lost, next } = shifted(magnitude, shiftCount(word, DIGITS), LIMIT);
    const rounded = round && next >= 5n ? kept + 1n : kept;
    const value = { magnitude: lost ? magnitude : rounded, negative };
    give(word, packed(rounded, signCode(negative, word)), compared(value) | (lost ? SO : 0));
  });

/** All 32 digits of VRB. */
const readUnsigned = (word: number): bigint | undefined => numberOf(elementsOf(quad(vrb(word)), 4));
const unsigned = (magnitude: bigint): bigint => fromElements(nibblesOf(magnitude, DIGITS + 1), 4);
const giveUnsigned = (word: number, kept: bigint, lost: boolean): void =>
  give(word, unsigned(kept), (kept === 0n ? EQ : GT) | (lost ? SO : 0));

const shiftUnsigned: Handler = (word) => {
  const value = readUnsigned(word);
  if (value === undefined) return giveInvalid(word);
  const { kept, lost } = shifted(value, shiftCount(word, DIGITS + 1), LIMIT * TEN);
  giveUnsigned(word, kept, lost);
};

/** Halfword 3 of VRA: how many digits to keep. */
const keptDigits = (word: number, most: number): bigint => {
  const count = BigInt.asUintN(16, quad(vra(word)) >> 64n);
  return count > BigInt(most) ? BigInt(most) : count;
};
const truncate = ofPacked((word, { magnitude, negative }) => {
  const limit = TEN ** keptDigits(word, DIGITS);
  const cr = compared({ magnitude, negative }) | (magnitude >= limit ? SO : 0);
  give(word, packed(magnitude % limit, signCode(negative, word)), cr);
});
const truncateUnsigned: Handler = (word) => {
  const value = readUnsigned(word);
  if (value === undefined) return giveInvalid(word);
  const limit = TEN ** keptDigits(word, DIGITS + 1);
  giveUnsigned(word, value % limit, value >= limit);
};

/** The value of a decimal digit. What is none, whose result is undefined, counts as eight and its last bit: recorded on POWER9. */
const digitOf = (nibble: bigint): bigint => (nibble > 9n ? nibble & 9n : nibble);

/** Ten times VRA, plus the digit of VRB where the row has it: the low 128 bits, or what is carried beyond them. */
const timesTen =
  (extended: boolean, carry: boolean): Handler =>
  (word) => {
    const product = quad(vra(word)) * TEN + (extended ? digitOf(quad(vrb(word)) & 15n) : 0n);
    setQuad(vrt(word), carry ? product >> 128n : product);
  };

export const decimalHandlers = (): HandlerTable => ({
  "bcdadd.": add(false),
  "bcdsub.": add(true),
  "bcdcfn.": fromNational,
  "bcdcfz.": fromZoned,
  "bcdctn.": toNational,
  "bcdctz.": toZoned,
  "bcdcfsq.": fromSigned,
  "bcdctsq.": toSigned,
  "bcdsetsgn.": setSign,
  "bcdcpsgn.": copySign,
  "bcds.": shift(false),
  "bcdus.": shiftUnsigned,
  "bcdsr.": shift(true),
  "bcdtrunc.": truncate,
  "bcdutrunc.": truncateUnsigned,
  vmul10uq: timesTen(false, false),
  vmul10cuq: timesTen(false, true),
  vmul10euq: timesTen(true, false),
  vmul10ecuq: timesTen(true, true),
});
