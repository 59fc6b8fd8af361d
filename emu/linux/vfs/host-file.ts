/** Regular files and directories of the host, opened through the name space. */
import { type Host, HostError, type HostOpenFlags } from "../../host/host.ts";
import type { MappedFile } from "../../memory/mapped-file.ts";
import type { OpenFileSnapshot } from "../../snapshot.ts";
import { MAX_OFFSET, O_APPEND, O_DIRECTORY, O_PATH, O_SYNC } from "./constants.ts";
import { entryStat, type FileStat } from "./file-status.ts";
import { type Folder, fileKey, type Mount, type Whereabouts, whereIs } from "./folder.ts";
import type { FreezeContext } from "./freeze-context.ts";
import { HeldLocation, type Location, type Viewer } from "./location.ts";
import { type MappedFiles, readFully, SharedHandle, writeFully } from "./mapped-files.ts";
import { isWithin, normalize, showsTasks } from "./mounts.ts";
import { type DirectoryEntry, hold, OpenFile, release } from "./open-file.ts";
import type { Seals } from "./seals.ts";
import { SET_IDS } from "./set-ids.ts";
import { fail } from "./synthetic.ts";
import { cannot, ONCE, reopen, stateOf, type ThawContext } from "./thaw-context.ts";

export class RegularFile extends OpenFile {
  readonly kind = "file";
  readonly host: Host;
  override readonly key: string;
  /** The grant it was opened through; none for a file that never had a name here. */
  mount: Mount | undefined;
  private shared: SharedHandle;
  /** The same file, opened to be read for a snapshot. */
  private again: number | undefined;
  /** Of a file of memfd_create(2). */
  readonly seals: Seals | undefined;
  private readonly mapped: MappedFiles;
  /** The set-id bits that it had on the host when it was opened. */
  readonly hostSetIds: number;
  /** Called before its contents change. */
  private readonly onChange: (file: RegularFile) => void;

  constructor(options: {
    host: Host;
    handle: number | SharedHandle;
    /** What the host says of the handle. */
    stat: FileStat;
    path: string;
    flags: number;
    mount: Mount | undefined;
    mapped: MappedFiles;
    seals?: Seals;
    onChange: (file: RegularFile) => void;
  }) {
    super(options.path, options.flags);
    const { host, handle } = options;
    this.host = host;
    this.mount = options.mount;
    this.shared = typeof handle === "number" ? new SharedHandle(host, handle) : handle;
    this.mapped = options.mapped;
    this.seals = options.seals;
    this.onChange = options.onChange;
    this.key = fileKey(options.stat);
    this.hostSetIds = options.stat.mode & SET_IDS;
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
  /** It has got a name in a grant, by which `handle` was opened. */
  isNamed(mount: Mount, handle: number): void {
    this.mount = mount;
    this.replaceHandle(handle);
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
    this.seals?.checkWrite(at + from.length, Number(this.stat().size));
    this.onChange(this);
    const count = writeFully(this.host, this.handle, from, at);
    this.mapped.update(this.key, at, count === from.length ? from : from.subarray(0, count));
    if (this.flags & O_SYNC) this.host.files.fsync(this.handle, true);
    return count;
  }

  override truncate(length: number): void {
    if (!this.canWrite) fail("EINVAL", "not open for writing");
    this.seals?.checkSize(length, Number(this.stat().size));
    this.mapped.flush(this.key);
    this.onChange(this);
    this.host.files.ftruncate(this.handle, length);
    this.mapped.truncate(this.key, length);
  }

  override allocate(offset: number, length: number, keepSize: boolean): void {
    if (!this.canWrite) fail("EBADF");
    const end = offset + length;
    if (end > MAX_OFFSET) fail("EFBIG");
    this.onChange(this);
    if (keepSize || BigInt(end) <= this.stat().size) return;
    this.seals?.checkSize(end, Number(this.stat().size));
    this.host.files.ftruncate(this.handle, end);
  }

  override sync(dataOnly: boolean): void {
    this.mapped.flush(this.key);
    this.host.files.fsync(this.handle, dataOnly);
  }

  override mappable(): MappedFile {
    return this.mapped.file(this, this.shared);
  }

  override get canPoll(): boolean {
    return false;
  }
  override available(): number {
    return Math.max(0, Number(this.stat().size) - this.position);
  }

  /** A handle to read by, for a snapshot. Throws EACCES where its mode forbids it and the host's user may not change that. */
  readableHandle(): number {
    if (this.canRead) return this.handle;
    return (this.again ??= reopenAnyway(this.host, this.handle, { read: true, write: false }));
  }

  override freeze(tables: FreezeContext): Partial<OpenFileSnapshot> {
    const { path, unlinked = -1 } = tables.reference(this, false, tables.includesFiles);
    if (unlinked >= 0 && this.canWrite && !this.where().deleted) {
      this.host.warn(`${path} is open for writing: what a thawed program writes there is in its copy only`);
    }
    const state = this.seals === undefined ? null : ({ kind: "seals", bits: this.seals.bits } as const);
    return { path, unlinked, deleted: unlinked >= 0, state };
  }

  override close(): void {
    this.shared.release();
    if (this.again !== undefined) this.host.files.close(this.again);
  }
}

/** Opens the file of a handle once more, whatever its mode says, where the host's user owns it. */
function reopenAnyway(host: Host, handle: number, flags: HostOpenFlags): number {
  const { files, user } = host;
  try {
    return files.reopen(handle, flags);
  } catch (error) {
    const { uid, mode } = files.fstat(handle);
    if (!(error instanceof HostError && error.code === "EACCES") || uid !== user?.uid) throw error;
    files.fchmod(handle, mode | 0o600);
    try {
      return files.reopen(handle, flags);
    } finally {
      files.fchmod(handle, mode);
    }
  }
}

/** A regular file, by its name or as it travelled. */
export function thawRegular(
  snapshot: OpenFileSnapshot,
  context: ThawContext<{
    seal(handle: number, bits: number): void;
    unnamed(handle: SharedHandle, path: string, flags: number): OpenFile;
  }>,
): OpenFile {
  const { system, travelling } = context;
  const handle = travelling[snapshot.unlinked];
  if (handle !== undefined) {
    const seals = stateOf(snapshot, "seals");
    if (seals !== undefined) system.seal(handle.handle, seals.bits);
    return system.unnamed(handle.hold(), snapshot.path, snapshot.flags & ~ONCE);
  }
  const file = reopen(snapshot, context);
  if (file instanceof RegularFile) return file;
  release(hold(file));
  return cannot(snapshot, "it is no regular file any more");
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
  override readonly key: string | undefined;
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
    this.key = this.folder?.key;
  }

