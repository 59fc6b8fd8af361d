/** send and recv with their variants; read and write on sockets come here too. */
import { struct } from "../abi.ts";
import { EAGAIN, EINVAL, EISCONN, EMSGSIZE, ENOBUFS, EOPNOTSUPP, EPIPE, SysError } from "../errno.ts";
import type { Address } from "../net/address.ts";
import type { Sender } from "../net/inbox.ts";
import { type Received, Socket } from "../net/socket.ts";
import {
  MSG_CMSG_CLOEXEC,
  MSG_DONTWAIT,
  MSG_ERRQUEUE,
  MSG_FASTOPEN,
  MSG_NOSIGNAL,
  MSG_OOB,
  MSG_PEEK,
  MSG_TRUNC,
  MSG_WAITALL,
  MSG_WAITFORONE,
  SO_PASSCRED,
  SOCK_STREAM,
} from "../net/socket-constants.ts";
import { NetlinkSocket } from "../net/netlink-socket.ts";
import { StreamSocket } from "../net/stream-socket.ts";
import { post, senderInfo } from "../signals/post.ts";
import { SIGPIPE } from "../signals/signal-numbers.ts";
import { pointer, type SyscallContext, type SyscallRow } from "../syscall.ts";
import { IOV_MAX } from "../vfs/constants.ts";
import { CHUNK, hold, release } from "../vfs/open-file.ts";
import { accessible, bufferArg, files, movedBefore, type Span, spansOf } from "./files-common.ts";
import { findUnix } from "./sockets.ts";
import { addressBytes, isNonblocking, putAddress, socketArg, toAddress, waitAt } from "./sockets-common.ts";
import { type Control, type Given, putControl, takeControl } from "./sockets-control.ts";
import { readTimespec, type TimeFormat } from "./time-format.ts";

/** struct msghdr. */
export const MSGHDR = struct({
  msg_name: "pointer",
  msg_namelen: "i32",
  msg_iov: "pointer",
  msg_iovlen: "ulong",
  msg_control: "pointer",
  msg_controllen: "ulong",
  msg_flags: "u32",
});

const lengthOf = (spans: readonly Span[]): number => spans.reduce((sum, { length }) => sum + length, 0);

/** Bytes of the spans from `skip` on, `length` of them. Throws EFAULT where not even one can be read. */
function gather(ctx: SyscallContext, spans: readonly Span[], skip: number, length: number): Uint8Array {
  if (spans.length === 1) return ctx.memory.read(spans[0].address + skip, length);
  const bytes = new Uint8Array(length);
  let at = 0;
  let passed = 0;
  for (const span of spans) {
    const start = Math.max(0, skip - passed);
    passed += span.length;
    const count = Math.min(span.length - start, length - at);
    if (count <= 0) continue;
    bytes.set(ctx.memory.read(span.address + start, count), at);
    at += count;
  }
  return bytes;
}

/** As `gather`, for a socket that may have something to say that comes before it. */
function gatherFor(
  ctx: SyscallContext,
  socket: Socket,
  { spans, skip, length }: { spans: readonly Span[]; skip: number; length: number },
  to?: Socket | Address,
): Uint8Array {
  try {
    return gather(ctx, spans, skip, length);
  } catch (error) {
    if (skip === 0) socket.checkSend(to);
    throw error;
  }
}

/** How much of the spans from `skip` on can be stored to. Throws EFAULT where there is room and none of it can. */
function roomIn(ctx: SyscallContext, spans: readonly Span[], skip: number): number {
  let room = 0;
  let passed = 0;
  for (const span of spans) {
    const start = Math.max(0, skip - passed);
    passed += span.length;
    const wanted = Math.min(span.length - start, CHUNK);
    if (wanted <= 0) continue;
    let good: number;
    try {
      good = accessible(ctx.memory, span.address + start, wanted, true);
    } catch (error) {
      if (room > 0) return room;
      throw error;
    }
    room += good;
    if (good < span.length - start) return room;
  }
  return room;
}

function scatter(ctx: SyscallContext, spans: readonly Span[], skip: number, bytes: Uint8Array): void {
  let at = 0;
  let passed = 0;
  for (const span of spans) {
    const start = Math.max(0, skip - passed);
    passed += span.length;
    const count = Math.min(span.length - start, bytes.length - at);
    if (count <= 0) continue;
    ctx.memory.write(span.address + start, bytes.subarray(at, at + count));
    at += count;
  }
}

