/**
 * The streams a program inherits. Regular files are read and written in place, so that the offset they share
 * with other processes moves as it would for a native program. Anything that can make a reader wait is read
 * without blocking, and not before the guest asks, so that input it doesn't want stays for the next program.
 */
import fs from "node:fs";
import type net from "node:net";
import type tty from "node:tty";
import { HostError, type HostStat, type HostStream, type TerminalSettings } from "../host.ts";
import { hostCall, toHostStat } from "./files.ts";
import { changeTerminal } from "./terminal.ts";

const { constants } = fs;

/** Loaded when they are first needed: most runs never wait for input, and they cost milliseconds at start-up. */
const modules = {
  get net() {
    return process.getBuiltinModule("node:net");
  },
  get tty() {
    return process.getBuiltinModule("node:tty");
  },
};

/** Bytes fetched when the guest only asks whether there is anything to read. */
const PREFETCH = 4096;
/** Milliseconds between looks at a full output stream: first and longest. */
const RETRY_FIRST = 1;
const RETRY_LONGEST = 20;

const isCode = (error: unknown, code: string): boolean => (error as NodeJS.ErrnoException).code === code;

/** Runs a read or write that may have to wait: undefined then. */
function unlessBlocked(work: () => number): number | undefined {
  try {
    return hostCall(work);
  } catch (error) {
    if (isCode(error, "EAGAIN")) return undefined;
    throw error;
  }
}

/** What Linux tells about an open descriptor beyond stat. */
function descriptorInfo(fd: number): { flags: number; position: bigint } | undefined {
  try {
    const text = fs.readFileSync(`/proc/self/fdinfo/${fd}`, "latin1");
    const field = (name: string) => new RegExp(`^${name}:\\s*(\\d+)`, "m").exec(text)?.[1] ?? "0";
    return { flags: Number.parseInt(field("flags"), 8), position: BigInt(field("pos")) };
  } catch {
    return undefined;
  }
}

function accessOf(fd: number): HostStream["access"] {
  const flags = descriptorInfo(fd)?.flags;
  if (flags === undefined) return { read: fd === 0, write: fd !== 0, append: false };
  const mode = flags & 3;
  return { read: mode !== constants.O_WRONLY, write: mode !== 0, append: (flags & constants.O_APPEND) !== 0 };
}

function kindOf(fd: number, stat: HostStat): HostStream["kind"] {
  if (stat.kind === "file" || stat.kind === "directory") return "file";
  if (stat.kind === "fifo") return "pipe";
  if (stat.kind === "socket") return "socket";
  return modules.tty.isatty(fd) ? "tty" : "char";
}

function pathOf(fd: number): string | undefined {
  try {
    return fs.readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return undefined;
  }
}

/** A regular file, a directory or a device that never makes anyone wait (/dev/null). */
function directStream(fd: number, kind: "file" | "char", stat: HostStat): HostStream {
  return {
    kind,
    path: kind === "file" ? pathOf(fd) : undefined,
    access: accessOf(fd),
    stat: () => hostCall(() => toHostStat(fs.fstatSync(fd, { bigint: true }))),
    tell: () => descriptorInfo(fd)?.position ?? 0n,
    readable: () => true,
    read: (into) => hostCall(() => fs.readSync(fd, into, 0, into.length, null)),
    writable: () => true,
    write: (from) => hostCall(() => fs.writeSync(fd, from, 0, from.length, null)),
    onChange: () => () => {},
    handle: stat.kind === "file" ? fd : undefined,
  };
}

/** Makes node wait for input on a descriptor. */
interface Watcher {
  start(): void;
  stop(): void;
  setRaw(raw: boolean): void;
}

/**
 * Node only tells that there is input by reading it: so one byte is read, and the rest stays where it is.
 * `received` gets the byte, or null at the end. The descriptor is non-blocking from here on.
 */
