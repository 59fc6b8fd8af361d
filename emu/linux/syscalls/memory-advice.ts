/**
 * System calls about memory that is mapped already: advice, writing back, what is there (Linux: mm/madvise.c, msync.c,
 * mincore.c).
 */
import { GuestFault } from "../../cpu/fault.ts";
import type { AddressSpace } from "../../memory/address-space.ts";
import { PAGE_SIZE } from "../../memory/layout.ts";
import {
  isLocked,
  PROT_READ,
  PROT_WRITE,
  VM_DONTCOPY,
  VM_DONTDUMP,
  VM_WIPEONFORK,
  type Vma,
} from "../../memory/vma.ts";
import { CAP_SYS_NICE, isCapable } from "../credentials.ts";
import { EACCES, EBUSY, EFAULT, EINVAL, EIO, ENOMEM, EPERM, ESRCH, SysError } from "../errno.ts";
import type { SyscallContext, SyscallHandler, SyscallRow } from "../syscall.ts";
import { filesOf } from "../vfs/process-files.ts";
import { vectorArg } from "./files-common.ts";
import { processArg } from "./pidfd.ts";
import { checkAccess } from "./process-vm.ts";

const MS_ASYNC = 1;
const MS_INVALIDATE = 2;
const MS_SYNC = 4;

const PAGE = BigInt(PAGE_SIZE);
/** Bytes of memory that mincore looks at before it writes what it found. */
const MINCORE_STEP = 2 ** 28;

/** A page range of guest memory, cut where nothing can be mapped. */
interface Range {
  start: number;
  end: number;
  /** Part of it is beyond anything that can be mapped. */
  cut: boolean;
}

/**
 * The range [address, address + length) in whole pages. Undefined when it is empty; throws `overflow` when it wraps
 * around.
 */
export function rangeOf(
  ctx: SyscallContext,
  address: bigint,
  length: bigint,
  overflow: number,
): Range | undefined {
  const width = ctx.abi.is64 ? 64 : 32;
  const size = BigInt.asUintN(width, (length + PAGE - 1n) & ~(PAGE - 1n));
  if (length !== 0n && size === 0n) throw new SysError(overflow);
  const end = BigInt.asUintN(width, address + size);
  if (end < address) throw new SysError(overflow);
  if (end === address) return undefined;
  const limit = BigInt(ctx.memory.limit);
  const clip = (at: bigint): number => Number(at > limit ? limit : at);
  return { start: clip(address), end: clip(end), cut: end > limit };
}

/** Calls `use` with the part of each area in the range; returns whether there were holes. */
export function eachArea(
  memory: AddressSpace,
  { start, end, cut }: Range,
  use: (area: Vma, from: number, to: number) => void,
): boolean {
  let at = start;
  let holes = cut;
  for (const area of memory.areas.overlapping(start, end)) {
    if (area.start > at) holes = true;
    const to = Math.min(area.end, end);
    use(area, Math.max(area.start, start), to);
    at = to;
  }
  return holes || at < end;
}

type Advice = (ctx: SyscallContext, area: Vma, from: number, to: number) => void;

const ignore: Advice = () => {};
const isAnonymous = ({ file, shared }: Vma): boolean => file === undefined && shared === undefined;
/** MADV_FREE: whether freed pages keep their contents is up to the kernel; here they do. */
const free: Advice = (_ctx, area) => {
  if (!isAnonymous(area) || isLocked(area)) throw new SysError(EINVAL);
};
const unlessLocked =
  (advice: Advice): Advice =>
  (ctx, area, from, to) => {
    if (isLocked(area)) throw new SysError(EINVAL);
    advice(ctx, area, from, to);
  };
const mark =
  (change: { set?: number; clear?: number }): Advice =>
  ({ memory }, _area, from, to) =>
    memory.mark(from, to, change);
const wipeOnFork: Advice = (ctx, area, from, to) => {
  if (!isAnonymous(area)) throw new SysError(EINVAL);
  ctx.memory.mark(from, to, { set: VM_WIPEONFORK });
};

