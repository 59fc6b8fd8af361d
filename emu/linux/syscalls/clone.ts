/** System calls that make threads and processes (Linux: kernel/fork.c). */
import { ignoringFaults } from "../../cpu/fault.ts";
import type { AddressSpace } from "../../memory/address-space.ts";
import { struct } from "../abi.ts";
import { E2BIG, EBADF, EINVAL, EPERM, SysError } from "../errno.ts";
import {
  CLONE_CHILD_CLEARTID,
  CLONE_CHILD_SETTID,
  CLONE_DETACHED,
  CLONE_FILES,
  CLONE_FS,
  CLONE_PARENT,
  CLONE_PARENT_SETTID,
  CLONE_PIDFD,
  CLONE_PTRACE,
  CLONE_SIGHAND,
  CLONE_SYSVSEM,
  CLONE_THREAD,
  CLONE_UNTRACED,
  CLONE_VFORK,
  CLONE_VM,
  type CloneRequest,
  CSIGNAL,
  clone,
  has,
} from "../fork.ts";
import { SIGCHLD, SIGRTMAX } from "../signals/signal-numbers.ts";
import {
  pointer,
  type SyscallContext,
  type SyscallHandler,
  type SyscallResult,
  type SyscallRow,
} from "../syscall.ts";
import type { Thread } from "../thread.ts";
import {
  PTRACE_EVENT_CLONE,
  PTRACE_EVENT_FORK,
  PTRACE_EVENT_VFORK,
  PTRACE_EVENT_VFORK_DONE,
  PTRACE_O_TRACECLONE,
  PTRACE_O_TRACEFORK,
  PTRACE_O_TRACEVFORK,
  PTRACE_O_TRACEVFORKDONE,
} from "../tracing/tracee.ts";
import { noteChild, noteEvent } from "../tracing/tracing.ts";
import { files } from "./files-common.ts";
import { installPidfd } from "./pidfd.ts";

const CLONE_ARGS = struct({
  flags: "u64",
  pidfd: "u64",
  child_tid: "u64",
  parent_tid: "u64",
  exit_signal: "u64",
  stack: "u64",
  stack_size: "u64",
  tls: "u64",
  set_tid: "u64",
  set_tid_size: "u64",
  cgroup: "u64",
});
const PID = struct({ pid: "i32" });
/** Pid namespaces in each other at most (Linux: MAX_PID_NS_LEVEL). */
const MOST_PID_NAMESPACES = 32n;
/** Bytes of the first version of clone_args. */
const CLONE_ARGS_LEAST = 64;
/** Namespaces of its own, which this kernel does not have. */
const CLONE_NAMESPACES = 0x7e02_0080;
const CLONE_NEWNS = 0x2_0000;
const CLONE_NEWUSER = 0x1000_0000;
const CLONE_NEWPID = 0x2000_0000;
/** The child begins in the control group of a descriptor; there are no control groups. */
const CLONE_INTO_CGROUP = 0x2_0000_0000n;
const CLONE3_KNOWN = 0x3_ffff_ff80n;

/** Makes a child and returns its id; with CLONE_VFORK once that has an address space of its own. */
function make(ctx: SyscallContext, request: CloneRequest): SyscallResult {
  const { flags } = request;
  const { thread, resumed } = ctx;
  if (resumed?.state.kind === "vfork") return waitForVfork(ctx, resumed.state.child);
  if ((flags & CLONE_NAMESPACES) !== 0) {
    // What can't be said at all is found before the lack of rights (Linux: copy_process).
    const tied = (has(flags, CLONE_NEWNS) || has(flags, CLONE_NEWUSER)) && has(flags, CLONE_FS);
    const split = (has(flags, CLONE_NEWPID) || has(flags, CLONE_NEWUSER)) && has(flags, CLONE_THREAD);
    throw new SysError(tied || split ? EINVAL : EPERM);
  }
  const wantsPidfd = has(flags, CLONE_PIDFD);
  if (wantsPidfd) {
    if (has(flags, CLONE_THREAD)) throw new SysError(EINVAL);
    ctx.memory.checkStore(pointer(request.pidfd), 4);
    files(ctx).descriptors.reserve(1);
  }
  const child = clone(thread, request);
  const { tid } = child;
  noteTraced(thread, child, request);
  if (wantsPidfd) ctx.put32(pointer(request.pidfd), installPidfd(ctx, child.process));
  if (has(flags, CLONE_PARENT_SETTID)) putTid(ctx.memory, request.parentTid, tid);
  if (has(flags, CLONE_CHILD_CLEARTID)) child.clearTid = request.childTid;
  if (has(flags, CLONE_CHILD_SETTID)) putTid(child.process.memory, request.childTid, tid);
  if (has(flags, CLONE_VFORK)) return waitForVfork(ctx, tid);
  return tid;
}

/** Tells of a new child by the event of its kind. */
function noteTraced(thread: Thread, child: Thread, { flags, exitSignal }: CloneRequest): void {
  if (thread.trace === undefined || has(flags, CLONE_UNTRACED)) return;
  const inherits = has(flags, CLONE_PTRACE);
  if (has(flags, CLONE_VFORK)) noteChild(thread, child, PTRACE_EVENT_VFORK, PTRACE_O_TRACEVFORK, inherits);
  else if (exitSignal === SIGCHLD) noteChild(thread, child, PTRACE_EVENT_FORK, PTRACE_O_TRACEFORK, inherits);
  else noteChild(thread, child, PTRACE_EVENT_CLONE, PTRACE_O_TRACECLONE, inherits);
}

