/** stat and its relatives, with the layouts of both widths (arch/powerpc/include/uapi/asm/stat.h). */
import { type Layout, struct } from "../abi.ts";
import { EINVAL, EOVERFLOW, SysError } from "../errno.ts";
import { Socket } from "../net/socket.ts";
import type { SyscallContext, SyscallRow } from "../syscall.ts";
import { AnonymousFile } from "../vfs/anonymous-file.ts";
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_NO_AUTOMOUNT,
  AT_STATX_SYNC_TYPE,
  AT_SYMLINK_NOFOLLOW,
  NAME_MAX,
  O_PATH,
} from "../vfs/constants.ts";
import { major, minor } from "../vfs/devices.ts";
import { modeOf } from "../vfs/file-types.ts";
import type { Location } from "../vfs/location.ts";
import { isMountRoot, mountIdOf, mountTable } from "../vfs/mount-table.ts";
import { parentOf } from "../vfs/mounts.ts";
import type { FileStat } from "../vfs/file-status.ts";
import { OpenFile } from "../vfs/open-file.ts";
import { NamespaceFile } from "../vfs/namespace-file.ts";
import { PipeEnd } from "../vfs/pipe.ts";
import { anyFileArg, checkFlags, files, lookArg, NO_ENTRY } from "./files-common.ts";
import { timeParts } from "./time-format.ts";

const TIMES = {
  st_atime: "ulong",
  st_atime_nsec: "ulong",
  st_mtime: "ulong",
  st_mtime_nsec: "ulong",
  st_ctime: "ulong",
  st_ctime_nsec: "ulong",
  __unused4: "ulong",
  __unused5: "ulong",
} as const;
const TAIL = {
  st_rdev: "ulong",
  st_size: "long",
  st_blksize: "ulong",
  st_blocks: "ulong",
  ...TIMES,
} as const;

/** struct stat of ppc32. */
export const STAT32 = struct({
  st_dev: "ulong",
  st_ino: "ulong",
  st_mode: "u32",
  st_nlink: "u16",
  st_uid: "u32",
  st_gid: "u32",
  ...TAIL,
});
/** struct stat of ppc64. */
export const STAT_OF_64 = struct({
  st_dev: "ulong",
  st_ino: "ulong",
  st_nlink: "ulong",
  st_mode: "u32",
  st_uid: "u32",
  st_gid: "u32",
  ...TAIL,
  __unused6: "ulong",
});
/** struct stat64, ppc32 only. */
export const STAT64 = struct({
  st_dev: "u64",
  st_ino: "u64",
  st_mode: "u32",
  st_nlink: "u32",
  st_uid: "u32",
  st_gid: "u32",
  st_rdev: "u64",
  __pad2: "u16",
  st_size: "i64",
  st_blksize: "i32",
  st_blocks: "i64",
  st_atime: "i32",
  st_atime_nsec: "u32",
  st_mtime: "i32",
  st_mtime_nsec: "u32",
  st_ctime: "i32",
  st_ctime_nsec: "u32",
  __unused4: "u32",
  __unused5: "u32",
});

const BLOCK_SIZE = 4096;

const MICROSECOND = 1000;

/**
 * A time of a file, to the microsecond: to that it can be set on the host. So one that has been copied from another file is the other's,
 * and one that is set to the present isn't behind what was written before.
 */
function fileTime(time: bigint): { seconds: number; nanoseconds: number } {
  const { seconds, nanoseconds } = timeParts(time);
  return { seconds, nanoseconds: nanoseconds - (nanoseconds % MICROSECOND) };
}

/** The fields of a struct stat, of which the layouts have the number of links and the mode in either order. */
function valuesOf(ctx: SyscallContext, stat: FileStat, linksFirst: boolean): readonly (number | bigint)[] {
  const { uid, gid } = files(ctx).system.owners.of(stat);
  const a = fileTime(stat.atime);
  const m = fileTime(stat.mtime);
  const c = fileTime(stat.ctime);
  const { dev, ino, nlink, rdev, size, blocks } = stat;
  const mode = modeOf(stat);
  const [third, fourth] = linksFirst ? [nlink, mode] : [mode, nlink];
  // Arrays that are put together piece by piece take V8 as long as all that is in them.
  // biome-ignore format: one line for the file, one for its times
  return [
    dev, ino, third, fourth, uid, gid, rdev, size, BLOCK_SIZE, blocks,
    a.seconds, a.nanoseconds, m.seconds, m.nanoseconds, c.seconds, c.nanoseconds,
  ];
}

