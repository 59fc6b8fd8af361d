/**
 * Asynchronous input and output (Linux: fs/aio.c). What is submitted is done at once, which the interface allows: its events stand in the ring
 * then, that a context is and that the program can read itself. So all that there is of a context is in the program's memory.
 */
import { GuestFault } from "../../cpu/fault.ts";
import { HostError } from "../../host/host.ts";
import type { AddressSpace } from "../../memory/address-space.ts";
import { PAGE_SIZE } from "../../memory/layout.ts";
import { struct } from "../abi.ts";
import { EAGAIN, EBADF, EFAULT, EINVAL, EOPNOTSUPP, errnoOf, SysError } from "../errno.ts";
import {
  pointer,
  type SyscallContext,
  type SyscallHandler,
  type SyscallResult,
  type SyscallRow,
} from "../syscall.ts";
import type { OpenFile } from "../vfs/open-file.ts";
import { readiness } from "../vfs/readiness.ts";
import { Blocked, Paused, WaitQueue } from "../wait-queue.ts";
import { openFile, type Span, spansOf } from "./files-common.ts";
import { readInto, RWF_SUPPORTED, writeFrom } from "./files-io.ts";
import { mapForKernel, unmapRange } from "./memory.ts";
import { maskArgument } from "./poll.ts";
import { readTimespec, type TimeFormat } from "./time-format.ts";

/** struct aio_ring, before the events. */
const RING = struct({
  ...{ id: "u32", nr: "u32", head: "u32", tail: "u32" },
  ...{ magic: "u32", compat: "u32", incompat: "u32", header_length: "u32" },
});
const RING_SIZE = 32;
const RING_MAGIC = 0xa10a_10a1;
/** As /proc/PID/maps has it. */
const RING_NAME = "/[aio] (deleted)";

const EVENT = struct({ data: "u64", obj: "u64", res: "i64", res2: "i64" });
const EVENT_SIZE = 32;

const BEFORE = { data: "u64" } as const;
const AFTER = {
  opcode: "u16",
  reqprio: "i16",
  fildes: "u32",
  buf: "u64",
  nbytes: "u64",
  offset: "i64",
  reserved2: "u64",
  flags: "u32",
  resfd: "u32",
} as const;
const IOCB = {
  little: struct({ ...BEFORE, key: "u32", rw_flags: "u32", ...AFTER }),
  big: struct({ ...BEFORE, rw_flags: "u32", key: "u32", ...AFTER }),
};
const iocbOf = (ctx: SyscallContext) => (ctx.abi.littleEndian ? IOCB.little : IOCB.big);
type Request = ReturnType<(typeof IOCB.little)["decode"]>;

const [PREAD, PWRITE, FSYNC, FDSYNC, POLL, PREADV, PWRITEV] = [0, 1, 2, 3, 5, 7, 8];
const FLAG_RESFD = 1;
/** /proc/sys/fs/aio-max-nr. */
const AIO_MAX = 65536n;
const MOST_EVENTS = 0x1000_0000n / BigInt(EVENT_SIZE);

const invalid = (): never => {
  throw new SysError(EINVAL);
};

interface Ring {
  readonly at: number;
  /** Places for events, of which one stays free. */
  readonly nr: number;
  readonly head: number;
  readonly tail: number;
}

const sizeOfRing = (nr: number): number => Math.ceil((RING_SIZE + nr * EVENT_SIZE) / PAGE_SIZE) * PAGE_SIZE;

/** The context that an argument means. What the program has written into the ring itself is not trusted. Throws EINVAL. */
function ringArg(ctx: SyscallContext): Ring {
  const id = ctx.args.word(0);
  const at = id < BigInt(ctx.memory.limit) ? Number(id) : 0;
  const area = ctx.memory.areas.find(at);
  if (at % PAGE_SIZE !== 0 || area?.name !== RING_NAME) return invalid();
  const { nr, head, tail, magic } = ctx.get(RING, at);
  if (magic !== RING_MAGIC || nr < 2 || at + sizeOfRing(nr) > area.end) return invalid();
  return { at, nr, head: head % nr, tail: tail % nr };
}

const countIn = ({ nr, head, tail }: Ring): number => (tail - head + nr) % nr;

/** Threads that wait for events, by their memory. */
const waiting = new WeakMap<AddressSpace, WaitQueue>();
function queueOf({ memory }: SyscallContext): WaitQueue {
  let queue = waiting.get(memory);
  if (queue === undefined) waiting.set(memory, (queue = new WaitQueue()));
  return queue;
}

