/** Files as programs see them. */
import { describeGuest } from "../signals/guests.ts";

describeGuest("files", "memfd");
