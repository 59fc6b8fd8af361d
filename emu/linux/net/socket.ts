/** Sockets: what all kinds of them have. Those of streams are in stream-socket.ts, those of datagrams in datagram-socket.ts. */
import type { Interest } from "../../host/host.ts";
import type { OpenFileSnapshot, SocketState } from "../../snapshot.ts";
import { EINVAL, EOPNOTSUPP, SysError } from "../errno.ts";
import { O_RDWR } from "../vfs/constants.ts";
import { type FileStat, syntheticStat } from "../vfs/file-status.ts";
import type { FreezeContext } from "../vfs/freeze-context.ts";
import { hold, OpenFile, release, type Waitables } from "../vfs/open-file.ts";
import { POLLIN, POLLOUT } from "../vfs/readiness.ts";
import { WaitQueue } from "../wait-queue.ts";
import type { Address } from "./address.ts";
import { Inbox, type IpHeader, type Message, type Sender } from "./inbox.ts";
import type { Membership } from "./multicast.ts";
import type { Network, Via } from "./network.ts";
import type { SocketFilter } from "./packet-filter.ts";
import {
  AF_INET6,
  AF_NETLINK,
  AF_UNIX,
  BUFFER_DEFAULT,
  IPPROTO_UDPLITE,
  SHUT_RD,
  SHUT_WR,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_PEEK_OFF,
  SO_RCVBUF,
  SO_RCVLOWAT,
  SO_SNDBUF,
} from "./socket-constants.ts";

/** What is to be sent. The message takes the references to its files over when it is taken. */
export interface Outgoing {
  readonly bytes: Uint8Array;
  readonly sender: Sender | undefined;
  readonly files: readonly OpenFile[];
  readonly time: bigint;
  /** What stands in its IP header for this message alone, by level: IPPROTO_IP or IPV6. */
  readonly header?: Readonly<Record<number, Partial<IpHeader>>>;
  /** IP_PKTINFO: the interface by which it goes, 0 for any, and where it comes from, if not from anywhere. */
  readonly via?: Via;
  /** UDP_SEGMENT for this message alone. */
  readonly segment?: number;
}

/** What has been received. */
export interface Received {
  readonly bytes: Uint8Array;
  /** Bytes of the message, of which `bytes` may be only the beginning. */
  readonly length: number;
  readonly from: Address | undefined;
  readonly sender: Sender | undefined;
  /** Descriptions that came along; who takes them releases them. Of a message that is only looked at they are held once more. */
  readonly files: readonly OpenFile[];
  readonly time: bigint;
  /** Of a datagram of IP; PLAIN_HEADER where it is absent. */
  readonly header?: IpHeader;
  /** The other end sends no more. */
  readonly isEnd: boolean;
}

/** Nothing, since nothing will come any more. */
export const END: Received = {
  ...{ bytes: new Uint8Array(0), length: 0, from: undefined, sender: undefined, files: [], time: 0n },
  isEnd: true,
};

/** Number of the file system that sockets are on (sockfs). */
const SOCKFS = 8n;

export const optionKey = (level: number, name: number): string => `${level}/${name}`;

const LEAST = optionKey(SOL_SOCKET, SO_RCVLOWAT);
const PEEK_OFFSET = optionKey(SOL_SOCKET, SO_PEEK_OFF);

/** An open file of a snapshot. Throws RangeError for one that isn't there. */
export function fileAt(opened: readonly OpenFile[], index: number): OpenFile {
  const file = opened[index];
  if (file === undefined) throw new RangeError(`a socket has open file ${index}, which is not there`);
  return file;
}

