/** Sockets of datagrams: SOCK_DGRAM of AF_UNIX, and UDP. */

import type { SocketState } from "../../snapshot.ts";
import {
  ECONNREFUSED,
  EDESTADDRREQ,
  EINVAL,
  EMSGSIZE,
  ENOTCONN,
  EPERM,
  EPIPE,
  EPROTOTYPE,
  SysError,
} from "../errno.ts";
import type { FreezeContext } from "../vfs/freeze-context.ts";
import { type OpenFile, release } from "../vfs/open-file.ts";
import {
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLRDHUP,
  POLLRDNORM,
  POLLWRBAND,
  POLLWRNORM,
} from "../vfs/readiness.ts";
import {
  type Address,
  addressKey,
  asSeenBy,
  goesToMany,
  isAny,
  isMulticast,
  loopback,
  unmapped,
} from "./address.ts";
import { type IpHeader, PLAIN_HEADER } from "./inbox.ts";
import { siftDatagram, siftMessage } from "./packet-filter.ts";
import { END, fileAt, optionKey, type Outgoing, type Received, Socket } from "./socket.ts";
import {
  AF_INET,
  IP_MULTICAST_TTL,
  IP_TOS,
  IP_TTL,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_UDP,
  IPV6_TCLASS,
  IPV6_UNICAST_HOPS,
  SO_MARK,
  UDP_SEGMENT,
  UDP_SEGMENTS_MAX,
} from "./socket-constants.ts";

/** Most messages that wait at a socket of AF_UNIX (/proc/sys/net/unix/max_dgram_qlen). */
const QUEUE_MAX = 10;
/** Most bytes in a datagram of UDP over IPv4. */
const UDP_MAX = 65507;

/** The way out of the machine for datagrams. */
interface DatagramGateway {
  send(socket: DatagramSocket, to: Address, bytes: Uint8Array): void;
  closed(socket: DatagramSocket): void;
}

export class DatagramSocket extends Socket<DatagramGateway> {
  /** AF_UNIX: the socket it is connected to. UDP knows an address only. */
  peer: DatagramSocket | undefined;

  override get connected(): DatagramSocket | undefined {
    return this.peer;
  }

  override get longest(): number {
    return this.isUnix ? super.longest : UDP_MAX;
  }

  /** Sends to `to`, or to nobody and anybody with undefined. */
  connectTo(to: DatagramSocket | undefined, remote: Address | undefined): void {
    this.peer = to;
    this.remote = remote;
    this.changed();
  }

  /** Whether messages of `from` may come here: one that is connected takes those of its peer only. */
  accepts(from: DatagramSocket): boolean {
    return this.peer === undefined || this.peer === from;
  }

  override checkSend(to?: Socket | Address): void {
    if (this.writeShut) throw new SysError(EPIPE);
    if (to === undefined && this.peer === undefined && this.remote === undefined)
      throw new SysError(this.isUnix ? ENOTCONN : EDESTADDRREQ);
  }

  override send(what: Outgoing, to?: Socket | Address): number | undefined {
    this.checkError();
    if (what.bytes.length > this.longest) throw new SysError(EMSGSIZE);
    if (this.writeShut) throw new SysError(EPIPE);
    if (this.isUnix) return this.sendUnix(what, to instanceof Socket ? to : undefined);
    return this.sendUdp(what, to instanceof Socket ? undefined : to);
  }

  private sendUnix(what: Outgoing, to: Socket | undefined): number | undefined {
    const target = to ?? this.peer;
    if (target === undefined) {
      // After a thaw nothing is left of a peer that was closed but that there was one.
      if (this.remote === undefined) throw new SysError(ENOTCONN);
      this.connectTo(undefined, undefined);
      throw new SysError(ECONNREFUSED);
    }
    if (target.isClosed) {
      if (target === this.peer) this.connectTo(undefined, undefined);
      throw new SysError(ECONNREFUSED);
    }
    if (!(target instanceof DatagramSocket)) throw new SysError(EPROTOTYPE);
    if (!target.accepts(this)) throw new SysError(EPERM);
    if (target.readShut) throw new SysError(EPIPE);
    if (target.isFull && target !== this) return undefined;
    const { filter } = target;
    const bytes = filter === undefined ? what.bytes : siftMessage(filter, what.bytes, this.network.random);
    if (bytes !== undefined) this.deliver({ ...what, bytes }, target, this.local);
    // Who sends it is not told.
    else for (const file of what.files) release(file);
    return what.bytes.length;
  }

