/** The ELF header and program headers, checked. Fields of 2^53 and above, which a double would round, are refused. */
import type { Abi } from "../../snapshot.ts";
import { ElfError } from "./error.ts";

export const PT_LOAD = 1;
export const PT_DYNAMIC = 2;
export const PT_INTERP = 3;
export const PT_NOTE = 4;
export const PT_PHDR = 6;
export const PT_TLS = 7;
export const PT_GNU_STACK = 0x6474_e551;

export const PF_X = 1;
export const PF_W = 2;
export const PF_R = 4;

const EM_PPC = 20;
const EM_PPC64 = 21;
const ET_REL = 1;
const ET_EXEC = 2;
const ET_DYN = 3;
const ET_CORE = 4;

/** Other machines that people have programs for, by e_machine. */
const MACHINES: Readonly<Record<number, string>> = {
  2: "SPARC",
  3: "32-bit x86",
  8: "MIPS",
  22: "s390",
  40: "32-bit ARM",
  43: "64-bit SPARC",
  62: "x86-64",
  183: "64-bit ARM",
  243: "RISC-V",
  258: "LoongArch",
};

/** What files are that hold no program, by e_type. */
const OTHER_TYPES: Readonly<Record<number, string>> = {
  [ET_REL]: "it is an object file, not an executable: link it first",
  [ET_CORE]: "it is a core dump, not an executable",
};

/** Layout of either class: sizes of the header and of table entries, offsets of fields. */
const CLASSES = {
  "32": { header: 52, program: 32, section: 40 },
  "64": { header: 64, program: 56, section: 64 },
} as const;

export interface ElfHeader {
  readonly is64: boolean;
  readonly littleEndian: boolean;
  readonly type: number;
  readonly machine: number;
  readonly entry: number;
  readonly flags: number;
  readonly phoff: number;
  readonly phnum: number;
  readonly phentsize: number;
  readonly shoff: number;
  readonly shnum: number;
  readonly shentsize: number;
  readonly shstrndx: number;
}

export interface ElfSegment {
  /** PT_* */
  readonly type: number;
  /** PF_* */
  readonly flags: number;
  readonly offset: number;
  readonly vaddr: number;
  readonly filesz: number;
  readonly memsz: number;
  readonly align: number;
}

/** A checked program: every segment lies in the file, and in a 4 GiB address space. */
export interface ElfProgram {
  readonly abi: Abi;
  readonly header: ElfHeader;
  readonly segments: readonly ElfSegment[];
  /** ET_DYN: it goes where there is room. */
  readonly isRelocatable: boolean;
  /** 64-bit: e_flags names ELFv2, whose entry is code and not a descriptor. */
  readonly elfv2: boolean;
  /** Path of the program interpreter (PT_INTERP), as bytes without the NUL. */
  readonly interpreter: Uint8Array | undefined;
}

const hex = (value: number): string => `0x${value.toString(16)}`;

/** Numbers of a file in its byte order. Callers have checked that they lie in it. */
export class Fields {
  private readonly view: DataView;
  private readonly little: boolean;
  constructor(bytes: Uint8Array, littleEndian: boolean) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.little = littleEndian;
  }
  u8(at: number): number {
    return this.view.getUint8(at);
  }
  u16(at: number): number {
    return this.view.getUint16(at, this.little);
  }
  u32(at: number): number {
    return this.view.getUint32(at, this.little);
  }
  u64(at: number): bigint {
    return this.view.getBigUint64(at, this.little);
  }
  /** A word of the file's class, which a double holds exactly. Throws ElfError, which says `what` it is. */
  address(at: number, is64: boolean, what: string): number {
    if (!is64) return this.u32(at);
    const value = Number(this.u64(at));
    if (!Number.isSafeInteger(value)) throw new ElfError(`${what} out of range`, at);
    return value;
  }
}

/** Reads the ELF header of any PowerPC file. Throws ElfError. */
export function readHeader(bytes: Uint8Array): ElfHeader {
  return checkHeader(bytes).header;
}

function checkHeader(bytes: Uint8Array) {
  if (!(bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46)) {
    throw new ElfError("not an ELF file", 0);
  }
  if (bytes.length < 16) throw new ElfError("too short for an ELF file", bytes.length);
  if (bytes[4] !== 1 && bytes[4] !== 2) throw new ElfError(`unknown ELF class ${bytes[4]}`, 4);
  if (bytes[5] !== 1 && bytes[5] !== 2) throw new ElfError(`unknown byte order ${bytes[5]}`, 5);
  if (bytes[6] !== 1) throw new ElfError(`unknown ELF version ${bytes[6]}`, 6);
  const is64 = bytes[4] === 2;
  const size = CLASSES[is64 ? "64" : "32"];
  if (bytes.length < size.header) throw new ElfError("truncated ELF header", bytes.length);

  const fields = new Fields(bytes, bytes[5] === 1);
  const type = fields.u16(16);
  const machine = fields.u16(18);
  if (machine !== EM_PPC && machine !== EM_PPC64) {
    const name = MACHINES[machine] ?? `machine ${machine}`;
    throw new ElfError(`it is for ${name}, not for PowerPC`, 18);
  }
  if (is64 !== (machine === EM_PPC64)) throw new ElfError("ELF class does not fit e_machine", 4);

  const flagsAt = is64 ? 48 : 36;
  const [phentsize, phnum, shentsize, shnum, shstrndx] = [6, 8, 10, 12, 14].map((at) =>
    fields.u16(flagsAt + at),
  );
  const header: ElfHeader = {
    is64,
    littleEndian: bytes[5] === 1,
    type,
    machine,
    entry: fields.address(24, is64, "entry point"),
    flags: fields.u32(flagsAt),
    phoff: fields.address(is64 ? 32 : 28, is64, "offset of program headers"),
    phnum,
    phentsize,
    shoff: fields.address(is64 ? 40 : 32, is64, "offset of section headers"),
    shnum,
    shentsize,
    shstrndx,
  };
  return { header, fields, size };
}

