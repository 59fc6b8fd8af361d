/** Handlers of floating-point arithmetic on FPRs and VSRs: Power ISA 3.0B, Book I, chapters 4 and 7. */
import { lazily } from "../../lazily.ts";
import type { HandlerTable } from "../handler.ts";
import { altivecHandlers } from "./altivec.ts";
import { arithmeticHandlers } from "./arithmetic.ts";
import { convertHandlers } from "./convert.ts";
import { fpscrHandlers } from "./fpscr-moves.ts";
import { fusedHandlers } from "./fused.ts";
import { compareHandlers, moveHandlers } from "./move.ts";
import { quadHandlers } from "./quad.ts";
import { storageAccessHandlers } from "./storage-access.ts";
import { vsxArithmeticHandlers } from "./vsx-arithmetic.ts";
import { vsxConvertHandlers } from "./vsx-convert.ts";
import { vsxScalarHandlers } from "./vsx-scalar.ts";
import { vsxVectorHandlers } from "./vsx-vector.ts";

/** Handlers by the base mnemonics of the instruction table's rows, each instruction in one of the tables. */
export const FLOATING_POINT_TABLES: readonly (() => HandlerTable)[] = [
  altivecHandlers,
  quadHandlers,
  storageAccessHandlers,
  moveHandlers,
  arithmeticHandlers,
  fusedHandlers,
  convertHandlers,
  compareHandlers,
  fpscrHandlers,
  vsxScalarHandlers,
  vsxArithmeticHandlers,
  vsxVectorHandlers,
  vsxConvertHandlers,
].map(lazily);
