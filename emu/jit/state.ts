/** What is known, while code is generated, about the guest's registers at one place. */
import { MOST_FACTS } from "../tuning.ts";
import { addSlot, hasSlot, lowest, SET } from "./slots.ts";
import type { Value } from "./values.ts";

/** How a CR field that is not computed yet follows from two operands. */
export const Lazy = { None: 0, Signed32: 1, Unsigned32: 2, Signed64: 3, Unsigned64: 4, Float: 5 } as const;
export type Lazy = (typeof Lazy)[keyof typeof Lazy];

/** Bits beside a field's kind in its first word. */
const IS_EITHER = 0x100;
const IS_CONSTANT = 0x200;

/**
 * Of each CR field that is not computed yet: its kind, and the locals of its operands; the second may be a constant. A field that `isEither`
 * follows from them only where its slot's local is negative, else that holds it.
 */
export class Fields {
  /** A bit for each field that is not computed yet. */
  lazy = 0;
  /** Of those: the kinds, the first operands, the second ones. In one piece: copies are made at every branch. */
  private readonly words = new Int32Array(24);

  clear(): void {
    this.lazy = 0;
  }
  copy(from: Fields): this {
    this.lazy = from.lazy;
    if (from.lazy !== 0) this.words.set(from.words);
    return this;
  }
  copyField(field: number, from: Fields): void {
    if (!from.isLazy(field)) {
      this.setComputed(field);
      return;
    }
    this.lazy |= 1 << field;
    for (let at = field; at < 24; at += 8) this.words[at] = from.words[at];
  }
  isLazy(field: number): boolean {
    return (this.lazy & (1 << field)) !== 0;
  }
  kind(field: number): Lazy {
    return this.isLazy(field) ? ((this.words[field] & 0xff) as Lazy) : Lazy.None;
  }
  a(field: number): number {
    return this.words[8 + field];
  }
  b(field: number): number {
    return this.words[16 + field];
  }
  isEither(field: number): boolean {
    return (this.words[field] & IS_EITHER) !== 0;
  }
  isConstant(field: number): boolean {
    return (this.words[field] & IS_CONSTANT) !== 0;
  }
  /** Notes that a field follows from its operands. */
  follows(field: number, kind: Lazy, a: number, b: number, isConstant: boolean): void {
    this.lazy |= 1 << field;
    this.words[field] = isConstant ? kind | IS_CONSTANT : kind;
    this.words[8 + field] = a;
    this.words[16 + field] = b;
  }
  setComputed(field: number): void {
    this.lazy &= ~(1 << field);
  }
  makeEither(field: number): void {
    this.words[field] |= IS_EITHER;
  }
  /** The second operand is in a local. */
  takeFrom(field: number, local: number): void {
    this.words[field] &= ~IS_CONSTANT;
    this.words[16 + field] = local;
  }
  /** Whether the comparison that is to be made for a field here is the same there. */
  isIn(field: number, other: Fields): boolean {
    if (!this.isLazy(field) || !other.isLazy(field)) return false;
    const mine = this.words;
    const theirs = other.words;
    return (
      ((mine[field] ^ theirs[field]) & ~IS_EITHER) === 0 &&
      mine[8 + field] === theirs[8 + field] &&
      mine[16 + field] === theirs[16 + field]
    );
  }
  /** Whether the comparisons that are to be made here are the same there; where a field is either, it can be made so. */
  areIn(other: Fields): boolean {
    for (let left = this.lazy; left !== 0; left &= left - 1) {
      const field = lowest(left);
      if (!this.isEither(field) && (!this.isIn(field, other) || other.isEither(field))) return false;
    }
    return true;
  }
}

/** Words of a state before those that say what is known about values, and of those. */
const ABOUT_LOCALS = 2 * SET + 2;
const ABOUT_VALUES = 2 + 2 * 32 + 4 * MOST_FACTS;

