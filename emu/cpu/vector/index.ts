/** Handlers of the vector facilities: Altivec, the storage, permute, logical and integer part of VSX, vector cryptography. */
import { lazily } from "../../lazily.ts";
import type { Handler, HandlerTable } from "../handler.ts";
import { COUNT } from "./count.ts";
import { CRYPTO } from "./crypto.ts";
import { decimalHandlers } from "./decimal-integers.ts";
import { type Family, familyHandler } from "./functions.ts";
import { INTEGER } from "./integer.ts";
import { matrixHandlers } from "./matrix.ts";
import { PERMUTE } from "./permute.ts";
import { SHIFT } from "./shift.ts";
import { COMPARE, LOGICAL } from "./vector-compare.ts";
import { MULTIPLY } from "./vector-multiply.ts";
import { STORAGE } from "./vector-storage.ts";
import { wideHandlers } from "./wide-arithmetic.ts";

/** The rows that are WebAssembly expressions. */
export const FAMILIES: readonly (() => Family)[] = [
  STORAGE,
  LOGICAL,
  PERMUTE,
  INTEGER,
  COMPARE,
  SHIFT,
  MULTIPLY,
  COUNT,
  CRYPTO,
].map(lazily);

/** Hints about streams of data that will be wanted, which change nothing: I.6.19. */
const hint: Handler = () => {};
const streams = (): HandlerTable => ({
  dst: hint,
  dstt: hint,
  dstst: hint,
  dststt: hint,
  dss: hint,
  dssall: hint,
});

/** The other handlers, by the base mnemonics of the instruction table's rows, each instruction in one of the tables. */
export const VECTOR_TABLES: readonly (() => HandlerTable)[] = [
  streams,
  wideHandlers,
  decimalHandlers,
  matrixHandlers,
].map(lazily);

/** The handler of an instruction that has a row in one of the families, or what picks one; undefined for others. */
export function vectorHandler(name: string): HandlerTable[string] | undefined {
  const family = FAMILIES.find((each) => Object.hasOwn(each(), name))?.();
  return family && familyHandler(family[name]);
}
