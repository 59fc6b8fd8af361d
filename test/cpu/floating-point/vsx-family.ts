import { GuestFault } from "../../../emu/cpu/fault.ts";
import { MSR_FE0, MSR_FE1 } from "../../../emu/cpu/registers.ts";
import {
  after,
  afterVector,
  computed,
  fromInteger,
  type Outcome,
  target,
  toFormat,
  toInteger,
  toIntegral,
} from "./expected.ts";
import { type Family, hex } from "./family.ts";
import { createFpMachine } from "./machine.ts";
import { randomOperands, randomStatus, type Words } from "./operands.ts";
import { BINARY16, BINARY32, BINARY64, BRAIN16, type FormatUnderTest, reencode } from "./reference.ts";

/** The bits of the elements of XA, XB and XT, to the element of the result. */
type Element = (a: bigint, b: bigint, t: bigint, fpscr: number) => Outcome;
/** Where elements lie in a VSR: their width, and that of the slots whose first (or last) part they are. */
interface Layout {
  readonly width: number;
  readonly slot: number;
  readonly low?: boolean;
}
interface Row {
  readonly element: Element;
  readonly from: Layout;
  readonly to: Layout;
  /** FPRF is of this format; for scalar instructions. */
  readonly class?: FormatUnderTest;
}

const DOUBLEWORDS: Layout = { width: 64, slot: 64 };
const WORDS: Layout = { width: 32, slot: 32 };
/** The first words of doublewords, and the last halfwords of words and doublewords. */
const EVEN_WORDS: Layout = { width: 32, slot: 64 };
const ODD_WORDS: Layout = { width: 32, slot: 64, low: true };
const HALVES: Layout = { width: 16, slot: 32, low: true };
const QUARTERS: Layout = { width: 16, slot: 64, low: true };

const OPERATIONS = ["add", "sub", "mul", "div", "sqrt"];
const FUSED = ["madd", "msub", "nmadd", "nmsub"];
const rows = new Map<string, Row>();

const lift =
  (element: Element): Element =>
  (a, b, t, fpscr) => {
    const wide = [a, b, t].map((bits) => reencode(bits, BINARY32, BINARY64));
    const outcome = element(wide[0], wide[1], wide[2], fpscr);
    return { ...outcome, bits: reencode(outcome.bits, BINARY64, BINARY32) };
  };

