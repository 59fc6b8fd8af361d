import { describe, expect, it } from "vitest";
import { ABIS, assemble, crField, maskOf, XER_CA, XER_CA32, XER_OV, XER_OV32, XER_SO } from "./driver.ts";
import { describeOnDrivers } from "./drivers.ts";
import { TIME_BASE } from "./interpreter-driver.ts";

describeOnDrivers("special registers", (driver) => {
  describe.each(ABIS)("%s", (abi) => {
    const value = 0xfedc_ba98_7654_3210n & maskOf(abi);
    const run = (lines: string[], more: { model?: string; xer?: number; cr?: number } = {}) =>
      driver.run({
        abi,
        model: more.model,
        registers: { gpr: { 4: value }, xer: more.xer, cr: more.cr },
        words: assemble(...lines),
      });

    it("LR and CTR hold what is moved into them", () => {
      const { registers } = run(["mtspr 8,4", "mtspr 9,4", "mfspr 5,8", "mfspr 6,9"]);
      expect([registers.lr, registers.ctr]).toEqual([value, value]);
      expect(registers.gpr.slice(5, 7)).toEqual([value, value]);
    });

    it("XER has only its own bits", () => {
      const { registers } = run(["addi 4,0,-1", "mtspr 1,4", "mfspr 5,1"]);
      expect(registers.gpr[5]).toBe(0xe000_007fn);
    });

    it("VRSAVE has 32 bits", () => {
      expect(run(["mtspr 256,4", "mfspr 5,256"]).registers.gpr[5]).toBe(0x7654_3210n);
    });

    it("the time base reads through mftb and mfspr", () => {
      const [upper, lower, laterUpper, laterLower] = run([
        "mftb 5,269",
        "mftb 6,268",
        "mfspr 7,269",
        "mfspr 8,268",
      ]).registers.gpr.slice(5, 9);
      const whole = (high: bigint, low: bigint) => (high << 32n) | (low & 0xffff_ffffn);
      expect(whole(laterUpper, laterLower)).toBeGreaterThanOrEqual(whole(upper, lower));
      if (abi === "ppc64" && upper === laterUpper) expect(lower >> 32n).toBe(upper);
      if (driver.name === "interpreter") expect(whole(upper, lower)).toBe(TIME_BASE);
    });

    it("PVR can be read, as Linux lets it, but not written; SPRG3 reads as zero", () => {
      expect(run(["mfspr 5,287"]).registers.gpr[5]).toBe(abi === "ppc32" ? 0x80301n : 0x4d0200n);
      expect(run(["mtspr 287,4"]).signal).toBe("SIGILL");
      expect(run(["addi 5,0,9", "mfspr 5,259"]).registers.gpr[5]).toBe(0n);
    });

    it("reserved registers of ISA 2.07 do nothing, and are illegal before", () => {
      for (const spr of [808, 811]) {
        const lines = [`mfspr 4,${spr}`, `mtspr ${spr},4`];
        if (abi === "ppc32") expect(run(lines).signal).toBe("SIGILL");
        else expect(run(lines).registers.gpr[4]).toBe(value);
      }
    });

    it("registers that programs may read and that nothing sets read as zero", () => {
      for (const spr of abi === "ppc32" ? [936, 940, 942] : [136]) {
        expect(run([`mfspr 4,${spr}`]).registers.gpr[4]).toBe(0n);
      }
    });

    it("privileged and unknown registers are illegal", () => {
      for (const spr of [26, 272, 1023, 512]) {
        expect(run([`mfspr 5,${spr}`]).signal).toBe("SIGILL");
        expect(run([`mtspr ${spr},4`]).signal).toBe("SIGILL");
      }
      expect(run(["mftb 5,270"]).signal).toBe("SIGILL");
    });

    it("mtcrf changes the fields of its mask, mfcr reads all", () => {
      const { registers } = run(["mtcrf 0x81,4", "mfcr 5"], { cr: 0x1111_1111 });
      const expected = (Number(value & 0xf000_000fn) | 0x0111_1110) >>> 0;
      expect(registers.cr).toBe(expected);
      expect(registers.gpr[5]).toBe(BigInt(expected));
    });

    it("mtocrf and mfocrf move one field", () => {
      const { registers } = run(["mtocrf 0x20,4", "mfocrf 5,0x20", "mfocrf 6,0x80"], { cr: 0xa000_0000 });
      expect(registers.cr).toBe((0xa000_0000 | crField(2, 5)) >>> 0);
      expect(registers.gpr.slice(5, 7)).toEqual([0x50_0000n, 0xa000_0000n]);
    });

    it("mcrxr moves SO, OV and CA out of XER", () => {
      const { registers } = run(["mcrxr 3"], { xer: (XER_SO | XER_CA | 5) >>> 0 });
      expect(registers.cr).toBe(crField(3, 0b1010));
      expect(registers.xer).toBe(5);
    });
  });

  it("mcrxrx copies OV, OV32, CA and CA32", () => {
    const run = (xer: number) =>
      driver.run({ abi: "ppc64", model: "power9", registers: { xer }, words: assemble("mcrxrx 2") })
        .registers;
    expect(run((XER_SO | XER_OV | XER_CA32) >>> 0).cr).toBe(crField(2, 0b1001));
    expect(run(XER_OV32 | XER_CA).cr).toBe(crField(2, 0b0110));
  });

  it("DSCR and PPR are there on 64-bit server processors, PPR within a user's priorities", () => {
    const run = (value: bigint, ...lines: string[]) =>
      driver.run({ abi: "ppc64", registers: { gpr: { 4: value } }, words: assemble(...lines) }).registers
        .gpr[5];
    expect(run(0x15n, "mtspr 3,4", "mfspr 5,17")).toBe(0x15n);
    expect(run(2n << 50n, "mtspr 896,4", "mfspr 5,896")).toBe(2n << 50n);
    expect(run(2n << 18n, "mtspr 898,4", "mfspr 5,896")).toBe(2n << 50n);
    expect(run(7n << 50n, "mtspr 896,4", "mfspr 5,896")).toBe(0n);
  });
});
