/**
 * Finds the row of an instruction word. Rows are indexed by primary opcode and by those of the word's low eleven bits
 * that the rows of that opcode look at; an opcode's index is built when it is first met.
 */
import type { Instruction } from "./instruction.ts";
import { PARTS } from "./tables.ts";

/** Bits 21 to 31, which hold the extended opcodes. */
const LOW = 0x7ff;

interface OpcodeIndex {
  readonly keyMask: number;
  readonly rows: ReadonlyMap<number, readonly Instruction[]>;
}

const indexes = new Array<OpcodeIndex | undefined>(64);

/** Number of bits set. */
function population(mask: number): number {
  let count = 0;
  for (; mask !== 0; mask &= mask - 1) count++;
  return count;
}

function buildIndex(opcode: number): OpcodeIndex {
  const parts = PARTS.filter(({ opcodes }) => opcodes.includes(opcode));
  const known = parts.flatMap(({ rows }) => rows()).filter(({ match }) => match >>> 26 === opcode);
  // Where one row's opcode bits include another's, the more specific row has to be tried first.
  const ordered = known.sort((a, b) => population(b.mask) - population(a.mask));
  const keyMask = ordered.reduce((all, { mask }) => all | mask, 0) & LOW;
  const rows = new Map<number, Instruction[]>();
  for (const row of ordered) {
    const free = keyMask & ~row.mask;
    // Every subset of the key bits that the row leaves open.
    let subset = free;
    for (;;) {
      const key = (row.match & keyMask) | subset;
      const list = rows.get(key);
      if (list) list.push(row);
      else rows.set(key, [row]);
      if (subset === 0) break;
      subset = (subset - 1) & free;
    }
  }
  return { keyMask, rows };
}

/** The instruction that `word` (any 32-bit number, signed or not) is; undefined where the table has none. */
export function decode(word: number): Instruction | undefined {
  const opcode = word >>> 26;
  const { keyMask, rows } = (indexes[opcode] ??= buildIndex(opcode));
  const candidates = rows.get(word & keyMask);
  if (candidates) {
    for (const row of candidates) if ((word & row.mask) === row.match) return row;
  }
  return undefined;
}
