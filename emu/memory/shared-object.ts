/**
 * Memory that several mappings see (MAP_SHARED): one page of it is present at one place at a time, and moves
 * when another mapping touches it, so that all see every write at once although a WebAssembly memory cannot map a
 * page twice.
 */
import { PAGE_SIZE } from "./layout.ts";
import { type MappedFile, readFilePage } from "./mapped-file.ts";
import { PageIndex } from "./page-index.ts";

export interface SharedPage {
  /** The bytes, in guest order, while no mapping holds the page. */
  bytes?: Uint8Array;
  /** The mapping that holds it. */
  holder?: PageHolder;
}

/** A page of an address space that holds a page of a shared object. */
export interface PageHolder {
  /** The bytes as they are. */
  peek(): Uint8Array;
  /** Takes the page out and returns its bytes. */
  evict(): Uint8Array;
}

export class SharedObject {
  /** The file behind it; none for anonymous shared memory. */
  readonly file: MappedFile | undefined;
  /** Where each page (index in the object) is now: in an address space, or put aside as bytes. */
  readonly pages = new PageIndex<SharedPage>();
  /** Pages written since they were last equal to the file. */
  private readonly dirty = new PageIndex<true>();

  constructor(file?: MappedFile) {
    this.file = file;
  }

  /** The entry of a page, made at first sight. */
  page(index: number): SharedPage {
    let entry = this.pages.get(index);
    if (entry === undefined) this.pages.set(index, (entry = {}));
    return entry;
  }

  isDirty(index: number): boolean {
    return this.dirty.has(index);
  }

  /** A page has been written. */
  markDirty(index: number): void {
    this.dirty.set(index, true);
  }

  /** The pages from `first` to before `end` that have been written; they count as unwritten from here. */
  takeDirty(first: number, end: number): number[] {
    const found = this.dirty.within(first, end);
    for (const index of found) this.dirty.delete(index);
    return found;
  }

  /** The file now ends at `length`: pages beyond go, and the rest of the last one reads as zeros. */
  truncate(length: number): void {
    for (const index of this.pages.within(Math.floor(length / PAGE_SIZE), Number.POSITIVE_INFINITY)) {
      const keep = length - index * PAGE_SIZE;
      const bytes = takeBack(this.pages.get(index)!);
      if (keep > 0) bytes?.fill(0, keep);
      else {
        this.pages.delete(index);
        this.dirty.delete(index);
      }
    }
  }

  /** Gives a page to `holder` and returns its bytes; undefined when it lies beyond the end of the file. */
  give(index: number, holder: PageHolder): Uint8Array | undefined {
    const { file } = this;
    const position = index * PAGE_SIZE;
    if (file !== undefined && position >= file.size()) return undefined;
    const entry = this.page(index);
    let bytes = takeBack(entry);
    bytes ??= file === undefined ? new Uint8Array(PAGE_SIZE) : readFilePage(file, position);
    entry.bytes = undefined;
    entry.holder = holder;
    return bytes;
  }
}

/** A page's bytes, taken out of the mapping that holds them, which fetches them again when it needs them. */
export function takeBack(page: SharedPage): Uint8Array | undefined {
  if (page.holder !== undefined) {
    page.bytes = page.holder.evict();
    page.holder = undefined;
  }
  return page.bytes;
}
