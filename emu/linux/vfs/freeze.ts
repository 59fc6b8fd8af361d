/**
 * Open files in snapshots, and back. A thaw opens everything again through the guest's own name space and changes
 * nothing until all of it is there; what can't be had is an error that names it.
 */
import { HostError } from "../../host/host.ts";
import {
  type MachineSnapshot,
  type OpenFileSnapshot,
  PAGE_SIZE,
  type ProcessSnapshot,
  type UnlinkedFileSnapshot,
} from "../../snapshot.ts";
import type { FreezeTables } from "../areas.ts";
import {
  MAX_OFFSET,
  O_ACCMODE,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOCTTY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_TRUNC,
  O_WRONLY,
} from "./constants.ts";
import { Descriptors, NR_OPEN } from "./descriptors.ts";
import { terminalOf } from "./devices.ts";
import type { FileSystem, Viewer } from "./file-system.ts";
import { fileKey } from "./folder.ts";
import { DirectoryFile, RegularFile } from "./host-file.ts";
import { LAST_BYTE } from "./locks.ts";
import { SharedHandle, writeFully } from "./mapped-files.ts";
import { isWithin, normalize } from "./mounts.ts";
import { type DirectoryEntry, hold, inodeOf, type OpenFile, release, syntheticStat } from "./open-file.ts";
import { Pipe, PipeEnd } from "./pipe.ts";
import { EventFile, ProcFile } from "./special-files.ts";
import { StreamFile } from "./stream-file.ts";
import { fail } from "./synthetic.ts";

/** Bounds on what a snapshot may ask for. */
const MAX_OPEN_FILES = 65536;
const MAX_PIPES = 4096;
const MAX_LOCKS = 65536;
const MAX_ENTRIES = 1_000_000;

/** Flags that only make sense at the first opening. */
const ONCE = O_CREAT | O_EXCL | O_TRUNC | O_NOCTTY | O_NOFOLLOW;

/** Indices of descriptions, pipes and files without a name (by their keys) in the tables of one snapshot. */
interface Indices {
  files: Map<OpenFile, number>;
  pipes: Map<Pipe, number>;
  unlinked: Map<string, number>;
}
const indices = new WeakMap<FreezeTables, Indices>();

function positionOf(file: OpenFile): bigint {
  return BigInt(file instanceof StreamFile ? file.tell() : file.position);
}

const ZEROS = new Uint8Array(PAGE_SIZE);
const isZero = (page: Uint8Array): boolean => page.every((byte) => byte === 0);

/** The contents of a file that nobody else can open any more. */
function freezeUnlinked(file: RegularFile): UnlinkedFileSnapshot {
  const { size, mode } = file.stat();
  const page = new Uint8Array(PAGE_SIZE);
  const read = (offset: number): Uint8Array => {
    const count = file.readAt(page, offset);
    page.set(ZEROS.subarray(count), count);
    return page;
  };
  const addresses: number[] = [];
  for (let at = 0; at < Number(size); at += PAGE_SIZE) if (!isZero(read(at))) addresses.push(at);
  return { size: Number(size), mode, pages: { addresses, read: (index) => read(addresses[index]) } };
}

/** The descriptors of a process for its snapshot; descriptions and pipes go into the tables once. */
export function freezeDescriptors(
  files: { readonly descriptors: Descriptors },
  tables: FreezeTables,
): ProcessSnapshot["descriptors"] {
  let known = indices.get(tables);
  if (known === undefined) {
    indices.set(tables, (known = { files: new Map(), pipes: new Map(), unlinked: new Map() }));
  }
  const { files: fileIndices, pipes, unlinked: unlinkedIndices } = known;
  return files.descriptors.list().map(([fd, { file, closeOnExec }]) => {
    let openFile = fileIndices.get(file);
    if (openFile === undefined) {
      openFile = tables.openFiles.length;
      fileIndices.set(file, openFile);
      let pipe = -1;
      if (file instanceof PipeEnd) {
        pipe = pipes.get(file.pipe) ?? tables.pipes.push(file.pipe.snapshot()) - 1;
        pipes.set(file.pipe, pipe);
      }
      let unlinked = -1;
      if (file instanceof RegularFile && file.canRead && file.stat().nlink === 0) {
        unlinked = unlinkedIndices.get(file.key) ?? tables.unlinkedFiles.push(freezeUnlinked(file)) - 1;
        unlinkedIndices.set(file.key, unlinked);
      }
      const { path, deleted } = file.where();
      tables.openFiles.push({
        kind: file.kind,
        path,
        flags: file.flags,
        mode: file.mode,
        position: positionOf(file),
        deleted,
        inherited: file instanceof StreamFile ? file.number : -1,
        pipe,
        unlinked,
        state: file.state(),
      });
    }
    return { fd, closeOnExec, openFile };
  });
}

