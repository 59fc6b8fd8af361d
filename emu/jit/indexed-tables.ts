/**
 * What a loop accesses in tables: at an index, of which is known how great it may be at the most, from what a register holds all through the
 * loop. The guards of the whole table are looked at before the loop. Where they are not all zero an access tests its own pages, for it may
 * never come to the others.
 */
import { PAGE_SHIFT, PAGE_SIZE, STRAIGHT_OFFSET } from "../memory/layout.ts";
import { MOST_TABLES } from "../tuning.ts";
import { addRange, type BlockValues, type Range, withoutCovered } from "./access-ranges.ts";
import type { Loop } from "./flow.ts";
import { type Emitter, emitGuard, guardsAt, orUpperHalf } from "./guards.ts";
import { hasSlot, SET } from "./slots.ts";
import type { Value, ValueNumbers } from "./values.ts";
import { I32, Op, type ValueType } from "./wasm.ts";

/** What is taken of the generator. */
interface Registers extends Emitter {
  readonly target: { readonly bigEndian: boolean; readonly size: number };
  readonly values: ValueNumbers;
  gprValue(n: number): Value;
  get(slot: number): void;
  fetch(slot: number): void;
  gpr32(n: number): void;
  newLocal(type: ValueType): number;
}

/** A table of a loop; its guards are zero if the local `flag` is. */
interface Table extends Range {
  readonly flag: number;
}

/** A table where code is being generated, by the number of the value it is at. */
interface Known {
  readonly header: number;
  readonly base: number;
  readonly low: number;
  readonly high: number;
  readonly isStore: boolean;
  readonly flag: number;
}

/** Pages of which one load finds the guards, of a table that may begin anywhere in the first of them. */
const PAGES = 8;
const MOST_BYTES = (PAGES - 1) * PAGE_SIZE;

export class Tables {
  private readonly g: Registers;
  private readonly found = new Map<number, readonly Table[]>();
  /** Accesses that are an outer loop's. */
  private readonly taken = new Set<object>();
  private known: Known[] = [];

  constructor(g: Registers) {
    this.g = g;
  }

  /** Finds those of a loop with its registers in locals; outer loops come first. */
  find({ header, nodes }: Loop, values: readonly BlockValues[]): void {
    const { g } = this;
    const changed = new Int32Array(SET);
    for (const node of nodes)
      values[node]?.dirty.forEach((bits, w) => {
        changed[w] |= bits;
      });
    const ranges: Range[] = [];
    for (const node of nodes) {
      const block = values[node];
      if (block === undefined) continue;
      for (const access of block.accesses.list) {
        const parts = g.values.partsOf(access.base);
        if (parts === undefined || this.taken.has(access)) continue;
        for (const [base, index] of [parts, [parts[1], parts[0]]]) {
          const register = base - block.entryValue;
          const most = g.values.mostOf({ base: index, offset: 0 });
          if (register < 0 || register >= 32 || hasSlot(changed, register)) continue;
          const { low, high, isStore } = access;
          if (most === undefined || most + high - low > MOST_BYTES) continue;
          addRange(ranges, { registers: [register], low, high: high + most, isStore }, MOST_BYTES);
          this.taken.add(access);
        }
      }
    }
    const tables = withoutCovered(ranges).slice(0, MOST_TABLES);
    if (tables.length > 0)
      this.found.set(
        header,
        tables.map((range) => ({ ...range, flag: g.newLocal(I32) })),
      );
  }

  /** Looks at the guards of a loop's tables, on the way to it. */
  test(header: number): void {
    const { g } = this;
    const { code } = g;
    for (const { registers, low, high, isStore, flag } of this.found.get(header) ?? []) {
      const ea = g.temporary(g.word, 7);
      const first = g.is64 ? g.temporary(I32, 23) : ea;
      g.get(registers[0]);
      g.constant(low);
      g.op(Op.i32_add, Op.i64_add);
      code.set(ea);
      if (g.is64) {
        code.get(ea);
        code.op(Op.i32_wrap_i64);
        code.set(first);
      }
      code.get(first);
      code.i32Const(PAGE_SHIFT);
      code.op(Op.i32_shr_u);
      code.access(Op.i64_load, guardsAt(isStore));
      // Without the guards of pages that the table does not reach, eight bits each.
      code.i32Const(8 * (PAGES - 1));
      code.get(first);
      code.i32Const(PAGE_SIZE - 1);
      code.op(Op.i32_and);
      code.i32Const(high - low - 1);
      code.op(Op.i32_add);
      code.i32Const(PAGE_SHIFT);
      code.op(Op.i32_shr_u);
      code.i32Const(3);
      code.op(Op.i32_shl);
      code.op(Op.i32_sub);
      code.op(Op.i64_extend_i32_u);
      code.op(Op.i64_shl);
      orUpperHalf(g, ea);
      code.i64Const(0, 0);
      code.op(Op.i64_ne);
      code.set(flag);
    }
  }

  /** The code of a loop begins. */
  enter(header: number): void {
    for (const { registers, low, high, isStore, flag } of this.found.get(header) ?? []) {
      const { base, offset } = this.g.gprValue(registers[0]);
      this.known.push({ header, base, low: low + offset, high: high + offset, isStore, flag });
    }
  }
  /** It has come to its end. */
  leave(header: number): void {
    this.known = this.known.filter((table) => table.header !== header);
  }

  /** The table that the `n` bytes at a value are in. */
  with({ base, offset }: Value, n: number, isStore: boolean): Known | undefined {
    const { values } = this.g;
    const parts = this.known.length === 0 ? undefined : values.partsOf(base);
    if (parts === undefined) return undefined;
    return this.known.find((table) => {
      if (!parts.includes(table.base) || (isStore && !table.isStore)) return false;
      const most = values.mostOf({ base: parts[0] === table.base ? parts[1] : parts[0], offset: 0 });
      return most !== undefined && offset >= table.low && offset + most + n <= table.high;
    });
  }
  /** Tests `n` bytes in a table unless all of it is known to be all right; `makeAddress` leaves the address in temporary 7. */
  testOne(
    { flag }: Known,
    n: number,
    isStore: boolean,
    [ra, rb]: readonly number[],
    makeAddress: () => void,
  ): void {
    const { g } = this;
    if (ra !== 0) g.fetch(ra);
    if (rb >= 0) g.fetch(rb);
    g.code.get(flag);
    g.begin(Op.if);
    makeAddress();
    emitGuard(g, g.temporary(g.word, 7), 0, n, isStore);
    g.end();
  }
  /**
   * Pushes a host address from which the `n` bytes in a table at the sum of two GPRs are as far as it returns; the index comes last, which is
   * the later one.
   */
  place({ base }: Known, n: number, ra: number, rb: number): number {
    const { g } = this;
    const { code } = g;
    const { bigEndian, size } = g.target;
    const op = bigEndian ? Op.i32_sub : Op.i32_add;
    const isFirst = g.gprValue(ra).base === base;
    if (bigEndian) code.i32Const(size - n);
    g.gpr32(isFirst ? ra : rb);
    if (bigEndian) code.op(op);
    g.gpr32(isFirst ? rb : ra);
    code.op(op);
    return bigEndian ? 0 : STRAIGHT_OFFSET;
  }
}
