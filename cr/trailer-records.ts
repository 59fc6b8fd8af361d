/**
 * What the trailer's records hold: a machine's state beyond v13, one record type a topic. A new topic is a layout and a
 * row in TRAILER_TYPES; what a layout lists is written, read, checked, shown and documented from it.
 */
import { HIGH_HALVES } from "./arch-ppc.ts";
import {
  array,
  blob,
  chars,
  flag,
  integer,
  list,
  maybe,
  s32,
  s64,
  since,
  size64,
  text,
  u32,
  u64,
  word,
} from "./record-fields.ts";
import { type Fields, type Layout, type LayoutValues, message } from "./record-layout.ts";
import { LIMITS, PATH_SIZE } from "./records.ts";
import { CALL_STATE, FILE_STATE, INSTRUCTION, STATE_PARTS } from "./states.ts";
import { CRITICAL, DIGEST_SIZE, END_TYPE } from "./trailer.ts";

export const ABIS = ["ppc32", "ppc64", "ppc64le"] as const;
export const FILE_KINDS = [
  "file",
  "directory",
  "pipe-read",
  "pipe-write",
  "inherited",
  "device",
  "proc",
  "special",
  "pipe-both",
] as const;

export const TRACE_STOPS = ["signal", "group", "entry", "exit", "event"] as const;
export const TRACE_MODES = ["run", "syscall", "step", "emulate", "emulate-step"] as const;
export const WAIT_PHASES = ["waiting", "woken", "paused"] as const;

export const PRIVATE_KINDS = ["file", "directory", "symlink", "link"] as const;
export const LOCK_KINDS = ["flock", "ofd", "posix"] as const;

const GUEST_NODES = ["fifo", "socket"] as const;

const NAME = 256;
/** Bound of a JSON text, as older versions have them. */
const STATE = 1 << 24;
const SIGNALS_MAX = 1 << 16;
const THREADS_MAX = 1 << 16;
const SEMAPHORES_MAX = 32000;
const path = (doc: string) => text(PATH_SIZE - 1, doc);

const USER = message("user", "ids of a user", { uid: u32("user"), gid: u32("group") });

export const MACHINE = message("MACHINE", "the machine as a whole", {
  abi: word(ABIS, "width and byte order of the guest"),
  cpuModel: text(NAME, "CPU model"),
  addressSpaceSize: size64("bytes of guest address space"),
  instructions: integer("instructions retired by all threads"),
  seed: maybe(integer(""), "seed of a deterministic run"),
  random: list(integer(""), 4096, "state of the random generator"),
  realtime: s64("CLOCK_REALTIME, ns"),
  monotonic: s64("CLOCK_MONOTONIC, ns"),
  sysname: text(NAME, "uname"),
  nodename: text(NAME, ""),
  release: text(NAME, ""),
  version: text(NAME, ""),
  machine: text(NAME, ""),
  nextTid: s32("scheduler: thread to run next"),
  sliceLeft: size64("scheduler: instructions left of its time slice"),
  nextPid: s32("next process id"),
  firstUser: since(2, maybe(USER, "whose the host user's files are, where no process tells"), null),
  dscrDefault: since(3, u64("DSCR of threads that have set none of their own"), 0n),
});

const LIMIT = message("limit", "a resource limit", {
  soft: u64("2^64 - 1 is infinity"),
  hard: u64(""),
});

const AUXV = message("auxv", "an entry of the auxiliary vector", { type: u32("AT_*"), value: u64("") });

const MEMORY = message("memory", "addresses as in MM", {
  startCode: size64(""),
  endCode: size64(""),
  startData: size64(""),
  endData: size64(""),
  startBrk: size64(""),
  brk: size64(""),
  startStack: size64(""),
  argStart: size64(""),
  argEnd: size64(""),
  envStart: size64(""),
  envEnd: size64(""),
});

const CAPABILITIES = message("capabilities", "sets of capabilities: bit n is capability n", {
  inheritable: u64("capset(2)"),
  permitted: u64(""),
  effective: u64(""),
  ambient: u64("prctl(PR_CAP_AMBIENT)"),
  bounding: u64("prctl(PR_CAPBSET_DROP)"),
  securebits: u32("prctl(PR_SET_SECUREBITS)"),
});

/** The ids of a thread. */
const IDS = {
  uid: u32("who it is to the system"),
  euid: u32(""),
  suid: u32(""),
  fsuid: u32(""),
  gid: u32(""),
  egid: u32(""),
  sgid: u32(""),
  fsgid: u32(""),
  groups: list(u32(""), 65536, "supplementary groups"),
};

