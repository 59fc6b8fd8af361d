/** Groups of multicast that sockets join, on the only interface that there is (Linux: net/ipv4/igmp.c, net/ipv6/mcast.c). */
import { EADDRINUSE, EADDRNOTAVAIL, EINVAL, ENOBUFS, ENOMEM, SysError } from "../errno.ts";

/** That a socket has joined a group of multicast. */
export interface Membership {
  /** The 4 or 16 bytes of its address. */
  readonly group: Uint8Array;
  /** Whether those that are named are heard, or all others. */
  include: boolean;
  /** Null where none has been named, which is not the same as none any more: then the mode can't change. */
  sources: Uint8Array[] | null;
}

/** A socket, as far as it is in groups. */
interface Member {
  readonly groups: Membership[];
}

/** Bytes of an address of IPv4. */
const FOUR = 4;
/** Groups that a socket may join: /proc/sys/net/ipv4/igmp_max_memberships; of IPv6 as many as its memory for options has room for. */
const MOST_GROUPS = 20;
const MOST_GROUPS6 = 320;
/** Sources that it may name for one: /proc/sys/net/ipv4/igmp_max_msf, /proc/sys/net/ipv6/mld_max_msf. */
export const MOST_SOURCES = 10;
export const MOST_SOURCES6 = 64;

const isSame = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && one.every((byte, i) => byte === other[i]);

/** What a socket has said of a group that it has joined. */
export const membershipOf = (socket: Member, group: Uint8Array): Membership | undefined =>
  socket.groups.find((each) => isSame(each.group, group));

/** Joins a group, of whose members it hears all, or those that it will name. Throws EADDRINUSE for one that it is in already. */
export function joinGroup(socket: Member, group: Uint8Array, include: boolean): void {
  if (membershipOf(socket, group) !== undefined) throw new SysError(EADDRINUSE);
  const { length } = group;
  const isFull =
    socket.groups.filter((each) => each.group.length === length).length >=
    (length === FOUR ? MOST_GROUPS : MOST_GROUPS6);
  if (isFull) throw new SysError(length === FOUR ? ENOBUFS : ENOMEM);
  // The latest is told first.
  socket.groups.unshift({ group, include, sources: null });
}

/** Leaves a group. Throws EADDRNOTAVAIL for one that it is not in. */
export function leaveGroup(socket: Member, group: Uint8Array): void {
  const there = membershipOf(socket, group);
  if (there === undefined) throw new SysError(EADDRNOTAVAIL);
  socket.groups.splice(socket.groups.indexOf(there), 1);
}

/** Names a source that is heard of a group, or one that is not, or takes it back (Linux: ip_mc_source). Throws EINVAL, EADDRNOTAVAIL, ENOBUFS. */
export function changeSource(
  socket: Member,
  group: Uint8Array,
  source: Uint8Array,
  { include, add }: { include: boolean; add: boolean },
): void {
  const there = membershipOf(socket, group);
  if (there === undefined) throw new SysError(EINVAL);
  if (there.include !== include) {
    if (there.sources !== null) throw new SysError(EINVAL);
    there.include = include;
  }
  const sources = there.sources ?? [];
  const index = sources.findIndex((each) => isSame(each, source));
  if (!add) {
    if (index < 0) throw new SysError(EADDRNOTAVAIL);
    // To hear nobody is to have left.
    if (include && sources.length === 1) leaveGroup(socket, group);
    else sources.splice(index, 1);
    return;
  }
  if (sources.length >= (group.length === FOUR ? MOST_SOURCES : MOST_SOURCES6)) throw new SysError(ENOBUFS);
  if (index >= 0) throw new SysError(EADDRNOTAVAIL);
  there.sources = [...sources, source];
}

/** Names all sources at once; to hear none of them is to leave the group. Throws EINVAL for a group that it is not in, EADDRNOTAVAIL. */
export function setSources(socket: Member, group: Uint8Array, include: boolean, sources: Uint8Array[]): void {
  if (include && sources.length === 0) {
    leaveGroup(socket, group);
    return;
  }
  const there = membershipOf(socket, group);
  if (there === undefined) throw new SysError(EINVAL);
  there.include = include;
  there.sources = sources.length === 0 ? null : sources;
}

const allows = ({ include, sources }: Membership, source: Uint8Array): boolean =>
  (sources ?? []).some((each) => isSame(each, source)) === include;

/** 224.0.0.1, all hosts. */
const ALL_HOSTS = Uint8Array.of(224, 0, 0, 1);

/** Whether the interface takes what `source` sends to a group: somebody wants it. */
export const isHeard = (members: Iterable<Member>, group: Uint8Array, source: Uint8Array): boolean =>
  isSame(group, ALL_HOSTS) ||
  [...members].some(({ groups }) => groups.some((each) => isSame(each.group, group) && allows(each, source)));

/** Whether a socket gets it then: what it has not joined, too, unless it says otherwise (IP_MULTICAST_ALL). */
export function wants(socket: Member, group: Uint8Array, source: Uint8Array, takesAll: boolean): boolean {
  const there = membershipOf(socket, group);
  return there === undefined ? takesAll : allows(there, source);
}

/** How many sockets are in each group of so many bytes, the group that was joined last first. */
export function groupsOf(sockets: Iterable<Member>, bytes: number): { group: Uint8Array; users: number }[] {
  const found: { group: Uint8Array; users: number }[] = [];
  for (const { groups } of sockets)
    for (const { group } of groups) {
      if (group.length !== bytes) continue;
      const known = found.find((each) => isSame(each.group, group));
      if (known === undefined) found.push({ group, users: 1 });
      else known.users++;
    }
  return found;
}
