/** Loads and stores: Power ISA 3.0B, I.3.3.2 to I.3.3.5 and I.4.6.2 to I.4.6.3; cache hints. */
import { si } from "../../cpu/fields.ts";
import type { Generator } from "../generator.ts";
import { F64, I32, I64, Op, Simd, V128 } from "../wasm.ts";
import { type Emit, noteMost, RA, RB, type Rows, RT, upperWord } from "./row.ts";

type Form = "d" | "ds" | "x";

/** Moves between a register and storage `at` bytes from a host address that has been pushed; `t` is RT, FRT or the number of a VSR. */
export interface Transfer {
  readonly bytes: number;
  readonly isStore: boolean;
  /** FPRs: RA = RT is no invalid form. */
  readonly isFloat?: boolean;
  readonly only64?: boolean;
  /** For stores: what comes before the address, such as a value to be made or a reason to leave. */
  prepare?(g: Generator, t: number): void;
  emit(g: Generator, t: number, at: number): void;
}

/** Emits a transfer at (RA|0) + `offset`, or + (RB). */
export function move(
  g: Generator,
  { bytes, isStore, prepare, emit }: Transfer,
  t: number,
  ra: number,
  offset: number,
  rb = -1,
  update = false,
): void {
  prepare?.(g, t);
  const at = g.place(bytes, ra, offset, rb, isStore, update);
  emit(g, t, at);
}

const access = (transfer: Transfer, form: Form, update: boolean): Emit => {
  const { isStore } = transfer;
  return (g, word) => {
    if (transfer.only64 === true && !g.is64) return false;
    const t = RT(word);
    const ra = RA(word);
    if (update && (ra === 0 || (!isStore && transfer.isFloat !== true && ra === t))) return false;
    const offset = form === "x" ? 0 : form === "d" ? si(word) : si(word) & ~3;
    const rb = form === "x" ? RB(word) : -1;
    if (!update) return move(g, transfer, t, ra, offset, rb);
    const value = g.valueOf(ra, offset, rb);
    move(g, transfer, t, ra, offset, rb, update);
    g.code.get(g.temporary(g.word, 7));
    g.setGpr(ra);
    g.noteValue(ra, value);
  };
};

const load = (bytes: number, op32: number, op64: number): Transfer => ({
  bytes,
  isStore: false,
  emit: (g, t, at) => {
    g.code.access(g.is64 ? op64 : op32, at);
    g.setGpr(t);
    if (op32 === Op.i32_load8_u || op32 === Op.i32_load16_u) noteMost(g, t, 256 ** bytes - 1);
  },
});
const store = (bytes: number, op32: number, op64: number): Transfer => ({
  bytes,
  isStore: true,
  emit: (g, t, at) => {
    g.gpr(t);
    g.code.access(g.is64 ? op64 : op32, at);
  },
});

export const BYTE = load(1, Op.i32_load8_u, Op.i64_load8_u);
export const HALF = load(2, Op.i32_load16_u, Op.i64_load16_u);
export const HALF_ALGEBRAIC = load(2, Op.i32_load16_s, Op.i64_load16_s);
export const WORD = load(4, Op.i32_load, Op.i64_load32_u);
export const WORD_ALGEBRAIC: Transfer = { ...load(4, Op.i32_load, Op.i64_load32_s), only64: true };
export const DOUBLEWORD: Transfer = { ...load(8, Op.i64_load, Op.i64_load), only64: true };
export const STORE_BYTE = store(1, Op.i32_store8, Op.i64_store8);
export const STORE_HALF = store(2, Op.i32_store16, Op.i64_store16);
export const STORE_WORD = store(4, Op.i32_store, Op.i64_store32);
export const STORE_DOUBLEWORD: Transfer = { ...store(8, Op.i64_store, Op.i64_store), only64: true };

