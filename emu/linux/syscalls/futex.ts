/** futex(2), robust lists. */
import type { CallState } from "../../snapshot.ts";
import { EAGAIN, EDEADLK, EINVAL, ENOSYS, EPERM, ESRCH, ETIMEDOUT, SysError } from "../errno.ts";
import { ANY_BIT, type Futex, OWNER_DIED, TID_MASK, WAITERS } from "../futex-table.ts";
import type { SyscallContext, SyscallHandler, SyscallResult, SyscallRow } from "../syscall.ts";
import { readTimespec, type TimeFormat } from "./time-format.ts";

const FUTEX_WAIT = 0;
const FUTEX_WAKE = 1;
const FUTEX_REQUEUE = 3;
const FUTEX_CMP_REQUEUE = 4;
const FUTEX_WAKE_OP = 5;
const FUTEX_LOCK_PI = 6;
const FUTEX_UNLOCK_PI = 7;
const FUTEX_TRYLOCK_PI = 8;
const FUTEX_WAIT_BITSET = 9;
const FUTEX_WAKE_BITSET = 10;
const FUTEX_LOCK_PI2 = 13;
const FUTEX_PRIVATE = 128;
const FUTEX_CLOCK_REALTIME = 256;

/** Address argument `n` of a futex word, which must be aligned. */
function wordArg({ args }: SyscallContext, n: number): number {
  if (args.word(n) % 4n !== 0n) throw new SysError(EINVAL);
  return args.address(n);
}

const futexAt = ({ kernel, process }: SyscallContext, address: number): Futex =>
  kernel.futexes.at(process, address);

/** CLOCK_MONOTONIC time at which a wait ends; null without a timeout. */
function deadlineArg(
  ctx: SyscallContext,
  format: TimeFormat,
  absolute: boolean,
  realtime: boolean,
): bigint | null {
  const { args, kernel, resumed } = ctx;
  if (resumed !== undefined) return resumed.deadline;
  if (args.word(3) === 0n) return null;
  const time = readTimespec(ctx, args.address(3), format);
  const now = kernel.clock.monotonic();
  if (!absolute) return now + time;
  return realtime ? now + time - kernel.clock.realtime() : time;
}

/** Waits on a word until it is woken. `restart` as Linux has it: with a timeout a handler ends the call. */
function waitOn(
  ctx: SyscallContext,
  address: number,
  bitset: number,
  deadline: bigint | null,
  state?: CallState,
): SyscallResult {
  const { thread } = ctx;
  const futex = futexAt(ctx, address);
  futex.enlist(thread, bitset);
  return ctx.wait({ queues: [futex], deadline, state, restart: deadline === null ? "sys" : "nohand" });
}

function wait(ctx: SyscallContext, format: TimeFormat, absolute: boolean, realtime: boolean, bitset: number) {
  const { args, memory, resumed } = ctx;
  if (bitset === 0) throw new SysError(EINVAL);
  // After a thaw it waits where it had been moved to.
  const isMoved = resumed?.phase === "waiting" && resumed.state.kind === "requeued";
  const address = isMoved ? resumed.state.address : wordArg(ctx, 0);
  const deadline = deadlineArg(ctx, format, absolute, realtime);
  if (resumed?.state.kind === "woken") return 0;
  // While it waits the word's value does not matter; one that a signal has taken from its queue looks again.
  if (resumed?.phase !== "waiting" && memory.read32(address) !== args.int(2)) throw new SysError(EAGAIN);
  if (deadline !== null && ctx.kernel.clock.monotonic() >= deadline) throw new SysError(ETIMEDOUT);
  return waitOn(ctx, address, bitset, deadline, isMoved ? resumed.state : undefined);
}

/** Wakes waiters. A word that processes may share has to be there; a private one is not looked for. */
function wake(ctx: SyscallContext, code: number, bitset: number): number {
  const address = wordArg(ctx, 0);
  if (!(code & FUTEX_PRIVATE)) ctx.memory.checkLoad(address, 4);
  return futexAt(ctx, address).wakeBits(Math.max(ctx.args.int(2), 1), bitset);
}

function requeue(ctx: SyscallContext, compare: boolean): number {
  const { args, memory } = ctx;
  const [from, to] = [wordArg(ctx, 0), wordArg(ctx, 4)];
  const [wakes, moves] = [args.int(2), args.int(3)];
  if (wakes < 0 || moves < 0) throw new SysError(EINVAL);
  if (compare && memory.read32(from) !== args.int(5)) throw new SysError(EAGAIN);
  const source = futexAt(ctx, from);
  const woken = source.wakeBits(wakes, ANY_BIT);
  return woken + source.requeue(moves, futexAt(ctx, to), to);
}

