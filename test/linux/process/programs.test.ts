/** Threads and processes as programs see them. */
import { describeFrozen } from "../../support/boundaries.ts";
import { describeGuest } from "../signals/guests.ts";

// Expected is what the same programs print on Linux, built for the host: qemu-user starts no foreign programs, and loses robust locks.
describeGuest("process", "processes", { reference: false });
describeGuest("process", "threads", { reference: false });
// qemu-user has other numbers of interrupts in signal frames, and brk(2) gives nothing back.
describeGuest("process", "brief", { defects: [1, 6], littleEndian: true });
describeFrozen("process", ["sched-reset", "execveat", "access", "uptime"]);
