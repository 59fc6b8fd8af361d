/** Loading programs (Linux: fs/binfmt_elf.c, start_thread of arch/powerpc). */

import type { CpuModel } from "../cpu/cpu.ts";
import { GuestFault } from "../cpu/fault.ts";
import { DSCR, MSR_FE0, MSR_FE1, MSR_SF, PPR, type Registers, VSCR, VSCR_NJ } from "../cpu/registers.ts";
import { HostError } from "../host/host.ts";
import { decodeName } from "../host/names.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import { PAGE_SIZE } from "../memory/layout.ts";
import { PROT_EXEC, PROT_READ, PROT_WRITE, type Vma } from "../memory/vma.ts";
import type { AbiInfo } from "./abi.ts";
import { ET_DYN_BASE, findPlace, MMAP_MIN, pageDown, pageUp, stackTop } from "./address-layout.ts";
import type { ExecRequest, ProgramFile } from "./contracts.ts";
import type { Credentials } from "./credentials.ts";
import { isSanitized } from "./elf/dynamic.ts";
import { ElfError } from "./elf/error.ts";
import {
  type ElfProgram,
  type ElfSegment,
  PF_R,
  PF_W,
  PF_X,
  PT_GNU_STACK,
  PT_LOAD,
  PT_PHDR,
  readProgram,
} from "./elf/header.ts";
import type { LoadedProgram, MemoryLayout } from "./mm.ts";
import {
  AT_BASE,
  AT_BASE_PLATFORM,
  AT_CLKTCK,
  AT_DCACHEBSIZE,
  AT_EGID,
  AT_ENTRY,
  AT_EUID,
  AT_EXECFN,
  AT_FLAGS,
  AT_GID,
  AT_HWCAP,
  AT_HWCAP2,
  AT_ICACHEBSIZE,
  AT_IGNOREPPC,
  AT_PAGESZ,
  AT_PHDR,
  AT_PHENT,
  AT_PHNUM,
  AT_PLATFORM,
  AT_RANDOM,
  AT_SECURE,
  AT_SYSINFO_EHDR,
  AT_UCACHEBSIZE,
  AT_UID,
  type AuxvEntry,
  buildStack,
} from "./stack.ts";
import { vdsoPage } from "./vdso/page.ts";

/** MSR of a user program (Linux: MSR_USER32). */
const MSR_USER = 0xd032n;
const MSR_LE = 1n;
/** Medium priority, INIT_PPR of Linux. */
const PPR_MEDIUM = 3n << 50n;

/** What loading needs to know of the process. */
export interface ExecContext {
  abi: AbiInfo;
  cpuModel: CpuModel;
  credentials: Credentials;
  /** C libraries should not trust their environment: AT_SECURE. */
  isSecure: boolean;
  /** RLIMIT_STACK, soft. */
  stackLimit: bigint;
  random(into: Uint8Array): void;
  /** Opens the program interpreter. Throws HostError. */
  openProgram(path: string): ProgramFile;
}

/** Reads a program for the ABI `abi`. Throws ElfError. */
function readProgramFor(abi: AbiInfo, bytes: Uint8Array): ElfProgram {
  const elf = readProgram(bytes);
  if (elf.abi !== abi.name) throw new ElfError(`a ${elf.abi} program in a ${abi.name} machine`, 18);
  return elf;
}

/** Fills an empty address space with a program. Throws ElfError, or HostError when its interpreter isn't there. */
export function loadProgram(memory: AddressSpace, context: ExecContext, request: ExecRequest): LoadedProgram {
  const { abi, cpuModel } = context;
  const { program } = request;
  const elf = readProgramFor(abi, program.bytes);
  const stackSegment = elf.segments.find(({ type }) => type === PT_GNU_STACK);
  const readImpliesExec = stackSegment === undefined && !abi.is64;
  const executable = readImpliesExec || ((stackSegment?.flags ?? 0) & PF_X) !== 0;

  const image = mapProgram(memory, elf, program, {
    readImpliesExec,
    place: (size) =>
      ET_DYN_BASE + size < stackTop(abi, memory) * 0.75 ? ET_DYN_BASE : place(memory, context, size),
  });
  let entry = { image, elf };
  if (elf.interpreter !== undefined) {
    const file = openInterpreter(context, decodeName(elf.interpreter));
    const interpreter = readProgramFor(abi, file.bytes);
    const loaded = mapProgram(memory, interpreter, file, {
      readImpliesExec,
      place: (size) => place(memory, context, size),
    });
    entry = { image: loaded, elf: interpreter };
  }
  const vdso = vdsoPage(memory, abi);
  const random = new Uint8Array(16);
  context.random(random);
  const stack = buildStack(
    memory,
    abi,
    {
      ...request,
      platform: cpuModel.platform,
      random,
      auxv: (pointers) => [
        ...hardwareAuxv(cpuModel),
        ...(vdso === undefined ? [] : entries([[AT_SYSINFO_EHDR, vdso]])),
        ...programAuxv(elf, image.bias, elf.interpreter === undefined ? 0 : entry.image.bias),
        ...processAuxv(context, pointers),
      ],
    },
    {
      stackLimit: context.stackLimit,
      executable,
      // Sanitizers take the stack's address for the highest there is.
      end: isSanitized(program.bytes, elf) ? memory.limit : stackTop(abi, memory),
    },
  );
  return {
    layout: {
      ...image.layout,
      startStack: stack.sp,
      argStart: stack.argStart,
      argEnd: stack.argEnd,
      envStart: stack.envStart,
      envEnd: stack.envEnd,
      auxv: stack.auxv,
    },
    elfv2: elf.elfv2,
    readImpliesExec,
    start: startRegisters(memory, abi, entry.elf, entry.image.bias, stack.sp),
  };
}

