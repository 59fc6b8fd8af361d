/**
 * VSX scalar instructions that FPRs have no counterpart of: Power ISA 3.0B, I.7.6.3. The others are rows beside fadd, fmadd, fcfid
 * and fcmpu.
 */
import { bf, ra, rb, rt } from "../fields.ts";
import type { Handler, HandlerTable } from "../handler.ts";
import { cpu } from "../views.ts";
import {
  compareFlags,
  DOUBLE_ELEMENTS,
  exponentOf,
  isOfClass,
  type Relation,
  relationMask,
  selectExtreme,
  selectLanguage,
  setCondition,
} from "./elements.ts";
import {
  BINARY16,
  BINARY32,
  BINARY64,
  DOUBLE,
  type Encoding,
  type Format,
  HALF,
  SINGLE_WORD,
} from "./formats.ts";
import { CLEAR, completeAs, STATUS, xa, xb, xt } from "./fpu.ts";
import { OUT, OUT_U64, raiseVector } from "./lanes.ts";
import { convert } from "./soft-float.ts";
import { doubleHigh, doubleLow } from "./storage-access.ts";

const SIGN = 0x8000_0000 | 0;

/** Doubleword 0 of XT <- two words; the other doubleword is cleared. */
function setWords(to: number, high: number, low: number): void {
  cpu.i32[2 * to + 1] = high;
  cpu.i32[2 * to] = low;
  cpu.u64[to - 1] = 0n;
}

/** XT <- XB with the sign bit (and kept) exclusive-or flipped. */
const move = (kept: number, flipped: number): Handler => {
  return (word) => {
    const b = 2 * xb(word);
    setWords(xt(word), (cpu.i32[b + 1] & kept) ^ flipped, cpu.i32[b]);
  };
};

/** Ends a selection or comparison, which leaves FPRF, FR and FI alone. */
function completeSelection(to: number, cia: number, flags: number): void {
  if (!raiseVector(cia, flags)) return;
  cpu.u64[to] = OUT_U64[1];
  cpu.u64[to - 1] = 0n;
}
const extreme = (max: boolean): Handler => {
  return (word, cia) =>
    completeSelection(xt(word), cia, selectExtreme(DOUBLE_ELEMENTS, max, xa(word), xb(word), 0));
};
const extremeOf = (type: "C" | "J", max: boolean): Handler => {
  return (word, cia) => completeSelection(xt(word), cia, selectLanguage(type, max, xa(word), xb(word)));
};
const compare = (relation: Relation): Handler => {
  return (word, cia) => {
    const a = xa(word);
    const b = xb(word);
    const mask = relationMask(relation, cpu.f64[a], cpu.f64[b]);
    OUT[3] = mask;
    OUT[2] = mask;
    completeSelection(xt(word), cia, compareFlags(DOUBLE_ELEMENTS, relation !== "eq", a, b, 0));
  };
};

/** Rounds what `source` takes from XB to a format, and places the bits as `spread` says. */
const conversion = (
  source: (place: number) => bigint,
  from: Encoding,
  format: Format,
  spread = (bits: bigint): bigint => bits,
): Handler => {
  return (word, cia) => {
    const { bits, flags } = convert(source(xb(word)), from, format, cpu.i32[STATUS]);
    completeAs(xt(word), CLEAR, cia, spread(bits), format.encoding.resultFlags(bits), flags);
  };
};
/** Processors put a single into both words of the doubleword; the manual leaves the second one undefined. */
const twice = (bits: bigint): bigint => (bits << 32n) | bits;

/**
 * The single of a double without rounding, for a double that is a single: numbers of smaller exponents lose bits, a NaN keeps the
 * upper ones.
 */
function narrowNonSignalling(high: number, low: number): number {
  const exponent = (high >>> 20) & 0x7ff;
  const fraction = ((high & 0xf_ffff) << 3) | (low >>> 29);
  const sign = high & SIGN;
  if (exponent >= 897 || ((high & 0x7fff_ffff) | low) === 0) {
    return sign | (high & 0x4000_0000) | ((exponent & 0x7f) << 23) | fraction;
  }
  // A subnormal double has no implicit bit, but the exponent of 1.
  const implicit = exponent === 0 ? 0 : 0x80_0000;
  const shift = 897 - (exponent || 1);
  return sign | (shift > 31 ? 0 : (implicit | fraction) >>> shift);
}

