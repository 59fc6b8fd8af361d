/**
 * The compiled command: one script, and beside it V8's code cache of that script, which spares every start the parsing
 * and compiling (about a fifth of what running a small program takes). V8 takes the cache only from its own version, so another
 * version of Node than the one that built ppcr compiles as usual.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Script } from "node:vm";

/** The files that the build leaves in dist/bin. */
export const SCRIPT = "main.cjs";
export const CACHE = "main.cache";

/** Compiles the script in `folder`. `run` executes it as Node would a CommonJS module. */
export function loadBundle(folder: string): { script: Script; run(): void } {
  const filename = join(folder, SCRIPT);
  // The script is ASCII: V8 then keeps a byte a character, and nothing is decoded.
  const script = new Script(readFileSync(filename, "latin1"), {
    filename,
    cachedData: readIfThere(join(folder, CACHE)),
  });
  const run = () => {
    const module = { exports: {} };
    const call = script.runInThisContext() as (...parameters: unknown[]) => void;
    call(module.exports, createRequire(filename), module, filename, dirname(filename));
  };
  return { script, run };
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}
