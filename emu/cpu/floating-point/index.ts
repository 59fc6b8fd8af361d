/** The floating-point facility's handlers: Power ISA 3.0B, Book I, chapter 4. */
import type { HandlerTable } from "../handler.ts";
import { arithmeticHandlers } from "./arithmetic.ts";
import { convertHandlers } from "./convert.ts";
import { fusedHandlers } from "./fused.ts";
import { loadStoreHandlers } from "./load-store.ts";
import { compareHandlers, moveHandlers } from "./move.ts";
import { statusHandlers } from "./status.ts";

/** Handlers by the base mnemonics of the instruction table's rows of facility "fp". */
export const floatingPointHandlers: HandlerTable = {
  ...loadStoreHandlers,
  ...moveHandlers,
  ...arithmeticHandlers,
  ...fusedHandlers,
  ...convertHandlers,
  ...compareHandlers,
  ...statusHandlers,
};
