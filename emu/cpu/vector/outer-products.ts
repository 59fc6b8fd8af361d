/** What the outer products of the matrix-multiply assist share: accumulators, and the masks of the prefixed forms. */
import { xa, xb } from "./vector-registers.ts";

/** XMSK, YMSK and PMSK: of which rows, columns and products the results count, the first one leftmost. All, where there is no prefix. */
export interface Masks {
  readonly rows: number;
  readonly columns: number;
  readonly products: number;
}
export const ALL: Masks = { rows: 15, columns: 15, products: 255 };

/** One instruction and, with masks, its prefixed form. */
export interface OuterProduct {
  /** How many products each element sums up, and how many columns an accumulator has. */
  readonly rank: 1 | 2 | 4 | 8;
  readonly columns: 2 | 4;
  execute(word: number, cia: number, masks: Masks): void;
}

/** The first VSR of the accumulator AT: accumulator n is VSRs 4n to 4n + 3, row by row. */
export const accumulator = (word: number): number => ((word >>> 23) & 7) * 4;

/** Sources that are part of the accumulator make an invalid form. */
export const isSeparate = (word: number): boolean =>
  [xa(word), xb(word)].every((n) => n >> 2 !== accumulator(word) >> 2);

/** Bit i of a mask of `width` bits, numbered from the left. */
export const isChosen = (mask: number, width: number, i: number): boolean =>
  ((mask >>> (width - 1 - i)) & 1) !== 0;

/** The masks in the prefix of the MMIRR form: PMSK at its left, XMSK, and YMSK at the left of its four bits. */
export const masksOf = (prefix: number, { rank, columns }: OuterProduct): Masks => ({
  rows: (prefix >>> 4) & 15,
  columns: (prefix & 15) >>> (4 - columns),
  products: rank === 1 ? 1 : ((prefix >>> 8) & 255) >>> (8 - rank),
});
