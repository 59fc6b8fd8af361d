/** Scripts as programs: what their first line names runs, where the guest was given it. */
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { compilers, guestPath, inTemporaryDirectory } from "../support/guests.ts";
import { ppcr } from "../support/ppcr.ts";
import { describeWithTools } from "../support/tools.ts";

describeWithTools("a script", [compilers.ppc64], () => {
  /** Runs `use` in a folder with a sysroot, whose /bin/tool prints its arguments, and a way to write scripts. */
  const withTool = (use: (cwd: string, script: (name: string, text: string) => string) => Promise<void>) =>
    inTemporaryDirectory(async (cwd) => {
      mkdirSync(join(cwd, "root", "bin"), { recursive: true });
      copyFileSync(await guestPath("environment", "ppc64"), join(cwd, "root", "bin", "tool"));
      await use(cwd, (name, text) => {
        writeFileSync(join(cwd, name), text);
        chmodSync(join(cwd, name), 0o755);
        return `./${name}`;
      });
    });

  it("runs by its interpreter in the sysroot, with its one argument, its own name and its arguments", async () => {
    await withTool(async (cwd, script) => {
      const plain = script("plain", "#! /bin/tool  one argument \nthe rest\n");
      const run = await ppcr(["run", "-L", "root", plain, "a", "b c"], { cwd });
      expect(run.stdout).toContain("5 arguments: [one argument] [./plain] [a] [b c]\n");
      expect([run.status, run.stderr]).toEqual([5, ""]);
      const nested = script("nested", `#!${join(cwd, "plain")} x\n`);
      const both = await ppcr(["run", "-L", "root", nested, "y"], { cwd });
      expect(both.stdout).toContain(`[one argument] [${join(cwd, "plain")}] [x] [./nested] [y]\n`);
    });
  });

  it("whose interpreter can't be had says which and what to do", async () => {
    await withTool(async (cwd, script) => {
      for (const [text, why] of [
        ["#!/bin/none\n", /its interpreter \/bin\/none can't be had .*-L or --dir/],
        [`#!${join(cwd, "loop")}\n`, /too many|ELOOP/i],
        [`#!${join(cwd, "text")}\n`, /its interpreter .*text can't be had \(not an ELF file/],
        ["#!\n", /not an ELF file/],
      ] as const) {
        script("text", "no program");
        const { status, stderr } = await ppcr(["run", "-L", "root", script("loop", text)], { cwd });
        expect([text, status]).toEqual([text, 126]);
        expect(stderr).toMatch(/^ppcr: cannot run [^\n]*\n$/);
        expect(stderr).toMatch(why);
      }
    });
  });
});
