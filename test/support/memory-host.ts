/** A host whose three streams are in memory: what a program writes can be read, what it is to read can be given. */
import type { Host, HostStat, HostStream } from "../../emu/host/host.ts";
import { nodeHost } from "../../emu/host/node/index.ts";

/** One direction of a pipe that is never full. */
export class MemoryStream implements HostStream {
  readonly kind = "pipe";
  readonly path = undefined;
  readonly access: HostStream["access"];
  private readonly waiting = new Set<() => void>();
  private bytes: number[] = [];
  private ended = false;

  constructor(direction: "in" | "out") {
    this.access = { read: direction === "in", write: direction === "out", append: false };
  }

  /** What has been written, one character a byte. */
  get text(): string {
    return Buffer.from(this.bytes).toString("latin1");
  }

  /** Gives a reader more. */
  feed(text: string): void {
    this.bytes.push(...Buffer.from(text, "latin1"));
    this.notify();
  }

  /** Gives a reader the end. */
  end(): void {
    this.ended = true;
    this.notify();
  }

  private notify(): void {
    const due = [...this.waiting];
    this.waiting.clear();
    for (const callback of due) callback();
  }

  stat(): HostStat {
    const time = 1_600_000_000_000_000_000n;
    const times = { atime: time, mtime: time, ctime: time };
    const owner = { mode: 0o600, nlink: 1, uid: 1000, gid: 1000 };
    return { kind: "fifo", dev: 1n, ino: 1n, rdev: 0n, size: 0n, blocks: 0n, ...owner, ...times };
  }
  readable(): boolean {
    return this.bytes.length > 0 || this.ended;
  }
  writable(): boolean {
    return true;
  }
  available(): number {
    return this.bytes.length;
  }
  read(into: Uint8Array): number | undefined {
    if (!this.readable()) return undefined;
    const taken = this.bytes.splice(0, into.length);
    into.set(taken);
    return taken.length;
  }
  write(from: Uint8Array): number {
    for (const byte of from) this.bytes.push(byte);
    return from.length;
  }
  onChange(callback: () => void): () => void {
    this.waiting.add(callback);
    return () => this.waiting.delete(callback);
  }
}

export interface MemoryHost extends Host {
  readonly stdin: MemoryStream;
  readonly stdout: MemoryStream;
  readonly stderr: MemoryStream;
  /** Messages for the user. */
  readonly warnings: string[];
}

/** This process's files and clock, and streams in memory. `input` is what stdin has; null leaves it open and empty. */
export function memoryHost(input: string | null = ""): MemoryHost {
  const [stdin, stdout, stderr] = [new MemoryStream("in"), new MemoryStream("out"), new MemoryStream("out")];
  const warnings: string[] = [];
  if (input !== null) {
    stdin.feed(input);
    stdin.end();
  }
  return {
    ...nodeHost({ descriptors: [], workingDirectory: true }),
    streams: new Map([stdin, stdout, stderr].entries()),
    warn: (message) => void warnings.push(message),
    stdin,
    stdout,
    stderr,
    warnings,
  };
}
