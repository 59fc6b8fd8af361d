/**
 * The outer products of singles and doubles of the matrix-multiply assist: Power ISA 3.1, I.7.6.3. A kernel has hundreds of them in a row,
 * so they are functions of the module, on the register block. Those of smaller elements and the masked forms are the interpreter's.
 */
import { FPSCR, VSR } from "../../cpu/registers.ts";
import { accumulator, isSeparate } from "../../cpu/vector/outer-products.ts";
import { xa, xb } from "../../cpu/vector/vector-registers.ts";
import type { Generator } from "../generator.ts";
import { Code, type FunctionBody, I32, Op, Simd, V128 } from "../wasm.ts";
import {
  askWhether,
  DOUBLES,
  inAll,
  type Lanes,
  laneOp,
  type Operation,
  pushIsPlain,
  pushNormal,
  SINGLES,
} from "./float-checks.ts";
import type { Emit, Rows } from "./row.ts";

const ROWS = [0, 1, 2, 3];

/** What becomes of the products: they are added to the accumulator, or it is taken away from them, and the results are negated. */
interface Sum {
  readonly subtract: boolean;
  readonly negate: boolean;
}

// ---- the functions -----------------------------------------------------------------------------------------

/** Parameters: the addresses of the accumulator, X and Y in the register block. */
const [AT, X, Y_AT] = [0, 1, 2];
/** Locals: Y, and of each row an element of X, what is added to its products, and the result. */
const Y = 3;
const ELEMENTS = 4;
const ADDENDS = 8;
const RESULTS = 12;

/** The function (accumulator, X, Y) -> 1 if the interpreter has to execute the instruction; else 0, and the accumulator is written. */
function outerFunction(g: Generator, lanes: Lanes, sum: Sum | undefined): FunctionBody {
  const code = new Code();
  const size = 16 / lanes.count;
  code.get(Y_AT);
  code.vectorAccess(Simd.v128_load, 0);
  code.set(Y);
  for (const row of ROWS) {
    // Elements are numbered from the left, the last one of a register is its first in memory. Doubles are in two registers.
    const place = Math.floor(row / lanes.count) * 16 + (lanes.count - 1 - (row % lanes.count)) * size;
    code.get(X);
    code.vectorAccess(lanes === SINGLES ? Simd.v128_load32_splat : Simd.v128_load64_splat, place);
    code.tee(ELEMENTS + row);
    code.get(Y);
    if (sum === undefined) laneOp(code, lanes, "mul");
    else {
      code.get(AT);
      code.vectorAccess(Simd.v128_load, 16 * row);
      if (sum.subtract) laneOp(code, lanes, "neg");
      code.tee(ADDENDS + row);
      code.simd(lanes.madd);
    }
    code.set(RESULTS + row);
  }
  // All rows may stand before one is written.
  for (const row of ROWS) {
    pushNormal(code, lanes, RESULTS + row, lanes.normal);
    if (row > 0) laneOp(code, lanes, "and");
  }
  inAll(code, lanes);
  pushIsPlain(code, g.block + FPSCR);
  code.op(Op.i32_and);
  code.op(Op.i32_eqz);
  code.block(Op.if);
  const operation: Operation = sum === undefined ? "product" : "fused";
  for (const row of ROWS) {
    code.get(ELEMENTS + row);
    code.get(Y);
    if (sum !== undefined) code.get(ADDENDS + row);
    code.get(RESULTS + row);
    askWhether(g, code, operation, lanes, false);
    code.block(Op.if);
    code.i32Const(1);
    code.op(Op.return);
    code.end();
  }
  code.end();
  for (const row of ROWS) {
    code.get(AT);
    code.get(RESULTS + row);
    if (sum?.negate) laneOp(code, lanes, "neg");
    code.vectorAccess(Simd.v128_store, 16 * row);
  }
  code.i32Const(0);
  return {
    locals: new Array(RESULTS + ROWS.length - Y).fill(V128),
    body: code,
    signature: { parameters: [I32, I32, I32], results: [I32] },
  };
}

// ---- the rows ----------------------------------------------------------------------------------------------

const outer = (name: string, lanes: Lanes, sum?: Sum): Emit => {
  return (g, word) => {
    if (!isSeparate(word) || (sum !== undefined && !g.target.fused)) return false;
    const { code } = g;
    const at = accumulator(word);
    const x = lanes === SINGLES ? xa(word) : xa(word) & ~1;
    const sources = [xb(word), x, ...(lanes === SINGLES ? [] : [x + 1])];
    if (sum !== undefined) sources.push(...ROWS.map((row) => at + row));
    for (const n of sources) g.saveVector(n);
    for (const n of [at, x, xb(word)]) code.i32Const(g.at(VSR + 16 * n));
    g.helpers.call(code, name, () => outerFunction(g, lanes, sum));
    g.leaveIf();
    for (const row of ROWS) g.storedVector(at + row);
  };
};
/** The five instructions whose names begin so; the first letter of their endings is the product's sign, the second the accumulator's. */
const family = (name: string, lanes: Lanes): Rows => {
  const sum = (ending: string, subtract: boolean, negate: boolean) => ({
    [name + ending]: outer(name + ending, lanes, { subtract, negate }),
  });
  return {
    [name]: outer(name, lanes),
    ...sum("pp", false, false),
    ...sum("np", true, true),
    ...sum("pn", true, false),
    ...sum("nn", false, true),
  };
};

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
