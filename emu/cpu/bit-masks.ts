/** Bits of doublewords under a mask: Power ISA 3.1, I.3.3.13.1 and the vector forms in I.6.12. */

type Masked = (value: bigint, mask: bigint) => bigint;

const SIZE = 64;
const isSet = (mask: bigint, position: number): boolean => ((mask >> BigInt(position)) & 1n) !== 0n;
const positions = Array.from({ length: SIZE }, (_, position) => position);

/** Bits of `value` at the ones of the mask, brought together at the right. */
export const extractBits: Masked = (value, mask) => {
  let result = 0n;
  let at = 0n;
  for (const position of positions) {
    if (isSet(mask, position)) result |= ((value >> BigInt(position)) & 1n) << at++;
  }
  return result;
};
/** The rightmost bits of `value` at the ones of the mask. */
export const depositBits: Masked = (value, mask) => {
  let result = 0n;
  let from = 0n;
  for (const position of positions) {
    if (isSet(mask, position)) result |= ((value >> from++) & 1n) << BigInt(position);
  }
  return result;
};
/** Bits at the ones of the mask brought together at the right, those at its zeros at the left. */
export const centrifuge: Masked = (value, mask) => {
  const others = BigInt.asUintN(SIZE, ~mask);
  const ones = BigInt(positions.filter((position) => isSet(mask, position)).length);
  return BigInt.asUintN(SIZE, extractBits(value, others) << ones) | extractBits(value, mask);
};
/** Zeros of `value` at the ones of the mask, before the first one there, from the left or from the right. */
export const countZeros =
  (left: boolean): Masked =>
  (value, mask) => {
    let count = 0n;
    for (const position of left ? positions.toReversed() : positions) {
      if (!isSet(mask, position)) continue;
      if (isSet(value, position)) break;
      count++;
    }
    return count;
  };