/** MADV_REMOVE: shared memory reads as zeros again, and a file, in which no hole can be made, gets them written. */
const remove: Advice = ({ memory }, area, from, to) => {
  if (isLocked(area) || isAnonymous(area)) throw new SysError(EINVAL);
  if (area.shared === undefined || !(area.prot & PROT_WRITE)) throw new SysError(EACCES);
  const zeros = new Uint8Array(PAGE_SIZE);
  const { file } = area.shared;
  if (file !== undefined) {
    const ends = Math.min(to, area.start - area.offset + file.size());
    for (let at = from; at < ends; at += PAGE_SIZE) memory.write(at, zeros.subarray(0, ends - at));
    return;
  }
  const [first, end] = [from, to].map((at) => (area.offset + (at - area.start)) / PAGE_SIZE);
  for (const index of area.shared.pages.within(first, end)) {
    memory.write(area.start + (index * PAGE_SIZE - area.offset), zeros);
  }
};

const populate =
  (prot: number): Advice =>
  ({ memory }, area, from, to) => {
    if ((area.prot & prot) !== prot) throw new SysError(EINVAL);
    try {
      for (let at = from; at < to; at += PAGE_SIZE) {
        if (prot === PROT_WRITE) memory.checkStore(at, 1);
        else memory.checkLoad(at, 1);
      }
    } catch (error) {
      throw error instanceof GuestFault ? new SysError(EFAULT) : error;
    }
  };

const refuse: Advice = () => {
  throw new SysError(EPERM);
};

const discard: Advice = ({ memory }, _area, from, to) => memory.discard(from, to);

/** By MADV_* number. */
const ADVICE: ReadonlyMap<number, Advice> = new Map([
  [0, ignore], // NORMAL
  [1, ignore], // RANDOM
  [2, ignore], // SEQUENTIAL
  [3, ignore], // WILLNEED
  [4, unlessLocked(discard)], // DONTNEED
  [8, free], // FREE
  [9, remove], // REMOVE
  [10, mark({ set: VM_DONTCOPY })], // DONTFORK
  [11, mark({ clear: VM_DONTCOPY })], // DOFORK
  [12, ignore], // MERGEABLE
  [13, ignore], // UNMERGEABLE
  [14, ignore], // HUGEPAGE
  [15, ignore], // NOHUGEPAGE
  [16, mark({ set: VM_DONTDUMP })], // DONTDUMP
  [17, mark({ clear: VM_DONTDUMP })], // DODUMP
  [18, wipeOnFork], // WIPEONFORK
  [19, mark({ clear: VM_WIPEONFORK })], // KEEPONFORK
  [20, unlessLocked(ignore)], // COLD
  [21, unlessLocked(ignore)], // PAGEOUT
  [22, populate(PROT_READ)], // POPULATE_READ
  [23, populate(PROT_WRITE)], // POPULATE_WRITE
  [24, discard], // DONTNEED_LOCKED
  [25, ignore], // COLLAPSE
  [100, refuse], // HWPOISON
  [101, refuse], // SOFT_OFFLINE
]);

const madvise: SyscallHandler = (ctx) => {
  const { args, memory } = ctx;
  const address = args.word(0);
  const advice = ADVICE.get(args.int(2));
  if (advice === undefined || address % PAGE !== 0n) throw new SysError(EINVAL);
  const range = rangeOf(ctx, address, args.word(1), EINVAL);
  if (range === undefined) return 0;
  const holes = eachArea(memory, range, (area, from, to) => advice(ctx, area, from, to));
  if (holes) throw new SysError(ENOMEM);
  return 0;
};

/** What a process may advise another one of. */
const REMOTE_ADVICE = new Set([3, 20, 21, 25]);

