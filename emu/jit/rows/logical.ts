/** Fixed-point logical instructions, compares and isel: Power ISA 3.0B, I.3.3.10 to I.3.3.13. */
import { bfa, L, si, ui } from "../../cpu/fields.ts";
import type { Generator } from "../generator.ts";
import { CR_SLOT } from "../slots.ts";
import { Lazy } from "../state.ts";
import { I32, Op, Simd } from "../wasm.ts";
import {
  BF,
  type Emit,
  give,
  giveWord,
  mostOf,
  noteMost,
  RA,
  RB,
  RC_,
  type Rows,
  RS,
  RT,
  recorded,
} from "./row.ts";
import { reverseBytes } from "./storage.ts";

/** RA <- (RS) op (RB). */
const binary = (op32: number, op64: number, notB = false, notResult = false): Emit => {
  return (g, word) => {
    g.gpr(RS(word));
    g.gpr(RB(word));
    if (notB) complement(g);
    g.op(op32, op64);
    if (notResult) complement(g);
    give(g, RA(word), word);
  };
};
const complement = (g: Generator): void => {
  g.constant(-1);
  g.op(Op.i32_xor, Op.i64_xor);
};

/** RA <- (RS) op an unsigned immediate, in the low or the high halfword of the low word. */
const immediate = (op32: number, op64: number, high: boolean, records = false): Emit => {
  return (g, word) => {
    const value = high ? word << 16 : ui(word);
    if (value === 0 && !records) {
      // ori 0,0,0 is the no-op.
      if (RS(word) === RA(word)) return;
    }
    const most = op32 === Op.i32_and ? Math.min(value >>> 0, mostOf(g, RS(word))) : Infinity;
    g.gpr(RS(word));
    if (g.is64) g.code.i64Const(value, 0);
    else g.code.i32Const(value);
    g.op(op32, op64);
    g.setGpr(RA(word));
    noteMost(g, RA(word), most);
    if (records) g.record(RA(word));
  };
};

/** RA <- a function of RS; `emit` makes of a value of the GPRs' width one of the same width. */
const unary = (emit: (g: Generator) => void): Emit => {
  return (g, word) => {
    g.gpr(RS(word));
    emit(g);
    give(g, RA(word), word);
  };
};
/** The same by the low word alone. */
const unary32 = (op: number): Emit => {
  return (g, word) => {
    g.gpr32(RS(word));
    g.code.op(op);
    giveWord(g, RA(word), word);
  };
};
/** An instruction of 64-bit processors; in 32-bit mode the interpreter knows. */
const only64 =
  (emit: Emit): Emit =>
  (g, word) =>
    g.is64 ? emit(g, word) : false;

const compare = (unsigned: boolean, isImmediate: boolean): Emit => {
  return (g, word) => {
    const wide = g.is64 && (word & L) !== 0;
    const kind = wide
      ? unsigned
        ? Lazy.Unsigned64
        : Lazy.Signed64
      : unsigned
        ? Lazy.Unsigned32
        : Lazy.Signed32;
    if (wide) g.gpr(RA(word));
    else g.gpr32(RA(word));
    if (isImmediate) return g.compare(BF(word), kind, unsigned ? ui(word) : si(word));
    if (wide) g.gpr(RB(word));
    else g.gpr32(RB(word));
    g.compare(BF(word), kind);
  };
};

/** RA <- ones in the bytes of RS that are as those of RB. */
const compareBytes: Emit = (g, word) => {
  const { code } = g;
  for (const register of [RS(word), RB(word)]) {
    g.gpr(register);
    code.simd(g.is64 ? Simd.i64x2_splat : Simd.i32x4_splat);
  }
  code.simd(Simd.i8x16_eq);
  code.simd(g.is64 ? Simd.i64x2_extract_lane : Simd.i32x4_extract_lane);
  code.op(0);
  g.setGpr(RA(word));
};

/** RA <- a vector operation on RS as the first doubleword, and no Rc bit. */
const asVector = (emit: (g: Generator) => void): Emit =>
  only64((g, word) => {
    g.gpr(RS(word));
    g.code.simd(Simd.i64x2_splat);
    emit(g);
    g.code.simd(Simd.i64x2_extract_lane);
    g.code.op(0);
    g.setGpr(RA(word));
  });
/** Bytes in the other order within units of so many. */
const reversed = (unit: 2 | 4 | 8): Emit =>
  only64((g, word) => {
    g.gpr(RS(word));
    reverseBytes(g, unit);
    g.setGpr(RA(word));
  });
/** BF <- 0b0 || whether a byte of RB is the last one of RA || 0b00. */
const compareWithBytes: Emit = only64((g, word) => {
  const { code } = g;
  g.gpr32(RA(word));
  code.simd(Simd.i8x16_splat);
  g.gpr(RB(word));
  code.simd(Simd.i64x2_splat);
  code.simd(Simd.i8x16_eq);
  code.simd(Simd.v128_any_true);
  code.i32Const(2);
  code.op(Op.i32_shl);
  g.set(CR_SLOT + BF(word));
});
/** RT <- one of two numbers by CR bit BI. */
const boolean = (set: number, clear: number): Emit => {
  return (g, word) => {
    g.constant(set);
    g.constant(clear);
    g.crBit(RA(word));
    g.code.op(Op.select);
    g.setGpr(RT(word));
  };
};

