/** What of a file is ready, in the numbers of poll(2). */
import type { OpenFile, Waitables } from "./open-file.ts";

export const POLLIN = 0x1;
export const POLLPRI = 0x2;
export const POLLOUT = 0x4;
export const POLLERR = 0x8;
export const POLLHUP = 0x10;
export const POLLRDNORM = 0x40;
export const POLLWRNORM = 0x100;
export const POLLWRBAND = 0x200;
export const POLLRDHUP = 0x2000;

/** The POLL* events that hold of a file now. */
export function readiness(file: OpenFile): number {
  const said = file.events?.();
  if (said !== undefined) return said;
  let events = 0;
  if (file.readable() && !(file.hangup() && !hasBytes(file))) events |= POLLIN | POLLRDNORM;
  if (file.writable()) events |= POLLOUT | POLLWRNORM;
  if (file.hangup()) events |= POLLHUP;
  if (file.broken()) events |= POLLERR;
  return events;
}

/** Whether there is data to read: a pipe whose writers are gone hangs up and, once empty, is not readable. */
const hasBytes = (file: OpenFile): boolean => amountIn(file) > 0;

/** Bytes that are there to be read, where a file can tell. */
export function amountIn(file: OpenFile): number {
  try {
    return file.available();
  } catch {
    return 0;
  }
}

/** Everything that may change the readiness of `files`. */
export function waitablesOf(files: Iterable<OpenFile>): Required<Waitables> {
  const queues = new Set<NonNullable<Waitables["queues"]>[number]>();
  const streams = new Set<NonNullable<Waitables["streams"]>[number]>();
  for (const file of files) {
    const sources = file.waitables();
    for (const queue of sources.queues ?? []) queues.add(queue);
    for (const stream of sources.streams ?? []) streams.add(stream);
  }
  return { queues: [...queues], streams: [...streams] };
}
