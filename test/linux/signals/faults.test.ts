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
    const { info, interrupt } = translateFault(new GuestFault(kind, 0x1234n), registers, true);
    expect([info.signo, info.code, interrupt.trap, interrupt.dsisr]).toEqual([signo, code, trap, dsisr]);
  },
);

/** Addresses and si_code with the radix page tables of POWER9, and with POWER8's hashed ones (selftests/powerpc/mm/bad_accesses). */
it.each([
  [0x0000_7fff_ffff_f000n, 1, 1],
  [0x0000_8000_0000_0000n, 1, 3],
  [0x000f_ffff_ffff_ffffn, 1, 3],
  [0x0010_0000_0000_0000n, 3, 3],
  [0x4000_0000_0000_1000n, 3, 3],
  [0xbfff_0000_0000_0000n, 3, 3],
  [0xc000_0000_0000_1000n, 1, 1],
  [0xc008_0000_0000_0000n, 1, 3],
  [0xc010_0000_0000_0000n, 3, 3],
  [0xffff_ffff_ffff_0000n, 3, 3],
])("an access at %d is beyond what tables tell of or not", (address, radix, hashed) => {
  const { registers } = new AddressSpace({ byteOrder: "big", size: 0x100_0000 });
  for (const [kind, trap] of [
    ["data-unmapped", 0x380],
    ["fetch-unmapped", 0x480],
  ] as const) {
    for (const [isRadix, code] of [
      [true, radix],
      [false, hashed],
    ] as const) {
      const { info, interrupt } = translateFault(new GuestFault(kind, address), registers, isRadix);
      expect([info.signo, info.code, info.value]).toEqual([SIGSEGV, code, address]);
      expect(interrupt.trap).toBe(code === 3 ? trap : trap - 0x80);
    }
  }
});
