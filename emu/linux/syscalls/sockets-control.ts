/** What goes along with messages (cmsg(3)): descriptors, who sends, when it was sent. */
import { type AbiInfo, struct, TIMESPEC, TIMESPEC64, TIMEVAL } from "../abi.ts";
import {
  CAP_NET_ADMIN,
  CAP_NET_RAW,
  CAP_SETGID,
  CAP_SETUID,
  CAP_SYS_ADMIN,
  isCapable,
} from "../credentials.ts";
import { EBADF, EINVAL, ENOBUFS, ENODEV, EPERM, ESRCH, ETOOMANYREFS, SysError } from "../errno.ts";
import {
  type Address,
  asSeenBy,
  encodeAddress,
  goesToMany,
  isAny,
  loopback,
  unmapped,
} from "../net/address.ts";
import { type IpHeader, PLAIN_HEADER, type Sender } from "../net/inbox.ts";
import { LOOPBACK } from "../net/loopback-interface.ts";
import type { Outgoing, Received, Socket } from "../net/socket.ts";
import {
  AF_INET,
  AF_INET6,
  IP_PKTINFO,
  IP_RECVORIGDSTADDR,
  IP_RECVTOS,
  IP_RECVTTL,
  IP_RETOPTS,
  IP_TOS,
  IP_TTL,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_UDP,
  IPV6_2292HOPLIMIT,
  IPV6_2292PKTINFO,
  IPV6_HOPLIMIT,
  IPV6_PKTINFO,
  IPV6_RECVHOPLIMIT,
  IPV6_RECVORIGDSTADDR,
  IPV6_RECVPKTINFO,
  IPV6_RECVTCLASS,
  IPV6_TCLASS,
  MSG_CTRUNC,
  SCM_CREDENTIALS,
  SCM_MAX_FD,
  SCM_RIGHTS,
  SO_MARK,
  SO_PASSCRED,
  SO_TIMESTAMP,
  SO_TIMESTAMP_NEW,
  SO_TIMESTAMPING,
  SO_TIMESTAMPING_NEW,
  SO_TIMESTAMPNS,
  SO_TIMESTAMPNS_NEW,
  SOCK_DGRAM,
  SOF_TIMESTAMPING_SOFTWARE,
  SOF_TIMESTAMPING_TX,
  SOL_SOCKET,
  UDP_SEGMENT,
} from "../net/socket-constants.ts";
import { RLIMIT_NOFILE } from "../process.ts";
import type { SyscallContext } from "../syscall.ts";
import type { OpenFile } from "../vfs/open-file.ts";
import { files } from "./files-common.ts";
import { intBytes } from "./sockets-common.ts";
import { encodeTimeval64, timespecFields, timevalFields } from "./time-format.ts";

/** struct cmsghdr and struct ucred. */
export const CMSGHDR = struct({ cmsg_len: "ulong", cmsg_level: "i32", cmsg_type: "i32" });
export const UCRED = struct({ pid: "i32", uid: "u32", gid: "u32" });

/** What nobody has sent: the ids that stand for none (/proc/sys/kernel/overflowuid). */
const NOBODY: Sender = { pid: 0, uid: 65534, gid: 65534 };
/** Most bytes of control messages that are looked at (/proc/sys/net/core/optmem_max). */
const CONTROL_MAX = 20480;

/** What a program gives along with a message. */
export interface Given extends Pick<Outgoing, "header" | "segment" | "via"> {
  files: readonly OpenFile[];
  sender: Sender | undefined;
}

const aligned = (ctx: SyscallContext, length: number): number =>
  Math.ceil(length / ctx.abi.wordSize) * ctx.abi.wordSize;

