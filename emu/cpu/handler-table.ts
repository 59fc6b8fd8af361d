/** The tables by which each group of instructions gives its handlers to `createDecode`. */
import { GuestFault } from "./fault.ts";
import type { Handler } from "./interpreter.ts";

/** Where one handler for all words of a row would be slower or less clear: picks the handler of a word. */
export interface Selector {
  select(word: number): Handler;
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
