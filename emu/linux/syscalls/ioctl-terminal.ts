/** What ioctl(2) does to terminals, those of the host and those of the machine (Linux: drivers/tty/tty_io.c, tty_jobctrl.c). */
import { struct } from "../abi.ts";
import { EFAULT, EINVAL, EIO, ENOTTY, EPERM, ESRCH, SysError } from "../errno.ts";
import type { SyscallContext } from "../syscall.ts";
import { SIGINT, SIGQUIT, SIGTSTP } from "../signals/signal-numbers.ts";
import { O_ACCMODE, O_CLOEXEC, O_NOCTTY, O_NONBLOCK } from "../vfs/constants.ts";
import type { OpenFile } from "../vfs/open-file.ts";
import { Pty, PtyMaster, PtySlave } from "../vfs/pty.ts";
import { CHARACTERS, TERMIOS, type Termios, type Tty } from "../vfs/terminal-settings.ts";
import { accessible, files, install } from "./files-common.ts";
import { io, ior, iow } from "./ioctl-numbers.ts";
import { checkTerminalChange, foregroundOf, isControlling } from "./job-control.ts";

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

/** What a request is about: the terminal of a description, and its last argument. */
interface Request {
  readonly terminal: Tty;
  readonly file: OpenFile;
  /** Of requests that have a size in their number, and a few old ones: a pointer. Else 0. */
  readonly address: number;
}
type TerminalCall = (ctx: SyscallContext, request: Request) => number;

const getTermios: TerminalCall = (ctx, { terminal, address }) => {
  ctx.put(TERMIOS, address, terminal.termios);
  return 0;
};
/** TCSETS, TCSETSW, and with `flush` TCSETSF, of the settings that `read` makes of what is given. What has been written counts as gone out. */
const setting =
  (read: (ctx: SyscallContext, address: number, old: Termios) => Termios) =>
  (flush: boolean): TerminalCall =>
  (ctx, { terminal, file, address }) => {
    checkTerminalChange(ctx, file);
    const termios = read(ctx, address, terminal.termios);
    if (flush && terminal instanceof Pty) terminal.dropInput();
    terminal.termios = termios;
    return 0;
  };
const putTermios = setting((ctx, address) => ctx.get(TERMIOS, address));

const getTermio: TerminalCall = (ctx, { terminal, address }) => {
  ctx.put(TERMIO, address, terminal.termios);
  return 0;
};
/** The old struct sets the lower halves of the flags and the first ten characters. */
const putTermio = setting((ctx, address, old) => {
  const given = ctx.get(TERMIO, address);
  const lower = (flags: number, half: number) => ((flags & 0xffff_0000) | half) >>> 0;
  const c_cc = old.c_cc.slice();
  c_cc.set(given.c_cc);
  return {
    ...old,
    c_iflag: lower(old.c_iflag, given.c_iflag),
    c_oflag: lower(old.c_oflag, given.c_oflag),
    c_cflag: lower(old.c_cflag, given.c_cflag),
    c_lflag: lower(old.c_lflag, given.c_lflag),
    c_line: given.c_line,
    c_cc,
  };
});

const putInt =
  (value: (ctx: SyscallContext, request: Request) => number): TerminalCall =>
  (ctx, request) => {
    ctx.put32(request.address, value(ctx, request));
    return 0;
  };
const nothing: TerminalCall = () => 0;
const refused: TerminalCall = () => {
  throw new SysError(EPERM);
};

/** A request that only pseudo-terminals know. */
const onPty =
  (run: (ctx: SyscallContext, pty: Pty, request: Request) => number, side?: typeof PtyMaster): TerminalCall =>
  (ctx, request) => {
    const { terminal, file } = request;
    if (!(terminal instanceof Pty) || (side !== undefined && !(file instanceof side))) {
      throw new SysError(ENOTTY);
    }
    return run(ctx, terminal, request);
  };
const onMaster = (run: (ctx: SyscallContext, pty: Pty, request: Request) => number): TerminalCall =>
  onPty(run, PtyMaster);
/** One that tells a number of it. */
const putOfPty = (value: (pty: Pty) => number, side?: typeof PtyMaster): TerminalCall =>
  onPty((ctx, pty, request) => putInt(() => value(pty))(ctx, request), side);

function intAt(ctx: SyscallContext, address: number): number {
  if (accessible(ctx.memory, address, 4, false) < 4) throw new SysError(EFAULT);
  return ctx.memory.read32(address);
}

// ---- sizes -------------------------------------------------------------------------------------------------

/** What terminals had when they were of glass. */
const STEADY_SIZE = { rows: 24, columns: 80 };

