/** What /proc shows: the state of the machine and its processes as those see it who write the files there. */
import type { Areas } from "../../memory/area-map.ts";
import type { SharedObject } from "../../memory/shared-object.ts";
import type { Vma } from "../../memory/vma.ts";
import type { ProcessSnapshot } from "../../snapshot.ts";
import type { Credentials } from "../credentials.ts";
import type { IpcObjects } from "../ipc/ipc-objects.ts";
import type { Scheduling } from "../scheduling.ts";
import type { Usage } from "../usage.ts";
import type { Descriptors } from "./descriptors.ts";
import type { Identities } from "./identities.ts";
import type { LockTable } from "./locks.ts";
import type { MountEntry } from "./mount-table.ts";
import type { OpenFile } from "./open-file.ts";
import type { ProcSockets } from "./proc-sockets.ts";
import type { MemoryAccess } from "./synthetic.ts";

/** What /proc shows of one thread. */
export interface ProcThread {
  readonly tid: number;
  readonly comm: string;
  /** R, S, T. */
  readonly state: string;
  /** Process that traces it, or 0. */
  readonly tracer: number;
  readonly cpuTime: bigint;
  readonly credentials: Credentials;
  readonly noNewPrivs: boolean;
  /** seccomp(2): the mode in numbers, and how many filters it has. */
  readonly confinement: { readonly mode: number; readonly filters: number };
  /** Signals that are pending for it alone. */
  readonly pending: bigint;
  /** Signals that it blocks. */
  readonly blocked: bigint;
  /** CPUs that it may run on: bit n is CPU n. */
  readonly cpus: bigint;
  readonly scheduling: Scheduling;
  /** CLOCK_MONOTONIC when it began. */
  readonly startTime: bigint;
  /** The system call that it makes or waits in; undefined where it runs. */
  call(): ShownCall | undefined;
  /** Those of its process, unless it has others. */
  readonly files: ProcFiles;
}

/** A system call in progress: its number and arguments, and the registers that Linux shows with them. */
interface ShownCall {
  readonly number: number;
  readonly words: readonly bigint[];
  readonly stack: bigint;
  readonly next: bigint;
}

/** Files of a process or thread. */
interface ProcFiles {
  /** The working directory. */
  readonly directory: OpenFile;
  readonly umask: number;
  readonly descriptors: Descriptors;
}

/** What /proc shows of one process; the kernel gives it. */
export interface ProcProcess extends ProcFiles {
  readonly pid: number;
  readonly ppid: number;
  readonly pgid: number;
  readonly sid: number;
  /** Device number of its controlling terminal, and the group in the foreground; 0 and -1 where that is none of the machine's own. */
  readonly terminal: { readonly device: number; readonly foreground: number };
  readonly comm: string;
  /** Guest path of the program. */
  readonly exe: string;
  /** personality(2). */
  readonly personality: number;
  readonly scheduling: Scheduling;
  readonly credentials: Credentials;
  /** R, S, T, Z. */
  readonly state: string;
  /** Process that traces it, or 0. */
  readonly tracer: number;
  /** Wait status once it has ended, else 0. */
  readonly exitStatus: number;
  readonly exitSignal: number;
  readonly threads: readonly ProcThread[];
  readonly children: readonly number[];
  readonly oomScoreAdj: number;
  setOomScoreAdj(value: number): void;
  /** Gives one of its threads a name. */
  rename(tid: number, name: Uint8Array): void;
  /** All locks of the machine. */
  readonly locks: LockTable;
  /** By what numbers programs know files. */
  readonly identities: Identities;
  /** All sockets of the machine. */
  readonly sockets: ProcSockets;
  mounts(): readonly MountEntry[];
  /** Its POSIX timers. */
  timers(): ProcessSnapshot["posixTimers"];
  /** Bytes of its address space, and its byte order. */
  readonly limit: number;
  readonly littleEndian: boolean;
  /** CLOCK_MONOTONIC. */
  readonly now: bigint;
  readonly areas: Areas;
  /** Key and id of the System V segment that a shared mapping shows. */
  segment(object: SharedObject): { key: number; id: number } | undefined;
  /** How many pages of an area are present, and how many of them have been written. */
  usage(area: Vma): { present: number; written: number };
  readonly memory: {
    startCode: number;
    endCode: number;
    startStack: number;
    startBrk: number;
    brk: number;
    startData: number;
    endData: number;
    argStart: number;
    argEnd: number;
    envStart: number;
    envEnd: number;
  };
  /** Bytes of guest memory that are there now; those that aren't read as zeros. */
  peek(address: number, length: number): Uint8Array;
  /** Its memory for /proc/PID/mem. */
  readonly access: MemoryAccess;
  /** The auxiliary vector as it lies in memory. */
  auxv(): Uint8Array;
  /** Signal sets: bit n - 1 is signal n. */
  readonly signals: {
    pending: bigint;
    pendingOfLeader: bigint;
    blocked: bigint;
    ignored: bigint;
    caught: bigint;
  };
  /** CPUs that its first thread may run on: bit n is CPU n. */
  readonly cpus: bigint;
  /** CPU time in nanoseconds, and CLOCK_MONOTONIC when it began. */
  readonly cpuTime: bigint;
  readonly childCpuTime: bigint;
  /** What is counted of it besides. */
  readonly counted: Readonly<Usage>;
  readonly startTime: bigint;
  readonly limits: readonly { soft: bigint; hard: bigint }[];
}

/** What /proc shows of the machine. */
export interface ProcMachine {
  process(pid: number): ProcProcess | undefined;
  pids(): number[];
  /**
   * Nanoseconds since start-up, and the processor time, up to just then, of all processes that are there and of those that have been
   * waited for: the difference, which is idle time, never falls.
   */
  times(): { readonly uptime: bigint; readonly busy: bigint };
  /** Nanoseconds since start-up, and since the epoch. */
  uptime(): bigint;
  realtime(): bigint;
  /** The id that was given last. */
  readonly lastPid: number;
  readonly uts: { sysname: string; nodename: string; release: string; version: string };
  readonly cpu: {
    name: string;
    clockMhz: number;
    revision: string;
    timebase: number;
    platform: string;
    mmu: string;
  };
  /** Bits of a long, in the kernel that the program takes this for. */
  readonly longs: number;
  readonly memoryTotal: number;
  /** CPUs that programs are told of. */
  readonly cpus: number;
  random(into: Uint8Array): void;
  /** System V objects. */
  readonly ipc: IpcObjects;
  /** Pseudo-terminals that there are. */
  ptys(): number;
}
