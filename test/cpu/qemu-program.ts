/**
 * The program that qemu-user holds for instruction tests: a page for a case's code, its data page, a page of the driver's own
 * routines and one for what the driver passes to them. It is never run as it is: the driver says where to begin. All that isn't one of
 * the driver's or the case's instructions is traps.
 */
import { asm } from "../../emu/isa/encoder.ts";
import { elfHeaders, PT_LOAD } from "../support/tiny-elf.ts";
import { CODE, DATA, type TestAbi } from "./driver.ts";

const PAGE = 4096;

/** The driver's routines, each ended by a trap. */
const ROUTINES = 0x3000_0000;
/**
 * Copies CTR words from the one behind r5 to the one behind r4 loads the floating-point registers from r31 on, all but FPR 0 and with the FPSCR last:
 * where an enabled exception is pending in it, that interrupts. The stub
 * cannot write into a page that has been executed; stores can.
 */
export const LOAD = ROUTINES;
/** Stores the floating-point registers from r31 on. */
export const STORE = ROUTINES + 0x100;
export const SYSTEM_CALL = ROUTINES + 0x200;
/** A signal handler: the trap stops it at once. */
export const HANDLER = ROUTINES + 0x220;

/** What is passed between driver and routines: 32 doublewords for the registers and one for the FPSCR, then instructions. */
export const AREA = 0x3001_0000;
export const FPSCR_AT = 8 * 32;
export const WORDS_AT = 8 * 33;
export const SIGNAL_STACK = AREA + PAGE;
export const SIGNAL_STACK_SIZE = 4 * PAGE;

const words = (...lines: string[]): Uint8Array => {
  const bytes = Buffer.alloc(4 * lines.length);
  for (const [i, line] of lines.entries()) bytes.writeInt32BE(asm(line) | 0, 4 * i);
  return bytes;
};
const TRAP_LINE = "tw 31,0,0";
export const TRAP = asm(TRAP_LINE);
const fprs = (mnemonic: string): string[] =>
  Array.from({ length: 32 }, (_, n) => `${mnemonic} ${n},${8 * n}(31)`);

function routines(abi: TestAbi): Uint8Array {
  const page = Buffer.alloc(PAGE);
  const put = (address: number, ...lines: string[]) =>
    page.set(words(...lines, TRAP_LINE), address - ROUTINES);
  const copy = ["lwzu 6,4(5)", "stwu 6,4(4)", "icbi 0,4", "bc 16,0,-12", "isync"];
  // With L all of the FPSCR, which is 64 bits wide from ISA 2.05 on. Through the stub its upper half would be the sign of the lower.
  const status = [`lfd 0,${FPSCR_AT}(31)`, abi === "ppc64" ? "mtfsf 255,0,1" : "mtfsf 255,0"];
  put(LOAD, ...copy, ...fprs("lfd").slice(1), ...status);
  put(STORE, ...fprs("stfd"));
  put(SYSTEM_CALL, "sc");
  put(HANDLER);
  return page;
}

/** The program as an ELF file; a 64-bit one is marked as of ABI version 2, whose code addresses are plain addresses. */
export function qemuProgram(abi: TestAbi): Uint8Array {
  const traps = words(...Array.from({ length: PAGE / 4 }, () => TRAP_LINE));
  const none = new Uint8Array(0);
  const contents = [
    { address: CODE, flags: 7, bytes: traps, size: PAGE },
    { address: DATA, flags: 6, bytes: none, size: PAGE },
    { address: ROUTINES, flags: 5, bytes: routines(abi), size: PAGE },
    { address: AREA, flags: 6, bytes: none, size: PAGE + SIGNAL_STACK_SIZE },
  ];
  const segments = contents.map(({ bytes, ...segment }, i) => ({
    ...segment,
    type: PT_LOAD,
    offset: PAGE * (i + 1),
    fileSize: bytes.length,
  }));
  const file = new Uint8Array(PAGE * (1 + contents.length));
  file.set(elfHeaders(abi, { entry: CODE, elfv2: true, segments }));
  contents.forEach(({ bytes }, i) => {
    file.set(bytes, segments[i].offset);
  });
  return file;
}
