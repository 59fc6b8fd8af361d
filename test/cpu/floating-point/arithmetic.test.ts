import { describe, expect, it } from "vitest";
import { itComputes } from "./family.ts";
import { FPR_FAMILY } from "./fpr-family.ts";
import { createFpMachine, FP_ROWS } from "./machine.ts";

describe("floating-point arithmetic", () => {
  it("has handlers for rows of the table only", () => {
    const rows = new Set(FP_ROWS.map((row) => row.name));
    expect(createFpMachine().names.filter((name) => !rows.has(name))).toEqual([]);
  });
  itComputes(FPR_FAMILY, 500);
});
