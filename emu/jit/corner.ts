/** What the translator keeps in the machine's corner, beside the register block and the guard tables; offsets within the corner. */

/** Pending floating-point records: the instruction (0: none) and its operands A, B, C; see `fp-status.ts`. */
export const RECORDS_OFFSET = 0x1000;
export const RECORD_SIZE = 32;
/** A sum that a directed mode has rounded; see `directed-sum.ts`. */
export const SUM_OFFSET = 0x1080;
/** Where `enter` leaves the instructions that are left of the budget. */
export const BUDGET_OFFSET = 0x1100;
/** Beside it: not zero where an instruction executed for translated code has thrown. */
export const THROWN_OFFSET = BUDGET_OFFSET + 4;
/** What the quick loop says of the translated code that it has run since it began, in words by `Counted`. */
export const COUNTS_OFFSET = 0x1110;
export const Counted = {
  /** Entries, those of them that followed an exit at once, and the instructions executed. */
  entered: 0,
  other: 1,
  executed: 2,
  /** Exits at the first instruction, and at the end of the budget. */
  first: 3,
  limit: 4,
  /** Instructions that were left at the last exit. */
  left: 5,
} as const;
export const COUNTS = 6;
/** Slots of the function table by guest address: a word with the address, a word with the slot, found by the address's low bits. */
export const LOOKUP_OFFSET = 0x30_0000;
export const LOOKUP_ENTRIES = 0x1_0000;
/** In place of an address where there is none. */
export const NO_ADDRESS = 1;
/** Added to the address of an instruction that is a system call, where somebody is to execute it; and this as well to that of `scv`. */
export const IS_CALL = 2;
export const IS_VECTORED = 1;
/**
 * What the quick loop knows of the guest's code: a byte for each of so many instructions, found by the address's low bits, whose bit 0 says that the
 * program has come there by a branch and the rest how often it may arrive there before JavaScript is asked; and a bit for each page that is open.
 */
export const MARKS_OFFSET = 0x9_0000;
export const MARKS_SIZE = 0x4_0000;
export const OPEN_OFFSET = 0x38_0000;
export const OPEN_SIZE = 0x2_0000;
/**
 * Where branches through CTR have led in the quick loop. By the low bits of the address of one: that address, and how often it has been executed, in
 * words; and its latest targets, each in the place that follows the last one's.
 */
export const CALLS_OFFSET = 0x3a_0000;
export const CALL_SITES = 256;
export const CALLED_OFFSET = CALLS_OFFSET + 8 * CALL_SITES;
/** Targets of one of them: 2 to the power of this. */
export const CALLED_SHIFT = 4;
