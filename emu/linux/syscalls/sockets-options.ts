/** getsockopt and setsockopt. Most options are kept and told; rows say which have bounds or do something. */
import { struct, TIMESPEC64, TIMEVAL } from "../abi.ts";
import { isSoundProgram, MOST_INSTRUCTIONS } from "../classic-bpf.ts";
import { CAP_NET_ADMIN, CAP_NET_RAW, isCapable } from "../credentials.ts";
import {
  EACCES,
  EADDRNOTAVAIL,
  EDOM,
  EINVAL,
  ENODATA,
  ENODEV,
  ENOENT,
  ENOPROTOOPT,
  ENOTCONN,
  EOPNOTSUPP,
  EPERM,
  ERANGE,
  SysError,
} from "../errno.ts";
import { encodeAddress, UNNAMED } from "../net/address.ts";
import { PLAIN_HEADER } from "../net/inbox.ts";
import { LOOPBACK } from "../net/loopback-interface.ts";
import type { SocketFilter } from "../net/packet-filter.ts";
import type { Socket } from "../net/socket.ts";
import {
  AF_INET6,
  AF_UNIX,
  BUFFER_DEFAULT,
  IP_MULTICAST_ALL,
  IP_MULTICAST_TTL,
  IP_TOS,
  IP_TTL,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPPROTO_UDPLITE,
  IPV6_2292HOPLIMIT,
  IPV6_2292PKTINFO,
  IPV6_TCLASS,
  IPV6_UNICAST_HOPS,
  IPV6_V6ONLY,
  SO_BINDTODEVICE,
  SO_BROADCAST,
  SO_LINGER,
  SO_OOBINLINE,
  SO_MARK,
  SO_PASSCRED,
  SO_PEEK_OFF,
  SO_RCVBUF,
  SO_RCVLOWAT,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SO_SNDBUF,
  SOCK_STREAM,
  SO_TIMESTAMP,
  SO_TIMESTAMP_NEW,
  SO_TIMESTAMPING,
  SO_TIMESTAMPING_NEW,
  SO_TIMESTAMPNS,
  SO_TIMESTAMPNS_NEW,
  SOL_SOCKET,
  UDP_SEGMENT,
} from "../net/socket-constants.ts";
import { StreamSocket, TCP_CLOSE, TCP_LISTEN } from "../net/stream-socket.ts";
import { pointer, type SyscallContext, type SyscallRow } from "../syscall.ts";
import { readInstructions, SOCK_FPROG, writeInstructions } from "./filter-programs.ts";
import { MULTICAST6_OPTIONS, MULTICAST_OPTIONS } from "./sockets-multicast.ts";
import { intBytes, type SocketOption as Option, socketArg } from "./sockets-common.ts";
import { UCRED } from "./sockets-control.ts";
import { encodeTimeval64, timevalFields, timevalTime } from "./time-format.ts";

const INT_MAX = 0x7fff_ffff;
const LINGER = struct({ l_onoff: "i32", l_linger: "i32" });

const fail = (errno: number): never => {
  throw new SysError(errno);
};

/** An int argument. Throws EINVAL where there are not enough bytes for one. */
function toInt(ctx: SyscallContext, bytes: Uint8Array): number {
  if (bytes.length < 4) throw new SysError(EINVAL);
  return new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, ctx.abi.littleEndian);
}
/** As `toInt`, of the options of IP, for which one byte does as well. */
const toSmallInt = (ctx: SyscallContext, bytes: Uint8Array): number =>
  bytes.length > 0 && bytes.length < 4 ? bytes[0] : toInt(ctx, bytes);

const toIntOf = (level: number) => (level === IPPROTO_IP ? toSmallInt : toInt);

/** An int that is kept: what it is at first, the least and the most it may be, and whether -1 makes it what it was. */
const kept = (
  level: number,
  name: number,
  { first = 0, least = -INT_MAX - 1, most = INT_MAX, wrong = EINVAL, resets = false } = {},
): Option => ({
  get: (ctx, socket) => intBytes(ctx, socket.options.get(`${level}/${name}`) ?? first),
  set: (ctx, socket, bytes) => {
    const given = toIntOf(level)(ctx, bytes);
    const value = resets && given === -1 ? first : given;
    if (value < least || value > most) throw new SysError(wrong);
    socket.setOption(name, value, level);
  },
});
/** On or off. */
const onOff = (level: number, name: number, first = 0): Option => ({
  ...kept(level, name, { first }),
  set: (ctx, socket, bytes) => {
    const value = toIntOf(level)(ctx, bytes);
    socket.setOption(name, value === 0 ? 0 : 1, level);
  },
});
/** An int that only can be asked for. */
const told = (value: (socket: Socket) => number): Option => ({
  get: (ctx, socket) => intBytes(ctx, value(socket)),
});

