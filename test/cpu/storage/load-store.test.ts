import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ABIS, assemble, DATA, DATA_END, maskOf, type TestAbi } from "../driver.ts";
import { describeOnDrivers } from "../drivers.ts";
import { register } from "../operands.ts";

interface Access {
  name: string;
  size: number;
  isSigned?: boolean;
  reversed?: boolean;
  /** Which of the forms d, x, u, ux there are. */
  forms: string[];
  abis?: readonly TestAbi[];
}
const ALL = ["", "x", "u", "ux"];
const ONLY64 = { abis: ["ppc64"] } as const;
const LOADS: readonly Access[] = [
  { name: "lbz", size: 1, forms: ALL },
  { name: "lhz", size: 2, forms: ALL },
  { name: "lha", size: 2, isSigned: true, forms: ALL },
  { name: "lwz", size: 4, forms: ALL },
  { name: "lwa", size: 4, isSigned: true, forms: ["", "x", "ux"], ...ONLY64 },
  { name: "ld", size: 8, forms: ALL, ...ONLY64 },
  { name: "lhbr", size: 2, reversed: true, forms: ["x"] },
  { name: "lwbr", size: 4, reversed: true, forms: ["x"] },
  { name: "ldbr", size: 8, reversed: true, forms: ["x"], ...ONLY64 },
];
const STORES: readonly Access[] = [
  { name: "stb", size: 1, forms: ALL },
  { name: "sth", size: 2, forms: ALL },
  { name: "stw", size: 4, forms: ALL },
  { name: "std", size: 8, forms: ALL, ...ONLY64 },
  { name: "sthbr", size: 2, reversed: true, forms: ["x"] },
  { name: "stwbr", size: 4, reversed: true, forms: ["x"] },
  { name: "stdbr", size: 8, reversed: true, forms: ["x"], ...ONLY64 },
];
const forAbi = (accesses: readonly Access[], abi: TestAbi) =>
  accesses
    .filter(({ abis }) => abis?.includes(abi) ?? true)
    .flatMap((access) => access.forms.map((form) => ({ ...access, form, mnemonic: access.name + form })));

/** "lwz 3,D(4)" or "lwzx 3,4,5", with registers for RA and RB that make the address. */
function place(form: string, mnemonic: string, address: number, offset: number, abi: TestAbi) {
  const base = BigInt(address - offset);
  const indexed = form.includes("x");
  return {
    words: assemble(indexed ? `${mnemonic} 3,4,5` : `${mnemonic} 3,${offset}(4)`),
    gpr: { 4: base, 5: indexed ? BigInt(offset) & maskOf(abi) : 0n },
  };
}

