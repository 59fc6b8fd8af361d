/**
 * The operand fields of Power ISA instructions: where their bits are and how a value is read from them. Bit 0 is
 * the most significant bit of the word, as in the manual.
 */

import { bits } from "./bit-numbers.ts";

/** How an operand is written in assembler; `asm` and the disassembler read it. */
export type OperandKind =
  | "gpr"
  /** A GPR field where 0 means the value zero: the manual's (RA|0). */
  | "gpr0"
  | "fpr"
  | "vr"
  | "vsr"
  /** An accumulator of the matrix-multiply assist. */
  | "acc"
  /** A condition register field. */
  | "crf"
  /** A bit of the condition register. */
  | "crbit"
  | "number"
  /** A byte count, where 0 in the field is 32 bytes. */
  | "count"
  /** A displacement; the operand after it is the base register, written in parentheses. */
  | "displacement"
  /** A branch displacement, in bytes, relative to the instruction unless AA is set. */
  | "target";

export interface Operand {
  readonly name: string;
  readonly kind: OperandKind;
  /** Bit ranges [first, last], the most significant part of the value first. */
  readonly ranges: readonly (readonly [number, number])[];
  readonly signed: boolean;
  /** The value is the field shifted left by so many bits: 2 for DS and branch displacements, 4 for DQ. */
  readonly shift: number;
  /** Added to the shifted field. */
  readonly offset: number;
  /** The value is the field's greatest value less the field, as in clrrwi. */
  readonly inverted: boolean;
  /** May be left out at the end of the list; its value is then 0. */
  readonly optional: boolean;
  /** The word bits the operand occupies. */
  readonly mask: number;
  /** Number of bits of the field, `shift` not included. */
  readonly width: number;
  /** Least and greatest values of the operand. */
  readonly min: number;
  readonly max: number;
}

interface Extra {
  readonly signed?: boolean;
  readonly shift?: number;
  readonly optional?: boolean;
  readonly offset?: number;
  readonly inverted?: boolean;
}

const definitions = new Map<string, Operand>();

function define(names: string, kind: OperandKind, ranges: Operand["ranges"], extra: Extra = {}): void {
  const signed = extra.signed ?? false;
  const shift = extra.shift ?? 0;
  const offset = extra.offset ?? 0;
  const inverted = extra.inverted ?? false;
  const width = ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  const mask = ranges.reduce((all, [first, last]) => all | bits(first, last), 0);
  const span = 2 ** width;
  const min = offset + (signed ? (-span / 2) * 2 ** shift : 0);
  const max = offset + (signed ? span / 2 - 1 : span - 1) * 2 ** shift;
  for (const name of names.split(" ")) {
    const optional = extra.optional ?? false;
    definitions.set(name, {
      name,
      kind,
      ranges,
      signed,
      shift,
      offset,
      inverted,
      optional,
      mask,
      width,
      min,
      max,
    });
  }
}

