/** What sending a signal does before anybody takes it (Linux: prepare_signal, force_sig_info), and where the alternate stack ends. */
import { describe, expect, it } from "vitest";
import { onAltStack, SS_AUTODISARM } from "../../../emu/linux/signals/altstack.ts";
import { signalInfo } from "../../../emu/linux/signals/pending.ts";
import { forceSignal, sendSignal } from "../../../emu/linux/signals/send.ts";
import {
  SI_USER,
  SIG_DFL,
  SIG_IGN,
  SIGCONT,
  SIGKILL,
  SIGSEGV,
  SIGTSTP,
  SIGUSR1,
  signalBit,
} from "../../../emu/linux/signals/signal-numbers.ts";
import { ProcessSignals, ThreadSignals } from "../../../emu/linux/signals/signal-state.ts";

const HANDLER = 0x1000_0000n;

function processWith(threads: number) {
  const all = Array.from({ length: threads }, () => ({ tid: 1, signals: new ThreadSignals() }));
  const process = { pid: 1, signals: new ProcessSignals(), threads: new Set(all), noteDrop() {} };
  const woken: unknown[] = [];
  const resumed: number[] = [];
  const host = {
    wake: (thread: unknown) => void woken.push(thread),
    resume: (_: unknown, signo: number) => void resumed.push(signo),
    room: () => 100,
  };
  const send = (signo: number, thread?: (typeof all)[number]) =>
    sendSignal(host, process, thread, signalInfo(signo, SI_USER));
  return { process, threads: all, woken, resumed, send };
}

describe("sending", () => {
  it("lets stop signals and SIGCONT take each other away, in every queue", () => {
    const { process, threads, send, resumed } = processWith(2);
    process.signals.setAction(SIGCONT, { handler: HANDLER, flags: 0n, restorer: 0n, mask: 0n });
    send(SIGCONT);
    send(SIGCONT, threads[1]);
    send(SIGTSTP);
    expect([process.signals.pending.mask, threads[1].signals.pending.mask]).toEqual([signalBit(SIGTSTP), 0n]);
    send(SIGTSTP, threads[1]);
    send(SIGCONT);
    expect([process.signals.pending.mask, threads[1].signals.pending.mask]).toEqual([signalBit(SIGCONT), 0n]);
    expect(resumed).toEqual([SIGCONT, SIGCONT, SIGCONT]);
    // Another signal takes neither away.
    send(SIGUSR1);
    expect(process.signals.pending.mask).toBe(signalBit(SIGCONT) | signalBit(SIGUSR1));
  });

  it("wakes one thread that takes it, and all for SIGKILL", () => {
    const { threads, woken, resumed, send } = processWith(3);
    threads[0].signals.setMask(signalBit(SIGUSR1));
    send(SIGUSR1);
    expect(woken).toEqual([threads[1]]);
    send(SIGKILL);
    expect(woken.slice(1)).toEqual(threads);
    // It reaches a stopped process too.
    expect(resumed).toEqual([SIGKILL]);
  });
});

describe("a signal that the thread's own instruction has caused", () => {
  it.each([
    ["reaches its handler", HANDLER, false, false, HANDLER],
    ["kills where it is blocked", HANDLER, true, false, SIG_DFL],
    ["kills where it is ignored", SIG_IGN, false, false, SIG_DFL],
    ["kills where nothing can help", HANDLER, false, true, SIG_DFL],
  ])("%s", (_, handler, blocked, fatal, after) => {
    const { process, threads } = processWith(1);
    const [thread] = threads;
    process.signals.setAction(SIGSEGV, { handler, flags: 0n, restorer: 0n, mask: 0n });
    if (blocked) thread.signals.setMask(signalBit(SIGSEGV) | signalBit(SIGUSR1));
    forceSignal(process, thread, signalInfo(SIGSEGV, 1), fatal);
    expect(process.signals.action(SIGSEGV).handler).toBe(after);
    expect(thread.signals.mask).toBe(blocked ? signalBit(SIGUSR1) : 0n);
    expect(thread.signals.pending.mask).toBe(signalBit(SIGSEGV));
  });
});

it("a fault takes the place of what was pending of its number", () => {
  const { process, threads, send } = processWith(1);
  threads[0].signals.setMask(signalBit(SIGSEGV));
  send(SIGSEGV, threads[0]);
  forceSignal(process, threads[0], signalInfo(SIGSEGV, 1));
  expect(threads[0].signals.pending.entries).toEqual([signalInfo(SIGSEGV, 1)]);
});

it("the alternate stack reaches from above its lowest byte to its end", () => {
  const stack = { sp: 0x1000n, flags: 0, size: 0x800n };
  expect([0xfffn, 0x1000n, 0x1001n, 0x17ffn, 0x1800n, 0x1801n].map((sp) => onAltStack(stack, sp))).toEqual([
    ...[false, false, true],
    ...[true, true, false],
  ]);
  // Linux: on_sig_stack.
  expect(onAltStack({ ...stack, flags: SS_AUTODISARM }, 0x1400n)).toBe(false);
});
