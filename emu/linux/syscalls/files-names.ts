/** Names: directories, links, renaming and removing, listing, the working directory. */
import { hexadecimal } from "../../hexadecimal.ts";
import { encodeName } from "../../host/names.ts";
import {
  EBUSY,
  EEXIST,
  EFAULT,
  EINVAL,
  EISDIR,
  ENOENT,
  ENOTDIR,
  ENOTEMPTY,
  EPERM,
  ENAMETOOLONG,
  ERANGE,
  EXDEV,
  SysError,
} from "../errno.ts";
import type { SyscallContext, SyscallRow } from "../syscall.ts";
import {
  AT_EACCESS,
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_REMOVEDIR,
  AT_SYMLINK_FOLLOW,
  AT_SYMLINK_NOFOLLOW,
  O_CREAT,
  O_EXCL,
  O_PATH,
  O_WRONLY,
  PATH_MAX,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
} from "../vfs/constants.ts";
import { entryType } from "../vfs/file-types.ts";
import { fileKey } from "../vfs/folder.ts";
import { DirectoryFile, RegularFile } from "../vfs/host-file.ts";
import { exists, type HostPlace, isDirectory, type Location } from "../vfs/location.ts";
import { isWithin, join, parentOf } from "../vfs/mounts.ts";
import { IN_ACCESS } from "../vfs/notices.ts";
import { type DirectoryEntry, OpenFile } from "../vfs/open-file.ts";
import { otherName } from "../vfs/other-names.ts";
import { MAY_EXEC, MAY_READ, MAY_WRITE } from "../vfs/permissions.ts";
import { openedFiles, type TaskFiles } from "../vfs/process-files.ts";
import { S_ISGID } from "../vfs/set-ids.ts";
import { partsOf } from "../vfs/walks.ts";
import { PathFile } from "../vfs/special-files.ts";
import { accessible, anyFileArg, checkFlags, fileArg, files, lookArg, NO_ENTRY } from "./files-common.ts";

const NO_NAMES: readonly string[] = ["", ".", ".."];

/**
 * Last component of a path as it was given: "." and ".." are no names for entries to be made or removed. What is before them
 * must be a directory first.
 */
function checkNames(ctx: SyscallContext, names: readonly Named[], errno: number): void {
  // Nearly all names are.
  if (!names.some(({ path }) => NO_NAMES.includes(partsOf(path).last))) return;
  const split = names.map(({ dirfd, path }) => ({ dirfd, path, parts: path.replace(/\/+$/, "").split("/") }));
  for (const { dirfd, path, parts } of split) {
    if (path === "") throw new SysError(ENOENT);
    const before = parts.slice(0, -1).join("/") || (path.startsWith("/") ? "/" : ".");
    if (!isDirectory(files(ctx).find(dirfd, before, true))) throw new SysError(ENOTDIR);
  }
  throw new SysError(errno);
}

/** Something is there already. Programs hear it that make folders on a path all day, and to throw takes longer than the call. */
const EXISTS = new SysError(EEXIST);

/** Where something new is to be: nothing may be there. */
function vacant(ctx: SyscallContext, dirfd: number, path: string): Location {
  const at = vacantOr(ctx, dirfd, path);
  if (at instanceof SysError) throw at;
  return at;
}

/** As `vacant`, or EEXIST, or ENOENT where a folder on the way isn't there. */
function vacantOr(ctx: SyscallContext, dirfd: number, path: string, directory = false): Location | SysError {
  checkNames(ctx, [{ dirfd, path }], EEXIST);
  const task = files(ctx);
  // A trailing slash says "directory", not "follow": the new name is what comes before it.
  const at = task.lookFor(dirfd, path.replace(/\/+$/, ""), false);
  if (at === undefined) return NO_ENTRY;
  if (exists(at)) return EXISTS;
  if (path.endsWith("/") && !directory) throw new SysError(ENOENT);
  // Nothing can be made in a folder that has been removed; that comes before whatever else is wrong.
  if (at.place?.folder.host.stat().nlink === 0) throw new SysError(ENOENT);
  return at;
}

