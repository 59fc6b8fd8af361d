/** What is counted of a process besides its CPU time, for getrusage(2) and /proc/PID/io. */
import type { UsageSnapshot } from "../snapshot.ts";

/** As its snapshot says, in numbers. */
export type Usage = { -readonly [Name in keyof UsageSnapshot]: number };
export const NO_USAGE: Usage = {
  faults: 0,
  childFaults: 0,
  readBytes: 0,
  writtenBytes: 0,
  reads: 0,
  writes: 0,
};

/** What has been counted, if anything has. */
export const freezeUsage = (usage: Usage): { usage?: UsageSnapshot } =>
  Object.values(usage).every((count) => count === 0)
    ? {}
    : { usage: converted(usage, (count) => BigInt.asUintN(64, BigInt(count))) };

/** The same again. */
export const thawUsage = (usage: UsageSnapshot): Usage => converted(usage, Number);

const converted = <From, To>(counts: Readonly<Record<keyof Usage, From>>, convert: (count: From) => To) =>
  Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, convert(count)])) as Record<
    keyof Usage,
    To
  >;
