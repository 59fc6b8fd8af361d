import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ABIS, assemble, crField, XER_SO } from "../driver.ts";
import { describeOnDrivers } from "../drivers.ts";
import { immediate, register, signed } from "../operands.ts";

const relation = (a: bigint, b: bigint) => (a < b ? 8 : a > b ? 4 : 2);

describeOnDrivers("compares and traps", (driver) => {
  describe.each(ABIS)("%s", (abi) => {
    const lengths = abi === "ppc64" ? [0, 1] : [0];

    it("cmp and cmpl order registers, as words or doublewords, and copy SO", () => {
      fc.assert(
        fc.property(
          register(abi),
          register(abi),
          fc.constantFrom(...lengths),
          fc.integer({ min: 0, max: 7 }),
          fc.boolean(),
          (a, b, l, field, so) => {
            const width = l === 1 ? 64 : 32;
            for (const name of ["cmp", "cmpl"]) {
              const { registers } = driver.run({
                abi,
                registers: { gpr: { 4: a, 5: b }, xer: so ? XER_SO : 0 },
                words: assemble(`${name} ${field},${l},4,5`),
              });
              const read = (v: bigint) => (name === "cmp" ? signed(v, width) : BigInt.asUintN(width, v));
              expect(registers.cr).toBe(crField(field, relation(read(a), read(b)) | (so ? 1 : 0)));
            }
          },
        ),
      );
    });

    it("cmpi extends the immediate's sign, cmpli does not", () => {
      fc.assert(
        fc.property(register(abi), immediate(), fc.constantFrom(...lengths), (a, si, l) => {
          const width = l === 1 ? 64 : 32;
          const { registers } = driver.run({
            abi,
            registers: { gpr: { 4: a } },
            words: assemble(`cmpi 1,${l},4,${si}`, `cmpli 2,${l},4,${si & 0xffff}`),
          });
          const first = relation(signed(a, width), BigInt(si));
          const second = relation(BigInt.asUintN(width, a), BigInt(si & 0xffff));
          expect(registers.cr).toBe(crField(1, first) | crField(2, second));
        }),
      );
    });

    it("traps when one of the relations that TO selects holds", () => {
      const lines = abi === "ppc64" ? ["tw", "td"] : ["tw"];
      fc.assert(
        fc.property(
          register(abi),
          fc.oneof(register(abi), fc.constant(undefined)),
          fc.integer({ min: 0, max: 31 }),
          fc.constantFrom(...lines),
          (a, other, to, name) => {
            const b = other ?? a;
            const { signal, nia } = driver.run({
              abi,
              registers: { gpr: { 4: a, 5: b } },
              words: assemble("ori 0,0,0", `${name} ${to},4,5`),
            });
            const width = name === "td" ? 64 : 32;
            const [s, t] = [signed(a, width), signed(b, width)];
            const [v, w] = [BigInt.asUintN(width, a), BigInt.asUintN(width, b)];
            const holds = [s < t, s > t, s === t, v < w, v > w].some((is, i) => is && (to & (16 >> i)) !== 0);
            expect(signal).toBe(holds ? "SIGTRAP" : undefined);
            expect(nia & 15n).toBe(holds ? 4n : 8n);
          },
        ),
      );
    });

    it("the immediate traps compare with the sign-extended immediate", () => {
      const names = abi === "ppc64" ? ["twi", "tdi"] : ["twi"];
      for (const name of names) {
        const trap = (to: number, si: number) =>
          driver.run({
            abi,
            registers: { gpr: { 4: name === "tdi" ? 0xffff_ffff_ffff_fffen : 0xffff_fffen } },
            words: assemble(`${name} ${to},4,${si}`),
          }).signal;
        expect(trap(4, -2)).toBe("SIGTRAP");
        expect(trap(16, -1)).toBe("SIGTRAP");
        expect(trap(8, -1)).toBeUndefined();
        expect(trap(1, 5)).toBe("SIGTRAP");
      }
    });
  });

  it("isel takes RA or RB by a CR bit, and zero for RA = 0", () => {
    for (const bit of [0, 5, 31]) {
      const run = (cr: number) =>
        driver.run({
          abi: "ppc64",
          registers: { gpr: { 0: 9n, 4: 1n << 40n, 5: 2n }, cr },
          words: assemble(`isel 3,4,5,${bit}`, `isel 6,0,5,${bit}`),
        }).registers.gpr;
      const set = run((0x8000_0000 >>> bit) >>> 0);
      expect([set[3], set[6]]).toEqual([1n << 40n, 0n]);
      const clear = run(~(0x8000_0000 >>> bit) >>> 0);
      expect([clear[3], clear[6]]).toEqual([2n, 2n]);
    }
  });

  it("cmprb looks in one range or two, cmpeqb in all bytes, and setb reads their field", () => {
    const run = (a: bigint, b: bigint, ...lines: string[]) =>
      driver.run({
        abi: "ppc64",
        model: "power9",
        registers: { gpr: { 4: a, 5: b } },
        words: assemble(...lines),
      }).registers;
    // Ranges "0".."9" in the low half, "A".."F" in the next.
    const hex = 0x4641_3930n;
    expect(run(0x35n, hex, "cmprb 1,0,4,5").cr).toBe(crField(1, 4));
    expect(run(0x43n, hex, "cmprb 1,0,4,5").cr).toBe(0);
    expect(run(0x1143n, hex, "cmprb 1,1,4,5").cr).toBe(crField(1, 4));
    expect(run(0x47n, hex, "cmprb 1,1,4,5").cr).toBe(0);
    expect(run(0x41n, 0x1241_0000_0000_0000n, "cmpeqb 7,4,5").cr).toBe(crField(7, 4));
    expect(run(0x42n, 0x1241_0000_0000_0000n, "cmpeqb 7,4,5").cr).toBe(0);
    expect(run(1n, 2n, "cmp 3,1,4,5", "setb 6,3").gpr[6]).toBe(0xffff_ffff_ffff_ffffn);
    expect(run(2n, 1n, "cmp 3,1,4,5", "setb 6,3").gpr[6]).toBe(1n);
    expect(run(2n, 2n, "cmp 3,1,4,5", "setb 6,3").gpr[6]).toBe(0n);
  });
});
