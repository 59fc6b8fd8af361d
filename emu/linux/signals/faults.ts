/** From an instruction's interrupt to the signal Linux raises for it and the pt_regs fields it leaves. */
import type { FaultKind, GuestFault } from "../../cpu/fault.ts";
import type { Registers } from "../../cpu/registers.ts";
import { type SignalInfo, signalInfo } from "./pending.ts";
import {
  BUS_ADRALN,
  BUS_ADRERR,
  FPE_FLTDIV,
  FPE_FLTINV,
  FPE_FLTOVF,
  FPE_FLTRES,
  FPE_FLTUND,
  FPE_FLTUNK,
  ILL_ILLOPC,
  ILL_PRVOPC,
  SEGV_ACCERR,
  SEGV_BNDERR,
  SEGV_MAPERR,
  SI_KERNEL,
  SIGBUS,
  SIGFPE,
  SIGILL,
  SIGKILL,
  SIGSEGV,
  SIGTRAP,
  TRAP_BRKPT,
  TRAP_HWBKPT,
} from "./signal-numbers.ts";

/** The part of pt_regs that tells why the kernel was entered. */
export interface Interrupt {
  /** Vector of the interrupt: 0x300 data storage, 0xc00 system call, 0x900 decrementer, ... */
  trap: number;
  dar: bigint;
  dsisr: bigint;
  /** Bits that SRR1 adds to the MSR (program interrupt reasons). */
  srr1: bigint;
}

/** The interrupt after which signals from elsewhere are taken: a clock tick. */
export const TICK: Interrupt = { trap: 0x900, dar: 0n, dsisr: 0n, srr1: 0n };
export const SYSTEM_CALL: Interrupt = { trap: 0xc00, dar: 0n, dsisr: 0n, srr1: 0n };
/** That of scv. */
export const VECTORED_CALL: Interrupt = { ...SYSTEM_CALL, trap: 0x3000 };

/** DSISR bits of a data storage interrupt (Power ISA 3.0B, III.4.3.8), and Linux's DSISR_* names. */
const DSISR_NOHPTE = 0x4000_0000n;
const DSISR_NOEXEC = 0x1000_0000n;
const DSISR_PROTFAULT = 0x0800_0000n;
const DSISR_ISSTORE = 0x0200_0000n;
const DSISR_DABRMATCH = 0x0040_0000n;

/** SRR1 bits of a program interrupt (Power ISA 3.0B, III.7.5.9). */
const REASON_FP = 0x10_0000n;
const REASON_ILLEGAL = 0x8_0000n;
const REASON_PRIVILEGED = 0x4_0000n;
const REASON_TRAP = 0x2_0000n;

interface Row {
  signo: number;
  code: number;
  trap: number;
  /** Whether DAR gets the address. */
  dar?: boolean;
  dsisr?: bigint;
  srr1?: bigint;
}

const ROWS: Record<FaultKind, Row> = {
  "data-unmapped": { signo: SIGSEGV, code: SEGV_MAPERR, trap: 0x300, dar: true, dsisr: DSISR_NOHPTE },
  "data-protected": { signo: SIGSEGV, code: SEGV_ACCERR, trap: 0x300, dar: true, dsisr: DSISR_PROTFAULT },
  "data-beyond-file": { signo: SIGBUS, code: BUS_ADRERR, trap: 0x300, dar: true, dsisr: DSISR_NOHPTE },
  "out-of-memory": { signo: SIGKILL, code: SI_KERNEL, trap: 0x300, dar: true, dsisr: DSISR_NOHPTE },
  "fetch-unmapped": { signo: SIGSEGV, code: SEGV_MAPERR, trap: 0x400, dar: true, dsisr: DSISR_NOHPTE },
  "fetch-protected": { signo: SIGSEGV, code: SEGV_ACCERR, trap: 0x400, dar: true, dsisr: DSISR_NOEXEC },
  "fetch-beyond-file": { signo: SIGBUS, code: BUS_ADRERR, trap: 0x400, dar: true, dsisr: DSISR_NOHPTE },
  alignment: { signo: SIGBUS, code: BUS_ADRALN, trap: 0x600, dar: true },
  illegal: { signo: SIGILL, code: ILL_ILLOPC, trap: 0x700, srr1: REASON_ILLEGAL },
  unavailable: { signo: SIGILL, code: ILL_ILLOPC, trap: 0xf60 },
  privileged: { signo: SIGILL, code: ILL_PRVOPC, trap: 0x700, srr1: REASON_PRIVILEGED },
  trap: { signo: SIGTRAP, code: TRAP_BRKPT, trap: 0x700, srr1: REASON_TRAP },
  "floating-point": { signo: SIGFPE, code: FPE_FLTUNK, trap: 0x700, srr1: REASON_FP },
  breakpoint: { signo: SIGTRAP, code: TRAP_HWBKPT, trap: 0x300, dar: true, dsisr: DSISR_DABRMATCH },
};

