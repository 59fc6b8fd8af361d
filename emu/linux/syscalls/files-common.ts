/** What the system calls on files have in common: descriptors, paths, buffers, waiting. */
import { GuestFault } from "../../cpu/fault.ts";
import { HostError, type Interest } from "../../host/host.ts";
import type { AddressSpace } from "../../memory/address-space.ts";
import { EAGAIN, EBADF, EFAULT, EFBIG, EINVAL, ENOENT, EPIPE, SysError } from "../errno.ts";
import { RLIMIT_FSIZE } from "../process.ts";
import { post, senderInfo } from "../signals/post.ts";
import { SIGPIPE, SIGXFSZ } from "../signals/signal-numbers.ts";
import { ADDRESSES_END, type SyscallContext } from "../syscall.ts";
import { AT_EMPTY_PATH, IOV_MAX, MAX_RW_COUNT, O_NONBLOCK, O_PATH } from "../vfs/constants.ts";
import type { Location } from "../vfs/location.ts";
import { IN_ACCESS, IN_MODIFY } from "../vfs/notices.ts";
import { hold, type OpenFile, release } from "../vfs/open-file.ts";
import { filesOf, type TaskFiles } from "../vfs/process-files.ts";
import type { Blocked } from "../wait-queue.ts";

/** The files of the calling thread. */
export const files = (ctx: SyscallContext): TaskFiles => filesOf(ctx.thread);

/** The description behind descriptor argument `n`. Throws EBADF, also for one opened with O_PATH. */
export const fileArg = (ctx: SyscallContext, n: number): OpenFile => openFile(ctx, ctx.args.int(n));

/** The same of a descriptor that stands somewhere else. */
export function openFile(ctx: SyscallContext, fd: number): OpenFile {
  const file = files(ctx).descriptors.get(fd);
  if (file.flags & O_PATH) throw new SysError(EBADF);
  return file;
}

/** As `fileArg`, for calls that take O_PATH descriptors too. */
export const anyFileArg = (ctx: SyscallContext, n: number): OpenFile =>
  files(ctx).descriptors.get(ctx.args.int(n));

/** Gives a new description a descriptor; closes it when there is none left. */
export function install(ctx: SyscallContext, file: OpenFile, closeOnExec: boolean, from = 0): number {
  hold(file);
  try {
    return files(ctx).descriptors.add(file, closeOnExec, from);
  } finally {
    release(file);
  }
}

/** Throws EINVAL for flags other than `known`. */
export function checkFlags(flags: number, known: number): void {
  if (flags & ~known) throw new SysError(EINVAL);
}

/**
 * What a *at() call with dirfd and path arguments means: with AT_EMPTY_PATH and an empty path the descriptor itself.
 */
export function atArg(
  ctx: SyscallContext,
  dirfd: number,
  pathArg: number,
  options: { follow: boolean; flags?: number },
): { at: Location; file?: undefined } | { file: OpenFile; at?: undefined } {
  const path = ctx.path(pathArg);
  if (path === "" && (options.flags ?? 0) & AT_EMPTY_PATH) {
    if (dirfd === -100) return { at: files(ctx).find(dirfd, ".", true) };
    return { file: files(ctx).descriptors.get(dirfd) };
  }
  return { at: files(ctx).find(dirfd, path, options.follow) };
}

// Errors that programs get all day. They are returned, for to throw takes longer than such a call.
/** Nothing is there. */
export const NO_ENTRY = new SysError(ENOENT);
/** A descriptor in non-blocking mode would have to wait. */
export const NOT_YET = new SysError(EAGAIN);
/** There is no such descriptor. */
export const NO_DESCRIPTOR = new SysError(EBADF);

/** As `atArg`, and undefined where nothing is there. */
export function lookArg(
  ctx: SyscallContext,
  dirfd: number,
  pathArg: number,
  { follow, flags = 0 }: { follow: boolean; flags?: number },
): Location | OpenFile | undefined {
  const path = ctx.path(pathArg);
  if (path === "" && flags & AT_EMPTY_PATH) {
    const { file, at } = atArg(ctx, dirfd, pathArg, { follow, flags });
    return file ?? at;
  }
  return files(ctx).findIfThere(dirfd, path, follow);
}

// ---- buffers -----------------------------------------------------------------------------------------------

/** A piece of guest memory. */
export interface Span {
  readonly address: number;
  readonly length: number;
}

/** Bytes from `address` on that can be loaded (or stored), at most `length`. Throws EFAULT when not even one can. */
export function accessible(memory: AddressSpace, address: number, length: number, store: boolean): number {
  if (length === 0) return 0;
  try {
    if (store) memory.checkStore(address, length);
    else memory.checkLoad(address, length);
    return length;
  } catch (error) {
    if (!(error instanceof GuestFault)) throw error;
    const good = Number(error.address) - address;
    if (!(good > 0 && good < length)) throw new SysError(EFAULT);
    return good;
  }
}

/**
 * The buffer of a read or write: pointer and size_t arguments, cut to what Linux moves at once. Throws EFAULT for one
 * that no address space holds, however few bytes of it are wanted.
 */
