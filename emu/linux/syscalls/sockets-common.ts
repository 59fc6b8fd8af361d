/** What the system calls on sockets have in common: descriptors, addresses, waiting, and who calls. */
import { EAGAIN, EINVAL, ENOTSOCK, SysError } from "../errno.ts";
import { ADDRESS_MAX, type Address, decodeAddress, encodeAddress, familyOf } from "../net/address.ts";
import type { Sender } from "../net/inbox.ts";
import { Socket } from "../net/socket.ts";
import { AF_INET, AF_UNSPEC } from "../net/socket-constants.ts";
import type { SyscallContext } from "../syscall.ts";
import { O_NONBLOCK } from "../vfs/constants.ts";
import type { OpenFile } from "../vfs/open-file.ts";
import { fileArg } from "./files-common.ts";

/** The socket of a descriptor argument. Throws EBADF, ENOTSOCK. */
export const socketArg = (ctx: SyscallContext, n: number): Socket => socketOf(fileArg(ctx, n));

/** A file as the socket it is. Throws ENOTSOCK. */
export function socketOf(file: OpenFile): Socket {
  if (!(file instanceof Socket)) throw new SysError(ENOTSOCK);
  return file;
}

/** The bytes of an int. */
export const intBytes = (ctx: SyscallContext, value: number): Uint8Array => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, ctx.abi.littleEndian);
  return bytes;
};

/** What an option is for the program: bytes to get, bytes that were set. */
export interface SocketOption {
  get(ctx: SyscallContext, socket: Socket, room: number): Uint8Array;
  set?(ctx: SyscallContext, socket: Socket, bytes: Uint8Array): void;
  /** In place of `get`: writes what there is itself, and gives the length that is told. */
  put?(ctx: SyscallContext, socket: Socket, room: number): number;
  /** How many bytes of what is set are looked at, where that is more than a struct of a few numbers has. */
  readonly room?: number;
  /** Asking for fewer bytes than there are is EINVAL, or asking for more is. */
  readonly least?: boolean;
  readonly most?: boolean;
}

// ---- addresses ---------------------------------------------------------------------------------------------

/** Bytes of a struct sockaddr in memory. Throws EINVAL, EFAULT. */
export function addressBytes(ctx: SyscallContext, at: number, length: number): Uint8Array {
  if (length < 0 || length > ADDRESS_MAX) throw new SysError(EINVAL);
  return ctx.memory.read(at, length);
}

/** Whether a struct sockaddr says AF_UNSPEC. */
export const isUnspecified = (ctx: SyscallContext, bytes: Uint8Array): boolean =>
  familyOf(bytes, ctx.abi.littleEndian) === AF_UNSPEC;

/** The address in bytes of a struct sockaddr, of the socket's family. */
export const toAddress = (ctx: SyscallContext, socket: Socket, bytes: Uint8Array): Address =>
  decodeAddress(bytes, socket.domain, ctx.abi.littleEndian);

/** As `toAddress`, for bind(2): 0.0.0.0 may come without a family. */
export function toOwnAddress(ctx: SyscallContext, socket: Socket, bytes: Uint8Array): Address {
  if (socket.domain !== AF_INET || !isUnspecified(ctx, bytes) || bytes.length < 8)
    return toAddress(ctx, socket, bytes);
  const given = bytes.slice();
  new DataView(given.buffer).setUint16(0, AF_INET, ctx.abi.littleEndian);
  const address = toAddress(ctx, socket, given);
  return address.name.every((byte) => byte === 0) ? address : toAddress(ctx, socket, bytes);
}

/**
 * Gives an address to the program: as much of it as the socklen_t at `lengthAt` has room for, which then says how long it is.
 * Nothing where the buffer is null.
 */
export function putAddress(ctx: SyscallContext, address: Address, at: number, lengthAt: number): void {
  if (at === 0) return;
  ctx.memory.checkLoad(lengthAt, 4);
  const room = ctx.memory.read32(lengthAt);
  if (room < 0) throw new SysError(EINVAL);
  const bytes = encodeAddress(address, ctx.abi.littleEndian);
  ctx.memory.write(at, bytes.subarray(0, room));
  ctx.put32(lengthAt, bytes.length);
}

// ---- who calls ---------------------------------------------------------------------------------------------

/** Effective ids, as SO_PEERCRED tells them. */
export const callerOf = ({ process: { pid }, thread: { credentials } }: SyscallContext): Sender => ({
  pid,
  uid: credentials.euid,
  gid: credentials.egid,
});

// ---- waiting -----------------------------------------------------------------------------------------------

interface SocketWait {
  /** Not to wait is asked for: by the descriptor's mode or by the call. */
  nonblocking: boolean;
  /** Nanoseconds; 0 waits for ever. */
  timeout: bigint;
  /** What a transfer has moved already. */
  done?: number;
  /** What else to wait for than the socket itself. */
  other?: Socket;
  /** The error when time is up; EAGAIN. */
  late?: number;
}

/**
 * Waits until something changes at a socket. A call that has moved something is done with that when it may wait no longer; so it
 * is when a signal comes.
 */
export function waitAt(ctx: SyscallContext, socket: Socket, wait: SocketWait): number {
  const { nonblocking, timeout, done = 0, other, late = EAGAIN } = wait;
  const finish = () => {
    if (done > 0) return done;
    throw new SysError(nonblocking ? EAGAIN : late);
  };
  if (nonblocking) return finish();
  const now = ctx.kernel.clock.monotonic();
  const deadline = ctx.resumed?.deadline ?? (timeout > 0n ? now + timeout : null);
  if (deadline !== null && deadline <= now) return finish();
  const queues = [...(socket.waitables().queues ?? []), ...(other?.waitables().queues ?? [])];
  if (done > 0) {
    const state = { kind: "moved", done } as const;
    return ctx.block({ queues, deadline, state, restart: "never", interrupted: () => done });
  }
  // One that would end by itself is not begun again (sock_intr_errno).
  return ctx.block({ queues, deadline, restart: timeout > 0n ? "never" : "sys" });
}

export const isNonblocking = (socket: Socket): boolean => (socket.flags & O_NONBLOCK) !== 0;