/** A buffer's size: twice what is asked for, for what the kernel keeps besides (socket(7)). */
const buffer = (name: number, least: number): Option => ({
  get: (ctx, socket) => intBytes(ctx, socket.option(name) || BUFFER_DEFAULT),
  set: (ctx, socket, bytes) => {
    const wanted = Math.min(toInt(ctx, bytes) >>> 0, BUFFER_DEFAULT);
    socket.setOption(name, Math.max(2 * wanted, least));
    socket.setOption(SO_BUF_LOCK, socket.option(SO_BUF_LOCK) | (name === SO_SNDBUF ? 1 : 2));
  },
});
/** SO_BUF_LOCK: whose sizes (1: to send, 2: to receive) are as the program has set them. */
const SO_BUF_LOCK = 72;

/** SO_RCVTIMEO and SO_SNDTIMEO: a struct timeval of longs, or always of 64 bits. */
const timeout = (which: "receiveTimeout" | "sendTimeout", wide: boolean): Option => {
  const layout = wide ? TIMESPEC64 : TIMEVAL;
  return {
    get: ({ abi }, socket) => {
      const time = socket[which];
      return wide ? encodeTimeval64(abi, time) : TIMEVAL.encode(abi, timevalFields(time));
    },
    set: ({ abi }, socket, bytes) => {
      if (bytes.length < layout.size(abi)) throw new SysError(EINVAL);
      const [seconds, microseconds] = wide
        ? Object.values(TIMESPEC64.decode(abi, bytes))
        : Object.values(TIMEVAL.decode(abi, bytes));
      if (microseconds < 0n || microseconds >= 1_000_000n) throw new SysError(EDOM);
      // A negative time is one that is over already; the least there is stands for it.
      socket[which] = seconds < 0n ? 1n : timevalTime(seconds, microseconds);
    },
  };
};

const linger: Option = {
  get: ({ abi }, socket) => {
    const value = socket.option(SO_LINGER);
    return LINGER.encode(abi, { l_onoff: value > 0 ? 1 : 0, l_linger: Math.max(0, value - 1) });
  },
  set: ({ abi }, socket, bytes) => {
    if (bytes.length < LINGER.size(abi)) throw new SysError(EINVAL);
    const { l_onoff, l_linger } = LINGER.decode(abi, bytes);
    socket.setOption(SO_LINGER, l_onoff === 0 ? 0 : Math.min(l_linger >>> 0, INT_MAX - 1) + 1);
  },
};

/** For who has one of these capabilities to set; others may set it to 0 where `zero` says so. */
const onlyWith = (capabilities: bigint, option: Option, { zero = true, errno = EPERM } = {}): Option => ({
  get: option.get,
  set: (ctx, socket, bytes) => {
    const isFree = zero && toInt(ctx, bytes) === 0;
    if (!isFree && !isCapable(ctx.thread.credentials, capabilities)) throw new SysError(errno);
    option.set!(ctx, socket, bytes);
  },
});
/** What can be set only: there is nothing to tell. */
const untold = (set: NonNullable<Option["set"]>): Option => ({
  get: () => {
    throw new SysError(ENOPROTOOPT);
  },
  set,
});
/** Sets a buffer's size whatever the most of it is, which takes a privilege. */
const forced = (name: number, least: number): Option =>
  untold(onlyWith(CAP_NET_ADMIN, buffer(name, least), { zero: false }).set!);

/** Only while it has no address. */
const beforeBind = (option: Option): Option => ({
  get: option.get,
  set: (ctx, socket, bytes) => {
    if (socket.local !== undefined) throw new SysError(EINVAL);
    option.set!(ctx, socket, bytes);
  },
});

/** SO_PRIORITY: above 6 takes a privilege. */
const priority: Option = {
  ...kept(SOL_SOCKET, 12),
  set: (ctx, socket, bytes) => {
    const value = toInt(ctx, bytes);
    const isHigh = value < 0 || value > 6;
    if (isHigh && !isCapable(ctx.thread.credentials, CAP_NET_RAW | CAP_NET_ADMIN)) throw new SysError(EPERM);
    socket.setOption(12, value);
  },
};

/** To bind a socket to another interface than it is bound to takes a privilege. */
function checkUnbound({ thread: { credentials } }: SyscallContext, socket: Socket): void {
  if (socket.option(SO_BINDTODEVICE) !== 0 && !isCapable(credentials, CAP_NET_RAW)) throw new SysError(EPERM);
}

