/** ioctl(2) on descriptors. */
import { EBADF, EINVAL, ENOTTY, EPERM, SysError } from "../errno.ts";
import { Socket } from "../net/socket.ts";
import type { SyscallContext, SyscallRow } from "../syscall.ts";
import { O_ASYNC, O_NONBLOCK, O_PATH } from "../vfs/constants.ts";
import { major, minor, terminalOf } from "../vfs/devices.ts";
import { NamespaceFile } from "../vfs/namespace-file.ts";
import type { OpenFile } from "../vfs/open-file.ts";
import { StreamFile } from "../vfs/stream-file.ts";
import { anyFileArg, files, install } from "./files-common.ts";
import { ownerNumber, setOwner } from "./files-open.ts";
import { CLONE_REQUESTS } from "./ioctl-clones.ts";
import { io, ior, iow, iowr } from "./ioctl-numbers.ts";
import { FIONREAD, socketCall } from "./ioctl-sockets.ts";
import { terminalCall } from "./ioctl-terminal.ts";

export const FIONBIO = iow("f", 126, 4);
export const FIOCLEX = io("f", 1);

type FileCall = (ctx: SyscallContext, file: OpenFile) => number;

/** /dev/random and /dev/urandom. */
const RANDOM_MINORS = [8n, 9n];
function isRandom(file: OpenFile): boolean {
  const { kind, rdev } = file.stat();
  return kind === "char" && major(rdev) === 1n && RANDOM_MINORS.includes(minor(rdev));
}
/** What drivers say of requests that they don't know. */
function unknown(file: OpenFile): never {
  throw new SysError(isRandom(file) ? EINVAL : ENOTTY);
}

const wordArg = (ctx: SyscallContext): number => {
  const address = ctx.args.address(2);
  ctx.memory.checkLoad(address, 4);
  return ctx.memory.read32(address);
};

function setFlag(flag: number): FileCall {
  return (ctx, file) => {
    const isSet = wordArg(ctx) !== 0;
    const isAsyncChanged = flag === O_ASYNC && isSet !== ((file.flags & flag) !== 0);
    if (isAsyncChanged && !file.tellsOwner) throw new SysError(ENOTTY);
    file.flags = isSet ? file.flags | flag : file.flags & ~flag;
    if (isAsyncChanged) files(ctx).system.signals.asyncChanged(file, ctx.args.int(0));
    return 0;
  };
}

const closeOnExec =
  (value: boolean): FileCall =>
  (ctx) => {
    files(ctx).descriptors.entry(ctx.args.int(0)).closeOnExec = value;
    return 0;
  };

/** Requests about the owner of signals, which sockets take besides fcntl's. */
const ofSocket =
  (call: FileCall): FileCall =>
  (ctx, file) => {
    if (!(file instanceof Socket)) return unknown(file);
    return call(ctx, file);
  };
const setSocketOwner = ofSocket((ctx, file) => setOwner(ctx, file, wordArg(ctx) | 0));
const getSocketOwner = ofSocket((ctx, file) => {
  ctx.put32(ctx.args.address(2), ownerNumber(file));
  return 0;
});

/** Requests about a namespace (ioctl_ns(2)). */
const ofNamespace =
  (call: (ctx: SyscallContext, namespace: NamespaceFile) => number): FileCall =>
  (ctx, file) => {
    if (!(file instanceof NamespaceFile)) return unknown(file);
    return call(ctx, file);
  };
/** NS_GET_USERNS, NS_GET_PARENT: the first one of users has nothing above it. */
const owningUsers = ofNamespace((ctx, { name }) => {
  if (name === "user") throw new SysError(EPERM);
  return install(ctx, new NamespaceFile("user"), true);
});
const parentNamespace = ofNamespace((_ctx, { name }) => {
  throw new SysError(name === "user" || name === "pid" ? EPERM : EINVAL);
});
const namespaceOwner = ofNamespace((ctx, { name }) => {
  if (name !== "user") throw new SysError(EINVAL);
  ctx.put32(ctx.args.address(2), 0);
  return 0;
});

