/**
 * Writes an instruction word as GNU objdump does: simplified mnemonics, operand syntax, ".long" for what is no
 * instruction or has reserved bits set.
 */
import { aliasFor, isInvalidForm } from "./aliases.ts";
import { bits } from "./bit-numbers.ts";
import { decode } from "./decoder.ts";
import { fieldsOf } from "./encoder.ts";
import type { Instruction } from "./instruction.ts";
import { extract, type Operand, operand } from "./operands.ts";
import {
  decodePrefixed,
  extractTwoWords,
  hasR,
  isPrefix,
  IN_PREFIX,
  isTwoWords,
  type PrefixedInstruction,
  R,
  reservedPrefixed,
} from "./prefixed-table.ts";

export interface DisassembleOptions {
  /** Branch targets are 64-bit addresses; otherwise they wrap at 2^32. */
  readonly is64?: boolean;
}

const CR_BITS = ["lt", "gt", "eq", "so"];

/** Written before a register's number. */
const PREFIXES: Partial<Record<Operand["kind"], string>> = {
  gpr: "r",
  fpr: "f",
  vr: "v",
  vsr: "vs",
  acc: "a",
  crf: "cr",
};

const FLAGS = { rc: 1, lk: 1, aa: 2, oe: 1 << 10, vrc: 1 << 10 } as const;

/** Reserved bits that objdump does not look at, though the other rows' it does. */
const UNCHECKED: Readonly<Record<string, number>> = {
  sc: bits(16, 19) | bits(27, 29),
  scv: bits(16, 19) | bits(27, 29),
  vgnb: bits(11, 12),
  lq: bits(28, 31),
  isel: bits(31, 31),
  cmpi: bits(9, 9),
  cmpli: bits(9, 9),
  dst: bits(7, 8) | bits(31, 31),
  dstt: bits(7, 8) | bits(31, 31),
  dstst: bits(7, 8) | bits(31, 31),
  dststt: bits(7, 8) | bits(31, 31),
  dss: bits(7, 8) | bits(11, 20) | bits(31, 31),
  dssall: bits(7, 20) | bits(31, 31),
  lxvpx: bits(31, 31),
  stxvpx: bits(31, 31),
  attn: bits(6, 20),
  xsrqpi: bits(11, 14),
  xsrqpix: bits(11, 14),
  xsrqpxp: bits(11, 14),
};
const UNCHECKED_DECIMAL = bits(9, 20);
/** The last bit of a decimal pair that is the target; of those that are operands objdump does not look at it. */
const TARGET_PAIR = bits(10, 10);

const reserved = new Map<Instruction, number>();

/** The bits of a row's words that are neither opcode, operand nor flag. */
export function reservedBits(instruction: Instruction): number {
  let clear = reserved.get(instruction);
  if (clear === undefined) {
    clear = ~instruction.operands.reduce((mask, name) => mask | operand(name).mask, instruction.mask);
    for (const [flag, bit] of Object.entries(FLAGS)) {
      if (instruction[flag as keyof typeof FLAGS]) clear &= ~bit;
    }
    reserved.set(instruction, clear);
  }
  return clear;
}

/** The bits that have to be clear for the word to be written as this instruction. */
function checkedBits(instruction: Instruction): number {
  const unchecked = instruction.facility === "dfp" ? UNCHECKED_DECIMAL : (UNCHECKED[instruction.name] ?? 0);
  const pair = instruction.operands.includes("FRTP") && instruction.name !== "dcffixqq" ? TARGET_PAIR : 0;
  return reservedBits(instruction) & (~unchecked | pair);
}

function writeOperand(field: Operand, value: number, target: (displacement: number) => string): string {
  switch (field.kind) {
    case "target":
      return target(value);
    case "gpr0":
      return value === 0 ? "0" : `r${value}`;
    case "count":
      return `${value || 32}`;
    case "crbit":
      return (value >= 4 ? `4*cr${value >> 2}+` : "") + CR_BITS[value & 3];
    default:
      return (PREFIXES[field.kind] ?? "") + value;
  }
}

/**
 * The assembler text of `word` at `address` (its guest address): mnemonic, blanks to column 8, operands; branch targets
 * are addresses in hexadecimal.
 */
