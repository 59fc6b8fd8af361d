/** What the kernel itself asks of the areas that other folders implement. */

import type { MappedFile } from "../memory/mapped-file.ts";
import type { SharedObject } from "../memory/shared-object.ts";

import type {
  FileReference,
  FilesSnapshot,
  IdentitySnapshot,
  KnownFileSnapshot,
  LockSnapshot,
  OpenFileSnapshot,
  PipeSnapshot,
  ProcessSnapshot,
  UnlinkedFileSnapshot,
} from "../snapshot.ts";
import type { Process } from "./process.ts";

/** Objects that several processes, descriptors or areas share: each goes into its snapshot table once. */
export interface FreezeTables {
  /** Index in `sharedObjects`; adds it at first sight. */
  sharedObject(object: SharedObject): number;
  /** The tables that the files area fills. */
  readonly openFiles: OpenFileSnapshot[];
  readonly pipes: PipeSnapshot[];
  readonly locks: LockSnapshot[];
  readonly unlinkedFiles: UnlinkedFileSnapshot[];
  readonly identities: IdentitySnapshot[];
  readonly knownFiles: KnownFileSnapshot[];
  /** What no thaw could bring back, in words. */
  readonly obstacles: string[];
  /** Whether files go along with their contents though they have names. */
  readonly includeFiles: boolean;
}

/** A program file as exec needs it. */
export interface ProgramFile {
  /** Canonical absolute guest path. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly file?: MappedFile;
}

/** What a program is started with. */
export interface ExecRequest {
  program: ProgramFile;
  argv: readonly Uint8Array[];
  env: readonly Uint8Array[];
  /** The path as execve got it: that of the script, where it is one. */
  execfn: Uint8Array;
  /** It was named by a descriptor alone: the task is called what the program's file is. */
  isNameless?: boolean;
}

/** The files of one process, or of threads of it that have others. */
export interface ProcessFiles {
  readonly process: Process;
  /** Threads that have them. */
  users: number;
  readonly cwd: string;
  umask: number;
  /** Opens a file for execution. Throws HostError (ENOENT, EACCES, ...). */
  openProgram(path: string): ProgramFile;
  /**
   * The same, and undefined where nothing is there; a relative path begins at a descriptor. Throws ELOOP for a symlink that is not to be
   * followed.
   */
  openProgramIfThere(path: string, dirfd?: number, follow?: boolean): ProgramFile | undefined;
  /**
   * The file behind a descriptor for mmap, and whether a shared mapping may be written, now or later. Throws HostError EBADF, EACCES,
   * ENODEV. `shared`: MAP_SHARED.
   */
  mappable(fd: number, access: { shared: boolean; write: boolean }): { file: MappedFile; mayWrite: boolean };
  /** The shared object of a file: one for each file, so that all mappings of it see each other. */
  sharedObject(file: MappedFile): SharedObject;
  /** How a snapshot refers to the file of a mapping. */
  freezeMapped(file: MappedFile, tables: FreezeTables): FileReference;
  /** The file of a snapshot's mapping; `write`: for shared mappings, writable where it may be. */
  mappedFile(file: FileReference, write?: boolean): MappedFile;
  /** The files of a child, or of a thread of this process: what is not to be shared is copied, with the same files behind the descriptors. */
  fork(child: Process, shares: { descriptors: boolean; fs: boolean }): ProcessFiles;
  /** The files that a thaw has made for a thread of its own. Throws RangeError where it has made none. */
  thawed(tid: number): ProcessFiles;
  /** Whether one of the streams that the machine has inherited is open. */
  readonly reachesOutside: boolean;
  /** The table of descriptors, by which processes that share it are known; what they share of working directory and umask. */
  readonly table: object;
  readonly fs: object;
  /** Takes over another process's table of descriptors, or its working directory and umask (thaw). */
  joinTable(other: ProcessFiles): void;
  joinFs(other: ProcessFiles): void;
  /** Gives who has them a table of descriptors of its own. */
  unshare(): void;
  unshareFs(): void;
  /** execve: closes what is marked close-on-exec. */
  exec(): void;
  /** A thread has ended, or has others: the last one closes everything. */
  leave(): void;
  close(): void;
  /** The process has ended. */
  exit(): void;
  /** `id`: the process, or a thread with files of its own. */
  freeze(tables: FreezeTables, id: number): FilesSnapshot;
}

/** The timers of one process. */
export interface ProcessTimers {
  /** Whether any timer is set; nothing else need be asked while none is. */
  readonly any: boolean;
  /** Whether one of CPU time is: then that has to be known all the time. */
  readonly anyOfCpu: boolean;
  /** CLOCK_MONOTONIC nanoseconds at which the next timer of real time expires. */
  nextDeadline(): bigint | undefined;
  /** CPU time in nanoseconds (process.cpuTime) at which the next CPU-time timer expires. */
  nextCpuDeadline(): bigint | undefined;
  /** Sends the signals of timers that are due by kernel.clock and process.cpuTime, and sets them again. */
  expire(): void;
  /** execve(2). */
  exec(): void;
  /** All timers go. */
  exit(): void;
  freeze(): Pick<ProcessSnapshot, "intervalTimers" | "posixTimers">;
  thaw(snapshot: Pick<ProcessSnapshot, "intervalTimers" | "posixTimers">): void;
}
