/** Futexes: words of guest memory on which threads wait (Linux: kernel/futex). */
import type { AddressSpace } from "../memory/address-space.ts";
import { type CallInProgress, type Waiter, WaitQueue } from "./wait-queue.ts";

/** The bits of a waiter that any bit wakes, and of whoever wakes any (FUTEX_BITSET_MATCH_ANY). */
export const ANY_BIT = -1;

/** A thread as futexes know it. */
interface FutexThread extends Waiter {
  readonly tid: number;
  blocked: CallInProgress | null;
  moveTo(from: WaitQueue, to: WaitQueue): void;
}

/** The waiters on one word, oldest first. */
export class Futex extends WaitQueue<FutexThread> {
  private readonly bitsets = new Map<FutexThread, number>();

  /** Adds a waiter, to be parked on this queue. */
  enlist(thread: FutexThread, bitset: number): void {
    if (!this.bitsets.has(thread)) this.bitsets.set(thread, bitset);
  }

  override remove(thread: FutexThread): void {
    super.remove(thread);
    this.bitsets.delete(thread);
  }

  /** Who waits, and for which bits. */
  get enlisted(): ReadonlyMap<FutexThread, number> {
    return this.bitsets;
  }

  /** The first `count` waiters that wait for any of these bits. */
  private first(count: number, bits: number): [FutexThread, number][] {
    const chosen: [FutexThread, number][] = [];
    for (const waiter of this.bitsets) {
      if (chosen.length >= count) break;
      if ((waiter[1] & bits) !== 0) chosen.push(waiter);
    }
    return chosen;
  }

  /** Wakes up to `count` waiters whose bits are among `bitset`; returns how many. */
  wakeBits(count: number, bitset: number): number {
    const chosen = this.first(count, bitset);
    for (const [thread] of chosen) {
      // The call is made again, and sees by this that it is over.
      if (thread.blocked !== null) thread.blocked = { ...thread.blocked, state: { kind: "woken" } };
      thread.wake();
    }
    return chosen.length;
  }

  /** Wakes the oldest waiter, for it to have the lock that this word is; its tid, and whether there are more. */
  handOver(): { tid: number; more: boolean } | undefined {
    const [first] = this.first(1, ANY_BIT);
    if (first === undefined) return undefined;
    const more = this.bitsets.size > 1;
    this.wakeBits(1, ANY_BIT);
    return { tid: first[0].tid, more };
  }

  /** Moves up to `count` waiters to another word, at `address`; returns how many. */
  requeue(count: number, to: Futex, address: number): number {
    const chosen = this.first(count, ANY_BIT);
    // Those who wait there already keep their places.
    if (to === this) return chosen.length;
    for (const [thread, bitset] of chosen) {
      this.remove(thread);
      to.enlist(thread, bitset);
      thread.moveTo(this, to);
      if (thread.blocked !== null)
        thread.blocked = { ...thread.blocked, state: { kind: "requeued", address } };
    }
    return chosen.length;
  }
}

/** Words before those on which nobody waits are looked for. */
const SWEEP_AT = 1024;

/** The futexes of one address space or shared object, by their places there. */
interface Words {
  readonly futexes: Map<number, Futex>;
  sweepAt: number;
}

/** The futexes of a machine: by address space, or for shared memory by object, and place in it. */
export class FutexTable {
  private readonly tables = new WeakMap<object, Words>();

  /** The futex at an address of a process. */
  at({ memory }: { readonly memory: AddressSpace }, address: number): Futex {
    const area = memory.areas.find(address);
    const object = area?.shared ?? memory;
    const place = area?.shared === undefined ? address : area.offset + (address - area.start);
    let words = this.tables.get(object);
    if (words === undefined) this.tables.set(object, (words = { futexes: new Map(), sweepAt: SWEEP_AT }));
    const { futexes } = words;
    const known = futexes.get(place);
    if (known !== undefined) return known;
    if (futexes.size >= words.sweepAt) {
      for (const [key, other] of futexes) if (other.isEmpty) futexes.delete(key);
      // So that a new one costs the same however many have waiters.
      words.sweepAt = Math.max(SWEEP_AT, 2 * futexes.size);
    }
    const futex = new Futex();
    futexes.set(place, futex);
    return futex;
  }
}

export const TID_MASK = 0x3fff_ffff;
export const WAITERS = 0x8000_0000 | 0;
export const OWNER_DIED = 0x4000_0000;
