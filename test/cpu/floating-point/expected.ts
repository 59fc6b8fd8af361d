/** What an arithmetic instruction must do to FRT and FPSCR, written from the manual on top of reference.ts. */
import {
  BINARY32,
  BINARY64,
  doubleBits,
  type Fraction,
  fractions,
  magnitude,
  type Operand,
  operand,
  type Real,
  rootOf,
  roundReal,
  roundToInteger,
} from "./reference.ts";

/** FPSCR masks by the manual's bit numbers. */
const bit = (n: number) => 2 ** (63 - n);
const MASK = {
  FX: bit(32),
  FEX: bit(33),
  VX: bit(34),
  OX: bit(35),
  UX: bit(36),
  ZX: bit(37),
  XX: bit(38),
  VXSNAN: bit(39),
  VXISI: bit(40),
  VXIDI: bit(41),
  VXZDZ: bit(42),
  VXIMZ: bit(43),
  VXVC: bit(44),
  FR: bit(45),
  FI: bit(46),
  VXSOFT: bit(53),
  VXSQRT: bit(54),
  VXCVI: bit(55),
  VE: bit(56),
  OE: bit(57),
  UE: bit(58),
  ZE: bit(59),
  XE: bit(60),
} as const;
export type Bit = keyof typeof MASK;
const INVALID: readonly Bit[] = [
  "VXSNAN",
  "VXISI",
  "VXIDI",
  "VXZDZ",
  "VXIMZ",
  "VXVC",
  "VXSOFT",
  "VXSQRT",
  "VXCVI",
];
const has = (fpscr: number, name: Bit) => Math.floor(fpscr / MASK[name]) % 2 === 1;
const withBit = (fpscr: number, name: Bit, on: boolean) =>
  has(fpscr, name) === on ? fpscr : on ? fpscr + MASK[name] : fpscr - MASK[name];

/** A result before it meets the FPSCR; `integer` results leave FPRF alone (or NaN when invalid). */
export interface Outcome {
  bits: bigint;
  raised: Bit[];
  inexact: boolean;
  roundedUp: boolean;
  integer: boolean;
}

/** FRT and FPSCR after the instruction. */
export function after(outcome: Outcome, frt: bigint, fpscr: number): { frt: bigint; fpscr: number } {
  const { raised } = outcome;
  const invalid = raised.some((name) => INVALID.includes(name));
  let status = withBit(withBit(fpscr, "FR", outcome.roundedUp), "FI", outcome.inexact);
  for (const name of raised) {
    if (!has(fpscr, name)) status = withBit(status, "FX", true);
    status = withBit(status, name, true);
  }
  status = withBit(
    status,
    "VX",
    INVALID.some((name) => has(status, name)),
  );
  const pairs: [Bit, Bit][] = [
    ["VX", "VE"],
    ["OX", "OE"],
    ["UX", "UE"],
    ["ZX", "ZE"],
    ["XX", "XE"],
  ];
  status = withBit(
    status,
    "FEX",
    pairs.some(([x, e]) => has(status, x) && has(status, e)),
  );
  if ((invalid && has(fpscr, "VE")) || (raised.includes("ZX") && has(fpscr, "ZE")))
    return { frt, fpscr: status };
  const flags = outcome.integer ? (invalid ? 0b10001 : undefined) : classOf(outcome.bits);
  if (flags !== undefined) status = status - (Math.floor(status / 4096) % 32) * 4096 + flags * 4096;
  return { frt: outcome.bits, fpscr: status };
}

function classOf(bits: bigint): number {
  const value = operand(bits);
  if (value.kind === "nan") return 0b10001;
  if (value.kind === "infinity") return value.negative ? 0b01001 : 0b00101;
  if (value.value.n === 0n) return value.negative ? 0b10010 : 0b00010;
  const subnormal = (bits / 2n ** 52n) % 2048n === 0n ? 0b10000 : 0;
  return subnormal + (value.negative ? 0b01000 : 0b00100);
}

const exact = (bits: bigint, ...raised: Bit[]): Outcome => ({
  bits,
  raised,
  inexact: false,
  roundedUp: false,
  integer: false,
});
const DEFAULT_NAN = 0x7ff8n << 48n;
const infinity = (negative: boolean, ...raised: Bit[]) =>
  exact((negative ? 0xfff0n : 0x7ff0n) << 48n, ...raised);
const zero = (negative: boolean) => exact(negative ? 1n << 63n : 0n);

