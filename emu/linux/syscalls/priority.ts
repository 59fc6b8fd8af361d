/** Niceness: kept and told, but there is no scheduler that ranks threads (Linux: kernel/sys.c, kernel/sched/core.c). */
import { CAP_SYS_NICE, isCapable } from "../credentials.ts";
import { EACCES, EINVAL, EPERM, INIT, noProcess, SysError } from "../errno.ts";
import { type Process, RLIMIT_NICE } from "../process.ts";
import { ordinaryScheduling } from "../scheduling.ts";
import type { SyscallContext, SyscallHandler, SyscallRow } from "../syscall.ts";
import type { Thread } from "../thread.ts";

const NICE_MIN = -20;
const NICE_MAX = 19;

/** A niceness that there is. */
export const clamp = (nice: number): number => Math.min(Math.max(nice, NICE_MIN), NICE_MAX);

/** Whether the caller may make a process as little nice as `nice` (Linux: can_nice). */
export const mayBecome = (ctx: SyscallContext, { limits }: Process, nice: number): boolean =>
  BigInt(20 - nice) <= limits[RLIMIT_NICE].soft || isCapable(ctx.thread.credentials, CAP_SYS_NICE);

/** Whether the caller may change how a thread is scheduled: it is its user's, or takes a privilege (Linux: check_same_owner). */
export function mayRank({ thread: { credentials } }: SyscallContext, { credentials: of }: Thread): boolean {
  return [of.uid, of.euid].includes(credentials.euid) || isCapable(credentials, CAP_SYS_NICE);
}

/** The threads that `which` (PRIO_*) and a `who` argument mean: one, or all of a group's or a user's. Throws EINVAL, ESRCH. */
export function targets({ args, kernel, process, thread }: SyscallContext, which: number): Thread[] {
  const who = args.int(1);
  if (which < 0 || which > 2) throw new SysError(EINVAL);
  if (which === 0) {
    const found = who === 0 ? thread : kernel.thread(who);
    if (found === undefined) throw noProcess(who);
    return [found];
  }
  const isMeant = (other: Thread) =>
    which === 1
      ? other.process.pgid === (who === 0 ? process.pgid : who)
      : other.credentials.uid === (who === 0 ? thread.credentials.uid : who);
  const found = [...kernel.processes.values()].flatMap(({ threads }) => [...threads].filter(isMeant));
  if (found.length === 0) throw noProcess(0);
  return found;
}

/** As `targets`, for who only asks: the first process of the system, which is outside, is as processes begin. */
export function asked(ctx: SyscallContext, which: number): Pick<Thread, "scheduling">[] {
  const isOutside = which === 0 && ctx.args.int(1) === INIT && ctx.kernel.thread(INIT) === undefined;
  return isOutside ? [{ scheduling: ordinaryScheduling() }] : targets(ctx, which);
}

/** getpriority(2): the result is 20 - nice, since a negative one would be an error; of several the least nice counts. */
const getpriority: SyscallHandler = (ctx) =>
  20 - Math.min(...asked(ctx, ctx.args.int(0)).map(({ scheduling }) => scheduling.nice));

const setpriority: SyscallHandler = (ctx) => {
  const nice = clamp(ctx.args.int(2));
  let refused: number | undefined;
  for (const thread of targets(ctx, ctx.args.int(0))) {
    const { process, scheduling } = thread;
    if (!mayRank(ctx, thread)) refused = EPERM;
    else if (nice < scheduling.nice && !mayBecome(ctx, process, nice)) refused = EACCES;
    else thread.scheduling = { ...scheduling, nice };
  }
  if (refused !== undefined) throw new SysError(refused);
  return 0;
};

const nice: SyscallHandler = (ctx) => {
  const { args, process, thread } = ctx;
  const change = Math.min(Math.max(args.int(0), -40), 40);
  const wanted = clamp(thread.scheduling.nice + change);
  if (change < 0 && !mayBecome(ctx, process, wanted)) throw new SysError(EPERM);
  thread.scheduling = { ...thread.scheduling, nice: wanted };
  return 0;
};

export const PRIORITY_SYSCALLS: readonly SyscallRow[] = [
  { name: "getpriority", args: "int int", handler: getpriority },
  { name: "setpriority", args: "int int int", handler: setpriority },
  { name: "nice", args: "int", handler: nice },
];