/** Opens the dynamic linker. Throws HostError that says what to do where it isn't there. */
function openInterpreter(context: ExecContext, path: string): ProgramFile {
  try {
    return context.openProgram(path);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    const message = `its interpreter ${path} can't be had (${error.message}): a dynamic program needs a sysroot (-L) that holds it`;
    throw new HostError(error.code, message);
  }
}

function place(memory: AddressSpace, { abi, stackLimit }: ExecContext, size: number): number {
  const at = findPlace(abi, memory, size, stackLimit);
  if (at === undefined) throw new ElfError(`no room for ${size} bytes of program`, 0);
  return at;
}

interface MappedProgram {
  /** What to add to the addresses in the file. */
  bias: number;
  layout: Pick<MemoryLayout, "startCode" | "endCode" | "startData" | "endData" | "startBrk" | "brk">;
}

const protection = (flags: number, readImpliesExec: boolean): number =>
  (flags & PF_R ? PROT_READ : 0) |
  (flags & PF_W ? PROT_WRITE : 0) |
  (flags & PF_X || (readImpliesExec && flags & PF_R) ? PROT_EXEC : 0);

/** Maps the segments of a program; `place` finds room for a relocatable one. */
function mapProgram(
  memory: AddressSpace,
  elf: ElfProgram,
  program: ProgramFile,
  options: { readImpliesExec: boolean; place(size: number): number },
): MappedProgram {
  const loads = elf.segments.filter(({ type, memsz }) => type === PT_LOAD && memsz > 0);
  const low = pageDown(loads[0].vaddr);
  const last = loads[loads.length - 1];
  const high = pageUp(last.vaddr + last.memsz);
  const bias = elf.isRelocatable ? options.place(high - low) - low : 0;
  if (low + bias < MMAP_MIN || !memory.isMappable(low + bias, high + bias)) {
    throw new ElfError(`the program wants addresses 0x${low.toString(16)} to 0x${high.toString(16)}`, 0);
  }
  if (!memory.areas.isFree(low + bias, high + bias))
    throw new ElfError("the program's addresses are taken", 0);
  for (const segment of loads) {
    mapSegment(memory, segment, bias, program, protection(segment.flags, options.readImpliesExec));
  }
  const ends = (wanted: ElfSegment[]) => wanted.map(({ vaddr, filesz }) => vaddr + filesz + bias);
  const code = loads.filter(({ flags }) => flags & PF_X);
  const first = code[0] ?? loads[0];
  return {
    bias,
    layout: {
      startCode: first.vaddr + bias,
      endCode: Math.max(...ends(code.length > 0 ? code : loads)),
      startData: last.vaddr + bias,
      endData: Math.max(...ends(loads)),
      startBrk: high + bias,
      brk: high + bias,
    },
  };
}

function mapSegment(
  memory: AddressSpace,
  { vaddr, offset, filesz, memsz }: ElfSegment,
  bias: number,
  { bytes, file }: ProgramFile,
  prot: number,
): void {
  const start = pageDown(vaddr + bias);
  const fileEnd = vaddr + bias + filesz;
  const end = pageUp(vaddr + bias + memsz);
  const filePages = filesz === 0 ? start : pageUp(fileEnd);
  if (filePages > start) {
    const area: Vma = { start, end: filePages, prot, offset: 0 };
    const from = pageDown(offset);
    if (file !== undefined) memory.map({ ...area, file, offset: from });
    else {
      memory.map(area);
      for (let at = start; at < filePages; at += PAGE_SIZE) {
        const page = new Uint8Array(PAGE_SIZE);
        const position = from + (at - start);
        page.set(bytes.subarray(position, position + PAGE_SIZE));
        memory.restorePage(at, page);
      }
    }
  }
  if (end > filePages) memory.map({ start: filePages, end, prot, offset: 0 });
  // What lies behind the file's part of its last page belongs to .bss.
  if (memsz > filesz && fileEnd % PAGE_SIZE !== 0 && filesz > 0) {
    const page = new Uint8Array(PAGE_SIZE);
    const tail = pageDown(fileEnd);
    const position = pageDown(offset) + (tail - start);
    page.set(bytes.subarray(position, offset + filesz));
    memory.restorePage(tail, page);
  }
}

