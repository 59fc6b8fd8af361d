/** Waiting: what a system call waits for, and what ends its wait. */
import type { HostStream, Interest } from "../host/host.ts";
import type { CallState } from "../snapshot.ts";

/**
 * When a waiting system call starts again by itself after a signal, in Linux's internal error numbers: "sys" if
 * the handler has SA_RESTART (ERESTARTSYS), "nohand" only if no handler ran (ERESTARTNOHAND), "block" then too, for what is left of its time (ERESTART_RESTARTBLOCK),
 * "nointr" always (ERESTARTNOINTR). "never": it ends with EINTR whatever the handler's flags.
 */
export type Restart = "sys" | "nohand" | "block" | "nointr" | "never";

/** Whoever can wait in a queue. */
export interface Waiter {
  /** Ends its wait: it makes its call again, or takes a signal. */
  wake(): void;
}

/** Those waiting for one thing (a pipe end, a futex word, a child), oldest first. Anything may wake it. */
export class WaitQueue<W extends Waiter = Waiter> {
  private readonly waiters = new Set<W>();

  add(waiter: W): void {
    this.waiters.add(waiter);
  }
  remove(waiter: W): void {
    this.waiters.delete(waiter);
  }
  get isEmpty(): boolean {
    return this.waiters.size === 0;
  }

  /** Lets the first `count` of those who wait now make their calls again, oldest first; returns how many there were. */
  wake(count = Number.POSITIVE_INFINITY): number {
    if (this.waiters.size === 0) return 0;
    const most = Math.min(count, this.waiters.size);
    let woken = 0;
    for (const waiter of this.waiters) {
      if (woken >= most) break;
      this.waiters.delete(waiter);
      waiter.wake();
      woken++;
    }
    return woken;
  }
}

export type { CallState };

export const BEGUN: CallState = { kind: "begun" };

/** Most that one call moves (MAX_RW_COUNT of Linux). */
const MOST_MOVED = 0x7fff_f000;
/** Largest process id (PID_MAX_LIMIT). */
const MOST_CHILD = 0x3f_ffff;
/** Words that futex_waitv waits on (FUTEX_WAITV_MAX). */
export const MOST_WORDS = 128;
/** User addresses have 47 bits. */
const MOST_ADDRESS = 2 ** 47 - 1;

const isCount = (value: number, most: number): boolean =>
  Number.isInteger(value) && value >= 0 && value <= most;

/** Whether a state is one that a call could have left. */
export function isCallState(state: CallState): boolean {
  if (state.kind === "moved") return isCount(state.done, MOST_MOVED);
  if (state.kind === "requeued") return isCount(state.address, MOST_ADDRESS);
  if (state.kind === "vfork") return isCount(state.child, MOST_CHILD);
  if (state.kind === "woken") return isCount(state.index, MOST_WORDS);
  if (state.kind === "cpu") return state.at >= 0n && state.at <= LATEST;
  if (state.kind === "words")
    return state.addresses.length <= MOST_WORDS && state.addresses.every((at) => isCount(at, MOST_ADDRESS));
  return true;
}

/**
 * A system call in progress. "waiting": its thread is in queues; "woken": it has been taken from them and will make its call
 * again; "paused": it gives the host a turn and then goes on.
 */
export interface CallInProgress {
  phase: "waiting" | "woken" | "paused";
  /** Those with a lower number came into their queues before. */
  place: number;
  /** Absolute CLOCK_MONOTONIC time in nanoseconds at which the wait ends at the latest. */
  deadline: bigint | null;
  state: CallState;
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
  /** What else the call must remember. */
  state?: CallState;
  /** Whether the call starts again by itself after a signal; default "sys". */
  restart?: Restart;
  /** Only a signal that the process does not survive ends it (TASK_KILLABLE); others wait till the call is over. */
  killable?: boolean;
  /**
   * Called when a signal ends the call with EINTR, before the handler's frame is built (nanosleep's `rem`). A number
   * it returns is the call's result in place of EINTR (a write that has moved something), an error that it throws too.
   */
  interrupted?(): number | undefined | void;
  /** Takes back what the call has arranged for its wait: a signal has ended that, or the thread has ended. */
  abandoned?(): void;
}

/** The latest time there is: what fits 63 bits of nanoseconds, as in the kernel (KTIME_MAX). Nothing comes after it. */
const LATEST = 2n ** 63n - 1n;
export const capTime = (time: bigint): bigint => (time > LATEST ? LATEST : time);

/**
 * What a handler that waits returns (`ctx.wait`) or throws (`ctx.block`). No Error, and neither is `Paused`: to note where each was made took longer than all
 * else of a switch from one thread to another.
 */
export class Blocked {
  readonly wait: WaitFor;
  constructor(wait: WaitFor) {
    const { deadline = null } = wait;
    this.wait = deadline === null ? wait : { ...wait, deadline: capTime(deadline) };
  }
}

/** What a handler that gives the host its turn in the middle of its work throws (through `ctx.pause`). */
export class Paused {
  readonly state: CallState;
  readonly done: number;
  constructor(state: CallState, done: number) {
    this.state = state;
    this.done = done;
  }
}
