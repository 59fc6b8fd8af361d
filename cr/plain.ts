/**
 * What of a machine's state a plain v13 image cannot say. `--strict` refuses with this list; otherwise, when it is not
 * empty, HEAD.flags tells v13 readers to refuse: they would restart something broken.
 */
import type {
  AreaSnapshot,
  MachineSnapshot,
  OpenFileSnapshot,
  ProcessSnapshot,
  RegistersSnapshot,
  ThreadSnapshot,
} from "../emu/snapshot.ts";
import { FRESH, type Shape } from "./arch-ppc.ts";
import { ASKED_IN_V13 } from "./records.ts";

/** Whether a v13 image has records for this open file. */
export const expressible = (file: OpenFileSnapshot): boolean =>
  file.path !== "" &&
  !file.deleted &&
  file.unlinked < 0 &&
  ["file", "directory", "inherited"].includes(file.kind);

/** The processes with memory of their own in the image, in v13's order: each before its children, oldest first. */
export function taskOrder(processes: readonly ProcessSnapshot[]): ProcessSnapshot[] {
  const live = processes.filter((process) => process.exitStatus === null);
  const pids = new Set(live.map((process) => process.pid));
  const order: ProcessSnapshot[] = [];
  const placed = new Set<ProcessSnapshot>();
  const visit = (process: ProcessSnapshot) => {
    if (placed.has(process)) return;
    placed.add(process);
    order.push(process);
    for (const child of live) if (child.ppid === process.pid) visit(child);
  };
  for (const process of live) if (!pids.has(process.ppid) || process.ppid === process.pid) visit(process);
  for (const process of live) visit(process);
  return order;
}

/** The thread whose registers go into the task's CPU record. */
export const leaderOf = (process: ProcessSnapshot): ThreadSnapshot | undefined =>
  process.threads.find((thread) => thread.tid === process.pid) ?? process.threads[0];

const SIGCHLD = 17;

const LOW = 0xffff_ffffn;

function registerReasons(r: RegistersSnapshot, shape: Shape): string[] {
  const reasons: string[] = [];
  const wide = [...r.gpr, r.nia, r.ctr, r.lr].some((value) => value > LOW);
  if (shape.longSize === 4 && wide) reasons.push("registers with non-zero upper halves");
  const vectors = r.vsr.slice(32).some(([high, low]) => high !== 0n || low !== 0n);
  if (vectors) reasons.push("vector registers in use");
  if (shape.fpWidth === 1 && r.vsr.slice(0, 32).some(([, low]) => low !== 0n)) {
    reasons.push("VSX registers in use (an image with VSX width can hold those below 32)");
  }
  if (r.vrsave !== 0) reasons.push("VRSAVE is set");
  if (r.vscr !== 0 && r.vscr !== FRESH.vscr) reasons.push("VSCR is set");
  if (r.fpscr >> 32n !== 0n) reasons.push("a decimal rounding mode is set");
  if (r.tar !== 0n) reasons.push("the target address register is in use");
  return reasons;
}

function threadReasons(thread: ThreadSnapshot, shape: Shape): string[] {
  const reasons = registerReasons(thread.registers, shape);
  if (thread.signalMask !== 0n || thread.savedMask !== null) reasons.push("blocked signals");
  if (thread.pendingSignals.length > 0) reasons.push("pending signals");
  if (thread.altStack.size !== 0n) reasons.push("an alternate signal stack");
  if (thread.blocked !== null && thread.blocked.deadline !== null) reasons.push("a timed wait in progress");
  else if (thread.blocked !== null && thread.blocked.state.kind !== "begun")
    reasons.push("a system call half done");
  if (thread.stopped) reasons.push("stopped by a signal");
  if (thread.policy !== undefined) reasons.push("a memory policy");
  if (thread.affinity !== undefined) reasons.push("CPUs it is bound to");
  return reasons;
}

function areaReason(area: AreaSnapshot): string | undefined {
  const place = `${area.start.toString(16)}-${area.end.toString(16)}`;
  if (area.sharedObject !== null) return `shared mapping at ${place}`;
  if (BigInt(area.flags ?? 0) & ~ASKED_IN_V13) return `advice on the mapping at ${place}`;
  if (area.policy !== undefined) return `a memory policy of the mapping at ${place}`;
  return area.file?.unlinked === undefined
    ? undefined
    : `mapping at ${place} of a file that no name leads to (${area.file.path})`;
}

