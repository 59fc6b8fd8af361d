/**
 * Who is traced by whom, and the stops in which a tracer finds its tracees (Linux: kernel/ptrace.c, ptrace_stop of
 * kernel/signal.c). What a tracee is to tell before it goes on with its program stands in `due`: the kernel's loop takes
 * one after the other, before the next instruction. A tracer is a process: each of its threads may make its requests.
 */
import type { TraceSnapshot, TraceStopSnapshot } from "../../snapshot.ts";
import { GPR } from "../../cpu/registers.ts";
import { isVectoredAt, returnFromCall } from "../call-return.ts";
import { EINTR, SysError } from "../errno.ts";
import type { Process } from "../process.ts";
import { notifyEnd } from "../signals/children.ts";
import { signalInfo } from "../signals/pending.ts";
import { letGo, post, stopFor, stopIfDue, stopWithGroup, tellTracer } from "../signals/post.ts";
import { forceSignal } from "../signals/send.ts";
import {
  CLD_TRAPPED,
  SI_KERNEL,
  SI_USER,
  SIGKILL,
  SIGSTOP,
  SIGTRAP,
  TRAP_TRACE,
} from "../signals/signal-numbers.ts";
import { hasSignals } from "../signals/task-signals.ts";
import type { Thread } from "../thread.ts";
import type { Restart, WaitFor } from "../wait-queue.ts";
import {
  eventStop,
  filterStop,
  isEmulated,
  isFilterStop,
  isInterruption,
  PTRACE_EVENT_EXEC,
  PTRACE_EVENT_STOP,
  PTRACE_O_EXITKILL,
  PTRACE_O_TRACEEXEC,
  PTRACE_O_TRACESECCOMP,
  PTRACE_O_TRACESYSGOOD,
  steps,
  Trace,
  trap,
} from "./tracee.ts";

/** Makes `tracer` the tracer of a thread that has none. */
export function attach(
  thread: Thread,
  tracer: Process,
  how: { seized: boolean; options: number },
): Trace<Process> {
  const trace = new Trace(tracer, how);
  thread.trace = trace;
  tracer.tracees.add(thread);
  return trace;
}

/** Ends the tracing of a thread, which stays as it is. */
function unlink(thread: Thread): void {
  thread.trace?.tracer.tracees.delete(thread);
  thread.trace = undefined;
}

/** Whether a thread, which was about to go on, has stopped: a call that a signal interrupts ends for its tracer first. */
export function stopsBefore(thread: Thread, trace: Trace<Process>): boolean {
  const { blocked, wait } = thread;
  const isInterrupted = trace.inCall && blocked !== null && wait !== undefined && hasSignals(thread);
  if (isInterrupted && !wait.killable) {
    thread.wait = interruptedNow(wait);
    leaveCall(thread, trace, wait.restart ?? "sys");
  }
  return stopIfDue(thread, trace);
}

/** A call that a handler would end has left what it leaves then, the rest of its time, before its tracer looks, and leaves it once. */
function interruptedNow(wait: WaitFor): WaitFor {
  if (wait.interrupted === undefined || (wait.restart !== "nohand" && wait.restart !== "block")) return wait;
  try {
    const done = wait.interrupted();
    return { ...wait, interrupted: () => done };
  } catch (error) {
    return {
      ...wait,
      interrupted() {
        throw error;
      },
    };
  }
}

const callStop = (
  thread: Thread,
  { options }: Trace<Process>,
  kind: "entry" | "exit",
): TraceStopSnapshot => ({
  ...trap(thread, SIGTRAP | (options & PTRACE_O_TRACESYSGOOD ? 0x80 : 0)),
  kind,
});

/** Whether a thread stops in front of its system call. */
export function entersCall(thread: Thread, trace: Trace<Process>): boolean {
  // A thawed one is only to say once more what it waits for.
  const isThawed = thread.blocked !== null && thread.wait === undefined;
  if ((trace.mode !== "syscall" && !isEmulated(trace)) || trace.inCall || isThawed) return false;
  trace.inCall = true;
  // Where the call is, to know it by.
  stopFor(thread, trace, { ...callStop(thread, trace, "entry"), message: thread.registers.nia });
  return true;
}

