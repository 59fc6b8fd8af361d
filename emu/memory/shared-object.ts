/**
 * Memory that several mappings see (MAP_SHARED): one page of it is present at one place at a time, and moves
 * when another mapping touches it, so that all see every write at once although a WebAssembly memory cannot map a
 * page twice.
 */
import { PAGE_SIZE } from "./layout.ts";
import { type MappedFile, readFilePage } from "./mapped-file.ts";

export interface SharedPage {
  /** The bytes, in guest order, while no mapping holds the page. */
  bytes?: Uint8Array;
  /** The mapping that holds it. */
  holder?: PageHolder;
  /** Written since it was last equal to the file. */
  dirty: boolean;
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
  readonly pages = new Map<number, SharedPage>();

  constructor(file?: MappedFile) {
    this.file = file;
  }

  /** The entry of a page, made at first sight. */
  page(index: number): SharedPage {
    let entry = this.pages.get(index);
    if (entry === undefined) this.pages.set(index, (entry = { dirty: false }));
    return entry;
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
