/** Decimal arithmetic beside a second opinion: values are fractions of big integers, and rounding compares with what lies half-way. */
import {
  type Decimal,
  type DecimalFormat,
  EXTENDED,
  LONG,
} from "../../../emu/cpu/decimal/decimal-formats.ts";
import { DECIMAL_TABLES } from "../../../emu/cpu/decimal/index.ts";
import { FPSCR } from "../../../emu/cpu/registers.ts";
import { bind } from "../../../emu/cpu/views.ts";
import { DECIMAL } from "../../../emu/isa/table/decimal.ts";
import { AddressSpace } from "../../../emu/memory/address-space.ts";
import type { Family } from "../floating-point/family.ts";
import type { Words } from "../floating-point/operands.ts";
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
const ZX = 0x400_0000;
const VXZDZ = 0x20_0000;
const VXCVI = 0x100;
const FLAGS = XX | UX | OX | FR | FI | ZX | VXZDZ | VXCVI;

/** Whether a coefficient is rounded up, whose rest is more than half a unit, half or less as `half` is positive, zero or negative. */
const roundsUp = (coefficient: bigint, half: bigint, negative: boolean, mode: number): boolean =>
  [
    half > 0n || (half === 0n && coefficient % 2n === 1n),
    false,
    !negative,
    negative,
    half >= 0n,
    half > 0n,
    true,
    coefficient % 5n === 0n,
  ][mode];

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
  const up = rest !== 0n && roundsUp(coefficient, 2n * rest - d, negative, mode);
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

/** What an instruction makes of its operands: a coefficient (none for infinity, or for NaN where VXCVI says so), and flags. */
interface Outcome {
  coefficient: bigint | undefined;
  exponent: number;
  flags: number;
  negative: boolean;
}

/** A value in units of 10^exponent, which must be no more digits than the format has. */
function quantized(value: Decimal, exponent: number, format: DecimalFormat, mode: number): Outcome {
  const { negative } = value;
  const { n, d } = fraction(value);
  const unit = ten(exponent);
  const [top, bottom] = [(n < 0n ? -n : n) * unit.d, d * unit.n];
  const rest = top % bottom;
  const up = rest !== 0n && roundsUp(top / bottom, 2n * rest - bottom, negative, mode);
  const coefficient = top / bottom + (up ? 1n : 0n);
  if (coefficient >= format.limit) return { coefficient: undefined, exponent, flags: VXCVI, negative };
  return { coefficient, exponent, flags: rest === 0n ? 0 : XX | FI | (up ? FR : 0), negative };
}

type Operation = (a: Decimal, b: Decimal, format: DecimalFormat, mode: number) => Outcome;

/** How RMC rounds: to nearest even, toward zero, to nearest with ties away, by DRN. */
const byRmc = (rmc: number, drn: number): number => [0, 1, 4, drn][rmc];
/** The exponents 16 and -16 to 15 that dquai has in its instruction. */
const TE = [-16, -3, 0, 2, 15];

const sum =
  (minus: boolean): Operation =>
  (a, b, format, mode) => {
    const [x, y] = [fraction(a), fraction(b)];
    const n = x.n * y.d + (minus ? -y.n : y.n) * x.d;
    const negativeB = b.negative !== minus;
    const negative = n !== 0n ? n < 0n : a.negative === negativeB ? a.negative : mode === 3;
    const ideal = Math.min(a.exponent, b.exponent);
    return { ...rounded({ n, d: x.d * y.d }, negative, ideal, format, mode), negative };
  };
const product: Operation = (a, b, format, mode) => {
  const [x, y] = [fraction(a), fraction(b)];
  const negative = a.negative !== b.negative;
  const value = { n: x.n * y.n, d: x.d * y.d };
  return { ...rounded(value, negative, a.exponent + b.exponent, format, mode), negative };
};
const quotient: Operation = (a, b, format, mode) => {
  const [x, y] = [fraction(a), fraction(b)];
  const negative = a.negative !== b.negative;
  if (y.n === 0n) {
    const flags = x.n === 0n ? VXZDZ : ZX;
    return { coefficient: undefined, exponent: 0, flags, negative: x.n === 0n ? false : negative };
  }
  const value = y.n < 0n ? { n: -x.n * y.d, d: -y.n * x.d } : { n: x.n * y.d, d: y.n * x.d };
  return { ...rounded(value, negative, a.exponent - b.exponent, format, mode), negative };
};
const toIntegral =
  (inexact: boolean): Operation =>
  (_a, b, format, mode) => {
    const outcome = quantized(b, Math.max(b.exponent, 0), format, mode);
    return inexact ? outcome : { ...outcome, flags: 0 };
  };

