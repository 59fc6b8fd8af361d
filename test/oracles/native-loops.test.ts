/** What compilers make vector code of, beside the host's own build of the same source: integers, singles and doubles are the same everywhere. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { lazily } from "../../emu/lazily.ts";
import { processorOf, suits, type Target } from "../../guest-bins/build.mjs";
import { compilers, guestCases, guestPath, inTemporaryDirectory, type Variant } from "../support/guests.ts";
import { load, runToEnd } from "../support/machine.ts";
import { root } from "../support/ppcr.ts";
import { describeWithTools } from "../support/tools.ts";

const VARIANTS: readonly Variant[] = ["7450", "power7", "power8", "power9", "power10"];

/** What the host's build prints. */
const native = lazily(() =>
  inTemporaryDirectory(async (directory) => {
    const sources = join(root, "guest-bins", "src");
    const built = join(directory, "vectors");
    const flags = ["-std=gnu17", "-w", "-O1", "-ffp-contract=off", "-I", sources];
    execFileSync("gcc", [...flags, join(sources, "vectors.c"), "-o", built, "-lm"]);
    return execFileSync(built, { encoding: "utf8" });
  }),
);

for (const target of ["ppc32", "ppc64", "ppc64le"] as const satisfies Target[]) {
  describeWithTools(`vector code for ${target}`, [compilers[target], "gcc"], () => {
    it.each(VARIANTS.filter((variant) => suits(variant, target)))(
      "gives the host's results: %s",
      async (variant) => {
        const path = await guestPath("vectors", target, variant);
        const expected = await native();
        const [{ args, env }] = guestCases("vectors");
        const subject = load(path, { args, env, seed: 1n, cpuModel: processorOf(variant) });
        const { stdout } = await runToEnd(subject);
        expect(stdout).toBe(expected);
      },
    );
  });
}
