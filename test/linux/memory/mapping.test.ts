import { beforeEach, describe, expect, it } from "vitest";
import { SharedObject } from "../../../emu/memory/shared-object.ts";
import type { Abi } from "../../../emu/snapshot.ts";
import { CallDriver } from "../../support/call-driver.ts";

const PAGE = 4096;
const [READ, RW] = [1, 3];
const PROT_GROWSDOWN = 0x0100_0000;
const [SHARED, PRIVATE, FIXED, ANONYMOUS, GROWSDOWN, NOREPLACE] = [1, 2, 0x10, 0x20, 0x100, 0x10_0000];
const ANON = PRIVATE | ANONYMOUS;
const MCL_FUTURE = 0x4000;
const [MAYMOVE, REMAP_FIXED, DONTUNMAP] = [1, 2, 4];

describe.each(["ppc32", "ppc64"] as const)("memory calls of %s", (abi: Abi) => {
  const guest = new CallDriver(abi);
  const { memory } = guest;
  const map = (pages: number, flags = ANON, at = 0, prot = RW) =>
    guest.ok("mmap", at, pages * PAGE, prot, flags, -1, 0);
  const mapped = (at: number) => memory.areas.find(at) !== undefined;

  it("mmap serves top down and gives zeros", async () => {
    const first = await map(2);
    const second = await map(1);
    expect(second).toBe(first - PAGE);
    expect(memory.load32(first)).toBe(0);
    memory.store32(first + 2 * PAGE - 4, 7);
    expect(await guest.call("munmap", second, 3 * PAGE)).toBe(0);
    expect(mapped(first)).toBe(false);
  });

  it("mmap takes a free hint, rounds it, and goes elsewhere when it is taken", async () => {
    expect(await map(1, ANON, 0x2222_2123)).toBe(0x2222_2000);
    const other = await map(1, ANON, 0x2222_2000);
    expect(other).not.toBe(0x2222_2000);
    expect(await map(1, ANON, 5)).toBe(0x1_0000);
    for (const at of [0x2222_2000, other, 0x1_0000]) await guest.ok("munmap", at, PAGE);
  });

  it("mmap MAP_FIXED replaces, MAP_FIXED_NOREPLACE does not", async () => {
    const at = await map(3);
    memory.store8(at + PAGE, 9);
    expect(await map(1, ANON | FIXED, at + PAGE)).toBe(at + PAGE);
    expect(memory.load8(at + PAGE)).toBe(0);
    expect(await guest.call("mmap", at, PAGE, RW, ANON | NOREPLACE, -1, 0)).toBe("EEXIST");
    await guest.ok("munmap", at, PAGE);
    expect(await map(1, ANON | NOREPLACE, at)).toBe(at);
    await guest.ok("munmap", at, 3 * PAGE);
  });

  it.each([
    ["no length", [0, 0, RW, ANON, -1, 0], "EINVAL"],
    ["a length that wraps", [0, -1, RW, ANON, -1, 0], "ENOMEM"],
    ["more than there is", [0, 0x7000_0000, RW, ANON, -1, 0], "ENOMEM"],
    ["neither shared nor private", [0, PAGE, RW, ANONYMOUS, -1, 0], "EINVAL"],
    ["an unaligned fixed address", [0x2000_0001, PAGE, RW, ANON | FIXED, -1, 0], "EINVAL"],
    ["a fixed address below mmap_min_addr", [0x1000, PAGE, RW, ANON | FIXED, -1, 0], "EPERM"],
    ["unknown protection bits", [0, PAGE, 0x100, ANON, -1, 0], "EINVAL"],
    ["no such descriptor", [0, PAGE, RW, PRIVATE, 99, 0], "EBADF"],
    ["an offset within a page", [0, PAGE, RW, ANON, -1, 1], "EINVAL"],
    ["a shared mapping that grows", [0, PAGE, RW, SHARED | ANONYMOUS | GROWSDOWN, -1, 0], "EINVAL"],
  ])("mmap refuses %s", async (_, args, error) => {
    expect(await guest.call("mmap", ...args)).toBe(error);
  });

  it.each([
    ["an unaligned address", [1, PAGE], "EINVAL"],
    ["no length", [0x2000_0000, 0], "EINVAL"],
    ["a range that wraps", [-4096, 2 * PAGE], "EINVAL"],
  ])("munmap refuses %s", async (_, args, error) => {
    expect(await guest.call("munmap", ...args)).toBe(error);
  });

  it("munmap of nothing is no error", async () => {
    expect(await guest.call("munmap", 0x2800_0000, PAGE)).toBe(0);
  });

  it("mprotect changes whole pages, and stops with ENOMEM at a hole", async () => {
    const at = await map(3);
    expect(await guest.call("mprotect", at, 1, 1)).toBe(0);
    expect(() => memory.store8(at, 1)).toThrow(/protected/);
    await guest.ok("munmap", at + PAGE, PAGE);
    expect(await guest.call("mprotect", at, 3 * PAGE, 0)).toBe("ENOMEM");
    expect(() => memory.load8(at)).toThrow(/protected/);
    expect(memory.load8(at + 2 * PAGE)).toBe(0);
    expect(await guest.call("mprotect", at + 1, PAGE, 0)).toBe("EINVAL");
    expect(await guest.call("mprotect", at, 0, 0)).toBe(0);
    expect(await guest.call("mprotect", at, PAGE, 0x300_0000)).toBe("EINVAL");
    await guest.ok("munmap", at, 3 * PAGE);
  });

  it("brk grows and shrinks, with zeros after each growth, and never below its start", async () => {
    const start = await guest.ok("brk", 0);
    expect(await guest.ok("brk", start + 5000)).toBe(start + 5000);
    memory.store8(start + 4999, 1);
    expect(await guest.ok("brk", start + 10)).toBe(start + 10);
    expect(mapped(start + PAGE)).toBe(false);
    expect(await guest.ok("brk", start + 5000)).toBe(start + 5000);
    expect(memory.load8(start + 4999)).toBe(0);
    expect(await guest.ok("brk", start - 1)).toBe(start + 5000);
    expect(await guest.ok("brk", 0x7fff_0000)).toBe(start + 5000);
    expect(await guest.ok("brk", start)).toBe(start);
  });

  it.each([
    ["a page free below a mapping", ANON, 1],
    ["stack_guard_gap more below a stack", ANON | GROWSDOWN, 257],
  ])("brk leaves %s", async (_, flags, gap) => {
    const start = await guest.ok("brk", 0);
    const base = Math.ceil(start / PAGE) * PAGE;
    const other = base + 300 * PAGE;
    await map(1, flags | FIXED, other);
    expect(await guest.ok("brk", other - gap * PAGE + 1)).toBe(start);
    expect(await guest.ok("brk", other - gap * PAGE)).toBe(other - gap * PAGE);
    await guest.ok("brk", start);
    await guest.ok("munmap", other, PAGE);
  });

  it("a hint is taken up to stack_guard_gap below a stack", async () => {
    const stack = 0x2300_0000;
    await map(1, ANON | GROWSDOWN | FIXED, stack);
    const near = await map(1, ANON, stack - 256 * PAGE);
    expect(near).not.toBe(stack - 256 * PAGE);
    expect(await map(1, ANON, stack - 257 * PAGE)).toBe(stack - 257 * PAGE);
    for (const at of [stack, near, stack - 257 * PAGE]) await guest.ok("munmap", at, PAGE);
  });

  it("mremap shrinks and grows in place, moves when it may", async () => {
    const at = await map(4);
    memory.store8(at + PAGE, 42);
    expect(await guest.ok("mremap", at, 4 * PAGE, 2 * PAGE, 0)).toBe(at);
    expect(mapped(at + 2 * PAGE)).toBe(false);
    expect(await guest.ok("mremap", at, 2 * PAGE, 4 * PAGE, 0)).toBe(at);
    const blocker = await map(1, ANON | FIXED, at + 4 * PAGE);
    expect(await guest.call("mremap", at, 4 * PAGE, 8 * PAGE, 0)).toBe("ENOMEM");
    const moved = await guest.ok("mremap", at, 4 * PAGE, 8 * PAGE, MAYMOVE);
    expect(mapped(at)).toBe(false);
    expect([memory.load8(moved + PAGE), memory.load8(moved + 7 * PAGE)]).toEqual([42, 0]);
    await guest.ok("munmap", blocker, PAGE);
    await guest.ok("munmap", moved, 8 * PAGE);
  });

  it("mremap to a fixed place replaces what is there; DONTUNMAP leaves zeros behind", async () => {
    const [from, to] = [0x2400_0000, 0x2500_0000];
    await map(2, ANON | FIXED, from);
    await map(2, ANON | FIXED, to);
    memory.store8(from, 5);
    expect(await guest.ok("mremap", from, PAGE, PAGE, MAYMOVE | REMAP_FIXED, to)).toBe(to);
    expect([memory.load8(to), mapped(from)]).toEqual([5, false]);
    const copy = await guest.ok("mremap", to, PAGE, PAGE, MAYMOVE | DONTUNMAP, 0);
    expect([memory.load8(copy), memory.load8(to)]).toEqual([5, 0]);
    for (const at of [from + PAGE, to, to + PAGE, copy]) await guest.ok("munmap", at, PAGE);
  });

  it("mremap of length zero maps shared memory twice", async () => {
    const at = await map(1, SHARED | ANONYMOUS);
    const twin = await guest.ok("mremap", at, 0, PAGE, MAYMOVE);
    memory.store32(at + 8, 77);
    expect(memory.load32(twin + 8)).toBe(77);
    await guest.ok("munmap", at, PAGE);
    expect(memory.load32(twin + 8)).toBe(77);
    await guest.ok("munmap", twin, PAGE);
  });

  describe("of a file's pages", () => {
    const at = 0x2400_0000;
    /** The page of the file that is shown there. */
    const shown = (page: number) => memory.load8(page);
    const file = {
      path: "/f",
      size: () => 100 * PAGE,
      read(position: number, into: Uint8Array): number {
        into.fill(position / PAGE);
        return into.length;
      },
      write() {},
    };
    beforeEach(() => memory.unmap(at, at + 64 * PAGE));

    it.each([
      ["private", { file }],
      ["shared", { shared: new SharedObject(file) }],
    ])("mremap goes on in the file where a %s mapping grows", async (_, what) => {
      memory.map({ start: at, end: at + 2 * PAGE, prot: RW, offset: 10 * PAGE, ...what });
      expect(await guest.ok("mremap", at, 2 * PAGE, 4 * PAGE, 0)).toBe(at);
      expect([0, 1, 2, 3].map((n) => shown(at + n * PAGE))).toEqual([10, 11, 12, 13]);
      expect(memory.areas.find(at)).toMatchObject({ end: at + 4 * PAGE, offset: 10 * PAGE });
    });

    it.each([
      ["private", { file }],
      ["shared", { shared: new SharedObject(file) }],
    ])("mremap moves the middle of a %s mapping with its place in the file", async (_, what) => {
      memory.map({ start: at, end: at + 4 * PAGE, prot: RW, offset: 10 * PAGE, ...what });
      expect(shown(at + PAGE)).toBe(11);
      const moved = await guest.ok("mremap", at + PAGE, PAGE, 3 * PAGE, MAYMOVE);
      expect([0, 1, 2].map((n) => shown(moved + n * PAGE))).toEqual([11, 12, 13]);
      expect(mapped(at + PAGE)).toBe(false);
      expect([0, 2, 3].map((n) => shown(at + n * PAGE))).toEqual([10, 12, 13]);
      await guest.ok("munmap", moved, 3 * PAGE);
    });

    it("mremap leaves with DONTUNMAP, and doubles with no old length, the right part of the file", async () => {
      memory.map({ start: at, end: at + 4 * PAGE, prot: RW, offset: 10 * PAGE, file });
      memory.store8(at + 2 * PAGE, 99);
      const moved = await guest.ok("mremap", at + 2 * PAGE, PAGE, PAGE, MAYMOVE | DONTUNMAP, 0);
      expect([shown(moved), shown(at + 2 * PAGE)]).toEqual([99, 12]);
      const shared = new SharedObject(file);
      memory.map({ start: at, end: at + 4 * PAGE, prot: RW, offset: 10 * PAGE, shared });
      const twin = await guest.ok("mremap", at + 3 * PAGE, 0, 2 * PAGE, MAYMOVE);
      expect([shown(twin), shown(twin + PAGE)]).toEqual([13, 14]);
      await guest.ok("munmap", moved, PAGE);
      await guest.ok("munmap", twin, 2 * PAGE);
    });
  });

  it.each([
    ["unknown flags", [0x2000_0000, PAGE, PAGE, 8], "EINVAL"],
    ["FIXED without MAYMOVE", [0x2000_0000, PAGE, PAGE, 2], "EINVAL"],
    ["no new length", [0x2000_0000, PAGE, 0, 1], "EINVAL"],
    ["an unaligned address", [0x2000_0001, PAGE, PAGE, 1], "EINVAL"],
    ["what is not mapped", [0x2f00_0000, PAGE, 2 * PAGE, 1], "EFAULT"],
  ])("mremap refuses %s", async (_, args, error) => {
    expect(await guest.call("mremap", ...args)).toBe(error);
  });

  it("mremap refuses overlap and ranges across areas", async () => {
    const at = await map(4);
    expect(await guest.call("mremap", at, 2 * PAGE, 2 * PAGE, MAYMOVE | REMAP_FIXED, at + PAGE)).toBe(
      "EINVAL",
    );
    await guest.ok("mprotect", at, PAGE, 1);
    expect(await guest.call("mremap", at, 4 * PAGE, 8 * PAGE, MAYMOVE)).toBe("EFAULT");
    await guest.ok("munmap", at, 4 * PAGE);
  });

  it("madvise DONTNEED drops private pages and keeps shared ones", async () => {
    const own = await map(2);
    const shared = await map(1, SHARED | ANONYMOUS);
    for (const at of [own, own + PAGE, shared]) memory.store8(at, 3);
    expect(await guest.call("madvise", own, PAGE, 4)).toBe(0);
    expect(await guest.call("madvise", shared, PAGE, 4)).toBe(0);
    expect([own, own + PAGE, shared].map((at) => memory.load8(at))).toEqual([0, 3, 3]);
    expect(await guest.call("madvise", own, PAGE, 99)).toBe("EINVAL");
    expect(await guest.call("madvise", own + 1, PAGE, 4)).toBe("EINVAL");
    expect(await guest.call("madvise", own, 0, 4)).toBe(0);
    expect(await guest.call("madvise", 0x2e00_0000, PAGE, 4)).toBe("ENOMEM");
    expect(await guest.call("madvise", shared, PAGE, 8)).toBe("EINVAL");
    expect(await guest.call("madvise", shared, PAGE, 9)).toBe(0);
    expect(memory.load8(shared)).toBe(0);
    await guest.ok("munmap", own, 2 * PAGE);
    await guest.ok("munmap", shared, PAGE);
  });

  it("mincore tells touched pages, msync and mlock find holes", async () => {
    const at = await map(3);
    const vector = await map(1);
    memory.store8(at + PAGE, 1);
    expect(await guest.call("mincore", at, 3 * PAGE, vector)).toBe(0);
    expect([...memory.read(vector, 3)]).toEqual([0, 1, 0]);
    expect(await guest.call("msync", at, 3 * PAGE, 4)).toBe(0);
    expect(await guest.call("msync", at, PAGE, 5)).toBe("EINVAL");
    expect(await guest.call("mlock", at + 5, PAGE)).toBe(0);
    await guest.ok("munmap", at + PAGE, PAGE);
    expect(await guest.call("mincore", at, 3 * PAGE, vector)).toBe("ENOMEM");
    expect(await guest.call("msync", at, 3 * PAGE, 1)).toBe("ENOMEM");
    expect(await guest.call("mlock", at, 3 * PAGE)).toBe("ENOMEM");
    // A length that is rounded up to more than there are numbers for is none.
    expect(await guest.call("mlock", at, -1)).toBe(0);
    expect(await guest.call("mlockall", 0)).toBe("EINVAL");
    for (const page of [at, at + 2 * PAGE, vector]) await guest.ok("munmap", page, PAGE);
  });

  it("mlockall(MCL_FUTURE) locks what is mapped, attached or grown from then on, within RLIMIT_MEMLOCK", async () => {
    const { limits } = guest.process;
    const limit = limits[8];
    const before = memory.areas.lockedBytes;
    const locked = () => (memory.areas.lockedBytes - before) / PAGE;
    await guest.ok("mlockall", MCL_FUTURE);
    limits[8] = { ...limit, soft: BigInt(before + 8 * PAGE) };
    const own = await map(3);
    const segment = await guest.ok("shmget", 0, 4 * PAGE, 0o600);
    const attached = await guest.ok("shmat", segment, 0, 0);
    expect(locked()).toBe(7);
    expect(await guest.call("shmat", segment, 0, 0)).toBe("EAGAIN");
    expect(await guest.call("mmap", 0, 2 * PAGE, RW, ANON, -1, 0)).toBe("EAGAIN");
    expect(await guest.call("mremap", own, 3 * PAGE, 5 * PAGE, MAYMOVE)).toBe("EAGAIN");
    await guest.ok("munmap", own, 3 * PAGE);
    const stack = await map(1, ANON | GROWSDOWN | FIXED, 0x1800_0000);
    memory.store8(stack - 3 * PAGE, 1);
    expect(locked()).toBe(8);
    expect(() => memory.store8(stack - 4 * PAGE, 1)).toThrow(/data-unmapped/);
    await guest.ok("munlockall");
    memory.store8(stack - 4 * PAGE, 1);
    limits[8] = limit;
    await guest.ok("shmdt", attached);
    await guest.ok("shmctl", segment, 0, 0);
    await guest.ok("munmap", stack - 4 * PAGE, 5 * PAGE);
  });

  it("mprotect PROT_GROWSDOWN begins where the stack does, and is for stacks alone", async () => {
    const own = await map(2);
    expect(await guest.call("mprotect", own + PAGE, PAGE, READ | PROT_GROWSDOWN)).toBe("EINVAL");
    const stack = await map(3, ANON | GROWSDOWN | FIXED, 0x1800_0000);
    await guest.ok("mprotect", stack + PAGE, PAGE, READ | PROT_GROWSDOWN);
    expect([0, 1, 2].map((page) => memory.areas.find(stack + page * PAGE)?.prot)).toEqual([READ, READ, RW]);
    await guest.ok("munmap", own, 2 * PAGE);
    await guest.ok("munmap", stack, 3 * PAGE);
  });

  it("a stack grows within RLIMIT_AS", async () => {
    const { limits } = guest.process;
    const limit = limits[9];
    const stack = await map(1, ANON | GROWSDOWN | FIXED, 0x1800_0000);
    limits[9] = { ...limit, soft: BigInt(memory.areas.bytes + 2 * PAGE) };
    memory.store8(stack - 2 * PAGE, 1);
    expect(() => memory.store8(stack - 3 * PAGE, 1)).toThrow(/data-unmapped/);
    limits[9] = limit;
    await guest.ok("munmap", stack - 2 * PAGE, 3 * PAGE);
  });

  it("RLIMIT_DATA bounds private memory that can be written", async () => {
    const limits = guest.process.limits[2];
    const { soft } = limits;
    limits.soft = 1n << 20n;
    expect(await guest.call("mmap", 0, 1 << 21, RW, ANON, -1, 0)).toBe("ENOMEM");
    const readable = await map(512, ANON, 0, 1);
    const shared = await map(512, SHARED | ANONYMOUS);
    const small = await map(1);
    expect(await guest.call("mremap", small, PAGE, 1 << 21, MAYMOVE)).toBe("ENOMEM");
    limits.soft = soft;
    for (const at of [readable, shared]) await guest.ok("munmap", at, 512 * PAGE);
    await guest.ok("munmap", small, PAGE);
  });

  it("remap_file_pages shows another part of a shared object", async () => {
    const at = await map(3, SHARED | ANONYMOUS);
    for (const page of [0, 1, 2]) memory.store8(at + page * PAGE, page + 1);
    expect(await guest.call("remap_file_pages", at, PAGE, 0, 2, 0)).toBe(0);
    expect(memory.load8(at)).toBe(3);
    memory.store8(at, 9);
    expect(memory.load8(at + 2 * PAGE)).toBe(9);
    expect(await guest.call("remap_file_pages", at, PAGE, 1, 0, 0)).toBe("EINVAL");
    expect(await guest.call("remap_file_pages", at, 4 * PAGE, 0, 0, 0)).toBe("EINVAL");
    await guest.ok("munmap", at, 3 * PAGE);
    const own = await map(1);
    expect(await guest.call("remap_file_pages", own, PAGE, 0, 0, 0)).toBe("EINVAL");
    await guest.ok("munmap", own, PAGE);
  });

  it("RLIMIT_AS bounds what is mapped", async () => {
    const { limits } = guest.process;
    const limit = limits[9];
    limits[9] = { soft: 1n << 20n, hard: limit.hard };
    expect(await guest.call("mmap", 0, 1 << 20, RW, ANON, -1, 0)).toBe("ENOMEM");
    limits[9] = limit;
    await guest.ok("munmap", await map(256), 1 << 20);
  });
});

