/**
 * A process as an ELF core file, the way Linux dumps one (fs/binfmt_elf.c, arch/powerpc/include/asm/elf.h), for debuggers. Pages that are
 * as in their file are left out: debuggers take those from the program.
 */
import { encodeName } from "../emu/host/names.ts";
import {
  type AreaSnapshot,
  type MachineSnapshot,
  PAGE_SIZE,
  type PageSource,
  type ProcessSnapshot,
  type ThreadSnapshot,
} from "../emu/snapshot.ts";
import type { ImageSink } from "./stream.ts";

const ET_CORE = 4;
const EM_PPC = 20;
const EM_PPC64 = 21;
const PT_LOAD = 1;
const PT_NOTE = 4;
const NT_PRSTATUS = 1;
const NT_FPREGSET = 2;
const NT_PRPSINFO = 3;
const NT_AUXV = 6;
const NT_FILE = 0x4649_4c45;
const NT_PPC_VMX = 0x100;
const NT_PPC_VSX = 0x102;
const NT_SIGINFO = 0x5349_4749;
/** ELF_NGREG: words of the general registers in NT_PRSTATUS. */
const NGREG = 48;
const SIGINFO_SIZE = 128;

/** Collects numbers in the process's byte order; a word has its width. */
class Bytes {
  private readonly parts: number[] = [];
  readonly wordSize: number;
  private readonly littleEndian: boolean;

  constructor(wordSize: number, littleEndian: boolean) {
    this.wordSize = wordSize;
    this.littleEndian = littleEndian;
  }

  put(value: bigint | number, size: number): this {
    const bits = BigInt.asUintN(8 * size, BigInt(value));
    const bytes = Array.from({ length: size }, (_, index) => Number((bits >> BigInt(8 * index)) & 0xffn));
    this.parts.push(...(this.littleEndian ? bytes : bytes.reverse()));
    return this;
  }
  words(...values: readonly (bigint | number)[]): this {
    for (const value of values) this.put(value, this.wordSize);
    return this;
  }
  ints(...values: readonly (bigint | number)[]): this {
    for (const value of values) this.put(value, 4);
    return this;
  }
  /** Bytes as they are, cut or filled with zeros to `size`. */
  bytes(bytes: Uint8Array, size = bytes.length): this {
    for (let index = 0; index < size; index++) this.parts.push(bytes[index] ?? 0);
    return this;
  }
  align(size: number): this {
    while (this.parts.length % size !== 0) this.parts.push(0);
    return this;
  }
  get length(): number {
    return this.parts.length;
  }
  finish(): Uint8Array {
    return Uint8Array.from(this.parts);
  }
}

type NewBytes = () => Bytes;

const note = (out: Bytes, name: string, type: number, content: Bytes): void => {
  const owner = encodeName(`${name}\0`);
  out.ints(owner.length, content.length, type).bytes(owner).align(4).bytes(content.finish()).align(4);
};

/** struct elf_prstatus. */
function prstatus(make: NewBytes, process: ProcessSnapshot, thread: ThreadSnapshot, signo: number): Bytes {
  const { registers } = thread;
  const out = make().ints(signo, 0, 0).put(signo, 2).align(make().wordSize);
  out.words(0, thread.signalMask).ints(thread.tid, process.ppid, process.pgid, process.sid);
  const seconds = thread.cpuTime / 1_000_000_000n;
  out.words(seconds, (thread.cpuTime / 1000n) % 1_000_000n, 0, 0, 0, 0, 0, 0);
  const { gpr, nia, msr, ctr, lr, xer, cr } = registers;
  const special = [nia, msr, gpr[3], ctr, lr, BigInt(xer >>> 0), BigInt(cr >>> 0), 1n];
  const general = [...gpr, ...special];
  out.words(...general, ...Array.from({ length: NGREG - general.length }, () => 0n));
  return out.ints(1).align(out.wordSize);
}

/** struct elf_prpsinfo. */
function prpsinfo(make: NewBytes, process: ProcessSnapshot): Bytes {
  const { credentials, pid, ppid, pgid, sid } = process;
  const out = make()
    .bytes(Uint8Array.of(0, "R".charCodeAt(0), 0, 0))
    .align(make().wordSize)
    .words(0);
  out.ints(credentials.uid, credentials.gid, pid, ppid, pgid, sid);
  return out.bytes(encodeName(process.comm), 16).bytes(encodeName(process.exe).subarray(0, 79), 80);
}

