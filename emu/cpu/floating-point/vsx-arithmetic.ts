/**
 * VSX vector floating-point arithmetic: Power ISA 3.0B, I.7.6.3, xvadddp to xvnmsubmsp. A row is an operation on elements of a shape.
 * An operation has a fast path in f64, which finds the rounding error of all elements at once, and soft-float for each
 * element of which that doesn't tell the result.
 */
import type { Handler, HandlerTable, Selector } from "../handler.ts";
import { withFallback } from "../vector/functions.ts";
import { cpu } from "../views.ts";
import { softReciprocal, softReciprocalRoot } from "./arithmetic.ts";
import { isModerate, productError, quotientError, sumError, TINY } from "./error-free.ts";
import type { Format } from "./formats.ts";
import { RN } from "./fpscr.ts";
import { STATUS, xa, xb, xt } from "./fpu.ts";
import { fusedSumsOf } from "./fused.ts";
import { A, B, C, completeVector, DOUBLES, ERROR, putResult, ROUNDED, type Shape, SINGLES } from "./lanes.ts";
import { quickSingles } from "./quick-singles.ts";
import { add, divide, multiply, multiplyAdd, type Result, squareRoot } from "./soft-float.ts";

/** Sets ROUNDED and ERROR for the first `count` elements of the operands in A, B and C. */
export type Kernel = (count: number) => void;

/** Of two operands a and b, or of b alone. */
interface Operation {
  readonly kernel: Kernel;
  readonly soft: (a: bigint, b: bigint, format: Format, control: number) => Result;
  /** The kernel rounds on its way, which only rounding to nearest may. */
  readonly toNearestOnly?: boolean;
}

/** The kernel of sums, and of differences. */
export const sum = (subtract: boolean): Kernel => {
  const sign = subtract ? -1 : 1;
  return (count) => {
    for (let k = 0; k < count; k++) {
      const b = sign * B[k];
      const rounded = A[k] + b;
      ROUNDED[k] = rounded;
      ERROR[k] = sumError(A[k], b, rounded);
    }
  };
};
const ADD: Operation = {
  kernel: sum(false),
  soft: (a, b, format, control) => add(a, b, false, format, control),
};
const SUBTRACT: Operation = {
  kernel: sum(true),
  soft: (a, b, format, control) => add(a, b, true, format, control),
};

export const PRODUCT: Operation = {
  kernel: (count) => {
    for (let k = 0; k < count; k++) {
      const rounded = A[k] * B[k];
      ROUNDED[k] = rounded;
      const holds = isModerate(rounded) || (rounded === 0 && (A[k] === 0 || B[k] === 0));
      ERROR[k] = holds ? productError(A[k], B[k], rounded) : Number.NaN;
    }
  },
  soft: multiply,
};

const QUOTIENT: Operation = {
  kernel: (count) => {
    for (let k = 0; k < count; k++) {
      const rounded = A[k] / B[k];
      ROUNDED[k] = rounded;
      const holds = A[k] === 0 ? rounded === 0 : isModerate(rounded) && Math.abs(A[k]) > TINY;
      ERROR[k] = holds ? quotientError(A[k], B[k], rounded) : Number.NaN;
    }
  },
  soft: divide,
};

const ROOT: Operation = {
  kernel: (count) => {
    for (let k = 0; k < count; k++) {
      const rounded = Math.sqrt(B[k]);
      ROUNDED[k] = rounded;
      const square = rounded * rounded;
      const holds = isModerate(B[k]) || B[k] === 0;
      ERROR[k] = holds ? B[k] - square - productError(rounded, rounded, square) : Number.NaN;
    }
  },
  soft: (_a, b, format, control) => squareRoot(b, format, control),
};

export const RECIPROCAL: Operation = {
  kernel: (count) => {
    A.fill(1);
    QUOTIENT.kernel(count);
  },
  soft: (_a, b, format, control) => softReciprocal(b, format, control),
};

export const RECIPROCAL_ROOT: Operation = {
  kernel: (count) => {
    for (let k = 0; k < count; k++) {
      const root = Math.sqrt(B[k]);
      ROUNDED[k] = 1 / root;
      // An exact quotient of a rounded root is inexact all the same.
      ERROR[k] = (isModerate(B[k]) && quotientError(1, root, ROUNDED[k])) || Number.NaN;
    }
  },
  soft: (_a, b, format, control) => softReciprocalRoot(b, format, control),
  toNearestOnly: true,
};

