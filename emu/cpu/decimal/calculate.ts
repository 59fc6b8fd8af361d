/** Decimal arithmetic, comparison, test and quantum adjustment instructions: Power ISA 3.0B, I.5.6.1 to I.5.6.4. */
import { bf } from "../fields.ts";
import { setCondition } from "../floating-point/elements.ts";
import { VE, VXCVI, VXSNAN, VXVC } from "../floating-point/fpscr.ts";
import { fra, raise, STATUS } from "../floating-point/fpu.ts";
import type { Handler, HandlerTable } from "../handler.ts";
import { cpu } from "../views.ts";
import {
  add,
  type Control,
  type DecimalResult,
  divide,
  infinity,
  invalid,
  multiply,
  order,
  propagate,
  quantize,
  reround,
  subtract,
  toIntegral,
} from "./decimal-arithmetic.ts";
import { type Decimal, type DecimalFormat, digitsOf, isNan, isZero } from "./decimal-formats.ts";
import {
  complete,
  control,
  immediateMode,
  LONGS,
  type Operands,
  operandA,
  operandB,
  PAIRS,
} from "./decimal-operands.ts";

type Operation = (a: Decimal, b: Decimal, format: DecimalFormat, control: Control) => DecimalResult;

const arithmetic = (operation: Operation, operands: Operands): Handler => {
  return (word, cia) => {
    const a = operandA(operands, word);
    const b = operandB(operands, word);
    complete(operands, word, cia, operation(a, b, operands.format, control()));
  };
};

const LESS = 8;
const GREATER = 4;
const EQUAL = 2;
const UNORDERED = 1;
const conditionOf = (sign: number): number => (sign < 0 ? LESS : sign > 0 ? GREATER : EQUAL);

const compare = (ordered: boolean, operands: Operands): Handler => {
  return (word, cia) => {
    const a = operandA(operands, word);
    const b = operandB(operands, word);
    const unordered = isNan(a) || isNan(b);
    setCondition(bf(word), unordered ? UNORDERED : conditionOf(order(a, b)));
    if (!unordered) return;
    let flags = ordered ? VXVC : 0;
    if (a.kind === "signalling NaN" || b.kind === "signalling NaN") {
      flags = ordered && (cpu.i32[STATUS] & VE) === 0 ? VXSNAN | VXVC : VXSNAN;
    }
    if (flags !== 0) raise(0, cia, cpu.i32[STATUS], flags);
  };
};

/** CR[BF] <- sign || 0 || match || 0, and FPCC. */
const tested = (word: number, a: Decimal, match: boolean) =>
  setCondition(bf(word), (a.negative ? 8 : 0) | (match ? 2 : 0));
/** The six bits of a mask field. */
const maskOf = (word: number): number => (word >>> 10) & 63;

const testClass = (operands: Operands): Handler => {
  return (word) => {
    const a = operandA(operands, word);
    let kind = 8;
    if (a.kind === "signalling NaN") kind = 1;
    else if (a.kind === "quiet NaN") kind = 2;
    else if (a.kind === "infinity") kind = 4;
    else if (isZero(a)) kind = 32;
    else if (operands.format.isSubnormal(a)) kind = 16;
    tested(word, a, (maskOf(word) & kind) !== 0);
  };
};
const testGroup = (operands: Operands): Handler => {
  const { format } = operands;
  return (word) => {
    const a = operandA(operands, word);
    const isExtreme = a.exponent === format.least || a.exponent === format.greatest;
    let kind = digitsOf(a.coefficient) < format.precision ? 4 : 2;
    if (a.kind !== "number") kind = 1;
    else if (isZero(a)) kind = isExtreme ? 16 : 32;
    else if (isExtreme || format.isSubnormal(a)) kind = 8;
    tested(word, a, (maskOf(word) & kind) !== 0);
  };
};
const testExponent = (operands: Operands): Handler => {
  return (word) => {
    const a = operandA(operands, word);
    const b = operandB(operands, word);
    const areNumbers = a.kind === "number" && b.kind === "number";
    const alike = (isNan(a) && isNan(b)) || (a.kind === "infinity" && b.kind === "infinity");
    const equal = alike ? EQUAL : UNORDERED;
    setCondition(bf(word), areNumbers ? conditionOf(a.exponent - b.exponent) : equal);
  };
};
/** How many significant digits are asked for, compared with those of FRB. */
const testSignificance = (operands: Operands, countOf: (word: number) => number): Handler => {
  return (word) => {
    const b = operandB(operands, word);
    const count = countOf(word);
    const digits = isZero(b) ? 0 : digitsOf(b.coefficient);
    const found = count === 0 ? GREATER : conditionOf(count - digits);
    setCondition(bf(word), b.kind === "number" ? found : UNORDERED);
  };
};
const inRegister = (word: number): number => Number(cpu.u64[fra(word)] & 63n);
const immediate = (word: number): number => (word >>> 16) & 63;

