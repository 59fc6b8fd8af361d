/** Filters of sockets, SO_ATTACH_FILTER: programs that say how much of what comes is kept (Linux: net/core/filter.c). */
import { type BpfInstruction, type PacketReader, runProgram } from "../classic-bpf.ts";
import { type Address, unmapped } from "./address.ts";
import type { IpHeader } from "./inbox.ts";
import { LOOPBACK } from "./loopback-interface.ts";
import { AF_INET } from "./socket-constants.ts";

/** Where loads of negative offsets lie: from the headers of the network and the link on (SKF_*_OFF). */
const NET_OFF = -0x10_0000;
const LL_OFF = -0x20_0000;
/** What stands in no header (SKF_AD_*). */
const [AD_PROTOCOL, AD_PKTTYPE, AD_IFINDEX, AD_NLATTR, AD_NLATTR_NEST] = [0, 4, 8, 12, 16];
const [AD_MARK, AD_HATYPE, AD_XOR, AD_PAY_OFFSET, AD_RANDOM] = [20, 28, 40, 52, 56];

const ETHERNET_HEADER = 14;
const UDP_HEADER = 8;
const ETHERTYPE_IP = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;

/** The filter of a socket, and the byte order of whoever attached it. */
export interface SocketFilter {
  readonly program: readonly BpfInstruction[];
  readonly littleEndian: boolean;
}

/** What a program looks at. */
export interface Packet {
  /** Headers and all. */
  readonly bytes: Uint8Array;
  /** Where loads begin, and where the header of the network does, if it has one. */
  readonly start: number;
  readonly network: number;
  /** Type of the network's packets; 0 of what came by no interface. */
  readonly protocol: number;
  readonly mark: number;
}

function readerOf(packet: Packet, littleEndian: boolean, random: () => number): PacketReader {
  const { bytes, start, network, protocol, mark } = packet;
  const length = bytes.length - start;
  const numberAt = (at: number, size: number, little = false): number => {
    let value = 0;
    for (let i = 0; i < size; i++) value = value * 256 + bytes[at + (little ? size - 1 - i : i)];
    return value;
  };
  /** The first attribute of a type in these bytes, as an offset; 0 where there is none. */
  const attribute = (from: number, end: number, type: number): number => {
    for (let at = from; at + 4 <= end; ) {
      const size = numberAt(start + at, 2, littleEndian);
      if (size < 4 || size > end - at) break;
      if ((numberAt(start + at + 2, 2, littleEndian) & 0x3fff) === type) return at;
      at += (size + 3) & ~3;
    }
    return 0;
  };
  const attributeWithin = (a: number, x: number): number => {
    if (a > length - 4) return 0;
    const size = numberAt(start + a, 2, littleEndian);
    return size > length - a ? 0 : attribute(a + 4, a + size, x);
  };
  return {
    length,
    load(offset, size) {
      const isOfLink = offset < NET_OFF;
      const from = offset >= 0 ? start : network < 0 ? Infinity : isOfLink ? -LL_OFF : network - NET_OFF;
      const at = offset < LL_OFF ? Infinity : from + offset;
      return at + size <= bytes.length ? numberAt(at, size) : undefined;
    },
    ancillary(k, a, x) {
      switch (k) {
        case AD_PROTOCOL:
          return protocol;
        case AD_PKTTYPE:
          return 0;
        case AD_IFINDEX:
          return protocol === 0 ? undefined : LOOPBACK.index;
        case AD_HATYPE:
          return protocol === 0 ? undefined : LOOPBACK.type;
        case AD_NLATTR:
          return length < 4 || a > length - 4 ? 0 : attribute(a, length, x);
        case AD_NLATTR_NEST:
          return length < 4 ? 0 : attributeWithin(a, x);
        case AD_MARK:
          return mark;
        case AD_XOR:
          return (a ^ x) >>> 0;
        case AD_PAY_OFFSET:
          return protocol === 0 ? 0 : UDP_HEADER;
        case AD_RANDOM:
          return random();
        // Queues, hashes, processors and VLANs: the first or none.
        default:
          return 0;
      }
    },
  };
}

