/** What is left to be done where a thread was, for those who wait for it: robust lists, set_tid_address(2). */
import { GuestFault, ignoringFaults } from "../cpu/fault.ts";
import { ANY_BIT, OWNER_DIED, TID_MASK, WAITERS } from "./futex-table.ts";
import type { Thread } from "./thread.ts";

/** Entries of a robust list that are looked at (ROBUST_LIST_LIMIT). */
const MOST_ROBUST = 2048;

/** What the end of a thread, or its new program, does for who waits for it (Linux: mm_release). */
export function releaseThread(thread: Thread): void {
  // First the locks that the kernel hands over: these are its own no longer when the list comes to them.
  thread.process.kernel.futexes.leave(thread.tid);
  ignoringFaults(() => releaseRobust(thread));
  releaseTid(thread);
}

/** Clears the word of set_tid_address(2), if anybody can see it, and wakes its futex. */
function releaseTid(thread: Thread): void {
  const { process, clearTid } = thread;
  const { mm } = process;
  thread.clearTid = 0n;
  if (
    clearTid === 0n ||
    clearTid >= BigInt(mm.memory.limit) ||
    (process.threads.size === 1 && mm.users === 1)
  )
    return;
  ignoringFaults(() => {
    mm.memory.write32(Number(clearTid), 0);
    process.kernel.futexes.at(process, Number(clearTid)).wakeBits(1, ANY_BIT);
  });
}

/** Marks the locks in the robust list of a thread as left by their dead owner, and wakes one waiter of each. */
function releaseRobust(thread: Thread): void {
  const { process, robustList } = thread;
  const { memory, abi } = process;
  const head = robustList.head;
  robustList.head = 0n;
  if (head === 0n) return;
  const check = (at: bigint): void => {
    if (at >= BigInt(memory.limit)) throw new GuestFault("data-unmapped", at);
  };
  const word = (at: bigint): bigint => {
    check(at);
    return abi.is64 ? memory.read64(Number(at)) : BigInt(memory.read32(Number(at)) >>> 0);
  };
  const size = BigInt(abi.wordSize);
  const offset = BigInt.asIntN(8 * abi.wordSize, word(head + size));
  // Bit 0 of a pointer says that the lock has priority inheritance.
  const pending = word(head + 2n * size);
  const entries = new Set<bigint>();
  for (let at = word(head); (at & ~1n) !== head && entries.size < MOST_ROBUST; at = word(at & ~1n)) {
    if (entries.has(at)) break;
    entries.add(at);
  }
  if (pending !== 0n) entries.add(pending);
  for (const entry of entries) {
    const at = BigInt.asUintN(8 * abi.wordSize, (entry & ~1n) + offset);
    check(at);
    releaseLock(thread, Number(at), entry === pending);
  }
}

function releaseLock({ process, tid }: Thread, address: number, pending: boolean): void {
  const { memory, kernel } = process;
  if (address % 4 !== 0) return;
  const value = memory.read32(address);
  const owner = value & TID_MASK;
  // A lock in the middle of being given up may have been cleared with its waiter not woken yet.
  if (pending && owner === 0) kernel.futexes.at(process, address).wakeBits(1, ANY_BIT);
  if (owner !== tid) return;
  memory.write32(address, (value & WAITERS) | OWNER_DIED);
  if (value & WAITERS) kernel.futexes.at(process, address).wakeBits(1, ANY_BIT);
}
