/**
 * Floating-point arithmetic instructions, Power ISA 3.0B, I.4.6.6.1.
 *
 * Each handler computes in f64 and finds the rounding error exactly; operands and results for which that does not
 * hold, and other rounding modes, go to soft-float. The bounds keep intermediate terms from becoming subnormal.
 */
import type { Handler, HandlerTable } from "../handler.ts";
import { productError, sumError } from "./error-free.ts";
import { RN } from "./fpscr.ts";
import { BINARY64, DOUBLE, SINGLE } from "./formats.ts";
import { deliver, complete, fra, frb, frc, STATUS } from "./fpu.ts";
import { add, divide, multiply, squareRoot } from "./soft-float.ts";
import { i32, u64, f64 } from "../views.ts";

/** Products between them have an error that is a normal number or zero. */
const TINY = 2 ** -900;
const HUGE = 2 ** 900;
/** 1.0 */
const ONE = 0x3ff0_0000_0000_0000n;

/** a / b minus the rounded quotient, but for a positive factor. */
const quotientError = (a: number, b: number, quotient: number): number => {
  const product = quotient * b;
  const remainder = a - product - productError(quotient, b, product);
  return b < 0 ? -remainder : remainder;
};
const isModerate = (value: number): boolean => {
  const magnitude = Math.abs(value);
  return magnitude > TINY && magnitude < HUGE;
};

const addition = (subtract: boolean, single: boolean): Handler => {
  const sign = subtract ? -1 : 1;
  const format = single ? SINGLE : DOUBLE;
  return (word, cia) => {
    const a = f64[fra(word)];
    const b = sign * f64[frb(word)];
    const sum = a + b;
    if (Math.abs(sum) < HUGE && deliver(word, sum, sumError(a, b, sum), single)) return;
    complete(word, cia, add(u64[fra(word)], u64[frb(word)], subtract, format, i32[STATUS]));
  };
};

const multiplication = (single: boolean): Handler => {
  const format = single ? SINGLE : DOUBLE;
  return (word, cia) => {
    const a = f64[fra(word)];
    const c = f64[frc(word)];
    const product = a * c;
    if (
      (isModerate(product) || (product === 0 && (a === 0 || c === 0))) &&
      deliver(word, product, productError(a, c, product), single)
    ) {
      return;
    }
    complete(word, cia, multiply(u64[fra(word)], u64[frc(word)], format, i32[STATUS]));
  };
};

const division = (single: boolean): Handler => {
  const format = single ? SINGLE : DOUBLE;
  return (word, cia) => {
    const a = f64[fra(word)];
    const b = f64[frb(word)];
    const quotient = a / b;
    if (a === 0 ? quotient === 0 : isModerate(quotient) && Math.abs(a) > TINY) {
      if (deliver(word, quotient, quotientError(a, b, quotient), single)) return;
    }
    complete(word, cia, divide(u64[fra(word)], u64[frb(word)], format, i32[STATUS]));
  };
};

const root = (single: boolean): Handler => {
  const format = single ? SINGLE : DOUBLE;
  return (word, cia) => {
    const b = f64[frb(word)];
    if ((b > TINY && b < HUGE) || b === 0) {
      const root = Math.sqrt(b);
      const square = root * root;
      if (deliver(word, root, b - square - productError(root, root, square), single)) return;
    }
    complete(word, cia, squareRoot(u64[frb(word)], format, i32[STATUS]));
  };
};

// The estimates. The manual bounds their error only; these are as good as the format allows, which is what
// qemu-user gives, and not what the tables of any particular processor give.

const reciprocal = (single: boolean): Handler => {
  const format = single ? SINGLE : DOUBLE;
  return (word, cia) => {
    const b = f64[frb(word)];
    const quotient = 1 / b;
    if (isModerate(quotient) && deliver(word, quotient, quotientError(1, b, quotient), single)) return;
    complete(word, cia, divide(ONE, u64[frb(word)], format, i32[STATUS]));
  };
};
const reciprocalRoot = (single: boolean): Handler => {
  const format = single ? SINGLE : DOUBLE;
  return (word, cia) => {
    const control = i32[STATUS];
    const b = f64[frb(word)];
    if (b > TINY && b < HUGE && (control & RN) === 0) {
      const root = Math.sqrt(b);
      const quotient = 1 / root;
      const error = quotientError(1, root, quotient);
      // An exact quotient of a rounded root is inexact all the same.
      if (error !== 0 && deliver(word, quotient, error, single)) return;
    }
    const root = squareRoot(u64[frb(word)], DOUBLE, control);
    if (BINARY64.isNan(root.bits)) {
      complete(word, cia, root);
    } else {
      const { bits, flags } = divide(ONE, root.bits, format, control);
      complete(word, cia, { bits, flags: flags | root.flags });
    }
  };
};

export const arithmeticHandlers: HandlerTable = {
  fadd: addition(false, false),
  fadds: addition(false, true),
  fsub: addition(true, false),
  fsubs: addition(true, true),
  fmul: multiplication(false),
  fmuls: multiplication(true),
  fdiv: division(false),
  fdivs: division(true),
  fsqrt: root(false),
  fsqrts: root(true),
  fre: reciprocal(false),
  fres: reciprocal(true),
  frsqrte: reciprocalRoot(false),
  frsqrtes: reciprocalRoot(true),
};
