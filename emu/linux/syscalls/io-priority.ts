/** ioprio_get(2) and ioprio_set(2): kept and told, but nothing waits for a disk here (Linux: block/ioprio.c). */
import { CAP_SYS_ADMIN, CAP_SYS_NICE, isCapable } from "../credentials.ts";
import { EINVAL, EPERM, SysError } from "../errno.ts";
import { isRealtime } from "../scheduling.ts";
import type { SyscallHandler, SyscallRow } from "../syscall.ts";
import type { Thread } from "../thread.ts";
import { asked, mayRank, targets } from "./priority.ts";
import { SCHED_IDLE } from "./sched.ts";

const CLASS_NONE = 0;
const CLASS_REALTIME = 1;
const CLASS_BEST_EFFORT = 2;
const CLASS_IDLE = 3;
const CLASS_SHIFT = 13;
const LEVEL = 7;
const WHO_PROCESS = 1;

/** The priority that one has which has set none: as its niceness says. */
function effective({ scheduling: { ioPriority = 0, policy, nice } }: Pick<Thread, "scheduling">): number {
  if (ioPriority !== 0) return ioPriority;
  const kind = isRealtime(policy) ? CLASS_REALTIME : policy === SCHED_IDLE ? CLASS_IDLE : CLASS_BEST_EFFORT;
  return (kind << CLASS_SHIFT) | Math.floor((nice + 20) / 5);
}

/** ioprio_get(2): what one thread has set, or the best of several. */
const ioprioGet: SyscallHandler = (ctx) => {
  const which = ctx.args.int(0);
  const found = asked(ctx, which - 1);
  if (which === WHO_PROCESS) return found[0].scheduling.ioPriority ?? 0;
  return Math.min(...found.map(effective));
};

const ioprioSet: SyscallHandler = (ctx) => {
  const value = ctx.args.int(2);
  const kind = value >> CLASS_SHIFT;
  if (kind < CLASS_NONE || kind > CLASS_IDLE) throw new SysError(EINVAL);
  if (kind === CLASS_NONE && (value & LEVEL) !== 0) throw new SysError(EINVAL);
  const mayBeReal = isCapable(ctx.thread.credentials, CAP_SYS_ADMIN | CAP_SYS_NICE);
  if (kind === CLASS_REALTIME && !mayBeReal) throw new SysError(EPERM);
  for (const thread of targets(ctx, ctx.args.int(0) - 1)) {
    if (!mayRank(ctx, thread)) throw new SysError(EPERM);
    thread.scheduling = { ...thread.scheduling, ioPriority: value };
  }
  return 0;
};

export const IO_PRIORITY_SYSCALLS: readonly SyscallRow[] = [
  { name: "ioprio_get", args: "int int", handler: ioprioGet },
  { name: "ioprio_set", args: "int int hex", handler: ioprioSet },
];
