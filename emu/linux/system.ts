/** What tasks, files, signals and system calls need of the kernel as a whole. */
import type { CpuModel } from "../cpu/cpu.ts";
import type { Host } from "../host/host.ts";
import type { MachineSnapshot } from "../snapshot.ts";
import type { AbiInfo } from "./abi.ts";
import type { Alarms } from "./alarms.ts";
import type { Clock } from "./clock.ts";
import type { ExecRequest } from "./contracts.ts";
import type { FutexTable } from "./futex-table.ts";
import type { IpcObjects } from "./ipc/ipc-objects.ts";
import type { Mm } from "./mm.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Thread } from "./thread.ts";

export interface System {
  readonly host: Host;
  readonly clock: Clock;
  readonly random: Random;
  /** Of --seed. */
  readonly seed: bigint | undefined;
  /** Bytes of an address space. */
  readonly addressSpaceSize: number;
  /** Bytes of memory that there are for all programs together. */
  readonly memorySize: number;
  /** Whether what programs map is counted, and refused when it is more than that (--memory). */
  readonly countsMemory: boolean;
  /** CPUs that programs are told of. */
  readonly cpus: number;
  /** DSCR of threads that have set none of their own. */
  dscrDefault: bigint;
  readonly scheduler: Scheduler<Thread>;
  readonly futexes: FutexTable;
  readonly alarms: Alarms;
  /** System V objects. */
  readonly ipc: IpcObjects;
  /** The thread whose system call is being made. */
  readonly caller: Thread | undefined;
  /** Host time at which the thread that makes it began to run, or a few short calls before. */
  readonly began: bigint;
  /** uname(2) as the first program sees it; `machine` follows the program. */
  readonly uts: MachineSnapshot["uts"];
  /** Every process by pid, those that have ended and not been waited for included. */
  readonly processes: ReadonlyMap<number, Process>;
  /** A living thread. */
  thread(tid: number): Thread | undefined;
  /** Numbers the waits of threads in their order. */
  nextPlace(): number;
  /** A process or thread id that nobody has. */
  newPid(): number;
  /** Whether an id is that of a task, group or session. */
  isTaken(pid: number): boolean;
  /** Whether there can be another process. */
  readonly hasRoom: boolean;
  /** An address space for programs of an ABI, with nothing in it. */
  newMm(abi: AbiInfo, cpuModel: CpuModel): Mm;
  /**
   * Gives a 32-bit program on a 64-bit processor, which has not told them from zero so far, the upper halves of its registers. False where there
   * are none, or it has them already.
   */
  widen(mm: Mm): boolean;
  /** Gives up a process's hold on an address space. */
  releaseMm(process: Process): void;
  addProcess(process: Process): void;
  addThread(thread: Thread): void;
  /** Replaces the program of a process. Throws ElfError, HostError, SysError, with nothing changed. */
  exec(thread: Thread, request: ExecRequest): void;
  /** Ends a thread; the last one to go ends its process with `status`, an exit code. */
  exitThread(thread: Thread, status: number): void;
  /** Ends a process; `status` is a wait status (exit code << 8, or signal number | 0x80 for a core dump). */
  endProcess(process: Process, status: number): void;
  /** Forgets a process that has ended. */
  reap(process: Process): void;
  /** The timers of a process have to be looked at: one has been set or turned off, or has lost a signal it waited for. */
  noteTimer(process: Process): void;
  /** Brings the CPU times of processes and threads up to date; CLOCK_MONOTONIC at which they are so. */
  settleTime(): bigint;
  /** Tells a run loop that waits for the host that a thread has become runnable. */
  noteWake(): void;
}

/** What files need of their machine: the time, who makes a call, and which processes and threads there are. */
export type FileMachine = Pick<System, "clock" | "alarms" | "caller" | "processes" | "thread">;
