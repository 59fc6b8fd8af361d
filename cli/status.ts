/** How ppcr ends: with a status, or as its guest did. */

/** An exit status, and the signal that ppcr dies of where it can. */
export interface Ending {
  status: number;
  signal?: NodeJS.Signals;
}

/**
 * Signals of which ppcr dies itself when its guest did: those by which the user or the other end of a pipe ends a whole job. A
 * shell that sees nothing but a status goes on with its loop.
 */
const SHARED: Readonly<Record<number, NodeJS.Signals>> = {
  1: "SIGHUP",
  2: "SIGINT",
  9: "SIGKILL",
  13: "SIGPIPE",
  15: "SIGTERM",
};

/** How to end when the guest was killed by a signal. */
export const killedBy = (signo: number): Ending => ({ status: 128 + signo, signal: SHARED[signo] });

/** Has this process end so once nothing is left to do. */
export function endAs({ status, signal }: Ending): void {
  process.exitCode = status;
  if (signal === undefined || process.platform === "win32") return;
  // Last of what is done at the exit, so that the terminal has its settings back.
  process.once("exit", () => {
    if (signal !== "SIGKILL") {
      // Node ignores SIGPIPE; a listener that goes away leaves a signal with its default action.
      const listener = () => {};
      process.on(signal, listener);
      process.off(signal, listener);
    }
    process.kill(process.pid, signal);
  });
}
