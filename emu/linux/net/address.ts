/** Socket addresses: what the three families have in common, and their struct sockaddr. */
import { EAFNOSUPPORT, EINVAL, SysError } from "../errno.ts";
import { AF_INET, AF_INET6, AF_NETLINK, AF_UNIX } from "./socket-constants.ts";

/**
 * An address. `name` is sun_path without its NUL (nothing: unnamed; a NUL first: abstract), or the 4 or 16 bytes of an
 * internet address; `port` is 0 but for the internet.
 */
export interface Address {
  readonly family: number;
  readonly name: Uint8Array;
  readonly port: number;
}

/** Bytes of sockaddr_un, sockaddr_in, sockaddr_in6, and the least that the last may have (RFC 2133). */
const UN_SIZE = 110;
const IN_SIZE = 16;
const IN6_SIZE = 28;
const IN6_LEAST = 24;
/** Bytes of sockaddr_nl, and of the port id and groups in it, which are in the guest's order. */
const NL_SIZE = 12;
const NL_NAME = 8;
/** Room for any address (struct sockaddr_storage). */
export const ADDRESS_MAX = 128;

export const unixAddress = (name: Uint8Array): Address => ({ family: AF_UNIX, name, port: 0 });
/** An address of AF_NETLINK: a port id, 0 for the kernel, and no groups. */
export function netlinkAddress(pid: number, littleEndian = false): Address {
  const name = new Uint8Array(NL_NAME);
  new DataView(name.buffer).setUint32(0, pid, littleEndian);
  return { family: AF_NETLINK, name, port: 0 };
}
export const UNNAMED = unixAddress(new Uint8Array(0));

/** Text by which an address is known: equal for equal ones. */
export const addressKey = ({ family, name, port }: Address): string =>
  `${family}/${Array.from(name, (byte) => String.fromCharCode(byte)).join("")}/${port}`;

/** Whether two addresses have the same name, whatever their ports are. */
export const isSameName = (one: Address, other: Address): boolean =>
  one.family === other.family &&
  one.name.length === other.name.length &&
  one.name.every((byte, i) => byte === other.name[i]);

export const isAbstract = ({ name }: Address): boolean => name[0] === 0;

/** sa_family. Throws EINVAL where there isn't even that. */
export function familyOf(bytes: Uint8Array, littleEndian: boolean): number {
  if (bytes.length < 2) throw new SysError(EINVAL);
  return littleEndian ? bytes[0] | (bytes[1] << 8) : (bytes[0] << 8) | bytes[1];
}

/** The address in a struct sockaddr of this family. Throws EINVAL, EAFNOSUPPORT. */
export function decodeAddress(bytes: Uint8Array, family: number, littleEndian: boolean): Address {
  const given = familyOf(bytes, littleEndian);
  if (given !== family) throw new SysError(family === AF_UNIX ? EINVAL : EAFNOSUPPORT);
  if (family === AF_UNIX) {
    if (bytes.length > UN_SIZE) throw new SysError(EINVAL);
    const path = bytes.slice(2);
    const end = path[0] === 0 ? -1 : path.indexOf(0);
    return unixAddress(end < 0 ? path : path.slice(0, end));
  }
  if (family === AF_NETLINK) {
    if (bytes.length < NL_SIZE) throw new SysError(EINVAL);
    return { family, name: bytes.slice(4, NL_SIZE), port: 0 };
  }
  if (bytes.length < (family === AF_INET ? IN_SIZE : IN6_LEAST)) throw new SysError(EINVAL);
  const port = (bytes[2] << 8) | bytes[3];
  return { family, name: family === AF_INET ? bytes.slice(4, 8) : bytes.slice(8, 24), port };
}

/** The struct sockaddr of an address. */
export function encodeAddress({ family, name, port }: Address, littleEndian: boolean): Uint8Array {
  const named = family === AF_UNIX && name.length > 0 && name[0] !== 0;
  const size =
    family === AF_UNIX ? 2 + name.length + (named ? 1 : 0) : family === AF_INET ? IN_SIZE : IN6_SIZE;
  const bytes = new Uint8Array(family === AF_NETLINK ? NL_SIZE : size);
  new DataView(bytes.buffer).setUint16(0, family, littleEndian);
  if (family === AF_NETLINK) {
    bytes.set(name, 4);
    return bytes;
  }
  if (family === AF_UNIX) {
    bytes.set(name, 2);
    return bytes;
  }
  bytes[2] = port >> 8;
  bytes[3] = port;
  bytes.set(name, family === AF_INET ? 4 : 8);
  return bytes;
}