const CREDENTIALS = message("credentials", "who a thread is", {
  ...IDS,
  capabilities: maybe(CAPABILITIES, "where they don't follow from the user ids"),
});

export const PROCESS = message("PROCESS", "a process; where v13 has a TASK with its pid, what that lacks", {
  pid: s32("process id"),
  ppid: s32("parent"),
  pgid: s32("process group"),
  sid: s32("session"),
  comm: text(NAME, "name"),
  exe: path("program file"),
  cwd: path("current directory"),
  umask: u32("file mode creation mask"),
  ...IDS,
  limits: list(LIMIT, 64, "RLIMIT_* in Linux's order"),
  auxv: list(AUXV, 256, "auxiliary vector"),
  pdeathsig: s32("prctl: parent death signal"),
  dumpable: s32("prctl: dumpable"),
  noNewPrivs: flag("prctl: no_new_privs"),
  personality: maybe(u32(""), "personality(2)"),
  elfv2: maybe(flag(""), "function pointers are plain addresses"),
  cpuTime: s64("CPU time used, ns"),
  exitStatus: maybe(s32(""), "wait status of a zombie"),
  memory: maybe(MEMORY, "only where there is no TASK"),
  cwdRemoved: since(2, flag("the current directory had been removed"), false),
  cwdUnlinked: since(3, maybe(u32(""), "which UNLINKED record that is"), null),
  capabilities: since(4, maybe(CAPABILITIES, "where they don't follow from the user ids"), null),
});

const SIGINFO = message("siginfo", "a pending signal", {
  signo: s32("signal"),
  errno: s32(""),
  code: s32("si_code"),
  pid: s32("sender"),
  uid: u32(""),
  value: integer("si_addr, si_value or si_status"),
  timer: s32("timer id of SI_TIMER"),
  overrun: s32(""),
});

const SIGACTION = message("sigaction", "what a signal does", {
  handler: u64("address; 0 SIG_DFL, 1 SIG_IGN"),
  flags: u64("SA_*"),
  restorer: u64("sa_restorer"),
  mask: u64("blocked meanwhile; bit n - 1 is signal n"),
});

export const SIGNALS = message("SIGNALS", "signal actions and pending signals of a process", {
  pid: s32("process id"),
  actions: list(SIGACTION, 128, "signal 1 first"),
  pending: list(SIGINFO, SIGNALS_MAX, "pending for the process, in order of arrival"),
});

const INTERVAL = message("interval", "an interval timer", {
  remaining: s64("ns until it expires, 0 = off"),
  interval: s64("ns"),
});

const POSIX_TIMER = message("timer", "a timer_create(2) timer", {
  id: s32("timer id"),
  clock: s32("CLOCK_*"),
  notify: s32("SIGEV_*"),
  signal: s32(""),
  value: integer("sigev_value"),
  tid: s32("SIGEV_THREAD_ID"),
  remaining: s64("ns until it expires, 0 = off"),
  interval: s64("ns"),
  overrun: size64(""),
});

export const TIMERS = message("TIMERS", "timers of a process", {
  pid: s32("process id"),
  interval: list(INTERVAL, 16, "ITIMER_REAL, VIRTUAL, PROF"),
  posix: list(POSIX_TIMER, SIGNALS_MAX, "timer_create(2) timers"),
});

const VSR = message("VSR", "a vector-scalar register", {
  high: u64("doubleword 0"),
  low: u64("doubleword 1"),
});

const RESERVATION = message("reservation", "of lwarx and its family", {
  address: u64("effective address"),
  length: u32("bytes"),
  value: integer("what was loaded"),
});

const BLOCKED = message("blocked", "a system call in progress, to be started again", {
  deadline: maybe(s64(""), "CLOCK_MONOTONIC time at which it ends, ns"),
  state: text(STATE, "version 1: what else it must remember, JSON"),
  call: since(2, maybe(CALL_STATE, "what else it must remember"), null),
});

const POLICY = message("policy", "which nodes memory comes from", {
  mode: u32("MPOL_* with flags"),
  nodes: u64("bit n is node n"),
});

const SCHEDULING = message("scheduling", "how a thread is scheduled", {
  nice: s32("-20 to 19"),
  policy: s32("SCHED_*"),
  priority: s32("of SCHED_FIFO and SCHED_RR"),
  timerSlack: u64("prctl: timer slack, ns"),
  ioPriority: u32("ioprio_set: class and level"),
  resetOnFork: flag("SCHED_RESET_ON_FORK"),
});

