/** System calls that translated code makes without being left: what comes of them besides a result comes before the next instruction. */
import { expect, it } from "vitest";
import { build, expectedOutput } from "../linux/signals/guests.ts";
import { compilers, inTemporaryDirectory, type Target } from "../support/guests.ts";
import { load } from "../support/machine.ts";
import { describeWithTools } from "../support/tools.ts";
import { AT_ONCE } from "./engines-agree.ts";

/** What the program makes of them, at the least, and for how many of those translated code may be left. */
const CALLS = 8_000;
const MOST_LEFT = 2_000;

for (const target of ["ppc32", "ppc64", "ppc64le"] satisfies Target[])
  describeWithTools(`brief calls of ${target} programs`, [compilers[target]], () => {
    it("do what all calls do", { timeout: 120_000 }, async () => {
      const program = await build("process", "brief", target);
      await inTemporaryDirectory(async (cwd) => {
        const { machine, host } = load(program, { cwd, engine: "jit", tuning: AT_ONCE });
        expect(await machine.run()).toEqual({ reason: "exit", status: 0 });
        expect(host.stdout.text).toBe(await expectedOutput("process", "brief"));
        const { exits, translated } = machine.jitStatistics!;
        expect(translated).toBeGreaterThan(CALLS);
        expect(exits.syscall).toBeLessThan(MOST_LEFT);
        machine.close();
      });
    });
  });
