/** System calls about limits and use of resources (Linux: kernel/sys.c). */
import { struct } from "../abi.ts";
import { NANOSECONDS } from "../clock.ts";
import { CAP_SYS_RESOURCE, isCapable } from "../credentials.ts";
import { EINVAL, ENOSYS, EPERM, noProcess, SysError } from "../errno.ts";
import { type Limit, type Process, RLIM_INFINITY, RLIMIT_NOFILE } from "../process.ts";
import type { SyscallContext, SyscallHandler, SyscallRow } from "../syscall.ts";
import { timeParts } from "./time-format.ts";

const RLIM_NLIMITS = 16;
/** Ceiling of RLIMIT_NOFILE (fs.nr_open). */
const NR_OPEN = 1048576n;

const RLIMIT = struct({ rlim_cur: "ulong", rlim_max: "ulong" });
const RLIMIT64 = struct({ rlim_cur: "u64", rlim_max: "u64" });
export const USAGE = struct({
  ru_utime_sec: "long",
  ru_utime_usec: "long",
  ru_stime_sec: "long",
  ru_stime_usec: "long",
  ru_maxrss: "long",
  ru_ixrss: "long",
  ru_idrss: "long",
  ru_isrss: "long",
  ru_minflt: "long",
  ru_majflt: "long",
  ru_nswap: "long",
  ru_inblock: "long",
  ru_oublock: "long",
  ru_msgsnd: "long",
  ru_msgrcv: "long",
  ru_nsignals: "long",
  ru_nvcsw: "long",
  ru_nivcsw: "long",
});
/** The first fields of struct rusage of something that has used so much CPU time, memory in KiB, and pages; the others are zero. */
export function usageValues(time: bigint, most: number, faults: number): number[] {
  const { seconds, nanoseconds } = timeParts(time);
  return [seconds, Math.floor(nanoseconds / 1000), 0, 0, most, 0, 0, 0, faults];
}

const TMS = struct({ tms_utime: "long", tms_stime: "long", tms_cutime: "long", tms_cstime: "long" });

const RUSAGE_SELF = 0;
const RUSAGE_CHILDREN = -1;
const RUSAGE_THREAD = 1;
/** Nanoseconds of a clock tick (AT_CLKTCK 100). */
const TICK = Number(NANOSECONDS / 100n);
/** Whole ticks; BigInts cost V8 a call each. */
const ticks = (time: bigint): number => Math.floor(Number(time) / TICK);

function resourceArg(value: number): number {
  if (value >= RLIM_NLIMITS) throw new SysError(EINVAL);
  return value;
}

/** Largest value of the ABI's unsigned long, which stands for infinity and anything that does not fit. */
const longInfinity = ({ abi }: SyscallContext): bigint => (abi.is64 ? RLIM_INFINITY : 0xffff_ffffn);

function changeLimit({ thread }: SyscallContext, target: Process, resource: number, next: Limit): void {
  const old = target.limits[resource];
  if (next.soft > next.hard) throw new SysError(EINVAL);
  if (resource === RLIMIT_NOFILE && next.hard > NR_OPEN) throw new SysError(EPERM);
  if (next.hard > old.hard && !isCapable(thread.credentials, CAP_SYS_RESOURCE)) throw new SysError(EPERM);
  target.limits[resource] = next;
}

const getrlimit: SyscallHandler = (ctx) => {
  const { soft, hard } = ctx.process.limits[resourceArg(ctx.args.uint(0))];
  const most = longInfinity(ctx);
  const clip = (value: bigint): bigint => (value > most ? most : value);
  ctx.put(RLIMIT, ctx.args.address(1), { rlim_cur: clip(soft), rlim_max: clip(hard) });
  return 0;
};

