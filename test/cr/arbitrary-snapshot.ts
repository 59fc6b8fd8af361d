/** Random snapshots of stopped machines for fast-check: every topic that an image holds. */
import fc from "fast-check";
import { NODE_KINDS, SOCKET_PHASES } from "../../cr/states.ts";
import { TRACE_MODES, TRACE_STOPS } from "../../cr/trailer-records.ts";
import type {
  Abi,
  AreaSnapshot,
  CallState,
  CredentialsSnapshot,
  FileReference,
  FileState,
  LockSnapshot,
  MachineSnapshot,
  OpenFileSnapshot,
  ProcessSnapshot,
  RegistersSnapshot,
  SignalInfoSnapshot,
  ThreadSnapshot,
  TraceSnapshot,
  TraceStopSnapshot,
} from "../../emu/snapshot.ts";
import { pages } from "./samples.ts";

const u64 = fc.bigInt(0n, 2n ** 64n - 1n);
const s64 = fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n);
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const s32 = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
const byte = fc.nat(255);
const duration = fc.bigInt(0n, 2n ** 62n);
const name = fc.string({ maxLength: 15, unit: "grapheme-ascii" });
const path = fc
  .string({ minLength: 1, maxLength: 40, unit: "grapheme" })
  .map((text) => `/${text.replaceAll("\0", "")}`);

const signalInfo: fc.Arbitrary<SignalInfoSnapshot> = fc.record({
  signo: fc.integer({ min: 1, max: 64 }),
  errno: s32,
  code: s32,
  pid: s32,
  uid: u32,
  value: fc.oneof(u64, s64),
  timer: s32,
  overrun: s32,
});
const credentials: fc.Arbitrary<CredentialsSnapshot> = fc.record(
  {
    ...{ uid: u32, euid: u32, suid: u32, fsuid: u32, gid: u32, egid: u32, sgid: u32, fsgid: u32 },
    groups: fc.array(u32, { maxLength: 3 }),
    capabilities: fc.record({
      ...{ inheritable: u64, permitted: u64, effective: u64, ambient: u64, bounding: u64, securebits: u32 },
    }),
  },
  { requiredKeys: ["uid", "euid", "suid", "fsuid", "gid", "egid", "sgid", "fsgid", "groups"] },
);
const signals = fc.array(signalInfo, { maxLength: 3 });

function registers(abi: Abi): fc.Arbitrary<RegistersSnapshot> {
  const facilities = fc.constantFrom(0n, 0x2000n, 0x2900n, 0x0200_0000n);
  const base = 0xd032n | (abi === "ppc32" ? 0n : 1n << 63n) | (abi === "ppc64le" ? 1n : 0n);
  return fc.record({
    gpr: fc.array(u64, { minLength: 32, maxLength: 32 }),
    nia: u64,
    msr: facilities.map((bits) => base | bits),
    ctr: u64,
    lr: u64,
    xer: u32,
    cr: u32,
    vsr: fc.array(fc.tuple(u64, fc.oneof(fc.constant(0n), u64)), { minLength: 64, maxLength: 64 }),
    fpscr: u64,
    vrsave: u32,
    vscr: u32,
    tar: u64,
    dscr: u64,
    ppr: u64,
    dabr: abi === "ppc32" ? u32.map(BigInt) : u64,
    fpexcMode: fc.constantFrom(0, 0x100, 0x800, 0x900),
    reservation: fc.option(
      fc.record({
        address: u64,
        length: fc.constantFrom(1, 2, 4, 8, 16),
        value: fc.bigInt(0n, 2n ** 128n - 1n),
      }),
    ),
    instructions: fc.bigInt(0n, 2n ** 80n),
  });
}

const callState: fc.Arbitrary<CallState> = fc.oneof(
  fc.constant<CallState>({ kind: "begun" }),
  fc.record({ kind: fc.constant("woken"), index: u32 }),
  fc.record({ kind: fc.constant("words"), addresses: fc.array(fc.nat(), { maxLength: 128 }) }),
  fc.record({ kind: fc.constant("moved"), done: u32 }),
  fc.record({ kind: fc.constant("vfork"), child: s32 }),
  fc.record({ kind: fc.constant("requeued"), address: fc.nat() }),
  fc.record({ kind: fc.constant("cpu"), at: fc.bigInt({ min: 0n, max: 2n ** 62n }) }),
);

