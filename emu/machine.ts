/**
 * The machine's face: load a program, run it, stop it anywhere, freeze it, thaw it. Images (`cr/`) and the command line
 * use nothing below this.
 */
import { Interpreter } from "./cpu/interpreter.ts";
import { modelFor } from "./cpu/models.ts";
import { hasUpperHalves } from "./cpu/narrow.ts";
import { Debugger } from "./debug.ts";
import { type Host, HostError, type HostStat } from "./host/host.ts";
import { decodeName, encodeName } from "./host/names.ts";
import { JitEngine } from "./jit/engine.ts";
import { type JitStatistics, Translations, type TranslationsOptions } from "./jit/translations.ts";
import { ABIS } from "./linux/abi.ts";
import { ordinaryUser } from "./linux/credentials.ts";
import { ElfError } from "./linux/elf/error.ts";
import { PF_X, PT_LOAD, readProgram } from "./linux/elf/header.ts";
import { type FunctionSymbol, functionsOf } from "./linux/elf/symbols.ts";
import { ELOOP, SysError } from "./linux/errno.ts";
import { freezeKernel, thawKernel } from "./linux/freeze.ts";
import { Kernel, type KernelExit, type KernelOptions } from "./linux/kernel.ts";
import type { NetGrants } from "./linux/net/gateway.ts";
import { Profiler } from "./linux/profiler.ts";
import { MAX_SCRIPTS, scriptLine } from "./linux/scripts.ts";
import { AT_BASE } from "./linux/stack.ts";
import { type Checkpointer, crSyscallRows } from "./linux/syscalls/checkpoint-restart.ts";
import { FilesDiffer, type OnChanged } from "./linux/vfs/known-files.ts";
import type { MountConfig } from "./linux/vfs/mounts.ts";
import { Namespace } from "./linux/vfs/namespace.ts";
import { MAX_PROGRAM } from "./linux/vfs/process-files.ts";
import type { Abi, MachineSnapshot } from "./snapshot.ts";
import { rangesOf, type TraceOptions, TracingInterpreter } from "./trace.ts";
import type { Tuning } from "./tuning.ts";

export type { JitStatistics, TranslatedRegion } from "./jit/translations.ts";
export type { NetGrants } from "./linux/net/gateway.ts";
export { defaultLimits } from "./linux/process.ts";
export type { CheckpointCaller, Checkpointer } from "./linux/syscalls/checkpoint-restart.ts";
export { defaultMounts, isWithin, type MountConfig, parseMount } from "./linux/vfs/mounts.ts";
export type { Abi } from "./snapshot.ts";

/** Why a run came back: the program ended, was killed, reached the limit, or was asked to stop. */
export type MachineStop = KernelExit;

/** The engines; nothing that a program does differs between them but the time it takes. */
export type EngineName = "interp" | "jit";

/** What of a program may decide on the files that it is given. */
export interface ProgramFacts {
  abi: Abi;
  /** It wants a dynamic linker (PT_INTERP). */
  isDynamic: boolean;
}

/** What a machine needs whether it is loaded or thawed. */
export interface MachineOptions extends TranslationsOptions {
  host: Host;
  /** What of the host's files the guest sees; nothing else can be reached. A function is asked once it is known what the program is. */
  mounts: readonly MountConfig[] | ((program: ProgramFacts) => readonly MountConfig[]);
  /** What of the host's network programs reach, and who may reach them; nothing by default. */
  net?: NetGrants;
  /** Gets the lines of a system call trace, without line ends. */
  strace?: (line: string) => void;
  /**
   * Gets a line for each instruction executed, with what it changed; of those in `only` where that names any: functions of the
   * program, or addresses as START-END in hexadecimal. Everything is interpreted then.
   */
  trace?: { write(line: string): void; only: readonly string[] };
  /** Bytes of memory for all programs together; see `KernelOptions`. */
  memorySize?: number;
  /** Most processes at a time; default and at most 500. */
  maxProcesses?: number;
  /** CPUs that programs are told of; default 1. */
  cpus?: number;
  /** What executes instructions: the interpreter with the translator of hot code to WebAssembly (the default), or alone. */
  engine?: EngineName;
  /** Find out where the program spends its instructions; see `Machine.profile`. */
  profile?: boolean;
  /** Other numbers for the translator to decide by. */
  tuning?: Partial<Tuning>;
  /** What a thaw does about files that are not what they were when the machine was frozen; "fail" by default. */
  onChanged?: OnChanged;
  /** The guest's own checkpoint and restart system calls: their numbers, and what makes and reads images. */
  crSyscalls?: { checkpoint: number; restart: number; images: Checkpointer };
}

