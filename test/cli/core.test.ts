/** Core files, as gdb sees them. */
import { spawnSync } from "node:child_process";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { compilers, inTemporaryDirectory } from "../support/guests.ts";
import { ppcr } from "../support/ppcr.ts";
import { describeWithTools, requireTool } from "../support/tools.ts";

const SOURCE = `
#include <stdlib.h>
#include <sys/mman.h>
int depth;
volatile double real = 1.5;
char *heap, *shared;
int descend(int n) {
  volatile int local = n * 7;
  depth = n;
  if (n == 0) *(volatile int *)16 = local;
  return descend(n - 1) + local;
}
int main(int argc, char **argv) {
  heap = malloc(100000);
  heap[50000] = 'h';
  shared = mmap(0, 65536, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  shared[40000] = 's';
  if (argc > 1) exit(3);
  return descend(3) + (int)real;
}`;

for (const abi of ["ppc32", "ppc64"] as const) {
  describeWithTools(`a core file of a ${abi} program`, [compilers[abi], "gdb-multiarch"], () => {
    it("shows gdb the stack, the registers, all memory, the signal and the mapped files", async () => {
      await inTemporaryDirectory(async (cwd) => {
        writeFileSync(join(cwd, "crash.c"), SOURCE);
        const gcc = requireTool(compilers[abi]);
        spawnSync(gcc, ["-g", "-O0", "-static", "crash.c", "-o", "crash"], { cwd });
        const fine = await ppcr(["run", "--core", "crash", "x"], { cwd });
        expect([fine.status, existsSync(join(cwd, "core"))]).toEqual([3, false]);
        const run = await ppcr(["run", "--core", "crash"], { cwd });
        expect([run.status, run.stderr]).toEqual([139, "ppcr: core dumped into core\n"]);
        expect(statSync(join(cwd, "core")).mode & 0o777).toBe(0o600);
        const questions = [
          "bt",
          "frame 2",
          "p local",
          "p depth",
          "p real",
          "p heap[50000]",
          "p shared[40000]",
          "p/d $_siginfo.si_signo",
          "p $pc == descend || $pc > descend",
          "info proc mappings",
        ];
        const { stdout } = spawnSync(
          "gdb-multiarch",
          ["-batch", "-nx", ...questions.flatMap((each) => ["-ex", each]), "crash", "core"],
          { cwd, encoding: "utf8" },
        );
        expect(stdout).toContain("Program terminated with signal SIGSEGV");
        expect(stdout).toMatch(/#0 .*descend \(n=0\)[\s\S]*#3 .*descend \(n=3\)[\s\S]*#4 .*main \(/);
        expect([...stdout.matchAll(/^\$\d+ = (.*)$/gm)].map((match) => match[1])).toEqual([
          "14",
          "0",
          "1.5",
          "104 'h'",
          "115 's'",
          "11",
          "1",
        ]);
        expect(stdout).toMatch(/0x10000000 .* 0x0 .*\/crash/);
      });
    });
  });
}
