/** A guest thread (Linux: task_struct). */
import { Registers } from "../cpu/registers.ts";
import { REGISTERS_SIZE } from "../memory/layout.ts";
import type { MemoryPolicy } from "../memory/vma.ts";
import type { ProcessFiles } from "./contracts.ts";
import { allCpus } from "./cpu-sets.ts";
import type { Credentials } from "./credentials.ts";
import type { Process } from "./process.ts";
import type { Confinement } from "./call-filters.ts";
import { ordinaryScheduling, type Scheduling } from "./scheduling.ts";
import { ThreadSignals } from "./signals/signal-state.ts";
import type { Trace } from "./tracing/tracee.ts";
import { BEGUN, type CallInProgress, type WaitFor, type WaitQueue } from "./wait-queue.ts";

export class Thread {
  /** execve gives the thread that remains the id of its process. */
  tid: number;
  readonly process: Process;
  readonly signals: ThreadSignals;
  /** Those of its process, unless it has others (unshare(2)). */
  files: ProcessFiles;
  /** "waiting": in a system call, NIA at its `sc`, until `wake`. "gone": it has exited. */
  state: "runnable" | "waiting" | "stopped" | "gone" = "stopped";
  /** The system call in progress; null when none is. */
  blocked: CallInProgress | null = null;
  /** What that call waited for last; a signal that interrupts it asks. Undefined after a thaw until the call is made again. */
  wait: WaitFor | undefined;
  /** What `blocked` is after a wake, until the call is made again. */
  private woken: CallInProgress | undefined;
  /** set_tid_address(2). */
  clearTid = 0n;
  robustList = { head: 0n, length: 0n };
  /** prctl(PR_SET_FPEXC) in MSR bits: 0, 0x100, 0x800 or 0x900. */
  fpexcMode = 0;
  /** set_mempolicy(2): where its pages come from; the default when undefined. */
  policy: MemoryPolicy | undefined;
  /** sched_setaffinity(2): CPUs it may run on, bit n being CPU n; all when undefined. */
  affinity: bigint | undefined;
  /** How it is scheduled. */
  scheduling: Scheduling = ordinaryScheduling();
  /** CLOCK_MONOTONIC time at which it began. */
  startTime: bigint;
  /** Who it is; `become` gives it others. */
  credentials: Credentials;
  /** prctl(PR_SET_NO_NEW_PRIVS). */
  noNewPrivs = false;
  /** What it has been forbidden to call; nothing when undefined. */
  confinement: Confinement | undefined;
  /** CPU time in nanoseconds. */
  cpuTime = 0n;
  /** Its own name, where it does not go by its process's. */
  ownName: string | undefined;
  /** Who traces it, and how; undefined when nobody does. */
  trace: Trace<Process> | undefined;
  /** Registers while they are not in the CPU. */
  readonly parked = new Registers(new ArrayBuffer(REGISTERS_SIZE), 0);
  /** Ends what `park` has set up with queues and streams. */
  private cleanups: (() => void)[] = [];

  constructor(
    process: Process,
    tid: number,
    {
      signals = new ThreadSignals(),
      files = process.files,
      credentials = process.credentials,
    }: Partial<Pick<Thread, "signals" | "files" | "credentials">> = {},
  ) {
    this.process = process;
    this.tid = tid;
    this.signals = signals;
    this.files = files;
    files.users++;
    this.credentials = credentials;
    this.startTime = process.startTime;
  }

  /** CPUs that are there and that it may run on; all, where it has been thawed with none of those. */
  get cpus(): bigint {
    const all = allCpus(this.process.kernel.cpus);
    return (this.affinity ?? all) & all || all;
  }

  /** Whether signals of its process are left to other threads: it is stopped, or in a call that only those end which the process does not survive. */
  get isDeaf(): boolean {
    return this.state === "stopped" || this.wait?.killable === true;
  }

  /** At most 15 bytes: prctl(PR_SET_NAME). A process goes by the name of its first thread. */
  get comm(): string {
    return this.ownName ?? this.process.comm;
  }
  set comm(name: string) {
    if (this.tid === this.process.pid) this.process.comm = name;
    else this.ownName = name;
  }

  /** Makes it somebody else. Its process is then nobody's to look into, also where it may do more (Linux: commit_creds). */
  become(next: Credentials): void {
    const old = this.credentials;
    this.credentials = next;
    const isSame = (["euid", "egid", "fsuid", "fsgid"] as const).every((id) => old[id] === next[id]);
    if (isSame && (next.permitted & ~old.permitted) === 0n) return;
    const { prctl } = this.process;
    prctl.dumpable = 0;
    prctl.pdeathsig = 0;
  }

