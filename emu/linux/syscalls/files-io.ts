/** read, write and their families. */
import { PAGE_SIZE } from "../../memory/layout.ts";
import {
  EAGAIN,
  EBADF,
  EFAULT,
  EINVAL,
  EISDIR,
  EOPNOTSUPP,
  EOVERFLOW,
  ESPIPE,
  EXDEV,
  SysError,
} from "../errno.ts";
import { Socket } from "../net/socket.ts";
import type { SyscallContext, SyscallResult, SyscallRow } from "../syscall.ts";
import { MAX_OFFSET, MAX_RW_COUNT, O_APPEND, O_NONBLOCK, SEEK_CUR, SEEK_HOLE } from "../vfs/constants.ts";
import type { Usage } from "../usage.ts";
import { AnonymousFile } from "../vfs/anonymous-file.ts";
import { RegularFile } from "../vfs/host-file.ts";
import { CHUNK, type OpenFile } from "../vfs/open-file.ts";
import { PipeEnd } from "../vfs/pipe.ts";
import { Blocked } from "../wait-queue.ts";
import {
  accessible,
  bufferArg,
  checkFlags,
  fileArg,
  files,
  movedBefore,
  NOT_YET,
  noteBrokenPipe,
  noteCopied,
  noteRead,
  noteWritten,
  pauseIfOverdue,
  type Span,
  vectorArg,
  wait,
  withinLimit,
} from "./files-common.ts";
import { checkTerminalRead, checkTerminalWrite } from "./job-control.ts";
import { receiveSpans, sendSpans } from "./sockets-transfer.ts";

/** A file to read from. Throws EBADF. */
function source(ctx: SyscallContext, n: number): OpenFile {
  const file = fileArg(ctx, n);
  if (!file.canRead) throw new SysError(EBADF);
  if (!file.hasReading) throw new SysError(EINVAL);
  return file;
}

function target(ctx: SyscallContext, n: number): OpenFile {
  const file = fileArg(ctx, n);
  if (!file.canWrite) throw new SysError(EBADF);
  if (!file.hasWriting) throw new SysError(EINVAL);
  return file;
}

/** A loff_t argument that must not be negative, where `file` has positions at all; none is further away than files go. */
function positionArg(file: OpenFile, offset: number): number {
  if (offset < 0) throw new SysError(EINVAL);
  if (!file.seekable) throw new SysError(ESPIPE);
  return Math.min(offset, MAX_OFFSET);
}

/**
 * What a call with a position of its own is about. What is wrong with the position, and with a file that has none, comes
 * before what it was opened for (Linux: ksys_pread64, do_preadv).
 */
function placeArg(ctx: SyscallContext, offset: number, write: boolean): { file: OpenFile; position: number } {
  if (offset < 0) throw new SysError(EINVAL);
  const position = positionArg(fileArg(ctx, 0), offset);
  if (write && !fileArg(ctx, 0).takesPlaces) throw new SysError(ESPIPE);
  return { file: write ? target(ctx, 0) : source(ctx, 0), position };
}

/** Bytes on their way from one file to another, or to or from a position of one. */
const buffer = new Uint8Array(CHUNK);

const lengthOf = (spans: readonly Span[]): number => spans.reduce((sum, { length }) => sum + length, 0);

/**
 * How many bytes of a piece, of which only `good` lie in accessible memory, are to be moved. A regular file gives and takes
 * what can be had; a pipe's buffers, a page each, are moved whole or not at all (Linux: pipe_read, pipe_write).
 */
function usable(
  file: OpenFile,
  done: number,
  wanted: number,
  good: number,
  { store }: { store: boolean },
): number {
  if (good === wanted || !file.isStream || (store && file.available() <= good)) return good;
  const whole = done + good - ((done + good) % PAGE_SIZE) - done;
  if (whole <= 0) throw new SysError(EFAULT);
  return whole;
}

/** Bytes of which nothing is wanted but that they are there. */
const SCRATCH = 4096;

/**
 * What a transfer ends with whose memory is none, where there is something to say that comes before it is looked at: how much has been
 * moved, undefined where it would wait. Throws EFAULT, or what else is wrong.
 */
