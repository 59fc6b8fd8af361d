/** New threads and processes (Linux: kernel/fork.c, copy_thread of arch/powerpc). */
import { RESERVE_LENGTH } from "../cpu/registers.ts";
import { VM_DONTCOPY, VM_LOCKED, VM_WIPEONFORK } from "../memory/vma.ts";
import { isFull } from "./address-layout.ts";
import { isVectored, returnFromCall } from "./call-return.ts";
import type { ProcessFiles } from "./contracts.ts";
import { CAP_CHECKPOINT_RESTORE, CAP_SYS_ADMIN, CAP_SYS_RESOURCE, isCapable } from "./credentials.ts";
import { EAGAIN, EEXIST, EINVAL, ENOMEM, EPERM, SysError } from "./errno.ts";
import type { Mm } from "./mm.ts";
import { Process, RLIMIT_NPROC } from "./process.ts";
import { makeTimers } from "./signals/task-signals.ts";
import { inheritedScheduling } from "./scheduling.ts";
import type { System } from "./system.ts";
import { MOST_PID } from "./tasks.ts";
import { Thread } from "./thread.ts";

export const CSIGNAL = 0xff;
export const CLONE_VM = 0x100;
export const CLONE_FS = 0x200;
export const CLONE_FILES = 0x400;
export const CLONE_SIGHAND = 0x800;
export const CLONE_PIDFD = 0x1000;
export const CLONE_PTRACE = 0x2000;
export const CLONE_VFORK = 0x4000;
export const CLONE_PARENT = 0x8000;
export const CLONE_THREAD = 0x1_0000;
export const CLONE_NEWNS = 0x2_0000;
export const CLONE_SYSVSEM = 0x4_0000;
export const CLONE_SETTLS = 0x8_0000;
export const CLONE_PARENT_SETTID = 0x10_0000;
export const CLONE_CHILD_CLEARTID = 0x20_0000;
export const CLONE_DETACHED = 0x40_0000;
export const CLONE_UNTRACED = 0x80_0000;
export const CLONE_CHILD_SETTID = 0x100_0000;
export const CLONE_IO = 0x8000_0000;
export const CLONE_CLEAR_SIGHAND = 0x1_0000_0000;

export interface CloneRequest {
  /** CLONE_* without the exit signal. */
  flags: number;
  exitSignal: number;
  /** Stack pointer of the child; 0 keeps the parent's. */
  stack: bigint;
  tls: bigint;
  parentTid: bigint;
  /** Where CLONE_PIDFD puts the descriptor of the child. */
  pidfd: bigint;
  childTid: bigint;
  /** Ids that the child is to have in its pid namespaces, of which there is one here. */
  wantedIds?: readonly number[];
}

/** Whether a flag is among others, which may have more than 32 bits. */
export const has = (flags: number, flag: number): boolean => Math.floor(flags / flag) % 2 === 1;

/** Throws EINVAL for flags that don't go together. */
function check(flags: number): void {
  const needs = (flag: number, other: number) => {
    if (has(flags, flag) && !has(flags, other)) throw new SysError(EINVAL);
  };
  needs(CLONE_THREAD, CLONE_SIGHAND);
  needs(CLONE_SIGHAND, CLONE_VM);
  if (has(flags, CLONE_CLEAR_SIGHAND) && has(flags, CLONE_SIGHAND)) throw new SysError(EINVAL);
}

/** Makes the thread or process that a call asks for, ready to return 0 from that call. Throws EAGAIN, EINVAL, ENOMEM. */
export function clone(parent: Thread, request: CloneRequest): Thread {
  const { flags } = request;
  const { kernel } = parent.process;
  check(flags);
  if (!kernel.hasRoom || isOverLimit(parent)) throw new SysError(EAGAIN);
  const copied = has(flags, CLONE_VM) ? 0 : parent.process.memory.areas.dataBytes;
  if (isFull(kernel, copied)) throw new SysError(ENOMEM);
  const tid = idOfChild(parent, request.wantedIds);
  const isThread = has(flags, CLONE_THREAD);
  const process = isThread ? parent.process : forkProcess(parent, tid, request);
  const shares = has(flags, CLONE_VM) && !has(flags, CLONE_VFORK);
  const child = new Thread(process, tid, {
    signals: parent.signals.fork(!shares),
    files: isThread ? filesOfThread(parent, flags) : process.files,
    credentials: parent.credentials,
  });
  child.fpexcMode = parent.fpexcMode;
  child.policy = parent.policy;
  child.affinity = parent.affinity;
  child.scheduling = inheritedScheduling(parent.scheduling);
  child.startTime = kernel.clock.monotonic();
  child.noNewPrivs = parent.noNewPrivs;
  child.confinement = parent.confinement;
  if (isThread) child.ownName = parent.comm;
  child.parked.bytes.set(parent.registers.bytes);
  if (!isThread) kernel.addProcess(process);
  kernel.addThread(child);
  returnFromCall(child.parked, process.abi, isVectored(parent), 0);
  begin(child, request);
  child.start();
  return child;
}

