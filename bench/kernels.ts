/** The kernels of kernels.c, built for each ABI, and what they take on ppcr and on qemu-user. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { median, type Subject, timeOnce } from "./measure.ts";

export const INTEGER_KERNELS = [
  "crc32",
  "sieve",
  "sort",
  "sha256",
  "recursion",
  "matrix",
  "collatz",
  "division",
  "strings",
  "lists",
];
export const FLOAT_KERNELS = ["products", "bodies"];

export type BenchAbi = "ppc32" | "ppc64";
export const COMPILERS: Record<BenchAbi, string> = {
  ppc32: "powerpc-linux-gnu-gcc",
  ppc64: "powerpc64-linux-gnu-gcc",
};
export const QEMU: Record<BenchAbi, string> = { ppc32: "qemu-ppc", ppc64: "qemu-ppc64" };

/** Whether a program can be started at all. */
export function isThere(program: string): boolean {
  try {
    execFileSync(program, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Compiles a C file, named from the root, statically at -O2, unless that is done and newer; returns the program's path. */
export function compile(root: string, abi: BenchAbi, file: string): string {
  const source = join(root, file);
  const folder = join(root, "node_modules", ".cache", "ppcr-bench");
  const output = join(folder, `${basename(file, ".c")}-${abi}`);
  mkdirSync(folder, { recursive: true });
  const built = statSync(output, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (built < statSync(source).mtimeMs) {
    execFileSync(COMPILERS[abi], ["-O2", "-w", "-static", "-o", output, source, "-lm"]);
  }
  return output;
}

export interface KernelResult {
  kernel: string;
  abi: BenchAbi;
  /** Million instructions of the guest in one run. */
  instructions: number;
  /** Million instructions a second, start-up not counted: of the interpreter, and with the translator. */
  interp: number;
  jit: number;
  /** Median seconds of the whole process, with the translator. */
  ppcr: number;
  qemu: number | null;
}

/** Runs one kernel `rounds` times on each engine and emulator, in turn. */
export function runKernel(
  cli: string,
  binary: string,
  abi: BenchAbi,
  kernel: string,
  rounds: number,
): KernelResult {
  const stats = `${binary}.stats.json`;
  const ppcr = (engine: string): Subject => ({
    name: `ppcr --engine ${engine}`,
    program: process.execPath,
    args: [cli, "run", "--engine", engine, `--stats=${stats}`, "--", binary, kernel],
  });
  const qemu: Subject = { name: QEMU[abi], program: QEMU[abi], args: [binary, kernel] };
  const withQemu = isThere(QEMU[abi]);
  const seconds = { ppcr: [] as number[], qemu: [] as number[] };
  const mips = { interp: [] as number[], jit: [] as number[] };
  let instructions = 0;
  for (let round = 0; round < rounds; round++) {
    for (const engine of ["interp", "jit"] as const) {
      const taken = timeOnce(ppcr(engine));
      const report = JSON.parse(readFileSync(stats, "utf8")) as { instructions: number; mips: number };
      mips[engine].push(report.mips);
      instructions = report.instructions / 1e6;
      if (engine === "jit") seconds.ppcr.push(taken);
    }
    if (withQemu) seconds.qemu.push(timeOnce(qemu));
  }
  rmSync(stats);
  return {
    kernel,
    abi,
    instructions,
    interp: median(mips.interp),
    jit: median(mips.jit),
    ppcr: median(seconds.ppcr),
    qemu: withQemu ? median(seconds.qemu) : null,
  };
}