function withoutMemory(
  file: OpenFile,
  { store, position }: { store: boolean; position?: number },
  wanted: number,
): number | undefined {
  const bytes = new Uint8Array(Math.min(wanted, SCRATCH));
  if (!store) {
    if (file instanceof PipeEnd && !file.broken() && file.takes(1) === 0) return undefined;
    if (file instanceof PipeEnd && file.broken()) file.write(bytes);
    // Nothing is added to an event counter, if it can be said in so few bytes.
    if (file instanceof AnonymousFile) file.write(bytes.subarray(0, 8));
    throw new SysError(EFAULT);
  }
  const at = position ?? file.position;
  const isSized = file.kind === "file";
  if (isSized && BigInt(at) < file.stat().size) throw new SysError(EFAULT);
  if (isSized) return 0;
  const isThere = file.isStream && file.available() > 0;
  if (isThere) throw new SysError(EFAULT);
  // What an event counter or its like has told is told, though nobody has heard it.
  const count = file.kind === "proc" ? file.readAt(bytes.subarray(0, 1), at) : file.read(bytes);
  if (count === undefined || count === 0) return count;
  throw new SysError(EFAULT);
}

/**
 * The spans up to where memory ends, of pipes and their like, whose buffers are filled from all of them together: whole pages of what can
 * be had. `known`: that all of them are there.
 */
function usableSpans(
  ctx: SyscallContext,
  file: OpenFile,
  spans: readonly Span[],
  { store, total }: { store: boolean; total: number },
): { pieces: readonly Span[]; known: boolean } {
  if (spans.length === 1 || !file.isStream) return { pieces: spans, known: false };
  let good = 0;
  try {
    for (const { address, length } of spans) {
      const here = accessible(ctx.memory, address, length, store);
      good += here;
      if (here < length) break;
    }
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
  }
  // With nothing at all the first piece says what comes before that.
  if (good === total || good === 0) return { pieces: spans, known: good > 0 };
  const isEmpty = store ? file.available() === 0 : file.broken() || file.takes(1) === 0;
  let rest = isEmpty ? good : usable(file, 0, total, good, { store });
  const pieces = spans.map(({ address, length }) => {
    const here = Math.min(length, rest);
    rest -= here;
    return { address, length: here };
  });
  return { pieces, known: true };
}

/** Runs `move` on one piece of the spans after the other until one is moved short; errors count only at the start. */
function transfer(
  ctx: SyscallContext,
  file: OpenFile,
  spans: readonly Span[],
  options: { store: boolean; skip: number; position?: number; known: boolean },
  move: (address: number, length: number, done: number) => number | undefined,
): { done: number; blocked: boolean } {
  const total = lengthOf(spans);
  let done = options.skip;
  let passed = 0;
  for (const span of spans) {
    passed += span.length;
    while (done < passed) {
      const address = span.address + span.length - (passed - done);
      const wanted = Math.min(passed - done, CHUNK);
      try {
        const good = options.known ? wanted : accessible(ctx.memory, address, wanted, options.store);
        const length = usable(file, done, wanted, good, options);
        const moved = move(address, length, done);
        if (moved === undefined) return { done, blocked: true };
        done += moved;
        if (moved < wanted) return { done, blocked: false };
      } catch (error) {
        const isFault = error instanceof SysError && error.errno === EFAULT;
        if (isFault && !options.store && file.isSink) {
          file.write(new Uint8Array(0));
          return { done: total, blocked: false };
        }
        if (isFault && done === 0) {
          const moved = withoutMemory(file, options, wanted);
          return { done: moved ?? 0, blocked: moved === undefined };
        }
        if (done === 0) throw error;
        noteBrokenPipe(ctx, error);
        return { done, blocked: false };
      }
      if (done < total) pauseIfOverdue(ctx, done);
    }
  }
  return { done, blocked: false };
}

/** Whether a reader should get more after a full chunk: a stream or pipe may have no more for now. */
const fills = (file: OpenFile): boolean =>
  file.kind === "file" || file.kind === "proc" || file.kind === "device";

/** Reads into `spans`, at `position` or at the file's own. */
export function readInto(
  ctx: SyscallContext,
  file: OpenFile,
  spans: readonly Span[],
  position?: number,
): number | Blocked | SysError {
  if (file.kind === "directory") throw new SysError(EISDIR);
  if (file instanceof Socket) return receiveSpans(ctx, file, spans);
  if (file.isStream) checkTerminalRead(ctx, file);
  const total = lengthOf(spans);
  if (total === 0) return file instanceof AnonymousFile ? nothingFrom(ctx, file) : 0;
  const { pieces, known } = usableSpans(ctx, file, spans, { store: true, total });
  const options = { store: true, skip: movedBefore(ctx), position, known };
  const { done, blocked } = transfer(ctx, file, pieces, options, (address, length, before) => {
    if (before > 0 && !fills(file) && !file.readable()) return 0;
    if (position === undefined) return file.readTo(ctx.memory, address, length);
    const bytes = buffer.subarray(0, length);
    const count = file.readAt(bytes, position + before);
    ctx.memory.write(address, count === length ? bytes : bytes.subarray(0, count));
    return count;
  });
  if (done > 0) noteRead(ctx, file);
  return blocked && done === 0 ? waitForInput(ctx, file) : done;
}

