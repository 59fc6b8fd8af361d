/** msgget, msgsnd, msgrcv, msgctl. */
import { struct } from "../abi.ts";
import { CAP_SYS_RESOURCE, isCapable } from "../credentials.ts";
import { E2BIG, EAGAIN, EINVAL, ENOMSG, EPERM, SysError } from "../errno.ts";
import { checkAllowed, checkOwner, IPC_NOWAIT } from "../ipc/ipc-table.ts";
import { MessageQueue, MSGMAX, MSGMNB, MSGMNI } from "../ipc/message-queues.ts";
import { pointer, type SyscallContext, type SyscallRow } from "../syscall.ts";
import {
  ALTER,
  type ControlledKind,
  commandOf,
  control,
  PERM,
  permFields,
  READ,
  seconds,
  setPerm,
  timeFields,
  timeType,
} from "./sysv-common.ts";

const MSG_NOERROR = 0o10000;
const MSG_EXCEPT = 0o20000;
const MSG_COPY = 0o40000;
const MSG_STAT = 11;
const MSG_INFO = 12;
const MSG_STAT_ANY = 13;

const MSGINFO = struct({
  msgpool: "i32",
  msgmap: "i32",
  msgmax: "i32",
  msgmnb: "i32",
  msgmni: "i32",
  msgssz: "i32",
  msgtql: "i32",
  msgseg: "u16",
});
const msqidDs = (ctx: SyscallContext) =>
  struct({
    ...PERM,
    ...{ stime: timeType(ctx), rtime: timeType(ctx), ctime: timeType(ctx) },
    ...{ cbytes: "ulong", qnum: "ulong", qbytes: "ulong", lspid: "i32", lrpid: "i32" },
    unused4: ["ulong", 2],
  } as const);

export function msgget(ctx: SyscallContext): number {
  const [key, flags] = [ctx.args.int(0), ctx.args.int(1)];
  return ctx.kernel.ipc.messages.find(
    { key, flags, credentials: ctx.thread.credentials },
    () => {},
    (perm) => new MessageQueue(perm, seconds(ctx)),
  );
}

/** msgsnd(2) of a struct msgbuf at `at`. */
export function msgsnd(ctx: SyscallContext, at: number, size: bigint, flags: number): number {
  const id = ctx.args.int(0);
  const { wordSize } = ctx.abi;
  const type = BigInt.asIntN(8 * wordSize, ctx.getWord(at));
  if (size > BigInt(MSGMAX) || id < 0 || type < 1n) throw new SysError(EINVAL);
  const bytes = ctx.memory.read(at + wordSize, Number(size)).slice();
  const queue = ctx.kernel.ipc.messages.get(id, ctx.resumed !== undefined);
  checkAllowed(queue, ctx.thread.credentials, ALTER);
  if (!queue.hasRoom(bytes.length)) {
    if (flags & IPC_NOWAIT) throw new SysError(EAGAIN);
    return ctx.block({ queues: [queue.queue], restart: "nohand" });
  }
  queue.sender = ctx.process.pid;
  queue.sent = seconds(ctx);
  queue.add({ type, bytes });
  return 0;
}

