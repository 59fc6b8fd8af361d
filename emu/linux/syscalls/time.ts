/** System calls that read clocks or sleep. */
import { struct, TIMEVAL } from "../abi.ts";
import {
  CLOCK_BOOTTIME,
  CLOCK_BOOTTIME_ALARM,
  CLOCK_MONOTONIC,
  CLOCK_MONOTONIC_COARSE,
  CLOCK_MONOTONIC_RAW,
  CLOCK_PROCESS_CPUTIME_ID,
  CLOCK_REALTIME,
  CLOCK_REALTIME_ALARM,
  CLOCK_REALTIME_COARSE,
  CLOCK_TAI,
  CLOCK_THREAD_CPUTIME_ID,
  NANOSECONDS,
} from "../clock.ts";
import { EINVAL, EOPNOTSUPP, EPERM, ESRCH, INIT, SysError } from "../errno.ts";
import type { Process } from "../process.ts";
import { timersOf } from "../signals/task-signals.ts";
import type { SyscallContext, SyscallHandler, SyscallResult, SyscallRow } from "../syscall.ts";
import type { Thread } from "../thread.ts";
import { CLOCK_DATA_LIFE, showClocks } from "../vdso/clock-data.ts";
import { capTime, WaitQueue } from "../wait-queue.ts";
import {
  readTimespec,
  type TimeFormat,
  timespecSize,
  timevalTime,
  writeTimespec,
  writeTimeval,
} from "./time-format.ts";

export const TIMER_ABSTIME = 1;

/** What a clock id names: one of the two system clocks, or the CPU time of a process or a thread. */
export type ClockSource =
  | { kind: "realtime" | "monotonic" }
  /** CPU time of the first process of the system, which is outside and does nothing. */
  | { kind: "outside" }
  | { kind: "process"; process: Process }
  | { kind: "thread"; thread: Thread };

interface SystemClock {
  kind: "realtime" | "monotonic";
  /** Nanoseconds a tick: one, or 1/250 s for the coarse clocks. */
  resolution: bigint;
  /** Whether timers and sleeps can use it. */
  waits: boolean;
}

const TICK = NANOSECONDS / 250n;
const clock = (kind: "realtime" | "monotonic", waits = true, resolution = 1n): SystemClock => ({
  kind,
  resolution,
  waits,
});
/** There is no leap second table, so TAI is UTC, as on a kernel that was told none. */
const SYSTEM_CLOCKS = new Map<number, SystemClock>([
  [CLOCK_REALTIME, clock("realtime")],
  [CLOCK_MONOTONIC, clock("monotonic")],
  [CLOCK_MONOTONIC_RAW, clock("monotonic", false)],
  [CLOCK_REALTIME_COARSE, clock("realtime", false, TICK)],
  [CLOCK_MONOTONIC_COARSE, clock("monotonic", false, TICK)],
  [CLOCK_BOOTTIME, clock("monotonic")],
  [CLOCK_REALTIME_ALARM, clock("realtime")],
  [CLOCK_BOOTTIME_ALARM, clock("monotonic")],
  [CLOCK_TAI, clock("realtime")],
]);

/** Negative ids are CPU clocks, ~id >> 3 the process or thread, 4 for a thread; 3 in the low bits is a descriptor. */
const PER_THREAD = 4;
const CLOCK_FD = 3;
const CPU_CLOCK = 3;
/** The CPU clock that counts nanoseconds; the others, of what profilers count, go by ticks. */
const CPUCLOCK_SCHED = 2;

/** Whether `id` stands for a descriptor of a clock device, of which there are none. */
const isDevice = (id: number): boolean => id < 0 && (id & (PER_THREAD | CPU_CLOCK)) === CLOCK_FD;

/** The clock that `id` names. Throws EINVAL. */
export function clockSource({ kernel, process, thread }: SyscallContext, id: number): ClockSource {
  const system = SYSTEM_CLOCKS.get(id);
  if (system !== undefined) return system;
  if (id === CLOCK_PROCESS_CPUTIME_ID) return { kind: "process", process };
  if (id === CLOCK_THREAD_CPUTIME_ID) return { kind: "thread", thread };
  if (id >= 0 || (id & CPU_CLOCK) === 3) throw new SysError(EINVAL);
  const target = ~(id >> 3);
  if (id & PER_THREAD) {
    const named = target === 0 ? thread : kernel.thread(target);
    if (named?.process !== process) throw new SysError(EINVAL);
    return { kind: "thread", thread: named };
  }
  const named = target === 0 ? process : kernel.processes.get(target);
  if (named === undefined && target === INIT) return { kind: "outside" };
  if (named === undefined) throw new SysError(EINVAL);
  return { kind: "process", process: named };
}