/** SO_BINDTODEVICE: the name of the only interface there is, or none; SO_BINDTOIFINDEX tells its number. */
const boundDevice: Option = {
  get: (_ctx, socket) =>
    new TextEncoder().encode(socket.option(SO_BINDTODEVICE) === 0 ? "" : `${LOOPBACK.name}\0`),
  set: (ctx, socket, bytes) => {
    const name = new TextDecoder().decode(bytes.subarray(0, 15)).replace(/\0.*/s, "");
    if (name !== "" && name !== LOOPBACK.name) throw new SysError(ENODEV);
    checkUnbound(ctx, socket);
    socket.setOption(SO_BINDTODEVICE, name === "" ? 0 : LOOPBACK.index);
  },
};

const own = (name: number, range?: Parameters<typeof kept>[2]): [number, Option] => [
  name,
  kept(SOL_SOCKET, name, range),
];
const flag = (name: number): [number, Option] => [name, onOff(SOL_SOCKET, name)];

/** Forms of one option, of which only the one that has been set last is on. */
const oneOf = (names: readonly number[], [name, option]: [number, Option]): Option => ({
  get: option.get,
  set: (ctx, socket, bytes) => {
    option.set!(ctx, socket, bytes);
    for (const other of names) if (other !== name) socket.setOption(other, 0);
  },
});
const TIMESTAMPS = [SO_TIMESTAMP, SO_TIMESTAMPNS, SO_TIMESTAMP_NEW, SO_TIMESTAMPNS_NEW];
const TIMESTAMPINGS = [SO_TIMESTAMPING, SO_TIMESTAMPING_NEW];
/** SOF_TIMESTAMPING_* up to BIND_PHC, and those of them that have conditions. */
const TIMESTAMPING = 0xffff;
const OPT_ID = 1 << 7;
const OPT_TSONLY = 1 << 11;
const OPT_STATS = 1 << 12;
const BIND_PHC = 1 << 15;

/** SO_RCVLOWAT: no more than half the buffer of TCP, whose most is 6 MiB (tcp_set_rcvlowat). */
const leastToReceive: Option = {
  ...kept(SOL_SOCKET, SO_RCVLOWAT, { first: 1 }),
  set: (ctx, socket, bytes) => {
    const wanted = toInt(ctx, bytes);
    const most =
      socket.protocol === IPPROTO_TCP ? (socket.option(SO_RCVBUF) || TCP_BUFFER_MAX) >> 1 : INT_MAX;
    socket.setOption(SO_RCVLOWAT, Math.min(wanted < 0 ? INT_MAX : wanted, most) || 1);
    socket.changed();
  },
};
const TCP_BUFFER_MAX = 6 << 20;

/** SO_PEEK_OFF, which TCP has not. */
const peekOffset: Option = {
  get: (ctx, socket) => {
    if (socket.protocol === IPPROTO_TCP) fail(EOPNOTSUPP);
    return intBytes(ctx, socket.options.get(`${SOL_SOCKET}/${SO_PEEK_OFF}`) ?? -1);
  },
  set: (ctx, socket, bytes) => {
    if (socket.protocol === IPPROTO_TCP) fail(EOPNOTSUPP);
    socket.setOption(SO_PEEK_OFF, toInt(ctx, bytes));
  },
};

/** SO_LOCK_FILTER: a flag that can't be taken back. */
const SO_LOCK_FILTER = 44;
const lockFilter: Option = {
  ...onOff(SOL_SOCKET, SO_LOCK_FILTER),
  set: (ctx, socket, bytes) => {
    const value = toInt(ctx, bytes);
    if (value === 0) checkUnlocked(socket);
    socket.setOption(SO_LOCK_FILTER, value === 0 ? 0 : 1);
  },
};
/** Throws EPERM where the filter must stay as it is. */
function checkUnlocked(socket: Socket): void {
  if (socket.option(SO_LOCK_FILTER) !== 0) fail(EPERM);
}

/** SO_ATTACH_FILTER, and SO_GET_FILTER, which has the same number and counts instructions where others count bytes. */
const filter: Option = {
  get: () => new Uint8Array(0),
  put: (ctx, { filter: { program } = NO_FILTER }, room) => {
    if (room === 0 || program.length === 0) return program.length;
    if (room < program.length) fail(EINVAL);
    writeInstructions(ctx, ctx.args.address(3), program);
    return program.length;
  },
  set: (ctx, socket, bytes) => {
    if (bytes.length !== SOCK_FPROG.size(ctx.abi)) fail(EINVAL);
    const { len, filter: at } = SOCK_FPROG.decode(ctx.abi, bytes);
    checkUnlocked(socket);
    if (len === 0 || len > MOST_INSTRUCTIONS || pointer(at) === 0) fail(EINVAL);
    const program = readInstructions(ctx, pointer(at), len);
    if (!isSoundProgram(program, undefined)) fail(EINVAL);
    socket.filter = { program, littleEndian: ctx.abi.littleEndian };
  },
};
const NO_FILTER: Pick<SocketFilter, "program"> = { program: [] };

