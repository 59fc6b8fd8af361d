/** Files as mappings see them. */
import { PAGE_SIZE } from "./layout.ts";

/** What a file mapping needs of its file; the personality provides it. */
export interface MappedFile {
  /** Absolute guest path, as /proc/self/maps and images show it. */
  readonly path: string;
  /** Names the file among all of the host's. */
  readonly key?: string;
  /** False when `write` may not be called: shared mappings of it stay read-only. */
  readonly writable?: boolean;
  /** Shared mappings of it are new memory, each: /dev/zero. */
  readonly isZeros?: boolean;
  /** Present length in bytes. */
  size(): number;
  /** Reads up to `into.length` bytes at `position`; returns how many there were (0 at the end). */
  read(position: number, into: Uint8Array): number;
  /** Writes a shared mapping's bytes back. */
  write(position: number, from: Uint8Array): void;
}

/** One page of a file, zero beyond its end; undefined when the whole page lies beyond. */
export function readFilePage(file: MappedFile, position: number): Uint8Array | undefined {
  const bytes = new Uint8Array(PAGE_SIZE);
  return file.read(position, bytes) === 0 ? undefined : bytes;
}
