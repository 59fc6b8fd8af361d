/**
 * The guest's clocks. Without a seed they are the host's, the monotonic one counted on from where a frozen machine
 * left it. With a seed time is virtual: a nanosecond an instruction, plus what was skipped while everything waited.
 */
import type { HostClock } from "../host/host.ts";

/** The clocks by their numbers. */
export const CLOCK_REALTIME = 0;
export const CLOCK_MONOTONIC = 1;
export const CLOCK_PROCESS_CPUTIME_ID = 2;
export const CLOCK_THREAD_CPUTIME_ID = 3;
export const CLOCK_MONOTONIC_RAW = 4;
export const CLOCK_REALTIME_COARSE = 5;
export const CLOCK_MONOTONIC_COARSE = 6;
export const CLOCK_BOOTTIME = 7;
export const CLOCK_REALTIME_ALARM = 8;
export const CLOCK_BOOTTIME_ALARM = 9;
export const CLOCK_TAI = 11;

export const NANOSECONDS = 1_000_000_000n;
/** CLOCK_REALTIME at which virtual time begins: 2020-09-13 12:26:40 UTC. */
const EPOCH = 1_600_000_000n * NANOSECONDS;
/** Uptime at which a machine starts, so that no clock reads zero. */
const START = NANOSECONDS;

export interface Clock {
  /** True when time follows the instruction count. */
  readonly isVirtual: boolean;
  /** CLOCK_MONOTONIC and CLOCK_BOOTTIME, nanoseconds. */
  monotonic(): bigint;
  /** What that was, or is, when the host's monotonic clock said `host`; that of virtual time is the present one. */
  at(host: bigint): bigint;
  /** CLOCK_REALTIME, nanoseconds since the epoch. */
  realtime(): bigint;
  /** What `realtime` is ahead of `monotonic`, where both go on with the host's time and it is known. */
  difference(): bigint | undefined;
  /** Virtual clocks only: jumps to the monotonic time `to`, if that is ahead. */
  skipTo(to: bigint): void;
}

/** A clock that follows the host's. `monotonic` is where a thawed machine goes on from. */
export class RealClock implements Clock {
  readonly isVirtual = false;
  private readonly host: HostClock;
  private readonly offset: bigint;

  constructor(host: HostClock, monotonic?: bigint) {
    this.host = host;
    this.offset = monotonic === undefined ? 0n : monotonic - host.monotonic();
  }
  monotonic(): bigint {
    return this.at(this.host.monotonic());
  }
  at(host: bigint): bigint {
    return this.offset === 0n ? host : host + this.offset;
  }
  realtime(): bigint {
    return this.host.realtime();
  }
  difference(): bigint | undefined {
    const difference = this.host.difference?.();
    return difference === undefined ? undefined : difference - this.offset;
  }
  skipTo(): void {}
}

/** A clock that follows the number of instructions retired. */
export class VirtualClock implements Clock {
  readonly isVirtual = true;
  private readonly instructions: () => bigint;
  /** Monotonic time minus the instruction count. */
  private offset: bigint;
  /** Realtime minus monotonic time. */
  private readonly realtimeOffset: bigint;

  constructor(instructions: () => bigint, start = { monotonic: START, realtime: EPOCH }) {
    this.instructions = instructions;
    this.offset = start.monotonic - instructions();
    this.realtimeOffset = start.realtime - start.monotonic;
  }
  monotonic(): bigint {
    return this.instructions() + this.offset;
  }
  at(): bigint {
    return this.monotonic();
  }
  realtime(): bigint {
    return this.monotonic() + this.realtimeOffset;
  }
  difference(): undefined {}
  skipTo(to: bigint): void {
    const ahead = to - this.monotonic();
    if (ahead > 0n) this.offset += ahead;
  }
}
