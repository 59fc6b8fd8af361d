import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ABIS,
  assemble,
  CODE,
  maskOf,
  type TestAbi,
  widthOf,
  XER_CA,
  XER_CA32,
  XER_OV,
  XER_OV32,
  XER_SO,
} from "../driver.ts";
import { describeOnDrivers } from "../drivers.ts";
import { cr0, immediate, register, signed } from "../operands.ts";

/** The operands of the sum each instruction is: Power ISA 3.0B, I.3.3.9. `ca` is the carry before it. */
type Sum = (a: bigint, b: bigint, ca: bigint) => [bigint, bigint, bigint];
const XO_FORMS: readonly { name: string; operands: string; carrying: boolean; sum: Sum }[] = [
  { name: "add", operands: "3,4,5", carrying: false, sum: (a, b) => [a, b, 0n] },
  { name: "subf", operands: "3,4,5", carrying: false, sum: (a, b) => [~a, b, 1n] },
  { name: "neg", operands: "3,4", carrying: false, sum: (a) => [~a, 0n, 1n] },
  { name: "addc", operands: "3,4,5", carrying: true, sum: (a, b) => [a, b, 0n] },
  { name: "subfc", operands: "3,4,5", carrying: true, sum: (a, b) => [~a, b, 1n] },
  { name: "adde", operands: "3,4,5", carrying: true, sum: (a, b, ca) => [a, b, ca] },
  { name: "subfe", operands: "3,4,5", carrying: true, sum: (a, b, ca) => [~a, b, ca] },
  { name: "addme", operands: "3,4", carrying: true, sum: (a, _b, ca) => [a, -1n, ca] },
  { name: "subfme", operands: "3,4", carrying: true, sum: (a, _b, ca) => [~a, -1n, ca] },
  { name: "addze", operands: "3,4", carrying: true, sum: (a, _b, ca) => [a, 0n, ca] },
  { name: "subfze", operands: "3,4", carrying: true, sum: (a, _b, ca) => [~a, 0n, ca] },
];

/** Result, carry and overflow of a sum of `width` bits, by arithmetic on whole numbers. */
function add([a, b, carry]: [bigint, bigint, bigint], width: number) {
  const bits = (value: bigint) => BigInt.asUintN(width, value);
  const total = signed(a, width) + signed(b, width) + carry;
  return {
    result: bits(total),
    carry: (bits(a) + bits(b) + carry) >> BigInt(width) !== 0n,
    overflow: signed(total, width) !== total,
  };
}

function expectedXer(
  before: number,
  sum: [bigint, bigint, bigint],
  abi: TestAbi,
  sets: { ca: boolean; ov: boolean },
) {
  const whole = add(sum, widthOf(abi));
  const low = add(sum, 32);
  const has32 = abi === "ppc64";
  let xer = before;
  const assign = (bit: number, value: boolean) => {
    xer = ((xer & ~bit) | (value ? bit : 0)) >>> 0;
  };
  if (sets.ca) {
    assign(XER_CA, whole.carry);
    if (has32) assign(XER_CA32, low.carry);
  }
  if (sets.ov) {
    assign(XER_OV, whole.overflow);
    if (has32) assign(XER_OV32, low.overflow);
    if (whole.overflow) assign(XER_SO, true);
  }
  return xer;
}

