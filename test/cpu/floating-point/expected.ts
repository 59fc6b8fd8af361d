/** What an arithmetic instruction must do to FRT and FPSCR, written from the manual on top of reference.ts. */
import {
  BINARY32,
  BINARY64,
  encode,
  type FormatUnderTest,
  type Fraction,
  fractions,
  magnitude,
  type Operand,
  operand,
  type Real,
  reencode,
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

/** The enable bits of the other exceptions. */
const ENABLED_BY: readonly (readonly [Bit, Bit])[] = [
  ["OX", "OE"],
  ["UX", "UE"],
  ["ZX", "ZE"],
  ["XX", "XE"],
];

/** FRT and FPSCR after the instruction. FPRF after a conversion to an integer is undefined; of FPRs as in QEMU. */
export function after(
  outcome: Outcome,
  frt: bigint,
  fpscr: number,
  encoding = BINARY64,
  vsx = false,
): { frt: bigint; fpscr: number } {
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
  const pairs = [["VX", "VE"] as const, ...ENABLED_BY];
  status = withBit(
    status,
    "FEX",
    pairs.some(([x, e]) => has(status, x) && has(status, e)),
  );
  if ((invalid && has(fpscr, "VE")) || (raised.includes("ZX") && has(fpscr, "ZE")))
    return { frt, fpscr: status };
  const flags = outcome.integer ? (invalid && !vsx ? 0b10001 : undefined) : classOf(outcome.bits, encoding);
  if (flags !== undefined) status = status - (Math.floor(status / 4096) % 32) * 4096 + flags * 4096;
  return { frt: outcome.bits, fpscr: status };
}

/** Target and FPSCR after a vector instruction: exceptions of all elements, and no result where one of them is enabled. */
export function afterVector(outcomes: readonly Outcome[], result: bigint, old: bigint, fpscr: number) {
  const raised = outcomes.flatMap((outcome) => outcome.raised);
  const pairs = [...INVALID.map((name) => [name, "VE"] as const), ...ENABLED_BY];
  const enabled = pairs.some(([x, e]) => raised.includes(x) && has(fpscr, e));
  const kept = (["FR", "FI"] as const).filter((name) => has(fpscr, name));
  const merged = { ...exact(0n, ...raised), integer: true };
  let status = after(merged, 0n, fpscr).fpscr;
  for (const name of kept) status = withBit(status, name, true);
  const flags = Math.floor(fpscr / 4096) % 32;
  status = status - (Math.floor(status / 4096) % 32) * 4096 + flags * 4096;
  return { target: enabled ? old : result, fpscr: status, enabled };
}

function classOf(bits: bigint, format: FormatUnderTest): number {
  const value = operand(bits, format);
  if (value.kind === "nan") return 0b10001;
  if (value.kind === "infinity") return value.negative ? 0b01001 : 0b00101;
  if (value.value.n === 0n) return value.negative ? 0b10010 : 0b00010;
  const subnormal = (bits % (1n << BigInt(format.width - 1))) >> BigInt(format.p - 1) === 0n ? 0b10000 : 0;
  return subnormal + (value.negative ? 0b01000 : 0b00100);
}

const exact = (bits: bigint, ...raised: Bit[]): Outcome => ({
  bits,
  raised,
  inexact: false,
  roundedUp: false,
  integer: false,
});
/** What results are rounded to, in which encoding, and how. */
export interface Target {
  readonly rounding: FormatUnderTest;
  readonly encoding: FormatUnderTest;
  readonly rn: number;
  readonly oe: boolean;
  readonly ue: boolean;
}
export const target = (
  fpscr: number,
  rounding: FormatUnderTest,
  encoding = rounding,
  rn = fpscr % 4,
): Target => ({
  rounding,
  encoding,
  rn,
  oe: has(fpscr, "OE"),
  ue: has(fpscr, "UE"),
});

const signBit = ({ encoding }: Target, negative: boolean) =>
  negative ? 1n << BigInt(encoding.width - 1) : 0n;
const infinityOf = ({ encoding: { width, p } }: Target) => (1n << BigInt(width - 1)) - (1n << BigInt(p - 1));
const quietBit = ({ encoding: { p } }: Target) => 1n << BigInt(p - 2);
const invalid = (t: Target, raised: Bit) => exact(infinityOf(t) | quietBit(t), raised);
const infinity = (t: Target, negative: boolean, ...raised: Bit[]) =>
  exact(infinityOf(t) | signBit(t, negative), ...raised);
const zero = (t: Target, negative: boolean) => exact(signBit(t, negative));

function rounded(real: Real, negative: boolean, t: Target): Outcome {
  const r = roundReal(real, negative, t.rounding, t.rn, t.oe, t.ue, t.encoding);
  const raised: Bit[] = [];
  if (r.overflow) raised.push("OX");
  if (r.underflow) raised.push("UX");
  if (r.inexact) raised.push("XX");
  return { bits: r.bits, raised, inexact: r.inexact, roundedUp: r.roundedUp, integer: false };
}

/** `signOfZero` is what a zero value gets. */
function result(value: Fraction, signOfZero: boolean, t: Target): Outcome {
  if (value.n === 0n) return zero(t, signOfZero);
  return rounded(magnitude(value), value.n < 0n, t);
}

/** The first NaN of FRA, FRB, FRC, quieted, without the fraction bits that the result's format lacks. */
function nanOf(t: Target, all: readonly bigint[], ...also: Bit[]): Outcome | undefined {
  const first = all.find((bits) => operand(bits, t.encoding).kind === "nan");
  if (first === undefined) return undefined;
  const signalling = all.some((bits) => {
    const value = operand(bits, t.encoding);
    return value.kind === "nan" && value.signalling;
  });
  const quiet = first | quietBit(t);
  const kept = quiet - (quiet % (1n << BigInt(t.encoding.p - t.rounding.p)));
  return exact(kept, ...also, ...(signalling ? (["VXSNAN"] as const) : []));
}

const isZero = (value: Operand) => value.kind === "number" && value.value.n === 0n;
const signOf = (value: Operand) => value.kind !== "nan" && value.negative;

function sum(a: Operand, b: Operand, t: Target): Outcome {
  if (a.kind === "infinity" && b.kind === "infinity" && a.negative !== b.negative) return invalid(t, "VXISI");
  if (a.kind === "infinity") return infinity(t, a.negative);
  if (b.kind === "infinity") return infinity(t, b.negative);
  if (a.kind === "nan" || b.kind === "nan") throw new Error("NaNs are dealt with before");
  const signOfZero = a.negative === b.negative ? a.negative : t.rn === 3;
  return result(fractions.plus(a.value, b.value), signOfZero, t);
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

function sumOfProduct(name: string, fra: bigint, frb: bigint, frc: bigint, t: Target): Outcome {
  const [a, b, c] = [operand(fra, t.encoding), operand(frb, t.encoding), operand(frc, t.encoding)];
  const noProduct = (a.kind === "infinity" && isZero(c)) || (isZero(a) && c.kind === "infinity");
  const nan = nanOf(t, [fra, frb, frc], ...(noProduct ? (["VXIMZ"] as const) : []));
  if (nan !== undefined) return nan;
  if (noProduct) return invalid(t, "VXIMZ");
  const outcome = sum(product(a, c), name.includes("sub") ? opposite(b) : b, t);
  const negate = name.startsWith("n") && operand(outcome.bits, t.encoding).kind !== "nan";
  return negate ? { ...outcome, bits: outcome.bits ^ (1n << BigInt(t.encoding.width - 1)) } : outcome;
}

function quotient(fra: bigint, frb: bigint, t: Target): Outcome {
  const [a, b] = [operand(fra, t.encoding), operand(frb, t.encoding)];
  const nan = nanOf(t, [fra, frb]);
  if (nan !== undefined) return nan;
  const negative = signOf(a) !== signOf(b);
  if (a.kind === "infinity") return b.kind === "infinity" ? invalid(t, "VXIDI") : infinity(t, negative);
  if (b.kind === "infinity") return zero(t, negative);
  if (isZero(b)) return isZero(a) ? invalid(t, "VXZDZ") : infinity(t, negative, "ZX");
  if (a.kind === "nan" || b.kind === "nan") throw new Error("NaNs are dealt with before");
  return result(fractions.over(a.value, b.value), negative, t);
}

function squareRoot(frb: bigint, t: Target): Outcome {
  const b = operand(frb, t.encoding);
  if (b.kind === "nan") return nanOf(t, [frb])!;
  if (isZero(b)) return exact(frb);
  if (b.negative) return invalid(t, "VXSQRT");
  if (b.kind === "infinity") return exact(frb);
  return rounded(rootOf(b.value), false, t);
}

/** Least and greatest integers of a width. */
const rangeOf = (width: number, signed: boolean): [bigint, bigint] =>
  signed ? [-(2n ** BigInt(width - 1)), 2n ** BigInt(width - 1) - 1n] : [0n, 2n ** BigInt(width) - 1n];

/** A conversion to an integer, of which `bits` are 64, or as many as it has. */
export function toInteger(
  bits: bigint,
  from: FormatUnderTest,
  width: number,
  signed: boolean,
  rn: number,
): Outcome {
  const [least, greatest] = rangeOf(width, signed);
  const b = operand(bits, from);
  const of = (value: bigint, ...raised: Bit[]): Outcome => ({
    ...exact(BigInt.asUintN(Math.max(width, 64), value), ...raised),
    integer: true,
  });
  if (b.kind === "nan") return of(least, "VXCVI", ...(b.signalling ? (["VXSNAN"] as const) : []));
  if (b.kind === "infinity") return of(b.negative ? least : greatest, "VXCVI");
  const value = roundToInteger(b.value, rn);
  if (value < least || value > greatest) return of(b.negative ? least : greatest, "VXCVI");
  const error = fractions.plus(fractions.of(value), fractions.minus(b.value)).n;
  const inexact = error !== 0n;
  const roundedUp = inexact && error > 0n === b.value.n > 0n;
  return { ...of(value, ...(inexact ? (["XX"] as const) : [])), inexact, roundedUp };
}

/** A value rounded to an integral one; `inexact` says whether that may be inexact. */
export function toIntegral(bits: bigint, rn: number, inexact: boolean, t: Target): Outcome {
  const b = operand(bits, t.encoding);
  if (b.kind === "nan") return nanOf(t, [bits])!;
  if (b.kind === "infinity") return exact(bits);
  const value = roundToInteger(b.value, rn);
  const outcome = exact(encode(b.negative, fractions.of(value), t.encoding));
  const error = fractions.plus(fractions.of(value), fractions.minus(b.value)).n;
  if (!inexact || error === 0n) return outcome;
  return { ...outcome, raised: ["XX"], inexact: true, roundedUp: error > 0n === b.value.n > 0n };
}

/** A number of one format rounded to another. */
export function toFormat(bits: bigint, from: FormatUnderTest, t: Target): Outcome {
  const b = operand(bits, from);
  if (b.kind === "nan") {
    const payload = reencode(bits, from, t.rounding);
    const quiet = payload | (1n << BigInt(t.rounding.p - 2));
    return exact(reencode(quiet, t.rounding, t.encoding), ...(b.signalling ? (["VXSNAN"] as const) : []));
  }
  if (b.kind === "infinity") return infinity(t, b.negative);
  return result(b.value, b.negative, t);
}

export const fromInteger = (value: bigint, t: Target): Outcome => result(fractions.of(value), false, t);

/** add, sub, mul, div, sqrt, madd, msub, nmadd, nmsub of operands a, b and (a factor) c. */
export function computed(name: string, a: bigint, b: bigint, c: bigint, t: Target): Outcome {
  const of = (bits: bigint) => operand(bits, t.encoding);
  switch (name) {
    case "add":
      return nanOf(t, [a, b]) ?? sum(of(a), of(b), t);
    case "sub":
      return nanOf(t, [a, b]) ?? sum(of(a), opposite(of(b)), t);
    case "mul": {
      const nan = nanOf(t, [a, c]);
      if (nan !== undefined) return nan;
      const [x, y] = [of(a), of(c)];
      if ((x.kind === "infinity" && isZero(y)) || (isZero(x) && y.kind === "infinity")) {
        return invalid(t, "VXIMZ");
      }
      const p = product(x, y);
      if (p.kind !== "number") return infinity(t, signOf(p));
      return result(p.value, p.negative, t);
    }
    case "div":
      return quotient(a, b, t);
    case "sqrt":
      return squareRoot(b, t);
    default:
      return sumOfProduct(name, a, b, c, t);
  }
}

const INTEGRAL: Record<string, number> = { frin: 4, friz: 1, frip: 2, frim: 3 };

/** The arithmetic, rounding and conversion instructions on FPRs by name. */
export function expected(name: string, fra: bigint, frb: bigint, frc: bigint, fpscr: number): Outcome {
  const single = name.endsWith("s");
  const base = single ? name.slice(0, -1) : name;
  const t = target(fpscr, single || base === "frsp" ? BINARY32 : BINARY64, BINARY64);
  if (base === "frsp") return toFormat(frb, BINARY64, t);
  if (base in INTEGRAL) return toIntegral(frb, INTEGRAL[base], false, t);
  if (base === "fcfid") return fromInteger(BigInt.asIntN(64, frb), t);
  if (base === "fcfidu") return fromInteger(frb, t);
  const conversion = /^fcti([dw])(u?)(z?)$/.exec(base);
  if (conversion === null) return computed(base.slice(1), fra, frb, frc, t);
  const [, size, unsigned, truncated] = conversion;
  return toInteger(frb, BINARY64, size === "d" ? 64 : 32, unsigned === "", truncated === "" ? fpscr % 4 : 1);
}
