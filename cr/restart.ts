/**
 * From an image to the snapshot of a machine that goes on from it. What the trailer says comes first, then what v13 says, then
 * the state of a fresh program. Everything is checked before the snapshot is handed out.
 */
import { defaultLimits } from "../emu/machine.ts";
import {
  type CapabilitySnapshot,
  type CredentialsSnapshot,
  type Abi,
  type MachineSnapshot,
  PAGE_SIZE,
  type PageSource,
  type ProcessSnapshot,
  type RegistersSnapshot,
  type ThreadSnapshot,
} from "../emu/snapshot.ts";
import { type CpuValues, cpuLayout, leaveCall, MSR, registersOf } from "./arch-ppc.ts";
import { GuestReader, processorOf } from "./auxiliary-vector.ts";
import * as D from "./defaults.ts";
import { errorAt, inconsistent } from "./errors.ts";
import type { Image, TaskImage } from "./image.ts";
import { runPages } from "./pages.ts";
import { type ReadOptions, readImage } from "./reader.ts";
import { textOf } from "./record-fields.ts";
import * as R from "./records.ts";
import { FileTables, removedOf } from "./restart-files.ts";
import { memoryOf, unlinkedOf } from "./restart-memory.ts";
import type { ImageSource } from "./stream.ts";
import { callStateOf } from "./text-states.ts";
import { type PagedTopic, type ProcessTopics, readTopics, type Topics } from "./trailer-read.ts";
import type * as X from "./trailer-records.ts";

const OBJECT_LIMIT = 2 ** 40;

const hex = (value: number | bigint): string => `0x${value.toString(16)}`;

/** Builds the snapshot of one image. */
class Restart {
  private readonly image: Image;
  private readonly topics: Topics;
  private readonly defaults: D.RestartDefaults;
  private readonly abi: Abi;
  private readonly files: FileTables;
  /** By pid. */
  private readonly tasks = new Map<number, { task: TaskImage; ppid: number }>();

  constructor(image: Image, defaults: D.RestartDefaults) {
    this.image = image;
    this.defaults = defaults;
    this.topics = readTopics(image);
    this.files = new FileTables(image, this.topics, defaults);
    image.pids.forEach(({ values }, index) => {
      this.tasks.set(values.vpid, { task: image.tasks[index], ppid: values.vppid });
    });
    this.abi = this.findAbi();
  }

  /** The task's MSR alone tells a 32-bit program from a 64-bit one. */
  private abiOf(task: TaskImage): Abi {
    const { image } = this;
    if ((task.cpu.values.msr & MSR.SF) === 0n || image.shape.longSize === 4) {
      if (!image.format.littleEndian) return "ppc32";
      throw errorAt("unsupported", "CPU", task.cpu, "a little-endian 32-bit program cannot be run here");
    }
    return image.format.littleEndian ? "ppc64le" : "ppc64";
  }

  /** What the machine is: its first program's ABI. */
  private findAbi(): Abi {
    const abis = this.image.tasks.map((task) => this.abiOf(task));
    const said = this.topics.machine?.abi;
    if (said !== undefined && !abis.includes(said) && this.topics.waits === undefined)
      throw inconsistent(`it says ${said}, and the registers are of ${abis[0]}`);
    if (said !== undefined && (said === "ppc64le") !== this.image.format.littleEndian)
      throw inconsistent(`it says ${said}, and the image is of the other byte order`);
    return said ?? abis[0];
  }

  /** The CPU model for a plain image. */
  private model({ memory }: ProcessSnapshot): string {
    const { abi, defaults } = this;
    return (
      defaults.cpuModel?.[abi] ??
      D.cpuModel(abi, processorOf(new GuestReader(memory.areas, this.image.format.littleEndian), memory.auxv))
    );
  }

