/** Calls in progress through a freeze: they come back as they were, or are refused. */
import { describe, expect, it } from "vitest";
import { modelFor } from "../../../emu/cpu/models.ts";
import { RESERVE_LENGTH, RESERVE_VALUE } from "../../../emu/cpu/registers.ts";
import { ABIS } from "../../../emu/linux/abi.ts";
import { freezeKernel, thawKernel } from "../../../emu/linux/freeze.ts";
import type { Futex } from "../../../emu/linux/futex-table.ts";
import type { Kernel } from "../../../emu/linux/kernel.ts";
import type { CallState, MachineSnapshot } from "../../../emu/snapshot.ts";
import { CallDriver } from "../../support/call-driver.ts";
import { memoryHost } from "../../support/memory-host.ts";

const AT = 0x2000_0000;
const SECOND = 1_000_000_000n;
const [FUTEX_WAIT, FUTEX_WAKE, FUTEX_REQUEUE, FUTEX_WAIT_BITSET, FUTEX_WAKE_BITSET] = [0, 1, 3, 9, 10];
const [FUTEX_WAKE_OP, FUTEX_LOCK_PI, FUTEX_UNLOCK_PI, FUTEX_TRYLOCK_PI] = [5, 6, 7, 8];
/** CLONE_VM, FS, FILES, SIGHAND, THREAD. */
const THREAD = 0x10f00;

const thaw = (snapshot: MachineSnapshot): Kernel =>
  thawKernel(snapshot, {
    host: memoryHost(),
    abi: ABIS.ppc64,
    cpuModel: modelFor(undefined, "ppc64"),
    mounts: [],
  });

const tidsOn = (futex: Futex) => Array.from(futex.enlisted.keys(), ({ tid }) => tid);

async function driver() {
  const guest = new CallDriver("ppc64");
  await guest.ok("mmap", AT, 0x1000, 3, 0x32, -1, 0);
  return guest;
}

/** A guest with a thread for each of `waits`, which sits in that futex call; the first thread is free to call. */
async function waiters(waits: [op: number, bitset: number][], guest?: CallDriver) {
  guest ??= await driver();
  for (const [op, bitset] of waits) {
    const tid = await guest.ok("clone", THREAD, 0, 0, 0, 0);
    const thread = guest.kernel.thread(tid)!;
    const { registers } = thread;
    registers.nia -= 4n;
    registers.setGpr(0, 221n);
    [AT, op, 0, 0, 0, bitset].forEach((value, n) => {
      registers.setGpr(3 + n, BigInt(value));
    });
    thread.load();
    guest.kernel.scheduler.yield();
    while (thread.state === "runnable") await guest.kernel.run(1n);
  }
  return guest;
}

const statesOf = (kernel: Kernel) =>
  [...kernel.tasks.threads.values()].map(({ blocked }) => blocked?.state.kind);

