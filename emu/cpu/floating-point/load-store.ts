/**
 * Floating-point storage access instructions, Power ISA 3.0B, I.4.6.2 to I.4.6.4. The singles are converted by moving bits
 * (DOUBLE and SINGLE of the manual), not by arithmetic: a signalling NaN stays one, and no exception occurs.
 */
import type { AddressSpace } from "../../memory/address-space.ts";
import { PAGE_SHIFT, PAGE_SIZE } from "../../memory/layout.ts";
import { effectiveAddresses } from "../effective-address.ts";
import { ra } from "../fields.ts";
import { type HandlerTable, type Selector, validWhen } from "../handler-table.ts";
import type { Cpu, Handler } from "../interpreter.ts";
import { frt } from "./fpu.ts";

/** The upper word of DOUBLE(word); the lower one is `word << 29` but for subnormal singles. */
export function doubleHigh(word: number): number {
  const sign = word & (0x8000_0000 | 0);
  const magnitude = word & 0x7fff_ffff;
  if (magnitude >= 0x7f80_0000) return sign | 0x7000_0000 | (magnitude >>> 3);
  if (magnitude >= 0x0080_0000) return sign | ((magnitude >>> 3) + (896 << 20));
  if (magnitude === 0) return sign;
  // Shifted so that the leading one, which the format does not hold, is at bit 23.
  const shift = Math.clz32(magnitude) - 8;
  return sign | (((magnitude << shift) & 0x7f_ffff) >>> 3) | ((897 - shift) << 20);
}

/** The lower word of DOUBLE(word). */
export function doubleLow(word: number): number {
  const magnitude = word & 0x7fff_ffff;
  const shift = magnitude !== 0 && magnitude < 0x0080_0000 ? Math.clz32(magnitude) - 8 : 0;
  return (magnitude << shift) << 29;
}

/**
 * SINGLE of the double with these words. What lies between zero and the least subnormal single, where the manual leaves
 * the result undefined, becomes zero.
 */
export function single(high: number, low: number): number {
  const exponent = (high >>> 20) & 0x7ff;
  if (exponent > 896) return (high & (0xc000_0000 | 0)) | ((high & 0x07ff_ffff) << 3) | (low >>> 29);
  const sign = high & (0x8000_0000 | 0);
  if (exponent < 874) return sign;
  const fraction = 0x80_0000 | ((high & 0xf_ffff) << 3) | (low >>> 29);
  return sign | (fraction >>> (897 - exponent));
}

/** Moves between an FPR, whose index in the 32-bit views is `at`, and storage at `ea`. */
type Access = (at: number, ea: number) => void;

type AccessName =
  | "loadSingle"
  | "loadDouble"
  | "loadPair"
  | "loadAlgebraic"
  | "loadZero"
  | "storeSingle"
  | "storeDouble"
  | "storePair"
  | "storeWord";

function accesses(i32: Int32Array, memory: AddressSpace): Record<AccessName, Access> {
  const { view, readGuard, writeGuard } = memory;
  const checkLoad = (ea: number, n: number) => {
    if (readGuard[ea >>> PAGE_SHIFT] !== 0 || (ea & (PAGE_SIZE - 1)) > PAGE_SIZE - n) memory.checkLoad(ea, n);
  };
  const checkStore = (ea: number, n: number) => {
    if (writeGuard[ea >>> PAGE_SHIFT] !== 0 || (ea & (PAGE_SIZE - 1)) > PAGE_SIZE - n) {
      memory.checkStore(ea, n);
    }
  };
  const copyIn: Access = (at, ea) => {
    const host = memory.host(ea, 8);
    i32[at] = view.getInt32(host, true);
    i32[at + 1] = view.getInt32(host + 4, true);
  };
  const copyOut: Access = (at, ea) => {
    const host = memory.host(ea, 8);
    view.setInt32(host, i32[at], true);
    view.setInt32(host + 4, i32[at + 1], true);
  };
  return {
    loadSingle: (at, ea) => {
      const word = memory.load32(ea);
      i32[at] = doubleLow(word);
      i32[at + 1] = doubleHigh(word);
    },
    loadDouble: (at, ea) => {
      checkLoad(ea, 8);
      copyIn(at, ea);
    },
    /** The even register of a pair takes the first doubleword of storage. */
    loadPair: (at, ea) => {
      checkLoad(ea, 16);
      const even = at & ~4;
      copyIn(even, ea);
      copyIn(even + 4, ea + 8);
    },
    loadAlgebraic: (at, ea) => {
      const word = memory.load32(ea);
      i32[at] = word;
      i32[at + 1] = word >> 31;
    },
    loadZero: (at, ea) => {
      i32[at] = memory.load32(ea);
      i32[at + 1] = 0;
    },
    storeSingle: (at, ea) => memory.store32(ea, single(i32[at + 1], i32[at])),
    storeDouble: (at, ea) => {
      checkStore(ea, 8);
      copyOut(at, ea);
    },
    storePair: (at, ea) => {
      checkStore(ea, 16);
      const even = at & ~4;
      copyOut(even, ea);
      copyOut(even + 4, ea + 8);
    },
    storeWord: (at, ea) => memory.store32(ea, i32[at]),
  };
}

export function loadStoreHandlers(cpu: Cpu): HandlerTable {
  const { i32, u64 } = cpu.registers;
  const addresses = effectiveAddresses(cpu);

  const plain = (transfer: Access, isStore: boolean, form: "d" | "ds" | "x"): Handler => {
    const address = addresses[form];
    return (word) => transfer(2 * frt(word), address(word, isStore));
  };
  const updating = (transfer: Access, isStore: boolean, form: "d" | "x"): Selector => {
    const address = addresses[form];
    return validWhen(
      (word) => ra(word) !== 0,
      (word) => {
        const ea = address(word, isStore);
        transfer(2 * frt(word), ea);
        u64[ra(word) / 2] = BigInt(ea);
      },
    );
  };

  const {
    loadSingle,
    loadDouble,
    loadPair,
    loadAlgebraic,
    loadZero,
    storeSingle,
    storeDouble,
    storePair,
    storeWord,
  } = accesses(i32, cpu.memory);
  /** The forms name, nameu, namex and nameux. */
  const family = (name: string, transfer: Access, isStore: boolean): HandlerTable => ({
    [name]: plain(transfer, isStore, "d"),
    [`${name}u`]: updating(transfer, isStore, "d"),
    [`${name}x`]: plain(transfer, isStore, "x"),
    [`${name}ux`]: updating(transfer, isStore, "x"),
  });
  return {
    ...family("lfs", loadSingle, false),
    ...family("lfd", loadDouble, false),
    ...family("stfs", storeSingle, true),
    ...family("stfd", storeDouble, true),
    lfiwax: plain(loadAlgebraic, false, "x"),
    lfiwzx: plain(loadZero, false, "x"),
    stfiwx: plain(storeWord, true, "x"),
    lfdp: plain(loadPair, false, "ds"),
    lfdpx: plain(loadPair, false, "x"),
    stfdp: plain(storePair, true, "ds"),
    stfdpx: plain(storePair, true, "x"),
  };
}
