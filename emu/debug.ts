/**
 * What a debugger wants of a machine between its runs: registers and memory of a process, breakpoints, watchpoints, single steps.
 * It knows no protocol. Nothing of it shows in the guest: no byte of memory changes for a breakpoint.
 */
import { GuestFault } from "./cpu/fault.ts";
import { type Registers, VRSAVE, VSCR, VSR } from "./cpu/registers.ts";
import { joined } from "./joined.ts";
import type { Kernel, KernelExit } from "./linux/kernel.ts";
import type { Process } from "./linux/process.ts";
import type { Thread } from "./linux/thread.ts";
import { PAGE_SIZE } from "./memory/layout.ts";
import type { Watchpoint } from "./memory/watched.ts";

/** A register as debuggers know it. Values are unsigned. */
export interface DebugRegister {
  readonly name: string;
  readonly bits: number;
  read(registers: Registers): bigint;
  write(registers: Registers, value: bigint): void;
}

/** Why the program has stopped: before the instruction of a breakpoint, or the one whose access a watchpoint matches; or it did not come to that. */
export type DebugStop =
  | { reason: "breakpoint"; tid: number; address: bigint }
  | { reason: "watchpoint"; tid: number; address: bigint; data: number; isStore: boolean }
  | KernelExit;

const NONE: ReadonlySet<number> = new Set();

/** The registers of a 32-bit or 64-bit CPU, by the names that gdb gives them. */
function debugRegisters(is64: boolean): readonly DebugRegister[] {
  const bits = is64 ? 64 : 32;
  const numbered = (count: number, make: (n: number) => DebugRegister) =>
    Array.from({ length: count }, (_, n) => make(n));
  const inBlock = (name: string, width: 32 | 64, offset: number): DebugRegister => ({
    name,
    bits: width,
    read: ({ u32, u64 }) => (width === 64 ? u64[offset / 8] : BigInt(u32[offset / 4])),
    write: ({ u32, u64 }, value) => {
      if (width === 64) u64[offset / 8] = value;
      else u32[offset / 4] = Number(BigInt.asUintN(32, value));
    },
  });
  const field = (name: string, key: "nia" | "msr" | "lr" | "ctr"): DebugRegister => ({
    name,
    bits,
    read: (r) => BigInt.asUintN(bits, r[key]),
    write: (r, value) => {
      r[key] = BigInt.asUintN(bits, value);
    },
  });
  const word = (name: string, key: "cr" | "xer"): DebugRegister => ({
    name,
    bits: 32,
    read: (r) => BigInt(r[key]),
    write: (r, value) => {
      r[key] = Number(BigInt.asUintN(32, value));
    },
  });
  return [
    ...numbered(32, (n) => ({
      name: `r${n}`,
      bits,
      read: (r) => BigInt.asUintN(bits, r.gpr(n)),
      write: (r, value) => r.setGpr(n, BigInt.asUintN(bits, value)),
    })),
    ...numbered(32, (n) => ({
      name: `f${n}`,
      bits: 64,
      read: (r) => r.fpr(n),
      write: (r, value) => r.setFpr(n, value),
    })),
    field("pc", "nia"),
    field("msr", "msr"),
    word("cr", "cr"),
    field("lr", "lr"),
    field("ctr", "ctr"),
    word("xer", "xer"),
    {
      name: "fpscr",
      bits: 64,
      read: (r) => r.wholeFpscr,
      write: (r, value) => {
        r.wholeFpscr = value;
      },
    },
    inBlock("vscr", 32, VSCR),
    inBlock("vrsave", 32, VRSAVE),
    // Doubleword 0 is the upper one.
    ...numbered(64, (n) => ({
      name: `vs${n}`,
      bits: 128,
      read: ({ u64 }) => (u64[VSR / 8 + 2 * n + 1] << 64n) | u64[VSR / 8 + 2 * n],
      write: ({ u64 }, value) => {
        u64[VSR / 8 + 2 * n] = value;
        u64[VSR / 8 + 2 * n + 1] = value >> 64n;
      },
    })),
  ];
}

/** A debugger of one process. While it runs the machine, nobody else does. */
export class Debugger {
  readonly registers: readonly DebugRegister[];
  private readonly kernel: Kernel;
  private readonly process: Process;
  private breakpoints = NONE;
  private watchpoints: readonly Watchpoint[] = [];
  /** The thread that a breakpoint or watchpoint has stopped last. */
  private stopped: number | undefined;

