/** What a tracer knows of a thread that it traces, and the stops in which it finds it (Linux: include/linux/ptrace.h). */
import type { TraceSnapshot, TraceStopSnapshot } from "../../snapshot.ts";
import { ENOSYS } from "../errno.ts";
import { type SignalInfo, signalInfo } from "../signals/pending.ts";
import { SIGTRAP } from "../signals/signal-numbers.ts";

export const PTRACE_O_TRACESYSGOOD = 1;
export const PTRACE_O_TRACEFORK = 2;
export const PTRACE_O_TRACEVFORK = 4;
export const PTRACE_O_TRACECLONE = 8;
export const PTRACE_O_TRACEEXEC = 0x10;
export const PTRACE_O_TRACEVFORKDONE = 0x20;
const PTRACE_O_TRACEEXIT = 0x40;
export const PTRACE_O_TRACESECCOMP = 0x80;
export const PTRACE_O_EXITKILL = 0x10_0000;
/** All of them. */
export const PTRACE_OPTIONS = 0x10_00ff;

export const PTRACE_EVENT_FORK = 1;
export const PTRACE_EVENT_VFORK = 2;
export const PTRACE_EVENT_CLONE = 3;
export const PTRACE_EVENT_EXEC = 4;
export const PTRACE_EVENT_VFORK_DONE = 5;
const PTRACE_EVENT_EXIT = 6;
const PTRACE_EVENT_SECCOMP = 7;
export const PTRACE_EVENT_STOP = 128;

/** A thread as its tracer has it. */
export class Trace<P = unknown> {
  readonly tracer: P;
  /** PTRACE_SEIZE: it was not stopped for that, and group stops are told as such. */
  readonly seized: boolean;
  options: number;
  /** How far it was let go: to the next signal, system call, or instruction. */
  mode: TraceSnapshot["mode"] = "run";
  /** The tracer has seen the call that it is in begin. */
  inCall = false;
  /** Its tracer has let the call pass that a filter of seccomp(2) has left to it. */
  passed = false;
  /** The stop that it is in; not before it runs again is there another. */
  stop: TraceStopSnapshot | null = null;
  /** wait(2) has told of the stop. */
  told = false;
  /** PTRACE_LISTEN: it stays in its group stop, and tells when that is over. */
  listening = false;
  /** Its end has been told of (PTRACE_EVENT_EXIT). */
  exiting = false;
  /** PTRACE_GETEVENTMSG. */
  message = 0n;
  due: TraceStopSnapshot[] = [];
  /** The signal that it goes on with. */
  inject: SignalInfo | null = null;

  constructor(tracer: P, { seized, options }: { seized: boolean; options: number }) {
    this.tracer = tracer;
    this.seized = seized;
    this.options = options;
  }
}

/** Whether a tracee was let go for one instruction. */
export const steps = (trace: Pick<Trace, "mode"> | undefined): boolean =>
  trace?.mode === "step" || trace?.mode === "emulate-step";

/** Whether its calls are its tracer's to make (PTRACE_SYSEMU). */
export const isEmulated = ({ mode }: Pick<Trace, "mode">): boolean =>
  mode === "emulate" || mode === "emulate-step";

/** A thread, as its stops say who it is. */
interface Tracee {
  readonly tid: number;
  readonly credentials: { readonly uid: number };
  readonly trace?: Trace | undefined;
}

export const eventStop = (tracee: Tracee, kind: number, message: number | bigint): TraceStopSnapshot => ({
  ...trap(tracee, SIGTRAP | (kind << 8)),
  kind: "event",
  message: BigInt(message),
});

/** What PTRACE_GETSIGINFO says in a stop that no signal has made. */
export const trap = ({ tid, credentials }: Tracee, code: number) => ({
  code,
  info: signalInfo(code & 0x7f, code, { pid: tid, uid: credentials.uid }),
  message: 0n,
});

/** A stop in front of a call that a filter leaves to the tracer; `message` is what the call returns where that has it left out. */
export const filterStop = (tracee: Tracee): TraceStopSnapshot => ({
  ...trap(tracee, SIGTRAP | (PTRACE_EVENT_SECCOMP << 8)),
  kind: "entry",
  message: BigInt.asUintN(64, -BigInt(ENOSYS)),
});

export const isFilterStop = ({ kind, code }: TraceStopSnapshot): boolean =>
  kind === "entry" && code >> 8 === PTRACE_EVENT_SECCOMP;

/** Whether a stop is that of a seized thread with its process, or for PTRACE_INTERRUPT. */
export const isInterruption = ({ code }: TraceStopSnapshot): boolean => code >> 8 === PTRACE_EVENT_STOP;

/** Whether a thread has yet to tell its tracer that it ends with `status`, once. */
export function tellsOfEnd(thread: Tracee, status: number): boolean {
  const { trace } = thread;
  if (trace === undefined || trace.exiting || !(trace.options & PTRACE_O_TRACEEXIT)) return false;
  trace.exiting = true;
  trace.due.push(eventStop(thread, PTRACE_EVENT_EXIT, status));
  return true;
}
