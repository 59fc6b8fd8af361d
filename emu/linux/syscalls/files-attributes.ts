/** Sizes, permissions, owners, times, extended attributes; writing through to the disk. */
import { type Layout, struct, TIMESPEC, TIMESPEC64, TIMEVAL } from "../abi.ts";
import { EBADF, EINVAL, EISDIR, ENODATA, EOPNOTSUPP, EPERM, EROFS, ESPIPE, SysError } from "../errno.ts";
import type { SyscallContext, SyscallRow } from "../syscall.ts";
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW, MAX_OFFSET, O_WRONLY } from "../vfs/constants.ts";
import { RegularFile } from "../vfs/host-file.ts";
import { isDirectory, type Location } from "../vfs/namespace.ts";
import type { OpenFile } from "../vfs/open-file.ts";
import { StreamFile } from "../vfs/stream-file.ts";
import { anyFileArg, atArg, checkFlags, checkGrowth, fileArg, files } from "./files-common.ts";

function lengthOf(value: bigint): number {
  if (value < 0n) throw new SysError(EINVAL);
  return value > BigInt(MAX_OFFSET) ? MAX_OFFSET : Number(value);
}

function truncate(ctx: SyscallContext, length: number): number {
  const task = files(ctx);
  const at = task.find(AT_FDCWD, ctx.path(0), true);
  if (isDirectory(at)) throw new SysError(EISDIR);
  const file = task.system.openExisting(at, O_WRONLY, task);
  try {
    checkGrowth(ctx, file, length);
    file.truncate(length);
  } finally {
    file.close();
  }
  return 0;
}

function ftruncate(ctx: SyscallContext, length: number): number {
  const file = fileArg(ctx, 0);
  if (!file.canWrite) throw new SysError(EINVAL);
  checkGrowth(ctx, file, length);
  file.truncate(length);
  return 0;
}

/** A 64-bit length in the second argument: the pair r5:r6 on ppc32. */
const wideLength = (ctx: SyscallContext): number => lengthOf(ctx.args.offset64(ctx.abi.is64 ? 1 : 2));

const FALLOC_FL_KEEP_SIZE = 1;

function fallocate(ctx: SyscallContext): number {
  const file = fileArg(ctx, 0);
  const mode = ctx.args.int(1);
  const offset = ctx.args.offset64(2);
  const length = ctx.args.offset64(ctx.abi.is64 ? 3 : 4);
  if (offset < 0n || length <= 0n) throw new SysError(EINVAL);
  // Punching holes and the like need host calls that aren't to be had; a file system may say so.
  if (mode & ~FALLOC_FL_KEEP_SIZE) throw new SysError(EOPNOTSUPP);
  if (!file.canWrite) throw new SysError(EBADF);
  if (file.kind === "pipe-read" || file.kind === "pipe-write") throw new SysError(ESPIPE);
  if (mode === 0) checkGrowth(ctx, file, lengthOf(offset) + lengthOf(length));
  file.allocate(lengthOf(offset), lengthOf(length), mode !== 0);
  return 0;
}

// ---- permissions and owners --------------------------------------------------------------------------------

/** What a call that changes attributes is about: a path, or a description. */
type Subject = { at: Location; file?: undefined } | { file: OpenFile; at?: undefined };

/** A link of /proc/PID/fd stands for its description. */
const subjectOf = (found: Subject): Subject =>
  found.at?.object === undefined ? found : { file: found.at.object };

/** Where what is to be changed is on the host. Throws EPERM for what has no name anywhere. */
function placeOf(ctx: SyscallContext, { at, file }: Subject) {
  const { system } = files(ctx);
  if (file?.path === "") throw new SysError(EPERM);
  return system.namespace.writable(at ?? system.locate(file!, files(ctx)));
}

/** The host handle of an open regular file, by which it can be changed. Throws EROFS. */
function handleOf({ file }: Subject): number | undefined {
  if (file instanceof StreamFile) return file.stream.handle;
  if (!(file instanceof RegularFile)) return undefined;
  // A handle for reading could change a file of a read-only grant.
  if (file.readOnly) throw new SysError(EROFS);
  return file.handle;
}

function chmod(ctx: SyscallContext, subject: Subject, mode: number): number {
  const { namespace, host } = files(ctx).system;
  const handle = handleOf(subject);
  if (handle !== undefined) host.files.fchmod(handle, mode & 0o7777);
  else namespace.at(placeOf(ctx, subject), (path) => host.files.chmod(path, mode & 0o7777));
  return 0;
}

/** chown(2): an owner that stays the same is fine; the host decides about others. */
function chown(ctx: SyscallContext, subject: Subject, uid: number, gid: number): number {
  const { namespace, host } = files(ctx).system;
  const stat = subject.file?.stat() ?? files(ctx).system.stat(subject.at!);
  // The guest's own ids stand for those of the host's user, as in stat(2).
  const { credentials } = ctx.process;
  const toHost = (id: number, kept: number, own: number, hostOwn: number | undefined) =>
    id === -1 ? kept : id === own && hostOwn !== undefined ? hostOwn : id >>> 0;
  const owner = toHost(uid, stat.uid, credentials.uid, host.user?.uid);
  const group = toHost(gid, stat.gid, credentials.gid, host.user?.gid);
  const handle = handleOf(subject);
  if (handle !== undefined) host.files.fchown(handle, owner, group);
  else namespace.at(placeOf(ctx, subject), (path) => host.files.chown(path, owner, group));
  return 0;
}

