/**
 * The outer products of singles and doubles of the matrix-multiply assist: Power ISA 3.1, I.7.6.3. Those of smaller elements and the masked
 * forms are the interpreter's.
 */
import { accumulator, isSeparate } from "../../cpu/vector/outer-products.ts";
import { xa, xb } from "../../cpu/vector/vector-registers.ts";
import type { Generator } from "../generator.ts";
import { Simd, V128 } from "../wasm.ts";
import { DOUBLES, judge, type Lanes, laneOp, pushFused, SINGLES } from "./float-checks.ts";
import type { Emit, Rows } from "./row.ts";

const ROWS = [0, 1, 2, 3];
/** Temporaries of type v128: the results; what is added to the products; an element of X, for each row. */
const RESULTS = 20;
const ADDENDS = 24;
const ELEMENTS = 28;

/** A temporary with element `row` of X in every lane; the doubles of X are in a pair of registers. */
function element(g: Generator, word: number, lanes: Lanes, row: number): number {
  const { code } = g;
  const bytes = 16 / lanes.count;
  const x = g.vector(lanes === SINGLES ? xa(word) : (xa(word) & ~1) + (row >> 1));
  const lane = lanes.count - 1 - (row % lanes.count);
  const result = g.temporary(V128, ELEMENTS + row);
  code.get(x);
  code.get(x);
  code.simd(Simd.i8x16_shuffle);
  for (let byte = 0; byte < 16; byte++) code.op(lane * bytes + (byte % bytes));
  code.set(result);
  return result;
}

/** Row i <- element i of X times Y, or plus or minus that plus or minus what the row holds, `negate` after rounding. */
const outer = (lanes: Lanes, sum?: { subtract: boolean; negate: boolean }): Emit => {
  return (g, word) => {
    if (!isSeparate(word) || (sum !== undefined && lanes === SINGLES && !g.target.fused)) return false;
    const { code } = g;
    const first = accumulator(word);
    const y = g.vector(xb(word));
    const results = ROWS.map((row) => {
      const result = g.temporary(V128, RESULTS + row);
      const operands = [element(g, word, lanes, row), y];
      if (sum === undefined) {
        for (const operand of operands) code.get(operand);
        laneOp(code, lanes, "mul");
      } else {
        let addend = g.vector(first + row);
        if (sum.subtract) {
          code.get(addend);
          addend = g.temporary(V128, ADDENDS + row);
          laneOp(code, lanes, "neg");
          code.set(addend);
        }
        operands.push(addend);
        pushFused(g, lanes, operands);
      }
      code.set(result);
      return { operands, raw: result };
    });
    // All rows may stand before one is written.
    judge(g, lanes, sum === undefined ? "product" : "fused", results);
    results.forEach(({ raw }, row) => {
      code.get(raw);
      if (sum?.negate) laneOp(code, lanes, "neg");
      g.setVector(first + row);
    });
  };
};
/** The five instructions whose names begin so; the first letter of their endings is the product's sign, the second what the row holds. */
const family = (name: string, lanes: Lanes): Rows => ({
  [name]: outer(lanes),
  [`${name}pp`]: outer(lanes, { subtract: false, negate: false }),
  [`${name}np`]: outer(lanes, { subtract: true, negate: true }),
  [`${name}pn`]: outer(lanes, { subtract: true, negate: false }),
  [`${name}nn`]: outer(lanes, { subtract: false, negate: true }),
});

const nothing: Emit = () => {};

export const matrixRows: Rows = {
  // Accumulators are VSRs.
  xxmfacc: nothing,
  xxmtacc: nothing,
  xxsetaccz: (g, word) => {
    for (const row of ROWS) {
      g.code.v128Const(new Int32Array(4));
      g.setVector(accumulator(word) + row);
    }
  },
  ...family("xvf32ger", SINGLES),
  ...family("xvf64ger", DOUBLES),
};
