/**
 * Makes translated functions: everything that happens to guest code from the scan on. It knows nothing of the machine, and what it is
 * given and gives are data. So another thread can do it as well.
 */
import type { CpuModel } from "../cpu/cpu.ts";
import { LEAST_INSTRUCTIONS, type Tuning } from "../tuning.ts";
import { splitEntrances } from "./entrances.ts";
import { chooseEntries } from "./flow.ts";
import type { Target } from "./generator.ts";
import type { Piece } from "./piece.ts";
import type { Block, Region } from "./scan.ts";
import { type Interruptible, translate } from "./translate.ts";
import { buildModule } from "./wasm.ts";

/** A region to be translated. */
export interface Order {
  /** With copies of small functions in place of calls of them. */
  readonly region: Region;
  /** Where it is to be entered, the place it is rooted at first. */
  readonly wanted: readonly number[];
  readonly target: Target;
  readonly model: CpuModel;
  readonly tuning: Pick<Tuning, "mostEntries" | "mostPromoted" | "mostCarried">;
  /** Size of the memory that the module imports. */
  readonly pages: number;
}

/** What becomes of it: a piece but for what only the engine knows. */
export interface Product extends Omit<Piece, "remade" | "native" | "module"> {
  readonly instructions: number;
}

/** Blocks as a piece has them. */
export const extentsOf = (blocks: readonly Pick<Block, "start" | "words">[]): Int32Array =>
  Int32Array.from(blocks.flatMap(({ start, words }) => [start, words.length]));

/** Translates a region. */
export function produce(order: Order): Product {
  const work = producing(order);
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

/** The same, with many stops. */
export function* producing(order: Order): Interruptible<Product> {
  const { region: given, wanted, target, model, tuning, pages } = order;
  const region = splitEntrances(given, wanted[0]);
  yield;
  const entries = chooseEntries(region, wanted, tuning.mostEntries);
  yield;
  const body = yield* translate(region, entries, { target, model, tuning });
  yield;
  const { callees, looksUp, needs } = body;
  // Of several copies of a block one is enough to know it by.
  const own = given.blocks.filter(({ isCopy }) => !isCopy);
  const copies = new Map(given.blocks.filter(({ isCopy }) => isCopy).map((block) => [block.start, block]));
  const blocks = [...own, ...copies.values()];
  return {
    entries: entries.addresses,
    needs,
    callees,
    looksUp,
    blocks: extentsOf(blocks),
    inlined: copies.size,
    words: Int32Array.from(blocks.flatMap(({ words }) => words)),
    cold: region.cold,
    wire: buildModule([body], pages, looksUp),
    instructions: region.instructions,
  };
}

/**
 * What part of the instructions is to be taken instead where a module is too large, else 1. Many jumps by one table of many targets make more
 * code than their instructions would.
 */
export function partOf({ instructions, wire }: Product, { mostModuleBytes }: Tuning): number {
  const part = mostModuleBytes / wire.length;
  return part >= 1 || instructions <= LEAST_INSTRUCTIONS ? 1 : Math.min(0.75, part);
}
