/** Regular files and directories of the host, opened through the name space. */
import { type Host, HostError } from "../../host/host.ts";
import type { MappedFile } from "../../memory/mapped-file.ts";
import { MAX_OFFSET, O_APPEND, O_PATH, O_SYNC } from "./constants.ts";
import { type Folder, fileKey, type Mount, type Whereabouts, whereIs } from "./folder.ts";
import { type MappedFiles, readFully, SharedHandle, writeFully } from "./mapped-files.ts";
import { isWithin } from "./mounts.ts";
import type { Location } from "./namespace.ts";
import { type DirectoryEntry, type FileStat, OpenFile } from "./open-file.ts";
import { fail } from "./synthetic.ts";

export class RegularFile extends OpenFile {
  readonly kind = "file";
  readonly host: Host;
  readonly key: string;
  /** The grant it was opened through; none for a file that never had a name here. */
  readonly mount: Mount | undefined;
  private shared: SharedHandle;
  private readonly mapped: MappedFiles;

  constructor(options: {
    host: Host;
    handle: number | SharedHandle;
    path: string;
    flags: number;
    mount: Mount | undefined;
    mapped: MappedFiles;
  }) {
    super(options.path, options.flags);
    const { host, handle } = options;
    this.host = host;
    this.mount = options.mount;
    this.shared = typeof handle === "number" ? new SharedHandle(host, handle) : handle;
    this.mapped = options.mapped;
    this.key = fileKey(this.host.files.fstat(this.handle));
  }

  /** It was opened through a read-only grant: nothing about it may be changed. */
  get readOnly(): boolean {
    return this.mount?.readOnly ?? false;
  }

  override where(): Whereabouts {
    return whereIs(this.host, this.handle, this.mount, this.path);
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
    return this.mapped.file(this, this.shared);
  }

  override available(): number {
    return Math.max(0, Number(this.stat().size) - this.position);
  }

  override close(): void {
    this.shared.release();
  }
}

/** What a directory asks of the name space it was opened in. */
export interface Directories {
  /** The location of a folder of the host, last known by a path. */
  locationOf(folder: Folder, known: string): Location;
  /** The location of a directory that is on no host. */
  find(path: string): Location;
  stat(at: Location): FileStat;
  list(at: Location): DirectoryEntry[];
}

/** A directory, of the host, synthetic or both. */
export class DirectoryFile extends OpenFile {
  readonly kind = "directory";
  private readonly directories: Directories;
  /** Where it is on the host; undefined for one that is on none. */
  readonly folder: Folder | undefined;
  private listed: DirectoryEntry[] | undefined;

  constructor(options: {
    path: string;
    flags: number;
    directories: Directories;
    folder: Folder | undefined;
  }) {
    super(options.path, options.flags);
    this.directories = options.directories;
    this.folder = options.folder?.hold();
  }

  override where(): Whereabouts {
    return this.folder?.where(this.path) ?? { path: this.path, deleted: false };
  }
  override base(): Location {
    const { folder, directories, path } = this;
    return folder === undefined ? directories.find(path) : directories.locationOf(folder, path);
  }

  override get seekable(): boolean {
    return (this.flags & O_PATH) === 0;
  }
  override stat(): FileStat {
    return this.folder?.host.stat() ?? this.directories.stat(this.base());
  }
  override read(): number {
    return fail("EISDIR");
  }
  override readAt(): number {
    return fail("EISDIR");
  }

  override entries(): DirectoryEntry[] {
    if (this.position === 0) this.listed = undefined;
    if (this.listed === undefined) {
      if (this.where().deleted) fail("ENOENT", `${this.path} has been removed`);
      this.listed = this.directories.list(this.base());
    }
    return this.listed;
  }

  /** Goes on with a listing that was begun before the directory was frozen. */
  resume(listed: DirectoryEntry[] | undefined): void {
    this.listed = listed;
  }

  override sync(dataOnly: boolean): void {
    try {
      this.folder?.host.sync(dataOnly);
    } catch (error) {
      // Some host file systems don't synchronise directories; nothing is lost by that here.
      if (!(error instanceof HostError && error.code === "EINVAL")) throw error;
    }
  }

  override close(): void {
    this.folder?.release();
  }

  override state(): string {
    const inProc = isWithin(this.path, "/proc");
    if (inProc && !(this.flags & O_PATH)) this.entries();
    if (this.listed === undefined || (this.position === 0 && !inProc)) return "";
    return JSON.stringify(this.listed.map(({ ino, kind, name }) => [String(ino), kind, name]));
  }
}
