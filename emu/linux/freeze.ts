/**
 * From a stopped kernel to plain data and back. Every area of the personality keeps its state in a form that goes into
 * a snapshot as it is; here they are put together.
 */
import { modelFor } from "../cpu/models.ts";
import type { SharedObject } from "../memory/shared-object.ts";
import { ProgramTag } from "../program-tag.ts";

import {
  type CredentialsSnapshot,
  type FamilySnapshot,
  MAX_PROCESSES,
  type MachineSnapshot,
  type ProcessSnapshot,
  type ThreadSnapshot,
} from "../snapshot.ts";
import { ABIS } from "./abi.ts";
import type { FreezeTables, ProcessFiles } from "./contracts.ts";
import {
  areSame,
  type Credentials,
  freezeCredentials,
  SECBIT_KEEP_CAPS,
  thawCredentials,
} from "./credentials.ts";
import { freezeMemory, freezeShared, thawMemory, thawShared } from "./freeze-memory.ts";
import { freezeRegisters, thawRegisters } from "./freeze-registers.ts";
import { FilterTable, thawConfinements } from "./freeze-seccomp.ts";
import { Kernel, type KernelOptions } from "./kernel.ts";
import { thawPolicy } from "./memory-policy.ts";
import { defaultAttributes, defaultLimits, emptyLayout, type Process, shortName } from "./process.ts";
import { checkSignal, SIGWINCH } from "./signals/signal-numbers.ts";
import { freezeCompared, thawCompared } from "./syscalls/kcmp.ts";
import { MOST_PID } from "./tasks.ts";
import { isScheduledAlike, ordinaryScheduling, schedulingFrom } from "./scheduling.ts";
import { Thread } from "./thread.ts";
import { freezeTraces, thawTraces } from "./tracing/freeze-traces.ts";
import { freezeUsage, thawUsage } from "./usage.ts";
import { fileTables, freezeNetwork, freezeOwnFiles } from "./vfs/freeze-files.ts";
import type { OnChanged } from "./vfs/known-files.ts";
import { thawFiles } from "./vfs/thaw-files.ts";
import { type CallInProgress, isCallState } from "./wait-queue.ts";

/** Bounds on what a snapshot may ask for. */
const MOST_THREADS = 65536;
const MOST_GROUPS = 65536;

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
    identities: [],
    knownFiles: [],
    obstacles: [],
    includeFiles,
  };
  const sharing = new Sharing();
  kernel.settleTime();
  const filters = new FilterTable();
  const processes = [...kernel.processes.values()].map((process) =>
    freezeProcess(process, tables, sharing, filters),
  );
  const order = scheduler.order;
  const ipc = kernel.ipc.freeze((object) => tables.sharedObject(object));
  const queues = kernel.fileSystem.queues.freeze(fileTables(kernel.fileSystem, tables));
  const network = freezeNetwork(kernel.fileSystem, tables);
  const setIds = kernel.fileSystem.setIds.freeze(kernel.fileSystem);
  const firstUser = kernel.fileSystem.owners.freeze(
    [...kernel.processes.values()].map(({ credentials }) => credentials),
  );
  const compared = freezeCompared(kernel.processes.values());
  const [{ files }] = kernel.processes.values();
  const sharedObjects = [...objects.keys()].map((object) => freezeShared(object, files, tables));
  const own = freezeOwnFiles(kernel.fileSystem, tables);
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
    ...own,
    sharedObjects,
    knownFiles: tables.knownFiles,
    ...(queues.length > 0 ? { queues } : {}),
    ...(ipc === undefined ? {} : { ipc }),
    ...(network === undefined ? {} : { network }),
    ...(setIds.length > 0 ? { setIds } : {}),
    ...(compared.length > 0 ? { compared } : {}),
    ...(kernel.dscrDefault === 0n ? {} : { dscrDefault: kernel.dscrDefault }),
    ...(firstUser === undefined ? {} : { firstUser: { ...firstUser } }),
    ...(tables.obstacles.length > 0 ? { obstacles: tables.obstacles } : {}),
    ...(tables.locks.length > 0 ? { locks: tables.locks } : {}),
    ...(filters.isNeeded ? { filters: filters.list } : {}),
    ...freezeTraces(kernel),
    scheduler: { tid: order[0] ?? 0, sliceLeft: scheduler.sliceLeft, order },
    nextPid: kernel.tasks.nextPid,
  };
}

