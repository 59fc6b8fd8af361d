/** A tracee's registers as its tracer reads and writes them (Linux: arch/powerpc/kernel/ptrace). */
import { CR0_SO, DABR, DSCR, PPR, type Registers, TAR, VRSAVE, VSR } from "../../cpu/registers.ts";
import { isVectored, isVectoredAt } from "../call-return.ts";
import { type DataModel, GuestBytes } from "../signals/bytes.ts";
import { SYSTEM_CALL, TICK, VECTORED_CALL } from "../signals/faults.ts";
import {
  getVectors,
  PT_CCR,
  PT_CTR,
  PT_LNK,
  PT_NIP,
  PT_TRAP,
  PT_XER,
  putVectors,
  VR_BYTES,
  wordsOf,
  withSummaries,
} from "../signals/mcontext.ts";
import type { Thread } from "../thread.ts";
import { isFilterStop } from "./tracee.ts";

/** What r3 was when a call began. */
export const PT_ORIG_R3 = 34;

/** Words of struct user_pt_regs, and of the register set of a core file. */
export const REGISTER_WORDS = 44;
const CORE_WORDS = 48;

/** pt_regs of a stopped thread. In a stop at a system call NIP is behind the `sc`, where the thread itself has yet to come. */
export function wordsOfStopped(thread: Thread, model: DataModel): bigint[] {
  const { process, registers, trace } = thread;
  const stop = trace?.stop;
  const interrupted = stop?.kind === "exit" ? stop.message : 0n;
  const isBehind = stop?.kind === "exit" && interrupted === 0n;
  const atCall = stop?.kind === "entry" || stop?.kind === "exit";
  const vectored = atCall && (isBehind ? isVectoredAt(process, registers.nia - 4n) : isVectored(thread));
  const call = vectored ? VECTORED_CALL : SYSTEM_CALL;
  const entry = { interrupt: atCall ? call : TICK, origGpr3: registers.gpr(3), result: 0n };
  const words = wordsOf(registers, model, entry, registers.shownMsr);
  if (stop?.kind === "entry" || interrupted !== 0n) words[PT_NIP] += 4n;
  // What the call would return stands in r3, its argument in ORIG_R3 (arch/powerpc: do_seccomp).
  if (stop && isFilterStop(stop)) words[3] = stop.message;
  if (interrupted !== 0n) {
    words[3] = vectored ? -interrupted : interrupted;
    if (!vectored) words[PT_CCR] |= BigInt(CR0_SO);
  }
  const width = model.is64 ? 64 : 32;
  return Array.from({ length: CORE_WORDS }, (_, index) => BigInt.asUintN(width, words[index] ?? 0n));
}

const SETTERS: Readonly<Record<number, (registers: Registers, value: bigint) => void>> = {
  [PT_NIP]: (registers, value) => {
    registers.nia = value & ~3n;
  },
  [PT_CTR]: (registers, value) => {
    registers.ctr = value;
  },
  [PT_LNK]: (registers, value) => {
    registers.lr = value;
  },
  [PT_XER]: (registers, value) => {
    registers.xer = Number(BigInt.asUintN(32, value));
  },
  [PT_CCR]: (registers, value) => {
    registers.cr = Number(BigInt.asUintN(32, value));
  },
};

/** What the call behind which a thread is stopped has returned: `sc` tells errors in CR0[SO], `scv` by a negative number. */
export function resultOf(words: readonly bigint[], { is64 }: DataModel): { failed: boolean; value: bigint } {
  const value = BigInt.asIntN(is64 ? 64 : 32, words[3]);
  if (words[PT_TRAP] === BigInt(VECTORED_CALL.trap)) return { failed: value < 0n && value >= -4095n, value };
  const failed = (words[PT_CCR] & BigInt(CR0_SO)) !== 0n;
  return { failed, value: failed ? -value : value };
}

/** Sets words of pt_regs, of which only registers can be set. A call whose registers change is forgotten, and made anew. */
export function setWords(thread: Thread, words: readonly bigint[]): void {
  const { registers } = thread;
  const { abi } = thread.process;
  const before = wordsOfStopped(thread, abi);
  const stop = thread.trace?.stop;
  const isBefore = stop?.kind === "entry";
  let changed = false;
  for (const [index, word] of words.entries()) {
    const value = BigInt.asUintN(abi.is64 ? 64 : 32, word);
    if (value === before[index]) continue;
    if (isBefore && isFilterStop(stop) && (index === 3 || index === PT_ORIG_R3)) {
      if (index === 3) thread.trace!.stop = { ...stop, message: value };
      else registers.setGpr(3, value);
    } else if (index < 32) registers.setGpr(index, value);
    else if (SETTERS[index] === undefined) continue;
    else SETTERS[index](registers, index === PT_NIP && isBefore ? value - 4n : value);
    changed = true;
  }
  if (changed && thread.blocked !== null) thread.endWait();
}

