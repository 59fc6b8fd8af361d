/** System calls about signals: actions, masks, sending, waiting, and the ways back from handlers. */

import { GuestFault } from "../../cpu/fault.ts";
import { NIA } from "../../cpu/registers.ts";
import { struct } from "../abi.ts";
import { CAP_KILL, isCapable } from "../credentials.ts";
import {
  EAGAIN,
  EFAULT,
  EINTR,
  EINVAL,
  ENOMEM,
  ENOSYS,
  EPERM,
  ESRCH,
  noProcess,
  SysError,
} from "../errno.ts";
import type { Process } from "../process.ts";
import { type AltStack, altStackFlags, getStack, setAltStack, stackSize } from "../signals/altstack.ts";
import { GuestBytes } from "../signals/bytes.ts";
import { SYSTEM_CALL } from "../signals/faults.ts";
import { type FrameThread, popOldFrame, popRtFrame, type Returned, swapContext } from "../signals/frames.ts";
import { type SignalInfo, signalInfo } from "../signals/pending.ts";
import { post, senderInfo } from "../signals/post.ts";
import { changeAction, forceSignal } from "../signals/send.ts";
import { encodeSigInfo, getSigInfo, SIGINFO_SIZE } from "../signals/siginfo.ts";
import {
  BLOCKABLE,
  isSignal,
  SA_NODEFER,
  SA_RESETHAND,
  SI_KERNEL,
  SI_TKILL,
  SIGCONT,
  SIGSEGV,
  signalBit,
  UNBLOCKABLE,
} from "../signals/signal-numbers.ts";
import type { SignalAction } from "../signals/signal-state.ts";
import { takeWanted, taskModel } from "../signals/task-signals.ts";
import {
  REGISTERS_SET,
  type SyscallContext,
  type SyscallHandler,
  type SyscallResult,
  type SyscallRow,
} from "../syscall.ts";
import type { Thread } from "../thread.ts";
import { readTimespec, type TimeFormat } from "./time-format.ts";

const SIGSET_SIZE = 8;

/** Handler of a call that only 32-bit tasks have. */
const only32 =
  (handler: SyscallHandler): SyscallHandler =>
  (ctx) => {
    if (ctx.abi.is64) throw new SysError(ENOSYS);
    return handler(ctx);
  };

