/** Floating-point rounding and conversion instructions: Power ISA 3.0B, I.4.6.7. */
import type { Handler, HandlerTable } from "../handler.ts";
import { cpu } from "../views.ts";
import { sumError } from "./error-free.ts";
import type { AWAY, RoundingMode, TO_ODD } from "./exact.ts";
import { BINARY64, DOUBLE, SINGLE } from "./formats.ts";
import { FI, FR, FX, RN, VXSNAN, XE, XX } from "./fpscr.ts";
import {
  type Bank,
  CLEAR,
  complete,
  completeInteger,
  deliver,
  ending,
  FPRS,
  operandB,
  record,
  STATUS,
  target,
  VSRS,
  xb,
  xt,
} from "./fpu.ts";
import { convert, fromInteger, type IntegerFormat, roundToIntegral, toInteger } from "./soft-float.ts";

const TWO_32 = 2 ** 32;
/** Adding and subtracting it rounds a double of lesser magnitude than ROUNDER_LIMIT to the nearest integer. */
const ROUNDER = 1.5 * 2 ** 52;
export const ROUNDER_LIMIT = 2 ** 51;

/** What rounds to an integer. */
export type IntegralMode = Exclude<RoundingMode, typeof TO_ODD | typeof AWAY>;
/** Integers by rounding mode of doubles below ROUNDER_LIMIT in magnitude; a zero but that of mode 0 has the double's sign. */
export const ROUNDINGS: Record<IntegralMode, (value: number) => number> = {
  0: (value) => value + ROUNDER - ROUNDER,
  1: Math.trunc,
  2: Math.ceil,
  3: Math.floor,
  4: (value) => {
    const truncated = Math.trunc(value);
    return Math.abs(value - truncated) >= 0.5 ? truncated + Math.sign(value) : truncated;
  },
};

const fromIntegerHandler = (bank: Bank, signed: boolean, single: boolean): Handler => {
  const format = single ? SINGLE : DOUBLE;
  return (word, cia) => {
    const at = 2 * operandB(word, bank);
    const high = (signed ? cpu.i32[at + 1] : cpu.i32[at + 1] >>> 0) * TWO_32;
    const low = cpu.i32[at] >>> 0;
    const sum = high + low;
    if (deliver(target(word, bank), ending(word, bank), sum, sumError(high, low, sum), single)) return;
    const bits = cpu.u64[operandB(word, bank)];
    const integer = signed ? BigInt.asIntN(64, bits) : bits;
    complete(target(word, bank), ending(word, bank), cia, fromInteger(integer, format, cpu.i32[STATUS]));
  };
};

/** `truncate` says to round toward zero, else as FPSCR.RN says. */
const toIntegerHandler = (bank: Bank, format: IntegerFormat, truncate: boolean): Handler => {
  const limit = format.width === 32 ? (format.signed ? 2 ** 31 : TWO_32) : ROUNDER_LIMIT;
  const least = format.signed ? -limit : 0;
  // Processors put a word into both words of the doubleword of a VSR; the manual leaves the first one undefined.
  const isTwice = bank.clear !== 0 && format.width === 32;
  return (word, cia) => {
    const b = cpu.f64[operandB(word, bank)];
    const status = cpu.i32[STATUS];
    const mode = truncate ? 1 : ((status & RN) as IntegralMode);
    const integer = ROUNDINGS[mode](b);
    if (Math.abs(b) < ROUNDER_LIMIT && integer >= least && integer < limit && (status & XE) === 0) {
      const to = 2 * target(word, bank);
      cpu.i32[to] = integer;
      cpu.i32[to + 1] = isTwice ? integer : Math.floor(integer / TWO_32);
      let flags = 0;
      if (integer !== b) flags = Math.abs(integer) > Math.abs(b) ? XX | FI | FR : XX | FI;
      cpu.i32[STATUS] = (status & ~(FI | FR)) | flags | ((flags & ~status & XX) !== 0 ? FX : 0);
      if (bank.clear !== 0) cpu.f64[target(word, bank) - 1] = 0;
      record(ending(word, bank));
      return;
    }
    const { value, flags } = toInteger(cpu.u64[operandB(word, bank)], BINARY64, format, mode);
    const low = BigInt.asUintN(32, value);
    const bits = isTwice ? (low << 32n) | low : BigInt.asUintN(64, value);
    completeInteger(target(word, bank), ending(word, bank), cia, bits, flags);
  };
};

