import { expect, it } from "vitest";
import { isInvalidForm } from "../../emu/isa/aliases.ts";
import { disassemble, disassembleWords, reservedBits } from "../../emu/isa/disassembler.ts";
import { asm, fieldsOf } from "../../emu/isa/encoder.ts";
import type { Instruction } from "../../emu/isa/instruction.ts";
import { extract, operand } from "../../emu/isa/operands.ts";
import { PREFIXED, R, reservedPrefixed } from "../../emu/isa/prefixed-table.ts";
import { INSTRUCTIONS } from "../../emu/isa/table.ts";
import { inTemporaryDirectory } from "../support/guests.ts";
import { describeWithTools } from "../support/tools.ts";
import { BINUTILS, gnuAssemble, gnuDisassemble, STATIC_TARGETS } from "./binutils.ts";

const BASE = 0x1000_0000;

/** A reproducible stream of 32-bit numbers (xorshift). */
function numbers(seed: number): () => number {
  let x = seed;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x;
  };
}

/** The last bit of a decimal pair that is a target, which objdump wants clear but in the listed row. */
const TARGET_PAIR = 1 << 21;
const hasTargetPair = ({ name, facility, operands }: Instruction): boolean =>
  facility === "dfp" && operands.includes("FRTP") && name !== "dcffixqq";

/** Words of a row with random, sparse, dense and equal fields, reserved bits clear but those of odd pairs now and then. */
function* wordsOf(row: Instruction, count: number, next: () => number): Generator<number> {
  const pair = hasTargetPair(row) ? TARGET_PAIR : 0;
  const clear = ~row.mask & ~reservedBits(row);
  for (let k = 0; k < count; k++) {
    const free = k % 16 === 15 ? clear | pair : clear;
    let word = next();
    if (k % 4 === 1) word &= next() & next();
    if (k % 4 === 2) word |= next() | next();
    if (k % 5 === 0) {
      const register = (word >>> 21) & 31;
      word = (word & ~0x03fff800) | (register << 21) | (register << 16) | (register << 11);
    }
    yield row.match | (word & free);
  }
}

/** The row's own mnemonic and operands, with no simplified mnemonic, as GNU as takes them. */
function plainText(row: Instruction, word: number): string {
  const { values, suffixes } = fieldsOf(row, word);
  let text = "";
  row.operands.forEach((name, i) => {
    const field = operand(name);
    const value =
      field.kind === "target" ? (suffixes.aa ? `${values[i]}` : `.+(${values[i]})`) : `${values[i]}`;
    const previous = i > 0 && operand(row.operands[i - 1]).kind === "displacement";
    text += previous ? `(${value})` : `${text === "" ? " " : ","}${value}`;
  });
  const marks = [
    suffixes.oe ? "o" : "",
    suffixes.rc ? "." : "",
    suffixes.lk ? "l" : "",
    suffixes.aa ? "a" : "",
  ];
  return row.name + marks.join("") + text;
}

/** Fields that GNU as allows some values of only, and one it does allow. */
const ALLOWED: Readonly<Record<string, string>> = {
  bc: "bc 12,2,.+(16)",
  bcctr: "bcctr 20,2,1",
  bclr: "bclr 12,2,1",
  bctar: "bctar 12,2,1",
  mtcrf: "mtcrf 0x81,3",
  mtocrf: "mtocrf 8,3",
  mfocrf: "mfocrf 3,64",
  sync: "sync 1,0",
  dcbf: "dcbf 3,4,1",
  dcbz: "dcbz 3,4",
  dcba: "dcba 3,4",
  wait: "wait 0,0",
  lmw: "lmw 29,8(3)",
  lswi: "lswi 3,12,32",
  lswx: "lswx 3,9,10",
};

describeWithTools("encodings, against GNU as", BINUTILS, () => {
  it("are the same for every row", async () => {
    const next = numbers(0x1234567);
    // "wait" of ISA 2.06 has the name of the later one; GNU as makes mfspr of mftb.
    const rows = INSTRUCTIONS().filter(({ name }) => name !== "wait62" && name !== "mftb");
    const lines = rows.flatMap((row) => {
      const allowed = ALLOWED[row.name];
      if (allowed !== undefined) return [allowed];
      const words: number[] = [];
      for (const word of wordsOf(row, 60, next)) {
        const registers = row.operands.map((name) => extract(operand(name), word));
        // Update forms and pairs need registers that differ.
        const distinct = new Set(registers).size === registers.length && !registers.includes(0);
        if (isInvalidForm(row.name, word)) continue;
        if ((distinct || registers.length < 2) && words.length < 4) words.push(word);
      }
      if (words.length === 0) words.push(row.match);
      return words.map((word) => plainText(row, word));
    });
    const words = await gnuAssemble(lines);
    expect(words).toHaveLength(lines.length);
    const differing = lines.filter((line, i) => asm(line.replace(/\.\+\((-?\d+)\)/, "$1")) !== words[i]);
    expect(differing).toEqual([]);
  });
});

