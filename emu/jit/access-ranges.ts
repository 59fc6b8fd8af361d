/** Which bytes are tested together: those that a block, and the one that follows it as a rule, access at known distances from one value. */
import { PAGE_SIZE } from "../memory/layout.ts";
import { MOST_AHEAD, MOST_INVARIANTS, MOST_LATER } from "../tuning.ts";
import type { Flow, Loop } from "./flow.ts";
import { type Block, End } from "./scan.ts";
import { hasSlot, SET } from "./slots.ts";

/** An access, or several on one value. */
export interface Access {
  readonly base: number;
  readonly low: number;
  readonly high: number;
  readonly isStore: boolean;
}

const STACK_POINTER = 1;

/** The accesses of a block in order, as the first pass over it finds them and the second one meets them. */
export class AccessRanges {
  readonly list: Access[] = [];
  /** Those of blocks that follow, as far as they are on values that this block has. */
  later: readonly Access[] = [];
  private at = 0;

  add(access: Access): Access {
    this.list.push(access);
    return access;
  }
  /** The range that is to be tested where the next access is: with what follows on the same value. */
  next({ base, low: from, isStore }: Access): Access {
    const own = this.list[this.at++];
    let { low, high } = own;
    let stores = isStore;
    const widen = (other: Access, most: number): boolean => {
      if (other.base !== own.base) return false;
      const l = Math.min(low, other.low);
      const h = Math.max(high, other.high);
      if (h - l > most) return false;
      low = l;
      high = h;
      return true;
    };
    // No more than a page: two pages' guards are tested.
    for (let i = this.at; i < this.list.length; i++) {
      if (widen(this.list[i], PAGE_SIZE)) stores ||= this.list[i].isStore;
    }
    for (const other of this.later) {
      if (stores || !other.isStore) widen(other, MOST_AHEAD);
    }
    // The second pass may know the value by another number.
    const shift = from - own.low;
    return { base, low: low + shift, high: high + shift, isStore: stores };
  }
}

/** What a block accesses, by the value numbers of GPRs at its beginning (the first is `entryValue`), and what they hold at its end. */
export interface BlockValues {
  readonly accesses: AccessRanges;
  readonly entryValue: number;
  readonly base: Int32Array;
  readonly offset: Int32Array;
  /** Slots that it changes. */
  readonly dirty: Int32Array;
}

/** Bytes at distances from the sum of what registers hold: those of a loop's accesses are one register's that it leaves alone. */
export interface Range {
  readonly registers: readonly number[];
  readonly low: number;
  readonly high: number;
  readonly isStore: boolean;
}

/** What a loop accesses at every turn by registers that it leaves alone: that is tested once, before it. */
export function testedBefore(loop: Loop, flow: Flow, values: readonly BlockValues[]): readonly Range[] {
  const found: Range[] = [];
  const changed = new Int32Array(SET);
  for (const member of loop.nodes)
    values[member]?.dirty.forEach((bits, w) => {
      changed[w] |= bits;
    });
  for (const node of passedAtEveryTurn(loop, flow)) {
    const block = values[node];
    if (block === undefined) continue;
    for (const { base, low, high, isStore } of block.accesses.list) {
      const register = base - block.entryValue;
      if (register < 0 || register >= 32 || hasSlot(changed, register)) continue;
      addRange(found, { registers: [register], low, high, isStore }, MOST_AHEAD);
    }
  }
  return withoutCovered(found).slice(0, MOST_INVARIANTS);
}

/** The nodes of a loop that are on every way from its header back to it. */
export function passedAtEveryTurn({ header, nodes }: Loop, { edges, idom }: Flow): number[] {
  let common: number[] | undefined;
  for (const latch of nodes) {
    if (!edges[latch].some(({ to, back }) => back && to === header)) continue;
    const passed: number[] = [];
    for (let node = latch; ; node = idom[node]) {
      passed.push(node);
      if (node === header) break;
    }
    common = common === undefined ? passed : common.filter((node) => passed.includes(node));
  }
  return common ?? [];
}

const isSameBase = (a: Range, b: Range): boolean => `${a.registers}` === `${b.registers}`;

/** Those that are not within others: what may be written may be read. */
export function withoutCovered<R extends Range>(ranges: readonly R[]): R[] {
  const isCovered = (inner: R) =>
    ranges.some(
      (outer) =>
        outer.isStore &&
        !inner.isStore &&
        isSameBase(outer, inner) &&
        outer.low <= inner.low &&
        outer.high >= inner.high,
    );
  return ranges.filter((range) => !isCovered(range));
}

/** Adds a range, to one of the same registers if both are within so many bytes. */
export function addRange<R extends Range>(ranges: R[], range: R, most: number): void {
  for (let i = 0; i < ranges.length; i++) {
    const known = ranges[i];
    if (!isSameBase(known, range) || known.isStore !== range.isStore) continue;
    const both = { ...known, low: Math.min(known.low, range.low), high: Math.max(known.high, range.high) };
    if (both.high - both.low > most) continue;
    ranges[i] = both;
    return;
  }
  ranges.push(range);
}

/**
 * Finds for each block the accesses of those that follow it as a rule, where these are reached from it alone; on the stack pointer those of
 * all, after calls too: a frame is tested once.
 */
export function lookAhead(flow: Flow, blocks: readonly Block[], values: readonly BlockValues[]): void {
  const { order, edges, forward, isHeader, loopOf, root } = flow;
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i];
    if (node >= root) continue;
    const found: Access[] = [];
    const { base, offset } = values[node];
    const staying = edges[node].filter(({ to }) => to >= 0 && loopOf[to] === loopOf[node]);
    const isCall = blocks[node].end === End.Call || blocks[node].end === End.IndirectCall;
    for (const { to, back } of edges[node]) {
      if (to < 0 || to >= root || back || forward[to] !== 1 || isHeader[to] !== 0) continue;
      const isUsual = !isCall && staying.length === 1 && staying[0].to === to;
      const { accesses, entryValue } = values[to];
      const take = (list: readonly Access[]) => {
        for (let i = 0; i < list.length && found.length < MOST_LATER; i++) {
          const access = list[i];
          const n = access.base - entryValue;
          if (n < 0 || n >= 32 || (n !== STACK_POINTER && !isUsual)) continue;
          const distance = offset[n];
          const { isStore } = access;
          found.push({ base: base[n], low: access.low + distance, high: access.high + distance, isStore });
        }
      };
      take(accesses.list);
      take(accesses.later);
    }
    values[node].accesses.later = found;
  }
}
