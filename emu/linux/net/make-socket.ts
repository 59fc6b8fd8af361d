/** Sockets by what socket(2) is told. */
import { DatagramSocket } from "./datagram-socket.ts";
import type { Gateway } from "./gateway.ts";
import { NetlinkSocket } from "./netlink-socket.ts";
import type { Network } from "./network.ts";
import type { Socket } from "./socket.ts";
import { AF_NETLINK, SOCK_SEQPACKET, SOCK_STREAM } from "./socket-constants.ts";
import { StreamSocket } from "./stream-socket.ts";

export interface SocketKind {
  readonly domain: number;
  readonly type: number;
  readonly protocol: number;
  readonly flags: number;
  readonly littleEndian: boolean;
  /** The number that it has already. */
  readonly ino?: bigint;
}

export function makeSocket(network: Network, gateway: Gateway | undefined, kind: SocketKind): Socket {
  const all = { ...kind, ino: kind.ino ?? network.newInode() };
  if (kind.domain === AF_NETLINK) return new NetlinkSocket(network, all);
  const isStream = kind.type === SOCK_STREAM || kind.type === SOCK_SEQPACKET;
  return isStream ? new StreamSocket(network, all, gateway) : new DatagramSocket(network, all, gateway);
}