/** The program that a machine is to run, and in what surroundings. */
export interface LoadOptions extends MachineOptions {
  /** Host path of the program, which must lie in one of the grants under the same guest path. */
  program: string;
  /** The program's path as the guest's AT_EXECFN says it; default `program`. */
  execfn?: string;
  /** argv[0] included. */
  argv: readonly string[];
  /** NAME=VALUE. */
  env: readonly string[];
  /** Guest path of the working directory. */
  cwd: string;
  /** Virtual time and seeded random numbers: every run is the same. */
  seed?: bigint;
  /** One of CPU_MODELS; by default one that suits the program. */
  cpuModel?: string;
  /** What uname(2) says the kernel's release is; default "6.1.0". */
  release?: string;
  /** RLIMIT_STACK in bytes; default 8 MiB. */
  stackLimit?: bigint;
  /** Process id of the program; default 1000. */
  pid?: number;
  /** User and group the program believes to be; default 1000. */
  uid?: number;
  gid?: number;
  /** Bytes of guest address space; default and at most 4 GiB. */
  addressSpaceSize?: number;
}

/** The program can't be run: not there, not a PowerPC Linux program, damaged, or in need of something missing. */
export class ProgramError extends Error {
  /** There is no such file. */
  readonly notFound: boolean;
  constructor(message: string, notFound = false) {
    super(message);
    this.notFound = notFound;
  }
}

/** A snapshot can't go on here: a file it needs is missing or not granted, or there is more to it than a machine can run. */
export class ThawError extends Error {
  /** The files, by guest path, that are not as they were frozen; `missing` ones are not there, or in no folder that was given. */
  readonly files: readonly { path: string; problem: string; missing: boolean }[];
  constructor(message: string, files: ThawError["files"] = []) {
    super(message);
    this.files = files;
  }
}

/** What a freeze takes along besides what nobody else has. */
export interface FreezeOptions {
  /** The contents of the program and of every mapped file too, so that a thaw needs none of them. */
  includeFiles?: boolean;
}

/** One machine with its program. It runs only while `run` is pending; between two runs it can be frozen or looked into. */
export class Machine {
  private kernel: Kernel;
  private readonly options: MachineOptions;
  private readonly tools: Tools;
  /** What the guest's restart system call goes on as. */
  private replacement: Kernel | undefined;
  private isClosed = false;

  private constructor(options: MachineOptions, make: (extra: ExtraSyscalls, tools: Tools) => Kernel) {
    this.options = options;
    const { engine, tuning, host, profile } = options;
    this.tools = {
      translations:
        engine === "interp"
          ? undefined
          : new Translations(tuning, host.translations, {
              prepared: host.prepared,
              translator: host.translator,
              ...options,
            }),
      profiler: profile ? new Profiler() : undefined,
      trace: options.trace && { write: options.trace.write, ranges: [], symbols: [] },
    };
    this.kernel = make(this.extraSyscalls(), this.tools);
  }

  /** The system calls that are not Linux's. */
  private extraSyscalls(): ExtraSyscalls {
    const { crSyscalls } = this.options;
    if (crSyscalls === undefined) return undefined;
    return crSyscallRows({
      ...crSyscalls,
      freeze: () => freezeKernel(this.kernel),
      replace: (snapshot) => {
        this.replacement = thawFrom(snapshot, this.options, this.extraSyscalls(), this.tools);
        this.kernel.requestStop();
      },
    });
  }