  override get canPoll(): boolean {
    return false;
  }
  override where(): Whereabouts {
    return this.folder?.where(this.path) ?? { path: this.path, deleted: this.ownStatus() === undefined };
  }
  override base(): Location {
    const at = this.start();
    // Throws where it has left its grant.
    void at.path;
    return at;
  }
  override start(): Location {
    const { folder, directories, path } = this;
    return folder === undefined ? directories.find(path) : directories.locationOf(folder, path);
  }

  override get seekable(): boolean {
    return (this.flags & O_PATH) === 0;
  }
  override stat(): FileStat {
    const status = this.folder?.host.stat() ?? this.ownStatus();
    return status ?? entryStat("directory", 0o555, this.path);
  }
  /** Status of one that is on no host; undefined for that of a process which has gone. */
  private ownStatus(): FileStat | undefined {
    try {
      return this.directories.stat(this.directories.find(this.path));
    } catch (error) {
      if (error instanceof HostError && error.code === "ENOENT") return undefined;
      throw error;
    }
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
      const { path, deleted } = this.where();
      if (deleted) fail("ENOENT", `${this.path} has been removed`);
      const { folder } = this;
      this.listed = this.directories.list(
        folder === undefined ? this.base() : new HeldLocation(folder, { path }),
      );
    }
    return this.listed;
  }

  /** Goes on with a listing that was begun before the directory was frozen. */
  resume(listed: DirectoryEntry[] | undefined): void {
    this.listed = listed;
  }

  override sync(dataOnly: boolean): void {
    if (this.folder === undefined && /^\/(proc|sys)(\/|$)/.test(this.path)) super.sync(dataOnly);
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

  /** Index among the files that travel of a folder of the host that has been removed; -1 for any other. */
  travel(tables: FreezeContext): number {
    const { folder } = this;
    const { path, deleted } = this.where();
    if (folder === undefined || !deleted) return -1;
    return tables.travelNode({ key: folder.key, stat: () => folder.host.stat() }, path);
  }

  override freeze(tables: FreezeContext): Partial<OpenFileSnapshot> {
    return { unlinked: this.travel(tables), ...this.freezeListing() };
  }

  private freezeListing(): Pick<OpenFileSnapshot, "state"> | undefined {
    const inProc = isWithin(this.path, "/proc");
    if (inProc && !(this.flags & O_PATH) && !this.where().deleted) this.entries();
    if (this.listed === undefined || (this.position === 0 && !inProc)) return undefined;
    return { state: { kind: "listing", entries: this.listed.map((entry) => ({ ...entry })) } };
  }
}

/** What makes descriptions of directories again. */
interface Folders {
  readonly namespace: { removedFolder(path: string): Folder | undefined };
  folder(folder: Folder | undefined, path: string, flags: number, viewer: Viewer): DirectoryFile;
}

/** A directory that had been removed: the one that travelled, or where none did one that is made in its place. */
export function thawRemoved(
  { path, flags, unlinked }: Pick<OpenFileSnapshot, "path" | "flags" | "unlinked">,
  { system, viewer, folders }: ThawContext<Folders>,
): DirectoryFile {
  const folder = folders.get(unlinked) ?? system.namespace.removedFolder(normalize(path));
  return system.folder(folder, path, flags, viewer);
}

/** A directory with the listing it had. One of /proc or /sys is not looked for: nothing shows it yet. */
export function thawDirectory(snapshot: OpenFileSnapshot, context: ThawContext<Folders>): OpenFile {
  const { system, viewer } = context;
  const { flags, deleted } = snapshot;
  const path = normalize(snapshot.path);
  const open = (): OpenFile => {
    if (showsTasks(path)) return system.folder(undefined, path, flags, viewer);
    if (deleted) return thawRemoved({ ...snapshot, path }, context);
    return reopen({ ...snapshot, flags: flags | O_DIRECTORY }, context);
  };
  const file = open();
  if (!(file instanceof DirectoryFile)) return cannot(snapshot, "it is no directory any more", "ENOTDIR");
  file.flags = flags;
  file.resume(stateOf(snapshot, "listing")?.entries);
  return file;
}
