/** Decimal arithmetic beside a second opinion: values are fractions of big integers, and rounding compares with what lies half-way. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Decimal,
  type DecimalFormat,
  EXTENDED,
  LONG,
  SHORT,
} from "../../../emu/cpu/decimal/decimal-formats.ts";
import { DECIMAL_TABLES } from "../../../emu/cpu/decimal/index.ts";
import { FPSCR } from "../../../emu/cpu/registers.ts";
import { bind } from "../../../emu/cpu/views.ts";
import { DECIMAL } from "../../../emu/isa/table/decimal.ts";
import { AddressSpace } from "../../../emu/memory/address-space.ts";
import { Words } from "../floating-point/operands.ts";
import { cpuOn } from "../../support/cpu.ts";

interface Fraction {
  readonly n: bigint;
  readonly d: bigint;
}
const ten = (exponent: number): Fraction =>
  exponent >= 0 ? { n: 10n ** BigInt(exponent), d: 1n } : { n: 1n, d: 10n ** BigInt(-exponent) };
const fraction = ({ negative, coefficient, exponent }: Decimal): Fraction => {
  const { n, d } = ten(exponent);
  return { n: (negative ? -coefficient : coefficient) * n, d };
};

const XX = 0x200_0000;
const UX = 0x800_0000;
const OX = 0x1000_0000;
const FR = 0x4_0000;
const FI = 0x2_0000;

/** What a value becomes, and the flags; `negative` is the sign of a zero. */
function rounded(value: Fraction, negative: boolean, ideal: number, format: DecimalFormat, mode: number) {
  const { precision, least, greatest, emax } = format;
  if (value.n === 0n) {
    return { coefficient: 0n, exponent: Math.min(Math.max(ideal, least), greatest), flags: 0 };
  }
  const size = value.n < 0n ? -value.n : value.n;
  // The least exponent at which the value has no more digits than there are.
  let exponent = Math.max(least, size.toString().length - value.d.toString().length - precision - 1);
  const scaled = () => {
    const unit = ten(exponent);
    return { n: size * unit.d, d: value.d * unit.n };
  };
  while (scaled().n >= format.limit * scaled().d) exponent++;
  const { n, d } = scaled();
  let coefficient = n / d;
  const rest = n % d;
  const tiny = size * ten(emax - 1).n < value.d;
  if (rest === 0n) {
    for (; exponent < Math.min(ideal, greatest) && coefficient % 10n === 0n; exponent++) coefficient /= 10n;
    if (exponent <= greatest) return { coefficient, exponent, flags: 0 };
  }
  const half = 2n * rest - d;
  const even = coefficient % 2n === 0n;
  const up =
    rest !== 0n &&
    [
      half > 0n || (half === 0n && !even),
      false,
      !negative,
      negative,
      half >= 0n,
      half > 0n,
      true,
      coefficient % 5n === 0n,
    ][mode];
  if (up) coefficient++;
  if (coefficient === format.limit) {
    coefficient /= 10n;
    exponent++;
  }
  let flags = rest === 0n ? 0 : XX | FI | (up ? FR : 0) | (tiny ? UX : 0);
  for (; exponent > greatest && coefficient * 10n < format.limit; exponent--) coefficient *= 10n;
  if (exponent > greatest) {
    const toInfinity = [true, false, !negative, negative, true, true, true, false][mode];
    flags = OX | XX | FI | (toInfinity ? FR : 0);
    return { coefficient: toInfinity ? undefined : format.limit - 1n, exponent: greatest, flags };
  }
  return { coefficient, exponent, flags };
}

function expected(name: string, a: Decimal, b: Decimal, format: DecimalFormat, mode: number) {
  const [x, y] = [fraction(a), fraction(b)];
  const sign = a.negative !== b.negative;
  if (name === "dmul") {
    return rounded({ n: x.n * y.n, d: x.d * y.d }, sign, a.exponent + b.exponent, format, mode);
  }
  if (name === "ddiv") {
    const value = y.n < 0n ? { n: -x.n * y.d, d: -y.n * x.d } : { n: x.n * y.d, d: y.n * x.d };
    return rounded(value, sign, a.exponent - b.exponent, format, mode);
  }
  const minus = name === "dsub";
  const n = x.n * y.d + (minus ? -y.n : y.n) * x.d;
  const negativeB = b.negative !== minus;
  const negative = n !== 0n ? n < 0n : a.negative === negativeB ? a.negative : mode === 3;
  const value = { n, d: x.d * y.d };
  return { ...rounded(value, negative, Math.min(a.exponent, b.exponent), format, mode), negative };
}

