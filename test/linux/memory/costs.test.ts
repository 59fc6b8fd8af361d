import { describe, expect, it } from "vitest";
import { CallDriver } from "../../support/call-driver.ts";

const PAGE = 4096;
const [RW, READ] = [3, 1];
const [PRIVATE, FIXED, ANONYMOUS] = [2, 0x10, 0x20];
const ANON = PRIVATE | ANONYMOUS;
const MAYMOVE = 1;
const BASE = 0x1800_0000;

/** Work that each call does in a process with so many areas: nodes of the area map that are looked at or made. */
async function workWith(count: number): Promise<Record<string, number>> {
  const guest = new CallDriver("ppc64");
  const { memory } = guest;
  for (let i = 0; i < count; i++) {
    const start = BASE + 2 * i * PAGE;
    memory.map({ start, end: start + PAGE, prot: RW, offset: 0 });
  }
  const middle = BASE + 2 * Math.floor(count / 2) * PAGE;
  const brk = await guest.ok("brk", 0);
  const calls: [string, ...number[]][] = [
    ["mmap", 0, PAGE, RW, ANON, -1, 0],
    ["mmap", middle, PAGE, RW, ANON | FIXED, -1, 0],
    ["mprotect", middle, PAGE, READ],
    ["mremap", middle, PAGE, 2 * PAGE, 0],
    ["mremap", middle, 2 * PAGE, 8 * PAGE, MAYMOVE],
    ["madvise", middle + 2 * PAGE, PAGE, 4],
    ["mlock", middle + 2 * PAGE, PAGE],
    ["munmap", middle + 2 * PAGE, PAGE],
    ["brk", brk + 64 * PAGE],
    ["brk", brk],
    ["getrusage", 0, BASE],
    ["sysinfo", BASE],
  ];
  const work: Record<string, number> = {};
  for (const [i, [name, ...args]] of calls.entries()) {
    const before = memory.areas.visits;
    await guest.ok(name, ...args);
    work[`${i} ${name}`] = memory.areas.visits - before;
  }
  const before = memory.areas.visits;
  memory.store8(BASE, 1);
  work["first store"] = memory.areas.visits - before;
  return work;
}

describe("a process with many areas", () => {
  it("pays for a memory call little more than one with few", async () => {
    const [few, many] = [await workWith(200), await workWith(20_000)];
    for (const [call, work] of Object.entries(many)) {
      expect(work, call).toBeLessThan(4 * few[call] + 40);
    }
  });
});
