/** An address space with what runs in it (Linux: mm_struct and what hangs on it). Processes have one each, or share one. */
import type { CpuModel } from "../cpu/cpu.ts";
import type { Interpreter } from "../cpu/interpreter.ts";
import { DABR, type Registers } from "../cpu/registers.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import type { MemorySnapshot } from "../snapshot.ts";
import type { AbiInfo } from "./abi.ts";

/** Where the parts of the program are; see struct mm_struct. */
export type MemoryLayout = Omit<MemorySnapshot, "areas">;

/** A program in memory, about to start. */
export interface LoadedProgram {
  layout: MemoryLayout;
  elfv2: boolean;
  readImpliesExec: boolean;
  start: { nia: bigint; r1: bigint; r2: bigint; r12: bigint };
}

/** A thread as the CPU sees it: where its registers are while another one's are in the CPU. */
export interface RegisterOwner {
  readonly parked: Registers;
}

export class Mm {
  readonly abi: AbiInfo;
  cpuModel: CpuModel;
  readonly memory: AddressSpace;
  interpreter: Interpreter;
  layout: MemoryLayout;
  /** Function pointers are plain addresses (ELFv2), not descriptors; 64-bit only, as the program's e_flags say. */
  elfv2: boolean;
  /** The thread whose registers are in the CPU. */
  loaded: RegisterOwner | undefined;
  /** Processes that have it. */
  users = 0;
  /** The time by both clocks for which the vdso was last told of them. */
  clocksShown = { monotonic: { from: 0n, to: 0n }, realtime: { from: 0n, to: 0n } };

  constructor(parts: Pick<Mm, "abi" | "cpuModel" | "memory" | "interpreter" | "layout">) {
    this.abi = parts.abi;
    this.cpuModel = parts.cpuModel;
    this.memory = parts.memory;
    this.interpreter = parts.interpreter;
    this.layout = parts.layout;
    this.elfv2 = parts.abi.elfv2;
  }

  /** Puts a thread's registers into the CPU, and those of the thread that was there aside. */
  load(owner: RegisterOwner): void {
    const { loaded } = this;
    if (loaded === owner) return;
    const inCpu = this.memory.registers;
    if (loaded !== undefined) loaded.parked.bytes.set(inCpu.bytes);
    inCpu.bytes.set(owner.parked.bytes);
    this.loaded = owner;
    this.memory.setBreakpoint(inCpu.u64[DABR / 8]);
  }

  /** Takes a thread's registers out of the CPU, for it to run elsewhere or not at all. */
  unload(owner: RegisterOwner): void {
    if (this.loaded !== owner) return;
    owner.parked.bytes.set(this.memory.registers.bytes);
    this.loaded = undefined;
  }
}
