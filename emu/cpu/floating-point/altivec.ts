import type { Handler, HandlerTable } from "../handler.ts";
import { VSCR } from "../registers.ts";
import { cpu } from "../views.ts";
import { logEstimate, powerEstimate } from "./altivec-estimates.ts";
import { type IntegralMode, ROUNDER_LIMIT, ROUNDINGS } from "./convert.ts";
import { putMask, type Relation, relationMask, SINGLE_ELEMENTS } from "./elements.ts";
import { FPRS, factor, roundToOdd, SINGLE_LEAST, setCr, vra, vrb, vrt } from "./fpu.ts";
import { fusedSingles } from "./fused.ts";
import { A, B, C, ERROR, OUT, OUT_F32, ROUNDED, SINGLES, wordAt, writeVector } from "./lanes.ts";
import { type Kernel, RECIPROCAL, RECIPROCAL_ROOT, sum } from "./vsx-arithmetic.ts";

const AT = VSCR / 4;
const SAT = 1;
const NJ = 0x1_0000;
const QUIET = 0x40_0000;
const DEFAULT_NAN = 0x7fc0_0000;
/** The Rc bit of vector compares. */
const RC = 0x400;

/** VRC. */
const vrc = (word: number): number => factor(word, FPRS) + 64;

const isTiny = (value: number): boolean => Math.abs(value) < SINGLE_LEAST && value !== 0;

/** Reads the elements of a VR: subnormal ones as zeros in non-Java mode. */
function load(into: Float64Array, place: number): void {
  SINGLES.load(into, place);
  if ((cpu.i32[AT] & NJ) === 0) return;
  for (let k = 0; k < 4; k++) if (isTiny(into[k])) into[k] *= 0;
}

/** Puts a result into OUT: `exact` has the sign and the leading bits of the exact one, rounded to odd where it is inexact. */
function put(k: number, exact: number): void {
  OUT_F32[3 - k] = isTiny(exact) && (cpu.i32[AT] & NJ) !== 0 ? exact * 0 : exact;
}

/** Puts the first NaN among the elements k of the VRs, quieted, or the default one. */
function putNan(k: number, ...places: readonly number[]): void {
  const found = places.find((place) => Number.isNaN(cpu.f32[wordAt(place, k)]));
  OUT[3 - k] = found === undefined ? DEFAULT_NAN : cpu.i32[wordAt(found, k)] | QUIET;
}

/** Puts what a kernel computed of the elements of the VRs. */
function settle(k: number, ...places: readonly number[]): void {
  const rounded = ROUNDED[k];
  const error = ERROR[k];
  if (Number.isNaN(rounded)) putNan(k, ...places);
  else put(k, error - error !== 0 || error === 0 ? rounded : roundToOdd(rounded, error));
}

/** VRT <- an operation on VRA and VRB. */
const binary = (kernel: Kernel): Handler => {
  return (word) => {
    load(A, vra(word));
    load(B, vrb(word));
    kernel(4);
    for (let k = 0; k < 4; k++) settle(k, vra(word), vrb(word));
    writeVector(vrt(word));
  };
};
const unary = (kernel: Kernel): Handler => {
  return (word) => {
    load(B, vrb(word));
    kernel(4);
    for (let k = 0; k < 4; k++) settle(k, vrb(word));
    writeVector(vrt(word));
  };
};

/** VRT <- VRA * VRC + VRB, or -(VRA * VRC - VRB). */
const fused = (negativeSubtract: boolean): Handler => {
  const sign = negativeSubtract ? -1 : 1;
  return (word) => {
    load(A, vra(word));
    load(C, vrc(word));
    load(B, vrb(word));
    fusedSingles(sign, sign);
    for (let k = 0; k < 4; k++) settle(k, vra(word), vrb(word), vrc(word));
    writeVector(vrt(word));
  };
};

/** A function of each element that is not a NaN. */
const mapped = (map: (value: number) => number): Handler => {
  return (word) => {
    const b = vrb(word);
    load(B, b);
    for (let k = 0; k < 4; k++) {
      const value = map(B[k]);
      if (Number.isNaN(value)) putNan(k, b);
      else put(k, value);
    }
    writeVector(vrt(word));
  };
};
const integral = (mode: IntegralMode): Handler =>
  mapped((value) => {
    if (!(Math.abs(value) < ROUNDER_LIMIT)) return value;
    const integer = ROUNDINGS[mode](value);
    return integer === 0 ? value * 0 : integer;
  });