  /** Gives the thread a table of descriptors, or a working directory and umask, of its own. */
  unshare({ descriptors = false, fs = false }: { descriptors?: boolean; fs?: boolean }): void {
    const { process, files, tid } = this;
    if (files.users > 1) {
      this.files = files.fork(process, { descriptors: !descriptors, fs: !fs });
      this.files.users++;
      files.leave();
      if (tid === process.pid) process.files = this.files;
      return;
    }
    if (descriptors) files.unshare();
    if (fs) files.unshareFs();
  }

  /** The thread's registers, wherever they are now. */
  get registers(): Registers {
    const { mm } = this.process;
    return mm.loaded === this ? mm.memory.registers : this.parked;
  }

  /** Puts the thread's registers into the CPU. */
  load(): void {
    this.process.mm.load(this);
  }

  /**
   * Whether its call must be made again before a signal may end it: after a wake because what it waited for may be there, which
   * counts for more than a signal (Linux: ___wait_event, do_wait), and after a thaw because only the call knows how it ends.
   */
  get looksFirst(): boolean {
    return this.blocked !== null && (this.blocked === this.woken || this.wait === undefined);
  }

  /** Lets the thread run. */
  start(): void {
    // One that is stopped for its tracer goes on when that says so.
    if (this.state !== "stopped" || (this.trace !== undefined && this.trace.stop !== null)) return;
    const { kernel } = this.process;
    // A thawed one goes on waiting, once its call has said for what.
    if (this.blocked?.phase === "waiting") {
      this.state = "waiting";
      return;
    }
    this.state = "runnable";
    kernel.scheduler.add(this);
    kernel.noteWake();
  }

  /** It is in a call that waits. */
  private beInCall(wait: WaitFor, phase: CallInProgress["phase"]): void {
    this.wait = wait;
    const { deadline = null, state = BEGUN } = wait;
    this.blocked = { phase, place: this.process.kernel.nextPlace(), deadline, state };
  }

  /** The thread would wait, but has a signal to take first: it keeps its turn, and no place in a queue where wakes would be lost on it. */
  postpone(wait: WaitFor): void {
    this.beInCall(wait, "woken");
    for (const queue of wait.queues ?? []) queue.remove(this);
  }

  /** Parks the thread until `wake`. */
  park(wait: WaitFor): void {
    const { scheduler } = this.process.kernel;
    this.beInCall(wait, "waiting");
    this.state = "waiting";
    scheduler.remove(this);
    scheduler.wakeAt(this, this.blocked!.deadline);
    for (const queue of wait.queues ?? []) {
      queue.add(this);
      this.cleanups.push(() => queue.remove(this));
    }
    for (const { stream, interest } of wait.streams ?? []) {
      this.cleanups.push(stream.onChange(() => this.wake(), interest));
    }
  }

  /** Has a waiting thread wait on another queue instead of `from`, as the last one there (FUTEX_REQUEUE). */
  moveTo(from: WaitQueue, to: WaitQueue, changes?: Partial<WaitFor>): void {
    if (this.wait === undefined) return;
    const queues = (this.wait.queues ?? []).map((queue) => (queue === from ? to : queue));
    this.wait = { ...this.wait, ...changes, queues };
    this.blocked!.place = this.process.kernel.nextPlace();
    from.remove(this);
    to.add(this);
    this.cleanups.push(() => to.remove(this));
  }

  /** Leaves all queues. */
  private leave(): void {
    this.process.kernel.scheduler.wakeAt(this, null);
    for (const cleanup of this.cleanups.splice(0)) cleanup();
  }

  /** The thread has ended: it waits for nothing any more, and has no files. */
  end(): void {
    this.leave();
    this.files.leave();
    this.process.kernel.scheduler.remove(this);
    this.state = "gone";
    this.endWait();
  }

  /** The call that it was in is over, or begins anew after a handler. */
  endWait(): void {
    const { wait } = this;
    this.blocked = null;
    this.wait = undefined;
    wait?.abandoned?.();
  }

  /** Lets a waiting thread run: it makes its call again, or takes a signal. */
  wake(): void {
    if (this.state !== "waiting") return;
    this.leave();
    if (this.blocked !== null) this.blocked = this.woken = { ...this.blocked, phase: "woken" };
    this.state = "stopped";
    this.start();
  }

  /** Keeps the thread from running until `start`; a call it waits in is made again then. */
  stop(): void {
    this.wake();
    if (this.state !== "runnable") return;
    this.state = "stopped";
    this.process.kernel.scheduler.remove(this);
  }
}
