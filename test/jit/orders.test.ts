/** Translations by another thread: they come at odd moments, too late, or never, and nothing that a program does depends on it. */
import { join } from "node:path";
import { expect, it } from "vitest";
import { Interpreter } from "../../emu/cpu/interpreter.ts";
import type { HostTranslator } from "../../emu/host/host.ts";
import { startTranslator } from "../../emu/host/node/translator-thread.ts";
import { asm } from "../../emu/isa/encoder.ts";
import { JitEngine } from "../../emu/jit/engine.ts";
import { fulfil } from "../../emu/jit/orders.ts";
import { type Order, producing } from "../../emu/jit/produce.ts";
import { rowsOf } from "../../emu/jit/scan.ts";
import { Translations } from "../../emu/jit/translations.ts";
import type { Tuning } from "../../emu/tuning.ts";
import { ensureBuilt, root } from "../support/ppcr.ts";
import { AT_ONCE, advance, agree, createCpu, prepare, show } from "./engines-agree.ts";
import { CODE_START, randomNumbers } from "./random-programs.ts";

/** Stands for another thread: answers a request when it is `due`. */
class LateTranslator implements HostTranslator {
  readonly requests: unknown[] = [];
  isReady = true;
  hasEnded = false;
  private readonly due: () => boolean;
  private readonly answer: (request: unknown) => unknown;

  constructor(due: () => boolean, answer = fulfil) {
    this.due = due;
    this.answer = answer;
  }
  send(request: unknown): void {
    this.requests.push(structuredClone(request));
  }
  receive(): unknown {
    return this.requests.length > 0 && this.due() ? this.answer(this.requests.shift()) : undefined;
  }
  end(): void {
    this.hasEnded = true;
  }
}

const PROGRAMS = Number(process.env.PPCR_LOCKSTEP_PROGRAMS ?? 80);
const FIRST = Number(process.env.PPCR_LOCKSTEP_FIRST ?? 1);

/** Everything is left to the other thread, however long it takes. */
const ELSEWHERE = { ...AT_ONCE, threadAfter: 0, mostSilent: Number.POSITIVE_INFINITY };

/** Everything is left to the program's own thread, which does a step now and then. */
const STEPWISE = { ...AT_ONCE, longestStretch: 0.05 };

for (const abi of ["ppc32", "ppc64", "ppc64le"] as const)
  it(`random programs run as they should whenever translations come: ${abi}`, () => {
    const random = randomNumbers(7);
    const others = new LateTranslator(() => random() % 3 === 0);
    const jit = agree(abi, undefined, FIRST, PROGRAMS, ELSEWHERE, { translator: () => others, longest: 50 });
    const { ordered, units } = jit.statistics;
    expect(ordered).toBeGreaterThan(PROGRAMS);
    expect(units).toBe(ordered);
  });

it.each(["ppc32", "ppc64", "ppc64le"] as const)(
  "random programs run as they should translated a step at a time: %s",
  (abi) => {
    const { ordered, units } = agree(abi, undefined, FIRST, PROGRAMS, STEPWISE, { longest: 200 }).statistics;
    expect(ordered).toBe(0);
    expect(units).toBeGreaterThan(PROGRAMS);
  },
);

it("random programs run as they should with translations that are refused", () => {
  const random = randomNumbers(8);
  const answer = (request: unknown) =>
    random() % 2 === 0 ? { number: (request as { number: number }).number } : fulfil(request);
  const options = { translator: () => new LateTranslator(() => true, answer), longest: 50 };
  const { ordered, units } = agree("ppc64", undefined, FIRST, PROGRAMS, ELSEWHERE, options).statistics;
  expect(ordered).toBeGreaterThan(PROGRAMS / 2);
  expect(units - ordered).toBeGreaterThan(PROGRAMS / 2);
});

/** A loop that adds r5 to r4 for ever, and engines that have come to the end of it so and so often. */
function looping(
  translator: () => HostTranslator | undefined,
  tuning: Partial<Tuning> = { ...ELSEWHERE, quickAfter: 1_000_000 },
  lines: readonly string[] = ["add 4,4,5", "addi 3,3,1", "b -8"],
) {
  const words = lines.map((line) => asm(line));
  const [left, right] = [createCpu("ppc64", undefined), createCpu("ppc64", undefined)];
  for (const cpu of [left, right]) prepare(cpu, "ppc64", words, 5);
  const jit = new JitEngine(right, new Translations(tuning, undefined, { translator }));
  const interpreter = new Interpreter(left);
  /** Runs both, and holds one against the other. */
  const run = (limit: number) =>
    expect([advance(jit, limit), ...show(right)]).toEqual([advance(interpreter, limit), ...show(left)]);
  /** The program writes another first instruction. */
  const change = (line: string) => {
    for (const { memory } of [left, right]) memory.store32(CODE_START, asm(line));
  };
  return { jit, run, change };
}

it("what was made of code that has changed since is not used", () => {
  let isDue = false;
  const others = new LateTranslator(() => isDue);
  const { jit, run, change } = looping(() => others);
  run(999);
  expect(others.requests.length).toBe(1);
  change("subf 4,4,5");
  isDue = true;
  run(999);
  expect(jit.statistics).toMatchObject({ ordered: 1, stale: 1, translated: 0 });
  run(999);
  run(999);
  expect(jit.statistics).toMatchObject({ ordered: 2, stale: 1 });
  expect(jit.statistics.translated).toBeGreaterThan(0);
});

