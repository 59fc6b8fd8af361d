/**
 * Code for one guest instruction after the other: registers in locals, storage with its guards, exits. `translate.ts` puts the blocks
 * together; the files of `rows/` say what each instruction is made of.
 *
 * A register's home is the register block. It is kept in a local while `State` says so, and saved where control leaves: at exits, at
 * calls, at joins that do not expect it in its local.
 */
import { FPSCR, VSR } from "../cpu/registers.ts";
import { REGISTERS_OFFSET, STRAIGHT_OFFSET } from "../memory/layout.ts";
import { LEAST_SHARED } from "../tuning.ts";
import { AccessRanges } from "./access-ranges.ts";
import { emitComparison, emitField, fieldFunction, operandType } from "./comparisons.ts";
import { NO_ADDRESS, RECORD_SIZE, RECORDS_OFFSET } from "./corner.ts";
import { emitGuard } from "./guards.ts";
import { HelperFunctions } from "./helper-functions.ts";
import { Tables } from "./indexed-tables.ts";
import { settleFunction } from "./settle.ts";
import {
  CA_SLOT,
  CR_SLOT,
  countBits,
  eachSlot,
  FPR_SLOT,
  hasSlot,
  lowest,
  LR_SLOT,
  RECORD_SLOT,
  RECORDS,
  removeSlot,
  SET,
  SLOTS,
  type SlotLayout,
  slotLayouts,
} from "./slots.ts";
import { Fields, Lazy, State } from "./state.ts";
import { type Value, ValueNumbers, ZERO } from "./values.ts";
import { Code, F64, I32, I64, Op, Simd, STEP, V128, type ValueType } from "./wasm.ts";

/** What code depends on beside the guest's instructions. */
export interface Target {
  readonly is64: boolean;
  readonly bigEndian: boolean;
  /** Bytes of address space, of which reversed storage counts back; other storage lies from STRAIGHT_OFFSET on. */
  readonly size: number;
  /** The model has CA32 and OV32 (ISA 3.0). */
  readonly has32: boolean;
  /** FPSCR has an upper half, DRN (ISA 2.05). */
  readonly hasDrn: boolean;
  /** Writing an FPR makes doubleword 1 of its VSR zero. */
  readonly clearsLower: boolean;
  /** Bytes that dcbz clears. */
  readonly cacheBlock: number;
  /** f64x2.relaxed_madd is there and rounds once. */
  readonly fused: boolean;
}

/** Parameters of every function. */
export const BUDGET = 0;
export const STACK = 1;
export const ADDRESS = 2;
const PARAMETERS = 3;

/**
 * Code outside the hot path that saves some slots and leaves; an address and a budget come in. `outer` is the landing it goes on to, which
 * saves a part of them.
 */
export interface Landing {
  readonly saved: Int32Array;
  /** The fields among those slots that are still to be computed. */
  readonly fields: Fields;
  readonly outer: Landing | undefined;
  /** How many labels out it is. */
  depth(): number;
}

/** What a join expects of the registers. */
export interface Expected {
  readonly valid: Int32Array;
  readonly dirty: Int32Array;
  readonly fields: Fields;
}

const NOTHING = new Int32Array(SET);

export class Generator {
  readonly target: Target;
  readonly is64: boolean;
  code = new Code();
  readonly state = new State();
  readonly locals: ValueType[] = [];
  /** What a block's dry pass found: a fallback or call in it, and the accesses by order. */
  barrier = false;
  accesses = new AccessRanges();
  /** What it found further: by index, instructions from which one leaves. */
  leaves: number[] = [];
  /** Fields of which something needs more than one of the bits that a comparison tells. */
  readWhole = 0;
  /** Something in it depends on FPSCR's mode; something changes that. */
  usesMode = false;
  changesMode = false;
  dry = false;
  /** What is being generated is seldom run: few bytes count for more than speed. */
  private isCold = false;
  /** Blocks open within the instruction at hand. */
  private nesting = 0;
  /** Of the instruction at hand: its address, its index in its block, the instructions of the block. */
  pc = 0;
  index = 0;
  count = 0;

  /** Landings that several ways out share, the innermost last. */
  readonly landings: Landing[] = [];

