/** RLIMIT_CPU (Linux: kernel/time/posix-cpu-timers.c, check_process_timers). */
import { NANOSECONDS } from "./clock.ts";
import { type Process, RLIM_INFINITY, RLIMIT_CPU } from "./process.ts";
import { signalInfo } from "./signals/pending.ts";
import { post } from "./signals/post.ts";
import { SI_KERNEL, SIGKILL, SIGXCPU } from "./signals/signal-numbers.ts";

/** CPU time in nanoseconds at which the limit makes itself felt next; undefined without one. */
export function cpuLimit({ limits }: Process): bigint | undefined {
  const { soft } = limits[RLIMIT_CPU];
  return soft === RLIM_INFINITY ? undefined : soft * NANOSECONDS;
}

/** Sends SIGXCPU at the soft limit, which goes up by a second each time, and SIGKILL at the hard one. */
export function enforceCpuLimit(process: Process): void {
  const due = cpuLimit(process);
  if (due === undefined || process.cpuTime < due || process.exitStatus !== null) return;
  const limit = process.limits[RLIMIT_CPU];
  const isOver = limit.hard !== RLIM_INFINITY && process.cpuTime >= limit.hard * NANOSECONDS;
  post(process, signalInfo(isOver ? SIGKILL : SIGXCPU, SI_KERNEL));
  if (!isOver) limit.soft += 1n;
}
