/** The files of one process, or of threads that have others: descriptors, working directory, umask, and the view of /proc. */
import { HostError } from "../../host/host.ts";
import type { MappedFile } from "../../memory/mapped-file.ts";
import type { SharedObject } from "../../memory/shared-object.ts";
import type { FileReference, FilesSnapshot } from "../../snapshot.ts";
import type { FreezeTables, ProcessFiles, ProgramFile } from "../contracts.ts";
import { hasDscr, setDscrDefault } from "../dscr.ts";
import type { Socket } from "../net/socket.ts";
import { type Process, RLIMIT_NOFILE } from "../process.ts";
import type { System } from "../system.ts";
import { AT_FDCWD, O_PATH, O_RDONLY, O_RDWR } from "./constants.ts";
import { Descriptors } from "./descriptors.ts";
import type { FileSystem, ThawedFiles } from "./file-system.ts";
import { fileTables, freezeDescriptors, freezeLocks } from "./freeze-files.ts";
import { type DirectoryFile, RegularFile } from "./host-file.ts";
import { exists, type Location, type Viewer } from "./location.ts";
import { HostMappedFile, readFully } from "./mapped-files.ts";
import type { ResolveOptions } from "./namespace.ts";
import { IN_OPEN } from "./notices.ts";
import { hold, type OpenFile, release } from "./open-file.ts";
import { MAY_EXEC, Permissions } from "./permissions.ts";
import { makeProc } from "./proc.ts";
import { listed } from "./proc-sockets.ts";
import { procMachine, socketsOf } from "./proc-source.ts";
import { memoryFigures } from "./proc-system.ts";
import { fail, lazily, type SyntheticDirectory } from "./synthetic.ts";
import { makeSys } from "./sysfs.ts";

/** Largest program file. */
export const MAX_PROGRAM = 1024 * 1024 * 1024;

/** What openat2(2) confines a walk to. */
type How = Omit<ResolveOptions, "base" | "follow">;
const NO_LIMITS: How = {};

/** Where paths begin and what new files may be (Linux: fs_struct); processes can share it. */
interface FsContext {
  directory: DirectoryFile;
  umask: number;
  /** Processes, and threads with files of their own, that have it. */
  users: number;
}

export class TaskFiles implements ProcessFiles, Viewer {
  readonly system: FileSystem;
  readonly process: Process;
  readonly root: SyntheticDirectory;
  readonly permissions: Permissions;
  descriptors: Descriptors;
  fs: FsContext;
  users = 0;

  constructor(
    system: FileSystem,
    process: Process,
    { descriptors = new Descriptors(), directory }: Partial<ThawedFiles> = {},
  ) {
    this.system = system;
    this.process = process;
    this.permissions = new Permissions(system.owners, {
      get credentials() {
        return process.actor.credentials;
      },
    });
    this.descriptors = descriptors;
    if (descriptors.users === 1) this.take(descriptors);
    // Made anew for every look: it shows the state of the moment.
    const proc = () => {
      // Whose system call this is.
      const caller = [...process.threads].find((thread) => thread === process.mm.loaded);
      const tid = caller?.tid ?? process.pid;
      return makeProc(procMachine(process, filesOf), { pid: process.pid, tid });
    };
    const sys = () => {
      const memory = () => memoryFigures(procMachine(process, filesOf));
      const { cpuModel, kernel } = process;
      const dscr = {
        value: () => kernel.dscrDefault,
        set: (value: bigint) => setDscrDefault(kernel, value),
      };
      const { cacheBlock } = cpuModel;
      return makeSys({ cacheBlock, count: kernel.cpus, memory, ...(hasDscr(cpuModel) ? { dscr } : {}) });
    };
    this.root = system.rootWith({ proc: lazily(proc), sys: lazily(sys) });
    this.fs = { directory: hold(directory ?? system.startIn(this)), umask: system.umask, users: 1 };
  }

  /** The working directory. */
  get directory(): DirectoryFile {
    return this.fs.directory;
  }
  get umask(): number {
    return this.fs.umask;
  }
  set umask(umask: number) {
    this.fs.umask = umask;
  }

  /** Where the working directory is, or was. */
  get cwd(): string {
    return this.directory.where().path;
  }