  private readonly layouts: readonly SlotLayout[];
  private readonly slotLocal = new Int32Array(SLOTS).fill(-1);
  private readonly recordLocals = new Int32Array(4 * RECORDS).fill(-1);
  private readonly vectorLocals = new Int32Array(64).fill(-1);
  private readonly lazyLocals = new Map<number, number>();
  private readonly temporaries = new Map<number, number>();
  readonly values = new ValueNumbers();
  readonly tables = new Tables(this);
  readonly helpers = new HelperFunctions();
  /** Host address of the register block: an address in code is this and a constant offset. */
  readonly block: number;

  constructor(target: Target) {
    this.target = target;
    this.is64 = target.is64;
    this.layouts = slotLayouts(target.is64);
    this.block = REGISTERS_OFFSET;
  }

  // ---- locals ------------------------------------------------------------------------------------------

  newLocal(type: ValueType): number {
    this.locals.push(type);
    return PARAMETERS + this.locals.length - 1;
  }
  /** The n-th temporary of a type; it holds for the instruction at hand only. */
  temporary(type: ValueType, n = 0): number {
    const key = type * 64 + n;
    let local = this.temporaries.get(key);
    if (local === undefined) this.temporaries.set(key, (local = this.newLocal(type)));
    return local;
  }
  local(slot: number): number {
    let local = this.slotLocal[slot];
    if (local < 0) this.slotLocal[slot] = local = this.newLocal(this.layouts[slot].type);
    return local;
  }
  private recordLocal(record: number, part: number): number {
    const at = 4 * record + part;
    let local = this.recordLocals[at];
    if (local < 0) this.recordLocals[at] = local = this.newLocal(part === 0 ? I32 : F64);
    return local;
  }
  /** Type of a GPR's local. */
  get word(): ValueType {
    return this.is64 ? I64 : I32;
  }

  // ---- slots -------------------------------------------------------------------------------------------

  at(offset: number): number {
    return this.block + offset;
  }
  loadField(op: number, offset: number): void {
    this.code.i32Const(0);
    this.code.access(op, this.at(offset));
  }

  /** Stores what `value` pushes into the register block. */
  storeField(op: number, offset: number, value: () => void): void {
    this.code.i32Const(0);
    value();
    this.code.access(op, this.at(offset));
  }

  /** Pushes a slot's value. */
  get(slot: number): void {
    this.fetch(slot);
    this.code.get(this.local(slot));
  }
  /** Sees to it that the slot's local holds its value. */
  fetch(slot: number): void {
    if (slot >= CR_SLOT && slot < CA_SLOT) this.readWhole |= 1 << (slot - CR_SLOT);
    if (slot >= CR_SLOT && slot < CA_SLOT && this.state.fields.isLazy(slot - CR_SLOT)) {
      this.computeField(slot - CR_SLOT);
      this.code.set(this.local(slot));
      this.state.fields.setComputed(slot - CR_SLOT);
      return;
    }
    if (this.state.has(slot)) return;
    this.load(slot);
    this.state.makeValid(slot);
  }
  private load(slot: number): void {
    const { code } = this;
    if (slot >= RECORD_SLOT) {
      const record = slot - RECORD_SLOT;
      for (let part = 0; part < 4; part++) {
        code.i32Const(0);
        code.access(part === 0 ? Op.i32_load : Op.f64_load, this.recordAt(record, part));
        code.set(this.recordLocal(record, part));
      }
      return;
    }
    const { load, offset } = this.layouts[slot];
    if (slot >= FPR_SLOT && slot < LR_SLOT && this.state.hasVector(slot - FPR_SLOT)) {
      code.get(this.vectorLocal(slot - FPR_SLOT));
      code.simd(Simd.f64x2_extract_lane);
      code.op(1);
    } else this.loadField(load, offset);
    code.set(this.local(slot));
  }
  private recordAt(record: number, part: number): number {
    return RECORDS_OFFSET + RECORD_SIZE * record + 8 * part;
  }
  /** Pops a slot's new value. */
  set(slot: number): void {
    this.code.set(this.local(slot));
    this.defined(slot);
  }
  tee(slot: number): void {
    this.code.tee(this.local(slot));
    this.defined(slot);
  }
  /** Notes that a slot's local has a new value. */
  defined(slot: number): void {
    this.state.define(slot);
    if (slot < 32) {
      this.state.base[slot] = this.values.fresh();
      this.state.offset[slot] = 0;
    } else if (slot >= CR_SLOT && slot < CA_SLOT) {
      this.state.fields.setComputed(slot - CR_SLOT);
    } else if (slot < LR_SLOT) {
      this.state.vectors[0] &= ~(1 << (slot - FPR_SLOT));
      this.state.forgetSingle(slot - FPR_SLOT);
    }
  }
  /** Notes what GPR n, just set, is. */
  noteValue(n: number, { base, offset }: Value): void {
    if (Math.abs(offset) > 0x10_0000) return;
    this.state.base[n] = base;
    this.state.offset[n] = offset;
  }
  /** What GPR n is. */
  gprValue(n: number): Value {
    const { base, offset } = this.state;
    return { base: base[n], offset: offset[n] };
  }
  /** What the sum of GPRs is. */
  sumOf(registers: readonly number[]): Value {
    return registers.map((n) => this.gprValue(n)).reduce((a, b) => this.values.sum(a, b));
  }
  /** What (RA|0) + `offset` is, or + (RB). */
  valueOf(ra: number, offset: number, rb = -1): Value {
    const { base, offset: distance } = this.state;
    const value = ra === 0 ? { base: ZERO, offset } : { base: base[ra], offset: distance[ra] + offset };
    return rb < 0 ? value : this.values.sum(value, this.gprValue(rb));
  }

