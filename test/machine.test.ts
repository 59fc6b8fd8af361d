import fs from "node:fs";
import { expect, it } from "vitest";
import { guestPath } from "./support/guests.ts";
import { load } from "./support/machine.ts";

it("closes its files once: by the second time others may have their descriptors", async () => {
  const { machine } = load(await guestPath("printf", "ppc32"));
  await machine.run();
  machine.close();
  const others = Array.from({ length: 20 }, () => fs.openSync("/dev/null", "r"));
  machine.close();
  for (const other of others) expect(fs.fstatSync(other).isCharacterDevice()).toBe(true);
  for (const other of others) fs.closeSync(other);
});
