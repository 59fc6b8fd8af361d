/** What registers are known to hold, by numbers: two that hold the same number, and the same distance from it, are equal. */

export interface Value {
  readonly base: number;
  readonly offset: number;
}

/** The number of zero, from which constants have their distance. */
export const ZERO = 1;

/** Beyond any number that a function's code needs. */
const NUMBERS = 2 ** 26;

export class ValueNumbers {
  private next = ZERO + 1;
  /** Those of sums of two values, and of values without some low bits, by what they are made of. */
  private readonly combined = new Map<number, number>();
  /** How great values are at the most, as unsigned numbers, where that is known. */
  private readonly bounds = new Map<number, number>();
  private readonly parts = new Map<number, readonly [number, number]>();

  fresh(): number {
    return this.next++;
  }
  /** The first of so many numbers, one after the other. */
  freshRow(count: number): number {
    this.next += count;
    return this.next - count;
  }
  sum(a: Value, b: Value): Value {
    return { base: this.sumOfBases(a.base, b.base), offset: a.offset + b.offset };
  }
  bound(base: number, most: number): void {
    this.bounds.set(base, most);
  }
  /** How great a value is at the most; undefined if nothing is known, or it may be less than zero by its distance. */
  mostOf({ base, offset }: Value): number | undefined {
    const most = base === ZERO ? 0 : this.bounds.get(base);
    return most === undefined || offset < 0 ? undefined : most + offset;
  }
  /** The two values whose sum, and nothing else, has this number. */
  partsOf(base: number): readonly [number, number] | undefined {
    return this.parts.get(base);
  }
  private sumOfBases(a: number, b: number): number {
    if (a === ZERO) return b;
    if (b === ZERO) return a;
    const sum = this.combination(Math.min(a, b) * NUMBERS + Math.max(a, b));
    this.parts.set(sum, [a, b]);
    return sum;
  }
  /** A value without the low bits `align`: the same for all at distances of a multiple of these. */
  aligned(value: Value, align: number): Value {
    if (align === 0) return value;
    const { base, offset } = value;
    const rest = offset & align;
    return { base: this.combination(-1 - ((base * 256 + rest) * 256 + align)), offset: offset - rest };
  }
  private combination(key: number): number {
    let value = this.combined.get(key);
    if (value === undefined) this.combined.set(key, (value = this.fresh()));
    return value;
  }
}