  /** Emits the store of a slot; nothing about it changes. */
  private save(slot: number): void {
    const { code, state } = this;
    if (slot >= RECORD_SLOT) {
      const record = slot - RECORD_SLOT;
      for (let part = 0; part < 4; part++) {
        code.i32Const(0);
        code.get(this.recordLocal(record, part));
        code.access(part === 0 ? Op.i32_store : Op.f64_store, this.recordAt(record, part));
      }
      return;
    }
    const { store, offset } = this.layouts[slot];
    code.i32Const(0);
    const field = slot - CR_SLOT;
    if (field >= 0 && field < 8 && state.fields.isLazy(field)) this.computeField(field);
    else code.get(this.local(slot));
    code.access(store, this.at(offset));
  }
  /** Emits the stores of all unsaved registers, but for those of a set. */
  private saveAll(but?: Int32Array): void {
    const { dirty } = this.state;
    for (let w = 0; w < SET; w++) {
      const bits = but === undefined ? dirty[w] : dirty[w] & ~but[w];
      for (let left = bits; left !== 0; left &= left - 1) this.save(32 * w + lowest(left));
    }
  }
  /** Saves all registers where everybody passes. */
  flush(): void {
    const { state } = this;
    this.saveAll();
    state.dirty.fill(0);
    // Saved, but never in their locals.
    for (let left = state.fields.lazy; left !== 0; left &= left - 1)
      removeSlot(state.valid, CR_SLOT + lowest(left));
    state.fields.clear();
  }
  /** Somebody else may have changed every register: none is in its local any more. */
  forgetAll(): void {
    const { state } = this;
    this.barrier = true;
    state.valid.fill(0);
    state.dirty.fill(0);
    state.fields.clear();
    state.vectors.fill(0);
    state.singles.fill(0);
    state.modeChecked = false;
    this.freshValues();
  }
  /**
   * The same after a call, but that addresses on some registers have been tested still counts: these registers are what they were, or
   * one leaves for `next`.
   */
  forgetAllBut(registers: readonly number[], next: number): void {
    const { state, code } = this;
    const kept = registers.filter((n) => state.has(n) && state.isBaseOfFacts(n));
    const values = kept.map((n) => this.gprValue(n));
    this.forgetAll();
    if (kept.length === 0) return;
    kept.forEach((n, i) => {
      code.get(this.local(n));
      this.loadField(this.layouts[n].load, this.layouts[n].offset);
      this.op(Op.i32_ne, Op.i64_ne);
      if (i > 0) code.op(Op.i32_or);
    });
    this.begin(Op.if);
    this.leave(next, this.count);
    this.end();
    kept.forEach((n, i) => {
      state.makeValid(n);
      state.base[n] = values[i].base;
      state.offset[n] = values[i].offset;
    });
  }
  newValue(): number {
    return this.values.fresh();
  }
  freshValues(): void {
    const { base, offset } = this.state;
    const first = this.values.freshRow(32);
    for (let n = 0; n < 32; n++) base[n] = first + n;
    offset.fill(0);
  }

