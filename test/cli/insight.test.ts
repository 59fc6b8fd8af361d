/** What the command tells of where a program spends its instructions, and of what it is translated to. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compilers, guestPath, inTemporaryDirectory } from "../support/guests.ts";
import { ppcr, root } from "../support/ppcr.ts";
import { describeWithTools, requireTool } from "../support/tools.ts";

const progress = join(root, "guest-bins", "built", "progress-ppc32");

const FAR_STACK = `
#include <sys/mman.h>
#include <ucontext.h>
static ucontext_t here, there;
static void inner(void) { for (volatile int i = 0; i < 200000; i++); }
static void middle(void) { inner(); }
static void outer(void) { middle(); }
int main(void) {
  getcontext(&there);
  there.uc_stack.ss_sp = mmap((void *)0x500000000000, 1 << 20, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  there.uc_stack.ss_size = 1 << 20;
  there.uc_link = &here;
  makecontext(&there, outer, 0);
  return swapcontext(&here, &there);
}
`;

for (const target of ["ppc32", "ppc64"] as const)
  describeWithTools(`--profile of ${target}`, [compilers[target]], () => {
    it("counts instructions by stack, the same with both engines, in two formats", async () => {
      const program = await guestPath("recursion", target, "O0");
      await inTemporaryDirectory(async (cwd) => {
        const run = async (...flags: string[]) => {
          expect((await ppcr(["run", "--seed", "1", ...flags, program], { cwd })).stderr).toBe("");
        };
        await run("--profile", "--stats=stats.json");
        const { instructions } = JSON.parse(readFileSync(join(cwd, "stats.json"), "utf8"));
        const folded = readFileSync(join(cwd, "ppcr.folded"), "utf8");
        const stacks = folded.trimEnd().split("\n");
        for (const stack of stacks) expect(stack).toMatch(/^recursion\S*;\S+ \d+$/);
        const counts = stacks.map((stack) => Number(stack.split(" ")[1]));
        const total = counts.reduce((sum, count) => sum + count, 0);
        expect(total).toBeLessThanOrEqual(instructions);
        expect(total).toBeGreaterThan(instructions - 250_000);
        expect(folded).toMatch(/;main;(\w+;)*(\w+);\2/);
        await run("--engine", "interp", "--profile=interpreted");
        expect(readFileSync(join(cwd, "interpreted"), "utf8")).toBe(folded);
        await run("--profile=callgrind.out.1");
        const callgrind = readFileSync(join(cwd, "callgrind.out.1"), "utf8");
        expect(callgrind).toMatch(/^# callgrind format\nversion: 1\n/);
        expect(callgrind).toContain(`\nsummary: ${total}\n`);
        const own = [...callgrind.matchAll(/\nfn=.*\n0 (\d+)/g)].map(([, count]) => Number(count));
        expect(own.reduce((sum, count) => sum + count, 0)).toBe(total);
      });
    });
  });

describeWithTools("--profile of a far stack", [compilers.ppc64], () => {
  it("finds the callers on it", async () => {
    await inTemporaryDirectory(async (cwd) => {
      writeFileSync(join(cwd, "far.c"), FAR_STACK);
      execFileSync(requireTool(compilers.ppc64), ["-O1", "-fno-inline", "-static", "-o", "far", "far.c"], {
        cwd,
      });
      expect((await ppcr(["run", "--seed", "1", "--profile", "far"], { cwd })).stderr).toBe("");
      expect(readFileSync(join(cwd, "ppcr.folded"), "utf8")).toMatch(/;outer;middle;inner \d+$/m);
    });
  });
});

describe("--dump-regions", () => {
  it("writes guest code and WebAssembly text, a file a region", async () => {
    await inTemporaryDirectory(async (cwd) => {
      mkdirSync(join(cwd, "regions"));
      const flags = ["--dump-regions", "regions", "--stats=stats.json"];
      expect((await ppcr(["run", ...flags, progress, "2"], { cwd })).stderr).toBe("");
      const { seconds, jit } = JSON.parse(readFileSync(join(cwd, "stats.json"), "utf8"));
      const { units, running, interpreting, compiling } = jit;
      expect(Math.min(running, interpreting, compiling)).toBeGreaterThan(0);
      expect(running + interpreting + compiling).toBeLessThan(seconds * 1000);
      const names = readdirSync(join(cwd, "regions"));
      expect(names.length).toBe(units);
      const text = readFileSync(join(cwd, "regions", names[0]), "utf8");
      expect(text).toMatch(new RegExp(`\n;; entry\n;; ${names[0].slice(0, 8)} `));
      expect(text).toMatch(/^;; \w{8} {2}\w{8} {2}lwzu +r\d+,4\(r\d+\)$/m);
      expect(text).toContain('(import "m" "memory" (memory');
      expect(text).toContain("i32.load");
    });
  });

  it("writes what an earlier run has translated", async () => {
    await inTemporaryDirectory((cwd) =>
      inTemporaryDirectory(async (cache) => {
        const flags = ["--jit-cache", cache, "--dump-regions", "regions"];
        for (const when of ["in this run", "before"]) {
          expect((await ppcr(["run", ...flags, progress, "2"], { cwd })).stderr).toBe("");
          const [name] = readdirSync(join(cwd, "regions"));
          const text = readFileSync(join(cwd, "regions", name), "utf8");
          expect(text).toMatch(new RegExp(`^;; translated ${when}\n[^]*i32.load`));
        }
      }),
    );
  });
});
