import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ABIS, assemble, maskOf, type TestAbi, widthOf, XER_OV, XER_OV32, XER_SO } from "../driver.ts";
import { describeOnDrivers } from "../drivers.ts";
import { cr0, immediate, register, signed } from "../operands.ts";

const u = (value: bigint, width: number) => BigInt.asUintN(width, value);
const quotient = (a: bigint, b: bigint) => (b === 0n ? undefined : a / b);

/**
 * The exact result of each instruction on operands of `width` bits, which must fit in as many, or undefined. Of the word
 * instructions only the low 32 bits of the result are looked at, but of mullw.
 */
interface Operation {
  name: string;
  width: 32 | 64;
  oe?: boolean;
  isSigned: boolean;
  exact: (a: bigint, b: bigint) => bigint | undefined;
}
const OPERATIONS: readonly Operation[] = [
  { name: "mulhw", width: 32, isSigned: true, exact: (a, b) => (a * b) >> 32n },
  { name: "mulhwu", width: 32, isSigned: false, exact: (a, b) => (a * b) >> 32n },
  { name: "divw", width: 32, oe: true, isSigned: true, exact: quotient },
  { name: "divwu", width: 32, oe: true, isSigned: false, exact: quotient },
  { name: "divwe", width: 32, oe: true, isSigned: true, exact: (a, b) => quotient(a << 32n, b) },
  { name: "divweu", width: 32, oe: true, isSigned: false, exact: (a, b) => quotient(a << 32n, b) },
  { name: "mulld", width: 64, oe: true, isSigned: true, exact: (a, b) => a * b },
  { name: "mulhd", width: 64, isSigned: true, exact: (a, b) => (a * b) >> 64n },
  { name: "mulhdu", width: 64, isSigned: false, exact: (a, b) => (a * b) >> 64n },
  { name: "divd", width: 64, oe: true, isSigned: true, exact: quotient },
  { name: "divdu", width: 64, oe: true, isSigned: false, exact: quotient },
  { name: "divde", width: 64, oe: true, isSigned: true, exact: (a, b) => quotient(a << 64n, b) },
  { name: "divdeu", width: 64, oe: true, isSigned: false, exact: (a, b) => quotient(a << 64n, b) },
  { name: "modsw", width: 32, isSigned: true, exact: (a, b) => (b === 0n || b === -1n ? 0n : a % b) },
  { name: "moduw", width: 32, isSigned: false, exact: (a, b) => (b === 0n ? 0n : a % b) },
  { name: "modsd", width: 64, isSigned: true, exact: (a, b) => (b === 0n || b === -1n ? 0n : a % b) },
  { name: "modud", width: 64, isSigned: false, exact: (a, b) => (b === 0n ? 0n : a % b) },
];
const operationsOf = (abi: TestAbi) =>
  OPERATIONS.filter(({ name, width }) => (abi === "ppc64" ? true : width === 32 && !/^mod|we/.test(name)));

describeOnDrivers("multiplications and divisions", (driver) => {
  describe.each(ABIS)("%s", (abi) => {
    const model = abi === "ppc64" ? "power9" : "750";

    it.each(operationsOf(abi))("$name", ({ name, width, oe, isSigned, exact }) => {
      const suffix = oe ? "o" : "";
      fc.assert(
        fc.property(register(abi), register(abi), (a, b) => {
          const { registers } = driver.run({
            abi,
            model,
            registers: { gpr: { 4: a, 5: b } },
            words: assemble(`${name}${suffix} 3,4,5`),
          });
          const read = (value: bigint) => (isSigned ? signed(value, width) : u(value, width));
          const result = exact(read(a), read(b));
          const overflows =
            result === undefined || (isSigned ? signed(result, width) : u(result, width)) !== result;
          // What the manual leaves undefined is QEMU's business (and the campaign's), but for mulld.
          if (result !== undefined && (!overflows || name === "mulld")) {
            expect(u(registers.gpr[3], width)).toBe(u(result, width));
          }
          const ov = abi === "ppc64" ? XER_OV | XER_OV32 : XER_OV;
          expect(registers.xer).toBe(oe && overflows ? (ov | XER_SO) >>> 0 : 0);
        }),
      );
    });

    it("mullw has the whole product, and OV tells whether it fits a word", () => {
      fc.assert(
        fc.property(register(abi), register(abi), (a, b) => {
          const { registers } = driver.run({
            abi,
            model: abi === "ppc64" ? "power8" : "750",
            registers: { gpr: { 4: a, 5: b } },
            words: assemble("mullwo. 3,4,5"),
          });
          const product = signed(a, 32) * signed(b, 32);
          const overflows = signed(product, 32) !== product;
          expect(registers.gpr[3]).toBe(product & maskOf(abi));
          expect(registers.xer).toBe(overflows ? (XER_OV | XER_SO) >>> 0 : 0);
          expect(registers.cr >>> 28).toBe(cr0(product, widthOf(abi), overflows ? 1 : 0));
        }),
      );
    });

    it("mulli has the low half of the product with an immediate", () => {
      fc.assert(
        fc.property(register(abi), immediate(), (a, si) => {
          const { registers } = driver.run({
            abi,
            registers: { gpr: { 4: a } },
            words: assemble(`mulli 4,4,${si}`),
          });
          expect(registers.gpr[4]).toBe((a * BigInt(si)) & maskOf(abi));
        }),
      );
    });
  });

  it("multiply-add instructions add before they take a half", () => {
    fc.assert(
      fc.property(register("ppc64"), register("ppc64"), register("ppc64"), (a, b, c) => {
        const { registers } = driver.run({
          abi: "ppc64",
          model: "power9",
          registers: { gpr: { 4: a, 5: b, 6: c } },
          words: assemble("maddhd 3,4,5,6", "maddhdu 7,4,5,6", "maddld 8,4,5,6"),
        });
        const s = (value: bigint) => signed(value, 64);
        expect(registers.gpr[3]).toBe(u((s(a) * s(b) + s(c)) >> 64n, 64));
        expect(registers.gpr[7]).toBe((a * b + c) >> 64n);
        expect(registers.gpr[8]).toBe(u(a * b + c, 64));
      }),
    );
  });

  it("divides by zero without a trap", () => {
    const { registers, signal } = driver.run({
      abi: "ppc64",
      registers: { gpr: { 4: 9n } },
      words: assemble("divdo. 3,4,5"),
    });
    expect(signal).toBeUndefined();
    expect(registers.xer).toBe((XER_OV | XER_SO) >>> 0);
    expect((registers.cr >>> 28) & 1).toBe(1);
  });

  it("darn delivers a word or a doubleword, and reports an error where L is reserved", () => {
    const { registers } = driver.run({
      abi: "ppc64",
      model: "power9",
      registers: {},
      words: assemble("darn 3,0", "darn 4,1", "darn 5,3"),
    });
    expect(registers.gpr[3] >> 32n).toBe(0n);
    expect(registers.gpr[4]).not.toBe(maskOf("ppc64"));
    expect(registers.gpr[5]).toBe(maskOf("ppc64"));
  });
});
