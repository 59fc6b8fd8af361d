/**
 * The floating-point outer products of the matrix-multiply assist: Power ISA 3.1, I.7.6.3, xvbf16ger2 to xvf64gernn. They execute as
 * if no exception were enabled; afterwards the enabled ones interrupt.
 */
import { fprOffset } from "../registers.ts";
import { accumulator, isChosen, type OuterProduct } from "../vector/outer-products.ts";
import { cpu } from "../views.ts";
import { sumError } from "./error-free.ts";
import { BINARY16, BINARY64, BRAIN16, DOUBLE, type Encoding, SINGLE } from "./formats.ts";
import { RN } from "./fpscr.ts";
import { STATUS, xa, xb } from "./fpu.ts";
import { fusedSumsOf } from "./fused.ts";
import {
  A,
  ASK,
  B,
  C,
  DOUBLES,
  ERROR,
  OUT_F32,
  putResult,
  ROUNDED,
  raiseVector,
  type Shape,
  SINGLES,
  wordAt,
  writeVector,
} from "./lanes.ts";
import { add, convert, type FusedKind, multiply, multiplyAdd, type Result } from "./soft-float.ts";
import { PRODUCT } from "./vsx-arithmetic.ts";

/** The last letters of the names: the product is added or taken away, and so is what the accumulator holds. */
interface Signs {
  readonly product: 1 | -1;
  readonly held: 1 | -1;
}

/** Changes the sign of all but NaNs. */
const signed = (bits: bigint, sign: 1 | -1): bigint =>
  sign === 1 || BINARY64.isNan(bits) ? bits : bits ^ BINARY64.sign;

const SUM: FusedKind = { subtract: false, negate: false };

/** The place of a row of the accumulator AT. */
const rowAt = (word: number, row: number): number => fprOffset(accumulator(word) + row) / 8;

/** How the rows of a result come about: into OUT, of `control` the rounding mode alone. */
interface Rows {
  /** Prepares ROUNDED and ERROR of a row. */
  kernel(word: number, row: number, products: number): void;
  /** Puts an element that `kernel` settles; its flags, or ASK. */
  settle(column: number, control: number): number;
  /** Any element exactly. */
  soft(word: number, row: number, column: number, products: number, control: number): Result;
}

function outer(rank: 1 | 2, shape: Shape, { kernel, settle, soft }: Rows): OuterProduct {
  const { count } = shape;
  return {
    rank,
    columns: count,
    execute: (word, cia, { rows, columns, products }) => {
      const control = cpu.i32[STATUS] & RN;
      let raised = 0;
      for (let row = 0; row < 4; row++) {
        kernel(word, row, products);
        for (let column = 0; column < count; column++) {
          if (!isChosen(rows, 4, row) || !isChosen(columns, count, column)) {
            shape.put(column, 0n);
            continue;
          }
          let flags = settle(column, control);
          if (flags === ASK) flags = putResult(shape, column, soft(word, row, column, products, control));
          raised |= flags;
        }
        writeVector(rowAt(word, row));
      }
      raiseVector(cia, raised);
    },
  };
}

/** Element i of X for row i: a word of XA, or a doubleword of a pair of registers of which the first is even. */
const PLACES: Record<2 | 4, (word: number, row: number) => readonly [place: number, element: number]> = {
  4: (word, row) => [xa(word), row],
  2: (word, row) => [xa(word & ~0x1_0000) + 2 * (row >> 1), row & 1],
};

/** The product of two elements, or that and what the accumulator holds, rounded once; of those with a negative product the result is negated. */
function ofElements(shape: Shape, signs: Signs | undefined): OuterProduct {
  const { count, format } = shape;
  const negate = signs?.product === -1;
  const kind: FusedKind = { subtract: signs?.held !== signs?.product, negate };
  const placeOf = PLACES[count];
  const sums = fusedSumsOf(shape);
  return outer(1, shape, {
    kernel: (word, row) => {
      const [place, element] = placeOf(word, row);
      shape.load(A, place);
      A.fill(A[element]);
      if (signs === undefined) {
        shape.load(B, xb(word));
        PRODUCT.kernel(count);
        return;
      }
      shape.load(C, xb(word));
      shape.load(B, rowAt(word, row));
      sums(kind.subtract ? -1 : 1, negate ? -1 : 1);
    },
    // Directed rounding comes before the negation.
    settle: (column, control) => (negate && control !== 0 ? ASK : shape.settle(column, control)),
    soft: (word, row, column, _products, control) => {
      const [place, element] = placeOf(word, row);
      const x = shape.bits(place, element);
      const y = shape.bits(xb(word), column);
      if (signs === undefined) return multiply(x, y, format, control);
      return multiplyAdd(x, y, shape.bits(rowAt(word, row), column), kind, format, control);
    },
  });
}

