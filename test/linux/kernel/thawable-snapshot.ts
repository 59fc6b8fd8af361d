/**
 * Random snapshots that a kernel can thaw, written as a freeze writes them: tables in the order in which things are
 * first met, files that are there. What a freeze of the thawed kernel gives has to equal them.
 */

import fs from "node:fs";
import fc, { type GeneratorValue } from "fast-check";
import { modelFor } from "../../../emu/cpu/models.ts";
import { MSR_FP, MSR_VEC, MSR_VSX, VSCR_NJ } from "../../../emu/cpu/registers.ts";
import { ABIS } from "../../../emu/linux/abi.ts";
import { userMsr } from "../../../emu/linux/exec.ts";
import { emptyLayout } from "../../../emu/linux/process.ts";
import { SA_KNOWN } from "../../../emu/linux/signals/signal-numbers.ts";
import type {
  Abi,
  AreaSnapshot,
  CallState,
  CredentialsSnapshot,
  FileReference,
  FileState,
  LockSnapshot,
  MachineSnapshot,
  NodeKind,
  OpenFileSnapshot,
  ProcessSnapshot,
  RegistersSnapshot,
  ThreadSnapshot,
  TraceSnapshot,
  TraceStopSnapshot,
} from "../../../emu/snapshot.ts";
import { openFile, pages } from "../../cr/samples.ts";

/** Names in the granted folder: regular files f0 to f9, folders d0 to d3. */
const FILES = 10;
const FOLDERS = 4;

/** Fills the folder that is granted as /area. */
export function fillFolder(folder: string): void {
  for (let n = 0; n < FILES; n++) fs.writeFileSync(`${folder}/f${n}`, `contents of file ${n} `.repeat(500));
  for (let n = 0; n < FOLDERS; n++) fs.mkdirSync(`${folder}/d${n}`);
}

const [O_WRONLY, O_RDWR, O_APPEND, O_NONBLOCK] = [1, 2, 0o2000, 0o4000];
const [O_DIRECTORY, O_LARGEFILE, O_PATH] = [0o40000, 0o200000, 0o10000000];
const ACCESS = [0, O_WRONLY, O_RDWR] as const;
/** FMODE_* of an access; LSEEK, PREAD and PWRITE where there is a position. */
const modeOf = (access: number, positioned: boolean): number => [1, 2, 3][access] | (positioned ? 0x1c : 0);
const UNBLOCKABLE = (1n << 8n) | (1n << 18n);
/** The bits that XER has: SO, OV, CA, OV32, CA32, string length. */
const XER = 0xe00c_007fn;
const S_IFMT = 0o170000;
const S_IFDIR = 0o40000;
const PAGE = 4096;
const SLICE = 1_000_000;

const cwdOf = ({ cwd, cwdRemoved, cwdUnlinked }: Partial<ProcessSnapshot>) => ({
  ...{ cwd: cwd! },
  ...(cwdRemoved ? { cwdRemoved, cwdUnlinked } : {}),
});

class Maker {
  private readonly g: GeneratorValue;
  readonly abi: Abi;
  private readonly openFiles: OpenFileSnapshot[] = [];
  private readonly pipes: MachineSnapshot["pipes"] = [];
  private readonly unlinkedFiles: MachineSnapshot["unlinkedFiles"] = [];
  private readonly sharedObjects: MachineSnapshot["sharedObjects"] = [];
  private readonly tids: number[] = [];
  /** Numbers of files and folders that nothing uses yet. */
  private freeFiles = Array.from({ length: FILES }, (_, n) => n);
  private place = 0;
  private readonly seeded: boolean;

  constructor(g: GeneratorValue) {
    this.g = g;
    this.abi = this.pick<Abi>("ppc32", "ppc64", "ppc64le");
    this.seeded = this.chance(2);
  }

  // ---- draws ---------------------------------------------------------------------------------------------

