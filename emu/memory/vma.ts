/** Virtual memory areas: what the personality has mapped where (Linux: struct vm_area_struct). */
import type { MappedFile } from "./mapped-file.ts";
import type { SharedObject } from "./shared-object.ts";

export const PROT_READ = 1;
export const PROT_WRITE = 2;
export const PROT_EXEC = 4;

/** One area. It never changes: an area that does is replaced. */
export interface Vma {
  /** First byte; a multiple of the page size. */
  readonly start: number;
  /** One past the last byte; at most 2^47. */
  readonly end: number;
  /** PROT_* bits. */
  readonly prot: number;
  /** The file of a private file mapping. */
  readonly file?: MappedFile;
  /** The object of a shared mapping. */
  readonly shared?: SharedObject;
  /** Byte offset of `start` in the file or shared object. */
  readonly offset: number;
  /** Grows towards lower addresses on demand (the stack). */
  readonly growsDown?: boolean;
  /** What it is, for /proc/self/maps and images: "[heap]", "[stack]", or none. */
  readonly name?: string;
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

/** What counts as data of a process (VM_WRITE without VM_SHARED and VM_STACK: RLIMIT_DATA, VmData). */
export const isData = ({ prot, shared, growsDown }: Omit<Vma, "start" | "end">): boolean =>
  (prot & PROT_WRITE) !== 0 && shared === undefined && growsDown !== true;

/** The part of an area that lies in a range which it has a part in. */
export function clip(area: Vma, from: number, to: number): Vma {
  const start = Math.max(area.start, from);
  return { ...area, start, end: Math.min(area.end, to), offset: area.offset + (start - area.start) };
}

/** Protection as "rwx" letters, `-` where absent. */
export const protectionLetters = (prot: number): string =>
  (prot & PROT_READ ? "r" : "-") + (prot & PROT_WRITE ? "w" : "-") + (prot & PROT_EXEC ? "x" : "-");
