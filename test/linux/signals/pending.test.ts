import { describe, expect, it } from "vitest";
import { PendingSignals, signalInfo } from "../../../emu/linux/signals/pending.ts";
import {
  SI_QUEUE,
  SI_TIMER,
  SI_USER,
  SIGRTMIN,
  SIGSEGV,
  SIGTERM,
  SIGUSR1,
} from "../../../emu/linux/signals/signal-numbers.ts";

const ALL = 2n ** 64n - 1n;

describe("a queue of pending signals", () => {
  it("holds a standard signal once and realtime signals in order", () => {
    const queue = new PendingSignals();
    for (const value of [1n, 2n, 3n]) {
      queue.add(signalInfo(SIGUSR1, SI_QUEUE, { value }));
      queue.add(signalInfo(SIGRTMIN + 2, SI_QUEUE, { value }));
    }
    expect(queue.take(SIGUSR1)?.value).toBe(1n);
    expect(queue.take(SIGUSR1)).toBeUndefined();
    expect([1, 2, 3].map(() => queue.take(SIGRTMIN + 2)?.value)).toEqual([1n, 2n, 3n]);
    expect(queue.mask).toBe(0n);
  });
  it("gives synchronous signals first, then the lowest number", () => {
    const queue = new PendingSignals();
    for (const signo of [64, 33, SIGTERM, 1, SIGSEGV, 32]) queue.add(signalInfo(signo, SI_USER));
    const order: number[] = [];
    for (let signo = queue.next(ALL); signo !== 0; signo = queue.next(ALL)) {
      order.push(signo);
      queue.take(signo);
    }
    expect(order).toEqual([SIGSEGV, 1, SIGTERM, 32, 33, 64]);
  });
  it("refuses a queued realtime signal when it is full, but keeps that of kill, without its information", () => {
    const queue = new PendingSignals();
    expect(queue.add(signalInfo(40, SI_QUEUE, { value: 7n }), 0)).toBe(false);
    expect(queue.add(signalInfo(40, SI_USER, { pid: 5 }), 0)).toBe(true);
    expect(queue.take(40)).toEqual({
      signo: 40,
      code: SI_USER,
      ...{ errno: 0, pid: 0, uid: 0, value: 0n, timer: 0, overrun: 0 },
    });
    expect(queue.add(signalInfo(SIGUSR1, SI_QUEUE), 0)).toBe(true);
  });
  it("gives the signals of timers back, one by one", () => {
    const queue = new PendingSignals();
    for (const timer of [3, 4]) queue.addTimer(signalInfo(40, SI_TIMER, { timer }));
    queue.removeTimer(3);
    expect(queue.ofTimer(3)).toBeUndefined();
    expect([queue.size, queue.next(ALL)]).toEqual([1, 40]);
    queue.removeTimer(4);
    expect([queue.size, queue.mask, queue.next(ALL)]).toEqual([0, 0n, 0]);
    expect(queue.take(40)).toBeUndefined();
  });
  it("flushes by mask and survives being saved and restored", () => {
    const queue = new PendingSignals();
    queue.add(signalInfo(SIGUSR1, SI_USER, { pid: 9 }));
    queue.add(signalInfo(50, SI_TIMER, { timer: 3 }));
    const copy = new PendingSignals();
    copy.restore(queue.entries);
    queue.flush(1n << 49n);
    expect(queue.entries.map(({ signo }) => signo)).toEqual([SIGUSR1]);
    expect(copy.mask).toBe((1n << 49n) | (1n << 9n));
    expect(copy.ofTimer(3)?.signo).toBe(50);
  });
});
