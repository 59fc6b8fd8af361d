/** flock(2), and the record locks of fcntl(2). */
import { struct } from "../abi.ts";
import { EAGAIN, EBADF, EDEADLK, EINVAL, EOVERFLOW, SysError } from "../errno.ts";
import type { SyscallContext, SyscallRow } from "../syscall.ts";
import { F_RDLCK, F_UNLCK, F_WRLCK } from "../vfs/constants.ts";
import { type FileLock, holderOf, LAST_BYTE } from "../vfs/locks.ts";
import type { OpenFile } from "../vfs/open-file.ts";
import { fileArg, files } from "./files-common.ts";

const F_GETLK = 5;
const F_SETLK = 6;
const F_SETLKW = 7;
const F_GETLK64 = 12;
const F_SETLK64 = 13;
const F_SETLKW64 = 14;
const F_OFD_GETLK = 36;
const F_OFD_SETLK = 37;
const F_OFD_SETLKW = 38;

const FLOCK = struct({ l_type: "i16", l_whence: "i16", l_start: "long", l_len: "long", l_pid: "i32" });
const FLOCK64 = struct({ l_type: "i16", l_whence: "i16", l_start: "i64", l_len: "i64", l_pid: "i32" });

interface LockCommand {
  readonly asks?: boolean;
  readonly waits?: boolean;
  /** The lock belongs to the description. */
  readonly ofd?: boolean;
  /** struct flock64, also on ppc32. */
  readonly wide?: boolean;
}

const COMMANDS: Readonly<Record<number, LockCommand>> = {
  [F_GETLK]: { asks: true },
  [F_SETLK]: {},
  [F_SETLKW]: { waits: true },
  [F_GETLK64]: { asks: true, wide: true },
  [F_SETLK64]: { wide: true },
  [F_SETLKW64]: { waits: true, wide: true },
  [F_OFD_GETLK]: { asks: true, ofd: true, wide: true },
  [F_OFD_SETLK]: { ofd: true, wide: true },
  [F_OFD_SETLKW]: { waits: true, ofd: true, wide: true },
};

/** Whether fcntl(2) command `command` is about record locks; fcntl64's own are not there for plain fcntl on ppc32. */
export const isLockCommand = (command: number, wide: boolean): boolean =>
  COMMANDS[command] !== undefined && (wide || command < F_GETLK64 || command >= F_OFD_GETLK);

/** First and last byte of a range as struct flock says. Throws EINVAL, EOVERFLOW. */
function rangeOf(file: OpenFile, asked: { l_whence: number; l_start: bigint; l_len: bigint }) {
  const { l_whence, l_start, l_len } = asked;
  if (l_whence < 0 || l_whence > 2) throw new SysError(EINVAL);
  const base = l_whence === 0 ? 0n : l_whence === 1 ? BigInt(file.position) : file.stat().size;
  const at = base + l_start;
  if (at > LAST_BYTE) throw new SysError(EOVERFLOW);
  const [start, last] =
    l_len > 0n ? [at, at + l_len - 1n] : l_len < 0n ? [at + l_len, at - 1n] : [at, LAST_BYTE];
  if (start < 0n) throw new SysError(EINVAL);
  if (last > LAST_BYTE) throw new SysError(EOVERFLOW);
  return { start, last };
}

/** Takes a lock, or waits for it. Throws EDEADLK where a process would wait for itself. */
function take(ctx: SyscallContext, file: OpenFile, lock: FileLock, waits: boolean): number {
  const { locks } = files(ctx).system;
  if (locks.conflict(file, lock) !== undefined) {
    if (!waits) throw new SysError(EAGAIN);
    if (lock.kind === "posix" && locks.isDeadlock(file, lock)) throw new SysError(EDEADLK);
    return ctx.block({ queues: locks.queues(file, lock) });
  }
  locks.take(file, lock);
  return 0;
}

/** The record lock commands of fcntl(2). */
export function recordLock(ctx: SyscallContext, file: OpenFile, command: number): number {
  const { asks = false, waits = false, ofd = false, wide = false } = COMMANDS[command];
  const layout = (wide ? FLOCK64 : FLOCK) as typeof FLOCK64;
  const address = ctx.args.address(2);
  const asked = ctx.get(layout, address);
  const { l_type } = asked;
  if (l_type < F_RDLCK || l_type > F_UNLCK) throw new SysError(EINVAL);
  if (ofd && asked.l_pid !== 0) throw new SysError(EINVAL);
  const lock: FileLock = {
    ...(ofd ? { kind: "ofd", owner: file } : { kind: "posix", owner: files(ctx).descriptors }),
    exclusive: l_type === F_WRLCK,
    ...rangeOf(file, asked),
  };
  if (asks) {
    if (l_type === F_UNLCK && !ofd) throw new SysError(EINVAL);
    const found = files(ctx).system.locks.conflict(file, lock);
    const most = wide || ctx.abi.is64 ? LAST_BYTE : 0x7fff_ffffn;
    ctx.put(layout, address, found === undefined ? { ...asked, l_type: F_UNLCK } : describe(found, most));
    return 0;
  }
  if (l_type === F_UNLCK) {
    files(ctx).system.locks.drop(file, lock);
    return 0;
  }
  if (!(lock.exclusive ? file.canWrite : file.canRead)) throw new SysError(EBADF);
  return take(ctx, file, lock, waits);
}

/** A lock in the terms of struct flock whose fields hold up to `most`. Throws EOVERFLOW. */
function describe(lock: FileLock, most: bigint) {
  const { exclusive, start, last } = lock;
  const length = last === LAST_BYTE ? 0n : last - start + 1n;
  if (start > most || length > most) throw new SysError(EOVERFLOW);
  return {
    l_type: exclusive ? F_WRLCK : F_RDLCK,
    l_whence: 0,
    l_start: start,
    l_len: length,
    l_pid: holderOf(lock) ?? -1,
  };
}

const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
const LOCK_UN = 8;
/** Locks that never kept anybody out; since 5.17 Linux takes them for granted, whatever the descriptor. */
const LOCK_MAND = 32;

/** flock(2). As in Linux a lock that is to be changed is given up first, also where the new one can't be had. */
function flock(ctx: SyscallContext): number {
  const flags = ctx.args.int(1);
  if (flags & LOCK_MAND) return 0;
  const operation = flags & ~LOCK_NB;
  if (![LOCK_SH, LOCK_EX, LOCK_UN].includes(operation)) throw new SysError(EINVAL);
  const file = fileArg(ctx, 0);
  const exclusive = operation === LOCK_EX;
  const lock: FileLock = { kind: "flock", owner: file, exclusive, start: 0n, last: LAST_BYTE };
  files(ctx).system.locks.drop(file, lock);
  if (operation === LOCK_UN) return 0;
  return take(ctx, file, lock, (flags & LOCK_NB) === 0);
}

export const FILE_LOCK_CALLS: readonly SyscallRow[] = [{ name: "flock", args: "fd int", handler: flock }];
