/** A guest whose program is one `sc`: system calls are made as a test says, through registers and the run loop. */

import { modelFor } from "../../emu/cpu/models.ts";
import { GPR } from "../../emu/cpu/registers.ts";
import { ABIS } from "../../emu/linux/abi.ts";
import { errnoName } from "../../emu/linux/errno.ts";
import { Kernel, type KernelExit, type KernelOptions } from "../../emu/linux/kernel.ts";
import type { Process } from "../../emu/linux/process.ts";
import { syscallNames } from "../../emu/linux/syscalls/syscall-numbers.ts";
import type { Thread } from "../../emu/linux/thread.ts";
import type { Abi } from "../../emu/snapshot.ts";
import { type MemoryHost, memoryHost } from "./memory-host.ts";
import { type TinyOptions, tinyElf } from "./tiny-elf.ts";

export type Word = number | bigint;

export class CallDriver {
  readonly host: MemoryHost;
  readonly kernel: Kernel;
  readonly process: Process;
  readonly thread: Thread;
  private readonly entry: bigint;
  private readonly numbers: Map<string, number>;

  constructor(abi: Abi, options: Partial<KernelOptions> & { elf?: TinyOptions } = {}) {
    this.host = memoryHost();
    this.kernel = new Kernel({
      host: this.host,
      abi: ABIS[abi],
      cpuModel: modelFor(undefined, abi),
      mounts: [],
      seed: 1n,
      addressSpaceSize: 2 ** 30,
      ...options,
    });
    const bytes = tinyElf(abi, ["sc", "b 0"], options.elf);
    this.process = this.kernel.start({ path: "/tiny", argv: [Buffer.from("tiny")], env: [], bytes });
    this.thread = this.process.leader!;
    this.entry = this.thread.registers.nia;
    this.numbers = new Map([...syscallNames(ABIS[abi])].map(([number, name]) => [name, number]));
  }

  get memory() {
    return this.process.memory;
  }

  /** Sets a call up: the next instruction is its `sc`. */
  prepare(name: string, ...args: Word[]): void {
    const { registers } = this.thread;
    const number = this.numbers.get(name);
    if (number === undefined) throw new Error(`no system call ${name}`);
    registers.nia = this.entry;
    registers.u64[GPR / 8] = BigInt(number);
    for (let n = 0; n < 6; n++) {
      const value = BigInt(args[n] ?? 0);
      registers.setGpr(3 + n, BigInt.asUintN(this.kernel.abi.is64 ? 64 : 32, value));
    }
  }

  /** The result of the call that is complete: a number, a bigint where that is not exact, or the name of the error. */
  get result(): number | bigint | string {
    const { registers } = this.thread;
    const value = registers.gpr(3);
    if (registers.cr & 0x1000_0000) return errnoName(Number(value));
    return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
  }

  /** Makes a call and returns its result. */
  async call(name: string, ...args: Word[]): Promise<number | bigint | string> {
    this.prepare(name, ...args);
    await this.kernel.run(1n);
    return this.result;
  }

  /** As `call`, for one that must succeed. */
  async ok(name: string, ...args: Word[]): Promise<number> {
    const result = await this.call(name, ...args);
    if (typeof result !== "number") throw new Error(`${name}: ${result}`);
    return result;
  }

  /** Makes a call after which the process ends. */
  async last(name: string, ...args: Word[]): Promise<KernelExit> {
    this.prepare(name, ...args);
    return this.kernel.run();
  }
}