/** The descriptions of an array of descriptors. Throws EINVAL for too many, EBADF, ETOOMANYREFS. */
function takeRights(ctx: SyscallContext, socket: Socket, bytes: Uint8Array): OpenFile[] {
  const count = Math.floor(bytes.length / 4);
  if (count > SCM_MAX_FD) throw new SysError(EINVAL);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const { descriptors } = files(ctx);
  const taken: OpenFile[] = [];
  for (let i = 0; i < count; i++) {
    const fd = view.getInt32(4 * i, ctx.abi.littleEndian);
    if (!descriptors.has(fd)) throw new SysError(EBADF);
    taken.push(descriptors.get(fd));
  }
  const limit = ctx.process.limits[RLIMIT_NOFILE]?.soft ?? 1024n;
  if (BigInt(socket.network.inFlight.count) > limit) throw new SysError(ETOOMANYREFS);
  return taken;
}

/** Who a program says it is: itself, with any of its ids; others take a privilege (Linux: scm_check_creds). Throws EPERM, ESRCH. */
function takeSender(ctx: SyscallContext, bytes: Uint8Array): Sender {
  if (bytes.length !== UCRED.size(ctx.abi)) throw new SysError(EINVAL);
  const { pid, uid, gid } = UCRED.decode(ctx.abi, bytes);
  const { process, thread, kernel } = ctx;
  const own = thread.credentials;
  const isAllowed =
    (pid === process.pid || isCapable(own, CAP_SYS_ADMIN)) &&
    ([own.uid, own.euid, own.suid].includes(uid) || isCapable(own, CAP_SETUID)) &&
    ([own.gid, own.egid, own.sgid].includes(gid) || isCapable(own, CAP_SETGID));
  if (!isAllowed) throw new SysError(EPERM);
  if (!kernel.processes.has(pid)) throw new SysError(ESRCH);
  return { pid, uid, gid };
}

/** A control message that says what is to stand in a datagram's header, and the least that it may be. */
interface HeaderControl {
  readonly field: "hops" | "tos";
  readonly least: number;
  /** Whether a byte does as well as an int. */
  readonly byte?: boolean;
}

/** By level and type. "other" ones are something else, or mean nothing here: there is one interface, and no route to choose. */
const HEADER_CONTROLS: ReadonlyMap<number, ReadonlyMap<number, HeaderControl | "other">> = new Map([
  [
    IPPROTO_IP,
    new Map<number, HeaderControl | "other">([
      [IP_TTL, { field: "hops", least: 1 }],
      [IP_TOS, { field: "tos", least: 0, byte: true }],
      [IP_RETOPTS, "other"],
      [IP_PKTINFO, "other"],
    ]),
  ],
  [
    IPPROTO_IPV6,
    new Map<number, HeaderControl | "other">([
      [IPV6_HOPLIMIT, { field: "hops", least: -1 }],
      [IPV6_TCLASS, { field: "tos", least: -1 }],
      [IPV6_PKTINFO, "other"],
      // IPV6_FLOWINFO, HOPOPTS, RTHDR, DSTOPTS, DONTFRAG.
      ...[11, 54, 57, 59, 62].map((type): [number, "other"] => [type, "other"]),
    ]),
  ],
]);

const invalid = (): never => {
  throw new SysError(EINVAL);
};

/** What a control message wants in a datagram's header; -1 is for what the socket has set (Linux: ip_cmsg_send). Throws EINVAL. */
function takeHeader(
  { abi }: SyscallContext,
  control: HeaderControl | "other" | undefined,
  bytes: Uint8Array,
): Partial<IpHeader> {
  if (control === undefined) return invalid();
  if (control === "other") return {};
  const isByte = control.byte && bytes.length === 1;
  if (!isByte && bytes.length !== 4) invalid();
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const value = isByte ? bytes[0] : view.getInt32(0, abi.littleEndian);
  if (value < control.least || value > 255) invalid();
  return value < 0 ? {} : { [control.field]: value };
}

/** A control message of the socket's own level, where that is no socket of AF_UNIX (Linux: __sock_cmsg_send). Throws EINVAL, EPERM. */
function checkOwn({ abi, thread }: SyscallContext, type: number, bytes: Uint8Array): void {
  if (type === SCM_RIGHTS || type === SCM_CREDENTIALS) return;
  if (type === SO_MARK && !isCapable(thread.credentials, CAP_NET_RAW | CAP_NET_ADMIN))
    throw new SysError(EPERM);
  const isStamp = type === SO_TIMESTAMPING || type === SO_TIMESTAMPING_NEW;
  if ((type !== SO_MARK && !isStamp) || bytes.length !== 4) invalid();
  const value = new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, abi.littleEndian);
  if (isStamp && (value & ~SOF_TIMESTAMPING_TX) !== 0) invalid();
}

