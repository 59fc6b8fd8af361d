/** Fixed-point multiplication: Power ISA 3.0B, I.3.3.9 and I.3.3.9.1. */
import { OE, RC, ra, rb, rc, rt, si } from "../fields.ts";
import { record, setOverflow } from "../flags.ts";
import type { HandlerTable } from "../handler.ts";
import { cpu } from "../views.ts";
import { multiplyHigh, multiplyHighDoubleword, multiplyHighUnsigned } from "./wide-products.ts";

const give = (word: number, low: number, high: number) => {
  cpu.i32[rt(word)] = low;
  cpu.i32[rt(word) + 1] = high;
  if ((word & RC) !== 0) record(low, high);
};
/**
 * A product of words, of which the manual defines the low half of RT only: the high half is zero. CR0, undefined in 64-bit mode, tells
 * how the low word compares, as outputs recorded on POWER processors have it.
 */
const giveHighWord = (word: number, product: number) => {
  cpu.i32[rt(word)] = product;
  cpu.i32[rt(word) + 1] = 0;
  if ((word & RC) !== 0) record(product, product >> 31);
};

export const multiplyHandlers: HandlerTable = {
  mulli: (word) => {
    const factor = si(word);
    const low = cpu.i32[ra(word)];
    const high =
      multiplyHighUnsigned(low, factor) +
      Math.imul(cpu.i32[ra(word) + 1], factor) +
      Math.imul(low, factor >> 31);
    cpu.i32[rt(word)] = Math.imul(low, factor);
    cpu.i32[rt(word) + 1] = high;
  },
  mulhw: (word) => giveHighWord(word, multiplyHigh(cpu.i32[ra(word)], cpu.i32[rb(word)])),
  mulhwu: (word) => giveHighWord(word, multiplyHighUnsigned(cpu.i32[ra(word)], cpu.i32[rb(word)])),
  mullw: (word) => {
    const a = cpu.i32[ra(word)];
    const b = cpu.i32[rb(word)];
    const low = Math.imul(a, b);
    const high = multiplyHigh(a, b);
    if ((word & OE) !== 0) {
      const overflow = high !== low >> 31 ? 1 : 0;
      setOverflow(overflow, overflow);
    }
    give(word, low, high);
  },
  mulld: (word) => {
    const a = ra(word);
    const b = rb(word);
    if ((word & OE) !== 0) {
      const product = cpu.i64[a >> 1] * cpu.i64[b >> 1];
      const overflow = BigInt.asIntN(64, product) !== product ? 1 : 0;
      setOverflow(overflow, overflow);
    }
    const high =
      (multiplyHighUnsigned(cpu.i32[a], cpu.i32[b]) +
        Math.imul(cpu.i32[a + 1], cpu.i32[b]) +
        Math.imul(cpu.i32[a], cpu.i32[b + 1])) |
      0;
    give(word, Math.imul(cpu.i32[a], cpu.i32[b]), high);
  },
  mulhdu: (word) => {
    const a = ra(word);
    const b = rb(word);
    multiplyHighDoubleword(cpu.i32[a], cpu.i32[a + 1], cpu.i32[b], cpu.i32[b + 1], (low, high) =>
      give(word, low, high),
    );
  },
  mulhd: (word) => {
    const product = (cpu.i64[ra(word) >> 1] * cpu.i64[rb(word) >> 1]) >> 64n;
    give(word, Number(BigInt.asIntN(32, product)), Number(product >> 32n));
  },
  maddhd: (word) => {
    cpu.i64[rt(word) >> 1] =
      (cpu.i64[ra(word) >> 1] * cpu.i64[rb(word) >> 1] + cpu.i64[rc(word) >> 1]) >> 64n;
  },
  maddhdu: (word) => {
    cpu.u64[rt(word) >> 1] =
      (cpu.u64[ra(word) >> 1] * cpu.u64[rb(word) >> 1] + cpu.u64[rc(word) >> 1]) >> 64n;
  },
  maddld: (word) => {
    cpu.i64[rt(word) >> 1] = cpu.i64[ra(word) >> 1] * cpu.i64[rb(word) >> 1] + cpu.i64[rc(word) >> 1];
  },
};
