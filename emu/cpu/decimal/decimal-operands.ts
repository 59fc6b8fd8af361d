/** How decimal floating-point instructions read their operands and end: Power ISA 3.0B, I.5.2 and I.5.5. */
import { FI, FPRF, FPRF_SHIFT, FR } from "../floating-point/fpscr.ts";
import { fra, frb, frt, raise, STATUS, suppresses } from "../floating-point/fpu.ts";
import { cpu } from "../views.ts";
import type { Control, DecimalResult } from "./decimal-arithmetic.ts";
import { type Decimal, type DecimalFormat, EXTENDED, LONG } from "./decimal-formats.ts";

/**
 * The operands of an instruction: FPRs, or even and odd pairs of them. The other doubleword of a VSR that is written is undefined
 * before Power ISA 3.1, which clears it.
 */
export interface Operands {
  readonly format: DecimalFormat;
  /** The bits at a place, and the other way. */
  read(place: number): bigint;
  write(place: number, bits: bigint): void;
}

export const LONGS: Operands = {
  format: LONG,
  read: (place) => cpu.u64[place],
  write: (place, bits) => {
    cpu.u64[place] = bits;
    cpu.u64[place - 1] = 0n;
  },
};
/** The even FPR of a pair has the upper half; FPRs are two doublewords apart. */
export const PAIRS: Operands = {
  format: EXTENDED,
  read: (place) => (cpu.u64[place & ~2] << 64n) | cpu.u64[place | 2],
  write: (place, bits) => {
    LONGS.write(place & ~2, bits >> 64n);
    LONGS.write(place | 2, bits);
  },
};

export const operandA = ({ format, read }: Operands, word: number): Decimal => format.decode(read(fra(word)));
export const operandB = ({ format, read }: Operands, word: number): Decimal => format.decode(read(frb(word)));

/** DRN is in the FPSCR's upper word. */
export const drn = (): number => cpu.i32[STATUS + 1] & 7;
export const control = (): Control => ({ status: cpu.i32[STATUS], mode: drn() });

/** The rounding mode of RMC, where R = 1 chooses the second four: I.5.5.2. Mode 3 of the first four is DRN. */
export function immediateMode(word: number, r = 0): number {
  const rmc = (word >>> 9) & 3;
  return r === 0 ? [0, 1, 4, drn()][rmc] : [2, 3, 6, 5][rmc];
}

/** Ends an instruction with a result in the format of its operands: target, FPRF, FR, FI and exceptions. */
export function complete(
  operands: Operands,
  word: number,
  cia: number,
  { value, flags }: DecimalResult,
): void {
  const { format } = operands;
  completeAs(operands, word, cia, format.encode(value), format.resultFlags(value), flags);
}
export function completeAs(
  operands: Operands,
  word: number,
  cia: number,
  bits: bigint,
  kind: number | undefined,
  flags: number,
): void {
  let status = cpu.i32[STATUS] & ~(FI | FR);
  if (!suppresses(flags)) {
    operands.write(frt(word), bits);
    if (kind !== undefined) status = (status & ~FPRF) | (kind << FPRF_SHIFT);
  }
  raise(word, cia, status, flags);
}
