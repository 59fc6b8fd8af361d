/** Waiting for children (Linux: kernel/exit.c, do_wait). */
import { EAGAIN, EBADF, ECHILD, EINVAL, ESRCH, SysError } from "../errno.ts";
import type { Process } from "../process.ts";
import { GuestBytes } from "../signals/bytes.ts";
import { endOf } from "../signals/children.ts";
import { signalInfo } from "../signals/pending.ts";
import { putSigInfo, SIGINFO_SIZE } from "../signals/siginfo.ts";
import { CLD_CONTINUED, CLD_STOPPED, CLD_TRAPPED, SIGCHLD, SIGCONT } from "../signals/signal-numbers.ts";
import type { SyscallContext, SyscallHandler, SyscallRow } from "../syscall.ts";
import { releaseHeld } from "../tracing/tracing.ts";
import { O_NONBLOCK } from "../vfs/constants.ts";
import { PidFile } from "../vfs/pid-file.ts";
import { Blocked } from "../wait-queue.ts";
import { fileArg } from "./files-common.ts";
import { USAGE, usageValues } from "./limits.ts";

const WNOHANG = 1;
const WUNTRACED = 2;
const WEXITED = 4;
const WCONTINUED = 8;
const WNOWAIT = 0x0100_0000;
const WNOTHREAD = 0x2000_0000;
const WALL = 0x4000_0000;
const WCLONE = 0x8000_0000;
const W_LINUX = WNOTHREAD + WALL + WCLONE;

/** Who can be waited for: a child, or a thread that is traced. */
interface Waitee {
  readonly pid: number;
  readonly pgid: number;
}

/** What a child and the children it has waited for have used: CPU time, KiB that the largest of them had mapped, pages touched. */
interface Usage {
  cpuTime: bigint;
  peak: number;
  faults: number;
}

/** What is known of a child that has something to tell. */
interface Found extends Waitee, Usage {
  uid: number;
  code: number;
  /** Exit code or signal, as siginfo has it. */
  status: number;
  /** As wait(2) stores it. */
  word: number;
}

/** There is nobody to wait for. Shells hear it at each prompt, and to throw takes longer than the call. */
const NO_CHILD = new SysError(ECHILD);

/** A child with something to tell of what `options` ask for; takes what it tells unless WNOWAIT. */
function look(
  process: Process,
  isWanted: (child: Waitee) => boolean,
  options: number,
): Found | SysError | undefined {
  const takes = (options & WNOWAIT) === 0;
  let any = false;
  for (const child of process.children) {
    const isTraced = child.leader?.trace?.tracer === process;
    if (!isWanted(child) || !(isTraced || isOfKind(child, options))) continue;
    any = true;
    if (!hasReport(child)) continue;
    const found = { pid: child.pid, pgid: child.pgid, uid: child.credentials.uid, ...usageOf(child) };
    if (child.exitStatus !== null) {
      if ((options & WEXITED) === 0 || child.heldBy !== undefined) continue;
      if (takes) {
        process.inherit(child);
        process.kernel.reap(child);
      }
      return { ...found, ...endOf(child.exitStatus), word: child.exitStatus };
    }
    const { stopped, continued } = child.report;
    if (stopped !== 0 && options & WUNTRACED && !isTraced) {
      if (takes) child.report.stopped = 0;
      return { ...found, code: CLD_STOPPED, status: stopped, word: (stopped << 8) | 0x7f };
    }
    if (continued && options & WCONTINUED) {
      if (takes) child.report.continued = false;
      return { ...found, code: CLD_CONTINUED, status: SIGCONT, word: 0xffff };
    }
  }
  const traced = lookAtTraced(process, isWanted, options);
  if (typeof traced === "object") return traced;
  return any || traced ? undefined : NO_CHILD;
}

/** Whether a child may have anything to tell. */
const hasReport = ({ exitStatus, report }: Process): boolean =>
  exitStatus !== null || report.stopped !== 0 || report.continued;

const usageOf = ({ cpuTime, childCpuTime, peak, childrenPeak, usage }: Process): Usage => ({
  cpuTime: cpuTime + childCpuTime,
  peak: Math.max(peak, childrenPeak),
  faults: usage.faults + usage.childFaults,
});
const NO_USAGE: Usage = { cpuTime: 0n, peak: 0, faults: 0 };

/** The same for those that a process traces, whose stops are told whatever the options; else whether there are any. */
function lookAtTraced(
  process: Process,
  isWanted: (child: Waitee) => boolean,
  options: number,
): Found | boolean {
  const takes = (options & WNOWAIT) === 0;
  let any = false;
  for (const thread of process.tracees) {
    const { tid, trace, process: its } = thread;
    const who = { pid: tid, pgid: its.pgid };
    if (!isWanted(who)) continue;
    any = true;
    if (trace === undefined || trace.stop === null || trace.told || trace.listening) continue;
    if (takes) trace.told = true;
    const { code } = trace.stop;
    const found = { ...who, uid: its.credentials.uid, ...usageOf(its) };
    return { ...found, code: CLD_TRAPPED, status: code, word: (code << 8) | 0x7f };
  }
  for (const [index, { tid, status }] of process.traceEnds.entries()) {
    const its = process.kernel.processes.get(tid);
    const who = { pid: tid, pgid: its?.pgid ?? process.pgid };
    if (!isWanted(who)) continue;
    any = true;
    if ((options & WEXITED) === 0) continue;
    const found = { ...who, uid: process.credentials.uid, ...(its ? usageOf(its) : NO_USAGE) };
    if (takes) {
      process.traceEnds.splice(index, 1);
      if (its?.heldBy === process) releaseHeld(its);
    }
    return { ...found, ...endOf(status), word: status };
  }
  return any;
}

