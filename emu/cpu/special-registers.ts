/** Move to and from system registers: Power ISA 3.0B, I.3.3.17, II.3.1, II.4.3 and II.6.1. */

import type { CpuModel } from "./cpu.ts";
import { bf, rs, rt, spr } from "./fields.ts";
import { type Handler, type HandlerTable, illegal, privileged } from "./handler.ts";
import {
  CR,
  CTR,
  DSCR,
  LR,
  PPR,
  TAR,
  VRSAVE,
  XER_CA,
  XER_CA32,
  XER_OV,
  XER_OV32,
  XER_SO,
} from "./registers.ts";
import { includes } from "./versions.ts";
import { cpu, timeBase } from "./views.ts";

/** How mfspr and mtspr reach a register; without `write` it can only be read. */
interface Spr {
  readonly read: Handler;
  readonly write?: Handler;
  /** Which models have it; all, where this is missing. */
  readonly isIn?: (model: CpuModel) => boolean;
}

/** SPRs of a number with this bit are privileged. */
const PRIVILEGED_NUMBER = 0x10;

const OV32 = 0x8_0000;
const CA32 = 0x4_0000;

/** PPR's priority field, bits 11:13, in the upper word; user programs may choose from very low to medium. */
const PRIORITY_SHIFT = 18;

const give = (word: number, low: number, high: number) => {
  cpu.i32[rt(word)] = low;
  cpu.i32[rt(word) + 1] = high;
};
/** A register of the block that moves as a whole. */
const doubleword = (offset: number): Spr => ({
  read: (word) => give(word, cpu.i32[offset / 4], cpu.i32[offset / 4 + 1]),
  write: (word) => {
    cpu.i32[offset / 4] = cpu.i32[rs(word)];
    cpu.i32[offset / 4 + 1] = cpu.i32[rs(word) + 1];
  },
});
const zero: Spr = { read: (word) => give(word, 0, 0) };
/** To store a BigInt takes V8 less than to take it apart. */
const ticks = new BigUint64Array(1);
const halves = new Int32Array(ticks.buffer);
const tb: Spr = {
  read: (word) => {
    ticks[0] = timeBase();
    give(word, halves[0], halves[1]);
  },
};
const tbu: Spr = {
  read: (word) => {
    ticks[0] = timeBase();
    give(word, halves[1], 0);
  },
};
const xer: Spr = {
  read: (word) => give(word, cpu.registers.xer, 0),
  write: (word) => {
    cpu.registers.xer = cpu.isVersion3 ? cpu.i32[rs(word)] : cpu.i32[rs(word)] & ~(OV32 | CA32);
  },
};
const vrsave: Spr = {
  read: (word) => give(word, cpu.i32[VRSAVE / 4], 0),
  write: (word) => {
    cpu.i32[VRSAVE / 4] = cpu.i32[rs(word)];
  },
};
/** Priorities that user programs may not choose leave PPR as it is. */
const setPriority = (high: number) => {
  const priority = (high >>> PRIORITY_SHIFT) & 7;
  if (priority >= 1 && priority <= 4) cpu.i32[PPR / 4 + 1] = priority << PRIORITY_SHIFT;
};
const ppr: Spr = {
  read: (word) => give(word, 0, cpu.i32[PPR / 4 + 1]),
  write: (word) => setPriority(cpu.i32[rs(word) + 1]),
};
const ppr32: Spr = {
  read: (word) => give(word, cpu.i32[PPR / 4 + 1], 0),
  write: (word) => setPriority(cpu.i32[rs(word)]),
};

const has64 = (model: CpuModel) => model.facilities.has("64");
const has64Since205 = (model: CpuModel) => has64(model) && includes(model.version, "2.05");
const since207 = (model: CpuModel) => includes(model.version, "2.07");
const reservedNop: Spr = { read: () => {}, write: () => {}, isIn: since207 };

const SPRS = new Map<number, Spr>([
  [1, xer],
  [3, { ...doubleword(DSCR), isIn: has64Since205 }],
  [8, doubleword(LR)],
  [9, doubleword(CTR)],
  // Privileged, but Linux emulates it.
  [17, { ...doubleword(DSCR), isIn: has64Since205 }],
  // CTRL, whose upper number is for writing and privileged.
  [136, { ...zero, isIn: has64 }],
  [256, vrsave],
  // SPRG3, where Linux keeps the processor's number for the vdso.
  [259, zero],
  [268, tb],
  [269, tbu],
  // The PVR: privileged, but Linux emulates reading it.
  [287, { read: (word) => give(word, cpu.model.pvr, 0) }],
  [815, { ...doubleword(TAR), isIn: since207 }],
  [896, { ...ppr, isIn: has64Since205 }],
  [898, { ...ppr32, isIn: has64Since205 }],
  // Reserved: reading and writing them does nothing (I.3.3.17).
  ...[808, 809, 810, 811].map((number): [number, Spr] => [number, reservedNop]),
]);

function sprOf(word: number, model: CpuModel): Spr | undefined {
  const number = spr(word);
  const found = SPRS.get(number);
  if (found !== undefined && found.isIn?.(model) !== false) return found;
  return model.idleMonitor?.includes(number) ? zero : undefined;
}
const absent = (word: number): Handler => ((spr(word) & PRIVILEGED_NUMBER) !== 0 ? privileged : illegal);

/** CR fields, the first in the most significant bit of FXM. */
const fxm = (word: number) => (word >>> 12) & 0xff;
const moveToFields = (word: number) => {
  const mask = fxm(word);
  const value = cpu.i32[rs(word)];
  for (let field = 0; field < 8; field++) {
    if ((mask & (0x80 >> field)) !== 0) cpu.bytes[CR + field] = (value >>> (28 - 4 * field)) & 15;
  }
};
/** mtocrf and mfocrf want one bit in FXM; with any other number of them the result is undefined: nothing happens. */
const oneField = (word: number) => fxm(word) !== 0 && (fxm(word) & (fxm(word) - 1)) === 0;

export const specialRegisterHandlers: HandlerTable = {
  mtspr: { select: (word, { model }) => sprOf(word, model)?.write ?? absent(word) },
  mfspr: { select: (word, { model }) => sprOf(word, model)?.read ?? absent(word) },
  mftb: {
    select: (word) => (spr(word) === 268 ? tb.read : spr(word) === 269 ? tbu.read : illegal),
  },
  mtcrf: moveToFields,
  mtocrf: (word) => {
    if (oneField(word)) moveToFields(word);
  },
  mfcr: (word) => give(word, cpu.registers.cr, 0),
  mfocrf: (word) => {
    if (!oneField(word)) return;
    const field = Math.clz32(fxm(word)) - 24;
    give(word, cpu.bytes[CR + field] << (28 - 4 * field), 0);
  },
  mcrxr: (word) => {
    cpu.bytes[CR + bf(word)] = (cpu.bytes[XER_SO] << 3) | (cpu.bytes[XER_OV] << 2) | (cpu.bytes[XER_CA] << 1);
    cpu.bytes[XER_SO] = cpu.bytes[XER_OV] = cpu.bytes[XER_CA] = 0;
  },
  mcrxrx: (word) => {
    cpu.bytes[CR + bf(word)] =
      (cpu.bytes[XER_OV] << 3) | (cpu.bytes[XER_OV32] << 2) | (cpu.bytes[XER_CA] << 1) | cpu.bytes[XER_CA32];
  },
};
