/** Fixed-point rotate and shift instructions: Power ISA 3.0B, I.3.3.14. */
import { mb6, sh, sh6 } from "../../cpu/fields.ts";
import { maskHigh, maskLow, wordMask } from "../../cpu/masks.ts";
import type { Generator } from "../generator.ts";
import { CA_SLOT, CA32_SLOT } from "../slots.ts";
import { I32, I64, Op } from "../wasm.ts";
import { type Emit, give, giveWord, mostOf, noteMost, RA, RB, type Rows, RS, recorded } from "./row.ts";

const MB = (word: number): number => (word >>> 6) & 31;
const ME = (word: number): number => (word >>> 1) & 31;

/** MASK(mb, me) of 64 bits, as words [low, high]. */
const mask64 = (mb: number, me: number): [number, number] => [maskLow(mb, me), maskHigh(mb, me)];

/** Pushes ROTL32((RS), n), n a constant or the low bits of RB. */
const rotatedWord = (g: Generator, word: number, byRegister: boolean): void => {
  g.gpr32(RS(word));
  if (byRegister) g.gpr32(RB(word));
  else if (sh(word) === 0) return;
  else g.code.i32Const(sh(word));
  g.code.op(Op.i32_rotl);
};

const rotateWordAnd = (byRegister: boolean): Emit => {
  return (g, word) => {
    const { code } = g;
    const mb = MB(word);
    const me = ME(word);
    const mask = wordMask(mb, me);
    const most = byRegister ? Infinity : mostOf(g, RS(word)) * 2 ** sh(word);
    if (!g.is64 || mb <= me) {
      // Shifts without what the mask takes off anyway.
      if (!byRegister && mb === 0 && me === 31 - sh(word) && sh(word) !== 0) {
        g.gpr32(RS(word));
        code.i32Const(sh(word));
        code.op(Op.i32_shl);
      } else if (!byRegister && me === 31 && sh(word) !== 0 && mb === 32 - sh(word)) {
        g.gpr32(RS(word));
        code.i32Const(mb);
        code.op(Op.i32_shr_u);
      } else {
        rotatedWord(g, word, byRegister);
        if (mask !== -1) {
          code.i32Const(mask);
          code.op(Op.i32_and);
        }
      }
      giveWord(g, RA(word), word);
      // What a shift to the right leaves, what a rotation leaves under its mask, or all of it where nothing goes around the end.
      noteMost(g, RA(word), Math.min(mask >>> 0, most < 2 ** 32 ? most : Infinity));
    } else {
      // The mask goes around the end: the upper half, the rotated word once more, stays.
      doubled(g, word, byRegister);
      code.i64Const(mask, -1);
      code.op(Op.i64_and);
      give(g, RA(word), word);
    }
  };
};
/** Pushes the rotated word in both halves of a doubleword. */
const doubled = (g: Generator, word: number, byRegister: boolean): void => {
  const { code } = g;
  const rotated = g.temporary(I64, 0);
  rotatedWord(g, word, byRegister);
  code.op(Op.i64_extend_i32_u);
  code.tee(rotated);
  code.get(rotated);
  code.i64Const(32, 0);
  code.op(Op.i64_shl);
  code.op(Op.i64_or);
};

/** Pushes ROTL64((RS), n). */
const rotatedDoubleword = (g: Generator, word: number, byRegister: boolean): void => {
  const { code } = g;
  g.gpr(RS(word));
  if (byRegister) g.gpr(RB(word));
  else if (sh6(word) === 0) return;
  else code.i64Const(sh6(word), 0);
  code.op(Op.i64_rotl);
};
/** RA <- ROTL64((RS), n) & mask. */
const rotateDoublewordAnd = (byRegister: boolean, mask: (word: number) => [number, number]): Emit => {
  return (g, word) => {
    if (!g.is64) return false;
    const { code } = g;
    const [low, high] = mask(word);
    const n = sh6(word);
    const isShiftLeft = !byRegister && n !== 0 && equal([low, high], mask64(0, 63 - n));
    const isShiftRight = !byRegister && n !== 0 && equal([low, high], mask64(64 - n, 63));
    const most = byRegister ? Infinity : mostOf(g, RS(word)) * 2 ** n;
    if (isShiftLeft || isShiftRight) {
      g.gpr(RS(word));
      code.i64Const(isShiftLeft ? n : 64 - n, 0);
      code.op(isShiftLeft ? Op.i64_shl : Op.i64_shr_u);
    } else {
      rotatedDoubleword(g, word, byRegister);
      code.i64Const(low, high);
      code.op(Op.i64_and);
    }
    give(g, RA(word), word);
    noteMost(g, RA(word), Math.min((high >>> 0) * 2 ** 32 + (low >>> 0), most < 2 ** 53 ? most : Infinity));
  };
};
const equal = (a: [number, number], b: [number, number]): boolean =>
  (a[0] | 0) === (b[0] | 0) && (a[1] | 0) === (b[1] | 0);

