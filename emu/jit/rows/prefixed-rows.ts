/** Prefixed instructions: Power ISA 3.1, I.3.3.2 on. Those of matrices, and plq and pstq, are the interpreter's. */
import { PREFIXED_VECTOR } from "../../cpu/vector/prefixed-vector.ts";
import { extractTwoWords, PREFIXED, R } from "../../isa/prefixed-table.ts";
import { lazily } from "../../lazily.ts";
import type { Generator } from "../generator.ts";
import { I32, Simd } from "../wasm.ts";
import { addImmediate } from "./add.ts";
import { type EmitPrefixed, RA, RT } from "./row.ts";
import {
  BYTE,
  DOUBLEWORD,
  HALF,
  HALF_ALGEBRAIC,
  LOAD_DOUBLE,
  LOAD_SINGLE,
  move,
  STORE_BYTE,
  STORE_DOUBLE,
  STORE_DOUBLEWORD,
  STORE_HALF,
  STORE_SINGLE,
  STORE_WORD,
  type Transfer,
  WORD,
  WORD_ALGEBRAIC,
} from "./storage.ts";
import { prefixedVector } from "./vector.ts";

/** Distances from a register that translated code keeps account of. */
const REACH = 2 ** 30;
const FOUR_GIB = 2 ** 32;

/** The displacement as the storage rows take it: what is far is the interpreter's. */
function offsetOf(g: Generator, prefix: number, suffix: number): number | undefined {
  let offset = extractTwoWords("D34", prefix, suffix);
  if ((prefix & R) !== 0) offset += g.pc >>> 0;
  else if (RA(suffix) !== 0) return Math.abs(offset) < REACH ? offset : undefined;
  return !g.is64 || (offset >= 0 && offset < FOUR_GIB) ? offset | 0 : undefined;
}

/** A load or store of the register that `register` finds. */
const access =
  (transfer: Transfer, register: (suffix: number) => number = RT): EmitPrefixed =>
  (g, prefix, suffix) => {
    const offset = offsetOf(g, prefix, suffix);
    if (offset === undefined || (transfer.only64 === true && !g.is64)) return false;
    move(g, transfer, register(suffix), RA(suffix), offset);
  };

const vrt = (suffix: number): number => 32 + RT(suffix);
/** XT of plxv, whose TX is the last bit of the opcode; XTP of plxvp. */
const xt = (suffix: number): number => (suffix >>> 21) & 63;
const xtp = (suffix: number): number => (RT(suffix) & 30) | ((RT(suffix) & 1) << 5);

/** Pops a host address: pushes the quadword so many bytes from there. */
const loadQuadword = ({ code }: Generator, from: number): void => code.vectorAccess(Simd.v128_load, from);
const storeQuadword = ({ code }: Generator, from: number): void => code.vectorAccess(Simd.v128_store, from);
const LOAD_VECTOR: Transfer = {
  bytes: 16,
  isStore: false,
  emit: (g, t, at) => {
    loadQuadword(g, at);
    g.setVector(t);
  },
};
const STORE_VECTOR: Transfer = {
  bytes: 16,
  isStore: true,
  emit: (g, t, at) => {
    g.code.get(g.vector(t));
    storeQuadword(g, at);
  },
};
/** The even register has the upper half of 256 bits. */
const LOAD_PAIR: Transfer = {
  bytes: 32,
  isStore: false,
  emit: (g, t, at) => {
    const host = g.temporary(I32, 20);
    g.code.tee(host);
    loadQuadword(g, at + 16);
    g.setVector(t);
    g.code.get(host);
    loadQuadword(g, at);
    g.setVector(t + 1);
  },
};
const STORE_PAIR: Transfer = {
  bytes: 32,
  isStore: true,
  emit: (g, t, at) => {
    const host = g.temporary(I32, 20);
    g.code.tee(host);
    g.code.get(g.vector(t));
    storeQuadword(g, at + 16);
    g.code.get(host);
    g.code.get(g.vector(t + 1));
    storeQuadword(g, at);
  },
};

/** The address of the instruction itself instead of RA. */
const addImmediatePrefixed: EmitPrefixed = (g, prefix, suffix) => {
  const immediate = extractTwoWords("SI34", prefix, suffix);
  addImmediate(g, suffix, (prefix & R) !== 0 ? (g.pc >>> 0) + immediate : immediate);
};

/** By the names of the table's rows. */
export const prefixedRows: () => Readonly<Record<string, EmitPrefixed>> = lazily(() => ({
  paddi: addImmediatePrefixed,
  plbz: access(BYTE),
  plhz: access(HALF),
  plha: access(HALF_ALGEBRAIC),
  plwz: access(WORD),
  plwa: access(WORD_ALGEBRAIC),
  pld: access(DOUBLEWORD),
  pstb: access(STORE_BYTE),
  psth: access(STORE_HALF),
  pstw: access(STORE_WORD),
  pstd: access(STORE_DOUBLEWORD),
  plfs: access(LOAD_SINGLE),
  plfd: access(LOAD_DOUBLE),
  pstfs: access(STORE_SINGLE),
  pstfd: access(STORE_DOUBLE),
  plxssp: access(LOAD_SINGLE, vrt),
  plxsd: access(LOAD_DOUBLE, vrt),
  pstxssp: access(STORE_SINGLE, vrt),
  pstxsd: access(STORE_DOUBLE, vrt),
  plxv: access(LOAD_VECTOR, xt),
  pstxv: access(STORE_VECTOR, xt),
  plxvp: access(LOAD_PAIR, xtp),
  pstxvp: access(STORE_PAIR, xtp),
  pnop: () => {},
  ...Object.fromEntries(
    PREFIXED()
      .filter(({ name }) => name in PREFIXED_VECTOR())
      .map(({ name, operands }) => [name, prefixedVector(PREFIXED_VECTOR()[name], operands)]),
  ),
}));
