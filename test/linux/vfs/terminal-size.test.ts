/** A program that is thawed at a terminal of another size than it was told hears of that. */
import { expect, it } from "vitest";
import { modelFor } from "../../../emu/cpu/models.ts";
import { ABIS } from "../../../emu/linux/abi.ts";
import { freezeKernel, thawKernel } from "../../../emu/linux/freeze.ts";
import { SIGWINCH, signalBit } from "../../../emu/linux/signals/signal-numbers.ts";
import { CallDriver } from "../../support/call-driver.ts";
import { memoryHost } from "../../support/memory-host.ts";

const AT = 0x2000_0000;
const TIOCGWINSZ = 0x4008_7468;
const BLOCK = 0;

/** A host whose standard input is a terminal. */
function hostOf(rows: number, columns: number) {
  const host = memoryHost();
  const terminal = { size: () => ({ rows, columns }), change: () => {} };
  return { ...host, streams: new Map([[0, Object.assign(host.stdin, { kind: "tty", terminal })]]) };
}

const pendingAfter = (snapshot: ReturnType<typeof freezeKernel>, rows: number, columns: number) => {
  const kernel = thawKernel(snapshot, {
    host: hostOf(rows, columns),
    abi: ABIS.ppc64,
    cpuModel: modelFor(undefined, "ppc64"),
    mounts: [],
  });
  const [{ signals }] = kernel.processes.values();
  return signals.pending.mask;
};

it("by SIGWINCH", async () => {
  // A seeded run is told of no terminal.
  const guest = new CallDriver("ppc64", { host: hostOf(24, 80), seed: undefined });
  await guest.ok("mmap", AT, 0x1000, 3, 0x32, -1, 0);
  // Blocked, so that it stays to be seen.
  guest.memory.write64(AT, signalBit(SIGWINCH));
  await guest.ok("rt_sigprocmask", BLOCK, AT, 0, 8);
  expect(pendingAfter(freezeKernel(guest.kernel), 50, 100)).toBe(0n);
  expect(await guest.call("ioctl", 0, TIOCGWINSZ, AT)).toBe(0);
  const told = freezeKernel(guest.kernel);
  expect(pendingAfter(told, 24, 80)).toBe(0n);
  expect(pendingAfter(told, 24, 81)).toBe(signalBit(SIGWINCH));
  expect(pendingAfter(told, 25, 80)).toBe(signalBit(SIGWINCH));
});
