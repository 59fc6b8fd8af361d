/**
 * The contract between the kernel and the handlers of system calls.
 *
 * A handler gets a context and returns the result (>= 0 for success; any word for the few calls like mmap whose
 * results are addresses), throws SysError, or waits with `return ctx.wait({...})`, `ctx.block({...})` further in. A GuestFault that it lets through
 * (from `ctx.memory`) becomes EFAULT, a HostError the errno of its name. NIA is the `sc` all the while; when the call
 * is complete the kernel sets r3 and CR0.SO, moves NIA on and counts the instruction.
 */
import { GPR, type Registers } from "../cpu/registers.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import { lengthOfCString, readCString } from "../memory/c-strings.ts";
import { PAGE_SIZE } from "../memory/layout.ts";
import { LONGEST_STRETCH } from "../tuning.ts";
import type { AbiInfo, Decoded, Encodable, Fields, Layout } from "./abi.ts";
import { pageDown } from "./address-layout.ts";
import { R3 } from "./call-return.ts";
import { EFAULT, ENAMETOOLONG, SysError } from "./errno.ts";
import type { Process } from "./process.ts";
import { recentNames } from "./recent-names.ts";
import type { System } from "./system.ts";
import type { Thread } from "./thread.ts";
import { Blocked, type CallInProgress, type CallState, Paused, type WaitFor } from "./wait-queue.ts";

/** Returned by a call that has set the registers itself, NIA included (sigreturn, swapcontext, execve). */
export const REGISTERS_SET = Symbol("registers set");
/** Returned by a call after which its thread does not run again (exit, exit_group). */
export const THREAD_GONE = Symbol("thread gone");

/** How a call ends. An error may be returned as well as thrown, which takes V8 longer than a short call. */
export type SyscallOutcome = number | bigint | SysError | typeof REGISTERS_SET | typeof THREAD_GONE;
/** What a handler returns: the end of its call, or what that waits for. */
export type SyscallResult = SyscallOutcome | Blocked;
export type SyscallHandler = (ctx: SyscallContext) => SyscallResult;

export interface SyscallRow {
  readonly name: string;
  /**
   * Types of the arguments for --strace, separated by spaces: `int` `uint` `hex` `octal` `long` `ulong` `ptr` `str`
   * (a C string) `fd` `off64` (two registers on ppc32) `signal` `pad` (a register left out by alignment).
   */
  readonly args: string;
  /**
   * Says that all that may come of the call is its result, contents of memory, signals to the thread itself, and that others may run: it never waits, sets
   * no other registers, begins and ends no thread, and no timer. Then translated code is not left for it.
   */
  readonly brief?: true | ((ctx: SyscallContext) => boolean);
  readonly handler: SyscallHandler;
}

/** The number of a pointer that a program gave. Throws EFAULT where no guest memory can be. */
export function pointer(value: bigint | number): number {
  if (value >= ADDRESSES_END) throw new SysError(EFAULT);
  return Number(value);
}
export const ADDRESSES_END = 2 ** 47;

/** With the NUL. */
const PATH_MAX = 4096;
const GPRS = 32;

/** Arguments of a call: r3 to r8, n from 0. Most are small numbers, which are had without BigInts: these cost V8 a call. */
class Arguments {
  /** Whose registers they are in, wherever these are now. */
  private readonly holder: { readonly registers: Pick<Registers, "i32" | "u32"> };
  private readonly is64: boolean;

  constructor(holder: Arguments["holder"], is64: boolean) {
    this.holder = holder;
    this.is64 = is64;
  }

