/** ppcr's own failures: a message for the user and an exit status. */

/** Exit statuses of ppcr itself, as env(1), timeout(1) and container runtimes use them. */
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
  process.stderr.write(`ppcr: ${message}\n`);
}

/** What a system error says, without Node's decoration: "no space left on device (ENOSPC)". */
export function describeSystemError(error: unknown): string {
  const { code, message, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return String((error as Error)?.message ?? error);
  const text = message.replace(/^[A-Z0-9]+: /, "").replace(/, \w+( .*)?$/, "");
  return `${text} (${code})`;
}
