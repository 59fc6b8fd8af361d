/**
 * Signal frames: what lies on the stack while a handler runs, and the way back (Linux: arch/powerpc/kernel/
 * signal_32.c, signal_64.c). From high to low addresses: the red zone of the interrupted function, the frame, a
 * dummy stack frame for the handler's caller.
 */
import { GuestFault, ignoringFaults } from "../../cpu/fault.ts";
import { CTR, GPR, LR, NIA, RESERVE_LENGTH, type Registers } from "../../cpu/registers.ts";
import type { AddressSpace } from "../../memory/address-space.ts";
import type { SignalActionSnapshot } from "../../snapshot.ts";
import { vdsoPage } from "../vdso/page.ts";
import { returnPoint } from "../vdso/vdso-image.ts";
import { type AltStack, getStack, onAltStack, putStack } from "./altstack.ts";
import { GuestBytes } from "./bytes.ts";
import { dummyFrame, RT_GAP_32, SIGCONTEXT_32, ucontextLayout } from "./frame-layout.ts";
import {
  getRegisters,
  hasVsx,
  type KernelEntry,
  mcontextSize,
  putRegisters,
  type ReadGuest,
  readMsr,
  SC_HANDLER,
  SC_SIGNAL,
  scalarSize,
  type TaskModel,
} from "./mcontext.ts";
import type { SignalInfo } from "./pending.ts";
import { putSigInfo, SIGINFO_SIZE } from "./siginfo.ts";
import { SA_ONSTACK, SA_SIGINFO } from "./signal-numbers.ts";

/** The thread that a frame is built for, as far as frames care. */
export interface FrameThread {
  readonly model: TaskModel;
  readonly registers: Registers;
  readonly memory: AddressSpace;
  readonly altStack: AltStack;
}

/** Red zone below the stack pointer that belongs to the interrupted function. */
const REDZONE_32 = 56 * 4;
const REDZONE_64 = 512;

/** Bytes of struct ucontext. */
const ucontextSize = (model: TaskModel, withVsx = true): number =>
  ucontextLayout(model).mcontext + mcontextSize(model, withVsx);

/** 64-bit rt frame: ucontext, two unused longs, seven trampoline words, pointers, siginfo. */
const pinfoOffset = (model: TaskModel): number => (ucontextSize(model) + 16 + 7 * 4 + 7) & ~7;

const inReach = (memory: AddressSpace, address: number, length: number): boolean =>
  address >= 0 && address + length <= memory.limit;

/** Bytes that frames are read into or built in, with the view of them: to make either takes V8 longer than to fill it. */
class Room {
  private readonly all = new Uint8Array(4096);
  private readonly view = new DataView(this.all.buffer);

  take(model: TaskModel, length: number): GuestBytes {
    return new GuestBytes(model, this.all.subarray(0, length), this.view);
  }
}
/** No frame is read in more pieces. */
const readInto = Array.from({ length: 4 }, () => new Room());
const builtIn = new Room();

/** Reads guest memory at a 64-bit address; throws GuestFault. What it gives is good until there is another reader. */
function reader({ memory, model }: FrameThread): ReadGuest {
  let used = 0;
  return (address, length) => {
    if (!inReach(memory, address, length)) throw new GuestFault("data-unmapped", BigInt(address));
    memory.checkLoad(address, length);
    const into = readInto[used++].take(model, length);
    memory.peek(address, length, into.bytes);
    return into;
  };
}

function write({ memory }: FrameThread, address: number, bytes: Uint8Array): void {
  if (!inReach(memory, address, bytes.length)) throw new GuestFault("data-unmapped", BigInt(address), true);
  memory.write(address, bytes);
}

/** GPR 1 as the ABI has it: exact as far as guest memory reaches. */
const stackPointer = ({ model, registers: { u32 } }: FrameThread): number =>
  u32[GPR / 4 + 2] + (model.is64 ? u32[GPR / 4 + 3] * 2 ** 32 : 0);

/** Sets a doubleword of the register block to a number. */
function setDoubleword({ u32 }: Registers, offset: number, value: number): void {
  u32[offset / 4] = value;
  u32[offset / 4 + 1] = Math.floor(value / 2 ** 32);
}

/**
 * Builds the frame for `info` and points the registers at the handler. `mask` is what the frame restores. Returns
 * false, with the registers unchanged, when the stack, or on ELFv1 the handler's descriptor, cannot be reached.
 */
