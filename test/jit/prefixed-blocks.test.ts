/** Prefixed instructions in translated code: two words that count as one, in blocks of both. */
import { expect, it } from "vitest";
import { asm } from "../../emu/isa/encoder.ts";
import { runBoth } from "./engines-agree.ts";
import { CODE_START, DATA_START } from "./random-programs.ts";

const line = (text: string): number[] => [asm(text)];
/** MLS:D forms with R = 1, to an address of data; the suffix has the opcode of the one without a prefix. */
const relative = (suffix: string, at: number, to: number): number[] => {
  const distance = to - (CODE_START + 4 * at);
  return [0x0610_0000 | ((distance >> 16) & 0x3_ffff), (asm(suffix) & ~0xffff) | (distance & 0xffff)];
};
const PNOP = 0x0700_0000;

/** Both engines, with nothing in the registers that the programs count in. */
const run = (model: string, words: readonly number[], counts: readonly number[]) =>
  runBoth(model, words, counts, 5, ({ registers }) => {
    for (const n of [3, 5, 6]) registers.setGpr(n, 0n);
  });

it("runs a loop over static data without leaving it, stopped at any of its instructions", () => {
  const words = [
    ...relative("lwz 3,0(0)", 0, DATA_START + 8),
    ...line("addi 3,3,1"),
    ...relative("stw 3,0(0)", 3, DATA_START + 8),
    ...line("addi 6,6,1"),
    ...line("b -24"),
  ];
  const { ends, registers, statistics } = run("power10", words, [5000, 1, 1, 1, 1, 1, 50_003]);
  expect(ends.map(([, at]) => at)).toEqual([0, 8, 12, 20, 24, 0, 20]);
  expect(registers.gpr(6)).toBe(11_001n);
  expect(statistics.steps).toBe(0);
  expect(statistics.entered).toBeLessThan(20);
});

it("has the rest executed where it is, without an end of the block", () => {
  // pmxvi8ger4 with masks.
  const words = [0x0790_00ff, 0xec04_2818, ...line("addi 6,6,1"), ...line("b -12")];
  const { statistics } = run("power10", words, [3000, 3001]);
  expect(statistics.steps).toBeGreaterThan(1500);
  expect(statistics.entered).toBeLessThan(20);
});

it("knows the suffix as an instruction of its own where a branch leads there", () => {
  const words = [
    ...line("addi 6,6,1"),
    ...line("xori 5,5,1"),
    ...line("cmpi 0,0,5,0"),
    ...line("bc 12,2,8"),
    PNOP,
    ...line("addi 3,3,1"),
    ...line("b -24"),
  ];
  const { registers } = run("power10", words, [7, 3000, 11, 4001]);
  expect(registers.gpr(3)).toBe(registers.gpr(6) / 2n);
});

it("leaves a prefix at the end of 64 bytes, and any on a processor without them, to raise their interrupts", () => {
  const at60 = [...Array.from({ length: 15 }, () => asm("addi 6,6,1")), PNOP, 0];
  expect(run("power10", at60, [100]).ends).toEqual([
    [`alignment at 0x${(CODE_START + 60).toString(16)}`, 60],
  ]);
  const loop = [...line("addi 6,6,1"), ...line("cmpi 0,0,6,400"), ...line("bc 12,0,-8"), PNOP, 0];
  expect(run("power9", loop, [5000]).ends).toEqual([[`illegal at 0x${(CODE_START + 12).toString(16)}`, 12]]);
});
