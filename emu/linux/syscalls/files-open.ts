/** Opening and closing descriptors, duplicating them, and what fcntl(2) does to them. */
import { decodeName } from "../../host/names.ts";
import { struct } from "../abi.ts";
import { CAP_LEASE, isCapable } from "../credentials.ts";
import {
  E2BIG,
  EACCES,
  EAGAIN,
  EBADF,
  EFAULT,
  EINVAL,
  EISDIR,
  ENOTDIR,
  EPERM,
  ESRCH,
  SysError,
} from "../errno.ts";
import type { SyscallContext, SyscallRow } from "../syscall.ts";
import {
  AT_FDCWD,
  F_RDLCK,
  F_UNLCK,
  O_ACCMODE,
  O_APPEND,
  O_ASYNC,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECT,
  O_DIRECTORY,
  O_EXCL,
  O_NOATIME,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_TMPFILE,
  O_TRUNC,
  O_VALID,
  O_WRONLY,
} from "../vfs/constants.ts";
import { fileKey } from "../vfs/folder.ts";
import { RegularFile } from "../vfs/host-file.ts";
import type { Location } from "../vfs/location.ts";
import type { ResolveOptions } from "../vfs/namespace.ts";
import type { OpenFile } from "../vfs/open-file.ts";
import { PipeEnd } from "../vfs/pipe.ts";
import { openedFiles } from "../vfs/process-files.ts";
import { F_SEAL_SEAL, type Seals } from "../vfs/seals.ts";
import { EventFile } from "../vfs/special-files.ts";
import {
  accessible,
  anyFileArg,
  checkFlags,
  files,
  install,
  NO_DESCRIPTOR,
  NO_ENTRY,
} from "./files-common.ts";
import { isLockCommand, recordLock } from "./files-locks.ts";
import { openNamedPipe } from "./named-pipes.ts";

/** All calls that open a path; `how`: as openat2(2) confines it. */
function open(
  ctx: SyscallContext,
  { dirfd, path, flags, mode }: { dirfd: number; path: string; flags: number; mode: number },
  how: Omit<ResolveOptions, "base" | "follow"> = {},
): number | SysError {
  const task = files(ctx);
  task.descriptors.reserve(1);
  const isExclusive = (flags & O_CREAT) !== 0 && (flags & O_EXCL) !== 0;
  // Whatever is there: no name that ends as a folder's is made a file.
  if (flags & O_CREAT && !(flags & (O_PATH | TMPFILE_BIT)) && path.endsWith("/")) {
    task.resolve(dirfd, path.replace(/\/+$/, "") || "/", { ...how, follow: false });
    throw new SysError(EISDIR);
  }
  if (!(flags & O_PATH) && !isExclusive) {
    // Others may have a say in what is there already.
    if (task.system.signals.hasLeases) {
      const follow = (flags & O_NOFOLLOW) === 0;
      awaitLeases(ctx, task.resolve(dirfd, path, { ...how, follow }), flags);
    }
    const pipe = openNamedPipe(ctx, { dirfd, path, flags }, how);
    if (pipe !== undefined) return pipe;
  }
  const file = task.openIfThere(dirfd, path, flags, mode, how);
  if (file === undefined) return NO_ENTRY;
  task.noteOpened(file);
  return install(ctx, file, (flags & O_CLOEXEC) !== 0);
}

/** O_TMPFILE without the O_DIRECTORY in it. */
const TMPFILE_BIT = O_TMPFILE & ~O_DIRECTORY;
const OPEN_HOW = struct({ flags: "u64", mode: "u64", resolve: "u64" });
const RESOLVE_NO_XDEV = 0x01n;
const RESOLVE_NO_MAGICLINKS = 0x02n;
const RESOLVE_NO_SYMLINKS = 0x04n;
const RESOLVE_BENEATH = 0x08n;
const RESOLVE_IN_ROOT = 0x10n;
const RESOLVE_CACHED = 0x20n;
const RESOLVE_KNOWN = 0x3fn;

