/** What one program takes on ppcr, cold and warm, beside the interpreter alone, qemu-user, and the same source on this machine. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type BenchAbi, isThere, QEMU } from "./builds.ts";
import { median, type Subject, type Taken, take } from "./measure.ts";
import type { BenchProgram, Kind } from "./programs.ts";

export interface ProgramResult {
  name: string;
  kind: Kind;
  abi: BenchAbi;
  /** Million instructions of the guest in one run. */
  instructions: number;
  /** Whole processes: with nothing kept from before, and with what the first run kept. */
  cold: Taken;
  warm: Taken;
  qemu: Taken | null;
  native: Taken | null;
  /** Million instructions a second, without start-up: the second half of a run of twice the length; the interpreter alone. */
  steady: number | null;
  interp: number;
}

/** Seconds that the second half has to take for its speed to be told. */
const SHORTEST = 0.1;
/** How much less the interpreter is given to do. */
const INTERPRETED = 1 / 8;

const medianTaken = (taken: readonly Taken[]): Taken => ({
  wall: median(taken.map(({ wall }) => wall)),
  cpu: median(taken.map(({ cpu }) => cpu)),
});

/** Runs a program `rounds` times in each way, in turn, so that a drifting machine slows all of them alike. */
export function runProgram(
  cli: string,
  program: BenchProgram,
  abi: BenchAbi,
  work: number,
  rounds: number,
): ProgramResult | undefined {
  const path = program.paths.get(abi);
  if (path === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "ppcr-bench-"));
  const stats = join(folder, "stats.json");
  const cache = join(folder, "cache");
  const ppcr = (engine: string, work: number) => {
    const args = program.args(work);
    const folders = args
      .filter((arg) => arg.startsWith("/"))
      .flatMap((file) => ["--dir", `${dirname(file)}:ro`]);
    const flags = ["--engine", engine, "--jit-cache", cache, `--stats=${stats}`, ...folders];
    const taken = take({
      name: `ppcr ${program.name}`,
      program: process.execPath,
      args: [cli, "run", ...flags, "--", path, ...args],
    });
    const report = JSON.parse(readFileSync(stats, "utf8")) as {
      instructions: number;
      seconds: number;
      mips: number;
    };
    return { taken, ...report };
  };
  const native = program.paths.get("native");
  const times = { cold: [] as Taken[], warm: [] as Taken[], qemu: [] as Taken[], native: [] as Taken[] };
  const speeds = { steady: [] as number[], interp: [] as number[] };
  let instructions = 0;
  try {
    for (let round = 0; round < rounds; round++) {
      rmSync(cache, { recursive: true, force: true });
      times.cold.push(ppcr("jit", work).taken);
      tryTake(times.qemu, { name: QEMU[abi], program: QEMU[abi], args: [path, ...program.args(work)] });
      const warm = ppcr("jit", work);
      times.warm.push(warm.taken);
      instructions = warm.instructions / 1e6;
      if (native !== undefined)
        tryTake(times.native, { name: "native", program: native, args: program.args(work) });
      if (program.kind !== "short") {
        const longer = ppcr("jit", 2 * work);
        const more = (longer.instructions - warm.instructions) / 1e6;
        const seconds = longer.seconds - warm.seconds;
        if (more > instructions / 4 && seconds > SHORTEST) speeds.steady.push(more / seconds);
      }
      speeds.interp.push(ppcr("interp", work * INTERPRETED).mips);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return {
    name: program.name,
    kind: program.kind,
    abi,
    instructions,
    cold: medianTaken(times.cold),
    warm: medianTaken(times.warm),
    qemu: times.qemu.length > 0 ? medianTaken(times.qemu) : null,
    native: times.native.length > 0 ? medianTaken(times.native) : null,
    steady: speeds.steady.length > 0 ? median(speeds.steady) : null,
    interp: median(speeds.interp),
  };
}

/** Takes a time where the command is there and does its work: qemu-ppc does not know what glibc's libm uses. */
function tryTake(into: Taken[], subject: Subject): void {
  if (!subject.program.includes("/") && !isThere(subject.program)) return;
  try {
    into.push(take(subject));
  } catch {
    // Left out of the table.
  }
}