const byPath = (ctx: SyscallContext, follow: boolean): Subject =>
  subjectOf(atArg(ctx, AT_FDCWD, 0, { follow }));

function byEither(ctx: SyscallContext, flags: number, known = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH): Subject {
  checkFlags(flags, known);
  const follow = (flags & AT_SYMLINK_NOFOLLOW) === 0;
  return subjectOf(atArg(ctx, ctx.args.int(0), 1, { follow, flags }));
}

// ---- times -------------------------------------------------------------------------------------------------

const UTIMBUF = struct({ actime: "long", modtime: "long" });
const BILLION = 1_000_000_000n;
const UTIME_NOW = 0x3fff_ffffn;
const UTIME_OMIT = 0x3fff_fffen;

/** A time to set: nanoseconds, or "now", or undefined to leave it. */
type Time = bigint | "now" | undefined;

function setTimes(ctx: SyscallContext, subject: Subject, times: readonly Time[]): number {
  if (times.every((time) => time === undefined)) return 0;
  const { namespace, host } = files(ctx).system;
  const stat = subject.file?.stat() ?? files(ctx).system.stat(subject.at!);
  const now = ctx.kernel.clock.realtime();
  const [atime, mtime] = [stat.atime, stat.mtime].map((old, i) => {
    const time = times[i];
    return time === "now" ? now : (time ?? old);
  });
  const handle = handleOf(subject);
  if (handle !== undefined) host.files.futimes(handle, atime, mtime);
  else namespace.at(placeOf(ctx, subject), (path) => host.files.utimes(path, atime, mtime));
  return 0;
}

const NOW: readonly Time[] = ["now", "now"];

function specTimes(
  ctx: SyscallContext,
  n: number,
  layout: Layout<{ tv_sec: "i64"; tv_nsec: "i64" }>,
): readonly Time[] {
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

function utime(ctx: SyscallContext): number {
  const address = ctx.args.address(1);
  if (address === 0) return setTimes(ctx, byPath(ctx, true), NOW);
  const { actime, modtime } = ctx.get(UTIMBUF, address);
  return setTimes(ctx, byPath(ctx, true), [actime * BILLION, modtime * BILLION]);
}

const SPEC = TIMESPEC as unknown as Layout<{ tv_sec: "i64"; tv_nsec: "i64" }>;

/** utimensat(2): a null path means the descriptor itself. */
function utimensat(ctx: SyscallContext, layout: Layout<{ tv_sec: "i64"; tv_nsec: "i64" }>): number {
  const times = specTimes(ctx, 2, layout);
  const flags = ctx.args.int(3);
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
  if (!file.seekable) throw new SysError(ESPIPE);
  if (flags !== 0) file.sync(true);
  return 0;
}

type Handler = SyscallRow["handler"];

/** Extended attributes: there are none, and none can be set. The file must be there all the same. */
const xattr =
  (find: (ctx: SyscallContext) => unknown, result: number): Handler =>
  (ctx) => {
    find(ctx);
    if (result < 0) throw new SysError(-result);
    return result;
  };

const followed = (ctx: SyscallContext): unknown => byPath(ctx, true);
const unfollowed = (ctx: SyscallContext): unknown => byPath(ctx, false);
const opened = (ctx: SyscallContext): unknown => fileArg(ctx, 0);

const XATTR_CALLS: readonly SyscallRow[] = [
  ["", followed, "str"] as const,
  ["l", unfollowed, "str"] as const,
  ["f", opened, "fd"] as const,
].flatMap(([prefix, find, subject]) => [
  { name: `${prefix}setxattr`, args: `${subject} str ptr ulong hex`, handler: xattr(find, -EOPNOTSUPP) },
  { name: `${prefix}getxattr`, args: `${subject} str ptr ulong`, handler: xattr(find, -ENODATA) },
  { name: `${prefix}listxattr`, args: `${subject} ptr ulong`, handler: xattr(find, 0) },
  { name: `${prefix}removexattr`, args: `${subject} str`, handler: xattr(find, -ENODATA) },
]);

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
  { name: "utimensat", args: "fd str ptr hex", handler: (ctx) => utimensat(ctx, SPEC) },
  { name: "utimensat_time64", args: "fd str ptr hex", handler: (ctx) => utimensat(ctx, TIMESPEC64) },
  { name: "umask", args: "octal", handler: umask },
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
      anyFileArg(ctx, 0);
      files(ctx).system.mapped.flushAll();
      return 0;
    },
  },
  { name: "sync_file_range2", args: "fd hex off64 off64", handler: syncFileRange },
  ...XATTR_CALLS,
];
