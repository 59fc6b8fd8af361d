/** Descriptions of files without a host file behind them: /proc, O_PATH, eventfd. */
import { type Host, HostError } from "../../host/host.ts";
import type { MappedFile } from "../../memory/mapped-file.ts";
import type { OpenFileSnapshot } from "../../snapshot.ts";
import { WaitQueue } from "../wait-queue.ts";
import { AnonymousFile } from "./anonymous-file.ts";
import { O_NONBLOCK, O_PATH, SEEK_CUR } from "./constants.ts";
import { entryStat, type FileStat, SYNTHETIC_DEV } from "./file-status.ts";
import { fileKey, type Mount, type Whereabouts, whereIs } from "./folder.ts";
import type { FreezeContext } from "./freeze-context.ts";
import type { SharedHandle } from "./mapped-files.ts";
import type { Namespace } from "./namespace.ts";
import { OpenFile, type Waitables } from "./open-file.ts";
import { fail, type MemoryAccess, type SyntheticDirectory, type SyntheticFile, sizeOf } from "./synthetic.ts";
import { cannot, type Nodes, needState, reopen, type ThawContext } from "./thaw-context.ts";
import { linkTarget } from "./travelling.ts";

/** What the files of /proc have in common: a position, and no size to seek from the end of. */
abstract class ProcEntry extends OpenFile {
  readonly kind = "proc";

  override get seekable(): boolean {
    return true;
  }
  override read(into: Uint8Array): number {
    const count = this.readAt(into, this.position);
    this.position += count;
    return count;
  }
  override seek(offset: bigint, whence: number): number {
    if (whence > SEEK_CUR) fail("EINVAL");
    return super.seek(offset, whence);
  }
  override get canPoll(): boolean {
    return isPollable(this.path);
  }
}

/** What Linux does not make as it is read has a size that positions can count from: all of /sys, settings, and what lies in memory. */
const isSized = (path: string): boolean =>
  /^\/(sys|etc|proc\/sys)\/|^\/proc\/\d+\/(cmdline|auxv)$/.test(path);
/** Settings and what lies in memory can be written at a position. */
const isPlaced = (path: string): boolean => isSized(path) && !path.startsWith("/sys/");

/** Files of /proc that are of no process, and of no setting (Linux: fs/proc/inode.c). */
const isMadeOnce = (path: string): boolean =>
  /^\/proc\/((?!\d+\/|sys\/)|\d+\/(task\/\d+\/)?net\/)/.test(path);

/** Of /etc nothing; of processes the mounts alone, which may change. */
const isPollable = (path: string): boolean =>
  isMadeOnce(path) || /^\/(proc\/(sys\/|\d+\/(task\/\d+\/)?mount(s|info)$)|sys\/)/.test(path);

const isOfProcesses = (path: string): boolean => path.startsWith("/proc/");

/** A file of /proc: its contents are those of the moment in which its beginning is read. */
export class ProcFile extends ProcEntry {
  private contents: Uint8Array | undefined;
  private readonly status: FileStat;
  /** Finds the file whenever it is wanted. Throws ESRCH when its process has gone. */
  private readonly again: () => SyntheticFile;

  constructor(
    path: string,
    flags: number,
    what: { contents?: Uint8Array; status: FileStat; again: () => SyntheticFile },
  ) {
    super(path, flags);
    this.contents = what.contents;
    this.status = what.status;
    this.again = what.again;
  }
  override stat(): FileStat {
    // What shows processes has no size, and may have gone.
    return isOfProcesses(this.path) ? this.status : { ...this.status, size: sizeOf(this.again(), this.path) };
  }
  override readAt(into: Uint8Array, position: number): number {
    if (position === 0 || this.contents === undefined) this.contents = this.again().contents();
    const piece = this.contents.subarray(position, position + into.length);
    into.set(piece);
    return piece.length;
  }
  override seek(offset: bigint, whence: number): number {
    return isSized(this.path) ? this.seekAnywhere(offset, whence) : super.seek(offset, whence);
  }
  override get takesPlaces(): boolean {
    return isPlaced(this.path);
  }
  /** Linux asks who made the file of /proc, who has nothing to map; of processes, settings and /sys it says that they are no such files. */
  override mappable(): MappedFile {
    return isMadeOnce(this.path) ? fail("EIO", this.path) : super.mappable();
  }
  /** Nothing has to be written down for /sys. */
  override sync(dataOnly: boolean): void {
    if (!this.path.startsWith("/sys/")) super.sync(dataOnly);
  }
  override write(from: Uint8Array): number {
    const { store } = this.again();
    if (store === undefined) fail("EACCES", this.path);
    store(from);
    return from.length;
  }
  override writeAt(from: Uint8Array): number {
    return this.write(from);
  }
  /** The contents go along where somebody reads them: they are of another moment than the thaw. */
  override freeze(): Partial<OpenFileSnapshot> {
    const { status, contents = new Uint8Array(0) } = this;
    return { state: { kind: "contents", mode: status.mode, contents } };
  }
}

