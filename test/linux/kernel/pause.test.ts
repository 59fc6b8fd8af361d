/** Calls that have much to do: the host has its turn in between, and a machine can be stopped and frozen there. */
import { describe, expect, it } from "vitest";
import { modelFor } from "../../../emu/cpu/models.ts";
import { ABIS } from "../../../emu/linux/abi.ts";
import { freezeKernel, thawKernel } from "../../../emu/linux/freeze.ts";
import { SIGINT, SIGUSR1 } from "../../../emu/linux/signals/signal-numbers.ts";
import { CallDriver } from "../../support/call-driver.ts";
import { memoryHost } from "../../support/memory-host.ts";

const MIB = 1024 * 1024;
const [O_RDONLY, O_WRONLY] = [0, 1];
const AT = 0x1100_0000;
/** Three of the host's shares and more, at a look for each 256 KiB. */
const LENGTH = 12 * MIB;
const THAW = { abi: ABIS.ppc64, cpuModel: modelFor(undefined, "ppc64"), mounts: [] };

/** A driver with room at AT, whose host sees a millisecond (or `step` nanoseconds) pass whenever it looks at the clock. */
async function slowDriver(step = 1_000_000n) {
  let now = 0n;
  let turns = 0;
  const base = memoryHost();
  const host = {
    ...base,
    clock: { ...base.clock, monotonic: () => (now += step) },
    yield: async (): Promise<void> => {
      turns++;
    },
  };
  const driver = new CallDriver("ppc64", { host });
  await driver.ok("mmap", AT, LENGTH + MIB, 3, 0x32, -1, 0);
  const path = (text: string) => {
    driver.memory.write(AT + LENGTH, Buffer.from(`${text}\0`));
    return AT + LENGTH;
  };
  return { driver, host, path, turns: () => turns };
}

describe("a call with much to do", () => {
  it.each(["/dev/urandom", "/dev/zero"])("lets the host have its turn while it reads %s", async (name) => {
    const { driver, path, turns } = await slowDriver();
    const fd = await driver.ok("open", path(name), O_RDONLY, 0);
    const before = turns();
    expect(await driver.call("read", fd, AT, LENGTH)).toBe(LENGTH);
    expect(turns() - before).toBeGreaterThan(2);
  });

  it("does so while it writes, and in getrandom", async () => {
    const { driver, path, turns } = await slowDriver();
    const fd = await driver.ok("open", path("/dev/null"), O_WRONLY, 0);
    let before = turns();
    expect(await driver.call("write", fd, AT, LENGTH)).toBe(LENGTH);
    expect(turns() - before).toBeGreaterThan(2);
    before = turns();
    expect(await driver.call("getrandom", AT, LENGTH, 0)).toBe(LENGTH);
    expect(turns() - before).toBeGreaterThan(2);
  });

  it("gets further each time on a host that is always late", async () => {
    const { driver } = await slowDriver(1_000_000_000n);
    expect(await driver.call("getrandom", AT, LENGTH, 0)).toBe(LENGTH);
  });

  it("goes on where it was after a freeze in the middle", async () => {
    const whole = await slowDriver();
    await whole.driver.ok("getrandom", AT, LENGTH, 0);
    const expected = Buffer.from(whole.driver.memory.peek(AT, LENGTH));

    const { driver, host } = await slowDriver();
    const { kernel } = driver;
    driver.prepare("getrandom", AT, LENGTH, 0);
    const begun = kernel.instructions;
    host.yield = async () => kernel.requestStop();
    expect(await kernel.run(1n)).toEqual({ reason: "stopped" });
    expect(kernel.instructions).toBe(begun);
    const snapshot = freezeKernel(kernel);
    const { state } = snapshot.processes[0].threads[0].blocked!;
    expect(state).toEqual({ kind: "moved", done: expect.any(Number) });
    expect((state as { done: number }).done).toBeGreaterThan(0);
    const thawed = thawKernel(snapshot, { ...THAW, host: memoryHost() });
    expect(await thawed.run(1n)).toEqual({ reason: "limit" });
    const [process] = thawed.processes.values();
    expect(process.leader!.registers.gpr(3)).toBe(BigInt(LENGTH));
    expect(Buffer.compare(Buffer.from(process.memory.peek(AT, LENGTH)), expected)).toBe(0);
  });

  it("goes on after a thaw that finds what it waited for, however much of it there is", async () => {
    const { driver, host } = await slowDriver();
    const { kernel } = driver;
    driver.prepare("getrandom", AT, LENGTH, 0);
    host.yield = async () => kernel.requestStop();
    await kernel.run(1n);
    const snapshot = freezeKernel(kernel);
    // As a write that was frozen while nobody read.
    snapshot.processes[0].threads[0].blocked!.phase = "waiting";
    snapshot.scheduler.order = [];
    host.yield = async () => {};
    const thawed = thawKernel(snapshot, { ...THAW, host });
    expect(await thawed.run(1n)).toEqual({ reason: "limit" });
    const [process] = thawed.processes.values();
    expect(process.leader!.registers.gpr(3)).toBe(BigInt(LENGTH));
  });

  it("is ended by a signal that the process doesn't survive, and by no other", async () => {
    const { driver, host } = await slowDriver();
    const { kernel, memory } = driver;
    // A handler for SIGUSR1 whose function descriptor is whatever the program begins with.
    memory.store64(AT, 0x1000_0000n);
    await driver.ok("rt_sigaction", SIGUSR1, AT, 0, 8);
    host.yield = async () => kernel.signal(SIGUSR1);
    expect(await driver.call("getrandom", AT, LENGTH, 0)).toBe(SIGUSR1);
    expect(driver.thread.registers.nia).toBe(memory.load64(0x1000_0000));
    host.yield = async () => kernel.signal(SIGINT);
    expect(await driver.last("getrandom", AT, LENGTH, 0)).toEqual({
      reason: "signal",
      signo: SIGINT,
      core: false,
    });
  });
});
