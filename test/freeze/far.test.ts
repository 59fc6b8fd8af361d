/** A 64-bit program that uses addresses above 4 GiB in every way, in both engines, and frozen and thawed again and again. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { compilers, type Target } from "../support/guests.ts";
import { type Ending, freeze, load, runToEnd, thaw } from "../support/machine.ts";
import { describeWithTools, requireTool } from "../support/tools.ts";

const SOURCE = join(dirname(fileURLToPath(import.meta.url)), "guests", "far.c");
const STAGES = 20n;

for (const target of ["ppc64", "ppc64le"] satisfies Target[]) {
  describeWithTools(`far memory of a ${target} program`, [compilers[target]], () => {
    let folder: string;
    let program: string;
    let plain: Ending;
    beforeAll(async () => {
      folder = fs.realpathSync(fs.mkdtempSync(join(os.tmpdir(), "ppcr-far-")));
      program = join(folder, "prog");
      execFileSync(requireTool(compilers[target]), ["-O2", "-static", "-o", program, SOURCE]);
      plain = await runToEnd(load(program, { seed: 1n }));
    });
    afterAll(() => fs.rmSync(folder, { recursive: true }));

    it("holds what was stored, and faults where nothing is", () => {
      expect(plain).toMatchObject({ stdout: "PASS\n", stderr: "" });
    });

    it("is the same with a translator", async () => {
      expect(
        await runToEnd(
          load(program, { seed: 1n, engine: "jit", tuning: { threshold: 20, translateAfter: 0 } }),
        ),
      ).toEqual(plain);
    });

    it(`is the same when the program is frozen and thawed ${STAGES} times`, async () => {
      let subject = load(program, { seed: 1n });
      const step = plain.instructions / STAGES;
      let stdout = "";
      for (let stage = 1n; stage < STAGES; stage++) {
        expect(await subject.machine.run(step + stage)).toEqual({ reason: "limit" });
        const image = freeze(subject);
        stdout += subject.host.stdout.text;
        subject.machine.close();
        subject = thaw(image, subject);
      }
      const end = await runToEnd(subject);
      expect({ ...end, stdout: stdout + end.stdout }).toEqual(plain);
    });
  });
}
