/**
 * FPSCR's result bits found by translated code itself, where it reads FPSCR among arithmetic: what `fp-status.ts` has the interpreter find when code is
 * left, for the operations that matter. Error-free transformations tell what rounding has lost: D. E. Knuth, TAOCP 2, 4.2.2; S. Boldo and J.-M.
 * Muller, "Exact and approximated error of the FMA" (2011).
 */
import { HUGE, TINY } from "../cpu/floating-point/error-free.ts";
import { FI, FPCC, FPRF_SHIFT, FR, FX, RESULT, RN, XX } from "../cpu/floating-point/fpscr.ts";
import {
  type Code as Expression,
  either,
  getLocal,
  i32,
  i32Op,
  loadF64,
  loadI32,
  select,
  setLocal,
  storeI32,
  when,
} from "../cpu/vector/expressions.ts";
import { RECORD_SIZE } from "./corner.ts";
import {
  abs,
  add,
  all,
  div,
  eq,
  f64,
  fused,
  gt,
  isNegative,
  isOutward,
  isWanted,
  lt,
  mul,
  ne,
  neg,
  roundToSingle,
  some,
  sqrt,
  sub,
  sumError,
  within,
} from "./double-expressions.ts";
import { RECORD_ARITHMETIC, RECORD_COMPARE, RECORD_CONVERT } from "./fp-record.ts";
import { Code, F64, type FunctionBody, I32, Op } from "./wasm.ts";

// ---- the function's locals -------------------------------------------------------------------------------

const [WORD, KIND, STATUS, GOES, A, B, C, RAW, ERROR, X, Y, Z] = Array.from({ length: 12 }, (_, n) => n);
const LOCALS = [I32, I32, I32, I32, F64, F64, F64, F64, F64, F64, F64, F64] as const;
const [word, kind, status, goes, a, b, c, raw, error, x, y] = Array.from({ length: 11 }, (_, n) =>
  getLocal(n),
);

/** Extended opcodes of A forms, and of frsp. */
const Kind = {
  frsp: 12,
  fdiv: 18,
  fsub: 20,
  fadd: 21,
  fsqrt: 22,
  fmul: 25,
  fmsub: 28,
  fnmsub: 30,
  fnmadd: 31,
};
const isKind = (value: number) => i32Op.eq(kind, i32(value));

/** Where the error of a fused operation, and what makes it, are numbers of the format: see `fused.ts`. */
const FACTOR = [2 ** -400, 2 ** 400] as const;
const ADDEND = [2 ** -800, 2 ** 800] as const;

/** RAW <- the operation's result as a double, ERROR <- something of the sign of what that lacks, GOES <- whether this is sure. */
const known = (result: Expression, lacks: Expression, condition: Expression): Expression => [
  ...setLocal(RAW, result),
  ...lacks,
  ...setLocal(GOES, condition),
];

const sum = known(add(a, b), sumError(ERROR, a, b, raw, X), lt(abs(raw), f64(HUGE)));
const rounding = known(b, setLocal(ERROR, f64(0)), lt(abs(raw), f64(HUGE)));
const product = known(
  mul(a, c),
  setLocal(ERROR, fused(a, c, neg(raw))),
  some(within(raw, TINY, HUGE), all(eq(raw, f64(0)), some(eq(a, f64(0)), eq(c, f64(0))))),
);
const quotient = known(
  div(a, b),
  [...setLocal(ERROR, fused(neg(raw), b, a)), ...when(isNegative(b), setLocal(ERROR, neg(error)))],
  all(within(raw, TINY, HUGE), gt(abs(a), f64(TINY))),
);
const root = known(
  sqrt(b),
  setLocal(ERROR, fused(neg(raw), raw, b)),
  all(gt(b, f64(TINY)), lt(b, f64(HUGE))),
);
/** The product is x + y, y + b is c + a, x + c is y + b, each exactly, as the locals are used again. */
const multiplyAdd = known(
  fused(a, c, b),
  [
    ...setLocal(
      GOES,
      all(within(a, ...FACTOR), within(c, ...FACTOR), some(within(b, ...ADDEND), eq(b, f64(0)))),
    ),
    ...setLocal(X, mul(a, c)),
    ...setLocal(Y, fused(a, c, neg(x))),
    ...setLocal(C, add(b, y)),
    ...sumError(A, b, y, c, Z),
    ...setLocal(Y, add(x, c)),
    ...sumError(B, x, c, y, Z),
    ...setLocal(ERROR, add(add(sub(y, raw), b), a)),
  ],
  goes,
);

const giveUp: Expression = [...i32(1), Op.return];

/**
 * The function () -> 0 if FPSCR is settled, 1 if the interpreter has to do what is still pending.
 * @param records host address of the records, as `corner.ts` has them
 * @param fpscr host address of FPSCR
 * @param hasFused whether f64x2.relaxed_madd rounds once: else sums and comparisons alone are settled here
 */