  private nat(most: number): number {
    return this.g(fc.nat, most);
  }
  private pick<T>(...all: T[]): T {
    return all[this.nat(all.length - 1)];
  }
  /** True once in `of` times. */
  private chance(of: number): boolean {
    return this.nat(of - 1) === 0;
  }
  private bits(count: number): bigint {
    return this.g(fc.bigInt, 0n, 2n ** BigInt(count) - 1n);
  }
  private u32(): number {
    return Number(this.bits(32));
  }
  private list<T>(most: number, make: (n: number) => T): T[] {
    return Array.from({ length: this.nat(most) }, (_, n) => make(n));
  }
  private times<T>(count: number, make: (n: number) => T): T[] {
    return Array.from({ length: count }, (_, n) => make(n));
  }
  private name(): string {
    return this.pick("a", "longer name", "fifteen letters", "ä");
  }
  private maybe<T>(make: () => T): T | null {
    return this.chance(2) ? null : make();
  }

  // ---- threads -------------------------------------------------------------------------------------------

  /** Somebody; all that is asked of sets of capabilities is that some are within others. */
  private user(): CredentialsSnapshot {
    const permitted = this.bits(41);
    const inheritable = this.bits(41);
    const sets = { effective: this.bits(41) & permitted, ambient: this.bits(41) & permitted & inheritable };
    return {
      ...{ uid: this.u32(), euid: this.u32(), suid: this.u32(), fsuid: this.u32() },
      ...{ gid: this.u32(), egid: this.u32(), sgid: this.u32(), fsgid: this.u32() },
      groups: this.list(3, () => this.u32()),
      capabilities: { ...{ inheritable, permitted }, ...sets, bounding: 1n, securebits: this.nat(255) },
    };
  }

  private registers(abi: Abi): RegistersSnapshot {
    const width = abi === "ppc32" ? 32 : 64;
    const fpexcMode = this.pick(0, 0x100, 0x800, 0x900);
    const length = this.pick(1, 2, 4, 8, 16);
    const vsr = this.times(64, (): [bigint, bigint] => [this.bits(64), this.bits(64)]);
    const [fpscr, vscr] = [this.bits(64), this.u32()];
    const isUsed = (values: readonly bigint[]) => values.some((value) => value !== 0n);
    // The MSR shows which facilities have been used.
    const facilities =
      (isUsed([fpscr, ...vsr.slice(0, 32).map(([high]) => high)]) ? MSR_FP : 0n) |
      (isUsed(vsr.slice(32).flat()) || (vscr !== 0 && vscr !== VSCR_NJ) ? MSR_VEC : 0n) |
      (isUsed(vsr.slice(0, 32).map(([, low]) => low)) ? MSR_VSX : 0n);
    return {
      gpr: this.times(32, () => this.bits(width)),
      nia: this.bits(width) & ~3n,
      msr: userMsr(ABIS[abi], fpexcMode) | facilities,
      ctr: this.bits(width),
      lr: this.bits(width),
      xer: Number(this.bits(32) & XER),
      cr: this.u32(),
      vsr,
      fpscr,
      vrsave: this.u32(),
      vscr,
      tar: this.bits(64),
      dscr: this.bits(64),
      ppr: this.bits(64),
      dabr: this.bits(width),
      fpexcMode,
      reservation: this.maybe(() => ({
        address: this.bits(width),
        length,
        value: this.bits(length === 16 ? 128 : 64),
      })),
      instructions: this.bits(60),
    };
  }

  private signalInfo() {
    return {
      signo: 1 + this.nat(63),
      errno: 0,
      code: this.pick(0, -1, -6, 0x80, -2),
      pid: this.nat(1000),
      uid: this.u32(),
      value: this.bits(64),
      timer: this.nat(9),
      overrun: this.nat(5),
    };
  }

  private signals() {
    return this.list(3, () => this.signalInfo());
  }

  private blocked(stopped: boolean): ThreadSnapshot["blocked"] {
    if (this.chance(3)) return null;
    const phases = ["woken", "paused", "waiting"] as const;
    return {
      deadline: this.maybe(() => this.bits(62)),
      state: this.pick<CallState>(
        { kind: "begun" },
        { kind: "woken", index: this.nat(127) },
        { kind: "words", addresses: [0x1000, 0x2000] },
        { kind: "moved", done: this.nat(0x7fff_f000) },
      ),
      // What is stopped waits for nothing.
      phase: phases[this.nat(stopped ? 1 : 2)],
      place: (this.place += 1 + this.nat(3)),
    };
  }

