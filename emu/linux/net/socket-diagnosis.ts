/** NETLINK_SOCK_DIAG: what ss(8) asks of sockets (Linux: net/core/sock_diag.c, net/ipv4/inet_diag.c, net/unix/diag.c, net/netlink/diag.c). */
import { EINVAL, ENOENT, ESTALE } from "../errno.ts";
import { type Address, anyAddress, isAny, netlinkAddress } from "./address.ts";
import { Builder } from "./netlink-message.ts";
import type { Socket } from "./socket.ts";
import {
  AF_INET,
  AF_INET6,
  AF_NETLINK,
  AF_UNIX,
  IP_TOS,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPPROTO_UDPLITE,
  IPV6_TCLASS,
  IPV6_V6ONLY,
  SO_BINDTODEVICE,
} from "./socket-constants.ts";
import { StreamSocket, TCP_CLOSE, TCP_ESTABLISHED, TCP_LISTEN } from "./stream-socket.ts";

/** A socket with its number and whose it is; one that nobody has accepted yet has no number. */
export interface ListedSocket {
  readonly socket: Socket;
  readonly ino: bigint;
  readonly uid: number;
}

/** What is asked: the bytes behind the header of the message. */
interface Question {
  readonly view: DataView;
  readonly isDump: boolean;
  readonly littleEndian: boolean;
}

/** Messages, or the error that is told. `status`: what ends a dump. */
export type Diagnosis = { readonly messages: Uint8Array[]; readonly status: number } | number;

/** Bytes of inet_diag_req_v2, unix_diag_req, netlink_diag_req. */
const INET_REQUEST = 56;
const UNIX_REQUEST = 24;
const NETLINK_REQUEST = 20;
const NO_COOKIE = 0xffff_ffff;
const AF_MAX = 46;
const ALL_PROTOCOLS = 255;
/** Bytes of struct tcp_info, as getsockopt(2) gives it. */
const INFO_SIZE = 232;

/** Numbers of a socket's memory: SK_MEMINFO_VARS, of which the sizes of buffers are known. */
function memory(
  builder: Builder,
  type: number,
  { inbox, receiveBuffer, sendBuffer }: Socket,
  little: boolean,
): void {
  const numbers = new Builder(little);
  for (const value of [inbox.size, receiveBuffer, 0, sendBuffer, 0, 0, 0, 0, 0]) numbers.number(4, value);
  builder.attribute(type, [...numbers.finish()]);
}

const shutdownOf = ({ readShut, writeShut }: Socket): number => (readShut ? 1 : 0) | (writeShut ? 2 : 0);

/** A number that no other socket has. */
const cookie = (builder: Builder, ino: bigint): Builder => builder.number(4, Number(ino)).number(4, 0);

const isOther = ({ view, littleEndian }: Question, at: number, ino: bigint): boolean => {
  const [low, high] = [view.getUint32(at, littleEndian), view.getUint32(at + 4, littleEndian)];
  return !(low === NO_COOKIE && high === NO_COOKIE) && (BigInt(low) !== ino || high !== 0);
};

// ---- the internet ------------------------------------------------------------------------------------------

function stateOf(socket: Socket): number {
  if (socket instanceof StreamSocket) return socket.tcpState;
  return socket.remote === undefined ? TCP_CLOSE : TCP_ESTABLISHED;
}