  /** Loads a program, ready to execute its first instruction. Throws ProgramError, or RangeError for a bad option. */
  static load(options: LoadOptions): Machine {
    const { program } = options;
    const bytes = programBytes(options);
    return new Machine(options, (extraSyscalls, tools) => {
      try {
        const kernel = new Kernel({
          ...kernelOptions(options, factsOf(bytes, options), options.cpuModel, tools),
          extraSyscalls,
          cwd: options.cwd,
          seed: options.seed,
          addressSpaceSize: options.addressSpaceSize,
          credentials: ordinaryUser(options.uid, options.gid),
          release: options.release,
          stackLimit: options.stackLimit,
        });
        if (options.pid !== undefined) kernel.tasks.nextPid = options.pid;
        kernel.start({
          path: program,
          execfn: options.execfn,
          argv: options.argv.map(encodeName),
          env: options.env.map(encodeName),
        });
        if (tools.trace !== undefined) aim(tools, options, functionsIn(bytes, kernel));
        return kernel;
      } catch (error) {
        if (error instanceof ElfError || error instanceof HostError || error instanceof SysError) {
          throw new ProgramError(`cannot run ${program}: ${describe(error)}`);
        }
        throw error;
      }
    });
  }

  /**
   * Builds the machine that a snapshot describes. Throws ThawError, with nothing changed anywhere, when it
   * can't go on here.
   */
  static thaw(snapshot: MachineSnapshot, options: MachineOptions): Machine {
    return new Machine(options, (extraSyscalls, tools) => thawFrom(snapshot, options, extraSyscalls, tools));
  }

  /** Instructions retired since the program began, freezes and thaws notwithstanding. */
  get instructions(): bigint {
    return this.kernel.instructions;
  }

  /** Runs until the program ends, is stopped, or exactly `until` instructions have been retired in all. */
  async run(until?: bigint): Promise<MachineStop> {
    for (;;) {
      const stop = await this.kernel.run(until === undefined ? undefined : until - this.instructions);
      const { replacement } = this;
      if (stop.reason !== "stopped" || replacement === undefined) return stop;
      this.replacement = undefined;
      this.close();
      this.kernel = replacement;
    }
  }

  /**
   * Closes files and waits for nothing any more. A machine that was stopped holds on to its host until then. What has been translated is kept,
   * if the host keeps translations. What has been closed is left alone: its descriptors may be others' by then.
   */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.tools.translations?.end();
    for (const { files, threads } of this.kernel.processes.values()) {
      for (const thread of threads) thread.end();
      files.exit();
    }
    this.kernel.fileSystem.close();
  }

  /** Whether the program has ended, and what it has left running. */
  get hasEnded(): boolean {
    return this.kernel.hasEnded;
  }

  /** Has `run` come back soon, at an instruction boundary. */
  requestStop(): void {
    this.kernel.requestStop();
  }

  /** Sends a signal, by its Linux number, as the terminal or kill(1) would. */
  signal(signo: number): void {
    this.kernel.signal(signo);
  }

  /** Whether the program has put a group of processes into the foreground of its terminal, as shells do. */
  get controlsJobs(): boolean {
    return this.kernel.fileSystem.foreground !== undefined;
  }

  /**
   * Where the program is: address of the next instruction of its first thread, its word and the one behind it, without those that can't
   * be read.
   */
  get nextInstruction(): { address: bigint; words: readonly number[] } {
    const [process] = this.kernel.processes.values();
    const address = process.leader?.registers.nia ?? 0n;
    const { memory } = process;
    const area = address < BigInt(memory.limit) ? memory.areas.find(Number(address)) : undefined;
    if (area === undefined) return { address, words: [] };
    const bytes = memory.peek(Number(address), Math.min(8, area.end - Number(address)));
    const view = new DataView(bytes.buffer);
    const words = Array.from({ length: bytes.length / 4 }, (_, i) =>
      view.getInt32(4 * i, memory.byteOrder === "little"),
    );
    return { address, words };
  }

  /** Whether it runs a 64-bit program. */
  get is64(): boolean {
    return this.kernel.abi.is64;
  }

  /** Name of the CPU model. */
  get cpuModel(): string {
    return this.kernel.cpuModel.name;
  }

  /** What the translator has done for all processes; undefined with the interpreter alone. */
  get jitStatistics(): JitStatistics | undefined {
    return this.tools.translations?.statistics;
  }

  /** Instructions by stack, as `Profiler.stacks` has them; undefined unless the option asked for it. */
  get profile(): ReadonlyMap<string, number> | undefined {
    return this.tools.profiler?.stacks;
  }

  /** A debugger of the first process. */
  debug(): Debugger {
    const [process] = this.kernel.processes.values();
    return new Debugger(this.kernel, process);
  }

  /** Everything the machine is, as plain data. Pages are fetched from it later: use it before running on. */
  freeze(options: FreezeOptions = {}): MachineSnapshot {
    return freezeKernel(this.kernel, options);
  }
}

