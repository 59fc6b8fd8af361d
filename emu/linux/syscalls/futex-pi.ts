/**
 * Futexes that are locks: a word holds the tid of its owner, and the kernel hands it over (Linux: kernel/futex/pi.c,
 * requeue.c). There are no priorities to be inherited here: the thread that has waited longest comes first.
 */
import { EAGAIN, EDEADLK, EINVAL, EPERM, ESRCH, SysError } from "../errno.ts";
import { type Futex, OWNER_DIED, TID_MASK, WAITERS } from "../futex-table.ts";
import type { SyscallContext, SyscallResult } from "../syscall.ts";
import { checkDeadline, futexAt, wordArg } from "./futex-common.ts";

/**
 * Takes the lock at `address` for a thread. False where another has it, which has then been marked as waited for. Throws
 * EDEADLK, ESRCH, EINVAL.
 */
function take({ kernel, memory }: SyscallContext, futex: Futex, address: number, tid: number): boolean {
  memory.checkStore(address, 4);
  const value = memory.read32(address);
  const owner = value & TID_MASK;
  if (owner === 0) {
    memory.write32(address, tid | (value & OWNER_DIED) | (futex.enlisted.size > 0 ? WAITERS : 0));
    return true;
  }
  if (owner === tid) throw new SysError(EDEADLK);
  if (kernel.thread(owner) === undefined) throw new SysError(ESRCH);
  for (const { kind } of futex.enlisted.values()) if (kind !== "lock") throw new SysError(EINVAL);
  return false;
}

const markWaited = ({ memory }: SyscallContext, address: number): void =>
  memory.write32(address, memory.read32(address) | WAITERS);

/** FUTEX_LOCK_PI, FUTEX_LOCK_PI2, FUTEX_TRYLOCK_PI. */
export function lockPi(ctx: SyscallContext, deadline: bigint | null, mayWait: boolean): SyscallResult {
  const { thread, resumed } = ctx;
  const address = wordArg(ctx, 0);
  // Whoever had it has handed it over.
  if (resumed?.state.kind === "woken") return 0;
  const futex = futexAt(ctx, address);
  // After a thaw it waits as it did before.
  if (resumed?.phase !== "waiting" && take(ctx, futex, address, thread.tid)) return 0;
  if (!mayWait) throw new SysError(EAGAIN);
  checkDeadline(ctx, deadline);
  markWaited(ctx, address);
  futex.enlist(thread, { kind: "lock", address });
  return ctx.wait({ queues: [futex], deadline, restart: "nointr" });
}

/** FUTEX_UNLOCK_PI. */
export function unlockPi(ctx: SyscallContext): number {
  const { memory, thread } = ctx;
  const address = wordArg(ctx, 0);
  memory.checkStore(address, 4);
  if ((memory.read32(address) & TID_MASK) !== thread.tid) throw new SysError(EPERM);
  const futex = futexAt(ctx, address);
  const [first] = futex.enlisted.values();
  if (first !== undefined && first.kind !== "lock") throw new SysError(EINVAL);
  if (!futex.handOver(memory, address)) memory.write32(address, 0);
  return 0;
}

/** How a wait for a lock goes on after its thread has been moved there: it can't begin again, for the word has changed. */
const MOVED = {
  restart: "never",
  interrupted() {
    throw new SysError(EAGAIN);
  },
} as const;

/** FUTEX_WAIT_REQUEUE_PI: waits on a word until it is moved to a lock (by `requeuePi`), and then for that. */
export function waitRequeuePi(ctx: SyscallContext, deadline: bigint | null): SyscallResult {
  const { args, memory, thread, resumed } = ctx;
  const [address, lock] = [wordArg(ctx, 0), wordArg(ctx, 4)];
  if (resumed?.state.kind === "woken") return 0;
  const [futex, target] = [futexAt(ctx, address), futexAt(ctx, lock)];
  if (futex === target) throw new SysError(EINVAL);
  const isMoved = resumed?.state.kind === "requeued";
  const stillWaits = resumed?.phase === "waiting";
  if (!stillWaits && !isMoved && memory.read32(address) !== args.int(2)) throw new SysError(EAGAIN);
  checkDeadline(ctx, deadline);
  if (isMoved && !stillWaits) throw new SysError(EAGAIN);
  if (isMoved) {
    target.enlist(thread, { kind: "lock", address: lock });
    return ctx.wait({ queues: [target], deadline, state: resumed.state, ...MOVED });
  }
  futex.enlist(thread, { kind: "condition", lock });
  return ctx.wait({ queues: [futex], deadline, restart: "nointr" });
}

/** FUTEX_CMP_REQUEUE_PI: moves waiters to the lock that they want; the first has it at once if it is free. */
export function requeuePi(ctx: SyscallContext): number {
  const { args, memory, kernel } = ctx;
  const [from, to] = [wordArg(ctx, 0), wordArg(ctx, 4)];
  const [wakes, moves] = [args.int(2), args.int(3)];
  if (wakes !== 1 || moves < 0) throw new SysError(EINVAL);
  const [source, target] = [futexAt(ctx, from), futexAt(ctx, to)];
  if (source === target) throw new SysError(EINVAL);
  memory.checkStore(to, 4);
  if (memory.read32(from) !== args.int(5)) throw new SysError(EAGAIN);
  let count = 0;
  for (const [thread, wait] of [...source.enlisted].slice(0, moves + wakes)) {
    if (wait.kind !== "condition" || kernel.futexes.at(thread.process, wait.lock) !== target) {
      throw new SysError(EINVAL);
    }
    if (take(ctx, target, to, thread.tid)) source.end(thread);
    else {
      markWaited(ctx, to);
      source.move(thread, { kind: "lock", address: wait.lock }, target, wait.lock, MOVED);
    }
    count++;
  }
  return count;
}