/** An event counter and its like mind that nothing is wanted of them. */
const nothingFrom = (ctx: SyscallContext, file: OpenFile): number | Blocked | SysError =>
  file.read(new Uint8Array(0)) ?? waitForInput(ctx, file);

/** Waits until there may be input; a terminal may be set to give up after a time (VTIME). */
function waitForInput(ctx: SyscallContext, file: OpenFile): number | Blocked | SysError {
  const { readTimeout, readDeadline } = file;
  if (readTimeout === 0n) return 0;
  if (file.flags & O_NONBLOCK) return NOT_YET;
  if (readDeadline !== undefined)
    return ctx.wait({ ...file.waitables({ read: true }), deadline: readDeadline });
  if (readTimeout === undefined) return wait(ctx, file, { read: true });
  const now = ctx.kernel.clock.monotonic();
  const deadline = ctx.resumed?.deadline ?? now + readTimeout;
  return deadline <= now ? 0 : ctx.wait({ ...file.waitables({ read: true }), deadline });
}

/** Writes from `spans`, at `position` or at the file's own. A blocking call goes on until all is written. */
export function writeFrom(
  ctx: SyscallContext,
  file: OpenFile,
  spans: readonly Span[],
  position?: number,
): number | Blocked | SysError {
  if (file instanceof Socket) return sendSpans(ctx, file, spans);
  const skip = movedBefore(ctx);
  const total = lengthOf(spans);
  if (file.isStream) checkTerminalWrite(ctx, file);
  try {
    if (total === 0) return file.write(new Uint8Array(0)) ?? 0;
    const { pieces, known } = usableSpans(ctx, file, spans, { store: false, total });
    const options = { store: false, skip, position, known };
    let short = false;
    const { done, blocked } = transfer(ctx, file, pieces, options, (address, length, before) => {
      const at = position === undefined ? startOf(file) : position + before;
      const allowed = withinLimit(ctx, file, at, length);
      const taken = file.takes(allowed);
      if (taken === 0) return undefined;
      const count =
        position === undefined
          ? file.writeFrom(ctx.memory, address, taken)
          : file.writeAt(ctx.memory.peek(address, taken, buffer.subarray(0, taken)), at);
      short = count !== undefined && count < length && !fills(file);
      return count;
    });
    if (blocked || (short && done < total)) {
      return waitForRoom(ctx, file, done);
    }
    noteWritten(ctx, file);
    return done;
  } catch (error) {
    noteBrokenPipe(ctx, error);
    throw error;
  }
}

/** Waits until the rest of a transfer can be written; a descriptor in non-blocking mode is content with what has been. */
function waitForRoom(ctx: SyscallContext, file: OpenFile, done: number): number | Blocked | SysError {
  if (file.flags & O_NONBLOCK && done > 0) return done;
  return wait(ctx, file, { write: true }, done);
}

const startOf = (file: OpenFile): number =>
  file.kind === "file" && file.flags & O_APPEND ? Number(file.stat().size) : file.position;

/** preadv and pwritev give their offset as two longs, low word first; 64-bit programs in the first alone. */
function splitOffset({ abi, args }: SyscallContext, low: number): number {
  return abi.is64 ? args.position(low) : args.int(low + 1) * 2 ** 32 + args.uint(low);
}

export const RWF_SUPPORTED = 0x1f;
const RWF_NOWAIT = 0x8;
const RWF_APPEND = 0x10;

/** readv(2) and its kin: those who ask for nothing are told nothing but of their buffers. */
function readVector(ctx: SyscallContext, file: OpenFile, position?: number): number | Blocked | SysError {
  const spans = vectorArg(ctx, 1, 2);
  return lengthOf(spans) === 0 ? 0 : readInto(ctx, file, spans, position);
}
function writeVector(ctx: SyscallContext, file: OpenFile, position?: number): number | Blocked | SysError {
  const spans = vectorArg(ctx, 1, 2);
  return lengthOf(spans) === 0 ? 0 : writeFrom(ctx, file, spans, position);
}