/** What processes share, by the first of them. */
class Sharing {
  private readonly owners = new Map<object, number>();

  /** Who has `object` too and came before: the id of a process, or of a thread with files of its own; 0 for the first. */
  of(object: object, id: number): number {
    const owner = this.owners.get(object);
    if (owner === undefined) this.owners.set(object, id);
    return owner ?? 0;
  }

  files({ table, fs }: ProcessFiles, id: number): Pick<FamilySnapshot["shares"], "descriptors" | "fs"> {
    return { descriptors: this.of(table, id), fs: this.of(fs, id) };
  }
}

const isZombie = ({ exitStatus, threads }: Process): boolean => exitStatus !== null && threads.size === 0;

function freezeFamily(process: Process, sharing: Sharing): FamilySnapshot {
  const { pid, mm, files, signals, vforkParent } = process;
  const lives = !isZombie(process);
  return {
    exitSignal: process.exitSignal,
    childCpuTime: process.childCpuTime,
    startTime: process.startTime,
    stoppedBy: process.stoppedBy,
    report: { ...process.report },
    hasExecuted: process.hasExecuted,
    vforkParent: vforkParent?.tid ?? 0,
    shares: {
      memory: lives ? sharing.of(mm, pid) : 0,
      ...(lives ? sharing.files(files, pid) : { descriptors: 0, fs: 0 }),
      actions: sharing.of(signals.actions, pid),
    },
  };
}

function freezeProcess(
  process: Process,
  tables: FreezeTables,
  sharing: Sharing,
  filters: FilterTable,
): ProcessSnapshot {
  const { limits, threads } = process;
  return {
    pid: process.pid,
    ppid: process.ppid,
    pgid: process.pgid,
    sid: process.sid,
    comm: process.comm,
    exe: process.exe,
    // Files first: that writes changed pages of shared mappings to their files.
    ...process.files.freeze(tables, process.pid),
    credentials: freezeCredentials(process.credentials),
    limits: limits.map((limit) => ({ ...limit })),
    memory: isZombie(process) ? { ...emptyLayout(), areas: [] } : freezeMemory(process, tables),
    ...process.signals.freeze(),
    ...process.timers.freeze(),
    prctl: { ...process.prctl, noNewPrivs: process.leader?.noNewPrivs ?? false },
    attributes: {
      ...process.attributes,
      ...freezeUsage(process.usage),
      keepCapabilities: (process.credentials.securebits & SECBIT_KEEP_CAPS) !== 0,
      ...process.scheduling,
    },
    personality: process.personality,
    elfv2: process.elfv2,
    abi: process.abi.name,
    cpuModel: process.cpuModel.name,
    family: freezeFamily(process, sharing),
    cpuTime: process.cpuTime,
    exitStatus: process.exitStatus,
    threads: [...threads].map((thread) => freezeThread(thread, tables, sharing, filters)),
  };
}

