/** ptrace(2) (Linux: kernel/ptrace.c, arch/powerpc/kernel/ptrace). */
import { GuestFault } from "../../cpu/fault.ts";
import { DABR } from "../../cpu/registers.ts";
import type { AddressSpace } from "../../memory/address-space.ts";
import { type AbiInfo, struct } from "../abi.ts";
import { CAP_SYS_PTRACE, isCapable } from "../credentials.ts";
import { EFAULT, EINVAL, EIO, ENODEV, ENOSPC, EPERM, ESRCH, noProcess, SysError } from "../errno.ts";
import type { Process } from "../process.ts";
import { GuestBytes } from "../signals/bytes.ts";
import { PT_CCR, PT_NIP, PT_TRAP, VR_BYTES } from "../signals/mcontext.ts";
import { signalInfo } from "../signals/pending.ts";
import { interrupt, post, stopWithGroup } from "../signals/post.ts";
import { encodeSigInfo, getSigInfo, SIGINFO_SIZE } from "../signals/siginfo.ts";
import { SI_USER, SIGKILL, SIGRTMAX } from "../signals/signal-numbers.ts";
import { pointer, type SyscallContext, type SyscallHandler, type SyscallRow } from "../syscall.ts";
import type { Thread } from "../thread.ts";
import { isFilterStop, PTRACE_OPTIONS, type Trace } from "../tracing/tracee.ts";
import { attach, detach, goOn, listen, stopAttached } from "../tracing/tracing.ts";
import {
  NT_PPC_VMX,
  NT_PPC_VSX,
  NT_PRFPREG,
  NT_PRSTATUS,
  PT_ORIG_R3,
  REGISTER_WORDS,
  registerSet,
  resultOf,
  setDabr,
  setWords,
  wordsOfStopped,
} from "../tracing/trace-registers.ts";
import { checkAccess, hasNoMore } from "./process-vm.ts";

const PTRACE_TRACEME = 0;
const PTRACE_KILL = 8;
const PTRACE_ATTACH = 16;
const PTRACE_SEIZE = 0x4206;
const PTRACE_INTERRUPT = 0x4207;

const IOVEC = struct({ base: "pointer", length: "ulong" });

/** A request on a tracee that is stopped. */
interface Request {
  readonly ctx: SyscallContext;
  readonly thread: Thread;
  readonly trace: Trace<Process>;
}
type Handler = (request: Request) => number;

// ---- memory and registers ----------------------------------------------------------------------------------------

/** An access to a tracee's memory, which its data breakpoint does not see; what is not there is EIO. */
function inTracee<T>({ ctx, thread }: Request, use: (memory: AddressSpace, address: number) => T): T {
  const { memory } = thread.process;
  try {
    return use(memory, ctx.args.address(2));
  } catch (error) {
    if (error instanceof GuestFault || (error instanceof SysError && error.errno === EFAULT))
      throw new SysError(EIO);
    throw error;
  } finally {
    memory.takeMatched();
  }
}

const peek: Handler = (request) => {
  const { ctx } = request;
  const bytes = inTracee(request, (memory, address) => memory.readForced(address, ctx.abi.wordSize));
  ctx.memory.write(ctx.args.address(3), bytes);
  return 0;
};

const poke: Handler = (request) => {
  const { ctx } = request;
  const word = new GuestBytes(ctx.abi, ctx.abi.wordSize);
  word.setUlong(0, ctx.args.word(3));
  inTracee(request, (memory, address) => memory.force(address, word.bytes));
  return 0;
};

/** PT_FPR0 and PT_FPSCR: words of the user area from which floating-point registers begin, and with which they end. */
const PT_FPR0 = 48;
const lastWord = ({ is64 }: AbiInfo): number => PT_FPR0 + (is64 ? 32 : 65);

/** The word of the user area that a request names. */
function userWord(request: Request): number {
  const { args, abi } = request.ctx;
  const at = args.ulong(2);
  const size = BigInt(abi.wordSize);
  if (at % size !== 0n || at / size > BigInt(lastWord(abi))) throw new SysError(EIO);
  return Number(at / size);
}

/** The bytes of the floating-point registers as a tracer has them. */
const floatingPoint = ({ thread, ctx }: Request): GuestBytes =>
  registerSet(thread, NT_PRFPREG)!.get(thread, ctx.abi);