function inetMessage(
  { socket, ino, uid }: ListedSocket,
  extensions: number,
  littleEndian: boolean,
): Uint8Array {
  const { domain, local, remote, inbox } = socket;
  const state = stateOf(socket);
  const ends = [local ?? anyAddress(domain), remote ?? anyAddress(domain)];
  const builder = new Builder(littleEndian).number(1, domain).number(1, state).number(2, 0);
  for (const { port } of ends) builder.raw([port >> 8, port & 0xff], 1);
  for (const { name } of ends) builder.raw([...name, ...new Array(16 - name.length).fill(0)], 1);
  cookie(builder.number(4, socket.option(SO_BINDTODEVICE)), socket.ino);
  const isListening = socket instanceof StreamSocket && state === TCP_LISTEN;
  const queues = isListening ? [socket.waiting.length, socket.backlog] : [inbox.size, 0];
  for (const value of [0, ...queues, uid, Number(ino)]) builder.number(4, value);
  const wants = (type: number) => (extensions & (1 << (type - 1))) !== 0;
  builder.attribute(8, [shutdownOf(socket)]);
  if (wants(5)) builder.attribute(5, [socket.option(IP_TOS, IPPROTO_IP)]);
  if (domain === AF_INET6) {
    if (wants(6)) builder.attribute(6, [socket.option(IPV6_TCLASS, IPPROTO_IPV6)]);
    builder.attribute(11, [socket.option(IPV6_V6ONLY, IPPROTO_IPV6)]);
  }
  if (wants(1))
    builder.attribute(1, [
      ...new Builder(littleEndian).number(4, inbox.size).raw(new Array(12).fill(0)).finish(),
    ]);
  if (wants(7)) memory(builder, 7, socket, littleEndian);
  if (socket.protocol === IPPROTO_TCP && state !== TCP_CLOSE) {
    if (wants(2)) builder.attribute(2, [state, ...new Array(INFO_SIZE - 1).fill(0)]);
    if (wants(4)) builder.attribute(4, [...new TextEncoder().encode("cubic\0")]);
  }
  return builder.finish();
}

function inet(question: Question, rows: readonly ListedSocket[]): Diagnosis {
  const { view, isDump, littleEndian } = question;
  if (view.byteLength < INET_REQUEST) return EINVAL;
  const [family, protocol, extensions] = [0, 1, 2].map((at) => view.getUint8(at));
  const states = view.getUint32(4, littleEndian);
  const [sport, dport] = [view.getUint16(8), view.getUint16(10)];
  const known = [IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE].includes(protocol);
  if (!known) return isDump ? { messages: [], status: -ENOENT } : ENOENT;
  const size = family === AF_INET ? 4 : 16;
  const isAt = (end: Address | undefined, at: number): boolean => {
    const name = new Uint8Array(view.buffer, view.byteOffset + at, size);
    return end === undefined || isAny(end) || name.every((byte, i) => byte === end.name[i]);
  };
  const found = rows.filter(({ socket }) => {
    const { domain, local, remote } = socket;
    if (domain !== family || socket.protocol !== protocol || local === undefined) return false;
    if (socket instanceof StreamSocket && stateOf(socket) === TCP_CLOSE) return false;
    const port = remote?.port ?? 0;
    if (isDump) {
      const isWanted = ((states >>> stateOf(socket)) & 1) !== 0;
      return isWanted && (sport === 0 || local.port === sport) && (dport === 0 || port === dport);
    }
    return local.port === sport && port === dport && isAt(local, 12) && isAt(remote, 28);
  });
  if (isDump) return { messages: found.map((row) => inetMessage(row, extensions, littleEndian)), status: 0 };
  const [first] = found;
  if (first === undefined || isOther(question, 48, first.socket.ino)) return ENOENT;
  return { messages: [inetMessage(first, extensions, littleEndian)], status: 0 };
}

// ---- AF_UNIX -----------------------------------------------------------------------------------------------

const unixState = (socket: Socket): number => {
  if (socket.isListening) return TCP_LISTEN;
  return socket.connected === undefined ? TCP_CLOSE : TCP_ESTABLISHED;
};

