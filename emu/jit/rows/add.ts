/** Fixed-point addition and subtraction: Power ISA 3.0B, I.3.3.9. Forms that set OV and SO are left to the interpreter. */
import { OE, si } from "../../cpu/fields.ts";
import type { Generator } from "../generator.ts";
import { CA_SLOT, CA32_SLOT } from "../slots.ts";
import { Op } from "../wasm.ts";
import { type Emit, mostOf, noteMost, RA, RB, type Rows, RT, recorded } from "./row.ts";

const overflows = (word: number): boolean => (word & OE) !== 0;

/** RT <- (RA|0) + a constant, which is a known distance from RA; of the word with both registers. */
export const addImmediate = (g: Generator, word: number, immediate: number): void => {
  const ra = RA(word);
  const value = g.valueOf(ra, immediate);
  g.constant(immediate);
  if (ra !== 0) {
    g.gpr(ra);
    g.op(Op.i32_add, Op.i64_add);
  }
  g.setGpr(RT(word));
  g.noteValue(RT(word), value);
};

const plain = (operation: (g: Generator, word: number) => void): Emit => {
  return (g, word) => {
    if (overflows(word)) return false;
    operation(g, word);
    if (recorded(word)) g.record(RT(word));
  };
};

/** What is added to RA, or to its complement. */
type Operand = "rb" | "si" | "zero" | "minus one";

const pushOperand = (g: Generator, word: number, operand: Operand): void => {
  if (operand === "rb") g.gpr(RB(word));
  else g.constant(operand === "si" ? si(word) : operand === "zero" ? 0 : -1);
};

/** A condition of locals of a GPR's width: made once of them as they are, for CA, and once of their low words, for CA32. */
type Carry = (value: (local: number) => void, op: (op32: number, op64: number) => void) => void;

const setCarries = (g: Generator, carry: Carry): void => {
  const { code } = g;
  carry((local) => code.get(local), g.op.bind(g));
  g.set(CA_SLOT);
  if (!g.target.has32) return;
  const lowWord = (local: number) => {
    code.get(local);
    code.op(Op.i32_wrap_i64);
  };
  if (g.is64) carry(lowWord, (op32) => code.op(op32));
  else g.get(CA_SLOT);
  g.set(CA32_SLOT);
};

/** RT <- what `emit` leaves in local `sum`, having set CA, of RA in local `a` and the operand in local `b`. */
const carrying = (
  operand: Operand,
  emit: (g: Generator, a: number, b: number, sum: number) => void,
  records?: true,
): Emit => {
  return (g, word) => {
    if (operand !== "si" && overflows(word)) return false;
    const a = g.temporary(g.word, 0);
    const b = g.temporary(g.word, 1);
    const sum = g.temporary(g.word, 2);
    g.gpr(RA(word));
    g.code.set(a);
    pushOperand(g, word, operand);
    g.code.set(b);
    emit(g, a, b, sum);
    g.code.get(sum);
    g.setGpr(RT(word));
    if (records === true || (operand !== "si" && recorded(word))) g.record(RT(word));
  };
};

/** Sums carry if they are less than one of two operands. */
const sum = (operand: Operand, records?: true): Emit =>
  carrying(
    operand,
    (g, a, b, sum) => {
      g.code.get(a);
      g.code.get(b);
      g.op(Op.i32_add, Op.i64_add);
      g.code.set(sum);
      setCarries(g, (value, op) => {
        value(sum);
        value(a);
        op(Op.i32_lt_u, Op.i64_lt_u);
      });
    },
    records,
  );
/** Differences carry if they do not borrow. */
const difference = (operand: Operand): Emit =>
  carrying(operand, (g, a, b, difference) => {
    g.code.get(b);
    g.code.get(a);
    g.op(Op.i32_sub, Op.i64_sub);
    g.code.set(difference);
    setCarries(g, (value, op) => {
      value(b);
      value(a);
      op(Op.i32_ge_u, Op.i64_ge_u);
    });
  });

/** Sums of RA or its complement, an operand, and CA. */
const extended = (complement: boolean, operand: Operand): Emit => {
  const sum = carrying(operand, (g, a, b, sum) => {
    const { code } = g;
    const partial = g.temporary(g.word, 3);
    if (complement) {
      code.get(a);
      g.constant(-1);
      g.op(Op.i32_xor, Op.i64_xor);
      code.set(a);
    }
    code.get(a);
    code.get(b);
    g.op(Op.i32_add, Op.i64_add);
    code.tee(partial);
    pushCarry(g);
    g.op(Op.i32_add, Op.i64_add);
    code.set(sum);
    setCarries(g, (value, op) => {
      value(partial);
      value(a);
      op(Op.i32_lt_u, Op.i64_lt_u);
      value(sum);
      value(partial);
      op(Op.i32_lt_u, Op.i64_lt_u);
      code.op(Op.i32_or);
    });
  });
  return (g, word) => {
    if (!complement || operand !== "rb" || RA(word) !== RB(word) || overflows(word)) return sum(g, word);
    // A value less itself: CA - 1, and CA stays.
    pushCarry(g);
    g.constant(-1);
    g.op(Op.i32_add, Op.i64_add);
    g.setGpr(RT(word));
    if (g.target.has32) {
      g.get(CA_SLOT);
      g.set(CA32_SLOT);
    }
    if (recorded(word)) g.record(RT(word));
  };
};
const pushCarry = (g: Generator): void => {
  g.get(CA_SLOT);
  if (g.is64) g.code.op(Op.i64_extend_i32_u);
};

const FROM_IMMEDIATE = difference("si");

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
    const value = g.values.sum(g.gprValue(RA(word)), g.gprValue(RB(word)));
    g.gpr(RA(word));
    g.gpr(RB(word));
    g.op(Op.i32_add, Op.i64_add);
    g.setGpr(RT(word));
    g.noteValue(RT(word), value);
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
  addic: sum("si"),
  "addic.": sum("si", true),
  subfic: (g, word) => {
    const most = mostOf(g, RA(word));
    if (FROM_IMMEDIATE(g, word) === false) return false;
    if (most <= si(word)) noteMost(g, RT(word), si(word));
  },
  addc: sum("rb"),
  subfc: difference("rb"),
  adde: extended(false, "rb"),
  subfe: extended(true, "rb"),
  addme: extended(false, "minus one"),
  subfme: extended(true, "minus one"),
  addze: extended(false, "zero"),
  subfze: extended(true, "zero"),
};
