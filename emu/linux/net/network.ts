/**
 * The network of one machine: what sockets are bound to. Names of AF_UNIX that are paths are kept with the files (`vfs/nodes.ts`), abstract
 * ones here. The only interface is the loopback, on which everything arrives as soon as it is sent.
 */

import type { NetworkSnapshot } from "../../snapshot.ts";
import { EACCES, EADDRINUSE, EADDRNOTAVAIL, EINVAL, ENETUNREACH, SysError } from "../errno.ts";
import {
  type Address,
  addressKey,
  anyAddress,
  asSeenBy,
  isAbstract,
  isAny,
  isBroadcast,
  isForMany,
  isLoopback,
  isMulticast,
  isSameName,
  loopback,
  unixAddress,
  unmapped,
} from "./address.ts";
import type { InFlight } from "./inbox.ts";
import { LOOPBACK } from "./loopback-interface.ts";
import { isHeard, wants } from "./multicast.ts";
import type { Socket } from "./socket.ts";
import {
  AF_INET,
  AF_INET6,
  AF_NETLINK,
  IP_MULTICAST_ALL,
  IP_MULTICAST_IF,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  SO_BINDTODEVICE,
  SO_BROADCAST,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SOCK_STREAM,
} from "./socket-constants.ts";

/** /proc/sys/net/ipv4/ip_local_port_range. */
const FIRST_EPHEMERAL = 32768;
const LAST_EPHEMERAL = 60999;
/** Abstract names that are made up have five hexadecimal digits. */
const MADE_UP = 0x100000;

const encoder = new TextEncoder();

/** The sockets of a port: those that are looked for by it, and connections accepted there, which only keep it. */
interface Port {
  readonly bound: Set<Socket>;
  readonly accepted: Set<Socket>;
}

const socketsOf = ({ bound, accepted }: Port): Socket[] => [...bound, ...accepted];

/** What of the world outside packets get to. */
interface Outside {
  /** Whether what is at an address may be reached there. */
  reaches(to: Address): boolean;
  /** The address that packets to another one come from. */
  sourceFor(family: number, port: number): Address;
}

/** How a datagram wants to go: by an interface, from an address; 0 and nothing where it doesn't say. */
export interface Via {
  readonly interface: number;
  readonly source: Uint8Array;
}

/** IP_MULTICAST_IF, which is there where it has been set, and IP_MULTICAST_ALL. */
const MULTICAST_IF = `${IPPROTO_IP}/${IP_MULTICAST_IF}`;
const MULTICAST_ALL = `${IPPROTO_IP}/${IP_MULTICAST_ALL}`;

export class Network {
  readonly inFlight: InFlight = { count: 0 };
  readonly newInode: () => bigint;
  /** By type and name. */
  private readonly abstract = new Map<string, Socket>();
  /** Sockets of the internet that have a port, by protocol and port. */
  private readonly ports = new Map<string, Port>();
  /** The port and the name that were made up last. */
  lastPort = FIRST_EPHEMERAL - 1;
  lastName = -1;
  /** What is outside, where that is reached. */
  outside: Outside | undefined;
  /** Sockets that have joined groups of multicast. */
  readonly members = new Set<Socket>();
  /** All sockets that somebody has open, and those that wait to be accepted, which have no number yet. */
  list: () => readonly { readonly socket: Socket; readonly ino: bigint; readonly uid: number }[] = () => [];
  /** A word at random, for filters. */
  random: () => number = () => 0;
  /** Forgets a socket that was bound to a path. */
  onUnbind: (socket: Socket) => void = () => {};

  constructor(newInode: () => bigint) {
    this.newInode = newInode;
  }

  /** Whether nothing has been made up yet. */
  get isFresh(): boolean {
    return this.lastPort === FIRST_EPHEMERAL - 1 && this.lastName === -1;
  }

  /** Goes on as a snapshot has it. Throws RangeError where that makes no sense. */
  resume(from: NetworkSnapshot | undefined): void {
    if (from === undefined) return;
    const { lastPort, lastName } = from;
    const makesSense = lastPort >= FIRST_EPHEMERAL - 1 && lastPort <= LAST_EPHEMERAL && lastName >= -1;
    if (!makesSense || lastName >= MADE_UP) throw new RangeError(`port ${lastPort}, name ${lastName}`);
    this.lastPort = lastPort;
    this.lastName = lastName;
  }

  /** A socket of a snapshot has its address again. Throws EADDRINUSE. */
  restore(socket: Socket): void {
    const { local } = socket;
    if (local === undefined) return;
    if (!socket.isUnix) this.share(socket);
    else if (isAbstract(local) && !socket.isAccepted) this.bindAbstract(socket, local);
  }

  // ---- abstract names ----------------------------------------------------------------------------------------

  private nameOf(socket: Socket, address: Address): string {
    return `${socket.type} ${addressKey(address)}`;
  }

