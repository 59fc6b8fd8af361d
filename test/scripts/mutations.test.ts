import { describe, expect, it } from "vitest";
import { mutate, mutations } from "../../scripts/mutations.mjs";

/** What becomes of a source. */
const mutants = (source: string): string[] => mutations(source).map((each) => mutate(source, each));

describe("mutations", () => {
  it.each([
    [
      "const f = (a: number) => a < 10;",
      ["const f = (a: number) => a <= 10;", "const f = (a: number) => a < (10 + 1);"],
    ],
    ["if (a && !b) c();", ["if (!(a && !b)) c();", "if (a || !b) c();", "if (a && !b) ;"]],
    [
      "const g = (a - b) === 0n;",
      ["const g = (a + b) === 0n;", "const g = (a - b) !== 0n;", "const g = (a - b) === (0n + 1n);"],
    ],
    ["const flag = true as boolean;", ["const flag = false as boolean;"]],
    ["/* a < b */ x ??= y; // é < ü", ["/* a < b */ ; // é < ü"]],
    ['const é = "ü"; s = é + "a+b";', ['const é = "ü"; ;', 'const é = "ü"; s = é - "a+b";']],
  ])("of %s are what could be mistaken in it", (source, expected) => {
    expect(mutants(source).sort()).toEqual([...expected].sort());
  });

  it("leave types, imports and names alone", () => {
    expect(
      mutants('import { a } from "./a.ts"; export type T = 1 | 2; interface I { x: 3 } let y: 4;'),
    ).toEqual([]);
  });
});