/** Writes the ABI's struct stat. Throws EOVERFLOW where a 32-bit field is too small. */
function putStat(ctx: SyscallContext, address: number, stat: FileStat): number {
  if (ctx.abi.is64) {
    ctx.putInOrder(STAT_OF_64, address, valuesOf(ctx, stat, true));
    return 0;
  }
  if (stat.size > 0x7fff_ffffn || stat.nlink > 0xffff) throw new SysError(EOVERFLOW);
  // Inode and device numbers wider than the field would be an error to Linux; a folded one is of more use.
  const fold = (value: bigint) => BigInt.asUintN(32, value ^ (value >> 32n));
  const narrow = { ...stat, dev: fold(stat.dev), ino: fold(stat.ino) };
  ctx.putInOrder(STAT32, address, valuesOf(ctx, narrow, false));
  return 0;
}

function putStat64(ctx: SyscallContext, address: number, stat: FileStat): number {
  ctx.putInOrder(STAT64, address, valuesOf(ctx, stat, false));
  return 0;
}

type Put = (ctx: SyscallContext, address: number, stat: FileStat) => number;

/** Status as the guest sees it. */
const shown = (ctx: SyscallContext, stat: FileStat): FileStat => files(ctx).system.shown(stat);

/** The status of what `lookArg` has found. */
const statOf = (ctx: SyscallContext, found: Location | OpenFile): FileStat =>
  shown(ctx, found instanceof OpenFile ? found.stat() : files(ctx).system.stat(found));

const byPath = (put: Put, follow: boolean) => (ctx: SyscallContext) => {
  const found = lookArg(ctx, AT_FDCWD, 0, { follow });
  return found === undefined ? NO_ENTRY : put(ctx, ctx.args.address(1), statOf(ctx, found));
};

const byDescriptor = (put: Put) => (ctx: SyscallContext) =>
  put(ctx, ctx.args.address(1), shown(ctx, anyFileArg(ctx, 0).stat()));

const byEither = (put: Put) => (ctx: SyscallContext) => {
  const flags = ctx.args.int(3);
  checkFlags(flags, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH);
  const follow = (flags & AT_SYMLINK_NOFOLLOW) === 0;
  const found = lookArg(ctx, ctx.args.int(0), 1, { follow, flags });
  return found === undefined ? NO_ENTRY : put(ctx, ctx.args.address(2), statOf(ctx, found));
};

// ---- statx -------------------------------------------------------------------------------------------------

const STATX_TIME = { sec: "i64", nsec: "u32", pad: "i32" } as const;
const timeFields = <P extends string>(prefix: P) =>
  Object.fromEntries(Object.entries(STATX_TIME).map(([name, type]) => [`${prefix}_${name}`, type]));

/** struct statx (include/uapi/linux/stat.h). */
export const STATX: Layout<Record<string, "u16" | "u32" | "i32" | "u64" | "i64" | readonly ["u64", number]>> =
  struct({
    stx_mask: "u32",
    stx_blksize: "u32",
    stx_attributes: "u64",
    stx_nlink: "u32",
    stx_uid: "u32",
    stx_gid: "u32",
    stx_mode: "u16",
    pad0: "u16",
    stx_ino: "u64",
    stx_size: "u64",
    stx_blocks: "u64",
    stx_attributes_mask: "u64",
    ...timeFields("stx_atime"),
    ...timeFields("stx_btime"),
    ...timeFields("stx_ctime"),
    ...timeFields("stx_mtime"),
    stx_rdev_major: "u32",
    stx_rdev_minor: "u32",
    stx_dev_major: "u32",
    stx_dev_minor: "u32",
    stx_mnt_id: "u64",
    pad1: "u64",
    spare: ["u64", 12],
  } as Record<string, "u16" | "u32" | "i32" | "u64" | "i64" | readonly ["u64", number]>);

