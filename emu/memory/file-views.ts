/**
 * Where pages of files are present in private mappings. Until its first write such a page shows its file, so who
 * changes the file must find it, in whatever address space it is.
 */
import { PAGE_SIZE } from "./layout.ts";
import type { MappedFile } from "./mapped-file.ts";
import { PageIndex } from "./page-index.ts";

/** What an address space does when a file that it has private pages of changes. */
export interface FileViewer {
  /** The bytes of these pages of its own have changed in their file. */
  forgetPages(pages: readonly number[]): void;
  /** These pages of its own are no longer in their file. */
  cutPages(pages: readonly number[]): void;
}

/** For each file and address space the pages of that space, by their index in the file. */
const views = new WeakMap<MappedFile, Map<FileViewer, PageIndex<Set<number>>>>();

/** `viewer` has page `index` of the file at its own `page` from now on. */
export function addView(file: MappedFile, viewer: FileViewer, index: number, page: number): void {
  let viewers = views.get(file);
  if (viewers === undefined) views.set(file, (viewers = new Map()));
  let pages = viewers.get(viewer);
  if (pages === undefined) viewers.set(viewer, (pages = new PageIndex()));
  const same = pages.get(index);
  if (same === undefined) pages.set(index, new Set([page]));
  else same.add(page);
}

/** Takes back `addView`, where there was one. */
export function removeView(file: MappedFile, viewer: FileViewer, index: number, page: number): void {
  const viewers = views.get(file);
  const pages = viewers?.get(viewer);
  const same = pages?.get(index);
  if (!same?.delete(page) || same.size > 0) return;
  pages!.delete(index);
  if (pages!.size === 0) viewers!.delete(viewer);
}

/** Tells all who show the file that its bytes from `from` to before `to` have changed. */
export function fileChanged(file: MappedFile, from: number, to: number): void {
  eachViewer(file, Math.floor(from / PAGE_SIZE), Math.ceil(to / PAGE_SIZE), (viewer, pages) =>
    viewer.forgetPages(pages),
  );
}

/**
 * Tells all who show the file that it now ends at `length`. Pages beyond go, written or not: Linux takes private
 * copies away as well (unmap_mapping_range with even_cows, mm/truncate.c).
 */
export function fileTruncated(file: MappedFile, length: number): void {
  fileChanged(file, length, Number.POSITIVE_INFINITY);
  eachViewer(file, Math.ceil(length / PAGE_SIZE), Number.POSITIVE_INFINITY, (viewer, pages) =>
    viewer.cutPages(pages),
  );
}

function eachViewer(
  file: MappedFile,
  first: number,
  end: number,
  tell: (viewer: FileViewer, pages: number[]) => void,
): void {
  for (const [viewer, pages] of [...(views.get(file) ?? [])]) {
    tell(
      viewer,
      pages.within(first, end).flatMap((index) => [...pages.get(index)!]),
    );
  }
}
