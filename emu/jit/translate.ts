/** From a region of guest code to the body of a WebAssembly function. */
import type { CpuModel } from "../cpu/cpu.ts";
import { available } from "../cpu/dispatch.ts";
import { ALWAYS, bi, bo, CR_VALUE, CTR_ZERO, IGNORE_CR, IGNORE_CTR, LK } from "../cpu/fields.ts";
import { hasPrefixed } from "../cpu/prefixed.ts";
import type { Instruction } from "../isa/instruction.ts";
import type { PrefixedInstruction } from "../isa/prefixed-table.ts";
import { LEAST_LEAVES, PARTS_IN_A_STEP, type Tuning } from "../tuning.ts";
import { type BlockValues, lookAhead, type Range, testedBefore } from "./access-ranges.ts";
import { findTests } from "./budget-tests.ts";
import { buildFlow, type Edge, type Entries, type Flow, type Loop, mostBrought } from "./flow.ts";
import { ADDRESS, BUDGET, type Expected, Generator, STACK, type Target } from "./generator.ts";
import { lookUp, targetFrom } from "./indirect-targets.ts";
import { keptByCall } from "./kept-by-calls.ts";
import { findLimit } from "./rows/float-checks.ts";
import { emitters } from "./rows/index.ts";
import { prefixedRows } from "./rows/prefixed-rows.ts";
import { type Block, End, type JumpTable, nodeAt, type Region, returnOf } from "./scan.ts";
import { CR_SLOT, CTR_SLOT, countBits, hasSlot, LR_SLOT, lowest, removeSlot, SET } from "./slots.ts";
import { Fields, State } from "./state.ts";
import { StridesOfLoops } from "./strides.ts";
import { ALL, CALLEES, Code, type FunctionBody, I32, LANDING, Op, OWN, TRANSLATED } from "./wasm.ts";

/** What a block does to the slots: of those it touches, which are in locals at its end, and which of them unsaved. */
interface Summary extends BlockValues {
  /** A call or fallback: no slot of before is in its local afterwards. */
  readonly barrier: boolean;
  readonly valid: Int32Array;
  readonly dirty: Int32Array;
  /** The comparisons that are still to be made at its end, and the fields of before that it wants as a whole. */
  readonly fields: Fields;
  readonly readWhole: number;
  readonly usesMode: boolean;
  readonly changesMode: boolean;
  readonly leaves: readonly number[];
}

export interface TranslateOptions {
  readonly target: Target;
  readonly model: CpuModel;
  readonly tuning: Pick<Tuning, "mostPromoted" | "mostCarried">;
}

export interface Translation extends FunctionBody {
  /** By entry, in the order given: instructions that have to be left of the budget for the code to begin. */
  readonly needs: number[];
  /** Addresses of the functions that it calls, by their place in its table of them. */
  readonly callees: number[];
  /** It finds functions by addresses that only the run tells. */
  readonly looksUp: boolean;
}

const nothingExpected = (): Expected => ({
  valid: new Int32Array(SET),
  dirty: new Int32Array(SET),
  fields: new Fields(),
});

/** Labels of landings are this and below. */
const SHARED = -2;

/** Bytes of host stack that a function's frame may take: every local on it, twice, and what calls need. */
const FRAME = (locals: number) => 256 + 16 * locals;

/** Work that stops every now and then, where it may be left for something else. */
export type Interruptible<T> = Iterator<void, T> & Iterable<void, T>;

export const translate = (...given: ConstructorParameters<typeof Translator>): Interruptible<Translation> =>
  new Translator(...given).run();

class Translator {
  private readonly blocks: readonly Block[];
  private readonly at: ReadonlyMap<number, number>;
  private readonly flow: Flow;
  private readonly options: TranslateOptions;
  private readonly g: Generator;
  private readonly summaries: Summary[] = [];
  /** What joins and loop headers expect, by node. */
  private readonly expected: Expected[] = [];
  /** See `afterNode`. */
  private readonly left = nothingExpected();
  private readonly isPromoted = new Map<Loop, boolean>();
  /** By header of a loop with its registers in locals: what is tested before it, and is known in it. */
  private readonly invariants = new Map<number, readonly Range[]>();
  private readonly strides: StridesOfLoops;
  /** Instructions to the next test of the budget, by node; and whether the node makes one. */
  private readonly need: Int32Array;
  private readonly tests: Uint8Array;
  /** Nodes that are reached by a br to a label, by where they are emitted: inside or after the loop of a node. */
  private readonly inside: number[][] = [];
  private readonly after: number[][] = [];
  private readonly isLabelled: Uint8Array;
  private readonly labels: number[] = [];
  private readonly saved = new Map<number, State>();
  /** What is known of values and addresses on every edge into a join so far. */
  private readonly joined = new Map<number, State>();
  private readonly selector: number;
  private readonly entryNodes: number[];
  private readonly callees: number[] = [];
  private looksUp = false;
  /** What is to be emitted after what is being emitted now, the next last: a tree may be deep, and what emits it stops in between. */
  private readonly toDo: (() => void)[] = [];

