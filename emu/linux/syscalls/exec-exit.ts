/** System calls that begin, name and end processes (Linux: fs/exec.c, kernel/exit.c, kernel/sys.c). */
import { HostError } from "../../host/host.ts";
import { decodeName, encodeName } from "../../host/names.ts";
import type { ExecRequest } from "../contracts.ts";
import { ElfError } from "../elf/error.ts";
import { E2BIG, EACCES, EINVAL, ENOEXEC, EPERM, ESRCH, errnoOf, INIT, SysError } from "../errno.ts";
import type { Process } from "../process.ts";
import { throughScripts } from "../scripts.ts";
import {
  pointer,
  REGISTERS_SET,
  type SyscallContext,
  type SyscallHandler,
  type SyscallResult,
  type SyscallRow,
  THREAD_GONE,
} from "../syscall.ts";
import { tellsOfEnd } from "../tracing/tracee.ts";
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW } from "../vfs/constants.ts";
import { filesOf } from "../vfs/process-files.ts";
import { checkFlags, NO_ENTRY } from "./files-common.ts";

/** Strings and their bytes that are read from the program before Linux's own limits are looked at. */
const MAX_STRINGS = 0x7_ffff;
const MAX_STRING = 131072;

const exit: SyscallHandler = (ctx) => {
  const { kernel, thread, args } = ctx;
  if (tellsOfEnd(thread, (args.int(0) & 0xff) << 8)) return ctx.wait({ restart: "nointr" });
  kernel.exitThread(thread, args.int(0));
  return THREAD_GONE;
};

const exitGroup: SyscallHandler = (ctx) => {
  const { kernel, process, thread, args } = ctx;
  const status = (args.int(0) & 0xff) << 8;
  if (tellsOfEnd(thread, status)) return ctx.wait({ restart: "nointr" });
  kernel.endProcess(process, status);
  return THREAD_GONE;
};

// ---- execve ------------------------------------------------------------------------------------------------

/** Reads argv or envp. Throws EFAULT, E2BIG. */
function readStrings(ctx: SyscallContext, list: bigint): Uint8Array[] {
  if (list === 0n) return [];
  const strings: Uint8Array[] = [];
  for (let at = list; ; at += BigInt(ctx.abi.wordSize)) {
    const string = ctx.getWord(pointer(at));
    if (string === 0n) return strings;
    if (strings.length >= MAX_STRINGS) throw new SysError(E2BIG);
    strings.push(ctx.cString(pointer(string), MAX_STRING, E2BIG));
  }
}

/** What execve or execveat found; `isHidden`: its name is gone once it runs. */
type Executable = Omit<ExecRequest, "argv" | "env"> & { isHidden?: boolean };

function execute(ctx: SyscallContext, found: Executable, argvAt: bigint, envAt: bigint): SyscallResult {
  const { kernel, thread } = ctx;
  const { program, execfn, isNameless, isHidden } = found;
  const argv = readStrings(ctx, argvAt);
  const env = readStrings(ctx, envAt);
  // Linux gives a program without arguments an empty argv[0].
  const named = argv.length === 0 ? [new Uint8Array()] : argv;
  const read = throughScripts(thread.files, { program, argv: named, execfn }, isHidden);
  try {
    kernel.exec(thread, { ...read, env, isNameless });
  } catch (error) {
    if (error instanceof ElfError) throw new SysError(ENOEXEC);
    if (error instanceof HostError) throw new SysError(errnoOf(error.code));
    throw error;
  }
  return REGISTERS_SET;
}

const execve: SyscallHandler = (ctx) => {
  const execfn = ctx.cString(ctx.args.address(0));
  const program = ctx.thread.files.openProgramIfThere(decodeName(execfn));
  // Shells look in one folder after the other.
  if (program === undefined) return NO_ENTRY;
  return execute(ctx, { program, execfn }, ctx.args.word(1), ctx.args.word(2));
};

