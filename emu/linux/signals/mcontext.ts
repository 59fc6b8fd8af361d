/**
 * The registers as signal frames and ucontexts hold them (struct mcontext of 32-bit tasks, struct sigcontext of
 * 64-bit ones): 48 words of pt_regs, 33 doublewords of floating point, then the vector registers.
 */
import {
  CTR,
  FPSCR,
  fprOffset,
  GPR,
  LR,
  MSR_VEC,
  MSR_VSX,
  NIA,
  RESERVE_LENGTH,
  type Registers,
  VRSAVE,
  VSCR,
  VSR,
} from "../../cpu/registers.ts";
import { type DataModel, GuestBytes } from "./bytes.ts";
import type { Interrupt } from "./faults.ts";

/** Indices of the words after the GPRs (Linux: PT_*). */
export const PT_NIP = 32;
export const PT_MSR = 33;
const PT_ORIG_R3 = 34;
export const PT_CTR = 35;
export const PT_LNK = 36;
export const PT_XER = 37;
export const PT_CCR = 38;
const PT_SOFTE = 39;
export const PT_TRAP = 40;
const PT_DAR = 41;
const PT_DSISR = 42;
const PT_RESULT = 43;

/** Data model and register files of a task; it decides every layout here. */
export interface TaskModel extends DataModel {
  readonly altivec: boolean;
  readonly vsx: boolean;
  /** 64-bit only: handlers are plain addresses (ELFv2), not descriptors. */
  readonly elfv2: boolean;
}

/** What pt_regs holds besides the architected registers. */
export interface KernelEntry {
  interrupt: Interrupt;
  /** r3 at the `sc`, for a system call. */
  origGpr3: bigint;
  /** Result of the system call, negative for errors. */
  result: bigint;
}

/** Bytes of 32 VRs and VSCR; VRSAVE and the VSX halves follow as the layouts below say. */
export const VR_BYTES = 33 * 16;
const VSX_BYTES = 32 * 8;

/** Offsets in a 32-bit struct mcontext. */
const FP_32 = 192;
const VR_32 = 464;
const VSX_32 = VR_32 + VR_BYTES;

/** Offsets in a 64-bit struct sigcontext. */
export const SC_SIGNAL = 32;
export const SC_HANDLER = 40;
const SC_REGS = 56;
const SC_GP = 64;
const SC_FP = 448;
const SC_V_REGS = 712;
const SC_VMX_RESERVE = 720;
/** In the 64-bit vector area, which begins at the first quadword of vmx_reserve: VRSAVE and VSX halves. */
const VRSAVE_64 = 33 * 16;
const VSX_64 = 34 * 16;

/** Bytes of struct sigcontext (64-bit) or struct mcontext (32-bit), with or without room for VSX. */
export function mcontextSize(model: TaskModel, withVsx = true): number {
  if (model.is64) return SC_VMX_RESERVE + (34 + 34 + 1) * 8 + (withVsx ? VSX_BYTES : 0);
  return VSX_32 + (model.vsx && withVsx ? VSX_BYTES : 0);
}

/** Offset of the pt_regs words in the structure. */
export const generalRegisters = (model: DataModel): number => (model.is64 ? SC_GP : 0);

/** Offset of the floating-point registers in the structure. */
export const floatingPointRegisters = (model: DataModel): number => (model.is64 ? SC_FP : FP_32);

/** Words of pt_regs. */
const PT_WORDS = 44;

/** Writes the words of pt_regs at offset `at` of `out`. */
function putWords(out: GuestBytes, at: number, registers: Registers, entry: KernelEntry, msr: bigint): void {
  const { is64 } = out.model;
  const word = is64 ? 8 : 4;
  const { trap, dar, dsisr, srr1 } = entry.interrupt;
  for (let n = 0; n < 32; n++) out.copyUlong(at + n * word, registers, GPR + 8 * n);
  out.copyUlong(at + PT_NIP * word, registers, NIA);
  out.setUlong(at + PT_MSR * word, srr1 === 0n ? msr : msr | srr1);
  out.setUlong(at + PT_ORIG_R3 * word, entry.origGpr3);
  out.copyUlong(at + PT_CTR * word, registers, CTR);
  out.copyUlong(at + PT_LNK * word, registers, LR);
  out.setUlong(at + PT_XER * word, registers.xer);
  out.setUlong(at + PT_CCR * word, registers.cr);
  // Interrupts enabled, which is what 64-bit kernels always show; MQ, which is zero, on 32-bit.
  out.setUlong(at + PT_SOFTE * word, is64 ? 1 : 0);
  out.setUlong(at + PT_TRAP * word, trap);
  out.setUlong(at + PT_DAR * word, dar);
  out.setUlong(at + PT_DSISR * word, dsisr);
  out.setUlong(at + PT_RESULT * word, entry.result);
}

