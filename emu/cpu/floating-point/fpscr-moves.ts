/** Floating-Point Status and Control Register instructions: Power ISA 3.0B, I.4.6.10. */
import { bb, bf, bfa, bt } from "../fields.ts";
import type { Handler, HandlerTable, Selector } from "../handler.ts";
import { includes } from "../versions.ts";
import { cpu } from "../views.ts";
import {
  bitMask,
  CONTROL,
  DRN,
  ENABLES,
  EXCEPTIONS,
  FEX,
  FX,
  fieldMask,
  L,
  NOT_WRITABLE,
  namedFields,
  RESULT,
  RN,
  summarize,
  W,
} from "./fpscr.ts";
import { frb, frt, interrupt, record, STATUS, setCr } from "./fpu.ts";

const UPPER = STATUS + 1;

/** A row of which some field's bits `later` came with 2.05, as did the FPSCR's upper word: earlier processors ignore them. */
const withoutBefore205 = (later: number, handler: Handler): Selector => ({
  select: (_word, { model }) =>
    includes(model.version, "2.05") ? handler : (word, cia) => handler(word & ~later, cia),
});

/** Ends an instruction that sets FPSCR bits: they may make an enabled exception occur. */
const set = (word: number, cia: number, status: number) => {
  cpu.i32[STATUS] = summarize(status);
  record(word);
  if ((cpu.i32[STATUS] & FEX) !== 0) interrupt(cia);
};
const insert = (word: number, cia: number, upper: boolean, value: number, mask: number) => {
  if (upper) {
    cpu.i32[UPPER] = (cpu.i32[UPPER] & ~mask) | (value & mask & DRN);
    record(word);
  } else {
    const writable = mask & ~NOT_WRITABLE;
    set(word, cia, (cpu.i32[STATUS] & ~writable) | (value & writable));
  }
};
const moveFrom = (word: number, lowMask: number) => {
  const to = 2 * frt(word);
  cpu.i32[to] = cpu.i32[STATUS] & lowMask;
  cpu.i32[to + 1] = cpu.i32[UPPER];
};

const mffs: Handler = (word) => {
  moveFrom(word, -1);
  record(word);
};
/** A sister of mffs that came with 3.0: earlier processors ignore the bits that tell them apart. */
const sister = (lowMask: number, then: (word: number, b: number, upperB: number) => void): Selector => {
  const handler: Handler = (word) => {
    const at = 2 * frb(word);
    const b = cpu.i32[at];
    const upperB = cpu.i32[at + 1];
    moveFrom(word, lowMask);
    then(word, b, upperB);
  };
  return { select: (_word, { model }) => (includes(model.version, "3.0") ? handler : mffs) };
};
const setRounding = (mode: number) => {
  cpu.i32[STATUS] = (cpu.i32[STATUS] & ~RN) | (mode & RN);
};
const setDecimalRounding = (mode: number) => {
  cpu.i32[UPPER] = (cpu.i32[UPPER] & ~DRN) | (mode & DRN);
};

export const fpscrHandlers = (): HandlerTable => ({
  mffs,
  mffsl: sister(CONTROL | RESULT, () => {}),
  mffsce: sister(-1, () => {
    cpu.i32[STATUS] = summarize(cpu.i32[STATUS] & ~ENABLES);
  }),
  mffscdrn: sister(CONTROL, (_word, _b, upperB) => setDecimalRounding(upperB)),
  mffscdrni: sister(CONTROL, (word) => setDecimalRounding(bb(word))),
  mffscrn: sister(CONTROL, (_word, b) => setRounding(b)),
  mffscrni: sister(CONTROL, (word) => setRounding(bb(word))),
  mcrfs: (word) => {
    const n = bfa(word);
    const status = cpu.i32[STATUS];
    setCr(bf(word), (status >>> (28 - 4 * n)) & 15);
    cpu.i32[STATUS] = summarize(status & ~(fieldMask(n) & (EXCEPTIONS | FX)));
  },
  mtfsfi: withoutBefore205(W, (word, cia) => {
    const n = bf(word);
    const u = (word >>> 12) & 15;
    const upper = (word & W) !== 0;
    insert(word, cia, upper, u << (28 - 4 * n), fieldMask(n));
  }),
  mtfsf: withoutBefore205(L | W, (word, cia) => {
    const at = 2 * frb(word);
    const whole = (word & L) !== 0;
    const upper = (word & W) !== 0;
    const mask = namedFields(word);
    if (whole) {
      cpu.i32[UPPER] = cpu.i32[at + 1] & DRN;
      insert(word, cia, false, cpu.i32[at], -1);
    } else {
      insert(word, cia, upper, cpu.i32[upper ? at + 1 : at], mask);
    }
  }),
  mtfsb0: (word) => {
    cpu.i32[STATUS] = summarize(cpu.i32[STATUS] & ~(bitMask(bt(word)) & ~NOT_WRITABLE));
    record(word);
  },
  mtfsb1: (word, cia) => {
    const mask = bitMask(bt(word));
    const raised = mask & EXCEPTIONS & ~cpu.i32[STATUS];
    insert(word, cia, false, -1, raised !== 0 ? mask | FX : mask);
  },
});
