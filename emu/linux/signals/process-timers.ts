/**
 * The timers of a process: the three of setitimer(2) and those of timer_create(2). The kernel's run loop asks
 * when the next one is due and has the due ones expire.
 *
 * As in Linux, a timer whose signal is still queued stands still until the signal is taken; only then is its next
 * expiry computed and what was missed counted as overrun. So no interval, however short, can flood a process.
 */

import type { ProcessSnapshot } from "../../snapshot.ts";
import {
  CLOCK_MONOTONIC,
  CLOCK_PROCESS_CPUTIME_ID,
  CLOCK_REALTIME,
  CLOCK_THREAD_CPUTIME_ID,
} from "../clock.ts";
import type { ProcessTimers as TimersOfProcess } from "../contracts.ts";
import { Deadlines } from "../deadlines.ts";
import { type PendingSignals, type SignalInfo, signalInfo } from "./pending.ts";
import {
  checkSignal,
  SI_KERNEL,
  SI_TIMER,
  SIGALRM,
  SIGPROF,
  SIGVTALRM,
  signalBit,
} from "./signal-numbers.ts";
import type { SignalProcess, SignalThread } from "./signal-state.ts";

/** Clocks that timers run on: those of the first four CLOCK_* numbers. */
export type TimerClock = 0 | 1 | 2 | 3;

export const ITIMER_REAL = 0;
export const ITIMER_VIRTUAL = 1;
export const ITIMER_PROF = 2;

/** sigev_notify. */
export const SIGEV_SIGNAL = 0;
export const SIGEV_NONE = 1;
export const SIGEV_THREAD = 2;
export const SIGEV_THREAD_ID = 4;

/** An ignored timer signal is looked at again no sooner than this: a kernel tick. */
const IGNORED_SPACING = 4_000_000n;

/** Reads a clock in nanoseconds; `tid` names the thread for CLOCK_THREAD_CPUTIME_ID, and 0 a thread that is gone. */
export type ReadClock = (clock: TimerClock, tid: number) => bigint;

export interface Timer {
  /** Of timer_create(2); those of setitimer(2) come before, from -3 on. */
  readonly id: number;
  clock: TimerClock;
  /** Thread whose CPU time it runs on; 0 for the other clocks. */
  clockTid: number;
  /** When it is due, in the time of its clock; null while it is off. */
  expires: bigint | null;
  interval: bigint;
}

export interface PosixTimer extends Timer {
  /** SIGEV_*. */
  readonly notify: number;
  readonly signal: number;
  /** sigev_value. */
  readonly value: bigint;
  /** Thread to notify (SIGEV_THREAD_ID), else 0. */
  readonly tid: number;
  /** Overrun count of the signal last taken. */
  overrun: number;
}

/** Of a thread that sleeps by a clock of CPU time. */
interface Sleeper extends Timer {
  wake(): void;
}
/** Their ids come before those of setitimer(2). */
const FIRST_SLEEPER = -10;

const INTERVAL_SIGNALS = [SIGALRM, SIGVTALRM, SIGPROF];
const INTERVAL_CLOCKS: readonly TimerClock[] = [
  CLOCK_MONOTONIC,
  CLOCK_PROCESS_CPUTIME_ID,
  CLOCK_PROCESS_CPUTIME_ID,
];
/** Most timers a process may have (RLIMIT_SIGPENDING counts them on Linux). */
const MOST_TIMERS = 4096;
const MOST_OVERRUN = 0x7fff_ffff;

/** Sends a timer's signal to the process, or to thread `tid` of it. */
export type SendTimerSignal = (info: SignalInfo, tid: number) => void;

export class ProcessTimers implements TimersOfProcess {
  readonly interval: readonly Timer[] = INTERVAL_CLOCKS.map((clock, which) => ({
    id: which - INTERVAL_CLOCKS.length,
    clock,
    clockTid: 0,
    expires: null,
    interval: 0n,
  }));
  readonly posix = new Map<number, PosixTimer>();
  private readonly process: SignalProcess;
  private readonly read: ReadClock;
  private readonly send: SendTimerSignal;
  /** Told whenever a timer is set or turned off. */
  private readonly onSet: () => void;
  /** Timers that are on, by their clocks: see `keyOf`. */
  private readonly running = new Map<number, ClockQueue>();
  /** How many timers of CPU time are on. */
  private ofCpu = 0;
  /** Timers that are due and stand still because their signal has not been taken yet. */
  private readonly held = new Set<Timer>();
  /** `PendingSignals.drops` when those were looked at last. */
  private drops = 0;
  private nextId = 0;
  private nextSleeper = FIRST_SLEEPER;

