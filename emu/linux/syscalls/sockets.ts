/** socket, bind, connect and what else is done with sockets but to send and receive. */

import { HostError } from "../../host/host.ts";
import { decodeName } from "../../host/names.ts";
import { CAP_NET_BIND_SERVICE, isCapable } from "../credentials.ts";
import {
  EACCES,
  EADDRINUSE,
  EAFNOSUPPORT,
  EALREADY,
  ECONNREFUSED,
  EFAULT,
  EINPROGRESS,
  EINVAL,
  ENOTCONN,
  EOPNOTSUPP,
  EPERM,
  EPROTONOSUPPORT,
  EPROTOTYPE,
  ESOCKTNOSUPPORT,
  SysError,
} from "../errno.ts";
import {
  type Address,
  anyAddress,
  isAbstract,
  isAny,
  loopback,
  netlinkAddress,
  UNNAMED,
} from "../net/address.ts";
import { DatagramSocket } from "../net/datagram-socket.ts";
import { NetlinkSocket } from "../net/netlink-socket.ts";
import type { Socket } from "../net/socket.ts";
import {
  AF_INET,
  AF_INET6,
  AF_NETLINK,
  AF_PACKET,
  AF_XDP,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  NETLINK_GENERIC,
  NETLINK_KOBJECT_UEVENT,
  NETLINK_ROUTE,
  NETLINK_SOCK_DIAG,
  AF_UNIX,
  IPPROTO_IP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPPROTO_UDPLITE,
  SHUT_RD,
  SHUT_RDWR,
  SO_PASSCRED,
  SOCK_DGRAM,
  SOCK_MAX,
  SOCK_RAW,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SOCK_TYPE_MASK,
} from "../net/socket-constants.ts";
import { StreamSocket } from "../net/stream-socket.ts";
import type { SyscallContext, SyscallRow } from "../syscall.ts";
import { AT_FDCWD, O_CLOEXEC, O_CREAT, O_EXCL, O_NONBLOCK, O_WRONLY } from "../vfs/constants.ts";
import { fileKey } from "../vfs/folder.ts";
import { exists } from "../vfs/location.ts";
import { release } from "../vfs/open-file.ts";
import { MAY_WRITE } from "../vfs/permissions.ts";
import { accessible, checkFlags, files, install } from "./files-common.ts";
import {
  addressBytes,
  callerOf,
  isNonblocking,
  isUnspecified,
  putAddress,
  socketArg,
  toAddress,
  toOwnAddress,
  waitAt,
} from "./sockets-common.ts";

const SOCK_CLOEXEC = O_CLOEXEC;
const SOCK_NONBLOCK = O_NONBLOCK;

/** What socket(2) makes for the internet: the protocols of each type. 0 stands for the first. */
const INTERNET = new Map([
  [SOCK_STREAM, [IPPROTO_TCP]],
  [SOCK_DGRAM, [IPPROTO_UDP, IPPROTO_UDPLITE]],
]);

const NETLINK_PROTOCOLS = [NETLINK_ROUTE, NETLINK_SOCK_DIAG, NETLINK_KOBJECT_UEVENT, NETLINK_GENERIC];