export function bufferArg(ctx: SyscallContext, pointer: number, size: number): Span[] {
  if (ctx.args.isNegative(size)) throw new SysError(EFAULT);
  const [address, length] = [ctx.args.address(pointer), ctx.args.size(size)];
  if (length > ADDRESSES_END - address) throw new SysError(EFAULT);
  return [{ address, length: Math.min(length, MAX_RW_COUNT) }];
}

/** The buffers of a readv or writev. Throws EINVAL, EFAULT. */
export function vectorArg(ctx: SyscallContext, vector: number, count: number, isOwn = true): Span[] {
  const entries = ctx.args.size(count);
  if (entries > IOV_MAX) throw new SysError(EINVAL);
  return spansOf(ctx, entries === 0 ? 0 : ctx.args.address(vector), entries, isOwn);
}

/**
 * The buffers of `count` struct iovec at `at`. Throws EINVAL, and EFAULT for one of the caller's `own` memory that no address space holds,
 * however few bytes of it are wanted.
 */
export function spansOf(ctx: SyscallContext, at: number, count: number, isOwn = true): Span[] {
  const { memory, abi } = ctx;
  const { wordSize } = abi;
  if (count > 0) memory.checkLoad(at, count * 2 * wordSize);
  // Of a length, the half with its sign.
  const upper = wordSize + (abi.littleEndian ? wordSize - 4 : 0);
  const spans: Span[] = [];
  let room = MAX_RW_COUNT;
  // All lengths are looked at before the first address.
  let isWild = false;
  for (let i = 0; i < count; i++) {
    const vector = at + i * 2 * wordSize;
    if (memory.read32(vector + upper) < 0) throw new SysError(EINVAL);
    const [base, wanted] = [ctx.getSize(vector), ctx.getSize(vector + wordSize)];
    const isLooked = isOwn || wanted > 0;
    isWild ||= isLooked && base > ADDRESSES_END - (isOwn ? wanted : 1);
    const length = Math.min(wanted, room);
    room -= length;
    spans.push({ address: isLooked ? base : 0, length });
  }
  if (isWild) throw new SysError(EFAULT);
  return spans;
}

// ---- waiting -----------------------------------------------------------------------------------------------

/** Waits until something changes at `file`, or is EAGAIN where it is not to wait. */
export function wait(ctx: SyscallContext, file: OpenFile, interest: Interest, done = 0): Blocked | SysError {
  if (file.flags & O_NONBLOCK) return NOT_YET;
  if (done === 0) return ctx.wait(file.waitables(interest));
  // A transfer that has begun does not begin again after a signal: it ends with what it has moved.
  const state = { kind: "moved", done } as const;
  return ctx.wait({ ...file.waitables(interest), state, restart: "never", interrupted: () => done });
}

/** Bytes that this call had moved already when it last waited. */
export function movedBefore(ctx: SyscallContext): number {
  const state = ctx.resumed?.state;
  return state?.kind === "moved" ? state.done : 0;
}

/** Gives the host its turn after much work of a transfer, which then goes on where it is: each time it gets further, however slow the host. */
export function pauseIfOverdue(ctx: SyscallContext, done: number): void {
  if (ctx.isOverdue && done > movedBefore(ctx)) ctx.pause({ kind: "moved", done }, done);
}

/** Tells those who watch a file that it has been read. */
export const noteRead = (ctx: SyscallContext, file: OpenFile): void =>
  files(ctx).system.notices.happened(file, IN_ACCESS);

/** And that it has been written to. */
export const noteWritten = (ctx: SyscallContext, file: OpenFile): void =>
  files(ctx).system.notices.happened(file, IN_MODIFY);

/** And that something of one has been copied to another. */
export function noteCopied(ctx: SyscallContext, from: OpenFile, to: OpenFile): void {
  noteRead(ctx, from);
  noteWritten(ctx, to);
}

/** Sends SIGPIPE for an EPIPE, as write(2) does. */
export function noteBrokenPipe(ctx: SyscallContext, error: unknown): void {
  const broken =
    (error instanceof HostError && error.code === "EPIPE") ||
    (error instanceof SysError && error.errno === EPIPE);
  if (broken) post(ctx.process, senderInfo(SIGPIPE, ctx.thread), ctx.thread);
}

/** How many of `length` bytes RLIMIT_FSIZE lets a file take at `position`; SIGXFSZ and EFBIG when none. */
export function withinLimit(ctx: SyscallContext, file: OpenFile, position: number, length: number): number {
  const limit = ctx.process.limits[RLIMIT_FSIZE]?.soft;
  // Beyond 2^53, where sums are rounded, no file goes: BigInts cost V8 a call each.
  if (file.kind !== "file" || limit === undefined || position + length <= Number(limit)) return length;
  const room = Number(limit) - position;
  if (room > 0) return room;
  return tooLarge(ctx);
}

/** Holds a file that is to be `end` bytes long against RLIMIT_FSIZE, which allows what it has already. */
export function checkGrowth(ctx: SyscallContext, file: OpenFile, end: number): void {
  const limit = ctx.process.limits[RLIMIT_FSIZE]?.soft;
  if (file.kind !== "file" || limit === undefined || BigInt(end) <= limit) return;
  if (file.stat().size < BigInt(end)) tooLarge(ctx);
}

function tooLarge(ctx: SyscallContext): never {
  post(ctx.process, senderInfo(SIGXFSZ, ctx.thread), ctx.thread);
  throw new SysError(EFBIG);
}
