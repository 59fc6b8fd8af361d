/**
 * The kernel personality of one machine: its processes, and the loop that runs their threads. Nothing here is shared
 * between machines.
 *
 * Threads take turns by instruction count. The loop runs the interpreter in pieces short enough that the host is
 * never kept waiting, and ends a piece exactly where something is due: a limit, the end of a turn and, where time
 * follows the instruction count, a timer. Where pieces end for the host's sake makes no difference to the program.
 */

import type { Cpu, CpuModel } from "../cpu/cpu.ts";
import { GuestFault } from "../cpu/fault.ts";
import { CallEnd, Interpreter } from "../cpu/interpreter.ts";
import { findModel } from "../cpu/models.ts";
import { DSCR, NIA } from "../cpu/registers.ts";
import type { Host } from "../host/host.ts";
import { decodeName, encodeName } from "../host/names.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import { AddressSpacePool } from "../memory/pool.ts";
import { WatchpointHit } from "../memory/watched.ts";
import { ProgramTag } from "../program-tag.ts";
import type { MachineSnapshot } from "../snapshot.ts";
import {
  FIRST_PIECE,
  HOST_SHARE,
  LEAST_PIECE,
  LONGEST_SLEEP,
  MOST_PIECE,
  MOST_UNSEEN,
  PIECE_TIME,
} from "../tuning.ts";
import { ABIS, type AbiInfo } from "./abi.ts";
import { Alarms } from "./alarms.ts";
import { isVectored, R3 } from "./call-return.ts";
import { type Clock, RealClock, VirtualClock } from "./clock.ts";
import type { ExecRequest } from "./contracts.ts";
import { cpuLimit, enforceCpuLimit } from "./cpu-limit.ts";
import { afterExec, CAP_SYS_PTRACE, type Credentials, isCapable, ordinaryUser } from "./credentials.ts";
import { type CallOptions, Dispatcher } from "./dispatcher.ts";
import { DueTimers } from "./due-timers.ts";
import { readProgram } from "./elf/header.ts";
import { ENOEXEC, ENOMEM, SysError } from "./errno.ts";
import { type ExecContext, initialFpexcMode, loadProgram, resetRegisters } from "./exec.ts";
import { FutexTable } from "./futex-table.ts";
import { IpcObjects } from "./ipc/ipc-objects.ts";
import { type LoadedProgram, Mm } from "./mm.ts";
import type { NetGrants } from "./net/gateway.ts";
import { defaultLimits, emptyLayout, type Limit, Process, RLIMIT_STACK } from "./process.ts";
import type { Profiler } from "./profiler.ts";
import { hostRandom, type Random, SeededRandom } from "./random.ts";
import { releaseThread } from "./release-thread.ts";
import { Scheduler } from "./scheduler.ts";
import { throughScripts } from "./scripts.ts";
import type { ReturnedCall } from "./signals/deliver.ts";
import { signalInfo } from "./signals/pending.ts";
import { post, postToGroup } from "./signals/post.ts";
import { SI_KERNEL, SIGHUP, SIGINT, SIGQUIT, SIGTERM } from "./signals/signal-numbers.ts";
import { deliver, hasSignals, makeTimers, raise, trapLater } from "./signals/task-signals.ts";
import type { System } from "./system.ts";
import { Tasks } from "./tasks.ts";
import { Thread } from "./thread.ts";
import { steps } from "./tracing/tracee.ts";
import { afterCall, entersCall, noteExec, stepped, stopsBefore } from "./tracing/tracing.ts";
import { FileSystem } from "./vfs/file-system.ts";
import type { MountConfig } from "./vfs/mounts.ts";
import { attachFiles } from "./vfs/process-files.ts";

export interface KernelOptions extends CallOptions {
  host: Host;
  abi: AbiInfo;
  cpuModel: CpuModel;
  /** What of the host's files the guest sees. */
  mounts: readonly MountConfig[];
  /** What of the host's network programs reach; nothing by default. */
  net?: NetGrants;
  /** Guest path of the working directory of the first process. */
  cwd?: string;
  /** Virtual time and seeded random numbers. */
  seed?: bigint;
  /** Bytes of guest address space; default 4 GiB. */
  addressSpaceSize?: number;
  /**
   * Bytes of memory for all programs together. Private memory that they map is counted then, and refused beyond; by
   * default they are told of as much as an address space has, and only obvious excess is refused.
   */
  memorySize?: number;
  /** Most processes at a time, up to 500 (the default); fork(2) says EAGAIN beyond. */
  maxProcesses?: number;
  /** CPUs that programs are told of; default 1. */
  cpus?: number;
  /** Of the first process; default user and group 1000. */
  credentials?: Credentials;
  /** What uname(2) says the kernel's release is. */
  release?: string;
  /** RLIMIT_STACK of the first process, in bytes. */
  stackLimit?: bigint;
  /** What executes instructions; default the interpreter. */
  engine?: (cpu: Cpu) => Interpreter;
  /** Is told what threads have executed. */
  profiler?: Profiler;
}

