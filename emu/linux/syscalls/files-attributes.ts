/** Sizes, permissions, owners, times, extended attributes; writing through to the disk. */
import type { HostStat } from "../../host/host.ts";
import { type Layout, struct, TIMESPEC, TIMESPEC64, TIMEVAL } from "../abi.ts";
import { CAP_FSETID, isCapable } from "../credentials.ts";
import {
  E2BIG,
  EBADF,
  EFBIG,
  EINVAL,
  EISDIR,
  ENODATA,
  EOPNOTSUPP,
  EPERM,
  ERANGE,
  EROFS,
  ENOSPC,
  ESPIPE,
  SysError,
} from "../errno.ts";
import type { SyscallContext, SyscallRow } from "../syscall.ts";
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW, MAX_OFFSET, O_WRONLY } from "../vfs/constants.ts";
import { RegularFile } from "../vfs/host-file.ts";
import { isDirectory, type Location } from "../vfs/location.ts";
import { IN_ACCESS, IN_ATTRIB, IN_MODIFY } from "../vfs/notices.ts";
import { Socket } from "../net/socket.ts";
import { CHUNK, OpenFile } from "../vfs/open-file.ts";
import { MAY_WRITE } from "../vfs/permissions.ts";
import { PipeEnd } from "../vfs/pipe.ts";
import { droppedBits, S_ISGID } from "../vfs/set-ids.ts";
import { StreamFile } from "../vfs/stream-file.ts";
import {
  checkFlags,
  checkGrowth,
  fileArg,
  files,
  lookArg,
  movedBefore,
  NO_ENTRY,
  pauseIfOverdue,
} from "./files-common.ts";
import { awaitLeases } from "./files-open.ts";
import { freeSpace } from "./files-stat.ts";

function lengthOf(value: bigint): number {
  if (value < 0n) throw new SysError(EINVAL);
  return value > BigInt(MAX_OFFSET) ? MAX_OFFSET : Number(value);
}

function truncate(ctx: SyscallContext, length: number): number {
  const task = files(ctx);
  const at = task.find(AT_FDCWD, ctx.path(0), true);
  if (isDirectory(at)) throw new SysError(EISDIR);
  // Named pipes and sockets aren't opened to find that they have no length.
  if (at.stat !== undefined && task.system.stat(at).kind !== "file") throw new SysError(EINVAL);
  awaitLeases(ctx, at, O_WRONLY);
  const file = task.system.openExisting(at, O_WRONLY, task);
  try {
    checkGrowth(ctx, file, length);
    file.truncate(length);
  } finally {
    file.close();
  }
  task.system.notices.changed(at, IN_MODIFY);
  return 0;
}

function ftruncate(ctx: SyscallContext, length: number): number {
  const file = fileArg(ctx, 0);
  if (!file.canWrite) throw new SysError(EINVAL);
  checkGrowth(ctx, file, length);
  file.truncate(length);
  files(ctx).system.notices.happened(file, IN_MODIFY);
  return 0;
}

/** A 64-bit length in the second argument: the pair r5:r6 on ppc32. */
const wideLength = (ctx: SyscallContext): number => lengthOf(ctx.args.offset64(ctx.abi.is64 ? 1 : 2));

const FALLOC_FL_KEEP_SIZE = 1;
const FALLOC_FL_PUNCH_HOLE = 2;
const FALLOC_FL_ZERO_RANGE = 0x10;