const peekUser: Handler = (request) => {
  const { ctx, thread } = request;
  const index = userWord(request);
  let value = 0n;
  if (index >= PT_FPR0) value = floatingPoint(request).ulong((index - PT_FPR0) * ctx.abi.wordSize);
  else if (index < REGISTER_WORDS) value = wordsOfStopped(thread, ctx.abi)[index];
  else throw new SysError(EIO);
  ctx.putWord(ctx.args.address(3), value);
  return 0;
};

const pokeUser: Handler = (request) => {
  const { ctx, thread } = request;
  const index = userWord(request);
  const value = ctx.args.word(3);
  if (index >= PT_FPR0) {
    const bytes = floatingPoint(request);
    bytes.setUlong((index - PT_FPR0) * ctx.abi.wordSize, value);
    registerSet(thread, NT_PRFPREG)!.set(thread, bytes);
    return 0;
  }
  // PT_TRAP is taken besides those, and keeps its value.
  if (index > PT_CCR && index !== PT_TRAP) throw new SysError(EIO);
  const words = wordsOfStopped(thread, ctx.abi);
  words[index] = value;
  setWords(thread, words);
  return 0;
};

/** How many bytes PTRACE_GETREGS and its like move; all of the set where it does not say. */
const SIZES: Readonly<Record<number, (abi: AbiInfo) => number>> = {
  [NT_PRSTATUS]: ({ wordSize }) => REGISTER_WORDS * wordSize,
  [NT_PPC_VMX]: () => VR_BYTES + 4,
};

/** A request that moves the registers of a note to, or from, where `data` points. */
const whole =
  (note: number, isWrite: boolean): Handler =>
  ({ ctx, thread }) => {
    const set = registerSet(thread, note);
    if (set === undefined) throw new SysError(EIO);
    const bytes = set.get(thread, ctx.abi);
    const size = SIZES[note]?.(ctx.abi) ?? bytes.bytes.length;
    const at = ctx.args.address(3);
    if (!isWrite) ctx.memory.write(at, bytes.bytes.subarray(0, size));
    else {
      bytes.bytes.set(ctx.memory.read(at, size));
      set.set(thread, bytes);
    }
    return 0;
  };

/** PTRACE_GETREGSET, PTRACE_SETREGSET: in the layout of the tracee, as much as there is room for. */
const part =
  (isWrite: boolean): Handler =>
  ({ ctx, thread }) => {
    const { args } = ctx;
    const at = args.address(3);
    const { base, length } = ctx.get(IOVEC, at);
    const { abi } = thread.process;
    const set = registerSet(thread, args.uint(2));
    const unit = set?.unit(abi) ?? 1;
    if (set === undefined || length % BigInt(unit) !== 0n)
      throw new SysError(set === undefined ? ENODEV : EINVAL);
    const { bytes } = set.get(thread, abi);
    const size = length > BigInt(bytes.length) ? bytes.length : Number(length);
    if (!isWrite) ctx.memory.write(pointer(base), bytes.subarray(0, size));
    else {
      bytes.set(ctx.memory.read(pointer(base), size));
      set.set(thread, new GuestBytes(abi, bytes as Uint8Array<ArrayBuffer>));
    }
    ctx.put(IOVEC, at, { base, length: size });
    return 0;
  };

// ---- what it is in -------------------------------------------------------------------------------------------------

const getSiginfo: Handler = ({ ctx, trace }) => {
  const info = trace.stop!.info;
  if (info === null) throw new SysError(EINVAL);
  ctx.memory.write(ctx.args.address(3), encodeSigInfo(ctx.abi, info));
  return 0;
};

const setSiginfo: Handler = ({ ctx, trace }) => {
  const bytes = new GuestBytes(ctx.abi, ctx.memory.read(ctx.args.address(3), SIGINFO_SIZE));
  if (trace.stop!.info === null) throw new SysError(EINVAL);
  trace.stop = { ...trace.stop!, info: getSigInfo(bytes, bytes.i32(0)) };
  return 0;
};

const PEEK_ARGUMENTS = struct({ off: "u64", flags: "u32", nr: "i32" });
const PEEKSIGINFO_SHARED = 1;

/** PTRACE_PEEKSIGINFO: signals that are pending, from the `off`th on, which stay there; those of the process with its flag. */
const peekSiginfo: Handler = ({ ctx, thread }) => {
  const { args, memory, abi } = ctx;
  const { off, flags, nr } = ctx.get(PEEK_ARGUMENTS, args.address(2));
  if (flags & ~PEEKSIGINFO_SHARED || nr < 0) throw new SysError(EINVAL);
  const { pending } = flags & PEEKSIGINFO_SHARED ? thread.process.signals : thread.signals;
  if (off >= BigInt(pending.size)) return 0;
  const found = pending.entries.slice(Number(off), Number(off) + nr);
  const to = args.address(3);
  for (const [n, info] of found.entries()) {
    try {
      memory.write(to + n * SIGINFO_SIZE, encodeSigInfo(abi, info));
    } catch (error) {
      if (n === 0 || !(error instanceof GuestFault)) throw error;
      return n;
    }
  }
  return found.length;
};

