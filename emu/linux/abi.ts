/**
 * What depends on the ABI of a guest, and C structs as data: a struct is declared once as a list of typed fields,
 * and encoded and decoded for either word size and byte order with the C rules of alignment.
 */
import type { Abi } from "../snapshot.ts";

export interface AbiInfo {
  readonly name: Abi;
  /** `long` and pointers have 64 bits. */
  readonly is64: boolean;
  readonly littleEndian: boolean;
  /** Bytes of `long`. */
  readonly wordSize: 4 | 8;
  /** uname(2) machine. */
  readonly machine: string;
  /** Function pointers are plain addresses (ELFv2), not descriptors; 64-bit only. */
  readonly elfv2: boolean;
}

export const ABIS: Readonly<Record<Abi, AbiInfo>> = {
  ppc32: { name: "ppc32", is64: false, littleEndian: false, wordSize: 4, machine: "ppc", elfv2: false },
  ppc64: { name: "ppc64", is64: true, littleEndian: false, wordSize: 8, machine: "ppc64", elfv2: false },
  ppc64le: { name: "ppc64le", is64: true, littleEndian: true, wordSize: 8, machine: "ppc64le", elfv2: true },
};

/** Field types; `long`, `ulong` and `pointer` have the width of the ABI. */
export type Scalar =
  | "i8"
  | "u8"
  | "i16"
  | "u16"
  | "i32"
  | "u32"
  | "i64"
  | "u64"
  | "long"
  | "ulong"
  | "pointer";
/** A scalar, an array of scalars, or that many plain bytes. */
export type FieldType = Scalar | readonly [Scalar, number] | readonly ["bytes", number];
export type Fields = Readonly<Record<string, FieldType>>;

type ScalarValue<T> = T extends "i64" | "u64" | "long" | "ulong" | "pointer" ? bigint : number;
type FieldValue<T> = T extends readonly ["bytes", number]
  ? Uint8Array
  : T extends readonly [infer S, number]
    ? ScalarValue<S>[]
    : ScalarValue<T>;
/** What `decode` gives: bigint for 64-bit and word-sized fields, numbers for the smaller ones. */
export type Decoded<F extends Fields> = { -readonly [K in keyof F]: FieldValue<F[K]> };

type Loose<T> = T extends Uint8Array
  ? Uint8Array
  : T extends unknown[]
    ? (number | bigint)[]
    : number | bigint;
/** What `encode` takes: any field may be left out (zero) and numbers may be of either kind. Values wrap. */
export type Encodable<F extends Fields> = { [K in keyof F]?: Loose<FieldValue<F[K]>> };

/** Bytes of a scalar, which is also its alignment. */
function scalarSize(abi: AbiInfo, type: Scalar): 1 | 2 | 4 | 8 {
  switch (type) {
    case "i8":
    case "u8":
      return 1;
    case "i16":
    case "u16":
      return 2;
    case "i32":
    case "u32":
      return 4;
    case "i64":
    case "u64":
      return 8;
    default:
      return abi.wordSize;
  }
}

const isSigned = (type: Scalar): boolean => type === "long" || type.startsWith("i");

/** Numbers go in without BigInts, which cost V8 a call each. */
function putScalar(view: DataView, at: number, little: boolean, size: number, value: number | bigint): void {
  if (size === 8) {
    if (typeof value === "bigint") view.setBigUint64(at, value, little);
    else if (Number.isSafeInteger(value)) {
      view.setInt32(at + (little ? 0 : 4), value, little);
      view.setInt32(at + (little ? 4 : 0), Math.floor(value / 2 ** 32), little);
    } else view.setBigUint64(at, BigInt(value), little);
    return;
  }
  const number = typeof value === "number" ? value : Number(BigInt.asUintN(32, value));
  if (size === 4) view.setInt32(at, number, little);
  else if (size === 2) view.setInt16(at, number, little);
  else view.setInt8(at, number);
}