const NO_DATA = new Uint32Array(0);

/** How many bytes of a packet a filter keeps, at least `least` of them where it keeps any; undefined where it keeps nothing. */
function keptBy(
  { program, littleEndian }: SocketFilter,
  packet: Packet,
  least: number,
  random: () => number,
): number | undefined {
  const said = runProgram(program, NO_DATA, readerOf(packet, littleEndian, random)) >>> 0;
  return said === 0 ? undefined : Math.max(said, least);
}

/** What a filter keeps of a message that has no headers. */
export function siftMessage(
  filter: SocketFilter,
  bytes: Uint8Array,
  random: () => number,
): Uint8Array | undefined {
  const packet = { bytes, start: 0, network: -1, protocol: 0, mark: 0 };
  const kept = keptBy(filter, packet, 1, random);
  return kept === undefined ? undefined : bytes.subarray(0, kept);
}

/** What of a datagram the filter that it comes to is told besides its bytes. */
export interface DatagramHead extends Pick<IpHeader, "hops" | "tos"> {
  readonly from: Address;
  readonly to: Address;
  readonly protocol: number;
  readonly mark: number;
}

/** A datagram as it is on the link, to where its own header begins. */
function headersOf({ from, to, protocol, hops, tos }: DatagramHead, length: number): Uint8Array {
  const [source, target] = [unmapped(from), unmapped(to)];
  const isFour = target.family === AF_INET;
  const bytes = new Uint8Array(ETHERNET_HEADER + (isFour ? 20 : 40) + UDP_HEADER);
  const view = new DataView(bytes.buffer);
  const at = ETHERNET_HEADER;
  view.setUint16(12, isFour ? ETHERTYPE_IP : ETHERTYPE_IPV6);
  if (isFour) {
    view.setUint16(at, 0x4500 | tos);
    view.setUint16(at + 2, 20 + UDP_HEADER + length);
    // It may not be cut in pieces.
    view.setUint16(at + 6, 0x4000);
    view.setUint16(at + 8, (hops << 8) | protocol);
    bytes.set(source.name.subarray(0, 4), at + 12);
    bytes.set(target.name.subarray(0, 4), at + 16);
    let sum = 0;
    for (let i = 0; i < 20; i += 2) sum += view.getUint16(at + i);
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
    view.setUint16(at + 10, ~sum);
  } else {
    view.setUint32(at, 0x6000_0000 | (tos << 20));
    view.setUint16(at + 4, UDP_HEADER + length);
    view.setUint16(at + 6, (protocol << 8) | hops);
    bytes.set(source.name.subarray(0, 16), at + 8);
    bytes.set(target.name.subarray(0, 16), at + 24);
  }
  const own = bytes.length - UDP_HEADER;
  view.setUint16(own, source.port);
  view.setUint16(own + 2, target.port);
  view.setUint16(own + 4, UDP_HEADER + length);
  return bytes;
}

/** What a filter keeps of a datagram's payload; it is shown the datagram from its own header on, and keeps that at the least. */
export function siftDatagram(
  filter: SocketFilter,
  payload: Uint8Array,
  head: DatagramHead,
  random: () => number,
): Uint8Array | undefined {
  const headers = headersOf(head, payload.length);
  const bytes = new Uint8Array(headers.length + payload.length);
  bytes.set(headers);
  bytes.set(payload, headers.length);
  const start = headers.length - UDP_HEADER;
  const protocol = unmapped(head.to).family === AF_INET ? ETHERTYPE_IP : ETHERTYPE_IPV6;
  const packet = { bytes, start, network: ETHERNET_HEADER, protocol, mark: head.mark };
  const kept = keptBy(filter, packet, UDP_HEADER, random);
  return kept === undefined ? undefined : payload.subarray(0, kept - UDP_HEADER);
}
