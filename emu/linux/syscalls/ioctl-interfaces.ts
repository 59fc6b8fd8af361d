/** Requests of ioctl(2) that ask sockets about network interfaces (netdevice(7)), of which there is the loopback. */
import { struct } from "../abi.ts";
import { EFAULT, EINVAL, ENODEV, ENOTTY, EOPNOTSUPP, EPERM, SysError } from "../errno.ts";
import { anyAddress, encodeAddress, loopback } from "../net/address.ts";
import { LOOPBACK } from "../net/loopback-interface.ts";
import type { Socket } from "../net/socket.ts";
import { AF_INET } from "../net/socket-constants.ts";
import { pointer, type SyscallContext } from "../syscall.ts";
import { accessible } from "./files-common.ts";

const SIOCGIFNAME = 0x8910;
const SIOCGIFCONF = 0x8912;

const NAME_SIZE = 16;
const IFCONF = struct({ ifc_len: "i32", ifc_buf: "pointer" });
/** struct ifreq: a name, of at most fifteen bytes, and a union, whose largest member is struct ifmap. */
const NAMED = struct({ name: ["bytes", NAME_SIZE], index: "i32" });
const IFMAP = struct({ mem_start: "ulong", mem_end: "ulong", rest: ["bytes", 8] });
const requestSize = ({ abi }: SyscallContext): number => NAME_SIZE + IFMAP.size(abi);

const int = ({ abi }: SyscallContext, value: number): Uint8Array =>
  struct({ value: "i32" }).encode(abi, { value });
const ipv4 = ({ abi }: SyscallContext, name: readonly number[]): Uint8Array =>
  encodeAddress({ ...anyAddress(AF_INET), name: Uint8Array.from(name) }, abi.littleEndian);
const address = (ctx: SyscallContext): Uint8Array => ipv4(ctx, [...loopback(AF_INET, 0).name]);

/** What is told of the interface whose name is in the request. */
const TOLD = new Map<number, (ctx: SyscallContext) => Uint8Array>([
  [0x8913, ({ abi }) => struct({ flags: "i16" }).encode(abi, { flags: LOOPBACK.flags })], // SIOCGIFFLAGS
  [0x891d, (ctx) => int(ctx, 0)], // SIOCGIFMETRIC
  [0x8921, (ctx) => int(ctx, LOOPBACK.mtu)], // SIOCGIFMTU
  [0x8927, ({ abi }) => struct({ type: "u16", address: ["bytes", 14] }).encode(abi, { type: LOOPBACK.type })], // SIOCGIFHWADDR
  [0x8933, (ctx) => int(ctx, LOOPBACK.index)], // SIOCGIFINDEX
  [0x8942, (ctx) => int(ctx, LOOPBACK.queue)], // SIOCGIFTXQLEN
  [0x8970, ({ abi }) => IFMAP.encode(abi, {})], // SIOCGIFMAP
]);
/** The same of its address, which only sockets of IPv4 tell. */
const TOLD_OF_IPV4 = new Map<number, (ctx: SyscallContext) => Uint8Array>([
  [0x8915, address], // SIOCGIFADDR
  [0x8917, address], // SIOCGIFDSTADDR
  [0x8919, (ctx) => ipv4(ctx, [0, 0, 0, 0])], // SIOCGIFBRDADDR
  [0x891b, (ctx) => ipv4(ctx, [255, 0, 0, 0])], // SIOCGIFNETMASK
]);
/** SIOCSIFFLAGS, ADDR, DSTADDR, BRDADDR, NETMASK, METRIC, MTU, HWADDR, TXQLEN, MAP. */
const CHANGES = new Set([0x8914, 0x8916, 0x8918, 0x891a, 0x891c, 0x891e, 0x8922, 0x8924, 0x8943, 0x8971]);

/** SIOCDEVPRIVATE and the fifteen behind it, of which the loopback knows none; a socket is asked nothing else without a struct ifreq. */
const isPrivate = (command: number): boolean => command >= 0x89f0 && command <= 0x89ff;
const isOfSockets = (command: number): boolean => command >>> 8 === 0x89;

const NAME = new Uint8Array(NAME_SIZE);
NAME.set(new TextEncoder().encode(LOOPBACK.name));

/** A list of the interfaces with an address of IPv4, or how long it is. */
function list(ctx: SyscallContext): void {
  const at = ctx.args.address(2);
  const { ifc_len, ifc_buf } = ctx.get(IFCONF, at);
  if (ifc_len < 0) throw new SysError(EINVAL);
  const one = new Uint8Array(requestSize(ctx));
  one.set(NAME);
  one.set(address(ctx), NAME_SIZE);
  const there = ifc_buf === 0n || ifc_len >= one.length ? one.length : 0;
  if (ifc_buf !== 0n && there > 0) ctx.memory.write(pointer(ifc_buf), one);
  ctx.put(IFCONF, at, { ifc_len: there, ifc_buf });
}

/** The interface of a request's index. Throws ENODEV. */
function nameOf(ctx: SyscallContext, at: number): void {
  if (ctx.get(NAMED, at).index !== LOOPBACK.index) throw new SysError(ENODEV);
  ctx.memory.write(at, NAME);
}

/** Throws ENODEV where a request names no interface that there is. */
function checkName(ctx: SyscallContext, at: number): void {
  const { name } = ctx.get(NAMED, at);
  if (NAME.subarray(0, LOOPBACK.name.length + 1).some((byte, i) => byte !== name[i]))
    throw new SysError(ENODEV);
}

/** Does what a socket is asked about interfaces. Throws ENOTTY where it is about something else. */
export function interfaceCall(ctx: SyscallContext, socket: Socket, command: number): number {
  const at = ctx.args.address(2);
  const told = TOLD.get(command) ?? (socket.domain === AF_INET ? TOLD_OF_IPV4.get(command) : undefined);
  if (command === SIOCGIFCONF) list(ctx);
  else if (command === SIOCGIFNAME) nameOf(ctx, at);
  else if (told !== undefined) {
    checkName(ctx, at);
    ctx.memory.write(at + NAME_SIZE, told(ctx));
  } else {
    if (isOfSockets(command) && accessible(ctx.memory, at, requestSize(ctx), false) < requestSize(ctx))
      throw new SysError(EFAULT);
    if (isPrivate(command)) {
      checkName(ctx, at);
      throw new SysError(EOPNOTSUPP);
    }
    throw new SysError(CHANGES.has(command) ? EPERM : ENOTTY);
  }
  return 0;
}
