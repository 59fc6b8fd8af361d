/** What becomes of processes that the program leaves behind when it ends. */
import { execFileSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { compilers, inTemporaryDirectory } from "../support/guests.ts";
import { startPpcr } from "../support/live.ts";
import { ppcr } from "../support/ppcr.ts";
import { describeWithTools } from "../support/tools.ts";

/** Runs `use` with the path of left-behind.c, built, and of an image beside it. */
const withGuest = (use: (path: string, image: string) => Promise<void>): Promise<void> =>
  inTemporaryDirectory(async (folder) => {
    const path = join(folder, "left-behind");
    const source = join(dirname(fileURLToPath(import.meta.url)), "guests", "left-behind.c");
    execFileSync(compilers.ppc32, ["-O2", "-static", "-o", path, source]);
    await use(path, join(folder, "image"));
  });

describeWithTools("processes that the program leaves behind", [compilers.ppc32], () => {
  it("go on to their ends, and the status is the program's; also when they are frozen without it", () =>
    withGuest(async (path, image) => {
      const whole = await ppcr(["run", "--seed", "1", "--stats", path, "prints"]);
      expect([whole.status, whole.stdout.toString()]).toEqual([7, "first\nlater, child of 1\n"]);
      const { instructions } = JSON.parse(whole.stderr.toString());
      // What the child has left to do when its second of sleep is over is more than that.
      const freeze = ["--checkpoint-at", `${instructions - 1000}`, "-o", image];
      const begun = await ppcr(["run", "--seed", "1", ...freeze, path, "prints"]);
      expect([begun.status, begun.stdout.toString()]).toEqual([0, "first\n"]);
      const rest = await ppcr(["restart", "--stats", "--dir", `${path}:${path}:ro`, image]);
      expect([rest.status, rest.stdout.toString()]).toEqual([7, "later, child of 1\n"]);
      expect(JSON.parse(rest.stderr.toString()).instructions).toBe(instructions);
    }));

  it("are ended with it where nobody would ever hear of them again", () =>
    withGuest(async (path) => {
      for (const what of ["daemon", "waits"]) {
        const run = await ppcr(["run", "--seed", "1", path, what]);
        expect([run.status, run.stdout.toString()]).toEqual([7, "first\n"]);
      }
    }));

  it("are ended by a signal that ends programs", () =>
    withGuest(async (path) => {
      const run = startPpcr("run", path, "sleeps");
      await run.says(/sleeping/);
      run.child.kill("SIGTERM");
      expect([await run.status, run.stdout]).toEqual([7, "first\nsleeping\n"]);
    }));
});