  /** chdir(2) to a directory that is open. */
  enter(directory: DirectoryFile): void {
    hold(directory);
    release(this.directory);
    this.fs.directory = directory;
  }

  /** Gives a first process the streams the machine inherited. */
  inherit(): void {
    for (const [number, stream] of this.system.inherited) this.descriptors.set(number, stream, false);
  }

  /** The files of a child that fork(2) makes, or of a thread. */
  fork(child: Process, shares = { descriptors: false, fs: false }): TaskFiles {
    const { descriptors, directory } = this;
    if (shares.descriptors) descriptors.users++;
    const twin = new TaskFiles(this.system, child, {
      descriptors: shares.descriptors ? descriptors : descriptors.copy(),
      directory,
    });
    if (shares.fs) twin.joinFs(this);
    else twin.umask = this.umask;
    return twin;
  }

  /** Where relative paths of a *at() call start. Throws EBADF, ENOTDIR. */
  base(dirfd: number, path: string): Location | undefined {
    if (path === "") fail("ENOENT", "empty path");
    if (path.startsWith("/")) return undefined;
    const file = dirfd === AT_FDCWD ? this.directory : this.descriptors.get(dirfd);
    return file.start?.() ?? fail("ENOTDIR", `descriptor ${dirfd}`);
  }

  /** Walks a path as a *at() call does. */
  resolve(dirfd: number, path: string, options: Omit<ResolveOptions, "base">): Location {
    return this.walk(dirfd, path, options.follow, options) ?? fail("ENOENT", path);
  }

  /** As `resolve`, and undefined where a folder on the way isn't there. */
  lookFor(dirfd: number, path: string, follow: boolean): Location | undefined {
    return this.walk(dirfd, path, follow, NO_LIMITS);
  }

  private walk(dirfd: number, path: string, follow: boolean, how: How): Location | undefined {
    // openat2's RESOLVE_IN_ROOT makes absolute paths begin at the descriptor too.
    const base = this.base(dirfd, how.inRoot && path !== "" ? "." : path);
    // Objects of one shape, put together by name: a spread takes V8 a sixth of a stat(2).
    const { noSymlinks, sameMount, noMagicLinks, beneath, inRoot } = how;
    const all = { follow, base, noSymlinks, sameMount, noMagicLinks, beneath, inRoot };
    return this.system.lookFor(path, all, this);
  }

  /** As `resolve`, and throws ENOENT when nothing is there. */
  find(dirfd: number, path: string, follow: boolean): Location {
    return this.findIfThere(dirfd, path, follow) ?? fail("ENOENT", path);
  }

  /** As `find`, and undefined when nothing is there. */
  findIfThere(dirfd: number, path: string, follow: boolean): Location | undefined {
    const at = this.walk(dirfd, path, follow, NO_LIMITS);
    return at !== undefined && exists(at) ? at : undefined;
  }

  /** open(2); `mode` before the umask. Throws ENOENT where nothing is there. */
  open(dirfd: number, path: string, flags: number, mode: number): OpenFile {
    return this.openIfThere(dirfd, path, flags, mode) ?? fail("ENOENT", path);
  }

  /** As `open`, and undefined where nothing is there. */
  openIfThere(
    dirfd: number,
    path: string,
    flags: number,
    mode: number,
    how: How = NO_LIMITS,
  ): OpenFile | undefined {
    return this.system.open((follow) => this.walk(dirfd, path, follow, how), flags, mode & ~this.umask, this);
  }

  /** Tells those who watch it that a description has been opened, and in time that it is closed. */
  noteOpened(file: OpenFile): void {
    if (file.key === undefined || file.flags & O_PATH) return;
    const { notices } = this.system;
    file.notices = notices;
    notices.happened(file, IN_OPEN);
  }

  openProgram(path: string): ProgramFile {
    return this.openProgramIfThere(path) ?? fail("ENOENT", path);
  }

