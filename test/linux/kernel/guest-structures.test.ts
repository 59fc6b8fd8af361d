/** Small structures that calls read and write word by word: each field in its place, in every ABI, and nothing beside it. */
import { describe, expect, it } from "vitest";
import { hostRandom } from "../../../emu/linux/random.ts";
import type { Abi } from "../../../emu/snapshot.ts";
import { CallDriver } from "../../support/call-driver.ts";
import { memoryHost } from "../../support/memory-host.ts";

const AT = 0x2000_0000;
const ABIS: readonly Abi[] = ["ppc32", "ppc64", "ppc64le"];

async function driver(abi: Abi, options: ConstructorParameters<typeof CallDriver>[1] = {}) {
  const guest = new CallDriver(abi, options);
  await guest.ok(abi === "ppc32" ? "mmap2" : "mmap", AT, 0x2000, 3, 0x32, -1, 0);
  return guest;
}
const bytesAt = ({ memory }: CallDriver, at: number, length: number): string =>
  Buffer.from(memory.peek(at, length)).toString("hex");

/** Numbers one after the other, each of `size` bytes, as the ABI has them. */
function pack(abi: Abi, size: 4 | 8, values: readonly (number | bigint)[]): string {
  const bytes = Buffer.alloc(size * values.length);
  values.forEach((value, i) => {
    const wide = BigInt.asUintN(8 * size, BigInt(value));
    for (let n = 0; n < size; n++) {
      const place = abi === "ppc64le" ? n : size - 1 - n;
      bytes[i * size + place] = Number((wide >> BigInt(8 * n)) & 0xffn);
    }
  });
  return bytes.toString("hex");
}
const store = ({ memory }: CallDriver, at: number, hex: string) => memory.write(at, Buffer.from(hex, "hex"));

