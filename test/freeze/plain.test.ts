/** Images without a trailer: what a kernel of 2009 could have written starts again here. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  type CheckpointOptions,
  check,
  FLAVOUR_NAMES,
  ImageError,
  imageOf,
  readImage,
  restart,
  snapshotOf,
  sourceOf,
} from "../../cr/index.ts";
import { freeze, imageBytes, load, runToEnd, stateOf, thaw } from "../support/machine.ts";
import { root } from "../support/ppcr.ts";

const shapes: [abi: string, shape: Pick<CheckpointOptions, "kernel" | "fpWidth">, longs: number][] = [
  ["ppc32", { kernel: "ppc" }, 4],
  ["ppc32", { kernel: "ppc64", fpWidth: 1 }, 8],
  ["ppc32", { kernel: "ppc64", fpWidth: 2 }, 8],
  ["ppc64", { kernel: "ppc64", fpWidth: 1 }, 8],
  ["ppc64", { kernel: "ppc64", fpWidth: 2 }, 8],
];
const places = [0n, 1n, 500n, 1234n];

for (const [abi, shape, longSize] of shapes)
  for (const flavour of FLAVOUR_NAMES)
    describe(`a plain ${abi} image in ${longSize * 8}-bit shape, FP width ${shape.fpWidth ?? 1}, flavour ${flavour}`, () => {
      it("goes on with its program", async () => {
        const program = join(root, "guest-bins", "built", `boundary-${abi}`);
        for (const place of places) {
          const first = load(program, { seed: 1n });
          await first.machine.run(place);
          const before = first.host.stdout.text;
          const snapshot = first.machine.freeze();
          // A terminal can't be in such an image; a restart attaches its own streams where they are missing.
          for (const process of snapshot.processes) process.descriptors = [];
          const image = imageBytes(snapshot, first.host, { ...shape, flavour, strict: true });
          const read = readImage(sourceOf(image), { strict: flavour === "seed" });
          expect(read.trailer).toBeUndefined();
          expect(read.shape).toEqual({ longSize, fpWidth: shape.fpWidth ?? 1 });
          const second = thaw(image, first);
          const { instructions, ...state } = stateOf(first);
          expect(stateOf(second)).toEqual({ ...state, instructions: 0n });
          const [ours, theirs] = [await runToEnd(second), await runToEnd(first)];
          expect(ours).toEqual({
            ...theirs,
            stdout: theirs.stdout.slice(before.length),
            instructions: theirs.instructions - instructions,
          });
        }
      });
    });

describe("a task that a kernel froze in a system call", () => {
  const program = join(root, "guest-bins", "built", "boundary-ppc64");
  /** Thaws a program whose registers are as a call with the result `code` of the kernel's own leaves them. */
  async function leave(code: bigint, trap = 0xc00n, argument = 7n) {
    const first = load(program, { seed: 1n });
    await first.machine.run(1n);
    const snapshot = first.machine.freeze();
    for (const process of snapshot.processes) process.descriptors = [];
    const image = imageOf(snapshot, { strict: true });
    const { values } = image.tasks[0].cpu;
    const gpr = values.gpr.with(3, code);
    image.tasks[0].cpu.values = { ...values, gpr, trap, orig_gpr3: argument, ccr: 0x1000_0000n };
    const { registers } = snapshotOf(image).processes[0].threads[0];
    return { moved: registers.nia - values.nip, r3: registers.gpr[3], cr: registers.cr };
  }
  const asItWas = (r3: bigint) => ({ moved: 0n, r3, cr: 0x1000_0000 });

  it("makes the call again, or finds it interrupted where only the kernel knew how it goes on", async () => {
    for (const code of [512n, 513n, 514n]) {
      expect(await leave(code)).toEqual({ moved: -4n, r3: 7n, cr: 0 });
    }
    expect(await leave(516n)).toEqual(asItWas(4n));
  });

  it("keeps a result that is the program's, and r3 where there is no call or it has not been made yet", async () => {
    expect(await leave(4n)).toEqual(asItWas(4n));
    expect(await leave(512n, 0x900n)).toEqual(asItWas(512n));
    expect(await leave(512n, 0xc00n, 512n)).toEqual(asItWas(512n));
  });
});

describe("a tree of several tasks", () => {
  it("is thawed whole, in the order in which the tree has them", async () => {
    const first = load(join(root, "guest-bins", "built", "boundary-ppc32"), { seed: 1n });
    const snapshot = first.machine.freeze();
    const [one] = snapshot.processes;
    const child = { ...one, pid: one.pid + 1, ppid: one.pid };
    child.threads = one.threads.map((thread) => ({ ...thread, tid: child.pid }));
    const image = imageBytes({ ...snapshot, processes: [one, child] }, first.host);
    expect(check(sourceOf(image), { sha256: first.host.sha256 }).findings).toEqual([]);
    const thawed = thaw(image, first).machine.freeze().processes;
    expect(thawed.map(({ pid, ppid }) => [pid, ppid])).toEqual([
      [one.pid, one.ppid],
      [child.pid, one.pid],
    ]);
  });
});

describe("--strict", () => {
  it("names everything that a plain image can't hold", async () => {
    const first = load(join(root, "guest-bins", "built", "boundary-ppc32"), { seed: 1n });
    await first.machine.run(2300n);
    const write = () => freeze(first, { strict: true });
    expect(write).toThrow(ImageError);
    expect(write).toThrow(/handled or ignored signals: 10/);
    expect(write).toThrow(/descriptor 0 is an inherited stream/);
  });

  it("refuses an image with a trailer, as a kernel of then does", async () => {
    const first = load(join(root, "guest-bins", "built", "boundary-ppc32"), { seed: 1n });
    const image = freeze(first);
    expect(() => restart(sourceOf(image), { strict: true })).toThrow(ImageError);
    expect(() => restart(sourceOf(image))).not.toThrow();
  });
});
