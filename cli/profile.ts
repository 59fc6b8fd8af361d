/** `--profile`: instructions by stack, as text for the viewers of others. */
import { writeFileSync } from "node:fs";
import { basename } from "node:path";
import { toHost } from "../emu/host/node/files.ts";
import { describeSystemError, Failure } from "./failure.ts";

type Stacks = ReadonlyMap<string, number>;

/** Writes a profile in the format that the file's name asks for: `callgrind.out…`, or folded stacks. */
export function writeProfile(stacks: Stacks, file: string): void {
  const isCallgrind = basename(file).startsWith("callgrind.out");
  try {
    writeFileSync(toHost(file), isCallgrind ? callgrind(stacks) : folded(stacks));
  } catch (error) {
    throw new Failure(`cannot write ${file}: ${describeSystemError(error)}`);
  }
}

/** A line a stack, as flame graphs are drawn from: names with ";" between, and the number. */
function folded(stacks: Stacks): string {
  return [...stacks]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([stack, count]) => `${stack} ${count}\n`)
    .join("");
}

/** Callgrind's profile format, version 1: what each function took itself, and what each of its calls took in all. */
function callgrind(stacks: Stacks): string {
  const own = new Map<string, number>();
  const calls = new Map<string, Map<string, number>>();
  let total = 0;
  for (const [stack, count] of stacks) {
    const names = stack.split(";");
    const last = names[names.length - 1];
    own.set(last, (own.get(last) ?? 0) + count);
    total += count;
    // Of a call that is on the stack several times, the outermost one counts.
    const seen = new Set<string>();
    for (let i = 0; i + 1 < names.length; i++) {
      const key = `${names[i]};${names[i + 1]}`;
      if (names[i] === names[i + 1] || seen.has(key)) continue;
      seen.add(key);
      let callees = calls.get(names[i]);
      if (callees === undefined) calls.set(names[i], (callees = new Map()));
      callees.set(names[i + 1], (callees.get(names[i + 1]) ?? 0) + count);
    }
  }
  const lines = [
    "# callgrind format",
    "version: 1",
    "creator: ppcr",
    "positions: line",
    "events: Instructions",
  ];
  lines.push(`summary: ${total}`);
  for (const name of new Set([...own.keys(), ...calls.keys()])) {
    lines.push("", `fn=${name}`, `0 ${own.get(name) ?? 0}`);
    for (const [callee, count] of calls.get(name) ?? [])
      lines.push(`cfn=${callee}`, "calls=1 0", `0 ${count}`);
  }
  return `${lines.join("\n")}\n`;
}
