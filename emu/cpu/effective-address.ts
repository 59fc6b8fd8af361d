/**
 * Effective addresses: Power ISA 3.0B, I.1.10.3. Guest memory ends below 2^32, so that an address of a 64-bit guest
 * whose upper half is not zero is a fault, and all others are unsigned 32-bit numbers.
 */
import { GuestFault } from "./fault.ts";
import { ra0, rb, si } from "./fields.ts";
import { carryOut } from "./flags.ts";
import type { Cpu } from "./interpreter.ts";

/** The address of an instruction's operand; `isStore` is for the fault it may be. */
type AddressOf = (word: number, isStore: boolean) => number;

export interface EffectiveAddresses {
  /** (RA|0) + D, of D forms. */
  readonly d: AddressOf;
  /** (RA|0) + (DS || 0b00), of DS forms. */
  readonly ds: AddressOf;
  /** (RA|0) + (DQ || 0b0000), of DQ forms. */
  readonly dq: AddressOf;
  /** (RA|0) + (RB), of X forms. */
  readonly x: AddressOf;
  /** (RA|0), of lswi and stswi. */
  readonly base: AddressOf;
}

export function effectiveAddresses(cpu: Cpu): EffectiveAddresses {
  const { i32 } = cpu.registers;

  const far = (high: number, low: number, isStore: boolean): never => {
    throw new GuestFault("data-unmapped", (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0), isStore);
  };
  /** (RA|0) plus an offset, both of 64 bits. */
  const sum = (word: number, offset: number, offsetHigh: number, isStore: boolean): number => {
    const base = ra0(word);
    const low = (i32[base] + offset) | 0;
    const high = (i32[base + 1] + offsetHigh + carryOut(i32[base], offset, low)) | 0;
    if (high !== 0) far(high, low, isStore);
    return low >>> 0;
  };

  if (cpu.is64) {
    const displaced = (word: number, displacement: number, isStore: boolean) =>
      sum(word, displacement, displacement >> 31, isStore);
    return {
      d: (word, isStore) => displaced(word, si(word), isStore),
      ds: (word, isStore) => displaced(word, si(word) & ~3, isStore),
      dq: (word, isStore) => displaced(word, si(word) & ~15, isStore),
      x: (word, isStore) => sum(word, i32[rb(word)], i32[rb(word) + 1], isStore),
      base: (word, isStore) => sum(word, 0, 0, isStore),
    };
  }
  return {
    d: (word) => (i32[ra0(word)] + si(word)) >>> 0,
    ds: (word) => (i32[ra0(word)] + (si(word) & ~3)) >>> 0,
    dq: (word) => (i32[ra0(word)] + (si(word) & ~15)) >>> 0,
    x: (word) => (i32[ra0(word)] + i32[rb(word)]) >>> 0,
    base: (word) => i32[ra0(word)] >>> 0,
  };
}
