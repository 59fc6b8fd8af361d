/**
 * What an innermost loop accesses at every turn at addresses that grow, or fall, by one number from turn to turn. Guards stay as they are
 * while a loop without calls runs, so those of the pages ahead are looked at for many turns at once; the next look is when the budget has
 * become what that many turns leave of it at the least, so that it costs no more than the test of the budget that a turn makes anyway.
 */
import { PAGE_SHIFT, PAGE_SIZE } from "../memory/layout.ts";
import { MOST_STRIDES } from "../tuning.ts";
import { addRange, type BlockValues, passedAtEveryTurn, withoutCovered } from "./access-ranges.ts";
import type { Flow, Loop } from "./flow.ts";
import { BUDGET, type Generator } from "./generator.ts";
import { guardsAt, orUpperHalf } from "./guards.ts";
import type { Block } from "./scan.ts";
import type { ValueNumbers } from "./values.ts";
import { I32, I64, Op } from "./wasm.ts";

/** Bytes, from `low` up to `high`, from the sum of what one or two GPRs hold when a turn begins, which is `step` more at the next one. */
export interface Stride {
  readonly registers: readonly number[];
  readonly low: number;
  readonly high: number;
  readonly isStore: boolean;
  readonly step: number;
}

interface Strides {
  readonly list: readonly Stride[];
  /** Instructions of a turn at the least. */
  readonly least: number;
}

/** The sum of what GPRs held when a turn began, and a number. */
interface Sum {
  readonly registers: readonly number[];
  readonly offset: number;
}

const NONE: Strides = { list: [], least: 0 };

/** What a loop accesses in strides. */
function stridesOf(
  loop: Loop,
  flow: Flow,
  blocks: readonly Block[],
  values: readonly BlockValues[],
  numbers: ValueNumbers,
): Strides {
  if (loop.header >= flow.root || flow.loops.some(({ parent }) => parent === loop)) return NONE;
  const { before, after, least } = followTurn(loop, flow, blocks, values, numbers);
  const found: Stride[] = [];
  for (const node of passedAtEveryTurn(loop, flow)) {
    for (const { base, low, high, isStore } of values[node].accesses.list) {
      const sum = sumOf(base, values[node], before.get(node)!, numbers);
      if (sum === undefined) continue;
      const steps = sum.registers.map((n) => stepOf(n, after[n]));
      const step = steps.reduce<number>((all, one) => all + (one ?? NaN), 0);
      // Larger ones are through all that is looked at in a few turns.
      if (step === 0 || !(Math.abs(step) <= PAGE_SIZE) || high - low > PAGE_SIZE) continue;
      const { registers, offset } = sum;
      // Its first and its last byte are accessed, and so both pages that it may be in.
      addRange(found, { registers, low: low + offset, high: high + offset, isStore, step }, PAGE_SIZE);
    }
  }
  return { list: withoutCovered(found).slice(0, MOST_STRIDES), least };
}

/** What the GPRs are before each node of a turn and after the turn, where all ways agree, and how many instructions the shortest one has. */
function followTurn(
  { header, nodes }: Loop,
  { order, edges }: Flow,
  blocks: readonly Block[],
  values: readonly BlockValues[],
  numbers: ValueNumbers,
) {
  const before = new Map([[header, Array.from({ length: 32 }, (_, n): Sum | undefined => just(n))]]);
  const shortest = new Map([[header, 0]]);
  let after: (Sum | undefined)[] | undefined;
  let least = Infinity;
  for (const node of order) {
    if (!nodes.has(node)) continue;
    const block = values[node];
    const at = before.get(node)!;
    const out = Array.from(block.base, (base, n) => {
      const sum = sumOf(base, block, at, numbers);
      return sum && { registers: sum.registers, offset: sum.offset + block.offset[n] };
    });
    const length = shortest.get(node)! + blocks[node].instructions;
    for (const { to, back } of edges[node]) {
      if (!nodes.has(to)) continue;
      if (back) {
        after = after === undefined ? out : after.map((sum, n) => common(sum, out[n]));
        least = Math.min(least, length);
        continue;
      }
      const known = before.get(to);
      before.set(to, known === undefined ? out : known.map((sum, n) => common(sum, out[n])));
      shortest.set(to, Math.min(length, shortest.get(to) ?? Infinity));
    }
  }
  return { before, after: after!, least };
}

const just = (register: number): Sum => ({ registers: [register], offset: 0 });

const common = (a: Sum | undefined, b: Sum | undefined): Sum | undefined =>
  a !== undefined && b !== undefined && a.offset === b.offset && isSame(a.registers, b.registers)
    ? a
    : undefined;