/** SO_DETACH_FILTER. */
function detachFilter(_ctx: SyscallContext, socket: Socket): void {
  checkUnlocked(socket);
  if (socket.filter === undefined) fail(ENOENT);
  socket.filter = undefined;
}

/** What is taken and of no use: SO_BSDCOMPAT. */
const ignored: Option = { get: (ctx) => intBytes(ctx, 0), set: () => {} };

/** SO_MAX_PACING_RATE: an unsigned int, or an unsigned long. There is no limit that changes anything. */
const pacing: Option = {
  get: (ctx, socket, room) => {
    const value = socket.options.get(`${SOL_SOCKET}/47`) ?? -1;
    if (ctx.abi.wordSize === 4 || room < 8) return intBytes(ctx, value);
    const bytes = new Uint8Array(8);
    const wide = value === -1 ? -1n : BigInt(value >>> 0);
    new DataView(bytes.buffer).setBigInt64(0, wide, ctx.abi.littleEndian);
    return bytes;
  },
  set: (ctx, socket, bytes) => {
    const isWide = ctx.abi.wordSize === 8 && bytes.length >= 8;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const wide = isWide ? view.getBigUint64(0, ctx.abi.littleEndian) : BigInt(toInt(ctx, bytes) >>> 0);
    socket.setOption(47, wide > 0xffff_fffen ? -1 : Number(wide) | 0);
  },
};

/** struct sk_meminfo. */
const meminfo: Option = {
  get: (ctx, socket) => {
    const { size } = socket.inbox;
    const values = [size, socket.receiveBuffer, 0, socket.sendBuffer, 0, 0, 0, 0, 0];
    const bytes = new Uint8Array(4 * values.length);
    values.forEach((value, i) => {
      new DataView(bytes.buffer).setUint32(4 * i, value, ctx.abi.littleEndian);
    });
    return bytes;
  },
};

function busyPollBudget(ctx: SyscallContext, _socket: Socket, bytes: Uint8Array): void {
  const value = toInt(ctx, bytes);
  if (value > 8 && !isCapable(ctx.thread.credentials, CAP_NET_ADMIN)) fail(EPERM);
  if (value < 0 || value > 0xffff) fail(EINVAL);
}

function reserve(ctx: SyscallContext, _socket: Socket, bytes: Uint8Array): void {
  fail(toInt(ctx, bytes) < 0 ? EINVAL : EOPNOTSUPP);
}

/** SO_BINDTOIFINDEX: the number of an interface, or none. */
const boundIndex: Option = {
  get: (ctx, socket) => intBytes(ctx, socket.option(SO_BINDTODEVICE)),
  set: (ctx, socket, bytes) => {
    const value = toInt(ctx, bytes);
    checkUnbound(ctx, socket);
    if (value < 0) fail(EINVAL);
    socket.setOption(SO_BINDTODEVICE, value);
  },
};

/** SO_TXREHASH of TCP. */
const rehash: Option = {
  get: (ctx, socket) => intBytes(ctx, socket.option(74)),
  set: (ctx, socket, bytes) => {
    const value = toInt(ctx, bytes);
    if (value < -1 || value > 1) fail(EINVAL);
    if (socket.protocol !== IPPROTO_TCP) fail(EOPNOTSUPP);
    socket.setOption(74, value === -1 ? 0 : value);
  },
};

/** SO_TIMESTAMPING: what is wanted, and the number of a clock of hardware. */
const timestamping = (name: number): Option => ({
  get: (ctx, socket) => {
    const bytes = new Uint8Array(8);
    bytes.set(intBytes(ctx, socket.option(name)));
    return bytes;
  },
  set: (ctx, socket, bytes) => {
    const value = toInt(ctx, bytes);
    if (value & ~TIMESTAMPING) fail(EINVAL);
    const isClosed = socket instanceof StreamSocket && ["idle", "closed", "listening"].includes(socket.phase);
    if (value & OPT_ID && socket.protocol === IPPROTO_TCP && isClosed) fail(EINVAL);
    if (value & OPT_STATS && !(value & OPT_TSONLY)) fail(EINVAL);
    if (value & BIND_PHC) fail(EOPNOTSUPP);
    socket.setOption(name, value);
  },
});