  openProgramIfThere(path: string, dirfd = AT_FDCWD, follow = true): ProgramFile | undefined {
    const at = this.findIfThere(dirfd, path, follow);
    if (at === undefined) return undefined;
    const stat = at.object?.stat() ?? at.stat;
    if (stat?.kind === "symlink") fail("ELOOP", at.path);
    const isOther = stat === undefined ? at.synthetic?.type === "directory" : stat.kind !== "file";
    if (isOther) fail("EACCES", `${at.path} is not a regular file`);
    if (stat !== undefined && (stat.mode & 0o111) === 0) fail("EACCES", `${at.path} is not executable`);
    if (at.object !== undefined) this.permissions.check(at.object.stat(), MAY_EXEC, at.path);
    else if (stat !== undefined) this.system.checkAccess(at, MAY_EXEC, this);
    // What may be executed need not be readable.
    const file = this.system.openExisting(at, O_RDONLY, this, true);
    try {
      if (!(file instanceof RegularFile)) return fail("EACCES", `${at.path} is not a regular file`);
      if (this.isBeingWritten(file.key)) fail("ETXTBSY", at.path);
      const { size } = file.stat();
      if (size > BigInt(MAX_PROGRAM)) fail("ENOMEM", `${at.path} is too big`);
      const bytes = new Uint8Array(Number(size));
      const length = readFully(this.system.host, file.handle, bytes, 0);
      return { path: file.where().path, bytes: bytes.subarray(0, length), file: file.mappable() };
    } finally {
      file.close();
    }
  }

  /** Whether anybody has the file of a key open for writing; a memfd's writers do not count (Linux: alloc_file). */
  private isBeingWritten(key: string): boolean {
    return openedFiles(this.process.kernel).some(
      (file) => file instanceof RegularFile && file.key === key && file.canWrite && file.seals === undefined,
    );
  }

  mappable(fd: number, access: { shared: boolean; write: boolean }): ReturnType<ProcessFiles["mappable"]> {
    const file = this.descriptors.get(fd);
    if (file.flags & O_PATH) fail("EBADF");
    if (!file.canRead) fail("EACCES", "mapping needs a readable descriptor");
    if (access.shared && access.write && !file.canWrite) {
      fail("EACCES", "a writable shared mapping needs a writable descriptor");
    }
    const seals = file instanceof RegularFile ? file.seals : undefined;
    if (access.shared && access.write) seals?.checkMapping();
    return { file: file.mappable(), mayWrite: file.canWrite && seals?.forbidsWrites !== true };
  }

  sharedObject(file: MappedFile): SharedObject {
    return this.system.mapped.shared(file);
  }

  freezeMapped(file: MappedFile, tables: FreezeTables): FileReference {
    if (!(file instanceof HostMappedFile)) return { path: file.path };
    return fileTables(this.system, tables).reference(file, true, tables.includeFiles);
  }

  mappedFile({ path, unlinked }: FileReference, write = false): MappedFile {
    const file =
      unlinked === undefined
        ? this.openMapped(path, write)
        : this.system.travelled(unlinked, path, write ? O_RDWR : O_RDONLY);
    try {
      return file.mappable();
    } finally {
      file.close();
    }
  }

  /** What was mapped once may be mapped again, whatever its mode says to the program by now. */
  private openMapped(path: string, write: boolean): OpenFile {
    const viewer = { root: this.root };
    const at = this.system.resolve(path, { follow: true }, viewer);
    if (!write) return this.system.openExisting(at, O_RDONLY, viewer, true);
    try {
      return this.system.openExisting(at, O_RDWR, viewer, true);
    } catch (error) {
      if (error instanceof HostError && ["EACCES", "EROFS", "ETXTBSY"].includes(error.code)) {
        return this.openMapped(path, false);
      }
      throw error;
    }
  }

  unshare(): void {
    const { descriptors } = this;
    if (descriptors.users === 1) return;
    descriptors.users--;
    this.take(descriptors.copy());
  }

  thawed(tid: number): TaskFiles {
    const thawed = this.system.takeThawed(tid);
    if (thawed === undefined) throw new RangeError(`thread ${tid} has files that another has`);
    return withThawed(this.system, this.process, thawed);
  }

  get reachesOutside(): boolean {
    return this.descriptors.list().some(([, { file }]) => file.kind === "inherited");
  }

  get table(): object {
    return this.descriptors;
  }

  joinTable(other: ProcessFiles): void {
    this.descriptors.leave();
    this.descriptors = filesOf({ files: other }).descriptors;
    this.descriptors.users++;
  }

