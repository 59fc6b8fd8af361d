/** Fixed-point addition and subtraction: Power ISA 3.0B, I.3.3.9. All of it is one sum of two operands and a carry. */
import { OE, RC, ra, ra0, rb, rt, si } from "../fields.ts";
import { carryOut, overflow, record, setCarry, setOverflow } from "../flags.ts";
import { type HandlerTable, validWhen } from "../handler.ts";
import { XER_CA, XER_OV, XER_OV32 } from "../registers.ts";
import { cpu } from "../views.ts";

/** The OE and Rc bits of an XO form. */
const OERC = OE | RC;
/** The CY field of Z23 forms. */
const CY = 0x600;
/** Beside OE and RC, what `sum` may be asked for: to set CA. */
const CARRYING = 2;

/** RT <- a + b + carry, with the flags in `sets`. */
const sum = (
  word: number,
  aLow: number,
  aHigh: number,
  bLow: number,
  bHigh: number,
  carry: number,
  sets: number,
) => {
  const t = rt(word);
  const low = (aLow + bLow + carry) | 0;
  const carry32 = carryOut(aLow, bLow, low);
  const high = (aHigh + bHigh + carry32) | 0;
  cpu.i32[t] = low;
  cpu.i32[t + 1] = high;
  if (sets === 0) return;
  if ((sets & CARRYING) !== 0) setCarry(cpu.is64 ? carryOut(aHigh, bHigh, high) : carry32, carry32);
  if ((sets & OE) !== 0) {
    const overflow32 = overflow(aLow, bLow, low);
    setOverflow(cpu.is64 ? overflow(aHigh, bHigh, high) : overflow32, overflow32);
  }
  if ((sets & RC) !== 0) record(low, high);
};
/** RT <- RA + b + carry. */
const add = (word: number, bLow: number, bHigh: number, carry: number, sets: number) =>
  sum(word, cpu.i32[ra(word)], cpu.i32[ra(word) + 1], bLow, bHigh, carry, sets);
/** RT <- ~RA + b + carry. */
const subtract = (word: number, bLow: number, bHigh: number, carry: number, sets: number) =>
  sum(word, ~cpu.i32[ra(word)], ~cpu.i32[ra(word) + 1], bLow, bHigh, carry, sets);

export const addHandlers: HandlerTable = {
  addi: (word) => sum(word, cpu.i32[ra0(word)], cpu.i32[ra0(word) + 1], si(word), si(word) >> 31, 0, 0),
  addis: (word) =>
    sum(word, cpu.i32[ra0(word)], cpu.i32[ra0(word) + 1], word << 16, (word << 16) >> 31, 0, 0),
  /** RT <- NIA + D, where D is in three parts: d0 || d1 || d2. */
  addpcis: (word, cia) => {
    const d = (((word & 0xffc1) | ((word >>> 15) & 0x3e)) << 16) | 0;
    sum(word, (cia + 4) | 0, cpu.codeHigh, d, d >> 31, 0, 0);
  },
  add: (word) => add(word, cpu.i32[rb(word)], cpu.i32[rb(word) + 1], 0, word & OERC),
  subf: (word) => subtract(word, cpu.i32[rb(word)], cpu.i32[rb(word) + 1], 1, word & OERC),
  addic: (word) => add(word, si(word), si(word) >> 31, 0, CARRYING),
  "addic.": (word) => add(word, si(word), si(word) >> 31, 0, CARRYING | RC),
  subfic: (word) => subtract(word, si(word), si(word) >> 31, 1, CARRYING),
  addc: (word) => add(word, cpu.i32[rb(word)], cpu.i32[rb(word) + 1], 0, (word & OERC) | CARRYING),
  subfc: (word) => subtract(word, cpu.i32[rb(word)], cpu.i32[rb(word) + 1], 1, (word & OERC) | CARRYING),
  adde: (word) =>
    add(word, cpu.i32[rb(word)], cpu.i32[rb(word) + 1], cpu.bytes[XER_CA], (word & OERC) | CARRYING),
  subfe: (word) =>
    subtract(word, cpu.i32[rb(word)], cpu.i32[rb(word) + 1], cpu.bytes[XER_CA], (word & OERC) | CARRYING),
  addme: (word) => add(word, -1, -1, cpu.bytes[XER_CA], (word & OERC) | CARRYING),
  subfme: (word) => subtract(word, -1, -1, cpu.bytes[XER_CA], (word & OERC) | CARRYING),
  addze: (word) => add(word, 0, 0, cpu.bytes[XER_CA], (word & OERC) | CARRYING),
  subfze: (word) => subtract(word, 0, 0, cpu.bytes[XER_CA], (word & OERC) | CARRYING),
  neg: (word) => subtract(word, 0, 0, 1, word & OERC),
  /** OV serves as the carry, in and out; SO stays as it is. Only CY = 0 is defined. */
  addex: validWhen(
    (word) => (word & CY) === 0,
    (word) => {
      const aLow = cpu.i32[ra(word)];
      const aHigh = cpu.i32[ra(word) + 1];
      const bLow = cpu.i32[rb(word)];
      const bHigh = cpu.i32[rb(word) + 1];
      add(word, bLow, bHigh, cpu.bytes[XER_OV], 0);
      const carry32 = carryOut(aLow, bLow, cpu.i32[rt(word)]);
      cpu.bytes[XER_OV] = cpu.is64 ? carryOut(aHigh, bHigh, cpu.i32[rt(word) + 1]) : carry32;
      cpu.bytes[XER_OV32] = carry32;
    },
  ),
};