  constructor(region: Region, { addresses, heads }: Entries, options: TranslateOptions) {
    this.blocks = region.blocks;
    this.at = region.at;
    this.options = options;
    this.entryNodes = addresses.map((address) => nodeAt(region, address)!);
    this.flow = buildFlow(region, this.entryNodes, heads);
    this.g = new Generator(options.target);
    this.strides = new StridesOfLoops(this.g);
    this.selector = this.g.newLocal(I32);
    const n = this.flow.edges.length;
    this.need = new Int32Array(n);
    this.tests = new Uint8Array(n);
    this.isLabelled = new Uint8Array(n);
  }

  *run(): Interruptible<Translation> {
    for (const block of this.blocks) yield this.summarize(block);
    yield lookAhead(this.flow, this.blocks, this.summaries);
    yield this.findStates();
    findTests(this.flow, this.blocks, this.need, this.tests);
    yield this.placeNodes();
    const { g, flow } = this;
    g.code.length = 0;
    // The body's length decides nothing, but the frame's estimate wants the locals: it is tested once they are known.
    const body = g.code;
    g.reset();
    this.emitTree(flow.root);
    for (let next = this.toDo.pop(), done = 1; next !== undefined; next = this.toDo.pop(), done++) {
      next();
      if (done % PARTS_IN_A_STEP === 0) yield;
    }
    g.code.op(Op.unreachable);
    const head = new Code();
    head.get(STACK);
    head.i32Const(FRAME(g.locals.length));
    head.op(Op.i32_sub);
    head.tee(STACK);
    head.i32Const(0);
    head.op(Op.i32_lt_s);
    head.block(Op.if);
    head.get(ADDRESS);
    head.get(BUDGET);
    head.op(Op.return);
    head.end();
    head.append(body);
    return {
      locals: g.locals,
      body: head,
      helpers: g.helpers.list,
      needs: this.entryNodes.map((node) => this.need[node]),
      callees: this.callees,
      looksUp: this.looksUp,
    };
  }

  // ---- what is known before code is emitted ------------------------------------------------------------

  /** Generates a block without keeping the code, to see what it does. */
  private summarize(block: Block): void {
    const { g } = this;
    g.code.length = 0;
    g.reset();
    g.beginBlock();
    const entryValue = g.state.base[0];
    this.emitInstructions(block);
    const base = g.state.base.slice();
    const offset = g.state.offset.slice();
    this.useAtEnd(block);
    this.summaries.push({
      barrier: g.barrier,
      valid: g.state.valid.slice(),
      dirty: g.state.dirty.slice(),
      fields: new Fields().copy(g.state.fields),
      readWhole: g.readWhole,
      usesMode: g.usesMode,
      changesMode: g.changesMode,
      accesses: g.accesses,
      leaves: g.leaves,
      entryValue,
      base,
      offset,
    });
  }
  /** The terminator's effect on slots. */
  private useAtEnd(block: Block): void {
    const { g } = this;
    const word = block.words[block.words.length - 1];
    if (block.end === End.Call || block.end === End.IndirectCall) {
      g.forgetAll();
      return;
    }
    if (block.end === End.Branch || block.end === End.Return) {
      if ((bo(word) & IGNORE_CTR) === 0) {
        g.fetch(CTR_SLOT);
        g.state.define(CTR_SLOT);
      }
      if ((bo(word) & IGNORE_CR) === 0) g.crBit(bi(word));
    }
    if (block.end === End.Return) g.fetch(LR_SLOT);
    if (block.end === End.Indirect) g.fetch(CTR_SLOT);
    if (block.end === End.Jump && (word & LK) !== 0) g.state.define(LR_SLOT);
  }