/** preadv2 and pwritev2: offset -1 means the file's own position. */
function vectorAt(ctx: SyscallContext, write: boolean): number | Blocked | SysError {
  const flags = ctx.args.int(5);
  const offset = splitOffset(ctx, 3);
  const { file, position } =
    offset === -1
      ? { file: write ? target(ctx, 0) : source(ctx, 0), position: undefined }
      : placeArg(ctx, offset, write);
  const spans = vectorArg(ctx, 1, 2);
  if (lengthOf(spans) === 0) return 0;
  if (flags & ~RWF_SUPPORTED) throw new SysError(EOPNOTSUPP);
  if (!write) {
    if (flags & RWF_NOWAIT && !file.readable()) throw new SysError(EAGAIN);
    return readInto(ctx, file, spans, position);
  }
  if (!(flags & RWF_APPEND)) return writeFrom(ctx, file, spans, position);
  // What the call has written already before it paused is at the end by now.
  const end = Number(file.stat().size) - movedBefore(ctx);
  const done = writeFrom(ctx, file, spans, file.seekable ? end : undefined);
  if (typeof done !== "number") return done;
  if (position === undefined) file.position = end + done;
  return done;
}

/** The offset of pread64: r6, or on ppc32 the pair r7:r8, since pairs begin at odd registers. */
const alignedOffset = (ctx: SyscallContext): number => ctx.args.position(ctx.abi.is64 ? 3 : 4);

/** What a seek counts from. Throws EINVAL, whatever the file. */
function whenceArg(ctx: SyscallContext, n: number): number {
  const whence = ctx.args.uint(n);
  if (whence > SEEK_HOLE) throw new SysError(EINVAL);
  return whence;
}

function lseek(ctx: SyscallContext): bigint | number {
  const file = fileArg(ctx, 0);
  const position = file.seek(ctx.args.long(1), whenceArg(ctx, 2));
  if (!ctx.abi.is64 && position > 0x7fff_ffff) throw new SysError(EOVERFLOW);
  return position;
}

function llseek(ctx: SyscallContext): number {
  const file = fileArg(ctx, 0);
  const whence = whenceArg(ctx, 4);
  const offset = BigInt.asIntN(64, (BigInt(ctx.args.uint(1)) << 32n) | BigInt(ctx.args.uint(2)));
  const result = ctx.args.address(3);
  if (accessible(ctx.memory, result, 8, true) < 8) throw new SysError(EFAULT);
  ctx.memory.write64(result, BigInt(file.seek(offset, whence)));
  return 0;
}

/** Where nobody takes what is copied it ends with what a pipe holds, which Linux copies by. */
const PIPE_SIZE = 65536;
const isLost = (to: OpenFile): boolean => to instanceof Socket && to.connected === undefined;

/** Copies up to `count` bytes from one file to another; positions undefined are the files' own. */
function copy(
  ctx: SyscallContext,
  from: OpenFile,
  to: OpenFile,
  count: number,
  at: { from?: number; to?: number },
): number {
  let done = movedBefore(ctx);
  /** What was read and found no room. */
  const giveBack = (length: number) => {
    if (at.from === undefined) from.seek(BigInt(-length), SEEK_CUR);
  };
  while (done < count) {
    const bytes = buffer.subarray(0, Math.min(isLost(to) ? PIPE_SIZE : CHUNK, count - done));
    const got = at.from === undefined ? from.read(bytes) : from.readAt(bytes, at.from + done);
    if (got === undefined) {
      if (done > 0) return done;
      throw wait(ctx, from, { read: true });
    }
    if (got === 0) break;
    let put = 0;
    try {
      const length = withinLimit(ctx, to, at.to === undefined ? startOf(to) : at.to + done, got);
      const piece = bytes.subarray(0, length);
      put = (at.to === undefined ? to.write(piece) : to.writeAt(piece, at.to + done)) ?? 0;
    } catch (error) {
      noteBrokenPipe(ctx, error);
      giveBack(got);
      if (done === 0) throw error;
      return done;
    }
    if (done === 0 && put > 0) noteCopied(ctx, from, to);
    done += put;
    if (put < got) {
      giveBack(got - put);
      // It is tried once more, which tells what is wrong.
      if (to instanceof Socket && to.isBroken) continue;
      const room = waitForRoom(ctx, to, done);
      if (typeof room !== "number") throw room;
      return room;
    }
    if (done < count) pauseIfOverdue(ctx, done);
  }
  return done;
}

