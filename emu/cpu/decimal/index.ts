/** Handlers of the decimal floating-point facility: Power ISA 3.0B, Book I, chapter 5. */
import { lazily } from "../../lazily.ts";
import type { HandlerTable } from "../handler.ts";
import { calculateHandlers } from "./calculate.ts";
import { decimalConvertHandlers } from "./decimal-convert.ts";

export const DECIMAL_TABLES: readonly (() => HandlerTable)[] = [
  calculateHandlers,
  decimalConvertHandlers,
].map(lazily);