  /** Registers of a thread: a CPU record's, and what the trailer adds. */
  private registers(cpu: CpuValues, extra: X.ThreadValues | undefined, abi: Abi): RegistersSnapshot {
    const { shape, format } = this.image;
    if (extra === undefined) return registersOf(leaveCall(cpu), shape, format);
    const registers = registersOf(cpu, shape, format);
    const high = (index: number, low: bigint): bigint =>
      shape.longSize === 8 ? low : (BigInt(extra.highHalves[index]) << 32n) | low;
    if (((extra.msr & MSR.SF) !== 0n) !== (abi !== "ppc32")) {
      throw inconsistent(`MSR ${hex(extra.msr)} of thread ${extra.tid} is not of a ${abi} program`);
    }
    return {
      ...registers,
      gpr: registers.gpr.map((value, n) => high(n, value)),
      nia: high(32, registers.nia),
      ctr: high(33, registers.ctr),
      lr: high(34, registers.lr),
      msr: extra.msr,
      vsr: registers.vsr.map(([fpr], n): [bigint, bigint] =>
        n < 32 ? [fpr, extra.fprLow[n]] : [extra.vr[n - 32].high, extra.vr[n - 32].low],
      ),
      fpscr: registers.fpscr | (BigInt(extra.fpscrHigh) << 32n),
      vrsave: extra.vrsave,
      vscr: extra.vscr,
      tar: extra.tar,
      dscr: extra.dscr,
      ppr: extra.ppr,
      reservation: extra.reservation,
      instructions: extra.instructions,
    };
  }

  private thread(
    extra: X.ThreadValues,
    task: TaskImage | undefined,
    payload: Uint8Array | undefined,
    abi: Abi,
  ): ThreadSnapshot {
    const { shape, format } = this.image;
    const cpu = extra.inTask ? task?.cpu.values : payload && cpuLayout(shape).decode(payload, format).values;
    if (cpu === undefined) {
      throw inconsistent(
        `thread ${extra.tid} of process ${extra.pid} has no ${extra.inTask ? "TASK" : "REGISTERS"} record`,
      );
    }
    return {
      tid: extra.tid,
      registers: this.registers(cpu, extra, abi),
      signalMask: extra.signalMask,
      savedMask: extra.savedMask,
      pendingSignals: extra.pending,
      altStack: { sp: extra.altSp, flags: extra.altFlags, size: extra.altSize },
      clearTid: extra.clearTid,
      robustList: { head: extra.robustHead, length: extra.robustLength },
      blocked: this.blocked(extra),
      ...(extra.stopped === null ? {} : { stopped: extra.stopped }),
      cpuTime: extra.cpuTime,
      ...(extra.comm === null ? {} : { comm: extra.comm }),
      ...(extra.policy === null ? {} : { policy: extra.policy }),
      ...(extra.affinity === null ? {} : { affinity: extra.affinity }),
      ...(extra.noNewPrivs === null ? {} : { noNewPrivs: extra.noNewPrivs }),
      ...(extra.confinement === null ? {} : { confinement: extra.confinement }),
      ...(extra.scheduling === null ? {} : { scheduling: schedulingOf(extra.scheduling) }),
      ...(extra.startTime === null ? {} : { startTime: extra.startTime }),
      ...(extra.credentials === null ? {} : { credentials: credentialsOf(extra.credentials) }),
      ...this.files.own(extra),
    };
  }

  /** A call in progress, with its place among those that wait. */
  private blocked({ tid, blocked }: X.ThreadValues): ThreadSnapshot["blocked"] {
    const wait = this.topics.waits?.waits.find((each) => each.tid === tid);
    if (blocked === null) {
      if (wait === undefined) return null;
      throw inconsistent(`thread ${tid} waits, and is in no system call`);
    }
    const call = { deadline: blocked.deadline, state: blocked.call ?? callStateOf(blocked.state, tid) };
    return wait === undefined ? call : { ...call, phase: wait.phase, place: wait.place };
  }

  private threads(
    pid: number,
    task: TaskImage | undefined,
    topics: ProcessTopics,
    abi: Abi,
  ): ThreadSnapshot[] {
    const first = topics.threads.filter((thread) => thread.inTask).length;
    if (first > 1) throw inconsistent(`${first} threads of process ${pid} have their registers in one TASK`);
    if (topics.threads.length === 0 && task !== undefined) {
      return [{ ...D.thread(pid), registers: this.registers(task.cpu.values, undefined, abi) }];
    }
    for (const tid of topics.registers.keys()) {
      if (topics.threads.some((thread) => thread.tid === tid && !thread.inTask)) continue;
      throw inconsistent(`REGISTERS of thread ${tid} of process ${pid} belong to no THREAD`);
    }
    return topics.threads.map((extra) => this.thread(extra, task, topics.registers.get(extra.tid), abi));
  }