/** The words of pt_regs. */
export function wordsOf(registers: Registers, model: DataModel, entry: KernelEntry, msr: bigint): bigint[] {
  const word = model.is64 ? 8 : 4;
  const out = new GuestBytes(model, PT_WORDS * word);
  putWords(out, 0, registers, entry, msr);
  return Array.from({ length: PT_WORDS }, (_, n) => out.ulong(n * word));
}

/**
 * Writes the registers into the structure that begins at offset `at` of `out` and at guest address `address`.
 * `withVsx` false leaves the VSX halves out (a ucontext too small for them).
 */
export function putRegisters(
  out: GuestBytes,
  at: number,
  address: number,
  model: TaskModel,
  registers: Registers,
  entry: KernelEntry,
  withVsx = true,
): void {
  const vsx = model.vsx && withVsx;
  const msr = vsx ? registers.shownMsr : registers.shownMsr & ~MSR_VSX;
  putWords(out, at + generalRegisters(model), registers, entry, msr);

  const fp = at + floatingPointRegisters(model);
  for (let n = 0; n < 32; n++) out.copyU64(fp + 8 * n, registers, fprOffset(n));
  out.copyU64(fp + 8 * 32, registers, FPSCR);

  if (model.is64) out.setUlong(at + SC_REGS, address + SC_GP);
  const area = vectorArea(model, address);
  if (model.is64) out.setUlong(at + SC_V_REGS, area);
  const vr = at + (area - address);
  if (model.altivec) putVectors(out, vr, registers);
  out.setU32(vr + vrsaveOffset(model), registers.u32[VRSAVE / 4]);
  if (vsx) {
    const halves = vr + halvesOffset(model);
    for (let n = 0; n < 32; n++) out.copyU64(halves + 8 * n, registers, VSR + 16 * n);
  }
}

/** Guest address of the vector registers of the structure at `address`. */
function vectorArea(model: DataModel, address: number): number {
  return model.is64 ? Math.ceil((address + SC_VMX_RESERVE) / 16) * 16 : address + VR_32;
}

/** Doublewords 0 and 1 of a quadword in memory: as the byte order has them. */
const firstDoubleword = (model: DataModel): number => (model.littleEndian ? 8 : 0);

export function putVectors(out: GuestBytes, at: number, registers: Registers): void {
  const high = firstDoubleword(out.model);
  for (let n = 0; n < 32; n++) {
    const vr = VSR + 16 * (32 + n);
    out.copyU64(at + 16 * n + high, registers, vr + 8);
    out.copyU64(at + 16 * n + (8 - high), registers, vr);
  }
  // VSCR is the last word of its quadword, VRSAVE shares its first on 32-bit.
  out.setU32(at + 16 * 32 + (out.model.littleEndian ? 0 : 12), registers.u32[VSCR / 4]);
}

/** Reads guest memory; throws GuestFault. */
export type ReadGuest = (address: number, length: number) => GuestBytes;

/** Bytes in front of the vector registers, pt_regs and floating point, which are always there. */
export const scalarSize = (model: DataModel): number => (model.is64 ? SC_VMX_RESERVE : VR_32);

/**
 * Loads the registers from the structure at guest address `address`, whose `scalarSize` bytes begin at offset `at` of `from`. All of it is
 * read before anything changes, so a GuestFault leaves the registers as they were. `keepTls` keeps the thread pointer (swapcontext). MSR is
 * not taken over. Returns the pt_regs fields beside the registers.
 */
export function getRegisters(
  read: ReadGuest,
  from: GuestBytes,
  at: number,
  address: number,
  registers: Registers,
  { model, keepTls }: { model: TaskModel; keepTls: boolean },
): { origGpr3: bigint; result: bigint } {
  const gp = at + generalRegisters(model);
  const word = model.is64 ? 8 : 4;
  const get = (index: number): bigint => from.ulong(gp + index * word);
  const area = model.is64 ? from.address(at + SC_V_REGS) : address + VR_32;
  const vectors = readVectors(read, model, area, get(PT_MSR));

  const tls = model.is64 ? 13 : 2;
  for (let n = 0; n < 32; n++) {
    if (!(keepTls && n === tls)) from.loadUlong(gp + n * word, registers, GPR + 8 * n);
  }
  from.loadUlong(gp + PT_NIP * word, registers, NIA);
  registers.u32[NIA / 4] &= ~3;
  from.loadUlong(gp + PT_CTR * word, registers, CTR);
  from.loadUlong(gp + PT_LNK * word, registers, LR);
  // Of these a doubleword's lower word.
  const low = model.is64 && !model.littleEndian ? 4 : 0;
  registers.xer = from.u32(gp + PT_XER * word + low);
  registers.cr = from.u32(gp + PT_CCR * word + low);
  const fp = at + floatingPointRegisters(model);
  for (let n = 0; n < 32; n++) from.loadU64(fp + 8 * n, registers, fprOffset(n));
  from.loadU64(fp + 8 * 32, registers, FPSCR);
  registers.fpscr = summarized(registers.u32[FPSCR / 4]);
  loadVectors(registers, model, vectors);
  registers.bytes[RESERVE_LENGTH] = 0;
  return { origGpr3: get(PT_ORIG_R3), result: get(PT_RESULT) };
}

