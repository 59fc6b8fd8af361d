/** System calls about timers: alarm, setitimer, timer_create and their relatives. */
import { struct } from "../abi.ts";
import {
  CLOCK_MONOTONIC,
  CLOCK_PROCESS_CPUTIME_ID,
  CLOCK_REALTIME,
  CLOCK_THREAD_CPUTIME_ID,
  NANOSECONDS,
} from "../clock.ts";
import { EAGAIN, EINVAL, EOPNOTSUPP, ESRCH, SysError } from "../errno.ts";
import {
  ITIMER_REAL,
  type PosixTimer,
  SIGEV_NONE,
  SIGEV_SIGNAL,
  SIGEV_THREAD,
  SIGEV_THREAD_ID,
  type Timer,
  type TimerClock,
} from "../signals/process-timers.ts";
import { isSignal, SIGALRM } from "../signals/signal-numbers.ts";
import { processClocks, timersOf } from "../signals/task-signals.ts";
import type { SyscallContext, SyscallHandler, SyscallResult, SyscallRow } from "../syscall.ts";
import { checkWaitable, clockSource, ownClock, TIMER_ABSTIME } from "./time.ts";
import {
  readTimespec,
  readTimeval,
  type TimeFormat,
  timespecSize,
  writeTimespec,
  writeTimeval,
} from "./time-format.ts";

const now = (ctx: SyscallContext, timer: Timer): bigint =>
  processClocks(ctx.process)(timer.clock, timer.clockTid);

/** Time until a timer is due: 0 when it is off; one that is overdue still shows a little. */
function remaining(ctx: SyscallContext, timer: Timer, least: bigint): bigint {
  if (timer.expires === null) return 0n;
  let left = timer.expires - now(ctx, timer);
  // One that waits for its signal to be taken shows what is left of the interval it would be in.
  if (left <= 0n && timer.interval > 0n) left += (-left / timer.interval + 1n) * timer.interval;
  return left > least ? left : least;
}

// ---- setitimer ---------------------------------------------------------------------------------------------------

function intervalTimer({ process }: SyscallContext, which: number): Timer {
  const timer = timersOf(process).interval[which];
  if (timer === undefined) throw new SysError(EINVAL);
  return timer;
}

/** A microsecond is the least that getitimer shows of a timer that is on. */
const intervalState = (ctx: SyscallContext, timer: Timer) => ({
  value: remaining(ctx, timer, 1000n),
  interval: timer.interval,
});

function putItimerval(ctx: SyscallContext, at: number, state: { value: bigint; interval: bigint }): void {
  const size = 2 * ctx.abi.wordSize;
  ctx.memory.checkStore(at, 2 * size);
  writeTimeval(ctx, at, state.interval);
  writeTimeval(ctx, at + size, state.value);
}

function setInterval(ctx: SyscallContext, timer: Timer, value: bigint, interval: bigint): void {
  timersOf(ctx.process).arm(timer, value === 0n ? null : now(ctx, timer) + value, interval);
}

const getitimer: SyscallHandler = (ctx) => {
  const timer = intervalTimer(ctx, ctx.args.int(0));
  putItimerval(ctx, ctx.args.address(1), intervalState(ctx, timer));
  return 0;
};

const setitimer: SyscallHandler = (ctx) => {
  const [next, old] = [ctx.args.address(1), ctx.args.address(2)];
  // A null pointer turns the timer off.
  const size = 2 * ctx.abi.wordSize;
  if (next !== 0) ctx.memory.checkLoad(next, 2 * size);
  const value = next === 0 ? 0n : readTimeval(ctx, next + size);
  const interval = next === 0 ? 0n : readTimeval(ctx, next);
  const which = ctx.args.int(0);
  const timer = intervalTimer(ctx, which);
  const before = intervalState(ctx, timer);
  // Only those of CPU time keep the interval of a timer that is off (Linux: do_setitimer).
  const isOff = value === 0n && which === ITIMER_REAL;
  setInterval(ctx, timer, value, isOff ? 0n : interval);
  if (old !== 0) putItimerval(ctx, old, before);
  return 0;
};

/** alarm(2): the seconds that were left, rounded, but not to zero. */
const alarm: SyscallHandler = (ctx) => {
  const timer = intervalTimer(ctx, ITIMER_REAL);
  const left = remaining(ctx, timer, 1000n);
  setInterval(ctx, timer, BigInt(ctx.args.uint(0)) * NANOSECONDS, 0n);
  const rounded = (left + NANOSECONDS / 2n) / NANOSECONDS;
  return left > 0n && rounded === 0n ? 1 : rounded;
};

// ---- POSIX timers ------------------------------------------------------------------------------------------------

export const SIGEVENT = struct({ value: "ulong", signo: "i32", notify: "i32", tid: "i32" });

interface Event {
  notify: number;
  signal: number;
  value: bigint | undefined;
  tid: number;
}