const getSize: TerminalCall = (ctx, { terminal, address }) => {
  // A seeded run must not follow the window that it happens to be in.
  const isOutside = !(terminal instanceof Pty) && ctx.kernel.seed !== undefined;
  const size: ReturnType<Tty["tellSize"]> = isOutside ? STEADY_SIZE : terminal.tellSize();
  const { rows, columns, xpixel = 0, ypixel = 0 } = size;
  ctx.put(WINSIZE, address, { ws_row: rows, ws_col: columns, ws_xpixel: xpixel, ws_ypixel: ypixel });
  return 0;
};
/** TIOCSWINSZ; that of the host's terminal is the host's to say. */
const setSize: TerminalCall = (ctx, { terminal, address }) => {
  const { ws_row, ws_col, ws_xpixel, ws_ypixel } = ctx.get(WINSIZE, address);
  const window = { rows: ws_row, columns: ws_col, xpixel: ws_xpixel, ypixel: ws_ypixel };
  if (terminal instanceof Pty) terminal.resize(window);
  return 0;
};

// ---- sessions and groups -----------------------------------------------------------------------------------

const setForeground: TerminalCall = (ctx, { terminal, file, address }) => {
  const pgid = intAt(ctx, address) | 0;
  if (pgid < 0) throw new SysError(EINVAL);
  if (!isControlling(ctx, terminal)) throw new SysError(ENOTTY);
  checkTerminalChange(ctx, file);
  const members = [...ctx.kernel.processes.values()].filter((each) => each.pgid === pgid);
  if (members.length === 0) throw new SysError(ESRCH);
  if (members[0].sid !== ctx.process.sid) throw new SysError(EPERM);
  terminal.foreground = pgid;
  return 0;
};

/** Whoever asks at the program's side must have it as the controlling terminal. */
function checkOwn(ctx: SyscallContext, { terminal, file }: Request): void {
  if (file instanceof PtySlave && !isControlling(ctx, terminal)) throw new SysError(ENOTTY);
}

const sessionOf = (ctx: SyscallContext, request: Request): number => {
  checkOwn(ctx, request);
  const { terminal } = request;
  if (!(terminal instanceof Pty)) return ctx.process.sid;
  if (terminal.session === undefined) throw new SysError(ENOTTY);
  return terminal.session;
};

const takeControl: TerminalCall = (ctx, { terminal, file }) => {
  const { process } = ctx;
  if (isControlling(ctx, terminal)) return 0;
  if (!(terminal instanceof Pty) || file instanceof PtyMaster) throw new SysError(EPERM);
  const isLeader = process.sid === process.pid;
  const { ptys } = files(ctx).system;
  const hasOne = ptys.controlling(process.sid) !== undefined || files(ctx).hasOuterTerminal;
  if (!isLeader || hasOne || terminal.session !== undefined || !file.canRead) throw new SysError(EPERM);
  terminal.control(process);
  return 0;
};

const giveUpControl: TerminalCall = (ctx, { terminal }) => {
  if (!isControlling(ctx, terminal)) throw new SysError(ENOTTY);
  const { sid, pid } = ctx.process;
  if (terminal instanceof Pty && sid === pid) terminal.release(false);
  return 0;
};

// ---- pseudo-terminals --------------------------------------------------------------------------------------

/** TIOCGPTPEER: opens the program's side though its name may not be seen. */
const openPeer = onMaster((ctx, pty) => {
  const flags = ctx.args.int(2);
  const { system } = files(ctx);
  const kept = flags & (O_ACCMODE | O_NONBLOCK);
  const file = system.ptys.open(pty, kept, (flags & O_NOCTTY) === 0);
  return install(ctx, file, (flags & O_CLOEXEC) !== 0);
});

const TCOOFF = 0;
const TCOON = 1;
const TCIOFF = 2;
const TCION = 3;

/** TCXONC: stops and starts output here, or asks the other side to. */
const flow: TerminalCall = (ctx, { terminal, file }) => {
  checkTerminalChange(ctx, file);
  const action = ctx.args.int(2);
  if (action < TCOOFF || action > TCION) throw new SysError(EINVAL);
  if (!(terminal instanceof Pty)) return 0;
  if (action === TCOOFF || action === TCOON) terminal.discipline.setStopped(action === TCOOFF);
  else {
    const key = terminal.termios.c_cc[CHARACTERS[action === TCIOFF ? "stop" : "start"]];
    if (key !== 0) terminal.show([key]);
  }
  return 0;
};

/** TCFLSH: 0 input, 1 output, 2 both; each side has its own of them. */
const flushQueues: TerminalCall = (ctx, { terminal, file }) => {
  checkTerminalChange(ctx, file);
  const which = ctx.args.int(2);
  if (which < 0 || which > 2) throw new SysError(EINVAL);
  if (!(terminal instanceof Pty)) return 0;
  const isMaster = file instanceof PtyMaster;
  if (which === 2 || which === (isMaster ? 1 : 0)) terminal.dropInput();
  if (which === 2 || which === (isMaster ? 0 : 1)) {
    terminal.dropOutput(0);
    terminal.queue.wake();
  }
  return 0;
};

const drain: TerminalCall = (ctx, { file }) => {
  checkTerminalChange(ctx, file);
  return 0;
};

/** TIOCSTI: as if a byte had been typed. */
const typeByte: TerminalCall = (ctx, { terminal, address }) => {
  if (!(terminal instanceof Pty) || !isControlling(ctx, terminal)) throw new SysError(EPERM);
  terminal.typeInput(ctx.memory.read(address, 1));
  return 0;
};