const integral = (bank: Bank, mode: IntegralMode): Handler => {
  const rounding = ROUNDINGS[mode];
  return (word, cia) => {
    const b = cpu.f64[operandB(word, bank)];
    if (Math.abs(b) < ROUNDER_LIMIT && deliver(target(word, bank), ending(word, bank), rounding(b), 0, false))
      return;
    const { bits, flags } = roundToIntegral(cpu.u64[operandB(word, bank)], DOUBLE, mode);
    complete(target(word, bank), ending(word, bank), cia, { bits, flags: flags & VXSNAN });
  };
};

const SIGNED_DOUBLEWORD = { width: 64, signed: true } as const;
const UNSIGNED_DOUBLEWORD = { width: 64, signed: false } as const;
const SIGNED_WORD = { width: 32, signed: true } as const;
const UNSIGNED_WORD = { width: 32, signed: false } as const;

/** Rounds to an integral value as FPSCR.RN says, which can be inexact. */
const integralAsCurrent: Handler = (word, cia) => {
  const mode = (cpu.i32[STATUS] & RN) as IntegralMode;
  complete(xt(word), CLEAR, cia, roundToIntegral(cpu.u64[xb(word)], DOUBLE, mode));
};

const toSingle = (bank: Bank): Handler => {
  return (word, cia) => {
    const b = operandB(word, bank);
    if (deliver(target(word, bank), ending(word, bank), cpu.f64[b], 0, true)) return;
    const result = convert(cpu.u64[b], BINARY64, SINGLE, cpu.i32[STATUS]);
    complete(target(word, bank), ending(word, bank), cia, result);
  };
};

export const convertHandlers = (): HandlerTable => ({
  frsp: toSingle(FPRS),
  xsrsp: toSingle(VSRS),
  fctid: toIntegerHandler(FPRS, SIGNED_DOUBLEWORD, false),
  fctidz: toIntegerHandler(FPRS, SIGNED_DOUBLEWORD, true),
  xscvdpsxds: toIntegerHandler(VSRS, SIGNED_DOUBLEWORD, true),
  fctidu: toIntegerHandler(FPRS, UNSIGNED_DOUBLEWORD, false),
  fctiduz: toIntegerHandler(FPRS, UNSIGNED_DOUBLEWORD, true),
  xscvdpuxds: toIntegerHandler(VSRS, UNSIGNED_DOUBLEWORD, true),
  fctiw: toIntegerHandler(FPRS, SIGNED_WORD, false),
  fctiwz: toIntegerHandler(FPRS, SIGNED_WORD, true),
  xscvdpsxws: toIntegerHandler(VSRS, SIGNED_WORD, true),
  fctiwu: toIntegerHandler(FPRS, UNSIGNED_WORD, false),
  fctiwuz: toIntegerHandler(FPRS, UNSIGNED_WORD, true),
  xscvdpuxws: toIntegerHandler(VSRS, UNSIGNED_WORD, true),
  fcfid: fromIntegerHandler(FPRS, true, false),
  xscvsxddp: fromIntegerHandler(VSRS, true, false),
  fcfidu: fromIntegerHandler(FPRS, false, false),
  xscvuxddp: fromIntegerHandler(VSRS, false, false),
  fcfids: fromIntegerHandler(FPRS, true, true),
  xscvsxdsp: fromIntegerHandler(VSRS, true, true),
  fcfidus: fromIntegerHandler(FPRS, false, true),
  xscvuxdsp: fromIntegerHandler(VSRS, false, true),
  frin: integral(FPRS, 4),
  xsrdpi: integral(VSRS, 4),
  friz: integral(FPRS, 1),
  xsrdpiz: integral(VSRS, 1),
  frip: integral(FPRS, 2),
  xsrdpip: integral(VSRS, 2),
  frim: integral(FPRS, 3),
  xsrdpim: integral(VSRS, 3),
  xsrdpic: integralAsCurrent,
});
