/**
 * Sockets of AF_NETLINK that speak rtnetlink(7), as far as C libraries ask which interfaces and addresses there are: those of the loopback.
 * What mq_notify(2) tells threads comes by them as well.
 */
import { joined } from "../../joined.ts";
import { EINVAL, ENETUNREACH, ENOBUFS, EOPNOTSUPP, EPERM, SysError } from "../errno.ts";
import { POLLERR, POLLIN, POLLOUT, POLLRDNORM, POLLWRBAND, POLLWRNORM } from "../vfs/readiness.ts";
import { type Address, loopback, netlinkAddress } from "./address.ts";
import { askGeneric } from "./generic-netlink.ts";
import { LOOPBACK } from "./loopback-interface.ts";
import { align, Builder } from "./netlink-message.ts";
import type { Network } from "./network.ts";
import { siftMessage } from "./packet-filter.ts";
import { END, type Outgoing, type Received, Socket } from "./socket.ts";
import { AF_INET, AF_INET6, NETLINK_GENERIC, NETLINK_ROUTE, NETLINK_SOCK_DIAG } from "./socket-constants.ts";
import { diagnose } from "./socket-diagnosis.ts";

const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLM_F_REQUEST = 0x1;
const NLM_F_MULTI = 0x2;
const NLM_F_ACK = 0x4;
const NLM_F_DUMP = 0x300;
const NLM_F_CAPPED = 0x100;
const RTM_NEWLINK = 16;
const RTM_GETLINK = 18;
const RTM_NEWADDR = 20;
const RTM_GETADDR = 22;
const RTM_NEWROUTE = 24;
const RTM_GETROUTE = 26;
const RTM_GETNEIGH = 30;
const RTM_NEWRULE = 32;
const RTM_GETRULE = 34;
/** Of NETLINK_SOCK_DIAG: the only request, and what answers it. */
const SOCK_DIAG_BY_FAMILY = 20;
/** Bytes of a dump that go together. */
const DUMP_PIECE = 16384;
/** Types of RTM_* come in fours; the third of each asks, the others change something. */
const ASKS = 2;

const HEADER = 16;
/** RT_SCOPE_HOST, IFA_F_PERMANENT. */
const SCOPE_HOST = 254;
const PERMANENT = 0x80;
/** Of routes: RT_TABLE_LOCAL, RTPROT_KERNEL, RT_SCOPE_LINK, RTN_LOCAL, RTN_BROADCAST. */
const TABLE_LOCAL = 255;
const BY_KERNEL = 2;
const SCOPE_LINK = 253;
const LOCAL = 2;
const BROADCAST = 3;
/** RTM_F_CLONED and RTCF_LOCAL, which the answer for one address has. */
const ASKED_FOR = 0x8000_0200;
/** RTA_DST. */
const DESTINATION = 1;
/** Tables that are looked at for every packet, and the order: RT_TABLE_LOCAL, MAIN, DEFAULT. */
const RULES: readonly (readonly [table: number, priority: number])[] = [
  [TABLE_LOCAL, 0],
  [254, 32766],
  [253, 32767],
];

/** Where a route leads, and to how many bits of that; its type and scope. */
type Route = readonly [destination: number[], bits: number, type: number, scope: number];

const text = (name: string): number[] => [...new TextEncoder().encode(`${name}\0`)];

interface Request {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly family: number;
  readonly bytes: Uint8Array;
}

export class NetlinkSocket extends Socket {
  private readonly littleEndian: boolean;

  constructor(network: Network, what: ConstructorParameters<typeof Socket>[1] & { littleEndian: boolean }) {
    super(network, what);
    this.littleEndian = what.littleEndian;
  }

  override get connected(): undefined {
    return undefined;
  }
  /** The port id of whoever has it. */
  bindTo(address: Address): void {
    if (this.local !== undefined) throw new SysError(EINVAL);
    this.local = address;
  }

