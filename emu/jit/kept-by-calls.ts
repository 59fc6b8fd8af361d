/** What calls leave as it was, as compilers have it. Where one does not, code that was to follow it goes on in the interpreter. */
import type { Block } from "./scan.ts";

const STACK_POINTER = 1;
const TABLE_OF_CONTENTS = 2;
const KEPT = [STACK_POINTER, TABLE_OF_CONTENTS];

/** ld 2,0(1), but for the distance: what was called may have another table of contents, for it belongs to another object as a rule. */
const RESTORE_CONTENTS = 0xe841_0000 | 0;

/** The registers that a call keeps, by the block that follows it, if that is known. */
export function keptByCall(after: Block | undefined): readonly number[] {
  const word = after?.words[0];
  const restores = word !== undefined && (word & 0xffff_0003) === RESTORE_CONTENTS;
  return restores ? [STACK_POINTER] : KEPT;
}