  private thread(abi: Abi, tid: number, isFirst: boolean): ThreadSnapshot {
    this.tids.push(tid);
    const stopped = this.chance(4);
    return {
      tid,
      registers: this.registers(abi),
      signalMask: this.bits(64) & ~UNBLOCKABLE,
      savedMask: this.maybe(() => this.bits(64)),
      pendingSignals: this.signals(),
      altStack: { sp: this.bits(64), flags: this.pick(0, 2), size: this.bits(64) },
      policy: { mode: this.pick(2, 4, 0x8003), nodes: this.bits(64) },
      affinity: this.bits(80),
      clearTid: this.bits(64),
      robustList: { head: this.bits(64), length: this.bits(64) },
      blocked: this.blocked(stopped),
      stopped,
      cpuTime: this.bits(50),
      ...(isFirst ? {} : { credentials: this.user() }),
    };
  }

  // ---- files ---------------------------------------------------------------------------------------------

  private add(kind: OpenFileSnapshot["kind"], flags: number, mode: number, more: Partial<OpenFileSnapshot>) {
    this.openFiles.push(openFile("", { kind, flags, mode, ...more }));
  }

  private takeFile(): string {
    const [n] = this.freeFiles.splice(this.nat(this.freeFiles.length - 1), 1);
    return `/area/f${n}`;
  }

  /** A new file without a name. */
  private unlinked(): number {
    const index = this.unlinkedFiles.length;
    const count = this.nat(4);
    const addresses = this.times(count, (n) => n).filter(() => this.chance(2));
    this.unlinkedFiles.push({
      size: count * PAGE,
      mode: this.pick(0o600, 0o644, 0o4751, 0o1777),
      path: `/area/gone${index}`,
      atime: BigInt(this.nat(2 ** 31)) * 1_000_000_000n,
      mtime: BigInt(this.nat(2 ** 31)) * 1_000_000_000n,
      pages: pages(
        addresses.map((n) => n * PAGE),
        index,
      ),
    });
    return index;
  }

  /** A folder that has been removed. */
  private removedFolder(path: string): number {
    const times = { atime: BigInt(this.nat(2 ** 31)) * 1_000n, mtime: BigInt(this.nat(2 ** 31)) * 1_000n };
    const mode = S_IFDIR | this.pick(0o755, 0o700, 0o2750, 0o1777);
    return this.unlinkedFiles.push({ size: 0, mode, path, ...times, pages: pages([], 0) }) - 1;
  }

  private regular(): void {
    const access = this.nat(2);
    const flags = ACCESS[access] | this.pick(0, O_APPEND) | this.pick(0, O_NONBLOCK) | O_LARGEFILE;
    const position = this.bits(40);
    if (this.chance(2) && this.freeFiles.length > 3) {
      this.add("file", flags, modeOf(access, true), { path: this.takeFile(), position });
      return;
    }
    const unlinked = this.unlinked();
    const { path = "" } = this.unlinkedFiles[unlinked];
    const state: FileState | null = this.maybe(() => ({ kind: "seals", bits: this.nat(31) }));
    this.add("file", flags, modeOf(access, true), { path, position, unlinked, deleted: true, state });
  }

  private directory(): void {
    const [path, deleted] = this.pick<[string, boolean]>(
      ["/area", false],
      ["/area/d0", false],
      ["/area/was", true],
      ["/proc", false],
      ["/dev", false],
    );
    const isPath = path !== "/proc" && this.chance(3);
    const entries = this.times(3, (n) => ({
      ino: this.bits(64),
      kind: this.pick<NodeKind>("file", "directory", "symlink", "fifo", "socket", "char", "block"),
      name: `name ${n}`,
    }));
    const isListed = !isPath && (path === "/proc" || this.chance(2));
    this.add("directory", (isPath ? O_PATH : O_LARGEFILE) | O_DIRECTORY, isPath ? 0 : modeOf(0, true), {
      path,
      deleted,
      unlinked: deleted ? this.removedFolder(path) : -1,
      position: isListed ? BigInt(1 + this.nat(2)) : 0n,
      state: isListed ? { kind: "listing", entries } : null,
    });
  }

