/** timerfd_create(2): timers that are read. */
import type { OpenFileSnapshot } from "../../snapshot.ts";
import type { Alarm } from "../alarms.ts";
import { CLOCK_REALTIME, CLOCK_REALTIME_ALARM } from "../clock.ts";
import type { FileMachine } from "../system.ts";
import { WaitQueue } from "../wait-queue.ts";
import { AnonymousFile } from "./anonymous-file.ts";
import { O_NONBLOCK } from "./constants.ts";
import type { OpenFile, Waitables } from "./open-file.ts";
import { fail } from "./synthetic.ts";
import { cannot, needState, type ThawContext } from "./thaw-context.ts";

/** Clocks of timers: times of CLOCK_REALTIME are absolute in that, all others count on CLOCK_MONOTONIC. */
const REALTIME_CLOCKS: readonly number[] = [CLOCK_REALTIME, CLOCK_REALTIME_ALARM];

export class TimerFile extends AnonymousFile implements Alarm {
  readonly clock: number;
  /** CLOCK_MONOTONIC time of the first expiry that has not been read; null while it is off. */
  private due: bigint | null = null;
  private interval = 0n;
  /** Those that are due at once come by it. */
  readonly rank: number;
  private readonly machine: FileMachine;
  private readonly littleEndian: boolean;
  private readonly queue = new WaitQueue();
  /** Counts settings and reads. */
  private generation = 0;

  constructor(options: {
    clock: number;
    flags: number;
    machine: FileMachine;
    littleEndian: boolean;
    rank: number;
  }) {
    super("timerfd", options);
    this.clock = options.clock;
    this.machine = options.machine;
    this.littleEndian = options.littleEndian;
    this.rank = options.rank;
  }

  override get hasWriting(): boolean {
    return false;
  }

  ring(): void {
    this.queue.wake();
  }

  private get now(): bigint {
    return this.machine.clock.monotonic();
  }
  /** Expiries that have not been read. */
  private get expiries(): bigint {
    const { due, interval, now } = this;
    if (due === null || due > now) return 0n;
    return interval === 0n ? 1n : 1n + (now - due) / interval;
  }

  /** Sets it to expire at `value` of its clock, or after that time; 0 turns it off. */
  set(value: bigint, interval: bigint, isAbsolute: boolean): void {
    const { clock } = this.machine;
    const isReal = isAbsolute && REALTIME_CLOCKS.includes(this.clock);
    const base = isReal ? clock.monotonic() - clock.realtime() : isAbsolute ? 0n : clock.monotonic();
    this.arm(value === 0n ? null : base + value, interval);
  }
  private arm(due: bigint | null, interval: bigint): void {
    this.due = due;
    this.interval = interval;
    this.generation++;
    this.machine.alarms.set(this, due);
  }

  /** What timerfd_gettime(2) says: time until the next expiry, 0 when it is off. */
  get setting(): { value: bigint; interval: bigint } {
    const { due, interval, now, expiries } = this;
    if (due === null) return { value: 0n, interval };
    const next = due + expiries * interval;
    return { value: next > now ? next - now : 0n, interval };
  }

  override read(into: Uint8Array): number | undefined {
    if (into.length < 8) fail("EINVAL");
    const { expiries, due, interval } = this;
    if (expiries === 0n) return undefined;
    new DataView(into.buffer, into.byteOffset).setBigUint64(0, expiries, this.littleEndian);
    this.arm(interval === 0n ? null : due! + expiries * interval, interval);
    return 8;
  }
  override readable(): boolean {
    return this.expiries > 0n;
  }
  override writable(): boolean {
    return false;
  }
  override get arrivals(): number {
    return this.generation * 2 + (this.expiries > 0n ? 1 : 0);
  }
  override waitables(): Waitables {
    return { queues: [this.queue] };
  }
  override close(): void {
    this.machine.alarms.set(this, null);
  }

  override get details(): string {
    const { clock, expiries, setting } = this;
    const time = (at: bigint) => `(${at / 1_000_000_000n}, ${at % 1_000_000_000n})`;
    return (
      `clockid: ${clock}\nticks: ${expiries}\nsettime flags: 00\n` +
      `it_value: ${time(setting.value)}\nit_interval: ${time(setting.interval)}\n`
    );
  }
  override freeze(): Partial<OpenFileSnapshot> {
    const { clock, due, interval } = this;
    return { state: { kind: "timerfd", clock, due, interval } };
  }
  resume(due: bigint | null, interval: bigint): void {
    this.arm(due, interval);
  }
}

/** Clocks that a timer can have: REALTIME, MONOTONIC, BOOTTIME, and those that would wake a sleeping computer. */
export const TIMER_CLOCKS: readonly number[] = [CLOCK_REALTIME, 1, 7, 8, 9];

export function thawTimer(snapshot: OpenFileSnapshot, { littleEndian, system }: ThawContext): OpenFile {
  const { clock, due, interval } = needState(snapshot, "timerfd");
  const machine = system.machine ?? cannot(snapshot, "there is no machine");
  if (!TIMER_CLOCKS.includes(clock)) cannot(snapshot, `there is no clock ${clock} for timers`);
  if (interval < 0n) cannot(snapshot, "its interval makes no sense");
  const flags = snapshot.flags & O_NONBLOCK;
  const file = new TimerFile({ clock, flags, machine, littleEndian, rank: Number(system.newInode()) });
  file.resume(due, interval);
  return file;
}
