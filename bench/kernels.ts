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
  /** Million instructions a second, start-up not counted. */
  mips: number;
  /** Median seconds of the whole process. */
  ppcr: number;
  qemu: number | null;
}

/** Runs one kernel `rounds` times on each emulator, in turn. */
export function runKernel(
  cli: string,
  binary: string,
  abi: BenchAbi,
  kernel: string,
  rounds: number,
): KernelResult {
  const stats = `${binary}.stats.json`;
  const ppcr: Subject = {
    name: "ppcr",
    program: process.execPath,
    args: [cli, "run", `--stats=${stats}`, "--", binary, kernel],
  };
  const qemu: Subject = { name: QEMU[abi], program: QEMU[abi], args: [binary, kernel] };
  const withQemu = isThere(QEMU[abi]);
  const seconds = { ppcr: [] as number[], qemu: [] as number[] };
  const mips: number[] = [];
  let instructions = 0;
  for (let round = 0; round < rounds; round++) {
    seconds.ppcr.push(timeOnce(ppcr));
    const report = JSON.parse(readFileSync(stats, "utf8")) as { instructions: number; mips: number };
    mips.push(report.mips);
    instructions = report.instructions / 1e6;
    if (withQemu) seconds.qemu.push(timeOnce(qemu));
  }
  rmSync(stats);
  return {
    kernel,
    abi,
    instructions,
    mips: median(mips),
    ppcr: median(seconds.ppcr),
    qemu: withQemu ? median(seconds.qemu) : null,
  };
}
