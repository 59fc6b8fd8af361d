/** Instructions beside the reference: the tests try a few cases of each row, `npm run campaign -- --reference` millions. */
import { expect, it } from "vitest";
import { Words } from "./operands.ts";

/** Rows of one kind of arithmetic. */
export interface Family {
  readonly name: string;
  /** Names of instructions; behind a space what else is fixed of the instruction word. */
  readonly rows: readonly string[];
  /** Executes one case that `words` choose and says how it differs from the reference; undefined when it does not. */
  difference(row: string, words: Words): string | undefined;
}

/** What differs in the cases of a row that a seed stands for. */
export function differences(
  { rows, difference }: Family,
  row: string,
  seed: number,
  cases: number,
): string[] {
  const words = new Words(seed * 10007 + rows.indexOf(row));
  return Array.from({ length: cases }, () => difference(row, words)).filter((each) => each !== undefined);
}

/** A test a row. */
export function itComputes(family: Family, cases: number): void {
  it.each(family.rows)("computes %s as exact arithmetic rounded once, with all flags", (row) => {
    expect(differences(family, row, 1, cases)).toEqual([]);
  });
}

export const hex = (value: bigint | number) => `0x${value.toString(16)}`;