const traceStop: fc.Arbitrary<TraceStopSnapshot> = fc.record({
  kind: fc.constantFrom(...TRACE_STOPS),
  code: u32,
  info: fc.option(signalInfo),
  message: u64,
});

const tracee: fc.Arbitrary<TraceSnapshot> = fc.record({
  tid: s32,
  tracer: s32,
  seized: fc.boolean(),
  options: u32,
  mode: fc.constantFrom(...TRACE_MODES),
  inCall: fc.boolean(),
  stop: fc.option(traceStop),
  told: fc.boolean(),
  listening: fc.boolean(),
  exiting: fc.boolean(),
  message: u64,
  due: fc.array(traceStop, { maxLength: 3 }),
  inject: fc.option(signalInfo),
  passed: fc.boolean(),
});

const policy = fc.record({ mode: u32, nodes: u64 });

interface Tables {
  openFiles: number;
  unlinkedFiles: number;
  sharedObjects: number;
}

function descriptors({ openFiles }: Tables): fc.Arbitrary<ProcessSnapshot["descriptors"]> {
  if (openFiles === 0) return fc.constant([]);
  return fc
    .uniqueArray(
      fc.record({ fd: fc.nat(1000), closeOnExec: fc.boolean(), openFile: fc.nat(openFiles - 1) }),
      { selector: ({ fd }) => fd, maxLength: 6 },
    )
    .map((all) => all.sort((a, b) => a.fd - b.fd));
}

const ownFiles = (tables: Tables) =>
  fc
    .record({
      cwd: path,
      cwdRemoved: fc.boolean(),
      umask: fc.nat(0o777),
      descriptors: descriptors(tables),
      shares: fc.record({ descriptors: s32, fs: s32 }),
    })
    .map(({ cwdRemoved, ...rest }) =>
      cwdRemoved ? { ...rest, cwdRemoved, ...(tables.unlinkedFiles > 0 ? { cwdUnlinked: 0 } : {}) } : rest,
    );

const scheduling = fc.record(
  {
    nice: fc.integer({ min: -20, max: 19 }),
    policy: fc.nat(5),
    timerSlack: u64,
    priority: fc.integer({ min: 1, max: 99 }),
    ioPriority: fc.integer({ min: 1, max: 0x7fff }),
    resetOnFork: fc.constant(true),
  },
  { requiredKeys: ["nice", "policy", "timerSlack"] },
);

const thread = (abi: Abi, tid: number, tables: Tables): fc.Arbitrary<ThreadSnapshot> =>
  fc.record(
    {
      tid: fc.constant(tid),
      registers: registers(abi),
      signalMask: u64,
      savedMask: fc.option(u64),
      pendingSignals: signals,
      altStack: fc.record({ sp: u64, flags: u32, size: u64 }),
      clearTid: u64,
      robustList: fc.record({ head: u64, length: u64 }),
      blocked: fc.option(
        fc.record({
          deadline: fc.option(duration),
          state: callState,
          phase: fc.constantFrom("waiting", "woken", "paused"),
          place: fc.nat(),
        }),
      ),
      stopped: fc.boolean(),
      cpuTime: duration,
      policy,
      affinity: fc.bigInt({ min: 1n, max: 2n ** 128n }),
      noNewPrivs: fc.boolean(),
      confinement: s32,
      scheduling,
      startTime: duration,
      credentials,
      files: ownFiles(tables),
    },
    {
      requiredKeys: [
        "tid",
        "registers",
        "signalMask",
        "savedMask",
        "pendingSignals",
        "altStack",
        "clearTid",
        "robustList",
        "blocked",
        "cpuTime",
      ],
    },
  );

const ipAddress = fc.uint8Array({ minLength: 4, maxLength: 16 });
const program = fc.array(fc.record({ code: u32, jt: u32, jf: u32, k: u32 }), { maxLength: 4 });
const filter = fc.record({ previous: s32, program });

/** Pages of an area, some of them: a bit set says which. */
const somePages = (start: number, count: number) =>
  fc.tuple(fc.integer({ min: 0, max: 2 ** count - 1 }), fc.nat(255)).map(([bits, salt]) =>
    pages(
      Array.from({ length: count }, (_, n) => start + n * 4096).filter((_, n) => (bits >> n) & 1),
      salt,
    ),
  );