const SOCKET_OPTIONS = new Map<number, Option>([
  [1, onlyWith(CAP_NET_ADMIN, onOff(SOL_SOCKET, 1), { errno: EACCES })],
  flag(SO_REUSEADDR),
  [3, told(({ type }) => type)],
  [4, told((socket) => socket.takeError())],
  flag(5),
  flag(SO_BROADCAST),
  [SO_SNDBUF, buffer(SO_SNDBUF, 4608)],
  [SO_RCVBUF, buffer(SO_RCVBUF, 2304)],
  flag(9),
  flag(SO_OOBINLINE),
  flag(11),
  [12, priority],
  [SO_LINGER, linger],
  [14, ignored],
  flag(SO_REUSEPORT),
  [SO_RCVLOWAT, leastToReceive],
  [17, told(() => 1)],
  [18, timeout("receiveTimeout", false)],
  [19, timeout("sendTimeout", false)],
  [66, timeout("receiveTimeout", true)],
  [67, timeout("sendTimeout", true)],
  flag(SO_PASSCRED),
  // SO_PEERCRED, SO_PEERNAME, SO_PEERGROUPS.
  [
    21,
    {
      get: ({ abi }, { peerCredentials }) =>
        UCRED.encode(abi, peerCredentials ?? { pid: 0, uid: -1, gid: -1 }),
    },
  ],
  [
    28,
    {
      get: ({ abi }, socket) => {
        const { remote } = socket;
        if (remote === undefined && !(socket.isUnix && socket.connected !== undefined)) return fail(ENOTCONN);
        return encodeAddress(remote ?? UNNAMED, abi.littleEndian);
      },
      most: true,
    },
  ],
  [
    59,
    {
      get: (ctx, { peerCredentials }) => {
        if (peerCredentials === undefined) throw new SysError(ENODATA);
        const groups = ctx.kernel.processes.get(peerCredentials.pid)?.credentials.groups ?? [];
        const bytes = new Uint8Array(4 * groups.length);
        groups.forEach((group, i) => {
          new DataView(bytes.buffer).setUint32(4 * i, group, ctx.abi.littleEndian);
        });
        return bytes;
      },
    },
  ],
  [SO_BINDTODEVICE, boundDevice],
  ...TIMESTAMPS.map((name): [number, Option] => [name, oneOf(TIMESTAMPS, flag(name))]),
  ...TIMESTAMPINGS.map((name): [number, Option] => [name, oneOf(TIMESTAMPINGS, [name, timestamping(name)])]),
  [30, told(({ isListening }) => (isListening ? 1 : 0))],
  [26, filter],
  [27, untold(detachFilter)],
  [32, forced(SO_SNDBUF, 4608)],
  [33, forced(SO_RCVBUF, 2304)],
  flag(34),
  [SO_MARK, onlyWith(CAP_NET_RAW | CAP_NET_ADMIN, kept(SOL_SOCKET, SO_MARK), { zero: false })],
  [38, told(({ protocol }) => protocol)],
  [39, told(({ domain }) => domain)],
  flag(40),
  flag(41),
  [SO_PEEK_OFF, peekOffset],
  flag(43),
  [SO_LOCK_FILTER, lockFilter],
  flag(45),
  own(46, { least: 0 }),
  [47, pacing],
  [48, told(() => 64)],
  own(49, { first: -1 }),
  // SO_CNX_ADVICE.
  [53, untold((ctx, _socket, bytes) => void toInt(ctx, bytes))],
  // SO_MEMINFO: the sizes of buffers are all that is known.
  [55, meminfo],
  // SO_INCOMING_NAPI_ID.
  [56, told(() => 0)],
  // SO_COOKIE: a number that no other socket has.
  [
    57,
    {
      get: ({ abi }, { ino }) => {
        const bytes = new Uint8Array(8);
        new DataView(bytes.buffer).setBigUint64(0, ino, abi.littleEndian);
        return bytes;
      },
      least: true,
    },
  ],
  [62, boundIndex],
  [69, onlyWith(CAP_NET_ADMIN, onOff(SOL_SOCKET, 69))],
  // SO_BUSY_POLL_BUDGET: 8 packets at the most but for root.
  [70, untold(busyPollBudget)],
  // SO_NETNS_COOKIE: that of the first one.
  [
    71,
    {
      get: ({ abi }) =>
        abi.littleEndian ? Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0) : Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1),
      least: true,
    },
  ],
  own(SO_BUF_LOCK, { least: 0, most: 3 }),
  // SO_RESERVE_MEM, for which memory would have to be accounted.
  [73, { get: (ctx) => intBytes(ctx, 0), set: reserve }],
  [74, rehash],
  flag(75),
]);

const tcp = (name: number, range: Parameters<typeof kept>[2]): [number, Option] => [
  name,
  kept(IPPROTO_TCP, name, range),
];

/** struct tcp_info begins with the state; what comes behind is 0, or of a connection that nothing ever happens to. */
const tcpInfo: Option = {
  get: (_ctx, socket) => {
    if (!(socket instanceof StreamSocket)) throw new SysError(ENOPROTOOPT);
    const bytes = new Uint8Array(232);
    bytes[0] = socket.tcpState;
    return bytes;
  },
};

