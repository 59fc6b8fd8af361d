/** The powerpc part of an image: the CPU record in its four shapes, the MSR, and the three dummy records. */
import type { RegistersSnapshot, ThreadSnapshot } from "../emu/snapshot.ts";
import { array, type Format, long, s32, u32, u64 } from "./record-fields.ts";
import { type LayoutValues, struct } from "./record-layout.ts";
import { UNIMPLEMENTED } from "./records.ts";

/** struct pt_regs of powerpc: 44 longs. */
const PT_REGS = {
  gpr: array(long(""), 32, "general purpose registers"),
  nip: long("address of the next instruction"),
  msr: long("machine state; only SF is believed on restart"),
  orig_gpr3: long("first argument of a system call in progress"),
  ctr: long("count register"),
  link: long("link register"),
  xer: long("fixed-point exception register"),
  ccr: long("condition register"),
  softe: long("interrupts soft-enabled: 1 (on ppc32 this is mq: 0)"),
  trap: long("0xc00 in a system call, 0x900 elsewhere"),
  dar: long("data address of the last fault"),
  dsisr: long("its reason"),
  result: long("result of a system call"),
};

const REST = {
  fpscr: u32("floating-point status and control, low 32 bits"),
  fpexc_mode: s32("prctl(PR_SET_FPEXC): 0, 0x100, 0x800, 0x900"),
  dabr: long("data breakpoint: address | translation 4 | write 2 | read 1"),
};

/** CPU with one doubleword a floating-point register. */
export const CPU_1 = struct("CPU", "registers", {
  ...PT_REGS,
  fpr: array(u64(""), 32, "floating-point registers"),
  ...REST,
});

/** CPU of a kernel with VSX: two doublewords a register. */
export const CPU_2 = struct("CPU", "registers, of a kernel with VSX", {
  ...PT_REGS,
  fpr: array(
    u64(""),
    64,
    "VSRs 0 to 31: the floating-point register first (second when little-endian), then the other doubleword",
  ),
  ...REST,
});

export type CpuValues = LayoutValues<typeof CPU_1>;

/** What a kernel's configuration makes of an image: bytes of a long, doublewords of a floating-point register. */
export interface Shape {
  longSize: 4 | 8;
  fpWidth: 1 | 2;
}

export const SHAPES: readonly Shape[] = [
  { longSize: 4, fpWidth: 1 },
  { longSize: 4, fpWidth: 2 },
  { longSize: 8, fpWidth: 1 },
  { longSize: 8, fpWidth: 2 },
];

export const cpuLayout = (shape: Shape): typeof CPU_1 => (shape.fpWidth === 1 ? CPU_1 : CPU_2);

/** Payload length of a CPU record: 448, 704, 624, 880. */
export const cpuSize = (shape: Shape): number =>
  cpuLayout(shape).fixedSize({ littleEndian: false, longSize: shape.longSize });

/** The shape that a CPU record of `length` bytes has, if any. */
export const shapeOfCpu = (length: number): Shape | undefined =>
  SHAPES.find((shape) => cpuSize(shape) === length);

export const shapeName = (shape: Shape): string =>
  `${shape.longSize === 4 ? "ppc32" : "ppc64"}${shape.fpWidth === 2 ? " with VSX width" : ""}`;

/** The payload the seed patch writes for HEAD_ARCH, THREAD and MM_CONTEXT. */
export const DUMMY = struct("unimplemented", "what the seed patch writes where it has nothing to say", {
  unimplemented: u32("0xdeadbeef; not looked at"),
});

export const dummyPayload = (format: Format): Uint8Array =>
  DUMMY.encode({ unimplemented: UNIMPLEMENTED }, format);

/** MSR bits (Linux names). */
export const MSR = {
  SF: 1n << 63n,
  ISF: 1n << 61n,
  HV: 1n << 60n,
  VEC: 1n << 25n,
  VSX: 1n << 23n,
  EE: 0x8000n,
  PR: 0x4000n,
  FP: 0x2000n,
  ME: 0x1000n,
  FE0: 0x800n,
  FE1: 0x100n,
  IR: 0x20n,
  DR: 0x10n,
  RI: 0x2n,
  LE: 0x1n,
} as const;

/** What a user program runs with (asm/reg.h of 2.6.28). */
const MSR_USER = MSR.ME | MSR.RI | MSR.IR | MSR.DR | MSR.PR | MSR.EE;
const MSR_USER32 = MSR_USER | MSR.ISF | MSR.HV;
const MSR_USER64 = MSR_USER32 | MSR.SF;
/** Facilities that a live MSR may show as enabled. */
const MSR_FACILITIES = MSR.VEC | MSR.VSX | MSR.FP | MSR.FE0 | MSR.FE1;

/** The MSR a restarted task gets, as the seed patch's sanitize_msr: of the saved one only SF counts, on ppc64. */
function sanitizeMsr(msr: bigint, format: Format): bigint {
  const user = format.longSize === 4 ? MSR_USER : msr & MSR.SF ? MSR_USER64 : MSR_USER32;
  return format.littleEndian ? user | MSR.LE : user;
}

/** The MSR to write: a user program's, with the facilities that the machine shows as enabled. */
function imageMsr(registers: RegistersSnapshot, wide: boolean, format: Format): bigint {
  const base = MSR_USER | (registers.msr & MSR_FACILITIES);
  return base | (wide ? MSR.SF : 0n) | (format.littleEndian ? MSR.LE : 0n);
}

