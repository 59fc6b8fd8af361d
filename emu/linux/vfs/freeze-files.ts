/**
 * Open files in snapshots. What each kind of description has to say is said by its class (`OpenFile.freeze`); here
 * are the tables that they share, and what becomes of files whose names have changed.
 */
import { HostError } from "../../host/host.ts";
import type {
  FileReference,
  FilesSnapshot,
  KnownFileSnapshot,
  MachineSnapshot,
  NetworkSnapshot,
  OpenFileSnapshot,
  UnlinkedFileSnapshot,
} from "../../snapshot.ts";
import type { FreezeTables } from "../contracts.ts";
import type { Descriptors } from "./descriptors.ts";
import type { FileStat } from "./file-status.ts";
import type { FileSystem } from "./file-system.ts";
import { fileKey } from "./folder.ts";
import type { FreezeContext, Frozen, HeldFile, HeldNode } from "./freeze-context.ts";
import { contentOf } from "./known-files.ts";
import type { OpenFile } from "./open-file.ts";
import { otherName } from "./other-names.ts";
import { freezeNode, freezeTravelling } from "./travelling.ts";

/** The tables of one snapshot as the files fill them. */
class FileTables implements FreezeContext {
  readonly system: FileSystem;
  private readonly tables: FreezeTables;
  private readonly files = new Map<OpenFile, number>();
  /** Tables of descriptors whose locks are in the snapshot. */
  readonly locked = new Set<Descriptors>();
  private readonly pipes = new Map<Frozen, number>();
  private readonly travelling = new Map<string, number>();
  private readonly known = new Map<string, KnownFileSnapshot>();
  private readonly otherNames = new Map<string, string | undefined>();

  constructor(system: FileSystem, tables: FreezeTables) {
    this.system = system;
    this.tables = tables;
  }

  indexOf(file: OpenFile): number {
    return this.files.get(file) ?? -1;
  }

  add(file: OpenFile): number {
    const there = this.files.get(file);
    if (there !== undefined) return there;
    const index = this.tables.openFiles.length;
    this.files.set(file, index);
    const { kind, flags, mode } = file;
    const entry: OpenFileSnapshot = {
      ...{ kind, flags, mode, ...file.where(), position: BigInt(file.position) },
      ...{ inherited: -1, pipe: -1, unlinked: -1, state: null },
    };
    this.tables.openFiles.push(entry);
    Object.assign(entry, file.freeze(this));
    const signals = this.system.signals.freeze(file);
    if (signals !== undefined) entry.signals = signals;
    if (file.writeHint !== 0) entry.writeHint = file.writeHint;
    return index;
  }

  pipe(pipe: Frozen): number {
    const index = this.pipes.get(pipe) ?? this.tables.pipes.push(pipe.snapshot()) - 1;
    this.pipes.set(pipe, index);
    return index;
  }

  obstacle(what: string): void {
    this.tables.obstacles.push(what);
  }

  reference(file: HeldFile, isMapped: boolean, include: boolean): FileReference {
    const { path, deleted } = file.where();
    const name = deleted ? this.anotherName(file, path) : path;
    // What is in the guest's own folders travels along with them, and is as it was.
    const isOwn = file.mount !== undefined && this.system.namespace.own.isOne(file.mount);
    if (name !== undefined && (isOwn || !include)) {
      if (!isOwn) this.know(file, name, isMapped);
      return { path: name };
    }
    return {
      path: name ?? path,
      unlinked: this.travel(file, path, (stat) => this.contents(file, stat, path)),
    };
  }

  get includesFiles(): boolean {
    return this.tables.includeFiles;
  }

  travelNode(node: HeldNode, path: string): number {
    return this.travel(node, path, (stat) => this.node(node, stat, path));
  }

  private travel(file: HeldNode, path: string, contents: (stat: FileStat) => UnlinkedFileSnapshot): number {
    const known = this.travelling.get(file.key);
    if (known !== undefined) return known;
    const { unlinkedFiles, identities } = this.tables;
    let index = -1;
    try {
      const stat = file.stat();
      index = unlinkedFiles.push(contents(stat)) - 1;
      identities.push(this.system.identities.of(stat, "", index));
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      this.obstacle(`${path} has no name any more, and cannot be read (${error.code})`);
    }
    this.travelling.set(file.key, index);
    return index;
  }

  private node({ target }: HeldNode, stat: FileStat, path: string): UnlinkedFileSnapshot {
    return freezeNode(this.system.setIds.shown(stat), path, target);
  }

