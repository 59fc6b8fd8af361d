/** Options of groups of multicast: IP_ADD_MEMBERSHIP, IPV6_JOIN_GROUP, MCAST_JOIN_GROUP and their kin (Linux: net/ipv4/ip_sockglue.c, net/ipv6). */
import {
  EADDRNOTAVAIL,
  EADDRINUSE,
  EINVAL,
  ENOBUFS,
  ENODEV,
  ENOPROTOOPT,
  EPROTO,
  SysError,
} from "../errno.ts";
import { isLoopback, isMulticast } from "../net/address.ts";
import { LOOPBACK } from "../net/loopback-interface.ts";
import {
  changeSource,
  joinGroup,
  leaveGroup,
  MOST_SOURCES,
  MOST_SOURCES6,
  membershipOf,
  setSources,
} from "../net/multicast.ts";
import type { Socket } from "../net/socket.ts";
import { AF_INET, AF_INET6, IP_MULTICAST_IF, IPPROTO_IP, SOCK_STREAM } from "../net/socket-constants.ts";
import { StreamSocket } from "../net/stream-socket.ts";
import type { SyscallContext } from "../syscall.ts";
import { intBytes, type SocketOption } from "./sockets-common.ts";

const fail = (errno: number): never => {
  throw new SysError(errno);
};
const untold = (): never => fail(ENOPROTOOPT);

/** struct sockaddr_storage, and where an address stands in one. */
const STORAGE = 128;
/** Most bytes of such an option (/proc/sys/net/core/optmem_max). */
const OPTION_MAX = 20480;
/** Numbers in a struct ip_msfilter before the sources. */
const FILTER_HEAD = 16;
const INCLUDE = 1;

/** Which socket of what kind has joined something is known to the network. */
function changing<T>(socket: Socket, change: () => T): T {
  try {
    return change();
  } finally {
    const { members } = socket.network;
    if (socket.groups.length > 0) members.add(socket);
    else members.delete(socket);
  }
}

const isNone = (name: Uint8Array): boolean => name.every((byte) => byte === 0);

/** The number of the interface that an address or a number says: of a group alone no route tells. 0 for none. */
function interfaceOf(index: number, address: Uint8Array = new Uint8Array(4)): number {
  if (index !== 0) return index === LOOPBACK.index ? index : 0;
  return isLoopback({ family: AF_INET, name: address, port: 0 }) ? LOOPBACK.index : 0;
}

/** Throws EINVAL for what is no group. */
function checkGroup(name: Uint8Array): void {
  if (!isMulticast({ family: name.length === 4 ? AF_INET : AF_INET6, name, port: 0 })) fail(EINVAL);
}

/** Joins a group by an interface. Throws EINVAL, ENODEV, EADDRINUSE, ENOBUFS. */
function join(socket: Socket, group: Uint8Array, by: number, include = false): void {
  checkGroup(group);
  if (by === 0) fail(ENODEV);
  changing(socket, () => joinGroup(socket, group, include));
}

/** What a change of sources does: which are named, and whether one more or one less is; for the first the group is joined as well. */
interface Change {
  readonly include: boolean;
  readonly add: boolean;
}
const [BLOCK, UNBLOCK, JOIN, LEAVE]: readonly Change[] = [
  { include: false, add: true },
  { include: false, add: false },
  { include: true, add: true },
  { include: true, add: false },
];

function change(socket: Socket, group: Uint8Array, by: number, source: Uint8Array, what: Change): void {
  if (what === JOIN) {
    try {
      join(socket, group, by, true);
    } catch (error) {
      if (!(error instanceof SysError && error.errno === EADDRINUSE)) throw error;
    }
  }
  checkGroup(group);
  if (by === 0) fail(ENODEV);
  changing(socket, () => changeSource(socket, group, source, what));
}

// ---- of IPv4 alone -----------------------------------------------------------------------------------------

/** The parts of a struct ip_mreq or ip_mreqn. */
function requestOf(ctx: SyscallContext, socket: Socket, bytes: Uint8Array) {
  if (socket instanceof StreamSocket) fail(EPROTO);
  if (bytes.length < 8) fail(EINVAL);
  const index = bytes.length >= 12 ? numberAt(ctx, bytes, 8) : 0;
  return { group: bytes.slice(0, 4), address: bytes.slice(4, 8), index };
}

const numberAt = ({ abi }: SyscallContext, bytes: Uint8Array, at: number): number =>
  new DataView(bytes.buffer, bytes.byteOffset).getInt32(at, abi.littleEndian);

const addMembership: SocketOption = {
  get: untold,
  set: (ctx, socket, bytes) => {
    const { group, address, index } = requestOf(ctx, socket, bytes);
    join(socket, group, interfaceOf(index, address));
  },
};
const dropMembership: SocketOption = {
  get: untold,
  set: (ctx, socket, bytes) => {
    const { group, address, index } = requestOf(ctx, socket, bytes);
    leave(socket, group, index, address);
  },
};

