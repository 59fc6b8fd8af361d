/** How messages of AF_NETLINK are put together (netlink(7)). */

/** Messages and attributes begin at words. */
export const align = (length: number): number => Math.ceil(length / 4) * 4;

/** Bytes of a message or attribute as they are put together. */
export class Builder {
  private readonly bytes: number[] = [];
  private readonly littleEndian: boolean;

  constructor(littleEndian: boolean) {
    this.littleEndian = littleEndian;
  }
  number(size: 1 | 2 | 4, value: number): this {
    for (let i = 0; i < size; i++) {
      const shift = this.littleEndian ? 8 * i : 8 * (size - 1 - i);
      this.bytes.push((value >>> shift) & 0xff);
    }
    return this;
  }
  /** Bytes, and as many zeros as it takes to a multiple of `unit`. */
  raw(bytes: Iterable<number>, unit = 4): this {
    this.bytes.push(...bytes);
    while (this.bytes.length % unit !== 0) this.bytes.push(0);
    return this;
  }
  attribute(type: number, contents: readonly number[]): this {
    return this.number(2, 4 + contents.length)
      .number(2, type)
      .raw(contents);
  }
  word(type: number, value: number): this {
    return this.attribute(type, new Builder(this.littleEndian).number(4, value).list());
  }
  list(): readonly number[] {
    return this.bytes;
  }
  finish(): Uint8Array {
    return Uint8Array.from(this.bytes);
  }
}
