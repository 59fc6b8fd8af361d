/** Futexes: words of guest memory on which threads wait (Linux: kernel/futex). */
import { GuestFault } from "../cpu/fault.ts";
import type { Process } from "./process.ts";
import type { Thread } from "./thread.ts";
import { WaitQueue } from "./wait.ts";

/** What `blocked.state` says of a waiter that has been woken. */
export const WOKEN = "woken";

interface Waiter {
  readonly thread: Thread;
  readonly bitset: number;
}

/** The waiters on one word, oldest first. */
export class Futex extends WaitQueue {
  private readonly list: Waiter[] = [];

  /** Adds a waiter, to be parked on this queue. */
  enlist(thread: Thread, bitset: number): void {
    if (!this.list.some((waiter) => waiter.thread === thread)) this.list.push({ thread, bitset });
  }

  override remove(thread: Thread): void {
    super.remove(thread);
    const at = this.list.findIndex((waiter) => waiter.thread === thread);
    if (at >= 0) this.list.splice(at, 1);
  }

  get enlisted(): readonly Waiter[] {
    return this.list;
  }

  /** Wakes up to `count` waiters whose bits are among `bitset`; returns how many. */
  wakeBits(count: number, bitset: number): number {
    const chosen = this.list.filter((waiter) => (waiter.bitset & bitset) !== 0).slice(0, Math.max(count, 0));
    for (const { thread } of chosen) {
      // The call is made again, and sees by this that it is over.
      if (thread.blocked !== null) thread.blocked.state = WOKEN;
      thread.wake();
    }
    return chosen.length;
  }

  /** Moves up to `count` waiters to another word; returns how many. */
  requeue(count: number, to: Futex): number {
    const chosen = this.list.slice(0, Math.max(count, 0));
    for (const { thread, bitset } of chosen) {
      this.remove(thread);
      to.enlist(thread, bitset);
      thread.moveTo(this, to);
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

/** What the end of a thread does for who waits for it: clears the word of set_tid_address(2) and wakes its futex. */
export function releaseTid(thread: Thread): void {
  const { process, clearTid } = thread;
  if (clearTid === 0n || clearTid > 0xffff_ffffn) return;
  const address = Number(clearTid);
  try {
    process.memory.store32(address, 0);
  } catch (error) {
    if (error instanceof GuestFault) return;
    throw error;
  }
  process.kernel.futexes.at(process, address).wakeBits(1, -1);
}
