/** Files that are on no host: directories that lead to grants, devices, /proc. */
import { HostError } from "../../host/host.ts";
import { PAGE_SIZE } from "../../memory/layout.ts";
import type { FileStat } from "./file-status.ts";
import type { OpenFile } from "./open-file.ts";

/** What a path of the synthetic tree names. */
export type Synthetic = SyntheticDirectory | SyntheticFile | SyntheticLink | SyntheticDevice;

export interface SyntheticDirectory {
  readonly type: "directory";
  /** Nobody may read the names in it. */
  readonly isClosed?: boolean;
  /** Names in it, without "." and "..". */
  names(): string[];
  lookup(name: string): Synthetic | undefined;
}

export interface SyntheticFile {
  readonly type: "file";
  /** Permission bits. */
  readonly mode: number;
  /** Whether its status tells how long it is; files of /proc have no length. */
  readonly isSized?: boolean;
  /** Contents, made afresh at each open. */
  contents(): Uint8Array;
  /** Takes what is written to it; nobody may write where it is absent. */
  store?(bytes: Uint8Array): void;
  /** Of /proc/PID/mem and pagemap: opens it; `again` finds the memory whenever it is wanted. */
  open?(flags: number, path: string, again: () => MemoryAccess): OpenFile;
  readonly access?: MemoryAccess;
}

/** The memory of a process as /proc/PID/mem has it, or what pagemap says of it. */
export interface MemoryAccess {
  /** Bytes from `address` on, as many as are there and may be read, up to `length`. */
  read(address: number, length: number): Uint8Array;
  /** How many bytes could be written. */
  write(address: number, bytes: Uint8Array): number;
}

export interface SyntheticLink {
  readonly type: "link";
  /** What readlink(2) says. */
  target(): string;
  /** To Linux it leads straight to a place, not by its text (openat2's RESOLVE_NO_MAGICLINKS). */
  readonly isMagic?: boolean;
  /** Permission bits and size, where they are not 0777 and 0. */
  readonly mode?: number;
  readonly size?: bigint;
  /** For /proc/PID/fd/N: the description itself, which following the link arrives at. */
  object?(): OpenFile;
}

export interface SyntheticDevice {
  readonly type: "device";
  readonly major: number;
  readonly minor: number;
  /** Its status, where that is not what all devices have. */
  stat?(): FileStat;
  /** Opens it; gets the flags of open(2), the guest path, and whether a terminal may become the controlling one. */
  open(flags: number, path: string, mayControl: boolean): OpenFile;
}

/** A directory of fixed entries. */
export function directoryOf(entries: Readonly<Record<string, Synthetic>>): SyntheticDirectory {
  return {
    type: "directory",
    names: () => Object.keys(entries),
    lookup: (name) => (Object.hasOwn(entries, name) ? entries[name] : undefined),
  };
}

/** What two directories have, and those of both that have the same name in turn. */
export const united = (one: SyntheticDirectory, other: SyntheticDirectory): SyntheticDirectory => ({
  type: "directory",
  names: () => [...new Set([...one.names(), ...other.names()])],
  lookup: (name) => {
    const [mine, its] = [one.lookup(name), other.lookup(name)];
    return mine?.type === "directory" && its?.type === "directory" ? united(mine, its) : (mine ?? its);
  },
});

/** A directory that is made anew for every look at it. */
export const lazily = (make: () => SyntheticDirectory): SyntheticDirectory => ({
  type: "directory",
  names: () => make().names(),
  lookup: (name) => make().lookup(name),
});

export const linkTo = (target: string): SyntheticLink => ({ type: "link", target: () => target });

const encoder = new TextEncoder();

/** A read-only file of text, that is always the same or made afresh. */
export const textFile = (text: string | (() => string), mode = 0o444): SyntheticFile => ({
  type: "file",
  mode,
  contents: () => encoder.encode(typeof text === "string" ? text : text()),
});

/** What its status tells of its length: of files of /sys a page. */
export function sizeOf(file: SyntheticFile, path: string): bigint {
  if (path.startsWith("/sys/")) return BigInt(PAGE_SIZE);
  return BigInt(file.isSized ? file.contents().length : 0);
}

/** Throws a HostError with Linux's name for what is wrong. */
export function fail(code: string, message = code): never {
  throw new HostError(code, message);
}
