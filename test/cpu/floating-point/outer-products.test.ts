import { describe } from "vitest";
import { itComputes } from "./family.ts";
import { OUTER_PRODUCT_FAMILY } from "./outer-product-family.ts";

describe("outer products of the matrix-multiply assist", () => {
  itComputes(OUTER_PRODUCT_FAMILY, 40);
});