  /** The upper half of the register, 0 in 32-bit programs. */
  private high(n: number): number {
    return this.is64 ? this.holder.registers.u32[R3 + 2 * n + 1] : 0;
  }
  /** The register, unsigned, of the ABI's width. */
  word(n: number): bigint {
    const [low, high] = [this.uint(n), this.high(n)];
    return high === 0 ? BigInt(low) : (BigInt(high) << 32n) | BigInt(low);
  }
  /** `int`: the low 32 bits, signed. */
  int(n: number): number {
    return this.holder.registers.i32[R3 + 2 * n];
  }
  /** `unsigned int`: the low 32 bits. */
  uint(n: number): number {
    return this.holder.registers.u32[R3 + 2 * n];
  }
  /** Whether it is zero: a null pointer. */
  isZero(n: number): boolean {
    return this.uint(n) === 0 && this.high(n) === 0;
  }
  /** Whether it is below zero as a `long`. */
  isNegative(n: number): boolean {
    return (this.is64 ? this.high(n) : this.uint(n)) >= 2 ** 31;
  }
  /** `long`, signed. */
  long(n: number): bigint {
    return BigInt.asIntN(this.is64 ? 64 : 32, this.word(n));
  }
  /** `unsigned long` or size_t. */
  ulong(n: number): bigint {
    return this.word(n);
  }
  /** `size_t` as a number; values above 2^53 are cut to it, more than any guest memory or file has. */
  size(n: number): number {
    return Math.min(this.high(n) * 2 ** 32 + this.uint(n), Number.MAX_SAFE_INTEGER);
  }
  /** A pointer. Throws EFAULT where no guest memory can be. */
  address(n: number): number {
    const value = this.high(n) * 2 ** 32 + this.uint(n);
    if (value >= ADDRESSES_END) throw new SysError(EFAULT);
    return value;
  }
  /**
   * A signed 64-bit argument (loff_t). On ppc32 it is in a register pair, high word first, the pair beginning at
   * r3, r5 or r7: give the first of the two, with the padding counted, as `n` (r5:r6 is n = 2).
   */
  offset64(n: number): bigint {
    if (this.is64) return this.long(n);
    return BigInt.asIntN(64, (BigInt(this.uint(n)) << 32n) | BigInt(this.uint(n + 1)));
  }
  /** The same as a number, which is rounded beyond 2^53: no file goes as far. */
  position(n: number): number {
    const [high, low] = this.is64 ? [this.high(n) | 0, this.uint(n)] : [this.int(n), this.uint(n + 1)];
    return high * 2 ** 32 + low;
  }
}

/** Registers with arguments that stand in memory, those of the calls that are many in one (socketcall, ipc). */
function givenRegisters(words: readonly bigint[]): Pick<Registers, "i32" | "u32"> {
  const gprs = new BigUint64Array(GPRS);
  gprs.set(words.slice(0, GPRS - 3), GPR / 8 + 3);
  return { i32: new Int32Array(gprs.buffer), u32: new Uint32Array(gprs.buffer) };
}

export class SyscallContext {
  readonly kernel: System;
  readonly process: Process;
  readonly thread: Thread;
  readonly memory: AddressSpace;
  readonly abi: AbiInfo;
  readonly args: Arguments;
  /** Number of the call (r0). */
  readonly number: number;
  /** What this call left when it waited, if it has been started before; see WaitFor. */
  readonly resumed: Readonly<CallInProgress> | undefined;

  constructor(kernel: System, thread: Thread, number: number) {
    this.kernel = kernel;
    this.thread = thread;
    this.process = thread.process;
    this.memory = thread.process.memory;
    this.abi = this.process.abi;
    this.args = new Arguments(thread, this.abi.is64);
    this.number = number;
    this.resumed = thread.blocked ?? undefined;
  }

  /** The same call with other arguments than the registers'. */
  withArguments(words: readonly bigint[]): SyscallContext {
    const args = new Arguments({ registers: givenRegisters(words) }, this.abi.is64);
    return Object.create(this, { args: { value: args } }) as SyscallContext;
  }

  /** What a handler returns, or throws, to give the thread up until something happens. */
  wait(wait: WaitFor): Blocked {
    return new Blocked(wait);
  }

  /** Gives the thread up from where a result can't be passed on; never returns. To throw takes as long as a switch of threads does without. */
  block(wait: WaitFor): never {
    throw this.wait(wait);
  }

