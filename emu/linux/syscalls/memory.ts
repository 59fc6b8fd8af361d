/** System calls that map memory (Linux: mm/mmap.c, mprotect.c, mremap.c). */
import { hasStrongOrdering } from "../../cpu/models.ts";
import { FAR_START, PIECE_SIZE } from "../../memory/far-map.ts";
import { PAGE_SIZE } from "../../memory/layout.ts";
import { SharedObject } from "../../memory/shared-object.ts";
import {
  isData,
  isLocked,
  isReadOnly,
  PROT_EXEC,
  PROT_READ,
  PROT_WRITE,
  VM_DONTCOPY,
  VM_READ_ONLY,
  type Vma,
} from "../../memory/vma.ts";
import { findPlace, isFull, MMAP_MIN, pageUp, startGap } from "../address-layout.ts";
import {
  EACCES,
  EAGAIN,
  EEXIST,
  EFAULT,
  EINVAL,
  ENOMEM,
  ENOSPC,
  EOPNOTSUPP,
  EOVERFLOW,
  EPERM,
  SysError,
} from "../errno.ts";
import { type Process, READ_IMPLIES_EXEC, RLIMIT_DATA, RLIMIT_STACK, toLength } from "../process.ts";
import type { SyscallContext, SyscallHandler, SyscallRow } from "../syscall.ts";
import { filesOf } from "../vfs/process-files.ts";
import { fillsFuture, lockedAsAsked, mayLock, takeCopies } from "./memory-locks.ts";

const MAP_SHARED = 0x01;
const MAP_PRIVATE = 0x02;
const MAP_SHARED_VALIDATE = 0x03;
const MAP_TYPE = 0x0f;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
const MAP_GROWSDOWN = 0x100;
const MAP_NORESERVE = 0x40;
const MAP_LOCKED = 0x80;
const MAP_POPULATE = 0x8000;
const MAP_NONBLOCK = 0x1_0000;
const MAP_HUGETLB = 0x4_0000;
const MAP_FIXED_NOREPLACE = 0x10_0000;
/** Flags of long standing, which MAP_SHARED_VALIDATE takes (LEGACY_MAP_MASK of powerpc). */
const LEGACY_FLAGS = 0x1f_d9ff & ~0x18_0000;

const PROT_SEM = 0x8;
/** Strong access ordering, which all accesses have here. */
const PROT_SAO = 0x10;
const PROT_GROWSDOWN = 0x0100_0000;
const PROT_GROWSUP = 0x0200_0000;
const PROT_RWX = PROT_READ | PROT_WRITE | PROT_EXEC;

/** What pkey_alloc may be asked to forbid: access, writing, execution. */
const PKEY_ACCESS_MASK = 7n;

const MREMAP_MAYMOVE = 1;
const MREMAP_FIXED = 2;
const MREMAP_DONTUNMAP = 4;

/** vm.max_map_count */
const MAX_AREAS = 65530;
/** Addresses that 64-bit programs may name, mapped or not (TASK_SIZE of hash and radix page tables). */
const TASK_SIZE_64 = 2n ** 47n;

/** First address that is not a user address of this program. */
const taskSize = ({ abi, memory }: SyscallContext): bigint =>
  abi.is64 ? TASK_SIZE_64 : BigInt(memory.limit);

const toPages = (length: bigint): bigint => (length + BigInt(PAGE_SIZE - 1)) & ~BigInt(PAGE_SIZE - 1);
const isAligned = (address: bigint): boolean => (address & BigInt(PAGE_SIZE - 1)) === 0n;
const wrap = ({ abi }: SyscallContext, value: bigint): bigint => BigInt.asUintN(abi.is64 ? 64 : 32, value);

/** Length in bytes rounded up to pages as the kernel's unsigned long wraps it. */
const alignedLength = (ctx: SyscallContext, length: bigint): bigint => wrap(ctx, toPages(length));

/**
 * Throws ENOMEM for private memory that is obviously more than there is, unless it need not be there; with --memory for
 * all that would be more together (vm.overcommit_memory = 0 and 2; __vm_enough_memory).
 */
function checkCommit(
  kernel: SyscallContext["kernel"],
  length: number,
  area: Omit<Vma, "start" | "end">,
  isReserved = true,
): void {
  if (!isData(area)) return;
  if ((isReserved && length > kernel.memorySize) || isFull(kernel, length)) throw new SysError(ENOMEM);
}

