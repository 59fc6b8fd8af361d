/** futex(2), robust lists. */
import { EAGAIN, EINVAL, ENOSYS, noProcess, SysError } from "../errno.ts";
import { ANY_BIT, type Futex } from "../futex-table.ts";
import type { SyscallContext, SyscallHandler, SyscallResult, SyscallRow } from "../syscall.ts";
import { checkDeadline, deadlineArg, FUTEX_PRIVATE, futexAt, wordArg } from "./futex-common.ts";
import { lockPi, requeuePi, unlockPi, waitRequeuePi } from "./futex-pi.ts";
import { waitv } from "./futex-waitv.ts";
import type { TimeFormat } from "./time-format.ts";

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
const FUTEX_WAIT_REQUEUE_PI = 11;
const FUTEX_CMP_REQUEUE_PI = 12;
const FUTEX_LOCK_PI2 = 13;
const FUTEX_CLOCK_REALTIME = 256;

/** The word is not what it should be. Programs hear it all day, and to throw takes longer than the call. */
const OTHER_VALUE = new SysError(EAGAIN);

function wait(ctx: SyscallContext, deadline: bigint | null, bits: number): SyscallResult {
  const { args, memory, resumed, thread } = ctx;
  if (bits === 0) throw new SysError(EINVAL);
  // After a thaw it waits where it had been moved to.
  const isMoved = resumed?.phase === "waiting" && resumed.state.kind === "requeued";
  const address = isMoved ? resumed.state.address : wordArg(ctx, 0);
  if (resumed?.state.kind === "woken") return 0;
  // While it waits the word's value does not matter; one that a signal has taken from its queue looks again.
  if (resumed?.phase !== "waiting" && memory.read32(address) !== args.int(2)) return OTHER_VALUE;
  checkDeadline(ctx, deadline);
  const futex = futexAt(ctx, address);
  futex.enlist(thread, { kind: "value", bits });
  const state = isMoved ? resumed.state : undefined;
  // As Linux has it: with a timeout a handler ends the call.
  return ctx.wait({ queues: [futex], deadline, state, restart: deadline === null ? "sys" : "block" });
}

/** A futex whose waiters may be woken and moved: those who wait for a lock may not. Throws EINVAL. */
function plainFutex(ctx: SyscallContext, address: number): Futex {
  const futex = futexAt(ctx, address);
  if (futex.inherits) throw new SysError(EINVAL);
  return futex;
}

/** Wakes waiters. A word that processes may share has to be there; a private one is not looked for. */
function wake(ctx: SyscallContext, code: number, bitset: number): number {
  const address = wordArg(ctx, 0);
  if (!(code & FUTEX_PRIVATE)) ctx.memory.checkLoad(address, 4);
  return plainFutex(ctx, address).wakeBits(Math.max(ctx.args.int(2), 1), bitset);
}

function requeue(ctx: SyscallContext, compare: boolean): number | SysError {
  const { args, memory } = ctx;
  const [from, to] = [wordArg(ctx, 0), wordArg(ctx, 4)];
  const [wakes, moves] = [args.int(2), args.int(3)];
  if (wakes < 0 || moves < 0) throw new SysError(EINVAL);
  if (compare && memory.read32(from) !== args.int(5)) return OTHER_VALUE;
  const source = plainFutex(ctx, from);
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
  let woken = plainFutex(ctx, first).wakeBits(args.int(2), ANY_BIT);
  if (comparisons[comparison]) woken += plainFutex(ctx, second).wakeBits(args.int(3), ANY_BIT);
  return woken;
}

/** Operations that take an end of their wait; of FUTEX_WAIT it is a length of time. */
const TIMED = [FUTEX_WAIT, FUTEX_WAIT_BITSET, FUTEX_LOCK_PI, FUTEX_LOCK_PI2, FUTEX_WAIT_REQUEUE_PI];

const futex =
  (format: TimeFormat): SyscallHandler =>
  (ctx) => {
    const { args } = ctx;
    const code = args.int(1);
    const realtime = (code & FUTEX_CLOCK_REALTIME) !== 0;
    const operation = code & ~(FUTEX_PRIVATE | FUTEX_CLOCK_REALTIME);
    if (realtime && ![FUTEX_WAIT_BITSET, FUTEX_LOCK_PI2, FUTEX_WAIT_REQUEUE_PI].includes(operation)) {
      throw new SysError(ENOSYS);
    }
    const deadline = TIMED.includes(operation)
      ? deadlineArg(ctx, format, operation !== FUTEX_WAIT, realtime || operation === FUTEX_LOCK_PI)
      : null;
    switch (operation) {
      case FUTEX_WAIT:
        return wait(ctx, deadline, ANY_BIT);
      case FUTEX_WAIT_BITSET:
        return wait(ctx, deadline, args.int(5));
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
      case FUTEX_LOCK_PI2:
        return lockPi(ctx, deadline, true);
      case FUTEX_TRYLOCK_PI:
        return lockPi(ctx, null, false);
      case FUTEX_UNLOCK_PI:
        return unlockPi(ctx);
      case FUTEX_WAIT_REQUEUE_PI:
        return waitRequeuePi(ctx, deadline);
      case FUTEX_CMP_REQUEUE_PI:
        return requeuePi(ctx);
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
  if (target === undefined) throw noProcess(tid);
  ctx.putWord(args.address(2), robustSize(ctx));
  ctx.putWord(args.address(1), target.robustList.head);
  return 0;
};

const wakes = ({ args }: SyscallContext): boolean => {
  const operation = args.int(1) & ~FUTEX_PRIVATE;
  return operation === FUTEX_WAKE || operation === FUTEX_WAKE_BITSET;
};

export const FUTEX_SYSCALLS: readonly SyscallRow[] = [
  { name: "futex", args: "ptr hex int ptr ptr int", brief: wakes, handler: futex("native") },
  { name: "futex_time64", args: "ptr hex int ptr ptr int", brief: wakes, handler: futex("time64") },
  { name: "futex_waitv", args: "ptr uint hex ptr int", handler: waitv },
  { name: "set_robust_list", args: "ptr ulong", handler: setRobustList },
  { name: "get_robust_list", args: "int ptr ptr", handler: getRobustList },
];
