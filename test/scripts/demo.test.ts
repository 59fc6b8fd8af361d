import { join } from "node:path";
import { expect, it } from "vitest";
import { ensureBuilt, root } from "../support/ppcr.ts";
import { runProcess } from "../support/process.ts";

it("the demonstration freezes and thaws without a difference, and says so", async () => {
  ensureBuilt();
  const run = await runProcess(process.execPath, {
    args: [join(root, "dist", "scripts", "demo.js")],
    env: { NO_COLOR: "1" },
    timeout: 120_000,
  });
  expect(run.stderr).toBe("");
  expect(run.stdout.match(/^ {3}same {2}/gm)).toHaveLength(5);
  expect(run.stdout).not.toContain("DIFFERENT");
  expect(run.status).toBe(0);
});
