/** ioctl(2) on descriptors and terminals, with powerpc's own request numbers and struct termios. */
import { struct } from "../abi.ts";
import { EBADF, EINVAL, ENOTTY, EPERM, ESRCH, SysError } from "../errno.ts";
import type { SyscallContext, SyscallRow } from "../syscall.ts";
import { O_ASYNC, O_NONBLOCK, O_PATH } from "../vfs/constants.ts";
import { terminalOf } from "../vfs/devices.ts";
import type { OpenFile } from "../vfs/open-file.ts";
import { TERMIOS, type Terminal } from "../vfs/terminal-settings.ts";
import { anyFileArg, files } from "./files-common.ts";
import { checkTerminalChange, foregroundOf, isControlling } from "./job-control.ts";

// Request numbers (arch/powerpc/include/uapi/asm/ioctl.h): direction in the top three bits, 13 bits of size.
const request = (direction: number, type: string, number: number, size: number): number =>
  ((direction << 29) | (size << 16) | (type.charCodeAt(0) << 8) | number) >>> 0;
const io = (type: string, number: number): number => request(1, type, number, 0);
const ior = (type: string, number: number, size: number): number => request(2, type, number, size);
const iow = (type: string, number: number, size: number): number => request(4, type, number, size);

/** struct termio: the System V one. */
export const TERMIO = struct({
  c_iflag: "u16",
  c_oflag: "u16",
  c_cflag: "u16",
  c_lflag: "u16",
  c_line: "u8",
  c_cc: ["bytes", 10],
});
const WINSIZE = struct({ ws_row: "u16", ws_col: "u16", ws_xpixel: "u16", ws_ypixel: "u16" });

export const TCGETS = ior("t", 19, 44);
export const TIOCGWINSZ = ior("t", 104, 8);
export const FIONREAD = ior("f", 127, 4);
export const FIONBIO = iow("f", 126, 4);
export const FIOCLEX = io("f", 1);

type TerminalCall = (ctx: SyscallContext, terminal: Terminal, address: number) => number;

const getTermios: TerminalCall = (ctx, terminal, address) => {
  ctx.put(TERMIOS, address, terminal.termios);
  return 0;
};
const putTermios: TerminalCall = (ctx, terminal, address) => {
  checkTerminalChange(ctx, terminal);
  terminal.termios = ctx.get(TERMIOS, address);
  return 0;
};

const getTermio: TerminalCall = (ctx, terminal, address) => {
  ctx.put(TERMIO, address, terminal.termios);
  return 0;
};
/** The old struct sets the lower halves of the flags and the first ten characters. */
const putTermio: TerminalCall = (ctx, terminal, address) => {
  checkTerminalChange(ctx, terminal);
  const given = ctx.get(TERMIO, address);
  const old = terminal.termios;
  const lower = (flags: number, half: number) => ((flags & 0xffff_0000) | half) >>> 0;
  const c_cc = old.c_cc.slice();
  c_cc.set(given.c_cc);
  terminal.termios = {
    ...old,
    c_iflag: lower(old.c_iflag, given.c_iflag),
    c_oflag: lower(old.c_oflag, given.c_oflag),
    c_cflag: lower(old.c_cflag, given.c_cflag),
    c_lflag: lower(old.c_lflag, given.c_lflag),
    c_line: given.c_line,
    c_cc,
  };
  return 0;
};

const putInt =
  (value: (ctx: SyscallContext, terminal: Terminal) => number): TerminalCall =>
  (ctx, terminal, address) => {
    ctx.put32(address, value(ctx, terminal));
    return 0;
  };
const nothing: TerminalCall = () => 0;
const refused: TerminalCall = () => {
  throw new SysError(EPERM);
};

/** What terminals had when they were of glass. */
const STEADY_SIZE = { rows: 24, columns: 80 };