/** The call of old C libraries, whose infinity is 2^31 - 1; 64-bit programs never had it. */
const oldGetrlimit: SyscallHandler = (ctx) => {
  if (ctx.abi.is64) throw new SysError(ENOSYS);
  const { soft, hard } = ctx.process.limits[resourceArg(ctx.args.uint(0))];
  const clip = (value: bigint): bigint => (value > 0x7fff_ffffn ? 0x7fff_ffffn : value);
  ctx.put(RLIMIT, ctx.args.address(1), { rlim_cur: clip(soft), rlim_max: clip(hard) });
  return 0;
};

const setrlimit: SyscallHandler = (ctx) => {
  const resource = resourceArg(ctx.args.uint(0));
  const { rlim_cur, rlim_max } = ctx.get(RLIMIT, ctx.args.address(1));
  const infinity = longInfinity(ctx);
  const widen = (value: bigint): bigint => (value === infinity ? RLIM_INFINITY : value);
  changeLimit(ctx, ctx.process, resource, { soft: widen(rlim_cur), hard: widen(rlim_max) });
  return 0;
};

/** Throws EPERM where limits of a process are not the caller's to see (Linux: check_prlimit_permission). */
function checkAsker({ process, thread: { credentials: mine } }: SyscallContext, target: Process): void {
  const its = target.credentials;
  const isOwn =
    [its.uid, its.euid, its.suid].every((uid) => uid === mine.uid) &&
    [its.gid, its.egid, its.sgid].every((gid) => gid === mine.gid);
  if (process !== target && !isOwn && !isCapable(mine, CAP_SYS_RESOURCE)) throw new SysError(EPERM);
}

const prlimit64: SyscallHandler = (ctx) => {
  const { args, kernel } = ctx;
  const pid = args.int(0);
  const resource = resourceArg(args.uint(1));
  const [next, old] = [args.word(2), args.word(3)];
  const wanted = next === 0n ? undefined : ctx.get(RLIMIT64, args.address(2));
  const target = pid === 0 ? ctx.process : (kernel.thread(pid)?.process ?? kernel.processes.get(pid));
  if (target === undefined) throw noProcess(pid);
  checkAsker(ctx, target);
  const { soft, hard } = target.limits[resource];
  if (wanted !== undefined)
    changeLimit(ctx, target, resource, { soft: wanted.rlim_cur, hard: wanted.rlim_max });
  if (old !== 0n) ctx.put(RLIMIT64, args.address(3), { rlim_cur: soft, rlim_max: hard });
  return 0;
};

const getrusage: SyscallHandler = (ctx) => {
  const { args, process, thread } = ctx;
  const who = args.int(0);
  if (who !== RUSAGE_SELF && who !== RUSAGE_CHILDREN && who !== RUSAGE_THREAD) throw new SysError(EINVAL);
  ctx.kernel.settleTime();
  const own = who === RUSAGE_SELF ? process.cpuTime : thread.cpuTime;
  const isChildren = who === RUSAGE_CHILDREN;
  const values = isChildren
    ? usageValues(process.childCpuTime, process.childrenPeak, process.usage.childFaults)
    : usageValues(own, process.peak, process.usage.faults);
  ctx.putInOrder(USAGE, args.address(1), values);
  return 0;
};

const times: SyscallHandler = (ctx) => {
  const { args, kernel, process } = ctx;
  kernel.settleTime();
  const { cpuTime, childCpuTime } = process;
  if (!args.isZero(0)) ctx.putInOrder(TMS, args.address(0), [ticks(cpuTime), 0, ticks(childCpuTime)]);
  return ticks(kernel.clock.monotonic());
};

export const LIMIT_SYSCALLS: readonly SyscallRow[] = [
  { name: "getrlimit", args: "uint ptr", handler: oldGetrlimit },
  { name: "ugetrlimit", args: "uint ptr", handler: getrlimit },
  { name: "setrlimit", args: "uint ptr", handler: setrlimit },
  { name: "prlimit64", args: "int uint ptr ptr", handler: prlimit64 },
  { name: "getrusage", args: "int ptr", brief: true, handler: getrusage },
  { name: "times", args: "ptr", brief: true, handler: times },
];
