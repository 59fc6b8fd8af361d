/**
 * Load and reserve, store conditional: Power ISA 3.0B, II.4.6.2. A reservation is the address, the length and the value seen; the
 * store takes place if all three are still so. A value that changed and changed back is not noticed, as in QEMU.
 */
import { addressX, keepAddress, trueAddress } from "../effective-address.ts";
import { GuestFault } from "../fault.ts";
import { isPair, ra, rb, rs, rt } from "../fields.ts";
import { type HandlerTable, type Selector, validWhen } from "../handler.ts";
import { CR, RESERVE_ADDRESS, RESERVE_LENGTH, RESERVE_VALUE, XER_SO } from "../registers.ts";
import { load16, load32, load8, lowerHalf, store16, store32, store8, upperHalf } from "./access.ts";
import { cpu } from "../views.ts";

const aligned = (word: number, length: number, isStore: boolean): number => {
  const ea = addressX(word, isStore);
  if ((ea & (length - 1)) !== 0) throw new GuestFault("alignment", trueAddress(ea), isStore);
  return ea;
};
/** A datum as its words, the least significant first; those beyond its length are zero. */
type Words = Int32Array;
const found: Words = new Int32Array(4);
const stored: Words = new Int32Array(4);

function readDoubleword(ea: number, into: Words, at: number): void {
  into[at] = load32(lowerHalf(ea, 8));
  into[at + 1] = load32(upperHalf(ea, 8));
}
/** What is at EA. (Words rather than one BigInt: Node 20's compiler dies of a BigInt that is of one kind or another.) */
function read(ea: number, length: number, into: Words): void {
  cpu.memory.checkLoad(ea, length);
  into.fill(0);
  if (length === 1) into[0] = load8(ea);
  else if (length === 2) into[0] = load16(ea);
  else if (length === 4) into[0] = load32(ea);
  else if (length === 8) readDoubleword(ea, into, 0);
  else {
    readDoubleword(lowerHalf(ea, 16), into, 0);
    readDoubleword(upperHalf(ea, 16), into, 2);
  }
}
function writeDoubleword(ea: number, from: Words, at: number): void {
  store32(lowerHalf(ea, 8), from[at]);
  store32(upperHalf(ea, 8), from[at + 1]);
}
function write(ea: number, length: number, from: Words): void {
  if (length === 1) store8(ea, from[0]);
  else if (length === 2) store16(ea, from[0]);
  else if (length === 4) store32(ea, from[0]);
  else if (length === 8) writeDoubleword(ea, from, 0);
  else {
    writeDoubleword(lowerHalf(ea, 16), from, 0);
    writeDoubleword(upperHalf(ea, 16), from, 2);
  }
}

/** Reserves what is at EA, and leaves it in `found`. */
function loadAndReserve(word: number, length: number): void {
  const ea = aligned(word, length, false);
  read(ea, length, found);
  cpu.bytes[RESERVE_LENGTH] = length;
  keepAddress(RESERVE_ADDRESS / 4, ea);
  cpu.i32.set(found, RESERVE_VALUE / 4);
}
const larx = (length: number) => (word: number) => {
  loadAndReserve(word, length);
  cpu.i32[rt(word)] = found[0];
  cpu.i32[rt(word) + 1] = found[1];
};

/** Stores `stored` where the reservation holds, and says so in CR0. */
function storeConditional(word: number, length: number): void {
  const ea = aligned(word, length, true);
  const reserved = cpu.u32[RESERVE_ADDRESS / 4] + cpu.u32[RESERVE_ADDRESS / 4 + 1] * 2 ** 32;
  const holds = cpu.bytes[RESERVE_LENGTH] === length && reserved === cpu.memory.addressOf(ea);
  let performed = false;
  if (holds) {
    cpu.memory.checkStore(ea, length);
    read(ea, length, found);
    performed = found.every((each, i) => each === cpu.i32[RESERVE_VALUE / 4 + i]);
    if (performed) write(ea, length, stored);
  }
  cpu.bytes[RESERVE_LENGTH] = 0;
  cpu.bytes[CR] = (performed ? 2 : 0) | cpu.bytes[XER_SO];
}
const stcx = (length: number) => (word: number) => {
  stored[0] = cpu.i32[rs(word)];
  stored[1] = cpu.i32[rs(word) + 1];
  storeConditional(word, length);
};

const stqcx: Selector = validWhen(isPair, (word) => {
  // The even register has the upper half.
  stored[0] = cpu.i32[rs(word) + 2];
  stored[1] = cpu.i32[rs(word) + 3];
  stored[2] = cpu.i32[rs(word)];
  stored[3] = cpu.i32[rs(word) + 1];
  storeConditional(word, 16);
});

export const reservationHandlers: HandlerTable = {
  lbarx: larx(1),
  lharx: larx(2),
  lwarx: larx(4),
  ldarx: larx(8),
  lqarx: validWhen(
    (word) => isPair(word) && ra(word) !== rt(word) && rb(word) !== rt(word),
    (word) => {
      loadAndReserve(word, 16);
      cpu.i32[rt(word)] = found[2];
      cpu.i32[rt(word) + 1] = found[3];
      cpu.i32[rt(word) + 2] = found[0];
      cpu.i32[rt(word) + 3] = found[1];
    },
  ),
  "stbcx.": stcx(1),
  "sthcx.": stcx(2),
  "stwcx.": stcx(4),
  "stdcx.": stcx(8),
  "stqcx.": stqcx,
};
