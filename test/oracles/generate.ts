/** Random instructions and register states for the differential campaign, seeded. */
import type { Instruction } from "../../emu/isa/instruction.ts";
import { extract, insert, type Operand, operand } from "../../emu/isa/operands.ts";
import {
  extractTwoWords,
  IN_PREFIX,
  isTwoWords,
  type PrefixedInstruction,
  R,
  reservedPrefixed,
} from "../../emu/isa/prefixed-table.ts";
import {
  CASE_MEMORY,
  CASE_MEMORY_SIZE,
  type CaseGroup,
  type CaseState,
  RESERVED_GPRS,
} from "./case-state.ts";
import type { CaseAbi } from "./qemu-cases.ts";

/** A seeded stream of random numbers: xorshift128 (Marsaglia 2003). */
export class Random {
  private x: number;
  private y = 362_436_069;
  private z = 521_288_629;
  private w = 88_675_123;

  constructor(seed: number) {
    this.x = seed | 1;
    for (let i = 0; i < 16; i++) this.word();
  }
  /** A random signed 32-bit number. */
  word(): number {
    const t = this.x ^ (this.x << 11);
    this.x = this.y;
    this.y = this.z;
    this.z = this.w;
    this.w = this.w ^ (this.w >>> 19) ^ t ^ (t >>> 8);
    return this.w | 0;
  }
  /** A number from 0 up to but not including `limit`. */
  below(limit: number): number {
    return (this.word() >>> 0) % limit;
  }
  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)];
  }
  doubleword(): bigint {
    return (BigInt(this.word() >>> 0) << 32n) | BigInt(this.word() >>> 0);
  }
}

const EDGE_INTEGERS = [
  0n,
  1n,
  2n,
  0x7fn,
  0x80n,
  0xffn,
  0x7fffn,
  0x8000n,
  0xffffn,
  0x7fff_ffffn,
  0x8000_0000n,
  0x8000_0001n,
  0xffff_ffffn,
  0x1_0000_0000n,
  0x7fff_ffff_ffff_ffffn,
  0x8000_0000_0000_0000n,
  0x8000_0000_0000_0001n,
  0xffff_ffff_7fff_ffffn,
  0xffff_ffff_8000_0000n,
  0xffff_ffff_ffff_fffen,
  0xffff_ffff_ffff_ffffn,
];

const EDGE_FLOATS = [
  0x0000_0000_0000_0000n, // 0
  0x0000_0000_0000_0001n, // least denormal
  0x000f_ffff_ffff_ffffn, // greatest denormal
  0x0010_0000_0000_0000n, // least normal
  0x36a0_0000_0000_0000n, // least single denormal
  0x380f_ffff_e000_0000n, // about the least single normal
  0x3810_0000_0000_0000n,
  0x3fe0_0000_0000_0000n, // 0.5
  0x3ff0_0000_0000_0000n, // 1
  0x3ff0_0000_0000_0001n,
  0x3ff0_0000_1000_0000n, // half way between singles
  0x3ff8_0000_0000_0000n, // 1.5
  0x41df_ffff_ffc0_0000n, // 2^31 - 1
  0x41e0_0000_0000_0000n, // 2^31
  0x41ef_ffff_ffe0_0000n, // 2^32 - 1
  0x43df_ffff_ffff_ffffn, // below 2^63
  0x43e0_0000_0000_0000n, // 2^63
  0x43f0_0000_0000_0000n, // 2^64
  0x47ef_ffff_e000_0000n, // greatest single
  0x47ef_ffff_f000_0000n, // rounds to single infinity
  0x7fef_ffff_ffff_ffffn, // greatest
  0x7ff0_0000_0000_0000n, // infinity
  0x7ff0_0000_0000_0001n, // signalling NaN
  0x7ff4_0000_0000_0123n,
  0x7ff8_0000_0000_0000n, // quiet NaN
  0x7ff8_0000_0000_0456n,
];

function integer(random: Random): bigint {
  switch (random.below(6)) {
    case 0:
    case 1:
      return random.pick(EDGE_INTEGERS);
    case 2:
      return BigInt(random.below(80));
    case 3:
      return BigInt.asUintN(64, BigInt(random.word()));
    case 4:
      return BigInt.asUintN(64, random.pick(EDGE_INTEGERS) + BigInt(random.below(5) - 2));
    default:
      return random.doubleword();
  }
}

function float(random: Random): bigint {
  const sign = BigInt(random.below(2)) << 63n;
  switch (random.below(6)) {
    case 0:
    case 1:
      return random.pick(EDGE_FLOATS) | sign;
    case 2:
      // Close to 1, so that sums cancel and products tie.
      return (
        sign | ((0x3f0n + BigInt(random.below(32))) << 52n) | (random.doubleword() & 0xf_0000_0000_000fn)
      );
    case 3:
      // A single.
      return (
        sign | ((0x380n + BigInt(random.below(256))) << 52n) | (random.doubleword() & 0xf_ffff_e000_0000n)
      );
    case 4:
      return (
        sign | ((0x3e0n + BigInt(random.below(64))) << 52n) | (random.doubleword() & 0xf_ffff_ffff_ffffn)
      );
    default:
      return random.doubleword();
  }
}