  /** Takes an abstract name. Throws EADDRINUSE. */
  bindAbstract(socket: Socket, address: Address): void {
    const key = this.nameOf(socket, address);
    if (this.abstract.has(key)) throw new SysError(EADDRINUSE);
    this.abstract.set(key, socket);
    socket.local = address;
  }
  findAbstract(asker: Socket, address: Address): Socket | undefined {
    return this.abstract.get(this.nameOf(asker, address));
  }

  /** Gives a socket that has no address one that nobody has. Throws EADDRINUSE where all are taken. */
  autobind(socket: Socket): void {
    if (socket.local !== undefined) return;
    if (!socket.isUnix) {
      this.bindInternet(socket, anyAddress(socket.domain));
      return;
    }
    for (let tries = 0; tries < MADE_UP; tries++) {
      this.lastName = (this.lastName + 1) % MADE_UP;
      const text = `\0${this.lastName.toString(16).padStart(5, "0")}`;
      const address = unixAddress(encoder.encode(text));
      if (this.findAbstract(socket, address) !== undefined) continue;
      this.bindAbstract(socket, address);
      return;
    }
    throw new SysError(EADDRINUSE);
  }

  // ---- ports -------------------------------------------------------------------------------------------------

  private portOf(protocol: number, port: number): Port {
    const key = `${protocol} ${port}`;
    let there = this.ports.get(key);
    if (there === undefined) this.ports.set(key, (there = { bound: new Set(), accepted: new Set() }));
    return there;
  }

  /** Whether two addresses, as their sockets have them, have an address in common. */
  private overlap(a: Socket, at: Address, b: Socket): boolean {
    const [one, other] = [unmapped(at), unmapped(b.local!)];
    if (one.family === other.family) return isSameName(one, other) || isAny(one) || isAny(other);
    // :: takes what comes by IPv4 as well, unless it is told not to.
    const [six, socket] = one.family === AF_INET6 ? [one, a] : [other, b];
    return isAny(six) && socket.option(IPV6_V6ONLY, IPPROTO_IPV6) === 0;
  }

  private conflicts(socket: Socket, at: Address, other: Socket): boolean {
    if (other === socket) return false;
    if (socket.option(SO_REUSEPORT) && other.option(SO_REUSEPORT)) return false;
    if (socket.option(SO_REUSEADDR) && other.option(SO_REUSEADDR) && !other.isListening) return false;
    return this.overlap(socket, at, other);
  }

  /** Takes an address of the loopback, or any. Throws EADDRNOTAVAIL, EADDRINUSE. */
  bindInternet(socket: Socket, address: Address): void {
    if (!isAny(address) && !isLoopback(address) && !isForMany(address)) throw new SysError(EADDRNOTAVAIL);
    if (socket.local !== undefined) throw new SysError(EINVAL);
    const port = address.port === 0 ? this.freePort(socket, address) : address.port;
    const there = this.portOf(socket.protocol, port);
    if (socketsOf(there).some((other) => this.conflicts(socket, address, other)))
      throw new SysError(EADDRINUSE);
    there.bound.add(socket);
    socket.local = { ...address, port };
  }

  private freePort(socket: Socket, address: Address): number {
    for (let tries = FIRST_EPHEMERAL; tries <= LAST_EPHEMERAL; tries++) {
      this.lastPort = this.lastPort >= LAST_EPHEMERAL ? FIRST_EPHEMERAL : this.lastPort + 1;
      const there = this.portOf(socket.protocol, this.lastPort);
      if (!socketsOf(there).some((other) => this.overlap(socket, address, other))) return this.lastPort;
    }
    throw new SysError(EADDRINUSE);
  }

  /** A connection that was accepted, or thawed, has the port of its address too. */
  share(socket: Socket): void {
    const { bound, accepted } = this.portOf(socket.protocol, socket.local!.port);
    (socket.isAccepted ? accepted : bound).add(socket);
  }

  /** Whether another socket listens where this one is bound. */
  hasListener(socket: Socket): boolean {
    if (socket.isUnix) return false;
    return [...this.portOf(socket.protocol, socket.local!.port).bound].some(
      (other) =>
        other.isListening &&
        this.overlap(socket, socket.local!, other) &&
        !(socket.option(SO_REUSEPORT) && other.option(SO_REUSEPORT)),
    );
  }

  /**
   * Where a packet to `to` comes from: the address that its sender is bound to or wants it to come from, or the loopback's. Binds it where
   * it isn't.
   */
  sourceOf(socket: Socket, to: Address, via?: Via): Address {
    this.reach(socket, to, via);
    this.autobind(socket);
    const local = socket.local!;
    if (via?.source.some((byte) => byte !== 0)) {
      const wanted = { family: AF_INET, name: via.source, port: local.port };
      if (!isLoopback(wanted)) throw new SysError(EINVAL);
      return asSeenBy(socket.domain, wanted);
    }
    if (!isAny(local) && !isForMany(local)) return local;
    const seen = unmapped(to);
    if (this.goesByLink(socket, to, via)) {
      const name = new Uint8Array(4);
      // By the interface alone it comes from nowhere: the address there is is for the host itself.
      new DataView(name.buffer).setInt32(0, socket.options.get(MULTICAST_IF) ?? 0);
      return asSeenBy(socket.domain, { family: AF_INET, name, port: local.port });
    }
    if (!isLoopback(to)) return asSeenBy(socket.domain, this.outside!.sourceFor(seen.family, local.port));
    return asSeenBy(socket.domain, loopback(seen.family, local.port));
  }

