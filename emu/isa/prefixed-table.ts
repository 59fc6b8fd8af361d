/**
 * The prefixed instructions of Power ISA 3.1 (I.1.6.3): two words, of which the first, the prefix, has primary opcode 1. A row gives
 * the opcode bits and operands of both words.
 */
import { lazily } from "../lazily.ts";
import { bits } from "./bit-numbers.ts";
import type { Facility, Instruction } from "./instruction.ts";
import { operand } from "./operands.ts";
import { MATRIX } from "./table/matrix.ts";

/** Opcode bits: (word & mask) === match, both signed. */
export interface Pattern {
  readonly match: number;
  readonly mask: number;
}

export interface PrefixedInstruction {
  readonly name: string;
  readonly prefix: Pattern;
  readonly suffix: Pattern;
  /** In assembler order. Those of `TWO_WORDS` are in both words; those of `IN_PREFIX` in the prefix, the others in the suffix. */
  readonly operands: readonly string[];
  readonly facility: Facility;
}

/** Operands whose bits begin in the prefix (14 to 31, or 16 to 31) and end in the suffix (16 to 31). */
export const TWO_WORDS = {
  /** d0 || d1, the displacement of loads and stores and the immediate of paddi: 34 bits, signed. */
  D34: bits(14, 31),
  SI34: bits(14, 31),
  IMM32: bits(16, 31),
} as const;
export const isTwoWords = (name: string): name is keyof typeof TWO_WORDS => Object.hasOwn(TWO_WORDS, name);

/** Operands in the prefix. */
export const IN_PREFIX: ReadonlySet<string> = new Set([
  "UIM.29",
  "IMM.24",
  "XMSK",
  "YMSK",
  "YMSK2",
  "PMSK2",
  "PMSK4",
  "PMSK8",
]);

/** R of the prefixes that have one: the displacement counts from the instruction itself, and RA must be 0. */
export const R = bits(11, 11);

/** Bits 6 and 7 of a prefix. */
const typeOf = (prefix: number): number => (prefix >>> 24) & 3;
const EIGHT_BYTE_LOAD = 0;
const EIGHT_BYTE_REGISTER = 1;
const MODIFIED_LOAD = 2;
const MODIFIED_REGISTER = 3;

/** Opcode and type of a prefix; with what else is fixed in it. */
const prefixOf = (type: number, mask = 0, match = 0): Pattern => ({
  match: (1 << 26) | (type << 24) | match,
  mask: bits(0, 7) | mask,
});
const opcode = (value: number, mask = 0, match = 0): Pattern => ({
  match: (value << 26) | match,
  mask: bits(0, 5) | mask,
});

const row = (
  name: string,
  prefix: Pattern,
  suffix: Pattern,
  operands: string,
  facility: Facility,
): PrefixedInstruction => ({
  name,
  prefix,
  suffix,
  operands: operands === "" ? [] : operands.split(","),
  facility,
});

/** A load or store: MLS:D or 8LS:D form. */
const access = (type: number) => {
  const prefix = prefixOf(type);
  return (name: string, of: number | Pattern, register: string, facility: Facility): PrefixedInstruction =>
    row(name, prefix, typeof of === "number" ? opcode(of) : of, `${register},D34,RA0`, facility);
};
const modified = access(MODIFIED_LOAD);
const eightByte = access(EIGHT_BYTE_LOAD);
/** Opcodes of five bits, whose sixth is TX. */
const withTx = (value: number): Pattern => ({ match: value << 26, mask: bits(0, 4) });

const registers = prefixOf(EIGHT_BYTE_REGISTER);
const splat = (name: string, from: number, value: number, operands: string) =>
  row(name, registers, opcode(32, bits(11, from), value << (31 - from)), operands, "vsx");
const fourRegisters = (name: string, primary: number, extended: number, operand = "") =>
  row(
    name,
    registers,
    opcode(primary, bits(26, 27), extended << 4),
    `XT,XA,XB,XC${operand === "" ? "" : `,${operand}`}`,
    "vsx",
  );

/** The masked form of an outer product, MMIRR:XX3: of PMSK it has a bit a product that an element sums up. */
function masked({ name, match, mask, operands }: Instruction): PrefixedInstruction {
  const rank = /ger([248])/.exec(name)?.[1];
  const masks = [
    "XMSK",
    name.startsWith("xvf64") ? "YMSK2" : "YMSK",
    ...(rank === undefined ? [] : [`PMSK${rank}`]),
  ];
  const prefix = prefixOf(MODIFIED_REGISTER, bits(8, 11), 9 << 20);
  return row(`pm${name}`, prefix, { match, mask }, [...operands, ...masks].join(","), "mma");
}

