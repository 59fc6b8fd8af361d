import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ABIS, assemble, maskOf, type TestAbi, widthOf } from "../driver.ts";
import { describeOnDrivers } from "../drivers.ts";
import { cr0, register } from "../operands.ts";

type Binary = (s: bigint, b: bigint) => bigint;
const BINARY: readonly [string, Binary][] = [
  ["and", (s, b) => s & b],
  ["or", (s, b) => s | b],
  ["xor", (s, b) => s ^ b],
  ["nand", (s, b) => ~(s & b)],
  ["nor", (s, b) => ~(s | b)],
  ["eqv", (s, b) => ~(s ^ b)],
  ["andc", (s, b) => s & ~b],
  ["orc", (s, b) => s | ~b],
];
const IMMEDIATE: readonly [string, Binary][] = [
  ["andi.", (s, i) => s & i],
  ["andis.", (s, i) => s & (i << 16n)],
  ["ori", (s, i) => s | i],
  ["oris", (s, i) => s | (i << 16n)],
  ["xori", (s, i) => s ^ i],
  ["xoris", (s, i) => s ^ (i << 16n)],
];

/** The `width` bits of a value, the most significant first. */
const bitsOf = (value: bigint, width: number) =>
  BigInt.asUintN(width, value).toString(2).padStart(width, "0");
const bytesOf = (value: bigint) =>
  Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(56 - 8 * i)) & 0xffn));
const fromBytes = (bytes: number[]) => bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
const ones = (text: string) => text.replaceAll("0", "").length;
const words = (value: bigint, f: (word: string) => number) =>
  (BigInt(f(bitsOf(value >> 32n, 32))) << 32n) | BigInt(f(bitsOf(value, 32)));
const leastBits = (word: string) => (word.match(/.{8}/g) ?? []).map((byte) => byte[7]).join("");

type Unary = (s: bigint) => bigint;
const UNARY: readonly { name: string; abis: readonly TestAbi[]; rc: boolean; f: Unary }[] = [
  { name: "extsb", abis: ABIS, rc: true, f: (s) => BigInt.asIntN(8, s) },
  { name: "extsh", abis: ABIS, rc: true, f: (s) => BigInt.asIntN(16, s) },
  { name: "extsw", abis: ["ppc64"], rc: true, f: (s) => BigInt.asIntN(32, s) },
  { name: "cntlzw", abis: ABIS, rc: true, f: (s) => BigInt(bitsOf(s, 32).match(/^0*/)![0].length) },
  { name: "cntlzd", abis: ["ppc64"], rc: true, f: (s) => BigInt(bitsOf(s, 64).match(/^0*/)![0].length) },
  { name: "cnttzw", abis: ["ppc64"], rc: true, f: (s) => BigInt(bitsOf(s, 32).match(/0*$/)![0].length) },
  { name: "cnttzd", abis: ["ppc64"], rc: true, f: (s) => BigInt(bitsOf(s, 64).match(/0*$/)![0].length) },
  { name: "popcntb", abis: ABIS, rc: false, f: (s) => fromBytes(bytesOf(s).map((b) => ones(b.toString(2)))) },
  { name: "popcntw", abis: ["ppc64"], rc: false, f: (s) => words(s, ones) },
  { name: "popcntd", abis: ["ppc64"], rc: false, f: (s) => BigInt(ones(bitsOf(s, 64))) },
  { name: "prtyw", abis: ["ppc64"], rc: false, f: (s) => words(s, (word) => ones(leastBits(word)) & 1) },
  { name: "prtyd", abis: ["ppc64"], rc: false, f: (s) => BigInt(ones(leastBits(bitsOf(s, 64))) & 1) },
];

