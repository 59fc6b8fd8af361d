/**
 * Whose turn it is. Threads that can run stand in a queue; each runs for a slice counted in instructions and then goes to its
 * end, so that the order does not depend on the host. Slices are of different lengths: with equal ones a thread that loops may end each of them
 * at the same point, and be holding a lock there, so that who waits for that lock never finds it free.
 */
import { SLICE, SLICE_SPREAD_BITS } from "../tuning.ts";
import type { Clock } from "./clock.ts";
import { Deadlines } from "./deadlines.ts";

/** A thread as the scheduler sees it. */
export interface Schedulable {
  readonly tid: number;
  wake(): void;
}

export class Scheduler<T extends Schedulable> {
  /** Whose turn it is, then who comes next. */
  private readonly queue = new Set<T>();
  /** The first of the queue, once somebody has asked. */
  private first: T | undefined;
  private readonly deadlines = new Deadlines<T>(({ tid }) => tid);
  /** Instructions left of the present turn. */
  sliceLeft = SLICE;
  /** Instructions executed so far by all. */
  private readonly instructions: () => bigint;

  constructor(instructions: () => bigint) {
    this.instructions = instructions;
  }

  /** A turn begins: how long it may be follows from when that is, so that it is the same after a thaw. */
  private begin(): void {
    const now = Number(BigInt.asIntN(32, this.instructions()));
    // High bits of a product: they differ most (D. Knuth, The Art of Computer Programming, volume 3, 6.4).
    this.sliceLeft = SLICE - (Math.imul(now, 0x9e37_79b1) >>> (32 - SLICE_SPREAD_BITS));
  }

  /** A thread can run: it comes last. */
  add(thread: T): void {
    if (this.queue.size === 0) this.begin();
    this.queue.add(thread);
  }

  /** A thread can't run any more. */
  remove(thread: T): void {
    if (this.current === thread) {
      this.begin();
      this.first = undefined;
    }
    this.queue.delete(thread);
  }

  private get current(): T | undefined {
    return (this.first ??= this.queue.values().next().value);
  }

  /** The thread to run now; undefined when none can. */
  next(): T | undefined {
    const present = this.current;
    if (present === undefined || this.sliceLeft > 0) return present;
    this.queue.delete(present);
    this.queue.add(present);
    this.first = undefined;
    this.begin();
    return this.current;
  }

  /** Counts instructions against the present turn. */
  charge(count: number): void {
    this.sliceLeft -= count;
  }

  /** sched_yield(2). */
  yield(): void {
    this.sliceLeft = 0;
  }

  /** The tids of those that can run, in their order. */
  get order(): number[] {
    return Array.from(this.queue, ({ tid }) => tid);
  }

  /** Takes up an order of the threads that can run, and what is left of the first one's turn. */
  restore(order: readonly T[], sliceLeft: number): void {
    const threads = new Set([...order, ...this.queue]);
    this.queue.clear();
    this.first = undefined;
    for (const thread of threads) this.queue.add(thread);
    this.sliceLeft = Math.min(Math.max(sliceLeft, 0), SLICE);
  }

  /** Has a thread woken at a CLOCK_MONOTONIC time; null: no more. */
  wakeAt(thread: T, deadline: bigint | null): void {
    if (deadline === null) this.deadlines.delete(thread);
    else this.deadlines.set(thread, deadline);
  }

  /** CLOCK_MONOTONIC time at which the first timed wait ends. */
  nextDeadline(): bigint | undefined {
    return this.deadlines.first?.at;
  }

  /** Wakes the threads whose timed waits are over. */
  expire(clock: Clock): void {
    if (this.deadlines.size === 0) return;
    const now = clock.monotonic();
    for (
      let first = this.deadlines.first;
      first !== undefined && first.at <= now;
      first = this.deadlines.first
    ) {
      this.deadlines.delete(first.item);
      first.item.wake();
    }
  }
}