  /** In-states of joins and headers, from the summaries; a forward analysis in one pass. */
  private findStates(): void {
    const { flow, expected, g } = this;
    const { order, edges } = flow;
    for (const loop of flow.loops) {
      const isPromoted = this.canPromote(loop);
      this.isPromoted.set(loop, isPromoted);
      if (!isPromoted || loop.header >= flow.root) continue;
      this.invariants.set(loop.header, testedBefore(loop, flow, this.summaries));
      g.tables.find(loop, this.summaries);
      this.strides.find(loop, flow, this.blocks, this.summaries);
    }
    for (const node of order) {
      const at = (expected[node] ??= nothingExpected());
      this.atJoin(node, at);
      const out = this.afterNode(node, at);
      const list = edges[node];
      for (let i = 0; i < list.length; i++) {
        const edge = list[i];
        if (edge.to < 0 || edge.back) continue;
        const to = expected[edge.to];
        if (to === undefined) {
          expected[edge.to] = {
            valid: out.valid.slice(),
            dirty: out.dirty.slice(),
            fields: new Fields().copy(out.fields),
          };
          continue;
        }
        for (let w = 0; w < SET; w++) {
          to.valid[w] &= out.valid[w];
          to.dirty[w] |= out.dirty[w];
        }
        g.mergeFields(to.fields, out.fields);
      }
    }
  }
  /** What a node expects, given what those before it have. */
  private atJoin(node: number, { valid, dirty, fields }: Expected): void {
    const { flow, summaries } = this;
    const loop = flow.loopOf[node];
    const inPromoted = loop !== undefined && this.isPromoted.get(loop)!;
    if (flow.isHeader[node] !== 0 && loop !== undefined && loop.header === node) {
      if (inPromoted) {
        this.fieldsOfLoop(loop, fields);
        for (const member of loop.nodes) {
          const summary = summaries[member];
          if (summary === undefined) continue;
          for (let w = 0; w < SET; w++) {
            valid[w] |= summary.valid[w];
            dirty[w] |= summary.dirty[w];
          }
        }
      } else {
        fields.clear();
        valid.fill(0);
        dirty.fill(0);
      }
    } else if (flow.forward[node] > this.options.tuning.mostCarried && !inPromoted) {
      // What some bring unsaved is saved by them.
      for (let left = fields.lazy; left !== 0; left &= left - 1) removeSlot(valid, CR_SLOT + lowest(left));
      dirty.fill(0);
      fields.clear();
    }
    for (let w = 0; w < SET; w++) dirty[w] &= valid[w];
  }
  /**
   * The comparisons that are to be made at the beginning of a loop with its registers in locals. A field that it leaves alone is as it was;
   * one that it compares for is computed nowhere in it: at the loop's first turn it is what it was, at others it follows from the operands.
   */
  private fieldsOfLoop(loop: Loop, fields: Fields): void {
    const summaries = [...loop.nodes]
      .map((member) => this.summaries[member])
      .filter((found) => found !== undefined);
    for (let field = 0; field < 8; field++) {
      const isTouched = ({ dirty, readWhole }: Summary) =>
        hasSlot(dirty, CR_SLOT + field) || (readWhole & (1 << field)) !== 0;
      if (!summaries.some(isTouched)) continue;
      fields.setComputed(field);
      const compared = summaries.map((summary) => summary.fields).filter((each) => each.isLazy(field));
      if (compared.length === 0) continue;
      const last = mostBrought(loop, this.flow, (node) => {
        const summary = this.summaries[node];
        return summary !== undefined && hasSlot(summary.dirty, CR_SLOT + field) ? summary.fields : undefined;
      });
      fields.copyField(field, last?.isLazy(field) ? last : compared[0]);
      fields.makeEither(field);
      const isOther = (other: Fields) =>
        other.kind(field) === fields.kind(field) && !other.isIn(field, fields);
      if (compared.some(isOther)) this.g.operandInLocal(field, fields);
    }
  }
  /** What there is after a node, until this is asked for the next one. */
  private afterNode(node: number, at: Expected): Expected {
    const summary = this.summaries[node];
    if (summary === undefined) return at;
    const { barrier, readWhole } = summary;
    const after = this.left;
    after.fields.copy(summary.fields);
    for (let w = 0; w < SET; w++) {
      after.valid[w] = summary.valid[w] | (barrier ? 0 : at.valid[w]);
      after.dirty[w] = summary.dirty[w] | (barrier ? 0 : at.dirty[w]);
    }
    if (barrier) return after;
    for (let left = at.fields.lazy & ~readWhole; left !== 0; left &= left - 1) {
      const field = lowest(left);
      if (!hasSlot(summary.dirty, CR_SLOT + field)) after.fields.copyField(field, at.fields);
    }
    return after;
  }

