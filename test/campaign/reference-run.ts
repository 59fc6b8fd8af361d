/**
 * `npm run campaign -- --reference [--seed N] [--cases N] [--only FAMILY,…]`: floating point beside the reference in exact
 * arithmetic, in slices: a seed is one, so a run that was interrupted goes on with the seed behind the last that it printed.
 */
import { expect, it } from "vitest";
import { FAMILIES } from "../cpu/floating-point/families.ts";
import { differences } from "../cpu/floating-point/family.ts";

/** Cases of a row in a slice. */
const CASES = 500;
const { PPCR_CAMPAIGN_SEED = "1", PPCR_CAMPAIGN_CASES = "10000000", PPCR_CAMPAIGN_ONLY } = process.env;
const only = PPCR_CAMPAIGN_ONLY?.split(",");

it("agrees with exact arithmetic", { timeout: 24 * 3600_000 }, () => {
  const found: string[] = [];
  const families = FAMILIES.filter(({ name }) => only?.includes(name) ?? true);
  if (families.length === 0)
    throw new Error(`the families are ${FAMILIES.map(({ name }) => name).join(", ")}`);
  const totals = families.map((family) => ({ family, cases: 0, different: 0 }));
  const casesOf = () => totals.reduce((sum, { cases }) => sum + cases, 0);
  for (let seed = Number(PPCR_CAMPAIGN_SEED); casesOf() < Number(PPCR_CAMPAIGN_CASES); seed++) {
    for (const total of totals) {
      for (const row of total.family.rows) {
        const different = differences(total.family, row, seed, CASES);
        total.cases += CASES;
        total.different += different.length;
        found.push(...different.slice(0, 3));
      }
    }
    const report = totals.map(({ family, cases, different }) => `${family.name} ${cases} (${different})`);
    process.stdout.write(`seed ${seed}: cases (differences) so far: ${report.join(", ")}\n`);
  }
  expect(found).toEqual([]);
});
