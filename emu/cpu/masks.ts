/** MASK(mb, me), ones from bit mb through bit me, around the end where me is less (Power ISA 3.0B, I.3.3.14). Bit 0 is the most significant. */

/** The low 32 bits of MASK(mb + 32, me + 32). */
export const wordMask = (mb: number, me: number): number => {
  const left = -1 >>> mb;
  const right = -1 << (31 - me);
  return mb <= me ? left & right : left | right;
};

/** Halves of MASK(mb, 63) and of MASK(0, me). */
export const highFrom = (mb: number): number => (mb < 32 ? -1 >>> mb : 0);
export const lowFrom = (mb: number): number => (mb < 32 ? -1 : -1 >>> (mb - 32));
export const highThrough = (me: number): number => (me < 32 ? -1 << (31 - me) : -1);
export const lowThrough = (me: number): number => (me < 32 ? 0 : -1 << (63 - me));

/** Halves of MASK(mb, me). */
export const maskLow = (mb: number, me: number): number =>
  mb <= me ? lowFrom(mb) & lowThrough(me) : lowFrom(mb) | lowThrough(me);
export const maskHigh = (mb: number, me: number): number =>
  mb <= me ? highFrom(mb) & highThrough(me) : highFrom(mb) | highThrough(me);