  /** A loop keeps all its registers in locals if nothing in it needs them elsewhere. */
  private canPromote(loop: Loop): boolean {
    const touched = new Int32Array(SET);
    for (const node of loop.nodes) {
      const summary = this.summaries[node];
      if (summary === undefined) continue;
      if (summary.barrier) return false;
      for (let w = 0; w < SET; w++) touched[w] |= summary.valid[w];
    }
    return touched.reduce((sum, bits) => sum + countBits(bits), 0) <= this.options.tuning.mostPromoted;
  }

  /** Decides which nodes are reached through labels, and where their code goes. */
  private placeNodes(): void {
    const { flow, inside, after, isLabelled } = this;
    const { edges, order, idom, loopOf, root } = flow;
    for (let node = 0; node < edges.length; node++) {
      inside.push([]);
      after.push([]);
    }
    const contains = (loop: Loop, node: number) => loop.nodes.has(node);
    for (const node of order) {
      const isSwitch = node >= root || (node < root && this.blocks[node].end === End.Indirect);
      const list = edges[node];
      for (let i = 0; i < list.length; i++) {
        const edge = list[i];
        if (edge.to < 0 || edge.back) continue;
        const loop = loopOf[node];
        const leavesLoop = loop !== undefined && !contains(loop, edge.to);
        if (isSwitch || leavesLoop || flow.forward[edge.to] > 1) isLabelled[edge.to] = 1;
      }
    }
    for (const node of order) {
      if (isLabelled[node] === 0) continue;
      let place = idom[node];
      let isAfter = false;
      for (let loop = loopOf[place]; loop !== undefined; loop = loop.parent) {
        if (contains(loop, node)) break;
        place = loop.header;
        isAfter = true;
      }
      (isAfter ? after : inside)[place].push(node);
    }
  }

  // ---- structure -----------------------------------------------------------------------------------------

  /** Emits a node with all that is placed at it; the state is the one at its beginning. */
  private emitTree(node: number): void {
    const open = this.g.landings.length;
    if (node < this.flow.root) this.openLanding();
    this.toDo.push(() => this.closeLandings(open));
    this.emitStructure(node);
  }
  /** Opens a block around what follows from where it is left by way of a landing, if that is worth one. */
  private openLanding(): void {
    const { g, labels } = this;
    const label = SHARED - g.landings.length;
    const landing = g.newLanding(() => this.depthOf(label));
    if (landing === undefined) return;
    g.code.op(Op.block);
    g.code.u32(LANDING);
    labels.push(label);
    g.landings.push(landing);
  }
  /** Closes all landings but so many of the outer ones. */
  private closeLandings(open: number): void {
    const { g, labels } = this;
    while (g.landings.length > open) {
      g.code.op(Op.unreachable);
      labels.pop();
      g.code.end();
      g.land(g.landings.pop()!);
    }
  }
  private emitStructure(node: number): void {
    const { g, flow, labels } = this;
    const after = this.after[node];
    for (let i = after.length - 1; i >= 0; i--) this.openBlock(after[i]);
    const isLoop = flow.isHeader[node] !== 0;
    const hasStrides = this.strides.has(node);
    if (hasStrides) this.beginStrides(node);
    if (isLoop) {
      g.code.block(Op.loop);
      labels.push(node);
    }
    const inside = this.inside[node];
    for (let i = inside.length - 1; i >= 0; i--) this.openBlock(inside[i]);
    this.closeBlocks(after);
    this.toDo.push(() => {
      if (!isLoop) return;
      labels.pop();
      g.code.end();
      g.tables.leave(node);
      if (hasStrides) {
        g.code.op(Op.unreachable);
        labels.pop();
        g.code.end();
      }
      if (after.length > 0) g.code.op(Op.unreachable);
    });
    this.closeBlocks(inside);
    this.emitNode(node);
  }
  /** Begins the loop around one that accesses something in strides. */
  private beginStrides(node: number): void {
    const { g } = this;
    const { start, instructions } = this.blocks[node];
    this.labels.push(-1);
    g.code.block(Op.loop);
    g.count = instructions;
    this.testBudget(start, this.need[node]);
    this.strides.lookAhead(node, start, this.need[node]);
  }
  private openBlock(node: number): void {
    this.g.code.block(Op.block);
    this.labels.push(node);
  }
  /** Later on ends the blocks from which one branches to these nodes, each of which follows its own. */
  private closeBlocks(nodes: readonly number[]): void {
    this.inTurn(nodes, (node) => {
      this.labels.pop();
      this.g.code.end();
      this.enter(node);
      this.toDo.push(() => this.g.code.op(Op.unreachable));
      this.emitTree(node);
    });
  }
  /** Later on does something for each, in turn. */
  private inTurn<T>(list: readonly T[], emit: (each: T, i: number) => void): void {
    for (let i = list.length - 1; i >= 0; i--) this.toDo.push(() => emit(list[i], i));
  }