/** Linux tells nobody when an id can't be written. */
function putTid(memory: AddressSpace, at: bigint, tid: number): void {
  if (at < BigInt(memory.limit)) ignoringFaults(() => memory.write32(Number(at), tid));
}

function waitForVfork(ctx: SyscallContext, child: number): number {
  const { kernel, thread } = ctx;
  const process = kernel.processes.get(child);
  if (process?.vforkParent !== thread || process.exitStatus !== null) {
    noteEvent(thread, PTRACE_O_TRACEVFORKDONE, PTRACE_EVENT_VFORK_DONE, child);
    return child;
  }
  return ctx.block({ state: { kind: "vfork", child }, restart: "nointr", killable: true });
}

const cloneCall: SyscallHandler = (ctx) => {
  const { args } = ctx;
  const all = args.uint(0);
  const flags = all - (all & CSIGNAL);
  // The descriptor goes where the id of the child would.
  if (has(all, CLONE_PIDFD) && (has(all, CLONE_PARENT_SETTID) || has(all, CLONE_DETACHED)))
    throw new SysError(EINVAL);
  return make(ctx, {
    flags: flags - (flags & CLONE_DETACHED),
    exitSignal: has(all, CLONE_THREAD) ? 0 : all & CSIGNAL,
    stack: args.word(1),
    parentTid: args.word(2),
    pidfd: args.word(2),
    tls: args.word(3),
    childTid: args.word(4),
  });
};

const clone3: SyscallHandler = (ctx) => {
  const { args, abi, memory } = ctx;
  const size = args.size(1);
  if (size > 4096) throw new SysError(E2BIG);
  if (size < CLONE_ARGS_LEAST) throw new SysError(EINVAL);
  const known = CLONE_ARGS.size(abi);
  if (!ctx.isZero(args.address(0) + known, size - known)) throw new SysError(E2BIG);
  const bytes = new Uint8Array(known);
  bytes.set(memory.read(args.address(0), Math.min(size, known)));
  const wanted = CLONE_ARGS.decode(abi, bytes);
  const { flags, stack, stack_size, exit_signal } = wanted;
  const isThread = (flags & BigInt(CLONE_THREAD)) !== 0n;
  if ((flags & ~CLONE3_KNOWN) !== 0n || (flags & BigInt(CLONE_DETACHED)) !== 0n) throw new SysError(EINVAL);
  const isOthers = isThread || (flags & BigInt(CLONE_PARENT)) !== 0n;
  if (exit_signal > BigInt(SIGRTMAX) || (isOthers && exit_signal !== 0n)) throw new SysError(EINVAL);
  if ((stack === 0n) !== (stack_size === 0n)) throw new SysError(EINVAL);
  const levels = wanted.set_tid_size;
  if (levels > MOST_PID_NAMESPACES || (wanted.set_tid === 0n) !== (levels === 0n)) throw new SysError(EINVAL);
  const ids = levels === 0n ? undefined : memory.read(pointer(wanted.set_tid), 4 * Number(levels));
  if ((flags & CLONE_INTO_CGROUP) !== 0n) throw new SysError(wanted.cgroup > 0x7fff_ffffn ? EINVAL : EBADF);
  return make(ctx, {
    flags: Number(flags),
    exitSignal: Number(exit_signal),
    stack: stack + stack_size,
    parentTid: wanted.parent_tid,
    pidfd: wanted.pidfd,
    childTid: wanted.child_tid,
    tls: wanted.tls,
    wantedIds:
      ids && Array.from({ length: Number(levels) }, (_, n) => PID.decode(abi, ids.subarray(4 * n)).pid),
  });
};

const plain = (flags: number): CloneRequest => ({
  flags,
  pidfd: 0n,
  exitSignal: SIGCHLD,
  stack: 0n,
  tls: 0n,
  parentTid: 0n,
  childTid: 0n,
});

/** unshare(2): what only one thread has is its own already. */
const unshare: SyscallHandler = (ctx) => {
  const { args, process, thread, kernel } = ctx;
  const flags = args.uint(0);
  const known = CLONE_FILES | CLONE_FS | CLONE_SYSVSEM | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM;
  if (flags & ~(known | CLONE_NAMESPACES)) throw new SysError(EINVAL);
  // Memory and signal actions, where others have them too, can't be parted with (Linux: check_unshare_flags).
  const parts = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM;
  if (flags & (parts | CLONE_NEWUSER) && process.threads.size > 1) throw new SysError(EINVAL);
  if (flags & (CLONE_SIGHAND | CLONE_VM)) {
    const { actions } = process.signals;
    for (const other of kernel.processes.values())
      if (other !== process && other.exitStatus === null && other.signals.actions === actions)
        throw new SysError(EINVAL);
  }
  if (flags & CLONE_VM && process.mm.users > 1) throw new SysError(EINVAL);
  if ((flags & CLONE_NAMESPACES) !== 0) throw new SysError(EPERM);
  thread.unshare({ descriptors: (flags & CLONE_FILES) !== 0, fs: (flags & CLONE_FS) !== 0 });
  return 0;
};

export const CLONE_SYSCALLS: readonly SyscallRow[] = [
  { name: "clone", args: "hex ptr ptr ptr ptr", handler: cloneCall },
  { name: "clone3", args: "ptr ulong", handler: clone3 },
  { name: "fork", args: "", handler: (ctx) => make(ctx, plain(0)) },
  { name: "vfork", args: "", handler: (ctx) => make(ctx, plain(CLONE_VFORK | CLONE_VM)) },
  { name: "unshare", args: "hex", handler: unshare },
];
