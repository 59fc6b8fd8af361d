/** Fixed-point multiplication and division: Power ISA 3.0B, I.3.3.9. Undefined quotients and OV are the interpreter's. */
import { OE, si } from "../../cpu/fields.ts";
import type { Generator } from "../generator.ts";
import { I32, I64, Op } from "../wasm.ts";
import { type Emit, give, giveWord, RA, RB, RC_, type Rows, RT, recorded } from "./row.ts";

/** Pushes a GPR's low word as a doubleword. */
const extended = (g: Generator, n: number, signed: boolean): void => {
  g.gpr32(n);
  g.code.op(signed ? Op.i64_extend_i32_s : Op.i64_extend_i32_u);
};

const highWord = (signed: boolean): Emit => {
  return (g, word) => {
    const { code } = g;
    extended(g, RA(word), signed);
    extended(g, RB(word), signed);
    code.op(Op.i64_mul);
    code.i64Const(32, 0);
    code.op(Op.i64_shr_u);
    if (!g.is64) code.op(Op.i32_wrap_i64);
    g.setGpr(RT(word));
    if (recorded(word)) g.recordLowWord(RT(word));
  };
};

/** Pushes the upper half of the 128-bit product of temporaries a and b, unsigned; Knuth's algorithm M on halves. */
const highProduct = (g: Generator, a: number, b: number): void => {
  const { code } = g;
  const low32 = (local: number) => {
    code.get(local);
    code.i64Const(-1, 0);
    code.op(Op.i64_and);
  };
  const high32 = (local: number) => {
    code.get(local);
    code.i64Const(32, 0);
    code.op(Op.i64_shr_u);
  };
  const middle = g.temporary(I64, 3);
  const other = g.temporary(I64, 4);
  // middle = high(a) * low(b) + (low(a) * low(b) >> 32)
  high32(a);
  low32(b);
  code.op(Op.i64_mul);
  low32(a);
  low32(b);
  code.op(Op.i64_mul);
  code.i64Const(32, 0);
  code.op(Op.i64_shr_u);
  code.op(Op.i64_add);
  code.set(middle);
  // other = low(a) * high(b) + low(middle)
  low32(a);
  high32(b);
  code.op(Op.i64_mul);
  low32(middle);
  code.op(Op.i64_add);
  code.set(other);
  high32(a);
  high32(b);
  code.op(Op.i64_mul);
  high32(middle);
  code.op(Op.i64_add);
  high32(other);
  code.op(Op.i64_add);
};

/** Pushes the upper half of (RA) * (RB), whose contents are left in temporaries 1 and 2. */
const pushHighProduct = (g: Generator, word: number, signed: boolean): void => {
  const { code } = g;
  const a = g.temporary(I64, 1);
  const b = g.temporary(I64, 2);
  g.gpr(RA(word));
  code.set(a);
  g.gpr(RB(word));
  code.set(b);
  highProduct(g, a, b);
  if (!signed) return;
  // A negative factor counts 2^64 too much of the other one.
  for (const [x, y] of [
    [a, b],
    [b, a],
  ]) {
    code.get(x);
    code.i64Const(63, 0);
    code.op(Op.i64_shr_s);
    code.get(y);
    code.op(Op.i64_and);
    code.op(Op.i64_sub);
  }
};
const highDoubleword = (signed: boolean): Emit => {
  return (g, word) => {
    if (!g.is64) return false;
    pushHighProduct(g, word, signed);
    give(g, RT(word), word);
  };
};
/** RT <- the upper half of (RA) * (RB) + (RC). */
const highOfSum = (signed: boolean): Emit => {
  return (g, word) => {
    if (!g.is64) return false;
    const { code } = g;
    const c = RC_(word);
    pushHighProduct(g, word, signed);
    if (signed) {
      g.gpr(c);
      code.i64Const(63, 0);
      code.op(Op.i64_shr_s);
      code.op(Op.i64_add);
    }
    // The carry out of the lower half.
    code.get(g.temporary(I64, 1));
    code.get(g.temporary(I64, 2));
    code.op(Op.i64_mul);
    g.gpr(c);
    code.op(Op.i64_add);
    g.gpr(c);
    code.op(Op.i64_lt_u);
    code.op(Op.i64_extend_i32_u);
    code.op(Op.i64_add);
    g.setGpr(RT(word));
  };
};