  /** Sets the state at the beginning of a labelled node. */
  private enter(node: number): void {
    const { g, flow } = this;
    const saved = this.saved.get(node);
    const isHeader = flow.isHeader[node] !== 0;
    if (saved !== undefined && !isHeader) {
      g.state.copy(saved);
      saved.giveBack();
      this.saved.delete(node);
      return;
    }
    g.reset();
    g.state.valid.set(this.expected[node].valid);
    g.state.dirty.set(this.expected[node].dirty);
    g.state.fields.copy(this.expected[node].fields);
    if (isHeader) this.inherit(node, saved);
    for (const range of [...(this.invariants.get(node) ?? []), ...this.strides.rangesOf(node)])
      g.state.addRange(g.sumOf(range.registers), range.low, range.high, range.isStore);
    g.tables.enter(node);
    if (this.keepsMode(node)) g.state.modeChecked = true;
    const joined = this.joined.get(node);
    if (joined === undefined) return;
    g.state.copyValues(joined);
    g.state.modeChecked = joined.modeChecked;
    joined.giveBack();
    this.joined.delete(node);
  }
  /** In a loop whose registers stay in locals, what was known of those that it does not change stays so. */
  private inherit(node: number, from: State | undefined) {
    const { g, flow } = this;
    const loop = flow.loopOf[node]!;
    if (from === undefined || flow.forward[node] !== 1 || !this.isPromoted.get(loop)) return;
    const fresh = State.copyOf(g.state);
    g.state.copyValues(from);
    g.state.singles.fill(0);
    g.state.modeChecked = from.modeChecked;
    for (const member of loop.nodes) {
      const summary = this.summaries[member];
      if (summary === undefined) continue;
      if (summary.changesMode) g.state.modeChecked = false;
      for (let n = 0; n < 32; n++) {
        if (!hasSlot(summary.dirty, n)) continue;
        g.state.base[n] = fresh.base[n];
        g.state.offset[n] = fresh.offset[n];
      }
    }
    fresh.giveBack();
  }

  /** Notes that a join is reached with what is known here. */
  private join(node: number): void {
    const { g } = this;
    const joined = this.joined.get(node);
    if (joined === undefined) this.joined.set(node, State.copyOf(g.state));
    else joined.meet(g.state, () => g.newValue());
  }

  private depthOf(node: number): number {
    const i = this.labels.lastIndexOf(node);
    return this.labels.length - 1 - i;
  }

