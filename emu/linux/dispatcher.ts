/** From the `sc` or `scv` instruction to the handler of a system call and back into the registers. */
import { GuestFault } from "../cpu/fault.ts";
import { GPR } from "../cpu/registers.ts";
import { HostError } from "../host/host.ts";
import type { AbiInfo } from "./abi.ts";
import { isVectored, returnFromCall } from "./call-return.ts";
import { EFAULT, ENOSYS, errnoOf, SysError } from "./errno.ts";
import { refuse } from "./seccomp.ts";
import { isFatalPending } from "./signals/signal-state.ts";
import { isDisturbed } from "./signals/task-signals.ts";
import { Tracer } from "./strace.ts";
import {
  REGISTERS_SET,
  SyscallContext,
  type SyscallOutcome,
  type SyscallResult,
  type SyscallRow,
  THREAD_GONE,
} from "./syscall.ts";
import { syscallName } from "./syscalls/syscall-numbers.ts";
import { SyscallTable } from "./syscalls/syscall-table.ts";
import type { System } from "./system.ts";
import type { Thread } from "./thread.ts";
import { Blocked, Paused, type WaitFor } from "./wait-queue.ts";

/** Missing calls that are named at most. */
const MOST_NAMED = 500;

export interface CallOptions {
  /** Gets the lines of --strace, without line ends. */
  strace?: (line: string) => void;
  /** System calls besides Linux's, by number (--cr-syscalls). */
  extraSyscalls?: ReadonlyMap<number, SyscallRow>;
}

export class Dispatcher {
  private readonly kernel: System;
  private readonly extraSyscalls: ReadonlyMap<number, SyscallRow>;
  /** The calls of each ABI, by number; made when its first program runs. */
  private readonly tables = new Map<AbiInfo, SyscallTable>();
  /** The one that was wanted last. */
  private recent: { readonly abi: AbiInfo; readonly table: SyscallTable } | undefined;
  private readonly tracer: Tracer | undefined;
  /** Trace texts of the calls that threads wait in. */
  private readonly waiting = new Map<Thread, string>();
  /** Calls already named on stderr as not being there. */
  private readonly named = new Set<string>();

  constructor(kernel: System, { strace, extraSyscalls }: CallOptions) {
    this.kernel = kernel;
    this.extraSyscalls = extraSyscalls ?? new Map();
    if (strace !== undefined) this.tracer = new Tracer(strace);
  }

  /**
   * Makes the call that the instruction at NIA asks for, or makes it again. True when it is complete, registers and NIA
   * included: the caller counts the instruction. False when the thread waits.
   */
  call(thread: Thread, vectored = isVectored(thread)): boolean {
    const { kernel } = this;
    const number = this.numberOf(thread);
    const table = this.tableOf(thread.process.abi);
    const row = table.row(number);
    const context = new SyscallContext(kernel, thread, number);
    const nameOf = () => row?.name ?? syscallName(thread.process.abi, number) ?? `syscall_${number}`;
    const text = this.tracer?.begin(context, nameOf(), row?.args);
    let outcome: SyscallResult | SysError;
    try {
      const refusal = this.refusal(thread, number, nameOf);
      if (refusal === "stopped") return false;
      outcome = refusal ?? (row === undefined ? this.missing(nameOf()) : row.handler(context));
    } catch (error) {
      if (error instanceof Paused) {
        if (text !== undefined) this.waiting.set(thread, text);
        return this.pause(thread, error);
      }
      outcome = error instanceof Blocked ? error : failure(error);
    }
    if (outcome instanceof Blocked) {
      if (text !== undefined) this.waiting.set(thread, text);
      return this.park(thread, outcome.wait);
    }
    if (this.tracer !== undefined) {
      this.tracer.end(thread, text, outcome);
      this.waiting.delete(thread);
    }
    thread.blocked = null;
    thread.wait = undefined;
    if (outcome === REGISTERS_SET || outcome === THREAD_GONE) return true;
    returnFromCall(thread.registers, thread.process.abi, vectored, outcome);
    return true;
  }

