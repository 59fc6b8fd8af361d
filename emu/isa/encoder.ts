/**
 * A small assembler, for tests: from a row and its operands, or from a line of text, to an instruction word.
 */
import type { Instruction } from "./instruction.ts";
import { extract, insert, type Operand, operand } from "./operands.ts";
import { instructionNamed } from "./table.ts";

/** The bits that `o`, `.`, `l` and `a` after a mnemonic set. */
export interface Suffixes {
  readonly oe?: boolean;
  readonly rc?: boolean;
  readonly lk?: boolean;
  readonly aa?: boolean;
}

const OE = 1 << 10;
const RC = 1;
/** The vector compares' Rc bit. */
const VRC = 1 << 10;
const LK = 1;
const AA = 2;

/**
 * The word (a signed 32-bit number) of an instruction with these operand values, in assembler order. Optional operands
 * at the end may be left out. Throws RangeError for a value its field can't hold, a wrong number of operands, or
 * a suffix the instruction doesn't have.
 */
export function encode(instruction: Instruction, values: readonly number[], suffixes: Suffixes = {}): number {
  const fields = instruction.operands.map(operand);
  const required = fields.filter((field) => !field.optional).length;
  if (values.length < required || values.length > fields.length) {
    throw new RangeError(
      `${instruction.name} takes ${instruction.operands.join(",")}, not ${values.length} operands`,
    );
  }
  let word = instruction.match;
  fields.forEach((field, i) => {
    if (i < values.length) word |= insert(field, values[i]);
  });
  const set = (wanted: boolean | undefined, has: boolean | undefined, bit: number, suffix: string): void => {
    if (!wanted) return;
    if (!has) throw new RangeError(`${instruction.name} has no form with "${suffix}"`);
    word |= bit;
  };
  set(suffixes.oe, instruction.oe, OE, "o");
  set(suffixes.rc, instruction.rc || instruction.vrc, instruction.vrc ? VRC : RC, ".");
  set(suffixes.lk, instruction.lk, LK, "l");
  set(suffixes.aa, instruction.aa, AA, "a");
  return word;
}

/** The operand values of a word, in assembler order, and the suffix bits: what `encode` takes. */
export function fieldsOf(instruction: Instruction, word: number): { values: number[]; suffixes: Suffixes } {
  const values = instruction.operands.map((name) => extract(operand(name), word));
  const has = (flag: boolean | undefined, bit: number): boolean => flag === true && (word & bit) !== 0;
  const suffixes = {
    oe: has(instruction.oe, OE),
    rc: has(instruction.rc, RC) || has(instruction.vrc, VRC),
    lk: has(instruction.lk, LK),
    aa: has(instruction.aa, AA),
  };
  return { values, suffixes };
}

/** Splits a mnemonic as written, such as "subfco." or "bcla", into its row and suffixes. */
function findMnemonic(mnemonic: string): { instruction: Instruction; suffixes: Suffixes } | undefined {
  const exact = instructionNamed(mnemonic);
  if (exact) return { instruction: exact, suffixes: {} };
  const [, stem, tail] = /^(.*?)(la|l|a|o\.|o|\.)$/.exec(mnemonic) ?? [];
  if (stem === undefined) return undefined;
  const instruction = instructionNamed(stem);
  if (!instruction) return undefined;
  const suffixes = {
    oe: tail.startsWith("o"),
    rc: tail.endsWith("."),
    lk: tail.startsWith("l"),
    aa: tail.endsWith("a"),
  };
  return { instruction, suffixes };
}

const REGISTER_PREFIXES: Partial<Record<Operand["kind"], RegExp>> = {
  gpr: /^r/,
  gpr0: /^r/,
  fpr: /^f/,
  vr: /^v/,
  vsr: /^vs/,
  acc: /^a/,
  crf: /^cr/,
};

const CR_BITS = ["lt", "gt", "eq", "so"];

/** The value of one operand as written: a number, or a register name that fits the operand's kind. */
function parseOperand(field: Operand, text: string): number {
  if (field.kind === "crbit") {
    const [, cr, bit] = /^(?:4\*cr([0-7])\+)?(lt|gt|eq|so)$/.exec(text) ?? [];
    if (bit) return 4 * Number(cr ?? 0) + CR_BITS.indexOf(bit);
  }
  if (field.kind === "count" && text === "32") return 0;
  const prefix = REGISTER_PREFIXES[field.kind];
  const digits = prefix ? text.replace(prefix, "") : text;
  if (!/^[-+]?(0x[0-9a-f]+|[0-9]+)$/i.test(digits)) {
    throw new SyntaxError(`"${text}" is no operand ${field.name}`);
  }
  return digits.startsWith("-") ? -Number(digits.slice(1)) : Number(digits);
}

/** Splits "3,8(1)" into "3", "8" and "1". */
function splitOperands(text: string): string[] {
  const trimmed = text.trim();
  if (trimmed === "") return [];
  return trimmed.split(",").flatMap((part) => {
    const [, displacement, base] = /^\s*([^()]*)\(([^()]*)\)\s*$/.exec(part) ?? [];
    return displacement === undefined ? [part.trim()] : [displacement.trim(), base.trim()];
  });
}

/**
 * Assembles one line: a base mnemonic with its `o`, `.`, `l` and `a` suffixes, and operands as numbers or register
 * names: "addi 3,4,-5", "subfco. r3,r4,r5", "lwz r3,8(r1)", "bc 12,2,16" (a displacement in bytes). Returns a signed
 * 32-bit number. Throws SyntaxError for an unknown mnemonic or operand, RangeError for a value that does not fit.
 */
export function asm(line: string): number {
  const [, mnemonic, rest] = /^\s*(\S+)\s*(.*)$/.exec(line) ?? [];
  const found = mnemonic === undefined ? undefined : findMnemonic(mnemonic);
  if (!found) throw new SyntaxError(`no instruction "${mnemonic ?? ""}" in "${line}"`);
  const { instruction, suffixes } = found;
  const texts = splitOperands(rest);
  if (texts.length > instruction.operands.length) {
    throw new RangeError(`${instruction.name} takes ${instruction.operands.join(",")}: "${line}"`);
  }
  const values = texts.map((text, i) => parseOperand(operand(instruction.operands[i]), text));
  return encode(instruction, values, suffixes);
}