function mkdir(ctx: SyscallContext, dirfd: number, path: string, mode: number): number | SysError {
  const { system, umask } = files(ctx);
  const at = vacantOr(ctx, dirfd, path, true);
  if (at instanceof SysError) return at;
  const task = files(ctx);
  const place = system.namespace.vacant(at, task);
  const { setIds, host } = system;
  system.namespace.at(place, (real) => {
    host.files.mkdir(real, mode & 0o1777 & ~umask);
    task.permissions.inherit((uid, gid) => host.files.chown(real, uid, gid));
    // A folder has S_ISGID where the one it is made in has it (Linux: inode_init_owner).
    if (!setIds.isEmpty)
      setIds.keep(host.files.lstat(real), setIds.bitsOf(place.folder.key) & S_ISGID, at.path);
  });
  system.notices.created(at, { isFolder: true });
  return 0;
}

/** What mknod(2) makes. */
const NODES: readonly number[] = [S_IFREG, S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK];

/** mknod(2): regular files, and sockets and named pipes, which are the machine's own; devices would lead out of it. */
function mknod(ctx: SyscallContext, dirfd: number, path: string, mode: number): number {
  const type = mode & S_IFMT;
  if (type === S_IFDIR) throw new SysError(EPERM);
  if (type !== 0 && !NODES.includes(type)) throw new SysError(EINVAL);
  const at = vacant(ctx, dirfd, path);
  files(ctx).system.namespace.vacant(at, files(ctx));
  if (type === S_IFCHR || type === S_IFBLK) throw new SysError(EPERM);
  const file = files(ctx).open(dirfd, path, O_CREAT | O_EXCL | O_WRONLY, mode & 0o7777);
  const { nodes } = files(ctx).system;
  if (type === S_IFIFO) nodes.add(file.stat(), "fifo", file.where().path);
  if (type === S_IFSOCK) nodes.add(file.stat(), "socket", file.where().path);
  file.close();
  return 0;
}

function unlink(ctx: SyscallContext, dirfd: number, path: string): number | SysError {
  const task = files(ctx);
  const { system } = task;
  checkNames(ctx, [{ dirfd, path }], EISDIR);
  const at = task.findIfThere(dirfd, path, false);
  if (at === undefined) return NO_ENTRY;
  // A slash at the end leads through a link, which is none the less no directory itself.
  const isLink =
    path.endsWith("/") && task.find(dirfd, path.replace(/\/+$/, ""), false).stat?.kind === "symlink";
  const isFolder = isDirectory(at) && !isLink;
  if (at.mustBeDirectory && !isLink) throw new SysError(isFolder ? EISDIR : ENOTDIR);
  // Only of what could be removed otherwise it is said that it is mounted.
  if (isFolder && system.namespace.isMountPoint(at)) throw new SysError(EISDIR);
  const place = system.namespace.removable(at, task);
  if (isFolder) throw new SysError(EISDIR);
  if (at.mustBeDirectory) throw new SysError(ENOTDIR);
  system.namespace.at(place, (host) => system.host.files.unlink(host));
  system.notices.removed(at);
  lostName(system, at);
  return 0;
}

function rmdir(ctx: SyscallContext, dirfd: number, path: string): number | SysError {
  const { system } = files(ctx);
  const at = files(ctx).findIfThere(dirfd, path === "" ? path : path.replace(/(?<=.)\/+$/, ""), false);
  if (at === undefined) return NO_ENTRY;
  const last = path.replace(/\/+$/, "").split("/").pop();
  if (last === ".") throw new SysError(EINVAL);
  if (last === "..") throw new SysError(ENOTEMPTY);
  if (at.path === "/") throw new SysError(EBUSY);
  const place = system.namespace.removable(at, files(ctx));
  if (!isDirectory(at)) throw new SysError(ENOTDIR);
  system.namespace.at(place, (host) => system.host.files.rmdir(host));
  system.notices.removed(at);
  return 0;
}

const RENAME_NOREPLACE = 1;
const RENAME_EXCHANGE = 2;
const RENAME_WHITEOUT = 4;

interface Named {
  dirfd: number;
  path: string;
}