/** Throws ENOMEM when an area cannot have `more` bytes (RLIMIT_AS, RLIMIT_DATA, vm.max_map_count). */
function checkRoom(process: Process, more: number, area: Omit<Vma, "start" | "end">): void {
  const { memory, limits } = process;
  if (memory.areas.count >= MAX_AREAS) throw new SysError(ENOMEM);
  if (process.isOverSpace(more)) throw new SysError(ENOMEM);
  if (!isData(area)) return;
  const most = toLength(limits[RLIMIT_DATA].soft);
  if (most < memory.limit && memory.areas.dataBytes + more > most) throw new SysError(ENOMEM);
}

/**
 * Protection bits with what personality(2) makes of them. Throws EINVAL for bits that do not exist (Linux:
 * arch_validate_prot; processors have strong access ordering from POWER7 on).
 */
function checkProt({ process }: SyscallContext, prot: number): number {
  const ordering = hasStrongOrdering(process.cpuModel) ? PROT_SAO : 0;
  if (prot & ~(PROT_RWX | PROT_SEM | ordering)) throw new SysError(EINVAL);
  const implied = prot & PROT_READ && process.personality & READ_IMPLIES_EXEC ? PROT_EXEC : 0;
  return (prot & PROT_RWX) | implied;
}

/** Whether a range is free, and not too near to what comes above it. */
function leavesRoom({ areas }: SyscallContext["memory"], start: number, end: number): boolean {
  const next = areas.above(start);
  return next === undefined || end <= startGap(next);
}

/**
 * A free place for `length` bytes: at the hint if that is free, else where mmap searches. Garbage collectors wish for random far
 * places for every part of their heap, and take what they get: private memory of no file (`anonymous`) that is longer than a piece
 * gets a far place only where mmap goes far by itself. Throws ENOMEM.
 */
function unmappedArea(ctx: SyscallContext, hint: bigint, length: number, anonymous: boolean): number {
  const { memory, abi, process } = ctx;
  const wanted = hint === 0n ? undefined : freeAt(memory, hint, length);
  if (wanted !== undefined && (wanted < FAR_START || length <= PIECE_SIZE || !anonymous)) return wanted;
  const found = findPlace(abi, memory, length, process.limits[RLIMIT_STACK].soft, wanted);
  if (found === undefined) throw new SysError(ENOMEM);
  return found;
}

/** The place that a hint means, where an area fits there. */
function freeAt(memory: SyscallContext["memory"], hint: bigint, length: number): number | undefined {
  const rounded = hint - (hint % BigInt(PAGE_SIZE));
  const start = rounded < BigInt(MMAP_MIN) ? MMAP_MIN : Number(rounded);
  const end = start + length;
  const fits = memory.isMappable(start, end) && leavesRoom(memory, start, end) && memory.hasRoom(start, end);
  return fits ? start : undefined;
}

/** Where a mapping of `length` bytes goes by its address argument and flags. */
function placeOf(ctx: SyscallContext, address: bigint, length: bigint, flags: number): number {
  const { memory } = ctx;
  const fixed = (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) !== 0;
  if (length > taskSize(ctx)) throw new SysError(ENOMEM);
  if (!fixed) {
    if (length > BigInt(memory.limit)) throw new SysError(ENOMEM);
    const anonymous = (flags & MAP_ANONYMOUS) !== 0 && (flags & MAP_TYPE) === MAP_PRIVATE;
    return unmappedArea(ctx, address, Number(length), anonymous);
  }
  if (address > taskSize(ctx) - length) throw new SysError(ENOMEM);
  if (!isAligned(address)) throw new SysError(EINVAL);
  if (address < BigInt(MMAP_MIN)) throw new SysError(EPERM);
  const start = Number(address);
  const end = start + Number(length);
  if (!memory.isMappable(start, end) || !memory.hasRoom(start, end)) throw new SysError(ENOMEM);
  if (flags & MAP_FIXED_NOREPLACE && !memory.areas.isFree(start, end)) throw new SysError(EEXIST);
  return start;
}

