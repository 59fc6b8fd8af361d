/**
 * WebAssembly's binary format, as much of it as translated code needs: a growing buffer of code bytes, the opcodes, and the module
 * around them. WebAssembly core specification, chapter 5.
 */
import { memoryLimits } from "../memory/wasm-memory.ts";

export const I32 = 0x7f;
export const I64 = 0x7e;
export const F32 = 0x7d;
export const F64 = 0x7c;
export const V128 = 0x7b;
export type ValueType = typeof I32 | typeof I64 | typeof F32 | typeof F64 | typeof V128;
const VOID = 0x40;

/** Opcodes, by the text format's names. */
export const Op = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  br_if: 0x0d,
  br_table: 0x0e,
  return: 0x0f,
  call: 0x10,
  call_indirect: 0x11,
  return_call_indirect: 0x13,
  drop: 0x1a,
  select: 0x1b,
  local_get: 0x20,
  local_set: 0x21,
  local_tee: 0x22,
  i32_load: 0x28,
  i64_load: 0x29,
  f32_load: 0x2a,
  f64_load: 0x2b,
  i32_load8_u: 0x2d,
  i32_load16_u: 0x2f,
  i64_load8_u: 0x31,
  i64_load16_s: 0x32,
  i64_load16_u: 0x33,
  i64_load32_s: 0x34,
  i64_load32_u: 0x35,
  i32_load16_s: 0x2e,
  i32_store: 0x36,
  i64_store: 0x37,
  f32_store: 0x38,
  f64_store: 0x39,
  i32_store8: 0x3a,
  i32_store16: 0x3b,
  i64_store8: 0x3c,
  i64_store16: 0x3d,
  i64_store32: 0x3e,
  i32_const: 0x41,
  i64_const: 0x42,
  f32_const: 0x43,
  f64_const: 0x44,
  i32_eqz: 0x45,
  i32_eq: 0x46,
  i32_ne: 0x47,
  i32_lt_s: 0x48,
  i32_lt_u: 0x49,
  i32_gt_s: 0x4a,
  i32_gt_u: 0x4b,
  i32_le_s: 0x4c,
  i32_le_u: 0x4d,
  i32_ge_s: 0x4e,
  i32_ge_u: 0x4f,
  i64_eqz: 0x50,
  i64_eq: 0x51,
  i64_ne: 0x52,
  i64_lt_s: 0x53,
  i64_lt_u: 0x54,
  i64_gt_s: 0x55,
  i64_gt_u: 0x56,
  i64_ge_u: 0x5a,
  f64_eq: 0x61,
  f64_ne: 0x62,
  f64_lt: 0x63,
  f64_gt: 0x64,
  f64_le: 0x65,
  f64_ge: 0x66,
  i32_clz: 0x67,
  i32_ctz: 0x68,
  i32_popcnt: 0x69,
  i32_add: 0x6a,
  i32_sub: 0x6b,
  i32_mul: 0x6c,
  i32_div_s: 0x6d,
  i32_div_u: 0x6e,
  i32_rem_s: 0x6f,
  i32_rem_u: 0x70,
  i32_and: 0x71,
  i32_or: 0x72,
  i32_xor: 0x73,
  i32_shl: 0x74,
  i32_shr_s: 0x75,
  i32_shr_u: 0x76,
  i32_rotl: 0x77,
  i64_clz: 0x79,
  i64_ctz: 0x7a,
  i64_popcnt: 0x7b,
  i64_add: 0x7c,
  i64_sub: 0x7d,
  i64_mul: 0x7e,
  i64_div_s: 0x7f,
  i64_div_u: 0x80,
  i64_rem_s: 0x81,
  i64_rem_u: 0x82,
  i64_and: 0x83,
  i64_or: 0x84,
  i64_xor: 0x85,
  i64_shl: 0x86,
  i64_shr_s: 0x87,
  i64_shr_u: 0x88,
  i64_rotl: 0x89,
  f64_abs: 0x99,
  f64_neg: 0x9a,
  f64_ceil: 0x9b,
  f64_floor: 0x9c,
  f64_trunc: 0x9d,
  f64_nearest: 0x9e,
  f64_sqrt: 0x9f,
  f64_add: 0xa0,
  f64_sub: 0xa1,
  f64_mul: 0xa2,
  f64_div: 0xa3,
  f64_min: 0xa4,
  f64_max: 0xa5,
  f64_copysign: 0xa6,
  i32_wrap_i64: 0xa7,
  i32_trunc_f64_s: 0xaa,
  i32_trunc_f64_u: 0xab,
  i64_extend_i32_s: 0xac,
  i64_extend_i32_u: 0xad,
  i64_trunc_f64_s: 0xb0,
  i64_trunc_f64_u: 0xb1,
  f32_convert_i64_s: 0xb4,
  f32_convert_i64_u: 0xb5,
  f32_demote_f64: 0xb6,
  f64_convert_i32_s: 0xb7,
  f64_convert_i64_s: 0xb9,
  f64_convert_i64_u: 0xba,
  f64_promote_f32: 0xbb,
  i32_reinterpret_f32: 0xbc,
  i64_reinterpret_f64: 0xbd,
  f32_reinterpret_i32: 0xbe,
  f64_reinterpret_i64: 0xbf,
  i32_extend8_s: 0xc0,
  i32_extend16_s: 0xc1,
  i64_extend8_s: 0xc2,
  i64_extend16_s: 0xc3,
  i64_extend32_s: 0xc4,
} as const;

