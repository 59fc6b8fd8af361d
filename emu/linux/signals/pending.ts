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

/** A signal in its queue. */
interface Entry {
  readonly info: SignalInfo;
  readonly arrival: number;
  /** The one of the same number that came next. */
  next: Entry | undefined;
}

export class PendingSignals {
  /** The set of pending signals: bit n - 1 is signal n. */
  mask = 0n;
  /** Signals in all. */
  size = 0;
  /** How often signals have been dropped without being taken. */
  drops = 0;
  /** The oldest and the newest that is queued of each signal. */
  private readonly oldest: (Entry | undefined)[] = [];
  private readonly newest: (Entry | undefined)[] = [];
  /** Those of POSIX timers, by id. */
  private readonly timers = new Map<number, SignalInfo>();
  private arrivals = 0;

  /** Everything pending, in order of arrival. */
  get entries(): readonly SignalInfo[] {
    const found: Entry[] = [];
    for (let entry of this.oldest) for (; entry !== undefined; entry = entry.next) found.push(entry);
    return found.sort((one, other) => one.arrival - other.arrival).map(({ info }) => info);
  }

  /**
   * Adds a signal. Signals below SIGRTMIN coalesce with one that is pending already; the others queue as long as
   * fewer than `room` may be added. Beyond that a signal of kill(2) loses its information, and any other is
   * refused: returns false (EAGAIN).
   */
  add(info: SignalInfo, room = Number.POSITIVE_INFINITY): boolean {
    const pending = this.oldest[info.signo] !== undefined;
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
    const { signo } = info;
    const entry: Entry = { info, arrival: this.arrivals++, next: undefined };
    const before = this.newest[signo];
    if (before === undefined) {
      this.oldest[signo] = entry;
      this.mask |= signalBit(signo);
    } else before.next = entry;
    this.newest[signo] = entry;
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
    let before: Entry | undefined;
    let entry = this.oldest[info.signo]!;
    while (entry.info !== info) [before, entry] = [entry, entry.next!];
    this.unlink(info.signo, before, entry);
  }

  /**
   * The signal to take next of those in `wanted`: synchronous ones first, then the lowest number; 0 when there is
   * none.
   */
  next(wanted: bigint): number {
    if (this.size === 0) return 0;
    const candidates = this.mask & wanted;
    if (candidates === 0n) return 0;
    const urgent = candidates & SYNCHRONOUS;
    return lowest(urgent === 0n ? candidates : urgent);
  }

  /** Removes and returns the oldest entry of `signo`. */
  take(signo: number): SignalInfo | undefined {
    const entry = this.oldest[signo];
    if (entry === undefined) return undefined;
    this.unlink(signo, undefined, entry);
    return entry.info;
  }

  /** Takes an entry from its queue; `before` is the one in front of it. */
  private unlink(signo: number, before: Entry | undefined, { info, next }: Entry): void {
    if (before === undefined) this.oldest[signo] = next;
    else before.next = next;
    if (next === undefined) this.newest[signo] = before;
    this.size--;
    if (info.code === SI_TIMER) this.timers.delete(info.timer);
    // Nothing is left of that number.
    if (before === undefined && next === undefined)
      this.mask = this.size === 0 ? 0n : this.mask & ~signalBit(signo);
  }

  /** Drops every entry of the signals in `mask`. */
  flush(mask: bigint): void {
    if (this.size === 0 || (this.mask & mask) === 0n) return;
    this.drops++;
    for (let signo = 1; signo < this.oldest.length; signo++) {
      let entry = this.oldest[signo];
      if (entry === undefined || (signalBit(signo) & mask) === 0n) continue;
      this.oldest[signo] = this.newest[signo] = undefined;
      for (; entry !== undefined; entry = entry.next) {
        this.size--;
        if (entry.info.code === SI_TIMER) this.timers.delete(entry.info.timer);
      }
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
