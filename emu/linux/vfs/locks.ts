/**
 * Advisory locks (Linux: fs/locks.c): those of flock(2), and on ranges those of processes and of open file
 * descriptions. Nobody outside the machine takes part in them.
 */
import { type Waiter, WaitQueue } from "../wait-queue.ts";
import { fileKey } from "./folder.ts";
import type { OpenFile } from "./open-file.ts";

/** "flock" locks are held by a description on the whole file, "ofd" by a description, "posix" by a table of descriptors. */
export type LockKind = "flock" | "ofd" | "posix";

/** A table of descriptors, to others its process. */
export interface TableOwner {
  readonly pid: number;
}

export interface FileLock {
  readonly kind: LockKind;
  /** The description that holds it, or the table of descriptors of a process. */
  readonly owner: OpenFile | TableOwner;
  readonly exclusive: boolean;
  /** First and last byte. */
  readonly start: bigint;
  readonly last: bigint;
}

/** Last byte of a range without an end (OFFSET_MAX). */
export const LAST_BYTE = 2n ** 63n - 1n;

type Owner = FileLock["owner"];

const isTable = (owner: Owner): owner is TableOwner => "pid" in owner;

/** The process that holds a lock; undefined where a description does. */
export const holderOf = ({ owner }: FileLock): number | undefined => (isTable(owner) ? owner.pid : undefined);
type Holder = Pick<FileLock, "kind" | "owner">;
type Range = Pick<FileLock, "start" | "last">;

const overlap = (one: Range, other: Range): boolean => one.start <= other.last && other.start <= one.last;

/** A lock in its place: of those that start at one byte the older comes first. */
interface Held extends FileLock {
  readonly serial: number;
}

/** Locks by where they start. */
class Ranges {
  readonly held: Held[] = [];
  /** No lock here goes further than this beyond its first byte. */
  private longest = 0n;

