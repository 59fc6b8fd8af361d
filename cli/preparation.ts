/** What the command gets ready of its options before there is a machine. */
import { openSync } from "node:fs";
import type { Host } from "../emu/host/host.ts";
import { toHost } from "../emu/host/node/files.ts";
import { nodeHost } from "../emu/host/node/index.ts";
import type { MachineOptions } from "../emu/machine.ts";
import { checkWritable, writeFully } from "./atomic-file.ts";
import { setEngineFlags } from "./engine-flags.ts";
import { describeSystemError, EXIT_FAILURE, Failure, say } from "./failure.ts";
import { grants, programPath, warnOfGrants } from "./grants.ts";
import { cacheBeyondGuest } from "./jit-cache.ts";
import type { MachineFlags } from "./options.ts";
import { prepared } from "./prepared.ts";
import type { Regions } from "./regions.ts";
import { workingDirectory } from "./surroundings.ts";

/** Checks what of the flags can be wrong before anything has begun. */
function checkFlags(flags: MachineFlags): void {
  if (flags.checkpointAt !== undefined && flags.output === undefined) {
    throw new Failure("--checkpoint-at needs -o IMAGE");
  }
  if (flags.checkpointAt === undefined && flags.output !== undefined) {
    throw new Failure("-o is for --checkpoint-at N; give both or neither");
  }
  if (flags.output !== undefined && flags.output !== "-") checkOutput(flags.output, false);
  if (typeof flags.stats === "string") checkOutput(flags.stats, true);
  if (flags.core !== undefined) checkOutput(flags.core, false);
  if (flags.profile !== undefined) checkOutput(flags.profile, true);
}

function checkOutput(path: string, inPlace: boolean): void {
  try {
    checkWritable(path, inPlace);
  } catch (error) {
    throw new Failure(`cannot write ${path}: ${describeSystemError(error)}`);
  }
}

/** What a run of the command has got ready before there is a machine. */
export interface Preparation {
  flags: MachineFlags;
  cwd: string;
  /** Where the guest sees the program that the run begins with. */
  program: string | undefined;
  host: Host;
  mounts: MachineOptions["mounts"];
  /** What --dump-regions gathers, if it is asked for. */
  regions: Regions | undefined;
  crSyscalls: MachineOptions["crSyscalls"];
}

/** Looks at the flags of a run, of the program `named` where it begins with one, and gets ready what they ask for. Throws Failure. */
export async function prepare(flags: MachineFlags, named?: string): Promise<Preparation> {
  checkFlags(flags);
  const cwd = workingDirectory();
  const host = nodeHost({
    translations: cacheBeyondGuest(flags.jitCache, flags, cwd),
    workingDirectory: true,
    prepared: (name) => prepared(name),
  });
  const program = named === undefined ? undefined : programPath(named, { sysroot: flags.sysroot, cwd });
  const mounts = grants(flags, { cwd, program });
  warnOfGrants(flags, cwd);
  const regions =
    flags.dumpRegions === undefined
      ? undefined
      : new (await import("./regions.ts")).Regions(flags.dumpRegions);
  const crSyscalls =
    flags.crSyscalls === undefined
      ? undefined
      : (await import("./images.ts")).crSyscalls(host, flags, flags.crSyscalls);
  return { flags, cwd, program, host, mounts, regions, crSyscalls };
}

/** Where --strace lines go; undefined when they are not wanted. */
function straceSink(flags: MachineFlags): ((line: string) => void) | undefined {
  if (flags.strace === undefined) return undefined;
  const write = traceFile(flags.strace);
  return (line) => write(`${line}\n`);
}

/** Where --trace lines go, and of what; undefined when they are not wanted. A file gets them in larger pieces. */
function traceSink({ trace, traceOnly = [] }: MachineFlags): MachineOptions["trace"] {
  if (trace === undefined) {
    if (traceOnly.length > 0) throw new Failure("--trace-only needs --trace");
    return undefined;
  }
  const writeText = traceFile(trace);
  let text = "";
  const flush = () => {
    const piece = text;
    text = "";
    writeText(piece);
  };
  process.on("exit", () => {
    try {
      flush();
    } catch (error) {
      say((error as Failure).message);
      process.exitCode = EXIT_FAILURE;
    }
  });
  const write = (line: string) => {
    text += `${line}\n`;
    if (text.length >= TRACE_PIECE) flush();
  };
  return { write, only: traceOnly };
}
const TRACE_PIECE = 0x1_0000;

/** What of it a machine takes as it is, loaded or thawed. Opens the files of traces. */
export const machineOptions = ({ flags, host, mounts, regions, crSyscalls }: Preparation) => ({
  host,
  mounts,
  net: flags.net,
  engine: flags.engine,
  strace: straceSink(flags),
  trace: traceSink(flags),
  profile: flags.profile !== undefined,
  timed: flags.stats !== undefined,
  onTranslating: setEngineFlags,
  onTranslated: regions?.add,
  memorySize: numberOf(flags.memory),
  maxProcesses: numberOf(flags.maxProcesses),
  cpus: numberOf(flags.cpus),
  crSyscalls,
});
const numberOf = (value: bigint | undefined): number | undefined =>
  value === undefined ? undefined : Number(value);

/** What writes to the file of a trace, or to standard error. Throws Failure where that can't be, now or when it is full. */
function traceFile(file: true | string): (text: string) => void {
  const attempt = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw new Failure(
        `cannot write ${file === true ? "standard error" : file}: ${describeSystemError(error)}`,
      );
    }
  };
  const fd = file === true ? 2 : attempt(() => openSync(toHost(file), "w"));
  return (text) => attempt(() => writeFully(fd, Buffer.from(text)));
}
