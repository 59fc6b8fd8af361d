/**
 * Output that can be full: to a terminal, pipe or socket. Nothing in node tells when a descriptor becomes writable, and only
 * writing tells whether it is. So what the host did not take of a write is held, as much as a pipe takes at once: the
 * stream is full as long as something is held, and an attempt to get rid of it is made now and then. Whoever asks first
 * (poll) and who simply writes therefore get the same answer.
 */
import { HostError } from "../host.ts";
import { fs } from "./builtins.ts";
import { reopen, unlessBlocked } from "./descriptor.ts";
import type { Input } from "./input.ts";

/** Bytes held at most: PIPE_BUF, which a pipe takes whole or not at all. */
const MOST_HELD = 4096;
/** Milliseconds between attempts to write what is held: first and longest. */
const RETRY_FIRST = 1;
const RETRY_LONGEST = 20;

/** What can be written to one terminal, pipe or socket, for all descriptors that lead to it. */
export class Output {
  private readonly fd: number;
  /** The other direction of a socket, which has to be made non-blocking as a whole. */
  private readonly socket: Input | undefined;
  private own: number | undefined;
  private held = new Uint8Array(0);
  private failure: Error | undefined;
  private retry: NodeJS.Timeout | undefined;
  private delay = RETRY_FIRST;
  private readonly callbacks = new Set<() => void>();

  constructor(fd: number, socket?: Input) {
    this.fd = fd;
    this.socket = socket;
  }

  /** A descriptor on which writes return at once. */
  get descriptor(): number {
    if (this.own === undefined) {
      this.socket?.unblock();
      const own = this.socket === undefined ? reopen(this.fd, fs.constants.O_WRONLY) : undefined;
      this.own = own ?? this.fd;
    }
    return this.own;
  }

  /** Bytes taken; undefined when it is full. Throws HostError, an error of what was held before included. */
  write(from: Uint8Array): number | undefined {
    if (from.length === 0) return 0;
    this.flush();
    const { failure } = this;
    if (failure !== undefined) {
      this.failure = undefined;
      throw failure;
    }
    if (this.held.length > 0) return undefined;
    const taken = this.writeNow(from);
    if (taken < from.length) {
      this.held = from.slice(taken, taken + MOST_HELD);
      this.delay = RETRY_FIRST;
      this.retryLater();
    }
    return taken + this.held.length;
  }

  private writeNow(from: Uint8Array): number {
    return unlessBlocked(() => fs.writeSync(this.descriptor, from, 0, from.length, null)) ?? 0;
  }

  /** Writes what is held, as far as possible. */
  private flush(): void {
    if (this.held.length === 0) return;
    try {
      const taken = this.writeNow(this.held);
      this.held = this.held.subarray(taken);
      if (taken > 0) this.delay = RETRY_FIRST;
    } catch (error) {
      this.held = new Uint8Array(0);
      this.failure = error as HostError;
    }
    if (this.held.length > 0) return;
    clearTimeout(this.retry);
    this.retry = undefined;
    const due = [...this.callbacks];
    this.callbacks.clear();
    for (const callback of due) callback();
  }

  /** The timer keeps the process alive: what was taken from a program that has ended goes out all the same. */
  private retryLater(): void {
    this.retry ??= setTimeout(() => {
      this.retry = undefined;
      this.flush();
      if (this.held.length > 0) this.retryLater();
    }, this.delay);
    this.delay = Math.min(2 * this.delay, RETRY_LONGEST);
  }

  /** Whether a write would return at once. */
  writable(): boolean {
    this.flush();
    return this.held.length === 0;
  }

  /** Whether nobody reads it any more, as far as writing has shown. */
  broken(): boolean {
    return this.failure instanceof HostError && this.failure.code === "EPIPE";
  }

  /** Calls back once when there may be room. Returns a function that cancels. */
  onChange(callback: () => void): () => void {
    this.callbacks.add(callback);
    return () => this.callbacks.delete(callback);
  }
}