/** Trap numbers as pt_regs.trap has them. */
const TRAP_DECREMENTER = 0x900n;
const TRAP_SYSCALL = 0xc00n;

/** Where FPR n stands among the `fpr` values: in a little-endian VSR of two it comes second. */
const fprIndex = (n: number, shape: Shape, format: Format): number =>
  shape.fpWidth === 1 ? n : 2 * n + (format.littleEndian ? 1 : 0);
const lowIndex = (n: number, format: Format): number => 2 * n + (format.littleEndian ? 0 : 1);

const LOW = 0xffff_ffffn;

/**
 * The CPU record of a thread. A ppc32 shape takes the low halves of 64-bit values (see `highHalves`).
 * `wide`: the task is a 64-bit one. `callArgument`: first argument of the system call that it is in.
 */
export function cpuValues(
  registers: RegistersSnapshot,
  shape: Shape,
  format: Format,
  { wide, callArgument }: { wide: boolean; callArgument: bigint | undefined },
): CpuValues {
  const cut = (value: bigint): bigint => (shape.longSize === 8 ? value : value & LOW);
  const fpr = new Array<bigint>(32 * shape.fpWidth).fill(0n);
  for (let n = 0; n < 32; n++) {
    fpr[fprIndex(n, shape, format)] = registers.vsr[n][0];
    if (shape.fpWidth === 2) fpr[lowIndex(n, format)] = registers.vsr[n][1];
  }
  return {
    gpr: registers.gpr.map(cut),
    nip: cut(registers.nia),
    msr: imageMsr(registers, wide, format),
    orig_gpr3: cut(callArgument ?? registers.gpr[3]),
    ctr: cut(registers.ctr),
    link: cut(registers.lr),
    xer: BigInt(registers.xer),
    ccr: BigInt(registers.cr),
    softe: shape.longSize === 8 ? 1n : 0n,
    trap: callArgument === undefined ? TRAP_DECREMENTER : TRAP_SYSCALL,
    dar: 0n,
    dsisr: 0n,
    result: 0n,
    fpr,
    fpscr: Number(registers.fpscr & LOW),
    fpexc_mode: registers.fpexcMode,
    dabr: cut(registers.dabr),
  };
}

/** First argument of the system call that a thread waits in; undefined where it waits in none. */
export const waitingArgument = ({ blocked, registers }: ThreadSnapshot): bigint | undefined =>
  blocked === null ? undefined : registers.gpr[3];

/** CR0[SO]: a system call failed. */
const CR0_SO = 0x1000_0000n;
const EINTR = 4n;
/** ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND: the call is made again. */
const MADE_AGAIN = [512n, 513n, 514n];
/** ERESTART_RESTARTBLOCK: the kernel knows how the call goes on, and v13 has no record for that. */
const RESTART_BLOCK = 516n;

/**
 * The registers of a task that a kernel froze in a system call: its result is a code of the kernel's own, which programs never
 * see, for what the return from a signal without a handler does next (check_syscall_restart of powerpc).
 */
export function leaveCall(values: CpuValues): CpuValues {
  const { gpr, nip, ccr, trap, orig_gpr3 } = values;
  // A call that ppcr has not completed yet has its argument in r3 still.
  if ((trap & ~0xfn) !== TRAP_SYSCALL || (ccr & CR0_SO) === 0n || gpr[3] === orig_gpr3) return values;
  if (gpr[3] === RESTART_BLOCK) return { ...values, gpr: gpr.with(3, EINTR) };
  if (!MADE_AGAIN.includes(gpr[3])) return values;
  return { ...values, gpr: gpr.with(3, orig_gpr3), nip: nip - 4n, ccr: ccr & ~CR0_SO };
}

/** The upper halves that a ppc32 shape cannot hold: gpr 0 to 31, nip, ctr, link. */
export const HIGH_HALVES = 35;

export const highHalves = (registers: RegistersSnapshot): number[] =>
  [...registers.gpr, registers.nia, registers.ctr, registers.lr].map((value) => Number(value >> 32n));

/** The registers that a CPU record gives; what it does not hold is as in a fresh program. */
export function registersOf(values: CpuValues, shape: Shape, format: Format): RegistersSnapshot {
  const fpexcMode = values.fpexc_mode;
  return {
    gpr: [...values.gpr],
    nia: values.nip,
    msr: sanitizeMsr(values.msr, format),
    ctr: values.ctr,
    lr: values.link,
    xer: Number(values.xer & LOW),
    cr: Number(values.ccr & LOW),
    vsr: Array.from({ length: 64 }, (_, n): [bigint, bigint] =>
      n >= 32
        ? [0n, 0n]
        : [
            values.fpr[fprIndex(n, shape, format)],
            shape.fpWidth === 2 ? values.fpr[lowIndex(n, format)] : 0n,
          ],
    ),
    fpscr: BigInt(values.fpscr),
    vrsave: 0,
    vscr: FRESH.vscr,
    tar: 0n,
    dscr: 0n,
    ppr: FRESH.ppr,
    dabr: values.dabr,
    fpexcMode,
    reservation: null,
    instructions: 0n,
  };
}

/** What a program starts with where a plain image says nothing. */
export const FRESH = {
  /** NJ set: Linux starts programs with Java mode disabled. */
  vscr: 0x0001_0000,
  /** Medium priority. */
  ppr: 0x000c_0000_0000_0000n,
} as const;
