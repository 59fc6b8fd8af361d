import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decode } from "../../emu/isa/decoder.ts";
import { reservedBits } from "../../emu/isa/disassembler.ts";
import { asm, encode, fieldsOf } from "../../emu/isa/encoder.ts";
import { extract, insert, operand } from "../../emu/isa/operands.ts";
import { INSTRUCTIONS, instructionNamed } from "../../emu/isa/table.ts";

describe("encode", () => {
  it("gives a word back from its row and fields, for any word of any row", () => {
    fc.assert(
      fc.property(fc.constantFrom(...INSTRUCTIONS()), fc.integer(), (row, random) => {
        const word = row.match | (random & ~row.mask & ~reservedBits(row));
        const found = decode(word);
        expect(found).toBeDefined();
        if (found !== row) return; // a nested row: it has a turn of its own
        const { values, suffixes } = fieldsOf(row, word);
        expect(encode(row, values, suffixes)).toBe(word);
      }),
      { numRuns: 20_000 },
    );
  });

  it("puts every value of an operand where extract finds it", () => {
    const names = [...new Set(INSTRUCTIONS().flatMap((row) => row.operands))];
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.nat(), (name, random) => {
        const field = operand(name);
        const steps = (field.max - field.min) / 2 ** field.shift + 1;
        const value = field.min + (random % steps) * 2 ** field.shift;
        const word = insert(field, value);
        expect(word & ~field.mask).toBe(0);
        expect(extract(field, word)).toBe(value);
      }),
      { numRuns: 5_000 },
    );
  });

  it.each([
    ["addi", [3, 4, 32768]],
    ["addi", [3, 4, -32769]],
    ["addi", [32, 4, 0]],
    ["ld", [3, 2, 1]],
    ["lq", [3, 0, 1]],
    ["b", [2]],
    ["b", [2 ** 25]],
    ["ori", [3, 4, -1]],
    ["add", [3, 4]],
    ["add", [3, 4, 5, 6]],
    ["rlwinm", [3, 4, 32, 0, 31]],
  ] as const)("refuses %s %j", (name, values) => {
    expect(() => encode(instructionNamed(name)!, values)).toThrow(RangeError);
  });

  it("refuses a suffix that the instruction does not have", () => {
    expect(() => encode(instructionNamed("mulhw")!, [3, 4, 5], { oe: true })).toThrow(/mulhw.*"o"/);
    expect(() => encode(instructionNamed("lwz")!, [3, 4, 5], { rc: true })).toThrow(RangeError);
  });
});

describe("asm", () => {
  // Words as GNU as 2.40 gives them.
  it.each([
    ["addi 3,4,-5", 0x3864fffb],
    ["addi r3,r4,-5", 0x3864fffb],
    ["subfc. 3,4,5", 0x7c642811],
    ["addo 3,4,5", 0x7c642e14],
    ["subfeo. 3,4,5", 0x7c642d11],
    ["addic. 3,4,1", 0x34640001],
    ["andi. 3,4,0xffff", 0x7083ffff],
    ["lwz 3,8(1)", 0x80610008],
    ["stdu r1,-112(r1)", 0xf821ff91],
    ["lmw 29, -12 ( 1 )", 0xbba1fff4],
    ["lswi 3,4,32", 0x7c6404aa],
    ["stwcx. 3,0,4", 0x7c60212d],
    ["lwarx 3,0,4", 0x7c602028],
    ["lwarx 3,0,4,1", 0x7c602029],
    ["rldicl 3,4,40,60", 0x78834722],
    ["sradi. 3,4,63", 0x7c83fe77],
    ["b 16", 0x48000010],
    ["bl -8", 0x4bfffff9],
    ["bla 0x100", 0x48000103],
    ["bc 12,eq,16", 0x41820010],
    ["bcl 20,31,4", 0x429f0005],
    ["bclr 20,0", 0x4e800020],
    ["bcctrl 20,0", 0x4e800421],
    ["cmp cr7,0,3,4", 0x7f832000],
    ["crand 4*cr1+eq,lt,31", 0x4cc0fa02],
    ["isel 3,4,5,4*cr7+gt", 0x7c642f5e],
    ["mtspr 8,0", 0x7c0803a6],
    ["mfocrf 3,0x80", 0x7c780026],
    ["fmadd. f1,f2,f3,f4", 0xfc2220fb],
    ["fcmpu 0,1,2", 0xfc011000],
    ["mtfsf 255,1", 0xfdfe0d8e],
    ["sync", 0x7c0004ac],
    ["sync 1", 0x7c2004ac],
    ["sc", 0x44000002],
    ["vcmpequw. v1,v2,v3", 0x10221c86],
    ["lxvd2x vs33,0,4", 0x7c202699],
  ] as const)("assembles %s", (line, word) => {
    expect((asm(line) >>> 0).toString(16)).toBe(word.toString(16));
  });

  it.each([
    "",
    "nonsense 1,2",
    "addi 3,4",
    "addi 3,f4,1",
    "addi 3,4,x",
    "lwz. 3,4(5)",
    "bc 12,xx,8",
    "add 1,2,3,4",
  ])('refuses "%s"', (line) => {
    expect(() => asm(line)).toThrow();
  });
});
