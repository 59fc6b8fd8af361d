/**
 * Locking memory (Linux: mm/mlock.c). Nothing is ever paged out, but what is locked counts against RLIMIT_MEMLOCK, is told of
 * and can't be discarded.
 */
import { ignoringFaults } from "../../cpu/fault.ts";
import type { AddressSpace } from "../../memory/address-space.ts";
import { PAGE_SIZE } from "../../memory/layout.ts";
import { isLocked, PROT_EXEC, PROT_READ, PROT_WRITE, VM_LOCKED, type Vma } from "../../memory/vma.ts";
import { CAP_IPC_LOCK, isCapable } from "../credentials.ts";
import { EINVAL, ENOMEM, EPERM, SysError } from "../errno.ts";
import { type Process, RLIMIT_MEMLOCK } from "../process.ts";
import type { SyscallContext, SyscallHandler, SyscallRow } from "../syscall.ts";
import { eachArea, rangeOf } from "./memory-advice.ts";

const MLOCK_ONFAULT = 1;
/** MCL_* as powerpc numbers them. */
const MCL_CURRENT = 0x2000;
const MCL_FUTURE = 0x4000;
const MCL_ONFAULT = 0x8000;

/** Whether a process's thread that makes a call may lock memory at all. */
export const mayLock = ({ limits, actor }: Process): boolean =>
  limits[RLIMIT_MEMLOCK].soft > 0n || isCapable(actor.credentials, CAP_IPC_LOCK);

/** What a new area of `length` bytes has to say of locking; undefined where that would be too much. */
export function lockedAsAsked(
  process: Process,
  length: number,
  isAsked: boolean,
): Pick<Vma, "flags"> | undefined {
  if (!isAsked && !process.attributes.locksFuture) return {};
  return process.isOverLocks(length) ? undefined : { flags: VM_LOCKED };
}

/** Whether the pages of what a process maps from now on are to be there at once: mlockall(2). */
export const fillsFuture = ({ attributes: { locksFuture, locksOnFault } }: Process): boolean =>
  locksFuture === true && locksOnFault !== true;

/**
 * What MAP_POPULATE and locking are seen by: pages of private mappings that may be written are there, which mincore and
 * resident sizes tell, and no longer follow their files (Linux: populate_vma_page_range). It ends silently where a
 * file or memory does.
 */
export function takeCopies(memory: AddressSpace, start: number, end: number): void {
  for (const area of memory.areas.overlapping(start, end)) {
    if (area.shared !== undefined || !(area.prot & PROT_WRITE)) continue;
    const to = Math.min(area.end, end);
    ignoringFaults(() => {
      for (let at = Math.max(area.start, start); at < to; at += PAGE_SIZE) memory.checkStore(at, 1);
    });
  }
}

/** Locks or unlocks a range; `waits`: its pages come when they are touched. */
function lock(ctx: SyscallContext, locks: boolean, waits = false): number {
  const { args, memory, process, abi } = ctx;
  if (locks && !mayLock(process)) throw new SysError(EPERM);
  const page = BigInt(PAGE_SIZE);
  const head = args.word(0) % page;
  // A length that rounds up to more than there are numbers for is none.
  const length = BigInt.asUintN(abi.is64 ? 64 : 32, (args.word(1) + head + page - 1n) & -page);
  if (locks && process.isOverLocks(Number(length) - memory.areas.lockedBytes)) throw new SysError(ENOMEM);
  const range = rangeOf(ctx, args.word(0) - head, length, EINVAL);
  if (range === undefined) return 0;
  let locked = 0;
  eachArea(memory, range, (area, from, to) => {
    if (isLocked(area)) locked += to - from;
  });
  const more = range.end - range.start - locked;
  if (locks && more > 0 && process.isOverLocks(more)) throw new SysError(ENOMEM);
  const change = locks ? { set: VM_LOCKED } : { clear: VM_LOCKED };
  if (eachArea(memory, range, (_area, from, to) => memory.mark(from, to, change))) throw new SysError(ENOMEM);
  if (locks && !waits) {
    takeCopies(memory, range.start, range.end);
    eachArea(memory, range, checkFilled);
  }
  return 0;
}

/** Throws ENOMEM where pages of an area that is locked can't be had: they are forbidden, or beyond the end of a file. */
function checkFilled(area: Vma, _from: number, to: number): void {
  if (!(area.prot & (PROT_READ | PROT_WRITE | PROT_EXEC))) throw new SysError(ENOMEM);
  const file = area.file ?? area.shared?.file;
  if (file === undefined || file.isZeros === true) return;
  if (area.offset + (to - area.start) >= file.size() + PAGE_SIZE) throw new SysError(ENOMEM);
}

const mlock2: SyscallHandler = (ctx) => {
  const flags = ctx.args.uint(2);
  if (flags & ~MLOCK_ONFAULT) throw new SysError(EINVAL);
  return lock(ctx, true, (flags & MLOCK_ONFAULT) !== 0);
};

const mlockall: SyscallHandler = ({ args, process, memory }) => {
  const flags = args.uint(0);
  if (flags === 0 || flags === MCL_ONFAULT || flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) {
    throw new SysError(EINVAL);
  }
  if (!mayLock(process)) throw new SysError(EPERM);
  const { bytes, lockedBytes } = memory.areas;
  if (flags & MCL_CURRENT && process.isOverLocks(bytes - lockedBytes)) throw new SysError(ENOMEM);
  process.attributes.locksFuture = (flags & MCL_FUTURE) !== 0;
  process.attributes.locksOnFault = (flags & MCL_FUTURE) !== 0 && (flags & MCL_ONFAULT) !== 0;
  if (flags & MCL_CURRENT) {
    memory.mark(0, memory.limit, { set: VM_LOCKED });
    if (!(flags & MCL_ONFAULT)) takeCopies(memory, 0, memory.limit);
  }
  return 0;
};

const munlockall: SyscallHandler = ({ process, memory }) => {
  delete process.attributes.locksFuture;
  delete process.attributes.locksOnFault;
  memory.mark(0, memory.limit, { clear: VM_LOCKED });
  return 0;
};

export const LOCK_SYSCALLS: readonly SyscallRow[] = [
  { name: "mlock", args: "ptr ulong", handler: (ctx) => lock(ctx, true) },
  { name: "mlock2", args: "ptr ulong hex", handler: mlock2 },
  { name: "munlock", args: "ptr ulong", handler: (ctx) => lock(ctx, false) },
  { name: "mlockall", args: "hex", handler: mlockall },
  { name: "munlockall", args: "", handler: munlockall },
];