/** NT_FILE: which file lies where. */
function files(
  make: NewBytes,
  areas: readonly AreaSnapshot[],
  nameOf: (area: AreaSnapshot) => MappedName | undefined,
): Bytes {
  const named = areas.flatMap((area) => {
    const file = nameOf(area);
    return file === undefined ? [] : [{ area, file }];
  });
  const out = make().words(named.length, PAGE_SIZE);
  for (const { area, file } of named) out.words(area.start, area.end, file.offset / PAGE_SIZE);
  for (const { file } of named) out.bytes(encodeName(`${file.path}\0`));
  return out;
}

interface MappedName {
  path: string;
  offset: number;
}

/** Notes of a thread: what it was doing, and its registers. */
function threadNotes(out: Bytes, make: NewBytes, thread: ThreadSnapshot): void {
  const { vsr, fpscr, vscr, vrsave } = thread.registers;
  const fpr = make();
  for (const [high] of vsr.slice(0, 32)) fpr.put(high, 8);
  note(out, "CORE", NT_FPREGSET, fpr.put(fpscr, 8));
  const vmx = make();
  const quad = (high: bigint, low: bigint) => vmx.put((high << 64n) | low, 16);
  for (const [high, low] of vsr.slice(32)) quad(high, low);
  quad(0n, BigInt(vscr >>> 0));
  note(out, "LINUX", NT_PPC_VMX, vmx.ints(vrsave >>> 0).align(16));
  const vsx = make();
  for (const [, low] of vsr.slice(0, 32)) vsx.put(low, 8);
  note(out, "LINUX", NT_PPC_VSX, vsx);
}

/** Pages of an area that lie one behind another, and where in the address space. */
interface Run {
  start: number;
  count: number;
  read(index: number): Uint8Array;
}

function runsOf(addresses: readonly number[], source: PageSource, shift: number, first: number): Run[] {
  const runs: Run[] = [];
  for (const [index, address] of addresses.entries()) {
    const last = runs.at(-1);
    if (last !== undefined && last.start + last.count * PAGE_SIZE === address + shift) {
      last.count++;
      continue;
    }
    const from = first + index;
    runs.push({ start: address + shift, count: 1, read: (at) => source.read(from + at) });
  }
  return runs;
}

/** A program header of a PT_LOAD, and the pages that it stands for. */
interface Load {
  start: number;
  end: number;
  prot: number;
  run?: Run;
}

/** The segments of an area: a run of pages each, and one for what follows it and has no pages of its own. */
function loadsOf({ start, end, prot, pages, sharedObject }: AreaSnapshot, snapshot: MachineSnapshot): Load[] {
  const source = sharedObject === null ? pages : snapshot.sharedObjects[sharedObject.index].pages;
  const shift = sharedObject === null ? 0 : start - sharedObject.offset;
  const first = source.addresses.findIndex((address) => address + shift >= start);
  const own = first < 0 ? [] : source.addresses.slice(first).filter((address) => address + shift < end);
  const loads: Load[] = [];
  let at = start;
  for (const run of runsOf(own, source, shift, first)) {
    if (run.start > at) loads.push({ start: at, end: run.start, prot });
    at = run.start + run.count * PAGE_SIZE;
    loads.push({ start: run.start, end: at, prot, run });
  }
  if (at < end) loads.push({ start: at, end, prot });
  return loads;
}

const PROT_READ = 1;
const PROT_WRITE = 2;
const PROT_EXEC = 4;
/** PF_* of PROT_*. */
const segmentFlags = (prot: number): number =>
  (prot & PROT_READ ? 4 : 0) | (prot & PROT_WRITE ? 2 : 0) | (prot & PROT_EXEC ? 1 : 0);

/**
 * Writes the first process of a snapshot as a core file. `signo` is the signal that it died of, and its threads stand where
 * they were.
 */