export function getSigset(ctx: SyscallContext, address: number): bigint {
  const { memory, abi } = ctx;
  if (abi.is64) return memory.read64(address);
  memory.checkLoad(address, 8);
  const [low, high] = [memory.read32(address), memory.read32(address + 4)];
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

function putSigset(ctx: SyscallContext, address: number, mask: bigint): void {
  const { memory, abi } = ctx;
  if (abi.is64) {
    memory.write64(address, mask);
    return;
  }
  memory.checkStore(address, 8);
  memory.write32(address, Number(BigInt.asIntN(32, mask)));
  memory.write32(address + 4, Number(mask >> 32n) | 0);
}

export function checkSigsetSize(ctx: SyscallContext, n: number): void {
  if (ctx.args.size(n) !== SIGSET_SIZE) throw new SysError(EINVAL);
}

// ---- actions -------------------------------------------------------------------------------------------------

/** struct sigaction as the kernel has it; and that of the old 32-bit call, whose mask is one word. */
const SIGACTION = struct({ handler: "ulong", flags: "ulong", restorer: "ulong" });
const OLD_SIGACTION = struct({ handler: "ulong", mask: "ulong", flags: "ulong", restorer: "ulong" });

function rtSigaction(ctx: SyscallContext): SyscallResult {
  const { args, abi } = ctx;
  checkSigsetSize(ctx, 3);
  const maskAt = SIGACTION.size(abi);
  return sigaction(ctx, {
    read: (address) => ({ ...ctx.get(SIGACTION, address), mask: getSigset(ctx, address + maskAt) }),
    write(address, action) {
      ctx.memory.checkStore(address, maskAt + 8);
      ctx.put(SIGACTION, address, action);
      putSigset(ctx, address + maskAt, action.mask);
    },
    act: args.address(1),
    old: args.address(2),
  });
}

const oldSigaction = (ctx: SyscallContext): SyscallResult =>
  sigaction(ctx, {
    read: (address) => ctx.get(OLD_SIGACTION, address),
    write: (address, action) => ctx.put(OLD_SIGACTION, address, action),
    act: ctx.args.address(1),
    old: ctx.args.address(2),
  });

interface ActionAccess {
  read(address: number): SignalAction;
  write(address: number, action: SignalAction): void;
  act: number;
  old: number;
}

function sigaction(
  { args, process }: SyscallContext,
  { read, write, act, old }: ActionAccess,
): SyscallResult {
  const signo = args.int(0);
  const action = act === 0 ? undefined : read(act);
  if (!isSignal(signo)) throw new SysError(EINVAL);
  if (action !== undefined && signalBit(signo) & UNBLOCKABLE) throw new SysError(EINVAL);
  const { handler, flags, restorer, mask } = process.signals.action(signo);
  if (action !== undefined) changeAction(process, signo, action);
  if (old !== 0) write(old, { handler, flags, restorer, mask });
  return 0;
}

/** signal(2), System V: the handler is reset when it runs, and not blocked while it does. */
function signal({ args, process }: SyscallContext): SyscallResult {
  const signo = args.int(0);
  if (!isSignal(signo) || signalBit(signo) & UNBLOCKABLE) throw new SysError(EINVAL);
  const { handler } = process.signals.action(signo);
  const flags = SA_RESETHAND | SA_NODEFER;
  changeAction(process, signo, { handler: args.word(1), flags, restorer: 0n, mask: 0n });
  return handler;
}

// ---- masks ---------------------------------------------------------------------------------------------------

/** `how` of sigprocmask(2): new masks from old mask and given set. */
const HOW: readonly ((mask: bigint, set: bigint) => bigint)[] = [
  (mask, set) => mask | set,
  (mask, set) => mask & ~set,
  (_mask, set) => set,
];

function changeMask({ thread }: SyscallContext, how: number, set: bigint): void {
  const change = HOW[how];
  if (change === undefined) throw new SysError(EINVAL);
  thread.signals.setMask(change(thread.signals.mask, set));
}

function rtSigprocmask(ctx: SyscallContext): SyscallResult {
  const { args, thread } = ctx;
  checkSigsetSize(ctx, 3);
  const [set, old] = [args.address(1), args.address(2)];
  const before = thread.signals.mask;
  if (set !== 0) changeMask(ctx, args.int(0), getSigset(ctx, set));
  if (old !== 0) putSigset(ctx, old, before);
  return 0;
}

const LOW = 0xffff_ffffn;

/** The first word of the mask changes, the rest stays. */
function sigprocmask(ctx: SyscallContext): SyscallResult {
  const { args, thread } = ctx;
  const [set, old] = [args.address(1), args.address(2)];
  const before = thread.signals.mask;
  if (set !== 0) {
    const how = args.int(0);
    const given = ctx.getWord(set) & LOW;
    changeMask(ctx, how, how === 2 ? (before & ~LOW) | given : given);
  }
  if (old !== 0) ctx.putWord(old, before & LOW);
  return 0;
}

function ssetmask({ args, thread }: SyscallContext): SyscallResult {
  const before = thread.signals.mask;
  thread.signals.setMask(BigInt(args.uint(0)));
  return before & LOW;
}

/** Signals that are pending and blocked. */
const pendingSet = ({ process, thread }: SyscallContext): bigint =>
  (process.signals.pending.mask | thread.signals.pending.mask) & thread.signals.mask;

function rtSigpending(ctx: SyscallContext): SyscallResult {
  const size = ctx.args.size(1);
  if (size > SIGSET_SIZE) throw new SysError(EINVAL);
  const out = new GuestBytes(ctx.abi, 8);
  out.setSigset(0, pendingSet(ctx));
  ctx.memory.write(ctx.args.address(0), out.bytes.subarray(0, size));
  return 0;
}

function sigpending(ctx: SyscallContext): SyscallResult {
  ctx.putWord(ctx.args.address(0), pendingSet(ctx) & LOW);
  return 0;
}

// ---- sending -------------------------------------------------------------------------------------------------

/** Whether the caller may send a signal to a process, or to the thread of it (Linux: check_kill_permission). */
function mayKill(
  { process, thread: { credentials } }: SyscallContext,
  target: Process,
  signo: number,
  thread?: Thread,
) {
  if (process === target) return true;
  const { euid, uid } = credentials;
  const to = (thread ?? target).credentials;
  const isOwn = [euid, uid].some((id) => id === to.uid || id === to.suid);
  return isOwn || isCapable(credentials, CAP_KILL) || (signo === SIGCONT && process.sid === target.sid);
}

/** Sends to a process or thread after the checks that all sending calls share; signal 0 sends nothing. */
export function send(ctx: SyscallContext, target: Process, info: SignalInfo, thread?: Thread): void {
  if (info.signo !== 0 && !isSignal(info.signo)) throw new SysError(EINVAL);
  if (!mayKill(ctx, target, info.signo, thread)) throw new SysError(EPERM);
  if (info.signo !== 0 && post(target, info, thread) === "EAGAIN") throw new SysError(EAGAIN);
}

export const alive = (process: Process | undefined): process is Process =>
  process !== undefined && process.threads.size > 0;

function processOf({ kernel }: SyscallContext, pid: number): Process {
  // Any thread's id means its process (Linux: kill_pid_info).
  const process = kernel.processes.get(pid) ?? kernel.thread(pid)?.process;
  if (process === undefined) throw noProcess(pid);
  return process;
}

function kill(ctx: SyscallContext): SyscallResult {
  const [pid, signo] = [ctx.args.int(0), ctx.args.int(1)];
  const info = senderInfo(signo, ctx.thread);
  if (pid > 0) {
    const target = processOf(ctx, pid);
    // A zombie can be sent signals; they do nothing.
    if (alive(target)) send(ctx, target, info);
    else if (signo !== 0 && !isSignal(signo)) throw new SysError(EINVAL);
    return 0;
  }
  const group = pid === 0 ? ctx.process.pgid : -pid;
  const targets = [...ctx.kernel.processes.values()].filter((process) =>
    pid === -1 ? process.pid !== 1 && process !== ctx.process : process.pgid === group,
  );
  if (targets.length === 0) throw new SysError(ESRCH);
  let failure: SysError | undefined;
  let reached = false;
  for (const target of targets) {
    try {
      if (alive(target)) send(ctx, target, info);
      reached = true;
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      failure = error;
    }
  }
  if (!reached && failure !== undefined) throw failure;
  return 0;
}

/** The thread `tid`, which must be of process `tgid` unless that is undefined. */
function threadOf({ kernel }: SyscallContext, tgid: number | undefined, tid: number): Thread {
  if (tid <= 0 || (tgid !== undefined && tgid <= 0)) throw new SysError(EINVAL);
  const thread = kernel.thread(tid);
  if (thread === undefined || (tgid !== undefined && thread.process.pid !== tgid)) throw noProcess(tid);
  return thread;
}

const sendToThread = (
  ctx: SyscallContext,
  tgid: number | undefined,
  tid: number,
  signo: number,
): SyscallResult => {
  const thread = threadOf(ctx, tgid, tid);
  send(ctx, thread.process, senderInfo(signo, ctx.thread, true), thread);
  return 0;
};

const tkill: SyscallHandler = (ctx) => sendToThread(ctx, undefined, ctx.args.int(0), ctx.args.int(1));
const tgkill: SyscallHandler = (ctx) => sendToThread(ctx, ctx.args.int(0), ctx.args.int(1), ctx.args.int(2));

/** The siginfo a program has made up. Those that look like kill's or the kernel's it may send to itself only. */
export function givenInfo(ctx: SyscallContext, address: number, signo: number, pid: number): SignalInfo {
  const info = getSigInfo(new GuestBytes(ctx.abi, ctx.memory.read(address, SIGINFO_SIZE)), signo);
  if ((info.code >= 0 || info.code === SI_TKILL) && pid !== ctx.process.pid) throw new SysError(EPERM);
  return info;
}

function rtSigqueueinfo(ctx: SyscallContext): SyscallResult {
  const [pid, signo] = [ctx.args.int(0), ctx.args.int(1)];
  const info = givenInfo(ctx, ctx.args.address(2), signo, pid);
  const target = processOf(ctx, pid);
  if (alive(target)) send(ctx, target, info);
  return 0;
}

function rtTgsigqueueinfo(ctx: SyscallContext): SyscallResult {
  const [tgid, tid, signo] = [ctx.args.int(0), ctx.args.int(1), ctx.args.int(2)];
  ctx.memory.checkLoad(ctx.args.address(3), SIGINFO_SIZE);
  if (tgid <= 0 || tid <= 0) throw new SysError(EINVAL);
  const info = givenInfo(ctx, ctx.args.address(3), signo, tgid);
  const thread = threadOf(ctx, tgid, tid);
  send(ctx, thread.process, info, thread);
  return 0;
}

// ---- waiting -------------------------------------------------------------------------------------------------

const pause: SyscallHandler = (ctx) => ctx.wait({ restart: "nohand" });

/** Waits under another mask until a handler has run; its frame restores the old one. */
function suspend(ctx: SyscallContext, mask: bigint): never {
  ctx.thread.signals.suspend(mask);
  return ctx.block({ restart: "nohand" });
}

function rtSigsuspend(ctx: SyscallContext): SyscallResult {
  checkSigsetSize(ctx, 1);
  return suspend(ctx, getSigset(ctx, ctx.args.address(0)));
}

const rtSigtimedwait =
  (format: TimeFormat): SyscallHandler =>
  (ctx) => {
    const { args, thread, kernel } = ctx;
    checkSigsetSize(ctx, 3);
    const wanted = getSigset(ctx, args.address(0)) & BLOCKABLE;
    const timeoutAt = args.address(2);
    const timeout = timeoutAt === 0 ? undefined : readTimespec(ctx, timeoutAt, format);
    thread.signals.awaited = 0n;
    const info = takeWanted(thread, wanted);
    if (info !== undefined) {
      // Where it can't be told of, it is gone all the same.
      const infoAt = args.address(1);
      if (infoAt !== 0) ctx.memory.write(infoAt, encodeSigInfo(ctx.abi, info));
      return info.signo;
    }
    if (timeout === 0n) return new SysError(EAGAIN);
    const now = kernel.clock.monotonic();
    const deadline = ctx.resumed?.deadline ?? (timeout === undefined ? null : now + timeout);
    if (deadline !== null && deadline <= now) return new SysError(EAGAIN);
    thread.signals.awaited = wanted;
    return ctx.wait({ deadline, restart: "never" });
  };

// ---- handlers' stacks and ways back -----------------------------------------------------------------------------

/** The thread's stack pointer, as wide as the ABI's. */
const stackPointer = ({ thread, abi }: SyscallContext): bigint =>
  BigInt.asUintN(abi.is64 ? 64 : 32, thread.registers.gpr(1));

const ALTSTACK_ERRNO = { EPERM, EINVAL, ENOMEM } as const;

function sigaltstack(ctx: SyscallContext): SyscallResult {
  const { args, thread, abi } = ctx;
  const [next, old] = [args.address(0), args.address(1)];
  const { altStack } = thread.signals;
  const sp = stackPointer(ctx);
  const before = { ...altStack, flags: altStackFlags(altStack, sp) };
  if (next !== 0) {
    const given = getStack(new GuestBytes(abi, ctx.memory.read(next, stackSize(abi.is64))), 0);
    const error = setAltStack(altStack, given, sp);
    if (error !== undefined) throw new SysError(ALTSTACK_ERRNO[error]);
  }
  if (old !== 0) {
    const word = abi.wordSize;
    ctx.memory.checkStore(old, stackSize(abi.is64));
    ctx.putWord(old, before.sp);
    ctx.put32(old + word, before.flags);
    if (abi.is64) ctx.put32(old + word + 4, 0);
    ctx.putWord(old + 2 * word, before.size);
  }
  return 0;
}

const frameThread = ({ thread, process }: SyscallContext): FrameThread => ({
  model: taskModel(process),
  registers: thread.registers,
  memory: process.memory,
  altStack: thread.signals.altStack,
});

/** Returns from a handler; a frame that cannot be read is SIGSEGV. */
const returnBy =
  (pop: (thread: FrameThread) => Returned): SyscallHandler =>
  (ctx) => {
    const { signals, registers } = ctx.thread;
    try {
      const { mask, altStack } = pop(frameThread(ctx));
      signals.setMask(mask);
      if (altStack !== undefined) restoreAltStack(ctx, altStack);
    } catch (error) {
      if (!(error instanceof GuestFault)) throw error;
      registers.u64[NIA / 8] += 4n;
      forceSignal(ctx.process, ctx.thread, signalInfo(SIGSEGV, SI_KERNEL));
    }
    return REGISTERS_SET;
  };

/** Takes the frame's uc_stack over; as in the kernel, one that sigaltstack(2) would refuse changes nothing. */
function restoreAltStack(ctx: SyscallContext, altStack: AltStack): void {
  setAltStack(ctx.thread.signals.altStack, altStack, stackPointer(ctx));
}

function swapcontext(ctx: SyscallContext): SyscallResult {
  const { args, thread } = ctx;
  const { registers, signals } = thread;
  const entry = { interrupt: SYSTEM_CALL, origGpr3: registers.gpr(3), result: 0n };
  const size = args.size(2);
  // The saved context goes on behind the call.
  registers.u64[NIA / 8] += 4n;
  const outcome = swapContext(
    frameThread(ctx),
    Number(args.word(0)),
    Number(args.word(1)),
    size,
    signals.mask,
    entry,
  );
  if (typeof outcome === "object") {
    signals.setMask(outcome.mask);
    return REGISTERS_SET;
  }
  registers.u64[NIA / 8] -= 4n;
  if (outcome !== undefined) throw new SysError(outcome === "EINVAL" ? EINVAL : EFAULT);
  return 0;
}

export const SIGNAL_SYSCALLS: readonly SyscallRow[] = [
  { name: "rt_sigaction", args: "signal ptr ptr ulong", brief: true, handler: rtSigaction },
  { name: "sigaction", args: "signal ptr ptr", brief: true, handler: only32(oldSigaction) },
  { name: "signal", args: "signal ptr", handler: signal },
  { name: "rt_sigprocmask", args: "int ptr ptr ulong", brief: true, handler: rtSigprocmask },
  { name: "sigprocmask", args: "int ptr ptr", brief: true, handler: only32(sigprocmask) },
  { name: "sgetmask", args: "", handler: ({ thread }) => thread.signals.mask & LOW },
  { name: "ssetmask", args: "hex", handler: ssetmask },
  { name: "rt_sigpending", args: "ptr ulong", handler: rtSigpending },
  { name: "sigpending", args: "ptr", handler: only32(sigpending) },
  { name: "kill", args: "int signal", brief: true, handler: kill },
  { name: "tkill", args: "int signal", brief: true, handler: tkill },
  { name: "tgkill", args: "int int signal", brief: true, handler: tgkill },
  { name: "rt_sigqueueinfo", args: "int signal ptr", handler: rtSigqueueinfo },
  { name: "rt_tgsigqueueinfo", args: "int int signal ptr", handler: rtTgsigqueueinfo },
  { name: "pause", args: "", handler: pause },
  { name: "rt_sigsuspend", args: "ptr ulong", handler: rtSigsuspend },
  { name: "sigsuspend", args: "hex", handler: only32((ctx) => suspend(ctx, BigInt(ctx.args.uint(0)))) },
  { name: "rt_sigtimedwait", args: "ptr ptr ptr ulong", handler: rtSigtimedwait("native") },
  { name: "rt_sigtimedwait_time64", args: "ptr ptr ptr ulong", handler: rtSigtimedwait("time64") },
  { name: "sigaltstack", args: "ptr ptr", brief: true, handler: sigaltstack },
  { name: "sigreturn", args: "", handler: only32(returnBy(popOldFrame)) },
  { name: "rt_sigreturn", args: "", handler: returnBy(popRtFrame) },
  { name: "swapcontext", args: "ptr ptr ulong", handler: swapcontext },
  {
    name: "restart_syscall",
    args: "",
    handler: () => {
      throw new SysError(EINTR);
    },
  },
];
