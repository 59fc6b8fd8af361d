/**
 * What programs call in the vdso (Linux: arch/powerpc/kernel/vdso): clocks from the time base and a page of data before the vdso's own, and
 * system calls where that page doesn't say, as with virtual time. Functions leave all registers but r0, r5 to r12, CR0, CA and the result as
 * they are, and tell of errors by CR0[SO], as system calls do.
 */
import { PAGE_SIZE } from "../../memory/layout.ts";
import {
  CLOCK_BOOTTIME,
  CLOCK_MONOTONIC,
  CLOCK_MONOTONIC_COARSE,
  CLOCK_MONOTONIC_RAW,
  CLOCK_REALTIME,
  CLOCK_REALTIME_COARSE,
  CLOCK_TAI,
} from "../clock.ts";
import type { DataModel } from "../signals/bytes.ts";
import { CLOCK_DATA, VALID_TICKS } from "./clock-data.ts";

/** Ticks of the time base a second. */
const TICKS_A_SECOND = 512_000_000;

/** A function: where it begins and ends, and whether the return address is in r12 from its second instruction on. */
export interface VdsoFunction {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly movesLr: boolean;
}

const maskOf = (...clocks: number[]): number => clocks.reduce((mask, clock) => mask | (1 << clock), 0);
const MONOTONIC = maskOf(CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME);
const REALTIME = maskOf(CLOCK_REALTIME, CLOCK_REALTIME_COARSE, CLOCK_TAI);

const NR = {
  time: 13,
  gettimeofday: 78,
  clock_gettime: 246,
  clock_getres: 247,
  getcpu: 302,
  clock_gettime64: 403,
};

// Words are put together here: those that the encoder for tests (`isa/encoder.ts`) makes from text are the same, and take a process that begins
// 10 ms instead of 2.
const d = (opcode: number, rt: number, ra: number, immediate: number): number =>
  ((opcode << 26) | (rt << 21) | (ra << 16) | (immediate & 0xffff)) >>> 0;
const x = (extended: number, rt: number, ra: number, rb: number, rc = 0): number =>
  ((31 << 26) | (rt << 21) | (ra << 16) | (rb << 11) | (extended << 1) | rc) >>> 0;
const spr = (extended: number, rt: number, number: number): number =>
  x(extended, rt, number & 31, number >> 5);

const addi = (rt: number, ra: number, value: number) => d(14, rt, ra, value);
const addis = (rt: number, ra: number, value: number) => d(15, rt, ra, value);
const ori = (ra: number, rs: number, value: number) => d(24, rs, ra, value);
const andiRc = (ra: number, rs: number, value: number) => d(28, rs, ra, value);
const lwz = (rt: number, offset: number, ra: number) => d(32, rt, ra, offset);
const stw = (rs: number, offset: number, ra: number) => d(36, rs, ra, offset);
const ld = (rt: number, offset: number, ra: number) => d(58, rt, ra, offset);
const std = (rs: number, offset: number, ra: number) => d(62, rs, ra, offset);
const mulli = (rt: number, ra: number, value: number) => d(7, rt, ra, value);
const add = (rt: number, ra: number, rb: number) => x(266, rt, ra, rb);
/** rt = rb - ra, and the two that do so with CA. */
const subf = (rt: number, ra: number, rb: number) => x(40, rt, ra, rb);
const subfc = (rt: number, ra: number, rb: number) => x(8, rt, ra, rb);
const subfe = (rt: number, ra: number, rb: number) => x(136, rt, ra, rb);
const addic = (rt: number, ra: number, value: number) => d(12, rt, ra, value);
const addze = (rt: number, ra: number) => x(202, rt, ra, 0);
const mulhwu = (rt: number, ra: number, rb: number) => x(11, rt, ra, rb);
const slw = (ra: number, rs: number, rb: number) => x(24, rs, ra, rb);
const orRc = (ra: number, rs: number, rb: number) => x(444, rs, ra, rb, 1);
const mr = (ra: number, rs: number) => x(444, rs, ra, rs);
/** A shift of the low word to the right. */
const srwi = (ra: number, rs: number, n: number) =>
  ((21 << 26) | (rs << 21) | (ra << 16) | ((32 - n) << 11) | (n << 6) | (31 << 1)) >>> 0;