const STATX_BASIC_STATS = 0x7ff;
const STATX_BTIME = 0x800;
const STATX_MNT_ID = 0x1000;
const STATX_ATTR_MOUNT_ROOT = 0x2000n;
const STATX_RESERVED = 0x8000_0000;

function statx(ctx: SyscallContext): number | SysError {
  const flags = ctx.args.int(2);
  const mask = ctx.args.uint(3);
  checkFlags(flags, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE);
  if (mask & STATX_RESERVED || (flags & AT_STATX_SYNC_TYPE) === AT_STATX_SYNC_TYPE)
    throw new SysError(EINVAL);
  const follow = (flags & AT_SYMLINK_NOFOLLOW) === 0;
  const found = lookArg(ctx, ctx.args.int(0), 1, { follow, flags });
  if (found === undefined) return NO_ENTRY;
  const stat = statOf(ctx, found);
  const { uid, gid } = files(ctx).system.owners.of(stat);
  const { namespace } = files(ctx).system;
  // Whoever doesn't ask is spared the look at all that is mounted, and at where a file is now.
  const asked =
    (mask & STATX_MNT_ID) === 0 ? "" : found instanceof OpenFile ? found.where().path : found.path;
  const mount = asked === "" ? undefined : mountIdOf(mountTable(namespace), asked);
  const atime = fileTime(stat.atime);
  const ctime = fileTime(stat.ctime);
  const mtime = fileTime(stat.mtime);
  // As most file systems do, for who asks; the host says 0 where it doesn't know.
  const { btime: made = 0n } = stat;
  const btime = mask & STATX_BTIME && made !== 0n ? fileTime(made) : undefined;
  // What is granted is not renamed: it is where it was when it was opened.
  const isRoot = isMountRoot(namespace, found.path);
  const values: (number | bigint)[] = [
    STATX_BASIC_STATS | (btime === undefined ? 0 : STATX_BTIME) | (mount === undefined ? 0 : STATX_MNT_ID),
    BLOCK_SIZE,
  ];
  values.push(isRoot ? STATX_ATTR_MOUNT_ROOT : 0n);
  values.push(stat.nlink, uid, gid, modeOf(stat), 0, stat.ino, stat.size, stat.blocks, STATX_ATTR_MOUNT_ROOT);
  values.push(atime.seconds, atime.nanoseconds, 0, btime?.seconds ?? 0, btime?.nanoseconds ?? 0, 0);
  values.push(ctime.seconds, ctime.nanoseconds, 0, mtime.seconds, mtime.nanoseconds, 0);
  values.push(major(stat.rdev), minor(stat.rdev), major(stat.dev), minor(stat.dev), mount ?? 0);
  ctx.putInOrder(STATX, ctx.args.address(4), values);
  return 0;
}

// ---- statfs ------------------------------------------------------------------------------------------------

/** struct statfs of the ABI's word size. */
export const STATFS = struct({
  f_type: "ulong",
  f_bsize: "ulong",
  f_blocks: "ulong",
  f_bfree: "ulong",
  f_bavail: "ulong",
  f_files: "ulong",
  f_ffree: "ulong",
  f_fsid: ["i32", 2],
  f_namelen: "ulong",
  f_frsize: "ulong",
  f_flags: "ulong",
  f_spare: ["ulong", 4],
});
/** struct statfs64. */
export const STATFS64 = struct({
  f_type: "ulong",
  f_bsize: "ulong",
  f_blocks: "u64",
  f_bfree: "u64",
  f_bavail: "u64",
  f_files: "u64",
  f_ffree: "u64",
  f_fsid: ["i32", 2],
  f_namelen: "ulong",
  f_frsize: "ulong",
  f_flags: "ulong",
  f_spare: ["ulong", 4],
});

