/**
 * Where a guest's bytes lie in its WebAssembly memory.
 *
 * Big-endian guests are stored reversed: the N-byte datum at guest address A lies at host offset size - A - N,
 * least significant byte first, so that a big-endian access of any size and alignment is one plain little-endian
 * access. Little-endian guests are stored straight, behind the machine's corner. Nothing else knows which of the two it is.
 */
import {
  CORNER_SIZE,
  GUARD_TABLE_SIZE,
  PAGE_SIZE,
  READ_GUARD_OFFSET,
  REVERSAL_OFFSET,
  REVERSAL_SIZE,
  STRAIGHT_OFFSET,
  WRITE_GUARD_OFFSET,
} from "./layout.ts";
import { type BulkAccess, bulkAccess, newMemory, WASM_PAGE } from "./wasm-memory.ts";

export type ByteOrder = "big" | "little";

/** Host offset of the `n`-byte datum at guest address `ea`, where a `Storage` has this `flip` and `base`. */
export const hostOffset = (ea: number, n: number, flip: number, base: number): number =>
  ((ea ^ flip) - (flip & (n - 1)) + base) >>> 0;

export class Storage {
  readonly memory: WebAssembly.Memory;
  readonly byteOrder: ByteOrder;
  /** Bytes of guest address space. */
  readonly size: number;
  readonly view: DataView;
  /** By host offsets. */
  readonly bulk: BulkAccess;
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
    this.memory = reserve(size / WASM_PAGE);
    this.view = new DataView(this.memory.buffer);
    this.bytes = new Uint8Array(this.memory.buffer);
    this.bulk = bulkAccess(this.memory);
    this.flip = big ? -1 : 0;
    this.base = big ? size | 0 : STRAIGHT_OFFSET;
  }

  /** Host offset of the `n`-byte datum at guest address `ea`. */
  host(ea: number, n: number): number {
    return hostOffset(ea, n, this.flip, this.base);
  }

  /** Copies bytes out in guest order. `into` has the length. */
  peek(address: number, into: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    if (this.flip) this.exchange(address, into, false);
    else into.set(this.range(address, into.length));
    return into;
  }

  /** Copies bytes in, given in guest order. */
  poke(address: number, from: Uint8Array): void {
    if (this.flip) this.exchange(address, from, true);
    else this.range(address, from.length).set(from);
  }

  /** How many of the bytes from a guest address on come before a NUL, `most` where there is none among so many. */
  lengthOf(address: number, most: number): number {
    const { bytes } = this;
    let length = 0;
    while (length < most && bytes[this.host(address + length, 1)] !== 0) length++;
    return length;
  }

  /** A number that follows from the bytes at a guest address. */
  digest(address: number, length: number): number {
    const { bytes } = this;
    let digest = length;
    for (let i = 0; i < length; i++) digest = (Math.imul(digest, 31) + bytes[this.host(address + i, 1)]) | 0;
    return digest;
  }

  /** Whether the bytes from a guest address on are the codes of a text's characters. */
  holds(address: number, text: string): boolean {
    const { bytes } = this;
    for (let i = 0; i < text.length; i++)
      if (bytes[this.host(address + i, 1)] !== text.charCodeAt(i)) return false;
    return true;
  }

  /** Copies `length` bytes at a guest address to or from an array that has them in the order in which they lie here. */
  moveStored(address: number, length: number, array: Uint8Array, index: number, isStore: boolean): void {
    const { bytes } = this;
    const at = this.host(address, length);
    if (length < LEAST_TO_SET) {
      if (isStore) for (let i = 0; i < length; i++) bytes[at + i] = array[index + i];
      else for (let i = 0; i < length; i++) array[index + i] = bytes[at + i];
      return;
    }
    // V8 copies to and from shared memory byte by byte unless both places are alike within a word.
    const shift = (index + array.byteOffset - at) & 7;
    const buffer = REVERSAL_OFFSET;
    for (let done = 0; done < length; ) {
      const count = shift === 0 ? length : Math.min(length - done, REVERSAL_SIZE - 8);
      const place = shift === 0 ? at : buffer + ((index + done + array.byteOffset) & 7);
      const piece = bytes.subarray(place, place + count);
      const part = array.subarray(index + done, index + done + count);
      if (!isStore && shift !== 0) this.bulk.copy(place, at + done, count);
      if (isStore) piece.set(part);
      else part.set(piece);
      if (isStore && shift !== 0) this.bulk.copy(at + done, place, count);
      done += count;
    }
  }

  /** Copies bytes from one guest address to another. */
  copy(from: number, to: number, length: number): void {
    this.bulk.copy(this.host(to, length), this.host(from, length), length);
  }

  /** The words of the page at a guest address, in guest order. */
  words(address: number): Int32Array {
    const words = new Int32Array(this.memory.buffer, this.host(address, PAGE_SIZE), PAGE_SIZE / 4).slice();
    return this.flip ? words.reverse() : words;
  }

  /** Zeroes a page. */
  clearPage(page: number): void {
    this.bulk.fill(this.host(page * PAGE_SIZE, PAGE_SIZE), 0, PAGE_SIZE);
    this.clearedPages++;
  }

  /** Zeroes the machine's corner, but for the guard tables. */
  clearCorner(): void {
    const behind = WRITE_GUARD_OFFSET + GUARD_TABLE_SIZE;
    this.bulk.fill(0, 0, READ_GUARD_OFFSET);
    this.bulk.fill(behind, 0, CORNER_SIZE - behind);
  }

  /** Copies between an array in guest order and memory that is stored reversed, most of it through a buffer in the corner. */
  private exchange(address: number, array: Uint8Array, isStore: boolean): void {
    const { bytes } = this;
    const buffer = REVERSAL_OFFSET;
    const whole = array.length < LEAST_IN_BULK ? 0 : array.length - (array.length % 16);
    for (let done = 0; done < whole; ) {
      const length = Math.min(whole - done, REVERSAL_SIZE);
      const at = this.host(address + done, length);
      const piece = bytes.subarray(buffer, buffer + length);
      if (isStore) {
        piece.set(array.subarray(done, done + length));
        this.bulk.reverse(at, buffer, length);
      } else {
        this.bulk.reverse(buffer, at, length);
        array.set(piece, done);
      }
      done += length;
    }
    for (let done = whole; done < array.length; done++) {
      const at = this.host(address + done, 1);
      if (isStore) bytes[at] = array[done];
      else array[done] = bytes[at];
    }
  }

  private range(address: number, length: number): Uint8Array {
    const at = this.host(address, length);
    return this.bytes.subarray(at, at + length);
  }
}

/** Bytes from which on WebAssembly reverses more quickly than a loop over them. */
const LEAST_IN_BULK = 128;
/** Bytes from which on an array takes them from shared memory more quickly by `set`, which takes V8 a call, than one by one. */
const LEAST_TO_SET = 1024;

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