  /** Has the port id of the process that speaks by it, where it has none yet (Linux: netlink_autobind). */
  autobind(pid: number): void {
    this.local ??= netlinkAddress(pid, this.littleEndian);
  }

  /** Programs speak to the kernel alone. Throws EPERM. */
  checkPeer({ name }: Address): void {
    if (name.some((byte) => byte !== 0)) throw new SysError(EPERM);
  }

  override send(what: Outgoing, to?: Socket | Address): number {
    if (to !== undefined && !(to instanceof Socket)) this.checkPeer(to);
    const view = new DataView(what.bytes.buffer, what.bytes.byteOffset, what.bytes.byteLength);
    const little = this.littleEndian;
    for (let at = 0; at + HEADER <= what.bytes.length; ) {
      const length = view.getUint32(at, little);
      if (length < HEADER || length > what.bytes.length - at) break;
      const request = {
        type: view.getUint16(at + 4, little),
        flags: view.getUint16(at + 6, little),
        sequence: view.getUint32(at + 8, little),
        family: length > HEADER ? what.bytes[at + HEADER] : 0,
        bytes: what.bytes.slice(at, at + length),
      };
      if (request.flags & NLM_F_REQUEST) {
        const isAsked = request.type >= RTM_NEWLINK;
        if (isAsked && this.protocol === NETLINK_SOCK_DIAG) this.diagnose(request, what.time);
        else if (isAsked && this.protocol === NETLINK_ROUTE) this.answer(request, what.time);
        else if (isAsked && this.protocol === NETLINK_GENERIC) this.answerGeneric(request, what.time);
        // Notices of devices are the system's to give.
        else if (isAsked) this.deliver(this.failure(request, EPERM), what.time);
        else if (request.flags & NLM_F_ACK) this.deliver(this.failure(request, 0), what.time);
      }
      at += align(length);
    }
    return what.bytes.length;
  }

  /** Tells of sockets, of as many at a time as programs have room for. */
  private diagnose(request: Request, time: bigint): void {
    const isDump = (request.flags & NLM_F_DUMP) === NLM_F_DUMP;
    const { littleEndian } = this;
    const found =
      request.type === SOCK_DIAG_BY_FAMILY
        ? diagnose(request.bytes.subarray(HEADER), this.network.list(), { isDump, littleEndian })
        : EINVAL;
    if (typeof found === "number") {
      this.deliver(this.failure(request, found), time);
      return;
    }
    let piece: Uint8Array[] = [];
    let size = 0;
    const add = (message: Uint8Array) => {
      if (size + message.length > DUMP_PIECE) {
        this.deliver(joined(piece), time);
        [piece, size] = [[], 0];
      }
      piece.push(message);
      size += message.length;
    };
    for (const contents of found.messages)
      add(this.message(request, SOCK_DIAG_BY_FAMILY, isDump ? NLM_F_MULTI : 0, contents));
    if (isDump)
      add(
        this.message(
          request,
          NLMSG_DONE,
          NLM_F_MULTI,
          new Builder(littleEndian).number(4, found.status).finish(),
        ),
      );
    if (size > 0) this.deliver(joined(piece), time);
  }

  /** Tells which families of messages there are. */
  private answerGeneric(request: Request, time: bigint): void {
    const { littleEndian } = this;
    const isDump = (request.flags & NLM_F_DUMP) === NLM_F_DUMP;
    const found = askGeneric(request.type, request.bytes.subarray(HEADER), { isDump, littleEndian });
    if (typeof found === "number") {
      this.deliver(this.failure(request, found), time);
      return;
    }
    for (const contents of found)
      this.deliver(this.message(request, request.type, isDump ? NLM_F_MULTI : 0, contents), time);
    const done = new Builder(littleEndian).number(4, 0).finish();
    if (isDump) this.deliver(this.message(request, NLMSG_DONE, NLM_F_MULTI, done), time);
    else if (request.flags & NLM_F_ACK) this.deliver(this.failure(request, 0), time);
  }

