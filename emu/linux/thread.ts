/** A guest thread (Linux: task_struct). */
import { Registers } from "../cpu/registers.ts";
import { REGISTERS_SIZE } from "../memory/layout.ts";
import type { Process } from "./process.ts";
import { ThreadSignals } from "./signals/state.ts";
import type { WaitFor, WaitQueue } from "./wait.ts";

export class Thread {
  readonly tid: number;
  readonly process: Process;
  readonly signals: ThreadSignals;
  /** "waiting": in a system call, NIA at its `sc`, until `wake`. "gone": it has exited. */
  state: "runnable" | "waiting" | "stopped" | "gone" = "runnable";
  /** What a system call in progress must remember; null when none is. */
  blocked: { deadline: bigint | null; state: string } | null = null;
  /** What that call waited for last; a signal that interrupts it asks. */
  wait: WaitFor | undefined;
  /** set_tid_address(2). */
  clearTid = 0n;
  robustList = { head: 0n, length: 0n };
  /** prctl(PR_SET_FPEXC) in MSR bits: 0, 0x100, 0x800 or 0x900. */
  fpexcMode = 0;
  /** CPU time in nanoseconds. */
  cpuTime = 0n;
  /** Registers while another thread of the process is in the CPU. */
  private readonly parked = new Registers(new ArrayBuffer(REGISTERS_SIZE), 0);
  /** Ends what `wait` has set up with queues, streams and timers. */
  private cleanups: (() => void)[] = [];

  constructor(process: Process, tid: number, signals = new ThreadSignals()) {
    this.process = process;
    this.tid = tid;
    this.signals = signals;
  }

  /** The thread's registers, wherever they are now. */
  get registers(): Registers {
    return this.process.loaded === this ? this.process.memory.registers : this.parked;
  }

  /** Puts the thread's registers into the CPU, and those of the thread that was there aside. */
  load(): void {
    const { process } = this;
    const { loaded } = process;
    if (loaded === this) return;
    const inCpu = process.memory.registers.bytes;
    if (loaded !== undefined) loaded.parked.bytes.set(inCpu);
    inCpu.set(this.parked.bytes);
    process.loaded = this;
  }

  /** Parks the thread until `wake`. */
  park(wait: WaitFor): void {
    this.state = "waiting";
    this.wait = wait;
    this.blocked = { deadline: wait.deadline ?? null, state: wait.state ?? "" };
    for (const queue of wait.queues ?? []) {
      queue.add(this);
      this.cleanups.push(() => queue.remove(this));
    }
    for (const { stream, interest } of wait.streams ?? []) {
      this.cleanups.push(stream.onChange(() => this.wake(), interest));
    }
  }

  /** Has a waiting thread wait on another queue instead of `from` (FUTEX_REQUEUE). */
  moveTo(from: WaitQueue, to: WaitQueue): void {
    if (this.wait === undefined) return;
    const queues = (this.wait.queues ?? []).map((queue) => (queue === from ? to : queue));
    this.wait = { ...this.wait, queues };
    from.remove(this);
    to.add(this);
    this.cleanups.push(() => to.remove(this));
  }

  /** The thread has ended: it waits for nothing any more. */
  end(): void {
    this.state = "gone";
    this.blocked = null;
    this.wait = undefined;
    for (const cleanup of this.cleanups.splice(0)) cleanup();
  }

  /** Lets a waiting thread run: it makes its call again, or takes a signal. */
  wake(): void {
    if (this.state !== "waiting") return;
    this.state = "runnable";
    for (const cleanup of this.cleanups.splice(0)) cleanup();
    this.process.kernel.noteWake();
  }
}
