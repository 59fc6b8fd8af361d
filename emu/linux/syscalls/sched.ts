/**
 * System calls about scheduling: there is one CPU, and threads take turns whatever their policy, which is kept and told
 * (Linux: kernel/sched/core.c).
 */
import { type AbiInfo, struct, TIMESPEC, TIMESPEC64 } from "../abi.ts";
import { allCpus, cpusOf } from "../cpu-sets.ts";
import { CAP_SYS_NICE, isCapable } from "../credentials.ts";
import { E2BIG, EINVAL, EOPNOTSUPP, EPERM, ESRCH, INIT, noProcess, SysError } from "../errno.ts";
import { RLIMIT_RTPRIO } from "../process.ts";
import { isRealtime, ordinaryScheduling, SCHED_FIFO, SCHED_NORMAL, SCHED_RR } from "../scheduling.ts";
import type { SyscallContext, SyscallHandler, SyscallRow } from "../syscall.ts";
import type { Thread } from "../thread.ts";
import { clamp, mayBecome, mayRank } from "./priority.ts";

const SCHED_BATCH = 3;
export const SCHED_IDLE = 5;
const SCHED_DEADLINE = 6;
const SCHED_RESET_ON_FORK = 0x4000_0000;
const SCHED_FLAG_RESET_ON_FORK = 1n;
/** What sched_rr_get_interval says of a thread that is SCHED_RR, and of others: a slice of the fair scheduler. */
const RR_SLICE_NS = 100_000_000;
const SLICE_NS = 4_000_000;
/** Bytes of the kernel's own CPU masks: whole doublewords that hold all CPUs. */
const maskBytes = ({ kernel }: SyscallContext): number => 8 * Math.ceil(kernel.cpus / 64);

const SCHED_PARAM = struct({ sched_priority: "i32" });
const SCHED_ATTR = struct({
  size: "u32",
  sched_policy: "u32",
  sched_flags: "u64",
  sched_nice: "i32",
  sched_priority: "u32",
  sched_runtime: "u64",
  sched_deadline: "u64",
  sched_period: "u64",
  sched_util_min: "u32",
  sched_util_max: "u32",
});
const SCHED_FLAG_KEEP_POLICY = 0x08n;
const SCHED_FLAG_KEEP_PARAMS = 0x10n;
/** SCHED_FLAG_UTIL_CLAMP_MIN and _MAX, for kernels that scale their clocks by what is asked for. */
const SCHED_FLAG_UTIL_CLAMP = 0x60n;
const SCHED_FLAGS_KNOWN = 0x7fn;
/** Least run time of a deadline in nanoseconds. */
const DEADLINE_LEAST = 1024n;

/** Whether times fit together, which is looked at before anybody asks who may have deadlines (Linux: __checkparam_dl). */
function isDeadline(given: { sched_runtime: bigint; sched_deadline: bigint; sched_period: bigint }): boolean {
  const { sched_runtime: runtime, sched_deadline: deadline } = given;
  const period = given.sched_period === 0n ? deadline : given.sched_period;
  if (deadline === 0n || runtime < DEADLINE_LEAST || (deadline | period) >> 63n) return false;
  return deadline <= period && runtime <= deadline;
}

/** SCHED_ATTR_SIZE_VER0 */
const ATTR_LEAST = 48;

/** A thread by tid, 0 being the caller. Throws `negative` for negative ones, ESRCH. */
function threadArg({ kernel, thread, args }: SyscallContext, negative = EINVAL): Thread {
  const tid = args.int(0);
  if (tid < 0) throw new SysError(negative);
  const found = tid === 0 ? thread : kernel.thread(tid);
  if (found === undefined) throw noProcess(tid);
  return found;
}

/** What anybody may ask of a thread. The first process of the system is outside, and as threads begin. */
function shownThread(ctx: SyscallContext, negative = EINVAL): Pick<Thread, "cpus" | "scheduling"> {
  const { kernel, args } = ctx;
  const isOutside = args.int(0) === INIT && kernel.thread(INIT) === undefined;
  return isOutside
    ? { cpus: allCpus(kernel.cpus), scheduling: ordinaryScheduling() }
    : threadArg(ctx, negative);
}

/**
 * Sets a policy with a priority that fits it, and a niceness where that goes with it; more than its limits allow takes a privilege. Who
 * resets on fork can't stop that. With `keeps` all is judged and nothing changed but whether it resets. Throws EINVAL, EPERM (Linux: __sched_setscheduler).
 */