/** `Gateway`: what its kind asks of the way out of the machine. */
export abstract class Socket<Gateway = unknown> extends OpenFile {
  readonly kind = "special";
  readonly network: Network;
  protected readonly gateway: Gateway | undefined;
  readonly domain: number;
  readonly type: number;
  readonly protocol: number;
  readonly ino: bigint;
  /** Wakes those that wait for anything here. */
  readonly queue = new WaitQueue();
  readonly inbox: Inbox;
  /** The address it is bound to. */
  local: Address | undefined;
  /** The address it is connected to. */
  remote: Address | undefined;
  /** Nothing more is received, or sent. */
  readShut = false;
  writeShut = false;
  /** SO_ERROR: what has gone wrong and not been told. */
  error = 0;
  /** Options that are kept as numbers and told when asked, by `optionKey`. */
  readonly options = new Map<string, number>();
  /** SO_ATTACH_FILTER: says how much is kept of what comes. */
  filter: SocketFilter | undefined;
  /** Groups of multicast that it has joined. */
  readonly groups: Membership[] = [];
  /** SO_RCVTIMEO and SO_SNDTIMEO in nanoseconds; 0 is none. */
  receiveTimeout = 0n;
  sendTimeout = 0n;
  /** SO_PEERCRED: whoever connected, or listened. */
  peerCredentials: Sender | undefined;
  /** Counts what comes in, for edge-triggered interests. */
  arrived = 0;
  /** Counts how often there has come to be room to send where there was none. */
  vacated = 0;
  isClosed = false;
  /** It was made by a connect(2): its address is that of the socket that it came to. */
  isAccepted = false;
  /** Told of every change, of a socket that stands for somebody outside. */
  onChange: (() => void) | undefined;

  constructor(
    network: Network,
    what: { domain: number; type: number; protocol: number; flags: number; ino: bigint },
    gateway?: Gateway,
  ) {
    super("", O_RDWR | what.flags);
    this.network = network;
    this.gateway = gateway;
    this.domain = what.domain;
    this.type = what.type;
    this.protocol = what.protocol;
    this.ino = what.ino;
    this.inbox = new Inbox(network.inFlight);
  }

  get isUnix(): boolean {
    return this.domain === AF_UNIX;
  }

  /** What Linux calls its kind (the names of struct proto), which an extended attribute of it tells. */
  get protocolName(): string {
    if (this.isUnix) return this.type === SOCK_STREAM ? "UNIX-STREAM" : "UNIX";
    if (this.domain === AF_NETLINK) return "NETLINK";
    const isIpv6 = this.domain === AF_INET6;
    if (this.protocol === IPPROTO_UDPLITE) return isIpv6 ? "UDPLITEv6" : "UDP-Lite";
    return `${this.type === SOCK_STREAM ? "TCP" : "UDP"}${isIpv6 ? "v6" : ""}`;
  }

  // ---- options -----------------------------------------------------------------------------------------------

  option(name: number, level = SOL_SOCKET): number {
    return this.options.get(optionKey(level, name)) ?? 0;
  }
  setOption(name: number, value: number, level = SOL_SOCKET): void {
    this.options.set(optionKey(level, name), value);
  }
  get sendBuffer(): number {
    return this.option(SO_SNDBUF) || BUFFER_DEFAULT;
  }
  get receiveBuffer(): number {
    return this.option(SO_RCVBUF) || BUFFER_DEFAULT;
  }

  /** SO_PEEK_OFF: where the next look begins; below 0 looks begin at the front, and don't move it. */
  private get peekOffset(): number {
    return this.options.get(PEEK_OFFSET) ?? -1;
  }
  /** Where a look begins. */
  protected get lookFrom(): number {
    return Math.max(0, this.peekOffset);
  }
  /** So many bytes have been looked at, or taken (Linux: sk_peek_offset_fwd, sk_peek_offset_bwd). */
  protected seen(count: number, peek: boolean): void {
    const { peekOffset } = this;
    if (peekOffset >= 0) this.options.set(PEEK_OFFSET, Math.max(0, peekOffset + (peek ? count : -count)));
  }

  /** SO_RCVLOWAT: how many bytes of a stream a call waits for that doesn't want fewer. */
  get leastToReceive(): number {
    return this.options.get(LEAST) ?? 1;
  }

