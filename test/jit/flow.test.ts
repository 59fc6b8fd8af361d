/** The loops that a region is found to have. */
import { expect, it } from "vitest";
import { asm } from "../../emu/isa/encoder.ts";
import { buildFlow, chooseEntries } from "../../emu/jit/flow.ts";
import { scan } from "../../emu/jit/scan.ts";
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
