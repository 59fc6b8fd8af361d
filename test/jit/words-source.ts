/** Words at an address as the translator's scan sees a program's code: all of it has run, nothing is a function of its own. */
import type { ScanSource } from "../../emu/jit/scan.ts";

export const sourceOf = (start: number, words: readonly number[]): ScanSource => ({
  isCode: (address) => address >= start && address < start + 4 * words.length,
  fetch: (address) => words[(address - start) / 4],
  hasRun: () => true,
  isFunction: () => false,
  calledFrom: () => [],
  registers: new Int32Array(64),
  peek: () => undefined,
  tables: new Map(),
});
