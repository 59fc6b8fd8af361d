/** What processes outside a terminal's foreground group may do with it (Linux: drivers/tty/tty_jobctrl.c). */
import { EIO, SysError } from "../errno.ts";
import { isOrphanedGroup } from "../signals/children.ts";
import { postToGroup } from "../signals/post.ts";
import { SI_KERNEL, SIG_IGN, SIGTTIN, SIGTTOU } from "../signals/signal-numbers.ts";
import type { SyscallContext } from "../syscall.ts";
import { terminalOf } from "../vfs/devices.ts";
import type { OpenFile } from "../vfs/open-file.ts";
import { Pty, PtyMaster } from "../vfs/pty.ts";
import type { Tty } from "../vfs/terminal-settings.ts";

/** TOSTOP in c_lflag. */
const TOSTOP = 0x40_0000;

/** The group in a terminal's foreground: of the one that was inherited at first that of the machine's first process. */
export function foregroundOf({ kernel, process }: SyscallContext, terminal: Tty): number {
  if (terminal instanceof Pty) return terminal.foreground ?? 0;
  const [first] = kernel.processes.values();
  return terminal.foreground ?? first?.pgid ?? process.pgid;
}

/** Whether a terminal is the controlling one of a process; one that the machine has inherited is that of the first session. */
export function isControlling({ kernel, process }: SyscallContext, terminal: Tty): boolean {
  if (terminal instanceof Pty) return terminal.session === process.sid;
  const [first] = kernel.processes.values();
  return process.sid === first?.sid;
}

/** Stops the group of a process in the background; one that ignores that goes on, or fails with EIO where it would read. */
function checkChange(ctx: SyscallContext, file: OpenFile, signo: number): void {
  const { process, thread, kernel } = ctx;
  const terminal = terminalOf(file);
  // Whoever holds the other side of a pseudo-terminal is no job of it.
  if (terminal === undefined || file instanceof PtyMaster || !isControlling(ctx, terminal)) return;
  if (foregroundOf(ctx, terminal) === process.pgid) return;
  const ignored = thread.signals.blocks(signo) || process.signals.action(signo).handler === SIG_IGN;
  if (ignored && signo !== SIGTTIN) return;
  if (ignored || isOrphanedGroup(process)) throw new SysError(EIO);
  postToGroup(kernel.processes.values(), process.pgid, signo, SI_KERNEL);
  // The call is made again when the group has been let go on, in the foreground maybe.
  ctx.block({});
}

/** A process in the background may not read from its terminal. */
export const checkTerminalRead = (ctx: SyscallContext, file: OpenFile): void =>
  checkChange(ctx, file, SIGTTIN);

/** Nor write to it, where it is set to stop those that do. */
export function checkTerminalWrite(ctx: SyscallContext, file: OpenFile): void {
  if ((terminalOf(file)?.termios.c_lflag ?? 0) & TOSTOP) checkChange(ctx, file, SIGTTOU);
}

/** Nor change its settings. */
export const checkTerminalChange = (ctx: SyscallContext, file: OpenFile): void =>
  checkChange(ctx, file, SIGTTOU);
