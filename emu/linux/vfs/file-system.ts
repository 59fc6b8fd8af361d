/** All files of one machine: opens what paths name, and keeps what its processes share. */
import { type Host, HostError, type HostStat, type HostStream } from "../../host/host.ts";
import type { UnlinkedFileSnapshot } from "../../snapshot.ts";
import { PosixQueues } from "../ipc/posix-queues.ts";
import { Gateway, type NetGrants } from "../net/gateway.ts";
import { makeSocket, type SocketKind } from "../net/make-socket.ts";
import { Network } from "../net/network.ts";
import type { Socket } from "../net/socket.ts";
import { CAP_FSETID, isCapable } from "../credentials.ts";
import type { FileMachine } from "../system.ts";
import {
  O_ACCMODE,
  O_APPEND,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_LARGEFILE,
  O_NOATIME,
  O_NOCTTY,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  O_TRUNC,
  O_WRONLY,
} from "./constants.ts";
import type { Descriptors } from "./descriptors.ts";
import { deviceStat, makeDev } from "./devices.ts";
import { makeEtc } from "./etc.ts";
import { FileSignals } from "./file-signals.ts";
import { entryStat, type FileStat } from "./file-status.ts";
import { type Folder, fileKey, guestPathIn, type Mount } from "./folder.ts";
import { type Directories, DirectoryFile, RegularFile } from "./host-file.ts";
import { Identities } from "./identities.ts";
import { exists, HeldLocation, isDirectory, type Location, type Viewer } from "./location.ts";
import { LockTable } from "./locks.ts";
import { MappedFiles, SharedHandle } from "./mapped-files.ts";
import { join, type MountConfig, normalize, parentOf } from "./mounts.ts";
import { NamespaceFile } from "./namespace-file.ts";
import { Namespace, type ResolveOptions } from "./namespace.ts";
import { Nodes } from "./nodes.ts";
import { IN_MODIFY, Notices } from "./notices.ts";
import type { DirectoryEntry, OpenFile } from "./open-file.ts";
import { Owners } from "./owners.ts";
import { MAY_EXEC, MAY_READ, MAY_WRITE, Permissions } from "./permissions.ts";
import { makePipe, PipeEnd } from "./pipe.ts";
import { PtySlave, Ptys } from "./pty.ts";
import { Seals } from "./seals.ts";
import { droppedBits, SET_IDS, SetIds } from "./set-ids.ts";
import { PathFile, ProcFile, procFileAt } from "./special-files.ts";
import { StreamFile } from "./stream-file.ts";
import { directoryOf, fail, type Synthetic, type SyntheticDirectory, sizeOf } from "./synthetic.ts";
import { writeTravelling } from "./travelling.ts";

/** Flags that belong to the act of opening and are not kept (Linux: do_dentry_open). */
const OPEN_ONLY = O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC;

/** What a thaw has made of the files of a process, or of a thread that has its own. */
export interface ThawedFiles {
  descriptors: Descriptors;
  directory: DirectoryFile;
  umask: number;
}

/** What a thaw has opened: the files of processes and threads, by id, and those that travelled, for the mappings of them. */
export interface Thawed {
  tasks: Map<number, ThawedFiles>;
  travelling: readonly (SharedHandle | undefined)[];
}

export class FileSystem {
  readonly machine: FileMachine | undefined;
  readonly host: Host;
  readonly namespace: Namespace;
  readonly owners: Owners;
  readonly mapped: MappedFiles;
  readonly locks = new LockTable();
  readonly dev: SyntheticDirectory;
  /** The process group in the foreground of the terminal that was inherited, once one was set. */
  get foreground(): number | undefined {
    for (const { terminal } of this.inherited.values()) {
      if (terminal?.foreground !== undefined) return terminal.foreground;
    }
    return undefined;
  }

  /** Whether a terminal that was inherited has another size than the program knows: it was thawed on another one. */
  get isResized(): boolean {
    return [...this.inherited.values()].some(({ terminal }) => terminal?.isResized);
  }