/** A file by its path, or one of those that travel. */
function reference(unlinkedFiles: number): fc.Arbitrary<FileReference> {
  const unlinked = fc.nat(Math.max(0, unlinkedFiles - 1));
  const named = fc.record({ path });
  return unlinkedFiles === 0 ? named : fc.oneof(named, fc.record({ path, unlinked }));
}

/** Up to five areas in ascending order, apart or adjacent. */
function areas({ sharedObjects, unlinkedFiles }: Tables): fc.Arbitrary<AreaSnapshot[]> {
  const one = (slot: number): fc.Arbitrary<AreaSnapshot> =>
    fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 4 }), fc.nat(2)).chain(([gap, count, kind]) => {
      const start = 0x1000_0000 + slot * 0x10000 + gap * 4096;
      const offset = fc.nat(1 << 20).map((page) => page * 4096);
      const shared = kind === 2 && sharedObjects > 0;
      return fc.record({
        start: fc.constant(start),
        end: fc.constant(start + count * 4096),
        prot: fc.nat(7),
        growsDown: fc.boolean(),
        file:
          kind === 1
            ? fc.tuple(reference(unlinkedFiles), offset).map(([file, at]) => ({ ...file, offset: at }))
            : fc.constant(null),
        sharedObject: shared ? fc.record({ index: fc.nat(sharedObjects - 1), offset }) : fc.constant(null),
        name: fc.constantFrom("", "[heap]", "[stack]"),
        flags: fc.constantFrom(0x2000, 0x2_2000, 0x602_0000),
        policy,
        pages: shared ? fc.constant(pages([])) : somePages(start, count),
      });
    });
  return fc.nat(5).chain((count) => fc.tuple(...Array.from({ length: count }, (_, slot) => one(slot))));
}

const address = fc.nat(0x3fffff).map((page) => page * 512);
const ordered = fc.tuple(address, address).map(([a, b]) => (a < b ? [a, b] : [b, a]));

function process(abi: Abi, pid: number, tables: Tables): fc.Arbitrary<ProcessSnapshot> {
  const memory = fc
    .tuple(ordered, ordered, ordered, address, ordered, ordered, areas(tables))
    .chain(([code, data, brk, startStack, arg, env, list]) =>
      fc.record({
        startCode: fc.constant(code[0]),
        endCode: fc.constant(code[1]),
        startData: fc.constant(data[0]),
        endData: fc.constant(data[1]),
        startBrk: fc.constant(brk[0]),
        brk: fc.constant(brk[1]),
        startStack: fc.constant(startStack),
        argStart: fc.constant(arg[0]),
        argEnd: fc.constant(arg[1]),
        envStart: fc.constant(env[0]),
        envEnd: fc.constant(env[1]),
        auxv: fc.array(fc.record({ type: u32, value: u64 }), { maxLength: 4 }),
        areas: fc.constant(list),
      }),
    );
  const threads = fc
    .integer({ min: 1, max: 3 })
    .chain((count) => fc.tuple(...Array.from({ length: count }, (_, n) => thread(abi, pid + n, tables))));
  const required = {
    pid: fc.constant(pid),
    ppid: fc.constantFrom(1, 100),
    pgid: s32,
    sid: s32,
    comm: name.map((text) => text.replaceAll("\0", "")),
    exe: path,
    cwd: path,
    umask: fc.nat(0o777),
    credentials,
    limits: fc.array(fc.record({ soft: u64, hard: u64 }), { minLength: 16, maxLength: 16 }),
    memory,
    descriptors: descriptors(tables),
    signalActions: fc.array(fc.record({ handler: u64, flags: u64, restorer: u64, mask: u64 }), {
      minLength: 64,
      maxLength: 64,
    }),
    pendingSignals: signals,
    intervalTimers: fc.array(fc.record({ remaining: duration, interval: duration }), {
      minLength: 3,
      maxLength: 3,
    }),
    posixTimers: fc.array(
      fc.record({
        id: s32,
        clock: s32,
        notify: s32,
        signal: s32,
        value: u64,
        tid: s32,
        remaining: duration,
        interval: duration,
        overrun: fc.nat(),
      }),
      { maxLength: 2 },
    ),
    prctl: fc.record({ pdeathsig: fc.nat(64), dumpable: fc.nat(2), noNewPrivs: fc.boolean() }),
    abi: fc.constant(abi),
    cpuModel: name,
    family,
    cpuTime: duration,
    exitStatus: fc.constant(null),
    threads,
  };
  return fc.record(
    {
      ...required,
      ...{ attributes, personality: u32, elfv2: fc.boolean(), cwdRemoved: fc.constant(true) },
      ...(tables.unlinkedFiles > 0 ? { cwdUnlinked: fc.nat(tables.unlinkedFiles - 1) } : {}),
    },
    { requiredKeys: Object.keys(required) as (keyof typeof required)[] },
  );
}

