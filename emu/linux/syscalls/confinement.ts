/** seccomp(2), and what of it prctl(2) does: a program confines itself (Linux: kernel/seccomp.c). */
import { isSoundProgram, MOST_INSTRUCTIONS } from "../classic-bpf.ts";
import { CAP_SYS_ADMIN, isCapable } from "../credentials.ts";
import { EACCES, EINVAL, ENOMEM, EOPNOTSUPP, ESRCH, SysError } from "../errno.ts";
import { type Confinement, DATA_SIZE, type Filter, filtersOf } from "../call-filters.ts";
import {
  RET_ALLOW,
  RET_ERRNO,
  RET_KILL_PROCESS,
  RET_KILL_THREAD,
  RET_LOG,
  RET_TRACE,
  RET_TRAP,
} from "../seccomp.ts";
import { pointer, type SyscallContext, type SyscallHandler, type SyscallRow } from "../syscall.ts";
import type { Thread } from "../thread.ts";
import { checkFlags } from "./files-common.ts";
import { readInstructions, SOCK_FPROG } from "./filter-programs.ts";

const SET_MODE_STRICT = 0;
const SET_MODE_FILTER = 1;
const GET_ACTION_AVAIL = 2;
const FLAG_TSYNC = 1;
const FLAG_LOG = 2;
const FLAG_SPEC_ALLOW = 4;
const FLAG_TSYNC_ESRCH = 16;
/** Instructions of all filters of a thread, each of which counts for some more. */
const MOST_OF_ALL = 32768;
const PENALTY = 4;

const ACTIONS: readonly number[] = [
  ...[RET_KILL_PROCESS, RET_KILL_THREAD, RET_TRAP, RET_ERRNO, RET_TRACE, RET_LOG, RET_ALLOW],
];

/** Throws EINVAL for a thread that is confined in another way already. */
function checkMode({ confinement }: Thread, mode: Confinement["mode"]): void {
  if (confinement !== undefined && confinement.mode !== mode) throw new SysError(EINVAL);
}

export function setStrict({ thread }: SyscallContext): number {
  checkMode(thread, "strict");
  thread.confinement = { mode: "strict" };
  return 0;
}

/** The program that a struct sock_fprog tells of. Throws EFAULT, EINVAL; EACCES where it could trick a program that gains rights by execve. */
function readProgram(ctx: SyscallContext, at: number): Filter["program"] {
  const { len, filter } = ctx.get(SOCK_FPROG, at);
  if (len === 0 || len > MOST_INSTRUCTIONS) throw new SysError(EINVAL);
  if (!ctx.thread.noNewPrivs && !isCapable(ctx.thread.credentials, CAP_SYS_ADMIN)) throw new SysError(EACCES);
  const program = readInstructions(ctx, pointer(filter), len);
  if (!isSoundProgram(program, DATA_SIZE)) throw new SysError(EINVAL);
  return program;
}

const latest = ({ confinement }: Thread): Filter | undefined =>
  confinement?.mode === "filter" ? confinement.filter : undefined;

/** Whether another thread can take over this one's filters: it has none that this one lacks. */
function canFollow(other: Thread, thread: Thread): boolean {
  const { confinement } = other;
  if (confinement === undefined) return true;
  return confinement.mode === "filter" && [...filtersOf(thread.confinement)].includes(confinement.filter);
}

/** Adds a filter: 0, or with TSYNC the id of a thread that can't be given it. */
export function setFilter(ctx: SyscallContext, flags: number, at: number): number {
  const { thread, process } = ctx;
  checkFlags(flags, FLAG_TSYNC | FLAG_LOG | FLAG_SPEC_ALLOW | FLAG_TSYNC_ESRCH);
  const program = readProgram(ctx, at);
  checkMode(thread, "filter");
  let length = program.length;
  for (const each of filtersOf(thread.confinement)) length += each.program.length + PENALTY;
  if (length > MOST_OF_ALL) throw new SysError(ENOMEM);
  const others = (flags & FLAG_TSYNC) === 0 ? [] : [...process.threads].filter((other) => other !== thread);
  const failed = others.find((other) => !canFollow(other, thread));
  if (failed !== undefined) {
    if (flags & FLAG_TSYNC_ESRCH) throw new SysError(ESRCH);
    return failed.tid;
  }
  thread.confinement = { mode: "filter", filter: { program, previous: latest(thread) } };
  for (const other of others) {
    other.confinement = thread.confinement;
    other.noNewPrivs ||= thread.noNewPrivs;
  }
  return 0;
}

const seccomp: SyscallHandler = (ctx) => {
  const { args } = ctx;
  const [operation, flags] = [args.uint(0), args.uint(1)];
  if (operation === SET_MODE_FILTER) return setFilter(ctx, flags, args.address(2));
  if (flags !== 0) throw new SysError(EINVAL);
  if (operation === SET_MODE_STRICT) {
    if (!args.isZero(2)) throw new SysError(EINVAL);
    return setStrict(ctx);
  }
  // There are no listeners, whose structs would have sizes.
  if (operation !== GET_ACTION_AVAIL) throw new SysError(EINVAL);
  const at = args.address(2);
  ctx.memory.checkLoad(at, 4);
  if (!ACTIONS.includes(ctx.memory.read32(at) >>> 0)) throw new SysError(EOPNOTSUPP);
  return 0;
};

export const SECCOMP_SYSCALLS: readonly SyscallRow[] = [
  { name: "seccomp", args: "uint hex ptr", handler: seccomp },
];
