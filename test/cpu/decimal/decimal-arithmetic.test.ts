import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EXTENDED, LONG, SHORT } from "../../../emu/cpu/decimal/decimal-formats.ts";
import { itComputes } from "../floating-point/family.ts";
import { Words } from "../floating-point/operands.ts";
import { createDecimalMachine, DECIMAL_FAMILY, randomDecimal } from "./decimal-family.ts";

describe("the decimal formats", () => {
  it("have the bits that their standard's examples show", () => {
    const one = { kind: "number", negative: false, coefficient: 1n, exponent: 0 } as const;
    expect(LONG.encode(one).toString(16)).toBe("2238000000000001");
    expect(LONG.encode({ ...one, negative: true, coefficient: 750n, exponent: -2 }).toString(16)).toBe(
      "a2300000000003d0",
    );
    expect(EXTENDED.encode(one).toString(16)).toBe("22080000000000000000000000000001");
    expect(SHORT.encode({ ...one, coefficient: 9999999n, exponent: 90 }).toString(16)).toBe("77f3fcff");
    expect(LONG.decode(0x7800_0000_0000_0000n).kind).toBe("infinity");
    expect(LONG.decode(0xfe00_0000_0000_0000n).kind).toBe("signalling NaN");
  });
  it("give back what they are given", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const words = new Words(seed);
        for (const format of [SHORT, LONG, EXTENDED]) {
          const value = randomDecimal(words, format, 0);
          expect(format.decode(format.encode(value))).toEqual(value);
        }
      }),
    );
  });
});

describe("decimal arithmetic", () => {
  const { registers, run } = createDecimalMachine();
  itComputes(DECIMAL_FAMILY, 60);

  const text = (bits: bigint) => {
    const { kind, negative, coefficient, exponent } = LONG.decode(bits);
    return kind === "number"
      ? `${negative ? "-" : ""}${coefficient}E${exponent}`
      : `${negative ? "-" : ""}${kind}`;
  };
  const long = (coefficient: bigint, exponent = 0, negative = false) =>
    LONG.encode({ kind: "number", negative, coefficient, exponent });
  const INFINITY = 0x7800_0000_0000_0000n;

  it("quantizes, rerounds and rounds to integers", () => {
    expect(text(run("dqua", LONG, long(1n, -2), long(12345n, -4)))).toBe("123E-2");
    expect(text(run("dqua", LONG, long(1n, -20), long(12345n)))).toBe("quiet NaN");
    expect(registers.fpscr & 0x100).toBe(0x100);
    expect(text(run("dqua", LONG, INFINITY, INFINITY))).toBe("infinity");
    expect(text(run("drrnd", LONG, 3n, long(12345n, -1)))).toBe("123E1");
    expect(text(run("drrnd", LONG, 3n, long(9996n)))).toBe("100E2");
    expect(text(run("drintx", LONG, 0n, long(25n, -1), 0, 0x600 & ~(31 << 16)))).toBe("2E0");
  });
  it("takes the pair of an odd register, an invalid form, for the one that it is in", () => {
    const seven = EXTENDED.encode({ kind: "number", negative: false, coefficient: 7n, exponent: 0 });
    const odd = (1 << 21) | (1 << 16) | (1 << 11);
    const sum = run("daddq", EXTENDED, seven, seven);
    expect(EXTENDED.decode(sum).coefficient).toBe(14n);
    expect(run("daddq", EXTENDED, seven, seven, 0, odd)).toBe(sum);
  });
  it("converts to and from integers and decimal digits", () => {
    expect(text(run("dcffix", LONG, 0n, BigInt.asUintN(64, -12345678901234567n)))).toBe(
      "-1234567890123457E1",
    );
    expect(BigInt.asIntN(64, run("dctfix", LONG, 0n, long(15n, -1, true)))).toBe(-2n);
    expect(run("dctfix", LONG, 0n, INFINITY)).toBe(0x7fff_ffff_ffff_ffffn);
    expect(text(run("denbcd", LONG, 0n, 0x1234n))).toBe("1234E0");
    expect(run("dxex", LONG, 0n, long(1n, 3))).toBe(401n);
    expect(BigInt.asIntN(64, run("dxex", LONG, 0n, INFINITY))).toBe(-1n);
    expect(text(run("diex", LONG, 400n, long(7n, 9)))).toBe("7E2");
    expect(
      text(
        run(
          "dctdp",
          LONG,
          0n,
          SHORT.encode({ kind: "number", negative: false, coefficient: 42n, exponent: -3 }),
        ),
      ),
    ).toBe("42E-3");
  });
});
