/** By what a program is known again: in another process, in a later run. */

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

/** A program, known by what its file looks like here and there. Its code is compared word by word before anything is used. */
export class ProgramTag {
  /** Where it came from. */
  readonly path: string;
  private readonly size: number;
  private readonly samples: readonly Uint8Array[];
  private known: string | undefined;

  /** `read` gives the bytes at a place of the file. */
  constructor(path: string, size: number, read: (at: number, length: number) => Uint8Array) {
    this.path = path;
    this.size = size;
    const step = Math.max(SAMPLE, Math.floor(size / SAMPLES));
    const samples = [read(0, HEAD).slice()];
    for (let at = 0; at < size; at += step) samples.push(read(at, SAMPLE).slice());
    this.samples = samples;
  }

  /** Different for different programs, by all likelihood. Made when it is first asked for: most programs end before they are translated. */
  get name(): string {
    if (this.known === undefined) {
      const [head, ...others] = this.samples.map((sample) => shortDigest(sample));
      this.known = shortDigest([head, String(this.size), ...others].join(" "));
    }
    return this.known;
  }
}
