import { VSCR } from "../../../emu/cpu/registers.ts";
import { computed, target, toIntegral } from "./expected.ts";
import type { Family } from "./family.ts";
import { createFpMachine } from "./machine.ts";
import { randomOperands } from "./operands.ts";
import { BINARY32, BINARY64, operand, reencode } from "./reference.ts";

export const SIGN = 1n << 31n;
const TARGET = target(0, BINARY32);
export const ONE = 0x3f80_0000n;

const isNan = (bits: bigint) => operand(bits, BINARY32).kind === "nan";
/** Subnormal numbers as zeros. */
const flush = (bits: bigint) => ((bits >> 23n) % 256n === 0n ? bits & SIGN : bits);

type Element = (a: bigint, b: bigint, c: bigint) => { bits: bigint; tiny: boolean };
const arithmetic =
  (name: string): Element =>
  (a, b, c) => {
    const { bits } = computed(name, a, b, c, TARGET);
    // With underflow enabled the reference says of every tiny result that it is.
    const tiny = computed(name, a, b, c, target(0x20, BINARY32)).raised.includes("UX");
    return { bits, tiny };
  };
const rounding =
  (mode: number): Element =>
  (_a, b) => ({ bits: toIntegral(b, mode, false, TARGET).bits, tiny: false });
const mask = (relation: (a: number, b: number) => boolean): Element => {
  const value = (bits: bigint) => new Float32Array(new Uint32Array([Number(bits)]).buffer)[0];
  return (a, b) => ({ bits: relation(value(a), value(b)) ? 0xffff_ffffn : 0n, tiny: false });
};
const bounds: Element = (a, b, c) => ({
  bits:
    (mask((x, y) => x <= y)(a, b, c).bits === 0n ? SIGN : 0n) |
    (mask((x, y) => x >= -y)(a, b, c).bits === 0n ? 1n << 30n : 0n),
  tiny: false,
});

const ELEMENTS: Record<string, Element> = {
  vaddfp: arithmetic("add"),
  vsubfp: arithmetic("sub"),
  vmaddfp: arithmetic("madd"),
  vnmsubfp: arithmetic("nmsub"),
  vrefp: (_a, b, c) => arithmetic("div")(ONE, b, c),
  vrfim: rounding(3),
  vrfin: rounding(0),
  vrfip: rounding(2),
  vrfiz: rounding(1),
  vcmpeqfp: mask((a, b) => a === b),
  vcmpgefp: mask((a, b) => a >= b),
  vcmpgtfp: mask((a, b) => a > b),
  vcmpbfp: bounds,
};

export const machine = createFpMachine("2.07");
const { registers } = machine.cpu;
export const put = (n: number, words: readonly bigint[]) =>
  machine.setVsr(
    n,
    words.reduce((all, word) => (all << 32n) | word),
  );
export const get = (n: number) => [96n, 64n, 32n, 0n].map((by) => (machine.vsr(n) >> by) & 0xffff_ffffn);
/** Executes a row on VRs 1 (A), 2 (B), 3 (C) and gives VR 4. */
export const run = (name: string, more: number, a: bigint[], b: bigint[], c = a, nonJava = false) => {
  put(33, a);
  put(34, b);
  put(35, c);
  registers.u32[VSCR / 4] = nonJava ? 0x1_0000 : 0;
  const fieldA = /^v(r|ct|cf|log|exp)/.test(name) ? 0 : 1 << 16;
  machine.execute(name, machine.match(name) | (4 << 21) | fieldA | (2 << 11) | more);
  return get(36);
};

const difference: Family["difference"] = (name, words) => {
  const isFused = name === "vmaddfp" || name === "vnmsubfp";
  const nonJava = words.below(2) === 1;
  const lanes = Array.from({ length: 4 }, () =>
    randomOperands(words).map((bits) => reencode((bits >> 29n) << 29n, BINARY64, BINARY32)),
  );
  const [a, b, c] = [0, 1, 2].map((i) => lanes.map((lane) => lane[i]));
  const got = run(name, isFused ? 3 << 6 : 0, a, b, c, nonJava);
  const want = lanes.map((lane) => {
    const [x, y, z] = nonJava ? lane.map((bits) => (isNan(bits) ? bits : flush(bits))) : lane;
    const { bits, tiny } = ELEMENTS[name](x, y, z);
    return nonJava && (tiny || flush(bits) !== bits) && !isNan(bits) ? bits & SIGN : bits;
  });
  if (want.every((bits, lane) => bits === got[lane])) return undefined;
  const show = (vector: readonly bigint[]) => vector.map((bits) => bits.toString(16)).join(" ");
  return `${name} a=${show(a)} b=${show(b)} c=${show(c)} NJ ${nonJava}: ${show(got)}, want ${show(want)}`;
};

/** Single-precision arithmetic, rounding and compares of Altivec, in Java mode and without. */
export const ALTIVEC_FAMILY: Family = { name: "Altivec", rows: Object.keys(ELEMENTS), difference };
