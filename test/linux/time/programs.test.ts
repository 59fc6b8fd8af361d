/** Clocks and timers as programs see them. */
import { describeGuest } from "../signals/guests.ts";

describeGuest("time", "timers");
