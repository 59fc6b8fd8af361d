/**
 * The vdso: a shared object of one page that Linux maps into every program (AT_SYSINFO_EHDR), behind one of data. C libraries call its
 * functions, signal handlers return into it, and unwinders find in it how.
 */
import { PAGE_SIZE } from "../../memory/layout.ts";
import { PF_R, PF_X, PT_DYNAMIC, PT_LOAD } from "../elf/header.ts";
import { GuestBytes } from "../signals/bytes.ts";
import { frameRegisters } from "../signals/frame-layout.ts";
import type { TaskModel } from "../signals/mcontext.ts";
import { putUnwindTables, type SignalReturn, unwindHeaderSize } from "./unwind.ts";
import { type VdsoFunction, vdsoFunctions } from "./vdso-functions.ts";

/** What the image depends on. */
export type VdsoModel = Pick<TaskModel, "is64" | "littleEndian" | "elfv2">;

const PT_GNU_EH_FRAME = 0x6474_e550;
const ET_DYN = 3;
const EM_PPC = 20;
const EM_PPC64 = 21;
const DT_NULL = 0;
const DT_HASH = 4;
const DT_STRTAB = 5;
const DT_SYMTAB = 6;
const DT_STRSZ = 10;
const DT_SYMENT = 11;
const DT_SONAME = 14;
const DT_VERSYM = 0x6fff_fff0;
const DT_VERDEF = 0x6fff_fffc;
const DT_VERDEFNUM = 0x6fff_fffd;
const VER_FLG_BASE = 1;
const STB_GLOBAL_FUNC = 0x12;
/** The version that Linux gives its functions there. */
const VERSION = "LINUX_2.6.15";

const SC = 0x4400_0002;
const NOP = 0x6000_0000;
const li0 = (value: number): number => 0x3800_0000 | value;
const NR_SIGRETURN = 119;
const NR_RT_SIGRETURN = 172;
/** addi r1,r1,128: the 64-bit trampoline pops the dummy frame. */
const POP_FRAME = 0x3821_0080;

/**
 * What an unwinder that still knows on-stack trampolines looks for so far behind the return point: a pointer to the ucontext,
 * chosen as the kernel does so that it finds none there.
 */
const UCONTEXT_POINTER = 32;
const NO_UCONTEXT = -168n;

/** Where the code is: an old-style handler of 32-bit tasks returns to the first address, all others to the second. */
const SIGRETURN = 0xc04;
const RT_SIGRETURN = 0xc44;
const FUNCTIONS = 0xc80;

/** Offset of the return point for handlers of one kind. */
export const returnPoint = (model: VdsoModel, rt: boolean): number =>
  model.is64 || rt ? RT_SIGRETURN : SIGRETURN;

/** The page. */
export function vdsoImage(model: VdsoModel): Uint8Array<ArrayBuffer> {
  const out = new GuestBytes(model, PAGE_SIZE);
  const { is64 } = model;
  const word = is64 ? 8 : 4;
  const sizes = is64 ? { header: 64, program: 56, symbol: 24 } : { header: 52, program: 32, symbol: 16 };
  const returns = putCode(out, model);
  const { words, functions } = vdsoFunctions(model, FUNCTIONS);
  words.forEach((code, i) => {
    out.setU32(FUNCTIONS + 4 * i, code);
  });
  const symbols: readonly Pick<VdsoFunction, "name" | "start" | "end">[] = [
    ...returns.map((way) => ({ ...way, name: sigtrampName(model, way) })),
    ...functions,
  ];

  const soname = `linux-vdso${is64 ? 64 : 32}.so.1`;
  const symbolNames = symbols.map(({ name }) => `${name}\0`);
  const names = new TextEncoder().encode(`\0${soname}\0${VERSION}\0${symbolNames.join("")}`);
  const symtab = sizes.header + 3 * sizes.program;
  const hash = symtab + sizes.symbol * (1 + symbols.length);
  const strtab = hash + 4 * (4 + symbols.length);
  out.bytes.set(names, strtab);
  // All symbols are in the one bucket of the hash table.
  [1, 1 + symbols.length, 1, 0, ...symbols.keys()].forEach((word, i, { length }) => {
    out.setU32(hash + 4 * i, i < 4 ? word : i + 1 < length ? word + 2 : 0);
  });
  const versym = alignUp(strtab + names.length, 4);
  let name = 3 + soname.length + VERSION.length;
  symbols.forEach((symbol, i) => {
    putSymbol(out, symtab + sizes.symbol * (i + 1), symbol, name);
    out.setU16(versym + 2 * (i + 1), 2);
    name += symbol.name.length + 1;
  });
  const verdef = alignUp(versym + 2 * (1 + symbols.length), 4);
  putVersions(out, verdef, [
    { name: soname, at: 1, flags: VER_FLG_BASE },
    { name: VERSION, at: 2 + soname.length, flags: 0 },
  ]);

  const dynamic = alignUp(verdef + 2 * VERDEF_SIZE, word);
  const entries = [
    [DT_HASH, hash],
    [DT_STRTAB, strtab],
    [DT_SYMTAB, symtab],
    [DT_STRSZ, names.length],
    [DT_SYMENT, sizes.symbol],
    [DT_SONAME, 1],
    [DT_VERSYM, versym],
    [DT_VERDEF, verdef],
    [DT_VERDEFNUM, 2],
    [DT_NULL, 0],
  ];
  putLongs(out, dynamic, entries.flat());

  const header = dynamic + 2 * word * entries.length;
  const headerSize = unwindHeaderSize(returns.length + functions.length);
  const frames = alignUp(header + headerSize, 8);
  putUnwindTables(out, { header, frames }, returns, functions);

  putHeader(out, model, sizes);
  const segments = [
    { type: PT_LOAD, flags: PF_R | PF_X, at: 0, size: PAGE_SIZE, align: PAGE_SIZE },
    { type: PT_DYNAMIC, flags: PF_R, at: dynamic, size: 2 * word * entries.length, align: word },
    { type: PT_GNU_EH_FRAME, flags: PF_R, at: header, size: headerSize, align: 4 },
  ];
  segments.forEach(({ type, flags, at, size, align }, i) => {
    const place = sizes.header + i * sizes.program;
    out.setU32(place, type);
    // Flags stand where they leave no hole: second in the 64-bit layout, last but one in the other.
    out.setU32(place + (is64 ? 4 : 24), flags);
    putLongs(out, place + (is64 ? 8 : 4), [at, at, at, size, size]);
    putLongs(out, place + (is64 ? 48 : 28), [align]);
  });
  return out.bytes as Uint8Array<ArrayBuffer>;
}