/** Whether timers can run on the clock `id`: EOPNOTSUPP where only reading is possible. */
export function checkWaitable(id: number): void {
  if (SYSTEM_CLOCKS.get(id)?.waits === false) throw new SysError(EOPNOTSUPP);
}

const CLOCK_DATA_TIME = BigInt(CLOCK_DATA_LIFE);

/** The present time. The program did not find it in its vdso: now it will for a while. */
function tell(
  { kernel: { clock }, process: { mm }, abi }: SyscallContext,
  kind: SystemClock["kind"],
): bigint {
  const now = kind === "realtime" ? clock.realtime() : clock.monotonic();
  const { from, to } = mm.clocksShown[kind];
  if ((now >= from && now < to) || clock.isVirtual) return now;
  const difference = clock.difference();
  if (difference === undefined) return now;
  const [monotonic, realtime] = kind === "monotonic" ? [now, now + difference] : [now - difference, now];
  mm.clocksShown = { monotonic: fromNow(monotonic), realtime: fromNow(realtime) };
  showClocks(mm.memory, abi, { monotonic, realtime });
  return now;
}
const fromNow = (from: bigint) => ({ from, to: from + CLOCK_DATA_TIME });

/** Present time of a clock, nanoseconds. */
function readClock({ kernel }: SyscallContext, source: ClockSource): bigint {
  switch (source.kind) {
    case "realtime":
      return kernel.clock.realtime();
    case "monotonic":
      return kernel.clock.monotonic();
    case "outside":
      return 0n;
    case "process":
      kernel.settleTime();
      return source.process.cpuTime;
    case "thread":
      kernel.settleTime();
      return source.thread.cpuTime;
  }
}

const clockGettime =
  (format: TimeFormat): SyscallHandler =>
  (ctx) => {
    const source = clockSource(ctx, ctx.args.int(0));
    const { kind } = source;
    const time = kind === "realtime" || kind === "monotonic" ? tell(ctx, kind) : readClock(ctx, source);
    writeTimespec(ctx, ctx.args.address(1), format, time);
    return 0;
  };

const clockGetres =
  (format: TimeFormat): SyscallHandler =>
  (ctx) => {
    const id = ctx.args.int(0);
    clockSource(ctx, id);
    const at = ctx.args.address(1);
    const ofCpu = id < 0 && (id & CPU_CLOCK) !== CPUCLOCK_SCHED ? TICK : 1n;
    if (at !== 0) writeTimespec(ctx, at, format, SYSTEM_CLOCKS.get(id)?.resolution ?? ofCpu);
    return 0;
  };

/** The guest does not set its host's clock: EPERM, after the checks that come first. */
const clockSettime =
  (format: TimeFormat): SyscallHandler =>
  (ctx) => {
    const id = ctx.args.int(0);
    if (id > CLOCK_REALTIME) throw new SysError(EINVAL);
    const at = ctx.args.address(1);
    if (id === CLOCK_REALTIME) readTimespec(ctx, at, format);
    ctx.memory.checkLoad(at, timespecSize(ctx.abi, format));
    clockSource(ctx, id);
    throw new SysError(EPERM);
  };

// ---- sleeping --------------------------------------------------------------------------------------------------

/** Sleeps for `time` nanoseconds; a signal that ends it early leaves the rest where argument `n` says, which is looked at only then. */
function sleepFor(ctx: SyscallContext, time: bigint, n: number, format: TimeFormat): SyscallResult {
  const now = () => ctx.kernel.clock.monotonic();
  const deadline = ctx.resumed?.deadline ?? now() + time;
  if (deadline <= now()) return 0;
  return ctx.wait({
    deadline,
    restart: "block",
    interrupted() {
      const left = deadline - now();
      const rem = ctx.args.address(n);
      if (rem !== 0) writeTimespec(ctx, rem, format, left > 0n ? left : 0n);
    },
  });
}