/** Why `run` came back. */
export type KernelExit =
  | { reason: "exit"; status: number }
  | { reason: "signal"; signo: number; core: boolean }
  /** Exactly `limit` instructions have been retired since `run` was called. */
  | { reason: "limit" }
  /** `requestStop` was called. */
  | { reason: "stopped" };

/** Where a debugger's breakpoint or, with `hit`, watchpoint has stopped a thread: before the instruction at its NIA. */
export interface Pause {
  readonly thread: Thread;
  readonly hit?: WatchpointHit;
}

/** The program that a machine begins with. */
export interface StartRequest {
  /** Guest path. */
  path: string;
  /** The path as it was given to execve, for AT_EXECFN; default `path`. */
  execfn?: string;
  argv: readonly Uint8Array[];
  env: readonly Uint8Array[];
  /** Contents, where the program is not to be read from the guest's files. */
  bytes?: Uint8Array;
}

const FIRST_PID = 1000;

/** By which a user says that the program is to end. */
const ENDING_SIGNALS = new Set([SIGHUP, SIGINT, SIGQUIT, SIGTERM]);

const UTS = {
  sysname: "Linux",
  nodename: "ppcr",
  release: "6.1.0",
  version: "#1 SMP",
};

/** Thrown where an instruction wants the time in the middle of a piece, when only the count at its end is known. */
const TIME_WANTED = new Error("the time base is read");

/** A call of which signals are taken, with the halves that r3 had before it. */
const returnedCall = (low: number, high: number, vectored: boolean): ReturnedCall => ({
  origGpr3: (BigInt(high) << 32n) | BigInt(low),
  vectored,
});

const least = (a: bigint | undefined, b: bigint | undefined): bigint | undefined => {
  if (a === undefined) return b;
  return b === undefined || a < b ? a : b;
};

export class Kernel implements System {
  readonly host: Host;
  /** ABI and CPU model of the first program. */
  readonly abi: AbiInfo;
  readonly cpuModel: CpuModel;
  readonly clock: Clock;
  readonly random: Random;
  readonly seed: bigint | undefined;
  readonly uts: MachineSnapshot["uts"];
  readonly addressSpaceSize: number;
  readonly memorySize: number;
  readonly countsMemory: boolean;
  readonly cpus: number;
  dscrDefault: bigint;
  readonly fileSystem: FileSystem;
  readonly scheduler = new Scheduler<Thread>(() => this.instructions);
  readonly futexes = new FutexTable();
  readonly alarms = new Alarms();
  readonly ipc = new IpcObjects(() => this.processes);
  caller: Thread | undefined;
  began = 0n;
  readonly tasks: Tasks;
  private readonly addressSpaces = new AddressSpacePool();
  private readonly options: KernelOptions;
  private readonly dispatcher: Dispatcher;
  private readonly timers = new DueTimers();
  /** Retired by all threads, but for the last ones: to count in BigInts takes V8 a call each time. */
  private counted = 0n;
  private uncounted = 0;
  private place = 0;
  private ending: KernelExit | undefined;
  private paused: Pause | undefined;
  private stopRequested = false;
  /** Somebody outside does not want to wait for what the first process has left behind. */
  private abandoned = false;
  /** Threads that a thaw has left waiting and that have still to say for what, in their order. */
  private thawed: Thread[] = [];
  /** The time base is exact now: the next instruction is the only one of its piece. */
  private timeIsExact = false;
  /** Ends the wait for the host, while there is one. */
  private endWait: (() => void) | undefined;
  /** Instructions that take about PIECE_TIME. */
  private piece = FIRST_PIECE;
  /** The thread that ran last, and the times that threads have run since the clock was read. */
  private ran: Thread | undefined;
  private unseen = 0;
  /** Instructions of the piece that was run last. */
  private executed = 0;
  /** Whether calls may be made in the middle of the piece, by translated code. */
  private takesCalls = false;
  /** The host's time when the piece began, after how much of it something is due, and whether it has been looked at between such calls. */
  private pieceBegan = 0n;
  private pieceTime: bigint | undefined;
  private hasLooked = false;
  /** What a call that was made so, and has been interrupted, was. */
  private returned: ReturnedCall | undefined;