/** Places of the fields of a program header. */
const PROGRAM_FIELDS = {
  "32": { flags: 24, offset: 4, vaddr: 8, filesz: 16, memsz: 20, align: 28 },
  "64": { flags: 4, offset: 8, vaddr: 16, filesz: 32, memsz: 40, align: 48 },
} as const;

function readSegment(fields: Fields, at: number, is64: boolean): ElfSegment {
  const places = PROGRAM_FIELDS[is64 ? "64" : "32"];
  const value = (place: number, what: string) => fields.address(at + place, is64, what);
  return {
    type: fields.u32(at),
    flags: fields.u32(at + places.flags) & (PF_R | PF_W | PF_X),
    offset: value(places.offset, "segment offset"),
    vaddr: value(places.vaddr, "segment address"),
    filesz: value(places.filesz, "segment size in the file"),
    memsz: value(places.memsz, "segment size"),
    align: value(places.align, "segment alignment"),
  };
}

/** Reads the header and program headers of an executable or shared object. Throws ElfError. */
export function readProgram(bytes: Uint8Array): ElfProgram {
  const { header, fields, size } = checkHeader(bytes);
  if (header.type !== ET_EXEC && header.type !== ET_DYN) {
    throw new ElfError(OTHER_TYPES[header.type] ?? `not an executable (e_type ${header.type})`, 16);
  }
  if (!header.is64 && header.littleEndian)
    throw new ElfError("32-bit little-endian programs are not known", 5);
  if (header.phnum === 0) throw new ElfError("no program headers", header.is64 ? 56 : 44);
  if (header.phentsize !== size.program) {
    throw new ElfError(`program headers of ${header.phentsize} bytes`, header.is64 ? 54 : 42);
  }
  if (header.phoff + header.phnum * header.phentsize > bytes.length) {
    throw new ElfError(
      `program headers at ${hex(header.phoff)} lie beyond the end of the file`,
      bytes.length,
    );
  }
  const segments = Array.from({ length: header.phnum }, (_, index) => {
    const at = header.phoff + index * header.phentsize;
    const segment = readSegment(fields, at, header.is64);
    checkSegment(segment, bytes.length, at);
    return segment;
  });
  const interpreter = readInterpreter(bytes, segments);
  // The dynamic linker itself has an entry point, and libraries that are programs as well have an interpreter.
  if (header.type === ET_DYN && interpreter === undefined && header.entry === 0) {
    throw new ElfError("it is a shared library, not an executable", 24);
  }
  const elfv2 = header.is64 && (header.flags & 3) === 2;
  checkLoads(segments, header);
  return {
    abi: header.is64 ? (header.littleEndian ? "ppc64le" : "ppc64") : "ppc32",
    header,
    segments,
    isRelocatable: header.type === ET_DYN,
    elfv2,
    interpreter,
  };
}

function checkSegment(segment: ElfSegment, fileSize: number, at: number): void {
  const { type, offset, vaddr, filesz, memsz } = segment;
  if (type !== PT_LOAD && type !== PT_INTERP) return;
  if (offset + filesz > fileSize) {
    throw new ElfError(`segment ${hex(offset)}+${hex(filesz)} lies beyond the end of the file`, at);
  }
  if (type === PT_INTERP) return;
  if (memsz < filesz)
    throw new ElfError(`segment at ${hex(vaddr)} is smaller in memory than in the file`, at);
  if (vaddr + memsz > 2 ** 47) throw new ElfError(`segment at ${hex(vaddr)} lies above 128 TiB`, at);
  if (filesz > 0 && vaddr % 4096 !== offset % 4096) {
    throw new ElfError(
      `segment at ${hex(vaddr)} and its offset ${hex(offset)} differ in their place in a page`,
      at,
    );
  }
}

function checkLoads(segments: readonly ElfSegment[], { entry, is64 }: ElfHeader): void {
  const loads = segments.filter(({ type, memsz }) => type === PT_LOAD && memsz > 0);
  if (loads.length === 0) throw new ElfError("nothing to load", is64 ? 56 : 44);
  let end = 0;
  for (const { vaddr, memsz } of loads) {
    if (vaddr < end) throw new ElfError(`segment at ${hex(vaddr)} overlaps or comes before another`, 0);
    end = vaddr + memsz;
  }
  if (!loads.some(({ vaddr, memsz }) => entry >= vaddr && entry < vaddr + memsz)) {
    throw new ElfError(`entry point ${hex(entry)} lies in no segment`, 24);
  }
}

function readInterpreter(bytes: Uint8Array, segments: readonly ElfSegment[]): Uint8Array | undefined {
  const segment = segments.find(({ type }) => type === PT_INTERP);
  if (segment === undefined) return undefined;
  const { offset, filesz } = segment;
  if (filesz < 2 || filesz > 4096) throw new ElfError(`interpreter path of ${filesz} bytes`, offset);
  const path = bytes.subarray(offset, offset + filesz);
  const end = path.indexOf(0);
  if (end !== filesz - 1) throw new ElfError("interpreter path does not end at its NUL", offset);
  return path.slice(0, end);
}