  constructor(process: SignalProcess, read: ReadClock, send: SendTimerSignal, onSet = () => {}) {
    this.process = process;
    this.read = read;
    this.send = send;
    this.onSet = onSet;
  }

  /** Adds a timer; undefined when there are too many. */
  create(
    clock: TimerClock,
    clockTid: number,
    event: { notify: number; signal: number; value: bigint | undefined; tid: number },
  ): PosixTimer | undefined {
    if (this.posix.size >= MOST_TIMERS) return undefined;
    const id = this.nextId++;
    const value = event.value ?? BigInt(id);
    const timer = { ...event, value, id, clock, clockTid, expires: null, interval: 0n, overrun: 0 };
    this.posix.set(id, timer);
    return timer;
  }

  /** execve(2): timer_create's timers go, setitimer's stay. fork(2): a child has none at all. */
  exec(): void {
    for (const timer of [...this.posix.values()]) this.remove(timer);
  }

  /** All timers go: the process has ended. */
  exit(): void {
    this.exec();
    for (const timer of this.interval) this.arm(timer, null, 0n);
  }

  /** Has `wake` called when a clock of CPU time says `at`; what is given back takes that back. */
  sleep(clock: Pick<Timer, "clock" | "clockTid">, at: bigint, wake: () => void): () => void {
    const sleeper: Sleeper = { id: this.nextSleeper--, ...clock, expires: null, interval: 0n, wake };
    this.due(sleeper, at);
    return () => this.due(sleeper, null);
  }

  /** Sets a timer: when it is due in the time of its clock, null for never, and how long after that again. */
  arm(timer: Timer, expires: bigint | null, interval: bigint): void {
    if (isPosix(timer)) this.takeBack(timer);
    this.held.delete(timer);
    timer.interval = interval;
    this.due(timer, expires);
  }

  /** timer_delete(2). */
  remove(timer: PosixTimer): void {
    this.arm(timer, null, 0n);
    this.posix.delete(timer.id);
  }

  /** Takes a timer's queued signal back. */
  private takeBack(timer: PosixTimer): void {
    timer.overrun = 0;
    queueOf(this.process, timer)?.removeTimer(timer.id);
  }

  private due(timer: Timer, expires: bigint | null): void {
    this.enqueue(timer, expires);
    this.onSet();
  }

  /** Puts a timer into the queue of its clock, or takes it out. */
  private enqueue(timer: Timer, expires: bigint | null): void {
    timer.expires = expires;
    const key = keyOf(timer);
    let queue = this.running.get(key);
    if (queue === undefined) {
      if (expires === null) return;
      const { clock, clockTid } = timer;
      queue = { clock, now: () => this.read(clock, clockTid), timers: new Deadlines(({ id }) => id) };
      this.running.set(key, queue);
    }
    const before = queue.timers.size;
    if (expires === null) queue.timers.delete(timer);
    else queue.timers.set(timer, expires);
    if (timer.clock > CLOCK_MONOTONIC) this.ofCpu += queue.timers.size - before;
    if (queue.timers.size === 0) this.running.delete(key);
  }

  /** Whether any timer is set, due ones whose signal waits included. */
  get any(): boolean {
    return this.running.size > 0 || this.held.size > 0;
  }

  /** Whether timers of CPU time are on. */
  get anyOfCpu(): boolean {
    return this.ofCpu > 0;
  }

  nextDeadline(): bigint | undefined {
    const monotonic = this.running.get(CLOCK_MONOTONIC)?.timers.first?.at;
    const realtime = this.running.get(CLOCK_REALTIME);
    if (realtime === undefined) return monotonic;
    const left = this.next((clock) => clock === CLOCK_REALTIME)!;
    const at = this.read(CLOCK_MONOTONIC, 0) + left;
    return monotonic === undefined || at < monotonic ? at : monotonic;
  }