  /** A machine without processes. `from` is the snapshot it goes on from. */
  constructor(options: KernelOptions, from?: MachineSnapshot) {
    const { host, abi } = options;
    this.options = options;
    this.host = host;
    this.abi = abi;
    this.cpuModel = options.cpuModel;
    this.addressSpaceSize = options.addressSpaceSize ?? 2 ** 32;
    this.memorySize = options.memorySize ?? this.addressSpaceSize;
    this.countsMemory = options.memorySize !== undefined;
    this.cpus = options.cpus ?? 1;
    this.dscrDefault = from?.dscrDefault ?? 0n;
    this.uts = from?.uts ?? { ...UTS, release: options.release ?? UTS.release, machine: abi.machine };
    this.counted = from?.instructions ?? 0n;
    const seed = from === undefined ? options.seed : (from.clock.seed ?? undefined);
    this.seed = seed;
    if (seed === undefined) {
      this.clock = new RealClock(host.clock, from?.clock.monotonic);
      this.random = hostRandom(host);
    } else {
      this.clock = new VirtualClock(() => this.instructions, from?.clock);
      this.random = new SeededRandom(seed, from?.clock.random);
    }
    const random = (into: Uint8Array) => this.random.fill(into);
    const steady = seed !== undefined;
    const { mounts, cwd, net } = options;
    this.fileSystem = new FileSystem({ host, mounts, cwd, net, random, steady, machine: this });
    this.tasks = new Tasks(FIRST_PID, {
      most: options.maxProcesses,
      makeMm: (abi, cpuModel, size) => this.makeMm(abi, cpuModel, size),
      freed: ({ memory }) => this.addressSpaces.give(memory),
      ended: (process) => this.firstEnded(process),
    });
    this.dispatcher = new Dispatcher(this, options);
  }

  /** Retired by all threads since the program began. */
  get instructions(): bigint {
    this.counted += BigInt(this.uncounted);
    this.uncounted = 0;
    return this.counted;
  }

  // ---- tasks -------------------------------------------------------------------------------------------------

  get processes(): ReadonlyMap<number, Process> {
    return this.tasks.processes;
  }
  thread(tid: number): Thread | undefined {
    return this.tasks.threads.get(tid);
  }
  nextPlace = (): number => this.place++;
  newPid(): number {
    return this.tasks.newPid();
  }
  isTaken(pid: number): boolean {
    return this.tasks.isTaken(pid);
  }
  get hasRoom(): boolean {
    return this.tasks.hasRoom;
  }
  newMm(abi: AbiInfo, cpuModel: CpuModel): Mm {
    return this.makeMm(abi, cpuModel);
  }
  releaseMm(process: Process): void {
    this.tasks.releaseMm(process);
  }
  addProcess(process: Process): void {
    this.tasks.addProcess(process);
  }
  addThread(thread: Thread): void {
    this.tasks.addThread(thread);
  }
  exitThread(thread: Thread, status: number): void {
    this.settleTime();
    this.tasks.exitThread(thread, status);
  }
  endProcess(process: Process, status: number): void {
    this.settleTime();
    this.tasks.endProcess(process, status);
  }
  reap(process: Process): void {
    this.tasks.reap(process);
  }

  private firstEnded({ exitStatus }: Process): void {
    const status = exitStatus!;
    this.ending =
      (status & 0x7f) === 0
        ? { reason: "exit", status: status >> 8 }
        : { reason: "signal", signo: status & 0x7f, core: (status & 0x80) !== 0 };
  }

  /** Whether anything is left, now that the first process has ended, whose end is worth waiting for: no daemons are. */
  private goesOn(): boolean {
    if (this.abandoned) return false;
    const [{ sid }] = this.processes.values();
    for (const process of this.processes.values()) {
      if (process.exitStatus !== null) continue;
      if (process.sid === sid || [...process.threads].some(({ files }) => files.reachesOutside)) return true;
    }
    return false;
  }

  /** Whether the program has ended, and all that is worth waiting for. */
  get hasEnded(): boolean {
    return this.ending !== undefined && !this.goesOn();
  }

  /** Whether nothing will ever happen again: everybody waits, for no time to come and for nothing from outside. */
  private isStuck(): boolean {
    if (!this.timers.isSettled || this.nextDeadline() !== undefined) return false;
    if (this.fileSystem.gateway?.isInUse) return false;
    for (const { state, wait } of this.tasks.threads.values())
      if (state === "waiting" && (wait?.streams ?? []).length > 0) return false;
    return true;
  }