it("mmap leaves the stack all that its limit allows, and the guard gap", async () => {
  const limit = 200 << 20;
  const guest = new CallDriver("ppc64", { stackLimit: BigInt(limit) });
  const gap = 256 * PAGE;
  expect(await guest.ok("mmap", 0, PAGE, RW, ANON, -1, 0)).toBe(guest.memory.nearLimit - limit - gap - PAGE);
});

describe("memory calls of ppc64 above 4 GiB", () => {
  const guest = new CallDriver("ppc64");
  const high = 0x1_0000_0000n;
  const top = 2n ** 47n;
  it("addresses of 2^32 and more are never taken for low ones", async () => {
    expect(await guest.call("munmap", high, PAGE)).toBe(0);
    expect(await guest.call("mprotect", high, PAGE, 1)).toBe("ENOMEM");
    expect(await guest.call("mremap", high, PAGE, PAGE, 1)).toBe("EFAULT");
    expect(await guest.call("madvise", high, PAGE, 4)).toBe("ENOMEM");
  });

  it("mmap goes there when asked, or where it has no room below", async () => {
    expect(await guest.call("mmap", high, PAGE, RW, ANON, -1, 0)).toBe(Number(high));
    expect(await guest.call("mmap", high, PAGE, RW, ANON | FIXED, -1, 0)).toBe(Number(high));
    expect(await guest.call("mprotect", high, PAGE, 1)).toBe(0);
    expect(await guest.call("munmap", high, PAGE)).toBe(0);
    const reserved = await guest.ok("mmap", 0, 2 ** 41, 0, ANON, -1, 0);
    expect(reserved).toBeGreaterThan(2 ** 32);
    expect(await guest.call("munmap", reserved, 2 ** 41)).toBe(0);
  });

  it("what is near leaves places to what is far: a thousand stacks can be used", async () => {
    const { memory } = guest;
    const size = Math.ceil(memory.nearLimit / 512 / PAGE) * PAGE;
    const stacks: number[] = [];
    for (let i = 0; i < 1000; i++) stacks.push(await guest.ok("mmap", 0, size, RW, ANON, -1, 0));
    stacks.forEach((at, i) => {
      memory.write32(at + size - 4, i);
    });
    expect(stacks.map((at) => memory.read32(at + size - 4))).toEqual(stacks.map((_, i) => i));
    expect(stacks.filter((at) => at > 2 ** 32).length).toBeGreaterThan(500);
    for (const at of stacks) await guest.ok("munmap", at, size);
  });

  it("a wish for a far place is followed for little and for very much; a collector's heap stays below", async () => {
    const wish = 0x1234_0000_0000;
    expect(await guest.call("mmap", wish, 16 * PAGE, RW, ANON, -1, 0)).toBe(wish);
    expect(await guest.ok("mmap", wish + 2 ** 32, 17 * PAGE, RW, ANON, -1, 0)).toBeLessThan(2 ** 32);
    expect(await guest.call("mmap", wish + 2 ** 32, 2 ** 30, 0, ANON, -1, 0)).toBe(wish + 2 ** 32);
  });

  it("nothing is mapped in the machine's corner, nor from 2^47 on", async () => {
    expect(await guest.call("mmap", high - BigInt(PAGE), PAGE, RW, ANON | FIXED, -1, 0)).toBe("ENOMEM");
    expect(await guest.call("mmap", high - 8n * BigInt(PAGE), 16 * PAGE, 0, ANON | FIXED, -1, 0)).toBe(
      "ENOMEM",
    );
    expect(await guest.call("mmap", top - BigInt(PAGE), 2 * PAGE, RW, ANON | FIXED, -1, 0)).toBe("ENOMEM");
    expect(await guest.call("munmap", top, PAGE)).toBe("EINVAL");
  });
});