function leave(socket: Socket, group: Uint8Array, index: number, address = new Uint8Array(4)): void {
  if (interfaceOf(index, address) === 0) fail(index === 0 && isNone(address) ? ENODEV : EADDRNOTAVAIL);
  changing(socket, () => leaveGroup(socket, group));
}

/** struct ip_mreq_source: group, interface, source. */
const sourceOf4 = (what: Change): SocketOption => ({
  get: untold,
  set: (_ctx, socket, bytes) => {
    if (bytes.length !== 12) fail(EINVAL);
    const [group, address, source] = [0, 4, 8].map((at) => bytes.slice(at, at + 4));
    change(socket, group, interfaceOf(0, address), source, what);
  },
});

/** IP_MSFILTER: struct ip_msfilter. */
const sources4: SocketOption = {
  room: OPTION_MAX + 1,
  get: (ctx, socket, room) => {
    if (room < FILTER_HEAD) fail(EINVAL);
    const bytes = ctx.memory.read(ctx.args.address(3), FILTER_HEAD).slice();
    const [group, address] = [bytes.slice(0, 4), bytes.slice(4, 8)];
    checkGroup(group);
    if (interfaceOf(0, address) === 0) fail(ENODEV);
    const { include, sources } = membershipOf(socket, group) ?? fail(EADDRNOTAVAIL);
    const all = sources ?? [];
    const shown = all.slice(0, numberAt(ctx, bytes, 12) >>> 0);
    const given = new Uint8Array(FILTER_HEAD + 4 * shown.length);
    given.set(bytes);
    given.set(intBytes(ctx, include ? INCLUDE : 0), 8);
    given.set(intBytes(ctx, all.length), 12);
    for (const [i, source] of shown.entries()) given.set(source, FILTER_HEAD + 4 * i);
    return given;
  },
  set: (ctx, socket, bytes) => {
    if (bytes.length < FILTER_HEAD) fail(EINVAL);
    if (bytes.length > OPTION_MAX) fail(ENOBUFS);
    const count = numberAt(ctx, bytes, 12) >>> 0;
    if (count > MOST_SOURCES) fail(ENOBUFS);
    if (FILTER_HEAD + 4 * count > bytes.length) fail(EINVAL);
    const [group, address] = [bytes.slice(0, 4), bytes.slice(4, 8)];
    const sources = Array.from({ length: count }, (_, i) =>
      bytes.slice(FILTER_HEAD + 4 * i, FILTER_HEAD + 4 * i + 4),
    );
    replace(socket, group, interfaceOf(0, address), numberAt(ctx, bytes, 8), sources);
  },
};

function replace(socket: Socket, group: Uint8Array, by: number, mode: number, sources: Uint8Array[]): void {
  checkGroup(group);
  if (mode !== INCLUDE && mode !== 0) fail(EINVAL);
  if (by === 0) fail(ENODEV);
  changing(socket, () => setSources(socket, group, mode === INCLUDE, sources));
}

/** IP_MULTICAST_IF: by which interface and from which address datagrams go to groups. */
const multicastInterface: SocketOption = {
  get: (_ctx, socket) => {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setInt32(0, socket.option(IP_MULTICAST_IF, IPPROTO_IP));
    return bytes;
  },
  set: (ctx, socket, bytes) => {
    if (socket.type === SOCK_STREAM || bytes.length < 4) fail(EINVAL);
    const address = bytes.length >= 8 ? bytes.slice(4, 8) : bytes.slice(0, 4);
    const index = bytes.length >= 12 ? numberAt(ctx, bytes, 8) : 0;
    if (index === 0 && isNone(address)) {
      socket.options.delete(`${IPPROTO_IP}/${IP_MULTICAST_IF}`);
      return;
    }
    if (interfaceOf(index, address) === 0) fail(EADDRNOTAVAIL);
    socket.setOption(IP_MULTICAST_IF, new DataView(address.buffer).getInt32(0), IPPROTO_IP);
  },
};

// ---- of both protocols -------------------------------------------------------------------------------------

/** The bytes of an address in a struct sockaddr_storage of a family. Throws `wrong` for another one. */
function nameIn(
  { abi }: SyscallContext,
  bytes: Uint8Array,
  at: number,
  family: number,
  wrong: number,
): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (view.getUint16(at, abi.littleEndian) !== family) fail(wrong);
  return family === AF_INET ? bytes.slice(at + 4, at + 8) : bytes.slice(at + 8, at + 24);
}

