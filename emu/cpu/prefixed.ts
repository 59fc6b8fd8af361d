/**
 * Prefixed instructions: Power ISA 3.1, I.1.6.3 and I.3.3.2 on. A prefix and its suffix are one instruction, which lies within 64 bytes: else it
 * raises the alignment interrupt. The handler of the prefix finds the suffix and goes on behind it, so that the two retire as one.
 */
import { GuestFault } from "./fault.ts";
import { ra, ra0, rt } from "./fields.ts";
import { widen } from "./floating-point/lanes.ts";
import { doubleHigh, doubleLow, single } from "./floating-point/storage-access.ts";
import { type Handler, illegal } from "./handler.ts";
import { fprOffset } from "./registers.ts";
import { maskedProduct } from "./vector/matrix.ts";
import { elementsOf, fromElements, quad, setQuad, vrt, xa, xb, xt } from "./vector/vector-registers.ts";
import {
  load16,
  load32,
  load64,
  load8,
  lowerHalf,
  store16,
  store32,
  store64,
  store8,
  upperHalf,
} from "./storage/access.ts";
import { cpu } from "./views.ts";

/** Executes an instruction given by prefix and suffix, at `cia`. */
type Prefixed = (prefix: number, suffix: number, cia: number) => void;

/** Bits 6 and 7 of a prefix. */
const typeOf = (prefix: number): number => (prefix >>> 24) & 3;
const EIGHT_BYTE_LOAD = 0;
const EIGHT_BYTE_REGISTER = 1;
const MODIFIED_LOAD = 2;
const MODIFIED_REGISTER = 3;
/** R, of forms with a displacement: it counts from the instruction itself, and RA must be 0. */
const R = 0x10_0000;

/** The 34-bit displacement d0 || d1. */
const displacement = (prefix: number, suffix: number): number =>
  ((prefix << 14) >> 14) * 0x1_0000 + (suffix & 0xffff);

const addressOfCode = (cia: number): bigint => BigInt(cpu.codeHigh * 2 ** 32 + (cia >>> 0));

/** (RA|0) or CIA plus the displacement, 64 bits. */
function sum(prefix: number, suffix: number, cia: number): bigint {
  const base = (prefix & R) !== 0 ? addressOfCode(cia) : cpu.u64[ra0(suffix) >> 1];
  return BigInt.asUintN(64, base + BigInt(displacement(prefix, suffix)));
}
/** The effective address of a load or store. */
function address(prefix: number, suffix: number, cia: number, isStore: boolean): number {
  const ea = sum(prefix, suffix, cia);
  if (!cpu.is64) return Number(BigInt.asUintN(32, ea));
  if (ea >> 32n !== 0n) return cpu.memory.near(Number(ea >> 32n), Number(BigInt.asIntN(32, ea)), isStore);
  return Number(ea);
}

type Access = (ea: number, suffix: number) => void;
const load =
  (access: Access): Prefixed =>
  (prefix, suffix, cia) =>
    access(address(prefix, suffix, cia, false), suffix);
const store =
  (access: Access): Prefixed =>
  (prefix, suffix, cia) =>
    access(address(prefix, suffix, cia, true), suffix);

/** RT <- a word, extended with zeros or its sign. */
const give = (suffix: number, low: number, high: number): void => {
  cpu.i32[rt(suffix)] = low;
  cpu.i32[rt(suffix) + 1] = high;
};
const low = (suffix: number): number => cpu.i32[rt(suffix)];

const fpr = (n: number): number => fprOffset(n) / 4;
const frt = (suffix: number): number => (suffix >>> 21) & 31;
/** Doubleword 0 of a VSR <- a single as a double. */
function giveSingle(vsr: number, word: number): void {
  cpu.i32[fpr(vsr)] = doubleLow(word);
  cpu.i32[fpr(vsr) + 1] = doubleHigh(word);
}
const singleOf = (vsr: number): number => single(cpu.i32[fpr(vsr) + 1], cpu.i32[fpr(vsr)]);
const clearLower = (vsr: number): void => {
  cpu.u64[fprOffset(vsr) / 8 - 1] = 0n;
};
/** XT of plxv, whose TX is the last bit of the opcode; XTP of plxvp. */
const xtOfLoad = (suffix: number): number => frt(suffix) | ((suffix >>> 21) & 32);
const xtp = (suffix: number): number => (frt(suffix) & 30) | ((frt(suffix) & 1) << 5);

function loadVsr(vsr: number, ea: number): void {
  cpu.u64[fprOffset(vsr) / 8] = load64(upperHalf(ea, 16));
  cpu.u64[fprOffset(vsr) / 8 - 1] = load64(lowerHalf(ea, 16));
}
function storeVsr(vsr: number, ea: number): void {
  store64(upperHalf(ea, 16), cpu.u64[fprOffset(vsr) / 8]);
  store64(lowerHalf(ea, 16), cpu.u64[fprOffset(vsr) / 8 - 1]);
}

