/** Signals as the kernel's run loop and system calls use them: the rest of this folder bound to processes and threads. */
import { GuestFault } from "../../cpu/fault.ts";
import type { CpuModel } from "../../cpu/cpu.ts";
import { isRadix } from "../../cpu/models.ts";
import type { Registers } from "../../cpu/registers.ts";
import type { AddressSpace } from "../../memory/address-space.ts";
import type { AbiInfo } from "../abi.ts";
import { isVectored } from "../call-return.ts";
import { CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_REALTIME } from "../clock.ts";
import { EFAULT, EINTR, SysError } from "../errno.ts";
import { type Process, RLIMIT_CORE } from "../process.ts";
import type { Thread } from "../thread.ts";
import { tellsOfEnd } from "../tracing/tracee.ts";
import { setDabr } from "../tracing/trace-registers.ts";
import type { Restart, WaitFor } from "../wait-queue.ts";
import { isOrphanedGroup } from "./children.ts";
import { type Delivery, deliverSignals, type ReturnedCall } from "./deliver.ts";
import { translateFault } from "./faults.ts";
import type { TaskModel } from "./mcontext.ts";
import { type SignalInfo, signalInfo } from "./pending.ts";
import { post, stop, stopForSignal, stopIfDue } from "./post.ts";
import { ProcessTimers, type ReadClock } from "./process-timers.ts";
import { forceSignal } from "./send.ts";
import { SI_KERNEL, SIGKILL } from "./signal-numbers.ts";
import { deliverable, isFatalPending, takeSignal } from "./signal-state.ts";

/** The model that was wanted last, and whose it is. */
let recent: { abi: AbiInfo; cpuModel: CpuModel; model: TaskModel } | undefined;

/** Layouts of a process's signal frames. */
export function taskModel({ abi, cpuModel, elfv2 }: Process): TaskModel {
  if (recent?.abi === abi && recent.cpuModel === cpuModel && recent.model.elfv2 === elfv2)
    return recent.model;
  const model = {
    is64: abi.is64,
    littleEndian: abi.littleEndian,
    elfv2,
    altivec: cpuModel.facilities.has("altivec"),
    vsx: cpuModel.facilities.has("vsx"),
  };
  recent = { abi, cpuModel, model };
  return model;
}

/** Turns a fault of the thread's own instruction into a signal that is taken before it goes on. */
export function raise(thread: Thread, fault: GuestFault): void {
  const { info, interrupt } = translateFault(fault, thread.registers, isRadix(thread.process.cpuModel));
  thread.signals.interrupt = interrupt;
  // One that a tracer has set is for one time (Linux: ptrace_triggered).
  if (fault.kind === "breakpoint" && thread.trace !== undefined) setDabr(thread, 0n);
  forceSignal(thread.process, thread, info);
}

/**
 * A system call's access to memory has met the data address breakpoint: the call goes on, and SIGTRAP follows it (Linux:
 * arch/powerpc/kernel/process.c, do_break, which has no fault to undo there).
 */
export function trapLater(thread: Thread, fault: GuestFault): void {
  const { process, registers } = thread;
  forceSignal(process, thread, translateFault(fault, registers, isRadix(process.cpuModel)).info);
}

/** Whether a thread has a signal that keeps it from waiting for `wait`, or from going on with its program. */
export function isDisturbed(thread: Thread, wait: WaitFor | undefined): boolean {
  const { process, trace } = thread;
  if (wait?.killable) return isFatalPending(process, thread);
  return deliverable(process, thread) !== 0n || (trace !== undefined && trace.inject !== null);
}

/** Whether `deliver` would find something to do now. */
export function hasSignals(thread: Thread): boolean {
  if (thread.looksFirst) return false;
  return isDisturbed(thread, thread.wait) || (thread.signals.savedMask !== null && !thread.wait?.killable);
}

/** Takes one of the signals in `wanted` without acting on it (sigtimedwait). */
export function takeWanted(thread: Thread, wanted: bigint): SignalInfo | undefined {
  const info = takeSignal(thread.process, thread, wanted);
  if (info !== undefined) timersOf(thread.process).signalTaken(info);
  return info;
}

/** What `deliver` needs to know of system calls. */
export interface CallState {
  /** The thread has just completed a call. */
  returned: ReturnedCall | undefined;
  /** Completes the call the thread waits in with an error, as if its handler had thrown it. */
  fail(thread: Thread, errno: number): void;
  /** Completes it with a result. */
  complete(thread: Thread, result: number): void;
}

