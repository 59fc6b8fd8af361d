/** The shape of a row of the instruction table. */

/**
 * Where an instruction or facility comes from: "P1"/"P2" POWER, "PPC" PowerPC base architecture, then the Power
 * ISA version that brought it.
 */
export type Version =
  | "P1"
  | "P2"
  | "PPC"
  | "2.00"
  | "2.01"
  | "2.02"
  | "2.03"
  | "2.04"
  | "2.05"
  | "2.06"
  | "2.07"
  | "3.0"
  | "3.0B"
  | "3.1";

/** The facility an instruction belongs to; a CPU model says which it has. */
export type Facility =
  | "base"
  /** 64-bit implementations only. */
  | "64"
  | "fp"
  /** Floating-point instructions that only 64-bit implementations have, which need no 64-bit GPRs. */
  | "fp64"
  /** Storage control, cache and synchronisation of Book II. */
  | "storage"
  | "altivec"
  | "vsx"
  | "dfp"
  | "crypto"
  | "mma"
  /** Transactional memory, event-based branches and the branch history, copy and paste: no model offers them to programs. */
  | "tm"
  | "ebb"
  | "copy"
  | "spe"
  /** Decoded for the disassembler only; privileged or implementation specific. */
  | "supervisor";

/** One instruction. Every consumer (decoder, disassembler, encoder, coverage) is derived from these. */
export interface Instruction {
  /**
   * Base mnemonic, without the `o` and `.` of the OE and Rc bits: "addi", "subfc". Instructions that always record
   * keep their dot ("addic.", "andi.", "stwcx."). Unique in the table; the handler's key.
   */
  readonly name: string;
  /** Instruction form of Power ISA I.1.6: "D", "DS", "X", "XO", "MDS", "A", "VX", ... */
  readonly form: string;
  /** Opcode bits; (word & mask) === (match & mask), both as signed 32-bit numbers. */
  readonly match: number;
  readonly mask: number;
  /** Operand fields in assembler order, by the manual's names: ["RT", "RA", "SI"]; see `operands.ts`. */
  readonly operands: readonly string[];
  readonly version: Version;
  readonly facility: Facility;
  /** Has an Rc bit (word bit 31): the dotted form is the same row. */
  readonly rc?: boolean;
  /** Has an Rc bit at word bit 21, as vector compares have. */
  readonly vrc?: boolean;
  /** Has an OE bit (word bit 21): the `o` form is the same row. */
  readonly oe?: boolean;
  /** Has an LK bit (word bit 31). */
  readonly lk?: boolean;
  /** Has an AA bit (word bit 30). */
  readonly aa?: boolean;
  /** Book, section and title: "I.3.3.9 Add Immediate". */
  readonly section: string;
  /** False where the machine has no handler for it: programs get SIGILL. */
  readonly implemented: boolean;
}
