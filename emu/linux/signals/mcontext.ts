/**
 * The registers as signal frames and ucontexts hold them (struct mcontext of 32-bit tasks, struct sigcontext of
 * 64-bit ones): 48 words of pt_regs, 33 doublewords of floating point, then the vector registers.
 */
import {
  CTR,
  fprOffset,
  GPR,
  LR,
  MSR_VEC,
  MSR_VSX,
  RESERVE_LENGTH,
  type Registers,
  VRSAVE,
  VSCR,
  VSR,
} from "../../cpu/registers.ts";
import type { DataModel, GuestBytes } from "./bytes.ts";
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

/** The words of pt_regs. */
export function wordsOf(
  registers: Registers,
  { is64 }: DataModel,
  entry: KernelEntry,
  msr: bigint,
): bigint[] {
  const { trap, dar, dsisr, srr1 } = entry.interrupt;
  const words: bigint[] = [];
  for (let n = 0; n < 32; n++) words.push(registers.gpr(n));
  words[PT_NIP] = registers.nia;
  words[PT_MSR] = msr | srr1;
  words[PT_ORIG_R3] = entry.origGpr3;
  words[PT_CTR] = registers.ctr;
  words[PT_LNK] = registers.lr;
  words[PT_XER] = BigInt(registers.xer);
  words[PT_CCR] = BigInt(registers.cr);
  // Interrupts enabled, which is what 64-bit kernels always show; MQ, which is zero, on 32-bit.
  words[PT_SOFTE] = is64 ? 1n : 0n;
  words[PT_TRAP] = BigInt(trap);
  words[PT_DAR] = dar;
  words[PT_DSISR] = dsisr;
  words[PT_RESULT] = entry.result;
  return words;
}

/**
 * Writes the registers into the structure that begins at offset `at` of `out` and at guest address `address`.
 * `withVsx` false leaves the VSX halves out (a ucontext too small for them).
 */
export function putRegisters(
  out: GuestBytes,
  at: number,
  address: bigint,
  model: TaskModel,
  registers: Registers,
  entry: KernelEntry,
  withVsx = true,
): void {
  const gp = at + generalRegisters(model);
  const word = model.is64 ? 8 : 4;
  const vsx = model.vsx && withVsx;
  const msr = vsx ? registers.shownMsr : registers.shownMsr & ~MSR_VSX;
  for (const [index, value] of wordsOf(registers, model, entry, msr).entries())
    out.setUlong(gp + index * word, value);

  const fp = at + floatingPointRegisters(model);
  for (let n = 0; n < 32; n++) out.setU64(fp + 8 * n, registers.fpr(n));
  out.setU64(fp + 8 * 32, registers.wholeFpscr);

  if (model.is64) out.setUlong(at + SC_REGS, address + BigInt(SC_GP));
  const area = vectorArea(model, address);
  if (model.is64) out.setUlong(at + SC_V_REGS, area);
  const vr = at + Number(area - address);
  if (model.altivec) putVectors(out, vr, registers);
  out.setU32(vr + (model.is64 ? VRSAVE_64 : 32 * 16), registers.u32[VRSAVE / 4]);
  if (vsx) {
    const halves = model.is64 ? vr + VSX_64 : at + VSX_32;
    for (let n = 0; n < 32; n++) out.setU64(halves + 8 * n, registers.u64[(VSR + 16 * n) / 8]);
  }
}

/** Guest address of the vector registers of the structure at `address`. */
function vectorArea(model: DataModel, address: bigint): bigint {
  return model.is64 ? (address + BigInt(SC_VMX_RESERVE) + 15n) & ~15n : address + BigInt(VR_32);
}

/** Doublewords 0 and 1 of a quadword in memory: as the byte order has them. */
const firstDoubleword = (model: DataModel): number => (model.littleEndian ? 8 : 0);

export function putVectors(out: GuestBytes, at: number, registers: Registers): void {
  const high = firstDoubleword(out.model);
  for (let n = 0; n < 32; n++) {
    const vr = (VSR + 16 * (32 + n)) / 8;
    out.setU64(at + 16 * n + high, registers.u64[vr + 1]);
    out.setU64(at + 16 * n + (8 - high), registers.u64[vr]);
  }
  // VSCR is the last word of its quadword, VRSAVE shares its first on 32-bit.
  out.setU32(at + 16 * 32 + (out.model.littleEndian ? 0 : 12), registers.u32[VSCR / 4]);
}

/** Reads guest memory; throws GuestFault. */
export type ReadGuest = (address: bigint, length: number) => GuestBytes;

/**
 * Loads the registers from the structure at guest address `address`. All of it is read before anything changes,
 * so a GuestFault leaves the registers as they were. `keepTls` keeps the thread pointer (swapcontext). MSR is not
 * taken over. Returns the pt_regs fields beside the registers.
 */
