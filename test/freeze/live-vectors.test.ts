import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { compilers, type Target } from "../support/guests.ts";
import { root } from "../support/ppcr.ts";
import { describeWithTools } from "../support/tools.ts";
import { freezeEverywhere } from "./every-boundary.ts";

const scratch = mkdtempSync(join(tmpdir(), "ppcr-live-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Accumulators are of 64-bit programs only. */
const PROCESSORS: Record<Target, string> = { ppc32: "power8", ppc64: "power10", ppc64le: "power10" };

for (const target of ["ppc32", "ppc64", "ppc64le"] satisfies Target[])
  describeWithTools(`a ${target} program with live vectors`, [compilers[target]], () => {
    it("ends the same wherever it is frozen, in signal handlers too", { timeout: 300_000 }, async () => {
      const cpuModel = PROCESSORS[target];
      const program = join(scratch, target);
      const source = join(root, "test", "freeze", "guests", "live-vectors.c");
      const flags = [
        "-O2",
        "-static",
        "-no-pie",
        "-nostdlib",
        "-ffreestanding",
        "-Wl,-Ttext-segment=0x200000",
      ];
      const args = [
        ...flags,
        "-maltivec",
        "-mvsx",
        "-mhard-dfp",
        `-mcpu=${cpuModel}`,
        "-o",
        program,
        source,
        "-lgcc",
      ];
      const { status, stderr } = spawnSync(compilers[target], args, { encoding: "utf8" });
      expect(status, stderr).toBe(0);
      await freezeEverywhere(program, { seed: 1n, cpuModel, addressSpaceSize: 16 * 1024 * 1024 }, 11n);
    });
  });