/** TCP_CONGESTION: there is one algorithm to choose from. */
const congestion: Option = {
  get: () => new TextEncoder().encode("cubic".padEnd(16, "\0")),
  set: (_ctx, _socket, bytes) => {
    const name = new TextDecoder().decode(bytes).replace(/\0.*/s, "");
    if (name !== "cubic") throw new SysError(ENOENT);
  },
};

const TCP_MAXSEG = 2;
const MAXSEG_FIRST = 536;
const ownSegments = kept(IPPROTO_TCP, TCP_MAXSEG, { first: MAXSEG_FIRST, least: 88, most: 32767 });
/** TCP_MAXSEG: 0 leaves it to the system. */
const maxSegment: Option = {
  ...ownSegments,
  set: (ctx, socket, bytes) => {
    if (toInt(ctx, bytes) === 0) socket.setOption(TCP_MAXSEG, MAXSEG_FIRST, IPPROTO_TCP);
    else ownSegments.set!(ctx, socket, bytes);
  },
};

/** TCP_REPAIR and what goes with it, of connections that are being put together, which takes a privilege; nobody has it here. */
const notRepaired = (get: Option["get"] = () => fail(EINVAL)): Option => ({ get, set: () => fail(EPERM) });
/** TCP_QUEUE_SEQ. */
const queuePlace: Option = {
  get: () => fail(EINVAL),
  set: (_ctx, socket) =>
    fail(socket instanceof StreamSocket && socket.tcpState === TCP_CLOSE ? EINVAL : EPERM),
};
/** TCP_TIMESTAMP: milliseconds of a clock. */
const timestampClock = notRepaired((ctx) =>
  intBytes(ctx, Number(BigInt.asIntN(32, ctx.kernel.clock.monotonic() / 1_000_000n))),
);
/** TCP_THIN_DUPACK does nothing any more, and is told so. */
const thinAnswers: Option = {
  ...kept(IPPROTO_TCP, 17, { least: 0, most: 1 }),
  get: (ctx) => intBytes(ctx, 0),
};
/** TCP_FASTOPEN_NO_COOKIE: before there is a connection. */
const withoutCookie: Option = {
  ...kept(IPPROTO_TCP, 34, { least: 0, most: 1 }),
  set: (ctx, socket, bytes) => {
    const { tcpState } = socket as StreamSocket;
    if (tcpState !== TCP_CLOSE && tcpState !== TCP_LISTEN) fail(EINVAL);
    kept(IPPROTO_TCP, 34, { least: 0, most: 1 }).set!(ctx, socket, bytes);
  },
};

const TCP_CONGESTION = 13;
const TCP_ULP = 31;
/** TCP options that are names, and may be short. */
const NAMES = [TCP_CONGESTION, TCP_ULP];

const TCP_OPTIONS = new Map<number, Option>([
  [1, onOff(IPPROTO_TCP, 1)],
  [TCP_MAXSEG, maxSegment],
  [3, onOff(IPPROTO_TCP, 3)],
  tcp(4, { first: 7200, least: 1, most: 32767 }),
  tcp(5, { first: 75, least: 1, most: 32767 }),
  tcp(6, { first: 9, least: 1, most: 127 }),
  tcp(7, { first: 6, least: 1, most: 127 }),
  tcp(8, { first: 60 }),
  tcp(9, { first: 0 }),
  tcp(10, { first: 0, least: 0 }),
  [11, tcpInfo],
  [12, onOff(IPPROTO_TCP, 12, 1)],
  [TCP_CONGESTION, congestion],
  tcp(16, { least: 0, most: 1 }),
  [17, thinAnswers],
  tcp(18, { first: 0, least: 0 }),
  [19, notRepaired((ctx) => intBytes(ctx, 0))],
  [20, notRepaired()],
  [21, queuePlace],
  tcp(23, { first: 0, least: 0 }),
  [24, timestampClock],
  tcp(25, { first: 0 }),
  // TCP_CC_INFO, of which cubic has none; TCP_SAVE_SYN, and what it has saved.
  [26, { get: () => new Uint8Array(0) }],
  tcp(27, { least: 0, most: 2 }),
  [28, { get: () => new Uint8Array(0) }],
  [29, notRepaired()],
  [30, onOff(IPPROTO_TCP, 30)],
  // Protocols above TCP in the kernel, as that of TLS: there are none.
  [TCP_ULP, { get: () => new Uint8Array(0), set: () => fail(ENOENT) }],
  [34, withoutCookie],
  [36, onOff(IPPROTO_TCP, 36)],
  tcp(37, { least: 0 }),
]);

/** How many hops a datagram may go, an option that -1 resets. */
const hops = (level: number, name: number, range: { first: number; least: number }): [number, Option] => [
  name,
  kept(level, name, { ...range, most: 255, resets: true }),
];

/** Not for streams. */
const datagramsOnly = (errno: number, [name, option]: [number, Option]): [number, Option] => [
  name,
  {
    get: option.get,
    set: (ctx, socket, bytes) => {
      if (socket.type === SOCK_STREAM) fail(errno);
      option.set!(ctx, socket, bytes);
    },
  },
];