  private pipe(): void {
    const pipe = this.pipes.length;
    const capacity = this.pick(4096, 8192, 65536, 1 << 20);
    this.pipes.push({
      ino: 0x9000n + BigInt(this.pipes.length),
      capacity,
      contents: this.g(fc.uint8Array, { maxLength: 20 }),
    });
    const ends = this.pick<[number, number]>([0, 1], [1, 2], [0, 2]);
    for (const end of [0, 1].slice(...ends)) {
      const flags = end | this.pick(0, O_NONBLOCK);
      this.add(end === 0 ? "pipe-read" : "pipe-write", flags, modeOf(end, false), { pipe });
    }
  }

  private inherited(n: number): void {
    if (this.openFiles.some(({ inherited }) => inherited === n)) return;
    const access = n === 0 ? 0 : O_WRONLY;
    const flags = access | O_LARGEFILE | this.pick(0, O_NONBLOCK);
    this.add("inherited", flags, modeOf(access, false), { inherited: n });
  }

  private eventfd(): void {
    const counter = this.pick(0n, 1n, 2n ** 64n - 2n, this.bits(63));
    const state: FileState = { kind: "eventfd", counter, semaphore: this.chance(2) };
    this.add("special", O_RDWR | this.pick(0, O_NONBLOCK), modeOf(2, false), { state });
  }

  private epoll(): void {
    // What can be waited for and stands before it.
    const targets = this.openFiles.flatMap(({ kind, state }, index) =>
      kind === "file" || kind === "directory" || state?.kind === "epoll" ? [] : [index],
    );
    const items = targets
      .filter(() => this.chance(2))
      .map((openFile) => ({
        // Not edge-triggered: of such a one a freeze looks what has happened since it was told.
        ...{ fd: this.nat(50), openFile, events: this.u32() & 0x7fff_ffff, told: this.u32() | 0 },
        // A freeze looks how much there is now: nothing.
        amount: 0,
        data: this.bits(64),
      }));
    this.add("special", O_RDWR, modeOf(2, false), { state: { kind: "epoll", items } });
  }

  private other(): void {
    const access = this.nat(2);
    if (this.chance(3)) {
      const path = `/dev/${this.pick("null", "zero", "full", "random", "urandom")}`;
      this.add("device", ACCESS[access] | O_LARGEFILE, modeOf(access, true), { path });
    } else if (this.chance(4)) {
      const target = this.chance(2) ? "/tiny" : null;
      const path = `/proc/100/${target === null ? "stat" : "exe"}`;
      const mode = target === null ? 0o444 : 0o777;
      this.add("special", O_PATH, 0, { path, state: { kind: "entry", mode, size: 0n, target } });
    } else if (this.chance(2) && this.freeFiles.length > 3) {
      this.add("special", O_PATH, 0, { path: this.takeFile(), state: { kind: "path" } });
    } else {
      const contents = this.g(fc.uint8Array, { maxLength: 20 });
      const state: FileState = { kind: "contents", mode: 0o444, contents };
      this.add("proc", O_LARGEFILE, modeOf(0, true), {
        path: "/proc/100/stat",
        state,
        position: this.bits(20),
      });
    }
  }

  private openSome(): void {
    for (let count = this.nat(8); count > 0; count--) {
      const makers = [
        ...[this.regular, this.regular, this.directory, this.pipe, this.eventfd, this.epoll, this.other],
        () => this.inherited(this.nat(2)),
      ];
      this.pick(...makers).call(this);
    }
  }

  /** Descriptors: the open files from `first` on each once, in their order, then some again. */
  private descriptors(first: number): ProcessSnapshot["descriptors"] {
    let fd = -1;
    const next = (openFile: number) => {
      fd += 1 + this.nat(2);
      return { fd, closeOnExec: this.chance(2), openFile };
    };
    const own = this.openFiles.slice(first).map((_, n) => next(first + n));
    const again =
      this.openFiles.length === 0 ? [] : this.list(2, () => next(this.nat(this.openFiles.length - 1)));
    return [...own, ...again];
  }