describe.each(ABIS)("%s", (abi) => {
  const word = abi === "ppc32" ? 4 : 8;

  it("has times of every size", async () => {
    const guest = await driver(abi, { seed: undefined });
    const clock = guest.kernel.clock as { realtime: () => bigint };
    const times = [
      0n,
      999_999_999n,
      1_000_000_000n,
      8_388_608n * 1_000_000_000n - 1n,
      9_007_199n * 1_000_000_000n - 1n,
      BigInt(Number.MAX_SAFE_INTEGER),
      BigInt(Number.MAX_SAFE_INTEGER) + 1n,
      1_700_000_000n * 1_000_000_000n - 1n,
      1_700_000_000n * 1_000_000_000n,
      1_600_000_000n * 1_000_000_000n + 123_456_789n,
      2_147_483_647n * 1_000_000_000n + 999_999_999n,
      1_600_000_000n * 1_000_000_000n + 123_456_788n,
    ];
    for (const time of times) {
      clock.realtime = () => time;
      const [seconds, rest] = [time / 1_000_000_000n, time % 1_000_000_000n];
      await guest.ok("clock_gettime", 0, AT);
      expect(bytesAt(guest, AT, 2 * word)).toBe(pack(abi, word, [seconds, rest]));
      await guest.ok("gettimeofday", AT, 0);
      expect(bytesAt(guest, AT, 2 * word)).toBe(pack(abi, word, [seconds, rest / 1000n]));
      if (word === 8) continue;
      await guest.ok("clock_gettime64", 0, AT);
      expect(bytesAt(guest, AT, 16)).toBe(pack(abi, 8, [seconds, rest]));
    }
    // Into the last bytes of what is mapped, and not a byte further.
    expect(await guest.call("clock_gettime", 0, AT + 0x2000 - 2 * word)).toBe(0);
    expect(await guest.call("clock_gettime", 0, AT + 0x2000 - 2 * word + 4)).toBe("EFAULT");
  });

  it("has intervals of timers", async () => {
    const guest = await driver(abi);
    const set = (values: readonly (number | bigint)[]) => {
      store(guest, AT, pack(abi, word, values));
      return guest.call("setitimer", 0, AT, AT + 64);
    };
    for (const bad of [-1, 1_000_000]) {
      expect(await set([0, bad, 1, 0])).toBe("EINVAL");
      expect(await set([0, 0, 1, bad])).toBe("EINVAL");
    }
    expect(await set([-1, 0, 1, 0])).toBe("EINVAL");
    expect(await set([7, 5, 1000, 999_999])).toBe(0);
    expect(await guest.ok("getitimer", 0, AT + 64)).toBe(0);
    const [left] = [guest.memory.peek(AT + 64, 4 * word)];
    expect(Buffer.from(left.subarray(0, 2 * word)).toString("hex")).toBe(pack(abi, word, [7, 5]));
    expect(Buffer.from(left.subarray(2 * word, 3 * word)).toString("hex")).toBe(pack(abi, word, [1000]));
  });

  it("has times to wait, too long ones included", async () => {
    const guest = await driver(abi);
    const wait = (seconds: number | bigint, nanoseconds: number | bigint) => {
      store(guest, AT, pack(abi, word, [seconds, nanoseconds]));
      guest.host.yield = async () => guest.kernel.requestStop();
      guest.prepare("nanosleep", AT, 0);
      return guest.kernel.run(1n);
    };
    const most = word === 4 ? 2n ** 31n - 1n : 2n ** 63n - 1n;
    const clock = guest.kernel.clock;
    for (const seconds of [3n, 9_007_199n, 9_007_200n, most]) {
      await wait(seconds, 999_999_999n);
      const all = seconds * 1_000_000_000n + 999_999_999n;
      const end = clock.monotonic() + (all < 2n ** 63n ? all : 2n ** 63n - 1n);
      const deadline = guest.thread.blocked!.deadline!;
      expect(deadline).toBe(end < 2n ** 63n ? end : 2n ** 63n - 1n);
      guest.thread.endWait();
      guest.thread.wake();
    }
  });

  it("has what poll finds beside what it was asked for", async () => {
    const guest = await driver(abi);
    const counter = await guest.ok("eventfd2", 1, 0);
    const half = (values: readonly number[]) =>
      values.flatMap((value) =>
        abi === "ppc64le" ? [value & 0xff, value >> 8] : [value >> 8, value & 0xff],
      );
    const entry = (fd: number, wanted: number, found: number) =>
      pack(abi, 4, [fd]) + Buffer.from(half([wanted, found])).toString("hex");
    store(guest, AT, entry(counter, 0xff05, 0xffff) + entry(-1, 0x8001, 0xffff) + entry(77, 1, 0));
    expect(await guest.call("poll", AT, 3, 0)).toBe(2);
    expect(bytesAt(guest, AT, 24)).toBe(
      entry(counter, 0xff05, 0x105) + entry(-1, 0x8001, 0) + entry(77, 1, 0x20),
    );
    expect(await guest.call("poll", AT + 0x2000 - 4, 1, 0)).toBe("EFAULT");
  });

  it("has descriptors of sets in the words of longs", async () => {
    const guest = await driver(abi);
    const first = await guest.ok("eventfd2", 1, 0);
    for (const fd of [31, 32, 63, 64, 100]) await guest.ok("dup2", first, fd);
    const sets = (fds: readonly number[]): string => {
      const longs = Array<bigint>(128 / (8 * word)).fill(0n);
      for (const fd of fds) longs[Math.floor(fd / (8 * word))] |= 1n << BigInt(fd % (8 * word));
      return pack(abi, word, longs);
    };
    store(guest, AT, sets([first, 31, 32, 63, 64, 100, 127]));
    store(guest, AT + 64, sets([31, 100]));
    store(guest, AT + 128, sets([32]));
    store(guest, AT + 192, pack(abi, word, [0, 0]));
    // 127 is not among the first 101.
    expect(await guest.call("_newselect", 101, AT, AT + 64, AT + 128, AT + 192)).toBe(8);
    expect(bytesAt(guest, AT, 16)).toBe(sets([first, 31, 32, 63, 64, 100]));
    expect(bytesAt(guest, AT + 64, 16)).toBe(sets([31, 100]));
    expect(bytesAt(guest, AT + 128, 16)).toBe(sets([]));
    store(guest, AT, sets([first, 99]));
    expect(await guest.call("_newselect", 101, AT, 0, 0, AT + 192)).toBe("EBADF");
    expect(bytesAt(guest, AT, 16)).toBe(sets([first, 99]));
  });

  it("has vectors, whose lengths have a sign", async () => {
    const guest = await driver(abi);
    const counter = await guest.ok("eventfd2", 0, 0x800);
    const largest = word === 4 ? 2n ** 31n - 1n : 2n ** 63n - 1n;
    store(guest, AT, pack(abi, word, [AT + 64, 8, AT + 0x10_0000, largest + 1n]));
    expect(await guest.call("writev", counter, AT, 2)).toBe("EINVAL");
    // What reaches beyond all address spaces is refused, however little of it would be taken.
    store(guest, AT, pack(abi, word, [AT + 64, largest]));
    if (word === 8) expect(await guest.call("writev", counter, AT, 1)).toBe("EFAULT");
    store(guest, AT, pack(abi, word, [AT + 64, word === 8 ? 2n ** 40n : largest]));
    store(guest, AT + 64, pack(abi, 8, [5]));
    expect(await guest.call("writev", counter, AT, 1)).toBe(8);
    store(guest, AT, pack(abi, word, [0, 0, AT + 128, 8]));
    expect(await guest.call("readv", counter, AT, 2)).toBe(8);
    expect(bytesAt(guest, AT + 128, 8)).toBe(pack(abi, 8, [5]));
    expect(await guest.call("readv", counter, AT + 0x2000 - word, 1)).toBe("EFAULT");
  });

  it("has events of a set, with what lies between left alone", async () => {
    const guest = await driver(abi);
    const counter = await guest.ok("eventfd2", 1, 0);
    const set = await guest.ok("epoll_create1", 0);
    const data = 0x8123_4567_89ab_cdefn;
    store(guest, AT, pack(abi, 4, [5, 0x1111_1111]) + pack(abi, 8, [data]));
    await guest.ok("epoll_ctl", set, 1, counter, AT);
    store(guest, AT + 64, "ee".repeat(32));
    expect(await guest.call("epoll_wait", set, AT + 64, 2, 0)).toBe(1);
    const told = `${pack(abi, 4, [5])}eeeeeeee${pack(abi, 8, [data])}${"ee".repeat(16)}`;
    expect(bytesAt(guest, AT + 64, 32)).toBe(told);
  });

  it("has an alternate stack, with nothing between", async () => {
    const guest = await driver(abi);
    const padding = word === 8 ? "00000000" : "";
    const stack = pack(abi, word, [AT + 0x1000]) + pack(abi, 4, [0]) + padding + pack(abi, word, [0x1000]);
    store(guest, AT, stack);
    store(guest, AT + 64, "ee".repeat(24));
    expect(await guest.call("sigaltstack", AT, AT + 64)).toBe(0);
    const none = pack(abi, word, [0]) + pack(abi, 4, [2]) + padding + pack(abi, word, [0]);
    expect(bytesAt(guest, AT + 64, 3 * word)).toBe(none);
    expect(await guest.call("sigaltstack", 0, AT + 64)).toBe(0);
    expect(bytesAt(guest, AT + 64, 3 * word)).toBe(stack);
  });

  it("has names of the machine, of every kind of call", async () => {
    const guest = await driver(abi);
    for (const [name, size] of [
      ["uname", 6 * 65],
      ["olduname", 5 * 65],
      ["oldolduname", 5 * 9],
      ["uname", 6 * 65],
    ] as const) {
      store(guest, AT, "ee".repeat(400));
      expect(await guest.call(name, AT)).toBe(0);
      expect(bytesAt(guest, AT, 6)).toBe(Buffer.from("Linux\0").toString("hex"));
      expect(bytesAt(guest, AT + size, 1)).toBe("ee");
      expect(bytesAt(guest, AT + size - 1, 1)).toBe("00");
    }
  });
});

it("gives no random byte of the host's twice", () => {
  let next = 0;
  const host = memoryHost();
  host.random = (into) => {
    for (let i = 0; i < into.length; i++) into[i] = next++ & 0xff;
  };
  const random = hostRandom(host);
  const seen: number[] = [];
  for (const length of [3, 250, 256, 200, 200, 200, 200, 1, 0]) {
    const bytes = new Uint8Array(length);
    random.fill(bytes);
    seen.push(...bytes);
  }
  // 909 bytes of the first 1,024, whose rest doesn't do for the last 200.
  const first = Array.from({ length: 909 }, (_, i) => i & 0xff);
  const second = Array.from({ length: 401 }, (_, i) => i & 0xff);
  expect(seen).toEqual([...first, ...second]);
  const many = new Uint8Array(4000);
  random.fill(many);
  expect([many[0], next]).toEqual([0, 2 * 1024 + 4000]);
});
