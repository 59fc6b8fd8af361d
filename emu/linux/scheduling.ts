/** How a thread is to be scheduled: kept and told, and without effect. */
import type { SchedulingSnapshot } from "../snapshot.ts";

export type Scheduling = SchedulingSnapshot;

export const SCHED_NORMAL = 0;
export const SCHED_FIFO = 1;
export const SCHED_RR = 2;

/** Nanoseconds. */
export const TIMER_SLACK = 50_000n;

/** That of a thread which has set nothing. */
export const ordinaryScheduling = (): Scheduling => ({
  nice: 0,
  policy: SCHED_NORMAL,
  timerSlack: TIMER_SLACK,
});

export const isRealtime = (policy: number): boolean => policy === SCHED_FIFO || policy === SCHED_RR;

/** That of a child: its maker's, or where that says so an ordinary one (Linux: sched_fork). */
export function inheritedScheduling({ resetOnFork, ...from }: Scheduling): Scheduling {
  if (!resetOnFork) return { ...from };
  const { priority: _, ...rest } = from;
  if (isRealtime(from.policy)) return { ...rest, policy: SCHED_NORMAL, nice: 0 };
  return { ...rest, nice: Math.max(0, from.nice) };
}

/** Of a snapshot's attributes, or of a thread in it. */
export const schedulingFrom = ({
  nice,
  policy,
  priority,
  timerSlack,
  ioPriority,
  resetOnFork,
}: Scheduling): Scheduling => ({
  nice,
  policy,
  timerSlack,
  ...(priority === undefined ? {} : { priority }),
  ...(ioPriority === undefined ? {} : { ioPriority }),
  ...(resetOnFork ? { resetOnFork } : {}),
});

export const isScheduledAlike = (one: Scheduling, other: Scheduling): boolean =>
  one.nice === other.nice &&
  one.policy === other.policy &&
  one.timerSlack === other.timerSlack &&
  (one.priority ?? 0) === (other.priority ?? 0) &&
  (one.ioPriority ?? 0) === (other.ioPriority ?? 0) &&
  (one.resetOnFork ?? false) === (other.resetOnFork ?? false);