/** A shift of the doubleword to the right (rldicl), with a comparison of the result with zero. */
const srdiRc = (ra: number, rs: number, n: number) =>
  ((30 << 26) |
    (rs << 21) |
    (ra << 16) |
    (((64 - n) & 31) << 11) |
    ((n & 31) << 6) |
    ((n >> 5) << 5) |
    (((64 - n) >> 5) << 1) |
    1) >>>
  0;
const mftb = (rt: number) => spr(371, rt, 268);
const mftbu = (rt: number) => spr(371, rt, 269);
const mflr = (rt: number) => spr(339, rt, 8);
const mtlr = (rs: number) => spr(467, rs, 8);
const cmpwi = (ra: number, value: number) => d(11, 0, ra, value);
const cmplwi = (ra: number, value: number) => d(10, 0, ra, value);
const cmplw = (ra: number, rb: number) => x(32, 0, ra, rb);
/** bcl 20,31,$+4: the address of the next instruction goes to LR. */
const HERE = 0x429f_0005;
const SC = 0x4400_0002;
const BLR = 0x4e80_0020;
/** crxor 4*cr0+so,4*cr0+so,4*cr0+so: no error. */
const CLEAR_SO = 0x4c63_1982;
const SYNC = 0x7c00_04ac;
const ISYNC = 0x4c00_012c;
const icbi = (rb: number) => x(982, 0, 0, rb);

/** BO and BI of the branches on CR0. */
const IF = { less: [12, 0], greater: [12, 1], equal: [12, 2], different: [4, 2] } as const;

/** Code as it grows, with branches to places that come later. */
class Assembly {
  readonly words: number[] = [];
  private readonly pending = new Map<string, number[]>();

  put(...words: number[]): void {
    this.words.push(...words);
  }
  branch([bo, bi]: readonly [number, number], label: string): void {
    const waiting = this.pending.get(label) ?? [];
    this.pending.set(label, waiting);
    waiting.push(this.words.push(((16 << 26) | (bo << 21) | (bi << 16)) >>> 0) - 1);
  }
  label(name: string): void {
    for (const at of this.pending.get(name) ?? []) this.words[at] |= 4 * (this.words.length - at);
    this.pending.delete(name);
  }
}

