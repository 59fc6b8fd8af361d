/** Open file descriptions (struct file): what descriptors of one or many processes refer to. */
import type { HostStat, Interest } from "../../host/host.ts";
import type { AddressSpace } from "../../memory/address-space.ts";
import type { MappedFile } from "../../memory/mapped-file.ts";
import type { OpenFileSnapshot } from "../../snapshot.ts";
import type { WaitFor } from "../wait-queue.ts";
import {
  FMODE_LSEEK,
  FMODE_PREAD,
  FMODE_PWRITE,
  FMODE_READ,
  FMODE_WRITE,
  MAX_OFFSET,
  O_ACCMODE,
  O_PATH,
  O_RDONLY,
  O_WRONLY,
  SEEK_CUR,
  SEEK_DATA,
  SEEK_END,
  SEEK_HOLE,
  SEEK_SET,
} from "./constants.ts";
import type { FileStat } from "./file-status.ts";
import type { Whereabouts } from "./folder.ts";
import type { FreezeContext } from "./freeze-context.ts";
import type { Location } from "./location.ts";
import { fail } from "./synthetic.ts";

/** What a call that waits for a description hands to `ctx.block`. */
export type Waitables = Pick<WaitFor, "queues" | "streams">;

/** What getdents(2) gives for one name. */
export interface DirectoryEntry {
  readonly ino: bigint;
  readonly kind: HostStat["kind"];
  readonly name: string;
}

/** Bytes moved at a time between files and memory. */
export const CHUNK = 256 * 1024;
/** Where they are on their way. */
const buffer = new Uint8Array(CHUNK);

/**
 * One open file description. Reads and writes move at most what they are given and never wait: `undefined`
 * means that a blocking caller has to. Errors are HostErrors with Linux's names.
 */
export abstract class OpenFile {
  abstract readonly kind: OpenFileSnapshot["kind"];
  /** Absolute guest path that it was opened by; "" where there is none. */
  readonly path: string;
  /** What names it on its host, if it is a file or directory of one. */
  readonly key: string | undefined;
  /** O_* bits as F_GETFL shows them. */
  flags: number;
  position = 0;
  /** Descriptors and system calls in progress that refer to it. */
  references = 0;
  /** F_SETOWN and F_SETSIG. */
  owner = { type: 1, pid: 0, signal: 0 };
  /** F_SET_RW_HINT, by whoever has the file open; 0: nothing is known. */
  writeHint = 0;
  /** Where it has held locks, to be given up with it. */
  locks: { released(file: OpenFile): void } | undefined;
  /** Who is told of its end, where it was opened by a path. */
  notices: { closed(file: OpenFile): void } | undefined;

  /** Sets of epoll(7) that it is in until its end. */
  sets: Set<{ closed(file: OpenFile): void }> | undefined;
  /** What tells its owner by signals, and ends with it. */
  signals: { closed(): void } | undefined;

  constructor(path: string, flags: number) {
    this.path = path;
    this.flags = flags;
  }

  get canRead(): boolean {
    return (this.flags & O_PATH) === 0 && (this.flags & O_ACCMODE) !== O_WRONLY;
  }
  get canWrite(): boolean {
    return (this.flags & O_PATH) === 0 && (this.flags & O_ACCMODE) !== O_RDONLY;
  }
  /** FMODE_* bits. */
  get mode(): number {
    const positioned = this.seekable ? FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE : 0;
    return (this.canRead ? FMODE_READ : 0) | (this.canWrite ? FMODE_WRITE : 0) | positioned;
  }
  /** Whether it has a position. */
  get seekable(): boolean {
    return false;
  }

  abstract stat(): FileStat;

  /** What /proc/PID/fd says of one that has no path. */
  get label(): string | undefined {
    return undefined;
  }

  /** Lines of /proc/PID/fdinfo that only its kind has. */
  get details(): string {
    return "";
  }

  /** The name it has at present, or had last. */
  where(): Whereabouts {
    return { path: this.path, deleted: false };
  }

  /** A process closes a descriptor of it, perhaps not the last. */
  flush(_pid: number): void {}

  /** Where paths that go on from it start; only directories have that. */
  base?(): Location;
  /** The same for a walk, which looks itself whether that is in its grant yet. */
  start?(): Location;

  /** Whether its kind can be read, or written, at all: it is EINVAL elsewhere, before a buffer is looked at. */
  get hasReading(): boolean {
    return true;
  }
  get hasWriting(): boolean {
    return true;
  }
  /** Whether what is written to it is lost without being looked at. */
  get isSink(): boolean {
    return false;
  }

  /** Bytes read at the position, which moves; 0 at the end; undefined when it would block. */
  read(_into: Uint8Array): number | undefined {
    return fail("EINVAL", "not readable");
  }
  /** Bytes written at the position (or the end, with O_APPEND); undefined when it would block. */
  write(_from: Uint8Array): number | undefined {
    return fail("EINVAL", "not writable");
  }
  /** As `read`, into memory where `length` bytes can be stored, CHUNK at the most. */
  readTo(memory: AddressSpace, address: number, length: number): number | undefined {
    const bytes = buffer.subarray(0, length);
    const count = this.read(bytes);
    if (count !== undefined) memory.write(address, count === length ? bytes : bytes.subarray(0, count));
    return count;
  }
  /** As `write`, from memory where `length` bytes can be loaded, CHUNK at the most. */
  writeFrom(memory: AddressSpace, address: number, length: number): number | undefined {
    return this.write(memory.peek(address, length, buffer.subarray(0, length)));
  }
  /** Reads at `position` without moving the description's own. */
  readAt(_into: Uint8Array, _position: number): number {
    return fail("ESPIPE");
  }
  writeAt(_from: Uint8Array, _position: number): number {
    return fail("ESPIPE");
  }

