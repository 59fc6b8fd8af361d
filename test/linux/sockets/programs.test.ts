/** Sockets as programs see them. */
import { describeFrozen } from "../../support/boundaries.ts";

describeFrozen("sockets", ["unix", "internet", "interfaces", "urgent"]);
