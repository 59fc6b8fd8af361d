/** Files of memfd_create(2): they have no name, and seals can forbid changes to them (include/uapi/linux/fcntl.h). */
import { fail } from "./synthetic.ts";

export const F_SEAL_SEAL = 1;
export const F_SEAL_SHRINK = 2;
export const F_SEAL_GROW = 4;
export const F_SEAL_WRITE = 8;
export const F_SEAL_FUTURE_WRITE = 16;
const KNOWN = 31;
const WRITES = F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;

/** The seals of one file, which all its descriptions share. */
export class Seals {
  bits: number;
  constructor(bits: number) {
    this.bits = bits & KNOWN;
  }

  /** F_ADD_SEALS. Throws EINVAL, EPERM where the seals are sealed, EBUSY while the file is mapped to be written. */
  add(bits: number, isMappedWritable: () => boolean): void {
    if (bits & ~KNOWN) fail("EINVAL");
    if (this.bits & F_SEAL_SEAL) fail("EPERM", "its seals are sealed");
    if (bits & F_SEAL_WRITE && !(this.bits & F_SEAL_WRITE) && isMappedWritable()) fail("EBUSY");
    this.bits |= bits;
  }

  /** Throws EPERM where bytes up to `end` may not be written into a file of `size`. */
  checkWrite(end: number, size: number): void {
    if (this.forbidsWrites || (this.bits & F_SEAL_GROW && end > size)) fail("EPERM", "sealed");
  }
  /** Throws EPERM where a file of `size` may not become `length` long. */
  checkSize(length: number, size: number): void {
    const forbidden = length < size ? F_SEAL_SHRINK : length > size ? F_SEAL_GROW : 0;
    if (this.bits & forbidden) fail("EPERM", "sealed");
  }
  /** Whether nothing may be written into it any more. */
  get forbidsWrites(): boolean {
    return (this.bits & WRITES) !== 0;
  }
  /** Throws EPERM where it may not be mapped to be written. */
  checkMapping(): void {
    if (this.forbidsWrites) fail("EPERM", "sealed");
  }
}
