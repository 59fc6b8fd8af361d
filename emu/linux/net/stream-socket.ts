/**
 * Sockets of connections: SOCK_STREAM and SOCK_SEQPACKET of AF_UNIX, and TCP. Both ends are in the machine; what one sends stands
 * in the inbox of the other at once. What differs between AF_UNIX and TCP is said where it does.
 */

import { joined } from "../../joined.ts";
import type { SocketState } from "../../snapshot.ts";
import {
  EADDRINUSE,
  ECONNREFUSED,
  ECONNRESET,
  EINVAL,
  EISCONN,
  EMSGSIZE,
  ENOTCONN,
  EPIPE,
  EPROTOTYPE,
  ETIMEDOUT,
  SysError,
} from "../errno.ts";
import type { FreezeContext } from "../vfs/freeze-context.ts";
import { hold, type OpenFile, release } from "../vfs/open-file.ts";
import {
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLPRI,
  POLLRDHUP,
  POLLRDNORM,
  POLLWRBAND,
  POLLWRNORM,
} from "../vfs/readiness.ts";
import { type Address, asSeenBy } from "./address.ts";
import { type Sender, sameSender } from "./inbox.ts";
import { siftMessage } from "./packet-filter.ts";
import { END, fileAt, type Outgoing, optionKey, type Received, Socket } from "./socket.ts";
import {
  SHUT_RD,
  SHUT_WR,
  SO_LINGER,
  SO_OOBINLINE,
  SO_SNDBUF,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SOL_SOCKET,
  SOMAXCONN,
} from "./socket-constants.ts";

/** "connecting": TCP waits for room at who listens. "closed": TCP was refused or reset, or listens no more. */
export type Phase = "idle" | "listening" | "connecting" | "connected" | "closed";

/** States of TCP as Linux numbers them (include/net/tcp_states.h). */
export const TCP_ESTABLISHED = 1;
const TCP_SYN_SENT = 2;
const TCP_FIN_WAIT2 = 5;
export const TCP_CLOSE = 7;
export const TCP_CLOSE_WAIT = 8;
const TCP_LAST_ACK = 9;
export const TCP_LISTEN = 10;
const TCP_STATES: Readonly<Record<Exclude<Phase, "connected">, number>> = {
  idle: TCP_CLOSE,
  listening: TCP_LISTEN,
  connecting: TCP_SYN_SENT,
  closed: TCP_CLOSE,
};

/**
 * What goes to an end of TCP that is closed before its answer is looked at: segments of half the window, as many as the buffer for sending
 * takes with what each costs besides, sixteen at the most (Linux: tcp_sendmsg_locked, sk_flush_backlog).
 */
const SEGMENT = 32768;
const SEGMENT_COST = 1280;
const MOST_SEGMENTS = 16;

/** SO_LINGER as it is kept: seconds and one, 0 where it is off. */
const LINGER_NOT = 1;

/** The way out of the machine for connections. */
interface ConnectionGateway {
  connect(socket: StreamSocket, to: Address): void;
  isConnecting(socket: StreamSocket): boolean;
  listening(socket: StreamSocket): void;
  stopped(socket: StreamSocket): void;
}

export class StreamSocket extends Socket<ConnectionGateway> {
  phase: Phase = "idle";
  /** The other end, while it is open. */
  peer: StreamSocket | undefined;
  /** Connections that wait to be accepted, and (TCP) sockets that wait for room among those. */
  readonly waiting: StreamSocket[] = [];
  readonly overflow: StreamSocket[] = [];
  backlog = 0;
  /** A connect(2) that did not wait has not been told yet that it has succeeded. */
  untold = false;
  /**
   * TCP's urgent byte: how many bytes of the inbox stand before it, and whether it has been read out of band. It stays in the inbox
   * until what follows it is read (Linux: tcp_recv_urg).
   */
  private urgent: { after: number; isRead: boolean } | undefined;

  /** So much has been sent that there must be more room before it is worth while again. */
  private isCrowded = false;

  override get isListening(): boolean {
    return this.phase === "listening";
  }
  /** TCP's name for the state it is in. */
  get tcpState(): number {
    const { phase, readShut, writeShut } = this;
    if (phase !== "connected") return TCP_STATES[phase];
    if (readShut) return writeShut ? TCP_LAST_ACK : TCP_CLOSE_WAIT;
    return writeShut ? TCP_FIN_WAIT2 : TCP_ESTABLISHED;
  }
  override get connected(): StreamSocket | undefined {
    return this.peer;
  }
  /** Whether messages keep their bounds. */
  private get isPackets(): boolean {
    return this.type === SOCK_SEQPACKET;
  }

