/** Trap instructions: Power ISA 3.0B, I.3.3.11. */
import { GuestFault } from "./fault.ts";
import { ra, rb, si, to } from "./fields.ts";
import type { HandlerTable } from "./handler.ts";
import { cpu } from "./views.ts";

/** What a comparison of a and b makes true, as bits of TO: a <s b, a >s b, a = b, a <u b, a >u b. */
function relations(signed: number, unsigned: number): number {
  if (unsigned === 0) return 4;
  return (signed < 0 ? 16 : 8) | (unsigned < 0 ? 2 : 1);
}

const trapIf = (word: number, cia: number, relation: number) => {
  if ((to(word) & relation) !== 0) throw new GuestFault("trap", BigInt(cia >>> 0));
};
const words = (a: number, b: number) => relations(a - b, (a >>> 0) - (b >>> 0));
const doublewords = (a: number, bLow: number, bHigh: number) => {
  const low = (cpu.i32[a] >>> 0) - (bLow >>> 0);
  const high = cpu.i32[a + 1];
  return relations(high - bHigh || low, (high >>> 0) - (bHigh >>> 0) || low);
};

export const trapHandlers: HandlerTable = {
  twi: (word, cia) => trapIf(word, cia, words(cpu.i32[ra(word)], si(word))),
  tw: (word, cia) => trapIf(word, cia, words(cpu.i32[ra(word)], cpu.i32[rb(word)])),
  tdi: (word, cia) => trapIf(word, cia, doublewords(ra(word), si(word), si(word) >> 31)),
  td: (word, cia) => trapIf(word, cia, doublewords(ra(word), cpu.i32[rb(word)], cpu.i32[rb(word) + 1])),
};