/** Opcodes after the prefix of vector instructions, by the text format's names. */
export const Simd = {
  v128_load: 0x00,
  v128_load32_splat: 0x09,
  v128_load64_splat: 0x0a,
  v128_store: 0x0b,
  v128_const: 0x0c,
  i8x16_shuffle: 0x0d,
  i8x16_splat: 0x0f,
  i32x4_splat: 0x11,
  i64x2_splat: 0x12,
  f64x2_splat: 0x14,
  i32x4_extract_lane: 0x1b,
  i64x2_extract_lane: 0x1d,
  i64x2_replace_lane: 0x1e,
  f64x2_extract_lane: 0x21,
  f64x2_replace_lane: 0x22,
  i8x16_eq: 0x23,
  i32x4_gt_u: 0x3c,
  f32x4_eq: 0x41,
  f32x4_lt: 0x43,
  f32x4_gt: 0x44,
  f32x4_ge: 0x46,
  f64x2_eq: 0x47,
  f64x2_lt: 0x49,
  f64x2_gt: 0x4a,
  f64x2_ge: 0x4c,
  v128_not: 0x4d,
  v128_and: 0x4e,
  v128_or: 0x50,
  v128_bitselect: 0x52,
  v128_any_true: 0x53,
  f32x4_demote_f64x2_zero: 0x5e,
  f64x2_promote_low_f32x4: 0x5f,
  f32x4_ceil: 0x67,
  f32x4_floor: 0x68,
  f32x4_trunc: 0x69,
  f32x4_nearest: 0x6a,
  f64x2_ceil: 0x74,
  f64x2_floor: 0x75,
  f64x2_trunc: 0x7a,
  f64x2_nearest: 0x94,
  i8x16_popcnt: 0x62,
  i16x8_extadd_pairwise_i8x16_u: 0x7d,
  i32x4_extadd_pairwise_i16x8_u: 0x7f,
  i32x4_bitmask: 0xa4,
  i32x4_add: 0xae,
  i64x2_bitmask: 0xc4,
  f32x4_abs: 0xe0,
  f32x4_neg: 0xe1,
  f32x4_sqrt: 0xe3,
  f32x4_add: 0xe4,
  f32x4_sub: 0xe5,
  f32x4_mul: 0xe6,
  f32x4_div: 0xe7,
  f32x4_min: 0xe8,
  f32x4_max: 0xe9,
  f64x2_abs: 0xec,
  f64x2_neg: 0xed,
  f64x2_sqrt: 0xef,
  f64x2_add: 0xf0,
  f64x2_sub: 0xf1,
  f64x2_mul: 0xf2,
  f64x2_div: 0xf3,
  f64x2_min: 0xf4,
  f64x2_max: 0xf5,
  i32x4_trunc_sat_f32x4_s: 0xf8,
  i32x4_trunc_sat_f32x4_u: 0xf9,
  f32x4_convert_i32x4_s: 0xfa,
  f32x4_convert_i32x4_u: 0xfb,
  i32x4_trunc_sat_f64x2_s_zero: 0xfc,
  i32x4_trunc_sat_f64x2_u_zero: 0xfd,
  f64x2_convert_low_i32x4_s: 0xfe,
  f64x2_convert_low_i32x4_u: 0xff,
  f32x4_relaxed_madd: 0x105,
  f64x2_relaxed_madd: 0x107,
} as const;

const floats = new Float64Array(1);
const floatBytes = new Uint8Array(floats.buffer);

