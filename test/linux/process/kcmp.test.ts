/** The order that kcmp(2) gives, across a freeze. */
import { expect, it } from "vitest";
import { modelFor } from "../../../emu/cpu/models.ts";
import { ABIS } from "../../../emu/linux/abi.ts";
import { freezeKernel, thawKernel } from "../../../emu/linux/freeze.ts";
import type { MachineSnapshot } from "../../../emu/snapshot.ts";
import { CallDriver } from "../../support/call-driver.ts";
import { memoryHost } from "../../support/memory-host.ts";

const [FILE, VM] = [0, 1];

const thaw = (snapshot: MachineSnapshot) =>
  thawKernel(snapshot, {
    host: memoryHost(),
    abi: ABIS.ppc64,
    cpuModel: modelFor(undefined, "ppc64"),
    mounts: [],
  });

it("stays what it was", async () => {
  const guest = new CallDriver("ppc64");
  const { pid } = guest.process;
  const [one, two, three] = [await guest.ok("eventfd2", 0, 0), await guest.ok("eventfd2", 0, 0), 0];
  const compare = (a: number, b: number) => guest.call("kcmp", pid, pid, FILE, a, b);
  expect(freezeKernel(guest.kernel).compared).toBeUndefined();
  // What is seen first comes first.
  expect([await compare(two, one), await compare(one, three), await compare(three, two)]).toEqual([1, 1, 2]);
  expect(await guest.call("kcmp", pid, pid, VM, 0, 0)).toBe(0);
  const snapshot = freezeKernel(guest.kernel);
  const files = [two, one, three].map((index) => ({ part: FILE, pid, index }));
  expect(snapshot.compared).toEqual([...files, { part: VM, pid, index: 0 }]);
  expect(freezeKernel(thaw(snapshot)).compared).toEqual(snapshot.compared);
  for (const wrong of [
    { part: FILE, pid, index: 99 },
    { part: 99, pid, index: 0 },
    { part: VM, pid: pid + 1, index: 0 },
  ]) {
    expect(() => thaw({ ...snapshot, compared: [wrong] })).toThrow("which is not there");
  }
});