for (const single of [false, true]) {
  const rounding = single ? BINARY32 : BINARY64;
  const suffix = single ? "sp" : "dp";
  const layout = single ? WORDS : DOUBLEWORDS;
  const add = (name: string, element: Element) => {
    rows.set(`xs${name}${suffix}`, { element, from: DOUBLEWORDS, to: DOUBLEWORDS, class: BINARY64 });
    const own: Element = (a, b, t, fpscr) => element(a, b, t, fpscr);
    // Vector results are those of the element's own format: no exponent is adjusted, since an enabled overflow writes nothing.
    rows.set(`xv${name}${suffix}`, { element: single ? lift(own) : own, from: layout, to: layout });
  };
  for (const name of OPERATIONS) {
    add(name, (a, b, _t, fpscr) => computed(name, a, b, b, target(fpscr, rounding, BINARY64)));
  }
  for (const name of FUSED) {
    add(`${name}a`, (a, b, t, fpscr) => computed(name, a, t, b, target(fpscr, rounding, BINARY64)));
    add(`${name}m`, (a, b, t, fpscr) => computed(name, a, b, t, target(fpscr, rounding, BINARY64)));
  }
  const format = single ? BINARY32 : BINARY64;
  const letter = single ? "s" : "d";
  for (const [name, mode] of Object.entries({ i: 4, iz: 1, ip: 2, im: 3, ic: -1 })) {
    const element: Element = (_a, b, _t, fpscr) =>
      toIntegral(b, mode < 0 ? fpscr % 4 : mode, mode < 0, target(fpscr, format));
    rows.set(`xvr${letter}p${name}`, { element, from: layout, to: layout });
    if (!single) rows.set(`xsrdp${name}`, { element, from: DOUBLEWORDS, to: DOUBLEWORDS, class: BINARY64 });
  }
  for (const signed of [false, true]) {
    for (const width of [32, 64]) {
      const integer = `${signed ? "s" : "u"}x${width === 32 ? "w" : "d"}`;
      const both = single === (width === 32);
      const integers = width === 64 ? DOUBLEWORDS : both ? WORDS : EVEN_WORDS;
      const floats = !single ? DOUBLEWORDS : both ? WORDS : EVEN_WORDS;
      const to: Element = (_a, b) => toInteger(b, format, width, signed, 1);
      rows.set(`xvcv${suffix}${integer}s`, { element: to, from: floats, to: integers });
      if (!single) {
        const at = width === 64 ? DOUBLEWORDS : ODD_WORDS;
        rows.set(`xscvdp${integer}s`, { element: to, from: DOUBLEWORDS, to: at });
      }
      const value = (b: bigint) => (signed ? BigInt.asIntN(width, b) : b);
      const from: Element = (_a, b, _t, fpscr) => fromInteger(value(b), target(fpscr, format));
      rows.set(`xvcv${integer}${suffix}`, { element: from, from: integers, to: floats });
      if (width === 64) {
        const scalar: Element = (_a, b, _t, fpscr) =>
          fromInteger(value(b), target(fpscr, rounding, BINARY64));
        rows.set(`xscv${integer}${suffix}`, {
          element: scalar,
          from: DOUBLEWORDS,
          to: DOUBLEWORDS,
          class: BINARY64,
        });
      }
    }
  }
}
const conversion =
  (from: FormatUnderTest, to: FormatUnderTest, encoding = to): Element =>
  (_a, b, _t, fpscr) =>
    toFormat(b, from, target(fpscr, to, encoding));
rows.set("xsrsp", {
  element: conversion(BINARY64, BINARY32, BINARY64),
  from: DOUBLEWORDS,
  to: DOUBLEWORDS,
  class: BINARY64,
});
rows.set("xscvdpsp", {
  element: conversion(BINARY64, BINARY32),
  from: DOUBLEWORDS,
  to: EVEN_WORDS,
  class: BINARY32,
});
rows.set("xscvspdp", {
  element: conversion(BINARY32, BINARY64),
  from: EVEN_WORDS,
  to: DOUBLEWORDS,
  class: BINARY64,
});
rows.set("xscvdphp", {
  element: conversion(BINARY64, BINARY16),
  from: DOUBLEWORDS,
  to: QUARTERS,
  class: BINARY16,
});
rows.set("xscvhpdp", {
  element: conversion(BINARY16, BINARY64),
  from: QUARTERS,
  to: DOUBLEWORDS,
  class: BINARY64,
});
rows.set("xvcvdpsp", { element: conversion(BINARY64, BINARY32), from: DOUBLEWORDS, to: EVEN_WORDS });
rows.set("xvcvspdp", { element: conversion(BINARY32, BINARY64), from: EVEN_WORDS, to: DOUBLEWORDS });
rows.set("xvcvhpsp", { element: conversion(BINARY16, BINARY32), from: HALVES, to: WORDS });
rows.set("xvcvsphp", { element: conversion(BINARY32, BINARY16), from: WORDS, to: HALVES });
rows.set("xvcvspbf16", { element: conversion(BINARY32, BRAIN16), from: WORDS, to: HALVES });