  /** The streams the program inherited, by their number outside. */
  readonly inherited = new Map<number, StreamFile>();
  private readonly steady: boolean;
  /** File mode creation mask of the first process. */
  readonly umask: number;
  private nextInode = 0x1000n;
  /** Guest path of the working directory of the first process. */
  readonly startDirectory: string;
  private thawed = new Map<number, ThawedFiles>();
  private travelling: readonly (SharedHandle | undefined)[] = [];
  readonly setIds = new SetIds();
  readonly identities = new Identities();
  /** Whether the file of a key is a program that runs, and so can't be written. */
  isRunning: (key: string) => boolean = () => false;
  readonly notices = new Notices(this);
  /** What owners of descriptions are told by signals. */
  readonly signals: FileSignals;
  readonly ptys: Ptys;
  /** Sockets and named pipes in granted folders. */
  readonly nodes = new Nodes();
  /** POSIX message queues. */
  readonly queues = new PosixQueues(this);
  readonly network = new Network(() => this.newInode());
  /** The way out of the machine, where there is one. */
  readonly gateway: Gateway | undefined;
  /** Seals of the files of memfd_create(2), by their keys. */
  private readonly seals = new Map<string, Seals>();
  /** Files without a name that may get one, and the grants that they are in. */
  private readonly nameable = new Map<string, Mount>();
  /** What thawed directories see of /proc and /dev; all of it as soon as there is a process again. */
  readonly thawView: { root: SyntheticDirectory } = { root: directoryOf({}) };

  /** Throws HostError for a grant that isn't there. */
  constructor(options: {
    host: Host;
    mounts: readonly MountConfig[];
    /** Guest path of the working directory of the first process. */
    cwd?: string;
    /** What /dev/urandom reads; the host's random numbers by default. */
    random?: (into: Uint8Array) => void;
    /** Whether nothing of the host's shows that differs between two runs with the same input: stat(2) of inherited streams, the umask. */
    steady?: boolean;
    /** What of the host's network is reached; nothing by default. */
    net?: NetGrants;
    /** The machine whose files these are, for those that are about its time and tasks. */
    machine?: FileMachine;
  }) {
    const { host, steady = false } = options;
    this.machine = options.machine;
    this.steady = steady;
    this.umask = steady ? 0o022 : host.umask;
    this.startDirectory = normalize(options.cwd ?? "/");
    this.host = host;
    this.owners = new Owners(host);
    this.namespace = new Namespace(host, options.mounts, {
      shown: (stat) => this.nodes.shown(stat),
      fallbacks: makeEtc(() => this.machine?.caller?.credentials),
    });
    if (options.net !== undefined && host.network !== undefined) {
      const now = () => this.machine?.clock.realtime() ?? 0n;
      const warn = (message: string) => host.warn(message);
      this.gateway = new Gateway(options.net, { network: host.network, now, warn });
    }
    this.network.outside = this.gateway;
    const random = options.random ?? ((into: Uint8Array) => host.random(into));
    this.network.random = () => {
      const word = new Uint32Array(1);
      random(new Uint8Array(word.buffer));
      return word[0];
    };
    this.network.onUnbind = (socket) => this.nodes.unbind(socket);
    this.mapped = new MappedFiles(host);
    this.ptys = new Ptys(this.machine);
    this.signals = new FileSignals(this.machine, this.notices);
    this.dev = makeDev({
      random,
      inherited: () => [...this.inherited.values()],
      ptys: this.ptys,
      session: () => {
        // Whoever thaws has what it had.
        const caller = this.machine?.caller?.process;
        return { sid: caller?.sid ?? 0, hasOuter: caller === undefined || this.hasOuterTerminal(caller.sid) };
      },
    });
    for (const [number, stream] of host.streams) {
      this.inherited.set(number, this.streamFile(stream, number, this.guestPathOf(stream)));
    }
  }

  /** A description of a stream from outside. */
  streamFile(stream: HostStream, number: number, path: string): StreamFile {
    const { host, steady } = this;
    return new StreamFile(host, stream, {
      number,
      path,
      steady,
      onChange: (file) => this.removeSetIds(file),
    });
  }

  /**
   * The contents of a file are about to change: unless who does it may have that (CAP_FSETID), set-id bits go (Linux: file_remove_privs). Those of the host's file
   * go as well, where the host would leave them because ppcr runs as root.
   */
  private removeSetIds(file: RegularFile | StreamFile): void {
    const outside = file instanceof RegularFile ? file.hostSetIds : 0;
    if (outside === 0 && this.setIds.isEmpty) return;
    const caller = this.machine?.caller;
    if (caller !== undefined && isCapable(caller.credentials, CAP_FSETID)) return;
    const stat = file.stat();
    const isInGroup = caller === undefined || new Permissions(this.owners, caller).isMember(stat);
    const dropped = droppedBits(this.setIds.shown(stat).mode, isInGroup);
    this.setIds.drop(stat, dropped);
    if (file instanceof RegularFile && stat.mode & dropped && this.host.user?.uid === 0) {
      this.host.files.fchmod(file.handle, stat.mode & ~dropped);
    }
  }