/** __WCLONE wants children whose end sends another signal than SIGCHLD, __WALL all. */
const isOfKind = ({ exitSignal }: Process, options: number): boolean =>
  (options & WALL) !== 0 || (exitSignal !== SIGCHLD) === ((options & WCLONE) !== 0);

/** What is found, or how the call ends or waits. */
type Finding = Found | SysError | Blocked | undefined;

function find(ctx: SyscallContext, isWanted: (child: Waitee) => boolean, options: number): Finding {
  const found = look(ctx.process, isWanted, options);
  if (found !== undefined || options & WNOHANG) return found;
  return ctx.wait({ queues: [ctx.process.childQueue] });
}

const isFound = (finding: Finding): finding is Found | undefined =>
  !(finding instanceof SysError || finding instanceof Blocked);

/** Who `pid` of waitpid(2) means. */
function byPid(ctx: SyscallContext, pid: number): (child: Waitee) => boolean {
  if (pid > 0) return (child) => child.pid === pid;
  if (pid === -1) return () => true;
  const group = pid === 0 ? ctx.process.pgid : -pid;
  return ({ pgid }) => pgid === group;
}

const wait4: SyscallHandler = (ctx) => {
  const { args } = ctx;
  const [pid, options] = [args.int(0), args.uint(2)];
  if (options & ~(WNOHANG | WUNTRACED | WCONTINUED | W_LINUX)) throw new SysError(EINVAL);
  if (pid === -0x8000_0000) throw new SysError(ESRCH);
  const found = find(ctx, byPid(ctx, pid), options | WEXITED);
  if (!isFound(found)) return found;
  if (found === undefined) return 0;
  if (!args.isZero(1)) ctx.put32(args.address(1), found.word);
  if (!args.isZero(3))
    ctx.putInOrder(USAGE, args.address(3), usageValues(found.cpuTime, found.peak, found.faults));
  return found.pid;
};

/** waitpid(2) of 32-bit programs: wait4 without the usage. */
const waitpid: SyscallHandler = (ctx) => {
  const { args } = ctx;
  const [pid, options] = [args.int(0), args.uint(2)];
  if (options & ~(WNOHANG | WUNTRACED | WCONTINUED | W_LINUX)) throw new SysError(EINVAL);
  const found = find(ctx, byPid(ctx, pid), options | WEXITED);
  if (!isFound(found)) return found;
  if (found === undefined) return 0;
  if (!args.isZero(1)) ctx.put32(args.address(1), found.word);
  return found.pid;
};

const P_ALL = 0;
const P_PID = 1;
const P_PGID = 2;
const P_PIDFD = 3;

/** The child of a pidfd. One that has O_NONBLOCK is not waited for. */
function byPidfd(ctx: SyscallContext, options: number): Finding {
  if (ctx.args.int(1) < 0) throw new SysError(EINVAL);
  const file = fileArg(ctx, 1);
  if (!(file instanceof PidFile)) throw new SysError(EBADF);
  const { process } = file;
  const nonblocking = (file.flags & O_NONBLOCK) !== 0;
  const isIt = ({ pid }: Waitee) => process?.pid === pid && ctx.kernel.processes.get(pid) === process;
  const found = find(ctx, isIt, options | (nonblocking ? WNOHANG : 0));
  if (found === undefined && nonblocking && !(options & WNOHANG)) throw new SysError(EAGAIN);
  return found;
}

function byId(ctx: SyscallContext, type: number, id: number): (child: Waitee) => boolean {
  if (type === P_ALL) return () => true;
  if (id < 0 || (type === P_PID && id === 0)) throw new SysError(EINVAL);
  if (type === P_PID) return (child) => child.pid === id;
  if (type !== P_PGID) throw new SysError(EINVAL);
  const group = id === 0 ? ctx.process.pgid : id;
  return ({ pgid }) => pgid === group;
}

const waitid: SyscallHandler = (ctx) => {
  const { args } = ctx;
  const options = args.uint(3);
  const known = WNOHANG | WUNTRACED | WEXITED | WCONTINUED | WNOWAIT | W_LINUX;
  if (options & ~known || !(options & (WEXITED | WUNTRACED | WCONTINUED))) throw new SysError(EINVAL);
  const type = args.uint(0);
  const found = type === P_PIDFD ? byPidfd(ctx, options) : find(ctx, byId(ctx, type, args.int(1)), options);
  if (!isFound(found)) return found;
  if (found !== undefined && !args.isZero(4))
    ctx.putInOrder(USAGE, args.address(4), usageValues(found.cpuTime, found.peak, found.faults));
  if (args.isZero(2)) return 0;
  const info = new GuestBytes(ctx.abi, new Uint8Array(SIGINFO_SIZE));
  if (found !== undefined) {
    const { pid, uid, code, status } = found;
    putSigInfo(info, 0, signalInfo(SIGCHLD, code, { pid, uid, value: BigInt(status) }));
  }
  ctx.memory.write(args.address(2), info.bytes);
  return 0;
};

export const WAIT_SYSCALLS: readonly SyscallRow[] = [
  { name: "wait4", args: "int ptr hex ptr", handler: wait4 },
  { name: "waitpid", args: "int ptr hex", handler: waitpid },
  { name: "waitid", args: "int int ptr hex ptr", handler: waitid },
];