  private contents(file: HeldFile, stat: FileStat, path: string): UnlinkedFileSnapshot {
    const { host, mapped, setIds } = this.system;
    if (stat.kind !== "file") return this.node(file, stat, path);
    mapped.flush(file.key);
    const handle = file.readableHandle();
    const content = freezeTravelling(host, (use) => use(handle), path, setIds.bitsOf(file.key));
    if (this.system.isNameable(file.key)) content.isNameable = true;
    return content;
  }

  /** A file with several hard links may have another name where the one that it was opened by is gone. */
  private anotherName(file: HeldFile, path: string): string | undefined {
    const { mount } = file;
    const stat = file.stat();
    if (mount === undefined || path === "" || stat.nlink === 0) return undefined;
    if (this.otherNames.has(file.key)) return this.otherNames.get(file.key);
    const found = otherName(this.system, stat, path, mount);
    this.otherNames.set(file.key, found);
    if (found === undefined) {
      this.system.host.warn(
        `${path} has another name, but none that was found: a thawed program has a copy of that file`,
      );
    }
    return found;
  }

  private know(file: HeldFile, path: string, isMapped: boolean): void {
    const before = this.known.get(path);
    if (before !== undefined && (before.content !== "" || !isMapped)) return;
    const { host } = this.system;
    const { size, mtime } = file.stat();
    const content = isMapped ? contentOf(host, file.readableHandle(), { size, mtime, key: file.key }) : "";
    const entry = { path, size, mtime, content };
    if (before === undefined) this.tables.knownFiles.push(entry);
    else Object.assign(before, entry);
    this.known.set(path, before ?? entry);
  }
}

const known = new WeakMap<FreezeTables, FileTables>();

/** The files' side of a snapshot's tables. */
export function fileTables(system: FileSystem, tables: FreezeTables): FileTables {
  let files = known.get(tables);
  if (files === undefined) known.set(tables, (files = new FileTables(system, tables)));
  return files;
}

/** The descriptors of a process for its snapshot; descriptions and pipes go into the tables once. */
export const freezeDescriptors = (
  descriptors: Descriptors,
  tables: FileTables,
): FilesSnapshot["descriptors"] =>
  descriptors.list().map(([fd, { file, closeOnExec }]) => ({ fd, closeOnExec, openFile: tables.add(file) }));

/** The locks of a table of descriptors and its descriptions, which are in the tables already; each goes in once. `id`: whose table it is. */
export function freezeLocks(
  { id, descriptors }: { id: number; descriptors: Descriptors },
  files: FileTables,
  tables: FreezeTables,
): void {
  if (files.locked.has(descriptors)) return;
  files.locked.add(descriptors);
  for (const { key, locks } of files.system.locks.all()) {
    const [{ kind, owner }] = locks;
    const holder =
      owner === descriptors
        ? descriptors.list().find(([, { file }]) => fileKey(file.stat()) === key)?.[1].file
        : descriptors.list().find(([, { file }]) => file === owner)?.[1].file;
    const openFile = holder === undefined ? -1 : files.indexOf(holder);
    // Those of a description that another process has, too, have come with that one.
    const isThere = () => tables.locks.some((other) => other.kind === kind && other.openFile === openFile);
    if (openFile < 0 || (owner !== descriptors && isThere())) continue;
    for (const { exclusive, start, last } of locks) {
      tables.locks.push({ kind, openFile, pid: owner === descriptors ? id : 0, exclusive, start, last });
    }
  }
}

/** What sockets and named pipes share; undefined where there have been none. Comes after all open files. */
export function freezeNetwork(system: FileSystem, tables: FreezeTables): NetworkSnapshot | undefined {
  const { network, nodes } = system;
  if (nodes.isEmpty && network.isFresh) return undefined;
  const { lastPort, lastName } = network;
  return { lastPort, lastName, nodes: nodes.freeze(system, fileTables(system, tables)) };
}

/** What is in the folders of the guest's own, and the numbers of all files that travel; comes after whatever else does. */
export function freezeOwnFiles(
  system: FileSystem,
  { unlinkedFiles, identities: travelling }: FreezeTables,
): Pick<MachineSnapshot, "privateFiles" | "identities"> {
  const privateFiles = system.namespace.own.freeze(unlinkedFiles);
  const identities = [...travelling, ...system.identities.freeze(system, privateFiles)];
  return {
    ...(privateFiles.length > 0 ? { privateFiles } : {}),
    ...(identities.length > 0 ? { identities } : {}),
  };
}
