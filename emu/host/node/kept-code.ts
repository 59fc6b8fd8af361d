/**
 * Translations of guest code in a folder, a file a program. A file begins with a line of JSON that says what it is and whose, and holds the digest of the rest.
 * The folder and its files belong to the user alone; whatever is somebody else's, damaged, or from another version of anything is as if it weren't there.
 */
import {
  closeSync,
  constants,
  fstatSync,
  futimesSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  type Stats,
  statSync,
  unlinkSync,
  writevSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { MOST_KEPT_BYTES, MOST_KEPT_OF_PROGRAM } from "../../tuning.ts";
import type { HostTranslations } from "../host.ts";
import { builtins } from "./builtins.ts";
import { setEngineFlag } from "./v8-flags.ts";

const FORMAT = 1;
const SUFFIX = ".jit";
const UNFINISHED = ".new";
const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants;
/** Bytes of the first line at the most. */
const LONGEST_HEADER = 16_384;

/** What stands in a file's first line. */
interface Header {
  format: number;
  /** Whose it is; see `identity`. */
  identity: string;
  /** The program, for people. */
  program: string;
  length: number;
  sha256: string;
}

/** A file of translations, as `ppcr cache show` lists it. */
export interface KeptTranslations {
  program: string;
  bytes: number;
  used: Date;
  /** Whether this version of ppcr on this host takes it. */
  isCurrent: boolean;
}

const sha256 = (parts: readonly Uint8Array[]): string => {
  const hash = builtins.crypto.createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
};

let known: string | undefined;

/** Everything by which code that one process has made may differ from what another one needs: this very build of ppcr, V8, the processor. */
function identity(): string {
  if (known === undefined) {
    // Packages carry one time of change for all their versions; when the file came to this place tells them apart.
    const { size, mtimeMs, ctimeMs } = statSync(fileURLToPath(import.meta.url));
    known = `${size} ${mtimeMs} ${ctimeMs} ${process.versions.v8} ${process.arch} ${builtins.os.cpus()[0]?.model}`;
  }
  return known;
}

/** Whether a folder, or an open file, is the user's and nobody else can have written there. */
function isPrivate({ uid, mode }: { uid: number; mode: number }): boolean {
  return (process.geteuid === undefined || uid === process.geteuid()) && (mode & 0o022) === 0;
}

/** Node's own way to make a folder's parents too never comes back where the host answers ENOENT whatever is there, as /proc does. */
function makeFolder(folder: string): void {
  const make = () => mkdirSync(folder, { mode: 0o700 });
  try {
    make();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return;
    if (code !== "ENOENT" || dirname(folder) === folder) throw error;
    makeFolder(dirname(folder));
    make();
  }
}

/** Makes the folder if need be. False where it can't be had, or is not private. */
function openFolder(folder: string): boolean {
  try {
    makeFolder(folder);
    const stat = lstatSync(folder);
    return stat.isDirectory() && isPrivate(stat);
  } catch {
    return false;
  }
}

function readHeader(bytes: Uint8Array): { header: Header; start: number } | undefined {
  const end = bytes.subarray(0, LONGEST_HEADER).indexOf(10);
  if (end < 0) return undefined;
  try {
    return { header: JSON.parse(new TextDecoder().decode(bytes.subarray(0, end))) as Header, start: end + 1 };
  } catch {
    return undefined;
  }
}

/** Bytes of the numbers that typed arrays are laid over. */
const ALIGNMENT = 4;
const isAligned = ({ byteOffset }: Uint8Array): boolean => byteOffset % ALIGNMENT === 0;

/** So long that what follows is where typed arrays can be laid over it: to copy some megabytes takes milliseconds. */
function firstLine(header: Header): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const line = new Uint8Array(Math.ceil((text.length + 1) / ALIGNMENT) * ALIGNMENT).fill(0x20);
  line.set(text);
  line[line.length - 1] = 10;
  return line;
}

