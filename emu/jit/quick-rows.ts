/**
 * What the quick loop executes itself: fixed-point instructions as WebAssembly expressions over the register block, with the fields of
 * whatever word is at hand. Power ISA 3.0B, I.3.3. Values are 64 bits wide in 32-bit programs too, whose upper halves are undefined.
 */
import { IGNORE_CTR } from "../cpu/fields.ts";
import {
  CR,
  CTR,
  GPR,
  LR,
  RESERVE_ADDRESS,
  RESERVE_LENGTH,
  RESERVE_VALUE,
  VSR,
  XER_CA,
  XER_CA32,
  XER_SO,
  ZERO,
} from "../cpu/registers.ts";
import {
  access,
  B,
  type Code,
  D,
  getLocal,
  I32,
  I64,
  i32,
  i32Op,
  i64,
  i64Op,
  loadI32,
  loadI64,
  loadU8,
  low as lowDoubleword,
  pairSumBytes,
  pairSumHalfwords,
  popcntBytes,
  run,
  select,
  setLocal,
  shuffle,
  storeI8,
  storeI32,
  storeI64,
  storeV128,
  V128,
  when,
  ZERO as ZERO_VECTOR,
} from "../cpu/vector/expressions.ts";
import { PAGE_SHIFT, PAGE_SIZE, REGISTERS_OFFSET, STRAIGHT_OFFSET } from "../memory/layout.ts";
import { CALL_SITES, CALLED_OFFSET, CALLED_SHIFT, CALLS_OFFSET, MARKS_OFFSET, MARKS_SIZE } from "./corner.ts";
import { guardsAt } from "./guards.ts";
import type { QuickTarget } from "./quick-kind.ts";
import { Op } from "./wasm.ts";

/** The loop's locals: its parameters, the word at hand, and what rows work with. The address is of the instruction after it. */
export const PC = 0;
export const LEFT = 1;
export const STACK = 2;
export const WORD = 3;
export const START = 4;
export const END = 5;
export const TARGET = 6;
export const N = 7;
export const AT = 8;
/** Instructions that were left when translated code was entered last; 0 after a branch that the loop has executed. */
export const BEFORE = 9;
export const VALUE = 10;
export const OTHER = 11;
/** Vectors that rows work with. */
export const VECTORS = [12, 13, 14, 15, 16, 17, 18, 19];
export const LOCALS = [
  I32,
  I32,
  I32,
  I32,
  I32,
  I32,
  I32,
  I64,
  I64,
  ...VECTORS.map((): typeof V128 => V128),
] as const;

/** Where a row goes on to. */
export type Tail =
  /** The next instruction; the same having put VALUE into RT or RA, with CR0 where bit 31 of the word says so, or always. */
  | "next"
  | "setT"
  | "setTRc"
  | "setTRecord"
  | "setA"
  | "setARc"
  | "record"
  /** CR field BF <- N, and SO. */
  | "setField"
  /** Branches to TARGET. */
  | "jump"
  /** The interpreter's handler executes the instruction; for branches, the interpreter itself. */
  | "step"
  | "interpret";

/** AT <- where the mark of an instruction is. */
export const findMark = (address: Code): Code =>
  setLocal(AT, i32Op.and(i32Op.shrU(address, i32(2)), i32(MARKS_SIZE - 1)));
export const markAt: Code = loadU8(MARKS_OFFSET, getLocal(AT));
/** Makes the mark at AT one that says that the instruction has been run. */
export const setMark = (mark = markAt): Code => storeI8(MARKS_OFFSET, getLocal(AT), i32Op.or(mark, i32(1)));

type Unless = (tail: Tail, condition: Code) => Code;
/** `code`, then the tail; `unless` leaves for another one where a condition, asked at any place of the code, is not zero. */
export interface Row {
  readonly code: (unless: Unless) => Code;
  readonly tail: Tail;
}

const word = getLocal(WORD);
const value = getLocal(VALUE);
const other = getLocal(OTHER);
const n = getLocal(N);
const destination = getLocal(TARGET);
const setValue = (code: Code) => setLocal(VALUE, code);
const setOther = (code: Code) => setLocal(OTHER, code);
const setN = (code: Code) => setLocal(N, code);

/** The byte offset of a GPR, from the field that ends `shift` + 3 bits from the right. */
const gprAt = (shift: number): Code => i32Op.and(i32Op.shrU(word, i32(shift)), i32(0xf8));
export const RT_AT = gprAt(18);
export const RA_AT = gprAt(13);
const RB_AT = gprAt(8);
const bit = (shift: number): Code => i32Op.and(i32Op.shrU(word, i32(shift)), i32(1));
const field = (shift: number, mask = 31): Code => i32Op.and(i32Op.shrU(word, i32(shift)), i32(mask));
const si = i64Op.extend16S(i64Op.extendU(word));
const shifted = i64Op.extendS(i32Op.shl(word, i32(16)));
const ui = i64Op.extendU(i32Op.and(word, i32(0xffff)));
const uis = i64Op.extendU(i32Op.shl(word, i32(16)));
const ALL_ONES = i64(-1n);
const invert = (code: Code): Code => i64Op.xor(code, ALL_ONES);
const low = i32Op.wrap;
const signedLow = (code: Code): Code => i64Op.extendS(low(code));
const SIGN = i64(-(2n ** 63n));
const LOW_WORD = i64(0xffff_ffffn);
/** Both halves the low word. */
const doubled = (code: Code): Code => [
  ...setN(code),
  ...i64Op.or(i64Op.extendU(n), i64Op.shl(i64Op.extendU(n), i64(32n))),
];

