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

export const NODE_KINDS = ["file", "directory", "symlink", "fifo", "socket", "char", "block"] as const;

/** Bounds: contents of a /proc file, names of a listing, items of an epoll set. */
const CONTENTS = 1 << 23;
const NAMES = 1_000_000;
const ITEMS = 1 << 16;

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

const TERMINAL = message("terminal", "what has been set on an inherited terminal", {
  c_iflag: u32("struct termios of powerpc"),
  c_oflag: u32(""),
  c_cflag: u32(""),
  c_lflag: u32(""),
  c_cc: array(u8(""), 19, ""),
  c_line: u8(""),
  c_ispeed: u32(""),
  c_ospeed: u32(""),
  foreground: maybe(s32(""), "process group"),
  size: maybe(WINDOW, "that the program was told last"),
});

const FILE_LAYOUTS = {
  eventfd: EVENTFD,
  epoll: EPOLL,
  path: PATH,
  contents: CONTENTS_STATE,
  listing: LISTING,
  seals: SEALS,
  terminal: TERMINAL,
};

/** The state of an open file. */
export const FILE_STATE: Field<FileState> = variant("a file state", FILE_LAYOUTS);

const MOVED = message("moved", "a transfer", { done: u32("bytes moved so far") });
const WOKEN = message("woken", "FUTEX_WAIT that somebody has woken", {});
const VFORK = message("vfork", "vfork(2)", { child: s32("that has its parent's memory") });

const CALL_LAYOUTS = { moved: MOVED, woken: WOKEN, vfork: VFORK };

/** What a call in progress remembers, where that is something. */
export const CALL_STATE: Field<Exclude<CallState, { kind: "begun" }>> = variant("a call state", CALL_LAYOUTS);

/** Everything that this file describes. */
export const STATE_PARTS: readonly Layout<Fields>[] = [
  ...Object.values(FILE_LAYOUTS),
  EPOLL_ITEM,
  LISTED,
  WINDOW,
  ...Object.values(CALL_LAYOUTS),
];