/** XT <- an operation on the elements of XA and XB. */
function elements({ kernel, soft, toNearestOnly }: Operation, shape: Shape): Handler {
  const { count, format } = shape;
  const all = 2 ** count - 1;
  return (word, cia) => {
    const a = xa(word);
    const b = xb(word);
    shape.load(A, a);
    shape.load(B, b);
    kernel(count);
    const status = cpu.i32[STATUS];
    let flags = !toNearestOnly || (status & RN) === 0 ? shape.settleAll(status) : all;
    for (let k = 0; (flags & all) >>> k !== 0; k++) {
      if ((flags & (1 << k)) === 0) continue;
      flags |= putResult(shape, k, soft(shape.bits(a, k), shape.bits(b, k), format, status));
    }
    completeVector(xt(word), cia, flags);
  };
}

/** The multiply-add family: `addend` is XT for Type-A and XB for Type-M instructions, where XT is a factor. */
function fused(addend: "XT" | "XB", subtract: boolean, negate: boolean, shape: Shape): Handler {
  const { count, format } = shape;
  const all = 2 ** count - 1;
  const sums = fusedSumsOf(shape);
  const kind = { subtract, negate };
  const addendSign = subtract ? -1 : 1;
  const resultSign = negate ? -1 : 1;
  return (word, cia) => {
    const a = xa(word);
    const to = xt(word);
    const c = addend === "XB" ? to : xb(word);
    const b = addend === "XT" ? to : xb(word);
    const status = cpu.i32[STATUS];
    shape.load(A, a);
    shape.load(C, c);
    shape.load(B, b);
    // Directed rounding comes before the negation.
    let flags = all;
    if (!negate || (status & RN) === 0) {
      sums(addendSign, resultSign);
      flags = shape.settleAll(status);
    }
    for (let k = 0; (flags & all) >>> k !== 0; k++) {
      if ((flags & (1 << k)) === 0) continue;
      const operands = [shape.bits(a, k), shape.bits(c, k), shape.bits(b, k)] as const;
      flags |= putResult(shape, k, multiplyAdd(...operands, kind, format, status));
    }
    completeVector(to, cia, flags);
  };
}

/** The same of singles, most of which need no TypeScript. */
const fusedSingles = (addend: "XT" | "XB", subtract: boolean, negate: boolean): Selector =>
  withFallback(
    quickSingles(addend === "XT" ? "A" : "M", subtract, negate),
    fused(addend, subtract, negate, SINGLES),
  );

export const vsxArithmeticHandlers = (): HandlerTable => ({
  xvadddp: elements(ADD, DOUBLES),
  xvaddsp: withFallback(quickSingles("sum"), elements(ADD, SINGLES)),
  xvsubdp: elements(SUBTRACT, DOUBLES),
  xvsubsp: withFallback(quickSingles("sum", true), elements(SUBTRACT, SINGLES)),
  xvmuldp: elements(PRODUCT, DOUBLES),
  xvmulsp: withFallback(quickSingles("product"), elements(PRODUCT, SINGLES)),
  xvdivdp: elements(QUOTIENT, DOUBLES),
  xvdivsp: elements(QUOTIENT, SINGLES),
  xvsqrtdp: elements(ROOT, DOUBLES),
  xvsqrtsp: elements(ROOT, SINGLES),
  xvredp: elements(RECIPROCAL, DOUBLES),
  xvresp: elements(RECIPROCAL, SINGLES),
  xvrsqrtedp: elements(RECIPROCAL_ROOT, DOUBLES),
  xvrsqrtesp: elements(RECIPROCAL_ROOT, SINGLES),
  xvmaddadp: fused("XT", false, false, DOUBLES),
  xvmaddasp: fusedSingles("XT", false, false),
  xvmaddmdp: fused("XB", false, false, DOUBLES),
  xvmaddmsp: fusedSingles("XB", false, false),
  xvmsubadp: fused("XT", true, false, DOUBLES),
  xvmsubasp: fusedSingles("XT", true, false),
  xvmsubmdp: fused("XB", true, false, DOUBLES),
  xvmsubmsp: fusedSingles("XB", true, false),
  xvnmaddadp: fused("XT", false, true, DOUBLES),
  xvnmaddasp: fusedSingles("XT", false, true),
  xvnmaddmdp: fused("XB", false, true, DOUBLES),
  xvnmaddmsp: fusedSingles("XB", false, true),
  xvnmsubadp: fused("XT", true, true, DOUBLES),
  xvnmsubasp: fusedSingles("XT", true, true),
  xvnmsubmdp: fused("XB", true, true, DOUBLES),
  xvnmsubmsp: fusedSingles("XB", true, true),
});
