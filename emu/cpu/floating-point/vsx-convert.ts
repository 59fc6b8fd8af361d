/**
 * VSX vector conversions between formats, to and from integers, and to integral values: Power ISA 3.0B, I.7.6.3. A row says
 * which elements of XB become which of XT; where a word goes into a doubleword, the doubleword's first word counts, and
 * processors put a result into both words (the manual leaves the second one undefined).
 */
import type { Handler, HandlerTable } from "../handler.ts";
import { cpu } from "../views.ts";
import { type IntegralMode, ROUNDER_LIMIT, ROUNDINGS } from "./convert.ts";
import { sumError } from "./error-free.ts";
import {
  BFLOAT16,
  BINARY16,
  BINARY32,
  BINARY64,
  DOUBLE,
  type Encoding,
  type Format,
  HALF,
  SINGLE,
  SINGLE_WORD,
} from "./formats.ts";
import { RN, VXSNAN, XX } from "./fpscr.ts";
import { STATUS, xb, xt } from "./fpu.ts";
import {
  ASK,
  completeVector,
  DOUBLES,
  ERROR,
  OUT,
  OUT_F32,
  OUT_F64,
  putResult,
  ROUNDED,
  type Shape,
  SINGLES,
  wordAt,
  writeVector,
} from "./lanes.ts";
import { convert, fromInteger, type IntegerFormat, roundToIntegral, toInteger } from "./soft-float.ts";
import { doubleHigh, doubleLow } from "./storage-access.ts";

const TWO_32 = 2 ** 32;

/** Where elements lie: every word, the first word of each doubleword, each doubleword. */
type Layout = "words" | "even words" | "doublewords";
const wordOf = (layout: Layout, k: number): number => (layout === "words" ? k : 2 * k);
/** Two of them unless both sides have four. */
const countOf = (from: Layout, to: Layout): 2 | 4 => (from === "words" && to === "words" ? 4 : 2);

function putWord(layout: Layout, k: number, word: number): void {
  const at = 3 - wordOf(layout, k);
  OUT[at] = word;
  if (layout === "even words") OUT[at - 1] = word;
}
function putDoubleword(k: number, high: number, low: number): void {
  OUT[3 - 2 * k] = high;
  OUT[2 - 2 * k] = low;
}

/** To an integer, truncated. */
const toIntegers = (from: Layout, to: Layout, format: IntegerFormat): Handler => {
  const isDouble = from === "doublewords";
  const shape = isDouble ? DOUBLES : SINGLES;
  const count = countOf(from, to);
  const { width, signed } = format;
  const limit = width === 32 ? (signed ? 2 ** 31 : TWO_32) : 2 ** 52;
  const least = signed ? -limit : 0;
  return (word, cia) => {
    const b = xb(word);
    let flags = 0;
    for (let k = 0; k < count; k++) {
      const value = isDouble ? cpu.f64[b - k] : cpu.f32[wordAt(b, wordOf(from, k))];
      const integer = Math.trunc(value);
      let high: number;
      let low: number;
      if (integer >= least && integer < limit) {
        if (integer !== value) flags |= XX;
        low = integer | 0;
        high = Math.floor(integer / TWO_32);
      } else {
        const result = toInteger(shape.bits(b, isDouble ? k : wordOf(from, k)), BINARY64, format, 1);
        flags |= result.flags;
        low = Number(BigInt.asIntN(32, result.value));
        high = Number(BigInt.asIntN(32, result.value >> 32n));
      }
      if (to === "doublewords") putDoubleword(k, high, low);
      else putWord(to, k, low);
    }
    completeVector(xt(word), cia, flags);
  };
};

/** From an integer. */
const fromIntegers = (from: Layout, to: Layout, signed: boolean): Handler => {
  const isDouble = to === "doublewords";
  const shape = isDouble ? DOUBLES : SINGLES;
  const format = isDouble ? DOUBLE : SINGLE;
  const count = countOf(from, to);
  return (word, cia) => {
    const b = xb(word);
    const status = cpu.i32[STATUS];
    let flags = 0;
    for (let k = 0; k < count; k++) {
      const at = wordAt(b, wordOf(from, k));
      const first = signed ? cpu.i32[at] : cpu.i32[at] >>> 0;
      const high = from === "doublewords" ? first * TWO_32 : first;
      const low = from === "doublewords" ? cpu.i32[at - 1] >>> 0 : 0;
      const target = to === "even words" ? 2 * k : k;
      ROUNDED[target] = high + low;
      ERROR[target] = sumError(high, low, ROUNDED[target]);
      let raised = shape.settle(target, status);
      if (raised === ASK) {
        const integer = BigInt(high) + BigInt(low);
        raised = putResult(shape, target, fromInteger(integer, format, status));
      }
      if (to === "even words") OUT[2 - target] = OUT[3 - target];
      flags |= raised;
    }
    completeVector(xt(word), cia, flags);
  };
};