/** IP_PKTINFO: by what interface a datagram goes, and from where. Throws EINVAL, ENODEV. */
function takeVia({ abi }: SyscallContext, bytes: Uint8Array): Given["via"] {
  if (bytes.length !== IN_PKTINFO.size(abi)) invalid();
  const { ifindex, spec_dst } = IN_PKTINFO.decode(abi, bytes);
  if (ifindex !== 0 && ifindex !== LOOPBACK.index) throw new SysError(ENODEV);
  return { interface: ifindex, source: spec_dst };
}

/** UDP_SEGMENT, the only control message of UDP. Throws EINVAL. */
function takeSegment({ abi }: SyscallContext, type: number, bytes: Uint8Array): number {
  if (type !== UDP_SEGMENT || bytes.length !== 2) invalid();
  return new DataView(bytes.buffer, bytes.byteOffset).getUint16(0, abi.littleEndian);
}

/** Takes the control messages at `at` that come with a message. Throws EINVAL, EBADF, EPERM, ESRCH, ETOOMANYREFS. */
export function takeControl(ctx: SyscallContext, socket: Socket, at: number, length: number): Given {
  const head = CMSGHDR.size(ctx.abi);
  const isUdp = !socket.isUnix && socket.type === SOCK_DGRAM;
  const header: Record<number, Partial<IpHeader>> = {};
  const given: { files: OpenFile[]; sender: Sender | undefined } = { files: [], sender: undefined };
  let segment: number | undefined;
  let via: Given["via"];
  if (length > CONTROL_MAX) throw new SysError(ENOBUFS);
  const bytes = ctx.memory.read(at, length);
  for (let start = 0; start + head <= length; ) {
    const { cmsg_len, cmsg_level, cmsg_type } = CMSGHDR.decode(ctx.abi, bytes.subarray(start));
    if (cmsg_len < BigInt(head) || cmsg_len > BigInt(length - start)) throw new SysError(EINVAL);
    const contents = bytes.subarray(start + head, start + Number(cmsg_len));
    start += aligned(ctx, Number(cmsg_len));
    const controls = HEADER_CONTROLS.get(cmsg_level);
    const concerns = isUdp && (cmsg_level === IPPROTO_IP || socket.domain === AF_INET6);
    if (controls !== undefined && concerns) {
      const wanted = takeHeader(ctx, controls.get(cmsg_type), contents);
      header[cmsg_level] = { ...header[cmsg_level], ...wanted };
      if (cmsg_level === IPPROTO_IP && cmsg_type === IP_PKTINFO) via = takeVia(ctx, contents);
    }
    if (socket.protocol === IPPROTO_UDP && cmsg_level === IPPROTO_UDP)
      segment = takeSegment(ctx, cmsg_type, contents);
    if (cmsg_level !== SOL_SOCKET) continue;
    if (!socket.isUnix) checkOwn(ctx, cmsg_type, contents);
    else if (cmsg_type === SCM_RIGHTS) given.files.push(...takeRights(ctx, socket, contents));
    else if (cmsg_type === SCM_CREDENTIALS) given.sender = takeSender(ctx, contents);
    else throw new SysError(EINVAL);
  }
  if (given.files.length > SCM_MAX_FD) throw new SysError(EINVAL);
  return { ...given, header, segment, via };
}

/** How much was put where the program wanted its control messages, and MSG_CTRUNC where that was not all. */
export interface Control {
  readonly length: number;
  readonly flags: number;
}

/** Puts control messages one after the other into what room there is. */
class Writer {
  length = 0;
  flags = 0;
  private readonly ctx: SyscallContext;
  private readonly at: number;
  private readonly room: number;
  readonly head: number;

  constructor(ctx: SyscallContext, at: number, room: number) {
    this.ctx = ctx;
    this.at = at;
    this.room = room;
    this.head = CMSGHDR.size(ctx.abi);
  }