/** A filter of seccomp(2) leaves it to a thread's tracer what becomes of its call: whether that wants to be asked. */
export function asksTracer({ trace }: Thread): boolean {
  return trace !== undefined && (trace.options & PTRACE_O_TRACESECCOMP) !== 0;
}

/** Stops a thread in front of such a call, unless its tracer has let that pass. */
export function stopsForFilter(thread: Thread, data: number): boolean {
  const trace = thread.trace!;
  if (trace.passed) {
    trace.passed = false;
    return false;
  }
  trace.message = BigInt(data);
  stopFor(thread, trace, filterStop(thread));
  return true;
}

/** What a call that a signal interrupts seems to return: how it begins again (Linux: include/linux/errno.h). */
const RESTARTS = { sys: 512n, nointr: 513n, nohand: 514n, block: 516n, never: BigInt(EINTR) };

/** A call is over, or with `restart` begins again after a signal. */
function leaveCall(thread: Thread, trace: Trace<Process>, restart?: Restart): void {
  trace.inCall = false;
  const message = restart === undefined ? 0n : RESTARTS[restart];
  if (trace.mode === "syscall") trace.due.push({ ...callStop(thread, trace, "exit"), message });
}

/** A thread has made its system call, or waits in it. */
export function afterCall(thread: Thread, trace: Trace<Process>, completed: boolean): void {
  if (thread.state === "gone" || trace.stop !== null) return;
  if (completed) {
    leaveCall(thread, trace);
    if (steps(trace)) stepped(thread);
  }
  stopIfDue(thread, trace);
}

/** A thread has executed the one instruction for which it was let go. */
export function stepped(thread: Thread): void {
  forceSignal(thread.process, thread, signalInfo(SIGTRAP, TRAP_TRACE, { value: thread.registers.nia }));
}

// ---- what tracers ask for ------------------------------------------------------------------------------------

/** PTRACE_ATTACH has it stop; one that is stopped with its process says so at once. */
export function stopAttached(thread: Thread, trace: Trace<Process>): void {
  const { process } = thread;
  if (process.stoppedBy !== 0) stopWithGroup(thread, trace, process.stoppedBy);
  else post(process, signalInfo(SIGSTOP, SI_KERNEL), thread);
}

/** What a call that was not made is over with: a negative number in r3 is an error's (Linux: syscall_exit_prepare). */
function endEmulatedCall({ process, registers }: Thread, call: bigint): void {
  const { abi } = process;
  const result = BigInt.asIntN(abi.is64 ? 64 : 32, registers.gpr(3));
  const vectored = isVectoredAt(process, call);
  const failed = !vectored && result < 0n && result >= -4095n;
  returnFromCall(registers, abi, vectored, failed ? new SysError(-Number(result)) : result);
}

/**
 * How far a stopped thread is to go. From a stop in front of a call it goes on behind it, without the call, where that was
 * its tracer's to make, and where its tracer has moved NIP there.
 */
function setMode(thread: Thread, trace: Trace<Process>, mode: TraceSnapshot["mode"]): void {
  const { stop } = trace;
  const emulated = isEmulated(trace);
  trace.mode = mode;
  if (stop?.kind !== "entry") return;
  if (isFilterStop(stop)) {
    if ((thread.registers.u32[GPR / 4] | 0) >= 0) {
      trace.passed = trace.inCall = true;
      return;
    }
    thread.registers.setGpr(3, stop.message);
    endEmulatedCall(thread, thread.registers.nia);
    leaveCall(thread, trace);
    if (steps(trace)) stepped(thread);
    return;
  }
  if (emulated) {
    endEmulatedCall(thread, stop.message);
    leaveCall(thread, trace);
    if (steps(trace)) stepped(thread);
  } else if (stop.message !== thread.registers.nia) {
    trace.inCall = false;
    thread.registers.nia += 4n;
  }
}

/** PTRACE_LISTEN. False where it is in no stop in which that can be. */
export function listen(thread: Thread, trace: Trace<Process>): boolean {
  if (!trace.seized || !isInterruption(trace.stop!)) return false;
  trace.listening = true;
  if (trace.due.some(isInterruption)) stopIfDue(thread, trace);
  return true;
}

