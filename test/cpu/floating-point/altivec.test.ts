import { describe, expect, it } from "vitest";
import { VSCR } from "../../../emu/cpu/registers.ts";
import { ALTIVEC_FAMILY, get, machine, ONE, put, run, SIGN } from "./altivec-family.ts";
import { itComputes } from "./family.ts";

const QUIET = 1n << 22n;

describe("Altivec floating point", () => {
  const { registers } = machine.cpu;
  itComputes(ALTIVEC_FAMILY, 100);

  it("keeps the first NaN of A, B and C, quieted", () => {
    const nan = (n: bigint) => 0x7f80_0000n | n;
    expect(
      run(
        "vmaddfp",
        3 << 6,
        [nan(1n), ONE, ONE, ONE],
        [nan(2n), nan(2n), ONE, ONE],
        [nan(3n), nan(3n), nan(3n), 0n],
      ),
    ).toEqual([nan(1n) | QUIET, nan(2n) | QUIET, nan(3n) | QUIET, ONE]);
  });
  it("takes the greater of zeros of both signs as positive", () => {
    expect(run("vmaxfp", 0, [0n, SIGN, SIGN, ONE], [SIGN, 0n, SIGN, 0n])).toEqual([0n, 0n, SIGN, ONE]);
    expect(run("vminfp", 0, [0n, SIGN, SIGN, ONE], [SIGN, 0n, SIGN, 0n])).toEqual([SIGN, SIGN, SIGN, 0n]);
  });
  it("saturates conversions to integers and says so in SAT; NaNs are zero", () => {
    const values = [0x4f00_0000n, 0xcf80_0000n, 0x7fc0_0000n, 0xbfc0_0000n];
    expect(run("vctsxs", 0, values, values)).toEqual([0x7fff_ffffn, 0x8000_0000n, 0n, 0xffff_ffffn]);
    expect(run("vctuxs", 0, values, values)).toEqual([0x8000_0000n, 0n, 0n, 0n]);
    expect(registers.u32[VSCR / 4]).toBe(1);
    const scaled = machine.match("vctsxs") | (4 << 21) | (3 << 16) | (2 << 11);
    put(34, [ONE, ONE, ONE, 0n]);
    registers.u32[VSCR / 4] = 0;
    machine.execute("vctsxs", scaled);
    expect(get(36)).toEqual([8n, 8n, 8n, 0n]);
    expect(registers.u32[VSCR / 4]).toBe(0);
  });
  it("converts integers with a scale, rounded once", () => {
    const integers = [0xffff_ffffn, 0x7fff_ffffn, 1n, 0n];
    put(34, integers);
    machine.execute("vcfsx", machine.match("vcfsx") | (4 << 21) | (1 << 16) | (2 << 11));
    expect(get(36)).toEqual([0xbf00_0000n, 0x4e80_0000n, 0x3f00_0000n, 0n]);
    machine.execute("vcfux", machine.match("vcfux") | (4 << 21) | (2 << 11));
    expect(get(36)).toEqual([0x4f80_0000n, 0x4f00_0000n, ONE, 0n]);
  });
  it("sets CR6 where compares record", () => {
    run("vcmpeqfp", 0x400, [ONE, ONE, ONE, ONE], [ONE, ONE, ONE, ONE]);
    expect((registers.cr >>> 4) & 15).toBe(8);
    run("vcmpgtfp", 0x400, [ONE, ONE, ONE, ONE], [ONE, ONE, ONE, ONE]);
    expect((registers.cr >>> 4) & 15).toBe(2);
    run("vcmpbfp", 0x400, [ONE, 0n, 0n, 0n], [ONE, ONE, ONE, ONE]);
    expect((registers.cr >>> 4) & 15).toBe(2);
  });
  it("estimates roots, logarithms and powers within the manual's bounds", () => {
    const four = [0x4080_0000n, 0x3e80_0000n, 0x0080_0000n, 0x3f80_0000n];
    expect(run("vrsqrtefp", 0, four, four).slice(0, 2)).toEqual([0x3f00_0000n, 0x4000_0000n]);
    expect(run("vlogefp", 0, four, four)).toEqual([0x4000_0000n, 0xc000_0000n, 0xc2fc_0000n, 0n]);
    expect(run("vexptefp", 0, four, four)[0]).toBe(0x4180_0000n);
  });
});
