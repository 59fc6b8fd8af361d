/** The time of day, which goes with the times that the host gives its files. */
import { closeSync, fstatSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { realtime } from "../../emu/host/node/wall-clock.ts";
import { inTemporaryDirectory } from "../support/guests.ts";

it("is never behind what has just been written", async () => {
  await inTemporaryDirectory(async (folder) => {
    const file = openSync(join(folder, "file"), "w");
    const written = () => {
      writeSync(file, "x", 0);
      return fstatSync(file, { bigint: true }).mtimeNs;
    };
    // The host's files have times a few milliseconds apart: each is looked at when it is new.
    for (let turn = 0, last = written(); turn < 30; turn++) {
      let time = written();
      while (time === last) time = written();
      expect(realtime()).toBeGreaterThanOrEqual(time);
      last = time;
    }
    closeSync(file);
  });
});

it("is the host's", () => {
  const near = 50_000n;
  for (let turn = 0; turn < 10_000; turn++) {
    const before = BigInt(Date.now()) * 1_000_000n;
    const time = realtime();
    const after = BigInt(Date.now() + 1) * 1_000_000n;
    expect(time >= before - near && time < after + near).toBe(true);
  }
});