  /** Begins a block about which nothing is known but which slots are in locals. */
  reset(): void {
    const { state } = this;
    state.valid.fill(0);
    state.dirty.fill(0);
    state.fields.clear();
    state.vectors.fill(0);
    state.singles.fill(0);
    state.factBase.fill(0);
    state.factNext = 0;
    state.modeChecked = false;
    this.freshValues();
  }

  /** Makes the state what a join expects: saves what is unsaved there, loads what is to be in a local, keeps comparisons for later. */
  conform({ valid, dirty, fields }: Expected): void {
    const { state, code } = this;
    this.saveAll(dirty);
    eachSlot(valid, undefined, (slot) => {
      const field = slot - CR_SLOT;
      if (field < 0 || field >= 8 || !fields.isLazy(field)) return this.fetch(slot);
      const isEither = fields.isEither(field);
      const hasSame = state.fields.kind(field) === fields.kind(field);
      const isOther =
        !hasSame || (fields.isConstant(field) && fields.b(field) !== this.constantOperand(field));
      if (isOther && !isEither) throw new Error(`CR${field} is computed too early`);
      if (isOther) return this.fetch(slot);
      if (!fields.isConstant(field) && state.fields.isConstant(field)) {
        this.pushConstantOperand(field);
        code.set(fields.b(field));
      }
      if (isEither && !state.fields.isEither(field)) this.markLazy(field);
    });
  }
  /** Notes at run time that a field is to follow from its operands. */
  private markLazy(field: number): void {
    this.code.i32Const(-1);
    this.code.set(this.local(CR_SLOT + field));
  }
  private constantOperand(field: number): number | undefined {
    const { fields } = this.state;
    return fields.isConstant(field) ? fields.b(field) : undefined;
  }
  /** The fields of comparisons that come from two sides: what both have, the second operand in a local unless it is the same constant. */
  mergeFields(into: Fields, other: Fields): void {
    for (let left = into.lazy; left !== 0; left &= left - 1) {
      const field = lowest(left);
      if (into.kind(field) !== other.kind(field)) {
        into.setComputed(field);
        continue;
      }
      if (other.isEither(field)) into.makeEither(field);
      if (!into.isIn(field, other)) this.operandInLocal(field, into);
    }
  }
  /** The second operand of a field's comparison is in a local, not a constant. */
  operandInLocal(field: number, fields: Fields): void {
    fields.takeFrom(field, this.lazyLocal(field, true, operandType(fields.kind(field))));
  }

  // ---- vector-scalar registers -----------------------------------------------------------------------------

  private vectorLocal(n: number): number {
    let local = this.vectorLocals[n];
    if (local < 0) this.vectorLocals[n] = local = this.newLocal(V128);
    return local;
  }
  /** A local that holds VSR n. */
  vector(n: number): number {
    const { code, state } = this;
    const local = this.vectorLocal(n);
    if (state.hasVector(n)) return local;
    code.i32Const(0);
    code.vectorAccess(Simd.v128_load, this.at(VSR + 16 * n));
    if (n < 32 && state.isDirty(FPR_SLOT + n)) {
      code.get(this.local(FPR_SLOT + n));
      code.simd(Simd.f64x2_replace_lane);
      code.op(1);
    }
    code.set(local);
    state.vectors[n >> 5] |= 1 << (n & 31);
    return local;
  }
  /** Pushes doubleword 0 of VSR n as a double. */
  scalar(n: number): void {
    if (n < 32) this.get(FPR_SLOT + n);
    else if (this.state.hasVector(n)) {
      this.code.get(this.vectorLocal(n));
      this.code.simd(Simd.f64x2_extract_lane);
      this.code.op(1);
    } else this.loadField(Op.f64_load, VSR + 16 * n + 8);
  }
  /** Pops a double for doubleword 0 of VSR n; doubleword 1 becomes zero where `clears` says so, as it does of VSRs beyond the FPRs. */
  setScalar(n: number, clears: boolean): void {
    const { code } = this;
    if (n < 32) {
      this.set(FPR_SLOT + n);
      if (clears || this.target.clearsLower) this.clearLower(n);
      return;
    }
    const value = this.temporary(F64, 12);
    code.set(value);
    code.i64Const(0, 0);
    code.simd(Simd.i64x2_splat);
    code.get(value);
    code.simd(Simd.f64x2_replace_lane);
    code.op(1);
    this.setVector(n);
  }
  private clearLower(n: number): void {
    const { code } = this;
    code.i32Const(0);
    code.i64Const(0, 0);
    code.access(Op.i64_store, this.at(VSR + 16 * n));
  }
  /** Pops a vector for VSR n, in its local and in the register block. */
  setVector(n: number): void {
    const { code, state } = this;
    code.set(this.vectorLocal(n));
    code.i32Const(0);
    code.get(this.vectorLocal(n));
    code.vectorAccess(Simd.v128_store, this.at(VSR + 16 * n));
    this.storedVector(n);
    state.vectors[n >> 5] |= 1 << (n & 31);
  }
  /** Notes that the register block has a new VSR n. */
  storedVector(n: number): void {
    const { state } = this;
    state.vectors[n >> 5] &= ~(1 << (n & 31));
    state.forgetSingle(n);
    if (n >= 32) return;
    removeSlot(state.valid, FPR_SLOT + n);
    removeSlot(state.dirty, FPR_SLOT + n);
  }
  /** Has the register block hold all of VSR n, of which an FPR's local may have a half. */
  saveVector(n: number): void {
    if (n < 32 && this.state.isDirty(FPR_SLOT + n)) this.save(FPR_SLOT + n);
  }