export function pushFrame(
  thread: FrameThread,
  action: SignalActionSnapshot,
  info: SignalInfo,
  mask: bigint,
  entry: KernelEntry,
): boolean {
  const { model, registers, memory, altStack } = thread;
  const page = vdsoPage(memory, model);
  if (page === undefined) return false;
  const rt = model.is64 || (action.flags & SA_SIGINFO) !== 0n;
  const bodySize = model.is64
    ? pinfoOffset(model) + 16 + SIGINFO_SIZE
    : rt
      ? rtSize32(model)
      : oldSize32(model);
  const redzone = model.is64 ? REDZONE_64 : REDZONE_32;
  const sp = stackPointer(thread);
  const top = altStack.size !== 0n && action.flags & SA_ONSTACK && !onAltStack(altStack, BigInt(sp));
  const from = top ? Number(altStack.sp + altStack.size) : sp;
  const frame = Math.floor((from - (bodySize + redzone)) / 16) * 16;
  const gap = dummyFrame(model) + (rt && !model.is64 ? RT_GAP_32 : 0);
  const newSp = frame - gap;
  if (!inReach(memory, newSp, gap + bodySize)) return false;

  const out = builtIn.take(model, gap + bodySize);
  out.bytes.fill(0);
  out.copyUlong(0, registers, GPR + 8);
  const build = model.is64 ? buildRt64 : rt ? buildRt32 : buildOld32;
  const args = build(out, gap, frame, thread, action, info, mask, entry);
  let code = action.handler;
  let toc: bigint | undefined;
  const reached = ignoringFaults(() => {
    memory.write(newSp, out.bytes);
    if (model.is64 && !model.elfv2) {
      const descriptor = reader(thread)(Number(action.handler), 16);
      code = descriptor.u64(0);
      toc = descriptor.u64(8);
    }
  });
  if (!reached) return false;

  setDoubleword(registers, GPR + 8, newSp);
  if (toc !== undefined) registers.setGpr(2, toc);
  setDoubleword(registers, GPR + 8 * 3, info.signo);
  for (let i = 0; i < args.length; i++) setDoubleword(registers, GPR + 8 * (4 + i), args[i]);
  if (model.is64) registers.u64[CTR / 8] = code;
  if (model.elfv2) registers.setGpr(12, code);
  registers.nia = model.is64 ? code : BigInt.asUintN(32, code);
  registers.u32[NIA / 4] &= ~3;
  setDoubleword(registers, LR, page + returnPoint(model, rt));
  registers.wholeFpscr = 0n;
  registers.bytes[RESERVE_LENGTH] = 0;
  return true;
}

/** Fills a frame at offset `at` of `out`, guest address `frame`; returns what r4 and on shall hold. */
type Build = (
  out: GuestBytes,
  at: number,
  frame: number,
  thread: FrameThread,
  action: SignalActionSnapshot,
  info: SignalInfo,
  mask: bigint,
  entry: KernelEntry,
) => number[];

const buildRt64: Build = (out, at, frame, thread, action, info, mask, entry) => {
  const { model } = thread;
  const pinfo = pinfoOffset(model);
  const infoAddress = frame + pinfo + 16;
  putUcontext(out, at, frame, thread, mask, entry);
  const sc = at + ucontextLayout(model).mcontext;
  out.setU32(sc + SC_SIGNAL, info.signo);
  out.setU64(sc + SC_HANDLER, action.handler);
  out.setUlong(at + pinfo, infoAddress);
  out.setUlong(at + pinfo + 8, frame);
  putSigInfo(out, at + pinfo + 16, info);
  if (action.flags & SA_SIGINFO) return [infoAddress, frame, frame];
  return [frame + ucontextLayout(model).mcontext];
};

const rtSize32 = (model: TaskModel): number => SIGINFO_SIZE + ucontextSize(model);

const buildRt32: Build = (out, at, frame, thread, _action, info, mask, entry) => {
  const uc = frame + SIGINFO_SIZE;
  putSigInfo(out, at, info);
  putUcontext(out, at + SIGINFO_SIZE, uc, thread, mask, entry);
  return [frame, uc, frame];
};

const oldSize32 = (model: TaskModel): number => SIGCONTEXT_32.size + mcontextSize(model);

const buildOld32: Build = (out, at, frame, { model, registers }, action, info, mask, entry) => {
  const mcontext = frame + SIGCONTEXT_32.size;
  out.setU32(at + SIGCONTEXT_32.signal, info.signo);
  out.setUlong(at + SIGCONTEXT_32.handler, action.handler);
  out.setU32(at + SIGCONTEXT_32.oldmask, Number(BigInt.asUintN(32, mask)));
  out.setU32(at + SIGCONTEXT_32.mask2, Number(mask >> 32n));
  out.setUlong(at + SIGCONTEXT_32.regs, mcontext);
  putRegisters(out, at + SIGCONTEXT_32.size, mcontext, model, registers, entry);
  return [frame];
};

function putUcontext(
  out: GuestBytes,
  at: number,
  address: number,
  { model, registers, altStack }: FrameThread,
  mask: bigint,
  entry: KernelEntry,
  withVsx = true,
): void {
  const layout = ucontextLayout(model);
  const mcontext = address + layout.mcontext;
  putStack(out, at + layout.stack, altStack);
  if (!model.is64) out.setUlong(at + layout.regs, mcontext);
  out.setSigset(at + layout.sigmask, mask);
  putRegisters(out, at + layout.mcontext, mcontext, model, registers, entry, withVsx);
}

