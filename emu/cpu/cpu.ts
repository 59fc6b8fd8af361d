/** What a CPU is to its instructions and to whoever runs it. */
import type { AddressSpace } from "../memory/address-space.ts";
import type { Registers } from "./registers.ts";

/** What decides which handler an instruction word has. */
export interface CpuKind {
  /** 64-bit mode (MSR.SF): addresses, CR0, CA and OV are of the whole register. */
  readonly is64: boolean;
  readonly model: CpuModel;
}

/** The state that handlers work on; translated code shares it. */
export interface Cpu extends CpuKind {
  readonly registers: Registers;
  readonly memory: AddressSpace;
  /** The time base (ticks of 512 MHz), for mftb and mfspr 268/269. */
  timeBase(): bigint;
  /** Eight random bytes, for darn. */
  random(): bigint;
}

/** What of a CPU model the instructions themselves depend on; `emu/cpu/models.ts` lists the models. */
export interface CpuModel {
  readonly name: string;
  readonly pvr: number;
  /** Facilities (of `emu/isa/instruction.ts`) it has. */
  readonly facilities: ReadonlySet<string>;
  /** Of a 64-bit processor as 32-bit programs see it (`narrow.ts`): the same with the instructions on doublewords and upper halves. */
  readonly wide?: CpuModel;
  /** Instructions of its version and facilities that it leaves out all the same (optional ones). */
  readonly lacks?: ReadonlySet<string>;
  /** Highest ISA version it implements. */
  readonly version: string;
  /** fres and frsqrte are by the tables of the 750 family. */
  readonly classicEstimates?: boolean;
  /** SPRs of its performance monitor that programs may read; nothing is ever counted there. */
  readonly idleMonitor?: readonly number[];
  /** Linux gives programs radix page tables, which tell loads from instruction fetches. */
  readonly hasRadix?: boolean;
  /** Bytes cleared by dcbz; AT_DCACHEBSIZE. */
  readonly cacheBlock: number;
  readonly hwcap: number;
  readonly hwcap2: number;
  /** AT_PLATFORM, e.g. "power8"; none for the models that do not give it. */
  readonly platform?: string;
}