  /** Guest path of a stream's file where one of the grants holds it, for snapshots and /proc. */
  private guestPathOf(stream: { path: string | undefined; kind: string }): string {
    if (stream.kind === "tty") return "/dev/tty";
    if (stream.path === undefined) return "";
    const { path } = stream;
    const top = (mount: Mount) => mount.folder.host.where().path.length;
    for (const mount of [...this.namespace.mounts].sort((a, b) => top(b) - top(a))) {
      const inside = guestPathIn(mount, path);
      if (inside !== undefined) return inside;
    }
    return stream.path === "/dev/null" ? stream.path : "";
  }

  /** The synthetic tree of a process: /proc and /sys as it sees them, and /dev. */
  rootWith(trees: { proc: SyntheticDirectory; sys: SyntheticDirectory }): SyntheticDirectory {
    return directoryOf({ dev: this.dev, ...trees });
  }

  /** Whether the terminal that was inherited, if there is one, is the controlling one of a session: that of the first process. */
  hasOuterTerminal(sid: number): boolean {
    const [first] = this.machine?.processes.values() ?? [];
    return first?.sid === sid && [...this.inherited.values()].some(({ terminal }) => terminal !== undefined);
  }

  newInode(): bigint {
    return this.nextInode++;
  }
  /** The number that something had before it was thawed, or a new one where an image does not say. */
  sameInode(ino = 0n): bigint {
    if (ino === 0n) return this.newInode();
    if (ino >= this.nextInode) this.nextInode = ino + 1n;
    return ino;
  }

  resolve(path: string, options: ResolveOptions, viewer: Viewer): Location {
    return this.namespace.resolve(path, options, viewer);
  }
  /** As `resolve`, and undefined where a folder on the way isn't there: programs hear that all day, and to throw takes longer than the call. */
  lookFor(path: string, options: ResolveOptions, viewer: Viewer): Location | undefined {
    return this.namespace.lookFor(path, options, viewer);
  }

  /** stat(2) of what a walk found. Throws ENOENT. */
  stat(at: Location): FileStat {
    if (at.object !== undefined) return at.object.stat();
    if (at.stat !== undefined) return at.stat;
    if (at.synthetic === undefined) fail("ENOENT", at.path);
    return statOfSynthetic(at.synthetic, at.path);
  }

  /** What stands at a canonical path of a host now, as the guest sees it; undefined where nothing does. */
  statusAt(path: string): HostStat | undefined {
    try {
      return this.namespace.walkCanonical(path, this.thawView.root).stat;
    } catch (error) {
      if (error instanceof HostError) return undefined;
      throw error;
    }
  }

  /**
   * open(2) at a place that a walk found, following links or not as `flags` say; undefined where nothing is there. `mode` has the umask
   * applied. Throws HostError.
   */
  open(
    walk: (follow: boolean) => Location | undefined,
    flags: number,
    mode: number,
    viewer: Viewer,
  ): OpenFile | undefined {
    if (flags & O_PATH) flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    else if ((flags & O_TMPFILE & ~O_DIRECTORY) !== 0) {
      const directs = (flags & (O_DIRECTORY | O_CREAT)) === O_DIRECTORY && (flags & O_ACCMODE) !== O_RDONLY;
      if (!directs) fail("EINVAL", "O_TMPFILE wants O_DIRECTORY and writing, and no O_CREAT");
      const at = walk(true);
      if (at === undefined) return undefined;
      if (exists(at) && !isDirectory(at)) fail("ENOTDIR", at.path);
      if (!exists(at)) fail("ENOENT", at.path);
      this.namespace.writable(at);
      this.checkAccess(at, MAY_WRITE | MAY_EXEC, viewer);
      return this.temporary(at, flags, mode, viewer);
    }
    const exclusive = (flags & O_CREAT) !== 0 && (flags & O_EXCL) !== 0;
    const follow = !exclusive && (flags & O_NOFOLLOW) === 0;
    // Somebody outside may create or remove the file between the walk and the opening: then walk again.
    for (let attempt = 0; ; attempt++) {
      const at = walk(follow);
      if (at === undefined) return undefined;
      try {
        if (exists(at)) {
          if (exclusive) fail("EEXIST", at.path);
          return this.openExisting(at, flags, viewer);
        }
        if ((flags & O_CREAT) === 0) return undefined;
        if (at.mustBeDirectory) fail("EISDIR", at.path);
        return this.create(at, flags, mode, viewer);
      } catch (error) {
        const raced = error instanceof HostError && (error.code === "EEXIST" || error.code === "ENOENT");
        if (!raced || exclusive || (flags & O_CREAT) === 0 || attempt === 3) throw error;
      }
    }
  }

