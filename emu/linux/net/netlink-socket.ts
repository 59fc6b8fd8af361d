/**
 * Sockets of AF_NETLINK that speak rtnetlink(7), as far as C libraries ask which interfaces and addresses there are: those of the loopback.
 * What mq_notify(2) tells threads comes by them as well.
 */
import { joined } from "../../joined.ts";
import { EINVAL, ENOBUFS, EOPNOTSUPP, EPERM, SysError } from "../errno.ts";
import { POLLERR, POLLIN, POLLOUT, POLLRDNORM, POLLWRBAND, POLLWRNORM } from "../vfs/readiness.ts";
import { type Address, loopback, netlinkAddress } from "./address.ts";
import { LOOPBACK } from "./loopback-interface.ts";
import type { Network } from "./network.ts";
import { END, type Outgoing, type Received, Socket } from "./socket.ts";
import { AF_INET, AF_INET6 } from "./socket-constants.ts";

const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLM_F_REQUEST = 0x1;
const NLM_F_MULTI = 0x2;
const NLM_F_ACK = 0x4;
const NLM_F_DUMP = 0x300;
const RTM_NEWLINK = 16;
const RTM_GETLINK = 18;
const RTM_NEWADDR = 20;
const RTM_GETADDR = 22;
const RTM_GETROUTE = 26;
/** Types of RTM_* come in fours; the third of each asks, the others change something. */
const ASKS = 2;

const HEADER = 16;
/** RT_SCOPE_HOST, IFA_F_PERMANENT. */
const SCOPE_HOST = 254;
const PERMANENT = 0x80;

const align = (length: number): number => Math.ceil(length / 4) * 4;

/** Bytes of a message or attribute as they are put together. */
class Builder {
  private readonly bytes: number[] = [];
  private readonly littleEndian: boolean;

  constructor(littleEndian: boolean) {
    this.littleEndian = littleEndian;
  }
  number(size: 1 | 2 | 4, value: number): this {
    for (let i = 0; i < size; i++) {
      const shift = this.littleEndian ? 8 * i : 8 * (size - 1 - i);
      this.bytes.push((value >>> shift) & 0xff);
    }
    return this;
  }
  raw(bytes: Iterable<number>): this {
    this.bytes.push(...bytes);
    while (this.bytes.length % 4 !== 0) this.bytes.push(0);
    return this;
  }
  attribute(type: number, contents: readonly number[]): this {
    return this.number(2, 4 + contents.length)
      .number(2, type)
      .raw(contents);
  }
  word(type: number, value: number): this {
    return this.attribute(type, new Builder(this.littleEndian).number(4, value).bytes);
  }
  finish(): Uint8Array {
    return Uint8Array.from(this.bytes);
  }
}

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

  override send(what: Outgoing): number {
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
      if (request.flags & NLM_F_REQUEST && request.type >= RTM_NEWLINK) this.answer(request, what.time);
      at += align(length);
    }
    return what.bytes.length;
  }

  private answer(request: Request, time: bigint): void {
    const { type, flags, family } = request;
    const reply = (kind: number, contents: Uint8Array, more = NLM_F_MULTI) =>
      this.message(request, kind, more, contents);
    const parts: Uint8Array[] = [];
    if ((type & 3) !== ASKS) parts.push(this.failure(request, EPERM));
    else if (![RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE].includes(type))
      parts.push(this.failure(request, EOPNOTSUPP));
    else if ((flags & NLM_F_DUMP) === NLM_F_DUMP) {
      if (type === RTM_GETLINK) parts.push(reply(RTM_NEWLINK, this.link()));
      if (type === RTM_GETADDR) {
        for (const each of [AF_INET, AF_INET6])
          if (family === 0 || family === each) parts.push(reply(RTM_NEWADDR, this.address(each)));
      }
      parts.push(reply(NLMSG_DONE, new Builder(this.littleEndian).number(4, 0).finish()));
    } else if (type === RTM_GETLINK) parts.push(reply(RTM_NEWLINK, this.link(), 0));
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
  deliver(bytes: Uint8Array, time: bigint): void {
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
  /** NLMSG_ERROR, with the header that it is about; 0 says that all is well. */
  private failure(request: Request, errno: number): Uint8Array {
    const contents = new Builder(this.littleEndian).number(4, -errno).raw(request.bytes.slice(0, HEADER));
    return this.message(request, NLMSG_ERROR, 0, contents.finish());
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
