/** Writing a file so that a reader sees the old one or the whole new one, never a part. */
import {
  accessSync,
  close,
  closeSync,
  constants,
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
import { basename, dirname, isAbsolute, join } from "node:path";
import { decodeName } from "../emu/host/names.ts";
import { builtins } from "../emu/host/node/builtins.ts";
import { toHost } from "../emu/host/node/files.ts";

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
export async function writeAtomically<T>(
  path: string,
  produce: (sink: ByteSink) => T | Promise<T>,
): Promise<T> {
  const found = statSync(toHost(path), { throwIfNoEntry: false });
  if (found === undefined || found.isFile()) return replaceFile(behindLinks(path), produce);
  const fd = openSync(toHost(path), "w");
  try {
    return await produce({ write: (bytes) => writeFully(fd, bytes) });
  } finally {
    closeSync(fd);
  }
}

/**
 * Finds out whether `writeAtomically` could write to `path`: makes a file in its folder, and removes it again; or looks whether a
 * device or named pipe may be written to, and with `inPlace` a file that is there. Throws the system's error.
 */
export function checkWritable(path: string, inPlace = false): void {
  const found = statSync(toHost(path), { throwIfNoEntry: false });
  if (found?.isDirectory()) {
    throw Object.assign(new Error("EISDIR: it is a folder, open"), { code: "EISDIR", syscall: "open" });
  }
  if (found !== undefined && (inPlace || !found.isFile())) {
    accessSync(toHost(path), constants.W_OK);
    return;
  }
  const trial = temporaryBeside(behindLinks(path));
  closeSync(openSync(toHost(trial), "wx", 0o600));
  rmSync(toHost(trial));
}

/** Symbolic links that lead to each other at most, as in Linux. */
const MOST_LINKS = 40;

/** Where a path leads that may be a symbolic link; nothing need be there. */
function behindLinks(path: string): string {
  let end = path;
  for (let links = 0; links < MOST_LINKS; links++) {
    if (!lstatSync(toHost(end), { throwIfNoEntry: false })?.isSymbolicLink()) return end;
    const target = decodeName(readlinkSync(toHost(end), { encoding: "buffer" }));
    end = isAbsolute(target) ? target : join(dirname(end), target);
  }
  return end;
}

/** Characters of a file's name that its temporary file's name begins with: both must fit a folder's entry. */
const NAME_PART = 40;

/** A name for a temporary file in the folder of `path`. */
function temporaryBeside(path: string): string {
  // Not the process id: in a container it is often the same, and a killed writer's file would be in the way.
  const suffix = builtins.crypto.randomBytes(6).toString("hex");
  return join(dirname(path), `.${basename(path).slice(0, NAME_PART)}.${suffix}.tmp`);
}

async function replaceFile<T>(path: string, produce: (sink: ByteSink) => T | Promise<T>): Promise<T> {
  const temporary = temporaryBeside(path);
  const fd = openSync(toHost(temporary), "wx", 0o600);
  try {
    let result: T;
    const early = new EarlyWriteBack(temporary);
    try {
      result = await produce({
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
    renameSync(toHost(temporary), toHost(path));
    syncFolder(dirname(path));
    return result;
  } catch (error) {
    rmSync(toHost(temporary), { force: true });
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
    this.fd ??= openSync(toHost(this.path), "r");
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
    const fd = openSync(toHost(folder), "r");
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch {
    // Some file systems refuse fsync on a folder; the file's own contents are safe.
  }
}