/** sendfile(2); `wide`: the offset is 64 bits whatever the ABI. */
function sendfile(ctx: SyscallContext, wide: boolean): number {
  const { memory } = ctx;
  const pointer = ctx.args.address(2);
  const size = wide || ctx.abi.is64 ? 8 : 4;
  // Where it is to begin comes before the descriptors (Linux: sys_sendfile64).
  if (pointer !== 0 && accessible(memory, pointer, size, true) < size) throw new SysError(EFAULT);
  const to = target(ctx, 0);
  const from = source(ctx, 1);
  if (!from.seekable || from.kind === "directory" || to.flags & O_APPEND) throw new SysError(EINVAL);
  if (ctx.args.isNegative(3)) throw new SysError(EINVAL);
  const count = Math.min(ctx.args.size(3), MAX_RW_COUNT);
  if (pointer === 0) return copy(ctx, from, to, count, {});
  const offset = size === 8 ? BigInt.asIntN(64, memory.read64(pointer)) : memory.read32(pointer);
  const position = positionArg(from, Number(offset));
  if (position === MAX_OFFSET) throw new SysError(EOVERFLOW);
  const done = copy(ctx, from, to, count, { from: position });
  if (size === 8) memory.write64(pointer, BigInt(position + done));
  else memory.write32(pointer, position + done);
  return done;
}

function isSameFile(from: OpenFile, to: OpenFile): boolean {
  const [one, other] = [from.stat(), to.stat()];
  return one.dev === other.dev && one.ino === other.ino;
}

/** copy_file_range(2). */
function copyFileRange(ctx: SyscallContext): number {
  const [from, to] = [fileArg(ctx, 0), fileArg(ctx, 2)];
  const pointers = [ctx.args.address(1), ctx.args.address(3)];
  const given = pointers.map((pointer) => {
    if (pointer === 0) return undefined;
    if (accessible(ctx.memory, pointer, 8, true) < 8) throw new SysError(EFAULT);
    return BigInt.asUintN(64, ctx.memory.read64(pointer));
  });
  checkFlags(ctx.args.int(5), 0);
  if (from.kind === "directory" || to.kind === "directory") throw new SysError(EISDIR);
  const isRegular = ({ kind }: OpenFile) => kind === "file" || kind === "proc";
  if (!isRegular(from) || !isRegular(to)) throw new SysError(EINVAL);
  if (!from.canRead || !to.canWrite || to.flags & O_APPEND) throw new SysError(EBADF);
  // Files of /proc are copied to no other file system.
  if (!(from instanceof RegularFile && to instanceof RegularFile)) throw new SysError(EXDEV);
  for (const [i, file] of [from, to].entries())
    if ((given[i] ?? BigInt(file.position)) + ctx.args.ulong(4) >= 2n ** 64n) throw new SysError(EOVERFLOW);
  const positions = given.map((offset, i) =>
    offset === undefined ? undefined : positionArg(i === 0 ? from : to, Number(BigInt.asIntN(64, offset))),
  );
  const [start, end] = [positions[0] ?? from.position, positions[1] ?? to.position];
  const rest = Math.max(Number(from.stat().size) - start, 0);
  const count = Math.min(ctx.args.size(4), rest, MAX_RW_COUNT);
  if (isSameFile(from, to) && start + count > end && end + count > start) throw new SysError(EINVAL);
  const done = copy(ctx, from, to, count, { from: positions[0], to: positions[1] });
  positions.forEach((position, i) => {
    if (position !== undefined && done > 0) ctx.memory.write64(pointers[i], BigInt(position + done));
  });
  return done;
}

/** readahead(2) and posix_fadvise(2): advice that is checked and needs nothing done. */
function advise(ctx: SyscallContext, length: bigint, advice: number): number {
  const file = fileArg(ctx, 0);
  if (file instanceof PipeEnd) throw new SysError(ESPIPE);
  if (length < 0n || advice < 0 || advice > 5) throw new SysError(EINVAL);
  return 0;
}

/** Counts a call that has moved so many bytes, for /proc/PID/io; one that waits is made again. */
const counting =
  (add: (usage: Usage, bytes: number) => void) =>
  <T extends SyscallResult>(ctx: SyscallContext, result: T): T => {
    if (typeof result === "number") add(ctx.process.usage, result);
    else if (!(result instanceof Blocked)) add(ctx.process.usage, 0);
    return result;
  };
const countRead = counting((usage, bytes) => {
  usage.reads++;
  usage.readBytes += bytes;
});
const countWritten = counting((usage, bytes) => {
  usage.writes++;
  usage.writtenBytes += bytes;
});