/** Sleeps until a thread or a process has used so much CPU time; what is left of a time that is not absolute is told as by `sleepFor`. */
function sleepByCpu(
  ctx: SyscallContext,
  source: Extract<ClockSource, { kind: "thread" | "process" }>,
  { time, isAbsolute }: { time: bigint; isAbsolute: boolean },
  format: TimeFormat,
): SyscallResult {
  const now = readClock(ctx, source);
  const { state } = ctx.resumed ?? {};
  const at = state?.kind === "cpu" ? state.at : capTime(isAbsolute ? time : now + time);
  if (at <= now) return 0;
  const queue = new WaitQueue();
  const [process, clock] =
    source.kind === "process"
      ? [source.process, { clock: CLOCK_PROCESS_CPUTIME_ID, clockTid: 0 } as const]
      : [source.thread.process, { clock: CLOCK_THREAD_CPUTIME_ID, clockTid: source.thread.tid } as const];
  const giveUp = timersOf(process).sleep(clock, at, () => queue.wake());
  return ctx.wait({
    queues: [queue],
    state: { kind: "cpu", at },
    restart: isAbsolute ? "nohand" : "block",
    abandoned: giveUp,
    interrupted() {
      const left = at - readClock(ctx, source);
      const rem = isAbsolute ? 0 : ctx.args.address(3);
      if (rem !== 0) writeTimespec(ctx, rem, format, left > 0n ? left : 0n);
    },
  });
}

const nanosleep: SyscallHandler = (ctx) => {
  const time = readTimespec(ctx, ctx.args.address(0), "native");
  return sleepFor(ctx, time, 1, "native");
};

const clockNanosleep =
  (format: TimeFormat): SyscallHandler =>
  (ctx) => {
    const { args } = ctx;
    const [id, flags] = [args.int(0), args.int(1)];
    // The alarms are those of a clock that goes on while the computer sleeps: there is none.
    const isAlarm = id === CLOCK_REALTIME_ALARM || id === CLOCK_BOOTTIME_ALARM;
    if (id === CLOCK_THREAD_CPUTIME_ID || isDevice(id) || isAlarm) throw new SysError(EOPNOTSUPP);
    checkWaitable(id);
    if (id >= 0) clockSource(ctx, id);
    const time = readTimespec(ctx, args.address(2), format);
    const source = clockSource(ctx, id);
    if (source.kind === "thread" && source.thread === ctx.thread) throw new SysError(EINVAL);
    const isAbsolute = (flags & TIMER_ABSTIME) !== 0;
    const left = isAbsolute ? time - readClock(ctx, source) : time;
    if (source.kind === "outside") return left <= 0n ? 0 : ctx.wait({ restart: "nohand" });
    if (source.kind === "thread" || source.kind === "process")
      return sleepByCpu(ctx, source, { time, isAbsolute }, format);
    if (!isAbsolute) return sleepFor(ctx, time, 3, format);
    if (left <= 0n) return 0;
    return ctx.wait({ deadline: ctx.kernel.clock.monotonic() + left, restart: "nohand" });
  };

// ---- the older calls ----------------------------------------------------------------------------------------------

const TIMEZONE = struct({ tz_minuteswest: "i32", tz_dsttime: "i32" });

const gettimeofday: SyscallHandler = (ctx) => {
  const [time, zone] = [ctx.args.address(0), ctx.args.address(1)];
  if (time !== 0) writeTimeval(ctx, time, tell(ctx, "realtime"));
  if (zone !== 0) ctx.put(TIMEZONE, zone, {});
  return 0;
};

const settimeofday: SyscallHandler = (ctx) => {
  const [time, zone] = [ctx.args.address(0), ctx.args.address(1)];
  if (time !== 0) {
    const { tv_sec, tv_usec } = ctx.get(TIMEVAL, time);
    timevalTime(tv_sec, tv_usec);
  }
  if (zone !== 0) ctx.get(TIMEZONE, zone);
  throw new SysError(EPERM);
};

const time: SyscallHandler = (ctx) => {
  const seconds = tell(ctx, "realtime") / NANOSECONDS;
  const at = ctx.args.address(0);
  if (at !== 0) ctx.putWord(at, seconds);
  return BigInt.asUintN(ctx.abi.is64 ? 64 : 32, seconds);
};

const stime: SyscallHandler = (ctx) => {
  ctx.getWord(ctx.args.address(0));
  throw new SysError(EPERM);
};

