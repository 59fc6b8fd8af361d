/**
 * What open files of each kind, and system calls in progress, have to say for themselves: a layout a kind. A new kind is
 * one more at the end of its list, and a member of `FileState` or `CallState` in the snapshot.
 */
import type { CallState, FileState } from "../emu/snapshot.ts";
import {
  array,
  blob,
  type Field,
  flag,
  list,
  maybe,
  s32,
  s64,
  since,
  size64,
  text,
  u8,
  u16,
  u32,
  u64,
  variant,
  word,
} from "./record-fields.ts";
import { type Fields, type Layout, message } from "./record-layout.ts";

export const SOCKET_PHASES = ["idle", "listening", "connecting", "connected", "closed"] as const;
export const NODE_KINDS = ["file", "directory", "symlink", "fifo", "socket", "char", "block"] as const;

/** Bounds: contents of a /proc file, names of a listing, items of an epoll set. */
const CONTENTS = 1 << 23;
const NAMES = 1_000_000;
const ITEMS = 1 << 16;
/** Of a message: bytes, and descriptions that travel with it. Options that a socket can have. */
const MESSAGE_MAX = 1 << 20;
const FILES = 253;
const OPTIONS = 256;
/** Words of one futex_waitv. */
const WORDS_MAX = 128;
/** Bytes that are typed at a terminal and not read. */
const TYPED = 4096;

const EVENTFD = message("eventfd", "eventfd(2)", {
  counter: u64(""),
  semaphore: flag("EFD_SEMAPHORE"),
});

const EPOLL_ITEM = message("epoll item", "a description in an epoll set", {
  fd: s32("descriptor that it was added with"),
  openFile: u32("index in openFiles"),
  events: s32("EPOLL* bits"),
  told: s32("EPOLLET: events that have been told of"),
  amount: size64("EPOLLET: bytes there were to read then"),
  data: u64(""),
});

const EPOLL = message("epoll", "epoll(7)", {
  items: list(EPOLL_ITEM, ITEMS, "in the order in which they will be told of"),
});

const PATH = message("path", "a file that is open with O_PATH", {});

const ENTRY = message(
  "entry",
  "a file of /proc or /sys, or a symbolic link there or in /dev, that is open with O_PATH",
  {
    mode: u32("permission bits"),
    size: u64("st_size"),
    target: maybe(text(1 << 12, ""), "of a symbolic link"),
  },
);

const CONTENTS_STATE = message("contents", "a file of /proc", {
  mode: u32("permission bits"),
  contents: blob(CONTENTS, "as they were when it was opened"),
});

const LISTED = message("listed", "a name in a directory", {
  ino: u64(""),
  kind: word(NODE_KINDS, ""),
  name: text(1 << 12, ""),
});

const LISTING = message("listing", "a directory of which names have been read", {
  entries: list(LISTED, NAMES, "all of its names as they were at the beginning"),
});

const SEALS = message("seals", "a file of memfd_create(2)", { bits: u32("F_SEAL_*") });

const WINDOW = message("window", "size of a terminal", { rows: u16(""), columns: u16("") });

const TERMIOS_FIELDS = {
  c_iflag: u32("struct termios of powerpc"),
  c_oflag: u32(""),
  c_cflag: u32(""),
  c_lflag: u32(""),
  c_cc: array(u8(""), 19, ""),
  c_line: u8(""),
  c_ispeed: u32(""),
  c_ospeed: u32(""),
};

const TERMINAL = message("terminal", "what has been set on an inherited terminal", {
  ...TERMIOS_FIELDS,
  foreground: maybe(s32(""), "process group"),
  size: maybe(WINDOW, "that the program was told last"),
});

const ADDRESS = message("socket address", "of AF_UNIX a name, else an internet address", {
  family: u16("AF_*"),
  name: blob(128, "sun_path, a NUL first in an abstract one; or the bytes of the address"),
  port: u16(""),
});

const SENDER = message("sender", "struct ucred", { pid: s32(""), uid: u32(""), gid: u32("") });

const IP_HEADER = message("IP header", "of a datagram, besides addresses", {
  hops: u32("time to live, or hop limit"),
  tos: u32("type of service, or traffic class"),
  to: since(7, maybe(blob(16, ""), "the address it was for, where its receiver is bound to another"), null),
});