/** What execveat(2) means: a file by its path from a descriptor, or with AT_EMPTY_PATH the descriptor's own. */
function executableAt(ctx: SyscallContext): Executable | undefined {
  const { args, thread } = ctx;
  const [dirfd, flags] = [args.int(0), args.uint(4)];
  checkFlags(flags, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW);
  const files = filesOf(thread);
  const execfn = ctx.cString(args.address(1));
  const path = decodeName(execfn);
  const follow = (flags & AT_SYMLINK_NOFOLLOW) === 0;
  const isNameless = path === "" && (flags & AT_EMPTY_PATH) !== 0;
  if (dirfd === AT_FDCWD || path.startsWith("/")) {
    const program = files.openProgramIfThere(isNameless ? "." : path, AT_FDCWD, follow);
    return program && { program, execfn };
  }
  const { descriptors } = files;
  const { closeOnExec } = descriptors.entry(dirfd);
  const program = isNameless
    ? files.openProgram(`/proc/self/fd/${dirfd}`)
    : files.openProgramIfThere(path, dirfd, follow);
  if (program === undefined) return undefined;
  // Linux names it so, and an interpreter of scripts opens it by that name (fs/exec.c, alloc_bprm).
  const name = `/dev/fd/${dirfd}${isNameless ? "" : `/${path}`}`;
  return { program, execfn: encodeName(name), isNameless, isHidden: closeOnExec };
}

const execveat: SyscallHandler = (ctx) => {
  const found = executableAt(ctx);
  return found === undefined ? NO_ENTRY : execute(ctx, found, ctx.args.word(2), ctx.args.word(3));
};

// ---- names -----------------------------------------------------------------------------------------------------

/** A process by pid, 0 being the caller. Throws ESRCH. */
function processArg({ kernel, process }: SyscallContext, pid: number): Process {
  const found = pid === 0 ? process : kernel.processes.get(pid);
  if (found === undefined) throw new SysError(ESRCH);
  return found;
}

/** What getpgid and getsid say: the first process of the system leads a group and a session. */
const leaderOf =
  (which: "pgid" | "sid"): SyscallHandler =>
  (ctx) =>
    ctx.args.int(0) === INIT && !ctx.kernel.processes.has(INIT)
      ? INIT
      : processArg(ctx, ctx.args.int(0))[which];

const setpgid: SyscallHandler = (ctx) => {
  const { args, process, kernel } = ctx;
  const [pid, pgid] = [args.int(0), args.int(1)];
  if ((pgid === 0 ? pid : pgid) < 0) throw new SysError(EINVAL);
  const target = processArg(ctx, pid);
  if (target !== process) {
    if (target.parent !== process) throw new SysError(ESRCH);
    if (target.sid !== process.sid) throw new SysError(EPERM);
    if (target.hasExecuted) throw new SysError(EACCES);
  }
  if (target.sid !== process.sid || target.sid === target.pid) throw new SysError(EPERM);
  const group = pgid === 0 ? target.pid : pgid;
  if (group !== target.pid) {
    const members = [...kernel.processes.values()];
    if (!members.some((other) => other.pgid === group && other.sid === process.sid))
      throw new SysError(EPERM);
  }
  target.pgid = group;
  return 0;
};

const setsid: SyscallHandler = ({ process, kernel }) => {
  for (const other of kernel.processes.values()) if (other.pgid === process.pid) throw new SysError(EPERM);
  process.sid = process.pgid = process.pid;
  return process.pid;
};

const setTidAddress: SyscallHandler = ({ thread, args }) => {
  thread.clearTid = args.word(0);
  return thread.tid;
};

export const PROCESS_SYSCALLS: readonly SyscallRow[] = [
  { name: "exit", args: "int", handler: exit },
  { name: "exit_group", args: "int", handler: exitGroup },
  { name: "execve", args: "str ptr ptr", handler: execve },
  { name: "execveat", args: "fd str ptr ptr hex", handler: execveat },
  { name: "getpid", args: "", brief: true, handler: ({ process }) => process.pid },
  { name: "getppid", args: "", brief: true, handler: ({ process }) => process.ppid },
  { name: "gettid", args: "", brief: true, handler: ({ thread }) => thread.tid },
  { name: "getpgrp", args: "", brief: true, handler: ({ process }) => process.pgid },
  { name: "getpgid", args: "int", handler: leaderOf("pgid") },
  { name: "getsid", args: "int", handler: leaderOf("sid") },
  { name: "setpgid", args: "int int", handler: setpgid },
  { name: "setsid", args: "", handler: setsid },
  { name: "set_tid_address", args: "ptr", handler: setTidAddress },
];