/** Elements of a VSR's 128 bits, the first one first. */
function split(value: bigint, { width, slot, low }: Layout): bigint[] {
  return Array.from({ length: 128 / slot }, (_, k) => {
    const part = BigInt.asUintN(slot, value >> BigInt(128 - slot * (k + 1)));
    return low ? BigInt.asUintN(width, part) : part >> BigInt(slot - width);
  });
}
/** 128 bits with the elements in their places; what a doubleword has beside a word is left out of the comparison. */
function join(elements: readonly bigint[], { width, slot, low }: Layout): bigint {
  return elements.reduce(
    (all, element, k) =>
      all | (BigInt.asUintN(width, element) << BigInt(128 - slot * (k + 1) + (low ? 0 : slot - width))),
    0n,
  );
}
const maskOf = (layout: Layout, count: number): bigint =>
  layout === EVEN_WORDS || layout === ODD_WORDS
    ? join(Array(count).fill((1n << BigInt(layout.width)) - 1n), layout) |
      (count === 1 ? (1n << 64n) - 1n : 0n)
    : (1n << 128n) - 1n;

/** Words that as single, double, integer or half-precision elements are worth trying. */
function randomVectors(words: Words): bigint[] {
  const wide = () => {
    const pairs = [randomOperands(words), randomOperands(words)];
    return [0, 1, 2].map((i) => (pairs[0][i] << 64n) | pairs[1][i]);
  };
  const narrow = () => {
    const lanes = Array.from({ length: 4 }, () =>
      randomOperands(words).map((bits) => reencode(roundedToSingle(bits), BINARY64, BINARY32)),
    );
    return [0, 1, 2].map((i) => lanes.reduce((all, lane) => (all << 32n) | lane[i], 0n));
  };
  return words.below(2) === 0 ? wide() : narrow();
}
function roundedToSingle(bits: bigint): bigint {
  return toFormat(bits, BINARY64, target(0, BINARY32, BINARY64)).bits;
}

const [XT, XA, XB] = [36, 33, 34];

const machine = createFpMachine("3.1");

const difference: Family["difference"] = (name, words) => {
  const fpscr = randomStatus(words);
  const [a, b, t] = randomVectors(words);
  const row = rows.get(name)!;
  const { registers } = machine.cpu;
  machine.setVsr(XA, a);
  machine.setVsr(XB, b);
  machine.setVsr(XT, t);
  registers.fpscr = fpscr;
  registers.msr = MSR_FE0 | MSR_FE1;
  let interrupted = false;
  try {
    machine.execute(
      name,
      machine.match(name) | ((XT - 32) << 21) | ((XA - 32) << 16) | ((XB - 32) << 11) | 7,
    );
  } catch (error) {
    if (!(error instanceof GuestFault)) throw error;
    interrupted = true;
  }
  const read = machine.vsr(XT);
  const elements = [a, b].map((value) => split(value, row.from));
  const olds = split(t, row.from);
  const count = name.startsWith("xs") ? 1 : elements[0].length;
  const outcomes = Array.from({ length: count }, (_, k) =>
    row.element(elements[0][k], elements[1][k], olds[k], fpscr),
  );
  const mask = maskOf(row.to, count);
  const result = join(
    outcomes.map(({ bits }) => bits),
    row.to,
  );
  const want =
    count === 1 ? scalarState(outcomes[0], result, t, fpscr, row) : afterVector(outcomes, result, t, fpscr);
  const status = registers.fpscr;
  const raisedEnabled = want.enabled === interrupted;
  if ((read & mask) === (want.target & mask) && status === want.fpscr && raisedEnabled) return undefined;
  return (
    `${name} a=${hex(a)} b=${hex(b)} t=${hex(t)} fpscr=${hex(fpscr)}: ` +
    `xt ${hex(read)} fpscr ${hex(status)} ${interrupted}, want ${hex(want.target)} ${hex(want.fpscr)} ${want.enabled}`
  );
};

function scalarState(outcome: Outcome, result: bigint, old: bigint, fpscr: number, row: Row) {
  const changed = after(outcome, -1n, fpscr, row.class, true);
  const { enabled } = afterVector([outcome], result, old, fpscr);
  return { target: changed.frt === -1n ? old : result, fpscr: changed.fpscr, enabled };
}

/** Scalar and vector arithmetic, rounding and conversions of VSX. */
export const VSX_FAMILY: Family = { name: "VSX", rows: [...rows.keys()], difference };
