/** Timing whole processes, in turn, so that a drifting machine slows all of them alike. */
import { spawnSync } from "node:child_process";

/** A command to time. */
export interface Subject {
  name: string;
  program: string;
  args: readonly string[];
}

/** The middle of some numbers. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Runs a command once and returns its wall-clock seconds. Throws when it fails in a way of its own. */
export function timeOnce({ name, program, args }: Subject, input?: Buffer): number {
  const start = process.hrtime.bigint();
  const { status, signal, error, stderr } = spawnSync(program, args, { input, maxBuffer: 2 ** 28 });
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  if (error !== undefined || signal !== null || (status ?? 125) >= 125) {
    throw new Error(`${name} failed (${error?.message ?? signal ?? status}): ${stderr}`);
  }
  return seconds;
}

/** Times the subjects in turn, `rounds` times after one round that does not count; seconds by subject. */
export function timeInTurn(subjects: readonly Subject[], rounds: number): number[][] {
  const seconds: number[][] = subjects.map(() => []);
  for (let round = -1; round < rounds; round++) {
    for (const [index, subject] of subjects.entries()) {
      const taken = timeOnce(subject);
      if (round >= 0) seconds[index].push(taken);
    }
  }
  return seconds;
}
