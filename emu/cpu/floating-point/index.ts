/** The floating-point facility's handlers: Power ISA 3.0B, Book I, chapter 4. */
import type { HandlerTable } from "../handler-table.ts";
import type { Cpu } from "../interpreter.ts";
import { arithmeticHandlers } from "./arithmetic.ts";
import { convertHandlers } from "./convert.ts";
import { Fpu } from "./fpu.ts";
import { fusedHandlers } from "./fused.ts";
import { loadStoreHandlers } from "./load-store.ts";
import { compareHandlers, moveHandlers } from "./move.ts";
import { statusHandlers } from "./status.ts";

/** Handlers by the base mnemonics of the instruction table's rows of facility "fp". */
export function floatingPoint(cpu: Cpu): HandlerTable {
  const fpu = new Fpu(cpu);
  return {
    ...loadStoreHandlers(fpu, cpu),
    ...moveHandlers(fpu),
    ...arithmeticHandlers(fpu),
    ...fusedHandlers(fpu),
    ...convertHandlers(fpu),
    ...compareHandlers(fpu),
    ...statusHandlers(fpu, cpu),
  };
}
