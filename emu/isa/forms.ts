/**
 * Instruction forms of Power ISA I.1.6: the opcode bits of each, and the builder of table rows.
 *
 * A row's mask has the opcode bits only. Reserved fields, and bit 31 of forms without an Rc bit, are left out: processors
 * ignore them. Where two instructions differ in such a bit, `fix` adds it to both.
 */

import { bits } from "./bit-numbers.ts";
import type { Facility, Instruction, Version } from "./instruction.ts";

/** The opcode part of a row. */
export interface Encoding {
  readonly form: string;
  readonly match: number;
  readonly mask: number;
  readonly rc?: boolean;
  readonly vrc?: boolean;
  readonly oe?: boolean;
  readonly lk?: boolean;
  readonly aa?: boolean;
}

const OPCD = bits(0, 5);

/** The form `form`, whose extended opcode is the bits first..last. */
const extended = (form: string, first: number, last: number) => (opcd: number, xo: number) => ({
  form,
  match: (opcd << 26) | (xo << (31 - last)) | 0,
  mask: OPCD | bits(first, last),
});

const primary =
  (form: string) =>
  (opcd: number): Encoding => ({ form, match: (opcd << 26) | 0, mask: OPCD });

export const D = primary("D");
export const M = primary("M");
export const I = primary("I");
export const B = primary("B");
export const DQ0 = primary("DQ");
export const DS = extended("DS", 30, 31);
export const DQ = extended("DQ", 29, 31);
export const DX = extended("DX", 26, 30);
export const SC = extended("SC", 30, 31);
export const X = extended("X", 21, 30);
export const XL = extended("XL", 21, 30);
export const XFX = extended("XFX", 21, 30);
export const XFL = extended("XFL", 21, 30);
export const XS = extended("XS", 21, 29);
export const XO = extended("XO", 22, 30);
export const A = extended("A", 26, 30);
export const MD = extended("MD", 27, 29);
export const MDS = extended("MDS", 27, 30);
export const Z22 = extended("Z22", 22, 30);
export const Z23 = extended("Z23", 23, 30);
export const VA = extended("VA", 26, 31);
export const VX = extended("VX", 21, 31);
export const VC = extended("VC", 22, 31);
/** VX with a PS bit: bit 22 is not of the opcode. */
export const VX23 = extended("VX", 23, 31);
export const XX1 = extended("XX1", 21, 30);
export const XX2 = extended("XX2", 21, 29);
export const XX3 = extended("XX3", 21, 28);
/** XX3 with an Rc bit (bit 21). */
export const XX3R = extended("XX3", 22, 28);
/** XX3 with a two-bit immediate (bits 22 and 23). */
export const XX3D = (opcd: number, xo: number): Encoding => fix(extended("XX3", 24, 28)(opcd, xo), 21, 21, 0);
/** XX2 with a seven-bit mask that leaves two parts of the opcode: bits 21-24 and 26-28, bit 30 being BX. */
export const XX2T = (opcd: number, high: number, low: number): Encoding =>
  fix(extended("XX2", 26, 28)(opcd, low), 21, 24, high);
export const XX4 = extended("XX4", 26, 27);

/** Adds bits first..last with the value `value` to the opcode. */
export function fix(encoding: Encoding, first: number, last: number, value: number): Encoding {
  const { match, mask } = encoding;
  return { ...encoding, match: match | (value << (31 - last)), mask: mask | bits(first, last) };
}

/** With an Rc bit. */
export const rc = (encoding: Encoding): Encoding => ({ ...encoding, rc: true });
/** With an OE and an Rc bit. */
export const oerc = (encoding: Encoding): Encoding => ({ ...encoding, oe: true, rc: true });
/** With bit 31 part of the opcode and set: the record forms that have no other form, such as stwcx. */
export const dot = (encoding: Encoding): Encoding => fix(encoding, 31, 31, 1);
/** With bit 31 part of the opcode and clear: where the word with bit 31 set is another instruction. */
export const noDot = (encoding: Encoding): Encoding => fix(encoding, 31, 31, 0);
/** With an Rc bit at bit 21, as the vector compares have it. */
export const vrc = (encoding: Encoding): Encoding => ({ ...encoding, vrc: true });
/** With an LK bit. */
export const lk = (encoding: Encoding): Encoding => ({ ...encoding, lk: true });
/** With an AA and an LK bit. */
export const aalk = (encoding: Encoding): Encoding => ({ ...encoding, aa: true, lk: true });

/** A row as the tables write it: mnemonic, opcode, operands in assembler order, title, and what differs from the group. */
export type Row = readonly [
  name: string,
  encoding: Encoding,
  operands: string,
  title: string,
  differs?: { readonly version?: Version; readonly facility?: Facility; readonly implemented?: boolean },
];

/** Lists of operands, by their text: instructions have few different ones. */
const lists = new Map<string, readonly string[]>([["", []]]);

function namesIn(text: string): readonly string[] {
  let names = lists.get(text);
  if (names === undefined) lists.set(text, (names = text.split(",")));
  return names;
}

/** The rows of one section of the manual; version, facility and state hold for all but those that say otherwise. */
export function group(
  section: string,
  version: Version,
  facility: Facility,
  implemented: boolean,
  rows: readonly Row[],
): Instruction[] {
  // Every start makes hundreds of them: to take a row apart by its pattern makes an iterator and six results.
  return rows.map((row) => ({
    name: row[0],
    ...row[1],
    operands: namesIn(row[2]),
    version,
    facility,
    section: `${section} ${row[3]}`,
    implemented,
    ...row[4],
  }));
}
