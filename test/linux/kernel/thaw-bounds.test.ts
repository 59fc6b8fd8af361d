/** What an image says of signals and timers is checked: numbers that no signal has, intervals that lead back in time. */
import { expect, it } from "vitest";
import { modelFor } from "../../../emu/cpu/models.ts";
import { ABIS } from "../../../emu/linux/abi.ts";
import { freezeKernel, thawKernel } from "../../../emu/linux/freeze.ts";
import { signalInfo } from "../../../emu/linux/signals/pending.ts";
import type { MachineSnapshot, ProcessSnapshot } from "../../../emu/snapshot.ts";
import { CallDriver } from "../../support/call-driver.ts";
import { memoryHost } from "../../support/memory-host.ts";

const snapshot = freezeKernel(new CallDriver("ppc64").kernel);
const [process] = snapshot.processes;
const [thread] = process.threads;

const thaw = (changes: Partial<ProcessSnapshot>) => {
  const changed: MachineSnapshot = { ...snapshot, processes: [{ ...process, ...changes }] };
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
