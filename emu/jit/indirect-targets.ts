/** Where branches through registers lead: their target, and the function that is there. */
import { LOOKUP_ENTRIES, LOOKUP_OFFSET } from "./corner.ts";
import type { Generator } from "./generator.ts";
import { I32, Op } from "./wasm.ts";

/** Leaves the target of an indirect branch in temporary 4; one beyond 2^32 is the interpreter's. */
export function targetFrom(g: Generator, slot: number): void {
  if (g.is64) {
    g.get(slot);
    g.code.i64Const(32, 0);
    g.code.op(Op.i64_shr_u);
    g.code.i64Const(0, 0);
    g.code.op(Op.i64_ne);
    g.leaveIf();
  }
  g.get(slot);
  if (g.is64) g.code.op(Op.i32_wrap_i64);
  g.code.i32Const(-4);
  g.code.op(Op.i32_and);
  g.code.set(g.temporary(I32, 4));
}

/** Finds the slot of the address in temporary 4, into temporary 5; or returns it to whoever called. */
export function lookUp(g: Generator): void {
  const { code } = g;
  const entry = g.temporary(I32, 6);
  const at = LOOKUP_OFFSET;
  code.get(g.temporary(I32, 4));
  code.i32Const(1);
  code.op(Op.i32_shl);
  code.i32Const((LOOKUP_ENTRIES - 1) << 3);
  code.op(Op.i32_and);
  code.tee(entry);
  code.access(Op.i32_load, at);
  code.get(g.temporary(I32, 4));
  code.op(Op.i32_ne);
  code.block(Op.if);
  code.get(g.temporary(I32, 4));
  g.returnBudget(0);
  code.end();
  code.get(entry);
  code.access(Op.i32_load, at + 4);
  code.set(g.temporary(I32, 5));
}