function rename(ctx: SyscallContext, from: Named, to: Named, flags: number): number | SysError {
  checkFlags(flags, RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT);
  if (flags & RENAME_EXCHANGE && flags !== RENAME_EXCHANGE) throw new SysError(EINVAL);
  // A file system that has no whiteouts.
  if (flags & RENAME_WHITEOUT) throw new SysError(EINVAL);
  checkNames(ctx, [from, to], EBUSY);
  const task = files(ctx);
  const { namespace, host } = task.system;
  const strip = (path: string) => path.replace(/\/+$/, "");
  // What is wrong with either path comes before a file that isn't there.
  const source = task.resolve(from.dirfd, strip(from.path), { follow: false });
  const target = task.resolve(to.dirfd, strip(to.path), { follow: false });
  if (!exists(source)) return NO_ENTRY;
  if (flags & RENAME_EXCHANGE) return exchange(ctx, { from, source }, { from: to, source: target });
  if (!isDirectory(source) && (from.path.endsWith("/") || to.path.endsWith("/"))) throw new SysError(ENOTDIR);
  if (flags & RENAME_NOREPLACE && exists(target)) throw new SysError(EEXIST);
  if (target.path !== source.path && isAbove(source, target)) throw new SysError(EINVAL);
  if (isSame(source, target)) return 0;
  const sourcePlace = namespace.removable(source, task);
  const targetPlace = exists(target) ? namespace.removable(target, task) : namespace.vacant(target, task);
  if (sourcePlace.folder.mount !== targetPlace.folder.mount) throw new SysError(EXDEV);
  checkMove(task, source, [sourcePlace, targetPlace]);
  namespace.at(sourcePlace, (old) => namespace.at(targetPlace, (fresh) => host.files.rename(old, fresh)));
  if (isDirectory(source)) namespace.forgetWalks();
  const { nodes, setIds } = task.system;
  lostName(task.system, target);
  if (source.stat !== undefined) {
    for (const known of [nodes, setIds]) known.moved(fileKey(source.stat), source.path, target.path);
  }
  task.system.notices.moved(source, target);
  return 0;
}

/** A name leads to its file no more: what the machine knows of the file goes by another name, where it has one. */
function lostName(system: TaskFiles["system"], { stat, path, place }: Location): void {
  if (stat === undefined || place === undefined || stat.kind === "directory") return;
  const { nodes, setIds } = system;
  const key = fileKey(stat);
  if (stat.nlink === 1) nodes.forget(key);
  else if (nodes.get(key)?.path === path || setIds.pathOf(key) === path) {
    const other = otherName(system, stat, path, place.folder.mount);
    if (other !== undefined) for (const known of [nodes, setIds]) known.moved(key, path, other);
  }
}

/** Whether a directory holds what is below, which it does not by the name that a removed one had. */
const isAbove = (above: Location, below: Location): boolean =>
  isDirectory(above) && isWithin(below.path, above.path) && !below.place?.folder.host.where().isGone;

/** Whether two names are of one file, and seen through one grant. */
const isSame = (one: Location, other: Location): boolean =>
  one.stat !== undefined &&
  other.stat !== undefined &&
  fileKey(one.stat) === fileKey(other.stat) &&
  one.place?.folder.mount === other.place?.folder.mount;

/** A folder that moves to another one is written to: its ".." changes. Throws EACCES. */
function checkMove({ permissions }: TaskFiles, { stat, path }: Location, [from, to]: readonly HostPlace[]) {
  if (stat?.kind === "directory" && from.folder !== to.folder) permissions.check(stat, MAY_WRITE, path);
}

/**
 * RENAME_EXCHANGE: two names change places. The host is asked for three renamings, between which only others on the host see that
 * one is missing; where one of them fails, those before it are taken back.
 */