/** struct timex: of `long`s, and of 64-bit fields for clock_adjtime64. */
const TIMEX = struct({
  modes: "u32",
  offset: "long",
  freq: "long",
  maxerror: "long",
  esterror: "long",
  status: "i32",
  constant: "long",
  precision: "long",
  tolerance: "long",
  tv_sec: "long",
  tv_usec: "long",
  tick: "long",
  ppsfreq: "long",
  jitter: "long",
  shift: "i32",
  stabil: "long",
  jitcnt: "long",
  calcnt: "long",
  errcnt: "long",
  stbcnt: "long",
  tai: "i32",
  padding: ["i32", 11],
});
const TIMEX64 = struct({
  modes: "u32",
  offset: "i64",
  freq: "i64",
  maxerror: "i64",
  esterror: "i64",
  status: "i32",
  constant: "i64",
  precision: "i64",
  tolerance: "i64",
  tv_sec: "i64",
  tv_usec: "i64",
  tick: "i64",
  ppsfreq: "i64",
  jitter: "i64",
  shift: "i32",
  stabil: "i64",
  jitcnt: "i64",
  calcnt: "i64",
  errcnt: "i64",
  stbcnt: "i64",
  tai: "i32",
  padding: ["i32", 11],
});

const STA_UNSYNC = 0x40;
const TIME_ERROR = 5;
/** Modes of adjtime(3), which go with no others: an adjustment, and what is left of it. */
const ADJ_ADJTIME = 0x8000;
const ADJ_OFFSET_SINGLESHOT = 1;
const ADJ_OFFSET_READONLY = 0x2000;

/** adjtimex(2) of a clock that nobody disciplines: what can be read. */
function adjust(ctx: SyscallContext, at: number, format: TimeFormat): SyscallResult {
  const layout = format === "native" ? TIMEX : TIMEX64;
  const { modes } = layout.decode(ctx.abi, ctx.memory.read(at, layout.size(ctx.abi)));
  const isAdjtime = (modes & ADJ_ADJTIME) !== 0;
  if (isAdjtime && !(modes & ADJ_OFFSET_SINGLESHOT)) throw new SysError(EINVAL);
  if (modes !== 0 && !(isAdjtime && modes & ADJ_OFFSET_READONLY)) throw new SysError(EPERM);
  const now = ctx.kernel.clock.realtime();
  const values = {
    modes,
    maxerror: 16_000_000,
    esterror: 16_000_000,
    status: STA_UNSYNC,
    constant: 2,
    precision: 1,
    tolerance: 32_768_000,
    tv_sec: now / NANOSECONDS,
    tv_usec: (now % NANOSECONDS) / 1000n,
    tick: 10_000,
  };
  ctx.memory.write(at, layout.encode(ctx.abi, values));
  return TIME_ERROR;
}

const clockAdjtime =
  (format: TimeFormat): SyscallHandler =>
  (ctx) => {
    const [id, at] = [ctx.args.int(0), ctx.args.address(1)];
    ctx.memory.checkLoad(at, (format === "native" ? TIMEX : TIMEX64).size(ctx.abi));
    if (id >= 0 || isDevice(id)) clockSource(ctx, id);
    if (id !== CLOCK_REALTIME) throw new SysError(EOPNOTSUPP);
    return adjust(ctx, at, format);
  };

/** The thread group a clock belongs to, for timers on another process's CPU time: not supported. */
export function ownClock(ctx: SyscallContext, source: ClockSource): void {
  if (source.kind === "process" && source.process !== ctx.process) throw new SysError(ESRCH);
}

export const TIME_SYSCALLS: readonly SyscallRow[] = [
  { name: "clock_gettime", args: "int ptr", brief: true, handler: clockGettime("native") },
  { name: "clock_gettime64", args: "int ptr", brief: true, handler: clockGettime("time64") },
  { name: "clock_getres", args: "int ptr", brief: true, handler: clockGetres("native") },
  { name: "clock_getres_time64", args: "int ptr", brief: true, handler: clockGetres("time64") },
  { name: "clock_settime", args: "int ptr", handler: clockSettime("native") },
  { name: "clock_settime64", args: "int ptr", handler: clockSettime("time64") },
  { name: "nanosleep", args: "ptr ptr", handler: nanosleep },
  { name: "clock_nanosleep", args: "int int ptr ptr", handler: clockNanosleep("native") },
  { name: "clock_nanosleep_time64", args: "int int ptr ptr", handler: clockNanosleep("time64") },
  { name: "gettimeofday", args: "ptr ptr", brief: true, handler: gettimeofday },
  { name: "settimeofday", args: "ptr ptr", handler: settimeofday },
  { name: "time", args: "ptr", brief: true, handler: time },
  { name: "stime", args: "ptr", handler: stime },
  { name: "adjtimex", args: "ptr", handler: (ctx) => adjust(ctx, ctx.args.address(0), "native") },
  { name: "clock_adjtime", args: "int ptr", handler: clockAdjtime("native") },
  { name: "clock_adjtime64", args: "int ptr", handler: clockAdjtime("time64") },
];
