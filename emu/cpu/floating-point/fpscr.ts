/**
 * The Floating-Point Status and Control Register, Power ISA 3.0B, I.4.2.2: names of its bits and the rules by which
 * some bits follow from others. Values are signed 32-bit numbers: the register's low word.
 */

/** Exception summary: some exception bit went from 0 to 1. */
export const FX = 0x8000_0000 | 0;
/** Enabled exception summary. */
export const FEX = 0x4000_0000;
/** Invalid operation summary. */
export const VX = 0x2000_0000;
export const OX = 0x1000_0000;
export const UX = 0x0800_0000;
export const ZX = 0x0400_0000;
export const XX = 0x0200_0000;
export const VXSNAN = 0x0100_0000;
export const VXISI = 0x0080_0000;
export const VXIDI = 0x0040_0000;
export const VXZDZ = 0x0020_0000;
export const VXIMZ = 0x0010_0000;
export const VXVC = 0x0008_0000;
/** The fraction was rounded up in magnitude. */
export const FR = 0x0004_0000;
/** The result is inexact. */
export const FI = 0x0002_0000;
/** Result flags: class C, then FL FG FE FU (the condition code FPCC). */
export const FPRF = 0x0001_f000;
export const FPCC = 0x0000_f000;
export const FPRF_SHIFT = 12;
export const VXSOFT = 0x400;
export const VXSQRT = 0x200;
export const VXCVI = 0x100;
export const VE = 0x80;
export const OE = 0x40;
export const UE = 0x20;
export const ZE = 0x10;
export const XE = 0x08;
export const NI = 0x04;
/** Rounding mode: 0 nearest, 1 toward zero, 2 toward +infinity, 3 toward -infinity. */
export const RN = 0x03;

/** The kinds of invalid operation. */
export const VX_ALL = VXSNAN | VXISI | VXIDI | VXZDZ | VXIMZ | VXVC | VXSOFT | VXSQRT | VXCVI;
/** The exception bits; each sets FX when it goes from 0 to 1. */
export const EXCEPTIONS = OX | UX | ZX | XX | VX_ALL;
export const ENABLES = VE | OE | UE | ZE | XE;
/** The bits that tell of the last result. */
export const RESULT = FPRF | FI | FR;
/** Enables and modes. */
export const CONTROL = ENABLES | NI | RN;
/** The decimal rounding mode: the bits of the upper word that exist. */
export const DRN = 7;
/** Bits of mtfsf and mtfsfi: W means the upper word, L all of it and the lower one. */
export const W = 0x1_0000;
export const L = 0x0200_0000;
/** Bits that no instruction sets by name: the summaries, and the reserved bit 52. */
export const NOT_WRITABLE = FEX | VX | 0x800;

/** The mask of FPSCR bit 32 + n. */
export const bitMask = (n: number): number => (0x8000_0000 >>> n) | 0;
/** The four bits of field n. */
export const fieldMask = (n: number): number => (0xf000_0000 >>> (4 * n)) | 0;
/** The bits of the fields that mtfsf names (FLM). */
export function namedFields(word: number): number {
  let mask = 0;
  for (let n = 0; n < 8; n++) if ((word & (0x0100_0000 >>> n)) !== 0) mask |= fieldMask(n);
  return mask;
}

/** VE OE UE ZE XE of the enabled exceptions among `exceptions`, both in the places of OX UX ZX XX. */
export function enabled(fpscr: number, exceptions: number): number {
  const invalid = (exceptions & VX_ALL) !== 0 ? VX : 0;
  return (invalid | (exceptions & (OX | UX | ZX | XX))) & ((fpscr & ENABLES) << 22);
}

/** `fpscr` with VX and FEX as they follow from the other bits. */
export function summarize(fpscr: number): number {
  let value = fpscr & ~(VX | FEX);
  if ((value & VX_ALL) !== 0) value |= VX;
  if (enabled(value, value) !== 0) value |= FEX;
  return value;
}

/** FPRF (five bits) of the double with these upper and lower words: Power ISA 3.0B, I.4.2.2, figure 47. */
export function resultFlags(high: number, low: number): number {
  const exponent = (high >>> 20) & 0x7ff;
  const negative = high < 0;
  const fraction = (high & 0xf_ffff) | low;
  if (exponent === 0x7ff) return fraction !== 0 ? 0x11 : negative ? 0x09 : 0x05;
  if (exponent !== 0) return negative ? 0x08 : 0x04;
  if (fraction !== 0) return negative ? 0x18 : 0x14;
  return negative ? 0x12 : 0x02;
}