const setup: SyscallHandler = (ctx) => {
  const [wanted, at] = [BigInt(ctx.args.uint(0)), ctx.args.address(1)];
  if (ctx.getWord(at) !== 0n || wanted === 0n) return invalid();
  const events = 2n * (wanted > 4n * BigInt(ctx.kernel.cpus) ? wanted : 4n * BigInt(ctx.kernel.cpus));
  if (events > MOST_EVENTS) return invalid();
  if (wanted > AIO_MAX) throw new SysError(EAGAIN);
  const size = sizeOfRing(Number(events) + 2);
  ctx.memory.checkStore(at, ctx.abi.wordSize);
  const start = mapForKernel(ctx, size, RING_NAME);
  const nr = Math.floor((size - RING_SIZE) / EVENT_SIZE);
  const empty = { id: 0, head: 0, tail: 0, compat: 1, incompat: 0 };
  ctx.put(RING, start, { ...empty, nr, magic: RING_MAGIC, header_length: RING_SIZE });
  ctx.putWord(at, start);
  return 0;
};

const destroy: SyscallHandler = (ctx) => {
  const { at, nr } = ringArg(ctx);
  unmapRange(ctx.memory, BigInt(at), BigInt(sizeOfRing(nr)));
  queueOf(ctx).wake();
  return 0;
};

// ---- requests ----------------------------------------------------------------------------------------------------

/** The buffers of a request, its own or those of its vector. Throws EINVAL, EFAULT. */
function spansFor(ctx: SyscallContext, { opcode, buf, nbytes }: Request): Span[] {
  const isVector = opcode === PREADV || opcode === PWRITEV;
  if (isVector) return nbytes > 1024n ? invalid() : spansOf(ctx, pointer(buf), Number(nbytes));
  return [{ address: nbytes === 0n ? 0 : pointer(buf), length: Number(nbytes) }];
}

/** Bytes of a request that is done in one go, however long those before it have taken. */
const AT_ONCE = 1024 * 1024;
const unhurried = (ctx: SyscallContext): SyscallContext =>
  Object.create(ctx, { isOverdue: { value: false } }) as SyscallContext;

/** What a request does, checked as far as that is done before it counts as submitted. Throws EBADF, EINVAL, EFAULT, EOPNOTSUPP. */
function prepare(ctx: SyscallContext, request: Request, file: OpenFile): () => SyscallResult {
  const { opcode, buf, nbytes, offset, rw_flags, reserved2 } = request;
  const longest = ctx.abi.is64 ? 2n ** 63n : 2n ** 31n;
  if (reserved2 !== 0n || nbytes >= longest || buf >= 2n * longest) return invalid();
  const isBare = buf === 0n && nbytes === 0n && offset === 0n && rw_flags === 0;
  switch (opcode) {
    case PREAD:
    case PREADV:
    case PWRITE:
    case PWRITEV: {
      const writes = opcode === PWRITE || opcode === PWRITEV;
      if (rw_flags & ~RWF_SUPPORTED) throw new SysError(EOPNOTSUPP);
      if (!(writes ? file.canWrite : file.canRead)) throw new SysError(EBADF);
      if (file.kind === "directory" || offset < 0n) return invalid();
      const spans = spansFor(ctx, request);
      const position = file.seekable ? Number(offset) : undefined;
      const own = spans.reduce((sum, { length }) => sum + length, 0) > AT_ONCE ? ctx : unhurried(ctx);
      return () => (writes ? writeFrom : readInto)(own, file, spans, position);
    }
    case FSYNC:
    case FDSYNC:
      if (!isBare || file.kind !== "file") return invalid();
      return () => {
        file.sync(opcode === FDSYNC);
        return 0;
      };
    case POLL: {
      // What is not so yet would have to be waited for beside the program.
      const isPlain = nbytes === 0n && offset === 0n && rw_flags === 0 && buf < 0x1_0000n;
      const found = readiness(file) & (Number(buf & 0xffffn) | 0x18);
      return !isPlain || found === 0 ? invalid() : () => found;
    }
  }
  return invalid();
}

/** What a request comes to, as its event says: a count or the number of an error below zero. Undefined where it has to wait. */
function carryOut(make: () => SyscallResult): bigint | Blocked {
  try {
    const result = make();
    if (result instanceof Blocked) return result;
    if (result instanceof SysError) return BigInt(-result.errno);
    return typeof result === "symbol" ? 0n : BigInt(result);
  } catch (error) {
    if (error instanceof SysError) return BigInt(-error.errno);
    if (error instanceof GuestFault) return BigInt(-EFAULT);
    if (error instanceof HostError) return BigInt(-errnoOf(error.code));
    throw error;
  }
}

function addEvent(ctx: SyscallContext, ring: Ring, event: { data: bigint; obj: number; res: bigint }): Ring {
  const { at, nr, tail } = ring;
  ctx.put(EVENT, at + RING_SIZE + tail * EVENT_SIZE, { ...event, res2: 0n });
  const next = (tail + 1) % nr;
  ctx.put32(at + RING.offset(ctx.abi, "tail"), next);
  return { ...ring, tail: next };
}

/** Tells an eventfd of one more event. */
function notify(ctx: SyscallContext, file: OpenFile): void {
  const one = new Uint8Array(8);
  new DataView(one.buffer).setBigUint64(0, 1n, ctx.abi.littleEndian);
  file.write(one);
}

