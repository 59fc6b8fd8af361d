/**
 * Effective addresses: Power ISA 3.0B, I.1.10.3. They are unsigned 32-bit numbers: for an address of a 64-bit guest whose
 * upper half is not zero memory gives one that stands for it (`AddressSpace.near`), less than zero, or faults; `isStore` is for that
 * fault. What keeps an address, rather than accesses storage with it, asks for the true one: `keepAddress`, `addressOf`; so does what
 * accesses other storage than that from it on.
 */
import { ra, ra0, rb, si } from "./fields.ts";
import { carryOut } from "./flags.ts";
import { cpu } from "./views.ts";

/** (RA|0) plus an offset, in 64-bit mode both of 64 bits. */
function sum(word: number, offset: number, offsetHigh: number, isStore: boolean): number {
  const base = ra0(word);
  const low = (cpu.i32[base] + offset) | 0;
  if (cpu.is64) {
    const high = (cpu.i32[base + 1] + offsetHigh + carryOut(cpu.i32[base], offset, low)) | 0;
    if (high !== 0) return cpu.memory.near(high, low, isStore);
  }
  return low >>> 0;
}

const displaced = (word: number, displacement: number, isStore: boolean): number =>
  sum(word, displacement, displacement >> 31, isStore);

/** (RA|0) + D, of D forms. */
export const addressD = (word: number, isStore: boolean): number => displaced(word, si(word), isStore);
/** (RA|0) + (DS || 0b00), of DS forms. */
export const addressDs = (word: number, isStore: boolean): number => displaced(word, si(word) & ~3, isStore);
/** (RA|0) + (DQ || 0b0000), of DQ forms. */
export const addressDq = (word: number, isStore: boolean): number => displaced(word, si(word) & ~15, isStore);
/** (RA|0) + (RB), of X forms. */
export const addressX = (word: number, isStore: boolean): number =>
  sum(word, cpu.i32[rb(word)], cpu.i32[rb(word) + 1], isStore);
/** (RA|0), of lswi and stswi. */
export const addressRa = (word: number, isStore: boolean): number => sum(word, 0, 0, isStore);

/** RA <- EA, of forms with update. */
export function updateRa(word: number, ea: number): void {
  keepAddress(ra(word), ea);
}
/** Puts an effective address into the doubleword of the register block at `at` (in words). */
export function keepAddress(at: number, ea: number): void {
  cpu.i32[at] = ea;
  cpu.i32[at + 1] = 0;
  if (cpu.memory.isFar(ea)) {
    const address = cpu.memory.addressOf(ea);
    cpu.i32[at] = address;
    cpu.i32[at + 1] = address / 2 ** 32;
  }
}
/** The true effective address, for a fault. */
export const trueAddress = (ea: number): bigint => BigInt(cpu.memory.addressOf(ea));
