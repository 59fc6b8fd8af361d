/**
 * The CPU that runs now, as its instructions see it.
 *
 * There is one set of handlers for all CPUs of the process. What they work on are these variables, which `bind` sets when a
 * CPU starts to run. (Handlers that close over the arrays of one CPU are as fast only as long as there is one: V8 folds what is
 * captured once, and drops to 55 to 70 % of the speed for good with the second machine or the first execve.)
 */
import type { AddressSpace } from "../memory/address-space.ts";
import type { Cpu, CpuModel } from "./cpu.ts";
import type { Registers } from "./registers.ts";
import { includes } from "./versions.ts";

let bound: Cpu | undefined;

/** The register block, in views of all kinds: see `Registers`. */
export let i32: Int32Array;
export let u32: Uint32Array;
export let i64: BigInt64Array;
export let u64: BigUint64Array;
export let f64: Float64Array;
export let f32: Float32Array;
export let bytes: Uint8Array;
export let registers: Registers;

/** Guest memory, the whole of it as a view, and its guard tables. */
export let memory: AddressSpace;
export let view: DataView;
export let readGuard: Uint8Array;
export let writeGuard: Uint8Array;

/** The upper half of the address of the instruction that runs. */
export let codeHigh = 0;
export const setCodeHigh = (high: number): void => {
  codeHigh = high;
};

export let model: CpuModel;
/** 64-bit mode: addresses, CR0, CA and OV are of the whole register. */
export let is64: boolean;
/** The model is of ISA 3.0 or later: it has CA32 and OV32. */
export let isVersion3: boolean;

/** Ticks of 512 MHz. */
export const timeBase = (): bigint => bound!.timeBase();
/** Eight random bytes. */
export const random = (): bigint => bound!.random();

/** Makes handlers work on `cpu`. Whoever calls handlers does this first; it costs nothing when nothing changes. */
export function bind(cpu: Cpu): void {
  if (cpu === bound) return;
  bound = cpu;
  ({ registers, memory, model, is64 } = cpu);
  ({ i32, u32, i64, u64, f64, f32, bytes } = registers);
  ({ view, readGuard, writeGuard } = memory);
  isVersion3 = includes(model.version, "3.0");
}
