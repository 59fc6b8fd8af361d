/** How far long work has come: a bar on stderr where that is a terminal, nothing otherwise. */
import { Presets, SingleBar } from "cli-progress";
import { isTerminal } from "../emu/host/node/descriptor.ts";

/** Bytes from which work on an image is long enough to be watched. */
const LONG = 64 * 1024 * 1024;

export interface Progress {
  /** So many more bytes are done. */
  count(bytes: number): void;
  /** The work is over, one way or the other: nothing is shown any more. */
  stop(): void;
}

/** Shows from now on how much of `total` bytes is done. */
export function showProgress(what: string, total: number): Progress {
  if (total < LONG || !isTerminal(2)) return { count: () => {}, stop: () => {} };
  const format = `ppcr: ${what} {bar} {percentage}%`;
  const bar = new SingleBar(
    { format, stream: process.stderr, clearOnComplete: true },
    Presets.shades_classic,
  );
  bar.start(total, 0);
  return { count: (bytes) => bar.increment(bytes), stop: () => bar.stop() };
}
