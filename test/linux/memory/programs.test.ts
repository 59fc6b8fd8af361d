/** Mappings as programs see them. */
import { describeFrozen } from "../../support/boundaries.ts";

describeFrozen("memory", ["populate"]);