  /** The call that a thread's registers ask for, if that may be brief. */
  briefCall(thread: Thread): SyscallRow | undefined {
    if (this.tracer !== undefined || thread.blocked !== null) return undefined;
    const row = this.tableOf(thread.process.abi).row(this.numberOf(thread));
    return row?.brief === undefined ? undefined : row;
  }
  /** As `call`, for one that is brief; false, with nothing done, where it isn't this time. */
  callBriefly(thread: Thread, row: SyscallRow, vectored: boolean): boolean {
    const context = new SyscallContext(this.kernel, thread, this.numberOf(thread));
    let outcome: SyscallResult | SysError;
    try {
      if (typeof row.brief === "function" && !row.brief(context)) return false;
      outcome = row.handler(context);
    } catch (error) {
      // It goes on from where it is when it is made again.
      if (error instanceof Paused) return this.pause(thread, error);
      outcome = error instanceof Blocked ? error : failure(error);
    }
    if (typeof outcome === "symbol" || outcome instanceof Blocked)
      throw new Error(`${row.name} is no brief call`);
    returnFromCall(thread.registers, thread.process.abi, vectored, outcome);
    return true;
  }

  /** How a call ends that the thread may not make. It is asked for once, when the call begins. */
  private refusal(
    thread: Thread,
    number: number,
    nameOf: () => string,
  ): SyscallOutcome | "stopped" | undefined {
    const { confinement } = thread;
    if (confinement === undefined || thread.blocked !== null) return undefined;
    const refusal = refuse(thread, confinement, number, nameOf());
    if (refusal === "stopped") return refusal;
    if (typeof refusal === "object") return refusal.result;
    return refusal && (refusal === "gone" ? THREAD_GONE : REGISTERS_SET);
  }

  private tableOf(abi: AbiInfo): SyscallTable {
    if (this.recent?.abi === abi) return this.recent.table;
    let table = this.tables.get(abi);
    if (table === undefined) this.tables.set(abi, (table = new SyscallTable(abi, this.extraSyscalls)));
    this.recent = { abi, table };
    return table;
  }

  /** r0, of which 64-bit kernels look at all bits. */
  private numberOf({ registers, process }: Thread): number {
    if (process.abi.is64 && registers.u32[GPR / 4 + 1] !== 0) return -1;
    return registers.u32[GPR / 4];
  }

  /** Says once of each missing call that the program has tried it. */
  private missing(name: string): never {
    if (!this.named.has(name) && this.named.size < MOST_NAMED) {
      this.named.add(name);
      this.kernel.host.warn(`system call ${name} is not there: ENOSYS`);
    }
    throw new SysError(ENOSYS);
  }

  /** A signal that is there already is a reason not to wait. */
  private park(thread: Thread, wait: WaitFor): boolean {
    if (isDisturbed(thread, wait)) thread.postpone(wait);
    else thread.park(wait);
    return false;
  }

  /** The thread stays runnable, and makes its call again when the host has had its turn. */
  private pause(thread: Thread, { state, done }: Paused): boolean {
    thread.blocked = { phase: "paused", place: this.kernel.nextPlace(), deadline: null, state };
    // Signals find no call that they could interrupt, unless there is one that the program doesn't survive.
    const interruptible = isFatalPending(thread.process, thread);
    thread.wait = interruptible ? { restart: "never", interrupted: () => done } : undefined;
    return false;
  }

  /** Completes the call that a thread waits in, since a signal ends it: with an error, or what it has done. */
  interrupt(thread: Thread, outcome: number | SysError): void {
    this.tracer?.end(thread, this.waiting.get(thread), outcome);
    returnFromCall(thread.registers, thread.process.abi, isVectored(thread), outcome);
  }
}

/** The error that a thrown value means to the program. */
function failure(error: unknown): SysError {
  if (error instanceof SysError) return error;
  if (error instanceof GuestFault) return new SysError(EFAULT);
  if (error instanceof HostError) return new SysError(errnoOf(error.code));
  throw error;
}