const loadQuadword: Access = (ea, suffix) => {
  cpu.memory.checkLoad(ea, 16);
  loadVsr(xtOfLoad(suffix), ea);
};
const storeQuadword: Access = (ea, suffix) => {
  cpu.memory.checkStore(ea, 16);
  storeVsr(xtOfLoad(suffix), ea);
};

/** Loads, stores and paddi, by type and the suffix's primary opcode. */
const DISPLACED: Readonly<Record<number, ReadonlyMap<number, Prefixed>>> = {
  [MODIFIED_LOAD]: new Map<number, Prefixed>([
    // paddi
    [
      14,
      (prefix, suffix, cia) => {
        cpu.u64[rt(suffix) >> 1] = sum(prefix, suffix, cia);
      },
    ],
    // plwz, plbz, plhz, plha
    [32, load((ea, suffix) => give(suffix, load32(ea), 0))],
    [34, load((ea, suffix) => give(suffix, load8(ea), 0))],
    [40, load((ea, suffix) => give(suffix, load16(ea), 0))],
    [
      42,
      load((ea, suffix) => {
        const value = (load16(ea) << 16) >> 16;
        give(suffix, value, value >> 31);
      }),
    ],
    // pstw, pstb, psth
    [36, store((ea, suffix) => store32(ea, low(suffix)))],
    [38, store((ea, suffix) => store8(ea, low(suffix)))],
    [44, store((ea, suffix) => store16(ea, low(suffix)))],
    // plfs, plfd, pstfs, pstfd
    [48, load((ea, suffix) => giveSingle(frt(suffix), load32(ea)))],
    [
      50,
      load((ea, suffix) => {
        cpu.u64[fprOffset(frt(suffix)) / 8] = load64(ea);
      }),
    ],
    [52, store((ea, suffix) => store32(ea, singleOf(frt(suffix))))],
    [54, store((ea, suffix) => store64(ea, cpu.u64[fprOffset(frt(suffix)) / 8]))],
  ]),
  [EIGHT_BYTE_LOAD]: new Map<number, Prefixed>([
    // plwa, pld, pstd
    [
      41,
      load((ea, suffix) => {
        const value = load32(ea);
        give(suffix, value, value >> 31);
      }),
    ],
    [
      57,
      load((ea, suffix) => {
        cpu.u64[rt(suffix) >> 1] = load64(ea);
      }),
    ],
    [61, store((ea, suffix) => store64(ea, cpu.u64[rt(suffix) >> 1]))],
    // plq, pstq: the even register has the first doubleword in both byte orders, unlike that of lq and stq.
    [
      56,
      load((ea, suffix) => {
        cpu.memory.checkLoad(ea, 16);
        cpu.u64[rt(suffix) >> 1] = load64(ea);
        cpu.u64[(rt(suffix) >> 1) + 1] = load64(ea + 8);
      }),
    ],
    [
      60,
      store((ea, suffix) => {
        cpu.memory.checkStore(ea, 16);
        store64(ea, cpu.u64[rt(suffix) >> 1]);
        store64(ea + 8, cpu.u64[(rt(suffix) >> 1) + 1]);
      }),
    ],
    // plxsd, plxssp, pstxsd, pstxssp
    [
      42,
      load((ea, suffix) => {
        cpu.u64[fprOffset(vrt(suffix)) / 8] = load64(ea);
        clearLower(vrt(suffix));
      }),
    ],
    [
      43,
      load((ea, suffix) => {
        giveSingle(vrt(suffix), load32(ea));
        clearLower(vrt(suffix));
      }),
    ],
    [46, store((ea, suffix) => store64(ea, cpu.u64[fprOffset(vrt(suffix)) / 8]))],
    [47, store((ea, suffix) => store32(ea, singleOf(vrt(suffix))))],
    // plxv, pstxv, plxvp, pstxvp: the even register of a pair has the upper half of 256 bits.
    [50, load(loadQuadword)],
    [51, load(loadQuadword)],
    [54, store(storeQuadword)],
    [55, store(storeQuadword)],
    [
      58,
      load((ea, suffix) => {
        cpu.memory.checkLoad(ea, 32);
        loadVsr(xtp(suffix), upperHalf(ea, 32));
        loadVsr(xtp(suffix) + 1, lowerHalf(ea, 32));
      }),
    ],
    [
      62,
      store((ea, suffix) => {
        cpu.memory.checkStore(ea, 32);
        storeVsr(xtp(suffix), upperHalf(ea, 32));
        storeVsr(xtp(suffix) + 1, lowerHalf(ea, 32));
      }),
    ],
  ]),
};

// ---- VSX ----------------------------------------------------------------------------------------------------

/** The 32-bit immediate of the splats. */
const immediate = (prefix: number, suffix: number): number => (prefix << 16) | (suffix & 0xffff);
/** XT of the splats, whose TX is bit 15. */
const xtOfSplat = (suffix: number): number => frt(suffix) | ((suffix >>> 11) & 32);