const alignUp = (value: number, to: number): number => Math.ceil(value / to) * to;

const sigtrampName = ({ is64 }: VdsoModel, { isRt }: SignalReturn): string =>
  is64 ? "__kernel_sigtramp_rt64" : isRt ? "__kernel_sigtramp_rt32" : "__kernel_sigtramp32";

/** An Elf_Sym of a global function. There are no section headers, so that its section is one of them by number only. */
function putSymbol(
  out: GuestBytes,
  at: number,
  { start, end }: Pick<VdsoFunction, "start" | "end">,
  name: number,
): void {
  const { is64 } = out.model;
  out.setU32(at, name);
  putLongs(out, at + (is64 ? 8 : 4), [start, end - start]);
  const kind = at + (is64 ? 4 : 12);
  out.bytes[kind] = STB_GLOBAL_FUNC;
  out.setU16(kind + 2, 1);
}

/** Bytes of an Elf_Verdef and the one Elf_Verdaux that follows it. */
const VERDEF_SIZE = 20 + 8;

/** Defines versions, each by a name that is in the string table at `at`. */
function putVersions(
  out: GuestBytes,
  start: number,
  versions: readonly { name: string; at: number; flags: number }[],
): void {
  versions.forEach(({ name, at, flags }, i) => {
    const place = start + i * VERDEF_SIZE;
    [1, flags, i + 1, 1].forEach((half, n) => {
      out.setU16(place + 2 * n, half);
    });
    const next = i + 1 < versions.length ? VERDEF_SIZE : 0;
    [elfHash(name), 20, next, at, 0].forEach((word, n) => {
      out.setU32(place + 8 + 4 * n, word);
    });
  });
}

/** The hash function of the System V ABI. */
function elfHash(name: string): number {
  let hash = 0;
  for (const char of name) {
    hash = (hash << 4) + char.charCodeAt(0);
    hash = (hash ^ ((hash >>> 24) & 0xf0)) & 0x0fff_ffff;
  }
  return hash;
}

/** Writes unsigned longs, one after the other. */
function putLongs(out: GuestBytes, at: number, values: readonly number[]): void {
  values.forEach((value, i) => {
    out.setUlong(at + i * (out.model.is64 ? 8 : 4), BigInt(value));
  });
}

/** The ways back from handlers, each with a word before it that belongs to it for unwinders. */
function putCode(out: GuestBytes, model: VdsoModel): SignalReturn[] {
  const put = (start: number, rt: boolean, words: readonly number[]): SignalReturn => {
    [NOP, ...words].forEach((value, i) => {
      out.setU32(start - 4 + 4 * i, value);
    });
    return { start, end: start + 4 * words.length, registers: frameRegisters(model, rt), isRt: rt };
  };
  if (model.is64) {
    out.setU64(RT_SIGRETURN + UCONTEXT_POINTER, NO_UCONTEXT);
    return [put(RT_SIGRETURN, true, [POP_FRAME, li0(NR_RT_SIGRETURN), SC])];
  }
  return [
    put(SIGRETURN, false, [li0(NR_SIGRETURN), SC]),
    put(RT_SIGRETURN, true, [li0(NR_RT_SIGRETURN), SC]),
  ];
}

/** The ELF header. */
function putHeader(
  out: GuestBytes,
  { is64, littleEndian, elfv2 }: VdsoModel,
  sizes: { header: number; program: number },
): void {
  out.bytes.set([0x7f, 0x45, 0x4c, 0x46, is64 ? 2 : 1, littleEndian ? 1 : 2, 1]);
  out.setU16(16, ET_DYN);
  out.setU16(18, is64 ? EM_PPC64 : EM_PPC);
  out.setU32(20, 1);
  // Entry point, program headers, section headers, of which there are none.
  putLongs(out, 24, [0, sizes.header, 0]);
  const rest = is64 ? 48 : 36;
  if (is64) out.setU32(rest, elfv2 ? 2 : 1);
  out.setU16(rest + 4, sizes.header);
  out.setU16(rest + 6, sizes.program);
  out.setU16(rest + 8, 3);
}
