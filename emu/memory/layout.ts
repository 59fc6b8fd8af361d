/**
 * Where things live in a machine's WebAssembly memory.
 *
 * The guest never gets the top CORNER_SIZE bytes of its address space (the personality maps nothing there), and
 * the machine keeps its own tables in that corner, so that translated code reaches guest memory, registers and
 * guard tables through one memory. The corner is at host offset 0: what is further than 2 GiB from where a memory begins
 * can't be the displacement of a host's instruction. In a big-endian machine guest memory is stored reversed (see `AddressSpace`),
 * which puts the corner there; in a little-endian one it lies behind the corner, moved by STRAIGHT_OFFSET.
 */

/** Bytes in a guest page; also the granule of protection, and AT_PAGESZ. */
export const PAGE_SIZE = 4096;
export const PAGE_SHIFT = 12;
/** Bytes at the top of the guest address space that belong to the machine. */
export const CORNER_SIZE = 4 * 1024 * 1024;
/** Offset within the corner of the running thread's register block; see `emu/cpu/registers.ts`. */
export const REGISTERS_OFFSET = 0;
/** Bytes of one thread's register block. */
export const REGISTERS_SIZE = 2048;
/** Offset within the corner of the bytes on their way into and out of a big-endian guest's memory, and how many at a time. */
export const REVERSAL_OFFSET = 0x8_0000;
export const REVERSAL_SIZE = 0x1_0000;
/** Offsets within the corner of the guard tables, one byte a page of the whole 4 GiB. */
export const READ_GUARD_OFFSET = 0x10_0000;
export const WRITE_GUARD_OFFSET = 0x20_0000;
export const GUARD_TABLE_SIZE = 0x10_0000;
/**
 * Offset within the corner of the table of places of far memory (`far-map.ts`), and its size: entries of sixteen bytes, which are
 * the guest address divided by 64 KiB (a doubleword) and the address of its place in the one memory (a word).
 */
export const FAR_TABLE_OFFSET = 0x3e_0000;
export const FAR_SLOTS = 4096;
export const FAR_SLOT_SIZE = 16;
/**
 * Host offset of guest address 0 in a little-endian machine: what is in front of it of the corner is used, and the memory goes on for so much
 * behind the last address that an access may reach beyond it.
 */
export const STRAIGHT_OFFSET = 0x3f_0000;