function setPolicy(
  ctx: SyscallContext,
  {
    policy,
    priority,
    resets,
    nice,
    keeps = false,
  }: { policy: number; priority: number; resets: boolean; nice?: number; keeps?: boolean },
): void {
  const thread = threadArg(ctx);
  const { process, scheduling: old } = thread;
  const realtime = isRealtime(policy);
  if (![SCHED_NORMAL, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE, SCHED_DEADLINE].includes(policy)) {
    throw new SysError(EINVAL);
  }
  if (realtime ? priority < 1 || priority > 99 : priority !== 0) throw new SysError(EINVAL);
  if (policy === SCHED_DEADLINE) throw new SysError(EPERM);
  const limit = process.limits[RLIMIT_RTPRIO]?.soft ?? 0n;
  const isHigher = priority > (old.priority ?? 0) && BigInt(priority) > limit;
  const isBeyond = realtime && ((policy !== old.policy && limit === 0n) || isHigher);
  const isLessNice = nice !== undefined && nice < old.nice && !mayBecome(ctx, process, nice);
  const leavesIdle = old.policy === SCHED_IDLE && policy !== SCHED_IDLE;
  const mayLeave = !leavesIdle || mayBecome(ctx, process, old.nice);
  const mayStopResetting = !old.resetOnFork || resets;
  const isAllowed = !isBeyond && !isLessNice && mayLeave && mayStopResetting;
  if (!mayRank(ctx, thread) || (!isAllowed && !isCapable(ctx.thread.credentials, CAP_SYS_NICE)))
    throw new SysError(EPERM);
  const { priority: _, resetOnFork: __, ...rest } = old;
  if (keeps) {
    const { resetOnFork: ___, ...kept } = old;
    thread.scheduling = resets ? { ...kept, resetOnFork: true } : kept;
    return;
  }
  thread.scheduling = {
    ...rest,
    policy,
    ...(nice === undefined ? {} : { nice: clamp(nice) }),
    ...(realtime ? { priority } : {}),
    ...(resets ? { resetOnFork: true } : {}),
  };
}

const getparam: SyscallHandler = (ctx) => {
  if (ctx.args.word(1) === 0n) throw new SysError(EINVAL);
  const { priority = 0 } = shownThread(ctx).scheduling;
  ctx.put(SCHED_PARAM, ctx.args.address(1), { sched_priority: priority });
  return 0;
};

const setparam: SyscallHandler = (ctx) => {
  if (ctx.args.word(1) === 0n) throw new SysError(EINVAL);
  const { sched_priority } = ctx.get(SCHED_PARAM, ctx.args.address(1));
  const { policy, resetOnFork = false } = threadArg(ctx).scheduling;
  setPolicy(ctx, { policy, priority: sched_priority, resets: resetOnFork });
  return 0;
};

const setscheduler: SyscallHandler = (ctx) => {
  const policy = ctx.args.int(1);
  if (policy < 0 || ctx.args.word(2) === 0n) throw new SysError(EINVAL);
  const { sched_priority } = ctx.get(SCHED_PARAM, ctx.args.address(2));
  const resets = (policy & SCHED_RESET_ON_FORK) !== 0;
  setPolicy(ctx, { policy: policy & ~SCHED_RESET_ON_FORK, priority: sched_priority, resets });
  return 0;
};

const getscheduler: SyscallHandler = (ctx) => {
  const { policy, resetOnFork } = shownThread(ctx).scheduling;
  return policy | (resetOnFork ? SCHED_RESET_ON_FORK : 0);
};

const getattr: SyscallHandler = (ctx) => {
  const { args, abi } = ctx;
  const size = args.uint(2);
  if (args.word(1) === 0n || size < ATTR_LEAST || size > 4096 || args.uint(3) !== 0)
    throw new SysError(EINVAL);
  const { policy, nice, priority = 0, resetOnFork } = shownThread(ctx).scheduling;
  const full = SCHED_ATTR.encode(abi, {
    size: Math.min(size, SCHED_ATTR.size(abi)),
    sched_policy: policy,
    sched_flags: resetOnFork ? SCHED_FLAG_RESET_ON_FORK : 0n,
    sched_nice: isRealtime(policy) ? 0 : nice,
    sched_priority: priority,
  });
  ctx.memory.write(args.address(1), full.subarray(0, Math.min(size, full.length)));
  return 0;
};

const setattr: SyscallHandler = (ctx) => {
  const { args, abi, memory } = ctx;
  if (args.word(1) === 0n || args.uint(2) !== 0) throw new SysError(EINVAL);
  const at = args.address(1);
  const size = memory.read32(at) >>> 0 || ATTR_LEAST;
  if (size < ATTR_LEAST || size > 4096) {
    ctx.put32(at, SCHED_ATTR.size(abi));
    throw new SysError(E2BIG);
  }
  const bytes = new Uint8Array(SCHED_ATTR.size(abi));
  // What a later kernel may know is not asked for.
  if (!ctx.isZero(at + bytes.length, size - bytes.length)) {
    ctx.put32(at, bytes.length);
    throw new SysError(E2BIG);
  }
  bytes.set(memory.read(at, Math.min(size, bytes.length)));
  const given = SCHED_ATTR.decode(abi, bytes);
  const { sched_flags, sched_policy } = given;
  if (sched_policy >>> 31 || sched_flags & ~SCHED_FLAGS_KNOWN) throw new SysError(EINVAL);
  if (sched_flags & SCHED_FLAG_UTIL_CLAMP) throw new SysError(EOPNOTSUPP);
  const old = threadArg(ctx).scheduling;
  const policy = sched_flags & SCHED_FLAG_KEEP_POLICY ? old.policy : sched_policy;
  const keeps = (sched_flags & SCHED_FLAG_KEEP_PARAMS) !== 0n;
  if (policy === SCHED_DEADLINE && !isDeadline(given)) throw new SysError(EINVAL);
  const ranks = policy === SCHED_NORMAL || policy === SCHED_BATCH;
  setPolicy(ctx, {
    policy,
    priority: keeps ? (old.priority ?? 0) : given.sched_priority,
    resets: (sched_flags & SCHED_FLAG_RESET_ON_FORK) !== 0n,
    ...(ranks ? { nice: keeps ? old.nice : given.sched_nice } : {}),
    keeps,
  });
  return 0;
};

