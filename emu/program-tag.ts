/** By what a program is known again: in another process, in a later run. */

export interface ProgramTag {
  /** Different for different programs, by all likelihood. */
  readonly name: string;
  /** Where it came from. */
  readonly path: string;
}

const encoder = new TextEncoder();

/** 64 bits of what is in some bytes: not to be relied on, only to find things by. */
export function shortDigest(of: string | Uint8Array): string {
  const bytes = typeof of === "string" ? encoder.encode(of) : of;
  let [a, b] = [0x811c9dc5, 0x1000193];
  for (const byte of bytes) {
    a = Math.imul(a ^ byte, 0x01000193);
    b = Math.imul(b + byte, 0x85ebca6b) ^ (a >>> 15);
  }
  return [a, b].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

const SAMPLES = 64;
const SAMPLE = 64;
const HEAD = 4096;

/**
 * A name for a program: what its file looks like here and there. Its code is compared word by word before anything is used. `read` gives the
 * bytes at a place of the file.
 */
export function programName(size: number, read: (at: number, length: number) => Uint8Array): string {
  const step = Math.max(SAMPLE, Math.floor(size / SAMPLES));
  const parts = [shortDigest(read(0, HEAD)), String(size)];
  for (let at = 0; at < size; at += step) parts.push(shortDigest(read(at, SAMPLE)));
  return shortDigest(parts.join(" "));
}