  constructor(kernel: Kernel, process: Process) {
    this.kernel = kernel;
    this.process = process;
    this.registers = debugRegisters(kernel.abi.is64);
  }

  /** The threads of the process. */
  get tids(): readonly number[] {
    return [...this.process.threads].map(({ tid }) => tid);
  }

  /** The value of a register of a thread. Throws RangeError for a name or thread that is not there. */
  register(tid: number, name: string): bigint {
    return this.named(name).read(this.thread(tid).registers);
  }
  setRegister(tid: number, name: string, value: bigint): void {
    this.named(name).write(this.thread(tid).registers, value);
  }

  private named(name: string): DebugRegister {
    const register = this.registers.find((register) => register.name === name);
    if (register === undefined) throw new RangeError(`no register ${name}`);
    return register;
  }
  private thread(tid: number): Thread {
    for (const thread of this.process.threads) if (thread.tid === tid) return thread;
    throw new RangeError(`no thread ${tid}`);
  }

  /** Bytes of the process's memory in guest order, fewer where what follows is not there. */
  readMemory(address: number, length: number): Uint8Array {
    const { memory } = this.process;
    const end = Math.min(address + length, memory.limit);
    let at = address;
    const parts: Uint8Array[] = [];
    while (at < end) {
      const next = Math.min(end, at - (at % PAGE_SIZE) + PAGE_SIZE);
      try {
        parts.push(memory.read(at, next - at));
      } catch (error) {
        if (!(error instanceof GuestFault)) throw error;
        break;
      }
      at = next;
    }
    return joined(parts);
  }

  /** Writes to memory that the program may write to. Throws the GuestFault, with nothing written, where it may not. */
  writeMemory(address: number, bytes: Uint8Array): void {
    this.process.memory.write(address, bytes);
  }

  /** The program stops before it executes an instruction at one of these addresses; in place of those set before. */
  setBreakpoints(addresses: Iterable<number>): void {
    this.breakpoints = new Set(addresses);
  }
  /** The program stops before an access that one of these matches; in place of those set before. */
  setWatchpoints(watchpoints: readonly Watchpoint[]): void {
    this.watchpoints = [...watchpoints];
  }

  /** Runs until something stops the program or, with a limit, the machine has retired that many instructions. */
  async continue(limit?: bigint): Promise<DebugStop> {
    const { kernel, stopped } = this;
    const { instructions } = kernel;
    // What has stopped the program is not to do so again at once.
    if (stopped !== undefined) {
      const stop = await this.step(stopped);
      if (stop.reason !== "limit") return stop;
      if (limit !== undefined) limit -= kernel.instructions - instructions;
      if (limit !== undefined && limit <= 0n) return stop;
    }
    return await this.run(this.breakpoints, this.watchpoints, limit);
  }

  /** Executes one instruction of a thread, whatever is set there; "limit" when it has. Other threads may run before it is its turn. */
  async step(tid: number): Promise<DebugStop> {
    const thread = this.thread(tid);
    const { instructions } = thread.registers;
    for (;;) {
      const stop = await this.run(NONE, [], 1n);
      if (stop.reason !== "limit" || thread.registers.instructions !== instructions) return stop;
    }
  }

  private async run(
    breakpoints: ReadonlySet<number>,
    watchpoints: readonly Watchpoint[],
    limit: bigint | undefined,
  ): Promise<DebugStop> {
    const { kernel, process } = this;
    this.stopped = undefined;
    process.interpreter.setBreakpoints(breakpoints);
    process.watchpoints = watchpoints;
    try {
      const exit = await kernel.run(limit);
      const pause = kernel.takePause();
      if (pause === undefined) return exit;
      const { thread, hit } = pause;
      this.stopped = thread.tid;
      const at = { tid: thread.tid, address: thread.registers.nia };
      if (hit === undefined) return { reason: "breakpoint", ...at };
      return { reason: "watchpoint", ...at, data: hit.address, isStore: hit.isStore };
    } finally {
      process.interpreter.setBreakpoints(NONE);
      process.watchpoints = [];
    }
  }
}