const EXT4_MAGIC = 0xef53;
const PROC_MAGIC = 0x9fa0;
const TMPFS_MAGIC = 0x0102_1994;
const SYSFS_MAGIC = 0x6265_6572;
const DEVPTS_MAGIC = 0x1cd1;
const NSFS_MAGIC = 0x6e73_6673;
const PIPEFS_MAGIC = 0x5049_5045;
const SOCKFS_MAGIC = 0x534f_434b;
const ANON_INODE_FS_MAGIC = 0x0904_1934;
/** Trees that are on no host. */
const TREES: readonly (readonly [name: string, magic: number])[] = [
  ["/proc", PROC_MAGIC],
  ["/sys", SYSFS_MAGIC],
  ["/dev/pts", DEVPTS_MAGIC],
];
const SHARED_MEMORY = "/dev/shm";
const ST_RDONLY = 1;
const ST_VALID = 0x20;

/** What is asked about; `magic` names the file system of what has no name. */
type Asked = Location & { magic?: number };

const isIn = ({ path }: Location, folder: string): boolean =>
  path === folder || path.startsWith(`${folder}/`);

function statfsOf(ctx: SyscallContext, at: Asked) {
  const common = { f_namelen: NAME_MAX, f_bsize: BLOCK_SIZE, f_frsize: BLOCK_SIZE };
  const { place } = at;
  if (place === undefined || at.stat === undefined) {
    if (at.magic !== undefined) return { ...common, f_type: at.magic, f_flags: ST_VALID };
    const type = TREES.find(([name]) => isIn(at, name))?.[1] ?? TMPFS_MAGIC;
    return { ...common, f_type: type, f_flags: ST_RDONLY | ST_VALID };
  }
  const { system } = files(ctx);
  const { mount } = place.folder;
  const host = system.namespace.at(place, (path) => system.host.files.statfs(path));
  // As many blocks of /dev/shm as half of the memory, where Linux has its default.
  const most =
    mount.guest === SHARED_MEMORY ? BigInt(Math.floor(ctx.kernel.memorySize / 2 / host.bsize)) : undefined;
  const bounded = (blocks: bigint) => (most !== undefined && blocks > most ? most : blocks);
  return {
    ...common,
    f_type: system.namespace.own.isOne(mount) ? TMPFS_MAGIC : EXT4_MAGIC,
    f_bsize: host.bsize,
    f_frsize: host.bsize,
    f_blocks: bounded(host.blocks),
    f_bfree: bounded(host.bfree),
    f_bavail: bounded(host.bavail),
    f_files: host.files,
    f_ffree: host.ffree,
    f_flags: ST_VALID | (mount.readOnly ? ST_RDONLY : 0),
  };
}

/** Counts that don't fit 32 bits are scaled by larger blocks; Linux would say EOVERFLOW. */
function fit32(values: ReturnType<typeof statfsOf>) {
  const scaled = { f_blocks: 0n, f_bfree: 0n, f_bavail: 0n, ...values };
  let size = BigInt(values.f_bsize);
  while (scaled.f_blocks > 0xffff_ffffn) {
    scaled.f_blocks >>= 1n;
    scaled.f_bfree >>= 1n;
    scaled.f_bavail >>= 1n;
    size <<= 1n;
  }
  const cut = (value: bigint | undefined) =>
    value === undefined || value <= 0xffff_ffffn ? value : 0xffff_ffffn;
  const counted = values as { f_files?: bigint; f_ffree?: bigint };
  const [f_files, f_ffree] = [cut(counted.f_files) ?? 0n, cut(counted.f_ffree) ?? 0n];
  return { ...scaled, f_files, f_ffree, f_bsize: size, f_frsize: size };
}

/** The file system of pipes and their like, which nobody can mount. */
function magicOf(file: OpenFile): number | undefined {
  if (file instanceof PipeEnd) return PIPEFS_MAGIC;
  if (file instanceof Socket) return SOCKFS_MAGIC;
  if (file instanceof NamespaceFile) return NSFS_MAGIC;
  return file instanceof AnonymousFile ? ANON_INODE_FS_MAGIC : undefined;
}

