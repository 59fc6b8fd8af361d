/**
 * The WebAssembly that a few snippets become, as text beside them in `emitted/`. `npx vitest run test/jit/emitted-code.test.ts -u` takes over
 * what is there now: read the difference before.
 */
import { createRequire } from "node:module";
import { expect, it } from "vitest";
import { modelFor } from "../../emu/cpu/models.ts";
import { asm } from "../../emu/isa/encoder.ts";
import { produce } from "../../emu/jit/produce.ts";
import { scan } from "../../emu/jit/scan.ts";
import { TUNING } from "../../emu/tuning.ts";
import { sourceOf } from "./words-source.ts";

type Wabt = {
  readWasm(bytes: Uint8Array, features: object): { toText(options: object): string; destroy(): void };
};
const START = 0x1000_0000;

/** The text of the function that the lines are translated to. */
async function emitted(abi: "ppc32" | "ppc64", lines: readonly string[]): Promise<string> {
  const words = lines.map((line) => asm(line));
  const is64 = abi === "ppc64";
  const region = scan(sourceOf(START, words), [START], is64, TUNING.mostInstructions);
  const target = {
    is64,
    bigEndian: true,
    size: 0x1_0000_0000,
    has32: false,
    hasDrn: false,
    clearsLower: false,
    cacheBlock: 128,
    fused: true,
  };
  const model = modelFor(undefined, abi);
  const { wire } = produce({ region, wanted: [START], target, model, tuning: TUNING, pages: 65_536 });
  const wabt = await (createRequire(import.meta.url)("wabt") as () => Promise<Wabt>)();
  const module = wabt.readWasm(wire, {
    simd: true,
    tail_call: true,
    threads: true,
  });
  const text = module.toText({ foldExprs: true, inlineExport: false });
  module.destroy();
  // The first function is the translation; those after it are the same in all modules.
  const functions = text.slice(text.indexOf("  (func (;1;)"), text.indexOf("  (func (;2;)"));
  return `${lines.map((line) => `;; ${line}`).join("\n")}\n${functions}`;
}

const SNIPPETS: Readonly<Record<string, readonly ["ppc32" | "ppc64", readonly string[]]>> = {
  "loop on one word": ["ppc64", ["lwz 9,8(3)", "add 4,4,9", "bc 16,0,-8", "bclr 20,0,0"]],
  "sum of words": ["ppc64", ["lwzu 9,4(3)", "add 4,4,9", "bc 16,0,-8", "bclr 20,0,0"]],
  "greatest of two": ["ppc32", ["cmp 0,0,3,4", "bc 12,1,8", "or 3,4,4", "bclr 20,0,0"]],
  "loop entered in its middle": [
    "ppc64",
    ["bc 12,2,12", "lwz 5,4(3)", "add 4,4,5", "lwzu 9,8(3)", "bc 16,0,-12", "bclr 20,0,0"],
  ],
  "record on the stack": ["ppc64", ["std 4,-16(1)", "std 5,-8(1)", "ld 6,-16(1)", "bclr 20,0,0"]],
  "sum of vectors": ["ppc64", ["lvx 0,0,3", "lvx 1,0,4", "vadduwm 0,0,1", "stvx 0,0,3", "bclr 20,0,0"]],
};

for (const [name, [abi, lines]] of Object.entries(SNIPPETS)) {
  it(`translates a ${name} as is written down`, async () => {
    await expect(await emitted(abi, lines)).toMatchFileSnapshot(`emitted/${name.replaceAll(" ", "-")}.wat`);
  });
}
