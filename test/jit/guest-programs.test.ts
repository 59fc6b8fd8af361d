/** Every guest program under both engines, everything translated at first sight: the same state at the same counts. */
import { describe, expect, it } from "vitest";
import type { EngineName } from "../../emu/machine.ts";
import { listPrograms, processorOf, suits } from "../../guest-bins/build.mjs";
import { compilers, guestCases, guestPath, type Target } from "../support/guests.ts";
import { load, stateOf } from "../support/machine.ts";
import { describeWithTools } from "../support/tools.ts";
import { AT_ONCE } from "./engines-agree.ts";
import { randomNumbers } from "./random-programs.ts";

/** What these see of the host's files (times, inode numbers) is not the same twice: they are held to counts and endings. */
const SEES_THE_HOST = new Set(["directories", "files", "segv"]);

/** Runs a program, stopping at the counts, and says what it was like there and at the end. */
async function states(
  path: string,
  name: string,
  engine: EngineName,
  cpuModel: string | undefined,
  counts: readonly bigint[],
) {
  const [{ args, env, stdin }] = guestCases(name);
  const subject = load(path, { args, env, input: stdin, seed: 7n, engine, cpuModel, tuning: AT_ONCE });
  const seen: unknown[] = [];
  try {
    for (const count of [...counts, undefined]) {
      const stop = await subject.machine.run(count);
      seen.push(stop, SEES_THE_HOST.has(name) ? subject.machine.instructions : stateOf(subject));
      if (stop.reason !== "limit") break;
    }
    return { seen, instructions: subject.machine.instructions, statistics: subject.machine.jitStatistics };
  } finally {
    subject.machine.close();
  }
}

const programs = await listPrograms();

describe("engines agree on guest programs", () => {
  for (const target of ["ppc32", "ppc64"] as Target[])
    describeWithTools(`for ${target}`, [compilers[target]], () => {
      for (const { name, variants } of programs.filter(({ targets }) => targets.includes(target))) {
        const variant = variants.findLast((each) => suits(each, target))!;
        it(`${name} at ${variant}`, async () => {
          const path = await guestPath(name, target, variant);
          const random = randomNumbers(name.length + 1);
          const counts = [1, 2, 3].map((n) => BigInt(n * 20_000 + (random() % 15_000)));
          const interpreted = await states(path, name, "interp", processorOf(variant), counts);
          const translated = await states(path, name, "jit", processorOf(variant), counts);
          expect(translated.seen).toEqual(interpreted.seen);
          expect(translated.instructions).toBe(interpreted.instructions);
          expect(translated.statistics!.translated).toBeGreaterThan(0);
        });
      }
    });
});