/** The type and protocol that socket(2)'s arguments mean. Throws EAFNOSUPPORT, ESOCKTNOSUPPORT, EPROTONOSUPPORT, EINVAL, EPERM, EACCES. */
function kindOf(domain: number, given: number, protocol: number): { type: number; protocol: number } {
  const type = given & SOCK_TYPE_MASK;
  checkFlags(given & ~SOCK_TYPE_MASK, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (type >= SOCK_MAX) throw new SysError(EINVAL);
  if (domain === AF_UNIX) {
    if (protocol !== 0 && protocol !== AF_UNIX) throw new SysError(EPROTONOSUPPORT);
    // SOCK_RAW has always meant SOCK_DGRAM here.
    if (type === SOCK_RAW) return { type: SOCK_DGRAM, protocol: 0 };
    if (type === SOCK_STREAM || type === SOCK_DGRAM || type === SOCK_SEQPACKET) return { type, protocol: 0 };
    throw new SysError(ESOCKTNOSUPPORT);
  }
  if (domain === AF_NETLINK) {
    if (type !== SOCK_RAW && type !== SOCK_DGRAM) throw new SysError(ESOCKTNOSUPPORT);
    if (!NETLINK_PROTOCOLS.includes(protocol)) throw new SysError(EPROTONOSUPPORT);
    return { type, protocol };
  }
  // Who may have them could look at everything that passes.
  if (domain === AF_PACKET || domain === AF_XDP) throw new SysError(EPERM);
  if (domain !== AF_INET && domain !== AF_INET6) throw new SysError(EAFNOSUPPORT);
  if (protocol < 0 || protocol > 262) throw new SysError(EINVAL);
  if (type === SOCK_RAW && protocol !== IPPROTO_IP) throw new SysError(EPERM);
  const own = INTERNET.get(type);
  if (own === undefined) throw new SysError(type === SOCK_RAW ? EPROTONOSUPPORT : ESOCKTNOSUPPORT);
  // To ping by is for the groups of ping_group_range, which are none.
  const ping = domain === AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
  if (type === SOCK_DGRAM && protocol === ping) throw new SysError(EACCES);
  if (protocol !== 0 && !own.includes(protocol)) throw new SysError(EPROTONOSUPPORT);
  return { type, protocol: protocol || own[0] };
}

function socket(ctx: SyscallContext): number {
  const [domain, type, protocol] = [ctx.args.int(0), ctx.args.int(1), ctx.args.int(2)];
  const kind = kindOf(domain, type, protocol);
  const made = files(ctx).system.socket({
    domain,
    ...kind,
    flags: type & SOCK_NONBLOCK,
    littleEndian: ctx.abi.littleEndian,
  });
  return install(ctx, made, (type & SOCK_CLOEXEC) !== 0);
}

function socketpair(ctx: SyscallContext): number {
  const [domain, type, protocol] = [ctx.args.int(0), ctx.args.int(1), ctx.args.int(2)];
  const address = ctx.args.address(3);
  const kind = kindOf(domain, type, protocol);
  if (accessible(ctx.memory, address, 8, true) < 8) throw new SysError(EFAULT);
  if (domain !== AF_UNIX) throw new SysError(EOPNOTSUPP);
  const { system, descriptors } = files(ctx);
  descriptors.reserve(2);
  const make = () =>
    system.socket({
      domain,
      ...kind,
      flags: type & SOCK_NONBLOCK,
      littleEndian: ctx.abi.littleEndian,
    });
  const [one, other] = [make(), make()];
  one.peerCredentials = other.peerCredentials = callerOf(ctx);
  if (one instanceof StreamSocket && other instanceof StreamSocket) one.join(other);
  if (one instanceof DatagramSocket && other instanceof DatagramSocket) {
    one.connectTo(other, UNNAMED);
    other.connectTo(one, UNNAMED);
  }
  const fds = [one, other].map((each) => install(ctx, each, (type & SOCK_CLOEXEC) !== 0));
  ctx.put32(address, fds[0]);
  ctx.put32(address + 4, fds[1]);
  return 0;
}

// ---- bind ----------------------------------------------------------------------------------------------------

/** Makes the node of a socket that is bound to a path. Throws EADDRINUSE, and what making a file throws. */
function bindPath(ctx: SyscallContext, socket: Socket, address: Address): void {
  const { system, umask } = files(ctx);
  const path = decodeName(address.name);
  // That the name is taken is said before that the socket has one.
  if (socket.local !== undefined && !exists(files(ctx).resolve(AT_FDCWD, path, { follow: false })))
    throw new SysError(EINVAL);
  try {
    const file = files(ctx).open(AT_FDCWD, path, O_CREAT | O_EXCL | O_WRONLY, 0o777 & ~umask);
    const node = system.nodes.add(file.stat(), "socket", file.where().path);
    file.close();
    node.socket = socket;
  } catch (error) {
    if (error instanceof HostError && error.code === "EEXIST") throw new SysError(EADDRINUSE);
    throw error;
  }
  socket.local = address;
}

function bind(ctx: SyscallContext): number {
  const socket = socketArg(ctx, 0);
  const bytes = addressBytes(ctx, ctx.args.address(1), ctx.args.int(2));
  const address = toOwnAddress(ctx, socket, bytes);
  const { network } = socket;
  if (socket instanceof NetlinkSocket) {
    const isAny = address.name.subarray(0, 4).every((byte) => byte === 0);
    // The groups that it listens to stay its own.
    if (isAny) address.name.set(netlinkAddress(ctx.process.pid, ctx.abi.littleEndian).name.subarray(0, 4));
    socket.bindTo(address);
    return 0;
  }
  if (!socket.isUnix) {
    const isPrivileged = address.port > 0 && address.port < 1024;
    if (isPrivileged && !isCapable(ctx.thread.credentials, CAP_NET_BIND_SERVICE)) throw new SysError(EACCES);
    network.bindInternet(socket, address);
    return 0;
  }
  if (address.name.length === 0) {
    network.autobind(socket);
    return 0;
  }
  if (!isAbstract(address)) bindPath(ctx, socket, address);
  else if (socket.local !== undefined) throw new SysError(EINVAL);
  else network.bindAbstract(socket, address);
  return 0;
}

// ---- connect ---------------------------------------------------------------------------------------------------

/** The socket of AF_UNIX that is bound to an address. Throws ECONNREFUSED, EPROTOTYPE, and what walking a path throws. */
export function findUnix(ctx: SyscallContext, asker: Socket, address: Address): Socket {
  if (address.name.length === 0) throw new SysError(EINVAL);
  const { network } = asker;
  if (isAbstract(address)) {
    const found = network.findAbstract(asker, address);
    if (found === undefined) throw new SysError(ECONNREFUSED);
    return found;
  }
  const { system } = files(ctx);
  const at = files(ctx).find(AT_FDCWD, decodeName(address.name), true);
  const { stat } = at;
  if (stat !== undefined) system.checkAccess(at, MAY_WRITE, files(ctx));
  const found = stat === undefined ? undefined : system.nodes.get(fileKey(stat))?.socket;
  if (found === undefined) throw new SysError(ECONNREFUSED);
  if (found.type !== asker.type) throw new SysError(EPROTOTYPE);
  return found;
}

/** With SO_PASSCRED a socket must have an address before it talks to anybody. */
function bindToPass(socket: Socket): void {
  if (socket.isUnix && socket.local === undefined && socket.option(SO_PASSCRED))
    socket.network.autobind(socket);
}

function connectDatagrams(ctx: SyscallContext, socket: DatagramSocket, bytes: Uint8Array): number {
  if (isUnspecified(ctx, bytes)) {
    socket.connectTo(undefined, undefined);
    return 0;
  }
  const address = toAddress(ctx, socket, bytes);
  if (!socket.isUnix) {
    const to = destination(address);
    const from = socket.network.sourceOf(socket, to);
    if (socket.local === undefined || isAny(socket.local)) socket.local = from;
    socket.connectTo(undefined, to);
    return 0;
  }
  bindToPass(socket);
  const found = findUnix(ctx, socket, address);
  if (!(found instanceof DatagramSocket)) throw new SysError(EPROTOTYPE);
  if (!found.accepts(socket)) throw new SysError(EPERM);
  socket.connectTo(found, address);
  return 0;
}

/** Connecting to the address with nothing in it is connecting to oneself. */
const destination = (address: Address): Address =>
  isAny(address) ? loopback(address.family, address.port) : address;

function connectUnix(ctx: SyscallContext, socket: StreamSocket, address: Address): number {
  bindToPass(socket);
  const listener = findUnix(ctx, socket, address);
  socket.checkConnect();
  socket.checkListener(listener);
  if (listener.isFull) {
    return waitAt(ctx, socket, {
      nonblocking: isNonblocking(socket),
      timeout: socket.sendTimeout,
      other: listener,
    });
  }
  socket.connectTo(listener, listener.local!, callerOf(ctx));
  return 0;
}

/**
 * TCP: the connection is there at once where somebody listens. A socket that is not to wait is told so the next time it asks, as by Linux, where the
 * answer comes just after the call.
 */
function connectInternet(ctx: SyscallContext, socket: StreamSocket, address: Address): number {
  const nonblocking = isNonblocking(socket);
  if (socket.phase === "connecting") {
    if (nonblocking) throw new SysError(EALREADY);
    return waitAt(ctx, socket, { nonblocking, timeout: socket.sendTimeout, late: EINPROGRESS });
  }
  const isAgain = ctx.resumed !== undefined;
  if (socket.phase === "connected") {
    socket.untold = false;
    return 0;
  }
  if (socket.phase === "closed" && (isAgain || socket.untold)) {
    socket.untold = false;
    socket.phase = "idle";
    socket.checkError();
  }
  const to = destination(address);
  const from = socket.network.sourceOf(socket, to);
  const listener = socket.network.listenerAt(socket, to);
  socket.local = from;
  socket.phase = "idle";
  if (listener === undefined && socket.network.outside?.reaches(to)) {
    socket.connectOutside(to);
    socket.untold = true;
    if (nonblocking) throw new SysError(EINPROGRESS);
    return waitAt(ctx, socket, { nonblocking, timeout: socket.sendTimeout, late: EINPROGRESS });
  }
  if (!(listener instanceof StreamSocket)) {
    if (!nonblocking) throw new SysError(ECONNREFUSED);
    socket.refuse();
    socket.untold = true;
    throw new SysError(EINPROGRESS);
  }
  socket.untold = true;
  if (listener.isFull) {
    socket.queueFor(listener, to);
    if (nonblocking) throw new SysError(EINPROGRESS);
    return waitAt(ctx, socket, { nonblocking, timeout: socket.sendTimeout, late: EINPROGRESS });
  }
  socket.connectTo(listener, to, callerOf(ctx));
  if (nonblocking) throw new SysError(EINPROGRESS);
  socket.untold = false;
  return 0;
}

function connect(ctx: SyscallContext): number {
  const socket = socketArg(ctx, 0);
  const bytes = addressBytes(ctx, ctx.args.address(1), ctx.args.int(2));
  if (socket instanceof DatagramSocket) return connectDatagrams(ctx, socket, bytes);
  if (socket instanceof NetlinkSocket) {
    const address = isUnspecified(ctx, bytes) ? undefined : toAddress(ctx, socket, bytes);
    if (address !== undefined) {
      socket.checkPeer(address);
      socket.autobind(ctx.process.pid);
    }
    socket.remote = address;
    return 0;
  }
  if (!(socket instanceof StreamSocket)) throw new SysError(EOPNOTSUPP);
  if (!socket.isUnix && isUnspecified(ctx, bytes)) {
    socket.disconnect();
    return 0;
  }
  if (!socket.isUnix) socket.checkConnect();
  const address = toAddress(ctx, socket, bytes);
  return socket.isUnix ? connectUnix(ctx, socket, address) : connectInternet(ctx, socket, address);
}

// ---- listen and accept -------------------------------------------------------------------------------------------

function accept(ctx: SyscallContext, flags: number): number {
  const socket = socketArg(ctx, 0);
  checkFlags(flags, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (socket instanceof StreamSocket && socket.phase !== "listening") throw new SysError(EINVAL);
  const { descriptors } = files(ctx);
  descriptors.reserve(1);
  const accepted = socket.accept();
  if (accepted === undefined)
    return waitAt(ctx, socket, { nonblocking: isNonblocking(socket), timeout: socket.receiveTimeout });
  try {
    accepted.flags |= flags & SOCK_NONBLOCK;
    putAddress(ctx, accepted.remote ?? UNNAMED, ctx.args.address(1), ctx.args.address(2));
    return descriptors.add(accepted, (flags & SOCK_CLOEXEC) !== 0);
  } finally {
    release(accepted);
  }
}

function shutdown(ctx: SyscallContext): number {
  const socket = socketArg(ctx, 0);
  const how = ctx.args.int(1);
  if (how < SHUT_RD || how > SHUT_RDWR) throw new SysError(EINVAL);
  socket.shutdown(how);
  return 0;
}

/** Its own address, which it may not have yet. */
const ownAddress = (socket: Socket): Address =>
  socket.local ??
  (socket.isUnix ? UNNAMED : socket instanceof NetlinkSocket ? netlinkAddress(0) : anyAddress(socket.domain));

function getpeername(ctx: SyscallContext): number {
  const socket = socketArg(ctx, 0);
  const isConnected =
    socket instanceof StreamSocket ? socket.phase === "connected" : socket.remote !== undefined;
  if (!isConnected) throw new SysError(ENOTCONN);
  putAddress(ctx, socket.remote ?? UNNAMED, ctx.args.address(1), ctx.args.address(2));
  return 0;
}

export const SOCKET_CALLS: readonly SyscallRow[] = [
  { name: "socket", args: "int int int", handler: socket },
  { name: "socketpair", args: "int int int ptr", handler: socketpair },
  { name: "bind", args: "fd ptr int", handler: bind },
  { name: "connect", args: "fd ptr int", handler: connect },
  {
    name: "listen",
    args: "fd int",
    handler: (ctx) => {
      socketArg(ctx, 0).listen(ctx.args.int(1), callerOf(ctx));
      return 0;
    },
  },
  { name: "accept", args: "fd ptr ptr", handler: (ctx) => accept(ctx, 0) },
  { name: "accept4", args: "fd ptr ptr octal", handler: (ctx) => accept(ctx, ctx.args.int(3)) },
  { name: "shutdown", args: "fd int", handler: shutdown },
  {
    name: "getsockname",
    args: "fd ptr ptr",
    handler: (ctx) => {
      putAddress(ctx, ownAddress(socketArg(ctx, 0)), ctx.args.address(1), ctx.args.address(2));
      return 0;
    },
  },
  { name: "getpeername", args: "fd ptr ptr", handler: getpeername },
];
