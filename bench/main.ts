/**
 * `npm run bench [-- --rounds N] [--quick]`: speed of both engines on the kernels beside qemu-user, start-up, freeze and thaw, and
 * single pieces. Prints tables and writes them with a chart to bench/results/.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { barChart } from "./chart.ts";
import { measureFreeze } from "./freeze.ts";
import {
  type BenchAbi,
  COMPILERS,
  compile,
  FLOAT_KERNELS,
  INTEGER_KERNELS,
  isThere,
  type KernelResult,
  runKernel,
} from "./kernels.ts";
import { median, timeInTurn } from "./measure.ts";
import { benchPieces } from "./pieces.ts";
import { figure, table } from "./table.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const cli = join(root, "dist", "bin", "ppcr.cjs");
const quick = process.argv.includes("--quick");
const at = process.argv.indexOf("--rounds");
const rounds = at > 0 ? Number(process.argv[at + 1]) : quick ? 1 : 5;
const report: string[] = [];

function show(text: string): void {
  report.push(text);
  process.stdout.write(`${text}\n\n`);
}

function kernels(): KernelResult[] {
  const results: KernelResult[] = [];
  for (const abi of ["ppc32", "ppc64"] as BenchAbi[]) {
    if (!isThere(COMPILERS[abi])) {
      show(`${COMPILERS[abi]} is not installed: no kernels for ${abi}.`);
      continue;
    }
    const binary = compile(root, abi, "bench/kernels.c");
    for (const kernel of [...INTEGER_KERNELS, ...FLOAT_KERNELS]) {
      if (process.stderr.isTTY) process.stderr.write(`\r${abi} ${kernel}\x1b[K`);
      results.push(runKernel(cli, binary, abi, kernel, rounds));
    }
    if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  }
  return results;
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

show(
  `ppcr benchmarks: ${cpus()[0]?.model ?? "unknown CPU"}, Node ${process.versions.node}, ${rounds} rounds, medians.`,
);
show(await benchPieces(quick ? 50 : 300));
show(startUp());
if (isThere(COMPILERS.ppc64)) {
  const freeze = await measureFreeze(compile(root, "ppc64", "guest-bins/src/resident.c"), rounds);
  const row = (name: string, seconds: number, plain: number) => [
    name,
    figure(seconds * 1000),
    figure(plain * 1000),
    figure(seconds / plain),
  ];
  show(
    table(
      [`image of ${figure(freeze.imageBytes / 2 ** 20)} MiB`, "ms", "plain file ms", "ratio"],
      [
        row("freeze, fsync included", freeze.freeze, freeze.plainWrite),
        row("thaw", freeze.thaw, freeze.plainRead),
      ],
    ),
  );
}
const results = kernels();
if (results.length > 0) {
  show(
    table(
      ["kernel", "ABI", "M instr.", "MIPS interp", "MIPS jit", "ppcr s", "qemu s", "qemu / ppcr"],
      results.map((r) => [
        r.kernel,
        r.abi,
        figure(r.instructions),
        figure(r.interp),
        figure(r.jit),
        figure(r.ppcr),
        r.qemu === null ? "-" : figure(r.qemu),
        r.qemu === null ? "-" : figure(r.qemu / r.ppcr),
      ]),
    ),
  );
  const names = [...INTEGER_KERNELS, ...FLOAT_KERNELS];
  const of = (abi: BenchAbi, engine: "interp" | "jit") =>
    names.map((name) => {
      const mips = results.find((r) => r.kernel === name && r.abi === abi)?.[engine];
      return mips === undefined ? null : Number(figure(mips));
    });
  const svg = barChart(
    "Speed by engine",
    "million instructions a second",
    names,
    (["ppc32", "ppc64"] as BenchAbi[]).flatMap((abi) =>
      (["interp", "jit"] as const).map((engine) => ({ name: `${abi} ${engine}`, values: of(abi, engine) })),
    ),
  );
  const folder = join(root, "bench", "results");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "engines.svg"), svg);
  writeFileSync(join(folder, "report.md"), `${report.join("\n\n")}\n`);
  process.stdout.write("Written: bench/results/report.md and bench/results/engines.svg\n");
}
