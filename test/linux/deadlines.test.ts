import fc from "fast-check";
import { expect, it } from "vitest";
import { Deadlines } from "../../emu/linux/deadlines.ts";

const step = fc.record({
  item: fc.integer({ min: 0, max: 20 }),
  at: fc.option(fc.bigInt({ min: 0n, max: 9n })),
});

it("always has at hand what is due first, whatever was added, moved and taken away before", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 30, maxLength: 80 }), (steps) => {
      const deadlines = new Deadlines<number>((item) => item);
      const model = new Map<number, bigint>();
      for (const { item, at } of steps) {
        if (at === null) {
          deadlines.delete(item);
          model.delete(item);
        } else {
          deadlines.set(item, at);
          model.set(item, at);
        }
        const sorted = [...model].sort(([a, x], [b, y]) => Number(x - y) || a - b);
        expect(deadlines.first?.item).toBe(sorted[0]?.[0]);
        expect(deadlines.first?.at).toBe(sorted[0]?.[1]);
        expect(deadlines.size).toBe(model.size);
        expect(deadlines.has(item)).toBe(model.has(item));
      }
    }),
  );
});
