/** Where things lie in signal frames: what builds them, takes them down and describes them to unwinders agrees on this. */
import type { DataModel } from "./bytes.ts";
import { generalRegisters } from "./mcontext.ts";
import { SIGINFO_SIZE } from "./siginfo.ts";

/** Bytes of the dummy stack frame below a signal frame (__SIGNAL_FRAMESIZE). */
export const dummyFrame = (model: DataModel): number => (model.is64 ? 128 : 64);
/** A 32-bit rt frame lies this much above its dummy frame, where older kernels had more in between. */
export const RT_GAP_32 = 16;

/** Offsets in struct ucontext: 32-bit and 64-bit. */
const UCONTEXT_32 = { link: 4, stack: 8, regs: 48, sigmask: 52, mcontext: 192 } as const;
const UCONTEXT_64 = { link: 8, stack: 16, regs: -1, sigmask: 40, mcontext: 168 } as const;
export const ucontextLayout = (model: DataModel) => (model.is64 ? UCONTEXT_64 : UCONTEXT_32);

/** struct sigcontext of 32-bit tasks, before the mcontext of an old-style frame. */
export const SIGCONTEXT_32 = { mask2: 12, signal: 16, handler: 20, oldmask: 24, regs: 28, size: 32 } as const;

/** Offset of the pt_regs words in a ucontext. */
const ucontextRegisters = (model: DataModel): number =>
  ucontextLayout(model).mcontext + generalRegisters(model);

/** Offset of the pt_regs words from the stack pointer that a handler starts and returns with. */
export function frameRegisters(model: DataModel, rt: boolean): number {
  if (model.is64) return dummyFrame(model) + ucontextRegisters(model);
  if (rt) return dummyFrame(model) + RT_GAP_32 + SIGINFO_SIZE + ucontextRegisters(model);
  return dummyFrame(model) + SIGCONTEXT_32.size + generalRegisters(model);
}
