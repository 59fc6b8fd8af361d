/**
 * Load and reserve, store conditional: Power ISA 3.0B, II.4.6.2. A reservation is the address, the length and the value seen; the
 * store takes place if all three are still so. A value that changed and changed back is not noticed, as in QEMU.
 */
import { addressX } from "../effective-address.ts";
import { GuestFault } from "../fault.ts";
import { ra, rb, rs, rt } from "../fields.ts";
import { type HandlerTable, type Selector, validWhen } from "../handler.ts";
import { CR, RESERVE_ADDRESS, RESERVE_LENGTH, RESERVE_VALUE, XER_SO } from "../registers.ts";
import { bytes, memory, u64 } from "../views.ts";

const isLittle = (): boolean => memory.byteOrder === "little";

const aligned = (word: number, length: number, isStore: boolean): number => {
  const ea = addressX(word, isStore);
  if ((ea & (length - 1)) !== 0) throw new GuestFault("alignment", BigInt(ea), isStore);
  return ea;
};
/** What is at EA, as one number; a quadword too. */
const load = (ea: number, length: number): bigint => {
  if (length === 1) return BigInt(memory.load8(ea));
  if (length === 2) return BigInt(memory.load16(ea));
  if (length === 4) return BigInt(memory.load32(ea) >>> 0);
  if (length === 8) return memory.load64(ea);
  const first = memory.load64(ea);
  const second = memory.load64(ea + 8);
  return isLittle() ? (second << 64n) | first : (first << 64n) | second;
};
const store = (ea: number, length: number, value: bigint): void => {
  if (length === 1) memory.store8(ea, Number(value & 0xffn));
  else if (length === 2) memory.store16(ea, Number(value & 0xffffn));
  else if (length === 4) memory.store32(ea, Number(BigInt.asIntN(32, value)));
  else if (length === 8) memory.store64(ea, value);
  else {
    memory.store64(ea + (isLittle() ? 8 : 0), value >> 64n);
    memory.store64(ea + (isLittle() ? 0 : 8), BigInt.asUintN(64, value));
  }
};
const value = () => (u64[RESERVE_VALUE / 8 + 1] << 64n) | u64[RESERVE_VALUE / 8];

const loadAndReserve = (word: number, length: number): bigint => {
  const ea = aligned(word, length, false);
  const seen = load(ea, length);
  bytes[RESERVE_LENGTH] = length;
  u64[RESERVE_ADDRESS / 8] = BigInt(ea);
  u64[RESERVE_VALUE / 8] = seen;
  u64[RESERVE_VALUE / 8 + 1] = seen >> 64n;
  return seen;
};
const larx = (length: number) => (word: number) => {
  u64[rt(word) >> 1] = loadAndReserve(word, length);
};
const storeConditional = (word: number, length: number, stored: bigint): void => {
  const ea = aligned(word, length, true);
  const holds = bytes[RESERVE_LENGTH] === length && u64[RESERVE_ADDRESS / 8] === BigInt(ea);
  let performed = false;
  if (holds) {
    memory.checkStore(ea, length);
    performed = load(ea, length) === value();
    if (performed) store(ea, length, stored);
  }
  bytes[RESERVE_LENGTH] = 0;
  bytes[CR] = (performed ? 2 : 0) | bytes[XER_SO];
};
const stcx = (length: number) => (word: number) => storeConditional(word, length, u64[rs(word) >> 1]);

const pair = (word: number) => (rt(word) & 2) === 0;
const stqcx: Selector = validWhen(pair, (word) =>
  storeConditional(word, 16, (u64[rs(word) >> 1] << 64n) | u64[(rs(word) >> 1) + 1]),
);
export const reservationHandlers: HandlerTable = {
  lbarx: larx(1),
  lharx: larx(2),
  lwarx: larx(4),
  ldarx: larx(8),
  lqarx: validWhen(
    (word) => pair(word) && ra(word) !== rt(word) && rb(word) !== rt(word),
    (word) => {
      const seen = loadAndReserve(word, 16);
      u64[rt(word) >> 1] = seen >> 64n;
      u64[(rt(word) >> 1) + 1] = seen;
    },
  ),
  "stbcx.": stcx(1),
  "sthcx.": stcx(2),
  "stwcx.": stcx(4),
  "stdcx.": stcx(8),
  "stqcx.": stqcx,
};