function exchange(
  ctx: SyscallContext,
  one: { from: Named; source: Location },
  other: { from: Named; source: Location },
): number {
  const { namespace, host, nodes, setIds, notices } = files(ctx).system;
  const [a, b] = [one.source, other.source];
  if (!exists(b)) throw new SysError(ENOENT);
  for (const { from, source } of [one, other]) {
    if (!isDirectory(source) && from.path.endsWith("/")) throw new SysError(ENOTDIR);
  }
  if (a.path === b.path) return 0;
  if (isAbove(a, b) || isAbove(b, a)) throw new SysError(EINVAL);
  const task = files(ctx);
  const places = [namespace.removable(a, task), namespace.removable(b, task)];
  const [placeA, placeB] = places;
  if (placeA.folder.mount !== placeB.folder.mount) throw new SysError(EXDEV);
  for (const source of [a, b]) checkMove(task, source, places);
  const aside = { folder: placeA.folder, name: `.ppcr-exchange-${hexadecimal(randomBytes(ctx))}` };
  const move = (from: HostPlace, to: HostPlace) =>
    namespace.at(from, (old) => namespace.at(to, (fresh) => host.files.rename(old, fresh)));
  const done: [HostPlace, HostPlace][] = [];
  try {
    for (const step of [
      [placeA, aside],
      [placeB, placeA],
      [aside, placeB],
    ] satisfies [HostPlace, HostPlace][]) {
      move(step[0], step[1]);
      done.unshift(step);
    }
  } catch (error) {
    for (const [from, to] of done) move(to, from);
    throw error;
  }
  namespace.forgetWalks();
  const between = join(parentOf(a.path), aside.name);
  for (const known of [nodes, setIds]) {
    known.moved(fileKey(a.stat!), a.path, between);
    known.moved(fileKey(b.stat!), b.path, a.path);
    known.moved(fileKey(a.stat!), between, b.path);
  }
  notices.moved(a, { ...b, stat: undefined });
  notices.moved(b, { ...a, stat: undefined });
  return 0;
}

function randomBytes(ctx: SyscallContext): Uint8Array {
  const bytes = new Uint8Array(8);
  ctx.kernel.host.random(bytes);
  return bytes;
}

function link(ctx: SyscallContext, from: Named, to: Named, flags: number): number {
  checkFlags(flags, AT_SYMLINK_FOLLOW | AT_EMPTY_PATH);
  const task = files(ctx);
  const { namespace, host } = task.system;
  const empty = from.path === "" && (flags & AT_EMPTY_PATH) !== 0;
  const named = empty && from.dirfd === AT_FDCWD ? { ...from, path: "." } : from;
  const found =
    empty && named === from
      ? undefined
      : task.find(named.dirfd, named.path, (flags & AT_SYMLINK_FOLLOW) !== 0);
  const object = found === undefined ? task.descriptors.get(from.dirfd) : found.object;
  if (object instanceof RegularFile && task.system.isNameable(object.key)) {
    const target = vacant(ctx, to.dirfd, to.path);
    task.system.name(object, target, task, openedFiles(ctx.kernel));
    task.system.notices.created(target);
    return 0;
  }
  const source = object === undefined ? found! : task.system.locate(object, task);
  const target = vacant(ctx, to.dirfd, to.path);
  const { mount } = namespace.writable(target).folder;
  // A second name elsewhere must not make a read-only file writable.
  if (source.place?.folder.mount !== mount) throw new SysError(EXDEV);
  const targetPlace = namespace.vacant(target, task);
  if (isDirectory(source)) throw new SysError(EPERM);
  namespace.at(source.place, (old) => namespace.at(targetPlace, (fresh) => host.files.link(old, fresh)));
  task.system.notices.created(target, { of: source });
  return 0;
}

function symlink(ctx: SyscallContext, target: string, to: Named): number {
  if (target === "") throw new SysError(ENOENT);
  const task = files(ctx);
  const { namespace, host, notices } = task.system;
  const at = vacant(ctx, to.dirfd, to.path);
  namespace.at(namespace.vacant(at, task), (path) => {
    host.files.symlink(target, path);
    task.permissions.inherit((uid, gid) => host.files.chown(path, uid, gid));
  });
  notices.created(at);
  return 0;
}

/** What is there is no link, which programs find that look at every component of a path. */
const NO_LINK = new SysError(EINVAL);