describeOnDrivers("loads and stores", (driver) => {
  describe.each(ABIS)("%s", (abi) => {
    const bytes = fc.array(fc.nat(255), { minLength: 8, maxLength: 8 });
    /** Unaligned too; of displacements the multiples of four that DS forms take. */
    const address = fc.integer({ min: DATA, max: DATA_END - 8 });
    const offset = fc.integer({ min: -0x2000, max: 0x1fff }).map((n) => 4 * n);

    it.each(forAbi(LOADS, abi))("$mnemonic", ({ mnemonic, form, size, isSigned, reversed }) => {
      fc.assert(
        fc.property(bytes, address, offset, (contents, at, displacement) => {
          const { words, gpr } = place(form, mnemonic, at, displacement, abi);
          const { registers, signal } = driver.run({
            abi,
            registers: { gpr: { 3: 0xffff_ffffn, ...gpr } },
            memory: [{ address: at, bytes: contents }],
            words,
          });
          expect(signal).toBeUndefined();
          const read = reversed ? contents.slice(0, size).reverse() : contents.slice(0, size);
          const value = read.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
          const extended = isSigned ? BigInt.asIntN(8 * size, value) & maskOf(abi) : value;
          expect(registers.gpr[3]).toBe(extended);
          expect(registers.gpr[4]).toBe(form.includes("u") ? BigInt(at) : gpr[4]);
        }),
      );
    });

    it.each(forAbi(STORES, abi))("$mnemonic", ({ mnemonic, form, size, reversed }) => {
      fc.assert(
        fc.property(register(abi), address, offset, (value, at, displacement) => {
          const { words, gpr } = place(form, mnemonic, at, displacement, abi);
          const before = Array.from({ length: 8 }, () => 0xa5);
          const { registers, memory } = driver.run({
            abi,
            registers: { gpr: { 3: value, ...gpr } },
            memory: [{ address: at, bytes: before }],
            words,
          });
          const stored = Array.from({ length: size }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
          if (!reversed) stored.reverse();
          expect(memory[0].bytes).toEqual([...stored, ...before.slice(size)]);
          expect(registers.gpr[4]).toBe(form.includes("u") ? BigInt(at) : gpr[4]);
        }),
      );
    });

    it("reads (RA|0) as zero for RA = 0", () => {
      const { registers } = driver.run({
        abi,
        registers: { gpr: { 0: 0x5555n, 5: BigInt(DATA) } },
        memory: [{ address: DATA, bytes: [1, 2, 3, 4] }],
        words: assemble("lwzx 3,0,5"),
      });
      expect(registers.gpr[3]).toBe(0x0102_0304n);
    });

    it("a store with update of its own base stores the old value", () => {
      const { registers, memory } = driver.run({
        abi,
        registers: { gpr: { 1: BigInt(DATA + 64) } },
        memory: [{ address: DATA, bytes: [0, 0, 0, 0] }],
        words: assemble("stwu 1,-64(1)"),
      });
      expect(registers.gpr[1]).toBe(BigInt(DATA));
      expect(memory[0].bytes).toEqual([0x20, 0, 0, 64]);
    });

    it("makes updates of RA = 0, and loads that update RT, illegal", () => {
      const signal = (line: string) => driver.run({ abi, registers: {}, words: assemble(line) }).signal;
      for (const line of ["lwzu 3,4(0)", "lwzu 3,4(3)", "lbzux 3,3,5", "stwu 3,4(0)", "sthux 3,0,4"]) {
        expect([line, signal(line)]).toEqual([line, "SIGILL"]);
      }
    });

    it("leaves RA and RT alone when the access faults, and names the address", () => {
      const { registers, signal, faultAddress, nia } = driver.run({
        abi,
        registers: { gpr: { 3: 7n, 4: BigInt(DATA_END - 6) } },
        words: assemble("lwzu 3,4(4)"),
      });
      expect(signal).toBe("SIGSEGV");
      expect([registers.gpr[3], registers.gpr[4]]).toEqual([7n, BigInt(DATA_END - 6)]);
      // Of an access over two pages the one that is missing.
      expect(faultAddress).toBe(BigInt(DATA_END));
      expect(nia & 0xfffn).toBe(0n);
    });
  });

  it("32-bit addresses wrap around, 64-bit ones with an upper half fault with all their bits", () => {
    const run = (abi: TestAbi) =>
      driver.run({
        abi,
        registers: { gpr: { 4: 0xffff_fff0n, 5: BigInt(DATA + 16) } },
        memory: [{ address: DATA, bytes: [1, 2, 3, 4] }],
        words: assemble("lwzx 3,4,5"),
      });
    expect(run("ppc32").registers.gpr[3]).toBe(0x0102_0304n);
    const far = run("ppc64");
    expect([far.signal, far.faultAddress]).toEqual(["SIGSEGV", 0x1_0000_0000n + BigInt(DATA)]);
    const negative = driver.run({
      abi: "ppc64",
      registers: { gpr: { 4: 8n } },
      words: assemble("std 3,-16(4)"),
    });
    expect([negative.signal, negative.faultAddress]).toEqual(["SIGSEGV", 0xffff_ffff_ffff_fff8n]);
  });
});