/** process_madvise(2): advice that needs nothing done; bytes of the areas that have it. */
const processMadvise: SyscallHandler = (ctx) => {
  const { args } = ctx;
  if (args.uint(4) !== 0) throw new SysError(EINVAL);
  const spans = vectorArg(ctx, 1, 2);
  const process = processArg(ctx);
  const advice = ADVICE.get(args.int(3));
  if (advice === undefined || !REMOTE_ADVICE.has(args.int(3))) throw new SysError(EINVAL);
  checkAccess(ctx.thread, process);
  if (process !== ctx.process && !isCapable(ctx.thread.credentials, CAP_SYS_NICE)) throw new SysError(EPERM);
  let done = 0;
  try {
    for (const { address, length } of spans) {
      if (address % PAGE_SIZE !== 0) throw new SysError(EINVAL);
      const range = rangeOf(ctx, BigInt(address), BigInt(length), EINVAL);
      const hasHoles =
        range !== undefined &&
        eachArea(process.memory, range, (area, from, to) => advice(ctx, area, from, to));
      if (hasHoles) throw new SysError(ENOMEM);
      done += length;
    }
  } catch (error) {
    // What has been done before the error is told of, not the error.
    if (done === 0 || !(error instanceof SysError)) throw error;
  }
  return done;
};

/** process_mrelease(2): one that has ended has no memory left to be released here. */
const processMrelease: SyscallHandler = (ctx) => {
  if (ctx.args.uint(1) !== 0) throw new SysError(EINVAL);
  throw new SysError(processArg(ctx).exitStatus === null ? EINVAL : ESRCH);
};

const msync: SyscallHandler = (ctx) => {
  const { args, memory } = ctx;
  const address = args.word(0);
  const flags = args.uint(2);
  if (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC) || address % PAGE !== 0n) throw new SysError(EINVAL);
  if (flags & MS_ASYNC && flags & MS_SYNC) throw new SysError(EINVAL);
  const range = rangeOf(ctx, address, args.word(1), ENOMEM);
  if (range === undefined) return 0;
  const { mapped } = filesOf(ctx.process).system;
  const holes = eachArea(memory, range, (area, from, to) => {
    if (flags & MS_INVALIDATE && isLocked(area)) throw new SysError(EBUSY);
    const { shared, offset, start } = area;
    if (shared?.file === undefined || !(flags & MS_SYNC)) return;
    const first = (offset + from - start) / PAGE_SIZE;
    try {
      mapped.flushObject(shared, first, first + (to - from) / PAGE_SIZE);
    } catch {
      throw new SysError(EIO);
    }
  });
  if (holes) throw new SysError(ENOMEM);
  return 0;
};

/** Whether any page of an area's part in a range is there. */
export function isPresent(memory: AddressSpace, area: Vma, from: number, to: number): boolean {
  const [start, end] = [Math.max(area.start, from), Math.min(area.end, to)];
  return start < end && (!isAnonymous(area) || memory.touched(start, end).length > 0);
}

const mincore: SyscallHandler = (ctx) => {
  const { args, memory } = ctx;
  const address = args.word(0);
  if (address % PAGE !== 0n) throw new SysError(EINVAL);
  const range = rangeOf(ctx, address, args.word(1), ENOMEM);
  if (range === undefined) return 0;
  if (eachArea(memory, range, () => {})) throw new SysError(ENOMEM);
  const vector = args.address(2);
  for (let start = range.start; start < range.end; start += MINCORE_STEP) {
    const end = Math.min(start + MINCORE_STEP, range.end);
    const bytes = new Uint8Array((end - start) / PAGE_SIZE);
    eachArea(memory, { start, end, cut: false }, (area, from, to) => {
      const [first, last] = [(from - start) / PAGE_SIZE, (to - start) / PAGE_SIZE];
      if (!isAnonymous(area)) bytes.fill(1, first, last);
      else for (const at of memory.touched(from, to)) bytes[(at - start) / PAGE_SIZE] = 1;
    });
    memory.write(vector + (start - range.start) / PAGE_SIZE, bytes);
  }
  return 0;
};

export const ADVICE_SYSCALLS: readonly SyscallRow[] = [
  { name: "madvise", args: "ptr ulong int", handler: madvise },
  { name: "process_madvise", args: "fd ptr ulong int hex", handler: processMadvise },
  { name: "process_mrelease", args: "fd hex", handler: processMrelease },
  { name: "msync", args: "ptr ulong hex", handler: msync },
  { name: "mincore", args: "ptr ulong ptr", handler: mincore },
];
