/** The WebAssembly of the quick loop (`quick-loop.ts`): how it goes from a word to its case, what comes after, and the loops around that. */
import type { CpuModel } from "../cpu/cpu.ts";
import { available } from "../cpu/dispatch.ts";
import { CR, GPR, NIA, XER_SO } from "../cpu/registers.ts";
import {
  type Code,
  call,
  getLocal,
  I32,
  i32,
  i32Op,
  i64,
  i64Op,
  loadI32,
  loadU8,
  select,
  setLocal,
  storeI8,
  storeI32,
  storeI64,
  unsigned,
} from "../cpu/vector/expressions.ts";
import type { Instruction } from "../isa/instruction.ts";
import { isPrefix } from "../isa/prefixed-table.ts";
import { BRANCH } from "../isa/table/branch.ts";
import { FIXED_POINT } from "../isa/table/fixed-point.ts";
import { FIXED_STORAGE } from "../isa/table/fixed-storage.ts";
import { FLOATING_POINT } from "../isa/table/floating-point.ts";
import { STORAGE } from "../isa/table/storage.ts";
import { VECTOR_INTEGER } from "../isa/table/vector-integer.ts";
import { VECTOR_OTHER } from "../isa/table/vector-other.ts";
import { VECTOR_PERMUTE } from "../isa/table/vector-permute.ts";
import { VECTOR_STORAGE } from "../isa/table/vector-storage.ts";
import { VSX_VECTOR } from "../isa/table/vsx-vector.ts";
import { PAGE_SHIFT, PAGE_SIZE, REGISTERS_OFFSET, STRAIGHT_OFFSET } from "../memory/layout.ts";
import {
  BUDGET_OFFSET,
  COUNTS,
  COUNTS_OFFSET,
  Counted,
  LOOKUP_ENTRIES,
  LOOKUP_OFFSET,
  OPEN_OFFSET,
  THROWN_OFFSET,
} from "./corner.ts";
import { type QuickTarget, Stop } from "./quick-kind.ts";
import {
  AT,
  BEFORE,
  END,
  findMark,
  LEFT,
  LOCALS,
  markAt,
  N,
  PC,
  quickRows,
  RA_AT,
  type Row,
  RT_AT,
  STACK,
  START,
  setMark,
  TARGET,
  type Tail,
  VALUE,
  WORD,
} from "./quick-rows.ts";
import { vectorRow } from "./quick-vectors.ts";
import { ALL, Code as Buffer, buildModule, Op, STEP, TRANSLATED } from "./wasm.ts";

/** The module: it imports what `QuickLoop` gives it, and exports `run`. */
export function quickModule(target: QuickTarget, model: CpuModel): Uint8Array<ArrayBuffer> {
  const body = new Buffer();
  body.bytesOf(loopOf(target, model));
  const signature = { parameters: [I32, I32, I32], results: [I32] } as const;
  return buildModule([{ locals: LOCALS, body, signature, name: "run" }], target.size / 65536, true);
}

/**
 * Where the opcode bits are of the primary opcodes that have more than one instruction: how far from the right, and how many. Where there are two
 * such fields the second one is looked at only if the first leaves several.
 */
const EXTENDED = new Map<number, readonly (readonly [shift: number, width: number])[]>([
  [
    4,
    [
      [0, 6],
      [6, 5],
    ],
  ],
  [19, [[1, 10]]],
  [30, [[1, 4]]],
  [31, [[1, 10]]],
  [58, [[0, 2]]],
  [
    60,
    [
      [3, 5],
      [8, 3],
    ],
  ],
  [61, [[0, 3]]],
  [62, [[0, 2]]],
  [
    63,
    [
      [1, 5],
      [6, 5],
    ],
  ],
]);

/** What goes on by some bits of the word: to a row's case, to a tail, or to what looks at further bits. */
interface Choice {
  readonly key: Code;
  readonly targets: readonly (Row | Tail | Choice)[];
}

/** Tables of which programs of 64 bits alone have instructions here. */
const VECTORS = [VECTOR_INTEGER, VECTOR_OTHER, VECTOR_PERMUTE, VSX_VECTOR];

