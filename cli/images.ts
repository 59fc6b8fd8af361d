/** Images as the command makes them: in files, in memory, and for the guest's own system calls. */
import { type CheckpointOptions, checkpoint, checkpointInSteps } from "../cr/checkpoint.ts";
import { writeCore } from "../cr/core-file.ts";
import { ImageError } from "../cr/errors.ts";
import { readImage } from "../cr/reader.ts";
import { restart } from "../cr/restart.ts";
import { sourceOf } from "../cr/stream.ts";
import type { Host } from "../emu/host/host.ts";
import type { MachineOptions } from "../emu/machine.ts";
import { type MachineSnapshot, PAGE_SIZE } from "../emu/snapshot.ts";
import { type ByteSink, writeAtomically, writeFully } from "./atomic-file.ts";
import { describeSystemError, Failure, say } from "./failure.ts";
import type { MachineFlags } from "./options.ts";
import { type Progress, showProgress } from "./progress.ts";

type ImageFlags = Pick<CheckpointOptions, "flavour" | "strict" | "caller">;

/** Nanoseconds of work on an image after which the host has its turn. */
const TURN = 10_000_000n;

/** Does work in steps to its end, and has the host's turn in between, when `look` may throw what ends the work. */
async function inTurns<T>(work: Generator<void, T>, host: Host, look: () => void): Promise<T> {
  let began = host.clock.monotonic();
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
    if (host.clock.monotonic() - began < TURN) continue;
    await host.yield();
    look();
    began = host.clock.monotonic();
  }
}

/** A snapshot's image in pieces. Throws ImageError when it can't be had as the flags want it. */
function imageInMemory(snapshot: MachineSnapshot, host: Host, flags: ImageFlags): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  const { flavour, strict, caller } = flags;
  const sink: ByteSink = { write: (bytes) => void pieces.push(bytes.slice()) };
  checkpoint(snapshot, sink, () => host.sha256(), { flavour, strict, caller });
  return pieces;
}

/** Bytes of all pages of a snapshot: nearly all of its image. */
const pageBytes = ({ processes, sharedObjects }: MachineSnapshot): number =>
  [...processes.flatMap(({ memory }) => memory.areas), ...sharedObjects].reduce(
    (sum, { pages }) => sum + pages.addresses.length * PAGE_SIZE,
    0,
  );

/**
 * Writes a snapshot's image to a file, or to standard output for "-", while the machine stands still and the host has its turns; `look`
 * throws what ends that early. Throws Failure; the old file is as it was then.
 */
export async function saveImage(
  snapshot: MachineSnapshot,
  path: string,
  host: Host,
  { flavour, strict, caller }: ImageFlags,
  look: () => void = () => {},
): Promise<void> {
  let progress: Progress | undefined;
  const writeTo = (sink: ByteSink) => {
    const write = (bytes: Uint8Array) => {
      // Where its pages have to be looked for first, they can be counted now.
      progress ??= showProgress(`writing ${path}`, pageBytes(snapshot));
      sink.write(bytes);
      progress.count(bytes.length);
    };
    const options = { flavour, strict, caller };
    return inTurns(
      checkpointInSteps(snapshot, { write }, () => host.sha256(), options),
      host,
      look,
    );
  };
  try {
    if (path === "-") await writeTo({ write: (bytes) => writeFully(1, bytes) });
    else await writeAtomically(path, writeTo);
  } catch (error) {
    if (error instanceof ImageError) throw new Failure(`cannot write ${path}: ${error.message}`);
    const old = path === "-" ? "" : "; the old file, if any, is as it was";
    const why = error instanceof Failure ? error.message : describeSystemError(error);
    throw new Failure(`cannot write ${path === "-" ? "standard output" : path}: ${why}${old}`);
  } finally {
    progress?.stop();
  }
}

/** Writes what a program left that died of a signal as an ELF core file, and says so, or why not: the status is the program's. */
export async function saveCore(snapshot: MachineSnapshot, signo: number, path: string): Promise<void> {
  try {
    await writeAtomically(path, (sink) => writeCore(snapshot, signo, sink));
    say(`core dumped into ${path}`);
  } catch (error) {
    say(`cannot write ${path}: ${describeSystemError(error)}`);
  }
}

/** What --cr-syscalls asks for with its two numbers. */
export function crSyscalls(
  host: Host,
  flags: MachineFlags,
  [checkpointNumber, restartNumber]: NonNullable<MachineFlags["crSyscalls"]>,
): MachineOptions["crSyscalls"] {
  return {
    checkpoint: checkpointNumber,
    restart: restartNumber,
    images: {
      write: (snapshot, caller) => {
        // The image's own file is what it is once the image is in it.
        const own = snapshot.openFiles[caller.openFile]?.path;
        snapshot.knownFiles = snapshot.knownFiles?.filter(({ path }) => path !== own);
        const encode = () => imageInMemory(snapshot, host, { ...flags, caller });
        const pieces = encode();
        const { openFile } = caller;
        const reached = recordOffset(new Uint8Array(Buffer.concat(pieces)), snapshot, openFile);
        if (reached === undefined) return pieces;
        snapshot.openFiles[openFile].position += BigInt(reached);
        return encode();
      },
      read: (bytes) => restart(sourceOf(bytes), { sha256: () => host.sha256() }),
    },
  };
}

/**
 * How much of an image stands before the record of an open file; undefined when only the trailer has it. A kernel that
 * writes an image to a file finds that file's position advanced so far when it comes to the file itself.
 */
function recordOffset(bytes: Uint8Array, snapshot: MachineSnapshot, openFile: number): number | undefined {
  const { pids, tasks } = readImage(sourceOf(bytes));
  for (const process of snapshot.processes) {
    const task = tasks[pids.findIndex(({ values }) => values.vpid === process.pid)];
    for (const descriptor of process.descriptors) {
      if (descriptor.openFile !== openFile) continue;
      const found = task?.descriptors.find(({ entry }) => entry.values.fd === descriptor.fd);
      if (found?.file !== undefined) return found.file.data.offset;
    }
  }
  return undefined;
}