/** /proc/PID/mem, where positions are addresses, and pagemap. */
export class MemoryFile extends ProcEntry {
  private readonly memory: () => MemoryAccess;

  constructor(path: string, flags: number, memory: () => MemoryAccess) {
    super(path, flags);
    this.memory = memory;
  }
  /** It ends where the address space does. */
  private get isMap(): boolean {
    return this.path.endsWith("/pagemap");
  }
  /** Anything goes, as addresses do; what is below zero is the upper half (Linux: mem_lseek). */
  override seek(offset: bigint, whence: number): number {
    if (whence > SEEK_CUR) fail("EINVAL");
    this.position = Number(whence === SEEK_CUR ? BigInt.asIntN(64, BigInt(this.position) + offset) : offset);
    return this.position;
  }
  override stat(): FileStat {
    return entryStat("file", this.isMap ? 0o400 : 0o600, this.path);
  }
  override readAt(into: Uint8Array, position: number): number {
    if (position < 0 && this.isMap) fail("EINVAL");
    const bytes = this.memory().read(position, into.length);
    if (bytes.length === 0 && into.length > 0 && !this.isMap) fail("EIO", "nothing is mapped there");
    into.set(bytes);
    return bytes.length;
  }
  override write(from: Uint8Array): number {
    const count = this.writeAt(from, this.position);
    this.position += count;
    return count;
  }
  override writeAt(from: Uint8Array, position: number): number {
    const count = this.memory().write(position, from);
    if (count === 0 && from.length > 0) fail("EIO", "nothing there can be written");
    return count;
  }
}

/** A file that was opened with O_PATH: good for fstat and to be opened again; directories are `DirectoryFile`. */
export class PathFile extends OpenFile {
  readonly kind = "special";
  override readonly key: string;
  /** Holds the file, where the host can do that. */
  private readonly held: SharedHandle | undefined;
  readonly mount: Mount | undefined;
  /** The text of a symlink, which it keeps when it has been removed; of one of /proc as it was. */
  readonly target: string | undefined;
  private readonly host: Host;
  private status: FileStat;
  /** The same file, opened to be read for a snapshot. */
  private again: number | undefined;

  constructor(
    host: Host,
    what: {
      path: string;
      flags: number;
      status: FileStat;
      held?: SharedHandle;
      mount?: Mount;
      target?: string;
    },
  ) {
    super(what.path, what.flags);
    this.host = host;
    this.status = what.status;
    this.key = fileKey(what.status);
    this.held = what.held;
    this.mount = what.mount;
    this.target = what.target;
  }
  get handle(): number | undefined {
    return this.held?.handle;
  }
  /** Another description of the same file. */
  twin(flags: number): PathFile {
    const { host, held, mount, target } = this;
    const { path } = this.where();
    return new PathFile(host, { path, flags, status: this.stat(), held: held?.hold(), mount, target });
  }
  /** As it is now, or was when it was opened. */
  override stat(): FileStat {
    const { kind } = this.status;
    if (this.handle !== undefined) this.status = { ...this.host.files.fstat(this.handle), kind };
    return this.status;
  }
  override where(): Whereabouts {
    if (this.handle === undefined) return super.where();
    return whereIs(this.host, this.handle, this.mount, this.path);
  }
  private get isDevice(): boolean {
    return this.status.kind === "char" || this.status.kind === "block";
  }
  /** It is an entry of /proc or /sys. */
  get isSynthetic(): boolean {
    return this.status.dev === SYNTHETIC_DEV && !this.isDevice;
  }
  override close(): void {
    this.held?.release();
    if (this.again !== undefined) this.host.files.close(this.again);
  }
  /** Throws EBADF where the host can't hold it. */
  readableHandle(): number {
    return (this.again ??= this.host.files.reopen(this.handle ?? fail("EBADF"), {
      read: true,
      write: false,
    }));
  }
  override freeze(tables: FreezeContext): Partial<OpenFileSnapshot> {
    if (this.isSynthetic) {
      const { mode, size } = this.status;
      return { state: { kind: "entry", mode, size, target: this.target ?? null } };
    }
    const { path, deleted } = this.where();
    const state = { kind: "path" } as const;
    if (!deleted) return { state };
    if (!this.isDevice) return { ...tables.reference(this, false, false), deleted: false, state };
    tables.obstacle(`${path}, open with O_PATH, is a device that has no name any more`);
    return { state };
  }
}

const EVENT_MAX = 0xffff_ffff_ffff_fffen;