/** Pops a word and pushes it with its bytes in the other order. */
const reverseWord = (g: Generator): void => {
  const { code } = g;
  const value = g.temporary(I32, 1);
  const part = (by: number, mask: number) => {
    code.get(value);
    code.i32Const(by);
    code.op(Op.i32_rotl);
    code.i32Const(mask);
    code.op(Op.i32_and);
  };
  code.set(value);
  part(8, 0x00ff_00ff);
  part(24, 0xff00_ff00);
  code.op(Op.i32_or);
};
const reverseHalf = (g: Generator): void => {
  reverseWord(g);
  g.code.i32Const(16);
  g.code.op(Op.i32_shr_u);
};
const reversed = (
  bytes: number,
  isStore: boolean,
  op: number,
  reverse: (g: Generator) => void,
): Transfer => ({
  bytes,
  isStore,
  emit: (g, t, at) => {
    const { code } = g;
    if (isStore) {
      g.gpr32(t);
      reverse(g);
      code.access(op, at);
    } else {
      code.access(op, at);
      reverse(g);
      g.setGpr32(t);
    }
  },
});

/** Pops a doubleword and pushes it with its bytes in the other order, or with those of its units of so many bytes. */
export const reverseBytes = (g: Generator, unit: 2 | 4 | 8 = 8): void => {
  const { code } = g;
  const value = g.temporary(V128, 0);
  code.simd(Simd.i64x2_splat);
  code.tee(value);
  code.get(value);
  code.simd(Simd.i8x16_shuffle);
  for (let lane = 0; lane < 16; lane++) code.op((lane & 7) ^ (unit - 1));
  code.simd(Simd.i64x2_extract_lane);
  code.op(0);
};
const REVERSED_DOUBLEWORD: Transfer = {
  ...load(8, Op.i64_load, Op.i64_load),
  only64: true,
  emit: (g, t, at) => {
    g.code.access(Op.i64_load, at);
    reverseBytes(g);
    g.setGpr(t);
  },
};
const STORE_REVERSED_DOUBLEWORD: Transfer = {
  ...store(8, Op.i64_store, Op.i64_store),
  only64: true,
  emit: (g, t, at) => {
    g.gpr(t);
    reverseBytes(g);
    g.code.access(Op.i64_store, at);
  },
};

/** lmw and stmw: the registers from RT on, of big-endian guests. */
const multiple = (isStore: boolean): Emit => {
  return (g, word) => {
    if (!g.target.bigEndian) return false;
    const { code } = g;
    const bytes = 4 * (32 - RT(word));
    const host = g.temporary(I32, 20);
    g.address(bytes, RA(word), si(word), -1, isStore);
    code.set(host);
    for (let n = RT(word); n < 32; n++) {
      // Storage is reversed: the last word comes first.
      const at = 4 * (31 - n);
      if (isStore) g.fetch(n);
      code.get(host);
      if (isStore) {
        g.gpr32(n);
        code.access(Op.i32_store, at);
      } else {
        code.access(Op.i32_load, at);
        g.setGpr32(n);
      }
    }
  };
};