/** A mode, or that of FPSCR.RN, which alone raises inexact. */
type Integral = IntegralMode | "current";
const roundIntegral = (shape: Shape, how: Integral): Handler => {
  const { count, format } = shape;
  return (word, cia) => {
    const b = xb(word);
    const status = cpu.i32[STATUS];
    const mode = how === "current" ? ((status & RN) as IntegralMode) : how;
    let flags = 0;
    for (let k = 0; k < count; k++) {
      const value = count === 2 ? cpu.f64[b - k] : cpu.f32[wordAt(b, k)];
      // To nearest, ties to even, gives zeros without a sign.
      if (Math.abs(value) < ROUNDER_LIMIT && mode !== 0) {
        const integer = ROUNDINGS[mode](value);
        if (count === 2) OUT_F64[1 - k] = integer;
        else OUT_F32[3 - k] = integer;
        if (integer !== value) flags |= XX;
        continue;
      }
      const result = roundToIntegral(shape.bits(b, k), format, mode);
      flags |= putResult(shape, k, result);
    }
    completeVector(xt(word), cia, how === "current" ? flags : flags & VXSNAN);
  };
};

const doubleToSingle: Handler = (word, cia) => {
  const b = xb(word);
  const status = cpu.i32[STATUS];
  let flags = 0;
  for (let k = 0; k < 2; k++) {
    ROUNDED[2 * k] = cpu.f64[b - k];
    ERROR[2 * k] = 0;
    let raised = SINGLES.settle(2 * k, status);
    if (raised === ASK) {
      raised = putResult(SINGLES, 2 * k, convert(DOUBLES.bits(b, k), BINARY64, SINGLE, status));
    }
    OUT[2 - 2 * k] = OUT[3 - 2 * k];
    flags |= raised;
  }
  completeVector(xt(word), cia, flags);
};

const singleToDouble: Handler = (word, cia) => {
  const b = xb(word);
  let flags = 0;
  for (let k = 0; k < 2; k++) {
    const bits = cpu.i32[wordAt(b, 2 * k)];
    const isNan = (bits & 0x7fff_ffff) > 0x7f80_0000;
    if (isNan && (bits & 0x40_0000) === 0) flags = VXSNAN;
    putDoubleword(k, doubleHigh(bits) | (isNan ? 0x8_0000 : 0), doubleLow(bits));
  }
  completeVector(xt(word), cia, flags);
};

/** Between a single and the format of 16 bits in the same word's lower half. */
const halves = (from: Encoding, format: Format): Handler => {
  const mask = from === BINARY32 ? 0xffff_ffffn : 0xffffn;
  return (word, cia) => {
    const b = xb(word);
    let flags = 0;
    for (let k = 0; k < 4; k++) {
      const source = BigInt(cpu.i32[wordAt(b, k)]) & mask;
      const result = convert(source, from, format, cpu.i32[STATUS]);
      OUT[3 - k] = Number(BigInt.asIntN(32, result.bits));
      flags |= result.flags;
    }
    completeVector(xt(word), cia, flags);
  };
};

const SIGNED_DOUBLEWORD = { width: 64, signed: true } as const;
const UNSIGNED_DOUBLEWORD = { width: 64, signed: false } as const;
const SIGNED_WORD = { width: 32, signed: true } as const;
const UNSIGNED_WORD = { width: 32, signed: false } as const;

export const vsxConvertHandlers = (): HandlerTable => ({
  xvcvdpsp: doubleToSingle,
  xvcvspdp: singleToDouble,
  xvcvdpsxds: toIntegers("doublewords", "doublewords", SIGNED_DOUBLEWORD),
  xvcvdpsxws: toIntegers("doublewords", "even words", SIGNED_WORD),
  xvcvdpuxds: toIntegers("doublewords", "doublewords", UNSIGNED_DOUBLEWORD),
  xvcvdpuxws: toIntegers("doublewords", "even words", UNSIGNED_WORD),
  xvcvspsxds: toIntegers("even words", "doublewords", SIGNED_DOUBLEWORD),
  xvcvspsxws: toIntegers("words", "words", SIGNED_WORD),
  xvcvspuxds: toIntegers("even words", "doublewords", UNSIGNED_DOUBLEWORD),
  xvcvspuxws: toIntegers("words", "words", UNSIGNED_WORD),
  xvcvsxddp: fromIntegers("doublewords", "doublewords", true),
  xvcvsxdsp: fromIntegers("doublewords", "even words", true),
  xvcvsxwdp: fromIntegers("even words", "doublewords", true),
  xvcvsxwsp: fromIntegers("words", "words", true),
  xvcvuxddp: fromIntegers("doublewords", "doublewords", false),
  xvcvuxdsp: fromIntegers("doublewords", "even words", false),
  xvcvuxwdp: fromIntegers("even words", "doublewords", false),
  xvcvuxwsp: fromIntegers("words", "words", false),
  xvcvhpsp: halves(BINARY16, SINGLE_WORD),
  xvcvsphp: halves(BINARY32, HALF),
  xvcvspbf16: halves(BINARY32, BFLOAT16),
  xvcvbf16spn: (word) => {
    for (let k = 0; k < 4; k++) OUT[3 - k] = cpu.i32[wordAt(xb(word), k)] << 16;
    writeVector(xt(word));
  },
  xvrdpi: roundIntegral(DOUBLES, 4),
  xvrspi: roundIntegral(SINGLES, 4),
  xvrdpic: roundIntegral(DOUBLES, "current"),
  xvrspic: roundIntegral(SINGLES, "current"),
  xvrdpiz: roundIntegral(DOUBLES, 1),
  xvrspiz: roundIntegral(SINGLES, 1),
  xvrdpip: roundIntegral(DOUBLES, 2),
  xvrspip: roundIntegral(SINGLES, 2),
  xvrdpim: roundIntegral(DOUBLES, 3),
  xvrspim: roundIntegral(SINGLES, 3),
});