const getEventMessage: Handler = ({ ctx, trace }) => {
  ctx.putWord(ctx.args.address(3), trace.message);
  return 0;
};

function setOptions({ ctx, trace }: Request): number {
  const options = ctx.args.ulong(3);
  if ((options & ~BigInt(PTRACE_OPTIONS)) !== 0n) throw new SysError(EINVAL);
  trace.options = Number(options);
  return 0;
}

/** PTRACE_GETSIGMASK, PTRACE_SETSIGMASK. */
const signalMask =
  (isWrite: boolean): Handler =>
  ({ ctx, thread }) => {
    const { args, memory, abi } = ctx;
    if (args.ulong(2) !== 8n) throw new SysError(EINVAL);
    const { signals } = thread;
    if (isWrite) {
      signals.savedMask = null;
      signals.setMask(new GuestBytes(abi, memory.read(args.address(3), 8)).sigset(0));
      return 0;
    }
    const out = new GuestBytes(abi, 8);
    out.setSigset(0, signals.savedMask ?? signals.mask);
    memory.write(args.address(3), out.bytes);
    return 0;
  };

const CALL_INFO = struct({
  op: "u8",
  pad: ["u8", 3],
  arch: "u32",
  instruction_pointer: "u64",
  stack_pointer: "u64",
  words: ["u64", 8],
});
/** Bytes of struct ptrace_syscall_info: where no call is, in front of one, behind one, in front of one that a filter leaves to the tracer. */
const CALL_INFO_SIZES = { none: 24, entry: 80, exit: 33, seccomp: 84 };
const ENTRY = 1;
const EXIT = 2;
const SECCOMP = 3;
/** AUDIT_ARCH_PPC and its kin. */
const AUDIT_ARCH = { ppc32: 0x14, ppc64: 0x8000_0015, ppc64le: 0xc000_0015 };

/** PTRACE_GET_SYSCALL_INFO. */
const callInfo: Handler = ({ ctx, thread, trace }) => {
  const { abi } = thread.process;
  const words = wordsOfStopped(thread, abi);
  const { kind } = trace.stop!;
  const isFiltered = isFilterStop(trace.stop!);
  const fields = {
    op: isFiltered ? SECCOMP : kind === "entry" ? ENTRY : kind === "exit" ? EXIT : 0,
    arch: AUDIT_ARCH[abi.name],
    instruction_pointer: words[PT_NIP],
    stack_pointer: words[1],
  };
  let data: bigint[] = [];
  let size = CALL_INFO_SIZES.none;
  const bytes = CALL_INFO.encode(ctx.abi, { ...fields, words: Array.from({ length: 8 }, () => 0n) });
  const out = new GuestBytes(ctx.abi, bytes as Uint8Array<ArrayBuffer>);
  if (kind === "entry") {
    data = [words[0], words[isFiltered ? PT_ORIG_R3 : 3], ...words.slice(4, 9)];
    size = isFiltered ? CALL_INFO_SIZES.seccomp : CALL_INFO_SIZES.entry;
    if (isFiltered) out.setU32(CALL_INFO_SIZES.entry, Number(trace.message));
  } else if (kind === "exit") {
    const { failed, value } = resultOf(words, abi);
    data = [value];
    size = CALL_INFO_SIZES.exit;
    out.bytes[CALL_INFO_SIZES.exit - 1] = failed ? 1 : 0;
  }
  for (const [n, word] of data.entries()) out.setU64(24 + 8 * n, BigInt.asUintN(64, word));
  const room = ctx.args.size(2);
  ctx.memory.write(ctx.args.address(3), out.bytes.subarray(0, Math.min(room, size)));
  return size;
};

// ---- going on ------------------------------------------------------------------------------------------------------

/** The signal that a tracee is to go on with. Throws EIO. */
function signalArg({ ctx }: Request): number {
  const signo = ctx.args.ulong(3);
  if (signo > BigInt(SIGRTMAX)) throw new SysError(EIO);
  return Number(signo);
}

