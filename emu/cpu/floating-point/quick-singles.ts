/**
 * Sums, products and fused sums of four singles, as WebAssembly: Power ISA 3.0B, I.7.6.3. The product of singles is exact as a double;
 * its sum with a third is rounded to odd where it isn't, so that rounding that to a single is the only rounding
 * (S. Boldo and G. Melquiond, "Emulation of FMA and correctly rounded sums", 2008). What that doesn't say goes to the fallback: other
 * rounding modes than to nearest, enabled exceptions, NaNs, infinities, subnormal results, and the first inexact one.
 */
import { FPSCR } from "../registers.ts";
import {
  and,
  andNot,
  anyTrue,
  type Code,
  D,
  doubles,
  elements,
  getLocal,
  i32,
  i32Op,
  or,
  run,
  setLocal,
  shuffle,
  singles,
  V128,
  v128,
  W,
  xor,
  ZERO,
} from "../vector/expressions.ts";
import type { Frame, Row } from "../vector/frame.ts";
import { ENABLES, RN, XX } from "./fpscr.ts";

/** a + b, a * b, a * b + t (Type-A), a * t + b (Type-M). */
export type Sum = "sum" | "product" | "A" | "M";

const ONE = v128(1n, 1n);
/** Four singles by the bits of one. */
const all = (bits: bigint): Code => v128(bits * 0x1_0000_0001n, bits * 0x1_0000_0001n);
const LEAST = all(0x0080_0000n);
const BEYOND = all(0x7f80_0000n);

/** The lower lanes of `lower` and those of `upper` in one vector; of masks of doublewords, one word each. */
const joined = (lower: Code, upper: Code): Code => shuffle(upper, lower, [...run(8, 8), ...run(24, 8)]);
const joinedMasks = (lower: Code, upper: Code): Code => shuffle(upper, lower, elements(4, [0, 2, 4, 6]));

/** The factors (a alone where there is no other) and the addend, if there is one. */
function operands(frame: Frame, kind: Sum): { a: Code; c?: Code; b?: Code } {
  const { a, b } = frame;
  if (kind === "sum") return { a, b };
  if (kind === "product") return { a, c: b };
  return kind === "A" ? { a, c: b, b: frame.t } : { a, c: frame.t, b };
}

/** The row of such an instruction. */
export const quickSingles =
  (kind: Sum, subtract = false, negate = false): Row =>
  (frame) => {
    const code: number[] = [];
    const hold = (value: Code): Code => {
      const local = frame.local(V128);
      code.push(...setLocal(local, value));
      return getLocal(local);
    };
    const { a, c, b } = operands(frame, kind);
    const half = (isUpper: boolean) => {
      const widened = (x: Code): Code =>
        doubles.promote(isUpper ? shuffle(x, x, [...run(0, 8), ...run(0, 8)]) : x);
      const product = hold(c === undefined ? widened(a) : doubles.mul(widened(a), widened(c)));
      let exact = product;
      if (b !== undefined) {
        const addend = hold(subtract ? doubles.neg(widened(b)) : widened(b));
        const sum = hold(doubles.add(product, addend));
        const part = hold(doubles.sub(sum, product));
        const error = hold(
          doubles.add(doubles.sub(product, doubles.sub(sum, part)), doubles.sub(addend, part)),
        );
        // One more or less in the last place, by whether the exact value is greater in magnitude, makes an even sum odd.
        const step = or(D.shrS(xor(error, sum), i32(63)), ONE);
        const isWanted = andNot(doubles.ne(error, ZERO), D.neg(and(sum, ONE)));
        exact = hold(D.add(sum, and(step, isWanted)));
      }
      const rounded = hold(singles.demote(exact));
      return { rounded, differs: doubles.ne(doubles.promote(rounded), exact) };
    };
    const lower = half(false);
    const upper = half(true);
    const result = hold(joined(lower.rounded, upper.rounded));
    const isInexact = hold(joinedMasks(lower.differs, upper.differs));
    const magnitude = hold(singles.abs(result));
    const isNormal = and(singles.gt(magnitude, LEAST), singles.lt(magnitude, BEYOND));
    const isZero = andNot(singles.eq(result, ZERO), isInexact);
    const status = frame.register(FPSCR);
    const isPlain = i32Op.eqz(i32Op.and(status, i32(RN | ENABLES)));
    const tells = i32Op.or(i32Op.eqz(anyTrue(isInexact)), i32Op.ne(i32Op.and(status, i32(XX)), i32(0)));
    code.push(...frame.leaveUnless(i32Op.and(i32Op.and(isPlain, tells), W.allTrue(or(isNormal, isZero)))));
    return [...code, ...(negate ? singles.neg(result) : result)];
  };