  // ---- connecting --------------------------------------------------------------------------------------------

  override listen(backlog: number, by: Sender): void {
    if (this.phase !== "idle" && this.phase !== "listening" && this.phase !== "closed")
      throw new SysError(EINVAL);
    if (this.local === undefined) {
      if (this.isUnix) throw new SysError(EINVAL);
      this.network.autobind(this);
    }
    if (this.phase !== "listening" && this.network.hasListener(this)) throw new SysError(EADDRINUSE);
    this.backlog = Math.min(backlog < 0 ? SOMAXCONN : backlog, SOMAXCONN);
    this.phase = "listening";
    this.peerCredentials = by;
    this.readShut = this.writeShut = false;
    if (!this.isUnix) this.gateway?.listening(this);
  }

  /** Whether another connection has to wait before it may wait here. */
  get isFull(): boolean {
    return this.waiting.length > this.backlog;
  }

  /** Two ends of a connection (socketpair). */
  join(other: StreamSocket): void {
    this.meet(other);
    other.meet(this);
  }
  private meet(other: StreamSocket): void {
    this.peer = other;
    this.phase = "connected";
  }

  /** The socket at the far end of a connection to this one. */
  farEnd(): StreamSocket {
    const { network, domain, type, protocol, gateway } = this;
    return new StreamSocket(network, { domain, type, protocol, flags: 0, ino: network.newInode() }, gateway);
  }
  /** Connects to an address outside of the machine; the socket is told how that went. */
  connectOutside(to: Address): void {
    this.gateway?.connect(this, to);
  }

  /** Connects to a socket that listens and has room: its end of the connection waits there to be accepted. */
  connectTo(listener: StreamSocket, at: Address, by: Sender): void {
    const end = listener.farEnd();
    end.local = asSeenBy(end.domain, at);
    end.isAccepted = true;
    end.remote = this.local && asSeenBy(end.domain, this.local);
    this.remote = at;
    this.join(end);
    this.peerCredentials = listener.peerCredentials;
    end.peerCredentials = by;
    this.readShut = this.writeShut = false;
    for (const [key, value] of listener.options) end.options.set(key, value);
    end.filter = listener.filter;
    end.receiveTimeout = listener.receiveTimeout;
    end.sendTimeout = listener.sendTimeout;
    if (!this.isUnix) this.network.share(end);
    listener.waiting.push(hold(end));
    listener.arrive();
    this.vacated++;
    this.changed();
  }

  /** TCP: waits for room at a socket that listens. */
  queueFor(listener: StreamSocket, at: Address): void {
    this.phase = "connecting";
    this.remote = at;
    listener.overflow.push(this);
  }

  /** TCP: nobody listens there, or what else has kept it from a connection. */
  refuse(error = ECONNREFUSED): void {
    this.phase = "closed";
    this.error = error;
    this.changed();
  }

  /** The next connection, held by its caller. */
  override accept(): StreamSocket | undefined {
    if (this.phase !== "listening") throw new SysError(EINVAL);
    const next = this.waiting.shift();
    const waits = this.overflow.shift();
    if (waits !== undefined) waits.connectTo(this, waits.remote!, waits.peerCredentials!);
    if (next !== undefined) this.changed();
    return next;
  }

  /** connect(2) with AF_UNSPEC: TCP goes back to where it began. */
  disconnect(): void {
    this.reset();
    this.phase = "idle";
    this.error = 0;
    this.readShut = this.writeShut = false;
    this.remote = undefined;
    this.urgent = undefined;
    this.inbox.clear();
  }

  // ---- data --------------------------------------------------------------------------------------------------

  override checkSend(): void {
    const { isUnix } = this;
    // Streams of AF_UNIX ask first whether the other end has gone, packets for an error (unix_stream_sendmsg, sock_alloc_send_pskb).
    if (isUnix && !this.isPackets && this.writeShut) throw new SysError(EPIPE);
    this.checkError();
    if (this.phase !== "connected") throw new SysError(isUnix ? ENOTCONN : EPIPE);
    const isDeaf = isUnix && (this.peer === undefined || this.peer.readShut);
    if (this.writeShut || isDeaf) throw new SysError(EPIPE);
  }

