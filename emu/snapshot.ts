/**
 * Everything a stopped machine is, as plain data: what `Machine.freeze` returns and `Machine.thaw` builds from.
 * `cr/` maps it to and from images. Addresses and 64-bit values are unsigned bigints where they come from guest
 * registers, numbers where they are guest memory addresses (always below 2^47). Times are nanoseconds, bigint.
 * Objects that several processes or descriptors share stand in a table once and are referred to by index.
 */

import type { IpcSnapshot, PosixQueueSnapshot } from "./ipc-snapshot.ts";

/** Bytes of a page, in snapshots and images alike. */
export { PAGE_SIZE } from "./memory/layout.ts";

/** Processes that one machine can run; images may hold more. */
export const MAX_PROCESSES = 1000;

/** Widths and byte order of the guest: the ABI its ELF header names. */
export type Abi = "ppc32" | "ppc64" | "ppc64le";

/** A stopped machine with all its processes. */
export interface MachineSnapshot {
  abi: Abi;
  /** Name of the CPU model (`--cpu`). */
  cpuModel: string;
  /** Bytes of guest address space. */
  addressSpaceSize: number;
  /** Instructions retired by all threads since the program began. */
  instructions: bigint;
  clock: ClockSnapshot;
  /** uname(2) fields as the guest sees them. */
  uts: { sysname: string; nodename: string; release: string; version: string; machine: string };
  processes: ProcessSnapshot[];
  openFiles: OpenFileSnapshot[];
  pipes: PipeSnapshot[];
  unlinkedFiles: UnlinkedFileSnapshot[];
  /** What is in the folders that are the guest's own; none when absent. */
  privateFiles?: PrivateFileSnapshot[];
  sharedObjects: SharedObjectSnapshot[];
  /** What tells the files again that were open or mapped by name; unknown when absent. */
  knownFiles?: KnownFileSnapshot[];
  /** Set-id bits that files have for the program alone; none when absent. */
  setIds?: SetIdSnapshot[];
  /** Who the first program was, where none of the processes tells any longer; found out from those when absent. */
  firstUser?: { uid: number; gid: number };
  /** DSCR of threads that have set none of their own; 0 when absent. */
  dscrDefault?: bigint;
  /** What kcmp(2) has compared, in the order that it gave; nothing when absent. */
  compared?: ComparedSnapshot[];
  /** Numbers of files that a thaw makes again; new ones when absent. */
  identities?: IdentitySnapshot[];
  /** Sockets and named pipes in granted folders, and what else the network remembers; nothing when absent. */
  network?: NetworkSnapshot;
  /** System V objects; nothing when absent. */
  ipc?: IpcSnapshot;
  /** POSIX message queues; none when absent. */
  queues?: PosixQueueSnapshot[];
  /** What of it no thaw could bring back, in words: an image of it would be worth nothing. Nothing when absent. */
  obstacles?: string[];
  /** Filters of seccomp(2), of which several threads may have the same; absent where no thread is confined. */
  filters?: FilterSnapshot[];
  /** Who traces whom; nobody anybody when absent. */
  traces?: { tracees: TraceSnapshot[]; ends: TraceEndSnapshot[] };
  /** Advisory file locks; none when absent. */
  locks?: LockSnapshot[];
  /**
   * Scheduler: tid of the thread to run next, and instructions left of its time slice; the tids of all threads that can run, in
   * their order (as they stand in `processes` when absent).
   */
  scheduler: { tid: number; sliceLeft: number; order?: number[] };
  nextPid: number;
}

/** Something of a process that kcmp(2) has compared. */
export interface ComparedSnapshot {
  /** KCMP_* number. */
  part: number;
  /** Process or thread id. */
  pid: number;
  /** Of KCMP_FILE the descriptor. */
  index: number;
}