  private placeOf(start: bigint, serial: number): number {
    let [low, high] = [0, this.held.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.held[middle];
      if (other.start < start || (other.start === start && other.serial < serial)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  add(lock: Held): void {
    this.held.splice(this.placeOf(lock.start, lock.serial), 0, lock);
    if (lock.last - lock.start > this.longest) this.longest = lock.last - lock.start;
  }

  delete(lock: Held): void {
    this.held.splice(this.placeOf(lock.start, lock.serial), 1);
    if (this.held.length === 0) this.longest = 0n;
  }

  /** Those in a range, by where they start. */
  *in(range: Range): Generator<Held> {
    const { held } = this;
    for (let at = this.placeOf(range.start - this.longest, 0); at < held.length; at++) {
      if (held[at].start > range.last) return;
      if (overlap(held[at], range)) yield held[at];
    }
  }
}

/**
 * Locks on one file that can keep each other off. Those of one holder do not overlap, and exclusive ones overlap with no others:
 * so what is in a range is found in the logarithm of their number, but for shared locks of many lengths.
 */
class Holdings {
  readonly byOwner = new Map<Owner, Ranges>();
  private readonly exclusive = new Ranges();
  private readonly shared = new Ranges();
  private serial = 0;

  /** The first lock of another holder that keeps `wanted` from being granted. */
  conflict(wanted: FileLock): FileLock | undefined {
    let first: Held | undefined;
    for (const ranges of wanted.exclusive ? [this.exclusive, this.shared] : [this.exclusive]) {
      for (const lock of ranges.in(wanted)) {
        if (first !== undefined && first.start <= lock.start) break;
        if (lock.owner !== wanted.owner) first = lock;
      }
    }
    return first;
  }

  /**
   * Has a lock in place of what its holder has in its range, or nothing where it is of no kind; locks of one kind that touch
   * become one. Whether there was something.
   */
  replace({ kind, owner, start, last }: Holder & Range, exclusive?: boolean): boolean {
    const own = this.byOwner.get(owner) ?? new Ranges();
    this.byOwner.set(owner, own);
    const near = [...own.in({ start: start - 1n, last: last + 1n })];
    let [from, to] = [start, last];
    for (const lock of near) {
      this.delete(own, lock);
      if (lock.exclusive === exclusive) {
        if (lock.start < from) from = lock.start;
        if (lock.last > to) to = lock.last;
        continue;
      }
      if (lock.start < start) this.add(own, { ...lock, last: lock.last < start ? lock.last : start - 1n });
      if (lock.last > last) this.add(own, { ...lock, start: lock.start > last ? lock.start : last + 1n });
    }
    if (exclusive !== undefined) this.add(own, { kind, owner, exclusive, start: from, last: to });
    if (own.held.length === 0) this.byOwner.delete(owner);
    return near.some((lock) => overlap(lock, { start, last }));
  }

  private add(own: Ranges, lock: FileLock): void {
    const held = { ...lock, serial: this.serial++ };
    for (const ranges of [own, this.ofKind(held)]) ranges.add(held);
  }
  private delete(own: Ranges, lock: Held): void {
    for (const ranges of [own, this.ofKind(lock)]) ranges.delete(lock);
  }
  private ofKind({ exclusive }: FileLock): Ranges {
    return exclusive ? this.exclusive : this.shared;
  }
}

/** The locks on one file: those of flock(2) and those on ranges know nothing of each other. */
class FileLocks {
  readonly flock = new Holdings();
  readonly ranges = new Holdings();

  of({ kind }: Pick<FileLock, "kind">): Holdings {
    return kind === "flock" ? this.flock : this.ranges;
  }
  get isEmpty(): boolean {
    return this.flock.byOwner.size === 0 && this.ranges.byOwner.size === 0;
  }
}

/** Circles of processes that wait for each other are looked for in so many steps (MAX_DEADLK_ITERATIONS). */
const MOST_STEPS = 10;

/** A wait for one lock, which tells `waits` of itself as long as somebody is in it. */
class LockWait extends WaitQueue {
  readonly file: OpenFile;
  readonly lock: FileLock;
  private readonly waits: Set<LockWait>;

  constructor(file: OpenFile, lock: FileLock, waits: Set<LockWait>) {
    super();
    this.file = file;
    this.lock = lock;
    this.waits = waits;
  }
  override add(waiter: Waiter): void {
    super.add(waiter);
    this.waits.add(this);
  }
  override remove(waiter: Waiter): void {
    super.remove(waiter);
    this.waits.delete(this);
  }
}

export class LockTable {
  /** Who waits for a lock; any that goes lets them try again. */
  private readonly queue = new WaitQueue();
  private readonly waits = new Set<LockWait>();
  /** By file. */
  private readonly byFile = new Map<string, FileLocks>();

  /** The first lock of another holder on `file` that keeps `wanted` from being granted. */
  conflict(file: OpenFile, wanted: FileLock): FileLock | undefined {
    if (this.byFile.size === 0) return undefined;
    return this.byFile.get(fileKey(file.stat()))?.of(wanted).conflict(wanted);
  }

  /** What to wait in until `lock` may be had. */
  queues(file: OpenFile, lock: FileLock): readonly WaitQueue[] {
    return [this.queue, new LockWait(file, lock, this.waits)];
  }

  /** Whether whoever holds what `lock` needs waits, directly or not, for its owner: a process that would wait for ever. */
  isDeadlock(file: OpenFile, lock: FileLock): boolean {
    let holder = this.conflict(file, lock);
    for (let step = 0; step < MOST_STEPS && holder?.kind === "posix"; step++) {
      const { owner } = holder;
      if (owner === lock.owner) return true;
      const wait = [...this.waits].find((each) => each.lock.owner === owner);
      holder = wait && this.conflict(wait.file, wait.lock);
    }
    return false;
  }

  /** Takes a lock that nothing conflicts with, in place of what its holder has in that range. */
  take(file: OpenFile, lock: FileLock): void {
    const key = fileKey(file.stat());
    const { owner, exclusive } = lock;
    const locks = this.byFile.get(key) ?? new FileLocks();
    this.byFile.set(key, locks);
    if (locks.of(lock).replace(lock, exclusive)) this.queue.wake();
    if (!isTable(owner)) owner.locks = this;
  }

  /** Takes away what a holder has in a range. */
  drop(file: OpenFile, range: Holder & Range): void {
    if (this.byFile.size === 0) return;
    const key = fileKey(file.stat());
    const locks = this.byFile.get(key);
    if (locks === undefined || !locks.of(range).replace(range)) return;
    if (locks.isEmpty) this.byFile.delete(key);
    this.queue.wake();
  }

  /** A descriptor of `file` in a table has been closed, which gives up all the locks there that the table holds. */
  closed(file: OpenFile, owner: TableOwner): void {
    this.drop(file, { kind: "posix", owner, start: 0n, last: LAST_BYTE });
  }

  /** The last descriptor of a description is gone. */
  released(file: OpenFile): void {
    for (const kind of ["flock", "ofd"] as const) {
      this.drop(file, { kind, owner: file, start: 0n, last: LAST_BYTE });
    }
  }

  /** Every holder's locks, with what finds their file: the description that holds them, or for a process's the file's key. */
  all(): { key: string; locks: FileLock[] }[] {
    return [...this.byFile].flatMap(([key, { flock, ranges }]) => {
      const holdings = [...flock.byOwner.values(), ...ranges.byOwner.values()];
      return holdings.map(({ held }) => ({ key, locks: held.map(({ serial: _, ...lock }) => lock) }));
    });
  }
}