export function getRegisters(
  read: ReadGuest,
  address: bigint,
  model: TaskModel,
  registers: Registers,
  keepTls: boolean,
): { origGpr3: bigint; result: bigint } {
  const from = read(address, model.is64 ? SC_VMX_RESERVE : VR_32);
  const gp = generalRegisters(model);
  const word = model.is64 ? 8 : 4;
  const get = (index: number): bigint => from.ulong(gp + index * word);
  const msr = get(PT_MSR);
  const vectors = readVectors(read, model, address, model.is64 ? from.ulong(SC_V_REGS) : undefined, msr);

  const tls = model.is64 ? 13 : 2;
  for (let n = 0; n < 32; n++) {
    if (!(keepTls && n === tls)) registers.u64[GPR / 8 + n] = get(n);
  }
  registers.nia = get(PT_NIP) & ~3n;
  registers.u64[CTR / 8] = get(PT_CTR);
  registers.u64[LR / 8] = get(PT_LNK);
  registers.xer = Number(BigInt.asUintN(32, get(PT_XER)));
  registers.cr = Number(BigInt.asUintN(32, get(PT_CCR)));
  const fp = floatingPointRegisters(model);
  for (let n = 0; n < 32; n++) registers.u64[fprOffset(n) / 8] = from.u64(fp + 8 * n);
  registers.wholeFpscr = withSummaries(from.u64(fp + 8 * 32));
  loadVectors(registers, model, vectors);
  registers.bytes[RESERVE_LENGTH] = 0;
  return { origGpr3: get(PT_ORIG_R3), result: get(PT_RESULT) };
}

interface Vectors {
  /** 32 VRs and VSCR; absent when MSR says they are not valid: then they become zero if they were in use. */
  vr?: GuestBytes;
  vrsave: number;
  vsx?: GuestBytes;
}

function readVectors(
  read: ReadGuest,
  model: TaskModel,
  address: bigint,
  pointer: bigint | undefined,
  msr: bigint,
): Vectors {
  const area = pointer ?? address + BigInt(VR_32);
  if (area === 0n) return { vrsave: 0 };
  const halves = model.is64 ? area + BigInt(VSX_64) : address + BigInt(VSX_32);
  const vrsaveAt = area + BigInt(model.is64 ? VRSAVE_64 : 32 * 16);
  return {
    vr: model.altivec && msr & MSR_VEC ? read(area, VR_BYTES) : undefined,
    vrsave: read(vrsaveAt, 4).u32(0),
    vsx: model.vsx && msr & MSR_VSX ? read(halves, VSX_BYTES) : undefined,
  };
}

function loadVectors(registers: Registers, model: TaskModel, { vr, vrsave, vsx }: Vectors): void {
  registers.u32[VRSAVE / 4] = vrsave;
  const inUse = vr !== undefined || (registers.shownMsr & MSR_VEC) !== 0n;
  for (let n = 0; model.vsx && n < 32; n++)
    registers.u64[(VSR + 16 * n) / 8] = vsx === undefined ? 0n : vsx.u64(8 * n);
  if (!model.altivec) return;
  if (vr !== undefined) getVectors(vr, registers);
  else {
    registers.u64.fill(0n, (VSR + 16 * 32) / 8, (VSR + 16 * 64) / 8);
    if (inUse) registers.u32[VSCR / 4] = 0;
  }
}

/** Loads the VRs and VSCR from where `putVectors` has put them. */
export function getVectors(from: GuestBytes, registers: Registers): void {
  const high = firstDoubleword(from.model);
  for (let n = 0; n < 32; n++) {
    const at = (VSR + 16 * (32 + n)) / 8;
    registers.u64[at + 1] = from.u64(16 * n + high);
    registers.u64[at] = from.u64(16 * n + (8 - high));
  }
  registers.u32[VSCR / 4] = from.u32(16 * 32 + (from.model.littleEndian ? 0 : 12));
}

/** The FPSCR with FEX and VX as its other bits make them: software cannot set these (Power ISA 3.0B, I.4.2.2). */
export function withSummaries(fpscr: bigint): bigint {
  const low = Number(BigInt.asUintN(32, fpscr));
  const invalid = (low & 0x01f8_0700) !== 0;
  const exceptions = ((low >>> 25) & 0xf) | (invalid ? 0x10 : 0);
  const enables = (low >>> 3) & 0x1f;
  let bits = low & ~0x6000_0000;
  if (invalid) bits |= 0x2000_0000;
  if ((exceptions & enables) !== 0) bits |= 0x4000_0000;
  return (fpscr & ~0xffff_ffffn) | BigInt(bits >>> 0);
}

/** The MSR word of the structure at `address`, without reading the rest. */
export const readMsr = (read: ReadGuest, model: TaskModel, address: bigint): bigint => {
  const word = model.is64 ? 8 : 4;
  const at = address + BigInt(generalRegisters(model) + PT_MSR * word);
  return read(at, word).ulong(0);
};

export const hasVsx = (msr: bigint): boolean => (msr & MSR_VSX) !== 0n;
