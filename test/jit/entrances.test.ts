/** Loops that are entered in their middle get one way in. */
import { expect, it } from "vitest";
import { Interpreter } from "../../emu/cpu/interpreter.ts";
import { asm } from "../../emu/isa/encoder.ts";
import { JitEngine } from "../../emu/jit/engine.ts";
import { splitEntrances } from "../../emu/jit/entrances.ts";
import { buildFlow, chooseEntries } from "../../emu/jit/flow.ts";
import { nodeAt, type Region, scan } from "../../emu/jit/scan.ts";
import { Translations } from "../../emu/jit/translations.ts";
import { AT_ONCE, advance, BY_AND_BY, createCpu, prepare, show } from "./engines-agree.ts";
import { DATA_START } from "./random-programs.ts";
import { sourceOf } from "./words-source.ts";

const START = 0x1000_0000;

/** A loop of two halves, of which the second one is where it is entered unless r3 is zero. */
const HALVES = [
  "cmpi 0,1,3,0",
  "bc 12,2,8",
  "b 12", // to the second half
  "addi 4,4,1", // 12: the first half,
  "lbzu 6,1(10)",
  "addi 5,5,1", // 20: the second half
  "bc 16,0,-12",
  "bclr 20,0,0",
];
const regionOf = (lines: readonly string[]): Region =>
  scan(
    sourceOf(
      START,
      lines.map((line) => asm(line)),
    ),
    [START],
    true,
    1000,
  );
/** Of each loop whether it has a block of the program as its head, by its address, and how many nodes. */
const loopsOf = (region: Region, entries: readonly number[] = [START]) => {
  const flow = buildFlow(
    region,
    entries.map((address) => nodeAt(region, address)!),
  );
  return flow.loops.map(({ header, nodes }) => [region.blocks[header]?.start, nodes.size]);
};

it("copies what lies between an entrance and the head", () => {
  const region = regionOf(HALVES);
  expect(loopsOf(region)).toEqual([[undefined, 3]]);
  const split = splitEntrances(region, START);
  expect(loopsOf(split)).toEqual([[START + 12, 2]]);
  expect(split.blocks.length).toBe(region.blocks.length + 1);
  expect(split.instructions).toBe(region.instructions + 2);
  expect(split.at).toBe(region.at);
});

it("takes entries from outside to the copy as well", () => {
  const split = splitEntrances(regionOf(HALVES), START);
  expect(nodeAt(split, START + 20)).toBe(split.blocks.length - 1);
  expect(loopsOf(split, [START, START + 20, START + 12])).toEqual([[START + 12, 2]]);
  const { addresses, heads } = chooseEntries(split, [START, START + 20], 40);
  expect(addresses).toEqual([START, START + 20, START + 12]);
  expect(heads.map((node) => split.blocks[node].start)).toEqual([START + 12]);
});

it("copies no more than it must, by way of any of three entrances", () => {
  const split = splitEntrances(
    regionOf([
      "bc 12,2,16", // to the first third
      "bc 12,6,20", // to the second one
      "bc 12,10,24", // to the third one
      "bclr 20,0,0",
      "addi 4,4,1", // 16
      "addi 4,4,1",
      "addi 5,5,1", // 24
      "addi 5,5,1",
      "addi 6,6,1", // 32
      "bc 16,0,-20",
      "bclr 20,0,0",
    ]),
    START,
  );
  expect(loopsOf(split)).toEqual([[START + 16, 3]]);
  // The third block is copied once, for two ways lead to it.
  expect(split.blocks.filter(({ start }) => start === START + 32).length).toBe(2);
  expect(split.blocks.filter(({ start }) => start === START + 24).length).toBe(2);
});

it("leaves loops alone that have one entry, call, or would take much", () => {
  const same = (lines: readonly string[]) => {
    const region = regionOf(lines);
    expect(splitEntrances(region, START)).toBe(region);
  };
  same(["addi 4,4,1", "bc 16,0,-4", "bclr 20,0,0"]);
  same([...HALVES.slice(0, 5), "bl 12", "bc 16,0,-12", "bclr 20,0,0", "bclr 20,0,0"]);
  const long = new Array(100).fill("addi 4,4,1");
  const region = regionOf(["bc 12,2,408", ...long, "addi 5,5,1", ...long, "bc 16,0,-804", "bclr 20,0,0"]);
  expect(splitEntrances(region, START).blocks.length).toBe(region.blocks.length);
});

/** Copies a string of doublewords, shifted, as glibc's memcpy does where its operands lie differently; an even number of turns or not. */
const SHIFTED = [
  "andi. 0,11,1",
  "ld 6,0(5)",
  "ld 7,8(5)",
  "subfic 9,10,64",
  "bc 12,2,28",
  "sld 0,6,10",
  "cmpi 0,1,11,1",
  "or 6,7,7",
  "addi 4,4,-8",
  "addi 11,11,-1",
  "b 40",
  "addi 5,5,8",
  "sld 0,6,10", // 48
  "srd 8,7,9",
  "cmpi 0,1,11,2",
  "ld 6,8(5)",
  "or 0,0,8",
  "addi 11,11,-2",
  "std 0,0(4)",
  "sld 0,7,10",
  "srd 8,6,9", // 80: odd ones begin here, but for the load
  "or 0,0,8",
  "bc 12,2,24",
  "ld 7,16(5)",
  "std 0,8(4)",
  "addi 5,5,16",
  "addi 4,4,16",
  "b -60",
  "std 0,8(4)",
  "b 0",
];

it.each([
  ["at once, an even number", AT_ONCE, 40n],
  ["at once, an odd one", AT_ONCE, 41n],
  ["by and by, an odd one", BY_AND_BY, 1021n],
  ["at once, up to where nothing may be stored", AT_ONCE, 3001n],
] as const)("does as the interpreter does, at every count: %s", (_, tuning, count) => {
  const [left, right] = [createCpu("ppc64", undefined), createCpu("ppc64", undefined)];
  for (const cpu of [left, right]) {
    prepare(
      cpu,
      "ppc64",
      SHIFTED.map((line) => asm(line)),
      7,
    );
    cpu.registers.setGpr(4, BigInt(DATA_START + 0x2000));
    cpu.registers.setGpr(5, BigInt(DATA_START + 8));
    cpu.registers.setGpr(10, 24n);
    cpu.registers.setGpr(11, count);
  }
  const jit = new JitEngine(right, new Translations(tuning));
  const interpreter = new Interpreter(left);
  for (let at = 0; at < 9_000; at += 37) {
    const count = at < 200 ? 1 : 37;
    expect([advance(jit, count), ...show(right)]).toEqual([advance(interpreter, count), ...show(left)]);
  }
  expect(jit.statistics.translated).toBeGreaterThan(100);
  const written = ({ memory }: typeof left) =>
    Array.from({ length: 0x800 }, (_, i) => memory.load32(DATA_START + 0x2000 + 4 * i));
  expect(written(right)).toEqual(written(left));
});
