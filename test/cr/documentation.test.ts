import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Fields, Layout } from "../../cr/record-layout.ts";
import { PARTS, TRAILER_TYPES } from "../../cr/trailer-records.ts";
import { documentation } from "./format-tables.ts";

const FILE = new URL("../../docs/image-format.md", import.meta.url);

/** The text with every generated part in place. */
function filled(text: string): string {
  return Object.entries(documentation()).reduce((all, [name, part]) => {
    const [begin, end] = [`<!-- begin ${name} -->`, `<!-- end ${name} -->`];
    const [before, rest] = all.split(begin);
    const [, after] = rest.split(end);
    return `${before}${begin}\n${part}\n${end}${after}`;
  }, text);
}

describe("docs/image-format.md", () => {
  it("has the layouts as the code has them", () => {
    const text = readFileSync(FILE, "utf8");
    const wanted = filled(text);
    if (process.env.UPDATE_DOCS) writeFileSync(FILE, wanted);
    else expect(text).toBe(wanted);
  });

  it("describes every part that a trailer record is made of", () => {
    const known = new Set(PARTS.map(({ type }) => type));
    const layouts: Layout<Fields>[] = [...Object.values(TRAILER_TYPES).map(({ layout }) => layout), ...PARTS];
    for (const layout of layouts) {
      for (const { type } of Object.values(layout.fields)) {
        const part = /^(?:maybe )?(?:list of )?(.+?)(?:\[\d+\])?$/.exec(type)![1];
        const plain = /^([us]\d+|flag|text|bytes|integer|size64|char|u8 of .*)$/.test(part);
        expect(plain || known.has(part), `${layout.type}: ${type}`).toBe(true);
      }
    }
  });
});
