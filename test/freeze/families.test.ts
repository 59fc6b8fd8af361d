/** Programs of many threads and processes, frozen and thawed again and again: they go on as if nothing had happened. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { build, expectedOutput } from "../linux/signals/guests.ts";
import { compilers, type Target } from "../support/guests.ts";
import { freeze, load, runToEnd, type Subject, stateOf, thaw } from "../support/machine.ts";
import { describeWithTools } from "../support/tools.ts";

/** Where in a run to freeze: parts per million of its length, ascending. */
const PARTS = 1_000_000;
const places = fc
  .array(fc.nat(PARTS - 1), { minLength: 1, maxLength: 5 })
  .map((parts) => parts.sort((a, b) => a - b));

/** Freezes and thaws where `counts` says, each time in a new machine; what is written in all. */
async function runInStages(first: Subject, counts: readonly bigint[]) {
  let subject = first;
  let stdout = "";
  for (const count of counts) {
    if (subject.machine.instructions >= count) continue;
    expect(await subject.machine.run(count)).toEqual({ reason: "limit" });
    const image = freeze(subject);
    stdout += subject.host.stdout.text;
    const next = thaw(image, { ...subject, input: "" });
    expect(Buffer.compare(freeze(next), image), `frozen again after ${count}`).toBe(0);
    expect(stateOf(next)).toEqual(stateOf(subject));
    subject = next;
  }
  const { registers, ...end } = await runToEnd(subject);
  return { ...end, registers, stdout: stdout + end.stdout };
}

for (const target of ["ppc32", "ppc64"] satisfies Target[])
  describeWithTools(`${target} programs of many tasks, frozen anywhere`, [compilers[target]], () => {
    it.each(["processes", "threads"])("%s end the same", { timeout: 240_000 }, async (name) => {
      const program = await build("process", name, target);
      const fresh = () => load(program, { seed: 7n, input: "", addressSpaceSize: 2 ** 30 });
      const whole = await runToEnd(fresh());
      expect(whole.stdout).toBe(await expectedOutput("process", name));
      await fc.assert(
        fc.asyncProperty(places, async (parts) => {
          const counts = parts.map((part) => (BigInt(part) * whole.instructions) / BigInt(PARTS));
          expect(await runInStages(fresh(), counts)).toEqual(whole);
        }),
        { numRuns: 3, seed: 1 },
      );
    });
  });
