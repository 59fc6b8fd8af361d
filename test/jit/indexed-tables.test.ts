/** Loops with tables: guards of a whole table are looked at before the loop, and nothing else differs. */
import { it } from "vitest";
import type { Cpu } from "../../emu/cpu/cpu.ts";
import { PAGE_SIZE } from "../../emu/memory/layout.ts";
import { PROT_READ } from "../../emu/memory/vma.ts";
import { AT_ONCE } from "./engines-agree.ts";
import { type Case, END, hold, ONE_ENTRY } from "./held-loops.ts";
import { DATA_START } from "./random-programs.ts";

/** r5 counts up, r4 takes what has been read, r3 and r6 are tables. */
const CASES: Readonly<Record<string, Case>> = {
  "all of a table": {
    lines: ["addi 5,5,1", "rlwinm 9,5,2,20,29", "lwzx 8,3,9", "add 4,4,8", "b -16"],
    gprs: { 3: DATA_START + 0x1ffc, 5: 0 },
    length: 8_000,
  },
  "a part of a table that has no end": {
    lines: ["addi 5,5,1", "rlwinm 9,5,2,20,29", "lwzx 8,9,3", "add 4,4,8", "b -16"],
    gprs: { 3: END + PAGE_SIZE - 0xc00, 5: 0 },
    length: 4_500,
  },
  "a part of a table of nine pages, more than are looked at": {
    lines: ["addi 5,5,1", "rlwinm 9,5,4,17,27", "lwzx 8,3,9", "add 4,4,8", "b -16"],
    gprs: { 3: DATA_START + 0x10, 5: 0 },
    length: 6_900,
  },
  "a part of a table into which nothing may be stored": {
    lines: ["addi 5,5,1", "andi. 9,5,4095", "stbx 5,9,3", "lbzx 8,3,9", "add 4,4,8", "b -20"],
    gprs: { 3: END - 0x400, 5: 0 },
    length: 7_000,
  },
  "a small part of a table into which nothing may be stored": {
    lines: ["addi 5,5,1", "andi. 9,5,4095", "lbzx 8,3,9", "rlwinm 10,5,0,24,31", "stbx 5,3,10", "b -20"],
    gprs: { 3: END - 0x80, 5: 0 },
    length: 1_000,
  },
  "tables of bytes, by what has been read": {
    lines: ["lbzx 9,3,9", "lbzx 9,6,9", "add 4,4,9", "add 9,9,4", "rlwinm 9,9,0,24,31", "b -20"],
    gprs: { 3: DATA_START + 0xff1, 6: DATA_START + 0x2f80, 4: 0, 9: 0 },
    length: 9_000,
  },
  "an element of a record in a table": {
    lines: [
      "addi 5,5,1",
      "rlwinm 9,5,3,19,28",
      "add 9,6,9",
      "lwz 8,12(9)",
      "stw 8,16(9)",
      "sth 5,2(9)",
      "b -24",
    ],
    gprs: { 6: END - 0x1810, 5: 0 },
    length: 9_000,
  },
  "an inner loop with a table": {
    lines: [
      "addi 7,0,6",
      "mtspr 9,7",
      "addi 5,5,1",
      "rlwinm 9,5,2,22,29",
      "lwzx 8,3,9",
      "add 4,4,8",
      "bc 16,0,-16",
      "stwu 4,8(6)",
      "b -32",
    ],
    gprs: { 3: DATA_START + 0x100, 5: 0, 6: DATA_START + 0x1000 },
    length: 9_000,
  },
  "shifts by what is known to be less than a word, and is not": {
    lines: [
      "addi 5,5,1",
      "rlwinm 9,5,0,27,31",
      "subfic 10,9,31",
      "srw 8,4,9",
      "slw 4,4,10",
      "add 4,4,5",
      "rlwinm 9,5,0,26,31",
      "srw 10,4,9",
      "slw 8,8,9",
      "xor 4,4,10",
      "xor 4,4,8",
      "b -44",
    ],
    gprs: { 4: 0x1234567, 5: 0 },
    length: 6_000,
  },
};

for (const abi of ["ppc32", "ppc64", "ppc64le"] as const) {
  it.each(Object.keys(CASES))(`does as the interpreter does: ${abi}, %s`, (name) => {
    hold(abi, CASES[name], AT_ONCE);
    hold(abi, CASES[name], ONE_ENTRY);
  });
}

it.each(["ppc64", "ppc64le"] as const)("shifts by what is known to be less than a doubleword: %s", (abi) => {
  const lines = [
    "addi 5,5,1",
    "rldicl 9,5,0,58",
    "subfic 10,9,63",
    "srd 8,4,9",
    "sld 4,4,10",
    "add 4,4,5",
    "rldicl 9,5,0,57",
    "srd 10,4,9",
    "sld 8,8,9",
    "xor 4,4,10",
    "xor 4,4,8",
    "b -44",
  ];
  hold(abi, { lines, gprs: { 4: 0x1234567, 5: 0 }, length: 6_000 }, ONE_ENTRY);
});

it.each(["ppc32", "ppc64"] as const)("knows what has changed since the loop was left: %s", (abi) => {
  const protect = ({ memory }: Cpu) => memory.protect(END - PAGE_SIZE, END, PROT_READ);
  const { lines } = CASES["a part of a table into which nothing may be stored"];
  hold(abi, { lines, gprs: { 3: END - 0x1800, 5: 0 }, length: 6_000 }, ONE_ENTRY, protect);
});