describeOnDrivers("logical instructions", (driver) => {
  describe.each(ABIS)("%s", (abi) => {
    const model = abi === "ppc64" ? "power9" : "750";

    it.each(BINARY)("%s, with and without Rc", (name, f) => {
      fc.assert(
        fc.property(register(abi), register(abi), fc.constantFrom("", "."), (s, b, dot) => {
          const { registers } = driver.run({
            abi,
            registers: { gpr: { 4: s, 5: b } },
            words: assemble(`${name}${dot} 3,4,5`),
          });
          const result = f(s, b) & maskOf(abi);
          expect(registers.gpr[3]).toBe(result);
          expect(registers.cr >>> 28).toBe(dot ? cr0(result, widthOf(abi), 0) : 0);
        }),
      );
    });

    it.each(IMMEDIATE)("%s extends its immediate with zeros", (name, f) => {
      fc.assert(
        fc.property(register(abi), fc.integer({ min: 0, max: 0xffff }), (s, ui) => {
          const { registers } = driver.run({
            abi,
            registers: { gpr: { 4: s } },
            words: assemble(`${name} 3,4,${ui}`),
          });
          const result = f(s, BigInt(ui)) & maskOf(abi);
          expect(registers.gpr[3]).toBe(result);
          expect(registers.cr >>> 28).toBe(name.endsWith(".") ? cr0(result, widthOf(abi), 0) : 0);
        }),
      );
    });

    it.each(UNARY.filter(({ abis }) => abis.includes(abi)))("$name", ({ name, rc, f }) => {
      fc.assert(
        fc.property(register(abi), (s) => {
          const { registers } = driver.run({
            abi,
            model,
            registers: { gpr: { 4: s } },
            words: assemble(`${name}${rc ? "." : ""} 3,4`),
          });
          const result = f(s) & maskOf(abi);
          expect(registers.gpr[3]).toBe(result);
          if (rc) expect(registers.cr >>> 28).toBe(cr0(result, widthOf(abi), 0));
        }),
      );
    });
  });

  it("cmpb sets the bytes that are equal", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(255), fc.boolean()), { minLength: 8, maxLength: 8 }), (pairs) => {
        const s = fromBytes(pairs.map(([byte]) => byte));
        const b = fromBytes(pairs.map(([byte, equal]) => (equal ? byte : byte ^ 0x40)));
        const { registers } = driver.run({
          abi: "ppc64",
          registers: { gpr: { 4: s, 5: b } },
          words: assemble("cmpb 3,4,5"),
        });
        expect(registers.gpr[3]).toBe(fromBytes(pairs.map(([, equal]) => (equal ? 0xff : 0))));
      }),
    );
  });

  it("bpermd gathers the bits that the bytes of RS name", () => {
    fc.assert(
      fc.property(register("ppc64"), register("ppc64"), (s, b) => {
        const { registers } = driver.run({
          abi: "ppc64",
          registers: { gpr: { 4: s, 5: b } },
          words: assemble("bpermd 3,4,5"),
        });
        const text = bytesOf(s).map((at) => (at < 64 ? bitsOf(b, 64)[at] : "0"));
        expect(registers.gpr[3]).toBe(BigInt(`0b${text.join("")}`));
      }),
    );
  });

  it("cbcdtd and cdtbcd are inverse on all three-digit numbers", () => {
    for (let n = 0; n < 1000; n += 2) {
      const bcd = BigInt(`0x${n}`) | (BigInt(`0x${n + 1}`) << 12n);
      const value = bcd | (bcd << 32n);
      const { registers } = driver.run({
        abi: "ppc64",
        registers: { gpr: { 4: value } },
        words: assemble("cbcdtd 3,4", "cdtbcd 5,3"),
      });
      expect(registers.gpr[5]).toBe(value);
      // Numbers of small digits keep them: abc def ghi becomes abcdef0ghi.
      const digits = String(n).padStart(3, "0");
      if (/^[0-7]{3}$/.test(digits)) {
        const declet = (Number(digits[0]) << 7) | (Number(digits[1]) << 4) | Number(digits[2]);
        expect(Number(registers.gpr[3] & 0x3ffn)).toBe(declet);
      }
    }
  });

  it("addg6s has a six where a digit's sum does not carry", () => {
    fc.assert(
      fc.property(register("ppc64"), register("ppc64"), (a, b) => {
        const { registers } = driver.run({
          abi: "ppc64",
          registers: { gpr: { 4: a, 5: b } },
          words: assemble("addg6s 3,4,5"),
        });
        let expected = 0n;
        for (let digit = 0n; digit < 16n; digit++) {
          const through = (1n << (4n * digit + 4n)) - 1n;
          const carries = (a & through) + (b & through) > through;
          if (!carries) expected |= 6n << (4n * digit);
        }
        expect(registers.gpr[3]).toBe(expected);
      }),
    );
  });
});
