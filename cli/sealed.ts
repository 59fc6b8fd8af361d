/** Files that V8 takes as they are, with a digest at their end: V8 dies of one that is damaged. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** What files are read into, one after the other: fresh memory for each would take as long as reading it. */
let buffer = Buffer.alloc(0);
/** Bytes that the first script and its cache fit into. */
const ROOM = 2 ** 20;

/** The bytes of a file, until the next one is read. */
export function read(path: string): Buffer {
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    if (buffer.length < size) buffer = Buffer.allocUnsafeSlow(Math.max(size, ROOM));
    return buffer.subarray(0, readSync(file, buffer, 0, size, 0));
  } finally {
    closeSync(file);
  }
}

/** Bytes that a disk loses together. */
const SECTOR = 512;

/**
 * By which a cache is known to be what was made. V8 looks at its length, and for whom it is, and dies of what is damaged farther on. So this is a
 * word of every sector, which takes some 0.4 ms; all of them would take 3.
 */
function digestOf(cache: Buffer): number {
  const words = new Int32Array(cache.buffer, cache.byteOffset, cache.length >>> 2);
  let digest = cache.length;
  for (let i = 0; i < words.length; i += SECTOR / 4) digest = (Math.imul(digest, 31) + words[i]) | 0;
  return digest;
}

/** What is to be kept of a cache: all of it, and its digest. */
export function sealed(cache: Buffer): Buffer {
  const end = Buffer.alloc(4);
  end.writeInt32LE(digestOf(cache));
  return Buffer.concat([cache, end]);
}

/** The cache in a file; undefined where there is none, or not as it was made. */
export function readSealed(path: string): Buffer | undefined {
  try {
    const kept = read(path);
    const cache = kept.subarray(0, -4);
    return kept.readInt32LE(cache.length) === digestOf(cache) ? cache : undefined;
  } catch {
    return undefined;
  }
}
