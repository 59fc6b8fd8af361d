/** mq_open and the other calls on POSIX message queues. */
import { decodeName } from "../../host/names.ts";
import { struct } from "../abi.ts";
import {
  CAP_DAC_OVERRIDE,
  CAP_DAC_READ_SEARCH,
  CAP_FOWNER,
  CAP_SYS_RESOURCE,
  isCapable,
} from "../credentials.ts";
import {
  EACCES,
  EAGAIN,
  EBADF,
  EBUSY,
  EEXIST,
  EINVAL,
  EMSGSIZE,
  ENOENT,
  ENOSPC,
  EPERM,
  ETIMEDOUT,
  SysError,
} from "../errno.ts";
import {
  COOKIE_SIZE,
  NOTIFY_WOKENUP,
  type PosixQueue,
  QueueFile,
  type QueueNotice,
  tellThread,
} from "../ipc/posix-queues.ts";
import { NetlinkSocket } from "../net/netlink-socket.ts";
import { signalInfo } from "../signals/pending.ts";
import { post } from "../signals/post.ts";
import { SIGEV_NONE, SIGEV_SIGNAL, SIGEV_THREAD } from "../signals/process-timers.ts";
import { isSignal, SI_MESGQ } from "../signals/signal-numbers.ts";
import { pointer, type SyscallContext, type SyscallHandler, type SyscallRow } from "../syscall.ts";
import type { Thread } from "../thread.ts";
import { O_ACCMODE, O_CLOEXEC, O_CREAT, O_EXCL, O_NONBLOCK, O_RDONLY, O_WRONLY } from "../vfs/constants.ts";
import { fileArg, files, install, openFile } from "./files-common.ts";
import { socketOf } from "./sockets-common.ts";
import { readTimespec, type TimeFormat } from "./time-format.ts";
import { SIGEVENT } from "./timers.ts";

/** /proc/sys/fs/mqueue: what a queue has by default and at most, and what the superuser's may have; queues. */
const DEFAULT = { messages: 10, size: 8192 };
const HARD = { messages: 65536, size: 1 << 24 };
const MOST_BYTES = 1 << 26;
const QUEUES_MAX = 256;
const MQ_PRIO_MAX = 32768;
const NAME_MAX = 255;

const MQ_ATTR = struct({
  mq_flags: "long",
  mq_maxmsg: "long",
  mq_msgsize: "long",
  mq_curmsgs: "long",
  reserved: ["long", 4],
});

/** The name of a queue. Throws ENOENT, EACCES, ENAMETOOLONG. */
function nameArg(ctx: SyscallContext): string {
  const name = decodeName(ctx.cString(ctx.args.address(0), NAME_MAX + 1));
  if (name === "") throw new SysError(ENOENT);
  if (name.includes("/") || name === "." || name === "..") throw new SysError(EACCES);
  return name;
}

function isAllowed({ credentials }: Thread, queue: PosixQueue, wanted: number): boolean {
  const { fsuid, fsgid, groups } = credentials;
  const overrides = CAP_DAC_OVERRIDE | (wanted === 4 ? CAP_DAC_READ_SEARCH : 0n);
  if (isCapable(credentials, overrides)) return true;
  const isMember = [fsgid, ...groups].includes(queue.gid);
  const shift = fsuid === queue.uid ? 6 : isMember ? 3 : 0;
  return ((queue.mode >> shift) & wanted) === wanted;
}

function make(ctx: SyscallContext, name: string): PosixQueue {
  const task = files(ctx);
  const { credentials } = ctx.thread;
  const at = ctx.args.address(3);
  let { messages, size } = DEFAULT;
  if (at !== 0) {
    const { mq_maxmsg, mq_msgsize } = ctx.get(MQ_ATTR, at);
    const most = isCapable(credentials, CAP_SYS_RESOURCE) ? HARD : DEFAULT;
    const fits = mq_maxmsg > 0n && mq_msgsize > 0n;
    if (!fits || mq_maxmsg > BigInt(most.messages) || mq_msgsize > BigInt(most.size))
      throw new SysError(EINVAL);
    messages = Number(mq_maxmsg);
    size = Number(mq_msgsize);
    if (messages * size > MOST_BYTES) throw new SysError(EINVAL);
  }
  if (task.system.queues.size >= QUEUES_MAX) throw new SysError(ENOSPC);
  const { fsuid: uid, fsgid: gid } = credentials;
  const mode = ctx.args.uint(2) & 0o777 & ~task.umask;
  return task.system.queues.make({ name, mode, uid, gid, maxMessages: messages, messageSize: size });
}

