/** /proc/PID/sched, schedstat, syscall and timers: how a thread runs and what it waits for (Linux: kernel/sched/debug.c, fs/proc/base.c). */
import { isRealtime } from "../scheduling.ts";
import type { ProcProcess, ProcThread } from "./proc-view.ts";

/** Threads of a policy other than the real-time ones have niceness 0 here. */
const PRIORITY_NORMAL = 120;
const PRIORITY_REALTIME = 99;
/** Of niceness 0, to the kernel's own precision. */
const WEIGHT = 1_048_576;

const milliseconds = (nanoseconds: bigint): string =>
  `${nanoseconds / 1_000_000n}.${String(nanoseconds % 1_000_000n).padStart(6, "0")}`;

/** /proc/PID/sched. Switches from thread to thread are not counted. */
export function schedText(process: ProcProcess, thread: ProcThread | undefined): string {
  const { comm, cpuTime, scheduling } = thread ?? process;
  const { policy, nice, priority = 0 } = scheduling;
  const rank = isRealtime(policy) ? PRIORITY_REALTIME - priority : PRIORITY_NORMAL + nice;
  const rows: [string, string | number][] = [
    ["se.exec_start", milliseconds(process.now)],
    ["se.vruntime", milliseconds(cpuTime)],
    ["se.sum_exec_runtime", milliseconds(cpuTime)],
    ["se.nr_migrations", 0],
    ["nr_switches", 0],
    ["nr_voluntary_switches", 0],
    ["nr_involuntary_switches", 0],
    ["se.load.weight", WEIGHT],
    ["policy", policy],
    ["prio", rank],
  ];
  const title = `${comm} (${thread?.tid ?? process.pid}, #threads: ${process.threads.length})`;
  const line = ([name, value]: (typeof rows)[number]) => `${name.padEnd(45)}:${String(value).padStart(21)}\n`;
  return `${title}\n${"-".repeat(67)}\n${rows.map(line).join("")}`;
}

/** /proc/PID/schedstat: time on a processor; time in wait for one and turns are not counted. */
export const schedstatText = (process: ProcProcess, thread: ProcThread | undefined): string =>
  `${(thread ?? process).cpuTime} 0 0\n`;

/** /proc/PID/syscall: the call that a thread makes or waits in, its arguments, stack pointer and next instruction. */
export function syscallText(process: ProcProcess, thread: ProcThread | undefined): string {
  const call = (thread ?? process.threads.at(0))?.call();
  if (call === undefined) return "running\n";
  const words = [...call.words, call.stack, call.next].map((word) => `0x${word.toString(16)}`);
  return `${call.number} ${words.join(" ")}\n`;
}

const NOTICES = ["signal", "none", "thread"];
const SIGEV_THREAD_ID = 4;

/** /proc/PID/timers: those of timer_create(2). */
export const timersText = ({ timers, pid }: ProcProcess): string =>
  timers()
    .map(({ id, signal, value, notify, tid, clock }) => {
      const isThreads = (notify & SIGEV_THREAD_ID) !== 0;
      const who = isThreads ? `tid.${tid}` : `pid.${pid}`;
      const pointer = value.toString(16).padStart(16, "0");
      return `ID: ${id}\nsignal: ${signal}/${pointer}\nnotify: ${NOTICES[notify & 3]}/${who}\nClockID: ${clock}\n`;
    })
    .join("");
