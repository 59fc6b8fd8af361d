/**
 * Floating-point move, compare, select and test instructions: Power ISA 3.0B, I.4.6.5, I.4.6.6.1 (ftdiv, ftsqrt), I.4.6.8 and
 * I.4.6.9. Moves go by words, so that no NaN passes through arithmetic.
 */
import { bf } from "../fields.ts";
import type { Handler, HandlerTable } from "../handler.ts";
import { cpu } from "../views.ts";
import { DOUBLE_ELEMENTS, testDivide, testRoot } from "./elements.ts";
import { FPCC, FPRF_SHIFT, VE, VXSNAN, VXVC } from "./fpscr.ts";
import {
  type Bank,
  FPRS,
  fra,
  frb,
  frc,
  frt,
  operandA,
  operandB,
  raise,
  record,
  STATUS,
  setCr,
  VSRS,
} from "./fpu.ts";

const SIGN = 0x8000_0000 | 0;

const copy = (word: number, from: number, high: number) => {
  const to = 2 * frt(word);
  cpu.i32[to] = cpu.i32[2 * from];
  cpu.i32[to + 1] = high;
  record(word);
};
/** FRT <- FRB with the sign bit (and kept) exclusive-or flipped. */
const move = (kept: number, flipped: number): Handler => {
  return (word) => copy(word, frb(word), (cpu.i32[2 * frb(word) + 1] & kept) ^ flipped);
};
/** FRT <- a word of FRA and the same word of FRB: 1 the upper one, 0 the lower. */
const merge = (half: 0 | 1): Handler => {
  return (word) => {
    const high = cpu.i32[2 * fra(word) + half];
    cpu.i32[2 * frt(word)] = cpu.i32[2 * frb(word) + half];
    cpu.i32[2 * frt(word) + 1] = high;
  };
};

export const moveHandlers = (): HandlerTable => ({
  fmr: move(-1, 0),
  fneg: move(-1, SIGN),
  fabs: move(~SIGN, 0),
  fnabs: move(~SIGN, SIGN),
  fcpsgn: (word) =>
    copy(word, frb(word), (cpu.i32[2 * fra(word) + 1] & SIGN) | (cpu.i32[2 * frb(word) + 1] & ~SIGN)),
  fmrgew: merge(1),
  fmrgow: merge(0),
  fsel: (word) => {
    // A NaN is not greater than or equal to zero.
    const from = cpu.f64[fra(word)] >= 0 ? frc(word) : frb(word);
    copy(word, from, cpu.i32[2 * from + 1]);
  },
});

const isSignalling = (at: number) => Number.isNaN(cpu.f64[at]) && (cpu.i32[2 * at + 1] & 0x8_0000) === 0;

const compare = (bank: Bank, ordered: boolean): Handler => {
  return (word, cia) => {
    const atA = operandA(word, bank);
    const atB = operandB(word, bank);
    const a = cpu.f64[atA];
    const b = cpu.f64[atB];
    const c = a < b ? 8 : a > b ? 4 : a === b ? 2 : 1;
    setCr(bf(word), c);
    const status = (cpu.i32[STATUS] & ~FPCC) | (c << FPRF_SHIFT);
    cpu.i32[STATUS] = status;
    if (c !== 1) return;
    let flags = 0;
    if (isSignalling(atA) || isSignalling(atB)) {
      flags = ordered && (status & VE) === 0 ? VXSNAN | VXVC : VXSNAN;
    } else if (ordered) {
      flags = VXVC;
    }
    if (flags !== 0) raise(0, cia, status, flags);
  };
};

/** CR[BF] <- 0b1 || fg_flag || fe_flag || 0b0 */
const divisionTest = (bank: Bank): Handler => {
  return (word) =>
    setCr(bf(word), 8 | testDivide(DOUBLE_ELEMENTS, operandA(word, bank), operandB(word, bank), 0));
};
const rootTest = (bank: Bank): Handler => {
  return (word) => setCr(bf(word), 8 | testRoot(DOUBLE_ELEMENTS, operandB(word, bank), 0));
};

export const compareHandlers = (): HandlerTable => ({
  fcmpu: compare(FPRS, false),
  xscmpudp: compare(VSRS, false),
  fcmpo: compare(FPRS, true),
  xscmpodp: compare(VSRS, true),
  ftdiv: divisionTest(FPRS),
  xstdivdp: divisionTest(VSRS),
  ftsqrt: rootTest(FPRS),
  xstsqrtdp: rootTest(VSRS),
});
