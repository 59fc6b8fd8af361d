/** Files of the host through node:fs. */
import type { PathLike } from "node:fs";
import { isAbsolute, join } from "node:path";
import {
  type HostAccess,
  type HostEntry,
  HostError,
  type HostFiles,
  type HostFolder,
  type HostOpenFlags,
  type HostStat,
  type HostWhereabouts,
  withoutTraces,
} from "../host.ts";
import { decodeName, encodeName, isRawName } from "../names.ts";
import { builtins, fs } from "./builtins.ts";
import { byName, syncFolder } from "./files-by-name.ts";
import { BYTES, forget, giveBack, heldPath, isNear, pathOf, withName } from "./near-folder.ts";
import { lookAt, statusAt, statusOf } from "./node-status.ts";

const { constants } = fs;
const onLinux = process.platform === "linux";
/** Linux's O_PATH: a directory without read permission can still be a place to look names up in. */
const O_PATH = onLinux ? 0o10000000 : 0;

/** Runs `work` and turns node's errors into HostErrors. */
export function hostCall<T>(work: () => T): T {
  try {
    return withoutTraces(work);
  } catch (error) {
    throw toHostError(error);
  }
}

/** An error of node's as the machine's; others stay what they are. */
function toHostError(error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (error instanceof HostError || typeof code !== "string") return error;
  // Node's own complaints about arguments (a NUL in a path, a negative length) are the caller's EINVAL.
  return new HostError(code.startsWith("ERR_") ? "EINVAL" : code, message);
}

/** A path as node wants it: a name that is no UTF-8 as its bytes. */
export const toHost = (path: string): PathLike => (isRawName(path) ? Buffer.from(encodeName(path)) : path);
/** What a name stands for that was asked for as `BYTES`: nearly always it is ASCII. */
const named = (bytes: string): string =>
  /[\x80-\xff]/.test(bytes) ? decodeName(Buffer.from(bytes, BYTES.encoding)) : bytes;

function openFlags(flags: HostOpenFlags): number {
  const access = flags.write ? (flags.read ? constants.O_RDWR : constants.O_WRONLY) : constants.O_RDONLY;
  return (
    access |
    constants.O_NONBLOCK |
    constants.O_NOCTTY |
    (flags.append ? constants.O_APPEND : 0) |
    (flags.create ? constants.O_CREAT : 0) |
    (flags.exclusive ? constants.O_EXCL : 0) |
    (flags.truncate ? constants.O_TRUNC : 0) |
    (flags.directory ? constants.O_DIRECTORY : 0) |
    (flags.noFollow ? constants.O_NOFOLLOW : 0)
  );
}

/** The mode of access(2). */
function accessMode({ read, write, execute }: HostAccess): number {
  const { R_OK, W_OK, X_OK, F_OK } = constants;
  return F_OK | (read ? R_OK : 0) | (write ? W_OK : 0) | (execute ? X_OK : 0);
}

const DELETED = " (deleted)";

/** The path that Linux knows for a handle. It keeps the last name of what has none any more, with a mark behind it. */
function whereIs(handle: number): HostWhereabouts {
  const path = named(fs.readlinkSync(heldPath(handle), BYTES));
  if (!path.endsWith(DELETED)) return { path, isGone: false };
  const here = lookAt(toHost(path));
  const held = statusOf(handle);
  if (here?.dev === held.dev && here.ino === held.ino) return { path, isGone: false };
  return { path: path.slice(0, -DELETED.length), isGone: true };
}

/** What the entries of these names behind a path are. */
function entriesAt(path: string, names: readonly string[]): HostEntry[] {
  const entries: HostEntry[] = [];
  for (const name of names) {
    try {
      const stat = lookAt(toHost(path + name));
      if (stat === undefined) continue;
      const { kind, dev, ino } = stat;
      entries.push({ name, kind, dev, ino });
    } catch {
      // Refused.
    }
  }
  return entries;
}

/**
 * On Linux an open directory is a fixed point: /proc/self/fd/N/name names an entry of that very directory,
 * whatever happens to the path that led to it.
 */
