/**
 * Instructions that move several registers: multiple and string (Power ISA 3.0B, I.3.3.6 and I.3.3.7), quadword (I.3.3.4).
 * All of an instruction's storage is checked before the first register or byte changes, so that it can be restarted.
 */
import { addressD, addressDq, addressDs, addressRa, addressX, trueAddress } from "../effective-address.ts";
import { GuestFault } from "../fault.ts";
import { isPair, ra, rb, rs, rt, sh } from "../fields.ts";
import { type Handler, type HandlerTable, illegal, validWhen } from "../handler.ts";
import { XER_COUNT } from "../registers.ts";
import { load32, load64, lowerHalf, store32, store64, upperHalf } from "./access.ts";
import { cpu } from "../views.ts";

/** The count of lswi and stswi, where 0 stands for 32. */
const nb = (word: number): number => sh(word) || 32;

/** Whether register `n` is one of those that `count` bytes from register `first` on fill. */
const inRange = (first: number, count: number, n: number): boolean => ((n - first) & 31) < (count + 3) >> 2;

/** These are for big-endian guests only. */
const bigEndian = (address: number): number => {
  if (cpu.memory.byteOrder === "little") throw new GuestFault("alignment", trueAddress(address));
  return address;
};
const setWord = (index: number, value: number) => {
  cpu.i32[index] = value;
  cpu.i32[index + 1] = 0;
};
/** Fills registers from RT on, after r31 from r0 on; what a last word has no bytes for is zero. */
const loadString = (word: number, from: number, count: number) => {
  if (count === 0) return;
  const string = cpu.memory.read(cpu.memory.addressOf(bigEndian(from)), count);
  for (let i = 0; i < count; i += 4) {
    const value = (string[i] << 24) | (string[i + 1] << 16) | (string[i + 2] << 8) | string[i + 3];
    setWord((rt(word) + i / 2) & 62, value);
  }
};
const storeString = (word: number, to: number, count: number) => {
  if (count === 0) return;
  bigEndian(to);
  const string = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    string[i] = cpu.i32[(rs(word) + ((i >> 2) << 1)) & 62] >>> (24 - 8 * (i & 3));
  }
  cpu.memory.write(cpu.memory.addressOf(to), string);
};

const lswx: Handler = (word, cia) => {
  const count = cpu.bytes[XER_COUNT];
  // The invalid forms: an address register among those loaded.
  const clobbers = (n: number) => inRange(rt(word) >> 1, count, n);
  if ((ra(word) !== 0 && clobbers(ra(word) >> 1)) || clobbers(rb(word) >> 1)) illegal(word, cia);
  loadString(word, addressX(word, false), count);
};

export const multipleHandlers: HandlerTable = {
  lmw: (word) => {
    const from = bigEndian(addressD(word, false));
    cpu.memory.checkLoad(from, 4 * (32 - (rt(word) >> 1)));
    for (let t = rt(word), at = from; t < 64; t += 2, at += 4) setWord(t, load32(at));
  },
  stmw: (word) => {
    const to = bigEndian(addressD(word, true));
    cpu.memory.checkStore(to, 4 * (32 - (rt(word) >> 1)));
    for (let s = rs(word), at = to; s < 64; s += 2, at += 4) store32(at, cpu.i32[s]);
  },
  lswi: validWhen(
    (word) => !inRange(rt(word) >> 1, nb(word), ra(word) >> 1),
    (word) => loadString(word, addressRa(word, false), nb(word)),
  ),
  lswx,
  stswi: (word) => storeString(word, addressRa(word, true), nb(word)),
  stswx: (word) => storeString(word, addressX(word, true), cpu.bytes[XER_COUNT]),

  lq: validWhen(
    (word) => isPair(word) && ra(word) !== rt(word),
    (word) => {
      const from = addressDq(word, false);
      cpu.memory.checkLoad(from, 16);
      const high = load64(upperHalf(from, 16));
      cpu.u64[(rt(word) >> 1) + 1] = load64(lowerHalf(from, 16));
      cpu.u64[rt(word) >> 1] = high;
    },
  ),
  stq: validWhen(isPair, (word) => {
    const to = addressDs(word, true);
    cpu.memory.checkStore(to, 16);
    store64(upperHalf(to, 16), cpu.u64[rs(word) >> 1]);
    store64(lowerHalf(to, 16), cpu.u64[(rs(word) >> 1) + 1]);
  }),
};