function fallocate(ctx: SyscallContext): number {
  const file = fileArg(ctx, 0);
  const mode = ctx.args.int(1);
  const from = ctx.args.offset64(2);
  const count = ctx.args.offset64(ctx.abi.is64 ? 3 : 4);
  if (from < 0n || count <= 0n) throw new SysError(EINVAL);
  const keepSize = (mode & FALLOC_FL_KEEP_SIZE) !== 0;
  const kind = mode & ~FALLOC_FL_KEEP_SIZE;
  const zeroes = kind === FALLOC_FL_PUNCH_HOLE || kind === FALLOC_FL_ZERO_RANGE;
  // Collapsing and inserting ranges need host calls that aren't to be had; a file system may say so.
  if (kind !== 0 && !zeroes) throw new SysError(EOPNOTSUPP);
  if (kind === FALLOC_FL_PUNCH_HOLE && !keepSize) throw new SysError(EOPNOTSUPP);
  if (!file.canWrite) throw new SysError(EBADF);
  if (file instanceof PipeEnd) throw new SysError(ESPIPE);
  const [offset, length] = [lengthOf(from), lengthOf(count)];
  if (offset + length > MAX_OFFSET) throw new SysError(EFBIG);
  if (!keepSize) checkGrowth(ctx, file, offset + length);
  if (kind !== FALLOC_FL_PUNCH_HOLE && file instanceof RegularFile) checkSpace(ctx, file, offset, length);
  if (zeroes) zeroRange(ctx, file, offset, length);
  file.allocate(offset, length, keepSize);
  files(ctx).system.notices.happened(file, IN_MODIFY);
  return 0;
}

/**
 * Throws ENOSPC for a range that its file system has no room for. The host isn't asked to allocate, so this is all that a
 * program that wants to know how much it may have is told.
 */
function checkSpace(ctx: SyscallContext, file: OpenFile, offset: number, length: number): void {
  const { size, blocks } = file.stat();
  // Blocks that the file has already may lie anywhere in it: all of them count as lying in the range.
  const had = BigInt(Math.min(Math.max(Number(size) - offset, 0), Number(blocks) * 512));
  if (BigInt(length) - had > freeSpace(ctx)) throw new SysError(ENOSPC);
}

/** Holes and zeroed ranges are zeros that are written; beyond the end of the file there is nothing to zero. */
function zeroRange(ctx: SyscallContext, file: OpenFile, offset: number, length: number): void {
  const end = Math.min(offset + length, Number(file.stat().size));
  for (let at = offset + movedBefore(ctx); at < end; at += CHUNK) {
    pauseIfOverdue(ctx, at - offset);
    file.writeAt(new Uint8Array(Math.min(CHUNK, end - at)), at);
  }
}

// ---- permissions and owners --------------------------------------------------------------------------------

/** What a call that changes attributes is about: a path, or a description. */
type Subject = { at: Location; file?: undefined } | { file: OpenFile; at?: undefined };

/** What `lookArg` has found; a link of /proc/PID/fd stands for its description. */
function subjectOf(found: Location | OpenFile | undefined): Subject | undefined {
  if (found === undefined) return undefined;
  const file = found instanceof OpenFile ? found : found.object;
  return file === undefined ? { at: found as Location } : { file };
}

/** Tells those who watch a file that it has been changed. */
function noteChange(ctx: SyscallContext, { at, file }: Subject, mask: number): void {
  const { notices } = files(ctx).system;
  if (file === undefined) notices.changed(at, mask);
  else notices.happened(file, mask);
}

/**
 * Changes attributes where the file is on the host. Pipes, sockets and their like are on none: theirs stay as they
 * are. Throws EPERM for what was inherited and has no name.
 */
function changeAt(ctx: SyscallContext, { at, file }: Subject, change: (path: string) => void): void {
  if (file?.path === "") {
    if (file instanceof StreamFile) throw new SysError(EPERM);
    return;
  }
  const { system } = files(ctx);
  // What the machine makes itself (/proc) is for nobody to change.
  if (at?.synthetic !== undefined) throw new SysError(EPERM);
  system.namespace.at(system.namespace.writable(at ?? system.locate(file!, files(ctx))), change);
}

/** The host handle of an open regular file, by which it can be changed. Throws EROFS. */
function handleOf({ file }: Subject): number | undefined {
  // One that was opened for reading outside gives no right to change the file, which may lie in no grant.
  if (file instanceof StreamFile) return file.canWrite ? file.stream.handle : undefined;
  if (!(file instanceof RegularFile)) return undefined;
  // A handle for reading could change a file of a read-only grant.
  if (file.readOnly) throw new SysError(EROFS);
  return file.handle;
}