const DESCRIPTOR_FIELDS = {
  fd: s32("descriptor"),
  closeOnExec: flag(""),
  openFile: u32("index in openFiles"),
};

const OWN_DESCRIPTOR = message("own descriptor", "of a thread with files of its own", DESCRIPTOR_FIELDS);

const OWN_FILES = message("own files", "files of a thread that are not its process's", {
  cwd: path("current directory"),
  cwdRemoved: flag("that had been removed"),
  cwdUnlinked: since(7, maybe(u32(""), "which UNLINKED record that is"), null),
  umask: u32("file mode creation mask"),
  descriptors: list(OWN_DESCRIPTOR, LIMITS.descriptors, ""),
  sharesDescriptors: s32("earlier process or thread that has the same descriptors, or 0"),
  sharesFs: s32("earlier process or thread that has the same working directory and umask, or 0"),
});

export const THREAD_STATE = message("THREAD", "a thread: what a CPU record lacks", {
  pid: s32("process id"),
  tid: s32("thread id"),
  inTask: flag(
    "1: the other registers are in the CPU record of the TASK; 0: in the REGISTERS record of this tid",
  ),
  msr: u64("machine state"),
  highHalves: array(
    u32(""),
    HIGH_HALVES,
    "upper halves of gpr 0-31, nip, ctr, link that a 4-byte long cannot hold",
  ),
  fprLow: array(u64(""), 32, "doubleword 1 of VSRs 0 to 31"),
  vr: array(VSR, 32, "VSRs 32 to 63: the vector registers"),
  fpscrHigh: u32("bits 0:31 of FPSCR"),
  vrsave: u32("VRSAVE"),
  vscr: u32("VSCR, low word"),
  tar: u64("TAR"),
  dscr: u64("DSCR"),
  ppr: u64("PPR"),
  reservation: maybe(RESERVATION, ""),
  instructions: integer("instructions retired by this thread"),
  signalMask: u64("blocked signals; bit n - 1 is signal n"),
  savedMask: maybe(u64(""), "mask to restore when a sigsuspend, ppoll or pselect is over"),
  pending: list(SIGINFO, SIGNALS_MAX, "pending for the thread, in order of arrival"),
  altSp: u64("sigaltstack"),
  altFlags: u32("SS_*"),
  altSize: u64(""),
  clearTid: u64("set_tid_address(2)"),
  robustHead: u64("set_robust_list(2)"),
  robustLength: u64(""),
  blocked: maybe(BLOCKED, ""),
  stopped: maybe(flag(""), "stopped until SIGCONT"),
  cpuTime: s64("CPU time used, ns"),
  comm: since(3, maybe(text(NAME, ""), "a name of its own"), null),
  policy: since(5, maybe(POLICY, "set_mempolicy(2)"), null),
  files: since(6, maybe(OWN_FILES, "its process's where there are none"), null),
  affinity: since(8, maybe(integer(""), "sched_setaffinity(2): bit n is CPU n"), null),
  noNewPrivs: since(9, maybe(flag(""), "no_new_privs, where its process's is otherwise"), null),
  confinement: since(
    9,
    maybe(s32(""), "seccomp(2): -1 strict mode, else its latest filter in FILTERS"),
    null,
  ),
  scheduling: since(10, maybe(SCHEDULING, "where it is not as ATTRIBUTES says"), null),
  startTime: since(
    10,
    maybe(s64(""), "CLOCK_MONOTONIC time at which it began, where that is not FAMILY's, ns"),
    null,
  ),
  credentials: since(11, maybe(CREDENTIALS, "where they are not its process's"), null),
});

export const REGISTERS = message("REGISTERS", "registers of a thread that v13 has no CPU record for", {
  pid: s32("process id"),
  tid: s32("thread id"),
  cpu: blob(1024, "payload of a CPU record in the image's shape"),
});

const FILE_SIGNALS = message("file signals", "who is told by signals of a description, and of what", {
  type: u32("F_OWNER_TID, PID or PGRP"),
  owner: s32("0: nobody"),
  signal: u32("F_SETSIG"),
  fd: s32("the descriptor that signals name, or -1"),
  watched: u32("F_NOTIFY: DN_* bits"),
  lease: u32("F_SETLEASE"),
  wanted: u32("what the lease is to become"),
  until: u64("CLOCK_MONOTONIC time of that, ns"),
});

