/** Behaviours of Linux that check themselves: run plainly in both engines, and a sample of them frozen on the way. */
import { expect, it } from "vitest";
import { compilers, type Target } from "../../support/guests.ts";
import { describeWithTools } from "../../support/tools.ts";
import { behaviours, buildBehaviours, runAll, runFrozen } from "./harness.ts";

/** Every so many behaviours are frozen here, each ABI others, at so many places; the campaign does all of it. */
const STRIDE = 23;
const PLACES = 4;

/** Those that do more for root. */
const OF_ROOT = /^capabilities\/|handles$/;

/** Some of a list, evenly. */
const some = <T>(list: readonly T[], count: number): T[] =>
  list.filter((_, index) => index % Math.max(1, Math.floor(list.length / count)) === 0).slice(0, count);

for (const [index, target] of (["ppc32", "ppc64", "ppc64le"] satisfies Target[]).entries()) {
  describeWithTools(`behaviours of Linux for ${target}`, [compilers[target]], () => {
    it("hold", { timeout: 240_000 }, async () => {
      const program = await buildBehaviours(target);
      const expected = behaviours.map((name) => `PASS ${name}`).sort();
      expect(expected.length).toBeGreaterThan(150);
      expect((await runAll(program, { engine: index === 0 ? "interp" : "jit" })).sort()).toEqual(expected);
    });
    it("hold for root, who has capabilities", { timeout: 120_000 }, async () => {
      const program = await buildBehaviours(target);
      const root = { uid: 0, gid: 0 };
      for (const [place, name] of behaviours.filter((each) => OF_ROOT.test(each)).entries()) {
        expect(await runAll(program, { ...root, args: [name] })).toEqual([`PASS ${name}`]);
        if (place % 3 === index) await runFrozen(program, name, (counts) => some(counts, PLACES), root);
      }
    });
    it("hold when they are frozen and thawed at their system calls", { timeout: 240_000 }, async () => {
      const program = await buildBehaviours(target);
      let frozen = 0;
      for (const name of behaviours.filter((_, place) => place % STRIDE === index)) {
        frozen += await runFrozen(program, name, (counts) => some(counts, PLACES));
      }
      expect(frozen).toBeGreaterThan(15);
    });
  });
}
