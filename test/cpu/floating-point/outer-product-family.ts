/**
 * The matrix-multiply assist (Power ISA 3.1, I.7.6.3) beside the reference, in its plain and its masked forms: sums of integer
 * products, and floating-point ones, each rounded as the manual says, with everything that halves and singles can be.
 */
import { GuestFault } from "../../../emu/cpu/fault.ts";
import { MSR_FE0, MSR_FE1, VSCR } from "../../../emu/cpu/registers.ts";
import { maskedProducts, matrixHandlers } from "../../../emu/cpu/vector/matrix.ts";
import { bind } from "../../../emu/cpu/views.ts";
import { MATRIX } from "../../../emu/isa/table/matrix.ts";
import { afterVector, computed, type Outcome, target } from "./expected.ts";
import { type Family, hex } from "./family.ts";
import { createFpMachine } from "./machine.ts";
import { randomOperand, randomStatus, type Words } from "./operands.ts";
import {
  BINARY16,
  BINARY32,
  BINARY64,
  BRAIN16,
  type FormatUnderTest,
  operand,
  reencode,
} from "./reference.ts";

/** What the prefix chooses, each bit a row, column or product, the first one leftmost. */
interface Masks {
  readonly rows: number;
  readonly columns: number;
  readonly products: number;
}

/** An element of the accumulator: what becomes of it, and whether an integer sum was cut off. */
interface Element {
  readonly outcome: Outcome;
  readonly saturated?: boolean;
}
interface Row {
  /** Bits of the elements of X and Y, how many of them make a result, and bits of that. */
  readonly bits: number;
  readonly rank: number;
  readonly width: 32 | 64;
  /** From the factors that are not left out and what the accumulator holds. */
  of(x: readonly bigint[], y: readonly bigint[], held: bigint, fpscr: number): Element;
  /** A random element of X or Y. */
  factor(words: Words): bigint;
}

const plain = (bits: bigint): Outcome => ({
  bits,
  raised: [],
  inexact: false,
  roundedUp: false,
  integer: true,
});
const rows = new Map<string, Row>();

// ---- integers ----------------------------------------------------------------------------------------------------

for (const [name, bits, signed] of [
  ["xvi4ger8", 4, true],
  ["xvi8ger4", 8, false],
  ["xvi16ger2", 16, true],
] as const) {
  for (const suffix of ["", "pp", "s", "spp"]) {
    if (suffix.startsWith("s") && (bits === 4 || (bits === 8 && suffix === "s"))) continue;
    const top = 2n ** BigInt(bits);
    const value = (each: bigint, isSigned: boolean) => (isSigned && each >= top / 2n ? each - top : each);
    rows.set(name + suffix, {
      bits,
      rank: 32 / bits,
      width: 32,
      factor: (words) =>
        words.below(3) === 0 ? words.pick([top / 2n, top / 2n - 1n, top - 1n]) : words.bits() % top,
      of: (x, y, held) => {
        let sum = suffix.endsWith("pp") ? (held >= 2n ** 31n ? held - 2n ** 32n : held) : 0n;
        for (const [k, each] of x.entries()) sum += value(each, true) * value(y[k], signed);
        const [least, most] = [-(2n ** 31n), 2n ** 31n - 1n];
        const stuck = sum < least ? least : sum > most ? most : sum;
        if (!suffix.startsWith("s") || stuck === sum) return { outcome: plain(BigInt.asUintN(32, sum)) };
        return { outcome: plain(BigInt.asUintN(32, stuck)), saturated: true };
      },
    });
  }
}

// ---- floating point ----------------------------------------------------------------------------------------------

/** By the last letters of a name: the signs of the products and of what the accumulator holds. */
const SIGNS = { "": undefined, pp: ["+", "+"], np: ["-", "+"], pn: ["+", "-"], nn: ["-", "-"] } as const;
/** The fused operation of the same signs. */
const FUSED = { pp: "madd", np: "nmsub", pn: "msub", nn: "nmadd" } as const;