const family = fc.record({
  exitSignal: fc.nat(64),
  childCpuTime: duration,
  startTime: duration,
  stoppedBy: fc.nat(64),
  report: fc.record({ stopped: fc.nat(64), continued: fc.boolean() }),
  hasExecuted: fc.boolean(),
  vforkParent: s32,
  shares: fc.record({ memory: s32, descriptors: s32, fs: s32, actions: s32 }),
});

const attributes = fc.record({
  nice: fc.integer({ min: -20, max: 19 }),
  policy: fc.constantFrom(0, 3, 5),
  priority: fc.integer({ min: 1, max: 99 }),
  timerSlack: u64,
  keepCapabilities: fc.boolean(),
  childSubreaper: fc.boolean(),
  noHugePages: fc.boolean(),
  oomScoreAdj: fc.integer({ min: 1, max: 1000 }),
  membarriers: fc.constantFrom(4, 0x10, 0x14),
  locksFuture: fc.constant(true),
  locksOnFault: fc.constant(true),
  peak: fc.integer({ min: 1, max: 0xffff_ffff }),
  childrenPeak: fc.integer({ min: 1, max: 0xffff_ffff }),
  usage: fc.record({
    faults: fc.bigInt({ min: 1n, max: 2n ** 53n }),
    childFaults: u64,
    readBytes: u64,
    writtenBytes: u64,
    reads: u64,
    writes: u64,
  }),
  ioPriority: fc.integer({ min: 1, max: 0x7fff }),
  resetOnFork: fc.constant(true),
});

/** A zombie: all that is left is its status. */
const zombie = (abi: Abi, pid: number): fc.Arbitrary<ProcessSnapshot> =>
  fc
    .tuple(process(abi, pid, { openFiles: 0, sharedObjects: 0, unlinkedFiles: 0 }), fc.nat(0xffff))
    .map(([one, exitStatus]) => ({
      ...one,
      memory: { ...one.memory, areas: [] },
      threads: [],
      exitStatus,
    }));

const indices = fc.array(u32, { maxLength: 3 });
const sender = fc.record({ pid: s32, uid: u32, gid: u32 });
const socketAddress = fc.record({
  family: fc.nat(0xffff),
  name: fc.uint8Array({ maxLength: 108 }),
  port: fc.nat(0xffff),
});

const openers = fc.array(fc.record({ tid: s32, openFile: u32, met: fc.boolean() }), { maxLength: 2 });

const network = fc.record({
  lastPort: u32,
  lastName: s32,
  nodes: fc.array(
    fc.record({ kind: fc.constantFrom("fifo", "socket"), path, openFile: s32, pipe: s32, openers }),
    {
      maxLength: 3,
    },
  ),
});

const perm = fc.record({ id: s32, key: s32, mode: u32, uid: u32, gid: u32, cuid: u32, cgid: u32 });
const numbers = fc.array(s32, { maxLength: 3 });

const ipc = fc.record({
  places: fc.array(fc.record({ last: s32, sequence: u32 }), { maxLength: 3 }),
  semaphores: fc.array(
    fc.record({
      ...{ perm, changed: s64, operated: s64, values: numbers, pids: numbers },
      undo: fc.array(fc.record({ pid: s32, changes: numbers }), { maxLength: 2 }),
    }),
    { maxLength: 2 },
  ),
  messages: fc.array(
    fc.record({
      ...{ perm, changed: s64, most: u32, sender: s32, receiver: s32, sent: s64, received: s64 },
      messages: fc.array(fc.record({ type: s64, bytes: fc.uint8Array({ maxLength: 20 }) }), { maxLength: 2 }),
    }),
    { maxLength: 2 },
  ),
  segments: fc.array(
    fc.record({
      ...{ perm, changed: s64, size: fc.nat(), sharedObject: u32, creator: s32, operator: s32 },
      ...{ attached: s64, detached: s64 },
    }),
    { maxLength: 2 },
  ),
});

