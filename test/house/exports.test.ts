/**
 * Nothing is exported that nobody takes: an export is a promise to others. Types may be, whose names help who reads a signature, and the
 * constants of Linux's and ELF's headers, which are whole lists.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { parseAst } from "rolldown/parseAst";
import { expect, it } from "vitest";
import { root } from "../support/ppcr.ts";

const SOURCES = ["emu", "cr", "cli", "bench", "scripts"];
const READERS = [...SOURCES, "test", "guest-bins"];
/** Files whose exports others than this checkout take, or that a tool reads. */
const FACES = ["index.ts", "node.ts", "rolldown.config.mjs"];

interface Node {
  type: string;
  [key: string]: unknown;
}

const filesIn = (folders: readonly string[]): string[] =>
  folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.(ts|mjs)$/.test(name) && !/\.d\.m?ts$/.test(name))
      .map((name) => join(root, folder, name)),
  );

/** What a file exports itself, and what it takes from which other files; "*" is all of it. */
interface Ports {
  exported: string[];
  taken: { from: string; name: string }[];
}

const nameOf = (node: unknown): string => {
  const { name, value } = node as { name?: string; value?: string };
  return name ?? value ?? "";
};

function portsOf(file: string): Ports {
  const exported: string[] = [];
  const taken: { from: string; name: string }[] = [];
  const take = (source: unknown, names: readonly string[]): void => {
    const path = (source as { value?: unknown }).value;
    if (typeof path !== "string" || !path.startsWith(".")) return;
    for (const name of names) taken.push({ from: join(dirname(file), path), name });
  };
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) {
      for (const each of value) visit(each);
      return;
    }
    if (value === null || typeof value !== "object" || !("type" in value)) return;
    const node = value as Node;
    const specifiers = (node.specifiers ?? []) as Node[];
    switch (node.type) {
      case "ImportDeclaration": {
        const isWhole = specifiers.some(({ type }) => type === "ImportNamespaceSpecifier");
        take(
          node.source,
          isWhole ? ["*"] : specifiers.map(({ imported }) => nameOf(imported ?? { name: "default" })),
        );
        return;
      }
      case "ImportExpression":
      case "TSImportType":
        take(node.source ?? (node.argument as Node)?.literal ?? node.argument, ["*"]);
        break;
      case "ExportAllDeclaration":
        take(node.source, ["*"]);
        return;
      case "ExportNamedDeclaration": {
        if (node.source !== null) {
          take(
            node.source,
            specifiers.map(({ local }) => nameOf(local)),
          );
        }
        if (node.exportKind !== "type") {
          const values = specifiers.filter(({ exportKind }) => exportKind !== "type");
          exported.push(...values.map(({ exported: name }) => nameOf(name)));
        }
        const declaration = node.declaration as Node | null;
        if (declaration?.type === "VariableDeclaration") {
          for (const { id } of declaration.declarations as Node[]) exported.push(...namesIn(id as Node));
        } else if (declaration !== null && !declaration.type.startsWith("TS"))
          exported.push(nameOf(declaration.id));
        break;
      }
    }
    for (const child of Object.values(node)) visit(child);
  };
  visit(parseAst(readFileSync(file, "utf8"), { lang: file.endsWith(".ts") ? "ts" : "js" }).body);
  return { exported, taken };
}

/** The names that a declaration's pattern binds. */
function namesIn(pattern: Node): string[] {
  if (pattern.type !== "ObjectPattern") return [nameOf(pattern)];
  return (pattern.properties as Node[]).map(({ value }) => nameOf(value));
}

it("every export is taken by another file", () => {
  const ports = new Map(
    [...filesIn(READERS), ...FACES.map((name) => join(root, name))].map((file) => [file, portsOf(file)]),
  );
  const taken = new Set(
    [...ports.values()].flatMap(({ taken }) => taken.map(({ from, name }) => `${from} ${name}`)),
  );
  for (const { from } of [...ports.values()].flatMap((each) => each.taken)) {
    expect([from, existsSync(from)]).toEqual([from, true]);
  }
  const dead = filesIn(SOURCES).flatMap((file) =>
    ports
      .get(file)!
      .exported.filter((name) => !/^[A-Z][A-Z0-9_]*$/.test(name))
      .filter((name) => !taken.has(`${file} ${name}`) && !taken.has(`${file} *`))
      .map((name) => `${relative(root, file)}: ${name}`),
  );
  expect(dead).toEqual([]);
});
