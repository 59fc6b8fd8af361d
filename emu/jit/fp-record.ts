/**
 * Floating-point results whose status bits have not been looked at yet. Translated code notes the last arithmetic operation, conversion and
 * comparison with their operands instead of computing FPRF, FI and FR each time.
 */

/** Arithmetic sets FPRF, FI and FR; conversion to an integer FI and FR; comparison FPCC. */
export const RECORD_ARITHMETIC = 0;
export const RECORD_CONVERT = 1;
export const RECORD_COMPARE = 2;

/** Extended opcodes of A forms, which have an operand in bits 21 to 25. */
const A_FORMS = new Set([18, 20, 21, 22, 25, 28, 29, 30, 31]);

/** The instruction with FRT = 0, FRA = 1, FRB = 2 and FRC = 3, BF = 0 and Rc = 0: what an operation is noted as. */
export function recordWord(word: number): number {
  const isAForm = A_FORMS.has((word >>> 1) & 31);
  const opcode = word & (isAForm ? 0xfc00_003e : 0xfc00_07fe);
  return opcode | (1 << 16) | (2 << 11) | (isAForm ? 3 << 6 : 0);
}