  private locks(processes: readonly ProcessSnapshot[]): LockSnapshot[] {
    return this.openFiles.flatMap(({ kind }, openFile): LockSnapshot[] => {
      if (kind !== "file" || !this.chance(2)) return [];
      const owner = processes.find(({ descriptors }) =>
        descriptors.some((each) => each.openFile === openFile),
      )!;
      const lock = this.pick<LockSnapshot["kind"]>("flock", "ofd", "posix");
      const start = this.bits(30);
      const range = { start, last: start + this.bits(30) };
      return [
        { kind: lock, openFile, pid: lock === "posix" ? owner.pid : 0, exclusive: this.chance(2), ...range },
      ];
    });
  }

  /** Who traces whom: of stopped threads some, in a stop or about to be in one. */
  private traces(processes: readonly ProcessSnapshot[]): MachineSnapshot["traces"] {
    const tracer = processes.find(({ exitStatus }) => exitStatus === null)?.pid;
    if (tracer === undefined || this.chance(2)) return undefined;
    const threads = processes.flatMap(({ pid, exitStatus, threads }) =>
      exitStatus === null && pid !== tracer ? threads : [],
    );
    const tracees = threads.flatMap(({ tid, stopped }): TraceSnapshot[] =>
      stopped && this.chance(2)
        ? [
            {
              ...{ tid, tracer, seized: this.chance(2), options: this.nat(0xff), told: this.chance(2) },
              mode: this.pick<TraceSnapshot["mode"]>("run", "syscall", "step"),
              ...{
                inCall: this.chance(2),
                passed: this.chance(4),
                listening: this.chance(2),
                exiting: this.chance(2),
              },
              message: this.bits(40),
              stop: this.maybe(() => this.traceStop()),
              due: this.list(2, () => this.traceStop()),
              inject: this.maybe(() => this.signalInfo()),
            },
          ]
        : [],
    );
    const ends = this.list(2, (n) => ({ tracer, tid: 0x3f_0000 + n, status: this.nat(0xffff) }));
    return tracees.length + ends.length > 0 ? { tracees, ends } : undefined;
  }

  private traceStop(): TraceStopSnapshot {
    const kind = this.pick<TraceStopSnapshot["kind"]>("signal", "group", "entry", "exit", "event");
    const info = this.maybe(() => this.signalInfo());
    return { kind, code: this.nat(0xffff), info, message: this.bits(40) };
  }

  // ---- memory --------------------------------------------------------------------------------------------

  private fileOf(): FileReference {
    const files = [...this.unlinkedFiles.keys()].filter((index) => {
      return (this.unlinkedFiles[index].mode & S_IFMT) === 0;
    });
    if (files.length > 0 && this.chance(3)) {
      const unlinked = files[this.nat(files.length - 1)];
      return { path: this.unlinkedFiles[unlinked].path!, unlinked };
    }
    if (this.chance(4)) {
      const unlinked = this.unlinked();
      return { path: this.unlinkedFiles[unlinked].path!, unlinked };
    }
    return { path: `/area/f${this.nat(FILES - 1)}` };
  }

  /** A shared object: one that is there, or a new one at the end of the table. */
  private shared(): number {
    const there = this.sharedObjects.length;
    const index = this.nat(there);
    if (index < there) return index;
    if (this.chance(3) && this.freeFiles.length > 1) {
      const path = this.takeFile();
      this.sharedObjects.push({ file: { path }, size: 0, pages: pages([]) });
    } else {
      const count = 1 + this.nat(3);
      const addresses = this.times(count, (n) => n * PAGE).filter(
        (at) => at === (count - 1) * PAGE || this.chance(2),
      );
      this.sharedObjects.push({ file: null, size: count * PAGE, pages: pages(addresses, 50 + index) });
    }
    return index;
  }

  private area(start: number): AreaSnapshot {
    const count = 1 + this.nat(3);
    const kind = this.pick("anonymous", "anonymous", "file", "shared");
    const addresses = this.times(count, (n) => start + n * PAGE).filter(() => this.chance(2));
    const offset = this.nat(2) * PAGE;
    return {
      start,
      end: start + count * PAGE,
      prot: this.nat(7),
      growsDown: this.chance(4),
      file: kind === "file" ? { ...this.fileOf(), offset } : null,
      sharedObject: kind === "shared" ? { index: this.shared(), offset } : null,
      name: this.pick("", "", "[heap]", "[stack]"),
      pages: pages(kind === "shared" ? [] : addresses, this.nat(200)),
    };
  }