/** Writes an unsigned LEB128 at `at`; returns where it ends. */
function putU32(bytes: Uint8Array, at: number, value: number): number {
  value >>>= 0;
  while (value > 0x7f) {
    bytes[at++] = (value & 0x7f) | 0x80;
    value >>>= 7;
  }
  bytes[at++] = value;
  return at;
}
/** The same of a signed number. */
function putS32(bytes: Uint8Array, at: number, value: number): number {
  for (;;) {
    const byte = value & 0x7f;
    value >>= 7;
    if ((value === 0 && (byte & 0x40) === 0) || (value === -1 && (byte & 0x40) !== 0)) {
      bytes[at++] = byte;
      return at;
    }
    bytes[at++] = byte | 0x80;
  }
}

/**
 * A growing buffer of bytes with the encodings that code is made of. What is written most is written with few calls: a program's code is made
 * before V8 has optimised any of this.
 */
export class Code {
  /** Little room at first: a module is put together from a dozen of these or more, most of which stay short, and room has to be cleared. */
  bytes = new Uint8Array(512);
  length = 0;

  private grow(): void {
    const larger = new Uint8Array(this.bytes.length * 2);
    larger.set(this.bytes);
    this.bytes = larger;
  }
  /** Makes room for so many bytes at once. */
  makeRoom(count: number): void {
    if (this.length + count + 16 <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.bytes.length, this.length + count + 64));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }
  op(byte: number): void {
    if (this.length + 16 > this.bytes.length) this.grow();
    this.bytes[this.length++] = byte;
  }
  u32(value: number): void {
    if (this.length + 16 > this.bytes.length) this.grow();
    this.length = putU32(this.bytes, this.length, value);
  }
  /** An opcode and a number that belongs to it. */
  private indexed(op: number, value: number): void {
    if (this.length + 16 > this.bytes.length) this.grow();
    const { bytes } = this;
    const at = this.length;
    bytes[at] = op;
    if (value >= 0 && value < 0x80) {
      bytes[at + 1] = value;
      this.length = at + 2;
    } else this.length = putU32(bytes, at + 1, value);
  }
  i32Const(value: number): void {
    if (this.length + 16 > this.bytes.length) this.grow();
    this.bytes[this.length] = Op.i32_const;
    this.length = putS32(this.bytes, this.length + 1, value | 0);
  }
  /** The 64-bit number with these words. */
  i64Const(low: number, high: number) {
    this.op(Op.i64_const);
    if (high === low >> 31) {
      this.length = putS32(this.bytes, this.length, low | 0);
      return;
    }
    for (;;) {
      const byte = low & 0x7f;
      low = (low >>> 7) | (high << 25);
      high >>= 7;
      const done = (high | low) === 0 ? (byte & 0x40) === 0 : (high & low) === -1 && (byte & 0x40) !== 0;
      this.bytes[this.length++] = done ? byte : byte | 0x80;
      if (done) return;
    }
  }
  f64Const(value: number): void {
    this.op(Op.f64_const);
    floats[0] = value;
    for (let i = 0; i < 8; i++) this.bytes[this.length++] = floatBytes[i];
  }
  get(local: number): void {
    this.indexed(Op.local_get, local);
  }
  set(local: number): void {
    this.indexed(Op.local_set, local);
  }
  tee(local: number): void {
    this.indexed(Op.local_tee, local);
  }
  /** A load or store: its opcode and constant offset, of no promised alignment. */
  access(op: number, offset: number): void {
    if (this.length + 16 > this.bytes.length) this.grow();
    const { bytes } = this;
    const at = this.length;
    bytes[at] = op;
    bytes[at + 1] = 0;
    this.length = putU32(bytes, at + 2, offset);
  }
  /** The same of a vector. */
  vectorAccess(op: number, offset: number): void {
    this.simd(op);
    this.op(0);
    this.u32(offset);
  }
  block(op: number): void {
    this.indexed(op, VOID);
  }
  end(): void {
    this.op(Op.end);
  }
  br(op: number, depth: number): void {
    this.indexed(op, depth);
  }
  /** A vector with these lanes. */
  v128Const({ buffer }: Float64Array | Float32Array | Int32Array): void {
    this.simd(Simd.v128_const);
    this.bytesOf([...new Uint8Array(buffer)]);
  }
  /** SIMD opcodes. */
  simd(opcode: number): void {
    this.op(0xfd);
    this.u32(opcode);
  }
  /** Code that was made elsewhere. */
  bytesOf(list: readonly number[]): void {
    this.makeRoom(list.length);
    this.bytes.set(list, this.length);
    this.length += list.length;
  }
  append(from: Code): void {
    this.makeRoom(from.length);
    this.bytes.set(from.bytes.subarray(0, from.length), this.length);
    this.length += from.length;
  }
  name(text: string): void {
    this.u32(text.length);
    for (let i = 0; i < text.length; i++) this.op(text.charCodeAt(i));
  }
}