/** What is mapped: the parts of a Vma that say so. `length` and `offset` in bytes. */
function objectOf(
  ctx: SyscallContext,
  fd: number,
  flags: number,
  prot: number,
  offset: number,
): Pick<Vma, "file" | "shared" | "offset" | "growsDown" | "flags"> {
  const { files } = ctx.thread;
  const type = flags & MAP_TYPE;
  const shared = type === MAP_SHARED || type === MAP_SHARED_VALIDATE;
  const growsDown = (flags & MAP_GROWSDOWN) !== 0;
  if (flags & MAP_ANONYMOUS) {
    if (type !== MAP_PRIVATE && type !== MAP_SHARED) throw new SysError(EINVAL);
    if (!shared) return growsDown ? { offset: 0, growsDown } : { offset: 0 };
    if (growsDown) throw new SysError(EINVAL);
    return { shared: new SharedObject(), offset: 0 };
  }
  const { file, mayWrite } = files.mappable(fd, { shared, write: (prot & PROT_WRITE) !== 0 });
  if (type === MAP_SHARED_VALIDATE && flags & ~LEGACY_FLAGS) throw new SysError(EOPNOTSUPP);
  if (type !== MAP_PRIVATE && !shared) throw new SysError(EINVAL);
  if (growsDown) throw new SysError(EINVAL);
  if (!shared) return { file, offset };
  return { shared: files.sharedObject(file), offset, flags: mayWrite ? 0 : VM_READ_ONLY };
}

function map(ctx: SyscallContext, pageOffset: bigint): number {
  const { args } = ctx;
  const [address, wanted, flags, fd] = [args.word(0), args.word(1), args.uint(3), args.int(4)];
  const prot = checkProt(ctx, args.uint(2));
  // A descriptor that is not there is found before anything else.
  if (!(flags & MAP_ANONYMOUS)) filesOf(ctx.thread).descriptors.get(fd);
  else if (flags & MAP_HUGETLB) throw new SysError(ENOMEM);
  if (wanted === 0n) throw new SysError(EINVAL);
  const length = alignedLength(ctx, wanted);
  if (length === 0n) throw new SysError(ENOMEM);
  if (wrap(ctx, pageOffset + length / BigInt(PAGE_SIZE)) < pageOffset) throw new SysError(EOVERFLOW);
  const start = placeOf(ctx, address, length, flags);
  const offset = Number(pageOffset) * PAGE_SIZE;
  if (!(flags & MAP_ANONYMOUS) && !Number.isSafeInteger(offset + Number(length)))
    throw new SysError(EOVERFLOW);
  const object = objectOf(ctx, fd, flags, prot, offset);
  if (flags & MAP_LOCKED && !mayLock(ctx.process)) throw new SysError(EPERM);
  mapAt(ctx, start, Number(length), { prot, ...object }, flags);
  const isLocked = (flags & MAP_LOCKED) !== 0 || fillsFuture(ctx.process);
  const isTouched = isLocked || (flags & (MAP_POPULATE | MAP_NONBLOCK)) === MAP_POPULATE;
  if (isTouched) takeCopies(ctx.memory, start, start + Number(length));
  return start;
}

/** Maps what may be mapped at a place, locked where that is asked for. Throws EAGAIN, ENOMEM. */
function mapAt(
  { process, kernel }: SyscallContext,
  start: number,
  length: number,
  what: Omit<Vma, "start" | "end">,
  flags = 0,
): void {
  const locking = lockedAsAsked(process, length, (flags & MAP_LOCKED) !== 0);
  if (locking === undefined) throw new SysError(EAGAIN);
  const area = { ...what, flags: (what.flags ?? 0) | (locking.flags ?? 0) };
  checkRoom(process, length, area);
  checkCommit(kernel, length, area, !(flags & MAP_NORESERVE));
  process.memory.map({ start, end: start + length, ...area });
}

/**
 * Maps memory that is shared already: at an address, where nothing may be unless `replace`, or where there is room. Throws EINVAL where
 * something is in the way.
 */
export function mapShared(
  ctx: SyscallContext,
  what: { address: bigint; length: bigint; prot: number; shared: SharedObject; replace: boolean },
): number {
  const { address, prot, shared, replace } = what;
  const length = alignedLength(ctx, what.length);
  const flags = address === 0n ? 0 : replace ? MAP_FIXED : MAP_FIXED_NOREPLACE;
  let start: number;
  try {
    start = placeOf(ctx, address, length, flags);
  } catch (error) {
    throw error instanceof SysError && error.errno === EEXIST ? new SysError(EINVAL) : error;
  }
  const readOnly = prot & PROT_WRITE ? 0 : VM_READ_ONLY;
  mapAt(ctx, start, Number(length), { prot, shared, offset: 0, flags: readOnly });
  return start;
}