const MESSAGE = message("message", "sent to a socket and not yet received", {
  bytes: blob(MESSAGE_MAX, ""),
  from: maybe(ADDRESS, "that its sender is bound to"),
  sender: maybe(SENDER, "SCM_CREDENTIALS"),
  files: list(u32(""), FILES, "SCM_RIGHTS: indices in openFiles"),
  time: s64("CLOCK_REALTIME at which it was sent, ns"),
  header: since(5, maybe(IP_HEADER, "where it is not the ordinary one"), null),
});

const URGENT = message("urgent", "a byte of TCP that was sent out of band", {
  after: u32("bytes that are to be read before it"),
  isRead: flag("it has been read by itself"),
});

const SOCKET_OPTION = message("socket option", "setsockopt(2)", {
  level: s32(""),
  name: s32(""),
  value: s32(""),
});

/** Of seccomp(2) as well. */
export const INSTRUCTION: Layout<{
  code: Field<number>;
  jt: Field<number>;
  jf: Field<number>;
  k: Field<number>;
}> = message("instruction", "of a filter: struct sock_filter", {
  code: u32("BPF_*"),
  jt: u32(""),
  jf: u32(""),
  k: u32(""),
});

const MEMBERSHIP = message("membership", "of a socket in a group of multicast", {
  group: blob(16, "its address"),
  include: flag("those that are named are heard, and not all others"),
  sources: maybe(list(blob(16, ""), OPTIONS, ""), "that are named"),
});

const SOCKET = message("socket", "a socket; others are indices in openFiles", {
  domain: u32("AF_*"),
  type: u32("SOCK_*"),
  protocol: u32("IPPROTO_*"),
  phase: word(SOCKET_PHASES, "of a connection; idle for datagrams"),
  local: maybe(ADDRESS, "that it is bound to"),
  remote: maybe(ADDRESS, "that it is connected to"),
  peer: s32("the other end, or where datagrams go; -1: none"),
  backlog: u32("listen(2)"),
  waiting: list(u32(""), ITEMS, "connections to be accepted"),
  overflow: list(u32(""), ITEMS, "sockets that wait for room among them"),
  untold: flag("a connect(2) that did not wait is still to be told how it went"),
  accepted: flag("it came from a listening socket, whose address it has"),
  readShut: flag("nothing more is received"),
  writeShut: flag("nothing more is sent"),
  error: u32("SO_ERROR"),
  options: list(SOCKET_OPTION, OPTIONS, ""),
  receiveTimeout: u64("SO_RCVTIMEO, ns"),
  sendTimeout: u64("SO_SNDTIMEO, ns"),
  peerCredentials: maybe(SENDER, "SO_PEERCRED"),
  messages: list(MESSAGE, ITEMS * 4, "in order of arrival"),
  urgent: since(4, maybe(URGENT, "the byte that was sent out of band last"), null),
  filter: since(6, list(INSTRUCTION, 4096, "SO_ATTACH_FILTER"), []),
  groups: since(7, list(MEMBERSHIP, OPTIONS * 2, "of multicast that it has joined, the latest first"), []),
  ino: since(8, u64("the number that stat(2) tells; 0: a new one"), 0n),
});

const TIMERFD = message("timerfd", "timerfd_create(2)", {
  clock: u32("CLOCK_*"),
  due: maybe(s64(""), "CLOCK_MONOTONIC time of the first expiry that has not been read, ns"),
  interval: s64("ns"),
});

const SIGNALFD = message("signalfd", "signalfd(2)", { mask: u64("bit n - 1 is signal n") });

const PIDFD = message("pidfd", "pidfd_open(2)", { pid: s32("0: the process has been waited for") });

const NAMESPACE = message("namespace", "of /proc/PID/ns", { name: text(32, "its name there") });

const MQUEUE = message("mqueue", "mq_open(2)", { queue: u32("id of the queue") });

const FRESH = message("fresh", "a named pipe that nobody has written to since it was opened", {});

const WATCH = message("watch", "of inotify", {
  wd: s32(""),
  mask: u32("IN_*"),
  openFile: u32("index in openFiles of an O_PATH description of what is watched"),
});

const NOTICE = message("notice", "of inotify, which has not been read", {
  wd: s32(""),
  mask: u32("IN_*"),
  cookie: u32("the same for both halves of a renaming"),
  name: text(1 << 10, "in the watched folder"),
});

