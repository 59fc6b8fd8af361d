/**
 * Advisory locks (Linux: fs/locks.c): those of flock(2), and on ranges those of processes and of open file
 * descriptions. Nobody outside the machine takes part in them.
 */
import { type Waiter, WaitQueue } from "../wait-queue.ts";
import { fileKey } from "./folder.ts";
import type { OpenFile } from "./open-file.ts";

/** "flock" locks are held by a description on the whole file, "ofd" by a description, "posix" by a process. */
export type LockKind = "flock" | "ofd" | "posix";

export interface FileLock {
  readonly kind: LockKind;
  /** The description that holds it, or the process id. */
  readonly owner: OpenFile | number;
  readonly exclusive: boolean;
  /** First and last byte. */
  readonly start: bigint;
  readonly last: bigint;
}

/** Last byte of a range without an end (OFFSET_MAX). */
export const LAST_BYTE = 2n ** 63n - 1n;

type Owner = FileLock["owner"];
type Holder = Pick<FileLock, "kind" | "owner">;
type Range = Pick<FileLock, "start" | "last">;
type Part = Pick<FileLock, "start" | "last" | "exclusive">;

const overlap = (one: Range, other: Range): boolean => one.start <= other.last && other.start <= one.last;
const isRange = ({ start, last }: Range): boolean => start <= last;

/** What one holder has of one file: parts that do not overlap, ascending. */
class Holding {
  readonly holder: Holder;
  readonly parts: Part[] = [];

  constructor({ kind, owner }: Holder) {
    this.holder = { kind, owner };
  }

  /** Where the first part is that ends at `byte` or behind it. */
  private indexOf(byte: bigint): number {
    let [low, high] = [0, this.parts.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.parts[middle].last < byte) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The first part in a range, or the first exclusive one. */
  find(range: Range, exclusiveOnly: boolean): Part | undefined {
    for (let at = this.indexOf(range.start); at < this.parts.length; at++) {
      const part = this.parts[at];
      if (part.start > range.last) return undefined;
      if (part.exclusive || !exclusiveOnly) return part;
    }
    return undefined;
  }

  /** Has `wanted` in place of what is in its range, or nothing; parts of one kind that touch become one. Whether there was something. */
  replace({ start, last }: Range, wanted?: Pick<Part, "exclusive">): boolean {
    const from = this.indexOf(start - 1n);
    let to = from;
    while (to < this.parts.length && this.parts[to].start <= last + 1n) to++;
    const touched = this.parts.slice(from, to);
    const [same, others] = [[] as Part[], [] as Part[]];
    for (const part of touched) (part.exclusive === wanted?.exclusive ? same : others).push(part);
    const before = others.map((part) => ({ ...part, last: start - 1n })).filter(isRange);
    const after = others.map((part) => ({ ...part, start: last + 1n })).filter(isRange);
    const middle = wanted && {
      ...wanted,
      start: same.length > 0 && same[0].start < start ? same[0].start : start,
      last: same.length > 0 && same[same.length - 1].last > last ? same[same.length - 1].last : last,
    };
    this.parts.splice(from, to - from, ...before, ...(middle === undefined ? [] : [middle]), ...after);
    return touched.some((part) => overlap(part, { start, last }));
  }
}

/** Locks on one file that can keep each other off. A holder is told by its owner there. */
type Holdings = Map<Owner, Holding>;

/** The locks on one file: those of flock(2) and those on ranges know nothing of each other. */
class FileLocks {
  readonly flock: Holdings = new Map();
  readonly ranges: Holdings = new Map();

  of({ kind }: Pick<FileLock, "kind">): Holdings {
    return kind === "flock" ? this.flock : this.ranges;
  }
  get isEmpty(): boolean {
    return this.flock.size === 0 && this.ranges.size === 0;
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
    let first: FileLock | undefined;
    if (this.byFile.size === 0) return first;
    for (const holding of this.byFile.get(fileKey(file.stat()))?.of(wanted).values() ?? []) {
      if (holding.holder.owner === wanted.owner) continue;
      const part = holding.find(wanted, !wanted.exclusive);
      if (part === undefined || (first !== undefined && first.start <= part.start)) continue;
      first = { ...holding.holder, ...part };
    }
    return first;
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
    const holding = locks.of(lock).get(owner) ?? new Holding(lock);
    locks.of(lock).set(owner, holding);
    this.byFile.set(key, locks);
    if (holding.replace(lock, { exclusive })) this.queue.wake();
    if (typeof owner !== "number") owner.locks = this;
  }

  /** Takes away what a holder has in a range. */
  drop(file: OpenFile, range: Holder & Range): void {
    if (this.byFile.size === 0) return;
    const key = fileKey(file.stat());
    const locks = this.byFile.get(key);
    const holding = locks?.of(range).get(range.owner);
    if (locks === undefined || holding === undefined || !holding.replace(range)) return;
    if (holding.parts.length === 0) locks.of(range).delete(range.owner);
    if (locks.isEmpty) this.byFile.delete(key);
    this.queue.wake();
  }

  /** A process has closed a descriptor of `file`, and with it given up all its locks there. */
  closed(file: OpenFile, pid: number): void {
    this.drop(file, { kind: "posix", owner: pid, start: 0n, last: LAST_BYTE });
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
      const holdings = [...flock.values(), ...ranges.values()];
      return holdings.map(({ holder, parts }) => ({
        key,
        locks: parts.map((part) => ({ ...holder, ...part })),
      }));
    });
  }
}
