/**
 * VSX scalar quad-precision instructions: Power ISA 3.0B, I.7.6.3, xsaddqp to xsrqpxp. Their operands are whole vector registers; the
 * forms whose names end in "o" round to odd, so that a further rounding gives what one would have.
 */
import { bf } from "../fields.ts";
import type { Handler, HandlerTable } from "../handler.ts";
import { cpu } from "../views.ts";
import { setCondition } from "./elements.ts";
import { AWAY, NEAREST_AWAY, type RoundingMode, TO_ODD } from "./exact.ts";
import { BINARY64, BINARY128, DOUBLE, EXTENDED, QUAD } from "./formats.ts";
import { FI, FPRF, FPRF_SHIFT, FR, RN, VE, VXSNAN, VXVC } from "./fpscr.ts";
import { CLEAR, completeAs, completeInteger, raise, STATUS, suppresses, vra, vrb, vrt } from "./fpu.ts";
import { raiseVector } from "./lanes.ts";
import {
  add,
  convert,
  divide,
  type FusedKind,
  fromInteger,
  type IntegerFormat,
  multiply,
  multiplyAdd,
  type Result,
  roundToIntegral,
  squareRoot,
  toInteger,
} from "./soft-float.ts";

/** The 128 bits of the VSR at a place. */
export const quad = (place: number): bigint => (cpu.u64[place] << 64n) | cpu.u64[place - 1];
export function setQuad(place: number, bits: bigint): void {
  cpu.u64[place] = bits >> 64n;
  cpu.u64[place - 1] = bits;
}

/** The mode of a word that rounds as FPSCR.RN says, or to odd. */
const modeOf = (odd: boolean): RoundingMode => (odd ? TO_ODD : ((cpu.i32[STATUS] & RN) as RoundingMode));
/** That of the R and RMC fields; RMC = 3 with R = 0 is the current one. */
function modeOfFields(word: number): RoundingMode {
  const rmc = (word >>> 9) & 3;
  if ((word & 0x1_0000) !== 0) return rmc as RoundingMode;
  if (rmc === 0) return NEAREST_AWAY;
  // 2 is reserved: as recorded on POWER9.
  return rmc === 3 ? modeOf(false) : rmc === 2 ? AWAY : 0;
}

/** Writes a quad result and its flags; FR, FI and FPRF with them. */
function complete(to: number, cia: number, { bits, flags }: Result): void {
  let status = cpu.i32[STATUS] & ~(FI | FR);
  if (!suppresses(flags)) {
    setQuad(to, bits);
    status = (status & ~FPRF) | (BINARY128.resultFlags(bits) << FPRF_SHIFT);
  }
  raise(0, cia, status, flags);
}

/** VRT <- an operation on VRA and VRB. */
const arithmetic = (
  operation: (a: bigint, b: bigint, control: number, mode: RoundingMode) => Result,
  odd: boolean,
): Handler => {
  return (word, cia) => {
    const result = operation(quad(vra(word)), quad(vrb(word)), cpu.i32[STATUS], modeOf(odd));
    complete(vrt(word), cia, result);
  };
};
const sum = (odd: boolean) => arithmetic((a, b, control, mode) => add(a, b, false, QUAD, control, mode), odd);
const difference = (odd: boolean) =>
  arithmetic((a, b, control, mode) => add(a, b, true, QUAD, control, mode), odd);
const product = (odd: boolean) =>
  arithmetic((a, b, control, mode) => multiply(a, b, QUAD, control, mode), odd);
const quotient = (odd: boolean) =>
  arithmetic((a, b, control, mode) => divide(a, b, QUAD, control, mode), odd);
const root = (odd: boolean) => arithmetic((_a, b, control, mode) => squareRoot(b, QUAD, control, mode), odd);

/** VRT <- VRA * VRB + VRT, and its relatives. */
const fused = (subtract: boolean, negate: boolean, odd: boolean): Handler => {
  const kind: FusedKind = { subtract, negate };
  return (word, cia) => {
    const [a, c, b] = [quad(vra(word)), quad(vrb(word)), quad(vrt(word))];
    complete(vrt(word), cia, multiplyAdd(a, c, b, kind, QUAD, cpu.i32[STATUS], modeOf(odd)));
  };
};

