/**
 * What is known of each page, and the two guard tables that follow from it: a byte a page for loads and one for
 * stores, zero meaning go ahead, anything else that the slow path must look.
 */
import type { Storage } from "./byte-order.ts";
import { GUARD_TABLE_SIZE, PAGE_SIZE, READ_GUARD_OFFSET, WRITE_GUARD_OFFSET } from "./layout.ts";
import { PROT_WRITE } from "./vma.ts";
import type { BulkAccess } from "./wasm-memory.ts";

/** State of a page: PROT_* in the low three bits, and these. */
export const PROTECTION = 0x07;
export const MAPPED = 0x08;
/** Its bytes are not here yet: to be read from the file or fetched from another mapping. */
export const ABSENT = 0x10;
/** Written by the guest or the personality since it was mapped. */
export const TOUCHED = 0x20;
/** Written since `clearDirty`. */
export const DIRTY = 0x40;
/** Somebody holds decoded or translated instructions of it. */
export const CODE = 0x80;
/** Absent, and to be had from the address space that this one was forked from. */
export const INHERITED = 0x100;
/** A forked address space may still want it as it is: the next store must be seen. */
export const LENT = 0x200;
/** The frame of a far page: the guard forbids accesses at its own address. */
export const FAR = 0x400;
/** Loads are not among what the protection allows: see `AddressSpaceOptions.hasExecuteOnly`. */
export const NO_LOADS = 0x800;

/** In place of zero in the guards of far pages: go ahead, if you come by way of the far map. */
export const FAR_GO = 0x80;

export class PageTable {
  readonly readGuard: Uint8Array;
  readonly writeGuard: Uint8Array;
  private readonly states: Uint16Array;
  /** Pages with a watchpoint: every access to them takes the slow path. */
  private watched: ReadonlySet<number> = new Set();
  /** How often a guard may have gone from zero to something: whatever relies on a zero seen before is wrong since. */
  raised = 0;

  private readonly bulk: BulkAccess;

  constructor({ memory, bulk, size }: Storage) {
    const { buffer } = memory;
    this.readGuard = new Uint8Array(buffer, READ_GUARD_OFFSET, GUARD_TABLE_SIZE);
    this.writeGuard = new Uint8Array(buffer, WRITE_GUARD_OFFSET, GUARD_TABLE_SIZE);
    this.states = new Uint16Array(size / PAGE_SIZE);
    this.bulk = bulk;
    this.fillGuard(this.readGuard, 1, 0, GUARD_TABLE_SIZE);
    this.fillGuard(this.writeGuard, 1, 0, GUARD_TABLE_SIZE);
  }

  private fillGuard(guard: Uint8Array, value: number, first: number, end: number): void {
    this.bulk.fill(guard.byteOffset + first, value, end - first);
  }

  /** The state of a page; of one beyond the end, unmapped. */
  get(page: number): number {
    return page < this.states.length ? this.states[page] : 0;
  }

  /** Sets the state of a page. */
  set(page: number, state: number): void {
    this.states[page] = state;
    const watched = this.watched.has(page);
    const before = this.readGuard[page] | (this.writeGuard[page] << 1);
    this.readGuard[page] = watched ? 1 : readGuardOf(state);
    this.writeGuard[page] = watched ? 1 : writeGuardOf(state);
    if (((this.readGuard[page] | (this.writeGuard[page] << 1)) & ~before) !== 0) this.raised++;
  }

  /** Whether any page is watched. */
  get isWatched(): boolean {
    return this.watched.size > 0;
  }

  /** Gives the pages from `first` to before `end` one state. */
  fill(first: number, end: number, state: number): void {
    this.raised++;
    this.states.fill(state, first, end);
    this.fillGuard(this.readGuard, readGuardOf(state), first, end);
    this.fillGuard(this.writeGuard, writeGuardOf(state), first, end);
    for (const page of this.watched) if (page >= first && page < end) this.set(page, state);
  }

  /** Those of the pages from `first` to before `end` that have any of the bits. */
  having(bits: number, first: number, end: number): number[] {
    const found: number[] = [];
    for (let page = first; page < end; page++) if (this.states[page] & bits) found.push(page);
    return found;
  }

  /**
   * A fork: of the pages from `first` to before `end` those with contents of their own are lent to `heir`, whose
   * pages are as before their first use.
   */
  lend(heir: PageTable, first: number, end: number): void {
    const { states } = this;
    for (let page = first; page < end; page++) {
      const state = states[page];
      if ((state & TOUCHED) === 0) continue;
      states[page] = state | LENT;
      heir.states[page] = (state & ~(CODE | LENT)) | ABSENT | INHERITED;
      heir.readGuard[page] = 1;
    }
    // Pages that are not lent wait for their first store anyway.
    this.fillGuard(this.writeGuard, 1, first, end);
    heir.fillGuard(heir.writeGuard, 1, first, end);
  }

  /** Makes every access to these pages, and to no others, take the slow path. */
  watch(pages: ReadonlySet<number>): void {
    const old = this.watched;
    this.watched = pages;
    for (const at of [...old, ...pages]) if (at < this.states.length) this.set(at, this.get(at));
  }
}

/** What the guard of a page is where there is nothing to look at. */
const goOf = (state: number): number => ((state & FAR) === 0 ? 0 : FAR_GO);

/** Whether a page has contents, be they still its parent's. */
export const isPresent = (state: number): boolean => (state & ABSENT) === 0 || (state & INHERITED) !== 0;

/** Whether a page has contents of its own: written, or restored from an image. */
export const isOwn = (state: number): boolean => (state & TOUCHED) !== 0 && isPresent(state);

/** Whether loads are allowed. In the sense of Power's page protection any permission allows them. */
export const allowsLoads = (state: number): boolean => (state & PROTECTION) !== 0 && (state & NO_LOADS) === 0;

const readGuardOf = (state: number): number =>
  (state & (MAPPED | ABSENT)) === MAPPED && allowsLoads(state) ? goOf(state) : 1;

/** The first store since the page was mapped or found clean, and any into code or into what is lent, must be seen. */
const writeGuardOf = (state: number): number =>
  (state & (MAPPED | ABSENT | PROT_WRITE | DIRTY | CODE | LENT)) === (MAPPED | PROT_WRITE | DIRTY)
    ? goOf(state)
    : 1;