  private finish(): KernelExit {
    this.tasks.endAll();
    return this.ending!;
  }

  private initialLimits(): Limit[] {
    const limits = defaultLimits();
    const { stackLimit } = this.options;
    if (stackLimit !== undefined) limits[RLIMIT_STACK].soft = stackLimit;
    return limits;
  }

  /** Starts the first process. Throws ElfError, HostError, or SysError (E2BIG, ENOMEM). */
  start(request: StartRequest): Process {
    const process = this.makeProcess(this.newPid(), {
      credentials: this.options.credentials ?? ordinaryUser(),
      limits: this.initialLimits(),
      mm: this.newMm(this.abi, this.cpuModel),
    });
    process.startTime = this.clock.monotonic();
    const program =
      request.bytes === undefined
        ? process.files.openProgram(request.path)
        : { path: request.path, bytes: request.bytes };
    const thread = new Thread(process, process.pid);
    this.addThread(thread);
    const execfn = encodeName(request.execfn ?? request.path);
    const found = throughScripts(process.files, { program, argv: request.argv, execfn });
    this.exec(thread, { ...found, env: request.env });
    thread.start();
    return process;
  }

  /** Makes a process without threads and with an empty address space: the first one, or one of a snapshot. */
  makeProcess(
    pid: number,
    parts: { credentials: Credentials; limits: Limit[]; mm: Mm; outerParent?: number },
  ): Process {
    const process = new Process(this, pid, parts);
    process.files = attachFiles(this.fileSystem, process);
    process.timers = makeTimers(process);
    this.addProcess(process);
    return process;
  }

  /**
   * An empty address space. Throws ENOMEM where the host has none to give any more; for the first program the RangeError,
   * which tells the user what to do.
   */
  private takeSpace({ littleEndian, is64 }: AbiInfo, { hasRadix }: CpuModel, size: number): AddressSpace {
    try {
      const byteOrder = littleEndian ? "little" : "big";
      return this.addressSpaces.take({ byteOrder, size, hasFar: is64, hasExecuteOnly: hasRadix });
    } catch (error) {
      if (error instanceof RangeError && this.processes.size > 0) throw new SysError(ENOMEM);
      throw error;
    }
  }

  private makeMm(abi: AbiInfo, cpuModel: CpuModel, size = this.addressSpaceSize): Mm {
    const memory = this.takeSpace(abi, cpuModel, size);
    return new Mm({
      abi,
      cpuModel,
      memory,
      interpreter: this.engineFor(memory, abi.is64, cpuModel),
      layout: emptyLayout(),
    });
  }
  private engineFor(memory: AddressSpace, is64: boolean, model: CpuModel): Interpreter {
    const cpu: Cpu = {
      registers: memory.registers,
      memory,
      is64,
      model,
      timeBase: () => this.timeBase(),
      random: () => {
        const doubleword = new BigUint64Array(1);
        this.random.fill(new Uint8Array(doubleword.buffer));
        return doubleword[0];
      },
    };
    const interpreter = (this.options.engine ?? ((cpu) => new Interpreter(cpu)))(cpu);
    interpreter.callKernel = this.callBriefly;
    return interpreter;
  }

  widen(mm: Mm): boolean {
    const { memory, abi, interpreter, cpuModel } = mm;
    if (cpuModel.wide === undefined) return false;
    mm.cpuModel = cpuModel.wide;
    mm.interpreter = this.engineFor(memory, abi.is64, cpuModel.wide);
    mm.interpreter.succeed(interpreter);
    for (const process of this.processes.values()) {
      if (process.mm === mm) for (const { registers } of process.threads) registers.clearUpperHalves();
    }
    return true;
  }
  /** Has a 32-bit program have the upper halves of its registers from an illegal instruction on, if that is none with them. */
  private widenFor({ process: { mm } }: Thread): boolean {
    const { wide } = mm.cpuModel;
    return wide !== undefined && mm.interpreter.isOf(wide) && this.widen(mm);
  }

  /** Ticks of 512 MHz. */
  private timeBase(): bigint {
    if (this.clock.isVirtual && !this.timeIsExact) throw TIME_WANTED;
    return BigInt.asUintN(64, (this.clock.monotonic() * 64n) / 125n);
  }

