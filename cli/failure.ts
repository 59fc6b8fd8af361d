/** ppcr's own failures: a message for the user and an exit status. */
import { writeFully } from "./atomic-file.ts";

/** Exit statuses of ppcr itself, as env(1), timeout(1) and container runtimes use them. */
export const EXIT_NO_CHECKPOINT = 124;
export const EXIT_FAILURE = 125;
export const EXIT_NOT_RUNNABLE = 126;
export const EXIT_NOT_FOUND = 127;

/** A failure that has been understood: says what, where and what to do; ends the process with `status`. */
export class Failure extends Error {
  readonly status: number;
  constructor(message: string, status = EXIT_FAILURE) {
    super(message);
    this.status = status;
  }
}

/** Writes one of ppcr's own messages. */
export function say(message: string): void {
  try {
    writeFully(2, Buffer.from(`ppcr: ${message}\n`));
  } catch {
    // There is nobody left to be told.
  }
}

/** Writes what was asked for to standard output. Throws Failure where that is full or closed. */
export function print(output: string | Uint8Array): void {
  try {
    writeFully(1, typeof output === "string" ? Buffer.from(output) : output);
  } catch (error) {
    throw new Failure(`cannot write standard output: ${describeSystemError(error)}`);
  }
}

/** What a system error says, without Node's decoration: "no space left on device (ENOSPC)". */
export function describeSystemError(error: unknown): string {
  const { code, message, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return String((error as Error)?.message ?? error);
  const text = message.replace(/^[A-Z0-9]+: /, "").replace(/, \w+( .*)?$/s, "");
  return `${text} (${code})`;
}