/** Word division; `signed` quotients of the least word by -1 leave, as zero divisors do. */
const divideWord = (op: number, signed: boolean): Emit => {
  return (g, word) => {
    if ((word & OE) !== 0) return false;
    const { code } = g;
    const a = g.temporary(I32, 1);
    const b = g.temporary(I32, 2);
    g.gpr32(RA(word));
    code.set(a);
    g.gpr32(RB(word));
    code.set(b);
    code.get(b);
    code.op(Op.i32_eqz);
    if (signed) {
      code.get(b);
      code.i32Const(-1);
      code.op(Op.i32_eq);
      code.op(Op.i32_or);
    }
    g.leaveIf();
    code.get(a);
    code.get(b);
    code.op(op);
    giveWord(g, RT(word), word);
  };
};
const divideDoubleword = (op: number, signed: boolean): Emit => {
  return (g, word) => {
    if (!g.is64 || (word & OE) !== 0) return false;
    const { code } = g;
    g.gpr(RA(word));
    code.set(g.temporary(I64, 1));
    g.gpr(RB(word));
    code.tee(g.temporary(I64, 2));
    code.op(Op.i64_eqz);
    if (signed) {
      code.get(g.temporary(I64, 2));
      code.i64Const(-1, -1);
      code.op(Op.i64_eq);
      code.op(Op.i32_or);
    }
    g.leaveIf();
    code.get(g.temporary(I64, 1));
    code.get(g.temporary(I64, 2));
    code.op(op);
    give(g, RT(word), word);
  };
};
/** Remainders, by the division of the operator, have no Rc bit. */
const remainder =
  (divide: Emit): Emit =>
  (g, word) =>
    divide(g, word & ~(OE | 1));

export const multiplyRows: Rows = {
  mulli: (g, word) => {
    g.gpr(RA(word));
    g.constant(si(word));
    g.op(Op.i32_mul, Op.i64_mul);
    g.setGpr(RT(word));
  },
  mullw: (g, word) => {
    if ((word & OE) !== 0) return false;
    if (g.is64) {
      extended(g, RA(word), true);
      extended(g, RB(word), true);
      g.code.op(Op.i64_mul);
    } else {
      g.gpr(RA(word));
      g.gpr(RB(word));
      g.code.op(Op.i32_mul);
    }
    give(g, RT(word), word);
  },
  mulld: (g, word) => {
    if (!g.is64 || (word & OE) !== 0) return false;
    g.gpr(RA(word));
    g.gpr(RB(word));
    g.code.op(Op.i64_mul);
    give(g, RT(word), word);
  },
  mulhw: highWord(true),
  mulhwu: highWord(false),
  mulhd: highDoubleword(true),
  mulhdu: highDoubleword(false),
  maddld: (g, word) => {
    if (!g.is64) return false;
    g.gpr(RA(word));
    g.gpr(RB(word));
    g.code.op(Op.i64_mul);
    g.gpr(RC_(word));
    g.code.op(Op.i64_add);
    g.setGpr(RT(word));
  },
  divw: divideWord(Op.i32_div_s, true),
  divwu: divideWord(Op.i32_div_u, false),
  divd: divideDoubleword(Op.i64_div_s, true),
  divdu: divideDoubleword(Op.i64_div_u, false),
  modsw: remainder(divideWord(Op.i32_rem_s, true)),
  moduw: remainder(divideWord(Op.i32_rem_u, false)),
  modsd: remainder(divideDoubleword(Op.i64_rem_s, true)),
  modud: remainder(divideDoubleword(Op.i64_rem_u, false)),
  maddhd: highOfSum(true),
  maddhdu: highOfSum(false),
};