function freezeThread(
  thread: Thread,
  tables: FreezeTables,
  sharing: Sharing,
  filters: FilterTable,
): ThreadSnapshot {
  const { process, signals, blocked, tid, files } = thread;
  return {
    tid,
    registers: freezeRegisters(thread.registers, process.cpuModel.facilities.has("64"), thread.fpexcMode),
    signalMask: signals.mask,
    savedMask: signals.savedMask,
    pendingSignals: signals.pending.entries.map((info) => ({ ...info })),
    altStack: { ...signals.altStack, sp: signals.altStack.sp },
    clearTid: thread.clearTid,
    robustList: { ...thread.robustList },
    blocked: blocked === null ? null : { ...blocked, state: { ...blocked.state } },
    stopped: thread.state === "stopped",
    cpuTime: thread.cpuTime,
    ...(thread.ownName === undefined ? {} : { comm: thread.ownName }),
    ...(thread.policy === undefined ? {} : { policy: { ...thread.policy } }),
    ...(thread.affinity === undefined ? {} : { affinity: thread.affinity }),
    ...(isScheduledAlike(thread.scheduling, process.scheduling)
      ? {}
      : { scheduling: { ...thread.scheduling } }),
    ...(thread.startTime === process.startTime ? {} : { startTime: thread.startTime }),
    ...(thread.noNewPrivs === process.leader?.noNewPrivs ? {} : { noNewPrivs: thread.noNewPrivs }),
    ...(areSame(thread.credentials, process.credentials)
      ? {}
      : { credentials: freezeCredentials(thread.credentials) }),
    ...(thread.confinement === undefined ? {} : { confinement: filters.indexOf(thread.confinement) }),
    ...(files === process.files
      ? {}
      : { files: { ...files.freeze(tables, tid), shares: sharing.files(files, tid) } }),
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
  thawFiles(kernel.fileSystem, snapshot, onChanged);
  const made = processes.map((each) => addProcess(kernel, each, options));
  const objects = sharedObjects.map((object) => thawShared(object, made[0].files));
  processes.forEach((each, i) => {
    thawProcess(made[i], each, objects);
  });
  thawCompared((tid) => kernel.thread(tid), snapshot.compared);
  kernel.ipc.thaw(snapshot.ipc, objects);
  kernel.fileSystem.endThaw();
  processes.forEach((each, i) => {
    thawVfork(kernel, made[i], each);
  });
  thawConfinements(kernel, snapshot);
  thawTraces(kernel, snapshot.traces);
  kernel.tasks.nextPid = Math.min(Math.max(snapshot.nextPid, 2), MOST_PID);
  const { tid, sliceLeft, order = [tid] } = scheduler;
  const threads = order.flatMap((tid) => kernel.thread(tid) ?? []);
  kernel.scheduler.restore(
    threads.filter(({ state }) => state === "runnable"),
    sliceLeft,
  );
  kernel.resume();
  if (kernel.fileSystem.isResized) kernel.signal(SIGWINCH);
  return kernel;
}

function addProcess(kernel: Kernel, snapshot: ProcessSnapshot, options: KernelOptions): Process {
  const { pid, ppid, limits, family } = snapshot;
  if (!(Number.isInteger(pid) && pid > 0 && pid <= MOST_PID) || kernel.processes.has(pid)) {
    throw new RangeError(`process id ${pid}`);
  }
  const abi = snapshot.abi === undefined ? options.abi : ABIS[snapshot.abi];
  if (abi.littleEndian !== options.abi.littleEndian) {
    throw new RangeError(`process ${pid} is of another byte order than the machine`);
  }
  const cpuModel = abi === options.abi ? options.cpuModel : modelFor(snapshot.cpuModel, abi.name);
  const shared = earlier(kernel, pid, family?.shares.memory ?? 0);
  if (shared !== undefined && shared.abi !== abi)
    throw new RangeError(`process ${pid} shares memory of another ABI`);
  const process = kernel.makeProcess(pid, {
    credentials: thawLeader(snapshot),
    limits: defaultLimits().map((limit, i) => ({ ...(limits[i] ?? limit) })),
    mm: shared?.mm ?? kernel.newMm(abi, cpuModel),
    outerParent: ppid,
  });
  const parent = kernel.processes.get(ppid);
  if (parent !== undefined && parent !== process) adopt(parent, process);
  return process;
}

function thawUser(from: CredentialsSnapshot): Credentials {
  if (from.groups.length > MOST_GROUPS) throw new RangeError("too many groups");
  return thawCredentials(from);
}

/** Who a process's first thread is. Without capabilities of its own, old images say of PR_SET_KEEPCAPS among the attributes. */
function thawLeader({ credentials, attributes }: ProcessSnapshot): Credentials {
  const user = thawUser(credentials);
  const keeps = credentials.capabilities === undefined && attributes?.keepCapabilities === true;
  return keeps ? { ...user, securebits: SECBIT_KEEP_CAPS } : user;
}

/** A process that stands before `pid` in the snapshot; undefined for 0. */
function earlier(kernel: Kernel, pid: number, other: number): Process | undefined {
  if (other === 0) return undefined;
  const found = kernel.processes.get(other);
  if (found === undefined)
    throw new RangeError(`process ${pid} shares with process ${other}, which is not there`);
  return found;
}

function adopt(parent: Process, child: Process): void {
  child.parent = parent;
  parent.children.add(child);
}

function thawFamily(process: Process, family: FamilySnapshot): void {
  const { kernel, pid } = process;
  const { shares, report, exitSignal, stoppedBy } = family;
  for (const signo of [exitSignal, stoppedBy, report.stopped]) checkSignal(signo, `process ${pid}`);
  process.exitSignal = exitSignal;
  process.childCpuTime = family.childCpuTime;
  process.startTime = family.startTime;
  process.stoppedBy = stoppedBy;
  process.report = { ...report };
  process.hasExecuted = family.hasExecuted;
  const actions = shares.actions === 0 ? undefined : kernel.processes.get(shares.actions);
  if (actions !== undefined && actions !== process) process.signals.actions = actions.signals.actions;
  joinFiles(process, process.files, shares);
}

/** Has files be shared with a process, or with a thread that has its own. */
function joinFiles(
  { kernel }: Process,
  files: ProcessFiles,
  shares: Pick<FamilySnapshot["shares"], "descriptors" | "fs">,
): void {
  const of = (id: number) => (id === 0 ? undefined : (kernel.processes.get(id) ?? kernel.thread(id))?.files);
  const [table, fs] = [of(shares.descriptors), of(shares.fs)];
  if (table !== undefined && table !== files) files.joinTable(table);
  if (fs !== undefined && fs !== files) files.joinFs(fs);
}

/** Finds the thread that waits in vfork(2) for a process. */
function thawVfork(kernel: Kernel, process: Process, { family, exitStatus }: ProcessSnapshot): void {
  if (family === undefined || family.vforkParent === 0 || exitStatus !== null) return;
  process.vforkParent = kernel.thread(family.vforkParent);
}

function thawProcess(process: Process, from: ProcessSnapshot, objects: readonly SharedObject[]): void {
  const { mm, memory, files } = process;
  process.pgid = from.pgid;
  process.sid = from.sid;
  process.comm = shortName(from.comm);
  process.exe = from.exe;
  checkSignal(from.prctl.pdeathsig, `the parent of process ${process.pid}`);
  const { noNewPrivs, ...prctl } = from.prctl;
  process.prctl = prctl;
  const {
    nice,
    policy,
    priority,
    timerSlack,
    ioPriority,
    resetOnFork,
    keepCapabilities: _kept,
    usage,
    ...attributes
  } = {
    ...ordinaryScheduling(),
    ...defaultAttributes(),
    ...from.attributes,
  };
  process.attributes = attributes;
  if (usage !== undefined) process.usage = thawUsage(usage);
  const scheduling = { nice, policy, priority, timerSlack, ioPriority, resetOnFork };
  process.personality = from.personality ?? 0;
  process.cpuTime = from.cpuTime;
  process.exitStatus = from.exitStatus;
  process.signals.thaw(from.signalActions, from.pendingSignals);
  if (from.family !== undefined) thawFamily(process, from.family);
  if ((from.family?.shares.memory ?? 0) === 0) {
    const { areas: _, ...layout } = from.memory;
    mm.layout = { ...layout, auxv: layout.auxv.map((entry) => ({ ...entry })) };
    mm.elfv2 = from.elfv2 ?? mm.abi.elfv2;
    thawMemory(memory, from.memory, files, objects);
    mm.interpreter.program = programOf(process);
  }
  if (from.exitStatus === null && from.threads.length === 0) {
    throw new RangeError(`process ${process.pid} has no threads`);
  }
  if (from.threads.length > MOST_THREADS) throw new RangeError("too many threads");
  // They have them at the time, if only as zero.
  if (!process.abi.is64 && from.threads.some(needsUpperHalves)) process.kernel.widen(process.mm);
  for (const each of from.threads) thawThread(process, { noNewPrivs, scheduling, ...each });
  if (from.threads.length === 0) {
    process.files.close();
    process.lastScheduling = schedulingFrom(scheduling);
  }
  process.timers.thaw(from);
}

const needsUpperHalves = ({ registers: { gpr, ctr, lr } }: ThreadSnapshot): boolean =>
  [...gpr, ctr, lr].some((value) => value > 0xffff_ffffn);

/** By what the program is known to who has translated it before, if its file is mapped as programs are. */
function programOf({ exe, memory }: Process): ProgramTag | undefined {
  for (const { file } of memory.areas) {
    if (file?.path !== exe) continue;
    return new ProgramTag(exe, file.size(), (at, length) => {
      const bytes = new Uint8Array(length);
      return bytes.subarray(0, file.read(at, bytes));
    });
  }
  return undefined;
}

function thawThread(process: Process, from: ThreadSnapshot): void {
  const { kernel, abi } = process;
  const { tid, signalMask, savedMask } = from;
  if (!(Number.isInteger(tid) && tid > 0 && tid <= MOST_PID) || kernel.thread(tid) !== undefined) {
    throw new RangeError(`thread id ${tid}`);
  }
  const files = from.files === undefined ? process.files : process.files.thawed(tid);
  const credentials = from.credentials === undefined ? process.lastCredentials : thawUser(from.credentials);
  const thread = new Thread(process, tid, { files, credentials });
  if (from.files !== undefined) joinFiles(process, files, from.files.shares);
  kernel.addThread(thread);
  thread.fpexcMode = thawRegisters(thread.registers, abi, from.registers);
  thread.signals.setMask(signalMask);
  thread.signals.savedMask = savedMask;
  thread.signals.pending.restore(from.pendingSignals);
  thread.signals.altStack = { ...from.altStack };
  thread.clearTid = from.clearTid;
  thread.robustList = { ...from.robustList };
  thread.blocked = thawCall(tid, from.blocked);
  thread.cpuTime = from.cpuTime;
  if (from.comm !== undefined) thread.ownName = shortName(from.comm);
  thread.noNewPrivs = from.noNewPrivs ?? false;
  if (from.policy !== undefined) thread.policy = thawPolicy(from.policy);
  thread.affinity = from.affinity;
  thread.scheduling = schedulingFrom(from.scheduling ?? ordinaryScheduling());
  thread.startTime = from.startTime ?? process.startTime;
  if (process.exitStatus !== null) thread.state = "gone";
  else if (!from.stopped) thread.start();
}

/** The call that a thread was in: it is made again, and waits again where it waited. */
function thawCall(tid: number, from: ThreadSnapshot["blocked"]): CallInProgress | null {
  if (from === null) return null;
  const { phase = "woken", place = 0, deadline, state } = from;
  if (!isCallState(state) || !Number.isSafeInteger(place) || place < 0) {
    throw new RangeError(`what thread ${tid} remembers of its system call makes no sense: ${state.kind}`);
  }
  return { phase, place, deadline, state: { ...state } };
}
