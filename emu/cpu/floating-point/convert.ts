/** Floating-point rounding and conversion instructions: Power ISA 3.0B, I.4.6.7. */
import type { Handler, HandlerTable } from "../handler.ts";
import { sumError } from "./error-free.ts";
import type { RoundingMode, TO_ODD } from "./exact.ts";
import { BINARY64, DOUBLE, SINGLE } from "./formats.ts";
import { FI, FR, FX, RN, VXSNAN, XE, XX } from "./fpscr.ts";
import { record, deliver, complete, completeInteger, frb, frt, STATUS } from "./fpu.ts";
import { convert, fromInteger, type IntegerFormat, roundToIntegral, toInteger } from "./soft-float.ts";
import { i32, u64, f64 } from "../views.ts";

const TWO_32 = 2 ** 32;
/** Adding and subtracting it rounds a double of lesser magnitude than ROUNDER_LIMIT to the nearest integer. */
const ROUNDER = 1.5 * 2 ** 52;
const ROUNDER_LIMIT = 2 ** 51;

/** What rounds to an integer. */
type IntegralMode = Exclude<RoundingMode, typeof TO_ODD>;
/** Integers by rounding mode of doubles below ROUNDER_LIMIT in magnitude; a zero but that of mode 0 has the double's sign. */
const ROUNDINGS: Record<IntegralMode, (value: number) => number> = {
  0: (value) => value + ROUNDER - ROUNDER,
  1: Math.trunc,
  2: Math.ceil,
  3: Math.floor,
  4: (value) => {
    const truncated = Math.trunc(value);
    return Math.abs(value - truncated) >= 0.5 ? truncated + Math.sign(value) : truncated;
  },
};

const fromIntegerHandler = (signed: boolean, single: boolean): Handler => {
  const format = single ? SINGLE : DOUBLE;
  return (word, cia) => {
    const at = 2 * frb(word);
    const high = (signed ? i32[at + 1] : i32[at + 1] >>> 0) * TWO_32;
    const low = i32[at] >>> 0;
    const sum = high + low;
    if (deliver(word, sum, sumError(high, low, sum), single)) return;
    const bits = u64[frb(word)];
    const integer = signed ? BigInt.asIntN(64, bits) : bits;
    complete(word, cia, fromInteger(integer, format, i32[STATUS]));
  };
};

/** `truncate` says to round toward zero, else as FPSCR.RN says. */
const toIntegerHandler = (format: IntegerFormat, truncate: boolean): Handler => {
  const limit = format.width === 32 ? (format.signed ? 2 ** 31 : TWO_32) : ROUNDER_LIMIT;
  const least = format.signed ? -limit : 0;
  return (word, cia) => {
    const b = f64[frb(word)];
    const status = i32[STATUS];
    const mode = truncate ? 1 : ((status & RN) as IntegralMode);
    const integer = ROUNDINGS[mode](b);
    if (Math.abs(b) < ROUNDER_LIMIT && integer >= least && integer < limit && (status & XE) === 0) {
      const to = 2 * frt(word);
      i32[to] = integer;
      i32[to + 1] = Math.floor(integer / TWO_32);
      let flags = 0;
      if (integer !== b) flags = Math.abs(integer) > Math.abs(b) ? XX | FI | FR : XX | FI;
      i32[STATUS] = (status & ~(FI | FR)) | flags | ((flags & ~status & XX) !== 0 ? FX : 0);
      record(word);
      return;
    }
    const { value, flags } = toInteger(u64[frb(word)], BINARY64, format, mode);
    completeInteger(word, cia, BigInt.asUintN(64, value), flags);
  };
};

const integral = (mode: IntegralMode): Handler => {
  const rounding = ROUNDINGS[mode];
  return (word, cia) => {
    const b = f64[frb(word)];
    if (Math.abs(b) < ROUNDER_LIMIT && deliver(word, rounding(b), 0, false)) return;
    const { bits, flags } = roundToIntegral(u64[frb(word)], DOUBLE, mode);
    complete(word, cia, { bits, flags: flags & VXSNAN });
  };
};

const SIGNED_DOUBLEWORD = { width: 64, signed: true } as const;
const UNSIGNED_DOUBLEWORD = { width: 64, signed: false } as const;
const SIGNED_WORD = { width: 32, signed: true } as const;
const UNSIGNED_WORD = { width: 32, signed: false } as const;

export const convertHandlers: HandlerTable = {
  frsp: (word, cia) => {
    if (deliver(word, f64[frb(word)], 0, true)) return;
    complete(word, cia, convert(u64[frb(word)], BINARY64, SINGLE, i32[STATUS]));
  },
  fctid: toIntegerHandler(SIGNED_DOUBLEWORD, false),
  fctidz: toIntegerHandler(SIGNED_DOUBLEWORD, true),
  fctidu: toIntegerHandler(UNSIGNED_DOUBLEWORD, false),
  fctiduz: toIntegerHandler(UNSIGNED_DOUBLEWORD, true),
  fctiw: toIntegerHandler(SIGNED_WORD, false),
  fctiwz: toIntegerHandler(SIGNED_WORD, true),
  fctiwu: toIntegerHandler(UNSIGNED_WORD, false),
  fctiwuz: toIntegerHandler(UNSIGNED_WORD, true),
  fcfid: fromIntegerHandler(true, false),
  fcfidu: fromIntegerHandler(false, false),
  fcfids: fromIntegerHandler(true, true),
  fcfidus: fromIntegerHandler(false, true),
  frin: integral(4),
  friz: integral(1),
  frip: integral(2),
  frim: integral(3),
};