export class State {
  /** All that follows, side by side: a copy is made at every branch, and is one copy so. */
  private readonly words = new Int32Array(ABOUT_LOCALS + ABOUT_VALUES);
  private readonly known = this.words.subarray(ABOUT_LOCALS);
  /** Slots whose local holds the register's value, and those of them that the register block does not have yet. */
  readonly valid = this.words.subarray(0, SET);
  readonly dirty = this.words.subarray(SET, 2 * SET);
  readonly fields = new Fields();
  /** VSRs that are in their locals as they are in the register block (but for FPRs in locals of their own). */
  readonly vectors = this.words.subarray(2 * SET, ABOUT_LOCALS);
  /** VSRs of which doubleword 0 is known to be a number of the single format. */
  readonly singles = this.known.subarray(0, 2);
  /** GPR n holds value number `base[n]` plus `offset[n]`. */
  readonly base = this.known.subarray(2, 34);
  readonly offset = this.known.subarray(34, 66);
  /** Ranges of addresses, by value number, that are known to have passed the guards. */
  readonly factBase = this.facts(0);
  readonly factLow = this.facts(1);
  readonly factHigh = this.facts(2);
  readonly factStore = this.facts(3);
  factNext = 0;
  /** FPSCR's mode is known to be the one that floating-point code here is made for. */
  modeChecked = false;

  private static readonly pool: State[] = [];
  /** A copy, of one that has been given back if there is such. */
  static copyOf(from: State): State {
    return (State.pool.pop() ?? new State()).copy(from);
  }
  /** For a state that nobody uses any more. */
  giveBack(): void {
    State.pool.push(this);
  }

  private facts(n: number): Int32Array {
    return this.known.subarray(66 + n * MOST_FACTS, 66 + (n + 1) * MOST_FACTS);
  }

  copy(from: State): this {
    this.words.set(from.words);
    this.fields.copy(from.fields);
    this.factNext = from.factNext;
    this.modeChecked = from.modeChecked;
    return this;
  }
  copyValues(from: State): void {
    this.known.set(from.known);
    this.factNext = from.factNext;
  }

  /** Leaves of what is known about values what is known there too. */
  meet(other: State, newValue: () => number): void {
    for (let n = 0; n < 32; n++) {
      if (this.base[n] === other.base[n] && this.offset[n] === other.offset[n]) continue;
      this.base[n] = newValue();
      this.offset[n] = 0;
    }
    for (let i = 0; i < MOST_FACTS; i++) {
      if (this.factBase[i] === 0) continue;
      const isStore = this.factStore[i] !== 0;
      if (!other.isChecked(this.factBase[i], this.factLow[i], this.factHigh[i], isStore))
        this.factBase[i] = 0;
    }
    this.modeChecked &&= other.modeChecked;
    for (let w = 0; w < 2; w++) this.singles[w] &= other.singles[w];
  }
  /** Whether an address from what GPR n holds has been tested. */
  isBaseOfFacts(n: number): boolean {
    return this.factBase.includes(this.base[n]);
  }
  /** The bytes that have passed the guard of loads, or of stores, with those from `low` up to `high` from a value. */
  rangeWith(
    base: number,
    low: number,
    high: number,
    isStore: boolean,
  ): { low: number; high: number } | undefined {
    for (let i = 0; i < MOST_FACTS; i++) {
      if (this.factBase[i] !== base || this.factLow[i] > low || this.factHigh[i] < high) continue;
      if (!isStore || this.factStore[i] !== 0) return { low: this.factLow[i], high: this.factHigh[i] };
    }
    return undefined;
  }
  isChecked(base: number, low: number, high: number, isStore: boolean): boolean {
    return this.rangeWith(base, low, high, isStore) !== undefined;
  }
  /** Notes that bytes from what a register holds have passed. */
  addRange({ base, offset }: Value, low: number, high: number, isStore: boolean): void {
    if (this.isChecked(base, offset + low, offset + high, isStore)) return;
    this.addFact(base, offset + low, offset + high, isStore);
  }
  addFact(base: number, low: number, high: number, isStore: boolean): void {
    const i = this.factNext;
    this.factNext = (i + 1) % MOST_FACTS;
    this.factBase[i] = base;
    this.factLow[i] = low;
    this.factHigh[i] = high;
    this.factStore[i] = isStore ? 1 : 0;
  }
  has(slot: number): boolean {
    return hasSlot(this.valid, slot);
  }
  hasVector(n: number): boolean {
    return (this.vectors[n >> 5] & (1 << (n & 31))) !== 0;
  }
  isSingle(n: number): boolean {
    return (this.singles[n >> 5] & (1 << (n & 31))) !== 0;
  }
  noteSingle(n: number): void {
    this.singles[n >> 5] |= 1 << (n & 31);
  }
  forgetSingle(n: number): void {
    this.singles[n >> 5] &= ~(1 << (n & 31));
  }
  isDirty(slot: number): boolean {
    return hasSlot(this.dirty, slot);
  }
  define(slot: number): void {
    addSlot(this.valid, slot);
    addSlot(this.dirty, slot);
  }
  makeValid(slot: number): void {
    addSlot(this.valid, slot);
  }
}