  /** The file mapped where the program's text is. */
  private exe(task: TaskImage | undefined): string {
    const start = task?.mm.values.start_code ?? 0n;
    const area = task?.areas.find(({ vma }) => vma.values.vm_start <= start && start < vma.values.vm_end);
    return area?.name === undefined ? "" : textOf(area.name.bytes);
  }

  private process(pid: number, topics: ProcessTopics): ProcessSnapshot {
    const { defaults } = this;
    const found = this.tasks.get(pid);
    const task = found?.task;
    const p = topics.process;
    if (task === undefined && (p === undefined || p.exitStatus === null || p.memory === null)) {
      throw inconsistent(`process ${pid} has no TASK and is no zombie`);
    }
    if (task !== undefined && p !== undefined && p.exitStatus !== null) {
      throw inconsistent(`process ${pid} is a zombie with a TASK`);
    }
    const root = this.image.pids[0].values.vpid;
    const credentials = defaults.credentials ?? D.credentials();
    const whole = p ?? credentials;
    const abi = topics.family?.abi ?? (task === undefined ? this.abi : this.abiOf(task));
    return {
      pid,
      ppid: p?.ppid ?? found!.ppid,
      pgid: p?.pgid ?? root,
      sid: p?.sid ?? root,
      comm: task === undefined ? p!.comm : textOf(task.comm.bytes.subarray(0, R.COMM_SIZE - 1)),
      exe: p?.exe ?? this.exe(task),
      cwd: p?.cwd ?? defaults.cwd ?? "/",
      ...removedOf(this.topics, p),
      umask: p?.umask ?? defaults.umask ?? D.UMASK,
      credentials: credentialsOf(whole),
      limits: p?.limits ?? defaultLimits(),
      memory: memoryOf(this.image, task, this.topics, topics, abi === "ppc32" ? 4 : 8),
      descriptors: this.files.descriptors(pid, task),
      signalActions: topics.signals?.actions ?? D.signalActions(),
      pendingSignals: topics.signals?.pending ?? [],
      intervalTimers: topics.timers?.interval ?? D.intervalTimers(),
      posixTimers: topics.timers?.posix ?? [],
      prctl: {
        pdeathsig: p?.pdeathsig ?? 0,
        dumpable: p?.dumpable ?? 1,
        noNewPrivs: p?.noNewPrivs ?? false,
      },
      ...attributesOf(topics),
      ...familyOf(topics),
      ...(topics.family === undefined && abi !== this.abi ? { abi } : {}),
      ...(p === undefined || p.personality === null ? {} : { personality: p.personality }),
      ...(p === undefined || p.elfv2 === null ? {} : { elfv2: p.elfv2 }),
      cpuTime: p?.cpuTime ?? 0n,
      exitStatus: p?.exitStatus ?? null,
      threads: this.threads(pid, task, topics, abi),
    };
  }

  /** Size and pages of shared memory or of a file without a name, held against each other. */
  private contents(
    owner: "SHARED" | "UNLINKED",
    { values: { size }, runs }: PagedTopic<{ size: number }>,
    index: number,
  ): { size: number; pages: PageSource } {
    if (size < 0 || size > OBJECT_LIMIT) {
      throw errorAt("value", owner, {}, `object ${index} has ${size} bytes`);
    }
    const last = runs.at(-1)?.offsets.at(-1) ?? 0;
    if (runs.length > 0 && last >= Math.ceil(size / PAGE_SIZE) * PAGE_SIZE) {
      const message = `object ${index} has a page at ${hex(last)}, behind its end`;
      throw errorAt("value", `${owner}_PAGES`, {}, message);
    }
    return { size, pages: runPages(runs) };
  }