  /** What runs programs of `bytes`' ABI after `process` executes them. Throws ElfError, ENOEXEC. */
  private modelOf(process: Process, bytes: Uint8Array): { abi: AbiInfo; cpuModel: CpuModel } {
    const abi = ABIS[readProgram(bytes).abi];
    const ofProcess = abi === process.abi ? findModel(process.cpuModel.name, abi.name) : undefined;
    if (ofProcess !== undefined) return { abi, cpuModel: ofProcess };
    const cpuModel = findModel(this.cpuModel.name, abi.name) ?? findModel(undefined, abi.name);
    // A kernel runs programs of one byte order.
    if (abi.littleEndian !== this.abi.littleEndian || cpuModel === undefined) throw new SysError(ENOEXEC);
    return { abi, cpuModel };
  }

  /** Whether somebody may look at a thread's program, or change where its paths lead, who has not the rights that execve would give it. */
  private isWatched({ process, files, trace }: Thread): boolean {
    if (trace !== undefined && !isCapable(trace.tracer.credentials, CAP_SYS_PTRACE)) return true;
    return [...this.processes.values()].some((other) => other !== process && other.files.fs === files.fs);
  }

  /**
   * Replaces the program of a process by another, run by `thread` alone; nothing is changed when it throws (ElfError,
   * HostError, SysError).
   */
  exec(thread: Thread, request: ExecRequest): void {
    const { process, files } = thread;
    const { limits } = process;
    const { abi, cpuModel } = this.modelOf(process, request.program.bytes);
    // A new process has an address space with nothing in it.
    const isNew = process.memory.areas.count === 0 && process.abi === abi;
    const mm = isNew ? process.mm : this.newMm(abi, cpuModel);
    const { credentials, isSecure } = afterExec(thread.credentials, {
      noNewPrivs: thread.noNewPrivs,
      isWatched: () => this.isWatched(thread),
    });
    const context: ExecContext = {
      abi,
      cpuModel,
      credentials,
      isSecure,
      stackLimit: limits[RLIMIT_STACK].soft,
      random: (into) => this.random.fill(into),
      openProgram: (path) => files.openProgram(path),
    };
    let loaded: LoadedProgram;
    try {
      loaded = loadProgram(mm.memory, context, request);
    } catch (error) {
      if (!isNew) this.addressSpaces.give(mm.memory);
      throw error;
    }
    const { bytes, path } = request.program;
    mm.interpreter.program = new ProgramTag(path, bytes.length, (at, length) =>
      bytes.subarray(at, at + length),
    );
    const { instructions, u64 } = thread.registers;
    const kept = { instructions, dscr: u64[DSCR / 8] };
    const { tid } = thread;
    this.tasks.endOthers(thread);
    releaseThread(thread);
    const name = request.isNameless ? path : decodeName(request.execfn);
    const { uid, euid, gid, egid } = thread.credentials;
    process.replaceProgram(thread, { mm, loaded, path, name });
    process.prctl.dumpable = Number(uid === euid && gid === egid);
    if (isSecure) process.prctl.pdeathsig = 0;
    thread.become(credentials);
    thread.fpexcMode = initialFpexcMode(abi);
    resetRegisters(thread.registers, abi, loaded, { fpexcMode: thread.fpexcMode, ...kept });
    noteExec(thread, tid);
  }

  // ---- from outside --------------------------------------------------------------------------------------

  /** Has `run` come back soon, between two instructions. */
  requestStop(): void {
    this.stopRequested = true;
    this.noteWake();
  }

  /** A debugger's breakpoint or watchpoint has come about: `run` comes back with "stopped". */
  private pause(pause: Pause): void {
    this.paused = pause;
    this.stopRequested = true;
  }

  /** Why the last run was stopped, if it was a debugger's doing; once. */
  takePause(): Pause | undefined {
    const { paused } = this;
    this.paused = undefined;
    return paused;
  }

  /** Sends a signal from outside (the terminal's ^C, say) to the group in the foreground: at first the first process's. */
  signal(signo: number): void {
    const [first] = this.processes.values();
    if (first === undefined) return;
    if (this.ending !== undefined && ENDING_SIGNALS.has(signo)) this.abandoned = true;
    const group = this.fileSystem.foreground ?? first.pgid;
    const heard = postToGroup(this.processes.values(), group, signo, SI_KERNEL);
    if (!heard) post(first, signalInfo(signo, SI_KERNEL));
    this.noteWake();
  }

  /** Tells a run loop that waits for the host that a thread has become runnable. */
  noteWake(): void {
    this.endWait?.();
  }

  // ---- the run loop ----------------------------------------------------------------------------------------

  /**
   * Runs until the first process has ended and those that it leaves behind have too, or, with a limit, that many more
   * instructions have been retired.
   */
  async run(limit?: bigint): Promise<KernelExit> {
    this.look();
    try {
      return await this.loop(limit === undefined ? undefined : this.instructions + limit);
    } finally {
      this.rest();
    }
  }