/** Lets a stopped thread go on, with a signal if `signo` says so. */
export function goOn(
  thread: Thread,
  trace: Trace<Process>,
  mode: TraceSnapshot["mode"],
  signo: number,
): void {
  const { stop } = trace;
  setMode(thread, trace, mode);
  if (mode !== "syscall") trace.inCall = false;
  if (signo !== 0) {
    const { pid, credentials } = trace.tracer;
    if (stop?.kind === "signal") {
      trace.inject =
        stop.info?.signo === signo ? stop.info : signalInfo(signo, SI_USER, { pid, uid: credentials.uid });
    } else if (stop?.kind === "entry" || stop?.kind === "exit") {
      // As the kernel's own (Linux: ptrace_report_syscall).
      post(thread.process, signalInfo(signo, SI_KERNEL), thread);
    }
  }
  letGo(thread, trace);
}

/** PTRACE_DETACH: lets a thread go for good; it stays stopped if its process is. */
export function detach(thread: Thread, trace: Trace<Process>, signo: number): void {
  const { process } = thread;
  if (signo !== 0) post(process, signalInfo(signo, SI_USER), thread);
  if (trace.inject !== null) post(process, trace.inject, thread);
  setMode(thread, trace, "run");
  trace.stop = null;
  unlink(thread);
  if (process.stoppedBy === 0) thread.start();
}

// ---- events --------------------------------------------------------------------------------------------------

/** Has a thread tell its tracer of an event, if that has asked for it. */
export function noteEvent(thread: Thread, option: number, kind: number, message: number): void {
  const { trace } = thread;
  if (trace !== undefined && trace.options & option) trace.due.push(eventStop(thread, kind, message));
}

/** A traced thread has made a child, which is traced as it is if its tracer has asked for that. */
export function noteChild(
  thread: Thread,
  child: Thread,
  kind: number,
  option: number,
  inherits: boolean,
): void {
  const { trace } = thread;
  if (trace === undefined) return;
  const isWanted = (trace.options & option) !== 0;
  if (isWanted) trace.due.push(eventStop(thread, kind, child.tid));
  if (!isWanted && !inherits) return;
  const { seized, options, tracer } = trace;
  const own = attach(child, tracer, { seized, options });
  if (seized) own.due.push(eventStop(child, PTRACE_EVENT_STOP, 0));
  else child.signals.pending.add(signalInfo(SIGSTOP, SI_USER));
}

/** A traced thread, which had the id `was`, has another program. */
export function noteExec(thread: Thread, was: number): void {
  const { trace, process } = thread;
  if (trace === undefined) return;
  if (trace.options & PTRACE_O_TRACEEXEC) trace.due.push(eventStop(thread, PTRACE_EVENT_EXEC, was));
  else if (!trace.seized) post(process, signalInfo(SIGTRAP, SI_USER), thread);
}

/** A traced thread has ended: its tracer can wait for that, and the parent of its process after it. */
export function endTraced(thread: Thread, status: number): void {
  const { trace, process, tid } = thread;
  if (trace === undefined) return;
  const { tracer } = trace;
  unlink(thread);
  const isLeader = tid === process.pid;
  // A first thread is waited for as its process, once that has ended; here what ends may be that thread alone.
  if (isLeader && (tracer === process.parent || process.exitStatus === null)) return;
  if (tracer.exitStatus !== null) return;
  tracer.traceEnds.push({ tid, status });
  if (isLeader) process.heldBy = tracer;
  tellTracer(tracer, thread, CLD_TRAPPED, status);
}

/** The tracer of a process that has ended has waited for it, or ended: now its parent may. */
export function releaseHeld(process: Process): void {
  process.heldBy = undefined;
  if (notifyEnd(process)) process.kernel.reap(process);
}

/** A tracer ends: its tracees go on without it, or end with it. */
export function endTracer(tracer: Process): void {
  for (const thread of tracer.tracees) {
    const trace = thread.trace!;
    if (trace.options & PTRACE_O_EXITKILL) post(thread.process, signalInfo(SIGKILL, SI_USER));
    detach(thread, trace, 0);
  }
  for (const { tid } of tracer.traceEnds.splice(0)) {
    const held = tracer.kernel.processes.get(tid);
    if (held?.heldBy === tracer) releaseHeld(held);
  }
}
