/**
 * The CPU that runs now, as its instructions see it.
 *
 * There is one set of handlers for all CPUs of the process. They work on the fields of one object, which `bind` sets when a CPU
 * starts to run. V8 knows of each field what kind of object is in it, and so checks nothing where a handler uses it. Measured on
 * whole programs, of the speed of handlers that close over the arrays of the only CPU there is: this 86 to 91 %, variables of the
 * module 60 to 72 %. Closures fall to 55 to 70 % for good with the second machine or the first execve.
 */
import type { AddressSpace } from "../memory/address-space.ts";
import type { Cpu, CpuModel } from "./cpu.ts";
import type { Registers } from "./registers.ts";
import { includes } from "./versions.ts";

let bound: Cpu | undefined;

/** A number, which V8 tests at once; a truth value it looks at in five steps. */
type Flag = 0 | 1;

/** What there is before a CPU is bound: of the right kinds, so that no other kind is ever seen. */
const none = new ArrayBuffer(8) as ArrayBufferLike;

/** Set by `bind`; `codeHigh` by the run loop. */
export const cpu = {
  // The register block, in views of all kinds: see `Registers`.
  i32: new Int32Array(none),
  u32: new Uint32Array(none),
  i64: new BigInt64Array(none),
  u64: new BigUint64Array(none),
  f64: new Float64Array(none),
  f32: new Float32Array(none),
  bytes: new Uint8Array(none),
  registers: undefined as unknown as Registers,

  // Guest memory, the whole of it as a view, its guard tables, and how addresses become offsets (`hostOffset`).
  memory: undefined as unknown as AddressSpace,
  view: new DataView(none),
  readGuard: new Uint8Array(none),
  writeGuard: new Uint8Array(none),
  flip: 0,
  base: 0,

  /** The upper half of the address of the instruction that runs. */
  codeHigh: 0,

  model: undefined as unknown as CpuModel,
  /** 64-bit mode: addresses, CR0, CA and OV are of the whole register. */
  is64: 0 as Flag,
  /** The model is of ISA 3.0 or later: it has CA32 and OV32. */
  isVersion3: 0 as Flag,
};

/** Ticks of 512 MHz. */
export const timeBase = (): bigint => bound!.timeBase();
/** Eight random bytes. */
export const random = (): bigint => bound!.random();

/** Makes handlers work on a CPU. Whoever calls handlers does this first; it costs nothing when nothing changes. */
export function bind(next: Cpu): void {
  if (next === bound) return;
  bound = next;
  const { registers, memory, model } = next;
  cpu.i32 = registers.i32;
  cpu.u32 = registers.u32;
  cpu.i64 = registers.i64;
  cpu.u64 = registers.u64;
  cpu.f64 = registers.f64;
  cpu.f32 = registers.f32;
  cpu.bytes = registers.bytes;
  cpu.registers = registers;
  cpu.memory = memory;
  cpu.view = memory.view;
  cpu.readGuard = memory.readGuard;
  cpu.writeGuard = memory.writeGuard;
  cpu.flip = memory.storage.flip;
  cpu.base = memory.storage.base;
  cpu.model = model;
  cpu.is64 = next.is64 ? 1 : 0;
  cpu.isVersion3 = includes(model.version, "3.0") ? 1 : 0;
}
