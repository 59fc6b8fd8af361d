/**
 * Fixed-point division and remainder: Power ISA 3.0B, I.3.3.9 and I.3.3.9.1. Where the manual leaves the result undefined (a zero
 * divisor, a quotient that doesn't fit) RT becomes zero, and so does the high half of a word's, as outputs recorded on POWER
 * processors have it.
 */
import { OE, RC, ra, rb, rt } from "../fields.ts";
import { record, setOverflow } from "../flags.ts";
import type { Handler, HandlerTable } from "../handler.ts";
import { cpu, random } from "../views.ts";

const LEAST_WORD = -0x8000_0000;

const giveWord = (word: number, low: number, overflow: number) => {
  cpu.i32[rt(word)] = low;
  cpu.i32[rt(word) + 1] = 0;
  end(word, overflow);
};
const end = (word: number, overflow: number) => {
  if ((word & OE) !== 0) setOverflow(overflow, overflow);
  if ((word & RC) !== 0) record(cpu.i32[rt(word)], cpu.i32[rt(word) + 1]);
};
/** A division of 64-bit registers whose quotient may not exist or not fit. */
const wide = (quotient: (a: number, b: number) => bigint | undefined): Handler => {
  return (word) => {
    const result = quotient(ra(word) >> 1, rb(word) >> 1);
    cpu.i64[rt(word) >> 1] = result ?? 0n;
    end(word, result === undefined ? 1 : 0);
  };
};
const signed = (dividend: bigint, divisor: bigint): bigint | undefined => {
  if (divisor === 0n) return undefined;
  const quotient = dividend / divisor;
  return BigInt.asIntN(64, quotient) === quotient ? quotient : undefined;
};
const unsigned = (dividend: bigint, divisor: bigint): bigint | undefined => {
  if (divisor === 0n) return undefined;
  const quotient = dividend / divisor;
  return quotient >> 64n === 0n ? quotient : undefined;
};

export const divideHandlers: HandlerTable = {
  divw: (word) => {
    const a = cpu.i32[ra(word)];
    const b = cpu.i32[rb(word)];
    const undefinedResult = b === 0 || (a === LEAST_WORD && b === -1);
    giveWord(word, undefinedResult ? 0 : (a / b) | 0, undefinedResult ? 1 : 0);
  },
  divwu: (word) => {
    const a = cpu.u32[ra(word)];
    const b = cpu.u32[rb(word)];
    giveWord(word, b === 0 ? 0 : (a / b) >>> 0, b === 0 ? 1 : 0);
  },
  /** The dividend is RA || 0x0000_0000. */
  divwe: (word) => {
    const a = cpu.i32[ra(word)];
    const b = cpu.i32[rb(word)];
    const quotient = b === 0 ? undefined : (BigInt(a) << 32n) / BigInt(b);
    const fits = quotient !== undefined && BigInt.asIntN(32, quotient) === quotient;
    giveWord(word, fits ? Number(quotient) : 0, fits ? 0 : 1);
  },
  divweu: (word) => {
    const a = cpu.u32[ra(word)];
    const b = cpu.u32[rb(word)];
    const fits = a < b;
    giveWord(word, fits ? Number((BigInt(a) << 32n) / BigInt(b)) : 0, fits ? 0 : 1);
  },
  modsw: (word) => {
    const a = cpu.i32[ra(word)];
    const b = cpu.i32[rb(word)];
    cpu.i32[rt(word)] = b === 0 || b === -1 ? 0 : a % b;
    cpu.i32[rt(word) + 1] = 0;
  },
  moduw: (word) => {
    const b = cpu.u32[rb(word)];
    cpu.i32[rt(word)] = b === 0 ? 0 : cpu.u32[ra(word)] % b;
    cpu.i32[rt(word) + 1] = 0;
  },

  divd: wide((a, b) => signed(cpu.i64[a], cpu.i64[b])),
  divdu: wide((a, b) => unsigned(cpu.u64[a], cpu.u64[b])),
  divde: wide((a, b) => signed(cpu.i64[a] << 64n, cpu.i64[b])),
  divdeu: wide((a, b) => unsigned(cpu.u64[a] << 64n, cpu.u64[b])),
  modsd: (word) => {
    const b = cpu.i64[rb(word) >> 1];
    cpu.i64[rt(word) >> 1] = b === 0n || b === -1n ? 0n : cpu.i64[ra(word) >> 1] % b;
  },
  modud: (word) => {
    const b = cpu.u64[rb(word) >> 1];
    cpu.u64[rt(word) >> 1] = b === 0n ? 0n : cpu.u64[ra(word) >> 1] % b;
  },
  /** L = 0: a word; 1 and 2: a doubleword. 3 is reserved and gives the value for an error. */
  darn: (word) => {
    const l = (word >>> 16) & 3;
    cpu.i64[rt(word) >> 1] = l === 3 ? -1n : l === 0 ? random() & 0xffff_ffffn : random();
  },
};