/** Rows where random words differ from objdump's text, and why; all others must agree on every word. */
const RANDOM_DIFFERENCES: Readonly<Record<string, string>> = {
  lq: "with RA = RT, invalid for the architecture, objdump falls back to the Gekko's psq_l",
  lmw: "with RA in the range loaded, objdump falls back to POWER's lm",
  lswi: "with RA in the range loaded, objdump falls back to POWER's lsi",
};

const INVALID =
  "an invalid form, for which objdump falls back to POWER's name where it is not told the processor";
const PHASED_OUT = "POWER10 no longer has it";
/** The same where objdump is to know of POWER10's instructions only. */
const POWER10_DIFFERENCES: Readonly<Record<string, string>> = {
  ...RANDOM_DIFFERENCES,
  ...Object.fromEntries(["lswx", "lwzu", "lwzux", "stwu", "stwux"].map((name) => [name, INVALID])),
  bclr: "with the hint y of processors before ISA 2.0",
  bcctr: "with the hint y of processors before ISA 2.0",
  ...Object.fromEntries(
    [
      ...["mcrxr", "lfdp", "lfdpx", "stfdp", "stfdpx", "dcba", "mfsr", "mfsrin", "mtsr", "mtsrin"],
      ...["doze", "nap", "sleep", "rvwinkle", "rfci", "wait62"],
    ].map((name) => [name, PHASED_OUT]),
  ),
};

describeWithTools("random words of every row, against objdump", BINUTILS, () => {
  it.each([
    { dialect: "all processors", options: [], listed: RANDOM_DIFFERENCES },
    { dialect: "POWER10", options: ["-M", "power10"], listed: POWER10_DIFFERENCES },
  ])("are written the same, but for the listed rows, for $dialect", async ({ options, listed }) => {
    const next = numbers(0x7654321);
    const rows: Instruction[] = [];
    const words: number[] = [];
    for (const row of INSTRUCTIONS()) {
      for (const word of wordsOf(row, 80, next)) {
        rows.push(row);
        words.push(word);
      }
    }
    const lines = await gnuDisassemble(words, BASE, options);
    expect(lines).toHaveLength(words.length);
    const differing: string[] = [];
    const met = new Set<string>();
    lines.forEach(({ address, word, text }, i) => {
      const ours = disassemble(word, address, { is64: true });
      if (ours === text) return;
      met.add(rows[i].name);
      if (!(rows[i].name in listed)) {
        differing.push(`${word.toString(16)}: ${ours} | ${text}`);
      }
    });
    expect(differing).toEqual([]);
    expect([...met].sort()).toEqual(Object.keys(listed).sort());
  });
});

describeWithTools("random prefixed instructions, against objdump", BINUTILS, () => {
  it("are written the same, whatever their reserved bits", async () => {
    const next = numbers(0x3141592);
    const pairs: [number, number][] = [];
    for (const row of PREFIXED()) {
      const [reservedPrefix, reservedSuffix] = reservedPrefixed(row);
      for (let k = 0; k < 120; k++) {
        let prefix = next() & ~row.prefix.mask & (k % 8 === 7 ? -1 : ~reservedPrefix);
        let suffix = next() & ~row.suffix.mask & (k % 8 === 6 ? -1 : ~reservedSuffix);
        if (k % 4 === 1) prefix &= ~R;
        // RA is 0 where the displacement counts from the instruction.
        if (k % 4 !== 1 && row.operands.includes("RA0") && k % 16 !== 0) suffix &= ~0x001f_0000;
        pairs.push([row.prefix.match | prefix, row.suffix.match | suffix]);
      }
    }
    const lines = await gnuDisassemble(pairs.flat(), BASE);
    const differing = pairs.flatMap(([prefix, suffix], i) => {
      const { text, address } = lines[2 * i];
      const options = { is64: true };
      const ours = disassembleWords(prefix, () => suffix, address, options).text;
      return ours === text ? [] : [`${prefix.toString(16)} ${suffix.toString(16)}: ${ours} | ${text}`];
    });
    expect(lines).toHaveLength(2 * pairs.length);
    expect(differing).toEqual([]);
  });
});

for (const { name, tools, is64, build, objdump } of STATIC_TARGETS) {
  describeWithTools(`the text of a static ${name} program, against objdump`, tools, () => {
    it("is written the same, line by line", () =>
      inTemporaryDirectory(async (directory) => {
        const lines = await objdump(await build(directory));
        expect(lines.length).toBeGreaterThan(100_000);
        const differing = lines
          .map(({ address, word, text }) => ({ word, text, ours: disassemble(word, address, { is64 }) }))
          .filter(({ text, ours }) => text !== ours);
        expect(differing).toEqual([]);
      }));
  });
}