const extreme = (max: boolean): Handler => {
  const choose = max ? Math.max : Math.min;
  return (word) => {
    load(A, vra(word));
    load(B, vrb(word));
    for (let k = 0; k < 4; k++) {
      const value = choose(A[k], B[k]);
      if (Number.isNaN(value)) putNan(k, vra(word), vrb(word));
      else OUT_F32[3 - k] = value;
    }
    writeVector(vrt(word));
  };
};

/** VRT <- masks of where the relation holds; Rc: CR6 <- all || 0 || none || 0. */
const compare = (relation: Relation): Handler => {
  return (word) => {
    load(A, vra(word));
    load(B, vrb(word));
    let all = -1;
    let some = 0;
    for (let k = 0; k < 4; k++) {
      const mask = relationMask(relation, A[k], B[k]);
      putMask(SINGLE_ELEMENTS, k, mask);
      all &= mask;
      some |= mask;
    }
    writeVector(vrt(word));
    if ((word & RC) !== 0) setCr(6, (all !== 0 ? 8 : 0) | (some === 0 ? 2 : 0));
  };
};
/** VRT <- not (VRA <= VRB) || not (VRA >= -VRB) || zeros; Rc: CR6 <- 0 || 0 || all within || 0. */
const compareBounds: Handler = (word) => {
  load(A, vra(word));
  load(B, vrb(word));
  let any = 0;
  for (let k = 0; k < 4; k++) {
    const above = A[k] <= B[k] ? 0 : 0x8000_0000 | 0;
    const below = A[k] >= -B[k] ? 0 : 0x4000_0000;
    OUT[3 - k] = above | below;
    any |= above | below;
  }
  writeVector(vrt(word));
  if ((word & RC) !== 0) setCr(6, any === 0 ? 2 : 0);
};

/** VRT <- the integers of VRB / 2^UIM. */
const fromInteger = (signed: boolean): Handler => {
  return (word) => {
    const scale = 2 ** -((word >>> 16) & 31);
    for (let k = 0; k < 4; k++) {
      const integer = cpu.i32[wordAt(vrb(word), k)];
      OUT_F32[3 - k] = (signed ? integer : integer >>> 0) * scale;
    }
    writeVector(vrt(word));
  };
};
/** VRT <- VRB * 2^UIM, truncated to integers; VSCR.SAT where one does not fit. A NaN gives zero. */
const toInteger = (least: number, greatest: number): Handler => {
  return (word) => {
    const scale = 2 ** ((word >>> 16) & 31);
    load(B, vrb(word));
    for (let k = 0; k < 4; k++) {
      const integer = Math.trunc(B[k] * scale);
      if (integer < least || integer > greatest) cpu.i32[AT] |= SAT;
      OUT[3 - k] = Math.max(least, Math.min(greatest, integer || 0));
    }
    writeVector(vrt(word));
  };
};

export const altivecHandlers = (): HandlerTable => ({
  vaddfp: binary(sum(false)),
  vsubfp: binary(sum(true)),
  vmaxfp: extreme(true),
  vminfp: extreme(false),
  vmaddfp: fused(false),
  vnmsubfp: fused(true),
  vctsxs: toInteger(-(2 ** 31), 2 ** 31 - 1),
  vctuxs: toInteger(0, 2 ** 32 - 1),
  vcfsx: fromInteger(true),
  vcfux: fromInteger(false),
  vrfim: integral(3),
  vrfin: integral(0),
  vrfip: integral(2),
  vrfiz: integral(1),
  vexptefp: mapped(powerEstimate),
  vlogefp: mapped(logEstimate),
  // The manual bounds the error of estimates only; these are as good as the format allows.
  vrefp: unary(RECIPROCAL.kernel),
  vrsqrtefp: unary(RECIPROCAL_ROOT.kernel),
  vcmpbfp: compareBounds,
  vcmpeqfp: compare("eq"),
  vcmpgefp: compare("ge"),
  vcmpgtfp: compare("gt"),
});
