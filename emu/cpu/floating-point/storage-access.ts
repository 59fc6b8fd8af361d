/**
 * Floating-point storage access instructions, Power ISA 3.0B, I.4.6.2 to I.4.6.4. The singles are converted by moving bits
 * (DOUBLE and SINGLE of the manual), not by arithmetic: a signalling NaN stays one, and no exception occurs.
 */
import { addressD, addressDs, addressX, updateRa } from "../effective-address.ts";
import type { HandlerTable } from "../handler.ts";
import { updating } from "../storage/load-store.ts";
import { guardLoad, guardStore, host, load32, lowerHalf, store32, upperHalf } from "../storage/access.ts";
import { cpu } from "../views.ts";
import { frt } from "./fpu.ts";

/** The upper word of DOUBLE(word); the lower one is `word << 29` but for subnormal singles. */
export function doubleHigh(word: number): number {
  const sign = word & (0x8000_0000 | 0);
  const magnitude = word & 0x7fff_ffff;
  if (magnitude >= 0x7f80_0000) return sign | 0x7000_0000 | (magnitude >>> 3);
  if (magnitude >= 0x0080_0000) return sign | ((magnitude >>> 3) + (896 << 20));
  if (magnitude === 0) return sign;
  // Shifted so that the leading one, which the format does not hold, is at bit 23.
  const shift = Math.clz32(magnitude) - 8;
  return sign | (((magnitude << shift) & 0x7f_ffff) >>> 3) | ((897 - shift) << 20);
}

/** The lower word of DOUBLE(word). */
export function doubleLow(word: number): number {
  const magnitude = word & 0x7fff_ffff;
  const shift = magnitude !== 0 && magnitude < 0x0080_0000 ? Math.clz32(magnitude) - 8 : 0;
  return (magnitude << shift) << 29;
}

/**
 * SINGLE of the double with these words. What lies between zero and the least subnormal single, where the manual leaves
 * the result undefined, becomes zero.
 */
export function single(high: number, low: number): number {
  const exponent = (high >>> 20) & 0x7ff;
  if (exponent > 896) return (high & (0xc000_0000 | 0)) | ((high & 0x07ff_ffff) << 3) | (low >>> 29);
  const sign = high & (0x8000_0000 | 0);
  if (exponent < 874) return sign;
  const fraction = 0x80_0000 | ((high & 0xf_ffff) << 3) | (low >>> 29);
  return sign | (fraction >>> (897 - exponent));
}

// Moves between an FPR, whose index in the 32-bit views is `at`, and storage at `ea`.

function copyIn(at: number, ea: number): void {
  const offset = host(ea, 8);
  cpu.i32[at] = cpu.view.getInt32(offset, true);
  cpu.i32[at + 1] = cpu.view.getInt32(offset + 4, true);
}
function copyOut(at: number, ea: number): void {
  const offset = host(ea, 8);
  cpu.view.setInt32(offset, cpu.i32[at], true);
  cpu.view.setInt32(offset + 4, cpu.i32[at + 1], true);
}

function loadSingle(at: number, ea: number): void {
  const word = load32(ea);
  cpu.i32[at] = doubleLow(word);
  cpu.i32[at + 1] = doubleHigh(word);
}
function loadDouble(at: number, ea: number): void {
  guardLoad(ea, 8);
  copyIn(at, ea);
}
/** The even register of a pair has the more significant half of the quadword. */
function loadPair(at: number, ea: number): void {
  guardLoad(ea, 16);
  const even = at & ~4;
  copyIn(even, upperHalf(ea, 16));
  copyIn(even + 4, lowerHalf(ea, 16));
}
function loadAlgebraic(at: number, ea: number): void {
  const word = load32(ea);
  cpu.i32[at] = word;
  cpu.i32[at + 1] = word >> 31;
}
function loadZero(at: number, ea: number): void {
  cpu.i32[at] = load32(ea);
  cpu.i32[at + 1] = 0;
}
const storeSingle = (at: number, ea: number): void => store32(ea, single(cpu.i32[at + 1], cpu.i32[at]));
function storeDouble(at: number, ea: number): void {
  guardStore(ea, 8);
  copyOut(at, ea);
}
function storePair(at: number, ea: number): void {
  guardStore(ea, 16);
  const even = at & ~4;
  copyOut(even, upperHalf(ea, 16));
  copyOut(even + 4, lowerHalf(ea, 16));
}
const storeWord = (at: number, ea: number): void => store32(ea, cpu.i32[at]);

/** The access at EA; then, if it has succeeded, RA <- EA. */
function withUpdate(access: (at: number, ea: number) => void, word: number, ea: number): void {
  access(2 * frt(word), ea);
  updateRa(word, ea);
}

export const storageAccessHandlers = (): HandlerTable => ({
  lfs: (word) => loadSingle(2 * frt(word), addressD(word, false)),
  lfsu: updating((word) => withUpdate(loadSingle, word, addressD(word, false))),
  lfsx: (word) => loadSingle(2 * frt(word), addressX(word, false)),
  lfsux: updating((word) => withUpdate(loadSingle, word, addressX(word, false))),
  lfd: (word) => loadDouble(2 * frt(word), addressD(word, false)),
  lfdu: updating((word) => withUpdate(loadDouble, word, addressD(word, false))),
  lfdx: (word) => loadDouble(2 * frt(word), addressX(word, false)),
  lfdux: updating((word) => withUpdate(loadDouble, word, addressX(word, false))),
  stfs: (word) => storeSingle(2 * frt(word), addressD(word, true)),
  stfsu: updating((word) => withUpdate(storeSingle, word, addressD(word, true))),
  stfsx: (word) => storeSingle(2 * frt(word), addressX(word, true)),
  stfsux: updating((word) => withUpdate(storeSingle, word, addressX(word, true))),
  stfd: (word) => storeDouble(2 * frt(word), addressD(word, true)),
  stfdu: updating((word) => withUpdate(storeDouble, word, addressD(word, true))),
  stfdx: (word) => storeDouble(2 * frt(word), addressX(word, true)),
  stfdux: updating((word) => withUpdate(storeDouble, word, addressX(word, true))),
  lfiwax: (word) => loadAlgebraic(2 * frt(word), addressX(word, false)),
  lfiwzx: (word) => loadZero(2 * frt(word), addressX(word, false)),
  stfiwx: (word) => storeWord(2 * frt(word), addressX(word, true)),
  lfdp: (word) => loadPair(2 * frt(word), addressDs(word, false)),
  lfdpx: (word) => loadPair(2 * frt(word), addressX(word, false)),
  stfdp: (word) => storePair(2 * frt(word), addressDs(word, true)),
  stfdpx: (word) => storePair(2 * frt(word), addressX(word, true)),
});