/** Linux's ARCH_DLINFO without the vdso; old C libraries want AT_IGNOREPPC to come first, twice. */
const hardwareAuxv = ({ cacheBlock }: CpuModel): AuxvEntry[] =>
  entries([
    [AT_IGNOREPPC, AT_IGNOREPPC],
    [AT_IGNOREPPC, AT_IGNOREPPC],
    [AT_DCACHEBSIZE, cacheBlock],
    [AT_ICACHEBSIZE, cacheBlock],
    [AT_UCACHEBSIZE, 0],
  ]);

function programAuxv({ header, segments }: ElfProgram, bias: number, base: number): AuxvEntry[] {
  const { phoff } = header;
  const holder = segments.find(
    ({ type, offset, filesz }) => type === PT_LOAD && offset <= phoff && phoff < offset + filesz,
  );
  const named = segments.find(({ type }) => type === PT_PHDR);
  let phdr = 0;
  if (named !== undefined) phdr = named.vaddr + bias;
  else if (holder !== undefined) phdr = phoff - holder.offset + holder.vaddr + bias;
  return entries([
    [AT_PHDR, phdr],
    [AT_PHENT, header.phentsize],
    [AT_PHNUM, header.phnum],
    [AT_BASE, base],
    [AT_FLAGS, 0],
    [AT_ENTRY, header.entry + bias],
  ]);
}

function processAuxv(
  { credentials: { uid, euid, gid, egid }, cpuModel, isSecure }: ExecContext,
  pointers: { random: number; execfn: number; platform: number | undefined },
): AuxvEntry[] {
  const { hwcap, hwcap2, platform } = cpuModel;
  const list: [number, number][] = [
    [AT_HWCAP, hwcap >>> 0],
    [AT_PAGESZ, PAGE_SIZE],
    [AT_CLKTCK, 100],
    [AT_UID, uid],
    [AT_EUID, euid],
    [AT_GID, gid],
    [AT_EGID, egid],
    [AT_SECURE, Number(isSecure)],
    [AT_RANDOM, pointers.random],
    [AT_HWCAP2, hwcap2 >>> 0],
    [AT_EXECFN, pointers.execfn],
  ];
  if (platform !== undefined)
    list.push([AT_PLATFORM, pointers.platform!], [AT_BASE_PLATFORM, pointers.platform!]);
  return entries(list);
}

const entries = (pairs: readonly (readonly [number, number])[]): AuxvEntry[] =>
  pairs.map(([type, value]) => ({ type, value: BigInt(value) }));

/** Entry point and the registers the ABI gives a meaning at the start. */
function startRegisters(
  memory: AddressSpace,
  abi: AbiInfo,
  { header, elfv2 }: ElfProgram,
  bias: number,
  sp: number,
): LoadedProgram["start"] {
  const entry = header.entry + bias;
  const r1 = BigInt(sp);
  if (!abi.is64) return { nia: BigInt(entry), r1, r2: 0n, r12: 0n };
  if (elfv2) return { nia: BigInt(entry), r1, r2: 0n, r12: BigInt(entry) };
  // ELFv1: the entry point names a function descriptor, which nobody has relocated yet.
  const [code, toc] = [entry, entry + 8].map((at) =>
    BigInt.asUintN(64, loadDescriptor(memory, at) + BigInt(bias)),
  );
  return { nia: code, r1, r2: toc, r12: 0n };
}

function loadDescriptor(memory: AddressSpace, at: number): bigint {
  try {
    return memory.read64(at);
  } catch (error) {
    if (error instanceof GuestFault) throw new ElfError("the entry point's descriptor cannot be read", 24);
    throw error;
  }
}

/** Registers of a thread that starts a program: zero but for what the ABI says. INSTRUCTIONS goes on, and the DSCR stays. */
export function resetRegisters(
  registers: Registers,
  abi: AbiInfo,
  { start }: LoadedProgram,
  options: { fpexcMode: number; instructions: bigint; dscr: bigint },
): void {
  registers.bytes.fill(0);
  registers.u64[DSCR / 8] = options.dscr;
  registers.setGpr(1, start.r1);
  registers.setGpr(2, start.r2);
  registers.setGpr(12, start.r12);
  registers.nia = start.nia;
  registers.msr = userMsr(abi, options.fpexcMode);
  registers.u32[VSCR / 4] = VSCR_NJ;
  registers.u64[PPR / 8] = PPR_MEDIUM;
  registers.wholeFpscr = 0n;
  registers.instructions = options.instructions;
}

/** MSR of a user program of this ABI in a floating-point exception mode (0, 0x100, 0x800, 0x900). */
export const userMsr = (abi: AbiInfo, fpexcMode: number): bigint =>
  MSR_USER |
  (abi.is64 ? MSR_SF : 0n) |
  (abi.littleEndian ? MSR_LE : 0n) |
  (BigInt(fpexcMode) & (MSR_FE0 | MSR_FE1));

/** Mode with which a program starts: precise on 32-bit kernels, ignored on 64-bit ones. */
export const initialFpexcMode = (abi: AbiInfo): number => (abi.is64 ? 0 : 0x900);
