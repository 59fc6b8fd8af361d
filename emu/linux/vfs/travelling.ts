/**
 * Files that travel in a snapshot with all that they hold: those that no name leads to any more, and others where it is asked for.
 * What is only holes is not stored, and comes back as holes. Symlinks, named pipes and sockets travel as well, which descriptors
 * opened with O_PATH may stand for.
 */
import type { Host } from "../../host/host.ts";
import { decodeName, encodeName } from "../../host/names.ts";
import { finished, PAGE_SIZE, type PageSource, type UnlinkedFileSnapshot } from "../../snapshot.ts";
import { PATH_MAX } from "./constants.ts";
import type { FileStat } from "./file-status.ts";
import { isOfKind, modeOf } from "./file-types.ts";
import { readFully, SharedHandle, writeFully } from "./mapped-files.ts";
import { join } from "./mounts.ts";
import { fail } from "./synthetic.ts";

/** Bytes of a file that are looked at before others have their turn. */
const STEP = 32 * 1024 * 1024;

/** Offsets of the pages of a file from `start` to before `end` that are not all zero. */
function* occupiedPages(host: Host, handle: number, start: number, end: number): Iterable<number> {
  const page = new Uint8Array(PAGE_SIZE);
  const words = new Int32Array(page.buffer);
  for (const { position, length } of host.files.occupied(handle, start, end)) {
    for (let at = position; at < position + length; at += PAGE_SIZE) {
      page.fill(0, readFully(host, handle, page, at));
      if (words.some((word) => word !== 0)) yield at;
    }
  }
}

/** Lends a handle that a file can be read by. */
export type Lend = <T>(use: (handle: number) => T) => T;

/**
 * A time as far as a host can be told to give it to a file (Node: microseconds, before 1970 milliseconds), so that a file that has travelled is
 * frozen again as it was.
 */
function settable(nanoseconds: bigint): bigint {
  const grain = nanoseconds < 0n ? 1_000_000n : 1_000n;
  return nanoseconds - (((nanoseconds % grain) + grain) % grain);
}

/** The contents of a file. They are looked at when somebody asks for them. */
export function freezeTravelling(host: Host, lend: Lend, path: string, setId: number): UnlinkedFileSnapshot {
  const { size, mode, atime, mtime } = lend(host.files.fstat);
  const page = new Uint8Array(PAGE_SIZE);
  const found: number[] = [];
  let searched = 0;
  function* search(): Generator<void> {
    while (searched < size) {
      const end = Math.min(searched + STEP, Number(size));
      lend((handle) => found.push(...occupiedPages(host, handle, searched, end)));
      searched = end;
      yield;
    }
  }
  const pages: PageSource = {
    get addresses() {
      finished(search());
      return found;
    },
    search,
    read: (index) => {
      const count = lend((handle) => readFully(host, handle, page, pages.addresses[index]));
      return page.fill(0, count);
    },
  };
  return {
    size: Number(size),
    mode: mode | setId,
    path,
    atime: settable(atime),
    mtime: settable(mtime),
    pages,
  };
}

/** What is no regular file: its mode says what it is, and the text of a symlink is its contents. */
export function freezeNode(stat: FileStat, path: string, target = ""): UnlinkedFileSnapshot {
  const text = encodeName(target);
  const page = new Uint8Array(PAGE_SIZE);
  page.set(text);
  return {
    size: text.length,
    mode: modeOf(stat),
    path,
    atime: settable(stat.atime),
    mtime: settable(stat.mtime),
    pages: { addresses: text.length > 0 ? [0] : [], read: () => page },
  };
}

/** The text of a symlink that has travelled; undefined for anything else. Throws EINVAL where it makes no sense. */
export function linkTarget({ mode, size, pages }: UnlinkedFileSnapshot): string | undefined {
  if (!isOfKind("symlink", mode)) return undefined;
  if (size < 1 || size >= PATH_MAX || pages.addresses[0] !== 0) fail("EINVAL", "a symlink makes no sense");
  return decodeName(pages.read(0).slice(0, size));
}

/** Makes the file again, without a name. The host's copy never has set-id bits, and is an empty file where the guest sees a pipe or socket. */
export function thawTravelling(host: Host, snapshot: UnlinkedFileSnapshot): SharedHandle {
  const target = linkTarget(snapshot);
  if (target !== undefined) return new SharedHandle(host, unnamedLink(host, target, snapshot));
  const handle = new SharedHandle(host, host.files.openUnnamed());
  try {
    writeTravelling(host, handle.handle, snapshot);
    return handle;
  } catch (error) {
    handle.release();
    throw error;
  }
}

/** A handle of a symlink that has no name. */
function unnamedLink({ files }: Host, target: string, { atime, mtime }: UnlinkedFileSnapshot): number {
  const folder = files.temporaryFolder();
  try {
    const path = join(folder, "link");
    files.symlink(target, path);
    if (atime !== undefined && mtime !== undefined) files.utimes(path, atime, mtime);
    return files.pin(path) ?? fail("EOPNOTSUPP", "this host can't hold a symlink that has no name");
  } finally {
    files.removeTree(folder);
  }
}

/** Gives the empty file behind a handle its contents, mode and times. */
export function writeTravelling(host: Host, handle: number, snapshot: UnlinkedFileSnapshot): void {
  const { files } = host;
  const { size, mode, atime, mtime, pages } = snapshot;
  pages.addresses.forEach((offset, index) => {
    writeFully(host, handle, pages.read(index), offset);
  });
  files.ftruncate(handle, size);
  files.fchmod(handle, mode & 0o1777);
  if (atime !== undefined && mtime !== undefined) files.futimes(handle, atime, mtime);
}
