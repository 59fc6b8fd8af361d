/** The trailer of a snapshot: one record a topic, in a fixed order. */
import {
  type FamilySnapshot,
  type MachineSnapshot,
  PAGE_SIZE,
  type PageSource,
  type ProcessSnapshot,
  type ThreadSnapshot,
} from "../emu/snapshot.ts";
import { cpuLayout, cpuValues, highHalves, type Shape, waitingArgument } from "./arch-ppc.ts";
import { ImageError } from "./errors.ts";
import type { Trailer, TrailerRecord } from "./image.ts";
import { expressible, leaderOf } from "./plain.ts";
import { FieldError, type Format } from "./record-fields.ts";
import type { Fields, Layout, Values } from "./record-layout.ts";
import { type ImageSource, pagesAfter, sourceOf } from "./stream.ts";
import { TRAILER_MAGIC, TRAILER_VERSION } from "./trailer.ts";
import * as X from "./trailer-records.ts";

/** What the trailer must know of the v13 part. */
export interface V13Part {
  shape: Shape;
  format: Format;
  /** Objref by index in the snapshot's open files. */
  objrefs: ReadonlyMap<number, number>;
}

function machineValues(snapshot: MachineSnapshot): X.MachineValues {
  const { clock, uts, scheduler } = snapshot;
  return {
    abi: snapshot.abi,
    cpuModel: snapshot.cpuModel,
    addressSpaceSize: snapshot.addressSpaceSize,
    instructions: snapshot.instructions,
    seed: clock.seed,
    random: clock.random,
    realtime: clock.realtime,
    monotonic: clock.monotonic,
    ...uts,
    nextTid: scheduler.tid,
    sliceLeft: scheduler.sliceLeft,
    nextPid: snapshot.nextPid,
    firstUser: snapshot.firstUser ?? null,
    dscrDefault: snapshot.dscrDefault ?? 0n,
  };
}

const NO_USAGE = { faults: 0n, childFaults: 0n, readBytes: 0n, writtenBytes: 0n, reads: 0n, writes: 0n };

function processValues(process: ProcessSnapshot): X.ProcessValues {
  const { credentials, memory, prctl } = process;
  return {
    pid: process.pid,
    ppid: process.ppid,
    pgid: process.pgid,
    sid: process.sid,
    comm: process.comm,
    exe: process.exe,
    cwd: process.cwd,
    cwdRemoved: process.cwdRemoved ?? false,
    cwdUnlinked: process.cwdUnlinked ?? null,
    umask: process.umask,
    ...credentials,
    capabilities: credentials.capabilities ?? null,
    limits: process.limits,
    auxv: memory.auxv,
    ...prctl,
    personality: process.personality ?? null,
    elfv2: process.elfv2 ?? null,
    cpuTime: process.cpuTime,
    exitStatus: process.exitStatus,
    memory: process.exitStatus === null ? null : memory,
  };
}

function threadValues(process: ProcessSnapshot, thread: ThreadSnapshot): X.ThreadValues {
  const r = thread.registers;
  return {
    pid: process.pid,
    tid: thread.tid,
    inTask: inTask(process, thread),
    msr: r.msr,
    highHalves: highHalves(r),
    fprLow: r.vsr.slice(0, 32).map(([, low]) => low),
    vr: r.vsr.slice(32).map(([high, low]) => ({ high, low })),
    fpscrHigh: Number(r.fpscr >> 32n),
    vrsave: r.vrsave,
    vscr: r.vscr,
    tar: r.tar,
    dscr: r.dscr,
    ppr: r.ppr,
    reservation: r.reservation,
    instructions: r.instructions,
    signalMask: thread.signalMask,
    savedMask: thread.savedMask,
    pending: thread.pendingSignals,
    altSp: thread.altStack.sp,
    altFlags: thread.altStack.flags >>> 0,
    altSize: thread.altStack.size,
    clearTid: thread.clearTid,
    robustHead: thread.robustList.head,
    robustLength: thread.robustList.length,
    blocked: thread.blocked && blockedValues(thread.blocked),
    stopped: thread.stopped ?? null,
    cpuTime: thread.cpuTime,
    comm: thread.comm ?? null,
    policy: thread.policy ?? null,
    affinity: thread.affinity ?? null,
    noNewPrivs: thread.noNewPrivs ?? null,
    confinement: thread.confinement ?? null,
    scheduling:
      thread.scheduling === undefined
        ? null
        : { priority: 0, ioPriority: 0, resetOnFork: false, ...thread.scheduling },
    startTime: thread.startTime ?? null,
    credentials: thread.credentials ? { capabilities: null, ...thread.credentials } : null,
    files: ownFiles(thread),
  };
}

function ownFiles({ files }: ThreadSnapshot): X.ThreadValues["files"] {
  if (files === undefined) return null;
  const { shares, cwdRemoved = false, cwdUnlinked = null, ...rest } = files;
  return { ...rest, cwdRemoved, cwdUnlinked, sharesDescriptors: shares.descriptors, sharesFs: shares.fs };
}