  /** O_TMPFILE: a file without a name, which it never gets where it is made with O_EXCL. */
  private temporary(at: Location, flags: number, mode: number, viewer: Viewer): RegularFile {
    const { files } = this.host;
    const isNameable = (flags & O_EXCL) === 0;
    const handle = isNameable ? this.openNameable(at) : files.openUnnamed();
    viewer.permissions?.inherit((uid, gid) => files.fchown(handle, uid, gid));
    files.fchmod(handle, mode & 0o1777);
    this.forget(handle, mode);
    const stat = files.fstat(handle);
    if (isNameable) this.nameable.set(fileKey(stat), this.namespace.folderAt(at).mount);
    return this.regular(
      handle,
      { path: join(at.path, `#${stat.ino}`), mount: undefined },
      flags & ~O_TMPFILE,
    );
  }
  private openNameable(at: Location): number {
    return this.namespace.folderAt(at).within(".", (path) => this.host.files.openNameable(path));
  }

  /** A file that has travelled, and which its program may give a name yet; undefined where the folder that it was made in isn't there. */
  thawNameable(snapshot: UnlinkedFileSnapshot): SharedHandle | undefined {
    let handle: SharedHandle | undefined;
    try {
      const at = this.namespace.walkCanonical(parentOf(normalize(snapshot.path ?? "")), this.thawView.root);
      if (at.place === undefined) return undefined;
      this.namespace.writable(at);
      handle = new SharedHandle(this.host, this.openNameable(at));
      writeTravelling(this.host, handle.handle, snapshot);
      const stat = this.host.files.fstat(handle.handle);
      this.nameable.set(fileKey(stat), this.namespace.folderAt(at).mount);
      return handle;
    } catch (error) {
      handle?.release();
      if (error instanceof HostError) return undefined;
      throw error;
    }
  }

  /** Gives a file of O_TMPFILE its first name; `all` are the descriptions that there are of it. Throws ENOENT for one that may have none. */
  name(file: RegularFile, target: Location, viewer: Viewer, all: readonly OpenFile[]): void {
    const mount = this.nameable.get(file.key) ?? fail("ENOENT", `${file.path} has no name`);
    if (this.namespace.writable(target).folder.mount !== mount) fail("EXDEV", target.path);
    const place = this.namespace.vacant(target, viewer);
    this.namespace.at(place, (path) => {
      this.host.files.nameUnnamed(file.handle, path);
      this.nameable.delete(file.key);
      // Only what is opened by its name is known by that to the host.
      const open = (access: { read: boolean; write: boolean; append?: boolean }): number =>
        this.despiteMode(path, () => this.host.files.open(path, { ...access, noFollow: true }, 0));
      for (const each of all) {
        if (!(each instanceof RegularFile) || each.key !== file.key) continue;
        each.isNamed(mount, open({ ...accessOf(each.flags), append: (each.flags & O_APPEND) !== 0 }));
      }
      const mapped = this.mapped.known(file.key);
      if (mapped === undefined) return;
      const handle = new SharedHandle(this.host, open({ read: true, write: true }));
      mapped.isNamed(mount, target.path, handle);
      handle.release();
    });
  }

  private create(at: Location, flags: number, mode: number, viewer: Viewer): OpenFile {
    if (flags & O_DIRECTORY) fail("EINVAL", "O_DIRECTORY with O_CREAT");
    const place = this.namespace.vacant(at, viewer);
    const { read, write } = accessOf(flags);
    const append = (flags & O_APPEND) !== 0;
    const how = { read, write, append, create: true, exclusive: true, noFollow: true };
    const handle = this.namespace.at(place, (path) => this.host.files.open(path, how, mode & 0o1777));
    viewer.permissions?.inherit((uid, gid) => this.host.files.fchown(handle, uid, gid));
    this.forget(handle, mode, at.path);
    this.notices.created(at);
    return this.regular(handle, { path: at.path, mount: place.folder.mount }, flags);
  }

  /** memfd_create(2): an empty file with these seals. */
  memoryFile(name: string, seals: number): RegularFile {
    const handle = this.host.files.openUnnamed();
    this.host.files.fchmod(handle, 0o777);
    this.forget(handle);
    this.seal(handle, seals);
    return this.regular(handle, { path: `/memfd:${name}`, mount: undefined }, O_RDWR);
  }

  /** Throws EACCES where whoever asks may not use what is at a location of a host so, EROFS where nobody may write there. */
  checkAccess(at: Location, wanted: number, viewer: Viewer): void {
    viewer.permissions?.check(at.stat!, wanted, at.path);
    this.askHost(at, wanted);
  }
  /** The same of the host's user alone. */
  askHost(at: Location, wanted: number): void {
    if (this.isEntitled(at, wanted)) return;
    const [read, write, execute] = [MAY_READ, MAY_WRITE, MAY_EXEC].map((bit) => (wanted & bit) !== 0);
    const asked = { read, write, execute };
    if (isDirectory(at)) this.namespace.folderAt(at).host.access(asked);
    else this.namespace.at(at.place!, (path) => this.host.files.access(path, asked));
  }

