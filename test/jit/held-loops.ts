/** Loops, run by both engines with stops; translated code has them with one entry. */
import { expect } from "vitest";
import type { Cpu } from "../../emu/cpu/cpu.ts";
import { Interpreter } from "../../emu/cpu/interpreter.ts";
import { asm } from "../../emu/isa/encoder.ts";
import { JitEngine } from "../../emu/jit/engine.ts";
import { Translations } from "../../emu/jit/translations.ts";
import { PAGE_SIZE } from "../../emu/memory/layout.ts";
import { type Abi, AT_ONCE, advance, createCpu, prepare, show } from "./engines-agree.ts";
import { DATA_PAGES, DATA_START } from "./random-programs.ts";

/** Loops are translated at first sight, and have one entry: no place inside them gets to be another. */
export const ONE_ENTRY = { ...AT_ONCE, entryThreshold: 1_000_000 };

/** Where data ends that may be written; one page follows that may be read. */
export const END = DATA_START + DATA_PAGES * PAGE_SIZE;

export interface Case {
  readonly lines: readonly string[];
  /** GPRs at the beginning, by number. */
  readonly gprs: Readonly<Record<number, number>>;
  /** Instructions until it faults, about. */
  readonly length: number;
}

/** Both engines on a case, stopped often; `between` is done to both in the middle. */
export function hold(abi: Abi, loop: Case, tuning: typeof AT_ONCE, between = (_: Cpu) => {}): void {
  holdAt(abi, loop, tuning, between, (at) => 61 + (at % 7) * 130);
  holdAt(abi, loop, tuning, between, () => loop.length / 2);
}
function holdAt(
  abi: Abi,
  { lines, gprs, length }: Case,
  tuning: typeof AT_ONCE,
  between: (cpu: Cpu) => void,
  countAt: (at: number) => number,
): void {
  const [left, right] = [createCpu(abi, undefined), createCpu(abi, undefined)];
  for (const cpu of [left, right]) {
    prepare(
      cpu,
      abi,
      lines.map((line) => asm(line)),
      3,
    );
    for (const [n, value] of Object.entries(gprs)) cpu.registers.setGpr(Number(n), BigInt(value));
  }
  const jit = new JitEngine(right, new Translations(tuning));
  const interpreter = new Interpreter(left);
  for (let at = 0; at < length; ) {
    const count = countAt(at);
    at += count;
    expect([advance(jit, count), ...show(right)]).toEqual([advance(interpreter, count), ...show(left)]);
    if (at < length / 2 || at - count >= length / 2) continue;
    between(left);
    between(right);
  }
  expect(jit.statistics.translated).toBeGreaterThan(length / 4);
  const data = ({ memory }: Cpu) =>
    Array.from({ length: 0x1000 }, (_, i) => memory.load32(DATA_START + 4 * i));
  expect(data(right)).toEqual(data(left));
}