/** IP_TOS: a byte, of which TCP keeps two bits for itself. */
const typeOfService: Option = {
  ...kept(IPPROTO_IP, IP_TOS),
  set: (ctx, socket, bytes) => {
    const mine = socket.protocol === IPPROTO_TCP ? 0xfc : 0xff;
    socket.setOption(IP_TOS, toSmallInt(ctx, bytes) & mine, IPPROTO_IP);
  },
};

/** IP_UNICAST_IF, IPV6_UNICAST_IF: the number of an interface in the order of the net, or none. */
const unicastInterface = (level: number, name: number): [number, Option] => [
  name,
  {
    get: (_ctx, socket) => Uint8Array.of(0, 0, 0, socket.option(name, level)),
    set: (_ctx, socket, bytes) => {
      if (bytes.length < 4) fail(EINVAL);
      const index = new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, false);
      if (index !== 0 && index !== LOOPBACK.index) fail(EADDRNOTAVAIL);
      socket.setOption(name, index, level);
    },
  },
];
/** What concerns raw sockets alone: IP_HDRINCL, IP_NODEFRAG. */
const ofRaw = told(() => 0);

const IP_OPTIONS = new Map<number, Option>([
  [IP_TOS, typeOfService],
  hops(IPPROTO_IP, IP_TTL, { first: PLAIN_HEADER.hops, least: 1 }),
  [3, ofRaw],
  [4, { get: () => new Uint8Array(0), set: () => {} }],
  // IP_ROUTER_ALERT: for raw sockets.
  [5, { get: (ctx) => intBytes(ctx, 0), set: () => fail(EINVAL) }],
  [21, kept(IPPROTO_IP, 21, { least: 0, most: 255 })],
  [22, ofRaw],
  [26, kept(IPPROTO_IP, 26, { least: 0, most: 1 })],
  unicastInterface(IPPROTO_IP, 50),
  ...[6, 7, 8, 11, 12, 13, 15, 18, 19, 20, 23, 24, 25].map((name): [number, Option] => [
    name,
    onOff(IPPROTO_IP, name),
  ]),
  [10, kept(IPPROTO_IP, 10, { first: 1, least: 0, most: 5 })],
  [
    14,
    {
      get: (ctx, socket) => {
        if (socket.remote === undefined) throw new SysError(ENOTCONN);
        return intBytes(ctx, 65536);
      },
    },
  ],
  datagramsOnly(EINVAL, hops(IPPROTO_IP, IP_MULTICAST_TTL, { first: 1, least: 0 })),
  [34, onOff(IPPROTO_IP, 34, 1)],
  [IP_MULTICAST_ALL, onOff(IPPROTO_IP, IP_MULTICAST_ALL, 1)],
  ...MULTICAST_OPTIONS,
]);

/** IPV6_MTU: that of a connection's way; what is set is the most that goes in one piece. */
const mtu6: Option = {
  get: (ctx, socket) => (socket.remote === undefined ? fail(ENOTCONN) : intBytes(ctx, LOOPBACK.mtu)),
  set: (ctx, _socket, bytes) => {
    const value = toInt(ctx, bytes);
    if (value !== 0 && value < MTU_LEAST) fail(EINVAL);
  },
};
const MTU_LEAST = 1280;

const IPV6_OPTIONS = new Map<number, Option>([
  hops(IPPROTO_IPV6, IPV6_UNICAST_HOPS, { first: PLAIN_HEADER.hops, least: 0 }),
  datagramsOnly(ENOPROTOOPT, [17, kept(IPPROTO_IPV6, 17, { least: 0, most: 1, wrong: ENODEV })]),
  datagramsOnly(ENOPROTOOPT, hops(IPPROTO_IPV6, 18, { first: 1, least: 0 })),
  [29, onOff(IPPROTO_IPV6, 29, 1)],
  ...MULTICAST6_OPTIONS,
  [19, onOff(IPPROTO_IPV6, 19, 1)],
  [23, kept(IPPROTO_IPV6, 23, { first: 1, least: 0, most: 5 })],
  [24, mtu6],
  [70, onOff(IPPROTO_IPV6, 70, 1)],
  [73, kept(IPPROTO_IPV6, 73, { least: 0, most: 255 })],
  [75, onlyWith(CAP_NET_RAW | CAP_NET_ADMIN, onOff(IPPROTO_IPV6, 75))],
  unicastInterface(IPPROTO_IPV6, 76),
  // What a peer may say in headers of its own, which nobody does: of IPV6_2292*, IPV6_RECV*; and what else changes nothing here.
  ...[3, 4, 5, 30, 33, 56, 58, 60, 62, 77, 78].map((name): [number, Option] => [
    name,
    onOff(IPPROTO_IPV6, name),
  ]),
  ...[IPV6_2292PKTINFO, IPV6_2292HOPLIMIT, 25, 49, 51, 53, 55, 57, 59, 66, 74].map(
    (name): [number, Option] => [name, onOff(IPPROTO_IPV6, name)],
  ),
  [IPV6_V6ONLY, beforeBind(onOff(IPPROTO_IPV6, IPV6_V6ONLY))],
  [IPV6_TCLASS, kept(IPPROTO_IPV6, IPV6_TCLASS, { least: 0, most: 255, resets: true })],
]);

