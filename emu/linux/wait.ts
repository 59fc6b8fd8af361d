/** Waiting: what a thread in a system call waits for, and what ends its wait. */
import type { HostStream, Interest } from "../host/host.ts";
import type { Restart } from "./signals/deliver.ts";
import type { Thread } from "./thread.ts";

/** Threads waiting for one thing (a pipe end, a futex word, a child). Anything may wake it. */
export class WaitQueue {
  private readonly waiters = new Set<Thread>();

  add(thread: Thread): void {
    this.waiters.add(thread);
  }
  remove(thread: Thread): void {
    this.waiters.delete(thread);
  }
  get isEmpty(): boolean {
    return this.waiters.size === 0;
  }

  /** Lets the first `count` waiters make their calls again, oldest first; returns how many there were. */
  wake(count = Number.POSITIVE_INFINITY): number {
    let woken = 0;
    for (const thread of this.waiters) {
      if (woken >= count) break;
      this.waiters.delete(thread);
      thread.wake();
      woken++;
    }
    return woken;
  }
}

/**
 * What a call waits for. When any of it happens the handler is simply run again from its start, with the same
 * arguments; it finds `deadline` and `state` as it left them in `ctx.resumed`.
 */
export interface WaitFor {
  queues?: readonly WaitQueue[];
  /** Host streams on which something may change, and what is of interest there (both when absent). */
  streams?: readonly { stream: HostStream; interest?: Interest }[];
  /** Absolute CLOCK_MONOTONIC time in nanoseconds at which the handler is run again at the latest. */
  deadline?: bigint | null;
  /** What else the call must remember; it goes into snapshots, so plain text (JSON, say). */
  state?: string;
  /**
   * Whether the call starts again by itself after a signal; default "sys" (ERESTARTSYS). "never": it ends with
   * EINTR whatever the handler's flags.
   */
  restart?: Restart | "never";
  /**
   * Called when a signal ends the call with EINTR, before the handler's frame is built (nanosleep's `rem`). A number
   * it returns is the call's result in place of EINTR (a write that has moved something).
   */
  interrupted?(): number | undefined | void;
}

/** The latest time there is: what fits 63 bits of nanoseconds, as in the kernel (KTIME_MAX). Nothing comes after it. */
const LATEST = 2n ** 63n - 1n;
export const capTime = (time: bigint): bigint => (time > LATEST ? LATEST : time);

/** What a handler that waits throws (through `ctx.block`). */
export class Blocked extends Error {
  readonly wait: WaitFor;
  constructor(wait: WaitFor) {
    super("blocked");
    const { deadline = null } = wait;
    this.wait = deadline === null ? wait : { ...wait, deadline: capTime(deadline) };
  }
}

/** What a handler that gives the host its turn in the middle of its work throws (through `ctx.pause`). */
export class Paused extends Error {
  readonly state: string;
  readonly done: number;
  constructor(state: string, done: number) {
    super("paused");
    this.state = state;
    this.done = done;
  }
}
