/**
 * Who is told of what happens to files (Linux: fs/notify). Told is what the guest does itself: what others do on the host is not
 * seen.
 */
import { HostError, type HostStat } from "../../host/host.ts";
import { fileKey } from "./folder.ts";
import type { Location, Viewer } from "./location.ts";
import { baseOf, parentOf } from "./mounts.ts";
import type { Namespace } from "./namespace.ts";
import type { OpenFile } from "./open-file.ts";

export const IN_ACCESS = 0x1;
export const IN_MODIFY = 0x2;
export const IN_ATTRIB = 0x4;
const IN_CLOSE_WRITE = 0x8;
const IN_CLOSE_NOWRITE = 0x10;
export const IN_OPEN = 0x20;
export const IN_MOVED_FROM = 0x40;
export const IN_MOVED_TO = 0x80;
export const IN_CREATE = 0x100;
export const IN_DELETE = 0x200;
export const IN_DELETE_SELF = 0x400;
const IN_MOVE_SELF = 0x800;
/** Everything that can happen. */
export const IN_ALL_EVENTS = 0xfff;
export const IN_ISDIR = 0x4000_0000;

/** What has happened: to a file itself, or with a name to an entry of a folder. */
export interface Notice {
  /** IN_*, one of IN_ALL_EVENTS with or without IN_ISDIR. */
  readonly mask: number;
  readonly name: string;
  /** Tells the two halves of a renaming belong together. */
  readonly cookie: number;
  /** The entry has lost its name. */
  readonly isUnlinked: boolean;
}

/** Somebody who watches a file or folder. */
export interface Watcher {
  tell(notice: Notice): void;
  /** The file is no more: nothing will be told of it. */
  gone(): void;
}

/** An entry of a folder that is watched, maybe. */
interface Entry {
  readonly folder: string;
  readonly name: string;
}

/** The names that files have. */
interface Names {
  readonly namespace: Namespace;
  readonly thawView: Viewer;
}

const NOBODY: ReadonlySet<Watcher> = new Set();

export class Notices {
  private readonly system: Names;
  /** Whether anybody has the file of a key open. */
  isOpen: (key: string) => boolean = () => false;
  /** By the keys of files. */
  private readonly watchers = new Map<string, Set<Watcher>>();
  private cookie = 0;

  constructor(system: Names) {
    this.system = system;
  }

  /** Whether anybody watches anything; nothing else need be asked while nobody does. */
  get isActive(): boolean {
    return this.watchers.size > 0;
  }

  add(key: string, watcher: Watcher): void {
    const there = this.watchers.get(key);
    if (there === undefined) this.watchers.set(key, new Set([watcher]));
    else there.add(watcher);
  }
  remove(key: string, watcher: Watcher): void {
    const there = this.watchers.get(key);
    if (there?.delete(watcher) && there.size === 0) this.watchers.delete(key);
  }

  /** Those who watch the file of a key. */
  of(key: string | undefined): ReadonlySet<Watcher> {
    return (key === undefined ? undefined : this.watchers.get(key)) ?? NOBODY;
  }

  private tell(key: string | undefined, mask: number, more: Partial<Notice> = {}): void {
    for (const watcher of [...this.of(key)]) {
      watcher.tell({ mask, name: "", cookie: 0, isUnlinked: false, ...more });
    }
  }

  /** Tells those who watch the folder that holds a file, and those who watch the file. */
  private tellBoth(key: string, entry: Entry | undefined, mask: number, isUnlinked = false): void {
    if (entry !== undefined) this.tell(entry.folder, mask, { name: entry.name, isUnlinked });
    this.tell(key, mask);
  }

  /** Something has been done to an open file or directory. */
  happened(file: OpenFile, mask: number): void {
    if (!this.isActive) return;
    const { key } = file;
    if (key === undefined) return;
    const { path, deleted } = file.where();
    const entry = this.entryAt(path);
    this.tellBoth(key, entry, mask | (file.kind === "directory" ? IN_ISDIR : 0), deleted);
  }

  private entryAt(path: string): Entry | undefined {
    if (path === "/") return undefined;
    const { namespace, thawView } = this.system;
    try {
      const { stat } = namespace.walkCanonical(parentOf(path), thawView.root);
      return stat && { folder: fileKey(stat), name: baseOf(path) };
    } catch (error) {
      if (error instanceof HostError) return undefined;
      throw error;
    }
  }

  /** Something has been done to what a path led to. */
  changed(at: Location, mask: number): void {
    if (!this.isActive || at.stat === undefined) return;
    const isFolder = at.stat.kind === "directory";
    this.tellBoth(fileKey(at.stat), this.entryAt(at.path), mask | (isFolder ? IN_ISDIR : 0));
  }

  /** There is a new entry where a walk found none; a folder, or another name of `file`. */
  created(at: Location, { isFolder = false, of }: { isFolder?: boolean; of?: Location } = {}): void {
    if (!this.isActive) return;
    if (of?.stat !== undefined) this.tell(fileKey(of.stat), IN_ATTRIB);
    this.tell(at.place?.folder.key, IN_CREATE | (isFolder ? IN_ISDIR : 0), { name: baseOf(at.path) });
  }

  /** What was at `at` has lost that name. */
  removed(at: Location): void {
    if (!this.isActive || at.stat === undefined) return;
    const entry = this.entryAt(at.path);
    const isFolder = at.stat.kind === "directory";
    if (!isFolder) this.tell(fileKey(at.stat), IN_ATTRIB);
    this.lost(at.stat);
    this.tell(entry?.folder, IN_DELETE | (isFolder ? IN_ISDIR : 0), { name: entry?.name ?? "" });
  }

  /** A name has gone: if it was the last one and nobody has the file open, so has the file. */
  private lost(stat: HostStat): void {
    const key = fileKey(stat);
    if (!this.watchers.has(key) || (stat.kind !== "directory" && stat.nlink > 1)) return;
    if (!this.isOpen(key)) this.end(key);
  }

  /** A file is no more. */
  private end(key: string): void {
    this.tell(key, IN_DELETE_SELF);
    for (const watcher of [...this.of(key)]) watcher.gone();
  }

  /** A file has been renamed, over another one maybe. `source` and `target` are as they were before. */
  moved(source: Location, target: Location): void {
    if (!this.isActive || source.stat === undefined) return;
    const isDirectory = source.stat.kind === "directory" ? IN_ISDIR : 0;
    const cookie = this.nextCookie();
    const name = baseOf(target.path);
    this.tell(source.place?.folder.key, IN_MOVED_FROM | isDirectory, { name: baseOf(source.path), cookie });
    this.tell(target.place?.folder.key, IN_MOVED_TO | isDirectory, { name, cookie });
    if (target.stat !== undefined && target.stat.kind !== "directory")
      this.tell(fileKey(target.stat), IN_ATTRIB);
    this.tell(fileKey(source.stat), IN_MOVE_SELF);
    if (target.stat !== undefined) this.lost(target.stat);
  }

  private nextCookie(): number {
    this.cookie = (this.cookie + 1) >>> 0 || 1;
    return this.cookie;
  }
  /** The last cookie that was given, for a snapshot and after a thaw. */
  get lastCookie(): number {
    return this.cookie;
  }
  resume(cookie: number): void {
    this.cookie = Math.max(this.cookie, cookie);
  }

  /** The last reference to a description is gone. */
  closed(file: OpenFile): void {
    if (!this.isActive) return;
    this.happened(file, file.canWrite ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
    const { key } = file;
    if (key !== undefined && this.watchers.has(key) && file.stat().nlink === 0 && !this.isOpen(key)) {
      this.end(key);
    }
  }
}