function readEvent(ctx: SyscallContext, at: number): Event {
  if (at === 0) return { notify: SIGEV_SIGNAL, signal: SIGALRM, value: undefined, tid: 0 };
  const { value, signo, notify, tid } = ctx.get(SIGEVENT, at);
  const event = { notify, signal: signo, value, tid: 0 };
  switch (notify) {
    case SIGEV_NONE:
      return event;
    case SIGEV_SIGNAL | SIGEV_THREAD_ID: {
      const thread = ctx.kernel.thread(tid);
      if (thread?.process !== ctx.process) throw new SysError(EINVAL);
      event.tid = tid;
      break;
    }
    case SIGEV_SIGNAL:
    case SIGEV_THREAD:
      break;
    default:
      throw new SysError(EINVAL);
  }
  if (!isSignal(signo)) throw new SysError(EINVAL);
  return event;
}

/** Ids of clocks that would wake a sleeping computer, which takes a capability, and a clock that runs while it sleeps: there is none. */
export const ALARM_CLOCKS: readonly number[] = [8, 9];

function timerClock(ctx: SyscallContext, id: number): { clock: TimerClock; clockTid: number } {
  const source = clockSource(ctx, id);
  checkWaitable(id);
  if (ALARM_CLOCKS.includes(id)) throw new SysError(EOPNOTSUPP);
  ownClock(ctx, source);
  switch (source.kind) {
    case "outside":
      throw new SysError(ESRCH);
    case "realtime":
      return { clock: CLOCK_REALTIME, clockTid: 0 };
    case "monotonic":
      return { clock: CLOCK_MONOTONIC, clockTid: 0 };
    case "process":
      return { clock: CLOCK_PROCESS_CPUTIME_ID, clockTid: 0 };
    case "thread":
      return { clock: CLOCK_THREAD_CPUTIME_ID, clockTid: source.thread.tid };
  }
}

const timerCreate: SyscallHandler = (ctx) => {
  const { args, process } = ctx;
  const { clock, clockTid } = timerClock(ctx, args.int(0));
  const event = readEvent(ctx, args.address(1));
  const at = args.address(2);
  ctx.memory.checkStore(at, 4);
  const timer = timersOf(process).create(clock, clockTid, event);
  if (timer === undefined) throw new SysError(EAGAIN);
  ctx.put32(at, timer.id);
  return 0;
};

function posixTimer({ process, args }: SyscallContext): PosixTimer {
  const timer = timersOf(process).posix.get(args.int(0));
  if (timer === undefined) throw new SysError(EINVAL);
  return timer;
}

/** Nanoseconds of a struct itimerspec. Throws EINVAL, EFAULT. */
export function readItimerspec(
  ctx: SyscallContext,
  at: number,
  format: TimeFormat,
): { value: bigint; interval: bigint } {
  const interval = readTimespec(ctx, at, format);
  return { interval, value: readTimespec(ctx, at + timespecSize(ctx.abi, format), format) };
}

/** Writes struct itimerspec: interval, then value. */
export function putItimerspec(
  ctx: SyscallContext,
  at: number,
  format: TimeFormat,
  timer: { value: bigint; interval: bigint },
) {
  const size = timespecSize(ctx.abi, format);
  ctx.memory.checkStore(at, 2 * size);
  writeTimespec(ctx, at, format, timer.interval);
  writeTimespec(ctx, at + size, format, timer.value);
}

const posixState = (ctx: SyscallContext, timer: PosixTimer) => ({
  value: remaining(ctx, timer, timer.notify === SIGEV_NONE ? 0n : 1n),
  interval: timer.interval,
});

const timerGettime =
  (format: TimeFormat): SyscallHandler =>
  (ctx) => {
    putItimerspec(ctx, ctx.args.address(1), format, posixState(ctx, posixTimer(ctx)));
    return 0;
  };

const timerSettime =
  (format: TimeFormat): SyscallHandler =>
  (ctx): SyscallResult => {
    const { args } = ctx;
    const [flags, next, old] = [args.int(1), args.address(2), args.address(3)];
    if (next === 0) throw new SysError(EINVAL);
    const { value, interval } = readItimerspec(ctx, next, format);
    const timer = posixTimer(ctx);
    const before = posixState(ctx, timer);
    const due = flags & TIMER_ABSTIME ? value : now(ctx, timer) + value;
    timersOf(ctx.process).arm(timer, value === 0n ? null : due, interval);
    if (old !== 0) putItimerspec(ctx, old, format, before);
    return 0;
  };

const timerDelete: SyscallHandler = (ctx) => {
  timersOf(ctx.process).remove(posixTimer(ctx));
  return 0;
};

export const TIMER_SYSCALLS: readonly SyscallRow[] = [
  { name: "alarm", args: "uint", handler: alarm },
  { name: "getitimer", args: "int ptr", handler: getitimer },
  { name: "setitimer", args: "int ptr ptr", handler: setitimer },
  { name: "timer_create", args: "int ptr ptr", handler: timerCreate },
  { name: "timer_settime", args: "int int ptr ptr", handler: timerSettime("native") },
  { name: "timer_settime64", args: "int int ptr ptr", handler: timerSettime("time64") },
  { name: "timer_gettime", args: "int ptr", handler: timerGettime("native") },
  { name: "timer_gettime64", args: "int ptr", handler: timerGettime("time64") },
  { name: "timer_getoverrun", args: "int", handler: (ctx) => posixTimer(ctx).overrun },
  { name: "timer_delete", args: "int", handler: timerDelete },
];
