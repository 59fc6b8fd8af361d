import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ABIS, assemble, maskOf, widthOf, XER_CA } from "../driver.ts";
import { describeOnDrivers } from "../drivers.ts";
import { cr0, register, signed } from "../operands.ts";

/** MASK(x, y) of 64 bits: Power ISA 3.0B, I.3.3.14. */
function mask(x: number, y: number): bigint {
  let bits = 0n;
  for (let i = x; ; i = (i + 1) & 63) {
    bits |= 1n << BigInt(63 - i);
    if (i === y) return bits;
  }
}
const rotl64 = (value: bigint, n: number): bigint =>
  BigInt.asUintN(64, (value << BigInt(n)) | (value >> BigInt(64 - n)));
/** ROTL32: the low word, rotated, in both halves. */
const rotl32 = (value: bigint, n: number): bigint => {
  const low = value & 0xffff_ffffn;
  return rotl64(low | (low << 32n), n);
};
const five = () => fc.integer({ min: 0, max: 31 });
const six = () => fc.integer({ min: 0, max: 63 });

describeOnDrivers("rotates and shifts", (driver) => {
  describe.each(ABIS)("%s", (abi) => {
    const all = maskOf(abi);
    const width = widthOf(abi);

    it("rlwinm, rlwnm and rlwimi rotate words under masks that may go around the end", () => {
      fc.assert(
        fc.property(
          register(abi),
          register(abi),
          register(abi),
          five(),
          five(),
          five(),
          (s, a, b, sh, mb, me) => {
            const { registers } = driver.run({
              abi,
              registers: { gpr: { 4: s, 5: b, 6: a } },
              words: assemble(
                `rlwinm 3,4,${sh},${mb},${me}`,
                `rlwnm 7,4,5,${mb},${me}`,
                `rlwimi. 6,4,${sh},${mb},${me}`,
              ),
            });
            const m = mask(mb + 32, me + 32);
            expect(registers.gpr[3]).toBe(rotl32(s, sh) & m & all);
            expect(registers.gpr[7]).toBe(rotl32(s, Number(b & 31n)) & m & all);
            const inserted = ((rotl32(s, sh) & m) | (a & ~m)) & all;
            expect(registers.gpr[6]).toBe(inserted);
            expect(registers.cr >>> 28).toBe(cr0(inserted, width, 0));
          },
        ),
      );
    });

    it("slw and srw shift by up to 63", () => {
      fc.assert(
        fc.property(register(abi), register(abi), (s, b) => {
          const { registers } = driver.run({
            abi,
            registers: { gpr: { 4: s, 5: b } },
            words: assemble("slw. 3,4,5", "srw 6,4,5"),
          });
          const n = b & 63n;
          const left = ((s & 0xffff_ffffn) << n) & 0xffff_ffffn;
          expect(registers.gpr[3]).toBe(left);
          expect(registers.gpr[6]).toBe((s & 0xffff_ffffn) >> n);
          expect(registers.cr >>> 28).toBe(cr0(left, width, 0));
        }),
      );
    });

    it("srw. records a word shifted by nothing as the register's whole value", () => {
      const { registers } = driver.run({
        abi,
        registers: { gpr: { 4: 0x8000_0000n } },
        words: assemble("srw. 3,4,5"),
      });
      expect(registers.cr >>> 28).toBe(abi === "ppc32" ? 8 : 4);
    });

    it("sraw and srawi keep the sign, and CA tells whether ones were lost from a negative word", () => {
      fc.assert(
        fc.property(register(abi), register(abi), five(), (s, b, sh) => {
          const shifted = (n: bigint) => signed(s, 32) >> n;
          const carry = (n: bigint) => (signed(s, 32) < 0n && shifted(n) << n !== signed(s, 32) ? XER_CA : 0);
          const run = (line: string) =>
            driver.run({ abi, registers: { gpr: { 4: s, 5: b } }, words: assemble(line) }).registers;
          const byRegister = run("sraw 3,4,5");
          expect(byRegister.gpr[3]).toBe(shifted(b & 63n) & all);
          expect(byRegister.xer).toBe(carry(b & 63n));
          const byImmediate = run(`srawi. 3,4,${sh}`);
          expect(byImmediate.gpr[3]).toBe(shifted(BigInt(sh)) & all);
          expect(byImmediate.xer).toBe(carry(BigInt(sh)));
          expect(byImmediate.cr >>> 28).toBe(cr0(shifted(BigInt(sh)), width, 0));
        }),
      );
    });
  });

  it("rotates doublewords and clears left, right, both, or inserts", () => {
    fc.assert(
      fc.property(register("ppc64"), register("ppc64"), register("ppc64"), six(), six(), (s, a, b, sh, m) => {
        const { registers } = driver.run({
          abi: "ppc64",
          registers: { gpr: { 4: s, 5: b, 10: a } },
          words: assemble(
            `rldicl 3,4,${sh},${m}`,
            `rldicr 6,4,${sh},${m}`,
            `rldic 7,4,${sh},${m}`,
            `rldcl 8,4,5,${m}`,
            `rldcr 9,4,5,${m}`,
            `rldimi. 10,4,${sh},${m}`,
          ),
        });
        const n = Number(b & 63n);
        expect(registers.gpr[3]).toBe(rotl64(s, sh) & mask(m, 63));
        expect(registers.gpr[6]).toBe(rotl64(s, sh) & mask(0, m));
        expect(registers.gpr[7]).toBe(rotl64(s, sh) & mask(m, 63 - sh));
        expect(registers.gpr[8]).toBe(rotl64(s, n) & mask(m, 63));
        expect(registers.gpr[9]).toBe(rotl64(s, n) & mask(0, m));
        const insert = mask(m, 63 - sh);
        const inserted = (rotl64(s, sh) & insert) | (a & ~insert);
        expect(registers.gpr[10]).toBe(inserted);
        expect(registers.cr >>> 28).toBe(cr0(inserted, 64, 0));
      }),
    );
  });

  it("shifts doublewords by up to 127", () => {
    fc.assert(
      fc.property(register("ppc64"), register("ppc64"), six(), (s, b, sh) => {
        const n = b & 127n;
        const value = signed(s, 64);
        const run = (line: string) =>
          driver.run({
            abi: "ppc64",
            model: "power9",
            registers: { gpr: { 4: s, 5: b } },
            words: assemble(line),
          }).registers;
        const unsigned = (result: bigint) => BigInt.asUintN(64, result);
        const carry = (by: bigint) => value < 0n && (value >> by) << by !== value;
        expect(run("sld 3,4,5").gpr[3]).toBe(unsigned(s << n));
        expect(run("srd 3,4,5").gpr[3]).toBe(s >> n);
        const byRegister = run("srad. 3,4,5");
        expect(byRegister.gpr[3]).toBe(unsigned(value >> n));
        expect((byRegister.xer & XER_CA) !== 0).toBe(carry(n));
        expect(byRegister.cr >>> 28).toBe(cr0(value >> n, 64, 0));
        const byImmediate = run(`sradi 3,4,${sh}`);
        expect(byImmediate.gpr[3]).toBe(unsigned(value >> BigInt(sh)));
        expect((byImmediate.xer & XER_CA) !== 0).toBe(carry(BigInt(sh)));
        expect(run(`extswsli 3,4,${sh}`).gpr[3]).toBe(unsigned(signed(s, 32) << BigInt(sh)));
      }),
    );
  });
});