function chmod(ctx: SyscallContext, subject: Subject | undefined, mode: number): number | SysError {
  if (subject === undefined) return NO_ENTRY;
  const { system } = files(ctx);
  const { host } = system;
  const { permissions } = files(ctx);
  const handle = handleOf(subject);
  const stat = subject.file?.stat() ?? system.stat(subject.at!);
  if (stat.kind === "symlink") throw new SysError(EOPNOTSUPP);
  permissions.checkOwner(stat, "chmod");
  // Who is not in a file's group can't have others run it with that group (Linux: setattr_prepare).
  if (!isCapable(ctx.thread.credentials, CAP_FSETID) && !permissions.isMember(stat)) mode &= ~S_ISGID;
  // Set-id bits would give whoever runs the file on the host the rights of its user: they stay in the machine.
  if (handle !== undefined) host.files.fchmod(handle, mode & 0o1777);
  else changeAt(ctx, subject, (path) => host.files.chmod(path, mode & 0o1777));
  if (stat.kind === "directory") system.namespace.forgetWalks();
  const { path } = subject.file?.where() ?? subject.at!;
  system.setIds.keep(stat, mode, path);
  noteChange(ctx, subject, IN_ATTRIB);
  return 0;
}

/** chown(2): an owner that stays the same is fine; the host decides about others. Even root's takes set-id bits from a file. */
function chown(
  ctx: SyscallContext,
  subject: Subject | undefined,
  uid: number,
  gid: number,
): number | SysError {
  if (subject === undefined) return NO_ENTRY;
  const { host, setIds, owners, namespace } = files(ctx).system;
  const { permissions } = files(ctx);
  const stat = subject.file?.stat() ?? files(ctx).system.stat(subject.at!);
  const wanted = { uid: uid === -1 ? undefined : uid >>> 0, gid: gid === -1 ? undefined : gid >>> 0 };
  permissions.checkNewOwner(stat, wanted, "chown");
  const { uid: owner, gid: group } = owners.outside(stat, wanted);
  const handle = handleOf(subject);
  if (handle !== undefined) host.files.fchown(handle, owner, group);
  else changeAt(ctx, subject, (path) => host.files.chown(path, owner, group));
  if (stat.kind === "directory") namespace.forgetWalks();
  const isInGroup = isCapable(ctx.thread.credentials, CAP_FSETID) || permissions.isMember(stat);
  if (stat.kind === "file") setIds.drop(stat, droppedBits(setIds.shown(stat).mode, isInGroup));
  noteChange(ctx, subject, IN_ATTRIB);
  return 0;
}

/** Undefined where nothing is there. */
const byPath = (ctx: SyscallContext, follow: boolean): Subject | undefined =>
  subjectOf(lookArg(ctx, AT_FDCWD, 0, { follow }));

function byEither(
  ctx: SyscallContext,
  flags: number,
  known = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH,
): Subject | undefined {
  checkFlags(flags, known);
  const follow = (flags & AT_SYMLINK_NOFOLLOW) === 0;
  return subjectOf(lookArg(ctx, ctx.args.int(0), 1, { follow, flags }));
}

// ---- times -------------------------------------------------------------------------------------------------

const UTIMBUF = struct({ actime: "long", modtime: "long" });
const BILLION = 1_000_000_000n;
const UTIME_NOW = 0x3fff_ffffn;
const UTIME_OMIT = 0x3fff_fffen;

/** A time to set: nanoseconds, or "now", or undefined to leave it. */
type Time = bigint | "now" | undefined;

