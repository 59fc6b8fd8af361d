/** Pipes: a bounded buffer between descriptions of this machine. */
import type { AddressSpace } from "../../memory/address-space.ts";
import type { OpenFileSnapshot, PipeSnapshot } from "../../snapshot.ts";
import { WaitQueue } from "../wait-queue.ts";
import { O_ACCMODE, O_DIRECT, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } from "./constants.ts";
import { type FileStat, syntheticStat } from "./file-status.ts";
import { fileKey, type Whereabouts } from "./folder.ts";
import type { FreezeContext } from "./freeze-context.ts";
import type { Statuses } from "./location.ts";
import type { SharedHandle } from "./mapped-files.ts";
import { OpenFile, type Waitables } from "./open-file.ts";
import { Ring } from "./ring.ts";
import { fail } from "./synthetic.ts";
import { cannot, type Nodes, stateOf, type ThawContext } from "./thaw-context.ts";

/** Writes up to this many bytes are never mixed with others. */
export const PIPE_BUF = 4096;
const DEFAULT_CAPACITY = 65536;
/** /proc/sys/fs/pipe-max-size. */
const MAX_CAPACITY = 1048576;

export class Pipe {
  readonly queue = new WaitQueue();
  readers = 0;
  writers = 0;
  /** How often somebody has opened it to write. */
  writersEver = 0;
  readonly ino: bigint;
  capacity: number;
  private ring: Ring;
  /** Bytes that have been taken out so far. */
  private passed = 0;
  /** How often something has been put in, and how often there has come to be room for a page where there was none. */
  arrivals = 0;
  vacancies = 0;
  /** What was written as packets (O_DIRECT); their starts count from the first byte that was ever in the pipe. */
  private packets: { start: number; length: number }[] = [];

  constructor(ino: bigint, snapshot?: Omit<PipeSnapshot, "ino">) {
    this.ino = ino;
    const capacity = snapshot?.capacity ?? DEFAULT_CAPACITY;
    if (!(capacity >= PIPE_BUF && capacity <= MAX_CAPACITY)) fail("EINVAL", `pipe of ${capacity} bytes`);
    this.capacity = capacity;
    this.ring = new Ring(capacity);
    if (snapshot !== undefined) {
      if (snapshot.contents.length > capacity) fail("EINVAL", "pipe holds more than its capacity");
      this.put(snapshot.contents);
      for (const { start, length } of snapshot.packets ?? []) this.mark(start, length);
    }
  }

  /** Makes a packet of bytes that are in the pipe, behind all other packets. Throws EINVAL. */
  private mark(start: number, length: number): void {
    const last = this.packets.at(-1);
    const isBehind = last === undefined || start >= last.start + last.length;
    const isSound = start >= this.passed && length > 0 && length <= PIPE_BUF;
    if (!isBehind || !isSound || start + length > this.passed + this.size) fail("EINVAL", "packets overlap");
    this.packets.push({ start, length });
  }

  get size(): number {
    return this.ring.length;
  }
  get room(): number {
    return this.capacity - this.used;
  }
  /** Each packet has a page of its own. */
  private get used(): number {
    return this.packets.reduce((sum, { length }) => sum + PIPE_BUF - length, this.size);
  }

  /** Reads up to the end of a packet, of which what has no room is lost. */
  take(into: Uint8Array): number {
    const [packet] = this.packets;
    if (packet === undefined) return this.takeBytes(into);
    const before = this.takeBytes(into.subarray(0, packet.start - this.passed));
    if (before === into.length || this.passed < packet.start) return before;
    const whole = new Uint8Array(packet.length);
    this.packets.shift();
    this.takeBytes(whole);
    const piece = whole.subarray(0, into.length - before);
    into.set(piece, before);
    return before + piece.length;
  }

  private takeBytes(into: Uint8Array): number {
    const count = Math.min(into.length, this.size);
    this.ring.copy(into.subarray(0, count));
    this.advance(count);
    return count;
  }

  /** As `take`, into memory; packets go another way. */
  takeTo(memory: AddressSpace, address: number, length: number): number {
    const count = Math.min(length, this.size);
    this.ring.copyTo(memory, address, count);
    this.advance(count);
    return count;
  }
  get hasPackets(): boolean {
    return this.packets.length > 0;
  }

  private advance(count: number): void {
    const isFull = this.room < PIPE_BUF;
    this.ring.drop(count);
    this.passed += count;
    if (isFull && this.room >= PIPE_BUF) this.vacancies++;
    if (count > 0) this.queue.wake();
  }
  private arrive(count: number): number {
    if (count === 0) return 0;
    this.arrivals++;
    this.queue.wake();
    return count;
  }

  /** Drops what is first in it, packets or not; what is left of a packet stays one. */
  drop(count: number): void {
    this.advance(Math.min(count, this.size));
    this.packets = this.packets.flatMap(({ start, length }) => {
      const [from, end] = [Math.max(start, this.passed), start + length];
      return from < end ? [{ start: from, length: end - from }] : [];
    });
  }

