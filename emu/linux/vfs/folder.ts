/**
 * Directories of the host that paths lead through. Each is held for a while after it was last walked through, so that
 * whatever is renamed or swapped meanwhile, what comes next happens in the directory that was looked at.
 */
import {
  type Host,
  type HostEntry,
  HostError,
  type HostFolder,
  type HostStat,
  type HostWhereabouts,
} from "../../host/host.ts";
import { LISTING_SETTLED, MOST_LISTED } from "../../tuning.ts";
import { baseOf, isWithin, join, type MountConfig, normalize, parentOf } from "./mounts.ts";

/** Folders kept that nothing refers to. */
const KEPT = 128;

/** What names a file on its host whatever its paths are. */
export const fileKey = (stat: { dev: bigint; ino: bigint }): string => `${stat.dev}:${stat.ino}`;

/** The same for a folder of a grant: what several grants have is a folder in each. */
const folderId = ({ guest }: Mount, key: string): string => `${guest} ${key}`;

/** A grant whose host path has been looked up, once, when the machine was made. */
export interface Mount {
  /** The directory, or the directory that holds the file. */
  readonly folder: Folder;
  /** The file's name in `folder` where a single file is granted; else ".". */
  readonly name: string;
  /** Absolute guest path, "/" or without a trailing slash. */
  readonly guest: string;
  readonly readOnly: boolean;
}

/** Looks a grant up on the host. Throws HostError when it isn't there. */
export function resolveMount(host: Host, config: MountConfig): Mount {
  const real = host.files.realpath(config.host);
  const { kind } = host.files.lstat(real);
  if (kind !== "directory" && kind !== "file") {
    throw new HostError("ENOTDIR", `${config.host} is neither a directory nor a regular file`);
  }
  const isFile = kind === "file";
  const held = host.files.folder(isFile ? parentOf(real) : real);
  const { readOnly } = config;
  // The folder knows its mount, and the mount its folder.
  const mount: Mount = {
    name: isFile ? baseOf(real) : ".",
    guest: normalize(config.guest),
    readOnly,
    get folder() {
      return folder;
    },
  };
  const folder = new Folder(mount, held);
  return mount;
}

/** A directory in a grant. */
export class Folder {
  readonly mount: Mount;
  readonly host: HostFolder;
  readonly identity: Pick<HostStat, "dev" | "ino">;
  readonly key: string;
  /** What names it among the folders of all grants. */
  readonly id: string;
  /** Open descriptions and working directories that it is. */
  private references = 0;
  /** The guest path that it had when its mark on the host was this, and that of its grant. */
  private seen:
    | { readonly mark: string; readonly top: string | undefined; readonly path: string }
    | undefined;
  private isClosed = false;
  /** What it had in it when it had these times, and long after. */
  private listing:
    | (Pick<HostStat, "mtime" | "ctime"> & { readonly entries: readonly HostEntry[] })
    | undefined;
  /** Guest path of one that had been removed before the thaw that made it again: where its ".." leads. */
  wasAt: string | undefined;

  constructor(mount: Mount, host: HostFolder) {
    this.mount = mount;
    this.host = host;
    const { dev, ino } = host.stat();
    this.identity = { dev, ino };
    this.key = fileKey(this.identity);
    this.id = folderId(mount, this.key);
  }
  get isInUse(): boolean {
    return this.references > 0;
  }
  hold(): this {
    this.references++;
    return this;
  }
  release(): void {
    this.references--;
  }

  /** Runs `use` with a host path of the entry `name`; "." is the folder itself. */
  within<T>(name: string, use: (path: string) => T): T {
    return this.host.within(name, use);
  }

  close(): void {
    this.isClosed = true;
    this.host.close();
  }

  /**
   * Its entries on the host by their names, at the time `now`. To look at each takes the host long: what is in a folder is what was in it as long as
   * its times are the same, if they were past when they were read. A file system may have the same time for a second or two.
   */
  entries(now: bigint): readonly HostEntry[] {
    const { mtime, ctime } = this.host.stat();
    const { listing } = this;
    if (listing !== undefined && listing.mtime === mtime && listing.ctime === ctime) return listing.entries;
    const entries = this.host.entries().sort((one, other) => (one.name < other.name ? -1 : 1));
    const isSettled = now - mtime > LISTING_SETTLED && now - ctime > LISTING_SETTLED;
    this.listing = isSettled && entries.length <= MOST_LISTED ? { mtime, ctime, entries } : undefined;
    return entries;
  }

  private get isRoot(): boolean {
    return this.key === this.mount.folder.key;
  }

  /** The guest path that it has for certain: a grant's own, or the one last confirmed if neither it nor its grant has been moved since. */
  private sure(): string | undefined {
    const path = this.unmoved();
    if (path === undefined || this.isRoot) return path;
    return this.seen?.top === this.mount.folder.host.mark() ? path : undefined;
  }

