/** What a process and a thread keep about signals, and its plain-data form in a snapshot. */
import type { SignalActionSnapshot, SignalInfoSnapshot } from "../../snapshot.ts";
import { WaitQueue } from "../wait-queue.ts";
import { type AltStack, noAltStack } from "./altstack.ts";
import type { Interrupt } from "./faults.ts";
import { PendingSignals, type SignalInfo } from "./pending.ts";
import {
  BLOCKABLE,
  defaultAction,
  SA_KNOWN,
  SIG_DFL,
  SIG_IGN,
  SIGKILL,
  SIGRTMAX,
  signalBit,
} from "./signal-numbers.ts";

export type SignalAction = SignalActionSnapshot;

const noAction = (): SignalAction => ({ handler: SIG_DFL, flags: 0n, restorer: 0n, mask: 0n });

/** What signals do: a table that processes can share (Linux: sighand_struct). */
class SignalActions {
  private readonly table: SignalAction[] = Array.from({ length: SIGRTMAX }, noAction);

  get(signo: number): SignalAction {
    return this.table[signo - 1];
  }

  /** Sets an action as sigaction(2) does: unknown flags vanish, SIGKILL and SIGSTOP leave the mask. */
  set(signo: number, action: SignalAction): void {
    this.table[signo - 1] = {
      handler: action.handler,
      flags: action.flags & SA_KNOWN,
      restorer: action.restorer,
      mask: action.mask & BLOCKABLE,
    };
  }

  get list(): readonly SignalAction[] {
    return this.table;
  }

  copy(): SignalActions {
    const twin = new SignalActions();
    this.table.forEach((action, i) => {
      twin.table[i] = { ...action };
    });
    return twin;
  }
}

/** Signal state of a process (Linux: signal_struct). */
export class ProcessSignals {
  actions: SignalActions;
  readonly pending = new PendingSignals();
  /** Wakes those who read signals (signalfd), and counts what has come for them. */
  readonly arrivals = new WaitQueue();
  arrived = 0;

  constructor(actions = new SignalActions()) {
    this.actions = actions;
  }

  action(signo: number): SignalAction {
    return this.actions.get(signo);
  }

  setAction(signo: number, action: SignalAction): void {
    this.actions.set(signo, action);
  }

  /** A signal has come that somebody may read. */
  arrive(): void {
    this.arrived++;
    this.arrivals.wake();
  }

  resetAction(signo: number): void {
    this.actions.get(signo).handler = SIG_DFL;
  }

  /** Whether the signal, if it came now and were not blocked, would be thrown away. */
  ignores(signo: number): boolean {
    const { handler } = this.action(signo);
    return handler === SIG_IGN || (handler === SIG_DFL && defaultAction(signo) === "ignore");
  }

  /** execve(2): caught signals get their default action, ignored ones stay ignored, in a table of its own. */
  exec(): void {
    this.actions = this.actions.copy();
    for (const action of this.actions.list) {
      if (action.handler !== SIG_IGN) action.handler = SIG_DFL;
      action.flags = action.restorer = action.mask = 0n;
    }
  }

  /** CLONE_CLEAR_SIGHAND: caught signals get their default action. */
  clear(): void {
    for (const action of this.actions.list) if (action.handler !== SIG_IGN) Object.assign(action, noAction());
  }

  /** State of a child: the same actions, or a copy of them, and nothing pending. */
  fork(share: boolean): ProcessSignals {
    return new ProcessSignals(share ? this.actions : this.actions.copy());
  }

  freeze(): { signalActions: SignalActionSnapshot[]; pendingSignals: SignalInfoSnapshot[] } {
    return {
      signalActions: this.actions.list.map((action) => ({ ...action })),
      pendingSignals: this.pending.entries.map((info) => ({ ...info })),
    };
  }

  /** Takes a snapshot's state over. An image may list fewer signals; those it does not name are SIG_DFL. */
  thaw(actions: readonly SignalActionSnapshot[], pending: readonly SignalInfoSnapshot[]): void {
    actions.slice(0, SIGRTMAX).forEach((action, i) => {
      this.setAction(i + 1, action);
    });
    this.pending.restore(pending);
  }
}

/** Signal state of a thread. */
export class ThreadSignals {
  /** Blocked signals: bit n - 1 is signal n. */
  mask = 0n;
  /** The mask to go back to when a call that changed it for its own time (sigsuspend, ppoll) is over. */
  savedMask: bigint | null = null;
  /** Signals a sigtimedwait in progress is waiting for: it takes them, whatever their action. */
  awaited = 0n;
  readonly pending = new PendingSignals();
  altStack: AltStack = noAltStack();
  /** The fault being turned into a signal, for its frame. */
  interrupt: Interrupt | undefined;