function randomDecimal(words: Words, format: DecimalFormat, near: number): Decimal {
  const digits = words.pick([
    1,
    1,
    2,
    format.precision - 1,
    format.precision,
    1 + words.below(format.precision),
  ]);
  const text = words.pick([
    "9".repeat(digits),
    `1${"0".repeat(digits - 1)}`,
    "5".padEnd(digits, "0"),
    Array.from({ length: digits }, () => words.below(10)).join(""),
  ]);
  const range = format.greatest - format.least + 1;
  const exponent = words.pick([
    near + words.below(2 * format.precision) - format.precision,
    near,
    format.least + words.below(3),
    format.greatest - words.below(3),
    format.least + words.below(range),
    words.below(20) - 10,
  ]);
  return {
    kind: "number",
    negative: words.below(2) === 1,
    coefficient: BigInt(text),
    exponent: Math.min(Math.max(exponent, format.least), format.greatest),
  };
}

function createMachine() {
  const memory = new AddressSpace({ byteOrder: "big", size: 0x100_0000 });
  const model = {
    name: "test",
    pvr: 0,
    facilities: new Set(["base", "fp", "dfp"]),
    version: "3.0B",
    cacheBlock: 128,
    hwcap: 0,
    hwcap2: 0,
  };
  const cpu = cpuOn(memory, model);
  const { registers } = memory;
  const matches = new Map(DECIMAL.rows().map((row) => [row.name, row.match]));
  const put = (n: number, format: DecimalFormat, bits: bigint) => {
    if (format.width === 128) registers.setFpr(n, bits >> 64n);
    registers.setFpr(format.width === 128 ? n + 1 : n, BigInt.asUintN(64, bits));
  };
  /** Executes `name` on FPRs (or pairs) 2 and 4 and gives 6, with a clean FPSCR but for DRN. */
  const run = (name: string, format: DecimalFormat, a: bigint, b: bigint, mode = 0, more = 0) => {
    put(2, format, a);
    put(4, format, b);
    registers.fpscr = 0;
    registers.u32[FPSCR / 4 + 1] = mode;
    registers.cr = 0;
    const handler = DECIMAL_TABLES.map((table) => table[name]).find((found) => found !== undefined)!;
    if (typeof handler !== "function") throw new Error(`no handler ${name}`);
    bind(cpu);
    handler(matches.get(name)! | (6 << 21) | (2 << 16) | (4 << 11) | more, 0x1000);
    const wide = (registers.fpr(6) << 64n) | registers.fpr(7);
    return format.width === 128 ? wide : registers.fpr(6);
  };
  return { registers, run };
}

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
  const { registers, run } = createMachine();
  for (const [format, suffix] of [
    [LONG, ""],
    [EXTENDED, "q"],
  ] as const) {
    for (const name of ["dadd", "dsub", "dmul", "ddiv"]) {
      it(`computes ${name}${suffix} as exact arithmetic rounded once, in all rounding modes`, () => {
        fc.assert(
          fc.property(fc.integer(), (seed) => {
            const words = new Words(seed);
            const a = randomDecimal(words, format, 0);
            const b = randomDecimal(words, format, a.exponent);
            if (name === "ddiv" && b.coefficient === 0n) return;
            const mode = words.below(8);
            const bits = run(`${name}${suffix}`, format, format.encode(a), format.encode(b), mode);
            const want = expected(name, a, b, format, mode);
            const got = format.decode(bits);
            const negative = "negative" in want ? want.negative : a.negative !== b.negative;
            const value =
              want.coefficient === undefined
                ? { kind: "infinity", negative, coefficient: 0n, exponent: 0 }
                : { kind: "number", negative, coefficient: want.coefficient, exponent: want.exponent };
            const flags = registers.fpscr & (XX | UX | OX | FR | FI);
            const show = (d: Decimal) => `${d.negative ? "-" : ""}${d.coefficient}E${d.exponent}`;
            expect({ ...got, flags }, `${show(a)} ${show(b)} mode ${mode}`).toEqual({
              ...value,
              flags: want.flags,
            });
          }),
          { numRuns: Number(process.env.PPCR_FP_RUNS ?? 300) },
        );
      });
    }
  }

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
