/** Images without a trailer: what a kernel of 2009 could have written starts again here. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  type CheckpointOptions,
  FLAVOUR_NAMES,
  ImageError,
  readImage,
  restart,
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
