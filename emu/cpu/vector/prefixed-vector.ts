/** Prefixed vector instructions: Power ISA 3.1, I.7.6.1 and I.7.6.3. Fields of immediate rows are those of the prefix. */
import { lazily } from "../../lazily.ts";
import {
  and,
  B,
  bitSelect,
  type Code,
  D,
  H,
  i32,
  i64,
  type Lanes,
  not,
  ONES,
  select,
  W,
  ZERO,
} from "./expressions.ts";
import type { Frame, Row } from "./frame.ts";
import type { Family, ImmediateRow } from "./functions.ts";
import { permute } from "./permute.ts";
import { toDouble } from "./vector-storage.ts";

/** Elements of B where those of C are negative, else of A. */
const blend =
  (lanes: Lanes): Row =>
  ({ a, b, c }) =>
    bitSelect(b, a, lanes.shrS(c, i32(lanes.bits - 1)));

/** The even or odd words, by IX. */
const wordsChosen = (frame: Frame): Code =>
  D.splat(select(i64(0xffff_ffffn), i64(0xffff_ffff_0000_0000n), frame.field(14, 14)));

/** Bytes of A || B by the low five bits of C's bytes, where their upper three are UIM; the others become zero. */
const permuteExtended: ImmediateRow = {
  bits: [29, 31],
  row: (frame, uim) =>
    and(
      permute(frame, frame.a, frame.b, frame.c),
      B.eq(and(frame.c, B.splat(i32(0xe0))), B.splat(i32(uim << 5))),
    ),
};

/** The function of three bits whose table is IMM, from the left for ABC = 0 to 7. */
const evaluate: ImmediateRow = {
  bits: [24, 31],
  row({ a, b, c }, imm) {
    /** Of C by a table of two bits, of B and C by one of four, of all by IMM. */
    const ofC = (table: number): Code => [ZERO, c, not(c), ONES][table];
    const chosen = (by: Code, table: number, bits: number, of: (table: number) => Code): Code => {
      const [zero, one] = [table >> bits, table & (2 ** bits - 1)];
      return zero === one ? of(zero) : bitSelect(of(one), of(zero), by);
    };
    return chosen(a, imm, 4, (table) => chosen(b, table, 2, ofC));
  },
};

const rows = (): Family => ({
  xxspltiw: ({ immediate }) => W.splat(immediate),
  xxspltidp: (frame) => D.splat(toDouble(frame, frame.immediate)),
  xxsplti32dx: (frame) => bitSelect(W.splat(frame.immediate), frame.t, wordsChosen(frame)),
  xxblendvb: blend(B),
  xxblendvh: blend(H),
  xxblendvw: blend(W),
  xxblendvd: blend(D),
  xxpermx: permuteExtended,
  xxeval: evaluate,
});
export const PREFIXED_VECTOR = lazily(rows);
