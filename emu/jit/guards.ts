/** The test that an access to storage begins with: one of the guards of its pages, and of the upper half of its address. */
import { PAGE_SHIFT, PAGE_SIZE, READ_GUARD_OFFSET, WRITE_GUARD_OFFSET } from "../memory/layout.ts";
import { type Code, Op, type ValueType } from "./wasm.ts";

/** What it takes of the generator. */
export interface Emitter {
  readonly code: Code;
  readonly is64: boolean;
  readonly word: ValueType;
  temporary(type: ValueType, n?: number): number;
  constant(value: number): void;
  op(op32: number, op64: number): void;
  begin(op: number): void;
  end(): void;
  leaveIf(): void;
}

/** Where the guards are of pages that are read, or stored into. */
export const guardsAt = (isStore: boolean): number => (isStore ? WRITE_GUARD_OFFSET : READ_GUARD_OFFSET);

/** Adds the upper half of the address in `ea`, which must be zero as well, to guards of 64 bits that have been pushed; 32 bits have none. */
export function orUpperHalf(g: Emitter, ea: number): void {
  if (!g.is64) return;
  g.code.get(ea);
  g.code.i64Const(32, 0);
  g.code.op(Op.i64_shr_u);
  g.code.op(Op.i64_or);
}

/**
 * Leaves unless all bytes from `low` up to `high` from the address in `ea` have guards of zero. One load tests two pages; only where that
 * fails it is found out which pages it is about: often it is the first one alone, for the next one may never have been used.
 */
export function emitGuard(g: Emitter, ea: number, low: number, high: number, isStore: boolean): void {
  const { code } = g;
  const table = guardsAt(isStore);
  const from = low === 0 ? ea : g.temporary(g.word, 6);
  if (low !== 0) {
    code.get(ea);
    g.constant(low);
    g.op(Op.i32_add, Op.i64_add);
    code.set(from);
  }
  code.get(from);
  if (g.is64) code.op(Op.i32_wrap_i64);
  code.i32Const(PAGE_SHIFT);
  code.op(Op.i32_shr_u);
  if (high - low === 1) {
    code.access(g.is64 ? Op.i64_load8_u : Op.i32_load8_u, table);
    orUpperHalf(g, from);
    isNotZero(g);
    g.leaveIf();
    return;
  }
  // The guards of two pages, and the upper half of the address.
  const found = g.temporary(g.word, 12);
  code.access(g.is64 ? Op.i64_load16_u : Op.i32_load16_u, table);
  orUpperHalf(g, from);
  code.tee(found);
  isNotZero(g);
  g.begin(Op.if);
  code.get(found);
  g.constant(0xff);
  g.op(Op.i32_and, Op.i64_and);
  orUpperHalf(g, from);
  // The second page counts if there are bytes in it: then the last byte's offset from the first page is that of a page or more.
  code.get(from);
  g.constant(PAGE_SIZE - 1);
  g.op(Op.i32_and, Op.i64_and);
  g.constant(high - low - 1);
  g.op(Op.i32_add, Op.i64_add);
  g.constant(PAGE_SHIFT);
  g.op(Op.i32_shr_u, Op.i64_shr_u);
  g.op(Op.i32_or, Op.i64_or);
  isNotZero(g);
  g.leaveIf();
  g.end();
}

/** Pops a number of a GPR's width: a condition, whether it is not zero. */
function isNotZero(g: Emitter): void {
  if (!g.is64) return;
  g.code.i64Const(0, 0);
  g.code.op(Op.i64_ne);
}
