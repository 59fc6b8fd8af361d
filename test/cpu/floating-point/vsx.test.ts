import { describe, expect, it } from "vitest";
import { itComputes } from "./family.ts";
import { randomOperand, Words } from "./operands.ts";
import { VSX_FAMILY } from "./vsx-family.ts";

describe("VSX floating-point arithmetic and conversions", () => {
  itComputes(VSX_FAMILY, 120);
  it("has operands of all kinds", () => {
    const words = new Words(1);
    const kinds = new Set(Array.from({ length: 500 }, () => randomOperand(words) >> 52n));
    expect(kinds.size).toBeGreaterThan(100);
  });
});