function describeFile(fd: number, file: OpenFileSnapshot): string {
  const what = file.deleted ? "deleted file" : file.kind === "inherited" ? "inherited stream" : file.kind;
  const article = /^[aeiou]/.test(what) ? "an" : "a";
  return `descriptor ${fd} is ${article} ${what}${file.path === "" ? "" : ` (${file.path})`}`;
}

function processReasons(snapshot: MachineSnapshot, process: ProcessSnapshot, shape: Shape): string[] {
  if (process.exitStatus !== null) return ["is a zombie"];
  const reasons: string[] = [];
  const signals = process.signalActions.flatMap(({ handler }, index) => (handler === 0n ? [] : [index + 1]));
  if (signals.length > 0) reasons.push(`handled or ignored signals: ${signals.join(", ")}`);
  if (process.pendingSignals.length > 0) reasons.push("pending signals");
  if (process.intervalTimers.some((timer) => timer.remaining !== 0n || timer.interval !== 0n)) {
    reasons.push("an interval timer is running");
  }
  if (process.posixTimers.length > 0) reasons.push("POSIX timers");
  if (process.prctl.pdeathsig !== 0) reasons.push("a parent death signal");
  if (process.prctl.noNewPrivs) reasons.push("no_new_privs");
  if (process.credentials.capabilities !== undefined) reasons.push("capabilities that its ids do not say");
  if (process.personality) reasons.push("a personality");
  if (process.threads.length > 1) reasons.push(`${process.threads.length} threads`);
  const { family } = process;
  if (family !== undefined) {
    const shares = Object.values(family.shares).some((owner) => owner !== 0);
    if (shares) reasons.push("shares memory, descriptors or signal actions with another process");
    if (family.exitSignal !== SIGCHLD) reasons.push(`its end sends signal ${family.exitSignal}`);
    if (family.report.stopped !== 0 || family.report.continued)
      reasons.push("a stop that has not been waited for");
  }
  const leader = leaderOf(process);
  if (leader !== undefined) {
    if (leader.tid !== process.pid) reasons.push("its first thread has ended");
    reasons.push(...threadReasons(leader, shape));
  }
  for (const area of process.memory.areas) {
    const reason = areaReason(area);
    if (reason !== undefined) reasons.push(reason);
  }
  for (const { fd, openFile } of process.descriptors) {
    const file = snapshot.openFiles[openFile];
    if (!expressible(file)) reasons.push(describeFile(fd, file));
    // A listing begun is read again; settings of a terminal are lost.
    else if (file.kind === "inherited" && file.state !== null)
      reasons.push(`descriptor ${fd} is a terminal with settings of its own`);
    if (file.signals !== undefined) reasons.push(`descriptor ${fd} has an owner that is told by signals`);
  }
  return reasons;
}

/** Every reason why a plain v13 image of this shape would not restart as what is stopped here. */
export function plainObstacles(snapshot: MachineSnapshot, shape: Shape): string[] {
  const several = snapshot.processes.length > 1;
  const reasons = snapshot.processes.flatMap((process) =>
    processReasons(snapshot, process, shape).map((reason) =>
      several ? `process ${process.pid}: ${reason}` : reason,
    ),
  );
  const live = snapshot.processes.filter((process) => process.exitStatus === null);
  const pids = new Set(live.map((process) => process.pid));
  if (live.filter((process) => !pids.has(process.ppid)).length > 1)
    reasons.push("the processes are not one tree");
  if (snapshot.filters !== undefined) reasons.push("threads that may not make all system calls (seccomp)");
  if (snapshot.traces !== undefined) reasons.push("processes that trace others");
  if (snapshot.locks !== undefined) reasons.push("file locks");
  if (snapshot.privateFiles !== undefined) reasons.push("files in a /tmp of the program's own");
  if (snapshot.network !== undefined && snapshot.network.nodes.length > 0)
    reasons.push("sockets or named pipes in granted folders");
  if (snapshot.queues !== undefined) reasons.push("message queues");
  if (snapshot.ipc !== undefined) reasons.push("System V objects");
  if (snapshot.firstUser !== undefined) reasons.push("a first user that none of the processes is any longer");
  if (snapshot.dscrDefault !== undefined) reasons.push("a default of the DSCR that was set");
  if (snapshot.compared !== undefined) reasons.push("an order that kcmp(2) has told");
  if (snapshot.setIds !== undefined) reasons.push("set-id bits that only the program sees");
  if (live.some(({ cwdRemoved }) => cwdRemoved)) reasons.push("a current directory that has been removed");
  return reasons;
}