const OPEN_FILE = message("open file", "an open file description", {
  objref: u32("the FD_DATA with path, flags, mode and position; 0: none, they are here"),
  kind: word(FILE_KINDS, "what it is"),
  path: path("empty where FD_DATA has it"),
  flags: u32("O_* bits"),
  mode: u32("FMODE_* bits"),
  position: s64("file offset"),
  deleted: flag("has lost its name"),
  inherited: s32("host descriptor it came from, or -1"),
  pipe: s32("index among the PIPE records, or -1"),
  unlinked: s32("index among the UNLINKED records, or -1"),
  state: text(STATE, "version 1: what its kind has to say besides, JSON"),
  own: since(2, maybe(FILE_STATE, "what its kind has to say besides"), null),
  signals: since(3, maybe(FILE_SIGNALS, ""), null),
  writeHint: since(4, u32("F_SET_RW_HINT"), 0),
});

const DESCRIPTOR = message("descriptor", "a descriptor that has no FD_ENT", {
  pid: s32("process id"),
  ...DESCRIPTOR_FIELDS,
});

export const OPEN_FILES = message("FILES", "all open files, and the descriptors that v13 cannot express", {
  openFiles: list(OPEN_FILE, LIMITS.descriptors, "in the machine's order"),
  descriptors: list(DESCRIPTOR, LIMITS.descriptors, ""),
});

const PACKET = message("packet", "part of a pipe's contents that is read by itself (O_DIRECT)", {
  start: u32("first byte"),
  length: u32("bytes"),
});

export const PIPE = message("PIPE", "a pipe; the first one is number 0", {
  capacity: u32("bytes it can hold"),
  contents: blob(1 << 28, "written and not yet read"),
  packets: since(2, list(PACKET, 1 << 16, "ascending"), []),
  ino: since(3, u64("the number that stat(2) tells; 0: a new one"), 0n),
});

export const ATTRIBUTES = message("ATTRIBUTES", "what a process has set about itself and can ask for", {
  pid: s32("process id"),
  nice: s32("-20 to 19"),
  policy: s32("SCHED_*"),
  timerSlack: u64("prctl: timer slack, ns"),
  keepCapabilities: flag("prctl: keep capabilities"),
  childSubreaper: flag("prctl: child subreaper"),
  noHugePages: flag("prctl: no transparent huge pages"),
  oomScoreAdj: since(2, s32("/proc/PID/oom_score_adj"), 0),
  membarriers: since(3, u32("membarrier: commands it has registered for"), 0),
  locksFuture: since(4, flag("mlockall: what it maps from now on is locked"), false),
  ioPriority: since(4, u32("ioprio_set: class and level"), 0),
  resetOnFork: since(5, flag("SCHED_RESET_ON_FORK"), false),
  locksOnFault: since(6, flag("mlockall: with MCL_ONFAULT"), false),
  priority: since(7, s32("of SCHED_FIFO and SCHED_RR"), 0),
  peak: since(8, u32("KiB that it had mapped at most"), 0),
  childrenPeak: since(8, u32("the same of children that have been waited for"), 0),
  faults: since(9, u64("pages that it touched first"), 0n),
  childFaults: since(9, u64("the same of children that have been waited for"), 0n),
  readBytes: since(9, u64("/proc/PID/io: rchar"), 0n),
  writtenBytes: since(9, u64("wchar"), 0n),
  reads: since(9, u64("syscr"), 0n),
  writes: since(9, u64("syscw"), 0n),
});

export const FAMILY = message("FAMILY", "a process among others", {
  pid: s32("process id"),
  abi: word(ABIS, "of its program"),
  cpuModel: text(NAME, "CPU model"),
  exitSignal: s32("signal that its end sends to its parent, 0: none"),
  childCpuTime: s64("CPU time of children that have been waited for, ns"),
  startTime: s64("CLOCK_MONOTONIC time at which it began, ns"),
  stoppedBy: s32("signal that has stopped it, 0: none"),
  stopped: s32("stop that wait(2) has not told of yet: its signal, else 0"),
  continued: flag("going on that wait(2) has not told of yet"),
  hasExecuted: flag("has executed a program since it was forked"),
  vforkParent: s32("thread that sleeps in vfork(2) until it has memory of its own, or 0"),
  sharesMemory: s32("earlier process that has the same address space, or 0"),
  sharesDescriptors: s32(
    "earlier process (or thread with files of its own) that has the same descriptors, or 0",
  ),
  sharesFs: s32("earlier process or thread that has the same working directory and umask, or 0"),
  sharesActions: s32("earlier process that has the same signal actions, or 0"),
});