  private async loop(end: bigint | undefined): Promise<KernelExit> {
    let turnBegan = this.began;
    for (;;) {
      if (this.ending !== undefined && !this.goesOn()) return this.finish();
      if (end !== undefined && this.instructions >= end) return { reason: "limit" };
      if (this.stopRequested) {
        this.stopRequested = false;
        return { reason: "stopped" };
      }
      if (this.waitAgain()) continue;
      this.expire();
      const thread = this.scheduler.next();
      if (thread === undefined) {
        if (this.ending !== undefined && this.isStuck()) return this.finish();
        this.rest();
        await this.wait();
        this.look();
        turnBegan = this.began;
        continue;
      }
      this.step(thread, end);
      enforceCpuLimit(thread.process);
      if (this.unseen > 0 || this.began - turnBegan < HOST_SHARE) continue;
      this.rest();
      await this.host.yield();
      this.look();
      turnBegan = this.began;
    }
  }

  /** Reads the host's clock, and charges the thread that ran last with the time since it was read before; CLOCK_MONOTONIC then. */
  settleTime(): bigint {
    const now = this.host.clock.monotonic();
    this.ran?.process.countFaults();
    if (this.ran !== undefined && !this.clock.isVirtual) this.spend(this.ran, now - this.began);
    this.began = now;
    return this.clock.at(now);
  }

  /** The same at the loop's own times, by which the host has its turns: however often programs ask for their CPU time. */
  private look(): void {
    this.host.onRun?.(true);
    this.settleTime();
    this.unseen = 0;
  }

  /** The same in the middle of a piece; false when that is to end. */
  private lookWithin(): boolean {
    this.settleTime();
    const { pieceTime } = this;
    const most = pieceTime !== undefined && pieceTime < PIECE_TIME ? pieceTime : PIECE_TIME;
    if (this.began - this.pieceBegan >= most) return false;
    this.hasLooked = true;
    this.unseen = 0;
    return true;
  }

  /** The time to come is no thread's. */
  private rest(): void {
    this.settleTime();
    this.ran = undefined;
    this.host.onRun?.(false);
  }

  /** Goes on from a snapshot: the threads that waited will wait again, in their order, before anything else happens. */
  resume(): void {
    const waiting = [...this.tasks.threads.values()].filter(({ state }) => state === "waiting");
    this.thawed = waiting.sort((one, other) => one.blocked!.place - other.blocked!.place);
    this.place = Math.max(
      0,
      ...[...this.tasks.threads.values()].map(({ blocked }) => (blocked?.place ?? -1) + 1),
    );
    const [first] = this.processes.values();
    if (first.exitStatus !== null) this.firstEnded(first);
  }

  /** Has the next thread that a thaw left waiting say for what. False when there is none any more. */
  private waitAgain(): boolean {
    const thread = this.thawed.shift();
    if (thread === undefined) return false;
    this.look();
    thread.load();
    const completed = this.call(thread);
    if (thread.state === "waiting" && (completed || thread.blocked?.phase !== "waiting")) {
      // What it waits for has happened meanwhile, outside, or has begun to: there is much of it, or a signal came too.
      thread.state = "stopped";
      thread.start();
    }
    return true;
  }

  /** Makes the system call that a thread has come to, or makes it again. False when the thread waits. */
  private call(thread: Thread, vectored = isVectored(thread)): boolean {
    this.caller = thread;
    const completed = this.dispatcher.call(thread, vectored);
    if (completed) this.retireCall(thread);
    if (thread.trace !== undefined) afterCall(thread, thread.trace, completed);
    const matched = thread.process.memory.takeMatched();
    if (matched !== undefined) trapLater(thread, matched);
    return completed;
  }

  /**
   * Makes the call at an address in the middle of a piece, if it is one that never waits, switches nor ends anything, and nobody wants to know of it. What
   * has been executed of the piece is not counted yet. The clock is read as often as where calls end pieces.
   */
  private readonly callBriefly = (address: number, vectored: boolean): CallEnd => {
    if (!this.takesCalls) return CallEnd.notMade;
    const thread = this.ran!;
    const call = this.dispatcher.briefCall(thread);
    if (call === undefined || (this.unseen + 1 >= MOST_UNSEEN && !this.lookWithin())) return CallEnd.notMade;
    const { registers, process } = thread;
    const { memory } = process;
    const [low, high] = [registers.u32[R3], registers.u32[R3 + 1]];
    registers.u32[NIA / 4] = address;
    registers.u32[NIA / 4 + 1] = 0;
    memory.forKernel = true;
    this.caller = thread;
    const made = this.dispatcher.callBriefly(thread, call, vectored);
    const matched = memory.takeMatched();
    memory.forKernel = false;
    if (!made) return CallEnd.notMade;
    this.unseen++;
    if (matched !== undefined) trapLater(thread, matched);
    if (!hasSignals(thread) && thread.state === "runnable" && !this.stopRequested) return CallEnd.made;
    this.returned = returnedCall(low, high, vectored);
    return CallEnd.interrupted;
  };

