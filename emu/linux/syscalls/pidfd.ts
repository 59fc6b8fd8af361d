/** pidfd_open, pidfd_send_signal, pidfd_getfd, and setns, which may be given one. */
import { EBADF, EINVAL, EPERM, ESRCH, INIT, noProcess, SysError } from "../errno.ts";
import type { Process } from "../process.ts";
import { senderInfo } from "../signals/post.ts";
import type { SyscallContext, SyscallRow } from "../syscall.ts";
import { O_NONBLOCK } from "../vfs/constants.ts";
import { DirectoryFile } from "../vfs/host-file.ts";
import { NamespaceFile } from "../vfs/namespace-file.ts";
import { PidFile } from "../vfs/pid-file.ts";
import { filesOf } from "../vfs/process-files.ts";
import { checkFlags, fileArg, install } from "./files-common.ts";
import { checkAccess } from "./process-vm.ts";
import { alive, givenInfo, send } from "./signals.ts";

/** A new descriptor for a process, which is closed by execve. */
export function installPidfd(ctx: SyscallContext, subject: Process | typeof INIT, flags = 0): number {
  return install(ctx, new PidFile({ subject, flags, machine: ctx.kernel }), true);
}

function open(ctx: SyscallContext): number {
  const [pid, flags] = [ctx.args.int(0), ctx.args.int(1)];
  checkFlags(flags, O_NONBLOCK);
  if (pid <= 0) throw new SysError(EINVAL);
  const process = ctx.kernel.processes.get(pid);
  if (process === undefined && pid === INIT) return installPidfd(ctx, INIT, flags);
  // A thread that is not the first of its process can't be meant.
  if (process === undefined) throw new SysError(ctx.kernel.thread(pid) === undefined ? ESRCH : EINVAL);
  return installPidfd(ctx, process, flags);
}

/** The process of a descriptor argument. Throws EBADF, ESRCH, EPERM. */
export function processArg(ctx: SyscallContext): Process {
  const file = fileArg(ctx, 0);
  if (!(file instanceof PidFile)) throw new SysError(EBADF);
  // What it is to be done to is someone else's where it is outside.
  if (file.process === undefined) throw new SysError(file.isOutside ? EPERM : ESRCH);
  return file.process;
}

/** As `processArg`; a directory /proc/PID stands for its process, too. */
function recipient(ctx: SyscallContext): Process {
  const file = fileArg(ctx, 0);
  const isProc = file instanceof DirectoryFile && file.folder === undefined;
  const pid = isProc ? /^\/proc\/(\d+)$/.exec(file.path)?.[1] : undefined;
  if (pid === undefined) return processArg(ctx);
  const process = ctx.kernel.processes.get(Number(pid));
  if (process === undefined) throw noProcess(Number(pid));
  return process;
}

function sendSignal(ctx: SyscallContext): number {
  const [signo, at] = [ctx.args.int(1), ctx.args.address(2)];
  checkFlags(ctx.args.int(3), 0);
  const target = recipient(ctx);
  if (at !== 0 && ctx.memory.read32(at) !== signo) throw new SysError(EINVAL);
  const info = at === 0 ? senderInfo(signo, ctx.thread) : givenInfo(ctx, at, signo, target.pid);
  if (alive(target)) send(ctx, target, info);
  return 0;
}

function getfd(ctx: SyscallContext): number {
  checkFlags(ctx.args.int(2), 0);
  const target = processArg(ctx);
  if (target.exitStatus !== null) throw new SysError(ESRCH);
  checkAccess(ctx.thread, target);
  return install(ctx, filesOf(target).descriptors.get(ctx.args.int(1)), true);
}

/** Nobody enters a namespace; what is none is said first. */
function setns(ctx: SyscallContext): never {
  const file = fileArg(ctx, 0);
  throw new SysError(file instanceof NamespaceFile || file instanceof PidFile ? EPERM : EINVAL);
}

export const PIDFD_SYSCALLS: readonly SyscallRow[] = [
  { name: "pidfd_open", args: "int octal", handler: open },
  { name: "pidfd_send_signal", args: "fd signal ptr hex", handler: sendSignal },
  { name: "pidfd_getfd", args: "fd fd hex", handler: getfd },
  { name: "setns", args: "fd hex", handler: setns },
];
