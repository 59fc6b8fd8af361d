/** What the classes of open files need to make descriptions again from a snapshot. */
import { type Host, HostError, type HostStat } from "../../host/host.ts";
import type { FileState, OpenFileSnapshot, UnlinkedFileSnapshot } from "../../snapshot.ts";
import type { FileMachine } from "../system.ts";
import { O_CREAT, O_EXCL, O_NOCTTY, O_NOFOLLOW, O_TRUNC } from "./constants.ts";
import type { Folder } from "./folder.ts";
import type { Location, Viewer } from "./location.ts";
import type { SharedHandle } from "./mapped-files.ts";
import type { OpenFile } from "./open-file.ts";
import { fail } from "./synthetic.ts";

/** What every kind of file needs of all files to be made again. */
interface ThawSystem {
  readonly host: Host;
  /** Absent where there are only files. */
  readonly machine: FileMachine | undefined;
  newInode(): bigint;
  sameInode(ino?: bigint): bigint;
  resolve(path: string, options: { follow: boolean }, viewer: Viewer): Location;
  openExisting(at: Location, flags: number, viewer: Viewer, entitled: boolean): OpenFile;
}

/** What shows named pipes and sockets for what they are. */
export interface Nodes {
  readonly nodes: { shown(stat: HostStat): HostStat };
}

/** A thaw that is under way. `More` is what else a kind needs of all files. */
export interface ThawContext<More = unknown> {
  readonly system: ThawSystem & More;
  readonly viewer: Viewer;
  readonly littleEndian: boolean;
  /** The files that travelled along, by their index; undefined for a folder. */
  readonly travelling: readonly (SharedHandle | undefined)[];
  /** The folders. */
  readonly folders: ReadonlyMap<number, Folder>;
  readonly contents: readonly UnlinkedFileSnapshot[];
  /** Has `connect` called with all descriptions, by index, when they are there. */
  whenOpened(connect: (opened: readonly OpenFile[]) => void): void;
  /** Has `change` called when nothing can fail any more: what changes something outside. */
  atEnd(change: () => void): void;
}

/** Flags that only make sense at the first opening. */
export const ONCE = O_CREAT | O_EXCL | O_TRUNC | O_NOCTTY | O_NOFOLLOW;

/** Throws an error that names the file, for everything that keeps it from being thawed. */
export function cannot(snapshot: OpenFileSnapshot, why: string, code = "EINVAL"): never {
  const name = snapshot.path === "" ? snapshot.kind : snapshot.path;
  return fail(code, `cannot reopen ${name}: ${why}`);
}

/** The state of a description, which is of `kind` or none. Throws where it is another's. */
export function stateOf<K extends FileState["kind"]>(
  snapshot: OpenFileSnapshot,
  kind: K,
): Extract<FileState, { kind: K }> | undefined {
  const { state } = snapshot;
  if (state === null) return undefined;
  if (state.kind !== kind) cannot(snapshot, `its state is of another kind (${state.kind})`);
  return state as Extract<FileState, { kind: K }>;
}

/** The same where there has to be one. */
export const needState = <K extends FileState["kind"]>(
  snapshot: OpenFileSnapshot,
  kind: K,
): Extract<FileState, { kind: K }> => stateOf(snapshot, kind) ?? cannot(snapshot, "its state is missing");

/** Opens what a path leads to, as it was open. */
export function reopen(snapshot: OpenFileSnapshot, { system, viewer }: ThawContext): OpenFile {
  if (snapshot.deleted) cannot(snapshot, "it had been deleted", "ENOENT");
  if (!snapshot.path.startsWith("/")) cannot(snapshot, "it has no path");
  try {
    const at = system.resolve(snapshot.path, { follow: false }, viewer);
    return system.openExisting(at, snapshot.flags & ~ONCE, viewer, true);
  } catch (error) {
    if (error instanceof HostError) return cannot(snapshot, error.message, error.code);
    throw error;
  }
}
