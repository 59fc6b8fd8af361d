/** ELF programs made by hand: their headers, and small ones with a page of code and a page of data with some zeros behind it. */
import { asm } from "../../emu/isa/encoder.ts";
import type { Abi } from "../../emu/snapshot.ts";

export const CODE = 0x1000_0000;
export const DATA = 0x1001_0000;
/** Bytes of data in the file, and in memory. */
export const DATA_FILE = 0x100;
export const DATA_MEMORY = 0x2100;

export interface TinyOptions {
  /** ET_DYN instead of ET_EXEC. */
  relocatable?: boolean;
  /** PT_INTERP. */
  interpreter?: string;
  /** PT_GNU_STACK flags; null for none. */
  stack?: number | null;
  elfv2?: boolean;
  /** Bytes at the start of the data, behind a descriptor where there is one. */
  data?: Uint8Array;
  littleEndian?: boolean;
}

/** Offset of `data` in the data segment: a 64-bit program's entry descriptor comes first. */
export const DATA_START = 0x20;

/** The few extended mnemonics that make programs readable. */
const EXTENDED: readonly [RegExp, string][] = [
  [/^li (\w+),/, "addi $1,0,"],
  [/^lis (\w+),/, "addis $1,0,"],
  [/^mtctr /, "mtspr 9,"],
  [/^bdnz /, "bc 16,0,"],
  [/^mftb (\w+)$/, "mftb $1,268"],
];

const assemble = (line: string): number =>
  line.startsWith(".long ")
    ? Number(line.slice(6))
    : asm(EXTENDED.reduce((text, [pattern, base]) => text.replace(pattern, base), line));

export const PT_LOAD = 1;
const PT_INTERP = 3;
const PT_GNU_STACK = 0x6474_e551;

/** A program header. */
export interface ElfSegmentRow {
  type: number;
  /** PF_* */
  flags: number;
  /** Place in the file. */
  offset: number;
  address: number;
  /** Bytes in the file, and in memory. */
  fileSize: number;
  size: number;
}

/** The ELF header and the program headers behind it, which are the first bytes of the file. Pages have 4096 bytes. */
export function elfHeaders(
  abi: Abi,
  options: { relocatable?: boolean; entry: number; elfv2: boolean; segments: readonly ElfSegmentRow[] },
): Uint8Array {
  const { relocatable = false, entry, elfv2, segments } = options;
  const is64 = abi !== "ppc32";
  const little = abi === "ppc64le";
  const [headerSize, rowSize, tail] = is64 ? [64, 56, 52] : [52, 32, 40];
  const bytes = new Uint8Array(headerSize + rowSize * segments.length);
  const view = new DataView(bytes.buffer);
  const u16 = (at: number, value: number) => view.setUint16(at, value, little);
  const u32 = (at: number, value: number) => view.setUint32(at, value >>> 0, little);
  const word = (at: number, value: number) =>
    is64 ? view.setBigUint64(at, BigInt(value), little) : u32(at, value);

  bytes.set([0x7f, 0x45, 0x4c, 0x46, is64 ? 2 : 1, little ? 1 : 2, 1]);
  u16(16, relocatable ? 3 : 2);
  u16(18, is64 ? 21 : 20);
  u32(20, 1);
  word(24, entry);
  word(is64 ? 32 : 28, headerSize);
  u32(is64 ? 48 : 36, is64 ? (elfv2 ? 2 : 1) : 0);
  u16(tail, headerSize);
  u16(tail + 2, rowSize);
  u16(tail + 4, segments.length);
  segments.forEach(({ type, flags, offset, address, fileSize, size }, i) => {
    const at = headerSize + i * rowSize;
    u32(at, type);
    if (is64) {
      u32(at + 4, flags);
      const fields = [offset, address, address, fileSize, size, 0x1000];
      for (const [n, value] of fields.entries()) word(at + 8 + 8 * n, value);
    } else {
      const fields = [offset, address, address, fileSize, size, flags, 0x1000];
      for (const [n, value] of fields.entries()) u32(at + 4 + 4 * n, value);
    }
  });
  return bytes;
}

/** An ELF file whose code is `code`: lines of assembly, or instruction words. */
export function tinyElf(abi: Abi, code: readonly (string | number)[], options: TinyOptions = {}): Uint8Array {
  const is64 = abi !== "ppc32";
  const little = abi === "ppc64le";
  const { relocatable = false, interpreter, stack = 6, elfv2 = little, data } = options;
  const base = relocatable ? 0 : CODE;
  const shift = base - CODE;
  const headers = is64 ? 64 + 4 * 56 : 52 + 4 * 32;
  const codeAt = (headers + 15) & ~15;
  const name = new TextEncoder().encode(interpreter === undefined ? "" : `${interpreter}\0`);
  const interpAt = codeAt + code.length * 4;
  const dataAt = (interpAt + name.length + 0xfff) & ~0xfff;
  const bytes = new Uint8Array(dataAt + DATA_FILE);
  const view = new DataView(bytes.buffer);
  const u32 = (at: number, value: number) => view.setUint32(at, value >>> 0, little);
  const word = (at: number, value: number) =>
    is64 ? view.setBigUint64(at, BigInt(value), little) : u32(at, value);

  const entry = is64 && !elfv2 ? DATA + shift : CODE + shift + codeAt;
  const codeSize = interpAt + name.length;
  const segments: ElfSegmentRow[] = [
    { type: PT_LOAD, flags: 5, offset: 0, address: base, fileSize: codeSize, size: codeSize },
    {
      type: PT_LOAD,
      flags: 6,
      offset: dataAt,
      address: DATA + shift,
      fileSize: DATA_FILE,
      size: DATA_MEMORY,
    },
  ];
  if (stack !== null)
    segments.push({ type: PT_GNU_STACK, flags: stack, offset: 0, address: 0, fileSize: 0, size: 0 });
  if (interpreter !== undefined) {
    const { length } = name;
    const address = base + interpAt;
    segments.push({ type: PT_INTERP, flags: 4, offset: interpAt, address, fileSize: length, size: length });
  }
  bytes.set(elfHeaders(abi, { relocatable, entry, elfv2, segments }));
  for (const [i, line] of code.entries())
    u32(codeAt + 4 * i, typeof line === "number" ? line : assemble(line));
  bytes.set(name, interpAt);
  if (is64 && !elfv2) {
    word(dataAt, CODE + shift + codeAt);
    word(dataAt + 8, DATA + shift + 0x8000);
  }
  if (data !== undefined) bytes.set(data, dataAt + DATA_START);
  return bytes;
}
