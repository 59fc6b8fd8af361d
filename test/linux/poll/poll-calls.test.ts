/** poll, select and epoll, call by call. */
import { describe, expect, it } from "vitest";
import { CallDriver } from "../../support/call-driver.ts";

const AT = 0x2000_0000;
/** The mask: SIGHUP alone. */
const MASK = AT + 64;

async function driver() {
  const guest = new CallDriver("ppc64");
  await guest.ok("mmap", AT, 0x1000, 3, 0x32, -1, 0);
  guest.memory.write(MASK, Buffer.from("0000000000000001", "hex"));
  guest.thread.signals.setMask(6n);
  return guest;
}

describe("the signal mask that a call changes for its time", () => {
  it("is put back where the call fails, is done at once, or has waited", async () => {
    const guest = await driver();
    const { signals } = guest.thread;
    // A zero timeout; nothing at address 0x1000.
    expect(await guest.call("ppoll", 0x1000, 1, AT, MASK, 8)).toBe("EFAULT");
    expect([signals.mask, signals.savedMask]).toEqual([6n, null]);
    expect(await guest.call("ppoll", 0, 0, AT, MASK, 8)).toBe(0);
    expect([signals.mask, signals.savedMask]).toEqual([6n, null]);
    guest.memory.write(AT, Buffer.from("00000000000000000000000000000005", "hex"));
    expect(await guest.call("ppoll", 0, 0, AT, MASK, 8)).toBe(0);
    expect([signals.mask, signals.savedMask]).toEqual([6n, null]);
  });

  it("lets no signal through where the call fails or is done at once", async () => {
    const guest = await driver();
    // SIGINT, which the thread blocks and the call would not; the program would die of it.
    await guest.ok("kill", guest.process.pid, 2);
    expect(await guest.call("ppoll", 0x1000, 1, 0, MASK, 8)).toBe("EFAULT");
    const counter = await guest.ok("eventfd2", 1, 0);
    guest.memory.write(AT, Buffer.from("00000003ffff0000", "hex"));
    expect(counter).toBe(3);
    expect(await guest.call("ppoll", AT, 1, 0, MASK, 8)).toBe(1);
    expect(guest.process.signals.pending.mask).toBe(2n);
    expect(guest.process.exitStatus).toBe(null);
  });

  it("holds while the call waits", async () => {
    const guest = await driver();
    guest.memory.write(AT, Buffer.from("00000000000000050000000000000000", "hex"));
    guest.prepare("ppoll", 0, 0, AT, MASK, 8);
    guest.host.yield = async () => guest.kernel.requestStop();
    await guest.kernel.run(1n);
    expect([guest.thread.signals.mask, guest.thread.signals.savedMask]).toEqual([1n, 6n]);
  });
});

it("counts descriptors from none", async () => {
  const guest = await driver();
  const never = Buffer.alloc(16);
  guest.memory.write(AT, never);
  expect(await guest.call("_newselect", 0, 0, 0, 0, AT)).toBe(0);
  expect(await guest.call("_newselect", -1, 0, 0, 0, AT)).toBe("EINVAL");
  expect(await guest.call("epoll_create", 0)).toBe("EINVAL");
  expect(await guest.call("epoll_create", 1)).toBe(3);
});

describe("a set of epoll", () => {
  const [ADD, MODIFY] = [1, 3];
  const THREAD = 0x10f00;

  it("wakes who waits for it when something ready is added or asked for", async () => {
    const guest = await driver();
    for (const op of [ADD, MODIFY]) {
      const set = await guest.ok("epoll_create1", 0);
      const counter = await guest.ok("eventfd2", 1, 0);
      guest.memory.write32(AT, 0);
      if (op === MODIFY) expect(await guest.call("epoll_ctl", set, ADD, counter, AT)).toBe(0);
      const other = guest.kernel.thread(await guest.ok("clone", THREAD, 0, 0, 0, 0))!;
      other.registers.nia -= 4n;
      other.registers.setGpr(0, 238n);
      [set, AT + 256, 1, -1].forEach((value, n) => {
        other.registers.setGpr(3 + n, BigInt.asUintN(64, BigInt(value)));
      });
      guest.kernel.scheduler.yield();
      while (other.state === "runnable") await guest.kernel.run(1n);
      guest.memory.write32(AT, 1);
      expect(await guest.call("epoll_ctl", set, op, counter, AT)).toBe(0);
      expect(other.state).toBe("runnable");
    }
  });

  it("says in /proc what is in it", async () => {
    const guest = await driver();
    const set = await guest.ok("epoll_create1", 0);
    const counter = await guest.ok("eventfd2", 1, 0);
    guest.memory.write(AT, Buffer.from("00000019000000000000000000000123", "hex"));
    expect(await guest.call("epoll_ctl", set, ADD, counter, AT)).toBe(0);
    guest.memory.write(AT, Buffer.from(`/proc/self/fdinfo/${set}\0`));
    const file = await guest.ok("open", AT, 0);
    const length = await guest.ok("read", file, AT, 1024);
    const text = Buffer.from(guest.memory.read(AT, length)).toString();
    // As ep_show_fdinfo of Linux's fs/eventpoll.c prints it.
    expect(text).toMatch(/^tfd: {8}4 events: {7}19 data: {14}123 {2}pos:0 ino:[0-9a-f]+ sdev:[0-9a-f]+$/m);
  });
});