describe("a call in progress", () => {
  it("ends a timed wait at the time it had, to the nanosecond, after a thaw", async () => {
    const guest = await driver();
    guest.memory.write(AT, Buffer.from("00000000000000050000000000000000", "hex"));
    const end = guest.kernel.clock.monotonic() + 5n * SECOND;
    guest.prepare("nanosleep", AT, 0);
    guest.host.yield = async () => guest.kernel.requestStop();
    await guest.kernel.run(1n);
    const snapshot = freezeKernel(guest.kernel);
    expect(snapshot.processes[0].threads[0].blocked).toMatchObject({ phase: "waiting", deadline: end });
    // Of its five seconds one has passed when it is thawed.
    const kernel = thaw({
      ...snapshot,
      clock: { ...snapshot.clock, monotonic: snapshot.clock.monotonic + SECOND },
    });
    await kernel.run(1n);
    expect(kernel.clock.monotonic()).toBe(end + 1n);
  });

  it("keeps the waiters of a futex in their order, with their bits, and who has been woken", async () => {
    const guest = await waiters([
      [FUTEX_WAIT_BITSET, 1],
      [FUTEX_WAIT_BITSET, 2],
      [FUTEX_WAIT, 0],
      [FUTEX_WAIT_BITSET, 4],
    ]);
    const snapshot = freezeKernel(guest.kernel);
    for (const kernel of [guest.kernel, thaw(snapshot)]) {
      const tids = [...kernel.tasks.threads.keys()];
      const [process] = kernel.processes.values();
      // Has the thawed threads wait again.
      await kernel.run(1n);
      const futex = kernel.futexes.at(process, AT);
      expect(tidsOn(futex)).toEqual(tids.slice(1));
      expect(futex.wakeBits(1, 2)).toBe(1);
      expect(futex.wakeBits(1, 4)).toBe(1);
      expect(futex.wakeBits(9, 4)).toBe(1);
      expect(statesOf(kernel)).toEqual([undefined, "begun", "woken", "woken", "woken"]);
      expect(statesOf(thaw(freezeKernel(kernel)))).toEqual(statesOf(kernel));
    }
  });

  it("moves waiters to another word", async () => {
    const guest = await waiters([
      [FUTEX_WAIT, 0],
      [FUTEX_WAIT, 0],
      [FUTEX_WAIT, 0],
    ]);
    expect(await guest.call("futex", AT, FUTEX_REQUEUE, 1, 1, AT + 4, 0)).toBe(2);
    expect(await guest.call("futex", AT, FUTEX_WAKE, 9, 0, 0, 0)).toBe(1);
    expect(await guest.call("futex", AT + 4, FUTEX_WAKE_BITSET, 9, 0, 0, 1)).toBe(1);
  });

  it("ends for as many as are to be woken, and for one at least", async () => {
    const guest = await waiters(Array.from({ length: 5 }, () => [FUTEX_WAIT, 0]));
    const woken: number[] = [];
    for (const count of [0, 1, 2, 9]) woken.push(await guest.ok("futex", AT, FUTEX_WAKE, count, 0, 0, 0));
    expect(woken).toEqual([1, 1, 2, 1]);
  });

  it("leaves the word that it was moved to when something else ends it", async () => {
    const guest = await waiters([[FUTEX_WAIT, 0]]);
    expect(await guest.call("futex", AT, FUTEX_REQUEUE, 0, 9, AT + 4, 0)).toBe(1);
    const { enlisted } = guest.kernel.futexes.at(guest.process, AT + 4);
    expect(enlisted.size).toBe(1);
    for (const thread of enlisted.keys()) thread.wake();
    expect(enlisted.size).toBe(0);
  });

  it("is woken by the bits that it waits for, also where it has been moved to", async () => {
    const guest = await waiters([
      [FUTEX_WAIT_BITSET, 1],
      [FUTEX_WAIT_BITSET, 2],
      [FUTEX_WAIT_BITSET, 4],
    ]);
    expect(await guest.call("futex", AT, FUTEX_WAKE_BITSET, 9, 0, 0, 8)).toBe(0);
    expect(await guest.call("futex", AT, FUTEX_WAKE_BITSET, 9, 0, 0, 2)).toBe(1);
    expect(await guest.call("futex", AT, FUTEX_REQUEUE, 0, 9, AT + 4, 0)).toBe(2);
    expect(await guest.call("futex", AT + 4, FUTEX_WAKE_BITSET, 9, 0, 0, 10)).toBe(0);
    expect(await guest.call("futex", AT + 4, FUTEX_WAKE_BITSET, 9, 0, 0, 12)).toBe(1);
  });

  it("is counted, and keeps its place, where it is moved to the word that it waits on", async () => {
    const guest = await waiters([
      [FUTEX_WAIT, 0],
      [FUTEX_WAIT, 0],
      [FUTEX_WAIT, 0],
    ]);
    const queue = () => tidsOn(guest.kernel.futexes.at(guest.process, AT));
    const before = queue();
    expect(await guest.call("futex", AT, FUTEX_REQUEUE, 0, 2, AT, 0)).toBe(2);
    expect(queue()).toEqual(before);
    expect(await guest.call("futex", AT, FUTEX_REQUEUE, 1, 9, AT, 0)).toBe(3);
    expect(queue()).toEqual(before.slice(1));
  });

  it("is handed a lock in its turn, and the word says whether more wait for that", async () => {
    const guest = await driver();
    const futex = (op: number) => guest.call("futex", AT, op, 0, 0, 0, 0);
    const word = () => guest.memory.read32(AT) >>> 0;
    expect(await futex(FUTEX_LOCK_PI)).toBe(0);
    await waiters(
      [
        [FUTEX_LOCK_PI, 0],
        [FUTEX_LOCK_PI, 0],
      ],
      guest,
    );
    const [first, second, third] = guest.kernel.tasks.threads.keys();
    expect(word()).toBe(0x8000_0000 + first);
    expect(await futex(FUTEX_LOCK_PI)).toBe("EDEADLK");
    expect(statesOf(thaw(freezeKernel(guest.kernel)))).toEqual([undefined, "begun", "begun"]);
    expect(await futex(FUTEX_UNLOCK_PI)).toBe(0);
    expect(word()).toBe(0x8000_0000 + second);
    expect(statesOf(guest.kernel)).toEqual([undefined, "woken", "begun"]);
    expect(await futex(FUTEX_UNLOCK_PI)).toBe("EPERM");
    expect(await futex(FUTEX_TRYLOCK_PI)).toBe("EAGAIN");
    guest.memory.write32(AT, first);
    expect(await futex(FUTEX_UNLOCK_PI)).toBe(0);
    expect(word()).toBe(third);
    guest.memory.write32(AT, first);
    expect(await futex(FUTEX_UNLOCK_PI)).toBe(0);
    expect(word()).toBe(0);
  });

  it("is handed the lock of an owner that has died", async () => {
    for (const count of [1, 2]) {
      const guest = await driver();
      const [list, entry] = [AT + 64, AT + 128];
      // One entry, which has priority inheritance; the lock is at AT.
      const words: [number, number][] = [
        [list, entry | 1],
        [list + 8, AT - entry],
        [entry, list],
      ];
      for (const [at, value] of words) guest.memory.write64(at, BigInt.asUintN(64, BigInt(value)));
      expect(await guest.call("set_robust_list", list, 24)).toBe(0);
      expect(await guest.call("futex", AT, FUTEX_LOCK_PI, 0, 0)).toBe(0);
      await waiters(
        Array.from({ length: count }, () => [FUTEX_LOCK_PI, 0]),
        guest,
      );
      const [, heir] = guest.kernel.tasks.threads.keys();
      guest.prepare("exit", 0);
      await guest.kernel.run(1n);
      const more = count > 1 ? 0x8000_0000 : 0;
      expect(guest.memory.read32(AT) >>> 0).toBe(more + 0x4000_0000 + heir);
    }
  });

  it("is woken by FUTEX_WAKE_OP where the word that this changes was what it says", async () => {
    const guest = await waiters(Array.from({ length: 9 }, () => [FUTEX_WAIT, 0]));
    const wakeOp = async (code: number[], word: number) => {
      guest.memory.write32(AT, word);
      const [operation, comparison, operand, compared] = code;
      const bits = (operation << 28) | (comparison << 24) | ((operand & 0xfff) << 12) | (compared & 0xfff);
      // Nobody waits on the first word.
      const woken = await guest.call("futex", AT + 8, FUTEX_WAKE_OP, 9, 1, AT, bits);
      return [guest.memory.read32(AT), woken];
    };
    const [SET, ADD, OR, ANDN, XOR, SHIFT] = [0, 1, 2, 3, 4, 8];
    const [EQ, NE, LT, LE, GT, GE] = [0, 1, 2, 3, 4, 5];
    expect(await wakeOp([SET, EQ, 7, 5], 5)).toEqual([7, 1]);
    expect(await wakeOp([SET | SHIFT, EQ, 4, 5], 6)).toEqual([16, 0]);
    expect(await wakeOp([ADD, NE, -3, 5], 6)).toEqual([3, 1]);
    expect(await wakeOp([ADD | SHIFT, NE, 33, 5], 5)).toEqual([7, 0]);
    expect(await wakeOp([OR, LT, 3, -4], -5)).toEqual([-5, 1]);
    expect(await wakeOp([OR, LT, 3, 4], 4)).toEqual([7, 0]);
    expect(await wakeOp([ANDN, LE, 6, 7], 7)).toEqual([1, 1]);
    expect(await wakeOp([ANDN, LE, 6, 6], 7)).toEqual([1, 0]);
    expect(await wakeOp([XOR, GT, 5, 5], 6)).toEqual([3, 1]);
    expect(await wakeOp([XOR, GT, 5, 6], 6)).toEqual([3, 0]);
    expect(await wakeOp([SET, GE, -1, 6], 6)).toEqual([-1, 1]);
    expect(await wakeOp([SET, GE, -1, 7], 6)).toEqual([-1, 0]);
    expect(await wakeOp([5, EQ, 0, 0], 0)).toEqual([0, "ENOSYS"]);
    expect(await wakeOp([SET, 6, 0, 0], 0)).toEqual([0, "ENOSYS"]);
  });

  it("is refused where what it remembers is not what a call writes", async () => {
    const guest = await waiters([[FUTEX_WAIT, 0]]);
    const snapshot = freezeKernel(guest.kernel);
    const [, thread] = snapshot.processes[0].threads;
    const states: CallState[] = [
      { kind: "moved", done: -1 },
      { kind: "moved", done: 0x7fff_f001 },
      { kind: "moved", done: 1.5 },
      { kind: "vfork", child: 0x40_0000 },
      { kind: "vfork", child: -1 },
      { kind: "requeued", address: 2 ** 47 },
    ];
    for (const state of states) {
      thread.blocked = { ...thread.blocked!, state };
      expect(() => thaw(snapshot)).toThrow(/remembers of its system call makes no sense/);
    }
    for (const state of [
      { kind: "requeued", address: 2 ** 47 - 1 },
      { kind: "vfork", child: 0x3f_ffff },
    ] as const) {
      thread.blocked = { ...thread.blocked!, state };
      expect(statesOf(thaw(snapshot))).toContain(state.kind);
    }
  });
});

