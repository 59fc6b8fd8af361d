/** Niceness: kept and told, but there is no scheduler that ranks threads (Linux: kernel/sys.c, kernel/sched/core.c). */
import { isPrivileged } from "../credentials.ts";
import { EACCES, EINVAL, EPERM, INIT, noProcess, SysError } from "../errno.ts";
import { defaultAttributes, type Process, RLIMIT_NICE } from "../process.ts";
import type { SyscallContext, SyscallHandler, SyscallRow } from "../syscall.ts";

const NICE_MIN = -20;
const NICE_MAX = 19;

const clamp = (nice: number): number => Math.min(Math.max(nice, NICE_MIN), NICE_MAX);

/** Whether the caller may make a process as little nice as `nice` (Linux: can_nice). */
export const mayBecome = (ctx: SyscallContext, { limits }: Process, nice: number): boolean =>
  BigInt(20 - nice) <= limits[RLIMIT_NICE].soft || isPrivileged(ctx.process.credentials);

/** Whether the caller may change how a process is scheduled: it is its user's, or root (Linux: check_same_owner). */
export function mayRank({ process: { credentials } }: SyscallContext, { credentials: of }: Process): boolean {
  return [of.uid, of.euid].includes(credentials.euid) || isPrivileged(credentials);
}

/** The processes that `which` (PRIO_*) and a `who` argument mean. Throws EINVAL, ESRCH. */
export function targets({ args, kernel, process }: SyscallContext, which: number): Process[] {
  const who = args.int(1);
  if (which < 0 || which > 2) throw new SysError(EINVAL);
  if (which === 0 && who === 0) return [process];
  const isMeant = [
    () => kernel.thread(who)?.process,
    ({ pgid }: Process) => pgid === (who === 0 ? process.pgid : who),
    ({ credentials }: Process) => credentials.uid === (who === 0 ? process.credentials.uid : who),
  ][which];
  const found = [...kernel.processes.values()].filter((each) => {
    const meant = isMeant(each);
    return meant === each || meant === true;
  });
  if (found.length === 0) throw noProcess(which === 0 ? who : 0);
  return found;
}

/** As `targets`, for who only asks: the first process of the system, which is outside, is as processes begin. */
export function asked(ctx: SyscallContext, which: number): Pick<Process, "attributes">[] {
  const isOutside = which === 0 && ctx.args.int(1) === INIT && ctx.kernel.thread(INIT) === undefined;
  return isOutside ? [{ attributes: defaultAttributes() }] : targets(ctx, which);
}

/** getpriority(2): the result is 20 - nice, since a negative one would be an error; of several the least nice counts. */
const getpriority: SyscallHandler = (ctx) =>
  20 - Math.min(...asked(ctx, ctx.args.int(0)).map(({ attributes }) => attributes.nice));

const setpriority: SyscallHandler = (ctx) => {
  const nice = clamp(ctx.args.int(2));
  let refused: number | undefined;
  for (const process of targets(ctx, ctx.args.int(0))) {
    if (!mayRank(ctx, process)) refused = EPERM;
    else if (nice < process.attributes.nice && !mayBecome(ctx, process, nice)) refused = EACCES;
    else process.attributes.nice = nice;
  }
  if (refused !== undefined) throw new SysError(refused);
  return 0;
};

const nice: SyscallHandler = (ctx) => {
  const { args, process } = ctx;
  const change = Math.min(Math.max(args.int(0), -40), 40);
  const wanted = clamp(process.attributes.nice + change);
  if (change < 0 && !mayBecome(ctx, process, wanted)) throw new SysError(EPERM);
  process.attributes.nice = wanted;
  return 0;
};

export const PRIORITY_SYSCALLS: readonly SyscallRow[] = [
  { name: "getpriority", args: "int int", handler: getpriority },
  { name: "setpriority", args: "int int int", handler: setpriority },
  { name: "nice", args: "int", handler: nice },
];
