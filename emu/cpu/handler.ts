/** Handlers, and the tables by which each group of instructions gives its own to the dispatcher. */
import type { CpuKind } from "./cpu.ts";
import { GuestFault } from "./fault.ts";

/**
 * Executes one instruction. `word` and `cia` (its address) are signed 32-bit numbers; so is the address of the
 * next instruction where one is returned. A taken branch to an address of 2^32 or above throws FarBranch.
 */
export type Handler = (word: number, cia: number) => number | undefined | void;

/** What a handler returns for `sc`; not an address, since those are multiples of four. */
export const SYSCALL = 1;
/** What the handler of a word with a breakpoint returns: the instruction has not been executed. */
export const BREAK = 2;

/** Thrown by a branch whose target has a non-zero upper half: it retires, and the fetch there faults. */
export class FarBranch extends Error {
  readonly target: bigint;
  constructor(target: bigint) {
    super(`branch to 0x${target.toString(16)}`);
    this.target = target;
  }
}

/** Where one handler for all words of a row would be slower or less clear: picks the handler of a word. */
export interface Selector {
  select(word: number, kind: CpuKind): Handler;
}

/** Handlers by the base mnemonics of the instruction table. */
export type HandlerTable = Readonly<Record<string, Handler | Selector>>;

/** The program interrupt of a word that is no instruction of this CPU, or an invalid form of one. */
export const illegal: Handler = (_word, cia) => {
  throw new GuestFault("illegal", BigInt(cia >>> 0));
};

/** The program interrupt of a privileged instruction in problem state. */
export const privileged: Handler = (_word, cia) => {
  throw new GuestFault("privileged", BigInt(cia >>> 0));
};

/** Makes words that are invalid forms illegal, as QEMU does, where the architecture leaves them open. */
export function validWhen(isValid: (word: number) => boolean, handler: Handler): Selector {
  return { select: (word) => (isValid(word) ? handler : illegal) };
}