  private memory(): ProcessSnapshot["memory"] {
    const places = this.times(11, () => this.nat(0x3fff_ffff)).sort((a, b) => a - b);
    const [startCode, endCode, startData, endData, startBrk, brk, ...rest] = places;
    const [startStack, argStart, argEnd, envStart, envEnd] = rest;
    return {
      ...{ startCode, endCode, startData, endData, startBrk, brk },
      ...{ startStack, argStart, argEnd, envStart, envEnd },
      auxv: this.list(3, () => ({ type: this.nat(60), value: this.bits(64) })),
      // Apart from each other: neighbours of a kind become one.
      areas: this.list(5, (n) => this.area(0x1000_0000 + (n * 8 + this.nat(3)) * PAGE)),
    };
  }

  // ---- processes -----------------------------------------------------------------------------------------

  private timer(tid: number, id: number): ProcessSnapshot["posixTimers"][number] {
    return {
      id,
      clock: this.pick(0, 1, 2, (~tid << 3) | 6),
      notify: this.pick(0, 1, 4),
      signal: 1 + this.nat(63),
      value: this.bits(64),
      tid: this.pick(0, tid),
      remaining: this.pick(0n, -5n, this.bits(40)),
      interval: this.bits(40),
      overrun: this.nat(9),
    };
  }

  private process(pid: number, before: readonly ProcessSnapshot[]): ProcessSnapshot {
    const earlier = before.filter(({ exitStatus }) => exitStatus === null);
    const isZombie = before.length > 0 && this.chance(5);
    /** An earlier process to share something with. */
    const partner = () =>
      earlier.length === 0 || isZombie || this.chance(2) ? undefined : this.pick(...earlier);
    /** The first of those that share. */
    const first = (of: ProcessSnapshot | undefined, what: "memory" | "descriptors" | "fs" | "actions") =>
      of === undefined ? 0 : of.family!.shares[what] || of.pid;
    const [memory, files, fs, actions] = [partner(), partner(), partner(), partner()];
    const abi =
      memory?.abi ?? (this.abi === "ppc64le" || this.chance(2) ? this.abi : this.pick("ppc32", "ppc64"));
    const begun = this.openFiles.length;
    if (files === undefined && !isZombie) this.openSome();
    const descriptors = isZombie ? [] : (files?.descriptors ?? this.descriptors(begun));
    const [cwd, removed] = this.pick<[string, boolean]>(
      ["/area", false],
      ["/area/d1", false],
      ["/area/was", true],
    );
    const gone = () => ({ cwdRemoved: true, cwdUnlinked: this.removedFolder(cwd) });
    const own = { cwd, ...(removed && fs === undefined ? gone() : {}), umask: this.nat(0o777) };
    const { umask } = fs ?? own;
    const space = isZombie ? { ...emptyLayout(), areas: [] } : (memory?.memory ?? this.memory());
    const threads = isZombie ? [] : this.times(1 + this.nat(2), (n) => this.thread(abi, pid + n, n === 0));
    const credentials = this.user();
    return {
      pid,
      ppid: this.pick(1, ...before.map((one) => one.pid)),
      pgid: this.pick(pid, 100),
      sid: this.pick(pid, 100),
      comm: this.name(),
      exe: `/${this.name()}`,
      ...cwdOf(fs ?? own),
      umask,
      descriptors,
      credentials,
      limits: this.times(16, () => ({ soft: this.bits(64), hard: this.bits(64) })),
      memory: space,
      signalActions:
        actions?.signalActions ??
        this.times(64, () => ({
          ...{ handler: this.pick(0n, 1n, this.bits(32)), flags: this.bits(32) & SA_KNOWN },
          ...{ restorer: this.bits(64), mask: this.bits(64) & ~UNBLOCKABLE },
        })),
      pendingSignals: this.signals(),
      intervalTimers: this.times(3, () => ({ remaining: this.bits(40), interval: this.bits(40) })),
      posixTimers: isZombie ? [] : this.list(2, (n) => this.timer(pid, n * 3)),
      prctl: { pdeathsig: this.nat(64), dumpable: this.nat(2), noNewPrivs: !isZombie && this.chance(2) },
      attributes: {
        ...{ nice: this.nat(39) - 20, policy: this.pick(0, 3, 5), timerSlack: this.bits(64) },
        ...{
          keepCapabilities: (credentials.capabilities!.securebits & 0x10) !== 0,
          childSubreaper: this.chance(2),
          noHugePages: this.chance(2),
        },
      },
      personality: this.u32(),
      elfv2: memory?.elfv2 ?? (isZombie ? ABIS[abi].elfv2 : this.chance(2)),
      abi,
      cpuModel: memory?.cpuModel ?? modelFor(undefined, abi).name,
      family: {
        exitSignal: this.nat(64),
        childCpuTime: this.bits(50),
        startTime: this.bits(50),
        stoppedBy: this.nat(64),
        report: { stopped: this.nat(64), continued: this.chance(2) },
        hasExecuted: this.chance(2),
        vforkParent: memory === undefined ? 0 : this.pick(0, memory.threads[0].tid),
        shares: {
          memory: first(memory, "memory"),
          descriptors: first(files, "descriptors"),
          fs: first(fs, "fs"),
          actions: first(actions, "actions"),
        },
      },
      cpuTime: this.bits(50),
      exitStatus: isZombie ? this.nat(0xffff) : null,
      threads,
    };
  }