  /** A thread's CPU time grows no faster than that of its process, so this is never too late. */
  nextCpuDeadline(): bigint | undefined {
    if (this.ofCpu === 0) return undefined;
    const left = this.next((clock) => clock > CLOCK_MONOTONIC);
    return left === undefined ? undefined : this.read(CLOCK_PROCESS_CPUTIME_ID, 0) + left;
  }

  /** Time until the next expiry on the clocks in question. */
  private next(concerned: (clock: TimerClock) => boolean): bigint | undefined {
    let nearest: bigint | undefined;
    for (const { clock, now, timers } of this.running.values()) {
      if (!concerned(clock)) continue;
      const left = timers.first!.at - now();
      const time = left > 0n ? left : 0n;
      if (nearest === undefined || time < nearest) nearest = time;
    }
    return nearest;
  }

  /** Whether a timer stands still because its signal has not been taken yet. */
  private waits(timer: Timer): boolean {
    if (!isPosix(timer)) {
      return (
        timer.clock === CLOCK_MONOTONIC && (this.process.signals.pending.mask & signalBit(SIGALRM)) !== 0n
      );
    }
    return queueOf(this.process, timer)?.ofTimer(timer.id) !== undefined;
  }

  /** Has every timer that is due expire. */
  expire(): void {
    this.releaseDropped();
    for (const { now, timers } of [...this.running.values()]) {
      const time = now();
      for (let first = timers.first; first !== undefined && first.at <= time; first = timers.first) {
        this.fire(first.item);
      }
    }
  }

  private fire(timer: Timer): void {
    const { expires } = timer;
    this.due(timer, null);
    if (isSleeper(timer)) {
      timer.wake();
      return;
    }
    if (this.waits(timer)) {
      this.hold(timer, expires);
      return;
    }
    if (!isPosix(timer)) this.send(signalInfo(INTERVAL_SIGNALS.at(timer.id)!, SI_KERNEL), 0);
    else if (timer.notify !== SIGEV_NONE) {
      this.send(signalInfo(timer.signal, SI_TIMER, { value: timer.value, timer: timer.id }), timer.tid);
    }
    if (timer.interval === 0n) return;
    this.hold(timer, expires);
    if (this.waits(timer)) return;
    this.held.delete(timer);
    const spacing = isPosix(timer) && timer.notify !== SIGEV_NONE ? IGNORED_SPACING : 0n;
    this.forward(timer, spacing);
  }

  private hold(timer: Timer, expires: bigint | null): void {
    timer.expires = expires;
    this.held.add(timer);
  }

  /** Has timers go on whose signals have been dropped instead of taken. */
  private releaseDropped(): void {
    if (this.held.size === 0) return;
    let drops = this.process.signals.pending.drops;
    for (const { signals } of this.process.threads) drops += signals.pending.drops;
    if (drops === this.drops) return;
    this.drops = drops;
    for (const timer of [...this.held]) if (!this.waits(timer)) this.release(timer);
  }

  /** Has a timer that stood still go on from where it was. */
  private release(timer: Timer): void {
    if (this.held.delete(timer)) this.due(timer, timer.expires);
  }

  /**
   * Moves a due timer past its clock's present time, and `spacing` beyond, by whole intervals; returns how many.
   */
  private forward(timer: Timer, spacing = 0n): bigint {
    const late = this.read(timer.clock, timer.clockTid) + spacing - timer.expires!;
    const intervals = late / timer.interval + 1n;
    this.due(timer, timer.expires! + intervals * timer.interval);
    return intervals;
  }

  /** A signal has left its queue: timers that waited for that go on, and its overrun count is known. */
  signalTaken(info: SignalInfo): void {
    const real = this.interval[ITIMER_REAL];
    if (info.signo === SIGALRM) {
      this.release(real);
      if (real.interval !== 0n && isDue(real, this.read)) this.forward(real);
    }
    if (info.code !== SI_TIMER) return;
    const timer = this.posix.get(info.timer);
    if (timer === undefined || timer.signal !== info.signo) return;
    this.release(timer);
    const missed = timer.interval !== 0n && isDue(timer, this.read) ? this.forward(timer) - 1n : 0n;
    timer.overrun = missed > BigInt(MOST_OVERRUN) ? MOST_OVERRUN : Number(missed);
    info.overrun = timer.overrun;
  }

