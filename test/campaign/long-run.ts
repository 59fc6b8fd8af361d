/** `npm run campaign`: the differential campaign, round after round with new seeds until its time is up. */
import { writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { describeMismatch, runCampaign } from "../oracles/campaign.ts";

const { PPCR_CAMPAIGN_SEED = "1", PPCR_CAMPAIGN_MINUTES = "10", PPCR_CAMPAIGN_ONLY } = process.env;
const only = PPCR_CAMPAIGN_ONLY?.split(",");

it("finds no difference but the known ones", { timeout: 24 * 3600_000 }, () => {
  const end = Date.now() + Number(PPCR_CAMPAIGN_MINUTES) * 60_000;
  const mismatches = new Set<string>();
  const known = new Map<string, number>();
  let cases = 0;
  let seed = Number(PPCR_CAMPAIGN_SEED);
  for (; Date.now() < end; seed++) {
    for (const abi of ["ppc32", "ppc64", "ppc64le"] as const) {
      const result = runCampaign({ abi, seed, words: 10, states: 20, only });
      cases += result.cases;
      for (const mismatch of result.mismatches)
        mismatches.add(`${abi} seed ${seed} ${describeMismatch(mismatch)}`);
      for (const [reason, count] of result.known) known.set(reason, (known.get(reason) ?? 0) + count);
    }
    process.stdout.write(`seed ${seed}: ${cases} cases so far, ${mismatches.size} mismatches\n`);
  }
  const report = [...known].map(([reason, count]) => `${count} x ${reason}`).sort();
  process.stdout.write(`known differences:\n${report.join("\n")}\n`);
  if (process.env.PPCR_CAMPAIGN_REPORT)
    writeFileSync(process.env.PPCR_CAMPAIGN_REPORT, [...mismatches].join("\n"));
  expect([...mismatches]).toEqual([]);
});
