/** timerfd, signalfd, pidfd and eventfd as programs see them. */
import { describeFrozen } from "../../support/boundaries.ts";

describeFrozen("event-files", ["event-files"]);