  private sharedObjects(): MachineSnapshot["sharedObjects"] {
    return this.topics.shared.map((topic, index) => {
      const { path, unlinked, readOnly } = topic.values;
      const file = path === null ? null : { path, ...unlinkedOf(this.topics, unlinked, "shared memory") };
      return { file, ...(readOnly ? { readOnly } : {}), ...this.contents("SHARED", topic, index) };
    });
  }

  private unlinkedFiles(): MachineSnapshot["unlinkedFiles"] {
    return this.topics.unlinked.map((topic, index) => {
      const { mode, path, atime, mtime, isNameable } = topic.values;
      const times = atime === null || mtime === null ? {} : { atime, mtime };
      const named = { ...(path === "" ? {} : { path }), ...(isNameable ? { isNameable } : {}) };
      return { mode, ...named, ...times, ...this.contents("UNLINKED", topic, index) };
    });
  }

  private privateFiles({ files }: X.PrivateFilesValues): MachineSnapshot["privateFiles"] {
    return files.map(({ target, content, ...file }) => {
      if (content !== null && this.topics.unlinked[content] === undefined) {
        throw inconsistent(`the contents of ${file.path} are to be in UNLINKED record ${content}`);
      }
      return {
        ...file,
        ...(target === null ? {} : { target }),
        ...(content === null ? {} : { content }),
      };
    });
  }

  snapshot(): MachineSnapshot {
    const { image, topics, defaults, abi } = this;
    // Processes stand in the trailer's order; those that only v13 knows come after them.
    const pids = new Set([...topics.processes.keys(), ...this.tasks.keys()]);
    const none: ProcessTopics = { threads: [], registers: new Map() };
    const processes = [...pids].map((pid) => this.process(pid, topics.processes.get(pid) ?? none));
    for (const { pid } of topics.files?.descriptors ?? []) {
      if (!pids.has(pid)) throw inconsistent(`a descriptor belongs to process ${pid}, which does not exist`);
    }
    const m = topics.machine;
    const head = image.head.values;
    const clock = defaults.clock ?? { realtime: head.time * D.SECOND, monotonic: D.UPTIME };
    const names = {
      release: textOf(head.release),
      version: textOf(head.version),
      machine: textOf(head.machine),
    };
    const space = m?.addressSpaceSize ?? defaults.addressSpaceSize ?? D.ADDRESS_SPACE;
    if (space <= 0 || space > D.ADDRESS_SPACE) {
      throw errorAt("value", "MACHINE", {}, `an address space of ${space} bytes`);
    }
    const tids = processes.flatMap((process) => process.threads.map((thread) => thread.tid));
    if (new Set(tids).size !== tids.length) throw inconsistent("two threads have the same id");
    return {
      abi,
      cpuModel: m?.cpuModel ?? this.model(processes[0]),
      addressSpaceSize: space,
      instructions: m?.instructions ?? 0n,
      clock:
        m === undefined
          ? { seed: null, random: [], ...clock }
          : { seed: m.seed, random: m.random, realtime: m.realtime, monotonic: m.monotonic },
      uts:
        m === undefined
          ? D.uts(names, defaults.nodename ?? "localhost")
          : {
              sysname: m.sysname,
              nodename: m.nodename,
              release: m.release,
              version: m.version,
              machine: m.machine,
            },
      processes,
      openFiles: this.files.openFiles,
      pipes: topics.pipes.map(({ packets, ...pipe }) => (packets.length === 0 ? pipe : { ...pipe, packets })),
      unlinkedFiles: this.unlinkedFiles(),
      sharedObjects: this.sharedObjects(),
      ...(topics.filters === undefined ? {} : { filters: topics.filters.filters }),
      ...(topics.traces === undefined ? {} : { traces: topics.traces }),
      ...(topics.locks === undefined ? {} : { locks: topics.locks.locks }),
      ...(topics.knownFiles === undefined ? {} : { knownFiles: topics.knownFiles.files }),
      ...(topics.privateFiles === undefined ? {} : { privateFiles: this.privateFiles(topics.privateFiles) }),
      ...(topics.ipc === undefined ? {} : { ipc: topics.ipc }),
      ...(topics.queues === undefined ? {} : { queues: topics.queues.queues }),
      ...(topics.network === undefined ? {} : { network: topics.network }),
      ...(topics.identities === undefined ? {} : { identities: topics.identities.files }),
      ...(m === undefined || m.firstUser === null ? {} : { firstUser: m.firstUser }),
      ...(m === undefined || m.dscrDefault === 0n ? {} : { dscrDefault: m.dscrDefault }),
      ...(topics.compared === undefined ? {} : { compared: topics.compared.parts }),
      ...(topics.setIds === undefined ? {} : { setIds: topics.setIds.files }),
      scheduler: {
        tid: m?.nextTid ?? tids[0],
        sliceLeft: m?.sliceLeft ?? D.SLICE_LEFT,
        ...(topics.waits === undefined ? {} : { order: topics.waits.order }),
      },
      nextPid: m?.nextPid ?? Math.max(...pids, ...tids) + 1,
    };
  }
}

