/** The flags of V8 that the command changes before anything is translated. */
import { setEngineFlag } from "../emu/host/node/v8-flags.ts";
import { OPTIMIZE_AFTER } from "../emu/tuning.ts";

/**
 * As they are set, and as Node 20's V8 has them by itself. It has relaxed SIMD, of which the fused multiply-add is wanted, behind a flag;
 * later versions know no such flag.
 */
const FLAGS = [
  { wanted: "--experimental-wasm-relaxed-simd", plain: "--no-experimental-wasm-relaxed-simd" },
  { wanted: `--interrupt-budget=${OPTIMIZE_AFTER}`, plain: "--interrupt-budget=67584" },
];
let areSet = false;

/** Makes V8 able to do what translated code is faster with. Most programs end before there is any: to load `v8` takes milliseconds. */
export function setEngineFlags(): void {
  if (Number(process.versions.v8.split(".")[0]) >= 12) return;
  areSet = true;
  for (const { wanted } of FLAGS) setEngineFlag(wanted);
}

/** Does something with the flags as they were: V8 takes a code cache only with those that it was made with. */
export function withPlainFlags<T>(work: () => T): T {
  if (!areSet) return work();
  for (const { plain } of FLAGS) setEngineFlag(plain);
  try {
    return work();
  } finally {
    setEngineFlags();
  }
}