  override send(what: Outgoing): number | undefined {
    if (this.phase === "connecting") return undefined;
    this.checkSend();
    const { peer } = this;
    if (peer === undefined) {
      // The other end of TCP is closed: what comes there is answered with a reset.
      this.writeShut = this.readShut = true;
      this.phase = "closed";
      const count = Math.min(what.bytes.length, this.takenInVain);
      this.error = EPIPE;
      this.changed();
      return count;
    }
    const { bytes, sender, files, time } = what;
    if (this.isPackets && bytes.length > this.longest) throw new SysError(EMSGSIZE);
    if (bytes.length === 0 && !this.isPackets && files.length === 0) return 0;
    const room = this.roomAt(peer);
    if (room <= 0 || (this.isPackets && room < bytes.length && peer.inbox.count > 0)) return undefined;
    const count = this.isPackets ? bytes.length : Math.min(bytes.length, room);
    const from = this.isUnix ? this.local : undefined;
    let taken: Uint8Array | undefined = bytes.subarray(0, count);
    if (this.isPackets && peer.filter !== undefined)
      taken = siftMessage(peer.filter, taken, this.network.random);
    if (taken === undefined) {
      // Who sends it is not told.
      for (const file of files) release(file);
      return count;
    }
    peer.inbox.add({ bytes: taken, from, sender, files, time }, !this.isPackets);
    this.isCrowded ||= !this.canSend;
    peer.arrive();
    return count;
  }

  /** Bytes that may be on their way to the other end. */
  private limitTo(peer: StreamSocket): number {
    return this.isUnix ? this.sendBuffer : this.sendBuffer + peer.receiveBuffer;
  }
  /** Bytes of one call that go to an end of TCP that is closed. */
  private get takenInVain(): number {
    const set = this.option(SO_SNDBUF);
    const segments = set === 0 ? MOST_SEGMENTS : Math.ceil(set / (SEGMENT + SEGMENT_COST));
    return SEGMENT * Math.min(segments, MOST_SEGMENTS);
  }
  override get isBroken(): boolean {
    return !this.isUnix && (this.error !== 0 || this.writeShut);
  }
  override takes(length: number): number {
    const { peer } = this;
    if (peer === undefined) return this.isUnix ? length : this.takenInVain;
    if (peer.onChange !== undefined) return length;
    return Math.min(length, Math.max(0, this.roomAt(peer)));
  }
  /** Bytes that there is still room for. */
  private roomAt(peer: StreamSocket): number {
    return this.limitTo(peer) - peer.inbox.weight;
  }

  // ---- out of band ---------------------------------------------------------------------------------------------

  /** Whether bytes can be sent out of band: TCP only, and not out of the machine. */
  get hasUrgent(): boolean {
    return !this.isUnix && this.peer?.onChange === undefined;
  }
  /** Whether the urgent byte is read by itself, and skipped in the stream. */
  private get isUrgentApart(): boolean {
    return this.urgent !== undefined && this.option(SO_OOBINLINE) === 0;
  }
  /** Whether the next byte to be read is the urgent one. */
  get isAtMark(): boolean {
    return this.urgent?.after === 0;
  }

  /** The byte that was sent last is urgent. */
  markUrgent(): void {
    const { peer } = this;
    if (peer === undefined || peer.inbox.size === 0) return;
    // One that nobody has read is lost where it was next, and part of the stream elsewhere.
    if (peer.isAtMark && peer.isUrgentApart && peer.inbox.size > 1) peer.inbox.dropByte();
    peer.urgent = { after: peer.inbox.size - 1, isRead: false };
    peer.changed();
  }

  /** recv(2) with MSG_OOB. Throws EINVAL where there is nothing of the kind. */
  receiveUrgent(peek: boolean): Uint8Array {
    const { urgent } = this;
    if (urgent === undefined || urgent.isRead || !this.isUrgentApart) throw new SysError(EINVAL);
    if (!peek) urgent.isRead = true;
    return this.inbox.byteAt(urgent.after);
  }

  /** Passes the urgent byte by, which is next in the stream and not part of it. */
  private skipUrgent(): void {
    this.urgent = undefined;
    this.inbox.dropByte();
  }
  /** What stands behind the urgent byte, which stays. */
  private pastUrgent(room: number): Received {
    const { bytes, length, ...rest } = this.piece(room + 1, true)!;
    return { ...rest, bytes: bytes.subarray(1), length: length - 1 };
  }
  /** Bytes that can be read before the mark, or all. */
  private get toMark(): number {
    const after = this.urgent?.after ?? 0;
    return after > 0 ? after : this.inbox.size;
  }

