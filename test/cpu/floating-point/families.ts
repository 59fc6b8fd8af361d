/** All families, for what runs or lists every one. */
import { DECIMAL_FAMILY } from "../decimal/decimal-family.ts";
import { ALTIVEC_FAMILY } from "./altivec-family.ts";
import type { Family } from "./family.ts";
import { FPR_FAMILY } from "./fpr-family.ts";
import { OUTER_PRODUCT_FAMILY } from "./outer-product-family.ts";
import { QUAD_FAMILY } from "./quad-family.ts";
import { VSX_FAMILY } from "./vsx-family.ts";

export const FAMILIES: readonly Family[] = [
  FPR_FAMILY,
  VSX_FAMILY,
  QUAD_FAMILY,
  ALTIVEC_FAMILY,
  OUTER_PRODUCT_FAMILY,
  DECIMAL_FAMILY,
];
