/** Fixed-point compare: Power ISA 3.0B, I.3.3.10 and I.3.3.10.1; isel, I.3.3.12. */
import { bf, bfa, L, ra, ra0, rb, rc, rt, si, ui } from "../fields.ts";
import type { Handler, HandlerTable, Selector } from "../handler.ts";
import { CR, XER_SO } from "../registers.ts";
import { cpu } from "../views.ts";

const setField = (word: number, less: boolean, greater: boolean) => {
  cpu.bytes[CR + bf(word)] = (less ? 8 : greater ? 4 : 2) | cpu.bytes[XER_SO];
};
const signed = (word: number, bLow: number, bHigh: number) => {
  const low = cpu.i32[ra(word)];
  const high = cpu.i32[ra(word) + 1];
  if (high !== bHigh) setField(word, high < bHigh, true);
  else setField(word, low >>> 0 < bLow >>> 0, low >>> 0 > bLow >>> 0);
};
const unsigned = (word: number, bLow: number, bHigh: number) => {
  const low = cpu.i32[ra(word)] >>> 0;
  const high = cpu.i32[ra(word) + 1] >>> 0;
  if (high !== bHigh >>> 0) setField(word, high < bHigh >>> 0, true);
  else setField(word, low < bLow >>> 0, low > bLow >>> 0);
};
/** L = 1 compares doublewords; 32-bit implementations take no notice of it, nor is it taken in programs without upper halves. */
const byLength = (words: Handler, doublewords: Handler): Selector => ({
  select: (word, { model }) => (model.facilities.has("64") && (word & L) !== 0 ? doublewords : words),
});

export const compareHandlers: HandlerTable = {
  cmpi: byLength(
    (word) => setField(word, cpu.i32[ra(word)] < si(word), cpu.i32[ra(word)] > si(word)),
    (word) => signed(word, si(word), si(word) >> 31),
  ),
  cmp: byLength(
    (word) => setField(word, cpu.i32[ra(word)] < cpu.i32[rb(word)], cpu.i32[ra(word)] > cpu.i32[rb(word)]),
    (word) => signed(word, cpu.i32[rb(word)], cpu.i32[rb(word) + 1]),
  ),
  cmpli: byLength(
    (word) => setField(word, cpu.i32[ra(word)] >>> 0 < ui(word), cpu.i32[ra(word)] >>> 0 > ui(word)),
    (word) => unsigned(word, ui(word), 0),
  ),
  cmpl: byLength(
    (word) =>
      setField(
        word,
        cpu.i32[ra(word)] >>> 0 < cpu.i32[rb(word)] >>> 0,
        cpu.i32[ra(word)] >>> 0 > cpu.i32[rb(word)] >>> 0,
      ),
    (word) => unsigned(word, cpu.i32[rb(word)], cpu.i32[rb(word) + 1]),
  ),
  /** Whether the low byte of RA is in one of the ranges of bytes that RB holds: one of them, or two with L = 1. */
  cmprb: (word) => {
    const byte = cpu.i32[ra(word)] & 0xff;
    const ranges = cpu.i32[rb(word)];
    const within = (shift: number) =>
      byte >= ((ranges >>> shift) & 0xff) && byte <= ((ranges >>> (shift + 8)) & 0xff);
    cpu.bytes[CR + bf(word)] = within(0) || ((word & L) !== 0 && within(16)) ? 4 : 0;
  },
  cmpeqb: (word) => {
    const byte = cpu.i32[ra(word)] & 0xff;
    let found = 0;
    for (const half of [cpu.i32[rb(word)], cpu.i32[rb(word) + 1]]) {
      for (let shift = 0; shift < 32; shift += 8) if (((half >>> shift) & 0xff) === byte) found = 4;
    }
    cpu.bytes[CR + bf(word)] = found;
  },
  setb: (word) => {
    const field = cpu.bytes[CR + bfa(word)];
    const result = (field & 8) !== 0 ? -1 : (field & 4) !== 0 ? 1 : 0;
    cpu.i32[rt(word)] = result;
    cpu.i32[rt(word) + 1] = result >> 31;
  },
  isel: (word) => {
    const bit = rc(word) >> 1;
    const from = (cpu.bytes[CR + (bit >> 2)] & (8 >> (bit & 3))) !== 0 ? ra0(word) : rb(word);
    const low = cpu.i32[from];
    const high = cpu.i32[from + 1];
    cpu.i32[rt(word)] = low;
    cpu.i32[rt(word) + 1] = high;
  },
};
