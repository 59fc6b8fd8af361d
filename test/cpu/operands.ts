/** Random operands for properties: all values, with those at the edges more often. */
import fc from "fast-check";
import { maskOf, type TestAbi } from "./driver.ts";

const EDGES = [0n, 1n, 2n, 31n, 32n, 63n, 64n, 0x7fffn, 0x8000n, 0xffffn, 0x7fff_ffffn, 0x8000_0000n].flatMap(
  (edge) => [edge, -edge, edge << 32n, ~edge],
);

/** A register's value, unsigned. */
export const register = (abi: TestAbi): fc.Arbitrary<bigint> =>
  fc
    .oneof(
      fc.constantFrom(...EDGES),
      fc.bigInt({ min: 0n, max: maskOf(abi) }),
      fc.bigInt({ min: -300n, max: 300n }),
      fc
        .tuple(fc.bigInt({ min: 0n, max: 63n }), fc.bigInt({ min: -1n, max: 1n }))
        .map(([n, d]) => (1n << n) + d),
    )
    .map((value) => value & maskOf(abi));

/** A 16-bit signed immediate. */
export const immediate = (): fc.Arbitrary<number> =>
  fc.oneof(fc.constantFrom(0, 1, -1, 0x7fff, -0x8000), fc.integer({ min: -0x8000, max: 0x7fff }));

/** The value of `bits` as signed. */
export const signed = (value: bigint, width: number): bigint => BigInt.asIntN(width, value);

/** CR0 as Rc = 1 sets it. */
export const cr0 = (result: bigint, width: number, so: number): number =>
  (signed(result, width) < 0n ? 8 : signed(result, width) > 0n ? 4 : 2) | so;