/** CR[BF] <- sign || 0 || match || not a single; FPCC with it. */
const testClass = (single: boolean): Handler => {
  return (word) => {
    const b = xb(word);
    const upper = cpu.i32[2 * b + 1];
    const mask = (word >>> 16) & 0x7f;
    const exponent = exponentOf(DOUBLE_ELEMENTS, upper);
    const isNan = Number.isNaN(cpu.f64[b]);
    const isNotSingle =
      single && (isNan ? cpu.i32[2 * b] << 3 !== 0 : Math.fround(cpu.f64[b]) !== cpu.f64[b]);
    const isSubnormal = single && exponent > 0 && exponent <= 0x380;
    const match = isSubnormal
      ? (mask & (upper < 0 ? 1 : 2)) !== 0
      : isOfClass(DOUBLE_ELEMENTS, mask, upper, cpu.i32[2 * b]);
    setCondition(bf(word), (upper < 0 ? 8 : 0) | (match ? 2 : 0) | (isNotSingle ? 1 : 0));
  };
};

export const vsxScalarHandlers = (): HandlerTable => ({
  xsabsdp: move(~SIGN, 0),
  xsnabsdp: move(~SIGN, SIGN),
  xsnegdp: move(-1, SIGN),
  xscpsgndp: (word) => {
    const b = 2 * xb(word);
    setWords(xt(word), (cpu.i32[2 * xa(word) + 1] & SIGN) | (cpu.i32[b + 1] & ~SIGN), cpu.i32[b]);
  },
  xscvdpsp: conversion((place) => cpu.u64[place], BINARY64, SINGLE_WORD, twice),
  xscvspdp: conversion((place) => cpu.u64[place] >> 32n, BINARY32, DOUBLE),
  xscvdphp: conversion((place) => cpu.u64[place], BINARY64, HALF),
  xscvhpdp: conversion((place) => cpu.u64[place] & 0xffffn, BINARY16, DOUBLE),
  xscvdpspn: (word) => {
    const b = 2 * xb(word);
    const bits = narrowNonSignalling(cpu.i32[b + 1], cpu.i32[b]);
    setWords(xt(word), bits, bits);
  },
  xscvspdpn: (word) => {
    const bits = cpu.i32[2 * xb(word) + 1];
    setWords(xt(word), doubleHigh(bits), doubleLow(bits));
  },
  xsmaxdp: extreme(true),
  xsmindp: extreme(false),
  xsmaxcdp: extremeOf("C", true),
  xsmincdp: extremeOf("C", false),
  xsmaxjdp: extremeOf("J", true),
  xsminjdp: extremeOf("J", false),
  xscmpeqdp: compare("eq"),
  xscmpgedp: compare("ge"),
  xscmpgtdp: compare("gt"),
  xscmpexpdp: (word) => {
    const a = xa(word);
    const b = xb(word);
    const ea = exponentOf(DOUBLE_ELEMENTS, cpu.i32[2 * a + 1]);
    const eb = exponentOf(DOUBLE_ELEMENTS, cpu.i32[2 * b + 1]);
    const isNan = Number.isNaN(cpu.f64[a]) || Number.isNaN(cpu.f64[b]);
    setCondition(bf(word), isNan ? 1 : ea < eb ? 8 : ea > eb ? 4 : 2);
  },
  xststdcdp: testClass(false),
  xststdcsp: testClass(true),
  xsxexpdp: (word) => {
    cpu.i32[rt(word)] = exponentOf(DOUBLE_ELEMENTS, cpu.i32[2 * xb(word) + 1]);
    cpu.i32[rt(word) + 1] = 0;
  },
  xsxsigdp: (word) => {
    const b = 2 * xb(word);
    const exponent = exponentOf(DOUBLE_ELEMENTS, cpu.i32[b + 1]);
    cpu.i32[rt(word)] = cpu.i32[b];
    cpu.i32[rt(word) + 1] =
      (cpu.i32[b + 1] & 0xf_ffff) | (exponent === 0 || exponent === 0x7ff ? 0 : 0x10_0000);
  },
  xsiexpdp: (word) => {
    const a = ra(word);
    setWords(xt(word), (cpu.i32[a + 1] & 0x800f_ffff) | ((cpu.i32[rb(word)] & 0x7ff) << 20), cpu.i32[a]);
  },
});
