/** Bit numbers of the manual: bit 0 is the most significant of a word. */

/** The word bits first..last, both included, as a signed 32-bit mask. */
export function bits(first: number, last: number): number {
  const width = last - first + 1;
  return (width === 32 ? -1 : ((1 << width) - 1) << (31 - last)) | 0;
}