function readlink(ctx: SyscallContext, dirfd: number, path: string, n: number): number | SysError {
  const size = ctx.args.int(n + 1);
  if (size <= 0) throw new SysError(EINVAL);
  const task = files(ctx);
  if (path === "") {
    // An O_PATH descriptor of a symlink can be read by an empty path.
    const file = dirfd === AT_FDCWD ? undefined : task.descriptors.get(dirfd);
    if (!(file instanceof PathFile) || file.target === undefined) throw new SysError(ENOENT);
    // One of /proc says what is so now, not what was so when it was opened.
    if (!file.isSynthetic) return putLink(ctx, n, size, file.target);
    path = file.path;
  }
  const at = task.findIfThere(dirfd, path, false);
  if (at === undefined) return NO_ENTRY;
  const isLink = at.stat?.kind === "symlink" || at.synthetic?.type === "link";
  return isLink ? putLink(ctx, n, size, task.system.namespace.readlink(at)) : NO_LINK;
}

function putLink(ctx: SyscallContext, n: number, size: number, target: string): number {
  const text = encodeName(target);
  const length = Math.min(text.length, size);
  ctx.memory.write(ctx.args.address(n), text.subarray(0, length));
  return length;
}

function access(
  ctx: SyscallContext,
  dirfd: number,
  n: number,
  mode: number,
  flags: number,
): number | SysError {
  if (mode & ~(MAY_READ | MAY_WRITE | MAY_EXEC)) throw new SysError(EINVAL);
  checkFlags(flags, AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH);
  const found = lookArg(ctx, dirfd, n, { follow: (flags & AT_SYMLINK_NOFOLLOW) === 0, flags });
  if (found === undefined) return NO_ENTRY;
  if (mode === 0) return 0;
  const { system, permissions } = files(ctx);
  const at = found instanceof OpenFile ? undefined : found;
  const stat = found instanceof OpenFile ? found.stat() : system.stat(found);
  if (stat.kind === "symlink") return 0;
  const isOnHost = at?.place !== undefined && at.stat !== undefined;
  if (isOnHost && mode & MAY_WRITE && !isDevice(at)) system.namespace.writable(at);
  if (flags & AT_EACCESS) permissions.check(stat, mode, "access");
  else permissions.checkReal(stat, mode, "access");
  if (isOnHost) system.askHost(at, mode);
  return 0;
}

const isDevice = (at: Location): boolean => at.stat?.kind === "char" || at.stat?.kind === "block";

// ---- listing -----------------------------------------------------------------------------------------------

/** Entries on their way to memory: to make an array for each takes V8 longer than to fill it. */
const dirents = new Uint8Array(32 * 1024);
const direntView = new DataView(dirents.buffer);

/** Puts a name into `dirents`, if there is room for it; its length in any case. */
function putName(name: string, at: number): number {
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code >= 0x80) {
      const bytes = encodeName(name);
      if (at + bytes.length <= dirents.length) dirents.set(bytes, at);
      return bytes.length;
    }
    if (at + i < dirents.length) dirents[at + i] = code;
  }
  return name.length;
}

/** Puts struct linux_dirent64 or linux_dirent of one entry into `dirents`, where it ends before `end`; `next` is its cookie. Its length. */
function putDirent(
  { abi }: SyscallContext,
  { ino, kind, name }: DirectoryEntry,
  { at, end, next, wide }: { at: number; end: number; next: number; wide: boolean },
): number {
  const word = wide ? 8 : abi.wordSize;
  const header = 2 * word + 2 + (wide ? 1 : 0);
  const named = putName(name, at + header);
  // The old struct has its type in the last byte, after the NUL and the padding.
  const length = Math.ceil((header + named + 1 + (wide ? 0 : 1)) / word) * word;
  if (at + length > end) return 0;
  const little = abi.littleEndian;
  if (word === 8) {
    direntView.setBigUint64(at, ino, little);
    direntView.setUint32(at + (little ? 8 : 12), next, little);
    direntView.setUint32(at + (little ? 12 : 8), 0, little);
  } else {
    direntView.setUint32(at, Number(BigInt.asUintN(32, ino ^ (ino >> 32n))), little);
    direntView.setUint32(at + 4, next, little);
  }
  direntView.setUint16(at + 2 * word, length, little);
  dirents.fill(0, at + header + named, at + length);
  dirents[at + (wide ? header : length) - 1] = entryType(kind);
  return length;
}