const TERMINAL_CALLS = new Map<number, TerminalCall>([
  [TCGETS, getTermios],
  [iow("t", 20, 44), putTermios],
  [iow("t", 21, 44), putTermios],
  [iow("t", 22, 44), putTermios],
  [ior("t", 23, 20), getTermio],
  [iow("t", 24, 20), putTermio],
  [iow("t", 25, 20), putTermio],
  [iow("t", 28, 20), putTermio],
  // TCSBRK, TCXONC, TCFLSH, TCSBRKP: there is nothing queued here that could be drained or dropped.
  [io("t", 29), nothing],
  [io("t", 30), nothing],
  [io("t", 31), nothing],
  [0x5425, nothing],
  [
    TIOCGWINSZ,
    (ctx, terminal, address) => {
      // A seeded run must not follow the window that it happens to be in.
      const { rows, columns } = ctx.kernel.seed === undefined ? terminal.tellSize() : STEADY_SIZE;
      ctx.put(WINSIZE, address, { ws_row: rows, ws_col: columns });
      return 0;
    },
  ],
  // TIOCSWINSZ: the size is the host terminal's to say.
  [
    iow("t", 103, 8),
    (ctx, _terminal, address) => {
      ctx.get(WINSIZE, address);
      return 0;
    },
  ],
  // TIOCOUTQ, TIOCGPGRP, TIOCSPGRP, TIOCGSID
  [ior("t", 115, 4), putInt(() => 0)],
  [ior("t", 119, 4), putInt((ctx, terminal) => foregroundOf(ctx, terminal))],
  [
    iow("t", 118, 4),
    (ctx, terminal, address) => {
      ctx.memory.checkLoad(address, 4);
      const pgid = ctx.memory.read32(address);
      if (pgid <= 0) throw new SysError(EINVAL);
      if (!isControlling(ctx)) throw new SysError(ENOTTY);
      checkTerminalChange(ctx, terminal);
      const members = [...ctx.kernel.processes.values()].filter((each) => each.pgid === pgid);
      if (members.length === 0) throw new SysError(ESRCH);
      if (members[0].sid !== ctx.process.sid) throw new SysError(EPERM);
      terminal.foreground = pgid;
      return 0;
    },
  ],
  [0x5429, putInt((ctx) => ctx.process.sid)],
  // TIOCEXCL, TIOCNXCL, TIOCSCTTY, TIOCNOTTY, TIOCGETD (N_TTY), TIOCSTI
  [0x540c, nothing],
  [0x540d, nothing],
  [0x540e, nothing],
  [0x5422, nothing],
  [0x5424, putInt(() => 0)],
  [0x5412, refused],
]);

type FileCall = (ctx: SyscallContext, file: OpenFile) => number;

function setFlag(flag: number): FileCall {
  return (ctx, file) => {
    const address = ctx.args.address(2);
    ctx.memory.checkLoad(address, 4);
    file.flags = ctx.memory.read32(address) !== 0 ? file.flags | flag : file.flags & ~flag;
    return 0;
  };
}

const closeOnExec =
  (value: boolean): FileCall =>
  (ctx) => {
    files(ctx).descriptors.entry(ctx.args.int(0)).closeOnExec = value;
    return 0;
  };

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
      ctx.put32(address, Math.min(file.available(), 0x7fff_ffff));
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
  const terminal = terminalOf(file);
  const onTerminal = TERMINAL_CALLS.get(command);
  if (terminal === undefined || onTerminal === undefined) throw new SysError(ENOTTY);
  return onTerminal(ctx, terminal, argIsPointer(command) ? ctx.args.address(2) : 0);
}

/** Requests with a size in their number, and the few old ones, take a pointer. */
const argIsPointer = (command: number): boolean =>
  ((command >>> 16) & 0x1fff) !== 0 || command === 0x5429 || command === 0x5424;

export const IOCTL_CALLS: readonly SyscallRow[] = [{ name: "ioctl", args: "fd hex ptr", handler: ioctl }];