function watch(
  fd: number,
  isTerminal: boolean,
  received: (bytes: Uint8Array | null, error?: Error) => void,
): Watcher {
  const options = {
    manualStart: true,
    onread: {
      buffer: new Uint8Array(1),
      callback: (length: number, bytes: Uint8Array) => {
        received(bytes.slice(0, length));
        return false;
      },
    },
  };
  const socket = isTerminal
    ? new modules.tty.ReadStream(fd, options as net.SocketConstructorOpts)
    : new modules.net.Socket({
        fd,
        readable: true,
        writable: false,
        ...options,
      } as net.SocketConstructorOpts);
  socket.on("end", () => received(null));
  socket.on("error", (error) => received(null, error));
  socket.unref();
  return {
    start() {
      socket.ref();
      socket.resume();
    },
    stop() {
      socket.pause();
      socket.unref();
    },
    setRaw: (raw) => {
      if (isTerminal) (socket as tty.ReadStream).setRawMode(raw);
    },
  };
}

/** A terminal, pipe or socket. */
class WaitingStream implements HostStream {
  readonly kind: "tty" | "pipe" | "socket";
  readonly path = undefined;
  readonly access: HostStream["access"];
  readonly terminal: HostStream["terminal"];
  private readonly fd: number;
  private input: number | undefined;
  private output: number | undefined;
  private watcher: Watcher | undefined;
  private watching = false;
  private fetched = new Uint8Array(0);
  private ended = false;
  /** A terminal that gives whole lines, so that reading nothing is an end (^D) and not just nothing. */
  private canonical = true;
  private failure: Error | undefined;
  private full = false;
  private retry: NodeJS.Timeout | undefined;
  private delay = RETRY_FIRST;
  private readonly callbacks = new Set<() => void>();

  constructor(fd: number, kind: "tty" | "pipe" | "socket") {
    this.fd = fd;
    this.kind = kind;
    this.access = accessOf(fd);
    if (kind === "tty") {
      this.terminal = {
        size: () => this.size(),
        change: (settings) => this.change(settings),
      };
    }
  }

  stat(): HostStat {
    return hostCall(() => toHostStat(fs.fstatSync(this.fd, { bigint: true })));
  }

  private change(settings: TerminalSettings): void {
    const { icanon } = settings;
    if (typeof icanon === "boolean") this.canonical = icanon;
    if (changeTerminal(this.fd, settings) || icanon === undefined) return;
    this.watch().setRaw(!this.canonical);
  }

  /** A descriptor of our own for the same pipe or terminal: O_NONBLOCK on it disturbs nobody else. */
  private reopen(flags: number): number | undefined {
    if (this.kind === "socket") return undefined;
    try {
      return fs.openSync(`/proc/self/fd/${this.fd}`, flags | constants.O_NONBLOCK | constants.O_NOCTTY);
    } catch {
      return undefined;
    }
  }

  private reader(): number {
    if (this.input === undefined) {
      const own = this.reopen(constants.O_RDONLY);
      this.input = own ?? this.fd;
      // Where we share the descriptor, a watcher on it makes it non-blocking; node undoes that at exit.
      if (own === undefined) this.watch();
    }
    return this.input;
  }

  private watch(): Watcher {
    this.watcher ??= watch(this.reader(), this.kind === "tty", (bytes, error) => {
      this.watching = false;
      this.watcher?.stop();
      if (bytes === null) {
        this.ended = true;
        this.failure = error;
        // A terminal goes on after ^D, with another watcher.
        if (this.kind === "tty") this.watcher = undefined;
      } else this.keep(bytes);
      this.notify();
    });
    return this.watcher;
  }

  private keep(bytes: Uint8Array): void {
    const joined = new Uint8Array(this.fetched.length + bytes.length);
    joined.set(this.fetched);
    joined.set(bytes, this.fetched.length);
    this.fetched = joined;
  }

  private notify(): void {
    const due = [...this.callbacks];
    this.callbacks.clear();
    for (const callback of due) callback();
  }