  override get tellsOwner(): boolean {
    return true;
  }

  /** SO_ERROR, which is told once. */
  takeError(): number {
    const { error } = this;
    this.error = 0;
    return error;
  }
  /** Throws the error that has not been told yet, if there is one. */
  checkError(): void {
    const error = this.takeError();
    if (error !== 0) throw new SysError(error);
  }

  // ---- what kinds of sockets do ------------------------------------------------------------------------------

  /** Most bytes that one message may have. */
  get longest(): number {
    return this.sendBuffer - 32;
  }
  /** Whether a call that has sent something ends with that, and leaves it to the next one to tell what has gone wrong. */
  get isBroken(): boolean {
    return false;
  }
  /** Whether it takes connections. */
  get isListening(): boolean {
    return false;
  }
  /** The other end, where that is one socket. */
  abstract get connected(): Socket | undefined;
  /**
   * Takes as much of what is to be sent as there is room for: the number of bytes, or undefined where there is none. Throws SysError,
   * EPIPE among them. `to`: where a datagram goes that doesn't go to who it is connected to.
   */
  abstract send(what: Outgoing, to?: Socket | Address): number | undefined;
  /** Throws what is wrong before the bytes that are to be sent are looked at. */
  checkSend(_to?: Socket | Address): void {}
  /** Up to `room` bytes of what has come; undefined when nothing has and more may. `peek` leaves it there. */
  abstract receive(room: number, peek: boolean): Received | undefined;

  /** The message in which what comes after `skip` bytes begins, if there is one, its place, and the bytes of it to skip. */
  protected messageAt(skip: number): { first: Message | undefined; index: number; skip: number } {
    let index = 0;
    let first = this.inbox.at(0);
    while (first !== undefined && skip > 0 && skip >= first.bytes.length) {
      skip -= first.bytes.length;
      first = this.inbox.at(++index);
    }
    return { first, index, skip };
  }

  /** The first message, of which the rest is lost; or the one that a look is at. Undefined where looks have come to the end. */
  protected packet(room: number, peek: boolean): Received | undefined {
    const { skip, first } = this.messageAt(peek ? this.lookFrom : 0);
    if (first === undefined) return undefined;
    const { bytes, from, sender, time, header } = first;
    const files = peek ? first.files.map(hold) : first.files;
    const taken = bytes.slice(skip, skip + room);
    if (!peek) {
      this.inbox.shift();
      this.giveRoom();
    }
    this.seen(peek || !this.isUnix ? taken.length : bytes.length, peek);
    return {
      bytes: taken,
      length: bytes.length - (this.isUnix ? skip : 0),
      from,
      sender,
      files,
      time,
      header,
      isEnd: false,
    };
  }
  /** Something has been received: who waits to send may have room now. */
  protected giveRoom(): void {}

  listen(_backlog: number, _by: Sender): void {
    throw new SysError(EOPNOTSUPP);
  }
  /** A connection that was waiting, undefined where there is none. */
  accept(): Socket | undefined {
    throw new SysError(EOPNOTSUPP);
  }
  shutdown(how: number): void {
    if (how !== SHUT_WR) this.readShut = true;
    if (how !== SHUT_RD) this.writeShut = true;
    this.changed();
  }

  /** Something has changed that somebody may wait for. */
  changed(): void {
    this.queue.wake();
    this.onChange?.();
  }
  /** Something has come. */
  arrive(): void {
    this.arrived++;
    this.changed();
  }

  // ---- as a file ---------------------------------------------------------------------------------------------

  override get label(): string {
    return `socket:[${this.ino}]`;
  }
  override stat(): FileStat {
    return syntheticStat("socket", 0o777, this.ino, { dev: SOCKFS, owner: "user" });
  }
  override get isStream(): boolean {
    return true;
  }
  override read(into: Uint8Array): number | undefined {
    const received = this.receive(into.length, false);
    if (received === undefined) return undefined;
    into.set(received.bytes);
    this.discard(received);
    return received.bytes.length;
  }
  override write(from: Uint8Array): number | undefined {
    return this.send({ bytes: from.slice(), sender: undefined, files: [], time: 0n });
  }
  /** Lets descriptions go that nobody wants. */
  discard({ files }: Received): void {
    for (const file of files) release(file);
  }