/** What the errors that users meet most say in words. */
const MEANINGS: Record<string, string> = {
  ENOENT: "no such file, or in no folder that the guest was given",
  EACCES: "permission denied",
  ENOTDIR: "not a directory",
  EISDIR: "it is a directory",
  ELOOP: "too many symbolic links",
};

/** An error of the host's or the personality's in words, without repeating what node says about its own calls. */
function describe(error: Error): string {
  if (!(error instanceof HostError)) return error.message;
  const { code, message } = error;
  const node = message.startsWith(`${code}: `);
  const about = node ? message.replace(/^\w+: /, "").replace(/, \w+( '.*)?$/s, "") : message;
  const meaning = MEANINGS[code];
  if (node || meaning === undefined || message === code) return `${about} (${code})`;
  return `${about}: ${meaning} (${code})`;
}

/** What is told of an error of the host's in getting a program's file; others are left as they are. */
const asProgramError = (path: string, error: unknown): unknown =>
  error instanceof HostError
    ? new ProgramError(`cannot run ${path}: ${describe(error)}`, error.code === "ENOENT")
    : error;

/** The grants as far as they don't depend on the program: a sysroot that it chooses can't be known before it is. */
const grantsBefore = ({ mounts }: LoadOptions): readonly MountConfig[] =>
  typeof mounts === "function" ? mounts({ abi: "ppc64", isDynamic: false }) : mounts;

/** The program's file. Where its name is a link, that leads to where it leads the guest: in a sysroot to a file of that. */
function programBytes(options: LoadOptions): Uint8Array {
  const { host, program } = options;
  if (!isLink(host, program)) return readProgramFile(host, program);
  const namespace = new Namespace(host, grantsBefore(options));
  try {
    const { place } = namespace.resolve(program, TO_THE_END, NOBODY);
    if (place === undefined) return readProgramFile(host, program);
    return namespace.at(place, (path) => readProgramFile(host, path));
  } catch (error) {
    throw asProgramError(program, error);
  } finally {
    namespace.close();
  }
}

function isLink(host: Host, path: string): boolean {
  try {
    return host.files.lstat(path).kind === "symlink";
  } catch (error) {
    // What isn't there is told when it is read.
    if (error instanceof HostError) return false;
    throw error;
  }
}

/** What a program is; for a script, what reads it. Throws ElfError, SysError or ProgramError. */
function factsOf(bytes: Uint8Array, options: LoadOptions): ProgramFacts {
  const { host, cwd, program } = options;
  let script = scriptLine(bytes);
  if (script === undefined) return elfFacts(bytes);
  const namespace = new Namespace(host, grantsBefore(options));
  try {
    for (let depth = 0; ; depth++) {
      if (depth >= MAX_SCRIPTS) throw new SysError(ELOOP);
      const path = decodeName(script.path);
      try {
        const found = namespace.resolve(path.startsWith("/") ? path : `${cwd}/${path}`, TO_THE_END, NOBODY);
        if (found.place === undefined) throw new HostError("ENOENT", path);
        bytes = namespace.at(found.place, (hostPath) => readProgramFile(host, hostPath));
        script = scriptLine(bytes);
        if (script === undefined) return elfFacts(bytes);
      } catch (error) {
        if (error instanceof SysError) throw error;
        const why = error instanceof HostError ? describe(error) : (error as Error).message;
        throw new ProgramError(
          `cannot run ${program}: it is a script, and its interpreter ${path} can't be had (${why}): -L or --dir must bring a PowerPC program there`,
        );
      }
    }
  } finally {
    namespace.close();
  }
}

const TO_THE_END = { follow: true } as const;
/** No files but those of the grants. */
const NOBODY = { root: { type: "directory", names: () => [], lookup: () => undefined } } as const;

function elfFacts(bytes: Uint8Array): ProgramFacts {
  const { abi, interpreter } = readProgram(bytes);
  return { abi, isDynamic: interpreter !== undefined };
}

/** What is no regular file, in words. */
const KINDS: Record<Exclude<HostStat["kind"], "file">, string> = {
  directory: "a folder",
  symlink: "a symbolic link",
  fifo: "a named pipe",
  socket: "a socket",
  char: "a device",
  block: "a device",
};

/** What a machine keeps when its kernel is replaced. */
interface Tools {
  readonly translations: Translations | undefined;
  readonly profiler: Profiler | undefined;
  readonly trace: TraceOptions | undefined;
}

/** Says what is to be traced, now that the program is where it runs. */
function aim({ trace }: Tools, options: MachineOptions, symbols: readonly FunctionSymbol[]): void {
  if (trace === undefined) return;
  trace.symbols = symbols;
  trace.ranges = rangesOf(options.trace!.only, symbols);
}

/** The functions of a program that has been loaded from a file, where they are now. */
function functionsIn(bytes: Uint8Array, kernel: Kernel): FunctionSymbol[] {
  const [process] = kernel.processes.values();
  const code = readProgram(bytes).segments.find(({ type, flags }) => type === PT_LOAD && flags & PF_X);
  const bias = process.layout.startCode - (code?.vaddr ?? process.layout.startCode);
  return functionsOf(bytes).map((symbol) => ({ ...symbol, address: symbol.address + bias }));
}

type ExtraSyscalls = KernelOptions["extraSyscalls"];

const kernelOptions = (
  { host, mounts, net, strace, memorySize, maxProcesses, cpus }: MachineOptions,
  program: ProgramFacts,
  cpuModel: string | undefined,
  { translations, profiler, trace }: Tools,
): KernelOptions => ({
  memorySize,
  maxProcesses,
  cpus,
  host,
  mounts: typeof mounts === "function" ? mounts(program) : mounts,
  net,
  strace,
  abi: ABIS[program.abi],
  cpuModel: modelFor(cpuModel, program.abi),
  engine: trace
    ? (cpu) => new TracingInterpreter(cpu, trace)
    : translations &&
      ((cpu) => (hasUpperHalves(cpu) ? new Interpreter(cpu) : new JitEngine(cpu, translations))),
  profiler,
});

function thawFrom(
  snapshot: MachineSnapshot,
  options: MachineOptions,
  extraSyscalls: ExtraSyscalls,
  tools: Tools,
): Kernel {
  try {
    const isDynamic = snapshot.processes.some(({ memory }) =>
      memory.auxv.some(({ type, value }) => type === AT_BASE && value !== 0n),
    );
    const facts = { abi: snapshot.abi, isDynamic };
    const common = kernelOptions(options, facts, snapshot.cpuModel, tools);
    aim(tools, options, []);
    return thawKernel(snapshot, {
      ...common,
      extraSyscalls,
      addressSpaceSize: snapshot.addressSpaceSize,
      onChanged: options.onChanged,
    });
  } catch (error) {
    if (error instanceof FilesDiffer) throw new ThawError(error.message, error.files);
    if (error instanceof HostError || error instanceof SysError || error instanceof RangeError) {
      throw new ThawError(describe(error));
    }
    throw error;
  }
}

function readProgramFile(host: Host, path: string): Uint8Array {
  try {
    const handle = host.files.open(path, { read: true, write: false }, 0);
    try {
      const { kind, size } = host.files.fstat(handle);
      if (kind !== "file") throw new ProgramError(`cannot run ${path}: it is ${KINDS[kind]}, not a program`);
      if (size > MAX_PROGRAM) throw new ProgramError(`cannot run ${path}: it is too big`);
      const bytes = new Uint8Array(Number(size));
      const length = host.files.read(handle, bytes, 0);
      return bytes.subarray(0, length);
    } finally {
      host.files.close(handle);
    }
  } catch (error) {
    throw asProgramError(path, error);
  }
}