  /**
   * Runs a thread up to its next system call or fault, the end of its turn or piece, or whatever is due before. Reading the clock may take
   * as long as a call: where little has been done it waits for a few more steps of the
   * same thread to be charged together.
   */
  private step(thread: Thread, end: bigint | undefined): void {
    if (this.ran !== thread) this.settleTime();
    this.ran = thread;
    thread.load();
    const { trace } = thread;
    if (trace !== undefined && stopsBefore(thread, trace)) {
      this.look();
      return;
    }
    // One that its tracer has seen begin is made before signals are taken.
    const begins = (trace?.inCall === true || trace?.passed === true) && thread.blocked === null;
    if (hasSignals(thread) && !begins) {
      this.takeSignals(thread);
      // A call that ended with EINTR has counted.
      if (thread.state !== "runnable" || (end !== undefined && this.instructions >= end)) {
        this.look();
        return;
      }
    }
    const exit = this.interpret(thread, this.budget(thread, end));
    // The call is no longer there: its tracer, or another thread, has written over it.
    if (begins && exit === "fault") trace.inCall = trace.passed = false;
    const stops = exit === "syscall" && trace !== undefined && entersCall(thread, trace);
    if (exit === "syscall" && !stops) {
      const { registers } = thread;
      const [low, high] = [registers.u32[R3], registers.u32[R3 + 1]];
      const vectored = isVectored(thread);
      const completed = this.call(thread, vectored);
      if (completed && thread.state === "runnable" && hasSignals(thread))
        this.takeSignals(thread, returnedCall(low, high, vectored));
    } else if (exit === "called" && thread.state === "runnable" && hasSignals(thread))
      this.takeSignals(thread, this.returned);
    if (this.executed >= LEAST_PIECE || ++this.unseen >= MOST_UNSEEN || thread.process.timers.anyOfCpu)
      this.look();
  }

  /** Runs at most `budget` instructions. */
  private interpret(thread: Thread, budget: number): "limit" | "syscall" | "called" | "fault" {
    const { registers } = thread;
    const { interpreter, memory, watchpoints } = thread.process;
    if (watchpoints.length > 0) memory.setWatchpoints(watchpoints);
    memory.forKernel = false;
    this.hasLooked = false;
    this.pieceBegan = this.began;
    this.takesCalls =
      !this.clock.isVirtual &&
      watchpoints.length === 0 &&
      thread.trace === undefined &&
      thread.confinement === undefined &&
      !thread.process.timers.anyOfCpu &&
      this.options.profiler === undefined;
    const before = registers.instructionsLow;
    try {
      const exit = interpreter.run(budget);
      this.timeIsExact = false;
      if (exit === "limit" && steps(thread.trace)) stepped(thread);
      if (exit !== "breakpoint") return exit;
      this.pause({ thread });
      return "limit";
    } catch (error) {
      this.timeIsExact = error === TIME_WANTED;
      if (this.timeIsExact) return "limit";
      if (error instanceof WatchpointHit) {
        this.pause({ thread, hit: error });
        return "limit";
      }
      if (!(error instanceof GuestFault)) throw error;
      if (error.kind === "illegal" && this.widenFor(thread)) return "limit";
      raise(thread, error);
      return "fault";
    } finally {
      memory.forKernel = true;
      if (watchpoints.length > 0) memory.setWatchpoints([]);
      const count = (registers.instructionsLow - before) >>> 0;
      this.executed = count;
      this.noteRetired(thread, count);
      this.options.profiler?.ran(thread, count);
      this.measure(count);
    }
  }