const toDouble = (odd: boolean): Handler => {
  return (word, cia) => {
    const { bits, flags } = convert(quad(vrb(word)), BINARY128, DOUBLE, cpu.i32[STATUS], modeOf(odd));
    completeAs(vrt(word), CLEAR, cia, bits, BINARY64.resultFlags(bits), flags);
  };
};
/** Doubleword 0 of VRT <- an integer, truncated. */
const toDoubleword = (format: IntegerFormat): Handler => {
  return (word, cia) => {
    const { value, flags } = toInteger(quad(vrb(word)), BINARY128, format, 1);
    completeInteger(vrt(word), CLEAR, cia, BigInt.asUintN(64, value), flags);
  };
};
const toQuadword = (signed: boolean): Handler => {
  return (word, cia) => {
    const { value, flags } = toInteger(quad(vrb(word)), BINARY128, { width: 128, signed }, 1);
    const status = cpu.i32[STATUS] & ~(FI | FR);
    if (!suppresses(flags)) setQuad(vrt(word), value);
    raise(0, cia, status, flags);
  };
};
const fromIntegerOf = (value: (place: number) => bigint): Handler => {
  return (word, cia) => complete(vrt(word), cia, fromInteger(value(vrb(word)), QUAD, cpu.i32[STATUS]));
};

const integral = (inexact: boolean): Handler => {
  return (word, cia) => {
    const { bits, flags } = roundToIntegral(quad(vrb(word)), QUAD, modeOfFields(word));
    complete(vrt(word), cia, { bits, flags: inexact ? flags : flags & VXSNAN });
  };
};

/** VRT <- a function of VRA's and VRB's bits. */
const bits = (map: (a: bigint, b: bigint) => bigint): Handler => {
  return (word) => setQuad(vrt(word), map(quad(vra(word)), quad(vrb(word))));
};

const isEitherNan = (a: bigint, b: bigint) => BINARY128.isNan(a) || BINARY128.isNan(b);
const isEitherSignalling = (a: bigint, b: bigint) => BINARY128.isSignalling(a) || BINARY128.isSignalling(b);
/** Negative, zero or positive, as a is less than, equal to or greater than b, both numbers. */
function order(a: bigint, b: bigint): number {
  const key = (bits: bigint) => (bits & BINARY128.sign ? -(bits ^ BINARY128.sign) : bits);
  return Number(key(a) > key(b)) - Number(key(a) < key(b));
}
/** The exceptions of a comparison: NaNs are invalid in an ordered one, signalling ones in any. */
function compareFlags(ordered: boolean, a: bigint, b: bigint): number {
  if (isEitherSignalling(a, b)) return ordered && (cpu.i32[STATUS] & VE) === 0 ? VXSNAN | VXVC : VXSNAN;
  return ordered && isEitherNan(a, b) ? VXVC : 0;
}

const compare = (ordered: boolean): Handler => {
  return (word, cia) => {
    const [a, b] = [quad(vra(word)), quad(vrb(word))];
    setCondition(bf(word), isEitherNan(a, b) ? 1 : [8, 2, 4][order(a, b) + 1]);
    const flags = compareFlags(ordered, a, b);
    if (flags !== 0) raise(0, cia, cpu.i32[STATUS], flags);
  };
};
/** VRT <- a mask of whether the relation holds. */
const compareToMask = (ordered: boolean, holds: (order: number) => boolean): Handler => {
  return (word, cia) => {
    const [a, b] = [quad(vra(word)), quad(vrb(word))];
    const mask = !isEitherNan(a, b) && holds(order(a, b)) ? -1n : 0n;
    if (raiseVector(cia, compareFlags(ordered, a, b))) setQuad(vrt(word), mask);
  };
};
/** C's a > b ? a : b: a NaN gives b. */
const extreme = (first: (order: number) => boolean): Handler => {
  return (word, cia) => {
    const [a, b] = [quad(vra(word)), quad(vrb(word))];
    const chosen = !isEitherNan(a, b) && first(order(a, b)) ? a : b;
    if (raiseVector(cia, isEitherSignalling(a, b) ? VXSNAN : 0)) setQuad(vrt(word), chosen);
  };
};

/** The significand with its implicit bit. */
function significandOf(b: bigint): bigint {
  const exponent = BINARY128.exponentOf(b);
  const implicit = exponent === 0 || exponent === 0x7fff ? 0n : 1n << 112n;
  return (b & BINARY128.fraction) | implicit;
}