  /** The threads that can run, in some order. */
  private order(processes: readonly ProcessSnapshot[]): number[] {
    const runnable = processes
      .flatMap(({ threads }) => threads)
      .filter(({ stopped, blocked }) => !stopped && blocked?.phase !== "waiting")
      .map(({ tid }) => tid);
    const first = this.nat(runnable.length);
    return [...runnable.slice(first), ...runnable.slice(0, first)];
  }

  make(): MachineSnapshot {
    const processes: ProcessSnapshot[] = [];
    for (let n = this.nat(2); n >= 0; n--)
      processes.push(this.process(100 * (processes.length + 1), processes));
    const order = this.order(processes);
    const locks = this.locks(processes);
    const traces = this.traces(processes);
    const setIds = this.list(2, (n) => ({ path: `/area/f${n}`, bits: this.pick(0o4000, 0o2000, 0o6000) }));
    // A group that none of the processes has.
    const firstUser = this.list(1, () => ({ uid: 0, gid: 0xffff_0000 + this.nat(9) }));
    const dscrDefault = this.bits(3);
    const identities = this.unlinkedFiles.map((_, unlinked) => ({
      ...{ path: "", unlinked },
      ...{ dev: this.bits(63), ino: this.bits(63) },
    }));
    const [{ abi, cpuModel }] = processes;
    return {
      abi: abi!,
      cpuModel: cpuModel!,
      addressSpaceSize: 2 ** 30,
      instructions: this.bits(60),
      clock: {
        seed: this.seeded ? this.bits(64) : null,
        random: this.seeded ? this.times(4, () => this.bits(64)) : [],
        realtime: this.bits(62),
        monotonic: this.bits(50),
      },
      uts: {
        ...{ sysname: this.name(), nodename: this.name(), release: this.name() },
        ...{ version: this.name(), machine: this.name() },
      },
      processes,
      openFiles: this.openFiles,
      pipes: this.pipes,
      unlinkedFiles: this.unlinkedFiles,
      sharedObjects: this.sharedObjects,
      ...(setIds.length > 0 ? { setIds } : {}),
      ...(firstUser.length > 0 ? { firstUser: firstUser[0] } : {}),
      ...(dscrDefault > 0n ? { dscrDefault } : {}),
      ...(identities.length > 0 ? { identities } : {}),
      ...(locks.length > 0 ? { locks } : {}),
      ...(traces === undefined ? {} : { traces }),
      scheduler: { tid: order[0] ?? 0, sliceLeft: this.nat(SLICE), order },
      nextPid: 2 + this.nat(0x3f_fffd),
    };
  }
}

/** A snapshot of choices that `g` makes. */
export const thawableSnapshot = (g: GeneratorValue): MachineSnapshot => new Maker(g).make();