  /** Instructions until something is due. At least 1. */
  private budget(thread: Thread, end: bigint | undefined): number {
    // TIME_WANTED has been thrown at the instruction to come: alone in its piece, it finds the exact count.
    if (this.timeIsExact || steps(thread.trace)) return 1;
    let due = end === undefined ? undefined : end - this.instructions;
    const { clock } = this;
    const deadline = this.nextDeadline();
    const time = deadline === undefined ? undefined : deadline - clock.at(this.began);
    const { timers } = thread.process;
    const cpuTimer = timers.anyOfCpu ? timers.nextCpuDeadline() : undefined;
    const cpuDeadline = least(cpuTimer, cpuLimit(thread.process));
    const cpuTime = cpuDeadline === undefined ? undefined : cpuDeadline - thread.process.cpuTime;
    const nanoseconds = least(time, cpuTime);
    this.pieceTime = nanoseconds;
    if (nanoseconds !== undefined)
      due = least(due, clock.isVirtual ? nanoseconds : this.inPiece(nanoseconds));
    const profiled = this.options.profiler?.due ?? Infinity;
    const piece = Math.min(this.piece, this.scheduler.sliceLeft, profiled);
    if (due === undefined || due > BigInt(piece)) return piece;
    return due < 1n ? 1 : Number(due);
  }

  /** About how many instructions run in this much host time. */
  private inPiece(nanoseconds: bigint): bigint {
    const count = (nanoseconds * BigInt(this.piece)) / PIECE_TIME;
    return count > BigInt(LEAST_PIECE) ? count : BigInt(LEAST_PIECE);
  }

  /** Learns how many instructions take PIECE_TIME. */
  private measure(count: number): void {
    if (count < LEAST_PIECE || this.unseen > 0 || this.hasLooked) return;
    const time = this.host.clock.monotonic() - this.began;
    if (time <= 0n) return;
    const piece = Math.floor((count * Number(PIECE_TIME)) / Number(time));
    this.piece = Math.min(Math.max(Math.floor((this.piece + piece) / 2), LEAST_PIECE), MOST_PIECE);
  }

  private spend(thread: Thread, time: bigint): void {
    const { process } = thread;
    thread.cpuTime += time;
    process.cpuTime += time;
    if (process.timers.anyOfCpu) this.timers.note(process);
  }

  /** A system call has been completed: its instruction counts. */
  private retireCall(thread: Thread): void {
    thread.registers.retire(1);
    this.noteRetired(thread, 1);
  }

  /** Instructions that the registers have counted already. */
  private noteRetired(thread: Thread, count: number): void {
    this.uncounted += count;
    if (this.clock.isVirtual) this.spend(thread, BigInt(count));
    this.scheduler.charge(count);
  }

  private takeSignals(thread: Thread, returned?: ReturnedCall): void {
    deliver(thread, { returned, fail: this.failCall, complete: this.completeCall });
  }
  private readonly failCall = (thread: Thread, errno: number): void => {
    this.dispatcher.interrupt(thread, new SysError(errno));
    this.retireCall(thread);
  };
  private readonly completeCall = (thread: Thread, result: number): void => {
    this.dispatcher.interrupt(thread, result);
    this.retireCall(thread);
  };

  // ---- waiting -----------------------------------------------------------------------------------------------

  noteTimer(process: Process): void {
    this.timers.changed(process);
  }

  /** CLOCK_MONOTONIC time at which something is due. */
  private nextDeadline(): bigint | undefined {
    return least(least(this.alarms.next, this.timers.next), this.scheduler.nextDeadline());
  }

  /** Has timers expire and timed waits end that are due. */
  private expire(): void {
    // Real time goes on while the clock is not read, but what is due by it may wait for that.
    if (this.unseen > 0 && this.timers.isSettled && !this.clock.isVirtual) return;
    this.timers.expire(this.clock);
    this.alarms.expire(this.clock);
    this.scheduler.expire(this.clock);
  }

  /** Nothing can run: waits for the host, or lets virtual time jump to the next deadline. */
  private async wait(): Promise<void> {
    if (!this.timers.isSettled) return;
    const { host, clock } = this;
    const deadline = this.nextDeadline();
    if (clock.isVirtual && deadline !== undefined) {
      // Input from outside that is there already comes first.
      await host.yield();
      if (this.scheduler.next() === undefined && !this.stopRequested) clock.skipTo(deadline);
      return;
    }
    let milliseconds = LONGEST_SLEEP;
    if (deadline !== undefined) {
      const left = (deadline - clock.monotonic() + 999_999n) / 1_000_000n;
      if (left <= 0n) return;
      if (left < milliseconds) milliseconds = left;
    }
    if (this.scheduler.next() !== undefined || this.stopRequested) return;
    const sleep = host.sleep(Number(milliseconds));
    this.endWait = () => sleep.cancel();
    await sleep.done;
    this.endWait = undefined;
  }
}
