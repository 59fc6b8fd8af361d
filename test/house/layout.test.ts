/** What holds for every file: it fits in a head, leaves nothing for later, and knows no particular machine. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "../support/ppcr.ts";

const outside = new Set([
  "node_modules",
  "dist",
  "coverage",
  ".git",
  ".cache",
  "built",
  "results",
  "package-lock.json",
]);
const isText = /\.(ts|mjs|js|json|md|c|h|S|sh|yml|html|css|svg)$|\/run$/;
const isCode = /\.(ts|mjs|c|h|S)$/;

function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (outside.has(entry.name)) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return files(path);
    return entry.isFile() && isText.test(path) ? [path] : [];
  });
}

const texts = files(root).map((path) => ({
  name: relative(root, path).split(sep).join("/"),
  text: readFileSync(path, "utf8"),
}));
const code = texts.filter(({ name }) => isCode.test(name));

/** The files whose text matches, with the first match. */
function matching(among: typeof texts, pattern: RegExp): string[] {
  return among.flatMap(({ name, text }) => {
    const match = pattern.exec(text);
    return match === null ? [] : [`${name}: ${match[0]}`];
  });
}

describe("every file", () => {
  it("has at most 900 lines, or 1000 where it is a table", () => {
    const limit = (name: string): number => (name.includes("/table/") ? 1000 : 900);
    const long = code.filter(({ name, text }) => text.split("\n").length - 1 > limit(name));
    expect(long.map(({ name }) => name)).toEqual([]);
  });

  it("keeps prose to the width that code keeps to; a row of a table can't be broken", () => {
    const width = 110;
    const wide = texts.flatMap(({ name, text }) =>
      (name.endsWith(".md") ? text.split("\n") : [])
        .map((line, index) => ({ line, place: `${name}:${index + 1}` }))
        .filter(({ line }) => [...line].length > width && !line.startsWith("|")),
    );
    expect(wide.map(({ place }) => place)).toEqual([]);
  });

  it("names no directory of somebody's machine", () => {
    const homes = ["home/[a-z]\\w*/[\\w.]", "Users/\\w", "work/(?:main|shared)"].join("|");
    expect(matching(texts, new RegExp(`(?<![\\w.@/-])/(?:${homes})`))).toEqual([]);
  });

  it("leaves nothing for later", () => {
    const words = ["TO" + "DO", "FIX" + "ME", "not imple" + "mented"].join("|");
    expect(matching(code, new RegExp(`\\b(?:${words})\\b`))).toEqual([]);
  });
});
