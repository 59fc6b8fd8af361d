/** Command-line options that several verbs share, and their parsing. */
import { Command, InvalidArgumentError, Option } from "commander";
import { type MountConfig, type NetGrants, parseMount } from "../emu/machine.ts";
import type { GrantFlags } from "./grants.ts";
import { workingDirectory } from "./surroundings.ts";
import { OPTION_VARIABLES, usualFlags } from "./usual.ts";

/** What `run` and `restart` have in common. */
export interface MachineFlags extends GrantFlags {
  engine: "interp" | "jit";
  jitCache?: string;
  stopAt?: bigint;
  checkpointAt?: bigint;
  output?: string;
  leaveRunning?: boolean;
  includeFiles?: boolean;
  onChanged?: "fail" | "warn" | "ignore";
  strict?: boolean;
  flavour: "seed" | "reviewed";
  strace?: true | string;
  trace?: true | string;
  traceOnly?: string[];
  memory?: bigint;
  maxProcesses?: bigint;
  cpus?: bigint;
  stats?: true | string;
  core?: string;
  profile?: string;
  dumpRegions?: string;
  crSyscalls?: [number, number];
}

/** A whole number from 0 up, in decimal or 0x hexadecimal. */
export function parseCount(text: string): bigint {
  if (!/^(\d+|0x[0-9a-f]+)$/i.test(text)) throw new InvalidArgumentError("want a whole number.");
  return BigInt(text);
}

/** A number from 1 to 1024. */
function parseAmount(text: string): bigint {
  const count = parseCount(text);
  if (count < 1n || count > 1024n) throw new InvalidArgumentError("want a number from 1 to 1024.");
  return count;
}

/** HOST[:GUEST][:ro], gathered in order. */
export function parseDirectory(text: string, before: MountConfig[] = []): MountConfig[] {
  const mount = parseMount(text, workingDirectory());
  if (mount === undefined)
    throw new InvalidArgumentError(
      "want HOST[:GUEST][:ro], GUEST beginning with '/'; a colon in a path is written '\\:'.",
    );
  return [...before, mount];
}

/** "outside", "host", or [HOST:]PORT, gathered. */
function parseNet(text: string, before: NetGrants = { outside: false, host: false, ports: [] }): NetGrants {
  if (text === "outside" || text === "host") return { ...before, [text]: true };
  const match = /^(?:(\d{1,5}):)?(\d{1,5})$/.exec(text);
  const [host, guest] = [Number(match?.[1] ?? match?.[2]), Number(match?.[2])];
  const isPort = (port: number) => port > 0 && port < 65536;
  if (match === null || !isPort(host) || !isPort(guest)) {
    throw new InvalidArgumentError("want 'outside', 'host', PORT or HOSTPORT:PORT.");
  }
  return { ...before, ports: [...before.ports, { host, guest }] };
}

/** NAME or NAME=VALUE, gathered in order. */
export function parseVariable(text: string, before: string[] = []): string[] {
  if (text === "" || text.startsWith("=")) throw new InvalidArgumentError("want NAME or NAME=VALUE.");
  return [...before, text];
}

/** NAME, gathered in order. */
export function parseName(text: string, before: string[] = []): string[] {
  if (text === "" || text.includes("=")) throw new InvalidArgumentError("want a variable's NAME.");
  return [...before, text];
}

/** A number of bytes; K, M and G behind it are 2^10, 2^20 and 2^30. */
export function parseSize(text: string): bigint {
  const match = /^(\d+|0x[0-9a-f]+)([kmg]?)$/i.exec(text);
  if (match === null) throw new InvalidArgumentError("want a number of bytes such as 65536, 64K or 8M.");
  const unit = { "": 0n, k: 10n, m: 20n, g: 30n }[match[2].toLowerCase()]!;
  return BigInt(match[1]) << unit;
}

/** The largest id that somebody can have: one more means "nobody in particular" to system calls. */
const MOST_ID = 0xffff_fffe;

/** UID[:GID]; without one the group's id is the user's. */
export function parseUser(text: string): { uid: number; gid: number } {
  const match = /^(\d{1,10})(?::(\d{1,10}))?$/.exec(text);
  const [uid, gid] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
  if (match === null || uid > MOST_ID || gid > MOST_ID) {
    throw new InvalidArgumentError("want a user's number, and a group's behind ':', such as 0 or 1000:100.");
  }
  return { uid, gid };
}

/** CHECKPOINT,RESTART: two system call numbers. */
function parseCrSyscalls(text: string): [number, number] {
  const match = /^(\d{1,4}),(\d{1,4})$/.exec(text);
  if (match === null || match[1] === match[2]) {
    throw new InvalidArgumentError("want two different system call numbers such as 319,320.");
  }
  return [Number(match[1]), Number(match[2])];
}