const queues = fc.array(
  fc.record({
    ...{ id: u32, ino: u64, name, mode: u32, uid: u32, gid: u32, maxMessages: u32, messageSize: u32 },
    messages: fc.array(fc.record({ priority: u32, bytes: fc.uint8Array({ maxLength: 20 }) }), {
      maxLength: 2,
    }),
    notice: fc.option(
      fc.record({
        ...{ pid: s32, kind: s32, signal: s32, value: u64 },
        thread: fc.option(fc.record({ openFile: s32, cookie: fc.uint8Array({ maxLength: 32 }) })),
      }),
    ),
  }),
  { maxLength: 2 },
);

const u16 = fc.nat(0xffff);
const typed = fc.uint8Array({ maxLength: 20 });
const termios = {
  ...{ c_iflag: u32, c_oflag: u32, c_cflag: u32, c_lflag: u32, c_line: byte, c_ispeed: u32, c_ospeed: u32 },
  c_cc: fc.array(byte, { minLength: 19, maxLength: 19 }),
  foreground: fc.option(s32),
};

/** The state of an open file of any kind. */
const fileState: fc.Arbitrary<FileState> = fc.oneof(
  fc.record({ kind: fc.constant("eventfd"), counter: u64, semaphore: fc.boolean() }),
  fc.record({
    kind: fc.constant("epoll"),
    items: fc.array(
      fc.record({ fd: s32, openFile: u32, events: s32, told: s32, amount: fc.nat(), data: u64 }),
      { maxLength: 3 },
    ),
  }),
  fc.constant<FileState>({ kind: "path" }),
  fc.record({ kind: fc.constant("entry"), mode: u32, size: u64, target: fc.option(name) }),
  fc.record({ kind: fc.constant("contents"), mode: u32, contents: fc.uint8Array({ maxLength: 30 }) }),
  fc.record({
    kind: fc.constant("listing"),
    entries: fc.array(fc.record({ ino: u64, kind: fc.constantFrom(...NODE_KINDS), name }), { maxLength: 3 }),
  }),
  fc.record({ kind: fc.constant("seals"), bits: u32 }),
  fc.record({ kind: fc.constant("pts"), number: u32, isHung: fc.boolean() }),
  fc.record({
    ...{ kind: fc.constant("pty"), ...termios, number: u32, uid: u32, session: fc.option(s32) },
    ...{ isLocked: fc.boolean(), isExclusive: fc.boolean(), isPacket: fc.boolean(), wasOpened: fc.boolean() },
    ...{ packetStatus: byte, typedAt: s64, output: typed, held: typed },
    window: fc.record({ rows: u16, columns: u16, xpixel: u16, ypixel: u16 }),
    line: fc.record({
      ...{ lines: fc.array(typed, { maxLength: 3 }), editing: typed, column: u32, startColumn: u32 },
      ...{ isLiteral: fc.boolean(), isErasing: fc.boolean(), isStopped: fc.boolean() },
    }),
  }),
  fc.record({
    kind: fc.constant("terminal"),
    ...termios,
    size: fc.option(fc.record({ rows: fc.nat(0xffff), columns: fc.nat(0xffff) })),
  }),
  fc.record({ kind: fc.constant("timerfd"), clock: u32, due: fc.option(s64), interval: s64 }),
  fc.record({ kind: fc.constant("signalfd"), mask: u64 }),
  fc.record({ kind: fc.constant("pidfd"), pid: s32 }),
  fc.record({ kind: fc.constant("namespace"), name: fc.constantFrom("net", "user", "nothing") }),
  fc.record({ kind: fc.constant("mqueue"), queue: u32 }),
  fc.constant<FileState>({ kind: "fresh" }),
  fc.record({
    ...{ kind: fc.constant("inotify"), lastWd: s32, lastCookie: u32 },
    watches: fc.array(fc.record({ wd: s32, mask: u32, openFile: u32 }), { maxLength: 3 }),
    events: fc.array(fc.record({ wd: s32, mask: u32, cookie: u32, name }), { maxLength: 3 }),
  }),
  fc.record({
    ...{ kind: fc.constant("socket"), ino: u64 },
    ...{ domain: u32, type: u32, protocol: u32, peer: s32, backlog: u32, error: u32 },
    phase: fc.constantFrom(...SOCKET_PHASES),
    ...{ local: fc.option(socketAddress), remote: fc.option(socketAddress) },
    ...{ waiting: indices, overflow: indices, peerCredentials: fc.option(sender) },
    ...{ untold: fc.boolean(), accepted: fc.boolean(), readShut: fc.boolean(), writeShut: fc.boolean() },
    options: fc.array(fc.record({ level: s32, name: s32, value: s32 }), { maxLength: 3 }),
    ...{ receiveTimeout: u64, sendTimeout: u64, filter: program },
    groups: fc.array(
      fc.record({
        group: ipAddress,
        include: fc.boolean(),
        sources: fc.option(fc.array(ipAddress, { maxLength: 3 })),
      }),
      { maxLength: 3 },
    ),
    urgent: fc.option(fc.record({ after: u32, isRead: fc.boolean() })),
    messages: fc.array(
      fc.record({
        bytes: fc.uint8Array({ maxLength: 30 }),
        from: fc.option(socketAddress),
        sender: fc.option(sender),
        files: indices,
        time: s64,
        header: fc.option(fc.record({ hops: u32, tos: u32, to: fc.option(ipAddress) })),
      }),
      { maxLength: 3 },
    ),
  }),
);

