/**
 * From a stopped kernel to plain data and back. Every area of the personality keeps its state in a form that goes into
 * a snapshot as it is; here they are put together.
 */
import type { SharedObject } from "../memory/shared-object.ts";
import {
  MAX_PROCESSES,
  type MachineSnapshot,
  type ProcessSnapshot,
  type ThreadSnapshot,
} from "../snapshot.ts";
import type { FreezeTables } from "./areas.ts";
import { freezeMemory, freezeShared, thawMemory, thawShared } from "./freeze-memory.ts";
import { freezeRegisters, thawRegisters } from "./freeze-registers.ts";
import { Kernel, type KernelOptions } from "./kernel.ts";
import { defaultAttributes, defaultLimits, type Process, shortName } from "./process.ts";
import type { Thread } from "./thread.ts";
import type { OnChanged } from "./vfs/known-files.ts";

/** Bounds on what a snapshot may ask for. */
const MOST_THREADS = 65536;
const MOST_GROUPS = 65536;
const MOST_PID = 0x3f_ffff;

/** Everything the machine is. Pages are read from it later: use the snapshot before running on. */
export function freezeKernel(
  kernel: Kernel,
  { includeFiles = false }: { includeFiles?: boolean } = {},
): MachineSnapshot {
  const { abi, clock, random, scheduler } = kernel;
  const objects = new Map<SharedObject, number>();
  const tables: FreezeTables = {
    sharedObject(object) {
      const known = objects.get(object);
      if (known !== undefined) return known;
      objects.set(object, objects.size);
      return objects.size - 1;
    },
    openFiles: [],
    pipes: [],
    locks: [],
    unlinkedFiles: [],
    knownFiles: [],
    obstacles: [],
    includeFiles,
  };
  const processes = [...kernel.processes.values()].map((process) => freezeProcess(process, tables));
  const setIds = kernel.fileSystem.setIds.freeze(kernel.fileSystem);
  const [{ files }] = kernel.processes.values();
  const sharedObjects = [...objects.keys()].map((object) => freezeShared(object, files, tables));
  return {
    abi: abi.name,
    cpuModel: kernel.cpuModel.name,
    addressSpaceSize: kernel.addressSpaceSize,
    instructions: kernel.instructions,
    clock: {
      seed: kernel.seed ?? null,
      random: [...random.state],
      realtime: clock.realtime(),
      monotonic: clock.monotonic(),
    },
    uts: { ...kernel.uts },
    processes,
    openFiles: tables.openFiles,
    pipes: tables.pipes,
    unlinkedFiles: tables.unlinkedFiles,
    sharedObjects,
    knownFiles: tables.knownFiles,
    ...(setIds.length > 0 ? { setIds } : {}),
    ...(tables.obstacles.length > 0 ? { obstacles: tables.obstacles } : {}),
    ...(tables.locks.length > 0 ? { locks: tables.locks } : {}),
    scheduler: { tid: scheduler.currentTid, sliceLeft: scheduler.sliceLeft },
    nextPid: kernel.nextPid,
  };
}

function freezeProcess(process: Process, tables: FreezeTables): ProcessSnapshot {
  const { credentials, limits, threads } = process;
  return {
    pid: process.pid,
    ppid: process.ppid,
    pgid: process.pgid,
    sid: process.sid,
    comm: process.comm,
    exe: process.exe,
    // Files first: that writes changed pages of shared mappings to their files.
    ...process.files.freeze(tables),
    credentials: { ...credentials, groups: [...credentials.groups] },
    limits: limits.map((limit) => ({ ...limit })),
    memory: freezeMemory(process, tables),
    ...process.signals.freeze(),
    ...process.timers.freeze(),
    prctl: { ...process.prctl },
    attributes: { ...process.attributes },
    personality: process.personality,
    elfv2: process.elfv2,
    cpuTime: process.cpuTime,
    exitStatus: process.exitStatus,
    threads: [...threads].map(freezeThread),
  };
}

function freezeThread(thread: Thread): ThreadSnapshot {
  const { process, signals, blocked } = thread;
  return {
    tid: thread.tid,
    registers: freezeRegisters(thread.registers, process.kernel.abi, thread.fpexcMode),
    signalMask: signals.mask,
    savedMask: signals.savedMask,
    pendingSignals: signals.pending.entries.map((info) => ({ ...info })),
    altStack: { ...signals.altStack, sp: signals.altStack.sp },
    clearTid: thread.clearTid,
    robustList: { ...thread.robustList },
    blocked: blocked === null ? null : { ...blocked },
    stopped: thread.state === "stopped",
    cpuTime: thread.cpuTime,
  };
}