const blockedValues = ({ deadline, state }: NonNullable<ThreadSnapshot["blocked"]>) => ({
  deadline,
  state: "",
  call: state.kind === "begun" ? null : state,
});

function familyValues(
  snapshot: MachineSnapshot,
  process: ProcessSnapshot,
  family: FamilySnapshot,
): X.FamilyValues {
  const { shares, report, ...rest } = family;
  return {
    pid: process.pid,
    abi: process.abi ?? snapshot.abi,
    cpuModel: process.cpuModel ?? snapshot.cpuModel,
    ...rest,
    ...report,
    sharesMemory: shares.memory,
    sharesDescriptors: shares.descriptors,
    sharesFs: shares.fs,
    sharesActions: shares.actions,
  };
}

function waitsValues({ processes }: MachineSnapshot, order: readonly number[]): X.WaitsValues {
  const waits = processes.flatMap(({ threads }) =>
    threads.flatMap(({ tid, blocked }) =>
      blocked?.phase === undefined ? [] : [{ tid, phase: blocked.phase, place: blocked.place ?? 0 }],
    ),
  );
  return { order: [...order], waits };
}

/** Whether a thread's registers are in its process's TASK. */
const inTask = (process: ProcessSnapshot, thread: ThreadSnapshot): boolean =>
  process.exitStatus === null && thread === leaderOf(process);

function filesValues(snapshot: MachineSnapshot, objrefs: V13Part["objrefs"]): X.OpenFilesValues {
  return {
    openFiles: snapshot.openFiles.map((file, index) => {
      const objref = objrefs.get(index) ?? 0;
      const { kind, deleted, inherited, pipe, unlinked, state, signals = null, writeHint = 0 } = file;
      const there = objref === 0 ? file : { path: "", flags: 0, mode: 0, position: 0n };
      const { path, flags, mode, position } = there;
      const own = { deleted, inherited, pipe, unlinked, state: "", own: state, signals, writeHint };
      return { objref, kind, path, flags, mode, position, ...own };
    }),
    descriptors: snapshot.processes.flatMap((process) =>
      process.descriptors
        .filter(({ openFile }) => process.exitStatus !== null || !expressible(snapshot.openFiles[openFile]))
        .map((descriptor) => ({ pid: process.pid, ...descriptor })),
    ),
  };
}

function areasValues(process: ProcessSnapshot): X.AreasValues {
  const { pid, exitStatus, memory } = process;
  const areas = exitStatus === null ? memory.areas : [];
  return {
    pid,
    areas: areas
      .filter(
        ({ sharedObject, name, file, flags, policy }) =>
          sharedObject !== null ||
          name !== "" ||
          file?.unlinked !== undefined ||
          flags !== undefined ||
          policy !== undefined,
      )
      .map((area) => ({
        start: area.start,
        end: area.end,
        named: area.sharedObject === null,
        name: area.name,
        prot: area.prot,
        growsDown: area.growsDown,
        file: area.file && { path: area.file.path, offset: area.file.offset },
        shared: area.sharedObject,
        unlinked: area.file?.unlinked ?? null,
        flags: area.flags ?? 0,
        policy: area.policy ?? null,
      })),
  };
}

/** Gathers records; values become bytes at once, pages when they are written. */
class Collector {
  readonly records: TrailerRecord[] = [];
  private readonly format: Format;

  constructor(format: Format) {
    this.format = format;
  }

  private encode<F extends Fields>(name: string, layout: Layout<F>, values: Values<F>): Uint8Array {
    try {
      return layout.encode(values, this.format);
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      const message = `cannot be written: ${error.message}`;
      throw new ImageError({ kind: error.kind, record: `trailer ${name}`, index: -1, offset: -1, message });
    }
  }

  private push(type: X.TrailerType, payload: ImageSource, version = 1): void {
    const { size: length } = payload;
    this.records.push({
      header: { type: type.type, version, flags: type.flags, length },
      payload,
    });
  }

  add<F extends Fields>(type: X.TrailerType, layout: Layout<F>, values: Values<F>): void {
    this.push(type, sourceOf(this.encode(layout.type, layout, values)), layout.oldest(values));
  }

  registers(process: ProcessSnapshot, thread: ThreadSnapshot, shape: Shape, wide: boolean): void {
    const layout = cpuLayout(shape);
    const values = cpuValues(thread.registers, shape, this.format, {
      wide,
      callArgument: waitingArgument(thread),
    });
    const cpu = this.encode("REGISTERS", layout, values);
    this.add(X.TRAILER_TYPES.REGISTERS, X.REGISTERS, { pid: process.pid, tid: thread.tid, cpu });
  }