// ---- sending -------------------------------------------------------------------------------------------------

/** A message to be sent: where it lies, whom it is for, and what goes with it. */
interface Letter {
  readonly spans: readonly Span[];
  readonly flags: number;
  readonly to?: Uint8Array;
  readonly control?: Given;
}

/** Whether the receiver is to be told who sends though nobody has said so: one of the two has SO_PASSCRED. */
const passes = (socket: Socket, to: Socket | undefined): boolean =>
  socket.option(SO_PASSCRED) !== 0 || (to ?? socket.connected)?.option(SO_PASSCRED) === 1;

/** Whom a message goes to, where that is not who the socket is connected to. */
function recipient(
  ctx: SyscallContext,
  socket: Socket,
  bytes: Uint8Array | undefined,
): Socket | Address | undefined {
  if (bytes === undefined) return undefined;
  if (socket instanceof StreamSocket) {
    if (!socket.isUnix) return undefined;
    throw new SysError(socket.phase === "connected" ? EISCONN : EOPNOTSUPP);
  }
  const address = toAddress(ctx, socket, bytes);
  return socket.isUnix ? findUnix(ctx, socket, address) : address;
}

/** Real ids, with which Linux says who sends. */
function senderOf({ process: { pid }, thread: { credentials } }: SyscallContext): Sender {
  return { pid, uid: credentials.uid, gid: credentials.gid };
}

/** Sends a message, or all of what goes into a stream; `skip` of it has been sent before. */
function send(
  ctx: SyscallContext,
  socket: Socket,
  { spans, flags, to, control }: Letter,
  skip: number,
): number {
  const isUrgent = (flags & MSG_OOB) !== 0;
  if (isUrgent && !(socket instanceof StreamSocket && socket.hasUrgent)) throw new SysError(EOPNOTSUPP);
  // As where the system's owner has turned it off: programs connect in the ordinary way then.
  if (flags & MSG_FASTOPEN && socket instanceof StreamSocket && !socket.isUnix)
    throw new SysError(EOPNOTSUPP);
  const total = lengthOf(spans);
  const isWhole = socket.type !== SOCK_STREAM;
  if (isWhole && total > socket.longest) throw new SysError(EMSGSIZE);
  const nonblocking = isNonblocking(socket) || (flags & MSG_DONTWAIT) !== 0;
  const other = recipient(ctx, socket, to);
  const target = other instanceof Socket ? other : undefined;
  const sender = control?.sender ?? (socket.isUnix && passes(socket, target) ? senderOf(ctx) : undefined);
  if (socket.isUnix && sender !== undefined && socket.option(SO_PASSCRED)) socket.network.autobind(socket);
  if (socket instanceof NetlinkSocket) socket.autobind(ctx.process.pid);
  const time = ctx.kernel.clock.realtime();
  let done = skip;
  try {
    do {
      if (done > 0 && socket.isBroken) return done;
      // One byte at the least, for an error to show.
      const most = isWhole ? total : Math.max(1, socket.takes(CHUNK));
      const bytes = gatherFor(
        ctx,
        socket,
        { spans, skip: done, length: Math.min(total - done, most) },
        other,
      );
      // Nothing of a stream carries no descriptors.
      const files = done === 0 && (isWhole || total > 0) ? (control?.files ?? []) : [];
      for (const file of files) hold(file);
      let count: number | undefined;
      try {
        const { header, segment, via } = control ?? {};
        count = socket.send({ bytes, sender, files, time, header, segment, via }, other);
      } finally {
        // They go with the message, or stay.
        if (count === undefined) for (const file of files) release(file);
      }
      if (count === undefined) {
        const blocking = {
          nonblocking,
          timeout: socket.sendTimeout,
          done,
          other: target ?? socket.connected,
        };
        done = waitAt(ctx, socket, blocking);
        break;
      }
      done += count;
      if (isWhole) return total;
    } while (done < total);
    if (isUrgent && done > 0 && socket instanceof StreamSocket) sendUrgent(ctx, socket);
    return done;
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    const silent = error.errno !== EPIPE || (flags & MSG_NOSIGNAL) !== 0 || socket.type !== SOCK_STREAM;
    if (!silent) post(ctx.process, senderInfo(SIGPIPE, ctx.thread), ctx.thread);
    if (done > 0) return done;
    throw error;
  }
}

