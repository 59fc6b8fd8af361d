/** Descriptors of this process that may make their users wait. */
import { builtins, fs } from "./builtins.ts";
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

/** Major number of /dev/null and its kin on Linux. */
const MEMORY_DEVICES = 1n;

/** Whether a descriptor leads to a terminal. To ask Node that of any device loads all it has for streams and sockets. */
export function isTerminal(fd: number): boolean {
  try {
    const stat = fs.fstatSync(fd, { bigint: true });
    const isNull = process.platform === "linux" && stat.rdev >> 8n === MEMORY_DEVICES;
    return stat.isCharacterDevice() && !isNull && builtins.tty.isatty(fd);
  } catch {
    return false;
  }
}
