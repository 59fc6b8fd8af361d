/** Things that want to be told when their time has come, and are not threads: timerfds. */
import type { Clock } from "./clock.ts";
import { Deadlines } from "./deadlines.ts";

export interface Alarm {
  /** Of alarms that are due at once the one with the lowest rank rings first. */
  readonly rank: number;
  ring(): void;
}

export class Alarms {
  private readonly deadlines = new Deadlines<Alarm>(({ rank }) => rank);

  /** Has an alarm ring at a CLOCK_MONOTONIC time; null: not any more. */
  set(alarm: Alarm, at: bigint | null): void {
    if (at === null) this.deadlines.delete(alarm);
    else this.deadlines.set(alarm, at);
  }

  /** CLOCK_MONOTONIC time at which the first one rings. */
  get next(): bigint | undefined {
    return this.deadlines.first?.at;
  }

  /** Rings those whose time has come. */
  expire(clock: Clock): void {
    for (let { first } = this.deadlines; first !== undefined; first = this.deadlines.first) {
      if (first.at > clock.monotonic()) return;
      this.deadlines.delete(first.item);
      first.item.ring();
    }
  }
}