function setTimes(
  ctx: SyscallContext,
  subject: Subject | undefined,
  times: readonly Time[],
): number | SysError {
  if (subject === undefined) return NO_ENTRY;
  if (times.every((time) => time === undefined)) return 0;
  const { host } = files(ctx).system;
  const stat = subject.file?.stat() ?? files(ctx).system.stat(subject.at!);
  // Whoever may write a file may say that it has just been used.
  const { permissions } = files(ctx);
  if (!permissions.owns(stat)) {
    if (times.some((time) => time !== "now")) throw new SysError(EPERM);
    permissions.check(stat, MAY_WRITE, "utimes");
  }
  const handle = handleOf(subject);
  const isTouched = times.includes("now");
  const set = (utimes: (atime: bigint, mtime: bigint) => void, look: () => HostStat): void => {
    // What is written next gets the time of the host's last tick, and is not to be older: the host says what that is.
    if (isTouched) utimes(stat.atime, stat.mtime);
    const now = isTouched ? look().ctime : 0n;
    const [atime, mtime] = [stat.atime, stat.mtime].map((old, i) => {
      const time = times[i];
      return time === "now" ? now : (time ?? old);
    });
    utimes(atime, mtime);
  };
  const { files: at } = host;
  if (handle !== undefined)
    set(
      (atime, mtime) => at.futimes(handle, atime, mtime),
      () => at.fstat(handle),
    );
  else
    changeAt(ctx, subject, (path) =>
      set(
        (atime, mtime) => at.utimes(path, atime, mtime),
        () => at.lstat(path),
      ),
    );
  // Linux tells of one time that is set as of a read or write (fsnotify_change).
  const one = times[1] === undefined ? IN_ACCESS : IN_MODIFY;
  noteChange(ctx, subject, times.includes(undefined) ? one : IN_ATTRIB);
  return 0;
}

const NOW: readonly Time[] = ["now", "now"];

/** struct timespec, of the ABI's own width or of 64 bits. */
type Timespec = Layout<Record<"tv_sec" | "tv_nsec", "long" | "i64">>;

function specTimes(ctx: SyscallContext, n: number, layout: Timespec): readonly Time[] {
  const address = ctx.args.address(n);
  if (address === 0) return NOW;
  return [0, 1].map((i) => {
    const { tv_sec, tv_nsec } = ctx.get(layout, address + i * layout.size(ctx.abi));
    // The 64-bit struct on ppc32 has 32 bits of padding above its nanoseconds.
    const nanoseconds = ctx.abi.is64 ? tv_nsec : BigInt.asIntN(32, tv_nsec);
    if (nanoseconds === UTIME_NOW) return "now";
    if (nanoseconds === UTIME_OMIT) return undefined;
    if (nanoseconds < 0n || nanoseconds >= BILLION) throw new SysError(EINVAL);
    return tv_sec * BILLION + nanoseconds;
  });
}

function valTimes(ctx: SyscallContext, n: number): readonly Time[] {
  const address = ctx.args.address(n);
  if (address === 0) return NOW;
  return [0, 1].map((i) => {
    const { tv_sec, tv_usec } = ctx.get(TIMEVAL, address + i * TIMEVAL.size(ctx.abi));
    if (tv_usec < 0n || tv_usec >= 1_000_000n) throw new SysError(EINVAL);
    return tv_sec * BILLION + tv_usec * 1000n;
  });
}

function utime(ctx: SyscallContext): number | SysError {
  const address = ctx.args.address(1);
  if (address === 0) return setTimes(ctx, byPath(ctx, true), NOW);
  const { actime, modtime } = ctx.get(UTIMBUF, address);
  return setTimes(ctx, byPath(ctx, true), [actime * BILLION, modtime * BILLION]);
}

/** utimensat(2): a null path means the descriptor itself. */
function utimensat(ctx: SyscallContext, layout: Timespec): number | SysError {
  const times = specTimes(ctx, 2, layout);
  const flags = ctx.args.int(3);
  // Nothing to set: nobody looks for the file.
  if (times.every((time) => time === undefined)) return 0;
  if (ctx.args.word(1) === 0n && ctx.args.int(0) !== AT_FDCWD) {
    checkFlags(flags, 0);
    return setTimes(ctx, { file: fileArg(ctx, 0) }, times);
  }
  return setTimes(ctx, byEither(ctx, flags), times);
}

// ---- the rest ----------------------------------------------------------------------------------------------