  // ---- general-purpose registers -----------------------------------------------------------------------

  gpr(n: number): void {
    this.get(n);
  }
  /** (RA|0): pushes 0 for n = 0. */
  gprOr0(n: number): void {
    if (n === 0) this.constant(0);
    else this.get(n);
  }
  /** The low word of GPR n. */
  gpr32(n: number): void {
    this.get(n);
    if (this.is64) this.code.op(Op.i32_wrap_i64);
  }
  setGpr(n: number): void {
    this.set(n);
  }
  /** Pops a 32-bit number for GPR n, whose upper half becomes zeros or the sign. */
  setGpr32(n: number, signed = false): void {
    if (this.is64) this.code.op(signed ? Op.i64_extend_i32_s : Op.i64_extend_i32_u);
    this.set(n);
  }
  /** Pushes a signed constant of a GPR's width. */
  constant(value: number): void {
    if (this.is64) this.code.i64Const(value | 0, Math.floor(value / 2 ** 32));
    else this.code.i32Const(value);
  }
  /** The 64-bit opcode in 64-bit mode, else the 32-bit one. */
  op(op32: number, op64: number): void {
    this.code.op(this.is64 ? op64 : op32);
  }

  // ---- condition register --------------------------------------------------------------------------------

  private lazyLocal(field: number, second: boolean, type: ValueType): number {
    const key = (field * 2 + (second ? 1 : 0)) * 256 + type;
    let local = this.lazyLocals.get(key);
    if (local === undefined) this.lazyLocals.set(key, (local = this.newLocal(type)));
    return local;
  }
  /** Pops A, and B unless it is `constant`: the field will be what their comparison says. */
  compare(field: number, kind: Lazy, constant?: number): void {
    const { code, state } = this;
    const type = operandType(kind);
    const a = this.lazyLocal(field, false, type);
    const b = constant ?? this.lazyLocal(field, true, type);
    if (constant === undefined) code.set(b);
    code.set(a);
    state.define(CR_SLOT + field);
    state.fields.follows(field, kind, a, b, constant !== undefined);
  }
  /** Rc = 1: CR0 is how GPR n compares with zero. */
  record(n: number): void {
    this.get(n);
    this.compare(0, this.is64 ? Lazy.Signed64 : Lazy.Signed32, 0);
  }
  /** CR0 <- how the low word of GPR n compares with zero. */
  recordLowWord(n: number): void {
    this.gpr32(n);
    this.compare(0, Lazy.Signed32, 0);
  }

