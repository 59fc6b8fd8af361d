/** The whole instruction table, for the assembler, the disassembler and tests; the decoder takes the parts it meets. */
import { lazily } from "../lazily.ts";
import type { Instruction } from "./instruction.ts";
import { PARTS } from "./tables.ts";

export const INSTRUCTIONS: () => readonly Instruction[] = lazily(() => PARTS.flatMap(({ rows }) => rows()));

const byName = lazily(() => new Map(INSTRUCTIONS().map((instruction) => [instruction.name, instruction])));

/** The row of a base mnemonic such as "addi" or "stwcx."; undefined where there is none. */
export const instructionNamed = (name: string): Instruction | undefined => byName().get(name);
