/** What the quick loop, the code that makes its module and the build that has it made before agree on. */
import type { CpuModel } from "../cpu/cpu.ts";
import { includes } from "../cpu/versions.ts";
import type { ByteOrder } from "../memory/byte-order.ts";
import { memoryLimits } from "../memory/wasm-memory.ts";
import type { Target } from "./generator.ts";

/** Why the loop came back. */
export const Stop = {
  /** No instructions are left. */
  limit: 0,
  /** The instruction at NIA has thrown. */
  thrown: 1,
  /** Code has changed. */
  changed: 2,
  /** The program has arrived at NIA as often as it might. */
  arrived: 3,
  /** The instruction at NIA is the interpreter's, or its page has not been run. */
  interpret: 4,
  /** Only the instruction's way to `step` comes back with this: the loop can execute it itself now. */
  again: 5,
} as const;

/**
 * The accesses of vectors that the loop executes itself, by their bytes, as they are in the word (`DQ` form) or by RB. Their handlers are modules, made
 * when they are first called: what a page lets pass only after a look at it is no reason to make one.
 */
export const VECTOR_ACCESSES = new Map<string, { readonly bytes: number; readonly isStore: boolean }>([
  ...["lvx", "lxvd2x", "lxvx", "lxv"].map((name) => [name, { bytes: 16, isStore: false }] as const),
  ...["stvx", "stxvd2x", "stxvx", "stxv"].map((name) => [name, { bytes: 16, isStore: true }] as const),
  ...["lxsdx", "lxvdsx"].map((name) => [name, { bytes: 8, isStore: false }] as const),
  ["stxsdx", { bytes: 8, isStore: true }],
]);

/** A `Target` as far as it is known without asking what the host's WebAssembly can do. */
export type QuickTarget = Omit<Target, "fused">;

/** What is generated for on a CPU. */
export function quickTarget(
  { is64, model }: { is64: boolean; model: CpuModel },
  { byteOrder, size }: { byteOrder: ByteOrder; size: number },
): QuickTarget {
  return {
    is64,
    bigEndian: byteOrder === "big",
    size,
    has32: includes(model.version, "3.0"),
    hasDrn: includes(model.version, "2.05"),
    clearsLower: includes(model.version, "3.1"),
    cacheBlock: model.cacheBlock,
  };
}

/** The name of the loop for a target and a model, by all that its module depends on. */
export function nameOfQuick({ is64, bigEndian, size }: QuickTarget, model: CpuModel): string {
  const pages = size / 65536;
  return `quick-${model.name}-${is64 ? 64 : 32}${bigEndian ? "be" : "le"}-${memoryLimits(pages).slice(0, 2).join("-")}`;
}
