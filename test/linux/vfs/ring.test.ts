import fc from "fast-check";
import { expect, test } from "vitest";
import { Ring } from "../../../emu/linux/vfs/ring.ts";
import { AddressSpace } from "../../../emu/memory/address-space.ts";
import { PROT_READ, PROT_WRITE } from "../../../emu/memory/vma.ts";

const CAPACITY = 4096;
const START = 0x10000;

/** What is put, how (from an array, or from memory at an offset), and how much is taken afterwards, and how. */
const step = fc.record({
  put: fc.nat(CAPACITY),
  from: fc.option(fc.nat(40), { nil: undefined }),
  take: fc.nat(CAPACITY),
  to: fc.option(fc.nat(40), { nil: undefined }),
});

test.each(["big", "little"] as const)(
  "gives %s-endian memory's bytes in the order in which it got them",
  (byteOrder) => {
    const memory = new AddressSpace({ byteOrder, size: 16 * 1024 * 1024 });
    memory.map({ start: START, end: START + 0x4000, prot: PROT_READ | PROT_WRITE, offset: 0 });
    const [source, target] = [START, START + 0x2000];
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const ring = new Ring(CAPACITY);
        const expected: number[] = [];
        let next = 0;
        for (const { put, from, take, to } of steps) {
          const bytes = Uint8Array.from({ length: Math.min(put, CAPACITY - ring.length) }, () => next++);
          expected.push(...bytes);
          if (from === undefined) ring.put(bytes);
          else {
            memory.write(source + from, bytes);
            ring.putFrom(memory, source + from, bytes.length);
          }
          let taken = new Uint8Array(Math.min(take, ring.length));
          if (to === undefined) ring.copy(taken);
          else {
            ring.copyTo(memory, target + to, taken.length);
            taken = memory.peek(target + to, taken.length);
          }
          ring.drop(taken.length);
          expect([...taken]).toEqual(expected.splice(0, taken.length));
          expect(ring.length).toBe(expected.length);
        }
      }),
      { numRuns: 60 },
    );
  },
);
