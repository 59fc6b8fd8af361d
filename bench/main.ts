/**
 * `npm run bench [-- --rounds N] [--work F] [--only NAME,…] [--quick] [--record]`: whole programs and kernels beside qemu-user, start-up, freeze and
 * thaw, and single pieces. Prints tables and writes them with a chart and JSON to bench/results/, or with --record to bench/recorded/.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildFolder, COMPILERS, compile, isThere } from "./builds.ts";
import { measureFreeze } from "./freeze.ts";
import { median, timeInTurn } from "./measure.ts";
import { benchPieces } from "./pieces.ts";
import { benchPrograms } from "./programs.ts";
import { machine, meansTable, programChart, programTable } from "./report.ts";
import { type ProgramResult, runProgram } from "./runs.ts";
import { figure, table } from "./table.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const cli = join(root, "dist", "bin", "ppcr.cjs");
const flag = (name: string): boolean => process.argv.includes(name);
const value = (name: string): string | undefined =>
  flag(name) ? process.argv[process.argv.indexOf(name) + 1] : undefined;
const quick = flag("--quick");
const rounds = Number(value("--rounds") ?? (quick ? 1 : 3));
const work = Number(value("--work") ?? (quick ? 0.25 : 1));
const only = value("--only")?.split(",");
const folder = join(root, "bench", flag("--record") ? "recorded" : "results");
const report: string[] = [];

function show(text: string): void {
  report.push(text);
  process.stdout.write(`${text}\n\n`);
}

/** Everything that `--only` names (default all), on both ABIs. */
function* programs(): Generator<ProgramResult> {
  const isWanted = (name: string) => only === undefined || only.includes(name);
  for (const program of benchPrograms(root, join(buildFolder(root), "programs"), isWanted, show)) {
    for (const abi of ["ppc32", "ppc64"] as const) {
      if (process.stderr.isTTY) process.stderr.write(`\r${abi} ${program.name}\x1b[K`);
      const result = runProgram(cli, program, abi, work, rounds);
      if (result !== undefined) yield result;
    }
  }
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
}

function startUp(): string {
  const hello = join(root, "guest-bins", "built", "progress-ppc64");
  const subjects = [
    { name: "node -e 0", program: process.execPath, args: ["-e", "0"] },
    {
      name: "ppcr run, static glibc program",
      program: process.execPath,
      args: [cli, "run", "--", hello, "0"],
    },
    ...(isThere("qemu-ppc64")
      ? [{ name: "qemu-ppc64, the same", program: "qemu-ppc64", args: [hello, "0"] }]
      : []),
  ];
  const seconds = timeInTurn(subjects, 2 * rounds + 1);
  const base = median(seconds[0]);
  return table(
    ["start-up", "median ms", "times node -e 0"],
    subjects.map(({ name }, i) => [
      name,
      figure(median(seconds[i]) * 1000),
      figure(median(seconds[i]) / base),
    ]),
  );
}

show(`Benchmarks of ppcr:\n${machine(rounds)}.`);
if (only === undefined) {
  show(await benchPieces(quick ? 50 : 300));
  show(startUp());
  if (isThere(COMPILERS.ppc64)) {
    const resident = compile(root, "ppc64", "guest-bins/src/resident.c");
    const rows: string[][] = [];
    const row = (name: string, seconds: number, plain: number) =>
      rows.push([name, figure(seconds * 1000), figure(plain * 1000), figure(seconds / plain)]);
    for (const mebibytes of [1, 16, 64, 256]) {
      const { freeze, plainWrite, thaw, plainRead } = await measureFreeze(resident, mebibytes, rounds);
      row(`freeze ${mebibytes} MiB, fsync included`, freeze, plainWrite);
      row(`thaw ${mebibytes} MiB`, thaw, plainRead);
    }
    show(table(["resident memory", "ms", "plain file ms", "ratio"], rows));
  }
}
const results: ProgramResult[] = [];
// Written after each program: what has been measured is not lost with what follows.
for (const result of programs()) {
  results.push(result);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "programs.svg"), programChart(results));
  const tables = [programTable(results), meansTable(results)];
  writeFileSync(join(folder, "report.md"), `${[...report, ...tables].join("\n\n")}\n`);
  const json = { schema_version: 1, machine: machine(rounds), programs: results };
  writeFileSync(join(folder, "report.json"), `${JSON.stringify(json, null, 1)}\n`);
}
if (results.length > 0) {
  show(programTable(results));
  show(meansTable(results));
  process.stdout.write(`Written: report.md, report.json and programs.svg in ${folder}\n`);
}