  /** The pages of shared memory, or of a file without a name, by their offsets in it. */
  pages(topic: keyof typeof X.PAGE_RECORDS, object: number, pages: PageSource): void {
    for (let start = 0; start < pages.addresses.length; start += X.PAGE_RUN) {
      const offsets = pages.addresses.slice(start, start + X.PAGE_RUN).map(BigInt);
      const prefix = this.encode(topic, X.PAGE_RECORDS[topic], { object, offsets });
      const read = (index: number) => pages.read(start + index);
      this.push(X.TRAILER_TYPES[topic], pagesAfter(prefix, offsets.length, PAGE_SIZE, read));
    }
  }
}

/** Builds the trailer that says what v13 cannot. */
export function buildTrailer(snapshot: MachineSnapshot, part: V13Part): Trailer {
  const out = new Collector(part.format);
  const types = X.TRAILER_TYPES;
  out.add(types.MACHINE, X.MACHINE, machineValues(snapshot));
  for (const process of snapshot.processes) {
    const { pid } = process;
    out.add(types.PROCESS, X.PROCESS, processValues(process));
    out.add(types.SIGNALS, X.SIGNALS, {
      pid,
      actions: process.signalActions,
      pending: process.pendingSignals,
    });
    out.add(types.TIMERS, X.TIMERS, { pid, interval: process.intervalTimers, posix: process.posixTimers });
    if (process.attributes !== undefined) {
      const { usage = NO_USAGE, ...attributes } = process.attributes;
      out.add(types.ATTRIBUTES, X.ATTRIBUTES, {
        pid,
        oomScoreAdj: 0,
        membarriers: 0,
        locksFuture: false,
        ioPriority: 0,
        resetOnFork: false,
        locksOnFault: false,
        priority: 0,
        peak: 0,
        childrenPeak: 0,
        ...usage,
        ...attributes,
      });
    }
    if (process.family !== undefined) {
      out.add(types.FAMILY, X.FAMILY, familyValues(snapshot, process, process.family));
    }
    out.add(types.AREAS, X.AREAS, areasValues(process));
    for (const thread of process.threads) {
      out.add(types.THREAD, X.THREAD_STATE, threadValues(process, thread));
      if (!inTask(process, thread))
        out.registers(process, thread, part.shape, (process.abi ?? snapshot.abi) !== "ppc32");
    }
  }
  const { order } = snapshot.scheduler;
  if (order !== undefined) out.add(types.WAITS, X.WAITS, waitsValues(snapshot, order));
  out.add(types.FILES, X.OPEN_FILES, filesValues(snapshot, part.objrefs));
  if (snapshot.filters !== undefined) out.add(types.FILTERS, X.FILTERS, { filters: snapshot.filters });
  if (snapshot.traces !== undefined) out.add(types.TRACES, X.TRACES, snapshot.traces);
  if (snapshot.locks !== undefined) out.add(types.LOCKS, X.LOCKS, { locks: snapshot.locks });
  for (const pipe of snapshot.pipes) out.add(types.PIPE, X.PIPE, { packets: [], ...pipe });
  snapshot.sharedObjects.forEach((object, index) => {
    const { path = null, unlinked = null } = object.file ?? {};
    out.add(types.SHARED, X.SHARED, {
      path,
      unlinked,
      size: object.size,
      readOnly: object.readOnly ?? false,
    });
    out.pages("SHARED_PAGES", index, object.pages);
  });
  snapshot.unlinkedFiles.forEach(({ pages, ...file }, index) => {
    const values = { path: "", atime: null, mtime: null, isNameable: false, ...file };
    out.add(types.UNLINKED, X.UNLINKED, values);
    out.pages("UNLINKED_PAGES", index, pages);
  });
  if (snapshot.knownFiles !== undefined) {
    out.add(types.KNOWN_FILES, X.KNOWN_FILES, { files: snapshot.knownFiles });
  }
  if (snapshot.privateFiles !== undefined) {
    const files = snapshot.privateFiles.map(({ target = null, content = null, ...file }) => ({
      ...file,
      target,
      content,
    }));
    out.add(types.PRIVATE_FILES, X.PRIVATE_FILES, { files });
  }
  if (snapshot.ipc !== undefined) out.add(types.IPC, X.IPC, snapshot.ipc);
  if (snapshot.queues !== undefined) out.add(types.QUEUES, X.QUEUES, { queues: snapshot.queues });
  if (snapshot.network !== undefined) out.add(types.NETWORK, X.NETWORK, snapshot.network);
  if (snapshot.identities !== undefined)
    out.add(types.IDENTITIES, X.IDENTITIES, { files: snapshot.identities });
  if (snapshot.compared !== undefined) out.add(types.COMPARED, X.COMPARED, { parts: snapshot.compared });
  if (snapshot.setIds !== undefined) out.add(types.SET_IDS, X.SET_IDS, { files: snapshot.setIds });
  return { head: { magic: TRAILER_MAGIC, version: TRAILER_VERSION, flags: 0 }, records: out.records };
}