export interface ClockSnapshot {
  /** `--seed`: time follows the instruction count and random numbers follow the seed. */
  seed: bigint | null;
  /** State of the random generator; empty when numbers come from the host. */
  random: bigint[];
  /** CLOCK_REALTIME at the moment of the freeze. */
  realtime: bigint;
  /** CLOCK_MONOTONIC (and BOOTTIME) at the moment of the freeze; goes on from here after a thaw. */
  monotonic: bigint;
}

/** Who a thread is. */
export interface CredentialsSnapshot {
  uid: number;
  euid: number;
  suid: number;
  fsuid: number;
  gid: number;
  egid: number;
  sgid: number;
  fsgid: number;
  groups: number[];
  /** What it may do, where that doesn't follow from the user ids. */
  capabilities?: CapabilitySnapshot;
}

/** Sets of capabilities, bit n being capability n, and what prctl(PR_SET_SECUREBITS) has set. */
export interface CapabilitySnapshot {
  inheritable: bigint;
  permitted: bigint;
  effective: bigint;
  ambient: bigint;
  bounding: bigint;
  securebits: number;
}

/** The files of a process, or of a thread that has its own. */
export interface FilesSnapshot {
  cwd: string;
  /** The working directory had been removed from there. */
  cwdRemoved?: boolean;
  /** Where it had been removed: index in `unlinkedFiles`; another folder in its place when absent. */
  cwdUnlinked?: number;
  umask: number;
  descriptors: { fd: number; closeOnExec: boolean; openFile: number }[];
}

export interface ProcessSnapshot extends FilesSnapshot {
  pid: number;
  ppid: number;
  pgid: number;
  sid: number;
  /** At most 15 characters. */
  comm: string;
  /** Absolute guest path of the program, /proc/self/exe. */
  exe: string;
  /** Of its first thread. */
  credentials: CredentialsSnapshot;
  /** RLIMIT_* in Linux's numbering: soft and hard; 2^64 - 1 is infinity. */
  limits: { soft: bigint; hard: bigint }[];
  memory: MemorySnapshot;
  /** Index n is signal n + 1. */
  signalActions: SignalActionSnapshot[];
  /** Signals pending for the process as a whole, in order of arrival. */
  pendingSignals: SignalInfoSnapshot[];
  /** ITIMER_REAL, VIRTUAL, PROF: time until expiry (0 = off) and interval. */
  intervalTimers: { remaining: bigint; interval: bigint }[];
  /** timer_create(2) timers. */
  posixTimers: {
    id: number;
    clock: number;
    notify: number;
    signal: number;
    value: bigint;
    tid: number;
    remaining: bigint;
    interval: bigint;
    overrun: number;
  }[];
  /** prctl state worth keeping: parent-death signal, dumpable, name is `comm`, no_new_privs, FP exception mode per thread. */
  prctl: { pdeathsig: number; dumpable: number; noNewPrivs: boolean };
  /** Properties that calls keep and tell; those of a new process when absent. */
  attributes?: ProcessAttributes;
  /** personality(2); 0 when absent. */
  personality?: number;
  /** Function pointers are plain addresses (ELFv2) rather than descriptors; as the ABI usually has it when absent. */
  elfv2?: boolean;
  /** CPU time used so far. */
  cpuTime: bigint;
  /** ABI and CPU model of its program; the machine's when absent. */
  abi?: Abi;
  cpuModel?: string;
  /** What there is to know of it besides that it is the only process; nothing of it when absent. */
  family?: FamilySnapshot;
  /** Zombie: its wait status; null while it lives. */
  exitStatus: number | null;
  threads: ThreadSnapshot[];
}

/** A process among others. */
export interface FamilySnapshot {
  /** Signal that its end sends to its parent; 0 for none. */
  exitSignal: number;
  /** CPU time of children that have been waited for. */
  childCpuTime: bigint;
  /** CLOCK_MONOTONIC time at which it began. */
  startTime: bigint;
  /** The signal that has stopped it, 0 when none has. */
  stoppedBy: number;
  /** What wait(2) has not told of yet. */
  report: { stopped: number; continued: boolean };
  hasExecuted: boolean;
  /** Thread of another process that sleeps in vfork(2) until this one has an address space of its own, or 0. */
  vforkParent: number;
  /**
   * Processes earlier in the list with which it shares its address space, descriptors, working directory with umask, signal actions; 0: with
   * none. Of files also threads of theirs.
   */
  shares: { memory: number; descriptors: number; fs: number; actions: number };
}