export function settleFunction(records: number, fpscr: number, hasFused: boolean): FunctionBody {
  const at = (record: number, part: number) => records + RECORD_SIZE * record + 8 * part;
  const pending = (record: number) => loadI32(at(record, 0), i32(0));
  const done = (record: number) => storeI32(at(record, 0), i32(0), i32(0));
  const operand = (local: number, record: number, part: number) =>
    setLocal(local, loadF64(at(record, part), i32(0)));
  const load = setLocal(STATUS, loadI32(fpscr, i32(0)));
  const store = storeI32(fpscr, i32(0), status);
  const orElse = (condition: Expression, then: Expression, otherwise: Expression) =>
    either(0x40, condition, then, otherwise);

  const byProducts = orElse(
    isKind(Kind.fmul),
    product,
    orElse(
      isKind(Kind.fdiv),
      quotient,
      orElse(isKind(Kind.fsqrt), root, orElse(i32Op.geU(kind, i32(Kind.fmsub)), multiplyAdd, giveUp)),
    ),
  );
  const isSum = some(isKind(Kind.fadd), isKind(Kind.fsub));
  const operation = orElse(isSum, sum, orElse(isKind(Kind.frsp), rounding, hasFused ? byProducts : giveUp));
  const isSingle = some(i32Op.eq(i32Op.shrU(word, i32(26)), i32(59)), isKind(Kind.frsp));
  const isNormal = select(within(raw, 2 ** -126, 2 ** 128), within(raw, 2 ** -1022, Infinity), isSingle);
  const sign = select(i32(0x10 << FPRF_SHIFT), i32(0), isNegative(x));
  const nonzero = select(i32(0x04 << FPRF_SHIFT), i32(0x08 << FPRF_SHIFT), gt(x, f64(0)));
  const flags = select(i32Op.or(sign, i32(0x02 << FPRF_SHIFT)), nonzero, eq(x, f64(0)));
  const mode = i32Op.and(status, i32(RN));
  const isUp = i32Op.eq(isWanted(mode, raw, error), isOutward(raw, error));
  const arithmetic = [
    ...operand(A, RECORD_ARITHMETIC, 1),
    ...operand(B, RECORD_ARITHMETIC, 2),
    ...operand(C, RECORD_ARITHMETIC, 3),
    ...setLocal(KIND, i32Op.and(i32Op.shrU(word, i32(1)), i32(31))),
    ...when(some(isKind(Kind.fsub), isKind(Kind.fmsub), isKind(Kind.fnmsub)), setLocal(B, neg(b))),
    ...operation,
    ...when(isSingle, roundToSingle(RAW, ERROR, X)),
    ...when(
      i32Op.eqz(
        all(goes, eq(sub(error, error), f64(0)), some(isNormal, all(eq(raw, f64(0)), eq(error, f64(0))))),
      ),
      giveUp,
    ),
    ...setLocal(X, select(neg(raw), raw, i32Op.geU(kind, i32(Kind.fnmsub)))),
    ...load,
    // In other modes translated code has sums alone, and no zeros.
    ...when(all(i32Op.ne(mode, i32(0)), some(i32Op.eqz(isSum), eq(raw, f64(0)))), giveUp),
    ...setLocal(STATUS, i32Op.or(i32Op.and(status, i32(~RESULT)), flags)),
    ...when(ne(error, f64(0)), [
      ...when(i32Op.eqz(i32Op.and(status, i32(XX))), setLocal(STATUS, i32Op.or(status, i32(FX)))),
      ...setLocal(STATUS, i32Op.or(status, i32Op.or(i32(XX | FI), select(i32(FR), i32(0), isUp)))),
    ]),
    ...store,
    ...done(RECORD_ARITHMETIC),
  ];
  const condition = (value: number) => i32(value << 12);
  const comparison = [
    ...operand(A, RECORD_COMPARE, 1),
    ...operand(B, RECORD_COMPARE, 2),
    ...when(some(ne(a, a), ne(b, b)), giveUp),
    ...load,
    ...setLocal(
      STATUS,
      i32Op.or(
        i32Op.and(status, i32(~FPCC)),
        select(condition(8), select(condition(4), condition(2), gt(a, b)), lt(a, b)),
      ),
    ),
    ...store,
    ...done(RECORD_COMPARE),
  ];
  const body = new Code();
  body.bytesOf([
    ...setLocal(WORD, pending(RECORD_ARITHMETIC)),
    ...when(word, arithmetic),
    ...when(pending(RECORD_CONVERT), giveUp),
    ...when(pending(RECORD_COMPARE), comparison),
    ...i32(0),
  ]);
  return { locals: LOCALS, body, signature: { parameters: [], results: [I32] } };
}
