/** Freezing at every instruction boundary, for one ABI; a test file each, so that they run side by side. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readImage, sourceOf, writeImage } from "../../cr/index.ts";
import {
  type Ending,
  freeze,
  load,
  runToEnd,
  type SubjectOptions,
  stateOf,
  thaw,
} from "../support/machine.ts";
import { root } from "../support/ppcr.ts";

/** Decodes an image and encodes it again. */
function rewritten(image: Uint8Array, sha256: Parameters<typeof writeImage>[2]): Uint8Array {
  const pieces: Uint8Array[] = [];
  const sink = { write: (bytes: Uint8Array) => void pieces.push(bytes.slice()) };
  writeImage(readImage(sourceOf(image), { sha256 }), sink, sha256);
  return new Uint8Array(Buffer.concat(pieces));
}

/** Bytes of guest address space: making and collecting large ones is most of the time otherwise. */
const SMALL = 16 * 1024 * 1024;

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/**
 * Freezes a program after every `step` instructions, and runs each image to the end in a machine of its own. All of
 * them, and the first machine itself, which was only held up, must end in the same state.
 */
export async function freezeEverywhere(
  program: string,
  options: SubjectOptions,
  step: bigint,
): Promise<void> {
  const first = load(program, options);
  const endings: Ending[] = [];
  for (let count = 0n; ; count += step) {
    const where = `frozen after ${count} instructions`;
    const { reason } = await first.machine.run(count);
    if (reason !== "limit") break;
    const image = freeze(first);
    expect(same(rewritten(image, first.host.sha256), image), `${where}, decoded and encoded`).toBe(true);
    const before = first.host.stdout.text;
    const second = thaw(image, first);
    if (options.seed === undefined) expect(stateOf(second), where).toEqual(stateOf(first));
    else {
      expect(same(freeze(first), image), `${where}, twice`).toBe(true);
      expect(same(freeze(second), image), `${where}, thawed and frozen again`).toBe(true);
    }
    const end = await runToEnd(second);
    endings.push({ ...end, stdout: before + end.stdout });
  }
  const whole = await runToEnd(first);
  expect(whole.stop).toEqual({ reason: "exit", status: 42 });
  expect(BigInt(endings.length)).toBe((whole.instructions + step - 1n) / step);
  endings.forEach((end, index) => {
    expect(end, `frozen after ${BigInt(index) * step} instructions`).toEqual(whole);
  });
  if (options.seed !== undefined) expect(await runToEnd(load(program, options))).toEqual(whole);
}

/** Defines the suite for one ABI. */
export function freezeAtEveryBoundary(abi: "ppc32" | "ppc64"): void {
  const program = join(root, "guest-bins", "built", `boundary-${abi}`);
  describe(`a ${abi} program frozen and thawed`, () => {
    it("ends the same from every instruction boundary, with a seed", { timeout: 1_200_000 }, async () => {
      await freezeEverywhere(program, { seed: 1n, addressSpaceSize: SMALL }, 1n);
    });
    it("ends the same from many boundaries without a seed", { timeout: 120_000 }, async () => {
      await freezeEverywhere(program, { addressSpaceSize: SMALL }, 97n);
    });
  });
}