/** Maps memory of a kernel's own making, which children don't get, where there is room for it. */
export function mapForKernel(ctx: SyscallContext, length: number, name: string): number {
  const start = placeOf(ctx, 0n, BigInt(length), 0);
  mapAt(ctx, start, length, { prot: PROT_READ | PROT_WRITE, offset: 0, name, flags: VM_DONTCOPY });
  return start;
}

const mmap: SyscallHandler = (ctx) => {
  const offset = ctx.args.word(5);
  if (!isAligned(offset)) throw new SysError(EINVAL);
  return map(ctx, offset / BigInt(PAGE_SIZE));
};

const mmap2: SyscallHandler = (ctx) => map(ctx, ctx.args.word(5));

const munmap: SyscallHandler = (ctx) => {
  const { args, memory } = ctx;
  const [address, wanted] = [args.word(0), args.word(1)];
  const most = taskSize(ctx);
  if (!isAligned(address) || address > most || wanted > most - address) throw new SysError(EINVAL);
  const length = alignedLength(ctx, wanted);
  if (length === 0n) throw new SysError(EINVAL);
  ctx.process.keepPeak();
  unmapRange(memory, address, length);
  return 0;
};

/** Unmaps what of a range can be mapped at all. */
export function unmapRange(memory: SyscallContext["memory"], address: bigint, length: bigint): void {
  const limit = BigInt(memory.limit);
  if (address >= limit) return;
  const end = address + length > limit ? limit : address + length;
  memory.unmap(Number(address), Number(end));
}

function protect(ctx: SyscallContext): number {
  const { args, memory } = ctx;
  const [address, wanted] = [args.word(0), args.word(1)];
  const growth = args.uint(2) & (PROT_GROWSDOWN | PROT_GROWSUP);
  if (growth === (PROT_GROWSDOWN | PROT_GROWSUP)) throw new SysError(EINVAL);
  if (!isAligned(address)) throw new SysError(EINVAL);
  if (wanted === 0n) return 0;
  const length = alignedLength(ctx, wanted);
  const last = wrap(ctx, address + length);
  if (last <= address) throw new SysError(ENOMEM);
  const prot = checkProt(ctx, args.uint(2) & ~growth);
  if (address >= BigInt(memory.limit)) throw new SysError(ENOMEM);
  let start = Number(address);
  const end = Math.min(Number(last), memory.limit);
  const first = memory.areas.above(start);
  if (first === undefined) throw new SysError(ENOMEM);
  if (growth === PROT_GROWSDOWN) {
    if (first.start >= end) throw new SysError(ENOMEM);
    if (!first.growsDown) throw new SysError(EINVAL);
    start = first.start;
  } else if (first.start > start) throw new SysError(ENOMEM);
  else if (growth === PROT_GROWSUP) throw new SysError(EINVAL);
  protectAreas(memory, start, end, prot);
  if (Number(last) > memory.limit) throw new SysError(ENOMEM);
  return 0;
}

/** Changes areas one after the other as far as they allow it. Throws EACCES or ENOMEM at the first that does not. */
function protectAreas(memory: SyscallContext["memory"], start: number, end: number, prot: number): void {
  const writes = (prot & PROT_WRITE) !== 0;
  const locked = memory.areas.overlapping(start, end).find((area) => writes && isReadOnly(area));
  const until = locked === undefined ? end : Math.max(start, locked.start);
  if (until > start && !memory.protect(start, until, prot)) throw new SysError(ENOMEM);
  if (locked !== undefined) throw new SysError(EACCES);
}

const pkeyMprotect: SyscallHandler = (ctx) => {
  if (ctx.args.int(3) !== -1) throw new SysError(EINVAL);
  return protect(ctx);
};