/** Has a file read that is the user's own, and no larger than such files are. */
function readOwn<T>(path: string, read: (fd: number, times: Stats) => T): T | undefined {
  try {
    const fd = openSync(path, O_RDONLY | O_NOFOLLOW);
    try {
      const stat = fstatSync(fd);
      const isOwn = stat.isFile() && isPrivate(stat);
      return isOwn && stat.size <= MOST_KEPT_OF_PROGRAM + LONGEST_HEADER ? read(fd, stat) : undefined;
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}

function readWhole(fd: number, { mtime }: Stats): Uint8Array<ArrayBuffer> {
  // No Buffer, whose parts are no copies where they are asked for as such.
  const { buffer, byteOffset, length } = readFileSync(fd);
  const bytes = new Uint8Array(buffer as ArrayBuffer, byteOffset, length);
  // When it was used last decides what goes first.
  futimesSync(fd, new Date(), mtime);
  return bytes;
}

/** Its header alone: that is no use of it. */
function readFirst(fd: number, { atime, mtime }: Stats): Header | undefined {
  const bytes = new Uint8Array(LONGEST_HEADER);
  const length = readSync(fd, bytes);
  futimesSync(fd, atime, mtime);
  return readHeader(bytes.subarray(0, length))?.header;
}

/** The files of the folder, the ones that were used least lately first. */
function filesOf(folder: string): { path: string; bytes: number; used: Date; isWhole: boolean }[] {
  const files = [];
  for (const name of readdirSync(folder)) {
    if (!name.endsWith(SUFFIX) && !name.endsWith(UNFINISHED)) continue;
    const path = join(folder, name);
    const stat = lstatSync(path);
    if (stat.isFile())
      files.push({ path, bytes: stat.size, used: stat.atime, isWhole: name.endsWith(SUFFIX) });
  }
  return files.sort((a, b) => a.used.getTime() - b.used.getTime());
}

/** Removes what was used least lately until the rest is not too much, and what others have left unfinished an hour ago. */
function trim(folder: string): void {
  const files = filesOf(folder);
  let total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { path, bytes, used, isWhole } of files) {
    if (isWhole ? total <= MOST_KEPT_BYTES : Date.now() - used.getTime() < 3_600_000) continue;
    unlinkSync(path);
    total -= bytes;
  }
}

/** Translations that are kept in a folder, which need not exist. */
export function nodeTranslations(folder: string): HostTranslations {
  let isOpen: boolean | undefined;
  const open = () => (isOpen ??= openFolder(folder));
  return {
    load(name) {
      if (!open()) return undefined;
      const bytes = readOwn(join(folder, name + SUFFIX), readWhole);
      const found = bytes && readHeader(bytes);
      if (bytes === undefined || found === undefined) return undefined;
      const { header, start } = found;
      if (header.format !== FORMAT || header.identity !== identity()) return undefined;
      const rest = bytes.subarray(start);
      return isAligned(rest) && rest.length === header.length && sha256([rest]) === header.sha256
        ? rest
        : undefined;
    },
    save(name, program, parts) {
      if (!open()) return;
      const length = parts.reduce((sum, part) => sum + part.length, 0);
      if (length > MOST_KEPT_OF_PROGRAM) return;
      const header: Header = { format: FORMAT, identity: identity(), program, length, sha256: sha256(parts) };
      const path = join(folder, name + SUFFIX);
      const unfinished = join(folder, `${name}.${process.pid}${UNFINISHED}`);
      try {
        const fd = openSync(unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
        try {
          const first = firstLine(header);
          const written = writevSync(fd, [first, ...parts]);
          if (written !== first.length + length) throw new Error("the disk is full");
        } finally {
          closeSync(fd);
        }
        renameSync(unfinished, path);
        trim(folder);
      } catch {
        tryUnlink(unfinished);
      }
    },
    serialize,
    deserialize,
  };
}

function tryUnlink(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It isn't there, or can't be removed: nothing depends on it.
  }
}

/** What is kept in a folder. */
export function listTranslations(folder: string): KeptTranslations[] {
  if (!openFolder(folder)) return [];
  return filesOf(folder).flatMap(({ path, bytes, used, isWhole }) => {
    const header = isWhole ? readOwn(path, readFirst) : undefined;
    if (header === undefined) return [];
    const isCurrent = header.format === FORMAT && header.identity === identity();
    return [{ program: String(header.program), bytes, used, isCurrent }];
  });
}

/** Removes all that is kept in a folder; returns how many bytes that was. */
export function clearTranslations(folder: string): number {
  if (!openFolder(folder)) return 0;
  let cleared = 0;
  for (const { path, bytes } of filesOf(folder)) {
    unlinkSync(path);
    cleared += bytes;
  }
  return cleared;
}

// ---- optimised code ---------------------------------------------------------------------------------------------

/** How many have been made: a text that was never compiled before is compiled at once. */
let made = 0;
/** By their names, until V8 throws away what it compiled of them. */
const natives = new Map<string, (...args: unknown[]) => unknown>();

/**
 * Calls a function that V8 has for its own tests; undefined where this V8 hasn't got it, or makes no functions from text.
 * V8 throws away what it compiled of functions that are seldom called, and can't compile this one again: its flags are as they were when it is
 * called, since V8 takes code only from a process with the same flags. It is made anew then.
 */
function native(name: string, ...args: unknown[]): unknown {
  const known = natives.get(name);
  try {
    if (known !== undefined) return known(...args);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  const places = args.map((_, n) => `a${n}`);
  setEngineFlag("--allow-natives-syntax");
  let call: (...args: unknown[]) => unknown;
  try {
    made++;
    call = new Function(...places, `return %${name}(${places}) // ${made}`) as typeof call;
  } catch {
    return undefined;
  } finally {
    setEngineFlag("--no-allow-natives-syntax");
  }
  natives.set(name, call);
  return call(...args);
}

/** Has V8 optimise a function of a module now. */
export function optimise(code: () => unknown): void {
  native("WasmTierUpFunction", code);
}

/** The code that V8 has optimised of a module one of whose functions is given; undefined where there is none to be had. */
export function serialize(module: WebAssembly.Module, code: () => unknown): Uint8Array | undefined {
  // Where nothing is optimised V8 would end the process.
  if (native("IsTurboFanFunction", code) !== true) return undefined;
  const bytes = native("SerializeWasmModule", module);
  return bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : undefined;
}

/** The module with that code; undefined where V8 does not take it. */
export function deserialize(code: Uint8Array, wire: Uint8Array): WebAssembly.Module | undefined {
  const module = native("DeserializeWasmModule", code.slice().buffer, wire.slice());
  return module instanceof WebAssembly.Module ? module : undefined;
}
