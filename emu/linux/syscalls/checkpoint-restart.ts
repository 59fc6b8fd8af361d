/**
 * The two system calls of linux-cr, checkpoint(pid, fd, flags) and restart(crid, fd, flags). Later kernels gave their
 * numbers to others, so a machine has them only where it is told their numbers.
 */
import { CR0_SO } from "../../cpu/registers.ts";
import { joined } from "../../joined.ts";
import type { MachineSnapshot, ThreadSnapshot } from "../../snapshot.ts";
import { isVectored } from "../call-return.ts";
import { EAGAIN, EBADF, EINVAL, ENOSYS, ESRCH, SysError } from "../errno.ts";
import type { SyscallContext, SyscallRow } from "../syscall.ts";
import type { OpenFile } from "../vfs/open-file.ts";
import { fileArg } from "./files-common.ts";

/** What makes images of snapshots and reads them back; `cr/` does, the personality only carries the bytes. */
export interface Checkpointer {
  /** The image, in pieces. Throws when the state can't be written as it should be. */
  write(snapshot: MachineSnapshot, caller: CheckpointCaller): Uint8Array[];
  /** Throws when the bytes are no sound image. */
  read(bytes: Uint8Array): MachineSnapshot;
}

/** Who asks for an image of itself. */
export interface CheckpointCaller {
  /** The thread that makes the call, which is over in the snapshot. */
  tid: number;
  /** Its first argument. */
  argument: bigint;
  /** The description the image will be written to: index in `openFiles`. */
  openFile: number;
}

export interface CrSyscalls {
  checkpoint: number;
  restart: number;
  images: Checkpointer;
  /** The machine as it is, the calling thread at its `sc`. */
  freeze(ctx: SyscallContext): MachineSnapshot;
  /** Has the machine go on from a snapshot instead. Throws when it can't. */
  replace(snapshot: MachineSnapshot): void;
}

const MAX_IMAGE = 2 ** 33;
const CHUNK = 1 << 20;

/** The calls by number. */
export function crSyscallRows(calls: CrSyscalls): ReadonlyMap<number, SyscallRow> {
  // Linux counts the images made since it booted; the number is checkpoint's result.
  let count = 0;
  const checkpoint = (ctx: SyscallContext): number => {
    if (ctx.args.ulong(2) !== 0n) throw new SysError(EINVAL);
    const file = fileArg(ctx, 1);
    if (!file.canWrite) throw new SysError(EBADF);
    if (!ctx.kernel.processes.has(ctx.args.int(0))) throw new SysError(ESRCH);
    const { tid } = ctx.thread;
    const snapshot = calls.freeze(ctx);
    completeCall(snapshot, tid, isVectored(ctx.thread));
    const { descriptors } = snapshot.processes.find(({ pid }) => pid === ctx.process.pid)!;
    const { openFile } = descriptors.find(({ fd }) => fd === ctx.args.int(1))!;
    for (const piece of encode(ctx, snapshot, { tid, openFile, argument: ctx.args.word(0) })) {
      writeAll(file, piece);
    }
    return ++count;
  };
  const encode = (ctx: SyscallContext, snapshot: MachineSnapshot, caller: CheckpointCaller) => {
    try {
      return calls.images.write(snapshot, caller);
    } catch (error) {
      ctx.kernel.host.warn(`checkpoint: ${(error as Error).message}`);
      throw new SysError(refusal(snapshot));
    }
  };
  const restart = (ctx: SyscallContext): number => {
    if (ctx.args.ulong(2) !== 0n) throw new SysError(EINVAL);
    const file = fileArg(ctx, 1);
    if (ctx.args.int(0) !== ctx.process.pid) throw new SysError(EINVAL);
    if (!file.canRead) throw new SysError(EBADF);
    const bytes = readAll(file);
    try {
      calls.replace(calls.images.read(bytes));
    } catch (error) {
      ctx.kernel.host.warn(`restart: ${(error as Error).message}`);
      throw new SysError(EINVAL);
    }
    // The machine goes on as what the image holds; this call never comes back.
    return ctx.block({});
  };
  return new Map<number, SyscallRow>([
    [calls.checkpoint, { name: "checkpoint", args: "int fd hex", handler: checkpoint }],
    [calls.restart, { name: "restart", args: "int fd hex", handler: restart }],
  ]);
}

/** What linux-cr answers when it can't write a state: it looks at mappings first, then at descriptors. */
function refusal({ processes, openFiles }: MachineSnapshot): number {
  const shares = processes.some(({ memory }) => memory.areas.some((area) => area.sharedObject !== null));
  const odd = openFiles.some(({ kind, deleted }) => deleted || (kind !== "file" && kind !== "directory"));
  return odd && !shares ? EBADF : ENOSYS;
}

/** Lets the thread's call be over in the snapshot, with the result 0 that a restarted program sees. */
function completeCall(snapshot: MachineSnapshot, tid: number, vectored: boolean): void {
  const threads = snapshot.processes.flatMap((process): ThreadSnapshot[] => process.threads);
  const thread = threads.find((candidate) => candidate.tid === tid)!;
  const { registers } = thread;
  registers.gpr[3] = 0n;
  registers.nia += 4n;
  if (vectored) {
    registers.lr = registers.nia;
    registers.ctr = registers.msr;
  } else registers.cr = (registers.cr & ~CR0_SO) >>> 0;
  registers.instructions += 1n;
  snapshot.instructions += 1n;
  thread.blocked = null;
}

function writeAll(file: OpenFile, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) {
    const count = file.write(bytes.subarray(done));
    if (count === undefined) throw new SysError(EAGAIN);
    done += count;
  }
}

/** The rest of a file from its position. */
function readAll(file: OpenFile): Uint8Array {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const piece = new Uint8Array(CHUNK);
    const count = file.read(piece);
    if (count === undefined) throw new SysError(EAGAIN);
    if (count === 0) break;
    pieces.push(piece.subarray(0, count));
    length += count;
    if (length > MAX_IMAGE) throw new SysError(EINVAL);
  }
  return joined(pieces);
}