const splatWord: Prefixed = (prefix, suffix) => {
  const word = BigInt(immediate(prefix, suffix) >>> 0);
  setQuad(xtOfSplat(suffix), fromElements([word, word, word, word], 32));
};
/** A single as two doubles. */
const splatDouble: Prefixed = (prefix, suffix) => {
  const double = widen(immediate(prefix, suffix));
  setQuad(xtOfSplat(suffix), fromElements([double, double], 64));
};
/** A word into the even or odd words. */
const splatHalf: Prefixed = (prefix, suffix) => {
  const words = elementsOf(quad(xtOfSplat(suffix)), 32);
  const first = (suffix >>> 17) & 1;
  words[first] = words[first + 2] = BigInt(immediate(prefix, suffix) >>> 0);
  setQuad(xtOfSplat(suffix), fromElements(words, 32));
};

/** Registers of the 8RR:XX4 forms. */
const x4 = (suffix: number) => ({
  xt: xt(suffix),
  a: quad(xa(suffix)),
  b: quad(xb(suffix)),
  c: quad(((suffix >>> 6) & 31) | ((suffix & 8) << 2)),
});

/** Elements of B where those of C are negative, else of A. */
const blend =
  (bits: number): Prefixed =>
  (_prefix, suffix) => {
    const { xt, a, b, c } = x4(suffix);
    const [ofA, ofB] = [elementsOf(a, bits), elementsOf(b, bits)];
    const chosen = elementsOf(c, bits).map((each, i) => (each >> BigInt(bits - 1) !== 0n ? ofB[i] : ofA[i]));
    setQuad(xt, fromElements(chosen, bits));
  };
/** Bytes of A || B by the low five bits of C's bytes, where their upper three are UIM; the others become zero. */
const permuteExtended: Prefixed = (prefix, suffix) => {
  const { xt, a, b, c } = x4(suffix);
  const source = [...elementsOf(a, 8), ...elementsOf(b, 8)];
  const wanted = BigInt(prefix & 7);
  const bytes = elementsOf(c, 8).map((each) => (each >> 5n === wanted ? source[Number(each & 31n)] : 0n));
  setQuad(xt, fromElements(bytes, 8));
};
/** The function of three bits whose table is IMM, from the left for ABC = 0 to 7. */
const evaluate: Prefixed = (prefix, suffix) => {
  const { xt, a, b, c } = x4(suffix);
  let result = 0n;
  for (let index = 0; index < 8; index++) {
    if ((prefix & (0x80 >> index)) === 0) continue;
    result |= (index & 4 ? a : ~a) & (index & 2 ? b : ~b) & (index & 1 ? c : ~c);
  }
  setQuad(xt, BigInt.asUintN(128, result));
};

/** The register forms, by opcode and extended opcode of the suffix. */
function registerForm(suffix: number): Prefixed | undefined {
  const four = (suffix >>> 4) & 3;
  switch (suffix >>> 26) {
    case 32: {
      const splat = (suffix >>> 17) & 15;
      if (splat < 2) return splatHalf;
      return splat === 2 ? splatDouble : splat === 3 ? splatWord : undefined;
    }
    case 33:
      return [blend(8), blend(16), blend(32), blend(64)][four];
    case 34:
      return [permuteExtended, evaluate][four];
  }
  return undefined;
}

const nothing: Prefixed = () => {};

/** The instruction that a prefix and a suffix are; undefined where there is none. */
function prefixedInstruction(prefix: number, suffix: number): Prefixed | undefined {
  switch (typeOf(prefix)) {
    case EIGHT_BYTE_REGISTER:
      return registerForm(suffix);
    case MODIFIED_REGISTER:
      // pnop, whatever its suffix; or an outer product with masks.
      if ((prefix & 0x00f0_0000) === 0) return nothing;
      return (prefix & 0x00f0_0000) === 0x0090_0000 ? maskedProduct(suffix) : undefined;
    default: {
      // A displacement from the instruction itself has no base register.
      if ((prefix & R) !== 0 && ra(suffix) !== 0) return undefined;
      return DISPLACED[typeOf(prefix)].get(suffix >>> 26);
    }
  }
}

/** Whether a word is a prefix. */
export const isPrefix = (word: number): boolean => word >>> 26 === 1;

/** The handler of prefixes. */
export const prefixed: Handler = (prefix, cia) => {
  if ((cia & 63) === 60) throw new GuestFault("alignment", addressOfCode(cia));
  const suffix = cpu.memory.fetch(cpu.codeHigh * 2 ** 32 + (cia >>> 0) + 4);
  const instruction = prefixedInstruction(prefix, suffix);
  if (instruction === undefined) return illegal(prefix, cia);
  instruction(prefix, suffix, cia);
  return (cia + 8) | 0;
};