class HeldFolder implements HostFolder {
  readonly isHeld = true;
  private readonly handle: number;

  constructor(path: PathLike) {
    this.handle = fs.openSync(path, O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  }
  within<T>(name: string, use: (path: string) => T): T {
    return withName(this.handle, name, use);
  }
  stat(): HostStat {
    return hostCall(() => statusOf(this.handle));
  }
  entries(): HostEntry[] {
    const names = hostCall(() => this.within(".", files.readdir));
    return hostCall(() => this.within("", (path) => entriesAt(path, names)));
  }
  access(wanted: HostAccess): void {
    hostCall(() => fs.accessSync(isNear(this.handle) ? "." : heldPath(this.handle), accessMode(wanted)));
  }
  where(): HostWhereabouts {
    return hostCall(() => this.shortPath() ?? this.longPath());
  }
  mark(): string | undefined {
    try {
      const mark = withoutTraces(() => pathOf(this.handle));
      return mark.endsWith(DELETED) ? undefined : mark;
    } catch {
      return undefined;
    }
  }
  /** Linux tells no path of more than PATH_MAX bytes. */
  private shortPath(): HostWhereabouts | undefined {
    try {
      return whereIs(this.handle);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENAMETOOLONG") return undefined;
      throw error;
    }
  }
  /** The path that comes of the names in the folders above, up to one whose path is told. */
  private longPath(): HostWhereabouts {
    const names: string[] = [];
    let folder: HeldFolder = this;
    try {
      for (;;) {
        const stat = folder.stat();
        const above = folder.parent();
        if (folder !== this) folder.close();
        folder = above;
        names.unshift(above.nameOf(stat));
        const found = above.shortPath();
        if (found !== undefined) return { path: join(found.path, ...names), isGone: found.isGone };
      }
    } finally {
      if (folder !== this) folder.close();
    }
  }
  /** The name of what has this status. */
  private nameOf({ dev, ino }: HostStat): string {
    return this.within(".", (path) => {
      const found = files.readdir(path).find((name) => {
        const stat = lookAt(toHost(`${path}/${name}`));
        return stat?.ino === ino && stat.dev === dev;
      });
      if (found === undefined)
        throw new HostError("ENOENT", "it has no name, and was too deep to tell where");
      return found;
    });
  }
  parent(): HeldFolder {
    return hostCall(() => this.within("..", (path) => new HeldFolder(toHost(path))));
  }
  sync(data: boolean): void {
    hostCall(() => this.within(".", (path) => syncFolder(files, path, data)));
  }
  close(): void {
    forget(this.handle);
    hostCall(() => fs.closeSync(this.handle));
  }
}

const double = new Float64Array(1);
const doubleBits = new BigInt64Array(double.buffer);

/**
 * Node takes seconds as a double, and cuts them to microseconds (Node 20) or nanoseconds (Node 24). Whole seconds are exact; for others it
 * gets the next double above, so that the microsecond is right either way (centuries away, where doubles are more than one apart, it may be the
 * one before). It takes a number below zero for the present time, but not
 * a date, which has milliseconds.
 */
function toTime(nanoseconds: bigint): number | Date {
  if (nanoseconds < 0n) return new Date(Math.floor(Number(nanoseconds) / 1e6));
  const microseconds = nanoseconds / 1000n;
  double[0] = Number(microseconds) / 1e6;
  if (microseconds % 1_000_000n !== 0n) doubleBits[0]++;
  if (Math.floor(double[0]) > Number(microseconds / 1_000_000n)) doubleBits[0]--;
  return double[0];
}

/** Creates with exactly the permissions asked for: the guest's umask has been applied, the host's must not be. */
function withoutUmask<T>(create: () => T): T {
  const umask = process.umask(0);
  try {
    return create();
  } finally {
    process.umask(umask);
  }
}

/** Runs `use` with a path of exactly the file at `path`, also where it is a symlink, without opening it. */
function pinned<T>(path: string, use: (path: PathLike, handle?: number) => T): T {
  if (!onLinux) return use(toHost(path));
  const handle = fs.openSync(toHost(path), O_PATH | constants.O_NOFOLLOW);
  try {
    return use(heldPath(handle), handle);
  } finally {
    fs.closeSync(handle);
  }
}

/** Folders of `temporaryFolder` that are still there; undefined before the first. */
let temporary: Set<string> | undefined;

const removeTree = (path: string): void => {
  fs.rmSync(path, { recursive: true, force: true });
  temporary?.delete(path);
};

/** Where the host has temporary files. */
function hostTemporary(): string {
  const path = builtins.os.tmpdir();
  // A relative one is meant from where this process was started.
  if (!isAbsolute(path)) giveBack();
  return path;
}

function temporaryFolder(): string {
  if (temporary === undefined) {
    const all = (temporary = new Set());
    process.once("exit", () => [...all].forEach(removeTree));
  }
  const path = fs.mkdtempSync(join(fs.realpathSync(hostTemporary()), "ppcr-"));
  temporary.add(path);
  return path;
}

/** Of Linux, without the O_DIRECTORY that it wants. */
const O_TMPFILE = 0o20000000;

/** Node's link(2) gives names to what has one only: ln(1) can follow the link of /proc to the file. */
function nameUnnamed(handle: number, path: string): void {
  const own = `/proc/${process.pid}`;
  const target = toHost(path);
  if (typeof target !== "string") throw new HostError("EOPNOTSUPP", "ln is given no name that isn't UTF-8");
  const names = [`${own}/fd/${handle}`, target.replace(/^\/proc\/self\//, `${own}/`)];
  const { status } = builtins.childProcess.spawnSync("ln", ["-L", "-T", "--", ...names], {
    stdio: "ignore",
    timeout: 5000,
  });
  if (status === 0) return;
  const isThere = fs.lstatSync(target, { throwIfNoEntry: false }) !== undefined;
  throw new HostError(isThere ? "EEXIST" : "EOPNOTSUPP", `${path} could not be linked`);
}

const files: HostFiles = {
  temporaryFolder,
  removeTree,
  folder: (path) => new HeldFolder(toHost(path)),
  unnamedFolder: (mode) => {
    const path = fs.mkdtempSync(join(hostTemporary(), "ppcr-"));
    fs.chmodSync(path, mode);
    const folder = new HeldFolder(path);
    fs.rmdirSync(path);
    return folder;
  },
  pin: (path) => fs.openSync(toHost(path), O_PATH | constants.O_NOFOLLOW),
  where: whereIs,
  open: (path, flags, mode) => {
    const open = () => fs.openSync(toHost(path), openFlags(flags), mode);
    return flags.create ? withoutUmask(open) : open();
  },
  reopen: (handle, flags) => {
    return fs.openSync(heldPath(handle), openFlags({ ...flags, noFollow: false }));
  },
  openUnnamed: () => {
    const folder = fs.mkdtempSync(join(hostTemporary(), "ppcr-"));
    try {
      return fs.openSync(join(folder, "unnamed"), "wx+", 0o600);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  },
  openNameable: (folder) => {
    if (!onLinux) throw new HostError("EOPNOTSUPP", "this host has no files without a name");
    return fs.openSync(toHost(folder), O_TMPFILE | constants.O_DIRECTORY | constants.O_RDWR, 0o600);
  },
  nameUnnamed,
  occupied,
  close: (handle) => fs.closeSync(handle),
  read: (handle, into, position) => fs.readSync(handle, into, 0, into.length, position),
  write: (handle, from, position) => fs.writeSync(handle, from, 0, from.length, position),
  fstat: statusOf,
  lstat: (path) => statusAt(toHost(path)),
  look: (path) => lookAt(toHost(path)),
  readlink: (path) => named(fs.readlinkSync(toHost(path), BYTES)),
  readdir: (path) => fs.readdirSync(toHost(path), BYTES).map(named),
  mkdir: (path, mode) => {
    withoutUmask(() => fs.mkdirSync(toHost(path), { mode }));
  },
  rmdir: (path) => fs.rmdirSync(toHost(path)),
  unlink: (path) => fs.unlinkSync(toHost(path)),
  rename: (from, to) => fs.renameSync(toHost(from), toHost(to)),
  link: (from, to) => fs.linkSync(toHost(from), toHost(to)),
  symlink: (target, path) => fs.symlinkSync(toHost(target), toHost(path)),
  ftruncate: (handle, length) => fs.ftruncateSync(handle, length),
  fsync: (handle, data) => (data ? fs.fdatasyncSync(handle) : fs.fsyncSync(handle)),
  chmod: (path, mode) =>
    pinned(path, (same, handle) => {
      const isLink = handle !== undefined && statusOf(handle).kind === "symlink";
      if (isLink) throw new HostError("ELOOP", `${path} is a symbolic link`);
      fs.chmodSync(same, mode);
    }),
  fchmod: (handle, mode) => fs.fchmodSync(handle, mode),
  utimes: (path, atime, mtime) => fs.lutimesSync(toHost(path), toTime(atime), toTime(mtime)),
  futimes: (handle, atime, mtime) => fs.futimesSync(handle, toTime(atime), toTime(mtime)),
  chown: (path, uid, gid) => fs.lchownSync(toHost(path), uid, gid),
  fchown: (handle, uid, gid) => fs.fchownSync(handle, uid, gid),
  access: (path, wanted) => pinned(path, (same) => fs.accessSync(same, accessMode(wanted))),
  realpath: (path) => named(fs.realpathSync.native(toHost(path), BYTES)),
  statfs: (path) => {
    const { bsize, ...counts } = pinned(path, (same) => fs.statfsSync(same, { bigint: true }));
    return { ...counts, bsize: Number(bsize) };
  },
};

/** Bytes looked at in one go for what is not zero. */
const PIECE = 1024 * 1024;

/**
 * Node can't ask where the holes of a file are, so it is read. Past the page cache (O_DIRECT, on Linux) a hole of 4 GiB takes a third
 * of a second, through it two; for that the buffer has to begin at a page, as the memory of WebAssembly does.
 */
function* occupied(
  handle: number,
  start: number,
  end: number,
): Iterable<{ position: number; length: number }> {
  const piece = new Uint8Array(new WebAssembly.Memory({ initial: PIECE / 65536 }).buffer);
  const zeros = new Uint8Array(PIECE);
  let reader = openDirect(handle);
  const read = (position: number): number => {
    try {
      return fs.readSync(reader ?? handle, piece, 0, PIECE, position);
    } catch (error) {
      if (reader === undefined) throw error;
      // Not every file system has it.
      fs.closeSync(reader);
      reader = undefined;
      return read(position);
    }
  };
  try {
    for (let position = start; position < end; ) {
      const length = hostCall(() => read(position));
      if (length === 0) return;
      if (Buffer.compare(piece.subarray(0, length), zeros.subarray(0, length)) !== 0) {
        yield { position, length };
      }
      position += length;
    }
  } finally {
    if (reader !== undefined) fs.closeSync(reader);
  }
}

function openDirect(handle: number): number | undefined {
  try {
    return onLinux ? fs.openSync(heldPath(handle), constants.O_RDONLY | constants.O_DIRECT) : undefined;
  } catch {
    return undefined;
  }
}

/** The same methods with their errors translated. */
const translated = (methods: HostFiles): HostFiles =>
  Object.fromEntries(
    Object.entries(methods).map(([name, method]) => [
      name,
      // biome-ignore lint/suspicious/noExplicitAny: one wrapper for methods of every signature
      (...args: any[]) => {
        // As `hostCall`, without a closure for every call.
        const engine = Error as { stackTraceLimit?: number };
        const { stackTraceLimit } = engine;
        engine.stackTraceLimit = 0;
        try {
          // biome-ignore lint/suspicious/noExplicitAny: as above
          return (method as any)(...args);
        } catch (error) {
          throw toHostError(error);
        } finally {
          engine.stackTraceLimit = stackTraceLimit;
        }
      },
    ]),
  ) as unknown as HostFiles;

/** As a host that has no /proc: what is open is found again by its name, and checked. */
export const filesByName: HostFiles = byName(translated(files));

/** The host's files. */
export const nodeFiles: HostFiles = onLinux ? translated(files) : filesByName;
