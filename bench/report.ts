/** The report of `npm run bench`: a table of programs, their means, a chart, and everything as JSON. */
import { cpus, totalmem } from "node:os";
import { barChart } from "./chart.ts";
import type { Kind } from "./programs.ts";
import type { ProgramResult } from "./runs.ts";
import { figure, table } from "./table.ts";

/** What the figures were measured on. */
export function machine(rounds: number): string {
  const all = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${all.length} × ${all[0]?.model ?? "unknown CPU"}, ${memory} GiB, Node ${process.versions.node} (V8 ${process.versions.v8}), ${rounds} rounds, medians`;
}

const ratio = (of: number | undefined, to: number): string => (of === undefined ? "-" : figure(of / to));
const speed = ({ instructions }: ProgramResult, seconds: number | undefined): string =>
  seconds === undefined ? "-" : figure(instructions / seconds);

/** A row a program: seconds by the clock, and how many times faster than qemu-user ppcr is. */
export function programTable(results: readonly ProgramResult[]): string {
  return table(
    [
      ...["program", "ABI", "M instr.", "qemu s", "cold s", "warm s", "native s"],
      ...["qemu / cold", "qemu / warm", "by CPU time", "MIPS qemu", "MIPS steady", "MIPS interp"],
    ],
    results.map((r) => [
      r.name,
      r.abi,
      figure(r.instructions),
      r.qemu === null ? "-" : figure(r.qemu.wall),
      figure(r.cold.wall),
      figure(r.warm.wall),
      r.native === null ? "-" : figure(r.native.wall),
      ratio(r.qemu?.wall, r.cold.wall),
      ratio(r.qemu?.wall, r.warm.wall),
      ratio(r.qemu?.cpu, r.warm.cpu),
      speed(r, r.qemu?.wall),
      r.steady === null ? "-" : figure(r.steady),
      figure(r.interp),
    ]),
  );
}

const KINDS: readonly Kind[] = ["integer", "float", "vector", "real", "short"];

function geometricMean(values: readonly number[]): string {
  if (values.length === 0) return "-";
  return figure(Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length));
}

/** Geometric means of the ratios to qemu-user by kind. */
export function meansTable(results: readonly ProgramResult[]): string {
  return table(
    ["kind", "programs", "qemu / cold", "qemu / warm", "steady / qemu"],
    KINDS.map((kind) => {
      const all = results.filter((r) => r.kind === kind && r.qemu !== null);
      return [
        kind,
        String(all.length),
        geometricMean(all.map((r) => r.qemu!.wall / r.cold.wall)),
        geometricMean(all.map((r) => r.qemu!.wall / r.warm.wall)),
        geometricMean(
          all.filter((r) => r.steady !== null).map((r) => r.steady! / (r.instructions / r.qemu!.wall)),
        ),
      ];
    }),
  );
}

/** Bars of how many times faster than qemu-user whole runs are. */
export function programChart(results: readonly ProgramResult[]): string {
  const names = [...new Set(results.map(({ name }) => name))];
  const of = (abi: string, which: "cold" | "warm") =>
    names.map((name) => {
      const r = results.find((each) => each.name === name && each.abi === abi);
      return r === undefined || r.qemu === null ? null : Number((r.qemu.wall / r[which].wall).toFixed(2));
    });
  return barChart(
    "Whole runs beside qemu-user",
    "qemu's time / ppcr's",
    names,
    ["ppc32", "ppc64"].flatMap((abi) =>
      (["cold", "warm"] as const).map((which) => ({ name: `${abi} ${which}`, values: of(abi, which) })),
    ),
  );
}