  readable(): boolean {
    if (this.fetched.length > 0 || this.ended) return true;
    const bytes = new Uint8Array(PREFETCH);
    try {
      const got = this.readNow(bytes);
      if (got === undefined || (got === 0 && !this.canonical)) return false;
      if (got === 0) this.ended = true;
      else this.keep(bytes.subarray(0, got));
    } catch (error) {
      this.ended = true;
      this.failure = error as Error;
    }
    return true;
  }

  available(): number {
    return this.readable() ? this.fetched.length : 0;
  }

  private readNow(into: Uint8Array): number | undefined {
    const fd = this.reader();
    return unlessBlocked(() => fs.readSync(fd, into, 0, into.length, null));
  }

  read(into: Uint8Array): number | undefined {
    if (into.length === 0) return 0;
    const count = Math.min(into.length, this.fetched.length);
    if (count > 0) {
      into.set(this.fetched.subarray(0, count));
      this.fetched = this.fetched.slice(count);
      if (count === into.length || this.ended) return count;
      return count + (this.readNow(into.subarray(count)) ?? 0);
    }
    if (this.failure !== undefined) {
      const { failure } = this;
      this.failure = undefined;
      throw failure instanceof HostError ? failure : new HostError("EIO", failure.message);
    }
    if (this.ended) {
      // A terminal's end of file (^D) is one event: the next read waits again.
      if (this.kind === "tty") this.ended = false;
      return 0;
    }
    return this.readNow(into);
  }

  onChange(callback: () => void): () => void {
    this.callbacks.add(callback);
    if (this.full) this.retryLater();
    if (this.access.read && !this.watching && !this.ended && this.fetched.length === 0) {
      this.watching = true;
      this.watch().start();
    }
    return () => {
      this.callbacks.delete(callback);
      if (this.callbacks.size > 0) return;
      if (this.watching) this.watcher!.stop();
      this.watching = false;
      clearTimeout(this.retry);
      this.retry = undefined;
    };
  }

  private writer(): number {
    if (this.output === undefined) this.output = this.reopen(constants.O_WRONLY) ?? this.fd;
    return this.output;
  }

  write(from: Uint8Array): number | undefined {
    const taken = unlessBlocked(() => fs.writeSync(this.writer(), from, 0, from.length, null));
    this.full = taken === undefined;
    if (!this.full) this.delay = RETRY_FIRST;
    return taken;
  }

  /** Nothing in node tells when a descriptor becomes writable: after a refusal, wait and try again. */
  writable(): boolean {
    return !this.full;
  }

  private retryLater(): void {
    if (this.retry !== undefined) return;
    this.retry = setTimeout(() => {
      this.retry = undefined;
      this.full = false;
      this.notify();
    }, this.delay);
    this.delay = Math.min(2 * this.delay, RETRY_LONGEST);
  }

  private size(): { rows: number; columns: number } {
    for (const stream of [process.stdout, process.stderr]) {
      if (stream.isTTY) return { rows: stream.rows, columns: stream.columns };
    }
    const [columns, rows] = new modules.tty.WriteStream(this.writer()).getWindowSize();
    return { rows, columns };
  }
}

/** The stream behind one of node's own descriptors; undefined when it is closed. */
export function nodeStream(fd: number): HostStream | undefined {
  let stat: HostStat;
  try {
    stat = toHostStat(fs.fstatSync(fd, { bigint: true }));
  } catch {
    return undefined;
  }
  const kind = kindOf(fd, stat);
  return kind === "file" || kind === "char" ? directStream(fd, kind, stat) : new WaitingStream(fd, kind);
}

/** Writes all of a message to a descriptor that may be full, waiting as long as there is progress. */
export function writeAll(fd: number, bytes: Uint8Array): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let at = 0, refusals = 0; at < bytes.length && refusals < 200; ) {
    try {
      at += fs.writeSync(fd, bytes, at);
      refusals = 0;
    } catch (error) {
      if (!isCode(error, "EAGAIN")) return;
      refusals++;
      Atomics.wait(pause, 0, 0, 5);
    }
  }
}
