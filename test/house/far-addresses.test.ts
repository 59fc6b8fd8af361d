/** The CPU's own accessors of memory cut addresses to 32 bits. The kernel has others, and must use them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { root } from "../support/ppcr.ts";

const CPU_ONLY = /\b(?:memory|space)\.(?:load|store)(?:8|16|32|64)\(/;

it("the kernel reads and writes memory by accessors that know far addresses", () => {
  const folder = join(root, "emu", "linux");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".ts"),
  );
  expect(files.length).toBeGreaterThan(100);
  expect(files.filter((file) => CPU_ONLY.test(readFileSync(join(folder, file), "utf8")))).toEqual([]);
});
