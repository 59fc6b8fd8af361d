/** Outer products in translated code: functions on the register block, which leave what is rare to the interpreter. */
import { expect, it } from "vitest";
import { VSR } from "../../emu/cpu/registers.ts";
import { asm } from "../../emu/isa/encoder.ts";
import { runBoth } from "./engines-agree.ts";

/** Each instruction of a family on an accumulator of its own, of which FPRs are used as well. */
const family = (name: string): number[] =>
  ["", "pp", "np", "pn", "nn"].flatMap((ending, n) => [
    asm(`${name}${ending} ${n},${24 + 2 * n},${33 + n}`),
    asm(`fadd ${4 * n + 1},${4 * n},${26 + n}`),
  ]);
const loop = (words: readonly number[]): number[] => [...words, asm(`b ${-4 * words.length}`)];
const XX = 0x0200_0000;

it.each(["xvf32ger", "xvf64ger"])("%s and its sums give what the interpreter gives", (name) => {
  for (let seed = 1; seed <= 5; seed++) {
    const words = loop([...family(name), asm("xxmfacc 3"), asm("fmul 24,12,13"), asm("xxmtacc 3")]);
    runBoth("power10", words, [14, 1, 140, 1, 1, 1, 300], seed, ({ registers }) => {
      registers.fpscr = [XX, XX | 1, 0, XX | 8, XX | 0xf0][seed % 5];
    });
  }
});

it("calls no handler where rows are normal numbers, and clears accumulators", () => {
  const words = loop([asm("xxsetaccz 2"), asm("xvf64ger 0,24,34"), asm("xvf32ger 1,36,36")]);
  const { statistics } = runBoth("power10", words, [4000], 1, ({ registers }) => {
    registers.fpscr = XX;
    // Every VSR: such numbers as doubles, and as singles.
    registers.u64.fill(0x3ff8_0000_4008_0000n, VSR / 8, VSR / 8 + 128);
  });
  expect(statistics.steps).toBe(0);
  expect(statistics.translated).toBeGreaterThan(3000);
});
