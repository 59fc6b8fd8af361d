/** Everything the package exports, and every public method of its classes, says what it is for. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "../support/ppcr.ts";

interface Declaration {
  file: string;
  /** Index of the declaration's line. */
  line: number;
}

const lines = (file: string): string[] => readFileSync(file, "utf8").split("\n");
const declares = /^export (?:declare |abstract |async )*(?:function\*?|class|interface|type|const|let) (\w+)/;

/** `A, type B as C` by outer name: A to A, C to B. */
function namesIn(list: string): Map<string, string> {
  const items = list.split(",").map((item) => item.trim().replace(/^type /, ""));
  return new Map(
    items
      .filter((item) => item !== "")
      .map((item) => {
        const [inner = "", outer = inner] = item.split(" as ");
        return [outer, inner] as const;
      }),
  );
}

/** Names a file exports from another: undefined stands for all of them. */
function reExports(file: string): { from: string; names: Map<string, string> | undefined }[] {
  const text = readFileSync(file, "utf8");
  const target = (specifier = ""): string => join(dirname(file), specifier);
  const direct = [...text.matchAll(/^export (?:type )?(?:\*|\{([^}]*)\}) from "(\.[^"]+)";/gm)].map(
    ([, list, specifier]) => ({
      from: target(specifier),
      names: list === undefined ? undefined : namesIn(list),
    }),
  );
  const imported = new Map(
    [...text.matchAll(/^import (?:type )?\{([^}]*)\} from "(\.[^"]+)";/gm)].flatMap(
      ([, list = "", specifier]) =>
        [...namesIn(list)].map(([local, name]) => [local, { from: target(specifier), name }] as const),
    ),
  );
  const passedOn = [...text.matchAll(/^export (?:type )?\{([^}]*)\};/gm)].flatMap(([, list = ""]) =>
    [...namesIn(list)].flatMap(([outer, local]) => {
      const source = imported.get(local);
      return source === undefined ? [] : [{ from: source.from, names: new Map([[outer, source.name]]) }];
    }),
  );
  return [...direct, ...passedOn];
}

/** Where a name that `file` exports is declared; functions with overloads several times. */
function declarations(file: string, name: string): Declaration[] {
  const own = lines(file).flatMap((text, line) =>
    declares.exec(text)?.[1] === name ? [{ file, line }] : [],
  );
  if (own.length > 0) return own.slice(0, 1);
  return reExports(file).flatMap(({ from, names }) => {
    const inner = names === undefined ? name : names.get(name);
    return inner === undefined ? [] : declarations(from, inner);
  });
}

/** Every name a file exports. */
function exportedNames(file: string): string[] {
  const own = lines(file).flatMap((text) => declares.exec(text)?.[1] ?? []);
  const others = reExports(file).flatMap(({ from, names }) =>
    names ? [...names.keys()] : exportedNames(from),
  );
  return [...new Set([...own, ...others])];
}

const documented = (text: string[], line: number): boolean =>
  text[line - 1]?.trimEnd().endsWith("*/") === true;

/** The public methods without a docstring of the class whose declaration begins at `line`. */
function bareMethods(text: string[], line: number): string[] {
  if (!/^export (?:abstract )?class /.test(text[line] ?? "")) return [];
  const end = text.indexOf("}", line);
  const bare: string[] = [];
  for (let at = line + 1; at < end; at++) {
    const [, modifiers = "", name] = /^ {2}((?:\w+ )*)\*?(\w+)(?:<[^(]*>)?\(/.exec(text[at] ?? "") ?? [];
    if (
      name === undefined ||
      name === "constructor" ||
      /\b(private|protected|set|override)\b/.test(modifiers)
    )
      continue;
    if (!documented(text, at)) bare.push(name);
  }
  return bare;
}

describe("the public API", () => {
  const faces = ["index.ts", "node.ts"].map((name) => join(root, name));
  const exported = faces.flatMap((face) => exportedNames(face).map((name) => ({ face, name })));

  it.each(faces)("%s exports something", (face) => {
    expect(existsSync(face)).toBe(true);
    expect(exportedNames(face).length).toBeGreaterThan(0);
  });

  for (const { face, name } of exported)
    it(`says what ${name} is for`, () => {
      const [declaration] = declarations(face, name);
      if (declaration === undefined) throw new Error(`no declaration of ${name} found`);
      const text = lines(declaration.file);
      const where = `${relative(root, declaration.file)}:${declaration.line + 1}`;
      expect(documented(text, declaration.line), `${name} (${where}) has a docstring`).toBe(true);
      expect(
        bareMethods(text, declaration.line),
        `methods of ${name} (${where}) without a docstring`,
      ).toEqual([]);
    });
});