/** All rows. */
export const PREFIXED: () => readonly PrefixedInstruction[] = lazily(() => [
  row("paddi", prefixOf(MODIFIED_LOAD), opcode(14), "RT,RA0,SI34", "base"),
  modified("plwz", 32, "RT", "base"),
  modified("plbz", 34, "RT", "base"),
  modified("pstw", 36, "RS", "base"),
  modified("pstb", 38, "RS", "base"),
  modified("plhz", 40, "RT", "base"),
  modified("plha", 42, "RT", "base"),
  modified("psth", 44, "RS", "base"),
  modified("plfs", 48, "FRT", "fp"),
  modified("plfd", 50, "FRT", "fp"),
  modified("pstfs", 52, "FRS", "fp"),
  modified("pstfd", 54, "FRS", "fp"),
  eightByte("plwa", 41, "RT", "64"),
  eightByte("plxsd", 42, "VRT", "vsx"),
  eightByte("plxssp", 43, "VRT", "vsx"),
  eightByte("pstxsd", 46, "VRS", "vsx"),
  eightByte("pstxssp", 47, "VRS", "vsx"),
  eightByte("plxv", withTx(50), "XT.5", "vsx"),
  eightByte("pstxv", withTx(54), "XS.5", "vsx"),
  eightByte("plq", 56, "RTP", "64"),
  eightByte("pld", 57, "RT", "64"),
  eightByte("plxvp", 58, "XTP", "vsx"),
  eightByte("pstq", 60, "RSP", "64"),
  eightByte("pstd", 61, "RS", "64"),
  eightByte("pstxvp", 62, "XSP", "vsx"),
  splat("xxsplti32dx", 13, 0, "XT.15,IX,IMM32"),
  splat("xxspltidp", 14, 2, "XT.15,IMM32"),
  splat("xxspltiw", 14, 3, "XT.15,IMM32"),
  fourRegisters("xxblendvb", 33, 0),
  fourRegisters("xxblendvh", 33, 1),
  fourRegisters("xxblendvw", 33, 2),
  fourRegisters("xxblendvd", 33, 3),
  fourRegisters("xxpermx", 34, 0, "UIM.29"),
  fourRegisters("xxeval", 34, 1, "IMM.24"),
  row("pnop", prefixOf(MODIFIED_REGISTER, bits(8, 11)), { match: 0, mask: 0 }, "", "base"),
  ...MATRIX()
    .filter(({ operands }) => operands.length === 3)
    .map(masked),
]);

/** Whether a word is a prefix. */
export const isPrefix = (word: number): boolean => word >>> 26 === 1;

/** Whether an instruction of two words may begin at an address: it lies within 64 bytes. */
export const fitsPrefixed = (address: number): boolean => (address & 63) !== 60;

const fits = (word: number, { match, mask }: Pattern): boolean => (word & mask) === match;

/** Whether the prefix has R. */
export const hasR = ({ operands }: PrefixedInstruction): boolean =>
  operands.includes("D34") || operands.includes("SI34");

/** Rows by the type of the prefix and the primary opcode of the suffix. */
const index = lazily(() =>
  Array.from({ length: 4 * 64 }, (_, key) =>
    PREFIXED().filter(
      ({ prefix, suffix }) =>
        typeOf(prefix.match) === key >> 6 &&
        (((key << 26) & suffix.mask) ^ (suffix.match & (63 << 26) & suffix.mask)) === 0,
    ),
  ),
);

/** The instruction that a prefix and a suffix are; undefined where there is none. */
export function decodePrefixed(prefix: number, suffix: number): PrefixedInstruction | undefined {
  for (const each of index()[(typeOf(prefix) << 6) | (suffix >>> 26)]) {
    if (!fits(prefix, each.prefix) || !fits(suffix, each.suffix)) continue;
    // A displacement from the instruction itself has no base register.
    if (hasR(each) && (prefix & R) !== 0 && ((suffix >>> 16) & 31) !== 0) return undefined;
    return each;
  }
  return undefined;
}

/** The bits of both words that are neither opcode nor operand. */
export function reservedPrefixed(row: PrefixedInstruction): [number, number] {
  const { prefix, suffix, operands } = row;
  let inPrefix = ~prefix.mask;
  let inSuffix = ~suffix.mask;
  for (const name of operands) {
    if (isTwoWords(name)) {
      inPrefix &= ~TWO_WORDS[name];
      inSuffix &= ~bits(16, 31);
    } else if (IN_PREFIX.has(name)) inPrefix &= ~operand(name).mask;
    else inSuffix &= ~operand(name).mask;
  }
  if (hasR(row)) inPrefix &= ~R;
  return [inPrefix, inSuffix];
}

/** The value of a two-word operand. */
export function extractTwoWords(name: keyof typeof TWO_WORDS, prefix: number, suffix: number): number {
  const low = suffix & 0xffff;
  if (name === "IMM32") return ((prefix << 16) | low) >>> 0;
  return ((prefix << 14) >> 14) * 0x1_0000 + low;
}
