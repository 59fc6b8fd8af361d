/** Fixed-point rotate and shift instructions: Power ISA 3.0B, I.3.3.14. */
import { mb6, RC, ra, rb, rs, sh, sh6 } from "../fields.ts";
import { record, setCarry } from "../flags.ts";
import type { HandlerTable } from "../handler.ts";
import { highFrom, highThrough, lowFrom, lowThrough, maskHigh, maskLow, wordMask } from "../masks.ts";
import { cpu } from "../views.ts";

const rotateLeft = (value: number, by: number): number => (value << by) | (value >>> -by);

/** What `wordMask` gives, at (mb << 5) | me. */
const WORD_MASKS = Int32Array.from({ length: 1024 }, (_, fields) => wordMask(fields >> 5, fields & 31));
const maskOf = (word: number): number => WORD_MASKS[(word >> 1) & 0x3ff];
/** The high 32 bits of that mask: where it goes around the end all of them, otherwise none. */
const maskHighOf = (word: number): number => (((word >> 1) & 31) - ((word >> 6) & 31)) >> 31;

const give = (word: number, low: number, high: number) => {
  cpu.i32[ra(word)] = low;
  cpu.i32[ra(word) + 1] = high;
  if ((word & RC) !== 0) record(low | 0, high | 0);
};
/** RA <- ROTL32((RS), n) & MASK(MB + 32, ME + 32); ROTL32 has the rotated word in both halves. */
const rotateWord = (word: number, n: number) => {
  const rotated = rotateLeft(cpu.i32[rs(word)], n);
  give(word, rotated & maskOf(word), rotated & maskHighOf(word));
};
/** The halves of ROTL64((RS), n): shifts by 32 are made of two, for JavaScript shifts by n modulo 32. */
const near = (word: number, n: number) => cpu.i32[rs(word) + (n >> 5)];
const far = (word: number, n: number) => cpu.i32[rs(word) + (1 - (n >> 5))];
const rotatedLow = (word: number, n: number) => (near(word, n) << n) | ((far(word, n) >>> 1) >>> ~n);
const rotatedHigh = (word: number, n: number) => (far(word, n) << n) | ((near(word, n) >>> 1) >>> ~n);
const clearLeft = (word: number, n: number) => {
  const mb = mb6(word);
  give(word, rotatedLow(word, n) & lowFrom(mb), rotatedHigh(word, n) & highFrom(mb));
};
const clearRight = (word: number, n: number) => {
  const me = mb6(word);
  give(word, rotatedLow(word, n) & lowThrough(me), rotatedHigh(word, n) & highThrough(me));
};
/** CA is set if the value is negative and one of the bits shifted out is not zero. */
function shiftRightAlgebraicWord(word: number, n: number): void {
  const value = cpu.i32[rs(word)];
  const sign = value >> 31;
  const lost = n < 32 ? value & ~(-1 << n) : value;
  const result = n < 32 ? value >> n : sign;
  const carry = sign !== 0 && lost !== 0 ? 1 : 0;
  setCarry(carry, carry);
  give(word, result, sign);
}

function shiftRightAlgebraicDoubleword(word: number, n: number): void {
  const low = cpu.i32[rs(word)];
  const high = cpu.i32[rs(word) + 1];
  const sign = high >> 31;
  let lost: number;
  let resultLow: number;
  let resultHigh: number;
  if (n < 32) {
    lost = low & ~(-1 << n);
    resultLow = (low >>> n) | ((high << 1) << ~n);
    resultHigh = high >> n;
  } else {
    lost = low | (n < 64 ? high & ~(-1 << n) : high);
    resultLow = n < 64 ? high >> n : sign;
    resultHigh = sign;
  }
  const carry = sign !== 0 && lost !== 0 ? 1 : 0;
  setCarry(carry, carry);
  give(word, resultLow, resultHigh);
}

export const rotateHandlers: HandlerTable = {
  rlwinm: (word) => rotateWord(word, sh(word)),
  rlwnm: (word) => rotateWord(word, cpu.i32[rb(word)] & 31),
  rlwimi: (word) => {
    const rotated = rotateLeft(cpu.i32[rs(word)], sh(word));
    const low = maskOf(word);
    const high = maskHighOf(word);
    give(
      word,
      (rotated & low) | (cpu.i32[ra(word)] & ~low),
      (rotated & high) | (cpu.i32[ra(word) + 1] & ~high),
    );
  },
  rldicl: (word) => clearLeft(word, sh6(word)),
  rldcl: (word) => clearLeft(word, cpu.i32[rb(word)] & 63),
  rldicr: (word) => clearRight(word, sh6(word)),
  rldcr: (word) => clearRight(word, cpu.i32[rb(word)] & 63),
  rldic: (word) => {
    const n = sh6(word);
    const low = maskLow(mb6(word), 63 - n);
    const high = maskHigh(mb6(word), 63 - n);
    give(word, rotatedLow(word, n) & low, rotatedHigh(word, n) & high);
  },
  rldimi: (word) => {
    const n = sh6(word);
    const low = maskLow(mb6(word), 63 - n);
    const high = maskHigh(mb6(word), 63 - n);
    give(
      word,
      (rotatedLow(word, n) & low) | (cpu.i32[ra(word)] & ~low),
      (rotatedHigh(word, n) & high) | (cpu.i32[ra(word) + 1] & ~high),
    );
  },

  slw: (word) => {
    const n = cpu.i32[rb(word)] & 63;
    give(word, n < 32 ? cpu.i32[rs(word)] << n : 0, 0);
  },
  srw: (word) => {
    const n = cpu.i32[rb(word)] & 63;
    give(word, n < 32 ? cpu.i32[rs(word)] >>> n : 0, 0);
  },
  srawi: (word) => shiftRightAlgebraicWord(word, sh(word)),
  sraw: (word) => shiftRightAlgebraicWord(word, cpu.i32[rb(word)] & 63),
  sld: (word) => {
    const n = cpu.i32[rb(word)] & 127;
    const low = cpu.i32[rs(word)];
    const high = cpu.i32[rs(word) + 1];
    if (n < 32) give(word, low << n, (high << n) | ((low >>> 1) >>> ~n));
    else give(word, 0, n < 64 ? low << n : 0);
  },
  srd: (word) => {
    const n = cpu.i32[rb(word)] & 127;
    const low = cpu.i32[rs(word)];
    const high = cpu.i32[rs(word) + 1];
    if (n < 32) give(word, (low >>> n) | ((high << 1) << ~n), high >>> n);
    else give(word, n < 64 ? high >>> n : 0, 0);
  },
  sradi: (word) => shiftRightAlgebraicDoubleword(word, sh6(word)),
  srad: (word) => shiftRightAlgebraicDoubleword(word, cpu.i32[rb(word)] & 127),
  extswsli: (word) => {
    const n = sh6(word);
    const low = cpu.i32[rs(word)];
    const high = low >> 31;
    if (n < 32) give(word, low << n, (high << n) | ((low >>> 1) >>> ~n));
    else give(word, 0, low << n);
  },
};