const isSame = (a: readonly number[], b: readonly number[]): boolean => `${a}` === `${b}`;

/** What a value number of a block stands for, by what the GPRs are before the block. */
function sumOf(
  base: number,
  { entryValue }: BlockValues,
  before: readonly (Sum | undefined)[],
  numbers: ValueNumbers,
): Sum | undefined {
  const parts = (numbers.partsOf(base) ?? [base]).map((number) => before[number - entryValue]);
  if (parts.length === 1) return parts[0];
  const [a, b] = parts;
  if (a?.registers.length !== 1 || b?.registers.length !== 1) return undefined;
  const registers = [...a.registers, ...b.registers].sort((m, n) => m - n);
  return { registers, offset: a.offset + b.offset };
}

/** What a GPR is more at the end of a turn. */
function stepOf(n: number, after: Sum | undefined): number | undefined {
  return after !== undefined && isSame(after.registers, [n]) ? after.offset : undefined;
}

/** Pages whose guards are looked at together, by one load; and such loads, one after the other, for so many turns. */
const AHEAD = 8;
const MOST_LOADS = 4;
const TURNS_AHEAD = 64;

/**
 * The loops of a function that access something in strides. Around each of them there is one that looks ahead: within it, the registers that
 * this takes would be missing at every turn.
 */
export class StridesOfLoops {
  private readonly g: Generator;
  private readonly found = new Map<number, Strides>();
  /** The local that has the budget before the first turn for which the guards are not known. */
  private fence = -1;

  constructor(g: Generator) {
    this.g = g;
  }
  find(loop: Loop, flow: Flow, blocks: readonly Block[], values: readonly BlockValues[]): void {
    const strides = stridesOf(loop, flow, blocks, values, this.g.values);
    if (strides.list.length > 0) this.found.set(loop.header, strides);
  }
  /** Whether a node is the header of such a loop. */
  has(node: number): boolean {
    return this.found.has(node);
  }
  /** What has been tested where a turn goes on to its code. */
  rangesOf(node: number): readonly Stride[] {
    return this.found.get(node)?.list ?? [];
  }
  /**
   * Sees to it that the accesses in strides of this turn may be made, or leaves for its beginning, and finds for how many more they may;
   * `need` instructions are left, as it takes to the next test of the budget. Registers are in their locals.
   */
  lookAhead(node: number, pc: number, need: number): void {
    const { g } = this;
    const { code } = g;
    const { list, least } = this.found.get(node)!;
    g.pc = pc;
    g.index = g.count;
    const turns = g.temporary(I32, 21);
    code.i32Const(Math.min(...list.map(turnsWithin)));
    code.set(turns);
    // As a rule some pages ahead of each have guards of zero: how many turns that is for is known then. Loops of a few turns need no more.
    list.forEach((stride, i) => {
      pushGuardsAhead(g, stride);
      if (i > 0) code.op(Op.i64_or);
    });
    code.i64Const(0, 0);
    code.op(Op.i64_ne);
    g.begin(Op.if);
    list.forEach((stride, i) => {
      lookAhead(g, stride);
      if (i > 0) {
        const other = g.temporary(I32, 22);
        code.tee(other);
        code.get(turns);
        code.get(other);
        code.get(turns);
        code.op(Op.i32_lt_u);
        code.op(Op.select);
      }
      code.set(turns);
    });
    g.end();
    if (this.fence < 0) this.fence = g.newLocal(I32);
    g.pushBudget(-least);
    code.get(turns);
    if (least > 1) {
      code.i32Const(least);
      code.op(Op.i32_mul);
    }
    code.op(Op.i32_sub);
    // Where less is left than to the next test it leaves.
    code.tee(this.fence);
    code.i32Const(need - 1);
    code.get(this.fence);
    code.i32Const(need - 1);
    code.op(Op.i32_gt_s);
    code.op(Op.select);
    code.set(this.fence);
  }
  /** At the beginning of a turn: looks ahead again, in the loop so many labels out, where the turns are over for which that has been done. */
  testFence(depth: number): void {
    const { code } = this.g;
    code.get(BUDGET);
    code.get(this.fence);
    code.op(Op.i32_le_s);
    code.br(Op.br_if, depth);
  }
}

/** Pages, from the one of the byte that the next turns come to last, whose guards are looked at first. */
const pagesFirst = ({ step }: Stride): number => (Math.abs(step) <= PAGE_SIZE / TURNS_AHEAD ? 2 : AHEAD);
/** Turns after this one that these pages are enough for wherever in the first of them that byte is. */
const turnsWithin = (stride: Stride): number => {
  const bytes = (pagesFirst(stride) - 1) * PAGE_SIZE + 1 - (stride.high - stride.low);
  return Math.floor(bytes / Math.abs(stride.step));
};