export interface MemorySnapshot {
  startCode: number;
  endCode: number;
  startData: number;
  endData: number;
  startBrk: number;
  brk: number;
  startStack: number;
  argStart: number;
  argEnd: number;
  envStart: number;
  envEnd: number;
  /** The auxiliary vector as given to the program, for /proc/self/auxv. */
  auxv: { type: number; value: bigint }[];
  /** Ascending. */
  areas: AreaSnapshot[];
}

export interface AreaSnapshot {
  start: number;
  end: number;
  /** PROT_* bits. */
  prot: number;
  growsDown: boolean;
  /** Private file mapping, or shared mapping of `sharedObject`, or neither (anonymous). */
  file: (FileReference & { offset: number }) | null;
  sharedObject: { index: number; offset: number } | null;
  /** "[heap]", "[stack]", or "". */
  name: string;
  /** VM_* bits of what mlock(2) and madvise(2) have asked for; none when absent. */
  flags?: number;
  /** mbind(2); none when absent. */
  policy?: PolicySnapshot;
  /** Pages with contents of their own, ascending; none for shared mappings. */
  pages: PageSource;
}

/** A file by its path, or where `unlinked` is there the one of that index in `unlinkedFiles`. */
export interface FileReference {
  path: string;
  unlinked?: number;
}

/** How a thread is to be scheduled, which has no effect here, but can be asked for. */
export interface SchedulingSnapshot {
  /** -20 to 19. */
  nice: number;
  /** SCHED_*. */
  policy: number;
  /** Of SCHED_FIFO and SCHED_RR: 1 to 99; 0 when absent. */
  priority?: number;
  /** Nanoseconds: prctl(PR_SET_TIMERSLACK). */
  timerSlack: bigint;
  /** ioprio_set(2): class and level; 0 when absent. */
  ioPriority?: number;
  /** SCHED_RESET_ON_FORK: children begin as ordinary ones; false when absent. */
  resetOnFork?: boolean;
}

/** What a process has set about itself that has no effect on how it runs here, but can be asked for; of scheduling its first thread's. */
export interface ProcessAttributes extends SchedulingSnapshot {
  keepCapabilities: boolean;
  childSubreaper: boolean;
  noHugePages: boolean;
  /** /proc/PID/oom_score_adj; 0 when absent. */
  oomScoreAdj?: number;
  /** Commands of membarrier(2) that it has registered for; 0 when absent. */
  membarriers?: number;
  /** mlockall(2): what it maps from now on is locked; false when absent. */
  locksFuture?: boolean;
  /** But its pages come when they are touched (MCL_ONFAULT); false when absent. */
  locksOnFault?: boolean;
  /** KiB that it had mapped at most, as far as that is more than it has now; 0 when absent. */
  peak?: number;
  /** The same of children that have been waited for, and of theirs. */
  childrenPeak?: number;
  /** What it has used that is counted; nothing when absent. */
  usage?: UsageSnapshot;
}

/** What getrusage(2) and /proc/PID/io count. */
export interface UsageSnapshot {
  /** Pages that it touched first. */
  faults: bigint;
  /** The same of children that have been waited for, and of theirs. */
  childFaults: bigint;
  /** Bytes that its calls have read and written, and how many calls those were; of children that have been waited for as well. */
  readBytes: bigint;
  writtenBytes: bigint;
  reads: bigint;
  writes: bigint;
}

/** Page contents, fetched when wanted so that a big guest is not copied twice. */
export interface PageSource {
  /** Addresses of the pages, ascending, page aligned. */
  readonly addresses: readonly number[];
  /** The 4096 bytes of the page at `addresses[index]`, in guest order. Valid until the next call. */
  read(index: number): Uint8Array;
  /** Where it takes long to find the addresses: finds them in steps, between which others can have their turn. */
  search?(): Generator<void>;
}