interface Row {
  readonly operation: Operation;
  readonly format: DecimalFormat;
  /** Further bits of the instruction, and the rounding mode that they say. */
  readonly more?: number;
  readonly rmc?: number;
}

const rows = new Map<string, Row>();
for (const [format, suffix] of [
  [LONG, ""],
  [EXTENDED, "q"],
] as const) {
  rows.set(`dadd${suffix}`, { operation: sum(false), format });
  rows.set(`dsub${suffix}`, { operation: sum(true), format });
  rows.set(`dmul${suffix}`, { operation: product, format });
  rows.set(`ddiv${suffix}`, { operation: quotient, format });
  for (const rmc of [0, 1, 2, 3]) {
    const more = rmc << 9;
    const quantize: Operation = (a, b, to, mode) => quantized(b, a.exponent, to, mode);
    rows.set(`dqua${suffix} ${rmc}`, { operation: quantize, format, more, rmc });
    for (const te of TE) {
      const operation: Operation = (_a, b, to, mode) => quantized(b, te, to, mode);
      rows.set(`dquai${suffix} ${rmc} ${te}`, { operation, format, more: more | ((te & 31) << 16), rmc });
    }
    rows.set(`drintx${suffix} ${rmc}`, { operation: toIntegral(true), format, more, rmc });
    rows.set(`drintn${suffix} ${rmc}`, { operation: toIntegral(false), format, more, rmc });
  }
}

export function randomDecimal(words: Words, format: DecimalFormat, near: number): Decimal {
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

export function createDecimalMachine() {
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
  const matches = new Map(DECIMAL().map((row) => [row.name, row.match]));
  const put = (n: number, format: DecimalFormat, bits: bigint) => {
    if (format.width === 128) registers.setFpr(n, bits >> 64n);
    registers.setFpr(format.width === 128 ? n + 1 : n, BigInt.asUintN(64, bits));
  };
  /** Executes `name` on FPRs (or pairs) 2 and 4 and gives 6, with a clean FPSCR but for DRN. */
  const run = (
    name: string,
    format: DecimalFormat,
    a: bigint,
    b: bigint,
    mode = 0,
    more = 0,
    hasA = true,
  ) => {
    put(2, format, a);
    put(4, format, b);
    registers.fpscr = 0;
    registers.u32[FPSCR / 4 + 1] = mode;
    registers.cr = 0;
    const handler = DECIMAL_TABLES.map((table) => table()[name]).find((found) => found !== undefined)!;
    if (typeof handler !== "function") throw new Error(`no handler ${name}`);
    bind(cpu);
    handler(matches.get(name)! | (6 << 21) | (hasA ? 2 << 16 : 0) | (4 << 11) | more, 0x1000);
    const wide = (registers.fpr(6) << 64n) | registers.fpr(7);
    return format.width === 128 ? wide : registers.fpr(6);
  };
  return { registers, run };
}

const machine = createDecimalMachine();

const difference: Family["difference"] = (key, words) => {
  const name = key.split(" ")[0];
  const { operation, format, more, rmc } = rows.get(key)!;
  const a = randomDecimal(words, format, words.pick(TE));
  const b = randomDecimal(words, format, a.exponent);
  const drn = words.below(8);
  const { registers } = machine;
  const isUnary = /^d(quai|rint)/.test(name);
  const bits = machine.run(name, format, format.encode(a), format.encode(b), drn, more, !isUnary);
  const got = { ...format.decode(bits), flags: registers.fpscr & FLAGS };
  const outcome = operation(a, b, format, rmc === undefined ? drn : byRmc(rmc, drn));
  const { coefficient, exponent, flags, negative } = outcome;
  const isNan = (flags & (VXCVI | VXZDZ)) !== 0;
  const want: Decimal =
    coefficient === undefined
      ? { kind: isNan ? "quiet NaN" : "infinity", negative: !isNan && negative, coefficient: 0n, exponent: 0 }
      : { kind: "number", negative, coefficient, exponent };
  const show = (d: Decimal) =>
    `${d.negative ? "-" : ""}${d.kind === "number" ? d.coefficient : d.kind}E${d.exponent}`;
  if (show(got) === show(want) && got.flags === flags) return undefined;
  return (
    `${key} ${show(a)} ${show(b)} DRN ${drn}: ${show(got)} ${got.flags.toString(16)}, ` +
    `want ${show(want)} ${flags.toString(16)}`
  );
};

/** Decimal arithmetic, quantizing and rounding to integers, in both formats. */
export const DECIMAL_FAMILY: Family = { name: "decimal", rows: [...rows.keys()], difference };