/** FPSCR with any status, any rounding mode, and (one time in four) exceptions enabled. */
function fpscr(random: Random): number {
  if (random.below(2) === 0) return random.below(4);
  const enables = random.below(4) === 0 ? random.below(32) << 3 : 0;
  // An enabled exception that is set already would interrupt the runner before the case begins.
  const status = enables === 0 ? 0x9fff_f700 : 0x7_f000;
  return ((random.word() & status) | enables | random.below(4)) >>> 0;
}

/** Elements where integer arithmetic turns over. */
const EDGE_BYTES = [0, 1, 2, 0x0f, 0x10, 0x1f, 0x30, 0x39, 0x3f, 0x40, 0x7e, 0x7f, 0x80, 0x81, 0xfe, 0xff];

/** 128 bits: random ones, numbers and floats of either size, or bytes of which many are edges. */
function quadword(random: Random): bigint {
  const join = (high: bigint, low: bigint): bigint => (high << 64n) | low;
  switch (random.below(6)) {
    case 0:
      return join(integer(random), integer(random));
    case 1:
      return join(float(random), float(random));
    case 2: {
      const words = Array.from({ length: 4 }, () => BigInt.asUintN(32, integer(random)));
      return words.reduce((all, word) => (all << 32n) | word, 0n);
    }
    case 3: {
      const byte = () => BigInt(random.below(3) === 0 ? random.below(256) : random.pick(EDGE_BYTES));
      return Array.from({ length: 16 }, byte).reduce((all, each) => (all << 8n) | each, 0n);
    }
    case 4: {
      // Decimal digits and a sign code, mostly.
      const digits = Array.from({ length: 31 }, () =>
        BigInt(random.below(200) === 0 ? 12 : random.below(10)),
      );
      const kept = digits.fill(0n, 0, random.below(32));
      return [...kept, BigInt(10 + random.below(6))].reduce((all, digit) => (all << 4n) | digit, 0n);
    }
    default:
      return join(random.doubleword(), random.doubleword());
  }
}

/** A random state of an ABI's registers. */
export function randomState(random: Random, abi: CaseAbi): CaseState {
  const mask = abi === "ppc32" ? 0xffff_ffffn : 0xffff_ffff_ffff_ffffn;
  return {
    gpr: Array.from({ length: 32 }, () => integer(random) & mask),
    cr: random.word() >>> 0,
    xer: (random.word() & 0xe000_007f) >>> 0,
    lr: integer(random) & mask,
    ctr: integer(random) & mask,
    fpr: Array.from({ length: 32 }, () => float(random)),
    low: Array.from({ length: 32 }, () => (abi === "ppc32" ? 0n : float(random))),
    vr: Array.from({ length: 32 }, () => quadword(random)),
    vscr: (random.below(2) << 16) | random.below(2),
    fpscr: fpscr(random),
    fault: null,
    memory: Uint8Array.from({ length: CASE_MEMORY_SIZE }, () => random.below(256)),
  };
}

/** Rows that move registers from RT to r31, and those that move as many as a byte count says. */
const MULTIPLE = new Set("lmw stmw lswi stswi lswx stswx".split(" "));
const BY_COUNT = new Set("lswx stswx".split(" "));
const FIRST_FREE = 14;

/** Makes RT such that the registers which follow it are the case's to use, as long as they don't wrap around. */
function aboveReserved(random: Random, word: number): number {
  const rt = operand("RT");
  return (word & ~rt.mask) | insert(rt, FIRST_FREE + random.below(32 - FIRST_FREE));
}

/** Bytes that a string access may move without wrapping around to the runner's registers. */
const mostBytes = (word: number): number => 4 * (32 - extract(operand("RT"), word));

/** Bounds NB, of which 0 means 32. */
function boundNb(word: number): number {
  const nb = operand("NB");
  const length = Math.min(extract(nb, word) || 32, mostBytes(word));
  return (word & ~nb.mask) | insert(nb, length & 31);
}

/** Bounds the byte count in XER. */
function boundCount(word: number, state: CaseState): void {
  const count = (state.xer & 0x7f) % (mostBytes(word) + 1);
  state.xer = ((state.xer & ~0x7f) | count) >>> 0;
}

/** How many registers from the one that is named an instruction uses: RTP and RSP are the first of two, lwat and ldat take up to three. */
const registersOf = (row: Named, field: Operand): number =>
  field.shift === 1 ? 2 : /^l[wd]at$/.test(row.name) && field.name === "RT" ? 3 : 1;

/** A random word of a row that names none of the runner's own registers. */
export function randomWord(random: Random, row: Instruction): number {
  let word = clearOfReserved(random, row, row.match | (random.word() & operandBits(row)));
  if (MULTIPLE.has(row.name)) word = aboveReserved(random, word);
  if (row.operands.includes("NB")) word = boundNb(word);
  return word;
}

