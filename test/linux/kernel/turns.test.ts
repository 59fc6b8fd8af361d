/** Turns of threads: their order and their lengths. */
import { expect, it } from "vitest";
import { Scheduler } from "../../../emu/linux/scheduler.ts";
import { SLICE, SLICE_SPREAD_BITS } from "../../../emu/tuning.ts";

const threads = ["one", "other"].map((name, tid) => ({ name, tid, wake: () => {} }));

/** Whose turns come from a count of instructions on, and how long they are. */
function turns(from: bigint, count: number): { name: string; length: number }[] {
  let instructions = from;
  const scheduler = new Scheduler<(typeof threads)[number]>(() => instructions);
  for (const thread of threads) scheduler.add(thread);
  return Array.from({ length: count }, () => {
    const { name } = scheduler.next()!;
    const length = scheduler.sliceLeft;
    scheduler.charge(length);
    instructions += BigInt(length);
    return { name, length };
  });
}

it("threads take turns of lengths that no loop keeps in step with", () => {
  const all = turns(0n, 200);
  expect(all.map(({ name }) => name)).toEqual(Array.from({ length: 200 }, (_, i) => threads[i % 2].name));
  const lengths = all.map(({ length }) => length);
  expect(Math.max(...lengths)).toBeLessThanOrEqual(SLICE);
  expect(Math.min(...lengths)).toBeGreaterThan(SLICE - 2 ** SLICE_SPREAD_BITS);
  expect(new Set(lengths).size).toBeGreaterThan(190);
  // Where a loop of so many instructions is at the end of a turn: in each tenth of it now and then.
  for (const loop of [1_000, 12_345, 500_000]) {
    let at = 0;
    const tenths = new Set(lengths.map((length) => Math.floor((10 * ((at += length) % loop)) / loop)));
    expect(tenths.size).toBe(10);
  }
});

it("turns are the same from the same count of instructions on", () => {
  const all = turns(0n, 20);
  const before = all.slice(0, 10).reduce((sum, { length }) => sum + length, 0);
  expect(turns(BigInt(before), 10)).toEqual(all.slice(10));
});
