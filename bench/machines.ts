/**
 * Whether the interpreter's speed holds with several machines in one process: the kernels on one machine, with two and eight alive that
 * run in turn, and after execve. `node dist/bench/machines.js [--rounds N] [--kernels NAME,…] [--abis ppc32,ppc64]` prints a table of it,
 * row by row.
 *
 * Each figure comes from a process of its own, since what V8 has learnt of one machine is what matters here. Speeds are by CPU time, so that
 * other work on the host shows less.
 */
import { execFileSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { nodeHost } from "../emu/host/node/index.ts";
import { defaultMounts, Machine } from "../emu/machine.ts";
import { type BenchAbi, COMPILERS, compile, isThere } from "./builds.ts";
import { median } from "./measure.ts";
import { figure } from "./table.ts";

const here = fileURLToPath(import.meta.url);
const root = fileURLToPath(new URL("../../", import.meta.url));

const KERNELS = ["sieve", "sort", "sha256", "recursion", "products"];

/** How many machines there are, and how often each has executed a program before the kernel. */
const SETTINGS = [
  { name: "one", machines: 1, execs: 0 },
  { name: "two", machines: 2, execs: 0 },
  { name: "eight", machines: 8, execs: 0 },
  { name: "after 3 execve", machines: 1, execs: 3 },
];

/** How often the kernel's work is done, by all machines together: so much that the starts of eight programs don't count. */
const WORK = 40;
/** Instructions that a machine runs before it is the next one's turn. */
const TURN = 5_000_000n;

/** Million instructions a second of CPU time of `count` machines that run a kernel in turn. */
async function speed(binary: string, kernel: string, count: number, execs: number): Promise<number> {
  const cwd = dirname(binary);
  const machines = Array.from({ length: count }, () =>
    Machine.load({
      host: nodeHost(),
      mounts: defaultMounts({ program: binary, cwd }),
      program: binary,
      argv: [binary, kernel, String(WORK / count), String(execs)],
      env: [],
      cwd,
      seed: 1n,
      engine: "interp",
    }),
  );
  let instructions = 0n;
  const start = process.cpuUsage();
  for (const running = new Set(machines); running.size > 0; ) {
    for (const machine of running) {
      const before = machine.instructions;
      const stop = await machine.run(before + TURN);
      instructions += machine.instructions - before;
      if (stop.reason !== "limit") running.delete(machine);
    }
  }
  const { user, system } = process.cpuUsage(start);
  return Number(instructions) / (user + system);
}

/** The same in a process of its own. */
const speedApart = (...args: string[]): number =>
  Number(
    execFileSync(process.execPath, [here, "--measure", ...args], { encoding: "utf8" }).match(/MIPS (.*)/)![1],
  );

const HEADER = ["kernel", "ABI", ...SETTINGS.map(({ name }) => `MIPS, ${name}`)];
const WIDTH = Math.max(...HEADER.map((cell) => cell.length));

function show(row: readonly string[]): void {
  process.stdout.write(`| ${row.map((cell) => cell.padStart(WIDTH)).join(" | ")} |\n`);
}

/** Of the words that a list names, all of which must be `known`; without a list all that are. */
function chosen(option: string, known: readonly string[], list = known.join()): string[] {
  const names = list.split(",");
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`${option}: ${unknown.join(", ")}: want ${known.join(", ")}`);
  return names;
}

/** Shows each row when it has been measured: all of them take minutes. */
function report(rounds: number, kernels: readonly string[], abis: readonly BenchAbi[]): void {
  show(HEADER);
  show(HEADER.map(() => ":".padStart(WIDTH, "-")));
  for (const abi of abis.filter((abi) => isThere(COMPILERS[abi]))) {
    const binary = compile(root, abi, join("bench", "kernels.c"));
    for (const kernel of kernels) {
      const speeds = SETTINGS.map((): number[] => []);
      for (let round = 0; round < rounds; round++) {
        for (const [i, { machines, execs }] of SETTINGS.entries()) {
          speeds[i].push(speedApart(binary, kernel, String(machines), String(execs)));
        }
      }
      const [alone, ...others] = speeds.map(median);
      show([
        kernel,
        abi,
        figure(alone),
        ...others.map((value) => `${figure(value)} (${figure((100 * value) / alone)} %)`),
      ]);
    }
  }
}

if (process.argv[2] === "--measure") {
  const [binary, kernel, count, execs] = process.argv.slice(3);
  process.stdout.write(`\nMIPS ${await speed(binary, kernel, Number(count), Number(execs))}\n`);
} else {
  const { values } = parseArgs({
    options: { rounds: { type: "string" }, kernels: { type: "string" }, abis: { type: "string" } },
  });
  const abis = chosen("--abis", ["ppc32", "ppc64"], values.abis) as BenchAbi[];
  report(Number(values.rounds ?? 3), chosen("--kernels", KERNELS, values.kernels), abis);
}
