/** Vector registers as handlers in TypeScript see them: 128-bit numbers, and their elements numbered from the left. */
import { VSR } from "../registers.ts";
import { cpu } from "../views.ts";

/** Numbers of VRs as VSRs, and of VSRs from the fields of XX forms. */
export const vrt = (word: number): number => 32 + ((word >>> 21) & 31);
export const vra = (word: number): number => 32 + ((word >>> 16) & 31);
export const vrb = (word: number): number => 32 + ((word >>> 11) & 31);
export const xt = (word: number): number => ((word & 1) << 5) | ((word >>> 21) & 31);
export const xa = (word: number): number => ((word & 4) << 3) | ((word >>> 16) & 31);
export const xb = (word: number): number => ((word & 2) << 4) | ((word >>> 11) & 31);

/** VSR n as an unsigned number of 128 bits. */
export const quad = (n: number): bigint =>
  (cpu.u64[(VSR + 16 * n) / 8 + 1] << 64n) | cpu.u64[(VSR + 16 * n) / 8];
/** VSR n <- the low 128 bits of `value`. */
export function setQuad(n: number, value: bigint): void {
  cpu.u64[(VSR + 16 * n) / 8 + 1] = value >> 64n;
  cpu.u64[(VSR + 16 * n) / 8] = value;
}

/** The elements of `bits` bits of a number of 128, from the left. */
export function elementsOf(value: bigint, bits: number): bigint[] {
  return Array.from({ length: 128 / bits }, (_, i) =>
    BigInt.asUintN(bits, value >> BigInt(128 - bits * (i + 1))),
  );
}
/** The number whose elements these are; each is cut to its size. */
export const fromElements = (elements: readonly bigint[], bits: number): bigint =>
  elements.reduce((value, element) => (value << BigInt(bits)) | BigInt.asUintN(bits, element), 0n);
