/** The drivers that every instruction test runs on. */
import fc from "fast-check";
import { afterAll, beforeAll, describe } from "vitest";
import { describeWithTools } from "../support/tools.ts";
import type { TestDriver } from "./driver.ts";
import { interpreterDriver } from "./interpreter-driver.ts";
import { qemuDriver } from "./qemu-driver.ts";

/** Runs of a property on qemu-user, which takes a millisecond a case. */
const QEMU_RUNS = Number(process.env.PPCR_QEMU_RUNS ?? 25);

/** A suite that runs once on each driver; those that need tools which are not there are left out as elsewhere. */
export function describeOnDrivers(name: string, body: (driver: TestDriver) => void): void {
  describe(`${name} on the interpreter`, () => body(interpreterDriver));
  describeWithTools(`${name} on qemu-user`, ["qemu-ppc", "qemu-ppc64"], () => {
    beforeAll(() => {
      fc.configureGlobal({ numRuns: QEMU_RUNS });
    });
    afterAll(() => {
      fc.resetConfigureGlobal();
    });
    body(qemuDriver);
  });
}
