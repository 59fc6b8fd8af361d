/** Descriptors of this process that may make their users wait. */
import fs from "node:fs";
import { hostCall } from "./files.ts";

const { constants } = fs;

export const isCode = (error: unknown, code: string): boolean =>
  (error as NodeJS.ErrnoException).code === code;

/** Runs a read or write that may have to wait: undefined then. */
export function unlessBlocked(work: () => number): number | undefined {
  try {
    return hostCall(work);
  } catch (error) {
    if (isCode(error, "EAGAIN")) return undefined;
    throw error;
  }
}

/** A descriptor of our own for the same pipe or terminal: O_NONBLOCK on it disturbs nobody else. */
export function reopen(fd: number, flags: number): number | undefined {
  try {
    return fs.openSync(`/proc/self/fd/${fd}`, flags | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return undefined;
  }
}
