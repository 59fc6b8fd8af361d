/** The verb `disasm`: the instructions of a PowerPC ELF file, in the layout of `objdump -d -z`. */
import { readFileSync } from "node:fs";
import { toHost } from "../emu/host/node/files.ts";
import { disassembleWords } from "../emu/isa/disassembler.ts";
import { ElfError } from "../emu/linux/elf/error.ts";
import { type ElfHeader, PF_X, PT_LOAD, readHeader, readProgram } from "../emu/linux/elf/header.ts";
import { readSections, SHF_EXECINSTR, sectionBytes } from "../emu/linux/elf/sections.ts";
import { EXIT_NOT_FOUND, EXIT_NOT_RUNNABLE, Failure, print } from "./failure.ts";

/** Code of a file: a section's, or a segment's where there are no sections. */
interface Code {
  readonly name: string;
  readonly address: bigint;
  readonly bytes: Uint8Array;
}

function codeOf(file: Uint8Array, header: ElfHeader): Code[] {
  const sections = readSections(file, header);
  if (sections.length > 0) {
    return sections
      .filter(({ flags }) => (flags & SHF_EXECINSTR) !== 0)
      .map((section) => ({ name: section.name, address: section.addr, bytes: sectionBytes(file, section) }))
      .filter(({ bytes }) => bytes.length > 0);
  }
  return readProgram(file)
    .segments.filter(({ type, flags }) => type === PT_LOAD && (flags & PF_X) !== 0)
    .map(({ offset, filesz, vaddr }) => ({
      name: `LOAD at 0x${vaddr.toString(16)}`,
      address: BigInt(vaddr),
      bytes: file.subarray(offset, offset + filesz),
    }));
}

/** Columns of the address: groups of four leading zeros that all addresses up to `end` have are left out. */
function addressWidth(end: bigint, is64: boolean): number {
  const digits = end.toString(16).padStart(is64 ? 16 : 8, "0");
  let skipped = 0;
  while (digits.startsWith("00000", skipped)) skipped += 4;
  return digits.length - skipped;
}

const hexByte = (byte: number): string => byte.toString(16).padStart(2, "0");

/**
 * Disassembles the executable sections of a PowerPC ELF file (or its executable segments, where it has no section
 * table), a line a call of `write`, without the line's end. Every word is shown, zeros too; branch targets are plain
 * addresses. Throws ElfError for a file that is not a PowerPC ELF or is damaged.
 */
export function disassembleFile(file: Uint8Array, write: (line: string) => void): void {
  const header = readHeader(file);
  const { is64, littleEndian } = header;
  for (const { name, address, bytes } of codeOf(file, header)) {
    write("");
    write(`Disassembly of section ${name}:`);
    write("");
    const width = addressWidth(address + BigInt(bytes.length), is64);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const line = (at: number, text: string): void => {
      const here = (address + BigInt(at)).toString(16).padStart(width);
      write(`${here}:\t${Array.from(bytes.subarray(at, at + 4), hexByte).join(" ")} ${text}`);
    };
    for (let at = 0; at < bytes.length; at += 4) {
      const here = address + BigInt(at);
      if (at + 4 > bytes.length) {
        line(at, `\t.byte ${Array.from(bytes.subarray(at), (byte) => `0x${hexByte(byte)}`).join(",")}`);
        break;
      }
      const next = () => (at + 8 <= bytes.length ? view.getInt32(at + 4, littleEndian) : undefined);
      const { text, words } = disassembleWords(view.getInt32(at, littleEndian), next, here, { is64 });
      line(at, `\t${text}`);
      if (words === 1) continue;
      at += 4;
      line(at, "");
    }
  }
}

/** Lines are written this many characters at a time. */
const CHUNK = 1 << 16;

/** `ppcr disasm FILE`, on standard output. Throws Failure for a file that is missing or no PowerPC ELF. */
export function disasm(path: string): void {
  let file: Uint8Array;
  try {
    file = readFileSync(toHost(path));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") throw new Failure(`${path}: no such file`, EXIT_NOT_FOUND);
    throw error;
  }
  let pending = "";
  const flush = (): void => {
    print(pending);
    pending = "";
  };
  try {
    disassembleFile(file, (line) => {
      pending += `${line}\n`;
      if (pending.length >= CHUNK) flush();
    });
  } catch (error) {
    if (error instanceof ElfError) throw new Failure(`${path}: ${error.message}`, EXIT_NOT_RUNNABLE);
    throw error;
  } finally {
    flush();
  }
}
