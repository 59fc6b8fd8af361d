/** Writing a file so that a reader sees the old one or the whole new one, never a part. */
import { randomBytes } from "node:crypto";
import {
  close,
  closeSync,
  fdatasync,
  fsyncSync,
  lstatSync,
  openSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

/** Where bytes go as they are produced. */
export interface ByteSink {
  write(bytes: Uint8Array): void;
}

/** Writes all of `bytes` to a descriptor; a pipe that is full is tried again. */
export function writeFully(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(fd, bytes, done);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

/**
 * Calls `produce` with a sink, then puts what it wrote at `path`: written to a temporary file (mode 0600) in the
 * same folder, synchronised to the disk, renamed. When anything fails the temporary file is removed, `path` is as
 * it was, and the error is thrown. A symbolic link stays one, and the file it leads to is replaced. What is no file but a
 * device or a named pipe is written to as it is.
 */
export function writeAtomically<T>(path: string, produce: (sink: ByteSink) => T): T {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || found.isFile()) return replaceFile(behindLinks(path), produce);
  const fd = openSync(path, "w");
  try {
    return produce({ write: (bytes) => writeFully(fd, bytes) });
  } finally {
    closeSync(fd);
  }
}

/** Symbolic links that lead to each other at most, as in Linux. */
const MOST_LINKS = 40;

/** Where a path leads that may be a symbolic link; nothing need be there. */
function behindLinks(path: string): string {
  let end = path;
  for (let links = 0; links < MOST_LINKS; links++) {
    if (!lstatSync(end, { throwIfNoEntry: false })?.isSymbolicLink()) return end;
    end = resolve(dirname(end), readlinkSync(end));
  }
  return end;
}

/** Characters of a file's name that its temporary file's name begins with: both must fit a folder's entry. */
const NAME_PART = 40;

function replaceFile<T>(path: string, produce: (sink: ByteSink) => T): T {
  const folder = dirname(path);
  // Not the process id: in a container it is often the same, and a killed writer's file would be in the way.
  const suffix = randomBytes(6).toString("hex");
  const temporary = join(folder, `.${basename(path).slice(0, NAME_PART)}.${suffix}.tmp`);
  const fd = openSync(temporary, "wx", 0o600);
  try {
    let result: T;
    const early = new EarlyWriteBack(temporary);
    try {
      result = produce({
        write: (bytes) => {
          writeFully(fd, bytes);
          early.written(bytes.length);
        },
      });
      fsyncSync(fd);
    } finally {
      closeSync(fd);
      early.close();
    }
    renameSync(temporary, path);
    syncFolder(folder);
    return result;
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Bytes after which the disk is set to work. */
const EARLY = 16 * 1024 * 1024;

/**
 * Lets the disk write a long file while the rest of it is still being made, so that the synchronisation at the end finds
 * less to do. It works on a descriptor of its own: a write error is told once to each, and the last fsync must hear it.
 */
class EarlyWriteBack {
  private readonly path: string;
  private fd: number | undefined;
  private fresh = 0;
  private closed = false;
  private pending = 0;

  constructor(path: string) {
    this.path = path;
  }

  /** Says that so many more bytes are in the file. */
  written(bytes: number): void {
    this.fresh += bytes;
    if (this.fresh < EARLY) return;
    this.fresh = 0;
    this.fd ??= openSync(this.path, "r");
    this.pending++;
    fdatasync(this.fd, () => {
      this.pending--;
      this.release();
    });
  }

  close(): void {
    this.closed = true;
    this.release();
  }

  private release(): void {
    if (this.closed && this.pending === 0 && this.fd !== undefined) close(this.fd);
  }
}

/** Makes the rename itself durable, where the host allows a folder to be synchronised. */
function syncFolder(folder: string): void {
  try {
    const fd = openSync(folder, "r");
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch {
    // Some file systems refuse fsync on a folder; the file's own contents are safe.
  }
}