function open(ctx: SyscallContext): number {
  const name = nameArg(ctx);
  const flags = ctx.args.int(1);
  const { queues } = files(ctx).system;
  let queue = queues.find(name);
  if (queue === undefined) {
    if (!(flags & O_CREAT)) throw new SysError(ENOENT);
    queue = make(ctx, name);
  } else {
    if (flags & O_CREAT && flags & O_EXCL) throw new SysError(EEXIST);
    const access = flags & O_ACCMODE;
    if (access === O_ACCMODE) throw new SysError(EINVAL);
    const wanted = access === O_RDONLY ? 4 : access === O_WRONLY ? 2 : 6;
    if (!isAllowed(ctx.thread, queue, wanted)) throw new SysError(EACCES);
  }
  return install(ctx, new QueueFile(queues, queue, flags), (flags & O_CLOEXEC) !== 0);
}

function unlink(ctx: SyscallContext): number {
  const { queues } = files(ctx).system;
  const queue = queues.find(nameArg(ctx));
  if (queue === undefined) throw new SysError(ENOENT);
  const { credentials } = ctx.thread;
  // The directory of queues is sticky.
  if (credentials.fsuid !== queue.uid && !isCapable(credentials, CAP_FOWNER)) throw new SysError(EPERM);
  queues.unlink(queue);
  return 0;
}

/** The queue of a descriptor argument. Throws EBADF, also for one that isn't open that way. */
function queueArg(ctx: SyscallContext, way: "read" | "write" | undefined): QueueFile {
  const file = fileArg(ctx, 0);
  const isOpen = way === "read" ? file.canRead : way === "write" ? file.canWrite : true;
  if (!(file instanceof QueueFile) || !isOpen) throw new SysError(EBADF);
  return file;
}

/** When a wait ends, by the absolute time of CLOCK_REALTIME that the last argument points to. */
function deadlineOf(ctx: SyscallContext, format: TimeFormat): bigint | null {
  const at = ctx.args.address(4);
  if (at === 0) return null;
  const { clock } = ctx.kernel;
  const time = readTimespec(ctx, at, format);
  return ctx.resumed?.deadline ?? clock.monotonic() + time - clock.realtime();
}

/** Waits for a change, as one of `receivers` where these are given. */
function wait(ctx: SyscallContext, file: QueueFile, deadline: bigint | null, receivers?: Set<Thread>): never {
  if (file.flags & O_NONBLOCK) throw new SysError(EAGAIN);
  if (deadline !== null && deadline <= ctx.kernel.clock.monotonic()) throw new SysError(ETIMEDOUT);
  receivers?.add(ctx.thread);
  const abandoned = () => void receivers?.delete(ctx.thread);
  return ctx.block({ queues: [file.posix.queue], deadline, abandoned });
}

/** Tells whoever asked for it that a message has come to an empty queue; once. */
function notify(ctx: SyscallContext, queue: PosixQueue): void {
  const { notice } = queue;
  if (notice === undefined) return;
  queue.notice = undefined;
  tellThread(notice, NOTIFY_WOKENUP);
  const target = ctx.kernel.processes.get(notice.pid);
  if (target === undefined || notice.kind !== SIGEV_SIGNAL || notice.signal === 0) return;
  const { pid } = ctx.process;
  const { uid } = ctx.thread.credentials;
  post(target, signalInfo(notice.signal, SI_MESGQ, { pid, uid, value: notice.value }));
}

const send =
  (format: TimeFormat): SyscallHandler =>
  (ctx) => {
    const { args } = ctx;
    const [length, priority] = [args.size(2), args.uint(3)];
    if (priority >= MQ_PRIO_MAX) throw new SysError(EINVAL);
    const deadline = deadlineOf(ctx, format);
    const file = queueArg(ctx, "write");
    const { posix } = file;
    if (length > posix.messageSize) throw new SysError(EMSGSIZE);
    const bytes = ctx.memory.read(args.address(1), length).slice();
    if (posix.isFull) return wait(ctx, file, deadline);
    const isFirst = posix.messages.length === 0 && !posix.isAwaited;
    posix.add({ priority, bytes });
    if (isFirst) notify(ctx, posix);
    return 0;
  };

