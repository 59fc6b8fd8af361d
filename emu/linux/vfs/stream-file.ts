/** Descriptions that the program inherits from outside: stdin, stdout, stderr. */
import type { Host, HostStream, Interest } from "../../host/host.ts";
import type { MappedFile } from "../../memory/mapped-file.ts";
import type { OpenFileSnapshot } from "../../snapshot.ts";
import { O_ACCMODE, O_APPEND, O_LARGEFILE, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } from "./constants.ts";
import type { FileStat } from "./file-status.ts";
import { readFully, writeFully } from "./mapped-files.ts";
import { OpenFile, type Waitables } from "./open-file.ts";
import { fail } from "./synthetic.ts";
import { isSameFile, type Terminal, terminalOn } from "./terminal-settings.ts";
import { cannot, stateOf, type ThawContext } from "./thaw-context.ts";

function flagsOf({ access }: HostStream): number {
  const mode = access.write ? (access.read ? O_RDWR : O_WRONLY) : O_RDONLY;
  return mode | (access.append ? O_APPEND : 0) | O_LARGEFILE;
}

/** The parts of a stream's stat(2) that two runs with the same input must agree in: streams to the same file have the same number. */
function steadyStat({ streams }: Host, stream: HostStream): Partial<FileStat> {
  const [number] = [...streams].find(([, other]) => isSameFile(other, stream)) ?? [0];
  const times = { atime: 0n, mtime: 0n, ctime: 0n };
  const terminal = stream.terminal === undefined ? {} : { mode: 0o620, rdev: FIRST_PTS };
  return { dev: 0x30n, ino: BigInt(number) + 1n, nlink: 1, ...times, ...terminal };
}

/** Device number of /dev/pts/0. */
const FIRST_PTS = 0x8800n;

/** Devices that every system has, by their numbers. */
const DEVICE_NAMES: ReadonlyMap<bigint, string> = new Map([
  [0x103n, "/dev/null"],
  [0x105n, "/dev/zero"],
  [0x107n, "/dev/full"],
  [0x108n, "/dev/random"],
  [0x109n, "/dev/urandom"],
]);
/** Those of them that can't tell when they are ready: all but /dev/random. */
const UNPOLLED = [...DEVICE_NAMES.keys()].filter((rdev) => DEVICE_NAMES.get(rdev) !== "/dev/random");

interface StreamOptions {
  number: number;
  path: string;
  steady: boolean;
  onChange: (file: StreamFile) => void;
}

export class StreamFile extends OpenFile {
  readonly kind = "inherited";
  readonly stream: HostStream;
  /** The descriptor number it had outside. */
  readonly number: number;
  /** Its settings, where it is a terminal. */
  readonly terminal: Terminal | undefined;
  private readonly host: Host;
  /**
   * A regular file is read and written at the offset it shares with other processes until the guest seeks;
   * from then on the position is ours.
   */
  private ownPosition = false;
  /** What stat(2) shows in place of what the host says. */
  private readonly shown: Partial<FileStat> | undefined;
  /** Called before the contents of a regular file change. */
  private readonly onChange: (file: StreamFile) => void;

  /** With `steady`, stat(2) shows nothing that depends on the host's files and clock. */
  constructor(host: Host, stream: HostStream, { number, path, steady, onChange }: StreamOptions) {
    super(path, flagsOf(stream));
    this.host = host;
    this.stream = stream;
    this.number = number;
    this.terminal = terminalOn(host, stream);
    this.shown = steady ? steadyStat(host, stream) : undefined;
    this.onChange = stream.handle === undefined ? () => {} : onChange;
  }

  override get seekable(): boolean {
    return this.stream.handle !== undefined;
  }
  override get readTimeout(): bigint | undefined {
    return this.terminal?.readTimeout;
  }

  override stat(): FileStat {
    const stat = this.stream.stat();
    return this.shown === undefined ? stat : { ...stat, blocks: (stat.size + 511n) / 512n, ...this.shown };
  }

  override read(into: Uint8Array): number | undefined {
    if (!this.ownPosition) return this.stream.read(into);
    const count = this.readAt(into, this.position);
    this.position += count;
    return count;
  }

  override write(from: Uint8Array): number | undefined {
    if (!this.ownPosition || this.flags & O_APPEND) {
      this.onChange(this);
      return this.stream.write(from);
    }
    const count = this.writeAt(from, this.position);
    this.position += count;
    return count;
  }

