/**
 * What the floating-point handlers share: the places of operands in the register block, and how an instruction
 * ends: target, FPSCR, CR1 and the enabled exceptions.
 */
import { GuestFault } from "../fault.ts";
import { CR, FPSCR, fprOffset, MSR, MSR_FE0, MSR_FE1 } from "../registers.ts";
import { cpu } from "../views.ts";
import {
  EXCEPTIONS,
  enabled,
  FI,
  FPRF,
  FPRF_SHIFT,
  FR,
  FX,
  RESULT,
  RN,
  resultFlags,
  summarize,
  VE,
  VX_ALL,
  XE,
  XX,
  ZE,
  ZX,
} from "./fpscr.ts";
import type { Result } from "./soft-float.ts";

/** Indices of an instruction's registers in the 64-bit views of the block; in the 32-bit views twice that. */
const FPR0 = fprOffset(0) / 8;
export const frt = (word: number): number => FPR0 + ((word >> 20) & 62);
export const fra = (word: number): number => FPR0 + ((word >> 15) & 62);
export const frb = (word: number): number => FPR0 + ((word >> 10) & 62);
export const frc = (word: number): number => FPR0 + ((word >> 5) & 62);

/**
 * Where the operands of an instruction are and how it ends. VSRs have the places of FPRs 0 to 31, and a sixth bit of their number at
 * the word's end; the doubleword beside the result is undefined before Power ISA 3.1, which clears it.
 */
export interface Bank {
  /** The word's bits that add 32 to the register numbers of target and operands. */
  readonly tx: number;
  readonly ax: number;
  readonly bx: number;
  /** How far right of its place the field of a factor (FRC, XB) is. */
  readonly c: number;
  /** The Rc bit. */
  readonly rc: number;
  /** CLEAR, or nothing. */
  readonly clear: number;
}
/** How an instruction ends: it records in CR1, it clears doubleword 1 of its target. */
export const RECORD = 1;
export const CLEAR = 2;
export const FPRS: Bank = { tx: 0, ax: 0, bx: 0, c: 5, rc: RECORD, clear: 0 };
export const VSRS: Bank = { tx: 1, ax: 4, bx: 2, c: 10, rc: 0, clear: CLEAR };

/** The places that a bank's instructions name. */
export const target = (word: number, { tx }: Bank): number => FPR0 + ((word >> 20) & 62) + ((word & tx) << 6);
export const operandA = (word: number, { ax }: Bank): number =>
  FPR0 + ((word >> 15) & 62) + ((word & ax) << 4);
export const operandB = (word: number, { bx }: Bank): number =>
  FPR0 + ((word >> 10) & 62) + ((word & bx) << 5);
export const factor = (word: number, { bx, c }: Bank): number =>
  FPR0 + ((word >> c) & 62) + ((word & bx) << 5);
export const ending = (word: number, { rc, clear }: Bank): number => (word & rc) | clear;

/** XT, XA and XB. Word k of a VSR at `place` is at 2 * place + 1 - k in the 32-bit views, doubleword k at place - k in the others. */
export const xt = (word: number): number => target(word, VSRS);
export const xa = (word: number): number => operandA(word, VSRS);
export const xb = (word: number): number => operandB(word, VSRS);

/** VRT, VRA and VRB: vector registers are VSRs 32 to 63. */
export const vrt = (word: number): number => frt(word) + 64;
export const vra = (word: number): number => fra(word) + 64;
export const vrb = (word: number): number => frb(word) + 64;

/** Index of the FPSCR in the 32-bit views. */
export const STATUS = FPSCR / 4;
/** What the results of fast paths leave of the FPSCR, and what they add to it. */
const RESULT_CLEARED = ~RESULT;
const POSITIVE = 0x04 << FPRF_SHIFT;
const NEGATIVE = 0x08 << FPRF_SHIFT;
const POSITIVE_ZERO = 0x02 << FPRF_SHIFT;
const NEGATIVE_ZERO = 0x12 << FPRF_SHIFT;
const INEXACT = XX | FI;
const ROUNDED_UP = XX | FI | FR;