/** Where numbers of a size may be stored. */
export interface Writable {
  write8(address: number, value: number): void;
  write16(address: number, value: number): void;
  write32(address: number, value: number): void;
  write64(address: number, value: bigint): void;
  writeHalves(address: number, high: number, low: number): void;
}

function writeScalar(memory: Writable, address: number, size: number, value: number | bigint): void {
  if (size === 8) {
    if (typeof value === "bigint") memory.write64(address, value);
    else if (Number.isSafeInteger(value)) memory.writeHalves(address, Math.floor(value / 2 ** 32), value | 0);
    else memory.write64(address, BigInt(value));
    return;
  }
  const number = typeof value === "number" ? value : Number(BigInt.asUintN(32, value));
  if (size === 4) memory.write32(address, number | 0);
  else if (size === 2) memory.write16(address, number);
  else memory.write8(address, number);
}

function getScalar(view: DataView, at: number, little: boolean, placed: Placed): number | bigint {
  const { unit, signed } = placed;
  switch (unit) {
    case 8:
      return signed ? view.getBigInt64(at, little) : view.getBigUint64(at, little);
    case 4: {
      const value = signed ? view.getInt32(at, little) : view.getUint32(at, little);
      return placed.isWord ? BigInt(value) : value;
    }
    case 2:
      return signed ? view.getInt16(at, little) : view.getUint16(at, little);
    default:
      return signed ? view.getInt8(at) : view.getUint8(at);
  }
}

interface Placed {
  readonly name: string;
  readonly scalar: Scalar | "bytes";
  /** Elements; undefined for a plain scalar. */
  readonly count: number | undefined;
  readonly offset: number;
  readonly size: number;
  /** Bytes of an element. */
  readonly unit: number;
  readonly signed: boolean;
  /** Of the ABI's word size: a bigint whatever that is. */
  readonly isWord: boolean;
}

interface Plan {
  readonly size: number;
  /** What `lend` and `room` give. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView;
  readonly fields: readonly Placed[];
  /** Those that mean something, and those that the kernel keeps free, whose names begin with two underscores. */
  readonly used: readonly Placed[];
  readonly unused: readonly Placed[];
  /** Offsets of the bytes that are in no field. */
  readonly gaps: readonly number[];
}

/** A C struct: `struct({ tv_sec: "long", tv_nsec: "long" })`. */
export class Layout<F extends Fields> {
  readonly fields: F;
  private readonly plans = new Map<Abi, Plan>();
  /** The one that was wanted last. */
  private recent: { readonly abi: AbiInfo; readonly plan: Plan } | undefined;

  constructor(fields: F) {
    this.fields = fields;
  }

  /** sizeof the struct. */
  size(abi: AbiInfo): number {
    return this.plan(abi).size;
  }

  /** offsetof a field. */
  offset(abi: AbiInfo, field: keyof F & string): number {
    return this.plan(abi).fields.find(({ name }) => name === field)!.offset;
  }

  /** The struct's bytes in guest order; fields left out are zero. */
  encode(abi: AbiInfo, values: Encodable<F>): Uint8Array<ArrayBuffer> {
    return this.lend(abi, values).slice();
  }

  /** As `encode`, in an array that the next call writes over: to make one takes V8 longer than to fill it. */
  lend(abi: AbiInfo, values: Encodable<F>): Uint8Array<ArrayBuffer> {
    const { fields, bytes, view } = this.plan(abi);
    const little = abi.littleEndian;
    bytes.fill(0);
    for (const { name, scalar, count, offset, unit } of fields) {
      const value = values[name] as number | bigint | (number | bigint)[] | Uint8Array | undefined;
      if (value === undefined) continue;
      if (scalar === "bytes") bytes.set((value as Uint8Array).subarray(0, count), offset);
      else if (count === undefined) putScalar(view, offset, little, unit, value as number | bigint);
      else {
        (value as (number | bigint)[]).slice(0, count).forEach((element, i) => {
          putScalar(view, offset + i * unit, little, unit, element);
        });
      }
    }
    return bytes;
  }

