/** A guest process (Linux: signal_struct, mm_struct, cred, files_struct of a thread group). */
import type { CpuModel } from "../cpu/cpu.ts";
import type { Interpreter } from "../cpu/interpreter.ts";
import { encodeName } from "../host/names.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import type { Watchpoint } from "../memory/watched.ts";
import type { ProcessAttributes } from "../snapshot.ts";
import type { AbiInfo } from "./abi.ts";
import type { ProcessFiles, ProcessTimers } from "./contracts.ts";
import { CAP_IPC_LOCK, type Credentials, isCapable } from "./credentials.ts";
import type { LoadedProgram, MemoryLayout, Mm } from "./mm.ts";
import { SIGCHLD } from "./signals/signal-numbers.ts";
import { ProcessSignals } from "./signals/signal-state.ts";
import { growStack } from "./stack.ts";
import type { System } from "./system.ts";
import { type Scheduling, ordinaryScheduling } from "./scheduling.ts";
import type { Thread } from "./thread.ts";
import { NO_USAGE, type Usage } from "./usage.ts";
import { WaitQueue } from "./wait-queue.ts";

/** Soft and hard limit; RLIM_INFINITY is no limit. */
export interface Limit {
  soft: bigint;
  hard: bigint;
}
/** Numbers of the limits that the kernel itself looks at. */
export const RLIMIT_CPU = 0;
export const RLIMIT_FSIZE = 1;
export const RLIMIT_DATA = 2;
export const RLIMIT_STACK = 3;
export const RLIMIT_CORE = 4;
export const RLIMIT_NPROC = 6;
export const RLIMIT_NOFILE = 7;
export const RLIMIT_MEMLOCK = 8;
export const RLIMIT_AS = 9;
export const RLIMIT_SIGPENDING = 11;
export const RLIMIT_NICE = 13;
export const RLIMIT_RTPRIO = 14;
export const RLIM_INFINITY = 2n ** 64n - 1n;

/** personality(2): readable memory is executable too; 32-bit programs that do not say otherwise. */
export const READ_IMPLIES_EXEC = 0x0040_0000;

/** What a process's parent can wait for besides its end. */
export interface StopReport {
  /** The signal that has stopped it, 0 when none has. */
  stopped: number;
  /** SIGCONT has let it go on. */
  continued: boolean;
}

export class Process {
  readonly kernel: System;
  readonly pid: number;
  /** Undefined when it is no process of this machine. */
  parent: Process | undefined;
  readonly children = new Set<Process>();
  /** Threads of this process that wait for children. */
  readonly childQueue = new WaitQueue();
  /** Threads, of whatever process, that it traces. */
  readonly tracees = new Set<Thread>();
  /** Threads that it traced and that have ended: their ids and wait statuses, not waited for yet. */
  readonly traceEnds: { tid: number; status: number }[] = [];
  /** It has ended, and who traced it is yet to wait for it, before its parent may. */
  heldBy: Process | undefined;
  /** The signal that its end sends to its parent; 0 for none. */
  exitSignal = SIGCHLD;
  pgid: number;
  sid: number;
  /** At most 15 characters. */
  comm = "";
  /** Absolute guest path of the program. */
  exe = "";
  /** Those that its first thread begins with, or that its last one had. */
  lastCredentials: Credentials;
  /** By RLIMIT_* number. */
  readonly limits: Limit[];
  /** Its address space; replaced by execve. */
  mm: Mm;
  /** The thread of another process that sleeps in vfork(2) until this one has an address space of its own. */
  vforkParent: Thread | undefined;
  signals = new ProcessSignals();
  /** What a debugger watches. */
  watchpoints: readonly Watchpoint[] = [];
  /** Descriptors, working directory, umask of its first thread, and of the others unless they have their own. */
  files!: ProcessFiles;
  /** Interval and POSIX timers. */
  timers!: ProcessTimers;
  readonly threads = new Set<Thread>();
  prctl = { pdeathsig: 0, dumpable: 1 };
  attributes = defaultAttributes();
  /** What is counted of it, but for CPU time. */
  usage: Usage = { ...NO_USAGE };
  /** personality(2). */
  personality = 0;
  /** CPU time of all its threads, in nanoseconds. */
  cpuTime = 0n;
  /** CPU time of children that have been waited for, and of theirs. */
  childCpuTime = 0n;
  /** CLOCK_MONOTONIC time at which it began. */
  startTime = 0n;
  /** The signal that has stopped it, 0 while it runs. */
  stoppedBy = 0;
  /** What wait(2) has not told of yet. */
  report: StopReport = { stopped: 0, continued: false };
  /** It has executed a program since it was forked. */
  hasExecuted = false;
  /** Wait status (exit code << 8, or signal number) once it has ended. */
  exitStatus: number | null = null;
  lastScheduling: Scheduling = ordinaryScheduling();
  /** Wakes those that wait for its end by a pidfd. */
  readonly exitQueue = new WaitQueue();
  /** What getppid says of a parent outside. */
  private readonly outerParent: number;

