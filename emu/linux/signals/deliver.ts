/**
 * Taking signals: what a thread does with what is pending before it goes on with its program (Linux: get_signal,
 * do_signal, check_syscall_restart).
 */
import { CR, type Registers } from "../../cpu/registers.ts";
import type { AddressSpace } from "../../memory/address-space.ts";
import { EINTR } from "../errno.ts";
import type { Restart } from "../wait-queue.ts";
import { noAltStack, SS_AUTODISARM, SS_DISABLE } from "./altstack.ts";
import { SYSTEM_CALL, TICK, VECTORED_CALL } from "./faults.ts";
import { pushFrame } from "./frames.ts";
import type { KernelEntry, TaskModel } from "./mcontext.ts";
import { type SignalInfo, signalInfo } from "./pending.ts";
import { forceSignal } from "./send.ts";
import {
  defaultAction,
  SA_NODEFER,
  SA_RESETHAND,
  SA_RESTART,
  SI_KERNEL,
  SIG_DFL,
  SIG_IGN,
  SIGKILL,
  SIGSEGV,
  SIGSTOP,
  signalBit,
} from "./signal-numbers.ts";
import {
  deliverable,
  type SignalAction,
  type SignalProcess,
  type SignalThread,
  takeSignal,
} from "./signal-state.ts";

/** How a delivery ends. */
export type Outcome =
  /** The thread goes on: with its program, a handler, or the call it waits in. */
  | { kind: "go on" }
  /** The process ends by `signo`. */
  | { kind: "terminate"; signo: number; core: boolean }
  /** The process stops until SIGCONT. */
  | { kind: "stop"; signo: number }
  /** The thread stops for its tracer, which says what becomes of the signal. */
  | { kind: "trace"; info: SignalInfo };

/** A system call that a thread has just completed: r3 as it was before, and whether it was made by `scv`. */
export interface ReturnedCall {
  readonly origGpr3: bigint;
  readonly vectored: boolean;
}

/** What delivery needs of a thread. */
export interface Delivery {
  readonly process: SignalProcess;
  readonly thread: SignalThread;
  readonly model: TaskModel;
  readonly registers: Registers;
  readonly memory: AddressSpace;
  /** The system call the thread waits in, NIA at its `sc`; undefined when it is between instructions. */
  readonly waiting: Restart | undefined;
  /** The thread has just come out of a system call, with its result in r3. */
  readonly returned: ReturnedCall | undefined;
  /** Whether the call that the thread waits in is made by `scv`. */
  isVectored(): boolean;
  /** The call the thread waits in ends with EINTR: sets the registers, moves NIA on. */
  interrupt(): void;
  /** The call the thread waits in starts again from its `sc` when the handler returns. */
  restart(): void;
  /** Whether nobody could let the process go on after a stop signal of the terminal's, which then does nothing. */
  isOrphaned(): boolean;
  /** The thread has a tracer, which sees its signals first. */
  readonly traced: boolean;
  /** The signal that its tracer has the thread go on with, once; one that is blocked is pending instead. */
  injected(): SignalInfo | undefined;
  /** Called with every signal that is taken from its queue (timers go on then). */
  taken(info: SignalInfo): void;
}

const GO_ON: Outcome = { kind: "go on" };

/**
 * Acts on the pending signals of a thread until there are none, or one ends or stops the process. Of several that
 * have handlers the first gets the lowest frame on the stack, so that the last runs first.
 */
export function deliverSignals(delivery: Delivery): Outcome {
  const { process, thread } = delivery;
  let entry: KernelEntry | undefined;
  for (;;) {
    let info = delivery.traced ? delivery.injected() : undefined;
    if (info === undefined) {
      info = takeSignal(process, thread, deliverable(process, thread));
      if (info === undefined) break;
      delivery.taken(info);
      if (delivery.traced && info.signo !== SIGKILL) return { kind: "trace", info };
    }
    const { signo } = info;
    const { handler, flags, restorer, mask } = process.signals.action(signo);
    const action = { handler, flags, restorer, mask };
    if (action.handler === SIG_IGN) continue;
    if (action.handler === SIG_DFL) {
      const kind = defaultAction(signo);
      if (kind === "ignore") continue;
      if (kind === "stop") {
        if (signo !== SIGSTOP && delivery.isOrphaned()) continue;
        return { kind: "stop", signo };
      }
      return { kind: "terminate", signo, core: kind === "core" };
    }
    entry ??= leaveCall(delivery, action);
    enterHandler(delivery, action, info, entry);
  }
  // A call that goes on waiting keeps the mask it has set for its time.
  if (delivery.waiting === undefined || entry !== undefined) thread.signals.endSuspend();
  return GO_ON;
}

/** Ends or restarts the call that the thread waits in, for a handler; what pt_regs then holds. */
function leaveCall(delivery: Delivery, action: SignalAction): KernelEntry {
  const { thread, waiting } = delivery;
  const entry = kernelEntry(delivery);
  thread.signals.interrupt = undefined;
  if (waiting === undefined) return entry;
  thread.signals.awaited = 0n;
  if (waiting === "nointr" || (waiting === "sys" && (action.flags & SA_RESTART) !== 0n)) {
    delivery.restart();
    return entry;
  }
  delivery.interrupt();
  return { ...entry, result: BigInt(-EINTR) };
}

/** Enters a handler. Where its frame cannot be built SIGSEGV is pending afterwards. */
function enterHandler(delivery: Delivery, action: SignalAction, info: SignalInfo, entry: KernelEntry): void {
  const { process, thread, model, registers, memory } = delivery;
  const { signals } = thread;
  if (action.flags & SA_RESETHAND) process.signals.resetAction(info.signo);
  const mask = signals.savedMask ?? signals.mask;
  if (!pushFrame({ model, registers, memory, altStack: signals.altStack }, action, info, mask, entry)) {
    forceSignal(process, thread, signalInfo(SIGSEGV, SI_KERNEL), info.signo === SIGSEGV);
    return;
  }
  signals.savedMask = null;
  let blocked = action.flags & SA_NODEFER ? action.mask : action.mask | signalBit(info.signo);
  if (signals.mask !== 0n) blocked |= signals.mask;
  signals.setMask(blocked);
  if (signals.altStack.flags & SS_AUTODISARM) signals.altStack = { ...noAltStack(), flags: SS_DISABLE };
}

function kernelEntry(delivery: Delivery): KernelEntry {
  const { thread, registers, waiting, returned } = delivery;
  const r3 = registers.gpr(3);
  const fault = thread.signals.interrupt;
  if (fault !== undefined) return { interrupt: fault, origGpr3: r3, result: 0n };
  if (returned !== undefined) {
    const { origGpr3, vectored } = returned;
    const failed = !vectored && (registers.bytes[CR] & 1) !== 0;
    return { interrupt: vectored ? VECTORED_CALL : SYSTEM_CALL, origGpr3, result: failed ? -r3 : r3 };
  }
  if (waiting === undefined) return { interrupt: TICK, origGpr3: r3, result: 0n };
  return { interrupt: delivery.isVectored() ? VECTORED_CALL : SYSTEM_CALL, origGpr3: r3, result: 0n };
}
