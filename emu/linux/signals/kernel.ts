/** Signals as the kernel's run loop and system calls use them: the rest of this folder bound to processes and threads. */
import { GuestFault } from "../../cpu/fault.ts";
import { EFAULT, EINTR } from "../errno.ts";
import { type Process, RLIMIT_SIGPENDING } from "../process.ts";
import type { Thread } from "../thread.ts";
import { deliverSignals, type Restart } from "./deliver.ts";
import { translateFault } from "./faults.ts";
import type { TaskModel } from "./mcontext.ts";
import { SI_TKILL, SI_USER } from "./numbers.ts";
import { type SignalInfo, signalInfo } from "./pending.ts";
import { forceSignal, type SendHost, type Sent, sendSignal } from "./send.ts";
import { deliverable, takeSignal } from "./state.ts";
import {
  CLOCK_MONOTONIC,
  CLOCK_PROCESS_CPUTIME_ID,
  CLOCK_REALTIME,
  ProcessTimers,
  type ReadClock,
} from "./timers.ts";

/** Layouts of a process's signal frames. */
export function taskModel({ kernel, elfv2 }: Process): TaskModel {
  const { abi, cpuModel } = kernel;
  return {
    is64: abi.is64,
    littleEndian: abi.littleEndian,
    elfv2,
    altivec: cpuModel.facilities.has("altivec"),
    vsx: cpuModel.facilities.has("vsx"),
  };
}

/** Realtime signals that may still be queued for a process. */
function room({ signals, threads, limits }: Process): number {
  let queued = signals.pending.size;
  for (const thread of threads) queued += thread.signals.pending.size;
  const limit = limits[RLIMIT_SIGPENDING]?.soft ?? 1024n;
  return Number(limit > 0xffffn ? 0xffffn : limit) - queued;
}

/** Lets a process that a stop signal has stopped run on. */
export function resume(process: Process): void {
  for (const thread of process.threads) {
    if (thread.state !== "stopped") continue;
    thread.state = "runnable";
    process.kernel.noteWake();
  }
}

/** Stops a process: no thread runs until SIGCONT or SIGKILL; calls in which threads wait begin again then. */
export function stop(process: Process): void {
  for (const thread of process.threads) {
    thread.wake();
    if (thread.state === "runnable") thread.state = "stopped";
  }
}

const HOST: SendHost<Process, Thread> = {
  wake: (thread) => thread.wake(),
  resume,
  room,
};

/** Sends `info` to a process, or to one thread of it. "EAGAIN": too many realtime signals are queued. */
export const post = (process: Process, info: SignalInfo, thread?: Thread): Sent =>
  sendSignal(HOST, process, thread, info);

/** What kill(2) (or with `toThread` tgkill(2)) says about its caller. */
export const senderInfo = (signo: number, { pid, credentials }: Process, toThread = false): SignalInfo =>
  signalInfo(signo, toThread ? SI_TKILL : SI_USER, { pid, uid: credentials.uid });

/** Turns a fault of the thread's own instruction into a signal that is taken before it goes on. */
export function raise(thread: Thread, fault: GuestFault): void {
  const { info, interrupt } = translateFault(fault, thread.registers);
  thread.signals.interrupt = interrupt;
  forceSignal(thread.process, thread, info);
}

/**
 * Whether `deliver` would find something to do. After a thaw a call that was in progress is made again first, since
 * only it knows how a signal ends it.
 */
export function hasSignals(thread: Thread): boolean {
  if (thread.blocked !== null && thread.wait === undefined) return false;
  return deliverable(thread.process, thread) !== 0n || thread.signals.savedMask !== null;
}

/** Takes one of the signals in `wanted` without acting on it (sigtimedwait). */
export function takeWanted(thread: Thread, wanted: bigint): SignalInfo | undefined {
  const info = takeSignal(thread.process, thread, wanted);
  if (info !== undefined) timersOf(thread.process).signalTaken(info);
  return info;
}

/** What `deliver` needs to know of system calls. */
export interface CallState {
  /** The thread has just completed a call: its r3 before it. */
  origGpr3?: bigint;
  /** Completes the call the thread waits in with an error, as if its handler had thrown it. */
  fail(thread: Thread, errno: number): void;
  /** Completes it with a result. */
  complete(thread: Thread, result: number): void;
}

/**
 * Acts on the signals of a thread that is about to run: enters handlers, ends calls it waits in, ends or stops the
 * process (the thread's state tells). To be called after system calls, faults, timers and wakes; a thread that is
 * waiting in a call has been woken before.
 */
export function deliver(thread: Thread, call: CallState): void {
  const { process, registers } = thread;
  const { memory } = process;
  const waiting: Restart | "never" | undefined =
    thread.blocked === null ? undefined : (thread.wait?.restart ?? "sys");
  const endCall = (): void => {
    thread.blocked = null;
    thread.wait = undefined;
  };
  const outcome = deliverSignals({
    process,
    thread,
    model: taskModel(process),
    registers,
    memory,
    waiting,
    returned: call.origGpr3 === undefined ? undefined : { origGpr3: call.origGpr3 },
    restart: endCall,
    interrupt() {
      const end = interruptedEnd(thread);
      if ("result" in end) call.complete(thread, end.result);
      else call.fail(thread, end.errno);
      endCall();
    },
    taken: (info) => timersOf(process).signalTaken(info),
  });
  if (outcome.kind === "stop") stop(process);
  if (outcome.kind === "terminate") {
    process.kernel.endProcess(process, outcome.core ? outcome.signo | 0x80 : outcome.signo);
  }
}

/** EINTR, or EFAULT where the interrupted call cannot tell the program what it has to, or what it has done so far. */
function interruptedEnd(thread: Thread): { errno: number } | { result: number } {
  try {
    const result = thread.wait?.interrupted?.();
    return typeof result === "number" ? { result } : { errno: EINTR };
  } catch (error) {
    if (error instanceof GuestFault) return { errno: EFAULT };
    throw error;
  }
}

/** The clocks of a process, for its timers. */
export const processClocks =
  (process: Process): ReadClock =>
  (clock, tid) => {
    const { kernel } = process;
    if (clock === CLOCK_REALTIME) return kernel.clock.realtime();
    if (clock === CLOCK_MONOTONIC) return kernel.clock.monotonic();
    if (clock === CLOCK_PROCESS_CPUTIME_ID) return process.cpuTime;
    return kernel.thread(tid)?.cpuTime ?? 0n;
  };

/** Makes the timers of a new or thawed process (`Areas.timers`). */
export const makeTimers = (process: Process): ProcessTimers =>
  new ProcessTimers(process, processClocks(process), (info, tid) => {
    const thread = tid === 0 ? undefined : process.kernel.thread(tid);
    if (tid !== 0 && thread === undefined) return;
    sendSignal(HOST, process, thread, info, info.code < 0);
  });

/** The timers of a process with what system calls need of them. */
export const timersOf = (process: Process): ProcessTimers => process.timers as ProcessTimers;
