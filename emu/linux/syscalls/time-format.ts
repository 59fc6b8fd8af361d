/**
 * Times as system calls pass them: the ABI's own timespec and timeval, and on 32-bit tasks the 64-bit timespec of
 * the time64 calls.
 */

import { type AbiInfo, TIMESPEC, TIMESPEC64, TIMEVAL } from "../abi.ts";
import { NANOSECONDS } from "../clock.ts";
import { EINVAL, SysError } from "../errno.ts";
import type { SyscallContext } from "../syscall.ts";
import { capTime } from "../wait-queue.ts";

/** Which struct timespec a call has: that of `long`, or always 64 bits. */
export type TimeFormat = "native" | "time64";

const layoutOf = (format: TimeFormat) => (format === "native" ? TIMESPEC : TIMESPEC64);

/** Bytes of a timespec. */
export const timespecSize = (abi: AbiInfo, format: TimeFormat): number => layoutOf(format).size(abi);

/** Nanoseconds of a timespec at `address`. Throws EINVAL for negative times and nanoseconds out of range. */
export function readTimespec(ctx: SyscallContext, address: number, format: TimeFormat): bigint {
  const { memory, abi } = ctx;
  const size = timespecSize(abi, format);
  memory.checkLoad(address, size);
  const sec = size === 16 ? BigInt.asIntN(64, memory.read64(address)) : BigInt(memory.read32(address));
  // A 32-bit task's upper half of tv_nsec is padding.
  const at = address + size / 2;
  const nsec = abi.is64
    ? Number(BigInt.asIntN(64, memory.read64(at)))
    : memory.read32(size === 16 && !abi.littleEndian ? at + 4 : at);
  if (sec < 0n || nsec < 0 || nsec >= NANOSECONDS_IN_ONE) throw new SysError(EINVAL);
  return sec === 0n ? BigInt(nsec) : capTime(sec * NANOSECONDS + BigInt(nsec));
}
const NANOSECONDS_IN_ONE = Number(NANOSECONDS);

/** The fields of a timespec for `time` nanoseconds. */
export const timespecFields = (time: bigint): { tv_sec: bigint; tv_nsec: bigint } => ({
  tv_sec: time / NANOSECONDS,
  tv_nsec: time % NANOSECONDS,
});

export function writeTimespec(ctx: SyscallContext, address: number, format: TimeFormat, time: bigint): void {
  ctx.memory.write(address, layoutOf(format).lend(ctx.abi, timespecFields(time)));
}

const MICROSECONDS = 1_000_000n;

/** Nanoseconds of two longs, seconds and microseconds. Throws EINVAL for negative ones and too many microseconds. */
export function timevalTime(seconds: bigint, microseconds: bigint): bigint {
  if (seconds < 0n || microseconds < 0n || microseconds >= MICROSECONDS) throw new SysError(EINVAL);
  return capTime(seconds * NANOSECONDS + microseconds * 1000n);
}

/** The two longs of a timeval for `time` nanoseconds. */
export const timevalFields = (time: bigint): { tv_sec: bigint; tv_usec: bigint } => ({
  tv_sec: time / NANOSECONDS,
  tv_usec: (time % NANOSECONDS) / 1000n,
});

/** A timeval whose parts have 64 bits in every ABI: laid out as a timespec of them. */
export function encodeTimeval64(abi: AbiInfo, time: bigint): Uint8Array {
  const { tv_sec, tv_usec } = timevalFields(time);
  return TIMESPEC64.encode(abi, { tv_sec, tv_nsec: tv_usec });
}

export function writeTimeval(ctx: SyscallContext, address: number, time: bigint): void {
  ctx.put(TIMEVAL, address, timevalFields(time));
}