/** What is as for every thread that has set nothing is left out. */
/** Ids, with capabilities where they don't follow from those. */
function credentialsOf({
  capabilities = null,
  ...from
}: Omit<NonNullable<X.ThreadValues["credentials"]>, "capabilities"> & {
  capabilities?: CapabilitySnapshot | null;
}): CredentialsSnapshot {
  const { uid, euid, suid, fsuid, gid, egid, sgid, fsgid, groups } = from;
  const ids = { uid, euid, suid, fsuid, gid, egid, sgid, fsgid, groups };
  return capabilities === null ? ids : { ...ids, capabilities };
}

function schedulingOf<T extends NonNullable<X.ThreadValues["scheduling"]>>({
  priority,
  ioPriority,
  resetOnFork,
  ...values
}: T) {
  return {
    ...values,
    ...(priority === 0 ? {} : { priority }),
    ...(ioPriority === 0 ? {} : { ioPriority }),
    ...(resetOnFork ? { resetOnFork } : {}),
  };
}

function attributesOf({ attributes }: ProcessTopics): Pick<ProcessSnapshot, "attributes"> {
  if (attributes === undefined) return {};
  const {
    pid: _,
    oomScoreAdj,
    membarriers,
    locksFuture,
    locksOnFault,
    peak,
    childrenPeak,
    faults,
    childFaults,
    readBytes,
    writtenBytes,
    reads,
    writes,
    ...values
  } = attributes;
  const usage = { faults, childFaults, readBytes, writtenBytes, reads, writes };
  const set = {
    ...(oomScoreAdj === 0 ? {} : { oomScoreAdj }),
    ...(membarriers === 0 ? {} : { membarriers }),
    ...(locksFuture ? { locksFuture } : {}),
    ...(locksOnFault ? { locksOnFault } : {}),
    ...(peak === 0 ? {} : { peak }),
    ...(childrenPeak === 0 ? {} : { childrenPeak }),
    ...(Object.values(usage).every((value) => value === 0n) ? {} : { usage }),
  };
  return { attributes: { ...schedulingOf(values), ...set } };
}

function familyOf({ family }: ProcessTopics): Pick<ProcessSnapshot, "abi" | "cpuModel" | "family"> {
  if (family === undefined) return {};
  const { pid: _, abi, cpuModel, stopped, continued, ...rest } = family;
  const { sharesMemory, sharesDescriptors, sharesFs, sharesActions, ...values } = rest;
  const shares = {
    memory: sharesMemory,
    descriptors: sharesDescriptors,
    fs: sharesFs,
    actions: sharesActions,
  };
  return { abi, cpuModel, family: { ...values, report: { stopped, continued }, shares } };
}

/** The snapshot of a machine that goes on from `image`. Throws ImageError when this machine cannot. */
export function snapshotOf(image: Image, defaults: D.RestartDefaults = {}): MachineSnapshot {
  return new Restart(image, defaults).snapshot();
}

/** Reads an image and gives the snapshot to go on from. Page contents stay in `source` until they are fetched. */
export function restart(
  source: ImageSource,
  options: ReadOptions & { defaults?: D.RestartDefaults } = {},
): MachineSnapshot {
  return snapshotOf(readImage(source, options), options.defaults);
}
