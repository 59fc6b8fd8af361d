/** The time of day with nanoseconds: Node tells milliseconds of it, and nanoseconds of a clock whose zero is anywhere. */

/** What the two may differ by before the time of day counts as set anew, in milliseconds. */
const MOST_DRIFT = 5;

/** What may pass between two looks at clocks that tell how they differ, in nanoseconds, and how often to look for that. */
const AT_ONCE = 20_000n;
const TRIES = 10;

/** Nanoseconds from process.hrtime's zero to the epoch. */
let offset: bigint | undefined;

/** How far `clock` is ahead of process.hrtime. A process that is held up between the two looks again. */
function aheadBy(clock: () => bigint): bigint {
  for (let tries = 1; ; tries++) {
    const before = process.hrtime.bigint();
    const difference = clock() - before;
    if (tries === TRIES || process.hrtime.bigint() - before < AT_ONCE) return difference;
  }
}

/**
 * The time of day by the clock of `performance`, which begins at a microsecond of it. Date.now() alone is up to a millisecond behind, and what
 * has just been written would be of the future.
 */
const byPerformance = (): bigint =>
  BigInt(Math.ceil((performance.timeOrigin + performance.now()) * 1000)) * 1000n;

const byDate = (): bigint => BigInt(Date.now()) * 1_000_000n;

/** Nanoseconds since the epoch. The first call takes half a millisecond, for `performance`. */
export function realtime(): bigint {
  offset ??= aheadBy(byPerformance);
  const fine = process.hrtime.bigint() + offset;
  // BigInts cost V8 a call each.
  if (Math.abs(Number(fine) / 1e6 - Date.now()) <= MOST_DRIFT) return fine;
  // The host's clock may be set while we run: it is counted from there. Or this process was held up.
  const now = aheadBy(byDate);
  if (Math.abs(Number(now - offset)) > MOST_DRIFT * 1e6) offset = now;
  return process.hrtime.bigint() + offset;
}

/** How far that is ahead of process.hrtime, until the clock is set. */
export function difference(): bigint {
  realtime();
  return offset!;
}