const resume =
  (mode: Trace["mode"]): Handler =>
  (request) => {
    goOn(request.thread, request.trace, mode, signalArg(request));
    return 0;
  };

const detachRequest: Handler = (request) => {
  detach(request.thread, request.trace, signalArg(request));
  return 0;
};

/** PTRACE_LISTEN: only a seized thread that is stopped with its process, or for PTRACE_INTERRUPT. */
const listenRequest: Handler = ({ thread, trace }) => {
  if (!listen(thread, trace)) throw new SysError(EIO);
  return 0;
};

// ---- data breakpoints ----------------------------------------------------------------------------------------------

const DEBUG_INFO = struct({
  version: "u32",
  num_instruction_bps: "u32",
  num_data_bps: "u32",
  num_condition_regs: "u32",
  data_bp_alignment: "u32",
  sizeof_condition: "u32",
  features: "u64",
});
const BREAKPOINT = struct({
  version: "u32",
  trigger_type: "u32",
  addr_mode: "u32",
  condition_mode: "u32",
  addr: "u64",
  addr2: "u64",
  condition_value: "u64",
});
const FEATURE_RANGE = 4n;
const TRIGGER_RW = 6;
const MODE_EXACT = 0;
const MODE_RANGE_INCLUSIVE = 1;
/** DABR: the address is one of the program's own. */
const TRANSLATED = 4n;

/** PTRACE_GET_DEBUGREG, PTRACE_SET_DEBUGREG: the one that there is, the DABR. */
const getDebugRegister: Handler = ({ ctx, thread }) => {
  if (ctx.args.ulong(2) > 0n) throw new SysError(EINVAL);
  ctx.putWord(ctx.args.address(3), thread.registers.u64[DABR / 8]);
  return 0;
};
const setDebugRegister: Handler = ({ ctx, thread }) => {
  const { args } = ctx;
  const value = args.ulong(3);
  if (args.ulong(2) > 0n) throw new SysError(EINVAL);
  if ((value & ~7n) >= 1n << 47n || (value !== 0n && !(value & TRANSLATED))) throw new SysError(EIO);
  setDabr(thread, value);
  return 0;
};

const debugInfo: Handler = ({ ctx }) => {
  const data_bp_alignment = ctx.abi.wordSize;
  ctx.put(DEBUG_INFO, ctx.args.address(3), {
    version: 1,
    num_data_bps: 1,
    data_bp_alignment,
    features: FEATURE_RANGE,
  });
  return 0;
};

/** PPC_PTRACE_SETHWDEBUG: a range within one doubleword, which is what a DABR has. Returns its handle. */
const setBreakpoint: Handler = ({ ctx, thread }) => {
  const { version, trigger_type, addr_mode, condition_mode, addr, addr2 } = ctx.get(
    BREAKPOINT,
    ctx.args.address(3),
  );
  if (version !== 1) throw new SysError(EINVAL);
  if (trigger_type === 0 || trigger_type & ~TRIGGER_RW || condition_mode !== 0) throw new SysError(EINVAL);
  if (addr >= 1n << 47n) throw new SysError(EIO);
  const end = addr_mode === MODE_RANGE_INCLUSIVE ? addr2 : addr + 1n;
  if (addr_mode !== MODE_EXACT && addr_mode !== MODE_RANGE_INCLUSIVE) throw new SysError(EINVAL);
  const isTaken = thread.registers.u64[DABR / 8] !== 0n;
  if (isTaken || end > (addr & ~7n) + 8n) throw new SysError(ENOSPC);
  setDabr(thread, (addr & ~7n) | TRANSLATED | BigInt(trigger_type >> 1));
  return 1;
};

const removeBreakpoint: Handler = ({ ctx, thread }) => {
  if (ctx.args.long(3) !== 1n) throw new SysError(EINVAL);
  setDabr(thread, 0n);
  return 0;
};

/**
 * What is asked of a tracee that is stopped, by PTRACE_* (and PPC_PTRACE_*) number and name. The names are for whoever reads
 * this.
 */