/** RA <- the value that has been pushed under a mask, what was in RA beside it. */
const insert = (g: Generator, word: number, low: number, high: number): void => {
  const under = (low: number, high: number) => {
    if (g.is64) g.code.i64Const(low, high);
    else g.code.i32Const(low);
    g.op(Op.i32_and, Op.i64_and);
  };
  under(low, high);
  g.gpr(RA(word));
  under(~low, ~high);
  g.op(Op.i32_or, Op.i64_or);
  give(g, RA(word), word);
};

/** slw, srw: shifts by 32 to 63 give zero. */
const shiftWord = (op: number): Emit => {
  return (g, word) => {
    const { code } = g;
    const by = g.temporary(I32, 1);
    const isShort = mostOf(g, RB(word)) < 32;
    g.gpr32(RS(word));
    g.gpr32(RB(word));
    if (!isShort) code.tee(by);
    code.op(op);
    if (isShort) return giveWord(g, RA(word), word);
    code.i32Const(0);
    code.get(by);
    code.i32Const(32);
    code.op(Op.i32_and);
    code.op(Op.i32_eqz);
    code.op(Op.select);
    giveWord(g, RA(word), word);
  };
};
const shiftDoubleword = (op: number): Emit => {
  return (g, word) => {
    if (!g.is64) return false;
    const { code } = g;
    const by = g.temporary(I64, 1);
    const isShort = mostOf(g, RB(word)) < 64;
    g.gpr(RS(word));
    g.gpr(RB(word));
    if (!isShort) code.tee(by);
    code.op(op);
    if (isShort) return give(g, RA(word), word);
    code.i64Const(0, 0);
    code.get(by);
    code.i64Const(64, 0);
    code.op(Op.i64_and);
    code.op(Op.i64_eqz);
    code.op(Op.select);
    give(g, RA(word), word);
  };
};

/** Pops whether there is a carry. */
const setCarry = (g: Generator): void => {
  if (g.target.has32) {
    const carry = g.temporary(I32, 3);
    g.code.tee(carry);
    g.set(CA_SLOT);
    g.code.get(carry);
    g.set(CA32_SLOT);
  } else g.set(CA_SLOT);
};