const WAIT = message("wait", "how a thread is in the system call that THREAD tells of", {
  tid: s32("thread id"),
  phase: word(WAIT_PHASES, "in its queues; taken from them; in the middle of its work"),
  place: size64("threads with a lower one came into their queues before"),
});

export const WAITS = message("WAITS", "in which order threads run and wait", {
  order: list(s32(""), THREADS_MAX, "threads that can run: whose turn it is, then who comes next"),
  waits: list(WAIT, THREADS_MAX, "threads in a system call"),
});

const LOCK = message("lock", "an advisory lock", {
  kind: word(LOCK_KINDS, "flock(2), open file description, process"),
  openFile: u32("index in openFiles: the holder, or of a process's lock the file"),
  pid: s32("the process that holds it, else 0"),
  exclusive: flag(""),
  start: s64("first byte"),
  last: s64("last byte"),
});

export const LOCKS = message("LOCKS", "advisory file locks", {
  locks: list(LOCK, LIMITS.descriptors, ""),
});

const TRACE_STOP = message("trace stop", "a stop that a tracer is told of", {
  kind: word(TRACE_STOPS, "at a signal, with its process, in front of or behind a system call, for an event"),
  code: u32("as wait(2) tells it: signal | event << 8"),
  info: maybe(SIGINFO, "PTRACE_GETSIGINFO"),
  message: u64("PTRACE_GETEVENTMSG; of an interrupted call what it seems to return"),
});

const TRACEE = message("tracee", "a thread that another process traces", {
  tid: s32("thread id"),
  tracer: s32("process id"),
  seized: flag("PTRACE_SEIZE"),
  options: u32("PTRACE_O_*"),
  mode: word(TRACE_MODES, "how far it was let go"),
  inCall: flag("the tracer has seen the call that it is in begin"),
  stop: maybe(TRACE_STOP, "that it is in"),
  told: flag("wait(2) has told of that stop"),
  listening: flag("PTRACE_LISTEN"),
  exiting: flag("its end has been told of"),
  message: u64("PTRACE_GETEVENTMSG"),
  due: list(TRACE_STOP, 64, "stops before its next instruction"),
  inject: maybe(SIGINFO, "that it goes on with"),
  passed: since(2, flag("its tracer has let a call pass that a filter left to it"), false),
});

const TRACE_END = message("trace end", "a tracee that has ended and not been waited for", {
  tracer: s32("process id"),
  tid: s32("thread id"),
  status: u32("wait status"),
});

const FILTER = message("filter", "a filter of seccomp(2)", {
  previous: s32("the filter before it, which stands earlier, or -1"),
  program: list(INSTRUCTION, 4096, ""),
});

export const FILTERS = message("FILTERS", "filters of system calls that threads have: seccomp(2)", {
  filters: list(FILTER, THREADS_MAX, ""),
});

export const TRACES = message("TRACES", "who traces whom: ptrace(2)", {
  tracees: list(TRACEE, THREADS_MAX, ""),
  ends: list(TRACE_END, THREADS_MAX, ""),
});

const FILE_PART = message("file part", "of a private file mapping", {
  path: path("absolute"),
  offset: size64("bytes"),
});

const SHARED_PART = message("shared part", "of a shared mapping", {
  index: u32("number of the SHARED record"),
  offset: size64("bytes"),
});

const AREA = message("area", "a mapping", {
  start: size64("first byte"),
  end: size64("one past the last byte"),
  named: flag("1: only adds to the VMA at `start`; 0: a mapping that has no VMA"),
  name: text(NAME, '"[heap]", "[stack]"'),
  prot: u32("PROT_* bits"),
  growsDown: flag(""),
  file: maybe(FILE_PART, ""),
  shared: maybe(SHARED_PART, ""),
  unlinked: since(2, maybe(u32(""), "the private mapping is of this UNLINKED file"), null),
  flags: since(3, u32("VM_* bits of mlock and madvise; 0x20: can't be made writable"), 0),
  policy: since(4, maybe(POLICY, "mbind(2)"), null),
});

export const AREAS = message("AREAS", "what VMA records cannot say about a process's mappings", {
  pid: s32("process id"),
  areas: list(AREA, LIMITS.areas, "ascending"),
});

export const SHARED = message("SHARED", "memory that several mappings see; the first one is number 0", {
  path: maybe(path(""), "file behind it"),
  size: size64("bytes"),
  unlinked: since(2, maybe(u32(""), "the file is this UNLINKED one"), null),
  readOnly: since(3, flag("no mapping of it can be made writable"), false),
});

/** Pages in one record of pages, at most. */
export const PAGE_RUN = 256;