/**
 * Builds the kernel that a snapshot describes. Throws HostError when a file that it needs can't be had, RangeError when
 * it makes no sense.
 */
export function thawKernel(
  snapshot: MachineSnapshot,
  { onChanged = "fail", ...options }: KernelOptions & { onChanged?: OnChanged },
): Kernel {
  const { processes, sharedObjects, scheduler } = snapshot;
  if (processes.length === 0 || processes.length > MAX_PROCESSES) {
    throw new RangeError(`it has ${processes.length} processes, and a machine runs ${MAX_PROCESSES}`);
  }
  const kernel = new Kernel({ ...options, addressSpaceSize: snapshot.addressSpaceSize }, snapshot);
  kernel.fileSystem.thaw(snapshot, onChanged);
  const made = processes.map((each) => addProcess(kernel, each));
  const objects = sharedObjects.map((object) => thawShared(object, made[0].files));
  processes.forEach((each, i) => {
    thawProcess(made[i], each, objects);
  });
  kernel.fileSystem.endThaw();
  kernel.nextPid = Math.max(snapshot.nextPid, ...processes.map(({ pid }) => pid + 1));
  kernel.scheduler.restore(scheduler.tid, scheduler.sliceLeft);
  return kernel;
}

function addProcess(kernel: Kernel, snapshot: ProcessSnapshot): Process {
  const { pid, credentials, limits } = snapshot;
  if (!(Number.isInteger(pid) && pid > 0 && pid <= MOST_PID) || kernel.processes.has(pid)) {
    throw new RangeError(`process id ${pid}`);
  }
  if (credentials.groups.length > MOST_GROUPS) throw new RangeError("too many groups");
  return kernel.addProcess(pid, {
    credentials: { ...credentials, groups: [...credentials.groups] },
    limits: defaultLimits().map((limit, i) => ({ ...(limits[i] ?? limit) })),
  });
}

function thawProcess(process: Process, from: ProcessSnapshot, objects: readonly SharedObject[]): void {
  const { kernel, memory, files } = process;
  process.ppid = from.ppid;
  process.pgid = from.pgid;
  process.sid = from.sid;
  process.comm = shortName(from.comm);
  process.exe = from.exe;
  process.prctl = { ...from.prctl };
  process.attributes = { ...defaultAttributes(), ...from.attributes };
  process.personality = from.personality ?? 0;
  process.elfv2 = from.elfv2 ?? kernel.abi.elfv2;
  process.cpuTime = from.cpuTime;
  process.exitStatus = from.exitStatus;
  const { areas: _, ...layout } = from.memory;
  process.layout = { ...layout, auxv: layout.auxv.map((entry) => ({ ...entry })) };
  thawMemory(memory, from.memory, files, objects);
  process.signals.thaw(from.signalActions, from.pendingSignals);
  if (from.exitStatus === null && from.threads.length === 0) {
    throw new RangeError(`process ${process.pid} has no threads`);
  }
  if (from.threads.length > MOST_THREADS) throw new RangeError("too many threads");
  for (const each of from.threads) thawThread(process, each);
  process.timers.thaw(from);
}

function thawThread(process: Process, from: ThreadSnapshot): void {
  const { kernel } = process;
  const { tid, signalMask, savedMask } = from;
  if (!(Number.isInteger(tid) && tid > 0 && tid <= MOST_PID) || kernel.thread(tid) !== undefined) {
    throw new RangeError(`thread id ${tid}`);
  }
  const thread = kernel.addThread(process, tid);
  thread.fpexcMode = thawRegisters(thread.registers, kernel.abi, from.registers);
  thread.signals.setMask(signalMask);
  thread.signals.savedMask = savedMask;
  thread.signals.pending.restore(from.pendingSignals);
  thread.signals.altStack = { ...from.altStack };
  thread.clearTid = from.clearTid;
  thread.robustList = { ...from.robustList };
  // The call it waited in is made again, and waits again.
  thread.blocked = from.blocked === null ? null : { ...from.blocked };
  thread.state = from.stopped ? "stopped" : "runnable";
  thread.cpuTime = from.cpuTime;
  if (from.registers.dabr !== 0n) process.memory.setBreakpoint(from.registers.dabr);
}
