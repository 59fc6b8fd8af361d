/**
 * What the machine needs from outside, as one interface: a Node side is in `node/`; a browser gives its own.
 * Synchronous throughout except where a call says otherwise: waiting is done by the personality's scheduler.
 */

import { TracelessError } from "../traceless.ts";

/** Runs `work` in which V8 doesn't note where errors are made. */
export function withoutTraces<T>(work: () => T): T {
  const engine = Error as { stackTraceLimit?: number };
  const { stackTraceLimit } = engine;
  engine.stackTraceLimit = 0;
  try {
    return work();
  } finally {
    engine.stackTraceLimit = stackTraceLimit;
  }
}

/** A host error with Linux's symbolic errno name ("ENOENT"), whatever the host's own numbers are. */
export class HostError extends TracelessError {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** What stat(2) says of a file. */
export interface HostStat {
  kind: "file" | "directory" | "symlink" | "fifo" | "socket" | "char" | "block";
  dev: bigint;
  ino: bigint;
  /** Permission bits with set-id and sticky, without the type. */
  mode: number;
  nlink: number;
  uid: number;
  gid: number;
  rdev: bigint;
  size: bigint;
  blocks: bigint;
  /** Nanoseconds since the epoch. */
  atime: bigint;
  mtime: bigint;
  ctime: bigint;
  /** When it was made, where the host knows. */
  btime?: bigint;
}

/** What a directory says of one of its entries. */
export interface HostEntry extends Pick<HostStat, "kind" | "dev" | "ino"> {
  name: string;
}

/** How `open` opens: all false is read-only. */
export interface HostOpenFlags {
  read: boolean;
  write: boolean;
  append?: boolean;
  create?: boolean;
  exclusive?: boolean;
  truncate?: boolean;
  directory?: boolean;
  /** Fail with ELOOP when the last component is a symlink. */
  noFollow?: boolean;
}

/** What somebody would like to do with a file. */
export interface HostAccess {
  read: boolean;
  write: boolean;
  execute: boolean;
}

/** The absolute path of something open at present; where it leads there no more, the last one that is known. */
export interface HostWhereabouts {
  path: string;
  isGone: boolean;
}

/** A directory of the host that stays the same one whatever happens to its names. */
export interface HostFolder {
  /** Whether it is the directory itself that is held, and not a name that is checked at each use. */
  readonly isHeld: boolean;
  /**
   * Runs `use` with a path of its entry `name` ("." is the directory itself). Throws ENOENT where the host finds it by
   * name only and that name leads elsewhere by now.
   */
  within<T>(name: string, use: (path: string) => T): T;
  stat(): HostStat;
  /** Its entries, but for those that go meanwhile or whose status is refused. */
  entries(): HostEntry[];
  /** Throws EACCES (or EROFS) where that access would be refused. */
  access(wanted: HostAccess): void;
  /** Its absolute path. */
  where(): HostWhereabouts;
  /** A text that is the same only as long as neither it nor a directory above it gets another name; undefined where there is none. */
  mark(): string | undefined;
  /** The directory it is in. */
  parent(): HostFolder;
  /** fsync(2); `data`: contents only. */
  sync(data: boolean): void;
  close(): void;
}

/**
 * Files of the host by host path. Every method throws HostError. Handles are small integers. No method waits
 * for a peer: a fifo or device is opened without blocking. Path strings stand for bytes as `names.ts` says.
 */
export interface HostFiles {
  /** Holds the directory at `path`, which must be no symlink. Throws ENOTDIR for anything else. */
  folder(path: string): HostFolder;
  /** A directory that has no name, for as long as it is held. */
  unnamedFolder(mode: number): HostFolder;
  /** A new folder that only the host's user can enter; its path. It goes with the host's program at the latest. */
  temporaryFolder(): string;
  /** Removes a folder and all that is in it. */
  removeTree(path: string): void;
  /** A handle that only says which file it is (fstat, reopen), of a symlink too; undefined where the host has no such thing. */
  pin(path: string): number | undefined;
  /** The path of an open file. */
  where(handle: number): HostWhereabouts;
  open(path: string, flags: HostOpenFlags, mode: number): number;
  /**
   * Opens the file behind a handle once more, whatever has become of its name. Throws ENOENT on hosts that can't.
   */
  reopen(handle: number, flags: HostOpenFlags): number;
  /** A new, empty file that has no name and goes when it is closed, to be read and written. */
  openUnnamed(): number;
  /** The same in the file system of a folder, where `nameUnnamed` may give it a name. Throws EOPNOTSUPP where there is no such thing. */
  openNameable(folder: string): number;
  /** Gives a file that has none a name. Throws EEXIST; EOPNOTSUPP where the host can't. */
  nameUnnamed(handle: number, path: string): void;
  close(handle: number): void;
  /** `position` null reads at and moves the handle's own position. Returns bytes read, 0 at the end. */
  read(handle: number, into: Uint8Array, position: number | null): number;
  write(handle: number, from: Uint8Array, position: number | null): number;
  /** The pieces of a file, in order, outside of which it is all zero. */
  occupied(handle: number, start: number, end: number): Iterable<{ position: number; length: number }>;
  fstat(handle: number): HostStat;
  /** Does not follow a symlink in the last component. */
  lstat(path: string): HostStat;
  /** As `lstat`; undefined where there is no such file, which walks find all day and an error costs more than the question. */
  look(path: string): HostStat | undefined;
  readlink(path: string): string;
  readdir(path: string): string[];
  mkdir(path: string, mode: number): void;
  rmdir(path: string): void;
  unlink(path: string): void;
  rename(from: string, to: string): void;
  link(from: string, to: string): void;
  symlink(target: string, path: string): void;
  ftruncate(handle: number, length: number): void;
  /** `data`: contents only, not times. */
  fsync(handle: number, data?: boolean): void;
  /** Throws ELOOP for a symlink. */
  chmod(path: string, mode: number): void;
  fchmod(handle: number, mode: number): void;
  /** Nanoseconds since the epoch; of a symlink itself where the path names one. */
  utimes(path: string, atime: bigint, mtime: bigint): void;
  futimes(handle: number, atime: bigint, mtime: bigint): void;
  /** Of a symlink itself where the path names one. */
  chown(path: string, uid: number, gid: number): void;
  fchown(handle: number, uid: number, gid: number): void;
  /** Throws EACCES (or EROFS) where that access would be refused. Nobody is refused a symlink, which is not followed. */
  access(path: string, wanted: HostAccess): void;
  /** Absolute host path with every symlink resolved. */
  realpath(path: string): string;
  /** Of the file system that holds what is at `path`, which may be a symlink. */
  statfs(path: string): {
    bsize: number;
    blocks: bigint;
    bfree: bigint;
    bavail: bigint;
    files: bigint;
    ffree: bigint;
  };
}

/** Keeps translations of guest code from one run to the next. Nothing depends on it but time; nothing of it throws. */
export interface HostTranslations {
  /** What was saved under a name, if it was saved by this version of ppcr on this kind of host and is sound. */
  load(name: string): Uint8Array<ArrayBuffer> | undefined;
  /** `label` says what it belongs to, for people to read. */
  save(name: string, label: string, parts: readonly Uint8Array[]): void;
  /** What the host's engine has made of a module, if it has optimised `code`, a function of it. */
  serialize(module: WebAssembly.Module, code: () => unknown): Uint8Array | undefined;
  /** The module again. */
  deserialize(native: Uint8Array, wire: Uint8Array): WebAssembly.Module | undefined;
}

/**
 * Another thread that translates guest code while the guest runs: what it is sent it gives to `fulfil` of the library, and sends the result
 * back. Nothing depends on it but time. Nothing of it throws.
 */
export interface HostTranslator {
  /** Whether it has begun to work. */
  readonly isReady: boolean;
  /** Whether it works no more, for whatever reason: what it has not answered by then it never will. */
  readonly hasEnded: boolean;
  /** Sends it a copy of a request. */
  send(request: unknown): void;
  /** Its next answer, undefined while there is none. Asked for a thousand times a second. */
  receive(): unknown;
  /** Lets go of it. */
  end(): void;
}

/** The times of the host. */
export interface HostClock {
  /** Nanoseconds since the epoch. */
  realtime(): bigint;
  /** Nanoseconds since some fixed moment; never goes back. */
  monotonic(): bigint;
  /** What `realtime` is ahead of `monotonic` until somebody sets the clock, where that can be said: guests tell the time without asking then. */
  difference?(): bigint;
}

/**
 * Settings of a terminal by their names in stty(1): modes are on or off, control characters are codes (0 is none), "min" and "time"
 * are what VMIN and VTIME of termios hold.
 */
export type TerminalSettings = Readonly<Record<string, boolean | number>>;

/** What somebody waits for at a stream. */
export interface Interest {
  read?: boolean;
  write?: boolean;
}

/** A stream that came from outside: stdin, stdout, stderr. */
export interface HostStream {
  /** What is behind it. */
  readonly kind: "file" | "tty" | "pipe" | "socket" | "char";
  /** Host path when a regular file or directory is behind it. */
  readonly path: string | undefined;
  stat(): HostStat;
  /** Whether a read would return at once (data, end, or error). */
  readable(): boolean;
  /** How it was opened. */
  readonly access: { read: boolean; write: boolean; append: boolean };
  /** Present offset of a regular file, as other holders of the descriptor see it. */
  tell?(): bigint;
  /** Bytes that are known to be there to read, at least. */
  available?(): number;
  /** Bytes at once, up to `into.length`; 0 at the end; undefined when it would block. */
  read(into: Uint8Array): number | undefined;
  /** Bytes taken, or undefined when it would block: copied, since the array is used again. Throws HostError EPIPE and the like. */
  write(from: Uint8Array): number | undefined;
  writable(): boolean;
  /** Whether a write has shown that nobody reads it any more. */
  broken?(): boolean;
  /**
   * Calls back once when readable or writable may have changed; with `interest` only what is in it need be watched. Returns a
   * function that cancels.
   */
  onChange(callback: () => void, interest?: Interest): () => void;
  /** Size and settings, where it is a terminal. */
  readonly terminal?: {
    size(): { rows: number; columns: number };
    /** Changes some settings, as far as the host can. What they were before comes back when the host's program ends. */
    change(settings: TerminalSettings): void;
  };
  /** The handle for positioned access when a regular file is behind it. */
  readonly handle?: number;
}

/** A numeric internet address and a port. */
export interface HostAddress {
  readonly address: string;
  readonly port: number;
}

/** What happens to a connection of the host. After `failed` and `closed` nothing does any more. */
export interface ConnectionEvents {
  /** It is there; `local` is its own address. */
  connected(local: HostAddress): void;
  data(bytes: Uint8Array): void;
  /** The other side sends no more. */
  ended(): void;
  /** Everything that was written has been taken by the host. */
  drained(): void;
  /** By its errno's name. */
  failed(code: string): void;
  closed(): void;
}

/** A TCP connection of the host. */
export interface HostConnection {
  /** False where no more should be written before `drained`. */
  write(bytes: Uint8Array): boolean;
  /** Nothing more will be written. */
  end(): void;
  /** Lets go of it; `reset`: the other side is to see it broken off. */
  destroy(reset: boolean): void;
  /** Whether more data is welcome. */
  hold(isHeld: boolean): void;
}

/** Something of the host that can be closed. */
export interface HostListener {
  close(): void;
}

/** A UDP socket of the host. */
export interface HostDatagrams extends HostListener {
  send(bytes: Uint8Array, to: HostAddress): void;
}

/** The host's network, as far as a machine is given it. */
export interface HostNetwork {
  connect(to: HostAddress, events: ConnectionEvents): HostConnection;
  /**
   * Takes connections at an address. `take` gets each of them, from where it comes, and a function that has it begin. `failed`
   * is called where the address can't be had.
   */
  listen(
    at: HostAddress,
    take: (from: HostAddress, begin: (events: ConnectionEvents) => HostConnection) => void,
    failed: (code: string) => void,
  ): HostListener;
  datagrams(
    version: 4 | 6,
    receive: (bytes: Uint8Array, from: HostAddress) => void,
    failed: (code: string) => void,
  ): HostDatagrams;
}

/** Everything the machine needs from outside; give another one to run it elsewhere, or in a test. */
export interface Host {
  readonly files: HostFiles;
  readonly clock: HostClock;
  /** Fills with cryptographically random bytes. */
  random(into: Uint8Array): void;
  /** File mode creation mask that the program starts with. */
  readonly umask: number;
  /** Who this program runs as, where the host has such a notion: the owner of files that the guest creates. */
  readonly user?: { uid: number; gid: number };
  /** By the descriptor number they had: 0, 1, 2. */
  readonly streams: ReadonlyMap<number, HostStream>;
  /** Its network, where programs may be given some of it. */
  readonly network?: HostNetwork;
  /** Where translated code is kept, if it is. */
  readonly translations?: HostTranslations;
  /** Begins another thread that translates, where there are such. Asked for once, when a program has run for some time. Nothing of it throws. */
  readonly translator?: () => HostTranslator | undefined;
  /** Modules of WebAssembly that have been made before, by name: nothing depends on them but time. Nothing of it throws. */
  readonly prepared?: (name: string) => WebAssembly.Module | undefined;
  /** SHA-256, incrementally. */
  sha256(): { update(bytes: Uint8Array): void; digest(): Uint8Array };
  /** Resolves after about `milliseconds`, or when `cancel` is called. */
  sleep(milliseconds: number): { done: Promise<void>; cancel(): void };
  /** The machine begins to run, or no longer does: in between nobody else has a turn, and it may have what it gives back at the end. */
  onRun?(runs: boolean): void;
  /** Lets other work of the host (terminal, control requests) run, then resolves. */
  yield(): Promise<void>;
  /** Writes a message to the user (stderr), without the "ppcr: " prefix. */
  warn(message: string): void;
}