export const SHARED_PAGES = message(
  "SHARED_PAGES",
  "contents of shared memory, 4096 bytes an offset follow the list",
  {
    object: u32("number of the SHARED record"),
    offsets: list(u64(""), PAGE_RUN, "ascending"),
  },
);

export const UNLINKED = message(
  "UNLINKED",
  "a file or folder that travels in the image, as those do that have no name any more; the first one is number 0",
  {
    size: size64("bytes"),
    mode: u32("permission bits, set-id and sticky bits; with S_IFMT: a folder, symlink, pipe or socket"),
    path: since(2, path("the last name it had"), ""),
    atime: since(2, maybe(s64(""), "ns since the epoch"), null),
    mtime: since(2, maybe(s64(""), ""), null),
    isNameable: since(3, flag("one of O_TMPFILE, which linkat(2) may give a name"), false),
  },
);

export const UNLINKED_PAGES = message(
  "UNLINKED_PAGES",
  "contents of a file without a name, 4096 bytes an offset follow the list; the rest is zero",
  {
    object: u32("number of the UNLINKED record"),
    offsets: list(u64(""), PAGE_RUN, "ascending"),
  },
);

const KNOWN_FILE = message("known file", "what tells a file again", {
  path: path("absolute"),
  size: s64("bytes"),
  mtime: s64("ns since the epoch"),
  content: text(NAME, "of one that is mapped: its build id or SHA-256, in hexadecimal; else empty"),
});

export const KNOWN_FILES = message("KNOWN_FILES", "the files that the program had open or mapped by name", {
  files: list(KNOWN_FILE, LIMITS.descriptors + LIMITS.areas, ""),
});

const SET_ID = message("set-id bits", "of a file, for the program alone", {
  path: path("absolute"),
  bits: u32("04000 set-user-id, 02000 set-group-id"),
});

export const SET_IDS = message("SET_IDS", "set-id bits that the host's files do not have", {
  files: list(SET_ID, LIMITS.descriptors, ""),
});

const IDENTITY = message("identity", "of a file that a thaw makes again", {
  path: path("absolute; empty for one that travels"),
  unlinked: s32("its UNLINKED record, or -1"),
  dev: u64("device number"),
  ino: u64("inode number"),
});

export const IDENTITIES = message("IDENTITIES", "the numbers by which the program knows files", {
  files: list(IDENTITY, 2 * LIMITS.descriptors, ""),
});

const COMPARED_PART = message("compared part", "something of a process", {
  part: u32("KCMP_*"),
  pid: s32("process or thread id"),
  index: u32("of KCMP_FILE the descriptor"),
});

export const COMPARED = message("COMPARED", "what kcmp(2) has compared", {
  parts: list(COMPARED_PART, LIMITS.descriptors, "in the order that it has given"),
});

const PRIVATE_FILE = message("file of its own", "in a folder that is the program's own", {
  path: path("absolute; a folder comes before what is in it"),
  kind: word(PRIVATE_KINDS, ""),
  mode: u32("permission bits and sticky bit"),
  target: maybe(path(""), "of a symlink its text, of a link the path of the same file"),
  content: maybe(u32(""), "of a file: its UNLINKED record"),
});

export const PRIVATE_FILES = message(
  "PRIVATE_FILES",
  "what is in /tmp, /var/tmp and /dev/shm, where they are the program's own",
  { files: list(PRIVATE_FILE, LIMITS.descriptors, "") },
);
const OPENER = message("opener", "a thread in open(2) of a named pipe", {
  tid: s32("thread id"),
  openFile: u32("its end, index in openFiles"),
  met: flag("somebody has come to the other end"),
});

const NODE = message("node", "on the host it is an empty file", {
  kind: word(GUEST_NODES, ""),
  path: path("absolute; empty: it has no name any more, and threads wait for it"),
  openFile: s32("the socket that is bound to it, index in openFiles; -1: none"),
  pipe: s32("index among the PIPE records while somebody has it open, or -1"),
  openers: list(OPENER, THREADS_MAX, ""),
});

export const NETWORK = message("NETWORK", "sockets and named pipes in granted folders, and the network", {
  lastPort: u32("the port that was made up last"),
  lastName: s32("the abstract name that was made up last"),
  nodes: list(NODE, LIMITS.descriptors, ""),
});

const IPC_PERM = message("ipc perm", "of a System V object", {
  id: s32(""),
  key: s32(""),
  mode: u32("permission bits, SHM_DEST, SHM_LOCKED"),
  uid: u32(""),
  gid: u32(""),
  cuid: u32("of who made it"),
  cgid: u32(""),
});