function openFile({
  pipes,
  unlinkedFiles,
}: {
  pipes: number;
  unlinkedFiles: number;
}): fc.Arbitrary<OpenFileSnapshot> {
  const more = pipes > 0 ? (["pipe-read", "pipe-write"] as const) : [];
  return fc
    .constantFrom("file", "directory", "inherited", "device", "proc", "special", ...more)
    .chain((kind): fc.Arbitrary<OpenFileSnapshot> => {
      const isPipe = kind === "pipe-read" || kind === "pipe-write";
      return fc.record({
        kind: fc.constant(kind),
        path: isPipe ? fc.constant("") : kind === "inherited" ? fc.oneof(path, fc.constant("")) : path,
        flags: u32,
        mode: fc.nat(0xffff),
        position: duration,
        deleted: fc.boolean(),
        inherited: kind === "inherited" ? fc.nat(2) : fc.constant(-1),
        pipe: isPipe ? fc.nat(pipes - 1) : fc.constant(-1),
        unlinked: kind === "file" && unlinkedFiles > 0 ? fc.nat(unlinkedFiles - 1) : fc.constant(-1),
        state: fc.option(fileState),
        signals: fileSignals,
        writeHint: fc.integer({ min: 1, max: 5 }),
      });
    });
}

const fileSignals = fc.record({
  type: fc.nat(2),
  owner: s32,
  signal: fc.nat(64),
  fd: s32,
  watched: u32,
  lease: fc.nat(2),
  wanted: fc.nat(2),
  until: u64,
});

const sharedObject = (unlinkedFiles: number) =>
  fc
    .tuple(fc.option(reference(unlinkedFiles)), fc.integer({ min: 1, max: 8 }), fc.nat(4095))
    .chain(([file, count, rest]) =>
      fc.record(
        {
          file: fc.constant(file),
          readOnly: fc.constant(true),
          size: fc.constant(count * 4096 - rest),
          pages: somePages(0, count),
        },
        { requiredKeys: ["file", "size", "pages"] },
      ),
    );

const lock = (openFiles: number): fc.Arbitrary<LockSnapshot> =>
  fc.record({
    kind: fc.constantFrom("flock", "ofd", "posix"),
    openFile: fc.nat(openFiles - 1),
    pid: s32,
    exclusive: fc.boolean(),
    start: duration,
    last: duration,
  });

const unlinkedFile = fc.integer({ min: 1, max: 8 }).chain((count) =>
  fc.record({
    size: fc.nat(4095).map((rest) => count * 4096 - rest),
    mode: fc.nat(0o7777),
    pages: somePages(0, count),
    more: fc.oneof(fc.constant({}), fc.record({ path }), fc.record({ path, atime: s64, mtime: s64 })),
  }),
);