/** Does one request; what it waits for where it can't be done at once. Throws what is wrong with it. */
function submitOne(ctx: SyscallContext, ring: Ring, at: number): Ring | Blocked {
  const layout = iocbOf(ctx);
  const request = ctx.get(layout, at);
  const file = openFile(ctx, request.fildes | 0);
  if (countIn(ring) >= ring.nr - 1) throw new SysError(EAGAIN);
  const told = request.flags & FLAG_RESFD ? openFile(ctx, request.resfd | 0) : undefined;
  if (told !== undefined && told.label !== "anon_inode:[eventfd]") return invalid();
  ctx.put32(at + layout.offset(ctx.abi, "key"), 0);
  const res = carryOut(prepare(ctx, request, file));
  if (res instanceof Blocked) return res;
  const next = addEvent(ctx, ring, { data: request.data, obj: at, res });
  if (told !== undefined) notify(ctx, told);
  return next;
}

const submit: SyscallHandler = (ctx) => {
  const { args, abi } = ctx;
  let ring = ringArg(ctx);
  const count = args.long(1);
  if (count < 0n) return invalid();
  const list = args.address(2);
  let done = 0;
  try {
    for (; done < count; done++) {
      const next = submitOne(ctx, ring, pointer(ctx.getWord(list + done * abi.wordSize)));
      // The caller makes the rest of its requests itself.
      if (next instanceof Blocked && done === 0) return next;
      if (next instanceof Blocked) break;
      ring = next;
    }
  } catch (error) {
    // A transfer that gives the host its turn begins anew, as the first of a call.
    const known = [SysError, HostError, GuestFault, Paused];
    if (done === 0 || !known.some((kind) => error instanceof kind)) throw error;
  }
  if (done > 0) queueOf(ctx).wake();
  return done;
};

/** io_cancel(2): what has been submitted is done. */
const cancel: SyscallHandler = (ctx) => {
  ctx.get(iocbOf(ctx), ctx.args.address(1));
  return invalid();
};

// ---- events ------------------------------------------------------------------------------------------------------

/** Moves up to `most` events from a ring into a program's list; how many there were. */
function take(ctx: SyscallContext, ring: Ring, most: bigint, into: number): number {
  const { at, nr } = ring;
  let [done, { head }] = [0, ring];
  for (const count = countIn(ring); done < count && done < most; done++) {
    const event = ctx.memory.read(at + RING_SIZE + head * EVENT_SIZE, EVENT_SIZE);
    ctx.memory.write(into + done * EVENT_SIZE, event);
    head = (head + 1) % nr;
  }
  if (done > 0) ctx.put32(at + RING.offset(ctx.abi, "head"), head);
  return done;
}

/** Waits for `min` events, or till a time; those that are there then. */
function getEvents(ctx: SyscallContext, format: TimeFormat, mask?: bigint): SyscallResult {
  const { args, resumed, kernel, thread } = ctx;
  const until = args.address(4);
  const timeout = until === 0 ? undefined : readTimespec(ctx, until, format);
  const ring = ringArg(ctx);
  const [least, most] = [args.long(1), args.long(2)];
  if (least < 0n || least > most) return invalid();
  const now = kernel.clock.monotonic();
  const deadline = timeout === undefined ? null : (resumed?.deadline ?? now + timeout);
  const into = args.address(3);
  const isOver = deadline !== null && deadline <= now;
  if (BigInt(countIn(ring)) >= least || isOver) {
    thread.signals.endSuspend();
    return take(ctx, ring, most, into);
  }
  if (mask !== undefined) thread.signals.suspend(mask);
  return ctx.wait({
    queues: [queueOf(ctx)],
    deadline,
    restart: mask === undefined ? "never" : "nohand",
    interrupted: () => take(ctx, ring, most, into) || undefined,
  });
}

const pgetevents =
  (format: TimeFormat): SyscallHandler =>
  (ctx) => {
    const at = ctx.args.address(5);
    if (at === 0) return getEvents(ctx, format);
    const mask = maskArgument(ctx, ctx.getWord(at), ctx.getWord(at + ctx.abi.wordSize));
    return getEvents(ctx, format, mask);
  };

export const AIO_SYSCALLS: readonly SyscallRow[] = [
  { name: "io_setup", args: "uint ptr", handler: setup },
  { name: "io_destroy", args: "hex", handler: destroy },
  { name: "io_submit", args: "hex long ptr", handler: submit },
  { name: "io_cancel", args: "hex ptr ptr", handler: cancel },
  { name: "io_getevents", args: "hex long long ptr ptr", handler: (ctx) => getEvents(ctx, "native") },
  { name: "io_pgetevents", args: "hex long long ptr ptr ptr", handler: pgetevents("native") },
  { name: "io_pgetevents_time64", args: "hex long long ptr ptr ptr", handler: pgetevents("time64") },
];
