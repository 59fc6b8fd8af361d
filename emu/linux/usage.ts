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
export function freezeUsage({ faults, childFaults, readBytes, writtenBytes, reads, writes }: Usage): {
  usage?: UsageSnapshot;
} {
  const values = [faults, childFaults, readBytes, writtenBytes, reads, writes];
  if (values.every((value) => value === 0)) return {};
  const [a, b, c, d, e, f] = values.map(BigInt);
  return { usage: { faults: a, childFaults: b, readBytes: c, writtenBytes: d, reads: e, writes: f } };
}

/** The same again. */
export const thawUsage = ({
  faults,
  childFaults,
  readBytes,
  writtenBytes,
  reads,
  writes,
}: UsageSnapshot): Usage => ({
  faults: Number(faults),
  childFaults: Number(childFaults),
  readBytes: Number(readBytes),
  writtenBytes: Number(writtenBytes),
  reads: Number(reads),
  writes: Number(writes),
});
