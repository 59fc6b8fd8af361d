/** Machines as a library: loaded from a program, frozen into an image's bytes, thawed from them, compared. */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CheckpointOptions, checkpoint } from "../../cr/checkpoint.ts";
import { type RestartDefaults, restart } from "../../cr/index.ts";
import { sourceOf } from "../../cr/stream.ts";
import { memoryDigest, registersDigest } from "../../emu/digest.ts";
import {
  defaultMounts,
  type EngineName,
  Machine,
  type MachineOptions,
  type MachineStop,
  type MountConfig,
} from "../../emu/machine.ts";
import type { MachineSnapshot } from "../../emu/snapshot.ts";
import type { Tuning } from "../../emu/tuning.ts";
import { type MemoryHost, memoryHost } from "./memory-host.ts";

/** A machine and what it can be seen to do. */
export interface Subject {
  machine: Machine;
  host: MemoryHost;
  mounts: readonly MountConfig[];
}

export interface SubjectOptions {
  args?: readonly string[];
  env?: Record<string, string>;
  /** stdin; null for an open, empty one. */
  input?: string | null;
  cwd?: string;
  /** What is granted; by default what the command would. */
  mounts?: readonly MountConfig[];
  seed?: bigint;
  /** Who runs the program; user and group 1000 by default. */
  uid?: number;
  gid?: number;
  cpuModel?: string;
  addressSpaceSize?: number;
  memorySize?: number;
  maxProcesses?: number;
  cpus?: number;
  net?: MachineOptions["net"];
  trace?: MachineOptions["trace"];
  engine?: EngineName;
  strace?: (line: string) => void;
  tuning?: Partial<Tuning>;
  /** CLOCK_MONOTONIC of the host; the real one by default. */
  monotonic?: () => bigint;
}

/** The working directory of programs that are given none: of this process alone, since programs make files by fixed names. */
function ownDirectory(): string {
  if (own === undefined) {
    const made = mkdtempSync(join(realpathSync(tmpdir()), "ppcr-own-"));
    process.on("exit", () => rmSync(made, { recursive: true, force: true }));
    own = made;
  }
  return own;
}
let own: string | undefined;

/** A program of the host's file system, ready to run. */
export function load(program: string, options: SubjectOptions = {}): Subject {
  const { args = [], env = {}, cwd = ownDirectory(), input, monotonic, ...rest } = options;
  const real = memoryHost(input);
  const host = monotonic === undefined ? real : { ...real, clock: { ...real.clock, monotonic } };
  const mounts = options.mounts ?? defaultMounts({ program, cwd });
  const machine = Machine.load({
    ...rest,
    host,
    mounts,
    program,
    argv: [program, ...args],
    env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
    cwd,
  });
  return { machine, host, mounts };
}

/** The bytes of a snapshot's image. */
export function imageBytes(
  snapshot: MachineSnapshot,
  host: MemoryHost,
  options: CheckpointOptions = {},
): Uint8Array {
  const pieces: Uint8Array[] = [];
  const sink = { write: (bytes: Uint8Array) => void pieces.push(bytes.slice()) };
  checkpoint(snapshot, sink, host.sha256, options);
  return new Uint8Array(Buffer.concat(pieces));
}

/** The image of a machine that stands still. */
export const freeze = (
  { machine, host }: Subject,
  { includeFiles, ...options }: CheckpointOptions & { includeFiles?: boolean } = {},
): Uint8Array => imageBytes(machine.freeze({ includeFiles }), host, options);

export interface ThawOptions {
  input?: string | null;
  /** What goes for an image without a trailer. */
  defaults?: RestartDefaults;
  strace?: (line: string) => void;
  net?: MachineOptions["net"];
}

/** A new machine that goes on from an image, with the mounts of another; stdin is open and empty unless given. */
export function thaw(
  image: Uint8Array,
  { mounts, input = null, defaults, strace, net }: Pick<Subject, "mounts"> & ThawOptions,
): Subject {
  const host = memoryHost(input);
  const snapshot = restart(sourceOf(image), { sha256: host.sha256, defaults });
  return { machine: Machine.thaw(snapshot, { host, mounts, strace, net }), host, mounts };
}

/** What of a machine must be equal on both sides of a freeze. */
export interface State {
  instructions: bigint;
  registers: string;
  memory: string;
}

/** The state of a machine that stands still. */
export function stateOf({ machine, host }: Subject): State {
  const snapshot = machine.freeze();
  return {
    instructions: machine.instructions,
    registers: registersDigest(snapshot, host.sha256),
    memory: memoryDigest(snapshot, host.sha256),
  };
}

/** How a program ended, and what it had written by then. */
export interface Ending extends State {
  stop: MachineStop;
  stdout: string;
  stderr: string;
}

/** Runs a machine to its end. */
export async function runToEnd(subject: Subject): Promise<Ending> {
  const stop = await subject.machine.run();
  const { stdout, stderr } = subject.host;
  return { stop, ...stateOf(subject), stdout: stdout.text, stderr: stderr.text };
}
