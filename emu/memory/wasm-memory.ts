/**
 * The WebAssembly memories that address spaces lie in, and how modules import them.
 *
 * They are shared memories where the engine has such. No second thread sees them; but V8 counts all 4 GiB of an unshared
 * one as garbage to come and collects at each new one (6 to 50 ms by the heap), while those that are shared take 0.02 ms
 * and count for nothing. So who drops one in which there is much has to say so: `noteDropped`.
 */
import { lazily } from "../lazily.ts";
import { MOVED_PLAINLY } from "../tuning.ts";

/** Whether memories are shared: browsers have such memories only in pages that are isolated from others. */
const IS_SHARED = typeof SharedArrayBuffer === "function";

/** Bytes of a WebAssembly page. */
export const WASM_PAGE = 65536;
/** WebAssembly pages of the largest memory. */
const MOST_PAGES = 65536;

/** A memory of so many WebAssembly pages, which never grows. */
export const newMemory = (pages: number): WebAssembly.Memory =>
  new WebAssembly.Memory({ initial: pages, maximum: pages, shared: IS_SHARED });

/** What is done to a memory in bulk, by offsets in it. */
export interface BulkAccess {
  /** Sets `length` bytes from offset `at` on to a value. */
  fill(at: number, value: number, length: number): void;
  /** Copies `length` bytes from offset `from` on. */
  copy(to: number, from: number, length: number): void;
  /** Copies `length` bytes, a multiple of 16 and not 0, to a place that does not overlap, the last one first. */
  reverse(to: number, from: number, length: number): void;
}

/** (i32, i32, i32) -> () */
const TYPE = [0x60, 3, 0x7f, 0x7f, 0x7f, 0];
const FILL = [0, 0x20, 0, 0x20, 1, 0x20, 2, 0xfc, 11, 0, 0x0b];
const COPY = [0, 0x20, 0, 0x20, 1, 0x20, 2, 0xfc, 10, 0, 0, 0x0b];
const REVERSE = [
  ...[1, 1, 0x7b], // one local, a v128
  ...[0x03, 0x40], // loop
  ...[0x20, 0, 0x20, 1], // to, from +
  ...[0x20, 2, 0x41, 16, 0x6b, 0x22, 2, 0x6a], // (length -= 16)
  ...[0xfd, 0, 0, 0, 0x22, 3, 0x20, 3], // v128.load, twice for the shuffle
  ...[0xfd, 13, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
  ...[0xfd, 11, 0, 0], // v128.store
  ...[0x20, 0, 0x41, 16, 0x6a, 0x21, 0], // to += 16
  ...[0x20, 2, 0x0d, 0, 0x0b, 0x0b], // again while length is not 0
];

const nameOf = (text: string): number[] => [text.length, ...new TextEncoder().encode(text)];

const makeBulkModule = lazily(() => {
  const [flags, least] = memoryLimits(1);
  const memory = [1, 0x6d, 1, 0x6d, 2, flags, least, 0x80, 0x80, 4];
  const exported = [3, ...nameOf("fill"), 0, 0, ...nameOf("reverse"), 0, 1, ...nameOf("copy"), 0, 2];
  const code = [3, FILL.length, ...FILL, REVERSE.length, ...REVERSE, COPY.length, ...COPY];
  return new WebAssembly.Module(
    Uint8Array.from([
      ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      ...[1, TYPE.length + 1, 1, ...TYPE],
      ...[2, memory.length + 1, 1, ...memory],
      ...[3, 4, 3, 0, 0, 0],
      ...[7, exported.length, ...exported],
      ...[10, code.length, ...code],
    ]),
  );
});

function makeBulkFunctions(memory: WebAssembly.Memory): BulkAccess {
  const { exports } = new WebAssembly.Instance(makeBulkModule(), { m: { m: memory } });
  return exports as unknown as BulkAccess;
}

/** Bytes that all memories together have had set, copied or reversed by typed arrays. */
let movedPlainly = 0;

/**
 * Bulk access to a memory: quickest by WebAssembly itself, for where a memory is shared typed arrays go element by element. But
 * the first module that a process makes takes milliseconds, which is more than a short run has to gain.
 */
export function bulkAccess(memory: WebAssembly.Memory): BulkAccess {
  const bytes = new Uint8Array(memory.buffer);
  const words = new BigUint64Array(memory.buffer);
  let functions: BulkAccess | undefined;
  const functionsFor = (length: number): BulkAccess | undefined => {
    if (functions === undefined && (movedPlainly += length) > MOVED_PLAINLY)
      functions = makeBulkFunctions(memory);
    return functions;
  };
  return {
    fill(at, value, length) {
      const better = functionsFor(length);
      if (better !== undefined) better.fill(at, value, length);
      else if (length % 8 === 0 && at % 8 === 0)
        words.fill(BigInt(value) * EACH_BYTE, at / 8, (at + length) / 8);
      else bytes.fill(value, at, at + length);
    },
    copy(to, from, length) {
      const better = functionsFor(length);
      if (better !== undefined) better.copy(to, from, length);
      else bytes.copyWithin(to, from, from + length);
    },
    reverse(to, from, length) {
      const better = functionsFor(length);
      if (better !== undefined) better.reverse(to, from, length);
      else
        bytes
          .copyWithin(to, from, from + length)
          .subarray(to, to + length)
          .reverse();
    },
  };
}

/** 1 in each byte of a doubleword. */
const EACH_BYTE = 0x0101_0101_0101_0101n;

/** What a module says of the memory of at least so many pages that it imports: flags, least and most pages. */
export const memoryLimits = (pages: number): readonly [flags: number, least: number, most: number] => [
  IS_SHARED ? 3 : 1,
  pages,
  MOST_PAGES,
];

/** V8 collects at once when a GiB or two have come since it did so last: so after some 256 MiB of memory dropped. */
const WEIGHT = 4;
const MOST_WEIGHT = 2 ** 30;

/**
 * Tells the collector of garbage that a memory has been dropped of which the host has so many bytes, by memory that is
 * never touched, and so costs nothing but counts.
 */
export function noteDropped(bytes: number): void {
  if (!IS_SHARED || bytes === 0) return;
  try {
    new ArrayBuffer(Math.min(WEIGHT * bytes, MOST_WEIGHT));
  } catch {
    // So little is left that all garbage has just been collected.
  }
}