  constructor(
    kernel: System,
    pid: number,
    parts: { credentials: Credentials; limits: Limit[]; mm: Mm; outerParent?: number },
  ) {
    this.kernel = kernel;
    this.pid = pid;
    this.pgid = pid;
    this.sid = pid;
    this.lastCredentials = parts.credentials;
    this.limits = parts.limits;
    this.mm = parts.mm;
    this.mm.users++;
    this.claimStack();
    this.outerParent = parts.outerParent ?? 1;
  }

  /** Timers that wait for their signals to be taken go on where those have been dropped. */
  noteDrop(): void {
    if (this.timers.any) this.kernel.noteTimer(this);
  }

  get ppid(): number {
    return this.parent?.pid ?? this.outerParent;
  }
  get abi(): AbiInfo {
    return this.mm.abi;
  }
  get cpuModel(): CpuModel {
    return this.mm.cpuModel;
  }
  get memory(): AddressSpace {
    return this.mm.memory;
  }
  get interpreter(): Interpreter {
    return this.mm.interpreter;
  }
  get layout(): MemoryLayout {
    return this.mm.layout;
  }
  get elfv2(): boolean {
    return this.mm.elfv2;
  }

  /** Takes over what exec has loaded from `path` into `mm`, to be run by `thread`, the only one left. */
  replaceProgram(
    thread: Thread,
    program: { mm: Mm; loaded: LoadedProgram; path: string; name: string },
  ): void {
    const { mm, loaded, path, name } = program;
    if (mm !== this.mm) {
      this.keepPeak();
      this.mm.unload(thread);
      this.kernel.releaseMm(this);
      this.mm = mm;
      mm.users++;
    }
    this.claimStack();
    mm.loaded = thread;
    mm.layout = loaded.layout;
    mm.elfv2 = loaded.elfv2;
    this.exe = path;
    this.comm = shortName(name.slice(name.lastIndexOf("/") + 1));
    if (loaded.readImpliesExec) this.personality |= READ_IMPLIES_EXEC;
    else this.personality &= ~READ_IMPLIES_EXEC;
    delete this.attributes.membarriers;
    delete this.attributes.locksFuture;
    delete this.attributes.locksOnFault;
    this.exitSignal = SIGCHLD;
    this.hasExecuted = true;
    thread.ownName = undefined;
    thread.startTime = this.startTime;
    thread.clearTid = 0n;
    thread.robustList = { head: 0n, length: 0n };
    this.signals.exec();
    thread.signals.exec();
    this.timers.exec();
    this.files.exec();
  }

  /** KiB that it has mapped, or had: an upper bound of what was ever resident. */
  get peak(): number {
    return Math.max(this.attributes.peak ?? 0, Math.floor(this.memory.areas.bytes / 1024));
  }
  /** Keeps that before memory goes. */
  keepPeak(): void {
    this.countFaults();
    this.attributes.peak = this.peak;
  }
  /** Counts the pages that have been touched since it, and no other process with the same memory, runs. */
  countFaults(): void {
    this.usage.faults += this.memory.takeFaults();
  }
  /** The same of its children that it has waited for, and of theirs. */
  get childrenPeak(): number {
    return this.attributes.childrenPeak ?? 0;
  }
  /** Counts what a child has used that is waited for; nobody counts one that nobody waits for (SIGCHLD is ignored). */
  inherit({ cpuTime, childCpuTime, peak, childrenPeak, usage: its }: Process): void {
    this.childCpuTime += cpuTime + childCpuTime;
    const { usage } = this;
    usage.childFaults += its.faults + its.childFaults;
    for (const name of ["readBytes", "writtenBytes", "reads", "writes"] as const) usage[name] += its[name];
    this.attributes.childrenPeak = Math.max(this.childrenPeak, peak, childrenPeak);
  }