function unixMessage(
  { socket, ino, uid }: ListedSocket,
  show: number,
  hidden: ReadonlySet<Socket>,
  littleEndian: boolean,
): Uint8Array {
  const { local, type, inbox, connected } = socket;
  const builder = new Builder(littleEndian);
  builder.number(1, AF_UNIX).number(1, type).number(1, unixState(socket)).number(1, 0).number(4, Number(ino));
  cookie(builder, ino);
  const listener = socket instanceof StreamSocket && socket.isListening ? socket : undefined;
  const name = local === undefined ? [] : [...local.name];
  if (show & 1 && name.length > 0) builder.attribute(0, name[0] === 0 ? name : [...name, 0]);
  if (show & 4 && connected !== undefined) builder.word(2, hidden.has(connected) ? 0 : Number(connected.ino));
  if (show & 8 && listener !== undefined) {
    const numbers = new Builder(littleEndian);
    for (const { peer } of listener.waiting) numbers.number(4, Number(peer?.ino ?? 0n));
    builder.attribute(3, [...numbers.finish()]);
  }
  if (show & 16) {
    const lengths = listener === undefined ? [inbox.size, 0] : [listener.waiting.length, listener.backlog];
    const numbers = new Builder(littleEndian).number(4, lengths[0]).number(4, lengths[1]);
    builder.attribute(4, [...numbers.finish()]);
  }
  if (show & 32) memory(builder, 5, socket, littleEndian);
  builder.attribute(6, [shutdownOf(socket)]);
  if (show & 64) builder.word(7, uid);
  return builder.finish();
}

function unix(question: Question, rows: readonly ListedSocket[]): Diagnosis {
  const { view, isDump, littleEndian } = question;
  if (view.byteLength < UNIX_REQUEST) return EINVAL;
  const [states, wanted, show] = [4, 8, 12].map((at) => view.getUint32(at, littleEndian));
  const all = rows.filter(({ socket }) => socket.isUnix);
  const hidden = new Set(all.filter(({ ino }) => ino === 0n).map(({ socket }) => socket));
  const shown = all.filter(({ ino }) => ino !== 0n);
  const tell = (row: ListedSocket) => unixMessage(row, show, hidden, littleEndian);
  if (isDump)
    return {
      messages: shown.filter(({ socket }) => (states >>> unixState(socket)) & 1).map(tell),
      status: 0,
    };
  if (wanted === 0) return EINVAL;
  const found = shown.find(({ ino }) => Number(ino) === wanted);
  if (found === undefined) return ENOENT;
  return isOther(question, 16, found.ino) ? ESTALE : { messages: [tell(found)], status: 0 };
}

// ---- AF_NETLINK --------------------------------------------------------------------------------------------

/** Those of AF_NETLINK that tables show: they stand there from when they are bound. */
export const isListedNetlink = ({ domain, local }: ListedSocket["socket"]): boolean =>
  domain === AF_NETLINK && local !== undefined;

function netlink({ view, isDump, littleEndian }: Question, rows: readonly ListedSocket[]): Diagnosis {
  if (view.byteLength < NETLINK_REQUEST) return EINVAL;
  if (!isDump) return EINVAL;
  const protocol = view.getUint8(1);
  const found = rows.filter(
    ({ socket }) => isListedNetlink(socket) && (protocol === ALL_PROTOCOLS || socket.protocol === protocol),
  );
  const messages = found.map(({ socket, ino }) => {
    const builder = new Builder(littleEndian);
    for (const byte of [AF_NETLINK, socket.type, socket.protocol, TCP_CLOSE]) builder.number(1, byte);
    builder
      .raw((socket.local ?? netlinkAddress(0)).name.slice(0, 4))
      .number(4, 0)
      .number(4, 0);
    return cookie(builder.number(4, Number(ino)), ino).finish();
  });
  return { messages, status: 0 };
}

/** Answers a question that begins with the family it is about. */
export function diagnose(
  bytes: Uint8Array,
  rows: readonly ListedSocket[],
  { isDump, littleEndian }: { isDump: boolean; littleEndian: boolean },
): Diagnosis {
  if (bytes.length < 2 || bytes[0] >= AF_MAX) return EINVAL;
  const question = { view: new DataView(bytes.slice().buffer), isDump, littleEndian };
  switch (bytes[0]) {
    case AF_INET:
    case AF_INET6:
      return inet(question, rows);
    case AF_UNIX:
      return unix(question, rows);
    case AF_NETLINK:
      return netlink(question, rows);
    default:
      return ENOENT;
  }
}
