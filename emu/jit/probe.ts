/** What the host's WebAssembly can do. */
import { newMemory } from "../memory/wasm-memory.ts";
import { buildModule, Code, F64, Simd } from "./wasm.ts";

let fused: boolean | undefined;

/**
 * Whether f64x2.relaxed_madd is there and rounds once: with a = 1 + 2^-30, a * a - (1 + 2^-29) is 2^-60 then, and 0 if the product is
 * rounded first.
 */
export function hasFusedMultiplyAdd(): boolean {
  return (fused ??= probe());
}

function probe(): boolean {
  const body = new Code();
  for (const parameter of [0, 1, 2]) {
    body.get(parameter);
    body.simd(Simd.f64x2_splat);
  }
  body.simd(Simd.f64x2_relaxed_madd);
  body.simd(Simd.f64x2_extract_lane);
  body.op(0);
  const signature = { parameters: [F64, F64, F64], results: [F64] } as const;
  const bytes = buildModule([{ locals: [], body, signature, name: "madd" }], 1);
  if (!WebAssembly.validate(bytes)) return false;
  const imports = {
    memory: newMemory(1),
    callees: new WebAssembly.Table({ element: "anyfunc", initial: 0 }),
    step: () => 0,
  };
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { m: imports });
  const madd = instance.exports.madd as (a: number, b: number, c: number) => number;
  const a = 1 + 2 ** -30;
  return madd(a, a, -(1 + 2 ** -29)) === 2 ** -60;
}
