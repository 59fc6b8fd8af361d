/**
 * Instructions that move FPSCR or set bits of it: Power ISA 3.0B, I.4.6.10. What has been left of its result bits to be found later is found
 * before somebody reads them, and forgotten where all of them are written.
 */
import { bb, bf, bfa, bt } from "../../cpu/fields.ts";
import {
  bitMask,
  CONTROL,
  DRN,
  ENABLES,
  EXCEPTIONS,
  FEX,
  FX,
  fieldMask,
  L,
  NOT_WRITABLE,
  namedFields,
  OX,
  RESULT,
  RN,
  UX,
  VX,
  VX_ALL,
  W,
  XE,
  XX,
  ZX,
} from "../../cpu/floating-point/fpscr.ts";
import { FPSCR } from "../../cpu/registers.ts";
import type { Generator } from "../generator.ts";
import { CR_SLOT } from "../slots.ts";
import { Code, type FunctionBody, I32, Op } from "../wasm.ts";
import { type Emit, RB, RT, type Rows, recorded, upperWord } from "./row.ts";

/** What translated arithmetic depends on: the mode, an enable, and XX. */
const MODE = RN | XE | XX;
/** Everything in the low word. */
const ALL_BITS = -1;

/** FRT <- FPSCR, but of the low word only some bits. */
const moveFrom = (g: Generator, word: number, low: number): void => {
  const { code } = g;
  if ((low & RESULT) !== 0) g.settle();
  g.loadField(Op.i64_load, FPSCR);
  if (low !== ALL_BITS) {
    code.i64Const(low, DRN);
    code.op(Op.i64_and);
  }
  code.op(Op.f64_reinterpret_i64);
  g.setFpr(RT(word));
};

const mffs: Emit = (g, word) => {
  if (recorded(word)) return false;
  moveFrom(g, word, ALL_BITS);
};
/** A sister of mffs, for which processors before 3.0 take it; `then` emits what follows, in which temporary 1 has its operand. */
const sister =
  (low: number, push?: (g: Generator, word: number) => void, then?: (g: Generator) => void): Emit =>
  (g, word) => {
    if (!g.target.has32) return false;
    // FRB may be FRT.
    push?.(g, word);
    if (push !== undefined) g.code.set(g.temporary(I32, 1));
    moveFrom(g, word, low);
    then?.(g);
  };

const setRounding = (g: Generator): void => {
  const { code } = g;
  const mode = g.temporary(I32, 1);
  g.settle();
  g.storeField(Op.i32_store, FPSCR, () => {
    g.loadStatus();
    code.i32Const(~RN);
    code.op(Op.i32_and);
    code.get(mode);
    code.i32Const(RN);
    code.op(Op.i32_and);
    code.op(Op.i32_or);
  });
  noteMode(g, RN);
};

/** Notes that bits of FPSCR may have changed. */
const noteMode = (g: Generator, mask: number): void => {
  if ((mask & MODE) === 0) return;
  g.changesMode = true;
  g.state.modeChecked = false;
};

/** Bits of FPSCR <- those of what `push` pushes; leaves if an enabled exception were there then. False where the interpreter is to do it. */
const insert = (g: Generator, mask: number, push: () => void): false | void => {
  const writable = mask & ~NOT_WRITABLE;
  const result = writable & RESULT;
  if (result !== 0 && result !== RESULT) return false;
  const { code } = g;
  // What is pending was rounded in the mode that is there; it may be inexact only where XX is there, and would raise it again.
  if (result === 0 && (writable & (XX | FX | RN)) !== 0) g.settle();
  push();
  code.i32Const(writable);
  g.helpers.call(code, "insert into FPSCR", () => insertFunction(g.block + FPSCR));
  g.leaveIf();
  if (result !== 0) g.forgetRecords();
  noteMode(g, writable);
};