  private operands(field: number): void {
    const { code } = this;
    const { fields } = this.state;
    code.get(fields.a(field));
    if (fields.isConstant(field)) this.pushConstantOperand(field);
    else code.get(fields.b(field));
  }
  private pushConstantOperand(field: number): void {
    const { fields } = this.state;
    const kind = fields.kind(field);
    const constant = fields.b(field);
    if (operandType(kind) === I64) {
      this.code.i64Const(constant, kind === Lazy.Unsigned64 ? 0 : constant >> 31);
    } else this.code.i32Const(constant);
  }
  /** Pushes the value of a field that is not computed yet. */
  private computeField(field: number): void {
    const kind = this.state.fields.kind(field);
    const operands = () => this.operands(field);
    if (this.isCold) {
      operands();
      this.helpers.call(this.code, `field ${kind}`, () => fieldFunction(kind, this.block));
    } else emitField(this.code, kind, this.block, operands);
    this.orAsItIs(field, () => {});
  }
  /** Where a field is either: keeps what has been pushed if the operands count, else what `emit` makes of the field. */
  private orAsItIs(field: number, emit: () => void): void {
    if (!this.state.fields.isEither(field)) return;
    const { code } = this;
    const local = this.local(CR_SLOT + field);
    code.get(local);
    emit();
    code.get(local);
    code.i32Const(0);
    code.op(Op.i32_lt_s);
    code.op(Op.select);
  }
  /** Pushes CR bit `bit`: zero, or not zero (1 where `exact`). */
  crBit(bit: number, exact = false) {
    const field = bit >> 2;
    const { code, readWhole } = this;
    const kind = this.state.fields.kind(field);
    const takeBit = () => {
      if (exact) {
        code.i32Const(3 - (bit & 3));
        code.op(Op.i32_shr_u);
        code.i32Const(1);
      } else {
        code.i32Const(8 >> (bit & 3));
      }
      code.op(Op.i32_and);
    };
    if (kind !== Lazy.None && (bit & 3) !== 3) {
      emitComparison(code, kind, bit & 3, () => this.operands(field));
      return this.orAsItIs(field, takeBit);
    }
    this.get(CR_SLOT + field);
    if ((bit & 3) !== 3) this.readWhole = readWhole;
    takeBit();
  }

  // ---- floating point ------------------------------------------------------------------------------------

  fpr(n: number): void {
    this.get(FPR_SLOT + n);
  }
  setFpr(n: number): void {
    this.setScalar(n, false);
  }
  /** Notes an operation whose result bits of FPSCR are to be found later: pops nothing, operands are locals. */
  noteRecord(record: number, word: number, operands: readonly (number | undefined)[]): void {
    const { code } = this;
    code.i32Const(word);
    code.set(this.recordLocal(record, 0));
    for (let part = 1; part < 4; part++) {
      const operand = operands[part - 1];
      const local = this.recordLocal(record, part);
      if (operand === undefined) continue;
      code.get(operand);
      code.set(local);
    }
    this.state.define(RECORD_SLOT + record);
  }
  /** An arithmetic result stands for all of FPSCR's result bits: what is pending of other kinds is void. */
  dropRecord(record: number): void {
    this.code.i32Const(0);
    this.code.set(this.recordLocal(record, 0));
    this.state.define(RECORD_SLOT + record);
  }
  /** What is pending of any kind is void. */
  forgetRecords(): void {
    for (let record = 0; record < RECORDS; record++) this.dropRecord(record);
  }
  /** Has FPSCR's result bits found. */
  settle(): void {
    const { code, state } = this;
    for (let record = 0; record < RECORDS; record++) {
      const slot = RECORD_SLOT + record;
      if (state.isDirty(slot)) this.save(slot);
      removeSlot(state.dirty, slot);
      removeSlot(state.valid, slot);
      code.i32Const(0);
      code.access(Op.i32_load, this.recordAt(record, 0));
      if (record > 0) code.op(Op.i32_or);
    }
    this.begin(Op.if);
    const { fused } = this.target;
    this.helpers.call(code, "settle", () => settleFunction(RECORDS_OFFSET, this.at(FPSCR), fused));
    this.begin(Op.if);
    code.i32Const(NO_ADDRESS);
    code.op(Op.call);
    code.u32(STEP);
    code.op(Op.drop);
    this.end();
    this.end();
  }
  loadStatus(): void {
    this.loadField(Op.i32_load, FPSCR);
  }

  // ---- storage ---------------------------------------------------------------------------------------------

