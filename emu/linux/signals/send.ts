/** Sending signals: what happens at the sender's end (Linux: kernel/signal.c, prepare_signal to complete_signal). */

import type { PendingSignals, SignalInfo } from "./pending.ts";
import {
  defaultAction,
  SIG_IGN,
  SIGCONT,
  SIGKILL,
  SIGRTMIN,
  STOP_SIGNALS,
  signalBit,
} from "./signal-numbers.ts";
import { disturbs, type SignalProcess, type SignalThread } from "./signal-state.ts";

/** What sending needs of the kernel. */
export interface SendHost<P, T> {
  /** Makes a waiting thread look at its signals. */
  wake(thread: T): void;
  /** SIGCONT or SIGKILL: lets a stopped process run on. */
  resume(process: P, signo: number): void;
  /** Realtime signals that may still be queued for the process (RLIMIT_SIGPENDING). */
  room(process: P): number;
}

/** How `deliver` shall treat the signal: EAGAIN when its queue is full. */
export type Sent = "sent" | "EAGAIN";

/**
 * Sends `info` to a thread, or with `thread` undefined to the process as a whole. `ofTimer`: it is the signal of a
 * POSIX timer.
 */
export function sendSignal<T extends SignalThread, P extends SignalProcess<T>>(
  host: SendHost<P, T>,
  process: P,
  thread: T | undefined,
  info: SignalInfo,
  ofTimer = false,
): Sent {
  const { signo } = info;
  // A stop signal takes pending SIGCONTs away and the other way round, also where it is then ignored.
  if (defaultAction(signo) === "stop") flush(process, signalBit(SIGCONT));
  if (signo === SIGCONT) flush(process, STOP_SIGNALS);
  if (signo === SIGCONT || signo === SIGKILL) host.resume(process, signo);

  const target = thread ?? firstOf(process.threads);
  if (target === undefined) return "sent";
  const awaited = target.signals.awaited !== 0n && (target.signals.awaited & signalBit(signo)) !== 0n;
  // A tracer sees also what is ignored.
  const isSeen = target.signals.blocks(signo) || awaited || target.trace !== undefined;
  if (process.signals.ignores(signo) && !isSeen) return "sent";

  const queue: PendingSignals = thread?.signals.pending ?? process.signals.pending;
  if (ofTimer) queue.addTimer(info);
  // Only realtime signals are counted.
  else if (!(signo < SIGRTMIN ? queue.add(info) : queue.add(info, host.room(process)))) return "EAGAIN";
  process.signals.arrive();
  if (thread !== undefined) {
    if (disturbs(process, thread)) host.wake(thread);
    return "sent";
  }
  for (const candidate of process.threads) {
    if (!disturbs(process, candidate)) continue;
    if (candidate.isDeaf && signo !== SIGKILL && someHears(process)) continue;
    host.wake(candidate);
    // Everyone dies of SIGKILL; of others one thread takes it.
    if (signo !== SIGKILL) break;
  }
  return "sent";
}

/** Whether a thread has reason to look at the signals of its process now. */
function someHears(process: SignalProcess): boolean {
  for (const thread of process.threads) if (!thread.isDeaf && disturbs(process, thread)) return true;
  return false;
}

function firstOf<T>(items: Iterable<T>): T | undefined {
  for (const item of items) return item;
  return undefined;
}

function flush(process: SignalProcess, mask: bigint): void {
  process.signals.pending.flush(mask);
  for (const { signals } of process.threads) signals.pending.flush(mask);
  process.noteDrop();
}

/**
 * Sends a signal that the thread's own instruction has caused: where it is blocked or ignored it takes its default
 * action instead (Linux: force_sig_info). `fatal` gives it the default action in any case.
 */
export function forceSignal(
  process: SignalProcess,
  { signals }: SignalThread,
  info: SignalInfo,
  fatal = false,
): void {
  const { handler } = process.signals.action(info.signo);
  const blocked = signals.blocks(info.signo);
  if (fatal || blocked || handler === SIG_IGN) {
    process.signals.resetAction(info.signo);
    signals.mask &= ~signalBit(info.signo);
  }
  // The fault happens again when its signal has been handled: what was pending of that number tells nothing new.
  signals.pending.flush(signalBit(info.signo));
  process.noteDrop();
  signals.pending.add(info);
}

/** sigaction(2): sets an action, and forgets pending signals that it ignores. */
export function changeAction(
  process: SignalProcess,
  signo: number,
  action: Parameters<SignalProcess["signals"]["setAction"]>[1],
): void {
  process.signals.setAction(signo, action);
  if (process.signals.ignores(signo)) flush(process, signalBit(signo));
}