const UDP_OPTIONS = new Map<number, Option>([
  [1, onOff(IPPROTO_UDP, 1)],
  [101, onOff(IPPROTO_UDP, 101)],
  [102, onOff(IPPROTO_UDP, 102)],
  [UDP_SEGMENT, kept(IPPROTO_UDP, UDP_SEGMENT, { least: 0, most: 65535 })],
]);

/** How much of each datagram its checksum covers. */
const UDPLITE_OPTIONS = new Map<number, Option>(
  [10, 11].map((name) => [name, kept(IPPROTO_UDPLITE, name, { least: 0, most: 65535 })]),
);

/** An option of a socket. Throws `noLevel` where an Internet socket has none at that level, others EOPNOTSUPP. */
function optionOf({ domain, protocol }: Socket, level: number, name: number, noLevel: number): Option {
  const isInternet = domain !== AF_UNIX;
  const levels: [number, boolean, Map<number, Option>][] = [
    [SOL_SOCKET, true, SOCKET_OPTIONS],
    [IPPROTO_TCP, protocol === IPPROTO_TCP, TCP_OPTIONS],
    [IPPROTO_UDP, protocol === IPPROTO_UDP, UDP_OPTIONS],
    [IPPROTO_UDPLITE, protocol === IPPROTO_UDPLITE, UDPLITE_OPTIONS],
    [IPPROTO_IP, isInternet, IP_OPTIONS],
    [IPPROTO_IPV6, domain === AF_INET6, IPV6_OPTIONS],
  ];
  const found = levels.find(([number, has]) => number === level && has)?.[2];
  if (found === undefined) throw new SysError(isInternet ? noLevel : EOPNOTSUPP);
  const option = found.get(name);
  if (option === undefined) throw new SysError(ENOPROTOOPT);
  return option;
}

function getsockopt(ctx: SyscallContext): number {
  const socket = socketArg(ctx, 0);
  const lengthAt = ctx.args.address(4);
  ctx.memory.checkLoad(lengthAt, 4);
  const room = ctx.memory.read32(lengthAt);
  if (room < 0) throw new SysError(EINVAL);
  const name = ctx.args.int(2);
  const option = optionOf(socket, ctx.args.int(1), name, EOPNOTSUPP);
  if (option.put !== undefined) {
    ctx.put32(lengthAt, option.put(ctx, socket, room));
    return 0;
  }
  const bytes = option.get(ctx, socket, room);
  if ((option.least && room < bytes.length) || (option.most && room > bytes.length)) fail(EINVAL);
  if (name === 59 && room < bytes.length) {
    ctx.put32(lengthAt, bytes.length);
    throw new SysError(ERANGE);
  }
  const given = bytes.subarray(0, room);
  ctx.memory.write(ctx.args.address(3), given);
  ctx.put32(lengthAt, given.length);
  return 0;
}

/** Whether an option of TCP or UDP has too few bytes for a number, which is said before whether there is such an option. */
const isShort = (level: number, name: number, length: number): boolean =>
  length < 4 &&
  [IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE].includes(level) &&
  !(level === IPPROTO_TCP && NAMES.includes(name));

function setsockopt(ctx: SyscallContext): number {
  const socket = socketArg(ctx, 0);
  const length = ctx.args.int(4);
  if (length < 0) throw new SysError(EINVAL);
  const [level, name] = [ctx.args.int(1), ctx.args.int(2)];
  if (level === SOL_SOCKET && name !== SO_BINDTODEVICE && length < 4) fail(EINVAL);
  if (level === socket.protocol && isShort(level, name, length)) fail(EINVAL);
  const option = optionOf(socket, level, name, ENOPROTOOPT);
  if (option.set === undefined) throw new SysError(ENOPROTOOPT);
  option.set(ctx, socket, ctx.memory.read(ctx.args.address(3), Math.min(length, option.room ?? 64)));
  return 0;
}

export const SOCKET_OPTION_CALLS: readonly SyscallRow[] = [
  { name: "getsockopt", args: "fd int int ptr ptr", handler: getsockopt },
  { name: "setsockopt", args: "fd int int ptr int", handler: setsockopt },
];