/** What delivery needs of a thread, from the thread. */
class TaskDelivery implements Delivery {
  readonly thread: Thread;
  readonly process: Process;
  readonly model: TaskModel;
  readonly registers: Registers;
  readonly memory: AddressSpace;
  readonly waiting: Restart | undefined;
  readonly returned: ReturnedCall | undefined;
  private readonly call: CallState;

  constructor(thread: Thread, call: CallState) {
    const { process } = thread;
    this.thread = thread;
    this.process = process;
    this.model = taskModel(process);
    this.registers = thread.registers;
    this.memory = process.memory;
    this.waiting = thread.blocked === null ? undefined : (thread.wait?.restart ?? "sys");
    this.returned = call.returned;
    this.call = call;
  }

  isVectored(): boolean {
    return isVectored(this.thread);
  }
  restart(): void {
    this.thread.endWait();
  }
  interrupt(): void {
    const { thread, call } = this;
    const end = interruptedEnd(thread);
    if ("result" in end) call.complete(thread, end.result);
    else call.fail(thread, end.errno);
    thread.endWait();
  }
  isOrphaned(): boolean {
    return isOrphanedGroup(this.process);
  }
  get traced(): boolean {
    return this.thread.trace !== undefined;
  }
  injected(): SignalInfo | undefined {
    const { thread } = this;
    const info = thread.trace?.inject ?? undefined;
    if (info === undefined) return undefined;
    thread.trace!.inject = null;
    if (!thread.signals.blocks(info.signo)) return info;
    thread.signals.pending.add(info);
    return undefined;
  }
  taken(info: SignalInfo): void {
    timersOf(this.process).signalTaken(info);
  }
}

/**
 * Acts on the signals of a thread that is about to run: enters handlers, ends calls it waits in, ends or stops the
 * process (the thread's state tells). To be called after system calls, faults, timers and wakes; a thread that is
 * waiting in a call has been woken before.
 */
export function deliver(thread: Thread, call: CallState): void {
  const { process } = thread;
  const outcome = deliverSignals(new TaskDelivery(thread, call));
  if (outcome.kind === "trace") stopForSignal(thread, thread.trace!, outcome.info);
  if (outcome.kind === "stop") {
    for (const each of process.threads) if (endsByStop(each)) new TaskDelivery(each, call).interrupt();
    stop(process, outcome.signo);
  }
  if (outcome.kind === "terminate") {
    // What becomes of the first process's core is up to who runs the machine.
    const dumps = outcome.core && (process.limits[RLIMIT_CORE].soft > 0n || process.parent === undefined);
    const status = dumps ? outcome.signo | 0x80 : outcome.signo;
    if (outcome.signo !== SIGKILL && tellsOfEnd(thread, status)) {
      thread.trace!.inject = signalInfo(outcome.signo, SI_KERNEL);
      stopIfDue(thread, thread.trace!);
    } else process.kernel.endProcess(process, status);
  }
}

/** Whether a thread is in a call that a signal ends for good: a stop does so as well, of all threads, and no handler runs (signal(7)). */
const endsByStop = ({ blocked, wait }: Thread): boolean =>
  blocked !== null && wait?.restart === "never" && wait.killable !== true;

/** EINTR, or EFAULT where the interrupted call cannot tell the program what it has to, another error of its own, or what it has done so far. */
function interruptedEnd(thread: Thread): { errno: number } | { result: number } {
  try {
    const result = thread.wait?.interrupted?.();
    return typeof result === "number" ? { result } : { errno: EINTR };
  } catch (error) {
    if (error instanceof GuestFault) return { errno: EFAULT };
    if (error instanceof SysError) return { errno: error.errno };
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
    kernel.settleTime();
    if (clock === CLOCK_PROCESS_CPUTIME_ID) return process.cpuTime;
    return kernel.thread(tid)?.cpuTime ?? 0n;
  };

/** Makes the timers of a new or thawed process (`Areas.timers`). */
export const makeTimers = (process: Process): ProcessTimers =>
  new ProcessTimers(
    process,
    processClocks(process),
    (info, tid) => {
      const thread = tid === 0 ? undefined : process.kernel.thread(tid);
      if (tid !== 0 && thread === undefined) return;
      post(process, info, thread, info.code < 0);
    },
    () => process.kernel.noteTimer(process),
  );

/** The timers of a process with what system calls need of them. */
export function timersOf({ timers }: Process): ProcessTimers {
  if (!(timers instanceof ProcessTimers)) throw new TypeError("a process has timers of another kind");
  return timers;
}
