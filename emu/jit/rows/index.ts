/** All instructions that are inlined; the rest is the interpreter's. */
import { lazily } from "../../lazily.ts";
import { addRows } from "./add.ts";
import { atomicRows } from "./atomic.ts";
import { conditionRows } from "./condition.ts";
import { floatRows } from "./float.ts";
import { floatVectorRows } from "./float-vector.ts";
import { fpscrRows } from "./fpscr-rows.ts";
import { logicalRows } from "./logical.ts";
import { matrixRows } from "./matrix-rows.ts";
import { multiplyRows } from "./multiply.ts";
import { rotateRows } from "./rotate.ts";
import type { Emit } from "./row.ts";
import { storageRows } from "./storage.ts";
import { vectorRows } from "./vector.ts";

/** By the base mnemonics of the instruction table. */
export const emitters: () => ReadonlyMap<string, Emit> = lazily(() => {
  const tables = [
    addRows,
    logicalRows,
    rotateRows,
    multiplyRows,
    storageRows,
    atomicRows,
    conditionRows,
    floatRows,
    floatVectorRows,
    fpscrRows,
    matrixRows,
    vectorRows(),
  ];
  return new Map(tables.flatMap((table) => Object.entries(table)));
});
