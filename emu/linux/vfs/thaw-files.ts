/**
 * Open files back from a snapshot. A thaw opens everything again through the guest's own name space and changes
 * nothing until all of it is there; what can't be had is an error that names it.
 */
import { HostError, type HostStat } from "../../host/host.ts";
import type { FileState, FilesSnapshot, MachineSnapshot, OpenFileSnapshot } from "../../snapshot.ts";
import { thawQueueFile } from "../ipc/posix-queues.ts";
import { thawSocket } from "../net/thaw-socket.ts";
import { MAX_OFFSET, O_PATH } from "./constants.ts";
import { Descriptors, NR_OPEN } from "./descriptors.ts";
import { thawDevice } from "./devices.ts";
import { thawEpoll } from "./epoll-file.ts";
import type { FileSystem, Thawed, ThawedFiles } from "./file-system.ts";
import { isOfKind } from "./file-types.ts";
import type { Folder } from "./folder.ts";
import { DirectoryFile, RegularFile, thawDirectory, thawRegular, thawRemoved } from "./host-file.ts";
import { thawInotify } from "./inotify-file.ts";
import { checkFiles, type OnChanged } from "./known-files.ts";
import { LAST_BYTE } from "./locks.ts";
import type { SharedHandle } from "./mapped-files.ts";
import { normalize, showsTasks } from "./mounts.ts";
import { hold, type OpenFile, release } from "./open-file.ts";
import { thawNamespace } from "./namespace-file.ts";
import { thawPidFile } from "./pid-file.ts";
import { Pipe, thawPipeEnd } from "./pipe.ts";
import { thawPts, thawPty } from "./pty.ts";
import { thawSignalFile } from "./signal-file.ts";
import { thawEntry, thawEvent, thawPath, thawProc } from "./special-files.ts";
import { thawStream } from "./stream-file.ts";
import { directoryOf, fail } from "./synthetic.ts";
import { cannot, type ThawContext } from "./thaw-context.ts";
import { thawTimer } from "./timer-file.ts";
import { thawTravelling } from "./travelling.ts";

/** Bounds on what a snapshot may ask for. */
const MAX_OPEN_FILES = 65536;
const MAX_PIPES = 4096;
const MAX_LOCKS = 65536;

interface Context extends ThawContext<FileSystem> {
  readonly pipes: readonly Pipe[];
}

/** Makes a description again, of which it opens what its class knows. Throws a HostError that names the file. */
type Thaw = (snapshot: OpenFileSnapshot, context: Context) => OpenFile;

/** How each kind of special file is made again, by its state. */
const SPECIALS: Partial<Record<FileState["kind"], Thaw>> = {
  eventfd: thawEvent,
  epoll: thawEpoll,
  path: thawPath,
  socket: thawSocket,
  timerfd: thawTimer,
  signalfd: thawSignalFile,
  pidfd: thawPidFile,
  namespace: thawNamespace,
  mqueue: thawQueueFile,
  inotify: thawInotify,
  pty: thawPty,
  pts: thawPts,
  entry: thawEntry,
};

/** What is no file of a host: its state says what it is. */
function thawSpecial(snapshot: OpenFileSnapshot, context: Context): OpenFile {
  const { state } = snapshot;
  const thaw = state !== null && Object.hasOwn(SPECIALS, state.kind) ? SPECIALS[state.kind] : undefined;
  return thaw === undefined ? cannot(snapshot, "unknown kind of special file") : thaw(snapshot, context);
}

/** How each kind of description is made again. */
const KINDS: Readonly<Record<OpenFileSnapshot["kind"], Thaw>> = {
  file: thawRegular,
  directory: thawDirectory,
  "pipe-read": thawPipeEnd("pipe-read"),
  "pipe-write": thawPipeEnd("pipe-write"),
  "pipe-both": thawPipeEnd("pipe-both"),
  inherited: thawStream,
  proc: thawProc,
  special: thawSpecial,
  device: thawDevice,
};

/** Takes the locks of a snapshot again. Throws a HostError where they make no sense. */
function thawLocks(
  system: FileSystem,
  snapshot: MachineSnapshot,
  opened: readonly OpenFile[],
  tasks: ReadonlyMap<number, ThawedFiles>,
): void {
  const { locks = [] } = snapshot;
  if (locks.length > MAX_LOCKS) fail("EINVAL", `${locks.length} locks are too many`);
  for (const { kind, openFile, pid, exclusive, start, last } of locks) {
    const file = opened[openFile];
    const owner = kind === "posix" ? tasks.get(pid)?.descriptors : file;
    if (file === undefined || owner === undefined || start < 0n || last < start || last > LAST_BYTE) {
      fail("EINVAL", "a file lock makes no sense");
    }
    system.locks.take(file, { kind, owner, exclusive, start, last });
  }
}

/** A working directory that isn't there any more, or in no grant, is as one that has been removed. */
function thawWorkingDirectory(
  { cwd, cwdRemoved, cwdUnlinked = -1 }: FilesSnapshot,
  context: Context,
): DirectoryFile {
  const { system, viewer } = context;
  const path = normalize(cwd);
  if (showsTasks(path)) return system.folder(undefined, path, O_PATH, viewer);
  const removed = () => thawRemoved({ path, flags: O_PATH, unlinked: cwdUnlinked }, context);
  if (cwdRemoved) return removed();
  try {
    return system.directory(system.namespace.walkCanonical(path, viewer.root), O_PATH, viewer);
  } catch (error) {
    if (error instanceof HostError) return removed();
    throw error;
  }
}

