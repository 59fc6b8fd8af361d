/** System V objects and POSIX message queues as programs see them. */
import { describeFrozen } from "../../support/boundaries.ts";

describeFrozen("ipc", ["sysv", "mqueue"]);