/** The locks of a process and its descriptions, which are in the tables already; each goes in once. */
export function freezeLocks(
  { locks }: FileSystem,
  { pid, descriptors }: { pid: number; descriptors: Descriptors },
  tables: FreezeTables,
): void {
  const known = indices.get(tables)!.files;
  for (const { key, lock } of locks.all()) {
    const { kind, owner, exclusive, start, last } = lock;
    const holder =
      owner === pid
        ? descriptors.list().find(([, { file }]) => fileKey(file.stat()) === key)?.[1].file
        : descriptors.list().find(([, { file }]) => file === owner)?.[1].file;
    const openFile = holder === undefined ? undefined : known.get(holder);
    if (openFile === undefined) continue;
    const entry = { kind, openFile, pid: typeof owner === "number" ? owner : 0, exclusive, start, last };
    const isThere = tables.locks.some(
      (other) => other.kind === kind && other.openFile === openFile && other.start === start,
    );
    if (!isThere) tables.locks.push(entry);
  }
}

/** Takes the locks of a snapshot again. Throws a HostError where they make no sense. */
function thawLocks(system: FileSystem, snapshot: MachineSnapshot, opened: readonly OpenFile[]): void {
  const { locks = [] } = snapshot;
  if (locks.length > MAX_LOCKS) fail("EINVAL", `${locks.length} locks are too many`);
  for (const { kind, openFile, pid, exclusive, start, last } of locks) {
    const file = opened[openFile];
    const owner = kind === "posix" ? pid : file;
    if (file === undefined || start < 0n || last < start || last > LAST_BYTE) {
      fail("EINVAL", "a file lock makes no sense");
    }
    system.locks.take(file, { kind, owner, exclusive, start, last });
  }
}

/** Throws an error that names the file, for everything that keeps it from being thawed. */
function cannot(snapshot: OpenFileSnapshot, why: string, code = "EINVAL"): never {
  const name = snapshot.path === "" ? snapshot.kind : snapshot.path;
  return fail(code, `cannot reopen ${name}: ${why}`);
}

function parseState(snapshot: OpenFileSnapshot): unknown {
  try {
    return JSON.parse(snapshot.state);
  } catch {
    return cannot(snapshot, "its state makes no sense");
  }
}

const KINDS = new Set(["file", "directory", "symlink", "fifo", "socket", "char", "block"]);

/** A directory listing as `DirectoryFile.state` writes it, checked. */
function listing(snapshot: OpenFileSnapshot): DirectoryEntry[] | undefined {
  if (snapshot.state === "") return undefined;
  const rows = parseState(snapshot);
  if (!Array.isArray(rows) || rows.length > MAX_ENTRIES) cannot(snapshot, "its listing makes no sense");
  return (rows as unknown[]).map((row) => {
    const [ino, kind, name] = Array.isArray(row) ? row : [];
    if (typeof ino !== "string" || !/^\d{1,20}$/.test(ino) || !KINDS.has(kind) || typeof name !== "string") {
      return cannot(snapshot, "its listing makes no sense");
    }
    return { ino: BigInt(ino), kind, name };
  });
}

function thawSpecial(
  system: FileSystem,
  snapshot: OpenFileSnapshot,
  viewer: Viewer,
  littleEndian: boolean,
): OpenFile {
  const state = parseState(snapshot) as { type?: string; counter?: string; semaphore?: boolean } | null;
  if (state?.type === "eventfd" && /^\d{1,20}$/.test(state.counter ?? "")) {
    return new EventFile({
      flags: snapshot.flags & O_NONBLOCK,
      counter: BigInt.asUintN(64, BigInt(state.counter!)),
      semaphore: state.semaphore === true,
      littleEndian,
      ino: system.newInode(),
    });
  }
  if (state?.type === "path") return reopen(system, snapshot, viewer);
  return cannot(snapshot, "unknown kind of special file");
}

/** Largest contents of a /proc file in a snapshot. */
const MAX_PROC = 8 * 1024 * 1024;

