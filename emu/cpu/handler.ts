/** Handlers, and the tables by which each group of instructions gives its own to the dispatcher. */
import type { CpuKind } from "./cpu.ts";
import { GuestFault } from "./fault.ts";

/**
 * Executes one instruction. `word` and `cia` (the lower half of its address, whose upper half is `codeHigh` of `views.ts`)
 * are signed 32-bit numbers; so is the address of the next instruction where one is returned. A taken branch to an
 * address with another upper half leaves it in `farTarget` and returns FAR.
 */
export type Handler = (word: number, cia: number) => number | undefined | void;

/** What a handler returns for `sc`; not an address, since those are multiples of four. */
export const SYSCALL = 1;
/** The handler of system calls that there are. */
export const callKernel: Handler = () => SYSCALL;
/** What the handler of a word with a breakpoint returns: the instruction has not been executed. */
export const BREAK = 2;

/** What a taken branch to an address with another upper half returns. */
export const FAR = 3;
/** Where that leads. */
export const farTarget = { high: 0, low: 0 };

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

/** The interrupt of an instruction of a facility that is turned off. */
export const unavailable: Handler = (_word, cia) => {
  throw new GuestFault("unavailable", BigInt(cia >>> 0));
};

/** Makes words that are invalid forms illegal, as QEMU does, where the architecture leaves them open. */
export function validWhen(isValid: (word: number) => boolean, handler: Handler): Selector {
  return { select: (word) => (isValid(word) ? handler : illegal) };
}