it("what was made of code that has changed and is as it was again is used when the program comes there", () => {
  let isDue = false;
  const others = new LateTranslator(() => isDue);
  const { jit, run, change } = looping(() => others);
  run(999);
  change("subf 4,4,5");
  change("add 4,4,5");
  isDue = true;
  run(999);
  run(999);
  expect(jit.statistics.ordered).toBe(1);
  expect(jit.statistics.translated).toBeGreaterThan(0);
});

it("the guest's thread translates what another one has not when that ends", () => {
  const others = new LateTranslator(() => false);
  const { jit, run } = looping(() => others);
  run(999);
  expect(jit.statistics).toMatchObject({ units: 0, translated: 0 });
  others.end();
  run(999);
  expect(jit.statistics).toMatchObject({ units: 1, ordered: 0 });
  expect(jit.statistics.translated).toBeGreaterThan(0);
});

it("the guest's thread translates what another one leaves undone for long", () => {
  const others = new LateTranslator(() => false);
  const { jit, run } = looping(() => others, { ...ELSEWHERE, quickAfter: 1_000_000, mostSilent: 30 });
  run(999);
  expect(jit.statistics).toMatchObject({ units: 0, translated: 0 });
  const end = performance.now() + 31;
  while (performance.now() < end);
  run(999);
  expect(others.hasEnded).toBe(true);
  expect(jit.statistics).toMatchObject({ units: 1, ordered: 0 });
  expect(jit.statistics.translated).toBeGreaterThan(0);
});

it("the guest's thread translates where there is no other one", () => {
  const { jit, run } = looping(() => undefined);
  run(999);
  expect(jit.statistics).toMatchObject({ units: 1, ordered: 0 });
  expect(jit.statistics.translated).toBeGreaterThan(900);
});

it("the guest's thread lets the program go on while it translates, and looks whether that is as it was", () => {
  const { jit, run, change } = looping(() => undefined, { ...STEPWISE, quickAfter: 1_000_000 });
  run(999);
  expect(jit.statistics).toMatchObject({ units: 0, stale: 0, translated: 0 });
  change("subf 4,4,5");
  const end = performance.now() + 20_000;
  while (jit.statistics.translated === 0 && performance.now() < end) run(999);
  expect(jit.statistics).toMatchObject({ ordered: 0, stale: 1 });
});

it("what waits to be put to use is not taken for another's in the meantime", () => {
  const { jit, run } = looping(() => undefined, { ...STEPWISE, reuseThreshold: 2 });
  const end = performance.now() + 20_000;
  while (jit.statistics.translated === 0 && performance.now() < end) run(999);
  expect(jit.statistics).toMatchObject({ units: 1, reused: 0, stale: 0 });
});

it("a function of many blocks is looked through in as many steps, and emitted in some", () => {
  const others = new LateTranslator(() => false);
  const lines = Array.from({ length: 40 }, (_, n) => [`cmpi 0,0,5,${n}`, "bc 12,2,8", "add 4,4,5"]).flat();
  looping(() => others, undefined, [...lines, `b -${4 * lines.length}`]).run(9999);
  const { order } = others.requests[0] as { order: Order };
  const blocks = order.region.blocks.map((block) => ({ ...block, rows: rowsOf(block.start, block.words) }));
  const steps = [...producing({ ...order, region: { ...order.region, blocks } })];
  expect(blocks.length).toBeGreaterThan(40);
  expect(steps.length).toBeGreaterThan(1.25 * blocks.length);
});

it("no other thread is begun for a little", () => {
  let begun = 0;
  const begin = () => {
    begun++;
    return undefined;
  };
  const { jit, run } = looping(begin, AT_ONCE);
  run(999);
  expect([jit.statistics.units, begun]).toEqual([1, 0]);
});

/** A thread of Node's, and a program that waits for what it makes without a turn for anything else, as programs that compute do. */
function withThread() {
  ensureBuilt();
  const others = startTranslator(join(root, "dist", "bin", "thread.cjs"))!;
  while (!others.isReady);
  const { jit, run } = looping(() => others);
  const runUntil = (isDone: () => boolean) => {
    const end = performance.now() + 20_000;
    while (!isDone() && performance.now() < end) run(999);
  };
  return { others, jit, run, runUntil };
}

it("a thread of Node's translates", () => {
  const { others, jit, runUntil } = withThread();
  runUntil(() => jit.statistics.translated > 0);
  expect(jit.statistics).toMatchObject({ units: 1, ordered: 1, stale: 0 });
  expect(others.hasEnded).toBe(false);
  others.end();
  expect(others.hasEnded).toBe(true);
});

it("one that dies changes nothing", async () => {
  const { others, jit, run } = withThread();
  others.send(null);
  await expect.poll(() => others.hasEnded, { timeout: 20_000 }).toBe(true);
  run(999);
  run(999);
  expect(jit.statistics).toMatchObject({ units: 1, ordered: 0 });
  expect(jit.statistics.translated).toBeGreaterThan(0);
});