// ---- internet ----------------------------------------------------------------------------------------------

/** ::ffff:0:0/96, in which IPv4 addresses stand among those of IPv6. */
const MAPPED = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff);

const isMapped = ({ family, name }: Address): boolean =>
  family === AF_INET6 && MAPPED.every((byte, i) => name[i] === byte);

/** An IPv4 address that stands among those of IPv6 as itself; others as they are. */
export const unmapped = (address: Address): Address =>
  isMapped(address) ? { ...address, family: AF_INET, name: address.name.slice(12) } : address;

/** An address as a socket of this family sees it. */
export function asSeenBy(family: number, address: Address): Address {
  if (family !== AF_INET6 || address.family !== AF_INET) return address;
  const name = new Uint8Array(16);
  name.set(MAPPED);
  name.set(address.name, 12);
  return { family, name, port: address.port };
}

/** The address with nothing in it: any of the host's. */
export const anyAddress = (family: number, port = 0): Address => ({
  family,
  name: new Uint8Array(family === AF_INET ? 4 : 16),
  port,
});

export function loopback(family: number, port: number): Address {
  const name = new Uint8Array(family === AF_INET ? 4 : 16);
  if (family === AF_INET) name[0] = 127;
  name[name.length - 1] = 1;
  return { family, name, port };
}

/** Whether it is the address with nothing in it. */
export const isAny = (address: Address): boolean => unmapped(address).name.every((byte) => byte === 0);

/** Whether it is on the loopback interface: 127.0.0.0/8 or ::1. */
export function isLoopback(address: Address): boolean {
  const { family, name } = unmapped(address);
  if (family === AF_INET) return name[0] === 127;
  return name.every((byte, i) => byte === (i === 15 ? 1 : 0));
}

/** Whether it is a group of multicast. */
export const isMulticast = (address: Address): boolean => {
  const { family, name } = unmapped(address);
  return family === AF_INET ? name[0] >= 224 && name[0] < 240 : name[0] === 0xff;
};

/** Whether it means all on the loopback's network, or (but to be bound to) all on any. */
export const isBroadcast = (address: Address): boolean => {
  const { family, name } = unmapped(address);
  return (
    family === AF_INET &&
    (name[0] === 127 || name[0] === 255) &&
    name.every((byte, i) => i === 0 || byte === 255)
  );
};

/** Whether a datagram there is for all sockets that want it: IPv4 alone, as no route leads to groups of IPv6. */
export const goesToMany = (address: Address): boolean =>
  unmapped(address).family === AF_INET && (isMulticast(address) || isBroadcast(address));

/** Whether it means many: a multicast address, or the broadcast address of IPv4. */
export const isForMany = (address: Address): boolean =>
  isMulticast(address) || (address.family === AF_INET && address.name.every((byte) => byte === 255));

// ---- as text -------------------------------------------------------------------------------------------------

/** An internet address as the host writes it. */
export function toText({ family, name, port }: Address): { address: string; port: number } {
  if (family === AF_INET) return { address: name.join("."), port };
  const groups = Array.from({ length: 8 }, (_, i) => ((name[2 * i] << 8) | name[2 * i + 1]).toString(16));
  return { address: groups.join(":"), port };
}

/** An address that the host has written; undefined for what is none. */
export function fromText(text: string, port: number): Address | undefined {
  const four = /^(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  if (four !== null) return { family: AF_INET, name: Uint8Array.from(four.slice(1).map(Number)), port };
  const [plain] = text.split("%");
  const [before, after] = plain.split("::");
  const groups = (part: string | undefined) =>
    (part ?? "").split(":").flatMap((group) => {
      const mapped = fromDotted(group);
      if (mapped !== undefined) return mapped;
      return group === "" ? [] : [Number.parseInt(group, 16)];
    });
  const [head, tail] = [groups(before), groups(after)];
  if (!plain.includes(":") || [...head, ...tail].some(Number.isNaN) || head.length + tail.length > 8)
    return undefined;
  const all = [...head, ...new Array(8 - head.length - tail.length).fill(0), ...tail];
  return {
    family: AF_INET6,
    name: Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff])),
    port,
  };
}

/** The two groups that the last four numbers of a mapped address are. */
function fromDotted(text: string): number[] | undefined {
  const bytes = text.split(".").map(Number);
  return bytes.length === 4 ? [(bytes[0] << 8) | bytes[1], (bytes[2] << 8) | bytes[3]] : undefined;
}
