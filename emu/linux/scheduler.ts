/**
 * Whose turn it is. Threads run in turn, each for a slice counted in instructions, so that the order does not depend
 * on the host.
 */
import { SLICE } from "../tuning.ts";
import type { Clock } from "./clock.ts";
import type { Thread } from "./thread.ts";

export class Scheduler {
  private readonly threads: Thread[] = [];
  private current = 0;
  /** Instructions left of the present turn. */
  sliceLeft = SLICE;

  add(thread: Thread): void {
    this.threads.push(thread);
  }

  remove(thread: Thread): void {
    const at = this.threads.indexOf(thread);
    if (at < 0) return;
    this.threads.splice(at, 1);
    if (at < this.current) this.current--;
    else if (at === this.current) this.sliceLeft = SLICE;
    if (this.current >= this.threads.length) this.current = 0;
  }

  /** The thread to run now; undefined when none can. */
  next(): Thread | undefined {
    const count = this.threads.length;
    const present = this.threads[this.current];
    if (present?.state === "runnable" && this.sliceLeft > 0) return present;
    for (let step = 1; step <= count; step++) {
      const at = (this.current + step) % count;
      if (this.threads[at].state !== "runnable") continue;
      this.current = at;
      this.sliceLeft = SLICE;
      return this.threads[at];
    }
    return undefined;
  }

  /** Counts instructions against the present turn. */
  charge(count: number): void {
    this.sliceLeft -= count;
  }

  /** sched_yield(2). */
  yield(): void {
    this.sliceLeft = 0;
  }

  /** The tid whose turn it is, for a snapshot; 0 when there are no threads. */
  get currentTid(): number {
    return this.threads[this.current]?.tid ?? 0;
  }

  /** Goes on as a snapshot says. */
  restore(tid: number, sliceLeft: number): void {
    const at = this.threads.findIndex((thread) => thread.tid === tid);
    this.current = Math.max(at, 0);
    this.sliceLeft = Math.min(Math.max(sliceLeft, 0), SLICE);
  }

  /** CLOCK_MONOTONIC time at which the first timed wait ends. */
  nextDeadline(): bigint | undefined {
    let nearest: bigint | undefined;
    for (const { state, blocked } of this.threads) {
      if (state !== "waiting" || blocked === null || blocked.deadline === null) continue;
      if (nearest === undefined || blocked.deadline < nearest) nearest = blocked.deadline;
    }
    return nearest;
  }

  /** Wakes the threads whose timed waits are over. */
  expire(clock: Clock): void {
    const nearest = this.nextDeadline();
    if (nearest === undefined) return;
    const now = clock.monotonic();
    if (nearest > now) return;
    for (const thread of this.threads) {
      const deadline = thread.blocked?.deadline ?? null;
      if (thread.state === "waiting" && deadline !== null && deadline <= now) thread.wake();
    }
  }
}