const SEM_CHANGES = message("semaphore undo", "what the end of a process changes (SEM_UNDO)", {
  pid: s32(""),
  changes: list(s32(""), SEMAPHORES_MAX, "of each semaphore"),
});

const SEMAPHORE_SET = message("semaphore set", "semget(2)", {
  perm: IPC_PERM,
  changed: s64("s since the epoch"),
  operated: s64("s since the epoch"),
  values: list(s32(""), SEMAPHORES_MAX, ""),
  pids: list(s32(""), SEMAPHORES_MAX, "who has changed each last"),
  undo: list(SEM_CHANGES, THREADS_MAX, ""),
});

const TYPED_MESSAGE = message("typed message", "msgsnd(2)", { type: s64(""), bytes: blob(8192, "") });

const MESSAGE_QUEUE = message("message queue", "msgget(2)", {
  perm: IPC_PERM,
  changed: s64("s since the epoch"),
  messages: list(TYPED_MESSAGE, 1 << 24, "oldest first"),
  most: u32("bytes in it, at most"),
  sender: s32("who sent last"),
  receiver: s32("who received last"),
  sent: s64("s since the epoch"),
  received: s64("s since the epoch"),
});

const SEGMENT = message("segment", "shmget(2)", {
  perm: IPC_PERM,
  changed: s64("s since the epoch"),
  size: size64("bytes"),
  sharedObject: u32("number of the SHARED record"),
  creator: s32("who made it"),
  operator: s32("who attached or detached it last"),
  attached: s64("s since the epoch"),
  detached: s64("s since the epoch"),
});

const IPC_PLACES = message("ipc places", "how ids are given", {
  last: s32("the place that was taken last, -1: none"),
  sequence: u32("how often the table has been gone through"),
});

export const IPC = message("IPC", "System V objects", {
  places: list(IPC_PLACES, 3, "semaphores, messages, segments"),
  semaphores: list(SEMAPHORE_SET, 32768, ""),
  messages: list(MESSAGE_QUEUE, 32768, ""),
  segments: list(SEGMENT, 32768, ""),
});

const COOKIE = message("cookie", "what a thread is told by a socket", {
  openFile: s32("the socket; -1: it has been closed"),
  cookie: blob(32, "sent with its last byte set"),
});

const NOTICE = message("notice", "mq_notify(2)", {
  pid: s32("who is told"),
  kind: s32("SIGEV_*"),
  signal: s32(""),
  value: u64("sigev_value"),
  thread: since(2, maybe(COOKIE, "SIGEV_THREAD"), null),
});

const QUEUED = message("queued", "mq_send(2)", { priority: u32(""), bytes: blob(1 << 24, "") });

const POSIX_QUEUE = message("posix queue", "mq_open(2)", {
  id: u32("tells it from all others"),
  name: text(NAME, "empty once it has been unlinked"),
  mode: u32("permission bits"),
  uid: u32(""),
  gid: u32(""),
  maxMessages: u32(""),
  messageSize: u32("bytes"),
  messages: list(QUEUED, 65536, "as they will be received"),
  notice: maybe(NOTICE, "who is told that a message has come to the empty queue"),
  ino: since(2, u64("the number that stat(2) tells; 0: a new one"), 0n),
});

export const QUEUES = message("QUEUES", "POSIX message queues", {
  queues: list(POSIX_QUEUE, 4096, ""),
});

/** The records of pages: what they belong to, a list of offsets, and the pages. */
export const PAGE_RECORDS = { SHARED_PAGES, UNLINKED_PAGES } as const;

/** The digest that ends the trailer; framed in `trailer.ts`. */
export const END = message("END", "ends the trailer", {
  digest: chars(DIGEST_SIZE, "SHA-256 of every byte of the image before this record"),
});

/** One row a trailer record. */
export interface TrailerType {
  type: number;
  /** What is in it changes how the process goes on, so nobody may skip it. */
  flags: number;
  layout: Layout<Fields>;
}

const topic = (type: number, layout: Layout<Fields>, flags = CRITICAL): TrailerType => ({
  type,
  flags,
  layout,
});