  /** Throws ENETUNREACH for what is not on the loopback, nor may be reached outside; EACCES for a broadcast without SO_BROADCAST. */
  private reach(socket: Socket, to: Address, via?: Via): void {
    const isByLink = this.goesByLink(socket, to, via);
    if (isBroadcast(to) && (isLoopback(to) || isByLink || this.outside !== undefined)) {
      if (socket.type === SOCK_STREAM) throw new SysError(ENETUNREACH);
      if (socket.option(SO_BROADCAST) === 0) throw new SysError(EACCES);
    }
    const onlySix = socket.option(IPV6_V6ONLY, IPPROTO_IPV6) !== 0 && unmapped(to).family === AF_INET;
    const isReached = isLoopback(to) || isByLink || this.outside?.reaches(to) === true;
    if (onlySix || !isReached) throw new SysError(ENETUNREACH);
  }

  /** Whether what is for many goes by the loopback, to which no route leads: its sender says so, or is there. */
  private goesByLink(socket: Socket, to: Address, via?: Via): boolean {
    const target = unmapped(to);
    if (target.family !== AF_INET || !isForMany(target) || socket.type === SOCK_STREAM) return false;
    if (socket.option(SO_BINDTODEVICE) === LOOPBACK.index || via?.interface === LOOPBACK.index) return true;
    if ((socket.local !== undefined && isLoopback(socket.local)) || via?.source[0] === 127) return true;
    return isMulticast(target) && socket.options.has(MULTICAST_IF);
  }

  /** The sockets that a packet to an address could be for, the most particular first, of those that are alike the one bound last. */
  private candidates(protocol: number, to: Address): Socket[] {
    const target = unmapped(to);
    const bound = [...(this.ports.get(`${protocol} ${to.port}`)?.bound ?? [])].reverse();
    const fits = bound.filter((socket) => {
      const local = unmapped(socket.local!);
      if (local.family === target.family) return isSameName(local, target) || isAny(local);
      return local.family === AF_INET6 && isAny(local) && socket.option(IPV6_V6ONLY, IPPROTO_IPV6) === 0;
    });
    const rank = (socket: Socket) => (isAny(socket.local!) ? 2 : 0) + (socket.domain === AF_INET ? 0 : 1);
    return fits.sort((a, b) => rank(a) - rank(b));
  }

  /** The socket that listens at an address. */
  listenerAt(asker: Socket, to: Address): Socket | undefined {
    this.reach(asker, to);
    if (!isLoopback(to)) return undefined;
    return this.candidates(asker.protocol, to).find(({ isListening }) => isListening);
  }

  /** The socket that gets a datagram: one that is connected to who sends it goes before those that are to nobody. */
  receiverOf(sender: Socket, to: Address, from: Address): Socket | undefined {
    if (!isLoopback(to)) return undefined;
    const fits = this.candidates(sender.protocol, to);
    const key = addressKey(unmapped(from));
    const isFrom = ({ remote }: Socket) => remote !== undefined && addressKey(unmapped(remote)) === key;
    return fits.find(isFrom) ?? fits.find(({ remote }) => remote === undefined);
  }

  /** The sockets that get a datagram that is for many. */
  receiversOf(sender: Socket, to: Address, from: Address): Socket[] {
    const [target, source] = [unmapped(to), unmapped(from)];
    const isOfGroup = isMulticast(target);
    if (isOfGroup && !isHeard(this.members, target.name, source.name)) return [];
    const key = addressKey(source);
    return this.candidates(sender.protocol, to).filter((socket) => {
      const { remote, options } = socket;
      if (remote !== undefined && addressKey(unmapped(remote)) !== key) return false;
      const takesAll = options.get(MULTICAST_ALL) !== 0;
      return !isOfGroup || wants(socket, target.name, source.name, takesAll);
    });
  }

  /** A socket is closed. */
  unbind(socket: Socket): void {
    const { local } = socket;
    if (local === undefined || socket.domain === AF_NETLINK) return;
    if (socket.isUnix) {
      const key = this.nameOf(socket, local);
      if (this.abstract.get(key) === socket) this.abstract.delete(key);
      else this.onUnbind(socket);
      return;
    }
    const key = `${socket.protocol} ${local.port}`;
    const there = this.ports.get(key);
    if (there === undefined) return;
    there.bound.delete(socket);
    there.accepted.delete(socket);
    if (there.bound.size + there.accepted.size === 0) this.ports.delete(key);
  }
}
