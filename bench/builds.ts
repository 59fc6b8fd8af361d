/** Building C programs for the guests' ABIs and for this machine. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join } from "node:path";

export type BenchAbi = "ppc32" | "ppc64";
/** A guest's ABI, or this machine's own. */
export type Target = BenchAbi | "native";

/** What cross compilers and `configure` call the ABIs. */
export const TRIPLETS: Record<Target, string | undefined> = {
  ppc32: "powerpc-linux-gnu",
  ppc64: "powerpc64-linux-gnu",
  native: undefined,
};
export const COMPILERS: Record<Target, string> = {
  ppc32: `${TRIPLETS.ppc32}-gcc`,
  ppc64: `${TRIPLETS.ppc64}-gcc`,
  native: "gcc",
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

/** Where benchmarks keep what they have built. */
export const buildFolder = (root: string): string => join(root, "node_modules", ".cache", "ppcr-bench");

/** The headers that a C file may have of its own folder. */
function headersBeside(source: string): string[] {
  const folder = dirname(source);
  return readdirSync(folder)
    .filter((name) => name.endsWith(".h"))
    .map((name) => join(folder, name));
}

/** Compiles a C file, named from the root, statically with `flags`, unless that is done and newer; returns the program's path. */
export function compile(
  root: string,
  target: Target,
  file: string,
  flags: readonly string[] = ["-O2"],
): string {
  const source = isAbsolute(file) ? file : join(root, file);
  const folder = buildFolder(root);
  const output = join(folder, `${basename(file, ".c")}-${target}`);
  mkdirSync(folder, { recursive: true });
  const built = statSync(output, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if ([source, ...headersBeside(source)].some((path) => built < statSync(path).mtimeMs)) {
    execFileSync(COMPILERS[target], [...flags, "-w", "-static", "-o", output, source, "-lm"]);
  }
  return output;
}