const privateFile = (unlinkedFiles: number) =>
  fc.oneof(
    fc.record({ path, kind: fc.constant("directory" as const), mode: u32 }),
    fc.record({ path, kind: fc.constantFrom("symlink" as const, "link" as const), mode: u32, target: path }),
    fc.record({
      path,
      kind: fc.constant("file" as const),
      mode: u32,
      content: fc.nat(unlinkedFiles - 1),
    }),
  );

/** A machine with processes, threads, a zombie now and then, and whatever they share. */
export const snapshots: fc.Arbitrary<MachineSnapshot> = fc
  .record({
    abi: fc.constantFrom<Abi>("ppc32", "ppc64", "ppc64le"),
    pipes: fc.array(
      fc.record(
        {
          ...{ ino: u64, capacity: u32 },
          contents: fc.uint8Array({ maxLength: 50 }),
          packets: fc.array(fc.record({ start: u32, length: u32 }), { minLength: 1, maxLength: 3 }),
        },
        { requiredKeys: ["ino", "capacity", "contents"] },
      ),
      { maxLength: 2 },
    ),
    unlinkedFiles: fc.array(
      unlinkedFile.map(({ more, ...file }) => ({ ...file, ...more })),
      { maxLength: 2 },
    ),
    processes: fc.integer({ min: 1, max: 3 }),
    zombies: fc.nat(1),
  })
  .chain(({ abi, pipes, unlinkedFiles, processes, zombies }) =>
    fc
      .tuple(
        fc.array(openFile({ pipes: pipes.length, unlinkedFiles: unlinkedFiles.length }), { maxLength: 5 }),
        fc.array(sharedObject(unlinkedFiles.length), { maxLength: 2 }),
      )
      .chain(([openFiles, sharedObjects]) => {
        const tables = {
          openFiles: openFiles.length,
          sharedObjects: sharedObjects.length,
          unlinkedFiles: unlinkedFiles.length,
        };
        return fc.record({
          abi: fc.constant(abi),
          cpuModel: name,
          addressSpaceSize: fc.constantFrom(2 ** 32, 2 ** 30),
          instructions: fc.bigInt(0n, 2n ** 80n),
          clock: fc.record({
            seed: fc.option(fc.bigInt(0n, 2n ** 100n)),
            random: fc.array(u64, { maxLength: 4 }),
            realtime: s64,
            monotonic: s64,
          }),
          uts: fc.record({ sysname: name, nodename: name, release: name, version: name, machine: name }),
          processes: fc
            .tuple(
              ...Array.from({ length: processes }, (_, n) => process(abi, 100 * (n + 1), tables)),
              ...Array.from({ length: zombies }, () => zombie(abi, 900)),
            )
            .map((list): ProcessSnapshot[] => list),
          openFiles: fc.constant(openFiles),
          pipes: fc.constant(pipes),
          sharedObjects: fc.constant(sharedObjects),
          unlinkedFiles: fc.constant(unlinkedFiles),
          knownFiles: fc.array(fc.record({ path, size: s64, mtime: s64, content: name }), { maxLength: 3 }),
          ...(unlinkedFiles.length === 0
            ? {}
            : { privateFiles: fc.array(privateFile(unlinkedFiles.length), { minLength: 1, maxLength: 3 }) }),
          ...{ network, ipc, queues },
          setIds: fc.array(fc.record({ path, bits: u32 }), { maxLength: 2 }),
          firstUser: fc.record({ uid: u32, gid: u32 }),
          dscrDefault: fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }),
          compared: fc.array(fc.record({ part: u32, pid: s32, index: u32 }), { maxLength: 2 }),
          identities: fc.array(fc.record({ path, unlinked: s32, dev: u64, ino: u64 }), { maxLength: 2 }),
          filters: fc.array(filter, { maxLength: 3 }),
          traces: fc.record({
            tracees: fc.array(tracee, { maxLength: 3 }),
            ends: fc.array(fc.record({ tracer: s32, tid: s32, status: u32 }), { maxLength: 2 }),
          }),
          ...(openFiles.length === 0
            ? {}
            : { locks: fc.array(lock(openFiles.length), { minLength: 1, maxLength: 3 }) }),
          scheduler: fc.record({ tid: s32, sliceLeft: fc.nat(), order: fc.array(s32, { maxLength: 4 }) }),
          nextPid: fc.nat(),
        });
      }),
  );
