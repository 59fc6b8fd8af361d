/** Loops that access storage in strides: the guards of many turns are looked at together, and nothing else differs. */
import { it } from "vitest";
import type { Cpu } from "../../emu/cpu/cpu.ts";
import { PAGE_SIZE } from "../../emu/memory/layout.ts";
import { PROT_READ, PROT_WRITE } from "../../emu/memory/vma.ts";
import { AT_ONCE, BY_AND_BY } from "./engines-agree.ts";
import { type Case, END, hold, ONE_ENTRY } from "./held-loops.ts";
import { DATA_START } from "./random-programs.ts";

/** Each of them ends by a fault, or in an endless loop. */
const CASES: Readonly<Record<string, Case>> = {
  "loads up to where nothing is": {
    lines: ["lwzu 9,4(3)", "add 4,4,9", "b -8"],
    gprs: { 3: DATA_START + 0x1ffe },
    length: 12_400,
  },
  "stores up to where one may only read, across pages": {
    lines: ["lwz 9,6(3)", "stw 9,2(3)", "addi 3,3,12", "addi 4,4,1", "b -16"],
    gprs: { 3: DATA_START + 1 },
    length: 7_000,
  },
  "loads down to where nothing is": {
    lines: ["lhz 9,-2(3)", "addi 3,3,-6", "add 4,4,9", "b -12"],
    gprs: { 3: END - 1 },
    length: 11_000,
  },
  "loads and stores in different strides, up and down": {
    lines: ["lwz 9,0(3)", "stw 9,0(5)", "addi 3,3,-4", "addi 5,5,8", "b -16"],
    gprs: { 3: END - 4, 5: DATA_START + 4 },
    length: 11_000,
  },
  "an index that grows, and another one that falls": {
    lines: ["lbzx 9,3,5", "stbx 9,6,5", "addi 5,5,3", "addi 6,6,-5", "b -16"],
    gprs: { 3: DATA_START, 5: 0, 6: END - 1 },
    length: 28_000,
  },
  "strides of nearly a page": {
    lines: [
      "lwz 9,4000(3)",
      "lwz 10,0(3)",
      "addi 3,3,4000",
      "xor 4,4,10",
      "cmp 0,0,3,7",
      "bc 12,0,-20",
      "subf 3,8,3",
      "b -28",
    ],
    gprs: { 3: DATA_START, 7: END - 4000, 8: 12_000 },
    length: 2_000,
  },
  "turns of different lengths": {
    lines: [
      "lwz 9,0(3)",
      "andi. 10,9,3",
      "bc 4,2,16",
      "addi 4,4,1",
      "addi 4,4,2",
      "addi 4,4,3",
      "addi 3,3,4",
      "b -28",
    ],
    gprs: { 3: DATA_START + 0x10 },
    length: 25_000,
  },
  "a stride that not every turn makes": {
    lines: ["lwz 9,0(3)", "andi. 10,9,3", "bc 4,2,8", "addi 3,3,4", "addi 3,3,4", "b -20"],
    gprs: { 3: DATA_START + 2 },
    length: 20_000,
  },
  "an access that not every turn makes": {
    lines: ["lwz 9,0(3)", "addi 3,3,4", "andi. 10,9,12", "bc 4,2,-12", "stw 9,64(3)", "b -20"],
    gprs: { 3: DATA_START },
    length: 20_000,
  },
  "a stride of an inner loop": {
    lines: [
      "addi 5,0,5",
      "mtspr 9,5",
      "lwzu 9,4(3)",
      "add 4,4,9",
      "bc 16,0,-8",
      "addi 3,3,40",
      "stw 4,0(3)",
      "b -28",
    ],
    gprs: { 3: DATA_START },
    length: 5_500,
  },
};

for (const abi of ["ppc32", "ppc64", "ppc64le"] as const) {
  it.each(Object.keys(CASES))(`does as the interpreter does: ${abi}, %s`, (name) => {
    hold(abi, CASES[name], AT_ONCE);
    hold(abi, CASES[name], ONE_ENTRY);
    hold(abi, CASES[name], BY_AND_BY);
  });
}

it.each(["ppc32", "ppc64"] as const)("knows what has changed since a turn ended it: %s", (abi) => {
  const protect = ({ memory }: Cpu) => memory.protect(END - PAGE_SIZE, END, PROT_READ);
  const { lines } = CASES["stores up to where one may only read, across pages"];
  hold(abi, { lines, gprs: { 3: DATA_START }, length: 6_000 }, ONE_ENTRY, protect);
});

it("does not go below the first page", () => {
  const { lines } = CASES["loads down to where nothing is"];
  const low = ({ memory, registers }: Cpu) => {
    memory.map({ start: 0, end: 2 * PAGE_SIZE, prot: PROT_READ | PROT_WRITE, offset: 0 });
    registers.setGpr(3, BigInt(PAGE_SIZE + 1096));
  };
  for (const abi of ["ppc32", "ppc64", "ppc64le"] as const)
    hold(abi, { lines, gprs: { 3: END }, length: 14_000 }, ONE_ENTRY, low);
});