  abstract override events(): number;
  override readable(): boolean {
    return (this.events() & POLLIN) !== 0;
  }
  override writable(): boolean {
    return (this.events() & POLLOUT) !== 0;
  }
  override get arrivals(): number {
    return this.arrived;
  }
  override get vacancies(): number {
    return this.vacated;
  }
  override waitables(_interest?: Interest): Waitables {
    return { queues: [this.queue] };
  }
  /** FIONREAD. */
  override available(): number {
    return this.inbox.size;
  }
  /** SIOCOUTQ: what has been sent and not arrived yet, or (AF_UNIX) not been read. Throws EINVAL of one that listens. */
  get unsent(): number {
    return 0;
  }
  override sync(): void {
    throw new SysError(EINVAL);
  }

  override freeze(tables: FreezeContext): Partial<OpenFileSnapshot> {
    return { state: { ...this.basics(tables), ...this.more(tables) } };
  }
  /** What its kind has to say besides. */
  protected more(_tables: FreezeContext): Partial<SocketState> {
    return {};
  }
  private basics(tables: FreezeContext): SocketState {
    const { domain, type, protocol, local, remote, readShut, writeShut, error } = this;
    const options = [...this.options].map(([key, value]) => {
      const [level, name] = key.split("/").map(Number);
      return { level, name, value };
    });
    const messages = this.inbox.list().map(({ bytes, from = null, sender = null, files, time, header }) => ({
      ...{ bytes: bytes.slice(), from, sender, time },
      header: header === undefined ? null : { to: null, ...header },
      files: files.map((file) => tables.add(file)),
    }));
    return {
      ...{
        kind: "socket",
        ino: this.ino,
        domain,
        type,
        protocol,
        phase: "idle",
        readShut,
        writeShut,
        error,
        options,
        messages,
      },
      ...{ local: local ?? null, remote: remote ?? null, peerCredentials: this.peerCredentials ?? null },
      groups: this.groups.map(({ group, include, sources }) => ({
        ...{ group: group.slice(), include, sources: sources?.map((each) => each.slice()) ?? null },
      })),
      filter: (this.filter?.program ?? []).map((instruction) => ({ ...instruction })),
      ...{ receiveTimeout: this.receiveTimeout, sendTimeout: this.sendTimeout },
      ...{ peer: -1, backlog: 0, waiting: [], overflow: [], untold: false, accepted: false, urgent: null },
    };
  }

  /** Takes up what a snapshot says, once all sockets are there. Throws RangeError where it makes no sense. */
  resume(from: SocketState, opened: readonly OpenFile[]): void {
    this.local = from.local ?? undefined;
    this.remote = from.remote ?? undefined;
    this.peerCredentials = from.peerCredentials ?? undefined;
    const { readShut, writeShut, error, receiveTimeout, sendTimeout } = from;
    Object.assign(this, { readShut, writeShut, error, receiveTimeout, sendTimeout });
    for (const { level, name, value } of from.options) this.setOption(name, value, level);
    for (const each of from.groups) this.groups.push({ ...each, sources: each.sources?.slice() ?? null });
    if (this.groups.length > 0) this.network.members.add(this);
    for (const { bytes, from: origin, sender, files, time, header } of from.messages) {
      const held = files.map((index) => hold(fileAt(opened, index)));
      const known = { from: origin ?? undefined, sender: sender ?? undefined, header: header ?? undefined };
      this.inbox.add({ bytes, ...known, files: held, time }, false);
    }
  }

  override close(): void {
    this.isClosed = true;
    this.network.unbind(this);
    this.network.members.delete(this);
    this.inbox.clear();
    this.changed();
  }
}
