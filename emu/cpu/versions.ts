/** The order of the architecture's versions. */
import type { Version } from "../isa/instruction.ts";

const ORDER: readonly string[] = [
  "P1",
  "P2",
  "PPC",
  "2.00",
  "2.01",
  "2.02",
  "2.03",
  "2.04",
  "2.05",
  "2.06",
  "2.07",
  "3.0",
  "3.0B",
  "3.1",
] satisfies readonly Version[];

/** Whether a CPU of version `has` implements what came with version `wanted`. */
export const includes = (has: string, wanted: Version): boolean =>
  ORDER.indexOf(has) >= ORDER.indexOf(wanted);
