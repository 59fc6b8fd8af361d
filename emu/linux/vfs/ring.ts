/**
 * A bounded buffer of bytes. Those of a big-endian program stay as they lie in its memory, the first one last (`Storage`), so that they
 * pass from one memory to another without being reversed on the way.
 */
import type { AddressSpace } from "../../memory/address-space.ts";

const NOTHING = new Uint8Array(0);

export class Ring {
  private readonly capacity: number;
  /** Of `capacity` bytes from the first ones on: many pipes, shells' above all, are made for little or nothing. */
  private bytes = NOTHING;
  private start = 0;
  private isReversed = false;
  /** Bytes that are in it. */
  length = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** Where `count` bytes from place `at` on stand, which do not go over the end. */
  private index(at: number, count: number): number {
    return this.isReversed ? this.capacity - at - count : at;
  }

  /** Has `use` do something to `count` bytes from the `from`th on: to one run of them, or to two. */
  private each(from: number, count: number, use: (index: number, done: number, count: number) => void): void {
    const at = (this.start + from) % this.capacity;
    const first = Math.min(count, this.capacity - at);
    use(this.index(at, first), 0, first);
    if (first < count) use(this.index(0, count - first), first, count - first);
  }

  /** Makes room for the first bytes, in this order where there are none so far. */
  private begin(isReversed: boolean): void {
    if (this.length === 0) this.isReversed = isReversed;
    if (this.bytes === NOTHING) this.bytes = new Uint8Array(this.capacity);
  }

  /** Adds bytes, for which there is room. */
  put(from: Uint8Array): void {
    this.begin(false);
    const { bytes, isReversed } = this;
    this.each(this.length, from.length, (index, done, count) => {
      if (!isReversed) bytes.set(from.subarray(done, done + count), index);
      else for (let i = 0; i < count; i++) bytes[index + count - 1 - i] = from[done + i];
    });
    this.length += from.length;
  }

  /** Adds `count` bytes, for which there is room, of a memory where they can be loaded. */
  putFrom(memory: AddressSpace, address: number, count: number): void {
    this.begin(memory.isReversed);
    if (memory.isReversed !== this.isReversed) {
      this.put(memory.peek(address, count));
      return;
    }
    this.each(this.length, count, (index, done, part) => {
      memory.moveStored(address + done, part, this.bytes, index, false);
    });
    this.length += count;
  }

  /** Copies the first bytes; there are as many as `into` has room for. */
  copy(into: Uint8Array): void {
    const { bytes, isReversed } = this;
    this.each(0, into.length, (index, done, count) => {
      if (!isReversed) into.set(bytes.subarray(index, index + count), done);
      else for (let i = 0; i < count; i++) into[done + i] = bytes[index + count - 1 - i];
    });
  }

  /** Copies the first `count` bytes, of those that are there, to a memory where they can be stored. */
  copyTo(memory: AddressSpace, address: number, count: number): void {
    if (memory.isReversed !== this.isReversed) {
      const bytes = new Uint8Array(count);
      this.copy(bytes);
      memory.write(address, bytes);
      return;
    }
    this.each(0, count, (index, done, part) => {
      memory.moveStored(address + done, part, this.bytes, index, true);
    });
  }

  /** Drops the first bytes, of those that are there. */
  drop(count: number): void {
    this.start = (this.start + count) % this.capacity;
    this.length -= count;
  }
}