  override receive(room: number, peek: boolean): Received | undefined {
    this.checkReceive();
    const isBeforeUrgent = this.isAtMark && this.isUrgentApart;
    if (isBeforeUrgent && !peek) this.skipUrgent();
    const isPeekedPast = isBeforeUrgent && peek;
    const isEmpty = this.inbox.count === 0 || (isPeekedPast && this.inbox.size === 1);
    const received = isEmpty ? undefined : this.next(room, peek, isPeekedPast);
    if (received === undefined) {
      this.checkError();
      return this.readShut || this.phase === "closed" ? END : undefined;
    }
    if (this.urgent !== undefined && !peek) {
      this.urgent.after -= received.length;
      if (this.urgent.after < 0) this.urgent = undefined;
    }
    return received;
  }

  /** What is next to be read or looked at, if a look has not come to the end. */
  private next(room: number, peek: boolean, isPeekedPast: boolean): Received | undefined {
    if (isPeekedPast) return this.pastUrgent(room);
    if (this.isPackets) return this.packet(room, peek);
    return this.piece(Math.min(room, this.toMark), peek);
  }

  private checkReceive(): void {
    if (this.phase === "connected" || this.phase === "connecting" || this.inbox.count > 0) return;
    this.checkError();
    if (this.readShut && !this.isUnix) return;
    throw new SysError(this.isUnix && this.type === SOCK_STREAM ? EINVAL : ENOTCONN);
  }

  /** Bytes of as many messages as there are of one sender, up to one that descriptions came with. */
  private piece(room: number, peek: boolean): Received | undefined {
    let { first, index, skip } = this.messageAt(peek && this.isUnix ? this.lookFrom : 0);
    if (first === undefined) return undefined;
    const pieces: Uint8Array[] = [];
    let files: Received["files"] = [];
    let length = 0;
    while (length < room || room === 0) {
      const message = this.inbox.at(index);
      if (message === undefined || !sameSender(message, first)) break;
      const bytes = message.bytes.subarray(skip, skip + room - length);
      skip = 0;
      pieces.push(bytes);
      length += bytes.length;
      if (peek) {
        index++;
        files = message.files.map(hold);
      } else {
        files = this.inbox.takeFiles();
        const isWhole = bytes.length === message.bytes.length;
        if (isWhole) this.inbox.shift();
        else this.inbox.consume(bytes.length);
      }
      if (files.length > 0 || room === 0) break;
    }
    if (!peek) this.giveRoom();
    if (this.isUnix) this.seen(length, peek);
    const bytes = pieces.length === 1 ? pieces[0] : joined(pieces);
    const { from, sender, time } = first;
    return { bytes, length, from, sender, files, time, isEnd: false };
  }

  protected override giveRoom(): void {
    const { peer } = this;
    if (!peer?.canSend) return;
    if (peer.isCrowded) peer.vacated++;
    peer.isCrowded = false;
    peer.changed();
  }

  override shutdown(how: number): void {
    if (!this.isUnix && this.phase === "listening") {
      if (how !== SHUT_WR) this.stopListening();
      return;
    }
    super.shutdown(how);
    if (!this.isUnix && this.phase !== "connected") throw new SysError(ENOTCONN);
    const { peer } = this;
    if (peer === undefined) return;
    if (how !== SHUT_RD) peer.readShut = true;
    if (how !== SHUT_WR && this.isUnix) peer.writeShut = true;
    peer.arrive();
  }

  // ---- the end -----------------------------------------------------------------------------------------------

  private stopListening(): void {
    this.phase = "closed";
    this.gateway?.stopped(this);
    // Whoever waits here has its connection broken before anybody took it up.
    for (const end of this.waiting.splice(0)) {
      end.reset();
      release(end);
    }
    for (const socket of this.overflow.splice(0)) socket.refuse();
  }

  /** Breaks the connection off: the other end finds ECONNRESET. */
  reset(): void {
    const { peer } = this;
    this.peer = undefined;
    if (peer === undefined) return;
    peer.peer = undefined;
    peer.error = ECONNRESET;
    peer.readShut = peer.writeShut = true;
    if (!this.isUnix) peer.phase = "closed";
    peer.arrive();
  }

  /** SO_LINGER with no time: close(2) breaks the connection off. */
  private get isAbrupt(): boolean {
    return !this.isUnix && this.options.get(optionKey(SOL_SOCKET, SO_LINGER)) === LINGER_NOT;
  }

  override close(): void {
    if (this.phase === "listening") this.stopListening();
    const { peer } = this;
    if (peer !== undefined) {
      if (this.inbox.count > 0 || this.isAbrupt) this.reset();
      else {
        this.peer = peer.peer = undefined;
        peer.readShut = true;
        if (this.isUnix) peer.writeShut = true;
        peer.arrive();
      }
    }
    super.close();
  }