/** Puts entries into `dirents` as long as they end before `end`: how many, and their bytes. */
function fill(
  ctx: SyscallContext,
  entries: readonly DirectoryEntry[],
  { first, end, wide }: { first: number; end: number; wide: boolean },
): { count: number; length: number } {
  let [count, length] = [0, 0];
  for (; first + count < entries.length; count++) {
    const next = first + count + 1;
    const size = putDirent(ctx, entries[first + count], { at: length, end, next, wide });
    if (size === 0) break;
    length += size;
  }
  return { count, length };
}

/** How many of the bytes at an address can be stored. */
function storable({ memory }: SyscallContext, address: number, length: number): number {
  try {
    return accessible(memory, address, length, true);
  } catch (error) {
    if (error instanceof SysError) return 0;
    throw error;
  }
}

function getdents(ctx: SyscallContext, wide: boolean): number {
  const file = fileArg(ctx, 0);
  const entries = file.entries();
  files(ctx).system.notices.happened(file, IN_ACCESS);
  const room = Math.min(ctx.args.uint(2), 1024 * 1024);
  const address = ctx.args.address(1);
  let done = 0;
  while (file.position < entries.length) {
    const first = file.position;
    let filled = fill(ctx, entries, { first, end: Math.min(room - done, dirents.length), wide });
    if (filled.count === 0 && done === 0) throw new SysError(EINVAL);
    if (filled.count === 0) break;
    const good = storable(ctx, address + done, filled.length);
    const isCut = good < filled.length;
    // Whole entries only go to where memory ends.
    if (isCut) filled = fill(ctx, entries, { first, end: good, wide });
    if (filled.count === 0 && done === 0) throw new SysError(EFAULT);
    if (filled.count === 0) break;
    ctx.memory.write(address + done, dirents.subarray(0, filled.length));
    done += filled.length;
    file.position += filled.count;
    if (isCut) break;
  }
  return done;
}

// ---- the working directory ---------------------------------------------------------------------------------

function getcwd(ctx: SyscallContext): number {
  const { path, deleted } = files(ctx).directory.where();
  if (deleted) throw new SysError(ENOENT);
  const bytes = encodeName(`${path}\0`);
  if (bytes.length > PATH_MAX) throw new SysError(ENAMETOOLONG);
  if (ctx.args.size(1) < bytes.length) throw new SysError(ERANGE);
  ctx.memory.write(ctx.args.address(0), bytes);
  return bytes.length;
}

/** The folder that argument 0 names, which whoever asks may search; undefined where nothing is there. Throws ENOTDIR, EACCES. */
function folderArg(ctx: SyscallContext): Location | undefined {
  const task = files(ctx);
  const at = task.findIfThere(AT_FDCWD, ctx.path(0), true);
  if (at === undefined) return undefined;
  if (!isDirectory(at)) throw new SysError(ENOTDIR);
  if (at.place !== undefined) task.system.checkAccess(at, MAY_EXEC, task);
  return at;
}

function chdir(ctx: SyscallContext): number | SysError {
  const task = files(ctx);
  const at = folderArg(ctx);
  if (at === undefined) return NO_ENTRY;
  task.enter(task.system.directory(at, O_PATH, task));
  return 0;
}

/** Nobody may have another root; that the folder can't be searched is said first. */
function chroot(ctx: SyscallContext): SysError {
  return folderArg(ctx) === undefined ? NO_ENTRY : new SysError(EPERM);
}

function fchdir(ctx: SyscallContext): number {
  const file = anyFileArg(ctx, 0);
  if (!(file instanceof DirectoryFile)) throw new SysError(ENOTDIR);
  const at = file.where().deleted ? undefined : file.base();
  if (at?.place !== undefined) files(ctx).system.checkAccess(at, MAY_EXEC, files(ctx));
  files(ctx).enter(file);
  return 0;
}

const named = (ctx: SyscallContext, dirfd: number, path: number): Named => ({
  dirfd: dirfd < 0 ? AT_FDCWD : ctx.args.int(dirfd),
  path: ctx.path(path),
});
/** For `named`: the call has no dirfd argument. */
const NONE = -1;