/** Whether a transfer will not wait. How much goes through several buffers is not looked at. */
const isAtHand =
  (writes: boolean, hasLength = true) =>
  (ctx: SyscallContext): boolean => {
    const file = files(ctx).descriptors.find(ctx.args.int(0));
    return file?.movesAtOnce(hasLength ? ctx.args.size(2) : Number.MAX_SAFE_INTEGER, writes) === true;
  };

export const FILE_IO_CALLS: readonly SyscallRow[] = [
  {
    name: "read",
    args: "fd ptr ulong",
    brief: isAtHand(false),
    handler: (ctx) => countRead(ctx, readInto(ctx, source(ctx, 0), bufferArg(ctx, 1, 2))),
  },
  {
    name: "write",
    args: "fd ptr ulong",
    brief: isAtHand(true),
    handler: (ctx) => countWritten(ctx, writeFrom(ctx, target(ctx, 0), bufferArg(ctx, 1, 2))),
  },
  {
    name: "readv",
    args: "fd ptr ulong",
    brief: isAtHand(false, false),
    handler: (ctx) => countRead(ctx, readVector(ctx, source(ctx, 0))),
  },
  {
    name: "writev",
    args: "fd ptr ulong",
    brief: isAtHand(true, false),
    handler: (ctx) => countWritten(ctx, writeVector(ctx, target(ctx, 0))),
  },
  {
    name: "pread64",
    args: "fd ptr ulong off64",
    brief: isAtHand(false),
    handler: (ctx) => {
      const { file, position } = placeArg(ctx, alignedOffset(ctx), false);
      return countRead(ctx, readInto(ctx, file, bufferArg(ctx, 1, 2), position));
    },
  },
  {
    name: "pwrite64",
    args: "fd ptr ulong off64",
    brief: isAtHand(true),
    handler: (ctx) => {
      const { file, position } = placeArg(ctx, alignedOffset(ctx), true);
      return countWritten(ctx, writeFrom(ctx, file, bufferArg(ctx, 1, 2), position));
    },
  },
  {
    name: "preadv",
    args: "fd ptr ulong long long",
    handler: (ctx) => {
      const { file, position } = placeArg(ctx, splitOffset(ctx, 3), false);
      return countRead(ctx, readVector(ctx, file, position));
    },
  },
  {
    name: "pwritev",
    args: "fd ptr ulong long long",
    handler: (ctx) => {
      const { file, position } = placeArg(ctx, splitOffset(ctx, 3), true);
      return countWritten(ctx, writeVector(ctx, file, position));
    },
  },
  {
    name: "preadv2",
    args: "fd ptr ulong long long hex",
    handler: (ctx) => countRead(ctx, vectorAt(ctx, false)),
  },
  {
    name: "pwritev2",
    args: "fd ptr ulong long long hex",
    handler: (ctx) => countWritten(ctx, vectorAt(ctx, true)),
  },
  { name: "lseek", args: "fd long int", brief: true, handler: lseek },
  { name: "_llseek", args: "fd hex hex ptr int", brief: true, handler: llseek },
  {
    name: "sendfile",
    args: "fd fd ptr ulong",
    handler: (ctx) => countRead(ctx, countWritten(ctx, sendfile(ctx, false))),
  },
  {
    name: "sendfile64",
    args: "fd fd ptr ulong",
    handler: (ctx) => countRead(ctx, countWritten(ctx, sendfile(ctx, true))),
  },
  {
    name: "copy_file_range",
    args: "fd ptr fd ptr ulong hex",
    handler: (ctx) => countRead(ctx, countWritten(ctx, copyFileRange(ctx))),
  },
  {
    name: "readahead",
    args: "fd off64 ulong",
    handler: (ctx) => {
      const file = source(ctx, 0);
      const isEndless = ctx.abi.is64 && ctx.args.isNegative(2);
      if (file.stat().kind !== "file" || isEndless) throw new SysError(EINVAL);
      return 0;
    },
  },
  {
    name: "fadvise64",
    args: "fd off64 ulong int",
    handler: (ctx) => advise(ctx, ctx.args.long(ctx.abi.is64 ? 2 : 4), ctx.args.int(ctx.abi.is64 ? 3 : 5)),
  },
  // On ppc32 the advice comes second, so that both pairs are aligned.
  {
    name: "fadvise64_64",
    args: "fd int off64 off64",
    handler: (ctx) => advise(ctx, ctx.args.offset64(ctx.abi.is64 ? 3 : 4), ctx.args.int(1)),
  },
];