/** The bytes of a doubleword the other way round. */
const reversed = (code: Code): Code =>
  lowDoubleword(shuffle(D.splat(code), ZERO_VECTOR, [...run(0, 8), ...run(8, 8).reverse()]));

const plain = (tail: Tail, ...code: readonly Code[]): Row => ({ tail, code: () => code.flat() });

/** The masks of rotates: ones from bit `first` to bit `last`, around the end. */
const mask64 = (first: Code, last: Code): Code =>
  select(i64Op.and(from(first), through(last)), i64Op.or(from(first), through(last)), i32Op.leU(first, last));
const from = (first: Code): Code => i64Op.shrU(ALL_ONES, i64Op.extendU(first));
const through = (last: Code): Code => i64Op.shl(ALL_ONES, i64Op.extendU(i32Op.sub(i32(63), last)));
const sh6 = i32Op.or(field(11), i32Op.shl(bit(1), i32(5)));
const mb6 = i32Op.or(field(6), i32Op.and(word, i32(32)));

/** The rows of a kind of programs, by the names of the instruction table. */
export function quickRows(target: QuickTarget): Readonly<Record<string, Row>> {
  const { is64, has32, clearsLower, bigEndian, size, cacheBlock } = target;
  const block = REGISTERS_OFFSET;
  const gpr = (at: Code): Code => loadI64(block + GPR, at);
  const [t, a, b] = [gpr(RT_AT), gpr(RA_AT), gpr(RB_AT)];
  const aOr0 = gpr([...setN(RA_AT), ...select(n, i32(ZERO), n)]);
  const flag = (offset: number): Code => loadU8(block + offset, i32(0));
  const ca = i64Op.extendU(flag(XER_CA));

  // ---- sums ------------------------------------------------------------------------------------------------

  /** Sets CA by whether the sum of OTHER, inverted or not, and `addend` (and a carry) is below the operand. */
  const carry = (isLess: Code, isLess32: Code): Code => [
    ...storeI8(block + XER_CA, i32(0), is64 ? isLess : isLess32),
    ...(has32 ? storeI8(block + XER_CA32, i32(0), isLess32) : []),
  ];
  /** a + b, which cannot be equal to an operand by a carry out. */
  const carrying = (x: Code, y: Code, tail: Tail): Row =>
    plain(
      tail,
      setOther(x),
      setValue(i64Op.add(other, y)),
      carry(i64Op.ltU(value, other), i32Op.ltU(low(value), low(other))),
    );
  /** y - x, whose carry is that y is not below x; `x` and `y` may be computed twice. */
  const subtracting = (x: Code, y: Code, tail: Tail): Row =>
    plain(
      tail,
      setOther(y),
      setValue(i64Op.sub(other, x)),
      carry(i32Op.eqz(i64Op.gtU(value, other)), i32Op.leU(low(value), low(other))),
    );
  /** x + y + CA: the carry of either sum. */
  const extended = (x: Code, y: Code): Row =>
    plain(
      "setTRc",
      setOther(x),
      setValue(i64Op.add(other, y)),
      setN(is64 ? i64Op.ltU(value, other) : i32Op.ltU(low(value), low(other))),
      has32 ? setLocal(AT, i32Op.ltU(low(value), low(other))) : [],
      setOther(ca),
      setValue(i64Op.add(value, other)),
      carry(
        i32Op.or(n, i64Op.ltU(value, other)),
        i32Op.or(has32 ? getLocal(AT) : n, i32Op.ltU(low(value), low(other))),
      ),
    );

  // ---- comparisons ------------------------------------------------------------------------------------------

  const compared = (less: Code, greater: Code): Code =>
    setN(select(i32(8), select(i32(4), i32(2), greater), less));
  const compare = (x: Code, y: Code, isSigned: boolean): Row => {
    const words = isSigned
      ? [i32Op.ltS(low(value), low(other)), i32Op.gtS(low(value), low(other))]
      : [i32Op.ltU(low(value), low(other)), i32Op.gtU(low(value), low(other))];
    const whole = isSigned
      ? [i64Op.ltS(value, other), i64Op.gtS(value, other)]
      : [i64Op.ltU(value, other), i64Op.gtU(value, other)];
    const wide = i32Op.and(word, i32(0x20_0000));
    return plain(
      "setField",
      setValue(x),
      setOther(y),
      is64
        ? [
            ...wide,
            Op.if,
            0x40,
            ...compared(whole[0], whole[1]),
            Op.else,
            ...compared(words[0], words[1]),
            Op.end,
          ]
        : compared(words[0], words[1]),
    );
  };

  // ---- storage ------------------------------------------------------------------------------------------------

  type Form = "d" | "ds" | "dq" | "x";
  const offsets: Record<Form, Code> = {
    d: si,
    ds: i64Op.and(si, i64(-4n)),
    dq: i64Op.and(si, i64(-16n)),
    x: b,
  };
  /** Leaves the effective address in OTHER and where it is in AT, having seen that `bytes` there may be accessed. */
  const address = (
    form: Form,
    bytes: number,
    isStore: boolean,
    update: boolean,
    unless: Unless,
    isOfGpr = !isStore,
    align = 0,
  ): Code => {
    const isSame = isOfGpr ? i32Op.eq(RA_AT, RT_AT) : i32(0);
    const invalid = i32Op.or(i32Op.eqz(RA_AT), isSame);
    const whole = i64Op.add(update ? a : aOr0, offsets[form]);
    const sum = align === 0 ? whole : i64Op.and(whole, i64(BigInt(-align)));
    const guard = guardsAt(isStore);
    const refused = loadU8(guard, i32Op.shrU(n, i32(PAGE_SHIFT)));
    const crosses = i32Op.gtU(i32Op.and(n, i32(PAGE_SIZE - 1)), i32(PAGE_SIZE - bytes));
    const within = bytes === 1 ? refused : i32Op.or(refused, crosses);
    const upper = low(i64Op.shrU(other, i64(32n)));
    return [
      ...(update ? unless("step", invalid) : []),
      ...setOther(is64 ? sum : i64Op.extendU(low(sum))),
      ...setN(low(other)),
      ...unless("step", is64 ? i32Op.or(within, upper) : within),
      ...setLocal(AT, bigEndian ? i32Op.sub(i32((size - bytes) | 0), n) : i32Op.add(n, i32(STRAIGHT_OFFSET))),
    ];
  };
  const updated = (update: boolean): Code => (update ? storeI64(block + GPR, RA_AT, other) : []);
  const load = (op: number, bytes: number, form: Form, update = false): Row => ({
    tail: "setT",
    code: (unless) => [
      ...address(form, bytes, false, update, unless),
      ...setValue(access(op)(0, getLocal(AT))),
      ...updated(update),
    ],
  });
  const store = (op: number, bytes: number, form: Form, update = false): Row => ({
    tail: "next",
    code: (unless) => [
      ...address(form, bytes, true, update, unless),
      ...access(op)(0, getLocal(AT), t),
      ...updated(update),
    ],
  });
  /** The same of FPRs, whose VSRs' other halves some processors clear. */
  const fprBytes = i32Op.and(i32Op.shrU(word, i32(17)), i32(0x1f0));
  const setFloat = (code: Code): Code => [
    ...storeI64(block + VSR + 8, fprBytes, code),
    ...(clearsLower ? storeI64(block + VSR, fprBytes, i64(0n)) : []),
  ];
  const loadFloat: typeof load = (op, bytes, form, update = false) => ({
    tail: "next",
    code: (unless) => [
      ...address(form, bytes, false, update, unless, false),
      ...setFloat(access(op)(0, getLocal(AT))),
      ...updated(update),
    ],
  });
  const frb = loadI64(block + VSR + 8, i32Op.and(i32Op.shrU(word, i32(7)), i32(0x1f0)));
  /** A move, whose Rc bit copies FPSCR's. */
  const moveFloat = (code: Code): Row => ({
    tail: "next",
    code: (unless) => [...unless("step", bit(0)), ...setFloat(code)],
  });
  const storeFloat: typeof load = (op, bytes, form, update = false) => ({
    tail: "next",
    code: (unless) => [
      ...address(form, bytes, true, update, unless),
      ...access(op)(0, getLocal(AT), loadI64(block + VSR + 8, fprBytes)),
      ...updated(update),
    ],
  });
  /** Vectors, of which the half that comes first in the block is `first` bytes from AT. */
  const vsrBytes = i32Op.or(fprBytes, i32Op.shl(bit(0), i32(9)));
  const vrBytes = i32Op.or(fprBytes, i32(512));
  const dqBytes = i32Op.or(fprBytes, i32Op.shl(bit(3), i32(9)));
  const vector = (isStore: boolean, register: Code, first: 0 | 8, align: number, form: Form = "x"): Row => ({
    tail: "next",
    code: (unless) => {
      const halves: [number, Code][] = [
        [0, i32Op.add(getLocal(AT), i32(first))],
        [8, i32Op.add(getLocal(AT), i32(8 - first))],
      ];
      return [
        ...address(form, 16, isStore, false, unless, false, align),
        ...halves.flatMap(([half, at]) =>
          isStore
            ? storeI64(0, at, loadI64(block + VSR + half, register))
            : storeI64(block + VSR + half, register, loadI64(0, at)),
        ),
      ];
    },
  });
  /** Doubleword 0 of a VSR, and doubleword 1 set to `second` of it. */
  const loadScalar = (second: Code): Row => ({
    tail: "next",
    code: (unless) => [
      ...address("x", 8, false, false, unless, false),
      ...setValue(loadI64(0, getLocal(AT))),
      ...storeI64(block + VSR + 8, vsrBytes, value),
      ...storeI64(block + VSR, vsrBytes, second),
    ],
  });
  const storeScalar: Row = {
    tail: "next",
    code: (unless) => [
      ...address("x", 8, true, false, unless),
      ...storeI64(0, getLocal(AT), loadI64(block + VSR + 8, vsrBytes)),
    ],
  };
  /** Bytes of what is at an address the other way round. */
  const loadReversed = (op: number, bytes: number): Row => ({
    tail: "setT",
    code: (unless) => [
      ...address("x", bytes, false, false, unless),
      ...setValue(i64Op.shrU(reversed(access(op)(0, getLocal(AT))), i64(BigInt(64 - 8 * bytes)))),
    ],
  });
  const storeReversed = (op: number, bytes: number): Row => ({
    tail: "next",
    code: (unless) => [
      ...address("x", bytes, true, false, unless),
      ...access(op)(0, getLocal(AT), i64Op.shrU(reversed(t), i64(BigInt(64 - 8 * bytes)))),
    ],
  });
  /** See `emu/cpu/storage/reservation.ts`; what is misaligned is not for here. */
  const aligned = (bytes: number, isStore: boolean, unless: Unless): Code => [
    ...address("x", bytes, isStore, false, unless),
    ...(bytes === 1 ? [] : unless("step", i32Op.and(n, i32(bytes - 1)))),
  ];
  const loadAndReserve = (op: number, bytes: number): Row => ({
    tail: "setT",
    code: (unless) => [
      ...aligned(bytes, false, unless),
      ...setValue(access(op)(0, getLocal(AT))),
      ...storeI8(block + RESERVE_LENGTH, i32(0), i32(bytes)),
      ...storeI64(block + RESERVE_ADDRESS, i32(0), other),
      ...storeI64(block + RESERVE_VALUE, i32(0), value),
      ...storeI64(block + RESERVE_VALUE + 8, i32(0), i64(0n)),
    ],
  });
  const storeConditional = (load: number, store: number, bytes: number): Row => ({
    tail: "next",
    code: (unless) => [
      // There is no instruction without the Rc bit.
      ...unless("step", i32Op.eqz(bit(0))),
      ...aligned(bytes, true, unless),
      ...setN(
        i32Op.and(
          i32Op.and(
            i32Op.eq(flag(RESERVE_LENGTH), i32(bytes)),
            i64Op.eq(loadI64(block + RESERVE_ADDRESS, i32(0)), other),
          ),
          i64Op.eq(loadI64(block + RESERVE_VALUE, i32(0)), access(load)(0, getLocal(AT))),
        ),
      ),
      ...when(n, access(store)(0, getLocal(AT), t)),
      ...storeI8(block + RESERVE_LENGTH, i32(0), i32(0)),
      ...storeI8(block + CR, i32(0), i32Op.or(i32Op.shl(n, i32(1)), flag(XER_SO))),
    ],
  });
  /** The block that the byte at EA is in becomes zero. */
  const zeroBlock: Row = {
    tail: "next",
    code: (unless) => [
      ...address("x", cacheBlock, true, false, unless, false, cacheBlock),
      ...Array.from({ length: cacheBlock / 16 }, (_, i) =>
        storeV128(16 * i, getLocal(AT), ZERO_VECTOR),
      ).flat(),
    ],
  };
  const swapped = bigEndian ? 0 : 8;
  /** The four or three forms of an access. */
  const forms = (
    name: string,
    make: typeof load,
    op: number,
    bytes: number,
    form: Form = "d",
  ): [string, Row][] => [
    [name, make(op, bytes, form)],
    [`${name}u`, make(op, bytes, form, true)],
    [`${name}x`, make(op, bytes, "x")],
    [`${name}ux`, make(op, bytes, "x", true)],
  ];

  // ---- rotates and shifts ---------------------------------------------------------------------------------------

  const wordMask = mask64(i32Op.add(field(6), i32(32)), i32Op.add(field(1), i32(32)));
  const rotatedWord = doubled(i32Op.rotl(low(t), field(11)));
  const rotated = (by: Code): Code => i64Op.rotl(t, i64Op.extendU(by));
  const insert = (mask: Code): Code => i64Op.or(i64Op.and(value, mask), i64Op.and(a, invert(mask)));
  /** A shift by the low bits of RB, which gives zero from `width` on. */
  const shift = (width: number, shifted: Code): Row =>
    plain(
      "setARc",
      setN(i32Op.and(low(b), i32(2 * width - 1))),
      setValue(select(shifted, i64(0n), i32Op.ltU(n, i32(width)))),
    );
  /** VALUE shifted right by N, below 64, algebraically: CA where it is negative and ones are lost. */
  const algebraic: Code = [
    ...setOther(i64Op.shrS(value, i64Op.extendU(n))),
    ...setN(i32Op.and(i64Op.ltS(value, i64(0n)), i64Op.ne(i64Op.shl(other, i64Op.extendU(n)), value))),
    ...storeI8(block + XER_CA, i32(0), n),
    ...(has32 ? storeI8(block + XER_CA32, i32(0), n) : []),
    ...setValue(other),
  ];
  const signedWord = signedLow(t);

  // ---- branches ---------------------------------------------------------------------------------------------------

  const cia = i32Op.sub(getLocal(PC), i32(4));
  /** TARGET <- this address and a displacement; absolute ones and those to another half are not for here. */
  const relative = (displacement: Code, unless: Unless): Code => [
    ...unless("interpret", i32Op.and(word, i32(2))),
    ...setLocal(TARGET, i32Op.add(cia, displacement)),
    ...(is64 ? unless("interpret", i32Op.ltS(i32Op.xor(cia, destination), i32(0))) : []),
  ];
  const link: Code = when(i32Op.and(word, i32(1)), storeI64(block + LR, i32(0), i64Op.extendU(getLocal(PC))));
  const ctr = loadI64(block + CTR, i32(0));
  const decremented: Code = [
    ...storeI64(block + CTR, i32(0), i64Op.sub(ctr, i64(1n))),
    ...i32Op.xor(is64 ? i64Op.eqz(ctr) : i32Op.eqz(low(ctr)), i32Op.eqz(bit(22))),
  ];
  const crBit = i32Op.and(
    i32Op.shrU(loadU8(block + CR, field(18, 7)), i32Op.sub(i32(3), field(16, 3))),
    i32(1),
  );
  /** Goes on with the next instruction, which is marked as run, unless CTR and CR say that the branch is taken. */
  const conditional = (unless: Unless): Code => [
    ...setN(i32Op.or(i32Op.eq(crBit, bit(24)), bit(25))),
    ...when(i32Op.eqz(i32Op.and(word, i32(IGNORE_CTR << 21))), setN(i32Op.and(decremented, n))),
    ...link,
    ...unless("jump", n),
    ...findMark(getLocal(PC)),
    ...setMark(),
  ];
  /** TARGET <- the address in a register. */
  const register = (offset: number, unless: Unless): Code => [
    ...setOther(loadI64(block + offset, i32(0))),
    ...(is64 ? unless("interpret", low(i64Op.shrU(other, i64(32n)))) : []),
    ...setLocal(TARGET, i32Op.and(low(other), i32(-4))),
  ];

  /** Notes where a branch through a register leads. */
  const noteCall: Code = [
    ...setN(i32Op.and(i32Op.shl(cia, i32(1)), i32((CALL_SITES - 1) << 3))),
    ...storeI32(CALLS_OFFSET, n, cia),
    ...storeI32(CALLS_OFFSET + 4, n, i32Op.add(loadI32(CALLS_OFFSET + 4, n), i32(1))),
    ...storeI32(
      CALLED_OFFSET,
      i32Op.add(
        i32Op.shl(n, i32(CALLED_SHIFT - 1)),
        i32Op.and(i32Op.shl(loadI32(CALLS_OFFSET + 4, n), i32(2)), i32(4 * (2 ** CALLED_SHIFT - 1))),
      ),
      destination,
    ),
  ];

  const move = (register: number, isRead: boolean): Code =>
    isRead ? setValue(loadI64(block + register, i32(0))) : storeI64(block + register, i32(0), t);
  /** mfspr and mtspr of LR and CTR. */
  const special = (isRead: boolean): Row => ({
    tail: isRead ? "setT" : "next",
    code: (unless) => {
      const number = i32Op.and(word, i32(0x1f_f800));
      const isLr = i32Op.eq(number, i32(8 << 16));
      const isCtr = i32Op.eq(number, i32(9 << 16));
      return [
        ...unless("step", i32Op.eqz(i32Op.or(isLr, isCtr))),
        ...isLr,
        Op.if,
        0x40,
        ...move(LR, isRead),
        Op.else,
        ...move(CTR, isRead),
        Op.end,
      ];
    },
  });

  /** Leaves in N which field is meant, where FXM has one bit. */
  const oneField = (unless: Unless): Code => [
    ...setN(field(12, 0xff)),
    ...unless("step", i32Op.ne(i32Op.popcnt(n), i32(1))),
    ...setN(i32Op.sub(i32Op.clz(n), i32(24))),
  ];
  const fieldShift = i32Op.sub(i32(28), i32Op.shl(n, i32(2)));
  const allFields = Array.from({ length: 8 }, (_, n) => i32Op.shl(flag(CR + n), i32(28 - 4 * n))).reduce(
    (fields, field) => i32Op.or(fields, field),
  );
  /** CR(BT) <- what the table of truth that bits 22 to 25 are has for CR(BA) and CR(BB). */
  const crLogical: Row = (() => {
    const bitOf = (shift: number): Code =>
      i32Op.and(
        i32Op.shrU(loadU8(block + CR, field(shift + 2, 7)), i32Op.xor(field(shift, 3), i32(3))),
        i32(1),
      );
    const at = getLocal(AT);
    const mask = i32Op.shrU(i32(8), field(21, 3));
    const result = i32Op.shrU(field(6, 15), i32Op.or(i32Op.shl(bitOf(16), i32(1)), bitOf(11)));
    return plain(
      "next",
      setN(i32Op.sub(i32(0), i32Op.and(result, i32(1)))),
      setLocal(AT, field(23, 7)),
      setN(i32Op.and(i32Op.xor(n, loadU8(block + CR, at)), mask)),
      storeI8(block + CR, at, i32Op.xor(n, loadU8(block + CR, at))),
    );
  })();
  const toOneField: Row = {
    tail: "next",
    code: (unless) => [
      ...oneField(unless),
      ...storeI8(block + CR, n, i32Op.and(i32Op.shrU(low(t), fieldShift), i32(15))),
    ],
  };

  const logical = (result: Code): Row => plain("setARc", setValue(result));
  const intoT = (result: Code): Row => plain("setTRc", setValue(result));
  /** The upper half of a product of words; with an Rc bit CR0 is of the word, which is rare. */
  const productHigh = (extend: (code: Code) => Code): Row => ({
    tail: "setT",
    code: (unless) => [
      ...unless("step", bit(0)),
      ...setValue(i64Op.shrU(i64Op.mul(extend(low(a)), extend(low(b))), i64(32n))),
    ],
  });
  /** That of a product of doublewords, by its four parts (H. S. Warren, Hacker's Delight, 8-2). */
  const productHighest = (shift: (code: Code, by: Code) => Code): Row => {
    const half = i64(32n);
    const [lowA, lowB] = [i64Op.and(a, LOW_WORD), i64Op.and(b, LOW_WORD)];
    const [highA, highB] = [shift(a, half), shift(b, half)];
    return intoT([
      ...setOther(i64Op.add(i64Op.mul(highA, lowB), i64Op.shrU(i64Op.mul(lowA, lowB), half))),
      ...i64Op.add(
        i64Op.add(i64Op.mul(highA, highB), shift(other, half)),
        shift(i64Op.add(i64Op.and(other, LOW_WORD), i64Op.mul(lowA, highB)), half),
      ),
    ]);
  };
  /** Divisions that have a result; for a sign the divisor must not be -1 either. */
  const division = (x: Code, y: Code, operation: Code, isSigned: boolean): Row => ({
    tail: "setTRc",
    code: (unless) => [
      ...setValue(x),
      ...setOther(y),
      ...unless("step", i32Op.or(i64Op.eqz(other), isSigned ? i64Op.eq(other, ALL_ONES) : i32(0))),
      ...setValue(operation),
    ],
  });
  const nothing = plain("next");

  return {
    addi: plain("setT", setValue(i64Op.add(aOr0, si))),
    addis: plain("setT", setValue(i64Op.add(aOr0, shifted))),
    addic: carrying(a, si, "setT"),
    "addic.": carrying(a, si, "setTRecord"),
    subfic: subtracting(a, si, "setT"),
    mulli: plain("setT", setValue(i64Op.mul(a, si))),
    add: intoT(i64Op.add(a, b)),
    subf: intoT(i64Op.sub(b, a)),
    neg: intoT(i64Op.sub(i64(0n), a)),
    addc: carrying(a, b, "setTRc"),
    subfc: subtracting(a, b, "setTRc"),
    adde: extended(a, b),
    subfe: extended(invert(a), b),
    addze: extended(a, i64(0n)),
    subfze: extended(invert(a), i64(0n)),
    addme: extended(a, ALL_ONES),
    subfme: extended(invert(a), ALL_ONES),
    mullw: intoT(i64Op.mul(signedLow(a), signedLow(b))),
    mulhw: productHigh(i64Op.extendS),
    mulhwu: productHigh(i64Op.extendU),
    mulhd: productHighest(i64Op.shrS),
    mulhdu: productHighest(i64Op.shrU),
    divw: division(signedLow(a), signedLow(b), i64Op.and(i64Op.divS(value, other), LOW_WORD), true),
    divwu: division(i64Op.extendU(low(a)), i64Op.extendU(low(b)), i64Op.divU(value, other), false),
    divd: division(a, b, i64Op.divS(value, other), true),
    divdu: division(a, b, i64Op.divU(value, other), false),
    mulld: intoT(i64Op.mul(a, b)),

    cmpi: compare(a, si, true),
    cmp: compare(a, b, true),
    cmpli: compare(a, ui, false),
    cmpl: compare(a, b, false),
    isel: plain(
      "setT",
      setLocal(AT, field(6)),
      setValue(
        select(
          aOr0,
          b,
          i32Op.and(
            i32Op.shrU(
              loadU8(block + CR, i32Op.shrU(getLocal(AT), i32(2))),
              i32Op.sub(i32(3), i32Op.and(getLocal(AT), i32(3))),
            ),
            i32(1),
          ),
        ),
      ),
    ),

    "andi.": plain("record", setValue(i64Op.and(t, ui)), storeI64(block + GPR, RA_AT, value)),
    "andis.": plain("record", setValue(i64Op.and(t, uis)), storeI64(block + GPR, RA_AT, value)),
    ori: plain("setA", setValue(i64Op.or(t, ui))),
    oris: plain("setA", setValue(i64Op.or(t, uis))),
    xori: plain("setA", setValue(i64Op.xor(t, ui))),
    xoris: plain("setA", setValue(i64Op.xor(t, uis))),
    and: logical(i64Op.and(t, b)),
    or: logical(i64Op.or(t, b)),
    xor: logical(i64Op.xor(t, b)),
    nand: logical(invert(i64Op.and(t, b))),
    nor: logical(invert(i64Op.or(t, b))),
    eqv: logical(invert(i64Op.xor(t, b))),
    andc: logical(i64Op.and(t, invert(b))),
    orc: logical(i64Op.or(t, invert(b))),
    extsb: logical(i64Op.extend8S(t)),
    extsh: logical(i64Op.extend16S(t)),
    extsw: logical(signedWord),
    cntlzw: logical(i64Op.extendU(i32Op.clz(low(t)))),
    cntlzd: logical(i64Op.clz(t)),
    cnttzw: logical(i64Op.extendU(i32Op.ctz(low(t)))),
    cnttzd: logical(i64Op.ctz(t)),
    popcntb: plain("setA", setValue(lowDoubleword(popcntBytes(D.splat(t))))),
    popcntw: plain("setA", setValue(lowDoubleword(pairSumHalfwords(pairSumBytes(popcntBytes(D.splat(t))))))),
    popcntd: plain("setA", setValue(i64Op.popcnt(t))),
    cmpb: plain("setA", setValue(lowDoubleword(B.eq(D.splat(t), D.splat(b))))),

    rlwinm: plain("setARc", setValue(i64Op.and(rotatedWord, wordMask))),
    rlwnm: plain("setARc", setValue(i64Op.and(doubled(i32Op.rotl(low(t), low(b))), wordMask))),
    rlwimi: plain("setARc", setValue(rotatedWord), setOther(wordMask), setValue(insert(other))),
    rldicl: plain("setARc", setValue(i64Op.and(rotated(sh6), from(mb6)))),
    rldcl: plain("setARc", setValue(i64Op.and(i64Op.rotl(t, b), from(mb6)))),
    rldicr: plain("setARc", setValue(i64Op.and(rotated(sh6), through(mb6)))),
    rldcr: plain("setARc", setValue(i64Op.and(i64Op.rotl(t, b), through(mb6)))),
    rldic: plain("setARc", setValue(i64Op.and(rotated(sh6), mask64(mb6, i32Op.sub(i32(63), sh6))))),
    rldimi: plain(
      "setARc",
      setValue(rotated(sh6)),
      setOther(mask64(mb6, i32Op.sub(i32(63), sh6))),
      setValue(insert(other)),
    ),
    slw: shift(32, i64Op.extendU(i32Op.shl(low(t), n))),
    srw: shift(32, i64Op.extendU(i32Op.shrU(low(t), n))),
    sld: shift(64, i64Op.shl(t, i64Op.extendU(n))),
    srd: shift(64, i64Op.shrU(t, i64Op.extendU(n))),
    srawi: plain("setARc", setValue(signedWord), setN(field(11)), algebraic),
    sraw: plain("setARc", setValue(signedWord), setN(i32Op.and(low(b), i32(63))), algebraic),
    sradi: plain("setARc", setValue(t), setN(sh6), algebraic),
    srad: {
      tail: "setARc",
      code: (unless) => [
        ...setN(i32Op.and(low(b), i32(127))),
        ...unless("step", i32Op.gtU(n, i32(63))),
        ...setValue(t),
        ...algebraic,
      ],
    },

    ...Object.fromEntries([
      ...forms("lbz", load, Op.i64_load8_u, 1),
      ...forms("lhz", load, Op.i64_load16_u, 2),
      ...forms("lha", load, Op.i64_load16_s, 2),
      ...forms("lwz", load, Op.i64_load32_u, 4),
      ...forms("ld", load, Op.i64_load, 8, "ds"),
      ...forms("stb", store, Op.i64_store8, 1),
      ...forms("sth", store, Op.i64_store16, 2),
      ...forms("stw", store, Op.i64_store32, 4),
      ...forms("std", store, Op.i64_store, 8, "ds"),
      ...forms("lfd", loadFloat, Op.i64_load, 8),
      ...forms("stfd", storeFloat, Op.i64_store, 8),
    ]),
    lwa: load(Op.i64_load32_s, 4, "ds"),
    lwax: load(Op.i64_load32_s, 4, "x"),
    lwaux: load(Op.i64_load32_s, 4, "x", true),

    lhbrx: loadReversed(Op.i64_load16_u, 2),
    lwbrx: loadReversed(Op.i64_load32_u, 4),
    ldbrx: loadReversed(Op.i64_load, 8),
    sthbrx: storeReversed(Op.i64_store16, 2),
    stwbrx: storeReversed(Op.i64_store32, 4),
    stdbrx: storeReversed(Op.i64_store, 8),

    lbarx: loadAndReserve(Op.i64_load8_u, 1),
    lharx: loadAndReserve(Op.i64_load16_u, 2),
    lwarx: loadAndReserve(Op.i64_load32_u, 4),
    ldarx: loadAndReserve(Op.i64_load, 8),
    "stbcx.": storeConditional(Op.i64_load8_u, Op.i64_store8, 1),
    "sthcx.": storeConditional(Op.i64_load16_u, Op.i64_store16, 2),
    "stwcx.": storeConditional(Op.i64_load32_u, Op.i64_store32, 4),
    "stdcx.": storeConditional(Op.i64_load, Op.i64_store, 8),
    dcbz: zeroBlock,

    fmr: moveFloat(frb),
    fneg: moveFloat(i64Op.xor(frb, SIGN)),
    fabs: moveFloat(i64Op.and(frb, invert(SIGN))),
    fnabs: moveFloat(i64Op.or(frb, SIGN)),

    lxvd2x: vector(false, vsrBytes, swapped, 0),
    stxvd2x: vector(true, vsrBytes, swapped, 0),
    lxvx: vector(false, vsrBytes, 0, 0),
    stxvx: vector(true, vsrBytes, 0, 0),
    lxsdx: loadScalar(i64(0n)),
    lxvdsx: loadScalar(value),
    stxsdx: storeScalar,
    lvx: vector(false, vrBytes, 0, 16),
    stvx: vector(true, vrBytes, 0, 16),
    lxv: vector(false, dqBytes, 0, 0, "dq"),
    stxv: vector(true, dqBytes, 0, 0, "dq"),

    b: {
      tail: "jump",
      code: (unless) => [
        ...relative(i32Op.shrS(i32Op.shl(i32Op.and(word, i32(0x3ff_fffc)), i32(6)), i32(6)), unless),
        ...link,
      ],
    },
    bc: {
      tail: "next",
      code: (unless) => [
        ...relative(i32Op.shrS(i32Op.shl(i32Op.and(word, i32(0xfffc)), i32(16)), i32(16)), unless),
        ...conditional(unless),
      ],
    },
    bclr: { tail: "next", code: (unless) => [...register(LR, unless), ...conditional(unless)] },
    bcctr: {
      tail: "next",
      code: (unless) => [
        ...unless("interpret", i32Op.eqz(i32Op.and(word, i32(IGNORE_CTR << 21)))),
        ...register(CTR, unless),
        ...noteCall,
        ...conditional(unless),
      ],
    },
    bctar: { tail: "interpret", code: () => [] },
    sc: { tail: "interpret", code: () => [] },
    scv: { tail: "interpret", code: () => [] },

    ...Object.fromEntries(
      ["crand", "crandc", "creqv", "crnand", "crnor", "cror", "crorc", "crxor"].map((name) => [
        name,
        crLogical,
      ]),
    ),
    mcrf: plain("next", storeI8(block + CR, field(23, 7), loadU8(block + CR, field(18, 7)))),
    mtcrf: toOneField,
    mtocrf: toOneField,
    /** And mfcr, which has the same extended opcode. */
    mfocrf: {
      tail: "setT",
      code: (unless) => [
        ...setN(field(12, 0xff)),
        ...unless("step", i32Op.and(bit(20), i32Op.ne(i32Op.popcnt(n), i32(1)))),
        ...setN(i32Op.sub(i32Op.clz(n), i32(24))),
        ...bit(20),
        Op.if,
        0x40,
        ...setN(i32Op.shl(loadU8(block + CR, n), fieldShift)),
        Op.else,
        ...setN(allFields),
        Op.end,
        ...setValue(i64Op.extendU(n)),
      ],
    },
    mfspr: special(true),
    mtspr: special(false),
    dcbt: nothing,
    dcbtst: nothing,
    isync: nothing,
    sync: nothing,
  };
}
