/** Signals as programs see them. */
import { describeGuest } from "./guests.ts";

describeGuest("signals", "delivery");
describeGuest("signals", "restart");
// qemu-user gives every data fault SEGV_MAPERR, the wrong address to fetch faults, no trap number, and ILL_PRVREG.
describeGuest("signals", "faults", { defects: [1, 2, 3, 4, 5, 6, 7, 15, 17] });
// qemu-user's swapcontext call fails in 64-bit programs.
describeGuest("signals", "registers", { defects: [8, 9, 10] });
// qemu-user 7.2 has no vdso, without which unwinders end at the signal frame.
describeGuest("signals", "unwind", { reference: false });
// qemu-user 7.2 offers no scv.
describeGuest("signals", "scv", { reference: false, littleEndian: true });
// qemu-ppc has no CPU with VSX, and qemu-ppc64 no swapcontext.
describeGuest("signals", "vectorframes", { reference: false, littleEndian: true });
