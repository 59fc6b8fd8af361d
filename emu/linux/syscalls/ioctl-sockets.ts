/** Requests of ioctl(2) about what is on its way to and from sockets (tcp(7), unix(7)). */
import { ENOTTY, EOPNOTSUPP, SysError } from "../errno.ts";
import { NetlinkSocket } from "../net/netlink-socket.ts";
import type { Socket } from "../net/socket.ts";
import { IPPROTO_TCP, SOCK_STREAM } from "../net/socket-constants.ts";
import { StreamSocket } from "../net/stream-socket.ts";
import type { SyscallContext } from "../syscall.ts";
import { interfaceCall } from "./ioctl-interfaces.ts";
import { ior } from "./ioctl-numbers.ts";

/** SIOCINQ, which is FIONREAD, and SIOCOUTQ, which is TIOCOUTQ. */
export const FIONREAD = ior("f", 127, 4);
const SIOCOUTQ = ior("t", 115, 4);
/** What of it has not even been sent once. */
const SIOCOUTQNSD = 0x894b;
const SIOCATMARK = 0x8905;

/** Whether the next byte is the urgent one. */
function atMark(socket: Socket): number {
  const { isUnix, type } = socket;
  if (!(socket instanceof StreamSocket) || type !== SOCK_STREAM)
    throw new SysError(isUnix ? EOPNOTSUPP : ENOTTY);
  return !isUnix && socket.isAtMark ? 1 : 0;
}

/** The number that a request asks for; undefined where it is about something else. */
function told(socket: Socket, command: number): number | undefined {
  const isNetlink = socket instanceof NetlinkSocket;
  if (command === SIOCATMARK) return atMark(socket);
  if (command === FIONREAD && !isNetlink) return Math.min(socket.available(), 0x7fff_ffff);
  const isAboutSending = command === SIOCOUTQ || (command === SIOCOUTQNSD && socket.protocol === IPPROTO_TCP);
  return isAboutSending && !isNetlink ? socket.unsent : undefined;
}

/** Does what a socket is asked. Throws ENOTTY where it knows nothing of that. */
export function socketCall(ctx: SyscallContext, socket: Socket, command: number): number {
  const value = told(socket, command);
  if (value === undefined) return interfaceCall(ctx, socket, command);
  ctx.put32(ctx.args.address(2), value);
  return 0;
}