/** Marks what was sent last as urgent, and tells who owns the other end. */
function sendUrgent(ctx: SyscallContext, socket: StreamSocket): void {
  socket.markUrgent();
  if (socket.peer !== undefined) files(ctx).system.signals.urgent(socket.peer);
}

/** write(2) and its kin. */
export const sendSpans = (ctx: SyscallContext, socket: Socket, spans: readonly Span[]): number =>
  send(ctx, socket, { spans, flags: 0 }, movedBefore(ctx));

/** The parts of a struct msghdr at `at`. Throws EMSGSIZE for too many buffers, EFAULT, EINVAL. */
function header(ctx: SyscallContext, at: number) {
  const { msg_name, msg_namelen, msg_iov, msg_iovlen, msg_control, msg_controllen } = ctx.get(MSGHDR, at);
  const [iov, control] = [msg_iov, msg_control].map(pointer);
  if (msg_namelen < 0) throw new SysError(EINVAL);
  if (msg_iovlen > BigInt(IOV_MAX)) throw new SysError(EMSGSIZE);
  return {
    // Where no name goes or comes from nobody looks.
    name: msg_name,
    nameLength: msg_namelen,
    spans: spansOf(ctx, iov, Number(msg_iovlen)),
    control,
    controlLength: msg_controllen,
  };
}

function sendMessage(ctx: SyscallContext, socket: Socket, at: number, flags: number, skip: number): number {
  const { name, nameLength, spans, control, controlLength } = header(ctx, at);
  if (controlLength > 0x7fff_ffffn) throw new SysError(ENOBUFS);
  const given =
    controlLength === 0n || control === 0
      ? undefined
      : takeControl(ctx, socket, control, Number(controlLength));
  const to =
    name === 0n || nameLength === 0 ? undefined : addressBytes(ctx, pointer(name), Math.min(nameLength, 128));
  return send(ctx, socket, { spans, flags, to, control: given }, skip);
}

function sendto(ctx: SyscallContext): number {
  const socket = socketArg(ctx, 0);
  const [at, length] = [ctx.args.address(4), ctx.args.int(5)];
  const to = at === 0 ? undefined : addressBytes(ctx, at, length);
  return send(ctx, socket, { spans: bufferArg(ctx, 1, 2), flags: ctx.args.int(3), to }, movedBefore(ctx));
}

// ---- receiving -----------------------------------------------------------------------------------------------

/** Where a message is to go, and what came besides its bytes. */
interface Receipt {
  /** Bytes received, or with MSG_TRUNC the length of the message. */
  length: number;
  /** MSG_TRUNC, MSG_EOR. */
  flags: number;
  received: Received | undefined;
}

/**
 * Receives into the spans; `skip` bytes have come before. `use` gets what came first besides bytes: its descriptions are released after that.
 */
function receive(
  ctx: SyscallContext,
  socket: Socket,
  { spans, flags, skip }: { spans: readonly Span[]; flags: number; skip: number },
  use: (received: Received) => void = () => {},
): Receipt {
  if (flags & MSG_OOB) return receiveUrgent(ctx, socket, spans, flags);
  if (flags & MSG_ERRQUEUE) throw new SysError(socket.isUnix ? EOPNOTSUPP : EAGAIN);
  const nonblocking = isNonblocking(socket) || (flags & MSG_DONTWAIT) !== 0;
  const isStream = socket.type === SOCK_STREAM;
  const peek = (flags & MSG_PEEK) !== 0;
  const total = lengthOf(spans);
  let done = skip;
  if (isStream && total === 0) return { length: 0, flags: 0, received: undefined };
  for (;;) {
    // What is behind the mark is read by a call of its own.
    if (done > 0 && socket instanceof StreamSocket && socket.isAtMark)
      return { length: done, flags: 0, received: undefined };
    let room: number;
    try {
      room = roomIn(ctx, spans, done);
    } catch (error) {
      if (done > 0) return { length: done, flags: 0, received: undefined };
      room = roomNowhere(socket, peek, error);
    }
    let received: Received | undefined;
    try {
      received = socket.receive(room, peek);
    } catch (error) {
      // What has come counts; the error is told the next time.
      if (done === 0 || !(error instanceof SysError)) throw error;
      socket.error = error.errno;
      return { length: done, flags: 0, received: undefined };
    }
    if (received === undefined) {
      const length = waitAt(ctx, socket, { nonblocking, timeout: socket.receiveTimeout, done });
      return { length, flags: 0, received: undefined };
    }
    try {
      scatter(ctx, spans, done, received.bytes);
      if (!received.isEnd) use(received);
    } finally {
      socket.discard(received);
    }
    done += received.bytes.length;
    if (!isStream) return packetReceipt(flags, received);
    const wanted = flags & MSG_WAITALL ? total : Math.min(total, socket.leastToReceive);
    const goesOn = !peek && done < wanted && !received.isEnd && received.files.length === 0;
    if (!goesOn) return { length: done, flags: 0, received };
  }
}

