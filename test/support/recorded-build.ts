/** Reads the variables of an automake file as they are on a machine that has everything. */
import { readFileSync } from "node:fs";
import type { Target } from "./guests.ts";

/** A function that gives the expanded value of a variable of `path`, empty when it has none. Conditions count as fulfilled. */
export function makeVariables(path: string, target: Target): (name: string) => string {
  const values = new Map<string, string>();
  const lines = readFileSync(path, "utf8").replaceAll(/\\\n/g, " ").split("\n");
  let otherwise = false;
  for (const line of lines) {
    if (/^else\b/.test(line)) otherwise = true;
    else if (/^(if|endif)\b/.test(line)) otherwise = false;
    const [, name, operator, value] = /^(\w+)\s*(\+?=)\s*(.*)$/.exec(line) ?? [];
    if (otherwise || name === undefined || value === undefined) continue;
    values.set(name, operator === "+=" ? `${values.get(name) ?? ""} ${value}` : value);
  }
  const expand = (text: string): string =>
    text
      .replaceAll(/@FLAG_M(32|64)@/g, target === "ppc32" ? "-m32" : "-m64")
      .replaceAll(/@\w+@/g, "")
      .replaceAll(/\$\((\w+)\)/g, (_, name: string) => expand(values.get(name) ?? ""))
      .trim();
  return (name) => expand(values.get(name) ?? "");
}
