/** Random operands of which most are where floating-point arithmetic goes wrong. */

/** Pseudo-random words; the same seed gives the same words. */
export class Words {
  private state: number;
  constructor(seed: number) {
    this.state = seed | 0;
  }
  /** An unsigned 32-bit number. */
  next(): number {
    this.state = (this.state + 0x9e37_79b9) | 0;
    let z = this.state;
    z = Math.imul(z ^ (z >>> 16), 0x85eb_ca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2_ae35);
    return (z ^ (z >>> 16)) >>> 0;
  }
  below(limit: number): number {
    return this.next() % limit;
  }
  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)];
  }
  bits(): bigint {
    return (BigInt(this.next()) << 32n) | BigInt(this.next());
  }
}

const view = new DataView(new ArrayBuffer(8));
export const toBits = (value: number): bigint => {
  view.setFloat64(0, value);
  return view.getBigUint64(0);
};
export const fromBits = (bits: bigint): number => {
  view.setBigUint64(0, bits);
  return view.getFloat64(0);
};

const SPECIAL: readonly bigint[] = [
  0n,
  0x7ff0_0000_0000_0000n,
  0x7ff8_0000_0000_0000n,
  0x7ff8_0000_2000_0001n,
  0x7ff0_0000_0000_0001n,
  0x7ff4_1234_5678_9abcn,
  1n,
  0xf_ffff_ffff_ffffn,
  0x10_0000_0000_0000n,
  0x10_0000_0000_0001n,
  0x7fef_ffff_ffff_ffffn,
  0x3ff0_0000_0000_0000n,
  // The single format: least subnormal, half of it, least normal, greatest, half a unit beyond.
  0x36a0_0000_0000_0000n,
  0x3690_0000_0000_0000n,
  0x3810_0000_0000_0000n,
  0x380f_ffff_ffff_ffffn,
  0x47ef_ffff_e000_0000n,
  0x47ef_ffff_f000_0000n,
  // Around the integer formats' ends.
  ...[2 ** 31, 2 ** 31 - 1, 2 ** 31 - 0.5, 2 ** 32, 2 ** 32 - 0.5, 2 ** 52, 2 ** 53, 2 ** 63, 2 ** 64].map(
    toBits,
  ),
  ...[0.5, 1.5, 2.5, 0.25, 0.49999999999999994].map(toBits),
];

const EXPONENTS = [
  0, 1, 2, 52, 53, 54, 100, 897, 896, 874, 873, 1022, 1023, 1024, 1150, 1151, 1946, 2045, 2046,
];

const FRACTIONS: readonly bigint[] = [
  0n,
  1n,
  (1n << 52n) - 1n,
  1n << 51n,
  0x1000_0000n,
  0x1000_0001n,
  0xfff_ffffn,
  0x3000_0000n,
  0x1fff_ffffn,
  0xf_ffff_e000_0000n,
];

/** The 64 bits of one double. */
export function randomOperand(words: Words): bigint {
  const sign = words.bits() & (1n << 63n);
  const make = (exponent: number, fraction: bigint) =>
    sign | (BigInt(exponent & 0x7ff) << 52n) | (fraction & 0xf_ffff_ffff_ffffn);
  switch (words.below(10)) {
    case 0:
      return sign | words.pick(SPECIAL);
    case 1:
      return words.bits();
    case 2:
      return make(words.pick(EXPONENTS), words.bits());
    case 3:
      return make(words.pick(EXPONENTS), words.pick(FRACTIONS));
    case 4:
      // A single.
      return make(896 + words.below(256), words.bits() & ~0x1fff_ffffn);
    case 5:
      // Few significant bits: exact results and ties.
      return make(1023 - 60 + words.below(120), BigInt(words.below(256)) << 44n);
    case 6:
      // Between singles: close to ties.
      return make(1000 + words.below(46), (words.bits() & ~0x1fff_ffffn) | words.pick(FRACTIONS));
    case 7:
      return make(1023 - 2 + words.below(70), words.bits());
    default:
      return make(1023 - 55 + words.below(110), words.bits() & -(1n << BigInt(words.below(52))));
  }
}

/** FRA, FRB and FRC; now and then so related that sums cancel or quotients and roots are nearly exact. */
export function randomOperands(words: Words): [bigint, bigint, bigint] {
  const a = randomOperand(words);
  let b = randomOperand(words);
  const c = randomOperand(words);
  const step = BigInt(words.below(5)) - 2n;
  const near = (value: number) => BigInt.asUintN(64, toBits(value) + step);
  switch (words.below(8)) {
    case 0:
      b = near(-fromBits(a) * fromBits(c));
      break;
    case 1:
      b = near(-fromBits(a));
      break;
    case 2:
      b = near(fromBits(c) * fromBits(c));
      break;
    case 3:
      b = near(fromBits(a) / fromBits(c));
      break;
    case 4:
      // Half a unit of a*c, or a little more or less.
      b = near(fromBits(a) * fromBits(c) * 2 ** -words.pick([24, 25, 52, 53, 54, 55, 106]));
      break;
  }
  return [a, b, c];
}

/** An FPSCR, most with nothing enabled and to nearest, as programs run. */
export function randomStatus(words: Words): number {
  const sticky = words.below(2) === 0 ? 0 : 0x8200_0000;
  switch (words.below(4)) {
    case 0:
      return sticky;
    case 1:
      return (sticky | words.below(4)) >>> 0;
    case 2:
      return words.below(256);
    default:
      return (sticky | (0x7_f000 & words.next())) >>> 0;
  }
}
