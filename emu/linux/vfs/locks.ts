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

type Holder = Pick<FileLock, "kind" | "owner">;
type Range = Pick<FileLock, "start" | "last">;

const isHeldBy = (lock: FileLock, { kind, owner }: Holder): boolean =>
  lock.kind === kind && lock.owner === owner;
const overlap = (one: Range, other: Range): boolean => one.start <= other.last && other.start <= one.last;

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
  /** By file, ascending by first byte. */
  private readonly byFile = new Map<string, FileLock[]>();

  private of(file: OpenFile): readonly FileLock[] {
    return this.byFile.size === 0 ? [] : (this.byFile.get(fileKey(file.stat())) ?? []);
  }

  private put(file: OpenFile, locks: FileLock[]): void {
    const key = fileKey(file.stat());
    if (locks.length === 0) this.byFile.delete(key);
    else
      this.byFile.set(
        key,
        locks.sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0)),
      );
  }

  /** The first lock of another holder on `file` that keeps `wanted` from being granted. */
  conflict(file: OpenFile, wanted: FileLock): FileLock | undefined {
    return this.of(file).find(
      (lock) =>
        (lock.kind === "flock") === (wanted.kind === "flock") &&
        (lock.exclusive || wanted.exclusive) &&
        overlap(lock, wanted) &&
        !isHeldBy(lock, wanted),
    );
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
    this.drop(file, lock);
    let { start, last } = lock;
    const rest = this.of(file).filter((other) => {
      const touches = isHeldBy(other, lock) && other.exclusive === lock.exclusive;
      if (!touches || other.last + 1n < start || other.start > last + 1n) return true;
      // Locks of one kind that touch become one.
      start = other.start < start ? other.start : start;
      last = other.last > last ? other.last : last;
      return false;
    });
    this.put(file, [...rest, { ...lock, start, last }]);
    const { owner } = lock;
    if (typeof owner !== "number") owner.locks = this;
  }

  /** Takes away what a holder has in a range. */
  drop(file: OpenFile, range: Holder & Range): void {
    const locks = this.of(file);
    if (!locks.some((lock) => isHeldBy(lock, range) && overlap(lock, range))) return;
    const left = locks.flatMap((lock) => {
      if (!isHeldBy(lock, range) || !overlap(lock, range)) return [lock];
      const before = { ...lock, last: range.start - 1n };
      const after = { ...lock, start: range.last + 1n };
      return [before, after].filter(({ start, last }) => start <= last);
    });
    this.put(file, left);
    this.queue.wake();
  }

  /** A process has closed a descriptor of `file`, and with it given up all its locks there. */
  closed(file: OpenFile, pid: number): void {
    if (this.byFile.size > 0) this.drop(file, { kind: "posix", owner: pid, start: 0n, last: LAST_BYTE });
  }

  /** The last descriptor of a description is gone. */
  released(file: OpenFile): void {
    for (const kind of ["flock", "ofd"] as const) {
      this.drop(file, { kind, owner: file, start: 0n, last: LAST_BYTE });
    }
  }

  /** Every lock, with what finds its file: the description that holds it, or for a process's the file's key. */
  all(): { key: string; lock: FileLock }[] {
    return [...this.byFile].flatMap(([key, locks]) => locks.map((lock) => ({ key, lock })));
  }
}