const quantum = (operands: Operands): Handler => {
  const { format } = operands;
  return (word, cia) => {
    const a = operandA(operands, word);
    const b = operandB(operands, word);
    let result = propagate(format, a, b);
    if (result === undefined) {
      const infinities = Number(a.kind === "infinity") + Number(b.kind === "infinity");
      if (infinities === 0) result = quantize(b, a.exponent, format, immediateMode(word));
      else result = infinities === 2 ? infinity(b.negative) : invalid(VXCVI);
    }
    complete(operands, word, cia, result);
  };
};
/** A function of FRB alone, which NaNs pass; so do infinities, unless they are invalid. */
const adjustment = (
  operands: Operands,
  ofInfinity: (negative: boolean) => DecimalResult,
  adjust: (b: Decimal, word: number, format: DecimalFormat) => DecimalResult,
): Handler => {
  const { format } = operands;
  return (word, cia) => {
    const b = operandB(operands, word);
    const special = propagate(format, b) ?? (b.kind === "infinity" ? ofInfinity(b.negative) : undefined);
    complete(operands, word, cia, special ?? adjust(b, word, format));
  };
};
const quantumImmediate = (operands: Operands): Handler =>
  adjustment(
    operands,
    () => invalid(VXCVI),
    (b, word, format) => quantize(b, (word << 11) >> 27, format, immediateMode(word)),
  );
const rerounded = (operands: Operands): Handler =>
  adjustment(operands, infinity, (b, word, format) =>
    reround(b, inRegister(word), format, immediateMode(word)),
  );
const integral = (operands: Operands, inexact: boolean): Handler =>
  adjustment(operands, infinity, (b, word) => {
    const { value, flags } = toIntegral(b, immediateMode(word, (word >>> 16) & 1));
    return { value, flags: inexact ? flags : 0 };
  });

export const calculateHandlers = (): HandlerTable => ({
  dadd: arithmetic(add, LONGS),
  daddq: arithmetic(add, PAIRS),
  dsub: arithmetic(subtract, LONGS),
  dsubq: arithmetic(subtract, PAIRS),
  dmul: arithmetic(multiply, LONGS),
  dmulq: arithmetic(multiply, PAIRS),
  ddiv: arithmetic(divide, LONGS),
  ddivq: arithmetic(divide, PAIRS),
  dcmpo: compare(true, LONGS),
  dcmpoq: compare(true, PAIRS),
  dcmpu: compare(false, LONGS),
  dcmpuq: compare(false, PAIRS),
  dtstdc: testClass(LONGS),
  dtstdcq: testClass(PAIRS),
  dtstdg: testGroup(LONGS),
  dtstdgq: testGroup(PAIRS),
  dtstex: testExponent(LONGS),
  dtstexq: testExponent(PAIRS),
  dtstsf: testSignificance(LONGS, inRegister),
  dtstsfq: testSignificance(PAIRS, inRegister),
  dtstsfi: testSignificance(LONGS, immediate),
  dtstsfiq: testSignificance(PAIRS, immediate),
  dquai: quantumImmediate(LONGS),
  dquaiq: quantumImmediate(PAIRS),
  dqua: quantum(LONGS),
  dquaq: quantum(PAIRS),
  drrnd: rerounded(LONGS),
  drrndq: rerounded(PAIRS),
  drintx: integral(LONGS, true),
  drintxq: integral(PAIRS, true),
  drintn: integral(LONGS, false),
  drintnq: integral(PAIRS, false),
});
