/** What the calls on futexes have in common. */
import { EINVAL, ETIMEDOUT, SysError } from "../errno.ts";
import type { Futex } from "../futex-table.ts";
import type { SyscallContext } from "../syscall.ts";
import { readTimespec, type TimeFormat } from "./time-format.ts";

/** The word is not shared with other processes. */
export const FUTEX_PRIVATE = 128;

/** Address argument `n` of a futex word, which must be aligned. */
export function wordArg({ args }: SyscallContext, n: number): number {
  if (args.word(n) % 4n !== 0n) throw new SysError(EINVAL);
  return args.address(n);
}

export const futexAt = ({ kernel, process }: SyscallContext, address: number): Futex =>
  kernel.futexes.at(process, address);

/** CLOCK_MONOTONIC time at which a wait ends; null without a timeout. */
export function deadlineArg(
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

/** Throws ETIMEDOUT where a wait that is to begin, or to go on, has come to its end. */
export function checkDeadline({ kernel }: SyscallContext, deadline: bigint | null): void {
  if (deadline !== null && kernel.clock.monotonic() >= deadline) throw new SysError(ETIMEDOUT);
}
