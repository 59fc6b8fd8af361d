/** Waiting for files: poll and select with their variants. */

import { ignoringFaults } from "../../cpu/fault.ts";
import { TIMEVAL } from "../abi.ts";
import { EBADF, EINVAL, SysError } from "../errno.ts";
import { RLIMIT_NOFILE } from "../process.ts";
import { deliverable } from "../signals/signal-state.ts";
import type { Restart } from "../wait-queue.ts";
import {
  pointer,
  type SyscallContext,
  type SyscallHandler,
  type SyscallResult,
  type SyscallRow,
} from "../syscall.ts";
import { O_PATH } from "../vfs/constants.ts";
import type { OpenFile } from "../vfs/open-file.ts";
import { filesOf } from "../vfs/process-files.ts";
import {
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLPRI,
  POLLRDNORM,
  POLLWRBAND,
  POLLWRNORM,
  readiness,
  waitablesOf,
} from "../vfs/readiness.ts";
import { readTimespec, type TimeFormat, timevalTime, writeTimespec, writeTimeval } from "./time-format.ts";

const POLLNVAL = 0x20;
const POLLRDBAND = 0x80;

const descriptorsOf = ({ thread }: SyscallContext) => filesOf(thread).descriptors;

/** What can be polled; O_PATH descriptors can't. */
function fileOf(ctx: SyscallContext, fd: number): OpenFile | undefined {
  const descriptors = descriptorsOf(ctx);
  const file = descriptors.has(fd) ? descriptors.get(fd) : undefined;
  return file !== undefined && (file.flags & O_PATH) === 0 ? file : undefined;
}

/** One look at the files: how many are ready, and which to wait for. */
export interface Look {
  ready: number;
  files: Iterable<OpenFile>;
  /** Writes what was found. */
  store(): void;
}

export interface PollWait {
  /** Relative, nanoseconds; undefined waits for ever. */
  timeout: bigint | undefined;
  /** Blocked signals while it waits. */
  mask?: bigint | undefined;
  /** Tells the program how much time was left, where the call does so. */
  storeLeft?: ((left: bigint) => void) | undefined;
  /** How it begins again after a signal; "nohand" unless it is said. */
  restart?: Restart | undefined;
}

/** A time that is over whenever it is looked at. */
const OVER = 0n;

/** CLOCK_MONOTONIC time at which a wait ends; null: never. The clock is not asked where it doesn't matter. */
function endOf({ resumed, kernel }: SyscallContext, { timeout }: PollWait): bigint | null {
  if (resumed !== undefined && resumed.deadline !== null) return resumed.deadline;
  if (timeout === undefined) return null;
  return timeout === 0n ? OVER : kernel.clock.monotonic() + timeout;
}

/** Looks, and waits until something is ready, time is up or a signal has a handler. */
export function pollLoop(ctx: SyscallContext, wait: PollWait, look: () => Look): SyscallResult {
  const { signals } = ctx.thread;
  const end = endOf(ctx, wait);
  if (wait.mask !== undefined) signals.suspend(wait.mask);
  const storeLeft = () => {
    if (end === null || wait.storeLeft === undefined) return;
    const left = end === OVER ? 0n : end - ctx.kernel.clock.monotonic();
    ignoringFaults(() => wait.storeLeft?.(left > 0n ? left : 0n));
  };
  let found: Look;
  try {
    found = look();
    // With its mask changed a signal may be due that goes before a timeout, even one of zero.
    const isOver = () => end !== null && (end === OVER || end <= ctx.kernel.clock.monotonic());
    if (found.ready > 0 || (isOver() && deliverable(ctx.process, ctx.thread) === 0n)) {
      found.store();
      storeLeft();
      signals.endSuspend();
      return found.ready;
    }
  } catch (error) {
    signals.endSuspend();
    throw error;
  }
  return ctx.wait({
    ...waitablesOf(found.files),
    deadline: end,
    restart: wait.restart ?? "nohand",
    interrupted: storeLeft,
  });
}

// ---- poll ----------------------------------------------------------------------------------------------------------

const POLLFD_SIZE = 8;

/** What a look has found, of each descriptor. */
let found = new Uint16Array(64);

