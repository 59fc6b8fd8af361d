/**
 * What the kernel's work costs beside qemu-user: `node dist/bench/system.js [--rounds N]` prints a table. The programs time themselves, so that
 * starting does not count.
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BenchAbi, COMPILERS, compile, isThere, QEMU } from "./builds.ts";
import { median } from "./measure.ts";
import { figure, table } from "./table.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const cli = join(root, "dist", "bin", "ppcr.cjs");

/** The cases of system.c, and how often each is done. */
const CASES = [
  { name: "calls", count: 500_000, unit: "system calls" },
  { name: "pipe", count: 2000, unit: "MB through a pipe" },
  { name: "passes", count: 20_000, unit: "switches of processes, by pipes" },
  { name: "switches", count: 20_000, unit: "switches of threads, by a futex" },
  { name: "stats", count: 100_000, unit: "stat of a file" },
  { name: "opens", count: 50_000, unit: "open, read and close of a file" },
  { name: "signals", count: 200_000, unit: "signals sent and handled" },
  { name: "forks", count: 100, unit: "fork and wait" },
  { name: "execs", count: 30, unit: "fork, exec and wait" },
];

/** What a case does in a second. `others` are the words of a program for it to execute. */
function rate(program: string, args: readonly string[], others: readonly string[]): number {
  const text = execFileSync(program, [...args, ...others], { encoding: "utf8" });
  const value = Number(text);
  if (!(value > 0)) throw new Error(`${program} ${args.join(" ")} printed ${JSON.stringify(text)}`);
  return value;
}

function rows(abi: BenchAbi, rounds: number): string[][] {
  const binary = compile(root, abi, join("bench", "system.c"));
  const hasQemu = isThere(QEMU[abi]);
  return CASES.map(({ name, count, unit }) => {
    const ours: number[] = [];
    const qemus: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const args = [name, String(count)];
      ours.push(rate(process.execPath, [cli, "run", "--", binary, ...args], []));
      // The host can't execute a guest's program by itself.
      const others = name === "execs" ? [QEMU[abi], binary, "calls", "0"] : [];
      if (hasQemu) qemus.push(rate(QEMU[abi], [binary, ...args], others));
    }
    const [own, qemu] = [median(ours), hasQemu ? median(qemus) : undefined];
    return [
      unit,
      abi,
      figure(own),
      qemu === undefined ? "-" : figure(qemu),
      qemu === undefined ? "-" : figure(qemu / own),
    ];
  });
}

const at = process.argv.indexOf("--rounds");
const rounds = at < 0 ? 3 : Number(process.argv[at + 1]);
const abis = (["ppc32", "ppc64"] as const).filter((abi) => isThere(COMPILERS[abi]));
process.stdout.write(
  `${table(
    ["a second", "ABI", "ppcr", "qemu-user", "qemu-user to ppcr"],
    abis.flatMap((abi) => rows(abi, rounds)),
  )}\n`,
);