const block = (body: Code): Code => [Op.block, 0x40, ...body, Op.end];
/** Blocks around `inner`, each followed by its code, the innermost first. In one piece: to wrap again and again is quadratic. */
const blocks = (inner: Code, after: readonly Code[]): Code => [
  ...after.flatMap(() => [Op.block, 0x40]),
  ...inner,
  ...after.flatMap((code) => [Op.end, ...code]),
];
const loop = (body: Code): Code => [Op.loop, 0x40, ...body, Op.end];
const br = (depth: number): Code => [Op.br, ...unsigned(depth)];
const brIf = (depth: number, condition: Code): Code => [...condition, Op.br_if, ...unsigned(depth)];
const brTable = (index: Code, depths: readonly number[], otherwise: number): Code => [
  ...index,
  Op.br_table,
  ...unsigned(depths.length),
  ...depths.flatMap(unsigned),
  ...unsigned(otherwise),
];

/** Whether a word that has `bits` where there are ones in `seen` may be an instruction; forms with OE set are not for here. */
const hasBits = ({ mask, match, oe }: Instruction, bits: number, seen: number): boolean =>
  ((bits ^ match) & mask & seen) === 0 && !(oe === true && (bits & seen & 0x400) !== 0);

/**
 * The tails, each in the block that begins with its name: what is inside leaves it to come to its code. The first are innermost.
 * Behind the last there is the end of the loop over instructions, then what taken branches do, then the function's end.
 */
const TAILS = [
  "setTRecord",
  "setTRc",
  "setT",
  "setARc",
  "setA",
  "record",
  "setField",
  "interpret",
  "step",
] as const;

