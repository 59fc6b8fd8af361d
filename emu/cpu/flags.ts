/** CR0 and the XER bits that fixed-point instructions set: Power ISA 3.0B, I.2.3.1 and I.3.2.2. */
import { CR, XER_CA, XER_CA32, XER_OV, XER_OV32, XER_SO } from "./registers.ts";
import { cpu } from "./views.ts";

/** The carry out of the most significant bit of a + b (+ 1), whose low 32 bits are `sum`. */
export const carryOut = (a: number, b: number, sum: number): number => ((a & b) | ((a | b) & ~sum)) >>> 31;

/** Whether a + b (+ 1), whose low 32 bits are `sum`, overflows as a signed sum: 0 or 1. */
export const overflow = (a: number, b: number, sum: number): number => ((a ^ sum) & (b ^ sum)) >>> 31;

/** CR0 <- how the result compares with zero, and SO. */
export function record(low: number, high: number): void {
  const sign = cpu.is64 ? high : low;
  const rest = cpu.is64 ? high | low : low;
  cpu.bytes[CR] = (sign < 0 ? 8 : rest !== 0 ? 4 : 2) | cpu.bytes[XER_SO];
}

/** CA, and CA32 where the model has it; each 0 or 1. */
export function setCarry(ca: number, ca32: number): void {
  cpu.bytes[XER_CA] = ca;
  if (cpu.isVersion3) cpu.bytes[XER_CA32] = ca32;
}

/** OV (which makes SO stick), and OV32 where the model has it; each 0 or 1. */
export function setOverflow(ov: number, ov32: number): void {
  cpu.bytes[XER_OV] = ov;
  if (cpu.isVersion3) cpu.bytes[XER_OV32] = ov32;
  if (ov !== 0) cpu.bytes[XER_SO] = 1;
}