/** srawi and sraw: CA is set if the value is negative and a bit that is not zero is shifted out. */
const shiftAlgebraicWord = (byRegister: boolean): Emit => {
  return (g, word) => {
    const { code } = g;
    const value = g.temporary(I32, 1);
    const by = g.temporary(I32, 2);
    g.gpr32(RS(word));
    code.set(value);
    if (byRegister) {
      g.gpr32(RB(word));
      code.i32Const(63);
      code.op(Op.i32_and);
      code.set(by);
      // By 32 or more is as by 31, but for the bits lost.
      code.get(value);
      code.get(by);
      code.i32Const(31);
      code.get(by);
      code.i32Const(32);
      code.op(Op.i32_lt_u);
      code.op(Op.select);
      code.op(Op.i32_shr_s);
      // Lost: value & ~(-1 << by), all of it from 32 on.
      code.get(value);
      code.i32Const(-1);
      code.get(by);
      code.op(Op.i32_shl);
      code.i32Const(0);
      code.get(by);
      code.i32Const(32);
      code.op(Op.i32_lt_u);
      code.op(Op.select);
      code.i32Const(-1);
      code.op(Op.i32_xor);
      code.op(Op.i32_and);
    } else {
      code.get(value);
      code.i32Const(sh(word));
      code.op(Op.i32_shr_s);
      code.get(value);
      code.i32Const(~(-1 << sh(word)));
      code.op(Op.i32_and);
    }
    code.i32Const(0);
    code.op(Op.i32_ne);
    code.get(value);
    code.i32Const(31);
    code.op(Op.i32_shr_u);
    code.op(Op.i32_and);
    setCarry(g);
    g.setGpr32(RA(word), true);
    if (recorded(word)) g.record(RA(word));
  };
};
const shiftAlgebraicDoubleword = (byRegister: boolean): Emit => {
  return (g, word) => {
    if (!g.is64) return false;
    const { code } = g;
    const value = g.temporary(I64, 1);
    const by = g.temporary(I64, 2);
    g.gpr(RS(word));
    code.set(value);
    if (byRegister) {
      g.gpr(RB(word));
      code.i64Const(127, 0);
      code.op(Op.i64_and);
      code.set(by);
      code.get(value);
      code.get(by);
      code.i64Const(63, 0);
      code.get(by);
      code.i64Const(64, 0);
      code.op(Op.i64_lt_u);
      code.op(Op.select);
      code.op(Op.i64_shr_s);
      code.get(value);
      code.i64Const(-1, -1);
      code.get(by);
      code.op(Op.i64_shl);
      code.i64Const(0, 0);
      code.get(by);
      code.i64Const(64, 0);
      code.op(Op.i64_lt_u);
      code.op(Op.select);
      code.i64Const(-1, -1);
      code.op(Op.i64_xor);
      code.op(Op.i64_and);
    } else {
      const n = sh6(word);
      code.get(value);
      code.i64Const(n, 0);
      code.op(Op.i64_shr_s);
      code.get(value);
      const [low, high] = n === 0 ? [0, 0] : mask64(64 - n, 63);
      code.i64Const(low, high);
      code.op(Op.i64_and);
    }
    code.i64Const(0, 0);
    code.op(Op.i64_ne);
    code.get(value);
    code.i64Const(63, 0);
    code.op(Op.i64_shr_u);
    code.op(Op.i32_wrap_i64);
    code.op(Op.i32_and);
    setCarry(g);
    give(g, RA(word), word);
  };
};

export const rotateRows: Rows = {
  extswsli: (g, word) => {
    if (!g.is64) return false;
    g.gpr(RS(word));
    g.code.op(Op.i64_extend32_s);
    g.code.i64Const(sh6(word), 0);
    g.code.op(Op.i64_shl);
    give(g, RA(word), word);
  },
  rlwinm: rotateWordAnd(false),
  rlwnm: rotateWordAnd(true),
  rlwimi: (g, word) => {
    const mb = MB(word);
    const me = ME(word);
    const isWrapped = mb > me;
    if (g.is64 && isWrapped) doubled(g, word, false);
    else rotatedWord(g, word, false);
    if (g.is64 && !isWrapped) g.code.op(Op.i64_extend_i32_u);
    insert(g, word, wordMask(mb, me), isWrapped ? -1 : 0);
  },
  rldicl: rotateDoublewordAnd(false, (word) => mask64(mb6(word), 63)),
  rldcl: rotateDoublewordAnd(true, (word) => mask64(mb6(word), 63)),
  rldicr: rotateDoublewordAnd(false, (word) => mask64(0, mb6(word))),
  rldcr: rotateDoublewordAnd(true, (word) => mask64(0, mb6(word))),
  rldic: rotateDoublewordAnd(false, (word) => mask64(mb6(word), 63 - sh6(word))),
  rldimi: (g, word) => {
    if (!g.is64) return false;
    rotatedDoubleword(g, word, false);
    insert(g, word, ...mask64(mb6(word), 63 - sh6(word)));
  },
  slw: shiftWord(Op.i32_shl),
  srw: shiftWord(Op.i32_shr_u),
  sld: shiftDoubleword(Op.i64_shl),
  srd: shiftDoubleword(Op.i64_shr_u),
  srawi: shiftAlgebraicWord(false),
  sraw: shiftAlgebraicWord(true),
  sradi: shiftAlgebraicDoubleword(false),
  srad: shiftAlgebraicDoubleword(true),
};