/** The id of a new child: any, or the one asked for. Throws EINVAL, EPERM, EEXIST (Linux: alloc_pid). */
function idOfChild({ process, credentials }: Thread, wanted: readonly number[] = []): number {
  const { kernel } = process;
  if (wanted.length === 0) return kernel.newPid();
  const [tid] = wanted;
  if (wanted.length > 1 || tid < 1 || tid > MOST_PID) throw new SysError(EINVAL);
  if (!isCapable(credentials, CAP_CHECKPOINT_RESTORE | CAP_SYS_ADMIN)) throw new SysError(EPERM);
  if (kernel.isTaken(tid)) throw new SysError(EEXIST);
  return tid;
}

const filesShared = (flags: number) => ({
  descriptors: has(flags, CLONE_FILES),
  fs: has(flags, CLONE_FS),
});

/** The files of a new thread: its maker's, unless it is to have some of its own. */
function filesOfThread({ process, files }: Thread, flags: number): ProcessFiles {
  const shares = filesShared(flags);
  return shares.descriptors && shares.fs ? files : files.fork(process, shares);
}

function isOverLimit({ credentials, process: { kernel, limits } }: Thread): boolean {
  const { uid } = credentials;
  if (uid === 0 || isCapable(credentials, CAP_SYS_RESOURCE | CAP_SYS_ADMIN)) return false;
  let count = 0n;
  for (const { threads } of kernel.processes.values())
    for (const thread of threads) if (thread.credentials.uid === uid) count++;
  return count >= limits[RLIMIT_NPROC].soft;
}

/** What is different in the registers with which a child begins from the parent's after the call. */
function begin(child: Thread, { flags, stack, tls }: CloneRequest): void {
  const { parked: registers, process } = child;
  registers.u32[RESERVE_LENGTH / 4] = 0;
  registers.instructions = 0n;
  if (stack !== 0n) registers.setGpr(1, stack);
  if (has(flags, CLONE_SETTLS)) registers.setGpr(process.abi.is64 ? 13 : 2, tls);
}

function forkProcess(parent: Thread, pid: number, { flags, exitSignal }: CloneRequest): Process {
  const { process } = parent;
  const { kernel, limits } = process;
  const child = new Process(kernel, pid, {
    credentials: parent.credentials,
    limits: limits.map((limit) => ({ ...limit })),
    mm: has(flags, CLONE_VM) ? process.mm : copyMm(kernel, process.mm),
  });
  const inherits = has(flags, CLONE_PARENT);
  child.parent = inherits ? process.parent : process;
  child.exitSignal = inherits ? process.exitSignal : exitSignal;
  child.pgid = process.pgid;
  child.sid = process.sid;
  child.comm = parent.comm;
  child.exe = process.exe;
  child.signals = process.signals.fork(has(flags, CLONE_SIGHAND));
  if (has(flags, CLONE_CLEAR_SIGHAND)) child.signals.clear();
  child.files = parent.files.fork(child, filesShared(flags));
  child.timers = makeTimers(child);
  child.prctl = { ...process.prctl, pdeathsig: 0 };
  child.attributes = { ...process.attributes, childSubreaper: false };
  delete child.attributes.peak;
  delete child.attributes.childrenPeak;
  delete child.attributes.locksFuture;
  delete child.attributes.locksOnFault;
  child.personality = process.personality;
  child.startTime = kernel.clock.monotonic();
  if (has(flags, CLONE_VFORK)) child.vforkParent = parent;
  return child;
}

/** A copy of an address space, whose pages are copied when either side first writes them; shared memory is the same. */
function copyMm(kernel: System, from: Mm): Mm {
  const mm = kernel.newMm(from.abi, from.cpuModel);
  from.memory.fork(mm.memory);
  for (const { start, end, flags = 0 } of from.memory.areas) {
    if (flags & VM_DONTCOPY) mm.memory.unmap(start, end);
    else if (flags & VM_WIPEONFORK) mm.memory.discard(start, end);
    if (flags & VM_LOCKED) mm.memory.mark(start, end, { clear: VM_LOCKED });
  }
  mm.layout = { ...from.layout, auxv: from.layout.auxv };
  mm.elfv2 = from.elfv2;
  mm.interpreter.program = from.interpreter.program;
  return mm;
}
