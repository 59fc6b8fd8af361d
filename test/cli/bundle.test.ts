/** The command's bundle and its code cache. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { CACHE, loadBundle, SCRIPT } from "../../cli/bundle.ts";
import { inTemporaryDirectory } from "../support/guests.ts";
import { cli, ensureBuilt, root } from "../support/ppcr.ts";
import { runProcess } from "../support/process.ts";

const hello = join(root, "guest-bins", "built", "hello-ppc64");

describe("the compiled command", () => {
  it("starts from V8's code cache", () => {
    ensureBuilt();
    expect(loadBundle(dirname(cli)).script.cachedDataRejected).toBe(false);
  });

  it("is one scope: whatever is imported dynamically would have every module wrapped, whose functions V8 can't rely on", () => {
    ensureBuilt();
    expect(readFileSync(join(dirname(cli), SCRIPT), "latin1")).not.toContain("__esm");
  });

  it.each([
    ["no", undefined],
    ["a damaged", Buffer.from("no cache at all")],
  ])("runs with %s cache as well", async (_, cache) => {
    ensureBuilt();
    await inTemporaryDirectory(async (folder) => {
      const bin = join(folder, "dist", "bin");
      mkdirSync(bin, { recursive: true });
      for (const name of ["ppcr.cjs", SCRIPT]) copyFileSync(join(dirname(cli), name), join(bin, name));
      copyFileSync(join(root, "package.json"), join(folder, "package.json"));
      if (cache !== undefined) writeFileSync(join(bin, CACHE), cache);
      const { status, stderr } = await runProcess(process.execPath, {
        args: [join(bin, "ppcr.cjs"), "run", hello],
      });
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    });
  });
});
