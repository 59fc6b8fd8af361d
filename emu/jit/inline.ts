/**
 * Small functions that call nobody become part of those that call them: a call is a jump into a copy of the callee's blocks then, whose
 * returns are jumps to what follows the call. So a loop with such a call keeps its registers in locals.
 */
import { ALWAYS, bo, LK, spr } from "../cpu/fields.ts";
import { MOST_GUESSES, MOST_INLINED } from "../tuning.ts";
import { type Block, End, type Region, returnOf, type ScanSource, scan } from "./scan.ts";

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
  /** Adds a copy of a function that returns to `next`; the numbers of its blocks. */
  const put = (leaf: Region, next: number): ReadonlyMap<number, number> => {
    room -= leaf.instructions;
    instructions += leaf.instructions;
    for (const address of leaf.cold) cold.add(address);
    const first = blocks.length;
    const copies = new Map([...leaf.at].map(([address, i]) => [address, first + i]));
    for (const one of leaf.blocks) blocks.push(copyOf(one, next, copies));
    return copies;
  };
  /** Adds copies of what a call through a register has led to lately. */
  const guess = (call: number): void => {
    const block = blocks[call];
    const next = returnOf(block);
    const copies = new Map(block.copies);
    const guesses: number[] = [];
    for (const target of source.calledFrom((block.start + 4 * block.words.length - 4) | 0)) {
      if (target === next || at.has(target) || copies.has(target)) continue;
      const leaf = leafAt(target);
      if (leaf === undefined || leaf.instructions > room || guesses.length >= MOST_GUESSES) continue;
      if (leaf.blocks.some(({ end }) => end === End.Indirect)) continue;
      copies.set(target, put(leaf, next).get(target)!);
      guesses.push(target);
    }
    if (guesses.length > 0) blocks[call] = { ...block, guesses, copies };
  };
  for (const block of region.blocks) {
    const number = blocks.length;
    own.set(block.start, number);
    blocks.push(block);
    if (block.end === End.IndirectCall) guess(number);
    const leaf = block.end === End.Call && !at.has(block.target) ? leafAt(block.target) : undefined;
    if (leaf === undefined || leaf.instructions > room) continue;
    const copies = put(leaf, returnOf(block));
    blocks[number] = { ...block, end: End.Jump, copies };
    for (const copy of copies.values()) if (blocks[copy].end === End.IndirectCall) guess(copy);
  }
  if (blocks.length === region.blocks.length) return region;
  return { is64, blocks, at: own, instructions, cold: [...cold] };
}

/** A function's block in a copy of it, which returns to `next`. */
function copyOf(block: Block, next: number, copies: ReadonlyMap<number, number>): Block {
  const copy = { ...block, copies, isCopy: true };
  if (block.end === End.Indirect) return { ...copy, end: End.IndirectCall, returnsTo: next };
  if (block.end !== End.Return) return copy;
  const isSure = (bo(block.words[block.words.length - 1]) & ALWAYS) === ALWAYS;
  return { ...copy, end: isSure ? End.Jump : End.Branch, target: next };
}

/**
 * The function at an address, if it is small, calls nobody, and returns to where LR says when it begins; or jumps through CTR, as what stands
 * for functions of shared libraries does: what that leads to returns there.
 */
function findLeaf(source: ScanSource, address: number, is64: boolean): Region | undefined {
  if (!source.isCode(address) || !source.hasRun(address)) return undefined;
  const leaf = scan(source, [address], is64, MOST_INLINED + 1);
  const isPlain = ({ end, words, rows, table }: Block) => {
    const last = words[words.length - 1];
    if (end === End.Jump) return (last & LK) === 0;
    const isJump = end === End.Indirect && table === undefined;
    if (end !== End.Fall && end !== End.Branch && end !== End.Return && !isJump) return false;
    return !rows.some((row, i) => row?.name === "scv" || (row?.name === "mtspr" && spr(words[i]) === LR));
  };
  return leaf.instructions <= MOST_INLINED && leaf.blocks.every(isPlain) ? leaf : undefined;
}
