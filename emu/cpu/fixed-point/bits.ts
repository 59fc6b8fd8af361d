/** Set-boolean, byte-reverse and bit-mask instructions: Power ISA 3.1, I.3.3.10.1, I.3.3.13 and I.3.3.13.1. */
import { centrifuge, countZeros, depositBits, extractBits } from "../bit-masks.ts";
import { bi, ra, rb, rs, rt } from "../fields.ts";
import type { Handler, HandlerTable } from "../handler.ts";
import { CR } from "../registers.ts";
import { reversed32 } from "../storage/load-store.ts";
import { cpu } from "../views.ts";

/** RT <- one number where CR bit BI is set, another where it is clear. */
const setBoolean =
  (set: number, clear: number): Handler =>
  (word) => {
    const bit = bi(word);
    const value = (cpu.bytes[CR + (bit >>> 2)] >>> (3 - (bit & 3))) & 1 ? set : clear;
    cpu.i32[rt(word)] = value;
    cpu.i32[rt(word) + 1] = value >> 31;
  };

const reverseHalfwords = (value: number): number =>
  ((value & 0x00ff_00ff) << 8) | ((value >>> 8) & 0x00ff_00ff);
const eachWord =
  (op: (value: number) => number): Handler =>
  (word) => {
    const low = op(cpu.i32[rs(word)]);
    const high = op(cpu.i32[rs(word) + 1]);
    cpu.i32[ra(word)] = low;
    cpu.i32[ra(word) + 1] = high;
  };

const masked =
  (op: (value: bigint, mask: bigint) => bigint): Handler =>
  (word) => {
    cpu.u64[ra(word) >> 1] = op(cpu.u64[rs(word) >> 1], cpu.u64[rb(word) >> 1]);
  };

export const bitHandlers: HandlerTable = {
  setbc: setBoolean(1, 0),
  setbcr: setBoolean(0, 1),
  setnbc: setBoolean(-1, 0),
  setnbcr: setBoolean(0, -1),
  brh: eachWord(reverseHalfwords),
  brw: eachWord(reversed32),
  brd: (word) => {
    const low = reversed32(cpu.i32[rs(word) + 1]);
    const high = reversed32(cpu.i32[rs(word)]);
    cpu.i32[ra(word)] = low;
    cpu.i32[ra(word) + 1] = high;
  },
  cntlzdm: masked(countZeros(true)),
  cnttzdm: masked(countZeros(false)),
  pdepd: masked(depositBits),
  pextd: masked(extractBits),
  cfuged: masked(centrifuge),
};