  /**
   * Whether the status says that the host's user may do this. Its own file it may read where the mode lets its owner, whatever lists of access
   * let others, and its own folder it may search as well; what everybody may read root may, too, where a server takes it for somebody else.
   * Whether a file system can be written to, or programs on it executed, modes don't tell.
   */
  private isEntitled({ stat }: Location, wanted: number): boolean {
    const user = this.host.user?.uid;
    if (stat === undefined || user === undefined || stat.uid !== user) return false;
    if ((wanted & ~(stat.kind === "directory" ? MAY_READ | MAY_EXEC : MAY_READ)) !== 0) return false;
    const needed = user === 0 ? wanted * 0o111 : wanted << 6;
    return (stat.mode & needed) === needed;
  }

  /** Whether a file without a name may get one, being one of O_TMPFILE. */
  isNameable(key: string): boolean {
    return this.nameable.has(key);
  }

  /** The file behind a handle is new: what is known by its identity was of another one. `mode` is what it was made with. */
  private forget(handle: number, mode = 0, path = ""): void {
    const isPlain = (mode & SET_IDS) === 0;
    const isNew = this.setIds.isEmpty && this.nodes.isEmpty && this.identities.isEmpty;
    if (isPlain && this.seals.size + this.nameable.size === 0 && isNew) return;
    const stat = this.host.files.fstat(handle);
    this.seals.delete(fileKey(stat));
    this.nameable.delete(fileKey(stat));
    this.nodes.forget(fileKey(stat));
    this.identities.forget(fileKey(stat));
    this.setIds.keep(stat, mode, path);
  }

  /** The file behind a handle is one of memfd_create(2). */
  seal(handle: number, bits: number): void {
    const key = fileKey(this.host.files.fstat(handle));
    if (!this.seals.has(key)) this.seals.set(key, new Seals(bits));
  }

  /** A description of a file that has lost its name, on a handle of its own or shared with others. */
  unnamed(handle: SharedHandle, path: string, flags: number): RegularFile {
    if (this.host.files.fstat(handle.handle).kind !== "file") fail("EINVAL", `${path} is no regular file`);
    return this.regular(handle, { path, mount: undefined }, flags);
  }

  private regular(
    handle: number | SharedHandle,
    { path, mount }: { path: string; mount: Mount | undefined },
    flags: number,
    stat = this.host.files.fstat(typeof handle === "number" ? handle : handle.handle),
  ): RegularFile {
    const { host, mapped } = this;
    const canHaveSeals = mount === undefined && this.seals.size > 0;
    const seals = canHaveSeals ? this.seals.get(fileKey(stat)) : undefined;
    return new RegularFile({
      host,
      handle,
      stat,
      path,
      mount,
      seals,
      flags: (flags & ~OPEN_ONLY) | O_LARGEFILE,
      mapped,
      onChange: (file) => this.removeSetIds(file),
    });
  }

  /** Opens what is there. `entitled`: the guest has had it open so, or runs it, whatever its mode says. */
  openExisting(at: Location, flags: number, viewer: Viewer, entitled = false): OpenFile {
    const kind = at.object === undefined ? this.stat(at).kind : undefined;
    if (kind === "symlink" && !(flags & (O_PATH | O_DIRECTORY))) fail("ELOOP", at.path);
    if ((flags & O_DIRECTORY || at.mustBeDirectory) && this.stat(at).kind !== "directory") {
      fail("ENOTDIR", at.path);
    }
    if (flags & O_PATH) return this.openPath(at, flags, viewer);
    if (at.object !== undefined) return this.openAgain(at.object, flags, viewer);
    if (isDirectory(at)) {
      if (at.synthetic?.type === "directory" && at.synthetic.isClosed) fail("EACCES", at.path);
      if (flags & O_CREAT || (flags & O_ACCMODE) !== O_RDONLY || flags & O_TRUNC) fail("EISDIR", at.path);
      return this.openDirectory(at, flags, viewer);
    }
    if (at.synthetic !== undefined) return this.openSynthetic(at.synthetic, at.path, flags, viewer);
    if (!entitled) this.checkOpening(at.stat!, at.path, flags, viewer);
    return this.openFile(at, flags, entitled);
  }

