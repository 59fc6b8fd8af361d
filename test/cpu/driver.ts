/**
 * What instruction tests need of something that executes PowerPC instructions. A case and its result are plain data, so that a
 * driver may be the interpreter, translated code, or another emulator behind a debugger's protocol.
 */
import { asm } from "../../emu/isa/encoder.ts";

export type TestAbi = "ppc32" | "ppc64";

/** Registers of a user program. On ppc32, GPRs, LR and CTR are 32 bits wide. */
export interface RegisterState {
  /** 32 values. */
  gpr: bigint[];
  cr: number;
  xer: number;
  lr: bigint;
  ctr: bigint;
  /** 32 bit patterns. */
  fpr: bigint[];
  fpscr: number;
}

/** Bytes of guest memory that the program can read and write. */
export interface MemoryBlock {
  address: number;
  bytes: number[];
}

export interface CpuCase {
  abi: TestAbi;
  /** CPU model, one of the driver's; the ABI's default without it. */
  model?: string;
  /** What isn't given is zero. */
  registers: Partial<Omit<RegisterState, "gpr" | "fpr">> & {
    gpr?: Readonly<Record<number, bigint>>;
    fpr?: Readonly<Record<number, bigint>>;
  };
  /** MSR.FE0 and FE1: whether enabled floating-point exceptions interrupt. They don't unless this is given. */
  exceptionMode?: bigint;
  memory?: readonly MemoryBlock[];
  /**
   * The program, at CODE. All words behind it in the page are traps; it ends when control comes to one of them, or with a signal. To
   * leave for an address where there is no memory is a SIGSEGV there.
   */
  words: readonly number[];
}

export interface CpuResult {
  registers: RegisterState;
  /** The case's memory blocks, as they are afterwards. */
  memory: MemoryBlock[];
  /** Address of the next instruction: after the program, or the one that raised the signal. */
  nia: bigint;
  /** The Linux signal that ended the program, if one did. */
  signal?: "SIGILL" | "SIGTRAP" | "SIGFPE" | "SIGSEGV" | "SIGBUS" | "syscall";
  /** The address it was about, where the driver knows. */
  faultAddress?: bigint;
}

export interface TestDriver {
  readonly name: string;
  /** The CPU models that a case may ask for. */
  models(abi: TestAbi): readonly string[];
  run(testCase: CpuCase): CpuResult;
}

/** Where a case's program lies. */
export const CODE = 0x1000_0000;
/** A page for the cases' memory blocks; the page after it is never mapped. */
export const DATA = 0x2000_0000;
export const DATA_END = DATA + 4096;

/** The word width of an ABI's registers, and the ABIs to go through. */
export const ABIS: readonly TestAbi[] = ["ppc32", "ppc64"];
export const widthOf = (abi: TestAbi): 32 | 64 => (abi === "ppc32" ? 32 : 64);
export const maskOf = (abi: TestAbi): bigint => (1n << BigInt(widthOf(abi))) - 1n;

/** Assembles lines, one instruction each. */
export const assemble = (...lines: string[]): number[] => lines.map(asm);

export const XER_SO = 0x8000_0000;
export const XER_OV = 0x4000_0000;
export const XER_CA = 0x2000_0000;
export const XER_OV32 = 0x8_0000;
export const XER_CA32 = 0x4_0000;

/** A CR with `value` in one field. */
export const crField = (field: number, value: number): number => (value << (28 - 4 * field)) >>> 0;
