/** Files as programs see them. */
import { describeFrozen } from "../../support/boundaries.ts";
import { describeGuest } from "../signals/guests.ts";

describeGuest("files", "memfd");
describeFrozen("files", ["named-pipes", "permissions", "async"]);