/** Most programs are run without a single one: no instruction of theirs is written out. */
function defineAll(): void {
  // Registers. A trailing 0 is the manual's (RA|0); a trailing P names the first of an even/odd pair.
  define("RT RS", "gpr", [[6, 10]]);
  define("RTP RSP", "gpr", [[6, 9]], { shift: 1 });
  define("RA", "gpr", [[11, 15]]);
  define("RA0", "gpr0", [[11, 15]]);
  define("RB", "gpr", [[16, 20]]);
  define("RC", "gpr", [[21, 25]]);
  define("FRT FRS", "fpr", [[6, 10]]);
  define("FRTP FRSP", "fpr", [[6, 9]], { shift: 1 });
  define("FRA", "fpr", [[11, 15]]);
  define("FRAP", "fpr", [[11, 14]], { shift: 1 });
  define("FRB", "fpr", [[16, 20]]);
  define("FRBP", "fpr", [[16, 19]], { shift: 1 });
  define("FRC", "fpr", [[21, 25]]);
  define("VRT VRS", "vr", [[6, 10]]);
  define("VRA", "vr", [[11, 15]]);
  define("VRB", "vr", [[16, 20]]);
  define("VRC", "vr", [[21, 25]]);
  const split = (high: number, first: number, last: number): Operand["ranges"] => [
    [high, high],
    [first, last],
  ];
  define("XT XS", "vsr", split(31, 6, 10));
  define("XT.DQ XS.DQ", "vsr", split(28, 6, 10));
  define("XA", "vsr", split(29, 11, 15));
  define("XB", "vsr", split(30, 16, 20));
  define("XC", "vsr", split(28, 21, 25));
  define(
    "XAP",
    "vsr",
    [
      [29, 29],
      [11, 14],
    ],
    { shift: 1 },
  );
  define("XTP XSP", "vsr", split(10, 6, 9), { shift: 1 });
  define("AT AS", "acc", [[6, 8]]);

  // Condition register fields and bits.
  define("BF", "crf", [[6, 8]]);
  define("BFA", "crf", [[11, 13]]);
  define("BT", "crbit", [[6, 10]]);
  // Fields and bits of the FPSCR, written as numbers.
  define("BF.N", "number", [[6, 8]]);
  define("BT.N", "number", [[6, 10]]);
  define("BI BA", "crbit", [[11, 15]]);
  define("BB", "crbit", [[16, 20]]);
  define("BC", "crbit", [[21, 25]]);

  // Immediates, displacements and branch targets.
  define("SI", "number", [[16, 31]], { signed: true });
  define("UI", "number", [[16, 31]]);
  define("D", "displacement", [[16, 31]], { signed: true });
  define("DS", "displacement", [[16, 29]], { signed: true, shift: 2 });
  define("DQ", "displacement", [[16, 27]], { signed: true, shift: 4 });
  define("LI", "target", [[6, 29]], { signed: true, shift: 2 });
  define("BD", "target", [[16, 29]], { signed: true, shift: 2 });
  // addpcis: d0 || d1 || d2.
  define(
    "DX",
    "number",
    [
      [16, 25],
      [11, 15],
      [31, 31],
    ],
    { signed: true },
  );
  // hashst: 0b1111111 || DX || D || 0b000, from -512 to -8.
  define("HD", "displacement", split(31, 6, 10), { shift: 3, offset: -512 });

  // Small fields. Those that share the manual's name but not their place carry their first bit.
  define("BO TO", "number", [[6, 10]]);
  define("BH", "number", [[19, 20]], { optional: true });
  define("L.10", "number", [[10, 10]]);
  define("L.10?", "number", [[10, 10]], { optional: true });
  define("L.15?", "number", [[15, 15]], { optional: true });
  define("L.6?", "number", [[6, 6]], { optional: true });
  define("L.14", "number", [[14, 15]]);
  define("W?", "number", [[15, 15]], { optional: true });
  define("WC?", "number", [[9, 10]], { optional: true });
  define("L.8?", "number", [[8, 10]], { optional: true });
  define("SC?", "number", [[14, 15]], { optional: true });
  define("PL?", "number", [[14, 15]], { optional: true });
  define("S.20", "number", [[20, 20]]);
  define("SH", "number", [[16, 20]]);
  define("NB", "count", [[16, 20]]);
  define("MB", "number", [[21, 25]]);
  define("ME", "number", [[26, 30]]);
  define("SH6", "number", split(30, 16, 20));
  define("MB6 ME6", "number", split(26, 21, 25));
  const SPR: Operand["ranges"] = [
    [16, 20],
    [11, 15],
  ];
  define("SPR", "number", SPR);
  define("TBR", "number", SPR);
  define("FXM", "number", [[12, 19]]);
  define("FLM", "number", [[7, 14]]);
  define("U", "number", [[16, 19]]);
  define("LEV", "number", [[20, 26]]);
  define("LEV?", "number", [[20, 26]], { optional: true });
  define("CY", "number", [[21, 22]]);
  define("EH?", "number", [[31, 31]], { optional: true });
  define("TH CT", "number", [[6, 10]]);
  define("TH? CT?", "number", [[6, 10]], { optional: true });
  define("FC", "number", [[16, 20]]);
  define("DRM", "number", [[18, 20]]);
  define("RM", "number", [[19, 20]]);
  define("BHRBE", "number", [[11, 20]]);
  define("TSI", "number", [[16, 20]], { signed: true });
  define("A.6?", "number", [[6, 6]], { optional: true });
  define("IH?", "number", [[8, 10]], { optional: true });
  define("UIM", "number", [[11, 15]]);
  define("UIM4", "number", [[12, 15]]);
  define("UIM3", "number", [[13, 15]]);
  define("UIM2", "number", [[14, 15]]);
  define("UIM.16", "number", [[16, 20]]);
  define("IMM5", "number", [[11, 15]]);
  define("SIM TE", "number", [[11, 15]], { signed: true });
  define("IMM8", "number", [[13, 20]]);
  define("SHB", "number", [[22, 25]]);
  define("SH3", "number", [[23, 25]]);
  define("SHW DM", "number", [[22, 23]]);
  define("ST.16", "number", [[16, 16]]);
  define("SIX", "number", [[17, 20]]);
  define("PS", "number", [[22, 22]]);
  define("STRM", "number", [[9, 10]]);
  define("DCM DGM SH16", "number", [[16, 21]]);
  define("RMC", "number", [[21, 22]]);
  define("SP", "number", [[11, 12]]);
  define("S.11", "number", [[11, 11]]);
  define("R.15", "number", [[15, 15]]);
  define("UIM6", "number", [[10, 15]]);
  define("DCMX", "number", [[9, 15]]);
  define("DCMXS", "number", [
    [25, 25],
    [29, 29],
    [11, 15],
  ]);
  define("N.13", "number", [[13, 15]]);
  define("MP", "number", [[15, 15]]);
  define("SR", "number", [[12, 15]]);

  // Of prefixed instructions: registers whose sixth bit is in the opcode or bit 15, and fields of the prefix.
  define("XT.5 XS.5", "vsr", split(5, 6, 10));
  define("XT.15", "vsr", split(15, 6, 10));
  define("IX", "number", [[14, 14]]);
  define("UIM.29", "number", [[29, 31]]);
  define("IMM.24", "number", [[24, 31]]);
  define("XMSK", "number", [[24, 27]]);
  define("YMSK", "number", [[28, 31]]);
  define("YMSK2", "number", [[28, 29]]);
  define("PMSK2", "number", [[16, 17]]);
  define("PMSK4", "number", [[16, 19]]);
  define("PMSK8", "number", [[16, 23]]);

  // Parts of fields, for the simplified mnemonics of `aliases.ts`.
  define("BF?", "crf", [[6, 8]], { optional: true });
  define("BFA?", "crf", [[11, 13]], { optional: true });
  define("BI.2-3", "number", [[14, 15]]);
  define("BO.0", "number", [[6, 6]]);
  define("BO.0-2", "number", [[6, 8]]);
  define("BO.0-3", "number", [[6, 9]]);
  define("BO.4", "number", [[10, 10]]);
  define("BO.2-3", "number", [[8, 9]]);
  define("AT.3-4", "number", [[9, 10]]);
  define("AT.1,4", "number", split(7, 10, 10));
  define("31-ME", "number", [[26, 30]], { inverted: true });
  define("63-ME6", "number", split(26, 21, 25), { inverted: true });
  define("SPR.2-3", "number", [[13, 14]]);
  define("SPR.3-4", "number", [[14, 15]]);
  define("Rc TX", "number", [[31, 31]]);
  define("TH.0-1", "number", [[6, 7]]);
  // The accumulator that a vector-scalar register is part of.
  define("XA.acc", "number", split(29, 11, 13));
  define("XB.acc", "number", split(30, 16, 18));
  define("DM.0", "number", [[22, 22]]);
  define("DM.1", "number", [[23, 23]]);
}