  /** Whether a call with much to do has worked so long that the host should have its turn: see `pause`. */
  get isOverdue(): boolean {
    const { host, began } = this.kernel;
    return host.clock.monotonic() - began > LONGEST_STRETCH;
  }

  /**
   * Lets the host have its turn in the middle of a long call, which then goes on with `state` in `ctx.resumed`; never
   * returns. Signals wait till the call is over, but for one that ends the process. `done` is the call's result if it went no further.
   */
  pause(state: CallState, done: number): never {
    throw new Paused(state, done);
  }

  /** Reads a struct at `address`. */
  get<F extends Fields>(layout: Layout<F>, address: number): Decoded<F> {
    const room = layout.room(this.abi);
    this.memory.checkLoad(address, room.length);
    return layout.decode(this.abi, this.memory.peek(address, room.length, room));
  }
  /** Writes a struct at `address`. */
  put<F extends Fields>(layout: Layout<F>, address: number, values: Encodable<F>): void {
    this.memory.write(address, layout.lend(this.abi, values));
  }
  /** The same of a struct of scalars, with the values of the first of them, or of all, in their order. */
  putInOrder<F extends Fields>(
    layout: Layout<F>,
    address: number,
    values: readonly (number | bigint)[],
  ): void {
    this.memory.checkStore(address, layout.size(this.abi));
    layout.writeInOrder(this.abi, this.memory, address, values);
  }
  /** Writes a 32-bit word at `address`. */
  put32(address: number, value: number): void {
    this.memory.checkStore(address, 4);
    this.memory.write32(address, value);
  }
  /** Reads a word of the ABI's width at `address`, unsigned. */
  getWord(address: number): bigint {
    const { memory } = this;
    return this.abi.is64 ? memory.read64(address) : BigInt(memory.read32(address) >>> 0);
  }
  /** The same as a number. One that no number holds exactly is more than any memory or file has. */
  getSize(address: number): number {
    const { memory, abi } = this;
    const first = memory.read32(address) >>> 0;
    if (!abi.is64) return first;
    memory.checkLoad(address, 8);
    const second = memory.read32(address + 4) >>> 0;
    return abi.littleEndian ? second * 2 ** 32 + first : first * 2 ** 32 + second;
  }
  /** Writes a word of the ABI's width at `address`. */
  putWord(address: number, value: number | bigint): void {
    if (typeof value === "number" && Number.isSafeInteger(value)) {
      if (this.abi.is64) this.memory.writeHalves(address, Math.floor(value / 2 ** 32), value | 0);
      else this.memory.write32(address, value | 0);
      return;
    }
    const wide = BigInt(value);
    if (this.abi.is64) this.memory.write64(address, BigInt.asUintN(64, wide));
    else this.memory.write32(address, Number(BigInt.asIntN(32, wide)));
  }
  /** The bytes of a C string, without its NUL. Throws `tooLong` when there are `limit` bytes and no NUL. */
  cString(address: number, limit = PATH_MAX, tooLong = ENAMETOOLONG): Uint8Array {
    const bytes = readCString(this.memory, address, limit);
    if (bytes === undefined) throw new SysError(tooLong);
    return bytes;
  }
  /** Whether bytes are zero. They are read up to the first that is not (Linux: check_zeroed_user). */
  isZero(address: number, size: number): boolean {
    const end = address + size;
    for (let at = address; at < end; ) {
      const next = Math.min(end, pageDown(at) + PAGE_SIZE);
      if (this.memory.read(at, next - at).some((byte) => byte !== 0)) return false;
      at = next;
    }
    return true;
  }
  /** A path argument, decoded as `emu/host/names.ts` says; ENAMETOOLONG at PATH_MAX. */
  path(n: number): string {
    const address = this.args.address(n);
    const length = lengthOfCString(this.memory, address, PATH_MAX);
    if (length === undefined) throw new SysError(ENAMETOOLONG);
    return length === 0 ? "" : recentNames.at(this.memory, address, length);
  }
}