const exclusive =
  (isExclusive: boolean): TerminalCall =>
  (_ctx, { terminal }) => {
    if (terminal instanceof Pty) terminal.isExclusive = isExclusive;
    return 0;
  };

const TERMINAL_CALLS = new Map<number, TerminalCall>([
  [TCGETS, getTermios],
  [iow("t", 20, 44), putTermios(false)],
  [iow("t", 21, 44), putTermios(false)],
  [iow("t", 22, 44), putTermios(true)],
  [ior("t", 23, 20), getTermio],
  [iow("t", 24, 20), putTermio(false)],
  [iow("t", 25, 20), putTermio(false)],
  [iow("t", 28, 20), putTermio(true)],
  // TCSBRK, TCXONC, TCFLSH, TCSBRKP
  [io("t", 29), drain],
  [io("t", 30), flow],
  [io("t", 31), flushQueues],
  [0x5425, drain],
  [TIOCGWINSZ, getSize],
  [iow("t", 103, 8), setSize],
  // TIOCOUTQ, TIOCGPGRP, TIOCSPGRP, TIOCGSID
  [ior("t", 115, 4), putInt(() => 0)],
  [
    ior("t", 119, 4),
    putInt((ctx, request) => {
      checkOwn(ctx, request);
      return foregroundOf(ctx, request.terminal);
    }),
  ],
  [iow("t", 118, 4), setForeground],
  [0x5429, putInt(sessionOf)],
  // TIOCEXCL, TIOCNXCL, TIOCSCTTY, TIOCNOTTY, TIOCGETD (N_TTY), TIOCSETD, TIOCSTI
  [0x540c, exclusive(true)],
  [0x540d, exclusive(false)],
  [0x540e, takeControl],
  [0x5422, giveUpControl],
  [0x5424, putInt(() => 0)],
  [
    0x5423,
    (ctx, { address }) => {
      if (intAt(ctx, address) !== 0) throw new SysError(EINVAL);
      return 0;
    },
  ],
  [0x5412, typeByte],
  // TIOCGLCKTRMIOS (nothing is locked), TIOCSLCKTRMIOS
  [
    0x5456,
    (ctx, { address }) => {
      ctx.put(TERMIOS, address, {});
      return 0;
    },
  ],
  [0x5457, refused],
  // TIOCSBRK, TIOCCBRK, TIOCCONS
  [0x5427, nothing],
  [0x5428, nothing],
  [0x541d, refused],
  // TIOCPKT, TIOCGPKT, TIOCSPTLCK, TIOCGPTLCK, TIOCGPTN, TIOCGPTPEER, TIOCSIG, TIOCGEXCL, TIOCGDEV
  [
    0x5420,
    onMaster((ctx, pty, { address }) => {
      pty.setPacket(intAt(ctx, address) !== 0);
      return 0;
    }),
  ],
  [ior("T", 0x38, 4), putOfPty((pty) => Number(pty.isPacket), PtyMaster)],
  [
    iow("T", 0x31, 4),
    onMaster((ctx, pty, { address }) => {
      pty.isLocked = intAt(ctx, address) !== 0;
      return 0;
    }),
  ],
  [ior("T", 0x39, 4), putOfPty((pty) => Number(pty.isLocked), PtyMaster)],
  [ior("T", 0x30, 4), putOfPty((pty) => pty.number, PtyMaster)],
  [io("T", 0x41), openPeer],
  [
    iow("T", 0x36, 4),
    onMaster((ctx, pty) => {
      const signo = ctx.args.int(2);
      if (![SIGINT, SIGQUIT, SIGTSTP].includes(signo)) throw new SysError(EINVAL);
      pty.signal(signo, false);
      return 0;
    }),
  ],
  [ior("T", 0x40, 4), putOfPty((pty) => Number(pty.isExclusive))],
  [ior("T", 0x32, 4), putOfPty((pty) => Number(pty.stat().rdev))],
]);

/** What an ioctl(2) does to the terminal of a description. Throws ENOTTY where it is none, or doesn't know that. */
export function terminalCall(ctx: SyscallContext, file: OpenFile, terminal: Tty, command: number): number {
  const run = TERMINAL_CALLS.get(command);
  if (run === undefined) throw new SysError(ENOTTY);
  if (file instanceof PtySlave && file.isHung) throw new SysError(EIO);
  const address = argIsPointer(command) ? ctx.args.address(2) : 0;
  return run(ctx, { terminal, file, address });
}

/** TIOCPKT, TIOCGSID, TIOCGETD, TIOCSETD, TIOCSTI, TIOCGLCKTRMIOS. */
const OLD_WITH_POINTER: readonly number[] = [0x5420, 0x5429, 0x5424, 0x5423, 0x5412, 0x5456];
/** TIOCSIG has a size in its number and takes a plain int. */
const TIOCSIG = iow("T", 0x36, 4);

/** Requests with a size in their number, and the few old ones, take a pointer. */
const argIsPointer = (command: number): boolean =>
  command !== TIOCSIG && (((command >>> 16) & 0x1fff) !== 0 || OLD_WITH_POINTER.includes(command));