function rounded(real: Real, negative: boolean, single: boolean, fpscr: number): Outcome {
  const format = single ? BINARY32 : BINARY64;
  const r = roundReal(real, negative, format, fpscr % 4, has(fpscr, "OE"), has(fpscr, "UE"));
  const raised: Bit[] = [];
  if (r.overflow) raised.push("OX");
  if (r.underflow) raised.push("UX");
  if (r.inexact) raised.push("XX");
  return { bits: r.bits, raised, inexact: r.inexact, roundedUp: r.roundedUp, integer: false };
}

/** `signOfZero` is what a zero value gets. */
function result(value: Fraction, signOfZero: boolean, single: boolean, fpscr: number): Outcome {
  if (value.n === 0n) return zero(signOfZero);
  return rounded(magnitude(value), value.n < 0n, single, fpscr);
}

/** The first NaN of FRA, FRB, FRC, quieted. */
function nanOf(all: readonly bigint[], ...also: Bit[]): Outcome | undefined {
  const first = all.find((bits) => operand(bits).kind === "nan");
  if (first === undefined) return undefined;
  const signalling = all.some((bits) => {
    const value = operand(bits);
    return value.kind === "nan" && value.signalling;
  });
  return exact(first | (1n << 51n), ...also, ...(signalling ? (["VXSNAN"] as const) : []));
}

const isZero = (value: Operand) => value.kind === "number" && value.value.n === 0n;
const signOf = (value: Operand) => value.kind !== "nan" && value.negative;

function sum(a: Operand, b: Operand, single: boolean, fpscr: number): Outcome {
  if (a.kind === "infinity" && b.kind === "infinity" && a.negative !== b.negative)
    return exact(DEFAULT_NAN, "VXISI");
  if (a.kind === "infinity") return infinity(a.negative);
  if (b.kind === "infinity") return infinity(b.negative);
  if (a.kind === "nan" || b.kind === "nan") throw new Error("NaNs are dealt with before");
  const signOfZero = a.negative === b.negative ? a.negative : fpscr % 4 === 3;
  return result(fractions.plus(a.value, b.value), signOfZero, single, fpscr);
}

function product(a: Operand, c: Operand): Operand {
  const negative = signOf(a) !== signOf(c);
  if (a.kind === "number" && c.kind === "number") {
    return { kind: "number", negative, value: fractions.times(a.value, c.value) };
  }
  return { kind: "infinity", negative };
}

const opposite = (value: Operand): Operand =>
  value.kind === "nan"
    ? value
    : value.kind === "infinity"
      ? { ...value, negative: !value.negative }
      : { ...value, negative: !value.negative, value: fractions.minus(value.value) };

function sumOfProduct(
  name: string,
  fra: bigint,
  frb: bigint,
  frc: bigint,
  single: boolean,
  fpscr: number,
): Outcome {
  const [a, b, c] = [operand(fra), operand(frb), operand(frc)];
  const noProduct = (a.kind === "infinity" && isZero(c)) || (isZero(a) && c.kind === "infinity");
  const nan = nanOf([fra, frb, frc], ...(noProduct ? (["VXIMZ"] as const) : []));
  if (nan !== undefined) return nan;
  if (noProduct) return exact(DEFAULT_NAN, "VXIMZ");
  const outcome = sum(product(a, c), name.includes("sub") ? opposite(b) : b, single, fpscr);
  const negate = name.startsWith("fnm") && operand(outcome.bits).kind !== "nan";
  return negate ? { ...outcome, bits: outcome.bits ^ (1n << 63n) } : outcome;
}

function quotient(fra: bigint, frb: bigint, single: boolean, fpscr: number): Outcome {
  const [a, b] = [operand(fra), operand(frb)];
  const nan = nanOf([fra, frb]);
  if (nan !== undefined) return nan;
  const negative = signOf(a) !== signOf(b);
  if (a.kind === "infinity") return b.kind === "infinity" ? exact(DEFAULT_NAN, "VXIDI") : infinity(negative);
  if (b.kind === "infinity") return zero(negative);
  if (isZero(b)) return isZero(a) ? exact(DEFAULT_NAN, "VXZDZ") : infinity(negative, "ZX");
  if (a.kind === "nan" || b.kind === "nan") throw new Error("NaNs are dealt with before");
  return result(fractions.over(a.value, b.value), negative, single, fpscr);
}

