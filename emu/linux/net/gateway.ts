/**
 * The way out of the machine, as far as it was granted. To sockets of the machine the other side of a connection outside is a socket like
 * any other, the `far` one, which belongs to a relay; that takes what is sent to it to the host, and what comes from there it sends.
 */
import type {
  ConnectionEvents,
  HostAddress,
  HostConnection,
  HostDatagrams,
  HostNetwork,
} from "../../host/host.ts";
import { errnoOf, SysError } from "../errno.ts";
import {
  type Address,
  asSeenBy,
  fromText,
  isAny,
  isForMany,
  isLoopback,
  loopback,
  toText,
  unmapped,
} from "./address.ts";
import type { DatagramSocket } from "./datagram-socket.ts";
import { AF_INET, AF_INET6, IPPROTO_IPV6, IPV6_V6ONLY, SHUT_WR } from "./socket-constants.ts";
import type { StreamSocket } from "./stream-socket.ts";

/** What of the host's network programs may reach, and who may reach them (--net). */
export interface NetGrants {
  /** Addresses outside of the host. */
  readonly outside: boolean;
  /** What listens on the host's own loopback, where nothing of the machine does. */
  readonly host: boolean;
  /** TCP ports of the machine that are reached by a port of the host's loopback. */
  readonly ports: readonly { readonly guest: number; readonly host: number }[];
}

/** Bytes that are taken to the host at a time. */
const PIECE = 65536;
/** Whoever is outside has none of the machine's ids. */
const NOBODY = { pid: 0, uid: 65534, gid: 65534 };
/** Where what goes outside comes from, to programs: an address that user-mode networks often have. */
const SOURCE = fromText("10.0.2.15", 0)!;
const SOURCE6 = fromText("fec0::2", 0)!;

/** One TCP connection that leads outside. */
class Relay {
  private readonly gateway: Gateway;
  private far: StreamSocket | undefined;
  private connection: HostConnection | undefined;
  /** What has come from the host and found no room. */
  private readonly arrived: Uint8Array[] = [];
  private hasEnded = false;
  private isFull = false;
  private hasSentEnd = false;

  constructor(gateway: Gateway) {
    this.gateway = gateway;
  }

  /** Begins to take bytes between `far` and the host's connection. */
  join(far: StreamSocket, connection: HostConnection): void {
    this.far = far;
    this.connection = connection;
    far.onChange = () => this.wake();
    this.wake();
  }

  /** What the host tells of the connection once it is there. */
  readonly events: ConnectionEvents = {
    connected: () => {},
    data: (bytes) => {
      this.arrived.push(bytes);
      this.feed();
    },
    ended: () => {
      this.hasEnded = true;
      this.feed();
    },
    drained: () => {
      this.isFull = false;
      this.drain();
    },
    failed: () => this.breakOff(),
    closed: () => {
      this.hasEnded = true;
      this.feed();
      if (this.arrived.length === 0) this.gateway.over(this);
    },
  };

  private breakOff(): void {
    this.far?.reset();
    this.gateway.over(this);
  }

  /** Something has changed at the far socket: it has got something, or has room. */
  private wake(): void {
    this.drain();
    this.feed();
  }

  /** From the machine to the host. */
  private drain(): void {
    const { far, connection } = this;
    if (far === undefined || connection === undefined) return;
    try {
      while (!this.isFull && !this.hasSentEnd) {
        const received = far.receive(PIECE, false);
        if (received === undefined) break;
        if (received.isEnd) {
          this.hasSentEnd = true;
          connection.end();
        } else this.isFull = !connection.write(received.bytes);
      }
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      // The socket of the machine was broken off.
      this.close(true);
      return;
    }
    // It is closed: whatever may still come has nobody to go to.
    if (this.hasSentEnd && far.peer === undefined) this.close(false);
  }

  /** From the host to the machine. */
  private feed(): void {
    const { far, connection } = this;
    if (far === undefined || connection === undefined) return;
    while (this.arrived.length > 0) {
      if (far.peer === undefined) {
        this.close(true);
        return;
      }
      const count = far.send({
        bytes: this.arrived[0],
        sender: undefined,
        files: [],
        time: this.gateway.now(),
      });
      if (count === undefined) break;
      if (count === this.arrived[0].length) this.arrived.shift();
      else this.arrived[0] = this.arrived[0].subarray(count);
    }
    connection.hold(this.arrived.length > 0);
    if (this.hasEnded && this.arrived.length === 0 && !far.writeShut && far.peer !== undefined) {
      far.shutdown(SHUT_WR);
    }
  }

  /** Lets go of the host's connection. */
  close(reset: boolean): void {
    if (this.far !== undefined) this.far.onChange = undefined;
    this.connection?.destroy(reset);
    this.gateway.over(this);
  }
}

export class Gateway {
  private readonly grants: NetGrants;
  private readonly network: HostNetwork;
  readonly now: () => bigint;
  private readonly warn: (message: string) => void;
  private readonly relays = new Set<Relay>();
  /** Sockets that wait for the host to connect, and its connections. */
  private readonly connecting = new Map<StreamSocket, HostConnection>();
  private readonly listeners = new Map<StreamSocket, { close(): void }>();
  private readonly datagrams = new Map<DatagramSocket, Map<4 | 6, HostDatagrams>>();

