/**
 * Files that travel in a snapshot with all that they hold: those that no name leads to any more, and others where it is asked for.
 * What is only holes is not stored, and comes back as holes.
 */
import type { Host } from "../../host/host.ts";
import { PAGE_SIZE, type PageSource, type UnlinkedFileSnapshot } from "../../snapshot.ts";
import { readFully, SharedHandle, writeFully } from "./mapped-files.ts";

/** Offsets of the pages of a file that are not all zero. */
function occupiedPages(host: Host, handle: number): number[] {
  const pages: number[] = [];
  const page = new Uint8Array(PAGE_SIZE);
  const words = new Int32Array(page.buffer);
  for (const { position, length } of host.files.occupied(handle)) {
    for (let at = position - (position % PAGE_SIZE); at < position + length; at += PAGE_SIZE) {
      page.fill(0, readFully(host, handle, page, at));
      if (at !== pages.at(-1) && words.some((word) => word !== 0)) pages.push(at);
    }
  }
  return pages;
}

/** The contents of the file behind a readable handle. They are looked at when somebody asks for them. */
export function freezeTravelling(
  host: Host,
  handle: number,
  path: string,
  setId: number,
): UnlinkedFileSnapshot {
  const { size, mode, atime, mtime } = host.files.fstat(handle);
  const page = new Uint8Array(PAGE_SIZE);
  let found: number[] | undefined;
  const pages: PageSource = {
    get addresses() {
      found ??= occupiedPages(host, handle);
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
