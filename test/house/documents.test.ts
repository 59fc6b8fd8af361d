/** What the documents list is what there is. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ABIS } from "../../emu/linux/abi.ts";
import { syscallNames } from "../../emu/linux/syscalls/syscall-numbers.ts";
import { syscallRows } from "../../emu/linux/syscalls/syscall-table.ts";
import { FP_DIFFERENCES } from "../oracles/fp-differences.ts";
import { qemuDefects } from "../oracles/guest-programs.ts";
import { LEGALITY_DIFFERENCES } from "../oracles/legality-differences.ts";
import { KNOWN_DIFFERENCES } from "../oracles/known-differences.ts";
import { ppcr, root } from "../support/ppcr.ts";

const read = (name: string): string => readFileSync(join(root, "docs", name), "utf8");
/** Text with every run of white space as one space, so that line breaks make no difference. */
const flat = (text: string): string => text.replace(/\s+/g, " ");

describe("docs/linux.md", () => {
  const [present, absent] = read("linux.md").split("\n## Absent\n");
  /** The calls in the first column of tables. */
  const callsIn = (text: string): string[] =>
    [...text.matchAll(/^\| (`[^|]*) \|/gm)].flatMap(([, row]) =>
      [...row.matchAll(/`(\w+)`/g)].map(([, name]) => name),
    );
  const handled = new Set(syscallRows().map(({ name }) => name));

  it("lists every call that has a handler", () => {
    const listed = new Set([...present.matchAll(/`([a-z_0-9]+)`/g)].map(([, name]) => name));
    expect([...handled].filter((name) => !listed.has(name))).toEqual([]);
  });

  it("lists no call among those that are there that has none", () => {
    expect(callsIn(present).filter((name) => !handled.has(name))).toEqual([]);
  });

  it("lists every other call of Linux as absent, and no call that is there", () => {
    const all = new Set(Object.values(ABIS).flatMap((abi) => [...syscallNames(abi).values()]));
    expect(callsIn(absent).sort()).toEqual([...all].filter((name) => !handled.has(name)).sort());
  });
});

describe("docs/differences.md", () => {
  const text = flat(read("differences.md"));

  it.each([
    ["instructions", KNOWN_DIFFERENCES],
    ["floating point", FP_DIFFERENCES],
    ["guest programs", qemuDefects],
    ["what CPU models have", LEGALITY_DIFFERENCES],
  ] as const)("gives the reason of every known difference in %s", (_, differences) => {
    const missing = differences.map(({ reason }) => flat(reason)).filter((reason) => !text.includes(reason));
    expect(missing).toEqual([]);
  });
});

describe("docs/command.md", () => {
  const text = read("command.md");

  it.each([
    "run",
    "restart",
    "checkpoint",
    "image show",
    "image check",
    "cache show",
    "cache clear",
    "disasm",
  ])("says what the options of %s promise", async (verb) => {
    const { stdout } = await ppcr([...verb.split(" "), "--help"]);
    const options = [...stdout.matchAll(/^ +(?:(-\w), )?(--[a-z0-9-]+)/gm)].map(([, ...names]) => names);
    const missing = options.filter((names) => !names.some((name) => text.includes(`\`${name}`)));
    expect(missing).toEqual([["-h", "--help"]]);
  });
});