const MSR_LOW = MSR / 4;
const MSR_FE = Number(MSR_FE0 | MSR_FE1);

/** Bounds of the magnitudes that the fast paths round to, exclusive: where no exception but inexact can occur. */
export const DOUBLE_LEAST = 2 ** -1022;
export const SINGLE_LEAST = 2 ** -126;
export const SINGLE_BEYOND = 2 ** 128;

/** A unit in the last place of a normal double, and of a single in the double format, in the low word of its bits. */
export const DOUBLE_UNIT = 1;
export const SINGLE_UNIT = 0x2000_0000;

const scratch = new Float64Array(1);
const scratchWords = new Int32Array(scratch.buffer);

/** The number whose magnitude is one unit greater (`outward`) or less than that of a normal number. */
function neighbour(value: number, outward: boolean, unit: number): number {
  scratch[0] = value;
  const low = scratchWords[0] >>> 0;
  if (outward) {
    scratchWords[0] = low + unit;
    if (low + unit >= 0x1_0000_0000) scratchWords[1]++;
  } else {
    scratchWords[0] = low - unit;
    if (low < unit) scratchWords[1]--;
  }
  return scratch[0];
}

/**
 * Of the two doubles around the exact value `rounded + error` (error not zero), the one with an odd last bit. It is on the
 * path of every single and fused operation, and so does without `neighbour`.
 */
export function roundToOdd(rounded: number, error: number): number {
  scratch[0] = rounded;
  const low = scratchWords[0];
  if ((low & 1) !== 0) return rounded;
  if (error > 0 === rounded > 0) {
    scratchWords[0] = low | 1;
  } else {
    scratchWords[0] = low - 1;
    if (low === 0) scratchWords[1]--;
  }
  return scratch[0];
}

/**
 * What a directed rounding mode makes of the exact value `nearest + error` (error not zero), of which `nearest` is the nearest
 * number.
 */
export function directed(nearest: number, error: number, mode: number, unit: number): number {
  const outward = error > 0 === nearest > 0;
  const wanted = mode === 1 ? !outward : error > 0 === (mode === 2);
  return wanted ? neighbour(nearest, outward, unit) : nearest;
}

/** The Rc bit (of an instruction word, or of how one ends): CR1 <- FX FEX VX OX. */
export function record(end: number): void {
  if ((end & RECORD) !== 0) cpu.bytes[CR + 1] = cpu.i32[STATUS] >>> 28;
}

export function setCr(field: number, value: number): void {
  cpu.bytes[CR + field] = value;
}

/**
 * The end of a fast path that writes the place `to`: the exact result is `rounded`, the nearest double, plus something of `error`'s sign. False, and
 * nothing is changed, where this is not the whole story: an enabled inexact exception, a result that is not a normal
 * number or zero, an `error` that is not a number.
 */
export function deliver(to: number, end: number, rounded: number, error: number, single: boolean): boolean {
  const status = cpu.i32[STATUS];
  if (error - error !== 0) return false;
  let result = rounded;
  if (single) {
    const exact = error !== 0 ? roundToOdd(rounded, error) : rounded;
    result = Math.fround(exact);
    error = exact - result;
  }
  if ((status & (RN | XE)) !== 0) {
    if ((status & XE) !== 0) return false;
    if (error !== 0) {
      const nearest = result;
      result = directed(nearest, error, status & RN, single ? SINGLE_UNIT : DOUBLE_UNIT);
      if (result !== nearest) error = -error;
    }
  }
  const magnitude = Math.abs(result);
  if (single) {
    if (magnitude > SINGLE_LEAST && magnitude < SINGLE_BEYOND) return finish(to, end, result, error);
  } else if (magnitude > DOUBLE_LEAST && magnitude < Infinity) {
    return finish(to, end, result, error);
  }
  return rounded === 0 && (status & RN) !== 3 && finish(to, end, result, 0);
}