function umask(ctx: SyscallContext): number {
  const task = files(ctx);
  const old = task.umask;
  task.umask = ctx.args.int(0) & 0o777;
  return old;
}

function sync(ctx: SyscallContext, dataOnly: boolean): number {
  fileArg(ctx, 0).sync(dataOnly);
  return 0;
}

/** sync_file_range2(2): flags before the offsets, as on all powerpc. */
function syncFileRange(ctx: SyscallContext): number {
  const flags = ctx.args.int(1);
  const [offset, length] = [ctx.args.offset64(2), ctx.args.offset64(ctx.abi.is64 ? 3 : 4)];
  const file = fileArg(ctx, 0);
  if (flags & ~7 || offset < 0n || length < 0n) throw new SysError(EINVAL);
  if (!file.seekable || file.kind === "device") throw new SysError(ESPIPE);
  if (flags !== 0) file.sync(true);
  return 0;
}

const XATTR_NAME_MAX = 255;
const XATTR_SIZE_MAX = 65536n;
const XATTR_CREATE_OR_REPLACE = 3;
const NO_DATA = new SysError(ENODATA);

/** Checks the name of an extended attribute. Throws EFAULT, ERANGE. */
function checkXattrName(ctx: SyscallContext): void {
  const name = ctx.cString(ctx.args.address(1), XATTR_NAME_MAX + 1, ERANGE);
  if (name.length === 0) throw new SysError(ERANGE);
}

type XattrCall = readonly [
  name: string,
  args: string,
  check: (ctx: SyscallContext) => void,
  result: number | ((ctx: SyscallContext, file: OpenFile | undefined) => number | SysError),
];

/** The only attribute that is there: which protocol a socket speaks (Linux: net/socket.c, sockfs_xattr_get). */
const PROTOCOL_NAME = "system.sockprotoname";

/** Tells text with its NUL, or how long it is. Throws ERANGE. */
function tellText(ctx: SyscallContext, text: string, at: number, size: bigint): number {
  const bytes = new TextEncoder().encode(`${text}\0`);
  if (size === 0n) return bytes.length;
  if (size < BigInt(bytes.length)) throw new SysError(ERANGE);
  ctx.memory.write(at, bytes);
  return bytes.length;
}

function getxattr(ctx: SyscallContext, file: OpenFile | undefined): number | SysError {
  const { args } = ctx;
  if (!(file instanceof Socket)) return NO_DATA;
  const name = new TextDecoder().decode(ctx.cString(args.address(1)));
  if (name === PROTOCOL_NAME) return tellText(ctx, file.protocolName, args.address(2), args.ulong(3));
  return name.startsWith("user.") ? NO_DATA : new SysError(EOPNOTSUPP);
}

/** Extended attributes: files have none, and none can be set. The file must be there and the arguments sound all the same. */
const XATTR: readonly XattrCall[] = [
  [
    "setxattr",
    "str ptr ulong hex",
    (ctx) => {
      if (ctx.args.int(4) & ~XATTR_CREATE_OR_REPLACE) throw new SysError(EINVAL);
      checkXattrName(ctx);
      const size = ctx.args.ulong(3);
      if (size > XATTR_SIZE_MAX) throw new SysError(E2BIG);
      if (size > 0n) ctx.memory.read(ctx.args.address(2), Number(size));
    },
    -EOPNOTSUPP,
  ],
  ["getxattr", "str ptr ulong", checkXattrName, getxattr],
  [
    "listxattr",
    "ptr ulong",
    () => {},
    (ctx, file) =>
      file instanceof Socket ? tellText(ctx, PROTOCOL_NAME, ctx.args.address(1), ctx.args.ulong(2)) : 0,
  ],
  ["removexattr", "str", checkXattrName, -ENODATA],
];

