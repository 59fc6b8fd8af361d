/** Signals sent and not yet taken: one queue for the process, one for each thread. */
import type { SignalInfoSnapshot } from "../../snapshot.ts";
import { SI_TIMER, SI_USER, SIGRTMIN, SYNCHRONOUS, signalBit } from "./numbers.ts";

/** struct siginfo, decoded; `siginfo.ts` knows its bytes. */
export type SignalInfo = SignalInfoSnapshot;

/** A SignalInfo with the fields that are given and zeros elsewhere. */
export const signalInfo = (signo: number, code: number, rest: Partial<SignalInfo> = {}): SignalInfo => ({
  errno: 0,
  pid: 0,
  uid: 0,
  value: 0n,
  timer: 0,
  overrun: 0,
  ...rest,
  signo,
  code,
});

export class PendingSignals {
  /** The set of pending signals: bit n - 1 is signal n. */
  mask = 0n;
  private queue: SignalInfo[] = [];

  /** Everything pending, in order of arrival. */
  get entries(): readonly SignalInfo[] {
    return this.queue;
  }

  /**
   * Adds a signal. Signals below SIGRTMIN coalesce with one that is pending already; the others queue as long as
   * fewer than `room` may be added. Beyond that a signal of kill(2) loses its information, and any other is
   * refused: returns false (EAGAIN).
   */
  add(info: SignalInfo, room = Number.POSITIVE_INFINITY): boolean {
    const bit = signalBit(info.signo);
    const pending = (this.mask & bit) !== 0n;
    if (pending && info.signo < SIGRTMIN) return true;
    if (room <= 0 && info.signo >= SIGRTMIN) {
      if (info.code !== SI_USER) return false;
      if (pending) return true;
      info = signalInfo(info.signo, SI_USER);
    }
    this.mask |= bit;
    this.queue.push(info);
    return true;
  }

  /** Adds the signal of a POSIX timer, which has a place of its own: it is neither merged nor refused. */
  addTimer(info: SignalInfo): void {
    this.mask |= signalBit(info.signo);
    this.queue.push(info);
  }

  /** The queued signal of POSIX timer `id`, whose overrun counts up while it waits. */
  ofTimer(id: number): SignalInfo | undefined {
    return this.queue.find((info) => info.code === SI_TIMER && info.timer === id);
  }

  /** Takes the queued signal of POSIX timer `id` back. */
  removeTimer(id: number): void {
    const info = this.ofTimer(id);
    if (info !== undefined) this.removeAt(this.queue.indexOf(info));
  }

  /**
   * The signal to take next of those in `wanted`: synchronous ones first, then the lowest number; 0 when there is
   * none.
   */
  next(wanted: bigint): number {
    const candidates = this.mask & wanted;
    if (candidates === 0n) return 0;
    const urgent = candidates & SYNCHRONOUS;
    return lowest(urgent === 0n ? candidates : urgent);
  }

  /** Removes and returns the oldest entry of `signo`. */
  take(signo: number): SignalInfo | undefined {
    const at = this.queue.findIndex((info) => info.signo === signo);
    return at < 0 ? undefined : this.removeAt(at);
  }

  private removeAt(at: number): SignalInfo {
    const [info] = this.queue.splice(at, 1);
    if (!this.queue.some(({ signo }) => signo === info.signo)) this.mask &= ~signalBit(info.signo);
    return info;
  }

  /** Drops every entry of the signals in `mask`. */
  flush(mask: bigint): void {
    if ((this.mask & mask) === 0n) return;
    this.queue = this.queue.filter((info) => (signalBit(info.signo) & mask) === 0n);
    this.mask &= ~mask;
  }

  /** Replaces the contents (thaw). */
  restore(entries: readonly SignalInfo[]): void {
    this.queue = entries.map((info) => ({ ...info }));
    this.mask = this.queue.reduce((mask, info) => mask | signalBit(info.signo), 0n);
  }
}

/** Number of the lowest signal in a non-empty mask. */
function lowest(mask: bigint): number {
  const low = Number(BigInt.asUintN(32, mask));
  if (low !== 0) return 32 - Math.clz32(low & -low);
  const high = Number(mask >> 32n);
  return 64 - Math.clz32(high & -high);
}