/**
 * Opens the files of a snapshot, before the processes are made that get them. Throws a HostError that names the file
 * which can't be had; nothing is left open then.
 */
export function thawFiles(
  system: FileSystem,
  snapshot: MachineSnapshot,
  onChanged: OnChanged = "fail",
): void {
  system.thawView.root = directoryOf({ dev: system.dev });
  system.owners.thaw(snapshot.firstUser);
  try {
    system.namespace.own.thaw(snapshot.privateFiles ?? [], snapshot.unlinkedFiles);
    system.keepThawed(openFiles(system, snapshot, onChanged));
  } catch (error) {
    system.close();
    throw error;
  }
}

function openFiles(system: FileSystem, snapshot: MachineSnapshot, onChanged: OnChanged): Thawed {
  const { unlinkedFiles, pipes } = snapshot;
  const count = snapshot.openFiles.length;
  if (count > MAX_OPEN_FILES) fail("EINVAL", `${count} open files are too many`);
  if (unlinkedFiles.length > MAX_OPEN_FILES) fail("EINVAL", "too many files without a name");
  if (pipes.length > MAX_PIPES) fail("EINVAL", `${pipes.length} pipes are too many`);
  const viewer = system.thawView;
  checkFiles(system, snapshot, viewer, onChanged);
  const opened: OpenFile[] = [];
  const travelling: (SharedHandle | undefined)[] = [];
  const statuses: (HostStat | undefined)[] = [];
  const folders = new Map<number, Folder>();
  const connections: ((opened: readonly OpenFile[]) => void)[] = [];
  const changes: (() => void)[] = [];
  const context: Context = {
    system,
    viewer,
    littleEndian: snapshot.abi === "ppc64le",
    pipes: pipes.map((pipe) => new Pipe(system.sameInode(pipe.ino), pipe)),
    travelling,
    folders,
    contents: unlinkedFiles,
    whenOpened: (connect) => void connections.push(connect),
    atEnd: (change) => void changes.push(change),
  };
  system.queues.thaw(snapshot.queues ?? [], context);
  try {
    for (const [index, each] of unlinkedFiles.entries()) {
      const isFolder = isOfKind("directory", each.mode);
      const folder = isFolder ? system.namespace.removedFolder(normalize(each.path ?? ""), each) : undefined;
      if (folder !== undefined) folders.set(index, folder);
      const nameable = each.isNameable ? system.thawNameable(each) : undefined;
      const handle = isFolder ? undefined : (nameable ?? thawTravelling(system.host, each));
      travelling.push(handle);
      const stat = handle === undefined ? folder?.host.stat() : system.host.files.fstat(handle.handle);
      statuses.push(stat);
      if (stat === undefined) continue;
      system.setIds.keep(stat, each.mode, "");
      for (const kind of ["fifo", "socket"] as const) {
        if (isOfKind(kind, each.mode)) system.nodes.add(stat, kind, "");
      }
    }
    const joinNodes = system.nodes.thaw(system, snapshot.network?.nodes ?? []);
    for (const each of snapshot.openFiles) {
      const isAnywhere = each.kind === "proc" && each.state === null;
      if (!isAnywhere && (each.position < 0n || each.position > BigInt(MAX_OFFSET)))
        cannot(each, "its position makes no sense");
      const thaw = Object.hasOwn(KINDS, each.kind) ? KINDS[each.kind] : cannot(each, "unknown kind");
      const file = hold(thaw(each, context));
      opened.push(file);
      if (file.key !== undefined && !(file.flags & O_PATH)) file.notices = system.notices;
      if (file instanceof RegularFile || file instanceof DirectoryFile || file.kind === "proc") {
        file.position = Number(each.position);
      }
    }
    for (const connect of connections) connect(opened);
    snapshot.openFiles.forEach(({ signals, flags, writeHint = 0 }, index) => {
      if (signals !== undefined) system.signals.thaw(opened[index], signals, flags);
      opened[index].writeHint = writeHint;
    });
    system.network.resume(snapshot.network);
    joinNodes({ files: opened, pipes: context.pipes });
    system.setIds.thaw(system, snapshot.setIds);
    system.identities.thaw(system, snapshot.identities, statuses);
    const tasks = new Map<number, ThawedFiles>();
    const add = (id: number, files: FilesSnapshot): void => {
      const descriptors = thawDescriptors(id, files, opened);
      const directory = hold(thawWorkingDirectory(files, context));
      tasks.set(id, { descriptors, directory, umask: files.umask & 0o777 });
    };
    for (const process of snapshot.processes) {
      add(process.pid, process);
      for (const { tid, files } of process.threads) if (files !== undefined) add(tid, files);
    }
    thawLocks(system, snapshot, opened, tasks);
    for (const change of changes) change();
    return { tasks, travelling };
  } catch (error) {
    for (const handle of travelling) handle?.release();
    throw error;
  } finally {
    // Descriptors hold what they refer to; the rest is closed, all of it after an error.
    for (const file of opened) release(file);
  }
}

function thawDescriptors(id: number, files: FilesSnapshot, opened: readonly OpenFile[]): Descriptors {
  const table = new Descriptors(() => NR_OPEN);
  for (const { fd, openFile, closeOnExec } of files.descriptors) {
    const file = opened[openFile];
    if (file === undefined || !Number.isInteger(fd) || fd < 0 || fd >= NR_OPEN || table.has(fd)) {
      table.closeAll();
      fail("EINVAL", `descriptor ${fd} of task ${id} makes no sense`);
    }
    table.set(fd, file, closeOnExec);
  }
  return table;
}