  get left(): number {
    return this.room - this.length;
  }

  put(type: number, contents: Uint8Array, level = SOL_SOCKET): void {
    const { ctx, head, left } = this;
    const whole = head + contents.length;
    if (left < head) {
      this.flags |= MSG_CTRUNC;
      return;
    }
    if (left < whole) this.flags |= MSG_CTRUNC;
    const length = Math.min(whole, left);
    const start = this.at + this.length;
    ctx.put(CMSGHDR, start, { cmsg_len: length, cmsg_level: level, cmsg_type: type });
    ctx.memory.write(start + head, contents.subarray(0, length - head));
    this.length += Math.min(aligned(ctx, whole), left);
  }
}

/** Gives descriptions descriptors, as many as there is room for and the process may have. */
function putRights(
  ctx: SyscallContext,
  writer: Writer,
  sent: readonly OpenFile[],
  closeOnExec: boolean,
): void {
  const room = Math.max(0, Math.floor((writer.left - writer.head) / 4));
  const { descriptors } = files(ctx);
  const fds: number[] = [];
  for (const file of sent.slice(0, room)) {
    try {
      fds.push(descriptors.add(file, closeOnExec));
    } catch {
      break;
    }
  }
  if (fds.length < sent.length) writer.flags |= MSG_CTRUNC;
  if (fds.length === 0) return;
  const bytes = new Uint8Array(4 * fds.length);
  fds.forEach((fd, i) => {
    new DataView(bytes.buffer).setInt32(4 * i, fd, ctx.abi.littleEndian);
  });
  writer.put(SCM_RIGHTS, bytes);
}

/** struct in_pktinfo and in6_pktinfo: the interface that a datagram came by, and the address that it was for. */
const IN_PKTINFO = struct({ ifindex: "i32", spec_dst: ["bytes", 4], addr: ["bytes", 4] });
const IN6_PKTINFO = struct({ addr: ["bytes", 16], ifindex: "u32" });
/** What a program may want to know of a datagram's IP header: the option that says so, and what it is told then. */
interface HeaderField {
  readonly level: number;
  readonly option: number;
  readonly type: number;
  contents(ctx: SyscallContext, to: Address, header: IpHeader, from: Address): Uint8Array;
}

const hops: HeaderField["contents"] = (ctx, _to, header) => intBytes(ctx, header.hops);

const IP_FIELDS: readonly HeaderField[] = [
  {
    ...{ level: IPPROTO_IP, option: IP_PKTINFO, type: IP_PKTINFO },
    contents: ({ abi }, to, _header, from) => {
      // Where an answer would come from.
      const own = isAny(from) ? new Uint8Array(4) : loopback(AF_INET, 0).name;
      const spec_dst = goesToMany(to) ? own : to.name;
      return IN_PKTINFO.encode(abi, { ifindex: LOOPBACK.index, spec_dst, addr: to.name });
    },
  },
  { level: IPPROTO_IP, option: IP_RECVTTL, type: IP_TTL, contents: hops },
  {
    level: IPPROTO_IP,
    option: IP_RECVTOS,
    type: IP_TOS,
    contents: (_ctx, _to, { tos }) => Uint8Array.of(tos),
  },
  {
    ...{ level: IPPROTO_IP, option: IP_RECVORIGDSTADDR, type: IP_RECVORIGDSTADDR },
    contents: ({ abi }, to) => encodeAddress(to, abi.littleEndian),
  },
];
const pktinfo6: HeaderField = {
  ...{ level: IPPROTO_IPV6, option: IPV6_RECVPKTINFO, type: IPV6_PKTINFO },
  contents: ({ abi }, to) =>
    IN6_PKTINFO.encode(abi, { addr: asSeenBy(AF_INET6, to).name, ifindex: LOOPBACK.index }),
};
/** The options of RFC 2292 tell the same under their own names. */
const IPV6_FIELDS: readonly HeaderField[] = [
  pktinfo6,
  { level: IPPROTO_IPV6, option: IPV6_RECVHOPLIMIT, type: IPV6_HOPLIMIT, contents: hops },
  { ...pktinfo6, option: IPV6_2292PKTINFO, type: IPV6_2292PKTINFO },
  { level: IPPROTO_IPV6, option: IPV6_2292HOPLIMIT, type: IPV6_2292HOPLIMIT, contents: hops },
  {
    ...{ level: IPPROTO_IPV6, option: IPV6_RECVTCLASS, type: IPV6_TCLASS },
    contents: (ctx, _to, { tos }) => intBytes(ctx, tos),
  },
  {
    ...{ level: IPPROTO_IPV6, option: IPV6_RECVORIGDSTADDR, type: IPV6_RECVORIGDSTADDR },
    contents: ({ abi }, to) => encodeAddress(asSeenBy(AF_INET6, to), abi.littleEndian),
  },
];