function thawProc(snapshot: OpenFileSnapshot): OpenFile {
  const state = parseState(snapshot) as { mode?: unknown; contents?: unknown } | null;
  const { mode, contents } = state ?? {};
  if (typeof mode !== "number" || typeof contents !== "string" || contents.length > MAX_PROC) {
    return cannot(snapshot, "its state makes no sense");
  }
  const bytes = Uint8Array.from(contents, (letter) => letter.charCodeAt(0));
  const stat = syntheticStat("file", mode & 0o777, inodeOf(snapshot.path));
  return new ProcFile(snapshot.path, (snapshot.flags & ~O_ACCMODE) | O_RDONLY, bytes, stat);
}

/** A directory of /proc has the listing it had; the processes it shows are not there yet. */
function thawProcDirectory(system: FileSystem, snapshot: OpenFileSnapshot, viewer: Viewer): OpenFile {
  const file = system.folder(undefined, normalize(snapshot.path), snapshot.flags, viewer);
  file.resume(listing(snapshot));
  return file;
}

/** A directory that had been removed is made again without a name. */
function thawRemoved(system: FileSystem, path: string, flags: number, viewer: Viewer): DirectoryFile {
  return system.folder(system.namespace.removedFolder(normalize(path)), path, flags, viewer);
}

function reopen(system: FileSystem, snapshot: OpenFileSnapshot, viewer: Viewer): OpenFile {
  if (snapshot.deleted) cannot(snapshot, "it had been deleted", "ENOENT");
  if (!snapshot.path.startsWith("/")) cannot(snapshot, "it has no path");
  try {
    const at = system.resolve(snapshot.path, { follow: false }, viewer);
    return system.openExisting(at, snapshot.flags & ~ONCE, viewer);
  } catch (error) {
    if (error instanceof HostError) return cannot(snapshot, error.message, error.code);
    throw error;
  }
}

function thawStream(system: FileSystem, snapshot: OpenFileSnapshot): OpenFile {
  const stream = system.host.streams.get(snapshot.inherited);
  if (stream === undefined)
    return cannot(snapshot, `descriptor ${snapshot.inherited} is not open here`, "EBADF");
  const file = system.streamFile(stream, snapshot.inherited, snapshot.path);
  const access = snapshot.flags & O_ACCMODE;
  if ((access !== O_WRONLY && !stream.access.read) || (access !== 0 && !stream.access.write)) {
    // A terminal is often open both ways where a file or pipe in its place is not: what counts is the use.
    const needed = snapshot.inherited === 0 ? stream.access.read : stream.access.write;
    if (!needed)
      return cannot(snapshot, `descriptor ${snapshot.inherited} is not open that way here`, "EACCES");
  } else file.flags = (file.flags & ~O_ACCMODE) | access;
  file.flags |= snapshot.flags & O_NONBLOCK;
  return file;
}

/** Makes a file again that has no name; its first description. */
function thawUnlinked(system: FileSystem, { size, mode, pages }: UnlinkedFileSnapshot): SharedHandle {
  const { files } = system.host;
  const handle = new SharedHandle(system.host, files.openUnnamed());
  try {
    pages.addresses.forEach((offset, index) => {
      writeFully(system.host, handle.handle, pages.read(index), offset);
    });
    files.ftruncate(handle.handle, size);
    files.fchmod(handle.handle, mode & 0o777);
    return handle;
  } catch (error) {
    handle.release();
    throw error;
  }
}

/** What several descriptions of a snapshot may share. */
interface Shared {
  pipes: readonly Pipe[];
  unlinked: readonly SharedHandle[];
}

function thawFile(
  system: FileSystem,
  snapshot: OpenFileSnapshot,
  { pipes, unlinked }: Shared,
  viewer: Viewer,
  littleEndian: boolean,
): OpenFile {
  switch (snapshot.kind) {
    case "pipe-read":
    case "pipe-write": {
      const pipe = pipes[snapshot.pipe];
      if (pipe === undefined) return cannot(snapshot, "its pipe is missing");
      return new PipeEnd(pipe, snapshot.kind, snapshot.flags);
    }
    case "inherited":
      return thawStream(system, snapshot);
    case "proc":
      return thawProc(snapshot);
    case "special":
      return thawSpecial(system, snapshot, viewer, littleEndian);
    case "directory": {
      if (isWithin(normalize(snapshot.path), "/proc")) return thawProcDirectory(system, snapshot, viewer);
      if (snapshot.deleted) return thawRemoved(system, snapshot.path, snapshot.flags, viewer);
      if (snapshot.flags & O_PATH) return reopen(system, snapshot, viewer);
      const file = reopen(system, { ...snapshot, flags: snapshot.flags | O_DIRECTORY }, viewer);
      if (!(file instanceof DirectoryFile)) return cannot(snapshot, "it is no directory any more", "ENOTDIR");
      file.resume(listing(snapshot));
      return file;
    }
    case "file": {
      const handle = unlinked[snapshot.unlinked];
      if (handle !== undefined) return system.unnamed(handle.hold(), snapshot.path, snapshot.flags & ~ONCE);
      const file = reopen(system, snapshot, viewer);
      if (file instanceof RegularFile) return file;
      release(hold(file));
      return cannot(snapshot, "it is no regular file any more");
    }
    default:
      return reopen(system, snapshot, viewer);
  }
}

