/** GNU binutils as the reference for encodings and for disassembly. */
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { inTemporaryDirectory } from "../support/guests.ts";
import { requireTool } from "../support/tools.ts";

const run = promisify(execFile);

/** What the references are run with; `describeWithTools` takes it. */
export const BINUTILS = [
  "powerpc64-linux-gnu-as",
  "powerpc64-linux-gnu-objcopy",
  "powerpc64-linux-gnu-objdump",
];

export interface ObjdumpLine {
  readonly address: bigint;
  readonly word: number;
  /** Without the symbol after a branch target. */
  readonly text: string;
}

/** The instructions of `objdump -d` on a big-endian file, one by one. */
export async function objdump(
  tool: string,
  path: string,
  options: readonly string[] = [],
): Promise<ObjdumpLine[]> {
  const { stdout } = await run(requireTool(tool), ["-d", "-z", ...options, path], { maxBuffer: 2 ** 30 });
  const lines: ObjdumpLine[] = [];
  for (const line of stdout.split("\n")) {
    const [, address, bytes, text] = /^ *([0-9a-f]+):\t((?:[0-9a-f]{2} ){4}) *(?:\t(.*))?$/.exec(line) ?? [];
    if (address === undefined) continue;
    lines.push({
      address: BigInt(`0x${address}`),
      word: Number.parseInt(bytes.replaceAll(" ", ""), 16) | 0,
      // A target without a symbol is written with 0x.
      text: (text ?? "")
        .replace(/ *<[^>]*>/, "")
        .replace(/^(b\S* +(?:\S*,)?)0x/, "$1")
        .trimEnd(),
    });
  }
  return lines;
}

async function assembleFile(directory: string, source: string): Promise<string> {
  const input = join(directory, "source.s");
  const object = join(directory, "source.o");
  await writeFile(input, source);
  await run(requireTool("powerpc64-linux-gnu-as"), ["-mpower10", "-many", "-mregnames", "-o", object, input]);
  return object;
}

/** Assembles lines of one instruction each with GNU as; gives their words. Rejects with its messages. */
export function gnuAssemble(lines: readonly string[]): Promise<Int32Array> {
  return inTemporaryDirectory(async (directory) => {
    const object = await assembleFile(directory, `${lines.join("\n")}\n`);
    const binary = join(directory, "text");
    await run(requireTool("powerpc64-linux-gnu-objcopy"), ["-O", "binary", "-j", ".text", object, binary]);
    const bytes = await readFile(binary);
    return Int32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readInt32BE(4 * i));
  });
}

/** What objdump says of words at `base`, where it is given further options. */
export function gnuDisassemble(
  words: readonly number[],
  base: number,
  options: readonly string[] = [],
): Promise<ObjdumpLine[]> {
  return inTemporaryDirectory(async (directory) => {
    const object = await assembleFile(directory, words.map((word) => `.long ${word >>> 0}`).join("\n"));
    return objdump("powerpc64-linux-gnu-objdump", object, [`--adjust-vma=${base}`, ...options]);
  });
}

/** A program that draws in much of the static C library and libm. */
const PROGRAM = `
#include <complex.h>
#include <fenv.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>
static void *body(void *p) { return p; }
int main(int argc, char **argv) {
  double x = strtod(argv[1], 0);
  long double y = x;
  double complex z = csin(x + 1.0i);
  pthread_t t;
  pthread_create(&t, 0, body, 0);
  printf("%f %Lf %g\\n", sin(x) + pow(x, argc) + tgamma(x) + fma(x, x, 1) + jn(2, x), powl(y, y) + sinl(y), cabs(z));
  qsort(argv, argc, sizeof *argv, (int (*)(const void *, const void *))strcmp);
  fesetround(FE_UPWARD);
  wprintf(L"%ls %d %ld", L"x", argc, lrint(x) + llround(x));
  time_t now = time(0);
  puts(asctime(localtime(&now)));
  return strstr(argv[0], "a") != 0;
}
`;

/** Static programs of both widths: how they are built and what objdump says of them. */
export const STATIC_TARGETS = [
  { name: "ppc32", prefix: "powerpc-linux-gnu", is64: false },
  { name: "ppc64", prefix: "powerpc64-linux-gnu", is64: true },
].map(({ name, prefix, is64 }) => ({
  name,
  is64,
  tools: [`${prefix}-gcc`, `${prefix}-objdump`],
  /** Builds the program in a directory; gives its path. */
  async build(directory: string): Promise<string> {
    const source = join(directory, "program.c");
    const program = join(directory, "program");
    await writeFile(source, PROGRAM);
    await run(requireTool(`${prefix}-gcc`), ["-O2", "-static", "-o", program, source, "-lm"]);
    return program;
  },
  objdump: (path: string) => objdump(`${prefix}-objdump`, path),
}));
