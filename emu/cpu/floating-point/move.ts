/**
 * Floating-point move, compare, select and test instructions: Power ISA 3.0B, I.4.6.5, I.4.6.6.1 (ftdiv, ftsqrt), I.4.6.8 and
 * I.4.6.9. Moves go by words, so that no NaN passes through arithmetic.
 */
import { bf } from "../fields.ts";
import type { Handler, HandlerTable } from "../handler.ts";
import { FPCC, FPRF_SHIFT, VE, VXSNAN, VXVC } from "./fpscr.ts";
import { record, setCr, raise, fra, frb, frc, frt, STATUS } from "./fpu.ts";
import { i32, f64 } from "../views.ts";

const SIGN = 0x8000_0000 | 0;

const copy = (word: number, from: number, high: number) => {
  const to = 2 * frt(word);
  i32[to] = i32[2 * from];
  i32[to + 1] = high;
  record(word);
};
/** FRT <- FRB with the sign bit (and kept) exclusive-or flipped. */
const move = (kept: number, flipped: number): Handler => {
  return (word) => copy(word, frb(word), (i32[2 * frb(word) + 1] & kept) ^ flipped);
};
/** FRT <- a word of FRA and the same word of FRB: 1 the upper one, 0 the lower. */
const merge = (half: 0 | 1): Handler => {
  return (word) => {
    const high = i32[2 * fra(word) + half];
    i32[2 * frt(word)] = i32[2 * frb(word) + half];
    i32[2 * frt(word) + 1] = high;
  };
};

export const moveHandlers: HandlerTable = {
  fmr: move(-1, 0),
  fneg: move(-1, SIGN),
  fabs: move(~SIGN, 0),
  fnabs: move(~SIGN, SIGN),
  fcpsgn: (word) => copy(word, frb(word), (i32[2 * fra(word) + 1] & SIGN) | (i32[2 * frb(word) + 1] & ~SIGN)),
  fmrgew: merge(1),
  fmrgow: merge(0),
  fsel: (word) => {
    // A NaN is not greater than or equal to zero.
    const from = f64[fra(word)] >= 0 ? frc(word) : frb(word);
    copy(word, from, i32[2 * from + 1]);
  },
};

const isSignalling = (at: number) => Number.isNaN(f64[at]) && (i32[2 * at + 1] & 0x8_0000) === 0;

const compare = (ordered: boolean): Handler => {
  return (word, cia) => {
    const a = f64[fra(word)];
    const b = f64[frb(word)];
    const c = a < b ? 8 : a > b ? 4 : a === b ? 2 : 1;
    setCr(bf(word), c);
    const status = (i32[STATUS] & ~FPCC) | (c << FPRF_SHIFT);
    i32[STATUS] = status;
    if (c !== 1) return;
    let flags = 0;
    if (isSignalling(fra(word)) || isSignalling(frb(word))) {
      flags = ordered && (status & VE) === 0 ? VXSNAN | VXVC : VXSNAN;
    } else if (ordered) {
      flags = VXVC;
    }
    // No Rc bit: bit 31 is reserved here.
    if (flags !== 0) raise(word & ~1, cia, status, flags);
  };
};

const exponent = (at: number) => ((i32[2 * at + 1] >>> 20) & 0x7ff) - 1023;
const isSubnormal = (at: number) => f64[at] !== 0 && exponent(at) === -1023;
const isInfinite = (at: number) => Math.abs(f64[at]) === Number.POSITIVE_INFINITY;
/** CR[BF] <- 0b1 || fg_flag || fe_flag || 0b0 */
const tested = (word: number, fg: boolean, fe: boolean) => setCr(bf(word), 8 | (fg ? 4 : 0) | (fe ? 2 : 0));

export const compareHandlers: HandlerTable = {
  fcmpu: compare(false),
  fcmpo: compare(true),
  ftdiv: (word) => {
    const a = fra(word);
    const b = frb(word);
    const ea = exponent(a);
    const eb = exponent(b);
    const special = isInfinite(a) || isInfinite(b) || f64[b] === 0;
    const fe =
      special ||
      Number.isNaN(f64[a]) ||
      Number.isNaN(f64[b]) ||
      eb <= -1022 ||
      eb >= 1021 ||
      (f64[a] !== 0 && (ea - eb >= 1023 || ea - eb <= -1021 || ea <= -970));
    tested(word, special || isSubnormal(b), fe);
  },
  ftsqrt: (word) => {
    const b = frb(word);
    const special = isInfinite(b) || f64[b] === 0;
    const fe = special || Number.isNaN(f64[b]) || i32[2 * b + 1] < 0 || exponent(b) <= -970;
    tested(word, special || isSubnormal(b), fe);
  },
};
