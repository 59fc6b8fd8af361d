/** Whose timers have to be looked at, and when: of the many processes of a machine few have any, and fewer any that are due. */
import type { Clock } from "./clock.ts";
import { Deadlines } from "./deadlines.ts";
import type { Process } from "./process.ts";

export class DueTimers {
  /** When timers of real time are due, of the processes that have some. */
  private readonly timed = new Deadlines<Process>(({ pid }) => pid);
  /** Processes whose timers have to be looked at: set, or used CPU time, or lost signals that they waited for. */
  private readonly unsettled = new Set<Process>();

  /** Has a process looked at whose timers may be due. */
  note(process: Process): void {
    this.unsettled.add(process);
  }

  /** Timers of a process have been set or turned off. */
  changed(process: Process): void {
    this.note(process);
    this.schedule(process);
  }

  private schedule(process: Process): void {
    const at = process.timers.nextDeadline();
    if (at === undefined) this.timed.delete(process);
    else this.timed.set(process, at);
  }

  /** Whether nobody has to be looked at before `next`. */
  get isSettled(): boolean {
    return this.unsettled.size === 0;
  }

  /** CLOCK_MONOTONIC time at which the first one is due. */
  get next(): bigint | undefined {
    return this.timed.first?.at;
  }

  /** Has timers expire of those processes only where something may be due, in the order of their ids. */
  expire(clock: Clock): void {
    const now = this.timed.size > 0 ? clock.monotonic() : 0n;
    for (let { first } = this.timed; first !== undefined && first.at <= now; first = this.timed.first) {
      this.timed.delete(first.item);
      this.unsettled.add(first.item);
    }
    if (this.isSettled) return;
    // The order must not tell when each was set: after a thaw that isn't known.
    const processes = [...this.unsettled];
    if (processes.length > 1) processes.sort((a, b) => a.pid - b.pid);
    this.unsettled.clear();
    for (const process of processes) {
      process.timers.expire();
      this.schedule(process);
    }
  }
}
