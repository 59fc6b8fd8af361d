/** The parts of the instruction table, in the order of the manual's books and chapters. */
import type { Instruction } from "./instruction.ts";
import { BRANCH } from "./table/branch.ts";
import { DECIMAL } from "./table/decimal.ts";
import { FIXED_POINT } from "./table/fixed-point.ts";
import { FIXED_STORAGE } from "./table/fixed-storage.ts";
import { FLOATING_POINT } from "./table/floating-point.ts";
import { MATRIX } from "./table/matrix.ts";
import { STORAGE } from "./table/storage.ts";
import { SUPERVISOR } from "./table/supervisor.ts";
import { VECTOR_INTEGER } from "./table/vector-integer.ts";
import { VECTOR_OTHER } from "./table/vector-other.ts";
import { VECTOR_PERMUTE } from "./table/vector-permute.ts";
import { VECTOR_STORAGE } from "./table/vector-storage.ts";
import { VSX_QUAD } from "./table/vsx-quad.ts";
import { VSX_SCALAR } from "./table/vsx-scalar.ts";
import { VSX_VECTOR } from "./table/vsx-vector.ts";

/**
 * A part of the table. Its rows are made when one of their primary opcodes is first met: to make all of them would cost as much as a tenth
 * of the start of a small program.
 */
export interface TablePart {
  readonly opcodes: readonly number[];
  /** The rows; the same objects at every call. */
  readonly rows: () => readonly Instruction[];
}

const part = (opcodes: readonly number[], rows: TablePart["rows"]): TablePart => ({ opcodes, rows });

export const PARTS: readonly TablePart[] = [
  part([16, 17, 18, 19], () => BRANCH()),
  part([31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 56, 58, 62], () =>
    FIXED_STORAGE(),
  ),
  part([2, 3, 4, 7, 8, 10, 11, 12, 13, 14, 15, 19, 20, 21, 23, 24, 25, 26, 27, 28, 29, 30, 31], () =>
    FIXED_POINT(),
  ),
  part([31, 48, 49, 50, 51, 52, 53, 54, 55, 57, 59, 61, 63], () => FLOATING_POINT()),
  part([19, 31], () => STORAGE()),
  part([0, 19, 31], () => SUPERVISOR()),
  part([59, 63], () => DECIMAL()),
  part([6, 31, 57, 61], () => VECTOR_STORAGE()),
  part([4], () => VECTOR_PERMUTE()),
  part([4], () => VECTOR_INTEGER()),
  part([4], () => VECTOR_OTHER()),
  part([60], () => VSX_SCALAR()),
  part([63], () => VSX_QUAD()),
  part([60], () => VSX_VECTOR()),
  part([31, 59], () => MATRIX()),
];