  /** Throws EACCES where a file's mode forbids to open it so, EPERM for O_NOATIME with that of somebody else. */
  private checkOpening(stat: FileStat, path: string, flags: number, { permissions }: Viewer): void {
    if (permissions === undefined) return;
    const { read, write } = accessOf(flags);
    const writes = write || (flags & O_TRUNC) !== 0;
    permissions.check(stat, (read ? MAY_READ : 0) | (writes ? MAY_WRITE : 0), path);
    if (flags & O_NOATIME) permissions.checkOwner(stat, path);
  }

  private openFile(at: Location, flags: number, entitled: boolean): OpenFile {
    const { kind } = at.stat!;
    // A fifo would tie the guest to a process outside, a device to the host's hardware.
    if (kind === "fifo" || kind === "socket") fail("ENXIO", `${at.path} is a ${kind}`);
    if (kind !== "file") fail("EACCES", `${at.path} is a device`);
    const writes = (flags & O_ACCMODE) !== O_RDONLY || (flags & O_TRUNC) !== 0;
    if (writes && this.isRunning(fileKey(at.stat!))) fail("ETXTBSY", at.path);
    const place = writes ? this.namespace.writable(at) : at.place!;
    const open = (access: { read: boolean; write: boolean }) =>
      this.namespace.at(place, (path) => {
        const append = (flags & O_APPEND) !== 0 && access.write;
        const { read, write } = access;
        const go = () => this.host.files.open(path, { read, write, append, noFollow: true }, 0);
        // What is granted to be read is not changed, its mode neither.
        const handle = entitled && !place.folder.mount.readOnly ? this.despiteMode(path, go) : go();
        const now = this.host.files.fstat(handle);
        if (now.kind === "file") return { handle, now };
        this.host.files.close(handle);
        return fail("EACCES", `${at.path} has become a ${now.kind}`);
      });
    const { mount } = place.folder;
    const { handle, now } = open(accessOf(flags));
    const file = this.regular(handle, { path: at.path, mount }, flags, now);
    return this.emptied(file, flags, (access) => open(access).handle);
  }

  /** Opens a file of the host's user though its mode forbids that, by changing it for the moment. */
  private despiteMode(path: string, open: () => number): number {
    const { files, user } = this.host;
    try {
      return open();
    } catch (error) {
      const { kind, uid, mode } = files.lstat(path);
      const isDenied = error instanceof HostError && error.code === "EACCES";
      if (!isDenied || kind !== "file" || uid !== user?.uid) throw error;
      files.chmod(path, mode | 0o600);
      try {
        return open();
      } finally {
        files.chmod(path, mode);
      }
    }
  }

  /** A file that has just been opened, after what O_TRUNC asks for. */
  private emptied(
    file: RegularFile,
    flags: number,
    open: (access: { read: boolean; write: boolean }) => number,
  ): RegularFile {
    if (flags & O_TRUNC) {
      try {
        this.empty(file, open);
      } catch (error) {
        file.close();
        throw error;
      }
      this.notices.happened(file, IN_MODIFY);
    }
    return file;
  }

  /** O_TRUNC, which works with O_RDONLY too where the file may be written. */
  private empty(file: RegularFile, open: (access: { read: boolean; write: boolean }) => number): void {
    if (file.canWrite) {
      file.truncate(0);
      return;
    }
    const handle = open({ read: false, write: true });
    try {
      this.removeSetIds(file);
      this.host.files.ftruncate(handle, 0);
      this.mapped.truncate(file.key, 0);
    } finally {
      this.host.files.close(handle);
    }
  }

  /** Switches O_APPEND of an open file by opening it once more. */
  setAppend(file: RegularFile, append: boolean): void {
    if (!file.canWrite) return;
    try {
      file.replaceHandle(this.host.files.reopen(file.handle, { ...accessOf(file.flags), append }));
    } catch (error) {
      // Without the host's help what is written goes to the end all the same, unless others append too.
      if (!append) throw error;
    }
  }

  /** Opens the file of a description once more, whatever has become of its name. */
  private openSame(
    file: { handle: number; path: string; mount: Mount | undefined },
    flags: number,
    viewer: Viewer,
  ): RegularFile {
    this.checkOpening(this.host.files.fstat(file.handle), file.path, flags, viewer);
    const writes = (flags & O_ACCMODE) !== O_RDONLY || (flags & O_TRUNC) !== 0;
    if (writes && file.mount?.readOnly) fail("EROFS", `${file.path} was granted read-only`);
    const open = (access: { read: boolean; write: boolean }) =>
      this.host.files.reopen(file.handle, { ...access, append: (flags & O_APPEND) !== 0 && access.write });
    return this.emptied(this.regular(open(accessOf(flags)), file, flags), flags, open);
  }

