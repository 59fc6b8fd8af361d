/**
 * Files of a host that knows open files by their names only. What was opened keeps its name here, renames of ours are
 * followed, and before a name is used it must lead to the same file still: anything else fails, and says so.
 */
import {
  type HostAccess,
  type HostEntry,
  HostError,
  type HostFiles,
  type HostFolder,
  type HostStat,
  type HostWhereabouts,
} from "../host.ts";

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf("/")) || "/";
const isSame = (a: HostStat, b: HostStat): boolean => a.dev === b.dev && a.ino === b.ino;

/** A name that follows renames. */
interface Name {
  path: string;
}

/** fsync(2) of the directory at a path. */
export function syncFolder(files: HostFiles, path: string, data: boolean): void {
  const handle = files.open(path, { read: true, write: false, directory: true }, 0);
  try {
    files.fsync(handle, data);
  } finally {
    files.close(handle);
  }
}

/** Gives `files` what it lacks where nothing but a name leads to a file. */
export function byName(files: HostFiles): HostFiles {
  const folders = new Set<Name>();
  const handles = new Map<number, Name>();

  const leadsTo = (path: string, stat: HostStat): boolean => {
    try {
      return files.realpath(path) === path && isSame(files.lstat(path), stat);
    } catch {
      return false;
    }
  };

  class NamedFolder implements HostFolder {
    readonly isHeld = false;
    private readonly name: Name;
    private readonly was: HostStat;

    constructor(path: string) {
      const real = files.realpath(path);
      if (real !== path) throw new HostError("ENOTDIR", `${path} leads to ${real}`);
      this.was = files.lstat(path);
      if (this.was.kind !== "directory") throw new HostError("ENOTDIR", `${path} is no directory`);
      this.name = { path };
      folders.add(this.name);
    }
    within<T>(name: string, use: (path: string) => T): T {
      const path = this.path();
      return use(name === "." ? path : `${path === "/" ? "" : path}/${name}`);
    }
    stat(): HostStat {
      return files.lstat(this.path());
    }
    entries(): HostEntry[] {
      return files.readdir(this.path()).flatMap((name) => {
        const stat = this.within(name, files.look);
        return stat === undefined ? [] : [{ name, kind: stat.kind, dev: stat.dev, ino: stat.ino }];
      });
    }
    access(wanted: HostAccess): void {
      files.access(this.path(), wanted);
    }
    where(): HostWhereabouts {
      const { path } = this.name;
      return { path, isGone: !leadsTo(path, this.was) };
    }
    mark(): undefined {}
    private path(): string {
      const { path, isGone } = this.where();
      if (!isGone) return path;
      throw new HostError("ENOENT", `${path} is another folder by now, and this host finds them by name`);
    }
    parent(): HostFolder {
      return new NamedFolder(parentOf(this.path()));
    }
    sync(data: boolean): void {
      syncFolder(files, this.path(), data);
    }
    close(): void {
      folders.delete(this.name);
    }
  }

  return {
    ...files,
    folder: (path) => new NamedFolder(path),
    unnamedFolder: () => {
      throw new HostError("EOPNOTSUPP", "this host has no folders without a name");
    },
    pin: () => undefined,
    open: (path, flags, mode) => {
      const handle = files.open(path, flags, mode);
      handles.set(handle, { path });
      return handle;
    },
    close: (handle) => {
      handles.delete(handle);
      files.close(handle);
    },
    where: (handle) => {
      const path = handles.get(handle)?.path ?? "";
      return { path, isGone: !leadsTo(path, files.fstat(handle)) };
    },
    reopen: (handle, flags) => {
      const path = handles.get(handle)?.path;
      if (path === undefined) throw new HostError("ENOENT", "this host opens files by name only");
      const again = files.open(path, { ...flags, noFollow: true }, 0);
      if (!isSame(files.fstat(again), files.fstat(handle))) {
        files.close(again);
        throw new HostError(
          "ENOENT",
          `${path} is another file by now, and this host opens them by name only`,
        );
      }
      handles.set(again, { path });
      return again;
    },
    rename: (from, to) => {
      files.rename(from, to);
      for (const name of [...folders, ...handles.values()]) {
        if (name.path === from || name.path.startsWith(`${from}/`))
          name.path = to + name.path.slice(from.length);
      }
    },
  };
}
