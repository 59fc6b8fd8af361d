/** Binary coded decimal assist: Power ISA 3.0B, I.3.3.15, and the declets of I.5.3. */
import { ra, rb, rs, rt } from "../fields.ts";
import { carryOut } from "../flags.ts";
import type { HandlerTable } from "../handler.ts";
import { cpu } from "../views.ts";

/** Three decimal digits (12 bits of BCD) as a declet of densely packed decimal. */
function pack(bcd: number): number {
  const digits = [(bcd >>> 8) & 15, (bcd >>> 4) & 15, bcd & 15];
  // Each digit has three low bits that are kept, or one if it is large (8 or 9), and a flag for being large.
  const [a, b, c] = digits.map((digit) => digit & 7);
  const [x, y, z] = digits.map((digit) => digit & 1);
  const large = digits.reduce((flags, digit) => (flags << 1) | (digit >>> 3), 0);
  switch (large) {
    case 0b000:
      return (a << 7) | (b << 4) | c;
    case 0b001:
      return (a << 7) | (b << 4) | 0b1000 | z;
    case 0b010:
      return (a << 7) | ((c >>> 1) << 5) | (y << 4) | 0b1010 | z;
    case 0b011:
      return (a << 7) | (0b10 << 5) | (y << 4) | 0b1110 | z;
    case 0b100:
      return ((c >>> 1) << 8) | (x << 7) | (b << 4) | 0b1100 | z;
    case 0b101:
      return ((b >>> 1) << 8) | (x << 7) | (0b01 << 5) | (y << 4) | 0b1110 | z;
    case 0b110:
      return ((c >>> 1) << 8) | (x << 7) | (0b00 << 5) | (y << 4) | 0b1110 | z;
    default:
      return (x << 7) | (0b11 << 5) | (y << 4) | 0b1110 | z;
  }
}

/** The three decimal digits of a declet. */
function unpack(declet: number): number {
  const first = (declet >>> 7) & 7;
  const second = (declet >>> 4) & 7;
  const third = declet & 7;
  const x = first & 1;
  const y = second & 1;
  const z = third & 1;
  const firstHigh = first & 6;
  const secondHigh = second & 6;
  if ((declet & 8) === 0) return (first << 8) | (second << 4) | third;
  switch ((declet >>> 1) & 3) {
    case 0:
      return (first << 8) | (second << 4) | 8 | z;
    case 1:
      return (first << 8) | ((8 | y) << 4) | secondHigh | z;
    case 2:
      return ((8 | x) << 8) | (second << 4) | firstHigh | z;
    default:
      switch (secondHigh) {
        case 0:
          return ((8 | x) << 8) | ((8 | y) << 4) | firstHigh | z;
        case 2:
          return ((8 | x) << 8) | ((firstHigh | y) << 4) | 8 | z;
        case 4:
          return (first << 8) | ((8 | y) << 4) | 8 | z;
        default:
          return ((8 | x) << 8) | ((8 | y) << 4) | 8 | z;
      }
  }
}

/** The two groups of three digits at bits 8..19 and 20..31 of a word as declets at bits 12..21 and 22..31; and back. */
const toDeclets = (word: number): number => (pack((word >>> 12) & 0xfff) << 10) | pack(word & 0xfff);
const toDigits = (word: number): number => (unpack((word >>> 10) & 0x3ff) << 12) | unpack(word & 0x3ff);

/** Six in each digit from which a + b does not carry out, the sum being `sum` and its carry out `carry`. */
function sixes(a: number, b: number, sum: number, carry: number): number {
  // The carry into each bit is a ^ b ^ sum; out of a digit it is the one into the next digit's lowest bit.
  const into = a ^ b ^ sum;
  const out = ((into >>> 4) & 0x0111_1111) | (carry << 28);
  return Math.imul(~out & 0x1111_1111, 6);
}

export const decimalAssistHandlers: HandlerTable = {
  cbcdtd: (word) => {
    cpu.i32[ra(word)] = toDeclets(cpu.i32[rs(word)]);
    cpu.i32[ra(word) + 1] = toDeclets(cpu.i32[rs(word) + 1]);
  },
  cdtbcd: (word) => {
    cpu.i32[ra(word)] = toDigits(cpu.i32[rs(word)]);
    cpu.i32[ra(word) + 1] = toDigits(cpu.i32[rs(word) + 1]);
  },
  addg6s: (word) => {
    const [aLow, aHigh] = [cpu.i32[ra(word)], cpu.i32[ra(word) + 1]];
    const [bLow, bHigh] = [cpu.i32[rb(word)], cpu.i32[rb(word) + 1]];
    const low = (aLow + bLow) | 0;
    const carry = carryOut(aLow, bLow, low);
    const high = (aHigh + bHigh + carry) | 0;
    cpu.i32[rt(word)] = sixes(aLow, bLow, low, carry);
    cpu.i32[rt(word) + 1] = sixes(aHigh, bHigh, high, carryOut(aHigh, bHigh, high));
  },
};