function pollOnce(ctx: SyscallContext, at: number, count: number): Look {
  const { memory, abi } = ctx;
  if (count > 0) memory.checkLoad(at, count * POLLFD_SIZE);
  if (found.length < count) found = new Uint16Array(2 * count);
  // Wanted and found events share a word.
  const shift = abi.littleEndian ? 0 : 16;
  const files: OpenFile[] = [];
  let ready = 0;
  for (let i = 0; i < count; i++) {
    const fd = memory.read32(at + i * POLLFD_SIZE);
    const file = fd < 0 ? undefined : fileOf(ctx, fd);
    if (file !== undefined) files.push(file);
    let events = fd < 0 ? 0 : POLLNVAL;
    if (file !== undefined) {
      const wanted = (memory.read32(at + i * POLLFD_SIZE + 4) >>> shift) & 0xffff;
      events = readiness(file) & (wanted | POLLERR | POLLHUP);
    }
    if (events !== 0) ready++;
    found[i] = events;
  }
  const store = () => {
    if (count > 0) memory.checkStore(at, count * POLLFD_SIZE);
    for (let i = 0; i < count; i++) {
      const word = at + i * POLLFD_SIZE + 4;
      memory.write32(word, (memory.read32(word) & (0xffff << shift)) | (found[i] << (16 - shift)));
    }
  };
  return { ready, files, store };
}

function pollFiles(ctx: SyscallContext, wait: PollWait): SyscallResult {
  const count = ctx.args.uint(1);
  if (count > Number(ctx.process.limits[RLIMIT_NOFILE]?.soft ?? 1024n)) throw new SysError(EINVAL);
  const at = ctx.args.address(0);
  return pollLoop(ctx, wait, () => pollOnce(ctx, at, count));
}

const poll: SyscallHandler = (ctx) => {
  const milliseconds = ctx.args.int(2);
  const timeout = milliseconds < 0 ? undefined : BigInt(milliseconds) * 1_000_000n;
  return pollFiles(ctx, { timeout, restart: "block" });
};

/** The mask argument of ppoll and its like: none, or a set of 8 bytes. */
export function maskArgument(ctx: SyscallContext, set: bigint, size: bigint): bigint | undefined {
  if (set === 0n) return undefined;
  if (size !== 8n) throw new SysError(EINVAL);
  const address = pointer(set);
  ctx.memory.checkLoad(address, 8);
  if (ctx.abi.is64) return ctx.memory.read64(address);
  const [low, high] = [ctx.memory.read32(address) >>> 0, ctx.memory.read32(address + 4) >>> 0];
  return high === 0 ? BigInt(low) : (BigInt(high) << 32n) | BigInt(low);
}

/** A timeout given as a timespec that the call counts down. The mask is looked at after it. */
function timespecWait(
  ctx: SyscallContext,
  at: number,
  format: TimeFormat,
  mask: () => bigint | undefined,
): PollWait {
  const timeout = at === 0 ? undefined : readTimespec(ctx, at, format);
  const storeLeft = at === 0 ? undefined : (left: bigint) => writeTimespec(ctx, at, format, left);
  return { timeout, storeLeft, mask: mask() };
}

const ppoll =
  (format: TimeFormat): SyscallHandler =>
  (ctx) => {
    const { args } = ctx;
    const mask = () => maskArgument(ctx, args.word(3), args.ulong(4));
    return pollFiles(ctx, timespecWait(ctx, args.address(2), format, mask));
  };

// ---- select --------------------------------------------------------------------------------------------------------

/** What makes a descriptor ready for each of the three sets. */
const SELECT_EVENTS = [
  POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR,
  POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR,
  POLLPRI,
];
/** Highest descriptor count that is looked at: what a table can hold. */
const MOST_DESCRIPTORS = 1048576;

/** The three sets of a call as words of 32 bits, one word of each after the other, and what was found. */
let sets32 = new Int32Array(2 * 3 * 32);

/** The words of an fd_set, an array of unsigned long, in the order of their descriptors: 64-bit big-endian ones change places. */
const wordOf = ({ abi }: SyscallContext, n: number): number => (abi.is64 && !abi.littleEndian ? n ^ 1 : n);

