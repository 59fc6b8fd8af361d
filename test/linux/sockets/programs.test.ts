/** Sockets as programs see them, who can't tell that they are frozen and thawed. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { runThroughFreezes } from "../../support/boundaries.ts";
import { compilers, type Target } from "../../support/guests.ts";
import { describeWithTools } from "../../support/tools.ts";
import { build, expectedOutput } from "../signals/guests.ts";

const scratch = mkdtempSync(join(tmpdir(), "ppcr-sockets-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

// Expected is what the same programs print on Linux, built for the host: qemu-user gets control messages wrong.
const programs = ["unix"];
/** Each ABI is frozen at other system calls, so that between them they are frozen at most. */
const steps: Record<Target, number> = { ppc32: 61, ppc64: 53, ppc64le: 71 };

for (const target of ["ppc32", "ppc64", "ppc64le"] satisfies Target[])
  describeWithTools(`sockets of ${target}`, [compilers[target]], () => {
    it.each(programs)("are to %s what they are on Linux", { timeout: 60_000 }, async (name) => {
      const program = await build("sockets", name, target);
      const whole = await runThroughFreezes(program, Number.POSITIVE_INFINITY, { cwd: scratch });
      expect(whole.stdout).toBe(await expectedOutput("sockets", name));
      expect(whole.status).toBe(0);
    });
    it.each(programs)("are so to %s when it is frozen and thawed", { timeout: 120_000 }, async (name) => {
      const program = await build("sockets", name, target);
      const course = await runThroughFreezes(program, steps[target], { cwd: scratch, seed: 5n });
      expect(course.stdout).toBe(await expectedOutput("sockets", name));
      expect(course.status).toBe(0);
      expect(course.freezes).toBeGreaterThan(10);
    });
  });
