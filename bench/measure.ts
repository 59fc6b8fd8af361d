/** Timing whole processes, in turn, so that a drifting machine slows all of them alike. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** A command to time. */
export interface Subject {
  name: string;
  program: string;
  args: readonly string[];
  /** Variables besides those of this process. */
  env?: Readonly<Record<string, string>>;
}

/** The middle of some numbers. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** What a command took. */
export interface Taken {
  /** Seconds by the clock. */
  wall: number;
  /** Seconds of processor time, of all its threads: what a busy machine changes less. 0 where the host does not tell. */
  cpu: number;
}

/** Processor time of all children that have ended, in seconds: fields 16 and 17 of /proc/self/stat, in hundredths. */
function childrenTime(): number {
  try {
    const fields = readFileSync("/proc/self/stat", "utf8")
      .replace(/^.*\) /, "")
      .split(" ");
    return (Number(fields[13]) + Number(fields[14])) / 100;
  } catch {
    return 0;
  }
}

/** Runs a command once. Throws when it fails in a way of its own. */
export function take({ name, program, args, env }: Subject): Taken {
  const before = childrenTime();
  const start = process.hrtime.bigint();
  const { status, signal, error, stderr } = spawnSync(program, args, {
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "pipe"],
    maxBuffer: 2 ** 28,
  });
  const wall = Number(process.hrtime.bigint() - start) / 1e9;
  if (error !== undefined || signal !== null || (status ?? 125) >= 125) {
    throw new Error(`${name} failed (${error?.message ?? signal ?? status}): ${stderr}`);
  }
  return { wall, cpu: childrenTime() - before };
}

/** Times the subjects in turn, `rounds` times after one round that does not count; seconds by subject. */
export function timeInTurn(subjects: readonly Subject[], rounds: number): number[][] {
  const seconds: number[][] = subjects.map(() => []);
  for (let round = -1; round < rounds; round++) {
    for (const [index, subject] of subjects.entries()) {
      const { wall } = take(subject);
      if (round >= 0) seconds[index].push(wall);
    }
  }
  return seconds;
}