/** Sets the data breakpoint of a thread. */
export function setDabr({ registers, process }: Thread, value: bigint): void {
  registers.u64[DABR / 8] = value;
  if (process.mm.memory.registers === registers) process.memory.setBreakpoint(value);
}

/** A register set (PTRACE_GETREGSET): its bytes, and how they are put back. */
interface RegisterSet {
  /** Bytes of one element. */
  readonly unit: (model: DataModel) => number;
  get(thread: Thread, model: DataModel): GuestBytes;
  set(thread: Thread, from: GuestBytes): void;
}

/** A set of doublewords of the register block, at these offsets. */
const doublewords = (offsets: readonly number[], set?: (registers: Registers) => void): RegisterSet => ({
  unit: () => 8,
  get({ registers }, model) {
    const out = new GuestBytes(model, 8 * offsets.length);
    for (const [n, at] of offsets.entries()) out.setU64(8 * n, registers.u64[at / 8]);
    return out;
  },
  set({ registers }, from) {
    for (const [n, at] of offsets.entries()) registers.u64[at / 8] = from.u64(8 * n);
    set?.(registers);
  },
});

const GENERAL: RegisterSet = {
  unit: ({ is64 }) => (is64 ? 8 : 4),
  get(thread, model) {
    const size = model.is64 ? 8 : 4;
    const out = new GuestBytes(model, CORE_WORDS * size);
    for (const [n, word] of wordsOfStopped(thread, model).entries()) out.setUlong(n * size, word);
    return out;
  },
  set(thread, from) {
    const size = from.model.is64 ? 8 : 4;
    setWords(
      thread,
      Array.from({ length: REGISTER_WORDS }, (_, n) => from.ulong(n * size)),
    );
  },
};

const FLOATING_POINT: RegisterSet = {
  unit: () => 8,
  get({ registers }, model) {
    const out = new GuestBytes(model, 33 * 8);
    for (let n = 0; n < 32; n++) out.setU64(8 * n, registers.fpr(n));
    out.setU64(8 * 32, registers.wholeFpscr);
    return out;
  },
  set({ registers }, from) {
    for (let n = 0; n < 32; n++) registers.setFpr(n, from.u64(8 * n));
    registers.wholeFpscr = withSummaries(from.u64(8 * 32));
  },
};

/** 32 VRs, VSCR in a quadword, VRSAVE in the first word of another. */
const VECTORS: RegisterSet = {
  unit: () => 16,
  get({ registers }, model) {
    const out = new GuestBytes(model, VR_BYTES + 16);
    putVectors(out, 0, registers);
    out.setU32(VR_BYTES, registers.u32[VRSAVE / 4]);
    return out;
  },
  set({ registers }, from) {
    getVectors(from, 0, registers);
    registers.u32[VRSAVE / 4] = from.u32(VR_BYTES);
  },
};

export const NT_PRSTATUS = 1;
export const NT_PRFPREG = 2;
export const NT_PPC_VMX = 0x100;
export const NT_PPC_VSX = 0x102;

/** By the number of their note in a core file. */
const SETS: Readonly<Record<number, RegisterSet & { facility?: "altivec" | "vsx" }>> = {
  [NT_PRSTATUS]: GENERAL,
  [NT_PRFPREG]: FLOATING_POINT,
  [NT_PPC_VMX]: { ...VECTORS, facility: "altivec" },
  [NT_PPC_VSX]: { ...doublewords(Array.from({ length: 32 }, (_, n) => VSR + 16 * n)), facility: "vsx" },
  // NT_PPC_TAR, NT_PPC_PPR, NT_PPC_DSCR
  259: doublewords([TAR]),
  260: doublewords([PPR]),
  261: doublewords([DSCR]),
};

/** The register set of a note; undefined where the thread's processor has none. */
export function registerSet({ process }: Thread, note: number): RegisterSet | undefined {
  const set = SETS[note];
  if (set?.facility !== undefined && !process.cpuModel.facilities.has(set.facility)) return undefined;
  return set;
}
