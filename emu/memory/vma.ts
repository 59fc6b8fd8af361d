/** Virtual memory areas: what the personality has mapped where (Linux: struct vm_area_struct). */
import type { MappedFile } from "./mapped-file.ts";
import type { SharedObject } from "./shared-object.ts";

export const PROT_READ = 1;
export const PROT_WRITE = 2;
export const PROT_EXEC = 4;

/** What programs ask of areas, as Linux numbers it. */
export const VM_LOCKED = 0x2000;
/** A child has nothing there. */
export const VM_DONTCOPY = 0x2_0000;
/** A child has zeros there. */
export const VM_WIPEONFORK = 0x200_0000;
export const VM_DONTDUMP = 0x400_0000;
/** A shared mapping that can't be made writable, for it is of a file that was open to be read alone: Linux's VM_MAYWRITE is missing. */
export const VM_READ_ONLY = 0x20;
/** All that `flags` may say. */
export const VM_KEPT = VM_LOCKED | VM_DONTCOPY | VM_WIPEONFORK | VM_DONTDUMP | VM_READ_ONLY;

/** What mbind(2) asks of an area, set_mempolicy(2) of a thread: MPOL_* with flags, and nodes as a mask. */
export interface MemoryPolicy {
  readonly mode: number;
  readonly nodes: bigint;
}

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
  /** VM_* bits of what mlock(2) and madvise(2) have asked for, and VM_READ_ONLY; none when absent. */
  readonly flags?: number;
  /** Which nodes its pages come from; the thread's policy says when absent. */
  readonly policy?: MemoryPolicy;
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
  (a.flags ?? 0) === (b.flags ?? 0) &&
  a.name === b.name &&
  a.policy?.mode === b.policy?.mode &&
  a.policy?.nodes === b.policy?.nodes &&
  (a.file === undefined && a.shared === undefined ? true : a.offset + (a.end - a.start) === b.offset);

/** What counts as data of a process (VM_WRITE without VM_SHARED and VM_STACK: RLIMIT_DATA, VmData). */
export const isData = ({ prot, shared, growsDown }: Omit<Vma, "start" | "end">): boolean =>
  (prot & PROT_WRITE) !== 0 && shared === undefined && growsDown !== true;

/** Whether mlock(2) has been asked to keep an area in memory. */
export const isLocked = ({ flags = 0 }: Vma): boolean => (flags & VM_LOCKED) !== 0;

/** Whether an area can't be made writable. */
export const isReadOnly = ({ flags = 0, shared }: Vma): boolean =>
  (flags & VM_READ_ONLY) !== 0 || shared?.file?.writable === false;

/** Every field, there or not. */
type WholeVma = { readonly [K in keyof Required<Vma>]: Vma[K] };

/** An area with other ends. All have their fields in one order: areas of many shapes, and copies of them by `...`, took V8 half of a brk(2). */
export function withEnds(area: Vma, start: number, end: number, offset = area.offset): WholeVma {
  const { prot, file, shared, growsDown, flags, policy, name } = area;
  return { start, end, prot, file, shared, offset, growsDown, flags, policy, name };
}

/** The part of an area that lies in a range which it has a part in. */
export function clip(area: Vma, from: number, to: number): Vma {
  const start = Math.max(area.start, from);
  return withEnds(area, start, Math.min(area.end, to), area.offset + (start - area.start));
}

/** Protection as "rwx" letters, `-` where absent. */
export const protectionLetters = (prot: number): string =>
  (prot & PROT_READ ? "r" : "-") + (prot & PROT_WRITE ? "w" : "-") + (prot & PROT_EXEC ? "x" : "-");