/** FUTEX_WAKE_OP: changes the second word and wakes on both, on the second if its old value compares. */
function wakeOp(ctx: SyscallContext): number {
  const { args, memory } = ctx;
  const [first, second] = [wordArg(ctx, 0), wordArg(ctx, 4)];
  const code = args.int(5);
  const signed12 = (value: number): number => (value << 20) >> 20;
  const [operation, comparison] = [(code >>> 28) & 7, (code >>> 24) & 15];
  const shifts = code < 0;
  const operand = shifts ? 1 << (signed12(code >> 12) & 31) : signed12(code >> 12);
  const compared = signed12(code);
  memory.checkStore(second, 4);
  const old = memory.read32(second);
  const results = [operand, old + operand, old | operand, old & ~operand, old ^ operand];
  const comparisons = [
    old === compared,
    old !== compared,
    old < compared,
    old <= compared,
    old > compared,
    old >= compared,
  ];
  if (results[operation] === undefined || comparisons[comparison] === undefined) throw new SysError(ENOSYS);
  memory.write32(second, results[operation]);
  let woken = futexAt(ctx, first).wakeBits(args.int(2), ANY_BIT);
  if (comparisons[comparison]) woken += futexAt(ctx, second).wakeBits(args.int(3), ANY_BIT);
  return woken;
}

function lockPi(ctx: SyscallContext, format: TimeFormat, realtime: boolean, mayWait: boolean): SyscallResult {
  const { kernel, memory, thread, resumed } = ctx;
  const address = wordArg(ctx, 0);
  // Whoever had it has handed it over.
  if (resumed?.state.kind === "woken") return 0;
  memory.checkStore(address, 4);
  const value = memory.read32(address);
  const owner = value & TID_MASK;
  const futex = futexAt(ctx, address);
  const stillWaits = resumed?.phase === "waiting";
  if (!stillWaits && owner === 0) {
    memory.write32(address, thread.tid | (value & OWNER_DIED) | (futex.isEmpty ? 0 : WAITERS));
    return 0;
  }
  if (!stillWaits && owner === thread.tid) throw new SysError(EDEADLK);
  if (!stillWaits && kernel.thread(owner) === undefined) throw new SysError(ESRCH);
  if (!mayWait) throw new SysError(EAGAIN);
  const deadline = deadlineArg(ctx, format, true, realtime);
  if (deadline !== null && kernel.clock.monotonic() >= deadline) throw new SysError(ETIMEDOUT);
  memory.write32(address, value | WAITERS);
  futex.enlist(thread, ANY_BIT);
  return ctx.wait({ queues: [futex], deadline, restart: "nointr" });
}

function unlockPi(ctx: SyscallContext): number {
  const { memory, thread } = ctx;
  const address = wordArg(ctx, 0);
  memory.checkStore(address, 4);
  if ((memory.read32(address) & TID_MASK) !== thread.tid) throw new SysError(EPERM);
  const heir = futexAt(ctx, address).handOver();
  memory.write32(address, heir === undefined ? 0 : heir.tid | (heir.more ? WAITERS : 0));
  return 0;
}

const futex =
  (format: TimeFormat): SyscallHandler =>
  (ctx) => {
    const { args } = ctx;
    const code = args.int(1);
    const realtime = (code & FUTEX_CLOCK_REALTIME) !== 0;
    const operation = code & ~(FUTEX_PRIVATE | FUTEX_CLOCK_REALTIME);
    if (realtime && ![FUTEX_WAIT_BITSET, FUTEX_LOCK_PI2].includes(operation)) {
      throw new SysError(ENOSYS);
    }
    switch (operation) {
      case FUTEX_WAIT:
        return wait(ctx, format, false, realtime, ANY_BIT);
      case FUTEX_WAIT_BITSET:
        return wait(ctx, format, true, realtime, args.int(5));
      case FUTEX_WAKE:
        return wake(ctx, code, ANY_BIT);
      case FUTEX_WAKE_BITSET:
        if (args.int(5) === 0) throw new SysError(EINVAL);
        return wake(ctx, code, args.int(5));
      case FUTEX_REQUEUE:
      case FUTEX_CMP_REQUEUE:
        return requeue(ctx, operation === FUTEX_CMP_REQUEUE);
      case FUTEX_WAKE_OP:
        return wakeOp(ctx);
      case FUTEX_LOCK_PI:
        return lockPi(ctx, format, true, true);
      case FUTEX_LOCK_PI2:
        return lockPi(ctx, format, realtime, true);
      case FUTEX_TRYLOCK_PI:
        return lockPi(ctx, format, false, false);
      case FUTEX_UNLOCK_PI:
        return unlockPi(ctx);
      default:
        throw new SysError(ENOSYS);
    }
  };

/** Bytes of struct robust_list_head: three words. */
const robustSize = ({ abi }: SyscallContext): bigint => BigInt(3 * abi.wordSize);

const setRobustList: SyscallHandler = (ctx) => {
  const { args, thread } = ctx;
  if (args.word(1) !== robustSize(ctx)) throw new SysError(EINVAL);
  thread.robustList = { head: args.word(0), length: args.word(1) };
  return 0;
};

const getRobustList: SyscallHandler = (ctx) => {
  const { args, kernel, thread } = ctx;
  const tid = args.int(0);
  const target = tid === 0 ? thread : kernel.thread(tid);
  if (target === undefined) throw new SysError(ESRCH);
  ctx.putWord(args.address(2), robustSize(ctx));
  ctx.putWord(args.address(1), target.robustList.head);
  return 0;
};

export const FUTEX_SYSCALLS: readonly SyscallRow[] = [
  { name: "futex", args: "ptr hex int ptr ptr int", handler: futex("native") },
  { name: "futex_time64", args: "ptr hex int ptr ptr int", handler: futex("time64") },
  { name: "set_robust_list", args: "ptr ulong", handler: setRobustList },
  { name: "get_robust_list", args: "int ptr ptr", handler: getRobustList },
];