/** The function (value, mask) -> 1 if FPSCR has not been changed, for an enabled exception would be there, else 0. */
function insertFunction(fpscr: number): FunctionBody {
  const code = new Code();
  const [value, mask, status] = [0, 1, 2];
  const combine = (bits: number, op: number) => {
    code.i32Const(bits);
    code.op(op);
  };
  const load = () => {
    code.i32Const(0);
    code.access(Op.i32_load, fpscr);
  };
  load();
  load();
  code.get(value);
  code.op(Op.i32_xor);
  code.get(mask);
  code.op(Op.i32_and);
  code.op(Op.i32_xor);
  combine(~(VX | FEX), Op.i32_and);
  code.tee(status);
  // VX: some invalid operation.
  code.i32Const(VX);
  code.i32Const(0);
  code.get(status);
  combine(VX_ALL, Op.i32_and);
  code.op(Op.select);
  code.op(Op.i32_or);
  code.tee(status);
  // FEX: the enables are 22 bits right of what they enable.
  combine(VX | OX | UX | ZX | XX, Op.i32_and);
  code.get(status);
  combine(ENABLES, Op.i32_and);
  combine(22, Op.i32_shl);
  code.op(Op.i32_and);
  code.block(Op.if);
  code.i32Const(1);
  code.op(Op.return);
  code.end();
  code.i32Const(0);
  code.get(status);
  code.access(Op.i32_store, fpscr);
  code.i32Const(0);
  return { locals: [I32], body: code, signature: { parameters: [I32, I32], results: [I32] } };
}

/** DRN <- those bits of what `push` pushes. */
const insertUpper = (g: Generator, mask: number, push: () => void): void => {
  const { code } = g;
  if ((mask & DRN) === 0) return;
  g.storeField(Op.i32_store, FPSCR + 4, () => {
    g.loadField(Op.i32_load, FPSCR + 4);
    code.i32Const(~(mask & DRN));
    code.op(Op.i32_and);
    push();
    code.i32Const(mask & DRN);
    code.op(Op.i32_and);
    code.op(Op.i32_or);
  });
};
/** Pushes a half of FPR n. */
const pushHalf = (g: Generator, n: number, upper: boolean): void => {
  g.fpr(n);
  g.code.op(Op.i64_reinterpret_f64);
  if (upper) upperWord(g.code);
  else g.code.op(Op.i32_wrap_i64);
};

const mtfsf: Emit = (g, word) => {
  if (recorded(word)) return false;
  // Processors without DRN ignore these.
  const [whole, upper] = [L, W].map((bit) => g.target.hasDrn && (word & bit) !== 0);
  const mask = namedFields(word);
  if (whole || !upper) {
    if (insert(g, whole ? ALL_BITS : mask, () => pushHalf(g, RB(word), false)) === false) return false;
  }
  if (whole || upper) insertUpper(g, whole ? ALL_BITS : mask, () => pushHalf(g, RB(word), true));
};
const mtfsfi: Emit = (g, word) => {
  if (recorded(word)) return false;
  const n = bf(word);
  const push = () => g.code.i32Const(((word >>> 12) & 15) << (28 - 4 * n));
  if (g.target.hasDrn && (word & W) !== 0) return insertUpper(g, fieldMask(n), push);
  return insert(g, fieldMask(n), push);
};
/** mtfsb0 and mtfsb1. An exception bit that is set sets FX, if it was clear. */
const setBit =
  (value: 0 | -1): Emit =>
  (g, word) => {
    const mask = bitMask(bt(word));
    if (recorded(word) || (value !== 0 && (mask & EXCEPTIONS) !== 0)) return false;
    return insert(g, mask, () => g.code.i32Const(value));
  };
const mcrfs: Emit = (g, word) => {
  const { code } = g;
  const n = bfa(word);
  if ((fieldMask(n) & RESULT) !== 0) g.settle();
  g.loadStatus();
  code.i32Const(28 - 4 * n);
  code.op(Op.i32_shr_u);
  code.i32Const(15);
  code.op(Op.i32_and);
  g.set(CR_SLOT + bf(word));
  const cleared = fieldMask(n) & (EXCEPTIONS | FX);
  if (cleared !== 0) return insert(g, cleared, () => code.i32Const(0));
};

export const fpscrRows: Rows = {
  mffs,
  mffsl: sister(CONTROL | RESULT),
  mffscrn: sister(CONTROL, (g, word) => pushHalf(g, RB(word), false), setRounding),
  mffscrni: sister(CONTROL, (g, word) => g.code.i32Const(bb(word)), setRounding),
  mcrfs,
  mtfsf,
  mtfsfi,
  mtfsb0: setBit(0),
  mtfsb1: setBit(-1),
};
