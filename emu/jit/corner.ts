/** What the translator keeps in the machine's corner, beside the register block and the guard tables; offsets within the corner. */

/** Pending floating-point records: the instruction (0: none) and its operands A, B, C; see `fp-status.ts`. */
export const RECORDS_OFFSET = 0x1000;
export const RECORD_SIZE = 32;
/** Where `enter` leaves the instructions that are left of the budget. */
export const BUDGET_OFFSET = 0x1100;
/** Slots of the function table by guest address: a word with the address, a word with the slot, found by the address's low bits. */
export const LOOKUP_OFFSET = 0x30_0000;
export const LOOKUP_ENTRIES = 0x1_0000;
/** In place of an address where there is none. */
export const NO_ADDRESS = 1;
