/**
 * The WebAssembly memories that address spaces lie in, and how modules import them.
 *
 * They are shared memories where the engine has such. No second thread sees them; but V8 counts all 4 GiB of an unshared
 * one as garbage to come and collects at each new one (6 to 50 ms by the heap), while those that are shared take 0.02 ms
 * and count for nothing. So who drops one in which there is much has to say so: `noteDropped`.
 */
import { lazily } from "../lazily.ts";

/** Whether memories are shared: browsers have such memories only in pages that are isolated from others. */
const IS_SHARED = typeof SharedArrayBuffer === "function";

/** Bytes of a WebAssembly page. */
export const WASM_PAGE = 65536;
/** WebAssembly pages of the largest memory. */
const MOST_PAGES = 65536;

/** A memory of so many WebAssembly pages, which never grows. */
export const newMemory = (pages: number): WebAssembly.Memory =>
  new WebAssembly.Memory({ initial: pages, maximum: pages, shared: IS_SHARED });

/** Sets `length` bytes of a memory from an offset on to a value. */
export type Fill = (at: number, value: number, length: number) => void;

/** A module of one function around memory.fill: where memories are shared, the `fill` of typed arrays goes byte by byte. */
const makeFillModule = lazily(() => {
  const type = [1, 7, 1, 0x60, 3, 0x7f, 0x7f, 0x7f, 0];
  const [flags, least] = memoryLimits(1);
  const memory = [1, 0x6d, 1, 0x6d, 2, flags, least, 0x80, 0x80, 4];
  const body = [0, 0x20, 0, 0x20, 1, 0x20, 2, 0xfc, 11, 0, 0x0b];
  return new WebAssembly.Module(
    Uint8Array.from([
      ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      ...type,
      ...[2, memory.length + 1, 1, ...memory],
      ...[3, 2, 1, 0],
      ...[7, 5, 1, 1, 0x66, 0, 0],
      ...[10, body.length + 2, 1, body.length, ...body],
    ]),
  );
});

/** The quickest way to fill parts of a memory. */
export function fillOf(memory: WebAssembly.Memory): Fill {
  const { exports } = new WebAssembly.Instance(makeFillModule(), { m: { m: memory } });
  return exports.f as Fill;
}

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
