/** Condition register and branch facility registers: Power ISA 3.0B, I.2.5 and I.3.3.17. Branches themselves end blocks; see `translate.ts`. */
import { spr } from "../../cpu/fields.ts";
import type { Generator } from "../generator.ts";
import { VRSAVE } from "../../cpu/registers.ts";
import { IS_CALL, IS_VECTORED } from "../corner.ts";
import { CR_SLOT, CTR_SLOT, LR_SLOT } from "../slots.ts";
import { Op } from "../wasm.ts";
import { BF, type Emit, RA, RB, type Rows, RS, RT } from "./row.ts";

/** CR(BT) <- CR(BA) op CR(BB), or its complement. */
const logical = (op: number, complement = false): Emit => {
  return (g, word) => {
    const { code } = g;
    const bt = RT(word);
    const field = CR_SLOT + (bt >> 2);
    g.fetch(field);
    g.crBit(RA(word), true);
    g.crBit(RB(word), true);
    code.op(op);
    if (complement) {
      code.i32Const(1);
      code.op(Op.i32_xor);
    }
    insertBit(g, bt);
  };
};
/** CR(BT) <- CR(BA) op ~CR(BB). */
const logicalComplement = (op: number): Emit => {
  return (g, word) => {
    const { code } = g;
    g.fetch(CR_SLOT + (RT(word) >> 2));
    g.crBit(RA(word), true);
    g.crBit(RB(word), true);
    code.i32Const(1);
    code.op(Op.i32_xor);
    code.op(op);
    insertBit(g, RT(word));
  };
};
/** Pops 0 or 1 for a CR bit. */
const insertBit = (g: Generator, bit: number): void => {
  const { code } = g;
  const field = CR_SLOT + (bit >> 2);
  code.i32Const(3 - (bit & 3));
  code.op(Op.i32_shl);
  g.get(field);
  code.i32Const(15 & ~(8 >> (bit & 3)));
  code.op(Op.i32_and);
  code.op(Op.i32_or);
  g.set(field);
};

const moveToFields = (g: Generator, word: number): void => {
  const mask = (word >>> 12) & 0xff;
  for (let field = 0; field < 8; field++) {
    if ((mask & (0x80 >> field)) === 0) continue;
    g.gpr32(RS(word));
    g.code.i32Const(28 - 4 * field);
    g.code.op(Op.i32_shr_u);
    g.code.i32Const(15);
    g.code.op(Op.i32_and);
    g.set(CR_SLOT + field);
  }
};
const isOneField = (word: number): boolean => {
  const mask = (word >>> 12) & 0xff;
  return mask !== 0 && (mask & (mask - 1)) === 0;
};

const VRSAVE_NUMBER = 256;
const SPR_SLOTS = new Map([
  [8, LR_SLOT],
  [9, CTR_SLOT],
]);

export const conditionRows: Rows = {
  crand: logical(Op.i32_and),
  crnand: logical(Op.i32_and, true),
  cror: logical(Op.i32_or),
  crnor: logical(Op.i32_or, true),
  crxor: logical(Op.i32_xor),
  creqv: logical(Op.i32_xor, true),
  crandc: logicalComplement(Op.i32_and),
  crorc: logicalComplement(Op.i32_or),
  mcrf: (g, word) => {
    g.get(CR_SLOT + ((word >>> 18) & 7));
    g.set(CR_SLOT + BF(word));
  },
  mtcrf: moveToFields,
  mtocrf: (g, word) => (isOneField(word) ? moveToFields(g, word) : false),
  mfcr: (g, word) => {
    const { code } = g;
    g.get(CR_SLOT);
    for (let field = 1; field < 8; field++) {
      code.i32Const(4);
      code.op(Op.i32_shl);
      g.get(CR_SLOT + field);
      code.op(Op.i32_or);
    }
    g.setGpr32(RT(word));
  },
  mfocrf: (g, word) => {
    if (!isOneField(word)) return false;
    const field = Math.clz32((word >>> 12) & 0xff) - 24;
    g.get(CR_SLOT + field);
    g.code.i32Const(28 - 4 * field);
    g.code.op(Op.i32_shl);
    g.setGpr32(RT(word));
  },
  mfspr: (g, word) => {
    if (spr(word) === VRSAVE_NUMBER) {
      g.loadField(Op.i32_load, VRSAVE);
      g.setGpr32(RT(word));
      return;
    }
    const slot = SPR_SLOTS.get(spr(word));
    if (slot === undefined) return false;
    g.get(slot);
    g.setGpr(RT(word));
  },
  mtspr: (g, word) => {
    if (spr(word) === VRSAVE_NUMBER) {
      g.storeField(Op.i32_store, VRSAVE, () => g.gpr32(RS(word)));
      return;
    }
    const slot = SPR_SLOTS.get(spr(word));
    if (slot === undefined) return false;
    g.gpr(RS(word));
    g.set(slot);
  },
  sc: (g) => g.fallback(4, IS_CALL),
  scv: (g) => g.fallback(4, IS_CALL | IS_VECTORED),
};
