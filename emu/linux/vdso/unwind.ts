/**
 * What unwinders read to get from a signal handler into the function that it interrupted: .eh_frame and .eh_frame_hdr (Linux
 * Standard Base, Core, 10.6), in which each way back from a handler is a function whose caller's registers lie in the signal frame. The
 * functions that programs call have no frames.
 */
import { type DataModel, GuestBytes } from "../signals/bytes.ts";
import {
  floatingPointRegisters,
  generalRegisters,
  PT_CCR,
  PT_CTR,
  PT_LNK,
  PT_NIP,
} from "../signals/mcontext.ts";
import type { VdsoFunction } from "./vdso-functions.ts";

const DW_CFA_NOP = 0x00;
const DW_CFA_ADVANCE_LOC = 0x40;
const DW_CFA_REGISTER = 0x09;
const DW_CFA_DEF_CFA = 0x0c;
const DW_CFA_DEF_CFA_EXPRESSION = 0x0f;
const DW_CFA_EXPRESSION = 0x10;
const DW_OP_DEREF = 0x06;
/** The value of GPR 1 and an offset. */
const DW_OP_BREG1 = 0x71;
const DW_EH_PE_UDATA4 = 0x03;
const DW_EH_PE_PCREL_SDATA4 = 0x1b;
const DW_EH_PE_DATAREL_SDATA4 = 0x3b;

/** DWARF's numbers of the registers behind the GPRs, as compilers use them in .eh_frame. */
const DWARF_FPR = 32;
const DWARF_LR = 65;
const DWARF_CTR = 66;
/** The one that Linux's vdso takes for NIP: no compiler saves it. */
const DWARF_NIP = 67;
const DWARF_CR = 70;

/** One way back from a handler. */
export interface SignalReturn {
  /** First and end address. The one before the first belongs to it too, since unwinders look up return addresses less one. */
  start: number;
  end: number;
  /** Offset of the interrupted function's pt_regs words from the stack pointer. */
  registers: number;
  /** The frame has a siginfo. */
  isRt: boolean;
}

/**
 * Writes both tables into `out`, which begins at address zero; `at` says where. The functions come behind the ways back, each by its
 * address. Returns the end of .eh_frame.
 */
export function putUnwindTables(
  out: GuestBytes,
  at: { header: number; frames: number },
  returns: readonly SignalReturn[],
  functions: readonly VdsoFunction[],
): number {
  const { model } = out;
  let common = at.frames;
  let end = putRecord(out, common, [u32(out, 0), signalEntry(model)]);
  const describe = (first: number, last: number, rules: number[]): { first: number; frame: number } => {
    const frame = end;
    // The common entry by its distance from this field; the code by its distance from its own.
    const words = u32(out, frame + 4 - common, first - (frame + 8), last - first);
    end = putRecord(out, frame, [words, [0, ...rules]]);
    return { first, frame };
  };
  const table = returns.map((way) => describe(way.start - 4, way.end, signalRules(model, way.registers)));
  common = end;
  end = putRecord(out, common, [u32(out, 0), functionEntry(model)]);
  const moved = [DW_CFA_ADVANCE_LOC | 1, DW_CFA_REGISTER, DWARF_LR, 12];
  for (const { start, end: last, movesLr } of functions)
    table.push(describe(start, last, movesLr ? moved : []));
  out.bytes.set([1, DW_EH_PE_PCREL_SDATA4, DW_EH_PE_UDATA4, DW_EH_PE_DATAREL_SDATA4], at.header);
  const words = [
    at.frames - (at.header + 4),
    table.length,
    ...table.flatMap(({ first, frame }) => [first - at.header, frame - at.header]),
  ];
  out.bytes.set(u32(out, ...words), at.header + 4);
  // A length of zero ends .eh_frame.
  return end + 4;
}

/** Bytes of .eh_frame_hdr for so many pieces of code. */
export const unwindHeaderSize = (pieces: number): number => 12 + 8 * pieces;

const wordSize = (model: DataModel): number => (model.is64 ? 8 : 4);

function u32({ model }: GuestBytes, ...values: number[]): Uint8Array {
  const words = new GuestBytes(model, 4 * values.length);
  values.forEach((value, i) => {
    words.setU32(4 * i, value);
  });
  return words.bytes;
}

/** Writes a record of .eh_frame: its length, its parts, and no-operations up to the next word. Returns its end. */
function putRecord(out: GuestBytes, at: number, parts: readonly ArrayLike<number>[]): number {
  const content = parts.flatMap((part) => Array.from(part));
  const word = wordSize(out.model);
  while ((content.length + 4) % word !== 0) content.push(DW_CFA_NOP);
  out.setU32(at, content.length);
  out.bytes.set(content, at + 4);
  return at + 4 + content.length;
}

/** CIE from its version on. The augmentation: z, data follow; R, how addresses are given; S, these are signal frames. */
const signalEntry = (model: DataModel): number[] => commonEntry(model, "zRS", DWARF_NIP);
/** The same of the functions: what they return to is in LR, and the stack pointer stays. */
const functionEntry = (model: DataModel): number[] => [
  ...commonEntry(model, "zR", DWARF_LR),
  DW_CFA_DEF_CFA,
  1,
  0,
];
function commonEntry(model: DataModel, augmentation: string, returnColumn: number): number[] {
  const named = [...new TextEncoder().encode(augmentation), 0];
  return [1, ...named, 4, ...sleb(-wordSize(model)), returnColumn, 1, DW_EH_PE_PCREL_SDATA4];
}

/** Where the interrupted function's registers are. Its stack pointer is the canonical frame address. */
function signalRules(model: DataModel, registers: number): number[] {
  const word = wordSize(model);
  const bytes: number[] = [];
  /** An instruction with its operand, if it has one, and the expression for a place in the frame. */
  const put = (instruction: readonly number[], offset: number, ...last: number[]): void => {
    const expression = [DW_OP_BREG1, ...sleb(registers + offset), ...last];
    bytes.push(...instruction, expression.length, ...expression);
  };
  const rule = (column: number, offset: number): void => put([DW_CFA_EXPRESSION, column], offset);
  const fprs = floatingPointRegisters(model) - generalRegisters(model);
  put([DW_CFA_DEF_CFA_EXPRESSION], word, DW_OP_DEREF);
  for (let n = 0; n < 32; n++) if (n !== 1) rule(n, n * word);
  for (let n = 0; n < 32; n++) rule(DWARF_FPR + n, fprs + 8 * n);
  rule(DWARF_LR, PT_LNK * word);
  rule(DWARF_CTR, PT_CTR * word);
  rule(DWARF_NIP, PT_NIP * word);
  // Its 32 bits, which functions save as such.
  rule(DWARF_CR, PT_CCR * word + (model.littleEndian ? 0 : word - 4));
  return bytes;
}

/** LEB128 (DWARF, 7.6): seven bits a byte, lowest first; bit 7 says that more follow. What is less than 128 is its own unsigned form. */
function sleb(value: number): number[] {
  const isLast = value >= -0x40 && value < 0x40;
  return isLast ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...sleb(value >> 7)];
}