  private sendUdp(what: Outgoing, to: Address | undefined): number {
    const given = to ?? this.remote;
    if (given === undefined) throw new SysError(EDESTADDRREQ);
    if (given === to && to.port === 0) throw new SysError(EINVAL);
    const address = isAny(given) ? loopback(given.family, given.port) : given;
    const from = this.network.sourceOf(this, address, what.via);
    const segment = what.segment ?? this.option(UDP_SEGMENT, IPPROTO_UDP);
    if (segment > 0 && what.bytes.length > segment) return this.sendSegments(what, to, segment);
    const isForMany = goesToMany(address);
    const target = isForMany ? undefined : this.network.receiverOf(this, address, from);
    if (isForMany) {
      for (const each of this.network.receiversOf(this, address, from))
        this.sendHere(each, what, { from, to: address });
    } else if (target !== undefined) this.sendHere(target, what, { from, to: address });
    else if (this.protocol === IPPROTO_UDP && this.network.outside?.reaches(address)) {
      this.gateway?.send(this, address, what.bytes);
    } else if (this.remote !== undefined) {
      // Told by ICMP that nobody is there, a connected socket says so the next time.
      this.error = ECONNREFUSED;
      this.changed();
    }
    return what.bytes.length;
  }

  /** Brings a datagram to a socket of the machine. Without room it is lost, as datagrams may be. */
  private sendHere(target: Socket, what: Outgoing, addresses: { from: Address; to: Address }): void {
    if (target.inbox.weight + what.bytes.length > target.receiveBuffer) return;
    const { to } = addresses;
    const usual = loopback(unmapped(to).family, to.port);
    const isTold = isAny(target.local!) && addressKey(unmapped(to)) !== addressKey(usual);
    const header = this.headerTo(to, what);
    this.arriveAt(target, what, addresses, isTold ? { ...header, to: unmapped(to).name } : header);
  }

  /** Sends so many bytes of it a datagram. Throws EINVAL for too many of them. */
  private sendSegments(what: Outgoing, to: Address | undefined, size: number): number {
    const { length } = what.bytes;
    if (length > size * UDP_SEGMENTS_MAX) throw new SysError(EINVAL);
    for (let at = 0; at < length; at += size) {
      this.sendUdp({ ...what, bytes: what.bytes.slice(at, at + size), segment: 0 }, to);
    }
    return length;
  }

  /** Something has come from outside. A socket that is connected takes what its peer sends only. */
  receiveFrom(from: Address | undefined, bytes: Uint8Array, time: bigint): void {
    const isWanted =
      this.remote === undefined ||
      (from !== undefined && addressKey(unmapped(this.remote)) === addressKey(unmapped(from)));
    if (!isWanted || this.readShut || this.inbox.weight + bytes.length > this.receiveBuffer) return;
    const what = { bytes: bytes.slice(), sender: undefined, files: [], time };
    if (from === undefined || this.local === undefined) this.deliver(what, this, from);
    else this.arriveAt(this, what, { from, to: this.local }, PLAIN_HEADER);
  }
  /** A datagram of the internet comes to a socket, as much of it as its filter keeps. */
  private arriveAt(
    target: Socket,
    what: Outgoing,
    addresses: { from: Address; to: Address },
    header: IpHeader,
  ): void {
    const { filter } = target;
    const head = { ...header, ...addresses, protocol: this.protocol, mark: this.option(SO_MARK) };
    const bytes =
      filter === undefined ? what.bytes : siftDatagram(filter, what.bytes, head, this.network.random);
    if (bytes !== undefined) this.deliver({ ...what, bytes }, target, addresses.from, header);
  }
  /** What was sent has not gone out. */
  fail(error: number): void {
    this.error = error;
    this.changed();
  }

