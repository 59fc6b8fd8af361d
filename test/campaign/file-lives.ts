/** `npm run campaign -- --files`: lives of files, one seed after another until the time is up. */
import { expect, it } from "vitest";
import { difference, FileLife, life, seeded } from "../support/file-life.ts";

const { PPCR_CAMPAIGN_SEED = "1", PPCR_CAMPAIGN_MINUTES = "10" } = process.env;

it("are the same in a machine and on the host", { timeout: 24 * 3600_000 }, async () => {
  const end = Date.now() + Number(PPCR_CAMPAIGN_MINUTES) * 60_000;
  const lives = new FileLife();
  const found: string[] = [];
  let operations = 0;
  let seed = Number(PPCR_CAMPAIGN_SEED);
  try {
    for (; Date.now() < end && found.length < 20; seed++) {
      const random = seeded(seed);
      const list = life(random, 200 + random(400));
      const native = lives.native(list);
      const target = random(2) === 0 ? "ppc32" : "ppc64";
      const differs = await lives
        .guest(list, target, random)
        .then((lines) => difference(native, lines))
        .catch((error: Error) => error.stack);
      if (differs !== undefined) {
        found.push(`seed ${seed}, ${target}:\n${differs}`);
        process.stdout.write(`${found.at(-1)}\n`);
      }
      operations += list.length;
      if (seed % 20 === 0) {
        process.stdout.write(
          `seed ${seed}: ${operations} operations, ${lives.thaws} thaws, ${found.length} differences\n`,
        );
      }
    }
  } finally {
    lives.close();
  }
  process.stdout.write(`${operations} operations, ${lives.thaws} thaws, up to seed ${seed}\n`);
  expect(found).toEqual([]);
});
