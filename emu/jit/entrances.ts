/**
 * Loops that are entered in their middle: a compiler's or an author's way into one that is unrolled. What lies between such an entrance and
 * the loop's head is copied, and the way in leads through the copy. So the loop has one entry, and what is accessed in it is tested together.
 */
import { MOST_SPLIT } from "../tuning.ts";
import { type Flow, flowFrom, type Loop } from "./flow.ts";
import { type Block, End, type Region, successors } from "./scan.ts";

/** The region, entered at `start`, in which the innermost loops without calls have one entry each, as far as that takes few copies. */
export function splitEntrances(region: Region, start: number): Region {
  const flow = flowFrom(region, start);
  const { loops, root, switches } = flow;
  const hasSwitch = ({ nodes }: Loop) => [...switches.keys()].some((node) => nodes.has(node));
  const splits = loops.filter(
    (loop) =>
      loop.header >= root &&
      loops.every(({ parent }) => parent !== loop) &&
      !hasSwitch(loop) &&
      !hasCalls(loop, region),
  );
  if (splits.length === 0) return region;
  const blocks = [...region.blocks];
  const entrances = new Map(region.entrances);
  let { instructions } = region;
  let room = MOST_SPLIT + (instructions >> 2);
  for (const loop of splits) {
    const nodes = new Set([...loop.nodes].filter((node) => node < root));
    const copied = shortest(nodes, blocks, region, flow);
    const length = lengthOf(copied, blocks);
    if (length === 0 || length > room || length > MOST_SPLIT) continue;
    room -= length;
    instructions += length;
    copy(copied, nodes, blocks, region);
    copied.forEach((to, node) => {
      if (region.at.get(blocks[node].start) === node) entrances.set(blocks[node].start, to);
    });
  }
  return { ...region, blocks, entrances, instructions };
}

const hasCalls = ({ nodes }: Loop, { blocks }: Region): boolean =>
  [...nodes].some((node) => blocks[node]?.end === End.Call || blocks[node]?.end === End.IndirectCall);

/** Where a block goes on at an address, -1 for what is not in the region. */
const targetOf = ({ copies }: Block, address: number, { at }: Region): number =>
  copies?.get(address) ?? at.get(address) ?? -1;

const lengthOf = (nodes: ReadonlyMap<number, number>, blocks: readonly Block[]): number =>
  [...nodes.keys()].reduce((sum, node) => sum + blocks[node].instructions, 0);

/** What is to be copied for the loop to be entered at one of its entrances alone: the least there is, with the numbers of the copies. */
function shortest(
  nodes: ReadonlySet<number>,
  blocks: readonly Block[],
  region: Region,
  flow: Flow,
): ReadonlyMap<number, number> {
  const entered = new Set<number>(flow.edges[flow.root].map(({ to }) => to).filter((to) => nodes.has(to)));
  blocks.forEach((block, node) => {
    if (nodes.has(node) || (node < flow.root && flow.position[node] < 0)) return;
    for (const address of successors(block)) {
      const to = targetOf(block, address, region);
      if (nodes.has(to)) entered.add(to);
    }
  });
  let best: ReadonlyMap<number, number> = new Map();
  for (const head of [...entered].sort((a, b) => a - b)) {
    const found = new Map<number, number>();
    const work = [...entered].filter((node) => node !== head);
    for (let node = work.pop(); node !== undefined; node = work.pop()) {
      if (found.has(node)) continue;
      found.set(node, blocks.length + found.size);
      for (const address of successors(blocks[node])) {
        const to = targetOf(blocks[node], address, region);
        if (to !== head && nodes.has(to)) work.push(to);
      }
    }
    if (best.size === 0 || lengthOf(found, blocks) < lengthOf(best, blocks)) best = found;
  }
  return best;
}

/** Adds the copies, and has all that is outside of the loop, and they themselves, go on to them. */
function copy(
  copied: ReadonlyMap<number, number>,
  nodes: ReadonlySet<number>,
  blocks: Block[],
  region: Region,
): void {
  const redirected = (block: Block): Block => {
    const changed = successors(block)
      .map((address) => [address, copied.get(targetOf(block, address, region))] as const)
      .filter((pair): pair is readonly [number, number] => pair[1] !== undefined);
    return changed.length === 0
      ? block
      : { ...block, copies: new Map([...(block.copies ?? []), ...changed]) };
  };
  blocks.forEach((block, node) => {
    if (!nodes.has(node)) blocks[node] = redirected(block);
  });
  for (const node of copied.keys()) blocks.push(redirected(blocks[node]));
}
