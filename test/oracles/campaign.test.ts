/** A sample of the differential campaign; `npm run campaign` runs as much of it as there is time for. */
import { expect, it } from "vitest";
import { describeWithTools } from "../support/tools.ts";
import { describeMismatch, runCampaign } from "./campaign.ts";

const TOOLS = [
  "powerpc-linux-gnu-gcc",
  "powerpc64-linux-gnu-gcc",
  "powerpc64le-linux-gnu-gcc",
  "qemu-ppc",
  "qemu-ppc64",
  "qemu-ppc64le",
];

describeWithTools("random single instructions", TOOLS, () => {
  it.each(["ppc32", "ppc64", "ppc64le"] as const)("do on %s what they do under qemu-user", (abi) => {
    const { cases, mismatches } = runCampaign({ abi, seed: 20_090_130, words: 4, states: 15 });
    expect(mismatches.map(describeMismatch)).toEqual([]);
    expect(cases).toBeGreaterThan(10_000);
  });
});
