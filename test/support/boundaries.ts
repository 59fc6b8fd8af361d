/** Programs that are frozen and thawed between their system calls. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { build, expectedOutput } from "../linux/signals/guests.ts";
import { compilers, type Target } from "./guests.ts";
import { freeze, load, type Subject, type SubjectOptions, thaw } from "./machine.ts";
import { describeWithTools } from "./tools.ts";

/** What a program has written in all, how it ended, and how often it was frozen meanwhile. */
export interface Course {
  stdout: string;
  status: number | undefined;
  freezes: number;
}

/** The first system call after which a program is frozen: programs that make few are frozen, too. */
const FIRST = 7;

/**
 * Runs a program that is frozen after every `step`th of its system calls, and goes on in another machine each time. Calls in
 * which threads wait meanwhile are frozen with them.
 */
export async function runThroughFreezes(
  program: string,
  step: number,
  options: SubjectOptions,
): Promise<Course> {
  let subject: Subject;
  let calls = 0;
  const strace = () => {
    if (++calls % step === FIRST % step) subject.machine.requestStop();
  };
  subject = load(program, { ...options, strace });
  let stdout = "";
  for (let freezes = 0; ; freezes++) {
    const stop = await subject.machine.run();
    if (stop.reason !== "stopped") {
      const status = stop.reason === "exit" ? stop.status : undefined;
      return { stdout: stdout + subject.host.stdout.text, status, freezes };
    }
    stdout += subject.host.stdout.text;
    const image = freeze(subject);
    subject.machine.close();
    subject = thaw(image, { ...subject, strace });
  }
}

/** Each ABI is frozen at other system calls, so that between them they are frozen at many. `PPCR_STEP=1`: at all of them. */
const STEPS: Record<Target, number> = { ppc32: 47, ppc64: 41, ppc64le: 53 };
const given = Number(process.env.PPCR_STEP ?? 0);

/**
 * Defines the suite of programs of an area: they print what they do on Linux, built for the host, on all ABIs, and the same when they
 * are frozen and thawed on their way.
 */
export function describeFrozen(area: string, names: readonly string[]): void {
  const scratch = mkdtempSync(join(tmpdir(), `ppcr-${area}-`));
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));
  for (const target of ["ppc32", "ppc64", "ppc64le"] satisfies Target[])
    describeWithTools(`${area} of ${target}`, [compilers[target]], () => {
      const runs: [what: string, step: number][] = [
        ["is to %s what it is on Linux", Number.POSITIVE_INFINITY],
        ["is so to %s when it is frozen and thawed", given || STEPS[target]],
      ];
      for (const [what, step] of runs)
        it.each(names)(what, { timeout: 600_000 }, async (name) => {
          const program = await build(area, name, target);
          const course = await runThroughFreezes(program, step, { cwd: scratch, seed: 5n });
          expect(course.stdout).toBe(await expectedOutput(area, name));
          expect(course.status).toBe(0);
          if (Number.isFinite(step)) expect(course.freezes).toBeGreaterThan(0);
        });
    });
}
