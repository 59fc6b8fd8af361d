/**
 * Prefixed instructions: Power ISA 3.1, I.1.6.3 and I.3.3.2 on. A prefix and its suffix are one instruction, which lies within 64 bytes: else it
 * raises the alignment interrupt. The handler of the prefix finds the suffix and goes on behind it, so that the two retire as one.
 */
import { decodePrefixed, extractTwoWords, type PrefixedInstruction, R } from "../isa/prefixed-table.ts";
import { GuestFault } from "./fault.ts";
import { isPair, ra, ra0, rt } from "./fields.ts";
import { widen } from "./floating-point/lanes.ts";
import { doubleHigh, doubleLow, single } from "./floating-point/storage-access.ts";
import { type Handler, illegal } from "./handler.ts";
import { fprOffset } from "./registers.ts";
import { maskedProducts } from "./vector/matrix.ts";
import { isSeparate } from "./vector/outer-products.ts";
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
type PrefixedTable = Readonly<Record<string, Prefixed>>;

const addressOfCode = (cia: number): bigint => BigInt(cpu.codeHigh * 2 ** 32 + (cia >>> 0));

/** (RA|0) or CIA plus the displacement, 64 bits. */
function sum(prefix: number, suffix: number, cia: number): bigint {
  const base = (prefix & R) !== 0 ? addressOfCode(cia) : cpu.u64[ra0(suffix) >> 1];
  return BigInt.asUintN(64, base + BigInt(extractTwoWords("D34", prefix, suffix)));
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
/** VSR <- a double and a doubleword of zero. */
function giveDouble(vsr: number, value: bigint): void {
  cpu.u64[fprOffset(vsr) / 8] = value;
  cpu.u64[fprOffset(vsr) / 8 - 1] = 0n;
}
/** The same with a single, as a double. */
function giveSingle(vsr: number, word: number): void {
  cpu.i32[fpr(vsr)] = doubleLow(word);
  cpu.i32[fpr(vsr) + 1] = doubleHigh(word);
  cpu.u64[fprOffset(vsr) / 8 - 1] = 0n;
}
const singleOf = (vsr: number): number => single(cpu.i32[fpr(vsr) + 1], cpu.i32[fpr(vsr)]);
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

/** The instructions that access storage, and paddi. */
const displaced: PrefixedTable = {
  paddi: (prefix, suffix, cia) => {
    cpu.u64[rt(suffix) >> 1] = sum(prefix, suffix, cia);
  },
  plwz: load((ea, suffix) => give(suffix, load32(ea), 0)),
  plbz: load((ea, suffix) => give(suffix, load8(ea), 0)),
  plhz: load((ea, suffix) => give(suffix, load16(ea), 0)),
  plha: load((ea, suffix) => {
    const value = (load16(ea) << 16) >> 16;
    give(suffix, value, value >> 31);
  }),
  pstw: store((ea, suffix) => store32(ea, low(suffix))),
  pstb: store((ea, suffix) => store8(ea, low(suffix))),
  psth: store((ea, suffix) => store16(ea, low(suffix))),
  plfs: load((ea, suffix) => giveSingle(frt(suffix), load32(ea))),
  plfd: load((ea, suffix) => giveDouble(frt(suffix), load64(ea))),
  pstfs: store((ea, suffix) => store32(ea, singleOf(frt(suffix)))),
  pstfd: store((ea, suffix) => store64(ea, cpu.u64[fprOffset(frt(suffix)) / 8])),
  plwa: load((ea, suffix) => {
    const value = load32(ea);
    give(suffix, value, value >> 31);
  }),
  pld: load((ea, suffix) => {
    cpu.u64[rt(suffix) >> 1] = load64(ea);
  }),
  pstd: store((ea, suffix) => store64(ea, cpu.u64[rt(suffix) >> 1])),
  // The even register has the first doubleword in both byte orders, unlike that of lq and stq.
  plq: load((ea, suffix) => {
    cpu.memory.checkLoad(ea, 16);
    cpu.u64[rt(suffix) >> 1] = load64(ea);
    cpu.u64[(rt(suffix) >> 1) + 1] = load64(ea + 8);
  }),
  pstq: store((ea, suffix) => {
    cpu.memory.checkStore(ea, 16);
    store64(ea, cpu.u64[rt(suffix) >> 1]);
    store64(ea + 8, cpu.u64[(rt(suffix) >> 1) + 1]);
  }),
  plxsd: load((ea, suffix) => giveDouble(vrt(suffix), load64(ea))),
  plxssp: load((ea, suffix) => giveSingle(vrt(suffix), load32(ea))),
  pstxsd: store((ea, suffix) => store64(ea, cpu.u64[fprOffset(vrt(suffix)) / 8])),
  pstxssp: store((ea, suffix) => store32(ea, singleOf(vrt(suffix)))),
  plxv: load((ea, suffix) => {
    cpu.memory.checkLoad(ea, 16);
    loadVsr(xtOfLoad(suffix), ea);
  }),
  pstxv: store((ea, suffix) => {
    cpu.memory.checkStore(ea, 16);
    storeVsr(xtOfLoad(suffix), ea);
  }),
  // The even register of a pair has the upper half of 256 bits.
  plxvp: load((ea, suffix) => {
    cpu.memory.checkLoad(ea, 32);
    loadVsr(xtp(suffix), upperHalf(ea, 32));
    loadVsr(xtp(suffix) + 1, lowerHalf(ea, 32));
  }),
  pstxvp: store((ea, suffix) => {
    cpu.memory.checkStore(ea, 32);
    storeVsr(xtp(suffix), upperHalf(ea, 32));
    storeVsr(xtp(suffix) + 1, lowerHalf(ea, 32));
  }),
};

// ---- VSX ----------------------------------------------------------------------------------------------------

/** The 32-bit immediate of the splats. */
const immediate = (prefix: number, suffix: number): number => extractTwoWords("IMM32", prefix, suffix);
/** XT of the splats, whose TX is bit 15. */
const xtOfSplat = (suffix: number): number => frt(suffix) | ((suffix >>> 11) & 32);

const splatWord: Prefixed = (prefix, suffix) => {
  const word = BigInt(immediate(prefix, suffix));
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
  words[first] = words[first + 2] = BigInt(immediate(prefix, suffix));
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

const registerForms: PrefixedTable = {
  xxsplti32dx: splatHalf,
  xxspltidp: splatDouble,
  xxspltiw: splatWord,
  xxblendvb: blend(8),
  xxblendvh: blend(16),
  xxblendvw: blend(32),
  xxblendvd: blend(64),
  xxpermx: permuteExtended,
  xxeval: evaluate,
  pnop: () => {},
};

/** All of them, by the names of the table's rows. */
export const prefixedHandlers: PrefixedTable = { ...displaced, ...registerForms, ...maskedProducts };

/** Invalid forms: registers of pairs that are odd or overwrite the base, sources that are part of the accumulator. */
function isValid({ name, facility }: PrefixedInstruction, suffix: number): boolean {
  if (name === "plq") return isPair(suffix) && ra(suffix) !== rt(suffix);
  if (name === "pstq") return isPair(suffix);
  return facility !== "mma" || isSeparate(suffix);
}

/** The handler of prefixes. */
export const prefixed: Handler = (prefix, cia) => {
  if ((cia & 63) === 60) throw new GuestFault("alignment", addressOfCode(cia));
  const suffix = cpu.memory.fetch(cpu.codeHigh * 2 ** 32 + (cia >>> 0) + 4);
  const row = decodePrefixed(prefix, suffix);
  if (row === undefined || !cpu.model.facilities.has(row.facility) || !isValid(row, suffix)) {
    return illegal(prefix, cia);
  }
  prefixedHandlers[row.name](prefix, suffix, cia);
  return (cia + 8) | 0;
};