/** A format of two bytes, and the value of its bits. */
interface Half {
  readonly encoding: Encoding;
  value(bits: number): number;
}
const words = new Uint32Array(1);
const floats = new Float32Array(words.buffer);
const BFLOAT: Half = {
  encoding: BRAIN16,
  value: (bits) => {
    words[0] = bits << 16;
    return floats[0];
  },
};
const BINARY: Half = {
  encoding: BINARY16,
  value: (bits) => {
    const exponent = (bits >>> 10) & 31;
    const fraction = bits & 0x3ff;
    const sign = bits >>> 15 !== 0 ? -1 : 1;
    if (exponent === 31) return fraction !== 0 ? Number.NaN : sign * Infinity;
    return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (fraction + 1024) * 2 ** (exponent - 25);
  },
};

/** The sum of two products, rounded; then the sum of that and what the accumulator holds, rounded too. */
function ofPairs({ encoding, value }: Half, signs: Signs | undefined): OuterProduct {
  const read = (place: number, word: number, k: number): number =>
    (cpu.i32[wordAt(place, word)] >>> (16 - 16 * k)) & 0xffff;
  const held = new Float64Array(4);
  return outer(2, SINGLES, {
    kernel: (word, row, products) => {
      const factor = (k: number) => (isChosen(products, 2, k) ? value(read(xa(word), row, k)) : 0);
      const [x0, x1] = [factor(0), factor(1)];
      for (let column = 0; column < 4; column++) {
        const y = (k: number) => (isChosen(products, 2, k) ? value(read(xb(word), column, k)) : 0);
        const p = x0 * y(0);
        const q = x1 * y(1);
        ROUNDED[column] = p + q;
        ERROR[column] = sumError(p, q, p + q);
      }
      SINGLES.load(held, rowAt(word, row));
    },
    settle: (column, control) => {
      const flags = SINGLES.settle(column, control);
      if (signs === undefined || flags === ASK) return flags;
      const product = signs.product * OUT_F32[3 - column];
      const addend = signs.held * held[column];
      ROUNDED[column] = product + addend;
      ERROR[column] = sumError(product, addend, product + addend);
      const more = SINGLES.settle(column, control);
      return more === ASK ? ASK : flags | more;
    },
    soft: (word, row, column, products, control) => {
      let flags = 0;
      const double = (place: number, element: number, k: number): bigint => {
        if (!isChosen(products, 2, k)) return 0n;
        const wide = convert(BigInt(read(place, element, k)), encoding, DOUBLE, control);
        flags |= wide.flags;
        return wide.bits;
      };
      const [x0, y0] = [double(xa(word), row, 0), double(xb(word), column, 0)];
      const [x1, y1] = [double(xa(word), row, 1), double(xb(word), column, 1)];
      const first = multiply(x0, y0, DOUBLE, control);
      const sum = multiplyAdd(x1, y1, first.bits, SUM, SINGLE, control);
      flags |= first.flags | sum.flags;
      if (signs === undefined) return { bits: sum.bits, flags };
      const addend = signed(SINGLES.bits(rowAt(word, row), column), signs.held);
      const result = add(signed(sum.bits, signs.product), addend, false, SINGLE, control);
      return { bits: result.bits, flags: flags | result.flags };
    },
  });
}

/** The five instructions whose names begin so. */
const family = (name: string, make: (signs: Signs | undefined) => OuterProduct) => ({
  [name]: make(undefined),
  [`${name}pp`]: make({ product: 1, held: 1 }),
  [`${name}np`]: make({ product: -1, held: 1 }),
  [`${name}pn`]: make({ product: 1, held: -1 }),
  [`${name}nn`]: make({ product: -1, held: -1 }),
});

export const matrixProducts: Readonly<Record<string, OuterProduct>> = {
  ...family("xvbf16ger2", (signs) => ofPairs(BFLOAT, signs)),
  ...family("xvf16ger2", (signs) => ofPairs(BINARY, signs)),
  ...family("xvf32ger", (signs) => ofElements(SINGLES, signs)),
  ...family("xvf64ger", (signs) => ofElements(DOUBLES, signs)),
};
