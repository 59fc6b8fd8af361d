/** Sets of System V semaphores (Linux: ipc/sem.c). */
import type { IpcPermSnapshot, SemaphoreSetSnapshot } from "../../ipc-snapshot.ts";
import { EAGAIN, EFBIG, ERANGE, SysError } from "../errno.ts";
import type { Waiter } from "../wait-queue.ts";
import { IPC_NOWAIT, IpcObject, IpcTable } from "./ipc-table.ts";

/** /proc/sys/kernel/sem: semaphores in a set, operations in a call, sets; and the highest value. */
export const SEMMSL = 32000;
export const SEMOPM = 500;
export const SEMMNI = 32000;
export const SEMMNS = SEMMNI * SEMMSL;
export const SEMVMX = 32767;
export const SEM_UNDO = 0x1000;

export interface Operation {
  readonly number: number;
  readonly change: number;
  readonly flags: number;
}

/** Somebody who waits at a semaphore, for it to become 0 or to grow. */
interface Waiting {
  readonly waiter: Waiter;
  readonly number: number;
  readonly forZero: boolean;
}

export class SemaphoreSet extends IpcObject {
  readonly values: number[];
  /** Who has changed each last. */
  readonly pids: number[];
  /** What the end of a process gives back (SEM_UNDO), by pid. */
  readonly undo = new Map<number, number[]>();
  /** Seconds of CLOCK_REALTIME of the last semop(2). */
  operated = 0n;
  private readonly waiting = new Map<Waiter, Waiting>();

  constructor(perm: IpcPermSnapshot, changed: bigint, count: number) {
    super(perm, changed);
    this.values = new Array<number>(count).fill(0);
    this.pids = new Array<number>(count).fill(0);
  }

  /**
   * Does all operations or none: undefined when they are done, else the one that has to wait. Throws EFBIG, ERANGE, and EAGAIN where that one
   * is not to wait.
   */
  operate(operations: readonly Operation[], pid: number): Operation | undefined {
    const values = [...this.values];
    const undo = [...(this.undo.get(pid) ?? new Array<number>(values.length).fill(0))];
    for (const operation of operations) {
      const { number, change, flags } = operation;
      if (number >= values.length) throw new SysError(EFBIG);
      const next = values[number] + change;
      const waits = change === 0 ? values[number] !== 0 : next < 0;
      if (waits) {
        if (flags & IPC_NOWAIT) throw new SysError(EAGAIN);
        return operation;
      }
      if (next > SEMVMX) throw new SysError(ERANGE);
      if (flags & SEM_UNDO) {
        undo[number] -= change;
        if (Math.abs(undo[number]) > SEMVMX) throw new SysError(ERANGE);
      }
      values[number] = next;
    }
    if (operations.some(({ flags }) => flags & SEM_UNDO)) this.undo.set(pid, undo);
    for (const { number } of operations) this.pids[number] = pid;
    const isChanged = values.some((value, number) => value !== this.values[number]);
    this.values.splice(0, values.length, ...values);
    if (isChanged) this.queue.wake();
    return undefined;
  }

  /** SETVAL and SETALL: nothing that was done to it before is undone any more. */
  set(number: number, value: number, pid: number): void {
    this.values[number] = value;
    this.pids[number] = pid;
    for (const undo of this.undo.values()) undo[number] = 0;
    this.queue.wake();
  }

  /** A process ends. */
  giveBack(pid: number): void {
    const undo = this.undo.get(pid);
    if (undo === undefined) return;
    this.undo.delete(pid);
    undo.forEach((change, number) => {
      if (change === 0) return;
      this.values[number] = Math.min(Math.max(this.values[number] + change, 0), SEMVMX);
      this.pids[number] = pid;
    });
    this.queue.wake();
  }

  /** Notes for what somebody waits, or with undefined that it waits no more. */
  note(waiter: Waiter, operation: Operation | undefined): void {
    if (operation === undefined) this.waiting.delete(waiter);
    else this.waiting.set(waiter, { waiter, number: operation.number, forZero: operation.change === 0 });
  }
  /** GETZCNT and GETNCNT; `waits` says whether somebody still waits. */
  count(number: number, forZero: boolean, waits: (waiter: Waiter) => boolean): number {
    const all = [...this.waiting.values()].filter(({ waiter }) => waits(waiter));
    return all.filter((each) => each.number === number && each.forZero === forZero).length;
  }

  freeze(): SemaphoreSetSnapshot {
    const { perm, changed, operated, values, pids } = this;
    const undo = [...this.undo].map(([pid, changes]) => ({ pid, changes: [...changes] }));
    return { perm: { ...perm }, changed, operated, values: [...values], pids: [...pids], undo };
  }
}

export class Semaphores extends IpcTable<SemaphoreSet> {
  constructor() {
    super(SEMMNI);
  }
  /** A process has ended: what it did with SEM_UNDO is undone. */
  exit(pid: number): void {
    for (const set of this.values()) set.giveBack(pid);
  }
  /** Throws RangeError for what makes no sense. */
  thaw(sets: readonly SemaphoreSetSnapshot[]): void {
    for (const { perm, changed, operated, values, pids, undo } of sets) {
      const fits = (list: readonly number[], least: number) =>
        list.length === values.length && list.every((value) => value >= least && value <= SEMVMX);
      const makesSense = values.length > 0 && values.length <= SEMMSL && fits(values, 0);
      if (
        !makesSense ||
        pids.length !== values.length ||
        !undo.every(({ changes }) => fits(changes, -SEMVMX))
      )
        throw new RangeError(`semaphore set ${perm.id}`);
      const set = new SemaphoreSet({ ...perm }, changed, values.length);
      set.operated = operated;
      set.values.splice(0, values.length, ...values);
      set.pids.splice(0, pids.length, ...pids);
      for (const { pid, changes } of undo) set.undo.set(pid, [...changes]);
      this.restore(set);
    }
  }
}