/** CR[BF] <- sign || 0 || of a class in DCMX || 0. */
const testClass: Handler = (word) => {
  const b = quad(vrb(word));
  const mask = (word >>> 16) & 0x7f;
  const negative = BINARY128.signOf(b) !== 0n;
  const bit = (positive: number) => (negative ? positive >> 1 : positive);
  let kind = 0;
  if (BINARY128.isNan(b)) kind = 0x40;
  else if (BINARY128.isInfinity(b)) kind = bit(0x20);
  else if (BINARY128.isZero(b)) kind = bit(8);
  else if (BINARY128.isSubnormal(b)) kind = bit(2);
  setCondition(bf(word), (negative ? 8 : 0) | ((mask & kind) !== 0 ? 2 : 0));
};

const EXPONENT_SHIFT = 112n;

export const quadHandlers = (): HandlerTable => ({
  xsaddqp: sum(false),
  xsaddqpo: sum(true),
  xssubqp: difference(false),
  xssubqpo: difference(true),
  xsmulqp: product(false),
  xsmulqpo: product(true),
  xsdivqp: quotient(false),
  xsdivqpo: quotient(true),
  xssqrtqp: root(false),
  xssqrtqpo: root(true),
  xsmaddqp: fused(false, false, false),
  xsmaddqpo: fused(false, false, true),
  xsmsubqp: fused(true, false, false),
  xsmsubqpo: fused(true, false, true),
  xsnmaddqp: fused(false, true, false),
  xsnmaddqpo: fused(false, true, true),
  xsnmsubqp: fused(true, true, false),
  xsnmsubqpo: fused(true, true, true),
  xscvqpdp: toDouble(false),
  xscvqpdpo: toDouble(true),
  xscvdpqp: (word, cia) =>
    complete(vrt(word), cia, convert(cpu.u64[vrb(word)], BINARY64, QUAD, cpu.i32[STATUS])),
  xscvqpsdz: toDoubleword({ width: 64, signed: true }),
  xscvqpudz: toDoubleword({ width: 64, signed: false }),
  xscvqpswz: toDoubleword({ width: 32, signed: true }),
  xscvqpuwz: toDoubleword({ width: 32, signed: false }),
  xscvqpsqz: toQuadword(true),
  xscvqpuqz: toQuadword(false),
  xscvsdqp: fromIntegerOf((place) => BigInt.asIntN(64, cpu.u64[place])),
  xscvudqp: fromIntegerOf((place) => cpu.u64[place]),
  xscvsqqp: fromIntegerOf((place) => BigInt.asIntN(128, quad(place))),
  xscvuqqp: fromIntegerOf(quad),
  xsrqpi: integral(false),
  xsrqpix: integral(true),
  xsrqpxp: (word, cia) => {
    const b = quad(vrb(word));
    complete(vrt(word), cia, convert(b, BINARY128, EXTENDED, cpu.i32[STATUS], modeOfFields(word)));
  },
  xsabsqp: bits((_a, b) => b & ~BINARY128.sign),
  xsnabsqp: bits((_a, b) => b | BINARY128.sign),
  xsnegqp: bits((_a, b) => b ^ BINARY128.sign),
  xscpsgnqp: bits((a, b) => (a & BINARY128.sign) | (b & ~BINARY128.sign)),
  xsxexpqp: bits((_a, b) => BigInt(BINARY128.exponentOf(b)) << 64n),
  xsxsigqp: bits((_a, b) => significandOf(b)),
  xsiexpqp: bits((a, b) => (a & ~BINARY128.infinity) | (((b >> 64n) & 0x7fffn) << EXPONENT_SHIFT)),
  xscmpoqp: compare(true),
  xscmpuqp: compare(false),
  xscmpexpqp: (word) => {
    const [a, b] = [quad(vra(word)), quad(vrb(word))];
    const difference = BINARY128.exponentOf(a) - BINARY128.exponentOf(b);
    setCondition(bf(word), isEitherNan(a, b) ? 1 : [8, 2, 4][Math.sign(difference) + 1]);
  },
  xststdcqp: testClass,
  xscmpeqqp: compareToMask(false, (order) => order === 0),
  xscmpgeqp: compareToMask(true, (order) => order >= 0),
  xscmpgtqp: compareToMask(true, (order) => order > 0),
  xsmaxcqp: extreme((order) => order > 0),
  xsmincqp: extreme((order) => order < 0),
});
