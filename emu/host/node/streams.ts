/**
 * The streams a program inherits. Regular files are read and written in place, so that the offset they share
 * with other processes moves as it would for a native program. Anything that can make a reader wait is read
 * without blocking, and not before the guest asks, so that input it doesn't want stays for the next program.
 */
import type { HostStat, HostStream, Interest, TerminalSettings } from "../host.ts";
import { builtins, fs } from "./builtins.ts";
import { isCode, isTerminal } from "./descriptor.ts";
import { hostCall } from "./files.ts";
import { Input } from "./input.ts";
import { statusOf } from "./node-status.ts";
import { Output } from "./output.ts";
import { changeTerminal } from "./terminal.ts";

const { constants } = fs;

/** What Linux tells about an open descriptor beyond stat. */
function descriptorInfo(fd: number): { flags: number; position: bigint } | undefined {
  let info: number;
  try {
    info = fs.openSync(`/proc/self/fdinfo/${fd}`, "r");
  } catch {
    return undefined;
  }
  try {
    // These two come first, in a line each.
    const head = Buffer.alloc(64);
    const [, position, flags] = /^pos:\s*(\d+)\nflags:\s*(\d+)\n/.exec(
      head.toString("latin1", 0, fs.readSync(info, head)),
    ) ?? ["", "0", "0"];
    return { flags: Number.parseInt(flags, 8), position: BigInt(position) };
  } finally {
    fs.closeSync(info);
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
  return isTerminal(fd) ? "tty" : "char";
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
    stat: () => hostCall(() => statusOf(fd)),
    tell: () => descriptorInfo(fd)?.position ?? 0n,
    readable: () => true,
    read: (into) => hostCall(() => fs.readSync(fd, into, 0, into.length, null)),
    writable: () => true,
    write: (from) => hostCall(() => fs.writeSync(fd, from, 0, from.length, null)),
    onChange: () => () => {},
    handle: stat.kind === "file" ? fd : undefined,
  };
}

/** One terminal, pipe or socket: what all descriptors that lead to it have in common. */
interface Endpoint {
  readonly input: Input;
  readonly output: Output;
}

function endpoint(fd: number, kind: "tty" | "pipe" | "socket"): Endpoint {
  const input = new Input(fd, kind);
  return { input, output: new Output(fd, kind === "socket" ? input : undefined) };
}

const BOTH: Interest = { read: true, write: true };

/** A descriptor of a terminal, pipe or socket. */
class WaitingStream implements HostStream {
  readonly kind: "tty" | "pipe" | "socket";
  readonly path = undefined;
  readonly access: HostStream["access"];
  readonly terminal: HostStream["terminal"];
  private readonly fd: number;
  private readonly input: Input;
  private readonly output: Output;

  constructor(fd: number, kind: "tty" | "pipe" | "socket", { input, output }: Endpoint) {
    this.fd = fd;
    this.kind = kind;
    this.input = input;
    this.output = output;
    this.access = accessOf(fd);
    if (kind === "tty") {
      this.terminal = {
        size: () => this.size(),
        change: (settings) => this.change(settings),
      };
    }
  }

  stat(): HostStat {
    return hostCall(() => statusOf(this.fd));
  }

  private change(settings: TerminalSettings): void {
    const { icanon } = settings;
    if (typeof icanon === "boolean") this.input.canonical = icanon;
    if (changeTerminal(this.fd, settings) || icanon === undefined) return;
    this.input.setRaw(!this.input.canonical);
  }

  readable(): boolean {
    return this.input.readable();
  }
  available(): number {
    return this.input.available();
  }
  read(into: Uint8Array): number | undefined {
    return this.input.read(into);
  }
  writable(): boolean {
    return this.output.writable();
  }
  write(from: Uint8Array): number | undefined {
    return this.output.write(from);
  }
  broken(): boolean {
    return this.output.broken();
  }

  onChange(callback: () => void, { read, write }: Interest = BOTH): () => void {
    const cancels: (() => void)[] = [];
    const once = () => {
      cancel();
      callback();
    };
    const cancel = () => {
      for (const each of cancels) each();
    };
    if (write && this.access.write) cancels.push(this.output.onChange(once));
    if (read && this.access.read) cancels.push(this.input.onChange(once));
    return cancel;
  }

  private size(): { rows: number; columns: number } {
    for (const stream of [process.stdout, process.stderr]) {
      if (stream.isTTY) return { rows: stream.rows, columns: stream.columns };
    }
    const [columns, rows] = new builtins.tty.WriteStream(this.output.descriptor).getWindowSize();
    return { rows, columns };
  }
}

/** The streams behind node's own descriptors, by descriptor; closed ones are left out. */
export function nodeStreams(descriptors: readonly number[]): Map<number, HostStream> {
  const streams = new Map<number, HostStream>();
  const endpoints = new Map<string, Endpoint>();
  for (const fd of descriptors) {
    const stat = statOf(fd);
    if (stat === undefined) continue;
    const kind = kindOf(fd, stat);
    if (kind === "file" || kind === "char") {
      streams.set(fd, directStream(fd, kind, stat));
      continue;
    }
    const key = `${stat.dev}:${stat.ino}`;
    let shared = endpoints.get(key);
    if (shared === undefined) endpoints.set(key, (shared = endpoint(fd, kind)));
    streams.set(fd, new WaitingStream(fd, kind, shared));
  }
  return streams;
}

function statOf(fd: number): HostStat | undefined {
  try {
    return statusOf(fd);
  } catch {
    return undefined;
  }
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
