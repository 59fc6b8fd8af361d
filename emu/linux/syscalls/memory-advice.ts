/**
 * System calls about memory that is mapped already: advice, locking, writing back (Linux: mm/madvise.c, msync.c,
 * mincore.c, mlock.c).
 */
import { GuestFault } from "../../cpu/fault.ts";
import type { AddressSpace } from "../../memory/address-space.ts";
import { PAGE_SIZE } from "../../memory/layout.ts";
import { PROT_READ, PROT_WRITE, type Vma } from "../../memory/vma.ts";
import { EACCES, EFAULT, EINVAL, EIO, ENOMEM, EOPNOTSUPP, EPERM, SysError } from "../errno.ts";
import { RLIMIT_MEMLOCK } from "../process.ts";
import type { SyscallContext, SyscallHandler, SyscallRow } from "../syscall.ts";
import { filesOf } from "../vfs/process-files.ts";

const MS_ASYNC = 1;
const MS_INVALIDATE = 2;
const MS_SYNC = 4;

const MLOCK_ONFAULT = 1;
/** MCL_* as powerpc numbers them. */
const MCL_CURRENT = 0x2000;
const MCL_FUTURE = 0x4000;
const MCL_ONFAULT = 0x8000;

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
function rangeOf(ctx: SyscallContext, address: bigint, length: bigint, overflow: number): Range | undefined {
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
function eachArea(
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
const onlyAnonymous: Advice = (_ctx, area) => {
  if (!isAnonymous(area)) throw new SysError(EINVAL);
};

/** MADV_REMOVE: shared memory reads as zeros again. A hole in a host file cannot be made. */
const remove: Advice = ({ memory }, area, from, to) => {
  if (area.shared === undefined) throw new SysError(EINVAL);
  if (!(area.prot & PROT_WRITE)) throw new SysError(EACCES);
  if (area.shared.file !== undefined) throw new SysError(EOPNOTSUPP);
  const zeros = new Uint8Array(PAGE_SIZE);
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
  [4, discard], // DONTNEED
  // Whether freed pages keep their contents is up to the kernel; here they do.
  [8, onlyAnonymous], // FREE
  [9, remove], // REMOVE
  [10, ignore], // DONTFORK
  [11, ignore], // DOFORK
  [12, ignore], // MERGEABLE
  [13, ignore], // UNMERGEABLE
  [14, ignore], // HUGEPAGE
  [15, ignore], // NOHUGEPAGE
  [16, ignore], // DONTDUMP
  [17, ignore], // DODUMP
  // 18, WIPEONFORK, is not there (EINVAL): who asks for it can do without, but not with an empty promise.
  [19, ignore], // KEEPONFORK
  [20, ignore], // COLD
  [21, ignore], // PAGEOUT
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

const msync: SyscallHandler = (ctx) => {
  const { args, memory } = ctx;
  const address = args.word(0);
  const flags = args.uint(2);
  if (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC) || address % PAGE !== 0n) throw new SysError(EINVAL);
  if (flags & MS_ASYNC && flags & MS_SYNC) throw new SysError(EINVAL);
  const range = rangeOf(ctx, address, args.word(1), ENOMEM);
  if (range === undefined) return 0;
  const { mapped } = filesOf(ctx.process).system;
  const holes = eachArea(memory, range, ({ shared, offset, start }, from, to) => {
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

/** Checks what mlock(2) and its kin check; locking itself changes nothing, since nothing is ever paged out. */
function lock(ctx: SyscallContext, limited: boolean): number {
  const { args, memory, process } = ctx;
  const address = args.word(0);
  const head = address % PAGE;
  const range = rangeOf(ctx, address - head, args.word(1) === 0n ? 0n : args.word(1) + head, EINVAL);
  const { soft } = process.limits[RLIMIT_MEMLOCK];
  if (limited && soft === 0n) throw new SysError(EPERM);
  if (range === undefined) return 0;
  if (limited && BigInt(range.end - range.start) > soft) throw new SysError(ENOMEM);
  if (eachArea(memory, range, () => {})) throw new SysError(ENOMEM);
  return 0;
}

const mlock2: SyscallHandler = (ctx) => {
  if (ctx.args.uint(2) & ~MLOCK_ONFAULT) throw new SysError(EINVAL);
  return lock(ctx, true);
};

const mlockall: SyscallHandler = ({ args, process }) => {
  const flags = args.uint(0);
  if (flags === 0 || flags === MCL_ONFAULT || flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) {
    throw new SysError(EINVAL);
  }
  const { soft } = process.limits[RLIMIT_MEMLOCK];
  if (soft === 0n) throw new SysError(EPERM);
  const mapped = process.memory.areas.bytes;
  if (flags & MCL_CURRENT && BigInt(mapped) > soft) throw new SysError(ENOMEM);
  return 0;
};

export const ADVICE_SYSCALLS: readonly SyscallRow[] = [
  { name: "madvise", args: "ptr ulong int", handler: madvise },
  { name: "msync", args: "ptr ulong hex", handler: msync },
  { name: "mincore", args: "ptr ulong ptr", handler: mincore },
  { name: "mlock", args: "ptr ulong", handler: (ctx) => lock(ctx, true) },
  { name: "mlock2", args: "ptr ulong hex", handler: mlock2 },
  { name: "munlock", args: "ptr ulong", handler: (ctx) => lock(ctx, false) },
  { name: "mlockall", args: "hex", handler: mlockall },
  { name: "munlockall", args: "", handler: () => 0 },
];
