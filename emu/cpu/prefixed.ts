/**
 * Prefixed instructions: Power ISA 3.1, I.1.6.3 and I.3.3.2 on. A prefix and its suffix are one instruction, which lies within 64 bytes: else it
 * raises the alignment interrupt. The handler of the prefix knows the suffix and goes on behind it, so that the two retire as one.
 */
import { decodePrefixed, extractTwoWords, type PrefixedInstruction, R } from "../isa/prefixed-table.ts";
import { GuestFault } from "./fault.ts";
import type { CpuKind, CpuModel } from "./cpu.ts";
import { isPair, ra, ra0, rt } from "./fields.ts";
import { carryOut } from "./flags.ts";
import { doubleHigh, doubleLow, single } from "./floating-point/storage-access.ts";
import { type Handler, illegal } from "./handler.ts";
import { fprOffset } from "./registers.ts";
import { functionOf } from "./vector/functions.ts";
import { maskedProducts } from "./vector/matrix.ts";
import { isSeparate } from "./vector/outer-products.ts";
import { PREFIXED_VECTOR } from "./vector/prefixed-vector.ts";
import { vrt } from "./vector/vector-registers.ts";
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
import { includes } from "./versions.ts";
import { cpu } from "./views.ts";

/** Executes an instruction given by prefix and suffix, at `cia`. */
type Prefixed = (prefix: number, suffix: number, cia: number) => void;
type PrefixedTable = Readonly<Record<string, Prefixed>>;

const addressOfCode = (cia: number): bigint => BigInt(cpu.codeHigh * 2 ** 32 + (cia >>> 0));

/** (RA|0) or CIA plus the displacement: the lower word; the upper one is left in `upper`. */
function sum(prefix: number, suffix: number, cia: number): number {
  const isRelative = (prefix & R) !== 0;
  const base = ra0(suffix);
  const from = isRelative ? cia : cpu.i32[base];
  const displacement = extractTwoWords("D34", prefix, suffix);
  const low = (from + displacement) | 0;
  upper = isRelative ? cpu.codeHigh : cpu.i32[base + 1];
  upper = (upper + Math.floor(displacement / 2 ** 32) + carryOut(from, displacement | 0, low)) | 0;
  return low;
}
let upper = 0;
/** The effective address of a load or store. */
function address(prefix: number, suffix: number, cia: number, isStore: boolean): number {
  const low = sum(prefix, suffix, cia);
  if (cpu.is64 && upper !== 0) return cpu.memory.near(upper, low, isStore);
  return low >>> 0;
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

/** RT <- two words. */
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
    const low = sum(prefix, suffix, cia);
    give(suffix, low, upper);
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

const nothing: PrefixedTable = { pnop: () => {} };

/** Those that are not WebAssembly expressions, by the names of the table's rows. */
const handlers: PrefixedTable = { ...displaced, ...nothing, ...maskedProducts };

/** The names of all that have a handler. */
export const prefixedHandled = (): string[] => [...Object.keys(handlers), ...Object.keys(PREFIXED_VECTOR())];

/** Invalid forms: registers of pairs that are odd or overwrite the base, sources that are part of the accumulator. */
function isValid({ name, facility }: PrefixedInstruction, suffix: number): boolean {
  if (name === "plq") return isPair(suffix) && ra(suffix) !== rt(suffix);
  if (name === "pstq") return isPair(suffix);
  return facility !== "mma" || isSeparate(suffix);
}

/** Whether a CPU of this model has the instruction. */
export const hasPrefixed = ({ facility }: PrefixedInstruction, { version, facilities }: CpuModel): boolean =>
  includes(version, "3.1") && facilities.has(facility);

const addressInterrupt: Handler = (_prefix, cia) => {
  throw new GuestFault("alignment", addressOfCode(cia));
};

/** The handler of a prefix with the word after it, which is undefined where a boundary of 64 bytes is between them. */
export function prefixedHandler(prefix: number, suffix: number | undefined, kind: CpuKind): Handler {
  if (suffix === undefined) return addressInterrupt;
  const row = decodePrefixed(prefix, suffix);
  if (row === undefined || !hasPrefixed(row, kind.model) || !isValid(row, suffix)) return illegal;
  const execute = handlers[row.name] ?? vectorHandler(row, prefix, kind);
  return (_prefix, cia) => {
    execute(prefix, suffix, cia);
    return (cia + 8) | 0;
  };
}
function vectorHandler(row: PrefixedInstruction, prefix: number, kind: CpuKind): Prefixed {
  const handler = functionOf(PREFIXED_VECTOR()[row.name], row, prefix, kind)!;
  return (_prefix, suffix) => {
    handler(suffix, prefix);
  };
}