const brk: SyscallHandler = (ctx) => {
  const { process, memory, args } = ctx;
  const { layout, limits, personality } = process;
  const to = args.size(0);
  const refuse = layout.brk;
  if (to < layout.startBrk || to > memory.limit - PAGE_SIZE) return refuse;
  const dataLimit = toLength(limits[RLIMIT_DATA].soft);
  if (to - layout.startBrk + (layout.endData - layout.startData) > dataLimit) return refuse;
  const [oldEnd, newEnd] = [pageUp(layout.brk), pageUp(to)];
  if (newEnd < oldEnd) {
    process.keepPeak();
    memory.unmap(newEnd, oldEnd);
  } else if (newEnd > oldEnd) {
    if (!leavesRoom(memory, oldEnd, newEnd + PAGE_SIZE)) return refuse;
    if (!memory.isMappable(oldEnd, newEnd) || !memory.hasRoom(oldEnd, newEnd)) return refuse;
    if (process.isOverSpace(newEnd - oldEnd)) return refuse;
    if (memory.areas.dataBytes + (newEnd - oldEnd) > dataLimit) return refuse;
    if (isFull(ctx.kernel, newEnd - oldEnd)) return refuse;
    const prot = PROT_READ | PROT_WRITE | (personality & READ_IMPLIES_EXEC ? PROT_EXEC : 0);
    const locking = lockedAsAsked(process, newEnd - oldEnd, false);
    if (locking === undefined) return refuse;
    memory.map({ start: oldEnd, end: newEnd, prot, offset: 0, name: "[heap]", ...locking });
    if (fillsFuture(process)) takeCopies(memory, oldEnd, newEnd);
  }
  layout.brk = to;
  return to;
};

const mremap: SyscallHandler = (ctx) => {
  const { args } = ctx;
  const old = args.word(0);
  const flags = args.uint(3);
  if (flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP)) throw new SysError(EINVAL);
  if (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) && !(flags & MREMAP_MAYMOVE)) throw new SysError(EINVAL);
  if (flags & MREMAP_DONTUNMAP && args.word(1) !== args.word(2)) throw new SysError(EINVAL);
  if (!isAligned(old)) throw new SysError(EINVAL);
  const oldLength = alignedLength(ctx, args.word(1));
  const newLength = alignedLength(ctx, args.word(2));
  if (newLength === 0n) throw new SysError(EINVAL);
  if (old >= BigInt(ctx.memory.limit)) throw new SysError(EFAULT);
  if (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP))
    return remapTo(ctx, Number(old), oldLength, newLength, flags);
  return resize(ctx, Number(old), oldLength, newLength, flags);
};

/** The area that a grown or moved range lies in. Throws EFAULT when it is not in one. */
function areaToResize(ctx: SyscallContext, old: number, oldLength: bigint, newLength: bigint): Vma {
  const area = ctx.memory.areas.find(old);
  if (area === undefined) throw new SysError(EFAULT);
  if (oldLength === 0n && area.shared === undefined) throw new SysError(EINVAL);
  if (oldLength > BigInt(area.end - old)) throw new SysError(EFAULT);
  if (newLength > BigInt(ctx.memory.limit)) throw new SysError(ENOMEM);
  if (newLength > oldLength) {
    if (isLocked(area) && ctx.process.isOverLocks(Number(newLength - oldLength))) throw new SysError(EAGAIN);
    checkRoom(ctx.process, Number(newLength - oldLength), area);
    checkCommit(ctx.kernel, Number(newLength - oldLength), area);
  }
  return area;
}

function remapTo(
  ctx: SyscallContext,
  old: number,
  oldLength: bigint,
  newLength: bigint,
  flags: number,
): number {
  const { memory, args } = ctx;
  const target = args.word(4);
  if (memory.areas.find(old) === undefined) throw new SysError(EFAULT);
  const most = taskSize(ctx);
  if (!isAligned(target) || newLength > most || target > most - newLength) throw new SysError(EINVAL);
  if (BigInt(old) + oldLength > target && target + newLength > BigInt(old)) throw new SysError(EINVAL);
  if (flags & MREMAP_FIXED) {
    const [start, end] = [Number(target), Number(target + newLength)];
    if (!memory.isMappable(start, end) || !memory.hasRoom(start, end)) throw new SysError(ENOMEM);
    if (target < BigInt(MMAP_MIN)) throw new SysError(EPERM);
    memory.unmap(Number(target), Number(target + newLength));
  }
  if (oldLength > newLength) {
    unmapRange(memory, BigInt(old) + newLength, oldLength - newLength);
    oldLength = newLength;
  }
  const area = areaToResize(ctx, old, oldLength, newLength);
  const length = Number(newLength);
  const to = flags & MREMAP_FIXED ? Number(target) : unmappedArea(ctx, target, length, !hasOffset(area));
  moveArea(ctx, area, old, Number(oldLength), to, length, (flags & MREMAP_DONTUNMAP) !== 0);
  return to;
}