describeOnDrivers("additions and subtractions", (driver) => {
  describe.each(ABIS)("%s", (abi) => {
    const model = abi === "ppc64" ? "power9" : "750";
    const width = widthOf(abi);
    const xers = fc.constantFrom(0, XER_SO, XER_CA, XER_SO | XER_CA, XER_OV | XER_SO).map((xer) => xer >>> 0);

    it.each(XO_FORMS)(
      "$name sums its operands, with and without OE and Rc",
      ({ name, operands, carrying, sum }) => {
        fc.assert(
          fc.property(
            register(abi),
            register(abi),
            xers,
            fc.constantFrom("", "o", ".", "o."),
            (a, b, xer, suffix) => {
              const { registers } = driver.run({
                abi,
                model,
                registers: { gpr: { 4: a, 5: b }, xer, cr: 0x5555_5555 },
                words: assemble(`${name}${suffix} ${operands}`),
              });
              const ca = (xer & XER_CA) !== 0 ? 1n : 0n;
              const terms = sum(a, b, ca);
              const { result } = add(terms, width);
              expect(registers.gpr[3]).toBe(result);
              const after = expectedXer(xer, terms, abi, { ca: carrying, ov: suffix.includes("o") });
              expect(registers.xer).toBe(after);
              const field = suffix.includes(".") ? cr0(result, width, after >>> 31) : 5;
              expect(registers.cr).toBe(((field << 28) | 0x0555_5555) >>> 0);
            },
          ),
        );
      },
    );

    it("addi and addis add to zero when RA is 0, and to RA otherwise", () => {
      fc.assert(
        fc.property(register(abi), immediate(), fc.constantFrom(0, 4), (a, si, ra) => {
          const { registers } = driver.run({
            abi,
            registers: { gpr: { 0: 77n, 4: a } },
            words: assemble(`addi 3,${ra},${si}`, `addis 6,${ra},${si}`),
          });
          const base = ra === 0 ? 0n : a;
          expect(registers.gpr[3]).toBe((base + BigInt(si)) & maskOf(abi));
          expect(registers.gpr[6]).toBe((base + BigInt(si) * 0x1_0000n) & maskOf(abi));
        }),
      );
    });

    it("addic, addic. and subfic set CA, and addic. records", () => {
      fc.assert(
        fc.property(register(abi), immediate(), (a, si) => {
          const carried = (name: string) =>
            driver.run({ abi, model, registers: { gpr: { 4: a } }, words: assemble(`${name} 3,4,${si}`) })
              .registers;
          const immediateSum: [bigint, bigint, bigint] = [a, BigInt(si), 0n];
          for (const name of ["addic", "addic."]) {
            const registers = carried(name);
            const { result } = add(immediateSum, width);
            expect(registers.gpr[3]).toBe(result);
            expect(registers.xer).toBe(expectedXer(0, immediateSum, abi, { ca: true, ov: false }));
            expect(registers.cr).toBe(name === "addic." ? (cr0(result, width, 0) << 28) >>> 0 : 0);
          }
          const difference: [bigint, bigint, bigint] = [~a, BigInt(si), 1n];
          const registers = carried("subfic");
          expect(registers.gpr[3]).toBe(add(difference, width).result);
          expect(registers.xer).toBe(expectedXer(0, difference, abi, { ca: true, ov: false }));
        }),
      );
    });
  });

  it("does not touch OV32 and CA32 before ISA 3.0", () => {
    const { registers } = driver.run({
      abi: "ppc64",
      model: "power8",
      registers: { gpr: { 4: 0x7fff_ffff_ffff_ffffn, 5: 0xffff_ffff_ffff_ffffn } },
      words: assemble("addco 3,4,5"),
    });
    expect(registers.xer).toBe(XER_CA);
  });

  it("lets SO stick when OV is cleared", () => {
    const { registers } = driver.run({
      abi: "ppc32",
      registers: { gpr: { 4: 0x7fff_ffffn, 5: 1n } },
      words: assemble("addo. 3,4,5", "addo. 6,5,5"),
    });
    expect(registers.xer).toBe(XER_SO);
    expect(registers.cr >>> 28).toBe(0b0101);
  });

  it("addpcis adds to the address of the next instruction", () => {
    const { registers } = driver.run({
      abi: "ppc64",
      model: "power9",
      registers: {},
      words: assemble("addpcis 3,18", "addpcis 4,-1"),
    });
    expect(registers.gpr[3]).toBe(BigInt(CODE + 4 + 0x12_0000));
    expect(registers.gpr[4]).toBe(BigInt(CODE + 8 - 0x1_0000));
  });

  it("addex carries through OV and leaves SO alone", () => {
    const { registers } = driver.run({
      abi: "ppc64",
      model: "power9",
      registers: { gpr: { 4: 0xffff_ffff_ffff_ffffn, 5: 0n }, xer: XER_OV },
      words: assemble("addex 3,4,5,0", "addex 6,5,5,0"),
    });
    expect(registers.gpr[3]).toBe(0n);
    expect(registers.gpr[6]).toBe(1n);
    expect(registers.xer).toBe(0);
  });
});