/** The operand called `name` in the table; throws RangeError for a name that is not defined. */
export function operand(name: string): Operand {
  if (definitions.size === 0) defineAll();
  const found = definitions.get(name);
  if (!found) throw new RangeError(`no operand field ${name}`);
  return found;
}

/** The value of an operand in an instruction word. */
export function extract(field: Operand, word: number): number {
  const { ranges, signed, shift, offset, width } = field;
  let value = 0;
  for (const [first, last] of ranges) {
    value = (value << (last - first + 1)) | ((word >>> (31 - last)) & ((1 << (last - first + 1)) - 1));
  }
  if (signed) value = (value << (32 - width)) >> (32 - width);
  return field.inverted ? field.max - value : (value << shift) + offset;
}

/**
 * The word bits that give an operand `value`; throws RangeError where the field can't hold it.
 */
export function insert(field: Operand, value: number): number {
  const { name, ranges, shift, offset, min, max } = field;
  if (!Number.isInteger(value) || value < min || value > max || (value - offset) % 2 ** shift !== 0) {
    throw new RangeError(`operand ${name} can't be ${value} (${min} to ${max}, multiple of ${2 ** shift})`);
  }
  let rest = field.inverted ? max - value : (value - offset) >> shift;
  let word = 0;
  for (const [first, last] of [...ranges].reverse()) {
    const width = last - first + 1;
    word |= (rest & ((1 << width) - 1)) << (31 - last);
    rest >>= width;
  }
  return word;
}
