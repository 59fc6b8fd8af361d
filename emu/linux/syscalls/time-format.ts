/**
 * Times as system calls pass them: the ABI's own timespec and timeval, and on 32-bit tasks the 64-bit timespec of
 * the time64 calls.
 */

import { type AbiInfo, TIMESPEC, TIMESPEC64 } from "../abi.ts";
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
  const sec = size === 16 ? readLong(ctx, address) : memory.read32(address);
  // A 32-bit task's upper half of tv_nsec is padding.
  const at = address + size / 2;
  const nsec = abi.is64 ? readLong(ctx, at) : memory.read32(size === 16 && !abi.littleEndian ? at + 4 : at);
  if (sec < 0 || nsec < 0 || nsec >= NANOSECONDS_IN_ONE) throw new SysError(EINVAL);
  const time = sec * NANOSECONDS_IN_ONE + nsec;
  if (time <= Number.MAX_SAFE_INTEGER) return BigInt(time);
  return capTime(BigInt(sec) * NANOSECONDS + BigInt(nsec));
}
const NANOSECONDS_IN_ONE = Number(NANOSECONDS);

/** A signed doubleword that may be read, as a number: BigInts cost V8 a call each. Rounded, where it is more than times are. */
function readLong({ memory, abi }: SyscallContext, address: number): number {
  const [first, second] = [memory.read32(address), memory.read32(address + 4)];
  const [high, low] = abi.littleEndian ? [second, first] : [first, second];
  return high * 2 ** 32 + (low >>> 0);
}

/** The fields of a timespec for `time` nanoseconds. */
export const timespecFields = (time: bigint): { tv_sec: bigint; tv_nsec: bigint } => ({
  tv_sec: time / NANOSECONDS,
  tv_nsec: time % NANOSECONDS,
});

/** A time, and the halves of its two's complement. */
const whole = new BigInt64Array(1);
const halves = new Int32Array(whole.buffer);
/** Which of the halves is the low one on this host. */
const LOW = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? 0 : 1;
const HIGH = 1 - LOW;

/** The whole seconds and the nanoseconds after them of a time, also before the epoch. Division of BigInts takes V8 longer than a call. */
export function timeParts(time: bigint): { seconds: number; nanoseconds: number } {
  whole[0] = time;
  if (whole[0] !== time) {
    const after = ((time % NANOSECONDS) + NANOSECONDS) % NANOSECONDS;
    return { seconds: Number((time - after) / NANOSECONDS), nanoseconds: Number(after) };
  }
  // As the BigInt itself would be rounded, of which it takes V8 a call to make a number.
  const rough = halves[HIGH] * 2 ** 32 + (halves[LOW] >>> 0);
  const seconds = Math.floor(rough / NANOSECONDS_IN_ONE);
  // Of numbers below 2^53 no quotient by 10^9 is rounded up to a whole one.
  if (rough >= 0 && rough <= Number.MAX_SAFE_INTEGER)
    return { seconds, nanoseconds: rough - seconds * NANOSECONDS_IN_ONE };
  // That the time was rounded may make a second too much or too little. The nanoseconds are less than 2^31: their low 32 bits are all of them.
  const nanoseconds = (halves[LOW] - Math.imul(seconds, NANOSECONDS_IN_ONE)) | 0;
  if (nanoseconds < 0) return { seconds: seconds - 1, nanoseconds: nanoseconds + NANOSECONDS_IN_ONE };
  if (nanoseconds < NANOSECONDS_IN_ONE) return { seconds, nanoseconds };
  return { seconds: seconds + 1, nanoseconds: nanoseconds - NANOSECONDS_IN_ONE };
}

/** Writes two longs, or two doublewords. */
function writePair(ctx: SyscallContext, address: number, size: number, first: number, second: number): void {
  const { memory } = ctx;
  memory.checkStore(address, size);
  if (size === 8) {
    memory.write32(address, first | 0);
    memory.write32(address + 4, second | 0);
  } else {
    memory.writeHalves(address, Math.floor(first / 2 ** 32), first | 0);
    memory.writeHalves(address + 8, 0, second);
  }
}

export function writeTimespec(ctx: SyscallContext, address: number, format: TimeFormat, time: bigint): void {
  const { seconds, nanoseconds } = timeParts(time);
  writePair(ctx, address, timespecSize(ctx.abi, format), seconds, nanoseconds);
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
  const { seconds, nanoseconds } = timeParts(time);
  writePair(ctx, address, 2 * ctx.abi.wordSize, seconds, Math.floor(nanoseconds / 1000));
}

/** Nanoseconds of a timeval at `address`. Throws EINVAL for negative ones and too many microseconds. */
export function readTimeval(ctx: SyscallContext, address: number): bigint {
  const { memory, abi } = ctx;
  memory.checkLoad(address, 2 * abi.wordSize);
  const seconds = abi.is64 ? readLong(ctx, address) : memory.read32(address);
  const microseconds = abi.is64 ? readLong(ctx, address + 8) : memory.read32(address + 4);
  if (seconds < 0 || microseconds < 0 || microseconds >= MICROSECONDS_IN_ONE) throw new SysError(EINVAL);
  const time = (seconds * MICROSECONDS_IN_ONE + microseconds) * 1000;
  if (time <= Number.MAX_SAFE_INTEGER) return BigInt(time);
  return capTime(BigInt(seconds) * NANOSECONDS + BigInt(microseconds) * 1000n);
}
const MICROSECONDS_IN_ONE = Number(MICROSECONDS);