/** Leaves where the interpreter will trap: I.3.3.11. */
const trap = (wide: boolean, isImmediate: boolean): Emit => {
  return (g, word) => {
    if (wide && !g.is64) return false;
    const { code } = g;
    const pairs = wide
      ? [Op.i64_lt_s, Op.i64_gt_s, Op.i64_eq, Op.i64_lt_u, Op.i64_gt_u]
      : [Op.i32_lt_s, Op.i32_gt_s, Op.i32_eq, Op.i32_lt_u, Op.i32_gt_u];
    let terms = 0;
    pairs.forEach((op, i) => {
      if ((RT(word) & (16 >> i)) === 0) return;
      if (wide) g.gpr(RA(word));
      else g.gpr32(RA(word));
      if (isImmediate) {
        if (wide) code.i64Const(si(word), si(word) >> 31);
        else code.i32Const(si(word));
      } else if (wide) g.gpr(RB(word));
      else g.gpr32(RB(word));
      code.op(op);
      if (terms++ > 0) code.op(Op.i32_or);
    });
    if (terms > 0) g.leaveIf();
  };
};

/** Leaves of each word of the vector on the stack what a mask has. */
const andEach = ({ code }: Generator, mask: number): void => {
  code.i32Const(mask);
  code.simd(Simd.i32x4_splat);
  code.simd(Simd.v128_and);
};

export const logicalRows: Rows = {
  tw: trap(false, false),
  twi: trap(false, true),
  td: trap(true, false),
  tdi: trap(true, true),
  cmpb: compareBytes,
  "andi.": immediate(Op.i32_and, Op.i64_and, false, true),
  "andis.": immediate(Op.i32_and, Op.i64_and, true, true),
  ori: immediate(Op.i32_or, Op.i64_or, false),
  oris: immediate(Op.i32_or, Op.i64_or, true),
  xori: immediate(Op.i32_xor, Op.i64_xor, false),
  xoris: immediate(Op.i32_xor, Op.i64_xor, true),
  and: binary(Op.i32_and, Op.i64_and),
  xor: binary(Op.i32_xor, Op.i64_xor),
  nand: binary(Op.i32_and, Op.i64_and, false, true),
  or: (g, word) => {
    const rs = RS(word);
    if (rs !== RB(word)) return binary(Op.i32_or, Op.i64_or)(g, word);
    // mr
    const value = g.gprValue(rs);
    g.gpr(rs);
    g.setGpr(RA(word));
    g.noteValue(RA(word), value);
    if (recorded(word)) g.record(RA(word));
  },
  nor: binary(Op.i32_or, Op.i64_or, false, true),
  andc: binary(Op.i32_and, Op.i64_and, true),
  eqv: binary(Op.i32_xor, Op.i64_xor, false, true),
  orc: binary(Op.i32_or, Op.i64_or, true),
  extsb: unary((g) => g.op(Op.i32_extend8_s, Op.i64_extend8_s)),
  extsh: unary((g) => g.op(Op.i32_extend16_s, Op.i64_extend16_s)),
  extsw: only64(unary((g) => g.code.op(Op.i64_extend32_s))),
  cntlzw: unary32(Op.i32_clz),
  cnttzw: unary32(Op.i32_ctz),
  cntlzd: only64(unary((g) => g.code.op(Op.i64_clz))),
  cnttzd: only64(unary((g) => g.code.op(Op.i64_ctz))),
  popcntd: only64((g, word) => {
    // No Rc bit.
    g.gpr(RS(word));
    g.code.op(Op.i64_popcnt);
    g.setGpr(RA(word));
  }),

  popcntb: asVector((g) => g.code.simd(Simd.i8x16_popcnt)),
  popcntw: asVector((g) => {
    g.code.simd(Simd.i8x16_popcnt);
    g.code.simd(Simd.i16x8_extadd_pairwise_i8x16_u);
    g.code.simd(Simd.i32x4_extadd_pairwise_i16x8_u);
  }),
  /** Sums of the bytes' last bits. */
  prtyd: only64((g, word) => {
    g.gpr(RS(word));
    g.code.i64Const(0x0101_0101, 0x0101_0101);
    g.code.op(Op.i64_and);
    g.code.op(Op.i64_popcnt);
    g.code.i64Const(1, 0);
    g.code.op(Op.i64_and);
    g.setGpr(RA(word));
  }),
  prtyw: asVector((g) => {
    andEach(g, 0x0101_0101);
    g.code.simd(Simd.i16x8_extadd_pairwise_i8x16_u);
    g.code.simd(Simd.i32x4_extadd_pairwise_i16x8_u);
    andEach(g, 1);
  }),
  brh: reversed(2),
  brw: reversed(4),
  brd: reversed(8),
  setbc: boolean(1, 0),
  setbcr: boolean(0, 1),
  setnbc: boolean(-1, 0),
  setnbcr: boolean(0, -1),
  cmpeqb: compareWithBytes,

  cmp: compare(false, false),
  cmpi: compare(false, true),
  cmpl: compare(true, false),
  cmpli: compare(true, true),

  isel: (g, word) => {
    const bit = RC_(word);
    g.gprOr0(RA(word));
    g.gpr(RB(word));
    g.crBit(bit);
    g.code.op(Op.select);
    g.setGpr(RT(word));
  },
  setb: (g, word) => {
    const { code } = g;
    const less = g.temporary(I32, 2);
    const bit = bfa(word) << 2;
    // LT: -1, else GT: 1, else 0; they may both be set.
    g.crBit(bit + 1, true);
    g.crBit(bit, true);
    code.tee(less);
    code.i32Const(1);
    code.op(Op.i32_xor);
    code.op(Op.i32_and);
    code.get(less);
    code.op(Op.i32_sub);
    g.setGpr32(RT(word), true);
  },
};