  constructor(
    grants: NetGrants,
    { network, now, warn }: { network: HostNetwork; now: () => bigint; warn: (message: string) => void },
  ) {
    this.grants = grants;
    this.network = network;
    this.now = now;
    this.warn = warn;
  }

  /** Whether what is at an address may be reached there. */
  reaches(to: Address): boolean {
    if (isLoopback(to)) return this.grants.host;
    const { family, name } = unmapped(to);
    // 0.0.0.0/8 is nowhere, to some systems the host itself.
    if (isAny(to) || isForMany(to) || (family === AF_INET && name[0] === 0)) return false;
    return this.grants.outside;
  }
  /** The address that packets to another one come from. */
  sourceFor(family: number, port: number): Address {
    return { ...(family === AF_INET ? SOURCE : SOURCE6), port };
  }

  /** Whether anything may still come in from outside. */
  get isInUse(): boolean {
    return [this.relays, this.connecting, this.listeners, this.datagrams].some(({ size }) => size > 0);
  }

  /** A relay has nothing to do any more. */
  over(relay: Relay): void {
    this.relays.delete(relay);
  }

  /** Whether a socket waits for a connection outside. */
  isConnecting(socket: StreamSocket): boolean {
    return this.connecting.has(socket);
  }

  /** Connects a socket to an address outside: it will be told how that went. */
  connect(socket: StreamSocket, to: Address): void {
    socket.phase = "connecting";
    socket.remote = to;
    const relay = new Relay(this);
    const finish = (): HostConnection | undefined => {
      const connection = this.connecting.get(socket);
      this.connecting.delete(socket);
      if (socket.isClosed || socket.phase !== "connecting") {
        connection?.destroy(true);
        return undefined;
      }
      return connection;
    };
    const connection = this.network.connect(toText(unmapped(to)), {
      ...relay.events,
      connected: () => {
        const made = finish();
        if (made === undefined) return;
        const far = socket.farEnd();
        socket.join(far);
        this.relays.add(relay);
        relay.join(far, made);
        socket.arrive();
      },
      failed: (code) => {
        if (!this.connecting.has(socket)) relay.events.failed(code);
        else if (finish() !== undefined) socket.refuse(errnoOf(code));
      },
    });
    this.connecting.set(socket, connection);
  }

  /** A socket listens: if its port was granted, the host is told. */
  listening(socket: StreamSocket): void {
    const local = unmapped(socket.local!);
    const port = this.grants.ports.find(({ guest }) => guest === local.port);
    if (port === undefined || this.listeners.has(socket) || !(isAny(local) || isLoopback(local))) return;
    const isSix = local.family === AF_INET6 && socket.option(IPV6_V6ONLY, IPPROTO_IPV6) !== 0;
    const at = asSeenBy(socket.domain, loopback(isSix ? AF_INET6 : AF_INET, local.port));
    const listener = this.network.listen(
      { address: "127.0.0.1", port: port.host },
      (from, begin) => this.take(socket, at, from, begin),
      (code) =>
        this.warn(`port ${port.guest} of the program can't be reached by port ${port.host} here: ${code}`),
    );
    this.listeners.set(socket, listener);
  }
  private take(
    socket: StreamSocket,
    at: Address,
    from: HostAddress,
    begin: (events: ConnectionEvents) => HostConnection,
  ): void {
    const relay = new Relay(this);
    const connection = begin(relay.events);
    if (socket.isFull || socket.phase !== "listening") {
      connection.destroy(true);
      return;
    }
    const far = socket.farEnd();
    far.local = fromText(from.address, from.port);
    far.connectTo(socket, at, NOBODY);
    this.relays.add(relay);
    relay.join(far, connection);
  }
  stopped(socket: StreamSocket): void {
    this.listeners.get(socket)?.close();
    this.listeners.delete(socket);
  }

  /** Sends a datagram outside; answers come to the socket. */
  send(socket: DatagramSocket, to: Address, bytes: Uint8Array): void {
    const target = unmapped(to);
    // Nobody has that port, and the host takes nothing for it.
    if (target.port === 0) return;
    const version = target.family === AF_INET ? 4 : 6;
    let of = this.datagrams.get(socket);
    if (of === undefined) this.datagrams.set(socket, (of = new Map()));
    let out = of.get(version);
    if (out === undefined) {
      out = this.network.datagrams(
        version,
        (answer, { address, port }) => socket.receiveFrom(fromText(address, port), answer, this.now()),
        (code) => socket.fail(errnoOf(code)),
      );
      of.set(version, out);
    }
    out.send(bytes, toText(target));
  }
  closed(socket: DatagramSocket): void {
    const of = this.datagrams.get(socket);
    for (const each of of?.values() ?? []) each.close();
    this.datagrams.delete(socket);
  }

  /** Lets go of everything outside; what has been sent still goes out. */
  close(): void {
    for (const socket of [...this.listeners.keys()]) this.stopped(socket);
    for (const connection of this.connecting.values()) connection.destroy(true);
    for (const socket of [...this.datagrams.keys()]) this.closed(socket);
    for (const relay of [...this.relays]) relay.close(false);
  }
}
