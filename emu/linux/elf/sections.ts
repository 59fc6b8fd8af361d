/** Section headers and symbols, for the disassembler and for tools; running a program needs neither. */
import { ElfError } from "./error.ts";
import { type ElfHeader, Fields, readHeader } from "./header.ts";

export const SHT_PROGBITS = 1;
export const SHT_SYMTAB = 2;
export const SHT_STRTAB = 3;
export const SHT_NOBITS = 8;
export const SHT_DYNSYM = 11;
export const SHF_WRITE = 1;
export const SHF_ALLOC = 2;
export const SHF_EXECINSTR = 4;

export interface ElfSection {
  readonly name: string;
  /** SHT_* */
  readonly type: number;
  /** SHF_*, low 32 bits. */
  readonly flags: number;
  readonly addr: bigint;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly entsize: number;
}

export interface ElfSymbol {
  readonly name: string;
  readonly value: bigint;
  readonly size: bigint;
  /** STT_*: 1 object, 2 function, ... */
  readonly type: number;
  /** STB_*: 0 local, 1 global, 2 weak. */
  readonly bind: number;
  /** Index of the section it is defined in; 0 is undefined. */
  readonly section: number;
}

const decoder = new TextDecoder("latin1");

/** The string at `at` of a string table. */
function stringAt(table: Uint8Array, at: number): string {
  if (at >= table.length) return "";
  const end = table.indexOf(0, at);
  return decoder.decode(table.subarray(at, end < 0 ? table.length : end));
}

/** Bytes of a section; none for SHT_NOBITS. */
export function sectionBytes(file: Uint8Array, { type, offset, size }: ElfSection): Uint8Array {
  return type === SHT_NOBITS ? new Uint8Array() : file.subarray(offset, offset + size);
}

/** All section headers, number 0 included; none for a file without. Throws ElfError. */
export function readSections(file: Uint8Array, header: ElfHeader = readHeader(file)): ElfSection[] {
  const { is64, shoff, shentsize } = header;
  if (shoff === 0) return [];
  const entry = is64 ? 64 : 40;
  if (shentsize !== entry) throw new ElfError(`section headers of ${shentsize} bytes`, is64 ? 58 : 46);
  if (shoff + entry > file.length)
    throw new ElfError("section headers lie beyond the end of the file", shoff);
  const fields = new Fields(file, header.littleEndian);
  // Counts of 0xff00 and above are in the first section header.
  const count = header.shnum || Number(is64 ? fields.u64(shoff + 32) : fields.u32(shoff + 20));
  const names = header.shstrndx === 0xffff ? fields.u32(shoff + (is64 ? 40 : 24)) : header.shstrndx;
  if (shoff + count * entry > file.length) {
    throw new ElfError("section headers lie beyond the end of the file", shoff);
  }
  const raw = Array.from({ length: count }, (_, i) => readSection(file, fields, is64, shoff + i * entry));
  const table = raw[names];
  const strings = table === undefined ? new Uint8Array() : sectionBytes(file, table);
  return raw.map(({ nameOffset, ...section }) => ({ ...section, name: stringAt(strings, nameOffset) }));
}

function readSection(file: Uint8Array, fields: Fields, is64: boolean, at: number) {
  const word = (narrow: number, wide: number): bigint =>
    is64 ? fields.u64(at + wide) : BigInt(fields.u32(at + narrow));
  const section = {
    nameOffset: fields.u32(at),
    name: "",
    type: fields.u32(at + 4),
    flags: Number(BigInt.asUintN(32, word(8, 8))),
    addr: word(12, 16),
    offset: Number(word(16, 24)),
    size: Number(word(20, 32)),
    link: fields.u32(at + (is64 ? 40 : 24)),
    entsize: Number(word(36, 56)),
  };
  if (section.type !== SHT_NOBITS && section.type !== 0 && section.offset + section.size > file.length) {
    throw new ElfError("section lies beyond the end of the file", at);
  }
  return section;
}

/** The symbols of every symbol table (SHT_SYMTAB) or dynamic one (SHT_DYNSYM). Throws ElfError. */
export function readSymbols(file: Uint8Array, type: number = SHT_SYMTAB): ElfSymbol[] {
  const header = readHeader(file);
  const sections = readSections(file, header);
  const fields = new Fields(file, header.littleEndian);
  const entry = header.is64 ? 24 : 16;
  const symbols: ElfSymbol[] = [];
  for (const section of sections) {
    if (section.type !== type) continue;
    if (section.entsize !== entry) throw new ElfError(`symbols of ${section.entsize} bytes`, section.offset);
    const table = sections[section.link];
    if (table?.type !== SHT_STRTAB) throw new ElfError("symbol table without its strings", section.offset);
    const strings = sectionBytes(file, table);
    for (let at = section.offset; at + entry <= section.offset + section.size; at += entry) {
      symbols.push(readSymbol(fields, header.is64, strings, at));
    }
  }
  return symbols;
}

function readSymbol(fields: Fields, is64: boolean, strings: Uint8Array, at: number): ElfSymbol {
  const info = fields.u8(at + (is64 ? 4 : 12));
  return {
    name: stringAt(strings, fields.u32(at)),
    value: is64 ? fields.u64(at + 8) : BigInt(fields.u32(at + 4)),
    size: is64 ? fields.u64(at + 16) : BigInt(fields.u32(at + 8)),
    type: info & 15,
    bind: info >> 4,
    section: fields.u16(at + (is64 ? 6 : 14)),
  };
}