/** Sets a terminal as the guest had set it, where there is one again. */
function thawTerminal(snapshot: OpenFileSnapshot, file: OpenFile): void {
  const terminal = terminalOf(file);
  if (terminal === undefined || snapshot.state === "") return;
  if (!terminal.resume(parseState(snapshot))) cannot(snapshot, "its terminal settings make no sense");
}

/** A working directory that isn't there any more, or in no grant, is as one that has been removed. */
function thawWorkingDirectory(system: FileSystem, { cwd }: ProcessSnapshot, viewer: Viewer): DirectoryFile {
  const path = normalize(cwd);
  try {
    return system.directory(system.namespace.walkCanonical(path, viewer.root), O_PATH, viewer);
  } catch (error) {
    if (error instanceof HostError) return thawRemoved(system, path, O_PATH, viewer);
    throw error;
  }
}

/** What a thaw has made of a process's files. */
export interface ThawedFiles {
  descriptors: Descriptors;
  directory: DirectoryFile;
  umask: number;
}

/**
 * Opens all files of a snapshot again. Throws HostError, naming the file, and leaves nothing open then. `viewer`
 * gives the name space's /proc and /dev. The result is by pid.
 */
export function thawFiles(
  system: FileSystem,
  snapshot: MachineSnapshot,
  viewer: Viewer,
): Map<number, ThawedFiles> {
  const { openFiles, processes } = snapshot;
  if (openFiles.length > MAX_OPEN_FILES) fail("EINVAL", `${openFiles.length} open files are too many`);
  if (snapshot.unlinkedFiles.length > MAX_OPEN_FILES) fail("EINVAL", "too many files without a name");
  if (snapshot.pipes.length > MAX_PIPES) fail("EINVAL", `${snapshot.pipes.length} pipes are too many`);
  const pipes = snapshot.pipes.map((pipe) => new Pipe(system.newInode(), pipe));
  const opened: OpenFile[] = [];
  const unlinked: SharedHandle[] = [];
  try {
    for (const each of snapshot.unlinkedFiles) unlinked.push(thawUnlinked(system, each));
    for (const each of openFiles) {
      if (each.position < 0n || each.position > BigInt(MAX_OFFSET))
        cannot(each, "its position makes no sense");
      const file = hold(thawFile(system, each, { pipes, unlinked }, viewer, snapshot.abi === "ppc64le"));
      opened.push(file);
      if (file instanceof RegularFile || file instanceof DirectoryFile || file.kind === "proc") {
        file.position = Number(each.position);
      }
    }
    thawLocks(system, snapshot, opened);
    const thawed = new Map<number, ThawedFiles>();
    for (const process of processes) {
      const descriptors = thawDescriptors(process, opened);
      const directory = hold(thawWorkingDirectory(system, process, viewer));
      thawed.set(process.pid, { descriptors, directory, umask: process.umask & 0o777 });
    }
    openFiles.forEach((each, index) => {
      thawTerminal(each, opened[index]);
    });
    return thawed;
  } finally {
    // Descriptors hold what they refer to; the rest is closed, all of it after an error.
    for (const file of opened) release(file);
    for (const handle of unlinked) handle.release();
  }
}

function thawDescriptors(process: ProcessSnapshot, opened: readonly OpenFile[]): Descriptors {
  const table = new Descriptors(() => NR_OPEN);
  for (const { fd, openFile, closeOnExec } of process.descriptors) {
    const file = opened[openFile];
    if (file === undefined || !Number.isInteger(fd) || fd < 0 || fd >= NR_OPEN || table.has(fd)) {
      table.closeAll();
      fail("EINVAL", `descriptor ${fd} of process ${process.pid} makes no sense`);
    }
    table.set(fd, file, closeOnExec);
  }
  return table;
}
