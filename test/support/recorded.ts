/** Compares what a program printed with outputs that were recorded elsewhere. */
import type { Target } from "./guests.ts";

/** A line of one output and what stands in its place in the other. */
export interface Difference {
  readonly line: number;
  readonly expected: string;
  readonly got: string;
}

export interface Closest {
  readonly name: string;
  readonly total: number;
  readonly lines: readonly Difference[];
}

/** The recorded output that is most like `text`, and where they differ. */
export function closest(text: string, recorded: readonly { name: string; text: string }[]): Closest {
  const all = recorded.map(({ name, text: other }) => {
    const expected = other.trimEnd().split("\n");
    const got = text.trimEnd().split("\n");
    const lines: Difference[] = [];
    for (let at = 0; at < Math.max(expected.length, got.length); at++) {
      const wanted = expected[at]?.trimEnd() ?? "(nothing)";
      const found = got[at]?.trimEnd() ?? "(nothing)";
      if (wanted !== found) lines.push({ line: at + 1, expected: wanted, got: found });
    }
    return { name, total: expected.length, lines };
  });
  const [best] = all.sort((one, other) => one.lines.length - other.lines.length);
  return best ?? { name: "(none)", total: 0, lines: [] };
}

export function explain(
  _name: string,
  _target: Target,
  lines: readonly Difference[],
): { unexplained: Difference[]; reasons: string[] } {
  return { unexplained: [...lines], reasons: [] };
}
