/**
 * A thread of Node's translates while programs fork, execute others, end, and are frozen. Whatever it has been asked for by then, they go on
 * as they do without it.
 */
import { join } from "node:path";
import { expect, it } from "vitest";
import type { HostTranslator } from "../../emu/host/host.ts";
import { startTranslator } from "../../emu/host/node/translator-thread.ts";
import { defaultMounts, Machine, type MachineOptions } from "../../emu/machine.ts";
import { build } from "../linux/signals/guests.ts";
import { compilers, inTemporaryDirectory, type Target } from "../support/guests.ts";
import { runToEnd, type Subject, stateOf } from "../support/machine.ts";
import { memoryHost } from "../support/memory-host.ts";
import { ensureBuilt, root } from "../support/ppcr.ts";
import { describeWithTools } from "../support/tools.ts";
import { BY_AND_BY } from "./engines-agree.ts";
import { randomNumbers } from "./random-programs.ts";

const TIMEOUT = 240_000;
const pause = new Int32Array(new SharedArrayBuffer(4));

/** A thread whose answers come in when this lets them: then it is waited for, for it may have to wait for a processor itself. */
class Gate implements HostTranslator {
  outstanding = 0;
  answered = 0;
  readonly thread: HostTranslator;
  private readonly isOpen: () => boolean;

  constructor(isOpen: () => boolean) {
    this.isOpen = isOpen;
    this.thread = startTranslator(join(root, "dist", "bin", "thread.cjs"))!;
    this.waitUntil(() => this.thread.isReady);
  }
  private waitUntil(isDone: () => boolean): void {
    for (let tries = 0; !isDone() && tries < TIMEOUT / 2; tries++) Atomics.wait(pause, 0, 0, 1);
  }
  get isReady(): boolean {
    return this.thread.isReady;
  }
  get hasEnded(): boolean {
    return this.thread.hasEnded;
  }
  send(request: unknown): void {
    this.outstanding++;
    this.thread.send(request);
  }
  receive(): unknown {
    if (this.outstanding === 0 || !this.isOpen()) return undefined;
    let answer: unknown;
    this.waitUntil(() => (answer = this.thread.receive()) !== undefined);
    this.outstanding--;
    this.answered++;
    return answer;
  }
  end(): void {
    this.thread.end();
  }
}

/** What is the same for the machines of a test; those that have a gate leave all translating to its thread. */
function surroundings(program: string, cwd: string, gate?: Gate) {
  const host = { ...memoryHost(""), translator: () => gate };
  const mounts = defaultMounts({ program, cwd });
  const options: MachineOptions = {
    host,
    mounts,
    engine: gate === undefined ? "interp" : "jit",
    tuning: { ...BY_AND_BY, threadAfter: 0, mostSilent: Number.POSITIVE_INFINITY },
  };
  return { host, mounts, options };
}

function begin(program: string, cwd: string, gate?: Gate): Subject {
  const { options, ...rest } = surroundings(program, cwd, gate);
  const machine = Machine.load({ ...options, program, argv: [program], env: [], cwd, seed: 7n });
  return { machine, ...rest };
}

for (const target of ["ppc32", "ppc64"] satisfies Target[])
  describeWithTools(`${target} programs whose code another thread translates`, [compilers[target]], () => {
    it.each(["processes", "threads"])("do what they do without: %s", { timeout: TIMEOUT }, async (name) => {
      ensureBuilt();
      const program = await build("process", name, target);
      await inTemporaryDirectory(async (cwd) => {
        const whole = await runToEnd(begin(program, cwd));
        const random = randomNumbers(9);
        const gate = new Gate(() => random() % 4 === 0);
        const subject = begin(program, cwd, gate);
        expect(await runToEnd(subject)).toEqual(whole);
        expect(gate.answered).toBeGreaterThan(20);
        expect(subject.machine.jitStatistics!.ordered).toBe(gate.answered);
        expect(subject.machine.jitStatistics!.translated).toBeGreaterThan(0);
        subject.machine.close();
        expect(gate.hasEnded).toBe(true);
      });
    });

    it("are frozen, and go on, with what it has not answered", { timeout: TIMEOUT }, async () => {
      ensureBuilt();
      const program = await build("process", "processes", target);
      await inTemporaryDirectory(async (cwd) => {
        const whole = await runToEnd(begin(program, cwd));
        const plain = begin(program, cwd);
        let most = 2;
        const isOpen = () => gate.answered < most;
        let gate = new Gate(isOpen);
        let subject = begin(program, cwd, gate);
        let stdout = "";
        for (const part of [2n, 3n]) {
          const count = (part * whole.instructions) / 4n;
          await subject.machine.run(count);
          await plain.machine.run(count);
          expect(stateOf(subject)).toEqual(stateOf(plain));
          expect(gate.outstanding).toBeGreaterThan(0);
          const snapshot = subject.machine.freeze();
          stdout += subject.host.stdout.text;
          subject.machine.close();
          expect(gate.hasEnded).toBe(true);
          gate = new Gate(isOpen);
          const { options, ...rest } = surroundings(program, cwd, gate);
          subject = { machine: Machine.thaw(snapshot, options), ...rest };
        }
        most = Number.POSITIVE_INFINITY;
        const end = await runToEnd(subject);
        expect({ ...end, stdout: stdout + end.stdout }).toEqual(whole);
        expect(gate.answered).toBeGreaterThan(0);
      });
    });

    it("are translated by their own where it dies before it answers", { timeout: TIMEOUT }, async () => {
      ensureBuilt();
      const program = await build("process", "processes", target);
      await inTemporaryDirectory(async (cwd) => {
        const whole = await runToEnd(begin(program, cwd));
        const gate = new Gate(() => false);
        const subject = begin(program, cwd, gate);
        await subject.machine.run(whole.instructions / 4n);
        expect(gate.outstanding).toBeGreaterThan(0);
        expect(subject.machine.jitStatistics!.units).toBe(0);
        gate.thread.send(null);
        await expect.poll(() => gate.hasEnded, { timeout: TIMEOUT / 2 }).toBe(true);
        expect(await runToEnd(subject)).toEqual(whole);
        expect(subject.machine.jitStatistics).toMatchObject({ ordered: 0 });
        expect(subject.machine.jitStatistics!.units).toBeGreaterThan(20);
      });
    });
  });