  joinFs(other: ProcessFiles): void {
    this.leaveFs();
    this.fs = filesOf({ files: other }).fs;
    this.fs.users++;
  }

  private leaveFs(): void {
    if (--this.fs.users === 0) release(this.fs.directory);
  }

  unshareFs(): void {
    if (this.fs.users === 1) return;
    this.fs.users--;
    this.fs = { ...this.fs, directory: hold(this.fs.directory), users: 1 };
  }

  private take(descriptors: Descriptors): void {
    const { process, system } = this;
    this.descriptors = descriptors;
    descriptors.pid = process.pid;
    descriptors.limit = () => Number(process.limits[RLIMIT_NOFILE]?.soft ?? 1024n);
    descriptors.onClose = (file) => {
      // One that names a file only gives up nothing (Linux: filp_close).
      if (file.flags & O_PATH) return;
      system.locks.closed(file, descriptors);
      file.flush(process.pid);
    };
  }

  exec(): void {
    this.unshare();
    this.descriptors.exec();
  }
  /** Whether the terminal that the machine has inherited is the controlling one. */
  get hasOuterTerminal(): boolean {
    return this.system.hasOuterTerminal(this.process.sid);
  }

  leave(): void {
    if (--this.users === 0) this.close();
  }

  close(): void {
    this.descriptors.leave();
    this.leaveFs();
  }

  exit(): void {
    this.system.mapped.flushAll();
    if (this.process.sid === this.process.pid) this.system.ptys.leaderEnded(this.process.sid);
  }

  freeze(tables: FreezeTables, id: number): FilesSnapshot {
    this.system.mapped.flushAll();
    const files = fileTables(this.system, tables);
    const descriptors = freezeDescriptors(this.descriptors, files);
    freezeLocks({ id, descriptors: this.descriptors }, files, tables);
    const { path: cwd, deleted } = this.directory.where();
    const unlinked = this.directory.travel(files);
    return {
      cwd,
      ...(deleted ? { cwdRemoved: true } : {}),
      ...(unlinked < 0 ? {} : { cwdUnlinked: unlinked }),
      ...{ umask: this.umask, descriptors },
    };
  }
}

/**
 * The files of a process that the kernel makes: those of a thawed snapshot, or the inherited streams for the first
 * process of a machine. It is the `files` of `Areas`.
 */
export function attachFiles(system: FileSystem, process: Process): TaskFiles {
  system.owners.first(process.credentials);
  const thawed = system.takeThawed(process.pid);
  const files = thawed === undefined ? new TaskFiles(system, process) : withThawed(system, process, thawed);
  if (thawed === undefined) files.inherit();
  else system.thawView.root = files.root;
  system.notices.isOpen = (key) => openedFiles(process.kernel).some((file) => file.key === key);
  system.isRunning = (key) => {
    const runs = ({ memory, layout }: Process) => {
      const file = memory.areas.find(layout.startCode)?.file;
      return file instanceof HostMappedFile && file.key === key;
    };
    return [...process.kernel.processes.values()].some(runs);
  };
  const sockets = {
    list: () => socketsOf(process.kernel, filesOf),
    ownerOf: (socket: Socket) => system.owners.of(socket.stat()).uid,
  };
  system.network.list = () => listed(sockets);
  system.mapped.spaces = () => [...process.kernel.processes.values()].map(({ memory }) => memory);
  return files;
}

/** The files that a thaw has opened. */
function withThawed(system: FileSystem, process: Process, thawed: ThawedFiles): TaskFiles {
  const files = new TaskFiles(system, process, thawed);
  files.umask = thawed.umask;
  release(files.directory);
  return files;
}

/** The files of a process or thread as system calls use them. */
export function filesOf({ files }: { files: ProcessFiles }): TaskFiles {
  if (!(files instanceof TaskFiles)) throw new TypeError("a process has files of another kind");
  return files;
}

/** Every description that a program has open, once for each descriptor of it. */
export const openedFiles = ({ processes }: Pick<System, "processes">): OpenFile[] =>
  [...processes.values()].flatMap(({ files, threads }) =>
    [...new Set([files, ...[...threads].map((thread) => thread.files)])].flatMap((each) =>
      filesOf({ files: each })
        .descriptors.list()
        .map(([, { file }]) => file),
    ),
  );
