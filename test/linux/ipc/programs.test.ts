/** System V objects as programs see them. */
import { describeFrozen } from "../../support/boundaries.ts";

describeFrozen("ipc", ["sysv"]);