type Find = (ctx: SyscallContext) => Asked;
const byName: Find = (ctx) => files(ctx).find(AT_FDCWD, ctx.path(0), true);
const byFile: Find = (ctx) => {
  const task = files(ctx);
  const file = anyFileArg(ctx, 0);
  const { path, kind } = file;
  if (kind === "proc") return { path, mustBeDirectory: false };
  if (path === "" || (kind !== "file" && kind !== "directory" && !(file.flags & O_PATH))) {
    return { path: path || "/dev", mustBeDirectory: false, magic: path === "" ? magicOf(file) : undefined };
  }
  if (file.base !== undefined) return file.base();
  // A file that has lost its name is on the file system of the directory it was in.
  const where = file.where();
  return task.find(AT_FDCWD, where.deleted ? parentOf(where.path) : where.path, where.deleted);
};

/** How many bytes may still be allocated for the file of the first argument: what its file system has free, or the memory for files in it. */
export function freeSpace(ctx: SyscallContext): bigint {
  const { f_bavail, f_bsize } = { f_bavail: undefined, ...statfsOf(ctx, byFile(ctx)) };
  return f_bavail === undefined ? BigInt(ctx.kernel.memorySize) : f_bavail * BigInt(f_bsize);
}

const statfs = (find: Find) => (ctx: SyscallContext) => {
  const values = statfsOf(ctx, find(ctx));
  ctx.put(STATFS, ctx.args.address(1), ctx.abi.is64 ? values : fit32(values));
  return 0;
};

/** statfs64 gets the size of the struct as well, and insists on it. */
const statfs64 = (find: Find) => (ctx: SyscallContext) => {
  if (ctx.args.size(1) !== STATFS64.size(ctx.abi)) throw new SysError(EINVAL);
  ctx.put(STATFS64, ctx.args.address(2), statfsOf(ctx, find(ctx)));
  return 0;
};

/** struct ustat. */
const USTAT = struct({ f_tfree: "i32", f_tinode: "ulong", f_fname_and_f_fpack: ["bytes", 12] });

/** ustat(2): statfs of the file system that has a device number. */
function ustat(ctx: SyscallContext): number {
  const device = ctx.args.uint(0);
  const { namespace } = files(ctx).system;
  const entry = mountTable(namespace).find(({ dev }) => Number(BigInt.asUintN(32, dev)) === device);
  if (entry === undefined) throw new SysError(EINVAL);
  const found = statfsOf(ctx, files(ctx).find(AT_FDCWD, entry.guest, true));
  const { f_bfree, f_ffree } = { f_bfree: 0n, f_ffree: 0n, ...found };
  const [tfree, tinode] = [
    Number(BigInt.asIntN(32, f_bfree)),
    BigInt.asUintN(ctx.abi.is64 ? 64 : 32, f_ffree),
  ];
  ctx.put(USTAT, ctx.args.address(1), {
    f_tfree: tfree,
    f_tinode: tinode,
    f_fname_and_f_fpack: new Uint8Array(12),
  });
  return 0;
}

export const FILE_STAT_CALLS: readonly SyscallRow[] = [
  { name: "stat", args: "str ptr", brief: true, handler: byPath(putStat, true) },
  { name: "lstat", args: "str ptr", brief: true, handler: byPath(putStat, false) },
  { name: "fstat", args: "fd ptr", brief: true, handler: byDescriptor(putStat) },
  { name: "stat64", args: "str ptr", brief: true, handler: byPath(putStat64, true) },
  { name: "lstat64", args: "str ptr", brief: true, handler: byPath(putStat64, false) },
  { name: "fstat64", args: "fd ptr", brief: true, handler: byDescriptor(putStat64) },
  { name: "newfstatat", args: "fd str ptr hex", brief: true, handler: byEither(putStat) },
  { name: "fstatat64", args: "fd str ptr hex", brief: true, handler: byEither(putStat64) },
  { name: "statx", args: "fd str hex hex ptr", brief: true, handler: statx },
  { name: "ustat", args: "uint ptr", handler: ustat },
  { name: "statfs", args: "str ptr", handler: statfs(byName) },
  { name: "fstatfs", args: "fd ptr", handler: statfs(byFile) },
  { name: "statfs64", args: "str ulong ptr", handler: statfs64(byName) },
  { name: "fstatfs64", args: "fd ulong ptr", handler: statfs64(byFile) },
];
