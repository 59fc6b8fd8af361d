/** Virtual memory areas: what the personality has mapped where (Linux: struct vm_area_struct). */

export const PROT_READ = 1;
export const PROT_WRITE = 2;
export const PROT_EXEC = 4;

/** What a file mapping needs of its file; the personality provides it. */
export interface MappedFile {
  /** Absolute guest path, as /proc/self/maps and images show it. */
  readonly path: string;
  /** False when `write` may not be called: shared mappings of it stay read-only. */
  readonly writable?: boolean;
  /** Present length in bytes. */
  size(): number;
  /** Reads up to `into.length` bytes at `position`; returns how many there were (0 at the end). */
  read(position: number, into: Uint8Array): number;
  /** Writes a shared mapping's bytes back. */
  write(position: number, from: Uint8Array): void;
}

/**
 * Memory that several mappings see (MAP_SHARED): one page of it is present at one place at a time, and moves
 * when another mapping touches it, so that all see every write at once.
 */
export class SharedObject {
  /** The file behind it; none for anonymous shared memory. */
  readonly file: MappedFile | undefined;
  /** Where each page (index in the object) is now: in an address space, or put aside as bytes. */
  readonly pages = new Map<number, SharedPage>();

  constructor(file?: MappedFile) {
    this.file = file;
  }
}

export interface SharedPage {
  /** The bytes, in guest order, while no mapping holds the page. */
  bytes?: Uint8Array;
  /** The mapping that holds it: takes the page out and returns its bytes. */
  holder?: { readonly space: object; readonly page: number; evict(): Uint8Array };
  /** Written since it was last equal to the file. */
  dirty: boolean;
}

export interface Vma {
  /** First byte; a multiple of the page size. */
  start: number;
  /** One past the last byte; at most 2^32. */
  end: number;
  /** PROT_* bits. */
  prot: number;
  /** The file of a private file mapping. */
  file?: MappedFile;
  /** The object of a shared mapping. */
  shared?: SharedObject;
  /** Byte offset of `start` in the file or shared object. */
  offset: number;
  /** Grows towards lower addresses on demand (the stack). */
  growsDown?: boolean;
  /** What it is, for /proc/self/maps and images: "[heap]", "[stack]", or none. */
  name?: string;
}

/** Whether `b`, which starts where `a` ends, continues it in every respect. */
export const continues = (a: Vma, b: Vma): boolean =>
  a.end === b.start &&
  a.prot === b.prot &&
  a.file === b.file &&
  a.shared === b.shared &&
  a.growsDown === b.growsDown &&
  a.name === b.name &&
  (a.file === undefined && a.shared === undefined ? true : a.offset + (a.end - a.start) === b.offset);