const XATTR_CALLS: readonly SyscallRow[] = [
  ["", (ctx: SyscallContext) => byPath(ctx, true), "str"] as const,
  ["l", (ctx: SyscallContext) => byPath(ctx, false), "str"] as const,
  ["f", (ctx: SyscallContext) => ({ file: fileArg(ctx, 0) }), "fd"] as const,
].flatMap(([prefix, find, subject]) =>
  XATTR.map(([name, args, check, result]) => ({
    name: `${prefix}${name}`,
    args: `${subject} ${args}`,
    handler: (ctx: SyscallContext) => {
      check(ctx);
      const subject = find(ctx);
      if (subject === undefined) return NO_ENTRY;
      return typeof result === "function" ? result(ctx, subject.file) : new SysError(-result);
    },
  })),
);

export const FILE_ATTRIBUTE_CALLS: readonly SyscallRow[] = [
  { name: "truncate", args: "str long", handler: (ctx) => truncate(ctx, lengthOf(ctx.args.long(1))) },
  { name: "ftruncate", args: "fd long", handler: (ctx) => ftruncate(ctx, lengthOf(ctx.args.long(1))) },
  { name: "truncate64", args: "str pad off64", handler: (ctx) => truncate(ctx, wideLength(ctx)) },
  { name: "ftruncate64", args: "fd pad off64", handler: (ctx) => ftruncate(ctx, wideLength(ctx)) },
  { name: "fallocate", args: "fd hex off64 off64", handler: fallocate },
  { name: "chmod", args: "str octal", handler: (ctx) => chmod(ctx, byPath(ctx, true), ctx.args.int(1)) },
  {
    name: "fchmod",
    args: "fd octal",
    handler: (ctx) => chmod(ctx, { file: fileArg(ctx, 0) }, ctx.args.int(1)),
  },
  { name: "fchmodat", args: "fd str octal", handler: (ctx) => chmod(ctx, byEither(ctx, 0), ctx.args.int(2)) },
  {
    name: "fchmodat2",
    args: "fd str octal hex",
    handler: (ctx) => chmod(ctx, byEither(ctx, ctx.args.int(3)), ctx.args.int(2)),
  },
  {
    name: "chown",
    args: "str int int",
    handler: (ctx) => chown(ctx, byPath(ctx, true), ctx.args.int(1), ctx.args.int(2)),
  },
  {
    name: "lchown",
    args: "str int int",
    handler: (ctx) => chown(ctx, byPath(ctx, false), ctx.args.int(1), ctx.args.int(2)),
  },
  {
    name: "fchown",
    args: "fd int int",
    handler: (ctx) => chown(ctx, { file: fileArg(ctx, 0) }, ctx.args.int(1), ctx.args.int(2)),
  },
  {
    name: "fchownat",
    args: "fd str int int hex",
    handler: (ctx) => chown(ctx, byEither(ctx, ctx.args.int(4)), ctx.args.int(2), ctx.args.int(3)),
  },
  { name: "utime", args: "str ptr", handler: utime },
  {
    name: "utimes",
    args: "str ptr",
    handler: (ctx) => setTimes(ctx, byPath(ctx, true), valTimes(ctx, 1)),
  },
  {
    name: "futimesat",
    args: "fd str ptr",
    handler: (ctx) => setTimes(ctx, byEither(ctx, 0), valTimes(ctx, 2)),
  },
  { name: "utimensat", args: "fd str ptr hex", handler: (ctx) => utimensat(ctx, TIMESPEC) },
  { name: "utimensat_time64", args: "fd str ptr hex", handler: (ctx) => utimensat(ctx, TIMESPEC64) },
  { name: "umask", args: "octal", brief: true, handler: umask },
  { name: "fsync", args: "fd", handler: (ctx) => sync(ctx, false) },
  { name: "fdatasync", args: "fd", handler: (ctx) => sync(ctx, true) },
  {
    name: "sync",
    args: "",
    handler: (ctx) => {
      files(ctx).system.mapped.flushAll();
      return 0;
    },
  },
  {
    name: "syncfs",
    args: "fd",
    handler: (ctx) => {
      fileArg(ctx, 0);
      files(ctx).system.mapped.flushAll();
      return 0;
    },
  },
  { name: "sync_file_range2", args: "fd hex off64 off64", handler: syncFileRange },
  ...XATTR_CALLS,
];