  /**
   * Writes a struct of scalars to where all of it may be stored, with values for the first of them in their order: to find values by their names takes
   * V8 longer than to write them, and to lay them out in an array before as long. Fields that are kept free have no values; they are zero, as what is
   * between fields.
   */
  writeInOrder(abi: AbiInfo, memory: Writable, address: number, values: readonly (number | bigint)[]): void {
    const { used, unused, gaps } = this.plan(abi);
    for (let i = 0; i < used.length; i++) {
      const { offset, unit } = used[i];
      writeScalar(memory, address + offset, unit, i < values.length ? values[i] : 0);
    }
    for (const { offset, unit } of unused) writeScalar(memory, address + offset, unit, 0);
    for (const gap of gaps) memory.write8(address + gap, 0);
  }

  /** An array of the struct's size, for bytes that are decoded next: it is the one that `lend` fills. */
  room(abi: AbiInfo): Uint8Array<ArrayBuffer> {
    return this.plan(abi).bytes;
  }

  /** The fields of a struct whose bytes begin at `bytes[0]`; there must be at least `size` of them. */
  decode(abi: AbiInfo, bytes: Uint8Array): Decoded<F> {
    const { fields, bytes: room, view: seen } = this.plan(abi);
    const view = bytes === room ? seen : new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const values: Record<string, unknown> = {};
    const little = abi.littleEndian;
    for (const placed of fields) {
      const { name, scalar, count, offset, size, unit } = placed;
      if (scalar === "bytes") values[name] = bytes.slice(offset, offset + size);
      else if (count === undefined) values[name] = getScalar(view, offset, little, placed);
      else {
        const elements: (number | bigint)[] = [];
        for (let i = 0; i < count; i++) elements.push(getScalar(view, offset + i * unit, little, placed));
        values[name] = elements;
      }
    }
    return values as Decoded<F>;
  }

  private plan(abi: AbiInfo): Plan {
    if (this.recent?.abi === abi) return this.recent.plan;
    const plan = this.plans.get(abi.name) ?? this.makePlan(abi);
    this.recent = { abi, plan };
    return plan;
  }

  private makePlan(abi: AbiInfo): Plan {
    let at = 0;
    let alignment = 1;
    const fields: Placed[] = [];
    for (const [name, type] of Object.entries(this.fields)) {
      const [scalar, count] = typeof type === "string" ? ([type, undefined] as const) : type;
      const unit = scalar === "bytes" ? 1 : scalarSize(abi, scalar);
      alignment = Math.max(alignment, unit);
      at = Math.ceil(at / unit) * unit;
      const size = unit * (count ?? 1);
      const signed = scalar !== "bytes" && isSigned(scalar);
      const isWord = scalar === "long" || scalar === "ulong" || scalar === "pointer";
      fields.push({ name, scalar, count, offset: at, size, unit, signed, isWord });
      at += size;
    }
    const size = Math.ceil(at / alignment) * alignment;
    const bytes = new Uint8Array(size);
    for (const { offset, size: length } of fields) bytes.fill(1, offset, offset + length);
    const gaps = [...bytes.keys()].filter((offset) => bytes[offset] === 0);
    const isUnused = ({ name }: Placed) => name.startsWith("__");
    const plan = {
      ...{ size, fields, gaps, bytes, view: new DataView(bytes.buffer) },
      ...{ used: fields.filter((field) => !isUnused(field)), unused: fields.filter(isUnused) },
    };
    this.plans.set(abi.name, plan);
    return plan;
  }
}

/** Declares a struct; fields stand in the order of the C declaration. */
export const struct = <const F extends Fields>(fields: F): Layout<F> => new Layout(fields);

/** struct timespec of the ABI's own word size, and the 64-bit one of the time64 calls. */
export const TIMESPEC = struct({ tv_sec: "long", tv_nsec: "long" });
export const TIMESPEC64 = struct({ tv_sec: "i64", tv_nsec: "i64" });
export const TIMEVAL = struct({ tv_sec: "long", tv_usec: "long" });
