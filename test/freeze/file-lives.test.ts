/** Lives of files, frozen and thawed, beside the same lives on the host. The long run: `npm run campaign -- --files`. */
import { afterAll, expect, it } from "vitest";
import { difference, FileLife, life, seeded } from "../support/file-life.ts";
import { compilers } from "../support/guests.ts";
import { describeWithTools } from "../support/tools.ts";

describeWithTools("lives of files", ["gcc", ...Object.values(compilers)], () => {
  const lives = new FileLife();
  afterAll(() => lives.close());

  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    "are what they are on the host, whenever they are frozen (seed %i)",
    async (seed) => {
      const operations = life(seeded(seed), 60);
      const native = lives.native(operations);
      for (const target of ["ppc32", "ppc64"] as const) {
        const guest = await lives.guest(operations, target, seeded(-seed));
        expect(difference(native, guest)).toBeUndefined();
      }
    },
  );
  it("have been thawed now and then", () => expect(lives.thaws).toBeGreaterThan(20));
});