/** Every trailer record, by name. */
export const TRAILER_TYPES = {
  MACHINE: topic(1, MACHINE),
  PROCESS: topic(2, PROCESS),
  SIGNALS: topic(3, SIGNALS),
  TIMERS: topic(4, TIMERS),
  THREAD: topic(5, THREAD_STATE),
  REGISTERS: topic(6, REGISTERS),
  FILES: topic(7, OPEN_FILES),
  PIPE: topic(8, PIPE),
  AREAS: topic(9, AREAS),
  SHARED: topic(10, SHARED),
  SHARED_PAGES: topic(11, SHARED_PAGES),
  ATTRIBUTES: topic(12, ATTRIBUTES, 0),
  LOCKS: topic(13, LOCKS),
  UNLINKED: topic(14, UNLINKED),
  UNLINKED_PAGES: topic(15, UNLINKED_PAGES),
  KNOWN_FILES: topic(16, KNOWN_FILES, 0),
  SET_IDS: topic(17, SET_IDS, 0),
  PRIVATE_FILES: topic(24, PRIVATE_FILES),
  IDENTITIES: topic(25, IDENTITIES, 0),
  COMPARED: topic(26, COMPARED, 0),
  NETWORK: topic(18, NETWORK),
  IPC: topic(19, IPC),
  QUEUES: topic(20, QUEUES),
  FAMILY: topic(32, FAMILY),
  WAITS: topic(33, WAITS),
  TRACES: topic(34, TRACES),
  FILTERS: topic(35, FILTERS),
  END: topic(END_TYPE, END),
} as const;

/** The layouts that lists and optional parts of the records are made of. */
export const PARTS: readonly Layout<Fields>[] = [
  USER,
  LIMIT,
  CAPABILITIES,
  CREDENTIALS,
  AUXV,
  MEMORY,
  SIGACTION,
  SIGINFO,
  INTERVAL,
  POSIX_TIMER,
  VSR,
  RESERVATION,
  BLOCKED,
  POLICY,
  SCHEDULING,
  OWN_FILES,
  OWN_DESCRIPTOR,
  PACKET,
  OPEN_FILE,
  FILE_SIGNALS,
  DESCRIPTOR,
  WAIT,
  TRACE_STOP,
  TRACEE,
  TRACE_END,
  FILTER,
  LOCK,
  AREA,
  FILE_PART,
  SHARED_PART,
  KNOWN_FILE,
  SET_ID,
  IDENTITY,
  COMPARED_PART,
  PRIVATE_FILE,
  OPENER,
  NODE,
  IPC_PERM,
  SEM_CHANGES,
  SEMAPHORE_SET,
  TYPED_MESSAGE,
  MESSAGE_QUEUE,
  SEGMENT,
  IPC_PLACES,
  COOKIE,
  NOTICE,
  QUEUED,
  POSIX_QUEUE,
  ...STATE_PARTS,
];

const byType = new Map<number, TrailerType>(Object.values(TRAILER_TYPES).map((row) => [row.type, row]));

export const trailerType = (type: number): TrailerType | undefined => byType.get(type);

export type MachineValues = LayoutValues<typeof MACHINE>;
export type ProcessValues = LayoutValues<typeof PROCESS>;
export type SignalsValues = LayoutValues<typeof SIGNALS>;
export type AttributesValues = LayoutValues<typeof ATTRIBUTES>;
export type TimersValues = LayoutValues<typeof TIMERS>;
export type ThreadValues = LayoutValues<typeof THREAD_STATE>;
export type RegistersValues = LayoutValues<typeof REGISTERS>;
export type TracesValues = LayoutValues<typeof TRACES>;
export type FiltersValues = LayoutValues<typeof FILTERS>;
export type LocksValues = LayoutValues<typeof LOCKS>;
export type OpenFilesValues = LayoutValues<typeof OPEN_FILES>;
export type OpenFileValues = LayoutValues<typeof OPEN_FILE>;
export type KnownFilesValues = LayoutValues<typeof KNOWN_FILES>;
export type SetIdsValues = LayoutValues<typeof SET_IDS>;
export type IdentitiesValues = LayoutValues<typeof IDENTITIES>;
export type ComparedValues = LayoutValues<typeof COMPARED>;
export type PrivateFilesValues = LayoutValues<typeof PRIVATE_FILES>;
export type QueuesValues = LayoutValues<typeof QUEUES>;
export type IpcValues = LayoutValues<typeof IPC>;
export type NetworkValues = LayoutValues<typeof NETWORK>;
export type PipeValues = LayoutValues<typeof PIPE>;
export type FamilyValues = LayoutValues<typeof FAMILY>;
export type WaitsValues = LayoutValues<typeof WAITS>;
export type AreasValues = LayoutValues<typeof AREAS>;
export type SharedValues = LayoutValues<typeof SHARED>;
export type UnlinkedValues = LayoutValues<typeof UNLINKED>;
