/** Fixed-point logical instructions: Power ISA 3.0B, I.3.3.13 and I.3.3.13.1. */
import { RC, ra, rb, rs, ui } from "../fields.ts";
import { record } from "../flags.ts";
import type { HandlerTable } from "../handler.ts";
import { cpu } from "../views.ts";

const countTrailingZeros = (value: number): number => (value === 0 ? 32 : 31 - Math.clz32(value & -value));

/** Each byte's number of bits set, in that byte. */
function populationOfBytes(value: number): number {
  value -= (value >>> 1) & 0x5555_5555;
  value = (value & 0x3333_3333) + ((value >>> 2) & 0x3333_3333);
  return (value + (value >>> 4)) & 0x0f0f_0f0f;
}
const population = (value: number): number => Math.imul(populationOfBytes(value), 0x0101_0101) >>> 24;

/** The parity of the least significant bits of the bytes. */
const parity = (value: number): number => (value ^ (value >>> 8) ^ (value >>> 16) ^ (value >>> 24)) & 1;

/** 0xFF for each byte in which the operands agree. */
function equalBytes(a: number, b: number): number {
  const differing = a ^ b;
  let result = 0;
  for (let mask = 0xff; mask !== 0; mask <<= 8) if ((differing & mask) === 0) result |= mask;
  return result;
}

const give = (word: number, low: number, high: number) => {
  cpu.i32[ra(word)] = low;
  cpu.i32[ra(word) + 1] = high;
};
const giveRc = (word: number, low: number, high: number) => {
  cpu.i32[ra(word)] = low;
  cpu.i32[ra(word) + 1] = high;
  if ((word & RC) !== 0) record(low, high);
};
const sLow = (word: number) => cpu.i32[rs(word)];
const sHigh = (word: number) => cpu.i32[rs(word) + 1];
const bLow = (word: number) => cpu.i32[rb(word)];
const bHigh = (word: number) => cpu.i32[rb(word) + 1];

export const logicalHandlers: HandlerTable = {
  "andi.": (word) => {
    const result = sLow(word) & ui(word);
    give(word, result, 0);
    record(result, 0);
  },
  "andis.": (word) => {
    const result = sLow(word) & (word << 16);
    give(word, result, 0);
    record(result, 0);
  },
  ori: (word) => give(word, sLow(word) | ui(word), sHigh(word)),
  oris: (word) => give(word, sLow(word) | (word << 16), sHigh(word)),
  xori: (word) => give(word, sLow(word) ^ ui(word), sHigh(word)),
  xoris: (word) => give(word, sLow(word) ^ (word << 16), sHigh(word)),
  and: (word) => giveRc(word, sLow(word) & bLow(word), sHigh(word) & bHigh(word)),
  xor: (word) => giveRc(word, sLow(word) ^ bLow(word), sHigh(word) ^ bHigh(word)),
  nand: (word) => giveRc(word, ~(sLow(word) & bLow(word)), ~(sHigh(word) & bHigh(word))),
  or: (word) => giveRc(word, sLow(word) | bLow(word), sHigh(word) | bHigh(word)),
  nor: (word) => giveRc(word, ~(sLow(word) | bLow(word)), ~(sHigh(word) | bHigh(word))),
  andc: (word) => giveRc(word, sLow(word) & ~bLow(word), sHigh(word) & ~bHigh(word)),
  eqv: (word) => giveRc(word, ~(sLow(word) ^ bLow(word)), ~(sHigh(word) ^ bHigh(word))),
  orc: (word) => giveRc(word, sLow(word) | ~bLow(word), sHigh(word) | ~bHigh(word)),

  extsb: (word) => giveRc(word, (sLow(word) << 24) >> 24, (sLow(word) << 24) >> 31),
  extsh: (word) => giveRc(word, (sLow(word) << 16) >> 16, (sLow(word) << 16) >> 31),
  extsw: (word) => giveRc(word, sLow(word), sLow(word) >> 31),
  cntlzw: (word) => giveRc(word, Math.clz32(sLow(word)), 0),
  cnttzw: (word) => giveRc(word, countTrailingZeros(sLow(word)), 0),
  cntlzd: (word) =>
    giveRc(word, sHigh(word) !== 0 ? Math.clz32(sHigh(word)) : 32 + Math.clz32(sLow(word)), 0),
  cnttzd: (word) =>
    giveRc(word, sLow(word) !== 0 ? countTrailingZeros(sLow(word)) : 32 + countTrailingZeros(sHigh(word)), 0),
  cmpb: (word) => give(word, equalBytes(sLow(word), bLow(word)), equalBytes(sHigh(word), bHigh(word))),
  popcntb: (word) => give(word, populationOfBytes(sLow(word)), populationOfBytes(sHigh(word))),
  popcntw: (word) => give(word, population(sLow(word)), population(sHigh(word))),
  popcntd: (word) => give(word, population(sLow(word)) + population(sHigh(word)), 0),
  prtyw: (word) => give(word, parity(sLow(word)), parity(sHigh(word))),
  prtyd: (word) => give(word, parity(sLow(word)) ^ parity(sHigh(word)), 0),
  /** Byte i of RS, counted from the most significant, selects the bit of RB that becomes bit 56 + i of RA. */
  bpermd: (word) => {
    const upperSelectors = sHigh(word);
    const upper = bHigh(word);
    let result = 0;
    for (let i = 0; i < 8; i++) {
      const selector = ((i < 4 ? upperSelectors : sLow(word)) >>> (24 - 8 * (i & 3))) & 0xff;
      const from = selector < 32 ? upper : selector < 64 ? bLow(word) : 0;
      result = (result << 1) | ((from >>> (31 - (selector & 31))) & 1);
    }
    give(word, result, 0);
  },
};