/** What of a row says which registers a word names. */
type Named = Pick<Instruction, "name" | "operands">;

/** The word with other registers where it names the runner's own. */
function clearOfReserved(random: Random, row: Named, from: number): number {
  let word = from;
  for (const name of row.operands) {
    const field = operand(name);
    if (field.kind !== "gpr" && field.kind !== "gpr0") continue;
    const isReserved = (): boolean => {
      const first = extract(field, word);
      const used = Array.from({ length: registersOf(row, field) }, (_, i) => (first + i) & 31);
      return used.some((n) => RESERVED_GPRS.includes(n));
    };
    while (isReserved())
      word =
        (word & ~field.mask) |
        insert(field, 2 * random.below(16) + (field.shift === 0 ? random.below(2) : 0));
  }
  return word;
}

function operandBits(row: Instruction): number {
  const suffixes = (row.rc || row.lk ? 1 : 0) | (row.aa ? 2 : 0) | (row.oe ? 1 << 10 : 0);
  return row.operands.reduce((bits, name) => bits | operand(name).mask, suffixes);
}

/** Rows whose RA and RB (or displacement) make an effective address. */
export function isStorageAccess(row: Instruction): boolean {
  const { operands } = row;
  if (/^(dcb|icb)/.test(row.name)) return true;
  if (!/^(l|st)/.test(row.name)) return false;
  return operands.includes("RA0") || (operands.includes("RA") && !/^[lst]*_/.test(row.name));
}

/** An address in the memory that belongs to the case; one time in eight anywhere up to its page's end, so that some accesses cross it. */
function randomTarget(random: Random): number {
  const spread = random.below(8) === 0 ? CASE_MEMORY_SIZE + 8 : CASE_MEMORY_SIZE - 136;
  const target = CASE_MEMORY + random.below(spread);
  return random.below(3) > 0 ? target & ~7 : target;
}

/** Makes the effective address of `word` fall in the memory that belongs to the case, mostly. */
export function aimAtMemory(
  random: Random,
  row: Instruction,
  word: number,
  state: CaseState,
  abi: CaseAbi,
): void {
  const value = (name: string) => extract(operand(name), word);
  const ra = (word >>> 16) & 31;
  const rb = (word >>> 11) & 31;
  const width = abi === "ppc32" ? 32 : 64;
  const target = randomTarget(random);
  const displacement = row.operands.find((name) => operand(name).kind === "displacement");
  let offset = 0n;
  if (displacement !== undefined) offset = BigInt(value(displacement));
  else if (row.operands.includes("RB")) {
    if (ra === 0) state.gpr[rb] = BigInt(target);
    else if (ra !== rb) state.gpr[rb] = BigInt.asUintN(width, BigInt(random.below(256) - 128));
    offset = state.gpr[rb];
    if (ra !== 0 && ra === rb) {
      state.gpr[ra] = BigInt(target >>> 1);
      return;
    }
  }
  if (ra !== 0 || !row.operands.includes("RA0"))
    state.gpr[ra] = BigInt.asUintN(width, BigInt(target) - offset);
}

/** A group of `count` states for a random word of a row. */
export function randomGroup(random: Random, row: Instruction, abi: CaseAbi, count: number): CaseGroup {
  const word = randomWord(random, row);
  const states = Array.from({ length: count }, () => {
    const state = randomState(random, abi);
    if (BY_COUNT.has(row.name)) boundCount(word, state);
    if (isStorageAccess(row)) aimAtMemory(random, row, word, state, abi);
    return state;
  });
  return { word, states };
}

/**
 * The same for a prefixed instruction. None counts its displacement from itself: the two runners have their instruction at different
 * addresses.
 */
export function randomPrefixedGroup(
  random: Random,
  row: PrefixedInstruction,
  abi: CaseAbi,
  count: number,
): Required<CaseGroup> {
  const [reservedPrefix, reservedSuffix] = reservedPrefixed(row);
  const operands = row.operands.filter((name) => !isTwoWords(name) && !IN_PREFIX.has(name));
  const inSuffix = { name: row.name, operands };
  const free = ~(row.suffix.mask | reservedSuffix);
  const prefix = row.prefix.match | (random.word() & ~row.prefix.mask & ~reservedPrefix & ~R);
  const suffix = clearOfReserved(random, inSuffix, row.suffix.match | (random.word() & free));
  const base = (suffix >>> 16) & 31;
  const isAccess = row.operands.includes("D34");
  const states = Array.from({ length: count }, () => {
    const state = randomState(random, abi);
    if (isAccess && base !== 0) {
      const offset = extractTwoWords("D34", prefix, suffix);
      state.gpr[base] = BigInt.asUintN(64, BigInt(randomTarget(random) - offset));
    }
    return state;
  });
  return { word: prefix, suffix, states };
}
