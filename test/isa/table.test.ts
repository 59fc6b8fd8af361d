import { describe, expect, it } from "vitest";
import { bits } from "../../emu/isa/bit-numbers.ts";
import { decode } from "../../emu/isa/decoder.ts";
import { reservedBits } from "../../emu/isa/disassembler.ts";
import type { Instruction } from "../../emu/isa/instruction.ts";
import { operand } from "../../emu/isa/operands.ts";
import { INSTRUCTIONS, instructionNamed } from "../../emu/isa/table.ts";
import { PARTS } from "../../emu/isa/tables.ts";

/** Rows whose opcode bits include another row's, and so are found before it; the manual defines them so. */
const NESTED: Readonly<Record<string, string>> = {
  mffsce: "mffs",
  mffscdrn: "mffs",
  mffscdrni: "mffs",
  mffscrn: "mffs",
  mffscrni: "mffs",
  mffsl: "mffs",
};

const overlaps = (a: Instruction, b: Instruction): boolean => ((a.match ^ b.match) & a.mask & b.mask) === 0;
const includes = (outer: number, inner: number): boolean => (outer & inner) === inner;

describe("the instruction table", () => {
  it("has each mnemonic once", () => {
    expect(new Set(INSTRUCTIONS().map((row) => row.name)).size).toBe(INSTRUCTIONS().length);
    for (const row of INSTRUCTIONS()) expect(instructionNamed(row.name)).toBe(row);
  });

  it("has no word that is two instructions, but for the rows documented as nested", () => {
    const found: Record<string, string> = {};
    for (const a of INSTRUCTIONS()) {
      for (const b of INSTRUCTIONS()) {
        if (a === b || !overlaps(a, b)) continue;
        expect(includes(a.mask, b.mask) || includes(b.mask, a.mask), `${a.name} and ${b.name}`).toBe(true);
        if (includes(a.mask, b.mask)) found[a.name] = b.name;
      }
    }
    expect(found).toEqual(NESTED);
  });

  it.each(INSTRUCTIONS().map((row) => [row.name, row] as const))("%s has sound fields", (_, row) => {
    expect(row.match & ~row.mask).toBe(0);
    expect(includes(row.mask, bits(0, 5))).toBe(true);
    let used = row.mask;
    const claim = (mask: number, what: string): void => {
      expect(used & mask, what).toBe(0);
      used |= mask;
    };
    for (const name of row.operands) claim(operand(name).mask, name);
    if (row.rc || row.lk) claim(bits(31, 31), "Rc or LK");
    if (row.aa) claim(bits(30, 30), "AA");
    if (row.oe || row.vrc) claim(bits(21, 21), "OE or Rc");
    expect(reservedBits(row)).toBe(~used);
    expect(row.section).toMatch(/^(I|II|III)\.[0-9A-F]+(\.\d+)* \S/);
  });

  it("has every scalar row through ISA 3.0 marked as implemented", () => {
    const scalar = new Set(["base", "64", "fp", "fp64"]);
    for (const row of INSTRUCTIONS()) {
      if (!scalar.has(row.facility) || row.version === "3.1") continue;
      expect(row.implemented, row.name).toBe(true);
    }
  });
});

describe("the parts of the table", () => {
  it("state the primary opcodes of their rows", () => {
    for (const { opcodes, rows } of PARTS) {
      expect([...new Set(rows().map(({ match }) => match >>> 26))].sort((a, b) => a - b)).toEqual(opcodes);
    }
  });
});

describe("decode", () => {
  it("finds every row from its opcode", () => {
    for (const row of INSTRUCTIONS()) expect(decode(row.match), row.name).toBe(row);
  });

  it("takes the word as a signed and as an unsigned number", () => {
    expect(decode(0xfc00048e)?.name).toBe("mffs");
    expect(decode(0xfc00048e | 0)?.name).toBe("mffs");
  });

  it("does not look at reserved bits", () => {
    expect(decode(0x7c0004ad)?.name).toBe("sync");
    expect(decode(0x7c632214 | 1)?.name).toBe("add");
    expect(decode(0x7c601a6e)?.name).toBe(decode(0x7c601a6f)?.name);
  });

  it("tells mffs from its sisters by bits 11 to 15, and takes it where they are none of them", () => {
    expect(decode(0xfc00048e | (24 << 16))?.name).toBe("mffsl");
    expect(decode(0xfc00048e | (23 << 16))?.name).toBe("mffscrni");
    expect(decode(0xfc00048e | (9 << 16))?.name).toBe("mffs");
  });

  it("finds nothing in words that are no instruction", () => {
    for (const word of [0, 0x04000000, 0x14000000, 0x7c0007fe, 0xfc000002]) {
      expect(decode(word), word.toString(16)).toBeUndefined();
    }
  });
});
