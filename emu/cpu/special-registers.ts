/** Move to and from system registers: Power ISA 3.0B, I.3.3.17, II.3.1, II.4.3 and II.6.1. */
import { bf, rs, rt, spr } from "./fields.ts";
import { type HandlerTable, illegal, privileged } from "./handler-table.ts";
import type { Cpu, Handler } from "./interpreter.ts";
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

/** How mfspr and mtspr reach a register; without `write` it can only be read. */
interface Access {
  readonly read: Handler;
  readonly write?: Handler;
}

/** Reserved SPRs of ISA 2.07 on: reading and writing them does nothing (I.3.3.17). */
const RESERVED_NOPS = [808, 809, 810, 811];

/** SPRs of a number with this bit are privileged. */
const PRIVILEGED_NUMBER = 0x10;

const OV32 = 0x8_0000;
const CA32 = 0x4_0000;

/** PPR's priority field, bits 11:13, in the upper word; user programs may choose from very low to medium. */
const PRIORITY_SHIFT = 18;

export function specialRegisterHandlers(cpu: Cpu): HandlerTable {
  const { registers, model } = cpu;
  const { i32, bytes } = registers;

  const give = (word: number, low: number, high: number) => {
    i32[rt(word)] = low;
    i32[rt(word) + 1] = high;
  };
  /** A register of the block that moves as a whole. */
  const doubleword = (offset: number): Access => ({
    read: (word) => give(word, i32[offset / 4], i32[offset / 4 + 1]),
    write: (word) => {
      i32[offset / 4] = i32[rs(word)];
      i32[offset / 4 + 1] = i32[rs(word) + 1];
    },
  });
  const constant = (value: number): Access => ({ read: (word) => give(word, value, 0) });
  const timeBase: Access = {
    read: (word) => {
      const ticks = cpu.timeBase();
      give(word, Number(BigInt.asIntN(32, ticks)), Number(BigInt.asIntN(32, ticks >> 32n)));
    },
  };
  const timeBaseUpper: Access = {
    read: (word) => give(word, Number(BigInt.asIntN(32, cpu.timeBase() >> 32n)), 0),
  };
  const xerBits = includes(model.version, "3.0") ? -1 : ~(OV32 | CA32);
  const xer: Access = {
    read: (word) => give(word, registers.xer, 0),
    write: (word) => {
      registers.xer = i32[rs(word)] & xerBits;
    },
  };
  const vrsave: Access = {
    read: (word) => give(word, i32[VRSAVE / 4], 0),
    write: (word) => {
      i32[VRSAVE / 4] = i32[rs(word)];
    },
  };
  /** Priorities that user programs may not choose leave PPR as it is. */
  const setPriority = (high: number) => {
    const priority = (high >>> PRIORITY_SHIFT) & 7;
    if (priority >= 1 && priority <= 4) i32[PPR / 4 + 1] = priority << PRIORITY_SHIFT;
  };
  const ppr: Access = {
    read: (word) => give(word, 0, i32[PPR / 4 + 1]),
    write: (word) => setPriority(i32[rs(word) + 1]),
  };
  const ppr32: Access = {
    read: (word) => give(word, i32[PPR / 4 + 1], 0),
    write: (word) => setPriority(i32[rs(word)]),
  };

  const accesses = new Map<number, Access>([
    [1, xer],
    [8, doubleword(LR)],
    [9, doubleword(CTR)],
    [256, vrsave],
    // SPRG3, where Linux keeps the processor's number for the vdso.
    [259, constant(0)],
    [268, timeBase],
    [269, timeBaseUpper],
    // Privileged, but Linux emulates reading it.
    [287, constant(model.pvr)],
  ]);
  if (model.facilities.has("64") && includes(model.version, "2.05")) {
    accesses.set(896, ppr).set(898, ppr32);
    // 17 is privileged, but Linux emulates it.
    accesses.set(3, doubleword(DSCR)).set(17, doubleword(DSCR));
  }
  // CTRL, whose upper number is for writing and privileged.
  if (model.facilities.has("64")) accesses.set(136, constant(0));
  if (includes(model.version, "2.07")) {
    accesses.set(815, doubleword(TAR));
    for (const number of RESERVED_NOPS) accesses.set(number, { read: () => {}, write: () => {} });
  }
  for (const number of model.idleMonitor ?? []) accesses.set(number, constant(0));

  const absent = (word: number): Handler => ((spr(word) & PRIVILEGED_NUMBER) !== 0 ? privileged : illegal);

  /** CR fields, the first in the most significant bit of FXM. */
  const fxm = (word: number) => (word >>> 12) & 0xff;
  const moveToFields = (word: number) => {
    const mask = fxm(word);
    const value = i32[rs(word)];
    for (let field = 0; field < 8; field++) {
      if ((mask & (0x80 >> field)) !== 0) bytes[CR + field] = (value >>> (28 - 4 * field)) & 15;
    }
  };
  /** mtocrf and mfocrf want one bit in FXM; with any other number of them the result is undefined: nothing happens. */
  const oneField = (word: number) => fxm(word) !== 0 && (fxm(word) & (fxm(word) - 1)) === 0;

  return {
    mtspr: { select: (word) => accesses.get(spr(word))?.write ?? absent(word) },
    mfspr: { select: (word) => accesses.get(spr(word))?.read ?? absent(word) },
    mftb: {
      select: (word) =>
        spr(word) === 268 ? timeBase.read : spr(word) === 269 ? timeBaseUpper.read : illegal,
    },
    mtcrf: moveToFields,
    mtocrf: (word) => {
      if (oneField(word)) moveToFields(word);
    },
    mfcr: (word) => give(word, registers.cr, 0),
    mfocrf: (word) => {
      if (!oneField(word)) return;
      const field = Math.clz32(fxm(word)) - 24;
      give(word, bytes[CR + field] << (28 - 4 * field), 0);
    },
    mcrxr: (word) => {
      bytes[CR + bf(word)] = (bytes[XER_SO] << 3) | (bytes[XER_OV] << 2) | (bytes[XER_CA] << 1);
      bytes[XER_SO] = bytes[XER_OV] = bytes[XER_CA] = 0;
    },
    mcrxrx: (word) => {
      bytes[CR + bf(word)] =
        (bytes[XER_OV] << 3) | (bytes[XER_OV32] << 2) | (bytes[XER_CA] << 1) | bytes[XER_CA32];
    },
  };
}
