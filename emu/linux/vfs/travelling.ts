/**
 * Files that travel in a snapshot with all that they hold: those that no name leads to any more, and others where it is asked for.
 * What is only holes is not stored, and comes back as holes.
 */
import type { Host } from "../../host/host.ts";
import { PAGE_SIZE, type PageSource, type UnlinkedFileSnapshot } from "../../snapshot.ts";
import { readFully, SharedHandle, writeFully } from "./mapped-files.ts";

/** Bytes looked at in one go for what is not zero. */
const PIECE = 4 * 1024 * 1024;

/** Offsets of the pages of a file that are not all zero. Node can't ask where holes are: they are read, some GiB a second. */
function occupiedPages(host: Host, handle: number, size: number): number[] {
  const pages: number[] = [];
  const piece = new Uint8Array(PIECE);
  const words = new Int32Array(piece.buffer);
  for (let start = 0; start < size; start += PIECE) {
    const count = readFully(host, handle, piece, start);
    piece.fill(0, count);
    if (isZero(words, 0, words.length)) continue;
    for (let at = 0; at < count; at += PAGE_SIZE) {
      if (!isZero(words, at / 4, (at + PAGE_SIZE) / 4)) pages.push(start + at);
    }
  }
  return pages;
}

function isZero(words: Int32Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (words[at] !== 0) return false;
  return true;
}

/** The contents of the file behind a readable handle. They are looked at when somebody asks for them. */
export function freezeTravelling(host: Host, handle: number, path: string, setId: number): UnlinkedFileSnapshot {
  const { size, mode, atime, mtime } = host.files.fstat(handle);
  const page = new Uint8Array(PAGE_SIZE);
  let found: number[] | undefined;
  const pages: PageSource = {
    get addresses() {
      found ??= occupiedPages(host, handle, Number(size));
      return found;
    },
    read: (index) => {
      const count = readFully(host, handle, page, pages.addresses[index]);
      return page.fill(0, count);
    },
  };
  return { size: Number(size), mode: mode | setId, path, atime, mtime, pages };
}

/** Makes the file again, without a name. The host's copy never has set-id bits. */
export function thawTravelling(host: Host, snapshot: UnlinkedFileSnapshot): SharedHandle {
  const { files } = host;
  const { size, mode, atime, mtime, pages } = snapshot;
  const handle = new SharedHandle(host, files.openUnnamed());
  try {
    pages.addresses.forEach((offset, index) => {
      writeFully(host, handle.handle, pages.read(index), offset);
    });
    files.ftruncate(handle.handle, size);
    files.fchmod(handle.handle, mode & 0o1777);
    if (atime !== undefined && mtime !== undefined) files.futimes(handle.handle, atime, mtime);
    return handle;
  } catch (error) {
    handle.release();
    throw error;
  }
}
