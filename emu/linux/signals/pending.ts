/** Signals sent and not yet taken: one queue for the process, one for each thread. */
import type { SignalInfoSnapshot } from "../../snapshot.ts";
import { checkSignal, SI_TIMER, SI_USER, SIGRTMIN, SYNCHRONOUS, signalBit } from "./signal-numbers.ts";

/** struct siginfo, decoded; `siginfo.ts` knows its bytes. */
export type SignalInfo = SignalInfoSnapshot;

/** A SignalInfo with the fields that are given and zeros elsewhere. */
export const signalInfo = (
  signo: number,
  code: number,
  { errno = 0, pid = 0, uid = 0, value = 0n, timer = 0, overrun = 0 }: Partial<SignalInfo> = {},
): SignalInfo => ({ errno, pid, uid, value, timer, overrun, signo, code });

/** What is queued of one signal, oldest first. */
interface Queue {
  readonly entries: { readonly info: SignalInfo; readonly arrival: number }[];
  /** Entries before this one have been taken. */
  head: number;
}

export class PendingSignals {
  /** The set of pending signals: bit n - 1 is signal n. */
  mask = 0n;
  /** Signals in all. */
  size = 0;
  /** How often signals have been dropped without being taken. */
  drops = 0;
  private readonly queues = new Map<number, Queue>();
  /** Those of POSIX timers, by id. */
  private readonly timers = new Map<number, SignalInfo>();
  private arrivals = 0;

  /** Everything pending, in order of arrival. */
  get entries(): readonly SignalInfo[] {
    return [...this.queues.values()]
      .flatMap(({ entries, head }) => entries.slice(head))
      .sort((one, other) => one.arrival - other.arrival)
      .map(({ info }) => info);
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
    this.append(info);
    return true;
  }

  /** Adds the signal of a POSIX timer, which has a place of its own: it is neither merged nor refused. */
  addTimer(info: SignalInfo): void {
    this.append(info);
  }

  private append(info: SignalInfo): void {
    let queue = this.queues.get(info.signo);
    if (queue === undefined) this.queues.set(info.signo, (queue = { entries: [], head: 0 }));
    queue.entries.push({ info, arrival: this.arrivals++ });
    this.mask |= signalBit(info.signo);
    this.size++;
    if (info.code === SI_TIMER) this.timers.set(info.timer, info);
  }

  /** The queued signal of POSIX timer `id`, whose overrun counts up while it waits. */
  ofTimer(id: number): SignalInfo | undefined {
    return this.timers.get(id);
  }

  /** Takes the queued signal of POSIX timer `id` back. */
  removeTimer(id: number): void {
    const info = this.timers.get(id);
    if (info === undefined) return;
    const { entries } = this.queues.get(info.signo)!;
    entries.splice(
      entries.findIndex((entry) => entry.info === info),
      1,
    );
    this.removed(info);
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
    const queue = this.queues.get(signo);
    if (queue === undefined) return undefined;
    const { info } = queue.entries[queue.head++];
    this.removed(info);
    return info;
  }

  /** An entry has left its queue. */
  private removed(info: SignalInfo): void {
    this.size--;
    if (info.code === SI_TIMER) this.timers.delete(info.timer);
    const queue = this.queues.get(info.signo)!;
    if (queue.head < queue.entries.length) return;
    this.queues.delete(info.signo);
    this.mask &= ~signalBit(info.signo);
  }

  /** Drops every entry of the signals in `mask`. */
  flush(mask: bigint): void {
    if ((this.mask & mask) === 0n) return;
    this.drops++;
    for (const [signo, { entries, head }] of this.queues) {
      if ((signalBit(signo) & mask) === 0n) continue;
      this.queues.delete(signo);
      this.size -= entries.length - head;
      for (const { info } of entries.slice(head)) if (info.code === SI_TIMER) this.timers.delete(info.timer);
    }
    this.mask &= ~mask;
  }

  /** Replaces the contents (thaw). */
  restore(entries: readonly SignalInfo[]): void {
    this.flush(this.mask);
    for (const info of entries) {
      checkSignal(info.signo, "those that are pending", false);
      this.append({ ...info });
    }
  }
}

/** Number of the lowest signal in a non-empty mask. */
function lowest(mask: bigint): number {
  const low = Number(BigInt.asUintN(32, mask));
  if (low !== 0) return 32 - Math.clz32(low & -low);
  const high = Number(mask >> 32n);
  return 64 - Math.clz32(high & -high);
}
