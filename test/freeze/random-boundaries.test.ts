import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, it } from "vitest";
import { compilers, guestCases, guestPath, type Target } from "../support/guests.ts";
import { freeze, load, runToEnd, type Subject, stateOf, thaw } from "../support/machine.ts";
import { describeWithTools } from "../support/tools.ts";

/**
 * Programs to freeze, and whether their whole state repeats. Where it does not, they have seen what the host says of
 * files (inode numbers, times), which is another in each run; what they write and how they end is the same all the same.
 */
const programs: [name: string, variant: "O2" | "asm", repeats: boolean][] = [
  ["allocate", "O2", true],
  ["atomics", "O2", true],
  ["context", "O2", true],
  ["directories", "O2", false],
  ["files", "O2", false],
  ["mmap", "O2", false],
  ["pending", "O2", true],
  ["pipes", "O2", true],
  ["printf", "O2", true],
  ["scanf", "O2", true],
  ["selfmodify", "asm", true],
  ["setjmp", "O2", true],
  ["signals", "O2", true],
  ["timers", "O2", true],
];

/** Where in a run to freeze: parts per million of its length, ascending; `fc.double` would be near its beginning nearly always. */
const PARTS = 1_000_000;
const places = fc
  .array(fc.nat(PARTS - 1), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.sort((a, b) => a - b));

const scratch = mkdtempSync(join(tmpdir(), "ppcr-freeze-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** A program ready to run in an empty directory, at the same place each time. */
function fresh(program: string, name: string): Subject {
  const cwd = join(scratch, name);
  rmSync(cwd, { recursive: true, force: true });
  mkdirSync(cwd);
  const [{ args, env, stdin }] = guestCases(name);
  return load(program, { args, env, input: stdin, cwd, seed: 7n });
}

/** Freezes and thaws where `counts` says, each time in a new machine. */
async function runInStages(first: Subject, counts: readonly bigint[]) {
  let subject = first;
  let stdout = "";
  let stderr = "";
  for (const count of counts) {
    expect(await subject.machine.run(count)).toEqual({ reason: "limit" });
    const image = freeze(subject);
    const { host } = subject;
    stdout += host.stdout.text;
    stderr += host.stderr.text;
    const next = thaw(image, { ...subject, input: host.stdin.text });
    expect(Buffer.compare(freeze(next), image), `frozen again after ${count}`).toBe(0);
    expect(stateOf(next)).toEqual(stateOf(subject));
    subject = next;
  }
  const end = await runToEnd(subject);
  return { ...end, stdout: stdout + end.stdout, stderr: stderr + end.stderr };
}

for (const target of ["ppc32", "ppc64"] satisfies Target[])
  describeWithTools(`${target} programs frozen at random boundaries`, [compilers[target]], () => {
    for (const [name, variant, repeats] of programs)
      it(`${name} ends as if nothing had happened`, { timeout: 240_000 }, async () => {
        const program = await guestPath(name, target, variant);
        const whole = await runToEnd(fresh(program, name));
        const seen = ({ memory, registers, ...rest }: typeof whole) =>
          repeats ? { memory, registers, ...rest } : rest;
        await fc.assert(
          fc.asyncProperty(places, async (parts) => {
            const counts = parts.map((part) => (BigInt(part) * whole.instructions) / BigInt(PARTS));
            expect(seen(await runInStages(fresh(program, name), counts))).toEqual(seen(whole));
          }),
          { numRuns: 4, endOnFailure: true },
        );
      });
  });