  /** Where the name of an open file or O_PATH descriptor leads. Throws ENOENT when it has none any more. */
  locate(file: OpenFile, viewer: Viewer): Location {
    if (file.base !== undefined) return file.base();
    const { path, deleted } = file.where();
    if (path === "" || deleted) fail("ENOENT", `${path || "it"} has no name`);
    const at = this.resolve(path, { follow: false }, viewer);
    const key = file instanceof RegularFile || file instanceof PathFile ? file.key : undefined;
    const isSame = key === undefined ? exists(at) : at.stat === undefined || fileKey(at.stat) === key;
    if (!exists(at) || !isSame) fail("ENOENT", `${path} is gone`);
    return at;
  }

  private openDirectory(at: Location, flags: number, viewer: Viewer): DirectoryFile {
    if (at.place !== undefined) this.checkAccess(at, MAY_READ, viewer);
    return this.directory(at, (flags & ~OPEN_ONLY) | O_LARGEFILE, viewer);
  }

  /** A description of the directory at a location. */
  directory(at: Location, flags: number, viewer: Viewer): DirectoryFile {
    const folder = at.place === undefined ? undefined : this.namespace.folderAt(at);
    return this.folder(folder, at.path, flags, viewer);
  }

  /** A description of a folder; without one, of the directory of our own making at `path`. */
  folder(folder: Folder | undefined, path: string, flags: number, viewer: Viewer): DirectoryFile {
    const directories: Directories = {
      locationOf: (of, known) => this.namespace.locationOf(of, known),
      find: (there) => this.namespace.walkCanonical(there, viewer.root),
      stat: (at) => this.stat(at),
      list: (at) => this.list(at, viewer),
    };
    return new DirectoryFile({ path, flags, directories, folder });
  }

  /** The working directory of the first process. Throws a HostError that names it. */
  startIn(viewer: Viewer): DirectoryFile {
    try {
      return this.directory(this.namespace.walkCanonical(this.startDirectory, viewer.root), O_PATH, viewer);
    } catch (error) {
      if (error instanceof HostError) fail(error.code, `working directory ${this.startDirectory}`);
      throw error;
    }
  }

  /** A status as the guest sees it. */
  shown(stat: FileStat): FileStat {
    return this.identities.shown(this.setIds.shown(stat));
  }

  /** A directory's entries, "." and ".." first, in the order of their names. */
  list(at: Location, viewer: Viewer): DirectoryEntry[] {
    const { ino: here } =
      at instanceof HeldLocation
        ? this.identities.shown(at.place.folder.identity)
        : this.shown(this.stat(at));
    const dots: DirectoryEntry[] = [
      { ino: here, kind: "directory", name: "." },
      { ino: here, kind: "directory", name: ".." },
    ];
    const hosts = this.namespace.hostEntries(at);
    if (hosts !== undefined) {
      for (const entry of hosts) {
        const { ino } = this.identities.shown(entry);
        dots.push({ ino, kind: entry.kind, name: entry.name });
      }
      return dots;
    }
    const names = this.namespace.list(at, viewer.root).sort();
    const entries = names.map((name): DirectoryEntry | undefined => {
      try {
        const { ino, kind } = this.shown(this.stat(this.namespace.entry(at, name, viewer.root)));
        return kind === "anonymous" ? undefined : { ino, kind, name };
      } catch {
        // Gone since the names were read.
        return undefined;
      }
    });
    return [...dots, ...entries.filter((entry) => entry !== undefined)];
  }

  private openSynthetic(entry: Synthetic, path: string, flags: number, viewer: Viewer): OpenFile {
    const kept = (flags & ~OPEN_ONLY) | O_LARGEFILE;
    if (entry.type === "device") return entry.open(kept, path, (flags & O_NOCTTY) === 0);
    if (entry.type !== "file") fail("ELOOP", path);
    const again = () => procFileAt(this.namespace, path, viewer.root);
    if (entry.open !== undefined) return entry.open(kept, path, () => again().access ?? fail("ESRCH"));
    if ((flags & O_ACCMODE) !== O_RDONLY && entry.store === undefined) fail("EACCES", path);
    return new ProcFile(path, kept, { status: statOfSynthetic(entry, path), again });
  }

  private openPath(at: Location, flags: number, viewer: Viewer): OpenFile {
    const kept = O_PATH | (flags & (O_DIRECTORY | O_NOFOLLOW));
    if (isDirectory(at)) return this.directory(at, kept, viewer);
    if (at.object instanceof PathFile) return at.object.twin(kept);
    const status = this.stat(at);
    const path = at.object?.where().path ?? at.path;
    const target = status.kind === "symlink" ? this.namespace.readlink(at) : undefined;
    const pin = (make: () => number | undefined, mount: Mount | undefined) => {
      const handle = make();
      const held = handle === undefined ? undefined : new SharedHandle(this.host, handle);
      const now = handle === undefined ? status : this.nodes.shown(this.host.files.fstat(handle));
      return new PathFile(this.host, { path, flags: kept, status: now, held, mount, target });
    };
    const { object, place } = at;
    if (object instanceof RegularFile) {
      return pin(() => this.host.files.reopen(object.handle, { read: true, write: false }), object.mount);
    }
    if (place === undefined) return pin(() => undefined, undefined);
    return pin(() => this.namespace.at(place, (real) => this.host.files.pin(real)), place.folder.mount);
  }

