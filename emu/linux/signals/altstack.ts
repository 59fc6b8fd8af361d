/** The alternate signal stack of a thread; sigaltstack(2). */
import type { GuestBytes } from "./bytes.ts";

export const SS_ONSTACK = 1;
export const SS_DISABLE = 2;
/** Disable it while a handler runs on it. */
export const SS_AUTODISARM = 0x8000_0000;

export interface AltStack {
  sp: bigint;
  /** As given to sigaltstack(2). */
  flags: number;
  size: bigint;
}

export const noAltStack = (): AltStack => ({ sp: 0n, flags: 0, size: 0n });

/** Whether stack pointer `sp` is on the alternate stack. */
export function onAltStack(stack: AltStack, sp: bigint): boolean {
  if (stack.flags & SS_AUTODISARM) return false;
  return sp > stack.sp && sp - stack.sp <= stack.size;
}

/** ss_flags as sigaltstack(2) reports them to a thread whose stack pointer is `sp`. */
export function altStackFlags(stack: AltStack, sp: bigint): number {
  const autodisarm = stack.flags & SS_AUTODISARM;
  if (stack.size === 0n) return (SS_DISABLE | autodisarm) >>> 0;
  return ((onAltStack(stack, sp) ? SS_ONSTACK : 0) | autodisarm) >>> 0;
}

const MINSIGSTKSZ = 4096n;

/** Why a new stack is refused: errno names as sigaltstack(2) has them. */
export type AltStackError = "EPERM" | "EINVAL" | "ENOMEM";

/**
 * Takes `next` over into `stack`, for a thread whose stack pointer is `sp`. The least size is what
 * C libraries call MINSIGSTKSZ; 64-bit kernels demand 8192 since 5.14, all others 2048.
 */
export function setAltStack(stack: AltStack, next: AltStack, sp: bigint): AltStackError | undefined {
  if (onAltStack(stack, sp)) return "EPERM";
  const mode = next.flags & ~SS_AUTODISARM;
  if (mode !== SS_DISABLE && mode !== SS_ONSTACK && mode !== 0) return "EINVAL";
  if (mode === SS_DISABLE) {
    Object.assign(stack, { sp: 0n, size: 0n, flags: SS_DISABLE });
    return undefined;
  }
  if (next.size < MINSIGSTKSZ) return "ENOMEM";
  Object.assign(stack, next);
  return undefined;
}

/** Bytes of stack_t. */
export const stackSize = (is64: boolean): number => (is64 ? 24 : 12);

/** Writes a stack_t. */
export function putStack(out: GuestBytes, at: number, stack: AltStack): void {
  const word = out.model.is64 ? 8 : 4;
  out.setUlong(at, stack.sp);
  out.setU32(at + word, stack.flags);
  out.setUlong(at + 2 * word, stack.size);
}

/** Reads a stack_t. */
export function getStack(from: GuestBytes, at: number): AltStack {
  const word = from.model.is64 ? 8 : 4;
  return { sp: from.ulong(at), flags: from.u32(at + word), size: from.ulong(at + 2 * word) };
}
