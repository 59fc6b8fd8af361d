/** Regular files and directories of the host, opened through the name space. */
import { type Host, HostError } from "../../host/host.ts";
import type { MappedFile } from "../../memory/mapped-file.ts";
import { MAX_OFFSET, O_APPEND, O_PATH, O_SYNC } from "./constants.ts";
import { type MappedFiles, readFully, SharedHandle, writeFully } from "./mapped-files.ts";
import { isWithin } from "./mounts.ts";
import { type DirectoryEntry, type FileStat, fileKey, OpenFile } from "./open-file.ts";
import { fail } from "./synthetic.ts";

export class RegularFile extends OpenFile {
  readonly kind = "file";
  readonly host: Host;
  readonly key: string;
  /** It was opened through a read-only grant: nothing about it may be changed. */
  readonly readOnly: boolean;
  private shared: SharedHandle;
  private readonly mapped: MappedFiles;

  constructor(options: {
    host: Host;
    handle: number | SharedHandle;
    path: string;
    flags: number;
    readOnly: boolean;
    mapped: MappedFiles;
  }) {
    super(options.path, options.flags);
    const { host, handle } = options;
    this.host = host;
    this.readOnly = options.readOnly;
    this.shared = typeof handle === "number" ? new SharedHandle(host, handle) : handle;
    this.mapped = options.mapped;
    this.key = fileKey(this.host.files.fstat(this.handle));
  }

  get handle(): number {
    return this.shared.handle;
  }
  /** Puts another handle of the same file in place, opened with other flags. */
  replaceHandle(handle: number): void {
    this.shared.release();
    this.shared = new SharedHandle(this.host, handle);
  }

  override get seekable(): boolean {
    return (this.flags & O_PATH) === 0;
  }

  override stat(): FileStat {
    return this.host.files.fstat(this.handle);
  }

  override read(into: Uint8Array): number {
    const count = this.readAt(into, this.position);
    this.position += count;
    return count;
  }

  override readAt(into: Uint8Array, position: number): number {
    if (into.length === 0) return 0;
    this.mapped.flush(this.key);
    return readFully(this.host, this.handle, into, position);
  }

  override write(from: Uint8Array): number {
    if (from.length === 0) return 0;
    if (this.flags & O_APPEND) this.position = Number(this.stat().size);
    const count = this.writeAt(from, this.position);
    this.position += count;
    return count;
  }

  override writeAt(from: Uint8Array, position: number): number {
    if (from.length === 0) return 0;
    if (position + from.length > MAX_OFFSET) fail("EFBIG");
    // Linux appends even with pwrite(2) where O_APPEND is set; the host does the same with its own handle.
    const at = this.flags & O_APPEND ? Number(this.stat().size) : position;
    const count = writeFully(this.host, this.handle, from, at);
    this.mapped.update(this.key, at, from.subarray(0, count));
    if (this.flags & O_SYNC) this.host.files.fsync(this.handle, true);
    return count;
  }

  override truncate(length: number): void {
    if (!this.canWrite) fail("EINVAL", "not open for writing");
    this.mapped.flush(this.key);
    this.host.files.ftruncate(this.handle, length);
    this.mapped.truncate(this.key, length);
  }

  override allocate(offset: number, length: number, keepSize: boolean): void {
    if (!this.canWrite) fail("EBADF");
    const end = offset + length;
    if (end > MAX_OFFSET) fail("EFBIG");
    if (!keepSize && BigInt(end) > this.stat().size) this.host.files.ftruncate(this.handle, end);
  }

  override sync(dataOnly: boolean): void {
    this.mapped.flush(this.key);
    this.host.files.fsync(this.handle, dataOnly);
  }

  override mappable(): MappedFile {
    return this.mapped.file(this.path, this.key, this.shared, this.canWrite);
  }

  override available(): number {
    return Math.max(0, Number(this.stat().size) - this.position);
  }

  override close(): void {
    this.shared.release();
  }
}

/** A directory, of the host, synthetic or both. */
export class DirectoryFile extends OpenFile {
  readonly kind = "directory";
  private readonly status: () => FileStat;
  private readonly listing: (path: string) => DirectoryEntry[];
  private readonly handle: { host: Host; handle: number } | undefined;
  private listed: DirectoryEntry[] | undefined;

  constructor(options: {
    path: string;
    flags: number;
    stat: () => FileStat;
    /** Its entries, by the guest path it has by now. */
    list: (path: string) => DirectoryEntry[];
    handle?: { host: Host; handle: number };
  }) {
    super(options.path, options.flags);
    this.status = options.stat;
    this.listing = options.list;
    this.handle = options.handle;
  }

  override get seekable(): boolean {
    return (this.flags & O_PATH) === 0;
  }
  override stat(): FileStat {
    return this.handle === undefined ? this.status() : this.handle.host.files.fstat(this.handle.handle);
  }
  override read(): number {
    return fail("EISDIR");
  }
  override readAt(): number {
    return fail("EISDIR");
  }

  override entries(): DirectoryEntry[] {
    if (this.position === 0) this.listed = undefined;
    this.listed ??= this.listing(this.path);
    return this.listed;
  }

  /** Goes on with a listing that was begun before the directory was frozen. */
  resume(listed: DirectoryEntry[] | undefined): void {
    this.listed = listed;
  }

  override sync(dataOnly: boolean): void {
    if (this.handle === undefined) return;
    try {
      this.handle.host.files.fsync(this.handle.handle, dataOnly);
    } catch (error) {
      // Some host file systems don't synchronise directories; nothing is lost by that here.
      if (!(error instanceof HostError && error.code === "EINVAL")) throw error;
    }
  }

  override close(): void {
    this.handle?.host.files.close(this.handle.handle);
  }

  override state(): string {
    const inProc = isWithin(this.path, "/proc");
    if (inProc && !(this.flags & O_PATH)) this.entries();
    if (this.listed === undefined || (this.position === 0 && !inProc)) return "";
    return JSON.stringify(this.listed.map(({ ino, kind, name }) => [String(ino), kind, name]));
  }
}
