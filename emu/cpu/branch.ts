/** Branch, condition register and system call instructions: Power ISA 3.0B, Book I, chapter 2. */
import {
  AA,
  ALWAYS,
  ba,
  bb,
  bf,
  bfa,
  bi,
  bo,
  bt,
  CR_VALUE,
  CTR_ZERO,
  IGNORE_CR,
  IGNORE_CTR,
  LK,
  si,
} from "./fields.ts";
import {
  callKernel,
  FAR,
  farTarget,
  type Handler,
  type HandlerTable,
  illegal,
  type Selector,
} from "./handler.ts";
import { CR, CTR, LR, TAR } from "./registers.ts";
import { cpu } from "./views.ts";

const CTR_LOW = CTR / 4;
const LR_LOW = LR / 4;

const crBit = (bit: number): boolean => (cpu.bytes[CR + (bit >> 2)] & (8 >> (bit & 3))) !== 0;
const link = (cia: number) => {
  cpu.i32[LR_LOW] = cia + 4;
  cpu.i32[LR_LOW + 1] = cpu.codeHigh;
};
/** CTR <- CTR - 1; whether it is zero then. */
const decrement = (): boolean => {
  const low = (cpu.i32[CTR_LOW] - 1) | 0;
  cpu.i32[CTR_LOW] = low;
  if (!cpu.is64) return low === 0;
  if (low === -1) cpu.i32[CTR_LOW + 1] -= 1;
  return (low | cpu.i32[CTR_LOW + 1]) === 0;
};
/** ctr_ok and cond_ok of the manual, for any BO. */
const taken = (word: number): boolean => {
  const when = bo(word);
  if ((when & IGNORE_CTR) === 0 && decrement() !== ((when & CTR_ZERO) !== 0)) return false;
  return (when & IGNORE_CR) !== 0 || crBit(bi(word)) === ((when & CR_VALUE) !== 0);
};

/** An address with another upper half than the branch's own, which only a 64-bit CPU tells from its low word. */
const far = (high: number, low: number): number => {
  farTarget.high = high >>> 0;
  farTarget.low = low & ~3;
  return FAR;
};
const relative = (cia: number, displacement: number): number => {
  const target = (cia + displacement) | 0;
  if (cpu.is64 && (cia ^ target) < 0) {
    const exact = (cia >>> 0) + displacement;
    if (exact !== target >>> 0) return far(cpu.codeHigh + Math.floor(exact / 2 ** 32), target);
  }
  return target;
};
const absolute = (address: number): number => {
  const high = address >> 31;
  return cpu.is64 && high !== cpu.codeHigh ? far(high, address) : address;
};
const toRegister = (low: number, high: number): number => {
  return cpu.is64 && high !== cpu.codeHigh ? far(high, low) : low & ~3;
};

const li = (word: number) => ((word << 6) >> 6) & ~3;
const bd = (word: number) => si(word) & ~3;
const branchRelative: Handler = (word, cia) => relative(cia, li(word));
const branchAbsolute: Handler = (word) => absolute(li(word));
const branchAndLink: Handler = (word, cia) => {
  link(cia);
  return (word & AA) !== 0 ? absolute(li(word)) : relative(cia, li(word));
};
/** Branches by the register of which `low` is the low word's index, read before LR is set. */
const branchTo = (low: number): Handler => {
  return (word, cia) => {
    const target = cpu.i32[low];
    const targetHigh = cpu.i32[low + 1];
    const branch = taken(word);
    if ((word & LK) !== 0) link(cia);
    return branch ? toRegister(target, targetHigh) : undefined;
  };
};

const bcIfTrue: Handler = (word, cia) => (crBit(bi(word)) ? relative(cia, bd(word)) : undefined);
const bcIfFalse: Handler = (word, cia) => (crBit(bi(word)) ? undefined : relative(cia, bd(word)));
const bdnz: Handler = (word, cia) => (decrement() ? undefined : relative(cia, bd(word)));
const bcGeneral: Handler = (word, cia) => {
  const branch = taken(word);
  if ((word & LK) !== 0) link(cia);
  if (!branch) return undefined;
  return (word & AA) !== 0 ? absolute(bd(word)) : relative(cia, bd(word));
};
/** The frequent kinds of bc have handlers of their own. */
const bc: Selector = {
  select(word) {
    const when = bo(word);
    if ((word & (AA | LK)) !== 0) return bcGeneral;
    if ((when & ALWAYS) === IGNORE_CTR) return (when & CR_VALUE) !== 0 ? bcIfTrue : bcIfFalse;
    if ((when & (IGNORE_CR | IGNORE_CTR | CTR_ZERO)) === IGNORE_CR) return bdnz;
    return bcGeneral;
  },
};
const blr: Handler = () => toRegister(cpu.i32[LR_LOW], cpu.i32[LR_LOW + 1]);
const bclr = branchTo(LR_LOW);
const bcctr = branchTo(CTR_LOW);
/** Invalid with BO(2) = 0; 64-bit server processors test CTR, then decrement it. */
const bcctrDecrementing: Handler = (word, cia) => {
  const wasZero = (cpu.i32[CTR_LOW] | cpu.i32[CTR_LOW + 1]) === 0;
  const target = cpu.i32[CTR_LOW];
  const targetHigh = cpu.i32[CTR_LOW + 1];
  decrement();
  const when = bo(word);
  const branch =
    wasZero === ((when & CTR_ZERO) !== 0) &&
    ((when & IGNORE_CR) !== 0 || crBit(bi(word)) === ((when & CR_VALUE) !== 0));
  if ((word & LK) !== 0) link(cia);
  return branch ? toRegister(target, targetHigh) : undefined;
};

/** CR(BT) <- an operation on CR(BA) and CR(BB). */
const crOperation = (operation: (a: boolean, b: boolean) => boolean): Handler => {
  return (word) => {
    const at = CR + (bt(word) >> 2);
    const mask = 8 >> (bt(word) & 3);
    const set = operation(crBit(ba(word)), crBit(bb(word)));
    cpu.bytes[at] = set ? cpu.bytes[at] | mask : cpu.bytes[at] & ~mask;
  };
};

/** A system call of level 0. */
const systemCall: Selector = { select: (word) => ((word & 0xfe0) === 0 ? callKernel : illegal) };

export const branchHandlers: HandlerTable = {
  b: {
    select: (word) =>
      (word & LK) !== 0 ? branchAndLink : (word & AA) !== 0 ? branchAbsolute : branchRelative,
  },
  bc,
  bclr: {
    select: (word) => ((word & LK) === 0 && (bo(word) & ALWAYS) === ALWAYS ? blr : bclr),
  },
  bcctr: {
    select: (word, kind) => ((bo(word) & IGNORE_CTR) !== 0 ? bcctr : kind.is64 ? bcctrDecrementing : illegal),
  },
  bctar: branchTo(TAR / 4),

  crand: crOperation((a, b) => a && b),
  crnand: crOperation((a, b) => !(a && b)),
  cror: crOperation((a, b) => a || b),
  crxor: crOperation((a, b) => a !== b),
  crnor: crOperation((a, b) => !(a || b)),
  creqv: crOperation((a, b) => a === b),
  crandc: crOperation((a, b) => a && !b),
  crorc: crOperation((a, b) => a || !b),
  mcrf: (word) => {
    cpu.bytes[CR + bf(word)] = cpu.bytes[CR + bfa(word)];
  },

  /** LEV = 1 is the hypervisor's, which is not there. */
  sc: systemCall,
  /** Linux has programs use level 0 only: the others are illegal to them. */
  scv: systemCall,
};
