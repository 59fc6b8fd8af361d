/** Sending signals to processes and their threads, and stopping and continuing them, also for those who trace them. */
import type { TraceStopSnapshot } from "../../snapshot.ts";
import { type Process, RLIMIT_SIGPENDING } from "../process.ts";
import type { Thread } from "../thread.ts";
import { eventStop, isInterruption, PTRACE_EVENT_STOP, type Trace, trap } from "../tracing/tracee.ts";
import { type SignalInfo, signalInfo } from "./pending.ts";
import { type SendHost, type Sent, sendSignal } from "./send.ts";
import {
  CLD_CONTINUED,
  CLD_STOPPED,
  CLD_TRAPPED,
  SA_NOCLDSTOP,
  SI_TKILL,
  SI_USER,
  SIGCHLD,
  SIGCONT,
  SIGKILL,
} from "./signal-numbers.ts";

/** Realtime signals that may still be queued for a process. */
function room({ signals, threads, limits }: Process): number {
  let queued = signals.pending.size;
  for (const thread of threads) queued += thread.signals.pending.size;
  const limit = limits[RLIMIT_SIGPENDING]?.soft ?? 1024n;
  return Number(limit > 0xffffn ? 0xffffn : limit) - queued;
}

/** Lets a process that a stop signal has stopped run on. */
function resume(process: Process, signo: number): void {
  for (const thread of process.threads)
    if (thread.trace !== undefined) wakeTraced(thread, thread.trace, signo);
  if (process.stoppedBy === 0) return;
  process.stoppedBy = 0;
  for (const thread of process.threads) thread.start();
  process.report = { stopped: 0, continued: signo === SIGCONT };
  if (signo === SIGCONT) notifyStop(process);
}

/** Stops a process: no thread runs until SIGCONT or SIGKILL; calls in which threads wait begin again then. */
export function stop(process: Process, signo: number): void {
  for (const thread of process.threads) {
    if (thread.trace === undefined) thread.stop();
    else stopWithGroup(thread, thread.trace, signo);
  }
  process.stoppedBy = signo;
  process.report = { stopped: signo, continued: false };
  notifyStop(process);
}

const HOST: SendHost<Process, Thread> = {
  wake: (thread) => thread.wake(),
  resume,
  room,
};

/** Sends `info` (`ofTimer`: a POSIX timer's) to a process, or to one thread of it. "EAGAIN": too many realtime signals are queued. */
export const post = (process: Process, info: SignalInfo, thread?: Thread, ofTimer = false): Sent =>
  sendSignal(HOST, process, thread, info, ofTimer);

/** Sends the processes of a group a signal of the kernel's own, as far as they have not ended; whether there was one. */
export function postToGroup(
  processes: Iterable<Process>,
  group: number,
  signo: number,
  code: number,
): boolean {
  let heard = false;
  for (const process of processes) {
    if (process.pgid !== group || process.exitStatus !== null) continue;
    post(process, signalInfo(signo, code));
    heard = true;
  }
  return heard;
}

/** What kill(2) (or with `toThread` tgkill(2)) says about its caller. */
export const senderInfo = (signo: number, { process, credentials }: Thread, toThread = false): SignalInfo =>
  signalInfo(signo, toThread ? SI_TKILL : SI_USER, { pid: process.pid, uid: credentials.uid });

/** Tells the parent of a process something by a signal. */
export function tell(child: Process, signo: number, code: number, status: number): void {
  const { parent, pid, credentials } = child;
  if (parent === undefined) return;
  post(parent, signalInfo(signo, code, { pid, uid: credentials.uid, value: BigInt(status) }));
  parent.childQueue.wake();
}

/** Tells the parent that a process has stopped, or goes on. */
function notifyStop(process: Process): void {
  const { parent, stoppedBy } = process;
  if (parent === undefined) return;
  if ((parent.signals.action(SIGCHLD).flags & SA_NOCLDSTOP) === 0n) {
    tell(
      process,
      SIGCHLD,
      stoppedBy === 0 ? CLD_CONTINUED : CLD_STOPPED,
      stoppedBy === 0 ? SIGCONT : stoppedBy,
    );
  }
  parent.childQueue.wake();
}

// ---- the stops of those that are traced -----------------------------------------------------------------------

/** Stops a thread for its tracer. */
export function stopFor(thread: Thread, trace: Trace<Process>, stop: TraceStopSnapshot): void {
  thread.stop();
  trace.stop = stop;
  trace.told = false;
  trace.listening = false;
  if (stop.kind === "event") trace.message = stop.message;
  tellTracer(trace.tracer, thread, CLD_TRAPPED, stop.code & 0x7f);
}

/** Tells a tracer of its tracee by SIGCHLD. */
export function tellTracer(
  tracer: Process,
  { tid, credentials }: Thread,
  code: number,
  status: number,
): void {
  const { uid } = credentials;
  if ((tracer.signals.action(SIGCHLD).flags & SA_NOCLDSTOP) === 0n)
    post(tracer, signalInfo(SIGCHLD, code, { pid: tid, uid, value: BigInt(status) }));
  tracer.childQueue.wake();
}

/** Stops a thread for what it is to tell, if there is something. */
export function stopIfDue(thread: Thread, trace: Trace<Process>): boolean {
  const stop = trace.due.shift();
  if (stop === undefined) return false;
  stopFor(thread, trace, stop);
  return true;
}

/** Stops a traced thread in front of a signal that it has taken. */
export const stopForSignal = (thread: Thread, trace: Trace<Process>, info: SignalInfo): void =>
  stopFor(thread, trace, { kind: "signal", code: info.signo, info, message: 0n });

/** A stop signal stops a traced thread with its process. */
export function stopWithGroup(thread: Thread, trace: Trace<Process>, signo: number): void {
  if (trace.stop !== null) return;
  const code = trace.seized ? signo | (PTRACE_EVENT_STOP << 8) : signo;
  const { info } = trap(thread, code);
  stopFor(thread, trace, { kind: "group", code, info: trace.seized ? info : null, message: 0n });
}

/** What SIGCONT and SIGKILL do to a traced thread that is stopped. */
function wakeTraced(thread: Thread, trace: Trace<Process>, signo: number): void {
  if (signo === SIGKILL) {
    trace.inCall = false;
    letGo(thread, trace);
  } else if (trace.seized) interrupt(thread, trace);
}

/** Lets a tracee go on with its program. */
export function letGo(thread: Thread, trace: Trace): void {
  trace.stop = null;
  trace.listening = false;
  thread.start();
}

/** PTRACE_INTERRUPT, and SIGCONT: a seized thread stops as soon as it can, if it is to run or its tracer listens. */
export function interrupt(thread: Thread, trace: Trace<Process>): void {
  if (!trace.due.some(isInterruption)) trace.due.push(eventStop(thread, PTRACE_EVENT_STOP, trace.message));
  if (trace.listening) stopIfDue(thread, trace);
  else thread.wake();
}