const INOTIFY = message("inotify", "inotify(7)", {
  lastWd: s32("the watch that was given last"),
  lastCookie: u32("the cookie that was given last"),
  watches: list(WATCH, ITEMS, ""),
  events: list(NOTICE, ITEMS, "in order of arrival"),
});

const LINE = message("line", "what has been typed at a terminal", {
  lines: list(blob(TYPED, ""), TYPED, "that are complete"),
  editing: blob(TYPED, "the line that is being typed"),
  column: u32("of the cursor"),
  startColumn: u32("at which the line began"),
  isLiteral: flag("the next byte has no meaning of its own"),
  isErasing: flag("ECHOPRT: bytes are being erased"),
  isStopped: flag("output is stopped"),
});

const PTY_WINDOW = message("pty window", "struct winsize", {
  rows: u16(""),
  columns: u16(""),
  xpixel: u16(""),
  ypixel: u16(""),
});

const PTY = message("pty", "the controlling side of a pseudo-terminal", {
  number: u32("its name in /dev/pts"),
  uid: u32("who made it"),
  ...TERMIOS_FIELDS,
  foreground: maybe(s32(""), "process group"),
  session: maybe(s32(""), "whose controlling terminal it is"),
  window: PTY_WINDOW,
  isLocked: flag("TIOCSPTLCK"),
  isExclusive: flag("TIOCEXCL"),
  isPacket: flag("TIOCPKT"),
  packetStatus: u8("TIOCPKT_* that are to be read"),
  wasOpened: flag("the other side has been open"),
  typedAt: s64("CLOCK_MONOTONIC time of the last byte that was typed, ns"),
  line: LINE,
  output: blob(TYPED * 4, "written and not read"),
  held: blob(TYPED * 4, "echo that waits for output to go on"),
});

const PTS = message("pts", "the other side of a pseudo-terminal", {
  number: u32(""),
  isHung: flag("it was hung up while it was open"),
});

const FILE_LAYOUTS = {
  eventfd: EVENTFD,
  epoll: EPOLL,
  path: PATH,
  contents: CONTENTS_STATE,
  listing: LISTING,
  seals: SEALS,
  terminal: TERMINAL,
  socket: SOCKET,
  timerfd: TIMERFD,
  signalfd: SIGNALFD,
  pidfd: PIDFD,
  mqueue: MQUEUE,
  fresh: FRESH,
  inotify: INOTIFY,
  pty: PTY,
  pts: PTS,
  entry: ENTRY,
  namespace: NAMESPACE,
};

/** The state of an open file. */
export const FILE_STATE: Field<FileState> = variant("a file state", FILE_LAYOUTS);

const MOVED = message("moved", "a transfer", { done: u32("bytes moved so far") });
const WOKEN = message("woken", "FUTEX_WAIT that somebody has woken", {
  index: since(4, u32("futex_waitv: of the word by which"), 0),
});
const VFORK = message("vfork", "vfork(2)", { child: s32("that has its parent's memory") });

const REQUEUED = message("requeued", "FUTEX_WAIT that was moved to another word", { address: size64("") });

const WORDS = message("words", "futex_waitv of which words were exchanged", {
  addresses: list(size64(""), WORDS_MAX, "of all its words"),
});

const CPU = message("cpu", "clock_nanosleep by a clock of CPU time", { at: s64("when it is over, ns") });

const CALL_LAYOUTS = {
  ...{ moved: MOVED, woken: WOKEN, vfork: VFORK, requeued: REQUEUED, words: WORDS },
  cpu: CPU,
};

/** What a call in progress remembers, where that is something. */
export const CALL_STATE: Field<Exclude<CallState, { kind: "begun" }>> = variant("a call state", CALL_LAYOUTS);

/** Everything that this file describes. */
export const STATE_PARTS: readonly Layout<Fields>[] = [
  ...Object.values(FILE_LAYOUTS),
  EPOLL_ITEM,
  LISTED,
  WINDOW,
  ADDRESS,
  SENDER,
  IP_HEADER,
  MESSAGE,
  SOCKET_OPTION,
  INSTRUCTION,
  MEMBERSHIP,
  URGENT,
  WATCH,
  NOTICE,
  LINE,
  PTY_WINDOW,
  ...Object.values(CALL_LAYOUTS),
];
