import { beforeEach, describe, expect, it } from "vitest";
import { CLOCK_MONOTONIC, CLOCK_THREAD_CPUTIME_ID } from "../../../emu/linux/clock.ts";
import type { SignalInfo } from "../../../emu/linux/signals/pending.ts";
import { ProcessTimers, type ReadClock } from "../../../emu/linux/signals/process-timers.ts";
import { changeAction, sendSignal } from "../../../emu/linux/signals/send.ts";
import { SIGALRM, SIGPROF, SIGVTALRM } from "../../../emu/linux/signals/signal-numbers.ts";
import {
  ProcessSignals,
  type SignalProcess,
  ThreadSignals,
  takeSignal,
} from "../../../emu/linux/signals/signal-state.ts";

const HANDLER = { handler: 0x1000n, flags: 0n, restorer: 0n, mask: 0n };
const host = { wake() {}, resume() {}, room: () => 100 };

let now: bigint;
let cpu: bigint;
let process: SignalProcess;
let timers: ProcessTimers;
const read: ReadClock = (clock) => (clock <= CLOCK_MONOTONIC ? now : cpu);
const makeTimers = () =>
  new ProcessTimers(process, read, (info, tid) => {
    const thread = tid === 0 ? undefined : [...process.threads].find((one) => one.tid === tid);
    sendSignal(host, process, thread, info, info.code < 0);
  });
const take = (): SignalInfo | undefined => {
  const [thread] = process.threads;
  const info = takeSignal(process, thread, 2n ** 64n - 1n);
  if (info !== undefined) timers.signalTaken(info);
  return info;
};

beforeEach(() => {
  now = 1000n;
  cpu = 0n;
  process = {
    pid: 1,
    signals: new ProcessSignals(),
    threads: [{ tid: 1, signals: new ThreadSignals() }],
    noteDrop() {},
  };
  timers = makeTimers();
  for (const signo of [SIGALRM, SIGVTALRM, SIGPROF, 34]) changeAction(process, signo, HANDLER);
});

describe("interval timers", () => {
  it("tell the nearest expiry of each kind of time", () => {
    timers.arm(timers.interval[0], 1500n, 0n);
    timers.arm(timers.interval[1], 300n, 0n);
    timers.arm(timers.interval[2], 200n, 0n);
    expect([timers.nextDeadline(), timers.nextCpuDeadline()]).toEqual([1500n, 200n]);
  });
  it("send their signals when due and not before", () => {
    timers.arm(timers.interval[0], 1500n, 0n);
    now = 1499n;
    timers.expire();
    expect(take()).toBeUndefined();
    now = 1500n;
    timers.expire();
    expect(take()?.signo).toBe(SIGALRM);
    expect(timers.interval[0].expires).toBeNull();
    expect(timers.nextDeadline()).toBeUndefined();
  });
  it("are there while one is set or stands still", () => {
    expect(timers.any).toBe(false);
    timers.arm(timers.interval[0], 1100n, 100n);
    expect(timers.any).toBe(true);
    now = 1100n;
    timers.expire();
    expect([timers.any, timers.nextDeadline()]).toEqual([true, undefined]);
    timers.arm(timers.interval[0], null, 0n);
    expect(timers.any).toBe(false);
  });
  it("stand still while SIGALRM waits, and go on in step when it is taken", () => {
    timers.arm(timers.interval[0], 1100n, 100n);
    now = 1100n;
    timers.expire();
    now = 1450n;
    expect(timers.nextDeadline()).toBeUndefined();
    timers.expire();
    expect(take()?.signo).toBe(SIGALRM);
    expect(timers.interval[0].expires).toBe(1500n);
  });
  it("run on while their signal is ignored, at the pace of a tick", () => {
    changeAction(process, SIGALRM, { ...HANDLER, handler: 1n });
    timers.arm(timers.interval[0], 1001n, 1n);
    now = 1005n;
    timers.expire();
    expect(timers.nextDeadline()).toBeGreaterThan(now);
  });
  it("of CPU time follow CPU time", () => {
    timers.arm(timers.interval[2], 50n, 50n);
    cpu = 120n;
    timers.expire();
    expect(take()?.signo).toBe(SIGPROF);
    expect(timers.interval[2].expires).toBe(150n);
  });
});

describe("POSIX timers", () => {
  const event = { notify: 0, signal: 34, value: 77n, tid: 0 };

  it("carry id and value, and count what they missed as overrun", () => {
    const timer = timers.create(CLOCK_MONOTONIC, 0, event)!;
    timers.arm(timer, 1100n, 100n);
    now = 1350n;
    timers.expire();
    now = 1570n;
    timers.expire();
    expect(take()).toMatchObject({ signo: 34, code: -2, timer: timer.id, value: 77n, overrun: 4 });
    expect([timer.overrun, timer.expires]).toEqual([4, 1600n]);
    expect(take()).toBeUndefined();
  });
  it("keep the overrun count of the signal last taken while later expiries send none", () => {
    const timer = timers.create(CLOCK_MONOTONIC, 0, event)!;
    timers.arm(timer, 1100n, 100n);
    timers.expire();
    now = 1350n;
    timers.expire();
    now = 1570n;
    take();
    expect(timer.overrun).toBe(4);
    changeAction(process, 34, { ...HANDLER, handler: 1n });
    now = 90_000n;
    timers.expire();
    expect(timer.overrun).toBe(4);
  });
  it("of the same signal do not hide each other", () => {
    const [a, b] = [1, 2].map(
      (value) => timers.create(CLOCK_MONOTONIC, 0, { ...event, value: BigInt(value) })!,
    );
    timers.arm(a, 1001n, 0n);
    timers.arm(b, 1001n, 0n);
    now = 2000n;
    timers.expire();
    expect([take()?.value, take()?.value]).toEqual([1n, 2n]);
  });
  it("with a standard signal have a place in its queue each", () => {
    for (const value of [1n, 2n])
      timers.arm(timers.create(CLOCK_MONOTONIC, 0, { ...event, signal: SIGALRM, value })!, 5n, 0n);
    timers.expire();
    expect([take()?.value, take()?.value]).toEqual([1n, 2n]);
  });
  it("survive being frozen, also with a signal that still waits", () => {
    const timer = timers.create(CLOCK_MONOTONIC, 0, event)!;
    const other = timers.create(CLOCK_THREAD_CPUTIME_ID, 1, { ...event, signal: 10 })!;
    timers.arm(timer, 1100n, 100n);
    timers.arm(other, 40n, 0n);
    now = 1100n;
    timers.expire();
    now = 1250n;
    const frozen = timers.freeze();
    now = 90_000n;
    cpu = 5n;
    const thawed = makeTimers();
    thawed.thaw(frozen);
    expect(thawed.posix.get(timer.id)).toMatchObject({ expires: 89_850n, interval: 100n, clock: 1 });
    expect(thawed.posix.get(other.id)).toMatchObject({ expires: 45n, clock: 3, clockTid: 1 });
  });
});
