/** How far long work has come: a bar on stderr where that is a terminal, nothing otherwise. */
import { Presets, SingleBar } from "cli-progress";

/** Bytes from which work on an image is long enough to be watched. */
const LONG = 64 * 1024 * 1024;

/** Calls `work` with a function that counts bytes done out of `total`, and shows them meanwhile. */
export function withProgress<T>(what: string, total: number, work: (count: (bytes: number) => void) => T): T {
  if (total < LONG || !process.stderr.isTTY) return work(() => {});
  const format = `ppcr: ${what} {bar} {percentage}%`;
  const bar = new SingleBar(
    { format, stream: process.stderr, clearOnComplete: true },
    Presets.shades_classic,
  );
  bar.start(total, 0);
  try {
    return work((bytes) => bar.increment(bytes));
  } finally {
    bar.stop();
  }
}
