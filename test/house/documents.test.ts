/** What the documents list is what there is. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { SYSCALL_ROWS } from "../../emu/linux/syscalls/syscall-table.ts";
import { FP_DIFFERENCES } from "../oracles/fp-differences.ts";
import { qemuDefects } from "../oracles/guest-programs.ts";
import { KNOWN_DIFFERENCES } from "../oracles/known-differences.ts";
import { root } from "../support/ppcr.ts";

const read = (name: string): string => readFileSync(join(root, "docs", name), "utf8");
/** Text with every run of white space as one space, so that line breaks make no difference. */
const flat = (text: string): string => text.replace(/\s+/g, " ");

describe("docs/system-calls.md", () => {
  const listed = new Set([...read("system-calls.md").matchAll(/`([a-z_0-9]+)`/g)].map((match) => match[1]));

  it("lists every call that has a handler", () => {
    expect(SYSCALL_ROWS.map(({ name }) => name).filter((name) => !listed.has(name))).toEqual([]);
  });

  it("lists no call in its tables that has none", () => {
    const handled = new Set(SYSCALL_ROWS.map(({ name }) => name));
    const rows = [...read("system-calls.md").matchAll(/^\| (`[^|]*) \|/gm)].map((match) => match[1]);
    const claimed = rows.flatMap((row) => [...row.matchAll(/`(\w+)`/g)].map((match) => match[1]));
    expect(claimed.filter((name) => !handled.has(name))).toEqual([]);
  });
});

describe("docs/differences.md", () => {
  const text = flat(read("differences.md"));

  it.each([
    ["instructions", KNOWN_DIFFERENCES],
    ["floating point", FP_DIFFERENCES],
    ["guest programs", qemuDefects],
  ] as const)("gives the reason of every known difference in %s", (_, differences) => {
    const missing = differences.map(({ reason }) => flat(reason)).filter((reason) => !text.includes(reason));
    expect(missing).toEqual([]);
  });
});