/** Does work that goes in steps to its end, and gives what it returns. */
export function finished<T>(work: Generator<void, T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

export interface ThreadSnapshot {
  tid: number;
  registers: RegistersSnapshot;
  /** Blocked signals: bit n - 1 is signal n. */
  signalMask: bigint;
  /** The mask to restore when a sigsuspend, ppoll or pselect that is being interrupted is over. */
  savedMask: bigint | null;
  pendingSignals: SignalInfoSnapshot[];
  altStack: { sp: bigint; flags: number; size: bigint };
  /** set_tid_address(2). */
  clearTid: bigint;
  robustList: { head: bigint; length: bigint };
  /**
   * A system call in progress: NIA is still at its `sc`, and it is started again after a thaw. `deadline` is
   * the CLOCK_MONOTONIC time a sleep or timed wait ends, absolute; `state` what else the call must remember. `phase` says
   * whether the thread waits in its queues, after those of a lower `place`; "woken" when absent.
   */
  blocked: {
    deadline: bigint | null;
    state: CallState;
    phase?: "waiting" | "woken" | "paused";
    place?: number;
  } | null;
  /** Stopped by a signal (SIGSTOP and its kin) until SIGCONT; false when absent. */
  stopped?: boolean;
  cpuTime: bigint;
  /** A name of its own, at most 15 bytes; its process's when absent. */
  comm?: string;
  /** set_mempolicy(2); the default when absent. */
  policy?: PolicySnapshot;
  /** sched_setaffinity(2): bit n is CPU n; all CPUs when absent. */
  affinity?: bigint;
  /** How it is scheduled, where its process's attributes say otherwise. */
  scheduling?: SchedulingSnapshot;
  /** CLOCK_MONOTONIC time at which it began, where its process began earlier. */
  startTime?: bigint;
  /** Whether it has no_new_privs, where its process's first thread is otherwise. */
  noNewPrivs?: boolean;
  /** Who it is, where its process's first thread is somebody else. */
  credentials?: CredentialsSnapshot;
  /** seccomp(2): -1 is strict mode, else the index of its latest filter; not confined when absent. */
  confinement?: number;
  /** Files of its own, and who had them before it in the list, by process or thread id; its process's when absent. */
  files?: FilesSnapshot & { shares: Pick<FamilySnapshot["shares"], "descriptors" | "fs"> };
}

/** A filter of seccomp(2): its program, and the index of the filter before it, which stands earlier in the list, or -1. */
export interface FilterSnapshot {
  previous: number;
  program: { code: number; jt: number; jf: number; k: number }[];
}

/** Where pages come from: MPOL_* with flags, and nodes as a mask. */
export interface PolicySnapshot {
  mode: number;
  nodes: bigint;
}

/** What a call in progress remembers besides its deadline. */
export type CallState =
  /** Nothing but that it has begun. */
  | { kind: "begun" }
  /** A transfer has moved so many bytes. */
  | { kind: "moved"; done: number }
  /** FUTEX_WAIT: somebody has woken it, futex_waitv by the word of this index. */
  | { kind: "woken"; index: number }
  /** FUTEX_WAIT: it has been moved to another word, which is at this address. */
  | { kind: "requeued"; address: number }
  /** vfork(2): the child that has its parent's memory. */
  | { kind: "vfork"; child: number }
  /** futex_waitv: some of its words have been exchanged for others; the addresses of all. */
  | { kind: "words"; addresses: number[] }
  /** clock_nanosleep by a clock of CPU time: what it says when the sleep is over. */
  | { kind: "cpu"; at: bigint };

export interface RegistersSnapshot {
  gpr: bigint[];
  nia: bigint;
  msr: bigint;
  ctr: bigint;
  lr: bigint;
  xer: number;
  cr: number;
  /** 64 VSRs as pairs [doubleword 0, doubleword 1]; FPR n is vsr[n][0], VR n is vsr[32 + n]. */
  vsr: [bigint, bigint][];
  fpscr: bigint;
  vrsave: number;
  vscr: number;
  tar: bigint;
  dscr: bigint;
  ppr: bigint;
  dabr: bigint;
  /** FE0/FE1 (or SPE) bits as prctl(PR_SET_FPEXC) set them: 0, 0x100, 0x800, 0x900. */
  fpexcMode: number;
  /** lwarx family: null when there is no reservation. */
  reservation: { address: bigint; length: number; value: bigint } | null;
  instructions: bigint;
}

/** A thread that another process traces (ptrace(2)). */
export interface TraceSnapshot {
  tid: number;
  /** Process id. */
  tracer: number;
  seized: boolean;
  /** PTRACE_O_* */
  options: number;
  /** How far it was let go; where calls are emulated, those that it comes to are its tracer's to make. */
  mode: "run" | "syscall" | "step" | "emulate" | "emulate-step";
  /** The tracer has seen the call that it is in begin. */
  inCall: boolean;
  /** The stop that it is in. */
  stop: TraceStopSnapshot | null;
  /** wait(2) has told of that. */
  told: boolean;
  /** PTRACE_LISTEN. */
  listening: boolean;
  /** Its end has been told of. */
  exiting: boolean;
  /** PTRACE_GETEVENTMSG. */
  message: bigint;
  /** Stops that come before its next instruction. */
  due: TraceStopSnapshot[];
  /** The signal that it goes on with. */
  inject: SignalInfoSnapshot | null;
  /** Its tracer has let the call pass that a filter of seccomp(2) has left to it. */
  passed: boolean;
}

export interface TraceStopSnapshot {
  /** At a signal, with its process, in front of or behind a system call, for an event. */
  kind: "signal" | "group" | "entry" | "exit" | "event";
  /** As wait(2) tells it: signal number | event << 8. */
  code: number;
  /** PTRACE_GETSIGINFO; null where there is none. */
  info: SignalInfoSnapshot | null;
  /** PTRACE_GETEVENTMSG, of an event; what a call that a signal interrupts seems to return, behind one. */
  message: bigint;
}

/** A thread that was traced has ended, and its tracer has not waited for it. */
export interface TraceEndSnapshot {
  tracer: number;
  tid: number;
  /** Wait status. */
  status: number;
}

/** Bytes as Linux's siginfo has them, decoded. */
export interface SignalInfoSnapshot {
  signo: number;
  errno: number;
  code: number;
  pid: number;
  uid: number;
  /** si_addr, or si_value, or si_status, as `code` demands. */
  value: bigint;
  /** Timer id and overrun for SI_TIMER, else 0. */
  timer: number;
  overrun: number;
}

export interface SignalActionSnapshot {
  /** Guest address, 0 SIG_DFL, 1 SIG_IGN. */
  handler: bigint;
  flags: bigint;
  restorer: bigint;
  mask: bigint;
}

/** An open file description (struct file). */
export interface OpenFileSnapshot {
  kind:
    | "file"
    | "directory"
    | "pipe-read"
    | "pipe-write"
    | "inherited"
    | "device"
    | "proc"
    | "special"
    | "pipe-both";
  /** Absolute guest path; "" for pipes. For inherited ones the path if there is a regular file behind it. */
  path: string;
  /** Linux powerpc O_* bits as F_GETFL shows them. */
  flags: number;
  /** FMODE_* bits: READ 1, WRITE 2, LSEEK 4, PREAD 8, PWRITE 0x10. */
  mode: number;
  position: bigint;
  /** Whether the file has lost its name since it was opened. */
  deleted: boolean;
  /** For "inherited": the host descriptor number it came from (0, 1, 2, ...), else -1. */
  inherited: number;
  /** For pipe ends: index in `pipes`, else -1. */
  pipe: number;
  /** For files and folders that travel along: index in `unlinkedFiles`, else -1. */
  unlinked: number;
  /** What its kind has to say besides, null where that is nothing. A "special" one is what its state says. */
  state: FileState | null;
  /** What its owner is told; it has none and tells nothing when absent. */
  signals?: FileSignalsSnapshot;
  /** F_SET_RW_HINT; 0 when absent. */
  writeHint?: number;
}

/** F_SETOWN of a description, and what its owner is told by signals. */
export interface FileSignalsSnapshot {
  /** F_OWNER_TID, PID or PGRP, who that is (0: nobody), and F_SETSIG. */
  type: number;
  owner: number;
  signal: number;
  /** The descriptor that signals name, or -1. */
  fd: number;
  /** DN_* bits of F_NOTIFY. */
  watched: number;
  /** F_SETLEASE; what it is to become by `until` (CLOCK_MONOTONIC) where somebody waits for that. */
  lease: number;
  wanted: number;
  until: bigint;
}

/** The state of an open file of some kind. */
export type FileState =
  | EventState
  | EpollState
  /** A file that is open with O_PATH. */
  | { kind: "path" }
  /** The same for a file of /proc or /sys, or a link there or in /dev: permission bits, size, and what readlink(2) says. */
  | { kind: "entry"; mode: number; size: bigint; target: string | null }
  /** A file of /proc: permission bits, and its contents when it was opened. */
  | { kind: "contents"; mode: number; contents: Uint8Array }
  /** What a directory listing that has begun goes on with. */
  | { kind: "listing"; entries: ListedSnapshot[] }
  /** F_SEAL_* of a file that memfd_create(2) made. */
  | { kind: "seals"; bits: number }
  | TerminalState
  | SocketState
  /** timerfd_create(2): CLOCK_*, CLOCK_MONOTONIC time of the first expiry that has not been read (null: off), interval. */
  | { kind: "timerfd"; clock: number; due: bigint | null; interval: bigint }
  /** signalfd(2): bit n - 1 is signal n. */
  | { kind: "signalfd"; mask: bigint }
  /** pidfd_open(2); 0 for a process that has been waited for. */
  | { kind: "pidfd"; pid: number }
  /** Of /proc/PID/ns, by its name there. */
  | { kind: "namespace"; name: string }
  /** mq_open(2): the id of the queue. */
  | { kind: "mqueue"; queue: number }
  /** The reading end of a named pipe to which nobody has written since it was opened. */
  | { kind: "fresh" }
  | InotifyState
  | PtyState
  /** What lies in /dev/pts. The line may have been hung up while it was open. */
  | { kind: "pts"; number: number; isHung: boolean };

/** eventfd(2). */
export interface EventState {
  kind: "eventfd";
  counter: bigint;
  semaphore: boolean;
}

/** inotify(7). */
export interface InotifyState {
  kind: "inotify";
  /** The watch and the cookie that were given last. */
  lastWd: number;
  lastCookie: number;
  /** `openFile`: index of an O_PATH description of what is watched. */
  watches: { wd: number; mask: number; openFile: number }[];
  /** That have not been read: IN_*, and the name in a watched folder. */
  events: { wd: number; mask: number; cookie: number; name: string }[];
}

/** epoll(7): what is in a set, in the order in which it will be told of. */
export interface EpollState {
  kind: "epoll";
  items: {
    fd: number;
    /** Index in `openFiles`. */
    openFile: number;
    /** EPOLL* bits: of interest, and told of already where edges count. */
    events: number;
    told: number;
    /** How much there was to read when it was told of. */
    amount: number;
    data: bigint;
  }[];
}

/** A name that getdents(2) gives. */
export interface ListedSnapshot {
  ino: bigint;
  kind: NodeKind;
  name: string;
}

export type NodeKind = "file" | "directory" | "symlink" | "fifo" | "socket" | "char" | "block";

/** What a program has set on a terminal that it inherited: struct termios, the foreground process group, the size it was told last. */
export interface TerminalState {
  kind: "terminal";
  c_iflag: number;
  c_oflag: number;
  c_cflag: number;
  c_lflag: number;
  c_cc: number[];
  c_line: number;
  c_ispeed: number;
  c_ospeed: number;
  foreground: number | null;
  size: { rows: number; columns: number } | null;
}

/** A pseudo-terminal, as the state of its controlling side. */
export interface PtyState extends Omit<TerminalState, "kind" | "size"> {
  kind: "pty";
  number: number;
  uid: number;
  isLocked: boolean;
  isExclusive: boolean;
  /** TIOCPKT, and TIOCPKT_* that are to be read. */
  isPacket: boolean;
  packetStatus: number;
  /** The other side has been open. */
  wasOpened: boolean;
  /** Whose controlling terminal it is. */
  session: number | null;
  window: { rows: number; columns: number; xpixel: number; ypixel: number };
  /** CLOCK_MONOTONIC time at which a byte was typed last. */
  typedAt: bigint;
  line: LineState;
  /** What has been written and not read; echo that waits for output to go on. */
  output: Uint8Array;
  held: Uint8Array;
}

/** What has been typed at a terminal. */
export interface LineState {
  /** Complete lines, and the one that is being typed. */
  lines: Uint8Array[];
  editing: Uint8Array;
  /** Of the cursor, and where the line began. */
  column: number;
  startColumn: number;
  /** The next byte has no meaning of its own; bytes are being erased in print; output is stopped. */
  isLiteral: boolean;
  isErasing: boolean;
  isStopped: boolean;
}

/** The address of a socket: a name of AF_UNIX, or the bytes of an internet address and a port. */
export interface SocketAddressSnapshot {
  family: number;
  name: Uint8Array;
  port: number;
}

/** Who sends, or is at the other end: struct ucred. */
export interface SenderSnapshot {
  pid: number;
  uid: number;
  gid: number;
}

/** What was sent to a socket and has not been received. */
export interface MessageSnapshot {
  bytes: Uint8Array;
  from: SocketAddressSnapshot | null;
  sender: SenderSnapshot | null;
  /** Descriptions that travel with it: indices in `openFiles`. */
  files: number[];
  /** CLOCK_REALTIME at which it was sent. */
  time: bigint;
  /** What the IP header of a datagram says of hops and service, and whom it was for where that is not its receiver's address; null for the ordinary one. */
  header: { hops: number; tos: number; to: Uint8Array | null } | null;
}

/** A socket. Other sockets are indices in `openFiles`, -1 where there is none. */
export interface SocketState {
  kind: "socket";
  /** The number that stat(2) tells; 0 for a new one. */
  ino: bigint;
  domain: number;
  type: number;
  protocol: number;
  /** Of a connection; "idle" for datagrams. */
  phase: "idle" | "listening" | "connecting" | "connected" | "closed";
  local: SocketAddressSnapshot | null;
  remote: SocketAddressSnapshot | null;
  /** The other end, or where datagrams of AF_UNIX go. */
  peer: number;
  backlog: number;
  /** Connections that wait to be accepted, and sockets that wait for room among them. */
  waiting: number[];
  overflow: number[];
  /** A connect(2) that did not wait is still to be told how it went. */
  untold: boolean;
  /** It came from a listening socket, whose address it has. */
  accepted: boolean;
  readShut: boolean;
  writeShut: boolean;
  /** SO_ERROR. */
  error: number;
  /** setsockopt(2), those that are numbers. */
  options: { level: number; name: number; value: number }[];
  /** Groups of multicast that it has joined, the latest first; `sources` are those that are heard, or those that are not. */
  groups: { group: Uint8Array; include: boolean; sources: Uint8Array[] | null }[];
  /** SO_ATTACH_FILTER; empty where there is none. */
  filter: FilterSnapshot["program"];
  /** SO_RCVTIMEO and SO_SNDTIMEO, nanoseconds. */
  receiveTimeout: bigint;
  sendTimeout: bigint;
  /** SO_PEERCRED. */
  peerCredentials: SenderSnapshot | null;
  /** The urgent byte of TCP: bytes received and not read that stand before it, and whether it has been read by itself. */
  urgent: { after: number; isRead: boolean } | null;
  messages: MessageSnapshot[];
}

/** What the sockets and named pipes of a machine share. */
export interface NetworkSnapshot {
  /** The port and the abstract name that were made up last. */
  lastPort: number;
  lastName: number;
  nodes: NodeSnapshot[];
}

/** A socket or named pipe in a granted folder, which on the host is an empty file. */
export interface NodeSnapshot {
  kind: "fifo" | "socket";
  path: string;
  /** The socket that is bound to it, else -1. */
  openFile: number;
  /** Index in `pipes` while somebody has it open, else -1. */
  pipe: number;
  /** Threads that wait in open(2) for somebody at the other end: their end, and whether somebody has come. */
  openers: { tid: number; openFile: number; met: boolean }[];
}

/** An advisory lock that a description ("flock", "ofd") or a process ("posix") holds. */
export interface LockSnapshot {
  kind: "flock" | "ofd" | "posix";
  /** Index in `openFiles`: the description that holds it, or one of the file that a process has locked. */
  openFile: number;
  /** The process of a "posix" lock, else 0. */
  pid: number;
  exclusive: boolean;
  /** First and last byte. */
  start: bigint;
  last: bigint;
}

export interface PipeSnapshot {
  /** The number that stat(2) tells; 0 for a new one. */
  ino: bigint;
  capacity: number;
  /** What is written and not yet read. */
  contents: Uint8Array;
  /** Parts of the contents that are packets (O_DIRECT), each to be read by itself; none when absent. */
  packets?: { start: number; length: number }[];
}

/** What tells a file again. */
export interface KnownFileSnapshot {
  path: string;
  size: bigint;
  /** Nanoseconds since the epoch. */
  mtime: bigint;
  /** Of one that is mapped its build id or SHA-256, in hexadecimal; else "". */
  content: string;
}

/** Set-id bits of a file. */
export interface SetIdSnapshot {
  path: string;
  bits: number;
}

/** Numbers by which the guest knows a file: the one at `path`, or with `unlinked` not -1 that of this index in `unlinkedFiles`. */
export interface IdentitySnapshot {
  path: string;
  unlinked: number;
  dev: bigint;
  ino: bigint;
}

/**
 * Something in the folders that are the guest's own (/tmp and its like), by guest path; folders come before what
 * is in them. "link": another name of the file at `target`.
 */
export interface PrivateFileSnapshot {
  path: string;
  kind: "file" | "directory" | "symlink" | "link";
  /** Permission bits and sticky bit. */
  mode: number;
  /** Of a symlink and a link. */
  target?: string;
  /** Of a file: index in `unlinkedFiles`. */
  content?: number;
}

/** A file, or an empty folder, that travels with the machine: no name leads to it any more, or whoever froze it wanted so. */
export interface UnlinkedFileSnapshot {
  size: number;
  /** Permission bits, set-id and sticky bits; the type as well (S_IFMT) of what is no regular file. The contents of a symlink are its text. */
  mode: number;
  /** The last name it had, if that is known. */
  path?: string;
  /** Nanoseconds since the epoch; those of the thaw when absent. */
  atime?: bigint;
  mtime?: bigint;
  /** One of O_TMPFILE, which may get a name in the folder of its path; false when absent. */
  isNameable?: boolean;
  /** Its contents by offset; a page that is not there is zero. */
  pages: PageSource;
}

export interface SharedObjectSnapshot {
  /** Mapped file, or null for anonymous shared memory. */
  file: FileReference | null;
  /** Nobody may write to the file: no mapping of it can be made writable. False when absent. */
  readOnly?: boolean;
  size: number;
  /** Pages with contents of their own: offsets in the object. */
  pages: PageSource;
}