  override readAt(into: Uint8Array, position: number): number {
    if (this.stream.handle === undefined) fail("ESPIPE");
    return readFully(this.host, this.stream.handle, into, position);
  }
  override writeAt(from: Uint8Array, position: number): number {
    if (this.stream.handle === undefined) fail("ESPIPE");
    this.onChange(this);
    return writeFully(this.host, this.stream.handle, from, position);
  }

  override seek(offset: bigint, whence: number): number {
    if (!this.seekable) fail("ESPIPE");
    const before = this.tell();
    this.position = before;
    const after = super.seek(offset, whence);
    if (after !== before) this.ownPosition = true;
    return after;
  }

  /** Present position. */
  tell(): number {
    return this.ownPosition ? this.position : Number(this.stream.tell?.() ?? 0n);
  }

  override truncate(length: number): void {
    if (this.stream.handle === undefined || !this.canWrite) fail("EINVAL");
    this.onChange(this);
    this.host.files.ftruncate(this.stream.handle, length);
  }
  override sync(dataOnly: boolean): void {
    if (this.stream.handle === undefined) fail("EINVAL");
    this.host.files.fsync(this.stream.handle, dataOnly);
  }
  override mappable(): MappedFile {
    const { handle } = this.stream;
    if (handle === undefined) fail("ENODEV");
    const { host, path } = this;
    return {
      path,
      size: () => Number(host.files.fstat(handle).size),
      read: (position, into) => readFully(host, handle, into, position),
      write: (position, from) => {
        writeFully(host, handle, from, position);
      },
    };
  }

  /** A device goes by its name, what else has no path by its kind. */
  override get label(): string | undefined {
    if (this.stream.kind === "char") return DEVICE_NAMES.get(this.stat().rdev);
    return this.stream.kind === "socket" ? `socket:[${this.stat().ino}]` : undefined;
  }

  override get isStream(): boolean {
    return this.stream.kind !== "file" && this.stream.kind !== "char";
  }
  /** Of devices that programs are often begun with, /dev/null and its like can't. */
  override get canPoll(): boolean {
    const { kind } = this.stream;
    return kind !== "file" && (kind !== "char" || !UNPOLLED.includes(this.stat().rdev));
  }
  override readable(): boolean {
    return this.canRead && this.stream.readable();
  }
  override writable(): boolean {
    return this.canWrite && this.stream.writable();
  }
  override broken(): boolean {
    return this.canWrite && (this.stream.broken?.() ?? false);
  }
  override get mustBeAsked(): boolean {
    return true;
  }
  override waitables(interest?: Interest): Waitables {
    return { streams: [{ stream: this.stream, interest }] };
  }
  override freeze(): Partial<OpenFileSnapshot> {
    const state = this.terminal?.freeze() ?? null;
    return { position: BigInt(this.tell()), inherited: this.number, state };
  }
  override available(): number {
    if (this.stream.kind === "char") fail("ENOTTY");
    if (this.seekable) return Math.max(0, Number(this.stat().size) - this.tell());
    return this.stream.available?.() ?? 0;
  }
}

/** The stream of the same number that the thawing side has. */
export function thawStream(
  snapshot: OpenFileSnapshot,
  {
    system,
    atEnd,
  }: ThawContext<{ streamFile(stream: HostStream, number: number, path: string): StreamFile }>,
): OpenFile {
  const stream = system.host.streams.get(snapshot.inherited);
  if (stream === undefined)
    return cannot(snapshot, `descriptor ${snapshot.inherited} is not open here`, "EBADF");
  const file = system.streamFile(stream, snapshot.inherited, snapshot.path);
  const access = snapshot.flags & O_ACCMODE;
  if ((access !== O_WRONLY && !stream.access.read) || (access !== 0 && !stream.access.write)) {
    // A terminal is often open both ways where a file or pipe in its place is not: what counts is the use.
    const needed = snapshot.inherited === 0 ? stream.access.read : stream.access.write;
    if (!needed)
      return cannot(snapshot, `descriptor ${snapshot.inherited} is not open that way here`, "EACCES");
  } else file.flags = (file.flags & ~O_ACCMODE) | access;
  file.flags |= snapshot.flags & O_NONBLOCK;
  const settings = stateOf(snapshot, "terminal");
  if (settings !== undefined) atEnd(() => file.terminal?.resume(settings));
  return file;
}