  /** Whether it can be written at a position that a call says. */
  get takesPlaces(): boolean {
    return this.seekable;
  }
  /** lseek(2): the new position. Throws ESPIPE, EINVAL (also beyond what a file can hold), ENXIO. */
  seek(offset: bigint, whence: number): number {
    if (!this.seekable) fail("ESPIPE");
    return this.seekAnywhere(offset, whence);
  }
  /** The same where there are positions. */
  protected seekAnywhere(offset: bigint, whence: number): number {
    const target = this.seekTarget(offset, whence);
    if (target < 0n || target > BigInt(MAX_OFFSET)) fail("EINVAL", "no such position");
    this.position = Number(target);
    return this.position;
  }

  private seekTarget(offset: bigint, whence: number): bigint {
    if (whence === SEEK_SET) return offset;
    if (whence === SEEK_CUR) return BigInt(this.position) + offset;
    const { size } = this.stat();
    if (whence === SEEK_END) return size + offset;
    if (whence !== SEEK_DATA && whence !== SEEK_HOLE) fail("EINVAL", "unknown whence");
    if (offset < 0n || offset >= size) fail("ENXIO", "beyond the end");
    // Every file counts as one piece of data with a hole at its end.
    return whence === SEEK_DATA ? offset : size;
  }

  truncate(_length: number): void {
    fail("EINVAL", "not a regular file");
  }
  /** Makes sure that `length` bytes from `offset` exist. */
  allocate(_offset: number, _length: number, _keepSize: boolean): void {
    fail("ENODEV");
  }
  sync(_dataOnly: boolean): void {
    fail("EINVAL", "cannot be synchronised");
  }

  /** Names of a directory, "." and ".." first; fixed when first asked after opening or rewinding. */
  entries(): DirectoryEntry[] {
    return fail("ENOTDIR");
  }

  /** What mmap(2) maps. Throws ENODEV where that makes no sense. */
  mappable(): MappedFile {
    return fail("ENODEV", "cannot be mapped");
  }

  // ---- readiness, for poll and select --------------------------------------------------------------------

  /** The POLL* events that hold, where the kind says them itself. */
  events?(): number | undefined;
  /** Counts what has come, where the kind does: an edge-triggered interest is told again of each. */
  get arrivals(): number | undefined {
    return undefined;
  }
  /** Counts how often there has come to be room again where there was none, for the same. */
  get vacancies(): number {
    return 0;
  }
  /**
   * Whether a set of epoll(7) has to ask each time what is ready: it wakes nobody but who waits just then (a stream
   * of the host), or is to each who asks another thing (a signalfd).
   */
  get mustBeAsked(): boolean {
    return false;
  }
  /** Whether its kind can tell when it is ready, so that epoll(7) takes it (Linux: file_can_poll). */
  get canPoll(): boolean {
    return true;
  }
  /** Whether a read would return at once, be it with data, the end or an error. */
  readable(): boolean {
    return true;
  }
  writable(): boolean {
    return true;
  }
  /** A stream of bytes, of which a transfer takes whole pieces or fails with EFAULT: a pipe, a terminal. */
  get isStream(): boolean {
    return false;
  }
  /** Whether its owner can be told of its readiness (O_ASYNC). */
  get tellsOwner(): boolean {
    return false;
  }
  /** POLLHUP: the other end is gone. */
  hangup(): boolean {
    return false;
  }
  /** POLLERR: a write would fail because nobody reads. */
  broken(): boolean {
    return false;
  }
  /** What to wait for until readiness, or what of it is of interest, may have changed. */
  waitables(_interest?: Interest): Waitables {
    return {};
  }
  /** How many of `length` bytes `write` would take at the most, where that is known before it has them. */
  takes(length: number): number {
    return length;
  }
  /** Whether a read, or a write of so many bytes, is done at once, and nobody who waits for room or contents hinders it. */
  movesAtOnce(_length: number, _writes: boolean): boolean {
    return !this.isStream && (this.kind === "file" || this.kind === "device");
  }
  /** FIONREAD. Throws ENOTTY where it makes no sense. */
  available(): number {
    return fail("ENOTTY");
  }

  /** The last reference is gone. */
  close(): void {}

  /** Nanoseconds after which a read that found nothing returns nothing; undefined when it waits for ever. */
  get readTimeout(): bigint | undefined {
    return undefined;
  }

  /** CLOCK_MONOTONIC time at which a read that waits gets what there is. */
  get readDeadline(): bigint | undefined {
    return undefined;
  }

  /** What its kind has to say in a snapshot, besides path, flags and position. */
  freeze(_tables: FreezeContext): Partial<OpenFileSnapshot> {
    return {};
  }
}

/** Takes a reference. */
export function hold<T extends OpenFile>(file: T): T {
  file.references++;
  return file;
}

/** Gives a reference up; the last one closes. */
export function release(file: OpenFile): void {
  if (--file.references > 0) return;
  for (const set of file.sets ?? []) set.closed(file);
  file.locks?.released(file);
  file.notices?.closed(file);
  file.signals?.closed();
  file.close();
}
