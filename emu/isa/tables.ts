/** The parts of the instruction table, in the order of the manual's books and chapters. */
import type { Table } from "./forms.ts";
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

/** Parts that every program needs. */
export const SCALAR: readonly Instruction[] = [
  ...BRANCH,
  ...FIXED_STORAGE,
  ...FIXED_POINT,
  ...FLOATING_POINT,
  ...STORAGE,
  ...SUPERVISOR,
];

/** Parts that are built when they are wanted. */
export const LATER: readonly Table[] = [
  DECIMAL,
  VECTOR_STORAGE,
  VECTOR_PERMUTE,
  VECTOR_INTEGER,
  VECTOR_OTHER,
  VSX_SCALAR,
  VSX_QUAD,
  VSX_VECTOR,
  MATRIX,
];