  /** Pushes the host address of `n` bytes at (RA|0) + `offset`, or + (RB), with all that `place` does. */
  address(n: number, ra: number, offset: number, rb: number, isStore: boolean, align = 0): void {
    const at = this.place(n, ra, offset, rb, isStore, false, align);
    if (at === 0) return;
    this.code.i32Const(at);
    this.code.op(Op.i32_add);
  }
  /**
   * Pushes a host address from which the `n` bytes at (RA|0) + `offset`, or + (RB), are as far as it returns, having seen to it that they may
   * be accessed. With `update`, the effective address is left in temporary 7 of a GPR's type, as it is where there is (RB). `align` are bits
   * to be cleared of that. `offset` alone is unsigned: negative ones are nobody's.
   */
  place(
    n: number,
    ra: number,
    offset: number,
    rb: number,
    isStore: boolean,
    update = false,
    align = 0,
  ): number {
    const { code, state, target } = this;
    const indexed = rb >= 0;
    const ea = this.temporary(this.word, 7);
    const constantBase = !indexed && ra === 0;
    const { base, offset: at } = this.values.aligned(this.valueOf(ra, offset, rb), align);
    const own = { base, low: at, high: at + n, isStore };
    const access = this.dry ? this.accesses.add(own) : this.accesses.next(own);
    const inLocal = update || indexed || constantBase;
    const table = this.tables.with({ base, offset: at }, n, isStore);
    if (table !== undefined && !state.isChecked(base, at, at + n, isStore)) {
      this.tables.testOne(table, n, isStore, [ra, rb], () => this.makeAddress(ra, offset, rb, align));
      state.addFact(base, at, at + n, isStore);
    }
    if (table !== undefined && indexed && ra !== 0 && !update) return this.tables.place(table, n, ra, rb);
    if (inLocal) this.makeAddress(ra, offset, rb, align);
    let known = state.rangeWith(base, at, at + n, isStore);
    if (known === undefined) {
      if (!inLocal) this.makeAddress(ra, offset, rb, align);
      emitGuard(this, ea, access.low - at, access.high - at, access.isStore);
      state.addFact(base, access.low, access.high, access.isStore);
      known = access;
    }
    if (inLocal) {
      // For reversed storage: size - EA - n.
      if (target.bigEndian) code.i32Const(target.size - n);
      code.get(ea);
      if (this.is64) code.op(Op.i32_wrap_i64);
      if (!target.bigEndian) return STRAIGHT_OFFSET;
      code.op(Op.i32_sub);
      return 0;
    }
    // From where the range that has been tested lies: accesses to the same range have that in common.
    const toLow = offset + known.low - at;
    const toHigh = offset + known.high - at;
    if (target.bigEndian) code.i32Const(target.size - toHigh);
    this.gpr32(ra);
    if (target.bigEndian) {
      code.op(Op.i32_sub);
      return toHigh - offset - n;
    }
    if (toLow !== 0) {
      code.i32Const(toLow);
      code.op(Op.i32_add);
    }
    return STRAIGHT_OFFSET + offset - toLow;
  }

  /** Leaves (RA|0) + `offset`, or + (RB), without the bits `align`, in temporary 7. */
  private makeAddress(ra: number, offset: number, rb: number, align: number): void {
    const { code } = this;
    const indexed = rb >= 0;
    const constantBase = !indexed && ra === 0;
    if (constantBase) this.is64 ? code.i64Const(offset, 0) : code.i32Const(offset);
    else if (ra !== 0) this.get(ra);
    if (indexed) {
      this.get(rb);
      if (ra !== 0) this.op(Op.i32_add, Op.i64_add);
    } else if (!constantBase && offset !== 0) {
      this.constant(offset);
      this.op(Op.i32_add, Op.i64_add);
    }
    if (align !== 0) {
      this.constant(~align);
      this.op(Op.i32_and, Op.i64_and);
    }
    code.set(this.temporary(this.word, 7));
  }

  /** Leaves unless the bytes from `low` up to `high` from what GPR n holds may be accessed. */
  testRange(n: number, low: number, high: number, isStore: boolean): void {
    const { base, offset } = this.gprValue(n);
    if (this.state.isChecked(base, offset + low, offset + high, isStore)) return;
    this.fetch(n);
    emitGuard(this, this.local(n), low, high, isStore);
    this.state.addFact(base, offset + low, offset + high, isStore);
  }

  /** Begins a block's code, with the accesses that its dry pass has found; without them, that pass. */
  beginBlock(found?: AccessRanges): void {
    this.dry = found === undefined;
    this.accesses = found ?? new AccessRanges();
    this.barrier = false;
    this.leaves = [];
    this.readWhole = 0;
    this.usesMode = false;
    this.changesMode = false;
  }

  // ---- ways out ----------------------------------------------------------------------------------------------

