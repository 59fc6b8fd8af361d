/** What an image says of signals, timers and tracers is checked: numbers that no signal has, intervals that lead back in time. */
import { expect, it } from "vitest";
import { modelFor } from "../../../emu/cpu/models.ts";
import { ABIS } from "../../../emu/linux/abi.ts";
import { freezeKernel, thawKernel } from "../../../emu/linux/freeze.ts";
import { signalInfo } from "../../../emu/linux/signals/pending.ts";
import type { MachineSnapshot, ProcessSnapshot, TraceSnapshot } from "../../../emu/snapshot.ts";
import { CallDriver } from "../../support/call-driver.ts";
import { memoryHost } from "../../support/memory-host.ts";

const snapshot = freezeKernel(new CallDriver("ppc64").kernel);
const [process] = snapshot.processes;
const [thread] = process.threads;

const thaw = (changes: Partial<ProcessSnapshot>, rest: Partial<MachineSnapshot> = {}) => {
  const changed: MachineSnapshot = { ...snapshot, processes: [{ ...process, ...changes }], ...rest };
  return thawKernel(changed, {
    host: memoryHost(),
    abi: ABIS.ppc64,
    cpuModel: modelFor(undefined, "ppc64"),
    mounts: [],
  });
};

const timer = {
  ...{ id: 3, clock: 1, notify: 0, signal: 14, value: 0n, tid: 0 },
  ...{ remaining: 5n, interval: 7n, overrun: 0 },
};
const prctl = (pdeathsig: number) => ({ prctl: { ...process.prctl, pdeathsig } });
const SIGEV_NONE = 1;

it.each<[string, Partial<ProcessSnapshot>]>([
  ["signal 64 that is pending", { pendingSignals: [signalInfo(64, 0)] }],
  ["a timer", { posixTimers: [timer, { ...timer, id: 4, interval: 0n }] }],
  ["a timer that tells nobody", { posixTimers: [{ ...timer, notify: SIGEV_NONE, signal: 999 }] }],
  ["a signal for the end of the parent", prctl(64)],
])("takes %s", (_, changes) => {
  expect(freezeKernel(thaw(changes)).processes[0]).toMatchObject({ pid: process.pid });
});

it.each<[string, RegExp, Partial<ProcessSnapshot>]>([
  ...[0, -1, 65, 2 ** 31 - 1].flatMap((signo): [string, RegExp, Partial<ProcessSnapshot>][] => [
    [`signal ${signo} that is pending`, /signal -?\d+ of/, { pendingSignals: [signalInfo(signo, 0)] }],
    [
      `signal ${signo} that is pending for a thread`,
      /signal -?\d+ of/,
      { threads: [{ ...thread, pendingSignals: [signalInfo(signo, 0)] }] },
    ],
    [`a timer's signal ${signo}`, /signal -?\d+ of timer 3/, { posixTimers: [{ ...timer, signal: signo }] }],
  ]),
  ["signal 65 for the end of the parent", /signal 65 of/, prctl(65)],
  ["an interval below nothing", /interval of -1 ns/, { posixTimers: [{ ...timer, interval: -1n }] }],
  ["the same of setitimer", /interval of -1 ns/, { intervalTimers: [{ remaining: 5n, interval: -1n }] }],
  ["two timers of one id", /timer id 3/, { posixTimers: [timer, timer] }],
  ["a timer below zero", /timer id -1/, { posixTimers: [{ ...timer, id: -1 }] }],
  [
    "too many timers",
    /4097 timers are too many/,
    { posixTimers: Array.from({ length: 4097 }, (_, id) => ({ ...timer, id })) },
  ],
])("refuses %s", (_, message, changes) => {
  expect(() => thaw(changes)).toThrow(message);
});

const tracee: TraceSnapshot = {
  ...{ tid: 101, tracer: process.pid, seized: true, options: 0, mode: "run", inCall: false, stop: null },
  ...{ told: false, listening: false, exiting: false, message: 0n, due: [], inject: null, passed: false },
};
const thawTraced = (tracees: Partial<TraceSnapshot>[], end: { tracer: number } | undefined = undefined) => {
  const ends = end === undefined ? [] : [{ tid: 300, status: 0, ...end }];
  const traces = { tracees: tracees.map((each) => ({ ...tracee, ...each })), ends };
  const second = { ...process, pid: 101, ppid: process.pid, threads: [{ ...thread, tid: 101 }] };
  return thaw({}, { processes: [process, second], traces });
};
const stop = { kind: "group" as const, code: 19, info: null, message: 0n };

it("takes a tracer and what it has yet to wait for", () => {
  const inject = signalInfo(64, 0);
  const { traces } = freezeKernel(thawTraced([{ inject }], { tracer: process.pid }));
  expect(traces).toEqual({
    tracees: [{ ...tracee, inject }],
    ends: [{ tid: 300, status: 0, tracer: process.pid }],
  });
});

it.each<[string, RegExp, Partial<TraceSnapshot>[], { tracer: number }?]>([
  ["a thread that its own process traces", /thread 101 can't be traced by process 101/, [{ tracer: 101 }]],
  ["a tracer that is not there", /can't be traced by process 77/, [{ tracer: 77 }]],
  ["a tracee that is not there", /thread 77 can't be traced/, [{ tid: 77 }]],
  ["a thread that is traced twice", /thread 101 can't be traced/, [{}, {}]],
  ["a stop of a thread that runs", /thread 101 is not stopped/, [{ stop }]],
  ["signal 65 to go on with", /signal 65 of/, [{ inject: signalInfo(65, 0) }]],
  ["the end of a tracee of nobody's", /process 77 traces nobody/, [], { tracer: 77 }],
])("refuses %s", (_, message, tracees, end) => {
  expect(() => thawTraced(tracees, end)).toThrow(message);
});
