/** From a stopped machine to an image: every piece of the snapshot goes to its v13 record, or to the trailer. */

import { encodeName } from "../emu/host/names.ts";
import {
  type AreaSnapshot,
  finished,
  type MachineSnapshot,
  type OpenFileSnapshot,
  PAGE_SIZE,
  type PageSource,
  type ProcessSnapshot,
  type ThreadSnapshot,
} from "../emu/snapshot.ts";
import { cpuValues, dummyPayload, type Shape, waitingArgument } from "./arch-ppc.ts";
import { imageError } from "./errors.ts";
import type { AreaImage, ByteRec, DescriptorImage, Image, PageRun, TaskImage } from "./image.ts";
import { expressible, leaderOf, plainObstacles, taskOrder } from "./plain.ts";
import { charsOf, type Format } from "./record-fields.ts";
import * as R from "./records.ts";
import { type ImageSink, type Sha256, sourceOf } from "./stream.ts";
import { buildTrailer } from "./trailer-build.ts";
import { writeInSteps } from "./writer.ts";

/**
 * What an image has at the three places where the seed patch writes a dummy value: the value, a record without payload,
 * or no record. "reviewed" is what the patch's successors wrote: HEAD_ARCH with the value, the other two not at all.
 */
const FLAVOURS = {
  seed: { HEAD_ARCH: "value", MM_CONTEXT: "value", THREAD: "value" },
  reviewed: { HEAD_ARCH: "value", MM_CONTEXT: "absent", THREAD: "absent" },
  empty: { HEAD_ARCH: "empty", MM_CONTEXT: "empty", THREAD: "empty" },
  bare: { HEAD_ARCH: "absent", MM_CONTEXT: "absent", THREAD: "absent" },
} as const;

/** Name of a flavour. */
export type Flavour = keyof typeof FLAVOURS;
export const FLAVOUR_NAMES = Object.keys(FLAVOURS) as Flavour[];

/** How an image is to be written. */
export interface CheckpointOptions {
  /** Default "seed". */
  flavour?: Flavour;
  /** Whose kernel's shape the image has; by default the one that the program's ABI belongs to. */
  kernel?: "ppc" | "ppc64";
  /** Doublewords of a floating-point register; by default 2 when VSRs 0 to 31 are in use on ppc64. */
  fpWidth?: 1 | 2;
  /** Write a plain v13 image, or throw an ImageError that says exactly why that cannot be. */
  strict?: boolean;
  /** The thread that asked for the image by a system call, and that call's first argument. */
  caller?: { tid: number; argument: bigint };
}

const PAGE_SHIFT = 12n;
const SIGCHLD = 17;
/** TASK_RUNNING and TASK_INTERRUPTIBLE. */
const RUNNING = 0;
const SLEEPING = 1;
const NANOSECONDS = 1_000_000_000n;

/** A chunk of PGARR holds 4 pages full of addresses. */
const chunkPages = (format: Format): number => (4 * PAGE_SIZE) / format.longSize;

function chooseShape(snapshot: MachineSnapshot, options: CheckpointOptions): Shape {
  const wide = [snapshot, ...snapshot.processes].some(({ abi = snapshot.abi }) => abi !== "ppc32");
  const kernel = options.kernel ?? (wide ? "ppc64" : "ppc");
  if (wide && kernel === "ppc") {
    throw imageError(
      "unsupported",
      "a 64-bit program cannot have the image of a 32-bit kernel; use the ppc64 shape",
    );
  }
  const longSize = kernel === "ppc" ? 4 : 8;
  const usesVsx = snapshot.processes.some((process) =>
    process.threads.some((thread) => thread.registers.vsr.slice(0, 32).some(([, low]) => low !== 0n)),
  );
  return { longSize, fpWidth: options.fpWidth ?? (usesVsx && longSize === 8 ? 2 : 1) };
}

/** PROT_* bits to the VM_* bits of the same name; PROT_SAO is powerpc's. */
export const PROT_TO_VM: readonly [number, bigint][] = [
  [1, R.VM.READ],
  [2, R.VM.WRITE],
  [4, R.VM.EXEC],
  [0x10, R.VM.SAO],
];

/** vm_flags as a 2.6.28 kernel has them for such a mapping. */
function vmFlags(area: AreaSnapshot, exe: string): bigint {
  const { VM } = R;
  let flags = VM.MAYREAD | VM.MAYWRITE | VM.MAYEXEC;
  for (const [prot, bit] of PROT_TO_VM) if (area.prot & prot) flags |= bit;
  if (area.name === "[vdso]") return flags | VM.ALWAYSDUMP;
  if (area.growsDown) flags |= VM.GROWSDOWN;
  if (flags & VM.WRITE) flags |= VM.ACCOUNT;
  if (area.file !== null) flags |= VM.CAN_NONLINEAR;
  flags |= BigInt(area.flags ?? 0) & R.ASKED_IN_V13;
  if (area.file?.path === exe) flags |= VM.EXECUTABLE | VM.DENYWRITE;
  return flags;
}