/** Lays all functions out from `start` on. */
export function vdsoFunctions(
  model: DataModel,
  start: number,
): { words: number[]; functions: VdsoFunction[] } {
  const { is64 } = model;
  const code = new Assembly();
  const functions: VdsoFunction[] = [];
  const place = (): number => start + 4 * code.words.length;
  const define = (name: string, make: () => void, movesLr = false): void => {
    const at = place();
    make();
    functions.push({ name: `__kernel_${name}`, start: at, end: place(), movesLr });
  };
  const returnZero = (): void => code.put(addi(3, 0, 0), CLEAR_SO, BLR);
  const call = (number: number): void => code.put(addi(0, 0, number), SC, BLR);
  const compareWithZero = (register: number): void => code.put(cmpwi(register, 0) | (is64 ? 1 << 21 : 0));
  /** A long. */
  const store = (rs: number, offset: number, ra: number): void =>
    code.put(is64 ? std(rs, offset, ra) : stw(rs, offset, ra));

  /** Has r9 be where the next instruction is. Returns what data are at from there. */
  const locate = (): number => {
    code.put(mflr(12), HERE, mflr(9));
    const data = -PAGE_SIZE - (place() - 4);
    code.put(mtlr(12));
    return data;
  };
  /** The seconds of the clock that r8 has the offset of to r5, r8 with their upper word, the nanoseconds to r6; or to `otherwise`. */
  const read = (data: number, otherwise: string): void => {
    code.put(lwz(10, data + CLOCK_DATA.sequence, 9), cmpwi(10, 0));
    code.branch(IF.equal, otherwise);
    const timeBase = data + CLOCK_DATA.timeBase;
    if (is64) code.put(mftb(7), ld(6, timeBase, 9), subf(7, 6, 7), srdiRc(6, 7, VALID_TICKS));
    // Should the lower half overflow in between, the upper one says that too much time has gone by.
    else {
      code.put(mftb(7), mftbu(6), lwz(11, timeBase + 4, 9), lwz(0, timeBase, 9));
      code.put(subfc(7, 11, 7), subfe(6, 0, 6), srwi(0, 7, VALID_TICKS), orRc(0, 0, 6));
    }
    code.branch(IF.different, otherwise);
    code.put(add(11, 9, 8));
    if (is64) code.put(ld(5, data, 11), ld(6, data + 8, 11));
    else code.put(lwz(8, data, 11), lwz(5, data + 4, 11), lwz(6, data + 12, 11));
    code.put(lwz(0, data + CLOCK_DATA.sequence, 9), cmplw(0, 10));
    // Rarely: it was renewed just now, and who asks for it does so again.
    code.branch(IF.different, otherwise);
    code.put(mulli(7, 7, 125), srwi(7, 7, 6), add(6, 6, 7));
    code.put(addis(0, 0, 0x3b9a), ori(0, 0, 0xca00), cmplw(6, 0));
    code.branch(IF.less, "whole");
    code.put(subf(6, 0, 6));
    code.put(...(is64 ? [addi(5, 5, 1)] : [addic(5, 5, 1), addze(8, 8)]));
    code.label("whole");
  };

  const clockGettime = (number: number, isTime64: boolean) => (): void => {
    const data = locate();
    code.put(cmplwi(3, 11));
    code.branch(IF.greater, "call");
    code.put(addi(5, 0, 1), slw(5, 5, 3), addi(8, 0, CLOCK_DATA.monotonic), andiRc(6, 5, MONOTONIC));
    code.branch(IF.different, "read");
    code.put(addi(8, 0, CLOCK_DATA.realtime), andiRc(6, 5, REALTIME));
    code.branch(IF.equal, "call");
    code.label("read");
    read(data, "call");
    if (isTime64) code.put(stw(8, 0, 4), stw(5, 4, 4), addi(0, 0, 0), stw(0, 8, 4), stw(6, 12, 4));
    else {
      store(5, 0, 4);
      store(6, is64 ? 8 : 4, 4);
    }
    returnZero();
    code.label("call");
    call(number);
  };
  define("clock_gettime", clockGettime(NR.clock_gettime, false), true);
  if (!is64) define("clock_gettime64", clockGettime(NR.clock_gettime64, true), true);
  define(
    "gettimeofday",
    () => {
      const data = locate();
      compareWithZero(3);
      code.branch(IF.equal, "zone");
      code.put(addi(8, 0, CLOCK_DATA.realtime));
      read(data, "call");
      // A thousandth, rounded down, of any word.
      code.put(addis(0, 0, 0x1062), ori(0, 0, 0x4dd3), mulhwu(6, 6, 0), srwi(6, 6, 6));
      store(5, 0, 3);
      store(6, is64 ? 8 : 4, 3);
      code.label("zone");
      compareWithZero(4);
      code.branch(IF.equal, "done");
      code.put(addi(0, 0, 0), stw(0, 0, 4), stw(0, 4, 4));
      code.label("done");
      returnZero();
      code.label("call");
      call(NR.gettimeofday);
    },
    true,
  );
  define(
    "time",
    () => {
      const data = locate();
      code.put(addi(8, 0, CLOCK_DATA.realtime));
      read(data, "call");
      compareWithZero(3);
      code.branch(IF.equal, "done");
      store(5, 0, 3);
      code.label("done");
      code.put(mr(3, 5), CLEAR_SO, BLR);
      code.label("call");
      call(NR.time);
    },
    true,
  );
  define("clock_getres", () => call(NR.clock_getres));
  define("getcpu", () => call(NR.getcpu));
  define("get_tbfreq", () => {
    const [high, low] = [TICKS_A_SECOND >>> 16, TICKS_A_SECOND & 0xffff];
    const into = is64 ? 3 : 4;
    if (!is64) code.put(addi(3, 0, 0));
    code.put(addis(into, 0, high), ori(into, into, low), CLEAR_SO, BLR);
  });
  // Caches of instructions that know of all stores.
  define("sync_dicache", () => code.put(SYNC, icbi(3), ISYNC, addi(3, 0, 0), CLEAR_SO, BLR));
  return { words: code.words, functions };
}
