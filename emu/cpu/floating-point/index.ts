/** The floating-point facility's handlers: Power ISA 3.0B, Book I, chapter 4. */
import type { HandlerTable } from "../handler-table.ts";
import type { Cpu } from "../interpreter.ts";
import { bind } from "../views.ts";
import { arithmeticHandlers } from "./arithmetic.ts";
import { convertHandlers } from "./convert.ts";
import { fusedHandlers } from "./fused.ts";
import { loadStoreHandlers } from "./load-store.ts";
import { compareHandlers, moveHandlers } from "./move.ts";
import { statusHandlers } from "./status.ts";
import { vectorArithmeticHandlers } from "./vsx-arithmetic.ts";
import { vsxConvertHandlers } from "./vsx-convert.ts";
import { vsxScalarHandlers } from "./vsx-scalar.ts";
import { vsxVectorHandlers } from "./vsx-vector.ts";

/** Handlers by the base mnemonics of the instruction table's rows of facility "fp". */
export function floatingPoint(cpu: Cpu): HandlerTable {
  bind(cpu);
  return {
    ...loadStoreHandlers(cpu),
    ...moveHandlers,
    ...arithmeticHandlers,
    ...fusedHandlers,
    ...convertHandlers,
    ...compareHandlers,
    ...statusHandlers(cpu),
    ...vsxScalarHandlers,
    ...vectorArithmeticHandlers,
    ...vsxVectorHandlers,
    ...vsxConvertHandlers,
  };
}
