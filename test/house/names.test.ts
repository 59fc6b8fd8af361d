/**
 * A file's name tells what is in it wherever it is seen alone, as in a stack trace or an editor's tab. So in `emu/` and `cr/` a
 * name occurs once. The stages of an instruction share the name of its family: table, handlers, translation.
 */
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "../support/ppcr.ts";

/** Where the stages of an instruction are. */
const STAGES = ["emu/isa/table/", "emu/cpu/", "emu/jit/rows/"];

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .map((name) => `${folder}/${name.replaceAll("\\", "/")}`)
    .filter((name) => name.endsWith(".ts") && basename(name) !== "index.ts");
}

/** The stage a file belongs to, or "" for all other files together. */
const stageOf = (name: string): string => STAGES.find((stage) => name.startsWith(stage)) ?? "";

/** Files of one name, unless each of them is another stage of an instruction. */
function twins(names: readonly string[]): string[][] {
  const byName = new Map<string, string[]>();
  for (const name of names) byName.set(basename(name), [...(byName.get(basename(name)) ?? []), name]);
  return [...byName.values()].filter((same) => {
    const stages = same.map(stageOf);
    return same.length > 1 && (stages.includes("") || new Set(stages).size < same.length);
  });
}

describe("names of files", () => {
  it("occur once, but for the stages of an instruction", () => {
    expect(twins([...sources("emu"), ...sources("cr")])).toEqual([]);
  });

  it("are told apart as the rule says", () => {
    expect(twins(["emu/isa/table/branch.ts", "emu/cpu/branch.ts", "emu/jit/rows/branch.ts"])).toEqual([]);
    expect(twins(["emu/cpu/vector/shift.ts", "emu/cpu/fixed-point/shift.ts"])).toHaveLength(1);
    expect(twins(["emu/cpu/wait.ts", "emu/linux/wait.ts"])).toHaveLength(1);
  });
});
