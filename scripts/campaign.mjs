/**
 * `npm run campaign -- [--seed N] [--minutes N] [--only NAME,…]`: the long differential run against qemu-user;
 * with `--reference [--seed N] [--cases N] [--only FAMILY,…]` that of floating point against exact arithmetic; with
 * `--files` the one of file lives against the host; with `--damage` images and programs with damage, which must be
 * refused or run; with `--recorded` the tests whose outputs were recorded on POWER; with `--behaviours` all
 * behaviours, frozen at all their system calls; with `--programs` programs of Debian's at real work, against the
 * host's own; with `--isa-coverage` (`npm run isa-coverage`) what of the instruction table they and the guest
 * programs cover.
 */
import { join } from "node:path";
import { root, run, setUp, setUpTools } from "./setup.mjs";

const args = process.argv.slice(2);
for (const [option, variable] of [
  ["--seed", "PPCR_CAMPAIGN_SEED"],
  ["--minutes", "PPCR_CAMPAIGN_MINUTES"],
  ["--only", "PPCR_CAMPAIGN_ONLY"],
  ["--cases", "PPCR_CAMPAIGN_CASES"],
]) {
  const at = args.indexOf(option);
  if (at >= 0) process.env[variable] = args[at + 1];
}
const campaigns = {
  "--files": "file-lives",
  "--damage": "damage",
  "--recorded": "recorded-outputs",
  "--reference": "reference-run",
  "--behaviours": "behaviours",
  "--programs": "programs",
  "--isa-coverage": "isa-coverage",
};
const [, chosen = "long-run"] = Object.entries(campaigns).find(([option]) => args.includes(option)) ?? [];
process.env.PPCR_CAMPAIGN = chosen;
setUp();
setUpTools();
run(process.execPath, [
  join(root, "node_modules", "vitest", "vitest.mjs"),
  "run",
  "--config",
  join(root, "vitest.campaign.config.ts"),
]);