  /** Whether RLIMIT_AS forbids `more` bytes; one as large as the address space forbids nothing. */
  isOverSpace(more: number): boolean {
    const most = toLength(this.limits[RLIMIT_AS].soft);
    return most < this.memory.limit && this.memory.areas.bytes + more > most;
  }

  /** Whether RLIMIT_MEMLOCK forbids to lock `more` bytes besides what is locked. */
  isOverLocks(more: number): boolean {
    const most = this.limits[RLIMIT_MEMLOCK].soft;
    return (
      !isCapable(this.actor.credentials, CAP_IPC_LOCK) && BigInt(this.memory.areas.lockedBytes + more) > most
    );
  }

  /** Has the stack in its memory grow within its own limit. */
  claimStack(): void {
    const { memory } = this.mm;
    memory.onUnmapped = (address) =>
      growStack(
        memory,
        address,
        toLength(this.limits[RLIMIT_STACK].soft),
        (more, isLocked) => !(this.isOverSpace(more) || (isLocked && this.isOverLocks(more))),
      );
  }

  /** How its first thread is scheduled, or was when the process ended. */
  get scheduling(): Scheduling {
    return this.leader?.scheduling ?? this.lastScheduling;
  }

  /** Those of its first thread. */
  get credentials(): Credentials {
    return this.leader?.credentials ?? this.lastCredentials;
  }

  /** On whose behalf something is done to the process: its thread that makes a call, or itself. */
  get actor(): { readonly credentials: Credentials } {
    const { caller } = this.kernel;
    return caller?.process === this ? caller : this;
  }

  /** Its first thread, by whose tid the process is known; any other when that has ended. */
  get leader(): Thread | undefined {
    return this.threads.values().next().value;
  }
}

/** At most 15 bytes of a name (TASK_COMM_LEN), without cutting a character. */
export function shortName(name: string): string {
  while (encodeName(name).length > 15) name = name.slice(0, -1);
  return name;
}

/** A limit in bytes as a number; infinity is more than any guest has. */
export const toLength = (limit: bigint): number => Math.min(Number(limit), 2 ** 52);

/** The memory layout of a process without a program. */
export const emptyLayout = (): MemoryLayout => ({
  startCode: 0,
  endCode: 0,
  startData: 0,
  endData: 0,
  startBrk: 0,
  brk: 0,
  startStack: 0,
  argStart: 0,
  argEnd: 0,
  envStart: 0,
  envEnd: 0,
  auxv: [],
});

/** Attributes of a process that has set none. */
export const defaultAttributes = (): Omit<ProcessAttributes, keyof Scheduling | "keepCapabilities"> => ({
  childSubreaper: false,
  noHugePages: false,
});

const MIB = 1024n * 1024n;

/** RLIMIT_* of a process as a distribution has them, in their numbering. */
export const defaultLimits = (): Limit[] =>
  [
    [RLIM_INFINITY, RLIM_INFINITY], // CPU
    [RLIM_INFINITY, RLIM_INFINITY], // FSIZE
    [RLIM_INFINITY, RLIM_INFINITY], // DATA
    [8n * MIB, RLIM_INFINITY], // STACK
    [0n, RLIM_INFINITY], // CORE
    [RLIM_INFINITY, RLIM_INFINITY], // RSS
    [4096n, 4096n], // NPROC
    [1024n, 1048576n], // NOFILE
    [8n * MIB, 8n * MIB], // MEMLOCK
    [RLIM_INFINITY, RLIM_INFINITY], // AS
    [RLIM_INFINITY, RLIM_INFINITY], // LOCKS
    [4096n, 4096n], // SIGPENDING
    [819200n, 819200n], // MSGQUEUE
    [0n, 0n], // NICE
    [0n, 0n], // RTPRIO
    [RLIM_INFINITY, RLIM_INFINITY], // RTTIME
  ].map(([soft, hard]) => ({ soft, hard }));