/** What is the host's to do, or shows how it stores files. */
const notPermitted: FileCall = () => {
  throw new SysError(EPERM);
};

const ofRandom =
  (call: FileCall): FileCall =>
  (ctx, file) => {
    if (!isRandom(file)) throw new SysError(ENOTTY);
    return call(ctx, file);
  };
/** Bits of the pool, which is full (/proc/sys/kernel/random). */
const ENTROPY = 256;

/** Requests that any description takes. */
const FILE_CALLS = new Map<number, FileCall>([
  [FIOCLEX, closeOnExec(true)],
  [io("f", 2), closeOnExec(false)],
  [FIONBIO, setFlag(O_NONBLOCK)],
  [iow("f", 125, 4), setFlag(O_ASYNC)],
  [
    FIONREAD,
    (ctx, file) => {
      const address = ctx.args.address(2);
      const { kind, size } = file.stat();
      if (kind === "file") {
        // Below zero beyond the end, and of files that don't tell their size.
        const position = file instanceof StreamFile ? file.tell() : file.position;
        ctx.put32(address, Number(BigInt.asIntN(32, size - BigInt(position))));
        return 0;
      }
      if (file instanceof Socket) return socketCall(ctx, file, FIONREAD);
      if (isRandom(file)) unknown(file);
      ctx.put32(address, Math.min(file.available(), 0x7fff_ffff));
      return 0;
    },
  ],
  [0x8901, setSocketOwner], // FIOSETOWN
  [0x8902, setSocketOwner], // SIOCSPGRP
  [0x8903, getSocketOwner], // FIOGETOWN
  [0x8904, getSocketOwner], // SIOCGPGRP
  [io("\xb7", 1), owningUsers],
  [io("\xb7", 2), parentNamespace],
  [io("\xb7", 3), ofNamespace((_ctx, { type }) => type)],
  [io("\xb7", 4), namespaceOwner],
  ...CLONE_REQUESTS,
  // RNDGETENTCNT; RNDADDTOENTCNT, RNDADDENTROPY, RNDZAPENTCNT, RNDCLEARPOOL, RNDRESEEDCRNG
  [
    ior("R", 0, 4),
    ofRandom((ctx) => {
      ctx.put32(ctx.args.address(2), ENTROPY);
      return 0;
    }),
  ],
  [iow("R", 1, 4), ofRandom(notPermitted)],
  [iow("R", 3, 8), ofRandom(notPermitted)],
  ...[4, 6, 7].map((n) => [io("R", n), ofRandom(notPermitted)] as const),
  // FIFREEZE, FITHAW
  [iowr("X", 119, 4), notPermitted],
  [iowr("X", 120, 4), notPermitted],
  // FIBMAP
  [
    io("\0", 1),
    (ctx, file) => {
      if (file.stat().kind !== "file") unknown(file);
      return notPermitted(ctx, file);
    },
  ],
  // FIGETBSZ
  [
    io("\0", 2),
    (ctx) => {
      ctx.put32(ctx.args.address(2), 4096);
      return 0;
    },
  ],
  // FIOQSIZE
  [
    ior("f", 128, 8),
    (ctx, file) => {
      const { kind, size } = file.stat();
      if (kind !== "file" && kind !== "directory" && kind !== "symlink") throw new SysError(ENOTTY);
      ctx.memory.checkStore(ctx.args.address(2), 8);
      ctx.memory.write64(ctx.args.address(2), size);
      return 0;
    },
  ],
]);

function ioctl(ctx: SyscallContext): number {
  const file = anyFileArg(ctx, 0);
  if (file.flags & O_PATH) throw new SysError(EBADF);
  const command = ctx.args.uint(1);
  const onFile = FILE_CALLS.get(command);
  if (onFile !== undefined) return onFile(ctx, file);
  if (file instanceof Socket) return socketCall(ctx, file, command);
  const terminal = terminalOf(file);
  if (terminal === undefined) unknown(file);
  return terminalCall(ctx, file, terminal, command);
}

export const IOCTL_CALLS: readonly SyscallRow[] = [{ name: "ioctl", args: "fd hex ptr", handler: ioctl }];