  private answer(request: Request, time: bigint): void {
    const { type, flags, family } = request;
    const reply = (kind: number, contents: Uint8Array, more = NLM_F_MULTI) =>
      this.message(request, kind, more, contents);
    const parts: Uint8Array[] = [];
    if ((type & 3) !== ASKS) parts.push(this.failure(request, EPERM));
    else if (![RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE, RTM_GETNEIGH, RTM_GETRULE].includes(type))
      parts.push(this.failure(request, EOPNOTSUPP));
    else if ((flags & NLM_F_DUMP) === NLM_F_DUMP) {
      const families = [AF_INET, AF_INET6].filter((each) => family === 0 || family === each);
      if (type === RTM_GETLINK) parts.push(reply(RTM_NEWLINK, this.link()));
      if (type === RTM_GETADDR) {
        for (const each of families) parts.push(reply(RTM_NEWADDR, this.address(each)));
      }
      if (type === RTM_GETROUTE)
        for (const each of families)
          for (const route of this.routes(each)) parts.push(reply(RTM_NEWROUTE, route));
      if (type === RTM_GETRULE)
        for (const each of families)
          for (const rule of this.rules(each)) parts.push(reply(RTM_NEWRULE, rule));
      parts.push(reply(NLMSG_DONE, new Builder(this.littleEndian).number(4, 0).finish()));
    } else if (type === RTM_GETLINK) parts.push(reply(RTM_NEWLINK, this.link(), 0));
    else if (type === RTM_GETROUTE) parts.push(this.routeTo(request));
    else parts.push(this.failure(request, EOPNOTSUPP));
    if (flags & NLM_F_ACK && (flags & NLM_F_DUMP) !== NLM_F_DUMP) parts.push(this.failure(request, 0));
    const bytes = joined(parts);
    if (this.inbox.weight + bytes.length > this.receiveBuffer) {
      this.error = ENOBUFS;
      this.changed();
      return;
    }
    this.deliver(bytes, time);
  }
  /** A message of the kernel's. */
  deliver(message: Uint8Array, time: bigint): void {
    const { filter } = this;
    const bytes = filter === undefined ? message : siftMessage(filter, message, this.network.random);
    if (bytes === undefined) return;
    this.inbox.add({ bytes, from: netlinkAddress(0), sender: undefined, files: [], time }, false);
    this.arrive();
  }

  private message({ sequence }: Request, type: number, flags: number, contents: Uint8Array): Uint8Array {
    return new Builder(this.littleEndian)
      .number(4, HEADER + contents.length)
      .number(2, type)
      .number(2, flags)
      .number(4, sequence)
      .raw((this.local ?? netlinkAddress(0)).name.slice(0, 4))
      .raw(contents)
      .finish();
  }
  /** NLMSG_ERROR, with the request that it is about; 0 says that all is well, of which the header is enough. */
  private failure(request: Request, errno: number): Uint8Array {
    const about = errno === 0 ? request.bytes.subarray(0, HEADER) : request.bytes;
    const contents = new Builder(this.littleEndian).number(4, -errno).raw(about);
    return this.message(request, NLMSG_ERROR, errno === 0 ? NLM_F_CAPPED : 0, contents.finish());
  }
  private link(): Uint8Array {
    return new Builder(this.littleEndian)
      .number(1, 0)
      .number(1, 0)
      .number(2, LOOPBACK.type)
      .number(4, LOOPBACK.index)
      .number(4, LOOPBACK.flags)
      .number(4, 0)
      .attribute(3, text(LOOPBACK.name))
      .word(4, LOOPBACK.mtu)
      .attribute(6, text("noqueue"))
      .attribute(1, [0, 0, 0, 0, 0, 0])
      .attribute(2, [0, 0, 0, 0, 0, 0])
      .finish();
  }
  private address(family: number): Uint8Array {
    const name = [...loopback(family, 0).name];
    const builder = new Builder(this.littleEndian)
      .number(1, family)
      .number(1, family === AF_INET ? 8 : 128)
      .number(1, PERMANENT)
      .number(1, SCOPE_HOST)
      .number(4, LOOPBACK.index)
      .attribute(1, name);
    if (family === AF_INET) builder.attribute(2, name).attribute(3, text(LOOPBACK.name));
    return builder.word(8, PERMANENT).finish();
  }

