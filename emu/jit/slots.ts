/**
 * What of the register block translated code keeps in locals: a slot each. Sets of slots are three words of bits.
 */
import { CR, CTR, fprOffset, GPR, LR, XER_CA, XER_CA32 } from "../cpu/registers.ts";
import { F64, I32, I64, Op, type ValueType } from "./wasm.ts";

export const FPR_SLOT = 32;
export const LR_SLOT = 64;
export const CTR_SLOT = 65;
export const CR_SLOT = 66;
export const CA_SLOT = 74;
export const CA32_SLOT = 75;
/** The last arithmetic, conversion and comparison of which FPSCR's result bits are still to be found; see `fp-status.ts`. */
export const RECORD_SLOT = 76;
export const RECORDS = 3;
export const SLOTS = RECORD_SLOT + RECORDS;
/** Words of a set. */
export const SET = 3;

export const hasSlot = (set: Int32Array, slot: number): boolean =>
  (set[slot >> 5] & (1 << (slot & 31))) !== 0;
export function addSlot(set: Int32Array, slot: number): void {
  set[slot >> 5] |= 1 << (slot & 31);
}
export function removeSlot(set: Int32Array, slot: number): void {
  set[slot >> 5] &= ~(1 << (slot & 31));
}
/** The number of the lowest of some bits. */
export const lowest = (bits: number): number => 31 - Math.clz32(bits & -bits);
/** How many bits of a word are set. */
export function countBits(bits: number): number {
  let count = 0;
  for (let left = bits; left !== 0; left &= left - 1) count++;
  return count;
}
/** Calls `visit` with the slots of a set that are not in another one, in order. */
export function eachSlot(set: Int32Array, but: Int32Array | undefined, visit: (slot: number) => void): void {
  for (let w = 0; w < set.length; w++) {
    for (let bits = set[w] & ~(but?.[w] ?? 0); bits !== 0; bits &= bits - 1) {
      visit(32 * w + lowest(bits));
    }
  }
}

/** How a slot's value lies in the register block and in its local. */
export interface SlotLayout {
  readonly type: ValueType;
  readonly offset: number;
  readonly load: number;
  readonly store: number;
}

const known = new Map<boolean, readonly SlotLayout[]>();

/** The layouts of all slots but the records. */
export function slotLayouts(is64: boolean): readonly SlotLayout[] {
  let layouts = known.get(is64);
  if (layouts === undefined) known.set(is64, (layouts = makeLayouts(is64)));
  return layouts;
}
function makeLayouts(is64: boolean): readonly SlotLayout[] {
  const layouts: SlotLayout[] = [];
  const whole = (offset: number): SlotLayout =>
    is64
      ? { type: I64, offset, load: Op.i64_load, store: Op.i64_store }
      : { type: I32, offset, load: Op.i32_load, store: Op.i32_store };
  const byte = (offset: number): SlotLayout => ({
    type: I32,
    offset,
    load: Op.i32_load8_u,
    store: Op.i32_store8,
  });
  for (let n = 0; n < 32; n++) layouts.push(whole(GPR + 8 * n));
  for (let n = 0; n < 32; n++) {
    layouts.push({ type: F64, offset: fprOffset(n), load: Op.f64_load, store: Op.f64_store });
  }
  layouts.push(whole(LR), whole(CTR));
  for (let field = 0; field < 8; field++) layouts.push(byte(CR + field));
  layouts.push(byte(XER_CA), byte(XER_CA32));
  return layouts;
}
