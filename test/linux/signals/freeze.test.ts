/** Machines frozen anywhere in programs that live on signals and timers, and thawed, go on as if nothing had been. */
import { expect, it } from "vitest";
import { compilers, type Target } from "../../support/guests.ts";
import { describeWithTools } from "../../support/tools.ts";
import { build, load, thaw } from "./guests.ts";

/** Runs to the end, going over to a thawed machine every `step` instructions. */
async function inPieces(program: string, step: bigint) {
  let { machine, output } = load(program);
  let text = "";
  for (let until = step; ; until += step) {
    const stop = await machine.run(until);
    if (stop.reason !== "limit") return { stop, text: text + output(), instructions: machine.instructions };
    text += output();
    ({ machine, output } = thaw(machine, program));
  }
}

for (const target of ["ppc32", "ppc64", "ppc64le"] satisfies Target[]) {
  describeWithTools(`freezing signal programs for ${target}`, [compilers[target]], () => {
    it.each([
      ["signals", "delivery", 11003n],
      ["signals", "restart", 9001n],
      ["signals", "faults", 50021n],
      ["signals", "registers", 9973n],
      ["signals", "scv", 5003n],
      ["signals", "vectorframes", 7001n],
    ])(
      "%s/%s ends the same, frozen again and again",
      async (area, name, step) => {
        const program = await build(area, name, target);
        const { machine, output } = load(program);
        const stop = await machine.run();
        const whole = { stop, text: output(), instructions: machine.instructions };
        expect(whole.stop).toEqual({ reason: "exit", status: 0 });
        expect(await inPieces(program, step)).toEqual(whole);
      },
      60_000,
    );
  });
}
