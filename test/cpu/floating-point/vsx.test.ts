import { describe, expect, it } from "vitest";
import { itComputes } from "./family.ts";
import { createFpMachine } from "./machine.ts";
import { randomOperand, Words } from "./operands.ts";
import { VSX_FAMILY } from "./vsx-family.ts";

describe("VSX floating-point arithmetic and conversions", () => {
  itComputes(VSX_FAMILY, 120);
  const TINY = 2 ** -100;
  // The product is half way between two singles; all but its sum with the last addend are rounded.
  const FACTOR = 1 + 2 ** -12;
  const ADDENDS = [TINY, -TINY, 0, -(2 ** -24)];
  const BELOW = 1 + 2 ** -11;
  const SUMS = [BELOW + 2 ** -23, BELOW, BELOW, BELOW];
  const four = (numbers: readonly number[]) => {
    const view = new DataView(new ArrayBuffer(16));
    for (const [i, number] of numbers.entries()) view.setFloat32(4 * i, number);
    return (view.getBigUint64(0) << 64n) | view.getBigUint64(8);
  };
  it.each(["madd", "msub", "nmadd", "nmsub"].flatMap((name) => [`xv${name}asp`, `xv${name}msp`]))(
    "rounds four sums once that lie beside the middle of two singles: %s",
    (name) => {
      const { cpu, vsr, setVsr, run } = createFpMachine();
      const [addendSign, resultSign] = [name.includes("sub") ? -1 : 1, name.includes("xvn") ? -1 : 1];
      const addends = four(ADDENDS.map((addend) => addend * addendSign));
      const factors = four([FACTOR, FACTOR, FACTOR, FACTOR]);
      // Inexact before, and not: the first to be inexact sets FX as well.
      for (const fpscr of [0x8200_0000, 0]) {
        cpu.registers.fpscr = fpscr;
        setVsr(1, factors);
        setVsr(2, name.endsWith("asp") ? factors : addends);
        setVsr(4, name.endsWith("asp") ? addends : factors);
        run(name);
        expect(vsr(4)).toBe(four(SUMS.map((sum) => sum * resultSign)));
        expect(cpu.registers.fpscr).toBe(0x8200_0000);
      }
    },
  );
  it("has operands of all kinds", () => {
    const words = new Words(1);
    const kinds = new Set(Array.from({ length: 500 }, () => randomOperand(words) >> 52n));
    expect(kinds.size).toBeGreaterThan(100);
  });
});
