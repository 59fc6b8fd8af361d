/** Futexes: words of guest memory on which threads wait (Linux: kernel/futex). */
import { ignoringFaults } from "../cpu/fault.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import { type CallInProgress, type CallState, type Waiter, type WaitFor, WaitQueue } from "./wait-queue.ts";

/** The bits of a waiter that any bit wakes, and of whoever wakes any (FUTEX_BITSET_MATCH_ANY). */
export const ANY_BIT = -1;

/** Bits of a word that is a lock with priority inheritance, or a robust one. */
export const TID_MASK = 0x3fff_ffff;
export const WAITERS = 0x8000_0000 | 0;
export const OWNER_DIED = 0x4000_0000;

/** A thread as futexes know it. */
interface FutexThread extends Waiter {
  readonly tid: number;
  readonly process: { readonly memory: AddressSpace };
  blocked: CallInProgress | null;
  moveTo(from: WaitQueue, to: WaitQueue, changes?: Partial<WaitFor>): void;
}

/** What a thread waits for on a word. */
export type FutexWait =
  /** To be woken for any of these bits. */
  | { readonly kind: "value"; readonly bits: number; readonly among?: FutexList }
  /** To be given the lock that the word is, at this address of its own. */
  | { readonly kind: "lock"; readonly address: number }
  /** To be moved to that lock (FUTEX_WAIT_REQUEUE_PI). */
  | { readonly kind: "condition"; readonly lock: number };

/** The word is one of several that a thread waits on, which are at these addresses (futex_waitv). */
interface FutexList {
  readonly index: number;
  readonly addresses: readonly number[];
}

/** Where a waiter is after it has been moved to `address`. */
function movedState(wait: FutexWait, state: CallState, address: number): CallState {
  const among = wait.kind === "value" ? wait.among : undefined;
  if (among === undefined) return { kind: "requeued", address };
  const addresses = [...(state.kind === "words" ? state.addresses : among.addresses)];
  addresses[among.index] = address;
  return { kind: "words", addresses };
}

/** The waiters on one word, oldest first. */
export class Futex extends WaitQueue<FutexThread> {
  private readonly waits = new Map<FutexThread, FutexWait>();
  /** Those of the machine on which threads wait for locks. */
  private readonly locks: Set<Futex>;

  constructor(locks = new Set<Futex>()) {
    super();
    this.locks = locks;
  }

  /** Adds a waiter, to be parked on this queue. */
  enlist(thread: FutexThread, wait: FutexWait): void {
    if (this.waits.has(thread)) return;
    this.waits.set(thread, wait);
    if (wait.kind === "lock") this.locks.add(this);
  }

  override remove(thread: FutexThread): void {
    super.remove(thread);
    this.waits.delete(thread);
    if (this.waits.size === 0) this.locks.delete(this);
  }

  /** Who waits, and for what. */
  get enlisted(): ReadonlyMap<FutexThread, FutexWait> {
    return this.waits;
  }

  /** Whether what is waited for here is a lock, which is nobody's to wake or to move. */
  get inherits(): boolean {
    const [first] = this.waits.values();
    return first !== undefined && first.kind !== "value";
  }

  /** The first `count` waiters that wait for any of these bits. */
  private first(count: number, bits: number): [FutexThread, FutexWait][] {
    const chosen: [FutexThread, FutexWait][] = [];
    for (const waiter of this.waits) {
      if (chosen.length >= count) break;
      const [, wait] = waiter;
      if (wait.kind === "value" && (wait.bits & bits) !== 0) chosen.push(waiter);
    }
    return chosen;
  }

  /** Ends a wait: the call is made again, and sees by its state that it is over. */
  end(thread: FutexThread, index = 0): void {
    if (thread.blocked !== null) thread.blocked = { ...thread.blocked, state: { kind: "woken", index } };
    thread.wake();
  }

  /** Wakes up to `count` waiters whose bits are among `bitset`; returns how many. */
  wakeBits(count: number, bitset: number): number {
    const chosen = this.first(count, bitset);
    for (const [thread, wait] of chosen) this.end(thread, wait.kind === "value" ? wait.among?.index : 0);
    return chosen.length;
  }

  /** Gives the lock at `address` of `memory`, which this word is, to whoever waits for it longest. False when nobody does. */
  handOver(memory: AddressSpace, address: number, left = 0): boolean {
    const [heir] = this.waits.keys();
    if (heir === undefined) return false;
    memory.checkStore(address, 4);
    this.end(heir);
    memory.write32(address, heir.tid | left | (this.waits.size > 0 ? WAITERS : 0));
    return true;
  }

  /** Moves up to `count` waiters to another word, at `address`; returns how many. */
  requeue(count: number, to: Futex, address: number): number {
    const chosen = this.first(count, ANY_BIT);
    // Those who wait there already keep their places.
    if (to === this) return chosen.length;
    for (const [thread, wait] of chosen) this.move(thread, wait, to, address);
    return chosen.length;
  }

  /** Has a waiter wait on another word. */
  move(thread: FutexThread, wait: FutexWait, to: Futex, address: number, changes?: Partial<WaitFor>): void {
    this.remove(thread);
    to.enlist(thread, wait);
    thread.moveTo(this, to, changes);
    const { blocked } = thread;
    if (blocked !== null) thread.blocked = { ...blocked, state: movedState(wait, blocked.state, address) };
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
  /** Those on which threads wait for locks. */
  private readonly locks = new Set<Futex>();

  /** A thread ends that has not given up all its locks: those who wait for them get them. */
  leave(tid: number): void {
    for (const futex of this.locks) {
      const [[heir, wait]] = futex.enlisted;
      if (wait.kind !== "lock") continue;
      const { memory } = heir.process;
      ignoringFaults(() => {
        if ((memory.read32(wait.address) & TID_MASK) === tid)
          futex.handOver(memory, wait.address, OWNER_DIED);
      });
    }
  }

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
    const futex = new Futex(this.locks);
    futexes.set(place, futex);
    return futex;
  }
}