  /** The same of a grant that is where it was. */
  private unmoved(): string | undefined {
    if (this.isRoot) return this.mount.guest;
    return this.seen !== undefined && this.seen.mark === this.host.mark() ? this.seen.path : undefined;
  }

  /** Whether it is held yet and has this guest path, if its grant was not moved since that was confirmed. */
  isStill(path: string): boolean {
    return !this.isClosed && this.unmoved() === path;
  }

  /** Looks where it is, if that is not known: `isStill` knows of it then. */
  confirm(): void {
    if (this.sure() === undefined) this.look();
  }

  /** Where it is; keeps its guest path if it has one, and nothing was moved while the host was asked. */
  private look(): HostWhereabouts {
    const marks = () => [this.host.mark(), this.mount.folder.host.mark()];
    const [mark, top] = marks();
    const where = this.host.where();
    const path = where.isGone ? undefined : guestPathIn(this.mount, where.path);
    if (mark === undefined || path === undefined) return where;
    const [still, topStill] = marks();
    if (still === mark && topStill === top) this.seen = { mark, top, path };
    return where;
  }

  /** Its guest path, which was `known` once. */
  where(known: string): Whereabouts {
    const sure = this.sure();
    if (sure !== undefined) return { path: sure, deleted: false };
    return inGuest(this.mount, this.host.where(), this.wasAt ?? known);
  }

  /** As `where`, for a walk that begins here. Throws ENOENT when it has been moved out of what was granted. */
  pathInside(known: string): string {
    const sure = this.sure();
    if (sure !== undefined) return sure;
    const { path, isGone } = this.look();
    const inside = guestPathIn(this.mount, path);
    if (inside === undefined && !isGone) {
      throw new HostError("ENOENT", `${known} was moved out of what was granted`);
    }
    return inside ?? this.wasAt ?? known;
  }
}

/** Where something of a grant is in guest terms; `known` is the name it had once. */
function inGuest(mount: Mount, { path, isGone }: HostWhereabouts, known: string): Whereabouts {
  const inside = guestPathIn(mount, path);
  return { path: inside ?? known, deleted: isGone || inside === undefined };
}

/** Guest path of what a grant has at a host path; undefined for one that is not in it. */
export function guestPathIn({ guest, folder: root, name }: Mount, path: string): string | undefined {
  const top = root.host.where().path;
  if (name !== ".") return path === join(top, name) ? guest : undefined;
  if (!isWithin(path, top)) return undefined;
  const below = top === "/" ? path.slice(1) : path.slice(top.length + 1);
  return below === "" ? guest : join(guest, below);
}

/** The absolute guest path of something open, and whether it leads there no more. */
export interface Whereabouts {
  readonly path: string;
  readonly deleted: boolean;
}

/** The present name of a file of `mount` behind a handle; `known` is the one it had. */
export function whereIs(host: Host, handle: number, mount: Mount | undefined, known: string): Whereabouts {
  if (mount === undefined) return { path: known, deleted: true };
  return inGuest(mount, host.files.where(handle), known);
}

/** The folders that are held. */
export class Folders {
  private readonly known = new Map<string, Folder>();
  /** The one that was used last, which is the last of them. */
  private newest: Folder | undefined;

  /** The folder of a grant that has this status, opened by `open` where it isn't held already. */
  get(mount: Mount, stat: HostStat, open: () => HostFolder): Folder {
    const held = this.known.get(folderId(mount, fileKey(stat)));
    return held === undefined ? this.add(mount, open()) : this.touch(held);
  }

  /** As `get`, for one that has been opened. */
  add(mount: Mount, host: HostFolder): Folder {
    const folder = new Folder(mount, host);
    // A folder that is known by a name may be found by another one later.
    if (!host.isHeld) return folder;
    const held = this.known.get(folder.id);
    if (held === undefined) return this.touch(folder);
    host.close();
    return this.touch(held);
  }

  /** One that has been found without `get` is used as well. */
  use(folder: Folder): void {
    if (this.known.get(folder.id) === folder) this.touch(folder);
  }

  private touch(folder: Folder): Folder {
    if (folder === this.newest) return folder;
    this.newest = folder;
    this.known.delete(folder.id);
    this.known.set(folder.id, folder);
    return folder;
  }

  /** Lets go of those that were used least lately; called before a walk, so that what it finds stays until the next. */
  trim(): void {
    let excess = this.known.size - KEPT;
    if (excess <= 0) return;
    for (const [key, folder] of this.known) {
      if (excess-- <= 0) return;
      if (folder.isInUse) continue;
      folder.close();
      this.known.delete(key);
    }
  }

  /** Lets go of all that nothing refers to. */
  clear(): void {
    this.newest = undefined;
    for (const [key, folder] of this.known) {
      if (folder.isInUse) continue;
      folder.close();
      this.known.delete(key);
    }
  }
}
