/**
 * Altivec, and the storage, permute, logical and integer part of VSX: the rows of `emu/cpu/vector/`, which are WebAssembly expressions, with
 * registers and fields that are constants here.
 */
import {
  type Code,
  getLocal,
  I32,
  i32,
  i32Op,
  i64,
  i64Op,
  loadU16,
  select,
  setLocal,
  V128,
} from "../../cpu/vector/expressions.ts";
import { type Access, Frame, gprNumber, isGpr, type Row, vectorNumber } from "../../cpu/vector/frame.ts";
import { expressionOf, fieldOf, type ImmediateRow } from "../../cpu/vector/functions.ts";
import { FAMILIES } from "../../cpu/vector/index.ts";
import { si } from "../../cpu/fields.ts";
import { decode } from "../../isa/decoder.ts";
import { guardsAt } from "../guards.ts";
import type { Generator } from "../generator.ts";
import { CR_SLOT } from "../slots.ts";
import type { ValueType } from "../wasm.ts";
import type { Emit, EmitPrefixed, Rows } from "./row.ts";

/** Temporaries from this number on are rows'. */
const FIRST_LOCAL = 20;
/** What takes a length from the upper half of a register, which code of 32 bits keeps no account of. */
const WITH_LENGTH = new Set(["lxvl", "lxvll", "stxvl", "stxvll"]);

/** What a row works with in translated code. What it needs loaded or tested is emitted while its expression is made, and so comes first. */
class RegionFrame extends Frame {
  private readonly g: Generator;
  private readonly bits: number;
  private readonly prefix: number;
  private next = FIRST_LOCAL;
  /** CR fields that the expression sets. */
  readonly fields: number[] = [];

  constructor(g: Generator, word: number, operands: readonly string[], prefix = 0) {
    super(operands, g.target);
    this.g = g;
    this.bits = word;
    this.prefix = prefix;
  }

  override get word(): Code {
    return i32(this.bits);
  }
  override field(first: number, last: number): Code {
    return i32(fieldOf(this.bits, [first, last]));
  }
  override signedField(first: number, last: number): Code {
    return i32((this.bits << first) >> (31 - last + first));
  }
  override get immediate(): Code {
    return i32((this.prefix << 16) | (this.bits & 0xffff));
  }
  override local(type: number): number {
    return this.g.temporary(type as ValueType, this.next++);
  }
  protected override contents(name: string): Code {
    return getLocal(this.g.vector(vectorNumber(name, this.bits)));
  }
  override gpr(name: string): Code {
    const { g } = this;
    const n = gprNumber(name, this.bits);
    if (name === "RA0" && n === 0) return i64(0n);
    g.fetch(n);
    const value = getLocal(g.local(n));
    return g.is64 ? value : i64Op.extendU(value);
  }
  override setCr(number: Code, value: Code): Code {
    // A number below 64 is one byte of an i32.const.
    const field = number[1];
    this.fields.push(field);
    return setLocal(this.g.local(CR_SLOT + field), value);
  }
  override access({ size, store, align = 0 }: Access, body: (host: Code, ea: Code) => Code): Code {
    const { g, bits } = this;
    const host = this.local(I32);
    const isIndexed = this.operands.includes("RB");
    const displacement = si(bits) & (this.operands.includes("DQ") ? ~15 : ~3);
    const rb = isIndexed ? gprNumber("RB", bits) : -1;
    g.address(size, gprNumber("RA0", bits), isIndexed ? 0 : displacement, rb, store, align);
    g.code.set(host);
    const ea = getLocal(g.temporary(g.word, 7));
    return body(getLocal(host), g.is64 ? i32Op.wrap(ea) : ea);
  }
  override accessBytes(store: boolean, body: (host: Code, count: Code) => Code): Code {
    const { g } = this;
    const [count, ea] = [this.local(I32), this.local(I32)];
    const [bytes, at, base] = [getLocal(count), getLocal(ea), this.gpr("RA0")];
    g.code.bytesOf(setLocal(count, this.byteCount));
    g.code.bytesOf(setLocal(ea, select(i32Op.wrap(base), i32(0), bytes)));
    const guards = loadU16(guardsAt(store), i32Op.shrU(at, i32(12)));
    const guarded = i32Op.and(guards, select(i32(0xffff), i32(0xff), this.crosses(at, bytes)));
    const isFar = i64Op.ne(i64Op.shrU(base, i64(32n)), i64(0n));
    g.code.bytesOf(select(i32Op.or(guarded, isFar), i32(0), bytes));
    g.leaveIf();
    return body(this.host(at, 16), bytes);
  }
  private pairNumber(): number {
    return 2 * fieldOf(this.bits, [6, 9]) + 32 * fieldOf(this.bits, [10, 10]);
  }
  override ofPair(which: 0 | 1): Code {
    return getLocal(this.g.vector(this.pairNumber() + which));
  }
  override setPair(which: 0 | 1, value: Code): Code {
    const { g } = this;
    g.code.bytesOf(value);
    g.setVector(this.pairNumber() + which);
    return [];
  }

  /** Emits a row. */
  emit(row: Row, recording: boolean): void {
    const { g, bits } = this;
    const { code } = g;
    const [target = ""] = this.operands;
    const result = row(this);
    code.bytesOf(result);
    if (target === "BF") g.set(CR_SLOT + fieldOf(bits, [6, 8]));
    else if (isGpr(target)) {
      if (!g.is64) code.bytesOf(i32Op.wrap());
      g.setGpr(gprNumber(target, bits));
    } else if (target !== "" && !/^(VRS|VRB|XS|XTP)/.test(target)) {
      if (recording) {
        const value = this.local(V128);
        code.tee(value);
        this.emitRecord(getLocal(value));
      }
      g.setVector(vectorNumber(target, bits));
    }
    for (const field of this.fields) g.defined(CR_SLOT + field);
  }
  private emitRecord(value: Code): void {
    this.g.code.bytesOf(this.record?.() ?? this.recordCompare(value));
  }
}

const vector = (row: Row | ImmediateRow): Emit => {
  return (g, word) => {
    const { name, operands, vrc } = decode(word)!;
    const expression = expressionOf(row, word)?.row;
    if (expression === undefined || (WITH_LENGTH.has(name) && !g.is64)) return false;
    new RegionFrame(g, word, operands).emit(expression, vrc === true && fieldOf(word, [21, 21]) === 1);
  };
};
/** The same of a prefixed instruction. */
export const prefixedVector =
  (row: Row | ImmediateRow, operands: readonly string[]): EmitPrefixed =>
  (g, prefix, suffix) =>
    new RegionFrame(g, suffix, operands, prefix).emit(expressionOf(row, prefix)!.row, false);

export const vectorRows = (): Rows =>
  Object.fromEntries(
    FAMILIES.flatMap((family) => Object.entries(family())).map(([name, row]) => [name, vector(row)]),
  );