/** Tells what stood in a datagram's header, as far as the program has asked for it (ip(7), ipv6(7)). */
function putHeader(
  ctx: SyscallContext,
  writer: Writer,
  socket: Socket,
  from: Address,
  header: IpHeader = PLAIN_HEADER,
): void {
  const { family } = unmapped(from);
  const { port } = socket.local!;
  const bound = isAny(socket.local!) ? loopback(family, port) : unmapped(socket.local!);
  const to = header.to ? { family, name: header.to, port } : bound;
  const ofFamily = family === AF_INET ? IP_FIELDS : [];
  for (const field of [...(socket.domain === AF_INET6 ? IPV6_FIELDS : []), ...ofFamily]) {
    const { level, option, type } = field;
    if (socket.option(option, level) !== 0) writer.put(type, field.contents(ctx, to, header, from), level);
  }
}

/** How the options tell when a message was sent. */
const TIMES: readonly (readonly [number, (abi: AbiInfo, time: bigint) => Uint8Array])[] = [
  [SO_TIMESTAMP, (abi, time) => TIMEVAL.encode(abi, timevalFields(time))],
  [SO_TIMESTAMPNS, (abi, time) => TIMESPEC.encode(abi, timespecFields(time))],
  [SO_TIMESTAMP_NEW, encodeTimeval64],
  [SO_TIMESTAMPNS_NEW, (abi, time) => TIMESPEC64.encode(abi, timespecFields(time))],
];
/** SO_TIMESTAMPING tells three times, of which hardware has taken two (struct scm_timestamping). */
const THREE_TIMES = [
  [SO_TIMESTAMPING, TIMESPEC],
  [SO_TIMESTAMPING_NEW, TIMESPEC64],
] as const;

/** Tells when a message was sent, as far as the program has asked for it (socket(7)). */
function putTimes({ abi }: SyscallContext, writer: Writer, socket: Socket, time: bigint): void {
  for (const [option, encode] of TIMES) {
    if (socket.option(option) !== 0) writer.put(option, encode(abi, time));
  }
  for (const [option, layout] of THREE_TIMES) {
    if ((socket.option(option) & SOF_TIMESTAMPING_SOFTWARE) === 0) continue;
    const times = new Uint8Array(3 * layout.size(abi));
    times.set(layout.encode(abi, timespecFields(time)));
    writer.put(option, times);
  }
}

/** Gives the program what came with a message. Throws EFAULT. */
export function putControl(
  ctx: SyscallContext,
  socket: Socket,
  { from, sender, files: sent, time, header }: Received,
  to: { at: number; room: number; closeOnExec: boolean },
): Control {
  const { abi } = ctx;
  const writer = new Writer(ctx, to.at, to.room);
  putTimes(ctx, writer, socket, time);
  if (socket.isUnix && socket.option(SO_PASSCRED)) {
    writer.put(SCM_CREDENTIALS, UCRED.encode(abi, { ...(sender ?? NOBODY) }));
  }
  const isDatagram = !socket.isUnix && socket.type === SOCK_DGRAM;
  if (isDatagram && from !== undefined && socket.local !== undefined)
    putHeader(ctx, writer, socket, from, header);
  if (sent.length > 0) putRights(ctx, writer, sent, to.closeOnExec);
  return { length: writer.length, flags: writer.flags };
}
