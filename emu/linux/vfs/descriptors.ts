/** A process's table of file descriptors (struct files_struct). */
import { hold, type OpenFile, release } from "./open-file.ts";
import { fail } from "./synthetic.ts";

export interface Descriptor {
  readonly file: OpenFile;
  closeOnExec: boolean;
}

/** Most descriptors whatever RLIMIT_NOFILE says (/proc/sys/fs/nr_open). */
export const NR_OPEN = 1048576;

export class Descriptors {
  /** By number, with holes; it ends with the highest. */
  private readonly table: (Descriptor | undefined)[] = [];
  private size = 0;
  /** Processes, and threads with files of their own, that have this table. */
  users = 1;
  /** The process that holds the locks on files that are taken by it. */
  pid = 0;
  /** No descriptor below this one is free. */
  private lowest = 0;
  /** RLIMIT_NOFILE, soft. */
  limit: () => number;

  /** Called when a descriptor is closed, while its description is still there. */
  onClose: (file: OpenFile) => void = () => {};

  constructor(limit: () => number = () => 1024) {
    this.limit = limit;
  }

  /** The description of a descriptor. Throws EBADF. */
  get(fd: number): OpenFile {
    return this.entry(fd).file;
  }
  /** The slot of a descriptor. Throws EBADF. */
  entry(fd: number): Descriptor {
    return this.table[fd] ?? fail("EBADF", `descriptor ${fd}`);
  }
  /** The description of a descriptor that may not be there. */
  find(fd: number): OpenFile | undefined {
    return this.table[fd]?.file;
  }
  has(fd: number): boolean {
    return this.table[fd] !== undefined;
  }
  /** One more than the highest descriptor that was open, at most. */
  get reach(): number {
    return this.table.length;
  }
  /** All descriptors, ascending. */
  list(): [number, Descriptor][] {
    const list: [number, Descriptor][] = [];
    this.table.forEach((descriptor, fd) => {
      if (descriptor !== undefined) list.push([fd, descriptor]);
    });
    return list;
  }

  /** Takes the lowest free descriptor from `from` on. Throws EMFILE, EINVAL. */
  add(file: OpenFile, closeOnExec: boolean, from = 0): number {
    const limit = Math.min(this.limit(), NR_OPEN);
    if (from < 0 || from >= limit) fail(from === 0 ? "EMFILE" : "EINVAL", "no descriptor below the limit");
    let fd = Math.max(from, this.lowest);
    while (this.has(fd)) fd++;
    if (from <= this.lowest) this.lowest = fd;
    if (fd >= limit) fail("EMFILE", `${limit} descriptors are open`);
    this.put(fd, { file: hold(file), closeOnExec });
    return fd;
  }

  /** Makes sure that `count` more descriptors can be had. Throws EMFILE. */
  reserve(count: number): void {
    const limit = Math.min(this.limit(), NR_OPEN);
    if (this.size + count <= limit) return;
    // Those that were opened under a higher limit, above this one, take no place below it.
    let free = 0;
    for (let fd = this.lowest; fd < limit && free < count; fd++) if (!this.has(fd)) free++;
    if (free < count) fail("EMFILE", "too many open files");
  }

  /** Puts a description at a given descriptor, closing what was there (dup2). Throws EBADF. */
  set(fd: number, file: OpenFile, closeOnExec: boolean): void {
    if (fd < 0 || fd >= Math.min(this.limit(), NR_OPEN)) fail("EBADF", `descriptor ${fd}`);
    const old = this.table[fd];
    this.put(fd, { file: hold(file), closeOnExec });
    if (old !== undefined) this.letGo(old.file);
  }

  /** Throws EBADF. */
  close(fd: number): void {
    const { file } = this.entry(fd);
    if (fd === this.table.length - 1) this.table.length = fd;
    else this.table[fd] = undefined;
    this.size--;
    this.lowest = Math.min(this.lowest, fd);
    this.letGo(file);
  }

  private put(fd: number, descriptor: Descriptor): void {
    if (!this.has(fd)) this.size++;
    this.table[fd] = descriptor;
  }

  private letGo(file: OpenFile): void {
    this.onClose(file);
    release(file);
  }

  /** What execve(2) does: closes those marked close-on-exec. */
  exec(): void {
    for (const [fd, { closeOnExec }] of this.list()) if (closeOnExec) this.close(fd);
  }
  /** What exit does: the last process closes everything. */
  leave(): void {
    if (--this.users === 0) this.closeAll();
  }
  closeAll(): void {
    for (const [fd] of this.list()) this.close(fd);
  }
  /** What fork(2) does: a table of its own with the same descriptions. */
  copy(): Descriptors {
    const twin = new Descriptors(this.limit);
    twin.lowest = this.lowest;
    for (const [fd, { file, closeOnExec }] of this.list()) {
      twin.put(fd, { file: hold(file), closeOnExec });
    }
    return twin;
  }
}
