/**
 * The DSCR that threads have which have set none of their own, as /sys/devices/system/cpu/dscr_default tells and sets it (Linux:
 * arch/powerpc/kernel/sysfs.c). One that has set its own to what the others have counts as one of these.
 */
import type { CpuModel } from "../cpu/cpu.ts";
import { DSCR } from "../cpu/registers.ts";
import type { System } from "./system.ts";

/** PPC_FEATURE2_DSCR of AT_HWCAP2. */
const HAS_DSCR = 0x2000_0000;

/** Whether a processor has the register and Linux the files. */
export const hasDscr = ({ hwcap2 }: CpuModel): boolean => (hwcap2 & HAS_DSCR) !== 0;

export function setDscrDefault(system: System, value: bigint): void {
  for (const { threads } of system.processes.values()) {
    for (const { registers } of threads) {
      if (registers.u64[DSCR / 8] === system.dscrDefault) registers.u64[DSCR / 8] = value;
    }
  }
  system.dscrDefault = value;
}
