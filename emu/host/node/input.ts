/** Input that can make its reader wait: from a terminal, pipe or socket. */
import type net from "node:net";
import type tty from "node:tty";
import { HostError } from "../host.ts";
import { builtins, fs } from "./builtins.ts";
import { reopen, unlessBlocked } from "./descriptor.ts";

/** Bytes fetched when the guest only asks whether there is anything to read. */
const PREFETCH = 4096;

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
    ? new builtins.tty.ReadStream(fd, options as net.SocketConstructorOpts)
    : new builtins.net.Socket({
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

/** What can be read from one terminal, pipe or socket, for all descriptors that lead to it. */
export class Input {
  /** A terminal that gives whole lines, so that reading nothing is an end (^D) and not just nothing. */
  canonical = true;
  private readonly fd: number;
  private readonly kind: "tty" | "pipe" | "socket";
  private own: number | undefined;
  private watcher: Watcher | undefined;
  private watching = false;
  private fetched = new Uint8Array(0);
  private ended = false;
  private failure: Error | undefined;
  private readonly callbacks = new Set<() => void>();

  constructor(fd: number, kind: "tty" | "pipe" | "socket") {
    this.fd = fd;
    this.kind = kind;
  }

  private reader(): number {
    if (this.own === undefined) {
      const own = this.kind === "socket" ? undefined : reopen(this.fd, fs.constants.O_RDONLY);
      this.own = own ?? this.fd;
      // Where we share the descriptor, a watcher on it makes it non-blocking; node undoes that at exit.
      if (own === undefined) this.watch();
    }
    return this.own;
  }

  /** Makes reads and writes of a shared descriptor return at once. */
  unblock(): void {
    this.watch();
  }

  setRaw(raw: boolean): void {
    this.watch().setRaw(raw);
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
      if (count === into.length || this.ended || this.failure !== undefined) return count;
      return count + this.readMore(into.subarray(count));
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

  /** What there is besides bytes that have been fetched already, which an error must not lose. */
  private readMore(into: Uint8Array): number {
    try {
      return this.readNow(into) ?? 0;
    } catch (error) {
      this.failure = error as Error;
      return 0;
    }
  }

  /** Calls back once when there may be something to read. Returns a function that cancels. */
  onChange(callback: () => void): () => void {
    this.callbacks.add(callback);
    if (!this.watching && !this.ended && this.fetched.length === 0) {
      this.watching = true;
      this.watch().start();
    }
    return () => {
      this.callbacks.delete(callback);
      if (this.callbacks.size > 0) return;
      if (this.watching) this.watcher!.stop();
      this.watching = false;
    };
  }
}