/** The function of a module: the types of its locals beyond the parameters, and its body without the final `end`. */
export interface FunctionBody {
  readonly locals: readonly ValueType[];
  readonly body: Code;
  /** Default: that of all translated code. */
  readonly signature?: { readonly parameters: readonly ValueType[]; readonly results: readonly ValueType[] };
  /** What the module exports it as; default its number. */
  readonly name?: string;
  /** Functions that it calls as FIRST_HELPER, FIRST_HELPER + 1 and so on; only of the one function that a module exports. */
  readonly helpers?: readonly FunctionBody[];
}

/** Index of the only function type of translated code: (budget, stack, address) -> (next address, budget). */
export const TRANSLATED = 0;
/** Type of blocks that an address and a budget come out of. */
export const LANDING = 2;
/** Function indices of the imported `step`, of the (first) function that a module exports, and of the first of its helpers. */
export const STEP = 0;
export const OWN = 1;
export const FIRST_HELPER = 2;

/** Tables of a module: the functions that it calls by a constant, and all there are. */
export const CALLEES = 0;
export const ALL = 1;

function section(into: Code, id: number, content: Code): void {
  into.op(id);
  into.u32(content.length);
  into.append(content);
}

/**
 * A module of translated functions. It imports the machine's memory, a table of the functions that it calls, `step`, which has the interpreter
 * execute one instruction, and where it `looksUp` functions the table of all of them, which is large, and has its price for every module that
 * imports it. It exports its functions as "0", "1" and so on.
 */
export function buildModule(
  exported: readonly FunctionBody[],
  memoryPages: number,
  looksUp = false,
): Uint8Array<ArrayBuffer> {
  const module = new Code();
  for (const byte of [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]) module.op(byte);

  const helpers = exported[0].helpers ?? [];
  const functions = [...exported, ...helpers];
  const types = new Code();
  const others = functions.filter(({ signature }) => signature !== undefined);
  types.u32(3 + others.length);
  for (const byte of [0x60, 3, I32, I32, I32, 2, I32, I32]) types.op(byte);
  for (const byte of [0x60, 1, I32, 1, I32]) types.op(byte);
  for (const byte of [0x60, 0, 2, I32, I32]) types.op(byte);
  for (const { signature } of others) {
    types.op(0x60);
    for (const list of [signature!.parameters, signature!.results]) {
      types.u32(list.length);
      for (const type of list) types.op(type);
    }
  }
  section(module, 1, types);

  const imports = new Code();
  imports.u32(looksUp ? 4 : 3);
  imports.name("m");
  imports.name("step");
  imports.op(0);
  imports.u32(1);
  imports.name("m");
  imports.name("memory");
  imports.op(2);
  for (const limit of memoryLimits(memoryPages)) imports.u32(limit);
  for (const name of looksUp ? ["callees", "all"] : ["callees"]) {
    imports.name("m");
    imports.name(name);
    imports.op(1);
    imports.op(0x70);
    imports.op(0);
    imports.u32(0);
  }
  section(module, 2, imports);

  const list = new Code();
  list.u32(functions.length);
  for (const one of functions) list.u32(one.signature === undefined ? TRANSLATED : 3 + others.indexOf(one));
  section(module, 3, list);

  const exports = new Code();
  exports.u32(exported.length);
  exported.forEach(({ name }, i) => {
    exports.name(name ?? String(i));
    exports.op(0);
    exports.u32(OWN + i);
  });
  section(module, 7, exports);

  const bodies = new Code();
  bodies.u32(functions.length);
  for (const { locals, body } of functions) {
    const whole = new Code();
    const groups: [number, ValueType][] = [];
    for (const type of locals) {
      const last = groups[groups.length - 1];
      if (last !== undefined && last[1] === type) last[0]++;
      else groups.push([1, type]);
    }
    whole.u32(groups.length);
    for (const [count, type] of groups) {
      whole.u32(count);
      whole.op(type);
    }
    whole.append(body);
    whole.end();
    bodies.u32(whole.length);
    bodies.append(whole);
  }
  section(module, 10, bodies);
  return module.bytes.slice(0, module.length);
}