function resize(
  ctx: SyscallContext,
  old: number,
  oldLength: bigint,
  newLength: bigint,
  flags: number,
): number {
  const { memory } = ctx;
  if (memory.areas.find(old) === undefined) throw new SysError(EFAULT);
  if (oldLength >= newLength) {
    if (oldLength > newLength) unmapRange(memory, BigInt(old) + newLength, oldLength - newLength);
    return old;
  }
  const area = areaToResize(ctx, old, oldLength, newLength);
  const [from, to] = [Number(oldLength), Number(newLength)];
  const end = old + to;
  const fits = memory.isMappable(old, end) && memory.areas.isFree(area.end, end);
  if (old + from === area.end && fits && memory.hasRoom(area.end, end)) {
    const offset = area.offset + (area.end - area.start);
    memory.map({ ...area, start: area.end, end, offset: hasOffset(area) ? offset : 0 });
    return old;
  }
  if (!(flags & MREMAP_MAYMOVE)) throw new SysError(ENOMEM);
  const place = unmappedArea(ctx, 0n, to, !hasOffset(area));
  moveArea(ctx, area, old, from, place, to, false);
  return place;
}

const hasOffset = ({ file, shared }: Vma): boolean => file !== undefined || shared !== undefined;

/** Moves [old, old + from) of an area to [to, to + length), leaving an empty mapping behind or none. */
function moveArea(
  { memory }: SyscallContext,
  area: Vma,
  old: number,
  from: number,
  to: number,
  length: number,
  keepOld: boolean,
): void {
  const left: Vma = {
    ...area,
    start: old,
    end: old + from,
    offset: hasOffset(area) ? area.offset + (old - area.start) : 0,
  };
  // Nothing is moved, but the shared object gets a second mapping.
  if (from === 0) memory.map({ ...left, start: to, end: to + length });
  else memory.move(old, old + from, to, to + length);
  if (keepOld) memory.map(left);
}

/** remap_file_pages(2), as Linux emulates it: part of a shared mapping is mapped again at another place of its object. */
const remapFilePages: SyscallHandler = (ctx) => {
  const { args, memory } = ctx;
  const [start, length] = [0, 1].map((n) => args.word(n) - (args.word(n) % BigInt(PAGE_SIZE)));
  const pageOffset = args.word(3);
  const end = wrap(ctx, start + length);
  if (args.word(2) !== 0n || end <= start) throw new SysError(EINVAL);
  if (wrap(ctx, pageOffset + length / BigInt(PAGE_SIZE)) < pageOffset || end > BigInt(memory.limit))
    throw new SysError(EINVAL);
  const area = memory.areas.find(Number(start));
  if (area?.shared === undefined) throw new SysError(EINVAL);
  let covered = area.end;
  for (let next = memory.areas.find(covered); covered < Number(end); next = memory.areas.find(covered)) {
    if (next?.shared !== area.shared || next.prot !== area.prot) throw new SysError(EINVAL);
    covered = next.end;
  }
  const offset = Number(pageOffset) * PAGE_SIZE;
  memory.map({ ...area, start: Number(start), end: Number(end), offset });
  return 0;
};

export const MEMORY_SYSCALLS: readonly SyscallRow[] = [
  { name: "brk", args: "ptr", brief: true, handler: brk },
  { name: "mmap", args: "ptr ulong hex hex fd ulong", handler: mmap },
  { name: "mmap2", args: "ptr ulong hex hex fd ulong", handler: mmap2 },
  { name: "munmap", args: "ptr ulong", handler: munmap },
  { name: "mprotect", args: "ptr ulong hex", handler: protect },
  { name: "pkey_mprotect", args: "ptr ulong hex int", handler: pkeyMprotect },
  {
    name: "pkey_alloc",
    args: "ulong ulong",
    handler: ({ args }) => {
      if (args.ulong(0) !== 0n || args.ulong(1) & ~PKEY_ACCESS_MASK) throw new SysError(EINVAL);
      throw new SysError(ENOSPC);
    },
  },
  {
    name: "pkey_free",
    args: "int",
    handler: () => {
      throw new SysError(EINVAL);
    },
  },
  { name: "mremap", args: "ptr ulong ulong hex ptr", handler: mremap },
  { name: "remap_file_pages", args: "ptr ulong hex ulong hex", handler: remapFilePages },
];