  /** Opens what a link of /proc/PID/fd stands for: another description of the same thing. */
  private openAgain(object: OpenFile, flags: number, viewer: Viewer): OpenFile {
    const kept = (flags & ~OPEN_ONLY) | O_LARGEFILE;
    if (object instanceof PipeEnd) {
      const reads = (flags & O_ACCMODE) !== O_WRONLY;
      if ((flags & O_ACCMODE) === O_RDWR) fail("EACCES", "a pipe for both directions");
      return new PipeEnd(object.pipe, reads ? "pipe-read" : "pipe-write", kept);
    }
    if (object instanceof StreamFile) {
      const { read, write } = object.stream.access;
      const wanted = accessOf(flags);
      if ((wanted.read && !read) || (wanted.write && !write)) fail("EACCES", "not open that way outside");
      const again = this.streamFile(object.stream, object.number, object.path);
      again.flags = kept | (object.flags & O_APPEND);
      return again;
    }
    if (object instanceof PtySlave) return this.ptys.open(object.pty, kept, (flags & O_NOCTTY) === 0);
    if (object instanceof NamespaceFile) {
      if ((flags & O_ACCMODE) !== O_RDONLY) fail("EACCES", object.label);
      return new NamespaceFile(object.name, kept);
    }
    if (object instanceof RegularFile) return this.openSame(object, flags, viewer);
    if (object instanceof PathFile && object.handle !== undefined && object.stat().kind === "file") {
      const { path, mount, handle } = object;
      return this.openSame({ path, mount, handle }, flags, viewer);
    }
    const isPath = object instanceof PathFile;
    // Whether it has a name still or not (Linux: may_open).
    if (isPath && object.stat().kind === "symlink") fail("ELOOP", object.path);
    if (object.path === "" || (object.kind === "special" && !isPath)) {
      fail("ENXIO", "nothing that could be opened again");
    }
    return this.openExisting(this.locate(object, viewer), flags & ~(O_CREAT | O_EXCL), viewer);
  }

  /** What a thaw has opened for a process or thread; once. */
  takeThawed(id: number): ThawedFiles | undefined {
    const thawed = this.thawed.get(id);
    this.thawed.delete(id);
    return thawed;
  }

  /** What a thaw has opened is for the processes and mappings that are made next. */
  keepThawed({ tasks, travelling }: Thawed): void {
    this.thawed = tasks;
    this.travelling = travelling;
  }

  /** A file that travelled in the snapshot, for the mappings of it. Throws EINVAL for one that didn't. */
  travelled(index: number, path: string, flags: number): RegularFile {
    const handle = this.travelling[index] ?? fail("EINVAL", `file ${index} of those that travel is missing`);
    return this.unnamed(handle.hold(), path, flags);
  }

  /** Everything has been made that needed what travelled. */
  endThaw(): void {
    for (const handle of this.travelling) handle?.release();
    this.travelling = [];
  }

  /** Closes what walks and mappings have left open on the host. */
  close(): void {
    this.mapped.close();
    this.namespace.close();
    this.gateway?.close();
  }

  /** socket(2). */
  socket(kind: SocketKind): Socket {
    return makeSocket(this.network, this.gateway, kind);
  }

  /** pipe2(2). */
  pipe(flags: number): [PipeEnd, PipeEnd] {
    return makePipe(flags, this.newInode());
  }
}

/** Read and write as the host's `open` wants them. */
function accessOf(flags: number): { read: boolean; write: boolean } {
  const access = flags & O_ACCMODE;
  return { read: access !== O_WRONLY, write: access === O_WRONLY || access === O_RDWR };
}

function statOfSynthetic(entry: Synthetic, path: string): FileStat {
  switch (entry.type) {
    case "directory":
      return entryStat("directory", entry.isClosed ? 0o500 : 0o555, path);
    case "file":
      return entryStat("file", entry.mode, path, { size: sizeOf(entry, path) });
    case "link":
      return entryStat("symlink", entry.mode ?? 0o777, path, { size: entry.size ?? 0n });
    case "device":
      return entry.stat?.() ?? deviceStat(path, entry.major, entry.minor);
  }
}