/** What a return from a handler gives back beside the registers. */
export interface Returned {
  mask: bigint;
  /** uc_stack; none in old-style frames. */
  altStack?: AltStack;
  origGpr3: bigint;
  result: bigint;
}

/** rt_sigreturn(2): loads the registers from the frame above the stack pointer. Throws GuestFault on a bad one. */
export function popRtFrame(thread: FrameThread): Returned {
  const { model } = thread;
  const sp = stackPointer(thread);
  const uc = model.is64 ? sp : (sp + dummyFrame(model) + RT_GAP_32 + SIGINFO_SIZE) % 2 ** 32;
  const layout = ucontextLayout(model);
  const read = reader(thread);
  const head = read(uc, headSize(model));
  const altStack = getStack(head, layout.stack);
  return { ...loadUcontext(thread, read, uc, head, false), altStack };
}

/** Bytes of a ucontext that are read together: in 64-bit ones the registers follow at once. */
const headSize = (model: TaskModel): number =>
  ucontextLayout(model).mcontext + (model.is64 ? scalarSize(model) : 0);

/** sigreturn(2), 32-bit tasks only. Throws GuestFault on a bad frame. */
export function popOldFrame(thread: FrameThread): Returned {
  const { model, registers } = thread;
  const at = (stackPointer(thread) + dummyFrame(model)) % 2 ** 32;
  const read = reader(thread);
  const sc = read(at, SIGCONTEXT_32.size);
  const mask = BigInt(sc.u32(SIGCONTEXT_32.oldmask)) | (BigInt(sc.u32(SIGCONTEXT_32.mask2)) << 32n);
  const mcontext = sc.address(SIGCONTEXT_32.regs);
  const from = read(mcontext, scalarSize(model));
  return { mask, ...getRegisters(read, from, 0, mcontext, registers, { model, keepTls: false }) };
}

function loadUcontext(
  { model, registers }: FrameThread,
  read: ReadGuest,
  uc: number,
  head: GuestBytes,
  keepTls: boolean,
): Returned {
  const layout = ucontextLayout(model);
  const mask = head.sigset(layout.sigmask);
  const mcontext = model.is64 ? uc + layout.mcontext : head.address(layout.regs);
  const [from, at] = model.is64 ? [head, layout.mcontext] : [read(mcontext, scalarSize(model)), 0];
  return { mask, ...getRegisters(read, from, at, mcontext, registers, { model, keepTls }) };
}

export type SwapError = "EINVAL" | "EFAULT";

/**
 * swapcontext(2): saves the present context at `old` and loads the one at `next`, either of which may be null.
 * `size` is what the program thinks a ucontext has. The saved context returns 0 from the call: `registers` must
 * be as after it. Returns the new signal mask, an error, or undefined when nothing was loaded.
 */
export function swapContext(
  thread: FrameThread,
  old: number,
  next: number,
  size: number,
  mask: bigint,
  entry: KernelEntry,
): Returned | SwapError | undefined {
  const { model } = thread;
  const read = reader(thread);
  const layout = ucontextLayout(model);
  if (size < ucontextSize(model, false)) return "EINVAL";
  const withVsx = size >= ucontextSize(model);
  let loaded: Returned | SwapError | undefined;
  const reached = ignoringFaults(() => {
    if (next !== 0 && !withVsx) {
      const mcontext = model.is64 ? next + layout.mcontext : read(next, layout.mcontext).address(layout.regs);
      if (hasVsx(readMsr(read, model, mcontext))) {
        loaded = "EINVAL";
        return;
      }
    }
    if (old !== 0) saveContext(thread, old, mask, entry, withVsx);
    if (next === 0) return;
    const readNext = reader(thread);
    readNext(next + size - 1, 1);
    loaded = loadUcontext(thread, readNext, next, readNext(next, headSize(model)), true);
  });
  return reached ? loaded : "EFAULT";
}

/** Writes the parts of a ucontext that swapcontext(2) writes: registers and mask, and that there is no signal. */
function saveContext(
  thread: FrameThread,
  at: number,
  mask: bigint,
  entry: KernelEntry,
  withVsx: boolean,
): void {
  const { model, registers } = thread;
  const layout = ucontextLayout(model);
  const read = reader(thread);
  const head = read(at, layout.mcontext);
  const mcontext = at + layout.mcontext;
  head.setSigset(layout.sigmask, mask);
  if (!model.is64) head.setUlong(layout.regs, mcontext);
  const body = read(mcontext, mcontextSize(model, withVsx));
  if (model.is64) {
    body.setU32(SC_SIGNAL, 0);
    body.setU64(SC_HANDLER, 0n);
  }
  putRegisters(body, 0, mcontext, model, registers, entry, withVsx);
  write(thread, at, head.bytes);
  write(thread, mcontext, body.bytes);
}
