import fc from "fast-check";
import { expect, it } from "vitest";
import { timeParts } from "../../../emu/linux/syscalls/time-format.ts";

const BILLION = 1_000_000_000n;

/** The same by division. */
function divided(time: bigint): { seconds: number; nanoseconds: number } {
  const nanoseconds = ((time % BILLION) + BILLION) % BILLION;
  return { seconds: Number((time - nanoseconds) / BILLION), nanoseconds: Number(nanoseconds) };
}

it("splits any time into seconds and nanoseconds", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }), (time) => {
      expect(timeParts(time)).toEqual(divided(time));
    }),
  );
  // Where numbers are rounded: near whole seconds far from the epoch.
  fc.assert(
    fc.property(
      fc.bigInt({ min: -9_300_000_000n, max: 9_300_000_000n }),
      fc.integer({ min: -600, max: 600 }),
      (s, n) => {
        const time = s * BILLION + BigInt(n);
        expect(timeParts(time)).toEqual(divided(time));
      },
    ),
    { numRuns: 20_000 },
  );
});
