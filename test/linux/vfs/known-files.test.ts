/** What tells the contents of a file again: read as a whole where that is not too much. */
import { expect, it } from "vitest";
import type { Host } from "../../../emu/host/host.ts";
import { nodeHost } from "../../../emu/host/node/index.ts";
import { contentOf } from "../../../emu/linux/vfs/known-files.ts";

const MOST = 256 * 1024 * 1024;

/** A host with one file of zeros, whose digest is the number of bytes that it was made of. */
function hostOf(size: number): Host {
  const node = nodeHost({ descriptors: [] });
  const read = (_: number, into: Uint8Array, at: number | null) =>
    Math.min(into.length, Math.max(0, size - Number(at)));
  let digested = 0;
  const sha256 = () => ({
    update: (bytes: Uint8Array) => void (digested += bytes.length),
    digest: () => Buffer.from(digested.toString(16).padStart(8, "0"), "hex"),
  });
  return { ...node, files: { ...node.files, read }, sha256 };
}

it.each([
  [0, "00000000"],
  [3, "00000003"],
  [1024 * 1024 + 1, "00100001"],
  [MOST, "10000000"],
  [MOST + 1, ""],
])("of %i bytes", (size, content) => {
  const stat = { key: `known-files ${size}`, size: BigInt(size), mtime: 1n };
  expect(contentOf(hostOf(size), 5, stat)).toBe(content);
  // Found out once.
  expect(contentOf(hostOf(0), 5, stat)).toBe(content);
});
