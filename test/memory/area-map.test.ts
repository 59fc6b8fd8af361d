import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AreaMap } from "../../emu/memory/area-map.ts";
import { PAGE_SIZE } from "../../emu/memory/layout.ts";
import { PROT_READ, PROT_WRITE, type Vma } from "../../emu/memory/vma.ts";

const RW = PROT_READ | PROT_WRITE;
const PAGES = 40;

const area = (first: number, end: number, prot = RW): Vma => ({
  start: first * PAGE_SIZE,
  end: end * PAGE_SIZE,
  prot,
  offset: 0,
});

/** So many areas of a page with a free page after each. */
function comb(count: number): AreaMap {
  const map = new AreaMap();
  for (let i = 0; i < count; i++) map.insert(area(2 * i, 2 * i + 1));
  return map;
}

/** The same as a table with the protection of each page; undefined where nothing is mapped. */
class Model {
  readonly pages: (number | undefined)[] = new Array(PAGES).fill(undefined);

  get count(): number {
    return this.pages.filter((prot) => prot !== undefined).length;
  }
  findFree(length: number, low: number, high: number): number | undefined {
    for (let at = high - length; at >= low; at--) {
      if (this.pages.slice(at, at + length).every((prot) => prot === undefined)) return at * PAGE_SIZE;
    }
    return undefined;
  }
  isFree(first: number, end: number): boolean {
    return this.pages.slice(first, end).every((prot) => prot === undefined);
  }
}

const step = fc.record({
  removes: fc.boolean(),
  first: fc.nat({ max: PAGES - 1 }),
  count: fc.integer({ min: 1, max: 8 }),
  prot: fc.constantFrom(0, PROT_READ, RW),
});

/** Takes the steps on both. */
function take(steps: readonly (typeof step extends fc.Arbitrary<infer S> ? S : never)[]): [AreaMap, Model] {
  const map = new AreaMap();
  const model = new Model();
  for (const { removes, first, count, prot } of steps) {
    const end = Math.min(PAGES, first + count);
    const pages = model.pages.slice(first, end).filter((page) => page !== undefined).length;
    const gone = map.remove(first * PAGE_SIZE, end * PAGE_SIZE);
    expect(gone.reduce((sum, part) => sum + part.end - part.start, 0)).toBe(pages * PAGE_SIZE);
    if (!removes) map.insert(area(first, end, prot));
    model.pages.fill(removes ? undefined : prot, first, end);
  }
  return [map, model];
}

describe("a map of areas", () => {
  it("has what a table of pages has, whatever was inserted and removed", () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.nat({ max: PAGES - 1 }),
        fc.nat({ max: PAGES - 1 }),
        (steps, a, b) => {
          const [map, model] = take(steps);
          const all = [...map];
          expect(model.pages).toEqual(model.pages.map((_, page) => map.find(page * PAGE_SIZE + 5)?.prot));
          expect([map.count, map.bytes]).toEqual([all.length, model.count * PAGE_SIZE]);
          expect(map.dataBytes).toBe(model.pages.filter((prot) => prot === RW).length * PAGE_SIZE);
          for (const [i, one] of all.entries())
            expect(one.start).toBeGreaterThanOrEqual(all[i - 1]?.end ?? 0);
          const [low, high] = [Math.min(a, b), Math.max(a, b) + 1];
          expect(map.isFree(low * PAGE_SIZE, high * PAGE_SIZE)).toBe(model.isFree(low, high));
          expect(map.overlapping(low * PAGE_SIZE, high * PAGE_SIZE)).toEqual(
            all.filter((one) => one.end > low * PAGE_SIZE && one.start < high * PAGE_SIZE),
          );
          expect(map.above(low * PAGE_SIZE)).toEqual(all.find((one) => one.end > low * PAGE_SIZE));
          expect(map.below(low * PAGE_SIZE)).toEqual(all.findLast((one) => one.end <= low * PAGE_SIZE));
        },
      ),
    );
  });

  it("finds the highest free place that is large enough", () => {
    const bound = fc.nat({ max: PAGES });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        bound,
        bound,
        fc.integer({ min: 1, max: 12 }),
        (steps, a, b, length) => {
          const [map, model] = take(steps);
          const [low, high] = [Math.min(a, b), Math.max(a, b)];
          expect(map.findFree(length * PAGE_SIZE, low * PAGE_SIZE, high * PAGE_SIZE)).toBe(
            model.findFree(length, low, high),
          );
        },
      ),
    );
  });

  it("joins an area with equal neighbours, whose places in their file must go on too", () => {
    const map = new AreaMap();
    map.insert(area(0, 1));
    map.insert(area(2, 3));
    map.insert(area(1, 2));
    expect([...map]).toEqual([area(0, 3)]);
    const file = { path: "/f", size: () => 0, read: () => 0, write: () => {} };
    map.insert({ ...area(10, 11), file, offset: 0 });
    map.insert({ ...area(11, 12), file, offset: PAGE_SIZE });
    map.insert({ ...area(12, 13), file, offset: PAGE_SIZE });
    expect(
      [...map].slice(1).map(({ start, end, offset }) => [start, end, offset].map((n) => n / PAGE_SIZE)),
    ).toEqual([
      [10, 12, 0],
      [12, 13, 1],
    ]);
    expect(map.remove(11 * PAGE_SIZE, 12 * PAGE_SIZE)).toMatchObject([{ offset: PAGE_SIZE }]);
  });

  it("leaves a copy as it was", () => {
    const map = comb(10);
    const copy = new AreaMap();
    copy.copy(map);
    map.remove(0, 7 * PAGE_SIZE);
    map.insert(area(1, 6));
    expect([...copy]).toEqual([...comb(10)]);
  });

  it("does work that grows with the logarithm of the number of areas", () => {
    const work = (map: AreaMap, use: () => void): number => {
      const before = map.visits;
      use();
      return map.visits - before;
    };
    const perCall = (count: number): number => {
      const map = comb(count);
      const places = Array.from({ length: 200 }, (_, i) => Math.floor((i * count) / 200));
      const total = places.map((i) =>
        work(map, () => {
          map.remove(2 * i * PAGE_SIZE, (2 * i + 1) * PAGE_SIZE);
          map.findFree(3 * PAGE_SIZE, 0, 2 * count * PAGE_SIZE);
          map.insert(area(2 * i, 2 * i + 1));
          map.find(2 * i * PAGE_SIZE);
          map.below(2 * i * PAGE_SIZE);
          map.overlapping(2 * i * PAGE_SIZE, (2 * i + 4) * PAGE_SIZE);
        }),
      );
      return total.reduce((sum, one) => sum + one, 0) / total.length;
    };
    const [few, many] = [perCall(400), perCall(40_000)];
    expect(many).toBeLessThan(3 * few);
  });
});