/** Writes a normal number or zero, to which an exact value was rounded that differs by something of `error`'s sign. */
function finish(to: number, end: number, result: number, error: number): true {
  let status = cpu.i32[STATUS] & RESULT_CLEARED;
  if (result === 0) status |= 1 / result > 0 ? POSITIVE_ZERO : NEGATIVE_ZERO;
  else status |= result > 0 ? POSITIVE : NEGATIVE;
  if (error !== 0) {
    if ((status & XX) === 0) status |= FX;
    status |= error < 0 === result > 0 ? ROUNDED_UP : INEXACT;
  }
  cpu.i32[STATUS] = status;
  cpu.f64[to] = result;
  if (end !== 0) {
    if ((end & CLEAR) !== 0) cpu.f64[to - 1] = 0;
    else cpu.bytes[CR + 1] = status >>> 28;
  }
  return true;
}

/** Writes an arithmetic result in the double format and its flags; FR, FI and FPRF with them. */
export function complete(to: number, end: number, cia: number, { bits, flags }: Result): void {
  const low = Number(BigInt.asIntN(32, bits));
  completeAs(to, end, cia, bits, resultFlags(Number(BigInt.asIntN(32, bits >> 32n)), low), flags);
}

/** The same for a doubleword of any content, whose FPRF is `kind`. */
export function completeAs(
  to: number,
  end: number,
  cia: number,
  bits: bigint,
  kind: number,
  flags: number,
): void {
  let status = cpu.i32[STATUS] & ~(FI | FR);
  if (!suppresses(flags)) {
    write(to, end, bits);
    status = (status & ~FPRF) | (kind << FPRF_SHIFT);
  }
  raise(end, cia, status, flags);
}

/** The same for a conversion to an integer. FPRF is undefined: it stays, but of FPRs says NaN where nothing fits, as in QEMU. */
export function completeInteger(to: number, end: number, cia: number, bits: bigint, flags: number): void {
  let status = cpu.i32[STATUS] & ~(FI | FR);
  if (!suppresses(flags)) {
    write(to, end, bits);
    if ((flags & VX_ALL) !== 0 && (end & CLEAR) === 0) status = (status & ~FPRF) | (0x11 << FPRF_SHIFT);
  }
  raise(end, cia, status, flags);
}

/** Writes a doubleword, and clears the one beside it where the instruction does. */
function write(to: number, end: number, bits: bigint): void {
  cpu.u64[to] = bits;
  if ((end & CLEAR) !== 0) cpu.u64[to - 1] = 0n;
}

/** An enabled invalid operation or zero divide leaves the target as it is: I.4.4.1 and I.4.4.2. */
export function suppresses(flags: number): boolean {
  const status = cpu.i32[STATUS];
  return ((flags & VX_ALL) !== 0 && (status & VE) !== 0) || ((flags & ZX) !== 0 && (status & ZE) !== 0);
}

/**
 * Sets the FPSCR to `status` with `flags` added, then CR1 if the instruction records, unless one of the exceptions among them is
 * enabled: what interrupts has not completed.
 */
export function raise(end: number, cia: number, status: number, flags: number): void {
  if ((flags & EXCEPTIONS & ~status) !== 0) status |= FX;
  cpu.i32[STATUS] = summarize(status | flags);
  if (enabled(status, flags & EXCEPTIONS) !== 0) interrupt(cia);
  record(end);
}

/** The program interrupt of an enabled exception, unless MSR.FE0 and FE1 say to ignore it. */
export function interrupt(cia: number): void {
  if ((cpu.i32[MSR_LOW] & MSR_FE) !== 0) throw new GuestFault("floating-point", BigInt(cia >>> 0));
}