/**
 * Where nothing can be stored what there is to be said comes first: nothing has come, or no more will. A message is lost with what was to
 * take it. Throws what is wrong, `fault` at the end.
 */
function roomNowhere(socket: Socket, peek: boolean, fault: unknown): number {
  const seen = socket.receive(1, true);
  if (seen !== undefined) socket.discard(seen);
  if (seen === undefined || seen.isEnd) return 1;
  const lost = socket.type === SOCK_STREAM || peek ? undefined : socket.receive(1, false);
  if (lost !== undefined) socket.discard(lost);
  throw fault;
}

/** The byte that came out of band, which is never waited for. */
function receiveUrgent(ctx: SyscallContext, socket: Socket, spans: readonly Span[], flags: number): Receipt {
  if (!(socket instanceof StreamSocket) || !socket.hasUrgent)
    throw new SysError(socket.isUnix ? EOPNOTSUPP : EINVAL);
  const byte = socket.receiveUrgent((flags & MSG_PEEK) !== 0);
  const count = Math.min(1, lengthOf(spans));
  scatter(ctx, spans, 0, byte.subarray(0, count));
  return { length: count, flags: MSG_OOB | (count === 0 ? MSG_TRUNC : 0), received: undefined };
}

function packetReceipt(flags: number, received: Received): Receipt {
  const isCut = received.length > received.bytes.length;
  const length = flags & MSG_TRUNC ? received.length : received.bytes.length;
  return { length, flags: isCut ? MSG_TRUNC : 0, received };
}

/** read(2) and its kin. */
export const receiveSpans = (ctx: SyscallContext, socket: Socket, spans: readonly Span[]): number =>
  lengthOf(spans) === 0 ? 0 : receive(ctx, socket, { spans, flags: 0, skip: movedBefore(ctx) }).length;

/** The address that recvfrom and recvmsg tell of: TCP has none to tell. */
const originOf = (socket: Socket, { received }: Receipt): Address | undefined =>
  socket instanceof StreamSocket && !socket.isUnix ? undefined : received?.from;

function recvfrom(ctx: SyscallContext): number {
  const socket = socketArg(ctx, 0);
  const options = { spans: bufferArg(ctx, 1, 2), flags: ctx.args.int(3), skip: movedBefore(ctx) };
  const receipt = receive(ctx, socket, options);
  // What is not told of is not looked at.
  if (ctx.args.word(4) === 0n) return receipt.length;
  const from = originOf(socket, receipt);
  if (from !== undefined) putAddress(ctx, from, ctx.args.address(4), ctx.args.address(5));
  else {
    const lengthAt = ctx.args.address(5);
    ctx.memory.checkLoad(lengthAt, 4);
    if (ctx.memory.read32(lengthAt) < 0) throw new SysError(EINVAL);
    ctx.put32(lengthAt, 0);
  }
  return receipt.length;
}

function receiveMessage(
  ctx: SyscallContext,
  socket: Socket,
  at: number,
  flags: number,
  skip: number,
): number {
  const { name, nameLength, spans, control, controlLength } = header(ctx, at);
  const room = control === 0 || controlLength > 0x7fff_ffffn ? 0 : Number(controlLength);
  let put: Control = { length: 0, flags: 0 };
  const closeOnExec = (flags & MSG_CMSG_CLOEXEC) !== 0;
  const receipt = receive(ctx, socket, { spans, flags, skip }, (received) => {
    put = putControl(ctx, socket, received, { at: control, room, closeOnExec });
  });
  const offset = (field: "msg_namelen" | "msg_controllen" | "msg_flags") =>
    at + MSGHDR.offset(ctx.abi, field);
  if (name !== 0n) {
    const from = originOf(socket, receipt);
    ctx.put32(offset("msg_namelen"), from === undefined ? 0 : nameLength);
    if (from !== undefined) putAddress(ctx, from, pointer(name), offset("msg_namelen"));
  }
  ctx.put32(offset("msg_flags"), receipt.flags | put.flags | (flags & MSG_CMSG_CLOEXEC));
  ctx.putWord(offset("msg_controllen"), put.length);
  return receipt.length;
}