  /** Goes on along an edge: a jump with what the target expects, or the target's own code. `pc` is for edges out of the region. */
  private follow(edge: Edge | undefined, pc: number, extra = 0) {
    const { g, flow } = this;
    if (edge === undefined || edge.to < 0) {
      g.leave(pc, g.count);
      return;
    }
    const { to } = edge;
    if (edge.selector >= 0) {
      g.code.i32Const(edge.selector);
      g.code.set(this.selector);
    }
    if (!edge.back) this.testInvariants(to);
    if (!edge.back) g.tables.test(to);
    if (!edge.back && this.isLabelled[to] === 0) {
      if (flow.isHeader[to] !== 0) {
        this.conformTo(to);
        this.saved.set(to, State.copyOf(g.state));
        this.enter(to);
      }
      this.emitTree(to);
      return;
    }
    if (!edge.back && flow.forward[to] === 1 && flow.isHeader[to] === 0) {
      this.saved.set(to, State.copyOf(g.state));
    } else {
      this.conformTo(to);
      if (!edge.back && flow.forward[to] === 1) this.saved.set(to, State.copyOf(g.state));
      if (!edge.back && flow.isHeader[to] === 0) this.join(to);
    }
    g.code.br(Op.br, this.depthOf(to) + extra);
  }
  /** Tests what a loop accesses at every turn, by registers that it leaves alone, or leaves for its beginning. */
  private testInvariants(node: number): void {
    const { g } = this;
    const invariants = this.invariants.get(node) ?? [];
    if (invariants.length === 0) return;
    g.pc = this.blocks[node].start;
    g.index = g.count;
    for (const { registers, low, high, isStore } of invariants) g.testRange(registers[0], low, high, isStore);
  }
  private conformTo(node: number) {
    this.g.conform(this.expected[node]);
    if (this.keepsMode(node)) findLimit(this.g);
  }
  /** Whether a node begins a loop that depends on FPSCR's mode and leaves it alone: it is looked at before the loop then. */
  private keepsMode(node: number): boolean {
    const loop = this.flow.loopOf[node];
    if (loop === undefined || loop.header !== node || !this.isPromoted.get(loop)!) return false;
    let isUsed = false;
    for (const member of loop.nodes) {
      const summary = this.summaries[member];
      if (summary?.changesMode) return false;
      isUsed ||= summary?.usesMode === true;
    }
    return isUsed;
  }

  // ---- nodes -----------------------------------------------------------------------------------------------

  private emitNode(node: number) {
    const { g, flow } = this;
    if (node === flow.root) return this.emitRoot();
    if (node > flow.root) return this.emitDispatch(node);
    const block = this.blocks[node];
    g.count = block.instructions;
    if (this.strides.has(node)) this.strides.testFence(this.depthOf(node) + 1);
    else if (this.tests[node] !== 0) this.testBudget(block.start, this.need[node]);
    g.code.get(BUDGET);
    g.code.i32Const(g.count);
    g.code.op(Op.i32_sub);
    g.code.set(BUDGET);
    const { accesses, leaves } = this.summaries[node];
    g.beginBlock(accesses);
    const open = g.landings.length;
    this.emitInstructions(block, leaves);
    this.toDo.push(() => this.closeLandings(open));
    this.emitEnd(node, block);
  }
  /** Leaves for `pc` if fewer than `need` instructions are left. */
  private testBudget(pc: number, need: number) {
    const { g } = this;
    g.code.get(BUDGET);
    g.code.i32Const(need);
    g.code.op(Op.i32_lt_s);
    g.begin(Op.if);
    g.leave(pc, g.count);
    g.end();
  }

  /** Goes to one of the entries by the address that the function was called for. */
  private emitRoot() {
    const { g, flow } = this;
    const edges = flow.edges[flow.root];
    this.emitCases(edges.length, (i, depth) => {
      g.code.get(ADDRESS);
      g.code.i32Const(this.blocks[this.entryNodes[i]].start);
      g.code.op(Op.i32_eq);
      g.code.br(Op.br_if, depth);
    });
    g.code.get(ADDRESS);
    g.code.get(BUDGET);
    g.code.op(Op.return);
    this.endCases(edges, (i) => {
      const node = this.entryNodes[i];
      g.count = 0;
      // Where the node itself tests there is no need to.
      if (this.tests[node] === 0) this.testBudget(this.blocks[node].start, this.need[node]);
    });
  }
  private emitDispatch(node: number) {
    const { g, flow } = this;
    if (flow.switches.has(node)) return this.emitJumps(node, flow.switches.get(node));
    const edges = flow.edges[node];
    this.emitCases(edges.length, () => {});
    g.code.get(this.selector);
    g.code.op(Op.br_table);
    g.code.u32(edges.length - 1);
    for (let i = 0; i < edges.length; i++) g.code.u32(i);
    this.endCases(edges);
  }
  /** Opens a block for each case, the first one innermost; `test` emits what goes to case i, `depth` blocks out. */
  private emitCases(count: number, test: (i: number, depth: number) => void) {
    for (let i = 0; i < count; i++) this.openBlock(-1);
    for (let i = 0; i < count; i++) test(i, i);
  }
  /** Ends the blocks of the cases, each with its edge. */
  private endCases(edges: readonly (Edge | undefined)[], before: (i: number) => void = () => {}) {
    const { g } = this;
    const state = State.copyOf(g.state);
    this.toDo.push(() => state.giveBack());
    this.inTurn(edges, (edge, i) => {
      this.labels.pop();
      g.code.end();
      g.state.copy(state);
      before(i);
      this.follow(edge, 0);
    });
  }

