/** Modules of WebAssembly that the build has made ready, as V8 has optimised them: they are the same in every run. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { deserialize } from "../emu/host/node/kept-code.ts";
import { withPlainFlags } from "./engine-flags.ts";
import { readSealed } from "./sealed.ts";

/** The file of one, beside the command's scripts. */
export const preparedFile = (name: string): string => `${name}.wasm`;
/** The file of the code that V8 has made of it: it takes it only from the same version, with the same flags, and for such a processor. */
export const optimisedFile = (name: string): string => `${name}.native`;

/** The module of a name; undefined where there is none. */
export function prepared(name: string): WebAssembly.Module | undefined {
  try {
    const wire = new Uint8Array(readFileSync(join(import.meta.dirname, preparedFile(name))));
    const code = readSealed(join(import.meta.dirname, optimisedFile(name)));
    const ready = code && withPlainFlags(() => deserialize(new Uint8Array(code), wire));
    return ready ?? new WebAssembly.Module(wire);
  } catch {
    return undefined;
  }
}