// ---- many messages in one call -------------------------------------------------------------------------------

/** struct mmsghdr: a msghdr, and how many bytes of it were sent or received. */
const mmsghdr = (ctx: SyscallContext) => {
  const length = MSGHDR.size(ctx.abi);
  return { length, size: Math.ceil((length + 4) / ctx.abi.wordSize) * ctx.abi.wordSize };
};

/** Does one message after the other, the first of which may wait and with `all` the others too; those before are never lost. */
function several(
  ctx: SyscallContext,
  socket: Socket,
  all: boolean,
  one: (at: number, isFirst: boolean) => number,
): number {
  const at = ctx.args.address(1);
  const count = Math.min(ctx.args.uint(2), IOV_MAX);
  const { length, size } = mmsghdr(ctx);
  let done = movedBefore(ctx);
  for (; done < count; done++) {
    try {
      ctx.put32(at + done * size + length, one(at + done * size, done === 0));
    } catch (error) {
      if (!(error instanceof SysError) || done === 0) throw error;
      if (error.errno !== EAGAIN || !all) return done;
      return waitAt(ctx, socket, {
        nonblocking: isNonblocking(socket),
        timeout: socket.receiveTimeout,
        done,
      });
    }
  }
  return done;
}

function sendmmsg(ctx: SyscallContext): number {
  const socket = socketArg(ctx, 0);
  const flags = ctx.args.int(3);
  const wait = (flags & MSG_DONTWAIT) === 0;
  return several(ctx, socket, wait, (at, isFirst) =>
    sendMessage(ctx, socket, at, isFirst ? flags : flags | MSG_DONTWAIT, 0),
  );
}

/** recvmmsg(2): the time that it may take is looked at between messages only, as in Linux. */
function recvmmsg(ctx: SyscallContext, format: TimeFormat): number {
  const socket = socketArg(ctx, 0);
  const timeoutAt = ctx.args.address(4);
  const timeout = timeoutAt === 0 ? undefined : readTimespec(ctx, timeoutAt, format);
  const flags = ctx.args.int(3) & ~MSG_WAITFORONE;
  const all = (ctx.args.int(3) & (MSG_WAITFORONE | MSG_DONTWAIT)) === 0 && timeout === undefined;
  return several(ctx, socket, all, (at, isFirst) =>
    receiveMessage(ctx, socket, at, isFirst ? flags : flags | MSG_DONTWAIT, 0),
  );
}

export const SOCKET_TRANSFER_CALLS: readonly SyscallRow[] = [
  {
    name: "send",
    args: "fd ptr ulong hex",
    handler: (ctx) =>
      send(ctx, socketArg(ctx, 0), { spans: bufferArg(ctx, 1, 2), flags: ctx.args.int(3) }, movedBefore(ctx)),
  },
  { name: "sendto", args: "fd ptr ulong hex ptr int", handler: sendto },
  {
    name: "sendmsg",
    args: "fd ptr hex",
    handler: (ctx) =>
      sendMessage(ctx, socketArg(ctx, 0), ctx.args.address(1), ctx.args.int(2), movedBefore(ctx)),
  },
  { name: "sendmmsg", args: "fd ptr uint hex", handler: sendmmsg },
  {
    name: "recv",
    args: "fd ptr ulong hex",
    handler: (ctx) => {
      const options = { spans: bufferArg(ctx, 1, 2), flags: ctx.args.int(3), skip: movedBefore(ctx) };
      return receive(ctx, socketArg(ctx, 0), options).length;
    },
  },
  { name: "recvfrom", args: "fd ptr ulong hex ptr ptr", handler: recvfrom },
  {
    name: "recvmsg",
    args: "fd ptr hex",
    handler: (ctx) =>
      receiveMessage(ctx, socketArg(ctx, 0), ctx.args.address(1), ctx.args.int(2), movedBefore(ctx)),
  },
  { name: "recvmmsg", args: "fd ptr uint hex ptr", handler: (ctx) => recvmmsg(ctx, "native") },
  { name: "recvmmsg_time64", args: "fd ptr uint hex ptr", handler: (ctx) => recvmmsg(ctx, "time64") },
];
