/**
 * Small functions that call nobody become part of those that call them: a call is a jump into a copy of the callee's blocks then, whose
 * returns are jumps to what follows the call. So a loop with such a call keeps its registers in locals.
 */
import { ALWAYS, bo, LK, spr } from "../cpu/fields.ts";
import { MOST_GUESSES, MOST_INLINED } from "../tuning.ts";
import { type Block, End, type Region, type ScanSource, scan } from "./scan.ts";

/** SPR number of LR: Power ISA 3.0B, I.3.3.17. */
const LR = 8;

/** The region with small functions in place of its calls of them. */
export function inlineLeaves(region: Region, source: ScanSource): Region {
  const { is64, at } = region;
  const leaves = new Map<number, Region | undefined>();
  const leafAt = (address: number): Region | undefined => {
    if (!leaves.has(address)) leaves.set(address, findLeaf(source, address, is64));
    return leaves.get(address);
  };
  const blocks: Block[] = [];
  const own = new Map<number, number>();
  const cold = new Set(region.cold);
  let { instructions } = region;
  let room = MOST_INLINED + (instructions >> 1);
  /** Adds a call through a register, with copies of what it has led to lately. */
  const guess = (block: Block): void => {
    const next = (block.start + 4 * block.words.length) | 0;
    const first = new Map<number, number>();
    const added: Block[] = [];
    const after = blocks.length + 1;
    for (const target of source.calledFrom((next - 4) | 0)) {
      const leaf = target === next || at.has(target) ? undefined : leafAt(target);
      if (leaf === undefined || leaf.instructions > room || first.size >= MOST_GUESSES) continue;
      room -= leaf.instructions;
      instructions += leaf.instructions;
      for (const address of leaf.cold) cold.add(address);
      const copies = new Map([...leaf.at].map(([address, i]) => [address, after + added.length + i]));
      first.set(target, copies.get(target)!);
      for (const one of leaf.blocks) added.push(copyOf(one, next, copies));
    }
    blocks.push(first.size === 0 ? block : { ...block, guesses: [...first.keys()], copies: first }, ...added);
  };
  for (const block of region.blocks) {
    own.set(block.start, blocks.length);
    if (block.end === End.IndirectCall) {
      guess(block);
      continue;
    }
    const leaf = block.end === End.Call && !at.has(block.target) ? leafAt(block.target) : undefined;
    if (leaf === undefined || leaf.instructions > room) {
      blocks.push(block);
      continue;
    }
    room -= leaf.instructions;
    instructions += leaf.instructions;
    for (const address of leaf.cold) cold.add(address);
    const first = blocks.length + 1;
    const copies = new Map([...leaf.at].map(([address, i]) => [address, first + i]));
    const next = (block.start + 4 * block.words.length) | 0;
    blocks.push({ ...block, end: End.Jump, copies });
    for (const one of leaf.blocks) blocks.push(copyOf(one, next, copies));
  }
  if (blocks.length === region.blocks.length) return region;
  return { is64, blocks, at: own, instructions, cold: [...cold] };
}

/** A function's block in a copy of it, which returns to `next`. */
function copyOf(block: Block, next: number, copies: ReadonlyMap<number, number>): Block {
  const copy = { ...block, copies, isCopy: true };
  if (block.end !== End.Return) return copy;
  const isSure = (bo(block.words[block.words.length - 1]) & ALWAYS) === ALWAYS;
  return { ...copy, end: isSure ? End.Jump : End.Branch, target: next };
}

/** The function at an address, if it is small, calls nobody, and returns to where LR says when it begins. */
function findLeaf(source: ScanSource, address: number, is64: boolean): Region | undefined {
  if (!source.isCode(address) || !source.hasRun(address)) return undefined;
  const leaf = scan(source, [address], is64, MOST_INLINED + 1);
  const isPlain = ({ end, words, rows }: Block) => {
    const last = words[words.length - 1];
    if (end === End.Jump) return (last & LK) === 0;
    if (end !== End.Fall && end !== End.Branch && end !== End.Return) return false;
    return !rows.some((row, i) => row?.name === "mtspr" && spr(words[i]) === LR);
  };
  return leaf.instructions <= MOST_INLINED && leaf.blocks.every(isPlain) ? leaf : undefined;
}
