/**
 * Floating-point arithmetic instructions on FPRs (Power ISA 3.0B, I.4.6.6.1) and VSX scalar ones (I.7.6.3).
 *
 * Each handler computes in f64 and finds the rounding error exactly; operands and results for which that does not
 * hold, and other rounding modes, go to soft-float.
 */
import type { Handler, HandlerTable, Selector } from "../handler.ts";
import { cpu } from "../views.ts";
import { classicReciprocal, classicReciprocalRoot } from "./classic-estimates.ts";
import { HUGE, isModerate, productError, quotientError, sumError, TINY } from "./error-free.ts";
import { TOWARD_ZERO } from "./exact.ts";
import { BINARY64, DOUBLE, type Format, SINGLE } from "./formats.ts";
import { RN } from "./fpscr.ts";
import {
  type Bank,
  complete,
  deliver,
  ending,
  FPRS,
  factor,
  operandA,
  operandB,
  STATUS,
  target,
  VSRS,
} from "./fpu.ts";
import { add, divide, multiply, type Result, reciprocalSquareRoot, squareRoot } from "./soft-float.ts";

/** Half a unit in the last place of one. */
const EPSILON = 2 ** -53;

/** 1.0 */
const ONE = 0x3ff0_0000_0000_0000n;

const addition = (bank: Bank, subtract: boolean, single: boolean): Handler => {
  const sign = subtract ? -1 : 1;
  const format = single ? SINGLE : DOUBLE;
  return (word, cia) => {
    const to = target(word, bank);
    const end = ending(word, bank);
    const a = cpu.f64[operandA(word, bank)];
    const b = sign * cpu.f64[operandB(word, bank)];
    const sum = a + b;
    if (Math.abs(sum) < HUGE && deliver(to, end, sum, sumError(a, b, sum), single)) return;
    const operands = [cpu.u64[operandA(word, bank)], cpu.u64[operandB(word, bank)]] as const;
    complete(to, end, cia, add(...operands, subtract, format, cpu.i32[STATUS]));
  };
};

const multiplication = (bank: Bank, single: boolean): Handler => {
  const format = single ? SINGLE : DOUBLE;
  return (word, cia) => {
    const to = target(word, bank);
    const end = ending(word, bank);
    const a = cpu.f64[operandA(word, bank)];
    const c = cpu.f64[factor(word, bank)];
    const product = a * c;
    if (isModerate(product) || (product === 0 && (a === 0 || c === 0))) {
      if (deliver(to, end, product, productError(a, c, product), single)) return;
    }
    complete(
      to,
      end,
      cia,
      multiply(cpu.u64[operandA(word, bank)], cpu.u64[factor(word, bank)], format, cpu.i32[STATUS]),
    );
  };
};

const division = (bank: Bank, single: boolean): Handler => {
  const format = single ? SINGLE : DOUBLE;
  return (word, cia) => {
    const to = target(word, bank);
    const end = ending(word, bank);
    const a = cpu.f64[operandA(word, bank)];
    const b = cpu.f64[operandB(word, bank)];
    const quotient = a / b;
    if (a === 0 ? quotient === 0 : isModerate(quotient) && Math.abs(a) > TINY) {
      if (deliver(to, end, quotient, quotientError(a, b, quotient), single)) return;
    }
    complete(
      to,
      end,
      cia,
      divide(cpu.u64[operandA(word, bank)], cpu.u64[operandB(word, bank)], format, cpu.i32[STATUS]),
    );
  };
};

const root = (bank: Bank, single: boolean): Handler => {
  const format = single ? SINGLE : DOUBLE;
  return (word, cia) => {
    const to = target(word, bank);
    const end = ending(word, bank);
    const b = cpu.f64[operandB(word, bank)];
    if ((b > TINY && b < HUGE) || b === 0) {
      const root = Math.sqrt(b);
      const square = root * root;
      if (deliver(to, end, root, b - square - productError(root, root, square), single)) return;
    }
    complete(to, end, cia, squareRoot(cpu.u64[operandB(word, bank)], format, cpu.i32[STATUS]));
  };
};

// The estimates. The manual bounds their error only; these are as good as the format allows, which is what
// qemu-user gives, but for the 750, whose tables are known. Those of roots in the double format are cut: outputs recorded on POWER
// processors stay below a power of two where the exact value does.

/** 1 / b in the double format. */
export const softReciprocal = (b: bigint, format: Format, control: number): Result =>
  divide(ONE, b, format, control);

/** 1 / sqrt(b) in the double format, the root rounded before it divides. */
export function softReciprocalRoot(b: bigint, format: Format, control: number): Result {
  const root = squareRoot(b, DOUBLE, control);
  if (BINARY64.isNan(root.bits)) return squareRoot(b, format, control);
  const { bits, flags } = divide(ONE, root.bits, format, control);
  return { bits, flags: flags | root.flags };
}