  /** Pops a condition: the interpreter goes on with this instruction if it is not zero. */
  leaveIf(): void {
    this.begin(Op.if);
    this.leave(this.pc, this.index);
    this.end();
  }
  /** A block or an if within an instruction's code. */
  begin(op: number): void {
    this.code.block(op);
    this.nesting++;
  }
  end(): void {
    this.nesting--;
    this.code.end();
  }
  /** Leaves for `pc` when `executed` instructions of the block have run. */
  leave(pc: number, executed: number): void {
    const { code } = this;
    if (this.dry) this.leaves.push(this.index);
    const landing = this.landingHere();
    this.isCold = true;
    this.saveAll(landing?.saved);
    if (landing !== undefined) this.computeFieldsFor(landing);
    this.isCold = false;
    code.i32Const(pc);
    this.pushBudget(this.count - executed);
    if (landing === undefined) code.op(Op.return);
    else code.br(Op.br, landing.depth() + this.nesting);
  }
  /** Computes the fields that a landing expects in their locals. */
  private computeFieldsFor({ saved, fields }: Landing): void {
    const { code, state } = this;
    for (let left = state.fields.lazy; left !== 0; left &= left - 1) {
      const field = lowest(left);
      if (!hasSlot(saved, CR_SLOT + field)) continue;
      if (fields.isIn(field, state.fields)) {
        if (fields.isEither(field) && !state.fields.isEither(field)) this.markLazy(field);
        continue;
      }
      this.computeField(field);
      code.set(this.local(CR_SLOT + field));
    }
  }
  /** The innermost landing whose slots are all unsaved here, with the same comparisons to be made. */
  private landingHere(): Landing | undefined {
    const { dirty, fields } = this.state;
    for (let i = this.landings.length - 1; i >= 0; i--) {
      const { saved } = this.landings[i];
      if (((saved[0] & ~dirty[0]) | (saved[1] & ~dirty[1]) | (saved[2] & ~dirty[2])) !== 0) continue;
      if (this.landings[i].fields.areIn(fields)) return this.landings[i];
    }
    return undefined;
  }
  /** A landing for what is unsaved now, if that is so much more than other landings here save that it is worth one. */
  newLanding(depth: () => number): Landing | undefined {
    const { state } = this;
    const outer = this.landingHere();
    const known = outer?.saved ?? NOTHING;
    let more = 0;
    for (let w = 0; w < SET; w++) more += countBits(state.dirty[w] & ~known[w]);
    for (let left = state.fields.lazy; left !== 0; left &= left - 1) {
      if (!hasSlot(known, CR_SLOT + lowest(left))) more++;
    }
    if (more < LEAST_SHARED) return undefined;
    return { saved: state.dirty.slice(), outer, depth, fields: new Fields().copy(state.fields) };
  }
  /** The code of a landing. */
  land({ saved, outer, fields }: Landing): void {
    this.state.fields.copy(fields);
    this.isCold = true;
    eachSlot(saved, outer?.saved, (slot) => this.save(slot));
    if (outer !== undefined) this.computeFieldsFor(outer);
    this.isCold = false;
    if (outer === undefined) this.code.op(Op.return);
    else this.code.br(Op.br, outer.depth());
  }
  /** Pushes the budget with `unused` instructions put back. */
  pushBudget(unused: number): void {
    this.code.get(BUDGET);
    if (unused === 0) return;
    this.code.i32Const(unused);
    this.code.op(Op.i32_add);
  }
  /** Returns the address that was pushed, and the budget with `unused` instructions put back. */
  returnBudget(unused: number): void {
    this.pushBudget(unused);
    this.code.op(Op.return);
  }

  /** Has the interpreter execute the instruction, of so many bytes, or the kernel if it is a call. */
  fallback(bytes: 4 | 8 = 4, kind = 0): void {
    const { code } = this;
    this.flush();
    const status = this.temporary(I32, 0);
    code.i32Const(this.pc | kind);
    code.op(Op.call);
    code.u32(STEP);
    code.tee(status);
    code.block(Op.if);
    // 1: it has not completed, 2: it has, but translated code must not go on.
    code.i32Const(this.pc);
    code.get(status);
    code.i32Const(1);
    code.op(Op.i32_sub);
    code.i32Const(Math.log2(bytes));
    code.op(Op.i32_shl);
    code.op(Op.i32_add);
    code.get(BUDGET);
    code.i32Const(this.count - this.index + 1);
    code.op(Op.i32_add);
    code.get(status);
    code.op(Op.i32_sub);
    code.op(Op.return);
    code.end();
    this.forgetAll();
  }
}