const isNan = (bits: bigint) => operand(bits).kind === "nan";
const withSign = (bits: bigint, sign: "+" | "-") => (sign === "+" || isNan(bits) ? bits : bits ^ (1n << 63n));

for (const suffix of Object.keys(SIGNS) as (keyof typeof SIGNS)[]) {
  for (const [letters, format] of [
    ["f32", BINARY32],
    ["f64", BINARY64],
  ] as const) {
    rows.set(`xv${letters}ger${suffix}`, {
      bits: format.width,
      rank: 1,
      width: format.width as 32 | 64,
      factor: (words) => reencode(roundedTo(words, format), BINARY64, format),
      of: ([x], [y], held, fpscr) => {
        const t = target(fpscr % 4, format, BINARY64);
        const [a, c, b] = [x, y, held].map((bits) => reencode(bits, format, BINARY64));
        const outcome = computed(suffix === "" ? "mul" : FUSED[suffix], a, b, c, t);
        return { outcome: { ...outcome, bits: reencode(outcome.bits, BINARY64, format) } };
      },
    });
  }
  for (const [letters, format] of [
    ["f16", BINARY16],
    ["bf16", BRAIN16],
  ] as const) {
    rows.set(`xv${letters}ger2${suffix}`, {
      bits: 16,
      rank: 2,
      width: 32,
      factor: (words) => reencode(roundedTo(words, format), BINARY64, format),
      of: (x, y, held, fpscr) => {
        const [single, double] = [BINARY32, BINARY64].map((to) => target(fpscr % 4, to, BINARY64));
        const wide = (bits: bigint) => reencode(bits, format, BINARY64);
        // A double holds every product of two halves.
        const first = computed("mul", wide(x[0]), 0n, wide(y[0]), double);
        const sum = computed("madd", wide(x[1]), first.bits, wide(y[1]), single);
        const raised = [...first.raised, ...sum.raised];
        const signs = SIGNS[suffix];
        const addend = reencode(held, BINARY32, BINARY64);
        const all =
          signs && computed("add", withSign(sum.bits, signs[0]), withSign(addend, signs[1]), 0n, single);
        const bits = reencode((all ?? sum).bits, BINARY64, BINARY32);
        return { outcome: { ...plain(bits), raised: [...raised, ...(all?.raised ?? [])] } };
      },
    });
  }
}

/** A random number of a format, as a double. */
function roundedTo(words: Words, format: FormatUnderTest): bigint {
  if (words.below(3) > 0) return reencode(words.bits() >> BigInt(64 - format.width), format, BINARY64);
  const bits = randomOperand(words);
  const value = operand(bits);
  const isIn = value.kind === "number" && computed("add", bits, 0n, 0n, target(1, format, BINARY64));
  return isIn ? isIn.bits : reencode(reencode(bits, BINARY64, format), format, BINARY64);
}

// ---- one case ----------------------------------------------------------------------------------------------------

const [AT, XA, XB] = [2, 34, 37];
const FIRST = 4 * AT;

const machine = createFpMachine("3.1");
const handlers = matrixHandlers();
const MATCHES = new Map(MATRIX().map(({ name, match }) => [name, match]));

/** Elements of a register's 128 bits, or of those of a pair, the first one first. */
const split = (value: bigint, bits: number, total: number): bigint[] =>
  Array.from({ length: total / bits }, (_, k) =>
    BigInt.asUintN(bits, value >> BigInt(total - bits * (k + 1))),
  );
const join = (elements: readonly bigint[], bits: number): bigint =>
  elements.reduce((all, each) => (all << BigInt(bits)) | each, 0n);
const fill = (words: Words, count: number, one: (words: Words) => bigint, bits: number): bigint =>
  join(
    Array.from({ length: count }, () => one(words)),
    bits,
  );
const isChosen = (mask: number, count: number, k: number) => (mask >> (count - 1 - k)) % 2 === 1;

