/** A case in which qemu-user and ppcr end in different states. */
import type { Instruction } from "../../emu/isa/instruction.ts";
import type { CaseState } from "./case-state.ts";
import type { CaseAbi } from "./qemu-cases.ts";

export interface DifferingCase {
  row: Pick<Instruction, "name" | "operands" | "facility">;
  abi: CaseAbi;
  /** Of a prefixed instruction the suffix, and the row that it would be by itself. */
  word: number;
  before: CaseState;
  qemu: CaseState;
  ppcr: CaseState;
  /** What differs: "gpr3", "cr", "fault", ... */
  fields: readonly string[];
}