  /** The IP header of a datagram: as its socket's options say, or what comes with it. */
  private headerTo(to: Address, { header = {} }: Outgoing): IpHeader {
    const { family } = unmapped(to);
    const [level, hops, tos] =
      family === AF_INET ? [IPPROTO_IP, IP_TTL, IP_TOS] : [IPPROTO_IPV6, IPV6_UNICAST_HOPS, IPV6_TCLASS];
    const isOfGroup = family === AF_INET && isMulticast(to);
    const [setHops, setTos] = [isOfGroup ? IP_MULTICAST_TTL : hops, tos].map((name) =>
      this.options.get(optionKey(level, name)),
    );
    return {
      hops: setHops ?? (isOfGroup ? 1 : PLAIN_HEADER.hops),
      tos: setTos ?? PLAIN_HEADER.tos,
      ...header[level],
    };
  }

  private deliver(
    { bytes, sender, files, time }: Outgoing,
    target: Socket,
    source: Address | undefined,
    header?: IpHeader,
  ): void {
    const from = source && asSeenBy(target.domain, source);
    target.inbox.add({ bytes, from, sender, files, time, header }, false);
    target.arrive();
  }

  private get isFull(): boolean {
    return this.inbox.count > QUEUE_MAX;
  }

  override receive(room: number, peek: boolean): Received | undefined {
    const packet = this.packet(room, peek);
    if (packet !== undefined) return packet;
    this.checkError();
    return this.readShut ? END : undefined;
  }
  protected override giveRoom(): void {
    if (!this.isUnix) return;
    if (this.inbox.count === QUEUE_MAX) this.vacated++;
    this.changed();
  }
  /** There is room where its peer has some. */
  override get vacancies(): number {
    return this.peer?.vacated ?? 0;
  }

  protected override more(tables: FreezeContext): Partial<SocketState> {
    const { peer } = this;
    return { peer: peer === undefined || peer.isClosed ? -1 : tables.add(peer) };
  }

  override resume(from: SocketState, opened: readonly OpenFile[]): void {
    super.resume(from, opened);
    if (from.peer >= 0) {
      const peer = fileAt(opened, from.peer);
      if (!(peer instanceof DatagramSocket))
        throw new RangeError(`open file ${from.peer} takes no datagrams`);
      this.peer = peer;
    }
    this.network.restore(this);
  }

  override shutdown(how: number): void {
    if (!this.isUnix && this.remote === undefined) throw new SysError(ENOTCONN);
    super.shutdown(how);
  }

  override close(): void {
    super.close();
    this.gateway?.closed(this);
    this.peer = undefined;
  }

  override events(): number {
    let events = this.error !== 0 ? POLLERR : 0;
    if (this.readShut) events |= POLLRDHUP | POLLIN | POLLRDNORM;
    if (this.readShut && this.writeShut) events |= POLLHUP;
    if (this.inbox.count > 0) events |= POLLIN | POLLRDNORM;
    const { peer } = this;
    const isClear = peer === undefined || peer === this || peer.isClosed || !peer.isFull;
    if (isClear) events |= POLLOUT | POLLWRNORM | POLLWRBAND;
    return events;
  }
  /** Who waits to send waits for room at the other end. */
  override waitables() {
    const { peer } = this;
    return { queues: peer === undefined ? [this.queue] : [this.queue, peer.queue] };
  }
  /** Who is connected is who sends to it, mostly. */
  override get unsent(): number {
    return this.isUnix ? (this.peer?.inbox.weight ?? 0) : 0;
  }
  /** FIONREAD says how long the first datagram is. */
  override available(): number {
    return this.inbox.at(0)?.bytes.length ?? 0;
  }
}