export function disassemble(
  word: number,
  address: number | bigint,
  options: DisassembleOptions = {},
): string {
  const instruction = decode(word);
  const data = `.long 0x${(word >>> 0).toString(16)}`;
  if (!instruction || (word & checkedBits(instruction)) !== 0) return data;
  if (isInvalidForm(instruction.name, word)) return data;
  const alias = aliasFor(instruction.name, word);
  const { suffixes } = fieldsOf(instruction, word);
  const hint = alias?.hint ? alias.hint.marks[extract(alias.hint.field, word)] : "";
  const mnemonic = [
    alias?.name ?? instruction.name,
    suffixes.oe ? "o" : "",
    suffixes.rc ? "." : "",
    suffixes.lk ? "l" : "",
    suffixes.aa ? "a" : "",
    hint,
  ].join("");

  const target = (displacement: number): string => {
    if (suffixes.aa) return (displacement >>> 0).toString(16);
    return BigInt.asUintN(options.is64 ? 64 : 32, BigInt(address) + BigInt(displacement)).toString(16);
  };
  const fields = (alias?.operands ?? instruction.operands).map(operand);
  const values = fields.map((field) => extract(field, word));
  let text = "";
  fields.forEach((field, i) => {
    // Optional operands are left out where they and all optional ones after them are zero.
    const omitted = field.optional && fields.every((f, k) => k < i || !f.optional || values[k] === 0);
    if (omitted) return;
    const written = writeOperand(field, values[i], target);
    if (fields[i - 1]?.kind === "displacement") text += `(${written})`;
    else text += (text === "" ? "" : ",") + written;
  });
  return text === "" ? mnemonic : `${mnemonic.padEnd(7)} ${text}`;
}

/**
 * The assembler text of the instruction whose first word is `word`, and how many words it is; `next` gives the word behind it, where
 * there is one.
 */
export function disassembleWords(
  word: number,
  next: () => number | undefined,
  address: number | bigint,
  options: DisassembleOptions = {},
): { text: string; words: 1 | 2 } {
  const suffix = isPrefix(word) ? next() : undefined;
  const text = suffix === undefined ? undefined : disassemblePrefixed(word, suffix, address, options);
  return text === undefined ? { text: disassemble(word, address, options), words: 1 } : { text, words: 2 };
}

/** Reserved bits of suffixes that objdump does not look at: the last one of a pair's number, all that it gives pnop. */
const UNCHECKED_SUFFIX: Readonly<Record<string, number>> = {
  plq: bits(10, 10),
  pstq: bits(10, 10),
  pnop: -1,
};

/**
 * The assembler text of the prefixed instruction that two words at `address` are; undefined where they are none, or have reserved bits
 * set: then they are written one by one.
 */
function disassemblePrefixed(
  prefix: number,
  suffix: number,
  address: number | bigint,
  options: DisassembleOptions = {},
): string | undefined {
  const row = decodePrefixed(prefix, suffix);
  if (row === undefined || isInvalidSuffix(row, suffix)) return undefined;
  const [inPrefix, inSuffix] = reservedPrefixed(row);
  const unchecked = row.operands.includes("XAP") ? bits(15, 15) : (UNCHECKED_SUFFIX[row.name] ?? 0);
  const checked = inSuffix & ~unchecked;
  if ((prefix & inPrefix) !== 0 || (suffix & checked) !== 0) return undefined;

  const isRelative = hasR(row) && (prefix & R) !== 0;
  const [mnemonic, operands] = written(row, isRelative, suffix);
  let text = "";
  let comment = "";
  for (const name of operands) {
    const separator = text === "" ? "" : ",";
    if (isTwoWords(name)) {
      const value = extractTwoWords(name, prefix, suffix);
      text += `${separator}${value}`;
      if (!isRelative) continue;
      const target = BigInt.asUintN(options.is64 ? 64 : 32, BigInt(address) + BigInt(value));
      comment = `\t# ${target.toString(16)}`;
      continue;
    }
    const field = operand(name);
    const value = writeOperand(field, extract(field, IN_PREFIX.has(name) ? prefix : suffix), String);
    const isBase = name === "RA0" && operands.includes("D34");
    text += isBase ? `(${value})` : `${separator}${value}`;
  }
  return (text === "" ? mnemonic : `${mnemonic.padEnd(7)} ${text}`) + comment;
}

/** Whether assemblers refuse the suffix, or objdump does not see it: only some are beside pnop's. */
function isInvalidSuffix({ name, facility }: PrefixedInstruction, suffix: number): boolean {
  if (facility === "mma") return isInvalidForm(name.slice(2), suffix);
  if (name === "pnop") return suffix >>> 27 !== 0;
  return name === "plq" && extract(operand("RT"), suffix) === extract(operand("RA"), suffix);
}

/** The mnemonic and operands that an instruction is written with. */
function written(
  { name, operands, facility }: PrefixedInstruction,
  isRelative: boolean,
  suffix: number,
): [string, readonly string[]] {
  // Binutils 2.40 writes the matrix instructions with the names of a later architecture, and pairs as if they were single.
  if (facility === "mma") {
    return [`pmdm${name.slice(2)}`, operands.map((each) => (each === "XAP" ? "XA" : each))];
  }
  const rest = operands.filter((each) => each !== "RA0");
  if (name !== "paddi") return [name, isRelative ? rest : operands];
  if (isRelative) return ["pla", rest];
  return extract(operand("RA0"), suffix) === 0 ? ["pli", rest] : [name, operands];
}