/** DOUBLE of the word; a NaN may be a signalling one, which promotion would quiet. */
export const LOAD_SINGLE: Transfer = {
  bytes: 4,
  isStore: false,
  isFloat: true,
  emit: (g, t, at) => {
    const { code } = g;
    const value = g.temporary(F64, 0);
    code.access(Op.f32_load, at);
    code.op(Op.f64_promote_f32);
    code.tee(value);
    code.get(value);
    code.op(Op.f64_ne);
    g.leaveIf();
    code.get(value);
    g.setFpr(t);
    g.state.noteSingle(t);
  },
};
export const LOAD_DOUBLE: Transfer = {
  bytes: 8,
  isStore: false,
  isFloat: true,
  emit: (g, t, at) => {
    g.code.access(Op.f64_load, at);
    g.setFpr(t);
  },
};
const loadInteger = (op: number): Transfer => ({
  bytes: 4,
  isStore: false,
  isFloat: true,
  emit: (g, t, at) => {
    g.code.access(op, at);
    g.code.op(Op.f64_reinterpret_i64);
    g.setFpr(t);
  },
});
/** Pushes SINGLE of a double that is not subnormal as a single, by locals with its bits and with the upper word of them. */
export const pushSingle = ({ code }: Generator, bits: number, high: number): void => {
  code.get(bits);
  code.i64Const(29, 0);
  code.op(Op.i64_shr_u);
  code.op(Op.i32_wrap_i64);
  code.i32Const(0x3fff_ffff);
  code.op(Op.i32_and);
  code.get(high);
  code.i32Const(0xc000_0000);
  code.op(Op.i32_and);
  code.op(Op.i32_or);
};
/** SINGLE of the double; what is subnormal as a single is the interpreter's. */
export const STORE_SINGLE: Transfer = {
  bytes: 4,
  isStore: true,
  isFloat: true,
  prepare: (g, t) => {
    const { code } = g;
    const bits = g.temporary(I64, 1);
    const high = g.temporary(I32, 1);
    const exponent = g.temporary(I32, 2);
    g.scalar(t);
    code.op(Op.i64_reinterpret_f64);
    code.tee(bits);
    upperWord(code);
    code.tee(high);
    code.i32Const(20);
    code.op(Op.i32_shr_u);
    code.i32Const(0x7ff);
    code.op(Op.i32_and);
    code.tee(exponent);
    code.i32Const(874);
    code.op(Op.i32_sub);
    code.i32Const(23);
    code.op(Op.i32_lt_u);
    g.leaveIf();
    pushSingle(g, bits, high);
    code.get(high);
    code.i32Const(0x8000_0000);
    code.op(Op.i32_and);
    code.get(exponent);
    code.i32Const(896);
    code.op(Op.i32_gt_u);
    code.op(Op.select);
    code.set(exponent);
  },
  emit: (g, _t, at) => {
    g.code.get(g.temporary(I32, 2));
    g.code.access(Op.i32_store, at);
  },
};
export const STORE_DOUBLE: Transfer = {
  bytes: 8,
  isStore: true,
  isFloat: true,
  emit: (g, t, at) => {
    g.scalar(t);
    g.code.access(Op.f64_store, at);
  },
};
const STORE_INTEGER: Transfer = {
  bytes: 4,
  isStore: true,
  isFloat: true,
  emit: (g, t, at) => {
    g.fpr(t);
    g.code.op(Op.i64_reinterpret_f64);
    g.code.access(Op.i64_store32, at);
  },
};

/** The forms name, nameu, namex, nameux. */
const family = (name: string, transfer: Transfer, form: "d" | "ds" = "d"): Rows => ({
  [name]: access(transfer, form, false),
  [`${name}u`]: access(transfer, form, true),
  [`${name}x`]: access(transfer, "x", false),
  [`${name}ux`]: access(transfer, "x", true),
});

const nothing: Emit = () => {};

export const storageRows: Rows = {
  ...family("lbz", BYTE),
  ...family("lhz", HALF),
  ...family("lha", HALF_ALGEBRAIC),
  ...family("lwz", WORD),
  lwa: access(WORD_ALGEBRAIC, "ds", false),
  lwax: access(WORD_ALGEBRAIC, "x", false),
  lwaux: access(WORD_ALGEBRAIC, "x", true),
  ...family("ld", DOUBLEWORD, "ds"),
  ...family("stb", STORE_BYTE),
  ...family("sth", STORE_HALF),
  ...family("stw", STORE_WORD),
  ...family("std", STORE_DOUBLEWORD, "ds"),
  lhbrx: access(reversed(2, false, Op.i32_load16_u, reverseHalf), "x", false),
  lwbrx: access(reversed(4, false, Op.i32_load, reverseWord), "x", false),
  sthbrx: access(reversed(2, true, Op.i32_store16, reverseHalf), "x", false),
  stwbrx: access(reversed(4, true, Op.i32_store, reverseWord), "x", false),
  ldbrx: access(REVERSED_DOUBLEWORD, "x", false),
  stdbrx: access(STORE_REVERSED_DOUBLEWORD, "x", false),
  lmw: multiple(false),
  stmw: multiple(true),
  ...family("lfs", LOAD_SINGLE),
  ...family("lfd", LOAD_DOUBLE),
  ...family("stfs", STORE_SINGLE),
  ...family("stfd", STORE_DOUBLE),
  lfiwax: access(loadInteger(Op.i64_load32_s), "x", false),
  lfiwzx: access(loadInteger(Op.i64_load32_u), "x", false),
  stfiwx: access(STORE_INTEGER, "x", false),
  dcbt: nothing,
  dcbtst: nothing,
  icbt: nothing,
  dcba: nothing,
  isync: nothing,
  sync: nothing,
  eieio: nothing,
};