/** Options of struct group_req, group_source_req and group_filter, whose addresses are aligned to words. */
function groupOptions(family: number): [number, SocketOption][] {
  const isFour = family === AF_INET;
  const most = isFour ? MOST_SOURCES : MOST_SOURCES6;
  /** Of group requests; those of sources and filters say EADDRNOTAVAIL of IPv4 as well. */
  const wrong = isFour ? EINVAL : EADDRNOTAVAIL;
  const room = 8 + 2 * STORAGE;
  const request = (ctx: SyscallContext, bytes: Uint8Array) => {
    const at = ctx.abi.wordSize;
    if (bytes.length < at + STORAGE) fail(EINVAL);
    return { index: numberAt(ctx, bytes, 0), group: nameIn(ctx, bytes, at, family, wrong) };
  };
  const sourceOption = (what: Change): SocketOption => ({
    get: untold,
    room,
    set: (ctx, socket, bytes) => {
      const at = ctx.abi.wordSize;
      if (bytes.length < at + 2 * STORAGE) fail(EINVAL);
      const source = nameIn(ctx, bytes, at + STORAGE, family, EADDRNOTAVAIL);
      const group = nameIn(ctx, bytes, at, family, EADDRNOTAVAIL);
      change(socket, group, interfaceOf(numberAt(ctx, bytes, 0)), source, what);
    },
  });
  const joins: SocketOption = {
    get: untold,
    room,
    set: (ctx, socket, bytes) => {
      const { index, group } = request(ctx, bytes);
      join(socket, group, interfaceOf(index));
    },
  };
  const leaves: SocketOption = {
    get: untold,
    room,
    set: (ctx, socket, bytes) => {
      const { index, group } = request(ctx, bytes);
      if (isFour) leave(socket, group, index);
      else leave6(socket, group, index);
    },
  };
  const filter: SocketOption = {
    room: OPTION_MAX + 1,
    get: (ctx, socket, space) => {
      const at = ctx.abi.wordSize;
      const head = at + STORAGE + 8;
      if (space < head) fail(EINVAL);
      const bytes = ctx.memory.read(ctx.args.address(3), head).slice();
      const group = nameIn(ctx, bytes, at, family, wrong);
      checkGroup(group);
      const { include, sources } = membershipOf(socket, group) ?? fail(EADDRNOTAVAIL);
      const all = sources ?? [];
      const shown = all.slice(0, numberAt(ctx, bytes, head - 4) >>> 0);
      const given = new Uint8Array(head + STORAGE * shown.length);
      given.set(bytes);
      given.set(intBytes(ctx, include ? INCLUDE : 0), head - 8);
      given.set(intBytes(ctx, all.length), head - 4);
      for (const [i, source] of shown.entries()) {
        new DataView(given.buffer).setUint16(head + STORAGE * i, family, ctx.abi.littleEndian);
        given.set(source, head + STORAGE * i + (isFour ? 4 : 8));
      }
      return given;
    },
    set: (ctx, socket, bytes) => {
      const at = ctx.abi.wordSize;
      const head = at + STORAGE + 8;
      if (bytes.length < head) fail(EINVAL);
      if (bytes.length > OPTION_MAX) fail(ENOBUFS);
      const count = numberAt(ctx, bytes, head - 4) >>> 0;
      if (count > most) fail(ENOBUFS);
      if (head + STORAGE * count > bytes.length) fail(EINVAL);
      const group = nameIn(ctx, bytes, at, family, EADDRNOTAVAIL);
      const sources = Array.from({ length: count }, (_, i) =>
        nameIn(ctx, bytes, head + STORAGE * i, family, EADDRNOTAVAIL),
      );
      replace(socket, group, interfaceOf(numberAt(ctx, bytes, 0)), numberAt(ctx, bytes, head - 8), sources);
    },
  };
  return [
    [42, joins],
    [43, sourceOption(BLOCK)],
    [44, sourceOption(UNBLOCK)],
    [45, leaves],
    [46, sourceOption(JOIN)],
    [47, sourceOption(LEAVE)],
    [48, filter],
  ];
}

/** Those of the level of IPv4. */
export const MULTICAST_OPTIONS: readonly [number, SocketOption][] = [
  [IP_MULTICAST_IF, multicastInterface],
  [35, addMembership],
  [36, dropMembership],
  [37, sourceOf4(UNBLOCK)],
  [38, sourceOf4(BLOCK)],
  [39, sourceOf4(JOIN)],
  [40, sourceOf4(LEAVE)],
  [41, sources4],
  ...groupOptions(AF_INET),
];

/** struct ipv6_mreq: a group, and the number of an interface. */
const request6 = (ctx: SyscallContext, socket: Socket, bytes: Uint8Array) => {
  if (bytes.length < 20) fail(EINVAL);
  if (socket instanceof StreamSocket) fail(EPROTO);
  return { group: bytes.slice(0, 16), index: numberAt(ctx, bytes, 16) };
};
function leave6(socket: Socket, group: Uint8Array, index: number): void {
  checkGroup(group);
  if (index !== 0 && index !== LOOPBACK.index) fail(EADDRNOTAVAIL);
  changing(socket, () => leaveGroup(socket, group));
}

/** Those of the level of IPv6. */
export const MULTICAST6_OPTIONS: readonly [number, SocketOption][] = [
  [
    20,
    {
      get: untold,
      set: (ctx, socket, bytes) => {
        const { group, index } = request6(ctx, socket, bytes);
        join(socket, group, interfaceOf(index));
      },
    },
  ],
  [
    21,
    {
      get: untold,
      set: (ctx, socket, bytes) => {
        const { group, index } = request6(ctx, socket, bytes);
        leave6(socket, group, index);
      },
    },
  ],
  ...groupOptions(AF_INET6),
];