const REQUESTS: readonly [number: number, name: string, handler: Handler][] = [
  [1, "PEEKTEXT", peek],
  [2, "PEEKDATA", peek],
  [3, "PEEKUSR", peekUser],
  [4, "POKETEXT", poke],
  [5, "POKEDATA", poke],
  [6, "POKEUSR", pokeUser],
  [7, "CONT", resume("run")],
  [9, "SINGLESTEP", resume("step")],
  [12, "GETREGS", whole(NT_PRSTATUS, false)],
  [13, "SETREGS", whole(NT_PRSTATUS, true)],
  [14, "GETFPREGS", whole(NT_PRFPREG, false)],
  [15, "SETFPREGS", whole(NT_PRFPREG, true)],
  [17, "DETACH", detachRequest],
  [18, "GETVRREGS", whole(NT_PPC_VMX, false)],
  [19, "SETVRREGS", whole(NT_PPC_VMX, true)],
  [24, "SYSCALL", resume("syscall")],
  [25, "GET_DEBUGREG", getDebugRegister],
  [26, "SET_DEBUGREG", setDebugRegister],
  [27, "GETVSRREGS", whole(NT_PPC_VSX, false)],
  [28, "SETVSRREGS", whole(NT_PPC_VSX, true)],
  [29, "SYSEMU", resume("emulate")],
  [30, "SYSEMU_SINGLESTEP", resume("emulate-step")],
  [0x87, "DELHWDEBUG", removeBreakpoint],
  [0x88, "SETHWDEBUG", setBreakpoint],
  [0x89, "GETHWDBGINFO", debugInfo],
  [0x4200, "SETOPTIONS", setOptions],
  [0x4201, "GETEVENTMSG", getEventMessage],
  [0x4202, "GETSIGINFO", getSiginfo],
  [0x4203, "SETSIGINFO", setSiginfo],
  [0x4204, "GETREGSET", part(false)],
  [0x4205, "SETREGSET", part(true)],
  [0x4208, "LISTEN", listenRequest],
  [0x4209, "PEEKSIGINFO", peekSiginfo],
  [0x420a, "GETSIGMASK", signalMask(false)],
  [0x420b, "SETSIGMASK", signalMask(true)],
  [0x420e, "GET_SYSCALL_INFO", callInfo],
];
const HANDLERS: ReadonlyMap<number, Handler> = new Map(
  REQUESTS.map(([number, , handler]) => [number, handler]),
);

/** PTRACE_TRACEME: the parent traces the caller. One that is outside can't. */
function traceMe({ thread, process }: SyscallContext): number {
  const { parent } = process;
  if (thread.trace !== undefined || parent === undefined) throw new SysError(EPERM);
  const its = parent.credentials;
  if (!isCapable(its, CAP_SYS_PTRACE) && !hasNoMore(thread.credentials, its)) throw new SysError(EPERM);
  attach(thread, parent, { seized: false, options: 0 });
  return 0;
}

/** PTRACE_ATTACH, PTRACE_SEIZE. */
function begin(ctx: SyscallContext, thread: Thread, seized: boolean): number {
  const { process, args } = ctx;
  const options = seized ? args.ulong(3) : 0n;
  if (seized && (args.ulong(2) !== 0n || (options & ~BigInt(PTRACE_OPTIONS)) !== 0n)) throw new SysError(EIO);
  if (thread.process === process || thread.trace !== undefined) throw new SysError(EPERM);
  checkAccess(ctx.thread, thread);
  const trace = attach(thread, process, { seized, options: Number(options) });
  if (!seized) stopAttached(thread, trace);
  else if (thread.process.stoppedBy !== 0) stopWithGroup(thread, trace, thread.process.stoppedBy);
  return 0;
}

const ptrace: SyscallHandler = (ctx) => {
  const { args, kernel, process } = ctx;
  const request = Number(args.long(0));
  if (request === PTRACE_TRACEME) return traceMe(ctx);
  const tid = args.int(1);
  const thread = kernel.thread(tid);
  if (thread === undefined) throw noProcess(tid);
  if (request === PTRACE_ATTACH || request === PTRACE_SEIZE)
    return begin(ctx, thread, request === PTRACE_SEIZE);
  const { trace } = thread;
  if (trace?.tracer !== process) throw new SysError(ESRCH);
  if (request === PTRACE_KILL) {
    post(thread.process, signalInfo(SIGKILL, SI_USER));
    return 0;
  }
  if (request === PTRACE_INTERRUPT) {
    if (!trace.seized) throw new SysError(EIO);
    interrupt(thread, trace);
    return 0;
  }
  if (trace.stop === null || trace.listening) throw new SysError(ESRCH);
  const handler = HANDLERS.get(request);
  if (handler === undefined) throw new SysError(EIO);
  return handler({ ctx, thread, trace });
};

export const PTRACE_SYSCALLS: readonly SyscallRow[] = [
  { name: "ptrace", args: "hex int ptr ptr", handler: ptrace },
];