/** msgrcv(2) into a struct msgbuf at `to`. */
export function msgrcv(ctx: SyscallContext, to: bigint, size: bigint, type: bigint, flags: number): number {
  const id = ctx.args.int(0);
  const copies = (flags & MSG_COPY) !== 0;
  if (id < 0 || BigInt.asIntN(8 * ctx.abi.wordSize, size) < 0n) throw new SysError(EINVAL);
  if (copies && (flags & MSG_EXCEPT || !(flags & IPC_NOWAIT))) throw new SysError(EINVAL);
  const queue = ctx.kernel.ipc.messages.get(id, ctx.resumed !== undefined);
  checkAllowed(queue, ctx.thread.credentials, READ);
  const index = copies
    ? Number(type < BigInt(queue.messages.length) ? type : -1n)
    : queue.select(type, (flags & MSG_EXCEPT) !== 0);
  const message = queue.messages[index];
  if (message === undefined) {
    if (flags & IPC_NOWAIT) throw new SysError(ENOMSG);
    return ctx.block({ queues: [queue.queue], restart: "nohand" });
  }
  if (BigInt(message.bytes.length) > size && !(flags & MSG_NOERROR)) throw new SysError(E2BIG);
  const { wordSize } = ctx.abi;
  const bytes = message.bytes.subarray(0, Number(size));
  // A message that can't be written where it is wanted is lost, as on Linux.
  if (!copies) {
    queue.take(index);
    queue.receiver = ctx.process.pid;
    queue.received = seconds(ctx);
  }
  const at = pointer(to);
  ctx.memory.checkStore(at, wordSize + bytes.length);
  ctx.putWord(at, message.type);
  ctx.memory.write(at + wordSize, bytes);
  return bytes.length;
}

const MESSAGE_QUEUES: ControlledKind<MessageQueue> = {
  table: ({ messages }) => messages,
  stat: MSG_STAT,
  info: MSG_INFO,
  statAny: MSG_STAT_ANY,
  putInfo(ctx, at, counts) {
    const all = [...ctx.kernel.ipc.messages.values()];
    const sum = (of: (queue: MessageQueue) => number) => all.reduce((total, queue) => total + of(queue), 0);
    ctx.put(MSGINFO, at, {
      msgpool: counts ? all.length : (MSGMNI * MSGMNB) / 1024,
      msgmap: counts ? sum((queue) => queue.messages.length) : MSGMNB,
      msgtql: counts ? sum(({ bytes }) => bytes) : MSGMNB,
      ...{ msgmax: MSGMAX, msgmnb: MSGMNB, msgmni: MSGMNI, msgssz: 16, msgseg: 0xffff },
    });
  },
  putStat(ctx, queue, at) {
    ctx.put(msqidDs(ctx), at, {
      ...permFields(queue),
      ...{ stime: timeFields(ctx, queue.sent), rtime: timeFields(ctx, queue.received) },
      ...{ ctime: timeFields(ctx, queue.changed), cbytes: queue.bytes, qnum: queue.messages.length },
      ...{ qbytes: queue.most, lspid: queue.sender, lrpid: queue.receiver },
    });
  },
  set(ctx, queue, at) {
    const { credentials } = ctx.thread;
    const { qbytes } = ctx.get(msqidDs(ctx), at);
    checkOwner(queue, credentials);
    if (qbytes > BigInt(MSGMNB) && !isCapable(credentials, CAP_SYS_RESOURCE)) throw new SysError(EPERM);
    setPerm(ctx, queue, at);
    queue.most = Number(qbytes > 1n << 24n ? 1n << 24n : qbytes);
    queue.queue.wake();
  },
  remove: (ctx, queue) => ctx.kernel.ipc.messages.remove(queue),
};

export function msgctl(ctx: SyscallContext, at: number): number {
  const [id, command] = [ctx.args.int(0), commandOf(ctx.args.int(1))];
  const result = control(ctx, MESSAGE_QUEUES, { id, command, at: () => at });
  if (result === undefined) throw new SysError(EINVAL);
  return result;
}

export const MESSAGE_CALLS: readonly SyscallRow[] = [
  { name: "msgget", args: "int octal", handler: msgget },
  {
    name: "msgsnd",
    args: "int ptr ulong octal",
    handler: (ctx) => msgsnd(ctx, ctx.args.address(1), ctx.args.ulong(2), ctx.args.int(3)),
  },
  {
    name: "msgrcv",
    args: "int ptr ulong long octal",
    handler: (ctx) => msgrcv(ctx, ctx.args.word(1), ctx.args.ulong(2), ctx.args.long(3), ctx.args.int(4)),
  },
  { name: "msgctl", args: "int int ptr", handler: (ctx) => msgctl(ctx, ctx.args.address(2)) },
];
