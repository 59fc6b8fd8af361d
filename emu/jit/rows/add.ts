/** Fixed-point addition and subtraction: Power ISA 3.0B, I.3.3.9. Forms that set OV and SO are left to the interpreter. */
import { OE, si } from "../../cpu/fields.ts";
import type { Generator } from "../generator.ts";
import { CA_SLOT, CA32_SLOT } from "../slots.ts";
import { I32, Op } from "../wasm.ts";
import { type Emit, RA, RB, type Rows, RT, recorded, upperWord } from "./row.ts";

const overflows = (word: number): boolean => (word & OE) !== 0;

/** RT <- (RA|0) + a constant, which is a known distance from RA. */
const addImmediate = (g: Generator, word: number, immediate: number): void => {
  const ra = RA(word);
  if (ra === 0) {
    g.constant(immediate);
    g.setGpr(RT(word));
    return;
  }
  const base = g.state.base[ra];
  const offset = g.state.offset[ra] + immediate;
  g.gpr(ra);
  g.constant(immediate);
  g.op(Op.i32_add, Op.i64_add);
  g.setGpr(RT(word));
  g.noteValue(RT(word), base, offset);
};

const plain = (operation: (g: Generator, word: number) => void): Emit => {
  return (g, word) => {
    if (overflows(word)) return false;
    operation(g, word);
    if (recorded(word)) g.record(RT(word));
  };
};

/** What the second operand of a carrying sum is. */
type Operand = "rb" | "si" | "zero" | "minus one";

/** RT <- (RA or its complement) + operand + carry in, with CA. */
const carrying = (
  complement: boolean,
  operand: Operand,
  carryIn: "no" | "one" | "ca",
  records?: true,
): Emit => {
  return (g, word) => {
    if (operand !== "si" && overflows(word)) return false;
    const { code } = g;
    const a = g.temporary(g.word, 0);
    const b = g.temporary(g.word, 1);
    const sum = g.temporary(g.word, 2);
    g.gpr(RA(word));
    if (complement) {
      g.constant(-1);
      g.op(Op.i32_xor, Op.i64_xor);
    }
    code.set(a);
    if (operand === "rb") g.gpr(RB(word));
    else g.constant(operand === "si" ? si(word) : operand === "zero" ? 0 : -1);
    code.set(b);
    code.get(a);
    code.get(b);
    g.op(Op.i32_add, Op.i64_add);
    if (carryIn === "one") {
      g.constant(1);
      g.op(Op.i32_add, Op.i64_add);
    } else if (carryIn === "ca") {
      g.get(CA_SLOT);
      if (g.is64) code.op(Op.i64_extend_i32_u);
      g.op(Op.i32_add, Op.i64_add);
    }
    code.set(sum);
    // The carry out of the top: (a & b) | ((a | b) & ~sum); for two operands without a carry in, whether the sum is less than one.
    if (carryIn === "no") {
      code.get(sum);
      code.get(a);
      g.op(Op.i32_lt_u, Op.i64_lt_u);
    } else {
      code.get(a);
      code.get(b);
      g.op(Op.i32_and, Op.i64_and);
      code.get(a);
      code.get(b);
      g.op(Op.i32_or, Op.i64_or);
      code.get(sum);
      g.constant(-1);
      g.op(Op.i32_xor, Op.i64_xor);
      g.op(Op.i32_and, Op.i64_and);
      g.op(Op.i32_or, Op.i64_or);
      if (g.is64) {
        code.i64Const(63, 0);
        code.op(Op.i64_shr_u);
        code.op(Op.i32_wrap_i64);
      } else {
        code.i32Const(31);
        code.op(Op.i32_shr_u);
      }
    }
    if (g.target.has32) code.tee(g.temporary(I32, 1));
    g.set(CA_SLOT);
    if (g.target.has32) {
      if (g.is64) {
        // The carry into bit 31, counted from the most significant of 64, is a ^ b ^ sum there.
        code.get(a);
        code.get(b);
        code.op(Op.i64_xor);
        code.get(sum);
        code.op(Op.i64_xor);
        upperWord(code);
        code.i32Const(1);
        code.op(Op.i32_and);
      } else code.get(g.temporary(I32, 1));
      g.set(CA32_SLOT);
    }
    code.get(sum);
    g.setGpr(RT(word));
    if (records === true || (operand !== "si" && recorded(word))) g.record(RT(word));
  };
};

export const addRows: Rows = {
  addi: (g, word) => addImmediate(g, word, si(word)),
  addis: (g, word) => addImmediate(g, word, word << 16),
  addpcis: (g, word) => {
    const d = (((word & 0xffc1) | ((word >>> 15) & 0x3e)) << 16) | 0;
    // 64-bit: the address has no upper half, the displacement has a sign.
    if (g.is64) {
      const low = (g.pc + 4 + d) | 0;
      const high = (d >> 31) + ((g.pc + 4) >>> 0 > low >>> 0 ? 1 : 0);
      g.code.i64Const(low, high);
    } else g.code.i32Const(g.pc + 4 + d);
    g.setGpr(RT(word));
  },
  add: plain((g, word) => {
    g.gpr(RA(word));
    g.gpr(RB(word));
    g.op(Op.i32_add, Op.i64_add);
    g.setGpr(RT(word));
  }),
  subf: plain((g, word) => {
    g.gpr(RB(word));
    g.gpr(RA(word));
    g.op(Op.i32_sub, Op.i64_sub);
    g.setGpr(RT(word));
  }),
  neg: plain((g, word) => {
    g.constant(0);
    g.gpr(RA(word));
    g.op(Op.i32_sub, Op.i64_sub);
    g.setGpr(RT(word));
  }),
  addic: carrying(false, "si", "no"),
  "addic.": carrying(false, "si", "no", true),
  subfic: carrying(true, "si", "one"),
  addc: carrying(false, "rb", "no"),
  subfc: carrying(true, "rb", "one"),
  adde: carrying(false, "rb", "ca"),
  subfe: carrying(true, "rb", "ca"),
  addme: carrying(false, "minus one", "ca"),
  subfme: carrying(true, "minus one", "ca"),
  addze: carrying(false, "zero", "ca"),
  subfze: carrying(true, "zero", "ca"),
};
