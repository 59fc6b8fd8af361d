/** Atomic memory operations: Power ISA 3.0B, II.4.5. One thread runs at a time, so that they need nothing special to be atomic. */
import { addressRa, trueAddress } from "../effective-address.ts";
import { GuestFault } from "../fault.ts";
import { rs, rt } from "../fields.ts";
import type { Handler, HandlerTable } from "../handler.ts";
import { load32, lowerHalf, store32, store64, upperHalf } from "./access.ts";
import { cpu } from "../views.ts";

type Size = 4 | 8;
type Combine = (size: Size, memory: bigint, operand: bigint) => bigint;

const signed = (size: Size, value: bigint): bigint => BigInt.asIntN(8 * size, value);
const COMBINE: readonly Combine[] = [
  (_size, t, s) => t + s,
  (_size, t, s) => t ^ s,
  (_size, t, s) => t | s,
  (_size, t, s) => t & s,
  (_size, t, s) => (t > s ? t : s),
  (size, t, s) => (signed(size, t) > signed(size, s) ? t : s),
  (_size, t, s) => (t < s ? t : s),
  (size, t, s) => (signed(size, t) < signed(size, s) ? t : s),
  (_size, _t, s) => s,
];

/** A doubleword and its two words. (Node 20's compiler dies where a BigInt made of a word and a loaded one meet.) */
const cell = new BigUint64Array(1);
const words = new Int32Array(cell.buffer);
function load(ea: number, size: Size): bigint {
  words[0] = load32(size === 4 ? ea : lowerHalf(ea, 8));
  words[1] = size === 4 ? 0 : load32(upperHalf(ea, 8));
  return cell[0];
}
const store = (ea: number, size: Size, value: bigint): void =>
  size === 4 ? store32(ea, Number(BigInt.asIntN(32, value))) : store64(ea, value);

const functionCode = (word: number): number => (word >>> 11) & 31;
/** Register RT + n, around the end, cut to the size. */
const following = (word: number, n: number, size: Size): bigint =>
  BigInt.asUintN(8 * size, cpu.u64[((rt(word) >> 1) + n) & 31]);

/** The operand's address, which must be aligned and writable. A function code that there is none of is a data storage interrupt. */
function address(word: number, size: Size, codes: ReadonlySet<number>): number {
  const ea = addressRa(word, true);
  if (!codes.has(functionCode(word))) throw new GuestFault("data-unmapped", trueAddress(ea), true);
  if ((ea & (size - 1)) !== 0) throw new GuestFault("alignment", trueAddress(ea), true);
  cpu.memory.checkStore(ea, size);
  return ea;
}
/** What stands for the operand before the one at `ea`, which may have a place elsewhere. */
function earlier(ea: number, size: Size): number {
  const address = cpu.memory.addressOf(ea) - size;
  return address < 2 ** 32 ? address : cpu.memory.near(Math.floor(address / 2 ** 32), address | 0, false);
}
const COMPARE_AND_SWAP = 16;
const INCREMENT_BOUNDED = 24;
const INCREMENT_EQUAL = 25;
const DECREMENT_BOUNDED = 28;
const STORE_TWIN = 24;
const LOADS = new Set([
  ...COMBINE.keys(),
  COMPARE_AND_SWAP,
  INCREMENT_BOUNDED,
  INCREMENT_EQUAL,
  DECREMENT_BOUNDED,
]);
const STORES = new Set([0, 1, 2, 3, 4, 5, 6, 7, STORE_TWIN]);

const loadAtomic =
  (size: Size): Handler =>
  (word) => {
    const ea = address(word, size, LOADS);
    const code = functionCode(word);
    const before = load(ea, size);
    let inBounds = true;
    const bounded = (allowed: boolean, value: bigint): void => {
      if (allowed) store(ea, size, value);
      else inBounds = false;
    };
    if (code < COMBINE.length) store(ea, size, COMBINE[code](size, before, following(word, 1, size)));
    else if (code === COMPARE_AND_SWAP) {
      if (before !== following(word, 1, size)) store(ea, size, following(word, 2, size));
    } else if (code === INCREMENT_BOUNDED) bounded(before !== load(ea + size, size), before + 1n);
    else if (code === INCREMENT_EQUAL) bounded(before === load(ea + size, size), before + 1n);
    else bounded(before !== load(earlier(ea, size), size), before - 1n);
    cpu.u64[rt(word) >> 1] = before;
    // Out of bounds: the least signed number.
    if (!inBounds) cpu.u64[rt(word) >> 1] = 1n << BigInt(8 * size - 1);
  };

const storeAtomic =
  (size: Size): Handler =>
  (word) => {
    const ea = address(word, size, STORES);
    const code = functionCode(word);
    const operand = BigInt.asUintN(8 * size, cpu.u64[rs(word) >> 1]);
    if (code !== STORE_TWIN) store(ea, size, COMBINE[code](size, load(ea, size), operand));
    else {
      cpu.memory.checkStore(ea + size, size);
      if (load(ea, size) !== load(ea + size, size)) return;
      store(ea, size, operand);
      store(ea + size, size, operand);
    }
  };

export const atomicHandlers: HandlerTable = {
  lwat: loadAtomic(4),
  ldat: loadAtomic(8),
  stwat: storeAtomic(4),
  stdat: storeAtomic(8),
};
