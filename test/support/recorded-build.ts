/** Builds valgrind's tests with the flags of its automake files, as on a machine that has everything. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compilers, type Target } from "./guests.ts";
import { root } from "./ppcr.ts";

/** Where the cross compilers' C libraries are. */
export const SYSROOTS: Record<Target, string> = {
  ppc32: "/usr/powerpc-linux-gnu",
  ppc64: "/usr/powerpc64-linux-gnu",
  ppc64le: "/usr/powerpc64le-linux-gnu",
};

const PLATFORMS: Record<Target, string> = { ppc32: "ppc32", ppc64: "ppc64be", ppc64le: "ppc64le" };

/** A function that gives the expanded value of a variable of an automake file, empty when it has none. Conditions count as fulfilled. */
function makeVariables(path: string, target: Target): (name: string) => string {
  const values = new Map<string, string>();
  const lines = readFileSync(path, "utf8").replaceAll(/\\\n/g, " ").split("\n");
  let otherwise = false;
  for (const line of lines) {
    if (/^else\b/.test(line)) otherwise = true;
    else if (/^(if|endif)\b/.test(line)) otherwise = false;
    const [, name, operator, value] = /^(\w+)\s*(\+?=)\s*(.*)$/.exec(line) ?? [];
    if (otherwise || name === undefined || value === undefined) continue;
    values.set(name, operator === "+=" ? `${values.get(name) ?? ""} ${value}` : value);
  }
  const expand = (text: string): string =>
    text
      .replaceAll(/@FLAG_M(32|64)@/g, target === "ppc32" ? "-m32" : "-m64")
      .replaceAll(/@\w+@/g, "")
      .replaceAll(/\$\((\w+)\)/g, (_, name: string) => expand(values.get(name) ?? ""))
      .trim();
  return (name) => expand(values.get(name) ?? "");
}

/** A function that builds a program of a folder of `source`'s tests if it isn't built yet, and gives its path. */
export function builder(source: string, folder: string, target: Target): (program: string) => string {
  const cache = join(root, "node_modules", ".cache", "ppcr-recorded");
  mkdirSync(join(cache, target), { recursive: true });
  writeFileSync(join(cache, "config.h"), "#define HAVE_AS_PPC_MFTOCRF 1\n");
  const variables = makeVariables(join(folder, "Makefile.am"), target);
  const platform = PLATFORMS[target];
  const common = ["-w", "-no-pie", "-fno-pie", `-I${source}`, `-I${cache}`];
  const defines = ["-DVGO_linux=1", `-DVGA_${platform}=1`, `-DVGP_${platform}_linux=1`];
  return (program) => {
    const path = join(cache, target, program);
    if (existsSync(path)) return path;
    const id = program.replaceAll(/[^A-Za-z0-9]/g, "_");
    const flags = variables(`${id}_CFLAGS`) || "-g";
    const sources = variables(`${id}_SOURCES`) || `${program}.c`;
    const libraries = variables(`${id}_LDADD`);
    const words = `${flags} ${sources} ${libraries}`.split(/\s+/).filter((word) => word !== "");
    const args = [...common, ...defines, "-o", path, ...words];
    const { status, stderr } = spawnSync(compilers[target], args, { cwd: folder, encoding: "utf8" });
    if (status !== 0) throw new Error(`${program} does not compile for ${target}:\n${stderr.slice(0, 3000)}`);
    return path;
  };
}
