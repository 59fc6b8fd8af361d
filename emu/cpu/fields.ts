/**
 * Instruction fields as handlers use them: for a register the index of its low word in `Registers.i32`; the high word
 * follows it.
 */
import { ZERO } from "./registers.ts";

export const rt = (word: number): number => (word >> 20) & 62;
/** RS has the place of RT. */
export const rs = rt;
/** Whether RT can be the first register of a pair: it is even. */
export const isPair = (word: number): boolean => (rt(word) & 2) === 0;
export const ra = (word: number): number => (word >> 15) & 62;
export const rb = (word: number): number => (word >> 10) & 62;
/** RC of the VA form, which has the place of BC. */
export const rc = (word: number): number => (word >> 5) & 62;
/** (RA|0): for RA = 0 the doubleword that is always zero. */
export const ra0 = (word: number): number => (word >> 15) & 62 || ZERO / 4;

/** The signed immediate. */
export const si = (word: number): number => (word << 16) >> 16;
/** The unsigned immediate. */
export const ui = (word: number): number => word & 0xffff;

/** The CR field BF. */
export const bf = (word: number): number => (word >>> 23) & 7;
export const bfa = (word: number): number => (word >>> 18) & 7;
/** The CR bits BT, BA and BB. */
export const bt = (word: number): number => (word >>> 21) & 31;
export const ba = (word: number): number => (word >>> 16) & 31;
export const bb = (word: number): number => (word >>> 11) & 31;
/** When a branch is taken, and the CR bit that it looks at. */
export const bo = bt;
export const bi = ba;
/** Bits of BO: do not test CR(BI); the value to branch on; do not decrement CTR; branch when it has become zero. */
export const IGNORE_CR = 16;
export const CR_VALUE = 8;
export const IGNORE_CTR = 4;
export const CTR_ZERO = 2;
/** Those of branches that are always taken. */
export const ALWAYS = IGNORE_CR | IGNORE_CTR;
/** The relations in which operands trap. */
export const to = bt;
/** The count of M and X forms. */
export const sh = bb;

/** The six-bit SH of MD and XS forms, and MB or ME, whose most significant bit comes last. */
export const sh6 = (word: number): number => ((word >> 11) & 31) | ((word & 2) << 4);
export const mb6 = (word: number): number => ((word >> 6) & 31) | (word & 32);

/** The SPR (or TBR) number, whose halves are exchanged in the word. */
export const spr = (word: number): number => ((word >>> 16) & 31) | ((word >>> 6) & 0x3e0);

/** Word bit 31 of the forms that have it: set CR0 from the result. */
export const RC = 1;
/** Word bit 31 of branches: set LR. */
export const LK = 1;
/** Word bit 30 of branches: the target is absolute. */
export const AA = 2;
/** Word bit 21 of XO forms: set OV and SO. */
export const OE = 0x400;
/** Word bit 10 of compares: the operands are doublewords. */
export const L = 0x20_0000;
