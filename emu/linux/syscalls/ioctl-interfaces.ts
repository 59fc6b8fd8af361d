/** Requests about network interfaces (netdevice(7)): the loopback is the one that there is, and nobody changes it. */

import { struct } from "../abi.ts";
import { ENODEV, ENOTTY, EPERM, SysError } from "../errno.ts";
import { encodeAddress } from "../net/address.ts";
import { LOOPBACK_FLAGS, LOOPBACK_MTU, LOOPBACK_TYPE } from "../net/netlink-socket.ts";
import type { Socket } from "../net/socket.ts";
import { AF_INET } from "../net/socket-constants.ts";
import { pointer, type SyscallContext } from "../syscall.ts";

const IFNAMSIZ = 16;
const NAME = "lo";
export const LOOPBACK_INDEX = 1;
const QUEUE = 1000;
const IFCONF = struct({ ifc_len: "i32", ifc_buf: "pointer" });
/** Bytes of struct ifreq: what stands behind the name is a struct ifmap at most. */
const requestSize = ({ abi }: SyscallContext): number => IFNAMSIZ + (abi.is64 ? 24 : 16);

/** struct sockaddr_in of an address. */
const internet = (ctx: SyscallContext, ...name: number[]): Uint8Array =>
  encodeAddress({ family: AF_INET, name: Uint8Array.from(name), port: 0 }, ctx.abi.littleEndian);

function number(ctx: SyscallContext, size: 2 | 4, value: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(size));
  if (size === 2) view.setUint16(0, value, ctx.abi.littleEndian);
  else view.setUint32(0, value, ctx.abi.littleEndian);
  return new Uint8Array(view.buffer);
}

/** By request: what it writes behind the name. */
const OF_ALL = new Map<number, (ctx: SyscallContext) => Uint8Array>([
  [0x8913, (ctx) => number(ctx, 2, LOOPBACK_FLAGS & 0xffff)], // SIOCGIFFLAGS
  [0x891d, (ctx) => number(ctx, 4, 0)], // SIOCGIFMETRIC
  [0x8921, (ctx) => number(ctx, 4, LOOPBACK_MTU)], // SIOCGIFMTU
  [0x8927, (ctx) => new Uint8Array([...number(ctx, 2, LOOPBACK_TYPE), ...new Uint8Array(14)])], // SIOCGIFHWADDR
  [0x8933, (ctx) => number(ctx, 4, LOOPBACK_INDEX)], // SIOCGIFINDEX
  [0x8942, (ctx) => number(ctx, 4, QUEUE)], // SIOCGIFTXQLEN
  [0x8970, (ctx) => new Uint8Array(requestSize(ctx) - IFNAMSIZ)], // SIOCGIFMAP
]);
/** Of AF_INET alone. */
const OF_INTERNET = new Map<number, (ctx: SyscallContext) => Uint8Array>([
  [0x8915, (ctx) => internet(ctx, 127, 0, 0, 1)], // SIOCGIFADDR
  [0x8917, (ctx) => internet(ctx, 127, 0, 0, 1)], // SIOCGIFDSTADDR
  [0x8919, (ctx) => internet(ctx, 0, 0, 0, 0)], // SIOCGIFBRDADDR
  [0x891b, (ctx) => internet(ctx, 255, 0, 0, 0)], // SIOCGIFNETMASK
]);
/** SIOCSIF*, SIOCADDRT and SIOCDELRT. */
const CHANGES: readonly number[] = [
  0x890b, 0x890c, 0x8914, 0x8916, 0x8918, 0x891a, 0x891c, 0x891e, 0x8922, 0x8923, 0x8924,
];
const SIOCGIFNAME = 0x8910;
const SIOCGIFCONF = 0x8912;

const nameBytes = (): Uint8Array => new TextEncoder().encode(NAME.padEnd(IFNAMSIZ, "\0"));

/** SIOCGIFCONF: the interfaces that have an address, as many as there is room for; without a buffer the bytes that all take. */
function list(ctx: SyscallContext): number {
  const at = ctx.args.address(2);
  const { ifc_len, ifc_buf } = ctx.get(IFCONF, at);
  const size = requestSize(ctx);
  const buffer = pointer(ifc_buf);
  const length = buffer === 0 || ifc_len >= size ? size : 0;
  if (buffer !== 0 && length > 0) {
    const entry = new Uint8Array(size);
    entry.set(nameBytes());
    entry.set(internet(ctx, 127, 0, 0, 1), IFNAMSIZ);
    ctx.memory.write(buffer, entry);
  }
  ctx.put32(at, length);
  return 0;
}

/** Answers a request about interfaces; undefined for any other. Throws ENODEV for an interface that isn't there. */
export function interfaceCall(ctx: SyscallContext, socket: Socket, command: number): number | undefined {
  if (command === SIOCGIFCONF) return list(ctx);
  if (CHANGES.includes(command)) throw new SysError(EPERM);
  const at = ctx.args.address(2);
  if (command === SIOCGIFNAME) {
    if (ctx.memory.read32(at + IFNAMSIZ) !== LOOPBACK_INDEX) throw new SysError(ENODEV);
    ctx.memory.write(at, nameBytes());
    return 0;
  }
  const ofInternet = OF_INTERNET.get(command);
  const answer = OF_ALL.get(command) ?? ofInternet;
  if (answer === undefined) return undefined;
  if (ofInternet !== undefined && socket.domain !== AF_INET) throw new SysError(ENOTTY);
  const name = new TextDecoder("latin1").decode(ctx.memory.read(at, IFNAMSIZ));
  // What is behind a colon names one of its addresses.
  if (name.replace(/[:\0].*$/s, "") !== NAME) throw new SysError(ENODEV);
  ctx.memory.write(at + IFNAMSIZ, answer(ctx));
  return 0;
}