  private emitInstructions(block: Block, leaves: readonly number[] = []) {
    const { g } = this;
    let left = leaves.length;
    const body = block.end === End.Fall ? block.words.length : block.words.length - 1;
    g.count = block.instructions;
    g.index = 0;
    for (let i = 0; i < body; i++, g.index++) {
      g.pc = (block.start + 4 * i) | 0;
      while (left > 0 && leaves[leaves.length - left] < g.index) left--;
      if (left >= LEAST_LEAVES && leaves[leaves.length - left] === g.index) this.openLanding();
      if (g.pc === block.table?.load) this.keepCase(block.table);
      const row = block.rows[i]!;
      const word = block.words[i];
      if ("prefix" in row) this.emitPrefixed(row, word, block.words[++i]);
      else this.emitInstruction(row, word);
    }
    g.index = block.instructions - 1;
    g.pc = (block.start + 4 * (block.words.length - 1)) | 0;
  }
  private emitInstruction(row: Instruction, word: number): void {
    const { g } = this;
    const emit = available(row, this.options.model) ? emitters().get(row.name) : undefined;
    if (emit === undefined || emit(g, word) === false) g.fallback();
  }
  private emitPrefixed(row: PrefixedInstruction, prefix: number, suffix: number): void {
    const { g } = this;
    const emit = hasPrefixed(row, this.options.model) ? prefixedRows()[row.name] : undefined;
    if (emit === undefined || emit(g, prefix, suffix) === false) g.fallback(8);
  }

  // ---- how blocks end ----------------------------------------------------------------------------------------

  private emitEnd(node: number, block: Block) {
    const { g } = this;
    const edges = this.flow.edges[node];
    const word = block.words[block.words.length - 1];
    const next = returnOf(block);
    switch (block.end) {
      case End.Fall:
        return this.follow(edges[0], next);
      case End.Jump:
        if ((word & LK) !== 0) this.link(next);
        return this.follow(edges[0], block.target);
      case End.Branch:
        return this.conditional(
          word,
          () => this.follow(edges[0], block.target),
          () => this.follow(edges[1], next),
        );
      case End.Return:
        return this.conditional(
          word,
          () => this.returnToCaller(),
          () => this.follow(edges[0], next),
        );
      case End.Call:
        this.link(next);
        g.flush();
        this.callArguments(() => g.code.i32Const(block.target));
        if (this.entryNodes.some((entry) => this.blocks[entry].start === block.target)) {
          g.code.op(Op.call);
          g.code.u32(OWN);
        } else {
          g.code.i32Const(this.calleeAt(block.target));
          this.callIndirect(Op.call_indirect, CALLEES);
        }
        return this.returned(edges[0], next);
      case End.TailCall:
        g.flush();
        this.callArguments(() => g.code.i32Const(block.target));
        g.code.i32Const(this.calleeAt(block.target));
        return this.callIndirect(Op.return_call_indirect, CALLEES);
      case End.IndirectCall:
        targetFrom(g, CTR_SLOT);
        if (block.returnsTo === undefined) this.link(next);
        this.toDo.push(() => {
          g.flush();
          this.callByAddress(Op.call_indirect);
          this.returned(edges[0], next);
        });
        return this.inTurn(block.guesses ?? [], (target, i) => {
          g.code.get(g.temporary(I32, 4));
          g.code.i32Const(target);
          g.code.op(Op.i32_eq);
          this.when(() => this.follow(edges[1 + i], target));
        });
      case End.Indirect:
        targetFrom(g, CTR_SLOT);
        if (this.flow.switching.has(node)) return this.follow(edges[0], 0);
        return this.emitJumps(node, block.table?.targets);
      case End.Leave:
        return g.leave(g.pc, g.index);
    }
  }

  private link(next: number): void {
    const { g } = this;
    if (g.is64) g.code.i64Const(next, 0);
    else g.code.i32Const(next);
    g.set(LR_SLOT);
  }