it("refuses process ids that are none, and takes what an older image lacks for what it was then", async () => {
  const { kernel } = await driver();
  const snapshot = freezeKernel(kernel);
  const [{ personality: _, ...process }] = snapshot.processes;
  const withPid = (pid: number) => ({ ...snapshot, processes: [{ ...process, pid }] });
  for (const pid of [0, -1, 1.5, 0x40_0000]) expect(() => thaw(withPid(pid))).toThrow(`process id ${pid}`);
  expect([...thaw(withPid(0x3f_ffff)).processes.values()]).toMatchObject([
    { pid: 0x3f_ffff, personality: 0 },
  ]);
});

it("keeps both halves of a quadword reservation", async () => {
  const guest = await driver();
  const { registers } = guest.thread;
  registers.u32[RESERVE_LENGTH / 4] = 16;
  registers.u64[RESERVE_VALUE / 8] = 0x1122n;
  registers.u64[RESERVE_VALUE / 8 + 1] = 0x3344n;
  const [thawed] = thaw(freezeKernel(guest.kernel)).tasks.threads.values();
  expect(thawed.registers.u64[RESERVE_VALUE / 8]).toBe(0x1122n);
  expect(thawed.registers.u64[RESERVE_VALUE / 8 + 1]).toBe(0x3344n);
});