/** The name of a file. */
export function parseFile(text: string): string {
  if (text === "") throw new InvalidArgumentError("want a file's name.");
  return text;
}

/** The file of an option that may name another one. */
const fileOr =
  (usual: string) =>
  (text: string): string =>
    text || usual;

/** The value of an option that may have one: true for none. */
const parseOptionalFile = (text: string): true | string => text || true;

/**
 * A verb whose options with optional values take them behind "=" only: the word after `--strace` is the program, which
 * must not be taken for a file to write.
 */
export class Verb extends Command {
  override parseOptions(argv: string[]): ReturnType<Command["parseOptions"]> {
    const words = [...argv];
    for (let at = 0; at < words.length && words[at] !== "--"; at++) {
      const option = this.options.find(({ long, short }) => long === words[at] || short === words[at]);
      if (option?.required) at++;
      else if (option?.optional) words[at] += "=";
      else if (!words[at].startsWith("-") && this.endsAtOperand) break;
    }
    return super.parseOptions(words);
  }

  /** Whether what follows the first operand belongs to somebody else. */
  private endsAtOperand = false;

  override passThroughOptions(passThrough?: boolean): this {
    this.endsAtOperand = passThrough ?? true;
    return super.passThroughOptions(passThrough);
  }
}

const USUAL = usualFlags();

/** Where translated code is kept. */
export const jitCacheOption = (): Option =>
  new Option(
    "--jit-cache <dir>",
    "where translated code is kept for later runs (default: ppcr in XDG_CACHE_HOME or ~/.cache); 'off' for nowhere",
  ).env(OPTION_VARIABLES.jitCache);

/** Adds the options that say what an image is to hold. */
export function addImageOptions(command: Command): Command {
  return command
    .option(
      "--include-files",
      "put the program and every open or mapped file into the image: it thaws alone then",
    )
    .option("--strict", "write a plain linux-cr v13 image or say why that can't be")
    .addOption(
      new Option("--flavour <name>", "image flavour").choices(["seed", "reviewed"]).default(USUAL.flavour),
    );
}

/** Adds the options that `run` and `restart` share. */
export function addMachineOptions(command: Command): Command {
  command
    .addOption(
      new Option("--engine <name>", "how to execute").choices(["interp", "jit"]).default(USUAL.engine),
    )
    .addOption(jitCacheOption())
    .addOption(
      new Option("-L, --sysroot <dir>", "look for the guest's absolute paths in this folder first").env(
        OPTION_VARIABLES.sysroot,
      ),
    )
    .option("--dir <host[:guest][:ro]>", "give the guest a folder", parseDirectory, USUAL.dir)
    .option(
      "--net <grant>",
      "'outside': addresses of other hosts; 'host': what listens on this one's loopback; [HOST:]PORT: the guest's TCP port for this one's loopback; may be repeated",
      parseNet,
    )
    .option("--stop-at <n>", "stop after exactly n instructions of the program", parseCount)
    .option("--checkpoint-at <n>", "freeze after exactly n instructions of the program", parseCount)
    .option("-o, --output <image>", "the image --checkpoint-at writes; '-' is standard output", parseFile)
    .option("--leave-running", "go on after the checkpoint");
  return addImageOptions(command)
    .option("--strace [file]", "trace system calls, to stderr or with =FILE to a file", parseOptionalFile)
    .option(
      "--trace [file]",
      "trace instructions with what they change, to stderr or with =FILE to a file",
      parseOptionalFile,
    )
    .option(
      "--trace-only <code>",
      "trace only a function, or addresses START-END in hexadecimal; may be repeated",
      parseName,
      USUAL.traceOnly,
    )
    .option("--memory <size>", "memory for all processes together; more is refused with ENOMEM", parseSize)
    .option("--max-processes <n>", "most processes at a time; more are refused with EAGAIN", parseAmount)
    .option("--cpus <n>", "CPUs that programs are told of", parseAmount)
    .option(
      "--stats [file]",
      "write statistics as JSON, to stderr or with =FILE to a file",
      parseOptionalFile,
    )
    .option(
      "--profile [file]",
      "write where the program spends its instructions, to ./ppcr.folded or with =FILE to a file",
      fileOr("ppcr.folded"),
    )
    .option("--dump-regions <dir>", "write translated guest code and its WebAssembly into a folder")
    .option(
      "--core [file]",
      "where the guest dumps core, write an ELF core file, to ./core or with =FILE to a file",
      fileOr("core"),
    )
    .option("--cr-syscalls <n,m>", "numbers of the checkpoint and restart system calls", parseCrSyscalls);
}