  /** Copies up to `count` bytes from the beginning, which stay. */
  peek(count: number): Uint8Array {
    const { contents } = this.snapshot(Math.min(count, this.size));
    return contents;
  }

  put(from: Uint8Array): number {
    const count = Math.min(from.length, this.room);
    this.ring.put(from.subarray(0, count));
    return this.arrive(count);
  }

  /** As `put`, from memory. */
  putFrom(memory: AddressSpace, address: number, length: number): number {
    const count = Math.min(length, this.room);
    this.ring.putFrom(memory, address, count);
    return this.arrive(count);
  }

  /** An end has been closed. */
  left(): void {
    this.arrivals++;
    this.vacancies++;
    this.queue.wake();
  }

  /** Writes packets, of a page at most. */
  putPackets(from: Uint8Array): number {
    let done = 0;
    while (done < from.length && this.room >= PIPE_BUF) {
      const packet = from.subarray(done, done + PIPE_BUF);
      this.put(packet);
      this.mark(this.passed + this.size - packet.length, packet.length);
      done += packet.length;
    }
    return done;
  }

  /** F_SETPIPE_SZ: the size it got, a power of two of pages. Throws EBUSY, EPERM, EINVAL. */
  resize(wanted: number): number {
    if (wanted > 0x8000_0000) fail("EINVAL");
    let capacity = PIPE_BUF;
    while (capacity < wanted) capacity *= 2;
    if (capacity > MAX_CAPACITY) fail("EPERM", "larger than pipe-max-size");
    if (capacity < this.used) fail("EBUSY", "holds more than that");
    const { contents } = this.snapshot();
    this.capacity = capacity;
    this.ring = new Ring(capacity);
    this.ring.put(contents);
    this.vacancies++;
    this.queue.wake();
    return capacity;
  }

  snapshot(length = this.size): PipeSnapshot {
    const contents = new Uint8Array(length);
    this.ring.copy(contents);
    const packets = this.packets.map((packet) => ({ ...packet, start: packet.start - this.passed }));
    return { ino: this.ino, capacity: this.capacity, contents, ...(packets.length > 0 ? { packets } : {}) };
  }
}

/** How an end is open; "pipe-both" only for a named pipe. */
export type PipeKind = "pipe-read" | "pipe-write" | "pipe-both";

const ACCESS: Record<PipeKind, number> = {
  "pipe-read": O_RDONLY,
  "pipe-write": O_WRONLY,
  "pipe-both": O_RDWR,
};

/** One end of a pipe, or of a named pipe that is open both ways. */
export class PipeEnd extends OpenFile {
  readonly kind: PipeKind;
  readonly pipe: Pipe;
  private readonly reads: boolean;
  private readonly writes: boolean;
  /** The name of the named pipe that it is an end of, wherever that goes; and what a name leads to. */
  name: { readonly path: string } | undefined;
  private readonly statusAt: ((path: string) => FileStat | undefined) | undefined;
  /** Status of the named pipe while its name led to it. */
  private last: FileStat | undefined;
  /** Holds the file of one that had lost its name before a thaw. */
  private readonly held: SharedHandle | undefined;
  /** `pipe.writersEver` when it was opened to read and nobody wrote: until somebody does, nobody has gone away. */
  private opened: number;

  constructor(
    pipe: Pipe,
    kind: PipeKind,
    flags: number,
    named?: { name: { readonly path: string }; statusAt: (path: string) => FileStat | undefined },
    travelled?: { handle: SharedHandle; status: FileStat },
  ) {
    super(named?.name.path ?? "", (flags & ~O_ACCMODE) | ACCESS[kind]);
    this.name = named?.name;
    this.statusAt = named?.statusAt;
    const status = travelled?.status ?? named?.statusAt(named.name.path);
    if (status?.kind === "fifo") this.last = status;
    this.held = travelled?.handle.hold();
    this.pipe = pipe;
    this.kind = kind;
    this.reads = kind !== "pipe-write";
    this.writes = kind !== "pipe-read";
    this.opened = pipe.writers === 0 && !this.writes ? pipe.writersEver : -1;
    if (this.reads) pipe.readers++;
    if (this.writes) {
      pipe.writers++;
      pipe.writersEver++;
    }
  }

  /** Its status where its name still leads to it. */
  private named(): FileStat | undefined {
    const now = this.name && this.statusAt?.(this.name.path);
    const isIt = now?.kind === "fifo" && (this.last === undefined || fileKey(now) === fileKey(this.last));
    return isIt ? (this.last = now) : undefined;
  }
  override stat(): FileStat {
    const now = this.named();
    if (now !== undefined) return now;
    const last = this.last ?? syntheticStat("fifo", 0o600, this.pipe.ino, { dev: 0xcn, owner: "user" });
    return this.name === undefined ? last : { ...last, nlink: 0 };
  }
  override where(): Whereabouts {
    return this.name === undefined ? super.where() : { path: this.name.path, deleted: false };
  }