function pathBytes(path: string): Uint8Array {
  const name = encodeName(path);
  if (name.length >= R.PATH_SIZE) {
    throw imageError(
      "unsupported",
      `a path of ${name.length} bytes is longer than an image can hold: ${path.slice(0, 60)}...`,
    );
  }
  const bytes = new Uint8Array(name.length + 1);
  bytes.set(name);
  return bytes;
}

function pageRuns(pages: PageSource, format: Format): PageRun[] {
  const size = chunkPages(format);
  const runs: PageRun[] = [];
  for (let start = 0; start < pages.addresses.length; start += size) {
    const addresses = pages.addresses.slice(start, start + size);
    runs.push({
      header: { parent: 0, values: { nr_pages: BigInt(addresses.length) } },
      addresses,
      read: (index) => pages.read(start + index),
    });
  }
  return runs;
}

function areaImage(area: AreaSnapshot, exe: string, format: Format): AreaImage {
  const { file } = area;
  const start = BigInt(area.start);
  if (file !== null && file.offset % PAGE_SIZE !== 0) {
    throw imageError(
      "unsupported",
      `the mapping of ${file.path} at offset ${file.offset} is not page aligned`,
    );
  }
  return {
    vma: {
      parent: 0,
      values: {
        vma_type: file === null ? R.VMA_ANON : R.VMA_FILE,
        _padding: 0,
        vm_start: start,
        vm_end: BigInt(area.end),
        vm_page_prot: 0n,
        vm_flags: vmFlags(area, exe),
        vm_pgoff: (file === null ? start : BigInt(file.offset)) >> PAGE_SHIFT,
      },
    },
    name: file === null ? undefined : { parent: 0, bytes: pathBytes(file.path) },
    runs: pageRuns(area.pages, format),
    end: { parent: 0, values: { nr_pages: 0n } },
  };
}

function fileRecords(file: OpenFileSnapshot, objref: number): DescriptorImage["file"] {
  return {
    data: {
      parent: objref,
      values: {
        fd_type: file.kind === "directory" ? R.FD_DIR : R.FD_FILE,
        f_mode: file.mode & 0xffff,
        f_flags: file.flags >>> 0,
        f_pos: file.position,
        f_version: 0n,
      },
    },
    name: { parent: 0, bytes: pathBytes(file.path) },
  };
}

/** Builds the v13 part; numbers open files as they first appear. */
class Builder {
  readonly snapshot: MachineSnapshot;
  readonly format: Format;
  readonly shape: Shape;
  readonly flavour: Flavour;
  readonly caller: CheckpointOptions["caller"];
  /** Objref by index in `snapshot.openFiles`. */
  readonly objrefs = new Map<number, number>();

  constructor(snapshot: MachineSnapshot, shape: Shape, { flavour = "seed", caller }: CheckpointOptions) {
    this.snapshot = snapshot;
    this.shape = shape;
    this.flavour = flavour;
    this.caller = caller;
    this.format = { littleEndian: snapshot.abi === "ppc64le", longSize: shape.longSize };
  }

  dummy(place: keyof (typeof FLAVOURS)["seed"], parent: number): ByteRec | undefined {
    const what = FLAVOURS[this.flavour][place];
    if (what === "absent") return undefined;
    return { parent, bytes: what === "empty" ? new Uint8Array() : dummyPayload(this.format) };
  }

  private descriptors(process: ProcessSnapshot): DescriptorImage[] {
    const ascending = [...process.descriptors].sort((a, b) => a.fd - b.fd);
    return ascending.flatMap(({ fd, closeOnExec, openFile }) => {
      const file = this.snapshot.openFiles[openFile];
      if (!expressible(file)) return [];
      const known = this.objrefs.get(openFile);
      const objref = known ?? this.objrefs.size + 1;
      this.objrefs.set(openFile, objref);
      const entry = { parent: 0, values: { objref, fd, close_on_exec: closeOnExec ? 1 : 0 } };
      return [{ entry, file: known === undefined ? fileRecords(file, objref) : undefined }];
    });
  }

  /** First argument of the system call that a thread is in; undefined where it is in none. */
  private callArgument(thread: ThreadSnapshot): bigint | undefined {
    return this.caller?.tid === thread.tid ? this.caller.argument : waitingArgument(thread);
  }