  /** A route by the loopback: struct rtmsg and its attributes. */
  private route(
    family: number,
    [destination, bits, type, scope]: Route,
    { flags = 0, protocol = BY_KERNEL } = {},
  ): Uint8Array {
    const builder = new Builder(this.littleEndian)
      .number(1, family)
      .number(1, bits)
      .number(1, 0)
      .number(1, 0)
      .number(1, TABLE_LOCAL)
      .number(1, protocol)
      .number(1, scope)
      .number(1, type)
      .number(4, flags)
      .word(15, TABLE_LOCAL)
      .attribute(DESTINATION, destination);
    if (family === AF_INET) builder.attribute(7, [127, 0, 0, 1]);
    else builder.word(6, 0);
    return builder.word(4, LOOPBACK.index).finish();
  }
  private routes(family: number): Uint8Array[] {
    const all: Route[] =
      family === AF_INET
        ? [
            [[127, 0, 0, 0], 8, LOCAL, SCOPE_HOST],
            [[127, 0, 0, 1], 32, LOCAL, SCOPE_HOST],
            [[127, 255, 255, 255], 32, BROADCAST, SCOPE_LINK],
          ]
        : [[[...loopback(AF_INET6, 0).name], 128, LOCAL, 0]];
    return all.map((route) => this.route(family, route));
  }
  /** The route to one address, which leads to the machine itself, or there is none as far as is known. */
  private routeTo(request: Request): Uint8Array {
    const { family, bytes } = request;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const size = family === AF_INET ? 4 : 16;
    for (let at = HEADER + 12; at + 4 <= bytes.length; ) {
      const [length, type] = [
        view.getUint16(at, this.littleEndian),
        view.getUint16(at + 2, this.littleEndian),
      ];
      if (length < 4) break;
      const value = [...bytes.subarray(at + 4, at + length)];
      at += align(length);
      if (type !== DESTINATION || value.length !== size) continue;
      const own = loopback(family, 0).name;
      const isOwn = family === AF_INET ? value[0] === 127 : value.every((byte, n) => byte === own[n]);
      if (!isOwn) return this.failure(request, this.network.outside === undefined ? ENETUNREACH : EOPNOTSUPP);
      const asked = { flags: ASKED_FOR, protocol: 0 };
      return this.message(request, RTM_NEWROUTE, 0, this.route(family, [value, 8 * size, LOCAL, 0], asked));
    }
    return this.failure(request, EINVAL);
  }
  private rules(family: number): Uint8Array[] {
    return RULES.slice(0, family === AF_INET ? 3 : 2).map(([table, priority]) => {
      const builder = new Builder(this.littleEndian);
      for (const byte of [family, 0, 0, 0, table, 0, 0, 1]) builder.number(1, byte);
      builder.number(4, 0).word(15, table).word(14, 0xffff_ffff).attribute(21, [BY_KERNEL]);
      return (priority === 0 ? builder : builder.word(6, priority)).finish();
    });
  }

  override receive(room: number, peek: boolean): Received | undefined {
    this.checkError();
    if (this.inbox.count > 0) return this.packet(room, peek);
    return this.readShut ? END : undefined;
  }

  protected override giveRoom(): void {
    this.changed();
  }

  override events(): number {
    const error = this.error !== 0 ? POLLERR : 0;
    const there = this.inbox.count > 0 ? POLLIN | POLLRDNORM : 0;
    return error | there | POLLOUT | POLLWRNORM | POLLWRBAND;
  }
}