  freeze(): Pick<ProcessSnapshot, "intervalTimers" | "posixTimers"> {
    const remaining = (timer: Timer): bigint => {
      if (timer.expires === null) return 0n;
      const left = timer.expires - this.read(timer.clock, timer.clockTid);
      // Overdue ones, whose signal waits to be taken, count on below zero; zero itself means off.
      return left > 0n ? left : left - 1n;
    };
    return {
      intervalTimers: this.interval.map((timer) => ({
        remaining: remaining(timer),
        interval: timer.interval,
      })),
      posixTimers: [...this.posix.values()].map((timer) => ({
        id: timer.id,
        clock: timer.clock === CLOCK_THREAD_CPUTIME_ID ? threadClock(timer.clockTid) : timer.clock,
        notify: timer.notify,
        signal: timer.signal,
        value: timer.value,
        tid: timer.tid,
        remaining: remaining(timer),
        interval: timer.interval,
        overrun: timer.overrun,
      })),
    };
  }

  thaw(snapshot: Pick<ProcessSnapshot, "intervalTimers" | "posixTimers">): void {
    const { intervalTimers, posixTimers } = snapshot;
    if (posixTimers.length > MOST_TIMERS) throw new RangeError(`${posixTimers.length} timers are too many`);
    for (const { interval } of [...intervalTimers, ...posixTimers]) {
      if (interval < 0n) throw new RangeError(`a timer has an interval of ${interval} ns`);
    }
    const expiry = (timer: Timer, remaining: bigint): bigint | null => {
      if (remaining === 0n) return null;
      return this.read(timer.clock, timer.clockTid) + (remaining < 0n ? remaining + 1n : remaining);
    };
    intervalTimers.slice(0, this.interval.length).forEach(({ remaining, interval }, which) => {
      const timer = this.interval[which];
      this.arm(timer, expiry(timer, remaining), interval);
    });
    this.posix.clear();
    for (const { remaining, clock, ...rest } of posixTimers) {
      if (!(Number.isInteger(rest.id) && rest.id >= 0) || this.posix.has(rest.id))
        throw new RangeError(`timer id ${rest.id}`);
      if (rest.notify !== SIGEV_NONE) checkSignal(rest.signal, `timer ${rest.id}`, false);
      const timer: PosixTimer = { ...rest, ...clockOf(clock), expires: null };
      this.posix.set(timer.id, timer);
      this.due(timer, expiry(timer, remaining));
      this.nextId = Math.max(this.nextId, timer.id + 1);
    }
  }
}

/** The timers that run on one clock. */
interface ClockQueue {
  readonly clock: TimerClock;
  now(): bigint;
  readonly timers: Deadlines<Timer>;
}

/** What tells the clock of a timer from others': its number, and the thread whose time it is, if it is one's. */
const keyOf = ({ clock, clockTid }: Timer): number => clock + 4 * clockTid;

const isPosix = (timer: Timer): timer is PosixTimer => "notify" in timer;

const isSleeper = (timer: Timer): timer is Sleeper => "wake" in timer;

const isDue = (timer: Timer, read: ReadClock): boolean =>
  timer.expires !== null && timer.expires <= read(timer.clock, timer.clockTid);

const queueOf = (process: SignalProcess, timer: PosixTimer): PendingSignals | undefined =>
  timer.tid === 0 ? process.signals.pending : threadOf(process, timer.tid)?.signals.pending;

function threadOf(process: SignalProcess, tid: number): SignalThread | undefined {
  for (const thread of process.threads) if (thread.tid === tid) return thread;
  return undefined;
}

/** The clock id that names a thread's CPU time: (~tid << 3) | CPUCLOCK_SCHED | CPUCLOCK_PERTHREAD. */
const threadClock = (tid: number): number => (~tid << 3) | 6;

function clockOf(id: number): Pick<Timer, "clock" | "clockTid"> {
  if (id < 0) return { clock: CLOCK_THREAD_CPUTIME_ID, clockTid: ~(id >> 3) };
  return { clock: (id <= CLOCK_PROCESS_CPUTIME_ID ? id : CLOCK_MONOTONIC) as TimerClock, clockTid: 0 };
}