  task(process: ProcessSnapshot): TaskImage {
    const { pid, memory } = process;
    const leader = leaderOf(process);
    if (leader === undefined) throw imageError("unsupported", `process ${pid} lives and has no thread`);
    const areas = memory.areas
      .filter((area) => area.sharedObject === null)
      .map((area) => areaImage(area, process.exe, this.format));
    const descriptors = this.descriptors(process);
    const comm = charsOf(process.comm, R.COMM_SIZE);
    comm[R.COMM_SIZE - 1] = 0;
    return {
      task: {
        parent: 0,
        values: {
          state: leader.blocked === null ? RUNNING : SLEEPING,
          exit_state: 0,
          exit_code: 0,
          exit_signal: process.family?.exitSignal ?? SIGCHLD,
          task_comm_len: R.COMM_SIZE,
        },
      },
      comm: { parent: 0, bytes: comm },
      mm: {
        parent: pid,
        values: {
          objref: 0,
          map_count: areas.length,
          start_code: BigInt(memory.startCode),
          end_code: BigInt(memory.endCode),
          start_data: BigInt(memory.startData),
          end_data: BigInt(memory.endData),
          start_brk: BigInt(memory.startBrk),
          brk: BigInt(memory.brk),
          start_stack: BigInt(memory.startStack),
          arg_start: BigInt(memory.argStart),
          arg_end: BigInt(memory.argEnd),
          env_start: BigInt(memory.envStart),
          env_end: BigInt(memory.envEnd),
        },
      },
      areas,
      mmContext: this.dummy("MM_CONTEXT", 0),
      files: { parent: pid, values: { objref: 0, nfds: descriptors.length } },
      descriptors,
      thread: this.dummy("THREAD", pid),
      cpu: {
        parent: pid,
        values: cpuValues(leader.registers, this.shape, this.format, {
          wide: (process.abi ?? this.snapshot.abi) !== "ppc32",
          callArgument: this.callArgument(leader),
        }),
      },
    };
  }
}

/** The kernel's own machine name, which a 32-bit program's image under a 64-bit kernel has too. */
const machineName = (format: Format): string =>
  format.longSize === 4 ? "ppc" : format.littleEndian ? "ppc64le" : "ppc64";

/**
 * The image of a stopped machine. Page contents are fetched when it is written. Throws ImageError "not-plain" when
 * `strict` is asked for and cannot be, with every reason in the message.
 */
export function imageOf(snapshot: MachineSnapshot, options: CheckpointOptions = {}): Image {
  if (snapshot.obstacles !== undefined) {
    const list = snapshot.obstacles.map((what) => `\n  - ${what}`).join("");
    throw imageError("unsupported", `an image of this could never be thawed:${list}`);
  }
  const shape = chooseShape(snapshot, options);
  const obstacles = plainObstacles(snapshot, shape);
  if (options.strict && obstacles.length > 0) {
    const list = obstacles.map((reason) => `\n  - ${reason}`).join("");
    throw imageError("not-plain", `a plain v13 image cannot hold this state:${list}`);
  }
  const builder = new Builder(snapshot, shape, options);
  const { format } = builder;
  const processes = taskOrder(snapshot.processes);
  if (processes.length === 0) throw imageError("unsupported", "there is no living process to checkpoint");
  const tasks = processes.map((process) => builder.task(process));
  const needsTrailer = obstacles.length > 0;
  const { major, minor, patch, rev } = R.VERSION;
  return {
    format,
    shape,
    pageSize: PAGE_SIZE,
    head: {
      parent: 0,
      values: {
        magic: R.HEAD_MAGIC,
        major,
        minor,
        patch,
        rev,
        time: BigInt.asUintN(64, snapshot.clock.realtime / NANOSECONDS),
        flags: R.FLAG_CHECKPOINT | (needsTrailer ? R.FLAG_TRAILER : 0n),
        release: charsOf(snapshot.uts.release, 64),
        version: charsOf(snapshot.uts.version, 64),
        machine: charsOf(machineName(format), 64),
      },
    },
    headArch: builder.dummy("HEAD_ARCH", 0),
    tree: { parent: 0, values: { tasks_nr: tasks.length } },
    pids: processes.map(({ pid, ppid }) => ({ parent: 0, values: { vpid: pid, vtgid: pid, vppid: ppid } })),
    tasks,
    tail: { parent: 0, values: { magic: R.TAIL_MAGIC } },
    trailer: options.strict ? undefined : buildTrailer(snapshot, { shape, format, objrefs: builder.objrefs }),
    rest: sourceOf(new Uint8Array()),
  };
}

/** Writes the image of a stopped machine to a sink. Returns its size in bytes. */
export const checkpoint = (
  snapshot: MachineSnapshot,
  sink: ImageSink,
  sha256: Sha256,
  options: CheckpointOptions = {},
): number => finished(checkpointInSteps(snapshot, sink, sha256, options));

/** As `checkpoint`, in steps between which others can have their turn, as long as the machine stands still. */
export function* checkpointInSteps(
  snapshot: MachineSnapshot,
  sink: ImageSink,
  sha256: Sha256,
  options: CheckpointOptions = {},
): Generator<void, number> {
  for (const { pages } of snapshot.unlinkedFiles) yield* pages.search?.() ?? [];
  return yield* writeInSteps(imageOf(snapshot, options), sink, sha256);
}
