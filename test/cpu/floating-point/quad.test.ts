import { describe, expect, it } from "vitest";
import { hex, itComputes } from "./family.ts";
import { QUAD_FAMILY, runQuad } from "./quad-family.ts";

describe("quad-precision floating point", () => {
  itComputes(QUAD_FAMILY, 60);

  it("compares, selects and takes numbers apart", () => {
    const one = 0x3fffn << 112n;
    const nan = (0x7fffn << 112n) | 5n;
    const run = (name: string, a: bigint, b: bigint) => runQuad(name, a, b, 0n, 0).vrt;
    const bf1 = (name: string, a: bigint, b: bigint) => (runQuad(name, a, b, 0n, 0).cr >>> 24) & 15;
    const minus = one | (1n << 127n);
    expect(["xscmpoqp", "xscmpuqp"].map((name) => bf1(name, minus, one))).toEqual([8, 8]);
    expect(["xscmpoqp", "xscmpuqp"].map((name) => bf1(name, 0n, 1n << 127n))).toEqual([2, 2]);
    expect(bf1("xscmpoqp", one, nan)).toBe(1);
    expect(hex(runQuad("xscmpoqp", one, nan, 0n, 0).fpscr)).toBe("0xa1081000");
    expect(bf1("xscmpexpqp", minus, 1n)).toBe(4);
    expect(run("xsxexpqp", 0n, minus)).toBe(0x3fffn << 64n);
    expect(run("xsxsigqp", 0n, minus | 7n)).toBe((1n << 112n) | 7n);
    expect(run("xsiexpqp", minus | 3n, 5n << 64n)).toBe((0x8005n << 112n) | 3n);
    expect(run("xsabsqp", 0n, minus)).toBe(one);
    expect(run("xsnegqp", 0n, one)).toBe(minus);
    expect(run("xscpsgnqp", minus, 9n)).toBe((1n << 127n) | 9n);
    expect(run("xsmaxcqp", one, minus)).toBe(one);
    expect(run("xsmincqp", one, nan)).toBe(nan);
    expect(run("xscmpgeqp", one, one)).toBe((1n << 128n) - 1n);
    expect(run("xscmpgtqp", one, one)).toBe(0n);
  });
});
