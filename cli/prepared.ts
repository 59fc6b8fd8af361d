/** Modules of WebAssembly that the build has made ready: they are the same in every run. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The file of one, beside the command's scripts. */
export const preparedFile = (name: string): string => `${name}.wasm`;

/** The module of a name; undefined where there is none. */
export function prepared(name: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return new Uint8Array(readFileSync(join(import.meta.dirname, preparedFile(name))));
  } catch {
    return undefined;
  }
}
