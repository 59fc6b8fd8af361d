/** Every process and thread there is: how they come, end, and are forgotten (Linux: kernel/exit.c, kernel/pid.c). */
import type { CpuModel } from "../cpu/cpu.ts";
import type { AbiInfo } from "./abi.ts";
import type { Mm } from "./mm.ts";
import type { Process } from "./process.ts";
import { releaseThread } from "./release-thread.ts";
import { notifyEnd, orphaned } from "./signals/children.ts";
import { SIGKILL } from "./signals/signal-numbers.ts";
import type { Thread } from "./thread.ts";
import { endTraced, endTracer } from "./tracing/tracing.ts";

/** Highest process id (/proc/sys/kernel/pid_max). */
export const MOST_PID = 0x3f_ffff;
/** Processes of a machine: each takes some 4 MiB of the host, and fork(2) says EAGAIN beyond. */
const MOST_PROCESSES = 500;
/** Threads of a machine (/proc/sys/kernel/threads-max). */
export const MOST_THREADS = 4096;
/** Bytes of the address space of a process that has ended, in which nothing is. */
const LEAST_SPACE = 16 * 1024 * 1024;

export class Tasks {
  readonly processes = new Map<number, Process>();
  readonly threads = new Map<number, Thread>();
  nextPid: number;
  private readonly makeMm: (abi: AbiInfo, cpuModel: CpuModel, size?: number) => Mm;
  /** Takes an address space that nobody has any more. */
  private readonly freed: (mm: Mm) => void;
  /** Told of the end of the first process, which stays as it was then. */
  private readonly ended: (process: Process) => void;
  /** The address space of processes that have ended. */
  private nowhere: Mm | undefined;
  private first: Process | undefined;
  private readonly most: number;

  constructor(
    firstPid: number,
    parts: {
      /** Most processes; MOST_PROCESSES where it does not say. */
      most?: number;
      makeMm(abi: AbiInfo, cpuModel: CpuModel, size?: number): Mm;
      freed(mm: Mm): void;
      ended(process: Process): void;
    },
  ) {
    this.nextPid = firstPid;
    this.most = Math.min(parts.most ?? MOST_PROCESSES, MOST_PROCESSES);
    this.makeMm = parts.makeMm;
    this.freed = parts.freed;
    this.ended = parts.ended;
  }

  get hasRoom(): boolean {
    let threads = this.threads.size;
    for (const { traceEnds } of this.processes.values()) threads += traceEnds.length;
    return this.processes.size < this.most && threads < MOST_THREADS;
  }

  /** An id that is no process's, thread's, group's or session's. */
  newPid(): number {
    for (;;) {
      const pid = this.nextPid;
      this.nextPid = pid >= MOST_PID ? 300 : pid + 1;
      if (!this.isTaken(pid)) return pid;
    }
  }

  /** Whether an id is a process's, thread's, group's or session's. */
  isTaken(pid: number): boolean {
    if (this.threads.has(pid) || this.processes.has(pid)) return true;
    for (const { pgid, sid } of this.processes.values()) if (pgid === pid || sid === pid) return true;
    return false;
  }

  addProcess(process: Process): void {
    this.first ??= process;
    this.processes.set(process.pid, process);
    process.parent?.children.add(process);
  }

  addThread(thread: Thread): void {
    thread.process.threads.add(thread);
    this.threads.set(thread.tid, thread);
  }

  // ---- address spaces ------------------------------------------------------------------------------------------

  /** A process has no use for its address space any more: whoever waited in vfork(2) goes on. */
  releaseMm(process: Process): void {
    const { mm, vforkParent } = process;
    process.vforkParent = undefined;
    vforkParent?.wake();
    vforkParent?.process.claimStack();
    if (--mm.users === 0) this.freed(mm);
  }

  // ---- ends ------------------------------------------------------------------------------------------------------

  exitThread(thread: Thread, status: number): void {
    if (thread.process.threads.size === 1) this.endProcess(thread.process, (status & 0xff) << 8);
    else this.endThread(thread, (status & 0xff) << 8);
  }

  /** Ends all threads of a process but one, which goes on alone under the process's own id (execve). */
  endOthers(thread: Thread): Thread {
    const { process } = thread;
    for (const other of [...process.threads]) if (other !== thread) this.endThread(other, 0);
    process.files = thread.files;
    if (thread.tid === process.pid) return thread;
    this.threads.delete(thread.tid);
    thread.tid = process.pid;
    this.threads.set(thread.tid, thread);
    return thread;
  }

  private endThread(thread: Thread, status: number): void {
    releaseThread(thread);
    thread.process.mm.unload(thread);
    thread.end();
    endTraced(thread, status);
    this.threads.delete(thread.tid);
    thread.process.threads.delete(thread);
    thread.process.noteDrop();
  }

  endProcess(process: Process, status: number): void {
    if (process.exitStatus !== null) return;
    for (const thread of process.threads) releaseThread(thread);
    process.exitStatus = status;
    process.stoppedBy = 0;
    for (const thread of process.threads) {
      thread.end();
      this.threads.delete(thread.tid);
      endTraced(thread, status);
    }
    endTracer(process);
    process.exitQueue.wake();
    process.kernel.ipc.semaphores.exit(process.pid);
    process.files.exit();
    process.timers.exit();
    this.orphan(process);
    if (process === this.first) {
      this.ended(process);
      return;
    }
    process.keepPeak();
    this.releaseMm(process);
    process.mm = this.nowhere ??= this.makeMm(process.abi, process.cpuModel, LEAST_SPACE);
    process.lastScheduling = process.scheduling;
    process.lastCredentials = process.credentials;
    process.threads.clear();
    if (process.heldBy === undefined && notifyEnd(process)) this.reap(process);
  }

  /** Ends every process that is left. */
  endAll(): void {
    for (const process of this.processes.values()) this.endProcess(process, SIGKILL);
  }

  /** Gives the children of a process that ends to the nearest ancestor that takes them, or to whoever is outside. */
  private orphan(process: Process): void {
    let heir = process.parent;
    while (heir !== undefined && !heir.attributes.childSubreaper) heir = heir.parent;
    for (const child of process.children) {
      child.parent = heir;
      heir?.children.add(child);
      orphaned(child);
      if (child.exitStatus !== null && child.heldBy === undefined && notifyEnd(child)) this.reap(child);
    }
    process.children.clear();
  }

  /** Forgets a process that has ended and been waited for, or that nobody is to wait for. */
  reap(process: Process): void {
    const { parent } = process;
    this.processes.delete(process.pid);
    parent?.children.delete(process);
  }
}
