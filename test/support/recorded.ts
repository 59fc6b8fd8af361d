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

/** Tests that tell nothing here, and why. */
const LEFT_OUT: readonly { tests: RegExp; targets: readonly Target[]; reason: string }[] = [
  { tests: /^test_isa_3_/, targets: ["ppc64"], reason: "recorded on little-endian machines only" },
  {
    tests: /^test_isa_3_1_R1_/,
    targets: ["ppc64le"],
    reason: "prints its own code, which depends on the compiler; under qemu-user it doesn't end either",
  },
  {
    tests: /^(lsw|ldst_multiple)$/,
    targets: ["ppc64le"],
    reason: "load and store multiple and string are big-endian instructions",
  },
  {
    tests: /^(test_tm|test_touch_tm|test_copy_paste)$/,
    targets: ["ppc32", "ppc64", "ppc64le"],
    reason: "needs a facility that AT_HWCAP2 does not offer here",
  },
];

/** Why a test is left out; undefined if it isn't. */
export const leftOut = (name: string, target: Target): string | undefined =>
  LEFT_OUT.find(({ tests, targets }) => tests.test(name) && targets.includes(target))?.reason;

/** Lines that may differ, and why. */
const REASONS: readonly { tests: RegExp; lines: RegExp; reason: string }[] = [
  {
    tests: /^(mcrfs|power5\+_round)$/,
    lines: /^/,
    reason: "valgrind's own FPSCR was recorded, which has no exception and result bits",
  },
  {
    tests: /^mftocrf$/,
    lines: /^0x/,
    reason: "the MPC7447A gives all of CR, where the manual defines one field",
  },
  {
    tests: /^test_[fg]x$/,
    lines: /^fr?sqrte?s (2\.0+e-200|5\.0+e\+100) /,
    reason:
      "single roots of operands beyond the singles are undefined; those of VSX were recorded as rounded",
  },
  {
    tests: /^jm_int_isa_2_07$/,
    lines: /^/,
    reason: "quadword instructions in a 32-bit program, whose registers have 32 bits here",
  },
  {
    tests: /^subnormal_test$/,
    lines: /vr(sqrt)?efp/,
    reason: "reciprocal estimates are as exact as the format allows",
  },
];

/** The differences for which there is no reason, and how many lines each reason explains. */
export function explain(
  name: string,
  lines: readonly Difference[],
): { unexplained: Difference[]; reasons: Map<string, number> } {
  const reasons = new Map<string, number>();
  const unexplained = lines.filter(({ expected }) => {
    const known = REASONS.find((each) => each.tests.test(name) && each.lines.test(expected));
    if (known !== undefined) reasons.set(known.reason, (reasons.get(known.reason) ?? 0) + 1);
    return known === undefined;
  });
  return { unexplained, reasons };
}