/** FPSCR enable bit, exception bit, code: in the order Linux looks (__parse_fpscr). */
const FPE_CODES: readonly [enable: number, exception: number, code: number][] = [
  [0x80, 0x2000_0000, FPE_FLTINV],
  [0x40, 0x1000_0000, FPE_FLTOVF],
  [0x20, 0x0800_0000, FPE_FLTUND],
  [0x10, 0x0400_0000, FPE_FLTDIV],
  [0x08, 0x0200_0000, FPE_FLTRES],
];

/** si_code of a SIGFPE from the FPSCR (Power ISA 3.0B, I.4.2.2). */
function floatingPointCode(fpscr: number): number {
  for (const [enable, exception, code] of FPE_CODES) {
    if ((fpscr & enable) !== 0 && (fpscr & exception) !== 0) return code;
  }
  return FPE_FLTUNK;
}

/** The kernel's own addresses begin with this digit. */
const KERNEL = 0xcn << 60n;

/**
 * What Linux makes of addresses for which there are no tables: a segment interrupt (arch/powerpc/mm/book3s64/slb.c,
 * do_bad_segment_interrupt). With the radix tables of POWER9 and later, whose addresses have 52 bits, that is where
 * any bit between these and the quadrant is set, and in the quadrants of hypervisors; with hashed page tables above
 * what a program and the kernel's linear map can have.
 */
function beyondTables(kind: FaultKind, address: bigint, radix: boolean): Row | undefined {
  if ((kind !== "data-unmapped" && kind !== "fetch-unmapped") || address < 1n << 46n) return undefined;
  const isKernels = address >= KERNEL;
  const most = radix ? 1n << 52n : 1n << (isKernels ? 46n : 47n);
  if ((isKernels ? address - KERNEL : address) < most) return undefined;
  return { ...ROWS[kind], code: SEGV_BNDERR, trap: kind === "data-unmapped" ? 0x380 : 0x480, dsisr: 0n };
}

/** The signal and the pt_regs fields of `fault`, where page tables are a radix tree or hashed. */
export function translateFault(
  fault: GuestFault,
  registers: Registers,
  radix: boolean,
): { info: SignalInfo; interrupt: Interrupt } {
  const row = beyondTables(fault.kind, fault.address, radix) ?? ROWS[fault.kind];
  const code = fault.kind === "floating-point" ? floatingPointCode(registers.fpscr) : row.code;
  // Interrupts that have no other report the instruction's own address, whatever the fault carries.
  const value = row.dar ? fault.address : registers.nia;
  const store = row.trap === 0x300 && fault.isStore ? DSISR_ISSTORE : 0n;
  return {
    info: signalInfo(row.signo, code, { value }),
    interrupt: {
      trap: row.trap,
      dar: row.dar ? fault.address : 0n,
      dsisr: (row.dsisr ?? 0n) | store,
      srr1: row.srr1 ?? 0n,
    },
  };
}