/** eventfd(2): a counter of 64 bits in guest byte order. */
export class EventFile extends AnonymousFile {
  private counter: bigint;
  private readonly semaphore: boolean;
  private readonly littleEndian: boolean;
  private readonly queue = new WaitQueue();
  private written = 0;
  private taken = 0;

  constructor(options: {
    flags: number;
    counter: bigint;
    semaphore: boolean;
    littleEndian: boolean;
  }) {
    super("eventfd", options);
    this.counter = options.counter;
    this.semaphore = options.semaphore;
    this.littleEndian = options.littleEndian;
  }
  override read(into: Uint8Array): number | undefined {
    if (into.length < 8) fail("EINVAL");
    if (this.counter === 0n) return undefined;
    const value = this.semaphore ? 1n : this.counter;
    this.counter -= value;
    new DataView(into.buffer, into.byteOffset).setBigUint64(0, value, this.littleEndian);
    this.taken++;
    this.queue.wake();
    return 8;
  }
  override write(from: Uint8Array): number | undefined {
    if (from.length < 8) fail("EINVAL");
    const value = new DataView(from.buffer, from.byteOffset).getBigUint64(0, this.littleEndian);
    if (value > EVENT_MAX) fail("EINVAL");
    if (this.counter + value > EVENT_MAX) return undefined;
    this.counter += value;
    this.written++;
    this.queue.wake();
    return 8;
  }
  override readable(): boolean {
    return this.counter > 0n;
  }
  override writable(): boolean {
    return this.counter < EVENT_MAX;
  }
  override get arrivals(): number {
    return this.written;
  }
  /** Each read makes room (Linux: eventfd_read). */
  override get vacancies(): number {
    return this.taken;
  }
  override waitables(): Waitables {
    return { queues: [this.queue] };
  }
  override get details(): string {
    return `eventfd-count: ${this.counter.toString(16).padStart(16)}\n`;
  }
  override freeze(): Partial<OpenFileSnapshot> {
    const { counter, semaphore } = this;
    return { state: { kind: "eventfd", counter, semaphore } };
  }
}

export function thawEvent(snapshot: OpenFileSnapshot, { littleEndian }: ThawContext): OpenFile {
  const { counter, semaphore } = needState(snapshot, "eventfd");
  if (counter > EVENT_MAX) return cannot(snapshot, `an eventfd counts to ${EVENT_MAX}`);
  return new EventFile({ flags: snapshot.flags & O_NONBLOCK, counter, semaphore, littleEndian });
}

/** What was open with O_PATH, by its name or as it travelled. */
export function thawPath(snapshot: OpenFileSnapshot, context: ThawContext<Nodes>): OpenFile {
  const held = context.travelling[snapshot.unlinked];
  if (held === undefined) return reopen({ ...snapshot, flags: snapshot.flags | O_PATH }, context);
  const { host, nodes } = context.system;
  const { path, flags, unlinked } = snapshot;
  const target = linkTarget(context.contents[unlinked]);
  const status = nodes.shown(host.files.fstat(held.handle));
  return new PathFile(host, { path, flags, status, held: held.hold(), target });
}

/** An entry of /proc, /sys or /dev that was open with O_PATH. What shows processes is not looked for: they are not there yet. */
export function thawEntry(snapshot: OpenFileSnapshot, { system: { host } }: ThawContext): OpenFile {
  const { mode, size, target } = needState(snapshot, "entry");
  const { path, flags } = snapshot;
  if (!path.startsWith("/")) return cannot(snapshot, "it has no path");
  const kind = target === null ? "file" : "symlink";
  const status = entryStat(kind, mode & 0o777, path, { size });
  return new PathFile(host, { path, flags: flags | O_PATH, status, target: target ?? undefined });
}

/** A file of /proc has the contents that it had. */
export function thawProc(
  snapshot: OpenFileSnapshot,
  { system, viewer }: ThawContext<{ readonly namespace: Namespace }>,
): OpenFile {
  const { path, flags } = snapshot;
  const again = () => procFileAt(system.namespace, path, viewer.root);
  if (snapshot.state === null && /^\/proc\/\d+\/(task\/\d+\/)?(mem|pagemap)$/.test(path)) {
    return new MemoryFile(path, flags, () => again().access ?? fail("ESRCH"));
  }
  const { mode, contents } = needState(snapshot, "contents");
  const status = entryStat("file", mode & 0o777, path);
  return new ProcFile(path, flags, { contents, status, again });
}

/** The file at a canonical path of /proc. Throws ESRCH where there is none any more: its process has gone. */
export function procFileAt(namespace: Namespace, path: string, root: SyntheticDirectory): SyntheticFile {
  try {
    const { synthetic } = namespace.walkCanonical(path, root);
    if (synthetic?.type === "file") return synthetic;
  } catch (error) {
    if (!(error instanceof HostError && error.code === "ENOENT")) throw error;
  }
  return fail("ESRCH", path);
}
