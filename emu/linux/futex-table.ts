/** Futexes: words of guest memory on which threads wait (Linux: kernel/futex). */
import { GuestFault, ignoringFaults } from "../cpu/fault.ts";
import type { Process } from "./process.ts";
import type { Thread } from "./thread.ts";
import { WaitQueue } from "./wait-queue.ts";

interface FutexWaiter {
  readonly thread: Thread;
  readonly bitset: number;
}

/** The waiters on one word, oldest first. */
export class Futex extends WaitQueue<Thread> {
  private readonly list: FutexWaiter[] = [];

  /** Adds a waiter, to be parked on this queue. */
  enlist(thread: Thread, bitset: number): void {
    if (!this.list.some((waiter) => waiter.thread === thread)) this.list.push({ thread, bitset });
  }

  override remove(thread: Thread): void {
    super.remove(thread);
    const at = this.list.findIndex((waiter) => waiter.thread === thread);
    if (at >= 0) this.list.splice(at, 1);
  }

  get enlisted(): readonly FutexWaiter[] {
    return this.list;
  }

  /** Wakes up to `count` waiters whose bits are among `bitset`; returns how many. */
  wakeBits(count: number, bitset: number): number {
    const chosen = this.list.filter((waiter) => (waiter.bitset & bitset) !== 0).slice(0, Math.max(count, 0));
    for (const { thread } of chosen) {
      // The call is made again, and sees by this that it is over.
      if (thread.blocked !== null) thread.blocked = { ...thread.blocked, state: { kind: "woken" } };
      thread.wake();
    }
    return chosen.length;
  }

  /** Wakes the oldest waiter, for it to have the lock that this word is; its tid, and whether there are more. */
  handOver(): { tid: number; more: boolean } | undefined {
    const first = this.list[0];
    if (first === undefined) return undefined;
    const more = this.list.length > 1;
    this.wakeBits(1, -1);
    return { tid: first.thread.tid, more };
  }

  /** Moves up to `count` waiters to another word, at `address`; returns how many. */
  requeue(count: number, to: Futex, address: number): number {
    const chosen = this.list.slice(0, Math.max(count, 0));
    // Those who wait there already keep their places.
    if (to === this) return chosen.length;
    for (const { thread, bitset } of chosen) {
      this.remove(thread);
      to.enlist(thread, bitset);
      thread.moveTo(this, to);
      if (thread.blocked !== null)
        thread.blocked = { ...thread.blocked, state: { kind: "requeued", address } };
    }
    return chosen.length;
  }
}

/** The futexes of a machine: by address space, or for shared memory by object, and place in it. */
export class FutexTable {
  private readonly tables = new WeakMap<object, Map<number, Futex>>();

  /** The futex at an address of a process. */
  at({ memory }: Process, address: number): Futex {
    const area = memory.areas.find(address);
    const object = area?.shared ?? memory;
    const place = area?.shared === undefined ? address : area.offset + (address - area.start);
    let table = this.tables.get(object);
    if (table === undefined) this.tables.set(object, (table = new Map()));
    let futex = table.get(place);
    if (futex === undefined) table.set(place, (futex = new Futex()));
    // Words on which nobody waits need no entry; drop them before they become many.
    if (table.size > 1024) {
      for (const [key, other] of table) if (other.isEmpty && other !== futex) table.delete(key);
    }
    return futex;
  }
}

export const TID_MASK = 0x3fff_ffff;
export const WAITERS = 0x8000_0000 | 0;
export const OWNER_DIED = 0x4000_0000;
/** Entries of a robust list that are looked at (ROBUST_LIST_LIMIT). */
const MOST_ROBUST = 2048;

/** What the end of a thread, or its new program, does for who waits for it (Linux: mm_release). */
export function releaseThread(thread: Thread): void {
  ignoringFaults(() => releaseRobust(thread));
  releaseTid(thread);
}

/** Clears the word of set_tid_address(2), if anybody can see it, and wakes its futex. */
function releaseTid(thread: Thread): void {
  const { process, clearTid } = thread;
  const { mm } = process;
  thread.clearTid = 0n;
  if (
    clearTid === 0n ||
    clearTid >= BigInt(mm.memory.limit) ||
    (process.threads.size === 1 && mm.users === 1)
  )
    return;
  ignoringFaults(() => {
    mm.memory.write32(Number(clearTid), 0);
    process.kernel.futexes.at(process, Number(clearTid)).wakeBits(1, -1);
  });
}

/** Marks the locks in the robust list of a thread as left by their dead owner, and wakes one waiter of each. */
function releaseRobust(thread: Thread): void {
  const { process, robustList } = thread;
  const { memory, abi } = process;
  const head = robustList.head;
  robustList.head = 0n;
  if (head === 0n) return;
  const check = (at: bigint): void => {
    if (at >= BigInt(memory.limit)) throw new GuestFault("data-unmapped", at);
  };
  const word = (at: bigint): bigint => {
    check(at);
    return abi.is64 ? memory.read64(Number(at)) : BigInt(memory.read32(Number(at)) >>> 0);
  };
  const size = BigInt(abi.wordSize);
  const offset = BigInt.asIntN(8 * abi.wordSize, word(head + size));
  // Bit 0 of a pointer says that the lock has priority inheritance.
  const pending = word(head + 2n * size);
  const entries = new Set<bigint>();
  for (let at = word(head); (at & ~1n) !== head && entries.size < MOST_ROBUST; at = word(at & ~1n)) {
    if (entries.has(at)) break;
    entries.add(at);
  }
  if (pending !== 0n) entries.add(pending);
  for (const entry of entries) {
    const at = BigInt.asUintN(8 * abi.wordSize, (entry & ~1n) + offset);
    check(at);
    releaseLock(thread, Number(at), { pending: entry === pending, inherits: (entry & 1n) !== 0n });
  }
}

function releaseLock(
  thread: Thread,
  address: number,
  { pending, inherits }: { pending: boolean; inherits: boolean },
): void {
  const { process, tid } = thread;
  const { memory, kernel } = process;
  if (address % 4 !== 0) return;
  const value = memory.read32(address);
  const owner = value & TID_MASK;
  // A lock in the middle of being given up may have been cleared with its waiter not woken yet.
  if (pending && owner === 0) kernel.futexes.at(process, address).wakeBits(1, -1);
  if (owner !== tid) return;
  const futex = kernel.futexes.at(process, address);
  const heir = inherits ? futex.handOver() : undefined;
  if (heir !== undefined) {
    memory.write32(address, heir.tid | (heir.more ? WAITERS : 0) | OWNER_DIED);
    return;
  }
  memory.write32(address, (value & WAITERS) | OWNER_DIED);
  if (value & WAITERS) futex.wakeBits(1, -1);
}
