/** splice, tee, vmsplice: bytes between pipes and other files (Linux: fs/splice.c). */
import { EAGAIN, EBADF, EFAULT, EINVAL, ESPIPE, SysError } from "../errno.ts";
import type { SyscallContext, SyscallRow } from "../syscall.ts";
import { MAX_OFFSET, O_APPEND, O_NONBLOCK } from "../vfs/constants.ts";
import { CHUNK, type OpenFile } from "../vfs/open-file.ts";
import { PipeEnd } from "../vfs/pipe.ts";
import { accessible, checkFlags, fileArg, noteBrokenPipe, noteCopied, vectorArg } from "./files-common.ts";

const SPLICE_F_NONBLOCK = 2;
/** MOVE, NONBLOCK, MORE, GIFT. */
const SPLICE_KNOWN = 0xf;

const isPipe = (file: OpenFile): file is PipeEnd => file instanceof PipeEnd;

/** Waits until something changes at `file`; a call that is not to wait fails with EAGAIN, one that has moved something is done. */
function waitAt(ctx: SyscallContext, file: OpenFile, flags: number): never {
  if (flags & SPLICE_F_NONBLOCK || file.flags & O_NONBLOCK) throw new SysError(EAGAIN);
  return ctx.block(file.waitables());
}

/** The position that a loff_t pointer argument says; undefined where the file's own is meant. Throws ESPIPE, EFAULT, EINVAL. */
function positionAt(ctx: SyscallContext, file: OpenFile, pointer: number): number | undefined {
  if (pointer === 0) return undefined;
  if (isPipe(file) || !file.seekable) throw new SysError(ESPIPE);
  if (accessible(ctx.memory, pointer, 8, true) < 8) throw new SysError(EFAULT);
  const offset = BigInt.asIntN(64, ctx.memory.read64(pointer));
  if (offset < 0n || offset > BigInt(MAX_OFFSET)) throw new SysError(EINVAL);
  return Number(offset);
}

/** Out of a pipe into any file: what is there, until it is all moved or the file takes no more. */
function drain(
  ctx: SyscallContext,
  pipe: PipeEnd,
  to: OpenFile,
  length: number,
  flags: number,
  at?: number,
): number {
  let done = 0;
  while (done < length) {
    const bytes = pipe.pipe.peek(Math.min(CHUNK, length - done));
    if (bytes.length === 0) {
      if (done > 0 || pipe.pipe.writers === 0) break;
      return waitAt(ctx, pipe, flags);
    }
    let count: number | undefined;
    try {
      count = at === undefined ? to.write(bytes) : to.writeAt(bytes, at + done);
    } catch (error) {
      noteBrokenPipe(ctx, error);
      if (done > 0) break;
      throw error;
    }
    if (count === undefined) {
      if (done > 0) break;
      return waitAt(ctx, to, flags);
    }
    pipe.pipe.drop(count);
    done += count;
  }
  return done;
}

/** From any file into a pipe, as much as there is room for. */
function fill(
  ctx: SyscallContext,
  from: OpenFile,
  pipe: PipeEnd,
  length: number,
  flags: number,
  at?: number,
): number {
  const { room, readers } = pipe.pipe;
  // Linux finds out that nobody reads when it puts a buffer there.
  if (readers === 0) pipe.write(new Uint8Array(1));
  if (room === 0) return waitAt(ctx, pipe, flags);
  const bytes = new Uint8Array(Math.min(length, room));
  const count = at === undefined ? from.read(bytes) : from.readAt(bytes, at);
  if (count === undefined) return waitAt(ctx, from, flags);
  return pipe.pipe.put(bytes.subarray(0, count));
}

function splice(ctx: SyscallContext): number {
  const { args } = ctx;
  const length = args.size(4);
  const flags = args.uint(5);
  if (length === 0) return 0;
  checkFlags(flags, SPLICE_KNOWN);
  const [from, to] = [fileArg(ctx, 0), fileArg(ctx, 2)];
  if (!from.canRead || !to.canWrite) throw new SysError(EBADF);
  const pointers = [args.address(1), args.address(3)];
  const [start, end] = [positionAt(ctx, from, pointers[0]), positionAt(ctx, to, pointers[1])];
  if (from.kind === "directory" || (!isPipe(to) && to.flags & O_APPEND)) throw new SysError(EINVAL);
  if (isPipe(from) && isPipe(to) && from.pipe === to.pipe) throw new SysError(EINVAL);
  try {
    let done: number;
    if (isPipe(from)) done = drain(ctx, from, to, length, flags, end);
    else if (isPipe(to)) done = fill(ctx, from, to, length, flags, start);
    else throw new SysError(EINVAL);
    if (done > 0) noteCopied(ctx, from, to);
    if (start !== undefined) ctx.memory.write64(pointers[0], BigInt(start + done));
    if (end !== undefined) ctx.memory.write64(pointers[1], BigInt(end + done));
    return done;
  } catch (error) {
    if (!isPipe(from)) noteBrokenPipe(ctx, error);
    throw error;
  }
}

function tee(ctx: SyscallContext): number {
  const length = ctx.args.size(2);
  const flags = ctx.args.uint(3);
  checkFlags(flags, SPLICE_KNOWN);
  if (length === 0) return 0;
  const [from, to] = [fileArg(ctx, 0), fileArg(ctx, 1)];
  if (!from.canRead || !to.canWrite) throw new SysError(EBADF);
  if (!isPipe(from) || !isPipe(to) || from.pipe === to.pipe) throw new SysError(EINVAL);
  if (from.pipe.size === 0) return from.pipe.writers === 0 ? 0 : waitAt(ctx, from, flags);
  try {
    if (to.pipe.readers === 0) to.write(new Uint8Array(1));
  } catch (error) {
    noteBrokenPipe(ctx, error);
    throw error;
  }
  if (to.pipe.room === 0) return waitAt(ctx, to, flags);
  return to.pipe.put(from.pipe.peek(Math.min(length, to.pipe.room)));
}

function vmsplice(ctx: SyscallContext): number {
  const flags = ctx.args.uint(3);
  checkFlags(flags, SPLICE_KNOWN);
  const end = fileArg(ctx, 0);
  if (!isPipe(end)) throw new SysError(EBADF);
  const spans = vectorArg(ctx, 1, 2).filter(({ length }) => length > 0);
  let done = 0;
  for (const { address, length } of spans) {
    let moved: number | undefined;
    try {
      if (end.canWrite) {
        const good = accessible(ctx.memory, address, Math.min(length, Math.max(end.pipe.room, 1)), false);
        moved = end.write(ctx.memory.read(address, good));
      } else {
        const good = accessible(ctx.memory, address, Math.min(length, Math.max(end.pipe.size, 1)), true);
        const bytes = new Uint8Array(good);
        moved = end.read(bytes);
        if (moved !== undefined) ctx.memory.write(address, bytes.subarray(0, moved));
      }
    } catch (error) {
      noteBrokenPipe(ctx, error);
      if (done > 0) return done;
      throw error;
    }
    if (moved === undefined) return done > 0 ? done : waitAt(ctx, end, flags);
    done += moved;
    if (moved < length) break;
  }
  return done;
}

export const SPLICE_CALLS: readonly SyscallRow[] = [
  { name: "splice", args: "fd ptr fd ptr ulong hex", handler: splice },
  { name: "tee", args: "fd fd ulong hex", handler: tee },
  { name: "vmsplice", args: "fd ptr ulong hex", handler: vmsplice },
];