/** Leaves in temporary 7 the address of the byte that the next turns come to last, and in temporary 22 its page. */
function findPage(g: Generator, { registers, low, high, step }: Stride): void {
  const { code } = g;
  const ea = g.temporary(g.word, 7);
  const at = step > 0 ? low : high - 1;
  registers.forEach((n, i) => {
    g.get(n);
    if (i > 0) g.op(Op.i32_add, Op.i64_add);
  });
  if (at !== 0) {
    g.constant(at);
    g.op(Op.i32_add, Op.i64_add);
  }
  code.tee(ea);
  if (g.is64) code.op(Op.i32_wrap_i64);
  code.i32Const(PAGE_SHIFT);
  code.op(Op.i32_shr_u);
  code.set(g.temporary(I32, 22));
}
/** There is nothing below the first page: near it the interpreter goes on. */
const pushIsFirst = (g: Generator): void => {
  g.code.get(g.temporary(I32, 22));
  g.code.i32Const(AHEAD * MOST_LOADS);
  g.code.op(Op.i32_lt_u);
};

/** Pushes the guards of the pages that are looked at first, with what else must be zero. */
function pushGuardsAhead(g: Generator, stride: Stride): void {
  const { code } = g;
  const pages = pagesFirst(stride);
  const isUp = stride.step > 0;
  findPage(g, stride);
  code.get(g.temporary(I32, 22));
  code.access(
    pages === AHEAD ? Op.i64_load : Op.i64_load16_u,
    guardsAt(stride.isStore) - (isUp ? 0 : pages - 1),
  );
  orUpperHalf(g, g.temporary(g.word, 7));
  if (isUp) return;
  pushIsFirst(g);
  code.op(Op.i64_extend_i32_u);
  code.op(Op.i64_or);
}

/** Pushes how many turns after this one a stride's guards are known for; leaves if this one's are not zero. */
function lookAhead(g: Generator, stride: Stride): void {
  const { code } = g;
  const { low, high, step } = stride;
  const ea = g.temporary(g.word, 7);
  const isUp = step > 0;
  findPage(g, stride);
  const within = () => {
    code.get(ea);
    if (g.is64) code.op(Op.i32_wrap_i64);
    code.i32Const(PAGE_SIZE - 1);
    code.op(Op.i32_and);
  };
  const loads = Math.min(MOST_LOADS, Math.ceil((TURNS_AHEAD * Math.abs(step)) / (AHEAD * PAGE_SIZE)));
  pushPages(g, guardsAt(stride.isStore), loads, isUp);
  within();
  code.op(isUp ? Op.i32_sub : Op.i32_add);
  code.i32Const(low - high + (isUp ? 0 : 1 - PAGE_SIZE));
  code.op(Op.i32_add);
  // That is how many bytes there are from there on whose guards are zero, without those of this turn.
  const rest = g.temporary(I32, 24);
  code.tee(rest);
  code.i32Const(0);
  code.op(Op.i32_lt_s);
  if (g.is64) {
    code.get(ea);
    code.i64Const(32, 0);
    code.op(Op.i64_shr_u);
    code.i64Const(0, 0);
    code.op(Op.i64_ne);
    code.op(Op.i32_or);
  }
  if (!isUp) {
    pushIsFirst(g);
    code.op(Op.i32_or);
  }
  g.leaveIf();
  code.get(rest);
  code.i32Const(Math.abs(step));
  code.op(Op.i32_div_u);
}

/** Pushes the bytes of the pages, from the one in temporary 22 on, whose guards are zero. */
function pushPages(g: Generator, table: number, loads: number, isUp: boolean): void {
  const { code } = g;
  const guards = g.temporary(I64, 21);
  const pages = g.temporary(I32, 25);
  const look = (i: number) => {
    code.get(g.temporary(I32, 22));
    code.access(Op.i64_load, isUp ? table + AHEAD * i : table - AHEAD * (i + 1) + 1);
    if (i < loads - 1) code.tee(guards);
    code.op(isUp ? Op.i64_ctz : Op.i64_clz);
    code.op(Op.i32_wrap_i64);
    if (i > 0) {
      code.get(pages);
      code.op(Op.i32_add);
    }
    code.set(pages);
    if (i === loads - 1) return;
    code.get(guards);
    code.op(Op.i64_eqz);
    g.begin(Op.if);
    look(i + 1);
    g.end();
  };
  look(0);
  code.get(pages);
  // Eight bits of a guard each.
  code.i32Const(3);
  code.op(Op.i32_shr_u);
  code.i32Const(PAGE_SHIFT);
  code.op(Op.i32_shl);
}
