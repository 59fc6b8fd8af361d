/** All instructions that are inlined; the rest is the interpreter's. */
import { addRows } from "./add.ts";
import { atomicRows } from "./atomic.ts";
import { conditionRows } from "./condition.ts";
import { floatRows } from "./float.ts";
import { logicalRows } from "./logical.ts";
import { multiplyRows } from "./multiply.ts";
import { rotateRows } from "./rotate.ts";
import type { Emit, Rows } from "./row.ts";
import { storageRows } from "./storage.ts";
import { vectorRows } from "./vector.ts";

const all: Rows = {
  ...addRows,
  ...logicalRows,
  ...rotateRows,
  ...multiplyRows,
  ...storageRows,
  ...atomicRows,
  ...conditionRows,
  ...floatRows,
  ...vectorRows,
};

/** By the base mnemonics of the instruction table. */
export const ROWS: ReadonlyMap<string, Emit> = new Map(Object.entries(all));
