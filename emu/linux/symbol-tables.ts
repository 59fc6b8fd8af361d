/** Names of functions in mapped files, by their symbol tables. */
import type { MappedFile } from "../memory/mapped-file.ts";
import type { Vma } from "../memory/vma.ts";
import { ElfError } from "./elf/error.ts";
import { type ElfSegment, Fields, PT_LOAD, readProgram } from "./elf/header.ts";
import { type ElfSymbol, readSections, readSymbols, SHT_DYNSYM, SHT_SYMTAB } from "./elf/sections.ts";
import { type FunctionSymbol, lastBefore } from "./elf/symbols.ts";

/** Files beyond this size have no names. */
const LARGEST = 2 ** 28;
const STT_FUNC = 2;

/** The functions of one file. */
class SymbolTable {
  private readonly functions: readonly FunctionSymbol[];
  private readonly segments: readonly ElfSegment[];

  /** Throws ElfError. */
  constructor(file: Uint8Array) {
    const { header, segments, elfv2 } = readProgram(file);
    this.segments = segments.filter(({ type }) => type === PT_LOAD);
    const sections = readSections(file, header);
    const fields = new Fields(file, header.littleEndian);
    const descriptors = header.is64 && !elfv2 ? sections.findIndex(({ name }) => name === ".opd") : -1;
    const named = ({ name, value, size, section, type }: ElfSymbol): FunctionSymbol | undefined => {
      if (type !== STT_FUNC || section === 0 || name === "") return undefined;
      const address = Number(value);
      if (section !== descriptors) return { address, size: Number(size), name: name.replace(/^\./, "") };
      // ELFv1: the symbol is of a descriptor, whose first doubleword is the address of the code.
      const { addr, offset, size: bytes } = sections[descriptors];
      const at = address - Number(addr);
      if (at < 0 || at + 8 > bytes) return undefined;
      return { address: Number(fields.u64(offset + at)), size: Number(size), name };
    };
    let symbols = readSymbols(file, SHT_SYMTAB);
    if (symbols.length === 0) symbols = readSymbols(file, SHT_DYNSYM);
    this.functions = symbols
      .flatMap((symbol) => named(symbol) ?? [])
      .filter(({ address }) => address !== 0)
      .sort((a, b) => a.address - b.address || a.size - b.size);
  }

  /** The function at an address that lies in an area which shows this file. */
  nameAt(address: number, area: Vma): string | undefined {
    const at = area.offset + (address - area.start);
    const segment = this.segments.find(({ offset, filesz }) => at >= offset && at < offset + filesz);
    if (segment === undefined) return undefined;
    const value = at - segment.offset + segment.vaddr;
    const found = lastBefore(this.functions, value);
    if (found === undefined || (found.size > 0 && value >= found.address + found.size)) return undefined;
    return found.name;
  }
}

/** The tables of all files that have been asked about. */
export class SymbolTables {
  private readonly byPath = new Map<string, SymbolTable | undefined>();

  /** Undefined for a file that has none. */
  of(file: MappedFile): SymbolTable | undefined {
    const { path } = file;
    if (!this.byPath.has(path)) this.byPath.set(path, read(file));
    return this.byPath.get(path);
  }
}

function read(file: MappedFile): SymbolTable | undefined {
  const size = file.size();
  if (size > LARGEST) return undefined;
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; ) {
    const length = file.read(at, bytes.subarray(at));
    if (length === 0) return undefined;
    at += length;
  }
  try {
    return new SymbolTable(bytes);
  } catch (error) {
    if (error instanceof ElfError) return undefined;
    throw error;
  }
}