function selectOnce(ctx: SyscallContext, count: number, sets: readonly number[]): Look {
  const { memory, abi } = ctx;
  const { wordSize } = abi;
  const size = Math.ceil(count / (8 * wordSize)) * wordSize;
  const words = size / 4;
  if (sets32.length < 6 * words) sets32 = new Int32Array(12 * words);
  const [given, out] = [sets32, 3 * words];
  for (let which = 0; which < 3; which++) {
    const at = sets[which];
    if (at !== 0 && size > 0) memory.checkLoad(at, size);
    for (let n = 0; n < words; n++)
      given[3 * n + which] = at === 0 ? 0 : memory.read32(at + 4 * wordOf(ctx, n));
  }
  given.fill(0, out, 2 * out);
  const files: OpenFile[] = [];
  let ready = 0;
  for (let n = 0; n < words; n++) {
    const any = given[3 * n] | given[3 * n + 1] | given[3 * n + 2];
    for (let bit = 0, left = any; left !== 0 && 32 * n + bit < count; bit++, left >>>= 1) {
      if ((left & 1) === 0) continue;
      const file = fileOf(ctx, 32 * n + bit);
      if (file === undefined) throw new SysError(EBADF);
      files.push(file);
      const events = readiness(file);
      for (let which = 0; which < 3; which++) {
        if (((given[3 * n + which] >>> bit) & 1) === 0 || (events & SELECT_EVENTS[which]) === 0) continue;
        given[out + 3 * n + which] |= 1 << bit;
        ready++;
      }
    }
  }
  const store = () => {
    for (let which = 0; which < 3; which++) {
      const at = sets[which];
      if (at === 0 || size === 0) continue;
      memory.checkStore(at, size);
      for (let n = 0; n < words; n++) memory.write32(at + 4 * wordOf(ctx, n), given[out + 3 * n + which]);
    }
  };
  return { ready, files, store };
}

/** select(2) of r3 to r6 as descriptor count and three sets, or of the four numbers in `from`. */
function selectFiles(ctx: SyscallContext, wait: PollWait, from?: SelectArguments): SyscallResult {
  const { args } = ctx;
  const count = from?.count ?? args.int(0);
  const sets = from?.sets ?? [1, 2, 3].map((n) => args.address(n));
  if (count < 0) throw new SysError(EINVAL);
  // The kernel looks no further than the descriptor table reaches.
  const reach = 64 * Math.ceil(descriptorsOf(ctx).reach / 64);
  const looked = Math.min(count, Math.max(reach, 256), MOST_DESCRIPTORS);
  return pollLoop(ctx, wait, () => selectOnce(ctx, looked, sets));
}

interface SelectArguments {
  count: number;
  sets: number[];
}

function timevalWait(ctx: SyscallContext, at: number): PollWait {
  if (at === 0) return { timeout: undefined };
  const { tv_sec, tv_usec } = ctx.get(TIMEVAL, at);
  // More microseconds than a second has are carried over here.
  if (tv_sec < 0n || tv_usec < 0n) throw new SysError(EINVAL);
  return {
    timeout: timevalTime(tv_sec + tv_usec / 1_000_000n, tv_usec % 1_000_000n),
    storeLeft: (left) => writeTimeval(ctx, at, left),
  };
}

const newselect: SyscallHandler = (ctx) => selectFiles(ctx, timevalWait(ctx, ctx.args.address(4)));

/** Call 82, which ppc32 alone has: its argument points to all five. */
const select: SyscallHandler = (ctx) => {
  const at = ctx.args.address(0);
  const words = [0, 1, 2, 3, 4].map((n) => Number(ctx.getWord(at + n * ctx.abi.wordSize)));
  return selectFiles(ctx, timevalWait(ctx, words[4]), { count: words[0] | 0, sets: words.slice(1, 4) });
};

/** The sixth argument of pselect6 points to a set and its size. */
function packedMask(ctx: SyscallContext): bigint | undefined {
  const at = ctx.args.address(5);
  if (at === 0) return undefined;
  return maskArgument(ctx, ctx.getWord(at), ctx.getWord(at + ctx.abi.wordSize));
}

const pselect6 =
  (format: TimeFormat): SyscallHandler =>
  (ctx) => {
    const mask = packedMask(ctx);
    return selectFiles(
      ctx,
      timespecWait(ctx, ctx.args.address(4), format, () => mask),
    );
  };

export const POLL_SYSCALLS: readonly SyscallRow[] = [
  { name: "poll", args: "ptr uint int", handler: poll },
  { name: "ppoll", args: "ptr uint ptr ptr ulong", handler: ppoll("native") },
  { name: "ppoll_time64", args: "ptr uint ptr ptr ulong", handler: ppoll("time64") },
  { name: "select", args: "ptr", handler: select },
  { name: "_newselect", args: "int ptr ptr ptr ptr", handler: newselect },
  { name: "pselect6", args: "int ptr ptr ptr ptr ptr", handler: pselect6("native") },
  { name: "pselect6_time64", args: "int ptr ptr ptr ptr ptr", handler: pselect6("time64") },
];
