/** The functions of a program by name and address, for whoever shows code to people. */

import { Fields, readHeader } from "./header.ts";
import {
  type ElfSection,
  readSections,
  readSymbols,
  SHT_DYNSYM,
  SHT_SYMTAB,
  sectionBytes,
} from "./sections.ts";

/** A function; addresses as in the file, and 0 bytes where its length is not known. */
export interface FunctionSymbol {
  readonly name: string;
  readonly address: number;
  readonly size: number;
}

const STT_NOTYPE = 0;
const STT_FUNC = 2;

/** Of functions by address, the last one that begins at an address or before it. */
export function lastBefore(
  functions: readonly FunctionSymbol[],
  address: number,
): FunctionSymbol | undefined {
  let [low, high] = [0, functions.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (functions[middle].address <= address) low = middle + 1;
    else high = middle;
  }
  return functions[low - 1];
}

/** The functions that a file defines, by address. Throws ElfError for a damaged file. */
export function functionsOf(file: Uint8Array): FunctionSymbol[] {
  const header = readHeader(file);
  const sections = readSections(file, header);
  const descriptors = sections.find(({ name }) => name === ".opd");
  const known = readSymbols(file, SHT_SYMTAB);
  const found = new Map<number, FunctionSymbol>();
  for (const { name, value, size, type, section } of known.length > 0
    ? known
    : readSymbols(file, SHT_DYNSYM)) {
    const isCode = type === STT_FUNC || (type === STT_NOTYPE && isExecutable(sections[section]));
    if (!isCode || section === 0 || name === "") continue;
    const address = Number(entryOf(file, header.littleEndian, descriptors, value));
    // Of several names for one place the first with a length is kept.
    if (address !== 0 && !(found.get(address)?.size ?? 0))
      found.set(address, { name, address, size: Number(size) });
  }
  return [...found.values()].sort((a, b) => a.address - b.address);
}

const isExecutable = (section: ElfSection | undefined): boolean =>
  section !== undefined && (section.flags & 4) !== 0;

/** ELFv1: a function's symbol names its descriptor, whose first doubleword is where the code begins. */
function entryOf(
  file: Uint8Array,
  littleEndian: boolean,
  descriptors: ElfSection | undefined,
  value: bigint,
): bigint {
  if (descriptors === undefined) return value;
  const at = value - descriptors.addr;
  if (at < 0n || at + 8n > BigInt(descriptors.size)) return value;
  return new Fields(sectionBytes(file, descriptors), littleEndian).u64(Number(at));
}
