/**
 * `npm run campaign -- --recorded`: valgrind's instruction tests, with the outputs that were recorded on POWER machines. The sources
 * come from Debian; nothing of them is kept here.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { debianSource } from "../support/debian-source.ts";
import type { Target } from "../support/guests.ts";
import { ensureBuilt, runPpcr } from "../support/ppcr.ts";
import { type Closest, closest, explain, leftOut } from "../support/recorded.ts";
import { builder, SYSROOTS } from "../support/recorded-build.ts";

const only = process.env.PPCR_CAMPAIGN_ONLY?.split(",");
const engine = process.env.PPCR_CAMPAIGN_ENGINE ?? "interp";
const source = debianSource("valgrind", ["*/none/tests/ppc32/*", "*/none/tests/ppc64/*", "*/tests/*.h"]);
/** How each run ended. */
const summary: string[] = [];
const counts = { equal: 0, different: 0, "left out": 0 };

/** The processors on which an output may have been recorded, the likeliest first. */
function modelsFor(name: string): string[] {
  if (/isa_3_1/.test(name)) return ["power10"];
  if (/isa_3_0|darn|mcrxrx|mod_inst|scv/.test(name)) return ["power9"];
  return ["power9", "power8", "power7"];
}

interface Outcome extends Closest {
  readonly model: string;
}

/** Runs a program on the models until the output is one of those that were recorded; else the closest one. */
async function bestOutcome(
  path: string,
  args: readonly string[],
  target: Target,
  models: readonly string[],
  recorded: readonly { name: string; text: string }[],
): Promise<Outcome> {
  let best: Outcome | undefined;
  for (const model of models) {
    const flags = ["-L", SYSROOTS[target], "--engine", engine, "--cpu", model];
    const run = await runPpcr(path, { args: [...args], timeout: 800_000 }, flags);
    const outcome = { ...closest(run.stdout, recorded), model };
    if (best === undefined || outcome.lines.length < best.lines.length) best = outcome;
    if (best.lines.length === 0) break;
  }
  return best as Outcome;
}

for (const target of ["ppc32", "ppc64", "ppc64le"] as const) {
  const folder = join(source, "none", "tests", target === "ppc32" ? "ppc32" : "ppc64");
  const build = builder(source, folder, target);
  const files = readdirSync(folder);
  const names = files.flatMap((file) => /^(.*)\.vgtest$/.exec(file)?.[1] ?? []);

  describe(target, () => {
    for (const name of names.filter((each) => only?.includes(each) ?? true)) {
      const reason = leftOut(name, target);
      if (reason !== undefined) {
        counts["left out"]++;
        summary.push(`${target} ${name}: left out, ${reason}`);
        continue;
      }
      it(name, { timeout: 3600_000 }, async () => {
        const prog = /^prog:\s*(.*?)\s*$/m.exec(readFileSync(join(folder, `${name}.vgtest`), "utf8"))?.[1];
        const [program = "", ...args] = prog?.split(/\s+/) ?? [];
        const recorded = files
          .filter((each) => each.startsWith(`${name}.stdout.exp`))
          .map((each) => ({ name: each, text: readFileSync(join(folder, each), "latin1") }));
        const path = build(program);
        ensureBuilt();
        const {
          lines,
          total,
          model,
          name: expected,
        } = await bestOutcome(path, args, target, modelsFor(name), recorded);
        const { unexplained, reasons } = explain(name, lines);
        counts[lines.length === 0 ? "equal" : "different"]++;
        const why = [...reasons].map(([each, count]) => `; ${count}: ${each}`).join("");
        summary.push(
          `${target} ${name}: ${lines.length} of ${total} lines differ from ${expected} on ${model}, ${unexplained.length} of them unexplained${why}`,
        );
        expect(unexplained.slice(0, 40)).toEqual([]);
      });
    }
  });
}

afterAll(() => {
  const total = Object.entries(counts).map(([what, count]) => `${count} ${what}`);
  process.stdout.write(`${summary.join("\n")}\n${total.join(", ")}\n`);
});
