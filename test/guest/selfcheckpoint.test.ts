import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { compilers, guestPath, inTemporaryDirectory, type Target } from "../support/guests.ts";
import { ppcr, runPpcr } from "../support/ppcr.ts";
import { describeWithTools } from "../support/tools.ts";

const targets: Target[] = ["ppc32", "ppc64"];
const numbers = ["--cr-syscalls=400,401"];

for (const target of targets)
  describeWithTools(`a ${target} program that freezes itself`, [compilers[target]], () => {
    it("goes on after its checkpoint, and from the image on the other side of it", async () => {
      const path = await guestPath("selfcheckpoint", target);
      await inTemporaryDirectory(async (cwd) => {
        const first = await runPpcr(path, { args: ["400", "frozen"], cwd }, numbers);
        expect(first.stderr).toBe("");
        expect(first.status).toBe(10);
        const [before, , after] = first.stdout.split("\n");
        expect(first.stdout).toBe(`${before}\ncheckpoint written, going on\n${after}\n`);
        const grant = ["--dir", `${dirname(path)}:ro`]; // the image names the program's file there
        const again = await ppcr(["restart", ...numbers, ...grant, join(cwd, "frozen")], { cwd });
        expect(again).toEqual({ stdout: `restarted from the image\n${after}\n`, stderr: "", status: 20 });
      });
    });

    it("is told that there is no such call unless the numbers are given", async () => {
      const path = await guestPath("selfcheckpoint", target);
      await inTemporaryDirectory(async (cwd) => {
        const run = await runPpcr(path, { args: ["400", "frozen"], cwd });
        expect(run.stdout).toContain("no checkpoint");
        expect(run.status).toBe(30);
        await expect(readFile(join(cwd, "frozen"))).rejects.toThrow();
      });
    });
  });
