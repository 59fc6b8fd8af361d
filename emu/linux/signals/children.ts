/** What parents hear of their children: ends, stops, and going on (Linux: do_notify_parent, do_notify_parent_cldstop). */
import type { Process } from "../process.ts";
import { signalInfo } from "./pending.ts";
import { post, postToGroup, tell } from "./post.ts";
import {
  CLD_DUMPED,
  CLD_EXITED,
  CLD_KILLED,
  SA_NOCLDWAIT,
  SI_KERNEL,
  SI_USER,
  SIG_IGN,
  SIGCHLD,
  SIGCONT,
  SIGHUP,
} from "./signal-numbers.ts";

/** si_code and si_status of an end. */
export function endOf(status: number): { code: number; status: number } {
  const signo = status & 0x7f;
  if (signo === 0) return { code: CLD_EXITED, status: (status >> 8) & 0xff };
  return { code: status & 0x80 ? CLD_DUMPED : CLD_KILLED, status: signo };
}

/** Tells the parent that a process has ended. True when nobody is going to wait for it. */
export function notifyEnd(process: Process): boolean {
  const { parent, exitSignal } = process;
  if (parent === undefined || parent.exitStatus !== null) return true;
  const { handler, flags } = parent.signals.action(SIGCHLD);
  const ignored = handler === SIG_IGN;
  const unwanted = exitSignal === SIGCHLD && (ignored || (flags & SA_NOCLDWAIT) !== 0n);
  const { code, status } = endOf(process.exitStatus!);
  if (exitSignal !== 0 && !(exitSignal === SIGCHLD && ignored)) tell(process, exitSignal, code, status);
  parent.childQueue.wake();
  return unwanted;
}

/** Whether no process of a group has a parent in another group of its session: nobody then lets it go on when it stops. */
export function isOrphanedGroup(process: Process): boolean {
  for (const { pgid, sid, parent, exitStatus, ppid } of process.kernel.processes.values()) {
    if (pgid !== process.pgid || exitStatus !== null) continue;
    // The parent of the machine's first process is outside, where it was started: a shell, say.
    if (parent === undefined ? ppid !== 1 || isFirst(process) : parent.pgid !== pgid && parent.sid === sid)
      return false;
  }
  return true;
}

const isFirst = (process: Process): boolean =>
  process.kernel.processes.values().next().value?.pgid === process.pgid;

/** A process has lost its parent: it gets the signal that it asked for, and its group SIGHUP if it is left stopped. */
export function orphaned(child: Process): void {
  const { pdeathsig } = child.prctl;
  if (pdeathsig !== 0 && child.exitStatus === null) post(child, signalInfo(pdeathsig, SI_USER));
  if (child.exitStatus !== null || child.stoppedBy === 0 || !isOrphanedGroup(child)) return;
  for (const signo of [SIGHUP, SIGCONT]) {
    postToGroup(child.kernel.processes.values(), child.pgid, signo, SI_KERNEL);
  }
}
