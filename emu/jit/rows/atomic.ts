/** Load and reserve, store conditional: Power ISA 3.0B, II.4.6.2; see `emu/cpu/storage/reservation.ts` for what a reservation is. dcbz: II.4.3.2. */
import { RESERVE_ADDRESS, RESERVE_LENGTH, RESERVE_VALUE, XER_SO } from "../../cpu/registers.ts";
import type { Generator } from "../generator.ts";
import { CR_SLOT } from "../slots.ts";
import { I32, I64, Op, Simd, V128 } from "../wasm.ts";
import { type Emit, RA, RB, type Rows, RS, RT } from "./row.ts";

/** Temporaries: where the datum is in host memory; the datum. */
const HOST = 20;
const DATUM = 21;

const LOADS: Readonly<Record<number, number>> = {
  1: Op.i64_load8_u,
  2: Op.i64_load16_u,
  4: Op.i64_load32_u,
  8: Op.i64_load,
};
const STORES: Readonly<Record<number, number>> = {
  1: Op.i64_store8,
  2: Op.i64_store16,
  4: Op.i64_store32,
  8: Op.i64_store,
};

/** Leaves the host address in a temporary; misaligned ones are the interpreter's. */
const locate = (g: Generator, word: number, bytes: number, isStore: boolean): void => {
  const { code } = g;
  g.address(bytes, RA(word), 0, RB(word), isStore);
  code.set(g.temporary(I32, HOST));
  if (bytes === 1) return;
  effectiveAddress(g);
  code.i32Const(bytes - 1);
  code.op(Op.i32_and);
  g.leaveIf();
};
const effectiveAddress = (g: Generator): void => {
  g.code.get(g.temporary(g.word, 7));
  if (g.is64) g.code.op(Op.i32_wrap_i64);
};
const loadDatum = (g: Generator, bytes: number): void => {
  g.code.get(g.temporary(I32, HOST));
  g.code.access(LOADS[bytes], 0);
};

const loadAndReserve = (bytes: number): Emit => {
  return (g, word) => {
    if (bytes === 8 && !g.is64) return false;
    const { code } = g;
    const datum = g.temporary(I64, DATUM);
    locate(g, word, bytes, false);
    loadDatum(g, bytes);
    code.set(datum);
    g.storeField(Op.i32_store8, RESERVE_LENGTH, () => code.i32Const(bytes));
    g.storeField(Op.i64_store, RESERVE_ADDRESS, () => {
      effectiveAddress(g);
      code.op(Op.i64_extend_i32_u);
    });
    g.storeField(Op.i64_store, RESERVE_VALUE, () => code.get(datum));
    g.storeField(Op.i64_store, RESERVE_VALUE + 8, () => code.i64Const(0, 0));
    code.get(datum);
    if (!g.is64) code.op(Op.i32_wrap_i64);
    g.setGpr(RT(word));
  };
};

const storeConditional = (bytes: number): Emit => {
  return (g, word) => {
    if (bytes === 8 && !g.is64) return false;
    const { code } = g;
    const performed = g.temporary(I32, DATUM);
    locate(g, word, bytes, true);
    g.loadField(Op.i32_load8_u, RESERVE_LENGTH);
    code.i32Const(bytes);
    code.op(Op.i32_eq);
    g.loadField(Op.i64_load, RESERVE_ADDRESS);
    effectiveAddress(g);
    code.op(Op.i64_extend_i32_u);
    code.op(Op.i64_eq);
    code.op(Op.i32_and);
    g.loadField(Op.i64_load, RESERVE_VALUE);
    loadDatum(g, bytes);
    code.op(Op.i64_eq);
    code.op(Op.i32_and);
    code.tee(performed);
    g.fetch(RS(word));
    g.begin(Op.if);
    code.get(g.temporary(I32, HOST));
    g.gpr(RS(word));
    if (!g.is64) code.op(Op.i64_extend_i32_u);
    code.access(STORES[bytes], 0);
    g.end();
    g.storeField(Op.i32_store8, RESERVE_LENGTH, () => code.i32Const(0));
    code.get(performed);
    code.i32Const(1);
    code.op(Op.i32_shl);
    g.loadField(Op.i32_load8_u, XER_SO);
    code.op(Op.i32_or);
    g.set(CR_SLOT);
  };
};

/** The block that the byte at EA is in becomes zero. */
const dcbz: Emit = (g, word) => {
  const { code, target } = g;
  const zero = g.temporary(V128, HOST);
  const host = g.temporary(I32, HOST);
  g.address(target.cacheBlock, RA(word), 0, RB(word), true, target.cacheBlock - 1);
  code.set(host);
  code.i64Const(0, 0);
  code.simd(Simd.i64x2_splat);
  code.set(zero);
  for (let at = 0; at < target.cacheBlock; at += 16) {
    code.get(host);
    code.get(zero);
    code.vectorAccess(Simd.v128_store, at);
  }
};

export const atomicRows: Rows = {
  lbarx: loadAndReserve(1),
  lharx: loadAndReserve(2),
  lwarx: loadAndReserve(4),
  ldarx: loadAndReserve(8),
  "stbcx.": storeConditional(1),
  "sthcx.": storeConditional(2),
  "stwcx.": storeConditional(4),
  "stdcx.": storeConditional(8),
  dcbz,
};
