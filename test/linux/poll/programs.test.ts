/** Polling as programs see it. */
import { describeGuest } from "../signals/guests.ts";

// qemu-user looks at the pointer before the count.
describeGuest("poll", "poll", { defects: [10] });
describeGuest("poll", "epoll");
