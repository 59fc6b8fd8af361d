/** The whole instruction table, for the assembler, the disassembler and tests; the decoder takes the parts it meets. */
import type { Instruction } from "./instruction.ts";
import { LATER, SCALAR } from "./tables.ts";

export const INSTRUCTIONS: readonly Instruction[] = [...SCALAR, ...LATER.flatMap(({ rows }) => rows())];

const byName = new Map(INSTRUCTIONS.map((instruction) => [instruction.name, instruction]));

/** The row of a base mnemonic such as "addi" or "stwcx."; undefined where there is none. */
export const instructionNamed = (name: string): Instruction | undefined => byName.get(name);