function squareRoot(frb: bigint, single: boolean, fpscr: number): Outcome {
  const b = operand(frb);
  if (b.kind === "nan") return nanOf([frb])!;
  if (isZero(b)) return exact(frb);
  if (b.negative) return exact(DEFAULT_NAN, "VXSQRT");
  if (b.kind === "infinity") return exact(frb);
  return rounded(rootOf(b.value), false, single, fpscr);
}

const INTEGER_RANGES: Record<string, [bigint, bigint]> = {
  fctid: [-(2n ** 63n), 2n ** 63n - 1n],
  fctidu: [0n, 2n ** 64n - 1n],
  fctiw: [-(2n ** 31n), 2n ** 31n - 1n],
  fctiwu: [0n, 2n ** 32n - 1n],
};

function integer(name: string, frb: bigint, fpscr: number): Outcome {
  const truncates = name.endsWith("z");
  const [least, greatest] = INTEGER_RANGES[truncates ? name.slice(0, -1) : name];
  const b = operand(frb);
  const saturated = (value: bigint, ...raised: Bit[]): Outcome => ({
    ...exact(BigInt.asUintN(64, value), ...raised),
    integer: true,
  });
  if (b.kind === "nan") return saturated(least, "VXCVI", ...(b.signalling ? (["VXSNAN"] as const) : []));
  if (b.kind === "infinity") return saturated(b.negative ? least : greatest, "VXCVI");
  const value = roundToInteger(b.value, truncates ? 1 : fpscr % 4);
  if (value < least || value > greatest) return saturated(b.negative ? least : greatest, "VXCVI");
  const error = value * b.value.d - b.value.n;
  const inexact = error !== 0n;
  return {
    bits: BigInt.asUintN(64, value),
    raised: inexact ? ["XX"] : [],
    inexact,
    roundedUp: inexact && error > 0n === b.value.n > 0n,
    integer: true,
  };
}

function integral(frb: bigint, mode: number): Outcome {
  const b = operand(frb);
  if (b.kind === "nan") return nanOf([frb])!;
  if (b.kind === "infinity") return exact(frb);
  const value = roundToInteger(b.value, mode);
  return exact(doubleBits(b.negative, { n: value < 0n ? -value : value, d: 1n }));
}

function toSingle(frb: bigint, fpscr: number): Outcome {
  const b = operand(frb);
  if (b.kind === "nan") {
    const nan = nanOf([frb])!;
    return { ...nan, bits: nan.bits - (nan.bits % 2n ** 29n) };
  }
  if (b.kind === "infinity" || isZero(b)) return exact(frb);
  return result(b.value, b.negative, true, fpscr);
}

/** The arithmetic, rounding and conversion instructions by name. */
export function expected(name: string, fra: bigint, frb: bigint, frc: bigint, fpscr: number): Outcome {
  const single = name.endsWith("s");
  const base = single && name !== "fabs" ? name.slice(0, -1) : name;
  const fromInteger = (value: bigint) => result({ n: value, d: 1n }, false, single, fpscr);
  switch (base) {
    case "fadd":
      return nanOf([fra, frb]) ?? sum(operand(fra), operand(frb), single, fpscr);
    case "fsub":
      return nanOf([fra, frb]) ?? sum(operand(fra), opposite(operand(frb)), single, fpscr);
    case "fmul": {
      const nan = nanOf([fra, frc]);
      if (nan !== undefined) return nan;
      const [a, c] = [operand(fra), operand(frc)];
      if ((a.kind === "infinity" && isZero(c)) || (isZero(a) && c.kind === "infinity")) {
        return exact(DEFAULT_NAN, "VXIMZ");
      }
      const p = product(a, c);
      if (p.kind !== "number") return infinity(signOf(p));
      return result(p.value, p.negative, single, fpscr);
    }
    case "fdiv":
      return quotient(fra, frb, single, fpscr);
    case "fsqrt":
      return squareRoot(frb, single, fpscr);
    case "fmadd":
    case "fmsub":
    case "fnmadd":
    case "fnmsub":
      return sumOfProduct(base, fra, frb, frc, single, fpscr);
    case "frsp":
      return toSingle(frb, fpscr);
    case "frin":
      return integral(frb, 4);
    case "friz":
      return integral(frb, 1);
    case "frip":
      return integral(frb, 2);
    case "frim":
      return integral(frb, 3);
    case "fcfid":
      return fromInteger(BigInt.asIntN(64, frb));
    case "fcfidu":
      return fromInteger(frb);
    default:
      return integer(base, frb, fpscr);
  }
}