const receive =
  (format: TimeFormat): SyscallHandler =>
  (ctx) => {
    const { args, thread } = ctx;
    const deadline = deadlineOf(ctx, format);
    const file = queueArg(ctx, "read");
    const { posix } = file;
    posix.receivers.delete(thread);
    if (args.size(2) < posix.messageSize) throw new SysError(EMSGSIZE);
    const [first] = posix.messages;
    if (first === undefined) return wait(ctx, file, deadline, posix.receivers);
    // A message that can't be stored is gone all the same.
    posix.take();
    ctx.memory.write(args.address(1), first.bytes);
    if (args.address(3) !== 0) ctx.put32(args.address(3), first.priority);
    return first.bytes.length;
  };

/**
 * SIGEV_THREAD: the cookie at `value`, which the netlink socket `fd` is to send; waits while that is full. Throws EFAULT, EBADF,
 * ENOTSOCK, EINVAL.
 */
function threadNotice(ctx: SyscallContext, value: bigint, fd: number): QueueNotice["thread"] {
  const cookie = ctx.memory.read(pointer(value), COOKIE_SIZE).slice();
  const socket = socketOf(openFile(ctx, fd));
  if (!(socket instanceof NetlinkSocket)) throw new SysError(EINVAL);
  if (socket.inbox.weight > socket.receiveBuffer)
    return ctx.block({ queues: [socket.queue], deadline: null });
  return { socket, cookie };
}

function mqNotify(ctx: SyscallContext): number {
  const at = ctx.args.address(1);
  const event = at === 0 ? undefined : ctx.get(SIGEVENT, at);
  if (event !== undefined) {
    if (![SIGEV_NONE, SIGEV_SIGNAL, SIGEV_THREAD].includes(event.notify)) throw new SysError(EINVAL);
    // Number 0 tells nobody.
    if (event.notify === SIGEV_SIGNAL && event.signo !== 0 && !isSignal(event.signo))
      throw new SysError(EINVAL);
  }
  const thread = event?.notify === SIGEV_THREAD ? threadNotice(ctx, event.value, event.signo) : undefined;
  const { posix } = queueArg(ctx, undefined);
  const { pid } = ctx.process;
  if (event === undefined) {
    posix.forget(pid);
    return 0;
  }
  const isTaken = posix.notice !== undefined && ctx.kernel.processes.has(posix.notice.pid);
  if (isTaken) throw new SysError(EBUSY);
  const signal = event.notify === SIGEV_SIGNAL ? event.signo : 0;
  posix.notice = { pid, kind: event.notify, signal, value: event.value, thread };
  return 0;
}

function getsetattr(ctx: SyscallContext): number {
  const [next, old] = [ctx.args.address(1), ctx.args.address(2)];
  const given = next === 0 ? undefined : ctx.get(MQ_ATTR, next).mq_flags;
  if (given !== undefined && given & ~BigInt(O_NONBLOCK)) throw new SysError(EINVAL);
  const file = queueArg(ctx, undefined);
  const { maxMessages, messageSize, messages } = file.posix;
  const before = file.flags & O_NONBLOCK;
  if (given !== undefined) file.flags = (file.flags & ~O_NONBLOCK) | Number(given);
  if (old !== 0) {
    const sizes = { mq_maxmsg: maxMessages, mq_msgsize: messageSize, mq_curmsgs: messages.length };
    ctx.put(MQ_ATTR, old, { mq_flags: before, ...sizes });
  }
  return 0;
}

export const MQUEUE_SYSCALLS: readonly SyscallRow[] = [
  { name: "mq_open", args: "str octal octal ptr", handler: open },
  { name: "mq_unlink", args: "str", handler: unlink },
  { name: "mq_timedsend", args: "fd ptr ulong uint ptr", handler: send("native") },
  { name: "mq_timedsend_time64", args: "fd ptr ulong uint ptr", handler: send("time64") },
  { name: "mq_timedreceive", args: "fd ptr ulong ptr ptr", handler: receive("native") },
  { name: "mq_timedreceive_time64", args: "fd ptr ulong ptr ptr", handler: receive("time64") },
  { name: "mq_notify", args: "fd ptr", handler: mqNotify },
  { name: "mq_getsetattr", args: "fd ptr ptr", handler: getsetattr },
];