/** Executes the instruction, or with masks the prefixed one. Whether an enabled exception interrupted. */
function execute(name: string, masks: Masks | undefined, columns: number, rank: number): boolean {
  const word = MATCHES.get(name)! | (AT << 23) | ((XA - 32) << 16) | ((XB - 32) << 11) | 6;
  bind(machine.cpu);
  try {
    if (masks !== undefined) {
      const products = rank === 1 ? 0 : masks.products << (16 - rank);
      const prefix = 0x0790_0000 | products | (masks.rows << 4) | (masks.columns << (4 - columns));
      maskedProducts[`pm${name}`](prefix, word, 0x1000_0000);
    } else {
      const handler = handlers[name];
      (typeof handler === "function" ? handler : handler.select(word, machine.cpu))(word, 0x1000_0000);
    }
    return false;
  } catch (error) {
    if (!(error instanceof GuestFault)) throw error;
    return true;
  }
}

const difference: Family["difference"] = (name, words) => {
  const row = rows.get(name)!;
  const { bits, rank, width } = row;
  const columns = 128 / width;
  // X of doublewords is a pair of registers.
  const long = width === 64 ? 256 : 128;
  const [x, y] = [fill(words, long / bits, row.factor, bits), fill(words, 128 / bits, row.factor, bits)];
  const result = width === 64 ? BINARY64 : BINARY32;
  const integral = name.startsWith("xvi");
  const held = Array.from({ length: 4 }, () =>
    fill(
      words,
      columns,
      () => (integral ? words.bits() >> 32n : reencode(roundedTo(words, result), BINARY64, result)),
      width,
    ),
  );
  const fpscr = randomStatus(words);
  const masks =
    words.below(2) === 0
      ? undefined
      : { rows: words.below(16), columns: words.below(2 ** columns), products: words.below(2 ** rank) };
  const { registers } = machine.cpu;
  for (let i = 0; i < long / 128; i++)
    machine.setVsr(XA + i, BigInt.asUintN(128, x >> BigInt(long - 128 * (i + 1))));
  machine.setVsr(XB, y);
  for (const [i, value] of held.entries()) machine.setVsr(FIRST + i, value);
  registers.fpscr = fpscr;
  registers.msr = MSR_FE0 | MSR_FE1;
  registers.u32[VSCR / 4] = 0;
  const interrupted = execute(name, masks, columns, rank);

  const chosen = masks ?? { rows: 15, columns: 2 ** columns - 1, products: 2 ** rank - 1 };
  const factors = (elements: readonly bigint[], at: number) =>
    elements
      .slice(at * rank, (at + 1) * rank)
      .map((each, k) => (rank === 1 || isChosen(chosen.products, rank, k) ? each : 0n));
  const [xs, ys] = [split(x, bits, long), split(y, bits, 128)];
  const elements = held.flatMap((value, i) =>
    split(value, width, 128).map((old, j): Element => {
      const isIn = isChosen(chosen.rows, 4, i) && isChosen(chosen.columns, columns, j);
      return isIn ? row.of(factors(xs, i), factors(ys, j), old, fpscr) : { outcome: plain(0n) };
    }),
  );
  const outcomes = elements.map(({ outcome }) => outcome);
  const want = join(
    outcomes.map(({ bits }) => bits),
    width,
  );
  const got = join(
    [0, 1, 2, 3].map((i) => machine.vsr(FIRST + i)),
    128,
  );
  // The results are written whatever is enabled.
  const after = integral ? { fpscr, enabled: false } : afterVector(outcomes, want, want, fpscr);
  const saturated = elements.some((each) => each.saturated === true) ? 1 : 0;
  const status = [registers.fpscr, interrupted, registers.u32[VSCR / 4]];
  const wanted = [after.fpscr, after.enabled, saturated];
  if (got === want && status.join() === wanted.join()) return undefined;
  return (
    `${name} x=${hex(x)} y=${hex(y)} held=${held.map(hex)} masks=${JSON.stringify(masks)} fpscr=${hex(fpscr)}: ` +
    `${hex(got)} ${status}, want ${hex(want)} ${wanted}`
  );
};

/** Outer products and their masked forms. */
export const OUTER_PRODUCT_FAMILY: Family = { name: "MMA", rows: [...rows.keys()], difference };