const priorityBound =
  (realtime: number): SyscallHandler =>
  ({ args }) => {
    const policy = args.int(0);
    if (policy === SCHED_FIFO || policy === SCHED_RR) return realtime;
    if ([SCHED_NORMAL, SCHED_BATCH, SCHED_IDLE, SCHED_DEADLINE].includes(policy)) return 0;
    throw new SysError(EINVAL);
  };

const rrGetInterval =
  (layout: typeof TIMESPEC | typeof TIMESPEC64): SyscallHandler =>
  (ctx) => {
    const { policy } = shownThread(ctx).scheduling;
    const tv_nsec = policy === SCHED_RR ? RR_SLICE_NS : policy === SCHED_FIFO ? 0 : SLICE_NS;
    ctx.memory.write(ctx.args.address(1), layout.encode(ctx.abi, { tv_sec: 0, tv_nsec }));
    return 0;
  };

/** Where the bit of a CPU is: CPU 0 is the least significant bit of the first word. */
const cpuByte = ({ littleEndian, wordSize }: AbiInfo, cpu: number): number =>
  littleEndian ? cpu >> 3 : (cpu >> 3) ^ (wordSize - 1);

const getaffinity: SyscallHandler = (ctx) => {
  const { args, abi, memory } = ctx;
  const length = args.uint(1);
  // The length must hold all CPUs and be whole words.
  if (length * 8 < ctx.kernel.cpus || length % abi.wordSize !== 0) throw new SysError(EINVAL);
  const { cpus } = shownThread(ctx, ESRCH);
  const bytes = new Uint8Array(Math.min(length, maskBytes(ctx)));
  for (const cpu of cpusOf(cpus)) bytes[cpuByte(abi, cpu)] |= 1 << (cpu & 7);
  memory.write(args.address(2), bytes);
  return bytes.length;
};

const setaffinity: SyscallHandler = (ctx) => {
  const { args, abi, memory, kernel } = ctx;
  const length = Math.min(args.uint(1), maskBytes(ctx));
  const bytes = new Uint8Array(Math.max(length, abi.wordSize));
  bytes.set(length === 0 ? [] : memory.read(args.address(2), length));
  const thread = threadArg(ctx, ESRCH);
  if (!mayRank(ctx, thread)) throw new SysError(EPERM);
  const wanted = cpusOf(allCpus(kernel.cpus)).filter(
    (cpu) => (bytes[cpuByte(abi, cpu)] ?? 0) & (1 << (cpu & 7)),
  );
  if (wanted.length === 0) throw new SysError(EINVAL);
  thread.affinity = wanted.reduce((set, cpu) => set | (1n << BigInt(cpu)), 0n);
  return 0;
};

/** getcpu(2): the first of the CPUs that the thread may run on, and node 0. */
const getcpu: SyscallHandler = (ctx) => {
  const { args, thread } = ctx;
  if (args.word(0) !== 0n) ctx.put32(args.address(0), cpusOf(thread.cpus)[0]);
  if (args.word(1) !== 0n) ctx.put32(args.address(1), 0);
  return 0;
};

const yieldTurn: SyscallHandler = ({ kernel }) => {
  kernel.scheduler.yield();
  return 0;
};

export const SCHED_SYSCALLS: readonly SyscallRow[] = [
  { name: "sched_yield", args: "", handler: yieldTurn },
  { name: "sched_getparam", args: "int ptr", handler: getparam },
  { name: "sched_setparam", args: "int ptr", handler: setparam },
  { name: "sched_getscheduler", args: "int", handler: getscheduler },
  { name: "sched_setscheduler", args: "int int ptr", handler: setscheduler },
  { name: "sched_getattr", args: "int ptr uint uint", handler: getattr },
  { name: "sched_setattr", args: "int ptr uint", handler: setattr },
  { name: "sched_get_priority_max", args: "int", handler: priorityBound(99) },
  { name: "sched_get_priority_min", args: "int", handler: priorityBound(1) },
  { name: "sched_rr_get_interval", args: "int ptr", handler: rrGetInterval(TIMESPEC) },
  { name: "sched_rr_get_interval_time64", args: "int ptr", handler: rrGetInterval(TIMESPEC64) },
  { name: "sched_getaffinity", args: "int uint ptr", handler: getaffinity },
  { name: "sched_setaffinity", args: "int uint ptr", handler: setaffinity },
  { name: "getcpu", args: "ptr ptr ptr", handler: getcpu },
];