export const FILE_NAME_CALLS: readonly SyscallRow[] = [
  { name: "mkdir", args: "str octal", handler: (ctx) => mkdir(ctx, AT_FDCWD, ctx.path(0), ctx.args.int(1)) },
  {
    name: "mkdirat",
    args: "fd str octal",
    handler: (ctx) => mkdir(ctx, ctx.args.int(0), ctx.path(1), ctx.args.int(2)),
  },
  {
    name: "mknod",
    args: "str octal uint",
    handler: (ctx) => mknod(ctx, AT_FDCWD, ctx.path(0), ctx.args.int(1)),
  },
  {
    name: "mknodat",
    args: "fd str octal uint",
    handler: (ctx) => mknod(ctx, ctx.args.int(0), ctx.path(1), ctx.args.int(2)),
  },
  { name: "rmdir", args: "str", handler: (ctx) => rmdir(ctx, AT_FDCWD, ctx.path(0)) },
  { name: "unlink", args: "str", handler: (ctx) => unlink(ctx, AT_FDCWD, ctx.path(0)) },
  {
    name: "unlinkat",
    args: "fd str hex",
    handler: (ctx) => {
      const flags = ctx.args.int(2);
      checkFlags(flags, AT_REMOVEDIR);
      return (flags & AT_REMOVEDIR ? rmdir : unlink)(ctx, ctx.args.int(0), ctx.path(1));
    },
  },
  {
    name: "rename",
    args: "str str",
    handler: (ctx) => rename(ctx, named(ctx, NONE, 0), named(ctx, NONE, 1), 0),
  },
  {
    name: "renameat",
    args: "fd str fd str",
    handler: (ctx) => rename(ctx, named(ctx, 0, 1), named(ctx, 2, 3), 0),
  },
  {
    name: "renameat2",
    args: "fd str fd str hex",
    handler: (ctx) => rename(ctx, named(ctx, 0, 1), named(ctx, 2, 3), ctx.args.int(4)),
  },
  { name: "link", args: "str str", handler: (ctx) => link(ctx, named(ctx, NONE, 0), named(ctx, NONE, 1), 0) },
  {
    name: "linkat",
    args: "fd str fd str hex",
    handler: (ctx) => link(ctx, named(ctx, 0, 1), named(ctx, 2, 3), ctx.args.int(4)),
  },
  { name: "symlink", args: "str str", handler: (ctx) => symlink(ctx, ctx.path(0), named(ctx, NONE, 1)) },
  { name: "symlinkat", args: "str fd str", handler: (ctx) => symlink(ctx, ctx.path(0), named(ctx, 1, 2)) },
  {
    name: "readlink",
    args: "str ptr ulong",
    brief: true,
    handler: (ctx) => {
      const path = ctx.path(0);
      if (path === "") throw new SysError(ENOENT);
      return readlink(ctx, AT_FDCWD, path, 1);
    },
  },
  {
    name: "readlinkat",
    args: "fd str ptr ulong",
    brief: true,
    handler: (ctx) => readlink(ctx, ctx.args.int(0), ctx.path(1), 2),
  },
  {
    name: "access",
    args: "str octal",
    brief: true,
    handler: (ctx) => access(ctx, AT_FDCWD, 0, ctx.args.int(1), 0),
  },
  {
    name: "faccessat",
    args: "fd str octal",
    brief: true,
    handler: (ctx) => access(ctx, ctx.args.int(0), 1, ctx.args.int(2), 0),
  },
  {
    name: "faccessat2",
    args: "fd str octal hex",
    brief: true,
    handler: (ctx) => access(ctx, ctx.args.int(0), 1, ctx.args.int(2), ctx.args.int(3)),
  },
  { name: "getdents", args: "fd ptr uint", handler: (ctx) => getdents(ctx, false) },
  { name: "getdents64", args: "fd ptr uint", handler: (ctx) => getdents(ctx, true) },
  { name: "getcwd", args: "ptr ulong", brief: true, handler: getcwd },
  { name: "chdir", args: "str", handler: chdir },
  { name: "fchdir", args: "fd", handler: fchdir },
  { name: "chroot", args: "str", handler: chroot },
];