  // ---- freezing ----------------------------------------------------------------------------------------------

  protected override more(tables: FreezeContext): Partial<SocketState> {
    const { phase, backlog, untold, peer } = this;
    const indices = (sockets: readonly Socket[]) => sockets.map((socket) => tables.add(socket));
    return {
      ...{
        phase,
        backlog,
        untold,
        accepted: this.isAccepted,
        peer: peer === undefined ? -1 : tables.add(peer),
        urgent: this.urgent === undefined ? null : { ...this.urgent },
      },
      ...{ waiting: indices(this.waiting), overflow: indices(this.overflow) },
      // What is being connected outside has nobody to wait for after a thaw.
      ...(this.gateway?.isConnecting(this) ? { phase: "closed", error: ETIMEDOUT } : {}),
    };
  }

  override resume(from: SocketState, opened: readonly OpenFile[]): void {
    super.resume(from, opened);
    this.phase = from.phase;
    this.backlog = Math.min(from.backlog, SOMAXCONN);
    this.untold = from.untold;
    this.isAccepted = from.accepted;
    if (from.urgent && from.urgent.after >= this.inbox.size)
      throw new RangeError("an urgent byte is missing");
    if (from.urgent) this.urgent = { ...from.urgent };
    const socketAt = (index: number): StreamSocket => {
      const file = fileAt(opened, index);
      if (file instanceof StreamSocket) return file;
      throw new RangeError(`open file ${index} is no end of a connection`);
    };
    if (from.peer >= 0) this.peer = socketAt(from.peer);
    this.waiting.push(...from.waiting.map((index) => hold(socketAt(index))));
    this.overflow.push(...from.overflow.map(socketAt));
    this.network.restore(this);
    if (this.phase === "listening" && !this.isUnix) this.gateway?.listening(this);
  }

  // ---- readiness ---------------------------------------------------------------------------------------------

  /** Whether enough has been received that sending is worth while again. */
  private get canSend(): boolean {
    const { peer } = this;
    if (peer === undefined) return true;
    const limit = this.limitTo(peer);
    return this.isUnix ? peer.inbox.weight * 4 <= limit : peer.inbox.weight * 3 <= limit * 2;
  }

  override events(): number {
    const { phase, readShut, writeShut } = this;
    if (phase === "listening") return this.waiting.length > 0 ? POLLIN | POLLRDNORM : 0;
    let events = this.error !== 0 ? POLLERR : 0;
    if ((readShut && writeShut) || phase === "idle" || phase === "closed") events |= POLLHUP;
    if (readShut) events |= POLLRDHUP | POLLIN | POLLRDNORM;
    const amount = this.inbox.size - (this.isAtMark && this.isUrgentApart ? 1 : 0);
    if (this.isUnix ? this.inbox.count > 0 : amount >= this.leastToReceive) events |= POLLIN | POLLRDNORM;
    if (this.urgent !== undefined && !this.urgent.isRead) events |= POLLPRI;
    if (phase === "connecting") return events;
    if (this.canSend) events |= POLLOUT | POLLWRNORM | (this.isUnix ? POLLWRBAND : 0);
    return events;
  }
  override get unsent(): number {
    const { isUnix, phase, peer } = this;
    if (phase === "listening" && !isUnix) throw new SysError(EINVAL);
    if (peer === undefined) return 0;
    return isUnix ? peer.inbox.weight : Math.max(0, peer.inbox.size - peer.receiveBuffer);
  }
  override available(): number {
    if (this.phase === "listening") throw new SysError(EINVAL);
    return this.urgent !== undefined && this.isUrgentApart ? this.urgent.after : this.inbox.size;
  }

  /** Throws what connect(2) says of a socket that can't be connected now. */
  checkConnect(): void {
    if (this.phase === "listening") throw new SysError(this.isUnix ? EINVAL : EISCONN);
    if (this.phase === "connected" && !this.untold) throw new SysError(EISCONN);
  }
  /** Whether a socket that was found listens, and can be talked to. Throws EPROTOTYPE, ECONNREFUSED. */
  checkListener(listener: Socket | undefined): asserts listener is StreamSocket {
    if (listener === undefined) throw new SysError(ECONNREFUSED);
    if (listener.type !== this.type) throw new SysError(EPROTOTYPE);
    if (!(listener instanceof StreamSocket) || listener.phase !== "listening")
      throw new SysError(ECONNREFUSED);
  }
}
