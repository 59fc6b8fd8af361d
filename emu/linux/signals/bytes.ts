/** A piece of guest memory in hand: bytes in guest order, read and written as the guest's own C types. */

import type { Registers } from "../../cpu/registers.ts";

/** What the layout of a C struct depends on. */
export interface DataModel {
  /** `long` and pointers are 64 bits. */
  readonly is64: boolean;
  readonly littleEndian: boolean;
}

export class GuestBytes {
  readonly model: DataModel;
  readonly bytes: Uint8Array<ArrayBuffer>;
  private readonly view: DataView;
  private readonly little: boolean;

  /** Zeros of a given length, or bytes read from the guest. `view`, where there is one already, begins with them. */
  constructor(model: DataModel, from: number | Uint8Array<ArrayBuffer>, view?: DataView) {
    this.model = model;
    this.bytes = typeof from === "number" ? new Uint8Array(from) : from;
    this.view = view ?? new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
    this.little = model.littleEndian;
  }

  /** The part from `at` on, sharing the bytes. */
  from(at: number): GuestBytes {
    return new GuestBytes(this.model, this.bytes.subarray(at) as Uint8Array<ArrayBuffer>);
  }

  u16(at: number): number {
    return this.view.getUint16(at, this.little);
  }
  u32(at: number): number {
    return this.view.getUint32(at, this.little);
  }
  i32(at: number): number {
    return this.view.getInt32(at, this.little);
  }
  u64(at: number): bigint {
    return this.view.getBigUint64(at, this.little);
  }
  /** Unsigned long, or a pointer. */
  ulong(at: number): bigint {
    return this.model.is64 ? this.u64(at) : BigInt(this.u32(at));
  }
  /** The same as a number; exact as far as guest memory reaches. */
  address(at: number): number {
    if (!this.model.is64) return this.u32(at);
    const [low, high] = [this.u32(at + (this.little ? 0 : 4)), this.u32(at + (this.little ? 4 : 0))];
    return high * 2 ** 32 + low;
  }
  setU16(at: number, value: number): void {
    this.view.setUint16(at, value, this.little);
  }
  setU32(at: number, value: number): void {
    this.view.setUint32(at, value, this.little);
  }
  setU64(at: number, value: bigint): void {
    this.view.setBigUint64(at, value, this.little);
  }
  /** A number is not negative, and exact. */
  setUlong(at: number, value: bigint | number): void {
    const { is64 } = this.model;
    if (typeof value === "number") {
      this.setU32(at + (is64 && !this.little ? 4 : 0), value);
      if (is64) this.setU32(at + (this.little ? 4 : 0), value < 2 ** 32 ? 0 : Math.floor(value / 2 ** 32));
    } else if (is64) this.setU64(at, value);
    else this.setU32(at, Number(BigInt.asUintN(32, value)));
  }

  // ---- doublewords of a register block, by their offset there: in halves, for BigInts cost V8 a call each

  copyU64(at: number, { u32 }: Registers, offset: number): void {
    this.view.setUint32(at + (this.little ? 0 : 4), u32[offset / 4], this.little);
    this.view.setUint32(at + (this.little ? 4 : 0), u32[offset / 4 + 1], this.little);
  }
  /** One of which 32-bit tasks have the lower half. */
  copyUlong(at: number, registers: Registers, offset: number): void {
    if (this.model.is64) this.copyU64(at, registers, offset);
    else this.view.setUint32(at, registers.u32[offset / 4], this.little);
  }
  loadU64(at: number, { u32 }: Registers, offset: number): void {
    u32[offset / 4] = this.view.getUint32(at + (this.little ? 0 : 4), this.little);
    u32[offset / 4 + 1] = this.view.getUint32(at + (this.little ? 4 : 0), this.little);
  }
  loadUlong(at: number, registers: Registers, offset: number): void {
    if (this.model.is64) this.loadU64(at, registers, offset);
    else {
      registers.u32[offset / 4] = this.view.getUint32(at, this.little);
      registers.u32[offset / 4 + 1] = 0;
    }
  }

  /** A signal set: an array of unsigned long, lowest signals first. */
  sigset(at: number): bigint {
    if (this.model.is64) return this.u64(at);
    return BigInt(this.u32(at)) | (BigInt(this.u32(at + 4)) << 32n);
  }
  setSigset(at: number, mask: bigint): void {
    if (this.model.is64) this.setU64(at, mask);
    else {
      this.setU32(at, Number(BigInt.asUintN(32, mask)));
      this.setU32(at + 4, Number(mask >> 32n));
    }
  }
}
