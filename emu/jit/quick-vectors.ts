/**
 * What the quick loop executes itself of vector instructions: those that C libraries look at strings with, and what moves vectors about. They are
 * rows of `emu/cpu/vector/`, with the registers and fields of the word at hand. Each one that a program comes to otherwise is a module of its own.
 */
import {
  B,
  type Code,
  getLocal,
  H,
  high,
  I32,
  I64,
  i32,
  i32Op,
  low,
  pair,
  select,
  swizzle,
  V128,
  W,
} from "../cpu/vector/expressions.ts";
import { Frame, type Row } from "../cpu/vector/frame.ts";
import { FAMILIES } from "../cpu/vector/index.ts";
import { LANES, permute } from "../cpu/vector/permute.ts";
import type { Instruction } from "../isa/instruction.ts";
import type { QuickTarget } from "./quick-kind.ts";
import { AT, N, OTHER, type Row as QuickRow, TARGET, VALUE, VECTORS, WORD } from "./quick-rows.ts";

/** The rows that are as they are everywhere. */
const AS_EVER =
  `lvsl lvsr vperm vspltisb vspltish vspltisw vcmpequb vcmpequh vcmpequw vor vxor vand vandc vnor vslb vslw vminub vbpermq vgbbd
  vaddudm vsububm vmrghb vmrghh vmrglb vmrglh vsld vsrw
  xxlor xxlxor xxland xxlandc xxlnor xxlorc xxspltib mtvsrd mfvsrd mtvsrwa mtvsrwz mfvsrwz`.split(/\s+/);

/** The element of VRB whose number is in the bits from `bit` to 15 in every place; `lanes` makes the numbers of its bytes' lanes. */
const splat =
  (bit: number, lanes: (value: Code) => Code, last: number, step: number): Row =>
  (frame) =>
    swizzle(frame.b, lanes(i32Op.sub(i32(last), i32Op.mul(frame.field(bit, 15), i32(step)))));

/** Those that are written for each value of a field elsewhere, and take the field from the word here. */
const BY_FIELD: Readonly<Record<string, Row>> = {
  vspltb: splat(12, B.splat, 15, 1),
  vsplth: splat(13, H.splat, 0x0f0e, 0x0202),
  vspltw: splat(14, W.splat, 0x0f0e_0d0c, 0x0404_0404),
  vsldoi: (frame) =>
    permute(frame, frame.a, frame.b, B.sub(B.splat(i32Op.add(frame.field(22, 25), i32(15))), LANES)),
  xxpermdi: (frame) => {
    const either = (from: Code, bit: number) => select(low(from), high(from), frame.field(bit, bit));
    return pair(either(frame.a, 22), either(frame.b, 23));
  },
};

/** The row of an instruction, if it is one of these. */
export function vectorRow(
  { name, operands, vrc, match, mask }: Instruction,
  target: QuickTarget,
): QuickRow | undefined {
  // These two are told apart by where others have an operand; each is of use in one byte order.
  const isCount = name === (target.bigEndian ? "vclzlsbb" : "vctzlsbb");
  const row =
    isCount || AS_EVER.includes(name)
      ? (FAMILIES.find((family) => Object.hasOwn(family(), name))!()[name] as Row)
      : BY_FIELD[name];
  if (row === undefined) return undefined;
  const code = new QuickFrame(operands, target).function(row, vrc === true);
  // Opcode bits where others have operands took no part in finding the row.
  const rest = mask & (match >>> 26 === 60 ? 0x3ff_f807 : 0x3ff_f800);
  const isOther = i32Op.ne(i32Op.and(getLocal(WORD), i32(rest)), i32(match & rest));
  return { tail: "next", code: (unless) => [...(rest === 0 ? [] : unless("step", isOther)), ...code] };
}

const LOCALS = new Map([
  [I32, [N, AT, TARGET]],
  [I64, [VALUE, OTHER]],
  [V128, VECTORS],
]);

/** The word is the one at hand, and locals are the loop's. */
class QuickFrame extends Frame {
  private readonly free = new Map([...LOCALS].map(([type, list]) => [type, [...list]]));

  constructor(operands: readonly string[], target: QuickTarget) {
    super(operands, target);
  }

  override get word(): Code {
    return getLocal(WORD);
  }
  override local(type: number): number {
    const local = this.free.get(type)?.shift();
    if (local === undefined) throw new RangeError("the quick loop has not so many locals");
    return local;
  }
}
