/** Pages of an image as a snapshot wants them: 4 KiB each, fetched when asked for. */
import { PAGE_SIZE, type PageSource } from "../emu/snapshot.ts";
import type { PageRun } from "./image.ts";
import { type ImageSource, pagesIn } from "./stream.ts";

interface Run {
  /** Addresses of pages of `size` bytes. */
  addresses: readonly number[];
  read(index: number): Uint8Array;
}

/** The pages of runs that follow each other; larger pages become as many of 4 KiB. */
function join(runs: readonly Run[], size: number): PageSource {
  const parts = size / PAGE_SIZE;
  const addresses: number[] = [];
  /** Number of the first 4 KiB page of each run. */
  const starts: number[] = [];
  for (const run of runs) {
    starts.push(addresses.length);
    for (const address of run.addresses) {
      for (let part = 0; part < parts; part++) addresses.push(address + part * PAGE_SIZE);
    }
  }
  let current = 0;
  return {
    addresses,
    read(index) {
      if (index < starts[current]) current = 0;
      while (current + 1 < starts.length && index >= starts[current + 1]) current++;
      const within = index - starts[current];
      const page = runs[current].read(Math.floor(within / parts));
      const at = (within % parts) * PAGE_SIZE;
      return page.subarray(at, at + PAGE_SIZE);
    },
  };
}

/** The pages of one area of an image whose pages have `pageSize` bytes. */
export const areaPages = (runs: readonly PageRun[], pageSize: number): PageSource => join(runs, pageSize);

/** The pages of shared memory, or of a file without a name, by offset. */
export const runPages = (runs: readonly { offsets: number[]; contents: ImageSource }[]): PageSource =>
  join(
    runs.map(({ offsets, contents }) => ({
      addresses: offsets,
      read: pagesIn(contents, 0, PAGE_SIZE, offsets.length),
    })),
    PAGE_SIZE,
  );

export const NO_PAGES: PageSource = {
  addresses: [],
  read: (index) => {
    throw new RangeError(`there is no page ${index}`);
  },
};