  override read(into: Uint8Array): number | undefined {
    if (into.length === 0) return 0;
    const count = this.pipe.take(into);
    return count > 0 || this.pipe.writers === 0 ? count : undefined;
  }

  override readTo(memory: AddressSpace, address: number, length: number): number | undefined {
    if (this.pipe.hasPackets) return super.readTo(memory, address, length);
    const count = this.pipe.takeTo(memory, address, length);
    return count > 0 || this.pipe.writers === 0 ? count : undefined;
  }

  /** Up to PIPE_BUF bytes go in whole or not at all. Throws EPIPE when nobody can read. */
  override write(from: Uint8Array): number | undefined {
    if (from.length === 0) return 0;
    if (this.pipe.readers === 0) fail("EPIPE", "nobody reads this pipe");
    if (this.takes(from.length) === 0) return undefined;
    return this.flags & O_DIRECT ? this.pipe.putPackets(from) : this.pipe.put(from);
  }
  override writeFrom(memory: AddressSpace, address: number, length: number): number | undefined {
    const isPlain = this.pipe.readers > 0 && (this.flags & O_DIRECT) === 0 && this.takes(length) > 0;
    return isPlain ? this.pipe.putFrom(memory, address, length) : super.writeFrom(memory, address, length);
  }
  override takes(length: number): number {
    const { readers, room } = this.pipe;
    if (readers === 0) return length;
    if (this.flags & O_DIRECT) return Math.min(length, room - (room % PIPE_BUF));
    return length <= PIPE_BUF && length > room ? 0 : Math.min(length, room);
  }

  override movesAtOnce(length: number, writes: boolean): boolean {
    return writes ? this.pipe.readers > 0 && this.takes(length) === length : this.pipe.size > 0;
  }

  override get isStream(): boolean {
    return true;
  }
  override get tellsOwner(): boolean {
    return true;
  }
  override get arrivals(): number {
    return this.pipe.arrivals;
  }
  override get vacancies(): number {
    return this.pipe.vacancies;
  }
  override readable(): boolean {
    return this.reads && (this.pipe.size > 0 || this.hangup());
  }
  override writable(): boolean {
    return this.writes && (this.pipe.room >= PIPE_BUF || this.pipe.readers === 0);
  }
  override hangup(): boolean {
    return this.reads && this.pipe.writers === 0 && this.pipe.writersEver !== this.opened;
  }
  override broken(): boolean {
    return this.writes && this.pipe.readers === 0;
  }
  override waitables(): Waitables {
    return { queues: [this.pipe.queue] };
  }
  override available(): number {
    return this.pipe.size;
  }

  override freeze(tables: FreezeContext): Partial<OpenFileSnapshot> {
    const isFresh = this.reads && this.pipe.writers === 0 && !this.hangup();
    return {
      ...{ pipe: tables.pipe(this.pipe), unlinked: this.travel(tables) },
      ...(isFresh ? { state: { kind: "fresh" } } : {}),
    };
  }
  /** Index among the files that travel of a named pipe that no name leads to any more; -1 for any other. */
  private travel(tables: FreezeContext): number {
    const { name, last } = this;
    if (name === undefined || last === undefined || this.named() !== undefined) return -1;
    return tables.travelNode({ key: fileKey(last), stat: () => this.stat() }, name.path);
  }
  /** After a thaw: whether somebody has written meanwhile, so that those who did are gone. */
  resume(isFresh: boolean): this {
    if (!isFresh) this.opened = -1;
    return this;
  }

  override close(): void {
    if (this.reads) this.pipe.readers--;
    if (this.writes) this.pipe.writers--;
    this.pipe.left();
    this.held?.release();
  }
}

/** An end of one of the pipes that have been made again. */
export const thawPipeEnd =
  (kind: PipeKind) =>
  (
    snapshot: OpenFileSnapshot,
    context: ThawContext<Statuses & Nodes> & { readonly pipes: readonly Pipe[] },
  ): OpenFile => {
    const { pipes, system, travelling } = context;
    const { path, flags, unlinked } = snapshot;
    const pipe = pipes[snapshot.pipe] ?? cannot(snapshot, "its pipe is missing");
    const named =
      path === "" ? undefined : { name: { path }, statusAt: (name: string) => system.statusAt(name) };
    const handle = travelling[unlinked];
    const travelled =
      handle === undefined
        ? undefined
        : { handle, status: system.nodes.shown(system.host.files.fstat(handle.handle)) };
    return new PipeEnd(pipe, kind, flags, named, travelled).resume(stateOf(snapshot, "fresh") !== undefined);
  };

/** Both ends of a new pipe: for reading, for writing. `flags` may hold O_NONBLOCK and O_DIRECT. */
export function makePipe(flags: number, ino: bigint): [PipeEnd, PipeEnd] {
  const pipe = new Pipe(ino);
  const kept = flags & O_NONBLOCK;
  return [new PipeEnd(pipe, "pipe-read", kept), new PipeEnd(pipe, "pipe-write", kept | (flags & O_DIRECT))];
}
