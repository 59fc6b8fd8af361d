/** How the files beside this one give what instructions are made of. */
import type { Generator } from "../generator.ts";
import { type Code, Op } from "../wasm.ts";

/**
 * Emits an instruction's code. False, with nothing emitted, for words that the interpreter is to execute: invalid forms, rare variants.
 */
export type Emit = (g: Generator, word: number) => false | void;

/** The same of a prefixed instruction. */
export type EmitPrefixed = (g: Generator, prefix: number, suffix: number) => false | void;

/** By the base mnemonics of the instruction table. */
export type Rows = Readonly<Record<string, Emit>>;

/** Register numbers as the fields have them. */
export const RT = (word: number): number => (word >>> 21) & 31;
export const RS = RT;
export const RA = (word: number): number => (word >>> 16) & 31;
export const RB = (word: number): number => (word >>> 11) & 31;
export const RC_ = (word: number): number => (word >>> 6) & 31;
export const BF = (word: number): number => (word >>> 23) & 7;
export const recorded = (word: number): boolean => (word & 1) !== 0;

/** Pops a doubleword: pushes its upper word. */
export function upperWord(code: Code): void {
  code.i64Const(32, 0);
  code.op(Op.i64_shr_u);
  code.op(Op.i32_wrap_i64);
}

/** Pops the result of an instruction for GPR n, and where it has Rc = 1 sets CR0 by it. */
export function give(g: Generator, n: number, word: number): void {
  g.setGpr(n);
  if (recorded(word)) g.record(n);
}
/** The same for a word, which zeros extend. */
export function giveWord(g: Generator, n: number, word: number): void {
  g.setGpr32(n);
  if (recorded(word)) g.record(n);
}

/** Numbers of which it is noted that they are below this: those that are an index, or by how many bits something is shifted. */
const BOUNDED = 0x10_0000;
/** Notes that GPR n, just set, is an unsigned number of no more than `most`. */
export function noteMost(g: Generator, n: number, most: number): void {
  const { base, offset } = g.gprValue(n);
  if (most < BOUNDED && offset === 0) g.values.bound(base, most);
}
/** What GPR n is at the most, as an unsigned number. */
export const mostOf = (g: Generator, n: number): number => g.values.mostOf(g.gprValue(n)) ?? Infinity;