  /** Blocks exactly `mask`, but for what cannot be blocked. */
  setMask(mask: bigint): void {
    this.mask = mask & BLOCKABLE;
  }

  /** Changes the mask for the time of one call; `endSuspend` or the frame of a handler restores it. */
  suspend(mask: bigint): void {
    this.savedMask ??= this.mask;
    this.setMask(mask);
  }

  endSuspend(): void {
    if (this.savedMask === null) return;
    this.mask = this.savedMask;
    this.savedMask = null;
  }

  /** Whether `signo` would stay pending if it were sent now. */
  blocks(signo: number): boolean {
    return (this.mask & signalBit(signo)) !== 0n;
  }

  /** execve(2): the mask and pending signals stay, the alternate stack goes. */
  exec(): void {
    this.altStack = noAltStack();
    this.savedMask = null;
    this.awaited = 0n;
    this.interrupt = undefined;
  }

  /** State of a new thread or process: the mask, and the alternate stack unless it shares memory (clone(2)). */
  fork(keepAltStack: boolean): ThreadSignals {
    const child = new ThreadSignals();
    child.mask = this.mask;
    if (keepAltStack) child.altStack = { ...this.altStack };
    return child;
  }
}

/** A thread as signals see it. */
export interface SignalThread {
  readonly tid: number;
  readonly signals: ThreadSignals;
  /** Undefined where nobody traces it. */
  readonly trace?: object | undefined;
  /** It takes no signals of its process now: it is stopped, or waits for what none ends that the process survives. */
  readonly isDeaf?: boolean;
}

/** A process as signals see it. */
export interface SignalProcess<T extends SignalThread = SignalThread> {
  readonly pid: number;
  readonly signals: ProcessSignals;
  readonly threads: Iterable<T>;
  /** Told that pending signals have been dropped without being taken: timers may have waited for that. */
  noteDrop(): void;
}

/** Signals that are to be acted upon by `thread` now. Asked twice at every system call: hardly ever there is one. */
export function deliverable(process: SignalProcess, thread: SignalThread): bigint {
  const { signals } = thread;
  const shared = process.signals.pending;
  if (shared.size + signals.pending.size === 0) return 0n;
  const pending = shared.size === 0 ? signals.pending.mask : signals.pending.mask | leftTo(process, thread);
  const held = signals.awaited === 0n ? signals.mask : signals.mask | signals.awaited;
  return held === 0n ? pending : pending & ~held;
}

const KILL = signalBit(SIGKILL);

/**
 * Signals of a process that are left to `thread`: what a thread before it takes it leaves alone, also where that one has not come to run yet
 * (Linux: complete_signal, by which the first thread is told of it before others).
 */
function leftTo(process: SignalProcess, thread: SignalThread): bigint {
  let left = process.signals.pending.mask;
  for (const other of process.threads) {
    if (other === thread || left === 0n) break;
    const { mask, awaited } = other.signals;
    if (!other.isDeaf) left &= (mask & ~awaited) | KILL;
  }
  return left;
}

/** What is pending for a thread or its process. Without a BigInt made where that goes: each costs V8 a call. */
function pendingFor(process: SignalProcess, { pending }: ThreadSignals): bigint {
  const shared = process.signals.pending;
  if (shared.size === 0) return pending.mask;
  return pending.size === 0 ? shared.mask : pending.mask | shared.mask;
}

/** Whether `thread` has reason to leave a call in which it waits. */
export function disturbs(process: SignalProcess, { signals }: SignalThread): boolean {
  const pending = pendingFor(process, signals);
  const { mask, awaited } = signals;
  if (mask === 0n || (pending & ~mask) !== 0n) return pending !== 0n;
  return awaited !== 0n && (pending & awaited) !== 0n;
}

/** Whether a signal that `thread` is to act upon ends the process. */
export function isFatalPending(process: SignalProcess, thread: SignalThread): boolean {
  const set = deliverable(process, thread);
  for (let signo = 1; set >> BigInt(signo - 1) !== 0n; signo++) {
    if ((set & signalBit(signo)) === 0n || process.signals.action(signo).handler !== SIG_DFL) continue;
    const kind = defaultAction(signo);
    if (kind === "terminate" || kind === "core") return true;
  }
  return false;
}

/** Takes the next signal of those in `wanted`: the thread's own first, then the process's. */
export function takeSignal(
  process: SignalProcess,
  thread: SignalThread,
  wanted: bigint,
): SignalInfo | undefined {
  const own = thread.signals.pending.next(wanted);
  if (own !== 0) return thread.signals.pending.take(own);
  const shared = process.signals.pending.next(wanted);
  return shared === 0 ? undefined : process.signals.pending.take(shared);
}