const reciprocal = (bank: Bank, single: boolean): Handler => {
  const format = single ? SINGLE : DOUBLE;
  return (word, cia) => {
    const to = target(word, bank);
    const end = ending(word, bank);
    const b = cpu.f64[operandB(word, bank)];
    const quotient = 1 / b;
    if (isModerate(quotient) && deliver(to, end, quotient, quotientError(1, b, quotient), single)) return;
    complete(to, end, cia, softReciprocal(cpu.u64[operandB(word, bank)], format, cpu.i32[STATUS]));
  };
};

const reciprocalRootSingle = (bank: Bank): Handler => {
  return (word, cia) => {
    const to = target(word, bank);
    const end = ending(word, bank);
    const b = cpu.f64[operandB(word, bank)];
    if (b > TINY && b < HUGE && (cpu.i32[STATUS] & RN) === 0) {
      const root = Math.sqrt(b);
      const quotient = 1 / root;
      const error = quotientError(1, root, quotient);
      // An exact quotient of a rounded root is inexact all the same.
      if (error !== 0 && deliver(to, end, quotient, error, true)) return;
    }
    complete(to, end, cia, softReciprocalRoot(cpu.u64[operandB(word, bank)], SINGLE, cpu.i32[STATUS]));
  };
};

/** r*r*b - 1 for r near 1 / sqrt(b). */
function rootResidue(r: number, b: number): number {
  const square = r * r;
  const product = square * b;
  return product - 1 + productError(square, b, product) + productError(r, r, square) * b;
}

const reciprocalRoot = (bank: Bank): Handler => {
  return (word, cia) => {
    const to = target(word, bank);
    const end = ending(word, bank);
    const b = cpu.f64[operandB(word, bank)];
    if (b > TINY && b < HUGE && (cpu.i32[STATUS] & RN) === 0) {
      let root = 1 / Math.sqrt(b);
      while (rootResidue(root, b) > 0) root -= root * EPSILON;
      if (deliver(to, end, root, -rootResidue(root, b), false)) return;
    }
    complete(
      to,
      end,
      cia,
      reciprocalSquareRoot(cpu.u64[operandB(word, bank)], DOUBLE, cpu.i32[STATUS], TOWARD_ZERO),
    );
  };
};

/** On the 750 family an estimate is what its tables say; `soft` has the operands that these are not for. */
const classic = (
  estimate: (b: bigint) => bigint,
  isOrdinary: (b: number) => boolean,
  soft: Handler,
): Handler => {
  return (word, cia) => {
    if (!isOrdinary(cpu.f64[operandB(word, FPRS)])) return soft(word, cia);
    const bits = estimate(cpu.u64[operandB(word, FPRS)]);
    complete(target(word, FPRS), ending(word, FPRS), cia, { bits, flags: 0 });
  };
};
const byModel = (soft: Handler, table: Handler): Selector => ({
  select: (_word, { model }) => (model.classicEstimates === true ? table : soft),
});
const singleReciprocal = reciprocal(FPRS, true);
const doubleRoot = reciprocalRoot(FPRS);

export const arithmeticHandlers = (): HandlerTable => ({
  fadd: addition(FPRS, false, false),
  xsadddp: addition(VSRS, false, false),
  fadds: addition(FPRS, false, true),
  xsaddsp: addition(VSRS, false, true),
  fsub: addition(FPRS, true, false),
  xssubdp: addition(VSRS, true, false),
  fsubs: addition(FPRS, true, true),
  xssubsp: addition(VSRS, true, true),
  fmul: multiplication(FPRS, false),
  xsmuldp: multiplication(VSRS, false),
  fmuls: multiplication(FPRS, true),
  xsmulsp: multiplication(VSRS, true),
  fdiv: division(FPRS, false),
  xsdivdp: division(VSRS, false),
  fdivs: division(FPRS, true),
  xsdivsp: division(VSRS, true),
  fsqrt: root(FPRS, false),
  xssqrtdp: root(VSRS, false),
  fsqrts: root(FPRS, true),
  xssqrtsp: root(VSRS, true),
  fre: reciprocal(FPRS, false),
  xsredp: reciprocal(VSRS, false),
  fres: byModel(
    singleReciprocal,
    classic(classicReciprocal, (b) => b !== 0 && Number.isFinite(b), singleReciprocal),
  ),
  xsresp: reciprocal(VSRS, true),
  frsqrte: byModel(
    doubleRoot,
    classic(classicReciprocalRoot, (b) => b > 0 && Number.isFinite(b), doubleRoot),
  ),
  xsrsqrtedp: reciprocalRoot(VSRS),
  frsqrtes: reciprocalRootSingle(FPRS),
  xsrsqrtesp: reciprocalRootSingle(VSRS),
});
