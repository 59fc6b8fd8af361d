/** `npm run campaign -- --behaviours`: every behaviour, frozen and thawed at every one of its system calls, on every ABI. */
import { expect, it } from "vitest";
import { behaviours, buildBehaviours, runFrozen } from "../linux/behaviours/harness.ts";
import type { Target } from "../support/guests.ts";

const { PPCR_CAMPAIGN_ONLY = "" } = process.env;
/** Places at most, evenly spread: a few behaviours make thousands of calls. */
const MOST = 400;

for (const target of ["ppc32", "ppc64", "ppc64le"] satisfies Target[]) {
  it(`hold when they are frozen anywhere, for ${target}`, { timeout: 24 * 3600_000 }, async () => {
    const program = await buildBehaviours(target);
    const found: string[] = [];
    let frozen = 0;
    for (const name of behaviours) {
      if (!PPCR_CAMPAIGN_ONLY.split(",").some((only) => name.includes(only))) continue;
      try {
        frozen += await runFrozen(program, name, (counts) => {
          const step = Math.ceil(counts.length / MOST);
          return counts.filter((_, index) => index % Math.max(1, step) === 0);
        });
      } catch (error) {
        found.push(`${name}: ${(error as Error).message}`);
        process.stdout.write(`${target} ${found.at(-1)}\n`);
      }
    }
    process.stdout.write(`${target}: ${behaviours.length} behaviours, ${frozen} thaws\n`);
    expect(found).toEqual([]);
  });
}
