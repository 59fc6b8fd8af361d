/** The loops that a region is found to have. */
import { expect, it } from "vitest";
import { asm } from "../../emu/isa/encoder.ts";
import { buildFlow, chooseEntries } from "../../emu/jit/flow.ts";
import { type Block, End, scan } from "../../emu/jit/scan.ts";
import { sourceOf } from "./words-source.ts";

const START = 0x1000_0000;

it("keeps an inner loop apart where the region begins with it", () => {
  const words = [
    "addi 5,5,1", // the outer loop: its head,
    "lbzu 9,1(10)", // the inner loop in it,
    "cmpi 0,0,9,0",
    "bc 4,2,-8",
    "bc 16,0,-16",
    "bclr 20,0,0",
  ].map((line) => asm(line));
  const region = scan(sourceOf(START, words), [START + 4], true, 100);
  const { addresses, heads } = chooseEntries(region, [START + 4], 40);
  expect(addresses).toEqual([START + 4, START]);
  const { loops } = buildFlow(
    region,
    addresses.map((address) => region.at.get(address)!),
    heads,
  );
  const inner = region.at.get(START + 4)!;
  expect(loops.map(({ header, nodes }) => [header === inner, nodes.size])).toEqual([
    [false, 4],
    [true, 1],
  ]);
});

it("finds the loops of blocks that each jump to all the others, by tables of their own", () => {
  // Of the operations of an interpreter, 360 blocks here; what looks at all edges of where each edge comes from takes its fourth power.
  const n = 360;
  const targets = Array.from({ length: n }, (_, i) => START + 4 * i);
  const blocks: Block[] = targets.map((start, i) => ({
    start,
    words: [0],
    rows: [undefined],
    instructions: 1,
    end: End.Indirect,
    target: 0,
    table: { targets: [...targets.slice(i), ...targets.slice(0, i)], load: START, index: 3, shift: 2 },
  }));
  const at = new Map(targets.map((start, i) => [start, i]));
  const { loops } = buildFlow({ is64: true, blocks, at, instructions: n, cold: [] }, [0]);
  expect(loops.map(({ nodes }) => nodes.size).slice(0, 3)).toEqual([718, 717, 715]);
});