export function writeCore(snapshot: MachineSnapshot, signo: number, sink: ImageSink): void {
  const [process] = snapshot.processes;
  const is64 = snapshot.abi !== "ppc32";
  const littleEndian = snapshot.abi === "ppc64le";
  const make: NewBytes = () => new Bytes(is64 ? 8 : 4, littleEndian);
  const { areas, auxv } = process.memory;

  const notes = make();
  for (const [index, thread] of process.threads.entries()) {
    note(notes, "CORE", NT_PRSTATUS, prstatus(make, process, thread, signo));
    if (index === 0) {
      note(notes, "CORE", NT_PRPSINFO, prpsinfo(make, process));
      note(
        notes,
        "CORE",
        NT_SIGINFO,
        make()
          .ints(signo, 0, 0)
          .bytes(new Uint8Array(SIGINFO_SIZE - 12)),
      );
      const vector = make();
      for (const { type, value } of [...auxv, { type: 0, value: 0n }]) vector.words(type, value);
      note(notes, "CORE", NT_AUXV, vector);
      note(notes, "CORE", NT_FILE, files(make, areas, nameIn(snapshot)));
    }
    threadNotes(notes, make, thread);
  }
  const noteBytes = notes.finish();
  const loads = areas.flatMap((area) => loadsOf(area, snapshot));

  const [headerSize, entrySize] = is64 ? [64, 56] : [52, 32];
  const noteOffset = headerSize + (loads.length + 1) * entrySize;
  const dataOffset = Math.ceil((noteOffset + noteBytes.length) / PAGE_SIZE) * PAGE_SIZE;
  const header = elfHeader(make, is64, littleEndian, { entrySize, entries: loads.length + 1 });
  programHeader(header, is64, {
    type: PT_NOTE,
    flags: 0,
    offset: noteOffset,
    at: 0,
    size: noteBytes.length,
    room: 0,
    align: 4,
  });
  let offset = dataOffset;
  for (const { start, end, prot, run } of loads) {
    const size = run === undefined ? 0 : run.count * PAGE_SIZE;
    const flags = segmentFlags(prot);
    programHeader(header, is64, {
      type: PT_LOAD,
      flags,
      offset,
      at: start,
      size,
      room: end - start,
      align: PAGE_SIZE,
    });
    offset += size;
  }
  sink.write(header.finish());
  sink.write(noteBytes);
  sink.write(new Uint8Array(dataOffset - noteOffset - noteBytes.length));
  for (const { run } of loads) {
    for (let index = 0; index < (run?.count ?? 0); index++) sink.write(run!.read(index));
  }
}

/** Which file an area shows, if any. */
const nameIn =
  (snapshot: MachineSnapshot) =>
  ({ file, sharedObject }: AreaSnapshot): MappedName | undefined => {
    if (file !== null) return { path: file.path, offset: file.offset };
    const shared = sharedObject === null ? null : snapshot.sharedObjects[sharedObject.index].file;
    return shared === null ? undefined : { path: shared.path, offset: sharedObject!.offset };
  };

function elfHeader(
  make: NewBytes,
  is64: boolean,
  littleEndian: boolean,
  { entrySize, entries }: { entrySize: number; entries: number },
): Bytes {
  const headerSize = is64 ? 64 : 52;
  const out = make().bytes(Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, is64 ? 2 : 1, littleEndian ? 1 : 2, 1), 16);
  out
    .put(ET_CORE, 2)
    .put(is64 ? EM_PPC64 : EM_PPC, 2)
    .ints(1)
    .words(0, headerSize, 0);
  // EF_PPC64_ABI: ELFv1 or ELFv2.
  out.ints(is64 ? (littleEndian ? 2 : 1) : 0);
  return out.put(headerSize, 2).put(entrySize, 2).put(entries, 2).put(0, 2).put(0, 2).put(0, 2);
}

interface ProgramHeader {
  type: number;
  flags: number;
  offset: number;
  at: number;
  size: number;
  room: number;
  align: number;
}

function programHeader(
  out: Bytes,
  is64: boolean,
  { type, flags, offset, at, size, room, align }: ProgramHeader,
): void {
  if (is64) out.ints(type, flags).words(offset, at, 0, size, room, align);
  else out.ints(type).words(offset, at, 0, size, room).ints(flags).words(align);
}
