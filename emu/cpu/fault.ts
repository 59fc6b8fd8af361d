/**
 * Interrupts that a guest instruction causes, named as in Power ISA 3.0B, III.7.5.
 * Memory and CPU throw them; the Linux personality turns them into signals.
 */

import { TracelessError } from "../traceless.ts";

/** What went wrong, in the manual's interrupt classes, subdivided as Linux needs it. */
export type FaultKind =
  /** Data storage interrupt: nothing is mapped at `address`. */
  | "data-unmapped"
  /** Data storage interrupt: the page is mapped but the access is not permitted. */
  | "data-protected"
  /** The page is mapped from a file that ends before it (Linux: SIGBUS). */
  | "data-beyond-file"
  /** The page is mapped but there is no memory left for it (Linux: the out-of-memory killer). */
  | "out-of-memory"
  /** Instruction storage interrupt: nothing is mapped at NIA. */
  | "fetch-unmapped"
  /** Instruction storage interrupt: the page is not executable. */
  | "fetch-protected"
  | "fetch-beyond-file"
  /** Alignment interrupt (lwarx and other accesses that demand alignment). */
  | "alignment"
  /** Program interrupt: no such instruction on this CPU model. */
  | "illegal"
  /** Facility unavailable interrupt: the processor has it, but nobody has turned it on. */
  | "unavailable"
  /** Program interrupt: a privileged instruction in problem state. */
  | "privileged"
  /** Program interrupt: tw, twi, td, tdi. */
  | "trap"
  /** Program interrupt: an enabled floating-point exception (FPSCR.FEX with MSR.FE0 or FE1). */
  | "floating-point"
  /** The data address breakpoint matched. */
  | "breakpoint";

/**
 * An interrupt on its way from the instruction that caused it to the personality. The instruction has not
 * been retired: NIA is still its address.
 */
export class GuestFault extends TracelessError {
  readonly kind: FaultKind;
  /** Effective address for storage and alignment kinds (unsigned 64-bit), else the instruction's address. */
  readonly address: bigint;
  readonly isStore: boolean;

  constructor(kind: FaultKind, address: bigint, isStore = false) {
    super(`${kind} at 0x${address.toString(16)}`);
    this.kind = kind;
    this.address = address;
    this.isStore = isStore;
  }
}

/** Runs `work` on guest memory that may not be there. False when it met a GuestFault. */
export function ignoringFaults(work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (error instanceof GuestFault) return false;
    throw error;
  }
}
