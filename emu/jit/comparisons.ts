/** How a CR field follows from the two operands of a comparison: in line, or by a function of the module where that is seldom reached. */
import { XER_SO } from "../cpu/registers.ts";
import { Lazy } from "./state.ts";
import { Code, F64, type FunctionBody, I32, I64, Op, type ValueType } from "./wasm.ts";

/** Opcodes of A < B, A > B, A = B by kind of comparison. */
const OPCODES: Record<Lazy, readonly number[]> = {
  [Lazy.None]: [],
  [Lazy.Signed32]: [Op.i32_lt_s, Op.i32_gt_s, Op.i32_eq],
  [Lazy.Unsigned32]: [Op.i32_lt_u, Op.i32_gt_u, Op.i32_eq],
  [Lazy.Signed64]: [Op.i64_lt_s, Op.i64_gt_s, Op.i64_eq],
  [Lazy.Unsigned64]: [Op.i64_lt_u, Op.i64_gt_u, Op.i64_eq],
  [Lazy.Float]: [Op.f64_lt, Op.f64_gt, Op.f64_eq],
};

export function operandType(kind: Lazy): ValueType {
  if (kind === Lazy.Float) return F64;
  return kind === Lazy.Signed64 || kind === Lazy.Unsigned64 ? I64 : I32;
}

/** Pushes 1 if A < B (bit 0), A > B (bit 1), A = B (bit 2). */
export function emitComparison(code: Code, kind: Lazy, bit: number, operands: () => void): void {
  operands();
  code.op(OPCODES[kind][bit]);
}

/** Pushes the field; `block` is the host address of the register block, where SO is. */
export function emitField(code: Code, kind: Lazy, block: number, operands: () => void): void {
  const isFloat = kind === Lazy.Float;
  /** Of two numbers the first one, or the other where the bit is 0. */
  const choose = (bit: number, first: number, otherwise: () => void) => {
    code.i32Const(first);
    otherwise();
    emitComparison(code, kind, bit, operands);
    code.op(Op.select);
  };
  const constant = (value: number) => () => code.i32Const(value);
  const equalOrNot = isFloat ? () => choose(2, 2, constant(1)) : constant(2);
  choose(0, 8, () => choose(1, 4, equalOrNot));
  if (isFloat) return;
  code.i32Const(0);
  code.access(Op.i32_load8_u, block + XER_SO);
  code.op(Op.i32_or);
}

/** The function (A, B) -> field of a kind. */
export function fieldFunction(kind: Lazy, block: number): FunctionBody {
  const body = new Code();
  emitField(body, kind, block, () => {
    body.get(0);
    body.get(1);
  });
  const type = operandType(kind);
  return { locals: [], body, signature: { parameters: [type, type], results: [I32] } };
}
