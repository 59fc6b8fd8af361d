/**
 * Where a guest's bytes lie in its WebAssembly memory.
 *
 * Big-endian guests are stored reversed: the N-byte datum at guest address A lies at host offset size - A - N,
 * least significant byte first, so that a big-endian access of any size and alignment is one plain little-endian
 * access. Little-endian guests are stored straight. Nothing else knows which of the two it is.
 */
import { CORNER_SIZE, GUARD_TABLE_SIZE, PAGE_SIZE, READ_GUARD_OFFSET, WRITE_GUARD_OFFSET } from "./layout.ts";
import { type Fill, fillOf, newMemory, WASM_PAGE } from "./wasm-memory.ts";

export type ByteOrder = "big" | "little";

/** Host offset of the `n`-byte datum at guest address `ea`, where a `Storage` has this `flip` and `base`. */
export const hostOffset = (ea: number, n: number, flip: number, base: number): number =>
  ((ea ^ flip) - (flip & (n - 1)) + base) >>> 0;

export class Storage {
  readonly memory: WebAssembly.Memory;
  readonly byteOrder: ByteOrder;
  /** Bytes of guest address space. */
  readonly size: number;
  /** Host offset of the machine's corner. */
  readonly corner: number;
  readonly view: DataView;
  /** Fills host offsets. */
  readonly fill: Fill;
  private readonly bytes: Uint8Array;
  /** How often `clearPage` was called. */
  clearedPages = 0;
  /** See `hostOffset`. */
  readonly flip: number;
  readonly base: number;

  constructor(byteOrder: ByteOrder, size: number) {
    if (!(size % WASM_PAGE === 0 && size >= 2 * CORNER_SIZE && size <= 2 ** 32)) {
      throw new RangeError(`guest address space of ${size} bytes: want a multiple of 64 KiB, 8 MiB to 4 GiB`);
    }
    const big = byteOrder === "big";
    this.byteOrder = byteOrder;
    this.size = size;
    this.corner = big ? 0 : size - CORNER_SIZE;
    this.memory = reserve(size / WASM_PAGE);
    this.view = new DataView(this.memory.buffer);
    this.bytes = new Uint8Array(this.memory.buffer);
    this.fill = fillOf(this.memory);
    this.flip = big ? -1 : 0;
    this.base = big ? size | 0 : 0;
  }

  /** Host offset of the `n`-byte datum at guest address `ea`. */
  host(ea: number, n: number): number {
    return hostOffset(ea, n, this.flip, this.base);
  }

  /** Copies bytes out in guest order. `into` has the length. */
  peek(address: number, into: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const range = this.range(address, into.length);
    if (this.flip) reverseInto(into, range);
    else into.set(range);
    return into;
  }

  /** Copies bytes in, given in guest order. */
  poke(address: number, from: Uint8Array): void {
    const range = this.range(address, from.length);
    if (this.flip) reverseInto(range, from);
    else range.set(from);
  }

  /** Copies bytes from one guest address to another. */
  copy(from: number, to: number, length: number): void {
    this.range(to, length).set(this.range(from, length));
  }

  /** Zeroes a page. */
  clearPage(page: number): void {
    this.fill(this.host(page * PAGE_SIZE, PAGE_SIZE), 0, PAGE_SIZE);
    this.clearedPages++;
  }

  /** Zeroes the machine's corner, but for the guard tables. */
  clearCorner(): void {
    const { corner } = this;
    const behind = WRITE_GUARD_OFFSET + GUARD_TABLE_SIZE;
    this.fill(corner, 0, READ_GUARD_OFFSET);
    this.fill(corner + behind, 0, CORNER_SIZE - behind);
  }

  private range(address: number, length: number): Uint8Array {
    const at = this.flip ? this.size - address - length : address;
    return this.bytes.subarray(at, at + length);
  }
}

/** Copies bytes in reverse, most of them by words: `reverse` goes byte by byte. Neither array overlaps the other. */
function reverseInto(into: Uint8Array, from: Uint8Array): void {
  const { length } = from;
  let done = 0;
  if (length >= LEAST_BY_WORDS) {
    const source = new DataView(from.buffer, from.byteOffset, length);
    const target = new DataView(into.buffer, into.byteOffset, length);
    for (; done + 4 <= length; done += 4)
      target.setInt32(length - 4 - done, source.getInt32(done, true), false);
  }
  for (; done < length; done++) into[length - 1 - done] = from[done];
}
/** Bytes from which on the views for it are worth their making. */
const LEAST_BY_WORDS = 128;

/** A memory of so many WebAssembly pages. Engines reserve address space for it, of which little is ever used. */
function reserve(pages: number): WebAssembly.Memory {
  try {
    return newMemory(pages);
  } catch (error) {
    throw new RangeError(
      `cannot reserve the guest's address space (${(error as Error).message}): V8 wants some 10 GiB of it; raise 'ulimit -v' or the container's limit`,
    );
  }
}