  /** ctr_ok and cond_ok: Power ISA 3.0B, I.2.4. */
  private conditional(word: number, taken: () => void, otherwise: () => void) {
    const { g } = this;
    const when = bo(word);
    if ((when & ALWAYS) === ALWAYS) return taken();
    let terms = 0;
    if ((when & IGNORE_CTR) === 0) {
      g.get(CTR_SLOT);
      g.constant(-1);
      g.op(Op.i32_add, Op.i64_add);
      g.tee(CTR_SLOT);
      g.op(Op.i32_eqz, Op.i64_eqz);
      if ((when & CTR_ZERO) === 0) g.code.op(Op.i32_eqz);
      terms++;
    }
    if ((when & IGNORE_CR) === 0) {
      g.crBit(bi(word), terms > 0);
      if ((when & CR_VALUE) === 0) g.code.op(Op.i32_eqz);
      terms++;
    }
    if (terms === 2) g.code.op(Op.i32_and);
    this.toDo.push(otherwise);
    this.when(taken);
  }
  /** Pops a condition: `taken`, which goes on elsewhere, if it is not zero. */
  private when(taken: () => void): void {
    const { g } = this;
    g.code.block(Op.if);
    this.labels.push(-1);
    const state = State.copyOf(g.state);
    const { index, pc, count } = g;
    this.toDo.push(() => {
      this.labels.pop();
      g.code.end();
      g.state.copy(state);
      state.giveBack();
      g.index = index;
      g.pc = pc;
      g.count = count;
    });
    taken();
  }

  private returnToCaller(): void {
    const { g } = this;
    targetFrom(g, LR_SLOT);
    g.flush();
    g.code.get(g.temporary(I32, 4));
    g.returnBudget(0);
  }
  private callArguments(address: () => void): void {
    const { g } = this;
    g.code.get(BUDGET);
    g.code.get(STACK);
    address();
  }
  /** Calls what begins at the address that `targetFrom` has left. */
  private callByAddress(op: number): void {
    const { g } = this;
    lookUp(g);
    this.looksUp = true;
    this.callArguments(() => g.code.get(g.temporary(I32, 4)));
    g.code.get(g.temporary(I32, 5));
    this.callIndirect(op, ALL);
  }
  private callIndirect(op: number, table: number): void {
    const { code } = this.g;
    code.op(op);
    code.u32(TRANSLATED);
    code.u32(table);
  }
  /** The place of a function in the table of those that this one calls. */
  private calleeAt(address: number): number {
    const at = this.callees.indexOf(address);
    return at >= 0 ? at : this.callees.push(address) - 1;
  }
  /** After a call: goes on if it has come back to the next instruction, else takes the address further up. */
  private returned(edge: Edge | undefined, next: number): void {
    const { g } = this;
    const { code } = g;
    const address = g.temporary(I32, 4);
    code.set(BUDGET);
    code.tee(address);
    code.i32Const(next);
    code.op(Op.i32_ne);
    code.block(Op.if);
    code.get(address);
    g.returnBudget(0);
    code.end();
    g.forgetAllBut(keptByCall(this.blocks[this.at.get(next) ?? -1]), next);
    this.follow(edge, next);
  }

  // ---- jumps through tables -------------------------------------------------------------------------------

  /** Keeps the index with which a table of targets is read, without its scale. */
  private keepCase({ index, shift }: JumpTable): void {
    const { g } = this;
    g.gpr32(index);
    g.code.i32Const(shift);
    g.code.op(Op.i32_shr_u);
    g.code.set(g.temporary(I32, 9));
  }

  /** Goes on to what the guest's target is, by the index that its table was read with. */
  private emitJumps(node: number, cases?: readonly number[]): void {
    const { g } = this;
    const { code } = g;
    const edges = this.flow.edges[node];
    this.toDo.push(() => {
      g.flush();
      this.callByAddress(Op.return_call_indirect);
    });
    if (cases === undefined) return;
    const targets = [...new Set(cases)];
    this.emitCases(edges.length + 1, () => {});
    const other = edges.length;
    code.get(g.temporary(I32, 9));
    code.op(Op.br_table);
    code.u32(cases.length);
    for (const target of cases) code.u32(targets.indexOf(target));
    code.u32(other);
    const state = State.copyOf(g.state);
    this.toDo.push(() => {
      this.labels.pop();
      code.end();
      g.state.copy(state);
      state.giveBack();
    });
    this.inTurn(edges, (edge, i) => {
      this.labels.pop();
      code.end();
      g.state.copy(state);
      // The guest's own target is what counts.
      code.get(g.temporary(I32, 4));
      code.i32Const(targets[i]);
      code.op(Op.i32_ne);
      code.br(Op.br_if, other - i - 1);
      this.follow(edge, targets[i]);
    });
  }
}