function loopOf(target: QuickTarget, model: CpuModel): Code {
  const { bigEndian, size, is64 } = target;
  const registers = REGISTERS_OFFSET;
  const [pc, left, word, t] = [getLocal(PC), getLocal(LEFT), getLocal(WORD), getLocal(TARGET)];
  const value = getLocal(VALUE);
  const back = setLocal(PC, i32Op.sub(pc, i32(4)));
  /** What has been executed of the straight run up to `PC`. */
  const count = setLocal(LEFT, i32Op.sub(left, i32Op.shrU(i32Op.sub(pc, getLocal(START)), i32(2))));
  const stop = (reason: number): Code => setLocal(N, i32(reason));

  const rows = quickRows(target);
  const parts = [
    BRANCH,
    FIXED_STORAGE,
    FIXED_POINT,
    FLOATING_POINT,
    STORAGE,
    VECTOR_STORAGE,
    ...(is64 ? VECTORS : []),
  ];
  /** Rows by their instructions. */
  const known = new Map<Instruction, Row>();
  for (const instruction of parts.flatMap((part) => part())) {
    if (!available(instruction, model)) continue;
    const row = rows[instruction.name] ?? (is64 ? vectorRow(instruction, target) : undefined);
    if (row !== undefined) known.set(instruction, row);
  }
  const cases = [...new Set(known.values())];

  // Depths as they are inside the innermost of the cases' blocks, but for those around the tables of opcodes.
  const tails = cases.length;
  const tailDepth = (tail: Tail): number =>
    tails + (tail === "next" ? TAILS.length : tail === "jump" ? TAILS.length + 1 : TAILS.indexOf(tail));
  const next = TAILS.length;
  const jump = next + 1;
  const again = jump + 1;
  const end = again + 1;

  // ---- from a word to its case -----------------------------------------------------------------------------------

  const instructions = [...known.keys()];
  /** By the bits of the word that are in `seen`, which are `bits` of it. */
  const choose = (primary: number, fields: readonly (readonly [number, number])[], seen = 0, bits = 0) => {
    const [[shift, width], ...others] = fields;
    const targets = Array.from({ length: 2 ** width }, (_, key): Row | Tail | Choice => {
      const [all, found] = [seen | ((2 ** width - 1) << shift), bits | (key << shift)];
      const fitting = instructions.filter((one) => one.match >>> 26 === primary && hasBits(one, found, all));
      if (fitting.length === 0) return "step";
      const isKnown = (fitting[0].mask & 0x7ff & ~all) === 0;
      if (others.length > 0 && !isKnown) return choose(primary, others, all, found);
      return known.get(fitting[0])!;
    });
    return { key: i32Op.and(i32Op.shrU(word, i32(shift)), i32(2 ** width - 1)), targets };
  };
  const byPrimary = (primary: number): Row | Tail | Choice => {
    if (isPrefix(primary << 26)) return "interpret";
    const fields = EXTENDED.get(primary);
    if (fields !== undefined) return choose(primary, fields);
    const found = instructions.find((one) => one.match >>> 26 === primary);
    return found === undefined ? "step" : known.get(found)!;
  };
  const first: Choice = {
    key: i32Op.shrU(word, i32(26)),
    targets: Array.from({ length: 64 }, (_, primary) => byPrimary(primary)),
  };
  const choices = [first];
  for (const { targets } of choices)
    for (const to of targets)
      if (typeof to === "object" && "key" in to && !choices.includes(to)) choices.push(to);
  let dispatch: Code = [];
  choices.forEach(({ key, targets }, i) => {
    const around = choices.length - 1 - i;
    const depthOf = (to: Row | Tail | Choice): number => {
      if (typeof to === "string") return around + tailDepth(to);
      return "key" in to ? choices.indexOf(to) - i - 1 : around + cases.indexOf(to);
    };
    const jump = brTable(key, targets.map(depthOf), 0);
    dispatch = i === 0 ? jump : [...block(dispatch), ...jump];
  });

  // ---- cases and tails --------------------------------------------------------------------------------------------

  const caseAfter = (row: Row, i: number): Code => {
    const inside = i + 1;
    const to = (tail: Tail) => tailDepth(tail) - inside;
    const unless = (tail: Tail, condition: Code): Code => brIf(to(tail), condition);
    return [...row.code(unless), ...br(to(row.tail))];
  };
  const setT = storeI64(registers + GPR, RT_AT, value);
  const setA = storeI64(registers + GPR, RA_AT, value);
  const rc = i32Op.and(word, i32(1));
  const so = loadU8(registers + XER_SO, i32(0));
  const zero = is64 ? i64Op.eqz(value) : i32Op.eqz(i32Op.wrap(value));
  const negative = is64 ? i64Op.ltS(value, i64(0n)) : i32Op.ltS(i32Op.wrap(value), i32(0));
  const sign = select(i32(8), select(i32(2), i32(4), zero), negative);
  const field = i32Op.and(i32Op.shrU(word, i32(23)), i32(7));
  const codes: Record<(typeof TAILS)[number], (depth: number) => Code> = {
    setTRecord: (depth) => [...setT, ...br(TAILS.indexOf("record") - depth)],
    setTRc: (depth) => [
      ...setT,
      ...brIf(next - depth, i32Op.eqz(rc)),
      ...br(TAILS.indexOf("record") - depth),
    ],
    setT: (depth) => [...setT, ...br(next - depth)],
    setARc: (depth) => [
      ...setA,
      ...brIf(next - depth, i32Op.eqz(rc)),
      ...br(TAILS.indexOf("record") - depth),
    ],
    setA: (depth) => [...setA, ...br(next - depth)],
    record: (depth) => [...storeI8(registers + CR, i32(0), i32Op.or(sign, so)), ...br(next - depth)],
    setField: (depth) => [...storeI8(registers + CR, field, i32Op.or(getLocal(N), so)), ...br(next - depth)],
    interpret: (depth) => [...back, ...count, ...stop(Stop.interpret), ...br(end - depth)],
    step: (depth) => [
      ...setLocal(N, call(STEP, i32Op.sub(pc, i32(4)))),
      ...brIf(next - depth, i32Op.eqz(getLocal(N))),
      ...setLocal(AT, i32Op.eq(getLocal(N), i32(Stop.again))),
      ...setLocal(
        PC,
        i32Op.sub(pc, i32Op.shl(i32Op.or(getLocal(AT), i32Op.eq(getLocal(N), i32(Stop.thrown))), i32(2))),
      ),
      ...brIf(next - depth, getLocal(AT)),
      ...count,
      ...br(end - depth),
    ],
  };
  const switched = blocks(dispatch, [...cases.map(caseAfter), ...TAILS.map((tail, i) => codes[tail](i + 1))]);

  // ---- the loops -----------------------------------------------------------------------------------------------------

  const fetched = bigEndian ? loadI32(0, i32Op.sub(i32((size - 4) | 0), pc)) : loadI32(STRAIGHT_OFFSET, pc);
  const ended = [
    ...i32Op.eq(pc, getLocal(END)),
    Op.if,
    0x40,
    ...count,
    ...brIf(again - next + 1, left),
    ...stop(Stop.limit),
    ...br(end - next + 1),
    Op.end,
  ];
  const body = loop([
    ...ended,
    ...setLocal(WORD, fetched),
    ...setLocal(PC, i32Op.add(pc, i32(4))),
    ...switched,
  ]);

  const isArrival = i32Op.or(
    i32Op.or(i32Op.leS(i32Op.sub(t, pc), i32(-4)), rc),
    // Not by the number itself, which V8 would keep in storage from the table of opcodes on.
    i32Op.eq(i32Op.and(word, i32(0xfc00_0000)), i32((19 << 26) | 0)),
  );
  /** Adds to one of `Counted`. */
  const add = (counted: number, code: Code): Code => {
    const at = COUNTS_OFFSET + 4 * counted;
    return storeI32(at, i32(0), i32Op.add(loadI32(at, i32(0)), code));
  };
  /** PC <- the address where translated code that is entered at PC comes back. AT is where its slot is. */
  const entered = [
    ...add(Counted.entered, i32(1)),
    ...add(Counted.other, i32Op.ne(getLocal(BEFORE), i32(0))),
    ...setLocal(BEFORE, left),
    ...[...left, ...getLocal(STACK), ...pc, ...loadI32(LOOKUP_OFFSET + 4, getLocal(AT))],
    ...[Op.call_indirect, TRANSLATED, ALL, Op.local_set, LEFT, Op.local_set, PC],
    ...add(Counted.executed, i32Op.sub(getLocal(BEFORE), left)),
    ...storeI32(COUNTS_OFFSET + 4 * Counted.left, i32(0), left),
  ];
  const isTranslated = i32Op.eq(loadI32(LOOKUP_OFFSET, getLocal(AT)), pc);
  const stopIf = (reason: number, condition: Code): Code => [
    ...stop(reason),
    ...brIf(end - again + 2, condition),
  ];
  const jumped = [
    ...count,
    ...findMark(t),
    ...setLocal(N, i32Op.add(markAt, i32Op.shl(isArrival, i32(1)))),
    ...setLocal(PC, t),
    ...setLocal(BEFORE, i32(0)),
    ...loop([
      ...i32Op.gtU(getLocal(N), i32(255)),
      Op.if,
      0x40,
      ...stopIf(Stop.limit, i32Op.eqz(left)),
      ...setLocal(AT, i32Op.and(i32Op.shl(pc, i32(1)), i32((LOOKUP_ENTRIES - 1) << 3))),
      ...stopIf(Stop.arrived, i32Op.eqz(i32Op.and(isTranslated, i32Op.ne(getLocal(STACK), i32(0))))),
      ...entered,
      ...stopIf(Stop.thrown, loadI32(THROWN_OFFSET, i32(0))),
      ...add(Counted.limit, i32Op.eqz(left)),
      ...stopIf(Stop.limit, i32Op.eqz(left)),
      // What leaves its first instruction to the interpreter is not entered again before that.
      ...setLocal(N, i32Op.eq(left, getLocal(BEFORE))),
      ...add(Counted.first, getLocal(N)),
      ...brIf(2, getLocal(N)),
      ...findMark(pc),
      ...setLocal(N, i32Op.add(markAt, i32(2))),
      ...br(1),
      Op.end,
    ]),
    ...setMark(getLocal(N)),
    ...brIf(0, left),
    ...stop(Stop.limit),
    ...br(end - again),
  ];
  const pageBit = i32Op.and(
    i32Op.shrU(
      loadU8(OPEN_OFFSET, i32Op.shrU(pc, i32(PAGE_SHIFT + 3))),
      i32Op.and(i32Op.shrU(pc, i32(PAGE_SHIFT)), i32(7)),
    ),
    i32(1),
  );
  const toPageEnd = i32Op.shrU(i32Op.sub(i32(PAGE_SIZE), i32Op.and(pc, i32(PAGE_SIZE - 1))), i32(2));
  const enter = [
    ...stop(Stop.interpret),
    ...brIf(1, i32Op.eqz(pageBit)),
    ...setLocal(START, pc),
    ...setLocal(N, toPageEnd),
    ...setLocal(N, select(getLocal(N), left, i32Op.ltU(getLocal(N), left))),
    ...setLocal(END, i32Op.add(pc, i32Op.shl(getLocal(N), i32(2)))),
  ];
  return [
    ...Array.from({ length: COUNTS }, (_, n) => storeI32(COUNTS_OFFSET + 4 * n, i32(0), i32(0))).flat(),
    ...findMark(pc),
    ...setMark(),
    ...block(loop([...enter, ...block(body), ...jumped])),
    ...storeI32(registers + NIA, i32(0), pc),
    ...storeI32(BUDGET_OFFSET, i32(0), left),
    ...getLocal(N),
  ];
}
