import { expect, it } from "vitest";
import { type FaultKind, GuestFault } from "../../../emu/cpu/fault.ts";
import { translateFault } from "../../../emu/linux/signals/faults.ts";
import { SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP } from "../../../emu/linux/signals/signal-numbers.ts";
import { AddressSpace } from "../../../emu/memory/address-space.ts";

/** Signal, si_code, interrupt vector, DSISR: what do_page_fault and the program check handler of Linux's arch/powerpc make of each. */
it.each([
  ["data-unmapped", SIGSEGV, 1, 0x300, 0x4000_0000n],
  ["data-protected", SIGSEGV, 2, 0x300, 0x0800_0000n],
  ["data-beyond-file", SIGBUS, 2, 0x300, 0x4000_0000n],
  ["fetch-unmapped", SIGSEGV, 1, 0x400, 0x4000_0000n],
  ["fetch-protected", SIGSEGV, 2, 0x400, 0x1000_0000n],
  ["fetch-beyond-file", SIGBUS, 2, 0x400, 0x4000_0000n],
  ["alignment", SIGBUS, 1, 0x600, 0n],
  ["illegal", SIGILL, 1, 0x700, 0n],
  ["privileged", SIGILL, 5, 0x700, 0n],
  ["trap", SIGTRAP, 1, 0x700, 0n],
  ["floating-point", SIGFPE, 14, 0x700, 0n],
  ["breakpoint", SIGTRAP, 4, 0x300, 0x40_0000n],
] satisfies [FaultKind, number, number, number, bigint][])(
  "%s is told as Linux tells it",
  (kind, signo, code, trap, dsisr) => {
    const { registers } = new AddressSpace({ byteOrder: "big", size: 0x100_0000 });
    const { info, interrupt } = translateFault(new GuestFault(kind, 0x1234n), registers);
    expect([info.signo, info.code, interrupt.trap, interrupt.dsisr]).toEqual([signo, code, trap, dsisr]);
  },
);