function openat2(ctx: SyscallContext): number | SysError {
  const path = ctx.path(1);
  const address = ctx.args.address(2);
  const given = ctx.args.size(3);
  const known = OPEN_HOW.size(ctx.abi);
  if (given < known) throw new SysError(EINVAL);
  if (given > 4096) throw new SysError(E2BIG);
  // A longer struct is fine as long as the fields this kernel does not know are zero.
  if (!ctx.isZero(address + known, given - known)) throw new SysError(E2BIG);
  const how = ctx.get(OPEN_HOW, address);
  if (how.flags & ~BigInt(O_VALID) || how.resolve & ~RESOLVE_KNOWN || how.mode & ~0o7777n) {
    throw new SysError(EINVAL);
  }
  const flags = Number(how.flags);
  if (how.mode !== 0n && !(flags & (O_CREAT | TMPFILE_BIT))) throw new SysError(EINVAL);
  const resolve = (bit: bigint) => (how.resolve & bit) !== 0n;
  if (resolve(RESOLVE_BENEATH) && resolve(RESOLVE_IN_ROOT)) throw new SysError(EINVAL);
  if (flags & O_PATH && flags & ~(O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) throw new SysError(EINVAL);
  // Nothing waits for a disk here; what is made was never kept ready.
  if (resolve(RESOLVE_CACHED) && flags & (O_TRUNC | O_CREAT | TMPFILE_BIT)) throw new SysError(EAGAIN);
  const confined = {
    sameMount: resolve(RESOLVE_NO_XDEV),
    noSymlinks: resolve(RESOLVE_NO_SYMLINKS),
    noMagicLinks: resolve(RESOLVE_NO_MAGICLINKS),
    beneath: resolve(RESOLVE_BENEATH),
    inRoot: resolve(RESOLVE_IN_ROOT),
  };
  return open(ctx, { dirfd: ctx.args.int(0), path, flags, mode: Number(how.mode) }, confined);
}

function close(ctx: SyscallContext): number | SysError {
  const { descriptors } = files(ctx);
  const fd = ctx.args.int(0);
  // Programs close all that they might have.
  if (!descriptors.has(fd)) return NO_DESCRIPTOR;
  descriptors.close(fd);
  return 0;
}

const CLOSE_RANGE_UNSHARE = 2;
const CLOSE_RANGE_CLOEXEC = 4;

function closeRange(ctx: SyscallContext): number {
  const [first, last, flags] = [ctx.args.uint(0), ctx.args.uint(1), ctx.args.int(2)];
  checkFlags(flags, CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC);
  if (first > last) throw new SysError(EINVAL);
  if (flags & CLOSE_RANGE_UNSHARE) ctx.thread.unshare({ descriptors: true });
  const { descriptors } = files(ctx);
  for (const [fd, descriptor] of descriptors.list()) {
    if (fd < first || fd > last) continue;
    if (flags & CLOSE_RANGE_CLOEXEC) descriptor.closeOnExec = true;
    else descriptors.close(fd);
  }
  return 0;
}

function dup2(ctx: SyscallContext): number {
  const { descriptors } = files(ctx);
  const file = descriptors.get(ctx.args.int(0));
  const to = ctx.args.int(1);
  if (to !== ctx.args.int(0)) descriptors.set(to, file, false);
  return to;
}

function dup3(ctx: SyscallContext): number {
  const flags = ctx.args.int(2);
  checkFlags(flags, O_CLOEXEC);
  const [from, to] = [ctx.args.int(0), ctx.args.int(1)];
  if (from === to) throw new SysError(EINVAL);
  const { descriptors } = files(ctx);
  descriptors.set(to, descriptors.get(from), (flags & O_CLOEXEC) !== 0);
  return to;
}

function pipe(ctx: SyscallContext, flags: number): number {
  checkFlags(flags, O_CLOEXEC | O_NONBLOCK | O_DIRECT);
  const address = ctx.args.address(0);
  if (accessible(ctx.memory, address, 8, true) < 8) throw new SysError(EFAULT);
  const task = files(ctx);
  task.descriptors.reserve(2);
  const ends = task.system.pipe(flags);
  const fds = ends.map((end) => install(ctx, end, (flags & O_CLOEXEC) !== 0));
  ctx.put32(address, fds[0]);
  ctx.put32(address + 4, fds[1]);
  return 0;
}

const EFD_SEMAPHORE = 1;

function eventfd(ctx: SyscallContext, flags: number): number {
  checkFlags(flags, EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK);
  const file = new EventFile({
    flags: flags & O_NONBLOCK,
    counter: BigInt(ctx.args.uint(0)),
    semaphore: (flags & EFD_SEMAPHORE) !== 0,
    littleEndian: ctx.abi.littleEndian,
  });
  return install(ctx, file, (flags & O_CLOEXEC) !== 0);
}

const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
/** Longest name, "memfd:" and NUL not counted. */
const MFD_NAME_MAX = 249;

function memfdCreate(ctx: SyscallContext): number {
  const flags = ctx.args.int(1);
  checkFlags(flags, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  const name = decodeName(ctx.cString(ctx.args.address(0), MFD_NAME_MAX + 1, EINVAL));
  const file = files(ctx).system.memoryFile(name, flags & MFD_ALLOW_SEALING ? 0 : F_SEAL_SEAL);
  return install(ctx, file, (flags & MFD_CLOEXEC) !== 0);
}

// ---- fcntl -------------------------------------------------------------------------------------------------

const F_DUPFD = 0;
const F_GETFD = 1;
const F_SETFD = 2;
const F_GETFL = 3;
const F_SETFL = 4;
const F_SETOWN = 8;
const F_GETOWN = 9;
const F_SETSIG = 10;
const F_GETSIG = 11;
const F_SETOWN_EX = 15;
const F_GETOWN_EX = 16;
const F_GETOWNER_UIDS = 17;
const F_SETLEASE = 1024;
const F_GETLEASE = 1025;
const F_NOTIFY = 1026;
const F_DUPFD_CLOEXEC = 1030;
const F_SETPIPE_SZ = 1031;
const F_GETPIPE_SZ = 1032;
const F_ADD_SEALS = 1033;
const F_GET_SEALS = 1034;
const F_GET_RW_HINT = 1035;
const F_SET_RW_HINT = 1036;
/** RWH_WRITE_LIFE_EXTREME, the last of them. */
const HINT_MAX = 5;

const SETTABLE = O_APPEND | O_NONBLOCK | O_ASYNC | O_DIRECT | O_NOATIME;
const OWNER_EX = struct({ type: "i32", pid: "i32" });

function setFlags(ctx: SyscallContext, file: OpenFile, wanted: number): number {
  // What can't tell of itself stays as it is (Linux: setfl asks for a method, which sets the flag).
  const settable = file.tellsOwner ? SETTABLE : SETTABLE & ~O_ASYNC;
  const flags = (file.flags & ~settable) | (wanted & settable);
  const changed = flags ^ file.flags;
  if (changed & flags & O_NOATIME) files(ctx).permissions.checkOwner(file.stat(), file.path);
  if (changed & O_APPEND && file instanceof RegularFile) {
    files(ctx).system.setAppend(file, (flags & O_APPEND) !== 0);
  }
  file.flags = flags;
  if (changed & O_ASYNC) files(ctx).system.signals.asyncChanged(file, ctx.args.int(0));
  return 0;
}

type Command = (ctx: SyscallContext, file: OpenFile) => number;

/** Throws ESRCH for an owner of signals that is nobody; 0 is meant to be nobody. */
function checkOwner({ kernel }: SyscallContext, type: number, id: number): void {
  const isThere = type === 0 ? kernel.thread(id) !== undefined : kernel.processes.has(id);
  const isGroup = () => [...kernel.processes.values()].some(({ pgid }) => pgid === id);
  if (id !== 0 && !isThere && !(type === 2 && isGroup())) throw new SysError(ESRCH);
}

/** F_SETOWN: the owner of signals, a process or with a negative number a group. */
export function setOwner(ctx: SyscallContext, file: OpenFile, pid: number): number {
  if (pid === -(2 ** 31)) throw new SysError(EINVAL);
  const type = pid < 0 ? 2 : 1;
  checkOwner(ctx, type, Math.abs(pid));
  file.owner = { ...file.owner, type, pid: Math.abs(pid) };
  return 0;
}
export const ownerNumber = ({ owner }: OpenFile): number => (owner.type === 2 ? -owner.pid : owner.pid);

const pipeOf = (file: OpenFile) => {
  if (!(file instanceof PipeEnd)) throw new SysError(EBADF);
  return file.pipe;
};

/** Commands that O_PATH descriptors take as well. */
const DESCRIPTOR_COMMANDS: Readonly<Record<number, Command>> = {
  [F_DUPFD]: (ctx, file) => files(ctx).descriptors.add(file, false, ctx.args.int(2)),
  [F_DUPFD_CLOEXEC]: (ctx, file) => files(ctx).descriptors.add(file, true, ctx.args.int(2)),
  [F_GETFD]: (ctx) => (files(ctx).descriptors.entry(ctx.args.int(0)).closeOnExec ? 1 : 0),
  [F_SETFD]: (ctx) => {
    files(ctx).descriptors.entry(ctx.args.int(0)).closeOnExec = (ctx.args.int(2) & 1) !== 0;
    return 0;
  },
  [F_GETFL]: (_ctx, file) => file.flags,
};

/** Throws EINVAL for files that have none. */
function sealsOf(file: OpenFile): { seals: Seals; key: string } {
  if (!(file instanceof RegularFile) || file.seals === undefined) throw new SysError(EINVAL);
  const { seals, key } = file;
  return { seals, key };
}

/** Who asks for signals and has named nobody to get them gets them itself. */
function ownIfNobody({ process }: SyscallContext, file: OpenFile): void {
  if (file.owner.pid === 0) file.owner = { ...file.owner, type: 1, pid: process.pid };
}

const notify: Command = (ctx, file) => {
  if (file.kind !== "directory") throw new SysError(ENOTDIR);
  const mask = ctx.args.uint(2);
  if (mask !== 0) ownIfNobody(ctx, file);
  files(ctx).system.signals.notify(file, ctx.args.int(0), mask);
  return 0;
};

/** F_SETLEASE: whoever has a lease is told before others write the file (F_RDLCK) or open it at all (F_WRLCK). */
function setLease(ctx: SyscallContext, file: OpenFile, type: number): number {
  const { signals, owners } = files(ctx).system;
  const { credentials } = ctx.thread;
  if (type < F_RDLCK || type > F_UNLCK) throw new SysError(EINVAL);
  const isOwn = owners.of(file.stat()).uid === credentials.fsuid;
  if (!isOwn && !isCapable(credentials, CAP_LEASE)) throw new SysError(EACCES);
  if (file.kind !== "file") throw new SysError(EINVAL);
  if (type === F_UNLCK) {
    if (!signals.holdsLease(file)) throw new SysError(EAGAIN);
  } else {
    const inTheWay = (other: OpenFile) =>
      other.key === file.key && (type === F_RDLCK ? other.canWrite : other !== file);
    if (openedFiles(ctx.kernel).some(inTheWay) || signals.hasOther(file, type)) throw new SysError(EAGAIN);
    ownIfNobody(ctx, file);
  }
  signals.setLease(file, ctx.args.int(0), type);
  return 0;
}

/** Waits until nobody has a lease that keeps what a path names from being opened. Throws EAGAIN where it is not to wait. */
export function awaitLeases(ctx: SyscallContext, { stat }: Location, flags: number): void {
  if (stat === undefined) return;
  const writes = (flags & O_ACCMODE) !== O_RDONLY || (flags & O_TRUNC) !== 0;
  const { signals } = files(ctx).system;
  const deadline = signals.wants(fileKey(stat), writes);
  if (deadline === undefined) return;
  if (flags & O_NONBLOCK) throw new SysError(EAGAIN);
  ctx.block({ queues: [signals.queue], deadline });
}

/** How long what is written to a file is going to stay: kept with what has the file open, and told. */
function setHint(ctx: SyscallContext, file: OpenFile): number {
  const address = ctx.args.address(2);
  ctx.memory.checkLoad(address, 8);
  const hint = ctx.memory.read64(address);
  if (hint > BigInt(HINT_MAX)) throw new SysError(EINVAL);
  for (const other of openedFiles(ctx.kernel)) {
    if (other === file || (file.key !== undefined && other.key === file.key)) other.writeHint = Number(hint);
  }
  return 0;
}
function getHint(ctx: SyscallContext, file: OpenFile): number {
  const hints = [...openedFiles(ctx.kernel)].map(({ key, writeHint }) =>
    file.key !== undefined && key === file.key ? writeHint : 0,
  );
  ctx.memory.checkStore(ctx.args.address(2), 8);
  ctx.memory.write64(ctx.args.address(2), BigInt(Math.max(file.writeHint, ...hints)));
  return 0;
}

const FILE_COMMANDS: Readonly<Record<number, Command>> = {
  [F_SETFL]: (ctx, file) => setFlags(ctx, file, ctx.args.int(2)),
  [F_SETOWN]: (ctx, file) => setOwner(ctx, file, ctx.args.int(2)),
  [F_GETOWN]: (_ctx, file) => ownerNumber(file),
  [F_SETSIG]: (ctx, file) => {
    const signal = ctx.args.int(2);
    if (signal < 0 || signal > 64) throw new SysError(EINVAL);
    file.owner.signal = signal;
    return 0;
  },
  [F_GETSIG]: (_ctx, file) => file.owner.signal,
  [F_SETOWN_EX]: (ctx, file) => {
    const { type, pid } = ctx.get(OWNER_EX, ctx.args.address(2));
    if (type < 0 || type > 2) throw new SysError(EINVAL);
    checkOwner(ctx, type, pid);
    file.owner = { ...file.owner, type, pid };
    return 0;
  },
  [F_GETOWN_EX]: (ctx, file) => {
    ctx.put(OWNER_EX, ctx.args.address(2), file.owner);
    return 0;
  },
  [F_SETPIPE_SZ]: (ctx, file) => pipeOf(file).resize(ctx.args.uint(2)),
  [F_GETPIPE_SZ]: (_ctx, file) => pipeOf(file).capacity,
  [F_GETLEASE]: (ctx, file) => files(ctx).system.signals.leaseOf(file),
  [F_SETLEASE]: (ctx, file) => setLease(ctx, file, ctx.args.int(2)),
  [F_NOTIFY]: notify,
  [F_GETOWNER_UIDS]: (ctx, { owner }) => {
    const { uid, euid } = ctx.thread.credentials;
    const address = ctx.args.address(2);
    for (const [i, id] of [uid, euid].entries()) ctx.put32(address + 4 * i, owner.pid === 0 ? 0 : id);
    return 0;
  },
  [F_ADD_SEALS]: (ctx, file) => {
    const { seals, key } = sealsOf(file);
    if (!file.canWrite) throw new SysError(EPERM);
    const { mapped } = files(ctx).system;
    seals.add(ctx.args.int(2), () => mapped.isMappedWritable(key));
    return 0;
  },
  [F_GET_SEALS]: (_ctx, file) => sealsOf(file).seals.bits,
  [F_GET_RW_HINT]: getHint,
  [F_SET_RW_HINT]: setHint,
};

function fcntl(ctx: SyscallContext, wide: boolean): number | SysError {
  const command = ctx.args.int(1);
  if (!files(ctx).descriptors.has(ctx.args.int(0))) return NO_DESCRIPTOR;
  const file = anyFileArg(ctx, 0);
  const onDescriptor = DESCRIPTOR_COMMANDS[command];
  if (onDescriptor !== undefined) return onDescriptor(ctx, file);
  if (file.flags & O_PATH) throw new SysError(EBADF);
  if (isLockCommand(command, wide)) return recordLock(ctx, file, command);
  const run = FILE_COMMANDS[command];
  if (run === undefined) throw new SysError(EINVAL);
  return run(ctx, file);
}

export const FILE_OPEN_CALLS: readonly SyscallRow[] = [
  {
    name: "open",
    args: "str octal octal",
    handler: (ctx) =>
      open(ctx, { dirfd: AT_FDCWD, path: ctx.path(0), flags: ctx.args.int(1), mode: ctx.args.int(2) }),
  },
  {
    name: "openat",
    args: "fd str octal octal",
    handler: (ctx) => {
      const [dirfd, path] = [ctx.args.int(0), ctx.path(1)];
      return open(ctx, { dirfd, path, flags: ctx.args.int(2), mode: ctx.args.int(3) });
    },
  },
  { name: "openat2", args: "fd str ptr ulong", handler: openat2 },
  {
    name: "creat",
    args: "str octal",
    handler: (ctx) => {
      const flags = O_CREAT | O_WRONLY | O_TRUNC;
      return open(ctx, { dirfd: AT_FDCWD, path: ctx.path(0), flags, mode: ctx.args.int(1) });
    },
  },
  { name: "close", args: "fd", handler: close },
  { name: "close_range", args: "uint uint hex", handler: closeRange },
  { name: "dup", args: "fd", handler: (ctx) => files(ctx).descriptors.add(anyFileArg(ctx, 0), false) },
  { name: "dup2", args: "fd fd", handler: dup2 },
  { name: "dup3", args: "fd fd octal", handler: dup3 },
  { name: "pipe", args: "ptr", handler: (ctx) => pipe(ctx, 0) },
  { name: "pipe2", args: "ptr octal", handler: (ctx) => pipe(ctx, ctx.args.int(1)) },
  { name: "eventfd", args: "uint", handler: (ctx) => eventfd(ctx, 0) },
  { name: "eventfd2", args: "uint hex", handler: (ctx) => eventfd(ctx, ctx.args.int(1)) },
  { name: "memfd_create", args: "str hex", handler: memfdCreate },
  { name: "fcntl", args: "fd int long", handler: (ctx) => fcntl(ctx, ctx.abi.is64) },
  { name: "fcntl64", args: "fd int long", handler: (ctx) => fcntl(ctx, true) },
];