/** What of the vector registers MSR says is valid; the others become zero if they were in use. */
interface Vectors {
  /** As much of the vector area as is wanted; absent where there is none. */
  readonly from: GuestBytes | undefined;
  readonly hasVr: boolean;
  readonly hasVsx: boolean;
}

/** Offset of VRSAVE in the vector area, and of the VSX halves. */
const vrsaveOffset = (model: DataModel): number => (model.is64 ? VRSAVE_64 : 32 * 16);
const halvesOffset = (model: DataModel): number => (model.is64 ? VSX_64 : VSX_32 - VR_32);

/** Reads no more of the area at `area` than Linux does: VRSAVE in any case. */
function readVectors(read: ReadGuest, model: TaskModel, area: number, msr: bigint): Vectors {
  const hasVr = model.altivec && (msr & MSR_VEC) !== 0n;
  const hasVsx = model.vsx && (msr & MSR_VSX) !== 0n;
  if (area === 0) return { from: undefined, hasVr: false, hasVsx: false };
  const first = hasVr ? 0 : vrsaveOffset(model);
  const end = hasVsx
    ? halvesOffset(model) + VSX_BYTES
    : Math.max(hasVr ? VR_BYTES : 0, vrsaveOffset(model) + 4);
  return { from: read(area + first, end - first), hasVr, hasVsx };
}

function loadVectors(registers: Registers, model: TaskModel, { from, hasVr, hasVsx }: Vectors): void {
  // What is not valid was not read, the VRs in front included.
  const at = hasVr ? 0 : -vrsaveOffset(model);
  registers.u32[VRSAVE / 4] = from?.u32(at + vrsaveOffset(model)) ?? 0;
  const inUse = hasVr || (registers.shownMsr & MSR_VEC) !== 0n;
  if (hasVsx) {
    const halves = at + halvesOffset(model);
    for (let n = 0; n < 32; n++) from!.loadU64(halves + 8 * n, registers, VSR + 16 * n);
  } else if (model.vsx)
    for (let at = VSR / 4; at < VSR / 4 + 128; at += 4) registers.i32[at] = registers.i32[at + 1] = 0;
  if (!model.altivec) return;
  if (hasVr) getVectors(from!, at, registers);
  else {
    registers.i32.fill(0, VSR / 4 + 128, VSR / 4 + 256);
    if (inUse) registers.u32[VSCR / 4] = 0;
  }
}

/** Loads the VRs and VSCR from where `putVectors` has put them. */
export function getVectors(from: GuestBytes, at: number, registers: Registers): void {
  const high = firstDoubleword(from.model);
  for (let n = 0; n < 32; n++) {
    const vr = VSR + 16 * (32 + n);
    from.loadU64(at + 16 * n + high, registers, vr + 8);
    from.loadU64(at + 16 * n + (8 - high), registers, vr);
  }
  registers.u32[VSCR / 4] = from.u32(at + 16 * 32 + (from.model.littleEndian ? 0 : 12));
}

/** The FPSCR with FEX and VX as its other bits make them: software cannot set these (Power ISA 3.0B, I.4.2.2). */
export const withSummaries = (fpscr: bigint): bigint =>
  (fpscr & ~0xffff_ffffn) | BigInt(summarized(Number(BigInt.asUintN(32, fpscr))));

/** The same of its lower word. */
function summarized(low: number): number {
  const invalid = (low & 0x01f8_0700) !== 0;
  const exceptions = ((low >>> 25) & 0xf) | (invalid ? 0x10 : 0);
  const enables = (low >>> 3) & 0x1f;
  let bits = low & ~0x6000_0000;
  if (invalid) bits |= 0x2000_0000;
  if ((exceptions & enables) !== 0) bits |= 0x4000_0000;
  return bits >>> 0;
}

/** The MSR word of the structure at `address`, without reading the rest. */
export const readMsr = (read: ReadGuest, model: TaskModel, address: number): bigint => {
  const word = model.is64 ? 8 : 4;
  const at = address + generalRegisters(model) + PT_MSR * word;
  return read(at, word).ulong(0);
};

export const hasVsx = (msr: bigint): boolean => (msr & MSR_VSX) !== 0n;
