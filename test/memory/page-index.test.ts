import fc from "fast-check";
import { expect, it } from "vitest";
import { PageIndex } from "../../emu/memory/page-index.ts";

it("lists the indices within a range", () => {
  const index = fc.nat({ max: 40 });
  fc.assert(
    fc.property(fc.uniqueArray(index), fc.array(index), index, index, (present, gone, first, end) => {
      const pages = new PageIndex<true>();
      for (const key of present) pages.set(key, true);
      for (const key of gone) pages.delete(key);
      const expected = [...pages.keys()].filter((key) => key >= first && key < end);
      expect(new Set(pages.within(first, end))).toEqual(new Set(expected));
    }),
  );
});

/** Counts what `within` looks at. */
class Counting extends PageIndex<true> {
  looks = 0;
  override has(key: number): boolean {
    this.looks++;
    return super.has(key);
  }
  override keys() {
    this.looks += this.size;
    return super.keys();
  }
}

it.each([
  ["many indices, a short range", 10_000, 1, 5000, 5003],
  ["few indices, a range without end", 5, 1_000_000, 100, Number.POSITIVE_INFINITY],
  ["a range beyond all indices", 10_000, 1, 10_000, Number.POSITIVE_INFINITY],
])("looks at no more than it must: %s", (_, count, apart, first, end) => {
  const pages = new Counting();
  for (let i = 0; i < count; i++) pages.set(i * apart, true);
  pages.within(first, end);
  expect(pages.looks).toBeLessThanOrEqual(5);
});
